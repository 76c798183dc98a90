"""This host relays for nobody but those it should relay for."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import re
import smtplib
import ssl
from typing import Any

import pytest
from mailserver import Listener, Postfix, is_loopback, words

GATES = ("reject_unauth_destination", "defer_unauth_destination", "reject", "defer")
# Reserved by RFC 2606: nobody's domain, so no server may take mail for it from a stranger.
FOREIGN_RECIPIENT = "open-relay-test@example.org"


def is_gated(restrictions: str) -> bool:
    """Whether a stranger's mail to a foreign domain reaches a restriction that refuses it."""
    for word in words(restrictions):
        if word in GATES:
            return True
        if word == "permit":
            return False
    return False


def smtp_listeners(postfix: Postfix) -> list[Listener]:
    return [
        listener for listener in postfix.listeners if listener.command.split()[0] in ("smtpd", "postscreen")
    ]


def test_every_listener_refuses_to_relay_for_strangers(postfix: Postfix) -> None:
    names = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
    ungated = [
        listener.service
        for listener in smtp_listeners(postfix)
        if not any(is_gated(postfix.setting(name, listener.service)) for name in names)
    ]
    assert not ungated, (
        f"{', '.join(ungated)} would relay for anyone, because neither {' nor '.join(names)} refuses foreign "
        "destinations: end smtpd_relay_restrictions with reject_unauth_destination."
    )


def test_trusted_networks_are_not_the_internet(postfix: Postfix) -> None:
    for listener in smtp_listeners(postfix):
        for text in words(postfix.setting("mynetworks", listener.service)):
            network = as_network(text)
            assert network is None or network.is_private or network.prefixlen >= 16, (
                f"mynetworks should name your own networks, but for {listener.service} it trusts {text}, "
                "which is much of the internet: correct mynetworks."
            )


def test_relaying_is_refused_to_the_controller(host: Any, expect: dict[str, Any], postfix: Postfix) -> None:
    """The one stranger at hand is the controller: it asks each listener that it can reach."""
    reachable = {port for address, port in postfix.open_sockets if not is_loopback(address)}
    listeners = [listener for listener in smtp_listeners(postfix) if listener.port in reachable]
    if not listeners:
        pytest.skip("Postfix listens on loopback only: no stranger can reach it")
    if not expect.get("address"):
        pytest.skip("the controller knows no network address of this host (ansible_host)")
    judged = 0
    for listener in listeners:
        try:
            own_address, code, answer = ask_to_relay(expect["address"], listener)
        except (OSError, smtplib.SMTPException):
            continue
        if not any(own_address in network for network in trusted(postfix, listener)):
            judged += 1
            assert code >= 400, (
                f"port {listener.port} should refuse to relay for a stranger, but took a foreign recipient "
                f"from the controller at {own_address} ({code} {answer}): correct smtpd_relay_restrictions."
            )
    if not judged:
        pytest.skip("no listener can be reached from the controller, or the controller is in mynetworks")


def ask_to_relay(address: str, listener: Listener) -> tuple[Any, int, str]:
    """Envelope of a message to a foreign domain, up to the server's answer to RCPT. No message is sent."""
    untrusting = ssl.create_default_context()
    untrusting.check_hostname, untrusting.verify_mode = False, ssl.CERT_NONE
    implicit = "smtpd_tls_wrappermode=yes" in listener.command
    with (
        smtplib.SMTP_SSL(address, listener.port, timeout=10, context=untrusting)
        if implicit
        else smtplib.SMTP(address, listener.port, timeout=10)
    ) as client:
        client.ehlo()
        if not implicit and client.has_extn("starttls"):
            client.starttls(context=untrusting)
            client.ehlo()
        own_address = ipaddress.ip_address(client.sock.getsockname()[0])
        code, text = client.mail("")
        if code < 400:
            code, text = client.rcpt(FOREIGN_RECIPIENT)
        return own_address, code, text.decode("utf-8", "replace")


def as_network(text: str) -> Any:
    """An entry of mynetworks as a network; None for tables, files and exclusions."""
    try:
        return ipaddress.ip_network(re.sub(r"[\[\]]", "", text), strict=False)
    except ValueError:
        return None


def trusted(postfix: Postfix, listener: Listener) -> list[Any]:
    found = [as_network(text) for text in words(postfix.setting("mynetworks", listener.service))]
    return [network for network in found if network]
