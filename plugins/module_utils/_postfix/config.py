# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# Postfix's configuration files as data: main.cf, master.cf, lookup tables and next hops.
# The rule of this file: text in, text out. Nothing here runs a program, and only next_hops() reads
# files. What an edit does not name stays as it was, byte for byte, comments and order included.

from __future__ import annotations

import ipaddress
import os
import re
from typing import Any, Iterable, Iterator, Mapping, NamedTuple

# What is white space to Postfix. Python's own idea of it has a no-break space too.
_SPACE = " \t\n\v\f\r"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
PARAMETER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
SERVICE_TYPES = ("inet", "unix", "unix-dgram", "fifo", "pass")
IMPLICIT_TLS_PORTS = (465, 2465, 8465)
KNOWN_PORTS = {"smtp": 25, "smtps": 465, "submissions": 465, "submission": 587}


class Line(NamedTuple):
    """One logical line: its text on one line, the number of its first physical line, and all of them."""

    text: str
    number: int
    physical: list[str]


def logical_lines(text: str) -> list[Line]:
    """Split as Postfix's readllines(3) does: leading white space continues, comments and blanks are skipped.

    Comment and blank lines between logical lines come back as a Line with empty text, so that joining
    the physical lines of all Lines gives the input again. Those inside a logical line belong to it.
    """
    result: list[Line] = []
    pending: list[str] = []
    pending_number = 1

    def flush() -> None:
        nonlocal pending
        if pending:
            result.append(Line("", pending_number, pending))
        pending = []

    # Not splitlines(), which also splits at a form feed and others that are text to Postfix.
    for number, raw in enumerate(_LINE.findall(text), 1):
        stripped = raw.strip(_SPACE)
        if not stripped or stripped.startswith("#"):
            if not pending:
                pending_number = number
            pending.append(raw)
        elif raw[0] in " \t" and result and _last_logical(result):
            last = result.pop()
            result.append(Line(f"{last.text} {stripped}", last.number, [*last.physical, *pending, raw]))
            pending = []
        else:
            flush()
            result.append(Line(stripped, number, [raw]))
    flush()
    return result


def _last_logical(lines: list[Line]) -> bool:
    return bool(lines[-1].text)


def _normal(value: str) -> str:
    return " ".join(value.split())


def _same_words(value: str) -> str:
    """What is in force, compared by what Postfix takes for white space."""
    return " ".join(re.split(f"[{_SPACE}]+", value.strip(_SPACE)))


# ---------------------------------------------------------------------------------------------- values


