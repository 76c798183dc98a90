"""Compares what the probe finds with what swaks, `openssl s_client` and posttls-finger find on real servers.

  python3 run.py [--python INTERPRETER]... [--only TEXT] [--facts]

As root, on Debian 12 or newer; the first run makes the servers' root directory. By default the probe runs under every
Python of this machine, 3.8 and later. Prints each disagreement and exits 1 if there is any.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import namespace
import odd_servers
import oracles
from certificates import HOST, make
from namespace import HERE, Place
from oracles import HELO_NAME, ORACLES, WRONG_PASSWORD, Facts
from servers import DOMAIN, PASSWORD, STRANGE_DOMAIN, USERNAME, Server, start_all

PROJECT = HERE.parents[2]
LOCAL, STRANGE = f"root@{DOMAIN}", f"root@{STRANGE_DOMAIN}"
Result = dict[str, Any]


class Difference(NamedTuple):
    """Disagreements by design. Each must occur, or the list is wrong."""

    server: str
    oracles: tuple[str, ...]
    facts: tuple[str, ...]
    reason: str


_SECURITY_LEVEL = "they verify at OpenSSL's security level 2, Postfix's client and the probe at 1"
DIFFERENCES = (
    Difference(
        "postfix: certificate partial-wildcard", ("openssl", "swaks"), ("problems", "fully_verified"),
        "OpenSSL by itself takes '*' as a part of a label; Postfix does not, nor does RFC 9525 section 6.3",
    ),
    Difference(
        "postfix: IPv4 address, not in the certificate", ("posttls-finger",), ("chain_verified",),
        "Postfix logs an address that is not in the certificate as Untrusted, as if the chain were at fault",
    ),
    Difference(
        "postfix: AUTH for broken clients", ("swaks", "posttls-finger"), ("clear", "secure"),
        "the probe reports 'AUTH=PLAIN', the form of before RFC 2554, as 'AUTH PLAIN'",
    ),
    Difference(
        "exim: certificate short-key", ("openssl", "swaks"), ("chain_verified", "fully_verified", "problems"),
        _SECURITY_LEVEL,
    ),
)  # fmt: skip


class Disagreement(NamedTuple):
    server: str
    oracle: str
    fact: str
    theirs: Any
    ours: Any

    def __str__(self) -> str:
        return f"{self.server}: {self.fact}\n    {self.oracle}: {self.theirs}\n    smtp_probe: {self.ours}"


@dataclasses.dataclass
class Found:
    """What the oracles say about one server."""

    facts: dict[str, Facts]
    logins: dict[tuple[str, bool], bool | None]
    recipients: dict[str, bool | None]


# ---- asking


def ask_oracles(place: Place, servers: list[Server]) -> list[Found]:
    # Eight servers at a time, each asked one question after the other: postscreen treats a second client of the same
    # address otherwise while it looks at the first.
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda server: _ask(place, server), servers))


def _ask(place: Place, server: Server) -> Found:
    facts = {name: ask(place, server) for name, ask in ORACLES.items()}
    logins = {
        (mechanism, right): oracles.swaks_login(
            place, server, mechanism, PASSWORD if right else WRONG_PASSWORD
        )
        for mechanism in server.mechanisms
        if mechanism != "xoauth2"  # swaks does not know it
        for right in (True, False)
    }
    recipients = (LOCAL, STRANGE) if server.envelope else ()
    return Found(facts, logins, {each: oracles.swaks_recipient(place, server, each) for each in recipients})


def jobs(servers: list[Server], authority: Path) -> tuple[dict[str, Any], list[tuple[int, str, bool]]]:
    """The probes to run, and of the job "logins" which server, mechanism and password each line is about."""
    common = {
        "helo_name": HELO_NAME,
        "ca_path": str(authority),
        "timeout": 15.0,
        "retries": 0,
        "concurrency": 64,
    }
    endpoints = [[server.host, server.port, server.tls, server.server_name, None] for server in servers]
    clear = [[host, port, "none", name, None] for host, port, _tls, name, _login in endpoints]
    tried = [
        (at, mechanism, right)
        for at, server in enumerate(servers)
        for mechanism in (*server.mechanisms, *(("auto",) if server.mechanisms else ()))
        for right in (True, False)
    ]
    logins = [
        [*endpoints[at][:4], [USERNAME, PASSWORD if right else WRONG_PASSWORD, mechanism]]
        for at, mechanism, right in tried
    ]
    either = [[host, port, "opportunistic", name, None] for host, port, _tls, name, _login in endpoints]
    enveloped = [endpoint for endpoint, server in zip(endpoints, servers) if server.envelope]
    sender = {**common, "mail_from": f"sender@{DOMAIN}"}
    return {
        "asked": {"options": common, "endpoints": endpoints},
        "unverified": {"options": {**common, "validate_certs": False}, "endpoints": endpoints},
        "clear": {"options": common, "endpoints": clear},
        "opportunistic": {"options": common, "endpoints": either},
        "injection": {"options": {**common, "check_injection": True}, "endpoints": endpoints},
        "logins": {"options": common, "endpoints": logins},
        LOCAL: {"options": {**sender, "rcpt_to": LOCAL}, "endpoints": enveloped},
        STRANGE: {"options": {**sender, "rcpt_to": STRANGE}, "endpoints": enveloped},
    }, tried


def odd_job(authority: Path) -> dict[str, Any]:
    options = {"helo_name": HELO_NAME, "ca_path": str(authority), "timeout": 15.0, "retries": 0}
    endpoints = [
        [HOST, odd_servers.port_of(number), odd.tls, "", None]
        for number, odd in enumerate(odd_servers.ODD_SERVERS)
    ]
    return {"odd": {"options": options, "endpoints": endpoints}}


def judge_odd(results: list[Result], delivered: dict[str, str]) -> tuple[list[Disagreement], list[str]]:
    """What is wrong about the odd servers, and the differences by design that did not occur."""
    wrong, missing = [], []
    for odd, result in zip(odd_servers.ODD_SERVERS, results):
        title, said = f"odd: {odd.name}", delivered[odd.name]
        if result["verdict"] != odd.verdict:
            wrong.append(Disagreement(title, "its description", "verdict", odd.verdict, result["reason"]))
        if not said:
            wrong.append(Disagreement(title, "postfix", "a message", None, result["verdict"]))
        elif said.startswith("sent") is result["usable"]:
            if odd.differs:
                missing.append(f"{title}: postfix and the probe were to disagree, and agree")
        elif not odd.differs:
            wrong.append(Disagreement(title, "postfix", "a message", said, result["verdict"]))
    return wrong, missing


def run_probe(python: str, order: dict[str, Any]) -> dict[str, list[Result]]:
    with tempfile.TemporaryDirectory() as collections:
        link = Path(collections, "ansible_collections/mailops/smtp")
        link.parent.mkdir(parents=True)
        link.symlink_to(PROJECT)
        done = subprocess.run(
            [python, "-I", "-B", HERE / "probe_facts.py"],
            input=json.dumps({"collections": collections, "jobs": order}),
            stdout=subprocess.PIPE, text=True, timeout=300, check=True,
        )  # fmt: skip
    return json.loads(done.stdout)  # type: ignore[no-any-return]


# ---- comparing


def facts_of(server: Server, asked: Result, unverified: Result, clear: Result) -> Facts:
    """The probe's findings in the terms of the comparison."""
    facts = Facts(greeting=(unverified if server.tls == "implicit" else clear)["greeting"])
    if server.tls != "implicit" and clear["capabilities"]:
        facts.clear = tuple(sorted(set(clear["capabilities"])))
        facts.clear_mechanisms = tuple(sorted(clear["auth_mechanisms"]))
    if unverified["tls_version"]:
        facts.secure = tuple(sorted(set(unverified["capabilities"])))
        facts.secure_mechanisms = tuple(sorted(unverified["auth_mechanisms"]))
        facts.tls_version, facts.tls_cipher = unverified["tls_version"], unverified["tls_cipher"]
    certificate = asked["certificate"]
    if certificate:
        facts.sha256, facts.subject, facts.issuer = (
            certificate[key] for key in ("sha256", "subject", "issuer")
        )
        facts.not_before, facts.not_after = certificate["not_before"], certificate["not_after"]
        facts.names = tuple(sorted(certificate["names"]))
        facts.problems = tuple(sorted(certificate["problems"]))
        facts.fully_verified = asked["usable"]
        facts.chain_verified = not set(facts.problems) - {"certificate_mismatch"}
    return facts


