# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, types, ranges, words and expressions of main.cf. Data only."""

from __future__ import annotations

from case import (
    Case,
    main_with,
    text,
)

BROKEN: list[Case] = [
    Case("manual_directory_relative", "should be an absolute path name", {"manpage_directory": "man"}),
    Case(
        "unknown_parameter",
        "no parameter of this name.*smtp_tls_security_level",
        {"smtp_tls_securty_level": "may"},
    ),
    Case("parameter_of_nobody", "no parameter of this name", {"frobnicate": "yes"}),
    Case("boolean_written_true", "yes or no is needed here; write yes", {"smtp_sasl_auth_enable": "True"}),
    Case("boolean_written_on", "append_dot_mydomain = on: .*write yes", {"append_dot_mydomain": "on"}),
    Case("boolean_written_zero", "biff = 0: .*write no", {"biff": "0"}),
    Case("boolean_misspelt", "write yes or no", {"disable_vrfy_command": "yess"}),
    Case(
        "size_with_unit", "message_size_limit = 50M: a number .*write 52428800", {"message_size_limit": "50M"}
    ),
    Case("number_with_words", "a number is needed", {"smtpd_client_connection_count_limit": "ten"}),
    Case("time_with_wrong_unit", "a time is needed here; write 30m", {"smtp_helo_timeout": "30 minutes"}),
    Case("time_with_year", "a time is needed", {"maximal_queue_lifetime": "1y"}),
    Case("compatibility_level_in_words", "number or a version", {"compatibility_level": "latest"}),
    Case("compatibility_level_of_the_future", "this host has Postfix", {"compatibility_level": "4.2"}),
    Case("milter_without_type", "is no endpoint; write inet:", {"smtpd_milters": "localhost:8891"}),
    Case("notify_class_misspelt", "no class of notices", {"notify_classes": "resource, sofware"}),
    Case(
        "line_without_equals",
        "line 4: .*not an assignment",
        files=[main_with("relayhost [relay.example.com]")],
    ),
    Case(
        "line_begins_with_space",
        "not an assignment",
        files=[text("main.cf", "  relayhost = x\ncompatibility_level = 2\n")],
    ),
    Case(
        "regexp_without_end",
        "regexp:/etc/postfix/checks",
        {"header_checks": "regexp:/etc/postfix/checks"},
        files=[text("checks", "/^Subject: x REJECT\n")],
    ),
    Case(
        "cidr_with_nonsense",
        "cidr:/etc/postfix/clients",
        {"smtpd_client_restrictions": "check_client_access cidr:/etc/postfix/clients"},
        files=[text("clients", "192.0.2.0/99 REJECT\n")],
    ),
    Case(
        "mailbox_smaller_than_message",
        "smaller than message_size_limit",
        {"message_size_limit": 102400000, "mailbox_size_limit": 51200000},
    ),
    Case(
        "message_without_limit_but_mailbox_with",
        "smaller than message_size_limit",
        {"message_size_limit": 0, "mailbox_size_limit": 51200000},
    ),
    Case("process_limit_zero", "default_process_limit = 0: .*at least 1", {"default_process_limit": 0}),
    Case("number_negative", "at least 0", {"smtpd_client_connection_rate_limit": -1}),
    Case(
        "number_too_large",
        "bounce_size_limit = 5000000000: .*2147483647",
        {"bounce_size_limit": "5000000000"},
    ),
    Case("queue_run_delay_zero", "at least 1 s", {"queue_run_delay": "0s"}),
    Case("helo_timeout_zero", "at least 1 s", {"smtp_helo_timeout": 0}),
    Case("reject_code_of_two_digits", "three digits", {"unknown_local_recipient_reject_code": 55}),
    Case("canonical_class_misspelt", "write envelope_sender", {"sender_canonical_classes": "envelop_sender"}),
    Case("masquerade_class_misspelt", "write header_sender", {"masquerade_classes": "header-sender"}),
    Case(
        "receive_override_misspelt",
        "write no_address_mappings",
        {"receive_override_options": "no_adress_mappings"},
    ),
    Case(
        "propagate_extensions_misspelt",
        "write virtual",
        {"propagate_unmatched_extensions": "canonical, virtuel"},
    ),
    Case("database_type_unknown", "no table type 'hsah'", {"default_database_type": "hsah"}),
    Case("mail_owner_unknown", "postfixx", {"mail_owner": "postfixx"}),
    Case("default_privs_root", "default_privs", {"default_privs": "root"}),
    Case("parameter_misspelt_in_expansion", "mydomian", {"myorigin": "$mydomian"}),
    Case(
        "parameter_refers_to_itself",
        "unreasonable macro call nesting",
        {"smtpd_client_restrictions": "$smtpd_client_restrictions, reject_unknown_client_hostname"},
    ),
    Case("brace_not_closed", "main.cf", files=[main_with("smtpd_hard_error_limit = ${stress?{1}:{20}")]),
    Case(
        "nobreak_space_from_a_web_page",
        "no-break space",
        files=[main_with("relayhost =\u00a0[relay.example.com]:587")],
    ),
    Case("typographic_quotes", "quot", files=[main_with("myhostname = \u201cmail.example.com\u201d")]),
    Case("queue_directory_missing", "/var/spool/postfixx", {"queue_directory": "/var/spool/postfixx"}),
    Case(
        "daemon_directory_of_another_distribution",
        "/usr/libexec/postfix",
        {"daemon_directory": "/usr/libexec/postfix"},
    ),
    Case("maillog_file_outside_prefixes", "maillog_file_prefixes", {"maillog_file": "/tmp/mail.log"}),
    Case("mailbox_command_missing", "/usr/bin/procmail", {"mailbox_command": "/usr/bin/procmail"}),
]

