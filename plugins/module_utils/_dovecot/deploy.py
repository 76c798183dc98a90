"""Brings Dovecot to offer logins to Postfix, or to do so no longer; tried in a copy first, and taken back if it fails.

The rules of this file: the distribution's files are read and never written. The users' file leaves no copy, and its
content is in no diff and no message.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import stat
import tempfile
import time
from dataclasses import dataclass, field
from typing import Any, Mapping, NamedTuple

from .._postfix.host.distributions import DOVECOT_DIRECTORIES
from . import host, settings, users
from .host import DovecotError

HIDDEN = "(logins and hashes of passwords: not shown)\n"
_UNCHANGED = "Nothing was changed: "


@dataclass
class Request:
    """What dovecot_auth was asked for."""

    state: str = "present"
    socket: str = "/var/spool/postfix/private/auth"
    owner: str = "postfix"
    passwords: str = "users"
    users: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 10.0


@dataclass
class Outcome:
    """What was done; the keys of the module's return value."""

    changed: bool = False
    version: str = ""
    files: list[dict[str, str]] = field(default_factory=list)
    diff: list[dict[str, str]] = field(default_factory=list)
    activated: str = "none"
    confirmed: bool = False
    mechanisms: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


class Failed(Exception):
    """Nothing was changed, or all is back as it was."""

    def __init__(self, message: str, rolled_back: bool = False, log: list[str] | None = None) -> None:
        super().__init__(message)
        self.rolled_back = rolled_back
        self.log = log or []


class File(NamedTuple):
    """A file as it is, or as it is to be; content None is no file."""

    content: bytes | None
    mode: int = 0
    group: int = 0


class Change(NamedTuple):
    path: str
    before: File
    after: File
    secret: bool

    @property
    def action(self) -> str:
        if self.before.content is None:
            return "created"
        if self.after.content is None:
            return "removed"
        return "modified" if self.before.content != self.after.content else "mode"

    def diff(self) -> dict[str, str]:
        def shown(each: File) -> str:
            if each.content is None:
                return ""
            return HIDDEN if self.secret else each.content.decode("utf-8", "backslashreplace")

        before, after = shown(self.before), shown(self.after)
        if self.action == "mode":
            before, after = (
                f"mode {each.mode:04o}, group {each.group}\n" for each in (self.before, self.after)
            )
        elif self.secret and self.action == "modified":
            after = HIDDEN.replace("not shown", "not shown, and changed")
        return {
            "before_header": self.path + (" (absent)" if self.before.content is None else ""),
            "after_header": self.path + (" (absent)" if self.after.content is None else ""),
            "before": before,
            "after": after,
        }


def deploy(request: Request, check_mode: bool = False) -> Outcome:
    """Bring this host's Dovecot to the request, or predict it. Raises Failed."""
    try:
        if request.state == "absent":
            return _take_away(request, check_mode)
        return _set_up(request, check_mode)
    except DovecotError as error:
        raise Failed(f"{_UNCHANGED}{error}") from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise Failed(
            f"{_UNCHANGED}{where}{error.strerror}. Changing Dovecot needs root: set become: true"
        ) from None


# ---------------------------------------------------------------------------------------------------- the plan


def _set_up(request: Request, check_mode: bool) -> Outcome:
    outcome = Outcome(missing=_missing(request))
    if outcome.missing:
        if check_mode:
            outcome.changed = True
            text = f"{settings.HEAD}# Its content depends on the version that is installed.\n"
            outcome.diff = [
                Change(
                    os.path.join(DOVECOT_DIRECTORIES[0], settings.LAST),
                    File(None),
                    File(text.encode()),
                    False,
                ).diff()
            ]
        return outcome
    release, main = host.version(), host.main_file()
    directory = os.path.dirname(main)
    with _own(main) as own:
        flaw = host.complaint(own)
        if flaw:
            raise DovecotError(
                f"Dovecot does not take the configuration that this host has, whatever is added to it: {flaw}. Correct "
                "that (doveconf -n shows it as well), and run again"
            )
        said = host.ask(own)
    _judge_users(request, said)
    wanted = _wanted(request, release, said, directory)
    changes = _changes(main, wanted)
    with host.copy_of(main, {name: wanted.get(name) for name in settings.DROP_INS}) as copy:
        _judge_copy(request, copy, main)
    outcome.version = release.text
    base = said.values.get("base_dir") or "/run/dovecot"
    served = settings.protocols(said)
    if served and not host.running(base):
        raise DovecotError(
            f"Dovecot does not run, and starting it for logins would open {' and '.join(served)} to everybody; if that "
            f"is wanted, start it, if not, set protocols in {main} to nothing"
        )
    return _act(request, outcome, changes, base, check_mode)


def _missing(request: Request) -> list[str]:
    found = [] if host.installed() else ["dovecot"]
    try:
        pwd.getpwnam(request.owner)
    except KeyError:
        return ["postfix", *found]
    if not found and not os.path.isdir(os.path.dirname(request.socket)):
        raise DovecotError(
            f"{os.path.dirname(request.socket)}, where Dovecot's socket for Postfix is to be, does not exist; start "
            "Postfix with that queue directory once, which makes it"
        )
    return found


