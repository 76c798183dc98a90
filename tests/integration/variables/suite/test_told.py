"""A suite that tells what role verify expects."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any


def test_expected(expect: dict[str, Any], record_property: Any) -> None:
    record_property("expected", json.dumps(expect))


def test_expected_but_left_out() -> None:
    raise AssertionError("verify_skip did not leave it out")


def test_not_selected() -> None:
    raise AssertionError("verify_select did not leave it out")
