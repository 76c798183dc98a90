"""From what tasks registered to the one document of a report."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys
from datetime import timedelta, timezone
from pathlib import Path

import pytest
import yaml
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import VERDICTS
from ansible_collections.mailops.smtp.plugins.plugin_utils.report import model

ROOT = Path(__file__).resolve().parents[5]
sys.path.insert(0, str(ROOT / "tests" / "fleet"))

from fleet import FAILED, NOW, SKIPPED, UNREACHABLE, examined, fleet, probed, routed, verified

HOSTILE = "\x1b[31m<script>\u202e|`\r\n\x00\ud800\u2028&]]>" + "A" * 10_000


def only(document):
    (host,) = document["hosts"]
    return host


@pytest.mark.parametrize(
    "result, state, reason",
    [
        (routed("ok"), "route", "587 on relay.example.com accepted TLS, the login and the envelope"),
        (routed("filtered", "ok"), "route", "587 on relay.example.com is filtered; 2525 accepted TLS"),
        (
            routed("filtered", "refused"),
            "no_route",
            "No route for mail: 587 on relay.example.com is filtered",
        ),
        (UNREACHABLE, "unreachable", "Failed to connect to the host via ssh"),
        (FAILED, "failed", "port: 456 is not a port of mail"),
        ({"failed": True, "msg": "boom"}, "failed", "boom"),
        (SKIPPED, "not_probed", "The task was skipped"),
        (None, "not_probed", "It was unreachable, or failed, before its ports were probed."),
        ({"changed": False}, "not_probed", "It was unreachable, or failed, before its ports were probed."),
    ],
)
def test_what_became_of_a_host_that_was_to_be_probed(result, state, reason):
    host = only(model.preflight({"web1": result}, NOW))
    assert (host["name"], host["state"]) == ("web1", state)
    assert host["reasons"][0].startswith(reason)
    assert (host["route"] is None) == (state != "route")


@pytest.mark.parametrize(
    "result, state, reasons",
    [
        (examined(), "passed", ["3 tests passed, in 2.14 s"]),
        (examined(failed={"host::clock": "The clock is wrong."}), "failed", []),
        ({**examined(), "passed": False, "msg": "pytest could not run"}, "failed", ["pytest could not run"]),
        ({**examined(), "failed": True, "msg": "so"}, "failed", ["so"]),
        (UNREACHABLE, "unreachable", [UNREACHABLE["msg"]]),
        ({**FAILED, "msg": "pytest-testinfra is missing"}, "failed", ["pytest-testinfra is missing"]),
        (SKIPPED, "not_tested", ["The task was skipped, so nothing is known of this host."]),
        (None, "not_tested", ["It was unreachable, or failed, before it was tested."]),
    ],
)
def test_what_became_of_a_host_that_was_to_be_tested(result, state, reasons):
    host = only(model.verify({"web1": result}, NOW))
    assert (host["state"], host["reasons"]) == (state, reasons)


@pytest.mark.parametrize(
    "result, state",
    [
        (probed("ok", "filtered"), "usable"),
        (probed("filtered"), "unusable"),
        # fail_when: any_unusable
        ({**probed("ok", "filtered"), "failed": True}, "unusable"),
        (UNREACHABLE, "unreachable"),
        ({"failed": True, "msg": "host and endpoints are mutually exclusive"}, "failed"),
        (None, "not_probed"),
    ],
)
def test_what_became_of_a_host_that_asked_endpoints(result, state):
    assert only(model.probe({"web1": result}, NOW))["state"] == state


def test_the_tests_of_a_host_with_the_failed_first():
    result = examined(2, {"a::x": "Broken."}, {"b::y": "No such thing here."})
    host = only(model.verify({"web1": result}, NOW))
    assert [(one["name"], one["outcome"], one["reason"]) for one in host["tests"]] == [
        ("a::x", "failed", "Broken."),
        ("b::y", "skipped", "No such thing here."),
        ("config::postfix_runs", "passed", ""),
        ("tls::chain[587]", "passed", ""),
    ]
    assert host["evidence"]["relay_reply"] == "250 2.0.0 Ok: queued as 8DBA71A8043"
    assert host["duration_s"] == 2.14


def test_everything_that_a_fact_has_of_an_endpoint_is_there():
    result = routed("ok", "certificate_expired")
    fact = result["ansible_facts"]["smtp_route"]
    host = only(model.preflight({"web1": result}, NOW))
    for mine, theirs in zip(host["endpoints"], fact["endpoints"]):
        assert mine == {**theirs, "server": None}
    assert host["provider"]["policy"] == fact["cloud"]["policy"]
    assert host["checked_at"] == fact["checked_at"]
    known = {**host["route"], **host["sender"]}
    assert known == {key: fact[key] for key in known}
    apart = {"routes", "endpoints", "cloud", "checked_at", "warnings"}
    assert set(fact) - apart == set(known)
    assert [set(one) for one in host["routes"]] == [set(one) for one in fact["routes"]]


def test_the_listeners_of_the_mesh_follow_and_belong_to_a_server():
    result = routed("ok", mesh={"mail1": ("ok", "filtered")})
    document = model.preflight({"web1": result}, NOW)
    assert [
        (one["host"], one["port"], one["relay"], one["server"]) for one in only(document)["endpoints"]
    ] == [
        ("relay.example.com", 587, 0, None),
        ("mail1.example.com", 587, None, "mail1"),
        ("mail1.example.com", 465, None, "mail1"),
    ]
    assert only(document)["state"] == "route"
    assert document["summary"]["verdicts"] == {"filtered": 1, "ok": 2}


def test_a_relay_for_some_alone_leaves_a_route_for_everybody():
    relays = [
        {"host": "a.example", "ports": [587]},
        {"host": "b.example", "ports": [587], "senders": ["@c.example"]},
    ]
    host = only(model.preflight({"web1": routed("ok", "filtered", relays=relays)}, NOW))
    assert (host["state"], host["route"]["host"]) == ("no_route", "a.example")
    assert host["reasons"][0].startswith("No route for mail from @c.example through relays[1]")


def test_mail_that_goes_past_all_relays_has_a_route():
    relays = [{"host": "b.example", "ports": [587], "senders": ["@c.example"]}]
    host = only(model.preflight({"web1": routed("ok", relays=relays)}, NOW))
    assert (host["state"], host["route"]["decided_by"], host["route"]["host"]) == ("route", "direct", None)


def test_the_head_and_the_sums():
    results = {**fleet(50), "lost": None}
    document = model.preflight(results, NOW.astimezone(timezone(timedelta(hours=5))))
    assert document["created_at"] == "2026-11-28T05:00:00Z"
    assert (document["kind"], document["version"], document["gate"]) == ("preflight", 1, None)
    summary = document["summary"]
    assert [host["name"] for host in document["hosts"]] == list(results)
    counted = {
        key: summary[key] for key in ("with_route", "without_route", "failed", "unreachable", "not_probed")
    }
    assert counted == {"with_route": 45, "without_route": 4, "failed": 0, "unreachable": 1, "not_probed": 1}
    assert summary["hosts"] == sum(counted.values()) == 51
    assert sum(summary["verdicts"].values()) == 49 * 4
    assert list(summary["verdicts"]) == [name for name in VERDICTS if name in summary["verdicts"]]
    assert model.headline(document) == (
        "preflight: 45 of 51 hosts have a route, 4 without, 1 unreachable, 1 not probed"
    )
    assert model.summary("verify", model.verify(verified(10), NOW)["hosts"])["tests"] == {
        "failed": 1,
        "skipped": 10,
        "passed": 400,
    }


@pytest.mark.parametrize(
    "document, line",
    [
        (model.preflight({}, NOW), "preflight: 0 of 0 hosts have a route"),
        (model.preflight({"a": routed("ok")}, NOW), "preflight: 1 of 1 hosts have a route"),
        (
            model.verify({"a": examined(), "b": UNREACHABLE}, NOW),
            "verify: 1 of 2 hosts passed, 1 unreachable",
        ),
        (
            model.probe({"a": probed("ok"), "b": probed("refused")}, NOW),
            "probe: 1 of 2 hosts have a usable endpoint, 1 without",
        ),
    ],
)
def test_the_line_to_grep_for(document, line):
    assert model.headline(document) == line


def test_the_worst_comes_first_and_else_the_order_of_the_play():
    results = {
        "a": routed("ok"),
        "b": routed("filtered"),
        "c": UNREACHABLE,
        "d": routed("ok"),
        "e": None,
        "f": FAILED,
    }
    hosts = model.worst_first(model.preflight(results, NOW)["hosts"])
    assert "".join(host["name"] for host in hosts) == "bfcead"
    assert {state for states in model.STATES.values() for state in states} == set(model.WORST_FIRST)


def test_equal_findings_make_equal_bytes():
    one, other = (json.dumps(model.preflight(fleet(20), NOW)) for _ in range(2))
    assert one == other


def strings(value):
    if isinstance(value, dict):
        for key, each in value.items():
            yield from (key, *strings(each))
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


def hostile(value, key=""):
    """The same with something hostile wherever a text may stand, in keys of free form as well."""
    if isinstance(value, dict):
        free = {HOSTILE: HOSTILE} if key == "evidence" else {}
        return {**{name: hostile(each, name) for name, each in value.items()}, **free}
    if isinstance(value, list):
        return [hostile(each) for each in value] + (
            [HOSTILE] * 300 if key in ("names", "capabilities") else []
        )
    return HOSTILE if isinstance(value, str) else value


@pytest.mark.parametrize(
    "make, result",
    [
        (model.preflight, routed("certificate_expired", "ok")),
        (model.preflight, UNREACHABLE),
        (model.probe, probed("certificate_expired", "ok")),
        (model.verify, examined(3, {"a::x": "Broken."}, {"b::y": "So."})),
    ],
)
def test_whatever_is_said_becomes_short_printable_lines(make, result):
    document = make({HOSTILE: hostile(result)}, NOW)
    document["hosts"][0]["name"].encode("utf-8")
    for one in strings(document):
        assert one.isprintable(), ascii(one)
        assert len(one) <= model.LONGEST_TEXT + 3
    assert document["hosts"][0]["name"].startswith(r"\x1b[31m<script>\u202e|` \x00\ud800 &]]>AAA")
    assert all(len(one["capabilities"]) <= model.MOST_TEXTS for one in document["hosts"][0]["endpoints"])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "x", None, {}, [], "1e999", 10**400])
def test_what_is_no_number_is_none_so_that_the_document_is_json(value):
    result = routed("ok")
    endpoint = result["ansible_facts"]["smtp_route"]["endpoints"][0]
    endpoint["port"] = value
    endpoint["timings_ms"] = {"connect": value}
    endpoint["certificate"] = value
    host = only(model.preflight({"web1": result}, NOW))
    assert json.loads(json.dumps(host, allow_nan=False))["endpoints"][0]["port"] is None or value == 10**400


def test_numbers_and_truths_that_came_through_a_template_are_what_they_mean():
    result = routed("ok")
    result["ansible_facts"]["smtp_route"]["endpoints"][0].update(port="587", usable="True", reachable="False")
    (endpoint,) = only(model.preflight({"web1": result}, NOW))["endpoints"]
    assert (endpoint["port"], endpoint["usable"], endpoint["reachable"]) == (587, True, False)


def test_a_message_of_several_lines_is_several_sentences():
    host = only(model.preflight({"web1": {"failed": True, "msg": "One.\n\nTwo.\r\n"}}, NOW))
    assert host["reasons"] == ["One.", "Two."]


@pytest.mark.parametrize("make, result", [(model.preflight, routed("ok")), (model.verify, examined())])
def test_nothing_enters_that_no_field_names(make, result):
    secret = "correct horse 7"
    extra = {
        "invocation": {"module_args": {"password": secret}},
        "exception": secret,
        "postfix_relay_password": secret,
        "_ansible_parsed": secret,
    }
    spied = json.loads(json.dumps({**result, **extra}))
    if "ansible_facts" in spied:
        spied["ansible_facts"]["smtp_route"]["password"] = secret
        spied["ansible_facts"]["smtp_route"]["endpoints"][0]["password"] = secret
    document = make({"web1": spied}, NOW)
    assert document == make({"web1": result}, NOW)
    assert secret not in json.dumps(document)


def test_the_generator_has_the_version_of_the_collection():
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert f"mailops.smtp {version}" == model.GENERATOR
