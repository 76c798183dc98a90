"""Tasks, their times and their sockets."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import time
from typing import Any, Iterator

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.net.loop import (
    READ,
    WRITE,
    Loop,
    Steps,
    sleep,
)


@pytest.fixture
def loop() -> Iterator[Loop]:
    one = Loop()
    yield one
    one.close()


def finish(loop: Loop) -> None:
    end = time.monotonic() + 5.0
    while loop.active:
        assert time.monotonic() < end
        loop.run_once()


def test_a_task_begins_when_it_is_woken_and_is_counted_until_its_end(loop: Loop) -> None:
    told: list[Any] = []

    def steps() -> Steps[None]:
        told.append("began")
        told.append((yield time.monotonic() + 0.01))

    task = loop.spawn(steps())
    assert (told, loop.active, task.finished) == ([], 1, False)
    loop.wake(task)
    assert told == ["began"]
    finish(loop)
    assert (told, loop.active, task.finished) == (["began", None], 0, True)
    loop.wake(task)  # late, and of no effect
    assert loop.active == 0


def test_tasks_are_woken_in_the_order_of_their_times(loop: Loop) -> None:
    order = []

    def steps(name: str, after: float) -> Steps[None]:
        yield from sleep(began + after)
        order.append(name)

    began = time.monotonic()
    for name, after in (("late", 0.06), ("soon", 0.02), ("middle", 0.04), ("at once", 0.0)):
        loop.wake(loop.spawn(steps(name, after)))
    finish(loop)
    assert order == ["at once", "soon", "middle", "late"]
    assert 0.06 <= time.monotonic() - began < 2.0


def test_a_wait_that_becomes_shorter_or_longer_is_kept(loop: Loop) -> None:
    """A task that is woken early names another time; the timers of before do not wake it."""
    woken: list[float] = []

    def steps() -> Steps[None]:
        began = time.monotonic()
        for after in (0.05, 0.15, 0.02):
            yield began + after
            woken.append(time.monotonic() - began)

    task = loop.spawn(steps())
    loop.wake(task)
    loop.wake(task)  # before 0.05: now it waits for 0.15
    loop.run_once()  # the timer of 0.05
    while len(woken) < 2:
        loop.run_once()
    assert woken[0] < 0.05
    assert woken[1] >= 0.15
    finish(loop)
    assert len(woken) == 3


def test_a_socket_wakes_its_task(loop: Loop) -> None:
    ours, theirs = socket.socketpair()
    heard: list[Any] = []

    def steps() -> Steps[None]:
        loop.watch(ours, WRITE, task)
        heard.append((yield time.monotonic() + 5.0) is ours)
        loop.rewatch(ours, READ)
        ready = yield time.monotonic() + 0.02
        heard.append(ready)
        theirs.send(b"x")
        heard.append((yield time.monotonic() + 5.0) is ours)
        loop.unwatch(ours)

    with ours, theirs:
        task = loop.spawn(steps())
        loop.wake(task)
        finish(loop)
    assert heard == [True, None, True]


def test_a_socket_calls_a_function(loop: Loop) -> None:
    ours, theirs = socket.socketpair()
    heard: list[bytes] = []

    def steps() -> Steps[None]:
        while not heard:
            yield time.monotonic() + 0.01

    with ours, theirs:
        loop.watch(ours, READ, lambda: heard.append(ours.recv(10)))
        theirs.send(b"x")
        loop.wake(loop.spawn(steps()))
        finish(loop)
    assert heard == [b"x"]


def test_calls_of_the_same_time_keep_their_order(loop: Loop) -> None:
    called: list[str] = []

    def steps() -> Steps[None]:
        loop.call_at(0.0, lambda: called.append("first"))
        loop.call_at(0.0, lambda: called.append("second"))
        loop.wake_soon(task)
        yield time.monotonic() + 5.0
        called.append("task")

    task = loop.spawn(steps())
    loop.wake(task)
    finish(loop)
    assert called == ["first", "second", "task"]
