"""From the variables of submission to the services and files that Postfix is given."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("yaml", reason="the controller's side needs PyYAML")

from ansible_collections.mailops.smtp.plugins.action.variables import specification
from ansible_collections.mailops.smtp.plugins.plugin_utils import variables
from ansible_collections.mailops.smtp.plugins.plugin_utils.submission import submission

SPEC = {name: one for name, one in specification("postfix").items() if "_sub" in name or "_smtp_" in name}
SPEC["postfix_config_directory"] = specification("postfix")["postfix_config_directory"]
DEFAULTS = {name: option["default"] for name, option in SPEC.items()}
CERTIFICATE = {"postfix_submission_cert_file": "/etc/ssl/mail.pem"}


def typed(**given: Any) -> dict[str, Any]:
    found = variables.check(SPEC, {f"postfix_{name}": value for name, value in given.items()}, DEFAULTS)
    assert found.complaints == []
    return found.values


def rendered(**given: Any) -> dict[str, Any]:
    return submission(typed(**{"submission_cert_file": "/etc/ssl/mail.pem", **given}))


def options(made: dict[str, Any], port: int) -> dict[str, str]:
    return next(one["options"] for one in made["services"] if one["service"] == str(port))


def test_nothing_is_asked_for_where_no_port_is_named() -> None:
    assert rendered(submission_senders={"a": "b@c.example"}, submission_message_size=5) == {
        "services": [],
        "files": [],
        "variables": {},
    }


@pytest.mark.parametrize(
    ("ports", "names"),
    [
        ([587], ["587"]),
        ("auto", ["587", "465"]),
        (["auto", 2525], ["587", "465", "2525"]),
        ("submission, smtps 2525", ["587", "465", "2525"]),
        ([587, "587", "submission"], ["587"]),
    ],
)
def test_each_port_is_a_service_named_by_its_number(ports: Any, names: list[str]) -> None:
    made = rendered(submission_ports=ports)["services"]
    assert [one["service"] for one in made] == names
    assert all(one["exclusive"] and one["command"] == "smtpd" and one["private"] == "n" for one in made)


@pytest.mark.parametrize(
    ("port", "implicit"),
    [(587, "no"), (2525, "no"), (2587, "no"), (465, "yes"), (2465, "yes"), (8465, "yes")],
)
def test_tls_begins_as_everywhere(port: int, implicit: str) -> None:
    made = options(rendered(submission_ports=[port]), port)
    assert made["smtpd_tls_wrappermode"] == implicit
    assert made["smtpd_tls_security_level"] == "encrypt"
    assert made["smtpd_tls_auth_only"] == "yes"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"smtpd_tls_cert_file": "/etc/ssl/mail.pem", "smtpd_tls_key_file": "/etc/ssl/mail.pem"}),
        ({"submission_key_file": "/k"}, {"smtpd_tls_key_file": "/k"}),
        (
            {"submission_cert_file": "", "submission_self_signed": True},
            {
                "smtpd_tls_cert_file": "/etc/postfix/mailops_submission.pem",
                "smtpd_tls_key_file": "/etc/postfix/mailops_submission.pem",
            },
        ),
        ({}, {"tls_server_sni_maps": ""}),
        (
            {
                "submission_sni": {
                    "A.example.org": {"cert_file": "/a", "key_file": "/k"},
                    "b.example": {"cert_file": "/b"},
                }
            },
            {"tls_server_sni_maps": "inline:{ {a.example.org = /k /a}, {b.example = /b} }"},
        ),
        ({}, {"smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth"}),
        ({"submission_auth_socket": "inet:127.0.0.1:12345"}, {"smtpd_sasl_path": "inet:127.0.0.1:12345"}),
        ({"submission_sasl": "Cyrus"}, {"smtpd_sasl_type": "cyrus", "smtpd_sasl_path": "smtpd"}),
        ({}, {"smtpd_sender_restrictions": "", "smtpd_sender_login_maps": None}),
        (
            {"submission_senders": {"joe": ["joe@example.org"]}},
            {
                "smtpd_sender_restrictions": "reject_authenticated_sender_login_mismatch",
                "smtpd_sender_login_maps": "texthash:/etc/postfix/mailops_submission_senders",
            },
        ),
        ({}, {"smtpd_client_message_rate_limit": None, "smtpd_client_event_limit_exceptions": None}),
        (
            {"submission_rate": "30"},
            {"smtpd_client_message_rate_limit": "30", "smtpd_client_event_limit_exceptions": ""},
        ),
        ({}, {"smtpd_data_restrictions": "reject_unauth_pipelining"}),
        (
            {"submission_policy_services": "unix:ratelimit/policy, inet:[::1]:10031"},
            {
                "smtpd_data_restrictions": "reject_unauth_pipelining,check_policy_service unix:ratelimit/policy,"
                "check_policy_service inet:[::1]:10031"
            },
        ),
        (
            {"submission_policy_services": "unix:x/y", "submission_policy_stage": "recipient"},
            {
                "smtpd_data_restrictions": "reject_unauth_pipelining",
                "smtpd_recipient_restrictions": "check_policy_service unix:x/y,permit_sasl_authenticated,reject",
            },
        ),
        (
            {"submission_policy_services": "unix:x/y", "submission_policy_stage": "end_of_data"},
            {"smtpd_end_of_data_restrictions": "check_policy_service unix:x/y"},
        ),
        ({}, {"message_size_limit": None, "cleanup_service_name": None}),
        (
            {"submission_message_size": 5000000},
            {"message_size_limit": "5000000", "cleanup_service_name": "submission-cleanup"},
        ),
    ],
)
def test_a_variable_is_an_option_of_each_service(given: Any, expected: dict[str, str | None]) -> None:
    made = rendered(submission_ports=[587, 465], **given)
    for port in (587, 465):
        assert {name: options(made, port).get(name) for name in expected} == expected


def test_a_size_is_that_of_cleanup_too() -> None:
    made = rendered(submission_ports=[587], submission_message_size=70_000_000)
    assert made["services"][0]["service"] == "submission-cleanup"
    assert made["services"][0]["options"] == {"message_size_limit": "70000000"}


def test_senders_are_turned_into_the_logins_of_each_address() -> None:
    senders = {
        "joe": ["Joe@example.org", "@example.net"],
        "ann@example.org": "joe@example.org, ann@example.org",
    }
    (file,) = rendered(submission_ports=[587], submission_senders=senders)["files"]
    assert file["path"] == "mailops_submission_senders"
    assert file["content"].splitlines()[1:] == [
        "joe@example.org joe, ann@example.org",
        "@example.net joe",
        "ann@example.org ann@example.org",
    ]


def test_the_hosts_own_certificate_is_a_file_that_is_made_there() -> None:
    made = rendered(submission_ports=[587], submission_cert_file="", submission_self_signed=True)
    assert made["files"] == [
        {"path": "mailops_submission.pem", "self_signed": True, "sensitive": True, "mode": "0600"}
    ]


@pytest.mark.parametrize("ports", [[], [587]])
def test_port_25_is_taken_away_by_whatever_name(ports: list[int]) -> None:
    made = rendered(submission_ports=ports, smtp_inbound="no")["services"]
    assert made[0] == {"service": "smtp", "type": "inet", "exclusive": True, "state": "absent"}
    assert len(made) == 1 + len(ports)


def test_each_setting_is_told_by_its_variable() -> None:
    told = rendered(submission_ports=[587], submission_rate=1)["variables"]
    assert told["587/inet"] == "postfix_submission_ports"
    assert told["587/inet smtpd_tls_key_file"] == "postfix_submission_key_file"
    assert told["587/inet smtpd_client_message_rate_limit"] == "postfix_submission_rate"
    assert {*told.values()} <= {*SPEC}


HASH = "{SHA512-CRYPT}$6$abcdefgh$" + "x" * 86
OFFERED = {"ports": [587], "cert_file": "/c.pem", "self_signed": False}


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({}, []),
        ({"cert_file": ""}, ["no certificate is named", "postfix_submission_self_signed: true"]),
        ({"cert_file": "", "ports": []}, []),
        ({"cert_file": "", "self_signed": True}, []),
        ({"self_signed": True}, ["names another certificate, '/c.pem'", "leave one of the two out"]),
        ({"cert_file": "", "key_file": "/k"}, ["postfix_submission_key_file is set", "cert_file is empty"]),
        ({"ports": [25, 587]}, ["holds 25, where other mail servers deliver"]),
        ({"cert_file": "ssl/c.pem"}, ["postfix_submission_cert_file is 'ssl/c.pem'", "full path"]),
        ({"key_file": "/a b"}, ["postfix_submission_key_file is '/a b'", "without blanks"]),
        (
            {"sni": {"a.example": {"cert_file": "/a", "key_file": "k"}}},
            ["postfix_submission_sni.a.example.key_file is 'k'"],
        ),
        (
            {"sni": {"*.example.org": {"cert_file": "/a"}}},
            ["a key of postfix_submission_sni is '*.example.org'"],
        ),
        ({"sni": {"mail": {"cert_file": "/a"}}}, ["takes the full name"]),
        (
            {"auth_socket": "/var/spool/postfix/private/auth"},
            ["auth_socket is '/var", "such as private/auth"],
        ),
        ({"auth_socket": "../auth"}, ["takes a path below"]),
        ({"auth_socket": "private/..auth"}, []),
        ({"auth_socket": "inet:::1:1234"}, ["inet:host:port"]),
        ({"auth_socket": "inet:[::1]:1234"}, []),
        ({"auth_socket": "inet:127.0.0.1:1234"}, []),
        (
            {"policy_services": ["unix:ratelimit/policy", "ratelimit"]},
            ["policy_services[1] is 'ratelimit'", "as unix:"],
        ),
        ({"policy_services": ["inet:10031"]}, ["policy_services[0]", "inet:host:port"]),
        ({"senders": {"joe": "joe"}}, ["postfix_submission_senders.joe holds 'joe'", "local@domain"]),
        ({"senders": {"joe": ["@example.org", "joe@b.example"]}}, []),
        ({"senders": {"joe": []}}, []),
        ({"senders": {"joe": []}, "users": {"joe": HASH}}, []),
        (
            {"senders": {"ann": []}, "users": {"joe": HASH}},
            ["names ann, and postfix_submission_users does not"],
        ),
        ({"senders": {"ann": []}, "users": {"joe": HASH}, "dovecot": "pam"}, []),
        ({"senders": {"joe": "<joe@b.example>"}}, ["holds '<joe@b.example>'"]),
        ({"senders": {"joe": "joe@b_.example/x"}}, ["holds 'joe@b_.example/x'"]),
        ({"senders": {"joe ann": "a@b.example"}}, ["a key of postfix_submission_senders is 'joe ann'"]),
    ],
)
def test_what_is_missing_or_wrong_is_named(given: dict[str, Any], parts: list[str]) -> None:
    values = typed(**{f"submission_{name}": one for name, one in {**OFFERED, **given}.items()})
    values["postfix_direct"] = True
    said = variables.needs("postfix", values, [], [])
    assert len(said) == bool(parts)
    assert [part for part in parts if part not in said[0]] == []


def test_a_port_that_is_offered_is_not_taken_away() -> None:
    away = {"service": "587", "type": "inet", "state": "absent"}
    offered = typed(**{f"submission_{name}": one for name, one in OFFERED.items()})
    (said,) = variables.needs(
        "postfix", {**offered, "postfix_direct": True, "postfix_services": [away]}, [], []
    )
    assert said.startswith(
        "postfix_services[0] takes the service 587 away, and postfix_submission_ports lists it; "
    )


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"a.example": "/c"}, "postfix_submission_sni.a.example is '/c', and takes a mapping"),
        ({"a.example": {}}, "postfix_submission_sni.a.example.cert_file is not set, and needed"),
        ({"a.example": {"cert": "/c"}}, "did you mean cert_file?"),
    ],
)
def test_a_name_has_a_certificate(given: Any, part: str) -> None:
    said = variables.check(SPEC, {"postfix_submission_sni": given}, DEFAULTS).complaints
    assert any(part in one for one in said)
