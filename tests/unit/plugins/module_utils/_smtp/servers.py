"""Mail servers to test with: one without a socket, and a listener on loopback that runs it or any other behaviour."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import socket
import ssl
import threading
import warnings
from pathlib import Path
from typing import Any, Callable

from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import Credentials, Endpoint
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.session import Session, Settings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsPolicy

DATA = Path(__file__).parent / "data"
CA = str(DATA / "ca.pem")
NAME = "mail.example.test"
USERNAME, PASSWORD = "someone@example.test", "Pa:ss#word $1"
NOW = 1800000000.0
"""A moment in 2027, at which the good certificates are good."""

_CONTEXTS: dict[Any, ssl.SSLContext] = {}


def server_context(certificate: str = "good", newest: Any = None) -> ssl.SSLContext:
    if (certificate, newest) not in _CONTEXTS:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(DATA / f"{certificate}.pem"))
        if newest is not None:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # old versions are what is wanted here
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = newest
        _CONTEXTS[(certificate, newest)] = context
    return _CONTEXTS[(certificate, newest)]


def demanding_context(newest: Any) -> ssl.SSLContext:
    """Of a server that takes no client without a certificate of the tests' own authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(DATA / "good.pem"))
    context.load_verify_locations(CA)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = newest
    return context


class ScramServer:
    """The server's side of RFC 5802, from the RFC and without the client's code: base64 in, lines of SMTP out.

    ``forged`` sends another signature than the password gives, ``unproven`` none at all.
    """

    forged = unproven = False

    def __init__(self, mechanism: str) -> None:
        self._digest = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}[mechanism]
        self._messages: list[str] = []

    def reply(self, line: str) -> bytes:
        message = base64.b64decode(line).decode("utf-8")
        if not self._messages:
            header, self._bare = message[:3], message[3:]
            name, nonce = self._bare.split(",")
            if header != "n,," or name != "n=" + USERNAME or not nonce.startswith("r="):
                return b"535 5.7.8 what?\r\n"
            self._nonce = nonce[2:] + "%server"
            self._first = f"r={self._nonce},s={base64.b64encode(b'salt').decode()},i=4096"
            self._messages = [self._bare, self._first]
            return self._challenge(self._first)
        if len(self._messages) == 2:
            without, _proof, proof = message.rpartition(",p=")
            if without != f"c=biws,r={self._nonce}":
                return b"535 5.7.8 what?\r\n"
            salted = hashlib.pbkdf2_hmac(self._digest, PASSWORD.encode(), b"salt", 4096)
            key = self._mac(salted, b"Client Key")
            self._messages.append(without)
            said = ",".join(self._messages).encode()
            signature = self._mac(hashlib.new(self._digest, key).digest(), said)
            if bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature)) != key:
                return b"535 5.7.8 go away\r\n"
            verifier = self._mac(self._mac(salted, b"Server Key"), said)
            verifier = b"x" * len(verifier) if self.forged else verifier
            if self.unproven:
                return b"235 2.7.0 welcome\r\n"
            return self._challenge("v=" + base64.b64encode(verifier).decode())
        return b"235 2.7.0 welcome\r\n" if not message else b"501 5.5.2 what?\r\n"

    def _challenge(self, message: str) -> bytes:
        return b"334 " + base64.b64encode(message.encode()) + b"\r\n"

    def _mac(self, key: bytes, message: bytes) -> bytes:
        return hmac.new(key, message, self._digest).digest()


