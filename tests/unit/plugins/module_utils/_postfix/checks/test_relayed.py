"""Who is worth asking for, and what a list makes of him."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks import strangers
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks.strangers import (
    ADDRESSES,
    Stranger,
    everybody,
    example_of,
)
from case import Case, text
from checks_lab import Lab


@pytest.mark.parametrize(
    "pattern",
    [
        "/./", "/@example\\.com$/", "/^<>$/", "/^bounce-[0-9]+@/", "/^(abuse|postmaster)@/i", "|^joe@|",
        "/@(mx|mail)[0-9]{2}\\.(?:a|b)\\.example$/", "/^[^@]+@x\\.example$/", "/^a.*b.?c+$/", "/a|b/", "/^x\\d\\w@/",
        "/^((a|b)c)d$/", "/^a\\+b@c\\/d$/", "/^5{3}$/",
    ],
)  # fmt: skip
def test_an_example_matches_its_pattern(pattern: str) -> None:
    inner = pattern.rstrip("i")[1:-1]
    assert re.search(inner, example_of(pattern)), example_of(pattern)


def test_of_what_is_not_matched_there_is_no_example() -> None:
    assert example_of("!/^x$/") == ""


@pytest.mark.parametrize(
    ("held", "all_of_them"),
    [
        (ADDRESSES, True),
        (ADDRESSES[:2], False),
        (ADDRESSES[:3], True),
        (ADDRESSES[-2:], True),
        (ADDRESSES[-1:], False),
        (ADDRESSES[:2] + ADDRESSES[-1:], False),
        ((), False),
    ],
)
def test_everybody(held: tuple[str, ...], all_of_them: bool) -> None:
    assert everybody(held) is all_of_them


def asked(lab: Lab, content: str, words: str, stranger: Stranger, **parameters: Any) -> str:
    """The word that lets the stranger relay; empty where he is refused."""
    case = Case(
        "x",
        parameters={
            "smtpd_relay_restrictions": "",
            "smtpd_recipient_restrictions": f"{words}, reject_unauth_destination",
            "smtpd_restriction_classes": "closed",
            "closed": "reject_unauth_destination, permit",
            **parameters,
        },
        files=[text("t", content)],
    )
    config = lab.configuration(case)
    way = strangers.relayed(config, config.smtpd_services[0], stranger)
    return way.by if way else ""


TABLE = "texthash:/etc/postfix/t"


@pytest.mark.parametrize(
    ("content", "words", "stranger", "by"),
    [
        ("203.0.113 OK", f"check_client_access {TABLE}", Stranger("203.0.113.77"), True),
        ("203.0.113 OK", f"check_client_access {TABLE}", Stranger("203.0.114.77"), False),
        ("stranger.example OK", f"check_client_access {TABLE}", Stranger(), True),
        (".stranger.example OK", f"check_client_access {TABLE}", Stranger(), False),
        ("mail.stranger.example 450 no\nexample OK", f"check_client_access {TABLE}", Stranger(), False),
        ("2001:db8:77 OK", f"check_client_access {TABLE}", Stranger("2001:db8:77::7"), True),
        ("example.com OK", f"check_sender_access {TABLE}", Stranger(sender="a@b.example.com"), True),
        ("a@ OK", f"check_sender_access {TABLE}", Stranger(sender="a@b.example.com"), True),
        ("<> OK", f"check_sender_access {TABLE}", Stranger(sender=""), True),
        ("b OK", f"check_helo_access {TABLE}", Stranger(helo="a.b"), True),
        ("b OK", f"check_helo_access {TABLE}", Stranger(helo=""), False),
        ("victim.com OK", TABLE, Stranger(), True),
        ("stranger.example OK", TABLE, Stranger(), False),
        ("victim.com 550", TABLE, Stranger(), True),
        ("victim.com 550 no", TABLE, Stranger(), False),
        ("victim.com 250 yes", TABLE, Stranger(), False),
        ("victim.com RELAY", TABLE, Stranger(), True),
        ("victim.com DISCARD", f"warn_if_reject {TABLE}", Stranger(), False),
        ("victim.com closed", f"warn_if_reject {TABLE}", Stranger(), True),
        ("victim.com closed", TABLE, Stranger(), False),
        ("victim.com DEFER_IF_PERMIT", f"{TABLE}, check_client_access static:OK", Stranger(), False),
        ("victim.com static:OK", TABLE, Stranger(), False),
        ("", "reject_unknown_client_hostname, check_client_access static:OK", Stranger(name="unknown"), False),
        ("", "reject_unknown_client_hostname, check_client_access static:OK", Stranger(), True),
        ("", "reject_unknown_reverse_client_hostname, check_client_access static:OK", Stranger(name="unknown"), True),
        ("", "reject_unknown_reverse_client_hostname, check_client_access static:OK", Stranger(pointer="unknown"),
         False),
        ("stranger.example reject", f"check_reverse_client_hostname_access {TABLE}, check_client_access static:OK",
         Stranger(pointer="mail.elsewhere.invalid"), True),
        ("stranger.example reject", f"check_reverse_client_hostname_access {TABLE}, check_client_access static:OK",
         Stranger(), False),
        ("", "nosuchword, check_client_access static:OK", Stranger(), False),
        ("", "check_reverse_client_hostname_access static:OK, permit", Stranger(), False),
        ("", "permit_mynetworks", Stranger(inside=True), True),
        ("", "permit_sasl_authenticated", Stranger(inside=True), False),
        ("", "permit_sasl_authenticated", Stranger(login=True), True),
        ("", "permit_inet_interfaces", Stranger(inside=True), False),
        ("", "permit_inet_interfaces", Stranger(own=True), True),
    ],
)  # fmt: skip
def test_what_a_list_makes_of_a_stranger(
    lab: Lab, content: str, words: str, stranger: Stranger, by: bool
) -> None:
    assert bool(asked(lab, content, words, stranger)) is by


@pytest.mark.parametrize(
    ("more", "open_to_him"),
    [
        ({}, True),
        ({"smtpd_helo_restrictions": "reject"}, False),
        ({"smtpd_sender_restrictions": "reject_unauth_destination"}, False),
        ({"smtpd_sender_restrictions": "reject_unauth_destination", "smtpd_delay_reject": "no"}, True),
        ({"smtpd_sender_restrictions": "defer_if_permit"}, False),
        ({"smtpd_data_restrictions": "reject_unauth_destination"}, True),
        ({"smtpd_data_restrictions": "reject"}, False),
        ({"smtpd_data_restrictions": "static:OK"}, False),
    ],
)
def test_the_other_lists(lab: Lab, more: dict[str, str], open_to_him: bool) -> None:
    assert bool(asked(lab, "", "check_client_access static:OK", Stranger(), **more)) is open_to_him


def test_who_says_no_helo_is_not_met_by_its_list(lab: Lab) -> None:
    assert asked(
        lab, "", "check_client_access static:OK", Stranger(helo=""), smtpd_helo_restrictions="reject"
    )


@pytest.mark.parametrize(
    ("words", "starts"),
    [
        ("permit_mynetworks, reject", True),
        ("Reject_Unauth_Destination", True),
        ("permit, reject", False),
        ("warn_if_reject reject", False),
        ("warn_if_reject reject, defer", True),
        ("closed", True),
        ("permit_mynetworks", False),
        ("defer_if_permit", True),
    ],
)
def test_smtpd_starts(lab: Lab, words: str, starts: bool) -> None:
    parameters = {
        "smtpd_relay_restrictions": words,
        "smtpd_recipient_restrictions": "",
        "smtpd_restriction_classes": "closed",
        "closed": "permit_mynetworks, reject",
    }
    config = lab.configuration(Case("x", parameters=parameters))
    assert strangers.starts(config, config.smtpd_services[0]) is starts
