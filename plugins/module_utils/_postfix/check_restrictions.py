# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# What is wrong with what smtpd is told to let through: restrictions, their arguments, open relays.
# The rule of this file: an smtpd that would relay for strangers, or defer everybody, is an error.

from __future__ import annotations

import difflib
import re
from typing import Sequence

from . import service, syntax
from .check_rows import Actions
from .check_sockets import Sockets
from .check_tables import Tables
from .finding import Place, on_loopback, suggest
from .values import REMOVED_RESTRICTIONS, RESTRICTION_ARGUMENTS, RESTRICTIONS
from .version import supports


class Restrictions(Tables, Actions, Sockets):
    """smtpd_*_restrictions of main.cf and of every service."""

    def restrictions(self) -> None:
        classes = syntax.split_list(self.value("smtpd_restriction_classes"))
        known = {*RESTRICTIONS, *classes}
        for place in self.places:
            if not re.match(r"smtpd_\w+_restrictions\Z", place.name) and place.name not in classes:
                continue
            value = self.expanded(place)
            if value is None:
                continue
            words = syntax.split_list(value)
            skip = False
            for index, word in enumerate(words):
                if skip:
                    skip = False
                    continue
                lowered = word.lower()
                if lowered in REMOVED_RESTRICTIONS and supports(self.version, "old_restrictions_removed"):
                    self.add(
                        place,
                        f"{word} has been removed in Postfix 3.9, so every mail would be deferred",
                        f"write {REMOVED_RESTRICTIONS[lowered]}",
                    )
                if lowered in RESTRICTION_ARGUMENTS:
                    skip = True
                    self.restriction_argument(place, word, words[index + 1] if index + 1 < len(words) else "")
                elif ":" in word:
                    # A table alone means check_client_access, check_helo_access and so on by its list.
                    self.access_table(place, "a table", word)
                elif lowered not in known:
                    self.add(
                        place,
                        f"there is no restriction {word!r}, so every mail would be deferred",
                        suggest(word.strip(";"), sorted(known)),
                    )
        for name in classes:
            if name not in self.lookup:
                self.add(
                    self.place_of("smtpd_restriction_classes"),
                    f"the class {name} has no value",
                    f"write {name} = … too",
                )

    def restriction_argument(self, place: Place, word: str, argument: str) -> None:
        if not argument:
            self.add(
                place, f"{word} needs an argument", f"write {word} {RESTRICTION_ARGUMENTS[word.lower()]}"
            )
            return
        if word.lower().startswith("check_") and word.lower().endswith("_access"):
            self.access_table(place, word, argument)
        elif word.lower() == "check_policy_service":
            self.policy_service(place, argument)

    def access_table(self, place: Place, word: str, argument: str) -> None:
        kind, colon, rest = argument.partition(":")
        if not colon:
            self.add(place, f"{word} {argument}: no table type", f"write {word} texthash:{argument}")
        else:
            self.table_word(place, kind, rest)
            self.access_rows(place, argument)

    def policy_service(self, place: Place, argument: str) -> None:
        inner = syntax.split_list(argument.strip("{} "))
        endpoint = inner[0] if inner else argument
        kind, _colon, rest = endpoint.partition(":")
        shown = f"check_policy_service {endpoint}"
        if kind not in ("inet", "unix") or not rest:
            self.add(place, f"{shown} is no endpoint", "write inet:host:port or unix:path")
        elif kind == "inet" and service.port_number(rest.rpartition(":")[2]) is None:
            self.add(place, f"{shown} has no known port", "write inet:host:port with a number")
        elif kind == "unix":
            self.policy_socket(place, rest)

    def policy_socket(self, place: Place, path: str) -> None:
        self.hidden_socket(place, path, [place.service] if place.service else self.smtpd_services)
        names = {f"private/{entry.service}" for entry in self.master.services if entry.type == "unix"}
        near = difflib.get_close_matches(path, names, 1, 0.8)
        if path.startswith("private/") and path not in names and near and not self.socket_exists(path):
            self.add(place, f"master.cf has no service {path[8:]!r}", f"write unix:{near[0]}")

    def relaying(self) -> None:
        """An smtpd that would relay for anyone, or not start because it could."""
        guards = {"reject_unauth_destination", "defer_unauth_destination", "reject", "defer"}
        working = {*guards, "defer_if_permit", "check_relay_domains"}
        for entry in self.smtpd_services:
            lists = {
                name: [word.lower() for word in syntax.split_list(self.value(name, entry))]
                for name in ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
            }
            if not any(working & set(words) for words in lists.values()):
                self.add(
                    self.place_of("smtpd_relay_restrictions", entry),
                    f"smtpd of {'/'.join(entry.key)} does not start when nothing in it or in "
                    "smtpd_recipient_restrictions refuses foreign destinations",
                    "end it with reject_unauth_destination",
                )
            elif not any(_guarded(words, guards) for words in lists.values()):
                self.add(
                    self.place_of("smtpd_relay_restrictions", entry),
                    f"an open relay: {'/'.join(entry.key)} comes to permit before reject_unauth_destination",
                    "write permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
                    certain=not on_loopback(entry),
                )


def _guarded(words: Sequence[str], guards: set[str]) -> bool:
    """Whether strangers meet a refusal of foreign destinations before anything that permits everybody."""
    before = ""
    for word in words:
        if word in guards and before != "warn_if_reject":
            return True
        if word == "permit" or re.match(r"static:\{?\s*(ok|permit|\d+)\b", word):
            return False
        before = word
    return False
