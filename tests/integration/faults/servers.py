"""What the servers of the fault table can do.

A Peer (one accepted connection, seen from the server) and Smtp, an orderly server of which a case overrides what it
wants wrong.

Rule of this file: a server does what its case says and never judges; whatever reaches it in clear is kept, so that a
test can look for what should not be there.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import socket
import ssl
import struct
import threading
import time
from pathlib import Path
from typing import Any, Callable, Mapping, NamedTuple, Union

# Longer than any deadline of the client: a server that holds on to a connection outlasts the probe.
PATIENCE = 30.0

USERNAME = "postmaster@fault.test"
PASSWORD = "s3cret: Ünïcode"
TOKEN = "ya29.t0ken-of-the-faults"
# Longer than a command line may be.
LONG_TOKEN = TOKEN * 100


class Gone(Exception):
    """The client has closed, or stayed away longer than PATIENCE."""


class Peer:
    """The client of one connection."""

    def __init__(self, connection: socket.socket, host: Host, number: int) -> None:
        self._socket: Any = connection
        self._buffer = b""
        self.host = host
        self.number = number
        """How many connections this host has had, this one included."""
        self.encrypted = False
        self.record: dict[str, Any] = {"client": connection.getpeername()[0], "clear": b"", "commands": []}
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def say(self, words: str | bytes) -> None:
        """Send; text is one line or several, and gets its CR LF."""
        if isinstance(words, str):
            words = words.replace("{name}", self.host.name).encode("utf-8") + b"\r\n"
        try:
            self._socket.sendall(words)
        except OSError as error:
            raise Gone from error

    def drip(self, words: bytes, pause: float) -> None:
        """Send one byte at a time."""
        for byte in words:
            self.say(bytes([byte]))
            time.sleep(pause)

    def flood(self, words: bytes) -> None:
        """Send the same again and again until the client has had enough."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            self.say(words * 64)

    def _receive(self) -> bytes:
        try:
            data: bytes = self._socket.recv(65536)
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        if not self.encrypted:
            self.record["clear"] += data
        return data

    def hear(self) -> str:
        """The next line of the client, without its end."""
        while b"\n" not in self._buffer:
            self._buffer += self._receive()
        line, _, self._buffer = self._buffer.partition(b"\n")
        text = line.rstrip(b"\r").decode("utf-8", "backslashreplace")
        self.record["commands"].append(text)
        return text

    def hear_anything(self) -> bytes:
        """Whatever the client sends first."""
        return self._receive()

    def hold(self) -> None:
        """Say nothing more, and keep the connection until the client closes it."""
        with contextlib.suppress(Gone):
            while True:
                self._receive()
        raise Gone

    def has_more(self) -> bool:
        """Whether something came behind the line heard last."""
        return bool(self._buffer)

    def forget(self) -> None:
        """Drop what was received and not yet heard."""
        self._buffer = b""

    def close(self) -> None:
        raise Gone

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()
        raise Gone

    def encrypt(self, context: ssl.SSLContext | None = None) -> None:
        try:
            self._socket = (context or self.host.context()).wrap_socket(self._socket, server_side=True)
        except (OSError, ValueError) as error:
            raise Gone from error
        self.encrypted = True
        self.record["tls"] = self._socket.version()

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()


Serve = Callable[[Peer], None]
# What a case puts in the place of a reply: words, or something to do.
Action = Union[str, bytes, Callable[[Peer], Any]]
Step = Union[Action, float]


def act(peer: Peer, action: Action) -> None:
    if callable(action):
        action(peer)
    else:
        peer.say(action)


def reset(peer: Peer) -> None:
    peer.reset()


def close(peer: Peer) -> None:
    peer.close()


def hold(peer: Peer) -> None:
    peer.hold()


def then(*actions: Step) -> Serve:
    """One after the other; a number is a pause in seconds."""

    def serve(peer: Peer) -> None:
        for action in actions:
            if isinstance(action, (int, float)):
                time.sleep(action)
            else:
                act(peer, action)

    return serve


def first(*actions: Action) -> Serve:
    """Each connection gets the next of the actions, all later ones the last."""
    return lambda peer: act(peer, actions[min(peer.number, len(actions)) - 1])


def b64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")


class Tls(NamedTuple):
    """How a server speaks TLS."""

    newest: ssl.TLSVersion | None = None
    oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    ciphers: str = "DEFAULT"
    client_certificate: ssl.VerifyMode = ssl.CERT_NONE
    weak_prime: bool = False
    """Diffie-Hellman over 1024 bits."""
    by_name: bool = False
    """Serve the certificate only to a client that names the host (SNI), and an alert to others."""


