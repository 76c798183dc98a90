"""A run that is told to end leaves nothing half done: the signal becomes an exception, once."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import signal
import threading
from typing import Any, Iterator

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """The run was told to end; the text says by which signal."""


@contextlib.contextmanager
def heard() -> Iterator[None]:
    """The first SIGHUP, SIGINT or SIGTERM raises Interrupted; those after it are for nobody, so that what is done about
    the first comes to its end.

    No signal is blocked or ignored, for Postfix would inherit that from the program that starts it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def once(number: int, _frame: Any) -> None:
        for each in before:
            signal.signal(each, lambda *_: None)
        raise Interrupted(f"the run was ended by {signal.Signals(number).name}")

    # What is ignored already, as under nohup(1), stays so.
    before = {each: signal.getsignal(each) for each in _SIGNALS if signal.getsignal(each) != signal.SIG_IGN}
    for each in before:
        signal.signal(each, once)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
