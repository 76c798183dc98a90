"""Many tasks in one thread, each a generator that waits for sockets and for times.

Theory of operation. Where a task must wait it yields the time at which it has to be woken at the latest. The loop, one
selector with one heap of timers, resumes it with the socket that became ready, or with None. A task never blocks.

Rules of this file: every wait has a deadline, on the monotonic clock, in seconds. It knows nothing of SMTP.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import selectors
import socket
import time
from heapq import heappop, heappush
from typing import Any, Callable, Generator, Optional, TypeVar

_Result = TypeVar("_Result")
Steps = Generator[float, Optional[socket.socket], _Result]

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Task:
    """A generator that runs in a loop."""

    __slots__ = ("finished", "steps", "timer", "wake_at")

    def __init__(self, steps: Steps[Any]) -> None:
        self.steps = steps
        self.finished = False
        self.wake_at = 0.0
        self.timer: float | None = None
        """The next time for which this task stands in the heap."""


class Loop:
    def __init__(self) -> None:
        self.active = 0
        """How many tasks have not finished."""
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = 0

    def spawn(self, steps: Steps[Any]) -> Task:
        """A task that begins when it is woken for the first time."""
        self.active += 1
        return Task(steps)

    def wake(self, task: Task, ready: socket.socket | None = None) -> None:
        """Resume it now; ``ready`` is what it is told."""
        if task.finished:
            return
        try:
            task.wake_at = task.steps.send(ready)
        except StopIteration:
            task.finished = True
            self.active -= 1
            return
        if task.timer is None or task.wake_at < task.timer:
            self._schedule(task)

    def call_at(self, when: float, callback: Callable[[], None]) -> None:
        self._sequence += 1
        heappush(self._timers, (when, self._sequence, callback))

    def wake_soon(self, task: Task) -> None:
        """Resume it when whoever runs now has come to its own wait."""
        self.call_at(0.0, lambda: self.wake(task))

    def run_once(self) -> None:
        """Call what is due, then wait for the next socket or time, where a task is left that waits for one."""
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            heappop(self._timers)[2]()
        if not self.active:
            return
        wait = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None
        for key, _events in self._selector.select(wait):
            if isinstance(key.data, Task):
                self.wake(key.data, key.fileobj)  # type: ignore[arg-type]
            else:
                key.data()

    def close(self) -> None:
        self._selector.close()

    # Sockets

    def watch(self, file: socket.socket, events: int, who: Task | Callable[[], None]) -> None:
        """Wake a task, or call a function, whenever the socket is ready. Raises OSError where that is not to be had."""
        self._selector.register(file, events, who)

    def rewatch(self, file: socket.socket, events: int) -> None:
        """The same for other events of a socket that is watched."""
        self._selector.modify(file, events, self._selector.get_key(file).data)

    def unwatch(self, file: socket.socket) -> None:
        self._selector.unregister(file)

    def _schedule(self, task: Task) -> None:
        task.timer = task.wake_at
        self.call_at(task.wake_at, lambda due=task.wake_at: self._fire(task, due))  # type: ignore[misc]

    def _fire(self, task: Task, due: float) -> None:
        if task.finished or task.timer != due:
            return
        task.timer = None
        if task.wake_at > due:
            self._schedule(task)
        else:
            self.wake(task)


def sleep(until: float) -> Steps[None]:
    """Wait for a time; whatever wakes the task before is ignored."""
    while time.monotonic() < until:
        yield until
