"""Pages of the documentation that are made from data show that data."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools/pages"))

import checks
import providers


@pytest.mark.parametrize("made", [checks, providers], ids=lambda made: made.PAGE.name)
def test_a_page_shows_its_data(made: ModuleType) -> None:
    assert made.PAGE.read_text(encoding="utf-8") == made.page(), "write it anew: make docs"
