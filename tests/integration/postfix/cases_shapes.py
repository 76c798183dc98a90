# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What distributions ship and what postmasters run: all of it must pass. Data only."""

from __future__ import annotations

from case import (
    EL_MAIN,
    PASSWORD,
    RELAY,
    SNAKEOIL,
    SUBMISSION,
    SUSE_MAIN,
    UPSTREAM_MASTER,
    Case,
    inet,
    text,
    unix,
)

EL9_MASTER = (
    UPSTREAM_MASTER
    + """\
postlog   unix-dgram n  -       n       -       1       postlogd
submission inet n       -       n       -       -       smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=may
  -o smtpd_sasl_auth_enable=no
  -o smtpd_tls_auth_only=yes
  -o local_header_rewrite_clients=static:all
  -o smtpd_reject_unlisted_recipient=no
#     Instead of specifying complex smtpd_<xxx>_restrictions here,
#     specify "smtpd_<xxx>_restrictions=$mua_<xxx>_restrictions"
#     here, and specify mua_<xxx>_restrictions in main.cf (where
#     "<xxx>" is "client", "helo", "sender", "relay", or "recipient").
  -o smtpd_client_restrictions=
  -o smtpd_helo_restrictions=
  -o smtpd_sender_restrictions=
  -o smtpd_relay_restrictions=
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
  -o milter_macro_daemon_name=ORIGINATING
"""
)
LONG_LINES = (
    UPSTREAM_MASTER
    + """\
localhost:10025 inet n - n - - smtpd -o content_filter= -o mynetworks=127.0.0.0/8
  # a comment inside
  -o { smtpd_recipient_restrictions = permit_mynetworks, reject }

  -o { smtpd_relay_restrictions = permit_mynetworks, reject } -v
  -o smtpd_client_restrictions=
smtp-slow unix - - n - 2 smtp -o syslog_name=postfix-slow
   -o {smtp_helo_name=slow.example.com}
"""
)
MAILCOW = {
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination",
    "smtpd_data_restrictions": "reject_unauth_pipelining, permit",
    "smtpd_helo_required": True,
    "smtpd_hard_error_limit": "${stress?1}${stress:5}",
    "postscreen_access_list": "permit_mynetworks, cidr:/etc/postfix/allow.cidr",
    "postscreen_cache_map": "lmdb:$data_directory/postscreen_cache",
    "address_verify_map": "lmdb:$data_directory/verify_cache",
    "parent_domain_matches_subdomains": "debug_peer_list,fast_flush_domains,mynetworks,qmqpd_authorized_clients",
    "smtpd_sender_login_maps": "unionmap:{texthash:/etc/postfix/a, texthash:/etc/postfix/b}",
    "tls_ssl_options": "NO_COMPRESSION, NO_RENEGOTIATION",
    "smtpd_tls_eecdh_grade": "auto",
    "smtpd_tls_session_cache_database": "lmdb:${data_directory}/smtpd_scache",
    "smtpd_tls_loglevel": 1,
    "smtp_sasl_auth_soft_bounce": False,
    "milter_mail_macros": "i {mail_addr} {client_addr} {client_name} {auth_authen}",
    "smtpd_discard_ehlo_keywords": "chunking, silent-discard",
    "compatibility_level": 2,
}

BROKEN: list[Case] = []

