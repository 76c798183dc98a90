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
import select
import subprocess
import time
from glob import glob
from typing import IO, Any, Collection, Iterable, Iterator, Mapping, NamedTuple, Protocol, Sequence

from ..files.text import open_regular, without_content
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
_JOURNALS = ("/run/log/journal", "/var/log/journal")
# What systemd runs before and around Postfix.
_UNITS = ("postfix.service", "postfix@-.service")
_LAST = 20
"""How many lines are shown where none of them complains."""
_DEADLY = re.compile(r"(fatal|panic): ")
_THROTTLING = re.compile(r"warning: .* -- throttling\Z")
_FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,_PID,_UID,_COMM,_SYSTEMD_UNIT"


class LogError(Exception):
    """The log can no longer be read; the text says why."""


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
    def program(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def complains(self) -> bool:
        """Whether a daemon could not do its work; what people's own commands say is not meant."""
        throttled = self.program == "master" and _THROTTLING.match(self.text)
        return self.program not in _TOOLS and bool(_DEADLY.match(self.text) or throttled)

    def __str__(self) -> str:
        return f"{self.name}[{self.pid}]: {self.text}"


class LogMark:
    """A place in the log of the instance whose main.cf has these `values`.

    What daemons say of the files `secret` may be quoted from there, and is cut off.
    """

    def __init__(self, values: Mapping[str, str], secret: Collection[str] = ()) -> None:
        self._secret = secret
        own = values.get("maillog_file", "")
        # Without either directory it stores nothing: Storage=none of journald.conf(5). Where systemd was not booted, as
        # in a container, a directory may come with the image, and nobody writes there.
        stored = os.path.exists("/run/systemd/journal/socket") and any(map(os.path.exists, _JOURNALS))
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
        self.since = time.time()
        self._files = {name: _size_of(name) for name in self._names}

    def watch(self, master: Master) -> None:
        """Know the processes of this master by their numbers."""
        self._seen |= {master.pid, *(child.pid for child in processes.children(master.pid))}

    def read(self, units: Sequence[str] = ()) -> Iterator[Entry]:
        """What was logged since; with `units`, also what other programs of these have written."""
        for name, (inode, size) in self._files.items():
            with contextlib.suppress(OSError), os.fdopen(open_regular(name), "rb") as handle:
                if os.fstat(handle.fileno()).st_ino == inode:
                    handle.seek(size)
                for line in handle.read(1 << 20).splitlines():
                    yield from _parsed(line)
        if self._journal:
            done = programs.run(
                ["journalctl", "-q", "--no-pager", "-o", "json", f"--output-fields={_FIELDS}",
                 "--since", f"@{int(self.since)}", "-n", "2000", "SYSLOG_FACILITY=2",
                 *(word for unit in units for word in ("+", f"_SYSTEMD_UNIT={unit}"))]
            )  # fmt: skip
            for text in done.output.splitlines():
                yield from self.entries(text)

    def entries(self, line: str | bytes) -> Iterator[Entry]:
        """A line of journalctl, where it is of after the mark."""
        with contextlib.suppress(ValueError, KeyError, TypeError):
            fields = json.loads(line)
            if int(fields["__REALTIME_TIMESTAMP"]) >= (self.since - 0.001) * 1e6:
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

    def unreadable(self) -> str:
        """Why nothing can be read here, as far as that is known, and what to do; empty where nothing is known."""
        become = "run the task as root (become: true)"
        for name in self._names:
            if os.path.exists(name) and not os.path.isfile(name):
                return (
                    f"Postfix logs to {name} (maillog_file), which cannot be read again: set maillog_file to a file, "
                    "such as /var/log/postfix.log"
                )
        if self._journal:
            stores = [glob(f"{each}/*/system.journal") for each in _JOURNALS]
            if not any(os.access(path, os.R_OK) for found in stores for path in found):
                return f"this user may not read the journal: {become}, or add the user to the group systemd-journal"
            return ""
        found = [name for name in self._names if os.path.exists(name)]
        if found and not any(os.access(name, os.R_OK) for name in found):
            return f"this user may not read {' or '.join(found)}: {become}"
        if not found and self._names == list(MAIL_LOGS) and not os.path.exists("/dev/log"):
            return (
                "Postfix logs nowhere: there is neither a journal nor a syslog daemon (no /dev/log). Set maillog_file "
                "to a file, such as /var/log/postfix.log, or install one"
            )
        return ""

    @property
    def place(self) -> str:
        """Where it is, in a sentence."""
        return "the journal" if self._journal else " or ".join(self._names)

    def follow(self, master: Master) -> Following:
        """What daemons of this master log from here on, as it comes; to be closed."""
        return _Journal(self, master) if self._journal else _Files(self, master, self._files)

    def of_master(self, entry: Entry, master: Master) -> bool:
        """Whether a daemon of this master wrote it, as far as can be known."""
        if not entry.proven:
            return not self._journal and entry.pid in self._seen
        return not (entry.unit and master.unit) or entry.unit == master.unit

    def _told(self, entries: Iterable[Entry]) -> list[str]:
        return list(dict.fromkeys(without_content(str(entry), self._secret) for entry in entries))

    def _is_of(self, entry: Entry, master: Master) -> bool:
        return entry.complains and self.of_master(entry, master)


class Following(Protocol):
    """A log that is being read as it grows."""

    def wait(self, until: float) -> list[Entry]:
        """What has been logged, as soon as there is something; nothing when it is later than `until` (monotonic)."""

    def close(self) -> None: ...


class _Journal:
    """By a journalctl(1) that is told to go on: it waits for the journal, and this waits for its pipe."""

    def __init__(self, mark: LogMark, master: Master) -> None:
        self._mark, self._master = mark, master
        self._rest = b""
        self._reader = subprocess.Popen(  # pylint: disable=ansible-bad-function
            ["journalctl", "-q", "-f", "--no-tail", "-o", "json", f"--output-fields={_FIELDS}",
             "--since", f"@{int(mark.since)}", "SYSLOG_FACILITY=2"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=programs.environment(), cwd="/",
        )  # fmt: skip

    def wait(self, until: float) -> list[Entry]:
        pipe = self._reader.stdout
        while pipe is not None:
            ready = select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]
            data = os.read(pipe.fileno(), 1 << 16) if ready else b""
            if not data:
                if ready:
                    raise LogError("journalctl, which reads it, has ended")
                return []
            lines = (self._rest + data).split(b"\n")
            self._rest = lines.pop()
            found = [entry for line in lines for entry in self._mark.entries(line)]
            found = [entry for entry in found if self._mark.of_master(entry, self._master)]
            if found:
                return found
        return []

    def close(self) -> None:
        self._reader.kill()
        self._reader.wait()
        if self._reader.stdout:
            self._reader.stdout.close()


class _Files:
    """By looking again: Python's library has nothing that waits for a file to grow. A file that was rotated is read on
    for as long as it grows, beside its successor: the syslog daemon writes to it until it is told."""

    INTERVAL = 0.1

    def __init__(self, mark: LogMark, master: Master, places: Mapping[str, tuple[int, int]]) -> None:
        self._mark, self._master = mark, master
        self._open: dict[tuple[str, int], IO[bytes]] = {}
        self._rest: dict[tuple[str, int], bytes] = {}
        self._places = dict(places)
        self._waits = select.poll()
        self._find_marked()

    def wait(self, until: float) -> list[Entry]:
        while True:
            lines = [line for key in self._present() for line in self._more(key)]
            # A daemon that logs something lives on for a while.
            if lines:
                self._mark.watch(self._master)
            found = [entry for line in lines for entry in _parsed(line)]
            found = [entry for entry in found if self._mark.of_master(entry, self._master)]
            left = until - time.monotonic()
            if found or left <= 0:
                return found
            self._waits.poll(min(self.INTERVAL, left) * 1000)

    def _present(self) -> list[tuple[str, int]]:
        """The files that are there, opened, those of before first."""
        for name in self._places:
            self._look_into(name, name)
        return list(self._open)

    def _look_into(self, name: str, path: str) -> None:
        with contextlib.suppress(OSError):
            handle = os.fdopen(open_regular(path), "rb", buffering=0)
            key = (name, os.fstat(handle.fileno()).st_ino)
            if key in self._open:
                handle.close()
                return
            self._open[key] = handle
            self._rest[key] = b""
            inode, size = self._places[name]
            if key[1] == inode:
                handle.seek(size)

    def _find_marked(self) -> None:
        """What was the log at the mark may have been rotated since then, under whatever name."""
        for name, (inode, _size) in self._places.items():
            with contextlib.suppress(OSError), os.scandir(os.path.dirname(name)) as found:
                for path in [each.path for each in found if inode and each.inode() == inode]:
                    self._look_into(name, path)

    def _more(self, key: tuple[str, int]) -> list[bytes]:
        handle = self._open[key]
        if os.fstat(handle.fileno()).st_size < handle.tell():
            handle.seek(0)  # copytruncate of logrotate(8)
        lines = (self._rest[key] + (handle.read(1 << 20) or b"")).split(b"\n")
        self._rest[key] = lines.pop()
        return lines

    def close(self) -> None:
        for handle in self._open.values():
            handle.close()


def _parsed(line: bytes) -> Iterator[Entry]:
    """A line of a file."""
    found = _LINE.search(line.decode("utf-8", "replace"))
    if found:
        yield Entry(found["name"], int(found["pid"]), found["text"], False)


def _size_of(name: str) -> tuple[int, int]:
    try:
        status = os.stat(name)
    except OSError:
        return (0, 0)
    return status.st_ino, status.st_size
