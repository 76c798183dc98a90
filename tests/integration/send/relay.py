"""A relay that does with each recipient what its name says: takes it, defers it, refuses it, or defers it once.

A program of its own: relay.py PORT FILE. Each message that it takes is a line of the file: sender, recipients and text,
as JSON.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

import json
import socketserver
import sys

SEEN = set()


class Relay(socketserver.StreamRequestHandler):
    def handle(self):
        self.say("220 relay.test ESMTP")
        sender, recipients = "", []
        for raw in self.rfile:
            line = raw.decode("utf-8", "backslashreplace").strip()
            verb = line[:4].upper()
            if verb == "EHLO":
                self.say("250-relay.test", "250-8BITMIME", "250-SIZE 100000", "250 ENHANCEDSTATUSCODES")
            elif verb == "MAIL":
                sender, recipients = line.partition("<")[2].partition(">")[0], []
                self.say("250 2.1.0 Ok")
            elif verb == "RCPT":
                address = line.partition("<")[2].partition(">")[0]
                answer = self.answer(address)
                recipients += [address] if answer.startswith("250") else []
                self.say(answer)
            elif verb == "DATA":
                self.say("354 go on")
                text = b"".join(iter(self.rfile.readline, b".\r\n")).decode("utf-8", "backslashreplace")
                if "refuse this text" in text:
                    self.say("554 5.7.1 not this text")
                    continue
                with open(sys.argv[2], "a") as file:
                    file.write(json.dumps([sender, recipients, text]) + "\n")
                self.say("250 2.0.0 Ok: queued as FAR%06d" % len(SEEN))
            else:
                self.say("221 2.0.0 bye" if verb == "QUIT" else "250 2.0.0 Ok")
                if verb == "QUIT":
                    return

    def answer(self, address):
        if address.startswith("defer"):
            return "451 4.7.1 come back, status=sent (250 ok)"
        if address.startswith("bounce"):
            return "550 5.1.1 nobody of that name"
        if address.startswith("grey") and address not in SEEN:
            SEEN.add(address)
            return "450 4.2.0 greylisted"
        return "250 2.1.5 Ok"

    def say(self, *lines):
        self.wfile.write("".join(line + "\r\n" for line in lines).encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Relay).serve_forever()
