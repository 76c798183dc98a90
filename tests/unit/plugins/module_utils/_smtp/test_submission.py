"""A message is handed over once, whole, and to those who are taken; and no answer that is lost brings it twice."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Callable, NamedTuple

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import (
    Credentials,
    Endpoint,
    Options,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.net.probe import probe
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.session import Settings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.submission import Parcel, Submission
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._smtp.servers import (
    CA,
    NAME,
    NOW,
    PASSWORD,
    POLICY,
    USERNAME,
    CutAt,
    Listener,
    MailServer,
    single_bytes,
    smtp,
    talk,
    whole,
)

GO_ON = b"354 go on\r\n"
PARCEL = Parcel("ops@example.net", ("a@far.example",), b"Subject: x\r\n\r\n.\r\n..two\r\nend\r\n")
TWO = PARCEL._replace(recipients=("a@far.example", "b@far.example"))


def submission(parcel: Parcel = PARCEL, tls: str = "none", password: str | None = None) -> Submission:
    credentials = Credentials(USERNAME, password) if password is not None else None
    endpoint = Endpoint(NAME, 587, tls, None, credentials)
    return Submission(parcel, endpoint, Settings("client.example.test", NOW), POLICY.context)


def server(ehlo: tuple[bytes, ...] = (b"8BITMIME",), **replies: bytes) -> MailServer:
    named = {name.replace("END", "."): reply for name, reply in replies.items()}
    return MailServer(ehlo=ehlo, ehlo_tls=(*ehlo, b"AUTH PLAIN"), replies={"DATA": GO_ON, **named})


@pytest.mark.parametrize("cut", [whole, single_bytes])
def test_it_is_handed_over(cut: Callable[[bytes], list[bytes]]) -> None:
    far, client = server(), submission()
    talk(client, far, cut)
    assert far.commands == [
        "EHLO client.example.test", "MAIL FROM:<ops@example.net>", "RCPT TO:<a@far.example>", "DATA", "QUIT",
    ]  # fmt: skip
    assert far.message == ["Subject: x", "", "..", "...two", "end", "."]
    assert client.outcome is not None and client.outcome.verdict == "ok"
    assert client.answer == (250, "250 2.0.0 Ok: queued as FAR0001") and client.given


def test_under_tls_after_a_login() -> None:
    far = MailServer(replies={"DATA": GO_ON}, ehlo=(b"STARTTLS",), ehlo_tls=(b"AUTH PLAIN", b"SIZE 1000"))
    client = submission(tls="starttls", password=PASSWORD)
    talk(client, far)
    assert client.auth_mechanism == "PLAIN" and client.answer is not None and client.answer.accepted
    assert f"MAIL FROM:<ops@example.net> SIZE={len(PARCEL.data)}" in far.commands
    assert b"Subject" not in far.clear and b"AUTH" not in far.clear


def test_nothing_is_handed_to_who_cannot_be_verified() -> None:
    far = MailServer(replies={"DATA": GO_ON}, certificate="stranger")
    client = submission(tls="starttls")
    talk(client, far)
    assert client.outcome is not None and client.outcome.verdict.startswith("certificate_")
    assert far.message is None and not client.given


class Case(NamedTuple):
    replies: dict[str, bytes]
    verdict: str
    answer: int | None = None
    given: bool = False
    parcel: Parcel = PARCEL
    says: str = ""
    ehlo: tuple[bytes, ...] = (b"8BITMIME",)


INTERNATIONAL = PARCEL._replace(recipients=("ü@far.example",))
CASES = {
    "sender refused": Case({"MAIL": b"550 5.7.1 no\r\n"}, "sender_rejected", says="<ops@example.net>"),
    "sender deferred": Case({"MAIL": b"451 4.7.1 no\r\n"}, "sender_deferred"),
    "recipient refused": Case(
        {"RCPT": b"550 5.1.1 nobody\r\n"}, "recipient_rejected", says="<a@far.example>"
    ),
    "all recipients refused": Case(
        {"RCPT": b"550 5.1.1 nobody\r\n"}, "recipient_rejected", parcel=TWO, says="<a@far"
    ),
    "shut down at RCPT": Case({"RCPT": b"421 4.3.2 bye\r\n"}, "recipient_deferred", parcel=TWO),
    "DATA refused": Case({"DATA": b"554 5.5.1 no\r\n"}, "ok", 554),
    "DATA misunderstood": Case({"DATA": b"250 fine\r\n"}, "protocol_error"),
    "message refused": Case({"END": b"554 5.7.1 spam\r\n"}, "ok", 554, True),
    "message deferred": Case({"END": b"451 4.3.0 later\r\n"}, "ok", 451, True),
    "no answer to the message": Case({"END": b""}, "stalled", None, True, says="answer to the message"),
    "nonsense in answer to the message": Case({"END": b"what?\r\n"}, "protocol_error", None, True),
    "SMTPUTF8 is not offered": Case(
        {}, "sender_rejected", parcel=INTERNATIONAL, says="does not offer SMTPUTF8"
    ),
    "SMTPUTF8": Case({}, "ok", 250, True, INTERNATIONAL, ehlo=(b"8BITMIME", b"SMTPUTF8")),
}


@pytest.mark.parametrize("name", CASES)
def test_what_the_server_says_of_it(name: str) -> None:
    case = CASES[name]
    far, client = server(case.ehlo, **case.replies), submission(case.parcel)
    sent = talk(client, far)
    outcome = client.outcome
    assert outcome is not None and (outcome.verdict, client.given) == (case.verdict, case.given), outcome
    assert (client.answer.code if client.answer else None) == case.answer
    assert case.says in outcome.reason
    # Who may have it is not given it again, by whatever the probe does after a verdict.
    assert outcome.last is case.given and not (case.given and outcome.temporary)
    for position in range(1, sent, 7):
        other = submission(case.parcel)
        talk(other, server(case.ehlo, **case.replies), CutAt(position))
        assert other.outcome is not None and other.outcome.verdict == outcome.verdict
        assert (other.answer, other.recipients) == (client.answer, client.recipients)


def test_smtputf8_is_asked_for_where_it_is_needed() -> None:
    far = server((b"8BITMIME", b"SMTPUTF8"))
    talk(submission(INTERNATIONAL), far)
    assert far.commands[1:3] == [
        "MAIL FROM:<ops@example.net> BODY=8BITMIME SMTPUTF8",
        "RCPT TO:<ü@far.example>",
    ]


class OneOfTwo(MailServer):
    """Takes the second recipient alone."""

    def _answer(self, line: str) -> None:
        if line.startswith("RCPT TO:<a@"):
            self.commands.append(line)
            self._say(b"550 5.1.1 nobody\r\n")
        else:
            super()._answer(line)


def test_those_who_are_taken_get_it() -> None:
    far, client = OneOfTwo(replies={"DATA": GO_ON}), submission(TWO)
    talk(client, far)
    assert {address: said.code for address, said in client.recipients.items()} == {
        "a@far.example": 550, "b@far.example": 250,
    }  # fmt: skip
    assert client.answer is not None and client.answer.accepted


def handed(*servers: Any, **options: Any) -> tuple[Any, list[Submission]]:
    made: list[Submission] = []

    def make(*arguments: Any, **more: Any) -> Submission:
        made.append(Submission(PARCEL, *arguments, **more))
        return made[-1]

    with Listener(*servers) as far:
        endpoint = Endpoint("127.0.0.1", far.port, options.pop("tls", "none"), NAME)
        (result,) = probe([endpoint], Options(ca_path=CA, timeout=4, **options), make)
        result.attempts_seen = far.connections
    return result, made


def test_the_probe_tries_again_before_the_message_and_never_after_it() -> None:
    busy = smtp(replies={"RCPT": b"451 4.7.1 later\r\n"})
    result, made = handed(busy, smtp(replies={"DATA": GO_ON}))
    assert result.usable and len(made) == 2 and made[1].answer is not None and result.attempts_seen == 2
    for end in (b"451 4.3.0 later\r\n", b"421 4.3.0 later\r\n", b""):
        result, made = handed(smtp(replies={"DATA": GO_ON, ".": end}))
        assert len(made) == 1 and made[0].given and result.attempts_seen == 1, end


def test_opportunistic_tls_that_fails_is_left_out_with_the_message() -> None:
    no_tls = smtp(replies={"STARTTLS": b"220 go\r\nnonsense\r\n", "DATA": GO_ON})
    result, made = handed(no_tls, smtp(ehlo=(b"SIZE 1000",), replies={"DATA": GO_ON}), tls="opportunistic")
    assert result.usable or not made[-1].given
    result, made = handed(smtp(certificate="expired", replies={"DATA": GO_ON}), tls="opportunistic")
    assert result.usable and made[-1].answer is not None and made[-1].tls_version
