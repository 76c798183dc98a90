"""Pages of the documentation that are made from data show that data."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools/pages"))

import checks


def test_the_page_of_the_checks_shows_the_checks() -> None:
    assert checks.PAGE.read_text(encoding="utf-8") == checks.page(), "write it anew: make docs"
