"""Runs a command and kills it with SIGKILL before the N-th system call that matters; runs inside the host.

    tracer.py OUTPUT N module|all -- COMMAND...

Counted are the calls of the command and of all that it starts which change the disk or send a signal, the start and
the end of each program that the command starts, and its connections. `module` kills the command alone, what it has
started goes on; `all` kills both, as a loss of power or the end of a container would. With N = 0 nothing is killed,
and OUTPUT gets all the points.

A seccomp filter stops the processes at those calls only, and ptrace(2) looks at each: the call that is the point is
not carried out any more. Without a tracer the filter would refuse the calls, so this program stays until the last
process has ended. OUTPUT has one JSON object a line; that of the kill is written as soon as the command is dead.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ctypes
import json
import os
import platform
import signal
import struct
import sys

NUMBERS = {
    "x86_64": {
        "write": 1, "open": 2, "pwrite64": 18, "writev": 20, "pwritev": 296, "sendfile": 40, "connect": 42,
        "clone": 56, "fork": 57, "vfork": 58, "execve": 59, "kill": 62, "fsync": 74, "fdatasync": 75,
        "truncate": 76, "ftruncate": 77, "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85, "link": 86,
        "unlink": 87, "symlink": 88, "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94,
        "mknod": 133, "sync": 162, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197,
        "utimes": 235, "exit_group": 231, "openat": 257, "mkdirat": 258, "mknodat": 259, "fchownat": 260,
        "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266, "fchmodat": 268, "utimensat": 280,
        "fallocate": 285, "syncfs": 306, "renameat2": 316, "copy_file_range": 326, "clone3": 435,
        "openat2": 437, "fchmodat2": 452,
    },
    "aarch64": {
        "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "mknodat": 33, "mkdirat": 34,
        "unlinkat": 35, "symlinkat": 36, "linkat": 37, "renameat": 38, "truncate": 45, "ftruncate": 46,
        "fallocate": 47, "fchmod": 52, "fchmodat": 53, "fchownat": 54, "fchown": 55, "openat": 56, "write": 64,
        "writev": 66, "pwrite64": 68, "pwritev": 70, "sendfile": 71, "sync": 81, "fsync": 82, "fdatasync": 83,
        "utimensat": 88, "exit_group": 94, "kill": 129, "connect": 203, "clone": 220, "execve": 221,
        "syncfs": 267, "renameat2": 276, "copy_file_range": 285, "clone3": 435, "openat2": 437, "fchmodat2": 452,
    },
}  # fmt: skip
PATHS = {
    0: ("open", "creat", "rename", "link", "symlink", "unlink", "mkdir", "rmdir", "chmod", "chown", "lchown", "mknod",
        "truncate", "setxattr", "lsetxattr", "removexattr", "utimes", "execve"),
    1: ("openat", "openat2", "mkdirat", "mknodat", "unlinkat", "renameat", "renameat2", "linkat", "fchmodat",
        "fchmodat2", "fchownat", "utimensat"),
    2: ("symlinkat",),
}  # fmt: skip
PATH_ARGUMENT = {name: index for index, names in PATHS.items() for name in names}
STARTS = ("clone", "clone3", "fork", "vfork")
FILES = ("write", "pwrite64", "writev", "pwritev", "ftruncate", "fsync", "fdatasync", "fchmod", "fchown", "fallocate",
         "fsetxattr", "sendfile", "copy_file_range", "syncfs")  # fmt: skip
FILE_ARGUMENT = {"copy_file_range": 2}
NOT_DISK = ("/dev/", "/proc/", "/sys/", "/run/")

_TRACEME, _CONT, _SETOPTIONS, _GETEVENTMSG, _GET_SYSCALL_INFO = 0, 7, 0x4200, 0x4201, 0x420E
_OPTIONS = 0x02 | 0x04 | 0x08 | 0x10 | 0x80  # fork, vfork, clone, exec, seccomp
_EVENTS_START, _EVENT_SECCOMP = (1, 2, 3), 7
_WALL = 0x40000000
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_RET_TRACE, _RET_ALLOW = 0x7FF00000, 0x7FFF0000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> int:
    result: int = libc.ptrace(request, pid, address, data)
    return result


def install_filter() -> None:
    """Stop this process and all that it starts at the calls of NUMBERS."""
    numbers = sorted(NUMBERS[platform.machine()].values())
    code = [struct.pack("HBBI", 0x20, 0, 0, 0)]
    code += [
        struct.pack("HBBI", 0x15, len(numbers) - index, 0, number) for index, number in enumerate(numbers)
    ]
    code += [struct.pack("HBBI", 0x06, 0, 0, _RET_ALLOW), struct.pack("HBBI", 0x06, 0, 0, _RET_TRACE)]
    memory = ctypes.create_string_buffer(b"".join(code))
    program = _Program(len(code), ctypes.addressof(memory))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")


def text_at(pid: int, address: int) -> str:
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        try:
            found = memory.read(4096)
        except OSError:
            memory.seek(address)
            found = memory.read(4096 - address % 4096)
    return found.split(b"\0")[0].decode("utf-8", "replace")


def point_of(pid: int, main: int, direct: bool, name: str, arguments: tuple[int, ...]) -> str | None:
    """What a call is about to touch; None where it is no point. `direct`: the command itself started this process."""
    if name in STARTS or name == "connect":
        if pid != main:
            return None
    elif name in ("execve", "exit_group") and not (direct or pid == main):
        return None
    if name in STARTS or name in ("exit_group", "sync"):
        return ""
    if name == "kill":
        return str(ctypes.c_int(arguments[0]).value) if ctypes.c_int(arguments[1]).value else None
    if name == "connect":
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            memory.seek(arguments[1])
            raw = memory.read(4)
        family, port = struct.unpack("=H", raw[:2])[0], struct.unpack(">H", raw[2:])[0]
        return f"port {port}" if family in (2, 10) else None
    if name in FILES:
        number = arguments[FILE_ARGUMENT.get(name, 0)]
        if name == "write" and number == 1 and pid == main:
            return "the answer"
        target = os.readlink(f"/proc/{pid}/fd/{number}")
        return target if target.startswith("/") and not target.startswith(NOT_DISK) else None
    path = text_at(pid, arguments[PATH_ARGUMENT[name]])
    if name == "execve":
        return path if os.path.exists(path) else None
    if name in ("open", "openat", "openat2"):
        flags = arguments[PATH_ARGUMENT[name] + 1]
        if name == "openat2":
            with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
                memory.seek(flags)
                flags = struct.unpack("=Q", memory.read(8))[0]
        if not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            return None
    return None if path.startswith(NOT_DISK) else path


def program_of(pid: int) -> str:
    with open(f"/proc/{pid}/cmdline", "rb") as handle:
        words = handle.read().decode("utf-8", "replace").split("\0")
    return " ".join(os.path.basename(word) for word in words[:3] if word)


def main(output: str, at: int, whom: str, command: list[str]) -> int:
    names = {number: name for name, number in NUMBERS[platform.machine()].items()}
    child = os.fork()
    if child == 0:
        ptrace(_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        install_filter()
        os.execvp(command[0], command)
    os.waitpid(child, _WALL)
    ptrace(_SETOPTIONS, child, 0, _OPTIONS)
    ptrace(_CONT, child)
    known, direct, count, code, started, killed = {child}, set(), 0, 1, False, False
    information = ctypes.create_string_buffer(88)
    with open(output, "w", buffering=1, encoding="utf-8") as report:
        while known:
            try:
                pid, status = os.waitpid(-1, _WALL)
            except ChildProcessError:
                break
            if os.WIFEXITED(status) or os.WIFSIGNALED(status):
                known.discard(pid)
                if pid == child:
                    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
                    report.write(json.dumps({"ended": code, "killed": killed}) + "\n")
                continue
            number, event = os.WSTOPSIG(status), status >> 16
            deliver = 0
            if event == _EVENT_SECCOMP and not killed:
                ptrace(_GET_SYSCALL_INFO, pid, 88, ctypes.addressof(information))
                call, *arguments = struct.unpack_from("=7Q", information.raw, 24)
                name = names[call]
                touched = None
                # The interpreter's own start is no step of the transaction; its first point is the command itself.
                if started or (started := name == "execve" and pid == child):
                    try:
                        touched = point_of(pid, child, pid in direct, name, tuple(arguments))
                    except OSError:
                        touched = "?"
                if touched is not None:
                    count += 1
                    record = {
                        "point": count, "by": "module" if pid == child else program_of(pid), "call": name,
                        "on": touched,
                    }  # fmt: skip
                    report.write(json.dumps(record) + "\n")
                    if count == at:
                        killed = True
                        for victim in [child] if whom == "module" else list(known):
                            os.kill(victim, signal.SIGKILL)
            elif event in _EVENTS_START:
                if pid == child:
                    message = ctypes.c_ulong()
                    ptrace(_GETEVENTMSG, pid, 0, ctypes.addressof(message))
                    direct.add(message.value)
            elif event == 0 and not (number == signal.SIGSTOP and pid not in known):
                deliver = number
            known.add(pid)
            ptrace(_CONT, pid, 0, deliver)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[5:]))
