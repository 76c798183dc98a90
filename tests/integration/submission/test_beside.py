"""Other programs beside Postfix: a milter signs what users submit and the host sends, a policy server limits each user."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
from collections.abc import Iterator

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from routes.lab import at_once, ways
from world import outside
from world.playbook import play

from submission.lab import USERS, Server, SubmissionLab, relay

SENDER = "joe@example.test"
SECONDS = 20
KEY = rsa.generate_private_key(65537, 2048)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
).decode()
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
)
OPENDKIM = """\
Syslog yes
Mode s
Domain example.test
Selector mail
KeyFile /etc/dkimkeys/mail.private
Canonicalization relaxed/simple
OversignHeaders From
Socket inet:8891@127.0.0.1
PidFile /run/opendkim/opendkim.pid
UserID opendkim
"""
# Two messages an hour for each login, and then: later.
POLICY = """
import yaml
path = "/etc/policyd-rate-limit.yaml"
settings = yaml.safe_load(open(path))
settings["limits"] = [[2, 3600]]
yaml.safe_dump(settings, open(path, "w"))
"""
MILTERS = {"smtpd_milters": "inet:127.0.0.1:8891", "non_smtpd_milters": "$smtpd_milters"}


def verifies(message: bytes) -> bool:
    """By another implementation than the one that signs."""
    keys = {b"mail._domainkey.example.test.": b"v=DKIM1; k=rsa; p=" + PUBLIC}
    return bool(dkim.verify(message, dnsfunc=lambda name, timeout=5: keys.get(name)))


def start_milter(host: Server) -> None:
    host.machine.write("/etc/opendkim.conf", OPENDKIM)
    host.machine.write("/etc/dkimkeys/mail.private", PRIVATE, "600")
    host.machine.run("chown -R opendkim:opendkim /etc/dkimkeys; systemctl restart opendkim")


def start_policy_server(host: Server) -> None:
    host.machine.run("python3 -", stdin=POLICY)
    host.machine.run("systemctl restart policyd-rate-limit")


def stage(host: Server) -> dict[str, str]:
    """When the server of this release counts."""
    old = host.machine.release in ("bullseye", "bookworm")
    return {"postfix_submission_policy_stage": "recipient"} if old else {}


@pytest.fixture(scope="module")
def signing(lab: SubmissionLab) -> Iterator[SubmissionLab]:
    lab.reset()
    at_once(lab.hosts, start_milter)
    at_once(lab.hosts, start_policy_server)
    wanted = relay(postfix_parameters=MILTERS, postfix_submission_policy_services=["unix:ratelimit/policy"])
    runs = play("deploy", {host.machine: {**wanted, **stage(host)} for host in lab.hosts})
    for machine, run in runs.items():
        assert run.ok, f"{machine.release}: {run.said or run.output}"
    yield lab
    at_once(lab.hosts, lambda host: host.machine.run("systemctl stop policyd-rate-limit opendkim"))


def test_what_leaves_by_the_relay_is_signed(signing: SubmissionLab) -> None:
    submitted = {}
    for host in signing.hosts:
        submitted[host], text = host.message(SENDER)
        letter = {"sender": SENDER, "to": outside.RECIPIENT, "text": text}
        assert host.ask(("submit", {"port": 587, "login": ("joe", USERS["joe"]), **letter})) == ["taken"]
    for tokens in (submitted, signing.send(SENDER, outside.RECIPIENT)):
        for host, came in ways(tokens, SECONDS).items():
            assert came == ["ops@plain:587"], f"{host}: {came}\n{host.log(tokens[host])}"
            message = host.delivered(tokens[host]).encode().replace(b"\n", b"\r\n")
            assert b"\r\nDKIM-Signature: " in message, message
            assert verifies(message), message
            for old, new in ((b"\r\nSubject: ", b"\r\nSubject: x"), (b"\r\n\r\n", b"\r\n\r\nx")):
                assert not verifies(message.replace(old, new, 1))


def test_each_user_has_a_limit_of_his_own(signing: SubmissionLab) -> None:
    letter = {"port": 587, "to": outside.RECIPIENT, "text": "Subject: x\n\nx"}

    def letters(user: str, sender: str, many: int) -> list[tuple[str, dict[str, object]]]:
        return [("submit", {**letter, "login": (user, USERS[user]), "sender": sender})] * many

    for host in signing.hosts:
        said = host.ask(*letters("ann@example.org", "ann@example.org", 3), *letters("joe", SENDER, 1))
        end = "450 at RCPT" if stage(host) else "450 SMTPDataError"
        assert said == ["taken", "taken", end, "taken"], f"{host}: {host.log('x')}"
