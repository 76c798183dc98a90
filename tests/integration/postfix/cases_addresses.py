# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts, networks, domains, interfaces and where mail is sent. Data only."""

from __future__ import annotations

from case import (
    PASSWORD,
    RELAY,
    Case,
    inet,
    main_with,
    text,
)

BROKEN: list[Case] = [
    Case(
        "inet_protocols_misspelt",
        "unknown-list-word",
        "'ipv44' is not a valid protocol; write ipv4",
        {"inet_protocols": "ipv44"},
    ),
    Case("inet_protocols_empty", "protocols-empty", "no protocol is named", {"inet_protocols": ""}),
    Case("inet_protocols_number", "unknown-list-word", "'4' is not a valid protocol", {"inet_protocols": 4}),
    Case(
        "address_preference_misspelt",
        "unknown-word",
        "no such address family",
        {"smtp_address_preference": "ip4"},
    ),
    Case(
        "host_lookup_misspelt",
        "unknown-list-word",
        "not a valid way to look up hosts",
        {"smtp_host_lookup": "dsn"},
    ),
    Case(
        "mynetworks_ipv6_unbracketed",
        "network-syntax",
        r"IPv6 without brackets; write \[2001:db8::\]/32",
        {"mynetworks": "127.0.0.0/8 2001:db8::/32"},
    ),
    Case(
        "mynetworks_host_bits",
        "network-syntax",
        "host bits.*write 192.0.2.0/24",
        {"mynetworks": "127.0.0.0/8, 192.0.2.1/24"},
    ),
    Case(
        "mynetworks_not_a_network",
        "network-syntax",
        "not an IPv4 network",
        {"mynetworks": "127.0.0.0/8 192.0.2.0/33"},
    ),
    Case(
        "mynetworks_mask_in_brackets",
        "network-syntax",
        r"write \[::1\]/128",
        {"mynetworks": "127.0.0.0/8 [::1/128]"},
    ),
    Case(
        "mynetworks_everybody",
        "whole-internet-may-relay",
        "whole Internet may relay",
        {"mynetworks": "0.0.0.0/0"},
    ),
    Case(
        "relayhost_open_bracket",
        "next-hop-syntax",
        r"brackets do not match; write \[relay.example.com\]:587",
        {"relayhost": "[relay.example.com:587"},
    ),
    Case(
        "relayhost_port_in_brackets",
        "next-hop-syntax",
        r"port belongs behind the bracket; write \[relay.example.com\]:587",
        {"relayhost": "[relay.example.com:587]"},
    ),
    Case(
        "relayhost_port_without_colon",
        "next-hop-syntax",
        r"only :port may follow; write \[relay.example.com\]:587",
        {"relayhost": "[relay.example.com]587"},
    ),
    Case(
        "relayhost_port_too_big",
        "next-hop-syntax",
        "70000 is outside",
        {"relayhost": "[relay.example.com]:70000"},
    ),
    Case("relayhost_port_missing", "next-hop-syntax", "no port follows", {"relayhost": "relay.example.com:"}),
    Case(
        "relayhost_url",
        "next-hop-syntax",
        r"is a URL; write \[relay.example.com\]:587",
        {"relayhost": "smtp://relay.example.com:587"},
    ),
    Case("relayhost_ipv6_unbracketed", "next-hop-syntax", "needs brackets", {"relayhost": "2001:db8::25"}),
    Case(
        "relayhost_list_too_old",
        "next-hop-syntax",
        "lists came with 3.5",
        {"relayhost": "[a.example.com] [b.example.com]"},
        before=(3, 5),
    ),
    Case(
        "interface_of_another_host",
        "interfaces",
        "not an address of this host",
        {"inet_interfaces": "192.0.2.77"},
    ),
    Case("interfaces_misspelt", "interfaces", "write loopback-only", {"inet_interfaces": "loopback_only"}),
    Case("interfaces_empty", "interfaces", "no interface is named", {"inet_interfaces": ""}),
    Case(
        "bind_address_of_another_host",
        "bind-address",
        "not an address of this host",
        {"smtp_bind_address": "192.0.2.77"},
    ),
    Case("hostname_with_underscore_and_space", "host-name", "not a host name", {"myhostname": "my host"}),
    Case(
        "listen_on_foreign_address",
        "listener-address",
        "not an address of this host",
        services=[inet("192.0.2.77:2525")],
    ),
    Case("hostname_with_two_dots", "host-name", "not a host name", {"myhostname": "mail..example.com"}),
    Case("hostname_is_an_address", "host-name", "not a host name", {"myhostname": "192.0.2.1"}),
    Case("hostname_in_quotes", "quoted-value", "remove the quotes", {"myhostname": '"mail.example.com"'}),
    Case("domain_with_leading_dot", "host-name", "mydomain", {"mydomain": ".example.com"}),
    Case("myorigin_empty", "origin", "myorigin", {"myorigin": ""}),
    Case(
        "local_domains_file_missing",
        "domain-list",
        "does not exist",
        {"mydestination": "localhost, /etc/postfix/local-domains"},
    ),
    Case(
        "domain_with_asterisk",
        "domain-list",
        r"write .example.com|write example.com",
        {"relay_domains": "*.example.com"},
    ),
    Case(
        "domain_with_at_sign", "domain-list", "write example.com", {"virtual_alias_domains": "@example.com"}
    ),
    Case(
        "mynetworks_with_semicolons",
        "network-syntax",
        "semicolon|commas",
        {"mynetworks": "127.0.0.0/8; 192.0.2.0/24"},
    ),
    Case(
        "mynetworks_in_quotes",
        "quoted-value",
        "remove the quotes",
        {"mynetworks": '"127.0.0.0/8 192.0.2.0/24"'},
    ),
    Case(
        "mynetworks_short_network",
        "network-syntax",
        "not an IPv4 network",
        {"mynetworks": "127.0.0.0/8 10/8"},
    ),
    Case("mynetworks_with_asterisk", "network-syntax", "192.0.2", {"mynetworks": "127.0.0.0/8 192.0.2.*"}),
    Case(
        "mynetworks_with_range",
        "network-syntax",
        "192.0.2",
        {"mynetworks": "127.0.0.0/8 192.0.2.1-192.0.2.9"},
    ),
    Case(
        "mynetworks_half_the_internet_twice",
        "whole-internet-may-relay",
        "Internet",
        {"mynetworks": "0.0.0.0/1, 128.0.0.0/1"},
    ),
    Case("bind_address_is_loopback", "bind-address", "cannot leave", {"smtp_bind_address": "127.0.0.1"}),
    Case("bind_address_is_a_name", "bind-address", "address", {"smtp_bind_address": "localhost"}),
    Case(
        "proxy_interface_unknown",
        "proxy-interfaces",
        "proxy_interfaces",
        {"proxy_interfaces": "nat.example.invalid"},
    ),
    Case(
        "relayhost_in_quotes", "quoted-value", "remove the quotes", {"relayhost": '"[relay.example.com]:587"'}
    ),
    Case(
        "relayhost_is_this_host",
        "mail-loop",
        "loop",
        {"myhostname": "mail.example.com", "relayhost": "[mail.example.com]"},
    ),
    Case("relayhost_is_loopback", "mail-loop", "loop", {"relayhost": "[127.0.0.1]"}),
    Case(
        "relayhost_of_the_other_family",
        "next-hop-family",
        "inet_protocols",
        {"relayhost": "[192.0.2.25]", "inet_protocols": "ipv6"},
    ),
    Case(
        "relayhost_ipv6_without_protocol",
        "next-hop-family",
        "inet_protocols",
        {"relayhost": "[2001:db8::25]:587", "inet_protocols": "ipv4"},
    ),
    Case(
        "relayhost_comment_behind",
        "next-hop-syntax",
        "",
        files=[main_with("relayhost = [relay.example.com]:587 # the relay")],
    ),
    Case(
        "relayhost_port_after_space",
        "next-hop-syntax",
        "",
        {"relayhost": "relay.example.com 587"},
        since=(3, 5),
    ),
    Case("port_of_all_and_of_one_address", "port-used-twice", "port 25", services=[inet("127.0.0.1:25")]),
    Case("port_of_any_address_twice", "port-used-twice", "port 25", services=[inet("0.0.0.0:25")]),
    Case(
        "wrappermode_without_relayhost",
        "implicit-tls-to-everybody",
        "port 25",
        {"smtp_tls_wrappermode": True, "smtp_tls_security_level": "encrypt"},
    ),
    Case(
        "relayhost_list_of_both_modes",
        "implicit-tls-port",
        "is STARTTLS|is implicit TLS",
        {
            "relayhost": "[a.example.com]:465, [b.example.com]:587",
            "smtp_tls_wrappermode": True,
            "smtp_tls_security_level": "encrypt",
        },
        since=(3, 5),
    ),
]

