"""This host relays for nobody but those it should relay for."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from typing import Any, NamedTuple

import pytest
import strangers
from mailserver import Listener, Postfix, is_loopback
from strangers import Client, Service

# Reserved by RFC 2606: nobody's domains, so no server may take mail for them from a stranger.
FOREIGN, STRANGER = "example.org", "example.net"
USER = "open-relay-test"
GUARD = "end smtpd_relay_restrictions with reject_unauth_destination"
SECONDS = 20


class Question(NamedTuple):
    """An envelope that must be refused, and what to set where it is not."""

    sender: str
    recipient: str
    remedy: str


class Asked(NamedTuple):
    """What a listener said to the controller. `taken`: the first question that it did not refuse, and its reply."""

    address: str
    judged: bool = False
    offers_xclient: bool = False
    taken: tuple[Question, str] | None = None


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


def test_relaying_is_refused_to_the_controller(expect: dict[str, Any], postfix: Postfix) -> None:
    """The one stranger at hand is the controller: it asks each listener that it can reach. No message is sent."""
    reachable = {port for address, port in postfix.open_sockets if not is_loopback(address)}
    listeners = {listener.service: listener for listener in postfix.listeners if listener.port in reachable}
    doors = [door for door in smtp_doors(postfix) if door[0].name in listeners]
    if not doors:
        pytest.skip("Postfix listens on loopback only: no stranger can reach it")
    if not expect.get("address"):
        pytest.skip("the controller knows no network address of this host (ansible_host)")
    if strangers.domains(postfix.relaying):
        pytest.skip("the domains of others are this host's, as another test tells: it takes mail for them")
    judged, faults = 0, []
    questions = questions_for(postfix)
    for door, servers in doors:
        listener = listeners[door.name]
        implicit = servers[0]["smtpd_tls_wrappermode"] == "yes"
        asked = ask_to_relay(expect["address"], listener, implicit, questions)
        if not asked.judged or any(is_trusted(postfix, server, asked.address) for server in servers):
            continue
        judged += 1
        if asked.taken:
            question, reply = asked.taken
            faults.append(
                f"port {listener.port} should refuse to relay for a stranger, but took <{question.recipient}> from "
                f"<{question.sender}> of the controller at {asked.address} ({reply}): {question.remedy}"
            )
        told = strangers.xclient(postfix.relaying)
        if asked.offers_xclient and not told and strangers.believes(postfix.relaying, servers[0]):
            faults.append(
                f"port {listener.port} offers XCLIENT to the controller at {asked.address}, which may so say that it "
                "is in mynetworks, and relay: take that address out of smtpd_authorized_xclient_hosts"
            )
    none_of(faults)
    if not judged:
        pytest.skip("no listener can be reached from the controller, or the controller may relay")


def smtp_doors(postfix: Postfix) -> list[tuple[Service, list[Service]]]:
    """The listeners that speak SMTP at once, and the servers behind each."""
    relaying, found = postfix.relaying, []
    behind = relaying.of("smtpd", "pass")
    for service in relaying.of("smtpd"):
        found.append((service, [service]))
    for service in relaying.of("postscreen"):
        found.append((service, behind))
    return [
        (service, servers)
        for service, servers in found
        if servers and not service[f"{service.command}_upstream_proxy_protocol"]
    ]


def is_trusted(postfix: Postfix, server: Service, address: str) -> bool:
    """Whether the configuration lets that address relay: it may, or another test tells that everybody may."""
    client = Client(address, f"{USER}@{FOREIGN}", trusts_networks=True)
    return postfix.relaying.relayed(server, client) is not None


def questions_for(postfix: Postfix) -> list[Question]:
    """Fewer than smtpd_soft_error_limit, behind which each answer takes a second."""
    own, main = own_domain(postfix), postfix.relaying.main
    plain, foreign = f"{USER}@{FOREIGN}", f"{USER}@{STRANGER}"
    routing = "set allow_untrusted_routing = no"
    by_sender = (
        "a sender is no proof, so put reject_unauth_destination before what permits by it "
        "(smtpd_relay_restrictions, smtpd_recipient_restrictions)"
    )
    found = [
        Question("", plain, GUARD),
        Question(foreign, plain, GUARD),
        Question(f"{USER}@{own}", plain, by_sender),
        Question("", f"@{own}:{plain}", routing),
    ]
    # Where these are off, such an address is one of the domain, and no route.
    if main["allow_percent_hack"] != "no":
        found.append(Question("", f"{USER}%{FOREIGN}@{own}", routing))
    if main["swap_bangpath"] != "no":
        found.append(Question("", f"{FOREIGN}!{USER}@{own}", routing))
    if main["resolve_dequoted_address"] != "no":
        found.append(Question("", f'"{plain}"@{own}', routing))
    return found


def own_domain(postfix: Postfix) -> str:
    """A domain that this host takes mail for; one that it hands on comes first."""
    main = postfix.relaying.main
    names = ("relay_domains", "virtual_mailbox_domains", "virtual_alias_domains", "mydestination")
    words = [word for name in names for word in main.words(name)]
    plain = [word for word in words if "." in word[1:] and not set(word) & set(":/!")]
    return plain[0].lstrip(".") if plain else postfix["myhostname"]


def ask_to_relay(address: str, listener: Listener, implicit: bool, questions: list[Question]) -> Asked:
    """Envelopes of messages to a foreign domain, each up to the server's answer to RCPT. No message is sent."""
    untrusting = ssl.create_default_context()
    untrusting.check_hostname, untrusting.verify_mode = False, ssl.CERT_NONE
    deadline = time.monotonic() + SECONDS
    asked = Asked("")
    try:
        with (
            smtplib.SMTP_SSL(address, listener.port, timeout=10, context=untrusting)
            if implicit
            else smtplib.SMTP(address, listener.port, timeout=10)
        ) as client:
            client.ehlo()
            if not implicit and client.has_extn("starttls"):
                client.starttls(context=untrusting)
                client.ehlo()
            asked = Asked(client.sock.getsockname()[0], offers_xclient=client.has_extn("xclient"))
            for question in questions:
                code, text = client.docmd(f"MAIL FROM:<{question.sender}>")
                if code < 400:
                    code, text = client.docmd(f"RCPT TO:<{question.recipient}>")
                asked = asked._replace(judged=True)
                if 200 <= code < 400:
                    asked = asked._replace(taken=(question, f"{code} {text.decode('utf-8', 'replace')}"))
                    break
                if time.monotonic() > deadline:
                    break
                client.rset()
    except (OSError, smtplib.SMTPException):
        pass
    return asked


def connects(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), 5):
            return True
    except OSError:
        return False
