"""Runs of the collection's playbooks, as a user starts them."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[3]


class Run(NamedTuple):
    code: int
    text: str

    @property
    def words(self) -> str:
        """The output with every gap one blank, since Ansible folds long lines."""
        return " ".join(self.text.split())

    def recap(self, host: str) -> dict[str, int]:
        line = next(line for line in self.text.splitlines() if line.startswith(host) and " ok=" in line)
        return {word.split("=")[0]: int(word.split("=")[1]) for word in line.split() if "=" in word}


# Playbooks run in threads, and pytest changes os.environ as it goes.
OUTER = dict(os.environ)


def playbook(name: str, inventory: Path, *arguments: str, **more: str) -> Run:
    """ansible-playbook with a playbook of the collection, or with a file of this name."""
    path = name if os.path.sep in name else str(ROOT / "playbooks" / f"{name}.yml")
    environment = {
        **OUTER,
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        "ANSIBLE_NOCOLOR": "1",
        **more,
    }
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory), path, *arguments]
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=inventory.parent,
    )
    return Run(done.returncode, done.stdout + done.stderr)
