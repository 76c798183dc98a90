"""Asks SMTP servers to relay, from addresses of strangers: runs in their network namespace.

Reads a JSON list of errands, and writes what came of each: which of its ways was let through, and the last reply. A
way is one connection; on it every sender is tried with every recipient. What is accepted is sent with the errand's
name in it: with one recipient, with two, and by BDAT; of an errand that is "rcpt_only", nothing is sent.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import json
import socket
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

PATIENCE = 12
CERTIFICATE = ("/etc/ssl/certs/ssl-cert-snakeoil.pem", "/etc/ssl/private/ssl-cert-snakeoil.key")


class Refused(Exception):
    """The server hangs up, or does not let the client begin."""


class Client:
    def __init__(self, server: str, port: int, way: dict[str, Any]) -> None:
        self.socket = socket.create_connection(
            (server, port), way.get("patience", PATIENCE), (way["from"], 0)
        )
        self.replies = self.socket.makefile("rb")
        if way.get("proxy"):
            self.socket.sendall(way["proxy"].encode() + b"\r\n")
        self.expect(self.reply())
        if way.get("tls"):
            self.expect(self.say("EHLO mail.stranger.example"))
            self.expect(self.say("STARTTLS"))
            context = ssl._create_unverified_context()
            context.load_cert_chain(*CERTIFICATE)
            self.socket = context.wrap_socket(self.socket)
            self.replies = self.socket.makefile("rb")
        if way.get("helo"):
            self.expect(self.say(f"EHLO {way['helo']}"))
        if way.get("xclient"):
            self.expect(self.say(f"XCLIENT {way['xclient']}"))
            self.expect(self.say(f"EHLO {way['helo']}"))

    def reply(self) -> str:
        while True:
            line = self.replies.readline().decode("latin-1")
            if line[3:4] != "-":
                if not line or line.startswith("421"):
                    raise Refused(line or "hung up")
                return line.strip()

    def say(self, text: str) -> str:
        self.socket.sendall(text.encode() + b"\r\n")
        return self.reply()

    @staticmethod
    def expect(reply: str) -> None:
        if reply[0] not in "23":
            raise Refused(reply)

    def ask(self, sender: str, recipients: list[str]) -> str:
        """The first refusal, or the reply to the last recipient."""
        self.say("RSET")
        reply = self.say(f"MAIL FROM:<{sender}>")
        for recipient in recipients if reply[0] == "2" else ():
            reply = self.say(f"RCPT TO:<{recipient}>")
            if reply[0] != "2":
                break
        return reply

    def ask_at_once(self, sender: str, recipients: list[str]) -> list[str]:
        """The replies to all recipients; the one to MAIL FROM where that is refused."""
        commands = [f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{each}>" for each in recipients), "RSET"]
        self.socket.sendall("".join(f"{each}\r\n" for each in commands).encode())
        first, *replies, _reset = [self.reply() for _command in commands]
        return replies if first[0] == "2" else [first]

    def send(self, name: str, chunk: bool) -> str:
        message = f"Subject: {name}\r\n\r\nRelay this.\r\n"
        if chunk:
            return self.say(f"BDAT {len(message)} LAST\r\n{message}"[:-2])
        reply = self.say("DATA")
        return self.say(message + ".") if reply[0] == "3" else reply


def run(server: dict[str, str], errand: dict[str, Any]) -> dict[str, Any]:
    outcome: dict[str, Any] = {"name": errand["name"], "open": False, "asked": 0, "last": ""}
    for way in errand["ways"]:
        try:
            address = server["ipv6" if ":" in way["from"] else "ipv4"]
            if way.get("qmqp"):
                outcome["asked"] += 1
                outcome["last"] = qmqp(address, errand, way)
            else:
                smtp(Client(address, errand["port"], way), errand, outcome)
        except TimeoutError:
            # Its daemon does not start: it will not for the other ways.
            return {**outcome, "last": "timed out"}
        except (OSError, Refused) as error:
            outcome["last"] = str(error)
        if outcome["open"] or outcome["last"].startswith("K"):
            return {**outcome, "open": True, "way": way}
    return outcome


def smtp(client: Client, errand: dict[str, Any], outcome: dict[str, Any]) -> None:
    if errand.get("rcpt_only"):
        for sender in errand["senders"]:
            replies = client.ask_at_once(sender, errand["recipients"])
            outcome["asked"] += len(replies)
            outcome["last"], outcome["sender"] = replies[-1], sender
            outcome["open"] = outcome["open"] or any(each[0] == "2" for each in replies)
            if outcome["open"]:
                return
        return
    for sender, recipient in itertools.product(errand["senders"], errand["recipients"]):
        outcome["asked"] += 1
        outcome["last"] = client.ask(sender, [recipient])
        if outcome["last"][0] != "2":
            continue
        outcome["sender"], outcome["recipient"] = sender, recipient
        for recipients, chunk in (([recipient], False), ([recipient] * 2, False), ([recipient] * 2, True)):
            if client.ask(sender, recipients)[0] == "2":
                outcome["last"] = client.send(errand["name"], chunk)
            if outcome["last"][0] == "2":
                outcome["open"] = True
                return


def qmqp(address: str, errand: dict[str, Any], way: dict[str, Any]) -> str:
    """qmqpd(8) answers with a netstring that begins with K where it takes the message."""

    def netstring(text: str) -> str:
        return f"{len(text)}:{text},"

    parts = (f"Subject: {errand['name']}\n\nRelay this.\n", errand["senders"][0], errand["recipients"][0])
    with socket.create_connection((address, errand["port"]), PATIENCE, (way["from"], 0)) as connection:
        connection.sendall(netstring("".join(map(netstring, parts))).encode())
        said = b"".join(iter(lambda: connection.recv(1000), b"")).decode("latin-1")
    return said.partition(":")[2] or "hung up"


if __name__ == "__main__":
    given = json.load(sys.stdin)
    with ThreadPoolExecutor(6) as pool:
        json.dump(list(pool.map(lambda each: run(given["server"], each), given["errands"])), sys.stdout)
