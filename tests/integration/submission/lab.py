"""Hosts that offer submission and send by a relay, and clients that come to them from outside.

The outside (../world) is the relay, and the network of the clients too.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from routes.lab import MESSAGE, Host, Lab, at_once
from world import certificates, machine, outside
from world.playbook import Run, play

USERS = {"joe": "Word-of-joe-7", "ann@example.org": "Word of ann: 8"}
CLIENT = Path(__file__).resolve().parent / "client.py"
RECIPES = machine.ROOT / "docs/examples/recipes"
CERTIFICATE, KEY = "/etc/ssl/mail.pem", "/etc/ssl/private/mail.key"
OTHER = "mail.example.org"
"""Another name of the hosts, with a certificate of its own."""


def image(release: str) -> str:
    """As for other tests, with the LMTP server of Dovecot, a milter that signs and a policy server."""
    return machine.image(
        release, ",dovecot-lmtpd,opendkim,opendkim-tools,policyd-rate-limit", "submission-host"
    )


@functools.cache
def hashed(password: str) -> str:
    words = ["openssl", "passwd", "-6", "-salt", "mailopssalt", password]
    return "{SHA512-CRYPT}" + subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def relay(**more: Any) -> dict[str, Any]:
    return {
        "postfix_relay_host": f"plain.{outside.DOMAIN}",
        "postfix_relay_username": "ops",
        "postfix_relay_password": outside.USERS["ops"],
        "postfix_submission_ports": [587, 465, 2525],
        "postfix_submission_cert_file": CERTIFICATE,
        "postfix_submission_key_file": KEY,
        "postfix_submission_users": {login: hashed(word) for login, word in USERS.items()},
        **more,
    }


PROTOCOLS = "/usr/share/dovecot/protocols.d"


class Server(Host):
    """A host that users submit to."""

    def prepare(self) -> None:
        super().prepare()
        self.machine.give_own_copies("/etc/dovecot")
        # Without a protocol, as the role installs it, nobody uses Dovecot yet.
        self.machine.run(
            f"systemctl stop dovecot opendkim; cp -a /etc/dovecot /root/dovecot; mv {PROTOCOLS} /root/protocols.d"
        )
        self.give_certificate()
        self.give_certificate(OTHER, "/etc/ssl/org.pem", "/etc/ssl/private/org.key")

    def reset(self) -> None:
        self.machine.run(
            "systemctl stop dovecot opendkim; rm -rf /etc/dovecot /var/spool/postfix/private/auth;"
            f"cp -a /root/dovecot /etc/dovecot; rm -rf {PROTOCOLS}; systemctl reset-failed"
        )
        super().reset()

    def give_certificate(self, name: str = "", path: str = CERTIFICATE, key: str = KEY) -> str:
        """A new certificate for a name, of the authority that the clients trust; its serial number."""
        text = certificates.chain(certificates.Recipe((name or self.machine.name,)))
        mark = "-----BEGIN CERTIFICATE-----"
        private, _mark, chain = text.partition(mark)
        self.machine.write(key, private, "600")
        self.machine.write(path, mark + chain)
        command = f"openssl x509 -noout -serial -in {path}"
        return self.machine.run(command).stdout.strip().partition("=")[2]

    def ask(self, *dialogues: tuple[str, dict[str, Any]]) -> list[Any]:
        """How dialogues of a client on the outside with this host end."""
        whole = [
            (what, {"host": self.address, "name": self.machine.name, **more}) for what, more in dialogues
        ]
        done = self.far.run("python3 /root/client.py", stdin=json.dumps(whole), timeout=300)
        found: list[Any] = json.loads(done.stdout)
        return found

    def message(self, sender: str = "joe@example.test", to: str = outside.RECIPIENT) -> tuple[str, str]:
        """A token, and the text of a message that is known by it."""
        self.sent += 1
        token = f"{self.machine.release}-submitted-{self.sent}"
        return token, MESSAGE.format(sender=sender, to=to, token=token)

    def delivered(self, token: str) -> str:
        """The message with this token as the relay has delivered it."""
        return self.far.run(f"cat $(grep -lr {token} /var/mail/world/inbox/new)").stdout

    def read(self, user: str, token: str, seconds: int = 20) -> str:
        """The message with this token in the mailbox that Dovecot has for a user, once it is there."""
        query = f"-u {user} header Message-ID {token}"
        wait = f"timeout {seconds} sh -c 'until doveadm search {query} | grep -q .; do sleep 0.2; done'"
        return self.machine.run(
            f"{wait}; doveadm fetch {query.replace(user, user + ' text', 1)}", check=False
        ).stdout

    def listening(self) -> set[str]:
        """The ports of all TCP sockets that other hosts reach."""
        lines = self.machine.run("ss -Hltn").stdout.splitlines()
        where = [line.split()[3] for line in lines]
        return {each.rpartition(":")[2] for each in where if not each.startswith(("127.", "[::1]"))}


class SubmissionLab(Lab):
    hosts: list[Server]  # type: ignore[assignment]

    def __init__(self, releases: Iterable[str]) -> None:
        unmask = "rm -f /etc/systemd/system/dovecot.service;"
        super().__init__(releases, unmask, image, Server)
        self.far.write("/root/client.py", CLIENT.read_text(encoding="utf-8"))
        self.far.write("/root/world.pem", certificates.ROOT)

    def ask(self, *dialogues: tuple[str, dict[str, Any]]) -> dict[Server, list[Any]]:
        return at_once(self.hosts, lambda host: host.ask(*dialogues))

    def deployed(self, variables: Mapping[str, Any]) -> None:
        """Have this in force, without the looks of a careful operator."""
        for host, run in self.play(variables).items():
            assert run.ok, f"{host}: {run.said or run.output}"

    def recipe(
        self, name: str, hosts: Iterable[Server], *arguments: str, **variables: Any
    ) -> dict[Server, Run]:
        """Run a recipe of the documentation as it stands, on these hosts, with what it has its reader set."""
        given = {host.machine: variables for host in hosts}
        runs = play(str(RECIPES / f"{name}.yml"), given, *arguments)
        return {host: runs[host.machine] for host in hosts}
