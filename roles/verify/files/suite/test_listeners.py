"""Postfix listens where it should, and nowhere else."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from doors import Doors, not_listed
from mailserver import Postfix, is_loopback, words

LOOPBACK_ONLY = ({"loopback-only"}, {"localhost"}, {"127.0.0.1"}, {"127.0.0.1", "[::1]"})


def test_interfaces_are_those_expected(expect: dict[str, Any], postfix: Postfix) -> None:
    found = set(words(postfix["inet_interfaces"]))
    expected = set(expect.get("inet_interfaces") or found)
    assert found == expected, (
        f"inet_interfaces should be {', '.join(sorted(expected))}, but it is {', '.join(sorted(found))}: "
        "run mailops.smtp.deploy."
    )


def test_every_configured_port_is_open_and_no_other(host: Any, postfix: Postfix) -> None:
    configured = {listener.port for listener in postfix.listeners}
    listening = {port for _address, port in postfix.open_sockets}
    assert configured <= listening, (
        f"master.cf has listeners on {ports(configured)}, but nothing of Postfix listens on "
        f"{ports(configured - listening)}: see the mail log, then restart postfix."
    )
    assert listening <= configured, (
        f"Postfix listens on {ports(listening - configured)}, which master.cf does not have: restart postfix."
    )


def test_submission_ports_are_those_listed(expect: dict[str, Any], postfix: Postfix, doors: Doors) -> None:
    wanted = {int(port) for port in expect.get("submission_ports") or ()}
    listening = {port for address, port in postfix.open_sockets if not is_loopback(address)}
    assert wanted <= listening, (
        f"clients should be able to submit mail on {ports(wanted - listening)}, but nothing of Postfix "
        "listens there for others than this host: run mailops.smtp.deploy."
    )
    faults = not_listed(doors)
    assert not faults, f"{'; '.join(faults)}."


def test_null_client_listens_on_loopback_only(host: Any, postfix: Postfix) -> None:
    elsewhere = {
        f"{address} port {port}" for address, port in postfix.open_sockets if not is_loopback(address)
    }
    asked = {listener.port for listener in postfix.listeners if listener.address}
    null_client = set(words(postfix["inet_interfaces"])) in LOOPBACK_ONLY and not asked
    assert not (null_client and elsewhere), (
        f"inet_interfaces is {postfix['inet_interfaces']}, but Postfix listens on "
        f"{', '.join(sorted(elsewhere))}: stop and start postfix, a reload does not change this."
    )


def ports(numbers: set[int]) -> str:
    return "port " + ", ".join(str(number) for number in sorted(numbers)) if numbers else "no port"
