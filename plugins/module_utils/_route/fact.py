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
from types import MappingProxyType
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Sequence

from .._base.addresses import family_title, ip_version
from .._base.words import listed
from .._smtp.endpoint import Credentials, Endpoint, OptionError, Options
from .._smtp.verdict import Result, renamed
from .choose import (
    Candidate,
    Excluded,
    Hop,
    Probed,
    Route,
    candidates,
    choose,
    is_in_use,
    override_port,
    pair,
)
from .cloud import Cloud, advise, may_be_the_network
from .login import advise as advise_login
from .login import contradiction
from .manner import DANE_LEVELS, VERIFYING_LEVELS, Sender
from .relays import RelaySpec, parse_relays, ports_of

# Where no relay is for everybody.
PAST_RELAYS = Route(None, None, None, None, "direct", "mail goes straight to the hosts of its recipients")

SAVED = "/etc/ansible/facts.d/smtp_route.fact"

# The saved values whose change is a change of the route.
_ROUTE_KEYS = ("host", "port", "tls")


class Request(NamedTuple):
    """What the user wants to know, checked."""

    relays: list[RelaySpec]
    candidates: list[Candidate]
    override: int | None
    preference: str
    sticky: bool
    on_no_route: str
    names: Mapping[str, str] = {}
    """What the user calls the options."""
    warnings: tuple[str, ...] = ()


class Saving(NamedTuple):
    """What saving the fact changes. `before` and `after` are texts for a diff, without the time."""

    changed: bool
    before: str
    after: str


def parse_parameters(params: Mapping[str, Any]) -> Request:
    """Check the parameters of smtp_route_facts. Raises OptionError, which names option, value and remedy."""
    relays, found, override = _candidates(params)
    names = params.get("option_names") or {}
    warnings = tuple(_addresses_at_level(found, params.get("security_level"), names))
    asked = (params["policy"], params["sticky"], params["on_no_route"])
    return Request(relays, found, override, *asked, names, warnings)


def unprobed(params: Mapping[str, Any]) -> dict[str, Any] | None:
    """Where mail goes that nobody probes for, as the fact has it; None where a relay has several ports.

    Raises OptionError as parse_parameters() does, for the same reasons.
    """
    relays, found, _override = _candidates(params)
    routes = []
    for index, spec in enumerate(relays):
        own = [one for one in found if one.relay_index == index]
        own = own or [one for one in found if one.spec.selects == spec.selects and one.spec.host == spec.host]
        if not spec.direct and len(own) != 1:
            return None
        one = own[0].endpoint if own else Endpoint("", 0, "")
        routes.append(
            {
                "host": one.host or None,
                "port": one.port or None,
                "tls": one.tls or None,
                "alternatives": [],
                **_for_whom(index, spec),
            }
        )
    everybody = [one for one in routes if not one["senders"] and not one["recipients"]]
    if len(relays) == 1 and everybody:
        host, port, tls = found[0].endpoint[:3]
        return {"host": host, "port": port, "tls": tls}
    first = everybody[0] if everybody else {"host": None, "port": None, "tls": None}
    return {
        **{key: first[key] for key in ("host", "port", "tls")},
        "decided_by": "override" if everybody else "direct",
        "alternatives": everybody[1:],
        "routes": routes,
    }


def _candidates(params: Mapping[str, Any]) -> tuple[list[RelaySpec], list[Candidate], int | None]:
    names = params.get("option_names") or {}
    override = override_port(params.get("port"), names.get("port", "port"))
    ports = ports_of(params.get("ports"), names.get("ports", "ports"))
    list_name = names.get("relays", "relays")
    relays = parse_relays(params["relays"], list_name, params.get("auth_mechanism") or "auto", names)
    if "*" in list_name:
        for relay in relays:
            _check_named_port(relay, ports, override, {"host": list_name.replace("*", "host"), **names})
    # Where the login cannot be tried safely, none is.
    level = params.get("security_level")
    relays = [
        one._replace(credentials=None) if (one.security_level or level) in DANE_LEVELS else one
        for one in relays
    ]
    return relays, candidates(relays, ports, override, _excluded(params, override, names)), override


