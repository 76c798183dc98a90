"""The comparison of the catalogue with another list sees every difference, and every explanation without one."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import compare_services

SENDGRID = {"host": "smtp.sendgrid.net", "port": 587}


@pytest.mark.parametrize(
    "name, entry, found",
    [
        ("SendGrid", SENDGRID, []),
        ("anything", {**SENDGRID, "port": "465", "secure": True}, []),
        ("SendGrid", {**SENDGRID, "secure": True}, ["secure: implicit TLS there, STARTTLS on 587 here"]),
        ("SendGrid", {**SENDGRID, "port": 465}, ["secure: STARTTLS there, implicit TLS on 465 here"]),
        ("SendGrid", {**SENDGRID, "port": 8025}, ["port: 8025 there, 587, 2525, 25, 465 here"]),
        ("SendGrid", {"host": "mx.example", "port": 587}, ["host: mx.example there, smtp.sendgrid.net here"]),
        ("x", {"host": "mx.example", "port": 587, "aliases": ["Sendgrid"]}, ["host: mx.example there"]),
        ("x", {"host": "smtp.yandex.ru", "port": 465, "secure": True}, ["host: smtp.yandex.ru there"]),
        ("SES-EU", {"host": "email-smtp.eu-west-1.amazonaws.com", "port": 465, "secure": True}, []),
        ("GodaddyAsia", {"host": "a.example", "port": 465, "secure": True}, ["host: a.example there"]),
        ("Nobody", {"host": "mx.example", "port": 1}, []),
        ("Maildev", {"port": 1025}, []),
    ],
)
def test_differences(name: str, entry: dict[str, Any], found: list[str]) -> None:
    _count, differences = compare_services.compare({name: entry})
    assert len(differences) == len(found)
    for one, text in zip(differences, found):
        assert str(one).startswith(f"{name}, {text}")


@pytest.mark.parametrize(
    "entry, explained, complaint",
    [
        (SENDGRID, {}, ""),
        ({**SENDGRID, "port": 1}, {("SendGrid", "port"): "so says a source"}, ""),
        ({**SENDGRID, "port": 1}, {}, "say why in EXPLAINED"),
        ({**SENDGRID, "port": 1}, {("SendGrid", "host"): "why"}, "say why in EXPLAINED"),
        (SENDGRID, {("SendGrid", "port"): "why"}, "SendGrid, port: no difference any more"),
    ],
)
def test_every_difference_is_explained(
    entry: dict[str, Any], explained: dict[tuple[str, str], str], complaint: str
) -> None:
    complaints = compare_services.report({"SendGrid": entry}, explained)
    assert complaint in "".join(complaints)
    assert bool(complaints) == bool(complaint)
