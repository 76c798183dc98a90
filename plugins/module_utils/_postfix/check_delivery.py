# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# What is wrong on the way out: next hops, TLS levels and policies, credentials.
# The rule of this file: what Postfix would only tell by a queue that grows is told here.

from __future__ import annotations

import contextlib
import os
import re
from typing import Iterable, Iterator, Sequence

from . import config
from .finding import Finding, Inspection, Place, suggest
from .values import CLIENT_LEVELS, MECHANISM_PLUGINS, STARTTLS_PORTS

SASL_PLUGIN_DIRECTORIES = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64")
ENCRYPTED_LEVELS = ("encrypt", "dane-only", "fingerprint", "verify", "secure")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Delivery(Inspection):
    """Every next hop with the TLS and the credentials that it will really get."""

    def used_hops(self) -> Iterator[tuple[Place, config.NextHop]]:
        """Each next hop that main.cf names and that parses, with its transport."""
        values = {name: self.value(name) for name in ("default_transport", "relayhost")}
        for parameter, transport, text in config.configured_hops(values):
            if self.command_of(transport) == "smtp":
                with contextlib.suppress(ValueError):
                    yield self.place_of(parameter), config.parse_next_hop(text, transport)
        with contextlib.suppress(ValueError):
            for text in config.split_list(self.value("smtp_fallback_relay")):
                yield self.place_of("smtp_fallback_relay"), config.parse_next_hop(text, "smtp")
        with contextlib.suppress(ValueError):
            transport, text = config.split_transport(self.value("content_filter"))
            if text and self.command_of(transport) == "smtp":
                yield self.place_of("content_filter"), config.parse_next_hop(text, transport)

    def hops(self) -> None:
        for place, hop in self.used_hops():
            entry = self.master.get(hop.service, "unix")
            level = self.level_of(entry, hop)
            self.wrapper(place, hop, entry, level)
            self.credentials(place, hop, entry, level)
        self.client_levels()
        self.policy_rows()
        self.plugins()

    def level_of(self, entry: config.Service | None, hop: config.NextHop) -> str:
        """The TLS level in force for that next hop: its policy, else the transport's."""
        rows = self.rows_of(self.value("smtp_tls_policy_maps", entry)) or []
        for row, _file in rows:
            if row.key.lower() == hop.text.lower() and row.value:
                return row.value.split()[0].lower()
        level = self.value("smtp_tls_security_level", entry).lower()
        if not level:
            if self.value("smtp_enforce_tls", entry) == "yes":
                return "verify" if self.value("smtp_tls_enforce_peername", entry) == "yes" else "encrypt"
            return "may" if self.value("smtp_use_tls", entry) == "yes" else "none"
        return level

    def wrapper(self, place: Place, hop: config.NextHop, entry: config.Service | None, level: str) -> None:
        wrapped = self.value("smtp_tls_wrappermode", entry).lower() == "yes"
        if hop.port in config.IMPLICIT_TLS_PORTS and not wrapped:
            self.add(
                place,
                f"{hop.text}: port {hop.port} is implicit TLS, but {hop.service} speaks STARTTLS and would wait",
                "use port 587, or a transport with -o smtp_tls_wrappermode=yes and "
                "-o smtp_tls_security_level=encrypt in default_transport",
            )
        elif wrapped and hop.port in STARTTLS_PORTS:
            self.add(
                place,
                f"{hop.text}: port {hop.port} is STARTTLS, but {hop.service} has smtp_tls_wrappermode = yes",
                "use port 465, or set smtp_tls_wrappermode = no",
            )
        elif wrapped and level in ("none", "may", "dane", ""):
            self.add(
                self.place_of("smtp_tls_wrappermode", entry),
                f"implicit TLS does not work with the level {level or 'none'}",
                "set smtp_tls_security_level = encrypt or secure there",
            )

    def credentials(
        self, place: Place, hop: config.NextHop, entry: config.Service | None, level: str
    ) -> None:
        if self.value("smtp_sasl_auth_enable", entry).lower() != "yes" or hop.host.lower() in _LOOPBACK:
            return
        maps_place = self.place_of("smtp_sasl_password_maps", entry)
        tables = self.value("smtp_sasl_password_maps", entry)
        if not tables:
            self.add(
                maps_place,
                "smtp_sasl_auth_enable is yes, but there are no passwords",
                "name a table, for example texthash:/etc/postfix/sasl_passwd",
            )
            return
        rows = self.rows_of(tables)
        if rows is not None:
            keys = [row.key.lower() for row, _file in rows]
            if hop.text.lower() not in keys and not (hop.bracketed and hop.host.lower() in keys):
                self.key_of_other_form(hop, rows, "no password would be sent")
                if not any("@" in key for key in keys) and not self.similar(hop, rows):
                    self.add(
                        maps_place,
                        f"no key is {hop.text}, so no password would be sent there",
                        f"add a line that begins with {hop.text}",
                        certain=False,
                    )
            for row, file in rows:
                if ":" not in row.value:
                    self.findings.append(
                        Finding(
                            file,
                            row.line,
                            row.key,
                            "",
                            "no password follows the user name",
                            "write user:password",
                            certain=False,
                        )
                    )
        options = [
            word.lower() for word in config.split_list(self.value("smtp_sasl_security_options", entry))
        ]
        if level not in ENCRYPTED_LEVELS:
            self.add(
                place,
                f"{hop.text}: a password may go there without TLS (level {level})",
                "set smtp_tls_security_level = secure, or encrypt",
                certain="noplaintext" not in options,
            )
        tls_options = config.split_list(
            self.value("smtp_sasl_tls_security_options", entry) or " ".join(options)
        )
        if "noplaintext" in [word.lower() for word in tls_options]:
            self.add(
                self.place_of("smtp_sasl_tls_security_options", entry),
                "noplaintext refuses PLAIN and LOGIN, the only mechanisms of most relays",
                "set smtp_sasl_tls_security_options = noanonymous",
                certain=False,
            )

    def similar(
        self, hop: config.NextHop, rows: Iterable[tuple[config.Row, str]]
    ) -> list[tuple[config.Row, str]]:
        """Rows whose key means the same host but is written in another way."""
        result = []
        for row, file in rows:
            bare = re.sub(r":\w+\Z", "", row.key).strip("[]").lower()
            if bare == hop.host.lower() and row.key.lower() != hop.text.lower():
                result.append((row, file))
        return result

    def key_of_other_form(
        self, hop: config.NextHop, rows: Sequence[tuple[config.Row, str]], consequence: str
    ) -> None:
        wanted = {other.text.lower() for _place, other in self.used_hops()}
        for row, file in self.similar(hop, rows):
            if row.key.lower() not in wanted:
                self.findings.append(
                    Finding(
                        file,
                        row.line,
                        row.key,
                        "",
                        f"the key must repeat the next hop byte for byte, so {consequence}",
                        f"write {hop.text}",
                    )
                )

    def client_levels(self) -> None:
        """A CA file wherever a level needs one."""
        for entry in self.master.services:
            if entry.command not in ("smtp", "lmtp"):
                continue
            side = entry.command
            level = self.value(f"{side}_tls_security_level", entry).lower()
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

    def policy_rows(self) -> None:
        """Rows of TLS policy tables: level, attributes, and keys that match a next hop."""
        for place in self.places:
            if place.name not in ("smtp_tls_policy_maps", "lmtp_tls_policy_maps"):
                continue
            value = self.expanded(place)
            rows = self.rows_of(value) if value else None
            for row, file in rows or []:
                words = row.value.split()
                if not words:
                    continue
                if words[0].lower() not in CLIENT_LEVELS:
                    self.findings.append(
                        Finding(
                            file,
                            row.line,
                            row.key,
                            words[0],
                            "there is no such TLS level",
                            suggest(words[0], CLIENT_LEVELS),
                        )
                    )
                for word in words[1:]:
                    name = word.partition("=")[0].lower()
                    allowed = (
                        "ciphers",
                        "exclude",
                        "match",
                        "protocols",
                        "tafile",
                        "connection_reuse",
                        "enable_rpk",
                        "servername",
                        "ttl",
                        "policy_ttl",
                        "policy_type",
                        "policy_domain",
                        "policy_failure",
                        "mx_host_pattern",
                        "policy_string",
                    )
                    if "=" in word and name not in allowed:
                        self.findings.append(
                            Finding(
                                file,
                                row.line,
                                row.key,
                                word,
                                "TLS policies have no such attribute",
                                suggest(name, allowed),
                            )
                        )
            if rows and not place.service:
                for _hop_place, hop in self.used_hops():
                    if hop.text.lower() not in [row.key.lower() for row, _file in rows]:
                        self.key_of_other_form(hop, rows, "this policy would never be used")

    def plugins(self) -> None:
        """A SASL client whose mechanisms are not installed."""
        enabled = [
            entry
            for entry in [None, *self.master.services]
            if self.value("smtp_sasl_auth_enable", entry).lower() == "yes"
            and (entry is None or entry.option("smtp_sasl_auth_enable") is not None)
        ]
        if not enabled or self.value("smtp_sasl_type") != "cyrus":
            return
        entry = enabled[0]
        found = _installed_plugins()
        place = self.place_of("smtp_sasl_auth_enable", entry)
        remedy = "install libsasl2-modules (Debian) or cyrus-sasl-plain (EL)"
        wanted = [
            word.upper()
            for word in config.split_list(self.value("smtp_sasl_mechanism_filter", entry))
            if re.match(r"[A-Za-z0-9-]+\Z", word)
        ]
        for mechanism in wanted:
            plugin = MECHANISM_PLUGINS.get(mechanism)
            if plugin and plugin not in found:
                self.add(
                    self.place_of("smtp_sasl_mechanism_filter", entry),
                    f"the plugin for {mechanism} is not installed",
                    remedy if mechanism != "XOAUTH2" else "install sasl-xoauth2",
                    certain=self.installed_here,
                )
        if not found & {*MECHANISM_PLUGINS.values()}:
            self.add(
                place,
                "no SASL mechanism plugin is installed, so no password can be sent",
                remedy,
                certain=self.installed_here,
            )
        elif not wanted and not found & {"plain", "login"}:
            self.add(place, "the plugins for PLAIN and LOGIN are not installed", remedy, certain=False)


def _installed_plugins() -> set[str]:
    """The Cyrus SASL mechanism plugins of this host, by the name between lib and .so."""
    found = set()
    for root in SASL_PLUGIN_DIRECTORIES:
        with contextlib.suppress(OSError):
            for directory in [
                root,
                *(os.path.join(root, name) for name in os.listdir(root) if "-linux-" in name),
            ]:
                with contextlib.suppress(OSError):
                    for name in os.listdir(os.path.join(directory, "sasl2")):
                        match = re.match(r"lib(\w+?)\.so", name)
                        if match:
                            found.add(match.group(1))
    return found
