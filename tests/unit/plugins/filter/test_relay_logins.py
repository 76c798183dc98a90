"""User names and passwords in a list of relays, in every form that the variable may have."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
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
