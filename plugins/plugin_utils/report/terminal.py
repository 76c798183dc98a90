"""The report on a terminal: a row for each outcome, the worst first, and the line that a pipeline looks for.

Rules of this file: it shows what document and judgement say and decides nothing. No I/O: width and height are given.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import textwrap
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from ansible import constants as C  # type: ignore[import-untyped]
from ansible.utils.color import stringc  # type: ignore[import-untyped]

from ...module_utils._route.fact import whose_mail
from . import model
from .gate import NOT_REACHED, Finding, Gate
from .groups import spot

GAP = "  "
INDENT = "    "
# Up to here every outcome is shown, whatever its length.
MANY_HOSTS = 50
# The hosts of a row that are named, and the changes.
NAMED = 3
CHANGES = 5
NARROWEST = 30

# What a probe confirmed; any other decision is a guess or a hope.
PROVEN = ("probe", "sticky", "override")
_COLORS = re.compile(r"\033\[[0-9;]*m")


class Cell(NamedTuple):
    """A piece of text, and the colour that says how good it is."""

    text: str
    color: str | None = None

    def show(self, width: int = 0) -> str:
        colored = str(stringc(self.text, self.color)) if self.color and self.text else self.text
        return colored + " " * (width - len(self.text))


class Port(NamedTuple):
    """A port of a relay, `place` being that of the relay in the user's list."""

    relay: str
    port: int
    place: int


class Row(NamedTuple):
    """Hosts of one outcome; `ports` holds a verdict for each port of a relay."""

    hosts: Sequence[str]
    provider: str
    ports: Mapping[Port, Cell]
    route: Cell
    why: Sequence[str]
    rank: tuple[int, int]

    @property
    def label(self) -> str:
        return _named(self.hosts)


class Reach(NamedTuple):
    """Hosts that reach the same listeners of the same servers; `ports` holds a verdict for each."""

    hosts: Sequence[str]
    servers: Sequence[str]
    ports: Sequence[tuple[int, Cell]]
    why: Sequence[str]
    rank: int

    def lines(self, width: int) -> Iterator[str]:
        first = f"{_named(self.hosts)} → {_named(self.servers)}:"
        cells = [f"{port} {cell.show()}" for port, cell in self.ports]
        if len(plain(f"{first} {', '.join(cells)}")) <= width:
            yield f"{first} {', '.join(cells)}"
        else:
            yield from (first, *(INDENT + cell for cell in cells))
        yield from _wrapped(self.why, width)


def _named(names: Sequence[str]) -> str:
    if len(names) <= NAMED:
        return ", ".join(names)
    return f"{len(names)} hosts: {', '.join(names[:NAMED])} …"


def plain(text: str) -> str:
    """The same without colours."""
    return _COLORS.sub("", text)


def width_of(environment: Mapping[str, str], columns: int) -> int:
    """How wide the text may be: COLUMNS, else the terminal's `columns`, else what a pipeline's log shows."""
    asked = environment.get("COLUMNS", "")
    if re.fullmatch(r"[0-9]{2,4}", asked):
        return max(int(asked), NARROWEST)
    in_pipeline = environment.get("CI", "").lower() not in ("", "0", "false")
    return max(columns, 120) if in_pipeline and columns <= 79 else columns


def height_of(environment: Mapping[str, str]) -> int:
    """The lines of a screen."""
    asked = environment.get("LINES", "")
    return max(int(asked), 10) if re.fullmatch(r"[0-9]{2,4}", asked) else 40


# Rows


def row_of(host: model.Host, findings: Sequence[Finding] = ()) -> Row:
    """The row of one host; `findings` are those of the gate on it."""
    ports: dict[Port, Cell] = {}
    findings = [one for one in findings if one.rule != NOT_REACHED]
    for endpoint in host["endpoints"]:
        if endpoint["server"]:
            continue
        key = Port(str(endpoint["host"]), int(endpoint["port"] or 0), endpoint["relay"] or 0)
        ports[key] = _joined(ports.get(key), _verdict(endpoint))
    provider = host["provider"] or {}
    title = "" if not provider else provider["title"] if provider["provider"] != "unknown" else "unknown"
    fails = any(one.fails for one in findings)
    route = _route(host, fails or not findings)
    place = model.WORST_FIRST.index(host["state"])
    urgency = 0 if fails else 1 if host["state"] not in model.GOOD else 3 if route.color == C.COLOR_OK else 2
    return Row([host["name"]], title, ports, route, list(_why(host, findings)), (urgency, place))


def _route(host: model.Host, fails: bool) -> Cell:
    state = host["state"]
    if state == "route":
        ways = _ways(host)
        proven = all(one["decided_by"] in PROVEN for one in ways)
        return Cell(_way(ways[0]), C.COLOR_OK if proven else C.COLOR_WARN)
    text = "none" if state == "no_route" else state.replace("_", " ")
    if not fails:
        return Cell(text, C.COLOR_WARN)
    return Cell(text, C.COLOR_UNREACHABLE if state == "unreachable" else C.COLOR_ERROR)


