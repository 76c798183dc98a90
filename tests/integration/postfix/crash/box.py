"""Hosts for the crash and the load tests, and what they need on this machine."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from pathlib import Path

import ansible
from hosts import COLLECTION, ROOT, Host, cgroup_options, image, missing, podman

LAB = ROOT / "extensions/molecule/lab/lab.py"


def set_up() -> None:
    """Install podman and mmdebstrap where they are not there. Raises where that cannot be had."""
    if missing():
        subprocess.run([sys.executable, str(LAB), "setup"], check=True)
    if missing():
        raise RuntimeError(missing())


class Box(Host):
    """A host that may be on a podman network, and gets the collection and these tests copied in."""

    def __init__(self, release: str, network: str = "none", role: str = "") -> None:
        self.release = release
        self.name = f"pfc-{role or release}-{uuid.uuid4().hex[:6]}"
        podman(
            "run", "-d", "--name", self.name, "--hostname", f"{role or release}.lab.test", "--network", network,
            "--systemd", "always", "--cap-add", "SYS_PTRACE", *cgroup_options(),
            "-v", f"{Path(ansible.__file__).parent}:/ansible/ansible:ro", image(release), "/lib/systemd/systemd",
        )  # fmt: skip
        self.run(f"mkdir -p {COLLECTION}/tests/integration")
        for part in ("plugins", "tests/integration/postfix"):
            podman("cp", str(ROOT / part), f"{self.name}:{COLLECTION}/{part}")
        for _attempt in range(240):
            if self.run("ss -Hltn 'sport = :25'", check=False).stdout:
                return
            time.sleep(0.25)
        raise RuntimeError(f"Postfix does not listen in {self.name}")
