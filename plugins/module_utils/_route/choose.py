"""From relays to candidates, and from the candidates' results to the route, with the reason.

Rules of this file: no I/O and no clock, so every decision can be shown in a table. Only a probe decides. The
provider's table is asked for a guess where the user wants one, and then the reason says that it is a guess.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from itertools import product
from typing import Any, Iterator, NamedTuple, Sequence

from .._base.words import listed
from .._smtp.endpoint import Endpoint, OptionError, check_port, parse_endpoint
from .._smtp.verdict import STAGES, Result, predicate
from .cloud import Cloud, advise
from .hosting import GENERAL, OPEN, REACTIVE, THROTTLED
from .relays import RelaySpec

DEFAULT_PORTS = (587, 2525)
DEFAULT_IMPLICIT_PORTS = (465,)

PREFERENCES = ("first_usable", "fastest")
# With the preference `fastest`, how much of its time and how many milliseconds the port in use loses to one that takes
# its place: less is noise, and a second run would change what the first has done.
CLEARLY_FASTER = (1 / 3, 100.0)
ON_NO_ROUTE = ("fail", "keep", "policy")
DECISIONS = ("probe", "sticky", "override", "policy", "keep", "direct")


class Candidate(NamedTuple):
    """An endpoint that may become the route; `relay_index` is the place of its relay in the user's list, from 0."""

    relay_index: int
    endpoint: Endpoint
    spec: RelaySpec


class Excluded(NamedTuple):
    """Ports that are never candidates, and what the user calls the option that names them."""

    ports: tuple[int, ...] = ()
    name: str = "exclude_ports"


NOTHING_EXCLUDED = Excluded()


class Hop(NamedTuple):
    """A next hop that is in use."""

    host: str
    port: int
    implicit: bool


class Way(NamedTuple):
    """A usable endpoint, with what the probe proved of it. `lookup`: where its name was found, `dns` or `native`;
    `relay`: the place of its relay in the user's list, from 0."""

    host: str
    port: int
    tls: str
    auth_mechanism: str | None
    lookup: str | None
    relay: int


class Route(NamedTuple):
    """The decision. Without a route, host, port, tls and relay are None; `remedy` says what to do.

    `auth_mechanism` and `lookup` are what the probe proved, None where it proved nothing.
    """

    host: str | None
    port: int | None
    tls: str | None
    relay: int | None
    decided_by: str  # one of DECISIONS
    reason: str
    remedy: str | None = None
    alternatives: tuple[Way, ...] = ()
    auth_mechanism: str | None = None
    lookup: str | None = None


class Probed(NamedTuple):
    """A candidate with its results: one, or two where both address families were asked for.

    `median`: the milliseconds that it takes, where that was measured in several rounds.
    """

    candidate: Candidate
    results: tuple[Result, ...]
    median: float | None = None

    @property
    def best(self) -> Result:
        """The usable result, else the one that got furthest."""
        return max(self.results, key=lambda result: (result.usable, _height(result)))

    @property
    def usable(self) -> bool:
        return self.best.usable

    @property
    def way(self) -> Way:
        host, port, tls = self.candidate.endpoint[:3]
        return Way(host, port, tls, self.best.auth_mechanism, self.best.lookup, self.candidate.relay_index)

    @property
    def milliseconds(self) -> float:
        if self.median is not None:
            return self.median
        totals = [result.timings_ms.get("total") for result in self.results if result.usable]
        return min((total for total in totals if total is not None), default=float("inf"))


def override_port(value: Any, where: str = "port") -> int | None:
    """The port that the user insists on, None for `auto`. Raises OptionError."""
    if value is None or str(value).strip().lower() in ("", "auto"):
        return None
    try:
        return check_port(value, where)
    except OptionError as error:
        if str(value).strip().isdigit():
            raise
        raise OptionError(f"{error}, or auto to let the probe choose") from None


