"""Lays a mail server of real life on a host, sends its battery of letters, deploys a relay, sends them again, goes back.

A server is a file in servers/: its files, the commands that bring it up, and the letters with what becomes of each. Two
hosts, one of each release, take their servers one after the other, each in a process of its own.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from world import outside
from world.courier import fates
from world.machine import Failed, Machine

HERE = Path(__file__).resolve().parent
RELEASES = ("bookworm", "trixie")
SENDER = (outside.HERE / "sender.py").read_text()
KEPT = "/var/lib/kept"
RELAY = "plain"
PASSWORD = "Secret-9-of-the-user"
VARIABLES = {
    "postfix_relay_host": f"{RELAY}.{outside.DOMAIN}",
    "postfix_relay_ports": [587],
    "postfix_relay_username": "ops",
    "postfix_relay_password": outside.USERS["ops"],
}
# What is compared after the way back: path, mode, owner, group, content or target.
SNAPSHOT = """
for place in /etc/postfix* /etc/aliases* /etc/mailname; do
  find $place -type f -printf '%p %m %u %g ' -exec sha256sum -b {} \\; -o -type l -printf '%p -> %l\\n' -o -type d -printf '%p/ %m %u %g\\n'
done | awk '{ if (NF == 6) NF = 5; print }' | sort
"""


class Letter(NamedTuple):
    name: str
    to: str
    sender: str = ""
    outside: bool = False
    """It comes by SMTP from outside; otherwise from the sendmail command on the host."""
    port: int = 25
    login: tuple[str, str] | None = None
    tls: str = ""
    refused: str = ""
    """It is refused, with words that match this: that must stay so."""
    out: bool = False
    """It leaves the host by what is now the relay's way."""
    fates: int = 1
    command: str = ""
    """How it is submitted on the host, instead of sendmail."""


class Server(NamedTuple):
    name: str
    about: str
    release: str
    files: dict[str, str]
    letters: tuple[Letter, ...]
    setup: str = ""
    variables: dict[str, Any] = {}  # noqa: RUF012 # never changed
    ports: tuple[int, ...] = (25,)


class Outcome(NamedTuple):
    """What came of one server."""

    trouble: str = ""
    """The test itself failed, or a playbook did: nothing below is known."""
    before: dict[str, str] = {}  # noqa: RUF012 # never changed
    after: dict[str, str] = {}  # noqa: RUF012 # never changed
    again: dict[str, str] = {}  # noqa: RUF012 # never changed
    changed: int = -1
    tasks: int = -1
    listeners: tuple[str, str] = ("", "")
    snapshots: tuple[str, str] = ("", "")
    seconds: float = 0


def load() -> tuple[Server, ...]:
    servers = []
    for path in sorted((HERE / "servers").glob("*.yml")):
        row = yaml.safe_load(path.read_text())
        letters = tuple(
            Letter(**{**each, "login": tuple(each["login"]) if "login" in each else None})
            for each in row.pop("letters")
        )
        row["ports"] = tuple(row.get("ports", (25,)))
        servers.append(Server(path.stem, letters=letters, **row))
    return tuple(servers)


