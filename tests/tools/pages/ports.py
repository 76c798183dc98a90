"""docs/ports.md: the tables in it, of which relay service answers on which port and what hosting providers leave open.

The rest of the page is written by hand, in the page; each table stands between two comments that name it.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from pathlib import Path
from typing import Callable, Iterable, NamedTuple

from ansible_collections.mailops.smtp.plugins.module_utils._base.words import listed
from ansible_collections.mailops.smtp.plugins.module_utils._route.hosting import (
    BLOCKED,
    BLOCKED_DEFAULT,
    EGRESS,
    GENERAL,
    OPEN,
    PRIMARY,
    REACTIVE,
    RECOGNITION,
    SECONDARY,
    THROTTLED,
    Egress,
)
from ansible_collections.mailops.smtp.plugins.module_utils._route.relay_services import SERVICES, Service
from providers import table

PAGE = Path(__file__).resolve().parents[3] / "docs/ports.md"
# Where a hosting provider closes all of these, a host needs a service that has another one.
USUAL = (25, 465, 587)

CLOSED = (BLOCKED, BLOCKED_DEFAULT)
LIMITED = (*CLOSED, THROTTLED, REACTIVE)
MARKS = {PRIMARY: "", SECONDARY: " *2*", GENERAL: " *g*"}


class Kind(NamedTuple):
    """A kind of hosting provider: the states that each port has there, and what that means for a host."""

    closed: str
    left: str
    states: dict[int, tuple[str, ...]]


KINDS = (
    Kind("nothing", "all of them", dict.fromkeys((25, 465, 587, 2525), (OPEN,))),
    Kind(
        "25, or it is throttled, or closed once spam is seen",
        "587, 465",
        {25: LIMITED, 465: (OPEN,), 587: (OPEN,)},
    ),
    Kind("25, 465", "587", {25: CLOSED, 465: CLOSED, 587: (OPEN,)}),
    Kind("25, 465, 587", "2525 and its like", {**dict.fromkeys(USUAL, CLOSED), 2525: (OPEN,)}),
    Kind(
        "25, 465, 587, 2525", "nothing, unless the provider opens one", dict.fromkeys((*USUAL, 2525), CLOSED)
    ),
    Kind("25 at least, or it is throttled; of the others too little is known", "what a probe finds", {}),
)


def provider_kind(row: Egress) -> Kind:
    """The first kind that fits; the last one fits all."""

    def fits(kind: Kind) -> bool:
        return all(port in row.ports and row.ports[port].state in kind.states[port] for port in kind.states)

    return next(filter(fits, KINDS))


def provider(name: str) -> str:
    """Its title, with the mark of the weakest source among those that make its kind."""
    row = EGRESS[name]
    found = {row.ports[port].confidence for port in provider_kind(row).states}
    weakest = max(found, key=list(MARKS).index, default=PRIMARY)
    return (row.title or RECOGNITION[name].title) + MARKS[weakest]


def hosting() -> str:
    rows = [
        [
            kind.closed,
            kind.left,
            ", ".join(provider(name) for name, row in EGRESS.items() if provider_kind(row) is kind),
        ]
        for kind in KINDS
    ]
    return table(["Closed there", "What is left", "Providers"], rows)


def documented(row: Service) -> tuple[int, ...]:
    return row.starttls + row.implicit


def titles(rows: Iterable[Service]) -> str:
    return ", ".join(row.title for row in rows)


def services() -> str:
    known = [row for row in SERVICES.values() if documented(row)]

    def line(port: int) -> list[str]:
        having = [row for row in known if port in documented(row)]
        without = [row for row in known if row not in having]
        kinds = {"STARTTLS" if port in row.starttls else "implicit" for row in having}
        which = titles(having) if len(having) <= len(known) / 2 else f"all but {titles(without)}"
        return [str(port), " or ".join(sorted(kinds)), f"{len(having)} of {len(known)}", which]

    ports = {port for row in known for port in documented(row)}
    count = {port: sum(port in documented(row) for row in known) for port in ports}
    rows = map(line, sorted(ports, key=lambda port: (-count[port], port)))
    sentences = {
        f"Nothing but {listed(USUAL)}": [row for row in known if set(documented(row)) <= set(USUAL)],
        "Not counted, as host and ports are made for each customer": [
            row for row in SERVICES.values() if row not in known
        ],
    }
    told = [f"{head}: {titles(those)}.\n" for head, those in sentences.items() if those]
    return "\n".join((table(["Port", "TLS", "Services", "Which"], rows), *told))


TABLES: dict[str, Callable[[], str]] = {"hosting": hosting, "services": services}


def borders(name: str) -> tuple[str, str]:
    return f"<!-- {name}: written by make docs -->\n", f"<!-- end of {name} -->\n"


def page() -> str:
    """The page as it stands, its tables made anew. Raises ValueError where one has lost its place."""
    text = PAGE.read_text(encoding="utf-8")
    for name, make in TABLES.items():
        begin, end = borders(name)
        place = re.compile(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", re.DOTALL)
        found = place.findall(text)
        if len(found) != 1:
            raise ValueError(f"{PAGE.name} has {len(found)} places for the table {name}, not one")
        text = text.replace(f"{begin}{found[0]}{end}", f"{begin}\n{make()}\n{end}")
    return text


def by_hand() -> str:
    """The page without its tables."""
    text = PAGE.read_text(encoding="utf-8")
    for name in TABLES:
        begin, end = borders(name)
        text = re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", "", text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
