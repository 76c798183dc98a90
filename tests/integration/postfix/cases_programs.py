"""Postfix with filters, list managers and delivery agents: all of it must pass. Data only."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from case import (
    PASSWORD,
    RELAY,
    Case,
    inet,
    text,
    unix,
)

BROKEN: list[Case] = []

VALID: list[Case] = [
    Case("mailbox_command_of_the_shell", "mailbox-command", "", {"mailbox_command": "exec /bin/cat"}),
    Case(
        "pipe_for_one_recipient_by_default",
        "pipe-recipient-limit",
        "",
        {"virtual_transport": "mydrop", "default_destination_recipient_limit": 1},
        [unix("mydrop", "pipe flags=DRhu user=nobody argv=/bin/cat", unpriv="n")],
    ),
    Case(
        "banner_with_typography",
        "typographic-character",
        "",
        {"smtpd_banner": "$myhostname ESMTP \u2013 ours"},
    ),
    Case(
        "spamassassin_by_pipe",
        "pipe-program",
        "",
        {"content_filter": "spamassassin"},
        [
            unix(
                "spamassassin",
                "pipe user=nobody argv=/bin/cat -e /usr/sbin/sendmail -oi -f ${sender} ${recipient}",
                unpriv="n",
            )
        ],
    ),
    Case(
        "amavis",
        "open-relay",
        "",
        {"content_filter": "smtp-amavis:[127.0.0.1]:10024"},
        [
            {
                "service": "smtp-amavis",
                "type": "unix",
                "command": "smtp",
                "maxproc": 2,
                "options": {
                    "smtp_data_done_timeout": 1200,
                    "smtp_send_xforward_command": True,
                    "disable_dns_lookups": True,
                    "max_use": 20,
                },
            },
            inet(
                "127.0.0.1:10025",
                content_filter="",
                smtpd_restriction_classes="",
                smtpd_client_restrictions="permit_mynetworks,reject",
                smtpd_relay_restrictions="permit_mynetworks,reject",
                mynetworks="127.0.0.0/8",
                receive_override_options="no_header_body_checks,no_unknown_recipient_checks",
            ),
        ],
    ),
    Case(
        "rspamd_milter",
        "unknown-list-word",
        "",
        {
            "smtpd_milters": "inet:localhost:11332",
            "non_smtpd_milters": "$smtpd_milters",
            "milter_protocol": 6,
            "milter_mail_macros": "i {mail_addr} {client_addr} {client_name} {auth_authen}",
            "milter_default_action": "accept",
        },
    ),
    Case(
        "opendkim_socket",
        "milter-outside-chroot",
        "",
        {
            "smtpd_milters": "unix:opendkim/opendkim.sock, { inet:127.0.0.1:8893, connect_timeout=10s, default_action=accept }",
            "milter_default_action": "tempfail",
        },
    ),
    Case(
        "postgrey",
        "open-relay",
        "",
        {
            "smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination, check_policy_service inet:127.0.0.1:10023"
        },
    ),
    Case(
        "policy_service_with_options",
        "policy-service",
        "",
        {
            "smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination, check_policy_service { inet:127.0.0.1:10023, timeout=10s, default_action=DUNNO }, permit"
        },
    ),
    Case(
        "spf_policy_by_spawn",
        "unused-parameter",
        "",
        {
            "policyd-spf_time_limit": 3600,
            "smtpd_recipient_restrictions": "reject_unauth_destination, check_policy_service unix:private/policyd-spf",
        },
        [
            {
                "service": "policyd-spf",
                "type": "unix",
                "unpriv": "n",
                "chroot": "n",
                "maxproc": 0,
                "command": "spawn user=nobody argv=/usr/bin/policyd-spf",
            }
        ],
    ),
    Case(
        "rbl_and_friends",
        "removed-restriction",
        "",
        {
            "smtpd_recipient_restrictions": [
                "reject_non_fqdn_recipient",
                "permit_mynetworks",
                "reject_unauth_destination",
                "reject_rbl_client zen.spamhaus.org=127.0.0.[2..11]",
                "reject_rhsbl_helo dbl.spamhaus.org",
                "warn_if_reject reject_unknown_helo_hostname",
                "permit",
            ]
        },
    ),
    Case(
        "postscreen",
        "service-columns",
        "",
        {
            "postscreen_access_list": "permit_mynetworks",
            "postscreen_dnsbl_sites": "zen.spamhaus.org*3 bl.spamcop.net*2",
            "postscreen_dnsbl_threshold": 3,
            "postscreen_dnsbl_action": "enforce",
            "postscreen_greet_action": "enforce",
        },
        [
            {"service": "smtp", "type": "inet", "maxproc": 1, "command": "postscreen"},
            {"service": "smtpd", "type": "pass", "command": "smtpd"},
            {"service": "dnsblog", "type": "unix", "maxproc": 0, "command": "dnsblog"},
            {"service": "tlsproxy", "type": "unix", "maxproc": 0, "command": "tlsproxy"},
        ],
    ),
    Case(
        "dovecot_lmtp",
        "next-hop-outside-chroot",
        "",
        {"virtual_transport": "lmtp:unix:private/dovecot-lmtp", "virtual_mailbox_domains": "example.com"},
    ),
    Case(
        "mailman",
        "unused-parameter",
        "",
        {
            "relay_domains": "lists.example.com",
            "transport_maps": "texthash:/etc/postfix/transport",
            "mailman_destination_recipient_limit": 1,
        },
        [
            {
                "service": "mailman",
                "type": "unix",
                "unpriv": "n",
                "command": "pipe flags=FRX user=list argv=/usr/lib/mailman/bin/postfix-to-mailman.py ${nexthop} ${user}",
            }
        ],
        [text("transport", "lists.example.com mailman:\\n")],
        setup="mkdir -p /usr/lib/mailman/bin && touch /usr/lib/mailman/bin/postfix-to-mailman.py",
    ),
    Case(
        "srs_and_canonical",
        "unknown-list-word",
        "",
        {"sender_canonical_maps": "tcp:localhost:10001", "sender_canonical_classes": "envelope_sender"},
    ),
    Case(
        "postgrey_by_socket",
        "policy-service",
        "",
        {
            "smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination, check_policy_service unix:postgrey/socket"
        },
    ),
    Case(
        "smtpd_milter_maps",
        "table-unreadable",
        "",
        {"smtpd_milter_maps": "cidr:/etc/postfix/milters"},
        files=[text("milters", "127.0.0.0/8 DISABLE\n")],
        since=(3, 2),
    ),
    Case(
        "dkim_and_friends_by_default_filter",
        "header-check-action",
        "",
        {
            "smtp_header_checks": "regexp:{ {/^X-Internal:/ IGNORE} }",
            "smtp_generic_maps": "inline:{ {joe@localdomain = joe@example.com} }",
        },
        since=(3, 7),
    ),
    Case(
        "mailman3_lmtp",
        "transport-pattern",
        "",
        {
            "transport_maps": "texthash:/etc/postfix/transport",
            "local_recipient_maps": "proxy:unix:passwd.byname $alias_maps texthash:/etc/postfix/transport",
            "owner_request_special": False,
            "recipient_delimiter": "+",
        },
        files=[
            text(
                "transport",
                "list@example.com lmtp:[127.0.0.1]:8024\nlist-join@example.com lmtp:[127.0.0.1]:8024\n",
            )
        ],
    ),
    Case(
        "dovecot_lda_by_pipe",
        "pipe-program",
        "",
        {
            "virtual_transport": "dovecot",
            "virtual_mailbox_domains": "example.com",
            "dovecot_destination_recipient_limit": 1,
        },
        [
            unix(
                "dovecot",
                "pipe flags=DRhu user=nobody:nogroup argv=/bin/cat -f ${sender} -d ${user}@${nexthop}",
                unpriv="n",
            )
        ],
    ),
    Case(
        "amavis_both_ways",
        "login-without-passwords",
        "",
        {"content_filter": "smtp-amavis:[127.0.0.1]:10024", **RELAY},
        [
            unix(
                "smtp-amavis",
                "smtp",
                maxproc=2,
                options={
                    "smtp_data_done_timeout": 1200,
                    "smtp_send_xforward_command": True,
                    "smtp_tls_security_level": "none",
                    "smtp_sasl_auth_enable": False,
                },
            ),
            inet(
                "127.0.0.1:10025",
                content_filter="",
                smtpd_tls_security_level="none",
                smtpd_recipient_restrictions="permit_mynetworks,reject",
                mynetworks="127.0.0.0/8",
                smtpd_milters="",
                smtpd_authorized_xforward_hosts="127.0.0.0/8",
            ),
        ],
        [PASSWORD],
    ),
    Case(
        "before_queue_filter",
        "proxy-filter",
        "",
        {"smtpd_proxy_filter": "127.0.0.1:10024"},
        [inet("127.0.0.1:10025", smtpd_proxy_filter="", smtpd_authorized_xforward_hosts="127.0.0.0/8")],
    ),
    Case(
        "qmqpd_and_others",
        "service-set-twice",
        "",
        services=[
            {"service": "628", "type": "inet", "private": "n", "command": "qmqpd"},
            {
                "service": "127.0.0.1:10030",
                "type": "inet",
                "private": "n",
                "unpriv": "n",
                "command": "spawn user=nobody argv=/bin/cat",
            },
        ],
    ),
    Case(
        "relay_backup_named_by_service",
        "implicit-tls-port",
        "",
        {"relayhost": "[relay.example.com]:submission", "smtp_tls_security_level": "encrypt"},
    ),
]
