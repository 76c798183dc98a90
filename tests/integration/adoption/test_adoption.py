"""The relay is named, and nothing else: what a mail server did before, it does after, and the way back leads all the way.

MAILOPS_COLLECTION=/another/tree tries the same servers on another state of the collection.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from difflib import unified_diff

import pytest
from world.outside import DOMAIN

from adoption.engine import RELAY, RELEASES, Outcome, Server, load

SERVERS = load()
each_server = pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)


def test_the_servers_are_enough() -> None:
    assert len(SERVERS) >= 12
    assert {server.release for server in SERVERS} == set(RELEASES)
    assert all(any(letter.out for letter in server.letters) for server in SERVERS)


@each_server
def test_the_server_is_what_it_says(server: Server, outcomes: dict[str, Outcome]) -> None:
    """Before anything is deployed, every letter arrives that should, and none that should not."""
    outcome = outcomes[server.name]
    assert outcome.before, outcome.trouble
    for letter in server.letters:
        became = outcome.before[letter.name]
        assert re.search(f"^refused: .*{letter.refused}" if letter.refused else "^sent ", became), (
            letter.name,
            became,
        )
        assert f" by {RELAY}.{DOMAIN}" not in became


@each_server
def test_what_worked_works(server: Server, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[server.name]
    assert outcome.after, outcome.trouble
    for letter in server.letters:
        before, after = outcome.before[letter.name], outcome.after[letter.name]
        if letter.out:
            assert re.search(rf"^sent to \S+ by {RELAY}\.{re.escape(DOMAIN)}\[\S+:587$", after), (
                letter.name,
                after,
            )
        else:
            assert after == before, letter.name
    assert outcome.listeners[0] == outcome.listeners[1]


@each_server
def test_the_second_run_changes_nothing(server: Server, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[server.name]
    assert outcome.changed == 0, outcome.trouble
    assert outcome.tasks <= 7


@each_server
def test_the_way_back_leads_all_the_way(server: Server, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[server.name]
    assert not outcome.trouble
    first, last = outcome.snapshots
    assert first, "no file was looked at"
    assert first == last, "\n".join(unified_diff(first.splitlines(), last.splitlines(), lineterm="", n=0))
    assert outcome.again == outcome.before
