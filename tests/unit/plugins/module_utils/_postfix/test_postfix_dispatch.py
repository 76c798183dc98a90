"""The mail log is followed as it grows and is rotated, and what cannot be followed is known before."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix import dispatch
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.dispatch import Dispatch
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import mail_log, programs
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host.mail_log import (
    Entry,
    LogError,
    LogMark,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host.master import Master
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host.processes import Process
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.trail import Trail

MASTER = Master(10, "postfix.service", None, None, None)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that Postfix logs to; its daemons have the numbers 11 and 12."""
    path = tmp_path / "postfix.log"
    path.write_text("Jan 1 h postfix/smtp[11]: before\n")
    children = [Process(11, "smtp", "S", 0), Process(12, "qmgr", "S", 0)]
    monkeypatch.setattr(mail_log.processes, "children", lambda _pid: children)
    return path


@pytest.fixture
def mark(log: Path) -> LogMark:
    made = LogMark({"maillog_file": str(log)})
    made.watch(MASTER)
    return made


def write(path: Path, *texts: str, pid: int = 11) -> None:
    with path.open("a") as stream:
        stream.writelines(f"Jan 1 h postfix/smtp[{pid}]: {text}\n" for text in texts)


def heard(following: mail_log.Following, seconds: float = 5.0) -> list[str]:
    return [entry.text for entry in following.wait(time.monotonic() + seconds)]


def test_a_file_is_followed_from_the_mark_on(log: Path, mark: LogMark) -> None:
    write(log, "one")
    following = mark.follow(MASTER)
    assert heard(following) == ["one"]
    write(log, "of a process of somebody else's", pid=99)
    assert heard(following, 0.3) == []
    threading.Timer(0.3, write, (log, "two", "three")).start()
    began = time.monotonic()
    assert heard(following, 30.0) == ["two", "three"] and time.monotonic() - began < 20.0
    with log.open("a") as stream:
        stream.write("Jan 1 h postfix/smtp[11]: half a li")
        stream.flush()
        assert heard(following, 0.2) == []
        stream.write("ne\n")
    assert heard(following) == ["half a line"]
    following.close()


def test_a_file_that_is_rotated_is_read_to_its_end_and_then_its_successor(log: Path, mark: LogMark) -> None:
    write(log, "one")
    log.rename(old := log.with_suffix(".1"))
    write(log, "three")
    following = mark.follow(MASTER)
    # The syslog daemon has not been told yet.
    write(old, "two")
    assert heard(following) == ["one", "two", "three"]
    write(log, "four")
    assert heard(following) == ["four"]
    # copytruncate of logrotate(8)
    log.write_text("")
    assert heard(following, 0.2) == []
    write(log, "five")
    assert heard(following) == ["five"]
    following.close()


def test_a_file_that_comes_later_is_followed(log: Path, tmp_path: Path) -> None:
    mark = LogMark({"maillog_file": str(tmp_path / "later")})
    following = mark.follow(MASTER)
    assert heard(following, 0.2) == []
    write(tmp_path / "later", "one")
    assert heard(following) == ["one"]
    following.close()


