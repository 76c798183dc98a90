"""Options of the load test."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "crash"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--messages", type=int, default=10_000, help="how many messages are to be accepted at least"
    )
    parser.addoption("--load-release", default="bookworm", help="the Debian release of the hosts under load")
