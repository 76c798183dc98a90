"""Asks the listeners of a mail server what a stranger would try, and prints as JSON what they said.

The rules of this file: it asks and judges nothing, and it is all that is needed where it runs (Python 3.8, the standard
library): on the host, on the controller, on another host. No message is ever sent: RCPT is followed by RSET, and where
a listener is tried with DATA, the message has no end, and more Received lines than any server takes (hopcount_limit).
The login that is tried is nobody's.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import json
import re
import socket
import ssl
import struct
import sys
import time
from typing import Any, NamedTuple

# Reserved by RFC 2606 and RFC 5737: nobody's, so no server may take mail for them from a stranger.
FOREIGN, STRANGER, ELSEWHERE = "example.org", "example.net", "192.0.2.1"
USER = "open-relay-test"
NOBODY = "mailops-verify-nobody"


class Shape(NamedTuple):
    """An envelope that must be refused to a stranger. `needs`: what makes the recipient a route to somebody else.

    {d} is a domain of the server, {a} its address, {p} the plain foreign recipient, {u} its user, {f} its domain, {s}
    another foreign domain.
    """

    name: str
    recipient: str = "<{p}>"
    sender: str = "<>"
    needs: str = ""
    mail: str = "MAIL FROM:"
    rcpt: str = "RCPT TO:"


# What an address needs to be a route: @host: always is one; the others where Postfix reads them so.
ROUTE, PERCENT, BANG, QUOTES = "route", "percent", "bang", "quotes"

SHAPES = (
    # Senders
    Shape("null sender"),
    Shape("foreign sender", sender="<{u}@{s}>"),
    Shape("own domain as sender", sender="<{u}@{d}>"),
    Shape("own postmaster as sender", sender="<postmaster@{d}>"),
    Shape("root at localhost as sender", sender="<root@localhost>"),
    Shape("sender without a domain", sender="<root>"),
    Shape("sender at the server's address", sender="<{u}@{a}>"),
    Shape("sender is recipient", sender="<{p}>"),
    # Foreign recipients, as they may be written
    Shape("upper case", "<OPEN-RELAY-TEST@EXAMPLE.ORG>"),
    Shape("lower-case commands", mail="mail from:", rcpt="rcpt to:"),
    Shape("trailing dot", "<{p}.>"),
    Shape("no brackets", "{p}"),
    Shape("blank before the brackets", " <{p}>", " <>"),
    Shape("blanks in the brackets", "< {p} >"),
    Shape("tab after the brackets", "<{p}>\t"),
    Shape("blanks around the at sign", "<{u} @ {f}>"),
    Shape("own address before the brackets", '"postmaster@{d}" <{p}>'),
    Shape("comment", "<{u}({d})@{f}>"),
    Shape("quoted user", '<"{u}"@{f}>'),
    Shape("own original recipient", "<{p}> ORCPT=rfc822;postmaster@{d}"),
    Shape("address of another host", "<{u}@[" + ELSEWHERE + "]>"),
    Shape("IPv6 address of another host", "<{u}@[IPv6:2001:db8::1]>"),
    Shape("address without brackets", "<{u}@" + ELSEWHERE + ">"),
    Shape("UTF-8", "<{u}-\u00e9@{f}>"),
    Shape("declared UTF-8", "<{u}@b\u00fccher.example>", "<> SMTPUTF8"),
    Shape("own domain as user", "<{d}@{f}>"),
    # Routes through the server
    Shape("source route", "<@{d}:{p}>", needs=ROUTE),
    Shape("source route by address", "<@{a}:{p}>", needs=ROUTE),
    Shape("source route over two", "<@{d},@{s}:{p}>", needs=ROUTE),
    Shape("source route over others", "<@{s}:{p}>", needs=ROUTE),
    Shape("percent hack", "<{u}%{f}@{d}>", needs=PERCENT),
    Shape("percent hack by address", "<{u}%{f}@{a}>", needs=PERCENT),
    Shape("percent hack alone", "<{u}%{f}>", needs=PERCENT),
    Shape("percent hack twice", "<{u}%{f}%{d}@{d}>", needs=PERCENT),
    Shape("bang path", "<{f}!{u}@{d}>", needs=BANG),
    Shape("bang path by address", "<{f}!{u}@{a}>", needs=BANG),
    Shape("bang path alone", "<{f}!{u}>", needs=BANG),
    Shape("bang path and percent hack", "<{f}!{u}%{d}@{d}>", needs=f"{BANG} {PERCENT}"),
    Shape("two at signs", "<{p}@{d}>", needs=QUOTES),
    Shape("two at signs, by address", "<{p}@{a}>", needs=QUOTES),
    Shape("quotes", '<"{p}"@{d}>', needs=QUOTES),
    Shape("quotes, by address", '<"{p}"@{a}>', needs=QUOTES),
    Shape("quotes alone", '<"{p}">', needs=QUOTES),
    Shape("quoted percent hack", '<"{u}%{f}"@{d}>', needs=f"{QUOTES} {PERCENT}"),
    Shape("quoted bang path", '<"{f}!{u}"@{d}>', needs=f"{QUOTES} {BANG}"),
    Shape("backslash", "<{u}\\@{f}@{d}>", needs=f"{QUOTES} user"),
    Shape("quotes in quotes", '<"\\"{p}\\""@{d}>', needs=f"{QUOTES} user"),
)
"""`user`: where the server refuses users that it does not have, else it may well be one of these."""

# What ends a message to some servers, and is text to others.
ENDS = {
    "LF.LF": b"\n.\n",
    "LF.CRLF": b"\n.\r\n",
    "CRLF.LF": b"\r\n.\n",
    "CR.CR": b"\r.\r",
    "CR.CRLF": b"\r.\r\n",
    "CR.LF": b"\r.\n",
    "LF.CR": b"\n.\r",
    "CRLF.CR": b"\r\n.\r",
    "CRCRLF.CRCRLF": b"\r\r\n.\r\r\n",
    "CRLF.NULCRLF": b"\r\n.\x00\r\n",
    "CRLF NUL.CRLF": b"\r\n\x00.\r\n",
}

IMPLICIT = (465, 2465, 8465)
TLS_NAMES = {0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1"}
# ECDHE, DHE, RSA and anonymous suites with AES and 3DES: every server that has such a version at all has one of them.
CIPHERS = (0xC00A, 0xC014, 0x0039, 0x0035, 0xC009, 0xC013, 0x0033, 0x002F, 0xC008, 0xC012, 0x0016, 0x000A, 0x003A,
           0x0034, 0xC019, 0xC018)  # fmt: skip

SECONDS = 90
"""What one listener may take for all that it is asked; the rest is left out then."""
PATIENCE = 20
"""How long one answer may take: a server may well slow a wrong login down."""
# Fewer than smtpd_soft_error_limit, from which on each answer takes a second.
REFUSALS = 8
SLOW = 0.9
TAKEN = 3
"""A server that takes so many shapes is an open relay, and no more need be asked."""
SILENCE = 0.5


NO_ANSWER = "no answer"


class Closed(Exception):
    """The connection cannot be used any more."""


class Talk:
    """One connection to a listener, under TLS as soon as it is offered."""

    def __init__(self, connection: socket.socket, implicit: bool) -> None:
        self.tls, self.problem = "", ""
        self.socket = connection
        self.socket.settimeout(PATIENCE)
        self.source = self.socket.getsockname()[0]
        self.buffer = b""
        try:
            if implicit:
                self.encrypt()
            self.greeting = self.reply()
        except (OSError, Closed):
            self.socket.close()
            raise
        self.clear: dict[str, str] = {}
        self.offers: dict[str, str] = {}
        self.name = ""

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, *_error: Any) -> None:
        self.socket.close()

    def encrypt(self) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        wrapped = context.wrap_socket(self.socket)
        self.socket, self.tls, self.buffer = wrapped, wrapped.version() or "", b""

    def hello(self, starttls: bool = True) -> None:
        """EHLO, and again after STARTTLS where that is offered."""
        self.offers = self.ehlo()
        if not self.tls:
            self.clear = self.offers
        if not (starttls and not self.tls and "STARTTLS" in self.offers):
            return
        if self.say("STARTTLS")[0] != 220:
            self.problem = "STARTTLS is offered and then refused"
            return
        try:
            self.encrypt()
        except (OSError, ValueError) as error:
            self.problem = f"TLS failed: {error}"
            raise Closed(self.problem) from None
        self.offers = self.ehlo()

    def ehlo(self) -> dict[str, str]:
        literal = f"[IPv6:{self.source}]" if ":" in self.source else f"[{self.source}]"
        code, text = self.say(f"EHLO {literal}")
        if code != 250:
            return {}
        first, *lines = text.split("\n")
        self.name = first.split(" ")[0]
        pairs = (line.replace("=", " ", 1).partition(" ") for line in lines)
        found: dict[str, str] = {}
        for keyword, _blank, words in pairs:
            found[keyword.upper()] = f"{found.get(keyword.upper(), '')} {words}".strip()
        return found

    def say(self, line: str) -> tuple[int, str]:
        try:
            self.socket.sendall(line.encode() + b"\r\n")
        except OSError as error:
            raise Closed(str(error)) from None
        return self.reply()

    def reply(self, seconds: float = PATIENCE) -> tuple[int, str]:
        """Raises Closed where there is none."""
        lines = []
        deadline = time.monotonic() + seconds
        while True:
            line = self.line(deadline)
            lines.append(line[4:])
            if line[3:4] != "-":
                return int(line[:3]) if line[:3].isdigit() else 0, "\n".join(lines)

    def line(self, deadline: float) -> str:
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or len(self.buffer) > 10000:
                raise Closed(NO_ANSWER)
            self.socket.settimeout(left)
            try:
                more = self.socket.recv(4096)
            except socket.timeout:
                raise Closed(NO_ANSWER) from None
            except OSError as error:
                raise Closed(str(error)) from None
            if not more:
                raise Closed("the connection was closed")
            self.buffer += more
        line, _end, self.buffer = self.buffer.partition(b"\n")
        return line.decode("utf-8", "replace").rstrip("\r")


class Asking:
    """What one listener is asked, and `found`, what it said."""

    def __init__(self, listener: dict[str, Any], own: str, deadline: float) -> None:
        self.address, self.port, self.implicit = listener["address"], listener["port"], listener["implicit"]
        self.wrong_logins = listener.get("wrong_logins", 1)
        self.own, self.deadline = own, deadline
        self.found: dict[str, Any] = {
            "port": self.port,
            "reached": False,
            "source": "",
            "problem": "",
            "problems": {},
        }

    def connect(self, starttls: bool = True) -> Talk:
        if time.monotonic() > self.deadline:
            raise Closed("no time left")
        connection = socket.create_connection((self.address, self.port), 5)
        self.found.update(reached=True, source=connection.getsockname()[0])
        talk = Talk(connection, self.implicit)
        try:
            if talk.greeting[0] != 220:
                raise Closed(f"{talk.greeting[0]} {talk.greeting[1]}")
            talk.hello(starttls)
        except Closed:
            talk.socket.close()
            raise
        self.own = self.own or talk.name
        return talk

    # ------------------------------------------------------------------ envelopes

    def relay(self, skip: list[str]) -> None:
        """Each shape up to the answer to RCPT, in a few connections."""
        self.found.update(taken=[], refused=0, own={}, name="")
        shapes = [
            Shape("own", "<postmaster@{d}>"),
            Shape("user", "<" + NOBODY + "@{d}>"),
            *(shape for shape in SHAPES if not set(shape.needs.split()) & set(skip)),
        ]
        in_vain = 0
        while shapes and in_vain < 2 and len(self.found["taken"]) < TAKEN:
            left = len(shapes)
            try:
                with self.connect() as talk:
                    self.envelopes(talk, shapes)
            except (Closed, OSError) as error:
                self.found["problem"] = str(error)
            in_vain = 0 if len(shapes) < left else in_vain + 1
        self.found["unanswered"] = len(shapes) if len(self.found["taken"]) < TAKEN else 0

    def envelopes(self, talk: Talk, shapes: list[Shape]) -> None:
        """Takes from the front of the list what has been answered."""
        self.found.update(name=talk.name, clear=talk.clear, offers=talk.offers, tls=talk.tls)
        refusals = 0
        while shapes and refusals < REFUSALS and time.monotonic() < self.deadline:
            began = time.monotonic()
            shape = shapes[0]
            sender, recipient = (self.fill(text, talk) for text in (shape.sender, shape.recipient))
            code, text = talk.say(shape.mail + sender)
            if code < 400 and code:
                code, text = talk.say(shape.rcpt + recipient)
            if code == 421:
                raise Closed(f"{code} {text}")
            del shapes[0]
            self.note(shape, sender, recipient, code, text)
            refusals += code >= 400
            if len(self.found["taken"]) >= TAKEN or time.monotonic() - began > SLOW:
                break
            talk.say("RSET")
        with contextlib.suppress(Closed):
            talk.say("QUIT")

    def note(self, shape: Shape, sender: str, recipient: str, code: int, text: str) -> None:
        if shape.name in ("own", "user"):
            self.found["own"][shape.name] = [code, text]
        elif not 200 <= code < 400:
            self.found["refused"] += 1
        # A server that takes every user has this one too, whatever the address means.
        elif "user" not in shape.needs or self.found["own"].get("user", [0])[0] >= 400:
            self.found["taken"].append([shape.name, sender.strip(), recipient.strip(), f"{code} {text}"])

    def fill(self, text: str, talk: Talk) -> str:
        address = talk.socket.getpeername()[0]
        literal = f"[IPv6:{address}]" if ":" in address else f"[{address}]"
        words = {
            "d": self.own,
            "a": literal,
            "u": USER,
            "f": FOREIGN,
            "s": STRANGER,
            "p": f"{USER}@{FOREIGN}",
        }
        return re.sub(r"\{(\w)\}", lambda match: words[match[1]], text)

    # ------------------------------------------------------------------ names, logins

    def names(self) -> None:
        """VRFY of somebody who is there and of somebody who is not, and EXPN."""
        with self.connect() as talk:
            self.found["vrfy"] = {
                f"{command} {whom}": list(talk.say(f"{command} {whom}"))
                for command, whom in (("VRFY", "root"), ("VRFY", NOBODY), ("EXPN", "root"))
            }

    def logins(self) -> None:
        """A wrong login before TLS, then under TLS, with how long each answer took."""
        word = base64.b64encode(f"\0{NOBODY}\0{NOBODY}".encode()).decode()
        if not self.implicit:
            with self.connect(starttls=False) as talk:
                self.found["clear_login"] = [*talk.say(f"AUTH PLAIN {word}")]
        self.found["logins"] = []
        with self.connect() as talk:
            offered = talk.offers.get("AUTH", "").upper().split()
            if not talk.tls or not {"PLAIN", "LOGIN"} & set(offered):
                return
            for _try in range(self.wrong_logins):
                began = time.monotonic()
                code, text = self.login(talk, word, "PLAIN" in offered)
                self.found["logins"].append([code, text, round(time.monotonic() - began, 2)])
                if code == 421 or 200 <= code < 300:
                    break

    @staticmethod
    def login(talk: Talk, word: str, plain: bool) -> tuple[int, str]:
        if plain:
            return talk.say(f"AUTH PLAIN {word}")
        name = base64.b64encode(NOBODY.encode()).decode()
        code, text = talk.say("AUTH LOGIN")
        for _step in range(2):
            if code == 334:
                code, text = talk.say(name)
        return code, text

    # ------------------------------------------------------------------ TLS versions

    def versions(self) -> None:
        """Which of the old versions of TLS it takes. The first bytes are made here: no library forbids any of them."""
        self.found["versions"] = {}
        for number, name in TLS_NAMES.items():
            with contextlib.suppress(Closed, OSError):
                self.found["versions"][name] = self.takes_version(number)

    def takes_version(self, number: int) -> bool:
        with socket.create_connection((self.address, self.port), 5) as connection:
            connection.settimeout(10)
            if not self.implicit:
                self.starttls(connection)
            connection.sendall(client_hello(number))
            answer = b""
            with contextlib.suppress(OSError):
                while len(answer) < 11:
                    more = connection.recv(4096)
                    if not more:
                        break
                    answer += more
        # A record of the handshake (22) with a ServerHello (2) of that version.
        return answer[:1] == b"\x16" and answer[5:6] == b"\x02" and answer[9:11] == struct.pack(">H", number)

    @staticmethod
    def starttls(connection: socket.socket) -> None:
        for line, code in (("", b"220"), ("EHLO localhost", b"250"), ("STARTTLS", b"220")):
            if line:
                connection.sendall(f"{line}\r\n".encode())
            said = b""
            while not re.search(rb"(?m)^\d{3}(?: .*)?\r?\n\Z", said):
                more = connection.recv(4096)
                if not more:
                    raise Closed("the connection was closed")
                said += more
            if not said.startswith(code):
                raise Closed(said.decode("utf-8", "replace").strip())

    # ------------------------------------------------------------------ ends of messages

    def ends(self, hops: int) -> None:
        """Which sequences end a message that a stranger sends to a user of this server. All at once, then each."""
        self.found["ends"] = {}
        if self.found.get("own", {}).get("own", [0])[0] != 250:
            return
        said = self.ended(hops, list(ENDS.values()))
        if said is None:
            return
        self.found["ends_tried"] = True
        if said:
            for name, sequence in ENDS.items():
                self.found["ends"][name] = self.ended(hops, [sequence]) or []

    def ended(self, hops: int, sequences: list[bytes]) -> Any:
        """The answer to a message that has not ended, [] for none; None where no message may be begun."""
        with self.connect() as talk:
            if talk.say("MAIL FROM:<>")[0] != 250 or talk.say(f"RCPT TO:<postmaster@{self.own}>")[0] != 250:
                return None
            if talk.say("DATA")[0] != 354:
                return None
            now = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
            received = f"Received: from localhost by localhost; {now}\r\n".encode()
            text = received * (hops + 10) + b"Subject: not a message\r\n\r\n"
            try:
                talk.socket.sendall(text + b"".join(b"text" + each for each in sequences) + b"text")
            except OSError:
                return []
            try:
                return list(talk.reply(SILENCE))
            except Closed:
                return []


def client_hello(number: int) -> bytes:
    """RFC 5246, 7.4.1.2, for a version from SSL 3.0 to TLS 1.1: with groups and point formats, and nothing else."""
    version = struct.pack(">H", number)
    ciphers = b"".join(struct.pack(">H", each) for each in CIPHERS)
    # supported_groups (10): secp256r1, secp384r1, secp521r1; ec_point_formats (11): uncompressed.
    extensions = struct.pack(">HHH3H", 10, 8, 6, 23, 24, 25) + struct.pack(">HHBB", 11, 2, 1, 0)
    body = version + b"\x55" * 32 + b"\0" + struct.pack(">H", len(ciphers)) + ciphers + b"\x01\0"
    if number > 0x0300:
        body += struct.pack(">H", len(extensions)) + extensions
    message = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16" + b"\x03\0" + struct.pack(">H", len(message)) + message


def ask_one(listener: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + request.get("seconds", SECONDS)
    asking = Asking(listener, request.get("own", ""), deadline)
    tries = {
        "relay": lambda: asking.relay(request.get("skip", [])),
        "names": asking.names,
        "versions": asking.versions,
        "logins": asking.logins,
        "ends": lambda: asking.ends(request.get("hops", 50)),
    }
    for name, method in tries.items():
        if name not in request["tries"] or (name != "relay" and not asking.found["reached"]):
            continue
        try:
            method()
        except (Closed, OSError) as error:
            asking.found["problems"][name] = str(error)
    return asking.found


def ask(request: dict[str, Any]) -> list[dict[str, Any]]:
    """What each listener said, in the order asked; they are asked at the same time.

    `listeners`: each with address, port and whether TLS is implicit; or one `address` with `ports`.
    """
    listeners = request.get("listeners") or [
        {"address": request["address"], "port": port, "implicit": port in IMPLICIT}
        for port in request.get("ports", [])
    ]
    if not listeners:
        return []
    with concurrent.futures.ThreadPoolExecutor(len(listeners)) as pool:
        return list(pool.map(lambda each: ask_one(each, request), listeners))


if __name__ == "__main__":
    print(json.dumps(ask(json.loads(sys.argv[1]))))
