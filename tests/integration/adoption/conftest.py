"""The servers of the adoption test, brought up and adopted once for all tests of a run."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pytest
from world.machine import end_in_order, missing

from adoption.engine import Outcome, adopt_all, load


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> dict[str, Outcome]:
    """What became of the servers whose tests were selected."""
    if missing():
        pytest.fail(missing())
    end_in_order()
    wanted = {
        item.callspec.params["server"].name for item in request.session.items if hasattr(item, "callspec")
    }
    return adopt_all([server for server in load() if server.name in wanted])
