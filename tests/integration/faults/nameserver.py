# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# A name server that is as good or as bad as each case wants it.
#
# Rule of this file: UDP, one question, A and AAAA; what else a name server can do no case needs.

from __future__ import annotations

import ipaddress
import socket
import struct
import threading
from collections import Counter
from typing import Counter as Counts
from typing import Iterable

from faults.table import Place

_TYPES = {1: "A", 28: "AAAA"}
_CNAME = 5
_NAME_ERROR = 3
_POINTER_TO_QUESTION = b"\xc0\x0c"


class NameServer:
    def __init__(self, address: str, places: Iterable[Place]) -> None:
        self._places: dict[str, Place] = {place.name: place for place in places}
        self._asked: Counts[tuple[str, str]] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 53))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            query, client = self._socket.recvfrom(4096)
            answer = self._answer(query)
            if answer is not None:
                self._socket.sendto(answer, client)

    def _answer(self, query: bytes) -> bytes | None:
        labels, position = [], 12
        while query[position]:
            labels.append(query[position + 1 : position + 1 + query[position]].decode("latin-1").lower())
            position += 1 + query[position]
        question = query[12 : position + 5]
        kind = _TYPES.get(struct.unpack_from("!H", query, position + 1)[0], "other")
        name = ".".join(labels)
        place = self._places.get(name[len("alias-of-") :] if name.startswith("alias-of-") else name)
        if place is None:
            return self._reply(query, question, _NAME_ERROR)
        dns = place.case.dns
        if kind in dns.silent:
            return None
        self._asked[name, kind] += 1
        if dns.rcode and (not dns.failures or self._asked[name, kind] <= dns.failures):
            return self._reply(query, question, dns.rcode)
        records = []
        owner = _POINTER_TO_QUESTION
        if dns.alias and not name.startswith("alias-of-"):
            owner = (
                b"".join(bytes([len(label)]) + label.encode() for label in ("alias-of-" + name).split("."))
                + b"\0"
            )
            records.append(_POINTER_TO_QUESTION + struct.pack("!HHIH", _CNAME, 1, 60, len(owner)) + owner)
        for text in place.addresses:
            address = ipaddress.ip_address(text)
            if kind == ("A" if address.version == 4 else "AAAA"):
                packed = address.packed
                records.append(
                    owner + struct.pack("!HHIH", 1 if kind == "A" else 28, 1, 60, len(packed)) + packed
                )
        return self._reply(query, question, 0, records)

    @staticmethod
    def _reply(query: bytes, question: bytes, rcode: int, records: Iterable[bytes] = ()) -> bytes:
        records = list(records)
        return (
            query[:2]
            + struct.pack("!HHHHH", 0x8580 | rcode, 1, len(records), 0, 0)
            + question
            + b"".join(records)
        )
