"""A directory's content replaced as a whole, so that it survives a kill or a power loss at any instant.

Theory of operation. The new directory is built beside the live one (.NAME.stage). A journal (.NAME.journal) is written
and synced before the first live change, and removed after the last. With renameat2(RENAME_EXCHANGE) the two directories
change places in one system call: a reader sees the old one or the new one. Where the kernel or the file system refuse
that (a mount point, a directory in a lower overlay layer, a managed file that is a link to elsewhere), the changed
files are renamed one by one, maps before main.cf before master.cf, with what they replace kept for undo; meanwhile
main.cf may be one that makes Postfix wait (the interim main.cf). Whoever finds a journal undoes: the old state was
confirmed, the new one was not.

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
from typing import Any, Iterator, NamedTuple

_RENAME_EXCHANGE = 2
_AT_FDCWD = -100
_RENAMEAT2 = {
    "x86_64": 316, "i686": 353, "i386": 353, "aarch64": 276, "armv7l": 382, "armv6l": 382,
    "ppc64le": 357, "ppc64": 357, "s390x": 347, "riscv64": 276, "loongarch64": 276,
}  # fmt: skip
# Postfix rereads a file that was touched within the last second until it has settled (dict_load_file(3),
# texthash:), in every process. A file that becomes visible whole needs no such wait: it is dated back.
SETTLED = 3
_NEW_SUFFIX = ".mailops-new"
# What renameat2 may answer where an exchange cannot be had but single renames can.
_NO_EXCHANGE = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EBUSY, errno.EPERM, errno.EOPNOTSUPP)


class SwapError(Exception):
    """The directory could not be staged or swapped; the live one is as it was."""


class Step(NamedTuple):
    """One file of the change. `target` is the real path that it has when live."""

    path: str
    target: str
    before: str | None
    after: str | None


def digest(path: str) -> str | None:
    """sha256 of a file's content, its mode and owner; None where there is none."""
    try:
        with open(path, "rb") as handle:
            status = os.fstat(handle.fileno())
            mode = f"{stat.S_IMODE(status.st_mode):o}:{status.st_uid}:{status.st_gid}"
            return f"{mode}:{hashlib.sha256(handle.read()).hexdigest()}"
    except OSError:
        return None


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
        self.undo = os.path.join(self.stage, ".undo")

    @contextlib.contextmanager
    def locked(self, timeout: float = 60.0) -> Iterator[None]:
        """Hold the lock that runs share: flock(2) on the parent directory, so that no lock file is left."""
        handle = os.open(self.parent, os.O_RDONLY)
        try:
            deadline = time.monotonic() + timeout
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise SwapError(
                            f"another run has been changing {self.path} for {timeout:.0f} s: let it end, then run again"
                        ) from None
                    time.sleep(0.1)
            yield
        finally:
            os.close(handle)

    # ------------------------------------------------------------------ reading

    def resolve(self, path: str) -> str:
        """The real path of a file below the directory, links followed."""
        return os.path.realpath(os.path.join(self.real, path))

    def inside(self, real: str) -> bool:
        return real.startswith(self.real + os.sep)

    def fingerprint(self) -> dict[str, tuple[int, ...]]:
        """What tells a foreign change: each entry's type, mode, owner, size, time and inode."""
        return _fingerprint(self.real)

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

    def read_journal(self) -> dict[str, Any] | None:
        try:
            with open(self.journal, encoding="utf-8") as handle:
                data = json.load(handle)
        except FileNotFoundError:
            return None
        except ValueError:
            # It is renamed into place whole, so this is not ours; nothing was changed under it.
            return None
        return data if isinstance(data, dict) else None

    def write_journal(self, data: dict[str, Any]) -> None:
        temporary = self.journal + ".new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(data, stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(temporary, self.journal)
        fsync_path(self.parent)

    def close(self) -> None:
        """The end of a change: the other directory goes first, the journal last."""
        self.clear_stage()
        for path in (self.journal + ".new", self.journal):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        fsync_path(self.parent)

    # ------------------------------------------------------------------ the swap

    def swap(self, steps: list[Step], extra: dict[str, Any], interim: bytes = b"") -> dict[str, Any]:
        """Make the stage live. Returns the journal that undo() needs; it stays on disk until close().

        `interim` is added to the old main.cf for as long as files are renamed one by one.
        """
        _sync_tree(self.stage)
        fsync_path(self.parent)
        data: dict[str, Any] = {"steps": [step._asdict() for step in steps], **extra}
        if self.can_exchange() and all(self.inside(step.target) for step in steps):
            data["kind"] = "exchange"
            self.write_journal(data)
            try:
                exchange(self.stage, self.real)
            except OSError as error:
                if error.errno not in _NO_EXCHANGE:
                    raise
            else:
                fsync_path(self.parent)
                return data
        data["kind"] = "files"
        self._keep_for_undo(data)
        self._build_interim(data, interim)
        self.write_journal(data)
        self._rename_all(data)
        return data

    def _keep_for_undo(self, data: dict[str, Any]) -> None:
        os.mkdir(self.undo, 0o700)
        for number, step in enumerate(data["steps"]):
            step["staged"] = os.path.join(self.stage, step["path"])
            if os.path.lexists(step["target"]):
                step["kept"] = os.path.join(self.undo, str(number))
                _copy_file(step["target"], step["kept"])
            else:
                step["kept"] = None
        _sync_tree(self.undo)

    def _build_interim(self, data: dict[str, Any], addition: bytes) -> None:
        main = next((step for step in data["steps"] if step["path"] == "main.cf" and step["kept"]), None)
        data["bridge"] = os.path.join(self.undo, "bridge") if main and addition else None
        if main and addition:
            _copy_file(main["kept"], data["bridge"])
            with open(data["bridge"], "ab") as stream:
                stream.write(addition)
                stream.flush()
                os.fsync(stream.fileno())
            fsync_path(self.undo)

    def _install_interim(self, data: dict[str, Any]) -> None:
        """Put the interim main.cf in the place of main.cf, before anything that must agree with it is renamed."""
        target = next((step["target"] for step in data["steps"] if step["path"] == "main.cf"), None)
        if target and data.get("bridge"):
            _copy_file(data["bridge"], target + _NEW_SUFFIX)
            os.rename(target + _NEW_SUFFIX, target)
            fsync_path(os.path.dirname(target))

    def _rename_all(self, data: dict[str, Any]) -> None:
        self._install_interim(data)
        last = {"main.cf": 1, "master.cf": 2}
        steps = sorted(data["steps"], key=lambda step: last.get(step["path"], 0))
        for step in steps:
            if step["after"] is not None:
                self._make_parents(step["target"])
                _copy_file(step["staged"], step["target"] + _NEW_SUFFIX)
        for step in steps:
            if step["after"] is None:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(step["target"])
            else:
                os.rename(step["target"] + _NEW_SUFFIX, step["target"])
            fsync_path(os.path.dirname(step["target"]))

    def _make_parents(self, target: str) -> None:
        missing = os.path.dirname(target)
        if not os.path.isdir(missing):
            os.makedirs(missing, 0o755)

    def is_swapped(self, data: dict[str, Any]) -> bool:
        """Whether the live directory holds the new state of an exchange."""
        return all(digest(step["target"]) == step["after"] for step in data["steps"])

    def undo_swap(self, data: dict[str, Any]) -> None:
        """Bring the old state back; may be repeated after a kill."""
        if data["kind"] == "exchange":
            if os.path.isdir(self.stage) and self.is_swapped(data):
                exchange(self.stage, self.real)
                fsync_path(self.parent)
            return
        if any(digest(step["target"]) != step["before"] for step in data["steps"]):
            self._install_interim(data)
        for step in sorted(data["steps"], key=lambda step: bool(step["path"] == "main.cf")):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(step["target"] + _NEW_SUFFIX)
            if step["kept"] is None:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(step["target"])
            elif digest(step["target"]) != step["before"]:
                _copy_file(step["kept"], step["target"] + _NEW_SUFFIX)
                os.rename(step["target"] + _NEW_SUFFIX, step["target"])
            with contextlib.suppress(FileNotFoundError):
                fsync_path(os.path.dirname(step["target"]))


def _fingerprint(root: str) -> dict[str, tuple[int, ...]]:
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


def fingerprint(root: str) -> dict[str, tuple[int, ...]]:
    return _fingerprint(root)


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
