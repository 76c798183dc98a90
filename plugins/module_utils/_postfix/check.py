# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# What is wrong with a staged configuration directory: everything at once, before anything is live.
#
# Postfix's own tools speak first. They are silent about most mistakes that stop mail (a misspelt TLS
# level, a boolean written True, a map or certificate that is not there, a policy key that no next hop
# matches), so the rest is checked here, with Postfix's own defaults as the source of types.
#
# The rule of this file: what is certain to fail is an error, what is only unwise is a warning, and each
# says where it is and what to write instead. A row of a table is never quoted beyond its key.

from __future__ import annotations

import contextlib
import difflib
import ipaddress
import os
import re
import socket
import ssl
import time
from typing import Callable, Iterable, Iterator, Mapping, NamedTuple, Sequence

from . import certificate, config, maps, service
from .values import (
    CLIENT_LEVELS,
    ENUMERATIONS,
    MECHANISM_PLUGINS,
    MECHANISM_SPELLINGS,
    NOT_WHAT_THEY_SEEM,
    RESTRICTION_ARGUMENTS,
    RESTRICTIONS,
    SUFFIX_TYPES,
    TLS_PROTOCOLS,
    WORD_LISTS,
)
from .version import parse_version, supports

SASL_PLUGIN_DIRECTORIES = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64")
STARTTLS_PORTS = (25, 587, 2525, 2587)
ENCRYPTED_LEVELS = ("encrypt", "dane-only", "fingerprint", "verify", "secure")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


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


class Place(NamedTuple):
    """One assignment, in main.cf or as a -o option of a service."""

    file: str
    line: int
    name: str
    raw: str
    service: config.Service | None = None


def staged_path(path: str, stage: str, live: str) -> str:
    """Where a path named in a value is judged: below the live directory means the stage."""
    for root in dict.fromkeys((live, os.path.realpath(live))):
        if path == root or path.startswith(root.rstrip("/") + "/"):
            return stage + path[len(root.rstrip("/")) :]
    return path


def check(
    stage: str, live: str, predicting: bool = False, running: service.Master | None = None
) -> list[Finding]:
    """Judge the directory `stage` as if it were `live`.

    `predicting`: nothing may be touched, and what another task may install meanwhile is only a warning.
    """
    return Inspector(stage, live, predicting, running).run()


