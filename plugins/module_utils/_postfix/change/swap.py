"""A directory's content replaced as a whole, so that it survives a kill, a full disk or a power loss at any instant.

Theory of operation. The new directory is built beside the live one (.NAME.stage). A journal (.NAME.journal) is written
and synced before the first live change; renamed (.NAME.done), the change is confirmed. With
renameat2(RENAME_EXCHANGE) the two directories change places in one system call: a reader sees the old one or the new
one. Where the kernel or the file system refuse that (a mount point, a directory in a lower overlay layer, a managed
file that is a link to elsewhere), the changed files are renamed one by one, maps before main.cf before master.cf;
meanwhile main.cf may be one that makes Postfix wait (the interim main.cf). All that needs room on the disk lies ready
beside the live files by then, new (.mailops-new), old (.mailops-old) and interim: from the first rename on, and all the
way back, nothing but names changes.

Whoever finds a journal undoes: the old state was confirmed, the new one was not. What others changed since stays.

The rule of this file: nothing is deleted before what replaces it is on disk. Of Postfix it knows the order: maps,
main.cf, master.cf.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import json
import os
import platform
import shutil
import stat
import time
from typing import Iterator

from ..files.text import open_regular
from . import journal as journals
from .journal import EXCHANGE, FILES, Journal, Step

_RENAME_EXCHANGE = 2
_AT_FDCWD = -100
_RENAMEAT2 = {
    "x86_64": 316, "i686": 353, "i386": 353, "aarch64": 276, "armv7l": 382, "armv6l": 382,
    "ppc64le": 357, "ppc64": 357, "s390x": 347, "riscv64": 276, "loongarch64": 276,
}  # fmt: skip
# Postfix rereads a file that was touched within the last second until it has settled (dict_load_file(3),
# texthash:), in every process. A file that becomes visible whole needs no such wait: it is dated back.
SETTLED = 3
_NEW, _OLD, _INTERIM, _INTERIM_BACK = (
    ".mailops-new",
    ".mailops-old",
    ".mailops-interim",
    ".mailops-interim-back",
)
# Where root alone can go, and what needs no place on the disk; else beside the directory.
PRIVATE = "/run/mailops.smtp"
# What renameat2 may answer where an exchange cannot be had but single renames can.
_NO_EXCHANGE = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EBUSY, errno.EPERM, errno.EOPNOTSUPP)


class SwapError(Exception):
    """The directory could not be staged or swapped; the live one is as it was."""


def digest(path: str) -> str | None:
    """sha256 of a file's content, its mode and owner; None where there is none."""
    try:
        with os.fdopen(open_regular(path), "rb") as handle:
            return _digest(os.fstat(handle.fileno()), handle.read())
    except OSError:
        return None


def _digest(status: os.stat_result, content: bytes) -> str:
    mode = f"{stat.S_IMODE(status.st_mode):o}:{status.st_uid}:{status.st_gid}"
    return f"{mode}:{hashlib.sha256(content).hexdigest()}"


def fsync_path(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def exchange(one: str, other: str) -> None:
    """Let two paths change places atomically. Raises OSError where that cannot be had."""
    libc = ctypes.CDLL(None, use_errno=True)
    first, second = os.fsencode(one), os.fsencode(other)
    if hasattr(libc, "renameat2"):
        code = libc.renameat2(_AT_FDCWD, first, _AT_FDCWD, second, _RENAME_EXCHANGE)
    else:
        number = _RENAMEAT2.get(platform.machine())
        if number is None or platform.system() != "Linux":
            raise OSError(errno.ENOSYS, "renameat2 is not available", one)
        code = libc.syscall(number, _AT_FDCWD, first, _AT_FDCWD, second, _RENAME_EXCHANGE)
    if code:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), one)


def _copy_attributes(source: str, target: str, access_lists: bool = True) -> None:
    """Extended attributes: the SELinux context, and access lists unless the file is to be private."""
    if not hasattr(os, "listxattr"):
        return
    with contextlib.suppress(OSError):
        for name in os.listxattr(source, follow_symlinks=False):
            if access_lists or not name.startswith("system.posix_acl"):
                with contextlib.suppress(OSError):
                    os.setxattr(
                        target, name, os.getxattr(source, name, follow_symlinks=False), follow_symlinks=False
                    )


