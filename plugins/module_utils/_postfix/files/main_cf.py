"""main.cf as data, postconf(5).

Text in, text out: what an edit does not name stays as it was, byte for byte, comments and order included.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any, Mapping, NamedTuple

from .lines import (
    SPACE,
    Line,
    check_parameter_name,
    comments,
    logical_lines,
    normal,
    parameter_value,
    same_words,
)


class Setting(NamedTuple):
    name: str
    value: str
    line: int


class MainCf:
    """main.cf(5) as an ordered list of settings that keeps every byte it was not asked to change."""

    def __init__(self, text: str) -> None:
        self._lines = logical_lines(text)
        self.bad_lines: list[tuple[int, str]] = []
        self.settings: list[Setting] = []
        self._scan()

    def _scan(self) -> None:
        self.settings, self.bad_lines = [], []
        number = 1
        for line in self._lines:
            if line.text:
                name, equals, value = line.text.partition("=")
                if line.physical[0][0] in " \t":
                    self.bad_lines.append((number, line.text))
                elif equals and name.strip() and not re.search(r"\s", name.strip()):
                    self.settings.append(Setting(name.strip(SPACE), value.strip(SPACE), number))
                else:
                    self.bad_lines.append((number, line.text))
            number += len(line.physical)

    def get(self, name: str, default: str = "") -> str:
        """The value in force (the last one wins), or the default given."""
        for setting in reversed(self.settings):
            if setting.name == name:
                return setting.value
        return default

    def values(self) -> dict[str, str]:
        return {setting.name: setting.value for setting in self.settings}

    def line_of(self, name: str) -> int:
        return max((setting.line for setting in self.settings if setting.name == name), default=0)

    def duplicates(self) -> list[Setting]:
        """Settings overridden by a later line of the same name and another value."""
        return [
            setting
            for index, setting in enumerate(self.settings)
            if any(
                later.name == setting.name and normal(later.value) != normal(setting.value)
                for later in self.settings[index + 1 :]
            )
        ]

    def merge(self, changes: Mapping[str, Any]) -> None:
        """Set each name to its value; None removes it. Equal values, white space aside, are left alone."""
        for name, raw in changes.items():
            check_parameter_name(name)
            self._set(name, parameter_value(name, raw))
        self._scan()

    def _set(self, name: str, value: str | None) -> None:
        mine = [
            index
            for index, line in enumerate(self._lines)
            if line.text and line.text.partition("=")[0].strip() == name and "=" in line.text
        ]
        if not mine:
            if value is not None:
                self._end_with_newline()
                self._lines.append(Line(f"{name} = {value}", 0, [f"{name} = {value}".rstrip() + "\n"]))
            return
        last = mine[-1]
        current = same_words(self._lines[last].text.partition("=")[2])
        if value is not None and current == value:
            return
        if value is None:
            for index in mine:
                self._lines[index] = Line("", 0, comments(self._lines[index]))
            return
        new = f"{name} = {value}".rstrip() + "\n"
        self._lines[last] = Line(f"{name} = {value}", 0, [new, *comments(self._lines[last])])
        for index in mine[:-1]:
            self._lines[index] = Line("", 0, comments(self._lines[index]))

    def _end_with_newline(self) -> None:
        if self._lines and self._lines[-1].physical and not self._lines[-1].physical[-1].endswith("\n"):
            last = self._lines[-1]
            self._lines[-1] = Line(last.text, last.number, [*last.physical[:-1], last.physical[-1] + "\n"])

    def text(self) -> str:
        return "".join(raw for line in self._lines for raw in line.physical)
