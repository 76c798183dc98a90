"""Processes paused and looked at: real ones, started by these tests."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import processes
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host.master import running_master

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the /proc of Linux")

LOCK_AND_BECOME = """
import fcntl, os, sys
path, number, lock = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if lock:
    fcntl.flock(number, lock)
os.execv(path, [path, "60"])
"""
PAUSE_AND_DIE = """
import os, signal, sys
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import processes
with processes.paused(int(sys.argv[1])):
    print("paused", flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Starts a program of that name that sleeps, with the lock that is asked for on a file of its own."""
    started = []

    def program(name: str = "sleep", lock: int = 0) -> int:
        path = tmp_path / name
        shutil.copy(shutil.which("sleep") or "", path)
        number = os.open(tmp_path / f"{name}.queue", os.O_CREAT | os.O_RDWR)
        command = [sys.executable, "-c", LOCK_AND_BECOME, str(path), str(number), str(lock)]
        process = subprocess.Popen(command, pass_fds=[number], cwd=tmp_path)
        os.close(number)
        started.append(process)
        wait_for(lambda: getattr(processes.process(process.pid), "name", "") == name)
        return process.pid

    yield program
    for process in started:
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)


def state(pid: int, wanted: str) -> str:
    """The state of a process, once it is what is wanted or has not become so in time."""
    wait_for(lambda: getattr(processes.process(pid), "state", "") == wanted)
    found = processes.process(pid)
    assert found is not None
    return found.state


def test_paused_process_goes_on_afterwards(start: Callable[..., int]) -> None:
    pid = start()
    with processes.paused(pid):
        assert state(pid, "T") == "T"
    assert state(pid, "S") == "S"


def test_paused_process_goes_on_when_let(start: Callable[..., int]) -> None:
    pid = start()
    with processes.paused(pid) as go_on:
        assert state(pid, "T") == "T"
        go_on()
        assert state(pid, "S") == "S"


@pytest.mark.parametrize("attempt", range(3))
def test_paused_process_goes_on_where_the_other_is_killed(start: Callable[..., int], attempt: int) -> None:
    pid = start()
    command = [sys.executable, "-c", PAUSE_AND_DIE, str(pid)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin and other.stdout
        assert other.stdout.readline() == "paused\n"
        assert state(pid, "T") == "T"
        other.stdin.write("\n")
    assert other.returncode == -signal.SIGKILL
    assert state(pid, "S") == "S"


def test_process_that_is_told_to_end_does_so_while_paused(
    start: Callable[..., int], monkeypatch: Any
) -> None:
    monkeypatch.setattr(processes, "IDLE", 0.01)
    pid = start()
    with processes.drained(pid):
        assert state(pid, "T") == "T"
        os.kill(pid, signal.SIGTERM)
        assert state(pid, "Z") == "Z"


def test_process_that_ended_cannot_be_paused() -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    assert processes.process(ended.pid) is None
    with pytest.raises(OSError), processes.paused(ended.pid):
        pass
    with processes.drained(ended.pid):
        pass


def test_master_that_nobody_has_waited_for_does_not_run(
    start: Callable[..., int], tmp_path: Path, monkeypatch: Any
) -> None:
    def forbidden(*_paths: str) -> bool:
        raise PermissionError

    # As for root without CAP_SYS_PTRACE: whose directory is whose cannot be seen.
    monkeypatch.setattr(os.path, "samefile", forbidden)
    pid = start("master")
    (tmp_path / "pid").mkdir()
    (tmp_path / "pid" / "master.pid").write_text(f"{pid}\n")
    running = running_master(str(tmp_path))
    assert running is not None and running.pid == pid
    os.kill(pid, signal.SIGKILL)
    assert state(pid, "Z") == "Z"
    assert running_master(str(tmp_path)) is None


@pytest.mark.parametrize("name", ["qmgr", "a b", ") S 1 (", "é"])
def test_names_of_children(start: Callable[..., int], name: str) -> None:
    pid = start(name)
    assert [child.name for child in processes.children(os.getpid()) if child.pid == pid] == [name]


def test_age_of_a_process(start: Callable[..., int]) -> None:
    before = time.time()
    found = processes.process(start())
    assert found is not None
    assert before - 0.1 < processes.began(found) < time.time() + 0.1


@pytest.mark.parametrize(
    ("name", "lock", "expected"),
    [
        ("smtp", fcntl.LOCK_SH, True),
        ("local", fcntl.LOCK_SH, True),
        # The lock that an agent holds while it waits for a request.
        ("smtp", fcntl.LOCK_EX, False),
        ("smtp", 0, False),
        # Others look into tables under such a lock.
        ("smtpd", fcntl.LOCK_SH, False),
        ("cleanup", fcntl.LOCK_SH, False),
    ],
)
def test_who_delivers(start: Callable[..., int], name: str, lock: int, expected: bool) -> None:
    pid = start(name, lock)
    assert state(pid, "S") == "S"
    assert processes.delivering(os.getpid()) is expected


def test_agent_that_has_ended_does_not_deliver(start: Callable[..., int]) -> None:
    pid = start("smtp", fcntl.LOCK_SH)
    os.kill(pid, signal.SIGKILL)
    assert state(pid, "Z") == "Z"
    assert not processes.delivering(os.getpid())


def test_agent_that_holds_a_message_is_waited_for(start: Callable[..., int], monkeypatch: Any) -> None:
    monkeypatch.setattr(processes, "PATIENCE", 2.0)
    monkeypatch.setattr(processes, "IDLE", 0.02)
    waited = []
    for name in ("smtpd", "smtp"):
        assert state(start(name, fcntl.LOCK_SH), "S") == "S"
        began = time.monotonic()
        processes._wait_until_idle(os.getpid())
        waited.append(time.monotonic() - began >= 2.0)
    assert waited == [False, True]
