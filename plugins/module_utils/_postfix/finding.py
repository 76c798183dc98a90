# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# A judged configuration: what check*.py share. Where a value stands, what it expands to, and how a mistake
# is told. The rule of this file: no judgement of its own.

from __future__ import annotations

import contextlib
import difflib
import ipaddress
import os
import re
import socket
from collections import ChainMap
from concurrent.futures import ThreadPoolExecutor
from typing import Iterable, Mapping, NamedTuple

from . import expansion, main_cf, maps, master_cf, nexthop, service, syntax, table
from .version import parse_version, supports

# What only smtpd(8), postscreen(8), lmtp(8) and virtual(8) read.
_ASIDE = ("smtpd_", "postscreen_", "lmtp_", "virtual_mailbox_", "virtual_uid_", "virtual_gid_")
_RELAYING = ("_restrictions", "_hosts", "_clients", "_networks", "virtual_mailbox_domains")


class Finding(NamedTuple):
    """One mistake (certain) or one opinion (not certain)."""

    file: str
    line: int
    parameter: str
    value: str
    problem: str
    remedy: str
    certain: bool = True

    def __str__(self) -> str:
        place = f"{self.file} line {self.line}" if self.line else self.file
        what = f"{self.parameter} = {self.value}".strip() if self.value else self.parameter
        return f"{place}: {what}: {self.problem}" + (f"; {self.remedy}" if self.remedy else "")

    def as_dict(self) -> dict[str, object]:
        return dict(self._asdict())

    @property
    def where(self) -> tuple[str, str]:
        """The service (name/type) and the parameter that it is about, the one or the other may be empty."""
        service, _option, setting = self.parameter.rpartition(" -o ")
        name = setting.partition("service ")
        return (name[2], "") if name[1] and not name[0] else (service, setting)

    @property
    def aside(self) -> bool:
        """Whether mail goes out all the same, and nobody may relay by it.

        It is about what comes from other hosts, or about the right side of one row, which few messages meet. What is
        wrong with a row's key makes a daemon do without the whole table, and a row of all keys is met by all mail.
        """
        setting = self.where[1]
        row = self.file not in ("main.cf", "master.cf") and self.value and self.parameter != "*"
        return bool(row) or (setting.startswith(_ASIDE) and not setting.endswith(_RELAYING))

    @property
    def named(self) -> set[str]:
        """Whoever names one of these asks for it: the parameter, or the service (name/type) that sets it."""
        return {word for word in self.where if word}


class Place(NamedTuple):
    """One assignment, in main.cf or as a -o option of a service."""

    file: str
    line: int
    name: str
    raw: str
    service: master_cf.Service | None = None


def staged_path(path: str, stage: str, live: str) -> str:
    """Where a path named in a value is judged: below the live directory means the stage."""
    for root in dict.fromkeys((live, os.path.realpath(live))):
        if path == root or path.startswith(root.rstrip("/") + "/"):
            return stage + path[len(root.rstrip("/")) :]
    return path


