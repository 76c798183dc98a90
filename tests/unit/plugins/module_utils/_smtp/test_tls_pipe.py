"""TLS between two pieces of memory: what each kind of answer to a ClientHello comes out as, wherever it is cut."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import ssl
import warnings
from typing import Any, Callable

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp import tls_pipe
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import SHOWS_CHAIN, TlsPolicy
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls_pipe import (
    Broken,
    InClear,
    Secured,
    TlsHello,
    TlsPipe,
)
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._smtp.servers import (
    CA,
    DATA,
    NAME,
    NOW,
    POLICY,
    demanding_context,
    server_context,
    single_bytes,
    whole,
)

Cut = Callable[[bytes], "list[bytes]"]
CUTS = pytest.mark.parametrize("cut", [whole, single_bytes])


class Server:
    """The other side, with OpenSSL in memory as well."""

    def __init__(self, certificate: str = "good", newest: Any = None, context: Any = None) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = (context or server_context(certificate, newest)).wrap_bio(
            self._in, self._out, server_side=True
        )
        self.shaken = False
        self.heard = b""

    def receive(self, data: bytes) -> bytes:
        self._in.write(data)
        with contextlib.suppress(ssl.SSLError):
            if not self.shaken:
                self.tls.do_handshake()
                self.shaken = True
            self.heard += self.tls.read(1000)
        return self._out.read()

    def say(self, data: bytes) -> bytes:
        self.tls.write(data)
        return self._out.read()

    def goodbye(self) -> bytes:
        with contextlib.suppress(ssl.SSLError):
            self.tls.unwrap()
        return self._out.read()


def pipe(verify: bool = True, oldest: str = "1.2", name: str = NAME) -> TlsPipe:
    return TlsPipe(POLICY.context(verify), name, oldest)


def events(client: TlsPipe, data: bytes, cut: Cut = whole) -> list[Any]:
    """What comes of these bytes."""
    found: list[Any] = []
    for piece in cut(data):
        if found and isinstance(found[-1], (Broken, InClear)):
            break
        client.feed(piece)
        event = client.next_event()
        while event is not None:
            found.append(event)
            if event == b"" or isinstance(event, (Broken, InClear)):
                break
            event = client.next_event()
    return found


def shake(client: TlsPipe, server: Server, cut: Cut = whole) -> list[Any]:
    """The handshake, and what came of it on the client's side."""
    found: list[Any] = []
    for _turn in range(6):
        answer = server.receive(client.take())
        if not answer:
            break
        found += events(client, answer, cut)
    return found


@CUTS
@pytest.mark.parametrize("newest", [None, ssl.TLSVersion.TLSv1_2])
def test_conversation(cut: Cut, newest: Any) -> None:
    client, server = pipe(), Server(newest=newest)
    assert not client.heard
    found = shake(client, server, cut)
    assert found == [Secured()]
    assert isinstance(found[0], Secured)
    assert client.heard
    assert client.secured
    assert client.version == ("TLSv1.2" if newest else "TLSv1.3")
    assert client.cipher
    assert client.certificate.startswith(b"0\x82")
    assert client.write(b"EHLO x\r\n") is None
    server.receive(client.take())
    assert server.heard == b"EHLO x\r\n"
    assert b"".join(events(client, server.say(b"250 a\r\n250 b\r\n"), cut)) == b"250 a\r\n250 b\r\n"
    assert events(client, server.goodbye(), cut) == [b""]
    assert client.close()  # the answer to it


@CUTS
@pytest.mark.parametrize(
    ("data", "first"), [(b"500 what?\r\n", ord("5")), (b"220 mx\r\n", ord("2")), (b"\0", 0)]
)
def test_an_answer_in_the_clear(cut: Cut, data: bytes, first: int) -> None:
    (found,) = events(pipe(), data, cut)
    assert isinstance(found, InClear)
    assert found.first == first
    assert found.data == cut(data)[0]


@CUTS
@pytest.mark.parametrize(
    ("certificate", "code"), [("stranger", 20), ("self_signed", 18), ("expired", 10), ("early", 9)]
)
def test_a_chain_that_is_not_trusted(cut: Cut, certificate: str, code: int) -> None:
    client = pipe()
    found = shake(client, Server(certificate), cut)
    assert [each.how for each in found] == [tls_pipe.UNTRUSTED]
    assert found[0].chain.code == code
    assert found[0].chain.message == found[0].words
    assert not client.secured
    client = pipe(verify=False)
    assert shake(client, Server(certificate), cut) == [Secured()]


@CUTS
def test_a_server_that_is_too_old(cut: Cut) -> None:
    found = shake(pipe(), Server(newest=ssl.TLSVersion.TLSv1_1), cut)
    assert [each.how for each in found] == [tls_pipe.OLD]


