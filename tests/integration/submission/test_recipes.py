"""The recipes of the documentation, run as they stand: deployed, verified, deployed again, and used.

What is set beside them is what a recipe has its reader set: the name of the relay, passwords, files of a certificate.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from routes.lab import at_once, ways
from world import outside
from world.playbook import Run

from submission.conftest import RELEASES
from submission.lab import PROTOCOLS, USERS, Server, SubmissionLab, hashed

JOE = "joe@example.com"
POSTMASTER = "postmaster@example.com"
SECONDS = 20
LIVE = "/etc/letsencrypt/live/mail.example.com"
VAULT = {"vault_relay_password": outside.USERS["ops"], "vault_joe_hash": hashed(USERS["joe"])}
MAILBOXES = "/var/mail/vhosts"
# A Dovecot whose users read their mail here, by the names that they have outside.
USERS_FILE = "".join(
    f"{user}:{hashed(USERS['joe'])}:5000:5000::{MAILBOXES}/{user}::\n" for user in (JOE, POSTMASTER)
)
DOVECOT = """\
mail_location = maildir:~/mail
auth_username_format = %Lu
passdb {
  driver = passwd-file
  args = /etc/dovecot/users
}
userdb {
  driver = passwd-file
  args = /etc/dovecot/users
}
"""
DOVECOT_24 = """\
mail_driver = maildir
mail_path = ~/mail
mail_inbox_path =
auth_username_format = %{user | lower}
passdb passwd-file {
  passwd_file_path = /etc/dovecot/users
}
userdb passwd-file {
  passwd_file_path = /etc/dovecot/users
}
protocol lmtp {
  auth_username_format = %{user | lower}
}
"""


class Cook:
    """Runs recipes on one host, or on each where releases are asked for."""

    def __init__(self, lab: SubmissionLab, hosts: Sequence[Server]) -> None:
        self.lab, self.hosts = lab, hosts

    def cooked(self, name: str, relay: str = "") -> None:
        """Deployed, verified, and a second run has nothing to do."""
        set_here = ["-e", f"postfix_relay_host={relay}.{outside.DOMAIN}"] if relay else []
        for host, run in self.play(name, *set_here).items():
            assert run.ok and run.changed, f"{host}: {run.said or run.output}"
            assert "TASK [mailops.smtp.verify : Verify the mail server]" in run.output
        # Verified it is already: once more, in short.
        for host, run in self.play(name, *set_here, "-e", "verify_select=config").items():
            assert run.ok and not run.changed, f"{host}: the second run\n{run.said or run.output}"

    def play(self, name: str, *arguments: str) -> dict[Server, Run]:
        runs = self.lab.recipe(name, self.hosts, *arguments, **VAULT)
        for run in runs.values():
            assert not any(secret in run.output for secret in VAULT.values())
        return runs

    def arrive(self, tokens: dict[Any, str], way: str, sender: str, to: str) -> None:
        for host, came in ways(tokens, SECONDS).items():
            assert came == [way], f"{host}: {came}\n{host.log(tokens[host])}"
            (one,) = host.arrived(tokens[host])
            assert (one.sender, one.to) == (sender, (to,)), f"{host}: {one}"

    def send(self, to: str) -> dict[Any, str]:
        """As cron does: by the user root, who names no sender."""
        return at_once(self.hosts, lambda host: host.send("root", to))

    def submit(self, port: int, to: str, login: str = "joe", sender: str = JOE) -> dict[Any, str]:
        tokens = {}
        for host in self.hosts:
            token, text = host.message(sender, to)
            letter = {"port": port, "sender": sender, "to": to, "text": text}
            said = host.ask(
                ("submit", {**letter, "login": (login, USERS["joe"])}), ("submit", {**letter, "login": None})
            )
            assert said == ["taken", "554 at RCPT"], f"{host}: {said}\n{host.log(token)}"
            tokens[host] = token
        return tokens


@pytest.fixture(params=RELEASES)
def cook(request: pytest.FixtureRequest, lab: SubmissionLab) -> Cook:
    made = Cook(lab, [host for host in lab.hosts if host.machine.release == request.param])
    at_once(made.hosts, Server.reset)
    for host in made.hosts:
        host.give_certificate("", f"{LIVE}/fullchain.pem", f"{LIVE}/privkey.pem")
    return made


def test_a_null_client_sends_everything_by_the_relay(cook: Cook) -> None:
    cook.cooked("null_client", "plain")
    for to, arrives in (("root", POSTMASTER), ("www-data", "www-data@example.com"), (outside.RECIPIENT,) * 2):
        cook.arrive(cook.send(to), "ops@plain:587", "root@example.com", arrives)
    assert not [port for host in cook.hosts for port in host.listening()]


def test_a_satellite_leaves_its_users_to_the_smarthost(cook: Cook) -> None:
    cook.cooked("satellite", "open")
    for to, arrives in (("root", "root@example.com"), (outside.RECIPIENT,) * 2):
        cook.arrive(cook.send(to), "open:25", "root@example.com", arrives)
    assert not [port for host in cook.hosts for port in host.listening()]


def test_a_submission_server_delivers_by_itself(cook: Cook) -> None:
    cook.cooked("submission")
    for port in (587, 465):
        cook.arrive(cook.submit(port, outside.RECIPIENT), "mx:25", JOE, outside.RECIPIENT)
    cook.arrive(cook.send("root"), "mx:25", f"root@{cook.hosts[0].machine.name}", POSTMASTER)
    assert all(host.listening() == {"587", "465"} for host in cook.hosts)


def test_a_submission_server_sends_by_a_relay(cook: Cook) -> None:
    cook.cooked("submission_and_relay", "plain")
    for port in (587, 465, 2525):
        cook.arrive(cook.submit(port, outside.RECIPIENT), "ops@plain:587", JOE, outside.RECIPIENT)
    assert all(host.listening() == {"587", "465", "2525"} for host in cook.hosts)


def test_an_mx_hands_mail_to_dovecot(cook: Cook) -> None:
    for host in cook.hosts:
        old = host.machine.release in ("bullseye", "bookworm")
        host.machine.run(f"cp -a /root/protocols.d {PROTOCOLS}; rm -rf {MAILBOXES}; mkdir {MAILBOXES}")
        host.machine.run(
            f"chown 5000:5000 {MAILBOXES}; sed -i 's/^!include auth-system/#&/' /etc/dovecot/conf.d/10-auth.conf"
        )
        host.machine.write("/etc/dovecot/local.conf", DOVECOT if old else DOVECOT_24)
        host.machine.write("/etc/dovecot/users", USERS_FILE)
        host.machine.run("systemctl start dovecot")
    cook.cooked("mx_with_dovecot", "plain")
    # From a server outside, which is told at once who is not here.
    for host in cook.hosts:
        token, text = host.message("friend@example.net", JOE)
        letter = {"port": 25, "sender": "friend@example.net", "text": text}
        asked = [("submit", {**letter, "to": to}) for to in (JOE, "nobody@example.com", outside.RECIPIENT)]
        assert host.ask(*asked) == ["taken", "550 at RCPT", "554 at RCPT"], host.log(token)
        assert token in host.read(JOE, token), host.log(token)
    cook.arrive(cook.submit(587, outside.RECIPIENT, JOE), "ops@plain:587", JOE, outside.RECIPIENT)
    assert all(host.listening() == {"25", "587", "465"} for host in cook.hosts)
