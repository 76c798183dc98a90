#!/usr/bin/env python3
"""The race: the playbook mailops.smtp.deploy against other Postfix roles that you have fetched, at one task.

  run.py [--runs N] [--suite SUITE] [--peers FILE] [--collections DIRECTORY] [NAME=FOLDER]...
  run.py geerlingguy=/tmp/ansible-role-postfix oefenweb=/tmp/ansible-postfix

NAME is a description in FILE (peers.example.yml beside this file), FOLDER is where that role lies. Without any, our own
figures alone. Needs root or sudo, and what the lab needs (extensions/molecule/lab/lab.py setup).

The task: send all mail through a relay on port 587 with TLS and a login. Each role has a host of its own, all from one
image, with Postfix as the distribution ships it and every package installed that the role asks for. A first run per
role, then rounds of converged runs, the roles taking turns. Wall seconds are those of ansible-playbook; CPU seconds are
those of ansible-playbook and of the host together. Whether mail then arrives at the relay is tried.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import argparse
import atexit
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import yaml

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[2]
sys.path.insert(0, str(PROJECT / "extensions/molecule/lab"))

import lab

SLACK = 2.0
"""How often our converged run must fit into that of the fastest peer that can do the job."""
OURS = "mailops.smtp"
RELAY = {
    "relay_host": f"relay.{lab.DOMAIN}",
    "relay_port": 587,
    "relay_user": lab.RELAY_USER,
    "relay_password": lab.RELAY_PASSWORD,
    "relay_ca_file": "/etc/ssl/certs/ca-certificates.crt",
}
OUR_VARIABLES = {
    "postfix_relay_host": "{{ relay_host }}",
    "postfix_relay_username": "{{ relay_user }}",
    "postfix_relay_password": "{{ relay_password }}",
    "postfix_relay_ports": [587],
}


class Runner(NamedTuple):
    """One role in the race."""

    name: str
    host: str
    playbook: list[Any]
    roles: dict[str, str]
    """Role names and the folders that they lie in."""
    collections: dict[str, str]
    packages: list[str]


class Run(NamedTuple):
    wall: float
    cpu: float
    tasks: int
    changed: int
    failed: bool
    text: str


def our_runner() -> Runner:
    play = yaml.safe_load((PROJECT / "playbooks/deploy.yml").read_text())
    play[0].update(hosts="ours", vars=OUR_VARIABLES)
    return Runner(OURS, "ours", play, {}, {OURS: str(PROJECT)}, [])


def peer(name: str, folder: str, described: dict[str, Any], number: int) -> Runner:
    """A peer from its description: role, variables, packages, and where roles alone do not do, play and collections."""
    host = f"peer{number}"
    role = described.get("role", name)
    play = {"name": name, "hosts": host, "gather_facts": True, "roles": [role], **described.get("play", {})}
    play["vars"] = described.get("variables", {})
    collections = {key: os.path.join(folder, path) for key, path in described.get("collections", {}).items()}
    return Runner(
        name, host, [play], {} if collections else {role: folder}, collections, described.get("packages", [])
    )


class Track:
    """The relay and a host for each runner."""

    def __init__(self, runners: list[Runner], suite: str, collections: str) -> None:
        self.collections = collections
        relay = next(host for host in lab.CAST if host.role == "relay")
        hosts = [lab.Host(runner.host, "mail", suite, runner.name, lab.QEMU) for runner in runners]
        self.lab = lab.Lab(f"race-{uuid.uuid4().hex[:6]}", [relay, *hosts])
        self.room = Path(tempfile.mkdtemp(prefix="mailops-race-"))
        atexit.register(self.close)
        self.lab.up()

    def close(self) -> None:
        self.lab.down()
        shutil.rmtree(self.room, ignore_errors=True)

    def sh(self, runner: Runner, command: str, check: bool = True) -> str:
        done = self.lab.ssh(self.lab.host(runner.host), command, check=check, timeout=600)
        return str(done.stdout.decode("utf-8", "replace"))

    def prepare(self, runner: Runner) -> None:
        """Install the packages, and lay the playbook out where ansible-playbook finds all that it names."""
        packages = " ".join(["postfix", "libsasl2-modules", *runner.packages])
        self.sh(runner, "apt-get -q update")
        self.sh(
            runner, f"DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends {packages}"
        )
        place = self.room / runner.host
        (place / "roles").mkdir(parents=True)
        for name, folder in runner.roles.items():
            (place / "roles" / name).symlink_to(Path(folder).resolve())
        for name, folder in runner.collections.items():
            link = place / "collections/ansible_collections" / name.replace(".", "/")
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(Path(folder).resolve())
        (place / "playbook.yml").write_text(yaml.safe_dump(runner.playbook, sort_keys=False))
        (place / "ansible.cfg").touch()
        (place / "relay.json").write_text(json.dumps(RELAY))

    def cpu_of(self, runner: Runner) -> float:
        """CPU seconds that the host has used since its start."""
        container = self.lab.container(self.lab.host(runner.host))
        said = lab.run(lab.podman("stats", "--no-stream", "--format", "{{.CPUNano}}", container)).stdout
        return int(said) / 1e9

    def play(self, runner: Runner) -> Run:
        place = self.room / runner.host
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "ANSIBLE_ROLES_PATH": str(place / "roles"),
            "ANSIBLE_COLLECTIONS_PATH": f"{place / 'collections'}:{self.collections}",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_CONFIG": str(place / "ansible.cfg"),
            "ANSIBLE_LOCALHOST_WARNING": "0",
        }
        command = [
            "ansible-playbook",
            "-i",
            str(self.lab.state / "inventory.yml"),
            str(place / "playbook.yml"),
        ]
        before = self.cpu_of(runner)
        began = time.monotonic()
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen(
                [*command, "-e", f"@{place / 'relay.json'}"], cwd=place, env=environment, stdout=output,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
            _pid, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            wall = time.monotonic() - began
            output.seek(0)
            text = output.read()
        cpu = usage.ru_utime + usage.ru_stime + self.cpu_of(runner) - before
        recap = re.search(
            rf"^{runner.host}\s+:\s+ok=(\d+)\s+changed=(\d+).*?failed=(\d+)", text, re.MULTILINE
        )
        ok, changed, failed = map(int, recap.groups()) if recap else (0, 0, 1)
        return Run(wall, cpu, ok + failed, changed, process.returncode != 0 or bool(failed), text)

    def mail_arrives(self, runner: Runner) -> str:
        """Send a message as a program on the host would, and look for it at the relay."""
        subject = f"race-{runner.host}"
        self.sh(
            runner,
            f"printf 'Subject: {subject}\\n\\n.\\n' | sendmail -f root@{lab.DOMAIN} {lab.RECIPIENT}",
            False,
        )
        for _attempt in range(20):
            for mail in self.lab.mails():
                if mail.get("subject") == subject:
                    return "yes" if mail.get("auth") and mail.get("tls") else "without login"
            time.sleep(0.5)
        return "no"


def table(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if not place else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths))
        ]
        lines.append("  ".join(cells))
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Race the role against others at one task.")
    parser.add_argument(
        "--runs", type=int, default=5, help="converged runs of each role (default: %(default)s)"
    )
    parser.add_argument(
        "--suite", default="bookworm", help="Debian suite of the hosts (default: %(default)s)"
    )
    parser.add_argument(
        "--peers", type=Path, default=HERE / "peers.example.yml", help="descriptions of the peers"
    )
    parser.add_argument("--collections", default="", metavar="DIRECTORY", help="collections that peers need")
    parser.add_argument("peer", nargs="*", metavar="NAME=FOLDER", help="a described peer and where it lies")
    arguments = parser.parse_args()
    described = yaml.safe_load(arguments.peers.read_text())
    runners = [our_runner()]
    for number, word in enumerate(arguments.peer, 1):
        name, _equals, folder = word.partition("=")
        if name not in described or not os.path.isdir(folder):
            parser.error(f"{word}: {arguments.peers} describes {', '.join(described)}; the folder must exist")
        runners.append(peer(name, folder, described[name], number))

    track = Track(runners, arguments.suite, arguments.collections)
    lab.in_parallel(track.prepare, runners)
    first: dict[str, Run] = {}
    arrives: dict[str, str] = {}
    for runner in runners:
        first[runner.name] = track.play(runner)
        arrives[runner.name] = track.mail_arrives(runner)
        if first[runner.name].failed:
            print(f"{runner.name}: the first run failed:\n{first[runner.name].text[-3000:]}", file=sys.stderr)
    again: dict[str, list[Run]] = {runner.name: [] for runner in runners}
    for _round in range(arguments.runs):
        for runner in runners:
            again[runner.name].append(track.play(runner))

    def converged(name: str, figure: str) -> float:
        return float(statistics.median(getattr(run, figure) for run in again[name]))

    rows = [
        ["role", "first run: s", "CPU s", "tasks", "converged: s", "CPU s", "tasks", "changed", "mail arrives",
         "s / ours", "CPU / ours"],
    ]  # fmt: skip
    for runner in runners:
        name, one = runner.name, first[runner.name]
        rows.append([
            name, f"{one.wall:.1f}", f"{one.cpu:.1f}", str(one.tasks), f"{converged(name, 'wall'):.1f}",
            f"{converged(name, 'cpu'):.1f}", f"{converged(name, 'tasks'):.0f}", f"{converged(name, 'changed'):.0f}",
            "the run fails" if one.failed else arrives[name],
            f"{converged(name, 'wall') / converged(OURS, 'wall'):.1f}",
            f"{converged(name, 'cpu') / converged(OURS, 'cpu'):.1f}",
        ])  # fmt: skip
    load = os.getloadavg()[0]
    about = f"median of {arguments.runs} converged runs, hosts on Debian {arguments.suite}, load {load:.1f}"
    print(f"\n{about}\n")
    print(table(rows))

    capable = [name for name in first if name != OURS and arrives[name] == "yes" and not first[name].failed]
    ours_do = arrives[OURS] == "yes" and not first[OURS].failed and not converged(OURS, "changed")
    if not ours_do:
        print("\nours does not do the job")
        return 1
    if capable:
        fastest = min(capable, key=lambda name: converged(name, "wall"))
        ratio = converged(fastest, "wall") / converged(OURS, "wall")
        print(
            f"\nfastest peer that does the job: {fastest}, {ratio:.1f} times our converged run; promised is {SLACK:g}"
        )
        return int(ratio < SLACK)
    return 0


if __name__ == "__main__":
    sys.exit(main())
