"""Nothing on the host itself stops mail: accounts, owners and modes, space, clock, tables, a second mail server."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from typing import Any

import judgements
from mailserver import Postfix

Seen = dict[str, Any]


def none_of(faults: list[str]) -> None:
    assert not faults, f"{'; '.join(faults)}."


def test_accounts_of_postfix_exist(seen: Seen) -> None:
    none_of(judgements.accounts(seen))


def test_owners_and_modes_let_mail_through(seen: Seen) -> None:
    none_of(judgements.permissions(seen))


def test_there_is_room_for_mail(seen: Seen) -> None:
    none_of(judgements.space(seen))


def test_clock_is_right(seen: Seen) -> None:
    none_of(judgements.clock(seen, time.time()))


def test_chroot_knows_what_the_host_knows(postfix: Postfix, seen: Seen) -> None:
    none_of(judgements.chroot(seen, postfix.chrooted))


def test_virtual_mailboxes_can_be_written(seen: Seen) -> None:
    none_of(judgements.virtual_mailboxes(seen))


def test_every_table_can_be_used(seen: Seen) -> None:
    none_of(judgements.tables(seen))


def test_sendmail_is_of_postfix(seen: Seen) -> None:
    none_of(judgements.second_mta(seen))


def test_delivery_is_not_suspended(seen: Seen) -> None:
    none_of(judgements.suspended(seen))


def test_mail_does_not_pile_up(seen: Seen) -> None:
    none_of(judgements.waiting(seen))