VALID: list[Case] = [
    Case(
        "spamassassin_by_pipe",
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
    Case("shipped_by_the_distribution"),
    Case(
        "null_client",
        "",
        {
            "inet_interfaces": "loopback-only",
            "mydestination": "",
            "relayhost": "[mail.example.com]",
            "local_transport": "error:local delivery is disabled",
            "myorigin": "example.com",
        },
    ),
    Case("el_stock", "", files=[text("main.cf", EL_MAIN), text("master.cf", UPSTREAM_MASTER)]),
    Case("upstream_master", "", files=[text("master.cf", UPSTREAM_MASTER)]),
    Case(
        "suse_stock",
        "",
        files=[
            text(
                "main.cf",
                SUSE_MAIN.replace("program_directory = /usr/lib/postfix\n", "").replace(
                    "texthash:/etc/postfix/access", "check_sender_access texthash:/etc/postfix/access"
                ),
            ),
            *(
                text(name, "# nothing yet\n")
                for name in ("canonical", "virtual", "relocated", "transport", "sender_canonical", "access")
            ),
        ],
    ),
    Case(
        "debian_satellite",
        "",
        {
            "relayhost": "smtp.example.com",
            "inet_interfaces": "loopback-only",
            "mydestination": "$myhostname, localhost",
            "myorigin": "/etc/mailname",
        },
        setup="hostname > /etc/mailname",
    ),
    Case(
        "submission_with_tls",
        "",
        SNAKEOIL,
        [{**SUBMISSION, "options": {**SUBMISSION["options"], "smtpd_sasl_auth_enable": False}}],
    ),
    Case(
        "submission_with_dovecot",
        "",
        {**SNAKEOIL, "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth-valid"},
        [SUBMISSION],
        setup="touch /var/spool/postfix/private/auth-valid # undo: rm /var/spool/postfix/private/auth-valid",
    ),
    Case(
        "submissions_implicit",
        "",
        SNAKEOIL,
        [
            inet(
                "465", smtpd_tls_wrappermode=True, smtpd_relay_restrictions="permit_sasl_authenticated,reject"
            )
        ],
    ),
    Case(
        "amavis",
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
        "",
        {
            "smtpd_milters": "unix:opendkim/opendkim.sock, { inet:127.0.0.1:8893, connect_timeout=10s, default_action=accept }",
            "milter_default_action": "tempfail",
        },
    ),
    Case(
        "postgrey",
        "",
        {
            "smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination, check_policy_service inet:127.0.0.1:10023"
        },
    ),
    Case(
        "policy_service_with_options",
        "",
        {
            "smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination, check_policy_service { inet:127.0.0.1:10023, timeout=10s, default_action=DUNNO }, permit"
        },
    ),
    Case(
        "spf_policy_by_spawn",
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
        "",
        {"virtual_transport": "lmtp:unix:private/dovecot-lmtp", "virtual_mailbox_domains": "example.com"},
    ),
    Case(
        "mailman",
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
        "xforward_and_log",
        "",
        {
            "smtpd_authorized_xforward_hosts": "127.0.0.0/8 [::1]/128",
            "maillog_file": "",
            "smtpd_banner": "$myhostname ESMTP $mail_name",
        },
    ),
    Case(
        "backup_mx",
        "",
        {
            "relay_domains": "$mydestination, example.org",
            "relay_recipient_maps": "",
            "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
            "transport_maps": "texthash:/etc/postfix/transport",
        },
        files=[text("transport", "example.org smtp:[mx1.example.org]\n")],
    ),
    Case(
        "srs_and_canonical",
        "",
        {"sender_canonical_maps": "tcp:localhost:10001", "sender_canonical_classes": "envelope_sender"},
    ),
    Case(
        "debugger_stock",
        "",
        {"debugger_command": "PATH=/bin:/usr/bin gdb $daemon_directory/$process_name $process_id & sleep 5"},
    ),
    Case(
        "submission_only_sasl_tls",
        "",
        {
            "smtpd_tls_auth_only": True,
            "smtpd_tls_security_level": "may",
            "smtpd_tls_cert_file": "/etc/ssl/certs/ssl-cert-snakeoil.pem",
            "smtpd_tls_key_file": "/etc/ssl/private/ssl-cert-snakeoil.key",
        },
    ),
    Case(
        "null_client_by_name",
        "",
        {"relayhost": "$mydomain", "inet_interfaces": "loopback-only", "mydestination": ""},
    ),
    Case(
        "postgrey_by_socket",
        "",
        {
            "smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination, check_policy_service unix:postgrey/socket"
        },
    ),
    Case(
        "smtpd_milter_maps",
        "",
        {"smtpd_milter_maps": "cidr:/etc/postfix/milters"},
        files=[text("milters", "127.0.0.0/8 DISABLE\n")],
        since=(3, 2),
    ),
    Case(
        "dkim_and_friends_by_default_filter",
        "",
        {
            "smtp_header_checks": "regexp:{ {/^X-Internal:/ IGNORE} }",
            "smtp_generic_maps": "inline:{ {joe@localdomain = joe@example.com} }",
        },
        since=(3, 7),
    ),
    Case("el9_submission", files=[text("master.cf", EL9_MASTER)]),
    Case("long_lines_and_braces", "", files=[text("master.cf", LONG_LINES)]),
    Case(
        "mailcow_like",
        "",
        MAILCOW,
        files=[text("allow.cidr", "192.0.2.0/24 permit\n"), text("a", "x y\n"), text("b", "z y\n")],
    ),
    Case(
        "mua_restrictions",
        "",
        {
            "mua_client_restrictions": "permit_mynetworks, reject",
            "mua_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject",
        },
        [
            inet(
                "587",
                smtpd_client_restrictions="$mua_client_restrictions",
                smtpd_relay_restrictions="$mua_relay_restrictions",
            )
        ],
    ),
    Case(
        "mailman3_lmtp",
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
        "",
        {"smtpd_proxy_filter": "127.0.0.1:10024"},
        [inet("127.0.0.1:10025", smtpd_proxy_filter="", smtpd_authorized_xforward_hosts="127.0.0.0/8")],
    ),
    Case(
        "qmqpd_and_others",
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
    Case("haproxy_in_front", "", services=[inet("10587", smtpd_upstream_proxy_protocol="haproxy")]),
    Case(
        "relay_backup_named_by_service",
        "",
        {"relayhost": "[relay.example.com]:submission", "smtp_tls_security_level": "encrypt"},
    ),
    Case(
        "loopback_submission_without_tls",
        "",
        services=[inet("127.0.0.1:587", smtpd_tls_security_level="none")],
    ),
    Case(
        "freebsd_stock",
        "",
        {
            "mail_spool_directory": "/var/mail",
            "inet_protocols": "ipv4",
            "mynetworks_style": "host",
            "meta_directory": None,
            "smtputf8_enable": False,
            "unknown_local_recipient_reject_code": 550,
            "sendmail_path": "/usr/local/sbin/sendmail",
        },
    ),
    Case(
        "alpine_stock",
        "",
        {
            "alias_maps": "lmdb:/etc/postfix/aliases",
            "alias_database": "$alias_maps",
            "inet_interfaces": "all",
            "unknown_local_recipient_reject_code": 550,
            "shlib_directory": None,
        },
        files=[text("aliases", "root: joe\n"), text("master.cf", UPSTREAM_MASTER)],
    ),
    Case(
        "ubuntu_internet_site",
        "",
        {
            "smtpd_relay_restrictions": "permit_mynetworks permit_sasl_authenticated defer_unauth_destination",
            "smtpd_banner": "$myhostname ESMTP $mail_name (Ubuntu)",
            "append_dot_mydomain": False,
            "readme_directory": False,
            "compatibility_level": 2,
            **SNAKEOIL,
            "smtpd_tls_security_level": "may",
            "smtp_tls_CApath": "/etc/ssl/certs",
            "smtp_tls_security_level": "may",
            "smtp_tls_session_cache_database": "lmdb:${data_directory}/smtp_scache",
            "mynetworks": "127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128",
            "mailbox_size_limit": 0,
            "recipient_delimiter": "+",
            "inet_interfaces": "all",
            "inet_protocols": "all",
        },
    ),
    Case(
        "multi_instance",
        "",
        {
            "multi_instance_enable": True,
            "multi_instance_wrapper": "${command_directory}/postmulti -p --",
            "multi_instance_name": "postfix-out",
            "multi_instance_group": "mta",
        },
    ),
]
