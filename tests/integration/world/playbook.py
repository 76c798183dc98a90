"""ansible-playbook, as a user runs it, on machines of the tests.

The command line is run in a fork of this process, which has Ansible imported already: a run is a second shorter.
MAILOPS_COLLECTION names another tree of the collection to test, an older one for instance.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .machine import ROOT, Machine

TREE = Path(os.environ.get("MAILOPS_COLLECTION", ROOT)).resolve()
_HERE = Path(__file__).resolve().parent
_ROOM = Path(tempfile.mkdtemp(prefix="mailops-playbook-"))

(_ROOM / "collections/ansible_collections/mailops").mkdir(parents=True)
(_ROOM / "collections/ansible_collections/mailops/smtp").symlink_to(TREE)
os.environ.update(
    ANSIBLE_COLLECTIONS_PATH=str(_ROOM / "collections"),
    ANSIBLE_CONNECTION_PLUGINS=str(_HERE / "connection"),
    ANSIBLE_PIPELINING="1",
    ANSIBLE_NOCOLOR="1",
    ANSIBLE_FORCE_COLOR="0",
    ANSIBLE_RETRY_FILES_ENABLED="0",
    ANSIBLE_LOCALHOST_WARNING="0",
    ANSIBLE_INVENTORY_UNPARSED_WARNING="0",
    ANSIBLE_LOCAL_TEMP=str(_ROOM / "tmp"),
    ANSIBLE_FORKS="4",
)
os.environ.pop("ANSIBLE_CONFIG", None)

# Ansible reads its settings from the environment when it is imported.
from ansible.cli.playbook import PlaybookCLI


class Run(NamedTuple):
    """What one run said and did to one machine."""

    output: str
    counts: dict[str, int]
    """The counters of the recap; empty if the run did not reach the machine."""
    said: str
    """What the tasks that failed on this machine said."""
    seconds: float
    tasks: int
    """How many tasks were executed on the machine."""
    status: int
    """The exit status of the command, which is one for all machines."""

    @property
    def ok(self) -> bool:
        return bool(self.counts) and not self.counts["failed"] and not self.counts["unreachable"]

    @property
    def changed(self) -> int:
        return self.counts.get("changed", 0)


def play(name: str, given: Mapping[Machine, Mapping[str, Any]], *arguments: str) -> dict[Machine, Run]:
    """Run a playbook of the collection ("deploy"), or that of a path, on machines, each with its variables.

    They are the group "mail".
    """
    playbook = name if name.endswith(".yml") else f"mailops.smtp.{name}"
    inventory = _ROOM / f"inventory-{os.getpid()}.json"
    inventory.write_text(json.dumps({"mail": {"hosts": {m.release: _host(m, v) for m, v in given.items()}}}))
    inventory.chmod(0o600)
    log = _ROOM / f"run-{os.getpid()}.log"
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _child(["ansible-playbook", "-i", str(inventory), playbook, *arguments], log)
    _pid, status = os.waitpid(pid, 0)
    seconds = time.monotonic() - began
    output = log.read_text(errors="backslashreplace")
    return {
        machine: _run(machine.release, output, seconds, os.waitstatus_to_exitcode(status))
        for machine in given
    }


def _host(machine: Machine, variables: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ansible_connection": "inside",
        "ansible_inside_pid": machine.pid,
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        **{key: _unsafe(value) for key, value in variables.items()},
    }


def _unsafe(value: Any) -> Any:
    return {"__ansible_unsafe": value} if isinstance(value, str) and re.search(r"\{[{%#]", value) else value


def _child(words: list[str], log: Path) -> None:
    # A group of its own: Ansible signals its whole group when it ends its workers.
    os.setsid()
    status = 70
    try:
        target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(target, 1)
        os.dup2(target, 2)
        # What pytest has put in their place is not the log.
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, mode) for n, mode in ((0, "r"), (1, "w"), (2, "w")))
        sys.argv = words
        status = PlaybookCLI(words).run() or 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        print(f"ERROR: {type(error).__name__}: {error}")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _run(host: str, output: str, seconds: float, status: int) -> Run:
    recap = re.search(rf"^{host} +: (ok=.*)$", output, re.MULTILINE)
    counts = {key: int(n) for key, n in re.findall(r"(\w+)=(\d+)", recap.group(1))} if recap else {}
    failures = re.findall(rf"^fatal: \[{host}\]: FAILED! => (\{{.*\}})$", output, re.MULTILINE)
    # A failure that is explained in the table of routes is not explained a second time.
    tables = (
        re.findall(r"^Routes for mail.*?^preflight: .*?$", output, re.MULTILINE | re.DOTALL)
        if failures
        else []
    )
    said = "\n".join([*failures, *(" ".join(table.split()) for table in tables)])
    tasks = len(re.findall(rf"^(?:ok|changed): \[{host}\]", output, re.MULTILINE))
    return Run(output, counts, said, seconds, tasks, status)


def clean() -> None:
    import shutil

    shutil.rmtree(_ROOM, ignore_errors=True)
