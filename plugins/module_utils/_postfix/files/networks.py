"""Words of mynetworks and inet_interfaces that mean nothing to Postfix, wherever it runs.

The rule of this file: no I/O, so that a word can be judged before there is a Postfix.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple, Sequence

from ..._base.addresses import is_address


class Flaw(NamedTuple):
    """`problem`: what is wrong, with the word in it; `remedy`: what to write."""

    problem: str
    remedy: str


def network_flaw(word: str) -> Flaw | None:
    """What is wrong with a word that is an address, a network or a host; not with a file, a table or a `$name`."""
    bare = word.lstrip("!")
    match = re.match(r"\[(?P<inner>[^]]*)\](?P<mask>/\d+)?\Z", bare)
    text = match.group("inner") + (match.group("mask") or "") if match else bare
    if not match and re.match(r"[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(/\d+)?\Z", bare):
        address, _slash, mask = bare.partition("/")
        return Flaw(f"{word!r} is IPv6 without brackets", f"write [{address}]" + (f"/{mask}" if mask else ""))
    if match and "/" in match.group("inner"):
        address, _slash, mask = match.group("inner").partition("/")
        return Flaw(f"{word!r}: the mask belongs after the bracket", f"write [{address}]/{mask}")
    if ";" in bare:
        return Flaw(f"{word!r}: a semicolon separates nothing", "separate with commas or spaces")
    if not re.match(r"[0-9A-Fa-f:.]+(/\d+)?\Z", text) or not re.search(r"[:./]", text):
        if not re.search(r"[A-Za-z_]", text) or re.search(r"[^A-Za-z0-9_.-]", text):
            return Flaw(
                f"{word!r} is not a network, address or host", "write address/bits, a name or a table"
            )
        return None
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        if re.match(r"[\d.]+(/\d+)?\Z", text):
            return Flaw(f"{word!r} is not an IPv4 network", "write address/bits, for example 192.0.2.0/24")
        return None
    if "/" in text and str(network.network_address) != str(ipaddress.ip_address(text.partition("/")[0])):
        shown = f"[{network.network_address}]/{network.prefixlen}" if network.version == 6 else str(network)
        return Flaw(f"{word!r} has host bits set beyond the mask", f"write {shown}")
    return None


def interface_flaw(word: str, words: Sequence[str]) -> Flaw | None:
    """What is wrong with one of the words of inet_interfaces; whether the host has it is not asked."""
    if word.lower() in ("all", "loopback-only"):
        return Flaw(f"{word} stands alone", f"write {word}") if len(words) > 1 else None
    bare = word[1:-1] if word.startswith("[") and word.endswith("]") else word
    address, slash, _mask = bare.partition("/")
    if slash:
        return Flaw(f"{word!r} is a network", f"write an address of this host, such as {address.strip('[]')}")
    if not is_address(bare) and (re.match(r"[\d.]+\Z", bare) or not re.match(r"[A-Za-z0-9_.-]+\Z", bare)):
        return Flaw(
            f"{word!r} is neither an address nor a host name", "write all, loopback-only or addresses"
        )
    return None
