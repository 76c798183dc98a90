"""The name server of the outside, a program of its own: nameserver.py ADDRESS ZONE.json

The zone is {name: {"A": [address...], "AAAA": [...], "MX": [name...], "PTR": [name], "CNAME": name, "rcode": number,
"silent": true, "broken": {"AAAA": number}}}; "*.name" answers for every name below that is not there. UDP, one
question.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

import ipaddress
import json
import socket
import struct
import sys

NUMBERS = {"A": 1, "CNAME": 5, "PTR": 12, "MX": 15, "AAAA": 28}
TYPES = {number: name for name, number in NUMBERS.items()}
NAME_ERROR = 3


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split(".")) + b"\0"


def data(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    return struct.pack("!H", 10) + wire(value) if kind == "MX" else wire(value)


class Zone:
    def __init__(self, names):
        self.names = names

    def find(self, name):
        if name in self.names:
            return self.names[name]
        parts = name.split(".")
        if any(other.endswith("." + name) for other in self.names):
            return {}
        for cut in range(1, len(parts)):
            wild = "*." + ".".join(parts[cut:])
            if wild in self.names:
                return self.names[wild]
        return None

    def answer(self, query):
        """The reply to a query, or None where the server stays silent."""
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode("latin-1").lower())
            at += 1 + query[at]
        question = query[12 : at + 5]
        kind = TYPES.get(struct.unpack_from("!H", query, at + 1)[0], "other")
        name, records, rcode = ".".join(labels), b"", 0
        count = 0
        while True:
            entry = self.find(name)
            if entry is None:
                rcode = NAME_ERROR
                break
            if entry.get("silent") or kind in entry.get("silent_for", ()):
                return None
            rcode = entry.get("rcode", 0) or entry.get("broken", {}).get(kind, 0)
            if rcode or "CNAME" not in entry:
                for value in () if rcode else entry.get(kind, ()):
                    records += self.record(name, kind, value)
                    count += 1
                break
            records += self.record(name, "CNAME", entry["CNAME"])
            count += 1
            name = entry["CNAME"]
        return query[:2] + struct.pack("!HHHHH", 0x8580 | rcode, 1, count, 0, 0) + question + records

    @staticmethod
    def record(name, kind, value):
        content = data(kind, value)
        return wire(name) + struct.pack("!HHIH", NUMBERS[kind], 1, 60, len(content)) + content


def main():
    address, path = sys.argv[1:]
    with open(path) as file:
        zone = Zone(json.load(file))
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    while True:
        query, client = server.recvfrom(4096)
        try:
            reply = zone.answer(query)
        except (IndexError, struct.error, ValueError):
            continue
        if reply is not None:
            server.sendto(reply, client)


if __name__ == "__main__":
    main()
