# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# What is wrong with the actions in access(5) and header_checks(5) tables.
# The rule of this file: Postfix answers an action that it does not know with a temporary error, or ignores it.

from __future__ import annotations

import re
from typing import Iterator, Sequence

from . import maps, syntax, table
from .finding import Inspection, Place, read_text, suggest
from .values import ACCESS_ACTIONS, CHECK_ACTIONS, RESTRICTIONS

_PATTERNS = ("regexp", "pcre")


class Actions(Inspection):
    """The right sides of access tables and header checks."""

    def checks(self) -> None:
        for place in self.places:
            value = self.expanded(place)
            if value and place.name.endswith("_checks") and not place.name.endswith("_chroot_checks"):
                for word in syntax.split_list(value):
                    for row, file in self.action_rows(word):
                        self.action(row, file, CHECK_ACTIONS)

    def access_rows(self, place: Place, spec: str) -> None:
        known = {*RESTRICTIONS, *self.words("smtpd_restriction_classes", place.service)}
        for row, file in self.action_rows(spec):
            word = re.split(r"[\s,]", row.value, maxsplit=1)[0]
            if not re.match(r"([45]\d\d|\d+)\Z", word) and word.lower() not in known and word:
                self.action(row, file, ACCESS_ACTIONS)

    def action(self, row: table.Row, file: str, allowed: Sequence[str]) -> None:
        word = row.value.split(None, 1)[0] if row.value else ""
        if word.startswith("$"):
            return
        if word.upper() not in allowed:
            self.add_row(file, row, "there is no such action", suggest(word, allowed), value=word)
        elif word.upper() == "FILTER" and ":" not in row.value:
            self.add_row(
                file,
                row,
                "a filter is transport:nexthop",
                "write FILTER transport:host:port",
                value=row.value,
            )

    def action_rows(self, spec: str) -> Iterator[tuple[table.Row, str]]:
        """The rows of one table by key and action; none of tables that are no text."""
        kind, _colon, path = spec.partition(":")
        if kind == "proxy":
            kind, _colon, path = path.partition(":")
        staged = self.staged(path)
        if kind in _PATTERNS and path.startswith("/"):
            for row in table.parse_patterns(read_text(staged)):
                yield row, self.shown_file(staged, path)
        elif kind == "cidr" and path.startswith("/"):
            for row in table.parse_map(read_text(staged)):
                if row.key.lower() not in ("if", "endif"):
                    yield row, self.shown_file(staged, path)
        elif kind in (*maps.COMPILED, "texthash", "inline"):
            yield from self.rows_of(spec) or []
