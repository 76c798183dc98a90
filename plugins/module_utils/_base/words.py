"""Pieces of sentences.

Rule of this file: it knows words, and nothing of what they are about.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Iterable


def listed(words: Iterable[object], last: str = "and") -> str:
    """a, b and c; empty for no words. ``last`` stands before the last one."""
    texts = [str(word) for word in words]
    return f" {last} ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)
