"""The name of a host: whether relays take it, and where a full one is found."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import hostname

FULL = "127.0.1.1 web1.example.com web1\n"


@pytest.mark.parametrize(
    "name, complaint",
    [
        ("web1.example.com", None),
        ("WEB1.Example.COM", None),
        ("ip-10-0-0-1.ec2.internal", None),
        ("web1.lan", None),
        ("xn--mller-kva.example", None),
        ("1und1.example", None),
        ("[192.0.2.1]", None),
        ("", "is empty"),
        ("web1", "has no domain"),
        ("localhost", "every host has for itself"),
        ("localhost.localdomain", "every host has for itself"),
        ("localhost.example.com", "every host has for itself"),
        ("web1.localhost", "every host has for itself"),
        ("web1.localdomain", "stands for a domain that is not known"),
        ("web_1.example.com", "underscore"),
        ("web1.example.com.", "ends with a dot"),
        ("192.0.2.1", "is an address"),
        ("2001:db8::1", "is an address"),
        ("[192.0.2.1", "neither a name nor an address"),
        ("-web1.example.com", "not a host name"),
        ("web1..example.com", "not a host name"),
        ("web1.example.1", "not a host name"),
        ("a" * 64 + ".example.com", "not a host name"),
        (".".join(["a" * 60] * 5), "not a host name"),
        ("müller.example", "character that no host name has"),
        ("web 1.example", "character that no host name has"),
        ("web1.example\n", "character that no host name has"),
    ],
)
def test_complaint(name, complaint):
    said = hostname.complaint(name)
    assert said is None if complaint is None else complaint in said


@pytest.mark.parametrize(
    "name, hosts, canonical, full",
    [
        ("web1.example.com", "", [], "web1.example.com"),
        ("web1.example.com.", "", [], "web1.example.com"),
        ("web1", FULL, [], "web1.example.com"),
        ("WEB1", FULL, [], "web1.example.com"),
        ("web1", "127.0.1.1 web1 web1.example.com\n", [], "web1.example.com"),
        ("web1", "127.0.1.1 web1 # web1.example.com\n", [], None),
        ("web1", "10.0.0.1 db.example.com\n", [], None),
        ("web1", "127.0.0.1 localhost web1\n", ["localhost"], None),
        ("web1", "127.0.0.1 localhost.localdomain localhost web1\n", ["localhost.localdomain"], None),
        ("web1", "127.0.0.1 localhost web1\n", ["web1.example.com"], "web1.example.com"),
        ("web1", "127.0.0.1 localhost web1\n10.0.0.1 web1.example.com web1\n", [], "web1.example.com"),
        ("web1", "10.0.0.1 mail.example.com web1\n", [], "mail.example.com"),
        ("web1", "", ["web1.example.com."], "web1.example.com"),
        ("web1", "", ["web1"], None),
        ("web_1", "127.0.1.1 web_1.example.com web_1", [], None),
        ("localhost", "127.0.0.1 localhost.example.com localhost", ["x.example.com"], None),
        ("192.0.2.1", "192.0.2.1 web1.example.com", [], None),
        ("", "", ["x.example.com"], None),
    ],
)
def test_full_name(name, hosts, canonical, full):
    assert hostname.full_name(name, hosts, lambda _name: canonical) == full


@pytest.mark.parametrize(
    "name, domain, mine",
    [
        ("web1.example.com", "", "web1.example.com"),
        ("web1", "", "web1.localdomain"),
        ("web1", "lan", "web1.lan"),
    ],
)
def test_postfixs_own_default(name, domain, mine):
    assert hostname.myhostname(name, domain) == mine
