"""Hosts as the modules report them: what tests, benchmarks and pictures of the reports are made of.

The facts are put together by the code that puts them together on a host; only what a server said is made up.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ansible_collections.mailops.smtp.plugins.module_utils._route.cloud import Cloud, egress
from ansible_collections.mailops.smtp.plugins.module_utils._route.fact import (
    InUse,
    fact,
    no_route,
    parse_parameters,
)
from ansible_collections.mailops.smtp.plugins.module_utils._route.hosting import RECOGNITION
from ansible_collections.mailops.smtp.plugins.module_utils._route.manner import Sender
from ansible_collections.mailops.smtp.plugins.module_utils._route.mesh import listeners, told
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import Options
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.report import report, sentence
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import (
    STAGES,
    TIMINGS,
    VERDICTS,
    Result,
)

NOW = datetime(2026, 11, 28, 5, 0, 0, tzinfo=timezone.utc)
RELAY = "relay.example.com"
PORTS = (587, 2525, 465, 25)
SUBMISSION = (587, 465, 2525)
PROVIDERS = ("hetzner_cloud", "aws_ec2", "gce", "digitalocean", "unknown")
# The verdicts of the four ports: kinds of hosts as a fleet has them, most of them healthy.
KINDS = (
    ("ok", "ok", "ok", "starttls_absent"),
    ("ok", "ok", "ok", "filtered"),
    ("filtered", "ok", "ok", "filtered"),
    ("certificate_expiring", "certificate_expiring", "certificate_expiring", "refused"),
    ("starttls_stripped", "ok", "tls_failed", "filtered"),
    ("filtered", "filtered", "filtered", "filtered"),
    ("auth_rejected", "auth_rejected", "auth_rejected", "auth_absent"),
)
# What the probe says of them; of the others it would say what a server said.
REASONS = {
    "ok": "Usable: TLSv1.3 with TLS_AES_256_GCM_SHA384, certificate verified, 64 days left, AUTH PLAIN accepted, "
    "envelope accepted.",
    "starttls_stripped": "STARTTLS was removed from the server's list on the way: it is not offered, and yet accepted.",
}
GREETED = ("ehlo", "tls", "certificate", "auth", "envelope")
UNREACHABLE = {
    "unreachable": True,
    "changed": False,
    "msg": "Failed to connect to the host via ssh: ssh: connect to host web3 port 22: No route to host",
}
FAILED = {
    "failed": False,
    "failed_when_result": False,
    "changed": False,
    "msg": "port: 456 is not a port of mail; 465 is",
}
SKIPPED = {"skipped": True, "changed": False, "skip_reason": "Conditional result was False"}
# What a server may say that wants to be more than text.
HOSTILE = (
    "\x1b[31m<script>alert(1)</script>\u202e|`````\r\n\x00\ud800\u2028&]]>-->\"' [x](javascript:1) "
    "![](http://evil.example/) @everyone #1 https://evil.example <img src=x onerror=y></code></summary>"
    "</details>\n```\n# head\n| a | b |\n" + "A" * 10_000
)


def name_of(index: int) -> str:
    return f"web{index + 1:04}.example.com"


def endpoint(verdict: str, *asked: Any, index: int = 0, **words: Any) -> Result:
    """An endpoint with what is known of it where its verdict was found; `words` are a server's own."""
    stage = VERDICTS[verdict].stage or "envelope"
    reached = STAGES.index(stage)
    seen = {
        name: round(1.0 + 7.3 * place + index % 13, 1) if place <= reached + 1 else None
        for place, name in enumerate(TIMINGS[:-1])
    }
    greeted = stage in GREETED
    encrypted = stage in GREETED[2:]
    certificate = {
        "subject": f"CN={RELAY}",
        "issuer": "C=US, O=Example Trust, CN=E5",
        "names": [RELAY, "smtp.example.com"],
        "not_before": "2026-10-01T00:00:00Z",
        "not_after": "2026-12-09T05:00:00Z" if verdict == "certificate_expiring" else "2027-02-01T00:00:00Z",
        "days_left": 11 if verdict == "certificate_expiring" else 64,
        "sha256": "4f1f4c7c3b9f1e0c" * 4,
        "problems": [verdict] if stage == "certificate" else [],
    }
    known: dict[str, Any] = {
        "address": None if stage == "resolve" else "192.0.2.7",
        "family": None if stage == "resolve" else "ipv4",
        "lookup": None if stage == "resolve" else "dns",
        "reachable": stage not in ("resolve", "connect"),
        "greeting": f"{RELAY} ESMTP Postfix" if greeted else None,
        "capabilities": ["PIPELINING", "SIZE 10240000", "AUTH PLAIN LOGIN", "8BITMIME"] if greeted else [],
        "auth_mechanisms": ["PLAIN", "LOGIN"] if greeted else [],
        "auth_mechanism": "PLAIN" if verdict == "ok" else None,
        "tls_version": "TLSv1.3" if encrypted else None,
        "tls_cipher": "TLS_AES_256_GCM_SHA384" if encrypted else None,
        "certificate": certificate if encrypted else None,
        "timings_ms": {**seen, "total": round(sum(value for value in seen.values() if value), 1)},
        **words,
    }
    seen_of = f"What was seen of {verdict} after {known['timings_ms']['total']} ms."
    reason = known.pop("reason", REASONS.get(verdict, seen_of))
    return Result(*asked, verdict, stage, reason, **known)


