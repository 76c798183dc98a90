"""Options of the crash test."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all", action="store_true", help="kill at every point; takes about an hour on two cores"
    )
    parser.addoption(
        "--crash-release", default="bookworm", help="the Debian release of the hosts, instead of bookworm"
    )
