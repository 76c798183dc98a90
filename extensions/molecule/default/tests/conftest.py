"""What the stories share: the lab, ansible-playbook as a user runs it, and testinfra hosts over the lab's SSH.

Run by Molecule as its verifier, or by hand: "pytest extensions/molecule/default/tests" brings the lab up itself.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import testinfra
from testinfra.host import Host

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[3]
sys.path.insert(0, str(HERE.parents[1] / "lab"))

import lab as tool

MAIL_HOSTS = [host.name for host in tool.CAST if host.role == "mail"]


class Run(NamedTuple):
    """One run of ansible-playbook."""

    status: int
    output: str
    mails: Sequence[dict[str, str]] = ()
    """What the relay had received at its end; of the first deployment only."""

    def tasks(self, host: str, play: int = 0) -> int:
        """How many tasks of a play, counted from 0, were executed on a host."""
        part = re.split(r"^PLAY \[", self.output, flags=re.MULTILINE)[play + 1]
        return len(re.findall(rf"^(?:ok|changed): \[{host}\]", part, re.MULTILINE))

    def recap(self, host: str) -> dict[str, int]:
        """The counters of a host in the play recap; empty if the run did not reach it."""
        line = re.search(rf"^{host} +: (ok=.*)$", self.output, re.MULTILINE)
        return {key: int(n) for key, n in re.findall(r"(\w+)=(\d+)", line.group(1))} if line else {}

    def failures(self, host: str) -> str:
        """The messages with which tasks failed on a host."""
        found = re.findall(rf"^fatal: \[{host}\]: FAILED! => (\{{.*\}})$", self.output, re.MULTILINE)
        return "\n".join(json.loads(text).get("msg", text) for text in found)


Playbook = Callable[..., Run]


@pytest.fixture(scope="session")
def lab() -> tool.Lab:
    instance = tool.Lab(os.environ.get("MAILOPS_LAB_NAME", "molecule"))
    instance.up()
    for host in instance.hosts:
        instance.restore(host)
    return instance


@pytest.fixture(scope="session")
def playbook(lab: tool.Lab) -> Playbook:
    """Run a playbook of the collection: playbook("deploy", "--check", hosts="no587")."""
    environment = {
        "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / ".build" / "collections"),
        **os.environ,
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_PIPELINING": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }

    def run(name: str, *arguments: str, hosts: str = "mail") -> Run:
        command = ["ansible-playbook", "-i", str(lab.state / "inventory.yml"), f"mailops.smtp.{name}"]
        done = subprocess.run(
            [*command, "-e", f"smtp_hosts={hosts}", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environment,
            timeout=300,
            check=False,
        )
        return Run(done.returncode, done.stdout)

    return run


@pytest.fixture(scope="session")
def on(lab: tool.Lab) -> Callable[[str], Host]:
    """A host of the lab for testinfra: on("healthy").file("/etc/postfix/main.cf")."""
    return lambda name: testinfra.get_host(f"ssh://{name}", ssh_config=str(lab.state / "ssh_config"))


@pytest.fixture(scope="session")
def deployed(lab: tool.Lab, playbook: Playbook) -> Run:
    """A site run on hosts that are configured already; the relay's mailbox has the mails of this run alone."""
    lab.empty_mailbox()
    run = playbook("site")
    if run.status == 0 and any(run.recap(name)["changed"] for name in MAIL_HOSTS):
        lab.empty_mailbox()
        run = playbook("site")
    return run._replace(mails=lab.mails())


@pytest.fixture
def no587(lab: tool.Lab, deployed: Run) -> Iterator[tool.Host]:
    """The host whose network the stories change; it gets its own circumstances back."""
    host = lab.host("no587")
    yield host
    lab.restore(host)
