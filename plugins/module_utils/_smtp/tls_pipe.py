"""TLS between two sides that exchange bytes: what arrives goes in, what is to be sent and what was said come out.

Theory of operation. feed() takes what has arrived; next_event() says, as often as it is asked, what came of it: the
handshake is done (Secured), plaintext (b"" for the end that TLS itself announces), something that is not TLS (InClear),
a failure (Broken), or None where more bytes are needed. After each of them, and after write(), take() has what is to be
sent. After InClear and Broken it is of no more use.

Rules of this file: no socket and no clock, only OpenSSL between two pieces of memory. It says what TLS has met, and
never what that means for a mail server. Bytes may be cut anywhere without any difference.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import ssl
from typing import NamedTuple, Union

from .._base.addresses import is_address
from .certificate import ChainError
from .reply import printable
from .tls import doubt

_CHUNK = 16384
TLS_RECORDS = (0x14, 0x15, 0x16, 0x17)
TLS_MAJOR = 3
_HANDSHAKE, _SERVER_HELLO, _CERTIFICATE_REQUEST = 0x16, 0x02, 0x0D
_PROTOCOLS = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2"}
# A record's header and the beginning of the server's hello, to its version.
_HEAD = 11

# OpenSSL's reasons for "the versions do not meet".
_TOO_OLD = (
    "UNSUPPORTED_PROTOCOL",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "SSLV3_ALERT_PROTOCOL_VERSION",
    "VERSION_TOO_LOW",
    "WRONG_SSL_VERSION",
    "NO_PROTOCOLS_AVAILABLE",
)
# Of a server's alerts those about the client's certificate (RFC 8446 section 6.2), as OpenSSL names them.
_ABOUT_CERTIFICATES = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED")

# How TLS can break.
UNTRUSTED, OLD, CLIENT_CERTIFICATE, HANDSHAKE, RECORD = (
    "untrusted",
    "old",
    "client_certificate",
    "handshake",
    "record",
)


class Secured(NamedTuple):
    """The handshake is done."""


class InClear(NamedTuple):
    """The answer to the ClientHello is not TLS; ``first`` is its first byte."""

    first: int
    data: bytes


class Broken(NamedTuple):
    """``how`` is UNTRUSTED (with ``chain``), OLD (with the version that the server has, where it told), or that the
    server is not content with the client's certificate, or with none, or that the handshake or a record after it
    failed. ``words`` are OpenSSL's."""

    how: str
    words: str
    spoken: str = ""
    chain: ChainError | None = None


PipeEvent = Union[Secured, InClear, Broken, bytes, None]


