"""What of a server's words is shown, and what is left alone."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import Credentials, Endpoint
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.redact import Redactor

USER, PASSWORD = "someone@example.test", "Pa:ss#word $1"


def redactor(
    password: str | None = PASSWORD, user: str = USER, told: bool = False, host: str = "mx.example.test"
) -> Redactor:
    credentials = Credentials(user, password) if password else None
    one = Redactor(Endpoint(host, 587, "starttls", "cert.example.test", credentials), "client.example.test")
    one.told = told
    return one


def b64(*parts: str) -> str:
    return base64.b64encode("".join(parts).encode()).decode()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("550 Pa:ss#word $1 is wrong", "550 ******** is wrong"),
        (f"AUTH PLAIN {b64(chr(0), USER, chr(0), PASSWORD)}", "AUTH PLAIN ********"),
        (f"AUTH PLAIN {b64(USER, chr(0), USER, chr(0), PASSWORD)}", "AUTH PLAIN ********"),
        (f"{b64('user=', USER, chr(1), 'auth=Bearer ', PASSWORD, chr(1), chr(1))}.", "********."),
        (b64(PASSWORD), "********"),
        # In pieces, of which the short ones say nothing.
        (b64(chr(0), USER, chr(0), PASSWORD)[:21] + "-", "********-"),
        (b64(chr(0), USER, chr(0), PASSWORD)[:7] + "-", b64(chr(0), USER, chr(0), PASSWORD)[:7] + "-"),
        ("c29tZXRoaW5nIGVsc2U=", "c29tZXRoaW5nIGVsc2U="),
        ("an\x1b[31m escape", "an\\x1b[31m escape"),
    ],
)
def test_the_password_is_removed_in_every_form(said: str, shown: str) -> None:
    assert redactor().shown(said.encode()) == shown


@pytest.mark.parametrize(
    ("password", "told", "said", "shown"),
    [
        ("short", False, "a short word", "a short word"),
        ("short", True, "a short word", "a ******** word"),
        ("short", True, "shortly, xshort", "shortly, xshort"),
        ("PLAIN", False, "250 AUTH PLAIN LOGIN", "250 AUTH PLAIN LOGIN"),
        ("STARTTLS", False, "250 STARTTLS", "250 STARTTLS"),
        ("example.test", True, "550 mx.example.test", "550 mx.example.test"),  # both sides know the name
    ],
)
def test_what_is_a_word_too(password: str, told: bool, said: str, shown: str) -> None:
    assert redactor(password, told=told).shown(said.encode()) == shown


def test_without_a_login_nothing_is_looked_for() -> None:
    assert redactor(None).shown(b"c29tZXRoaW5nIGVsc2U= " + PASSWORD.encode()).endswith(PASSWORD)
    assert redactor(None).user == ""


@pytest.mark.parametrize(
    ("user", "password", "shown"),
    [
        (USER, PASSWORD, USER),
        ("token-1234", "token-1234", "********"),
        ("ops+token-1234", "token-1234", "ops+********"),
        ("\u202eops", PASSWORD, "\\u202eops"),
    ],
)
def test_user(user: str, password: str, shown: str) -> None:
    assert redactor(password, user).user == shown
