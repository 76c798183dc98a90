"""The hosts and the outside, up once for all stories of submission and a relay."""
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

from submission.lab import SubmissionLab

RELEASES = os.environ.get("MAILOPS_POSTFIX_RELEASES", "bullseye sid").split()


@pytest.fixture(scope="module")
def lab() -> Iterator[SubmissionLab]:
    if missing():
        pytest.fail(missing())
    end_in_order()
    made = SubmissionLab(RELEASES)
    yield made
    made.destroy()
