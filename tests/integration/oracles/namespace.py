"""A place of one's own.

Network, mount and process namespaces, and in them a throw-away copy of the root directory that `image` makes, with the
mail servers and the tools of other people.

Rule of this file: nothing is left behind. When the first process of the namespaces ends, the kernel ends all the
others, and takes the mounts and the addresses away.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, Mapping, NoReturn, Sequence

HERE = Path(__file__).resolve().parent
_INSIDE = "MAILOPS_ORACLE_ROOT"


def outside() -> bool:
    return _INSIDE not in os.environ


def cache() -> Path:
    """Where that which is made once is kept."""
    return Path(os.environ.get("MAILOPS_ORACLE_CACHE", "/var/tmp/mailops-oracle"))


def enter(script: str, arguments: Sequence[str]) -> None:
    """Return only inside the namespaces: outside, make the root and run the script again in them."""
    if not outside():
        return
    if os.geteuid() != 0:
        sys.exit("must be run as root: it makes namespaces and mounts")
    root = subprocess.run([HERE / "image"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    sys.stdout.flush()
    os.environ[_INSIDE] = root
    kinds = ["--mount", "--net", "--pid", "--ipc", "--uts"]
    # exec: who ends this process ends unshare, which takes everything along.
    os.execvp(
        "unshare",
        ["unshare", *kinds, "--fork", "--kill-child", "--mount-proc", sys.executable, script, *arguments],
    )


class Place:
    """The root, writable and thrown away afterwards, with loopback up and only the names given in ``hosts``."""

    def __init__(self, hosts: Mapping[str, Sequence[str]]) -> None:
        lower = Path(os.environ[_INSIDE])
        mount = lower.parent / "mount"
        mount.mkdir(exist_ok=True)
        _run("mount", "-t", "tmpfs", "-o", "size=2g,mode=0755", "tmpfs", mount)
        self.root = mount / "root"
        for name in ("root", "upper", "work", "log"):
            (mount / name).mkdir()
        self._logs = mount / "log"
        layers = f"lowerdir={lower},upperdir={mount / 'upper'},workdir={mount / 'work'}"
        _run("mount", "-t", "overlay", "-o", layers, "overlay", self.root)
        _run("mount", "--rbind", "/dev", self.root / "dev")
        _run("mount", "-t", "proc", "proc", self.root / "proc")
        for name in ("run", "tmp"):
            _run("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", self.root / name)
        for name, text in {
            "hosts": "".join(f"{address} {' '.join(names)}\n" for address, names in hosts.items()),
            "resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
            "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        }.items():
            path = self.write(f"etc/{name}", text)
            if Path("/etc", name).exists():
                _run("mount", "--bind", path, f"/etc/{name}")
        _run("chroot", self.root, "ip", "link", "set", "lo", "up")
        _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def command(self, *arguments: object) -> list[str]:
        return ["chroot", str(self.root), *map(str, arguments)]

    def run(self, *arguments: object, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run a program of the root to its end, stdout and stderr in one."""
        more = {"stdin": subprocess.DEVNULL, "timeout": 60, **more}
        if "input" in more:
            del more["stdin"]
        return subprocess.run(
            self.command(*arguments), check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **more,
        )  # fmt: skip

    def must(self, *arguments: object, **more: Any) -> str:
        done = self.run(*arguments, **more)
        if done.returncode:
            sys.exit(f"{' '.join(map(str, arguments))}: exit status {done.returncode}\n{done.stdout}")
        return done.stdout

    def start(
        self, name: str, *arguments: object, pin: int | None = None, **more: Any
    ) -> subprocess.Popen[bytes]:
        """Start a server of the root in the foreground; what it says goes to its log."""
        command = self.command(*arguments)
        if pin is not None:
            command = ["taskset", "--cpu-list", str(pin), *command]
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log(name), stderr=subprocess.STDOUT, **more
        )

    def log(self, name: str) -> IO[bytes]:
        return (self._logs / name).open("ab")

    def give_up(self, why: str) -> NoReturn:
        for path in [*sorted(self._logs.iterdir()), *self.root.glob("var/log/postfix.log")]:
            lines = path.read_text(errors="replace").splitlines()[-20:]
            print(f"---- {path.name}", *lines, sep="\n", file=sys.stderr)
        sys.exit(why)

    def await_listeners(self, endpoints: Sequence[tuple[str, int]], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        for endpoint in endpoints:
            while not _listens(endpoint):
                if time.monotonic() > deadline:
                    self.give_up(f"nothing listens on {endpoint[0]} port {endpoint[1]} after {seconds:g} s")
                time.sleep(0.1)


def _listens(endpoint: tuple[str, int]) -> bool:
    # Looks the listener up instead of connecting: a connection would be the first one of a server that counts them.
    table, bits = ("/proc/net/tcp6", 128) if ":" in endpoint[0] else ("/proc/net/tcp", 32)
    family = socket.AF_INET6 if bits == 128 else socket.AF_INET
    packed = socket.inet_pton(family, endpoint[0])
    words = [packed[at : at + 4][::-1].hex().upper() for at in range(0, bits // 8, 4)]
    wanted = f"{''.join(words)}:{endpoint[1]:04X}"
    with open(table) as lines:
        return any(fields[1] == wanted and fields[3] == "0A" for fields in map(str.split, lines))


def _run(*arguments: object) -> None:
    subprocess.run(list(map(str, arguments)), check=True)
