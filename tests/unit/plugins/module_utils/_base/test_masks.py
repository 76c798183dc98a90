"""What leaves a module can be printed."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._base import masks


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("K\u00f6ln", "K\u00f6ln"),
        ("K\udcf6ln", "K\\xf6ln"),
        ("K\ud800ln", "K\\ud800ln"),
        ({"K\udcf6ln": ["\udcff", 1, None, True]}, {"K\\xf6ln": ["\\xff", 1, None, True]}),
    ],
)
def test_bytes_that_are_not_utf_8_are_shown_escaped(value: Any, shown: Any) -> None:
    assert masks.legible(value) == shown
    json.dumps(masks.legible(value), ensure_ascii=False).encode()
