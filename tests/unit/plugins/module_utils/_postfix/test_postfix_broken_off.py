"""A change that is broken off at any call between the swap and the confirmation: old or new, whole, and told.

Postfix is a stand-in here; tests/integration/postfix/crash does the same to a real one.
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
from typing import Any, Callable, Iterator

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change import swap, transaction
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.outcome import DeployError
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.request import FileWish, Request
from test_postfix_run import StandIn, beside, live, postfix

__all__ = ("live", "postfix")

OLD_MAIN, NEW_MAIN = "biff = no\n", "biff = yes\n"


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power is lost here."""
    monkeypatch.setattr(os, "fsync", lambda _handle: None)


@pytest.fixture(autouse=True)
def heard_signals() -> Iterator[None]:
    """Nobody has turned SIGHUP off, as nohup(1) does: what is ignored stays so."""
    before = signal.signal(signal.SIGHUP, signal.default_int_handler)
    yield
    signal.signal(signal.SIGHUP, before)


def failing(number: int) -> OSError:
    return OSError(number, os.strerror(number), "/somewhere")


def told_to_end(number: int) -> BaseException | None:
    os.kill(os.getpid(), number)
    return None


ENDS: list[Callable[[], BaseException | None]] = [
    lambda: failing(errno.ENOSPC),
    lambda: failing(errno.EIO),
    lambda: failing(errno.EMFILE),
    lambda: failing(errno.EROFS),
    lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    MemoryError,
    KeyboardInterrupt,
    lambda: RuntimeError("can't start new thread"),
    lambda: told_to_end(signal.SIGTERM),
    lambda: told_to_end(signal.SIGHUP),
]


class Breaker:
    """Raises at one of the calls that a change makes while it is live and not confirmed."""

    def __init__(self, at: int, what: Callable[[], BaseException | None]) -> None:
        self.at, self.what, self.count = at, what, 0

    def __call__(self, frame: Any, event: str, _argument: Any) -> None:
        if event not in ("call", "c_call") or "module_utils/_postfix" not in frame.f_code.co_filename:
            return
        self.count += 1
        if self.count == self.at:
            sys.setprofile(None)
            end = self.what()
            if end:
                raise end


def change(monkeypatch: pytest.MonkeyPatch, directory: Path, breaker: Breaker) -> str:
    """Make the change under the breaker. What was said of it; empty where it was made."""
    swapping, confirming = swap.Directory.swap, swap.Directory.confirm

    def begin(*arguments: Any) -> None:
        sys.setprofile(breaker)
        swapping(*arguments)

    def end(*arguments: Any) -> None:
        confirming(*arguments)
        sys.setprofile(None)

    with monkeypatch.context() as patched:
        patched.setattr(swap.Directory, "swap", begin)
        patched.setattr(swap.Directory, "confirm", end)
        files = [FileWish("virtual", "a@example.com b\n"), FileWish("gone", absent=True)]
        request = Request(str(directory), files=files, parameters={"biff": True})
        try:
            transaction.deploy(request)
        except DeployError as error:
            return str(error)
        finally:
            sys.setprofile(None)
    return ""


def state_of(directory: Path) -> str:
    content = {path.name: path.read_text() for path in directory.iterdir() if path.name != "master.cf"}
    states = {
        "old": {"main.cf": OLD_MAIN, "gone": "x y\n"},
        "new": {"main.cf": NEW_MAIN, "virtual": "a@example.com b\n"},
    }
    return next((word for word, known in states.items() if known == content), str(content))


def no_exchange(*_paths: str) -> None:
    raise OSError(errno.EXDEV, "not here")


