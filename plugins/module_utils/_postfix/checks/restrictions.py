"""What is wrong with what smtpd is told to let through: restrictions, their arguments, open relays.

The rule of this file: an smtpd that would relay for strangers, or defer everybody, is an error.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Iterator, NamedTuple

from ..files import lines, master_cf
from ..files.parameters import REMOVED_RESTRICTIONS, RESTRICTION_ARGUMENTS, RESTRICTIONS
from ..files.version import supports
from ..host import listeners
from ..host.addresses import on_loopback
from .configuration import Configuration
from .finding import Finding, Setting, check, nearest, suggest
from .sockets import hidden_socket
from .strangers import (
    ADDRESSES,
    LISTS,
    everybody,
    impostors,
    matches_address,
    relayed,
    starts,
    strangers,
)
from .table_actions import access_rows
from .tables import word_of_table


class _Word(NamedTuple):
    """One restriction of a list; `argument` is None where it takes none, and empty where it lacks its own."""

    setting: Setting
    text: str
    argument: str | None


def _restrictions(config: Configuration) -> Iterator[_Word]:
    """Every restriction of every list and class, in main.cf and in -o options."""
    for setting, value in config.expanded:
        if setting.name in (*LISTS, "smtpd_etrn_restrictions", *_classes(config, setting)):
            words = iter(lines.split_list(value))
            for word in words:
                takes = word.lower() in RESTRICTION_ARGUMENTS
                yield _Word(setting, word, next(words, "") if takes else None)


def _classes(config: Configuration, setting: Setting) -> list[str]:
    """Those that the service has, where the setting is an option of one."""
    return config.words("smtpd_restriction_classes", setting.service)


@check("unknown-restriction")
def unknown_restriction(config: Configuration) -> Iterator[Finding]:
    """A word in a list of restrictions that is not a restriction, a class or a table.

    smtpd(8) answers every command with "451 4.3.5 Server configuration error".
    Manual: postconf(5) smtpd_recipient_restrictions.
    """
    for setting, word, argument in _restrictions(config):
        known = {*RESTRICTIONS, *_classes(config, setting)}
        if argument is None and ":" not in word and word.lower() not in known:
            yield setting.error(
                f"there is no restriction {word!r}, so every mail would be deferred",
                suggest(word.strip(";"), sorted(known)),
            )


@check("removed-restriction")
def removed_restriction(config: Configuration) -> Iterator[Finding]:
    """A restriction that Postfix 3.9 has removed.

    smtpd(8) answers every command with "451 4.3.5 Server configuration error".
    Manual: RELEASE_NOTES of Postfix 3.9, DEPRECATION_README.
    """
    for setting, word, _argument in _restrictions(config):
        instead = REMOVED_RESTRICTIONS.get(word.lower())
        if instead and supports(config.version, "old_restrictions_removed"):
            yield setting.error(
                f"{word} has been removed in Postfix 3.9, so every mail would be deferred", f"write {instead}"
            )


@check("restriction-argument")
def restriction_argument(config: Configuration) -> Iterator[Finding]:
    """A restriction without the argument that it needs.

    smtpd(8) answers every command with "451 4.3.5 Server configuration error".
    Manual: postconf(5) smtpd_recipient_restrictions.
    """
    for setting, word, argument in _restrictions(config):
        if argument == "":
            needed = f"write {word} {RESTRICTION_ARGUMENTS[word.lower()]}"
            yield setting.error(f"{word} needs an argument", needed)


@check("access-table")
def access_table(config: Configuration) -> Iterator[Finding]:
    """A table of a check_*_access that has no type, or one that this Postfix does not have.

    smtpd(8) answers every command with "451 4.3.5 Server configuration error".
    Manual: access(5), DATABASE_README.
    """
    for setting, word, argument, table in _access_tables(config):
        if ":" in table:
            yield from word_of_table(config, setting, table)
        else:
            yield setting.error(f"{word} {argument}: no table type", f"write {word} texthash:{argument}")


@check("access-action")
def access_action(config: Configuration) -> Iterator[Finding]:
    """An action of access(5) that does not exist.

    smtpd(8) answers with "451 4.3.5 Server configuration error" whenever the row matches.
    Manual: access(5).
    """
    for setting, _word, _argument, table in _access_tables(config):
        if ":" in table:
            yield from access_rows(config, setting, table)


def _access_tables(config: Configuration) -> Iterator[tuple[Setting, str, str, str]]:
    """(setting, restriction, argument, table); a table alone is check_client_access and so on by its list."""
    for setting, word, argument in _restrictions(config):
        if argument and re.match(r"check_\w+_access\Z", word, re.IGNORECASE):
            # { type:table, { search_order = … } }
            inner = lines.split_list(argument[1:-1]) if argument.startswith("{") else [argument]
            yield setting, word, argument, inner[0] if inner else ""
        elif argument is None and ":" in word:
            yield setting, "a table", word, word


@check("policy-service")
def policy_service(config: Configuration) -> Iterator[Finding]:
    """A policy service that is not inet:host:port or unix:path, or a socket that no service of master.cf has.

    smtpd(8) answers every command with "451 4.3.5 Server configuration problem".
    Manual: SMTPD_POLICY_README.
    """
    for setting, word, argument in _restrictions(config):
        if not argument or word.lower() != "check_policy_service":
            continue
        inner = lines.split_list(argument.strip("{} "))
        endpoint = inner[0] if inner else argument
        kind, _colon, rest = endpoint.partition(":")
        shown = f"check_policy_service {endpoint}"
        if kind not in ("inet", "unix") or not rest:
            yield setting.error(f"{shown} is not an endpoint", "write inet:host:port or unix:path")
        elif kind == "inet" and listeners.port_number(rest.rpartition(":")[2]) is None:
            yield setting.error(f"{shown} has no known port", "write inet:host:port with a number")
        elif kind == "unix":
            users = [setting.service] if setting.service else config.smtpd_services
            yield from hidden_socket(config, setting, rest, users)
            yield from _policy_socket(config, setting, rest)


def _policy_socket(config: Configuration, setting: Setting, path: str) -> Iterator[Finding]:
    names = {f"private/{entry.service}" for entry in config.master.services if entry.type == "unix"}
    near = nearest(path, names, 0.8)
    if path.startswith("private/") and path not in names and near and not config.socket_exists(path):
        yield setting.error(f"master.cf has no service {path[8:]!r}", f"write unix:{near}")


@check("restriction-class", "smtpd_restriction_classes")
def restriction_class(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A class of restrictions without a value of its own.

    smtpd(8) answers with "451 4.3.5 Server configuration error" whenever the class is met.
    Manual: RESTRICTION_CLASS_README.
    """
    for name in lines.split_list(value) if setting.service is None else ():
        if name not in config.lookup:
            yield setting.error(f"the class {name} has no value", f"write {name} = … too")


