"""Hosts with several relays: deployed for real, mail of several senders sent, and what arrived at which relay told.

The outside (../world) is every relay, and tells by its log on which port of which relay a message came in, and with
whose login. What is cut off is cut off there, for all hosts.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from hosts import image
from world import certificates, outside
from world.machine import Machine
from world.playbook import Run, play

CA_FILE = "/etc/ssl/other-root.pem"
CERTIFICATE, KEY = "/etc/ssl/web1.pem", "/etc/ssl/private/web1.key"
"""By which the relay "certified" knows the hosts."""
MESSAGE = "From: <{sender}>\nTo: <{to}>\nSubject: {token}\nMessage-ID: <{token}@routes.test>\n\n{token}\n"
_LINE = re.compile(r" postfix/([\w/.-]+)\[\d+\]: (\w+): (.*)$")
_CUT = """\
table inet cut
delete table inet cut
table inet cut {{
  chain input {{
    type filter hook input priority -10
    {}
  }}
}}
"""


class Arrival(NamedTuple):
    """One message that a relay took."""

    relay: str
    port: int
    login: str
    sender: str
    to: tuple[str, ...]

    @property
    def way(self) -> str:
        """As the tests write it: "ops@plain:587", or "mx:25" without a login."""
        return f"{self.login}@{self.relay}:{self.port}" if self.login else f"{self.relay}:{self.port}"


def arrivals(log: str, token: str) -> list[Arrival]:
    """What the log of the outside tells of a message, in its order."""
    came: dict[str, dict[str, Any]] = {}
    for line in log.splitlines():
        match = _LINE.search(line)
        if not match:
            continue
        service, queue_id, text = match.groups()
        if text.startswith("client="):
            relay, port, _smtpd = service.split("/")
            login = re.search(r"sasl_username=(\S+)", text)
            came[queue_id] = {
                "relay": relay,
                "port": int(port),
                "login": login.group(1) if login else "",
                "to": (),
            }
        elif queue_id in came and text == f"message-id=<{token}@routes.test>":
            came[queue_id]["ours"] = True
        elif queue_id in came and text.startswith("from=<"):
            came[queue_id]["sender"] = text[len("from=<") : text.index(">")]
        elif queue_id in came and text.startswith("to=<") and "status=sent" in text:
            came[queue_id]["to"] += (re.sub(r".*orig_to=<|to=<", "", text).partition(">")[0],)
    return [
        Arrival(each["relay"], each["port"], each["login"], each.get("sender", ""), tuple(sorted(each["to"])))
        for each in came.values()
        if each.get("ours") and each["to"]
    ]


def _passwords(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        own = [each for name, each in value.items() if str(name).endswith("password")]
        return own + [word for each in value.values() for word in _passwords(each)]
    return [word for each in value for word in _passwords(each)] if isinstance(value, list) else []


class Host:
    """A machine that the role is run on."""

    def __init__(self, machine: Machine, far: Machine, address: str = "") -> None:
        self.machine, self.far, self.address = machine, far, address
        self.sent = 0

    def __repr__(self) -> str:
        return self.machine.release

    def prepare(self) -> None:
        """Debian's own Postfix, as its installation configures a host that takes no mail from outside."""
        name = self.machine.name
        self.machine.give_own_copies("/etc/postfix")
        self.machine.write(CA_FILE, certificates.OTHER_ROOT)
        key, separator, certificate = certificates.chain(
            certificates.Recipe((name,), authority=certificates.OTHER)
        ).partition("-----BEGIN CERTIFICATE-----")
        self.machine.write(CERTIFICATE, separator + certificate)
        self.machine.write(KEY, key, "600")
        self.machine.run(
            f"echo {name} >/etc/mailname; systemctl stop postfix;"
            f"postconf -e myhostname={name} inet_interfaces=loopback-only myorigin=/etc/mailname"
            f" 'mydestination=$myhostname, {name}, {name.partition('.')[0]}, localhost'; newaliases;"
            "rm -rf /root/postfix; cp -a /etc/postfix /root/postfix; systemctl start postfix"
        )

    def reset(self) -> None:
        """As it was before any deployment, with an empty queue."""
        self.machine.run(
            "systemctl stop postfix; postsuper -d ALL 2>/dev/null; rm -rf /etc/postfix /etc/.postfix* /etc/ansible;"
            "cp -a /root/postfix /etc/postfix; systemctl start postfix"
        )

    def send(self, sender: str, *to: str, header: str = "", body: str = "") -> str:
        """Submit a message, and return the token by which it is known."""
        self.sent += 1
        token = f"{self.machine.release}-{time.monotonic_ns()}-{self.sent}"
        message = MESSAGE.format(sender=sender or "postmaster@example.test", to=", ".join(to), token=token)
        text = f"{header}\n{message}{body}" if header else message + body
        self.machine.run(f"sendmail -f '{sender}' {' '.join(to)}", stdin=text)
        return token

    def arrived(self, token: str) -> list[Arrival]:
        return arrivals(self.far.run(f"cat {outside.LOG}").stdout, token)

    def log(self, token: str) -> str:
        """What this host's log tells of a message, and its last words."""
        command = "journalctl -q -o cat -n 400 SYSLOG_FACILITY=2"
        lines = self.machine.run(command).stdout.splitlines()
        ids = {line.partition(":")[0] for line in lines if token in line}
        return "\n".join([line for line in lines if line.partition(":")[0] in ids] + ["...", *lines[-15:]])

    def queue(self) -> str:
        return self.machine.run("postqueue -p").stdout.strip()

    def snapshot(self) -> str:
        """Every file of the configuration directory, with its content."""
        command = "cd /etc/postfix && find . -type f -printf '%P %m %u %g ' -exec sha256sum -b {} \\; | sort"
        return self.machine.run(command).stdout

    def tables(self, parameter: str) -> dict[str, list[list[str]]]:
        """The rows, as key and value, of each texthash: table that a parameter names in main.cf or master.cf."""
        command = f"postconf -h {parameter}; postconf -P '*/*/{parameter}' 2>/dev/null | sed 's/^[^=]*= *//'"
        named = set(re.findall(r"texthash:([^\s,]+)", self.machine.run(command).stdout))
        found = {}
        for path in sorted(named):
            lines = self.machine.run(f"cat {path}").stdout.splitlines()
            found[path] = [line.split(None, 1) for line in lines if line.strip() and not line.startswith("#")]
        return found

    def keys(self, parameter: str) -> list[str]:
        """The keys of all those tables."""
        return sorted(row[0] for rows in self.tables(parameter).values() for row in rows)


