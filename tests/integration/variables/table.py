"""A value for every variable of every role, other than its default, as the type that the specification has.

Rule of this file: what a form of such a value means follows from the type; only what a type does not tell stands here.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, Iterator, Mapping, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[3]
ROLES = ("postfix", "preflight", "verify")

# The suite of role verify that tells what it was given.
SUITE = str(Path(__file__).resolve().parent / "suite")

GOOD: dict[str, Any] = {
    "postfix_preflight": False,
    "postfix_relay_host": "relay.example.com",
    "postfix_relay_provider": "amazon_ses",
    "postfix_relay_region": "eu-west-1",
    "postfix_relay_alternates": True,
    "postfix_relays": [{"host": "relay.example.com", "port": "2525", "tls": "verify", "required": False, "cert_file": "/etc/ssl/certs/ssl-cert-snakeoil.pem"}],
    "postfix_relay_ports": [2602, 2601],
    "postfix_relay_port": "2525",
    "postfix_relay_username": "ops@example.com",
    "postfix_relay_password": "p:w ö{{ x",
    "postfix_relay_auth": "login",
    "postfix_relay_oauth_client_id": "4f1c-app",
    "postfix_relay_oauth_client_secret": "s~ecret{{ x",
    "postfix_relay_oauth_refresh_token": "1//refresh{{ x",
    "postfix_relay_oauth_endpoint": "https://login.example.com/token",
    "postfix_relay_tls": "encrypt",
    "postfix_relay_ca_file": "/etc/ssl/certs/ssl-cert-snakeoil.pem",
    "postfix_relay_cert_file": "/etc/ssl/certs/ssl-cert-snakeoil.pem",
    "postfix_relay_key_file": "/etc/ssl/private/ssl-cert-snakeoil.key",
    "postfix_relay_failover": False,
    "postfix_direct": True,
    "postfix_myhostname": "mail.example.com",
    "postfix_myorigin": "example.com",
    "postfix_mydestination": ["$myhostname", "example.com"],
    "postfix_mynetworks": ["127.0.0.0/8", "[::1]/128"],
    "postfix_inet_interfaces": ["127.0.0.1"],
    "postfix_inet_protocols": "ipv4",
    "postfix_sender_domain": "example.org",
    "postfix_generic": {"root": "ops@example.com", "@mail.example.com": "@example.net"},
    "postfix_root_alias": ["ops@example.com", "joe"],
    "postfix_aliases": {"abuse": "root"},
    "postfix_submission_users": {"joe@example.com": "{SHA512-CRYPT}$6$abcdefgh$" + "x" * 86},
    "postfix_submission_dovecot": "pam",
    "postfix_maps": [{"path": "senders", "content": "a@example.com b@example.com\n", "mode": "0640"}],
    "postfix_parameters": {"message_size_limit": 20480000, "smtpd_banner": "$myhostname ESMTP", "soft_bounce": False},
    "postfix_services": [
        {"service": "2526", "type": "inet", "private": "n", "command": "smtpd", "options": {"syslog_name": "two"}}
    ],
    # Submission
    "postfix_submission_ports": [587, 2525],
    "postfix_submission_cert_file": "/etc/ssl/certs/ssl-cert-snakeoil.pem",
    "postfix_submission_key_file": "/etc/ssl/private/ssl-cert-snakeoil.key",
    "postfix_submission_self_signed": True,
    "postfix_submission_sni": {"mail.example.org": {"cert_file": "/etc/ssl/org.pem", "key_file": "/etc/ssl/org.key"}},
    "postfix_submission_sasl": "cyrus",
    "postfix_submission_auth_socket": "private/other",
    "postfix_submission_senders": {"joe": ["joe@example.com", "@example.net"]},
    "postfix_submission_message_size": 52428800,
    "postfix_submission_rate": 30,
    "postfix_submission_policy_services": ["inet:127.0.0.1:10031"],
    "postfix_submission_policy_stage": "end_of_data",
    "postfix_smtp_inbound": False,
    "postfix_replace": True,
    "postfix_adopt": True,
    "postfix_config_directory": "/nowhere/postfix",
    "postfix_packages": ["no-such-package"],
    "postfix_backup": False,
    "postfix_backup_keep": 2,
    "postfix_confirm_timeout": 7,
    "postfix_ignore_checks": {"password-missing": "the relay knows this host by its address"},
    "postfix_test_recipient": "postmaster@example.com",
    "postfix_test_sender": "root@example.com",
    "preflight_relays": ["127.0.0.1", "localhost:26"],
    "preflight_ports": [2526, 25],
    "preflight_exclude_ports": [27],
    "preflight_port": "2526",
    "preflight_policy": "fastest",
    "preflight_sticky": False,
    "preflight_on_no_route": "policy",
    "preflight_save": True,
    "preflight_timeout": 3.5,
    "preflight_connect_timeout": 1.5,
    "preflight_helo_name": "probe.example.com",
    "preflight_ca_file": "/etc/ssl/certs/ssl-cert-snakeoil.pem",
    "preflight_validate_certs": False,
    "preflight_family": "ipv4",
    "preflight_sender": "root@example.com",
    "preflight_recipient": "postmaster@example.com",
    "preflight_mesh": ["mail1", "all:!mail1"],
    "preflight_table": False,
    "preflight_report": ["results/routes.json", "results/routes.xml"],
    "preflight_fail_on": ["any_unusable", {"certificate_days": 14}],
    "preflight_baseline": "last.json",
    "preflight_max_failed": "10%",
    "preflight_waivers": [{"host": "web*", "reason": "the firewall is replaced", "until": "2027-01-31"}],
    "preflight_allow_empty": True,
    "verify_relay_host": "relay.example.com",
    "verify_relay_port": 2525,
    "verify_relay_tls": "verify",
    "verify_relay_ca_file": "/etc/ssl/ca.pem",
    "verify_inet_interfaces": ["127.0.0.1", "::1"],
    "verify_submission_ports": [587, 465],
    "verify_certificate_names": ["smtp.example.com", "mail.example.com"],
    "verify_certificate_ca_file": "/etc/ssl/ca.pem",
    "verify_certificate_days": 14,
    "verify_outside": "localhost",
    "verify_domains": ["example.com", "example.org"],
    "verify_test_recipient": "postmaster@example.com",
    "verify_test_sender": "root@example.com",
    "verify_delivery_timeout": 30,
    "verify_suite": SUITE,
    "verify_select": ["expected", "else"],
    "verify_skip": ["left_out"],
    "verify_junit": "results/{host}.xml",
    "verify_report": ["results/verify.json", "results/verify.md"],
    "verify_timeout": 60,
}  # fmt: skip

ADDRESSES = (
    "postfix_test_recipient", "postfix_test_sender", "preflight_sender", "preflight_recipient",
    "verify_test_recipient", "verify_test_sender",
)  # fmt: skip
# Names in which only ASCII is understood; the values of choices, ports and logins are told by the specification's type.
ASCII_ONLY = (
    "postfix_relay_host", "postfix_relay_provider", "postfix_relay_region", "postfix_myhostname", "postfix_myorigin",
    "postfix_sender_domain",
    "postfix_mydestination", "postfix_mynetworks", "postfix_inet_interfaces", "postfix_packages",
    "preflight_helo_name", "preflight_mesh", "verify_relay_host", "verify_inet_interfaces", *ADDRESSES,
)  # fmt: skip
# Names and addresses, of which one with a template in it is none.
WELL_FORMED = (
    "postfix_relay_host", "postfix_myhostname", "postfix_myorigin", "postfix_mynetworks", "postfix_inet_interfaces",
    "postfix_sender_domain", "postfix_generic",
    "preflight_helo_name", "preflight_mesh", "verify_relay_host", *ADDRESSES,
)  # fmt: skip
PORTS = ("postfix_relay_port", "preflight_port")
OF_THE_GATE = ("preflight_fail_on", "preflight_max_failed")
# Files whose suffix says their format.
REPORTS = ("preflight_report", "verify_report")
# Where Postfix's password table would hold another value than the one given.
SECRETS = ("postfix_relay_password", "postfix_relay_oauth_client_secret", "postfix_relay_oauth_refresh_token")
# Hashes, and the logins that they belong to.
HASHES = ("postfix_submission_users",)
EXACT = ("postfix_relay_username", *SECRETS, *HASHES)


class Unsafe(str):
    """A text that Ansible does not template."""


class Form(NamedTuple):
    """A way to write a variable, and what it means: its value, or that it is refused (None: whatever is the default)."""

    what: str
    value: Any
    meaning: Any
    refused: bool = False


DEFAULT = object()
ABSENT = object()


@functools.cache
def specification(role: str) -> dict[str, dict[str, Any]]:
    text = (ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    options: dict[str, dict[str, Any]] = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return options


def texts(value: Any, kind: str) -> Iterator[tuple[str, str]]:
    """A value as the texts that inventories and command lines have of it."""
    if kind == "bool":
        words = ("true", "True", "yes", "1", "on") if value else ("false", "False", "no", "0", "off")
        yield from ((f"the text {word}", word) for word in words)
    elif kind == "list" and all(isinstance(one, (str, int)) for one in value):
        yield "with commas", ", ".join(map(str, value))
        yield "with blanks", " ".join(map(str, value))
    if kind in ("list", "dict"):
        yield "JSON", json.dumps(value)
        yield "YAML", yaml.safe_dump(value)
    if kind in ("int", "float", "str", "path", "raw"):
        yield "text", str(value)


def forms(name: str, option: Mapping[str, Any]) -> Iterator[Form]:
    """Every form of a variable. Its specification and `GOOD` decide what each means."""
    good, kind = GOOD[name], option.get("type", "str")
    secret_list = option.get("no_log") and kind != "str"
    yield Form("absent", ABSENT, DEFAULT)
    yield Form("null", None, DEFAULT)
    computed = "default" not in option and kind in ("str", "path", "list", "dict", "raw")
    yield Form("empty", "", {"list": [], "dict": {}}.get(kind, "") if computed else DEFAULT)
    yield Form("undefined", "{{ no_such_variable }}", None, refused=True)
    yield Form("undefined inside", "{{ {'a': [no_such_variable]} }}", None, refused=True)
    yield Form("native", good, good)
    if not secret_list:
        yield from (Form(what, Unsafe(text), good) for what, text in texts(good, kind))
    yield from _single(name, option, good, kind)
    wrong = {"bool": "perhaps", "int": "many", "float": "many", "dict": "nonsense", "list": {"a": 1}}.get(
        kind, {"a": 1}
    )
    yield Form("wrong type", wrong, None, refused=True)


def _single(name: str, option: Mapping[str, Any], good: Any, kind: str) -> Iterator[Form]:
    """What stands in one value: a line break, other letters, blanks."""
    if kind == "dict":
        yield from _in_mapping(name, good)
        return
    if kind == "list":
        if option.get("elements") == "dict":
            key = next(iter(option["options"]))
            yield Form("NUL", [{**good[0], key: "a\0b"}], None, refused=True)
            yield Form("line break", [{**good[0], key: "a\nb"}], None, refused=True)
            yield Form("blanks", [{**good[0], key: f" {good[0][key]} "}], good)
        else:
            yield from _in_list(name, option, good)
        return
    text = str(good)
    strict = kind in ("bool", "int", "float") or name in (*PORTS, *OF_THE_GATE) or bool(option.get("choices"))
    for what, bad in (
        ("line break", f"{text}\nx = y"),
        ("NUL", f"{text}\0x"),
        ("carriage return", f"{text}\rx"),
    ):
        yield Form(what, Unsafe(bad), None, refused=True)
    for what, padded in (
        ("blank before", f" {text}"),
        ("blank behind", f"{text} "),
        ("line break behind", f"{text}\n"),
    ):
        # In a row of the table the password follows the user name and a colon.
        stays = what == "blank before" and name in SECRETS
        yield Form(what, Unsafe(padded), padded if stays else good, refused=name in EXACT and not stays)
    for what, odd in (("other letters", f"{text}é"), ("left-over template", f"{text}{{{{ x }}}}")):
        names = ASCII_ONLY if what == "other letters" else WELL_FORMED
        yield Form(what, Unsafe(odd), odd, refused=strict or name in names)


def _in_list(name: str, option: Mapping[str, Any], good: list[Any]) -> Iterator[Form]:
    secret, first = option.get("no_log"), str(good[0])
    for what, bad in (("line break", f"{first}\nx"), ("NUL", f"{first}\0x")):
        yield Form(what, [Unsafe(bad), *good[1:]], None, refused=True)
    if not secret:
        yield Form("blanks", [Unsafe(f" {first} "), *good[1:]], good)
        yield Form("NUL in a text", Unsafe(f"{first}, \0"), None, refused=True)
        strict = option.get("elements") == "int" or name in (*ASCII_ONLY, *REPORTS)
        yield Form("other letters", [Unsafe(f"{first}é")], [f"{first}é"], refused=strict)
        template = Unsafe(f"{first}{{{{x}}}}")
        strict = option.get("elements") == "int" or name in (*WELL_FORMED, *REPORTS)
        yield Form("left-over template", [template], [str(template)], refused=strict)


def _in_mapping(name: str, good: Mapping[str, Any]) -> Iterator[Form]:
    key = next(iter(good))
    if isinstance(good[key], dict):
        for form in _in_mapping(name, good[key]):
            yield form._replace(value={key: form.value}, meaning={key: form.meaning}, refused=form.refused)
        return
    yield Form("NUL", {**good, key: "a\0b"}, None, refused=True)
    yield Form("line break", {**good, key: "a\n b"}, None, refused=True)
    yield Form("line break in a key", {**good, "a\nb": "c"}, None, refused=True)
    strict = name in (*WELL_FORMED, *HASHES)
    word = "joe@example.com" if strict else "a"
    yield Form("blanks", {**good, key: Unsafe(f" {word} ")}, {**good, key: word}, refused=name in HASHES)
    yield Form("other letters", {**good, key: "é"}, {**good, key: "é"}, refused=strict)
    yield Form(
        "left-over template", {**good, key: Unsafe("{{ x }}")}, {**good, key: "{{ x }}"}, refused=strict
    )
