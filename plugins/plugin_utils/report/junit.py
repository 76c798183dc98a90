"""The report as JUnit XML: a suite for each host, a case for each endpoint and each test.

Rule of this file: a case fails where the run fails, and nowhere else. A port of a relay that is closed on a host that
has another way is skipped, with its reason; and so is what a waiver or the gate's rules let pass.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Collection, Iterable, Iterator, Mapping, NamedTuple, Sequence
from xml.sax.saxutils import escape, quoteattr

from .groups import spot, spot_name, way
from .model import GOOD, Document, Host

# The case that stands for the host itself.
OWN_CASE = {"preflight": "route", "probe": "usable endpoint", "verify": "tests"}
# What became of a host that nobody looked at is an error; that it has no way is a failure.
FAILURES = frozenset({"no_route", "unusable"})


class Case(NamedTuple):
    """`what` is how it ended: passed, or the name of the element that says so."""

    group: str
    name: str
    what: str = "passed"
    kind: str = ""
    message: str = ""
    details: str = ""
    seconds: float = 0.0


class Suite(NamedTuple):
    name: str
    cases: list[Case]
    seconds: float = 0.0
    properties: Mapping[str, str] = {}

    def count(self, what: str) -> int:
        return sum(case.what == what for case in self.cases)


def render(document: Document) -> Iterator[str]:
    when = document["created_at"].removesuffix("Z")
    suites = [*_suites(document)]
    sums = {what: sum(suite.count(what) for suite in suites) for what in ("failure", "error", "skipped")}
    head = {
        "name": f"mailops.smtp {document['kind']}",
        "tests": sum(len(suite.cases) for suite in suites),
        "failures": sums["failure"],
        "errors": sums["error"],
    }
    yield f"<?xml version='1.0' encoding='utf-8'?>\n<testsuites{_attributes(head)}>\n"
    for suite in suites:
        yield from _suite(suite, when)
    yield "</testsuites>\n"


class Judged:
    """What the gate found on one host; without a gate what became of the host is all that counts."""

    def __init__(self, gate: Mapping[str, Any] | None, host: str | None) -> None:
        self.asked = gate is not None
        self._passed = bool(gate and gate["passed"])
        self._found = [one for one in (gate or {}).get("findings", ()) if one["host"] == host]

    def of(self, rule: str) -> list[Mapping[str, Any]]:
        return [one for one in self._found if not one.get("endpoint") and one["rule"] == rule]

    def at(self, endpoint: str) -> list[Mapping[str, Any]]:
        return [one for one in self._found if one.get("endpoint") == endpoint]

    def others(self, rule: str, endpoints: Collection[str]) -> list[Mapping[str, Any]]:
        """What is of neither."""
        mine = [*self.of(rule), *(one for name in endpoints for one in self.at(name))]
        return [one for one in self._found if one not in mine]

    def pardon(self, found: Sequence[Mapping[str, Any]]) -> str:
        """Why the gate lets these pass; empty where it does not."""
        if not found:
            return "the gate does not ask for it"
        if all(one["waived"] or one.get("known") for one in found):
            return f"waived ({found[0]['waived']})" if found[0]["waived"] else "as in the baseline"
        return "within the number of hosts that may fail" if self._passed else ""


def _suites(document: Document) -> Iterator[Suite]:
    gate = document["gate"]
    whole = Judged(gate, None).others("", ())
    if whole:
        yield Suite("gate", [*_findings("gate", whole, Judged(gate, None))])
    for host in document["hosts"]:
        yield _of_host(document["kind"], host, Judged(gate, host["name"]))


def _of_host(kind: str, host: Host, judged: Judged) -> Suite:
    group = f"{host['name']}.{kind}"
    broken = any(one["outcome"] == "failed" for one in host["tests"])
    own = (
        [] if host["tests"] and (broken or host["state"] in GOOD) else [_own_case(kind, group, host, judged)]
    )
    lost = any(case.what in ("failure", "error") for case in own)
    cases = [
        *own,
        *(_endpoint(group, one, judged, lost) for one in host["endpoints"]),
        *(_test(host["name"], one) for one in host["tests"]),
    ]
    endpoints = {spot(one) for one in host["endpoints"]}
    cases += _findings(group, judged.others(host["state"], endpoints), judged)
    seconds = host["duration_s"] or sum(case.seconds for case in cases)
    return Suite(host["name"], cases, seconds, _properties(host))


def _own_case(kind: str, group: str, host: Host, judged: Judged) -> Case:
    name, state, message = OWN_CASE[kind], host["state"], " ".join(host["reasons"])
    if state in GOOD:
        return Case(group, name)
    pardon = judged.pardon(judged.of(state)) if judged.asked else ""
    if pardon:
        return Case(group, name, "skipped", state, f"{pardon}: {message}")
    return Case(group, name, "failure" if state in FAILURES else "error", state, message)


def _findings(group: str, found: Iterable[Mapping[str, Any]], judged: Judged) -> Iterator[Case]:
    for one in found:
        pardon = judged.pardon([one])
        message = f"{pardon}: {one['message']}" if pardon else one["message"]
        yield Case(group, f"gate: {one['rule']}", "skipped" if pardon else "failure", one["rule"], message)


def _endpoint(group: str, one: Mapping[str, Any], judged: Judged, lost: bool) -> Case:
    """Where the host has no way each port that is closed fails, else those for which the gate fails."""
    name = f"{spot_name(one)} {one['tls']}" + (f" {one['family']}" if one["family"] else "")
    seconds = (one["timings_ms"]["total"] or 0.0) / 1000
    found = judged.at(spot(one))
    if one["usable"] and not found:
        return Case(group, name, seconds=seconds)
    message = f"{one['verdict']}: {one['reason']}"
    pardon = judged.pardon(found) if found else "" if lost or one["server"] else "not needed"
    if pardon:
        return Case(group, name, "skipped", one["verdict"], f"{pardon}: {message}", seconds=seconds)
    message = " ".join(each["message"] for each in found) or message
    # Of a port that works it is that there is nothing to do.
    advice = "" if one["usable"] else one["advice"]
    return Case(
        group, name, "failure", found[0]["rule"] if found else one["verdict"], message, advice, seconds
    )


def _test(host: str, one: Mapping[str, Any]) -> Case:
    group, _colons, name = one["name"].partition("::")
    what = {"failed": "failure", "skipped": "skipped"}.get(one["outcome"], "passed")
    return Case(f"{host}.{group}", name or group, what, "test", one["reason"])


def _properties(host: Host) -> dict[str, str]:
    known = {"state": host["state"], "checked_at": host["checked_at"]}
    if host["provider"]:
        known["provider"] = host["provider"]["title"]
    if host["route"]:
        known["route"] = way(host["route"])
    known.update(host["evidence"])
    return {name: value for name, value in known.items() if value}


def _suite(suite: Suite, when: str) -> Iterator[str]:
    head = {
        "name": suite.name,
        "tests": len(suite.cases),
        "failures": suite.count("failure"),
        "errors": suite.count("error"),
        "skipped": suite.count("skipped"),
        "time": f"{suite.seconds:.3f}",
        "timestamp": when,
        "hostname": suite.name,
    }
    yield f"<testsuite{_attributes(head)}>\n"
    if suite.properties:
        rows = (
            f"<property{_attributes({'name': name, 'value': each})}/>\n"
            for name, each in suite.properties.items()
        )
        yield f"<properties>\n{''.join(rows)}</properties>\n"
    for case in suite.cases:
        start = f"<testcase{_attributes({'classname': case.group, 'name': case.name, 'time': f'{case.seconds:.3f}'})}"
        if case.what == "passed":
            yield f"{start}/>\n"
            continue
        why = (
            {"message": case.message}
            if case.what == "skipped"
            else {"type": case.kind, "message": case.message}
        )
        yield f"{start}>\n<{case.what}{_attributes(why)}>{escape(case.details)}</{case.what}>\n</testcase>\n"
    yield "</testsuite>\n"


def _attributes(values: Mapping[str, object]) -> str:
    return "".join(f" {name}={quoteattr(str(value))}" for name, value in values.items())
