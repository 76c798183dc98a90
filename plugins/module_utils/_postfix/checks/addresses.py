"""What is wrong with names and addresses of hosts, networks and domains.

The rule of this file: a word that can match nothing is a mistake, for somebody relied on it.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import os
import re
from typing import Iterator

from ..._base.addresses import family_title, ip_version, is_address, is_label
from ..files import lines, networks
from ..host.addresses import is_local, on_loopback, resolves
from .configuration import Configuration
from .finding import Finding, Setting, check, nearest
from .strangers import ADDRESSES, DOMAINS, everybody, impostors, matches_address, matches_domain, relayed

_NETWORK_LISTS = (
    "mynetworks", "smtpd_client_event_limit_exceptions", "smtpd_authorized_xforward_hosts",
    "smtpd_authorized_xclient_hosts", "debug_peer_list",
)  # fmt: skip
_DOMAIN_LISTS = ("mydestination", "relay_domains", "virtual_alias_domains", "virtual_mailbox_domains")


@check("network-syntax", *_NETWORK_LISTS)
def network_syntax(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A word in a list of networks that is not a network, an address, a host, a file or a table.

    It matches nobody, so hosts that were to be let in are refused; some forms make smtpd(8) defer everybody.
    Manual: postconf(5) mynetworks.
    """
    for word in lines.split_list(value):
        bare = word.lstrip("!")
        kind, colon, _rest = bare.partition(":")
        if bare.startswith("/"):
            yield from _file_exists(config, setting, bare)
        elif not (colon and kind in config.map_types):
            flaw = networks.network_flaw(word)
            if flaw:
                yield setting.error(*flaw)


