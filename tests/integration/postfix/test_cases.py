"""Every broken configuration is refused before anything is live, every valid one passes.

Each on one of the releases in turn; MAILOPS_EVERY_CASE=1 tries all on each.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest
from cases import BROKEN, VALID, Case
from hosts import COLLECTION, RELEASES, Host

EVERY = 1 if os.environ.get("MAILOPS_EVERY_CASE") else len(RELEASES)


@pytest.fixture(scope="module")
def outcomes(shared_host: Host) -> dict[str, Any]:
    share = f"{RELEASES.index(shared_host.release) % EVERY}/{EVERY}"
    done = shared_host.run(f"python3 {COLLECTION}/tests/integration/postfix/run_cases.py {share}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_the_tables_are_large_enough() -> None:
    assert len(BROKEN) >= 60
    assert len(VALID) >= 40
    assert len({case.name for case in BROKEN}) == len(BROKEN)
    assert len({case.name for case in VALID}) == len(VALID)
    assert RELEASES


def test_every_case_ran_or_does_not_concern_this_version(outcomes: dict[str, Any]) -> None:
    assert len(outcomes) == len(BROKEN) + len(VALID)
    assert sum(outcome is not None for key, outcome in outcomes.items() if key.startswith("broken:")) >= 60
    assert sum(outcome is not None for key, outcome in outcomes.items() if key.startswith("valid:")) >= 40


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.name)
def test_broken_configuration_is_refused(case: Case, outcomes: dict[str, Any]) -> None:
    outcome = outcomes[f"broken:{case.name}"]
    if outcome is None:
        return
    assert outcome.get("refused"), outcome
    ours = [text for check, text in outcome["found"] if check == case.check]
    assert any(re.search(case.says, text, re.DOTALL) for text in ours or [outcome["said"]]), outcome["said"]
    assert bool(ours) == bool(case.check), outcome["found"]
    assert outcome["untouched"], "live files changed"
    assert not outcome["rolled_back"]
    assert outcome["left"] == []
    assert "secret7" not in outcome["said"]


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.name)
def test_valid_configuration_passes(case: Case, outcomes: dict[str, Any]) -> None:
    outcome = outcomes[f"valid:{case.name}"]
    if outcome is None:
        return
    assert outcome.get("errors") == [], outcome
    # What Postfix says of parameters and table types that it will drop depends on its release.
    ours = [text for check, text in outcome["warnings"] if check not in ("postfix-says", "table-unreadable")]
    assert bool(ours) == bool(case.says), outcome
    assert all(re.search(case.says, text) for text in ours), outcome
