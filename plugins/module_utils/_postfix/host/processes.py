"""The processes under master(8), read from /proc, and how to stop them without sending a message twice.

A delivery agent marks a recipient as done in the queue file after the other side has taken the message. Stopped between
the two it leaves a message that is sent again at the next start: `postfix stop` and systemd both end agents with
SIGTERM, whatever they are at. So before a stop the queue manager is ended, which keeps it from handing out more and
lets go of agents that are done, and master is paused, which keeps it from starting another one, until no agent has a
message in hand. To the agents that is a reload.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import threading
import time
from typing import Callable, Iterator, NamedTuple

# Programs that are handed messages by qmgr(8), as they are named in DAEMON_DIRECTORY.
DELIVERY_AGENTS = ("smtp", "lmtp", "local", "virtual", "pipe", "error", "discard")
QUEUE_MANAGERS = ("qmgr", "oqmgr", "nqmgr")
# How long agents may take for what they have in hand, and how long they must have been idle, in seconds.
PATIENCE = 10.0
IDLE = 0.2


class Process(NamedTuple):
    pid: int
    name: str
    state: str
    """As in proc_pid_stat(5): S sleeps, R runs or wants to, D waits for a disk, T is paused, Z has ended."""
    ticks: int
    """The clock tick after boot at which it began."""


def process(pid: int) -> Process | None:
    """That process, or None where there is none."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as handle:
            stat = handle.read()
        fields = stat[stat.rindex(")") + 1 :].split()
        return Process(pid, stat[stat.index("(") + 1 : stat.rindex(")")], fields[0], int(fields[19]))
    return None


def children(pid: int) -> list[Process]:
    """The processes that this one started and that still are its own."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as handle:
        return [found for found in map(process, map(int, handle.read().split())) if found]
    return []


def began(found: Process) -> float:
    """The wall clock time at which it began."""
    up = time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.time() - up + found.ticks / os.sysconf("SC_CLK_TCK")


def end(found: Process, patience: float = PATIENCE) -> bool:
    """Ask a process to end, by SIGTERM, and wait for it, in seconds. False where it goes on.

    Another one that has its number by now is left alone.
    """
    deadline, asked = time.monotonic() + patience, False
    while True:
        now = process(found.pid)
        if now is None or now.ticks != found.ticks or now.state == "Z":
            return True
        if not asked:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(found.pid, signal.SIGTERM)
            asked = True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)


def queue_manager(master: int) -> Process | None:
    return next((child for child in children(master) if child.name in QUEUE_MANAGERS), None)


def delivering(master: int) -> bool:
    """Whether a delivery agent has a message in hand, or may be about to have one.

    An agent holds a shared lock, flock(2), on the queue file for as long as it delivers from it. One that was just
    handed a request, or is just being started, has no lock yet, but does not sleep. proc_locks(5) shows the locks
    to everyone, where a look at another's open files would need CAP_SYS_PTRACE.
    """
    # A child that has not yet become its program still has its parent's name.
    agents = [child for child in children(master) if child.name in (*DELIVERY_AGENTS, "master")]
    if any(agent.state in "RD" for agent in agents):
        return True
    pids = {agent.pid for agent in agents}
    with open("/proc/locks", encoding="ascii") as handle:
        locks = [line.split() for line in handle]
    return any(lock[1] == "FLOCK" and lock[3] == "READ" and int(lock[4]) in pids for lock in locks)


@contextlib.contextmanager
def paused(pid: int) -> Iterator[Callable[[], None]]:
    """A process of the same user does not run meanwhile; yields what lets it go on earlier.

    It goes on also where this process is killed. That is the kernel's doing: by F_SETOWN and F_SETSIG of fcntl(2) it
    sends SIGCONT when one end of a pair of sockets is closed. The death of a process closes both, in an order that
    nobody promises: so it is asked for at both.
    """
    pair = socket.socketpair()
    try:
        for end in pair:
            fcntl.fcntl(end, fcntl.F_SETOWN, pid)
            fcntl.fcntl(end, fcntl.F_SETSIG, signal.SIGCONT)
            fcntl.fcntl(end, fcntl.F_SETFL, fcntl.fcntl(end, fcntl.F_GETFL) | os.O_ASYNC)
        os.kill(pid, signal.SIGSTOP)
        yield pair[0].close
    finally:
        for end in pair:
            end.close()


@contextlib.contextmanager
def drained(master: int) -> Iterator[None]:
    """master(8) is to be told to end within, when no delivery agent has a message in hand; mail that clients are
    already giving is still accepted.

    Waits for PATIENCE at most: an agent that is busy with a slow server for longer is left to its fate. Where the
    system does not show locks, nothing is waited for. Who is killed here leaves a Postfix that goes on.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            os.stat("/proc/locks")
            go_on = stack.enter_context(paused(master))
            for child in children(master):
                if child.name in QUEUE_MANAGERS:
                    os.kill(child.pid, signal.SIGTERM)
            _wait_until_idle(master)
            stack.enter_context(_ends_when_told(master, go_on))
        yield


def _wait_until_idle(master: int) -> None:
    idle_since = time.monotonic()
    deadline = idle_since + PATIENCE
    while time.monotonic() < min(deadline, idle_since + IDLE):
        time.sleep(IDLE / 4)
        if delivering(master):
            idle_since = time.monotonic()


@contextlib.contextmanager
def _ends_when_told(pid: int, go_on: Callable[[], None]) -> Iterator[None]:
    """A paused process gets its signals when it goes on: it does as soon as SIGTERM waits for it.

    `postfix stop` looks once whether master has ended, a program's start later, and after that every second.
    """
    leave = threading.Event()

    def watch() -> None:
        with contextlib.suppress(OSError):
            while not _is_pending(pid, signal.SIGTERM):
                if leave.wait(0.0002):
                    return
        go_on()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        leave.set()
        thread.join()


def _is_pending(pid: int, number: int) -> bool:
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as handle:
        pending = next(line for line in handle if line.startswith("ShdPnd:"))
    return bool(int(pending.split()[1], 16) >> number - 1 & 1)
