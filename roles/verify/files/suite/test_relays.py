"""Mail of some senders, and to some recipients, leaves by the relay that is for it, or by none.

For each such entry of postfix_relays one sender and one recipient are looked up on the host, as Postfix does it. No
mail is sent, and no login leaves the host.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from mailserver import NextHop, Postfix, Row

IMPLICIT = (465, 2465, 8465)
SENDERS, RECIPIENTS = "sender_dependent_default_transport_maps", "transport_maps"
SOMEBODY = "mailops-verify"
DEPLOY = "run mailops.smtp.deploy"


class Way(NamedTuple):
    """What Postfix makes of mail for which there are relays of its own, in order of preference."""

    mail: str
    relays: list[dict[str, Any]]
    rows: list[Row]
    table: str
    hops: list[NextHop]

    @property
    def names(self) -> str:
        return " and ".join(relay["name"] for relay in self.relays)

    def relay(self, hop: NextHop) -> dict[str, Any] | None:
        return next((one for one in self.relays if same(one["host"], hop.host)), None)


@pytest.fixture(scope="module")
def ways(expect: dict[str, Any], postfix: Postfix) -> list[Way]:
    routes = dict(enumerate(expect.get("routes") or ()))
    of_some = [one for one in expect.get("relays") or () if one["senders"] or one["recipients"]]
    usable = [one for one in (found(each, routes) for each in of_some) if one]
    if not usable:
        pytest.skip("no relay is for some senders or recipients alone (postfix_relays)")
    return [way(postfix, usable, kind, whom) for kind, whom in representatives(usable)]


def test_mail_goes_by_the_relay_that_is_for_it(postfix: Postfix, ways: list[Way]) -> None:
    none_of([fault for way in ways for fault in another_way(postfix, way)])


def test_tls_level_towards_each_of_these_relays(postfix: Postfix, ways: list[Way]) -> None:
    none_of([fault for way in ways for hop in way.hops for fault in another_level(postfix, way, hop)])


def test_login_is_there_for_each_of_these_relays(postfix: Postfix, ways: list[Way]) -> None:
    none_of([fault for way in ways for hop in way.hops for fault in another_login(postfix, way, hop)])


def none_of(faults: list[str]) -> None:
    assert not faults, f"{'; '.join(dict.fromkeys(faults))}."


def found(relay: dict[str, Any], routes: dict[int, dict[str, Any]]) -> dict[str, Any] | None:
    """A relay with the port and the mode of TLS that preflight found, where that was asked for the same relays; None
    for one that its mail does without."""
    route = routes.get(relay["relay"], {})
    if any(route.get(key) != relay[key] for key in ("senders", "recipients", "direct")):
        return {**relay, "port": 0, "implicit": None}
    if not route["host"] and not relay["direct"]:
        return None
    return {
        **relay,
        "host": route["host"] or "",
        "port": int(route["port"] or 0),
        "implicit": route["tls"] == "implicit",
    }


def representatives(relays: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The first sender and the first recipient of each relay, each once."""
    pairs = [(kind, one[kind][0]) for one in relays for kind in ("senders", "recipients") if one[kind]]
    return list(dict.fromkeys(pairs))


def way(postfix: Postfix, relays: list[dict[str, Any]], kind: str, whom: str) -> Way:
    address = SOMEBODY + whom if whom.startswith("@") else whom
    domain = address.rpartition("@")[2]
    own = [one for one in relays if whom in one[kind]]
    table = SENDERS if kind == "senders" else RECIPIENTS
    rows = postfix.rows(table, [address, f"@{domain}" if table == SENDERS else domain])
    transport, _colon, hops = rows[0].value.partition(":") if rows else ("", "", "")
    mail = f"mail {'from' if table == SENDERS else 'to'} {whom}"
    return Way(mail, own, rows, table, postfix.hops_of(transport, hops))