VALID: list[Case] = [
    Case("nat_in_front", "proxy-interfaces", "", {"proxy_interfaces": "192.0.2.1"}),
    Case(
        "loopback_to_loopback",
        "bind-address",
        "",
        {"smtp_bind_address": "127.0.0.1", "relayhost": "[127.0.0.1]:11125"},
    ),
    Case(
        "relay_587_key_is_bare_host",
        "password-key",
        "",
        RELAY,
        files=[{**PASSWORD, "content": "relay.example.com joe:secret7\n"}],
    ),
    Case("ipv4_only", "protocols-empty", "", {"inet_protocols": "ipv4"}),
    Case(
        "interfaces_by_address",
        "interfaces",
        "",
        {"inet_interfaces": ["127.0.0.1"], "inet_protocols": "ipv4"},
    ),
    Case(
        "smtp_ipv4_preferred",
        "unknown-word",
        "",
        {"smtp_address_preference": "ipv4", "smtp_host_lookup": "dns, native"},
    ),
    Case(
        "mynetworks_of_every_kind",
        "network-syntax",
        "",
        {"mynetworks": "127.0.0.0/8 [::1]/128 [fe80::]/64 !192.0.2.1 192.0.2.0/28 cidr:/etc/postfix/nets"},
        files=[text("nets", "198.51.100.0/24 OK\n")],
    ),
    Case("hostname_with_underscore", "host-name", "", {"myhostname": "mail_1.example.com"}),
    Case(
        "domains_in_a_file",
        "domain-list",
        "",
        {"mydestination": "/etc/postfix/local-domains, localhost"},
        files=[text("local-domains", "example.com\n")],
    ),
    Case(
        "hosts_by_name_in_mynetworks",
        "network-syntax",
        "",
        {"mynetworks": "127.0.0.0/8 [::1]/128 localhost .example.com"},
    ),
    Case(
        "mynetworks_by_table_and_file",
        "network-syntax",
        "",
        {"mynetworks": "127.0.0.0/8, cidr:{ {192.0.2.0/24 OK} }, /etc/postfix/nets"},
        files=[text("nets", "198.51.100.0/24\n")],
        since=(3, 7),
    ),
    Case("international_domain", "domain-list", "", {"virtual_alias_domains": "b\u00fccher.example"}),
    Case(
        "password_key_of_the_host_without_brackets",
        "password-key",
        "",
        {**RELAY, "relayhost": "relay.example.com:587"},
        files=[{"path": "sasl_passwd", "content": "relay.example.com joe:secret7\n", "sensitive": True}],
    ),
    Case(
        "lmtp_to_another_host",
        "next-hop-syntax",
        "",
        {
            "virtual_transport": "lmtp:inet:mailstore.example.com:24",
            "mailbox_transport": "lmtp:[127.0.0.1]:24",
        },
    ),
]
