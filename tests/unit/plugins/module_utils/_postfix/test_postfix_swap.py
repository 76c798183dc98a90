"""Directories that change places, and what a kill between two steps leaves: swap.py."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change import swap
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.journal import Journal, Step


@pytest.fixture
def live(tmp_path: Path) -> Path:
    directory = tmp_path / "postfix"
    (directory / "sasl").mkdir(parents=True)
    (directory / "main.cf").write_text("old main\n")
    (directory / "master.cf").write_text("old master\n")
    (directory / "sasl" / "secret").write_text("s\n")
    (directory / "sasl" / "secret").chmod(0o600)
    (directory / "link").symlink_to("main.cf")
    return directory


def content(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): f"{path.lstat().st_mode:o} {path.read_text()}"
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def staged(live: Path) -> tuple[swap.Directory, list[Step]]:
    directory = swap.Directory(str(live))
    stage = directory.build_stage()
    steps = []
    for name, text in (("main.cf", "new main\n"), ("virtual", "new map\n")):
        target = os.path.join(directory.real, name)
        path = os.path.join(stage, name)
        swap.write_file(path, text.encode(), 0o644, (os.geteuid(), os.getegid()), None, False)
        steps.append(Step(name, target, swap.digest(target), swap.digest(path)))
    return directory, steps


def no_exchange(*_paths: str) -> None:
    raise OSError(errno.EXDEV, "not here")


def test_stage_is_a_whole_copy_and_leaves_the_live_files_alone(live: Path) -> None:
    before = content(live)
    directory = swap.Directory(str(live))
    stage = Path(directory.build_stage())
    assert content(stage) == before
    assert os.readlink(stage / "link") == "main.cf"
    swap.write_file(str(stage / "main.cf"), b"new\n", 0o600, (os.geteuid(), os.getegid()), None, True)
    assert content(live) == before
    directory.clear_stage()
    assert content(live) == before


@pytest.mark.parametrize("exchange", [True, False], ids=["exchange", "renames"])
def test_swap_and_undo(live: Path, exchange: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not exchange:
        monkeypatch.setattr(swap, "exchange", no_exchange)
    before = content(live)
    directory, steps = staged(live)
    journal = Journal(steps)
    directory.swap(journal)
    assert journal.kind == ("exchange" if exchange else "files")
    assert directory.read_journal() == journal
    assert (live / "main.cf").read_text() == "new main\n"
    assert (live / "virtual").read_text() == "new map\n"
    assert (live / "master.cf").read_text() == "old master\n"
    assert directory.undo(journal) == []
    assert directory.undo(journal) == []
    assert content(live) == before
    directory.close()
    assert os.listdir(live.parent) == ["postfix"]


@pytest.mark.parametrize("renames", range(4))
def test_undo_after_a_kill_between_two_renames(
    live: Path, renames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal is the first rename; the two files follow."""
    before = content(live)
    directory, steps = staged(live)
    monkeypatch.setattr(swap, "exchange", no_exchange)
    left = [renames]
    real = os.rename

    def rename(source: str, target: str) -> None:
        if str(target).endswith(".journal"):
            return real(source, target)
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", rename)
        try:
            directory.swap(Journal(steps))
        except KeyboardInterrupt:
            assert renames < 2
    journal = swap.Directory(str(live)).read_journal()
    assert journal is not None
    directory.undo(journal)
    directory.close()
    assert content(live) == before


def test_main_and_master_are_renamed_last(live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swap, "exchange", no_exchange)
    directory, steps = staged(live)
    path = os.path.join(directory.stage, "master.cf")
    swap.write_file(path, b"new master\n", 0o644, (os.geteuid(), os.getegid()), None, False)
    target = str(live / "master.cf")
    order: list[str] = []
    real = os.rename

    def rename(source: str, target: str) -> None:
        order.append(os.path.basename(target))
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)
    directory.swap(Journal([Step("master.cf", target, swap.digest(target), swap.digest(path)), *steps]))
    assert order[-3:] == ["virtual", "main.cf", "master.cf"]


@pytest.mark.parametrize("way", ["swap", "undo"])
def test_bridge_stands_in_for_main_while_files_are_renamed(
    live: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(live)
    monkeypatch.setattr(swap, "exchange", no_exchange)
    directory, steps = staged(live)
    seen: list[str] = []

    def look(_path: str) -> None:
        seen.append(f"{(live / 'main.cf').read_text()}{(live / 'virtual').exists()}")

    def watch() -> None:
        seen.clear()
        monkeypatch.setattr(swap, "fsync_path", look)

    if way == "swap":
        watch()
    journal = Journal(steps)
    directory.swap(journal, b"wait\n")
    bridged, old, new = "old main\nwait\n", "old main\n", "new main\n"
    if way == "undo":
        watch()
        directory.undo(journal)
        assert list(dict.fromkeys(seen)) == [f"{bridged}True", f"{bridged}False", f"{old}False"]
        assert content(live) == before
    else:
        steps_seen = [f"{old}False", f"{bridged}False", f"{bridged}True", f"{new}True"]
        assert list(dict.fromkeys(seen)) == steps_seen


def test_live_path_may_be_a_link(live: Path) -> None:
    link = live.parent / "elsewhere"
    link.symlink_to(live)
    directory = swap.Directory(str(link))
    assert (directory.real, directory.parent) == (str(live), str(live.parent))


def test_second_run_waits_and_gives_up(live: Path) -> None:
    one, other = swap.Directory(str(live)), swap.Directory(str(live))
    with one.locked(), pytest.raises(swap.SwapError, match="another run"), other.locked(0.2):
        pass
    with other.locked(0.2):
        pass


def test_foreign_change_shows_in_the_fingerprint(live: Path) -> None:
    directory = swap.Directory(str(live))
    before = directory.fingerprint()
    directory.build_stage()
    assert directory.fingerprint() == before
    (live / "main.cf").write_text("foreign main\n")
    assert directory.fingerprint() != before


def test_journal_that_is_no_journal_is_none(live: Path) -> None:
    directory = swap.Directory(str(live))
    assert directory.read_journal() is None
    Path(directory.journal).write_text("{")
    assert directory.read_journal() is None
    directory.write_journal(Journal(level="reload"))
    assert directory.read_journal() == Journal(level="reload")
    assert os.stat(directory.journal).st_mode & 0o777 == 0o600


def test_a_fifo_is_refused(live: Path) -> None:
    os.mkfifo(live / "pipe")
    with pytest.raises(swap.SwapError, match="pipe is not a file, directory or link"):
        swap.Directory(str(live)).build_stage()


def test_exchange_of_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError) as error:
        swap.exchange(str(tmp_path / "a"), str(tmp_path / "b"))
    assert error.value.errno == errno.ENOENT


def test_digest_tells_content_and_mode(tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert swap.digest(str(path)) is None
    path.write_text("a")
    path.chmod(0o644)
    first: Any = swap.digest(str(path))
    path.chmod(0o600)
    assert swap.digest(str(path)) != first
