"""This host relays for nobody but those it should relay for."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
from typing import Any

import pytest
import strangers
from doors import Door, Doors, Said, relayed, said_outside, unreachable, xclient
from mailserver import Postfix


def none_of(faults: list[str]) -> None:
    assert not faults, f"{'; '.join(faults)}."


def test_every_listener_refuses_to_relay_for_strangers(postfix: Postfix) -> None:
    none_of(strangers.restrictions(postfix.relaying))


def test_trusted_networks_are_not_the_internet(postfix: Postfix) -> None:
    none_of(strangers.networks(postfix.relaying))


def test_own_domains_are_not_those_of_others(postfix: Postfix) -> None:
    none_of(strangers.domains(postfix.relaying))


def test_strangers_are_not_believed_who_they_are(expect: dict[str, Any], postfix: Postfix) -> None:
    """By XCLIENT, or by the PROXY protocol at a port that others than the proxy reach."""
    faults = strangers.xclient(postfix.relaying)
    for service, parameter in strangers.believing(postfix.relaying):
        port = next((each.port for each in postfix.listeners if each.service == service.name), 0)
        if not expect.get("address") or connects(expect["address"], port):
            faults.append(
                f"whoever connects to {service.name} may say by the PROXY protocol that he is in mynetworks, and "
                f"relay: let the proxy alone reach that port (an inner address, a firewall), or empty {parameter}"
            )
    none_of(faults)


def test_qmqp_is_not_for_strangers(postfix: Postfix) -> None:
    none_of(strangers.qmqp(postfix.relaying))


def test_relaying_is_refused_to_this_host(doors: Doors) -> None:
    """At its own address, which is a stranger's where mynetworks does not have it. No message is sent."""
    asked(doors, doors.from_here, "this host itself")


def test_relaying_is_refused_to_the_controller(expect: dict[str, Any], doors: Doors) -> None:
    """It asks each listener that it can reach."""
    if doors.all and not expect.get("address"):
        pytest.skip("the controller knows no network address of this host (ansible_host)")
    none_of(xclient(doors, doors.from_controller))
    asked(doors, doors.from_controller, "the controller", doors.from_here)


def test_relaying_is_refused_to_another_host(expect: dict[str, Any], doors: Doors) -> None:
    """To the one that verify_outside names."""
    outside = expect.get("outside") or {}
    if not outside.get("host"):
        pytest.skip("no other host is to ask (verify_outside)")
    assert said_outside(expect) is not None, (
        f"{outside['host']} (verify_outside) should ask from outside, but could not: {outside.get('problem')}. "
        "It needs Python 3 there."
    )
    assert not doors.all or any(said["reached"] for _door, said in doors.from_outside), (
        f"{outside['host']} (verify_outside) reaches no port of this host, {expect.get('address')}: look at "
        "the firewalls between them, or name a host that can."
    )
    asked(doors, doors.from_outside, outside["host"], doors.from_here, doors.from_controller)


def test_submission_ports_can_be_reached(expect: dict[str, Any], doors: Doors, record_property: Any) -> None:
    """From the controller, or from the host that verify_outside names; another port may well be closed to both."""
    if not doors.wanted:
        pytest.skip("no port is named on which users submit mail (verify_submission_ports)")
    far = [str(door.port) for door, said in doors.from_controller if not said["reached"]]
    if far:
        record_property("unreachable_from_controller", ", ".join(far))
    none_of(unreachable(doors))


def asked(doors: Doors, answers: list[tuple[Door, Said]], who: str, *before: list[tuple[Door, Said]]) -> None:
    if not doors.all:
        pytest.skip("Postfix listens on loopback only: no stranger can reach it")
    if strangers.domains(doors.relaying):
        pytest.skip("the domains of others are this host's, as another test tells: it takes mail for them")
    none_of(relayed(doors, answers, who, *before))
    if not doors.strange(answers):
        pytest.skip(f"{who} can reach no listener, or may relay")


def connects(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), 5):
            return True
    except OSError:
        return False