class MailServer:
    """The server's side of one connection, without a socket: bytes in, bytes out.

    ``replies`` replaces the answer to a verb, ``tls VERB`` the one under TLS only.
    """

    def __init__(
        self,
        greeting: bytes = b"220 mail.example.test ESMTP\r\n",
        ehlo: tuple[bytes, ...] = (b"PIPELINING", b"SIZE 1000", b"STARTTLS"),
        ehlo_tls: tuple[bytes, ...] = (b"PIPELINING", b"AUTH PLAIN LOGIN"),
        replies: dict[str, bytes] | None = None,
        implicit: bool = False,
        certificate: str = "good",
        newest: Any = None,
        keeps_pipelined: bool = False,
    ) -> None:
        self.commands: list[str] = []
        self.message: list[str] | None = None
        """The lines of a message as they came, once DATA was answered with 354; ``replies`` has the answer to its end
        under ``.``."""
        self._in_message = False
        self.clear = b""
        self.closed = False
        self._greeting = greeting
        self._ehlo = {False: ehlo, True: ehlo_tls}
        self._replies = replies or {}
        self._implicit = implicit
        self._context = (certificate, newest)
        self._keeps_pipelined = keeps_pipelined
        self._lines = b""
        self._output = b""
        self._tls: ssl.SSLObject | None = None
        self._shaken = False
        self._deaf = False
        self._challenges: list[str] = []

    def open(self) -> bytes:
        if self._implicit:
            self._start_tls()
        else:
            self._say(self._greeting)
        return self._take()

    def receive(self, data: bytes) -> bytes:
        if self._tls is None:
            self.clear += data
            # A ClientHello where no TLS is spoken may hold a line end by chance; no line is to be made of it.
            self._lines += b"" if self._deaf or data[:1] == b"\x16" else data
        else:
            self._incoming.write(data)
            self._decrypt(self._tls)
        while b"\r\n" in self._lines and not self.closed:
            line, _, self._lines = self._lines.partition(b"\r\n")
            self._answer(line.decode("utf-8"))
        return self._take()

    def _decrypt(self, tls: ssl.SSLObject) -> None:
        with contextlib.suppress(ssl.SSLWantReadError):
            try:
                if not self._shaken:
                    tls.do_handshake()
                    self._shaken = True
                    if self._implicit:
                        self._say(self._greeting)
                while True:
                    plaintext = tls.read(16384)
                    if not plaintext:
                        self.closed = True
                        return
                    self._lines += plaintext
            except (ssl.SSLZeroReturnError, ssl.SSLError) as error:
                if isinstance(error, ssl.SSLWantReadError):
                    raise
                self.closed = True

    def _start_tls(self) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = server_context(*self._context).wrap_bio(self._incoming, self._outgoing, server_side=True)
        if not self._keeps_pipelined:
            self._lines = b""

    def _take(self) -> bytes:
        output, self._output = self._output, b""
        if self._tls is not None:
            output += self._outgoing.read()
        return output

    def _say(self, data: bytes) -> None:
        if self._shaken and self._tls is not None:
            if data:  # an empty record is an error on some versions
                self._tls.write(data)
        else:
            self._output += data

    def _answer(self, line: str) -> None:
        if self._in_message:
            self._take_line(line)
            return
        self.commands.append(line)
        if self._challenges:
            self._go_on(line)
            return
        verb = line.split(" ", maxsplit=1)[0].upper()
        encrypted = self._tls is not None
        reply = self._replies.get("tls " + verb) if encrypted else None
        reply = self._replies.get(verb) if reply is None else reply
        if reply is not None:
            self._say(reply)
            self._deaf = verb == "STARTTLS" and reply.startswith(b"220")
            self._in_message = verb == "DATA" and reply.startswith(b"354")
            return
        if verb == "EHLO":
            lines = [b"mail.example.test", *self._ehlo[encrypted]]
            self._say(
                b"".join(b"250%s%s\r\n" % (b" " if each is lines[-1] else b"-", each) for each in lines)
            )
        elif verb == "STARTTLS":
            self._output += b"220 2.0.0 go ahead\r\n"
            self._start_tls()
        elif verb == "AUTH":
            self._authenticate(line.split(" ")[1:])
        elif verb == "QUIT":
            self._say(b"221 2.0.0 bye\r\n")
            self.closed = True
        else:
            self._say(b"250 2.0.0 ok\r\n")

    def _take_line(self, line: str) -> None:
        self.message = [*(self.message or []), line]
        if line == ".":
            self._in_message = False
            self._say(self._replies.get(".", b"250 2.0.0 Ok: queued as FAR0001\r\n"))

    def _authenticate(self, words: list[str]) -> None:
        self._mechanism = words[0]
        self._answers: list[str] = words[1:]
        prompts = {
            "PLAIN": [""],
            "LOGIN": ["Username:", "Password:"],
            "CRAM-MD5": ["<1.2@mail>"],
            "XOAUTH2": [""],
        }
        if self._mechanism.startswith("SCRAM-"):
            self._scram = ScramServer(self._mechanism)
            self._say(self._scram.reply(words[1]))
            self._challenges = ["server-first"]
            return
        self._challenges = prompts[self._mechanism][len(self._answers) :]
        self._ask_or_decide()

    def _go_on(self, line: str) -> None:
        self._challenges.pop(0)
        if self._mechanism.startswith("SCRAM-"):
            answer = self._scram.reply(line)
            self._say(answer)
            self._challenges = ["server-final"] if answer.startswith(b"334") else []
            return
        self._answers.append(line)
        self._ask_or_decide()

    def _ask_or_decide(self) -> None:
        if self._challenges:
            self._say(b"334 " + base64.b64encode(self._challenges[0].encode()) + b"\r\n")
            return
        digest = hmac.new(PASSWORD.encode(), b"<1.2@mail>", "md5").hexdigest()
        right = {
            "PLAIN": [f"\0{USERNAME}\0{PASSWORD}"],
            "LOGIN": [USERNAME, PASSWORD],
            "CRAM-MD5": [f"{USERNAME} {digest}"],
            "XOAUTH2": [f"user={USERNAME}\1auth=Bearer {PASSWORD}\1\1"],
        }[self._mechanism]
        given = [base64.b64decode(answer).decode() for answer in self._answers]
        if given == right:
            self._say(b"235 2.7.0 welcome\r\n")
        elif self._mechanism == "XOAUTH2" and given[-1]:
            self._challenges = ["{}"]
            self._say(b"334 " + base64.b64encode(b'{"status":"401"}') + b"\r\n")
        else:
            self._say(b"535 5.7.8 go away\r\n")


