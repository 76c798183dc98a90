"""The report: one document of what a run found on all of its hosts, from which every face is made.

A document is plain data, as json.dumps() takes it; docs/report-1.schema.json describes it, and docs/reports.md in
words. It is made of results as tasks registered them: of smtp_route_facts and smtp_probe by preflight() and probe(), of
testinfra by verify().

Rules of this file: no I/O and no clock. Nothing enters but the fields that are named here, so what else a result or a
host has (parameters, variables, passwords) is in no report. Every text is one printable line of bounded length, and
every key is always there: a face has only its own syntax to escape.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from typing import Any, Callable, Iterable, Mapping, Sequence

from ...module_utils._route.fact import no_route
from ...module_utils._smtp.reply import printable
from ...module_utils._smtp.verdict import TIMINGS, VERDICTS

SCHEMA = "https://github.com/mailops/ansible-smtp/blob/main/docs/report-1.schema.json"
VERSION = 1
GENERATOR = "mailops.smtp 1.0.0"
FACT = "smtp_route"

# What became of a host, the worst last, and under which key the summary counts it.
STATES: dict[str, dict[str, str]] = {
    "preflight": {
        "route": "with_route",
        "no_route": "without_route",
        "failed": "failed",
        "unreachable": "unreachable",
        "not_probed": "not_probed",
    },
    "probe": {
        "usable": "usable",
        "unusable": "unusable",
        "failed": "failed",
        "unreachable": "unreachable",
        "not_probed": "not_probed",
    },
    "verify": {
        "passed": "passed",
        "failed": "failed",
        "unreachable": "unreachable",
        "not_tested": "not_tested",
    },
}
GOOD = frozenset({"route", "usable", "passed"})
# The order in which people want to read of them.
WORST_FIRST = (
    "no_route",
    "unusable",
    "failed",
    "unreachable",
    "not_probed",
    "not_tested",
    "route",
    "usable",
    "passed",
)
OUTCOMES = ("failed", "skipped", "passed")

# What a server may say in a report, so that none fills it.
LONGEST_TEXT = 2000
MOST_TEXTS = 200

Document = dict[str, Any]
Host = dict[str, Any]
Result = Mapping[str, Any]
Field = Callable[[Any], Any]


def preflight(results: Mapping[str, Result | None], created_at: datetime) -> Document:
    """The report on the routes of hosts, by name; a host without a result was lost before it had one."""
    return document("preflight", results, created_at)


def probe(results: Mapping[str, Result | None], created_at: datetime) -> Document:
    """The report on endpoints that smtp_probe was asked for."""
    return document("probe", results, created_at)


def verify(results: Mapping[str, Result | None], created_at: datetime) -> Document:
    """The report on what tests found on hosts."""
    return document("verify", results, created_at)


def document(kind: str, results: Mapping[str, Result | None], created_at: datetime) -> Document:
    """The report of any kind; `created_at` has a zone."""
    hosts = [host_of(kind, name, one or {}) for name, one in results.items()]
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "kind": kind,
        "created_at": created_at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "generator": GENERATOR,
        "hosts": hosts,
        "summary": summary(kind, hosts),
        "gate": None,
    }


def host_of(kind: str, name: str, result: Result) -> Host:
    """One host of a report of this kind."""
    return {"preflight": routed_host, "probe": probing_host, "verify": tested_host}[kind](name, result)


def kind_of(result: Result) -> str | None:
    """Which module's result it is; None where it never had one."""
    if FACT in _mapping(result.get("ansible_facts")):
        return "preflight"
    if "endpoints" in result:
        return "probe"
    return "verify" if "tests" in result else None


def summary(kind: str, hosts: Iterable[Host]) -> dict[str, Any]:
    """How many hosts are in each state, endpoints have each verdict, and tests each outcome."""
    hosts = list(hosts)
    states = Counter(host["state"] for host in hosts)
    verdicts = Counter(one["verdict"] for host in hosts for one in host["endpoints"])
    order = [*(name for name in VERDICTS if name in verdicts), *sorted(set(verdicts) - set(VERDICTS))]
    tests = Counter(one["outcome"] for host in hosts for one in host["tests"])
    return {
        "hosts": len(hosts),
        **{key: states[state] for state, key in STATES[kind].items()},
        "verdicts": {name: verdicts[name] for name in order},
        "tests": {name: tests[name] for name in OUTCOMES},
    }


