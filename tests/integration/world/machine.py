"""Mail servers as machines of their own: podman containers that boot systemd, joined by cables to the outside.

Rules of this file: a machine has no network but the cable it is given, so nothing leaves this computer; commands go in
through the namespaces of its first process, which takes 5 ms where "podman exec" takes 150.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/integration/postfix"))

from hosts import built, cgroup_options, entering, podman

PACKAGES = (
    "systemd-sysv,dbus,iproute2,procps,nftables,python3,python3-apt,ca-certificates,openssl,ssl-cert,"
    "postfix,postfix-lmdb,postfix-pcre,postfix-sqlite,libsasl2-modules,libnss-myhostname,libnss-mdns,"
    "dovecot-core,sqlite3"
)
# What starts by itself on such a machine and is none of its circumstances.
MASKED = (
    "apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer getty.target "
    "console-getty.service ldconfig.service systemd-journal-catalog-update.service systemd-logind.service "
    "systemd-update-done.service systemd-pstore.service"
)


def image(release: str, more: str = "", name: str = "mail-host") -> str:
    """The image of a release. One with `more` packages has a name of its own."""
    return built(name, release, PACKAGES + more)


class Failed(Exception):
    """A command inside a machine did not do what it should."""


class Machine:
    """One container. `name` is also its host name."""

    def __init__(self, release: str, name: str, units: str = "", base: Callable[[str], str] = image) -> None:
        """`base` gives the image of a release."""
        self.release = release
        self.name = name
        self.container = f"mailops-{name.partition('.')[0]}-{uuid.uuid4().hex[:6]}"
        options = ["--network", "none", "--systemd", "always", "--hostname", name, *cgroup_options()]
        prepare = f"for unit in {MASKED} dovecot.service; do ln -sf /dev/null /etc/systemd/system/$unit; done; {units}"
        start = f"{prepare} exec /lib/systemd/systemd"
        podman("run", "-d", "--name", self.container, *options, base(release), "/bin/sh", "-c", start)
        self.pid = int(podman("inspect", "-f", "{{.State.Pid}}", self.container).stdout)

    def wait(self) -> None:
        """Until systemd has started what it starts."""
        for _attempt in range(240):
            state = self.run("systemctl is-system-running", check=False).stdout.strip()
            if state in ("running", "degraded"):
                return
            time.sleep(0.25)
        raise Failed(f"{self.container} does not boot: {state}")

    def run(
        self, command: str, check: bool = True, stdin: str = "", timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*entering(self.pid), "bash", "-c", command],
            input=stdin,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            check=False,
            timeout=timeout,
            cwd="/",
        )
        if check and done.returncode:
            raise Failed(f"{self.name}: {command}\nstatus {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def write(self, path: str, content: str, mode: str = "644") -> None:
        self.run(f"mkdir -p $(dirname '{path}') && cat >'{path}' && chmod {mode} '{path}'", stdin=content)

    def give_own_copies(self, *paths: str) -> None:
        """Directories of the image's layer cannot be renamed: give the machine copies in its own."""
        for path in paths:
            self.run(f"cp -a {path} {path}.own && rm -rf {path} && mv {path}.own {path}")

    def unbind(self, *paths: str) -> None:
        """podman binds its own files over a few of /etc: put plain files there."""
        for path in paths:
            self.run(
                f"cat {path} >/run/plain; umount {path}; cat /run/plain >{path}; rm /run/plain", check=False
            )

    def destroy(self) -> None:
        podman("rm", "-f", "-t", "0", self.container, check=False)


def plug(outside: Machine, number: int, machine: Machine) -> None:
    """Join a machine to the outside: its addresses are 198.19.<number>.2 and .3, fd5e:19:<number>::2 and ::3."""

    def ip(pid: int, *words: str) -> None:
        subprocess.run(["nsenter", "-t", str(pid), "-n", "ip", *words], check=True, capture_output=True)

    def sysctl(pid: int, *settings: str) -> None:
        command = ["nsenter", "-t", str(pid), "-n", "sysctl", "-q", "-w", *settings]
        subprocess.run(command, check=True, capture_output=True)

    far, near = f"to{number}", "eth0"
    sysctl(machine.pid, "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.all.disable_ipv6=0")
    link = ["ip", "link", "add", far, "netns", str(outside.pid), "type", "veth", "peer", "name", near]
    subprocess.run([*link, "netns", str(machine.pid)], check=True, capture_output=True)
    for pid, device, last in ((outside.pid, far, (1,)), (machine.pid, near, (2, 3))):
        ip(pid, "link", "set", device, "up")
        for n in last:
            ip(pid, "address", "add", f"198.19.{number}.{n}/24", "dev", device)
            # The first address is the one that the kernel chooses as a source; of IPv6 it would take the last.
            lifetime = ["preferred_lft", "0"] if n == 3 else []
            ip(pid, "-6", "address", "add", f"fd5e:19:{number}::{n}/64", "dev", device, *lifetime, "nodad")
    ip(machine.pid, "route", "add", "default", "via", f"198.19.{number}.1")
    ip(machine.pid, "-6", "route", "add", "default", "via", f"fd5e:19:{number}::1")


def answer_everywhere(outside: Machine) -> None:
    """Every address of two prefixes is the outside's own."""
    for words in (
        ("sysctl", "-q", "-w", "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.all.disable_ipv6=0"),
        ("sysctl", "-q", "-w", "net.ipv4.ip_nonlocal_bind=1", "net.ipv6.ip_nonlocal_bind=1"),
        ("sysctl", "-q", "-w", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"),
        ("ip", "route", "add", "local", "198.18.0.0/16", "dev", "lo"),
        ("ip", "-6", "route", "add", "local", "fd5e:18::/64", "dev", "lo"),
    ):
        subprocess.run(["nsenter", "-t", str(outside.pid), "-n", *words], check=True, capture_output=True)


def end_in_order() -> None:
    """Let a termination end the run as an interrupt does, so that no machine is left behind."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt)


def missing() -> str:
    """Why these tests cannot run here; empty when they can."""
    for program in ("podman", "mmdebstrap", "nsenter", "ip", "sysctl"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return "" if os.geteuid() == 0 else "root is needed for podman and its namespaces here"