def another_way(postfix: Postfix, way: Way) -> list[str]:
    first = way.relays[0]
    should = f"{way.mail} should leave by {first['host']} ({way.names})"
    if first["direct"]:
        should = f"{way.mail} should go past every relay ({way.names})"
    elif first["port"]:
        should = f"{way.mail} should leave by {first['host']} port {first['port']} ({way.names})"
    if not way.rows:
        # Without preflight nobody knows whether it is one that its mail does without.
        return [
            f"{should}, but {way.table} has no row for it, so it goes as everybody's does: {DEPLOY}"
        ] * first["required"]
    row = way.rows[0]
    transport = row.value.partition(":")[0]
    if not any(line.split()[:2] == [transport, "unix"] for line in postfix.services):
        return [
            f"{should}, but {row.table} names the transport {transport}, which master.cf does not have: {DEPLOY}"
        ]
    hop = way.hops[0] if way.hops else None
    if not right(first, hop):
        return [
            f"{should}, but {row.table} has '{row.key} {row.value}': take that row out if it "
            f"is not the role's, or {DEPLOY}"
        ]
    return past_the_row(postfix, way, should)


def right(relay: dict[str, Any], hop: NextHop | None) -> bool:
    if relay["direct"] or hop is None:
        return bool(relay["direct"]) and hop is None
    return same(relay["host"], hop.host) and relay["port"] in (0, hop.port)


def past_the_row(postfix: Postfix, way: Way, should: str) -> list[str]:
    """What goes before a row that is as it should be."""
    if way.table == RECIPIENTS:
        return []
    everybody = postfix.rows(RECIPIENTS, ["*"])
    if everybody:
        return [
            f"{should}, but {everybody[0].table} (transport_maps) has a row for every recipient, '* "
            f"{everybody[0].value}', which goes first: take that row out"
        ]
    if not way.hops and postfix["relayhost"]:
        return [f"{should}, but relayhost = {postfix['relayhost']} decides for it as well: {DEPLOY}"]
    return []


def another_level(postfix: Postfix, way: Way, hop: NextHop) -> list[str]:
    relay = way.relay(hop)
    if relay is None:
        return []
    faults = []
    implicit = (
        relay["implicit"] if hop == way.hops[0] and relay["implicit"] is not None else hop.port in IMPLICIT
    )
    if implicit != postfix.implicit_tls(hop):
        faults.append(
            f"port {hop.port} of {hop.host} ({relay['name']}) needs smtp_tls_wrappermode = "
            f"{'yes' if implicit else 'no'}, but the transport {hop.transport} has {'no' if implicit else 'yes'}, so "
            f"every delivery fails: {DEPLOY}"
        )
    expected = "encrypt" if implicit and relay["tls"] == "may" else relay["tls"]
    level = postfix.tls_level(hop)
    if level != expected:
        faults.append(
            f"the TLS level towards {hop.key} should be {expected} ({relay['name']}.tls, postfix_relay_tls), but for "
            f"{way.mail} it is {level}: look at smtp_tls_policy_maps, or {DEPLOY}"
        )
    return faults


def another_login(postfix: Postfix, way: Way, hop: NextHop) -> list[str]:
    relay = way.relay(hop)
    if relay is None or relay["login"] == postfix.logs_in(hop):
        return []
    maps = postfix.setting("smtp_sasl_password_maps", f"{hop.transport}/unix")
    if relay["login"]:
        return [
            f"Postfix should log in at {hop.key} ({relay['name']}.username), but smtp_sasl_password_maps of the "
            f"transport {hop.transport} ({maps or 'empty'}) has no entry for it: the key must repeat the next hop "
            f"byte for byte; {DEPLOY}"
        ]
    return [
        f"{relay['name']} has no login, but {maps} of the transport {hop.transport} has one for {hop.key}, which that "
        f"relay would be shown: take that entry out, or set {relay['name']}.username"
    ]


def same(one: str, other: str) -> bool:
    return one.lower().rstrip(".") == other.lower().rstrip(".")
