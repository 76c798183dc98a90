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

USERS = {"joe": "Word-of-joe-7", "ann@example.org": "Word of ann: 8"}
CLIENT = Path(__file__).resolve().parent / "client.py"
CERTIFICATE, KEY = "/etc/ssl/mail.pem", "/etc/ssl/private/mail.key"
OTHER = "mail.example.org"
"""Another name of the hosts, with a certificate of its own."""


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


class Server(Host):
    """A host that users submit to."""

    def prepare(self) -> None:
        super().prepare()
        self.machine.give_own_copies("/etc/dovecot")
        self.machine.run("systemctl stop dovecot; cp -a /etc/dovecot /root/dovecot")
        self.give_certificate()
        self.give_certificate(OTHER, "/etc/ssl/org.pem", "/etc/ssl/private/org.key")

    def reset(self) -> None:
        self.machine.run(
            "systemctl stop dovecot; rm -rf /etc/dovecot /var/spool/postfix/private/auth;"
            "cp -a /root/dovecot /etc/dovecot; systemctl reset-failed"
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

    def listening(self) -> set[str]:
        """The ports of all TCP sockets that other hosts reach."""
        lines = self.machine.run("ss -Hltn").stdout.splitlines()
        where = [line.split()[3] for line in lines]
        return {each.rpartition(":")[2] for each in where if not each.startswith(("127.", "[::1]"))}


class SubmissionLab(Lab):
    hosts: list[Server]  # type: ignore[assignment]

    def __init__(self, releases: Iterable[str]) -> None:
        unmask = "rm -f /etc/systemd/system/dovecot.service;"
        super().__init__(releases, unmask, machine.image, Server)
        self.far.write("/root/client.py", CLIENT.read_text(encoding="utf-8"))
        self.far.write("/root/world.pem", certificates.ROOT)

    def ask(self, *dialogues: tuple[str, dict[str, Any]]) -> dict[Server, list[Any]]:
        return at_once(self.hosts, lambda host: host.ask(*dialogues))

    def deployed(self, variables: Mapping[str, Any]) -> None:
        """Have this in force, without the looks of a careful operator."""
        for host, run in self.play(variables).items():
            assert run.ok, f"{host}: {run.said or run.output}"
