"""Addresses and names as this host sees them."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import re
import socket

from . import master_cf


def is_address(text: str) -> bool:
    """Whether it is an IP address, without brackets."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_local(address: str) -> bool:
    """Whether this host can bind the address."""
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    except ValueError:
        return resolves(address)
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
