"""What distributions ship and what kinds of hosts there are: all of it must pass. Data only."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from case import (
    EL_MAIN,
    SNAKEOIL,
    SUBMISSION,
    SUSE_MAIN,
    UPSTREAM_MASTER,
    Case,
    inet,
    text,
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
        "instance_relays_to_another_instance",
        "next-hop-family",
        "",
        {
            "relayhost": "[127.0.0.2]",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
        },
    ),
    Case("shipped_by_the_distribution", "main-cf-missing"),
    Case(
        "main_cf_of_root_alone_to_write",
        "writable-by-others",
        setup="chmod 0644 /etc/postfix/main.cf",
    ),
    Case(
        "null_client",
        "parameter-set-twice",
        "",
        {
            "inet_interfaces": "loopback-only",
            "mydestination": "",
            "relayhost": "[mail.example.com]",
            "local_transport": "error:local delivery is disabled",
            "myorigin": "example.com",
        },
    ),
    Case(
        "el_stock", "daemon-missing", "", files=[text("main.cf", EL_MAIN), text("master.cf", UPSTREAM_MASTER)]
    ),
    Case("upstream_master", "unreadable-line", "", files=[text("master.cf", UPSTREAM_MASTER)]),
    Case(
        "suse_stock",
        "compatibility-level",
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
        "origin",
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
        "key-readable-by-all",
        "",
        SNAKEOIL,
        [{**SUBMISSION, "options": {**SUBMISSION["options"], "smtpd_sasl_auth_enable": False}}],
    ),
    Case(
        "submission_with_dovecot",
        "dovecot-socket",
        "",
        {**SNAKEOIL, "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth-valid"},
        [SUBMISSION],
        setup="touch /var/spool/postfix/private/auth-valid # undo: rm /var/spool/postfix/private/auth-valid",
    ),
    Case(
        "submissions_implicit",
        "tls-of-the-port",
        "",
        SNAKEOIL,
        [
            inet(
                "465", smtpd_tls_wrappermode=True, smtpd_relay_restrictions="permit_sasl_authenticated,reject"
            )
        ],
    ),
    Case(
        "xforward_and_log",
        "network-syntax",
        "",
        {
            "smtpd_authorized_xforward_hosts": "127.0.0.0/8 [::1]/128",
            "maillog_file": "",
            "smtpd_banner": "$myhostname ESMTP $mail_name",
        },
    ),
    Case(
        "backup_mx",
        "open-relay",
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
        "debugger_stock",
        "mailbox-command",
        "",
        {"debugger_command": "PATH=/bin:/usr/bin gdb $daemon_directory/$process_name $process_id & sleep 5"},
    ),
    Case(
        "submission_only_sasl_tls",
        "auth-never-offered",
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
        "default-transport-missing",
        "",
        {"relayhost": "$mydomain", "inet_interfaces": "loopback-only", "mydestination": ""},
    ),
    Case("el9_submission", "listener-address", files=[text("master.cf", EL9_MASTER)]),
    Case("long_lines_and_braces", "unreadable-line", "", files=[text("master.cf", LONG_LINES)]),
    Case(
        "mailcow_like",
        "compatibility-level",
        "",
        MAILCOW,
        files=[text("allow.cidr", "192.0.2.0/24 permit\n"), text("a", "x y\n"), text("b", "z y\n")],
    ),
    Case(
        "mua_restrictions",
        "unknown-restriction",
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
        "haproxy_in_front",
        "proxy-protocol-for-strangers",
        "may say that he is in mynetworks",
        services=[inet("10587", smtpd_upstream_proxy_protocol="haproxy")],
    ),
    Case(
        "loopback_submission_without_tls",
        "tls-of-the-port",
        "",
        services=[inet("127.0.0.1:587", smtpd_tls_security_level="none")],
    ),
    Case(
        "freebsd_stock",
        "directory-missing",
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
        "writable-by-others",
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
        "ca-path-in-chroot",
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
        "mail-loop",
        "",
        {
            "multi_instance_enable": True,
            "multi_instance_wrapper": "${command_directory}/postmulti -p --",
            "multi_instance_name": "postfix-out",
            "multi_instance_group": "mta",
        },
    ),
]
