"""The fact smtp_route: from parameters to a request, from results to the fact, and into its file.

Rules of this file: parameters are read and the fact is put together only here, at the module's edge. Nothing secret
enters a fact. The file is replaced as a whole, so a reader sees the old one or the new one.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, Mapping, NamedTuple, Sequence

from .._smtp.endpoint import Credentials, Endpoint, OptionError
from .._smtp.verdict import Result, renamed
from .choose import Candidate, Hop, Probed, Route, candidates, choose, override_port, pair
from .cloud import Cloud, advise, may_be_the_network
from .login import advise as advise_login
from .login import contradiction
from .manner import DANE_LEVELS, Sender
from .relays import RelaySpec, parse_relays, ports_of

SAVED = "/etc/ansible/facts.d/smtp_route.fact"

# The saved values whose change is a change of the route.
_ROUTE_KEYS = ("host", "port", "tls")


class Request(NamedTuple):
    """What the user wants to know, checked."""

    candidates: list[Candidate]
    override: int | None
    preference: str
    sticky: bool
    on_no_route: str
    names: Mapping[str, str] = {}
    """What the user calls the options."""


class Saving(NamedTuple):
    """What saving the fact changes. `before` and `after` are texts for a diff, without the time."""

    changed: bool
    before: str
    after: str


def parse_parameters(params: Mapping[str, Any]) -> Request:
    """Check the parameters of smtp_route_facts. Raises OptionError, which names option, value and remedy."""
    found, override = _candidates(params)
    names = params.get("option_names") or {}
    return Request(found, override, params["policy"], params["sticky"], params["on_no_route"], names)


def only_endpoint(params: Mapping[str, Any]) -> Endpoint | None:
    """Where mail goes that nobody probes for: the one endpoint that the parameters name, None for several.

    Raises OptionError as parse_parameters() does, for the same reasons.
    """
    found, _override = _candidates(params)
    return found[0].endpoint if len(found) == 1 else None


def _candidates(params: Mapping[str, Any]) -> tuple[list[Candidate], int | None]:
    names = params.get("option_names") or {}
    # Where the login cannot be tried safely, none is.
    login = params.get("security_level") not in DANE_LEVELS
    override = override_port(params.get("port"), names.get("port", "port"))
    ports = ports_of(params.get("ports"), names.get("ports", "ports"))
    list_name = names.get("relays", "relays")
    relays = parse_relays(params["relays"], list_name, params.get("auth_mechanism") or "auto", names)
    if "*" in list_name:
        for relay in relays:
            _check_named_port(relay, ports, override, {"host": list_name.replace("*", "host"), **names})
    if not login:
        relays = [one._replace(credentials=None) for one in relays]
    return candidates(relays, ports, override), override


def _check_named_port(
    spec: RelaySpec, ports: Sequence[int], override: int | None, names: Mapping[str, str]
) -> None:
    """Refuse a port in the host's variable that is another than that in a variable of its own."""
    if spec.named_port is None:
        return
    others = (("port", (override,) if override else ()), ("ports", ports))
    for option, asked in others:
        if asked and tuple(asked) != (spec.named_port,):
            raise OptionError(
                f"{names['host']}: it holds the port {spec.named_port}, and {names.get(option, option)} has "
                f"{', '.join(map(str, asked))}; write {spec.host} alone in {names['host']}, or the same port in both"
            )


def limited(request: Request, mechanisms: tuple[str, ...] | None) -> Request:
    """The same request, with logins by these SASL mechanisms alone: others the host's Postfix cannot have."""
    if mechanisms is None:
        return request
    found = []
    for one in request.candidates:
        login = one.endpoint.credentials
        endpoint = one.endpoint._replace(credentials=login._replace(usable=mechanisms) if login else None)
        found.append(one._replace(endpoint=endpoint))
    return request._replace(candidates=found)


