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
import ipaddress
import re
from typing import Iterable, Iterator, NamedTuple, Sequence

from . import master_cf, nexthop, syntax, table
from .check_transports import Transports
from .finding import Finding, Place, is_address, is_local
from .service import port_number, split_inet_service
from .values import STARTTLS_PORTS

ENCRYPTED_LEVELS = ("encrypt", "dane-only", "fingerprint", "verify", "secure")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class UsedHop(NamedTuple):
    """A next hop that mail takes. `relay`: all mail to the outside, not only some domains or senders."""

    place: Place
    hop: nexthop.NextHop
    relay: bool


class Delivery(Transports):
    """Every next hop with the TLS and the credentials that it will really get."""

    def used_hops(self) -> list[UsedHop]:
        """Each next hop of the SMTP client that is named, readable and well formed."""
        result = []
        for place, transport, text, relay in self.hop_texts():
            if self.command_of(transport) == "smtp" and not text.startswith("unix:"):
                with contextlib.suppress(ValueError):
                    result.append(UsedHop(place, nexthop.parse_next_hop(text, transport), relay))
        return result

    def hop_texts(self) -> Iterator[tuple[Place, str, str, bool]]:
        values = {name: self.value(name) for name in ("default_transport", "relayhost")}
        for parameter, transport, text in nexthop.configured_hops(values):
            yield self.place_of(parameter), transport, text, True
        for text in self.words("smtp_fallback_relay"):
            yield self.place_of("smtp_fallback_relay"), "smtp", text, True
        for use in self.uses():
            if use.place.name != "default_transport":
                for text in syntax.split_list(use.hop):
                    yield use.place, use.transport, text, False
        default = nexthop.split_transport(values["default_transport"] or "smtp")[0]
        for place in self.places:
            if place.name == "sender_dependent_relayhost_maps":
                for row in self.row_places(place, self.expanded(place) or ""):
                    for text in syntax.split_list(row.raw):
                        yield row, default, text, False

    def hops(self) -> None:
        used = self.used_hops()
        for place, hop, relay in used:
            entry = self.master.get(hop.service, "unix")
            level, row = self.level_of(entry, hop)
            self.wrapper(place, hop, entry, level)
            self.address(place, hop, entry, level, row)
            self.credentials(place, hop, entry, level, relay)
            if relay:
                self.loop(place, hop)
        if not any(each.relay for each in used):
            self.direct_delivery()

    def direct_delivery(self) -> None:
        transport, hop = nexthop.split_transport(self.value("default_transport") or "smtp")
        entry = self.master.get(transport, "unix")
        if not hop and entry and entry.command == "smtp" and self.enabled("smtp_tls_wrappermode", entry):
            self.add(
                self.place_of("smtp_tls_wrappermode", entry),
                "mail goes to port 25 of each domain's servers, which speak STARTTLS, not implicit TLS",
                "set smtp_tls_wrappermode = no, or name a relayhost with port 465",
            )

    def loop(self, place: Place, hop: nexthop.NextHop) -> None:
        """A relay host that is this host's own smtpd."""
        host = hop.host.lower().rstrip(".")
        if hop.bracketed and host == self.value("myhostname").lower():
            addresses = {"0.0.0.0", "::"}
        elif host == "localhost":
            addresses = {"127.0.0.1", "::1", "0.0.0.0", "::"}
        elif is_address(host) and is_local(host):
            # Another instance of Postfix may listen on another address of this host.
            addresses = {host, "::" if ":" in host else "0.0.0.0"}
        else:
            return
        for entry in self.smtpd_services:
            name, port = split_inet_service(entry.service)
            if entry.type == "inet" and port_number(port) == hop.port and addresses & self.addresses_of(name):
                self.add(
                    place,
                    f"{hop.text} is this host's own smtpd, so mail would loop",
                    "name another host, or none",
                )
                return

    def address(
        self,
        place: Place,
        hop: nexthop.NextHop,
        entry: master_cf.Service | None,
        level: str,
        row: table.Row | None,
    ) -> None:
        if not is_address(hop.host):
            return
        version = ipaddress.ip_address(hop.host).version
        protocols = [word.lower() for word in self.words("inet_protocols")]
        if protocols and "all" not in protocols and f"ipv{version}" not in protocols:
            self.add(
                place,
                f"{hop.text} is an IPv{version} address, but inet_protocols is {' '.join(protocols)}",
                f"add ipv{version} to inet_protocols, or write a name",
            )
        matched = row is not None and "match=" in row.value
        wanted = self.words(f"smtp_tls_{level}_cert_match", entry) if level in ("verify", "secure") else []
        if (
            level in ("verify", "secure")
            and not matched
            and {*wanted} <= {"nexthop", "dot-nexthop", "hostname"}
        ):
            self.add(
                place,
                f"{hop.text}: the level {level} compares names, and no certificate matches an address",
                "write the host's name, or a policy with match=NAME",
            )

    def level_of(self, entry: master_cf.Service | None, hop: nexthop.NextHop) -> tuple[str, table.Row | None]:
        """The TLS level in force for that next hop: that of its policy, with the row, else the transport's."""
        rows = self.rows_of(self.value("smtp_tls_policy_maps", entry)) or []
        policies = {row.key.lower(): row for row, _file in rows if row.value}
        for key in _policy_keys(hop.text.lower()):
            if key in policies:
                return policies[key].value.split()[0].lower(), policies[key]
        level = self.value("smtp_tls_security_level", entry).lower()
        if not level:
            if self.enabled("smtp_enforce_tls", entry):
                return ("verify" if self.enabled("smtp_tls_enforce_peername", entry) else "encrypt"), None
            return ("may" if self.enabled("smtp_use_tls", entry) else "none"), None
        return level, None

    def wrapper(
        self, place: Place, hop: nexthop.NextHop, entry: master_cf.Service | None, level: str
    ) -> None:
        wrapped = self.value("smtp_tls_wrappermode", entry).lower() == "yes"
        if hop.port in nexthop.IMPLICIT_TLS_PORTS and not wrapped:
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
        self, place: Place, hop: nexthop.NextHop, entry: master_cf.Service | None, level: str, relay: bool
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
            # Postfix also looks for the bare name of the host that it reached.
            found = hop.text.lower() in keys or hop.host.lower() in keys
            if not found:
                self.key_of_other_form(hop, rows, "no password would be sent")
                if relay and not any("@" in key for key in keys) and not self.similar(hop, rows):
                    self.add(
                        maps_place,
                        f"no key is {hop.text}, so no password would be sent there",
                        f"add a line that begins with {hop.text}",
                        certain=False,
                    )
            self.password_rows(rows)
            if not found and not relay:
                return
        options = [
            word.lower() for word in syntax.split_list(self.value("smtp_sasl_security_options", entry))
        ]
        if level not in ENCRYPTED_LEVELS:
            self.add(
                place,
                f"{hop.text}: a password may go there without TLS (level {level})",
                "set smtp_tls_security_level = secure, or encrypt",
                certain="noplaintext" not in options,
            )
        tls_options = syntax.split_list(
            self.value("smtp_sasl_tls_security_options", entry) or " ".join(options)
        )
        if "noplaintext" in [word.lower() for word in tls_options]:
            self.add(
                self.place_of("smtp_sasl_tls_security_options", entry),
                "noplaintext refuses PLAIN and LOGIN, the only mechanisms of most relays",
                "set smtp_sasl_tls_security_options = noanonymous",
                certain=False,
            )

    def password_rows(self, rows: Iterable[tuple[table.Row, str]]) -> None:
        for row, file in rows:
            if row.value.startswith("="):
                self.add_row(file, row, "white space alone stands between key and user", "remove the =")
            elif ":" not in row.value:
                # Kerberos needs a user name alone.
                wanted = "GSSAPI" in self.value("smtp_sasl_mechanism_filter").upper()
                self.add_row(
                    file, row, "no password follows the user name", "write user:password", certain=not wanted
                )

    def similar(
        self, hop: nexthop.NextHop, rows: Iterable[tuple[table.Row, str]]
    ) -> list[tuple[table.Row, str]]:
        """Rows whose key means the same host but is written in another way."""
        result = []
        for row, file in rows:
            bare = re.sub(r":\w+\Z", "", row.key).strip("[]").lower()
            if bare == hop.host.lower() and row.key.lower() != hop.text.lower():
                result.append((row, file))
        return result

    def key_of_other_form(
        self, hop: nexthop.NextHop, rows: Sequence[tuple[table.Row, str]], consequence: str
    ) -> None:
        wanted = {used.hop.text.lower() for used in self.used_hops()}
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


def _policy_keys(hop: str) -> Iterator[str]:
    """What Postfix looks up in a policy table: the next hop, and above a bare domain its parents."""
    yield hop
    if not re.search(r"[][:]", hop):
        parts = hop.split(".")
        for index in range(1, len(parts)):
            yield "." + ".".join(parts[index:])