def candidates(
    relays: Sequence[RelaySpec],
    ports: Sequence[int] = (),
    port: int | None = None,
    excluded: Excluded = NOTHING_EXCLUDED,
) -> list[Candidate]:
    """Every endpoint to probe: by the order of the relays, of each one's hosts, and of its ports.

    `port` (the override, a relay's own first) comes before a relay's own ports, these before `ports`, these before the
    catalogue's, and DEFAULT_PORTS come last; `excluded` takes ports out of all of these. Raises OptionError for a port
    that is known to have no TLS, and for a relay that is left without a port.
    """
    found: list[Candidate] = []
    seen: set[tuple[Endpoint, tuple[str, ...]]] = set()
    for index, spec in enumerate(relays):
        if spec.direct:
            continue
        insisted = spec.port or port
        numbers = (insisted,) if insisted else spec.ports or tuple(ports) or _usual_ports(spec)
        numbers = _without(excluded, numbers, spec.host)
        for host, number in product((spec.host, *spec.alternates), numbers):
            endpoint = _endpoint(spec, host, number)
            if (endpoint, spec.selects) not in seen:
                seen.add((endpoint, spec.selects))
                found.append(Candidate(index, endpoint, spec))
    return found


def _without(excluded: Excluded, numbers: tuple[int, ...], host: str) -> tuple[int, ...]:
    left = tuple(number for number in numbers if number not in excluded.ports)
    if numbers and not left:
        those = (
            f"{numbers[0]} is the only port"
            if len(numbers) == 1
            else f"{listed(numbers)} are all of the ports"
        )
        raise OptionError(
            f"{excluded.name}: {those} that would be tried on {host}, so none is left; give it another "
            f"one, or take {numbers[0]} out of {excluded.name}"
        )
    return left


def pair(found: Sequence[Candidate], results: Sequence[Result]) -> list[Probed]:
    """Put results and candidates together. Results come in the candidates' order, both families adjacent."""
    rest = list(results)
    probed = []
    for candidate in found:
        first = rest.pop(0)
        own = [first]
        if rest and _same_endpoint(rest[0], first) and rest[0].family != first.family:
            own.append(rest.pop(0))
        probed.append(Probed(candidate, tuple(own)))
    return probed


def is_usable(in_use: Hop | None, probed: Sequence[Probed]) -> bool:
    """Whether the next hop in use is among the candidates that work."""
    return any(one.usable and in_use is not None and is_in_use(one.candidate, in_use) for one in probed)


def choose(
    probed: Sequence[Probed],
    cloud: Cloud,
    *,
    preference: str = "first_usable",
    in_use: Hop | None = None,
    sticky: bool = True,
    override: int | None = None,
    on_no_route: str = "fail",
) -> Route:
    """Decide. `in_use` is the next hop that the host has now, `override` a port that stays whatever works."""
    usable = [one for one in probed if one.usable]
    if not usable:
        return _without_probe(probed, cloud, in_use, override, on_no_route)
    now = next((one for one in usable if in_use and is_in_use(one.candidate, in_use)), None)
    best = min(usable, key=lambda one: one.milliseconds) if preference == "fastest" else usable[0]
    # Measured times differ a little in every run.
    near = preference == "fastest" and now is not None and not _clearly_faster(best, now)
    stays = now if sticky or near else None
    chosen = stays or best
    if override:
        decided_by, reason = "override", f"{_name(chosen)} is the port you set, and it {_accepted(chosen)}"
    elif stays and sticky:
        decided_by, reason = "sticky", _reason_to_stay(stays, probed, usable)
    elif stays:
        decided_by, reason = "sticky", _reason_near(stays, best)
    elif preference == "fastest":
        decided_by, reason = "probe", _reason_fastest(chosen, usable)
    else:
        decided_by, reason = "probe", _reason_first(chosen, probed)
    # In the order of the candidates whatever the preference: it is that of relayhost, which times may not turn about.
    others = tuple(one.way for one in usable if one is not chosen)
    route = _route(chosen.candidate, decided_by, f"{reason}{_found_natively(chosen)}", alternatives=others)
    return route._replace(auth_mechanism=chosen.way.auth_mechanism, lookup=chosen.way.lookup)


