"""Replies of an SMTP server (RFC 5321 section 4.2), read from a stream of bytes that may be cut anywhere.

Rules of this file: no socket, no clock, no decision about what a reply means. Every reply comes out the same wherever
the stream was cut. What may pile up is bounded, and bytes that can no longer become a reply are refused at once instead
of when the line ends, because a hostile server never ends it.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import NamedTuple

# RFC 5321 section 4.5.3.1.5 allows 512 octets for a line; real servers exceed that a little with AUTH and
# banners.
MAX_LINE = 4096
MAX_LINES = 256
MAX_REPLY = 65536

# As much of a line as has arrived must be the beginning of "250 text", "250-text" or a bare "250".
_BEGINNING = re.compile(rb"(?:[2-5](?:[0-9](?:[0-9](?:[ -]|\r?$)|$)|$)|$)")


class Reply(NamedTuple):
    """One reply: its code and, for each of its lines, the text after the code."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def severity(self) -> int:
        """The first digit: 2 success, 3 more is wanted, 4 temporary failure, 5 permanent failure."""
        return self.code // 100

    @property
    def text(self) -> bytes:
        return b" ".join(line for line in self.lines if line)

    def __str__(self) -> str:
        return printable(b"%d %s" % (self.code, self.text))


class ReplyError(Exception):
    """The bytes cannot be an SMTP reply. ``foreign``: they do not even begin like one."""

    def __init__(self, problem: str, seen: bytes, foreign: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.seen = seen[:MAX_LINE]
        self.foreign = foreign


class ReplyReader:
    """Feed it bytes, take replies. After a ReplyError it is of no more use."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._code: bytes | None = None
        self._lines: list[bytes] = []
        self._size = 0

    @property
    def idle(self) -> bool:
        """True when no part of a reply is waiting for the rest."""
        return not self._buffer and not self._lines

    @property
    def pending(self) -> bytes:
        """The bytes that no reply has consumed."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def next_reply(self) -> Reply | None:
        """The next whole reply, or None when more bytes are needed. Raises ReplyError."""
        while True:
            end = self._buffer.find(b"\n", self._searched)
            line = bytes(self._buffer[: end if end >= 0 else MAX_LINE + 1])
            if not _BEGINNING.match(line) or (end >= 0 and len(line) < 3):
                raise ReplyError("a line that does not begin with a reply code", line, not self._lines)
            if len(line) > MAX_LINE:
                raise ReplyError(f"a line of more than {MAX_LINE} bytes", line)
            if end < 0:
                self._searched = len(self._buffer)
                return None
            del self._buffer[: end + 1]
            self._searched = 0
            if line.endswith(b"\r"):
                line = line[:-1]
            code = line[:3]
            if self._code not in (None, code):
                raise ReplyError("two codes in one reply", line)
            self._code = code
            self._lines.append(line[4:])
            self._size += len(line)
            if line[3:4] != b"-":
                reply = Reply(int(code), tuple(self._lines))
                self._code, self._lines, self._size = None, [], 0
                return reply
            if len(self._lines) >= MAX_LINES or self._size > MAX_REPLY:
                raise ReplyError(f"a reply of more than {MAX_LINES} lines or {MAX_REPLY} bytes", line)


def printable(text: bytes | str, limit: int = 300) -> str:
    """Text of a stranger as one line that is safe to show.

    Whatever is not printable (control characters, line ends, bidirectional overrides, bytes that are not UTF-8)
    is shown as an escape, and the whole is cut to ``limit`` characters.
    """
    if isinstance(text, bytes):
        text = text[: limit * 4].decode("utf-8", "backslashreplace")
    cut = text[:limit]
    if not cut.isprintable():
        cut = "".join(
            char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in cut
        )
    return cut[:limit] + "..." if len(cut) > limit or len(text) > limit else cut
