"""Breaks runs of postfix_config off from within, at chosen calls, and looks at what is left; runs inside the host.

    breaker.py KIND count
    breaker.py KIND break < POINTS       (JSON: [[what, at], ...])

KIND is exchange or renames. `what` is the name of an exception or a signal, raised at the call number `at` of those
that are made between the swap and the confirmation; or "full", where from that file on which is written, the first of
the stage being 1, the disk is full. Prints one JSON object a line; `troubles` is empty where all is as promised.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, Callable

from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change import swap, transaction
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.outcome import DeployError
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.request import Request, file_wishes
from runner import NEW, OLD, lay_out, left_over, restore, running, serves, snapshot
from runner import STORIES as KILLED

HERE = "module_utils/_postfix"
KINDS = {"exchange": KILLED["restart"], "renames": KILLED["renames"]}


def failing(number: int) -> Callable[[], None]:
    def fail() -> None:
        raise OSError(number, os.strerror(number), "/somewhere")

    return fail


def raising(end: type[BaseException], *arguments: Any) -> Callable[[], None]:
    def fail() -> None:
        raise end(*arguments)

    return fail


ENDS: dict[str, Callable[[], None]] = {
    "ENOSPC": failing(errno.ENOSPC),
    "EIO": failing(errno.EIO),
    "EMFILE": failing(errno.EMFILE),
    "EROFS": failing(errno.EROFS),
    "UnicodeError": raising(UnicodeDecodeError, "utf-8", b"\xff", 0, 1, "invalid start byte"),
    "MemoryError": raising(MemoryError),
    "KeyboardInterrupt": raising(KeyboardInterrupt),
    "SIGTERM": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "SIGHUP": lambda: os.kill(os.getpid(), signal.SIGHUP),
}


class Calls:
    """Counts the calls of the package between the swap and the confirmation, and breaks off at one of them."""

    def __init__(self, at: int = 0, end: Callable[[], None] | None = None) -> None:
        self.at, self.end, self.count = at, end, 0

    def __call__(self, frame: Any, event: str, _argument: Any) -> None:
        if event in ("call", "c_call") and HERE in frame.f_code.co_filename:
            self.count += 1
            if self.count == self.at and self.end:
                sys.setprofile(None)
                self.end()


class Disk:
    """Full from one file on that is written in /etc."""

    def __init__(self, at: int = 0) -> None:
        self.at, self.count = at, 0
        self.open, self.mkdir = os.open, os.mkdir

    def full(self, path: Any) -> None:
        if str(path).startswith("/etc/"):
            self.count += 1
            if self.at and self.count >= self.at:
                failing(errno.ENOSPC)()

    def create(self, path: Any, flags: int, *more: Any, **others: Any) -> int:
        if flags & os.O_CREAT:
            self.full(path)
        return self.open(path, flags, *more, **others)

    def make(self, path: Any, *more: Any, **others: Any) -> None:
        self.full(path)
        self.mkdir(path, *more, **others)


def deploy(asked: dict[str, Any], calls: Calls, disk: Disk) -> str:
    """What was said where the change was not made; empty where it was."""
    swapping, confirming = swap.Directory.swap, swap.Directory.confirm

    def begin(*arguments: Any) -> None:
        sys.setprofile(calls)
        swapping(*arguments)

    def end(*arguments: Any) -> None:
        confirming(*arguments)
        sys.setprofile(None)

    swap.Directory.swap, swap.Directory.confirm = begin, end  # type: ignore[method-assign]
    os.open, os.mkdir = disk.create, disk.make  # type: ignore[assignment]
    try:
        transaction.deploy(
            Request(
                files=file_wishes(asked["files"]),
                parameters=asked["parameters"],
                services=asked["services"],
                timeout=20,
            )
        )
    except DeployError as error:
        return str(error)
    finally:
        sys.setprofile(None)
        os.open, os.mkdir = disk.open, disk.mkdir
        swap.Directory.swap, swap.Directory.confirm = swapping, confirming  # type: ignore[method-assign]
    return ""


TOLD = (
    "the previous configuration was restored and is running",
    "the previous one was restored and is running",
)


def look(asked: dict[str, Any], states: dict[str, Any], what: str, at: int) -> dict[str, Any]:
    restore()
    disk = Disk(at if what == "full" else 0)
    said = deploy(asked, Calls(at, ENDS.get(what)), disk)
    found = snapshot()
    state = next((word for word, known in states.items() if known == found), "neither")
    troubles = []
    if state != ("old" if said else "new"):
        troubles.append(f"the configuration is {state}")
    if said and not any(each in said for each in TOLD) and "nothing was changed" not in said.lower():
        troubles.append("the message does not say which configuration is in force")
    if not running() or not serves():
        troubles.append("Postfix does not serve")
    if left_over():
        troubles.append(f"left: {left_over()}")
    again = deploy(asked, Calls(), Disk())
    if again or snapshot() != states["new"] or left_over() or not serves():
        troubles.append(f"the next run does not bring what is asked for: {again}")
    return {"what": what, "at": at, "state": state, "said": said, "troubles": troubles}


def main(kind: str, asked: list[tuple[str, int]]) -> None:
    story = KINDS[kind]
    lay_out(story)
    restore()
    states = {"old": snapshot()}
    calls, disk = Calls(), Disk()
    said = deploy(story.asked, calls, disk)
    if said:
        raise RuntimeError(said)
    states["new"] = snapshot()
    if not asked:
        print(json.dumps({"calls": calls.count, "files": disk.count}), flush=True)
    for what, at in asked:
        print(json.dumps(look(story.asked, states, what, at)), flush=True)


if __name__ == "__main__":
    assert OLD != NEW and Path("/etc/postfix").is_dir()
    main(sys.argv[1], json.load(sys.stdin) if sys.argv[2] == "break" else [])
