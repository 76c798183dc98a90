# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# What is wrong with master.cf, and with what smtpd is told to let through.
# The rule of this file: a daemon that would not start or not serve is an error, whoever would notice it.

from __future__ import annotations

import difflib
import os
import re
import socket
from typing import Sequence

from . import config, service
from .finding import Finding, Inspection, Place, is_local, suggest
from .values import RESTRICTION_ARGUMENTS, RESTRICTIONS
from .version import supports


class Services(Inspection):
    """Services, their ports and programs, restrictions, and the server's SASL."""

    def services(self) -> None:
        directory = self.value("daemon_directory")
        keys: set[tuple[str, str]] = set()
        ports: dict[tuple[str, int], config.Service] = {}
        for entry in self.master.services:
            if entry.key in keys:
                self.add_service(entry, "", "the service is there twice", "remove one of the two")
            keys.add(entry.key)
            for field in config.FIELDS:
                allowed = config.field_complaint(field, getattr(entry, field))
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
            if entry.command in ("qmgr", "oqmgr") and entry.maxproc != "1":
                self.add_service(
                    entry, f"maxproc {entry.maxproc}", "there is only one queue manager", "write 1"
                )
        self.missing_services({(entry.service) for entry in self.master.services})
        self.transports()

    def daemon(self, entry: config.Service, directory: str) -> None:
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

    def inet_service(self, entry: config.Service, ports: dict[tuple[str, int], config.Service]) -> None:
        host, port_text = service.split_inet_service(entry.service)
        if ":" in host and "[" not in entry.service:
            self.add_service(entry, entry.service, "IPv6 without brackets", f"write [{host}]:{port_text}")
            return
        port = service.port_number(port_text)
        if port is None:
            near = difflib.get_close_matches(port_text, [*config.KNOWN_PORTS], 1, 0.6)
            self.add_service(
                entry,
                port_text,
                "no such port",
                f"write {config.KNOWN_PORTS[near[0]]}" if near else "write its number, 1 to 65535",
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
        other = ports.setdefault((host, port), entry)
        if other is not entry:
            self.add_service(
                entry,
                entry.service,
                f"port {port} is already that of {'/'.join(other.key)}",
                "remove one of the two",
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

    def outside_program(self, entry: config.Service) -> None:
        words = {word.partition("=")[0]: word.partition("=")[2] for word in entry.arguments}
        for need in ("user", "argv"):
            if not words.get(need):
                self.add_service(entry, entry.command, f"{need}= is missing", f"write {need}=…")
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
            name = self.value(parameter) or usual
            if name not in names:
                self.findings.append(
                    Finding(
                        "master.cf",
                        0,
                        f"service {name}",
                        "",
                        f"the service is missing, and mail stops without it ({parameter})",
                        f"add {name} as the shipped master.cf has it",
                    )
                )
        proxied = any(re.search(r"(?:^|[\s,])proxy:", self.expanded(place) or "") for place in self.places)
        if proxied and "proxymap" not in names:
            self.findings.append(
                Finding(
                    "master.cf",
                    0,
                    "service proxymap",
                    "",
                    "the service is missing, and tables are named with proxy:",
                    "add it as the shipped master.cf has it",
                )
            )

    def transports(self) -> None:
        unix = {entry.service for entry in self.master.services if entry.type == "unix"}
        for place in self.places:
            if place.name not in (
                "default_transport",
                "relay_transport",
                "local_transport",
                "virtual_transport",
                "mailbox_transport",
                "fallback_transport",
                "content_filter",
            ):
                continue
            value = self.expanded(place)
            if not value:
                continue
            name, hop = config.split_transport(value)
            if name not in unix:
                near = difflib.get_close_matches(name, sorted(unix), 1, 0.6)
                self.add(
                    place,
                    f"master.cf has no service {name!r}",
                    f"write {near[0]}:{hop}".rstrip(":") if near else "add it to services",
                )
            else:
                self.pipe_program(place, name)
            if place.name == "default_transport" and hop and self.command_of(name) in ("smtp", "lmtp"):
                self.hop_list(place, hop)

    def pipe_program(self, place: Place, name: str) -> None:
        entry = self.master.get(name, "unix")
        program = (
            next((word[5:] for word in entry.arguments if word.startswith("argv=")), "") if entry else ""
        )
        if program.startswith("/") and not os.path.exists(program):
            self.add(
                place,
                f"the service {name} runs {program}, which does not exist",
                "install it, or name another transport",
                certain=self.installed_here,
            )

    def restrictions(self) -> None:
        classes = config.split_list(self.value("smtpd_restriction_classes"))
        known = {*RESTRICTIONS, *classes}
        for place in self.places:
            if not re.match(r"smtpd_\w+_restrictions\Z", place.name) and place.name not in classes:
                continue
            value = self.expanded(place)
            if value is None:
                continue
            words = config.split_list(value)
            skip = False
            for index, word in enumerate(words):
                if skip:
                    skip = False
                    continue
                lowered = word.lower()
                if lowered in RESTRICTION_ARGUMENTS:
                    skip = True
                    self.restriction_argument(place, word, words[index + 1] if index + 1 < len(words) else "")
                elif re.match(r"[a-z][a-z0-9_]*\Z", lowered) and lowered not in known:
                    self.add(
                        place,
                        f"there is no restriction {word!r}, so every mail would be deferred",
                        suggest(word, sorted(known)),
                    )
        for name in classes:
            if name not in self.lookup:
                self.add(
                    self.place_of("smtpd_restriction_classes"),
                    f"the class {name} has no value",
                    f"write {name} = … too",
                )

    def restriction_argument(self, place: Place, word: str, argument: str) -> None:
        if not argument:
            self.add(
                place, f"{word} needs an argument", f"write {word} {RESTRICTION_ARGUMENTS[word.lower()]}"
            )
            return
        if word.lower().startswith("check_") and word.lower().endswith("_access"):
            kind, colon, rest = argument.partition(":")
            kind = rest.partition(":")[0] if kind == "proxy" else kind
            if not colon:
                self.add(place, f"{word} {argument}: no table type", f"write {word} texthash:{argument}")
            elif kind not in self.map_types:
                self.unknown_type(place, kind, rest)

    def relaying(self) -> None:
        """An smtpd that would relay for anyone, or not start because it could."""
        guards = {"reject_unauth_destination", "defer_unauth_destination", "reject", "defer"}
        working = {*guards, "defer_if_permit", "check_relay_domains"}
        for entry in self.master.services:
            if entry.type not in ("inet", "pass") or entry.command != "smtpd":
                continue
            lists = {
                name: [word.lower() for word in config.split_list(self.value(name, entry))]
                for name in ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
            }
            if not any(working & set(words) for words in lists.values()):
                self.add(
                    self.place_of("smtpd_relay_restrictions", entry),
                    f"smtpd of {'/'.join(entry.key)} does not start when nothing in it or in "
                    "smtpd_recipient_restrictions refuses foreign destinations",
                    "end it with reject_unauth_destination",
                )
            elif not any(_guarded(words, guards) for words in lists.values()):
                self.add(
                    self.place_of("smtpd_relay_restrictions", entry),
                    f"an open relay: {'/'.join(entry.key)} comes to permit before reject_unauth_destination",
                    "write permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
                )

    def server_sasl(self) -> None:
        for entry in self.master.services:
            if entry.type not in ("inet", "pass") or entry.command != "smtpd":
                continue
            if (
                self.value("smtpd_sasl_auth_enable", entry).lower() != "yes"
                or self.value("smtpd_sasl_type", entry) != "dovecot"
            ):
                continue
            path = self.value("smtpd_sasl_path", entry)
            if path.startswith("inet:"):
                continue
            path = path[5:] if path.startswith("unix:") else path
            full = os.path.join(self.value("queue_directory") or "/var/spool/postfix", path)
            place = self.place_of("smtpd_sasl_path", entry)
            if not os.path.exists(full):
                self.add(
                    place,
                    f"Dovecot's socket {full} does not exist, so smtpd of {'/'.join(entry.key)} would not start",
                    "configure Dovecot's auth socket and start it first",
                    certain=self.installed_here,
                )


def _guarded(words: Sequence[str], guards: set[str]) -> bool:
    for word in words:
        if word in guards:
            return True
        if word == "permit":
            return False
    return False


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
