"""Files and postconf's output as text, and where a path of the live directory is staged."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import re
import stat
from typing import Collection


def open_regular(path: str) -> int:
    """A file to read. Raises OSError where it is not a regular one: a FIFO would block, a device has no end."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a regular file", path)
    return handle


def read_text(path: str) -> str:
    """The text of a file, bytes that are not UTF-8 kept as surrogates; empty where it cannot be read."""
    try:
        with os.fdopen(open_regular(path), encoding="utf-8", errors="surrogateescape") as handle:
            return handle.read()
    except OSError:
        return ""


def without_content(text: str, secret: Collection[str]) -> str:
    """What a program says, line by line only up to where it names one of these files and a line of it.

    What follows may be quoted from there.
    """
    if not secret:
        return text
    names = "|".join(map(re.escape, sorted(secret, key=len, reverse=True)))
    rest = re.compile(rf"((?<![\w.-])(?:{names})(?![\w-])(?:[,:]? line \d+)?)[^\n]+")
    return rest.sub(r"\1: the rest may be of this file, and is not shown", text)


def assignments(output: str) -> dict[str, str]:
    """The lines name = value of postconf(1)."""
    pairs = (line.partition("=") for line in output.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _equals, value in pairs}


def staged_path(path: str, stage: str, live: str) -> str:
    """Where a path named in a value is judged: below the live directory means the stage."""
    for root in dict.fromkeys((live, os.path.realpath(live))):
        if path == root or path.startswith(root.rstrip("/") + "/"):
            return stage + path[len(root.rstrip("/")) :]
    return path
