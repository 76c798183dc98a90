"""What would change on the host: the request against the files that are there.

The rule of this file: no content of a sensitive file leaves it but in a Change, in no diff and in no exception.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
from typing import Callable, Collection, Iterable, Iterator, Mapping, NamedTuple, Sequence

from ..files import block, main_cf, master_cf, passwords
from ..files.text import open_regular, staged_path
from ..host import maps
from . import managed
from .outcome import DeployError
from .request import FileWish, Request
from .swap import write_file

# What decides which commands root runs. main.cf is read by sendmail(1) as well, as the user who runs it.
_ROOTS = ("main.cf", "master.cf")


HIDDEN = "(sensitive: the content is not shown)\n"


class Change(NamedTuple):
    """A file that will differ. Contents of sensitive files are here, and go no further."""

    path: str
    action: str
    sensitive: bool
    before: str
    after: str
    old_mode: int | None
    mode: int
    owner: tuple[int, int] | None = None
    """uid and gid that it is to have, None for those that it has."""


class Plan(NamedTuple):
    changes: list[Change]
    old_main: main_cf.MainCf
    old_master: master_cf.MasterCf
    main: main_cf.MainCf
    master: master_cf.MasterCf
    defaults: Mapping[str, str] = {}
    made: managed.Managed = managed.Managed()

    @property
    def sensitive(self) -> list[str]:
        """The files of which nothing may be told."""
        return [path for path, wish in self.made.wishes.items() if wish.sensitive]

    def secret_paths(self, directory: str) -> list[str]:
        return [os.path.join(directory, path) for path in self.sensitive]


def make_plan(
    request: Request, base: str, defaults: Mapping[str, str] | None = None, fresh: bool = False
) -> Plan:
    """What would change in the directory `base`. Raises DeployError for a wish that cannot be put in a file.

    `defaults` are Postfix's own values, empty where it is not installed. `fresh`: master.cf is still to come with its
    package.
    """
    defaults = defaults or {}
    managed_mode = request.block is not None or request.restore is not None
    created = {"master.cf": master_cf.FRESH} if fresh else {}

    def read(path: str) -> str:
        return read_file(base, path) or created.get(path, "")

    made = _managed(request, base, read, defaults) if managed_mode else _merged(request, read, defaults)
    old_main = main_cf.MainCf(read_file(base, "main.cf"))
    main, master = main_cf.MainCf(made.main), master_cf.MasterCf(made.master)
    lookup = {**defaults, "config_directory": request.config_directory, **main.values()}
    named = maps.named_files(main, master, lookup, request.config_directory)
    wishes = [*made.wishes.values(), *_closed_to_others(made.wishes, base, named, request)]
    changes = [change for change in (_compare(base, wish) for wish in wishes) if change]
    changes += _orphans(made.wishes.values(), base, maps.references(main, master, lookup, defaults), request)
    if changes and managed_mode and managed.STATE not in made.wishes:
        state = FileWish(managed.STATE, json.dumps(made.state) + "\n", 0o600, True)
        changes += [change for change in (_compare(base, state),) if change]
    old_master = master_cf.MasterCf(read_file(base, "master.cf"))
    return Plan(changes, old_main, old_master, main, master, defaults, made)


def _managed(
    request: Request, base: str, read: Callable[[str], str], defaults: Mapping[str, str]
) -> managed.Managed:
    live = managed.Live(read, lambda path: attributes_of(base, path), defaults)
    try:
        made = managed.compute(request, live)
    except ValueError as error:
        raise DeployError(str(error)) from None
    if managed.STATE in made.wishes:
        for path in {*made.wishes, *made.state.get("paths", ())}:
            for name in backups_of(base, path):
                if name.rpartition(".")[2][:-1] >= made.since:
                    made.wishes[name] = FileWish(name, absent=True, sensitive=True)
    return made


def attributes_of(base: str, path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(os.path.join(base, path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid


def _merged(request: Request, read: Callable[[str], str], defaults: Mapping[str, str]) -> managed.Managed:
    """Values and entries merged in place, into the live files or into those given whole."""
    for wish in request.files:
        if wish.self_signed:
            raise DeployError(
                f"files: {wish.path}: self_signed needs block beside it; give content, or block"
            )
    wishes = {wish.path: wish for wish in request.files}
    main = main_cf.MainCf(_wished_text(wishes.get("main.cf"), read("main.cf")))
    master = master_cf.MasterCf(_wished_text(wishes.get("master.cf"), read("master.cf")))
    try:
        main.merge(request.parameters)
    except ValueError as error:
        raise DeployError(f"parameters: {error}") from None
    try:
        master.merge(managed.known_options(request.services, defaults))
    except ValueError as error:
        raise DeployError(f"services: {error}") from None
    if request.parameters or "main.cf" in wishes:
        wishes["main.cf"] = _with_content(wishes, "main.cf", main.text())
    if request.services or "master.cf" in wishes:
        wishes["master.cf"] = _with_content(wishes, "master.cf", master.text())
    named = {*request.parameters, *(f"{each['service']}/{each['type']}" for each in request.services)}
    given = {wish.path for wish in request.files}
    named |= set(main.values()) if "main.cf" in given else set()
    named |= {"/".join(entry.key) for entry in master.services} if "master.cf" in given else set()
    return managed.Managed(wishes, main.text(), master.text(), named=frozenset(named))


def _closed_to_others(
    wishes: Mapping[str, FileWish], base: str, named: Collection[str], request: Request
) -> Iterator[FileWish]:
    """What nobody wishes to be different, but others may write: who can do that has root's programs run, or mail sent
    elsewhere. A file that is a group's, or a user's, has been given to them.
    """
    for path in _ROOTS:
        if path not in wishes and os.path.isfile(os.path.join(base, path)):
            yield FileWish(path, read_file(base, path))
    for path in sorted(staged_path(path, base, request.config_directory) for path in named):
        name = os.path.relpath(path, base)
        inside = not name.startswith("..")
        if name not in wishes and inside and os.path.isfile(path) and not os.path.islink(path):
            mode = stat.S_IMODE(os.stat(path).st_mode)
            if mode & stat.S_IWOTH:
                yield FileWish(name, read_file(base, name), mode & ~stat.S_IWOTH)


def _orphans(
    wishes: Iterable[FileWish], base: str, references: Sequence[maps.MapReference], request: Request
) -> list[Change]:
    """Compiled tables that nothing names and that would outlive their source, or the passwords in it."""
    named = {
        staged_path(path, base, request.config_directory)
        for ref in references
        for path in maps.compiled_files(ref.type, ref.path)
    }
    result = []
    for wish in wishes:
        if wish.absent or wish.sensitive:
            for suffix in maps.SUFFIXES:
                path = wish.path + suffix
                attributes = attributes_of(base, path)
                if attributes and os.path.join(base, path) not in named:
                    result.append(Change(path, "removed", True, "", "", attributes[0], 0))
    return result


def _with_content(wishes: Mapping[str, FileWish], path: str, content: str) -> FileWish:
    return wishes.get(path, FileWish(path))._replace(content=content)


def _wished_text(wish: FileWish | None, live: str) -> str:
    return live if wish is None or wish.content is None else wish.content


def read_file(base: str, path: str) -> str:
    try:
        handle = open_regular(os.path.join(base, path))
        with os.fdopen(handle, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            return stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _compare(base: str, wish: FileWish) -> Change | None:
    path = os.path.join(base, wish.path)
    if os.path.isdir(path):
        raise DeployError(
            f"files: {wish.path} is a directory on this host; name a file, or move the directory away"
        )
    try:
        status: os.stat_result | None = os.stat(path)
    except FileNotFoundError:
        status = None
    if status and not stat.S_ISREG(status.st_mode):
        raise DeployError(
            f"files: {wish.path} is a FIFO, a socket or a device on this host; move it away, or name a file"
        )
    before = read_file(base, wish.path)
    if wish.absent:
        if status is None:
            return None
        return Change(wish.path, "removed", wish.sensitive, before, "", stat.S_IMODE(status.st_mode), 0)
    old_mode = stat.S_IMODE(status.st_mode) if status else None
    mode = _wished_mode(wish, old_mode)
    owner = _wished_owner(wish, status)
    after = wish.content or ""
    foreign = bool(status and owner and (status.st_uid, status.st_gid) != owner)
    if status is None:
        action = "created"
    elif before != after:
        action = "modified"
    elif old_mode != mode or foreign:
        action = "mode"
    else:
        return None
    return Change(wish.path, action, wish.sensitive, before, after, old_mode, mode, owner)


def _wished_mode(wish: FileWish, old: int | None) -> int:
    """The mode asked for; without that the file's own, unless others than root may write it or users cannot read it."""
    if wish.mode is not None:
        return wish.mode
    if wish.sensitive:
        return 0o600
    if old is None or (wish.path == "main.cf" and not old & 0o004):
        return 0o644
    return old & ~0o022