class Directory:
    """One live directory and the places beside it that a change needs."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.real = os.path.realpath(path)
        self.parent, self.name = os.path.split(self.real)
        self.stage = os.path.join(self.parent, f".{self.name}.stage")
        self.journal = os.path.join(self.parent, f".{self.name}.journal")
        self.done = os.path.join(self.parent, f".{self.name}.done")

    def private(self, name: str) -> str:
        """The path of that name where nobody but root can go."""
        if os.geteuid() == 0:
            with contextlib.suppress(OSError):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(PRIVATE, 0o700)
                status = os.lstat(PRIVATE)
                if stat.S_ISDIR(status.st_mode) and status.st_uid == 0 and not status.st_mode & 0o077:
                    return os.path.join(PRIVATE, f"{self.real.strip('/').replace('/', '-')}.{name}")
        return os.path.join(self.parent, f".{self.name}.{name}")

    @contextlib.contextmanager
    def locked(self, timeout: float = 60.0) -> Iterator[None]:
        """Hold the lock that runs share: flock(2) on a file that only root can open, and that is gone afterwards."""
        path = self.private("lock")
        deadline = time.monotonic() + timeout
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Whoever held it before has taken its name away.
                if os.path.lexists(path) and os.path.samestat(os.fstat(handle), os.lstat(path)):
                    break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(handle)
                    raise SwapError(
                        f"another run has been changing {self.path} for {timeout:.0f} s: let it end, then run again"
                    ) from None
                time.sleep(0.1)
            os.close(handle)
        try:
            yield
        finally:
            os.unlink(path)
            os.close(handle)

    @contextlib.contextmanager
    def private_stage(self) -> Iterator[str]:
        """A place for a copy that nobody but root may see. What a killed run left there, the next one clears."""
        directory = self.private(f"check-{os.getpid()}")
        os.mkdir(directory, 0o700)
        try:
            yield os.path.join(directory, "stage")
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def clear_private(self) -> None:
        """Remove the copies of check runs that are no longer there."""
        parent, prefix = os.path.split(self.private("check-"))
        with contextlib.suppress(OSError):
            for name in os.listdir(parent):
                pid = name[len(prefix) :]
                if name.startswith(prefix) and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
                    shutil.rmtree(os.path.join(parent, name), ignore_errors=True)

    # ------------------------------------------------------------------ reading

    def resolve(self, path: str) -> str:
        """The real path of a file below the directory, links followed."""
        return os.path.realpath(os.path.join(self.real, path))

    def inside(self, real: str) -> bool:
        return real.startswith(self.real + os.sep)

    def fingerprint(self) -> dict[str, tuple[int, ...]]:
        """See fingerprint()."""
        return fingerprint(self.real)

    # ------------------------------------------------------------------ staging

    def clear_stage(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.stage)

    def build_stage(self, where: str | None = None) -> str:
        """Copy the live directory beside itself: unchanged files are hard links, so they keep everything."""
        stage = where or self.stage
        if where is None:
            self.clear_stage()
        status = os.stat(self.real)
        os.mkdir(stage, 0o700)
        _copy_tree(self.real, stage, link=where is None)
        os.chown(stage, status.st_uid, status.st_gid)
        _copy_attributes(self.real, stage)
        os.chmod(stage, stat.S_IMODE(status.st_mode))
        return stage

    def can_exchange(self) -> bool:
        """Not for a mount point or a directory with mount points in it: the mounts would move along."""
        if os.stat(self.real).st_dev != os.stat(self.parent).st_dev:
            return False
        with contextlib.suppress(OSError), open("/proc/self/mountinfo", encoding="utf-8") as handle:
            for line in handle:
                point = line.split()[4].encode().decode("unicode_escape")
                if point == self.real or self.inside(point):
                    return False
        return True

    # ------------------------------------------------------------------ the journal

    def read_journal(self) -> Journal | None:
        """That of a change which is not confirmed."""
        return _read_journal(self.journal)

    def write_journal(self, journal: Journal) -> None:
        temporary = self.journal + ".new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(journal.as_dict(), stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(temporary, self.journal)
        fsync_path(self.parent)

    def confirm(self) -> None:
        """From here on the new files stay."""
        os.rename(self.journal, self.done)
        fsync_path(self.parent)

    def leftovers(self) -> list[str]:
        return [each for each in (self.stage, self.done, f"{self.journal}.new") if os.path.lexists(each)]

    def close(self) -> None:
        """The end of a change that is confirmed, undone or was never begun: what only served it goes."""
        self.clear_stage()
        for path in (self.done, self.journal):
            journal = _read_journal(path)
            if journal:
                self._clear_files(journal)
        for path in (f"{self.journal}.new", self.journal, self.done):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        fsync_path(self.parent)

    # ------------------------------------------------------------------ the swap

    def swap(self, journal: Journal, interim: bytes = b"") -> None:
        """Make the stage live. Whatever this raises, undo() takes it back.

        `interim` is added to the old main.cf for as long as files are renamed one by one.
        """
        _sync_tree(self.stage)
        fsync_path(self.parent)
        if self.can_exchange() and all(self.inside(step.target) for step in journal.steps):
            journal.kind, journal.inode = EXCHANGE, os.stat(self.stage).st_ino
            self.write_journal(journal)
            try:
                exchange(self.stage, self.real)
            except OSError as error:
                if error.errno not in _NO_EXCHANGE:
                    raise
            else:
                fsync_path(self.parent)
                return
        journal.kind, journal.inode = FILES, 0
        for step in journal.steps:
            step.kept = step.target + _OLD if os.path.lexists(step.target) else None
        bridge = self._interim(journal, interim)
        self.write_journal(journal)
        self._lay_ready(journal, bridge)
        self._rename_all(journal)

    def _interim(self, journal: Journal, addition: bytes) -> bytes:
        """The text of the interim main.cf; empty where there is to be none."""
        main = journal.main
        if not (main and main.kept and addition):
            return b""
        with os.fdopen(open_regular(main.target), "rb") as stream:
            status, content = os.fstat(stream.fileno()), stream.read() + addition
        journal.bridge, journal.bridged = main.target + _INTERIM, _digest(status, content)
        return content

    def _lay_ready(self, journal: Journal, bridge: bytes) -> None:
        """All that needs room on the disk."""
        for step in journal.steps:
            if step.after is not None:
                self._make_parents(step.target)
                _copy_file(os.path.join(self.stage, step.path), step.target + _NEW)
            if step.kept:
                _keep(step.target, step.kept)
        main = journal.main
        if main and journal.bridge:
            _copy_file(main.target, journal.bridge)
            with open(journal.bridge, "wb") as stream:
                stream.write(bridge)
                stream.flush()
                os.fsync(stream.fileno())
            _keep(journal.bridge, main.target + _INTERIM_BACK)
        for directory in {os.path.dirname(step.target) for step in journal.steps}:
            if os.path.isdir(directory):
                fsync_path(directory)

    def _rename_all(self, journal: Journal) -> None:
        self._install_interim(journal)
        last = {"main.cf": 1, "master.cf": 2}
        for step in sorted(journal.steps, key=lambda step: last.get(step.path, 0)):
            if step.after is None:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(step.target)
            else:
                os.rename(step.target + _NEW, step.target)
            fsync_path(os.path.dirname(step.target))

    def _install_interim(self, journal: Journal) -> None:
        """Put the interim main.cf in the place of main.cf, before anything that must agree with it is renamed."""
        main = journal.main
        if main and journal.bridge:
            for bridge in (journal.bridge, main.target + _INTERIM_BACK):
                if os.path.exists(bridge):
                    _put(bridge, main.target)
                    fsync_path(os.path.dirname(main.target))
                    return

    def _make_parents(self, target: str) -> None:
        missing = os.path.dirname(target)
        if not os.path.isdir(missing):
            os.makedirs(missing, 0o755)

    # ------------------------------------------------------------------ the way back

    def is_swapped(self, journal: Journal) -> bool:
        """Whether the live directory is the new one of an exchange."""
        if journal.inode:
            return os.stat(self.real).st_ino == journal.inode
        return all(digest(step.target) == step.after for step in journal.steps)

    def is_touched(self, journal: Journal) -> bool:
        """Whether any live file is not as before."""
        if journal.kind == EXCHANGE:
            return self.is_swapped(journal)
        return any(digest(step.target) != step.before for step in journal.steps)

    def undo(self, journal: Journal) -> list[str]:
        """Bring the old state back; may be repeated after a kill. Returns what others had changed, and where it is."""
        if journal.kind == FILES:
            told = self._undo_files(journal)
            self._clear_files(journal)
            return told
        if not os.path.isdir(self.stage) or not self.is_swapped(journal):
            return []
        told = self._carry_over(journal)
        exchange(self.stage, self.real)
        fsync_path(self.parent)
        return told

    def _undo_files(self, journal: Journal) -> list[str]:
        told = []
        suffix = _edited()
        bridged = journal.bridged or (digest(journal.bridge) if journal.bridge else None)
        changed = [
            step
            for step in journal.steps
            if digest(step.target) != step.before and self._is_replaced(journal, step)
        ]
        for step in changed:
            known = (step.after, bridged) if step.path == "main.cf" else (step.after,)
            ours = digest(step.target) in (None, *known)
            if not ours and (step.kept is None or os.path.lexists(step.kept)):
                _keep(step.target, step.target + suffix)
                told.append(_told(step.path, step.path + suffix))
        if any(step.kept is None or os.path.lexists(step.kept) for step in changed):
            self._install_interim(journal)
        for step in sorted(changed, key=lambda step: step.path == "main.cf"):
            if step.kept is None:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(step.target)
            elif os.path.lexists(step.kept):
                _put(step.kept, step.target)
            with contextlib.suppress(FileNotFoundError):
                fsync_path(os.path.dirname(step.target))
        return told

    def _is_replaced(self, journal: Journal, step: Step) -> bool:
        """Whether something of ours stands or stood in the place of the file: it no longer lies ready then.

        What was never replaced is left as somebody else has made it.
        """
        if step.after is None:
            return not os.path.lexists(step.target)
        interim = step.path == "main.cf" and journal.bridge and not os.path.lexists(journal.bridge)
        if interim and os.path.lexists(step.target + _INTERIM_BACK):
            return True
        return not os.path.lexists(step.target + _NEW)

    def _clear_files(self, journal: Journal) -> None:
        """What lay ready beside the live files."""
        for step in journal.steps:
            for suffix in (_NEW, _OLD, _INTERIM, _INTERIM_BACK):
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    os.unlink(step.target + suffix)

    def _carry_over(self, journal: Journal) -> list[str]:
        """Bring what others changed in the new directory into the old one, before that is live again.

        What the change wrote as well is kept beside. Hard links, so that it needs no room.
        """
        told = []
        ours = {step.path: step.after for step in journal.steps}
        new, old = fingerprint(self.real), fingerprint(self.stage)
        for path in sorted(new):
            here, there = os.path.join(self.real, path), os.path.join(self.stage, path)
            if path in ours:
                if digest(here) != ours[path]:
                    suffix = _edited()
                    _keep(here, there + suffix)
                    told.append(_told(path, path + suffix))
            elif new[path] != old.get(path) and not _same(here, there):
                if stat.S_ISDIR(new[path][0]):
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(there)
                    os.chown(there, *new[path][1:3])
                    os.chmod(there, stat.S_IMODE(new[path][0]))
                else:
                    _keep(here, there + _NEW)
                    os.rename(there + _NEW, there)
                told.append(_told(path))
        for path in sorted({*old} - {*new} - {*ours}, reverse=True):
            there = os.path.join(self.stage, path)
            with contextlib.suppress(OSError):
                (os.rmdir if stat.S_ISDIR(old[path][0]) else os.unlink)(there)
                told.append(f"{path} was removed by somebody else since, and stays so")
        return told


def _read_journal(path: str) -> Journal | None:
    try:
        with open(path, encoding="utf-8") as handle:
            return journals.parse(json.load(handle))
    except FileNotFoundError:
        return None
    except ValueError:
        # It is renamed into place whole, so this is not ours; nothing was changed under it.
        return None


def _edited() -> str:
    """What is added to the name of a file that somebody else changed and that cannot stay in its place."""
    return time.strftime(".edited-%Y-%m-%d@%H:%M:%S")


def _told(path: str, kept: str = "") -> str:
    what = f"{path} was changed by somebody else since"
    return f"{what}, and is kept as {kept}" if kept else f"{what}, and stays"


def _same(one: str, other: str) -> bool:
    """Whether two files that are not the same one have the same content, mode and owner."""
    if os.path.islink(one) or os.path.islink(other):
        return os.path.islink(one) and os.path.islink(other) and os.readlink(one) == os.readlink(other)
    return digest(one) is not None and digest(one) == digest(other)


def _keep(source: str, target: str) -> None:
    """A second name for a file, without room on the disk; a copy where the file system has no hard links."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(target)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EMLINK, errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        _copy_file(source, target)