class Host:
    """The machine that a server is laid on."""

    def __init__(self, machine: Machine, number: int, far: Machine) -> None:
        self.machine = machine
        self.far = far
        self.address = f"198.19.{number}.2"
        self.cursor = ""

    def fill(self, text: str) -> str:
        return (
            text.replace("@HOST@", self.machine.name)
            .replace("@ADDRESS@", self.address)
            .replace("@PASSWORD@", PASSWORD)
        )

    def prepare(self) -> None:
        name = self.machine.name
        self.machine.give_own_copies("/etc/postfix", "/etc/dovecot")
        self.machine.run(
            f"echo {name} >/etc/mailname; systemctl stop postfix;"
            f"postconf -e myhostname={name} myorigin=/etc/mailname"
            f" 'mydestination=$myhostname, {name}, {name.partition('.')[0]}, localhost'; newaliases;"
            "useradd -m alice; useradd -m bob; useradd -r -d /var/vmail vmail; useradd -r filter;"
            f"printf 'alice:{PASSWORD}\\nbob:{PASSWORD}\\n' | chpasswd;"
            "install -d -o vmail -g vmail /var/vmail;"
            f"mkdir {KEPT}; cp -a /etc/postfix /etc/dovecot {KEPT}/; cp -a /etc/aliases* {KEPT}/"
        )
        self.machine.write("/usr/local/sbin/sender", SENDER, "755")

    def lay(self, server: Server) -> None:
        """Make the machine this server, from whatever it was."""
        self.machine.run(
            "postfix stop 2>/dev/null; postmulti -i - -p stop 2>/dev/null; systemctl stop dovecot;"
            "systemctl stop 'adoption-*'; systemctl reset-failed; pkill -x master;"
            f"rm -rf /etc/postfix* /etc/.postfix* /etc/aliases* /etc/dovecot /var/spool/postfix-* /var/lib/postfix-*;"
            f"cp -a {KEPT}/postfix {KEPT}/dovecot /etc/; cp -a {KEPT}/aliases* /etc/;"
            "rm -rf /var/mail/* /var/vmail/* /home/*/Maildir; postsuper -d ALL 2>/dev/null; true"
        )
        for path, content in server.files.items():
            self.machine.write(path, self.fill(content))
        self.machine.run("set -e\n" + self.fill(server.setup))
        self.machine.run("systemctl restart postfix")
        for port in server.ports:
            self.machine.run(
                f"for n in $(seq 100); do [ -n \"$(ss -Hltn 'sport = :{port}')\" ] && exit; sleep 0.1; done; exit 1"
            )

    def listeners(self) -> str:
        return self.machine.run("ss -Hltn | awk '{ print $4 }' | sort").stdout

    def snapshot(self) -> str:
        return self.machine.run(SNAPSHOT).stdout

    def battery(self, letters: Sequence[Letter], wait: float = 20) -> dict[str, str]:
        """Send all letters at once and say what became of each, in words that can be compared."""
        stamp = time.monotonic_ns()
        tokens = {letter.name: f"a{stamp}x{n}" for n, letter in enumerate(letters)}
        cursor = (
            self.machine.run("journalctl -q -n 1 --show-cursor -o cat | tail -n 1")
            .stdout.strip()
            .removeprefix("-- cursor: ")
        )
        answers = self._submit(letters, tokens)
        end = time.monotonic() + wait
        while True:
            log = self.machine.run(
                f"journalctl -q -o cat --after-cursor='{cursor}' SYSLOG_FACILITY=2"
            ).stdout.splitlines()
            found = {letter.name: _final(fates(log, tokens[letter.name])[1]) for letter in letters}
            waiting = [
                letter.name for letter in letters
                if answers[tokens[letter.name]] == "accepted" and len(found[letter.name]) < letter.fates
            ]  # fmt: skip
            if not waiting or time.monotonic() > end:
                break
            time.sleep(0.2)
        return {letter.name: _words(answers[tokens[letter.name]], found[letter.name]) for letter in letters}

    def _submit(self, letters: Sequence[Letter], tokens: dict[str, str]) -> dict[str, str]:
        answers, far = {}, []
        for letter in letters:
            token = tokens[letter.name]
            if letter.outside:
                row = {
                    "server": self.address,
                    "port": letter.port,
                    "from": letter.sender or "friend@example.net",
                }
                row.update(to=self.fill(letter.to), token=token, tls=letter.tls)
                if letter.login:
                    row["login"] = [self.fill(each) for each in letter.login]
                far.append(row)
                continue
            sender = f"-f {letter.sender}" if letter.sender else ""
            command = self.fill(letter.command or f"sendmail {sender} {letter.to}")
            message = f"Subject: {token}\nMessage-ID: <{token}@courier.test>\n\n{token}\n"
            done = self.machine.run(command, check=False, stdin=message)
            answers[token] = (
                "accepted"
                if done.returncode == 0
                else f"status {done.returncode}: {done.stdout}{done.stderr}"
            )
        if far:
            said = self.far.run("python3 /usr/local/sbin/sender", stdin=json.dumps(far)).stdout
            answers.update(json.loads(said))
        return answers


