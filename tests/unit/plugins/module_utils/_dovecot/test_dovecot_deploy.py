"""What is decided about a Dovecot before it is touched, and what is left when it does not answer."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._dovecot import deploy, host, settings
from ansible_collections.mailops.smtp.plugins.module_utils._dovecot.deploy import Failed, Request

HASH = "{SHA512-CRYPT}$6$abcdefgh$" + "x" * 86
SAID = "auth_mechanisms = plain\nauth_username_format = %Lu\npassdb {{\n  driver = pam\n}}\n{}"


class World:
    """A Dovecot whose answers a test sets, around real files."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = place / "dovecot"
        (self.directory / "conf.d").mkdir(parents=True)
        self.main = self.directory / "dovecot.conf"
        self.main.write_text("!include conf.d/*.conf\n")
        (place / "private").mkdir()
        self.socket = str(place / "private/auth")
        self.said = SAID.format("")
        self.runs, self.process, self.serves = True, 7, True
        self.done: list[str] = []
        self.retired: list[int | None] = []
        for name, function in {
            "installed": lambda: True,
            "version": lambda: settings.Version(2, 3),
            "main_file": lambda: str(self.main),
            "complaint": lambda path: "",
            "ask": self.ask,
            "ask_smtp": self.ask_smtp,
            "schemes": lambda: {"SHA512-CRYPT"},
            "internal_group": lambda path: "root",
            "running": lambda base: self.runs,
            "masked": lambda: False,
            "enabled": lambda: True,
            "answer": lambda path: host.Answer(self.process, ("PLAIN", "LOGIN")) if self.process else None,
            "wait_for": lambda path, former, seconds: (
                host.Answer(9, ("PLAIN", "LOGIN")) if self.serves else None
            ),
            "retire": lambda former: self.retired.append(former and former.process),
            "log": lambda since: ["auth: Fatal: no"],
            **{name: self.noted(name) for name in ("reload", "start", "stop", "enable")},
        }.items():
            monkeypatch.setattr(host, name, function)
        monkeypatch.setattr(os, "fchown", lambda *arguments: None)
        monkeypatch.setattr(deploy.pwd, "getpwnam", lambda name: None)
        monkeypatch.setattr(deploy.grp, "getgrnam", lambda name: os)
        monkeypatch.setattr(os, "gr_gid", os.getgid(), raising=False)

    def noted(self, name: str) -> Callable[[], None]:
        return lambda: self.done.append(name)

    def ask(self, path: str) -> settings.Section:
        """With the socket that a drop-in beside this dovecot.conf names."""
        own = Path(path).parent / settings.LAST
        return settings.parse(self.said + (own.read_text() if own.exists() else ""))

    def ask_smtp(self, path: str) -> list[settings.PassDb]:
        return [settings.PassDb("", "passwd-file", str(self.directory / settings.USERS))]

    def files(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.directory)): path.read_text()
            for path in self.directory.rglob("*")
            if path.is_file()
        }

    def deploy(self, check_mode: bool = False, **more: Any) -> deploy.Outcome:
        given = {"socket": self.socket, "users": {"joe": HASH}, **more}
        return deploy.deploy(Request(**given), check_mode)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_it_is_set_up_and_taken_away(world: World) -> None:
    before = world.files()
    looked = world.deploy(check_mode=True)
    assert (looked.changed, looked.activated, world.files(), world.done) == (True, "reload", before, [])
    assert HASH not in str(looked) and "abcdefgh" not in str(looked.diff)
    made = world.deploy()
    assert (made.activated, made.confirmed, made.mechanisms) == ("reload", True, ["PLAIN", "LOGIN"])
    assert (made.files, made.diff) == (looked.files, looked.diff)
    assert set(world.files()) == {"dovecot.conf", settings.LAST, settings.USERS}
    assert os.stat(world.directory / settings.USERS).st_mode & 0o777 == 0o640
    world.deploy(state="absent")
    assert world.files() == before
    assert world.done == ["reload", "reload"]
    # One that goes on for clients that it has would let in whom it did before.
    assert world.retired == [7, 7]


def test_another_password_needs_no_reload(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.deploy()
    path = world.directory / settings.USERS
    time = int(os.stat(path).st_mtime)
    # A file is dated by the second, and both have one size.
    monkeypatch.setattr(os, "fsync", lambda handle: os.utime(handle, (time, time)))
    world.done.clear()
    made = world.deploy(users={"joe": HASH.replace("x", "y")})
    assert (made.changed, made.activated, world.done) == (True, "none", [])
    assert int(os.stat(path).st_mtime) != time


def test_the_old_state_comes_back(world: World) -> None:
    world.deploy(users={"ann": HASH})
    before = world.files()
    world.serves = False
    with pytest.raises(Failed, match=r"nobody answers .* The old state is back") as refused:
        world.deploy(passwords="existing")
    assert refused.value.rolled_back and refused.value.log == ["auth: Fatal: no"]
    assert world.files() == before
    assert world.done[-2:] == ["reload", "reload"]


def test_one_that_was_started_is_stopped_again(world: World) -> None:
    world.runs, world.process, world.serves = False, 0, False
    with pytest.raises(Failed, match="The old state is back"):
        world.deploy()
    assert world.done == ["start", "stop"]
    assert list(world.files()) == ["dovecot.conf"]


@pytest.mark.parametrize(
    "said, given, reason",
    [
        ("protocols = imap pop3\n", {}, "would open imap and pop3 to everybody"),
        ("auth_username_format = %Ln\n", {"users": {"ann@example.com": HASH}}, "write ann"),
        ("auth_default_realm = example.com\n", {}, "write joe@example.com"),
        ("", {"users": {}}, "users is empty"),
        ("", {"users": {"Joe": HASH}}, "write joe"),
        ("", {"users": {"joe": "geheim-0815"}}, "may be the password itself"),
        ("", {"users": {"joe": "{BLF-CRYPT}$2y$05$" + "x" * 53}}, "does not know the scheme BLF-CRYPT"),
    ],
)
def test_what_cannot_be_is_refused(world: World, said: str, given: dict[str, Any], reason: str) -> None:
    world.runs, world.said = False, SAID.format(said)
    before = world.files()
    with pytest.raises(Failed, match="Nothing was changed") as refused:
        world.deploy(**given)
    assert reason in str(refused.value) and "geheim" not in str(refused.value)
    assert (world.files(), world.done) == (before, [])


def test_others_that_are_asked_first_are_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = world.ask_smtp("")
    monkeypatch.setattr(host, "ask_smtp", lambda path: [settings.PassDb("sql", "sql", ""), *ours])
    with pytest.raises(Failed, match="after sql, so others than they could submit"):
        world.deploy()
    assert world.deploy(passwords="existing").changed


def test_where_dovecot_is_not_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "installed", lambda: False)
    assert world.deploy() == deploy.Outcome(missing=["dovecot"])
    looked = world.deploy(check_mode=True)
    assert (looked.changed, looked.missing) == (True, ["dovecot"]) and looked.diff
    monkeypatch.setattr(deploy, "DOVECOT_DIRECTORIES", (str(world.directory),))
    (world.directory / settings.LAST).write_text("left over\n")
    world.runs, world.process = False, 0
    assert world.deploy(state="absent").changed
    assert (list(world.files()), world.done) == (["dovecot.conf"], [])