@pytest.mark.parametrize("kind", ["exchange", "files"])
@pytest.mark.parametrize("end", range(len(ENDS)))
def test_whatever_is_raised_the_host_is_old_or_new_and_told(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch, kind: str, end: int
) -> None:
    if kind == "files":
        monkeypatch.setattr(swap, "exchange", no_exchange)

    def prepare() -> None:
        for path in live.iterdir():
            if path.name != "master.cf":
                path.unlink()
        (live / "main.cf").write_text(OLD_MAIN)
        (live / "gone").write_text("x y\n")
        postfix.up = True

    prepare()
    breaker = Breaker(0, ENDS[end])
    assert (change(monkeypatch, live, breaker), state_of(live)) == ("", "new")
    points = breaker.count
    assert points > 40
    seen = set()
    # Each of the ten ends at every twentieth call, so that every second call is broken off in one way.
    for at in range(1 + end, points + 1, 2 * len(ENDS)):
        prepare()
        said = change(monkeypatch, live, Breaker(at, ENDS[end]))
        state = state_of(live)
        seen.add(state)
        assert state == ("old" if said else "new"), (at, said)
        assert postfix.up
        assert beside(live) == ["postfix"], at
        if said:
            assert "the previous one was restored and is running" in said or (
                "nothing was changed" in said
            ), said
        assert (change(monkeypatch, live, Breaker(0, ENDS[end])), state_of(live)) == ("", "new")
    assert "old" in seen


