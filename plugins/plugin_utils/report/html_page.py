"""The report as a page for a browser: one file that asks for nothing, with a matrix of hosts and endpoints to filter.

Rules of this file: what can be read without a script is written here, escaped by _text(); all else is the document
itself, once, as data that page/page.js reads and shows as text. The page's policy lets that script and that style run,
known by their hashes, and nothing be fetched.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import hashlib
import html
import json
from pathlib import Path
from string import Template
from typing import Any, Iterator, Mapping, Sequence

from .groups import SAID, Group, failures_of, groups, short_name, way
from .model import GOOD, OUTCOMES, STATES, WORST_FIRST, Document, Host, headline, text

NAMES_IN_ROW = 3
# In each list of the gate; the details of a host have its own.
MOST_ITEMS = 100
MOST_PORTS = 40
_PARTS = Path(__file__).parent / "page"


def render(document: Document) -> Iterator[str]:
    found = groups(document["hosts"])
    style, script = _part("page.css"), _part("page.js")
    yield Template(_part("page.html")).substitute(
        title=_text(headline(document)),
        style_hash=_hash(style),
        script_hash=_hash(script),
        style=style,
        summary=_summary(document),
        created_at=_text(document["created_at"]),
        generator=_text(document["generator"]),
        gate=_gate(document["gate"], headline(document)),
        table=_table(document["kind"], found),
        data=_data(document, found),
        script=script,
    )


def _part(name: str) -> str:
    return (_PARTS / name).read_text(encoding="utf-8")


def _hash(source: str) -> str:
    """How a Content-Security-Policy names a script or a style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode('utf-8')).digest()).decode('ascii')}"


def _text(value: Any) -> str:
    return html.escape(text(value))


# What can be read without the script


def _summary(document: Document) -> str:
    """The states of the hosts, as a bar and as a list."""
    kind, counts = document["kind"], document["summary"]
    states = [(state, counts[STATES[kind][state]]) for state in WORST_FIRST if state in STATES[kind]]
    states = [(state, count) for state, count in states if count]
    drawn, before = "", 0.0
    for state, count in states:
        width = 100 * count / counts["hosts"]
        drawn += f'<rect class="{_tone(state)}" x="{before:.2f}%" width="{width:.2f}%" height="100%"/>'
        before += width
    items = "".join(
        f'<li><span class="swatch {_tone(state)}"></span><b>{count}</b> {SAID[state]}</li>'
        for state, count in states
    )
    return f'<svg id="bar" aria-hidden="true">{drawn}</svg>\n<ul id="states">{items}</ul>' if states else ""


def _tone(state: str) -> str:
    return "good" if state in GOOD else "bad" if state in ("no_route", "unusable", "failed") else "unknown"


def _gate(gate: Mapping[str, Any] | None, line: str) -> str:
    """What the gate said beside `line`, which stands above it."""
    if not gate:
        return ""
    found, unpardoned = gate["findings"], failures_of(gate)
    lists = {
        unpardoned: [one for one in found if not one["waived"] and not one.get("known")],
        "Worse than the baseline": gate["worse"],
        "Better than the baseline": gate["better"],
        "Known from the baseline": [one for one in found if one.get("known") and not one["waived"]],
        "Waived": [one for one in found if one["waived"]],
        "Notes": [{"message": note} for note in gate.get("notes", ())],
    }
    verdict = ("good", "passed") if gate["passed"] else ("bad", "failed")
    parts = [
        '<section id="gate" aria-labelledby="gate-title">',
        f'<h2 id="gate-title">The gate <span class="sign {verdict[0]}">{verdict[1]}</span></h2>',
        f'<p class="says">{_text(gate["line"])}</p>' if gate["line"] != line else "",
    ]
    for title, items in lists.items():
        if items:
            shown = "".join(_item(one) for one in items[:MOST_ITEMS])
            left = len(items) - MOST_ITEMS
            more = f"<li>and {left} more</li>" if left > 0 else ""
            opened = " open" if title in (unpardoned, "Worse than the baseline") else ""
            parts.append(
                f"<details{opened}><summary>{title} ({len(items)})</summary><ul>{shown}{more}</ul></details>"
            )
    return "\n".join([*parts, "</section>\n"])


def _item(one: Mapping[str, Any]) -> str:
    host = f"<b>{_text(one['host'] or 'all')}</b>: " if "host" in one else ""
    waived = f" <i>Waived: {_text(one['waived'])}</i>" if one.get("waived") else ""
    return f'<li><span class="brief">{host}{_text(one["message"])}{waived}</span></li>'