def _final(found: list[dict[str, str]]) -> list[dict[str, str]]:
    """Without the hops inside the host, to a content filter and back."""
    return [fate for fate in found if not fate["relay"].startswith("127.0.0.1[127.0.0.1]:100")]


def _words(answer: str, found: list[dict[str, str]]) -> str:
    if answer != "accepted":
        return f"refused: {answer}"
    if not found:
        return "no fate"
    return "; ".join(
        sorted(
            {
                f"{fate['status']} to {fate['to']} by {fate['relay']}"
                + ("" if fate["status"] == "sent" else f" ({fate['said']})")
                for fate in found
            }
        )
    )


def adopt(host: Host, server: Server) -> Outcome:
    from world.playbook import play

    began = time.monotonic()
    host.lay(server)
    before = host.battery(server.letters)
    first, heard = host.snapshot(), host.listeners()
    variables = {**VARIABLES, **server.variables}
    run = play("deploy", {host.machine: variables})[host.machine]
    if not run.ok:
        return Outcome(trouble=f"deploy failed: {run.said or run.output[-3000:]}", before=before)
    after, hears = host.battery(server.letters), host.listeners()
    second = play("deploy", {host.machine: variables})[host.machine]
    if not second.ok:
        return Outcome(trouble=f"the second deploy failed: {second.said}", before=before, after=after)
    back = play("rollback", {host.machine: {}})[host.machine]
    if not back.ok:
        trouble = f"rollback failed: {back.said or back.output[-1500:]}"
        return Outcome(trouble, before, after, {}, second.changed, second.tasks, (heard, hears))
    last = host.snapshot()
    again = host.battery(server.letters)
    seconds = time.monotonic() - began
    return Outcome(
        "", before, after, again, second.changed, second.tasks, (heard, hears), (first, last), seconds
    )


def adopt_all(servers: Sequence[Server]) -> dict[str, Outcome]:
    far = Machine("bookworm", "outside.relay.test")
    numbers = {Machine(release, f"{release}.world.test"): n for n, release in enumerate(RELEASES, 1)}
    try:
        for machine in (far, *numbers):
            machine.wait()
        outside.start(far, {machine.name: number for machine, number in numbers.items()})
        far.write("/usr/local/sbin/sender", SENDER)
        hosts = []
        for machine, number in numbers.items():
            outside.join(far, number, machine)
            hosts.append(Host(machine, number, far))
            hosts[-1].prepare()
        return _side_by_side(hosts, servers)
    finally:
        for machine in (far, *numbers):
            machine.destroy()


def _side_by_side(hosts: list[Host], servers: Sequence[Server]) -> dict[str, Outcome]:
    context = multiprocessing.get_context("fork")
    results: Any = context.SimpleQueue()

    def work(host: Host) -> None:
        for server in servers:
            if server.release != host.machine.release:
                continue
            try:
                outcome = adopt(host, server)
            except (Failed, Exception) as error:
                outcome = Outcome(trouble=f"the test itself failed: {type(error).__name__}: {error}")
            results.put((server.name, outcome))

    workers = [context.Process(target=work, args=(host,)) for host in hosts]
    for worker in workers:
        worker.start()
    try:
        found: dict[str, Outcome] = {}
        while len(found) < len(servers):
            name, outcome = results.get()
            found[name] = outcome
            print(
                f"{outcome.seconds:6.1f} s  {name}: {outcome.trouble[:100] or 'adopted and given back'}",
                flush=True,
            )
    finally:
        for worker in workers:
            if sys.exc_info()[0]:
                worker.kill()
            worker.join()
    return found
