"""What the probe does otherwise for one relay of several."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._route.manner import Here, UnknownAddress, of_relay
from ansible_collections.mailops.smtp.plugins.module_utils._route.relays import parse_relays
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import Options

COMMON = Options(mail_from="root@web1.example.com", rcpt_to="inbox@example.com", ca_path=("/common.pem",))


def complete(address: str) -> str:
    if address.startswith("odd"):
        raise UnknownAddress("of a table that cannot be read")
    return address.replace("local", "public")


def here() -> Here:
    return Here("web1", "main.cf", None, "any", (), (), False, "auto", (), complete, lambda _name: None)


def own(**entry: Any) -> Options | None:
    (spec,) = parse_relays([{"host": "relay.example.com", **entry}])
    return of_relay(spec, COMMON, {"security_level": "secure"}, here())


@pytest.mark.parametrize(
    "entry, differs",
    [
        ({}, {}),
        ({"security_level": "secure"}, {}),
        ({"security_level": "encrypt"}, {"validate_certs": False}),
        ({"security_level": "dane"}, {"validate_certs": False, "needs_dns": True}),
        ({"ca_path": "/own.pem"}, {"ca_path": ("/own.pem",)}),
        ({"senders": ["alerts@local.example"]}, {"mail_from": "alerts@public.example"}),
        ({"senders": ["odd@local.example"]}, {"mail_from": "odd@local.example"}),
        ({"senders": ["@example.org"]}, {"mail_from": None}),
        ({"senders": ["@example.org", "a@example.org"]}, {"mail_from": "a@example.org"}),
        ({"senders": ["@web1.example.com"]}, {}),
        ({"recipients": ["@partner.example"]}, {"rcpt_to": None}),
        ({"recipients": ["@partner.example", "a@partner.example"]}, {"rcpt_to": "a@partner.example"}),
        ({"recipients": ["@example.com"]}, {}),
    ],
)
def test_what_differs(entry: dict[str, Any], differs: dict[str, Any]) -> None:
    assert (own(**entry) or COMMON) == replace(COMMON, **differs)