def sentence(text: str) -> str:
    """With a full stop, where nothing else ends it."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def headline(document: Document) -> str:
    """The document in one line, which begins as somebody may grep for it."""
    kind, counts = document["kind"], document["summary"]
    good = {"preflight": "have a route", "probe": "have a usable endpoint", "verify": "passed"}[kind]
    bad = {"without_route": "without", "unusable": "without"}
    (first, *others) = STATES[kind].values()
    parts = [f"{counts[first]} of {counts['hosts']} hosts {good}"]
    parts += [f"{counts[key]} {bad.get(key, key.replace('_', ' '))}" for key in others if counts[key]]
    return f"{kind}: {', '.join(parts)}"


def worst_first(hosts: Iterable[Host]) -> list[Host]:
    """The hosts as they are read: those without a way first, and as they came within a state."""
    place = {state: index for index, state in enumerate(WORST_FIRST)}
    return sorted(hosts, key=lambda host: place[host["state"]])


# A host


def routed_host(name: str, result: Result) -> Host:
    """What smtp_route_facts found out on one host, or why it did not."""
    fact = _mapping(_mapping(result.get("ansible_facts")).get(FACT))
    if not fact:
        return lost_host(name, result, "not_probed")
    missing = no_route(fact)
    return {
        **_empty(name, "no_route" if missing else "route"),
        "checked_at": text(fact.get("checked_at")) or None,
        "provider": _fields(PROVIDER, fact.get("cloud")),
        "route": None if fact["host"] is None and fact["decided_by"] != "direct" else _fields(ROUTE, fact),
        "routes": [_fields(OWN_ROUTE, one) for one in _items(fact.get("routes"))],
        "sender": _fields(SENDER, fact),
        "reasons": sentences(missing or fact.get("reason")),
        "warnings": _texts(fact.get("warnings")),
        "endpoints": [
            _fields(ENDPOINT, one) for one in (*_items(fact.get("endpoints")), *_items(result.get("mesh")))
        ],
    }


def probing_host(name: str, result: Result) -> Host:
    """What smtp_probe found out on one host; usable where the task's own fail_when has it so."""
    if "endpoints" not in result:
        return lost_host(name, result, "not_probed")
    usable = bool(_whole(result.get("usable"))) and not result.get("failed")
    return {
        **_empty(name, "usable" if usable else "unusable"),
        "reasons": sentences(result.get("msg")),
        "endpoints": [_fields(ENDPOINT, one) for one in _items(result["endpoints"])],
    }


def tested_host(name: str, result: Result) -> Host:
    """What the tests found on one host, or why there are none."""
    tests = _mapping(result.get("tests"))
    if not tests:
        return lost_host(name, result, "not_tested")
    told = [_test(one, outcome) for outcome in OUTCOMES for one in _items(tests.get(outcome))]
    broken = any(one["outcome"] == "failed" for one in told)
    # A failed_when may have let a failure pass.
    bad = broken or result.get("failed") or result.get("passed") is False
    evidence = list(_mapping(result.get("evidence")).items())[:MOST_TEXTS]
    return {
        **_empty(name, "failed" if bad else "passed"),
        # What failed says so itself.
        "reasons": [] if broken else sentences(result.get("msg")),
        "tests": told,
        "evidence": {text(key): text(value) for key, value in evidence},
        "duration_s": _number(result.get("duration_s")),
    }


def lost_host(name: str, result: Result, nothing: str) -> Host:
    """A host of which nothing is known; `nothing` is its state where its task said neither of the others."""
    # With failed_when: false a failure has kept nothing but its message.
    tolerated = result.get("failed_when_result") is False and bool(result.get("msg"))
    state = nothing
    if result.get("unreachable"):
        state = "unreachable"
    elif result.get("failed") or tolerated:
        state = "failed"
    if result.get("skipped"):
        reasons = ["The task was skipped, so nothing is known of this host."]
    else:
        before = "its ports were probed" if nothing == "not_probed" else "it was tested"
        reasons = sentences(result.get("msg")) or [f"It was unreachable, or failed, before {before}."]
    return {**_empty(name, state), "reasons": reasons}


def _empty(name: str, state: str) -> Host:
    return {
        "name": text(name),
        "state": state,
        "checked_at": None,
        "provider": None,
        "route": None,
        "routes": [],
        "sender": None,
        "reasons": [],
        "warnings": [],
        "endpoints": [],
        "tests": [],
        "evidence": {},
        "duration_s": None,
    }