class Inspection:
    """One staged directory under judgement: its files parsed, Postfix's answers about it, the findings so far."""

    def __init__(self, stage: str, live: str, predicting: bool, running: service.Master | None) -> None:
        self.stage, self.live, self.predicting, self.running = stage, live, predicting, running
        self.main = main_cf.MainCf(read_text(os.path.join(stage, "main.cf")))
        self.master = master_cf.MasterCf(read_text(os.path.join(stage, "master.cf")))
        self.findings: list[Finding] = []
        self.said: set[Finding] = set()
        """Of these what Postfix's tools said, without a remedy."""
        self.postconf = service.find_program("postconf") or "postconf"
        with ThreadPoolExecutor() as together:
            self.current, defaults, types, self.options = together.map(
                lambda flags: service.run([self.postconf, "-c", stage, *flags]),
                ((), ("-d",), ("-m",), ("-P",)),
            )
        self.defaults = assignments(defaults.output)
        self.lookup: dict[str, str] = {
            **self.defaults,
            **assignments(self.current.output),
            **self.main.values(),
            "config_directory": live,
        }
        self.version = parse_version(self.defaults.get("mail_version", "0.0"))
        self.map_types = (
            types.output.split()
            # Nothing is said where main.cf is so wrong that no tool runs; the types are those of the host.
            or service.run([self.postconf, "-m"]).output.split()
        )
        self.smtpd_services = [
            entry
            for entry in self.master.services
            if entry.type in ("inet", "pass") and entry.command == "smtpd"
        ]
        self.foreign = service.all_listeners() - self.held()
        self.places = [
            Place("main.cf", setting.line, setting.name, setting.value) for setting in self.main.settings
        ] + [
            Place("master.cf", entry.line, name, value, entry)
            for entry in self.master.services
            for name, value in entry.options
        ]

    def held(self) -> set[service.Listener]:
        """The listeners of the running Postfix; by the ports of its master.cf where its sockets cannot be seen."""
        if self.running is None:
            return set()
        if self.running.listeners is not None:
            return set(self.running.listeners)
        names = [
            entry.service
            for entry in master_cf.MasterCf(read_text(os.path.join(self.live, "master.cf"))).services
        ]
        ports = {service.port_number(service.split_inet_service(name)[1]) for name in names}
        return {listener for listener in service.all_listeners() if listener.port in ports}

    def add(
        self, place: Place, problem: str, remedy: str = "", certain: bool = True, value: str | None = None
    ) -> None:
        name = f"{'/'.join(place.service.key)} -o {place.name}" if place.service else place.name
        shown = place.raw if value is None else value
        self.findings.append(Finding(place.file, place.line, name, shown, problem, remedy, certain))

    def add_service(
        self, entry: master_cf.Service, value: str, problem: str, remedy: str = "", certain: bool = True
    ) -> None:
        self.findings.append(
            Finding(
                "master.cf", entry.line, f"service {'/'.join(entry.key)}", value, problem, remedy, certain
            )
        )

    @property
    def installed_here(self) -> bool:
        """Certainty about things that another task may bring before the real run."""
        return not self.predicting

    def scope(self, entry: master_cf.Service | None) -> Mapping[str, str]:
        return ChainMap(dict(entry.options), self.lookup) if entry and entry.options else self.lookup

    def expanded(self, place: Place) -> str | None:
        """The value as Postfix will see it, None where that depends on what is not known here."""
        if "$" not in place.raw:
            return place.raw
        try:
            return expansion.expand(place.raw, self.scope(place.service)).strip()
        except expansion.CannotExpand:
            return None

    def value(self, name: str, entry: master_cf.Service | None = None) -> str:
        scope = self.scope(entry)
        text = scope.get(name, "")
        if "$" not in text:
            return text
        with contextlib.suppress(expansion.CannotExpand):
            return expansion.expand(text, scope).strip()
        return ""

    def words(self, name: str, entry: master_cf.Service | None = None) -> list[str]:
        return syntax.split_list(self.value(name, entry))

    def enabled(self, name: str, entry: master_cf.Service | None = None) -> bool:
        return self.value(name, entry).lower() == "yes"

    def chrooted(self, entry: master_cf.Service) -> bool:
        """Whether the daemon runs chrooted; "-" means so up to compatibility_level 0."""
        return entry.chroot == "y" or (entry.chroot == "-" and self.value("compatibility_level") in ("", "0"))

    def addresses_of(self, host: str) -> frozenset[str]:
        """What an inet service binds: its own host, else inet_interfaces."""
        if host:
            return frozenset({host})
        words = self.words("inet_interfaces") or ["all"]
        return frozenset(
            address
            for word in words
            for address in {"all": ("0.0.0.0", "::"), "loopback-only": ("127.0.0.1", "::1")}.get(
                word, (word.strip("[]"),)
            )
        )

    def place_of(self, name: str, entry: master_cf.Service | None = None) -> Place:
        """Where a parameter gets its value; main.cf without a line where it is the default."""
        if entry and entry.option(name) is not None:
            return Place("master.cf", entry.line, name, entry.option(name) or "", entry)
        return Place("main.cf", self.main.line_of(name), name, self.scope(entry).get(name, ""))

    def staged(self, path: str) -> str:
        return staged_path(path, self.stage, self.live)

    def clean(self, text: str) -> str:
        return text.replace(self.stage, self.live)

    # ------------------------------------------------------------------ what several judgements need

    def unknown_type(self, place: Place, kind: str, rest: str) -> None:
        # A host and port or an endpoint in a list that also takes tables.
        if place.name in ("mynetworks", "mydestination") and not rest.startswith("/"):
            return
        if not self.map_types:
            return
        near = difflib.get_close_matches(kind, self.map_types, 1, 0.7)
        packaged = kind in ("lmdb", "cdb", "ldap", "mysql", "pcre", "pgsql", "sqlite", "mongodb")
        remedy = (
            f"install the package postfix-{kind}, or use another type"
            if packaged
            else "postconf -m lists the types"
        )
        self.add(
            place,
            f"this Postfix has no table type {kind!r}",
            f"write {near[0]}:{rest}" if near else remedy,
            certain=self.installed_here or not packaged,
        )

    def source(self, path: str) -> list[table.Row]:
        try:
            return table.parse_map(read_text(path))
        except OSError:
            return []

    def rows_of(self, value: str) -> list[tuple[table.Row, str]] | None:
        """The rows of all tables in a value; None where one of them cannot be read as text."""
        result: list[tuple[table.Row, str]] = []
        for word in syntax.split_list(value):
            kind, _colon, path = word.partition(":")
            if kind == "proxy":
                kind, _colon, path = path.partition(":")
            if kind == "inline":
                result += [(row, "main.cf") for row in table.parse_inline(path)]
                continue
            staged = self.staged(path)
            if (kind not in maps.COMPILED and kind != "texthash") or not os.path.exists(staged):
                return None
            result += [(row, self.shown_file(staged, path)) for row in self.source(staged)]
        return result

    def shown_file(self, staged: str, path: str) -> str:
        return os.path.relpath(staged, self.stage) if staged.startswith(self.stage + "/") else path

    def add_row(
        self,
        file: str,
        row: table.Row,
        problem: str,
        remedy: str = "",
        value: str = "",
        certain: bool = True,
    ) -> None:
        """A mistake in a row of a table: its value may be a secret, so it is shown only where given."""
        self.findings.append(Finding(file, row.line, row.key, value, problem, remedy, certain))

    def hop_list(self, place: Place, value: str) -> list[nexthop.NextHop]:
        result = []
        words = syntax.split_list(value)
        for word in words:
            try:
                result.append(nexthop.parse_next_hop(word))
            except ValueError as error:
                problem, _semicolon, remedy = str(error).partition("; ")
                self.add(place, problem, remedy)
        if len(words) > 1 and not supports(self.version, "relayhost_list"):
            self.add(
                place,
                f"Postfix {self.version} takes one destination here, lists came with 3.5",
                f"write {words[0]}",
            )
        return result

    def command_of(self, name: str) -> str:
        entry = self.master.get(name, "unix")
        return entry.command if entry else ""


def read_text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as handle:
            return handle.read()
    except OSError:
        return ""


def assignments(output: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in output.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _equals, value in pairs}


def suggest(word: str, allowed: Iterable[str]) -> str:
    choices = list(allowed)
    near = difflib.get_close_matches(word.lower(), [each.lower() for each in choices], 1, 0.6)
    if near:
        return f"write {next(each for each in choices if each.lower() == near[0])}"
    return f"write one of {', '.join(choices)}" if len(choices) < 20 else "look it up in postconf(5)"


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


def on_loopback(entry: master_cf.Service | None) -> bool:
    """Whether only this host can reach the service."""
    return bool(entry and re.match(r"(127\.|\[?::1\]?:|localhost:)", entry.service))


def resolves(name: str) -> bool:
    try:
        socket.getaddrinfo(name, None)
    except (OSError, UnicodeError):
        return False
    return True