@pytest.mark.parametrize("kind", ["exchange", "files"])
def test_the_way_back_needs_no_room_on_the_disk(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    if kind == "files":
        monkeypatch.setattr(swap, "exchange", no_exchange)
    (live / "gone").write_text("x y\n")
    real_open, real_mkdir = os.open, os.mkdir
    full = [False]

    def full_disk(path: Any, flags: int, *more: Any, **others: Any) -> int:
        if full[0] and flags & os.O_CREAT and str(path).startswith(str(live.parent)):
            raise failing(errno.ENOSPC)
        return real_open(path, flags, *more, **others)

    def full_of_inodes(path: Any, *more: Any, **others: Any) -> None:
        if full[0]:
            raise failing(errno.ENOSPC)
        real_mkdir(path, *more, **others)

    def fill(level: str, *_more: Any) -> None:
        full[0] = True
        postfix.did.append(level)

    monkeypatch.setattr(os, "open", full_disk)
    monkeypatch.setattr(os, "mkdir", full_of_inodes)
    monkeypatch.setattr(postfix, "activate", fill)
    postfix.sick_with = NEW_MAIN
    request = Request(
        str(live), files=[FileWish("gone", absent=True), FileWish("new", "z z\n")], parameters={"biff": True}
    )
    with pytest.raises(DeployError, match="restored and is running"):
        transaction.deploy(request)
    assert state_of(live) == "old"
    assert beside(live) == ["postfix"]


def killed(live: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Leave what a run leaves that is killed before Postfix was told."""

    def die(_run: Any, error: BaseException) -> None:
        raise error

    def kill(*_arguments: Any) -> None:
        raise SystemExit("killed")

    with monkeypatch.context() as patched:
        if kind == "files":
            patched.setattr(swap, "exchange", no_exchange)
        patched.setattr(transaction._Run, "bring_back", die)
        patched.setattr(StandIn, "activate", kill)
        files = [FileWish("virtual", "a@example.com b\n"), FileWish("gone", absent=True)]
        with pytest.raises(SystemExit):
            transaction.deploy(Request(str(live), files=files, parameters={"biff": True}))
    assert (live / "main.cf").read_text() == NEW_MAIN


@pytest.mark.parametrize("kind", ["exchange", "files"])
def test_recovery_keeps_what_an_administrator_did_since(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    (live / "gone").write_text("x y\n")
    (live / "aliases").write_text("root joe\n")
    (live / "relocated").write_text("a b\n")
    (live / "sub").mkdir()
    killed(live, monkeypatch, kind)
    # By rename, as editors do, and in place; of a file of the change, of another one, and new ones.
    (live / "aliases.tmp").write_text("root jane\n")
    os.rename(live / "aliases.tmp", live / "aliases")
    (live / "virtual").write_text("a@example.com c\n")
    (live / "main.cf").write_text("biff = yes\nmailbox_size_limit = 0\n")
    (live / "extra").mkdir()
    (live / "extra" / "map").write_text("k v\n")
    (live / "sub" / "own").symlink_to("../aliases")
    (live / "relocated").unlink()
    outcome = transaction.deploy(Request(str(live), parameters={"mail_name": "x"}))
    assert outcome.recovered
    assert (live / "main.cf").read_text() == OLD_MAIN + "mail_name = x\n"
    assert (live / "aliases").read_text() == "root jane\n"
    assert (live / "extra" / "map").read_text() == "k v\n"
    assert os.readlink(live / "sub" / "own") == "../aliases"
    assert not (live / "relocated").exists()
    kept = {path.name.split(".edited-")[0]: path.read_text() for path in live.glob("*.edited-*")}
    assert kept == {"main.cf": "biff = yes\nmailbox_size_limit = 0\n", "virtual": "a@example.com c\n"}
    assert not (live / "virtual").exists()
    said = "\n".join(outcome.warnings)
    for name in ("main.cf", "virtual"):
        assert f"{name} was changed by somebody else since, and is kept as {name}.edited-" in said
    if kind == "exchange":
        assert "aliases was changed by somebody else since, and stays" in said
        assert "relocated was removed by somebody else since, and stays so" in said
    assert beside(live) == ["postfix"]
    assert not list(live.glob("*.mailops-*"))


@pytest.mark.parametrize("kind", ["exchange", "files"])
def test_a_journal_of_an_older_release_is_taken_back(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    (live / "gone").write_text("x y\n")
    killed(live, monkeypatch, kind)
    path = live.parent / ".postfix.journal"
    written = json.loads(path.read_text())
    steps = [
        {name: step[name] for name in ("path", "target", "before", "after")} for step in written["steps"]
    ]
    old = {"steps": steps, "level": "reload", "running": True, "state": "swapped", "kind": kind}
    if kind == "files":
        undo = live.parent / ".postfix.stage/.undo"
        undo.mkdir(mode=0o700)
        for number, (step, now) in enumerate(zip(steps, written["steps"])):
            step["staged"], step["kept"] = f"{live.parent}/.postfix.stage/{step['path']}", None
            if now["kept"]:
                step["kept"] = str(undo / str(number))
                os.rename(now["kept"], step["kept"])
        bridge = undo / "bridge"
        bridge.write_text(OLD_MAIN + "soft_bounce = yes\n")
        old["bridge"] = str(bridge)
    path.write_text(json.dumps(old))
    outcome = transaction.deploy(Request(str(live), parameters={"mail_name": "x"}))
    assert outcome.recovered and outcome.warnings == []
    assert (live / "main.cf").read_text() == OLD_MAIN + "mail_name = x\n"
    assert (live / "gone").exists() and not (live / "virtual").exists()
    assert beside(live) == ["postfix"]


def test_what_a_killed_check_run_left_is_cleared(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(swap, "PRIVATE", str(tmp_path / "private"))
    directory = swap.Directory(str(live))
    dead, alive = Path(directory.private("check-999999999")), Path(directory.private(f"check-{os.getppid()}"))
    for path in (dead, alive):
        path.mkdir()
        (path / "sasl_passwd").write_text("secret\n")
    transaction.deploy(Request(str(live), parameters={"biff": True}))
    assert not dead.exists() and alive.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a place where nobody else can go")
def test_the_lock_and_copies_are_where_only_root_can_go(
    live: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    private = tmp_path / "private"
    monkeypatch.setattr(swap, "PRIVATE", str(private))
    directory = swap.Directory(str(live))
    with directory.locked(), directory.private_stage() as stage:
        assert {path.name.rpartition(".")[2] for path in private.iterdir()} == {
            "lock",
            f"check-{os.getpid()}",
        }
        assert os.path.dirname(os.path.dirname(stage)) == str(private)
        assert private.stat().st_mode & 0o777 == 0o700
    assert list(private.iterdir()) == []
    # What somebody else made there is not trusted.
    private.chmod(0o777)
    assert directory.private("lock") == str(live.parent / ".postfix.lock")


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("name", ["sasl_passwd", "main.cf", "old"])
def test_a_fifo_in_the_place_of_a_file_is_refused_and_blocks_nobody(
    live: Path, postfix: StandIn, name: str, check_mode: bool
) -> None:
    (live / name).unlink(missing_ok=True)
    os.mkfifo(live / name)
    request = Request(str(live), files=[FileWish("sasl_passwd", "[r]:587 a:b\n")], parameters={"biff": True})
    with pytest.raises(DeployError, match=r"not a (regular )?file|is a FIFO"):
        transaction.deploy(request, check_mode)
    assert [path.name for path in live.iterdir() if path.is_fifo()] == [name]


@pytest.mark.parametrize(
    ("touched", "again", "ran", "problems", "ended"),
    [
        (True, True, True, [], "the previous one was restored and is running"),
        (True, True, False, [], "the previous one was restored, and Postfix is stopped, as it was before"),
        (True, False, True, [], "the previous one was restored"),
        (False, False, True, [], "nothing was changed"),
        (False, True, True, [], "nothing was changed, and Postfix is running"),
        (
            True,
            True,
            True,
            ["x", "y"],
            "the previous files were restored, but Postfix does not come up with them either (x; y)",
        ),
        (False, True, True, ["x"], "no file was changed, but Postfix does not come up with them either (x)"),
    ],
)
def test_where_a_change_ended_is_said(
    touched: bool, again: bool, ran: bool, problems: list[str], ended: str
) -> None:
    assert transaction.where_it_ended(touched, again, ran, problems) == ended


def test_a_restart_that_is_broken_off_brings_postfix_back(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are as asked already; Postfix was stopped when something odd happened."""
    (live / "main.cf").write_text(NEW_MAIN)
    real, broken = postfix.activate, [True]

    def activate(level: str, *more: Any) -> None:
        real(level, *more)
        if broken.pop():
            postfix.up = False
            broken.append(False)
            raise RuntimeError("can't start new thread")
        broken.append(False)

    monkeypatch.setattr(postfix, "activate", activate)
    monkeypatch.setattr(transaction._State, "level", lambda _self, _changed: "restart")
    with pytest.raises(DeployError, match="nothing was changed, and Postfix is running") as error:
        transaction.deploy(Request(str(live), parameters={"biff": True}))
    assert "can't start new thread" in str(error.value)
    assert (postfix.did, postfix.up, state_of(live)) == (
        ["restart", "start"],
        True,
        str({"main.cf": NEW_MAIN}),
    )


def test_an_edit_of_a_file_that_was_not_yet_replaced_stays_in_place(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed when all lay ready, before the first rename."""

    def die(_run: Any, error: BaseException) -> None:
        raise error

    def kill(*_arguments: Any) -> None:
        raise SystemExit("killed")

    with monkeypatch.context() as patched:
        patched.setattr(swap, "exchange", no_exchange)
        patched.setattr(transaction._Run, "bring_back", die)
        patched.setattr(swap.Directory, "_rename_all", kill)
        with pytest.raises(SystemExit):
            transaction.deploy(Request(str(live), parameters={"biff": True}))
    (live / "edited").write_text("biff = no\nmail_name = x\n")
    os.rename(live / "edited", live / "main.cf")
    outcome = transaction.deploy(Request(str(live), parameters={"biff": True}))
    assert outcome.recovered and outcome.warnings == []
    assert (live / "main.cf").read_text() == "biff = yes\nmail_name = x\n"
    assert sorted(path.name for path in live.iterdir()) == ["main.cf", "master.cf"]


def test_a_change_that_cannot_be_taken_back_is_told_by_each_run(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    postfix.sick_with = NEW_MAIN

    def fail(*_arguments: Any) -> list[str]:
        raise failing(errno.EIO)

    with monkeypatch.context() as patched:
        patched.setattr(swap.Directory, "undo", fail)
        with pytest.raises(DeployError, match="could not be taken back"):
            transaction.deploy(Request(str(live), parameters={"biff": True}))
        with pytest.raises(
            DeployError, match="An earlier run was interrupted, and its change cannot be taken back"
        ):
            transaction.deploy(Request(str(live), parameters={"biff": True}))
    assert transaction.deploy(Request(str(live), parameters={"mail_name": "x"})).recovered
    assert (live / "main.cf").read_text() == OLD_MAIN + "mail_name = x\n"