def _test(one: Any, outcome: str) -> dict[str, Any]:
    told = one if isinstance(one, Mapping) else {"test": one}
    return {"name": text(told.get("test")), "outcome": outcome, "reason": text(told.get("reason"))}


# Values


def text(value: Any) -> str:
    """One printable line: line ends are blanks, and what else cannot be seen, or turns the writing round, an escape."""
    if value is None:
        return ""
    line = str(value)
    if not line.isprintable():
        line = " ".join(line[: LONGEST_TEXT + 1].split())
    return printable(line, LONGEST_TEXT)


def sentences(value: Any) -> list[str]:
    """A message as its lines."""
    lines = (text(line) for line in str(value or "").splitlines()[:MOST_TEXTS])
    return [line for line in lines if line.strip()]


def _maybe(value: Any) -> str | None:
    return None if value is None else text(value)


def _texts(value: Any) -> list[str]:
    return [text(one) for one in _items(value)[:MOST_TEXTS]]


def _whole(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    # JSON has neither an infinity nor what is no number.
    return number if abs(number) < 1e15 else None


def _truth(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else []


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _fields(fields: Mapping[str, Field], value: Any) -> dict[str, Any]:
    given = _mapping(value)
    return {name: convert(given.get(name)) for name, convert in fields.items()}


def _certificate(value: Any) -> dict[str, Any] | None:
    return _fields(CERTIFICATE, value) if _mapping(value) else None


def _timings(value: Any) -> dict[str, float | None]:
    given = _mapping(value)
    return {name: _number(given.get(name)) for name in TIMINGS}


def _alternatives(value: Any) -> list[dict[str, Any]]:
    return [_fields(HOP, one) for one in _items(value)]


def _policy(value: Any) -> dict[str, Any]:
    given = _mapping(value)
    ports = {text(port): _fields(PORT_POLICY, row) for port, row in _mapping(given.get("ports")).items()}
    return {**_fields(POLICY, given), "ports": ports}


CERTIFICATE: dict[str, Field] = {
    "subject": _maybe,
    "issuer": _maybe,
    "names": _texts,
    "not_before": _maybe,
    "not_after": _maybe,
    "days_left": _whole,
    "sha256": _maybe,
    "problems": _texts,
}
ENDPOINT: dict[str, Field] = {
    "host": text,
    "port": _whole,
    "tls": text,
    "relay": _whole,
    "server": _maybe,
    "address": _maybe,
    "family": _maybe,
    "lookup": _maybe,
    "verdict": text,
    "stage": _maybe,
    "reachable": _truth,
    "usable": _truth,
    "reason": text,
    "advice": text,
    "greeting": _maybe,
    "capabilities": _texts,
    "auth_mechanisms": _texts,
    "auth_mechanism": _maybe,
    "tls_version": _maybe,
    "tls_cipher": _maybe,
    "certificate": _certificate,
    "timings_ms": _timings,
    "attempts": _whole,
}
HOP: dict[str, Field] = {
    "host": _maybe,
    "port": _whole,
    "tls": _maybe,
    "auth_mechanism": _maybe,
    "lookup": _maybe,
    "relay": _whole,
}
ROUTE: dict[str, Field] = {
    **HOP,
    "security_level": _maybe,
    "decided_by": text,
    "reason": text,
    "remedy": _maybe,
    "alternatives": _alternatives,
}
OWN_ROUTE: dict[str, Field] = {
    "name": text,
    "senders": _texts,
    "recipients": _texts,
    "direct": _truth,
    "required": _truth,
    **{name: field for name, field in ROUTE.items() if name != "security_level"},
}
SENDER: dict[str, Field] = {
    "helo_name": _maybe,
    "helo_source": _maybe,
    "helo_problem": _maybe,
    "mail_from": _maybe,
    "origin": _maybe,
    "family": _maybe,
    "source_addresses": _texts,
}
PORT_POLICY: dict[str, Field] = {"state": text, "confidence": text}
POLICY: dict[str, Field] = {"lift": _maybe, "note": _maybe, "sources": _texts, "as_of": _maybe}
PROVIDER: dict[str, Field] = {
    "provider": text,
    "title": text,
    "evidence": _maybe,
    "confidence": _maybe,
    "policy": _policy,
}