class Smtp:
    """An orderly mail server. ``replies`` replaces what it answers to a verb; ``tls VERB`` does so under TLS only."""

    def __init__(
        self,
        greeting: Action = "220 {name} ESMTP ready",
        ehlo: tuple[str, ...] = ("PIPELINING", "SIZE 10240000", "STARTTLS", "8BITMIME"),
        ehlo_tls: tuple[str, ...] | None = None,
        auth: str = "",
        accepts: bool = True,
        implicit: bool = False,
        keeps_pipelined: bool = False,
        tls: Tls | None = None,
        replies: Mapping[str, Action] | None = None,
    ) -> None:
        self.greeting = greeting
        self.ehlo = ehlo
        self.ehlo_tls = (
            tuple(line for line in ehlo if line.upper() != "STARTTLS") if ehlo_tls is None else ehlo_tls
        )
        if auth:
            self.ehlo_tls += ("AUTH " + auth,)
        self.accepts = accepts
        self.implicit = implicit
        self.keeps_pipelined = keeps_pipelined
        self.tls = tls or Tls()
        self.replies = replies or {}

    def __call__(self, peer: Peer) -> None:
        if self.implicit:
            peer.encrypt()
        act(peer, self.greeting)
        while True:
            line = peer.hear()
            verb = line.partition(" ")[0].upper()
            override = self.replies.get("tls " + verb) if peer.encrypted else None
            override = self.replies.get(verb) if override is None else override
            if override is not None:
                act(peer, override)
            else:
                self._answer(peer, verb, line)
            if verb == "QUIT":
                return

    def _answer(self, peer: Peer, verb: str, line: str) -> None:
        if verb in ("EHLO", "HELO"):
            lines = ["{name}"]
            if verb == "EHLO":
                lines += self.ehlo_tls if peer.encrypted else self.ehlo
            peer.say("\r\n".join("250%s%s" % (" " if each is lines[-1] else "-", each) for each in lines))
        elif verb == "STARTTLS":
            peer.say("220 2.0.0 Ready to start TLS")
            if not self.keeps_pipelined:
                peer.forget()
            peer.encrypt()
        elif verb == "AUTH":
            self._authenticate(peer, line)
        elif verb == "QUIT":
            peer.say("221 2.0.0 Bye")
        elif verb in ("MAIL", "RCPT", "RSET", "NOOP"):
            peer.say("250 2.0.0 Ok")
        else:
            peer.say("500 5.5.2 Error: command not recognized")

    def _authenticate(self, peer: Peer, line: str) -> None:
        words = line.split()
        mechanism = words[1].upper()
        initial = words[2] if len(words) > 2 else None

        def ask(prompt: str = "") -> str:
            peer.say("334 " + prompt)
            return peer.hear()

        if mechanism == "PLAIN":
            right = (initial or ask()) == b64("\0%s\0%s" % (USERNAME, PASSWORD))
        elif mechanism == "LOGIN":
            username = initial or ask(b64("Username:"))
            right = (username, ask(b64("Password:"))) == (b64(USERNAME), b64(PASSWORD))
        elif mechanism == "CRAM-MD5":
            challenge = "<1896.697170952@fault.test>"
            digest = hmac.new(PASSWORD.encode("utf-8"), challenge.encode("ascii"), "md5").hexdigest()
            right = ask(b64(challenge)) == b64("%s %s" % (USERNAME, digest))
        elif mechanism == "XOAUTH2":
            tokens = [
                b64("user=%s\x01auth=Bearer %s\x01\x01" % (USERNAME, token)) for token in (TOKEN, LONG_TOKEN)
            ]
            right = len(line) <= 510 and (initial or ask()) in tokens
            if not (right and self.accepts):
                # The error comes as a challenge; the client answers with an empty line to hear the verdict.
                ask(b64(json.dumps({"status": "401", "schemes": "bearer"})))
        else:
            peer.say("504 5.5.4 Unrecognized authentication type")
            return
        peer.say(
            "235 2.7.0 Authentication successful"
            if right and self.accepts
            else "535 5.7.8 Bad username or password"
        )


class Host:
    """The server of one case: what it does, its certificate, and what has come in."""

    def __init__(self, name: str, serve: Serve, certificate: str, ca_file: str) -> None:
        self.name = name
        self.records: list[dict[str, Any]] = []
        self._serve = serve
        self._certificate = certificate
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = None
        self.open_now = 0
        self._lock = threading.Lock()

    def context(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                self._context = self._make_context(getattr(self._serve, "tls", Tls()))
            return self._context

    def _make_context(self, tls: Tls) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers(tls.ciphers + ":@SECLEVEL=0")
        context.minimum_version = tls.oldest
        if tls.newest is not None:
            context.maximum_version = tls.newest
        context.verify_mode = tls.client_certificate
        if tls.client_certificate != ssl.CERT_NONE:
            context.load_verify_locations(self._ca_file)
        context.load_cert_chain(self._certificate)
        if tls.weak_prime:
            context.load_dh_params(str(Path(self._ca_file).with_name("dh.pem")))
        if tls.by_name:
            context.sni_callback = self._check_name
        return context

    def _check_name(self, connection: Any, asked: str | None, context: ssl.SSLContext) -> int | None:
        return None if asked == self.name else int(ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)

    def meet(self, connection: socket.socket) -> None:
        """Serve one connection, in a thread of its own."""
        with self._lock:
            self.open_now += 1
            try:
                peer = Peer(connection, self, len(self.records) + 1)
            except OSError:
                self.open_now -= 1
                return
            self.records.append(peer.record)
        threading.Thread(target=self._run, args=(peer,), daemon=True).start()

    def _run(self, peer: Peer) -> None:
        try:
            self._serve(peer)
        except Gone:
            pass
        finally:
            peer.end()
            with self._lock:
                self.open_now -= 1