def _wished_owner(wish: FileWish, old: os.stat_result | None) -> tuple[int, int] | None:
    """Who is to own it: root the files that are read as root, whoever owns them now; None for no change."""
    if wish.owner is not None:
        return wish.owner
    roots = wish.path in _ROOTS and os.geteuid() == 0 and (old is None or old.st_uid != 0)
    return (os.geteuid(), os.getegid()) if wish.sensitive or roots else None


def diffs(plan: Plan, directory: str) -> list[dict[str, str]]:
    """The diff of each file as Ansible shows it; of a sensitive one only that it changes, and none of passwords."""
    result = []
    referred = passwords.referred(
        pair
        for main, master in ((plan.old_main, plan.old_master), (plan.main, plan.master))
        for pair in (*main.values().items(), *(each for entry in master.services for each in entry.options))
    )
    for change in plan.changes:
        if change.path == managed.STATE:
            continue
        path = os.path.join(directory, change.path)
        before, after = change.before, change.after
        if change.sensitive:
            before = HIDDEN if change.action not in ("created",) else ""
            after = (
                "" if change.action == "removed" else HIDDEN.replace("not shown", "not shown, and changes")
            )
        elif change.path in _ROOTS:
            before, after = (passwords.without_passwords(text, referred) for text in (before, after))
            if before == after and change.action == "modified":
                after += "(a password in this file changes, and is not shown)\n"
        if change.action == "mode":
            before, after = f"mode {change.old_mode or 0:04o}\n", f"mode {change.mode:04o}\n"
        result.append({
            "before_header": f"{path} (absent)" if change.action == "created" else path,
            "after_header": f"{path} (absent)" if change.action == "removed" else path,
            "before": before,
            "after": after,
        })  # fmt: skip
    return result


