"""What Postfix's daemons logged since a moment: in the mail log, and in the journal where there is one."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import os
import re
import time

from . import programs

MAIL_LOGS = ("/var/log/mail.log", "/var/log/maillog", "/var/log/mail")


# Programs that people and scripts run: their fatal errors say nothing about the daemons.
_TOOLS = (
    "sendmail",
    "postdrop",
    "postqueue",
    "postsuper",
    "postmap",
    "postalias",
    "postconf",
    "postcat",
    "postkick",
)


_BAD_LOG_LINE = re.compile(r"postfix[^\s\[]*/(?P<program>[\w.-]+)\[\d+\]: .*?\b(fatal|panic|throttling)\b")


class LogMark:
    """A place in the mail log; read() gives what Postfix's daemons logged since."""

    def __init__(self, maillog_file: str = "") -> None:
        self._journal = (
            os.path.exists("/run/systemd/journal/socket") and programs.find_program("journalctl") is not None
        )
        self._names = ([maillog_file] if maillog_file.startswith("/") else []) + list(MAIL_LOGS)
        self.move()

    def move(self) -> None:
        """To the present end of the log."""
        self._since = time.time()
        self._files = {name: _size_of(name) for name in self._names}

    def read(self) -> list[str]:
        lines: list[str] = []
        for name, (inode, size) in self._files.items():
            with contextlib.suppress(OSError), open(name, "rb") as handle:
                if os.fstat(handle.fileno()).st_ino == inode:
                    handle.seek(size)
                lines += handle.read(1 << 20).decode("utf-8", "replace").splitlines()
        if self._journal:
            done = programs.run(
                ["journalctl", "-q", "--no-pager", "-o", "short-unix", "--since", f"@{int(self._since)}",
                 "-n", "2000", "SYSLOG_FACILITY=2"]
            )  # fmt: skip
            for line in done.output.splitlines():
                stamp = line.split(" ", 1)[0]
                with contextlib.suppress(ValueError):
                    if float(stamp) >= self._since - 0.001:
                        lines.append(line.split(" ", 1)[1])
        return list(dict.fromkeys(lines))

    def complaints(self) -> list[str]:
        """fatal, panic and throttling lines of the daemons; those of people's own commands are not meant."""
        result = []
        for line in self.read():
            match = _BAD_LOG_LINE.search(line)
            if match and match.group("program") not in _TOOLS:
                result.append(line[match.start() :])
        return result


def _size_of(name: str) -> tuple[int, int]:
    try:
        status = os.stat(name)
    except OSError:
        return (0, 0)
    return status.st_ino, status.st_size
