"""The fault table: every case is a host with one behaviour, and the one verdict that is right about it.

Rule of this file: a verdict stands here because it is what a postmaster at that host should be told, never because it
is what the probe says. Where the judgement is Postfix's (certificates, fallbacks), it is what Postfix does.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ssl
import time
from typing import Any, NamedTuple

from faults.network import RESOLVER
from faults.servers import (
    LONG_TOKEN,
    PASSWORD,
    TOKEN,
    USERNAME,
    Action,
    Peer,
    Serve,
    Smtp,
    Step,
    Tls,
    b64,
    close,
    first,
    hold,
    reset,
    then,
)

TIMEOUT = 6.0
CONNECT_TIMEOUT = 3.0
# What a verdict may take that need not wait for anything: much for a loopback, but the machine may be busy.
QUICK = 2.5
# The same where the server or a retry makes the probe wait for a second or two.
SOON = 4.5
# A verdict that falls at a deadline falls within this of it.
TOLERANCE = 1.5

# What the options of a probe are, beside timeout, connect_timeout, retries=0 and the test's own ca_path (a ca_path
# here is a file in the directory of certificates).
POLICIES: dict[str, dict[str, Any]] = {
    "usual": {},
    "retrying": {"retries": 2},
    "both": {"family": "both"},
    "families checked": {"check_families": True},
    "ipv4": {"family": "ipv4"},
    "ipv6": {"family": "ipv6"},
    "envelope": {"mail_from": "postmaster@fault.test", "rcpt_to": "someone@example.com"},
    "bounce": {"mail_from": "", "rcpt_to": "someone@example.com"},
    "not validating": {"validate_certs": False},
    "tls 1.3 only": {"min_tls_version": "1.3"},
    "tls 1.0 allowed": {"min_tls_version": "1.0"},
    "a month of validity": {"min_days": 30},
    "check injection": {"check_injection": True},
    "second address": {"source_address": "198.19.0.3"},
    "foreign address": {"source_address": "192.0.2.1"},
    # Twenty ports, three at a time, of a server that takes more than a second for each.
    "many ports": {"timeout": 2 * TIMEOUT},
    "one second": {"timeout": 1.0},
    "own certificate trusted": {"ca_path": "certificate_self_signed_and_trusted.pem"},
    "intermediate trusted": {"ca_path": "certificate_root_not_trusted.pem"},
    "system authorities": {"ca_path": None},
    "no authorities": {"ca_path": None},
    "named": {"helo_name": "mail.client.test"},
    "name server drops": {},
    "name server rejects": {},
    "dns first": {},
    "search list": {},
    "wildcard in the search list": {},
}


class NameService(NamedTuple):
    """Where a policy's client looks for names: resolv.conf and nsswitch.conf."""

    resolver: str = RESOLVER
    search: str = ""
    sources: str = "files dns"


# What a policy's client has, where it is not the usual.
NAME_SERVICES = {
    "name server drops": NameService("198.18.0.54"),
    "name server rejects": NameService("198.18.0.55"),
    "dns first": NameService(sources="dns files"),
    "search list": NameService(search="nowhere.test office.test"),
    "wildcard in the search list": NameService(search="wild.test"),
}


class Login(NamedTuple):
    username: str = USERNAME
    password: str = PASSWORD
    mechanism: str = "auto"


class Dns(NamedTuple):
    """How the name server answers for a host, where it is not just its addresses."""

    rcode: int = 0
    failures: int = 0
    """How many queries of each type get rcode before the true answer comes; 0: all of them."""
    silent: tuple[str, ...] = ()
    """Types of query that get no answer."""
    addresses: tuple[str, ...] | None = None
    aliases: int = 0
    """So many aliases lead from the name to its addresses."""
    one_by_one: bool = False
    """An answer holds one alias alone; the next is to be asked for."""
    nowhere: bool = False
    """The last of the aliases leads to a name that does not exist."""
    large: bool = False
    """The answer is too large for UDP: it comes over TCP."""
    wildcard: bool = False
    """Whatever is below the name of the host has its addresses."""
    exchangers: tuple[str, ...] = ()
    """The hosts of its MX records, the preferred one first."""


class Case(NamedTuple):
    name: str
    verdict: str
    serve: Serve | None = None
    """None: nothing listens."""
    port: int = 587
    tls: str = "auto"
    stage: str = ""
    """Where another stage than the verdict's own is meant."""
    policy: str = "usual"
    certificate: str = "good"
    families: str = "4"
    """4, 6 or 46: of which families the host has addresses."""
    way: tuple[str, ...] = ()
    """Rules of the server's firewall, with {4}, {6} and {port} for the host's addresses and port."""
    way_back: tuple[str, ...] = ()
    """Rules for what the server sends."""
    own_firewall: tuple[str, ...] = ()
    """The same in the client's."""
    route: str = ""
    """A type of route in the client for the host's addresses: blackhole, unreachable, prohibit."""
    dns: Dns = Dns()
    hosts: str = ""
    """The address that the client's /etc/hosts has for the name; {4} and {6} are the host's."""
    login: Login | None = None
    server_name: str = ""
    domain: str = ""
    """The name of the host, where it is not made of the case's."""
    host: str = ""
    """What to probe in place of the host's name; {4} and {6} are its addresses."""
    says: tuple[str, ...] = ()
    """What the reason has to hold."""
    advises: str = ""
    """What the advice has to hold."""
    problems: tuple[str, ...] = ()
    """What certificate.problems has to be, for a case about certificates."""
    at: float | None = None
    """Seconds after which the verdict falls; None: at once (QUICK)."""
    within: float | None = None
    """Seconds it may take in place of that, where no exact time is right."""
    attempts: int = 1
    ipv6: str = ""
    """The verdict of the second result, where both families are asked for and present; the first is that of IPv4."""
    ports: tuple[int, ...] = ()
    """Further ports of the host that are probed too, with the same verdict."""
    found: tuple[tuple[str, object], ...] = ()
    """Other keys of the result and what they have to be."""


STARTTLS = "STARTTLS"
ESMTP = "220 {name} ESMTP ready"
PLAIN = ("PIPELINING", "8BITMIME")


def _hear_then(*actions: Step) -> Serve:
    """Wait for whatever the client says first."""
    return then(lambda peer: peer.hear_anything(), *actions)


def _hear(peer: Peer) -> None:
    peer.hear()


def _slowly(pause: float) -> Serve:
    """The reply to EHLO, after a pause."""

    def serve(peer: Peer) -> None:
        time.sleep(pause)
        peer.say("250 {name}" if peer.encrypted else "250-{name}\r\n250 STARTTLS")

    return serve


def _through_tls(*actions: Step) -> Serve:
    return then(lambda peer: peer.encrypt(), *actions)


def _tls_record_then(*actions: Step) -> dict[str, Action]:
    """Agree to STARTTLS, read the ClientHello, and go on as told."""
    return {STARTTLS: then("220 2.0.0 go ahead", lambda peer: peer.hear_anything(), *actions)}


def _alert(description: int) -> bytes:
    return bytes([0x15, 3, 3, 0, 2, 2, description])


def _pix(peer: Peer) -> None:
    """The inspection of an old firewall: the greeting masked, every verb it does not know overwritten."""
    peer.say("220 ****************************************************02******0*0")
    while True:
        verb = peer.hear().partition(" ")[0].upper()
        known = {
            "HELO": "250 {name}",
            "QUIT": "221 bye",
            "MAIL": "250 ok",
            "RCPT": "250 ok",
            "RSET": "250 ok",
        }
        peer.say(known.get(verb, '500 5.5.1 Command unrecognized: "XXXX"'))
        if verb == "QUIT":
            peer.close()


def _ftp(peer: Peer) -> None:
    peer.say("220 (vsFTPd 3.0.3)")
    while peer.hear().upper() != "QUIT":
        peer.say("530 Please login with USER and PASS.")
    peer.say("221 Goodbye.")


def _nntp(peer: Peer) -> None:
    peer.say("200 news.example.com InterNetNews ready")
    while peer.hear().upper() != "QUIT":
        peer.say("500 What?")
    peer.say("205 Bye!")


def _lmtp(peer: Peer) -> None:
    peer.say("220 {name} LMTP ready")
    while peer.hear().upper() != "QUIT":
        peer.say("500 5.5.1 Unknown command, this is LMTP: use LHLO")
    peer.say("221 2.0.0 Bye")


def _impatient(peer: Peer) -> None:
    """A server that ends a connection on which a command was pipelined behind STARTTLS."""
    smtp = Smtp(replies={STARTTLS: _starttls_alone})
    smtp(peer)


def _starttls_alone(peer: Peer) -> None:
    if peer.has_more():
        peer.say("554 5.5.1 Error: command after STARTTLS")
        peer.close()
    peer.say("220 2.0.0 Ready to start TLS")
    peer.encrypt()


