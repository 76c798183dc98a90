# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside a host: kills postfix_config at each system call that changes the disk or starts a program.

strace(1) injects SIGKILL, so that the product has no switch for it. The runs go back and forth between
two configurations, A and B. After each kill the directory must hold one of the two as a whole (where the
file system lets directories be exchanged), Postfix must start and greet, and the next run must converge.
Prints one JSON object.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from typing import Any

LIVE = "/etc/postfix"
MODULE = [sys.executable, "-m", "ansible_collections.mailops.smtp.plugins.modules.postfix_config"]
CALLS = (
    "mkdir", "link", "linkat", "symlink", "rename", "renameat2", "unlink", "unlinkat", "rmdir", "chmod", "fchmod",
    "chown", "fchown", "lchown", "utimensat", "fsync", "vfork", "clone", "fork",
)  # fmt: skip
WISHES = [
    {
        "parameters": {"smtp_helo_timeout": f"{number}s", "inet_protocols": protocols},
        "services": [{"service": "2525", "type": "inet", "private": "n", "command": "smtpd", "state": state}],
        "files": [{"path": "sasl_passwd", "content": f"[relay.example.com]:{number} joe:secret{number}", "sensitive": True}],
    }
    for number, protocols, state in ((587, "all", "absent"), (2525, "ipv4", "present"))
]  # fmt: skip


def module(wish: dict[str, Any], prefix: list[str]) -> subprocess.CompletedProcess[str]:
    given = json.dumps({"ANSIBLE_MODULE_ARGS": wish})
    return subprocess.run(
        [*prefix, *MODULE], input=given, capture_output=True, text=True, check=False, cwd="/"
    )


def state() -> str:
    result = hashlib.sha256()
    for name in ("main.cf", "master.cf", "sasl_passwd"):
        with open(os.path.join(LIVE, name), "rb") as handle:
            result.update(handle.read())
    return result.hexdigest()


def greets() -> bool:
    for _attempt in range(50):
        try:
            with socket.create_connection(("127.0.0.1", 25), timeout=10) as connection:
                return connection.recv(3) == b"220"
        except OSError:
            time.sleep(0.1)
    return False


def runs() -> bool:
    return subprocess.run(["postfix", "status"], capture_output=True, check=False).returncode == 0


def count(wish: dict[str, Any]) -> dict[str, int]:
    """How often a whole run makes each of the calls."""
    trace = "/root/trace"
    module(wish, ["strace", "-o", trace, "-e", f"trace={','.join('?' + call for call in CALLS)}"])
    with open(trace, encoding="utf-8", errors="replace") as handle:
        names = [match.group(1) for match in (re.match(r"(\w+)\(", line) for line in handle) if match]
    return {name: names.count(name) for name in dict.fromkeys(names)}


def main() -> None:
    step = int(sys.argv[1]) if sys.argv[1:] else 1
    states = []
    for wish in WISHES:
        done = module(wish, [])
        assert done.returncode == 0, done.stdout
        states.append(state())
    counts = count(WISHES[0])
    points = [(call, number) for call, total in counts.items() for number in range(1, total + 1)][::step]
    report: dict[str, Any] = {"calls": counts, "points": len(points), "killed": 0, "stopped": 0, "bad": []}
    at = 0
    for call, number in points:
        at = 1 - at
        inject = ["strace", "-o", "/dev/null", "-e", f"inject={call}:signal=KILL:when={number}"]
        killed = module(WISHES[at], [*inject, "-e", f"trace={call}"])
        report["killed"] += killed.returncode != 0
        whole = state() in states
        if not runs():
            report["stopped"] += 1
            subprocess.run(["postfix", "start"], capture_output=True, check=False)
        served = greets()
        again = module(WISHES[at], [])
        left = [name for name in os.listdir("/etc") if name.startswith(".postfix")]
        converged = again.returncode == 0 and state() == states[at] and not left and runs() and greets()
        third = module(WISHES[at], [])
        still = third.returncode == 0 and json.loads(third.stdout)["changed"] is False
        if not (whole and served and converged and still):
            report["bad"].append({
                "call": call, "number": number, "whole": whole, "served": served, "converged": converged,
                "still": still, "left": left, "said": again.stdout[-600:] + again.stderr[-600:] + third.stdout[-300:],
            })  # fmt: skip
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
