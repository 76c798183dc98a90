"""Hosts with a real Postfix: podman containers that boot systemd, without a network.

Images are built once with mmdebstrap from Debian's packages, one release each, and kept by podman. Commands go in
through the namespaces of the first process, with what this process may do: that takes 5 ms where "podman exec" takes 150.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
import zlib
from pathlib import Path
from typing import Any

import ansible

ROOT = Path(__file__).resolve().parents[3]
MIRROR = os.environ.get("MAILOPS_DEBIAN_MIRROR", "http://deb.debian.org/debian")
PACKAGES = (
    "systemd-sysv,dbus,iproute2,postfix,python3,libsasl2-modules,"
    "ca-certificates,ssl-cert,openssl,strace,procps"
)
RELEASES = os.environ.get("MAILOPS_POSTFIX_RELEASES", "bullseye bookworm trixie sid").split()
_CONF = "[containers]\ndefault_ulimits=['nofile=4096:4096','nproc=4096:4096']\n[engine]\nruntime='runc'\n"
COLLECTION = "/collections/ansible_collections/mailops/smtp"
ENVIRONMENT = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
)
# Neither Ansible nor the collection is compiled anew by each run.
PYTHON = ("PYTHONPATH=/ansible:/collections", "PYTHONPYCACHEPREFIX=/var/cache/python")
# It is used in threads, and pytest changes os.environ as it goes.
OUTER = dict(os.environ)


def podman(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    conf = Path(tempfile.gettempdir()) / "mailops-postfix-test-containers.conf"
    if not conf.exists():
        conf.write_text(_CONF)
    environment = {**OUTER, "CONTAINERS_CONF": str(conf)}
    check = options.pop("check", True)
    command = ["podman", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=check, **options)


def image(release: str) -> str:
    # Since 3.10.6-3 Debian builds lmdb into the package postfix itself.
    return built("postfix-test", release, PACKAGES + ("" if release in ("sid", "forky") else ",postfix-lmdb"))


def built(name: str, release: str, packages: str) -> str:
    """The image of a release with these packages of Debian, made when podman does not have it yet."""
    made = f"localhost/mailops-{name}:{release}-{zlib.crc32(packages.encode()):08x}"
    if podman("image", "exists", made, check=False).returncode:
        with tempfile.TemporaryDirectory(dir="/var/tmp") as room:
            archive = os.path.join(room, "root.tar")
            command = ["mmdebstrap", "--mode=root", "--variant=apt", f"--include={packages}"]
            # A mirror of the unstable release may lag behind what its index promises.
            command += ["--aptopt=Acquire::Check-Valid-Until false", release, archive, MIRROR]
            subprocess.run(command, check=True, capture_output=True)
            podman("import", "-c", 'CMD ["/lib/systemd/systemd"]', archive, made)
    return made


def entering(pid: int) -> list[str]:
    """The words before a command that make it run inside the container with this first process."""
    return ["nsenter", "-t", str(pid), "-m", "-u", "-i", "-n", "-p", "-C", "env", "-i", *ENVIRONMENT]


def bounds(pid: int) -> list[str]:
    """The words before a command that make it run with the capabilities of this process at most."""
    may = int(re.search(r"^CapBnd:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1], 16)  # type: ignore[index]
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    dropped = ",".join(f"-cap_{number}" for number in range(last + 1) if not may >> number & 1)
    return ["setpriv", f"--bounding-set={dropped}"] if dropped else []


class Host:
    """One container. The collection is copied in, so that a test sees one state of it."""

    def __init__(
        self,
        release: str,
        *more: str,
        systemd: bool = True,
        ptrace: bool = True,
        network: str = "none",
        name: str = "",
    ) -> None:
        """Without `ptrace`, root may not look into the processes of others (CAP_SYS_PTRACE), as in most containers.
        Without systemd nor that, its first process waits for no children. `more` are options of podman-run(1)."""
        self.release = release
        first = ["/lib/systemd/systemd"] if systemd else ["sleep", "infinity"]
        self.name = f"pft-{name or release}-{uuid.uuid4().hex[:6]}"
        options = ["--network", network, "--systemd", "always", *cgroup_options()]
        options += ["--cap-add", "SYS_PTRACE"] if systemd and ptrace else []
        options += ["-v", f"{Path(ansible.__file__).parent}:/ansible/ansible:ro"]
        options += ["--hostname", f"{name or release}.lab.test", *more]
        podman("run", "-d", "--name", self.name, *options, image(release), *first)
        self.pid = int(podman("inspect", "-f", "{{.State.Pid}}", self.name).stdout)
        self.entering = [*entering(self.pid), *PYTHON, *bounds(self.pid)]
        self._receive("plugins", "tests/integration/postfix")
        if not systemd:
            self.run("postfix start")
        for _attempt in range(600):
            if self.run("ss -Hltn 'sport = :25'", check=False).stdout:
                return
            time.sleep(0.1)
        raise RuntimeError(f"Postfix does not listen in {self.name}")

    def _receive(self, *parts: str) -> None:
        made = subprocess.run(
            ["tar", "-c", "--exclude", "__pycache__", "-C", str(ROOT), *parts],
            stdout=subprocess.PIPE,
            check=True,
        )
        command = f"mkdir -p {COLLECTION} && tar -x --no-same-owner -C {COLLECTION}"
        subprocess.run([*self.entering, "bash", "-c", command], input=made.stdout, check=True, cwd="/")

    def run(self, command: str, check: bool = True, stdin: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self.entering, "bash", "-c", command],
            input=stdin, capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(
                f"{self.name}: {command}\nstatus {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done

    def own_directory(self) -> None:
        """Give the container /etc/postfix in its own layer: one of the image's layer cannot be exchanged."""
        self.run(
            "cp -a /etc/postfix /etc/postfix.own && rm -rf /etc/postfix && mv /etc/postfix.own /etc/postfix"
        )

    def module(self, name: str, check_mode: bool = False, wrap: str = "", **arguments: Any) -> dict[str, Any]:
        """Run a module as Ansible does; `wrap` is a command to run it under."""
        given = {
            **arguments,
            "_ansible_check_mode": check_mode,
            "_ansible_diff": True,
            "_ansible_verbosity": 4,
        }
        done = self.run(
            f"{wrap} python3 -m ansible_collections.mailops.smtp.plugins.modules.{name}",
            check=False,
            stdin=json.dumps({"ANSIBLE_MODULE_ARGS": given}),
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        result: dict[str, Any] = json.loads(lines[-1]) if lines else {}
        return {**result, "code": done.returncode, "everything": done.stdout + done.stderr}

    def serves(self) -> bool:
        probe = "exec 3<>/dev/tcp/127.0.0.1/25 && read -t 20 line <&3 && [[ $line == 220* ]]"
        return self.run(probe, check=False).returncode == 0

    def snapshot(self) -> str:
        """Every file of the configuration directory: path, mode, owner, content."""
        return self.run(
            "cd /etc/postfix && find . -type f -printf '%P %m %u %g ' -exec sha256sum {} \\; | sort"
        ).stdout

    def left_over(self) -> str:
        return self.run("ls -A /etc | grep '^.postfix' || true").stdout.strip()

    def destroy(self) -> None:
        podman("rm", "-f", "-t", "0", self.name, check=False)


def cgroup_options() -> list[str]:
    """The unified cgroup tree of a hybrid machine: systemd 258 and later boot on no other."""
    hybrid = Path("/sys/fs/cgroup/unified")
    if Path("/sys/fs/cgroup/cgroup.controllers").exists() or not hybrid.is_dir():
        return []
    return ["--cgroupns", "host", "-v", f"{hybrid}:/sys/fs/cgroup:rw"]


def set_up() -> None:
    """Install podman and mmdebstrap where they are not there. Raises where that cannot be had."""
    if missing():
        subprocess.run([sys.executable, str(ROOT / "extensions/molecule/lab/lab.py"), "setup"], check=True)
    if missing():
        raise RuntimeError(missing())


def missing() -> str:
    """Why these tests cannot run here; empty when they can."""
    for program in ("podman", "mmdebstrap", "nsenter"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return "" if os.geteuid() == 0 else "root is needed for mmdebstrap and podman here"
