"""Servers that no product is by itself, and the oracle that is asked about them.

Does Postfix, set up as the probe is asked, bring a message there?

Rule of this file: a server does what its row says. Whether that is well is for Postfix to say.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Iterator, NamedTuple

from certificates import DIRECTORY, HOST
from namespace import Place

_FIRST_PORT = 2900
_PATIENCE = 45.0
# The transport of Postfix that does what a mode of the probe stands for.
_TRANSPORTS = {
    "starttls": ("odd", "-o smtp_tls_security_level=secure"),
    "opportunistic": ("odd-may", "-o smtp_tls_security_level=may"),
    "implicit": ("odd-wrapped", "-o smtp_tls_security_level=secure -o smtp_tls_wrappermode=yes"),
}


class Odd(NamedTuple):
    name: str
    verdict: str
    """What the probe has to say."""
    greeting: str = "220 odd.test ESMTP"
    ehlo: tuple[str, ...] = ("PIPELINING", "STARTTLS")
    replies: dict[str, str] = {}  # noqa: RUF012 - of a NamedTuple, and never changed
    """In place of the usual ones, by verb; "tls VERB" under TLS only."""
    tls: str = "starttls"
    differs: str = ""
    """Why the probe and Postfix disagree by design."""


_NOT_PROTOCOL = "such a reply breaks the protocol; Postfix reads on"

ODD_SERVERS = (
    Odd("well", "ok"),
    Odd("well, opportunistic", "ok", tls="opportunistic"),
    Odd("well, implicit", "ok", tls="implicit"),
    Odd("greeting masked, STARTTLS left", "starttls_stripped", "220 *********2******0*****"),
    Odd("greeting masked, STARTTLS left, opportunistic", "ok", "220 *********2******0*****", tls="opportunistic"),
    Odd("greeting masked in part", "ok", "220 ********* ESMTP"),
    Odd("greeting a bare code", "starttls_absent", "220"),
    Odd("greeting a code and a blank", "starttls_absent", "220 "),
    Odd("greeting a bare code, implicit", "ok", "220", tls="implicit"),
    Odd("greeting 250", "ok", "250 odd.test"),
    Odd("greeting of several lines", "ok", "220-odd.test\r\n220-no spam\r\n220 please"),
    Odd("greeting without ESMTP", "ok", "220 odd.test ready"),
    Odd("greeting 200, no SMTP", "not_smtp", "200 news", replies={"EHLO": "500 what?", "HELO": "500 what?"}),
    Odd("greeting 354", "not_smtp", "354 go on"),
    Odd("greeting 421", "greeting_deferred", "421 busy"),
    Odd("greeting 554", "greeting_rejected", "554 listed"),
    Odd("greeting of two codes", "protocol_error", "250-odd.test\r\n220 ESMTP", differs=_NOT_PROTOCOL),
    Odd("greeting behind an empty line", "not_smtp", "\r\n220 odd.test ESMTP", differs=_NOT_PROTOCOL),
    Odd("greeting of a long line", "ok", "220 " + "x" * 3000),
    Odd("greeting of an endless line", "protocol_error", "220 " + "x" * 6000),
    Odd("EHLO of two codes", "protocol_error", replies={"EHLO": "220-odd.test\r\n250 STARTTLS"}, differs=_NOT_PROTOCOL),
    Odd("EHLO with a line without code", "protocol_error", differs=_NOT_PROTOCOL,
        replies={"EHLO": "250-odd.test\r\nSIZE 1000\r\n250 STARTTLS"}),
    Odd("EHLO 220", "ok", replies={"EHLO": "220-odd.test\r\n220 STARTTLS"}),
    Odd("EHLO with an empty first line", "starttls_absent", replies={"EHLO": "250-\r\n250-STARTTLS\r\n250 HELP"}),
    Odd("EHLO with an empty line", "ok", replies={"EHLO": "250-odd.test\r\n250-\r\n250-STARTTLS\r\n250 "}),
    Odd("EHLO in lower case", "ok", ehlo=("pipelining", "starttls")),
    Odd("EHLO with a tab", "starttls_stripped", ehlo=("SIZE\t1000", "STARTTLS\t")),
    Odd("EHLO with equals signs", "ok", ehlo=("SIZE=1000", "STARTTLS=1")),
    Odd("EHLO with blanks", "ok", ehlo=("STARTTLS  ", "SIZE")),
    Odd("EHLO refused, HELO taken", "ehlo_rejected", replies={"EHLO": "502 no"}),
    Odd("EHLO refused, HELO taken, opportunistic", "ok", replies={"EHLO": "502 no"}, tls="opportunistic"),
    Odd("EHLO 451, HELO taken, opportunistic", "ok", replies={"EHLO": "451 no"}, tls="opportunistic"),
    Odd("EHLO refused under TLS, HELO taken", "ok", replies={"tls EHLO": "502 no"}),
    Odd("EHLO refused, HELO taken, implicit", "ok", replies={"EHLO": "502 no"}, tls="implicit"),
    Odd("EHLO and HELO refused", "ehlo_rejected", replies={"EHLO": "550 no", "HELO": "550 no"}, tls="opportunistic"),
    Odd("EHLO without STARTTLS", "starttls_absent", ehlo=("PIPELINING",), replies={"STARTTLS": "502 no"}),
    Odd("EHLO without STARTTLS, opportunistic", "ok", ehlo=("PIPELINING",), tls="opportunistic"),
    Odd("EHLO with STARTTLS as host name", "starttls_absent", replies={"EHLO": "250 STARTTLS", "STARTTLS": "502 no"}),
    Odd("STARTTLS 250", "ok", replies={"STARTTLS": "250 go ahead"}),
    Odd("STARTTLS 220 and more", "starttls_injection", replies={"STARTTLS": "220 go\r\n250 more"},
        differs="what stands in clear behind the reply may be anybody's; Postfix drops it"),
    Odd("STARTTLS 354", "starttls_rejected", replies={"STARTTLS": "354 go"}),
    Odd("STARTTLS 454", "starttls_rejected", replies={"STARTTLS": "454 no"}),
    Odd("STARTTLS 454, opportunistic", "ok", replies={"STARTTLS": "454 no"}, tls="opportunistic"),
    Odd("STARTTLS 502", "starttls_stripped", replies={"STARTTLS": "502 what?"}),
    Odd("STARTTLS 502, opportunistic", "ok", replies={"STARTTLS": "502 what?"}, tls="opportunistic"),
)  # fmt: skip


def port_of(number: int) -> int:
    return _FIRST_PORT + number


def _domain(number: int) -> str:
    return f"odd-{number}.test"


def postfix_parameters() -> str:
    """What the client needs in main.cf."""
    # The greeting of a server has this host's own name, which Postfix would take for a loop.
    return (
        f"smtp_tls_CAfile = /{DIRECTORY}/ca.pem\nsmtp_host_lookup = native\nsmtp_tls_secure_cert_match = nexthop\n"
        "transport_maps = texthash:/etc/postfix/transport\nsmtp_helo_name = client.oracle.test\n"
    )


def postfix_services() -> Iterator[str]:
    """And in master.cf."""
    yield "pickup unix n - n 60 1 pickup\n"
    yield from (f"{name} unix - - n - - smtp {options}\n" for name, options in _TRANSPORTS.values())


def transport_map() -> str:
    return "".join(
        f"{_domain(number)} {_TRANSPORTS[odd.tls][0]}:[{HOST}]:{port_of(number)}\n"
        for number, odd in enumerate(ODD_SERVERS)
    )


def start(place: Place) -> None:
    directory = place.root / DIRECTORY
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "rsa.pem", directory / "rsa.key")
    for number, odd in enumerate(ODD_SERVERS):
        listening = socket.create_server(("127.0.0.1", port_of(number)))
        threading.Thread(target=_accept, args=(listening, odd, context), daemon=True).start()


def _accept(listening: socket.socket, odd: Odd, context: ssl.SSLContext) -> None:
    while True:
        connection, _client = listening.accept()
        threading.Thread(target=_serve, args=(connection, odd, context), daemon=True).start()


def _serve(connection: socket.socket, odd: Odd, context: ssl.SSLContext) -> None:
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        encrypted = odd.tls == "implicit"
        if encrypted:
            connection = context.wrap_socket(connection, server_side=True)
        stack.callback(connection.close)
        lines = connection.makefile("rb")
        connection.sendall(odd.greeting.encode("ascii") + b"\r\n")
        while line := lines.readline():
            verb = line.decode("ascii").partition(" ")[0].strip().upper()
            reply = (odd.replies.get("tls " + verb) if encrypted else None) or odd.replies.get(verb)
            reply = reply or _usual(verb, () if encrypted else odd.ehlo)
            connection.sendall(reply.encode("ascii") + b"\r\n")
            if verb == "QUIT":
                return
            if verb == "STARTTLS" and reply.startswith("2"):
                connection = context.wrap_socket(connection, server_side=True)
                lines, encrypted = connection.makefile("rb"), True
                stack.callback(connection.close)
            elif verb == "DATA":
                while lines.readline() not in (b".\r\n", b""):
                    pass
                connection.sendall(b"250 taken\r\n")


def _usual(verb: str, ehlo: tuple[str, ...]) -> str:
    if verb == "EHLO":
        return "\r\n".join(["250-odd.test", *(f"250-{line}" for line in ehlo), "250 HELP"])
    return {"DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 ok")


def deliver(place: Place) -> dict[str, str]:
    """Have Postfix send a message to each; by name, what it says of it: "sent (...)", "deferred (...)"."""
    for number in range(len(ODD_SERVERS)):
        place.must(
            "sendmail", "-f", "odd@oracle.test", f"someone@{_domain(number)}", input="Subject: odd\n\nodd\n"
        )
    log = Path(place.root, "var/log/postfix.log")
    until = time.monotonic() + _PATIENCE
    while True:
        said = dict(
            re.findall(r"to=<someone@odd-(\d+)\.test>.* status=(.*)", log.read_text(errors="replace"))
        )
        if len(said) == len(ODD_SERVERS) or time.monotonic() > until:
            return {odd.name: said.get(str(number), "") for number, odd in enumerate(ODD_SERVERS)}
        time.sleep(0.2)