def fact(
    request: Request,
    results: Sequence[Result],
    cloud: Cloud,
    in_use: Hop | None,
    now: datetime,
    sender: Sender,
) -> dict[str, Any]:
    """Decide, and put the decision, what it rests on and the time (UTC) into the fact."""
    probed = [_explained(one, request.names, sender) for one in pair(request.candidates, results)]
    route = choose(
        probed,
        cloud,
        preference=request.preference,
        in_use=in_use,
        sticky=request.sticky,
        override=request.override,
        on_no_route=request.on_no_route,
    )
    endpoints = [
        {**result.as_dict(), "advice": _advice(result, one.candidate, cloud)}
        for one in probed
        for result in one.results
    ]
    return {
        **_route_dict(route),
        "helo_name": sender.helo_name,
        "helo_source": sender.helo_source,
        "helo_problem": sender.helo_problem,
        "mail_from": sender.mail_from,
        "origin": sender.origin,
        "warnings": [*sender.warnings, *_doubtful_logins(probed, request.names)],
        "cloud": cloud.as_dict(),
        "endpoints": endpoints,
        "checked_at": now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _explained(one: Probed, names: Mapping[str, str], sender: Sender) -> Probed:
    """The same with advice that knows the relay service, in the user's words."""
    known, login = one.candidate.spec.known, one.candidate.endpoint.credentials
    service = known.service if known else None
    results = [replace(result, advice=advise_login(result, login, service)) for result in one.results]
    results = [_about_plugins(result, login, sender) for result in results]
    return one._replace(results=tuple(_in_the_users_words(each, names, sender) for each in results))


def _about_plugins(result: Result, login: Credentials | None, sender: Sender) -> Result:
    """The same with what to install on this host, where that is the matter."""
    if result.verdict != "auth_unsupported" or login is None:
        return result
    asked = login.mechanism.upper()
    offered = [name for name in result.auth_mechanisms if asked in ("AUTO", name.upper())]
    return replace(result, advice=sender.plugin_advice(offered) or result.advice)


def _doubtful_logins(probed: Sequence[Probed], names: Mapping[str, str]) -> list[str]:
    """User names that contradict the catalogue, where no port got as far as to try them."""
    tried = {one.candidate.relay_index for one in probed for result in one.results if _was_tried(result)}
    where = names.get("relays", "relays")
    found = {}
    for index, spec in ((one.candidate.relay_index, one.candidate.spec) for one in probed):
        known = spec.known
        wrong = contradiction(spec.credentials.username, known.service) if spec.credentials and known else ""
        if wrong and index not in tried:
            name = where.replace("*", "username") if "*" in where else f"{where}[{index}].username"
            found[index] = f"{names.get('username', name)} {wrong}; no port got as far as to try it"
    return list(found.values())


def _was_tried(result: Result) -> bool:
    return bool(result.auth_mechanism) or result.verdict in ("auth_rejected", "auth_deferred")


def _in_the_users_words(result: Result, names: Mapping[str, str], sender: Sender) -> Result:
    advice = result.advice
    if sender.family_from and result.verdict == "dns_not_found":
        # The parameter of Postfix has another word for any.
        advice = advice.replace("and family is ", f"and {sender.family_from[0]} is ")
        advice = advice.replace("set family to any or ", f"set {sender.family_from[1]} to all or ")
    advice = renamed(advice, names)
    if result.verdict == "certificate_mismatch" and "*" in names.get("relays", ""):
        advice = _named_by_the_certificate(result, names["relays"].replace("*", "host"))
    if sender.mail_advice and result.verdict in ("sender_rejected", "sender_deferred"):
        advice = f"{advice} {sender.mail_advice}"
    return replace(result, advice=advice)


def _named_by_the_certificate(result: Result, variable: str) -> str:
    """The variables of a relay have no other name for its certificate: Postfix asks for the one that it connects to."""
    known = [str(name) for name in (result.certificate or {}).get("names", ())]
    usable = [
        name
        for name in known
        if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z][A-Za-z0-9-]*", name)
    ]
    other = f"have the certificate of the relay issued for {result.host}"
    if usable:
        return f"Write {usable[0]}, a name that the certificate has, in {variable}; or {other}."
    return f"Write a name that the certificate has in {variable}; or {other}."


def no_route(fact: Mapping[str, Any]) -> str:
    """The sentence for a fact without a route: each port's verdict, and the remedy."""
    reason = str(fact["reason"])
    return f"No route for mail: {reason}. {fact['remedy'] or ''}".strip()


def hop_in_use(hops: Sequence[tuple[str, int, bool]], saved: Mapping[str, Any]) -> Hop | None:
    """The port in use: the first next hop of the host's Postfix, else that of the saved fact."""
    if hops:
        return Hop(*hops[0])
    host, port, tls = (saved.get(key) for key in _ROUTE_KEYS)
    return Hop(host, port, tls == "implicit") if isinstance(host, str) and isinstance(port, int) else None


def read_saved(path: str = SAVED) -> dict[str, Any]:
    """The fact that an earlier run saved; empty when there is none that can be read."""
    try:
        with open(path, encoding="utf-8") as stream:
            saved = json.load(stream)
    except (OSError, ValueError):
        return {}
    return saved if isinstance(saved, dict) else {}


def save(fact: Mapping[str, Any], path: str = SAVED, write: bool = True) -> Saving:
    """Save the route for ansible_local.smtp_route. Without `write` it only says what would change.

    A fact without a route leaves the file alone: the last route that worked is still worth knowing.
    """
    before = read_saved(path)
    if fact["host"] is None:
        return Saving(False, _text(before), _text(before))
    after = {key: fact[key] for key in (*_ROUTE_KEYS, "alternatives", "checked_at")}
    after["provider"] = fact["cloud"]["provider"]
    if write:
        _replace(path, json.dumps(after, indent=2, sort_keys=True) + "\n")
    changed = any(before.get(key) != after[key] for key in _ROUTE_KEYS)
    return Saving(changed, _text(before), _text(after))


def _advice(result: Result, candidate: Candidate, cloud: Cloud) -> str:
    advice = advise(result, cloud)
    known = candidate.spec.known
    if known and known.ports and may_be_the_network(result.verdict) and known.tls(result.port) == "auto":
        ports = ", ".join(str(port) for port in known.service.starttls + known.service.implicit)
        advice += f" {known.service.title} does not document port {result.port}, but {ports}."
    return advice


def _route_dict(route: Route) -> dict[str, Any]:
    return {**route._asdict(), "alternatives": [dict(one._asdict()) for one in route.alternatives]}


def _text(saved: Mapping[str, Any]) -> str:
    route = {key: saved[key] for key in _ROUTE_KEYS if key in saved}
    return json.dumps(route, indent=2) + "\n" if route else ""


def _replace(path: str, text: str) -> None:
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o755, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".smtp_route.", dir=directory)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            os.fchmod(stream.fileno(), 0o644)
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