@check("relaying-not-refused")
def relaying_not_refused(config: Configuration) -> Iterator[Finding]:
    """An smtpd whose restrictions never refuse a destination that is not this host's.

    smtpd(8) does not start: "in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least
    one working instance of ...".
    Manual: postconf(5) smtpd_relay_restrictions, SMTPD_ACCESS_README.
    """
    for entry in config.smtpd_services:
        if not starts(config, entry):
            yield config.setting("smtpd_relay_restrictions", entry).error(
                f"{'/'.join(entry.key)} will not start: neither this list nor smtpd_recipient_restrictions "
                "rejects unauthorized destinations",
                "end it with reject_unauth_destination",
            )


@check("open-relay")
def open_relay(config: Configuration) -> Iterator[Finding]:
    """An smtpd that permits everybody before it refuses foreign destinations.

    It relays for the whole Internet, and the host is on every block list within hours.
    Manual: SMTPD_ACCESS_README, postconf(5) smtpd_relay_restrictions.
    """
    for entry in config.smtpd_services:
        if not starts(config, entry):
            continue
        asking = strangers(config, entry)
        ways = [(each, way) for each in asking if (way := relayed(config, entry, each))]
        if not ways:
            continue
        sure = [(each, way) for each, way in ways if not way.depends]
        by, depends = (sure or ways)[0][1]
        addresses = {address for each, _way in sure for address in each.addresses}
        yield config.setting("smtpd_relay_restrictions", entry).error(
            f"open relay: {'/'.join(entry.key)} reaches {by} before reject_unauth_destination"
            + (f", and relays for whom {depends}" if depends else ""),
            "write permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
            certain=everybody(addresses) and not inner(config, entry),
        )