def _shy(peer: Peer) -> None:
    """A server that takes four connections of one client at a time, slow in noticing that one has ended."""
    slow: dict[str, Action] = {
        "EHLO": then(0.4, "250-{name}\r\n250 STARTTLS"),
        "tls EHLO": then(0.4, "250 {name}"),
        "QUIT": then(0.4, close),
    }
    serve: Serve = Smtp(replies=slow)
    if peer.host.open_now > 4:
        time.sleep(0.3)
    if peer.host.open_now > 4:
        serve = then("421 4.7.0 {name} Too many connections from your address", close)
    serve(peer)


def _auth(mechanisms: str = "PLAIN LOGIN", **more: Any) -> Smtp:
    return Smtp(auth=mechanisms, **more)


def _ask_for_ever(peer: Peer) -> None:
    while True:
        peer.say("334 " + b64("again"))
        peer.hear()


GARBAGE = bytes(range(128, 256)) * 4
HOSTILE = (
    "554 go \x1b]0;owned\x07\x1b[31m away \u202eknil\u202c \x00\x9b2J ".encode() + b"\xff\xfe\x80 end\r\n"
)
ESCAPED = ("\\x1b", "\\u202e", "\\x00", "end")

# A case is a row of the table: one line where that can be.
# fmt: off

RESOLVE = (
    Case("name_does_not_exist", "dns_not_found", dns=Dns(rcode=3)),
    Case("name_has_no_address", "dns_not_found", dns=Dns(addresses=())),
    Case("name_has_mail_servers_alone", "dns_not_found", dns=Dns(addresses=(), exchangers=("mx1.test", "mx2.test")), says=("only MX records (mx1.test, mx2.test)",), advises="Write mx1.test or mx2.test if"),
    Case("name_that_takes_no_mail", "dns_not_found", dns=Dns(addresses=(), exchangers=("",)), says=("no such record",)),
    Case("name_server_silent_about_mail_servers", "dns_not_found", dns=Dns(addresses=(), silent=("MX",)), at=1.0),
    Case("name_has_no_ipv4_address", "dns_not_found", Smtp(), families="6", policy="ipv4"),
    Case("name_has_no_ipv6_address", "dns_not_found", Smtp(), policy="ipv6"),
    Case("name_server_fails", "dns_failure", dns=Dns(rcode=2)),
    Case("name_server_refuses", "dns_failure", dns=Dns(rcode=5)),
    Case("name_server_fails_once", "ok", Smtp(), dns=Dns(rcode=2, failures=2), policy="retrying", within=SOON, attempts=2),
    Case("name_server_silent", "dns_failure", dns=Dns(silent=("A", "AAAA")), at=TIMEOUT),
    Case("name_server_silent_about_ipv6", "ok", Smtp(), dns=Dns(silent=("AAAA",)), within=TIMEOUT),
    Case("name_server_dropped", "dns_failure", policy="name server drops", at=TIMEOUT),
    Case("name_server_port_unreachable", "dns_failure", policy="name server rejects", within=TIMEOUT),
    Case("name_is_an_alias", "ok", Smtp(), dns=Dns(aliases=1)),
    Case("name_is_the_first_of_three_aliases", "ok", Smtp(), dns=Dns(aliases=3), found=(("lookup", "dns"),)),
    Case("name_is_an_alias_that_comes_alone", "ok", Smtp(), dns=Dns(aliases=2, one_by_one=True), found=(("lookup", "dns"),)),
    Case("name_leads_nowhere", "dns_not_found", dns=Dns(aliases=1, nowhere=True), says=("alias of alias-of-name-leads-nowhere",), advises="Correct the alias (CNAME) of"),
    Case("name_leads_nowhere_alias_alone", "dns_not_found", dns=Dns(aliases=1, nowhere=True, one_by_one=True), says=("alias of",), advises="Correct the alias (CNAME) of"),
    Case("name_has_ipv6_alone", "ok", Smtp(), families="6", found=(("family", "ipv6"), ("lookup", "dns"))),
    Case(
        "name_with_a_large_answer", "ok", Smtp(), found=(("lookup", "dns"),), within=SOON,
        dns=Dns(large=True, addresses=("{4}", *("198.18.0.%d" % n for n in range(100, 180)))),
    ),
    Case("name_in_the_hosts_file_alone", "ok", Smtp(), dns=Dns(rcode=3), hosts="{4}", found=(("lookup", "native"),)),
    Case("name_in_the_hosts_file_over_dns", "ok", Smtp(), dns=Dns(addresses=("198.18.0.230",)), hosts="{4}", found=(("lookup", "native"),)),
    Case("name_in_dns_over_the_hosts_file", "ok", Smtp(), hosts="198.18.0.230", policy="dns first", found=(("lookup", "dns"),)),
    Case("name_in_the_hosts_file_after_dns", "ok", Smtp(), dns=Dns(rcode=3), hosts="{4}", policy="dns first", found=(("lookup", "native"),)),
    Case("short_name_completed", "dns_not_found", Smtp(), host="relay", domain="relay.office.test", policy="search list", says=("relay.office.test",), advises="relay.office.test"),
    Case("name_with_a_dot_completed", "dns_not_found", Smtp(), host="mail.north", domain="mail.north.office.test", policy="search list", says=("mail.north.office.test",), advises="mail.north.office.test"),
    Case("short_name_in_the_hosts_file", "ok", Smtp(), host="smarthost", domain="smarthost", dns=Dns(rcode=3), hosts="{4}", policy="search list", found=(("lookup", "native"),)),
    Case("name_server_fails_with_a_search_list", "dns_failure", dns=Dns(rcode=2), policy="search list"),
    Case("full_name_with_a_search_list", "ok", Smtp(), policy="search list", found=(("lookup", "dns"),)),
    Case("name_does_not_exist_with_a_search_list", "dns_not_found", dns=Dns(rcode=3), policy="search list"),
    Case("mistyped_name_and_a_wildcard", "dns_not_found", Smtp(), host="smtp.exmaple.test", domain="wild.test", dns=Dns(wildcard=True), policy="wildcard in the search list", says=("smtp.exmaple.test.wild.test",)),
    Case("name_is_sinkholed", "refused", dns=Dns(addresses=("0.0.0.0",))),
    Case("name_is_a_multicast_address", "unreachable", dns=Dns(addresses=("224.0.0.1",))),
    Case("name_server_silent_for_a_second", "dns_failure", dns=Dns(silent=("A", "AAAA")), policy="one second", at=1.0),
    Case("name_in_unicode", "ok", Smtp(), host="bücher.fault.test", domain="xn--bcher-kva.fault.test"),
    Case("address_literal_ipv4", "ok", Smtp(), host="{4}", certificate="address"),
    Case("address_literal_ipv6", "ok", Smtp(), host="[{6}]", certificate="address", families="6"),
)

_REJECT4 = "ip daddr {4} tcp dport {port} reject with "
_REJECT6 = "ip6 daddr {6} tcp dport {port} reject with "
_DROP4 = "ip daddr {4} tcp dport {port} drop"
_DROP6 = "ip6 daddr {6} tcp dport {port} drop"

