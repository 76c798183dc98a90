"""Next hops, as relayhost and transport tables have them, and those that a configuration uses."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Iterable, Iterator, Mapping, NamedTuple

from ..._base import addresses
from .expansion import expand
from .lines import split_list
from .main_cf import MainCf
from .master_cf import MasterCf
from .table import parse_map
from .text import read_text

# Tables of role postfix: whose mail, and mail to whom, goes another way than that of everybody.
SENDER_TRANSPORTS = "mailops_sender_transport"
RECIPIENT_TRANSPORTS = "mailops_transport"


class NextHop(NamedTuple):
    """One destination as Postfix reads it. `text` is byte for byte what map keys must repeat."""

    text: str
    host: str
    port: int
    bracketed: bool
    service: str = "smtp"


def parse_next_hop(text: str, service: str = "smtp", default_port: int = 25) -> NextHop:
    """Parse host, host:port, [host] or [host]:port. Raises ValueError saying what is wrong and what to write."""
    if "://" in text:
        host, _slash, _path = text.partition("://")[2].partition("/")
        name, _colon, port_text = host.partition(":")
        raise ValueError(f"{text!r} is a URL; write [{name}]:{port_text or default_port}")
    if text.startswith(('"', "'")):
        raise ValueError(f"{text!r}: quotation marks become part of the name; remove the quotes")
    prefixed = re.match(r"[a-z-]+:(?P<hop>\[.*)", text)
    if prefixed:
        raise ValueError(f"{text!r}: a next hop takes no transport; write {prefixed.group('hop')}")
    match = re.match(r"\[(?P<inner>[^][]*)\](?P<tail>.*)\Z", text)
    if match:
        host, tail, bracketed = match.group("inner"), match.group("tail"), True
        if tail and not tail.startswith(":"):
            raise ValueError(
                f"{text!r}: after ] only :port may follow; write [{host}]:{tail.lstrip(':') or '587'}"
            )
        port_text = tail[1:] if tail else ""
        if tail == ":":
            raise ValueError(f"{text!r}: no port follows the colon; write [{host}]:587 or [{host}]")
        if not host:
            raise ValueError(f"{text!r}: no host between the brackets")
    elif "[" in text or "]" in text:
        bare = text.replace("[", "").replace("]", "")
        host, _colon, port_text = bare.partition(":")
        raise ValueError(
            f"{text!r}: brackets do not match; write [{host}]" + (f":{port_text}" if port_text else "")
        )
    else:
        bracketed = False
        if text.count(":") > 1:
            raise ValueError(f"{text!r}: an IPv6 address needs brackets; write [{text}] or [{text}]:587")
        host, colon, port_text = text.partition(":")
        if colon and not port_text:
            raise ValueError(f"{text!r}: no port follows the colon; write {host}:587 or {host}")
    if bracketed and host.count(":") == 1:
        name, _colon, inner_port = host.partition(":")
        raise ValueError(f"{text!r}: the port belongs after the bracket; write [{name}]:{inner_port}")
    host = host[5:] if host.lower().startswith("ipv6:") else host
    if ":" in host:
        if not addresses.is_address(host):
            raise ValueError(f"{text!r}: {host!r} is not an IPv6 address")
    # Not is_host_name(): /etc/hosts may have a name that ends with a number, and Postfix takes it.
    elif host.isascii():
        bare = host[:-1] if host.endswith(".") else host
        if not all(map(addresses.is_label, bare.split("."))):
            raise ValueError(f"{text!r}: {host!r} is not a host name or address")
        if re.match(r"[\d.]+\Z", host) and not addresses.is_address(host):
            raise ValueError(f"{text!r}: {host!r} is not an IPv4 address")
    port = default_port
    if port_text:
        if port_text.isdigit():
            port = int(port_text)
            if not 1 <= port <= 65535:
                raise ValueError(f"{text!r}: port {port_text} is outside of 1 to 65535")
        elif port_text.lower() in addresses.PORT_NAMES:
            port = addresses.PORT_NAMES[port_text.lower()]
        else:
            raise ValueError(
                f"{text!r}: port {port_text!r} is not a number; numeric ports work on every host"
            )
    return NextHop(text, host, port, bracketed, service)


def split_transport(value: str) -> tuple[str, str]:
    """transport:nexthop as in default_transport: smtp:[host]:587 gives ("smtp", "[host]:587")."""
    transport, _colon, nexthop = value.strip().partition(":")
    return transport, nexthop.strip()


def configured_hops(values: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """(parameter, transport service, next hop text) that mail to the outside takes; default_transport first.

    postconf(5) default_transport: its next hop, where it has one, goes before relayhost.
    """
    transport, hop = split_transport(values.get("default_transport", "smtp") or "smtp")
    if hop:
        for text in split_list(hop):
            yield "default_transport", transport, text
        return
    for text in split_list(values.get("relayhost", "")):
        yield "relayhost", transport, text


def next_hops(config_directory: str = "/etc/postfix") -> list[tuple[str, int, bool]]:
    """(host, port, implicit TLS) of each next hop that this host's Postfix has now, in its order.

    Empty where there is no Postfix, no relayhost, or nothing that can be understood. Never raises.
    """
    hops = _Hops(config_directory)
    return hops.of((transport, text) for _parameter, transport, text in configured_hops(hops.values))


def selected_hops(config_directory: str = "/etc/postfix") -> dict[str, list[tuple[str, int, bool]]]:
    """The same for mail that role postfix sends another way: `from` a sender or `to` a recipient -> its next hops.

    A sender or recipient is an address, or @domain.
    """
    hops = _Hops(config_directory)
    result: dict[str, list[tuple[str, int, bool]]] = {}
    for path, word in ((SENDER_TRANSPORTS, "from"), (RECIPIENT_TRANSPORTS, "to")):
        for row in parse_map(read_text(f"{config_directory}/{path}")):
            transport, hop = split_transport(row.value)
            whom = row.key if "@" in row.key else f"@{row.key}"
            result[f"{word} {whom}"] = hops.of((transport, text) for text in split_list(hop))
    return result


class _Hops:
    """The next hops of a host, with what its main.cf and master.cf say of their TLS."""

    def __init__(self, config_directory: str) -> None:
        self.values: dict[str, str] = {}
        try:
            values = MainCf(read_text(f"{config_directory}/main.cf")).values()
            self.values = {
                name: expand(values.get(name, ""), values)
                for name in ("default_transport", "relayhost", "smtp_tls_wrappermode")
            }
        except ValueError:
            pass
        self._master = MasterCf(read_text(f"{config_directory}/master.cf"))

    def of(self, found: Iterable[tuple[str, str]]) -> list[tuple[str, int, bool]]:
        """(host, port, implicit TLS) of (transport, next hop)."""
        result = []
        for transport, text in found:
            try:
                hop = parse_next_hop(text, transport)
            except ValueError:
                continue
            service = self._master.get(transport, "unix")
            wrapped = service.option("smtp_tls_wrappermode") if service else None
            usual = self.values.get("smtp_tls_wrappermode", "")
            implicit = (wrapped if wrapped is not None else usual).lower() == "yes"
            result.append((hop.host, hop.port, implicit))
        return result
