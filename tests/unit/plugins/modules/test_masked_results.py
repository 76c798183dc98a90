"""What Ansible masks in a result hides a secret and changes no field; beside the modules, for it needs ansible-core."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.parameters import remove_values
from ansible_collections.mailops.smtp.plugins.module_utils._base.masks import HIDDEN, TEXTS, hidden, maskable

RESULT = {
    "changed": False,
    "msg": "The endpoint is usable. The server said s3cret-Word!",
    "usable": 1,
    "elapsed_ms": 2587.5,
    "verdicts": {"ok": 1},
    "missing": ["postfix", "sasl_plugin"],
    "endpoints": [
        {
            "host": "relay.example.com",
            "port": 587,
            "verdict": "ok",
            "greeting": "relay.example.com ESMTP Postfix 3.7",
            "reachable": True,
            "address": None,
            "reason": "Usable: TLSv1.3 with TLS_AES_256_GCM_SHA384.",
            "tls_cipher": "TLS_AES_256_GCM_SHA384",
        }
    ],
}


@pytest.mark.parametrize(
    "secret",
    [
        "587", "ok", "tls", "example", "postfix", "25", "true", "True", "None", "null", "relay.example.com", "verdict",
        "sasl_plugin", "TLS_AES_256_GCM_SHA384", "endpoints", "usable", "server", "Usable", "The", "e", "1", "-", ".",
        "reachable", "encryption", "example.com", "SHA384", "endpoint is usable"[:7],
    ],
)  # fmt: skip
def test_no_field_and_no_sentence_is_changed(secret: str) -> None:
    assert remove_values(RESULT, maskable({secret}, RESULT)) == RESULT


@pytest.mark.parametrize("secret", ["s3cret-Word!", "s3cret-Word", "3cret-Word!"])
def test_a_secret_that_is_no_word_is_masked_in_texts(secret: str) -> None:
    shown: dict[str, Any] = remove_values(RESULT, maskable({secret}, RESULT))
    assert secret not in str(shown)
    assert {**shown, "msg": ""} == {**RESULT, "msg": ""}


def test_each_secret_is_judged_by_itself() -> None:
    assert maskable({"587", "s3cret-Word!"}, RESULT) == {"s3cret-Word!"}


def test_texts_are_for_people() -> None:
    assert not TEXTS & {
        "verdict",
        "host",
        "port",
        "missing",
        "path",
        "stage",
        "tls",
        "capabilities",
        "greeting",
    }


@pytest.mark.parametrize("secret", ["587", "", True, 25, ["a"], {"b": 1}])
def test_parameters_hide_a_secret_whatever_it_is(secret: Any) -> None:
    assert hidden({"host": "mx587", "password": secret, "ports": [587]}, ["password"]) == {
        "host": "mx587",
        "password": HIDDEN,
        "ports": [587],
    }
    assert hidden({"password": None}, ["password"]) == {"password": None}
