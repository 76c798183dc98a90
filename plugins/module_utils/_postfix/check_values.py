# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# What is wrong with single values: unknown names, types, closed sets of words, addresses.
# The rule of this file: types come from Postfix's own defaults (postconf -d), sets of words from values.py.

from __future__ import annotations

import contextlib
import difflib
import ipaddress
import os
import re

from . import config, service
from .finding import Finding, Inspection, Place, is_local, resolves, suggest
from .values import (
    ENUMERATIONS,
    MECHANISM_SPELLINGS,
    NOT_WHAT_THEY_SEEM,
    OPINIONS,
    SAID_BY_OURSELVES,
    SUFFIX_TYPES,
    TLS_PROTOCOLS,
    WORD_LISTS,
)
from .version import supports


class Values(Inspection):
    """Postfix's own complaints, then types, words and addresses."""

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
        if SAID_BY_OURSELVES.search(text):
            return
        if kind == "warning" and OPINIONS.search(text):
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

    def enumerations(self) -> None:
        for place in self.places:
            value = self.expanded(place)
            if value is None:
                continue
            if place.name in ENUMERATIONS:
                allowed, what = ENUMERATIONS[place.name]
                if value.lower() not in allowed:
                    self.add(
                        place, f"there is no such {what}", suggest(value, [word for word in allowed if word])
                    )
            elif place.name in WORD_LISTS:
                allowed, what = WORD_LISTS[place.name]
                for word in config.split_list(value):
                    if word.lower() not in allowed:
                        self.add(place, f"{word!r} is no {what}", suggest(word, allowed))
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
                self.add(place, f"{word!r} is no TLS protocol", suggest(bare, list(TLS_PROTOCOLS.values())))

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

    def networks(self) -> None:
        for place in self.places:
            value = self.expanded(place)
            if value is None:
                continue
            if place.name in (
                "mynetworks",
                "smtpd_client_event_limit_exceptions",
                "smtpd_authorized_xforward_hosts",
                "smtpd_authorized_xclient_hosts",
                "debug_peer_list",
            ):
                for word in config.split_list(value):
                    self.network(place, word, strict=place.name == "mynetworks")
            elif place.name in ("smtp_bind_address", "smtp_bind_address6", "lmtp_bind_address"):
                if value and not is_local(value):
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
                if not is_local(bare):
                    self.add(
                        place,
                        f"{bare} is no address of this host",
                        "write one that `ip address` shows, all or loopback-only",
                    )
                continue
            if not resolves(bare):
                near = difflib.get_close_matches(bare, ["all", "loopback-only"], 1, 0.6)
                self.add(
                    place,
                    f"{bare!r} is no address and does not resolve",
                    f"write {near[0]}" if near else "write all, loopback-only or addresses",
                )


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