@check("xclient-for-strangers")
def xclient_for_strangers(config: Configuration) -> Iterator[Finding]:
    """smtpd_authorized_xclient_hosts that hold hosts of the Internet.

    By XCLIENT they say which address and which login they have, and so relay as one of mynetworks.
    Manual: XCLIENT_README, postconf(5) smtpd_authorized_xclient_hosts.
    """
    for entry in config.smtpd_services:
        hosts = config.words("smtpd_authorized_xclient_hosts", entry)
        held = [each for each in ADDRESSES if matches_address(config, hosts, each)]
        if held and any(relayed(config, entry, each) for each in impostors(config, entry, True)):
            yield config.setting("smtpd_authorized_xclient_hosts", entry).error(
                f"open relay: hosts such as {held[0]} may tell {'/'.join(entry.key)} that they are in mynetworks",
                "name your own filters alone, for example 127.0.0.1",
                certain=not inner(config, entry),
            )


@check("proxy-protocol-for-strangers")
def proxy_protocol_for_strangers(config: Configuration) -> Iterator[Finding]:
    """An smtpd or postscreen on a public address that takes the client's address from the PROXY protocol.

    Whoever reaches the port past the proxy says which address he has, and so relays as one of mynetworks.
    Manual: postconf(5) smtpd_upstream_proxy_protocol, postscreen_upstream_proxy_protocol.
    """
    for entry in config.master.services:
        name = f"{entry.command}_upstream_proxy_protocol"
        if entry.type != "inet" or inner(config, entry) or not config.value(name, entry):
            continue
        servers = [entry] if entry.command == "smtpd" else config.smtpd_services
        if any(relayed(config, each, who) for each in servers for who in impostors(config, each, False)):
            yield config.setting(name, entry).warning(
                f"whoever can connect to {'/'.join(entry.key)} may say that he is in mynetworks, and relay",
                "let the proxy alone reach that port: bind it to an inner address, or use a firewall",
            )


@check("qmqp-for-strangers")
def qmqp_for_strangers(config: Configuration) -> Iterator[Finding]:
    """qmqpd_authorized_clients that hold hosts of the Internet.

    qmqpd(8) relays everything for its clients.
    Manual: qmqpd(8), postconf(5) qmqpd_authorized_clients.
    """
    for entry in config.master.services:
        if entry.command != "qmqpd" or inner(config, entry):
            continue
        hosts = config.words("qmqpd_authorized_clients", entry)
        if any(matches_address(config, hosts, each) for each in ADDRESSES):
            yield config.setting("qmqpd_authorized_clients", entry).error(
                "open relay: qmqpd relays for strangers", "name your own hosts alone"
            )


def inner(config: Configuration, entry: master_cf.Service) -> bool:
    """Whether only this host can reach the service, by its own address or by inet_interfaces."""
    if on_loopback(entry) or entry.type != "inet" or ":" in entry.service:
        return on_loopback(entry)
    return all(re.match(r"127\.|::1\Z|localhost\Z", each) for each in config.addresses_of(""))


CHECKS = (
    unknown_restriction,
    removed_restriction,
    restriction_argument,
    access_table,
    access_action,
    policy_service,
    restriction_class,
    relaying_not_refused,
    open_relay,
    xclient_for_strangers,
    proxy_protocol_for_strangers,
    qmqp_for_strangers,
)