class Inspector:
    def __init__(self, stage: str, live: str, predicting: bool, running: service.Master | None) -> None:
        self.stage, self.live, self.predicting, self.running = stage, live, predicting, running
        self.main = config.MainCf(_read(os.path.join(stage, "main.cf")))
        self.master = config.MasterCf(_read(os.path.join(stage, "master.cf")))
        self.findings: list[Finding] = []
        self.postconf = service.find_program("postconf") or "postconf"
        self.current = service.run([self.postconf, "-c", stage])
        self.defaults = _assignments(service.run([self.postconf, "-c", stage, "-d"]).output)
        self.lookup: dict[str, str] = {
            **self.defaults,
            **_assignments(self.current.output),
            **self.main.values(),
            "config_directory": live,
        }
        self.version = parse_version(self.defaults.get("mail_version", "0.0"))
        self.map_types = service.run([self.postconf, "-c", stage, "-m"]).output.split()
        self.places = [
            Place("main.cf", setting.line, setting.name, setting.value) for setting in self.main.settings
        ] + [
            Place("master.cf", entry.line, name, value, entry)
            for entry in self.master.services
            for name, value in entry.options
        ]

    def run(self) -> list[Finding]:
        steps: tuple[Callable[[], None], ...] = (
            self.syntax, self.tools, self.types, self.enumerations, self.tables, self.networks, self.restrictions,
            self.services, self.certificates, self.hops, self.relaying, self.server_sasl,
        )  # fmt: skip
        for step in steps:
            step()
        unique = dict.fromkeys(self.findings)
        return sorted(
            unique, key=lambda finding: (not finding.certain, finding.file, finding.line, finding.parameter)
        )

    # ------------------------------------------------------------------ helpers

    def add(
        self, place: Place, problem: str, remedy: str = "", certain: bool = True, value: str | None = None
    ) -> None:
        name = f"{'/'.join(place.service.key)} -o {place.name}" if place.service else place.name
        shown = place.raw if value is None else value
        self.findings.append(Finding(place.file, place.line, name, shown, problem, remedy, certain))

    def add_service(
        self, entry: config.Service, value: str, problem: str, remedy: str = "", certain: bool = True
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

    def scope(self, entry: config.Service | None) -> Mapping[str, str]:
        return {**self.lookup, **dict(entry.options)} if entry else self.lookup

    def expanded(self, place: Place) -> str | None:
        """The value as Postfix will see it, None where that depends on what is not known here."""
        if "$" not in place.raw:
            return place.raw
        try:
            return config.expand(place.raw, self.scope(place.service)).strip()
        except config.CannotExpand:
            return None

    def value(self, name: str, entry: config.Service | None = None) -> str:
        with contextlib.suppress(config.CannotExpand):
            return config.expand(self.scope(entry).get(name, ""), self.scope(entry)).strip()
        return ""

    def place_of(self, name: str, entry: config.Service | None = None) -> Place:
        """Where a parameter gets its value; main.cf without a line where it is the default."""
        if entry and entry.option(name) is not None:
            return Place("master.cf", entry.line, name, entry.option(name) or "", entry)
        return Place("main.cf", self.main.line_of(name), name, self.scope(entry).get(name, ""))

    def staged(self, path: str) -> str:
        return staged_path(path, self.stage, self.live)

    def clean(self, text: str) -> str:
        return text.replace(self.stage, self.live)

    # ------------------------------------------------------------------ text, and Postfix's tools

    def syntax(self) -> None:
        if not self.main.settings and not os.path.exists(os.path.join(self.stage, "main.cf")):
            self.findings.append(
                Finding("main.cf", 0, "main.cf", "", "the file is missing", "give it in files")
            )
        for line, text in self.main.bad_lines:
            self.findings.append(
                Finding("main.cf", line, text[:60], "", "this is not an assignment", "write name = value")
            )
        for line, text, problem in self.master.bad_lines:
            self.findings.append(Finding("master.cf", line, text[:60], "", problem, ""))
        for setting in self.main.duplicates():
            place = Place("main.cf", setting.line, setting.name, setting.value)
            last = self.main.line_of(setting.name)
            self.add(
                place,
                f"line {last} sets it again, and that one counts",
                "remove one of the two",
                certain=False,
            )

    def tools(self) -> None:
        outputs = [self.current]
        outputs.append(service.run([self.postconf, "-c", self.stage, "-M"]))
        outputs.append(service.run([self.postconf, "-c", self.stage, "-P"]))
        postfix = service.find_program("postfix")
        if postfix and not self.predicting:
            outputs.append(service.run([postfix, "-c", self.stage, "check"]))
        for done in outputs:
            for line in done.errors.splitlines():
                self.complaint(line)

    def complaint(self, line: str) -> None:
        match = re.search(r"\b(warning|error|fatal|panic): (.*)", self.clean(line))
        if not match:
            return
        kind, text = match.groups()
        file = "master.cf" if "master.cf" in text else "main.cf"
        number = re.search(r"line (\d+)", text)
        found_line = int(number.group(1)) if number else 0
        text = re.sub(rf"{re.escape(self.live)}/(main|master)\.cf(, line \d+(-\d+)?)?: ", "", text)
        unused = re.match(r"unused parameter: (?P<name>\S+?)=(?P<value>.*)", text)
        if unused:
            self.unused(unused.group("name"), unused.group("value"), file)
            return
        if (
            "overriding earlier entry" in text
            or (kind == "warning"
            and re.search(
                r"deprecated|will be removed|symlink leaves directory|not owned by|group or other writable|differ$|"
                r"backwards-compatible|compatibility level|COMPATIBILITY_README|support for|is obsolete|not set-gid|"
                r"To disable|NON_BERKELEYDB|Berkeley DB",
                text,
            ))
        ):
            if "overriding earlier entry" not in text:
                self.findings.append(Finding(file, found_line, "Postfix says", "", text, "", False))
            return
        named = [name for name in re.findall(r"[a-z][a-z0-9_]{3,}", text) if self.main.line_of(name)]
        place = (
            self.place_of(named[0])
            if named and file == "main.cf"
            else Place(file, found_line, "Postfix says", "")
        )
        self.add(place, text)

    def unused(self, name: str, value: str, file: str) -> None:
        if file == "master.cf":
            service_name, _slash, option = name.rpartition("/")
            line = next((e.line for e in self.master.services if "/".join(e.key) == service_name), 0)
            place = Place(file, line, f"{service_name} -o {option}", value)
            name = option
        else:
            place = Place(file, self.main.line_of(name), name, value)
        near = difflib.get_close_matches(name, [*self.defaults], 1, 0.8)
        remedy = f"write {near[0]}" if near else "remove it, or write the name that postconf(5) has"
        self.add(place, f"Postfix {self.version} has no parameter of this name, and nothing uses it", remedy)

    # ------------------------------------------------------------------ types

    def types(self) -> None:
        for place in self.places:
            kind = self.type_of(place.name)
            value = self.expanded(place)
            if kind is None or value is None:
                continue
            checker = {"boolean": _boolean, "number": _number, "time": _time}[kind]
            remedy = checker(value)
            if remedy:
                self.add(place, f"{_article(kind)} is needed here", remedy)

    def type_of(self, name: str) -> str | None:
        """boolean, number or time as the default of the parameter shows; None for text."""
        if name in NOT_WHAT_THEY_SEEM or name in ENUMERATIONS or name in WORD_LISTS:
            return None
        default = self.defaults.get(name)
        if default is None:
            return next((kind for suffix, kind in SUFFIX_TYPES if name.endswith(suffix)), None)
        try:
            default = config.expand(default, self.defaults)
        except config.CannotExpand:
            return None
        if default in ("yes", "no"):
            return "boolean"
        if re.match(r"\d+\Z", default):
            return "number"
        if re.match(r"\d+[smhdw]\Z", default):
            return "time"
        return None

    # ------------------------------------------------------------------ closed sets of words

    def enumerations(self) -> None:
        for place in self.places:
            value = self.expanded(place)
            if value is None:
                continue
            if place.name in ENUMERATIONS:
                allowed, what = ENUMERATIONS[place.name]
                if value.lower() not in allowed:
                    self.add(
                        place, f"there is no such {what}", _suggest(value, [word for word in allowed if word])
                    )
            elif place.name in WORD_LISTS:
                allowed, what = WORD_LISTS[place.name]
                for word in config.split_list(value):
                    if word.lower() not in allowed:
                        self.add(place, f"{word!r} is no {what}", _suggest(word, allowed))
            elif re.search(r"_tls(_mandatory)?_protocols\Z", place.name):
                self.protocols(place, value)
            elif place.name.endswith("_sasl_mechanism_filter"):
                self.mechanisms(place, value)
            elif place.name in ("smtpd_milters", "non_smtpd_milters", "lmtpd_milters"):
                self.milters(place, value)
        inet = self.place_of("inet_protocols")
        if not config.split_list(self.value("inet_protocols")):
            self.add(inet, "no protocol is named", "write all, ipv4 or ipv6")
        self.compatibility()

    def compatibility(self) -> None:
        place = self.place_of("compatibility_level")
        if place.line and not re.match(r"\d+(\.\d+){0,2}\Z", place.raw):
            self.add(
                place, "a level is a number or a version", f"write {self.version.major}.{self.version.minor}"
            )
        elif place.line:
            parts = tuple(int(part) for part in place.raw.split("."))
            if parts[0] >= 3 and parts[:2] > (self.version.major, self.version.minor):
                self.add(
                    place,
                    f"this host has Postfix {self.version}",
                    f"write {self.version.major}.{self.version.minor}",
                )
            elif len(parts) > 1 and not supports(self.version, "compatibility_level_version"):
                self.add(place, f"Postfix {self.version} takes only 0, 1 or 2", "write 2")

    def protocols(self, place: Place, value: str) -> None:
        for word in re.split(r"[\s,:]+", value):
            if not word:
                continue
            bare = word.lstrip("!<>=")
            if word.startswith((">=", "<=")) and not supports(self.version, "tls_protocol_ranges"):
                self.add(
                    place, f"Postfix {self.version} has no ranges", "write !SSLv2, !SSLv3, !TLSv1, !TLSv1.1"
                )
            elif bare.lower() not in TLS_PROTOCOLS and not re.match(r"(0x)?0?[0-9a-f]{3,4}\Z", bare.lower()):
                self.add(place, f"{word!r} is no TLS protocol", _suggest(bare, list(TLS_PROTOCOLS.values())))

    def mechanisms(self, place: Place, value: str) -> None:
        for word in config.split_list(value):
            bare = word.lstrip("!")
            if ":" in bare or bare.startswith("/"):
                continue
            known = MECHANISM_SPELLINGS.get(bare.upper().replace("-", "").replace("_", ""))
            if known and bare.upper() != known:
                self.add(place, f"{word!r} is no SASL mechanism, so none would be left", f"write {known}")

    def milters(self, place: Place, value: str) -> None:
        for word in config.split_list(value):
            endpoint = config.split_list(word.strip("{} "))[0] if word.strip("{} ") else ""
            kind, colon, rest = endpoint.partition(":")
            if kind not in ("inet", "inet6", "unix", "local") or not colon or not rest:
                self.add(place, f"{endpoint!r} is no endpoint", "write inet:host:port or unix:path")
            elif kind.startswith("inet"):
                _host, port_colon, port = rest.rpartition(":")
                if not port_colon or service.port_number(port) is None:
                    self.add(place, f"{endpoint!r} has no known port", "write inet:host:port with a number")

    # ------------------------------------------------------------------ lookup tables

    def tables(self) -> None:
        for place in self.places:
            value = self.expanded(place)
            if value is not None and _names_tables(place.name):
                self.table_words(place, value)
        seen: set[str] = set()
        for ref in maps.references(self.main, self.master, self.lookup):
            place = Place(ref.file, ref.line, ref.parameter, ref.spec)
            if ref.spec in seen or ref.type not in self.map_types:
                continue
            seen.add(ref.spec)
            self.table(place, ref)

    def table_words(self, place: Place, value: str) -> None:
        for word in config.split_list(value):
            bare = word.lstrip("!").strip("{} ")
            kind, colon, rest = bare.partition(":")
            if kind == "proxy":
                kind, colon, rest = rest.partition(":")
            if not re.match(r"[a-z][a-z0-9_-]*\Z", kind) or not colon:
                if place.name.endswith("_maps") and bare and not colon:
                    default = self.value("default_database_type") or "hash"
                    self.add(
                        place, f"{word!r} has no table type", f"write {default}:{bare} or texthash:{bare}"
                    )
                continue
            if kind not in self.map_types:
                self.unknown_type(place, kind, rest)
            if kind in ("static", "inline") and place.name == "smtp_sasl_password_maps":
                self.add(
                    place, "a password in main.cf can be read by every user of the host",
                    "put it in a file of its own with sensitive: true and name that as texthash:FILE", value=f"{kind}:…",
                )  # fmt: skip

    def unknown_type(self, place: Place, kind: str, rest: str) -> None:
        # A host and port or an endpoint in a list that also takes tables.
        if place.name in ("mynetworks", "mydestination") and not rest.startswith("/"):
            return
        near = difflib.get_close_matches(kind, self.map_types, 1, 0.7)
        packaged = kind in ("lmdb", "cdb", "ldap", "mysql", "pcre", "pgsql", "sqlite", "mongodb")
        remedy = (
            f"install the package postfix-{kind}, or use another type"
            if packaged
            else "postconf -m lists the types"
        )
        self.add(
            place, f"this Postfix has no table type {kind!r}", f"write {near[0]}:{rest}" if near else remedy,
            certain=self.installed_here or not packaged,
        )  # fmt: skip

    def table(self, place: Place, ref: maps.MapReference) -> None:
        path = self.staged(ref.path)
        parent = os.path.dirname(path)
        compiled = maps.compiled_files(ref.type, path)
        if not os.path.exists(path) and not (compiled and all(os.path.exists(each) for each in compiled)):
            near = difflib.get_close_matches(
                os.path.basename(path), os.listdir(parent) if os.path.isdir(parent) else [], 1, 0.7
            )
            remedy = (
                f"write {ref.type}:{os.path.join(os.path.dirname(ref.path), near[0])}"
                if near
                else "create it, or remove it here"
            )
            self.add(place, "the file of this table does not exist", remedy)
            return
        if os.path.isdir(path):
            self.add(place, "this is a directory", "name a file")
            return
        if ref.type in maps.COMPILED or ref.type == "texthash":
            self.rows(place, ref, path)
        if ref.type in maps.COMPILED and not all(os.path.exists(each) for each in compiled):
            if not self.predicting:
                self.add(place, "the compiled table does not exist", f"run postmap {ref.spec}")
            return
        if ref.type in maps.DIRECTORY_TYPES:
            return
        done = service.run(["postmap", "-c", self.stage, "-q", "mailops-smtp-check", f"{ref.type}:{path}"])
        for line in done.errors.splitlines():
            match = re.search(r"\b(?:warning|error|fatal): (.*)", line)
            if match and not re.search(
                r"unused parameter|overriding earlier|is older than source|duplicate entry", line
            ):
                self.add(place, self.clean(match.group(1)), "correct that line")

    def rows(self, place: Place, ref: maps.MapReference, path: str) -> None:
        rows = self.source(path)
        file = os.path.relpath(path, self.stage) if path.startswith(self.stage) else path
        for row in config.duplicate_keys(rows):
            problem = f"the key is there twice, which makes all of {ref.spec} unavailable"
            certain = ref.type == "texthash"
            if not certain:
                problem = f"the key is there twice in {ref.spec}, and one of the two is ignored"
            self.findings.append(
                Finding(file, row.line, row.key, "", problem, "remove one of the two lines", certain)
            )
        if place.name in ("alias_maps", "alias_database"):
            return
        for row in rows:
            if not row.value:
                self.findings.append(
                    Finding(file, row.line, row.key, "", "the key has no value", "write key, space, value")
                )

    def source(self, path: str) -> list[config.Row]:
        try:
            return config.parse_map(_read(path))
        except OSError:
            return []

    def rows_of(self, value: str) -> list[tuple[config.Row, str]] | None:
        """The rows of all tables in a value; None where one of them cannot be read as text."""
        result: list[tuple[config.Row, str]] = []
        for word in config.split_list(value):
            kind, _colon, path = word.partition(":")
            if kind == "proxy":
                kind, _colon, path = path.partition(":")
            if kind not in maps.COMPILED and kind != "texthash":
                return None
            staged = self.staged(path)
            if not os.path.exists(staged):
                return None
            file = os.path.relpath(staged, self.stage) if staged.startswith(self.stage) else path
            result += [(row, file) for row in self.source(staged)]
        return result

    # ------------------------------------------------------------------ networks and addresses

    def networks(self) -> None:
        for place in self.places:
            value = self.expanded(place)
            if value is None:
                continue
            if place.name in ("mynetworks", "smtpd_client_event_limit_exceptions", "smtpd_authorized_xforward_hosts",
                              "smtpd_authorized_xclient_hosts", "debug_peer_list"):  # fmt: skip
                for word in config.split_list(value):
                    self.network(place, word, strict=place.name == "mynetworks")
            elif place.name in ("smtp_bind_address", "smtp_bind_address6", "lmtp_bind_address"):
                if value and not _is_local(value):
                    self.add(
                        place, f"{value} is no address of this host", "write one that `ip address` shows"
                    )
            elif place.name == "inet_interfaces":
                self.interfaces(place, value)
            elif place.name == "myhostname" and not re.match(
                r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\Z", value
            ):
                self.add(
                    place,
                    "this is not a host name",
                    "write letters, digits, - and . only, for example mail.example.com",
                )
            elif (
                place.name == "myorigin" and value.startswith("/") and not os.path.exists(self.staged(value))
            ):
                self.add(place, "the file does not exist", "write $myhostname or $mydomain")
            elif place.name in ("relayhost", "smtp_fallback_relay", "fallback_relay"):
                self.hop_list(place, value)

    def network(self, place: Place, word: str, strict: bool) -> None:
        bare = word.lstrip("!")
        if bare.startswith("/"):
            if not os.path.exists(self.staged(bare)):
                self.add(place, f"the file {bare} does not exist", "create it, or remove it here")
            return
        kind, colon, _rest = bare.partition(":")
        if colon and kind in self.map_types:
            return
        match = re.match(r"\[(?P<inner>[^]]*)\](?P<mask>/\d+)?\Z", bare)
        text = match.group("inner") + (match.group("mask") or "") if match else bare
        if not match and re.match(r"[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(/\d+)?\Z", bare):
            address, _slash, mask = bare.partition("/")
            self.add(
                place,
                f"{word!r} is IPv6 without brackets",
                f"write [{address}]" + (f"/{mask}" if mask else ""),
            )
            return
        if match and "/" in match.group("inner"):
            address, _slash, mask = match.group("inner").partition("/")
            self.add(place, f"{word!r}: the mask belongs behind the bracket", f"write [{address}]/{mask}")
            return
        if not re.match(r"[0-9A-Fa-f:.]+(/\d+)?\Z", text) or not re.search(r"[:.]", text):
            return
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            if re.match(r"[\d.]+(/\d+)?\Z", text):
                self.add(
                    place, f"{word!r} is not an IPv4 network", "write address/bits, for example 192.0.2.0/24"
                )
            return
        if "/" in text and str(network.network_address) != str(ipaddress.ip_address(text.partition("/")[0])):
            shown = (
                f"[{network.network_address}]/{network.prefixlen}" if network.version == 6 else str(network)
            )
            self.add(place, f"{word!r} has host bits set behind the mask", f"write {shown}")
        elif strict and network.prefixlen == 0 and not word.startswith("!"):
            self.add(place, "the whole Internet may relay through this host", "write your own networks")

    def interfaces(self, place: Place, value: str) -> None:
        words = config.split_list(value)
        if not words:
            self.add(place, "no interface is named", "write all or loopback-only")
        for word in words:
            if word in ("all", "loopback-only"):
                if len(words) > 1:
                    self.add(place, f"{word} stands alone", f"write {word}")
                continue
            bare = word.strip("[]")
            with contextlib.suppress(ValueError):
                ipaddress.ip_address(bare)
                if not _is_local(bare):
                    self.add(
                        place,
                        f"{bare} is no address of this host",
                        "write one that `ip address` shows, all or loopback-only",
                    )
                continue
            if not _resolves(bare):
                near = difflib.get_close_matches(bare, ["all", "loopback-only"], 1, 0.6)
                self.add(
                    place,
                    f"{bare!r} is no address and does not resolve",
                    f"write {near[0]}" if near else "write all, loopback-only or addresses",
                )

    def hop_list(self, place: Place, value: str) -> list[config.NextHop]:
        result = []
        words = config.split_list(value)
        for word in words:
            try:
                result.append(config.parse_next_hop(word))
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

    # ------------------------------------------------------------------ smtpd restrictions

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
                        _suggest(word, sorted(known)),
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
                    f"smtpd of {'/'.join(entry.key)} does not start when nothing in it or in smtpd_recipient_restrictions refuses foreign destinations",
                    "end it with reject_unauth_destination",
                )
            elif not any(_guarded(words, guards) for words in lists.values()):
                self.add(
                    self.place_of("smtpd_relay_restrictions", entry),
                    f"an open relay: {'/'.join(entry.key)} comes to permit before reject_unauth_destination",
                    "write permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
                )

    # ------------------------------------------------------------------ master.cf

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
        if host and not host[0].isalpha() and not _is_local(host):
            self.add_service(
                entry,
                entry.service,
                f"{host} is no address of this host",
                "write one that `ip address` shows",
            )
            return
        if self.running and self.running.listeners is None:
            return
        held = (self.running and self.running.listeners) or frozenset()
        taken = [listener for listener in service.all_listeners() - held if listener.port == port]
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
            ("cleanup_service_name", "cleanup"), ("rewrite_service_name", "rewrite"), ("bounce_service_name", "bounce"),
            ("defer_service_name", "defer"), ("queue_service_name", "qmgr"), ("pickup_service_name", "pickup"),
            ("error_service_name", "error"),
        ):  # fmt: skip
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
                "default_transport", "relay_transport", "local_transport", "virtual_transport", "mailbox_transport",
                "fallback_transport", "content_filter",
            ):  # fmt: skip
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
        program = next((word[5:] for word in entry.arguments if word.startswith("argv=")), "") if entry else ""
        if program.startswith("/") and not os.path.exists(program):
            self.add(
                place,
                f"the service {name} runs {program}, which does not exist",
                "install it, or name another transport",
                certain=self.installed_here,
            )

    def command_of(self, name: str) -> str:
        entry = self.master.get(name, "unix")
        return entry.command if entry else ""

    # ------------------------------------------------------------------ certificates

    def certificates(self) -> None:
        scopes: list[config.Service | None] = [None]
        tls = re.compile(r"_tls_(cert|key|eccert|eckey|dcert|dkey|chain|CA)")
        scopes += [
            entry for entry in self.master.services if any(tls.search(name) for name, _value in entry.options)
        ]
        for entry in scopes:
            for side in ("smtpd", "smtp", "lmtp"):
                self.key_pairs(side, entry)
                self.authorities(side, entry)
        self.server_certificates()

    def key_pairs(self, side: str, entry: config.Service | None) -> None:
        for kind in ("", "ec", "d"):
            name = f"{side}_tls_{kind}cert_file"
            cert = self.value(name, entry)
            if not cert or cert == "none" or (entry and entry.option(name) is None):
                continue
            key_name = f"{side}_tls_{kind}key_file"
            self.key_pair(
                self.place_of(name, entry),
                cert,
                self.place_of(key_name, entry),
                self.value(key_name, entry) or cert,
            )
        chain = f"{side}_tls_chain_files"
        if not entry or entry.option(chain) is not None:
            for path in config.split_list(self.value(chain, entry)):
                if not os.path.isfile(self.staged(path)):
                    self.add(
                        self.place_of(chain, entry),
                        f"the file {path} does not exist",
                        "create it, or correct the path",
                    )

    def key_pair(self, cert_place: Place, cert: str, key_place: Place, key: str) -> None:
        for place, path in dict.fromkeys(((cert_place, cert), (key_place, key))):
            if not os.path.isfile(self.staged(path)):
                self.add(place, f"the file {path} does not exist", "create it, or correct the path")
                return
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.staged(cert), self.staged(key), password="")
        except ssl.SSLError as error:
            reason = error.reason or str(error)
            if reason == "KEY_VALUES_MISMATCH":
                self.add(
                    cert_place,
                    f"the key in {key} is not the key of this certificate",
                    "name the key that belongs to it",
                )
            else:
                self.add(
                    cert_place,
                    f"no certificate and key can be read from {cert} and {key} ({reason})",
                    "both must be PEM, the key without a passphrase",
                )
            return
        except OSError as error:
            self.add(
                cert_place,
                f"{cert} or {key} cannot be read ({error.strerror or error})",
                "both must be PEM, the key without a passphrase",
            )
            return
        validity = certificate.validity(_read(self.staged(cert)))
        if validity:
            begins, ends = validity
            if ends < time.time():
                self.add(
                    cert_place,
                    f"the certificate expired on {time.strftime('%Y-%m-%d', time.gmtime(ends))}",
                    "renew it",
                )
            elif begins > time.time():
                self.add(
                    cert_place,
                    f"the certificate is valid from {time.strftime('%Y-%m-%d', time.gmtime(begins))} only",
                    "wait, or set the clock",
                )
        mode = os.stat(self.staged(key)).st_mode
        if mode & 0o004:
            self.add(
                key_place,
                "every user of the host can read the private key",
                f"chmod 0600 {key}",
                certain=False,
            )

    def authorities(self, side: str, entry: config.Service | None) -> None:
        for suffix in ("CAfile", "CApath"):
            name = f"{side}_tls_{suffix}"
            path = self.value(name, entry)
            if not path or (entry and entry.option(name) is None):
                continue
            place = self.place_of(name, entry)
            staged = self.staged(path)
            if suffix == "CApath":
                if not os.path.isdir(staged):
                    self.add(place, f"the directory {path} does not exist", "create it, or correct the path")
                continue
            if not os.path.isfile(staged):
                self.add(
                    place,
                    f"the file {path} does not exist",
                    "install ca-certificates, or correct the path",
                    certain=self.installed_here,
                )
                continue
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=staged)
            except (ssl.SSLError, OSError):
                self.add(place, f"no certificate can be read from {path}", "name a file of PEM certificates")

    def server_certificates(self) -> None:
        for entry in self.master.services:
            if entry.type not in ("inet", "pass") or entry.command != "smtpd":
                continue
            wrapped = self.value("smtpd_tls_wrappermode", entry).lower() == "yes"
            level = self.value("smtpd_tls_security_level", entry).lower()
            has = any(
                self.value(f"smtpd_tls_{name}", entry) not in ("", "none")
                for name in ("cert_file", "eccert_file", "dcert_file", "chain_files")
            )
            if not has and (wrapped or level == "encrypt"):
                place = self.place_of(
                    "smtpd_tls_wrappermode" if wrapped else "smtpd_tls_security_level", entry
                )
                self.add(
                    place,
                    f"{'/'.join(entry.key)} requires TLS but has no certificate",
                    "set smtpd_tls_cert_file and smtpd_tls_key_file",
                )
            port = service.port_number(service.split_inet_service(entry.service)[1])
            if entry.type == "inet" and wrapped and port in STARTTLS_PORTS:
                self.add(
                    self.place_of("smtpd_tls_wrappermode", entry),
                    f"clients speak STARTTLS on port {port}, not implicit TLS",
                    "write no, or use port 465",
                )
            elif entry.type == "inet" and not wrapped and port in config.IMPLICIT_TLS_PORTS:
                self.add_service(
                    entry,
                    entry.service,
                    f"clients speak implicit TLS on port {port}",
                    "add -o smtpd_tls_wrappermode=yes",
                )

    # ------------------------------------------------------------------ next hops, TLS policy, credentials

    def used_hops(self) -> Iterator[tuple[Place, config.NextHop]]:
        """Each next hop that main.cf names and that parses, with its transport."""
        values = {name: self.value(name) for name in ("default_transport", "relayhost")}
        for parameter, transport, text in config.configured_hops(values):
            if self.command_of(transport) == "smtp":
                with contextlib.suppress(ValueError):
                    yield self.place_of(parameter), config.parse_next_hop(text, transport)
        with contextlib.suppress(ValueError):
            for text in config.split_list(self.value("smtp_fallback_relay")):
                yield self.place_of("smtp_fallback_relay"), config.parse_next_hop(text, "smtp")
        with contextlib.suppress(ValueError):
            transport, text = config.split_transport(self.value("content_filter"))
            if text and self.command_of(transport) == "smtp":
                yield self.place_of("content_filter"), config.parse_next_hop(text, transport)

    def hops(self) -> None:
        for place, hop in self.used_hops():
            entry = self.master.get(hop.service, "unix")
            level = self.level_of(entry, hop)
            self.wrapper(place, hop, entry, level)
            self.credentials(place, hop, entry, level)
        self.client_levels()
        self.policy_rows()
        self.plugins()

    def level_of(self, entry: config.Service | None, hop: config.NextHop) -> str:
        """The TLS level in force for that next hop: its policy, else the transport's."""
        rows = self.rows_of(self.value("smtp_tls_policy_maps", entry)) or []
        for row, _file in rows:
            if row.key.lower() == hop.text.lower() and row.value:
                return row.value.split()[0].lower()
        level = self.value("smtp_tls_security_level", entry).lower()
        if not level:
            if self.value("smtp_enforce_tls", entry) == "yes":
                return "verify" if self.value("smtp_tls_enforce_peername", entry) == "yes" else "encrypt"
            return "may" if self.value("smtp_use_tls", entry) == "yes" else "none"
        return level

    def wrapper(self, place: Place, hop: config.NextHop, entry: config.Service | None, level: str) -> None:
        wrapped = self.value("smtp_tls_wrappermode", entry).lower() == "yes"
        if hop.port in config.IMPLICIT_TLS_PORTS and not wrapped:
            self.add(
                place, f"{hop.text}: port {hop.port} is implicit TLS, but {hop.service} speaks STARTTLS and would wait for ever",
                "use port 587, or a transport with -o smtp_tls_wrappermode=yes and -o smtp_tls_security_level=encrypt in default_transport",
            )  # fmt: skip
        elif wrapped and hop.port in STARTTLS_PORTS:
            self.add(
                place,
                f"{hop.text}: port {hop.port} is STARTTLS, but {hop.service} has smtp_tls_wrappermode = yes",
                "use port 465, or set smtp_tls_wrappermode = no",
            )
        elif wrapped and level in ("none", "may", "dane", ""):
            self.add(
                self.place_of("smtp_tls_wrappermode", entry),
                f"implicit TLS does not work with the level {level or 'none'}",
                "set smtp_tls_security_level = encrypt or secure there",
            )

    def credentials(
        self, place: Place, hop: config.NextHop, entry: config.Service | None, level: str
    ) -> None:
        if self.value("smtp_sasl_auth_enable", entry).lower() != "yes" or hop.host.lower() in _LOOPBACK:
            return
        maps_place = self.place_of("smtp_sasl_password_maps", entry)
        tables = self.value("smtp_sasl_password_maps", entry)
        if not tables:
            self.add(
                maps_place,
                "smtp_sasl_auth_enable is yes, but there are no passwords",
                "name a table, for example texthash:/etc/postfix/sasl_passwd",
            )
            return
        rows = self.rows_of(tables)
        if rows is not None:
            keys = [row.key.lower() for row, _file in rows]
            if hop.text.lower() not in keys and not (hop.bracketed and hop.host.lower() in keys):
                self.key_of_other_form(hop, rows, "no password would be sent")
                if not any("@" in key for key in keys) and not self.similar(hop, rows):
                    self.add(
                        maps_place,
                        f"no key is {hop.text}, so no password would be sent there",
                        f"add a line that begins with {hop.text}",
                        certain=False,
                    )
            for row, file in rows:
                if ":" not in row.value:
                    self.findings.append(
                        Finding(
                            file,
                            row.line,
                            row.key,
                            "",
                            "no password follows the user name",
                            "write user:password",
                            certain=False,
                        )
                    )
        options = [
            word.lower() for word in config.split_list(self.value("smtp_sasl_security_options", entry))
        ]
        if level not in ENCRYPTED_LEVELS:
            self.add(
                place, f"{hop.text}: a password may go there without TLS (level {level})",
                "set smtp_tls_security_level = secure, or encrypt", certain="noplaintext" not in options,
            )  # fmt: skip
        tls_options = config.split_list(
            self.value("smtp_sasl_tls_security_options", entry) or " ".join(options)
        )
        if "noplaintext" in [word.lower() for word in tls_options]:
            self.add(
                self.place_of("smtp_sasl_tls_security_options", entry), "noplaintext refuses PLAIN and LOGIN, the only mechanisms of most relays",
                "set smtp_sasl_tls_security_options = noanonymous", certain=False,
            )  # fmt: skip

    def similar(
        self, hop: config.NextHop, rows: Iterable[tuple[config.Row, str]]
    ) -> list[tuple[config.Row, str]]:
        """Rows whose key means the same host but is written in another way."""
        result = []
        for row, file in rows:
            bare = re.sub(r":\w+\Z", "", row.key).strip("[]").lower()
            if bare == hop.host.lower() and row.key.lower() != hop.text.lower():
                result.append((row, file))
        return result

    def key_of_other_form(
        self, hop: config.NextHop, rows: Sequence[tuple[config.Row, str]], consequence: str
    ) -> None:
        wanted = {other.text.lower() for _place, other in self.used_hops()}
        for row, file in self.similar(hop, rows):
            if row.key.lower() not in wanted:
                self.findings.append(
                    Finding(
                        file,
                        row.line,
                        row.key,
                        "",
                        f"the key must repeat the next hop byte for byte, so {consequence}",
                        f"write {hop.text}",
                    )
                )

    def client_levels(self) -> None:
        """A CA file wherever a level needs one."""
        for entry in self.master.services:
            if entry.command not in ("smtp", "lmtp"):
                continue
            side = entry.command
            level = self.value(f"{side}_tls_security_level", entry).lower()
            levels = {level}
            rows = self.rows_of(self.value(f"{side}_tls_policy_maps", entry)) or []
            needing = [
                row
                for row, _file in rows
                if row.value.split()[:1]
                and row.value.split()[0].lower() in ("verify", "secure")
                and "tafile=" not in row.value
            ]
            if needing:
                levels.add("secure")
            if not levels & {"verify", "secure"} or not (
                (level in ("verify", "secure")
                and self.place_of(f"{side}_tls_security_level", entry).line)
                or needing
            ):
                continue
            if (
                not any(self.value(f"{side}_tls_{name}", entry) for name in ("CAfile", "CApath"))
                and self.value("tls_append_default_CA").lower() != "yes"
            ):
                place = self.place_of(
                    f"{side}_tls_security_level" if not needing else f"{side}_tls_policy_maps", entry
                )
                self.add(
                    place,
                    "certificates are to be verified, but no CA is named, so every delivery would fail",
                    f"set {side}_tls_CAfile, for example to /etc/ssl/certs/ca-certificates.crt",
                )
            elif (
                not self.value(f"{side}_tls_CAfile", entry)
                and entry.chroot == "y"
                and self.value("tls_append_default_CA").lower() != "yes"
            ):
                self.add(
                    self.place_of(f"{side}_tls_CApath", entry),
                    f"{'/'.join(entry.key)} is chrooted, and CApath is looked up inside the chroot",
                    f"set {side}_tls_CAfile instead",
                    certain=False,
                )

    def policy_rows(self) -> None:
        """Rows of TLS policy tables: level, attributes, and keys that match a next hop."""
        for place in self.places:
            if place.name not in ("smtp_tls_policy_maps", "lmtp_tls_policy_maps"):
                continue
            value = self.expanded(place)
            rows = self.rows_of(value) if value else None
            for row, file in rows or []:
                words = row.value.split()
                if not words:
                    continue
                if words[0].lower() not in CLIENT_LEVELS:
                    self.findings.append(
                        Finding(
                            file,
                            row.line,
                            row.key,
                            words[0],
                            "there is no such TLS level",
                            _suggest(words[0], CLIENT_LEVELS),
                        )
                    )
                for word in words[1:]:
                    name = word.partition("=")[0].lower()
                    allowed = (
                        "ciphers",
                        "exclude",
                        "match",
                        "protocols",
                        "tafile",
                        "connection_reuse",
                        "enable_rpk",
                        "servername",
                        "ttl",
                        "policy_ttl",
                        "policy_type",
                        "policy_domain",
                        "policy_failure",
                        "mx_host_pattern",
                        "policy_string",
                    )
                    if "=" in word and name not in allowed:
                        self.findings.append(
                            Finding(
                                file,
                                row.line,
                                row.key,
                                word,
                                "TLS policies have no such attribute",
                                _suggest(name, allowed),
                            )
                        )
            if rows and not place.service:
                for _hop_place, hop in self.used_hops():
                    if hop.text.lower() not in [row.key.lower() for row, _file in rows]:
                        self.key_of_other_form(hop, rows, "this policy would never be used")

    def plugins(self) -> None:
        """A SASL client whose mechanisms are not installed."""
        enabled = [entry for entry in [None, *self.master.services] if self.value("smtp_sasl_auth_enable", entry).lower() == "yes"
                   and (entry is None or entry.option("smtp_sasl_auth_enable") is not None)]  # fmt: skip
        if not enabled or self.value("smtp_sasl_type") != "cyrus":
            return
        entry = enabled[0]
        found = _installed_plugins()
        place = self.place_of("smtp_sasl_auth_enable", entry)
        remedy = "install libsasl2-modules (Debian) or cyrus-sasl-plain (EL)"
        wanted = [
            word.upper()
            for word in config.split_list(self.value("smtp_sasl_mechanism_filter", entry))
            if re.match(r"[A-Za-z0-9-]+\Z", word)
        ]
        for mechanism in wanted:
            plugin = MECHANISM_PLUGINS.get(mechanism)
            if plugin and plugin not in found:
                self.add(
                    self.place_of("smtp_sasl_mechanism_filter", entry),
                    f"the plugin for {mechanism} is not installed",
                    remedy if mechanism != "XOAUTH2" else "install sasl-xoauth2",
                    certain=self.installed_here,
                )
        if not found & {*MECHANISM_PLUGINS.values()}:
            self.add(
                place,
                "no SASL mechanism plugin is installed, so no password can be sent",
                remedy,
                certain=self.installed_here,
            )
        elif not wanted and not found & {"plain", "login"}:
            self.add(place, "the plugins for PLAIN and LOGIN are not installed", remedy, certain=False)

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