def required(server: Server, oracle: str) -> set[str]:
    """What an oracle must have said, lest a change of its output leave nothing to compare."""
    if server.expected.startswith("greeting_"):
        return set() if oracle == "openssl" else {"greeting"}
    conversation = (
        set()
        if oracle == "openssl"
        else {"greeting", *(() if server.tls == "implicit" else ("clear", "clear_mechanisms"))}
    )
    if server.tls == "none" or not server.handshake:
        return conversation
    tls = {"tls_version", "tls_cipher", "sha256", "chain_verified", "fully_verified"}
    if oracle == "openssl":
        return tls | {"subject", "issuer", "names", "not_before", "not_after", "problems"}
    return (
        conversation | tls | {"secure", "secure_mechanisms"} | ({"problems"} if oracle == "swaks" else set())
    )


def compare(server: Server, ours: Facts, found: dict[str, Facts]) -> list[Disagreement]:
    differing = []
    for oracle, theirs in found.items():
        for fact in sorted(required(server, oracle) | theirs.known()):
            value, own = getattr(theirs, fact), getattr(ours, fact)
            if value != own:
                differing.append(Disagreement(server.title, oracle, fact, value, own))
        for fact in ("tls_version", "secure"):
            # Where they had no TLS the probe must have had none, and the other way round.
            if (
                (oracle, fact) != ("openssl", "secure")
                and getattr(theirs, fact) is None
                and getattr(ours, fact)
            ):
                differing.append(Disagreement(server.title, oracle, fact, None, getattr(ours, fact)))
    return list(dict.fromkeys(differing))


