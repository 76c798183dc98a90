"""What Postfix's text files have in common: white space, logical lines, comments, parameter names, values and lists."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any, Mapping, NamedTuple

# What is white space to Postfix. Python's own idea of it has a no-break space too.
SPACE = " \t\n\v\f\r"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
PARAMETER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")


class Line(NamedTuple):
    """One logical line: its text on one line, the number of its first physical line, and all of them."""

    text: str
    number: int
    physical: list[str]


def logical_lines(text: str) -> list[Line]:
    """Split as Postfix's readllines(3) does: leading white space continues, comments and blanks are skipped.

    Comment and blank lines between logical lines come back as a Line with empty text, so that joining
    the physical lines of all Lines gives the input again. Those inside a logical line belong to it.
    """
    result: list[Line] = []
    pending: list[str] = []
    pending_number = 1

    def flush() -> None:
        nonlocal pending
        if pending:
            result.append(Line("", pending_number, pending))
        pending = []

    # Not splitlines(), which also splits at a form feed and others that are text to Postfix.
    for number, raw in enumerate(_LINE.findall(text), 1):
        stripped = raw.strip(SPACE)
        if not stripped or stripped.startswith("#"):
            if not pending:
                pending_number = number
            pending.append(raw)
        elif raw[0] in " \t" and result and _last_logical(result):
            last = result.pop()
            result.append(Line(f"{last.text} {stripped}", last.number, [*last.physical, *pending, raw]))
            pending = []
        else:
            flush()
            result.append(Line(stripped, number, [raw]))
    flush()
    return result


def _last_logical(lines: list[Line]) -> bool:
    return bool(lines[-1].text)


def normal(value: str) -> str:
    return " ".join(value.split())


def same_words(value: str) -> str:
    """What is in force, compared by what Postfix takes for white space."""
    return " ".join(re.split(f"[{SPACE}]+", value.strip(SPACE)))


def parameter_value(name: str, value: Any) -> str | None:
    """The text of main.cf for a typed value: true is yes, a list is joined, None means remove.

    Raises ValueError with what to write where the value has no certain meaning.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if name == "compatibility_level" and str(value).endswith(".1"):
            raise ValueError(
                f'{name}: {value!r} is a number, so 3.1 and 3.10 cannot be told apart: quote it, {name}: "{value}"'
            )
        return str(int(value)) if value.is_integer() and name != "compatibility_level" else str(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        items = [parameter_value(name, item) for item in value]
        return ", ".join(item for item in items if item)
    if isinstance(value, Mapping):
        raise ValueError(
            f"{name}: a mapping is not a value of main.cf; write text, a number, true/false or a list"
        )
    text = normal(str(value))
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValueError(f"{name}: the value contains a control character; remove it")
    return text


def check_parameter_name(name: str) -> None:
    if not PARAMETER_NAME.match(name):
        raise ValueError(f"{name!r} is not a parameter name: letters, digits, _, - and . only")


def comments(line: Line) -> list[str]:
    """The comment and blank lines that lie inside a logical line: they outlive its value."""
    return [raw for raw in line.physical if raw.lstrip().startswith("#") or not raw.strip()]


def before(ours: str, theirs: str) -> str:
    """Two lists as one, ours first; what is in both once."""
    words = split_list(ours)
    return ", ".join([*words, *(word for word in split_list(theirs) if word not in words)])


def split_list(value: str) -> list[str]:
    """Split at white space and commas outside of { }, as most list parameters do."""
    words: list[str] = []
    word, depth = "", 0
    for char in value:
        depth += (char == "{") - (char == "}")
        if depth <= 0 and char in " \t,\r\n":
            if word:
                words.append(word)
            word = ""
        else:
            word += char
    if word:
        words.append(word)
    return words
