"""The mail servers of the benchmark: one process, one selectors loop, every address of loopback on four ports.

  server.py CERTIFICATE KEY

465 is implicit TLS, the others have STARTTLS. Addresses of 127.2.0.0/16 are tarpits: they take the connection and say
nothing.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import resource
import selectors
import socket
import ssl
import sys
from typing import Generator

EHLO = (
    b"250-mail.oracle.test\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n"
    b"250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n"
)
EHLO_TLS = EHLO.replace(b"250-STARTTLS\r\n", b"250-AUTH PLAIN LOGIN\r\n")
Dialogue = Generator[int, None, None]


def handshake(connection: ssl.SSLSocket) -> Dialogue:
    while True:
        try:
            connection.do_handshake()
            return
        except ssl.SSLWantReadError:
            yield selectors.EVENT_READ
        except ssl.SSLWantWriteError:
            yield selectors.EVENT_WRITE


def converse(connection: socket.socket, context: ssl.SSLContext, holder: list[socket.socket]) -> Dialogue:
    """One session; ``holder`` always names the socket that it is on. The answers are small: they fit the buffer."""
    address, port = connection.getsockname()
    if address.startswith("127.2."):
        while True:
            yield selectors.EVENT_READ
            if not connection.recv(4096):
                return
    secure = port == 465
    if secure:
        connection = holder[0] = context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )
        yield from handshake(connection)
    connection.send(b"220 mail.oracle.test ESMTP\r\n")
    pending = b""
    while True:
        try:
            data = connection.recv(4096)
        except (BlockingIOError, ssl.SSLWantReadError):
            yield selectors.EVENT_READ
            continue
        if not data:
            return
        pending += data
        while b"\n" in pending:
            line, _end, pending = pending.partition(b"\n")
            verb = line[:4].upper()
            if verb in (b"EHLO", b"HELO"):
                connection.send(EHLO_TLS if secure else EHLO)
            elif verb == b"STAR" and not secure:
                connection.send(b"220 ready\r\n")
                connection = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                holder[0], secure, pending = connection, True, b""
                yield from handshake(connection)
            elif verb == b"QUIT":
                connection.send(b"221 bye\r\n")
                return
            else:
                connection.send(b"250 ok\r\n")


def main() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*sys.argv[1:3])
    selector = selectors.DefaultSelector()
    for port in (25, 465, 587, 2525):
        listener = socket.create_server(("0.0.0.0", port), backlog=4096)
        listener.setblocking(False)
        selector.register(listener, selectors.EVENT_READ, None)
    while True:
        for key, _events in selector.select():
            here = key.fileobj
            assert isinstance(here, socket.socket)
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        connection = here.accept()[0]
                        connection.setblocking(False)
                        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        holder = [connection]
                        advance(selector, converse(connection, context, holder), holder, None)
            else:
                dialogue, holder = key.data
                advance(selector, dialogue, holder, here)


def advance(
    selector: selectors.BaseSelector,
    dialogue: Dialogue,
    holder: list[socket.socket],
    registered: socket.socket | None,
) -> None:
    try:
        events = next(dialogue)
    except (StopIteration, OSError):
        if registered is not None:
            selector.unregister(registered)
        holder[0].close()
        return
    if registered is holder[0]:
        selector.modify(registered, events, (dialogue, holder))
    else:
        # wrap_socket() has taken the descriptor over; the selector knows it by its number.
        if registered is not None:
            with contextlib.suppress(KeyError, ValueError):
                selector.unregister(holder[0])
        selector.register(holder[0], events, (dialogue, holder))


main()