def parameter_value(name: str, value: Any) -> str | None:
    """The text that main.cf wants for a typed value: true is yes, a list is joined, None means remove.

    Raises ValueError with what to write where the value has no certain meaning.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if name == "compatibility_level" and str(value).endswith(".1"):
            raise ValueError(
                f'{name}: {value!r} is a number, so 3.1 and 3.10 cannot be told apart: quote it, {name}: "{value}"'
            )
        return str(int(value)) if value.is_integer() and name != "compatibility_level" else str(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        items = [parameter_value(name, item) for item in value]
        return ", ".join(item for item in items if item)
    if isinstance(value, Mapping):
        raise ValueError(
            f"{name}: a mapping is not a value of main.cf; write text, a number, true/false or a list"
        )
    text = _normal(str(value))
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValueError(f"{name}: the value contains a control character; remove it")
    return text


def check_parameter_name(name: str) -> None:
    if not PARAMETER_NAME.match(name):
        raise ValueError(f"{name!r} is not a parameter name: letters, digits, _, - and . only")


# ---------------------------------------------------------------------------------------------- main.cf


class Setting(NamedTuple):
    name: str
    value: str
    line: int


class MainCf:
    """main.cf(5) as an ordered list of settings that keeps every byte it was not asked to change."""

    def __init__(self, text: str) -> None:
        self._lines = logical_lines(text)
        self.bad_lines: list[tuple[int, str]] = []
        self.settings: list[Setting] = []
        self._scan()

    def _scan(self) -> None:
        self.settings, self.bad_lines = [], []
        number = 1
        for line in self._lines:
            if line.text:
                name, equals, value = line.text.partition("=")
                if line.physical[0][0] in " \t":
                    self.bad_lines.append((number, line.text))
                elif equals and name.strip() and not re.search(r"\s", name.strip()):
                    self.settings.append(Setting(name.strip(_SPACE), value.strip(_SPACE), number))
                else:
                    self.bad_lines.append((number, line.text))
            number += len(line.physical)

    def get(self, name: str, default: str = "") -> str:
        """The value in force (the last one wins), or the default given."""
        for setting in reversed(self.settings):
            if setting.name == name:
                return setting.value
        return default

    def values(self) -> dict[str, str]:
        return {setting.name: setting.value for setting in self.settings}

    def line_of(self, name: str) -> int:
        return max((setting.line for setting in self.settings if setting.name == name), default=0)

    def duplicates(self) -> list[Setting]:
        """Settings overridden by a later line of the same name and another value."""
        return [
            setting
            for index, setting in enumerate(self.settings)
            if any(
                later.name == setting.name and _normal(later.value) != _normal(setting.value)
                for later in self.settings[index + 1 :]
            )
        ]

    def merge(self, changes: Mapping[str, Any]) -> None:
        """Set each name to its value; None removes it. Equal values, white space aside, are left alone."""
        for name, raw in changes.items():
            check_parameter_name(name)
            self._set(name, parameter_value(name, raw))
        self._scan()

    def _set(self, name: str, value: str | None) -> None:
        mine = [
            index
            for index, line in enumerate(self._lines)
            if line.text and line.text.partition("=")[0].strip() == name and "=" in line.text
        ]
        if not mine:
            if value is not None:
                self._end_with_newline()
                self._lines.append(Line(f"{name} = {value}", 0, [f"{name} = {value}".rstrip() + "\n"]))
            return
        last = mine[-1]
        current = _same_words(self._lines[last].text.partition("=")[2])
        if value is not None and current == value:
            return
        if value is None:
            for index in mine:
                self._lines[index] = Line("", 0, _comments(self._lines[index]))
            return
        new = f"{name} = {value}".rstrip() + "\n"
        self._lines[last] = Line(f"{name} = {value}", 0, [new, *_comments(self._lines[last])])
        for index in mine[:-1]:
            self._lines[index] = Line("", 0, _comments(self._lines[index]))

    def _end_with_newline(self) -> None:
        if self._lines and self._lines[-1].physical and not self._lines[-1].physical[-1].endswith("\n"):
            last = self._lines[-1]
            self._lines[-1] = Line(last.text, last.number, [*last.physical[:-1], last.physical[-1] + "\n"])

    def text(self) -> str:
        return "".join(raw for line in self._lines for raw in line.physical)


def _comments(line: Line) -> list[str]:
    """The comment and blank lines that lie inside a logical line: they outlive its value."""
    return [raw for raw in line.physical if raw.lstrip().startswith("#") or not raw.strip()]


# ---------------------------------------------------------------------------------------------- master.cf


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
            # getopt(3) ends at the first word that is no option: behind it all belongs to pipe or spawn.
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
    # Options come first: behind an argument that is none they would belong to pipe(8)'s command.
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

        Raises ValueError naming the service, the field, the value and what to write.
        """
        for change in changes:
            self._merge_one(change)

    def _merge_one(self, change: Mapping[str, Any]) -> None:
        key = (str(change["service"]), str(change["type"]))
        label = f"service {key[0]}/{key[1]}"
        found = [index for index, (_line, entry) in enumerate(self._entries) if entry and entry.key == key]
        if change.get("state") == "absent":
            for index in found:
                line, _entry = self._entries[index]
                self._entries[index] = (Line("", 0, _comments(line)), None)
            return
        # master(8) ends where an inet service is private, which "-" means.
        fresh = Service(*key, private="n" if key[1] == "inet" else "-")
        old = (self._entries[found[-1]][1] if found else None) or fresh
        new = old
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
                parsed = parse_service(f"x unix - - - - - {_normal(str(change['command']))}")
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
                Line(entry_text.strip(), 0, [*entry_text.splitlines(keepends=True), *_comments(line)]),
                new,
            )
        else:
            if self._entries and not self._entries[-1][0].physical[-1].endswith("\n"):
                self._entries[-1][0].physical[-1] += "\n"
            self._entries.append((Line(entry_text.strip(), 0, entry_text.splitlines(keepends=True)), new))

    def text(self) -> str:
        return "".join(raw for line, _entry in self._entries for raw in line.physical)


