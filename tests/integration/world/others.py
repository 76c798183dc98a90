"""Mail servers and mail programs of others on the outside: the root of ../oracles, on its network."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import uuid

from hosts import podman

from .machine import ROOT, Machine, entering
from .outside import RESOLVER


class Others:
    def __init__(self, far: Machine) -> None:
        image = ROOT / "tests/integration/oracles/image"
        root = subprocess.run([image], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        self.container = f"mailops-others-{uuid.uuid4().hex[:6]}"
        network = ["--network", f"container:{far.container}"]
        podman("run", "-d", "--name", self.container, *network, "--rootfs", f"{root}:O", "sleep", "infinity")
        self.pid = int(podman("inspect", "-f", "{{.State.Pid}}", self.container).stdout)
        self.write("/etc/resolv.conf", f"nameserver {RESOLVER}\n")

    def run(self, *words: str, stdin: str = "") -> str:
        done = subprocess.run(
            [*entering(self.pid), *words], input=stdin, capture_output=True, text=True, check=False, cwd="/"
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
        return done.stdout

    def write(self, path: str, content: str, mode: str = "644") -> None:
        self.run(
            "sh",
            "-c",
            f"mkdir -p $(dirname {path}); umask 077; cat >{path}; chmod {mode} {path}",
            stdin=content,
        )

    def destroy(self) -> None:
        podman("rm", "-f", "-t", "0", self.container, check=False)
