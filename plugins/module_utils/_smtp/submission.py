"""A connection that hands over a message, where the probe's own would take its envelope back.

Up to the envelope it is session.py's, with all its verdicts. What the server then says of the message is ``answer``,
and no verdict of the endpoint: one that takes the envelope and refuses the text is a good endpoint for another text.

Rules of this file: those of session.py; and once the end of the text has been sent, nothing may bring the caller to
try again: whoever loses the answer does not know whether the server has the message.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any, NamedTuple, Sequence

from .reply import Reply
from .session import Session, SessionOutcome, State


class Parcel(NamedTuple):
    """An envelope with its message, whose lines end in CRLF, the last one too."""

    sender: str
    recipients: Sequence[str]
    data: bytes

    @property
    def international(self) -> bool:
        """Whether it needs SMTPUTF8 (RFC 6531)."""
        return not ("".join((self.sender, *self.recipients)).isascii() and self.data.isascii())


class Answer(NamedTuple):
    """The server's words about a recipient or about the message, as they may be shown."""

    code: int
    words: str

    @property
    def accepted(self) -> bool:
        return self.code // 100 == 2


class Submission(Session):
    """``parcel`` is handed over to whoever takes one recipient of it at least."""

    def __init__(self, parcel: Parcel, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.settings = self.settings._replace(mail_from=parcel.sender, rcpt_to=parcel.recipients[0])
        self.recipients: dict[str, Answer] = {}
        self.answer: Answer | None = None
        """What the server says when it has the message, or refuses it; None where the conversation ended before."""
        self.given = False
        """Whether the end of the text was sent."""
        self._parcel = parcel
        self._waiting = list(parcel.recipients)
        self._refusals: list[tuple[str, Reply]] = []

    def shown(self, text: str) -> str:
        """What others say of this message, as it may be shown."""
        return self._shown(text.encode("utf-8", "surrogateescape"))

    def _settle(self, *arguments: Any, **more: Any) -> None:
        super()._settle(*arguments, **more)
        outcome: SessionOutcome | None = self.outcome
        if self.given and outcome is not None:
            self.outcome = outcome._replace(temporary=False, last=True)

    def _envelope(self) -> None:
        parcel = self._parcel
        self._go(State.ENVELOPE)
        command = b"MAIL FROM:<%s>" % parcel.sender.encode("utf-8")
        if parcel.international:
            if not self._offers("SMTPUTF8"):
                self._settle(
                    "sender_rejected",
                    "The addresses are not ASCII, and the server does not offer SMTPUTF8",
                    advice="Give addresses in ASCII (a domain in its form with xn--), or use a server with SMTPUTF8.",
                )
                self._quit()
                return
            command += b" BODY=8BITMIME SMTPUTF8"
        if self._offers("SIZE"):
            command += b" SIZE=%d" % len(parcel.data)
        self._send(State.ENVELOPE, command, self._on_sender)

    def _on_sender(self, reply: Reply) -> None:
        if reply.severity == 2:
            self._ask_recipient()
        else:
            self._refuse("sender", reply)
            self._quit()

    def _ask_recipient(self) -> None:
        command = b"RCPT TO:<%s>" % self._waiting[0].encode("utf-8")
        self._send(State.ENVELOPE, command, self._on_recipient)

    def _on_recipient(self, reply: Reply) -> None:
        recipient = self._waiting.pop(0)
        self.recipients[recipient] = Answer(reply.code, self._words(reply))
        if reply.severity != 2:
            self._refusals.append((recipient, reply))
        if self._waiting and reply.code != 421:
            self._ask_recipient()
        elif any(answer.accepted for answer in self.recipients.values()):
            self._passed("envelope")
            self._send(State.MESSAGE, b"DATA", self._on_data)
        else:
            first, refusal = self._refusals[0]
            self.settings = self.settings._replace(rcpt_to=first)
            self._refuse("recipient", refusal)
            self._reset()

    def _on_data(self, reply: Reply) -> None:
        if reply.severity == 3:
            self.given = True
            self._expect = self._on_message
            self._write(re.sub(rb"(?m)^\.", b"..", self._parcel.data) + b".\r\n")
        elif reply.severity == 2:
            self._settle("protocol_error", f"The server answers DATA with {self._words(reply)}")
            self._close()
        else:
            self._on_message(reply)

    def _on_message(self, reply: Reply) -> None:
        self.answer = Answer(reply.code, self._words(reply))
        self._succeed()
        self._quit()