# ---------------------------------------------------------------------------------------------- maps


class Row(NamedTuple):
    key: str
    value: str
    line: int


def parse_map(text: str) -> list[Row]:
    """The rows of a lookup table's source as postmap(1) and texthash: read it: key, white space, value."""
    rows = []
    number = 1
    for line in logical_lines(text):
        if line.text:
            if line.text.startswith('"') and '"' in line.text[1:]:
                key, _quote, value = line.text[1:].partition('"')
            else:
                parts = line.text.split(None, 1)
                key, value = parts[0], parts[1] if len(parts) > 1 else ""
            rows.append(Row(key, value.strip(), number))
        number += len(line.physical)
    return rows


_PATTERN = re.compile(r"!?\s*(?P<mark>[^\w\s!])(?P<pattern>(?:\\.|(?!(?P=mark)).)*)(?P=mark)[a-zA-Z]*\s*")


def parse_patterns(text: str) -> list[Row]:
    """The rows of regexp_table(5) and pcre_table(5): pattern and result. if and endif are left out."""
    rows = []
    number = 1
    for line in logical_lines(text):
        match = _PATTERN.match(line.text) if not re.match(r"(if|endif)\b", line.text, re.I) else None
        if match:
            rows.append(Row(match.group().strip(), line.text[match.end() :], number))
        number += len(line.physical)
    return rows


def parse_inline(text: str) -> list[Row]:
    """The rows of inline:{...} as inline_table(5) reads them: key=value or { key = value }."""
    rows = []
    for word in split_list(text.strip()[1:-1]):
        key, _equals, value = (word[1:-1] if word.startswith("{") else word).partition("=")
        rows.append(Row(key.strip(), value.strip(), 0))
    return rows


def duplicate_keys(rows: Iterable[Row]) -> list[Row]:
    """Rows whose key was there before: keys are compared without case, as Postfix folds them."""
    seen: set[str] = set()
    result = []
    for row in rows:
        folded = row.key.lower()
        if folded in seen:
            result.append(row)
        seen.add(folded)
    return result


# ---------------------------------------------------------------------------------------------- expansion

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class CannotExpand(ValueError):
    """A value refers to something that cannot be known here."""


def expand(value: str, lookup: Mapping[str, str], depth: int = 0) -> str:
    """Replace $name, ${name}, ${name?text}, ${name:text}, ${{a} == {b} ? {c} : {d}} and
    ${domain_to_ascii{name}} as postconf(5) says.

    Raises CannotExpand for an expression that this does not understand or that does not end.
    """
    if depth > 20:
        raise CannotExpand(value)
    result, index = "", 0
    while index < len(value):
        char = value[index]
        if char != "$":
            result += char
            index += 1
        elif value.startswith("$$", index):
            result += "$"
            index += 2
        elif value.startswith(("${", "$("), index):
            end = _matching(value, index + 1)
            result += _expand_braced(value[index + 2 : end], lookup, depth)
            index = end + 1
        else:
            match = _NAME.match(value, index + 1)
            if not match:
                raise CannotExpand(value)
            name = match.group().rstrip(".-")
            result += expand(lookup.get(name, ""), lookup, depth + 1)
            index += 1 + len(name)
    return result


def _matching(text: str, start: int) -> int:
    opening = text[start]
    closing = {"{": "}", "(": ")"}[opening]
    depth = 0
    for index in range(start, len(text)):
        depth += (text[index] == opening) - (text[index] == closing)
        if depth == 0:
            return index
    raise CannotExpand(text)