def _table(kind: str, found: Sequence[Group]) -> str:
    if not found:
        return "<p>There are no hosts in this report.</p>"
    heads = ["hosts", "outcome", *{"verify": ["tests"], "probe": ["ports"]}.get(kind, [])]
    heads += ["provider", "route", "ports"] if kind == "preflight" else []
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    rows = "\n".join(_row(kind, group) for group in found)
    box = '<div class="scroll" role="region" aria-label="Table of outcomes" tabindex="0">'
    return f"{box}<table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>"


def _row(kind: str, group: Group) -> str:
    host = group.first
    outcome = f'<span class="sign {_tone(host["state"])}">{SAID[host["state"]]}</span>'
    # Where something is wrong the reason belongs to the outcome.
    outcome += "" if group.good else "".join(f'<p class="says">{_text(one)}</p>' for one in _why(host))
    cells = [outcome]
    if kind == "verify":
        cells.append(_tests(host))
    else:
        cells += [_providers(group), _text(way(host["route"]))] if kind == "preflight" else []
        cells.append(_ports(host))
    rest = "".join(f"<td>{cell}</td>" for cell in cells)
    return f"<tr><td>{_names(group)}</td>{rest}</tr>"


def _why(host: Host) -> list[str]:
    failed = [f"{one['name']}: {one['reason']}" for one in host["tests"] if one["outcome"] == "failed"]
    return [*host["reasons"], *failed][:NAMES_IN_ROW]


def _names(group: Group) -> str:
    names = [f'<span class="short">{_text(host["name"])}</span>' for host in group.hosts]
    first = "".join(names[:NAMES_IN_ROW])
    left = names[NAMES_IN_ROW:]
    return f"{first}<details><summary>{len(left)} more</summary>{''.join(left)}</details>" if left else first


def _providers(group: Group) -> str:
    titles = dict.fromkeys(host["provider"]["title"] for host in group.hosts if host["provider"])
    return "".join(f'<span class="short">{_text(title)}</span>' for title in titles)


def _ports(host: Host) -> str:
    shown = []
    for one in host["endpoints"][:MOST_PORTS]:
        # A closed port does no harm where there is another way.
        closed = "spare" if host["state"] in GOOD and not one["server"] else "bad"
        tone = closed if not one["usable"] else "good" if one["verdict"] == "ok" else "warn"
        shown.append(
            f'{_text(short_name(one, host))} <span class="sign {tone}">{_text(one["verdict"])}</span>'
        )
    left = len(host["endpoints"]) - MOST_PORTS
    return "<br>".join([*shown, *([f"and {left} more"] if left > 0 else [])])


def _tests(host: Host) -> str:
    counts = {name: sum(one["outcome"] == name for one in host["tests"]) for name in OUTCOMES}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


# What the script reads


def _data(document: Document, found: Sequence[Group]) -> str:
    """The document and what the script need not find out again, as JSON that no element of HTML can end."""
    outcome_of = {id(host): place for place, group in enumerate(found) for host in group.hosts}
    value = {
        "report": document,
        "outcomes": [outcome_of[id(host)] for host in document["hosts"]],
        "said": SAID,
        "good": sorted(GOOD),
    }
    # Without letters beyond ASCII there is neither U+2028 nor anything else that a script reads as a line end.
    written = json.dumps(packed(value), separators=(",", ":"), allow_nan=False)
    return written.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def packed(value: Any) -> dict[str, Any]:
    """A value with each of its parts once: `values`, the whole last, and `shapes`, the keys of objects.

    A list is [-1, the places of its items in `values`], an object [the place of its keys in `shapes`, those of what it
    has there]; what has neither items nor keys is itself.
    """
    values: list[Any] = []
    places: dict[Any, int] = {}
    shapes: dict[tuple[str, ...], int] = {}

    def place_of(one: Any) -> int:
        entry: Any = one
        if isinstance(one, dict):
            keys = tuple(one)
            entry = (shapes.setdefault(keys, len(shapes)), *map(place_of, one.values()))
        elif isinstance(one, (list, tuple)):
            entry = (-1, *map(place_of, one))
        # To Python 1, 1.0 and True are the same.
        key = (type(entry), entry)
        place = places.get(key)
        if place is None:
            place = places[key] = len(values)
            values.append(entry)
        return place

    place_of(value)
    return {"shapes": list(shapes), "values": values}
