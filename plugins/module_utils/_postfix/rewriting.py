"""The sender that a relay sees when mail of this host has another one.

Completed, canonical, masqueraded, generic, as ADDRESS_REWRITING_README has it. The rule of this file: a table that
cannot be read makes the answer unknown, never a guess.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Callable, Mapping, NamedTuple

from .files import expansion, table
from .files.lines import split_list
from .host import programs

# Table types whose source is text that everybody can look a key up in.
_TEXT = ("texthash", "hash", "btree", "lmdb", "cdb", "dbm", "sdbm")


class UnknownSender(Exception):
    """What Postfix makes of the address cannot be known here; the text is the reason."""


class Tables(NamedTuple):
    """How tables are read. `text`: the source of a table by its path, None for none; `ask`: postmap(1) for the other
    types, with the answer, "" for no match, and None where it cannot be asked."""

    text: Callable[[str], str | None]
    ask: Callable[[str, str], str | None]


def envelope_sender(
    address: str, values: Mapping[str, str], origin: str, mydomain: str, tables: Tables
) -> str:
    """The sender in the envelope of a message of this host whose sender is `address`. Raises UnknownSender."""
    here = _Rewriting(values, origin, mydomain, tables)
    found = here.complete(address)
    for parameter, classes in (
        ("sender_canonical_maps", "sender_canonical_classes"),
        ("canonical_maps", "canonical_classes"),
    ):
        if "envelope_sender" in split_list(here.value(classes)):
            found = here.mapped(found, parameter)
    if "envelope_sender" in split_list(here.value("masquerade_classes")):
        found = here.masqueraded(found)
    return here.mapped(found, "smtp_generic_maps")


def postmap(config_directory: str, specification: str, key: str) -> str | None:
    """Ask postmap(1), as a user who may read the table."""
    program = programs.find_program("postmap")
    if program is None:
        return None
    done = programs.run([program, "-c", config_directory, "-q", key, specification], timeout=10)
    if done.code == 0:
        return done.output.strip()
    return None if done.errors.strip() else ""


class _Rewriting:
    def __init__(self, values: Mapping[str, str], origin: str, mydomain: str, tables: Tables) -> None:
        self.values, self.origin, self.mydomain, self.tables = values, origin, mydomain, tables

    def value(self, name: str) -> str:
        try:
            return expansion.expand(self.values.get(name, ""), self.values).strip()
        except expansion.CannotExpand:
            raise UnknownSender(f"{name} cannot be read") from None

    def complete(self, address: str) -> str:
        """Add what is missing of the domain: append_at_myorigin, append_dot_mydomain."""
        local, at, domain = address.rpartition("@")
        if not at:
            return f"{address}@{self.origin}" if self.value("append_at_myorigin") != "no" else address
        if domain and "." not in domain and self.value("append_dot_mydomain") == "yes":
            return f"{local}@{domain}.{self.mydomain}"
        return address

    def mapped(self, address: str, parameter: str) -> str:
        """Look up address, local part (where the domain is this host's) and @domain: canonical(5), generic(5)."""
        specifications = split_list(self.value(parameter))
        if not specifications or "@" not in address:
            return address
        local, _at, domain = address.rpartition("@")
        keys = [address, *([local] if self._is_own(domain) else []), f"@{domain}"]
        delimiters = self.value("recipient_delimiter")
        for delimiter in delimiters:
            base, found, extension = local.partition(delimiter)
            if base and found and extension:
                keys.insert(1, f"{base}@{domain}")
        for key in keys:
            for specification in specifications:
                answer = self._look_up(specification, key, parameter)
                if answer:
                    answer = answer.split(",")[0].strip()
                    return local + answer if answer.startswith("@") else self.complete(answer)
        return address

    def masqueraded(self, address: str) -> str:
        """Take the host off the domain: masquerade_domains, masquerade_exceptions."""
        local, _at, domain = address.rpartition("@")
        if local.lower() in map(str.lower, split_list(self.value("masquerade_exceptions"))):
            return address
        for word in split_list(self.value("masquerade_domains")):
            name = word.lstrip("!").lower()
            if domain.lower() == name or domain.lower().endswith("." + name):
                return address if word.startswith("!") else f"{local}@{name}"
        return address

    def _is_own(self, domain: str) -> bool:
        destinations = [word.lower() for word in split_list(self.value("mydestination"))]
        if any(word.startswith("/") or ":" in word for word in destinations):
            raise UnknownSender("mydestination is a table")
        return domain.lower() in (self.origin.lower(), *destinations)

    def _look_up(self, specification: str, key: str, parameter: str) -> str:
        kind, _colon, name = specification.partition(":")
        for wrapper in ("proxy:", "maybe:"):
            if specification.startswith(wrapper):
                return self._look_up(specification[len(wrapper) :], key, parameter)
        if kind == "inline":
            return _row(table.parse_inline(name), key)
        if kind == "static":
            return name[1:-1].strip() if name.startswith("{") else name
        text = self.tables.text(name) if kind in _TEXT else None
        if text is not None:
            return _row(table.parse_map(text), key)
        answer = self.tables.ask(specification, key)
        if answer is None:
            raise UnknownSender(f"{specification} of {parameter} cannot be read")
        return answer


def _row(rows: list[table.Row], key: str) -> str:
    return next((row.value for row in rows if row.key.lower() == key.lower()), "")