def _without_probe(
    probed: Sequence[Probed], cloud: Cloud, in_use: Hop | None, override: int | None, on_no_route: str
) -> Route:
    verdicts = listed([_sentence(one, previous) for previous, one in _with_previous(probed)])
    reason = (
        f"{verdicts}, so {f'port {override}, which you set, is not' if override else 'no port is'} usable"
    )
    remedy = _remedy(probed, cloud)
    if on_no_route == "keep":
        if in_use:
            return _kept(
                in_use, probed, f"{reason}; {in_use.port} on {in_use.host} stays as it is in use", remedy
            )
        reason += ", and no next hop is in use that could be kept"
    if on_no_route == "policy":
        guess = _guess(probed, cloud)
        if guess:
            return _route(guess.candidate, "policy", f"{reason}; {_reason_guess(guess, cloud)}", remedy)
        if cloud.provider == "unknown":
            reason += ", and the hosting provider is unknown, so there is nothing to guess from"
        else:
            reason += f", and nothing known of {cloud.title} supports a guess"
    return Route(None, None, None, None, "override" if override else "probe", reason, remedy)


def _guess(probed: Sequence[Probed], cloud: Cloud) -> Probed | None:
    for states in ((OPEN,), (REACTIVE, THROTTLED)):
        for one in probed:
            if cloud.state(one.candidate.endpoint.port) in states:
                return one
    return None


def _remedy(probed: Sequence[Probed], cloud: Cloud) -> str:
    """What to do about the candidate that got furthest, in its own words: it is the nearest to working."""
    nearest = max(probed, key=lambda one: _height(one.best)).best
    advice = advise(nearest, cloud)
    return f"{nearest.reason} {advice}" if nearest.reachable else advice


def _kept(in_use: Hop, probed: Sequence[Probed], reason: str, remedy: str) -> Route:
    match = next((one.candidate for one in probed if is_in_use(one.candidate, in_use)), None)
    if match:
        return _route(match, "keep", reason, remedy)
    return Route(
        in_use.host, in_use.port, "implicit" if in_use.implicit else "starttls", None, "keep", reason, remedy
    )


def _route(
    candidate: Candidate,
    decided_by: str,
    reason: str,
    remedy: str | None = None,
    alternatives: tuple[Way, ...] = (),
) -> Route:
    host, port, tls = candidate.endpoint[:3]
    return Route(host, port, tls, candidate.relay_index, decided_by, reason, remedy, alternatives)


def _usual_ports(spec: RelaySpec) -> tuple[int, ...]:
    """The catalogue's ports, or the defaults; where the user names a kind of TLS, only ports of that kind."""
    known = spec.catalogue
    if known and known.ports:
        of_kind = {"implicit": known.service.implicit, "starttls": known.service.starttls}.get(spec.tls, ())
        return tuple(port for port in known.ports if port in of_kind) or known.ports
    return DEFAULT_IMPLICIT_PORTS if spec.tls == "implicit" else DEFAULT_PORTS


def _endpoint(spec: RelaySpec, host: str, port: int) -> Endpoint:
    tls, known = spec.tls, spec.catalogue
    if known:
        if port in known.service.plaintext:
            raise OptionError(
                f"port {port} of {known.name} has no TLS, so mail and password would travel in the clear; "
                f"use {listed(known.ports)}"
            )
        if tls == "auto":
            tls = known.tls(port)
    mapping = {"host": host, "port": port, "tls": tls}
    # The name that the user gave for a certificate is for that of the host that he gave.
    name = spec.server_name if host == spec.host else None
    return parse_endpoint(mapping, server_name=name, credentials=spec.credentials, where=f"{host}:{port}")


def _same_endpoint(one: Result, other: Result) -> bool:
    return (one.host, one.port, one.tls) == (other.host, other.port, other.tls)


def is_in_use(candidate: Candidate, in_use: Hop) -> bool:
    """Whether a next hop is this candidate."""
    host, port, tls = candidate.endpoint[:3]
    same_host = host.lower().rstrip(".") == in_use.host.lower().strip("[]").rstrip(".")
    return same_host and port == in_use.port and (tls == "implicit") == in_use.implicit


def _clearly_faster(one: Probed, other: Probed) -> bool:
    share, least = CLEARLY_FASTER
    gain = other.milliseconds - one.milliseconds
    return gain >= max(least, share * other.milliseconds)


def _height(result: Result) -> int:
    return STAGES.index(result.stage) if result.stage in STAGES else len(STAGES)


# ------------------------------------------------------------------------------------------- sentences


def _reason_first(chosen: Probed, probed: Sequence[Probed]) -> str:
    before = probed[: list(probed).index(chosen)]
    if not before:
        first = "the only candidate" if len(probed) == 1 else "the first of your candidates"
        return f"{_name(chosen)} {_accepted(chosen)}; it is {first}"
    failed = listed([_sentence(one, previous) for previous, one in _with_previous(before)])
    return f"{failed}; {_name(chosen, before[-1])} {_accepted(chosen)}"


