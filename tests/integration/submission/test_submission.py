"""Users submit mail on 587, 465 and 2525 and it leaves by the relay; strangers do not; and all of it goes away again."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from routes.lab import at_once, ways
from world import certificates, outside
from world.others import Others
from world.playbook import play

from submission.lab import KEY, OTHER, USERS, SubmissionLab, relay

PORTS = (587, 465, 2525)
JOE, ANN = (("joe", USERS["joe"]), ("ann@example.org", USERS["ann@example.org"]))
TO = outside.RECIPIENT
SECONDS = 20
# What somebody has made by hand: it is not to be open any more, and comes back.
OWN = "submission inet n - y - - smtpd\n  -o syslog_name=postfix/by-hand\n  -o smtpd_relay_restrictions=reject\n"
WHOLE = relay(
    postfix_submission_sni={OTHER: {"cert_file": "/etc/ssl/org.pem", "key_file": "/etc/ssl/private/org.key"}},
    postfix_submission_senders={
        "joe": ["joe@example.test", "@example.net"],
        "ann@example.org": "ann@example.org",
    },
    postfix_submission_message_size=100_000,
)


# Every file of Dovecot's, with owner and mode, and the two of Postfix's that the role changes.
AS_IT_IS = (
    "find /etc/dovecot -type f -printf '%P %m %u %g ' -exec sha256sum -b {} \\; | sort;"
    "cat /etc/postfix/main.cf /etc/postfix/master.cf"
)


@pytest.fixture(scope="module")
def deployed(lab: SubmissionLab) -> Iterator[SubmissionLab]:
    """Hosts with an entry of their own for 587, on which the role has run: looked at, done, and done again."""
    lab.reset()
    at_once(lab.hosts, lambda host: host.machine.run("cat >>/etc/postfix/master.cf", stdin=OWN))
    lab.deploy(WHOLE)
    yield lab


def submission(port: int, login: Any, sender: str, text: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "submit", {"port": port, "login": login, "sender": sender, "to": TO, "text": text, **more}


@pytest.mark.parametrize("port", PORTS)
def test_users_submit_and_their_mail_leaves_by_the_relay(deployed: SubmissionLab, port: int) -> None:
    tokens = {}
    for host in deployed.hosts:
        token, text = host.message()
        assert host.ask(submission(port, JOE, "joe@example.test", text)) == ["taken"], host
        tokens[host] = token
    for host, came in ways(tokens, SECONDS).items():
        assert came == ["ops@plain:587"], f"{host}: {came}\n{host.log(tokens[host])}"


# Mail programs of others. The message is on standard input, the password in the environment.
PROGRAMS = {
    "swaks": "swaks --silent 2 --server {name} --port {port} --{swaks} --tls-verify --tls-ca-path /root/world.pem"
    ' --auth PLAIN --auth-user joe --auth-password "$WORD" --from {sender} --to {to} --data -',
    "msmtp": "msmtp --host={name} --port={port} --tls=on --tls-starttls={msmtp} --tls-trust-file=/root/world.pem"
    " --auth=plain --user=joe --passwordeval='echo $WORD' --from={sender} {to}",
    "OpenSMTPD": 'printf "joe\\n%s\\n" "$WORD" >/root/logins;'
    " smtp -s {opensmtpd}://{name}:{port} -a /root/logins -T cafile=/root/world.pem -F {sender} {to}",
    "nodemailer": 'node /opt/npm/submit.cjs {name} {port} joe "$WORD" {sender} {to}',
}
STARTTLS = {"swaks": "tls", "msmtp": "on", "opensmtpd": "smtp+tls"}
IMPLICIT = {"swaks": "tls-on-connect", "msmtp": "off", "opensmtpd": "smtps"}
NODEMAILER = Path(__file__).resolve().parent / "nodemailer.cjs"


@pytest.fixture(scope="module")
def others(lab: SubmissionLab) -> Iterator[Others]:
    made = Others(lab.far)
    try:
        made.write("/root/world.pem", certificates.ROOT)
        made.write("/opt/npm/submit.cjs", NODEMAILER.read_text(encoding="utf-8"))
        yield made
    finally:
        made.destroy()


@pytest.mark.parametrize("program", PROGRAMS)
def test_mail_programs_of_others_submit_on_each_port(
    deployed: SubmissionLab, others: Others, program: str
) -> None:
    sender = "joe@example.test"
    for port in PORTS:
        words = IMPLICIT if port == 465 else STARTTLS
        tokens = {}
        for host in deployed.hosts:
            tokens[host], text = host.message(sender)
            command = PROGRAMS[program].format(
                name=host.machine.name, port=port, sender=sender, to=TO, **words
            )
            others.run("sh", "-c", f"export WORD={USERS['joe']}; {command}", stdin=text)
        for host, came in ways(tokens, SECONDS).items():
            assert came == ["ops@plain:587"], f"{host} {port}: {came}\n{host.log(tokens[host])}"
            assert [(one.sender, one.to) for one in host.arrived(tokens[host])] == [(sender, (TO,))]


def test_programs_of_the_host_send_as_well(deployed: SubmissionLab) -> None:
    tokens = deployed.send("ops@example.test", TO)
    for host, came in ways(tokens, SECONDS).items():
        assert came == ["ops@plain:587"], f"{host}: {came}\n{host.log(tokens[host])}"


WRONG = {("joe", "wrong"): 587, ("nobody", "x"): 465, ("joe", ANN[1]): 2525}
FORGET = "systemctl restart dovecot; until [ -S /var/spool/postfix/private/auth ]; do sleep 0.1; done"


@pytest.mark.parametrize(
    ("what", "login", "sender", "more", "ends"),
    [
        ("without a login", None, "joe@example.test", {}, "554 at RCPT"),
        ("without a login, to a domain of this host", None, "", {"to": "root@localhost"}, "554 at RCPT"),
        ("a wrong password", ("joe", "wrong"), "joe@example.test", {}, "535 SMTPAuthenticationError"),
        ("a user who is none", ("nobody", "x"), "joe@example.test", {}, "535 SMTPAuthenticationError"),
        ("another user's password", ("joe", ANN[1]), "joe@example.test", {}, "535 SMTPAuthenticationError"),
        ("as somebody else", JOE, "ann@example.org", {}, "553 at RCPT"),
        ("as nobody's address", JOE, "x@example.com", {}, "553 at RCPT"),
        ("as one of his domain", JOE, "any@example.net", {}, "taken"),
        ("as himself", ANN, "ann@example.org", {}, "taken"),
        ("without a sender", JOE, "", {}, "taken"),
        ("too large a message", JOE, "joe@example.test", {"text": "x" * 200_000}, "552 SMTPSenderRefused"),
        ("to somebody who is not here", JOE, "joe@example.test", {"to": "nobody@localhost"}, "taken"),
        ("TLS 1.1", JOE, "joe@example.test", {"old": True}, "SSLError"),
        (
            "a certificate for another name",
            JOE,
            "joe@example.test",
            {"name": "x.test"},
            "SSLCertVerificationError",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_who_may_send_what(
    deployed: SubmissionLab, what: str, login: Any, sender: str, more: dict[str, Any], ends: str
) -> None:
    ports = PORTS
    if login in WRONG:
        # Dovecot has a client wait the longer the more often it was wrong, and the third time longer than Postfix does.
        ports = (WRONG[login],)
        at_once(deployed.hosts, lambda host: host.machine.run(FORGET))
    dialogues = [
        submission(port, login, sender, **{"text": f"Subject: {what}\n\nx", **more}) for port in ports
    ]
    for host, found in deployed.ask(*dialogues).items():
        assert all(each.startswith(ends) for each in found), f"{host}: {found}\n{host.log('x')}"


def test_outside_of_tls_there_is_no_login_and_no_mail(deployed: SubmissionLab) -> None:
    lines = ["AUTH PLAIN AGpvZQBXb3JkLW9mLWpvZS03", "MAIL FROM:<joe@example.test>"]
    for port in (587, 2525):
        clear = ("features", {"port": port, "tls": False})
        said = ("commands", {"port": port, "tls": False, "lines": lines})
        for host, (known, codes) in deployed.ask(clear, said).items():
            assert "starttls" in known and "auth" not in known, f"{host} {port}: {known}"
            assert codes == [530, 530], f"{host} {port}: {codes}"


def test_a_stranger_learns_and_gets_nothing(deployed: SubmissionLab) -> None:
    lines = ["VRFY root", "EXPN root", "ETRN example.org", "MAIL FROM:<a@b.test>", "DATA", "BDAT 1 LAST"]
    for port in PORTS:
        asked = [("commands", {"port": port, "lines": lines}), ("features", {"port": port})]
        for host, (codes, known) in deployed.ask(*asked).items():
            assert [code // 100 for code in codes] == [5, 5, 5, 2, 5, 5], f"{host} {port}: {codes}"
            assert "auth" in known
            assert not {"vrfy", "etrn", "chunking", "starttls"} & set(known), f"{host} {port}: {known}"


ENDINGS = [
    "\n.\n",
    "\n.\r\n",
    "\r\n.\n",
    "\r.\r\n",
    "\r\n.\r",
    "\r.\r",
    "\n.\r",
    "\r\n\0.\r\n",
    "\r\r\n.\r\r\n",
]


def test_no_second_message_is_smuggled_in(deployed: SubmissionLab) -> None:
    for host in deployed.hosts:
        asked = {"port": 587, "login": JOE, "sender": "joe@example.test", "to": TO}
        tokens = [host.message()[0] for _ in ENDINGS]
        host.ask(*[("smuggle", {**asked, "token": one, "ending": end}) for one, end in zip(tokens, ENDINGS)])
        last, text = host.message()
        assert host.ask(submission(587, JOE, "joe@example.test", text)) == ["taken"]
        ways({host: last}, SECONDS)
        log = host.machine.run("journalctl -q -o cat SYSLOG_FACILITY=2").stdout
        for one, end in zip(tokens, ENDINGS):
            assert f"{one}-smuggled" not in log, f"{host}: {end!r}"


def test_each_name_has_its_certificate(deployed: SubmissionLab) -> None:
    for port in PORTS:
        names = [("serials", {"port": port}), ("serials", {"port": port, "name": OTHER})]
        for host, (one, other) in deployed.ask(*names).items():
            assert isinstance(one, list) and isinstance(other, list), f"{host}: {one} {other}"
            assert one != other


def test_the_listeners_are_those_that_are_named(deployed: SubmissionLab) -> None:
    for host in deployed.hosts:
        assert host.listening() == {"25", "587", "465", "2525"}, host


def test_a_renewed_certificate_is_served_without_a_run(deployed: SubmissionLab) -> None:
    """By each smtpd from its start on: at once by one more, and by all when they have been idle, or after a reload."""
    for host in deployed.hosts:
        new = host.give_certificate()
        org = host.give_certificate(OTHER, "/etc/ssl/org.pem", "/etc/ssl/private/org.key")
        seen = host.ask(
            ("serials", {"port": 587, "at_once": 4}), ("serials", {"port": 465, "name": OTHER, "at_once": 4})
        )
        assert new in seen[0] and org in seen[1], f"{host}: {new} {org} {seen}"
        host.machine.run("postfix reload")
        time.sleep(1)
        for port in PORTS:
            assert host.ask(("serials", {"port": port})) == [[new]], host
            assert host.ask(("serials", {"port": port, "name": OTHER})) == [[org]], host
    for host, run in deployed.play(WHOLE).items():
        assert run.ok and not run.changed, f"{host}: {run.output}"


def test_ports_that_are_taken_away_leave_no_trace(deployed: SubmissionLab) -> None:
    rest = {name: value for name, value in WHOLE.items() if not name.startswith("postfix_submission")}
    before = {host: host.snapshot() for host in deployed.hosts}
    deployed.deploy(rest)
    for host in deployed.hosts:
        assert "mailops" not in host.machine.run("cat /etc/postfix/master.cf").stdout, host
        assert host.machine.run("cat /etc/postfix/master.cf").stdout.endswith(OWN), host
        files = {line.split()[0] for line in host.snapshot().splitlines() if "~ " not in line}
        assert files < {line.split()[0] for line in before[host].splitlines()}, host
        assert not host.machine.run(
            "ls /etc/dovecot /etc/dovecot/conf.d | grep mailops", check=False
        ).stdout, host
        assert not [name for name in files if "submission" in name], host
        assert host.listening() <= {"25", "587"}, host
        assert "submission" not in host.machine.run("postconf -n; postconf -M; postconf -P").stdout.replace(
            "submission inet", ""
        ).replace("submission/inet", ""), host


@pytest.mark.parametrize(
    ("prepare", "variables", "told"),
    [
        (
            "true",
            {"postfix_submission_cert_file": "/etc/ssl/none.pem"},
            "the file /etc/ssl/none.pem does not exist",
        ),
        (
            "openssl genrsa -out /root/other.key 2048",
            {"postfix_submission_key_file": "/root/other.key"},
            "is not the key of this certificate",
        ),
        (
            "true",
            {
                "postfix_submission_sni": {
                    "mail.example.net": {"cert_file": "/etc/ssl/org.pem", "key_file": KEY}
                }
            },
            "is for mail.example.org, and not for mail.example.net",
        ),
        (
            "postconf -e inet_interfaces=127.0.0.1 smtpd_banner=mine",
            {},
            "postfix_submission_ports is set, and by inet_interfaces",
        ),
    ],
    ids=["no certificate", "another key", "another name", "nobody could come"],
)
def test_what_could_not_work_is_refused_by_the_users_names(
    lab: SubmissionLab, prepare: str, variables: dict[str, Any], told: str
) -> None:
    lab.reset()
    at_once(lab.hosts, lambda host: host.machine.run(prepare))
    for host, said in lab.refused({**relay(), **variables}).items():
        assert told in said, f"{host}: {said}"
        # A key that belongs to no certificate is told where that is named.
        named = (
            "postfix_submission_sni: "
            if "postfix_submission_sni" in variables
            else "postfix_submission_cert_file: "
        )
        assert not variables or named in said, f"{host}: {said}"
        assert not host.machine.run(
            "ls /etc/dovecot /etc/dovecot/conf.d | grep mailops", check=False
        ).stdout, host


def test_a_host_without_a_certificate_and_without_port_25(lab: SubmissionLab) -> None:
    lab.reset()
    wanted = relay(
        postfix_submission_ports="auto",
        postfix_submission_cert_file="",
        postfix_submission_key_file="",
        postfix_submission_self_signed=True,
        postfix_smtp_inbound=False,
        postfix_submission_rate=2,
    )
    lab.deploy(wanted)
    for host in lab.hosts:
        assert host.listening() == {"587", "465"}, host
        assert not host.machine.run("ss -Hltn sport = :25").stdout, host
        made = host.machine.run("openssl x509 -in /etc/postfix/mailops_submission.pem -noout -text").stdout
        assert f"DNS:{host.machine.name}" in made, host
        assert host.machine.run("stat -c '%a %U' /etc/postfix/mailops_submission.pem").stdout == "600 root\n"
        host.far.write(
            "/root/world.pem", host.machine.run("openssl x509 -in /etc/postfix/mailops_submission.pem").stdout
        )
        found = host.ask(*[submission(587, JOE, "joe@example.test", "Subject: x\n\nx") for _ in range(3)])
        assert found[:2] == ["taken", "taken"], f"{host}: {found}"
        assert found[2].startswith("450 "), f"{host}: {found}"


def test_the_way_back_takes_dovecot_along(lab: SubmissionLab) -> None:
    lab.reset()
    as_it_was = {host: host.machine.run(AS_IT_IS).stdout for host in lab.hosts}
    lab.deployed(relay())
    for host in lab.hosts:
        assert host.machine.run(AS_IT_IS).stdout != as_it_was[host], host
        assert {"587", "465", "2525"} <= host.listening(), host
    back = {host.machine: {} for host in lab.hosts}
    first, second = (play("rollback", back, "-e", "rollback_to=original") for _ in range(2))
    for host in lab.hosts:
        assert first[host.machine].ok and first[host.machine].changed, first[host.machine].output
        assert second[host.machine].ok and not second[host.machine].changed, second[host.machine].output
        assert host.machine.run(AS_IT_IS).stdout == as_it_was[host], host
        assert not host.machine.run("ls /var/spool/postfix/private/auth", check=False).stdout, host
        assert host.listening() <= {"25"}, host