CONNECT = (
    Case("closed_port", "refused"),
    Case("closed_port_of_a_domain", "refused", dns=Dns(exchangers=("mx.test",)), advises="Write mx.test if that is the relay you mean."),
    Case("dropped_port_of_a_domain", "filtered", Smtp(), way=(_DROP4,), dns=Dns(exchangers=("mx.test",)), at=CONNECT_TIMEOUT, advises="Write mx.test if"),
    Case("closed_port_ipv6", "refused", families="6"),
    Case("reject_tcp_reset", "refused", Smtp(), way=(_REJECT4 + "tcp reset",)),
    Case("reject_tcp_reset_ipv6", "refused", Smtp(), families="6", way=(_REJECT6 + "tcp reset",)),
    Case("reject_port_unreachable", "refused", Smtp(), way=(_REJECT4 + "icmp type port-unreachable",)),
    Case("reject_port_unreachable_ipv6", "refused", Smtp(), families="6", way=(_REJECT6 + "icmpv6 type port-unreachable",)),
    Case("own_firewall_resets", "refused", Smtp(), own_firewall=(_REJECT4 + "tcp reset",)),
    Case("drop", "filtered", Smtp(), way=(_DROP4,), at=CONNECT_TIMEOUT),
    Case("drop_ipv6", "filtered", Smtp(), families="6", way=(_DROP6,), at=CONNECT_TIMEOUT),
    Case("drop_port_25", "filtered", Smtp(), port=25, way=(_DROP4,), at=CONNECT_TIMEOUT),
    Case("drop_port_465", "filtered", Smtp(implicit=True), port=465, way=(_DROP4,), at=CONNECT_TIMEOUT),
    Case("own_firewall_drops", "filtered", Smtp(), own_firewall=(_DROP4,), at=CONNECT_TIMEOUT),
    Case("drop_not_retried", "filtered", Smtp(), way=(_DROP4,), policy="retrying", at=CONNECT_TIMEOUT),
    Case("drop_both_families", "filtered", Smtp(), families="46", way=(_DROP4, _DROP6), at=CONNECT_TIMEOUT, within=CONNECT_TIMEOUT + 2.0),
    Case("drop_with_a_short_timeout", "filtered", Smtp(), way=(_DROP4,), policy="one second", at=1.0),
    Case(
        "twelve_addresses_dropped", "filtered", dns=Dns(addresses=tuple("198.18.0.%d" % n for n in range(210, 222))),
        way=("ip daddr 198.18.0.208/28 drop",), at=CONNECT_TIMEOUT,
    ),
    Case(
        "three_addresses_dropped_fourth_well", "ok", Smtp(),
        dns=Dns(addresses=("198.18.0.210", "198.18.0.211", "198.18.0.212", "{4}")),
    ),
    Case("reject_admin_prohibited", "unreachable", Smtp(), way=(_REJECT4 + "icmp type admin-prohibited",)),
    Case("reject_host_prohibited", "unreachable", Smtp(), way=(_REJECT4 + "icmp type host-prohibited",)),
    Case("reject_net_prohibited", "unreachable", Smtp(), way=(_REJECT4 + "icmp type net-prohibited",)),
    Case("reject_host_unreachable", "unreachable", Smtp(), way=(_REJECT4 + "icmp type host-unreachable",)),
    Case("reject_net_unreachable", "unreachable", Smtp(), way=(_REJECT4 + "icmp type net-unreachable",)),
    Case(
        "reject_admin_prohibited_ipv6", "unreachable", Smtp(), families="6",
        way=(_REJECT6 + "icmpv6 type admin-prohibited",),
    ),
    Case("reject_no_route_ipv6", "unreachable", Smtp(), families="6", way=(_REJECT6 + "icmpv6 type no-route",)),
    Case("reject_addr_unreachable_ipv6", "unreachable", Smtp(), families="6", way=(_REJECT6 + "icmpv6 type addr-unreachable",)),
    Case("reject_policy_fail_ipv6", "unreachable", Smtp(), families="6", way=(_REJECT6 + "icmpv6 type policy-fail",)),
    Case("reject_route_ipv6", "unreachable", Smtp(), families="6", way=(_REJECT6 + "icmpv6 type reject-route",)),
    Case("own_firewall_prohibits", "unreachable", Smtp(), own_firewall=(_REJECT4 + "icmp type admin-prohibited",)),
    Case("route_is_a_blackhole", "unreachable", Smtp(), route="blackhole"),
    Case("route_is_unreachable", "unreachable", Smtp(), route="unreachable"),
    Case("route_is_prohibited", "unreachable", Smtp(), route="prohibit"),
    Case("route_is_a_blackhole_ipv6", "unreachable", Smtp(), families="6", route="blackhole"),
    Case("no_route", "unreachable", dns=Dns(addresses=("203.0.113.7",))),
    Case("only_ipv6_address_and_no_route", "unreachable", dns=Dns(addresses=("2001:db8::7",))),
    Case("no_neighbour_on_the_link", "unreachable", dns=Dns(addresses=("198.19.0.77",))),
    Case("source_address_not_here", "unreachable", Smtp(), policy="foreign address", says=("192.0.2.1",)),
    Case("source_address_kept", "ok", Smtp(), policy="second address"),
    Case("source_address_ipv4_and_both_families", "ok", Smtp(), families="46", policy="second address"),
    Case("ipv4_dropped_ipv6_well", "ok", Smtp(), families="46", way=(_DROP4,), found=(("family", "ipv6"),)),
    Case("ipv6_dropped_ipv4_well", "ok", Smtp(), families="46", way=(_DROP6,), found=(("family", "ipv4"),)),
    Case("ipv6_reset_ipv4_well", "ok", Smtp(), families="46", way=(_REJECT6 + "tcp reset",), found=(("family", "ipv4"),)),
    Case("ipv6_dropped_is_told", "ok", Smtp(), families="46", way=(_DROP6,), policy="families checked", found=(("family", "ipv4"), ("silent", 1))),
    Case("ipv4_dropped_is_told", "ok", Smtp(), families="46", way=(_DROP4,), policy="families checked", found=(("family", "ipv6"), ("silent", 1))),
    Case("both_well_is_told", "ok", Smtp(), families="46", policy="families checked", found=(("silent", 0),)),
    Case("ipv6_reset_is_no_silence", "ok", Smtp(), families="46", way=(_REJECT6 + "tcp reset",), policy="families checked", found=(("silent", 0),)),
    Case("ipv6_without_a_route_is_no_silence", "ok", Smtp(), dns=Dns(addresses=("2001:db8::7", "{4}")), policy="families checked", found=(("silent", 0),)),
    Case(
        "ipv6_prohibited_ipv4_well", "ok", Smtp(), families="46", found=(("family", "ipv4"),),
        way=(_REJECT6 + "icmpv6 type admin-prohibited",),
    ),
    Case(
        "ipv6_has_no_route_ipv4_well", "ok", Smtp(), dns=Dns(addresses=("2001:db8::7", "{4}")), found=(("family", "ipv4"),)
    ),
    Case(
        "ipv6_has_no_route_ipv4_dropped", "filtered", Smtp(), dns=Dns(addresses=("2001:db8::7", "{4}")), way=(_DROP4,),
        at=CONNECT_TIMEOUT,
    ),
    Case("ipv6_has_no_route_ipv4_refused", "refused", dns=Dns(addresses=("2001:db8::7", "{4}"))),
    Case("first_address_refuses_second_well", "ok", Smtp(), dns=Dns(addresses=("198.18.0.200", "{4}"))),
    Case(
        "first_address_drops_second_well", "ok", Smtp(), dns=Dns(addresses=("198.18.0.201", "{4}")),
        way=("ip daddr 198.18.0.201 tcp dport 587 drop",),
    ),
    Case("both_well", "ok", Smtp(), families="46", policy="both", ipv6="ok"),
    Case("both_ipv6_dropped", "ok", Smtp(), families="46", policy="both", way=(_DROP6,), ipv6="filtered", at=CONNECT_TIMEOUT),
    Case("both_ipv4_reset", "refused", Smtp(), families="46", policy="both", way=(_REJECT4 + "tcp reset",), ipv6="ok"),
    Case(
        "both_ipv6_has_no_route", "ok", Smtp(), dns=Dns(addresses=("2001:db8::7", "{4}")), policy="both",
        ipv6="unreachable",
    ),
    Case("both_and_only_ipv4", "ok", Smtp(), policy="both"),
    Case("both_and_an_address_literal", "ok", Smtp(), policy="both", host="{4}", certificate="address"),
    Case("first_packet_lost", "ok", Smtp(), way=("ip daddr {4} tcp flags syn numgen inc mod 2 0 drop",), within=SOON),
    Case(
        "packets_after_the_greeting_vanish", "stalled", Smtp(), stage="ehlo", at=TIMEOUT,
        way=("ip daddr {4} tcp flags & psh == psh drop",),
    ),
    Case(
        "large_packets_vanish", "stalled", Smtp(), certificate="huge", stage="tls", at=TIMEOUT,
        way_back=("ip saddr {4} meta length > 1000 drop",),
    ),
    Case("one_family_asked_other_dropped", "ok", Smtp(), families="46", way=(_DROP6,), policy="ipv4"),
)