def _why(host: model.Host, findings: Sequence[Finding]) -> Iterator[str]:
    of_host = [one for one in findings if not one.endpoint]
    if host["state"] == "route":
        yield from reasons(host)
    elif not of_host:
        yield from host["reasons"]
    for one in findings:
        yield from _told(one)


def _told(finding: Finding) -> Iterator[str]:
    yield finding.message
    if finding.waived:
        yield f"Waived: {finding.waived}"
    elif finding.known:
        yield "The baseline has it too."


def reasons(host: model.Host) -> Iterator[str]:
    """Why mail goes the ways that it goes, a sentence for each whose mail has its own."""
    everybody, *others = _ways(host)
    if everybody["host"] or not others:
        yield str(everybody["reason"])
    told: dict[str, list[str]] = {}
    for one in others:
        way = f"by {_way(one)}: {one['reason']}" if one["host"] else "straight to the hosts of its recipients"
        told.setdefault(whose_mail(one), []).append(way)
    for whose, found in told.items():
        yield f"{whose} goes {'; where that fails, '.join(found)}"


def _ways(host: model.Host) -> list[Mapping[str, Any]]:
    """The way of everybody's mail, and those of the senders and recipients that have one of their own."""
    own = [one for one in host["routes"] if one["senders"] or one["recipients"]]
    return [host["route"], *(one for one in own if one["direct"] or one["host"])]


def _way(route: Mapping[str, Any]) -> str:
    return f"{route['port']} {route['tls']}" if route["host"] else "direct"


def _verdict(endpoint: Mapping[str, Any]) -> Cell:
    text = str(endpoint["verdict"])
    if not endpoint["usable"]:
        return Cell(text, C.COLOR_ERROR)
    return Cell(text, C.COLOR_OK if text == "ok" else C.COLOR_WARN)


def _joined(one: Cell | None, other: Cell) -> Cell:
    """Both address families of one port in one cell; the worse one gives the colour."""
    if one is None or one.text == other.text:
        return other
    return Cell(f"{one.text}/{other.text}", one.color if other.color == C.COLOR_OK else other.color)


def grouped(rows: Sequence[Row]) -> list[Row]:
    """Hosts of the same outcome in one row, the worst first. The sentences are the first one's: others have other
    figures, and the name of another host."""
    found: dict[Any, Row] = {}
    for row in rows:
        key = (
            row.provider,
            tuple((port, cell.text) for port, cell in row.ports.items()),
            row.route,
            _figureless(row.why, row.hosts[0]),
        )
        same = found.get(key)
        found[key] = same._replace(hosts=[*same.hosts, *row.hosts]) if same else row
    return sorted(found.values(), key=lambda row: row.rank)


def reached(hosts: Sequence[model.Host], findings: Mapping[str, Sequence[Finding]]) -> list[Reach]:
    """Who reaches whom: hosts that find the same at a server together, and servers at which the same hosts find nothing
    wrong; the worst first. The sentences are the first one's, as in grouped()."""
    by_server: dict[Any, Reach] = {}
    for host in hosts:
        own = [one for one in host["endpoints"] if one["server"]]
        for server in dict.fromkeys(one["server"] for one in own):
            reach = _reach(
                host, server, [one for one in own if one["server"] == server], findings.get(host["name"], ())
            )
            key = (server, _verdicts(reach), _figureless(reach.why, host["name"]))
            same = by_server.get(key)
            by_server[key] = same._replace(hosts=[*same.hosts, host["name"]]) if same else reach
    together: dict[tuple[Any, ...], Reach] = {}
    for (server, verdicts, why), reach in by_server.items():
        alike = (tuple(reach.hosts), verdicts, tuple(one.replace(server, "") for one in why))
        same = together.get(alike)
        together[alike] = same._replace(servers=[*same.servers, server]) if same else reach
    return sorted(together.values(), key=lambda reach: reach.rank)


def _reach(
    host: model.Host, server: str, listeners: Sequence[Mapping[str, Any]], findings: Sequence[Finding]
) -> Reach:
    places = [spot(one) for one in listeners]
    found = [one for one in findings if one.rule == NOT_REACHED and one.endpoint in places]
    why = [line for one in found for line in _told(one)]
    if not found:
        why = [f"{one['port']}: {one['reason']}" for one in listeners if one["verdict"] != "ok"]
    fails = any(one.fails for one in found)
    rank = 0 if fails else 1 if found else 2 if why else 3
    return Reach(
        [host["name"]], [server], [(int(one["port"] or 0), _verdict(one)) for one in listeners], why, rank
    )


def _verdicts(reach: Reach) -> tuple[tuple[int, str], ...]:
    return tuple((port, cell.text) for port, cell in reach.ports)


def _figureless(why: Sequence[str], host: str) -> tuple[str, ...]:
    """Sentences without what differs between hosts of one outcome: figures, and the name of the host."""
    return tuple(re.sub(r"\d+", "0", one.replace(host, "")) for one in why)


# The text


