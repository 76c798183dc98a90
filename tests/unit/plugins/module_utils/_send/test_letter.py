"""A message is put together so that any server can carry it, and nothing of the user's can begin a header."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._send.letter import Letter, LetterError, compose


def letter(**options: Any) -> Letter:
    given: dict[str, Any] = {
        "to": ["a@far.example"], "sender": "ops@example.net", "subject": "x", "body": "y", "headers": {},
        "message_id": "token@me.example.net", "now": 1800000000.0, **options,
    }  # fmt: skip
    return compose(**given)


def read(**options: Any) -> Any:
    return message_from_bytes(letter(**options).data, policy=default)


def test_a_plain_one() -> None:
    assert letter(body="one\n.\ntwo\n").data.decode() == (
        "From: ops@example.net\r\nTo: a@far.example\r\nSubject: x\r\nDate: Fri, 15 Jan 2027 08:00:00 -0000\r\n"
        "Message-ID: <token@me.example.net>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\none\r\n.\r\ntwo\r\n"
    )


@pytest.mark.parametrize(
    "text", ["Grüße", "Grüße aus München " * 9, "\U0001f600", "=?utf-8?b?eA==?=", "x" * 2000]
)
def test_what_a_server_may_not_carry_is_encoded(text: str) -> None:
    made = letter(subject=text, body=f"{text}\n.{text}\n", headers={"X-Note": text})
    assert made.data.isascii() and not made.international
    assert max(map(len, made.text.split("\n"))) <= 998
    got = message_from_bytes(made.data, policy=default)
    assert got["Subject"] == text.strip() and got["X-Note"] == text.strip()
    assert got.get_content().replace("\r\n", "\n").rstrip("\n") == f"{text}\n.{text}"


def test_headers_take_the_place_of_those_that_are_made() -> None:
    got = read(headers={
        "From": '"Jörg, M." <j@example.net>, Ops <o@example.net>',
        "To": "everybody@example.net", "Reply-To": "r@example.net",
        "date": "Thu, 1 Jan 2026 00:00:00 +0000", "Message-Id": "<own@example.net>", "Auto-Submitted": "no",
    })  # fmt: skip
    assert [str(each) for each in got["From"].addresses] == [
        '"Jörg, M." <j@example.net>',
        "Ops <o@example.net>",
    ]
    for name in ("From", "To", "Date", "Message-ID", "Auto-Submitted"):
        assert len(got.get_all(name)) == 1
    assert letter(headers={"Message-Id": "<own@example.net>"}).message_id == "own@example.net"


def test_many_recipients_are_folded_and_each_is_there_once() -> None:
    to = [f"somebody-{number}@far.example" for number in range(100)]
    made = letter(to=[*to, *to])
    assert made.recipients == tuple(to) and max(map(len, made.text.split("\n"))) <= 998
    assert [each.addr_spec for each in read(to=to)["To"].addresses] == to


def test_without_a_sender_there_is_no_from_and_postfix_adds_it() -> None:
    assert read(sender=None)["From"] is None and letter(sender=None).sender is None
    assert read(sender="")["From"] is None and letter(sender="").sender == ""


@pytest.mark.parametrize(
    "options",
    [
        {"to": ["ü@far.example"]},
        {"sender": "ü@example.net"},
        {"to": ["a@bücher.example"]},
        {"headers": {"Cc": "ü@far.example"}},
    ],
)
def test_an_address_that_is_not_ascii_needs_smtputf8(options: dict[str, Any]) -> None:
    assert letter(**options).international
    assert not letter().international


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"subject": "x\r\nBcc: victim@far.example"}, "subject: it has a line end"),
        ({"subject": "x\nBcc: victim@far.example"}, "subject: it has a line end"),
        ({"subject": "x\rBcc: victim@far.example"}, "subject: it has a line end"),
        ({"subject": "x\u2028y"}, "subject: it has a line end"),
        ({"subject": "x\0"}, "subject: it has a line end or another control"),
        ({"headers": {"X-A": "x\n\nbody"}}, "headers: 'X-A': it has a line end"),
        ({"headers": {"X-A: y\r\nBcc": "x"}}, "is not the name of a header"),
        ({"headers": {"": "x"}}, "is not the name of a header"),
        ({"headers": {"Bcc": "v@far.example"}}, "headers: 'Bcc' cannot be given; use the option to"),
        ({"headers": {"subject": "x"}}, "use the option subject"),
        ({"headers": {"Content-Type": "text/html"}}, "leave it out"),
        ({"headers": {"X-A": ["x"]}}, "it is no text"),
        ({"headers": {"X-A": " "}}, "it is empty"),
        ({"headers": {"Message-ID": "none"}}, "write <something@example.com>"),
        ({"to": []}, "to: it is empty"),
        ({"to": ["a@b.example>\r\nDATA"]}, "to: "),
        ({"to": ["a@b.example\n"]}, "to: "),
        ({"to": ["a@b.example SIZE=1"]}, "to: "),
        ({"to": ["A <a@b.example>"]}, "without a display name"),
        ({"to": ["-oQ/tmp"]}, "is not a mail address"),
        ({"to": ["x" * 250 + "@b.example"]}, "more than 254 bytes"),
        ({"sender": "a@b.example>"}, "from: "),
        ({"body": "a\0b"}, "body: it has a NUL"),
        ({"subject": "\udce4"}, "subject: it is not UTF-8"),
        ({"body": "\udce4"}, "body: it is not UTF-8"),
    ],
)
def test_what_could_begin_something_else_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(LetterError) as error:
        letter(**options)
    assert words in str(error.value)