def _put(source: str, target: str) -> None:
    """Rename; what an older release kept on another file system is copied."""
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy_file(source, target + _NEW)
        os.rename(target + _NEW, target)


def fingerprint(root: str) -> dict[str, tuple[int, ...]]:
    """What tells a foreign change: each entry's type, mode, owner, size, time and inode."""
    result = {}
    for directory, names, files in os.walk(root):
        for name in [*names, *files]:
            path = os.path.join(directory, name)
            with contextlib.suppress(OSError):
                status = os.lstat(path)
                entry: tuple[int, ...] = (status.st_mode, status.st_uid, status.st_gid)
                if not stat.S_ISDIR(status.st_mode):
                    entry += (status.st_size, status.st_mtime_ns, status.st_ino)
                result[os.path.relpath(path, root)] = entry
    return result


def _copy_tree(source: str, target: str, link: bool) -> None:
    with os.scandir(source) as entries:
        for entry in entries:
            new = os.path.join(target, entry.name)
            status = entry.stat(follow_symlinks=False)
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), new)
                os.lchown(new, status.st_uid, status.st_gid)
            elif entry.is_dir():
                os.mkdir(new, 0o700)
                _copy_tree(entry.path, new, link)
                os.chown(new, status.st_uid, status.st_gid)
                _copy_attributes(entry.path, new)
                os.chmod(new, stat.S_IMODE(status.st_mode))
                os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
            elif entry.is_file():
                if link:
                    try:
                        os.link(entry.path, new)
                        continue
                    except OSError:
                        pass
                _copy_file(entry.path, new)
            else:
                raise SwapError(
                    f"{entry.path} is not a file, directory or link: move it out of the configuration directory"
                )


