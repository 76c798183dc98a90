"""Makes each situation on a host of each release, deploys, sends a message, and says what came of both.

Pairs of hosts, one of each release, take one situation after the other, each pair in a process of its own.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from world import outside
from world.machine import Machine, entering

from .situations import Situation

RELEASES = ("bookworm", "trixie")
KEPT = "/var/lib/kept"
COURIER = (outside.HERE / "courier.py").read_text()


class Outcome(NamedTuple):
    """Of one situation on one release."""

    usable: bool
    """The role found a route and deployed it."""
    said: str
    """Why it did not."""
    fate: str
    """sent, deferred, bounced, queued (still being tried), or why there was none to see."""
    postfix: str
    """What Postfix's log said of it."""
    seconds: float

    @property
    def sent(self) -> bool:
        return self.fate == "sent"


def at_once(machines: Iterable[Machine], command: Callable[[Machine], str], stdin: str = "") -> list[str]:
    """Run a command on several machines at the same time."""
    running = [
        subprocess.Popen(
            [*entering(machine.pid), "bash", "-c", command(machine)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="backslashreplace",
            cwd="/",
        )
        for machine in machines
    ]
    for each in running:
        assert each.stdin
        each.stdin.write(stdin)
        each.stdin.close()
        each.stdin = None
    return [each.communicate(timeout=180)[0] for each in running]


def prepare_host(machine: Machine) -> None:
    """Debian's own Postfix, as its installation configures a host of this name that takes no mail from outside."""
    short = machine.name.partition(".")[0]
    machine.give_own_copies("/etc/postfix")
    machine.write("/usr/local/sbin/courier", COURIER, "755")
    machine.run(
        f"echo {machine.name} >/etc/mailname; systemctl stop postfix;"
        f"postconf -e myhostname={machine.name} inet_interfaces=loopback-only myorigin=/etc/mailname"
        f" 'mydestination=$myhostname, {machine.name}, {short}, localhost'; newaliases;"
        f"mkdir {KEPT}; cp -a /etc/postfix {KEPT}/postfix; cp -a /usr/lib/*/sasl2 {KEPT}/sasl2;"
        f"cp -a /etc/hosts /etc/resolv.conf /etc/nsswitch.conf /etc/hostname /etc/mailname /etc/aliases* {KEPT}/"
    )


RESET = f"""
postfix stop >/dev/null 2>&1
cp -a {KEPT}/hosts {KEPT}/resolv.conf {KEPT}/nsswitch.conf {KEPT}/hostname {KEPT}/mailname /etc/
cp -a {KEPT}/aliases* /etc/
hostname "$(cat /etc/hostname)"
rm -rf /etc/postfix /etc/.postfix* /etc/ansible; cp -a {KEPT}/postfix /etc/postfix
cp -a {KEPT}/sasl2/. /usr/lib/*/sasl2/
postsuper -d ALL >/dev/null 2>&1
rm -f /var/spool/postfix/etc/resolv.conf /var/spool/postfix/etc/hosts /var/spool/postfix/etc/nsswitch.conf
"""
START = """
systemctl restart postfix
for n in $(seq 200); do [ -n "$(ss -Hltn 'sport = :25')" ] && break; sleep 0.05; done
"""


def second(machine: Machine, number: int) -> str:
    return f"198.19.{number}.3"


class Pair:
    """One host of each release, joined to an outside."""

    def __init__(self, machines: dict[Machine, int]) -> None:
        self.numbers = machines
        self.machines = list(machines)
        self.ordinary = False
        """The last situation was one, so that the next ordinary one may follow as on any host whose relay changes."""

    def shell(self, text: str, machines: Sequence[Machine] | None = None) -> None:
        at_once(machines or self.machines, lambda machine: self.fill(machine, text))

    def fill(self, machine: Machine, value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("{second}", second(machine, self.numbers[machine]))
        if isinstance(value, dict):
            return {key: self.fill(machine, item) for key, item in value.items()}
        return value

    def deploy(self, machines: Sequence[Machine], variables: dict[str, Any]) -> dict[Machine, Any]:
        from world.playbook import play

        return play("deploy", {machine: self.fill(machine, variables) for machine in machines})

    def send(self, machines: Sequence[Machine], situation: Situation) -> list[dict[str, Any]]:
        sender = f"-f {situation.sender}" if situation.sender else ""
        letter = {
            "command": f"sendmail {sender} {outside.RECIPIENT}",
            "token": f"s{time.monotonic_ns()}",
            "wait": situation.wait,
        }
        texts = at_once(machines, lambda _machine: "python3 /usr/local/sbin/courier", json.dumps([letter]))
        return [_fate(text) for text in texts]

    def run(self, situation: Situation) -> dict[str, Outcome]:
        began = time.monotonic()
        if self.ordinary and situation.ordinary:
            self.shell("postsuper -d ALL >/dev/null 2>&1")
        else:
            self.shell(RESET + situation.prepare + START + situation.late)
        self.ordinary = situation.ordinary
        runs = self.deploy(self.machines, situation.variables)
        refused = [machine for machine in self.machines if not runs[machine].ok]
        unforced = self.force(refused, situation) if refused else {}
        fates = dict(zip(self.machines, self.send(self.machines, situation)))
        outcomes = {}
        for machine in self.machines:
            run, fate = runs[machine], fates[machine]
            said = "" if run.ok else run.said or run.output[-1500:]
            state = unforced.get(machine) or fate["status"]
            seconds = time.monotonic() - began
            outcomes[machine.release] = Outcome(run.ok, said, state, fate["said"], seconds)
        return outcomes

    def force(self, machines: list[Machine], situation: Situation) -> dict[Machine, str]:
        """Configure in spite of the refusal. Returns of each machine where that was refused too what was said."""
        by_hand = bool(situation.by_hand)
        if by_hand:
            self.shell(RESET + START, machines)
        ports = situation.variables["postfix_relay_ports"]
        forced = {
            **situation.variables,
            **situation.stand_in,
            "postfix_preflight": False,
            "postfix_relay_port": str(ports[0]),
        }
        runs = self.deploy(machines, forced)
        if by_hand:
            # The circumstances, around the configuration as it is now.
            identity = "true; " if "/etc/postfix" in situation.prepare else situation.prepare
            self.shell(identity + START + situation.late + situation.by_hand, machines)
        return {m: f"cannot be forced: {runs[m].said}" for m in machines if not runs[m].ok}


def _fate(text: str) -> dict[str, str]:
    try:
        letter = next(iter(json.loads(text)["letters"].values()))
    except ValueError:
        return {"status": "no courier", "said": text[-500:]}
    if letter["submitted"]:
        return {"status": "not submitted", "said": letter["said"]}
    fate = letter["fates"][0]
    return {"status": fate["status"], "said": f"{fate['relay']}: {fate['said']}"}


def run_all(situations: Sequence[Situation], pairs: int = 2) -> dict[str, dict[str, Outcome]]:
    """The outcome of each situation on each release."""
    far = Machine("bookworm", "outside.relay.test")
    numbers: dict[Machine, int] = {}
    try:
        for pair in range(pairs):
            for release in RELEASES:
                numbers[Machine(release, f"{release}{pair}.world.test")] = len(numbers) + 1
        for machine in (far, *numbers):
            machine.wait()
        outside.start(far, {machine.name: number for machine, number in numbers.items()})
        for machine, number in numbers.items():
            outside.join(far, number, machine)
            prepare_host(machine)
        return _share_out(situations, [dict(list(numbers.items())[2 * n : 2 * n + 2]) for n in range(pairs)])
    finally:
        for machine in (far, *numbers):
            machine.destroy()


def _share_out(
    situations: Sequence[Situation], groups: list[dict[Machine, int]]
) -> dict[str, dict[str, Outcome]]:
    context = multiprocessing.get_context("fork")
    following = context.Value("i", 0)
    results: Any = context.SimpleQueue()

    def work(group: dict[Machine, int]) -> None:
        pair = Pair(group)
        while True:
            with following.get_lock():
                number, following.value = following.value, following.value + 1
            if number >= len(situations):
                return
            try:
                outcome: Any = pair.run(situations[number])
            except Exception as error:
                lost = Outcome(False, f"{type(error).__name__}: {error}", "the test itself failed", "", 0)
                outcome = dict.fromkeys(RELEASES, lost)
            results.put((number, outcome))

    workers = [context.Process(target=work, args=(group,)) for group in groups]
    for worker in workers:
        worker.start()
    try:
        found: dict[int, Any] = {}
        while len(found) < len(situations):
            number, outcome = results.get()
            found[number] = outcome
            _tell(situations[number], outcome, len(found), len(situations))
    finally:
        for worker in workers:
            if sys.exc_info()[0]:
                worker.kill()
            worker.join()
    return {situations[number].name: outcome for number, outcome in found.items()}


def _tell(situation: Situation, outcomes: dict[str, Outcome], done: int, of: int) -> None:
    for release, outcome in outcomes.items():
        verdict = "usable" if outcome.usable else "not usable"
        agree = "  " if outcome.usable == outcome.sent else "! "
        print(
            f"{agree}{done:3}/{of} {outcome.seconds:5.1f} s  {release:9} {verdict:10} {outcome.fate[:20]:20} {situation.name}",
            flush=True,
        )