def _expand_braced(inner: str, lookup: Mapping[str, str], depth: int) -> str:
    inner = inner.strip()
    if inner.startswith("{"):
        end = _matching(inner, 0)
        left = expand(inner[1:end].strip(), lookup, depth + 1)
        match = re.match(
            r"\s*(==|!=|<=level|>=level|==level|!=level|<level|>level|<=|>=|<|>)\s*", inner[end + 1 :]
        )
        if not match:
            raise CannotExpand(inner)
        rest = inner[end + 1 + match.end() :]
        if not rest.startswith("{"):
            raise CannotExpand(inner)
        close = _matching(rest, 0)
        right = expand(rest[1:close].strip(), lookup, depth + 1)
        chosen = _branch(_compare(left, match.group(1), right), rest[close + 1 :].strip())
        return expand(chosen, lookup, depth + 1)
    match = _NAME.match(inner)
    if not match:
        raise CannotExpand(inner)
    name, rest = match.group(), inner[match.end() :].strip()
    value = lookup.get(name, "")
    if not rest:
        return expand(value, lookup, depth + 1)
    if rest[0] == ":":
        return expand(value if value else _unbrace(rest[1:]), lookup, depth + 1)
    if rest[0] == "{" and name == "domain_to_ascii":
        return _to_ascii(expand(rest[1 : _matching(rest, 0)].strip(), lookup, depth + 1))
    return expand(_branch(bool(value), rest), lookup, depth + 1)


def _to_ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise CannotExpand(domain) from None


def _branch(condition: bool, rest: str) -> str:
    if not rest.startswith("?"):
        raise CannotExpand(rest)
    rest = rest[1:].strip()
    if not rest.startswith("{"):
        return rest if condition else ""
    end = _matching(rest, 0)
    if condition:
        return rest[1:end].strip()
    otherwise = rest[end + 1 :].strip()
    return _unbrace(otherwise[1:]) if otherwise.startswith(":") else ""


def _unbrace(text: str) -> str:
    text = text.strip()
    return text[1:-1].strip() if text.startswith("{") and text.endswith("}") else text


def _compare(left: str, operator: str, right: str) -> bool:
    def order(text: str) -> Any:
        if operator.endswith("level"):
            return tuple(int(part) if part.isdigit() else 0 for part in text.split("."))
        return int(text) if left.isdigit() and right.isdigit() else text

    a, b = order(left), order(right)
    return bool(
        {"==": a == b, "!=": a != b, "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[
            operator.replace("level", "")
        ]
    )


# ---------------------------------------------------------------------------------------------- next hops


class NextHop(NamedTuple):
    """One destination as Postfix reads it. `text` is byte for byte what map keys must repeat."""

    text: str
    host: str
    port: int
    bracketed: bool
    service: str = "smtp"


def split_list(value: str) -> list[str]:
    """Split at white space and commas outside of { }, as most list parameters do."""
    words: list[str] = []
    word, depth = "", 0
    for char in value:
        depth += (char == "{") - (char == "}")
        if depth <= 0 and char in " \t,\r\n":
            if word:
                words.append(word)
            word = ""
        else:
            word += char
    if word:
        words.append(word)
    return words