def greetings(far: Machine, relay: str) -> dict[str, int]:
    """How many connections with TLS a relay has seen so far, by what it says of the client: Anonymous, Trusted, …"""
    found: dict[str, int] = {}
    for line in far.run(f"cat {outside.LOG}").stdout.splitlines():
        match = re.search(rf" postfix/{relay}/\d+/smtpd\S+ (\w+) TLS connection established from", line)
        if match:
            found[match[1]] = found.get(match[1], 0) + 1
    return found


def at_once(hosts: Sequence[Host], do: Callable[[Host], Any]) -> dict[Host, Any]:
    with ThreadPoolExecutor(len(hosts)) as pool:
        return dict(zip(hosts, pool.map(do, hosts)))


def ways(tokens: Mapping[Host, str], wait: float) -> dict[Host, list[str]]:
    """By which ways messages came, once each has come or the time is over."""
    end = time.monotonic() + wait
    while True:
        found = {host: [each.way for each in host.arrived(token)] for host, token in tokens.items()}
        if all(found.values()) or time.monotonic() > end:
            return found
        time.sleep(0.25)


class Lab:
    def __init__(
        self,
        releases: Iterable[str],
        units: str = "",
        base: Callable[[str], str] = image,
        kind: type[Host] = Host,
    ) -> None:
        self.far = Machine("bookworm", "outside.relay.test")
        self.machines: list[Machine] = []
        try:
            for release in releases:
                self.machines.append(Machine(release, f"{release}.world.test", units, base))
            for machine in (self.far, *self.machines):
                machine.wait()
            outside.start(self.far, {machine.name: n for n, machine in enumerate(self.machines, 1)})
            self.hosts = []
            for n, machine in enumerate(self.machines, 1):
                outside.join(self.far, n, machine)
                self.hosts.append(kind(machine, self.far, f"198.19.{n}.2"))
                self.hosts[-1].prepare()
        except BaseException:
            self.destroy()
            raise

    def cut(self, *endpoints: str, how: str = "drop") -> None:
        """No packet reaches these ("plain:587"; "plain" is all ports of it) from now on; others that were, are again."""
        rules = []
        for endpoint in endpoints:
            relay, _, port = endpoint.partition(":")
            where = f"ip daddr {outside.address(relay)} " + (
                f"tcp dport {port} " if port else "meta l4proto tcp "
            )
            rules.append(where + how)
        self.far.run("nft -f -", stdin=_CUT.format("\n".join(rules)))

    def reset(self) -> None:
        at_once(self.hosts, lambda host: host.reset())

    def send(self, sender: str, *to: str, **more: str) -> dict[Host, str]:
        return at_once(self.hosts, lambda host: host.send(sender, *to, **more))

    def play(self, variables: Mapping[str, Any], *arguments: str) -> dict[Host, Run]:
        """Run the playbook "deploy" on all hosts; no password may show in what it says."""
        runs = play("deploy", {host.machine: variables for host in self.hosts}, *arguments)
        for word in _passwords(variables):
            assert not any(word in run.output for run in runs.values()), f"{word} is shown"
        return {host: runs[host.machine] for host in self.hosts}

    def deploy(self, variables: Mapping[str, Any]) -> dict[Host, Run]:
        """Deploy as an operator does who is careful: look first, then do it, and see that a second run has nothing to do."""
        before = at_once(self.hosts, Host.snapshot)
        for host, run in self.play(variables, "--check", "--diff").items():
            assert run.ok, f"{host}: check mode\n{run.said or run.output}"
            assert run.changed, f"{host}: check mode says that nothing would change\n{run.output}"
            assert host.snapshot() == before[host], f"{host}: check mode has changed something"
        done = self.play(variables)
        for host, run in done.items():
            assert run.ok, f"{host}: {run.said or run.output}"
        for host, run in self.play(variables).items():
            assert run.ok and not run.changed, f"{host}: the second run\n{run.output}"
        return done

    def verify(self, variables: Mapping[str, Any]) -> None:
        """Deploy once more and let role verify look, which finds nothing wrong."""
        runs = play("site", {host.machine: variables for host in self.hosts})
        for host in self.hosts:
            run = runs[host.machine]
            assert run.ok and not run.changed, f"{host}: {run.said or run.output}"

    def refused(self, variables: Mapping[str, Any]) -> dict[Host, str]:
        """What was said where a deployment must fail before anything changes."""
        before = at_once(self.hosts, Host.snapshot)
        runs = self.play(variables)
        for host, run in runs.items():
            assert run.counts.get("failed") and not run.changed, f"{host}: not refused\n{run.output}"
            assert host.snapshot() == before[host], f"{host}: refused, and changed"
        return {host: " ".join(run.output.split()) for host, run in runs.items()}

    def destroy(self) -> None:
        for machine in (self.far, *self.machines):
            machine.destroy()
