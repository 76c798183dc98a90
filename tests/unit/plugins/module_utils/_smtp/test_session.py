"""Whole dialogues without a socket, TLS included.

The verdict is right, the same wherever the stream is cut, and no password leaves where it must not.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import ssl
from typing import Any, Callable, NamedTuple

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp import session as session_module
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import Credentials, Endpoint
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.session import (
    MAX_RECEIVED,
    ChainCheck,
    PipeliningCheck,
    Session,
    Settings,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import SHOWS_CHAIN
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls_pipe import TlsHello
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import STAGES, VERDICTS
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._smtp.servers import (
    NAME,
    NOW,
    PASSWORD,
    POLICY,
    USERNAME,
    CutAt,
    MailServer,
    server_context,
    session,
    single_bytes,
    talk,
    whole,
)
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st


class Case(NamedTuple):
    verdict: str
    server: dict[str, Any]
    client: dict[str, Any] = {}  # noqa: RUF012 - of a NamedTuple, and never changed
    stage: str = ""
    says: str = ""


AUTH = b"AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2"
LOGIN = {"password": PASSWORD}
ENVELOPE = {"mail_from": "a@example.test", "rcpt_to": "b@example.test"}
OPPORTUNISTIC = {"tls": "opportunistic", "port": 25}
PLAIN = {"tls": "none"}
IMPLICIT = {"tls": "implicit", "port": 465}
SECRET = base64.b64encode(f"\0{USERNAME}\0{PASSWORD}".encode())

CASES = {
    "starttls": Case("ok", {}, stage="certificate"),
    "starttls of TLS 1.2": Case("ok", {"newest": ssl.TLSVersion.TLSv1_2}, says="TLSv1.2"),
    "implicit": Case("ok", {"implicit": True}, IMPLICIT, stage="certificate"),
    "opportunistic with TLS": Case("ok", {}, OPPORTUNISTIC, says="TLSv1.3"),
    "opportunistic without TLS": Case("ok", {"ehlo": (b"SIZE",)}, OPPORTUNISTIC, "ehlo", "without encryption"),
    "opportunistic, TLS refused": Case("ok", {"replies": {"STARTTLS": b"454 no\r\n"}}, OPPORTUNISTIC, says="454 no"),
    "opportunistic, 421": Case("starttls_rejected", {"replies": {"STARTTLS": b"421 bye\r\n"}}, OPPORTUNISTIC),
    "opportunistic, stripped": Case("ok", {"ehlo": (b"XXXXXXXA",)}, OPPORTUNISTIC, says="XXXXXXXA"),
    "plain": Case("ok", {}, PLAIN, "ehlo"),
    "only HELO": Case("ok", {"replies": {"EHLO": b"502 no\r\n"}}, PLAIN, says="HELO"),
    "only HELO, implicit": Case("ok", {"implicit": True, "replies": {"EHLO": b"502 no\r\n"}}, IMPLICIT),
    "only HELO, TLS needed": Case("ehlo_rejected", {"replies": {"EHLO": b"502 no\r\n"}}, says="502 no"),
    "neither EHLO nor HELO": Case("ehlo_rejected", {"replies": {"EHLO": b"550 no\r\n", "HELO": b"550 no\r\n"}}, PLAIN),
    "EHLO 421": Case("ehlo_deferred", {"replies": {"EHLO": b"421 no\r\n"}}, PLAIN),
    "lower case": Case("ok", {"ehlo": (b"size 5", b"starttls")}),
    "a tab": Case("starttls_stripped", {"ehlo": (b"STARTTLS\t",)}, says="STARTTLS\\T"),
    "empty first line": Case(
        "starttls_absent",
        {"replies": {"EHLO": b"250-\r\n250-STARTTLS\r\n250 SIZE\r\n", "STARTTLS": b"502 no\r\n"}},
        says="SIZE",
    ),
    "equals signs": Case("ok", {"ehlo": (b"SIZE=5", b"STARTTLS=1")}),
    "greeting of several lines": Case("ok", {"greeting": b"220-a\r\n220-b\r\n220 c\r\n"}),
    "greeting 5xx": Case("greeting_rejected", {"greeting": b"554 5.7.1 listed\r\n"}, says="554 5.7.1 listed"),
    "greeting 4xx": Case("greeting_deferred", {"greeting": b"421 busy\r\n"}, says="421 busy"),
    "greeting 200": Case("not_smtp", {"greeting": b"200 news\r\n", "replies": {"EHLO": b"500 what?\r\n"}}),
    "greeting 250": Case("ok", {"greeting": b"250 mail\r\n"}),
    "greeting 354": Case("not_smtp", {"greeting": b"354 go on\r\n"}),
    "greeting of SSH": Case("not_smtp", {"greeting": b"SSH-2.0-OpenSSH\r\n"}, says="SSH-2.0"),
    "greeting of FTP": Case("not_smtp", {"greeting": b"220 FTP\r\n", "replies": {"EHLO": b"530 USER?\r\n"}}),
    "greeting of TLS": Case("tls_mode_mismatch", {"greeting": b"\x15\x03\x01\x00\x02\x02\x46"}),
    "greeting of a byte like TLS": Case("not_smtp", {"greeting": b"\x16garbage\r\n"}, says="garbage"),
    "clear to implicit": Case("tls_mode_mismatch", {}, IMPLICIT, says="220 mail"),
    "no version of TLS": Case("tls_failed", {"greeting": b"\x16\x23\3\0\x7a\2\0\0\x76\3\0" + b"x" * 130}, IMPLICIT),
    "SSH to implicit": Case("not_smtp", {"greeting": b"SSH-2.0-OpenSSH\r\n"}, IMPLICIT),
    "not offered": Case("starttls_absent", {"ehlo": (b"SIZE",), "replies": {"STARTTLS": b"502 no\r\n"}}, says="SIZE"),
    "line removed": Case("starttls_stripped", {"ehlo": (b"SIZE",)}),
    "overwritten": Case("starttls_stripped", {"ehlo": (b"SIZE", b"XXXXXXXA")}, says="XXXXXXXA"),
    "overwritten with asterisks": Case("starttls_stripped", {"ehlo": (b"SIZE", b"********")}),
    "overwritten in part": Case("starttls_stripped", {"ehlo": (b"SIZE", b"XXARTTLS")}),
    "masked greeting": Case(
        "starttls_stripped", {"greeting": b"220 ************\r\n", "replies": {"EHLO": b"500 X\r\n"}}
    ),
    "masked greeting, STARTTLS passes": Case("starttls_stripped", {"greeting": b"220 ***2**0***\r\n"}, says="HELO"),
    "bare greeting": Case("starttls_absent", {"greeting": b"220\r\n"}, says="HELO"),
    "bare greeting, opportunistic": Case("ok", {"greeting": b"220 \r\n"}, OPPORTUNISTIC, "ehlo", "HELO"),
    "bare greeting, implicit and a login": Case(
        "auth_absent", {"greeting": b"220\r\n", "implicit": True}, {**IMPLICIT, **LOGIN}, says="HELO"
    ),
    "bare greeting, implicit": Case("ok", {"greeting": b"220\r\n", "implicit": True}, IMPLICIT),
    "unknown command": Case("starttls_stripped", {"replies": {"STARTTLS": b"502 5.5.1 what?\r\n"}}, says="502 5.5.1"),
    "refused": Case("starttls_rejected", {"replies": {"STARTTLS": b"454 4.7.0 no\r\n"}}, says="454 4.7.0"),
    "injection": Case("starttls_injection", {"replies": {"STARTTLS": b"220 go\r\n250 evil\r\n"}}, says="250 evil"),
    "in clear with the 220": Case("tls_failed", {"replies": {"STARTTLS": b"220 go\r\n500 what?\r\n"}}, says="500"),
    "TLS with the 220": Case("tls_failed", {"replies": {"STARTTLS": b"220 go\r\n\x15\x03\x01\0\2\2\x28250 x\r\n"}}),
    "in clear after 220": Case("tls_failed", {"replies": {"STARTTLS": b"220 go\r\n", "": b"500 what?\r\n"}}),
    "TLS 1.1": Case("tls_too_old", {"newest": ssl.TLSVersion.TLSv1_1}, says="TLS 1.2 or newer"),
    "wrong name": Case("certificate_mismatch", {"certificate": "other_name"}, says="other.example.test"),
    "wrong name, opportunistic": Case("ok", {"certificate": "other_name"}, OPPORTUNISTIC, says="not verified"),
    "wrong name, not validated": Case(
        "ok", {"certificate": "other_name"}, {"validate_certs": False}, says="not verified"
    ),
    "wrong name, implicit": Case("certificate_mismatch", {"certificate": "other_name", "implicit": True}, IMPLICIT),
    "expiring": Case("certificate_expiring", {}, {"min_days": 9999999}, says="days left"),
    "auth": Case("ok", {"ehlo_tls": (AUTH,)}, LOGIN, "auth", "AUTH PLAIN accepted"),
    "auth, old style": Case("ok", {"ehlo_tls": (b"AUTH=LOGIN",)}, LOGIN, says="AUTH LOGIN accepted"),
    "auth plain": Case("ok", {}, {**LOGIN, "mechanism": "plain"}, says="AUTH PLAIN accepted"),
    "auth xoauth2": Case("ok", {"ehlo_tls": (AUTH,)}, {**LOGIN, "mechanism": "xoauth2"}),
    "auth xoauth2 refused": Case(
        "auth_rejected", {"ehlo_tls": (AUTH,)}, {"password": "x", "mechanism": "xoauth2"}, says="401"
    ),
    "auth xoauth2 without a token": Case(
        "ok",
        {"ehlo_tls": (AUTH,), "replies": {"MAIL": b"530 log in\r\n"}},
        {"password": "", "mechanism": "xoauth2", **ENVELOPE},
        "auth",
        "the login was not tried without a token",
    ),
    "auth xoauth2 without a token, not offered": Case(
        "auth_unsupported", {}, {"password": "", "mechanism": "xoauth2"}, says="(it offers PLAIN, LOGIN)"
    ),
    "auth refused": Case("auth_rejected", {}, {"password": "wrong"}, says="535 5.7.8 go away"),
    "auth deferred": Case("auth_deferred", {"replies": {"AUTH": b"454 later\r\n"}}, LOGIN),
    "auth unknown": Case("auth_unsupported", {"replies": {"AUTH": b"504 what?\r\n"}}, LOGIN),
    "auth absent": Case("auth_absent", {"ehlo_tls": (b"SIZE",)}, LOGIN, says="SIZE), so Postfix would send without"),
    "auth absent, envelope": Case("auth_absent", {"ehlo_tls": (b"SIZE",)}, {**LOGIN, **ENVELOPE}, says="without the"),
    "no login, envelope": Case("ok", {"ehlo_tls": (b"SIZE",)}, ENVELOPE, "envelope", "envelope accepted"),
    "auth unsupported": Case("auth_unsupported", {"ehlo_tls": (b"AUTH GSSAPI",)}, LOGIN, says="GSSAPI"),
    "auth not offered": Case("auth_unsupported", {}, {**LOGIN, "mechanism": "cram-md5"}, says="PLAIN, LOGIN"),
    "auth, only tokens": Case("auth_unsupported", {"ehlo_tls": (b"AUTH XOAUTH2",)}, LOGIN, says="access token"),
    "auth, no end": Case("protocol_error", {"replies": {"AUTH": b"334 \r\n334 \r\n334 \r\n"}}, LOGIN, "auth"),
    "auth, any 3xx asks": Case("protocol_error", {"replies": {"AUTH": b"350 \r\n"}}, LOGIN, "auth"),
    "auth, no base64": Case(
        "protocol_error", {"ehlo_tls": (b"AUTH CRAM-MD5",), "replies": {"AUTH": b"334 *\r\n"}}, LOGIN, "auth"
    ),
    "auth in clear": Case("auth_unsupported", {"ehlo": (AUTH,)}, {**LOGIN, **PLAIN}, says="No password is sent"),
    "auth, opportunistic without TLS": Case(
        "starttls_absent", {"ehlo": (AUTH,), "replies": {"STARTTLS": b"500 no\r\n"}}, {**LOGIN, **OPPORTUNISTIC}
    ),
    "auth, opportunistic wrong name": Case(
        "certificate_mismatch", {"certificate": "other_name"}, {**LOGIN, **OPPORTUNISTIC}
    ),
    "envelope": Case("ok", {}, ENVELOPE, "envelope", "envelope accepted"),
    "envelope, sender alone": Case("ok", {}, {"mail_from": ""}, "envelope"),
    "envelope, RSET refused": Case("ok", {"replies": {"RSET": b"500 no\r\n"}}, ENVELOPE),
    "sender refused": Case("sender_rejected", {"replies": {"MAIL": b"550 no\r\n"}}, ENVELOPE, says="550 no"),
    "recipient refused": Case("recipient_rejected", {"replies": {"RCPT": b"550 no\r\n"}}, ENVELOPE, says="550 no"),
    "recipient deferred": Case("recipient_deferred", {"replies": {"RCPT": b"450 wait\r\n"}}, ENVELOPE, says="450 wait"),
    "EHLO 451": Case("ehlo_deferred", {"replies": {"EHLO": b"451 4.7.1 later\r\n"}}, says="451 4.7.1"),
    "sender 421": Case("sender_deferred", {"replies": {"MAIL": b"421 4.7.0 bye\r\n"}}, ENVELOPE, says="421 4.7.0"),
    "sender 530": Case(
        "auth_rejected", {"replies": {"MAIL": b"530 5.7.0 x\r\n"}}, ENVELOPE, "envelope", "demands a login",
    ),
    "recipient 504": Case(
        "ehlo_rejected", {"replies": {"RCPT": b"504 5.5.2 Helo command rejected: need fully-qualified hostname\r\n"}},
        ENVELOPE, "envelope", "the name given with EHLO, client.example.test (the name given with EHLO is not a full",
    ),
    "recipient of another's sender": Case(
        "sender_rejected", {"replies": {"RCPT": b"553 5.7.1 <a@b>: Sender address rejected: not owned by user u\r\n"}},
        ENVELOPE, says="refuses the sender <a@example.test> (the account may not send as this sender)",
    ),
    "recipient, a blocked client": Case(
        "greeting_rejected", {"replies": {"RCPT": b"554 5.7.1 Client host [x] blocked using zen.spamhaus.org\r\n"}},
        ENVELOPE, "envelope", "refuses this client (this host's address is on a block list",
    ),
    "greeting of a web server": Case("not_smtp", {"greeting": b"HTTP/1.1 400 Bad Request\r\n"}, says="A web server"),
    "a web server to implicit": Case("not_smtp", {"greeting": b"HTTP/1.1 400 Bad\r\n"}, IMPLICIT, says="A web server"),
    "greeting of a load balancer": Case(
        "greeting_rejected", {"greeting": b"501 Missing PROXY header\r\n"}, says="it waits for the PROXY line",
    ),
    "no SMTPUTF8": Case("sender_rejected", {}, {"mail_from": "ü@example.test"}, says="SMTPUTF8"),
    "SMTPUTF8": Case("ok", {"ehlo_tls": (b"SMTPUTF8",)}, {"mail_from": "ü@example.test"}),
    "garbage for EHLO": Case("protocol_error", {"replies": {"EHLO": b"250-a\r\nb\r\n"}}, stage="ehlo", says="b"),
    "garbage under TLS": Case("protocol_error", {"replies": {"tls EHLO": b"\x00\r\n"}}, stage="ehlo"),
    "silence": Case("no_greeting", {"greeting": b""}, says="5.0 s"),
    "silence to implicit": Case("no_greeting", {"greeting": b""}, IMPLICIT),
    "silence after the handshake": Case("no_greeting", {"greeting": b"", "implicit": True}, IMPLICIT),
    "half a greeting": Case("stalled", {"greeting": b"220-a"}, stage="greeting"),
    "silence after EHLO": Case("stalled", {"replies": {"EHLO": b""}}, stage="ehlo"),
    "silence after STARTTLS": Case("stalled", {"replies": {"STARTTLS": b"220 go\r\n"}}, stage="tls"),
    "silence after AUTH": Case("stalled", {"replies": {"AUTH": b""}}, LOGIN, "auth"),
    "silence after QUIT": Case("ok", {"replies": {"QUIT": b""}}),
}  # fmt: skip


def make(case: Case) -> tuple[Session, MailServer]:
    server = dict(case.server)
    if "" in server.get("replies", {}):
        # Whatever comes after the 220, the ClientHello, is answered in clear.
        server["replies"] = {**server["replies"], "STARTTLS": b"220 go\r\n"}
        return session(**case.client), ClearServer(**server)
    return session(**case.client), MailServer(**server)


class ClearServer(MailServer):
    def receive(self, data: bytes) -> bytes:
        return self._replies[""] if data[:1] == b"\x16" else super().receive(data)


def judge(client: Session, case: Case) -> None:
    outcome = client.outcome
    assert outcome is not None
    assert outcome.verdict == case.verdict, outcome
    assert outcome.stage == (case.stage or VERDICTS[case.verdict].stage or outcome.stage)
    assert outcome.stage in STAGES
    assert outcome.reason.endswith(".")
    assert outcome.reason.isprintable()
    assert client.closed


@pytest.mark.parametrize("name", CASES)
def test_verdict(name: str) -> None:
    case = CASES[name]
    client, server = make(case)
    talk(client, server)
    judge(client, case)
    assert client.outcome is not None
    assert case.says in client.outcome.reason


@pytest.mark.parametrize("name", CASES)
def test_verdict_from_single_bytes(name: str) -> None:
    case = CASES[name]
    client, server = make(case)
    talk(client, server, single_bytes)
    judge(client, case)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("implicit", 1),
        ("injection", 1),
        ("overwritten", 1),
        ("clear to implicit", 1),
        ("in clear after 220", 1),
        ("not offered", 1),
        ("auth refused", 7),  # a long dialogue, of which every part stands above
    ],
)
def test_verdict_cut_at_every_byte(name: str, step: int) -> None:
    """Every position of the stream once; the length of a TLS stream varies a little, hence the few more."""
    case = CASES[name]
    client, server = make(case)
    length = talk(client, server)
    for position in range(1, length + 10, step):
        client, server = make(case)
        talk(client, server, CutAt(position))
        judge(client, case)


@pytest.mark.parametrize("name", CASES)
def test_verdict_when_the_connection_ends_anywhere(name: str) -> None:
    """Wherever the server goes away, there is a verdict, and no password was lost on the way."""
    case = CASES[name]
    client, server = make(case)
    length = talk(client, server)
    for position in range(0, length, max(1, length // 12)):
        client, server = make(case)
        left = position

        def until_then(data: bytes, client: Session = client) -> list[bytes]:
            nonlocal left
            part, left = data[:left], left - len(data)
            if left < 0:
                client.receive(part) if part else None
                client.lost("connection reset by peer")
                return []
            return [data]

        talk(client, server, until_then)
        assert client.outcome is not None
        assert client.outcome.verdict in VERDICTS
        assert client.outcome.stage in STAGES


@pytest.mark.parametrize("name", CASES)
def test_no_password_in_clear_or_in_words(name: str) -> None:
    case = CASES[name]
    client, server = make(case)
    talk(client, server)
    secret = base64.b64encode(PASSWORD.encode())
    for form in (PASSWORD.encode(), secret, SECRET, USERNAME.encode(), base64.b64encode(USERNAME.encode())):
        assert form not in server.clear
    assert PASSWORD not in repr(client.outcome)


@pytest.mark.parametrize(
    "echo",
    [PASSWORD.encode(), base64.b64encode(PASSWORD.encode()), SECRET],
    ids=["plain", "base64", "initial response"],
)
@pytest.mark.parametrize("where", ["AUTH", "MAIL", "tls EHLO"])
def test_a_password_sent_back_is_not_shown(echo: bytes, where: str) -> None:
    replies = {where: b"550 " + b"x" * 290 + b" " + echo + b" is wrong\r\n"}
    client = session(password=PASSWORD, mail_from="")
    talk(client, MailServer(replies=replies))
    assert echo.decode() not in repr((client.outcome, client.capabilities, client.greeting))
    client = session(password=PASSWORD, mail_from="")
    talk(client, MailServer(replies={where: b"550 no " + echo + b"\r\n"}))
    assert client.outcome is not None
    assert "no ********" in client.outcome.reason


@pytest.mark.parametrize("end", [13, 20, len(SECRET.rstrip(b"="))])
def test_a_command_sent_back_in_part_is_not_shown(end: int) -> None:
    """Cut by the server, folded into several lines, without its padding."""
    pieces = (SECRET[:end], SECRET[end:])
    client = session(password=PASSWORD, mechanism="plain")
    talk(client, MailServer(replies={"AUTH": b"535-AUTH PLAIN %s...\r\n535 %s\r\n" % pieces}))
    assert client.outcome is not None
    assert client.outcome.verdict == "auth_rejected"
    assert "535 AUTH PLAIN ********..." in client.outcome.reason
    assert not [piece for piece in pieces if len(piece) >= 8 and piece.decode() in client.outcome.reason]


@pytest.mark.parametrize("password", ["STARTTLS-2027", "x8BITMIMEx", "PIPELINING PLAIN"])
def test_a_password_that_holds_a_word_of_smtp_changes_nothing(password: str) -> None:
    server = MailServer(ehlo_tls=(b"PIPELINING", b"8BITMIME", b"AUTH PLAIN"), replies={"AUTH": b"235 ok\r\n"})
    client = session(password=password)
    talk(client, server)
    assert client.outcome is not None
    assert client.outcome.verdict == "ok"
    assert client.capabilities == ["PIPELINING", "8BITMIME", "AUTH PLAIN"]


@pytest.mark.parametrize(("reply", "commands"), [
    ("MAIL", ["MAIL FROM:<a@example.test>", "QUIT"]),
    ("RCPT", ["MAIL FROM:<a@example.test>", "RCPT TO:<b@example.test>", "RSET", "QUIT"]),
    ("NOOP", ["MAIL FROM:<a@example.test>", "RCPT TO:<b@example.test>", "RSET", "QUIT"]),
])  # fmt: skip
def test_an_open_transaction_is_taken_back(reply: str, commands: list[str]) -> None:
    client, server = session(**ENVELOPE), MailServer(replies={reply: b"550 no\r\n"})
    talk(client, server)
    assert server.commands[-len(commands) :] == commands


def test_a_user_name_that_is_the_password_is_not_shown() -> None:
    credentials = Credentials("token-1234", "token-1234")
    client = Session(Endpoint(NAME, 587, "starttls", None, credentials), Settings("me", NOW), POLICY.context)
    talk(client, MailServer())
    assert client.outcome is not None
    assert client.outcome.verdict == "auth_rejected"
    assert "token-1234" not in client.outcome.reason


@pytest.mark.parametrize("password", ["S", "A", "PLAIN", "plain", "LOGIN", "TLS"])
def test_a_password_that_is_a_word_of_smtp_changes_nothing(password: str) -> None:
    server = MailServer(replies={"AUTH": b"235 ok\r\n"})
    client = session(password=password)
    talk(client, server)
    assert client.outcome is not None
    assert client.outcome.verdict == "ok"
    assert client.auth_mechanisms == ["PLAIN", "LOGIN"]


@pytest.mark.parametrize("keyword", [b"AUTH", b"SIZE"])
def test_long_lists_are_shown_in_part(keyword: bytes) -> None:
    lines = tuple(keyword + b"%03d" % number * 70 + b" X" * 30 for number in range(200))
    offers = tuple(b"AUTH " + line[:280] for line in lines) if keyword == b"AUTH" else lines
    client = session(password=PASSWORD)
    talk(client, MailServer(ehlo_tls=offers))
    assert client.outcome is not None
    assert client.outcome.verdict in ("auth_absent", "auth_unsupported")
    assert len(client.outcome.reason) < 600


def test_long_initial_response_is_sent_alone() -> None:
    password = "x" * 2000
    client, server = session(password=password, mechanism="plain"), MailServer()
    talk(client, server)
    assert "AUTH PLAIN" in server.commands
    assert max(len(command) for command in server.commands if command.startswith("AUTH")) < 512
    assert client.outcome is not None
    assert client.outcome.verdict == "auth_rejected"


@pytest.mark.parametrize(
    ("password", "offered", "used"),
    [
        ("secret", "CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 LOGIN PLAIN XOAUTH2", "PLAIN"),
        ("secret", "CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 LOGIN", "LOGIN"),
        ("secret", "CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256", "SCRAM-SHA-256"),
        ("secret", "CRAM-MD5 SCRAM-SHA-1 DIGEST-MD5", "SCRAM-SHA-1"),
        ("secret", "DIGEST-MD5 CRAM-MD5 NTLM", "CRAM-MD5"),
        ("secret", "LOGIN PLAIN", "PLAIN"),
        ("secret", "LOGIN NTLM", "LOGIN"),
        ("ya29.secret", "LOGIN PLAIN CRAM-MD5 XOAUTH2", "XOAUTH2"),
        ("eyJ" + "x" * 200, "XOAUTH2", "XOAUTH2"),
        ("ya29.secret", "PLAIN", "PLAIN"),
    ],
)
def test_mechanism_that_postfix_is_told_to_use(password: str, offered: str, used: str) -> None:
    client, server = session(password=password), MailServer(ehlo_tls=(b"AUTH " + offered.encode(),))
    talk(client, server)
    assert [command.split(" ")[1] for command in server.commands if command.startswith("AUTH")] == [used]


CHAINS = {
    "expired": ["certificate_expired"],
    "early": ["certificate_not_yet_valid"],
    "self_signed": ["certificate_untrusted"],
    "stranger": ["certificate_untrusted"],
    "expired_other_name": ["certificate_mismatch", "certificate_expired"],
    "self_signed_expired_other_name": [
        "certificate_untrusted",
        "certificate_mismatch",
        "certificate_expired",
    ],
}


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("certificate", CHAINS)
def test_second_connection_shows_all_faults(certificate: str, implicit: bool) -> None:
    mode = "implicit" if implicit else "starttls"
    first = session(mode, password=PASSWORD)
    talk(first, MailServer(certificate=certificate, implicit=implicit))
    assert first.chain_error is not None
    assert first.outcome is not None
    assert first.outcome.verdict.startswith("certificate_")
    assert first.certificate is None
    server = MailServer(certificate=certificate, implicit=implicit)
    second = session(mode, password=PASSWORD, chain=first.chain_error)
    talk(second, server)
    assert second.outcome is not None
    assert second.outcome.verdict == CHAINS[certificate][0]
    assert [problem.verdict for problem in second.problems] == CHAINS[certificate]
    assert second.certificate is not None
    assert not [command for command in server.commands if command.startswith("AUTH")]


@pytest.mark.parametrize("shows", sorted({SHOWS_CHAIN, False}))
@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("certificate", CHAINS)
def test_what_is_wrong_with_a_chain_is_a_note_where_verification_is_not_required(
    monkeypatch: pytest.MonkeyPatch, certificate: str, implicit: bool, shows: bool
) -> None:
    """False: as on a Python before 3.10, which needs another connection for it."""
    monkeypatch.setattr(session_module, "SHOWS_CHAIN", shows)
    mode = "implicit" if implicit else "starttls"
    client = session(mode, validate_certs=False, password=PASSWORD)
    talk(client, MailServer(certificate=certificate, implicit=implicit))
    assert client.unseen is not shows
    if client.unseen:
        look = ChainCheck(Endpoint(NAME, 587, mode), Settings("me"), POLICY.context)
        talk(look, MailServer(certificate=certificate, implicit=implicit))
        assert look.chain_error is not None
        client.note_chain(look.chain_error)
    assert client.outcome is not None
    assert client.outcome.verdict == "ok"
    assert "not verified" in client.outcome.reason
    assert [problem.verdict for problem in client.problems] == CHAINS[certificate]


@pytest.mark.parametrize("implicit", [False, True])
def test_a_sound_chain_is_seen_by_another_connection(implicit: bool) -> None:
    mode = "implicit" if implicit else "starttls"
    look = ChainCheck(Endpoint(NAME, 587, mode), Settings("me"), POLICY.context)
    server = MailServer(implicit=implicit)
    talk(look, server)
    assert look.chain_error is None
    assert look.outcome is not None
    assert (look.outcome.verdict, look.outcome.stage) == ("ok", "certificate")
    assert [
        command for command in server.commands if not command.startswith(("EHLO", "STARTTLS", "QUIT"))
    ] == []


def test_plain_attempt_says_why() -> None:
    client = session(plain="the handshake failed", **OPPORTUNISTIC)
    talk(client, MailServer())
    assert client.outcome is not None
    assert client.outcome.verdict == "ok"
    assert "unencrypted because the handshake failed" in client.outcome.reason
    assert client.tls_version is None


def check(**server: Any) -> PipeliningCheck:
    client = PipeliningCheck(Endpoint(NAME, 587, "starttls"), Settings("me"), POLICY.context)
    talk(client, MailServer(**server))
    assert client.closed
    return client


def test_pipelining_check() -> None:
    vulnerable = check(keeps_pipelined=True)
    assert vulnerable.outcome is not None
    assert vulnerable.outcome.verdict == "starttls_injection"
    assert "CVE-2011-0411" in vulnerable.outcome.reason


@pytest.mark.parametrize("cut", [whole, single_bytes])
def test_pipelining_check_answered_in_clear(cut: Callable[[bytes], list[bytes]]) -> None:
    client = PipeliningCheck(Endpoint(NAME, 587, "starttls"), Settings("me"), POLICY.context)
    talk(client, MailServer(replies={"STARTTLS": b"220 go\r\n250 ok\r\n"}), cut)
    assert client.outcome is not None
    assert client.outcome.verdict == "starttls_injection"


@pytest.mark.parametrize(
    "server",
    [
        {},
        {"replies": {"STARTTLS": b"554 no pipelining\r\n"}},
        {"replies": {"STARTTLS": b"220 go\r\n554 no pipelining\r\n"}},
        {"replies": {"tls QUIT": b"250 strange, but one reply\r\n"}},
        {"replies": {"EHLO": b"550 no\r\n", "QUIT": b"250 strange\r\n250 again\r\n"}},
        {"ehlo": (b"SIZE",)},
        {"greeting": b"554 no\r\n"},
        {"greeting": b"garbage"},
        {"certificate": "stranger"},
    ],
    ids=str,
)
def test_pipelining_check_of_sound_servers(server: dict[str, Any]) -> None:
    assert check(**server).outcome is None


def test_tls_hello() -> None:
    tls, plain = MailServer(implicit=True), MailServer()
    for server, expected in ((tls, True), (plain, False)):
        hello = TlsHello(POLICY.context(False), NAME)
        answer = server.open() or server.receive(hello.take())
        hello.receive(answer)
        assert hello.speaks_tls is expected
    assert not TlsHello(POLICY.context(False), "192.0.2.1").speaks_tls


def test_a_broken_record_of_a_new_server_is_not_old() -> None:
    server, client = MailServer(implicit=True, newest=ssl.TLSVersion.TLSv1_2), session(**IMPLICIT)
    server.open()
    client.begin()
    flight = bytearray(server.receive(client.take()))
    second = 5 + int.from_bytes(flight[3:5], "big")
    flight[second + 1] ^= 1  # the major version of that record
    client.receive(bytes(flight))
    assert client.outcome is not None
    assert client.outcome.verdict == "tls_failed"
    assert "wrong version number" in client.outcome.reason


def test_another_connection_settles_a_silent_one() -> None:
    client = session()
    client.begin()
    assert client.silent
    assert client.greets_first
    client.speaks_tls()
    assert client.outcome is not None
    assert client.outcome.verdict == "tls_mode_mismatch"
    assert "implicit" in client.outcome.advice


def test_a_flood_is_bounded() -> None:
    client = session(**PLAIN)
    client.begin()
    client.receive(b"220 mx\r\n")
    for _turn in range(MAX_RECEIVED):
        client.receive(b"250-" + b"x" * 100 + b"\r\n")
        client.take()
        if client.closed:
            break
    assert client.outcome is not None
    assert client.outcome.verdict == "protocol_error"

    client = session("implicit")
    client.begin()
    client.receive(b"\x16\x03\x03\x40\x00" + b"\x02\xff\xff\xff" + b"x" * MAX_RECEIVED)
    assert client.closed


def test_what_never_becomes_a_reply_is_bounded() -> None:
    """Session tickets without end pass every limit but that of the whole."""
    context = server_context()
    usual, context.num_tickets = context.num_tickets, 3000
    try:
        client = session()
        talk(client, MailServer())
    finally:
        context.num_tickets = usual
    assert client.outcome is not None
    assert client.outcome.verdict == "protocol_error"
    assert str(MAX_RECEIVED) in client.outcome.reason


def test_events_follow_the_ladder() -> None:
    client = session(password=PASSWORD, **ENVELOPE)
    talk(client, MailServer())
    names = [event.name for event in client.events()]
    assert names == ["greeting", "ehlo", "starttls", "handshake", "ehlo", "auth", "envelope", "settled"]
    assert client.events() == []


def test_capabilities_are_escaped_and_those_under_tls() -> None:
    client = session()
    talk(
        client,
        MailServer(
            ehlo_tls=(b"size 7", b"auth plain plain", b"X\x1b[31m", b"AUTH=LOGIN", b"  ", b"8BITMIME")
        ),
    )
    assert client.capabilities == ["SIZE 7", "AUTH plain plain", "X\\X1B[31M", "AUTH LOGIN", "8BITMIME"]
    assert client.auth_mechanisms == ["PLAIN", "LOGIN"]


def test_address_literal_has_no_sni_and_is_checked_against_addresses() -> None:
    client = session(host="127.0.0.1")
    talk(client, MailServer())
    assert client.outcome is not None
    assert client.outcome.verdict == "ok"
    client = session(host="127.0.0.2")
    talk(client, MailServer())
    assert client.outcome is not None
    assert client.outcome.verdict == "certificate_mismatch"


def test_now_is_given() -> None:
    client = Session(Endpoint(NAME, 587, "starttls"), Settings("me", now=0.0), POLICY.context)
    talk(client, MailServer())
    assert client.outcome is not None
    assert client.outcome.verdict == "certificate_not_yet_valid"


replies = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"220 x\r\n",
            b"250 x\r\n",
            b"250-STARTTLS\r\n",
            b"334 \r\n",
            b"421 x\r\n",
            b"535 x\r\n",
            b"\x16\x03\x01",
        ]
    ),
)


@hypothesis_settings(max_examples=300)
@given(
    st.sampled_from(["starttls", "implicit", "opportunistic", "none"]),
    st.booleans(),
    st.lists(replies, max_size=12),
    st.sampled_from(["end", "lost", "expire"]),
)
def test_any_server_gets_a_verdict(mode: str, login: bool, said: list[bytes], last: str) -> None:
    client = session(mode, password=PASSWORD if login else None, **ENVELOPE)
    client.begin()
    sent = client.take()
    for data in said:
        if data:
            client.receive(data)
            sent += client.take()
    if last == "end":
        client.receive(b"")
    elif last == "lost":
        client.lost("reset")
    else:
        client.expire(1.0)
    assert client.closed
    assert client.outcome is not None
    assert client.outcome.verdict in VERDICTS
    assert client.outcome.reason.isprintable()
    assert b"AUTH" not in sent


@hypothesis_settings(max_examples=60)
@given(st.integers(0, 1200), st.integers(1, 255), st.booleans())
def test_a_flipped_byte_never_crashes(position: int, flip: int, implicit: bool) -> None:
    client = session("implicit" if implicit else "starttls", password=PASSWORD)
    left = position

    def flipped(data: bytes) -> list[bytes]:
        nonlocal left
        here, left = left, left - len(data)
        if 0 <= here < len(data):
            return [data[:here] + bytes([data[here] ^ flip]) + data[here + 1 :]]
        return [data]

    talk(client, MailServer(implicit=implicit), flipped)
    assert client.outcome is not None
    assert client.outcome.verdict in VERDICTS
