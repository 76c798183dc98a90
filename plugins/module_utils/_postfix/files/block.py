"""A block of ours in a file that belongs to somebody else: main.cf, master.cf, a table.

Theory of operation. The block stands at the end, between two marker lines. What it overrides in the host's own text is
commented out where it stands, by a prefix of ours, whole logical lines with the comments inside them. A record after
the first marker holds what is needed to take all that away again. Own lines that look like ours get the prefix too, so
that undo(compose(x, ...)) is x for every text.

The rule of this file: text in, text out, and no byte outside of the block is ever lost.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Callable, Container, Mapping, NamedTuple

from .lines import SPACE, Line, logical_lines
from .table import split_row

PREFIX = "#mailops.smtp# "
BEGIN = "# BEGIN mailops.smtp"
END = "# END mailops.smtp"
_FIRST = f"{BEGIN}: written by Ansible. What is outside of this block stays; a change inside it is lost.\n"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
# What compose() itself keeps in the record, and undo() needs.
_OWN_KEYS = ("glue", "lines", "sum")


class BlockError(ValueError):
    """The markers do not fit together; the text says where, and what to write."""


class Parts(NamedTuple):
    """A file taken apart. `body` and `record` are None and empty where it holds no block of ours."""

    own: str
    body: str | None = None
    record: Mapping[str, Any] = {}
    edited: bool = False
    """Whether somebody changed the block since it was written."""


def undo(text: str, file: str = "the file") -> str:
    """The host's own text, byte for byte. Raises BlockError."""
    return split(text, file).own


def lines_of(text: str) -> range:
    """The numbers of the lines that the block has in a file; none where it holds none."""
    lines = _LINE.findall(text)
    first = next((number for number, line in enumerate(lines, 1) if line.startswith(BEGIN)), 0)
    last = next((number for number in range(first, len(lines)) if lines[number].startswith(END)), len(lines))
    return range(first, last + 1) if first else range(0)


def split(text: str, file: str = "the file") -> Parts:
    """Take the block out of a file. Raises BlockError where a marker is missing and its place cannot be known."""
    lines = _LINE.findall(text)
    own, found, index = "", Parts(""), 0
    after_block = False
    while index < len(lines):
        line = lines[index]
        if line.startswith(END):
            raise BlockError(
                f"{file} line {index + 1}: {line.strip()!r} has no line {BEGIN!r} above it; remove this line, "
                "and what was written by Ansible above it"
            )
        if not line.startswith(BEGIN):
            own += line[len(PREFIX) :] if line.startswith(PREFIX) else line
            index += 1
            continue
        found, index = _read_block(lines, index, file)
        own = _without_glue(own, int(found.record.get("glue", 0)), index < len(lines))
        after_block = True
    if not after_block:
        return Parts(text)
    return found._replace(own=own)


def _read_block(lines: list[str], start: int, file: str) -> tuple[Parts, int]:
    """The block whose first marker is at `start`, and the index of the line after it."""
    record = _read_record(lines[start + 1] if start + 1 < len(lines) else "")
    first = start + 2 if record is not None else start + 1
    record = record or {}
    end = next((at for at in range(first, len(lines)) if lines[at].startswith((BEGIN, END))), None)
    if end is not None and lines[end].startswith(END):
        body = "".join(lines[first:end])
        return Parts("", body, record, checksum(body) != record.get("sum")), end + 1
    # Somebody removed the end: its place is known while what stands there is what was written.
    end = first + int(record.get("lines", 0))
    body = "".join(lines[first:end])
    if "sum" in record and checksum(body) == record["sum"]:
        return Parts("", body, record, True), end
    raise BlockError(
        f"{file} line {start + 1}: the block that Ansible wrote begins here, and the line {END!r} at its end is gone; "
        "write that line after the last line of the block"
    )


def _read_record(line: str) -> dict[str, Any] | None:
    if not line.startswith("# {"):
        return None
    try:
        record = json.loads(line[2:])
    except ValueError:
        return {}
    if not isinstance(record, dict):
        return {}
    for key in ("glue", "lines"):
        if not isinstance(record.get(key, 0), int):
            return {}
    return record


def _without_glue(own: str, glue: int, more: bool) -> str:
    """Without the newlines that compose() added; one stays where somebody wrote after a block that needed it."""
    if glue == 2 and more:
        glue = 1
    if glue and own.endswith("\n" * glue):
        return own[:-glue]
    return own


def checksum(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def compose(
    own: str, body: str, hidden: Callable[[Line], bool], record: Mapping[str, Any] | None = None
) -> str:
    """The host's own text with what `hidden` says commented out, and the block with `body` after it."""
    text = "".join(_shown(line, hidden(line)) for line in logical_lines(own))
    glue = 0 if not own else 1 if own.endswith("\n") else 2
    if body and not body.endswith("\n"):
        body += "\n"
    full = {
        **{key: value for key, value in (record or {}).items() if key not in _OWN_KEYS},
        "glue": glue,
        "lines": body.count("\n"),
        "sum": checksum(body),
    }
    return f"{text}{chr(10) * glue}{_FIRST}# {json.dumps(full, sort_keys=True)}\n{body}{END}\n"


def _shown(line: Line, hide: bool) -> str:
    hide = hide and bool(line.text)
    return "".join(
        PREFIX + raw if hide or raw.startswith((PREFIX, BEGIN, END)) else raw for raw in line.physical
    )


# ---------------------------------------------------------------------------------------------- what is overridden


def setting_name(line: Line) -> str:
    """The parameter that a logical line of main.cf sets, "" for none."""
    name, equals, _value = line.text.partition("=")
    return name.strip(SPACE) if equals and line.physical[0][0] not in " \t" else ""


def service_key(line: Line) -> str:
    """service/type of a logical line of master.cf, "" for none."""
    words = line.text.split(None, 2)
    return "/".join(words[:2]) if len(words) > 2 else ""


def row_key(line: Line) -> str:
    """The key of a table's row as a lookup folds it."""
    return split_row(line.text)[0].lower()


def hides(names: Callable[[Line], str], hidden: Container[str]) -> Callable[[Line], bool]:
    """A predicate: the logical lines whose name is among `hidden`, a container."""
    return lambda line: bool(line.text) and names(line) in hidden
