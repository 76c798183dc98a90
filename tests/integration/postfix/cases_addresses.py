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
    Case("inet_protocols_misspelt", "'ipv44' is no protocol; write ipv4", {"inet_protocols": "ipv44"}),
    Case("inet_protocols_empty", "no protocol is named", {"inet_protocols": ""}),
    Case("inet_protocols_number", "'4' is no protocol", {"inet_protocols": 4}),
    Case("address_preference_misspelt", "no such address family", {"smtp_address_preference": "ip4"}),
    Case("host_lookup_misspelt", "no way to look up hosts", {"smtp_host_lookup": "dsn"}),
    Case(
        "mynetworks_ipv6_unbracketed",
        r"IPv6 without brackets; write \[2001:db8::\]/32",
        {"mynetworks": "127.0.0.0/8 2001:db8::/32"},
    ),
    Case(
        "mynetworks_host_bits", "host bits.*write 192.0.2.0/24", {"mynetworks": "127.0.0.0/8, 192.0.2.1/24"}
    ),
    Case("mynetworks_not_a_network", "not an IPv4 network", {"mynetworks": "127.0.0.0/8 192.0.2.0/33"}),
    Case("mynetworks_mask_in_brackets", r"write \[::1\]/128", {"mynetworks": "127.0.0.0/8 [::1/128]"}),
    Case("mynetworks_everybody", "whole Internet may relay", {"mynetworks": "0.0.0.0/0"}),
    Case(
        "relayhost_open_bracket",
        r"brackets do not match; write \[relay.example.com\]:587",
        {"relayhost": "[relay.example.com:587"},
    ),
    Case(
        "relayhost_port_in_brackets",
        r"port belongs behind the bracket; write \[relay.example.com\]:587",
        {"relayhost": "[relay.example.com:587]"},
    ),
    Case(
        "relayhost_port_without_colon",
        r"only :port may follow; write \[relay.example.com\]:587",
        {"relayhost": "[relay.example.com]587"},
    ),
    Case("relayhost_port_too_big", "70000 is outside", {"relayhost": "[relay.example.com]:70000"}),
    Case("relayhost_port_missing", "no port follows", {"relayhost": "relay.example.com:"}),
    Case(
        "relayhost_url",
        r"is a URL; write \[relay.example.com\]:587",
        {"relayhost": "smtp://relay.example.com:587"},
    ),
    Case("relayhost_ipv6_unbracketed", "needs brackets", {"relayhost": "2001:db8::25"}),
    Case(
        "relayhost_list_too_old",
        "lists came with 3.5",
        {"relayhost": "[a.example.com] [b.example.com]"},
        before=(3, 5),
    ),
    Case("interface_of_another_host", "no address of this host", {"inet_interfaces": "192.0.2.77"}),
    Case("interfaces_misspelt", "write loopback-only", {"inet_interfaces": "loopback_only"}),
    Case("interfaces_empty", "no interface is named", {"inet_interfaces": ""}),
    Case("bind_address_of_another_host", "no address of this host", {"smtp_bind_address": "192.0.2.77"}),
    Case("hostname_with_underscore_and_space", "not a host name", {"myhostname": "my host"}),
    Case("listen_on_foreign_address", "no address of this host", services=[inet("192.0.2.77:2525")]),
    Case("hostname_with_two_dots", "not a host name", {"myhostname": "mail..example.com"}),
    Case("hostname_is_an_address", "not a host name", {"myhostname": "192.0.2.1"}),
    Case("hostname_in_quotes", "remove the quotes", {"myhostname": '"mail.example.com"'}),
    Case("domain_with_leading_dot", "mydomain", {"mydomain": ".example.com"}),
    Case("myorigin_empty", "myorigin", {"myorigin": ""}),
    Case(
        "local_domains_file_missing",
        "does not exist",
        {"mydestination": "localhost, /etc/postfix/local-domains"},
    ),
    Case("domain_with_asterisk", r"write .example.com|write example.com", {"relay_domains": "*.example.com"}),
    Case("domain_with_at_sign", "write example.com", {"virtual_alias_domains": "@example.com"}),
    Case("mynetworks_with_semicolons", "semicolon|commas", {"mynetworks": "127.0.0.0/8; 192.0.2.0/24"}),
    Case("mynetworks_in_quotes", "remove the quotes", {"mynetworks": '"127.0.0.0/8 192.0.2.0/24"'}),
    Case("mynetworks_short_network", "not an IPv4 network", {"mynetworks": "127.0.0.0/8 10/8"}),
    Case("mynetworks_with_asterisk", "192.0.2", {"mynetworks": "127.0.0.0/8 192.0.2.*"}),
    Case("mynetworks_with_range", "192.0.2", {"mynetworks": "127.0.0.0/8 192.0.2.1-192.0.2.9"}),
    Case("mynetworks_half_the_internet_twice", "Internet", {"mynetworks": "0.0.0.0/1, 128.0.0.0/1"}),
    Case("bind_address_is_loopback", "cannot leave", {"smtp_bind_address": "127.0.0.1"}),
    Case("bind_address_is_a_name", "address", {"smtp_bind_address": "localhost"}),
    Case("proxy_interface_unknown", "proxy_interfaces", {"proxy_interfaces": "nat.example.invalid"}),
    Case("relayhost_in_quotes", "remove the quotes", {"relayhost": '"[relay.example.com]:587"'}),
    Case(
        "relayhost_is_this_host",
        "loop",
        {"myhostname": "mail.example.com", "relayhost": "[mail.example.com]"},
    ),
    Case("relayhost_is_loopback", "loop", {"relayhost": "[127.0.0.1]"}),
    Case(
        "relayhost_of_the_other_family",
        "inet_protocols",
        {"relayhost": "[192.0.2.25]", "inet_protocols": "ipv6"},
    ),
    Case(
        "relayhost_ipv6_without_protocol",
        "inet_protocols",
        {"relayhost": "[2001:db8::25]:587", "inet_protocols": "ipv4"},
    ),
    Case(
        "relayhost_comment_behind", "", files=[main_with("relayhost = [relay.example.com]:587 # the relay")]
    ),
    Case("relayhost_port_after_space", "", {"relayhost": "relay.example.com 587"}, since=(3, 5)),
    Case("port_of_all_and_of_one_address", "port 25", services=[inet("127.0.0.1:25")]),
    Case("port_of_any_address_twice", "port 25", services=[inet("0.0.0.0:25")]),
    Case(
        "wrappermode_without_relayhost",
        "port 25",
        {"smtp_tls_wrappermode": True, "smtp_tls_security_level": "encrypt"},
    ),
    Case(
        "relayhost_list_of_both_modes",
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
    Case(
        "relay_587_key_is_bare_host",
        "",
        RELAY,
        files=[{**PASSWORD, "content": "relay.example.com joe:secret7\n"}],
    ),
    Case("ipv4_only", "", {"inet_protocols": "ipv4"}),
    Case("interfaces_by_address", "", {"inet_interfaces": ["127.0.0.1"], "inet_protocols": "ipv4"}),
    Case("smtp_ipv4_preferred", "", {"smtp_address_preference": "ipv4", "smtp_host_lookup": "dns, native"}),
    Case(
        "mynetworks_of_every_kind",
        "",
        {"mynetworks": "127.0.0.0/8 [::1]/128 [fe80::]/64 !192.0.2.1 192.0.2.0/28 cidr:/etc/postfix/nets"},
        files=[text("nets", "198.51.100.0/24 OK\n")],
    ),
    Case("hostname_with_underscore", "", {"myhostname": "mail_1.example.com"}),
    Case(
        "domains_in_a_file",
        "",
        {"mydestination": "/etc/postfix/local-domains, localhost"},
        files=[text("local-domains", "example.com\n")],
    ),
    Case("hosts_by_name_in_mynetworks", "", {"mynetworks": "127.0.0.0/8 [::1]/128 localhost .example.com"}),
    Case(
        "mynetworks_by_table_and_file",
        "",
        {"mynetworks": "127.0.0.0/8, cidr:{ {192.0.2.0/24 OK} }, /etc/postfix/nets"},
        files=[text("nets", "198.51.100.0/24\n")],
        since=(3, 7),
    ),
    Case("international_domain", "", {"virtual_alias_domains": "b\u00fccher.example"}),
    Case(
        "password_key_of_the_host_without_brackets",
        "",
        {**RELAY, "relayhost": "relay.example.com:587"},
        files=[{"path": "sasl_passwd", "content": "relay.example.com joe:secret7\n", "sensitive": True}],
    ),
    Case(
        "lmtp_to_another_host",
        "",
        {
            "virtual_transport": "lmtp:inet:mailstore.example.com:24",
            "mailbox_transport": "lmtp:[127.0.0.1]:24",
        },
    ),
]
