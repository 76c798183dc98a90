"""The table of routes.

The rule of this file: it shows what the facts say and decides nothing. Documented in plugins/modules/route_report.py.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import textwrap
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from ansible import constants as C
from ansible.plugins.action import ActionBase
from ansible.utils.color import stringc
from ansible.utils.display import Display

from ..module_utils._route.fact import no_route, whose_mail

ARGUMENTS: dict[str, dict[str, Any]] = {
    "registered": {"type": "str"},
    "table": {"type": "bool", "default": True},
}
FACT = "smtp_route"
GAP = "  "
INDENT = "    "

# What a probe confirmed; any other decision is a guess or a hope.
PROVEN = ("probe", "sticky", "override")
# How many measured times must agree before two measurements are one.
FIGURES = 5


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
    """One host; `ports` holds a verdict for each port of a relay."""

    host: str
    provider: str
    ports: Mapping[Port, Cell]
    route: Cell
    why: Sequence[str]


def row_of(host: str, fact: Mapping[str, Any]) -> Row:
    """The row of a host that was probed."""
    ports: dict[Port, Cell] = {}
    for endpoint in fact["endpoints"]:
        key = Port(str(endpoint["host"]), int(endpoint["port"]), int(endpoint.get("relay", 0)))
        ports[key] = _joined(ports.get(key), _verdict(endpoint))
    provider = fact["cloud"]["provider"]
    title = str(fact["cloud"]["title"]) if provider != "unknown" else "unknown"
    missing = no_route(fact)
    if missing:
        return Row(host, title, ports, Cell("none", C.COLOR_ERROR), [missing])
    color = C.COLOR_OK if all(one["decided_by"] in PROVEN for one in ways(fact)) else C.COLOR_WARN
    return Row(host, title, ports, Cell(_way(fact), color), list(reasons(fact)))


def ways(fact: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The way of everybody's mail, and those of the senders and recipients that have one of their own."""
    own = [one for one in fact.get("routes", ()) if one["senders"] or one["recipients"]]
    return [fact, *(one for one in own if one["direct"] or one["host"])]


def reasons(fact: Mapping[str, Any]) -> Iterator[str]:
    """Why mail goes the ways that it goes, a sentence for each whose mail has its own."""
    everybody, *others = ways(fact)
    if everybody["host"] or not others:
        yield str(everybody["reason"])
    told: dict[str, list[str]] = {}
    for one in others:
        way = f"by {_way(one)}: {one['reason']}" if one["host"] else "straight to the hosts of its recipients"
        told.setdefault(whose_mail(one), []).append(way)
    for whose, found in told.items():
        yield f"{whose} goes {'; where that fails, '.join(found)}"


def _way(route: Mapping[str, Any]) -> str:
    return f"{route['port']} {route['tls']}" if route["host"] else "direct"


def lost_row(host: str, registered: Mapping[str, Any]) -> Row:
    """The row of a host that was not probed; `registered` is the result of its task, if it has one."""
    state = (
        "unreachable" if registered.get("unreachable") else "failed" if failed(registered) else "not probed"
    )
    why = str(registered.get("msg") or "It was unreachable, or failed, before its ports were probed.")
    color = C.COLOR_UNREACHABLE if state == "unreachable" else C.COLOR_ERROR
    return Row(host, "", {}, Cell(state, color), [why])


def failed(registered: Mapping[str, Any]) -> bool:
    """Whether a task has failed before it had a fact, though its failed_when may have let it pass."""
    tolerated = registered.get("failed_when_result") is False and bool(registered.get("msg"))
    return bool(registered.get("failed")) or (tolerated and FACT not in registered.get("ansible_facts", {}))


def render(rows: Sequence[Row], width: int) -> str:
    """The table; where it would be wider than the terminal, a block for each host."""
    keys = list(dict.fromkeys(key for row in rows for key in row.ports))
    relays = {key.relay for key in keys}
    heads = [_head(key, keys, len(relays) == 1) for key in keys]
    title = f"Routes for mail through {keys[0].relay}" if len(relays) == 1 else "Routes for mail"
    lines = [[Cell(text) for text in ("host", "provider", *heads, "route")]]
    for row in rows:
        cells = (row.ports.get(key, Cell("-")) for key in keys)
        lines.append([Cell(row.host), Cell(row.provider), *cells, row.route])
    widths = [max(len(cell.text) for cell in column) for column in zip(*lines)]
    if sum(widths) + len(GAP) * (len(widths) - 1) > width:
        return "\n".join([title, *_blocks(rows, lines, width)])
    shown = [GAP.join(cell.show(wide) for cell, wide in zip(line, widths)).rstrip() for line in lines]
    body = [text for row, line in zip(rows, shown[1:]) for text in (line, *_wrapped(row.why, width))]
    return "\n".join([title, shown[0], *body])


def _blocks(rows: Sequence[Row], lines: Sequence[Sequence[Cell]], width: int) -> Iterator[str]:
    heads = [head.text for head in lines[0][2:-1]]
    for row, line in zip(rows, lines[1:]):
        yield f"{row.host}{f' ({row.provider})' if row.provider else ''}: {row.route.show()}"
        tried = [f"{head} {cell.show()}" for head, cell in zip(heads, line[2:-1]) if cell.text != "-"]
        yield from (INDENT + text for text in tried)
        yield from _wrapped(row.why, width)