def _addresses_at_level(
    found: Sequence[Candidate], level: str | None, names: Mapping[str, str]
) -> Iterator[str]:
    """Relays given by address where Postfix compares the certificate with what is written there."""
    for spec, host, own in dict.fromkeys(
        (one.spec, one.endpoint.host, one.spec.security_level or level) for one in found
    ):
        if own in VERIFYING_LEVELS and ip_version(host):
            yield (
                f"{_key(spec, 'host')} is the address {host}, and at the level {own} Postfix before 3.10 finds an "
                "address in no "
                "certificate: write the relay's host name there"
            )


def _key(spec: RelaySpec, key: str) -> str:
    """What the user calls an option of a relay."""
    return spec.name.replace("*", key) if "*" in spec.name else f"{spec.name}.{key}"


def _excluded(params: Mapping[str, Any], override: int | None, names: Mapping[str, str]) -> Excluded:
    """The ports that are never tried. The one that the user insists on is none of them."""
    name = names.get("exclude_ports", "exclude_ports")
    excluded = ports_of(params.get("exclude_ports"), name)
    if override in excluded:
        port = names.get("port", "port")
        raise OptionError(
            f"{port}: {override} is a port that {name} excludes; take it out there, or set {port} to another one, or "
            "to auto"
        )
    return Excluded(excluded, name)


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


def in_their_own_manner(request: Request, of: Callable[[RelaySpec], Options | None]) -> Request:
    """The same request, with the options that a relay has of its own."""
    found = [one._replace(endpoint=one.endpoint._replace(options=of(one.spec))) for one in request.candidates]
    return request._replace(candidates=found)


