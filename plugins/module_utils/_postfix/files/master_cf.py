"""master.cf as data, master(5).

Text in, text out: what an edit does not name stays as it was, byte for byte, comments and order included.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any, Iterable, Mapping, NamedTuple

from ..._base.addresses import PORT_NAMES
from .lines import Line, check_parameter_name, comments, logical_lines, normal, parameter_value

SERVICE_TYPES = ("inet", "unix", "unix-dgram", "fifo", "pass")


class Service(NamedTuple):
    """One entry of master.cf(5). `arguments` are those that are no -o option, as they are written."""

    service: str
    type: str
    private: str = "-"
    unpriv: str = "-"
    chroot: str = "n"
    wakeup: str = "-"
    maxproc: str = "-"
    command: str = ""
    arguments: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    line: int = 0

    @property
    def key(self) -> tuple[str, str]:
        return self.service, self.type

    def option(self, name: str) -> str | None:
        for option, value in reversed(self.options):
            if option == name:
                return value
        return None

    def same(self, other: Service) -> bool:
        return self._replace(line=0) == other._replace(line=0)


# The services that every Postfix's own master.cf has, for a host that has none yet.
FRESH = """\
smtp inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""


def port_of(service: str) -> int | None:
    """The port of an inet service, by its number or as the standards name it; None for another name."""
    text = service.rpartition(":")[2]
    return int(text) if text.isdigit() else PORT_NAMES.get(text)


FIELDS = ("private", "unpriv", "chroot", "wakeup", "maxproc")
_FIELD_RULES = {
    "private": (re.compile(r"[yn-]\Z"), "y, n or -"),
    "unpriv": (re.compile(r"[yn-]\Z"), "y, n or -"),
    "chroot": (re.compile(r"[yn-]\Z"), "y, n or -"),
    "wakeup": (re.compile(r"(-|\d+\??)\Z"), "a number of seconds, optionally followed by ?, or -"),
    "maxproc": (re.compile(r"(-|\d+)\Z"), "a number, 0 for no limit, or -"),
}


def field_complaint(field: str, value: str) -> str | None:
    """What to write instead of a bad value of a master.cf field, or None if it is good."""
    pattern, allowed = _FIELD_RULES[field]
    return None if pattern.match(value) else allowed


def split_arguments(text: str) -> list[str]:
    """Split at white space outside of { }, as master(8) does. Raises ValueError for an open brace."""
    words: list[str] = []
    word, depth = "", 0
    for char in text:
        if char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth < 0:
                raise ValueError("a } without its {")
        if char in " \t" and depth == 0:
            if word:
                words.append(word)
            word = ""
        else:
            word += char
    if depth:
        raise ValueError("a { without its }")
    if word:
        words.append(word)
    return words


def parse_service(text: str, line: int = 0) -> Service:
    """One logical line of master.cf. Raises ValueError with what is wrong and what to write."""
    words = text.split(None, 7)
    if len(words) < 8:
        raise ValueError(f"{len(words)} columns where master.cf needs at least 8: {text!r}")
    service, kind, private, unpriv, chroot, wakeup, maxproc, rest = words
    if kind not in SERVICE_TYPES:
        raise ValueError(f"service type {kind!r} does not exist: write one of {', '.join(SERVICE_TYPES)}")
    command, *words = split_arguments(rest)
    arguments: list[str] = []
    options: list[tuple[str, str]] = []
    index = 0
    while index < len(words):
        word = words[index]
        if not word.startswith("-"):
            # getopt(3) ends at the first word that is no option: all that follows belongs to pipe or spawn.
            arguments += words[index:]
            break
        if word.startswith("-o"):
            if word == "-o":
                index += 1
                if index == len(words):
                    raise ValueError("-o at the end of the line: write -o name=value")
                assignment = words[index]
            else:
                assignment = word[2:]
            if assignment.startswith("{"):
                assignment = assignment[1:-1].strip()
            name, equals, value = assignment.partition("=")
            if not equals or not name.strip():
                raise ValueError(
                    f"-o {assignment}: no = follows the name; write -o {name.strip() or 'name'}=value, "
                    f"or -o {{ {name.strip() or 'name'} = value }} where the value has spaces"
                )
            options.append((name.strip(), value.strip()))
        else:
            arguments.append(word)
        index += 1
    # "-o name = value" without braces: the option is empty and "=" and the value became arguments.
    if any(argument == "=" for argument in arguments) and command not in ("pipe", "spawn"):
        raise ValueError("a lone = among the arguments: write -o name=value, or -o { name = value }")
    return Service(
        service,
        kind,
        private,
        unpriv,
        chroot,
        wakeup,
        maxproc,
        command,
        tuple(arguments),
        tuple(options),
        line,
    )


def format_service(entry: Service) -> str:
    """The entry as master.cf lines, options one a line, in the columns that the shipped file uses."""
    head = (
        f"{entry.service:<9} {entry.type:<5} {entry.private:<7} {entry.unpriv:<7} {entry.chroot:<7} "
        f"{entry.wakeup:<7} {entry.maxproc:<7} {entry.command}"
    )
    # Options come first: after an argument that is none they would belong to pipe(8)'s command.
    split = next(
        (at for at, word in enumerate(entry.arguments) if not word.startswith("-")), len(entry.arguments)
    )
    flags, others = entry.arguments[:split], entry.arguments[split:]
    lines = [" ".join([head, *flags])]
    for name, value in entry.options:
        plain = value and not re.search(r"[\s{}]", value)
        lines.append(f"  -o {name}={value}" if plain or not value else f"  -o {{ {name} = {value} }}")
    if others:
        lines.append("  " + " ".join(others))
    return "\n".join(lines) + "\n"


