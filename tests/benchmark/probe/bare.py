"""The yardstick.

The same dialogue as the probe's, verified handshake included, in a bare selectors loop that judges nothing, keeps
nothing and has no deadline.

  bare.py CA_FILE SERVER_NAME CONCURRENCY < addresses, one a line

Prints JSON: wall and CPU seconds (of the dialogues, not of the interpreter's start), peak MiB, and how many dialogues
came to their end.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import resource
import selectors
import socket
import ssl
import sys
import time
from typing import Generator

PORT = 587


def until(connection: socket.socket, last: bytes) -> Generator[int, None, None]:
    """Read until a reply whose last line begins with ``last``."""
    received = b""
    while True:
        try:
            data = connection.recv(16384)
        except (BlockingIOError, ssl.SSLWantReadError):
            yield selectors.EVENT_READ
            continue
        if not data:
            raise ConnectionError
        received += data
        if received.endswith(b"\r\n") and received[:-2].rpartition(b"\n")[2].startswith(last):
            return


def climb(holder: list[socket.socket], context: ssl.SSLContext, name: str) -> Generator[int, None, None]:
    connection = holder[0]
    yield selectors.EVENT_WRITE
    yield from until(connection, b"220 ")
    connection.send(b"EHLO client.oracle.test\r\n")
    yield from until(connection, b"250 ")
    connection.send(b"STARTTLS\r\n")
    yield from until(connection, b"220 ")
    connection = holder[0] = context.wrap_socket(
        connection, server_hostname=name, do_handshake_on_connect=False
    )
    while True:
        try:
            connection.do_handshake()
            break
        except ssl.SSLWantReadError:
            yield selectors.EVENT_READ
        except ssl.SSLWantWriteError:
            yield selectors.EVENT_WRITE
    connection.send(b"EHLO client.oracle.test\r\n")
    yield from until(connection, b"250 ")
    connection.send(b"QUIT\r\n")
    yield from until(connection, b"221 ")


def main() -> None:
    authority, name, concurrency = sys.argv[1], sys.argv[2], int(sys.argv[3])
    addresses = sys.stdin.read().split()
    began, spent = time.monotonic(), time.process_time()
    context = ssl.create_default_context(cafile=authority)
    selector = selectors.DefaultSelector()
    waiting = iter(addresses)
    active = ended = 0

    def open_next() -> bool:
        address = next(waiting, None)
        if address is None:
            return False
        connection = socket.socket()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.connect_ex((address, PORT))
        holder = [connection]
        dialogue = climb(holder, context, name)
        selector.register(connection, next(dialogue), (dialogue, holder))
        return True

    for _place in range(concurrency):
        active += open_next()
    while active:
        for key, _mask in selector.select():
            dialogue, holder = key.data
            before = holder[0]
            try:
                events = next(dialogue)
            except (StopIteration, OSError) as end:
                ended += isinstance(end, StopIteration)
                selector.unregister(holder[0])
                holder[0].close()
                active += open_next() - 1
                continue
            if holder[0] is not before:
                selector.unregister(holder[0])
                selector.register(holder[0], events, key.data)
            elif events != key.events:
                selector.modify(holder[0], events, key.data)
    figures = {"wall": time.monotonic() - began, "cpu": time.process_time() - spent}
    print(
        json.dumps({**figures, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "ok": ended})
    )


main()
