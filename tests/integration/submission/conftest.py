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

ASKED = os.environ.get("MAILOPS_POSTFIX_RELEASES", "")
RELEASES = (ASKED or "bullseye sid").split()
BY_TURNS = ("test_dovecot", "test_recipes")
# What Dovecot 2.3 and 2.4 have in other words.
ON_EACH = ("test_users_submit", "test_readers_still_read")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is much the same on each release is tried on one of them, by turns, unless releases are asked for."""
    if ASKED:
        return
    names = list(dict.fromkeys(item.originalname for item in items if isinstance(item, pytest.Function)))
    items[:] = [item for item in items if _stays(item, names)]


def _stays(item: pytest.Item, names: list[str]) -> bool:
    if not item.path.name.startswith(BY_TURNS) or not isinstance(item, pytest.Function):
        return True
    release = RELEASES[names.index(item.originalname) % len(RELEASES)]
    return item.originalname.startswith(ON_EACH) or item.name.endswith(f"[{release}]")


@pytest.fixture(scope="session")
def lab() -> Iterator[SubmissionLab]:
    if missing():
        pytest.fail(missing())
    end_in_order()
    made = SubmissionLab(RELEASES)
    yield made
    made.destroy()