class TlsPipe:
    """The client's side. ``name`` is asked of the server (SNI), unless it is an address; ``oldest`` is the oldest
    version that the context takes, such as ``1.2``."""

    def __init__(self, context: ssl.SSLContext, name: str, oldest: str = "1.2") -> None:
        self.secured = False
        self._oldest = oldest
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=None if is_address(name) else name
        )
        self._first = bytearray()
        self._flight = bytearray()
        self._clear: InClear | None = None
        self._broken = self._shake()

    @property
    def heard(self) -> bool:
        """Whether the server has answered the ClientHello at all."""
        return bool(self._first)

    def feed(self, data: bytes) -> None:
        if not self.secured:
            self._first += data[: _HEAD - len(self._first)]
            if self._first[0] not in TLS_RECORDS:
                self._clear = InClear(self._first[0], data)
                return
            self._flight += data  # bounded by the session's limit, and dropped with the handshake
        self._incoming.write(data)

    def next_event(self) -> PipeEvent:
        if self._clear is not None or self._broken is not None:
            return self._clear or self._broken
        if not self.secured:
            self._broken = self._shake()
            return self._broken or (Secured() if self.secured else None)
        try:
            return self._tls.read(_CHUNK)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLError as error:
            return self._failed(error)

    def write(self, data: bytes) -> Broken | None:
        try:
            self._tls.write(data)
        except ssl.SSLError as error:
            return self._failed(error)
        return None

    def take(self) -> bytes:
        return self._outgoing.read()

    def close(self) -> bytes:
        """Say goodbye, where TLS stands; returns the last bytes to send. The server's own goodbye is not waited for."""
        if self.secured:
            with contextlib.suppress(OSError, ValueError):
                self._tls.unwrap()
        return self.take()

    # What the handshake has shown

    @property
    def version(self) -> str | None:
        return self._tls.version()

    @property
    def cipher(self) -> str | None:
        cipher = self._tls.cipher()
        return cipher[0] if cipher else None

    @property
    def certificate(self) -> bytes:
        """The server's, in DER; empty for none."""
        return self._tls.getpeercert(True) or b""

    @property
    def chain_length(self) -> int:
        """How many certificates the server sent; 0 where Python (before 3.10) does not say."""
        get = getattr(self._tls, "get_unverified_chain", None) or getattr(
            getattr(self._tls, "_sslobj", None), "get_unverified_chain", None
        )
        return len(get() or ()) if get else 0

    def doubt(self, now: float) -> ChainError | None:
        """See tls.doubt()."""
        return doubt(self._tls, now)

    @property
    def certificate_requested(self) -> bool:
        """Whether the server asked for a client certificate, in what it sent before encryption (TLS up to 1.2)."""
        flight, messages, position = self._flight, bytearray(), 0
        while position + 5 <= len(flight) and flight[position] == _HANDSHAKE:
            end = position + 5 + int.from_bytes(flight[position + 3 : position + 5], "big")
            messages += flight[position + 5 : end]
            position = end
        position = 0
        while position + 4 <= len(messages):
            if messages[position] == _CERTIFICATE_REQUEST:
                return True
            position += 4 + int.from_bytes(messages[position + 1 : position + 4], "big")
        return False

    def _shake(self) -> Broken | None:
        try:
            self._tls.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except ssl.SSLCertVerificationError as error:
            return Broken(
                UNTRUSTED, error.verify_message, chain=ChainError(error.verify_code, error.verify_message)
            )
        except ssl.SSLError as error:
            return self._handshake_failed(error)
        self.secured = True
        self._flight.clear()
        return None

    def _handshake_failed(self, error: ssl.SSLError) -> Broken:
        reason, first = error.reason or "", self._first
        spoken = ""
        # Any other major version ends it at the record's fifth byte, however many have come.
        if len(first) >= _HEAD and (first[0], first[1], first[5]) == (_HANDSHAKE, TLS_MAJOR, _SERVER_HELLO):
            spoken = _PROTOCOLS.get(first[9] << 8 | first[10], "")
        # Of one that is new enough, such a record is merely broken.
        old = bool(spoken) and spoken < f"TLS {self._oldest}"
        if reason in _TOO_OLD or (reason == "WRONG_VERSION_NUMBER" and old):
            return Broken(OLD, _words(error), spoken)
        if "ALERT" in reason and self.certificate_requested:
            return Broken(CLIENT_CERTIFICATE, _words(error))
        return Broken(HANDSHAKE, _words(error))

    def _failed(self, error: ssl.SSLError) -> Broken:
        # In TLS 1.3 the client's handshake ends before the server looks at its certificate.
        reason = error.reason or ""
        about = "ALERT" in reason and any(word in reason for word in _ABOUT_CERTIFICATES)
        self._broken = Broken(CLIENT_CERTIFICATE if about else RECORD, _words(error))
        return self._broken


class TlsHello:
    """Does a port where no greeting comes speak TLS from the first byte? Any TLS record in answer says yes.

    The caller's side is that of Session; ``speaks_tls`` is the answer.
    """

    def __init__(self, context: ssl.SSLContext, name: str) -> None:
        self.closed = False
        self.speaks_tls = False
        self._hello = TlsPipe(context, name).take()

    def take(self) -> bytes:
        hello, self._hello = self._hello, b""
        return hello

    def receive(self, data: bytes) -> None:
        self.speaks_tls = data[:1] in (b"\x15", b"\x16")
        self.closed = True


def _words(error: ssl.SSLError) -> str:
    """OpenSSL's reason in words."""
    return printable((error.reason or error.strerror or "unknown error").replace("_", " ").lower())