def _reason_to_stay(stays: Probed, probed: Sequence[Probed], usable: Sequence[Probed]) -> str:
    reason = f"{_name(stays)} is in use and {_accepted(stays)}, so it stays"
    before = [one for one in probed[: list(probed).index(stays)] if one in usable]
    return (
        f"{reason}; {_name(before[0], stays)} also works and comes earlier in your list; set sticky: false to switch "
        "to it"
        if before
        else reason
    )


def _reason_fastest(chosen: Probed, usable: Sequence[Probed]) -> str:
    reason = f"{_name(chosen)} {_accepted(chosen)} in {_took(chosen)}"
    others = [one for one in usable if one is not chosen]
    if not others:
        return f"{reason}; it is the only one that works"
    second = min(others, key=lambda one: one.milliseconds)
    return f"{reason}; the next, {_name(second, chosen)}, took {second.milliseconds:.0f} ms"


def _reason_near(stays: Probed, best: Probed) -> str:
    reason = f"{_name(stays)} is in use and {_accepted(stays)} in {_took(stays)}"
    if best is stays:
        return f"{reason}, the fastest, so it stays"
    return f"{reason}, so it stays; {_name(best, stays)} took {best.milliseconds:.0f} ms, which is not clearly faster"


def _reason_guess(guess: Probed, cloud: Cloud) -> str:
    port = guess.candidate.endpoint.port
    general = ", by general knowledge only" if cloud.confidence_in(port) == GENERAL else ""
    state = "leaves it open by default" if cloud.state(port) == OPEN else f"has it {cloud.state(port)}"
    return f"{_name(guess)} is a guess, because {cloud.title} {state}{general}"


def _took(one: Probed) -> str:
    return f"{one.milliseconds:.0f} ms{'' if one.median is None else ' (median)'}"


def _accepted(one: Probed) -> str:
    """What the endpoint accepted, as a predicate."""
    best, login = one.best, one.candidate.endpoint.credentials
    accepted = [
        word
        for word, done in (
            ("TLS", best.tls_version),
            (f"the login{_mechanism(best)}", login and login.password),
            ("the envelope", best.timings_ms.get("envelope")),
        )
        if done
    ]
    text = f"accepted {listed(accepted)}" if accepted else "answered"
    if login and not login.password:
        text += " (the login was not tried, since Postfix gets the token itself)"
    if best.verdict == "certificate_expiring":
        text += " with a certificate that expires soon"
    failing = next((result for result in one.results if not result.usable), None)
    return f"{text} over {best.family} ({failing.family} {predicate(failing.verdict)})" if failing else text


def _mechanism(result: Result) -> str:
    """The mechanism of the login, where it is another than everybody has."""
    return f" by {result.auth_mechanism}" if result.auth_mechanism not in (None, "PLAIN", "LOGIN") else ""


def _found_natively(one: Probed) -> str:
    """That the name is not in DNS, which Postfix asks first of all."""
    if one.best.lookup != "native":
        return ""
    return (
        f"; {one.candidate.endpoint.host} comes from this host's own tables (/etc/hosts or another source of "
        "nsswitch.conf) and not from DNS, so Postfix has to look names up as the host does"
    )


def _sentence(one: Probed, previous: Probed | None = None) -> str:
    phrases = dict.fromkeys(_phrase(result) for result in one.results)
    return f"{_name(one, previous)} {' or '.join(phrases)}"


def _phrase(result: Result) -> str:
    family = re.search(r" (has no|is not an) (IPv[46]) address(, only |\.)", result.reason)
    if result.verdict == "dns_not_found" and family:
        return f"{family[1]} {family[2]} address (dns_not_found)"
    return predicate(result.verdict)


def _name(one: Probed, previous: Probed | None = None) -> str:
    """'587 on relay.example.com', or '587' where the sentence has named the host already."""
    host, port = one.candidate.endpoint[:2]
    return str(port) if previous and previous.candidate.endpoint.host == host else f"{port} on {host}"


def _with_previous(probed: Sequence[Probed]) -> Iterator[tuple[Probed | None, Probed]]:
    yield from zip([None, *probed], probed)
