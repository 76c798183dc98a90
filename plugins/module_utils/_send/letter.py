"""The message that is sent: header, body and envelope, put together from what the user gave.

Rules of this file: text in, text out; the moment and the words that nobody can guess are given. A value that could
begin a header or a command of its own is refused, and never mended. What is not ASCII is encoded, so that any server
can carry the message; addresses alone cannot be, and make it one that needs SMTPUTF8 (RFC 6531).
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from email.charset import QP, Charset
from email.header import Header
from email.message import Message
from email.utils import formatdate
from typing import Any, Mapping, NamedTuple, Sequence

# A header's name (RFC 5322 section 2.2).
_NAME = re.compile(r"[!-9;-~]{1,76}\Z")
# What this file writes itself, or what says how the text is to be read.
_OWN = {
    "subject": "subject",
    "mime-version": "",
    "content-type": "",
    "content-transfer-encoding": "",
    "bcc": "to",
    "resent-to": "to",
    "resent-cc": "to",
    "resent-bcc": "to",
    "return-path": "from",
}
_ADDRESS_HEADERS = ("from", "to", "cc", "sender", "reply-to")
# RFC 5322 section 2.1.1 and RFC 5321 section 4.5.3.1.
_LONGEST_LINE = 998
_LONGEST_ADDRESS = 254
# Of characters other than of a display name and of angle brackets; the rest is left to the servers.
_ADDRESS = re.compile(r"[^\s<>,;]+\Z")


class LetterError(ValueError):
    """A value of the user's cannot stand in a message; the text is for the user."""


class Letter(NamedTuple):
    """A message with its envelope. Without a sender, Postfix takes the user who submits it."""

    sender: str | None
    recipients: tuple[str, ...]
    message_id: str
    text: str
    """The whole message, lines ending in LF; not ASCII only where an address is not."""

    @property
    def international(self) -> bool:
        return not "".join((self.sender or "", *self.recipients, self.text)).isascii()

    @property
    def data(self) -> bytes:
        """As it goes over the network, lines ending in CRLF."""
        return self.text.replace("\n", "\r\n").encode("utf-8")


def compose(
    to: Sequence[str],
    sender: str | None,
    subject: str,
    body: str,
    headers: Mapping[str, Any],
    message_id: str,
    now: float,
) -> Letter:
    """The letter; ``message_id`` stands without its brackets, ``now`` is in seconds since the epoch.

    Raises LetterError.
    """
    recipients = tuple(dict.fromkeys(check_address(each, "to") for each in to))
    if not recipients:
        raise LetterError("to: it is empty; give at least one address")
    if sender:
        check_address(sender, "from")
    given = {name: _header(name, value) for name, value in headers.items()}
    known = {name.lower() for name in given}
    fields: list[tuple[str, str]] = []
    if "from" not in known and sender:
        fields.append(("From", sender))
    if "to" not in known:
        fields.append(("To", ", ".join(recipients)))
    fields.append(("Subject", one_line(subject, "subject")))
    if "date" not in known:
        fields.append(("Date", formatdate(now)))
    if "message-id" in known:
        message_id = _own_message_id(
            next(text for name, text in given.items() if name.lower() == "message-id")
        )
    else:
        fields.append(("Message-ID", f"<{message_id}>"))
    # RFC 3834: nobody's absence is to answer it.
    if "auto-submitted" not in known:
        fields.append(("Auto-Submitted", "auto-generated"))
    lines = [_written(name, text) for name, text in (*fields, *given.items())]
    lines += ["MIME-Version: 1.0", *_encoded(body)]
    return Letter(sender, recipients, message_id, "\n".join(lines) + "\n")


def check_address(value: Any, where: str) -> str:
    """An address of the envelope. Raises LetterError."""
    address = str(value).strip(" ")
    hint = "give it as user@example.com, without a display name"
    if not address or not address.isprintable() or not _ADDRESS.match(address):
        raise LetterError(f"{where}: {str(value)!r} is not a mail address; {hint}")
    if address.startswith(("-", "@")) or address.endswith("@"):
        raise LetterError(f"{where}: {address!r} is not a mail address; {hint}")
    if len(address.encode("utf-8")) > _LONGEST_ADDRESS:
        raise LetterError(
            f"{where}: it has more than {_LONGEST_ADDRESS} bytes, which no server takes; {hint}"
        )
    return address


def one_line(value: Any, where: str) -> str:
    """Text of a header. Raises LetterError."""
    text = str(value)
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f\u2028\u2029\x85]", text):
        raise LetterError(f"{where}: it has a line end or another control character; write it on one line")
    _check_utf8(text, where)
    return text.strip()


def _check_utf8(text: str, where: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise LetterError(f"{where}: it is not UTF-8; write it in UTF-8") from None


def _header(name: Any, value: Any) -> str:
    where = f"headers: {str(name)!r}"
    if not isinstance(name, str) or not _NAME.match(name):
        raise LetterError(f"{where} is not the name of a header; write letters, digits and hyphens")
    option = _OWN.get(name.lower())
    if option is not None:
        remedy = (
            f"use the option {option}"
            if option
            else "leave it out: the message says itself how it is encoded"
        )
        raise LetterError(f"{where} cannot be given; {remedy}")
    if isinstance(value, (Mapping, list, tuple)) or value is None:
        raise LetterError(f"{where}: it is no text; write its value in quotes")
    text = one_line(value, where)
    if not text:
        raise LetterError(f"{where}: it is empty; give it, or leave it out")
    return text


def _own_message_id(text: str) -> str:
    found = re.match(r"<([!-;=?-~]+@[!-;=?-~]+)>\Z", text)
    if not found:
        raise LetterError(
            f"headers: 'Message-ID': {text!r} is none; write <something@example.com>, or leave it out"
        )
    return found[1]


def _written(name: str, text: str) -> str:
    """A header, folded, and encoded (RFC 2047) where it is not ASCII; addresses stay as they are (RFC 6532)."""
    if name.lower() in _ADDRESS_HEADERS:
        return f"{name}: " + ",\n ".join(map(_mailbox, _split(text)))
    if text.isascii() and len(name) + 2 + len(text) <= _LONGEST_LINE and "=?" not in text:
        return f"{name}: {text}"
    return f"{name}: {Header(text, 'utf-8', header_name=name).encode()}"


def _split(text: str) -> list[str]:
    """The mailboxes of a header: at commas that are not within quotes."""
    return [each.strip() for each in re.findall(r'(?:"(?:\\.|[^"\\])*"|[^,"])+', text)]


def _mailbox(text: str) -> str:
    """A display name in front of an address, encoded where it is not ASCII."""
    display, bracket, address = text.rpartition("<")
    if not bracket or display.isascii():
        return text
    return f"{Header(display.strip().strip(chr(34)), 'utf-8').encode()} <{address}"


def _encoded(body: str) -> list[str]:
    """The headers of the body, an empty line and the body, in quoted-printable where it cannot stay as it is."""
    text = body.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    if "\0" in text:
        raise LetterError("body: it has a NUL character, which cannot be sent to a mail server; remove it")
    _check_utf8(text, "body")
    if text.isascii() and all(len(line) <= _LONGEST_LINE for line in text.split("\n")):
        return ["Content-Type: text/plain; charset=us-ascii", "Content-Transfer-Encoding: 7bit", "", text]
    charset = Charset("utf-8")
    charset.body_encoding = QP
    message = Message()
    message.set_payload(text, charset)
    coded = ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", ""]
    return [*coded, *str(message.get_payload()).splitlines()]
