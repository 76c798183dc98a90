"""The situations of the equivalence test, each set up once for all tests of a run."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pytest
from world.machine import end_in_order, missing

from equivalence.engine import Outcome, run_all
from equivalence.situations import SITUATIONS

Outcomes = dict[str, dict[str, Outcome]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="every situation, not every sixth one")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Neighbours in the table are of one kind: every sixth one is a fair share. What is asked for by -k is all run."""
    if config.getoption("--all") or config.getoption("-k"):
        return
    share = {situation.name for situation in SITUATIONS[::6]}
    kept = [
        item
        for item in items
        if not hasattr(item, "callspec") or item.callspec.params["situation"].name in share
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> Outcomes:
    """What became of the situations whose tests were selected."""
    if missing():
        pytest.fail(missing())
    end_in_order()
    wanted = {
        item.callspec.params["situation"].name for item in request.session.items if hasattr(item, "callspec")
    }
    chosen = [situation for situation in SITUATIONS if situation.name in wanted]
    return run_all(chosen, int(os.environ.get("MAILOPS_PAIRS", "2")))
