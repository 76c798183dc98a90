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


def mesh_of(text):
    lines = text.splitlines()
    place = lines.index("Who reaches whom")
    return lines[place + 1 : -1]


def test_who_reaches_whom_stands_below_the_routes_the_worst_first():
    all_well = {"mail1": ("ok", "ok"), "mail2": ("ok", "ok")}
    results = {
        "web1": routed("ok", mesh=all_well),
        "web2": routed("ok", mesh={**all_well, "mail1": ("filtered", "ok")}, index=3),
        "web3": routed("ok", mesh={**all_well, "mail1": ("filtered", "ok")}),
        "web4": routed("ok", mesh={"mail1": ("ok", "certificate_expiring")}),
        "mail1": routed("ok", mesh={"mail2": ("refused", "refused")}),
        "gone": UNREACHABLE,
    }
    text = shown(
        results, rules={"waivers": [{"host": "mail1", "reason": "so", "until": "2027-01-01"}]}, width=100
    )
    heads = [line for line in mesh_of(text) if not line.startswith(" ")]
    assert heads == [
        "web2, web3 → mail1: 587 filtered, 465 ok",
        "mail1 → mail2: 587 refused, 465 refused",
        "web4 → mail1: 587 ok, 465 certificate_expiring",
        "web1 → mail1: 587 ok, 465 ok",
        "web1, web2, web3 → mail2: 587 ok, 465 ok",
    ]
    words = " ".join(text.split())
    assert words.count("is filtered: What was seen of filtered") == 1
    assert "opened in the firewall of mail1" in words
    assert words.count("Waived: so (until 2027-01-01)") == 2
    # The table of routes is as it is without a mesh.
    assert text.splitlines()[1].split() == ["host", "provider", "587", "route"]


def test_servers_that_the_same_hosts_reach_are_together():
    everybody = {f"mail{number}": ("ok",) for number in range(1, 6)}
    text = shown({f"web{number}": routed("ok", mesh=everybody) for number in range(1, 5)}, width=120)
    assert mesh_of(text) == ["4 hosts: web1, web2, web3 … → 5 hosts: mail1, mail2, mail3 …: 587 ok"]


def test_what_is_wrong_with_several_servers_is_told_of_the_first():
    mesh = {"mail1": ("refused",), "mail2": ("filtered",), "mail3": ("refused",)}
    lines = mesh_of(shown({"web1": routed("ok", mesh=mesh)}, width=100))
    assert lines[1].startswith("    mail1 at mail1.example.com:587 is refused: ")
    assert [line for line in lines if not line.startswith(" ")] == [
        "web1 → mail1, mail3: 587 refused",
        "web1 → mail2: 587 filtered",
    ]


def test_a_narrow_mesh_has_a_line_for_each_port():
    text = shown({"web1": routed("ok", mesh={"mail1": ("ok", "ok", "ok")})}, width=30)
    assert mesh_of(text) == ["web1 → mail1:", "    587 ok", "    465 ok", "    2525 ok"]


def test_without_a_mesh_nothing_is_said_of_it():
    assert "Who reaches whom" not in shown({"web1": routed("ok")})


@pytest.mark.parametrize("height", [12, 24, 40])
def test_a_mesh_of_many_hosts_is_at_most_a_screenful(height):
    servers = {f"mail{number}": ("ok", "filtered" if number % 3 else "refused") for number in range(30)}
    results = {name: {**one, "mesh": routed("ok", mesh=servers)["mesh"]} for name, one in fleet(60).items()}
    lines = shown(results, width=100, height=height, files=["report.html"]).splitlines()
    assert len(lines) <= height
    assert "Who reaches whom" in lines
    assert sum("see report.html" in line for line in lines) == 2