def loses_logins(change: Change) -> bool:
    """Whether a row of the old table is lost, key and value.

    A password that is rotated keeps its key, one whose next hop moves keeps its value, and those in a block of ours
    come from variables: none is worth a copy of a password that nobody needs any more. What somebody else put there is.
    """
    before = change.before
    with contextlib.suppress(block.BlockError):
        before = block.undo(before)
    return managed.loses_rows(before, change.after)


def write_changes(changes: Sequence[Change], stage: str) -> None:
    for change in changes:
        path = os.path.join(stage, change.path)
        if change.action == "removed":
            os.unlink(path)
            continue
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        like = path if os.path.exists(path) else None
        owner = change.owner or (os.geteuid(), os.getegid())
        if like and change.owner is None:
            status = os.stat(path)
            owner = (status.st_uid, status.st_gid)
        temporary = path + ".writing"
        write_file(
            temporary,
            change.after.encode("utf-8", "surrogateescape"),
            change.mode,
            owner,
            like,
            change.sensitive,
        )
        os.rename(temporary, path)


def backups_of(root: str, path: str) -> list[str]:
    """The names of the backups of a file, the oldest first; `root` stands for the configuration directory."""
    pattern = re.compile(rf"{re.escape(os.path.basename(path))}\.\d+\.(\d{{4}}-\d\d-\d\d@\d\d:\d\d:\d\d)~")
    try:
        names = os.listdir(os.path.dirname(os.path.join(root, path)))
    except OSError:
        return []
    found = [(match.group(1), name) for name in names if (match := pattern.fullmatch(name))]
    return [os.path.join(os.path.dirname(path), name) for _stamp, name in sorted(found)]


def prune_backups(stage: str, path: str, keep: int) -> None:
    for name in backups_of(stage, path)[:-keep]:
        os.unlink(os.path.join(stage, name))