def _own(main: str) -> Any:
    """The path of a dovecot.conf that has the host's own settings alone."""
    directory = os.path.dirname(main)
    if any(os.path.lexists(os.path.join(directory, name)) for name in settings.DROP_INS):
        return host.copy_of(main, dict.fromkeys(settings.DROP_INS))
    return contextlib.nullcontext(main)


def _judge_users(request: Request, said: settings.Section) -> None:
    """Refuse logins and hashes that this Dovecot would not find. Raises DovecotError."""
    flaws = [
        f"users: {login!r} {flaw}" for login in request.users for flaw in [users.login_flaw(login)] if flaw
    ]
    flaws += [
        f"users: what is given for {login} {flaw}"
        for login, value in request.users.items()
        for flaw in [users.hash_flaw(value)]
        if flaw
    ]
    how = said.values.get("auth_username_format", "")
    realm = said.values.get("auth_default_realm") or said.values.get("auth_default_domain")
    for login in request.users:
        if "@" in login and settings.strips_domain(how):
            flaws.append(
                f"users: {login} is never found, for Dovecot here looks logins up without their domain "
                f"(auth_username_format = {how}); write {login.partition('@')[0]}"
            )
        elif "@" not in login and realm:
            flaws.append(
                f"users: {login} is never found, for Dovecot here adds a domain to logins that have none "
                f"({realm}); write {login}@{realm}"
            )
    unknown = users.schemes(request.users) - host.schemes() if request.users and not flaws else set()
    flaws += [
        f"users: Dovecot on this host does not know the scheme {name}; use SHA512-CRYPT" for name in unknown
    ]
    if request.passwords == "users" and not request.users:
        flaws.append(
            "users is empty, so nobody could log in; name users, or set passwords to pam or existing"
        )
    if flaws:
        raise DovecotError("\n".join(flaws))


def _wanted(
    request: Request, release: settings.Version, said: settings.Section, directory: str
) -> dict[str, str]:
    """The files, by their path below the directory of dovecot.conf."""
    offered = settings.mechanisms(said)
    there = [each for each in settings.listeners(said) if each.path == request.socket]
    asked = [each.driver for each in settings.passdbs(said)]
    if request.passwords == "existing" and not asked and not request.users:
        raise DovecotError(
            "this Dovecot has no passdb, so nobody could log in; set passwords to users or pam "
            "(postfix_submission_dovecot of the role)"
        )
    wish = settings.Wish(
        mechanisms=tuple(name for name in settings.MECHANISMS if name not in offered),
        # One of another name with this path would be there twice.
        socket=""
        if any(each.name != each.path or each.serves(request.owner) for each in there)
        else request.socket,
        owner=request.owner,
        users=os.path.join(directory, settings.USERS) if request.users else "",
        alone=request.passwords == "users",
        pam=request.passwords == "pam" and "pam" not in asked,
    )
    found = settings.drop_ins(release, wish)
    if request.users:
        found[settings.USERS] = users.passwd_file(request.users)
    return found


def _changes(main: str, wanted: Mapping[str, str]) -> list[Change]:
    """What differs from the files on disk, the users' file first: it is there when it is named."""
    directory = os.path.dirname(main)
    group = _group(main)
    found = []
    for name in (settings.USERS, *settings.DROP_INS):
        path, secret = os.path.join(directory, name), name == settings.USERS
        before, after = _file(path), File(None)
        if name in wanted:
            after = File(wanted[name].encode(), 0o640 if secret else 0o644, group if secret else 0)
        if before != after:
            found.append(Change(path, before, after, secret))
    if found and found[0].secret and found[0].after.content is None:
        # It goes when nothing names it any more.
        found.append(found.pop(0))
    return found


def _file(path: str) -> File:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return File(None)
    if not stat.S_ISREG(status.st_mode):
        raise DovecotError(f"{path} is not a regular file; move it away, and run again")
    with open(path, "rb") as handle:
        # Whoever is not root and owns it could change it.
        return File(handle.read(), stat.S_IMODE(status.st_mode) if status.st_uid == 0 else -1, status.st_gid)


def _group(main: str) -> int:
    """The group of the process that reads the users' file."""
    name = host.internal_group(main)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise DovecotError(
            f"the group {name!r}, which Dovecot runs as (default_internal_group), does not exist"
        ) from None


