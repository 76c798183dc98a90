"""A TCP connection to one of several addresses, by the race of RFC 8305 ("Happy Eyeballs").

Rules of this file: it connects, and says of each address that could not be reached why. Whether to try again, and what
is then said over the connection, is the caller's.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import socket
import time
from collections import deque
from typing import Any, Iterable, Mapping, NamedTuple, Sequence

from ..verdict import VERDICTS
from .loop import WRITE, Loop, Steps, Task, sleep

# RFC 8305 section 5, the recommended Connection Attempt Delay, in seconds.
ATTEMPT_DELAY = 0.25
# How soon to look again where no file descriptor was left: another connection ends soon.
_DESCRIPTOR_DELAY = 0.05


class Address(NamedTuple):
    """Where to connect to. ``family`` is that of the socket module."""

    family: int
    sockaddr: tuple[Any, ...]

    @classmethod
    def of(cls, family: int, ip: str, port: int, scope: int = 0) -> Address:
        """``scope`` is the interface of an IPv6 link-local address."""
        return cls(family, (ip, port) if family == socket.AF_INET else (ip, port, 0, scope))

    @property
    def ip(self) -> str:
        return str(self.sockaddr[0])

    @property
    def version(self) -> str:
        return "ipv4" if self.family == socket.AF_INET else "ipv6"

    @property
    def loopback(self) -> bool:
        return self.ip == "::1" or self.ip.startswith("127.")

    def __str__(self) -> str:
        return f"{self.ip} port {self.sockaddr[1]}"


class ConnectFailure(NamedTuple):
    """How one address could not be reached."""

    address: Address
    verdict: str
    words: str


def interleaved(addresses: Iterable[Address]) -> list[Address]:
    """Without duplicates, the families by turns, beginning with that of the first (RFC 8305 section 4)."""
    unique = list(dict.fromkeys(addresses))
    first = [address for address in unique if address.family == unique[0].family]
    second = [address for address in unique if address.family != unique[0].family]
    mixed = [address for pair in zip(first, second) for address in pair]
    shorter = min(len(first), len(second))
    return mixed + first[shorter:] + second[shorter:]


def connect(
    loop: Loop, task: Task, addresses: Sequence[Address], limit: float, sources: Mapping[str, str]
) -> Steps[tuple[socket.socket, Address] | list[ConnectFailure]]:
    """The first connection that stands, with its address; or why none does, the most telling failure first.

    The next address starts when the last one failed, or has not answered for a while. ``task`` is the one that runs
    this, ``limit`` a time of the monotonic clock, ``sources`` the address to connect from for each family.
    """
    began = time.monotonic()
    waiting: deque[Address] = deque(addresses)
    racing: dict[socket.socket, Address] = {}
    failures: list[ConnectFailure] = []
    next_at = began
    try:
        while True:
            now = time.monotonic()
            if now >= limit:
                break
            if waiting and (not racing or now >= next_at):
                address = waiting.popleft()
                try:
                    connection = start(loop, task, address, sources)
                except OSError as error:
                    if error.errno not in (errno.EMFILE, errno.ENFILE):
                        failures.append(_failure(address, error, now - began, sources))
                        continue
                    waiting.appendleft(address)
                    next_at = now + _DESCRIPTOR_DELAY
                    if not racing:
                        yield from sleep(min(limit, next_at))
                    continue
                racing[connection] = address
                next_at = now + ATTEMPT_DELAY
                continue
            if not racing:
                break
            ready = yield min(limit, next_at) if waiting and next_at > now else limit
            if ready is None or ready not in racing:
                continue
            code = ready.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            address = racing.pop(ready)
            loop.unwatch(ready)
            if not code:
                return ready, address
            ready.close()
            refusal = OSError(code, os.strerror(code))
            failures.append(_failure(address, refusal, time.monotonic() - began, sources))
            next_at = 0.0
    finally:
        for loser in racing:
            loop.unwatch(loser)
            loser.close()
    waited = time.monotonic() - began
    failures += [_silence(address, waited) for address in racing.values()]
    if not failures:
        failures = [ConnectFailure(waiting[0], "unreachable", "this process has run out of file descriptors")]
    return sorted(failures, key=lambda failure: VERDICTS[failure.verdict].telling)


def start(loop: Loop, task: Task, address: Address, sources: Mapping[str, str]) -> socket.socket:
    """Begin to connect; the task is woken when it is decided. Raises OSError."""
    connection = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        # Two small writes in a row, as at the end of a handshake, would otherwise wait for a delayed ACK.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        source = sources.get(address.version)
        if source:
            connection.bind((source, 0))
        code = connection.connect_ex(address.sockaddr)
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))
        loop.watch(connection, WRITE, task)
    except OSError:
        connection.close()
        raise
    return connection


def _failure(address: Address, error: OSError, waited: float, sources: Mapping[str, str]) -> ConnectFailure:
    if error.errno == errno.ECONNRESET:  # accepted, and reset before anyone looked
        return ConnectFailure(
            address, "disconnected", f"{address} accepted the connection and broke it at once"
        )
    if error.errno == errno.ECONNREFUSED:
        return ConnectFailure(
            address, "refused", f"{address} refused the connection after {waited * 1000:.1f} ms"
        )
    if error.errno == errno.ETIMEDOUT:
        return _silence(address, waited)
    words = (error.strerror or str(error)).lower()
    source = sources.get(address.version)
    if error.errno == errno.EADDRNOTAVAIL and source:
        words += f", the source address {source} is not one of this host"
    return ConnectFailure(address, "unreachable", f"{address} cannot be reached ({words})")


def _silence(address: Address, waited: float) -> ConnectFailure:
    return ConnectFailure(address, "filtered", f"no answer from {address} within {waited:.1f} s")
