# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# What is wrong with single values: unknown names, types, ranges, closed sets of words.
# The rule of this file: types come from Postfix's own defaults (postconf -d), sets of words from values.py.

from __future__ import annotations

import difflib
import hashlib
import os
import re
import ssl
import stat

from . import expansion, main_cf, service, syntax
from .finding import Finding, Inspection, Place, read_text, suggest
from .values import (
    ENUMERATIONS,
    FREE_TEXT,
    LONG_NUMBERS,
    MECHANISM_SPELLINGS,
    NOT_WHAT_THEY_SEEM,
    NUMBERS_FROM_ONE,
    OPINIONS,
    SAID_BY_OURSELVES,
    SUFFIX_TYPES,
    TIME_SUFFIXES_FROM_ZERO,
    TIMES_FROM_ZERO,
    TLS_PROTOCOLS,
    TYPOGRAPHY,
    WORD_LISTS,
)
from .version import supports

# What `postfix check` looks at, besides files that no change of the configuration touches.
_INSTALLATION = (
    "queue_directory", "command_directory", "daemon_directory", "data_directory", "meta_directory",
    "shlib_directory", "mail_owner", "setgid_group", "sendmail_path", "newaliases_path", "mailq_path",
    "html_directory", "manpage_directory", "readme_directory", "multi_instance_directories",
)  # fmt: skip
# data_directory is not among them: Postfix makes it at its start.
_DIRECTORIES = (
    "queue_directory",
    "command_directory",
    "daemon_directory",
    "meta_directory",
    "shlib_directory",
)
_INT_MAX = 2147483647