# ---------------------------------------------------------------------------------------------- small judgements


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as handle:
            return handle.read()
    except OSError:
        return ""


def _assignments(output: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in output.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _equals, value in pairs}


def _article(kind: str) -> str:
    return {"boolean": "yes or no", "number": "a number", "time": "a time"}[kind]


def _boolean(value: str) -> str | None:
    if value.lower() in ("yes", "no"):
        return None
    if value.lower() in ("true", "on", "1", "y", "enable", "enabled"):
        return "write yes"
    if value.lower() in ("false", "off", "0", "n", "none", "disable", "disabled"):
        return "write no"
    return "write yes or no"


def _number(value: str) -> str | None:
    if re.match(r"-?\d+\Z", value):
        return None
    match = re.match(r"(\d+)\s*([kKmMgG])i?[bB]?\Z", value)
    if match:
        factor = {"k": 1024, "m": 1024**2, "g": 1024**3}[match.group(2).lower()]
        return f"write {int(match.group(1)) * factor}"
    return "write digits only"


def _time(value: str) -> str | None:
    if re.match(r"\d+[smhdw]?\Z", value):
        return None
    match = re.match(r"(\d+)\s*([smhdwSMHDW])", value)
    return (
        f"write {match.group(1)}{match.group(2).lower()}"
        if match
        else "write a number with s, m, h, d or w, for example 5m"
    )


