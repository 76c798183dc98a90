"""Postfix's own programs, and others, run without a shell."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import shutil
import subprocess
from typing import NamedTuple, Sequence

from .distributions import PROGRAM_DIRECTORIES


class ServiceError(Exception):
    """Postfix could not be started, stopped or reloaded, or does not serve; the text says why."""


class Ran(NamedTuple):
    code: int
    output: str
    errors: str


def environment() -> dict[str, str]:
    """What a program is run with."""
    return {
        "PATH": ":".join((os.environ.get("PATH", ""), *PROGRAM_DIRECTORIES)),
        "LC_ALL": "C",
        "LANG": "C",
    }


def run(command: Sequence[str], timeout: float = 120.0, stdin: str | None = None) -> Ran:
    """Run a program without a shell, in the C locale; never raises for its exit code."""
    try:
        # AnsibleModule.run_command has neither a deadline nor standard input without a trace in the log.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            list(command),
            input=(stdin or "").encode("utf-8", "surrogateescape"),
            capture_output=True,
            timeout=timeout,
            env=environment(),
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Ran(124, "", f"{command[0]} did not end within {timeout:g} s")
    except OSError as error:
        return Ran(127, "", f"{command[0]}: {error.strerror}")
    return Ran(
        done.returncode,
        done.stdout.decode("utf-8", "replace"),
        done.stderr.decode("utf-8", "replace"),
    )


def find_program(name: str) -> str | None:
    """The path of one of Postfix's commands, looked for where distributions put them."""
    return shutil.which(name, path=":".join((os.environ.get("PATH", ""), *PROGRAM_DIRECTORIES)))
