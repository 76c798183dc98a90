"""Users who log in can submit mail, nobody else can, and nobody learns a password or reads one on the way."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import doors as judgements
import pytest
from doors import Door, Doors, Said, tries


@pytest.fixture(scope="module")
def answers(doors: Doors) -> list[tuple[Door, Said]]:
    if not doors.from_here:
        pytest.skip("Postfix listens on loopback only: no stranger can reach it")
    return doors.from_here


@pytest.fixture(scope="module")
def logins(doors: Doors, answers: list[tuple[Door, Said]]) -> list[tuple[Door, Said]]:
    """The listeners that answered a wrong login."""
    found = [(door, said) for door, said in answers if said.get("logins")]
    if not found:
        pytest.skip("no listener offers a login by password (AUTH PLAIN or LOGIN)")
    return found


def none_of(faults: list[str]) -> None:
    assert not faults, f"{'; '.join(faults)}."


def test_users_can_log_in(doors: Doors) -> None:
    if not doors.wanted:
        pytest.skip("no port is named on which users submit mail (verify_submission_ports)")
    none_of(judgements.no_logins(doors))


def test_submission_is_for_users_alone(doors: Doors) -> None:
    if not doors.wanted:
        pytest.skip("no port is named on which users submit mail (verify_submission_ports)")
    none_of(judgements.for_everybody(doors))


def test_no_login_before_tls(doors: Doors, answers: list[tuple[Door, Said]]) -> None:
    none_of(judgements.clear_logins(doors))


def test_a_wrong_login_is_refused(doors: Doors, answers: list[tuple[Door, Said]]) -> None:
    none_of(judgements.wrong_logins(doors))


def test_passwords_cannot_be_guessed(
    doors: Doors, logins: list[tuple[Door, Said]], record_property: Any
) -> None:
    guards = doors.postfix.seen["guards"]
    told = [f"port {door.port}: {tries(said)}" for door, said in logins]
    record_property("wrong_logins", "; ".join([*told, *(f"{guard} runs" for guard in guards)]))
    none_of(judgements.unlimited_logins(doors, guards))


def test_strangers_are_told_no_names(doors: Doors, answers: list[tuple[Door, Said]]) -> None:
    none_of(judgements.names_told(doors))


def test_users_have_tls_1_2_or_newer(
    doors: Doors, answers: list[tuple[Door, Said]], record_property: Any
) -> None:
    """Where nobody logs in and TLS is only offered, an old one is better than none: that is a remark."""
    remarks = judgements.old_versions(doors, users=False)
    if remarks:
        record_property("old_tls", "; ".join(remarks))
    none_of(judgements.old_versions(doors, users=True))


def test_a_message_has_one_end(doors: Doors) -> None:
    """Static for each listener, and tried where a stranger may write to this host: the message has no end."""
    if not doors.all:
        pytest.skip("Postfix listens on loopback only: no stranger can reach it")
    none_of(judgements.early_ends(doors))
