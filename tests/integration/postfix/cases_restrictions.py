"""Restrictions of smtpd, and open relays. Data only."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from case import Case, inet, text


def relaying(name: str, words: str, content: str = "", **more: str) -> Case:
    """Everything is decided in one list; `content` is that of the table named T in it."""
    parameters = {
        "smtpd_relay_restrictions": "",
        "smtpd_recipient_restrictions": words.replace(":T", ":/etc/postfix/strangers"),
        **more,
    }
    files = [text("strangers", content)] if content else []
    says = "open relay" if name.startswith("open_") else ""
    return Case(name, "open-relay", says, parameters, files=files, since=(3, 7) if ":{{" in words else (3, 0))


BROKEN: list[Case] = [
    Case(
        "restriction_misspelt",
        "unknown-restriction",
        "no restriction 'reject_unauth_destinaton'.*write reject_unauth_destination",
        {"smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destinaton, reject"},
    ),
    Case(
        "restrictions_that_refuse_nobody",
        "relaying-not-refused",
        "will not start",
        {"smtpd_relay_restrictions": "permit_mynetworks", "smtpd_recipient_restrictions": ""},
    ),
    Case(
        "open_relay",
        "open-relay",
        "open relay",
        {"smtpd_relay_restrictions": "check_client_access static:OK, reject_unauth_destination"},
    ),
    Case(
        "permit_before_what_refuses",
        "relaying-not-refused",
        "will not start",
        {"smtpd_relay_restrictions": "permit, reject", "smtpd_recipient_restrictions": ""},
    ),
    Case(
        "access_without_table",
        "restriction-argument",
        "needs an argument",
        {"smtpd_client_restrictions": "permit_mynetworks, check_client_access"},
    ),
    Case(
        "access_without_type",
        "access-table",
        "no table type; write check_client_access|no table type",
        {"smtpd_client_restrictions": "check_client_access /etc/postfix/access"},
    ),
    Case(
        "restriction_class_without_value",
        "restriction-class",
        "has no value",
        {
            "smtpd_restriction_classes": "greylist",
            "smtpd_recipient_restrictions": "greylist, reject_unauth_destination",
        },
    ),
    Case(
        "relay_for_everyone_by_static",
        "every-domain-is-listed",
        "relay_domains = static:all: .*Internet",
        {"relay_domains": "static:all"},
    ),
    Case(
        "restriction_with_bad_policy_endpoint",
        "policy-service",
        "check_policy_service",
        {"smtpd_recipient_restrictions": "reject_unauth_destination, check_policy_service 127.0.0.1:10023"},
    ),
    Case(
        "policy_service_without_port",
        "policy-service",
        "check_policy_service",
        {"smtpd_recipient_restrictions": "reject_unauth_destination, check_policy_service inet:127.0.0.1"},
    ),
    Case(
        "policy_service_misspelt",
        "policy-service",
        "write unix:private/policyd-spf",
        {
            "smtpd_recipient_restrictions": "reject_unauth_destination, check_policy_service unix:private/policyd-sfp"
        },
        services=[
            {
                "service": "policyd-spf",
                "type": "unix",
                "unpriv": "n",
                "chroot": "n",
                "maxproc": 0,
                "command": "spawn user=nobody argv=/bin/true",
            }
        ],
    ),
    Case(
        "guard_that_only_warns",
        "relaying-not-refused",
        "will not start",
        {
            "smtpd_relay_restrictions": "permit_mynetworks, warn_if_reject reject_unauth_destination",
            "smtpd_recipient_restrictions": "",
        },
    ),
    Case(
        "open_relay_by_static_table",
        "open-relay",
        "open relay",
        {
            "smtpd_relay_restrictions": "check_client_access static:OK, reject_unauth_destination",
            "smtpd_recipient_restrictions": "",
        },
    ),
    Case(
        "restriction_removed_in_this_version",
        "removed-restriction",
        "has been removed|3.9",
        {"smtpd_client_restrictions": "permit_naked_ip_address"},
        since=(3, 9),
    ),
    Case(
        "restrictions_written_with_semicolons",
        "unknown-restriction",
        "restriction",
        {"smtpd_relay_restrictions": "permit_mynetworks; reject_unauth_destination"},
    ),
    Case(
        "access_table_in_relay_list_without_command",
        "access-table",
        "texthash",
        {"smtpd_relay_restrictions": "permit_mynetworks, texthsah:/etc/postfix/a, reject_unauth_destination"},
    ),
    Case(
        "open_relay_by_option",
        "open-relay",
        "open relay",
        services=[
            inet(
                "2525",
                smtpd_relay_restrictions="check_client_access static:OK,reject",
                smtpd_recipient_restrictions="permit",
            )
        ],
    ),
    Case(
        "open_networks_by_option",
        "whole-internet-may-relay",
        "Internet",
        services=[inet("2525", mynetworks="0.0.0.0/0")],
    ),
    Case(
        "option_restriction_misspelt",
        "unknown-restriction",
        "no restriction",
        services=[inet("587", smtpd_client_restrictions="permit_sasl_authentiated,reject")],
    ),
    # Who is let through before foreign destinations are refused: everybody, or whoever says so.
    relaying("open_by_cidr", "check_client_access cidr:T, reject_unauth_destination", "0.0.0.0/0 OK\n"),
    relaying(
        "open_by_cidr_of_ipv6_too", "check_client_access cidr:T, reject", "0.0.0.0/1 OK\n128.0.0.0/1 permit\n"
    ),
    relaying(
        "open_by_cidr_in_main_cf", "check_client_access cidr:{{0.0.0.0/0 OK}}, reject_unauth_destination"
    ),
    relaying(
        "open_by_regexp_of_senders", "check_sender_access regexp:T, reject_unauth_destination", "/./ OK\n"
    ),
    relaying(
        "open_by_an_exception_of_senders",
        "check_sender_access regexp:T, check_client_access static:OK, reject_unauth_destination",
        "/^boss@/ DUNNO\n/./ REJECT no\n",
    ),
    relaying(
        "open_by_a_sender_of_ones_own",
        "check_sender_access texthash:T, reject_unauth_destination",
        "example.com OK\n",
    ),
    relaying(
        "open_by_a_helo_name",
        "check_helo_access texthash:T, reject_unauth_destination",
        "mail.example.com OK\n",
    ),
    relaying("open_by_a_code_without_text", "check_client_access static:550, reject_unauth_destination"),
    relaying("open_by_another_word_for_ok", "check_client_access static:RELAY, reject_unauth_destination"),
    relaying(
        "open_by_clients_without_a_name",
        "check_client_access texthash:T, reject_unauth_destination",
        "unknown OK\n",
    ),
    relaying(
        "open_to_a_pointer_record_of_nobody_else",
        "check_reverse_client_hostname_access texthash:T, check_client_access static:OK, reject",
        "unknown REJECT\nexample REJECT\n",
    ),
    relaying("open_by_a_table_alone", "regexp:T, reject_unauth_destination", "/@/ OK\n"),
    relaying(
        "open_by_a_pattern_of_partners",
        "check_sender_access regexp:T, reject_unauth_destination",
        "/@(mx|mail)\\.partner\\.example$/ OK\n",
    ),
    relaying("open_by_an_address_as_a_name", "check_helo_access cidr:T, reject", "10.0.0.0/8 OK\n"),
    relaying(
        "open_by_the_empty_sender",
        "check_sender_access regexp:T, reject_unauth_destination",
        "/^<>$/ OK\n",
    ),
    relaying(
        "open_by_a_local_part",
        "check_recipient_access texthash:T, reject_unauth_destination",
        "postmaster@ OK\n",
    ),
    relaying(
        "open_by_a_class_that_only_warns",
        "warn_if_reject closed, reject_unauth_destination",
        smtpd_restriction_classes="closed",
        closed="reject_unauth_destination, permit",
    ),
    relaying(
        "open_to_who_says_no_helo",
        "check_client_access static:OK, reject_unauth_destination",
        smtpd_helo_restrictions="reject",
    ),
    relaying(
        "open_to_two_recipients",
        "check_client_access static:OK, reject_unauth_destination",
        smtpd_data_restrictions="reject_unauth_destination",
    ),
    relaying(
        "open_by_a_guard_before_its_time",
        "check_client_access static:OK, reject_unauth_destination",
        smtpd_sender_restrictions="reject_unauth_destination",
        smtpd_delay_reject="no",
    ),
    relaying(
        "open_to_any_certificate",
        "check_ccert_access static:OK, reject_unauth_destination",
        smtpd_tls_ask_ccert="yes",
    ),
    relaying(
        "open_to_any_fingerprint",
        "permit_tls_clientcerts, reject_unauth_destination",
        smtpd_tls_ask_ccert="yes",
        relay_clientcerts="static:all",
    ),
    relaying(
        "open_by_regexp_of_recipients",
        "check_recipient_access regexp:T, reject_unauth_destination",
        "/@/ OK\n",
    ),
    relaying(
        "open_by_a_class",
        "everybody, reject_unauth_destination",
        smtpd_restriction_classes="everybody",
        everybody="permit",
    ),
    relaying(
        "open_by_a_class_in_a_table",
        "check_client_access static:everybody, reject_unauth_destination",
        smtpd_restriction_classes="everybody",
        everybody="check_sender_access static:OK",
    ),
    relaying(
        "open_by_words_in_a_table",
        "check_client_access regexp:T, reject_unauth_destination",
        "/./ permit_mynetworks, permit\n",
    ),
    relaying("open_by_an_old_word", "permit_naked_ip_address, reject_unauth_destination")._replace(
        before=(3, 9)
    ),
    relaying(
        "open_by_a_warning", "warn_if_reject reject_unauth_destination, check_client_access static:OK, reject"
    ),
    Case(
        "mynetworks_of_three_quarters",
        "whole-internet-may-relay",
        "much of the Internet, such as",
        {"mynetworks": "0.0.0.0/2 64.0.0.0/2 128.0.0.0/2"},
    ),
    Case(
        "mynetworks_of_all_ipv6",
        "whole-internet-may-relay",
        "together these networks let",
        {"mynetworks": "127.0.0.0/8 [2000::]/3"},
    ),
    Case(
        "mynetworks_of_everybody_in_a_table",
        "whole-internet-may-relay",
        "a table or file in this list",
        {"mynetworks": "127.0.0.0/8 cidr:/etc/postfix/networks"},
        files=[text("networks", "0.0.0.0/0 yes\n")],
    ),
    Case(
        "mynetworks_by_a_static_table",
        "whole-internet-may-relay",
        "a table or file in this list",
        {"mynetworks": "static:all"},
    ),
    Case(
        "mynetworks_in_a_file",
        "whole-internet-may-relay",
        "a table or file in this list",
        {"mynetworks": "/etc/postfix/networks"},
        files=[text("networks", "127.0.0.0/8\n0.0.0.0/1 128.0.0.0/1\n")],
    ),
    Case(
        "relay_domains_by_regexp",
        "every-domain-is-listed",
        "Internet",
        {"relay_domains": "regexp:/etc/postfix/domains"},
        files=[text("domains", "/./ yes\n")],
    ),
    Case(
        "relay_domains_by_top_level",
        "every-domain-is-listed",
        "domains of others, such as victim.com",
        {"relay_domains": "com, net"},
    ),
    Case(
        "xclient_for_everybody",
        "xclient-for-strangers",
        "may tell smtp/inet that they are in mynetworks",
        {"smtpd_authorized_xclient_hosts": "0.0.0.0/0"},
    ),
    Case(
        "xclient_by_a_table",
        "xclient-for-strangers",
        "may tell",
        {"smtpd_authorized_xclient_hosts": "cidr:/etc/postfix/filters"},
        files=[text("filters", "::/0 yes\n")],
    ),
    Case(
        "qmqp_for_everybody",
        "qmqp-for-strangers",
        "relays for strangers",
        {"qmqpd_authorized_clients": "static:all"},
        services=[{"service": "628", "type": "inet", "private": "n", "command": "qmqpd"}],
    ),
]

VALID: list[Case] = [
    relaying(
        "near_cidr_of_ones_own",
        "check_client_access cidr:T, reject_unauth_destination",
        "198.51.100.0/24 OK\n0.0.0.0/0 DUNNO\n",
    ),
    relaying(
        "near_sender_after_the_guard",
        "reject_unauth_destination, check_sender_access texthash:T, permit",
        "example.com OK\n",
    ),
    relaying(
        "near_recipients_of_one_domain",
        "check_recipient_access texthash:T, reject_unauth_destination",
        "partner.example OK\n",
    ),
    relaying(
        "near_sender_that_must_log_in",
        "check_sender_access texthash:T, reject_unauth_destination",
        "example.com permit_sasl_authenticated, reject\n",
    ),
    relaying(
        "near_client_by_name",
        "check_client_access texthash:T, reject_unauth_destination",
        "mail.example.com OK\n",
    ),
    relaying(
        "near_class_for_ones_own",
        "inside, reject_unauth_destination",
        smtpd_restriction_classes="inside",
        inside="permit_mynetworks, reject_unauth_destination, permit",
    ),
    relaying(
        "near_negated",
        "permit_mynetworks, reject_unauth_destination, permit",
        mynetworks="!192.0.2.0/25 192.0.2.0/24 127.0.0.0/8",
    ),
    relaying(
        "near_pointer_record",
        "check_reverse_client_hostname_access texthash:T, reject_unauth_destination",
        "mail.example.com OK\n",
    ),
    relaying(
        "near_sender_refused_elsewhere",
        "check_sender_access inline:{example.com=OK}, reject_unauth_destination",
        smtpd_sender_restrictions="check_sender_access inline:{example.com=REJECT}",
    ),
    relaying(
        "near_deferred_in_another_list",
        "check_client_access static:OK, reject_unauth_destination",
        smtpd_client_restrictions="defer_if_permit",
    ),
    relaying(
        "near_guard_in_a_class",
        "closed",
        smtpd_restriction_classes="closed",
        closed="permit_mynetworks, reject",
    ),
    Case("mynetworks_of_nobody", parameters={"mynetworks": "!0.0.0.0/0 0.0.0.0/0 127.0.0.0/8"}),
    Case("relay_domains_with_a_dot", parameters={"relay_domains": ".com"}),
    Case(
        "haproxy_before_logins",
        services=[
            inet(
                "10587",
                smtpd_upstream_proxy_protocol="haproxy",
                smtpd_relay_restrictions="permit_sasl_authenticated, reject",
            )
        ],
    ),
    relaying(
        "near_closed_by_clients",
        "check_sender_access static:OK, reject",
        smtpd_client_restrictions="permit_mynetworks, reject",
    ),
    Case(
        "relay_by_what_a_policy_service_says",
        "open-relay",
        "relays for whom what check_policy_service .* says",
        {
            "smtpd_relay_restrictions": "",
            "smtpd_recipient_restrictions": "check_policy_service inet:127.0.0.1:10023, reject_unauth_destination",
        },
    ),
    Case(
        "xclient_of_a_filter",
        "xclient-for-strangers",
        "",
        {"smtpd_authorized_xclient_hosts": "127.0.0.1 [::1]"},
    ),
    Case(
        "qmqp_of_ones_own",
        "qmqp-for-strangers",
        "",
        {"qmqpd_authorized_clients": "127.0.0.0/8, 192.0.2.0/24"},
        services=[{"service": "628", "type": "inet", "private": "n", "command": "qmqpd"}],
    ),
    Case(
        "haproxy_on_the_host",
        "proxy-protocol-for-strangers",
        "",
        services=[inet("127.0.0.1:10588", smtpd_upstream_proxy_protocol="haproxy")],
    ),
    Case(
        "relay_domains_by_a_table",
        "every-domain-is-listed",
        "",
        {"relay_domains": "regexp:/etc/postfix/domains"},
        files=[text("domains", "/\\.example\\.com$/ yes\n")],
    ),
    Case(
        "mynetworks_by_a_table",
        "whole-internet-may-relay",
        "",
        {"mynetworks": "127.0.0.0/8 cidr:/etc/postfix/networks"},
        files=[text("networks", "192.0.2.0/24 yes\n")],
    ),
    Case(
        "restriction_classes",
        "restriction-class",
        "",
        {
            "smtpd_restriction_classes": "greylist, internal",
            "greylist": "check_policy_service inet:127.0.0.1:10023",
            "internal": "permit_mynetworks, reject",
            "smtpd_recipient_restrictions": "reject_unauth_destination, greylist",
        },
    ),
    Case(
        "recipient_access_with_classes",
        "restriction-argument",
        "",
        {
            "smtpd_restriction_classes": "members",
            "members": "check_sender_access texthash:/etc/postfix/members, reject",
            "smtpd_recipient_restrictions": "check_recipient_access texthash:/etc/postfix/protected, permit_mynetworks, reject_unauth_destination",
        },
        files=[text("members", "joe@example.com OK\n"), text("protected", "all@example.com members\n")],
    ),
]
