"""A name server that is as good or as bad as each case wants it.

Rule of this file: one question, A, AAAA and MX, over UDP and where the answer is large over TCP; what else a name server
can do no case needs.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import threading
from collections import Counter
from typing import Counter as Counts
from typing import Iterable, Iterator

from faults.table import Place

_TYPES = {1: "A", 15: "MX", 28: "AAAA"}
_CNAME = 5
_MX = 15
_NAME_ERROR = 3
_POINTER_TO_QUESTION = b"\xc0\x0c"
_ALIAS = "alias-of-"
_TRUNCATED = 0x0200


class NameServer:
    def __init__(self, address: str, places: Iterable[Place]) -> None:
        self._places: dict[str, Place] = {place.name: place for place in places}
        self._asked: Counts[tuple[str, str]] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 53))
        self._listener = socket.create_server((address, 53))
        for serve in (self._serve_datagrams, self._serve_connections):
            threading.Thread(target=serve, daemon=True).start()

    def _serve_datagrams(self) -> None:
        while True:
            query, client = self._socket.recvfrom(4096)
            answer = self._answer(query, over_tcp=False)
            if answer is not None:
                self._socket.sendto(answer, client)

    def _serve_connections(self) -> None:
        while True:
            connection, _client = self._listener.accept()
            with connection, connection.makefile("rb") as stream:
                connection.settimeout(5)
                with contextlib.suppress(OSError, struct.error):
                    while True:
                        query = stream.read(struct.unpack("!H", stream.read(2))[0])
                        answer = self._answer(query, over_tcp=True) or b""
                        connection.sendall(struct.pack("!H", len(answer)) + answer)

    def _place(self, name: str) -> Place | None:
        while name.startswith(_ALIAS):
            name = name[len(_ALIAS) :]
        if name in self._places:
            return self._places[name]
        below = (place for place in self._places.values() if place.case.dns.wildcard)
        return next((place for place in below if name.endswith("." + place.name)), None)

    def _answer(self, query: bytes, over_tcp: bool) -> bytes | None:
        labels, position = [], 12
        while query[position]:
            labels.append(query[position + 1 : position + 1 + query[position]].decode("latin-1").lower())
            position += 1 + query[position]
        question = query[12 : position + 5]
        kind = _TYPES.get(struct.unpack_from("!H", query, position + 1)[0], "other")
        name = ".".join(labels)
        place = self._place(name)
        if place is None:
            return self._reply(query, question, _NAME_ERROR)
        dns = place.case.dns
        if kind in dns.silent:
            return None
        self._asked[name, kind] += 1
        if dns.rcode and (not dns.failures or self._asked[name, kind] <= dns.failures):
            return self._reply(query, question, dns.rcode)
        if dns.large and not over_tcp:
            return self._reply(query, question, _TRUNCATED)
        records = list(self._aliases(place, name))
        if dns.nowhere and (name.count(_ALIAS) == dns.aliases or not dns.one_by_one):
            return self._reply(query, question, _NAME_ERROR, records)
        if not records or not dns.one_by_one:
            last = _wire(_ALIAS * dns.aliases + place.name) if records else _POINTER_TO_QUESTION
            records += self._addresses(place, kind, last)
        return self._reply(query, question, 0, records)

    @staticmethod
    def _aliases(place: Place, name: str) -> Iterator[bytes]:
        """From the name that is asked for to the last one, or just the next."""
        owner, dns = _POINTER_TO_QUESTION, place.case.dns
        for number in range(name.count(_ALIAS), dns.aliases):
            target = _wire(_ALIAS * (number + 1) + place.name)
            yield owner + struct.pack("!HHIH", _CNAME, 1, 60, len(target)) + target
            owner = target
            if dns.one_by_one:
                return

    @staticmethod
    def _addresses(place: Place, kind: str, owner: bytes) -> Iterator[bytes]:
        if kind == "MX":
            for number, name in enumerate(place.case.dns.exchangers):
                data = struct.pack("!H", 10 * (number + 1)) + _wire(name)
                yield owner + struct.pack("!HHIH", _MX, 1, 60, len(data)) + data
            return
        for text in place.addresses:
            address = ipaddress.ip_address(text)
            if kind == ("A" if address.version == 4 else "AAAA"):
                packed = address.packed
                yield owner + struct.pack("!HHIH", 1 if kind == "A" else 28, 1, 60, len(packed)) + packed

    @staticmethod
    def _reply(query: bytes, question: bytes, flags: int, records: Iterable[bytes] = ()) -> bytes:
        records = list(records)
        return (
            query[:2]
            + struct.pack("!HHHHH", 0x8580 | flags, 1, len(records), 0, 0)
            + question
            + b"".join(records)
        )


def _wire(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
