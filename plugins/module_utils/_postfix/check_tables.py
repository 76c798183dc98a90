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

from . import config, maps, service
from .finding import Finding, Inspection, Place
from .values import OPINIONS, SAID_BY_OURSELVES


class Tables(Inspection):
    """Every table that is named exists, opens and answers."""

    def tables(self) -> None:
        for place in self.places:
            value = self.expanded(place)
            if value is not None and _names_tables(place.name):
                self.table_words(place, value)
        seen: set[str] = set()
        for ref in maps.references(self.main, self.master, self.lookup):
            place = Place(ref.file, ref.line, ref.parameter, ref.spec)
            if ref.spec in seen or ref.type not in self.map_types:
                continue
            seen.add(ref.spec)
            self.table(place, ref)

    def table_words(self, place: Place, value: str) -> None:
        for word in config.split_list(value):
            bare = word.lstrip("!").strip("{} ")
            kind, colon, rest = bare.partition(":")
            if kind == "proxy":
                kind, colon, rest = rest.partition(":")
            if not re.match(r"[a-z][a-z0-9_-]*\Z", kind) or not colon:
                if place.name.endswith("_maps") and bare and not colon:
                    default = self.value("default_database_type") or "hash"
                    self.add(
                        place, f"{word!r} has no table type", f"write {default}:{bare} or texthash:{bare}"
                    )
                continue
            if kind not in self.map_types:
                self.unknown_type(place, kind, rest)
            if kind in ("static", "inline") and place.name == "smtp_sasl_password_maps":
                self.add(
                    place,
                    "a password in main.cf can be read by every user of the host",
                    "put it in a file with sensitive: true, and name that as texthash:FILE",
                    value=f"{kind}:…",
                )

    def table(self, place: Place, ref: maps.MapReference) -> None:
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
            )
            self.add(place, "the file of this table does not exist", remedy)
            return
        if os.path.isdir(path):
            self.add(place, "this is a directory", "name a file")
            return
        if ref.type in maps.COMPILED or ref.type == "texthash":
            self.rows(place, ref, path)
        if ref.type in maps.COMPILED and not all(os.path.exists(each) for each in compiled):
            if not self.predicting:
                self.add(place, "the compiled table does not exist", f"run postmap {ref.spec}")
            return
        if ref.type in maps.DIRECTORY_TYPES:
            return
        done = service.run(["postmap", "-c", self.stage, "-q", "mailops-smtp-check", f"{ref.type}:{path}"])
        for line in done.errors.splitlines():
            match = re.search(r"\b(?:warning|error|fatal): (.*)", line)
            if match and not SAID_BY_OURSELVES.search(line):
                opinion = OPINIONS.search(line)
                remedy = "" if opinion else "correct that line"
                self.add(place, self.clean(match.group(1)), remedy, certain=not opinion)

    def rows(self, place: Place, ref: maps.MapReference, path: str) -> None:
        rows = self.source(path)
        file = os.path.relpath(path, self.stage) if path.startswith(self.stage) else path
        for row in config.duplicate_keys(rows):
            problem = f"the key is there twice, which makes all of {ref.spec} unavailable"
            certain = ref.type == "texthash"
            if not certain:
                problem = f"the key is there twice in {ref.spec}, and one of the two is ignored"
            self.findings.append(
                Finding(file, row.line, row.key, "", problem, "remove one of the two lines", certain)
            )
        if place.name in ("alias_maps", "alias_database"):
            return
        for row in rows:
            if not row.value:
                self.findings.append(
                    Finding(file, row.line, row.key, "", "the key has no value", "write key, space, value")
                )


def _names_tables(name: str) -> bool:
    return name.endswith(("_maps", "_map", "_checks", "_database")) or name in (
        "mydestination",
        "relay_domains",
        "virtual_alias_domains",
        "virtual_mailbox_domains",
        "mynetworks",
    )