def compare_promises(server: Server, results: dict[str, Result], sha256: str) -> list[Disagreement]:
    """What the configuration itself says must come out, however the probe is asked."""
    asked, unverified, opportunistic = (results[name] for name in ("asked", "unverified", "opportunistic"))
    promised = {
        "verdict": (server.expected, asked["verdict"]),
        "verdict with check_injection": (server.expected, results["injection"]["verdict"]),
    }
    if server.tls_version:
        promised["tls_version"] = (server.tls_version, asked["tls_version"])
    if server.tls != "none" and server.handshake:
        for name, result in (("sha256", asked), ("sha256 without verification", unverified)):
            promised[name] = (sha256, (result["certificate"] or {}).get("sha256"))
        promised["verdict without verification"] = ("ok", unverified["verdict"])
    if asked["verdict"] == "ok":
        promised["capabilities without verification"] = (asked["capabilities"], unverified["capabilities"])
    if server.tls == "implicit":
        promised["opportunistic verdict"] = ("tls_mode_mismatch", opportunistic["verdict"])
    elif not server.expected.startswith("greeting_"):
        promised["opportunistic verdict"] = ("ok", opportunistic["verdict"])
        promised["opportunistic tls_version"] = (unverified["tls_version"], opportunistic["tls_version"])
    return [
        Disagreement(server.title, "the configuration", fact, theirs, ours)
        for fact, (theirs, ours) in promised.items()
        if theirs != ours
    ]


def compare_logins(server: Server, found: Found, verdicts: dict[tuple[str, bool], str]) -> list[Disagreement]:
    differing = []
    for (mechanism, right), verdict in verdicts.items():
        fact = f"login with {mechanism} and the {'right' if right else 'wrong'} password"
        promised = "ok" if right else "auth_rejected"
        if verdict != promised:
            differing.append(Disagreement(server.title, "the configuration", fact, promised, verdict))
    for (mechanism, right), accepted in found.logins.items():
        if accepted is not (verdicts[mechanism, right] == "ok"):
            fact = f"login with {mechanism} and the {'right' if right else 'wrong'} password"
            differing.append(Disagreement(server.title, "swaks", fact, accepted, verdicts[mechanism, right]))
    return differing


def check_comparison(server: Server, ours: Facts, found: dict[str, Facts]) -> list[str]:
    """Falsify every fact in turn: a comparison that does not notice it is worth nothing."""
    unnoticed = []
    for field in dataclasses.fields(Facts):
        value = getattr(ours, field.name)
        if value is None:
            continue
        wrong: dict[str, Any] = {field.name: _falsified(value)}
        noticed = compare(server, dataclasses.replace(ours, **wrong), found)
        if not any(each.fact == field.name for each in noticed):
            unnoticed.append(f"{server.title}: a wrong {field.name} would not be noticed")
    return unnoticed


