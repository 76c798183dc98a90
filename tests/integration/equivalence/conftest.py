# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pytest
from equivalence.engine import Outcome, run_all
from equivalence.situations import SITUATIONS
from world.machine import missing

Outcomes = dict[str, dict[str, Outcome]]


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> Outcomes:
    """What became of the situations whose tests were selected."""
    if missing():
        pytest.fail(missing())
    wanted = {item.callspec.params["situation"].name for item in request.session.items if hasattr(item, "callspec")}
    chosen = [situation for situation in SITUATIONS if situation.name in wanted]
    return run_all(chosen, int(os.environ.get("MAILOPS_PAIRS", "2")))
