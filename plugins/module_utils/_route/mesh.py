"""Listeners of other hosts, and how far this host gets with each: who reaches whom.

Rules of this file: no I/O. A listener is probed as its users reach it, with a certificate that must be right, and
without a login and an envelope. What is found there decides nothing about this host's route.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any, Mapping, NamedTuple, Sequence

from .._smtp.endpoint import Endpoint, Options, parse_endpoint
from .._smtp.session import NOT_VERIFIED
from .._smtp.verdict import VERDICTS, Result, renamed
from .cloud import Cloud, advise

ARGUMENTS: dict[str, dict[str, Any]] = {
    "server": {"type": "str", "required": True},
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "server_name": {"type": "str"},
    "self_signed": {"type": "bool", "default": False},
}

UNTRUSTED = "certificate_untrusted"
# What to do where the general advice is about a relay, of which there is another port or another host.
_ADVICE = {
    "refused": "See that Postfix on {server} serves port {port}, and that no firewall turns this host away.",
    "filtered": "Something between this host and {server} drops port {port}: have it opened in the firewall of "
    "{server}, in that of its hosting provider, and for what leaves this host.",
    "unreachable": "Check routes and firewalls between this host and {server}.",
    "no_greeting": "A filter or tarpit accepts the connection in the place of {server}, or it is overloaded, or waits "
    "for the PROXY line of a load balancer.",
    "starttls_absent": "Give {server} a certificate for port {port}.",
    "tls_too_old": "Have TLS 1.2 or newer enabled on {server}.",
    "certificate_mismatch": "Have the certificate of {server} issued for {name}, by which it was asked; or set "
    "mesh.server_name to the name that its users write.",
}


class Listener(NamedTuple):
    """A port of another host. `self_signed`: its certificate is its own authority, as its operator has it."""

    server: str
    endpoint: Endpoint
    self_signed: bool = False


def listeners(asked: Sequence[Mapping[str, Any]], options: Options) -> list[Listener]:
    """What the option `mesh` asks for; `options` are those by which this host probes. Raises OptionError."""
    found = []
    for number, one in enumerate(asked):
        wanted = {key: one.get(key) for key in ("host", "port", "server_name")}
        own = replace(
            options,
            validate_certs=not one.get("self_signed"),
            system_authorities=True,
            mail_from=None,
            rcpt_to=None,
            needs_dns=False,
        )
        endpoint = parse_endpoint(wanted, where=f"mesh[{number}]")._replace(options=own)
        found.append(Listener(str(one["server"]), endpoint, bool(one.get("self_signed"))))
    return found


def of_all(options: Options) -> Options:
    """What the probes have in common: one result for each, over whichever family answers."""
    family = "any" if options.family == "both" else options.family
    return replace(options, family=family, check_families=False)


def told(
    asked: Sequence[Listener], results: Sequence[Result], cloud: Cloud, names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The results as the module returns them; `names` are the user's for the options."""
    return [_told(one, _judged(one, result), cloud, names) for one, result in zip(asked, results)]


def _told(one: Listener, result: Result, cloud: Cloud, names: Mapping[str, str]) -> dict[str, Any]:
    words = _ADVICE.get(result.verdict)
    if words:
        name = one.endpoint.server_name or result.host
        result = replace(result, advice=words.format(server=one.server, port=result.port, name=name))
    advice = renamed(advise(result, cloud), names)
    return {**result.as_dict(), "advice": advice, "server": one.server}


def _judged(one: Listener, result: Result) -> Result:
    """The same with a certificate that may be its own authority, and must be right in everything else."""
    seen = result.certificate
    if not one.self_signed or not result.usable or not seen or one.endpoint.tls == "opportunistic":
        return result
    own = seen["subject"] == seen["issuer"]
    faults = [
        name for name in seen["problems"] if not VERDICTS[name].usable and not (own and name == UNTRUSTED)
    ]
    if not faults:
        return result
    words = result.reason.partition(NOT_VERIFIED)[2].rstrip(".")
    return replace(
        result,
        verdict=faults[0],
        stage="certificate",
        reason=f"The certificate is not acceptable: {words}.",
        advice="",
    )
