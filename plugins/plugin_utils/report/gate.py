"""The gate: which hosts of a report fail and why, which of that is waived or known, and what has changed.

Rules of this file: a document of model.py and rules in, findings out; no I/O and no clock. In doubt it is red: a host
that has no route, that does not reach a listener of the mesh, or of which nothing is known, fails whatever else is
asked for, unless it is waived, was so before or is within the number that may fail.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import difflib
import json
import math
import re
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Sequence

from ...module_utils._base.words import listed
from ...module_utils._route.hosting import BLOCKED, BLOCKED_DEFAULT, REACTIVE, THROTTLED
from ...module_utils._smtp.verdict import VERDICTS
from . import model
from .groups import spot, spot_name

NO_ROUTE, NOT_REACHED, ANY_UNUSABLE, CERTIFICATE, POLICY = (
    "no_route",
    "not_reached",
    "any_unusable",
    "certificate_days",
    "provider_policy",
)
FAIL_ON = (NO_ROUTE, NOT_REACHED, ANY_UNUSABLE, CERTIFICATE, POLICY)
# States of a host that always fail. Where the whole play was skipped, allow_empty lets that one pass.
LOST = ("failed", "unreachable", "not_probed")
_STATES = {
    BLOCKED: "blocks port {port}",
    BLOCKED_DEFAULT: "blocks port {port} until asked to open it",
    THROTTLED: "throttles port {port}",
    REACTIVE: "closes port {port} to hosts that its scanner notices",
}

Document = model.Document
Host = Mapping[str, Any]


class Wrong(ValueError):
    """A sentence about a rule, or about the file of a baseline, for the user."""


class Waiver(NamedTuple):
    """What may fail, why, and the last day on which it may. Patterns are those of file names, in any case."""

    name: str
    reason: str
    until: date
    host: str = "*"
    endpoint: str = ""
    verdict: str = ""

    def fits(self, finding: Finding) -> bool:
        if not _like(finding.host, self.host):
            return False
        named = not self.verdict or _like(finding.rule, self.verdict)
        if not self.endpoint and named:
            return True
        # Of a host without a route all that keeps it from one is to be waived.
        return bool(finding.rests_on) and all(
            (
                not self.endpoint
                or any(_like(form, self.endpoint) for form in (endpoint, endpoint.rpartition(":")[2]))
            )
            and (named or _like(verdict, self.verdict))
            for endpoint, verdict in finding.rests_on
        )

    def said(self) -> str:
        patterns = (("host", self.host), ("endpoint", self.endpoint), ("verdict", self.verdict))
        return f"{self.name} ({', '.join(f'{key} {one}' for key, one in patterns if one)})"


class Limit(NamedTuple):
    """How many hosts may fail."""

    number: float = 0
    percent: bool = False

    def allows(self, hosts: int) -> int:
        return math.floor(hosts * self.number / 100) if self.percent else int(self.number)

    def __str__(self) -> str:
        return f"{self.number:g}{'%' if self.percent else ''}"


class Rules(NamedTuple):
    """What the user asked for; without it a host fails that has no route, as it does where no gate is."""

    fail_on: Sequence[str] = (NO_ROUTE,)
    certificate_days: int = 0
    limit: Limit = Limit()
    waivers: Sequence[Waiver] = ()
    allow_empty: bool = False
    prefix: str = ""
    """What the user's names of the rules begin with."""


class Finding(NamedTuple):
    """Why a host fails. `rests_on`: the endpoints it comes from, as `host:port` or `server:port` of the mesh, each with
    its verdict."""

    host: str
    rule: str
    message: str
    endpoint: str = ""
    rests_on: Sequence[tuple[str, str]] = ()
    waived: str | None = None
    known: bool = False
    """Whether the baseline has it too."""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.host, self.endpoint, self.rule

    @property
    def fails(self) -> bool:
        return self.waived is None and not self.known

    def as_dict(self) -> dict[str, Any]:
        return {
            "host": self.host,
            "endpoint": self.endpoint or None,
            "rule": self.rule,
            "message": self.message,
            "waived": self.waived,
            "known": self.known,
        }


