# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# What is wrong with master.cf: columns, daemons, ports, arguments, and services that are missing.
# The rule of this file: a daemon that would not start or not serve is an error, whoever would notice it.

from __future__ import annotations

import difflib
import os
import re
import socket
from typing import Iterator

from . import master_cf, nexthop, service
from .finding import Finding, Inspection, is_local, resolves, suggest
from .values import (
    DAEMONS_WITHOUT_ARGUMENTS,
    PIPE_ATTRIBUTES,
    PIPE_FLAGS,
    PRIVILEGED_DAEMONS,
    SOLITARY_DAEMONS,
)
from .version import supports


class Services(Inspection):
    """Services, their ports and their programs."""

    def services(self) -> None:
        directory = self.value("daemon_directory")
        keys: set[tuple[str, str]] = set()
        ports: dict[tuple[frozenset[str], int], master_cf.Service] = {}
        for entry in self.master.services:
            if entry.key in keys:
                self.add_service(entry, "", "the service is there twice", "remove one of the two")
            keys.add(entry.key)
            for field in master_cf.FIELDS:
                allowed = master_cf.field_complaint(field, getattr(entry, field))
                if allowed:
                    self.add_service(
                        entry, f"{field} {getattr(entry, field)}", "no such value", f"write {allowed}"
                    )
            if directory and os.path.isdir(directory):
                self.daemon(entry, directory)
            if entry.type == "inet":
                self.inet_service(entry, ports)
            if entry.command in ("pipe", "spawn"):
                self.outside_program(entry)
            self.columns(entry)
            self.arguments(entry)
        self.missing_services({entry.service for entry in self.master.services})

    def columns(self, entry: master_cf.Service) -> None:
        """What a daemon demands of its entry, and ends at once where it does not get it."""
        if entry.type == "inet" and entry.private != "n":
            self.add_service(
                entry, f"private {entry.private}", "an inet service cannot be private", "write n"
            )
        if entry.command in PRIVILEGED_DAEMONS and entry.unpriv != "n":
            self.add_service(
                entry, f"unpriv {entry.unpriv}", f"{entry.command} needs root's privilege to start", "write n"
            )
        alone = entry.maxproc == "1" or (entry.maxproc == "-" and self.value("default_process_limit") == "1")
        if entry.command in SOLITARY_DAEMONS and not alone:
            problem = f"{entry.command} starts only where it is alone"
            if entry.command in ("qmgr", "oqmgr"):
                problem = "there is only one queue manager"
            self.add_service(entry, f"maxproc {entry.maxproc}", problem, "write 1")

    def arguments(self, entry: master_cf.Service) -> None:
        if entry.command not in DAEMONS_WITHOUT_ARGUMENTS:
            return
        words = [word for word in entry.arguments if not word.startswith("-")]
        if words:
            self.add_service(
                entry,
                " ".join(words),
                f"{entry.command} takes no such argument and would end at once",
                "write -o { name = value } where a value has spaces; a service of its own begins in the first column",
            )

    def daemon(self, entry: master_cf.Service, directory: str) -> None:
        path = os.path.join(directory, entry.command)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return
        near = difflib.get_close_matches(entry.command, os.listdir(directory), 1, 0.6)
        self.add_service(
            entry,
            entry.command,
            f"there is no such daemon in {directory}",
            f"write {near[0]}" if near else "write a daemon of that directory",
        )

    def inet_service(
        self, entry: master_cf.Service, ports: dict[tuple[frozenset[str], int], master_cf.Service]
    ) -> None:
        host, port_text = service.split_inet_service(entry.service)
        if ":" in host and "[" not in entry.service:
            self.add_service(entry, entry.service, "IPv6 without brackets", f"write [{host}]:{port_text}")
            return
        port = service.port_number(port_text)
        if port is None:
            near = difflib.get_close_matches(port_text, [*nexthop.KNOWN_PORTS], 1, 0.6)
            self.add_service(
                entry,
                port_text,
                "no such port",
                f"write {nexthop.KNOWN_PORTS[near[0]]}" if near else "write its number, 1 to 65535",
            )
            return
        if (
            not port_text.isdigit()
            and not _in_services_file(port_text)
            and not supports(self.version, "known_tcp_ports")
        ):
            self.add_service(
                entry, port_text, "services(5) on this host does not know this name", f"write {port}"
            )
        addresses = self.addresses_of(host)
        meeting = [known for known in ports if known[1] == port and _meet(known[0], addresses)]
        other = ports[meeting[0]] if meeting else ports.setdefault((addresses, port), entry)
        if other is not entry:
            self.add_service(
                entry,
                entry.service,
                f"port {port} is already that of {'/'.join(other.key)}",
                "remove one of the two",
            )
            return
        if host and host[0].isalpha() and not resolves(host):
            self.add_service(
                entry,
                entry.service,
                f"{host} does not resolve, so Postfix would not start",
                "write an address",
            )
            return
        if host and not host[0].isalpha() and not is_local(host):
            self.add_service(
                entry,
                entry.service,
                f"{host} is no address of this host",
                "write one that `ip address` shows",
            )
            return
        taken = [listener for listener in self.foreign if listener.port == port]
        if any(_overlaps(host, listener.address) for listener in taken) and not self.predicting:
            self.add_service(
                entry,
                entry.service,
                f"port {port} is held by a process that is not Postfix",
                f"stop that process: ss -ltnp 'sport = :{port}' names it",
            )

    def outside_program(self, entry: master_cf.Service) -> None:
        words: dict[str, str] = {}
        for word in entry.arguments:
            name, _equals, value = word.partition("=")
            if entry.command == "pipe" and name not in PIPE_ATTRIBUTES:
                self.add_service(
                    entry,
                    word,
                    "pipe has no such attribute",
                    suggest(name, [each + "=" for each in PIPE_ATTRIBUTES]),
                )
            words[name] = value
            if name == "argv":
                break
        for need in ("user", "argv"):
            if not words.get(need):
                self.add_service(entry, entry.command, f"{need}= is missing", f"write {need}=…")
        unknown = [flag for flag in words.get("flags", "") if flag not in PIPE_FLAGS]
        if unknown:
            self.add_service(
                entry,
                f"flags={words['flags']}",
                f"pipe has no flag {unknown[0]}",
                f"its flags are {PIPE_FLAGS}",
            )
        user, _colon, group = words.get("user", "").partition(":")
        if user in ("root", self.value("mail_owner")) or group in ("root", self.value("setgid_group")):
            self.add_service(
                entry,
                f"user={words['user']}",
                f"{entry.command} runs nothing as root or as Postfix itself",
                "write a user of its own",
            )
        if entry.chroot == "y":
            self.add_service(
                entry,
                "chroot y",
                f"{entry.command} runs programs from outside, which a chroot hides",
                "write n",
                certain=False,
            )

    def missing_services(self, names: set[str]) -> None:
        for parameter, usual in (
            ("cleanup_service_name", "cleanup"),
            ("rewrite_service_name", "rewrite"),
            ("bounce_service_name", "bounce"),
            ("defer_service_name", "defer"),
            ("queue_service_name", "qmgr"),
            ("pickup_service_name", "pickup"),
            ("error_service_name", "error"),
        ):
            self.require(names, self.value(parameter) or usual, f"mail stops without it ({parameter})")
        for name, why in self.needed():
            self.require(names, name, why)

    def require(self, names: set[str], name: str, why: str) -> None:
        if name in names:
            return
        problem, remedy = f"the service is missing, and {why}", f"add {name} as the shipped master.cf has it"
        self.findings.append(Finding("master.cf", 0, f"service {name}", "", problem, remedy))

    def needed(self) -> Iterator[tuple[str, str]]:
        """Services that something else makes necessary, and what."""
        proxied = any(re.search(r"(?:^|[\s,])proxy:", self.expanded(place) or "") for place in self.places)
        if proxied:
            yield "proxymap", "tables are named with proxy:"
        elif (
            self.smtpd_services
            and self.words("mydestination")
            and "proxy:" in self.value("local_recipient_maps")
        ):
            yield "proxymap", "smtpd looks recipients up through it (local_recipient_maps)"
        levels = [
            self.value(f"{entry.command}_tls_{name}", entry).lower()
            for entry in self.master.services
            if entry.command in ("smtp", "smtpd", "lmtp")
            for name in ("security_level", "wrappermode")
        ]
        if any(level not in ("", "none", "no") for level in levels):
            yield "tlsmgr", "TLS does not work without it"
        if self.value("maillog_file"):
            yield self.value("postlog_service_name") or "postlog", "nothing would be logged (maillog_file)"
        if any(entry.command == "postscreen" for entry in self.master.services):
            if self.words("postscreen_dnsbl_sites"):
                yield "dnsblog", "postscreen asks through it (postscreen_dnsbl_sites)"
            if not any(entry.type == "pass" for entry in self.smtpd_services):
                yield "smtpd", "postscreen passes its clients on to smtpd of type pass"


def _in_services_file(name: str) -> bool:
    try:
        socket.getservbyname(name, "tcp")
    except OSError:
        return False
    return True


def _overlaps(host: str, address: str) -> bool:
    """Whether a service on that host (empty: every address) would meet a listener on the address."""
    if not host or (not host[0].isdigit() and ":" not in host):
        return True
    return address in (host, "0.0.0.0", "::")


def _meet(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two sets of addresses cannot both be bound to one port."""
    if one & other:
        return True
    for wild, version in (("0.0.0.0", "."), ("::", ":")):
        for a, b in ((one, other), (other, one)):
            if wild in a and any(version in each for each in b):
                return True
    return False