@CUTS
@pytest.mark.parametrize(
    ("version", "oldest", "how", "spoken"),
    [
        (b"\3\1", "1.2", tls_pipe.OLD, "TLS 1.0"),
        (b"\3\0", "1.2", tls_pipe.OLD, "SSL 3.0"),
        (b"\3\3", "1.3", tls_pipe.OLD, "TLS 1.2"),
    ],
)
def test_the_version_that_a_server_has_is_told(
    cut: Cut, version: bytes, oldest: str, how: str, spoken: str
) -> None:
    hello = b"\2\0\0\x26" + version + b"r" * 32 + b"\0\x00\x2f\0"
    record = b"\x16" + version + len(hello).to_bytes(2, "big") + hello
    context = TlsPolicy(min_version=oldest).context(False)
    (found,) = events(TlsPipe(context, NAME, oldest), record, cut)
    assert (found.how, found.spoken) == (how, spoken)


@CUTS
def test_another_major_version_is_a_failed_handshake(cut: Cut) -> None:
    (found,) = events(pipe(), b"\x16\x23\3\0\x7a\2\0\0\x76\3\0" + b"x" * 130, cut)
    assert found.how == tls_pipe.HANDSHAKE
    assert found.words == found.words.lower()


@CUTS
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_demands_a_client_certificate(cut: Cut, newest: Any) -> None:
    client, server = pipe(), Server(context=demanding_context(newest))
    found = shake(client, server, cut)
    assert found[-1].how == tls_pipe.CLIENT_CERTIFICATE
    assert len(found) == (2 if newest == ssl.TLSVersion.TLSv1_3 else 1)
    if newest == ssl.TLSVersion.TLSv1_2:
        assert client.certificate_requested


@CUTS
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("shown, taken", [("good", True), ("stranger", False), ("self_signed", False)])
def test_a_client_certificate_is_shown_to_a_server_that_demands_one(
    cut: Cut, newest: Any, shown: str, taken: bool
) -> None:
    certificate = str(DATA / f"{shown}.pem")
    policy = TlsPolicy(CA, client=[(certificate, certificate)])
    client, server = TlsPipe(policy.context(True), NAME, "1.2"), Server(context=demanding_context(newest))
    found = shake(client, server, cut)
    if taken:
        assert found == [Secured()]
        assert server.tls.getpeercert(True) == ssl.PEM_cert_to_DER_cert(
            "-----BEGIN" + (DATA / "good.pem").read_text().split("-----BEGIN")[-1]
        )
    else:
        assert found[-1].how == tls_pipe.CLIENT_CERTIFICATE


def test_it_is_seen_that_a_certificate_is_requested() -> None:
    """Before the end of the handshake, where a server may go away."""
    client = pipe()
    client.feed(b"\x16\3\3\0\6\2\0\0\2ab" + b"\x16\3\3\0\4\x0d\0\0\0")
    assert client.certificate_requested
    client = pipe()
    client.feed(b"\x16\3\3\0\6\2\0\0\2ab" + b"\x16\3\3\0\4\x0e\0\0\0")
    assert not client.certificate_requested
    assert not pipe().certificate_requested


@CUTS
def test_a_broken_record(cut: Cut) -> None:
    client, server = pipe(), Server()
    shake(client, server)
    (found,) = events(client, b"\x17\x03\x03\x00\x20" + bytes(32), cut)
    assert found.how == tls_pipe.RECORD
    assert client.next_event() == found  # and nothing else any more
    broken = client.write(b"QUIT\r\n")
    assert broken is None or broken.how == tls_pipe.RECORD


def test_a_server_name_is_asked_for_unless_it_is_an_address() -> None:
    assert NAME.encode() in pipe().take()
    assert b"192.0.2.1" not in pipe(name="192.0.2.1").take()


def test_a_context_that_cannot_begin() -> None:
    """Nothing is raised: the first event says it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3
    context.set_ciphers("DEFAULT")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # no version at all is what is wanted here
        context.options |= ssl.OP_NO_TLSv1_3
    client = TlsPipe(context, NAME)
    found = client.next_event()
    assert isinstance(found, Broken)
    assert found.how == tls_pipe.OLD
    assert TlsHello(context, NAME).take()[:1] in (b"", b"\x15")  # nothing, or an alert


@pytest.mark.skipif(not SHOWS_CHAIN, reason="Python shows the chain since 3.10")
def test_what_was_not_verified_is_doubted() -> None:
    client = pipe(verify=False)
    shake(client, Server("self_signed"))
    doubt = client.doubt(NOW)
    assert doubt is not None
    assert doubt.code == 18
    client = pipe(verify=False)
    shake(client, Server())
    assert client.doubt(NOW) is None


def test_the_length_of_the_chain_is_known_where_python_shows_it() -> None:
    client = pipe(verify=False)
    shake(client, Server("self_signed"))
    assert client.chain_length == (1 if SHOWS_CHAIN else 0)