class Values(Inspection):
    """Postfix's own complaints, then types, ranges and words."""

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
        outputs = [self.current, self.options]
        # Every program of Postfix judges names, owners and the like when it begins; postmap does no more.
        outputs.append(service.run(["postmap", "-c", self.stage, "-q", "x", "static:x"]))
        postfix = service.find_program("postfix")
        live = main_cf.MainCf(read_text(os.path.join(self.live, "main.cf"))).values()
        moved = any(live.get(name) != self.main.values().get(name) for name in _INSTALLATION)
        if postfix and moved and not self.predicting:
            outputs.append(service.run([postfix, "-c", self.stage, "check"]))
        for done in outputs:
            for line in done.errors.splitlines():
                self.complaint(line)

    def complaint(self, line: str) -> None:
        match = re.search(r"\b(warning|error|fatal|panic): (.*)", self.clean(line), re.IGNORECASE)
        if not match:
            return
        kind, text = match.group(1).lower(), match.group(2)
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
        self.said.add(self.findings[-1])

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

    def spelling(self) -> None:
        """Characters that only look right, quotation marks and comments that Postfix takes for the value."""
        for name in ("main.cf", "master.cf"):
            for line in syntax.logical_lines(read_text(os.path.join(self.stage, name))):
                parameter = line.text.partition("=")[0].strip()
                if name == "main.cf" and FREE_TEXT.search(parameter):
                    continue
                for char in sorted({*line.text} & {*TYPOGRAPHY}):
                    what = f"{TYPOGRAPHY[char]} (U+{ord(char):04X}), as web pages have it"
                    self.add(Place(name, line.number, line.text[:60], ""), what, "write it anew in ASCII")
        for place in self.places:
            if re.match(r"([\"']).*\1\Z", place.raw) and not FREE_TEXT.search(place.name):
                self.add(place, "the quotation marks become part of the value", "remove the quotes")
            elif re.search(r"\s#(\s|\w)", place.raw) and not FREE_TEXT.search(place.name):
                self.add(
                    place,
                    "a comment behind a value becomes part of it",
                    "give the comment a line of its own",
                    certain=False,
                )

    def directories(self) -> None:
        for name in _DIRECTORIES:
            path = self.value(name)
            if path and path != "no" and not os.path.isdir(path):
                self.add(self.place_of(name), f"the directory {path} does not exist", "correct the path")
        for name in ("main.cf", "master.cf"):
            path = os.path.join(self.stage, name)
            if os.path.exists(path) and os.stat(path).st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                self.add(
                    Place(name, 0, name, ""), "others than root can write it", "chmod go-w", certain=False
                )

    def limits(self) -> None:
        """local(8) and virtual(8) do not start when a message may be larger than a mailbox."""
        message = self.value("message_size_limit")
        for daemon, parameter, transport, domains in (
            ("local", "mailbox_size_limit", "local_transport", "mydestination"),
            ("virtual", "virtual_mailbox_limit", "virtual_transport", "virtual_mailbox_domains"),
        ):
            limit = self.value(parameter)
            used = self.words(domains) and self.command_of(self.value(transport).partition(":")[0]) == daemon
            if not used or not (message.isdigit() and limit.isdigit()) or int(limit) == 0:
                continue
            if int(message) == 0 or int(limit) < int(message):
                self.add(
                    self.place_of(parameter if self.main.line_of(parameter) else "message_size_limit"),
                    f"{parameter} ({limit}) is smaller than message_size_limit ({message}; 0 is unlimited), "
                    f"so {daemon}(8) does not start",
                    f"write {parameter} = 0, or at least {message}",
                )

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
            elif kind != "boolean":
                self.range(place, kind, value)

    def range(self, place: Place, kind: str, value: str) -> None:
        name = place.name
        if kind == "time":
            zero = name in TIMES_FROM_ZERO or name.endswith(TIME_SUFFIXES_FROM_ZERO)
            if not zero and int(value.rstrip("smhdw")) == 0:
                self.add(
                    place, "Postfix's daemons do not start with a time of zero here", "write at least 1 s"
                )
        elif re.search(r"(\A|_)(reject|defer)_code\Z", name):
            if not re.match(r"[2-5]\d\d\Z", value):
                self.add(place, "a reply code has three digits", "write 450 or 550")
        elif int(value) < (name in NUMBERS_FROM_ONE):
            self.add(
                place,
                "Postfix's daemons do not start with a number that small here",
                f"write at least {int(name in NUMBERS_FROM_ONE)}",
            )
        elif int(value) > _INT_MAX and name not in LONG_NUMBERS:
            self.add(place, "the number is too large", f"write at most {_INT_MAX}")

    def type_of(self, name: str) -> str | None:
        """boolean, number or time as the default of the parameter shows; None for text."""
        if name in NOT_WHAT_THEY_SEEM or name in ENUMERATIONS or name in WORD_LISTS:
            return None
        default = self.defaults.get(name)
        if default is None:
            return next((kind for suffix, kind in SUFFIX_TYPES if name.endswith(suffix)), None)
        try:
            default = expansion.expand(default, self.defaults)
        except expansion.CannotExpand:
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
                for word in syntax.split_list(value):
                    if word.lower() not in allowed:
                        self.add(place, f"{word!r} is no {what}", suggest(word, allowed))
            elif place.name in ("default_database_type", "default_cache_db_type"):
                if self.map_types and value not in self.map_types:
                    self.unknown_type(place, value, "")
            elif place.name.endswith("_fingerprint_digest"):
                if value.lower() not in hashlib.algorithms_available:
                    self.add(place, "OpenSSL knows no such digest", suggest(value, ["sha256", "sha1", "md5"]))
            elif place.name in ("tls_high_cipherlist", "tls_medium_cipherlist"):
                self.cipher_list(place, value)
            elif re.search(r"_tls(_mandatory)?_protocols\Z", place.name):
                self.protocols(place, value)
            elif place.name.endswith("_sasl_mechanism_filter"):
                self.mechanisms(place, value)
        inet = self.place_of("inet_protocols")
        if not syntax.split_list(self.value("inet_protocols")):
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

    def cipher_list(self, place: Place, value: str) -> None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).set_ciphers(value)
        except ssl.SSLError:
            self.add(place, "OpenSSL knows no cipher of this list", "see openssl ciphers -v 'HIGH:!aNULL'")

    def mechanisms(self, place: Place, value: str) -> None:
        for word in syntax.split_list(value):
            bare = word.lstrip("!")
            if ":" in bare or bare.startswith("/"):
                continue
            known = MECHANISM_SPELLINGS.get(bare.upper().replace("-", "").replace("_", ""))
            if known and bare.upper() != known:
                self.add(place, f"{word!r} is no SASL mechanism, so none would be left", f"write {known}")


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