def test_a_pipe_is_no_log_and_nobody_waits_for_it(tmp_path: Path) -> None:
    pipe = tmp_path / "stdout"
    os.mkfifo(pipe)
    mark = LogMark({"maillog_file": str(pipe)})
    done = threading.Event()
    threading.Thread(target=lambda: (list(mark.read()), done.set()), daemon=True).start()
    assert done.wait(5)
    assert "cannot be read again: set maillog_file" in mark.unreadable()


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A journalctl that prints what is written into a file, as it comes."""
    source = tmp_path / "entries"
    source.write_text("")
    program = tmp_path / "bin" / "journalctl"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nexec tail -n +1 -f {source}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    there = {"/run/systemd/journal/socket", "/run/log/journal"}
    exists = os.path.exists
    monkeypatch.setattr(mail_log.os.path, "exists", lambda path: path in there or exists(path))
    yield source


def entry(text: str, **fields: Any) -> str:
    known = {
        "MESSAGE": text, "SYSLOG_IDENTIFIER": "postfix/smtp", "_PID": "11", "_UID": "0", "_COMM": "smtp",
        "_SYSTEMD_UNIT": "postfix.service", "__REALTIME_TIMESTAMP": str(int((time.time() + 9) * 1e6)),
    }  # fmt: skip
    return json.dumps({**known, **fields}) + "\n"


def test_a_journal_is_followed_and_who_wrote_it_counts(journal: Path) -> None:
    mark = LogMark({})
    following = mark.follow(MASTER)
    lies = [
        entry("another user's", _UID="65534"), entry("another program's", _COMM="logger"),
        entry("another master's", _SYSTEMD_UNIT="postfix@other.service"), entry("old", __REALTIME_TIMESTAMP="1"), "{\n",
    ]  # fmt: skip
    threading.Timer(0.2, journal.write_text, ("".join(lies) + entry("true"),)).start()
    assert heard(following) == ["true"]
    following.close()


def test_a_journalctl_that_ends_is_told(journal: Path, tmp_path: Path) -> None:
    (tmp_path / "bin" / "journalctl").write_text("#!/bin/sh\nexit 1\n")
    following = LogMark({}).follow(MASTER)
    with pytest.raises(LogError):
        heard(following)
    following.close()


class Following:
    """What is logged, each batch after so many seconds of a clock of its own."""

    def __init__(self, *batches: tuple[float, str]) -> None:
        self.now = 0.0
        self.batches = list(batches)

    def wait(self, until: float) -> list[Entry]:
        if self.batches and self.batches[0][0] <= until:
            when, text = self.batches.pop(0)
            self.now = max(self.now, when)
            lines = [line.split(" ", 1) for line in text.splitlines()]
            return [Entry(f"postfix/{name}", 11, line, True) for name, line in lines]
        self.now = max(self.now, until)
        return []

    def close(self) -> None:
        self.now += 0.0


QUEUED = "cleanup ABCDEF1: message-id=<x@y>\nqmgr ABCDEF1: from=<a@b>, size=9, nrcpt=1 (queue active)"
TRY = "smtp ABCDEF1: to=<t@u>, relay=r[1.2.3.4]:25, delay=1, delays=0/0/0/1, dsn=4.7.1, status={} (words)"
ACTIVE = "qmgr ABCDEF1: from=<a@b>, size=9, nrcpt=1 (queue active)"
NOISE = "smtp 9999999: to=<t@u>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (x)"
CASES = {
    "removed is the end": (60, [(1, QUEUED), (2, TRY.format("sent")), (2.1, "qmgr ABCDEF1: removed")], 2.1, "sent"),
    "deferred, and the next attempt too late": (60, [(1, QUEUED), (2, TRY.format("deferred"))], 2.5, "deferred"),
    "others go on meanwhile": (
        60, [(1, QUEUED), (2, TRY.format("deferred")), *[(2 + n / 10, NOISE) for n in range(1, 50)]], 2.5, "deferred",
    ),
    "deferred, and sent at the next attempt": (
        900, [(1, QUEUED), (2, TRY.format("deferred")), (400, ACTIVE), (401, TRY.format("sent")),
              (401.1, "qmgr ABCDEF1: removed")], 401.1, "sent",
    ),
    "deferred twice, and no third attempt in time": (
        700, [(1, QUEUED), (2, TRY.format("deferred")), (400, ACTIVE), (401, TRY.format("deferred"))], 401.5,
        "deferred",
    ),
    "nothing more is heard": (60, [(1, QUEUED)], 60, "queued"),
    "bounced at last": (
        60, [(1, QUEUED), (50, TRY.format("bounced")), (50.1, "qmgr ABCDEF1: removed")], 50.1, "bounced",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_is_followed_for_as_long_as_that_may_decide(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    timeout, batches, ends, state = CASES[name]
    following = Following(*batches)
    monkeypatch.setattr(dispatch.time, "monotonic", lambda: following.now)
    monkeypatch.setattr(programs, "find_program", lambda _name: None)
    here = Dispatch("/nonexistent")
    here.master = MASTER
    here.values = {"minimal_backoff_time": "300s"}
    monkeypatch.setattr(here.log, "follow", lambda _master: following)
    trail = Trail("x@y")
    here.follow(trail, timeout)
    assert (trail.state, following.now) == (state, pytest.approx(ends))
    if trail.confirmed:
        following = Following(*batches)
        early = Trail("x@y")
        here.follow(early, timeout, decided=False)
        assert early.confirmed and following.now == 1


def queue(monkeypatch: pytest.MonkeyPatch, *messages: dict[str, Any]) -> Dispatch:
    lines = "".join(json.dumps(message) + "\n" for message in messages) + "nonsense\n[]\n"
    monkeypatch.setattr(programs, "find_program", lambda name: name)
    monkeypatch.setattr(programs, "run", lambda *_command, **_more: programs.Ran(0, lines, ""))
    return Dispatch("/nonexistent")


def waiting(queue_id: str, address: str, arrival: int = 100, name: str = "deferred") -> dict[str, Any]:
    reasons = [{"address": address, "delay_reason": "451 no"}]
    return {"queue_id": queue_id, "queue_name": name, "arrival_time": arrival, "recipients": reasons}


def test_the_queue_has_it_by_its_id_or_by_what_only_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    here = queue(
        monkeypatch, waiting("A", "a@b"), waiting("B", "a@b", 50), waiting("C", "c@d"), waiting("D", "c@d")
    )
    found = here.waiting(["B"], ["a@b"], 100)
    assert found is not None and (found.queue, found.queue_id, found.reasons) == (
        "deferred",
        "B",
        {"a@b": "451 no"},
    )
    found = here.waiting([], ["a@b"], 99.5)
    assert found is not None and found.queue_id == "A"
    assert here.waiting([], ["c@d"], 99.5) is None
    assert here.waiting([], ["e@f"], 99.5) is None
    assert here.waiting(["X"], ["a@b"], 99.5) is None
