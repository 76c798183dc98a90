"""Whom the suite of role verify takes a server to relay for, by its settings and tables.

Each row is what differs from Debian's settings. OPEN has what must then be said, CLOSED what real servers have and
nothing may be said of.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "roles" / "verify" / "files" / "suite"))

import seen
import strangers

OWN = ("example.com", "mail1.example.com")
RELAY, GUARD = "smtpd_relay_restrictions", "reject_unauth_destination"
SERVICE = "smtp inet n - y - - smtpd\n"
SUBMISSION = SERVICE + "submission inet n - y - - smtpd\n"
REWRITE = SERVICE + "rewrite unix - - y - - trivial-rewrite\n"
POSTSCREEN = "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n"
QMQP = SERVICE + "628 inet n - y - - qmqpd\n"
PROXIED = SERVICE + "10587 inet n - y - - smtpd\n"
INSIDE = SERVICE + "127.0.0.1:10587 inet n - y - - smtpd\n192.168.1.5:10588 inet n - y - - smtpd\n"
HAPROXY = "{}/inet/smtpd_upstream_proxy_protocol = haproxy\n"


def judged(
    main_cf: dict[str, str],
    tables: seen.Tables | None = None,
    master_cf: str = SERVICE,
    overrides: str = "",
    files: dict[str, list[str]] | None = None,
) -> dict[str, Any]:
    """What each of the judgements says."""
    keys = strangers.all_keys(OWN, "10.89.1.1")
    found = seen.relaying(main_cf, master_cf, overrides, tables or {}, keys)
    found["files"] = files or found["files"]
    relaying = strangers.Relaying(found, OWN)
    told = {
        "restrictions": strangers.restrictions(relaying),
        "networks": strangers.networks(relaying),
        "domains": strangers.domains(relaying),
        "xclient": strangers.xclient(relaying),
        "believing": [f"{name.name} {parameter}" for name, parameter in strangers.believing(relaying)],
        "qmqp": strangers.qmqp(relaying),
    }
    return {name: faults for name, faults in told.items() if faults}


def lists(words: str, tables: seen.Tables | None = None, **more: str) -> dict[str, Any]:
    return {"main_cf": {RELAY: words, **more}, "tables": tables}


def guarded(check: str, table: str, rows: dict[str, str], **more: str) -> dict[str, Any]:
    return lists(f"permit_mynetworks, {check} {table}, {GUARD}", {table: rows}, **more)


OPEN: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    # Lists of restrictions, and what they hide
    "no guard": (lists("permit_mynetworks"), "restrictions", ("neither smtpd_relay_restrictions nor",)),
    "permit": (lists(f"permit, {GUARD}"), "restrictions", ("smtpd_relay_restrictions comes to permit before",)),
    "permit in every list": (
        lists("permit", smtpd_sender_restrictions="permit"), "restrictions", ("smtpd_relay_restrictions comes to",)),
    "an old word": (lists(f"permit_naked_ip_address, {GUARD}"), "restrictions", ("permit_naked_ip_address",)),
    "a warning": (lists(f"warn_if_reject {GUARD}, permit"), "restrictions", ("comes to permit",)),
    "recipient list": (
        lists("", {"static:OK": {}}, smtpd_recipient_restrictions=f"check_client_access static:OK, {GUARD}"),
        "restrictions",
        ("smtpd_recipient_restrictions comes to check_client_access static:OK (which says 'OK')",),
    ),
    "client static": (guarded("check_client_access", "static:ok", {}), "restrictions", ("static:ok",)),
    "client cidr": (guarded("check_client_access", "cidr:/c", {"0.0.0.0/0": "OK"}), "restrictions", ("cidr:/c",)),
    "client cidr of IPv6": (
        guarded("check_client_access", "cidr:/c", {"::/0": "permit"}), "restrictions", ("says 'permit'",)),
    "client in quarters": (
        guarded("check_client_access", "cidr:/c", {"0.0.0.0/2": "OK", "64.0.0.0/2": "OK", "128.0.0.0/2": "OK"}),
        "restrictions", ("cidr:/c",)),
    "client hash by octets": (
        guarded("check_client_access", "hash:/c", {str(first): "250" for first in range(256)}),
        "restrictions", ("says '250'",)),
    "client proxied": (
        lists(f"check_client_access proxy:hash:/c, {GUARD}", {"hash:/c": {"23": "OK", "45": "OK"}}),
        "restrictions", ("proxy:hash:/c",)),
    "a table alone": (lists(f"cidr:/c, {GUARD}", {"cidr:/c": {"0.0.0.0/0": "OK"}}), "restrictions", ("cidr:/c",)),
    "helo": (guarded("check_helo_access", "hash:/h", {"mail.partner.example": "OK"}), "restrictions", ("hash:/h",)),
    "client by RELAY": (guarded("check_client_access", "static:RELAY", {}), "restrictions", ("static:RELAY",)),
    "client by a bare code": (guarded("check_client_access", "static:550", {}), "restrictions", ("static:550",)),
    "sender": (guarded("check_sender_access", "hash:/s", {"boss@example.com": "OK"}), "restrictions", ("hash:/s",)),
    "sender among those refused": (
        guarded("check_sender_access", "hash:/s", {"spam.example": "550 no", "boss@example.com": "OK"}),
        "restrictions", ("says 'OK'",)),
    "null sender": (guarded("check_sender_access", "regexp:/s", {"^<>$": "OK"}), "restrictions", ("regexp:/s",)),
    "sender regexp": (guarded("check_sender_access", "regexp:/s", {".": "OK"}), "restrictions", ("regexp:/s",)),
    "own sender": (
        guarded("check_sender_access", "regexp:/s", {r"@example\.com$": "OK"}), "restrictions", ("regexp:/s",)),
    "recipient": (guarded("check_recipient_access", "regexp:/r", {"@": "OK"}), "restrictions", ("regexp:/r",)),
    "recipients by tld": (
        guarded("check_recipient_access", "hash:/r", {"com": "OK", "net": "OK"}), "restrictions", ("hash:/r",)),
    "recipients below a tld": (
        guarded("check_recipient_access", "hash:/r", {".com": "OK", ".net": "OK"}), "restrictions", ("hash:/r",)),
    "class": (
        lists(f"friends, {GUARD}", smtpd_restriction_classes="friends", friends="permit"),
        "restrictions", ("friends (a class with permit)",)),
    "class in a table, with a table": (
        lists(f"check_client_access static:friends, {GUARD}", {"static:friends": {}, "static:OK": {}},
              smtpd_restriction_classes="friends", friends="check_sender_access static:OK"),
        "restrictions", ("static:friends",)),
    "words in a table": (
        guarded("check_client_access", "regexp:/c", {".": "permit_mynetworks, permit"}),
        "restrictions", ("regexp:/c",)),
    "table in a table": (
        lists(f"check_client_access hash:/c, {GUARD}",
              {"hash:/c": {"23": "check_helo_access static:OK", "45": "check_helo_access static:OK"}}),
        "restrictions", ("hash:/c",)),
    "one service by -o": (
        {"main_cf": {}, "master_cf": SUBMISSION,
         "overrides": f"submission/inet/{RELAY} = permit_sasl_authenticated,permit\n"},
        "restrictions", ("submission/inet would", "smtpd_relay_restrictions (-o in master.cf) comes to permit")),
    "class by -o": (
        {"main_cf": {}, "master_cf": SUBMISSION, "overrides": "submission/inet/smtpd_restriction_classes = x\n"
         f"submission/inet/x = permit\nsubmission/inet/{RELAY} = x,reject\n"},
        "restrictions", ("submission/inet would",)),
    "behind postscreen": (
        {**lists("permit"), "master_cf": POSTSCREEN}, "restrictions", ("smtpd/pass would relay for anyone",)),
    # Networks
    "all": ({"main_cf": {"mynetworks": "127.0.0.0/8 0.0.0.0/0"}}, "networks", ("trusts 0.0.0.0/0",)),
    "quarters": (
        {"main_cf": {"mynetworks": "0.0.0.0/2 64.0.0.0/2 192.0.0.0/2"}}, "networks",
        ("0.0.0.0/2, 64.0.0.0/2, 192.0.0.0/2, which are",)),
    "the last quarter": ({"main_cf": {"mynetworks": "192.0.0.0/2"}}, "networks", ("192.0.0.0/2, which is",)),
    "all of IPv6": ({"main_cf": {"mynetworks": "[2000::]/3"}}, "networks", ("[2000::]/3",)),
    "static": ({"main_cf": {"mynetworks": "static:all"}}, "networks", ("static:all, which holds 23.45.67.89",)),
    "networks cidr": (
        {"main_cf": {"mynetworks": "127.0.0.0/8, cidr:/n"}, "tables": {"cidr:/n": {"0.0.0.0/0": "yes"}}},
        "networks", ("trusts cidr:/n, which holds",)),
    "networks cidr of IPv6": (
        {"main_cf": {"mynetworks": "proxy:cidr:/n"}, "tables": {"cidr:/n": {"::/0": "yes"}}},
        "networks", ("trusts proxy:cidr:/n",)),
    "file": (
        {"main_cf": {"mynetworks": "/etc/postfix/n"}, "files": {"/etc/postfix/n": ["10.0.0.0/8", "128.0.0.0/1"]}},
        "networks", ("128.0.0.0/1",)),
    "table in a file": (
        {"main_cf": {"mynetworks": "/etc/postfix/n, static:all"}, "files": {"/etc/postfix/n": ["static:all"]}},
        "networks", ("/etc/postfix/n, which holds",)),
    "networks by -o": (
        {"main_cf": {}, "master_cf": SUBMISSION, "overrides": "submission/inet/mynetworks = 0.0.0.0/0\n"},
        "networks", ("for submission/inet it", "correct mynetworks (-o in master.cf)")),
    # Domains
    "relay_domains regexp": (
        {"main_cf": {"relay_domains": "regexp:/d"}, "tables": {"regexp:/d": {".": "yes"}}},
        "domains", ("relay_domains should name", "regexp:/d holds victim.com")),
    "relay_domains by top level": (
        {"main_cf": {"relay_domains": "example.org, com"}}, "domains", ("com holds victim.com",)),
    "mydestination": (
        {"main_cf": {"mydestination": "static:all", "relay_domains": "static:all"}},
        "domains", ("mydestination should name",)),
    "virtual_alias_domains": (
        {"main_cf": {"virtual_alias_domains": "static:x", "virtual_alias_maps": "hash:/v"}},
        "domains", ("virtual_alias_domains should name",)),
    "virtual_mailbox_domains": (
        {"main_cf": {"virtual_mailbox_domains": "static:x"}}, "domains", ("virtual_mailbox_domains should name",)),
    "relay_domains by -o": (
        {"main_cf": {}, "master_cf": REWRITE, "overrides": "rewrite/unix/relay_domains = static:all\n"},
        "domains", ("relay_domains (-o in master.cf)",)),
    # Who says who he is
    "xclient": (
        {"main_cf": {"smtpd_authorized_xclient_hosts": "0.0.0.0/0"}}, "xclient",
        ("smtpd_authorized_xclient_hosts holds 0.0.0.0/0", "may tell smtp/inet")),
    "xclient by table": (
        {"main_cf": {"smtpd_authorized_xclient_hosts": "cidr:/x"}, "tables": {"cidr:/x": {"::/0": "yes"}}}, "xclient",
        ("holds cidr:/x",)),
    "xclient by -o": (
        {"main_cf": {}, "overrides": "smtp/inet/smtpd_authorized_xclient_hosts = static:all\n"}, "xclient",
        ("smtpd_authorized_xclient_hosts (-o in master.cf) holds static:all",)),
    "xclient for a login": (
        lists("permit_sasl_authenticated, reject", smtpd_authorized_xclient_hosts="static:all"),
        "xclient", ("static:all",)),
    "proxy": (
        {"main_cf": {"inet_interfaces": "all"}, "master_cf": PROXIED, "overrides": HAPROXY.format("10587")},
        "believing", ("10587/inet smtpd_upstream_proxy_protocol (-o in master.cf)",)),
    "proxy on an address": (
        {"main_cf": {}, "master_cf": "203.0.113.5:25 inet n - y - - smtpd\n",
         "overrides": HAPROXY.format("203.0.113.5:25")},
        "believing", ("203.0.113.5:25/inet",)),
    "proxy before postscreen": (
        {"main_cf": {"inet_interfaces": "all", "postscreen_upstream_proxy_protocol": "haproxy"},
         "master_cf": POSTSCREEN},
        "believing", ("smtp/inet postscreen_upstream_proxy_protocol",)),
    "qmqp": (
        {"main_cf": {"qmqpd_authorized_clients": "static:all"}, "master_cf": QMQP}, "qmqp",
        ("628/inet relays everything for static:all",)),
}  # fmt: skip

CLOSED: dict[str, dict[str, Any]] = {
    "stock": {"main_cf": {}},
    "cidr of ones own": guarded("check_client_access", "cidr:/c", {"198.51.100.0/24": "OK", "0.0.0.0/0": "DUNNO"}),
    "client refused first": guarded("check_client_access", "cidr:/c", {"0.0.0.0/0": "REJECT"}),
    "all clients refused": lists("check_client_access static:REJECT, permit", {"static:REJECT": {}}),
    "the most special row counts": guarded(
        "check_client_access", "hash:/c",
        {"23.45.67.89": "DUNNO", "23": "OK", "45.33": "DUNNO", "45": "OK", "93.184.216": "REJECT", "93": "OK"}),
    "one company": guarded("check_client_access", "cidr:/c", {"185.199.108.0/22": "OK"}),
    "octets that a pattern does not see": guarded("check_client_access", "regexp:/c", {r"^(23|45)$": "OK"}),
    "sender after the guard": lists(f"{GUARD}, check_sender_access static:OK, permit"),
    "sender that must log in": guarded(
        "check_sender_access", "hash:/s", {"example.com": "permit_sasl_authenticated, reject"}),
    "senders refused": guarded("check_sender_access", "hash:/s", {"spam.example": "REJECT go away", "x@y": "550 no"}),
    # smtpd answers "451 4.3.5 Server configuration error".
    "pointer record": guarded("check_reverse_client_hostname_access", "hash:/h", {"mail.partner.example": "OK"}),
    "text behind an action": guarded("check_client_access", "regexp:/c", {".": "PREPEND X-Note: hello permit all"}),
    "recipients of one domain": guarded("check_recipient_access", "hash:/r", {"partner.example": "OK"}),
    "client by name": guarded("check_client_access", "hash:/c", {"mail.example.com": "OK"}),
    "class for ones own": lists(
        f"inside, {GUARD}", smtpd_restriction_classes="inside", inside=f"permit_mynetworks, {GUARD}, permit"),
    "closed by clients": lists("permit", smtpd_client_restrictions="permit_mynetworks, reject"),
    "permit that is deferred": lists("defer_if_permit, permit"),
    "policy service": lists(f"check_policy_service inet:127.0.0.1:10023, {GUARD}"),
    "policy service with options": lists(f"check_policy_service {{ unix:private/policy, timeout=10s }}, {GUARD}"),
    "table that cannot be asked": lists(f"check_client_access ldap:/etc/ldap.cf, {GUARD}"),
    "permission in another list": lists(GUARD, smtpd_sender_restrictions="permit"),
    "submission": {
        "main_cf": {}, "master_cf": SUBMISSION,
        "overrides": f"submission/inet/{RELAY} = permit_sasl_authenticated,reject\n"
        "submission/inet/smtpd_client_restrictions = \nsubmission/inet/smtpd_recipient_restrictions = \n"},
    "a filter's way back": {
        "main_cf": {}, "master_cf": SERVICE + "127.0.0.1:10025 inet n - y - - smtpd\n",
        "overrides": f"127.0.0.1:10025/inet/{RELAY} = permit\n127.0.0.1:10025/inet/mynetworks = 0.0.0.0/0\n"},
    "exclusions": {"main_cf": {"mynetworks": "!192.0.2.0/25 192.0.2.0/24 127.0.0.0/8 10.0.0.0/8 [fd00::]/8"}},
    "all is excluded": {"main_cf": {"mynetworks": "!static:all, 127.0.0.0/8"}},
    "networks in a table": {
        "main_cf": {"mynetworks": "cidr:/n"}, "tables": {"cidr:/n": {"192.0.2.0/24": "yes", "10.0.0.0/8": "yes"}}},
    "networks of one company in a table": {
        "main_cf": {"mynetworks": "cidr:/n"}, "tables": {"cidr:/n": {"185.199.108.0/22": "yes"}}},
    "a top level alone": {"main_cf": {"mydestination": "com, net, org"}},
    "backup MX": {
        "main_cf": {"relay_domains": "mail1.example.com, localhost, example.org, hash:/d"},
        "tables": {"hash:/d": {"example.net": "x"}}},
    "domains by patterns": {
        "main_cf": {"relay_domains": "regexp:/d"}, "tables": {"regexp:/d": {r"\.example\.com$": "yes"}}},
    "catch-all by default": {
        "main_cf": {"virtual_alias_maps": "regexp:/v", "virtual_alias_domains": "regexp:/v"},
        "tables": {"regexp:/v": {".": "ops@example.com"}}},
    "xclient of a filter": {"main_cf": {"smtpd_authorized_xclient_hosts": "127.0.0.1 [::1] 198.51.100.7"}},
    "xclient without anything to gain": lists(GUARD, smtpd_authorized_xclient_hosts="0.0.0.0/0"),
    "xclient without networks": lists(
        f"permit_mynetworks, {GUARD}", mynetworks="", smtpd_authorized_xclient_hosts="static:all"),
    "proxy inside": {
        "main_cf": {"inet_interfaces": "all"}, "master_cf": INSIDE,
        "overrides": HAPROXY.format("127.0.0.1:10587") + HAPROXY.format("192.168.1.5:10588")},
    "proxy of a null client": {"main_cf": {}, "overrides": HAPROXY.format("smtp")},
    "submission behind a proxy": {
        "main_cf": {"inet_interfaces": "all"}, "master_cf": PROXIED,
        "overrides": HAPROXY.format("10587") + f"10587/inet/{RELAY} = permit_sasl_authenticated,reject\n"},
    "qmqp of ones own": {"main_cf": {"qmqpd_authorized_clients": "127.0.0.0/8, 192.0.2.0/24"}, "master_cf": QMQP},
    "qmqp that nobody runs": {"main_cf": {"qmqpd_authorized_clients": "static:all"}},
}  # fmt: skip


@pytest.mark.parametrize("name", OPEN)
def test_an_open_relay_is_told_once(name: str) -> None:
    config, where, parts = OPEN[name]
    found = judged(**config)
    assert list(found) == [where], found
    assert len(found[where]) == 1
    for part in parts:
        assert part in found[where][0]
    # Longer ones are cut off.
    assert len(found[where][0]) < 500


@pytest.mark.parametrize("name", CLOSED)
def test_what_real_servers_have_is_no_open_relay(name: str) -> None:
    assert judged(**CLOSED[name]) == {}


def test_one_cause_in_two_parameters_is_told_once() -> None:
    everywhere = {"smtpd_authorized_xclient_hosts": "static:all", "qmqpd_authorized_clients": "static:all"}
    assert list(judged({"mynetworks": "static:all", **everywhere}, master_cf=QMQP)) == ["networks"]


@pytest.mark.parametrize(
    ("main_cf", "tables", "trusted"),
    [
        ({}, {}, False),
        ({"mynetworks": "127.0.0.0/8 10.89.0.0/16"}, {}, True),
        ({"mynetworks": "cidr:/n"}, {"cidr:/n": {"10.0.0.0/8": "yes"}}, True),
        ({"mynetworks": "!10.89.1.1 10.0.0.0/8"}, {}, False),
        ({RELAY: f"check_client_access cidr:/c, {GUARD}"}, {"cidr:/c": {"10.0.0.0/8": "OK"}}, True),
    ],
)
def test_who_may_relay_is_no_stranger(main_cf: dict[str, str], tables: seen.Tables, trusted: bool) -> None:
    keys = strangers.all_keys(OWN, "10.89.1.1")
    relaying = strangers.Relaying(seen.relaying(main_cf, SERVICE, "", tables, keys), OWN)
    client = strangers.Client("10.89.1.1", trusts_networks=True)
    assert (relaying.relayed(relaying.servers[0], client) is not None) is trusted