class MasterCf:
    """master.cf(5) as an ordered list of services that keeps every byte it was not asked to change."""

    def __init__(self, text: str) -> None:
        self._entries: list[tuple[Line, Service | None]] = []
        self.bad_lines: list[tuple[int, str, str]] = []
        number = 1
        for line in logical_lines(text):
            entry = None
            if line.text:
                try:
                    entry = parse_service(line.text, number)
                except ValueError as error:
                    self.bad_lines.append((number, line.text, str(error)))
            self._entries.append((line, entry))
            number += len(line.physical)

    @property
    def services(self) -> list[Service]:
        return [entry for _line, entry in self._entries if entry]

    def get(self, service: str, kind: str) -> Service | None:
        for entry in self.services:
            if entry.key == (service, kind):
                return entry
        return None

    def merge(self, changes: Iterable[Mapping[str, Any]]) -> None:
        """Apply service changes: keyed by service and type, what is not named stays, absent removes.

        A service that is like another is made after all changes to that one, of the other as it then is. Raises
        ValueError naming the service, the field, the value and what to write.

        One that is exclusive takes the place of every entry on its port, and nothing of them stays.
        """
        changes = list(changes)
        for change in changes:
            if change.get("exclusive"):
                self._clear_port(port_of(str(change["service"])))
        models = {(str(each["like"]), str(each["type"])) for each in changes if each.get("like")}
        first = [each for each in changes if not each.get("like") and _key(each) in models]
        for change in [*first, *(each for each in changes if each not in first)]:
            self._merge_one(change)

    def _clear_port(self, port: int | None) -> None:
        for index, (line, entry) in enumerate(self._entries):
            if port and entry and entry.type == "inet" and port_of(entry.service) == port:
                self._entries[index] = (Line("", 0, comments(line)), None)

    def _merge_one(self, change: Mapping[str, Any]) -> None:
        key = _key(change)
        label = f"service {key[0]}/{key[1]}"
        found = [index for index, (_line, entry) in enumerate(self._entries) if entry and entry.key == key]
        if change.get("state") == "absent":
            for index in found:
                line, _entry = self._entries[index]
                self._entries[index] = (Line("", 0, comments(line)), None)
            return
        # master(8) ends where an inet service is private, which "-" means.
        fresh = Service(*key, private="n" if key[1] == "inet" else "-")
        old = (self._entries[found[-1]][1] if found else None) or fresh
        new = self._like(change, label) or old
        fields: dict[str, Any] = {}
        if re.search(r"[\s#]", key[0]) or not key[0]:
            raise ValueError(f"{label}: a service name has no white space and no #")
        if key[1] not in SERVICE_TYPES:
            raise ValueError(
                f"{label}: type {key[1]!r} does not exist: write one of {', '.join(SERVICE_TYPES)}"
            )
        for field in FIELDS:
            raw = change.get(field)
            if raw is None:
                continue
            value = ("y" if raw else "n") if isinstance(raw, bool) else str(raw)
            allowed = field_complaint(field, value)
            if allowed:
                raise ValueError(f"{label}: {field} is {value!r}: write {allowed}")
            fields[field] = value
        new = new._replace(**fields)
        if change.get("command"):
            try:
                parsed = parse_service(f"x unix - - - - - {normal(str(change['command']))}")
            except ValueError as error:
                raise ValueError(f"{label}: command: {error}") from None
            new = new._replace(command=parsed.command, arguments=parsed.arguments)
            if parsed.options:
                new = new._replace(options=parsed.options)
        if not new.command:
            raise ValueError(
                f"{label}: not in master.cf yet, so it needs a command, for example command: smtp"
            )
        options = dict(new.options)
        for name, raw in (change.get("options") or {}).items():
            check_parameter_name(str(name))
            value_or_none = parameter_value(str(name), raw)
            if value_or_none is None:
                options.pop(str(name), None)
            else:
                options[str(name)] = value_or_none
        new = new._replace(options=tuple(options.items()))
        if found and new.same(old):
            return
        entry_text = format_service(new)
        if found:
            line = self._entries[found[-1]][0]
            self._entries[found[-1]] = (
                Line(entry_text.strip(), 0, [*entry_text.splitlines(keepends=True), *comments(line)]),
                new,
            )
        else:
            # Of an entry that was removed nothing may be left.
            above = next((each.physical for each, _entry in reversed(self._entries) if each.physical), ["\n"])
            if not above[-1].endswith("\n"):
                above[-1] += "\n"
            self._entries.append((Line(entry_text.strip(), 0, entry_text.splitlines(keepends=True)), new))

    def _like(self, change: Mapping[str, Any], label: str) -> Service | None:
        """The entry that a service begins with which is like another; None for any other, or without that one."""
        name, kind = change.get("like"), str(change["type"])
        if not name:
            return None
        if str(name) == str(change["service"]):
            raise ValueError(f"{label}: like names the service itself: name another one, or leave it out")
        model = self.get(str(name), kind)
        return model._replace(service=str(change["service"])) if model else None

    def text(self) -> str:
        return "".join(raw for line, _entry in self._entries for raw in line.physical)


def _key(change: Mapping[str, Any]) -> tuple[str, str]:
    return str(change["service"]), str(change["type"])
