# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# What is wrong with TLS levels of the client and its policy tables.
# The rule of this file: a level that can never be reached defers all mail, so it is an error.

from __future__ import annotations

import os

from . import master_cf, syntax, table
from .check_delivery import Delivery
from .finding import Place, suggest
from .values import CLIENT_LEVELS, POLICY_ATTRIBUTES


class Policies(Delivery):
    """smtp_tls_security_level and smtp_tls_policy_maps, and what they need."""

    def policies(self) -> None:
        self.client_levels()
        self.policy_rows()

    def client_levels(self) -> None:
        """A CA file wherever a level needs one."""
        for entry in self.master.services:
            if entry.command not in ("smtp", "lmtp"):
                continue
            side = entry.command
            level = self.value(f"{side}_tls_security_level", entry).lower()
            self.level_needs(side, level, self.place_of(f"{side}_tls_security_level", entry), entry)
            levels = {level}
            rows = self.rows_of(self.value(f"{side}_tls_policy_maps", entry)) or []
            needing = [
                row
                for row, _file in rows
                if row.value.split()[:1]
                and row.value.split()[0].lower() in ("verify", "secure")
                and "tafile=" not in row.value
            ]
            if needing:
                levels.add("secure")
            if not levels & {"verify", "secure"} or not (
                (level in ("verify", "secure") and self.place_of(f"{side}_tls_security_level", entry).line)
                or needing
            ):
                continue
            if (
                not any(self.value(f"{side}_tls_{name}", entry) for name in ("CAfile", "CApath"))
                and self.value("tls_append_default_CA").lower() != "yes"
            ):
                place = self.place_of(
                    f"{side}_tls_security_level" if not needing else f"{side}_tls_policy_maps", entry
                )
                self.add(
                    place,
                    "certificates are to be verified, but no CA is named, so every delivery would fail",
                    f"set {side}_tls_CAfile, for example to /etc/ssl/certs/ca-certificates.crt",
                )
            elif (
                not self.value(f"{side}_tls_CAfile", entry)
                and entry.chroot == "y"
                and self.value("tls_append_default_CA").lower() != "yes"
            ):
                self.add(
                    self.place_of(f"{side}_tls_CApath", entry),
                    f"{'/'.join(entry.key)} is chrooted, and CApath is looked up inside the chroot",
                    f"set {side}_tls_CAfile instead",
                    certain=False,
                )

    def level_needs(self, side: str, level: str, place: Place, entry: master_cf.Service) -> None:
        if level in ("dane", "dane-only") and place.line and not self.dnssec(side, entry):
            self.add(
                place,
                "DANE needs DNSSEC lookups, so Postfix would not use it",
                f"set {side}_dns_support_level = dnssec",
            )
        elif (
            level == "fingerprint"
            and place.line
            and not self.value(f"{side}_tls_fingerprint_cert_match", entry)
        ):
            self.add(
                place,
                "no fingerprint is named that could match, so every delivery would fail",
                f"set {side}_tls_fingerprint_cert_match",
            )

    def dnssec(self, side: str, entry: master_cf.Service | None) -> bool:
        return self.value(f"{side}_dns_support_level", entry).lower() == "dnssec"

    def policy_rows(self) -> None:
        """Rows of TLS policy tables: level, attributes, and keys that match a next hop."""
        for place in self.places:
            if place.name not in ("smtp_tls_policy_maps", "lmtp_tls_policy_maps"):
                continue
            side = place.name[:4]
            value = self.expanded(place)
            rows = self.rows_of(value) if value else None
            for row, file in rows or []:
                if row.value:
                    self.policy(side, place.service, row, file)
            if rows and not place.service and side == "smtp":
                for used in self.used_hops():
                    if used.hop.text.lower() not in [row.key.lower() for row, _file in rows]:
                        self.key_of_other_form(used.hop, rows, "this policy would never be used")

    def policy(self, side: str, entry: master_cf.Service | None, row: table.Row, file: str) -> None:
        level, *attributes = syntax.split_list(row.value)
        level = level.lower()
        if level not in CLIENT_LEVELS:
            self.add_row(file, row, "there is no such TLS level", suggest(level, CLIENT_LEVELS), level)
            return
        names = set()
        for word in attributes:
            name, equals, value = (part.strip() for part in word.strip("{}").partition("="))
            names.add(name.lower())
            if name.lower() not in POLICY_ATTRIBUTES:
                self.add_row(
                    file, row, "TLS policies have no such attribute", suggest(name, POLICY_ATTRIBUTES), word
                )
            elif not equals or not value:
                self.add_row(file, row, "the attribute has no value", f"write {name}=…", word)
            elif name.lower() == "match" and level not in ("fingerprint", "verify", "secure"):
                self.add_row(
                    file, row, f"match has no place at the level {level}", "write secure, or remove it", word
                )
            elif name.lower() == "tafile" and not os.path.isfile(self.staged(value)):
                self.add_row(file, row, f"the file {value} does not exist", "correct the path", word)
        if level in ("dane", "dane-only") and not self.dnssec(side, entry):
            self.add_row(
                file, row, "DANE needs DNSSEC lookups", f"set {side}_dns_support_level = dnssec", level
            )
        default = self.value(f"{side}_tls_fingerprint_cert_match", entry)
        if level == "fingerprint" and "match" not in names and not default:
            self.add_row(
                file, row, "no fingerprint is named that could match", "add match=FINGERPRINT", level
            )