def routed(
    *verdicts: str,
    provider: str = "hetzner_cloud",
    index: int = 0,
    relays: Any = None,
    mesh: Mapping[str, Sequence[str]] | None = None,
    **words: Any,
) -> dict[str, Any]:
    """The registered result of smtp_route_facts: verdicts of the ports of a host, and of listeners of others."""
    parameters = {"policy": "first_usable", "sticky": True, "on_no_route": "fail"}
    wanted = relays or [
        {"host": RELAY, "username": "web", "password": "correct horse 7", "ports": PORTS[: len(verdicts)]}
    ]
    asked = parse_parameters({**parameters, "relays": wanted})
    results = [
        endpoint(verdict, *one.endpoint[:3], index=index, **words)
        for one, verdict in zip(asked.candidates, verdicts)
    ]
    title = RECOGNITION[provider].title if provider in RECOGNITION else "an unknown provider"
    cloud = Cloud(provider, title, f"DMI system_vendor is {title!r}", egress(provider))
    sender = Sender(f"{name_of(index)}", "main.cf", mail_from=f"root@{name_of(index)}")
    found = fact(asked, results, cloud, InUse(), NOW, sender)
    missing = no_route(found)
    state = {"failed": False, "failed_when_result": False, **({"msg": missing} if missing else {})}
    others = {"mesh": meshed(mesh, cloud, index)} if mesh else {}
    return {"changed": False, **state, "ansible_facts": {"smtp_route": found}, **others}


def meshed(mesh: Mapping[str, Sequence[str]], cloud: Cloud, index: int) -> list[dict[str, Any]]:
    """What a host finds at the listeners of servers, by name, whose ports have these verdicts."""
    asked = [
        {"server": server, "host": f"{server}.example.com", "port": port}
        for server, verdicts in mesh.items()
        for port, _verdict in zip(SUBMISSION, verdicts)
    ]
    found = listeners(asked, Options())
    verdicts = [verdict for each in mesh.values() for verdict in each]
    results = [endpoint(verdict, *one.endpoint[:3], index=index) for verdict, one in zip(verdicts, found)]
    return told(found, results, cloud, {})


def probed(*verdicts: str, **words: Any) -> dict[str, Any]:
    """The registered result of smtp_probe."""
    results = [
        endpoint(verdict, RELAY, port, "implicit" if port == 465 else "starttls", **words)
        for port, verdict in zip(PORTS, verdicts)
    ]
    found = {"changed": False, **report(results), "msg": sentence(results), "elapsed_ms": 86.2}
    return {**found, "failed": not found["usable"]}


def examined(
    passed: int = 3, failed: dict[str, str] | None = None, skipped: dict[str, str] | None = None
) -> dict[str, Any]:
    """The registered result of testinfra, of a task that tolerates failures."""
    failed, skipped = failed or {}, skipped or {}
    names = ["config::postfix_runs", "tls::chain[587]", "delivery::relay_accepts_a_message", "host::clock"]
    names += [f"relaying::refuses[{number}]" for number in range(passed)]
    passes = [name for name in names if name not in failed and name not in skipped][:passed]
    message = f"{len(passes)} tests passed, in 2.14 s"
    if failed:
        message = f"{len(failed)} of {len(failed) + len(passes)} tests failed. {' '.join(failed.values())}"
    return {
        "changed": False,
        "failed": False,
        "failed_when_result": False,
        "passed": not failed,
        "counts": {"passed": len(passes), "failed": len(failed), "skipped": len(skipped)},
        "tests": {
            "passed": passes,
            "failed": [{"test": name, "reason": reason} for name, reason in failed.items()],
            "skipped": [{"test": name, "reason": reason} for name, reason in skipped.items()],
        },
        "evidence": {
            "relay": f"{RELAY}[192.0.2.7]:587",
            "relay_reply": "250 2.0.0 Ok: queued as 8DBA71A8043",
        },
        "duration_s": 2.14,
        "msg": message,
    }


def fleet(count: int) -> dict[str, Any]:
    """The results of so many hosts, by name: three quarters healthy, one in fifty unreachable."""
    results: dict[str, Any] = {}
    for index in range(count):
        sick = index % 4 == 3
        kind = KINDS[2 + (index // 4) % 5] if sick else KINDS[index % 2]
        provider = PROVIDERS[index % len(PROVIDERS)]
        lost = index % 50 == 49
        results[name_of(index)] = UNREACHABLE if lost else routed(*kind, provider=provider, index=index)
    return results


def verified(count: int) -> dict[str, Any]:
    """The results of the tests of so many hosts, by name."""
    reason = "the relay's certificate does not verify: it has expired; have it renewed"
    return {
        name_of(index): examined(
            40, {"tls::chain[587]": reason} if index % 10 == 9 else None, {"host::clock": "no ntp"}
        )
        for index in range(count)
    }


def hostile(value):
    """A result in which every text of a server is hostile."""
    if isinstance(value, dict):
        kept = ("verdict", "stage", "checked_at", "decided_by", "outcome", "provider")
        return {key: each if key in kept else hostile(each) for key, each in value.items()}
    if isinstance(value, list):
        return [hostile(each) for each in value]
    return HOSTILE if isinstance(value, str) else value
