"""Rows of transport, access, check and mailbox tables. Data only."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from case import (
    HOP,
    RELAY,
    Case,
    table,
    text,
    transport,
    unix,
)

CLIENTS = """\
# comments and continuation
192.0.2.1       REJECT
192.0.2.2       550 5.7.1 go
  away
192.0.2.0/24    OK
10.0.0.0/8      permit_mynetworks, reject
if 198.51.100.0/24
198.51.100.1    DUNNO
endif
2001:db8::/32   DEFER_IF_PERMIT later
[2001:db9::]/32 HOLD
!203.0.113.0/24 PREPEND X-Seen: yes
"""
HEADER_CHECKS = """\
if /^Received:/
/^Received: from localhost/ IGNORE
endif
/^Subject:.*viagra/i   REJECT
/^X-(.*):(.*)/  REPLACE X-Old-$1: $2
!/^From:/x      DUNNO
/^To: a/        REDIRECT b@example.com
/^To: c/        FILTER smtp:[127.0.0.1]:10026
/^To: d/        PREPEND X-A: b
/^To: e/        BCC x@example.com
/^To: f/        INFO seen
/^To: g/        WARN seen
|^To: h|        HOLD
/^To: i/        DISCARD
/^To: j/        STRIP it
"""

BROKEN: list[Case] = [
    Case(
        "transport_limit_not_a_number",
        "value-type",
        "a number is needed",
        {"smtp_destination_concurrency_limit": "many"},
    ),
    Case(
        "map_row_without_value",
        "table-row",
        "virtual line 1: .*no value",
        {"virtual_alias_maps": "texthash:/etc/postfix/virtual"},
        files=[text("virtual", "a@example.com\n")],
    ),
    Case(
        "virtual_mailbox_smaller_than_message",
        "mailbox-smaller-than-message",
        "virtual_mailbox_limit.*smaller than message_size_limit",
        {
            "message_size_limit": 102400000,
            "mailbox_size_limit": 0,
            "virtual_mailbox_limit": 51200000,
            "virtual_mailbox_domains": "example.com",
            "virtual_uid_maps": "static:5000",
            "virtual_gid_maps": "static:5000",
        },
    ),
    Case(
        "relayhost_with_transport",
        "next-hop-syntax",
        r"relayhost .*takes no transport|write \[relay.example.com\]:587",
        {"relayhost": "smtp:[relay.example.com]:587"},
    ),
    Case(
        "map_row_like_an_alias",
        "table-row",
        "virtual line 1: .*without the colon|alias",
        **table("virtual", "a@example.com: b@example.com\n", "virtual_alias_maps"),
    ),
    Case(
        "compiled_row_like_an_alias",
        "table-row",
        "virtual line 1: .*without the colon|alias",
        **table("virtual", "a@example.com: b@example.com\n", "virtual_alias_maps", "lmdb"),
    ),
    Case(
        "alias_row_without_colon",
        "table-row",
        "aliases line 1",
        {"alias_maps": "lmdb:/etc/postfix/aliases"},
        files=[text("aliases", "root joe@example.com\n")],
    ),
    Case(
        "transport_unknown",
        "unknown-transport",
        "transport line 1: .*no service 'relais'",
        **transport("example.com relais:[mx.example.com]"),
    ),
    Case(
        "transport_without_colon",
        "unknown-transport",
        "transport line 1",
        **transport("example.com mx.example.com"),
    ),
    Case(
        "transport_hop_only",
        "unknown-transport",
        "transport line 1",
        **transport("example.com [mx.example.com]:587"),
    ),
    Case(
        "transport_brackets_broken",
        "next-hop-syntax",
        "transport line 1: .*brackets",
        **transport("example.com smtp:[mx.example.com:587"),
    ),
    Case(
        "transport_wildcard_key",
        "transport-pattern",
        r"transport line 1: .*write .example.com",
        **transport("*.example.com smtp:[mx.example.com]"),
    ),
    Case(
        "transport_key_with_at_sign",
        "transport-pattern",
        "transport line 1: .*write example.com",
        **transport("@example.com smtp:[mx.example.com]"),
    ),
    Case(
        "transport_to_465_with_starttls",
        "implicit-tls-port",
        "465 is implicit TLS",
        **transport("example.com smtp:[mx.example.com]:465"),
    ),
    Case(
        "transport_compiled_unknown",
        "unknown-transport",
        "no service 'relais'",
        **transport("example.com relais:[mx.example.com]", kind="lmdb"),
    ),
    Case(
        "sender_relay_brackets_broken",
        "next-hop-syntax",
        "sender_relay line 1: .*brackets",
        **table(
            "sender_relay", "joe@example.com [relay.example.com:587\n", "sender_dependent_relayhost_maps"
        ),
    ),
    Case(
        "sender_relay_with_transport",
        "next-hop-syntax",
        "sender_relay line 1",
        **table(
            "sender_relay", "@example.com smtp:[relay.example.com]:587\n", "sender_dependent_relayhost_maps"
        ),
    ),
    Case(
        "sender_transport_unknown",
        "unknown-transport",
        "no service 'ralay'",
        **table(
            "by_sender",
            "@example.com ralay:[relay.example.com]:587\n",
            "sender_dependent_default_transport_maps",
        ),
    ),
    Case(
        "sender_relay_password_in_clear",
        "password-in-the-clear",
        "without TLS",
        {
            **RELAY,
            "smtp_tls_security_level": "may",
            "smtp_tls_policy_maps": f"inline:{{ {{{HOP} = secure}} }}",
            "sender_dependent_relayhost_maps": "texthash:/etc/postfix/sender_relay",
        },
        files=[
            text("sender_relay", "@example.com [other.example.com]:587\n"),
            {
                "path": "sasl_passwd",
                "content": f"{HOP} joe:secret7\n[other.example.com]:587 joe:secret7\n",
                "sensitive": True,
            },
        ],
    ),
    Case(
        "access_action_misspelt",
        "access-action",
        "access line 1: .*REJECT",
        {"smtpd_client_restrictions": "check_client_access texthash:/etc/postfix/access"},
        files=[text("access", "192.0.2.1 REJET spammer\n")],
    ),
    Case(
        "cidr_action_misspelt",
        "access-action",
        "clients line 1: .*REJECT",
        {"smtpd_client_restrictions": "check_client_access cidr:/etc/postfix/clients"},
        files=[text("clients", "192.0.2.0/24 REJCT\n")],
    ),
    Case(
        "regexp_action_misspelt",
        "access-action",
        "senders line 1: .*REJECT",
        {"smtpd_sender_restrictions": "check_sender_access regexp:/etc/postfix/senders"},
        files=[text("senders", "/@spam\\.example$/ REJCT no\n")],
    ),
    Case(
        "header_check_action_misspelt",
        "header-check-action",
        "checks line 1: .*DISCARD",
        **table("checks", "/^Subject: x/ DISCRAD\n", "header_checks", "regexp"),
    ),
    Case(
        "filter_action_without_transport",
        "header-check-action",
        "checks line 1",
        **table("checks", "/^Subject: x/ FILTER amavis\n", "header_checks", "regexp"),
    ),
    Case(
        "inline_pattern_too_new",
        "access-table",
        "3.7",
        {"smtpd_client_restrictions": "check_client_access cidr:{ {192.0.2.0/24 REJECT} }"},
        before=(3, 7),
    ),
    Case(
        "inline_pattern_bad",
        "table-unreadable",
        "check_client_access|cidr:",
        {"smtpd_client_restrictions": "check_client_access cidr:{ {192.0.2.0/99 REJECT} }"},
        since=(3, 7),
    ),
    Case(
        "virtual_users_without_uid",
        "virtual-mailbox-owner",
        "virtual_uid_maps",
        {
            "virtual_mailbox_domains": "example.com",
            "virtual_mailbox_maps": "inline:{ {a@example.com = a/} }",
            "virtual_mailbox_base": "/var/mail",
        },
    ),
    Case(
        "virtual_uid_without_type",
        "table-type",
        "write static:5000",
        {
            "virtual_mailbox_domains": "example.com",
            "virtual_uid_maps": 5000,
            "virtual_gid_maps": "static:5000",
        },
    ),
    Case(
        "virtual_uid_below_minimum",
        "virtual-mailbox-owner",
        "virtual_minimum_uid",
        {
            "virtual_mailbox_domains": "example.com",
            "virtual_uid_maps": "static:8",
            "virtual_gid_maps": "static:8",
        },
    ),
    Case(
        "pipe_program_missing_in_transport_map",
        "pipe-program",
        "/usr/bin/none",
        {"transport_maps": "inline:{ {example.com = mydrop:} }"},
        [unix("mydrop", "pipe user=nobody argv=/usr/bin/none", unpriv="n")],
    ),
]

VALID: list[Case] = [
    Case(
        "tables_of_patterns",
        "table-unreadable",
        "",
        {
            "header_checks": "regexp:/etc/postfix/header_checks",
            "smtpd_client_restrictions": "check_client_access cidr:/etc/postfix/clients, permit",
        },
        files=[
            text("header_checks", "/^Received:.*\\[127\\.0\\.0\\.1\\]/ IGNORE\n"),
            text("clients", "192.0.2.0/24 REJECT\n2001:db8::/32 OK\n"),
        ],
    ),
    Case(
        "sender_login_checks",
        "unknown-restriction",
        "",
        {
            "smtpd_sender_restrictions": "reject_sender_login_mismatch, permit",
            "smtpd_sender_login_maps": "texthash:/etc/postfix/logins",
        },
        files=[text("logins", "joe@example.com joe\n")],
    ),
    Case(
        "access_of_every_action",
        "access-action",
        "",
        {"smtpd_client_restrictions": "check_client_access cidr:/etc/postfix/clients"},
        files=[text("clients", CLIENTS)],
    ),
    Case(
        "header_checks_of_every_action",
        "header-check-action",
        "",
        **table("checks", HEADER_CHECKS, "header_checks", "regexp"),
    ),
    Case(
        "transport_of_every_form",
        "unknown-transport",
        "",
        **transport(
            "example.com smtp:[mx.example.com]\n.example.com :[mx.example.com]\nexample.org :\nexample.net relay:mx.example.net:25\n"
            "joe@example.com local:\nold.example.com error:5.1.1 gone\nlater.example.com retry:4.4.1 later\nlist.example.com lmtp:unix:private/mailman\n"
            "inbox.example.com lmtp:inet:127.0.0.1:24\nnull.example.com discard:\n* smtp:[relay.example.com]:587"
        ),
    ),
    Case(
        "transport_list_of_hops",
        "transport-pattern",
        "",
        **transport("example.com smtp:[mx1.example.com], [mx2.example.com]:2525", since=(3, 5)),
    ),
    Case(
        "transport_by_regexp",
        "transport-pattern",
        "",
        {"transport_maps": "regexp:/etc/postfix/transport"},
        files=[text("transport", "/@example\\.com$/ smtp:[mx.example.com]\n")],
    ),
    Case(
        "sender_relay_of_every_form",
        "next-hop-syntax",
        "",
        **table(
            "sender_relay",
            "joe@example.com [relay.example.com]:587\n@example.com relay.example.com\njim@example.com DUNNO\n",
            "sender_dependent_relayhost_maps",
        ),
    ),
    Case(
        "sender_transport_of_every_form",
        "unknown-transport",
        "",
        **table(
            "by_sender",
            "@example.com smtp:[relay.example.com]:587\n@example.net relay:\n<> smtp:\n",
            "sender_dependent_default_transport_maps",
        ),
    ),
    Case(
        "virtual_of_every_form",
        "duplicate-key",
        "",
        {"virtual_alias_domains": "example.com", "virtual_alias_maps": "texthash:/etc/postfix/virtual"},
        files=[
            text(
                "virtual",
                'example.com anything\npostmaster@example.com root, joe@example.net\n  jim@example.net\n@example.com joe\n"joe doe"@example.com joe\n',
            )
        ],
    ),
    Case(
        "virtual_mailboxes_static",
        "virtual-mailbox-owner",
        "",
        {
            "virtual_mailbox_domains": "example.com",
            "virtual_mailbox_base": "/var/mail",
            "virtual_mailbox_maps": "texthash:/etc/postfix/vmailbox",
            "virtual_uid_maps": "static:5000",
            "virtual_gid_maps": "static:5000",
        },
        files=[text("vmailbox", "joe@example.com example.com/joe/\n")],
    ),
    Case(
        "inline_patterns",
        "access-table",
        "",
        {
            "smtpd_client_restrictions": "check_client_access cidr:{ {192.0.2.0/24 REJECT}, {198.51.100.0/24 OK} }",
            "header_checks": "regexp:{ {/^X-Test:/ IGNORE} }",
        },
        since=(3, 7),
    ),
    Case(
        "sender_login_by_regexp",
        "table-type",
        "",
        {"smtpd_sender_login_maps": "regexp:/etc/postfix/logins"},
        files=[text("logins", "/^(.*)@example\\.com$/ ${1}\n")],
    ),
]
