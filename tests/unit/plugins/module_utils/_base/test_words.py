"""Pieces of sentences."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Sequence

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._base.words import listed


@pytest.mark.parametrize(
    ("words", "last", "text"),
    [
        ([], "and", ""),
        (["a"], "and", "a"),
        (["a", "b"], "and", "a and b"),
        ((587, 2525, 25), "and", "587, 2525 and 25"),
        (["us", "eu", "ap"], "or", "us, eu or ap"),
    ],
)
def test_listed(words: Sequence[Any], last: str, text: str) -> None:
    assert listed(words, last) == text
    assert listed(iter(words), last) == text