def _judge_copy(request: Request, copy: str, main: str) -> None:
    """Refuse what Dovecot would not take, or would take for something else. Raises DovecotError."""
    flaw = host.complaint(copy)
    if flaw:
        raise DovecotError(f"Dovecot does not take the configuration with logins for Postfix: {flaw}")
    there = [each for each in settings.listeners(host.ask(copy)) if each.path == request.socket]
    if not there:
        raise DovecotError(
            f"{main} does not include {settings.LAST}, so that what is written there would not be in force; add the "
            f"line !include_try {settings.LAST} at its end, or make the socket {request.socket} in its service auth "
            "yourself"
        )
    if request.users:
        asked = host.ask_smtp(copy)
        ours = os.path.join(os.path.dirname(main), settings.USERS)
        place = next((n for n, each in enumerate(asked) if each.file == ours), None)
        if place is None or (place and request.passwords == "users"):
            before = "" if place is None else f" after {asked[0].name or asked[0].driver}"
            raise DovecotError(
                f"Dovecot would look the users up{before}, so others than they could submit mail, because {main} has a "
                "passdb before its !include of conf.d; set passwords to existing (postfix_submission_dovecot of the "
                "role) if those may submit as well, or move it to a file of conf.d"
            )


def _take_away(request: Request, check_mode: bool) -> Outcome:
    outcome, base = Outcome(), "/run/dovecot"
    changes: list[Change] = []
    if host.installed():
        main = host.main_file()
        with _own(main) as own:
            flaw = host.complaint(own)
            if flaw:
                raise DovecotError(
                    f"without the logins for Postfix, Dovecot does not take its configuration: {flaw}"
                )
            base = host.ask(own).values.get("base_dir") or base
        changes = _changes(main, {})
    else:
        for directory in DOVECOT_DIRECTORIES:
            for name in (*settings.DROP_INS, settings.USERS):
                before = _file(os.path.join(directory, name))
                if before.content is not None:
                    changes.append(
                        Change(os.path.join(directory, name), before, File(None), name == settings.USERS)
                    )
    return _act(request, outcome, changes, base, check_mode)


# ---------------------------------------------------------------------------------------------------- the change


def _act(request: Request, outcome: Outcome, changes: list[Change], base: str, check_mode: bool) -> Outcome:
    """Write, tell Dovecot, see that it serves; or put everything back."""
    absent = request.state == "absent"
    runs, before = host.running(base), host.answer(request.socket)
    if any(not change.secret for change in changes) or not (absent or before):
        outcome.activated = "reload" if runs else "none" if absent else "start"
    if outcome.activated == "start" and host.masked():
        raise DovecotError(
            "dovecot.service is masked, and logins need Dovecot: run systemctl unmask dovecot.service"
        )
    to_enable = not absent and not host.enabled()
    outcome.files = [{"path": change.path, "action": change.action} for change in changes]
    outcome.diff = [change.diff() for change in changes]
    outcome.changed = bool(changes) or outcome.activated != "none" or to_enable
    if check_mode:
        return outcome
    began = time.time()
    try:
        for change in changes:
            _write(change.path, change.after)
        now = _activate(request, outcome.activated, before)
    except (OSError, DovecotError) as error:
        log = host.log(began)
        failed = _put_back(request, changes, outcome.activated)
        state = f"That could not be taken back: {failed}." if failed else "The old state is back."
        raise Failed(
            f"Dovecot does not offer logins with the change: {error}. {state}", not failed, log
        ) from None
    if to_enable:
        host.enable()
    outcome.confirmed = now is not None
    outcome.mechanisms = list(now.mechanisms) if now else []
    return outcome


def _activate(request: Request, level: str, before: host.Answer | None) -> host.Answer | None:
    """The answer of the auth process that has read the configuration; None where none is to answer."""
    if level == "reload":
        host.reload()
    elif level == "start":
        host.start()
    now = None
    if request.state == "present":
        now = host.wait_for(request.socket, before, request.timeout) if level != "none" else before
        if now is None:
            raise DovecotError(f"nobody answers at {request.socket} within {request.timeout:g} s")
    if level == "reload":
        host.retire(before)
    return now


def _put_back(request: Request, changes: list[Change], level: str) -> str:
    """Why it is not all back; empty where it is."""
    try:
        for change in reversed(changes):
            _write(change.path, change.before)
        if level == "start":
            host.stop()
        elif level == "reload":
            now = host.answer(request.socket)
            host.reload()
            host.retire(now)
    except (OSError, DovecotError) as error:
        return str(error)
    return ""


def _write(path: str, file: File) -> None:
    """Put a file in place whole, or remove it."""
    if file.content is None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return
    handle, room = tempfile.mkstemp(prefix=".mailops-", dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, "wb") as target:
            target.write(file.content)
            os.fchown(target.fileno(), 0, file.group)
            os.fchmod(target.fileno(), max(file.mode, 0) or 0o600)
            target.flush()
            os.fsync(target.fileno())
        _date(room, path)
        os.rename(room, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(room)
        raise


def _date(new: str, old: str) -> None:
    """Dovecot knows a passwd-file that has changed by its size and its time in whole seconds."""
    with contextlib.suppress(FileNotFoundError):
        time_of_old = int(os.stat(old).st_mtime)
        if int(os.stat(new).st_mtime) == time_of_old:
            os.utime(new, (time_of_old + 1, time_of_old + 1))
