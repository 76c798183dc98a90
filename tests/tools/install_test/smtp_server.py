"""The least SMTP server on loopback that a probe without TLS finds usable.

Prints its port and one that is closed, as JSON.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import socket
import socketserver


class Session(socketserver.StreamRequestHandler):
    """Greets, answers EHLO with one keyword, and closes on QUIT."""

    def handle(self) -> None:
        self.wfile.write(b"220 loopback.test ESMTP\r\n")
        for line in self.rfile:
            command = line.split()[0].upper() if line.split() else b""
            if command == b"EHLO":
                self.wfile.write(b"250-loopback.test\r\n250 PIPELINING\r\n")
            elif command == b"QUIT":
                self.wfile.write(b"221 2.0.0 Bye\r\n")
                return
            else:
                self.wfile.write(b"502 5.5.1 Not here\r\n")


if __name__ == "__main__":
    # Bound and never listening: nothing else can take this port, and a connection to it is refused.
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.daemon_threads = True
        ports = {"open_port": server.server_address[1], "closed_port": closed.getsockname()[1]}
        print(json.dumps(ports), flush=True)
        server.serve_forever()
