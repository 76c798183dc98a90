"""The rows of lookup tables.

Of texthash: and the like, postmap(1), of patterns, regexp_table(5), and of inline: tables.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Iterable, NamedTuple, Protocol, TypeVar

from .lines import SPACE, logical_lines, split_list


class Row(NamedTuple):
    key: str
    value: str
    line: int


def split_row(text: str) -> tuple[str, str]:
    """Key and value of a logical line. What is white space to Postfix parts them, not what is to Python."""
    if text.startswith('"') and '"' in text[1:]:
        key, _quote, value = text[1:].partition('"')
        return key, value.strip(SPACE)
    match = re.match(f"([^{SPACE}]*)[{SPACE}]*(.*)", text, re.DOTALL)
    return (match.group(1), match.group(2).strip(SPACE)) if match else (text, "")


def parse_map(text: str) -> list[Row]:
    """The rows of a lookup table's source as postmap(1) and texthash: read it: key, white space, value."""
    rows = []
    number = 1
    for line in logical_lines(text):
        if line.text:
            rows.append(Row(*split_row(line.text), number))
        number += len(line.physical)
    return rows


_PATTERN = re.compile(r"!?\s*(?P<mark>[^\w\s!])(?P<pattern>(?:\\.|(?!(?P=mark)).)*)(?P=mark)[a-zA-Z]*\s*")


def parse_patterns(text: str) -> list[Row]:
    """The rows of regexp_table(5) and pcre_table(5): pattern and result. if and endif are left out."""
    rows = []
    number = 1
    for line in logical_lines(text):
        match = _PATTERN.match(line.text) if not re.match(r"(if|endif)\b", line.text, re.I) else None
        if match:
            rows.append(Row(match.group().strip(), line.text[match.end() :], number))
        number += len(line.physical)
    return rows


def parse_inline(text: str) -> list[Row]:
    """The rows of inline:{...}, key=value or { key = value }. Of two with one key the last one counts."""
    rows: dict[str, Row] = {}
    for word in split_list(text.strip()[1:-1]):
        key, _equals, value = (word[1:-1] if word.startswith("{") else word).partition("=")
        rows[key.strip().lower()] = Row(key.strip(), value.strip(), 0)
    return list(rows.values())


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


_AnyRow = TypeVar("_AnyRow", bound=_Keyed)


def duplicate_keys(rows: Iterable[_AnyRow]) -> list[_AnyRow]:
    """Rows whose key was there before: keys are compared without case, as Postfix folds them."""
    seen: set[str] = set()
    result: list[_AnyRow] = []
    for row in rows:
        folded = row.key.lower()
        if folded in seen:
            result.append(row)
        seen.add(folded)
    return result
