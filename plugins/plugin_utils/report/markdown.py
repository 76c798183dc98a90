"""The report as Markdown, for a pull request or the summary of a job: outcomes, the worst first, and folded details.

Rules of this file: it stays under LARGEST bytes, whatever the fleet, and says what it leaves out. What is not of this
collection's own words stands in code spans and fences alone: there no server can write a link, a picture, a mention or
a row of the table.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import html
import re
from typing import Any, Iterable, Iterator, Mapping, Sequence

from .groups import SAID, Group, failures_of, groups, short_name, spot_name, way
from .model import Document, Host, headline

# What pull requests take is 65,536 characters.
LARGEST = 60_000
FOR_THE_GATE = 12_000
FOR_THE_TABLE = 20_000
FOR_ONE_DETAIL = 8_000
LONGEST_NAME = 80
LONGEST_LINE = 500
MOST_PORTS = 12
NAMES_IN_ROW = 3
NAMES_IN_DETAILS = 200
MOST_SENTENCES = 20


def render(document: Document) -> Iterator[str]:
    found = groups(document["hosts"])
    text = "\n\n".join(
        [f"# {headline(document)}", *_gate(document["gate"]), *_table(document["kind"], found)]
    )
    end = f"\nMade {document['created_at']} by {document['generator']}.\n"
    yield f"{text}\n"
    shown = _within((_details(group) for group in found), LARGEST - _size(text + end) - 200)
    yield from shown
    if len(shown) < len(found):
        left = _count(found[len(shown) :])
        yield f"\nFor want of room the details of {left} are left out; the JSON report has them.\n"
    yield end


def _within(pieces: Iterable[str], room: int) -> list[str]:
    """The first pieces, as many as there is room for, in bytes."""
    shown = []
    for piece in pieces:
        room -= _size(piece) + 1
        if room < 0:
            break
        shown.append(piece)
    return shown


def _size(text: str) -> int:
    return len(text.encode("utf-8"))


def _count(some: Sequence[Group]) -> str:
    hosts = sum(len(group.hosts) for group in some)
    return f"{hosts} host{'s' if hosts > 1 else ''}"


# What the gate said


def _gate(gate: Mapping[str, Any] | None) -> Iterator[str]:
    if not gate:
        return
    yield f"The gate {'passed' if gate['passed'] else '**failed**'}: {code(gate['line'])}"
    found = gate["findings"]
    lists = {
        failures_of(gate): [_finding(one) for one in found if not one["waived"] and not one.get("known")],
        "Waived": [f"{_finding(one)} ({code(one['waived'])})" for one in found if one["waived"]],
        "Worse than the baseline": [_change(one) for one in gate["worse"]],
        "Better than the baseline": [_change(one) for one in gate["better"]],
        "Notes": [code(note) for note in gate.get("notes", ())],
    }
    for title, items in lists.items():
        if items:
            rows = _within((f"- {item}" for item in items), FOR_THE_GATE // len(lists))
            rows += [f"- and {len(items) - len(rows)} more"] if len(rows) < len(items) else []
            yield f"{title}:"
            yield "\n".join(rows)


def _finding(one: Mapping[str, Any]) -> str:
    return f"{code(one['host'] or 'all', LONGEST_NAME)} {code(one['rule'])}: {code(one['message'])}"


def _change(one: Mapping[str, Any]) -> str:
    return f"{code(one['host'], LONGEST_NAME)}: {code(one['message'])}"


# The table


def _table(kind: str, found: Sequence[Group]) -> Iterator[str]:
    if not found:
        return
    heads = ["hosts", "outcome", "tests"] if kind == "verify" else ["hosts", "outcome", "provider", "ports"]
    rows = _within((_line(_row(kind, group)) for group in found), FOR_THE_TABLE)
    yield "\n".join([_line(heads), _line(["---"] * len(heads)), *rows])
    if len(rows) < len(found):
        yield f"And {len(found) - len(rows)} other outcomes, of {_count(found[len(rows) :])}."


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(kind: str, group: Group) -> list[str]:
    host = group.first
    said = SAID[host["state"]]
    if kind == "verify":
        return [_names(group), _weighed(said, group), _outcomes(host) or "-"]
    if host["state"] == "route":
        said = way(host["route"])
    return [_names(group), _weighed(said, group), _providers(group) or "-", _ports(host) or "-"]


def _weighed(said: str, group: Group) -> str:
    return code(said) if group.good else f"**{said}**"


def _names(group: Group) -> str:
    shown = ", ".join(code(host["name"], LONGEST_NAME) for host in group.hosts[:NAMES_IN_ROW])
    left = len(group.hosts) - NAMES_IN_ROW
    return f"{shown} and {left} more" if left > 0 else shown


def _providers(group: Group) -> str:
    titles = list(dict.fromkeys(host["provider"]["title"] for host in group.hosts if host["provider"]))
    shown = ", ".join(code(title, LONGEST_NAME) for title in titles[:NAMES_IN_ROW])
    left = len(titles) - NAMES_IN_ROW
    return f"{shown} and {left} more" if left > 0 else shown


def _ports(host: Host) -> str:
    shown = [
        f"{code(short_name(one, host), LONGEST_NAME)} {_verdict(one)}"
        for one in host["endpoints"][:MOST_PORTS]
    ]
    left = len(host["endpoints"]) - MOST_PORTS
    return ", ".join([*shown, *([f"{left} more"] if left > 0 else [])])


def _verdict(endpoint: Mapping[str, Any]) -> str:
    shown = code(endpoint["verdict"], LONGEST_NAME)
    return shown if endpoint["usable"] else f"**{shown}**"


def _outcomes(host: Host) -> str:
    counts = {
        name: sum(one["outcome"] == name for one in host["tests"]) for name in ("failed", "skipped", "passed")
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


# The details


def _details(group: Group) -> str:
    host = group.first
    others = len(group.hosts) - 1
    title = html.escape(cut(host["name"], LONGEST_NAME))
    more = f" and {others} more" if others else ""
    rows = [cut(line, LONGEST_LINE) for line in _lines(group)]
    shown = _within(rows, FOR_ONE_DETAIL)
    lines = "\n".join(
        [*shown, *([f"and {len(rows) - len(shown)} more lines"] if len(shown) < len(rows) else [])]
    )
    fence = "`" * max(3, _longest_run(lines) + 1)
    summary = f"<summary><code>{title}</code>{more}: {SAID[host['state']]}</summary>"
    return f"\n<details>\n{summary}\n\n{fence}text\n{lines}\n{fence}\n\n</details>\n"


def _lines(group: Group) -> Iterator[str]:
    host = group.first
    if len(group.hosts) > 1:
        names = [cut(one["name"], LONGEST_NAME) for one in group.hosts[:NAMES_IN_DETAILS]]
        left = len(group.hosts) - len(names)
        for start in range(0, len(names), 5):
            yield " ".join(names[start : start + 5])
        if left:
            yield f"and {left} more"
        yield ""
        yield f"As it is on {host['name']}:"
    yield from host["reasons"][:MOST_SENTENCES]
    for one in host["routes"] if len(host["routes"]) > 1 else ():
        yield f"{one['name']}: {way(one if one['host'] or one['direct'] else None)}: {one['reason']}"
    for warning in host["warnings"][:MOST_SENTENCES]:
        yield f"Warning: {warning}"
    for one in host["endpoints"]:
        yield ""
        yield f"{spot_name(one)} {one['tls']}: {one['verdict']}"
        yield f"    {one['reason']}"
        if not one["usable"]:
            yield f"    {one['advice']}"
    for one in host["tests"]:
        if one["outcome"] != "passed":
            yield f"{one['outcome']} {one['name']}: {one['reason']}"
    for name, value in host["evidence"].items():
        yield f"{name}: {value}"


# Pieces


def cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def code(text: str, longest: int = LONGEST_LINE) -> str:
    """A code span, in a cell of a table too. Its fence is longer than any run of backticks in it."""
    shown = cut(text, longest).replace("|", "\\|") or " "
    fence = "`" * (_longest_run(shown) + 1)
    blank = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{blank}{shown}{blank}{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