def render(
    document: model.Document,
    judged: Gate | None = None,
    *,
    shown: Sequence[str] | None = None,
    width: int = 79,
    height: int = 40,
    files: Sequence[str] = (),
    end: bool = True,
) -> str:
    """The table, of the hosts `shown`; where it would be wider than the terminal, a block for each row.

    Above MANY_HOSTS hosts it is as high as a screen at most; `files` have the rest. `end`: with what stands below it.
    """
    findings: dict[str, list[Finding]] = {}
    for one in judged.findings if judged else ():
        findings.setdefault(one.host, []).append(one)
    hosts = [host for host in document["hosts"] if shown is None or host["name"] in shown]
    rows = grouped([row_of(host, findings.get(host["name"], ())) for host in hosts])
    below = list(_end(judged, width)) if judged and end else []
    room = height - len(below) if len(hosts) > MANY_HOSTS else None
    mesh = _mesh(reached(hosts, findings), width, room and room // 2, files)
    table = _table(rows, width, room and room - len(mesh), files) if rows else []
    return "\n".join([*table, *mesh, *below])


def _end(judged: Gate, width: int) -> Iterator[str]:
    for title, changes in (("better", judged.better), ("worse", judged.worse)):
        for one in changes[:CHANGES]:
            yield from _wrapped([f"{title}: {one['host']}: {one['message']}"], width, "")
        if len(changes) > CHANGES:
            yield f"{title}: {len(changes) - CHANGES} more"
    yield from _wrapped(judged.notes, width, "")
    yield judged.line


def _table(rows: Sequence[Row], width: int, room: int | None, files: Sequence[str]) -> list[str]:
    keys = list(dict.fromkeys(key for row in rows for key in row.ports))
    relays = {key.relay for key in keys}
    heads = [_head(key, keys, len(relays) == 1) for key in keys]
    title = f"Routes for mail through {keys[0].relay}" if len(relays) == 1 else "Routes for mail"
    lines = [[Cell(text) for text in ("host", "provider", *heads, "route")]]
    for row in rows:
        cells = (row.ports.get(key, Cell("-")) for key in keys)
        lines.append([Cell(row.label), Cell(row.provider), *cells, row.route])
    widths = [max(len(cell.text) for cell in column) for column in zip(*lines)]
    if sum(widths) + len(GAP) * (len(widths) - 1) > width:
        head, parts = [title], list(_blocks(rows, lines, width))
    else:
        texts = [GAP.join(cell.show(wide) for cell, wide in zip(line, widths)).rstrip() for line in lines]
        head = [title, texts[0]]
        parts = [[text, *_wrapped(row.why, width)] for row, text in zip(rows, texts[1:])]
    return head + _fitted(parts, rows, None if room is None else room - len(head), files)


def _mesh(found: Sequence[Reach], width: int, room: int | None, files: Sequence[str]) -> list[str]:
    if not found:
        return []
    parts = [list(reach.lines(width)) for reach in found]
    return ["Who reaches whom", *_fitted(parts, found, None if room is None else room - 1, files)]


def _fitted(
    parts: Sequence[Sequence[str]], rows: Sequence[Row | Reach], room: int | None, files: Sequence[str]
) -> list[str]:
    """The lines of the rows, and what is left out where there is no room for them."""
    lines: list[str] = []
    for index, part in enumerate(parts):
        left = rows[index:]
        if room is not None and len(lines) + len(part) > room - (len(left) > 1):
            if not lines:
                # One outcome alone may be longer than a screen.
                lines, left = [*part[: max(room - 1, 1)]], left[1:]
            hosts = sum(len(row.hosts) for row in left)
            where = f"see {', '.join(files)}" if files else "name a file for the whole report"
            more = f"{len(left)} more {'outcome' if len(left) == 1 else 'outcomes'}, of {hosts} hosts"
            return [*lines, f"… {more if left else 'cut off'}: {where}"]
        lines += part
    return lines


def _blocks(rows: Sequence[Row], lines: Sequence[Sequence[Cell]], width: int) -> Iterator[list[str]]:
    heads = [head.text for head in lines[0][2:-1]]
    for row, line in zip(rows, lines[1:]):
        first = f"{row.label}{f' ({row.provider})' if row.provider else ''}: {row.route.show()}"
        tried = [f"{head} {cell.show()}" for head, cell in zip(heads, line[2:-1]) if cell.text != "-"]
        yield [first, *(INDENT + text for text in tried), *_wrapped(row.why, width)]


def _head(key: Port, keys: Sequence[Port], one_relay: bool) -> str:
    """The port, with its relay where there are several, and its place in the list where two are the same."""
    text = str(key.port) if one_relay else f"{key.relay}:{key.port}"
    same = [other for other in keys if other[:2] == key[:2]]
    return f"{text} ({key.place + 1})" if len(same) > 1 else text


def _wrapped(texts: Sequence[str], width: int, indent: str = INDENT) -> list[str]:
    return [
        line
        for text in texts
        for line in textwrap.wrap(
            text, width, initial_indent=indent, subsequent_indent=INDENT, break_on_hyphens=False
        )
    ]
