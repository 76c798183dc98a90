"""A relay that takes everything and keeps how each client gave itself: a line of JSON for each session.

Usage: recorder.py PORT FILE
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import socket
import socketserver
import sys
from pathlib import Path


class Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        seen = {"peer": self.client_address[0].replace("::ffff:", "")}
        self.say("220 recorder ESMTP")
        for line in self.rfile:
            text = line.decode("latin-1").strip()
            verb = text[:4].upper()
            if verb == "EHLO":
                seen["ehlo"] = text[5:]
                self.say("250-recorder", "250 8BITMIME")
            elif verb == "MAIL":
                seen["mail_from"] = text.partition("<")[2].partition(">")[0]
                self.say("250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                self.say("250 kept")
            else:
                self.say("221 bye" if verb == "QUIT" else "250 ok")
            if verb == "QUIT":
                break
        with Path(sys.argv[2]).open("a") as file:
            file.write(json.dumps(seen) + "\n")

    def say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


if __name__ == "__main__":
    Server(("::", int(sys.argv[1])), Session).serve_forever()
