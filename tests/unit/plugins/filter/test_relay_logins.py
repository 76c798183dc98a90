"""User names and passwords in a list of relays, in every form that the variable may have."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.mailops.smtp.plugins.filter.relay_logins import FilterModule

logins = FilterModule().filters()["relay_logins"]
LIST = [
    {"host": "a", "username": "ops", "password": "p:w \u00f6{{ x'y"},
    {"direct": True, "senders": ["@x.example"]},
]
FOUND = [{"username": "ops", "password": "p:w \u00f6{{ x'y"}, {}]


@pytest.mark.parametrize("given", [LIST, json.dumps(LIST), repr(LIST), ["  ", *LIST, None]])
def test_each_form_has_the_same_logins(given: Any) -> None:
    assert logins(given) == FOUND


@pytest.mark.parametrize("nothing", ["", None, []])
def test_nothing_has_none(nothing: Any) -> None:
    assert logins(nothing) == []


def test_a_wrong_shape_is_told_without_a_password() -> None:
    with pytest.raises(AnsibleFilterError, match="takes a list of mappings") as error:
        logins("host=a password=hunter2")
    assert "hunter2" not in str(error.value)


APPLICATION = {"client_id": "c", "client_secret": "", "endpoint": "https://login.example.com/token"}
TOKENS = [
    {"username": "a", "oauth_refresh_token": "t"},
    {"username": "b", "password": "p", "auth": "plain"},
    {},
]


def test_a_token_takes_the_place_of_a_password() -> None:
    first, *rest = logins(TOKENS, "xoauth2", APPLICATION)
    assert rest == [{"username": "b", "password": "p"}, {}]
    assert first["password"] == first["token"]["path"]
    assert re.fullmatch("/var/lib/postfix-tokens/a-[0-9a-f]{16}", first["token"]["path"])
    assert json.loads(first["token"]["content"]) == {
        "client_id": "c",
        "client_secret": "",
        "token_endpoint": "https://login.example.com/token",
        "ca_bundle_file": "/var/lib/postfix-tokens/ca.pem",
        "access_token": "",
        "expiry": "0",
        "refresh_token": "t",
    }


def test_a_token_is_nothing_that_the_probe_could_try() -> None:
    assert logins(TOKENS, "xoauth2") == [{"username": "a"}, {"username": "b", "password": "p"}, {}]
    assert logins([{"username": "a", "password": "p", "auth": "xoauth2"}]) == [{"username": "a"}]


@pytest.mark.parametrize(
    "before",
    [
        # As it was written first, and as the plugin writes it.
        json.dumps(
            {"client_id": 'o"ld', "client_secret": "\\\\", "token_endpoint": "x", "refresh_token": "n"},
            indent=2,
        ),
        '{\n\t"access_token" : "a",\n\t"client_id" : "o\\"ld",\n\t"client_secret" : "",\n\t"expiry" : "1",\n'
        '\t"refresh_token" : "n",\n\t"token_endpoint" : "x"\n}\n',
    ],
)
def test_what_an_application_has_become_is_written_beside_the_tokens(before: str) -> None:
    application = {
        "client_id": "7",
        "client_secret": 'a "b" \\1 \\n é',
        "endpoint": "https://x.example/\\g<0>",
    }
    (login,) = logins(TOKENS[:1], "xoauth2", application)
    found = login["token"]
    after = re.sub(found["regexp"], found["replace"], before)
    assert json.loads(after) == {
        **json.loads(before),
        "client_id": application["client_id"],
        "client_secret": application["client_secret"],
        "token_endpoint": application["endpoint"],
    }
    assert re.sub(found["regexp"], found["replace"], after) == after
