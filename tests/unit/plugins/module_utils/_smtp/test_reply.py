"""Replies come out the same wherever the stream was cut, and nothing unbounded piles up."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.reply import (
    MAX_LINE,
    MAX_LINES,
    Reply,
    ReplyError,
    ReplyReader,
    printable,
)
from hypothesis import given
from hypothesis import strategies as st


def read(*parts: bytes) -> tuple[list[Reply], str]:
    """The replies in a stream that arrives in these parts, and what is wrong with it."""
    reader = ReplyReader()
    replies = []
    for part in parts:
        reader.feed(part)
        try:
            reply = reader.next_reply()
            while reply is not None:
                replies.append(reply)
                reply = reader.next_reply()
        except ReplyError as error:
            return replies, ("foreign: " if error.foreign else "") + error.problem
    return replies, ""


FOREIGN = "foreign: a line that does not begin with a reply code"
BROKEN = "a line that does not begin with a reply code"

STREAMS = {
    b"220 mx ESMTP\r\n": ([Reply(220, (b"mx ESMTP",))], ""),
    b"220\r\n": ([Reply(220, (b"",))], ""),
    b"220 \r\n": ([Reply(220, (b"",))], ""),
    b"220 bare line feed\n": ([Reply(220, (b"bare line feed",))], ""),
    b"250-mx\r\n250-SIZE\r\n250 OK\r\n": ([Reply(250, (b"mx", b"SIZE", b"OK"))], ""),
    b"250-mx\n250\n": ([Reply(250, (b"mx", b""))], ""),
    b"220 one\r\n250 two\r\n": ([Reply(220, (b"one",)), Reply(250, (b"two",))], ""),
    b"220 not whole": ([], ""),
    b"220-not whole\r\n": ([], ""),
    b"2": ([], ""),
    b"220\r": ([], ""),
    b"250 a\rb\r\n": ([Reply(250, (b"a\rb",))], ""),
    b"599 x\r\n": ([Reply(599, (b"x",))], ""),
    b"199 x\r\n": ([], FOREIGN),
    b"600 x\r\n": ([], FOREIGN),
    b"22x y\r\n": ([], FOREIGN),
    b"2200 x\r\n": ([], FOREIGN),
    b"220\tx\r\n": ([], FOREIGN),
    b"22\r\n": ([], FOREIGN),
    b"22\n": ([], FOREIGN),
    b"\r\n": ([], FOREIGN),
    b"\n": ([], FOREIGN),
    b" 220 x\r\n": ([], FOREIGN),
    b"\xd9\xa2\xd9\xa2\xd9\xa0 x\r\n": ([], FOREIGN),
    b"SSH-2.0-x\r\n": ([], FOREIGN),
    b"\x15\x03\x01": ([], FOREIGN),
    b"250-mx\r\nSIZE\r\n": ([], BROKEN),
    b"250 ok\r\ngarbage": ([Reply(250, (b"ok",))], FOREIGN),
    b"250-mx\r\n550 no\r\n": ([], "two codes in one reply"),
    b"250 " + b"x" * (MAX_LINE - 5) + b"\r\n": ([Reply(250, (b"x" * (MAX_LINE - 5),))], ""),
    b"250 " + b"x" * (MAX_LINE - 4) + b"\r\n": ([], f"a line of more than {MAX_LINE} bytes"),
    b"x" * (2 * MAX_LINE): ([], FOREIGN),
    b"250-x\r\n" * (MAX_LINES - 1) + b"250 x\r\n": ([Reply(250, (b"x",) * MAX_LINES)], ""),
}


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: repr(stream[:24]))
def test_replies(stream: bytes) -> None:
    assert read(stream) == STREAMS[stream]


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: repr(stream[:24]))
def test_replies_cut_at_every_byte(stream: bytes) -> None:
    expected = STREAMS[stream]
    assert read(*(stream[at : at + 1] for at in range(len(stream)))) == expected
    step = max(1, len(stream) // 200)
    for at in range(0, len(stream), step):
        assert read(stream[:at], stream[at:]) == expected


def test_endless_lines_are_refused() -> None:
    replies, problem = read(*[b"250-x\r\n"] * (MAX_LINES + 1))
    assert not replies
    assert "lines" in problem


def test_long_replies_are_refused() -> None:
    replies, problem = read(*[b"250-" + b"x" * 4000 + b"\r\n"] * 20)
    assert not replies
    assert "bytes" in problem


def test_endless_line_is_refused_before_it_ends() -> None:
    assert read(b"250 ", *[b"x" * 64] * 100)[1] == f"a line of more than {MAX_LINE} bytes"


def test_pending_and_idle() -> None:
    reader = ReplyReader()
    assert reader.idle
    reader.feed(b"220 a\r\n220-b\r\n")
    assert reader.next_reply() == Reply(220, (b"a",))
    assert not reader.idle
    assert reader.pending == b"220-b\r\n"
    assert reader.next_reply() is None
    assert not reader.idle


texts = st.lists(st.binary(max_size=40).map(lambda text: text.replace(b"\n", b"")), min_size=1, max_size=5)


@given(st.integers(200, 599), texts, st.booleans(), st.lists(st.integers(0, 250), max_size=6))
def test_whatever_is_written_is_read(code: int, lines: list[bytes], feed_only: bool, cuts: list[int]) -> None:
    end = b"\n" if feed_only else b"\r\n"
    stream = b"".join(b"%d-%s%s" % (code, line, end) for line in lines[:-1]) + b"%d %s%s" % (
        code,
        lines[-1],
        end,
    )
    at = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    # Without its carriage return, a line may end in one of its own.
    expected = tuple(line[:-1] if feed_only and line.endswith(b"\r") else line for line in lines)
    assert read(*(stream[a:b] for a, b in zip(at, at[1:]))) == ([Reply(code, expected)], "")


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
def test_any_bytes_mean_the_same_however_they_are_cut(stream: bytes, cuts: list[int]) -> None:
    at = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert read(*(stream[a:b] for a, b in zip(at, at[1:]))) == read(stream)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"plain text", "plain text"),
        ("grüße", "grüße"),
        ("grüße".encode(), "grüße"),
        (b"\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        (b"a\r\nb\0", "a\\r\\nb\\x00"),
        (b"\xff\xfe", "\\xff\\xfe"),
        ("\u2028", "\\u2028"),
        ("\U000e0001", "\\U000e0001"),
        ("\udc80", "\\udc80"),
        ("a\u00a0b", "a\\xa0b"),
    ],
)
def test_printable(text: bytes | str, shown: str) -> None:
    assert printable(text) == shown


@given(st.one_of(st.binary(max_size=2000), st.text(max_size=2000)), st.integers(1, 400))
def test_printable_is_printable_and_bounded(text: bytes | str, limit: int) -> None:
    shown = printable(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit + 3
    shown.encode("utf-8")


def test_reply_shows_its_words() -> None:
    reply = Reply(550, (b"5.7.1 no", b"", b"\x1bway"))
    assert str(reply) == "550 5.7.1 no \\x1bway"
    assert reply.severity == 5