POLICY = TlsPolicy(CA)


def session(
    tls: str = "starttls",
    password: str | None = None,
    mechanism: str = "auto",
    host: str = NAME,
    port: int = 587,
    **settings: Any,
) -> Session:
    credentials = Credentials(USERNAME, password, mechanism) if password is not None else None
    more = {key: settings.pop(key) for key in ("chain", "plain") if key in settings}
    return Session(
        Endpoint(host, port, tls, None, credentials),
        Settings("client.example.test", NOW, **settings),
        POLICY.context,
        **more,
    )


def whole(data: bytes) -> list[bytes]:
    return [data]


def single_bytes(data: bytes) -> list[bytes]:
    return [data[position : position + 1] for position in range(len(data))]


class CutAt:
    """Cuts the whole stream once, behind so many bytes."""

    def __init__(self, position: int) -> None:
        self.left = position

    def __call__(self, data: bytes) -> list[bytes]:
        here, self.left = self.left, self.left - len(data)
        return [data[:here], data[here:]] if 0 < here < len(data) else [data]


def talk(client: Session, server: MailServer, cut: Callable[[bytes], list[bytes]] = whole) -> int:
    """Let the two talk until one has enough; how many bytes the server sent."""
    client.begin()
    sent = 0
    incoming = server.open()
    for _turn in range(100):
        sent += len(incoming)
        outgoing = client.take()
        for part in cut(incoming) if incoming else ():
            client.receive(part)
            outgoing += client.take()
        if server.closed:
            client.receive(b"")
        if client.closed:
            return sent
        incoming = server.receive(outgoing) if outgoing else b""
        if not incoming and not outgoing:
            client.expire(5.0)
    raise AssertionError("they talk for ever")


Serve = Callable[[socket.socket], None]


class Listener:
    """Serves each connection in a thread, each with the next of the behaviours, all later ones with the last."""

    def __init__(self, *serve: Serve, address: str = "127.0.0.1", port: int = 0) -> None:
        self._serve = serve
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listening = socket.create_server((address, port), family=family, backlog=128)
        self.port: int = self._listening.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_error: object) -> None:
        # Closing alone does not wake the thread that accepts.
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _peer = self._listening.accept()
            except OSError:
                return
            serve = self._serve[min(self.connections, len(self._serve) - 1)]
            self.connections += 1
            threading.Thread(target=self._run, args=(serve, connection), daemon=True).start()

    @staticmethod
    def _run(serve: Serve, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            serve(connection)


def smtp(**how: Any) -> Serve:
    """A MailServer on a socket."""

    def serve(connection: socket.socket) -> None:
        server = MailServer(**how)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(server.open())
        while not server.closed:
            data = connection.recv(16384)
            if not data:
                return
            connection.sendall(server.receive(data))

    return serve


def says(*words: bytes) -> Serve:
    """Says something, and keeps the connection."""

    def serve(connection: socket.socket) -> None:
        for word in words:
            connection.sendall(word)
        while connection.recv(16384):
            pass

    return serve


def closes(connection: socket.socket) -> None:
    """Closes at once."""
