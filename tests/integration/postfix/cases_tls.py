"""TLS levels, policies, protocols and wrapper mode. Data only."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from case import (
    CA,
    HOP,
    PASSWORD,
    RELAY,
    SNAKEOIL,
    Case,
    inet,
    text,
    transport,
    unix,
)

BROKEN: list[Case] = [
    Case(
        "tls_level_misspelt",
        "unknown-word",
        "encyrpt: there is no such TLS level.*write encrypt",
        {"smtp_tls_security_level": "encyrpt"},
    ),
    Case("tls_level_boolean", "unknown-word", "no such TLS level", {"smtp_tls_security_level": True}),
    Case(
        "server_tls_level_of_client",
        "unknown-word",
        "no such TLS level of the server",
        {"smtpd_tls_security_level": "secure"},
    ),
    Case(
        "ciphers_misspelt",
        "unknown-word",
        "no such cipher grade; write high",
        {"smtp_tls_mandatory_ciphers": "hihg"},
    ),
    Case(
        "protocol_misspelt",
        "tls-protocol",
        "is not a TLS protocol; write TLSv1.2",
        {"smtpd_tls_mandatory_protocols": "!SSLv3, TLSv12"},
    ),
    Case(
        "protocol_range_too_new",
        "tls-protocol",
        "has no ranges",
        {"smtp_tls_protocols": ">=TLSv1.2"},
        before=(3, 6),
    ),
    Case(
        "verify_without_ca",
        "no-ca-named",
        "no CA is named",
        {"smtp_tls_security_level": "verify", "smtp_tls_CAfile": None, "smtp_tls_CApath": None},
    ),
    Case(
        "policy_level_misspelt",
        "tls-policy",
        "tls_policy line 1: .*no such TLS level; write secure",
        {**RELAY, "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy"},
        files=[PASSWORD, text("tls_policy", f"{HOP} secrue\n")],
    ),
    Case(
        "policy_key_of_other_form",
        "tls-policy-key",
        "tls_policy line 1: .*byte for byte, so this policy",
        {**RELAY, "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy"},
        files=[PASSWORD, text("tls_policy", "relay.example.com secure\n")],
    ),
    Case(
        "policy_attribute_misspelt",
        "tls-policy",
        "no such attribute; write match",
        {**RELAY, "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy"},
        files=[PASSWORD, text("tls_policy", f"{HOP} secure mach=example.com\n")],
    ),
    Case(
        "implicit_port_with_starttls",
        "implicit-tls-port",
        "465 is implicit TLS",
        {**RELAY, "relayhost": "[relay.example.com]:465"},
        files=[{**PASSWORD, "content": "[relay.example.com]:465 joe:secret7\n"}],
    ),
    Case(
        "port_2465_with_starttls",
        "implicit-tls-port",
        "2465 is implicit TLS",
        {"relayhost": "[relay.example.com]:2465", "smtp_tls_security_level": "may"},
    ),
    Case(
        "wrappermode_on_587",
        "implicit-tls-port",
        "587 is STARTTLS",
        {**RELAY, "smtp_tls_wrappermode": True, "smtp_tls_security_level": "encrypt"},
        files=[PASSWORD],
    ),
    Case(
        "wrappermode_with_may",
        "implicit-tls-level",
        "implicit TLS does not work with the level may",
        {
            "relayhost": "[relay.example.com]:465",
            "smtp_tls_wrappermode": True,
            "smtp_tls_security_level": "may",
        },
    ),
    Case(
        "option_tls_level_misspelt",
        "unknown-word",
        "no such TLS level",
        services=[inet("587", smtpd_tls_security_level="encyrpt")],
    ),
    Case(
        "fingerprint_digest_unknown",
        "fingerprint-digest",
        "no such digest; write sha256",
        {"smtp_tls_fingerprint_digest": "sha265"},
    ),
    Case(
        "cipher_list_that_matches_nothing",
        "cipher-list",
        "OpenSSL knows no cipher",
        {"tls_high_cipherlist": "HIHG:!aNULLL"},
    ),
    Case("milter_protocol_unknown", "unknown-list-word", "milter_protocol", {"milter_protocol": 7}),
    Case(
        "dane_without_dnssec",
        "dane-without-dnssec",
        "smtp_dns_support_level = dnssec",
        {"smtp_tls_security_level": "dane"},
    ),
    Case(
        "fingerprint_without_fingerprints",
        "no-fingerprint-named",
        "fingerprint",
        {"smtp_tls_security_level": "fingerprint"},
    ),
    Case(
        "policy_attribute_without_equals",
        "tls-policy",
        "tls_policy line 1",
        {**RELAY, "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy"},
        files=[
            text("tls_policy", f"{HOP} secure match\n"),
            {"path": "sasl_passwd", "content": f"{HOP} joe:secret7\n", "sensitive": True},
        ],
    ),
    Case(
        "policy_match_at_encrypt",
        "tls-policy",
        "tls_policy line 1: .*match",
        {"smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy"},
        files=[text("tls_policy", "example.com encrypt match=example.com\n")],
    ),
    Case(
        "policy_dane_without_dnssec",
        "tls-policy",
        "tls_policy line 1: .*dnssec",
        {"smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy"},
        files=[text("tls_policy", "example.com dane-only\n")],
    ),
    Case(
        "policy_fingerprint_without_match",
        "tls-policy",
        "tls_policy line 1: .*match=",
        {"smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy"},
        files=[text("tls_policy", "example.com fingerprint\n")],
    ),
    Case(
        "wrappermode_for_all_servers",
        "tls-of-the-port",
        "port 25",
        {**SNAKEOIL, "smtpd_tls_wrappermode": True},
    ),
    Case(
        "wrappermode_in_a_transport_to_587",
        "implicit-tls-port",
        "587 is STARTTLS",
        {"transport_maps": "texthash:/etc/postfix/transport"},
        [unix("smtps", "smtp", options={"smtp_tls_wrappermode": True, "smtp_tls_security_level": "encrypt"})],
        [text("transport", "example.com smtps:[mx.example.com]:587\n")],
    ),
]

VALID: list[Case] = [
    Case(
        "ca_directory_in_a_chroot",
        "ca-path-in-chroot",
        "looked up inside the chroot",
        {**RELAY, "smtp_tls_CAfile": None, "smtp_tls_CApath": "/etc/ssl/certs"},
        services=[{**unix("smtp", "smtp"), "chroot": "y"}],
        files=[PASSWORD],
    ),
    Case(
        "wrapped_transport_beside_direct_delivery",
        "implicit-tls-to-everybody",
        "",
        services=[
            unix(
                "smtps", "smtp", options={"smtp_tls_wrappermode": True, "smtp_tls_security_level": "encrypt"}
            )
        ],
    ),
    Case(
        "relay_policy_secure",
        "no-ca-named",
        "",
        {
            **RELAY,
            "smtp_tls_security_level": "may",
            "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy",
        },
        files=[
            PASSWORD,
            text("tls_policy", f"{HOP} secure match=relay.example.com servername=relay.example.com\n"),
        ],
    ),
    Case(
        "relay_465_wrapped_transport",
        "implicit-tls-port",
        "",
        {**RELAY, "relayhost": "", "default_transport": "smtp-wraptls:[relay.example.com]:465"},
        [
            {
                "service": "smtp-wraptls",
                "type": "unix",
                "command": "smtp",
                "options": {"smtp_tls_wrappermode": True, "smtp_tls_security_level": "secure"},
            }
        ],
        [{**PASSWORD, "content": "[relay.example.com]:465 joe:secret7\n"}],
    ),
    Case(
        "relay_465_wrapped_in_main",
        "implicit-tls-level",
        "",
        {**RELAY, "relayhost": "[relay.example.com]:465", "smtp_tls_wrappermode": True},
        files=[{**PASSWORD, "content": "[relay.example.com]:465 joe:secret7\n"}],
    ),
    Case("both_protocols_as_list", "unknown-list-word", "", {"inet_protocols": ["ipv4", "ipv6"]}),
    Case(
        "tls_protocol_lists",
        "tls-protocol",
        "",
        {
            "smtp_tls_protocols": "!SSLv2, !SSLv3",
            "smtp_tls_mandatory_protocols": "!SSLv2,!SSLv3,!TLSv1,!TLSv1.1",
            "smtpd_tls_mandatory_ciphers": "high",
            "smtpd_tls_exclude_ciphers": "aNULL, MD5",
        },
    ),
    Case(
        "tls_protocol_ranges",
        "tls-protocol",
        "",
        {"smtp_tls_protocols": ">=TLSv1.2", "smtpd_tls_mandatory_protocols": ">=TLSv1.2, <=TLSv1.3"},
        since=(3, 6),
    ),
    Case(
        "dane",
        "dane-without-dnssec",
        "",
        {"smtp_dns_support_level": "dnssec", "smtp_tls_security_level": "dane"},
    ),
    Case(
        "verified_peers_by_policy_only",
        "ca-file",
        "",
        {
            "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy",
            "smtp_tls_CAfile": CA,
            "smtp_dns_support_level": "dnssec",
        },
        files=[
            text(
                "tls_policy",
                "example.org secure match=.example.org\nexample.net dane-only\n.example.com none\n",
            )
        ],
    ),
    Case(
        "dane_everywhere",
        "unknown-word",
        "",
        {
            "smtp_tls_security_level": "dane",
            "smtp_dns_support_level": "dnssec",
            "smtp_tls_dane_insecure_mx_policy": "dane",
        },
    ),
    Case(
        "fingerprints",
        "no-fingerprint-named",
        "",
        {
            "smtp_tls_security_level": "fingerprint",
            "smtp_tls_fingerprint_digest": "sha256",
            "smtp_tls_fingerprint_cert_match": "AA:BB",
        },
    ),
    Case(
        "transport_wrapped",
        "implicit-tls-port",
        "",
        **transport(
            "example.com smtps:[mx.example.com]:465",
            services=[
                {
                    "service": "smtps",
                    "type": "unix",
                    "command": "smtp",
                    "options": {"smtp_tls_wrappermode": True, "smtp_tls_security_level": "encrypt"},
                }
            ],
        ),
    ),
    Case(
        "tls_policy_of_every_form",
        "tls-policy",
        "",
        {
            "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy",
            "smtp_tls_CAfile": "/etc/ssl/certs/ca-certificates.crt",
            "smtp_dns_support_level": "dnssec",
        },
        files=[
            text(
                "tls_policy",
                "example.com may\nexample.net encrypt ciphers=high protocols=!SSLv2:!SSLv3\n.example.org verify match=hostname:nexthop\n[mx.example.com]:587 secure match=mx.example.com\nx.example.com fingerprint match=AA:BB|CC:DD\nd.example.com dane-only\nn.example.com none\nt.example.com secure servername=hostname.example.com\n",
            )
        ],
    ),
    Case(
        "policy_of_parent_domain",
        "tls-policy-key",
        "",
        {
            **RELAY,
            "relayhost": "relay.example.com",
            "smtp_tls_security_level": "may",
            "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy",
        },
        files=[
            text("tls_policy", ".example.com secure\n"),
            {"path": "sasl_passwd", "content": "relay.example.com joe:secret7\n", "sensitive": True},
        ],
    ),
    Case(
        "policy_and_sender_keys_together",
        "access-table",
        "",
        {"smtpd_sender_restrictions": "check_sender_access inline:{ {spam.example = REJECT}, {joe@ = OK} }"},
    ),
]
