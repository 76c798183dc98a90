"""The running master(8): what it is, what it has bound, and what a change of the configuration asks of it.

The rule of this file: what master(8) is and holds is asked of the process, in /proc, and not of its files.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from typing import Iterable, Mapping, NamedTuple

from ..files import lines, master_cf
from . import listeners, processes
from .addresses import is_local
from .listeners import Listener

# postconf(5) asks for stop and start for the first two; master(8) keeps the others for its lifetime.
RESTART_PARAMETERS = (
    "inet_interfaces",
    "inet_protocols",
    "queue_directory",
    "data_directory",
    "daemon_directory",
    "mail_owner",
    "import_environment",
    "maillog_file",
)


class Master(NamedTuple):
    """A running master(8): its process, the systemd unit it belongs to, its inet listeners, when it
    began, and when its queue manager began, which is when it last read its configuration. None: not known;
    the sockets are not where root lacks CAP_SYS_PTRACE, as in most containers."""

    pid: int
    unit: str | None
    listeners: frozenset[Listener] | None
    started_at: float | None
    loaded_at: float | None


def queue_directory(values: Mapping[str, str]) -> str:
    return values.get("queue_directory") or "/var/spool/postfix"


def running_master(queue: str) -> Master | None:
    """The master process of the instance with that queue directory, or None when it is not running."""
    try:
        with open(os.path.join(queue, "pid", "master.pid"), encoding="ascii") as handle:
            pid = int(handle.readline().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return _described(pid) if is_master(pid, queue) else None


def visible_master(queue: str) -> Master | None:
    """running_master(), also for a user who may not read the file with its number: then the only one that root runs."""
    found = running_master(queue)
    path = os.path.join(queue, "pid", "master.pid")
    if found is not None or not os.path.exists(path) or os.access(path, os.R_OK):
        return found
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit() and _is_roots_master(int(name))]
    return _described(pids[0]) if len(pids) == 1 else None


def _is_roots_master(pid: int) -> bool:
    found = processes.process(pid)
    with contextlib.suppress(OSError):
        return found is not None and found.name == "master" and os.stat(f"/proc/{pid}").st_uid == 0
    return False


def _described(pid: int) -> Master:
    found = processes.process(pid)
    return Master(
        pid,
        _unit_of(pid),
        _listeners_of(pid),
        None if found is None else processes.began(found),
        _loaded_at(pid),
    )


def is_master(pid: int, queue: str) -> bool:
    try:
        if not os.path.isdir("/proc/self"):
            os.kill(pid, 0)
            return True
        found = processes.process(pid)
        # In a container whose first process waits for none, what has ended stays as a zombie.
        if found is None or found.name != "master" or found.state in "ZX":
            return False
        try:
            return os.path.samefile(f"/proc/{pid}/cwd", queue)
        except PermissionError:
            return True
    except OSError:
        return False


def _unit_of(pid: int) -> str | None:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cgroup", encoding="utf-8") as handle:
        found = re.findall(r"/([^/\s]*postfix[^/\s]*\.service)", handle.read())
        if found:
            return str(found[-1])
    return None


def _listeners_of(pid: int) -> frozenset[Listener] | None:
    inodes = set()
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                target = os.readlink(f"/proc/{pid}/fd/{name}")
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
    except OSError:
        return None
    return frozenset(
        listener for listener, inode, _user in listeners.listening(f"/proc/{pid}/net") if inode in inodes
    )


def _loaded_at(pid: int) -> float | None:
    """When the queue manager began: master(8) replaces it at every reload, so that is the age of the
    configuration in force."""
    manager = processes.queue_manager(pid)
    return None if manager is None else processes.began(manager)


def held(master: Master, ports: Iterable[int]) -> set[Listener]:
    """What master listens on; where its sockets cannot be seen, whatever root has opened on these ports."""
    if master.listeners is not None:
        return set(master.listeners)
    wanted = set(ports)
    found = listeners.all_listeners() - listeners.not_roots()
    return {listener for listener in found if listener.port in wanted}


def bound_otherwise(master: Master, values: Mapping[str, str], services: Iterable[master_cf.Service]) -> bool:
    """Whether the running master listens elsewhere than the configuration says."""
    expected = listeners.expected_listeners(values, services)
    return expected is not None and expected != held(master, (listener.port for listener in expected))


def holds_dead(master: Master, services: Iterable[master_cf.Service]) -> bool:
    """Whether it listens on an IPv6 address that this host no longer has: nobody can connect, and it does not know."""
    ports = (listeners.port_number(listeners.split_inet_service(entry.service)[1]) for entry in services)
    seen = held(master, (port for port in ports if port))
    # A link-local address can be bound with its scope alone, which /proc does not tell.
    return any(
        ":" in each.address
        and each.address != "::"
        and not ipaddress.ip_address(each.address).is_link_local
        and not is_local(each.address)
        for each in seen
    )


def sockets_become_others(old: Iterable[master_cf.Service], new: Iterable[master_cf.Service]) -> bool:
    """Whether a FIFO of a service becomes a socket, or the other way round: a reload leaves what is there."""
    kinds = {entry.service: entry.type for entry in old if entry.type in ("fifo", "unix")}
    return any(
        entry.type in ("fifo", "unix") and kinds.get(entry.service, entry.type) != entry.type for entry in new
    )


def level_for_change(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """ "restart" where Postfix says that reload is not enough for this change of main.cf, else "reload"."""

    def words(values: Mapping[str, str], name: str) -> list[str]:
        default = "all" if name.startswith("inet_") else ""
        return lines.split_list(values.get(name, "") or default)

    changed = any(words(old, name) != words(new, name) for name in RESTART_PARAMETERS)
    return "restart" if changed else "reload"
