"""A relay on the loopback interface that takes everybody's envelope: in the clear, or with a certificate that ends soon."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import datetime
import socket
import socketserver
import ssl
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "world"))

from certificates import NOW, Recipe, chain

ANSWERS = {b"EHLO": b"250-relay.example.com\r\n250 8BITMIME", b"QUIT": b"221 Bye", b"AUTH": b"535 No"}
# Half a day more, for a test that runs over midnight.
DAYS_LEFT = 9


class Conversation(socketserver.StreamRequestHandler):
    greeting = b"220 relay.example.com ESMTP"

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(self.greeting + b"\r\n")
            for line in self.rfile:
                command = line[:4].upper()
                self.wfile.write(ANSWERS.get(command, b"250 Ok") + b"\r\n")
                if command == b"QUIT":
                    return


class Relay(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    context: ssl.SSLContext | None = None

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        if self.context:
            connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, _request: object, _address: object) -> None:
        """A client that hangs up in the middle is none of ours."""


def _context() -> ssl.SSLContext:
    after = NOW + datetime.timedelta(days=DAYS_LEFT, hours=12)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(chain(Recipe(("localhost",), after=after)))
        file.flush()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file.name)
    return context


@contextlib.contextmanager
def relay(tls: bool = False, greeting: bytes = b"") -> Iterator[int]:
    """Its port."""
    handler = type("Own", (Conversation,), {"greeting": greeting}) if greeting else Conversation
    with Relay(("127.0.0.1", 0), handler) as server:
        server.context = _context() if tls else None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def closed() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
