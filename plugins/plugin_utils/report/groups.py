"""Hosts with the same outcome, as one: what a face shows where it cannot show every host.

Rule of this file: what differs from host to host without a meaning (times, names in messages) makes no two of one; of a
group the first host speaks for all.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Iterable, Mapping, NamedTuple, Sequence

from .model import GOOD, Host, worst_first

# The states of hosts in words.
SAID = {
    "route": "has a route",
    "no_route": "no route",
    "usable": "usable",
    "unusable": "not usable",
    "failed": "failed",
    "unreachable": "unreachable",
    "not_probed": "not probed",
    "passed": "passed",
    "not_tested": "not tested",
}


class Group(NamedTuple):
    """Hosts that have one outcome, in the order of the document."""

    hosts: Sequence[Host]

    @property
    def first(self) -> Host:
        return self.hosts[0]

    @property
    def good(self) -> bool:
        return self.first["state"] in GOOD


def groups(hosts: Iterable[Host]) -> list[Group]:
    """The outcomes, the worst first, and of those that are as bad the one of most hosts."""
    found: dict[Any, list[Host]] = {}
    for host in worst_first(hosts):
        found.setdefault(_outcome(host), []).append(host)
    place = {state: index for index, state in enumerate(dict.fromkeys(key[0] for key in found))}
    ordered = sorted(found.items(), key=lambda item: (place[item[0][0]], -len(item[1])))
    return [Group(each) for _key, each in ordered]


def failures_of(gate: Mapping[str, Any]) -> str:
    """What stands above findings that are neither waived nor known: of a gate that passed, so many hosts may fail."""
    return "Let pass, since so many hosts may fail" if gate["passed"] else "It fails for"


def way(route: Mapping[str, Any] | None) -> str:
    """A route in two words."""
    if route is None:
        return "none"
    return f"{route['port']} {route['tls']}" if route["host"] else "direct"


def endpoint_name(endpoint: Mapping[str, Any]) -> str:
    """An endpoint as people write it."""
    host = f"[{endpoint['host']}]" if ":" in endpoint["host"] else endpoint["host"]
    return f"{host}:{endpoint['port']}"


def spot(endpoint: Mapping[str, Any]) -> str:
    """What tells an endpoint from the others of a host: of the mesh its server, for several may share an address."""
    return f"{endpoint['server']}:{endpoint['port']}" if endpoint.get("server") else endpoint_name(endpoint)


def spot_name(endpoint: Mapping[str, Any]) -> str:
    """The same with the address."""
    name = endpoint_name(endpoint)
    return f"{endpoint['server']} at {name}" if endpoint.get("server") else name


def short_name(endpoint: Mapping[str, Any], host: Host) -> str:
    """The name of an endpoint beside the others of a host: of the only relay its port is enough."""
    if endpoint["server"]:
        return spot(endpoint)
    relays = {one["host"] for one in host["endpoints"] if not one["server"]}
    return str(endpoint["port"]) if len(relays) == 1 else endpoint_name(endpoint)


def _outcome(host: Host) -> tuple[Any, ...]:
    state = host["state"]
    # Where all is well it does not matter whose host it is; else what can be done depends on it.
    provider = None if state in GOOD else (host["provider"] or {}).get("provider")
    endpoints = tuple(
        (spot_name(one), one["tls"], one["family"], one["verdict"]) for one in host["endpoints"]
    )
    tests = tuple((one["name"], one["reason"]) for one in host["tests"] if one["outcome"] == "failed")
    # A message that has nothing beside it is the outcome, but what is said of a connection has the host's name in it.
    said = tuple(host["reasons"]) if state == "failed" and not tests else ()
    return state, provider, way(host["route"]), endpoints, tests, said
