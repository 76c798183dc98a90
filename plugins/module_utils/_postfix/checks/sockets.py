"""What is wrong with the sockets of other programs: milters, filters, and paths that a chroot hides.

The rule of this file: a program that is not running yet is no mistake, a path that cannot reach it is one.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from typing import Iterator, Sequence

from ..files import lines, master_cf
from ..host import listeners
from .configuration import Configuration
from .finding import Finding, Setting, check

_MILTERS = ("smtpd_milters", "non_smtpd_milters", "lmtpd_milters")


@check("milter-endpoint", *_MILTERS)
def milter_endpoint(_config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A milter that is not inet:host:port or unix:path.

    Postfix cannot reach it, and milter_default_action decides: by default all mail is deferred.
    Manual: postconf(5) smtpd_milters, MILTER_README.
    """
    for endpoint in _endpoints(value):
        kind, colon, rest = endpoint.partition(":")
        if kind not in ("inet", "inet6", "unix", "local") or not colon or not rest:
            yield setting.error(f"{endpoint!r} is not an endpoint", "write inet:host:port or unix:path")
        elif kind.startswith("inet"):
            _host, port_colon, port = rest.rpartition(":")
            if not port_colon or listeners.port_number(port) is None:
                yield setting.error(f"{endpoint!r} has no known port", "write inet:host:port with a number")


@check("milter-outside-chroot", *_MILTERS)
def milter_outside_chroot(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A milter's socket that is there, outside of the chroot of the daemon that needs it.

    The daemon looks for it below the queue directory, does not find it, and defers mail.
    Manual: master(5), MILTER_README.
    """
    for endpoint in _endpoints(value):
        kind, _colon, path = endpoint.partition(":")
        if kind in ("unix", "local"):
            users = _users(config, setting)
            yield from hidden_socket(config, setting, path, users)


@check("proxy-filter", "smtpd_proxy_filter")
def proxy_filter(_config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A before-queue filter without a port.

    smtpd(8) cannot reach it and defers all mail.
    Manual: postconf(5) smtpd_proxy_filter, SMTPD_PROXY_README.
    """
    is_path = value.startswith("unix:")
    if value and not is_path and listeners.port_number(value.rpartition(":")[2]) is None:
        yield setting.error(f"{value!r} has no known port", "write host:port with a number")


def hidden_socket(
    config: Configuration, setting: Setting, path: str, users: Sequence[master_cf.Service]
) -> Iterator[Finding]:
    """A chrooted daemon among the users of a socket looks for it in vain, although it is there."""
    queue = config.queue_directory
    chrooted = next((entry for entry in users if config.chrooted(entry)), None)
    if chrooted and path.startswith("/") and os.path.exists(path) and not os.path.exists(queue + path):
        inside = path[len(queue) + 1 :] if path.startswith(queue + "/") else "a path below it"
        yield setting.error(
            f"{'/'.join(chrooted.key)} is chrooted to {queue} and cannot see {path}",
            f"let the socket be in {queue} and write {inside}, or set chroot n for the service",
        )


def _endpoints(value: str) -> Iterator[str]:
    for word in lines.split_list(value):
        inner = lines.split_list(word.strip("{} "))
        yield inner[0] if inner else ""


def _users(config: Configuration, setting: Setting) -> Sequence[master_cf.Service]:
    """The daemons that talk to a milter of that setting."""
    if setting.service:
        return [setting.service]
    if setting.name == "smtpd_milters":
        return config.smtpd_services
    return [entry for entry in config.master.services if entry.command == "cleanup"]


CHECKS = (milter_endpoint, milter_outside_chroot, proxy_filter)
