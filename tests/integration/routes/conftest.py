"""The hosts and the outside, up once for all stories."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pytest
from world.machine import end_in_order, missing

from routes.lab import Lab

RELEASES = os.environ.get("MAILOPS_POSTFIX_RELEASES", "bullseye sid").split()


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    if missing():
        pytest.fail(missing())
    end_in_order()
    made = Lab(RELEASES)
    yield made
    made.destroy()


@pytest.fixture(autouse=True)
def whole(lab: Lab) -> None:
    """Every story begins with hosts as they were installed, and a network with nothing in the way."""
    lab.cut()
    lab.reset()
