"""What is wrong with transports and their next hops, wherever they are named: in main.cf and in tables.

The rule of this file: mail for a transport that is not there, or cannot run, waits until it bounces.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import grp
import os
import pwd
import re
import shlex
from typing import Iterator

from ..files import lines, master_cf, nexthop
from ..files.version import supports
from .configuration import Configuration, Use
from .finding import Finding, Setting, check, nearest
from .sockets import hidden_socket

# transport -> what must not be empty so that Postfix uses its default
_DEFAULTS = {
    "default_transport": "",
    "local_transport": "mydestination",
    "relay_transport": "relay_domains",
    "virtual_transport": "virtual_mailbox_domains",
}


def _used(config: Configuration) -> Iterator[tuple[Use, master_cf.Service]]:
    """Every transport that is named, with its service; those without one left out."""
    for use in config.uses:
        entry = config.transports.get(use.transport)
        if entry:
            yield use, entry


@check("unknown-transport")
def unknown_transport(config: Configuration) -> Iterator[Finding]:
    """A transport that is not a service of master.cf.

    The queue manager defers all mail for it: "mail transport unavailable".
    Manual: master(5), transport(5).
    """
    for use in config.uses:
        if use.transport in config.transports:
            continue
        near = nearest(use.transport, config.transports)
        if re.search(r"[.[]", use.transport):
            remedy = f"write smtp:{use.setting.raw}"
        elif near:
            remedy = f"write {near}:{use.hop}".rstrip(":")
        else:
            remedy = "add it to services"
        yield use.setting.error(f"master.cf has no service {use.transport!r}", remedy)


@check("default-transport-missing")
def default_transport_missing(config: Configuration) -> Iterator[Finding]:
    """A transport that Postfix uses by default, without its service in master.cf.

    The queue manager defers all mail for it: "mail transport unavailable".
    Manual: master(5), postconf(5) default_transport, local_transport, relay_transport, virtual_transport.
    """
    for name, needing in _DEFAULTS.items():
        transport = config.value(name).partition(":")[0]
        unneeded = needing and not config.words(needing)
        if (
            not unneeded
            and not config.main.line_of(name)
            and transport
            and transport not in config.transports
        ):
            yield config.setting(name).error(
                f"master.cf has no service {transport!r}", f"add {transport} as the shipped master.cf has it"
            )


@check("next-hop-syntax")
def next_hop_syntax(config: Configuration) -> Iterator[Finding]:
    """A next hop that Postfix cannot read: a URL, quotes, brackets that do not match, an unknown port.

    Mail for it is deferred, or looked for at a host of that name.
    Manual: postconf(5) relayhost, transport(5).
    """
    for setting, value in config.settings_of("relayhost", "smtp_fallback_relay", "fallback_relay"):
        yield from _hop_list(config, setting, value)
    for use, entry in _used(config):
        if entry.command not in ("smtp", "lmtp") or not use.hop or use.hop.startswith("unix:"):
            continue
        if use.hop.startswith("/"):
            yield use.setting.error(
                f"{use.hop!r} would be taken for a host", f"write {use.transport}:unix:{use.hop}"
            )
        else:
            yield from _hop_list(config, use.setting, use.hop[5:] if use.hop.startswith("inet:") else use.hop)
    for setting, value in config.settings_of("sender_dependent_relayhost_maps"):
        for row in config.row_settings(setting, value):
            yield from _hop_list(config, row, row.raw)


def _hop_list(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    words = lines.split_list(value)
    for word in words:
        try:
            nexthop.parse_next_hop(word)
        except ValueError as error:
            problem, _semicolon, remedy = str(error).partition("; ")
            yield setting.error(problem, remedy)
    if len(words) > 1 and not supports(config.version, "relayhost_list"):
        yield setting.error(
            f"Postfix {config.version} takes one destination here, lists came with 3.5", f"write {words[0]}"
        )


@check("next-hop-outside-chroot")
def next_hop_outside_chroot(config: Configuration) -> Iterator[Finding]:
    """A next hop that is a socket outside of the chroot of its client.

    The client looks for it below the queue directory, does not find it, and defers mail.
    Manual: master(5), lmtp(8).
    """
    for use, entry in _used(config):
        if entry.command in ("smtp", "lmtp") and use.hop.startswith("unix:"):
            yield from hidden_socket(config, use.setting, use.hop[5:], [entry])


@check("pipe-program")
def pipe_program(config: Configuration) -> Iterator[Finding]:
    """A service of pipe(8) in use whose program, user or group does not exist.

    pipe(8) ends at the first message, or the program does: mail is deferred, or bounces.
    Manual: pipe(8).
    """
    for use, entry in _used(config):
        if entry.command != "pipe":
            continue
        words = _pipe_words(entry)
        program = words.get("argv", "")
        if program.startswith("/") and not os.path.exists(program):
            yield use.setting.error(
                f"the service {entry.service} runs {program}, which does not exist",
                "install it, or name another transport",
                certain=config.installed_here,
            )
        user, _colon, group = words.get("user", "").partition(":")
        for kind, name, known in (("user", user, _has_user), ("group", group, _has_group)):
            if name and not known(name):
                yield use.setting.error(
                    f"the service {entry.service} runs as {kind} {name}, which does not exist",
                    f"create the {kind}, or name another",
                    certain=config.installed_here,
                )


@check("pipe-recipient-limit")
def pipe_recipient_limit(config: Configuration) -> Iterator[Finding]:
    """A service of pipe(8) with flag D or O that gets several recipients at once.

    pipe(8) defers mail for more than one recipient then.
    Manual: pipe(8) flags, postconf(5) transport_destination_recipient_limit.
    """
    for use, entry in _used(config):
        flags = [flag for flag in "DO" if flag in _pipe_words(entry).get("flags", "")]
        if entry.command != "pipe" or not flags:
            continue
        limit = f"{entry.service}_destination_recipient_limit"
        if (config.value(limit) or config.value("default_destination_recipient_limit")) != "1":
            yield use.setting.error(
                f"the service {entry.service} has flag {flags[0]}, so pipe would defer mail for several recipients",
                f"set {limit} = 1",
            )


@check("transport-pattern", "transport_maps")
def transport_pattern(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A key of a transport table that matches nothing: *.example.com, or @example.com.

    Mail for these domains takes the default way.
    Manual: transport(5).
    """
    for row in config.row_settings(setting, value):
        if row.name.startswith("*."):
            yield row.error("an asterisk stands alone or not at all", f"write {row.name[1:]}")
        elif row.name.startswith("@"):
            yield row.error("a domain of transport(5) has no @", f"write {row.name[1:]}")