@check("whole-internet-may-relay", "mynetworks")
def whole_internet_may_relay(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """mynetworks that hold every address of the Internet, in one network or in several together.

    Where permit_mynetworks stands, as it does by default, the host is an open relay and soon on every block list.
    Manual: postconf(5) mynetworks.
    """
    if on_loopback(setting.service):
        return
    words = lines.split_list(value)
    held = {each for each in ADDRESSES if matches_address(config, words, each)}
    # Of plain networks those that are no company's own, as a quarter of the Internet is.
    wide = [
        word
        for word in words
        if (net := _network(re.sub(r"[][]", "", word))) and net.prefixlen < (8 if net.version == 4 else 16)
    ]
    if not everybody(held) and not (held and wide):
        return
    remedy = "write your own networks"
    if any(word.startswith("/") or (":" in word and not word.startswith("[")) for word in words):
        problem = "a table or file in this list lets the whole Internet relay through this host"
        remedy = "name your own networks there"
    elif any(word.endswith("/0") for word in wide):
        problem = "the whole Internet may relay through this host"
    elif any({each for each in ADDRESSES if (":" in each) == newer} <= held for newer in (False, True)):
        problem = "together these networks let the whole Internet relay through this host"
    else:
        problem = f"much of the Internet, such as {min(held)}, may relay through this host"
    asks = [setting.service] if setting.service else config.smtpd_services
    used = any(relayed(config, each, who) for each in asks for who in impostors(config, each, False))
    yield setting.error(problem, remedy, certain=used)


@check("domain-list", *_DOMAIN_LISTS)
def domain_list(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A word in a list of domains that can match no domain.

    Mail for what was meant is refused, or sent on to another host.
    Manual: postconf(5) mydestination, relay_domains, virtual_alias_domains, virtual_mailbox_domains.
    """
    for word in lines.split_list(value):
        bare = word.lstrip("!")
        if bare.startswith("/"):
            yield from _file_exists(config, setting, bare)
        elif ":" in bare:
            continue
        elif "*" in bare:
            yield setting.error(f"{word!r}: an asterisk matches nothing here", f"write {bare.lstrip('*')}")
        elif "@" in bare:
            yield setting.error(f"{word!r}: domains have no @", f"write {bare.rpartition('@')[2]}")
        elif ";" in bare:
            yield setting.error(f"{word!r}: a semicolon separates nothing", "separate with commas or spaces")


@check("every-domain-is-listed", *_DOMAIN_LISTS)
def every_domain_is_listed(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A list of domains that holds those of everybody, by a table that has every key or by a top-level domain.

    Every domain of the Internet is then this host's, or relayed by it.
    Manual: postconf(5) relay_domains, DATABASE_README.
    """
    # Which domains there are is decided by trivial-rewrite(8), whatever an smtpd has of it.
    if setting.service and setting.service.command != "trivial-rewrite":
        return
    words = lines.split_list(value)
    held = [each for each in DOMAINS if matches_domain(config, setting.name, words, each)]
    if held:
        yield setting.error(
            "every domain of the Internet is in this list, which makes an open relay"
            if len(held) == len(DOMAINS)
            else f"domains of others, such as {held[0]}, are in this list, which makes an open relay",
            "name your own domains",
        )


@check("bind-address", "smtp_bind_address", "lmtp_bind_address", "smtp_bind_address6", "lmtp_bind_address6")
def bind_address(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A source address that this host does not have, of the other family, or from which mail cannot leave.

    Postfix ignores it with a warning in the log, or every connection fails.
    Manual: postconf(5) smtp_bind_address, smtp_bind_address6.
    """
    if not value:
        return
    version = "ipv6" if setting.name.endswith("6") else "ipv4"
    if ip_version(value) != version:
        yield setting.error(
            f"{value!r} is not an {family_title(version)} address", "write one that `ip address` shows"
        )
    elif not is_local(value):
        yield setting.error(f"{value} is not an address of this host", "write one that `ip address` shows")
    elif ipaddress.ip_address(value).is_loopback and setting.name.startswith("smtp_") and not setting.service:
        hops = config.words("relayhost")
        if not hops or not all(re.match(r"\[?(127\.|::1|localhost)", hop) for hop in hops):
            yield setting.error("mail cannot leave this host from its loopback address", "remove it")


@check("interfaces", "inet_interfaces")
def interfaces(_config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """An interface that is not all, loopback-only or an address of this host.

    Postfix does not start.
    Manual: postconf(5) inet_interfaces.
    """
    words = lines.split_list(value)
    if not words:
        yield setting.error("no interface is named", "write all or loopback-only")
    for word in words:
        if word in ("all", "loopback-only"):
            if words != [word]:
                yield setting.error(f"{word} stands alone", f"write {word}")
            continue
        bare = word.strip("[]")
        if is_address(bare):
            if not is_local(bare):
                yield setting.error(
                    f"{bare} is not an address of this host",
                    "write one that `ip address` shows, all or loopback-only",
                )
            continue
        if not resolves(bare):
            near = nearest(bare, ["all", "loopback-only"])
            yield setting.error(
                f"{bare!r} is not an address and does not resolve",
                f"write {near}" if near else "write all, loopback-only or addresses",
            )


@check("proxy-interfaces", "proxy_interfaces")
def proxy_interfaces(_config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """An address of a proxy or NAT that is not one.

    Postfix does not start.
    Manual: postconf(5) proxy_interfaces.
    """
    for word in lines.split_list(value):
        if not is_address(word.strip("[]")) and not resolves(word):
            yield setting.error(f"{word!r} is not an address and does not resolve", "write the address")


@check("host-name", "myhostname", "mydomain")
def host_name(_config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """myhostname or mydomain that is not a host name.

    Every program of Postfix refuses it, or other servers refuse the EHLO.
    Manual: postconf(5) myhostname, mydomain; RFC 5321, section 4.1.1.1.
    """
    if not is_host_name(value):
        yield setting.error(
            "this is not a host name",
            "write labels of letters, digits, - and _ with dots between, for example mail.example.com",
        )


@check("origin", "myorigin")
def origin(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A myorigin that is empty, or a file that does not exist.

    Addresses without a domain stay incomplete, and servers refuse them.
    Manual: postconf(5) myorigin.
    """
    if value.startswith("/") and not os.path.exists(config.staged(value)):
        yield setting.error("the file does not exist", "write $myhostname or $mydomain")
    elif not value:
        yield setting.error(
            "myorigin is empty, so addresses without a domain stay incomplete", "write $myhostname"
        )


def is_host_name(text: str) -> bool:
    """As Postfix's valid_hostname(3): labels between single dots, not numbers alone."""
    labels = text.rstrip(".").split(".") if not text.endswith("..") else [""]
    return all(map(is_label, labels)) and not re.match(r"[\d.]+\Z", text)


def _file_exists(config: Configuration, setting: Setting, path: str) -> Iterator[Finding]:
    if not os.path.exists(config.staged(path)):
        yield setting.error(f"the file {path} does not exist", "create it, or remove it here")


def _network(word: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(word, strict=False)
    except ValueError:
        return None


CHECKS = (
    network_syntax,
    whole_internet_may_relay,
    domain_list,
    every_domain_is_listed,
    bind_address,
    interfaces,
    proxy_interfaces,
    host_name,
    origin,
)
