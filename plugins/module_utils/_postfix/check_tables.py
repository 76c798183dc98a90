# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# What is wrong with lookup tables: their types, their files, their rows.
# The rule of this file: of a row only the key is ever quoted, its value may be a password.

from __future__ import annotations

import difflib
import os
import re
from typing import Iterator

from . import maps, service, syntax, table
from .finding import Finding, Inspection, Place
from .values import OPINIONS, SAID_BY_OURSELVES
from .version import supports

# Types whose rows or members can stand in the value itself.
_WRITTEN_OUT = ("inline", "regexp", "pcre", "cidr", "unionmap", "pipemap", "randmap")

# Whole lists of addresses and restrictions stand there by name, of which only what begins with "proxy:" counts.
PROXIED = ("proxy_read_maps", "proxy_write_maps")


class Tables(Inspection):
    """Every table that is named exists, opens and answers."""

    def tables(self) -> None:
        for place in self.places:
            value = self.expanded(place)
            if value is not None and _names_tables(place.name) and place.name not in PROXIED:
                self.table_words(place, value)
        asked: list[tuple[Place, str]] = []
        seen: set[str] = set()
        for ref in maps.references(self.main, self.master, self.lookup, self.defaults):
            place = Place(ref.file, ref.line, ref.parameter, ref.spec)
            if ref.spec in seen or ref.type not in self.map_types:
                continue
            seen.add(ref.spec)
            if self.table(place, ref) and ref.type not in maps.DIRECTORY_TYPES:
                asked.append((place, f"{ref.type}:{self.staged(ref.path)}"))
        self.ask([*asked, *self.written_out()])
        self.proxied()

    def ask(self, tables: list[tuple[Place, str]]) -> None:
        """Let postmap open and query all of them at once, and one by one where something is said."""
        if not tables:
            return
        done = self.postmap([spec for _place, spec in tables])
        if done.code == 1 and not done.errors:
            return
        # What it says of main.cf, whatever the table, is judged where it stands.
        general = set(self.postmap(["static:yes"]).errors.splitlines())
        for place, spec in tables:
            for line in self.postmap([spec]).errors.splitlines():
                if line in general:
                    continue
                match = re.search(r"\b(?:warning|error|fatal): (.*)", line)
                if match and not SAID_BY_OURSELVES.search(line):
                    opinion = OPINIONS.search(line)
                    remedy = "" if opinion else "correct that line"
                    self.add(place, self.clean(match.group(1)), remedy, certain=not opinion)

    def postmap(self, specs: list[str]) -> service.Ran:
        # The key is in no table; where a pattern matches it, postmap asks no further and ends with 0.
        return service.run(["postmap", "-c", self.stage, "-q", "mailops-smtp-check", *specs])

    def written_out(self) -> Iterator[tuple[Place, str]]:
        """Tables whose rows stand in the value itself, as postmap is asked about them."""
        for place in self.places:
            value = self.expanded(place)
            if value is None or "password" in place.name or "{" not in value:
                continue
            for word in syntax.split_list(value):
                kind, _colon, rest = word.partition(":")
                if (
                    kind in _WRITTEN_OUT
                    and kind in self.map_types
                    and rest.startswith("{")
                    and "proxy:" not in rest
                ):
                    yield place, word.replace(f":{self.live}/", f":{self.stage}/")

    def proxied(self) -> None:
        """proxymap(8) opens only what proxy_read_maps and proxy_write_maps lead to."""
        allowed = {*self.words("proxy_read_maps"), *self.words("proxy_write_maps")}
        if not allowed:
            # It cannot be expanded here.
            return
        for place in self.places:
            value = self.expanded(place)
            if not value or "proxy:" not in value or place.name in PROXIED:
                continue
            for word in syntax.split_list(value):
                if word.startswith("proxy:") and word not in allowed:
                    self.add(
                        place,
                        f"proxymap(8) may not open {word}, so every lookup would fail",
                        f"write {word[6:]}, or add it to proxy_read_maps behind the default of postconf -d",
                    )

    def table_words(self, place: Place, value: str) -> None:
        for word in syntax.split_list(value):
            bare = word.lstrip("!").strip("{} ")
            kind, colon, rest = bare.partition(":")
            if not re.match(r"[a-z][a-z0-9_-]*\Z", kind) or not colon:
                if place.name.endswith("_maps") and bare and not colon:
                    default = self.value("default_database_type") or "hash"
                    remedy = f"write {default}:{bare} or texthash:{bare}"
                    if bare.isdigit():
                        remedy = f"write static:{bare}"
                    self.add(place, f"{word!r} has no table type", remedy)
                continue
            self.table_word(place, kind, rest)
            if kind in ("static", "inline") and place.name == "smtp_sasl_password_maps":
                self.add(
                    place,
                    "a password in main.cf can be read by every user of the host",
                    "put it in a file with sensitive: true, and name that as texthash:FILE",
                    value=f"{kind}:…",
                )

    def table_word(self, place: Place, kind: str, rest: str) -> None:
        """One type:name of a table, wherever it stands."""
        if kind == "proxy":
            kind, _colon, rest = rest.partition(":")
        if kind not in self.map_types:
            self.unknown_type(place, kind, rest)
        elif kind in maps.COMPILED or kind in maps.TEXT_TYPES:
            if rest.startswith("{") and kind != "texthash":
                if not supports(self.version, "inline_patterns"):
                    self.add(
                        place,
                        "patterns within main.cf came with Postfix 3.7",
                        f"put them in a file for {kind}:",
                    )
            elif not rest.startswith("/"):
                self.add(
                    place,
                    f"{kind}:{rest}: a relative path begins at the queue directory",
                    f"write {kind}:{os.path.join(self.live, rest)}",
                )

    def table(self, place: Place, ref: maps.MapReference) -> bool:
        """Judge the files of one table; whether it can be opened."""
        path = self.staged(ref.path)
        parent = os.path.dirname(path)
        compiled = maps.compiled_files(ref.type, path)
        if not os.path.exists(path) and not (compiled and all(os.path.exists(each) for each in compiled)):
            near = difflib.get_close_matches(
                os.path.basename(path), os.listdir(parent) if os.path.isdir(parent) else [], 1, 0.7
            )
            remedy = (
                f"write {ref.type}:{os.path.join(os.path.dirname(ref.path), near[0])}"
                if near
                else "create it, or remove it here"
                if place.line
                else "this is Postfix's default: create it, an empty one will do, or set another"
            )
            self.add(place, "the file of this table does not exist", remedy)
            return False
        if os.path.isdir(path):
            self.add(place, "this is a directory", "name a file")
            return False
        if ref.type in maps.COMPILED or ref.type == "texthash":
            self.source_rows(place, ref, path)
        if ref.type in maps.COMPILED and not all(os.path.exists(each) for each in compiled):
            if not self.predicting:
                self.add(place, "the compiled table does not exist", f"run postmap {ref.spec}")
            return False
        return True

    def source_rows(self, place: Place, ref: maps.MapReference, path: str) -> None:
        rows = self.source(path)
        file = self.shown_file(path, ref.path)
        for row in table.duplicate_keys(rows):
            problem = f"the key is there twice, which makes all of {ref.spec} unavailable"
            certain = ref.type == "texthash"
            if not certain:
                problem = f"the key is there twice in {ref.spec}, and one of the two is ignored"
            self.findings.append(
                Finding(file, row.line, row.key, "", problem, "remove one of the two lines", certain)
            )
        alias = place.name in ("alias_maps", "alias_database")
        # postalias(1) wants the colon and takes it away; whatever is read without it keeps the colon in the key.
        built = ref.type in maps.COMPILED
        for row in rows:
            if alias and built:
                if ":" not in row.key and not row.value.startswith(":"):
                    self.add_row(file, row, "aliases(5) wants a colon behind the name", f"write {row.key}: …")
            elif row.key.endswith(":") and not row.key.endswith("::"):
                self.add_row(
                    file,
                    row,
                    f"{ref.type}: keeps the colon in the name, so this alias would never match"
                    if alias
                    else "only aliases(5) has a colon behind the key",
                    f"write {row.key[:-1]} without the colon",
                )
            elif not row.value:
                self.add_row(file, row, "the key has no value", "write key, space, value")


def _names_tables(name: str) -> bool:
    return name.endswith(("_maps", "_map", "_checks", "_database")) or name in (
        "mydestination",
        "relay_domains",
        "virtual_alias_domains",
        "virtual_mailbox_domains",
        "mynetworks",
    )
