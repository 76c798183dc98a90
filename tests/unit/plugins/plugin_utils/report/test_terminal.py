"""The report on a terminal: hosts of one outcome in a row, within width and height, and safe to look at."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pytest
from ansible.utils import color
from ansible_collections.mailops.smtp.plugins.plugin_utils.report import gate, model, terminal

ROOT = Path(__file__).resolve().parents[5]
sys.path.insert(0, str(ROOT / "tests" / "fleet"))

from fleet import NOW, UNREACHABLE, fleet, routed

TODAY = date(2026, 11, 28)
HOSTILE = "\x1b[31m\u202e|\r\n\x00\u2028" + "A" * 10_000


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    monkeypatch.setattr(color, "ANSIBLE_COLOR", False)


def shown(results, baseline=None, rules=None, **how):
    document = model.preflight(results, NOW)
    judged = gate.judge(document, gate.rules(rules or {}), TODAY, baseline)
    return terminal.render(document, judged, **how)


def test_hosts_of_one_outcome_are_one_row():
    results = {f"web{index}": routed("ok", "ok", index=index) for index in range(40)}
    results |= {"db1": routed("filtered", "filtered"), "db2": routed("filtered", "filtered", index=7)}
    lines = shown(results, width=100).splitlines()
    rows = [line for line in lines if not line.startswith(" ")]
    assert [row.split("  ")[0] for row in rows] == [
        "Routes for mail through relay.example.com",
        "host",
        "db1, db2",
        "40 hosts: web0, web1, web2 …",
        "preflight: 40 of 42 hosts have a route, 2 without",
    ]


def test_the_worst_comes_first():
    results = {
        "good": routed("ok"),
        "gone": UNREACHABLE,
        "waived": routed("filtered"),
        "none": routed("refused"),
        "old": routed("certificate_expiring"),
    }
    rules = {
        "fail_on": "certificate_expiring",
        "waivers": [{"host": "waived", "reason": "so", "until": "2027-01-01"}],
    }
    lines = shown(results, rules=rules, width=100).splitlines()
    assert [line.split()[0] for line in lines[2:-1] if not line.startswith(" ")] == [
        "none",
        "gone",
        "old",
        "waived",
        "good",
    ]
    assert "    Waived: so (until 2027-01-01)" in lines


@pytest.mark.parametrize("height", [12, 24, 40])
@pytest.mark.parametrize("count", [51, 1000])
def test_many_hosts_are_at_most_a_screenful(count, height):
    text = shown(fleet(count), width=100, height=height, files=["report.html"])
    lines = text.splitlines()
    assert len(lines) <= height
    assert lines[-1].startswith("preflight: ")
    assert "see report.html" in lines[-2]


def test_few_hosts_are_shown_whole():
    lines = shown(fleet(50), width=100, height=10).splitlines()
    assert len(lines) > 10
    assert "…:" not in lines[-2]


@pytest.mark.parametrize("width", [30, 44, 79, 200])
def test_sentences_stay_within_the_width(width):
    text = shown(fleet(8), width=width)
    assert all(len(line) <= width for line in text.splitlines() if line.startswith(" "))


def test_words_of_a_server_are_escaped_and_bounded():
    results = {
        "web1": {**UNREACHABLE, "msg": HOSTILE},
        "web2": routed("filtered", reason=HOSTILE),
        "web\x1b[2J3": routed("ok"),
    }
    text = shown(results, rules={"fail_on": "any_unusable"})
    assert all(line.isprintable() for line in text.split("\n"))
    assert len(text) < 10_000
    assert "\\x1b[31m" in text


def test_what_has_changed_is_told():
    before = model.preflight({"web1": routed("filtered"), "web2": routed("ok")}, NOW)
    lines = shown({"web1": routed("ok"), "web2": routed("filtered")}, before, width=100).splitlines()
    assert "better: web1: relay.example.com:587 was filtered and is ok" in lines
    assert any(line.startswith("worse: web2: No route for mail") for line in lines)


def test_a_long_list_of_changes_is_cut():
    old = model.preflight({f"web{index}": routed("ok") for index in range(9)}, NOW)
    lines = shown({f"web{index}": routed("filtered") for index in range(9)}, old, width=200).splitlines()
    assert sum(line.startswith("worse: web") for line in lines) == terminal.CHANGES
    assert "worse: 13 more" in lines


@pytest.mark.parametrize(
    "environment, columns, width",
    [
        ({}, 79, 79),
        ({}, 132, 132),
        ({"COLUMNS": "60"}, 132, 60),
        ({"COLUMNS": "10"}, 132, 30),
        ({"COLUMNS": "wide"}, 132, 132),
        ({"CI": "true"}, 79, 120),
        ({"CI": "true"}, 200, 200),
        ({"CI": "false"}, 79, 79),
        ({"CI": "true", "COLUMNS": "80"}, 79, 80),
    ],
)
def test_the_width(environment, columns, width):
    assert terminal.width_of(environment, columns) == width


@pytest.mark.parametrize(
    "environment, height", [({}, 40), ({"LINES": "24"}, 24), ({"LINES": "3x"}, 40), ({"LINES": "00"}, 10)]
)
def test_the_height(environment, height):
    assert terminal.height_of(environment) == height


def test_the_last_line_has_no_colour(monkeypatch):
    monkeypatch.setattr(color, "ANSIBLE_COLOR", True)
    text = shown({"web1": routed("filtered")})
    assert "\033[" in text
    assert text.splitlines()[-1] == "preflight: 0 of 1 hosts have a route, 1 without"
    monkeypatch.setattr(color, "ANSIBLE_COLOR", False)
    assert terminal.plain(text) == shown({"web1": routed("filtered")})