def parse_next_hop(text: str, service: str = "smtp", default_port: int = 25) -> NextHop:
    """Parse host, host:port, [host] or [host]:port. Raises ValueError saying what is wrong and what to write."""
    if "://" in text:
        host, _slash, _path = text.partition("://")[2].partition("/")
        name, _colon, port_text = host.partition(":")
        raise ValueError(f"{text!r} is a URL; write [{name}]:{port_text or default_port}")
    if text.startswith(('"', "'")):
        raise ValueError(f"{text!r}: quotation marks become part of the name; remove the quotes")
    prefixed = re.match(r"[a-z-]+:(?P<hop>\[.*)", text)
    if prefixed:
        raise ValueError(f"{text!r}: a next hop takes no transport; write {prefixed.group('hop')}")
    match = re.match(r"\[(?P<inner>[^][]*)\](?P<tail>.*)\Z", text)
    if match:
        host, tail, bracketed = match.group("inner"), match.group("tail"), True
        if tail and not tail.startswith(":"):
            raise ValueError(
                f"{text!r}: after ] only :port may follow; write [{host}]:{tail.lstrip(':') or '587'}"
            )
        port_text = tail[1:] if tail else ""
        if tail == ":":
            raise ValueError(f"{text!r}: no port follows the colon; write [{host}]:587 or [{host}]")
        if not host:
            raise ValueError(f"{text!r}: no host between the brackets")
    elif "[" in text or "]" in text:
        bare = text.replace("[", "").replace("]", "")
        host, _colon, port_text = bare.partition(":")
        raise ValueError(
            f"{text!r}: brackets do not match; write [{host}]" + (f":{port_text}" if port_text else "")
        )
    else:
        bracketed = False
        if text.count(":") > 1:
            raise ValueError(f"{text!r}: an IPv6 address needs brackets; write [{text}] or [{text}]:587")
        host, colon, port_text = text.partition(":")
        if colon and not port_text:
            raise ValueError(f"{text!r}: no port follows the colon; write {host}:587 or {host}")
    if bracketed and host.count(":") == 1:
        name, _colon, inner_port = host.partition(":")
        raise ValueError(f"{text!r}: the port belongs behind the bracket; write [{name}]:{inner_port}")
    host = host[5:] if host.lower().startswith("ipv6:") else host
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError(f"{text!r}: {host!r} is not an IPv6 address") from None
    elif not re.match(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?\Z", host) and not host.isascii():
        pass
    elif not re.match(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?\Z", host) or ".." in host:
        raise ValueError(f"{text!r}: {host!r} is not a host name or address")
    elif re.match(r"[\d.]+\Z", host):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise ValueError(f"{text!r}: {host!r} is not an IPv4 address") from None
    port = default_port
    if port_text:
        if port_text.isdigit():
            port = int(port_text)
            if not 1 <= port <= 65535:
                raise ValueError(f"{text!r}: port {port_text} is outside of 1 to 65535")
        elif port_text.lower() in KNOWN_PORTS:
            port = KNOWN_PORTS[port_text.lower()]
        else:
            raise ValueError(
                f"{text!r}: port {port_text!r} is not a number; numeric ports work on every host"
            )
    return NextHop(text, host, port, bracketed, service)


def split_transport(value: str) -> tuple[str, str]:
    """transport:nexthop as in default_transport: smtp:[host]:587 gives ("smtp", "[host]:587")."""
    transport, _colon, nexthop = value.strip().partition(":")
    return transport, nexthop.strip()


def configured_hops(values: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """(parameter, transport service, next hop text) that mail to the outside takes; default_transport first.

    postconf(5) default_transport: its next hop, where it has one, goes before relayhost.
    """
    transport, hop = split_transport(values.get("default_transport", "smtp") or "smtp")
    if hop:
        for text in split_list(hop):
            yield "default_transport", transport, text
        return
    for text in split_list(values.get("relayhost", "")):
        yield "relayhost", transport, text


def next_hops(config_directory: str = "/etc/postfix") -> list[tuple[str, int, bool]]:
    """(host, port, implicit TLS) of each next hop that this host's Postfix has now, in its order.

    Empty where there is no Postfix, no relayhost, or nothing that can be understood. Never raises.
    """
    try:
        main = MainCf(_read(os.path.join(config_directory, "main.cf")))
        values = main.values()
        expanded = {
            name: expand(values.get(name, ""), values)
            for name in ("default_transport", "relayhost", "smtp_tls_wrappermode")
        }
    except (OSError, ValueError):
        return []
    try:
        master = MasterCf(_read(os.path.join(config_directory, "master.cf")))
    except OSError:
        master = MasterCf("")
    result = []
    for _parameter, transport, text in configured_hops(expanded):
        try:
            hop = parse_next_hop(text, transport)
        except ValueError:
            continue
        service = master.get(transport, "unix")
        wrapped = service.option("smtp_tls_wrappermode") if service else None
        implicit = (wrapped if wrapped is not None else expanded["smtp_tls_wrappermode"]).lower() == "yes"
        result.append((hop.host, hop.port, implicit))
    return result


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as handle:
        return handle.read()
