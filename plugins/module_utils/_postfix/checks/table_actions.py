"""What is wrong with the actions in access(5) and header_checks(5) tables.

The rule of this file: Postfix answers an action that it does not know with a temporary error, or ignores it.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Iterator, Sequence

from ..files import lines
from ..files.parameters import ACCESS_ACTIONS, CHECK_ACTIONS, RESTRICTIONS
from ..host import maps
from .configuration import Configuration, table_of
from .finding import Finding, Setting, TableRow, check, suggest


@check("header-check-action", "*_checks")
def header_check_action(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """An action of header_checks, body_checks and the like that does not exist.

    cleanup(8) and smtp(8) ignore the row with a warning in the log, so it protects from nothing.
    Manual: header_checks(5).
    """
    if not setting.name.endswith("_chroot_checks"):
        for word in lines.split_list(value):
            for row in _action_rows(config, word):
                yield from _action(row, CHECK_ACTIONS)


def access_rows(config: Configuration, setting: Setting, spec: str) -> Iterator[Finding]:
    """What is wrong with the right sides of one table of access(5)."""
    known = {*RESTRICTIONS, *config.words("smtpd_restriction_classes", setting.service)}
    for row in _action_rows(config, spec):
        word = re.split(r"[\s,]", row.value)[0]
        if word and not re.match(r"([45]\d\d|\d+)\Z", word) and word.lower() not in known:
            yield from _action(row, ACCESS_ACTIONS)


def _action(row: TableRow, allowed: Sequence[str]) -> Iterator[Finding]:
    word = row.value.split()[0] if row.value else ""
    if word.startswith("$"):
        return
    if word.upper() not in allowed:
        yield row.error("there is no such action", suggest(word, allowed), value=word)
    elif word.upper() == "FILTER" and ":" not in row.value:
        yield row.error("a filter is transport:nexthop", "write FILTER transport:host:port", value=row.value)


def _action_rows(config: Configuration, spec: str) -> Sequence[TableRow]:
    """The rows of one table by key and action; none of tables that are not text."""
    kind, path = table_of(spec)
    if kind in ("regexp", "pcre") and path.startswith("/"):
        return config.pattern_rows(path)
    if kind == "cidr" and path.startswith("/"):
        return [row for row in config.file_rows(path) if row.key.lower() not in ("if", "endif")]
    return config.rows(spec) or () if kind in (*maps.COMPILED, "texthash", "inline") else ()


CHECKS = (header_check_action,)
