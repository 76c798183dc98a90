# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# What is wrong with the sockets of other programs: milters, filters, and paths that a chroot hides.
# The rule of this file: a program that is not running yet is no mistake, a path that cannot reach it is one.

from __future__ import annotations

import os
from typing import Sequence

from . import master_cf, service, syntax
from .finding import Inspection, Place


class Sockets(Inspection):
    """Milters and proxies, and what all judgements of sockets share."""

    def sockets(self) -> None:
        for place in self.places:
            value = self.expanded(place)
            if not value:
                continue
            if place.name in ("smtpd_milters", "non_smtpd_milters", "lmtpd_milters"):
                self.milters(place, value)
            elif place.name == "smtpd_proxy_filter":
                self.proxy_filter(place, value)

    def milters(self, place: Place, value: str) -> None:
        for word in syntax.split_list(value):
            inner = syntax.split_list(word.strip("{} "))
            endpoint = inner[0] if inner else ""
            kind, colon, rest = endpoint.partition(":")
            if kind not in ("inet", "inet6", "unix", "local") or not colon or not rest:
                self.add(place, f"{endpoint!r} is no endpoint", "write inet:host:port or unix:path")
            elif kind.startswith("inet"):
                _host, port_colon, port = rest.rpartition(":")
                if not port_colon or service.port_number(port) is None:
                    self.add(place, f"{endpoint!r} has no known port", "write inet:host:port with a number")
            elif place.service:
                self.hidden_socket(place, rest, [place.service])
            elif place.name == "smtpd_milters":
                self.hidden_socket(place, rest, self.smtpd_services)
            else:
                cleanup = [entry for entry in self.master.services if entry.command == "cleanup"]
                self.hidden_socket(place, rest, cleanup)

    def proxy_filter(self, place: Place, value: str) -> None:
        kind, _colon, rest = value.partition(":")
        endpoint = rest if kind == "inet" else value
        if kind != "unix" and service.port_number(endpoint.rpartition(":")[2]) is None:
            self.add(place, f"{value!r} has no known port", "write host:port with a number")

    def socket_exists(self, path: str) -> bool:
        """Relative paths begin at the queue directory."""
        return os.path.exists(os.path.join(self.value("queue_directory") or "/var/spool/postfix", path))

    def hidden_socket(self, place: Place, path: str, users: Sequence[master_cf.Service]) -> bool:
        """Whether a chrooted daemon looks in vain for a socket that is there; then it is told."""
        queue = self.value("queue_directory") or "/var/spool/postfix"
        chrooted = next((entry for entry in users if self.chrooted(entry)), None)
        if (
            chrooted is None
            or not path.startswith("/")
            or os.path.exists(queue + path)
            or not os.path.exists(path)
        ):
            return False
        inside = path[len(queue) + 1 :] if path.startswith(queue + "/") else "a path below it"
        self.add(
            place,
            f"{'/'.join(chrooted.key)} is chrooted to {queue} and cannot see {path}",
            f"let the socket be in {queue} and write {inside}, or set chroot n for the service",
        )
        return True
