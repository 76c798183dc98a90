"""The TCP sockets that listen on this host, and those that a configuration asks for."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import ipaddress
import socket
from typing import Iterable, Mapping, NamedTuple

from ..._base.addresses import PORT_NAMES
from ..files import lines, master_cf


class Listener(NamedTuple):
    address: str
    port: int


def listening(directory: str) -> Iterable[tuple[Listener, str, int]]:
    """Each socket with its inode and the user who made it."""
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError), open(f"{directory}/{name}", encoding="ascii") as handle:
            for line in list(handle)[1:]:
                fields = line.split()
                if fields[3] == "0A":
                    address, port = fields[1].split(":")
                    yield Listener(_decode_address(address), int(port, 16)), fields[9], int(fields[7])


def _decode_address(text: str) -> str:
    raw = bytes.fromhex(text)
    words = [raw[index : index + 4][::-1] for index in range(0, len(raw), 4)]
    return str(ipaddress.ip_address(b"".join(words)))


def all_listeners() -> set[Listener]:
    """Every TCP socket that listens in this network namespace, whoever holds it."""
    return {listener for listener, _inode, _user in listening("/proc/self/net")}


def not_roots() -> set[Listener]:
    """Those that a process of another user than root has opened: master(8) has not."""
    return {listener for listener, _inode, user in listening("/proc/self/net") if user}


def split_inet_service(name: str) -> tuple[str, str]:
    """host and port of an inet service name of master.cf: 25, 127.0.0.1:10025, [::1]:25, host:smtp."""
    host, _colon, port = name.rpartition(":")
    return host.strip("[]"), port


def port_number(text: str) -> int | None:
    """The TCP port of a number or a service name; None where services(5) does not know it."""
    if text.isdigit():
        return int(text) if 1 <= int(text) <= 65535 else None
    with contextlib.suppress(OSError):
        return socket.getservbyname(text, "tcp")
    return PORT_NAMES.get(text)


def ipv6_works() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def expected_listeners(
    values: Mapping[str, str], services: Iterable[master_cf.Service]
) -> set[Listener] | None:
    """The listeners that the configuration asks for; None where names would have to be resolved."""
    interfaces = lines.split_list(values.get("inet_interfaces", "all") or "all")
    protocols = lines.split_list(values.get("inet_protocols", "all") or "all")
    families = {4, 6} if "all" in protocols else {4 if word == "ipv4" else 6 for word in protocols}
    if 6 in families and not ipv6_works():
        families.discard(6)
    hosts: set[str] = set()
    for word in interfaces:
        if word == "all":
            hosts |= {"0.0.0.0", "::"}
        elif word == "loopback-only":
            hosts |= {"127.0.0.1", "::1"}
        else:
            try:
                hosts.add(str(ipaddress.ip_address(word.strip("[]"))))
            except ValueError:
                return None
    result = set()
    for service in services:
        if service.type != "inet":
            continue
        host, port_text = split_inet_service(service.service)
        port = port_number(port_text)
        if port is None:
            return None
        if host:
            try:
                result.add(Listener(str(ipaddress.ip_address(host)), port))
            except ValueError:
                return None
        else:
            result |= {Listener(each, port) for each in hosts}
    return {listener for listener in result if ipaddress.ip_address(listener.address).version in families}