class Gate(NamedTuple):
    """The judgement of a document."""

    findings: Sequence[Finding]
    failing: Sequence[str]
    """The hosts that fail, whether so many may or not."""
    allowed: int
    better: Sequence[Mapping[str, str]]
    worse: Sequence[Mapping[str, str]]
    notes: Sequence[str]
    line: str

    @property
    def passed(self) -> bool:
        return len(self.failing) <= self.allowed

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the document."""
        return {
            "passed": self.passed,
            "line": self.line,
            "failing": list(self.failing),
            "allowed": self.allowed,
            "findings": [one.as_dict() for one in self.findings],
            "better": [dict(one) for one in self.better],
            "worse": [dict(one) for one in self.worse],
            "notes": list(self.notes),
        }


# Rules as users write them


def fail_on(value: Any, name: str = "fail_on") -> list[Any]:
    """The one form of what a host fails for: words, and a mapping for the days of certificates. Raises Wrong."""
    words: list[str] = []
    days: int | None = None
    for item in _items(value):
        for given, number in item.items() if isinstance(item, Mapping) else [(item, None)]:
            word = str(given).strip().lower().replace("-", "_")
            if word == CERTIFICATE:
                days = _days(number, name)
            elif number is None and (word in FAIL_ON or (word in VERDICTS and word != "ok")):
                words.append(word)
            elif number is not None and (word in FAIL_ON or word in VERDICTS):
                raise Wrong(
                    f"{name} has a value for {_shown(word)}, and only {CERTIFICATE} takes one; write the word alone"
                )
            else:
                close = difflib.get_close_matches(word, [*FAIL_ON, *VERDICTS], 1)
                meant = f"{CERTIFICATE}: 14" if close == [CERTIFICATE] else "".join(close)
                hint = f"did you mean {meant}?" if close else "the verdicts are in the notes of smtp_probe"
                raise Wrong(f"{name} is {_shown(word)}, and takes {listed(FAIL_ON)} or verdicts; {hint}")
    words = list(dict.fromkeys(words))
    return [*words, *([{CERTIFICATE: days}] if days is not None else [])] or [NO_ROUTE]


def _items(value: Any) -> list[Any]:
    if isinstance(value, str):
        pairs = re.sub(r"\s*[:=]\s*", ":", value.strip())
        found = [text.partition(":") for text in re.split(r"[,\s]+", pairs) if text]
        return [{word: number} if colon else word for word, colon, number in found]
    if isinstance(value, Mapping):
        return [value]
    if not isinstance(value, (list, tuple)):
        return [value]
    return [one for item in value for one in (_items(item) if isinstance(item, str) else [item])]


def _days(value: Any, name: str) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,5}", str(value).strip()):
        raise Wrong(f"{name}.{CERTIFICATE} takes a number of days; write {CERTIFICATE}: 14")
    return int(str(value))


def max_failed(value: Any, name: str = "max_failed") -> Limit:
    """How many hosts may fail, of `2` or `10%`. Raises Wrong."""
    match = re.fullmatch(r"(\d{1,9})|(\d{1,3}(?:\.\d{1,3})?)\s*%", str(value).strip(), re.ASCII)
    if not match or (match[2] and float(match[2]) > 100):
        raise Wrong(
            f"{name} is {_shown(value)}, and takes a number of hosts or a part of them; write 2, or 10%"
        )
    return Limit(float(match[1] or match[2]), match[2] is not None)


def waivers(value: Sequence[Mapping[str, Any]], name: str = "waivers") -> list[Waiver]:
    """Raises Wrong for one that lacks its reason or its day, or would fit whatever there is."""
    found = []
    for index, one in enumerate(value):
        own = f"{name}[{index}]"
        given = {key: str(one.get(key) or "").strip() for key in Waiver._fields if key != "name"}
        for key in ("reason", "until"):
            if not given[key]:
                raise Wrong(
                    f"{own}.{key} is not set, and needed: who reads the gate is told why, and for how long"
                )
        try:
            until = date.fromisoformat(given["until"])
        except ValueError:
            is_date = re.fullmatch(r"\d{4}-\d{2}-\d{2}", given["until"], re.ASCII)
            what = "which no calendar has" if is_date else "and takes the last day of the waiver"
            raise Wrong(f"{own}.until is {_shown(given['until'])}, {what}; write it as 2027-01-31") from None
        if not any(given[key].strip("*") for key in ("host", "endpoint", "verdict")):
            raise Wrong(f"{own} would waive everything on every host; name a host, an endpoint or a verdict")
        _check_verdict(given["verdict"], f"{own}.verdict")
        found.append(
            Waiver(
                own, given["reason"], until, given["host"] or "*", given["endpoint"], given["verdict"].lower()
            )
        )
    return found


def _check_verdict(pattern: str, name: str) -> None:
    known = [*FAIL_ON, *LOST, *(verdict for verdict in VERDICTS if verdict != "ok")]
    if pattern and not any(_like(one, pattern) for one in known):
        close = difflib.get_close_matches(pattern.lower(), known, 1)
        hint = f"did you mean {close[0]}?" if close else "the verdicts are in the notes of smtp_probe"
        raise Wrong(f"{name} is {_shown(pattern)}, which no finding has; {hint}")


def rules(values: Mapping[str, Any], prefix: str = "") -> Rules:
    """The rules of values by their names, without `prefix`, which complaints have. Raises Wrong."""
    asked = fail_on(values.get("fail_on") or [], f"{prefix}fail_on")
    days = next((one[CERTIFICATE] for one in asked if isinstance(one, Mapping)), 0)
    return Rules(
        [next(iter(one)) if isinstance(one, Mapping) else str(one) for one in asked],
        days,
        max_failed(values.get("max_failed") or 0, f"{prefix}max_failed"),
        waivers(values.get("waivers") or [], f"{prefix}waivers"),
        bool(values.get("allow_empty")),
        prefix,
    )


def read_baseline(text: str, kind: str, name: str) -> Document:
    """An earlier report of this kind. Raises Wrong where the file holds none."""
    remedy = "name the .json report of an earlier run, or leave it out"
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Wrong(f"{name} is no report: it is not JSON; {remedy}") from None
    if not isinstance(found, dict) or found.get("kind") != kind:
        what = _shown(found["kind"]) if isinstance(found, dict) and "kind" in found else "something else"
        raise Wrong(f"{name} is no report of {kind}, but {what}; {remedy}")
    if found.get("version") != model.VERSION:
        raise Wrong(
            f"{name} is a report of version {_shown(found.get('version'))}, and this one knows {model.VERSION}; "
            "write a new one with this version of mailops.smtp"
        )
    try:
        if not isinstance(found["hosts"], list):
            raise TypeError
        for host in found["hosts"]:
            list(_all_findings(host, Rules([*FAIL_ON], 1)))
            list(map(_spot, host["endpoints"]))
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Wrong(f"{name} is a report that something has changed or cut off; {remedy}") from None
    return dict(found)


# The judgement


def judge(
    document: Document,
    asked: Rules,
    today: date,
    baseline: Document | None = None,
    *,
    own: Mapping[str, Rules] | None = None,
    inventory: Sequence[str] = (),
    to_come: int = 0,
    skipped: int = 0,
) -> Gate:
    """Judge a report. `own` are the rules of hosts that have others than the play. `inventory` are all hosts that a
    waiver may mean; `to_come` and `skipped` are how many the play has still before it, or has left out."""
    hosts = document["hosts"]
    earlier = {host["name"]: host for host in baseline["hosts"]} if baseline else {}

    def rules_of(name: str) -> Rules:
        return (own or {}).get(name, asked)

    findings = [
        finding
        for host in hosts
        for finding in of_host(host, rules_of(host["name"]), today, earlier if baseline else None)
    ]
    failing = list(dict.fromkeys(one.host for one in findings if one.fails))
    allowed = asked.limit.allows(len(hosts) + to_come)
    better, worse = _changes(hosts, earlier, rules_of) if baseline else ([], [])
    notes = [
        *_about_waivers(hosts, findings, rules_of, today, inventory),
        *_about_limit(failing, allowed, asked),
    ]
    counted = failing if len(failing) > allowed else []
    return Gate(findings, failing, allowed, better, worse, notes, _line(document, counted, to_come, skipped))


def of_host(
    host: Host, asked: Rules, today: date, earlier: Mapping[str, Host] | None = None
) -> list[Finding]:
    """What is found on one host; `earlier` are the hosts of the baseline, None without one."""
    before = (earlier or {}).get(host["name"])
    known = {one.key for one in _all_findings(before, asked)} if before else set()
    return [
        _waived(one._replace(known=one.key in known), asked.waivers, today)
        for one in _all_findings(host, asked)
    ]


def _waived(finding: Finding, given: Sequence[Waiver], today: date) -> Finding:
    fitting = [one for one in given if one.fits(finding)]
    valid = next((one for one in fitting if one.until >= today), None)
    if valid:
        return finding._replace(waived=f"{valid.reason} (until {valid.until})")
    if fitting:
        last = max(fitting, key=lambda one: one.until)
        return finding._replace(
            message=f"{finding.message} Its waiver, {last.name}, ended on {last.until}: {last.reason}"
        )
    return finding


def _all_findings(host: Host, asked: Rules) -> Iterator[Finding]:
    name, state, endpoints = host["name"], host["state"], host["endpoints"]
    reason = " ".join(host["reasons"])
    if state in LOST and not (asked.allow_empty and state == "not_probed"):
        yield Finding(name, state, reason)
    if state == NO_ROUTE:
        yield Finding(
            name,
            NO_ROUTE,
            reason,
            "",
            [_spot(one) for one in endpoints if not (one["usable"] or one.get("server"))],
        )
    for one in endpoints:
        yield from _of_endpoint(name, one, asked)
    if POLICY in asked.fail_on and host["route"]:
        yield from _of_policy(host)


def _of_endpoint(name: str, one: Mapping[str, Any], asked: Rules) -> Iterator[Finding]:
    where, verdict = _spot(one)
    said = f"{spot_name(one)} is {verdict}: {model.sentence(one['reason'])}"
    if one.get("server") and not one["usable"]:
        yield Finding(name, NOT_REACHED, f"{said} {one['advice']}", where, [(where, verdict)])
    elif verdict in asked.fail_on:
        yield Finding(name, verdict, said, where, [(where, verdict)])
    elif ANY_UNUSABLE in asked.fail_on and not one["usable"]:
        yield Finding(name, ANY_UNUSABLE, said, where, [(where, verdict)])
    days = (one["certificate"] or {}).get("days_left")
    if CERTIFICATE in asked.fail_on and days is not None and days < asked.certificate_days:
        left = f"has {days} days left" if days >= 0 else f"ended {-days} days ago"
        yield Finding(
            name,
            CERTIFICATE,
            f"The certificate of {spot_name(one)} {left}, and {asked.certificate_days} are asked for.",
            where,
            [(where, verdict)],
        )


def _of_policy(host: Host) -> Iterator[Finding]:
    route, provider = host["route"], host["provider"] or {}
    port, where = route["port"], f"{route['host']}:{route['port']}"
    if route["decided_by"] == "policy":
        yield Finding(
            host["name"], POLICY, f"The route by {where} is a guess, which no probe has confirmed.", where
        )
    row = ((provider.get("policy") or {}).get("ports") or {}).get(str(port)) or {}
    if row.get("state") in _STATES:
        doing = _STATES[row["state"]].format(port=port)
        doubt = "" if row.get("confidence") == "primary" else ", as others than itself say"
        yield Finding(
            host["name"],
            POLICY,
            f"{provider['title']} {doing}{doubt}, so the route by {where} may end without notice.",
            where,
        )


def _spot(endpoint: Mapping[str, Any]) -> tuple[str, str]:
    return spot(endpoint), str(endpoint["verdict"])


# What is told beside it


def _changes(
    hosts: Sequence[Host], earlier: Mapping[str, Host], rules_of: Callable[[str], Rules]
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    better, worse = [], []
    for host in hosts:
        before, asked = earlier.get(host["name"]), rules_of(host["name"])
        old = {one.key: one for one in _all_findings(before, asked)} if before else {}
        new = {one.key: one for one in _all_findings(host, asked)}
        better += [_change(one, f"no longer: {one.message}") for key, one in old.items() if key not in new]
        worse += [_change(one, one.message) for key, one in new.items() if key not in old]
        told = {one.endpoint for one in (*old.values(), *new.values())}
        was = {spot(one): one for one in before["endpoints"]} if before else {}
        for one in host["endpoints"]:
            where, verdict = _spot(one)
            if where in told or where not in was or was[where]["usable"] == one["usable"]:
                continue
            message = f"{spot_name(one)} was {was[where]['verdict']} and is {verdict}"
            (better if one["usable"] else worse).append({"host": host["name"], "message": message})
    return better, worse


def _change(finding: Finding, message: str) -> dict[str, str]:
    return {"host": finding.host, "message": message}


def _about_waivers(
    hosts: Sequence[Host],
    findings: Sequence[Finding],
    rules_of: Callable[[str], Rules],
    today: date,
    inventory: Sequence[str],
) -> Iterator[str]:
    whose: dict[Waiver, set[str]] = {}
    for host in hosts:
        for one in rules_of(host["name"]).waivers:
            whose.setdefault(one, set()).add(host["name"])
    for one, names in whose.items():
        if any(one.fits(finding) for finding in findings if finding.host in names):
            if one.until < today:
                yield f"{one.said()} ended on {one.until}, so it waives nothing: {one.reason}"
        elif any(_like(name, one.host) for name in names):
            yield f"{one.said()} matches nothing that fails; take it out: {one.reason}"
        elif not any(_like(name, one.host) for name in inventory):
            yield f"{one.said()} matches no host of the inventory; correct it, or take it out: {one.reason}"


def _about_limit(failing: Sequence[str], allowed: int, asked: Rules) -> Iterator[str]:
    if not failing or not asked.limit.number:
        return
    name = f"{asked.prefix}max_failed"
    count = f"{len(failing)} {'host fails' if len(failing) == 1 else 'hosts fail'}"
    if len(failing) <= allowed:
        who = ", ".join(failing[:5]) + (" …" if len(failing) > 5 else "")
        yield f"{count} ({who}), and {name} lets {asked.limit} pass"
    else:
        yield f"{count}, more than the {allowed} that {name} {asked.limit} lets pass"


def _line(document: Document, failing: Sequence[str], to_come: int, skipped: int) -> str:
    """The last line: a pipeline may rely on its beginning up to `have a route`. `failing` are the hosts for which the
    gate fails."""
    bad = {host["name"] for host in document["hosts"] if host["state"] not in model.GOOD}
    parts = [model.headline(document)]
    parts += (
        [f"{len(failing)} {'fails' if len(failing) == 1 else 'fail'} the gate"] if set(failing) != bad else []
    )
    parts += [f"{skipped} skipped"] if skipped else []
    parts += [f"{to_come} to come"] if to_come else []
    return "; ".join(parts)


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text.lower(), pattern.lower())


def _shown(value: Any) -> str:
    return model.text(value)[:60] or '""'
