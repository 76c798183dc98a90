# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A suite that tells what role verify expects."""

from __future__ import annotations

import json
from typing import Any


def test_expected(expect: dict[str, Any], record_property: Any) -> None:
    record_property("expected", json.dumps(expect))


def test_expected_but_left_out() -> None:
    raise AssertionError("verify_skip did not leave it out")


def test_not_selected() -> None:
    raise AssertionError("verify_select did not leave it out")
