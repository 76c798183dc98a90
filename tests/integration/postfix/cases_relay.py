"""Relay hosts with credentials, and SASL of clients and servers. Data only."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from case import (
    HOP,
    PASSWORD,
    RELAY,
    SNAKEOIL,
    Case,
    text,
    unix,
)

BROKEN: list[Case] = [
    Case(
        "sasl_option_misspelt",
        "unknown-list-word",
        "is not a valid SASL security option; write noanonymous",
        {"smtp_sasl_security_options": "noanonymus"},
    ),
    Case(
        "mechanism_is_plugin_name",
        "sasl-mechanism-spelling",
        "not a SASL mechanism.*write CRAM-MD5",
        {**RELAY, "smtp_sasl_mechanism_filter": "crammd5"},
        files=[PASSWORD],
    ),
    Case(
        "password_key_without_brackets",
        "password-key",
        r"the key must repeat the next hop byte for byte.*write \[relay",
        RELAY,
        files=[{**PASSWORD, "content": "relay.example.com:587 joe:secret7\n"}],
    ),
    Case(
        "password_key_of_other_port",
        "password-key",
        "must repeat the next hop byte for byte",
        RELAY,
        files=[{**PASSWORD, "content": "[relay.example.com]:2525 joe:secret7\n"}],
    ),
    Case(
        "password_of_the_bare_host_in_a_later_table",
        "password-overridden",
        r"looks for the host before the next hop.*remove this row",
        {
            **RELAY,
            "smtp_sasl_password_maps": [
                "texthash:/etc/postfix/sasl_passwd",
                "texthash:/etc/postfix/old_passwd",
            ],
        },
        files=[PASSWORD, {**PASSWORD, "path": "old_passwd", "content": "relay.example.com joe:secret8\n"}],
    ),
    Case(
        "password_in_main_cf",
        "password-in-main-cf",
        "read by every user",
        {**RELAY, "smtp_sasl_password_maps": "static:joe:secret7"},
    ),
    *(
        Case(
            f"password_in_main_cf_by_{name}",
            "password-in-main-cf",
            "read by every user",
            {**RELAY, "smtp_sasl_password_maps": value},
        )
        for name, value in (
            ("unionmap", "unionmap:{static:joe:secret7}"),
            ("randmap", "randmap:{joe:secret7}"),
            ("proxy", "proxy:static:joe:secret7"),
            ("pattern", "pcre:{{/./ joe:secret7}}"),
            ("pipemap", "pipemap:{texthash:/etc/postfix/x,static:joe:secret7}"),
        )
    ),
    Case(
        "sasl_without_passwords",
        "login-without-passwords",
        "there are no passwords",
        {**RELAY, "smtp_sasl_password_maps": None},
    ),
    Case(
        "password_without_tls",
        "password-in-the-clear",
        r"a password may go there without TLS \(level may\)",
        {**RELAY, "smtp_tls_security_level": "may"},
        files=[PASSWORD],
    ),
    Case("password_table_missing", "table-missing", "sasl_passwd.*does not exist", RELAY),
    Case(
        "secure_without_ca",
        "no-ca-named",
        "no CA is named",
        {**RELAY, "smtp_tls_CAfile": None, "smtp_tls_CApath": None},
        files=[PASSWORD],
    ),
    Case(
        "no_sasl_plugin",
        "sasl-plugin-missing",
        "no SASL mechanism plugin is installed",
        RELAY,
        files=[PASSWORD],
        setup="mv /usr/lib/x86_64-linux-gnu/sasl2 /root/sasl2 # undo: mv /root/sasl2 /usr/lib/x86_64-linux-gnu/sasl2",
    ),
    Case(
        "filtered_plugin_missing",
        "sasl-plugin-missing",
        "plugin for XOAUTH2 is not installed",
        {**RELAY, "smtp_sasl_mechanism_filter": "XOAUTH2"},
        files=[PASSWORD],
    ),
    Case(
        "sasl_path_of_dovecot_with_cyrus",
        "cyrus-server",
        "smtpd_sasl_type = dovecot",
        {"smtpd_sasl_auth_enable": True, "smtpd_sasl_path": "private/auth"},
    ),
    Case(
        "sasl_over_tls_only_without_tls",
        "auth-never-offered",
        "AUTH",
        {"smtpd_sasl_auth_enable": True, "smtpd_tls_auth_only": True, "smtpd_tls_security_level": "none"},
    ),
    Case(
        "server_sasl_without_plugins",
        "cyrus-server",
        "smtpd_sasl_auth_enable",
        {"smtpd_sasl_auth_enable": True},
        setup="mv /usr/lib/x86_64-linux-gnu/sasl2 /root/sasl2 # undo: mv /root/sasl2 /usr/lib/x86_64-linux-gnu/sasl2",
    ),
    Case(
        "password_row_with_equals_sign",
        "password-row",
        "sasl_passwd line 1",
        RELAY,
        files=[{"path": "sasl_passwd", "content": f"{HOP} = joe:secret7\n", "sensitive": True}],
    ),
    Case(
        "password_row_without_password",
        "password-row",
        "sasl_passwd line 1",
        RELAY,
        files=[{"path": "sasl_passwd", "content": f"{HOP} joe\n", "sensitive": True}],
    ),
    Case(
        "fallback_of_the_other_mode",
        "implicit-tls-port",
        "is STARTTLS",
        {
            **RELAY,
            "relayhost": "[relay.example.com]:465",
            "smtp_fallback_relay": "[relay.example.com]:587",
            "smtp_tls_wrappermode": True,
        },
        files=[
            {
                **PASSWORD,
                "content": "[relay.example.com]:465 joe:secret7\n[relay.example.com]:587 joe:secret7\n",
            }
        ],
    ),
    Case(
        "secure_to_an_address",
        "address-never-verifies",
        "192.0.2.25",
        {**RELAY, "relayhost": "[192.0.2.25]:587"},
        files=[{**PASSWORD, "content": "[192.0.2.25]:587 joe:secret7\n"}],
    ),
    Case(
        "password_in_clear_by_option",
        "password-in-the-clear",
        "without TLS",
        {**RELAY, "default_transport": f"clear:{HOP}"},
        [unix("clear", "smtp", options={"smtp_tls_security_level": "none"})],
        [PASSWORD],
    ),
    Case(
        "secure_without_ca_by_option",
        "no-ca-named",
        "no CA is named",
        {"smtp_tls_CAfile": None, "smtp_tls_CApath": None, "default_transport": f"safe:{HOP}"},
        [unix("safe", "smtp", options={"smtp_tls_security_level": "secure"})],
    ),
]

VALID: list[Case] = [
    Case(
        "relay_without_a_password_of_its_own",
        "password-missing",
        r"no key is \[relay.example.com\]:587",
        RELAY,
        files=[{**PASSWORD, "content": "[other.example.com]:587 joe:secret7\n"}],
    ),
    Case(
        "relay_without_plaintext_mechanisms",
        "noplaintext-over-tls",
        "noplaintext refuses PLAIN and LOGIN",
        {**RELAY, "smtp_sasl_security_options": "noanonymous, noplaintext"},
        files=[PASSWORD],
    ),
    Case(
        "mechanisms_of_every_form",
        "sasl-mechanism-spelling",
        "",
        {**RELAY, "smtp_sasl_mechanism_filter": "plain, !gssapi, login"},
        files=[PASSWORD],
    ),
    Case(
        "mechanisms_that_are_installed",
        "sasl-plugin-missing",
        "",
        {**RELAY, "smtp_sasl_mechanism_filter": "PLAIN, LOGIN"},
        files=[PASSWORD],
    ),
    Case(
        "sasl_by_cyrus",
        "cyrus-server",
        "",
        {**SNAKEOIL, "smtpd_sasl_auth_enable": True, "smtpd_tls_security_level": "may"},
    ),
    Case(
        "the_same_password_for_the_bare_host",
        "password-overridden",
        "",
        {
            **RELAY,
            "smtp_sasl_password_maps": [
                "texthash:/etc/postfix/sasl_passwd",
                "texthash:/etc/postfix/old_passwd",
            ],
        },
        files=[
            PASSWORD,
            {
                **PASSWORD,
                "path": "old_passwd",
                "content": f"relay.example.com {PASSWORD['content'].partition(' ')[2]}",
            },
        ],
    ),
    Case("relay_587_secure", "password-in-main-cf", "", RELAY, files=[PASSWORD]),
    Case(
        "relay_failover_list",
        "login-without-passwords",
        "",
        {**RELAY, "relayhost": [HOP, "[relay.example.com]:2525"]},
        files=[{**PASSWORD, "content": f"{HOP} joe:secret7\n[relay.example.com]:2525 joe:secret7\n"}],
        since=(3, 5),
    ),
    Case(
        "relay_without_brackets",
        "password-key",
        "",
        {**RELAY, "relayhost": "example.com:587"},
        files=[{**PASSWORD, "content": "example.com:587 joe:secret7\n"}],
    ),
    Case("relay_named_port", "next-hop-syntax", "", {"relayhost": "[relay.example.com]:submission"}),
    Case("relay_ipv6", "next-hop-syntax", "", {"relayhost": "[2001:db8::25]:587"}),
    Case(
        "relay_to_loopback_filter_with_password",
        "address-never-verifies",
        "",
        {**RELAY, "relayhost": "[127.0.0.1]:587", "smtp_tls_security_level": "may"},
        files=[{**PASSWORD, "content": "[127.0.0.1]:587 joe:secret7\n"}],
    ),
    Case(
        "relay_per_sender",
        "password-missing",
        "",
        {
            **RELAY,
            "smtp_sender_dependent_authentication": True,
            "sender_dependent_relayhost_maps": "texthash:/etc/postfix/sender_relay",
        },
        files=[
            {**PASSWORD, "content": f"joe@example.com joe:secret7\n{HOP} all:secret8\n"},
            text("sender_relay", "joe@example.com [other.example.com]:587\n"),
        ],
    ),
    Case(
        "senders_past_a_relay_at_the_level_of_the_relay",
        "verified-without-a-relay",
        "sender_dependent_default_transport_maps hands to direct goes straight.*set smtp_tls_security_level = may",
        {
            **RELAY,
            "relayhost": "",
            "default_transport": f"smtp:{HOP}",
            "sender_dependent_default_transport_maps": "texthash:/etc/postfix/by_sender",
        },
        [unix("direct", "smtp", options={"smtp_sasl_auth_enable": False})],
        [PASSWORD, text("by_sender", "@example.org direct:\n@example.net direct:\n")],
    ),
    Case(
        "a_recipient_past_a_relay_with_a_policy",
        "verified-without-a-relay",
        "",
        {
            **RELAY,
            "transport_maps": "texthash:/etc/postfix/transport",
            "smtp_tls_policy_maps": "texthash:/etc/postfix/policy",
        },
        files=[
            PASSWORD,
            text("transport", "example.org smtp:\n"),
            text("policy", "example.org may\n"),
        ],
    ),
    Case(
        "a_sender_with_the_login_of_the_relay_before",
        "password-by-sender",
        r"old_passwd line 1: .*mail of this one goes to \[relay.*and not with the one in sasl_passwd line 1; remove this row",
        {
            **RELAY,
            "smtp_sender_dependent_authentication": True,
            "smtp_sasl_password_maps": [
                "texthash:/etc/postfix/sasl_passwd",
                "texthash:/etc/postfix/old_passwd",
            ],
        },
        files=[PASSWORD, {**PASSWORD, "path": "old_passwd", "content": "joe@example.com joe:secret8\n"}],
    ),
    Case(
        "two_accounts_of_one_relay",
        "password-by-sender",
        "",
        {**RELAY, "smtp_sender_dependent_authentication": True},
        files=[{**PASSWORD, "content": f"{HOP} joe:secret7\njane@example.com jane:secret8\n"}],
    ),
    Case(
        "a_sender_with_a_relay_of_its_own",
        "password-by-sender",
        "",
        {
            **RELAY,
            "smtp_sender_dependent_authentication": True,
            "smtp_sasl_password_maps": [
                "texthash:/etc/postfix/sasl_passwd",
                "texthash:/etc/postfix/old_passwd",
            ],
            "sender_dependent_relayhost_maps": "texthash:/etc/postfix/sender_relay",
        },
        files=[
            PASSWORD,
            {**PASSWORD, "path": "old_passwd", "content": "joe@example.com joe:secret8\n"},
            text("sender_relay", "@example.com [other.example.com]:587\n"),
        ],
    ),
    Case(
        "relay_sendgrid_like",
        "noplaintext-over-tls",
        "",
        {
            **RELAY,
            "smtp_tls_security_level": "encrypt",
            "header_size_limit": 4096000,
            "smtp_sasl_tls_security_options": "noanonymous",
        },
        files=[PASSWORD],
    ),
    Case("subdomains_relayed", "domain-list", "", {"relay_domains": ".example.com example.net"}),
    Case("relay_on_loopback_tunnel", "mail-loop", "", {"relayhost": "[127.0.0.1]:11125"}),
    Case(
        "relay_by_sender_domain",
        "password-row",
        "",
        {
            **RELAY,
            "smtp_sender_dependent_authentication": True,
            "sender_dependent_default_transport_maps": "texthash:/etc/postfix/by_sender",
        },
        files=[
            {
                **PASSWORD,
                "content": f"{HOP} joe:secret7\n@example.net jim:secret7\n[other.example.com]:587 jim:secret7\n",
            },
            text("by_sender", "@example.net smtp:[other.example.com]:587\n"),
        ],
    ),
    Case(
        "relay_fallback",
        "login-without-passwords",
        "",
        {**RELAY, "smtp_fallback_relay": "[other.example.com]:587"},
        files=[{**PASSWORD, "content": f"{HOP} joe:secret7\n[other.example.com]:587 jim:secret7\n"}],
    ),
]
