"""Restrictions of smtpd, and open relays. Data only."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from case import Case, inet, text

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
    Case("open_relay", "open-relay", "open relay", {"smtpd_relay_restrictions": "permit, reject"}),
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
        "open_relay_by_warn_if_reject",
        "open-relay",
        "open relay",
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
            inet("2525", smtpd_relay_restrictions="permit,reject", smtpd_recipient_restrictions="permit")
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
]

VALID: list[Case] = [
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
