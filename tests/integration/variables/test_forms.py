"""Every variable of every role in every form, through the role's first task as Ansible runs it, with its own templates."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "unit/plugins/action")]

from ansible_collections.mailops.smtp.plugins.plugin_utils.submission import SELF_SIGNED
from controller import first_task, trust_as_template, untrusted
from table import ABSENT, DEFAULT, EXACT, GOOD, ROLES, ROOT, Form, Unsafe, forms, specification


def trusted(value: Any) -> Any:
    """As an inventory gives it: every text is a template, unless it is marked as unsafe."""
    if isinstance(value, dict):
        return {key: trusted(one) for key, one in value.items()}
    if isinstance(value, list):
        return [trusted(one) for one in value]
    if isinstance(value, Unsafe):
        return untrusted(str(value))
    return trust_as_template(value) if isinstance(value, str) else value


def variables_of(role: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in ("defaults", "vars"):
        found.update(yaml.safe_load((ROOT / "roles" / role / part / "main.yml").read_text()) or {})
    return trusted(found)


# What every host has, so that a complaint is about the variable that is tried.
RELAYS = {"preflight_relays": ["relay.example.com"], "postfix_relay_host": "relay.example.com"}
# What a variable needs beside it to be right.
LOGIN = {
    "postfix_relay_username": "postfix_relay_password",
    "postfix_relay_password": "postfix_relay_username",
    "postfix_relay_key_file": "postfix_relay_cert_file",
    "postfix_submission_ports": "postfix_submission_cert_file",
}
OWN = {role: variables_of(role) for role in ROLES}


def ask(role: str, given: dict[str, Any]) -> dict[str, Any]:
    """The result of the role's first task on a host with these variables."""
    user = {
        name: value
        for name, value in {**RELAYS, **given}.items()
        if name.startswith(f"{role}_") or name in given
    }
    variables = {
        **OWN[role],
        **trusted({name: value for name, value in user.items() if value is not ABSENT}),
        "role_path": str(ROOT / "roles" / role),
        "ansible_facts": {},
        "inventory_hostname": "mail1",
        # Of other hosts, for the mesh.
        "groups": {"all": ["mail1", "mail2"]},
        "hostvars": {name: {"postfix_submission_ports": [587]} for name in ("mail1", "mail2")},
    }
    return first_task(role, variables)


ROWS = [
    pytest.param(role, name, form, id=f"{name}-{form.what}")
    for role in ROLES
    for name, option in specification(role).items()
    if name in GOOD
    for form in forms(name, option)
]


@pytest.mark.parametrize("role, name, form", ROWS)
def test_a_form_means_what_it_should(role: str, name: str, form: Form) -> None:
    empty = form.value in (None, "", ABSENT)
    beside = {LOGIN[name]: "" if empty else "/beside"} if name in LOGIN else {}
    beside.update({"postfix_relay_port": "25"} if name == "postfix_preflight" else {})
    instead = name == "postfix_relays" and form.meaning is not DEFAULT and not empty
    instead |= name == "postfix_direct" and form.meaning is True
    beside.update({"postfix_relay_host": ABSENT} if instead else {})
    # Only a text that is tried as a template is one.
    template = form.value is not ABSENT and form.what.startswith("undefined")
    value = Unsafe(form.value) if isinstance(form.value, str) and not template else form.value
    result = ask(role, {**beside, name: value})
    if form.refused:
        assert result.get("failed"), f"{form.value!r} was taken as {result.get(name)!r}"
        said = [line for line in result["msg"].splitlines() if line.startswith((name, f"a key of {name}"))]
        assert len(said) == 1, result["msg"]
        if form.what.startswith("undefined"):
            assert "no_such_variable, which is not defined" in said[0]
        if name == "postfix_relay_password":
            assert GOOD[name] not in result["msg"]
        return
    if empty and name in RELAYS:
        assert result["failed"]
        assert "no relay is named" in result["msg"]
        return
    assert not result.get("failed"), result.get("msg")
    if specification(role)[name].get("no_log"):
        assert name not in result
        assert name in EXACT or role == "preflight"
        return
    meaning = ask(role, beside)[name] if form.meaning is DEFAULT else form.meaning
    got = result[name]
    assert got == meaning
    assert type(got) is type(meaning)


@pytest.mark.parametrize(
    "given, ports, ca_file",
    [
        ({}, [], ""),
        ({"postfix_submission_ports": "auto"}, [587, 465], ""),
        ({"postfix_submission_ports": "587, 2525"}, [587, 2525], ""),
        ({"postfix_submission_ports": [587], "verify_submission_ports": [465]}, [465], ""),
        (
            {"postfix_submission_ports": [465], "postfix_submission_self_signed": "yes"},
            [465],
            f"/etc/postfix/{SELF_SIGNED}",
        ),
        (
            {
                "postfix_submission_ports": [465],
                "postfix_submission_self_signed": True,
                "verify_certificate_ca_file": "/ca.pem",
            },
            [465],
            "/ca.pem",
        ),
    ],
)
def test_verify_expects_what_role_postfix_makes(
    given: dict[str, Any], ports: list[int], ca_file: str
) -> None:
    typed = ask("verify", given)
    assert (typed["verify_submission_ports"], typed["verify_certificate_ca_file"]) == (ports, ca_file)