def _head(key: Port, keys: Sequence[Port], one_relay: bool) -> str:
    """The port, with its relay where there are several, and its place in the list where two are the same."""
    text = str(key.port) if one_relay else f"{key.relay}:{key.port}"
    same = [other for other in keys if other[:2] == key[:2]]
    return f"{text} ({key.place + 1})" if len(same) > 1 else text


def _wrapped(texts: Sequence[str], width: int) -> list[str]:
    return [
        line
        for text in texts
        for line in textwrap.wrap(
            text, width, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False
        )
    ]


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


def copied(host: str, facts: Mapping[str, Mapping[str, Any] | None]) -> str | None:
    """Another host whose fact is this host's to the tenth of a millisecond: one measurement under two names."""
    own = facts.get(host)
    if not own or not own.get("helo_name"):
        return None
    figures = [figure for endpoint in own["endpoints"] for figure in endpoint.get("timings_ms", {}).values()]
    if sum(figure is not None for figure in figures) < FIGURES:
        return None
    return next((name for name, fact in facts.items() if name != host and fact == own), None)


def misplaced(task: Any, host: str, batch: Sequence[str]) -> str | None:
    """Why this task cannot be each host's own, where a keyword of the task or of the role takes it elsewhere."""
    if task.run_once and len(batch) > 1:
        return (
            "run_once: true measures the route of one host and gives it to all, but each host has its own way out. "
            "Leave run_once out; the table is shown once all the same."
        )
    if task.delegate_to and task.delegate_to != host:
        return (
            f"delegate_to: {task.delegate_to} measures the route of {task.delegate_to}, which would stand under the "
            f"name of {host}. Leave delegate_to out, and give hosts: {task.delegate_to} where its route is meant."
        )
    return None


def in_step(task: Any) -> bool:
    """Whether the hosts of the play wait for each other at each task, as its strategy has it."""
    strategy = str(task.get_play().strategy or C.DEFAULT_STRATEGY)
    return strategy.rpartition(".")[2].endswith(("linear", "debug"))


class ActionModule(ActionBase):
    """Shows the table once, and gives each host its own result."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        _validation, arguments = self.validate_argument_spec(ARGUMENTS)
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        host, batch = variables["inventory_hostname"], variables["ansible_play_batch"]
        refusal = misplaced(self._task, host, batch)
        if refusal:
            return {**result, "changed": False, "failed": True, "msg": refusal}
        registered = arguments["registered"]
        facts = {name: self._fact(variables, name, registered) for name in batch}
        if arguments["table"]:
            self._show(variables, facts, registered)
        return {**result, "changed": False, **self._outcome(variables, facts, registered)}

    def _show(self, variables: Mapping[str, Any], facts: Mapping[str, Any], registered: str | None) -> None:
        """One table for all hosts of the batch; where they do not wait for each other, one for each."""
        host, display = variables["inventory_hostname"], Display()
        if not in_step(self._task):
            if facts.get(host):
                display.display(render([row_of(host, facts[host])], display.columns))
            return
        first = next((name for name in facts if facts[name]), None)
        if host == first:
            display.display(render(list(self._rows(variables, facts, registered)), display.columns))

    def _outcome(
        self, variables: Mapping[str, Any], facts: Mapping[str, Any], registered: str | None
    ) -> dict[str, Any]:
        host = variables["inventory_hostname"]
        fact, other = facts.get(host), copied(host, facts)
        if not fact:
            return {"failed": True, "msg": self._unknown(variables, registered)}
        if other:
            return {
                "failed": True,
                "msg": f"{host} and {other} have one and the same measurement, so it is not known whose it is: "
                "let the task with mailops.smtp.smtp_route_facts run on each host, without run_once and delegate_to.",
            }
        missing = no_route(fact)
        if missing:
            return {"failed": True, "msg": missing}
        said = "; ".join(reasons(fact))
        return {"msg": f"{fact['port']} on {fact['host']} ({fact['tls']}): {said}" if fact["host"] else said}

    def _unknown(self, variables: Mapping[str, Any], registered: str | None) -> str:
        task = variables["hostvars"][variables["inventory_hostname"]].get(registered) or {}
        if task.get("skipped"):
            return "This host was not probed: the task was skipped, so nothing is known of its route."
        if task.get("unreachable"):
            return f"This host was not probed, so nothing is known of its route: {task.get('msg')}"
        if failed(task):
            return str(task.get("msg") or "The probe failed; with -vvv its task says more.")
        return f"No fact {FACT}: run mailops.smtp.smtp_route_facts before this task."

    def _rows(
        self, variables: Mapping[str, Any], facts: Mapping[str, Any], registered: str | None
    ) -> Iterator[Row]:
        for name in variables["ansible_play_hosts_all"]:
            in_batch = name in facts
            fact = facts[name] if in_batch else self._fact(variables, name, registered)
            task = variables["hostvars"][name].get(registered) or {}
            if fact and in_batch:
                yield row_of(name, fact)
            elif (
                not fact
                and not task.get("skipped")
                and (in_batch or name not in variables["ansible_play_hosts"])
            ):
                yield lost_row(name, task)

    def _fact(
        self, variables: Mapping[str, Any], name: str, registered: str | None
    ) -> Mapping[str, Any] | None:
        """What this run has found. A fact alone may be an older run's, kept by a fact cache."""
        hostvars = variables["hostvars"][name]
        source = (hostvars.get(registered) or {}) if registered else hostvars
        fact: Mapping[str, Any] | None = source.get("ansible_facts", {}).get(FACT)
        return fact
