"""Passwords that somebody wrote into main.cf or master.cf, and these files as they may be shown.

The rule of this file: line by line, so that a diff of what is shown has the lines of the files; and rather a word too
many than one too few, in comments as well, for a line that is commented out still has its password.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Iterable

from ..._base.masks import MASK

# Tables whose content stands in main.cf itself, wherever in the value: unionmap:{static:…} holds one as well.
IN_MAIN_CF = re.compile(r"\b((static|inline|randmap):|(regexp|pcre|cidr):\s*\{)")
MAPS = "_sasl_password_maps"
# The last two: of ldap_table(5), mysql_table(5) and the like, whose settings may stand in main.cf under a prefix.
_NAMES = r"\w*(?:_sasl_password_maps|_bind_pw|_password)"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_COMMENT = re.compile(r"(#mailops\.smtp# |[ \t]*#+[ \t]?)?")
_WITHOUT_PASSWORD = re.compile(r"(?:\w+:)*[/$][^\s{}]*\Z")


def referred(values: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The parameters that tables of passwords written out in these settings take words from."""
    return frozenset(
        name
        for parameter, value in values
        if parameter.endswith(MAPS)
        for name in re.findall(r"\$[{(]?(\w+)", value)
        if name != "config_directory"
    )


def is_secret(name: str, value: str, more: frozenset[str] = frozenset()) -> bool:
    """Whether a value holds a password. `more` are parameters that do besides those known by their names."""
    if name.endswith(MAPS):
        words = value.replace(",", " ").split()
        return bool(IN_MAIN_CF.search(value)) or not all(map(_WITHOUT_PASSWORD.match, words))
    return bool(value.strip()) and (name in more or bool(re.fullmatch(_NAMES, name)))


def without_passwords(text: str, more: frozenset[str] = frozenset()) -> str:
    """main.cf or master.cf with a mask for each password. `more` as in is_secret()."""
    reader = _Reader(more)
    return "".join(map(reader.shown, _LINE.findall(text)))


class _Reader:
    """Goes through the lines of a file, and knows what of a value goes on in the next one."""

    def __init__(self, more: frozenset[str]) -> None:
        self.more = more
        names = "|".join([_NAMES, *map(re.escape, sorted(more))])
        self.setting = re.compile(
            rf"(?:\A|(?P<option>-o[ \t]*(?P<brace>\{{)?))[ \t]*(?P<name>{names})[ \t]*=[ \t]*"
        )
        # The setting of main.cf that goes on; and the braces that are open, outside of comments and in them.
        self.name, self.depth = "", [0, 0]

    def shown(self, raw: str) -> str:
        found = _COMMENT.match(raw)
        mark = found.group() if found else ""
        if not mark:
            self.depth[True] = 0
            if raw[0] not in " \t":
                self.name, self.depth[False] = "", 0
        return mark + self._line(raw[len(mark) :], bool(mark))

    def _line(self, text: str, comment: bool) -> str:
        shown, at = "", 0
        if comment and self.depth[False]:
            return _masked(text)
        if self.depth[comment]:
            at, self.depth[comment] = _end(text, 0, self.depth[comment])
            shown = _masked(text[:at])
        if self.name and not comment:
            return shown + (_masked(text[at:]) if is_secret(self.name, text[at:], self.more) else text[at:])
        while found := self.setting.search(text, at):
            end, depth = _end(text, found.end(), 1 if found["brace"] else 0)
            if not found["option"]:
                end = len(text)
                depth = max(0, text.count("{") - text.count("}"))
                self.name = self.name if comment else found["name"]
            value = text[found.end() : end]
            secret = is_secret(found["name"], value, self.more)
            shown += text[at : found.end()] + (_masked(value) if secret else value)
            self.depth[comment] = depth
            at = end
        return shown + text[at:]


def _end(text: str, start: int, depth: int) -> tuple[int, int]:
    """Where a value ends, at white space or at the brace that closes it, and how many braces are open there."""
    inside = depth
    for at, char in enumerate(text[start:], start):
        depth += (char == "{") - (char == "}")
        if (depth <= 0 and char in " \t\n") or depth < min(inside, 1):
            return at, max(depth, 0)
    return len(text), depth


def _masked(text: str) -> str:
    """What is not white space, as one mask."""
    return re.sub(r"\S(.*\S)?", MASK, text)