def _copy_file(source: str, target: str) -> None:
    """Copy content, owner, mode, times and attributes, and sync; the target is private while it grows."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(target)
    status = os.stat(source)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(source, "rb") as reader, os.fdopen(handle, "wb") as writer:
        shutil.copyfileobj(reader, writer)
        writer.flush()
        os.fchown(writer.fileno(), status.st_uid, status.st_gid)
        os.fchmod(writer.fileno(), stat.S_IMODE(status.st_mode))
        os.fsync(writer.fileno())
    _copy_attributes(source, target)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def write_file(
    path: str, content: bytes, mode: int, owner: tuple[int, int], like: str | None, private: bool
) -> None:
    """Write a new file in place of what is there; links to the old content keep it."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        if like is not None:
            _copy_attributes(like, path, access_lists=not private)
        os.fchown(stream.fileno(), *owner)
        os.fchmod(stream.fileno(), mode)
        moment = time.time_ns() - SETTLED * 1_000_000_000
        os.utime(stream.fileno(), ns=(moment, moment))
        os.fsync(stream.fileno())


def _sync_tree(root: str) -> None:
    for directory, _names, files in os.walk(root):
        for name in files:
            path = os.path.join(directory, name)
            if not os.path.islink(path) and os.stat(path).st_nlink == 1:
                fsync_path(path)
        fsync_path(directory)
