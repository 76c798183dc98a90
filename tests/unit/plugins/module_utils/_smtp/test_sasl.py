"""SASL as the RFCs have it: their examples, and which mechanism is tried in which order."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import MECHANISMS, Credentials
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.sasl import (
    MAX_ITERATIONS,
    Scram,
    choose,
    saslprep,
)
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._smtp.servers import (
    PASSWORD,
    MailServer,
    ScramServer,
    session,
    talk,
)

# RFC 5802 section 5 and RFC 7677 section 3.
EXAMPLES = [
    (
        "sha1",
        "fyko+d2lbbFgONRv9qkxdawL",
        "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
    (
        "sha256",
        "rOprNGfwEbeRWgbNEkqO",
        "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=["RFC 5802", "RFC 7677"])
def test_scram_as_in_the_rfc(example: tuple[str, ...]) -> None:
    digest, nonce, first, challenge, final, verifier = example
    scram = Scram(digest, "user", "pencil", nonce)
    assert scram.first.decode() == first
    answer = scram.answer(challenge.encode())
    assert answer is not None
    assert answer.decode() == final
    assert not scram.proven
    assert scram.verify(verifier.encode()) == b""
    assert scram.proven


@pytest.mark.parametrize(
    "challenge",
    [
        b"",
        b"garbage",
        b"r=nonce,s=QSXCR+Q6sek8bf92,i=4096",  # nothing added to the nonce
        b"r=other,s=QSXCR+Q6sek8bf92,i=4096",
        b"r=nonceX,s=,i=4096",
        b"r=nonceX,s=*,i=4096",
        b"r=nonceX,s=QSXCR+Q6sek8bf92",
        b"r=nonceX,s=QSXCR+Q6sek8bf92,i=0",
        b"r=nonceX,s=QSXCR+Q6sek8bf92,i=-1",
        b"r=nonceX,s=QSXCR+Q6sek8bf92,i=many",
        b"r=nonceX,s=QSXCR+Q6sek8bf92,i=%d" % (MAX_ITERATIONS + 1),
        b"m=extension,r=nonceX,s=QSXCR+Q6sek8bf92,i=4096",
        b"r=nonce\xff,s=QSXCR+Q6sek8bf92,i=4096",
    ],
)
def test_scram_refuses_what_makes_no_sense(challenge: bytes) -> None:
    assert Scram("sha256", "user", "pencil", "nonce").answer(challenge) is None


def test_scram_escapes_the_user_name() -> None:
    assert Scram("sha1", "a=b,c", "x", "N").first == b"n,,n=a=3Db=2Cc,r=N"


def test_scram_takes_a_new_nonce_each_time() -> None:
    nonces = {Scram("sha1", "u", "p").first for _number in range(20)}
    assert len(nonces) == 20
    assert all(b"," not in nonce.partition(b"r=")[2] for nonce in nonces)


@pytest.mark.parametrize("verifier", [b"", b"v=", b"v=AAAA", b"x=1"])
def test_scram_wants_the_right_signature(verifier: bytes) -> None:
    scram = Scram("sha1", "user", "pencil", EXAMPLES[0][1])
    assert scram.answer(EXAMPLES[0][3].encode()) is not None
    assert scram.verify(verifier) is None
    assert not scram.proven


def test_no_signature_is_right_before_the_password_was_asked_for() -> None:
    scram = Scram("sha1", "user", "pencil")
    assert scram.verify(b"v=") is None
    assert not scram.proven


# RFC 4013 section 3.
@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
    ],
)
def test_saslprep(text: str, prepared: str) -> None:
    assert saslprep(text) == prepared


@pytest.mark.parametrize("text", ["\x07", "\u0627\u0031", "\ud800", "\ue000", "\u200e"])
def test_saslprep_prohibits(text: str) -> None:
    with pytest.raises(ValueError, match=r"prohibited|left to right"):
        saslprep(text)


@pytest.mark.parametrize(
    ("mechanism", "offered", "usable", "tried"),
    [
        ("auto", "CRAM-MD5 SCRAM-SHA-1 LOGIN SCRAM-SHA-256 PLAIN", None,
         "PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5"),
        ("auto", "DIGEST-MD5 PLAIN LOGIN", None, "PLAIN LOGIN"),
        ("auto", "plain login", None, "PLAIN LOGIN"),
        ("auto", "SCRAM-SHA-256-PLUS SCRAM-SHA-256", None, "SCRAM-SHA-256"),
        ("auto", "SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5", ("PLAIN", "LOGIN", "CRAM-MD5"), "CRAM-MD5"),
        ("auto", "SCRAM-SHA-256", ("plain", "scram-sha-256"), "SCRAM-SHA-256"),
        ("auto", "SCRAM-SHA-256", ("PLAIN", "LOGIN"), ""),
        ("scram-sha-1", "SCRAM-SHA-1 PLAIN", ("PLAIN",), ""),
        ("scram-sha-1", "SCRAM-SHA-1 PLAIN", None, "SCRAM-SHA-1"),
        ("Scram-SHA-256", "PLAIN", None, ""),
        ("auto", "XOAUTH2", None, ""),
        ("auto", "GSSAPI NTLM", None, ""),
    ],
)  # fmt: skip
def test_what_is_tried(mechanism: str, offered: str, usable: Any, tried: str) -> None:
    found, why_not = choose(Credentials("user", "secret", mechanism), offered.split(), usable)
    assert [one.name for one in found] == tried.split()
    assert bool(why_not) is not bool(found)


def test_an_access_token_is_no_password_for_postfix() -> None:
    token = Credentials("user", "ya29.secret")
    assert [one.name for one in choose(token, ["XOAUTH2", "PLAIN"])[0]] == ["XOAUTH2"]
    for usable in (("PLAIN",), ("PLAIN", "XOAUTH2")):
        found, why_not = choose(token, ["XOAUTH2", "PLAIN"], usable)
        assert not found
        assert "The password looks like an access token, which Postfix cannot log in with" in why_not


def test_tokens_are_not_advised_where_the_host_has_no_plugin_for_them() -> None:
    password = Credentials("user", "secret")
    assert "set auth_mechanism to xoauth2" in choose(password, ["XOAUTH2"])[1]
    assert "set auth_mechanism to xoauth2" in choose(password, ["XOAUTH2"], ("PLAIN", "XOAUTH2"))[1]
    assert "none of which can be used" in choose(password, ["XOAUTH2"], ("PLAIN",))[1]


def test_every_mechanism_of_the_option_is_there() -> None:
    for name in MECHANISMS:
        if name not in ("auto", "none"):
            assert choose(Credentials("user", "secret", name), [name.upper()])[0][0].name == name.upper()


@pytest.mark.parametrize("name", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_scram_with_a_server(name: str) -> None:
    client, server = session(password=PASSWORD), MailServer(ehlo_tls=(b"AUTH " + name.encode(),))
    talk(client, server)
    assert client.outcome is not None
    assert client.outcome.verdict == "ok"
    assert client.auth_mechanism == name
    assert f"AUTH {name} accepted" in client.outcome.reason
    assert not [line for line in server.commands if base64.b64encode(PASSWORD.encode()).decode() in line]


@pytest.mark.parametrize("name", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_scram_with_a_wrong_password(name: str) -> None:
    client = session(password="wrong")
    talk(client, MailServer(ehlo_tls=(b"AUTH " + name.encode(),)))
    assert client.outcome is not None
    assert client.outcome.verdict == "auth_rejected"
    assert client.auth_mechanism is None
    assert "535 5.7.8 go away" in client.outcome.reason


@pytest.mark.parametrize(
    ("flaw", "words"),
    [("forged", "no answer to"), ("unproven", "without proving that it knows the password")],
)
def test_scram_with_a_server_that_does_not_know_the_password(
    monkeypatch: pytest.MonkeyPatch, flaw: str, words: str
) -> None:
    monkeypatch.setattr(ScramServer, flaw, True)
    client = session(password=PASSWORD)
    talk(client, MailServer(ehlo_tls=(b"AUTH SCRAM-SHA-256",)))
    assert client.outcome is not None
    assert client.outcome.verdict == "protocol_error"
    assert client.auth_mechanism is None
    assert words in client.outcome.reason


class Picky(MailServer):
    """Lists every mechanism and answers some of them as a case says."""

    def __init__(self, refused: dict[str, bytes]) -> None:
        super().__init__(ehlo_tls=(b"AUTH PLAIN LOGIN SCRAM-SHA-256 CRAM-MD5",))
        self._refused = refused

    def _authenticate(self, words: list[str]) -> None:
        if words[0] in self._refused:
            self._say(self._refused[words[0]])
        else:
            super()._authenticate(words)

    @property
    def tried(self) -> list[str]:
        return [line.split(" ")[1] for line in self.commands if line.startswith("AUTH ")]


@pytest.mark.parametrize(
    ("refused", "tried", "verdict"),
    [
        ({"PLAIN": b"504 5.5.4 Unrecognized\r\n"}, ["PLAIN", "LOGIN"], "ok"),
        ({"PLAIN": b"504 5.7.4 x\r\n", "LOGIN": b"504 x\r\n"}, ["PLAIN", "LOGIN", "SCRAM-SHA-256"], "ok"),
        ({"PLAIN": b"534 5.7.9 Authentication mechanism is too weak\r\n"}, ["PLAIN", "LOGIN"], "ok"),
        ({"PLAIN": b"535 5.7.8 no\r\n"}, ["PLAIN"], "auth_rejected"),
        ({"PLAIN": b"535 5.7.3 no\r\n"}, ["PLAIN"], "auth_rejected"),
        ({"PLAIN": b"454 4.7.0 later\r\n"}, ["PLAIN"], "auth_deferred"),
        ({"PLAIN": b"421 4.7.0 bye\r\n"}, ["PLAIN"], "auth_deferred"),
        (
            dict.fromkeys(["PLAIN", "LOGIN", "SCRAM-SHA-256", "CRAM-MD5"], b"504 5.5.4 x\r\n"),
            ["PLAIN", "LOGIN", "SCRAM-SHA-256", "CRAM-MD5"],
            "auth_unsupported",
        ),
    ],
)
def test_only_an_unknown_mechanism_is_followed_by_another(
    refused: dict[str, bytes], tried: list[str], verdict: str
) -> None:
    """A login that was refused is not repeated with another mechanism: that would count towards a lockout."""
    client, server = session(password=PASSWORD), Picky(refused)
    talk(client, server)
    assert client.outcome is not None
    assert client.outcome.verdict == verdict
    assert server.tried == tried
    assert client.auth_mechanism == (tried[-1] if verdict == "ok" else None)


def test_a_mechanism_that_was_asked_for_is_the_only_one() -> None:
    client, server = session(password=PASSWORD, mechanism="PLAIN"), Picky({"PLAIN": b"504 5.5.4 no\r\n"})
    talk(client, server)
    assert client.outcome is not None
    assert client.outcome.verdict == "auth_unsupported"
    assert server.tried == ["PLAIN"]