def _falsified(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return (*value, "WRONG") if isinstance(value, tuple) else value + "?"


def judge(
    servers: list[Server],
    found: list[Found],
    place: Place,
    answer: dict[str, list[Result]],
    tried: list[tuple[int, str, bool]],
) -> tuple[list[Disagreement], int, list[str]]:
    disagreements: list[Disagreement] = []
    unnoticed: list[str] = []
    facts = 0
    kinds = ("asked", "unverified", "opportunistic", "injection")
    envelopes = {name: iter(answer[name]) for name in (LOCAL, STRANGE)}
    for at, server in enumerate(servers):
        asked, unverified = answer["asked"][at], answer["unverified"][at]
        ours = facts_of(server, asked, unverified, answer["clear"][at])
        differing = compare(server, ours, found[at].facts)
        disagreements += differing
        if not differing:
            unnoticed += check_comparison(server, ours, found[at].facts)
        sha256 = oracles.certificate_fingerprint(place, server)
        if server.name == "RSA and ECDSA certificates":
            sha256 = found[at].facts["openssl"].sha256 or ""
        disagreements += compare_promises(server, {name: answer[name][at] for name in kinds}, sha256)
        verdicts = {
            (mechanism, right): result["verdict"]
            for (number, mechanism, right), result in zip(tried, answer["logins"])
            if number == at
        }
        disagreements += compare_logins(server, found[at], verdicts)
        for recipient, accepted in found[at].recipients.items():
            verdict = next(envelopes[recipient])["verdict"]
            if accepted is None or verdict != ("ok" if accepted else "recipient_rejected"):
                disagreements.append(
                    Disagreement(server.title, "swaks", f"recipient {recipient}", accepted, verdict)
                )
        facts += sum(len(each.known()) for each in found[at].facts.values())
        facts += len(found[at].logins) + len(found[at].recipients)
    return disagreements, facts, unnoticed


def split_designed(
    disagreements: list[Disagreement], servers: list[Server]
) -> tuple[list[Disagreement], list[str]]:
    """The disagreements that are not by design, and the designed ones that did not occur."""
    titles = {server.title for server in servers}
    designed = {
        (each.server, oracle, fact): each.reason
        for each in DIFFERENCES
        if each.server in titles
        for oracle in each.oracles
        for fact in each.facts
    }
    occurred = {(each.server, each.oracle, each.fact) for each in disagreements}
    missing = [
        f"{title}: {oracle} and the probe were to disagree on {fact}, and agree"
        for title, oracle, fact in designed
        if (title, oracle, fact) not in occurred
    ]
    return [each for each in disagreements if (each.server, each.oracle, each.fact) not in designed], missing


# ---- running


def pythons() -> list[str]:
    listed = subprocess.run(
        [PROJECT / "tests/tools/pythons"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return [line.split(" ", 1)[1] for line in listed.splitlines()] or [sys.executable]


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare smtp_probe with swaks, openssl and posttls-finger")
    parser.add_argument(
        "--python", action="append", help="interpreter for the probe (default: all, 3.8 and later)"
    )
    parser.add_argument("--only", default="", help="only servers whose title contains this text")
    parser.add_argument("--facts", action="store_true", help="print what each oracle and the probe found")
    arguments = parser.parse_args()
    namespace.enter(__file__, sys.argv[1:])

    began = time.monotonic()
    place = Place({"127.0.0.1": [HOST, "localhost"], "::1": ["localhost"]})
    authority = make(place)
    servers = [server for server in start_all(place) if arguments.only in server.title]
    print(f"{len(servers)} servers listen after {time.monotonic() - began:.0f} s", flush=True)
    odd_servers.start(place)
    delivered = odd_servers.deliver(place)
    found = ask_oracles(place, servers)
    print(f"the oracles have answered after {time.monotonic() - began:.0f} s", flush=True)

    passed = failed = 0
    order, tried = jobs(servers, authority)
    for python in arguments.python or pythons():
        answer = run_probe(python, {**order, **odd_job(authority)})
        if arguments.facts:
            show(servers, found, answer)
        every, facts, unnoticed = judge(servers, found, place, answer, tried)
        disagreements, missing = split_designed(every, servers)
        odd, odd_missing = judge_odd(answer["odd"], delivered)
        disagreements, missing = [*disagreements, *odd], [*missing, *odd_missing]
        for problem in [*disagreements, *missing, *unnoticed]:
            print(problem)
        wrong = {each.server for each in disagreements} | {
            text.split(": a wrong", 1)[0] for text in unnoticed
        }
        wrong |= {": ".join(text.split(": ", 2)[:2]) for text in missing}
        failed += len(wrong)
        passed += len(servers) + len(odd_servers.ODD_SERVERS) - len(wrong)
        version = subprocess.run([python, "-V"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        print(f"{version}: {facts} facts about {len(servers)} servers, {len(disagreements)} disagreements, "
              f"{len(every) + len(odd) - len(disagreements)} differences by design", flush=True)  # fmt: skip
    for each in odd_servers.ODD_SERVERS:
        if each.differs:
            print(f"by design: odd: {each.name}: {each.verdict}, and postfix delivers: {each.differs}")
    for each in DIFFERENCES:
        print(
            f"by design: {each.server}: {', '.join(each.facts)} of {' and '.join(each.oracles)}: {each.reason}"
        )
    print(f"{time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def show(servers: list[Server], found: list[Found], answer: dict[str, list[Result]]) -> None:
    for at, server in enumerate(servers):
        asked = answer["asked"][at]
        ours = facts_of(server, asked, answer["unverified"][at], answer["clear"][at])
        print(f"{server.title} (port {server.port}): {asked['verdict']}: {asked['reason']}")
        for oracle, facts in {**found[at].facts, "smtp_probe": ours}.items():
            known = {fact: getattr(facts, fact) for fact in sorted(facts.known())}
            print(f"    {oracle}: {known}")


if __name__ == "__main__":
    sys.exit(main())
