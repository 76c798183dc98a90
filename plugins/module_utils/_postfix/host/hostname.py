"""The name with which a host greets: what Postfix makes of the host's own name, and whether a relay can take it.

The rule of this file: no I/O; who calls it brings the name, the text of /etc/hosts and what the host's resolver says.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Callable, Iterator, Sequence

from ..._base.addresses import is_host_name

# Postfix's DEF_MYDOMAIN.
LOCAL_DOMAIN = "localdomain"


def myhostname(hostname: str, mydomain: str = "") -> str:
    """Postfix's default of myhostname: the name of the machine, completed with mydomain where it has no dot."""
    return hostname if "." in hostname else f"{hostname}.{mydomain or LOCAL_DOMAIN}"


def mydomain(name: str) -> str:
    """Postfix's default of mydomain: what follows the first dot of myhostname."""
    return name.partition(".")[2] or LOCAL_DOMAIN


def complaint(name: str) -> str | None:
    """Why relays refuse this name in EHLO, as the end of a sentence about it; None for a full name of a host."""
    if not name:
        return "is empty"
    if not name.isascii() or re.search(r"[^!-~]", name):
        return "has a character that no host name has"
    if name.startswith("["):
        return None if name.endswith("]") else "is neither a name nor an address in brackets"
    bare = name[:-1] if name.endswith(".") else name
    labels = bare.lower().split(".")
    if re.match(r"[\d.]+\Z|.*:", bare):
        return "is an address and no name"
    if "localhost" in (labels[0], labels[-1]):
        return "is the name that every host has for itself"
    if len(labels) == 1:
        return "has no domain"
    if "localdomain" in labels:
        return "has localdomain in it, which stands for a domain that is not known"
    if "_" in bare:
        return "has an underscore, which no host name has (RFC 1123)"
    if not is_host_name(bare):
        return "is not a host name (RFC 1123)"
    return "ends with a dot" if bare != name else None


def full_name(hostname: str, hosts: str, canonical: Callable[[str], Sequence[str]]) -> str | None:
    """The fully qualified name of this host, or None.

    It is the host's name where that is one; else what /etc/hosts has for it; else the canonical name that the
    host's resolver gives, as `hostname --fqdn` does.
    """
    hostname = hostname.rstrip(".")
    if complaint(hostname) is None:
        return hostname
    if not re.match(r"[A-Za-z0-9-]+\Z", hostname) or hostname.lower() == "localhost":
        return None
    for name in _named(hostname, hosts):
        if complaint(name) is None:
            return name
    names = [name.rstrip(".") for name in canonical(hostname)]
    return next((name for name in names if complaint(name) is None), None)


def entries(hosts: str) -> Iterator[tuple[str, list[str]]]:
    """The lines of hosts(5): address and names."""
    for line in hosts.splitlines():
        words = line.partition("#")[0].split()
        if len(words) > 1:
            yield words[0], words[1:]


def _named(hostname: str, hosts: str) -> Iterator[str]:
    """Names on the lines of that host; those that begin with its name go first, whatever their place on the line."""
    lines = [names for _address, names in entries(hosts) if hostname.lower() in map(str.lower, names)]
    for names in lines:
        yield from (name for name in names if name.lower().startswith(hostname.lower() + "."))
    yield from (names[0] for names in lines)
