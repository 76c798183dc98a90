"""What an IP address, a host name and a port of mail is.

Rules of this file: no I/O; nothing is looked up, nothing is connected to. Where a caller is stricter (no underscore, no
number as the last label), it says so itself.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import socket

# Ports on which TLS begins with the first byte: RFC 8314, and what relay services have beside it.
IMPLICIT_TLS_PORTS = (465, 2465, 8465)
# RFC 6335 and 8314; smtps is what many still call submissions.
PORT_NAMES = {"smtp": 25, "submission": 587, "submissions": 465, "smtps": 465}

# RFC 1123 section 2.1, and the underscore, which Postfix takes too (valid_hostname.c).
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\Z")
# What OpenSSL takes for a wildcard, and what a wildcard stands for.
_WILDCARD = re.compile(r"\*(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?){2,}\Z")
_WILD_LABEL = re.compile(r"[a-z0-9-]+\Z")


def ip_version(text: str) -> str | None:
    """``ipv4`` or ``ipv6`` for an address literal, which may have a zone (fe80::1%eth0), else None."""
    for family, name in ((socket.AF_INET, "ipv4"), (socket.AF_INET6, "ipv6")):
        try:
            socket.inet_pton(family, text.partition("%")[0] if name == "ipv6" else text)
        except (OSError, ValueError):
            continue
        return name
    return None


def family_title(version: str | None) -> str:
    """IPv4 or IPv6, as it is written; IP for any other word."""
    return {"ipv4": "IPv4", "ipv6": "IPv6"}.get(version or "", "IP")


def is_address(text: str) -> bool:
    return ip_version(text) is not None


def packed(text: str) -> bytes:
    """The 4 or 16 bytes of an address, without its zone. Raises OSError for anything else."""
    text = text.partition("%")[0]
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def unpacked(data: bytes) -> str:
    """The address that 4 or 16 bytes are. Raises ValueError for any other number of them."""
    return socket.inet_ntop(socket.AF_INET if len(data) == 4 else socket.AF_INET6, data)


def is_label(text: str) -> bool:
    """Whether this may stand between the dots of a host name: 1 to 63 letters, digits, hyphens and underscores, with no
    hyphen at either end."""
    return _LABEL.match(text) is not None


def is_host_name(text: str) -> bool:
    """Whether this may be the name of a host, without a final dot. Not an address, nor what ends like one: no
    top-level domain is a number."""
    labels = text.split(".")
    return len(text) <= 253 and all(map(is_label, labels)) and not labels[-1].isdigit()


def name_matches(known: str, name: str) -> bool:
    """As OpenSSL's X509_check_host, which Postfix uses: ``*`` is a whole label above a domain of two or more.

    Neither in the wildcard nor in what it stands for is there an underscore; written out, a name may have one.
    """
    if not known.isascii():  # there are others, of which an ASCII letter is the lower case: the Kelvin sign
        return False
    known, name = known.lower(), name.lower().rstrip(".")
    if _WILDCARD.match(known):
        label, _dot, parent = name.partition(".")
        return parent == known[2:] and _WILD_LABEL.match(label) is not None
    return bool(known) and known == name
