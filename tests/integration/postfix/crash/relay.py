"""A relay on loopback that wants STARTTLS and a login, and remembers every recipient; runs inside the host."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from typing import Any, Mapping

CERTIFICATE = ("/etc/ssl/certs/ssl-cert-snakeoil.pem", "/etc/ssl/private/ssl-cert-snakeoil.key")


class _Handler(socketserver.StreamRequestHandler):
    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")
        self.wfile.flush()

    def handle(self) -> None:
        relay: Relay = self.server.relay  # type: ignore[attr-defined]
        port = self.server.server_address[1]
        known, greeted, encrypted, logged_in = relay.passwords[port], "", False, False
        recipients: list[str] = []
        self.say("220 relay.test ESMTP")
        while line := self.rfile.readline().decode("ascii", "replace").strip():
            word = line.upper()
            if word.startswith("EHLO"):
                greeted = line[5:]
                self.say(
                    "250-relay.test\r\n250 AUTH PLAIN" if encrypted else "250-relay.test\r\n250 STARTTLS"
                )
            elif word == "STARTTLS":
                self.say("220 go ahead")
                self.connection = relay.context.wrap_socket(self.connection, server_side=True)
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
                encrypted = True
            elif word.startswith("AUTH PLAIN "):
                logged_in = base64.b64decode(line[11:]).decode().split("\0")[1:] == ["joe", known]
                self.say("235 welcome" if logged_in else "535 5.7.8 no such password here")
            elif word.startswith("MAIL") and not logged_in:
                self.say("530 5.7.0 log in first")
            elif word.startswith("RCPT"):
                recipients.append(line[line.index("<") + 1 : line.index(">")])
                self.say("250 yes")
            elif word == "DATA":
                self.say("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                relay.keep(port, known, greeted, recipients)
                recipients = []
                self.say("250 kept")
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 yes")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no news here."""


class Relay:
    """Listens on the given ports; on each it knows one password, that of the user joe."""

    def __init__(self, passwords: Mapping[int, str]) -> None:
        self.passwords = passwords
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*CERTIFICATE)
        self._lock = threading.Lock()
        self._kept: list[tuple[int, str, str, str]] = []
        self._servers: list[_Server] = []

    def __enter__(self) -> Relay:
        for port in self.passwords:
            server = _Server(("127.0.0.1", port), _Handler)
            server.relay = self  # type: ignore[attr-defined]
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            self._servers.append(server)
        return self

    def __exit__(self, *_reason: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def keep(self, port: int, password: str, greeted: str, recipients: list[str]) -> None:
        with self._lock:
            self._kept += [(port, password, greeted, recipient) for recipient in recipients]

    def deliveries(self, name: str) -> list[tuple[int, str, str, str]]:
        """Port, password, greeting name and recipient of each delivery of the mail with that name."""
        with self._lock:
            return [each for each in self._kept if f"+{name}@" in each[3]]
