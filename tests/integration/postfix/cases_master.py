"""master.cf: columns, daemons, ports, arguments, sockets. Data only."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from case import (
    HOP,
    SNAKEOIL,
    UPSTREAM_MASTER,
    Case,
    absent,
    inet,
    master_with,
    text,
    unix,
)

BROKEN: list[Case] = [
    Case(
        "transport_not_in_master",
        "unknown-transport",
        "no service 'relais'; write relay",
        {"default_transport": f"relais:{HOP}"},
    ),
    Case(
        "wrappermode_server_on_587",
        "tls-of-the-port",
        "clients speak STARTTLS on port 587",
        services=[inet("587", smtpd_tls_wrappermode=True)],
    ),
    Case(
        "port_465_without_wrappermode",
        "tls-of-the-port",
        "clients speak implicit TLS on port 465",
        services=[inet("465")],
    ),
    Case(
        "daemon_misspelt",
        "daemon-missing",
        "no such daemon.*write smtpd",
        services=[{"service": "2525", "type": "inet", "private": "n", "command": "smptd"}],
    ),
    Case("port_name_unknown", "listener-address", "no such port; write 587", services=[inet("submision")]),
    Case("port_too_big", "listener-address", "no such port", services=[inet("70000")]),
    Case("port_twice", "port-used-twice", "port 25 is already that of", services=[inet("25")]),
    Case(
        "port_taken_by_foreigner",
        "port-of-another-program",
        "held by a process that is not Postfix",
        services=[inet("8765")],
        setup="python3 -c 'import socket,time; s=socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((\"0.0.0.0\",8765)); s.listen(); time.sleep(20)' >/dev/null 2>&1 & sleep 0.5",
    ),
    Case(
        "option_unknown",
        "unused-parameter",
        r"^master.cf line \d+: 587/inet -o smtpd_tls_securty_level = encrypt: .*no parameter of this name",
        services=[inet("587", smtpd_tls_securty_level="encrypt")],
    ),
    Case(
        "option_boolean_written_true",
        "value-type",
        "yes or no is needed",
        services=[inet("587", smtpd_sasl_auth_enable="True")],
    ),
    Case(
        "option_with_spaces",
        "unreadable-line",
        "write -o",
        files=[text("master.cf", "smtp inet n - y - - smtpd -o smtpd_tls_security_level = may\n")],
    ),
    Case(
        "option_without_value",
        "unreadable-line",
        "no = follows",
        files=[text("master.cf", "smtp inet n - y - - smtpd -o smtpd_tls_security_level\n")],
    ),
    Case(
        "chroot_z",
        "",
        "chroot is 'z': write y, n or -",
        services=[{"service": "smtp", "type": "unix", "chroot": "z"}],
    ),
    Case(
        "chroot_z_in_file",
        "service-field",
        "chroot z: no such value; write y, n or -",
        files=[text("master.cf", "smtp inet n - z - - smtpd\n")],
    ),
    Case(
        "too_few_columns",
        "unreadable-line",
        "columns where master.cf needs",
        files=[text("master.cf", "smtp inet n - smtpd\n")],
    ),
    Case(
        "service_type_unknown",
        "unreadable-line",
        "service type 'tcp'",
        files=[text("master.cf", "smtp tcp n - y - - smtpd\n")],
    ),
    Case(
        "master_without_qmgr",
        "service-missing",
        "service qmgr: the service is missing",
        services=[{"service": "qmgr", "type": "unix", "state": "absent"}],
    ),
    Case(
        "master_without_cleanup",
        "service-missing",
        "service cleanup: the service is missing",
        services=[{"service": "cleanup", "type": "unix", "state": "absent"}],
    ),
    Case(
        "two_queue_managers",
        "service-columns",
        "must have a process limit of 1",
        services=[{"service": "qmgr", "type": "unix", "maxproc": 5}],
    ),
    Case(
        "pipe_without_user",
        "pipe-attribute",
        "user= is missing",
        services=[{"service": "vacation", "type": "unix", "command": "pipe argv=/usr/bin/vacation"}],
    ),
    Case(
        "dovecot_not_running",
        "dovecot-socket",
        "socket /var/spool/postfix/private/auth-none does not exist",
        services=[
            inet(
                "587",
                smtpd_sasl_auth_enable=True,
                smtpd_sasl_type="dovecot",
                smtpd_sasl_path="private/auth-none",
            )
        ],
    ),
    Case(
        "service_twice",
        "service-set-twice",
        "there twice",
        files=[text("master.cf", "smtp inet n - y - - smtpd\nsmtp inet n - y - - smtpd\n")],
    ),
    Case(
        "maillog_file_without_postlog",
        "service-missing",
        "postlog",
        {"maillog_file": "/var/log/mail.log"},
        services=[{"service": "postlog", "type": "unix-dgram", "state": "absent"}],
    ),
    Case(
        "option_value_with_space",
        "daemon-argument",
        "= reject: smtpd does not accept this argument",
        files=[
            master_with(
                "587 inet n - n - - smtpd", "  -o smtpd_recipient_restrictions=permit_mynetworks, reject"
            )
        ],
    ),
    Case(
        "service_line_begins_with_space",
        "daemon-argument",
        "submission",
        files=[
            text(
                "master.cf",
                UPSTREAM_MASTER.replace("pickup    unix", " submission inet n - n - - smtpd\npickup    unix"),
            )
        ],
    ),
    Case(
        "en_dash_from_a_web_page",
        "typographic-character",
        "dash",
        files=[master_with("587 inet n - n - - smtpd", "  \u2013o smtpd_sasl_auth_enable=no")],
    ),
    Case(
        "local_without_privilege", "service-columns", "unpriv", services=[unix("local", "local", unpriv="y")]
    ),
    Case(
        "pipe_without_privilege",
        "service-columns",
        "unpriv",
        services=[unix("mydrop", "pipe user=nobody argv=/bin/cat", unpriv="y")],
    ),
    Case(
        "tlsmgr_with_many_processes",
        "service-columns",
        "maxproc",
        services=[unix("tlsmgr", "tlsmgr", maxproc=0)],
    ),
    Case(
        "postscreen_with_many_processes",
        "service-columns",
        "maxproc",
        services=[
            {"service": "smtp", "type": "inet", "command": "postscreen", "maxproc": "-"},
            {"service": "smtpd", "type": "pass", "command": "smtpd"},
        ],
    ),
    Case(
        "postscreen_without_smtpd",
        "service-missing",
        "smtpd",
        services=[{"service": "smtp", "type": "inet", "command": "postscreen", "maxproc": 1}],
    ),
    Case(
        "inet_service_private", "service-columns", "private", files=[master_with("587 inet - - n - - smtpd")]
    ),
    Case("smtp_client_missing", "default-transport-missing", "smtp", services=[absent("smtp")]),
    Case("local_delivery_missing", "default-transport-missing", "local", services=[absent("local")]),
    Case(
        "tlsmgr_missing",
        "service-missing",
        "tlsmgr",
        {**SNAKEOIL, "smtpd_tls_security_level": "may"},
        [absent("tlsmgr")],
    ),
    Case("proxymap_missing_for_defaults", "service-missing", "proxymap", services=[absent("proxymap")]),
    Case(
        "pipe_user_unknown",
        "pipe-program",
        "vmailuser",
        {"virtual_transport": "dovecot", "virtual_mailbox_domains": "example.com"},
        [unix("dovecot", "pipe flags=Rhu user=vmailuser argv=/bin/cat", unpriv="n")],
    ),
    Case(
        "pipe_as_root",
        "pipe-attribute",
        "root",
        services=[unix("mydrop", "pipe user=root argv=/bin/cat", unpriv="n")],
    ),
    Case(
        "pipe_flag_unknown",
        "pipe-attribute",
        "flag",
        services=[unix("mydrop", "pipe flags=Rz user=nobody argv=/bin/cat", unpriv="n")],
    ),
    Case(
        "pipe_attribute_unknown",
        "pipe-attribute",
        "attribute",
        services=[unix("mydrop", "pipe flags=R usr=nobody user=nobody argv=/bin/cat", unpriv="n")],
    ),
    Case(
        "pipe_for_many_recipients",
        "pipe-recipient-limit",
        "mydrop_destination_recipient_limit = 1",
        {"virtual_transport": "mydrop", "virtual_mailbox_domains": "example.com"},
        [unix("mydrop", "pipe flags=DRhu user=nobody argv=/bin/cat", unpriv="n")],
    ),
    Case(
        "listen_on_unknown_name",
        "listener-address",
        "mail.example.invalid",
        services=[inet("mail.example.invalid:2525")],
    ),
    Case(
        "lmtp_socket_hidden_by_chroot",
        "next-hop-outside-chroot",
        "chroot",
        {"virtual_transport": "lmtp:unix:/run/test-lmtp", "virtual_mailbox_domains": "example.com"},
        [unix("lmtp", "lmtp", chroot="y")],
        setup="touch /run/test-lmtp # undo: rm /run/test-lmtp",
    ),
    Case(
        "lmtp_without_kind",
        "next-hop-syntax",
        "lmtp:unix:|lmtp:inet:",
        {"virtual_transport": "lmtp:/run/dovecot/lmtp", "virtual_mailbox_domains": "example.com"},
    ),
    Case(
        "milter_hidden_by_chroot",
        "milter-outside-chroot",
        "chroot",
        {"smtpd_milters": "unix:/run/test-milter"},
        [{"service": "smtp", "type": "inet", "chroot": "y", "command": "smtpd"}],
        setup="touch /run/test-milter # undo: rm /run/test-milter",
    ),
    Case(
        "dovecot_hidden_by_chroot",
        "dovecot-socket",
        "chroot",
        {"smtpd_sasl_auth_enable": True, "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "/run/test-auth"},
        [{"service": "smtp", "type": "inet", "chroot": "y", "command": "smtpd"}],
        setup="touch /run/test-auth # undo: rm /run/test-auth",
    ),
    Case(
        "proxy_filter_without_port", "proxy-filter", "smtpd_proxy_filter", {"smtpd_proxy_filter": "127.0.0.1"}
    ),
    Case(
        "option_time_wrong",
        "value-type",
        "a time is needed",
        services=[inet("587", smtpd_timeout="5 minutes")],
    ),
    Case(
        "unix_service_with_slash_in_type",
        "unreadable-line",
        "service type",
        files=[master_with("x local n - n - - smtp")],
    ),
]

VALID: list[Case] = [
    Case(
        "pipe_in_a_chroot",
        "program-in-chroot",
        "which a chroot hides",
        services=[{**unix("mydrop", "pipe user=nobody argv=/bin/cat"), "unpriv": "n", "chroot": "y"}],
    ),
    Case("port_that_nobody_has", "port-of-another-program", "", services=[inet("2526")]),
    Case(
        "braced_options",
        "service-field",
        "",
        services=[
            {
                "service": "slow",
                "type": "unix",
                "command": "smtp",
                "options": {"syslog_name": "postfix slow", "smtp_destination_rate_delay": "1s"},
            }
        ],
    ),
    Case(
        "receive_overrides_per_service",
        "unknown-list-word",
        "",
        {"receive_override_options": "no_address_mappings"},
    ),
    Case(
        "reinjection_trusts_loopback",
        "relaying-not-refused",
        "",
        services=[
            inet(
                "127.0.0.1:10026",
                smtpd_relay_restrictions="permit_mynetworks,reject",
                smtpd_recipient_restrictions="permit_mynetworks,reject",
                mynetworks="127.0.0.0/8",
            )
        ],
    ),
    Case(
        "mynetworks_all_on_loopback_service",
        "whole-internet-may-relay",
        "",
        services=[
            inet(
                "127.0.0.1:10026", mynetworks="0.0.0.0/0", smtpd_relay_restrictions="permit_mynetworks,reject"
            )
        ],
    ),
    Case(
        "pipe_with_every_flag",
        "program-in-chroot",
        "",
        services=[
            unix(
                "mydrop",
                "pipe flags=FDORXhqu.> user=nobody argv=/bin/cat ${sender} size=5 null_sender= eol=\\n",
                unpriv="n",
            )
        ],
    ),
    Case(
        "pipe_attributes",
        "pipe-attribute",
        "",
        services=[
            unix(
                "mydrop",
                "pipe flags=R null_sender= size=100000 directory=/tmp eol=\\r\\n chroot=/ user=nobody:nogroup argv=/bin/cat -a usr=b",
                unpriv="n",
            )
        ],
    ),
    Case(
        "services_by_address",
        "port-used-twice",
        "",
        services=[absent("smtp", "inet"), inet("127.0.0.1:25"), inet("[::1]:25")],
    ),
    Case(
        "smtpd_verbose_and_stress",
        "daemon-argument",
        "",
        services=[{**inet("2525", stress=""), "command": "smtpd -v"}],
    ),
    Case("no_smtp_server", "service-missing", "", services=[absent("smtp", "inet")]),
    Case(
        "lmtp_socket_in_the_queue_directory",
        "next-hop-outside-chroot",
        "",
        {
            "mailbox_transport": "lmtp:unix:private/dovecot-lmtp",
            "virtual_transport": "lmtp:unix:private/dovecot-lmtp",
        },
    ),
    Case(
        "lmtp_absolute_without_chroot",
        "next-hop-outside-chroot",
        "",
        {"mailbox_transport": "lmtp:unix:/run/test-lmtp"},
        [unix("lmtp", "lmtp", chroot="n")],
        setup="touch /run/test-lmtp # undo: rm /run/test-lmtp",
    ),
    Case(
        "milter_sockets_of_every_form",
        "milter-endpoint",
        "",
        {
            "smtpd_milters": "inet:localhost:11332, inet6:[::1]:8891, unix:opendkim/opendkim.sock, local:rspamd/x",
            "milter_default_action": "accept",
        },
    ),
    Case(
        "tls_session_tickets_and_curves",
        "cipher-list",
        "",
        {
            "tls_eecdh_auto_curves": "X25519, prime256v1",
            "tls_preempt_cipherlist": True,
            "smtpd_tls_dh1024_param_file": "auto",
            "tls_high_cipherlist": "ECDHE+AESGCM:DHE+AESGCM",
        },
        since=(3, 7),
    ),
]