GREETING = (
    Case("tarpit", "no_greeting", hold, at=TIMEOUT),
    Case("tarpit_for_a_second", "no_greeting", hold, policy="one second", at=1.0),
    Case("tarpit_implicit", "no_greeting", hold, port=465, at=TIMEOUT),
    Case("tarpit_after_the_handshake", "no_greeting", _through_tls(hold), port=465, at=TIMEOUT),
    Case("http_server_waits", "no_greeting", _hear_then("HTTP/1.1 400 Bad Request\r\n\r\n", close), at=TIMEOUT),
    Case("greeting_dripped", "stalled", lambda peer: peer.drip(b"220 " + b"x" * 100, 1.0), stage="greeting", at=TIMEOUT),
    Case("greeting_never_finished", "stalled", then(b"220-wait", hold), stage="greeting", at=TIMEOUT),
    Case("greeting_first_line_then_silence", "stalled", then("220-{name} wait", hold), stage="greeting", at=TIMEOUT),
    Case("greeting_after_two_seconds", "ok", Smtp(greeting=then(2.0, ESMTP)), within=SOON),
    Case("greeting_in_two_halves", "ok", Smtp(greeting=then("220-{name} one moment", 2.0, ESMTP)), within=SOON),
    Case("greeting_dripped_in_time", "ok", Smtp(greeting=lambda peer: peer.drip(b"220 mx ESMTP\r\n", 0.1)), within=SOON),
    Case("closed_at_once", "disconnected", close),
    Case("reset_at_once", "disconnected", reset),
    Case("closed_in_the_greeting", "disconnected", then(b"220 half a gree", close)),
    Case("reset_in_the_greeting", "disconnected", then(b"220 half a gree", 0.1, reset)),
    Case("closed_after_a_second", "disconnected", then(1.0, close), within=SOON),
    Case("closed_after_the_greeting", "disconnected", then(ESMTP, 0.2, close), stage="ehlo"),
    Case("reset_after_the_greeting", "disconnected", then(ESMTP, 0.2, reset), stage="ehlo"),
    Case("closed_once", "ok", first(close, Smtp()), policy="retrying", attempts=2, within=SOON),
    Case("reset_once", "ok", first(reset, Smtp()), policy="retrying", attempts=2, within=SOON),
    Case("closed_always", "disconnected", close, policy="retrying", attempts=3, within=TIMEOUT),
    Case("greeting_554", "greeting_rejected", then("554 5.7.1 {name} your address is listed", hold), says=("554 5.7.1", "listed")),
    Case("greeting_554_and_close", "greeting_rejected", then("554 no service here", close), says=("no service here",)),
    Case("greeting_521", "greeting_rejected", then("521 {name} does not accept mail", close), says=("521",)),
    Case("greeting_554_multi_line", "greeting_rejected", then("554-one\r\n554 two", hold), says=("one", "two")),
    Case("greeting_554_not_retried", "greeting_rejected", then("554 go away", hold), policy="retrying"),
    Case("greeting_554_hostile_words", "greeting_rejected", then(HOSTILE, hold), says=ESCAPED),
    Case("greeting_554_foreign_words", "greeting_rejected", then("554 5.7.1 Zugriff für diese Adresse gesperrt ✋", hold), says=("für diese", "✋")),
    Case("greeting_554_implicit", "greeting_rejected", Smtp(greeting="554 not for you", implicit=True), port=465, says=("not for you",)),
    Case("greeting_421", "greeting_deferred", then("421 4.3.2 {name} too busy", close), says=("421 4.3.2", "too busy")),
    Case("greeting_450", "greeting_deferred", then("450 4.7.1 not now", hold), says=("not now",)),
    Case("greeting_421_once", "ok", first(then("421 busy", close), Smtp()), policy="retrying", attempts=2, within=SOON),
    Case("greeting_421_always", "greeting_deferred", then("421 busy", close), policy="retrying", attempts=3, within=TIMEOUT),
    Case("http_server_speaks", "not_smtp", then("HTTP/1.1 408 Request Time-out\r\nConnection: close\r\n\r\n", close), says=("A web server", "HTTP"), advises="captive portal"),
    Case("ssh_server", "not_smtp", then("SSH-2.0-OpenSSH_9.2p1 Debian-2", hold), says=("SSH-2.0",)),
    Case("imap_server", "not_smtp", then("* OK [CAPABILITY IMAP4rev1] Dovecot ready.", hold), says=("* OK",)),
    Case("pop3_server", "not_smtp", then("+OK Dovecot ready.", hold), says=("+OK",)),
    Case("nntp_server", "not_smtp", _nntp, says=("InterNetNews",)),
    Case("ftp_server", "not_smtp", _ftp, says=("vsFTPd",)),
    Case("lmtp_server", "not_smtp", _lmtp, says=("LMTP",)),
    Case("mysql_server", "not_smtp", then(b"J\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00", hold)),
    Case("vnc_server", "not_smtp", then(b"RFB 003.008\n", hold), says=("RFB",)),
    Case("telnet_server", "not_smtp", then(b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27", hold)),
    Case("binary_garbage", "not_smtp", then(GARBAGE, hold)),
    Case("binary_garbage_like_tls", "not_smtp", then(b"\x16" + GARBAGE, hold)),
    Case("zero_bytes", "not_smtp", then(b"\x00" * 100, hold)),
    Case("imaps_server", "not_smtp", _through_tls("* OK IMAP4rev1 ready", hold), port=465, says=("* OK",)),
    Case("ssh_server_on_implicit_port", "not_smtp", then("SSH-2.0-OpenSSH_9.2p1", hold), port=465, says=("SSH-2.0",)),
    Case("http_server_on_implicit_port", "not_smtp", _hear_then("HTTP/1.1 400 Bad Request\r\n\r\n", close), port=465),
    Case("greeting_endless_line", "protocol_error", then(b"220 ", lambda peer: peer.flood(b"x" * 1024)), stage="greeting"),
    Case("greeting_of_a_megabyte", "protocol_error", then(b"220 " + b"x" * 1048576 + b"\r\n", hold), stage="greeting"),
    Case("greeting_endless_lines", "protocol_error", lambda peer: peer.flood(b"220-more\r\n"), stage="greeting"),
    Case("greeting_multi_line", "ok", Smtp(greeting="220-{name} ESMTP\r\n220-No spam,\r\n220-please\r\n220 go on")),
    Case("greeting_without_esmtp", "ok", Smtp(greeting="220 {name} ready")),
    Case("greeting_bare_code", "starttls_absent", Smtp(greeting=b"220\r\n"), says=("HELO",), advises="smtp_pix_workarounds"),
    Case("greeting_bare_code_opportunistic", "ok", Smtp(greeting=b"220\r\n"), port=25, says=("HELO",), found=(("tls_version", None),)),
    Case("greeting_bare_code_implicit", "ok", Smtp(greeting=b"220\r\n", implicit=True), port=465),
    Case("greeting_250", "ok", Smtp(greeting="250 {name} ESMTP")),
    Case("greeting_bare_line_feed", "ok", Smtp(greeting=b"220 mx ESMTP\n")),
    Case("greeting_hostile_words", "ok", Smtp(greeting=b"220" + HOSTILE[3:])),
    Case("greeting_byte_by_byte", "ok", Smtp(greeting=lambda peer: peer.drip(b"220 mx ESMTP\r\n", 0.005))),
)

EHLO = (
    Case("ehlo_only_helo_where_tls_is_needed", "ehlo_rejected", Smtp(replies={"EHLO": "502 5.5.1 not implemented"}), says=("502",)),
    Case("ehlo_only_helo_opportunistic", "ok", Smtp(replies={"EHLO": "502 not implemented"}), port=25),
    Case("ehlo_only_helo_plain", "ok", Smtp(replies={"EHLO": "500 what?"}), tls="none"),
    Case("ehlo_and_helo_refused", "ehlo_rejected", Smtp(replies={"EHLO": "550 who?", "HELO": "550 who?"}), port=25, says=("who?",)),
    Case("ehlo_name_refused", "ehlo_rejected", Smtp(replies={"EHLO": "504 5.5.2 <client>: need a fully-qualified name"}), says=("504",)),
    Case("ehlo_451", "ehlo_deferred", Smtp(replies={"EHLO": "451 4.7.1 later"}), says=("451",)),
    Case("ehlo_451_helo_well_opportunistic", "ok", Smtp(replies={"EHLO": "451 4.7.1 later"}), port=25),
    Case("ehlo_421", "ehlo_deferred", Smtp(replies={"EHLO": then("421 4.7.0 closing", close)}), port=25, says=("421",)),
    Case("ehlo_and_helo_refused_under_tls", "ehlo_rejected", Smtp(replies={"tls EHLO": "550 not twice", "tls HELO": "550 no"}), stage="ehlo"),
    Case("ehlo_only_helo_under_tls", "ok", Smtp(replies={"tls EHLO": "502 not twice"})),
    Case("ehlo_closed", "disconnected", Smtp(replies={"EHLO": close}), stage="ehlo"),
    Case("ehlo_reset", "disconnected", Smtp(replies={"EHLO": reset}), stage="ehlo"),
    Case("ehlo_silence", "stalled", Smtp(replies={"EHLO": hold}), stage="ehlo", at=TIMEOUT),
    Case("ehlo_dripped", "stalled", Smtp(replies={"EHLO": lambda peer: peer.drip(b"250-" + b"x" * 99, 1.0)}), stage="ehlo", at=TIMEOUT),
    Case("ehlo_last_line_never_comes", "stalled", Smtp(replies={"EHLO": then("250-{name}\r\n250-STARTTLS", hold)}), stage="ehlo", at=TIMEOUT),
    Case("ehlo_endless_lines", "protocol_error", Smtp(replies={"EHLO": lambda peer: peer.flood(b"250-X\r\n")}), stage="ehlo"),
    Case("ehlo_line_of_a_megabyte", "protocol_error", Smtp(replies={"EHLO": b"250 " + b"x" * 1048576 + b"\r\n"}), stage="ehlo"),
    Case("ehlo_garbage", "protocol_error", Smtp(replies={"EHLO": then(GARBAGE, hold)}), stage="ehlo"),
    Case("ehlo_line_without_code", "protocol_error", Smtp(replies={"EHLO": then("250-{name}\r\nSTARTTLS\r\n250 OK", hold)}), stage="ehlo"),
    Case("ehlo_two_codes", "protocol_error", Smtp(replies={"EHLO": then("250-{name}\r\n550 STARTTLS", hold)}), stage="ehlo"),
    Case("ehlo_lower_case_keywords", "ok", Smtp(ehlo=("size 1000", "starttls", "8bitmime"))),
    Case("ehlo_starttls_on_the_last_line", "ok", Smtp(ehlo=("SIZE 1000", STARTTLS))),
    Case("ehlo_starttls_with_blanks", "ok", Smtp(ehlo=("STARTTLS  ", "SIZE"))),
    Case("ehlo_equals_signs", "ok", Smtp(ehlo=("SIZE=1000", "STARTTLS="))),
    Case("ehlo_starttls_alone", "ok", Smtp(ehlo=(STARTTLS,))),
    Case("ehlo_starttls_offered_again", "ok", Smtp(ehlo_tls=(STARTTLS, "SIZE"))),
    Case("ehlo_bare_line_feeds", "ok", Smtp(replies={"EHLO": b"250-mx\n250-STARTTLS\n250 SIZE\n", "tls EHLO": b"250 mx\n"})),
    Case("ehlo_hostile_keywords", "ok", Smtp(ehlo=("X\x1b[31mRED", "\u202eDIB", "\x00", STARTTLS))),
    Case("ehlo_fifty_keywords", "ok", Smtp(ehlo=(*("XKEY%d with parameters" % i for i in range(50)), STARTTLS))),
    Case("ehlo_name_as_asked", "ok", Smtp(), policy="named"),
    Case("quit_silence", "ok", Smtp(replies={"QUIT": hold})),
    Case("quit_reset", "ok", Smtp(replies={"QUIT": reset})),
    Case("quit_refused", "ok", Smtp(replies={"QUIT": "500 no way out"})),
    Case("every_reply_slow", "ok", Smtp(greeting=then(0.6, ESMTP), replies={"EHLO": _slowly(0.6)}), within=SOON),
    Case("every_reply_slow_past_the_deadline", "stalled", Smtp(greeting=then(2.5, ESMTP), replies={"EHLO": _slowly(2.5)}), stage="ehlo", at=TIMEOUT),
    Case("plain_mode", "ok", Smtp(), tls="none", found=(("tls_version", None),)),
    Case("opportunistic_without_tls", "ok", Smtp(ehlo=PLAIN), port=25, found=(("tls_version", None),)),
    Case("opportunistic_with_tls", "ok", Smtp(), port=25, found=(("tls_version", "TLSv1.3"),)),
    Case("many_ports_of_a_shy_host", "ok", _shy, policy="many ports", ports=tuple(range(3001, 3020)), within=2 * TIMEOUT),
)

STARTTLS_CASES = (
    Case("starttls_not_offered", "starttls_absent", Smtp(ehlo=PLAIN, replies={STARTTLS: "502 5.5.1 not implemented"}), says=("PIPELINING",)),
    Case(
        "starttls_only_a_host_name", "starttls_absent",
        Smtp(replies={"EHLO": "250 STARTTLS", STARTTLS: "502 not implemented"}),
    ),
    Case("starttls_not_offered_port_25", "starttls_absent", Smtp(ehlo=PLAIN, replies={STARTTLS: "502 no"}), port=25, tls="starttls"),
    Case("stripped_asa", "starttls_stripped", Smtp(ehlo=("PIPELINING", "XXXXXXXA", "8BITMIME"), replies={STARTTLS: "500 no"}), says=("XXXXXXXA",)),
    Case("stripped_all_x", "starttls_stripped", Smtp(ehlo=("PIPELINING", "XXXXXXXX"), replies={STARTTLS: "500 no"}), says=("XXXXXXXX",)),
    Case("stripped_lettered_b", "starttls_stripped", Smtp(ehlo=("XXXXXXXB",), replies={STARTTLS: "500 no"}), says=("XXXXXXXB",)),
    Case("stripped_x_kept_letters", "starttls_stripped", Smtp(ehlo=("XXXRTTLS", "SIZE"), replies={STARTTLS: "500 no"}), says=("XXXRTTLS",)),
    Case("stripped_x_before_the_word", "starttls_stripped", Smtp(ehlo=("XXXSTARTTLS", "SIZE"), replies={STARTTLS: "500 no"}), says=("XXXSTARTTLS",)),
    Case("stripped_by_inspection", "starttls_stripped", _pix),
    Case("stripped_greeting_starttls_passes", "starttls_stripped", Smtp(greeting="220 *****2***0**********"), says=("HELO",), advises="smtp_pix_workarounds"),
    Case("stripped_tab_behind_the_word", "starttls_stripped", Smtp(ehlo=("SIZE", "STARTTLS\t"))),
    Case("stripped_command_500", "starttls_stripped", Smtp(replies={STARTTLS: "500 5.5.1 Command unrecognized"}), says=("500 5.5.1",)),
    Case("stripped_command_502", "starttls_stripped", Smtp(replies={STARTTLS: "502 5.5.1 not implemented"}), says=("502",)),
    Case("stripped_line_removed", "starttls_stripped", Smtp(ehlo=PLAIN)),
    Case("stripped_and_a_login", "starttls_stripped", Smtp(ehlo=("XXXXXXXA", "AUTH PLAIN LOGIN"), replies={STARTTLS: "500"}), login=Login()),
    Case("starttls_454", "starttls_rejected", Smtp(replies={STARTTLS: "454 4.7.0 TLS not available due to local problem"}), says=("454",)),
    Case("starttls_554", "starttls_rejected", Smtp(replies={STARTTLS: "554 5.7.3 Unable to initialize security subsystem"}), says=("554",)),
    Case("starttls_421", "starttls_rejected", Smtp(replies={STARTTLS: then("421 4.3.0 closing", close)}), says=("421",)),
    Case("starttls_250", "ok", Smtp(replies={STARTTLS: then("250 2.0.0 go ahead", lambda peer: peer.encrypt())})),
    Case("starttls_454_once", "ok", first(Smtp(replies={STARTTLS: "454 later"}), Smtp()), policy="retrying", attempts=2, within=SOON),
    Case("starttls_454_opportunistic", "ok", Smtp(replies={STARTTLS: "454 4.7.0 TLS not available"}), port=25),
    Case("starttls_closed", "disconnected", Smtp(replies={STARTTLS: close}), stage="tls"),
    Case("starttls_reset", "disconnected", Smtp(replies={STARTTLS: reset}), stage="tls"),
    Case("starttls_silence", "stalled", Smtp(replies={STARTTLS: hold}), stage="tls", at=TIMEOUT),
    Case("injected_with_the_220", "starttls_injection", Smtp(replies={STARTTLS: then(b"220 go ahead\r\n250 2.0.0 injected\r\n", hold)}), says=("injected",)),
    Case("injected_after_the_220", "starttls_injection", Smtp(replies={STARTTLS: then("220 go ahead", 0.2, "250 2.0.0 injected", hold)}), says=("injected",)),
    Case("injected_line_feed_only", "starttls_injection", Smtp(replies={STARTTLS: then(b"220 go ahead\r\n\r\n", hold)})),
    Case("pipelined_commands_executed", "starttls_injection", Smtp(keeps_pipelined=True), policy="check injection"),
    Case("pipelined_commands_dropped", "ok", Smtp(), policy="check injection"),
    Case("pipelined_commands_close", "ok", _impatient, policy="check injection", within=TIMEOUT),
    Case("pipelined_commands_not_tried", "ok", Smtp(keeps_pipelined=True)),
    Case("220_then_silence", "stalled", Smtp(replies={STARTTLS: then("220 go ahead", hold)}), stage="tls", at=TIMEOUT),
    Case("220_then_close", "tls_failed", Smtp(replies={STARTTLS: then("220 go ahead", close)})),
    Case("220_then_reset", "tls_failed", Smtp(replies={STARTTLS: then("220 go ahead", 0.1, reset)})),
    Case("220_then_clear_refusal", "tls_failed", Smtp(replies=_tls_record_then("500 5.5.2 Error: bad syntax", hold)), says=("500",)),
    Case("client_hello_then_close", "tls_failed", Smtp(replies=_tls_record_then(close))),
    Case("client_hello_then_reset", "tls_failed", Smtp(replies=_tls_record_then(reset))),
    Case("client_hello_then_silence", "stalled", Smtp(replies=_tls_record_then(hold)), stage="tls", at=TIMEOUT),
    Case(
        "client_hello_answered_by_drips", "stalled", stage="tls", at=TIMEOUT,
        serve=Smtp(replies=_tls_record_then(lambda peer: peer.drip(b"\x16\x03\x03\x40\x00" + b"\x02" * 99, 1.0))),
    ),
    Case("alert_handshake_failure", "tls_failed", Smtp(replies=_tls_record_then(_alert(40), close)), says=("handshake",)),
    Case("alert_internal_error", "tls_failed", Smtp(replies=_tls_record_then(_alert(80), close)), says=("internal",)),
    Case("alert_unrecognized_name", "tls_failed", Smtp(replies=_tls_record_then(_alert(112), close))),
    Case("alert_protocol_version", "tls_too_old", Smtp(replies=_tls_record_then(_alert(70), close))),
    Case("garbage_for_a_server_hello", "tls_failed", Smtp(replies=_tls_record_then(b"\x16\x03\x03\x00\x40" + GARBAGE, hold))),
    Case("no_shared_cipher", "tls_failed", Smtp(tls=Tls(newest=ssl.TLSVersion.TLSv1_2, ciphers="aNULL"))),
    Case("only_tls_1_0", "tls_too_old", Smtp(tls=Tls(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1)), says=("TLS",)),
    Case("only_tls_1_1", "tls_too_old", Smtp(tls=Tls(ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1))),
    Case("only_tls_1_1_implicit", "tls_too_old", Smtp(implicit=True, tls=Tls(ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1)), port=465),
    Case("only_tls_1_1_and_allowed", "ok", Smtp(tls=Tls(ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1)), policy="tls 1.0 allowed", found=(("tls_version", "TLSv1.1"),)),
    Case("only_tls_1_2", "ok", Smtp(tls=Tls(ssl.TLSVersion.TLSv1_2)), found=(("tls_version", "TLSv1.2"),)),
    Case("only_tls_1_2_where_1_3_is_needed", "tls_too_old", Smtp(tls=Tls(ssl.TLSVersion.TLSv1_2)), policy="tls 1.3 only"),
    Case("tls_1_3_where_it_is_needed", "ok", Smtp(), policy="tls 1.3 only", found=(("tls_version", "TLSv1.3"),)),
    Case("only_tls_1_1_opportunistic", "ok", Smtp(tls=Tls(ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1)), port=25, found=(("tls_version", None),)),
    Case("client_certificate_wanted", "ok", Smtp(tls=Tls(client_certificate=ssl.CERT_OPTIONAL))),
    Case("client_certificate_required", "tls_failed", Smtp(tls=Tls(client_certificate=ssl.CERT_REQUIRED)), says=("demands a client certificate",), advises="smtp_tls_cert_file"),
    Case("client_certificate_required_tls_1_2", "tls_failed", Smtp(tls=Tls(ssl.TLSVersion.TLSv1_2, client_certificate=ssl.CERT_REQUIRED)), says=("demands a client certificate",), advises="smtp_tls_cert_file"),
    Case("certificate_by_name", "ok", Smtp(tls=Tls(by_name=True))),
    Case("tls_ehlo_closed", "disconnected", Smtp(replies={"tls EHLO": close}), stage="ehlo"),
    Case("tls_ehlo_reset", "disconnected", Smtp(replies={"tls EHLO": reset}), stage="ehlo"),
    Case("tls_ehlo_silence", "stalled", Smtp(replies={"tls EHLO": hold}), stage="ehlo", at=TIMEOUT),
    Case("tls_ehlo_endless", "protocol_error", Smtp(replies={"tls EHLO": lambda peer: peer.flood(b"250-X\r\n")}), stage="ehlo"),
)

MODE = (
    Case("implicit_on_465", "ok", Smtp(implicit=True), port=465),
    Case("implicit_on_2465", "ok", Smtp(implicit=True), port=2465),
    Case("implicit_asked_on_another_port", "ok", Smtp(implicit=True), port=2587, tls="implicit"),
    Case("implicit_multi_line_greeting", "ok", Smtp(greeting="220-{name}\r\n220 ready", implicit=True), port=465),
    Case("implicit_to_a_starttls_server", "tls_mode_mismatch", Smtp(), port=465, says=("220",), advises="starttls"),
    Case("implicit_to_a_slow_starttls_server", "tls_mode_mismatch", Smtp(greeting=then(1.0, ESMTP)), port=465, within=SOON),
    Case("implicit_to_a_server_that_noticed", "tls_mode_mismatch", _hear_then("554 5.5.1 Error: bad pipelining", close), port=465),
    Case("implicit_to_a_busy_starttls_server", "tls_mode_mismatch", then("421 4.3.2 too busy", close), port=465),
    Case("starttls_to_an_implicit_server", "tls_mode_mismatch", Smtp(implicit=True), advises="implicit", within=TIMEOUT + TOLERANCE),
    Case("opportunistic_to_an_implicit_server", "tls_mode_mismatch", Smtp(implicit=True), port=2525, tls="opportunistic", within=TIMEOUT + TOLERANCE),
    Case("plain_to_an_implicit_server", "tls_mode_mismatch", Smtp(implicit=True), tls="none", within=TIMEOUT + TOLERANCE),
    Case("starttls_to_a_server_that_sends_an_alert", "tls_mode_mismatch", then(1.0, _alert(70), close), within=SOON),
    Case("implicit_closed_at_once", "disconnected", close, port=465),
    Case("implicit_reset_at_once", "disconnected", reset, port=465),
    Case("implicit_closed_after_the_handshake", "disconnected", _through_tls(close), port=465),
    Case("implicit_reset_after_the_handshake", "disconnected", _through_tls(0.1, reset), port=465),
    Case("implicit_alert", "tls_failed", _hear_then(_alert(40), close), port=465),
    Case("implicit_greeting_421", "greeting_deferred", Smtp(greeting="421 busy", implicit=True), port=465, says=("busy",)),
)

CERTIFICATES = (
    Case("certificate_well", "ok", Smtp(), found=(("certificate.problems", []),)),
    Case("certificate_wildcard", "ok", Smtp(), certificate="wildcard"),
    Case("certificate_upper_case", "ok", Smtp(), certificate="upper_case"),
    Case("certificate_wildcard_for_unicode", "ok", Smtp(), certificate="wildcard", host="münchen.fault.test", domain="xn--mnchen-3ya.fault.test"),
    Case("certificate_self_signed_and_trusted", "ok", Smtp(), certificate="self_signed", policy="own certificate trusted"),
    Case("certificate_with_intermediate", "ok", Smtp(), certificate="intermediate_sent"),
    Case("certificate_chain_out_of_order_with_root", "ok", Smtp(), certificate="chain_with_root"),
    Case("certificate_common_name_only", "ok", Smtp(), certificate="common_name_only"),
    Case("certificate_of_rsa", "ok", Smtp(), certificate="rsa"),
    Case("certificate_of_ed25519", "ok", Smtp(), certificate="ed25519"),
    Case("certificate_of_weak_rsa", "ok", Smtp(), certificate="rsa_weak"),
    Case("weak_diffie_hellman", "ok", Smtp(tls=Tls(ssl.TLSVersion.TLSv1_2, ciphers="DHE-RSA-AES256-GCM-SHA384", weak_prime=True)), certificate="rsa"),
    Case("certificate_till_year_9999", "ok", Smtp(), certificate="year_9999"),
    Case("certificate_of_80_kilobytes", "ok", Smtp(), certificate="huge"),
    Case("certificate_of_300_kilobytes", "tls_failed", Smtp(), certificate="too_huge"),
    Case("certificate_for_server_name", "ok", Smtp(), host="{4}", server_name="certificate-for-server-name.fault.test"),
    Case("certificate_expired", "certificate_expired", Smtp(), certificate="expired", problems=("expired",), says=("3 days",)),
    Case("certificate_expired_implicit", "certificate_expired", Smtp(implicit=True), port=465, certificate="expired", problems=("expired",)),
    Case("certificate_expired_intermediate", "certificate_expired", Smtp(), certificate="intermediate_expired", problems=("expired",), says=("chain",)),
    Case("certificate_not_yet_valid", "certificate_not_yet_valid", Smtp(), certificate="not_yet_valid", problems=("not_yet_valid",)),
    Case("certificate_self_signed", "certificate_untrusted", Smtp(), certificate="self_signed", problems=("untrusted",), says=("self-signed",), advises="ca_path"),
    Case("certificate_self_signed_expired", "certificate_untrusted", Smtp(), certificate="self_signed_expired", problems=("untrusted", "expired")),
    Case("certificate_unknown_authority", "certificate_untrusted", Smtp(), certificate="unknown_authority", problems=("untrusted",)),
    Case("certificate_authority_not_of_the_system", "certificate_untrusted", Smtp(), policy="system authorities", problems=("untrusted",)),
    Case("certificate_of_an_authority_where_the_host_has_none", "certificate_untrusted", Smtp(), policy="no authorities", problems=("untrusted",), says=("no certificates of authorities",), advises="ca-certificates"),
    Case("certificate_root_not_trusted", "certificate_untrusted", Smtp(), certificate="intermediate_sent", policy="intermediate trusted", problems=("untrusted",)),
    Case("certificate_intermediate_missing", "certificate_untrusted", Smtp(), certificate="intermediate_missing", problems=("untrusted",), says=("intermediate",), advises="intermediate"),
    Case("certificate_issued_by_a_leaf", "certificate_untrusted", Smtp(), certificate="issued_by_leaf", problems=("untrusted",)),
    Case("certificate_for_clients_only", "certificate_untrusted", Smtp(), certificate="for_clients", problems=("untrusted",), says=("purpose",), advises="another certificate"),
    Case("certificate_for_clients_expired_wrong_name", "certificate_untrusted", Smtp(), certificate="for_clients_expired_wrong_name", problems=("untrusted", "mismatch", "expired")),
    Case("certificate_untrusted_implicit", "certificate_untrusted", Smtp(implicit=True), port=465, certificate="self_signed", problems=("untrusted",)),
    Case("certificate_wrong_name", "certificate_mismatch", Smtp(), certificate="wrong_name", problems=("mismatch",), says=("smtp.example.com",)),
    Case("certificate_no_name", "certificate_mismatch", Smtp(), certificate="no_name", problems=("mismatch",)),
    Case("certificate_common_name_beside_others", "certificate_mismatch", Smtp(), certificate="common_name_beside", problems=("mismatch",)),
    Case("certificate_wildcard_for_an_underscore", "certificate_mismatch", Smtp(), certificate="wildcard", domain="my_relay.fault.test", problems=("mismatch",)),
    Case("certificate_with_an_underscore", "ok", Smtp(), domain="my_other_relay.fault.test"),
    Case("certificate_wildcard_too_deep", "certificate_mismatch", Smtp(), certificate="wildcard_too_deep", problems=("mismatch",)),
    Case("certificate_wildcard_of_a_top_level_domain", "certificate_mismatch", Smtp(), certificate="wildcard", domain="faults.test", problems=("mismatch",)),
    Case("certificate_name_with_a_final_dot", "certificate_mismatch", Smtp(), certificate="final_dot", problems=("mismatch",)),
    Case("certificate_address_as_a_name", "certificate_mismatch", Smtp(), certificate="address_as_name", host="{4}", problems=("mismatch",)),
    Case("certificate_wildcard_partial", "certificate_mismatch", Smtp(), certificate="wildcard_partial", problems=("mismatch",)),
    Case("certificate_nul_in_name", "certificate_mismatch", Smtp(), certificate="nul_in_name", problems=("mismatch",)),
    Case("certificate_name_for_an_address", "certificate_mismatch", Smtp(), host="{4}", problems=("mismatch",)),
    Case("certificate_address_for_a_name", "certificate_mismatch", Smtp(), certificate="address", problems=("mismatch",)),
    Case("certificate_wrong_server_name", "certificate_mismatch", Smtp(), server_name="other.fault.test", problems=("mismatch",)),
    Case("certificate_expired_and_wrong_name", "certificate_mismatch", Smtp(), certificate="expired_wrong_name", problems=("mismatch", "expired")),
    Case(
        "certificate_everything_wrong", "certificate_untrusted", Smtp(), certificate="everything_wrong",
        problems=("untrusted", "mismatch", "expired"),
    ),
    Case("certificate_hostile_words", "certificate_untrusted", Smtp(), certificate="hostile_words", problems=("untrusted",)),
    Case("certificate_expiring", "certificate_expiring", Smtp(), certificate="expiring", policy="a month of validity", problems=("expiring",), says=("5 days",)),
    Case("certificate_not_expiring", "ok", Smtp(), policy="a month of validity"),
    Case("certificate_expiring_unasked", "ok", Smtp(), certificate="expiring"),
    Case("certificate_self_signed_opportunistic", "ok", Smtp(), port=25, certificate="self_signed", problems=("untrusted",)),
    Case("certificate_wrong_name_opportunistic", "ok", Smtp(), port=25, certificate="wrong_name", problems=("mismatch",)),
    Case("certificate_self_signed_not_validated", "ok", Smtp(), policy="not validating", certificate="self_signed", problems=("untrusted",)),
    Case("certificate_everything_wrong_not_validated", "ok", Smtp(), policy="not validating", certificate="everything_wrong", problems=("untrusted", "mismatch", "expired")),
)

AUTH = (
    Case("auth_plain", "ok", _auth("PLAIN"), login=Login(mechanism="plain"), found=(("auth_mechanisms", ["PLAIN"]), ("auth_mechanism", "PLAIN"))),
    Case("auth_login", "ok", _auth("LOGIN"), login=Login(mechanism="login")),
    Case("auth_cram_md5", "ok", _auth("CRAM-MD5"), login=Login(mechanism="cram-md5")),
    Case("auth_xoauth2", "ok", _auth("XOAUTH2"), login=Login(password=TOKEN, mechanism="xoauth2")),
    Case("auth_xoauth2_long_token", "ok", _auth("XOAUTH2"), login=Login(password=LONG_TOKEN, mechanism="xoauth2")),
    Case("auth_login_odd_prompts", "ok", _auth("LOGIN", replies={"AUTH": then("334 VXNlciBOYW1lAA==", _hear, "334", _hear, "235 in")}), login=Login(mechanism="login")),
    Case("auth_auto_plain", "ok", _auth("GSSAPI PLAIN LOGIN"), login=Login()),
    Case("auth_auto_login", "ok", _auth("NTLM LOGIN"), login=Login()),
    Case("auth_auto_cram_md5", "ok", _auth("DIGEST-MD5 CRAM-MD5"), login=Login()),
    Case("auth_lower_case", "ok", Smtp(ehlo_tls=("auth plain login",)), login=Login()),
    Case("auth_old_style", "ok", Smtp(ehlo_tls=("AUTH=PLAIN LOGIN",)), login=Login()),
    Case("auth_both_styles", "ok", Smtp(ehlo_tls=("AUTH PLAIN LOGIN", "AUTH=PLAIN LOGIN")), login=Login(), found=(("auth_mechanisms", ["PLAIN", "LOGIN"]),)),
    Case("auth_implicit", "ok", _auth(implicit=True), port=465, login=Login()),
    Case("auth_on_port_25", "ok", _auth(), port=25, login=Login()),
    Case("auth_plain_535", "auth_rejected", _auth("PLAIN"), login=Login(password="wrong"), says=("535 5.7.8", "Bad username")),
    Case("auth_login_535", "auth_rejected", _auth("LOGIN"), login=Login(password="wrong"), says=("535",)),
    Case("auth_cram_md5_535", "auth_rejected", _auth("CRAM-MD5"), login=Login(password="wrong"), says=("535",)),
    Case("auth_xoauth2_535", "auth_rejected", _auth("XOAUTH2", accepts=False), login=Login(password=TOKEN, mechanism="xoauth2"), says=("535",)),
    Case("auth_xoauth2_535_at_once", "auth_rejected", _auth("XOAUTH2", replies={"AUTH": "535 5.7.3 expired"}), login=Login(password=TOKEN, mechanism="xoauth2"), says=("expired",)),
    Case("auth_534", "auth_rejected", _auth(replies={"AUTH": "534 5.7.9 Application-specific password required"}), login=Login(), says=("534",)),
    Case("auth_login_user_refused", "auth_rejected", _auth("LOGIN", replies={"AUTH": then("334 " + b64("Username:"), lambda peer: peer.hear(), "535 no such user")}), login=Login(mechanism="login")),
    Case("auth_password_echoed", "auth_rejected", _auth(replies={"AUTH": "535 " + PASSWORD + " is not the password, " + b64("\0" + USERNAME + "\0" + PASSWORD)}), login=Login(), says=("is not the password",)),
    Case(
        "auth_command_echoed_in_part", "auth_rejected", login=Login(mechanism="plain"), says=("unknown: AUTH PLAIN ********...",),
        serve=_auth(replies={"AUTH": "535-unknown: AUTH PLAIN " + b64("\0" + USERNAME + "\0" + PASSWORD)[:44] + "...\r\n535 " + b64(PASSWORD).rstrip("=")}),
    ),
    Case("auth_hostile_words", "auth_rejected", _auth(replies={"AUTH": b"535" + HOSTILE[3:]}), login=Login(), says=ESCAPED),
    Case("auth_535_not_retried", "auth_rejected", _auth(replies={"AUTH": "535 no"}), login=Login(), policy="retrying"),
    Case("auth_454", "auth_deferred", _auth(replies={"AUTH": "454 4.7.0 Temporary authentication failure"}), login=Login(), says=("454",)),
    Case("auth_421", "auth_deferred", _auth(replies={"AUTH": then("421 4.7.0 Too many logins", close)}), login=Login(), says=("421",)),
    Case("auth_454_once", "ok", first(_auth(replies={"AUTH": "454 later"}), _auth()), login=Login(), policy="retrying", attempts=2, within=SOON),
    Case("auth_not_offered", "auth_absent", Smtp(), login=Login()),
    Case("auth_only_in_clear", "auth_absent", Smtp(ehlo=("STARTTLS", "AUTH PLAIN LOGIN"), ehlo_tls=("SIZE",)), login=Login()),
    Case("auth_only_kerberos", "auth_unsupported", _auth("GSSAPI NTLM"), login=Login(), says=("GSSAPI",)),
    Case("auth_mechanism_not_offered", "auth_unsupported", _auth("PLAIN LOGIN"), login=Login(mechanism="cram-md5")),
    Case("auth_xoauth2_not_offered", "auth_unsupported", _auth("PLAIN LOGIN"), login=Login(password=TOKEN, mechanism="xoauth2")),
    Case("auth_mechanism_504", "auth_unsupported", _auth("PLAIN", replies={"AUTH": "504 5.5.4 Unrecognized authentication type"}), login=Login(), says=("504",)),
    Case("auth_mechanism_504_and_another", "ok", _auth("SCRAM-SHA-512 PLAIN LOGIN", replies={"AUTH": then("504 5.7.4 Unrecognized authentication type", lambda peer: peer.hear(), "334 " + b64("Username:"), lambda peer: peer.hear(), "334 " + b64("Password:"), lambda peer: peer.hear(), "235 in")}), login=Login(), found=(("auth_mechanism", "LOGIN"),)),
    Case("auth_closed", "disconnected", _auth(replies={"AUTH": close}), login=Login(), stage="auth"),
    Case("auth_reset", "disconnected", _auth(replies={"AUTH": reset}), login=Login(), stage="auth"),
    Case("auth_silence", "stalled", _auth(replies={"AUTH": hold}), login=Login(), stage="auth", at=TIMEOUT),
    Case("auth_garbage", "protocol_error", _auth(replies={"AUTH": then(GARBAGE, hold)}), login=Login(), stage="auth"),
    Case("auth_bad_challenge", "protocol_error", _auth("CRAM-MD5", replies={"AUTH": then("334 *not base64*", hold)}), login=Login(), stage="auth"),
    Case("auth_endless_challenges", "protocol_error", _auth(replies={"AUTH": _ask_for_ever}), login=Login(), stage="auth"),
    Case("auth_no_password_where_no_tls", "starttls_absent", Smtp(ehlo=("AUTH PLAIN LOGIN CRAM-MD5",), replies={STARTTLS: "502 no"}), login=Login()),
    Case("auth_no_password_where_no_tls_port_25", "starttls_absent", Smtp(ehlo=("AUTH PLAIN LOGIN",), replies={STARTTLS: "502 no"}), port=25, login=Login()),
    Case("auth_no_password_where_tls_454", "starttls_rejected", Smtp(ehlo=("STARTTLS", "AUTH PLAIN"), replies={STARTTLS: "454 no"}), port=25, login=Login()),
    Case("auth_no_password_to_a_stranger", "certificate_untrusted", _auth(), certificate="self_signed", login=Login(), problems=("untrusted",)),
    Case("auth_no_password_to_a_stranger_port_25", "certificate_mismatch", _auth(), port=25, certificate="wrong_name", login=Login(), problems=("mismatch",)),
    Case("auth_no_password_to_an_injector", "starttls_injection", _auth(replies={STARTTLS: then(b"220 go\r\n235 ok\r\n", hold)}), login=Login()),
    Case("auth_no_password_to_implicit_clear", "tls_mode_mismatch", Smtp(ehlo=("AUTH PLAIN",)), port=465, login=Login()),
)

ENVELOPE = (
    Case("envelope_well", "ok", Smtp(), policy="envelope"),
    Case("envelope_bounce_well", "ok", Smtp(), policy="bounce"),
    Case("envelope_implicit_well", "ok", Smtp(implicit=True), port=465, policy="envelope"),
    Case("envelope_251", "ok", Smtp(replies={"RCPT": "251 2.1.5 User not local; will forward"}), policy="envelope"),
    Case("envelope_rset_refused", "ok", Smtp(replies={"RSET": "500 what?"}), policy="envelope"),
    Case("envelope_rset_closed", "ok", Smtp(replies={"RSET": close}), policy="envelope"),
    Case("envelope_after_login", "ok", _auth(), policy="envelope", login=Login()),
    Case("sender_550", "sender_rejected", Smtp(replies={"MAIL": "550 5.7.1 Sender not verified"}), policy="envelope", says=("550", "not verified")),
    Case("sender_530", "auth_rejected", Smtp(replies={"MAIL": "530 5.7.0 Authentication required"}), policy="envelope", stage="envelope", says=("530",), advises="Give username and password"),
    Case("sender_451", "sender_deferred", Smtp(replies={"MAIL": "451 4.1.8 Cannot resolve sender domain"}), policy="envelope", says=("451",)),
    Case("sender_421", "sender_deferred", Smtp(replies={"MAIL": then("421 4.7.0 bye", close)}), policy="envelope", says=("421",)),
    Case("sender_hostile_words", "sender_rejected", Smtp(replies={"MAIL": b"550" + HOSTILE[3:]}), policy="envelope", says=ESCAPED),
    Case("recipient_550", "recipient_rejected", Smtp(replies={"RCPT": "550 5.1.1 User unknown"}), policy="envelope", says=("User unknown",)),
    Case("recipient_554_relay", "recipient_rejected", Smtp(replies={"RCPT": "554 5.7.1 Relay access denied"}), policy="envelope", says=("Relay access",), advises="Give username and password"),
    Case("recipient_504_helo", "ehlo_rejected", Smtp(replies={"RCPT": "504 5.5.2 <web1>: Helo command rejected: need fully-qualified hostname"}), policy="envelope", stage="envelope", says=("504",), advises="helo_name"),
    Case("recipient_450_helo", "ehlo_deferred", Smtp(replies={"RCPT": "450 4.7.1 <web1.internal>: Helo command rejected: Host not found"}), policy="envelope", stage="envelope", advises="helo_name"),
    Case("recipient_553_sender", "sender_rejected", Smtp(replies={"RCPT": "553 5.7.1 <root@web1>: Sender address rejected: not owned by user relay"}), policy="envelope", advises="mail_from"),
    Case("recipient_554_client", "greeting_rejected", Smtp(replies={"RCPT": "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"}), policy="envelope", stage="envelope", advises="block list"),
    Case("recipient_450", "recipient_deferred", Smtp(replies={"RCPT": "450 4.2.0 Greylisted"}), policy="envelope", says=("Greylisted",)),
    Case("recipient_452", "recipient_deferred", Smtp(replies={"RCPT": "452 4.5.3 Too many recipients"}), policy="envelope"),
    Case("recipient_421", "recipient_deferred", Smtp(replies={"RCPT": then("421 4.7.0 bye", close)}), policy="envelope", says=("421",)),
    Case("mail_closed", "disconnected", Smtp(replies={"MAIL": close}), policy="envelope", stage="envelope"),
    Case("recipient_reset", "disconnected", Smtp(replies={"RCPT": reset}), policy="envelope", stage="envelope"),
    Case("recipient_silence", "stalled", Smtp(replies={"RCPT": hold}), policy="envelope", stage="envelope", at=TIMEOUT),
    Case("recipient_garbage", "protocol_error", Smtp(replies={"RCPT": then(GARBAGE, hold)}), policy="envelope", stage="envelope"),
)

# fmt: on

CASES: tuple[Case, ...] = (
    RESOLVE + CONNECT + GREETING + EHLO + STARTTLS_CASES + MODE + CERTIFICATES + AUTH + ENVELOPE
)


class Place(NamedTuple):
    """Where the host of a case is."""

    case: Case
    name: str
    ipv4: str
    ipv6: str

    @property
    def addresses(self) -> tuple[str, ...]:
        case = self.case
        if case.dns.addresses is not None:
            return tuple(
                each.replace("{4}", self.ipv4).replace("{6}", self.ipv6) for each in case.dns.addresses
            )
        return tuple(a for family, a in (("4", self.ipv4), ("6", self.ipv6)) if family in case.families)

    @property
    def listens_on(self) -> tuple[str, ...]:
        return (
            (self.ipv4, self.ipv6)
            if "6" in self.case.families and "4" in self.case.families
            else ((self.ipv6,) if self.case.families == "6" else (self.ipv4,))
        )

    def fill(self, text: str) -> str:
        return text.replace("{4}", self.ipv4).replace("{6}", self.ipv6).replace("{port}", str(self.case.port))


def _place(number: int, case: Case) -> Place:
    name = case.domain or case.name.replace("_", "-") + ".fault.test"
    ipv4 = "198.18.%d.%d" % (1 + number // 200, 1 + number % 200)
    return Place(case, name, ipv4, "fd5e:18::%x" % (0x1000 + number))


PLACES: tuple[Place, ...] = tuple(_place(number, case) for number, case in enumerate(CASES))
