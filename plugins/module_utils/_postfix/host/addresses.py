"""Addresses and names as this host sees them."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import socket

from ..._base.addresses import ip_version
from ..files import master_cf


def is_local(address: str) -> bool:
    """Whether this host can bind the address."""
    version = ip_version(address)
    if version is None:
        return resolves(address)
    family = socket.AF_INET6 if version == "ipv6" else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def resolves(name: str) -> bool:
    try:
        socket.getaddrinfo(name, None)
    except (OSError, UnicodeError):
        return False
    return True


def on_loopback(entry: master_cf.Service | None) -> bool:
    """Whether only this host can reach the service."""
    return bool(entry and re.match(r"(127\.|\[?::1\]?:|localhost:)", entry.service))
