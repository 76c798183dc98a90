"""What the probe finds usable, Postfix as the role configures it delivers to; what it does not, Postfix does not.

MAILOPS_COLLECTION=/another/tree tries the same table on another state of the collection.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest

from equivalence.engine import RELEASES, Outcome
from equivalence.situations import BOUNCES, EITHER, SENT, SITUATIONS, WAITS, Situation

Outcomes = dict[str, dict[str, Outcome]]


def test_the_table_is_large_enough() -> None:
    assert len(SITUATIONS[::2]) >= 60
    assert len({situation.name for situation in SITUATIONS}) == len(SITUATIONS)
    assert sum(situation.fate == SENT for situation in SITUATIONS) >= 30
    assert sum(situation.fate in (WAITS, BOUNCES) for situation in SITUATIONS) >= 30


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_probe_and_postfix_agree(situation: Situation, release: str, outcomes: Outcomes) -> None:
    outcome = outcomes[situation.name][release]
    about = f"{outcome.said}\nfate: {outcome.fate}: {outcome.postfix}"
    assert outcome.fate in ("sent", "deferred", "bounced", "queued"), about
    assert outcome.usable == outcome.sent, about
    if situation.fate != EITHER:
        assert outcome.sent == (situation.fate == SENT), about
    if not outcome.usable:
        assert re.search(situation.says, outcome.said), about
    if situation.fate == BOUNCES:
        assert outcome.fate == "bounced", about
    if situation.fate == WAITS:
        assert outcome.fate in ("deferred", "queued"), about