VALID: list[Case] = [
    Case(
        "typed_values",
        "",
        {
            "mailbox_size_limit": 0,
            "biff": False,
            "disable_vrfy_command": True,
            "smtpd_helo_required": True,
            "mynetworks": ["127.0.0.0/8", "[::1]/128", "192.0.2.0/24"],
        },
    ),
    Case(
        "times_of_every_unit",
        "",
        {
            "maximal_queue_lifetime": "5d",
            "bounce_queue_lifetime": "1w",
            "smtp_helo_timeout": "90",
            "queue_run_delay": "10m",
            "delay_warning_time": "4h",
        },
    ),
    Case(
        "stress_expressions",
        "",
        {
            "smtpd_hard_error_limit": "${stress?{1}:{20}}",
            "smtpd_timeout": "${stress?{10}:{300}}s",
            "smtpd_junk_command_limit": "${stress?1}${stress:100}",
        },
    ),
    Case(
        "own_parameters",
        "",
        {"my_clients": "permit_mynetworks, reject", "smtpd_client_restrictions": "$my_clients"},
    ),
    Case("bare_newline_normalised", "", {"smtpd_forbid_bare_newline": "normalize"}, since=(3, 7)),
    Case(
        "srv_lookup",
        "",
        {
            "use_srv_lookup": "submission",
            "relayhost": "example.com:submission",
            "smtp_tls_security_level": "may",
        },
        since=(3, 8),
    ),
    Case("data_directory_that_postfix_will_make", "", {"data_directory": "/var/lib/postfix-new"}),
    Case("limits_off", "", {"message_size_limit": 0, "mailbox_size_limit": 0, "virtual_mailbox_limit": 0}),
    Case(
        "large_messages",
        "",
        {"message_size_limit": 5368709120, "mailbox_size_limit": 0, "virtual_mailbox_limit": 0},
    ),
    Case(
        "zeros_that_mean_off",
        "",
        {
            "smtp_connect_timeout": 0,
            "smtpd_error_sleep_time": 0,
            "delay_warning_time": 0,
            "default_destination_recipient_limit": 0,
            "bounce_queue_lifetime": 0,
            "smtp_destination_rate_delay": "0s",
            "in_flow_delay": 0,
            "smtpd_client_connection_count_limit": 0,
            "smtp_connection_reuse_count_limit": 0,
        },
    ),
    Case(
        "rewriting_classes",
        "",
        {
            "sender_canonical_classes": "envelope_sender",
            "recipient_canonical_classes": ["envelope_recipient", "header_recipient"],
            "masquerade_classes": "envelope_sender, header_sender, header_recipient",
            "propagate_unmatched_extensions": "canonical, virtual",
        },
    ),
    Case("banner_with_number_sign", "", {"smtpd_banner": "$myhostname ESMTP #1 in town"}),
    Case(
        "ternary_of_every_form",
        "",
        {
            "myorigin": "${mydomain?{$mydomain}:{localdomain}}",
            "smtpd_banner": "${{$compatibility_level} < {3} ? {old} : {new}} ESMTP",
            "smtpd_client_restrictions": "${stress?reject}${stress:permit_mynetworks}",
        },
    ),
    Case(
        "level_comparison",
        "",
        {"smtp_tls_security_level": "${{$compatibility_level} >=level {3.6} ? {may} : {may}}"},
        since=(3, 6),
    ),
    Case("mailbox_by_command_in_path", "", {"mailbox_command": '/bin/cat >> "$HOME/mail"'}),
    Case("maildir_delivery", "", {"home_mailbox": "Maildir/", "mailbox_command": ""}),
    Case("log_to_file", "", {"maillog_file": "/var/log/postfix.log"}, since=(3, 4)),
    Case("postfix_in_a_container", "", {"maillog_file": "/dev/stdout"}),
    Case(
        "list_of_clients_in_cidr_with_spaces",
        "",
        {"postscreen_access_list": "permit_mynetworks, cidr:/etc/postfix/psc"},
        files=[text("psc", "192.0.2.0/24 permit\n198.51.100.1 reject\n")],
    ),
]