def _suggest(word: str, allowed: Iterable[str]) -> str:
    choices = list(allowed)
    near = difflib.get_close_matches(word.lower(), [each.lower() for each in choices], 1, 0.6)
    if near:
        return f"write {next(each for each in choices if each.lower() == near[0])}"
    return f"write one of {', '.join(choices)}" if len(choices) < 20 else "look it up in postconf(5)"


def _names_tables(name: str) -> bool:
    return name.endswith(("_maps", "_map", "_checks", "_database")) or name in (
        "mydestination", "relay_domains", "virtual_alias_domains", "virtual_mailbox_domains", "mynetworks",
    )  # fmt: skip


def _guarded(words: Sequence[str], guards: set[str]) -> bool:
    for word in words:
        if word in guards:
            return True
        if word == "permit":
            return False
    return False


def _is_local(address: str) -> bool:
    """Whether this host can bind the address."""
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    except ValueError:
        return _resolves(address)
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def _resolves(name: str) -> bool:
    try:
        socket.getaddrinfo(name, None)
    except (OSError, UnicodeError):
        return False
    return True


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


def _installed_plugins() -> set[str]:
    """The Cyrus SASL mechanism plugins of this host, by the name between lib and .so."""
    found = set()
    for root in SASL_PLUGIN_DIRECTORIES:
        with contextlib.suppress(OSError):
            for directory in [
                root,
                *(os.path.join(root, name) for name in os.listdir(root) if "-linux-" in name),
            ]:
                with contextlib.suppress(OSError):
                    for name in os.listdir(os.path.join(directory, "sasl2")):
                        match = re.match(r"lib(\w+?)\.so", name)
                        if match:
                            found.add(match.group(1))
    return found