def fact(
    request: Request,
    results: Sequence[Result],
    cloud: Cloud,
    in_use: InUse,
    now: datetime,
    sender: Sender,
    medians: Mapping[Endpoint, float] = MappingProxyType({}),
) -> dict[str, Any]:
    """Decide, and put the decision, what it rests on and the time (UTC) into the fact.

    `medians`: the milliseconds of endpoints that were measured in several rounds.
    """
    probed = [_explained(one, request.names, sender) for one in pair(request.candidates, results)]
    probed = [one._replace(median=medians.get(one.candidate.endpoint)) for one in probed]

    def decide(among: Sequence[Probed], hop: Hop | None, override: int | None) -> Route:
        return choose(
            among,
            cloud,
            preference=request.preference,
            in_use=hop,
            sticky=request.sticky,
            override=override,
            on_no_route=request.on_no_route,
        )

    everybody = [one for one in probed if not one.candidate.spec.selects]
    only = request.relays[0] if len(request.relays) == 1 else None
    override = (only.port if only else None) or request.override
    route = decide(everybody, in_use.hop, override) if everybody else PAST_RELAYS
    routes = []
    for index, spec in enumerate(request.relays):
        if spec.direct:
            own = PAST_RELAYS
        elif spec is only and not spec.selects:
            own = route
        else:
            among = _of_relay(probed, index, spec)
            own = decide(among, in_use.of(among, spec.selects), spec.port or request.override)
        routes.append({**_route_dict(own), **_for_whom(index, spec)})
    endpoints = [
        {
            **result.as_dict(),
            "advice": _advice(result, one.candidate, cloud),
            "relay": one.candidate.relay_index,
        }
        for one in probed
        for result in one.results
    ]
    return {
        **_route_dict(route),
        "security_level": request.relays[route.relay].security_level if route.relay is not None else None,
        "routes": routes,
        "helo_name": sender.helo_name,
        "helo_source": sender.helo_source,
        "helo_problem": sender.helo_problem,
        "mail_from": sender.mail_from,
        "origin": sender.origin,
        "family": sender.family,
        "source_addresses": list(sender.source_addresses),
        "warnings": [
            *sender.warnings,
            *request.warnings,
            *_doubtful_logins(probed, request.names),
            *_dead_family(probed, route, sender, request.names),
            *_missed(route, routes),
        ],
        "cloud": cloud.as_dict(),
        "endpoints": endpoints,
        "checked_at": now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _of_relay(probed: Sequence[Probed], index: int, spec: RelaySpec) -> list[Probed]:
    """What was probed of a relay; where an earlier entry of the list is the same, what was probed of that."""
    own = [one for one in probed if one.candidate.relay_index == index]
    return own or [
        one
        for one in probed
        if one.candidate.endpoint.host == spec.host and one.candidate.spec.selects == spec.selects
    ]


def _for_whom(index: int, spec: RelaySpec) -> dict[str, Any]:
    return {
        "relay": index,
        "name": spec.name,
        "senders": list(spec.senders),
        "recipients": list(spec.recipients),
        "direct": spec.direct,
        "required": spec.is_required and not spec.direct,
    }


def _missed(route: Route, routes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Relays that the host can do without, and has to."""
    if route.host is None and route.decided_by != "direct":
        return []
    return [
        f"{whose_mail(one)} goes without {one['name']}: {_why(one)}"
        for one in routes
        if one["host"] is None and not one["direct"] and not one["required"]
    ]


def whose_mail(route: Mapping[str, Any]) -> str:
    """Whose mail one of the routes is for, as the beginning of a sentence."""
    from_whom, to_whom = listed(route["senders"], "or"), listed(route["recipients"], "or")
    if not from_whom and not to_whom:
        return "mail"
    parts = [f"from {from_whom}"] if from_whom else []
    parts += [f"to {to_whom}"] if to_whom else []
    return f"mail {' and mail '.join(parts)}"


def _why(route: Mapping[str, Any]) -> str:
    return f"{route['reason']}. {route['remedy'] or ''}".strip()


def _explained(one: Probed, names: Mapping[str, str], sender: Sender) -> Probed:
    """The same with advice that knows the relay service, in the user's words."""
    known, login = one.candidate.spec.known, one.candidate.endpoint.credentials
    service = known.service if known else None
    results = [replace(result, advice=advise_login(result, login, service)) for result in one.results]
    results = [_about_plugins(result, login, sender) for result in results]
    own = _names_of(one.candidate, names, sender)
    return one._replace(results=tuple(_in_the_users_words(each, own, sender) for each in results))


# What a relay of a list has of its own.
_OF_A_RELAY = ("username", "password", "tls", "server_name", "client_cert", "client_key")


def _names_of(candidate: Candidate, names: Mapping[str, str], sender: Sender) -> Mapping[str, str]:
    """What the user calls the options that decided for a relay: for one of a list, some stand in its entry."""
    spec = candidate.spec
    if "*" in spec.name:
        return names
    keys = list(_OF_A_RELAY)
    keys += ["ca_path"] if spec.ca_path else []
    own = {key: _key(spec, names.get(f"relays.{key}", key)) for key in keys}
    if "relays.security_level" in names:
        # Those of role postfix. There tls is the level, and the port decides about the kind of TLS.
        own.update(
            tls=_key(spec, "port"), auth_mechanism=_key(spec, names.get("relays.auth_mechanism", "auth"))
        )
    tried = candidate.endpoint.options
    if tried and tried.mail_from != sender.mail_from:
        own["mail_from"] = _key(spec, "senders")
    if tried and spec.recipients:
        own["rcpt_to"] = _key(spec, "recipients")
    return {**names, **own}


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
    found = {}
    for index, spec in ((one.candidate.relay_index, one.candidate.spec) for one in probed):
        known = spec.known
        wrong = contradiction(spec.credentials.username, known.service) if spec.credentials and known else ""
        if wrong and index not in tried:
            name = names.get("username") or _key(spec, "username")
            found[index] = f"{name} {wrong}; no port got as far as to try it"
    return list(found.values())


def _dead_family(
    probed: Sequence[Probed], route: Route, sender: Sender, names: Mapping[str, str]
) -> Iterator[str]:
    """That the relay chosen does not answer over one family, which Postfix waits for."""
    for one in probed:
        best = one.best
        dead = best.silent or [
            result.address for result in one.results if result.verdict == "filtered" and result.address
        ]
        chosen = one.candidate.endpoint[:2] == (route.host, route.port)
        if chosen and one.usable and dead and best.family and sender.inet_protocols:
            other = family_title("ipv6" if best.family == "ipv4" else "ipv4")
            yield (
                f"{best.host} port {best.port} answers over {family_title(best.family)}, and nothing comes from its "
                f"{other} address {listed(dead)}: Postfix begins with either family and waits up to "
                f"smtp_connect_timeout (30 s by default) for an address that is dead, so mail will often be late. Have "
                f"{other} repaired; or set {sender.inet_protocols} to {best.family}, and Postfix has no {other} at "
                f"all; or set smtp_address_preference to {best.family} in {names.get('parameters', 'main.cf')}"
            )


def _was_tried(result: Result) -> bool:
    return bool(result.auth_mechanism) or result.verdict in ("auth_rejected", "auth_deferred")


def _in_the_users_words(result: Result, names: Mapping[str, str], sender: Sender) -> Result:
    advice = result.advice
    if sender.family_from and result.verdict == "dns_not_found":
        # The parameter of Postfix has another word for any.
        advice = advice.replace("and family is ", f"and {sender.family_from[0]} is ")
        advice = advice.replace("set family to any or ", f"set {sender.family_from[1]} to all or ")
    advice = renamed(advice, names)
    where = names.get("relays", "")
    if result.verdict == "certificate_mismatch" and ("*" in where or "relays.security_level" in names):
        variable = where.replace("*", "host") if "*" in where else names["tls"].replace(".port", ".host")
        advice = _named_by_the_certificate(result, variable)
    if (
        sender.mail_advice
        and not names.get("mail_from", "").endswith(".senders")
        and result.verdict in ("sender_rejected", "sender_deferred")
    ):
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
    """What keeps this host from sending its mail as asked: each port's verdict, and the remedy. Empty for nothing."""
    found = []
    lost = fact["host"] is None and fact["decided_by"] != "direct"
    if lost:
        found.append(f"No route for mail: {_why(fact)}")
    for one in fact.get("routes", ()):
        everybody = not one["senders"] and not one["recipients"]
        if one["required"] and one["host"] is None and not one["direct"] and not (lost and everybody):
            found.append(
                f"No route for {whose_mail(one)} through {one['name']}: {_why(one)} Or set required: false there, to "
                "go without it."
            )
    return " ".join(found)


class InUse(NamedTuple):
    """The ports in use: the first of the host's Postfix, else that of the saved fact; all that it has for everybody,
    and for those whose mail has a way of its own (as RelaySpec.selects names them)."""

    hop: Hop | None = None
    everybody: Sequence[Hop] = ()
    selected: Mapping[str, Sequence[Hop]] = {}

    def of(self, among: Sequence[Probed], selects: Sequence[str]) -> Hop | None:
        """The first one that belongs to one relay."""
        hops = [hop for one in selects for hop in self.selected.get(one, ())] if selects else self.everybody
        return next((hop for hop in hops if any(is_in_use(one.candidate, hop) for one in among)), None)


def in_use(
    hops: Sequence[tuple[str, int, bool]],
    saved: Mapping[str, Any],
    selected: Mapping[str, Sequence[tuple[str, int, bool]]] | None = None,
) -> InUse:
    """The ports in use, from the next hops of the host's Postfix and the saved fact."""
    own = {name: [Hop(*hop) for hop in each] for name, each in (selected or {}).items()}
    if hops:
        return InUse(Hop(*hops[0]), [Hop(*hop) for hop in hops], own)
    host, port, tls = (saved.get(key) for key in _ROUTE_KEYS)
    known = isinstance(host, str) and isinstance(port, int)
    return InUse(Hop(str(host), int(port or 0), tls == "implicit") if known else None, (), own)


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
