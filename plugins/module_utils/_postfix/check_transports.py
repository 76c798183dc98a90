# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# What is wrong with transports and their next hops, wherever they are named: in main.cf and in tables.
# The rule of this file: mail for a transport that is not there, or cannot run, waits until it bounces.

from __future__ import annotations

import difflib
import grp
import os
import pwd
import re
import shlex
from typing import Iterator, NamedTuple

from . import master_cf, nexthop, syntax
from .check_sockets import Sockets
from .finding import Place

_PARAMETERS = (
    "default_transport", "relay_transport", "local_transport", "virtual_transport", "mailbox_transport",
    "fallback_transport", "content_filter",
)  # fmt: skip
# transport -> what must not be empty so that Postfix uses its default
_DEFAULTS = {
    "default_transport": "",
    "local_transport": "mydestination",
    "relay_transport": "relay_domains",
    "virtual_transport": "virtual_mailbox_domains",
}


class Use(NamedTuple):
    """A transport with its next hop, as a parameter or a row of a table names it."""

    place: Place
    transport: str
    hop: str


class Transports(Sockets):
    """Transports exist and can run, next hops parse, rows say what their author meant."""

    def uses(self) -> Iterator[Use]:
        """Every transport that main.cf, a -o option or a readable table names."""
        for place in self.places:
            value = self.expanded(place)
            if not value:
                continue
            if place.name in _PARAMETERS:
                yield Use(place, *nexthop.split_transport(value))
            elif place.name in ("transport_maps", "sender_dependent_default_transport_maps"):
                yield from self.row_uses(place, value)

    def row_uses(self, place: Place, value: str) -> Iterator[Use]:
        default = self.value("default_transport").partition(":")[0] or "smtp"
        for row_place in self.row_places(place, value):
            transport, hop = nexthop.split_transport(row_place.raw)
            if row_place.raw and row_place.raw.upper() != "DUNNO":
                yield Use(row_place, transport or default, hop)

    def row_places(self, place: Place, value: str) -> Iterator[Place]:
        for word in syntax.split_list(value):
            for row, file in self.rows_of(word) or []:
                yield Place(file, row.line or place.line, row.key, row.value)

    def transports(self) -> None:
        unix = {entry.service for entry in self.master.services if entry.type == "unix"}
        for use in self.uses():
            entry = self.master.get(use.transport, "unix")
            if entry is None:
                self.unknown_transport(use, unix)
                continue
            if entry.command == "pipe":
                self.pipe(use, entry)
            elif entry.command in ("smtp", "lmtp") and use.hop:
                self.next_hop(use, entry)
        self.default_transports(unix)
        self.rows()
        self.virtual_users()
        self.mailbox_program()

    def unknown_transport(self, use: Use, unix: set[str]) -> None:
        near = difflib.get_close_matches(use.transport, sorted(unix), 1, 0.6)
        if re.search(r"[.[]", use.transport):
            remedy = f"write smtp:{use.place.raw}"
        elif near:
            remedy = f"write {near[0]}:{use.hop}".rstrip(":")
        else:
            remedy = "add it to services"
        self.add(use.place, f"master.cf has no service {use.transport!r}", remedy)

    def default_transports(self, unix: set[str]) -> None:
        for name, needing in _DEFAULTS.items():
            if needing and not self.words(needing):
                continue
            transport = self.value(name).partition(":")[0]
            if not self.main.line_of(name) and transport and transport not in unix:
                self.add(
                    self.place_of(name),
                    f"master.cf has no service {transport!r}",
                    f"add {transport} as the shipped master.cf has it",
                )

    def next_hop(self, use: Use, entry: master_cf.Service) -> None:
        hop = use.hop
        if hop.startswith("unix:"):
            path = hop[5:]
            self.hidden_socket(use.place, path, [entry])
        elif hop.startswith("/"):
            self.add(use.place, f"{hop!r} would be taken for a host", f"write {use.transport}:unix:{hop}")
        else:
            self.hop_list(use.place, hop[5:] if hop.startswith("inet:") else hop)

    def pipe(self, use: Use, entry: master_cf.Service) -> None:
        words = dict(word.partition("=")[::2] for word in reversed(entry.arguments))
        program = words.get("argv", "")
        if program.startswith("/") and not os.path.exists(program):
            self.add(
                use.place,
                f"the service {entry.service} runs {program}, which does not exist",
                "install it, or name another transport",
                certain=self.installed_here,
            )
        user, _colon, group = words.get("user", "").partition(":")
        for kind, name, known in (("user", user, _has_user), ("group", group, _has_group)):
            if name and not known(name):
                self.add(
                    use.place,
                    f"the service {entry.service} runs as {kind} {name}, which does not exist",
                    f"create the {kind}, or name another",
                    certain=self.installed_here,
                )
        limit = f"{entry.service}_destination_recipient_limit"
        flags = [flag for flag in "DO" if flag in words.get("flags", "")]
        if flags and (self.value(limit) or self.value("default_destination_recipient_limit")) != "1":
            self.add(
                use.place,
                f"the service {entry.service} has flag {flags[0]}, so pipe would defer mail for several recipients",
                f"set {limit} = 1",
            )

    def rows(self) -> None:
        """Rows of transport and relay tables that match nothing, or name no next hop."""
        for place in self.places:
            value = self.expanded(place)
            if not value:
                continue
            if place.name == "transport_maps":
                for row in self.row_places(place, value):
                    if row.name.startswith("*."):
                        self.add(row, "an asterisk stands alone or not at all", f"write {row.name[1:]}")
                    elif row.name.startswith("@"):
                        self.add(row, "a domain of transport(5) has no @", f"write {row.name[1:]}")
            elif place.name == "sender_dependent_relayhost_maps":
                for row in self.row_places(place, value):
                    if row.raw and row.raw.upper() != "DUNNO":
                        self.hop_list(row, row.raw)

    def virtual_users(self) -> None:
        """virtual(8) delivers nothing where it does not know as whom."""
        transport = self.value("virtual_transport").partition(":")[0]
        if not self.words("virtual_mailbox_domains") or self.command_of(transport) != "virtual":
            return
        for name in ("virtual_uid_maps", "virtual_gid_maps"):
            value = self.value(name)
            number = re.match(r"static:(\d+)\Z", value)
            minimum = self.value("virtual_minimum_uid")
            if not value:
                self.add(
                    self.place_of(name if self.main.line_of(name) else "virtual_mailbox_domains"),
                    f"{name} is empty, so virtual(8) would defer all mail for these domains",
                    f"set {name} = static:NUMBER, or another virtual_transport",
                )
            elif (
                name == "virtual_uid_maps"
                and number
                and minimum.isdigit()
                and int(number.group(1)) < int(minimum)
            ):
                self.add(
                    self.place_of(name),
                    f"smaller than virtual_minimum_uid ({minimum}), so virtual(8) would defer all mail",
                    "name another user, or set virtual_minimum_uid",
                )

    def mailbox_program(self) -> None:
        command = self.value("mailbox_command")
        if not command or not self.words("mydestination"):
            return
        try:
            program = shlex.split(command)[0]
        except (ValueError, IndexError):
            return
        # A bare word may be built into the shell.
        if re.match(r"/[\w./+-]+\Z", program) and not os.access(program, os.X_OK):
            self.add(
                self.place_of("mailbox_command"),
                f"there is no program {program}, so local mail would bounce",
                "install it, or remove mailbox_command",
                certain=self.installed_here,
            )


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _has_group(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True