@check("virtual-mailbox-owner")
def virtual_mailbox_owner(config: Configuration) -> Iterator[Finding]:
    """Virtual mailboxes whose owner virtual(8) is not told, or may not become.

    virtual(8) defers all mail for these domains.
    Manual: virtual(8), postconf(5) virtual_uid_maps, virtual_gid_maps, virtual_minimum_uid.
    """
    transport = config.value("virtual_transport").partition(":")[0]
    if not config.words("virtual_mailbox_domains") or config.command_of(transport) != "virtual":
        return
    minimum = config.value("virtual_minimum_uid")
    for name in ("virtual_uid_maps", "virtual_gid_maps"):
        value = config.value(name)
        number = re.match(r"static:(\d+)\Z", value) if name == "virtual_uid_maps" else None
        if not value:
            named = name if config.main.line_of(name) else "virtual_mailbox_domains"
            yield config.setting(named).error(
                f"{name} is empty, so virtual(8) would defer all mail for these domains",
                f"set {name} = static:NUMBER, or another virtual_transport",
            )
        elif number and minimum.isdigit() and int(number.group(1)) < int(minimum):
            yield config.setting(name).error(
                f"smaller than virtual_minimum_uid ({minimum}), so virtual(8) would defer all mail",
                "name another user, or set virtual_minimum_uid",
            )


@check("mailbox-command")
def mailbox_command(config: Configuration) -> Iterator[Finding]:
    """A mailbox_command that does not exist.

    Local mail bounces.
    Manual: postconf(5) mailbox_command, local(8).
    """
    command = config.value("mailbox_command")
    if not command or not config.words("mydestination"):
        return
    try:
        program = shlex.split(command)[0]
    except (ValueError, IndexError):
        return
    # A bare word may be built into the shell.
    if re.match(r"/[\w./+-]+\Z", program) and not os.access(program, os.X_OK):
        yield config.setting("mailbox_command").error(
            f"there is no program {program}, so local mail would bounce",
            "install it, or remove mailbox_command",
            certain=config.installed_here,
        )


def _pipe_words(entry: master_cf.Service) -> dict[str, str]:
    return dict(word.partition("=")[::2] for word in reversed(entry.arguments))


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


CHECKS = (
    unknown_transport,
    default_transport_missing,
    next_hop_syntax,
    next_hop_outside_chroot,
    pipe_program,
    pipe_recipient_limit,
    transport_pattern,
    virtual_mailbox_owner,
    mailbox_command,
)
