# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# What is wrong with names and addresses of hosts, networks and domains.
# The rule of this file: a word that can match nothing is a mistake, for somebody relied on it.

from __future__ import annotations

import contextlib
import difflib
import ipaddress
import os
import re

from . import networks, syntax
from .finding import Inspection, Place, is_address, is_local, on_loopback, resolves

_DOMAIN_LISTS = ("mydestination", "relay_domains", "virtual_alias_domains", "virtual_mailbox_domains")
_NETWORK_LISTS = (
    "mynetworks", "smtpd_client_event_limit_exceptions", "smtpd_authorized_xforward_hosts",
    "smtpd_authorized_xclient_hosts", "debug_peer_list",
)  # fmt: skip
_BIND = {"smtp_bind_address": 4, "lmtp_bind_address": 4, "smtp_bind_address6": 6, "lmtp_bind_address6": 6}
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\Z")


class Addresses(Inspection):
    """Hosts, networks, domains, interfaces."""

    def networks(self) -> None:
        for place in self.places:
            value = self.expanded(place)
            if value is None:
                continue
            if place.name in _NETWORK_LISTS:
                self.network_list(place, value)
            elif place.name in _DOMAIN_LISTS:
                for word in syntax.split_list(value):
                    self.domain(place, word)
            elif place.name in _BIND:
                self.bind_address(place, value, _BIND[place.name])
            elif place.name == "inet_interfaces":
                self.interfaces(place, value)
            elif place.name == "proxy_interfaces":
                for word in syntax.split_list(value):
                    if not is_address(word.strip("[]")) and not resolves(word):
                        self.add(place, f"{word!r} is no address and does not resolve", "write the address")
            elif place.name in ("myhostname", "mydomain"):
                if not _is_hostname(value):
                    self.add(
                        place,
                        "this is not a host name",
                        "write labels of letters, digits, - and _ with dots between, for example mail.example.com",
                    )
            elif place.name == "myorigin":
                if value.startswith("/") and not os.path.exists(self.staged(value)):
                    self.add(place, "the file does not exist", "write $myhostname or $mydomain")
                elif not value:
                    self.add(place, "myorigin is empty, so no address would be whole", "write $myhostname")
            elif place.name in ("relayhost", "smtp_fallback_relay", "fallback_relay"):
                self.hop_list(place, value)

    def network_list(self, place: Place, value: str) -> None:
        strict = place.name == "mynetworks" and not on_loopback(place.service)
        words = syntax.split_list(value)
        for word in words:
            self.network(place, word, strict)
        networks = [net for net in map(_network, words) if net and net.version == 4]
        whole = any(net.prefixlen == 0 for net in ipaddress.collapse_addresses(networks))
        if strict and whole and not any(net.prefixlen == 0 for net in networks):
            self.add(
                place, "together the whole Internet may relay through this host", "write your own networks"
            )

    def domain(self, place: Place, word: str) -> None:
        bare = word.lstrip("!")
        if bare.startswith("/"):
            if not os.path.exists(self.staged(bare)):
                self.add(place, f"the file {bare} does not exist", "create it, or remove it here")
        elif bare.startswith("static:"):
            self.add(
                place,
                "every domain of the Internet is in this list, which makes an open relay",
                "name your own domains",
            )
        elif ":" in bare:
            return
        elif "*" in bare:
            self.add(place, f"{word!r}: an asterisk matches nothing here", f"write {bare.lstrip('*')}")
        elif "@" in bare:
            self.add(place, f"{word!r}: domains have no @", f"write {bare.rpartition('@')[2]}")
        elif ";" in bare:
            self.add(place, f"{word!r}: a semicolon separates nothing", "separate with commas or spaces")

    def bind_address(self, place: Place, value: str, version: int) -> None:
        if not value:
            return
        if not is_address(value) or ipaddress.ip_address(value).version != version:
            self.add(place, f"{value!r} is no IPv{version} address", "write one that `ip address` shows")
        elif not is_local(value):
            self.add(place, f"{value} is no address of this host", "write one that `ip address` shows")
        elif ipaddress.ip_address(value).is_loopback and not place.service:
            hops = syntax.split_list(self.value("relayhost"))
            if not hops or not all(re.match(r"\[?(127\.|::1|localhost)", hop) for hop in hops):
                self.add(place, "mail cannot leave this host from its loopback address", "remove it")

    def network(self, place: Place, word: str, strict: bool) -> None:
        bare = word.lstrip("!")
        if bare.startswith("/"):
            if not os.path.exists(self.staged(bare)):
                self.add(place, f"the file {bare} does not exist", "create it, or remove it here")
            return
        kind, colon, _rest = bare.partition(":")
        if colon and kind in self.map_types:
            return
        flaw = networks.network_flaw(word)
        network = _network(re.sub(r"[][]", "", bare))
        if flaw:
            self.add(place, *flaw)
        elif strict and network and network.prefixlen == 0 and not word.startswith("!"):
            self.add(place, "the whole Internet may relay through this host", "write your own networks")

    def interfaces(self, place: Place, value: str) -> None:
        words = syntax.split_list(value)
        if not words:
            self.add(place, "no interface is named", "write all or loopback-only")
        for word in words:
            if word in ("all", "loopback-only"):
                if len(words) > 1:
                    self.add(place, f"{word} stands alone", f"write {word}")
                continue
            bare = word.strip("[]")
            with contextlib.suppress(ValueError):
                ipaddress.ip_address(bare)
                if not is_local(bare):
                    self.add(
                        place,
                        f"{bare} is no address of this host",
                        "write one that `ip address` shows, all or loopback-only",
                    )
                continue
            if not resolves(bare):
                near = difflib.get_close_matches(bare, ["all", "loopback-only"], 1, 0.6)
                self.add(
                    place,
                    f"{bare!r} is no address and does not resolve",
                    f"write {near[0]}" if near else "write all, loopback-only or addresses",
                )


def _is_hostname(text: str) -> bool:
    """As Postfix's valid_hostname(3): labels between single dots, not numbers alone."""
    labels = text.rstrip(".").split(".") if not text.endswith("..") else [""]
    return all(_LABEL.match(label) for label in labels) and not re.match(r"[\d.]+\Z", text)


def _network(word: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(word, strict=False)
    except ValueError:
        return None
