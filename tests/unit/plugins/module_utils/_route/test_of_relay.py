"""What the probe does otherwise for one relay of several."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._route.manner import Here, UnknownAddress, of_relay
from ansible_collections.mailops.smtp.plugins.module_utils._route.relays import parse_relays
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import (
    OptionError,
    Options,
)
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._smtp.servers import DATA

GOOD = str(DATA / "good.pem")

COMMON = Options(mail_from="root@web1.example.com", rcpt_to="inbox@example.com", ca_path=("/common.pem",))


def complete(address: str) -> str:
    if address.startswith("odd"):
        raise UnknownAddress("of a table that cannot be read")
    return address.replace("local", "public")


def here() -> Here:
    return Here("web1", "main.cf", None, "any", (), (), False, "auto", (), complete, lambda _name: None)


def own(**entry: Any) -> Options | None:
    names = {"relays.client_cert": "cert_file", "relays.client_key": "key_file"}
    (spec,) = parse_relays([{"host": "relay.example.com", **entry}], "postfix_relays", names=names)
    return of_relay(spec, COMMON, {"security_level": "secure", "option_names": names}, here())


@pytest.mark.parametrize(
    "entry, differs",
    [
        ({}, {}),
        ({"security_level": "secure"}, {}),
        ({"security_level": "encrypt"}, {"validate_certs": False}),
        ({"security_level": "dane"}, {"validate_certs": False, "needs_dns": True}),
        ({"ca_path": "/own.pem"}, {"ca_path": ("/own.pem",)}),
        ({"client_cert": GOOD}, {"client_certificates": ((GOOD, GOOD),)}),
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


@pytest.mark.parametrize(
    "entry, says",
    [
        ({"client_cert": "/none"}, "postfix_relays[0].cert_file: /none does not exist on this host"),
        ({"client_cert": GOOD, "client_key": "/none"}, "postfix_relays[0].key_file: /none does not exist"),
        (
            {"client_key": GOOD},
            "postfix_relays[0].key_file: a key is given and postfix_relays[0].cert_file is not",
        ),
    ],
)
def test_a_certificate_that_cannot_be_shown_is_refused_by_its_name(entry: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError) as error:
        own(**entry)
    assert str(error.value).startswith(says)
