"""What Postfix's daemons logged since a moment: in the journal, or in the mail log where that is all there is.

Everybody may write into a log, and under any name. So only what the kernel says of who wrote it is believed (the
fields of journald with an underscore, systemd.journal-fields(7)): root or the mail owner, a program of that name, and
of the same unit as the master at hand. A file says nothing of the kind: there a line counts if it has the number of a
process that was seen under this master. And what counts is the severity at the beginning of the text, as msg_fatal(3)
writes it: an address may contain the word as well.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import time
from typing import Any, Collection, Iterable, Iterator, Mapping, NamedTuple, Sequence

from ..files.text import without_content
from . import processes, programs
from .distributions import MAIL_LOGS
from .master import Master

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


# A line of a file, after time and host: syslog_name/program[pid]: text. Before main.cf is read there is no such name.
_LINE = re.compile(
    r"(?P<name>[^\s\[]+/[\w.-]+|(?<!\S)(?:postfix|postmulti|postfix-script|master))\[(?P<pid>\d+)\]: (?P<text>.*)"
)
# What systemd runs before and around Postfix.
_UNITS = ("postfix.service", "postfix@-.service")
_LAST = 20
"""How many lines are shown where none of them complains."""
_DEADLY = re.compile(r"(fatal|panic): ")
_THROTTLING = re.compile(r"warning: .* -- throttling\Z")
_FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,_PID,_UID,_COMM,_SYSTEMD_UNIT"


class Entry(NamedTuple):
    """What a daemon logged."""

    name: str
    """syslog_name/program."""
    pid: int
    text: str
    proven: bool
    """Whether the kernel vouches for who wrote it."""
    unit: str = ""

    @property
    def complains(self) -> bool:
        """Whether a daemon could not do its work; what people's own commands say is not meant."""
        program = self.name.rpartition("/")[2]
        throttled = program == "master" and _THROTTLING.match(self.text)
        return program not in _TOOLS and bool(_DEADLY.match(self.text) or throttled)

    def __str__(self) -> str:
        return f"{self.name}[{self.pid}]: {self.text}"


class LogMark:
    """A place in the log of the instance whose main.cf has these `values`.

    What daemons say of the files `secret` may be quoted from there, and is cut off.
    """

    def __init__(self, values: Mapping[str, str], secret: Collection[str] = ()) -> None:
        self._secret = secret
        own = values.get("maillog_file", "")
        # Without either directory it stores nothing: Storage=none of journald.conf(5).
        stored = any(map(os.path.exists, ("/run/log/journal", "/var/log/journal")))
        journal = stored and programs.find_program("journalctl")
        self._journal = bool(journal) and not own.startswith("/")
        self._names = [own] if own.startswith("/") else [] if self._journal else list(MAIL_LOGS)
        self._owners = {0}
        with contextlib.suppress(KeyError):
            self._owners.add(pwd.getpwnam(values.get("mail_owner") or "postfix").pw_uid)
        self._seen: set[int] = set()
        self.move()

    def move(self) -> None:
        """To the present end of the log."""
        self._since = time.time()
        self._files = {name: _size_of(name) for name in self._names}

    def watch(self, master: Master) -> None:
        """Know the processes of this master by their numbers."""
        self._seen |= {master.pid, *(child.pid for child in processes.children(master.pid))}

    def read(self, units: Sequence[str] = ()) -> Iterator[Entry]:
        """What was logged since; with `units`, also what other programs of these have written."""
        for name, (inode, size) in self._files.items():
            with contextlib.suppress(OSError), open(name, "rb") as handle:
                if os.fstat(handle.fileno()).st_ino == inode:
                    handle.seek(size)
                for line in handle.read(1 << 20).decode("utf-8", "replace").splitlines():
                    found = _LINE.search(line)
                    if found:
                        yield Entry(found["name"], int(found["pid"]), found["text"], False)
        if self._journal:
            done = programs.run(
                ["journalctl", "-q", "--no-pager", "-o", "json", f"--output-fields={_FIELDS}",
                 "--since", f"@{int(self._since)}", "-n", "2000", "SYSLOG_FACILITY=2",
                 *(word for unit in units for word in ("+", f"_SYSTEMD_UNIT={unit}"))]
            )  # fmt: skip
            for line in done.output.splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    fields = json.loads(line)
                    if int(fields["__REALTIME_TIMESTAMP"]) >= (self._since - 0.001) * 1e6:
                        yield self._entry(fields)

    def _entry(self, fields: Mapping[str, Any]) -> Entry:
        name, text = str(fields["SYSLOG_IDENTIFIER"]), fields["MESSAGE"]
        if not isinstance(text, str):
            # Bytes that are not UTF-8.
            text = bytes(text).decode("utf-8", "replace")
        # comm has 15 characters.
        ours = fields.get("_COMM") == name.rpartition("/")[2][:15] and int(fields["_UID"]) in self._owners
        return Entry(name, int(fields["_PID"]), text, ours, fields.get("_SYSTEMD_UNIT", ""))

    def complaints(self) -> list[str]:
        """What daemons could not do, to be shown."""
        return self._told(entry for entry in self.read() if entry.complains)

    def account(self) -> list[str]:
        """What is to be shown where Postfix does not serve: complaints, or the last that was logged where it has none.

        What ends a start may be no daemon of Postfix, and journald may not have written yet what it said.
        """
        if self._journal:
            programs.run(["journalctl", "--sync"])
        return self.complaints() or self._told(self.read(_UNITS))[-_LAST:]

    def failures(self, master: Master) -> list[str]:
        """What daemons of this master could not do: what may decide that Postfix does not serve."""
        self.watch(master)
        return self._told(entry for entry in self.read() if self._is_of(entry, master))

    def _told(self, entries: Iterable[Entry]) -> list[str]:
        return list(dict.fromkeys(without_content(str(entry), self._secret) for entry in entries))

    def _is_of(self, entry: Entry, master: Master) -> bool:
        if not entry.complains:
            return False
        if not entry.proven:
            return not self._journal and entry.pid in self._seen
        return not (entry.unit and master.unit) or entry.unit == master.unit


def _size_of(name: str) -> tuple[int, int]:
    try:
        status = os.stat(name)
    except OSError:
        return (0, 0)
    return status.st_ino, status.st_size
