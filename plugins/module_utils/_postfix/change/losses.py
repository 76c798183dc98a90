"""What a change takes from a host that works: a listener, a domain, a table, a value that somebody chose.

The rule of this file: two configurations in, sentences out; what only moves or is added is no loss.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import re
from typing import Container, Iterator, Mapping, NamedTuple, Sequence

from ..files import expansion, master_cf
from ..files.lines import same_words, split_list

_DOMAINS = ("mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains")
_TABLE = re.compile(r"[a-z][a-z0-9_-]*:/")
_LOOPBACK = re.compile(r"(loopback-only|localhost|127\.[\d.]+|\[?::1\]?)\Z", re.I)
_LONGEST = 100


class Side(NamedTuple):
    """A configuration: the values that main.cf sets, those in force with Postfix's defaults, and master.cf."""

    written: Mapping[str, str]
    in_force: Mapping[str, str]
    services: Sequence[master_cf.Service]

    def value(self, name: str) -> str:
        raw = self.in_force.get(name, "")
        with contextlib.suppress(expansion.CannotExpand):
            return expansion.expand(raw, self.in_force)
        return raw


class Loss(NamedTuple):
    """One thing that is lost, and the parameters and services (name/type) any of which, named, asks for it."""

    sentence: str
    names: frozenset[str]


def losses(old: Side, new: Side, ours: Container[str] = (), values: bool = True) -> list[Loss]:
    """What the new configuration takes from the old one.

    `ours`: parameters whose old value was not the host's own. `values`: whether the host's own values count.
    """
    found = [*_listeners(old, new), *_services(old, new), *_domains(old, new)]
    if values:
        found += _values(old, new, ours)
    return list(dict.fromkeys(found))


def _listeners(old: Side, new: Side) -> Iterator[Loss]:
    kept = {entry.key: entry for entry in new.services}
    ports = {master_cf.port_of(entry.service) for entry in new.services if entry.type == "inet"} - {None}
    was, becomes = old.value("inet_interfaces") or "all", new.value("inet_interfaces") or "all"
    for entry in old.services:
        if entry.type != "inet":
            continue
        host, _colon, port = entry.service.rpartition(":")
        if entry.key not in kept and master_cf.port_of(entry.service) not in ports:
            yield Loss(
                f"{'/'.join(entry.key)}: nothing listens there any more", frozenset({"/".join(entry.key)})
            )
        elif not host and open_to_others(was) and not open_to_others(becomes):
            yield Loss(
                f"port {port} no longer answers other hosts: inet_interfaces was {was}, becomes {becomes}",
                frozenset({"inet_interfaces"}),
            )


def open_to_others(interfaces: str) -> bool:
    """Whether these interfaces are not the loopback alone."""
    return not all(_LOOPBACK.match(word) for word in split_list(interfaces))


def _services(old: Side, new: Side) -> Iterator[Loss]:
    kept = {entry.key for entry in new.services}
    for entry in old.services:
        if entry.type != "inet" and entry.key not in kept:
            name = "/".join(entry.key)
            yield Loss(f"the service {name} ({entry.command}) is gone", frozenset({name}))


def _domains(old: Side, new: Side) -> Iterator[Loss]:
    kept = {word.lower() for name in _DOMAINS for word in split_list(new.value(name))}
    for name in _DOMAINS:
        gone = [word for word in dict.fromkeys(split_list(old.value(name))) if word.lower() not in kept]
        if gone:
            what = ", ".join(f"the domains in {word}" if _TABLE.match(word) else word for word in gone)
            # The names of this host go with its name.
            names = (
                {name, "myhostname", "mydomain"} if name == "mydestination" else {name, f"{name[:-7]}maps"}
            )
            yield Loss(f"mail for {what} is no longer accepted here ({name})", frozenset(names))


def _values(old: Side, new: Side, ours: Container[str]) -> Iterator[Loss]:
    for name, raw in old.written.items():
        if name in ours or name in (*_DOMAINS, "inet_interfaces", "compatibility_level"):
            continue
        was, becomes = old.value(name), new.value(name)
        if same_words(was) == same_words(becomes) or not was.strip():
            continue
        lost = [word for word in split_list(was) if word not in split_list(becomes)]
        if not lost:
            continue
        if name == "multi_instance_directories":
            yield Loss(f"the instances in {was} are no longer started", frozenset({name}))
        elif all(_TABLE.match(word) for word in lost):
            yield Loss(f"{name} no longer reads {', '.join(lost)}", frozenset({name}))
        else:
            shown = new.in_force.get(name, "").strip()
            # A table of passwords may be written out in main.cf.
            before = "another" if "password" in name else _short(raw)
            yield Loss(f"{name} was {before}, becomes {_short(shown) or 'empty'}", frozenset({name}))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " …"
