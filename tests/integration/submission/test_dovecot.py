"""Who may submit mail, as Dovecot knows them: the role run by ansible-playbook, then real logins through Postfix on 587.

A host is Debian's own with Dovecot's packages. Without that of IMAP, as the role installs it, nobody uses Dovecot yet.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pytest
from world import machine
from world.machine import Machine, end_in_order, missing
from world.playbook import Run, play

RELEASES = os.environ.get("MAILOPS_POSTFIX_RELEASES", "bullseye sid").split()
OLD = ("bullseye", "bookworm")
SOCKET = "/var/spool/postfix/private/auth"
USERS = "/etc/dovecot/mailops-smtp-users"
# Logs in on 587 with each login and password that it is given, and tells the answers and how long each took.
CLIENT = """
import json, smtplib, ssl, sys, time
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
for mechanism, user, password in json.load(sys.stdin):
    client = smtplib.SMTP('127.0.0.1', 587, timeout=60)
    client.starttls(context=context)
    client.ehlo()
    client.user, client.password = user, password
    began = time.monotonic()
    try:
        code = client.auth(mechanism, getattr(client, 'auth_' + mechanism.lower()))[0]
    except smtplib.SMTPAuthenticationError as error:
        code = error.smtp_code
    print(code, round(time.monotonic() - began, 1))
    client.close()
"""
IMAP = """
import imaplib, json, sys
for user, password in json.load(sys.stdin):
    client = imaplib.IMAP4('127.0.0.1', 143)
    try:
        print(client.login(user, password)[0])
    except imaplib.IMAP4.error as error:
        print('refused')
    client.shutdown()
"""
BASE: dict[str, Any] = {
    "postfix_direct": True,
    "postfix_myhostname": "mail.dovecot.test",
    "postfix_submission_cert_file": "/etc/ssl/certs/ssl-cert-snakeoil.pem",
    "postfix_submission_key_file": "/etc/ssl/private/ssl-cert-snakeoil.key",
}


@functools.cache
def hashed(password: str) -> str:
    words = ["openssl", "passwd", "-6", "-salt", "mailopssalt", password]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def submission(users: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """The role's variables: logins with their passwords in the clear, which are hashed here."""
    named = {login: f"{{SHA512-CRYPT}}{hashed(password)}" for login, password in users.items()}
    return {
        **BASE,
        "postfix_submission_ports": [587],
        "postfix_submission_users": named,
        **more,
    }


def image(release: str) -> str:
    """As for other tests, with IMAP."""
    return machine.image(release, ",dovecot-imapd", "imap-host")


class Host:
    def __init__(self, release: str) -> None:
        # The one that is masked on all machines is what this is about.
        unmask = "rm -f /etc/systemd/system/dovecot.service;"
        self.machine = Machine(release, f"{release}.dovecot.test", unmask, base=image)
        self.release = release

    def prepare(self) -> None:
        self.machine.wait()
        self.machine.give_own_copies("/etc/postfix", "/etc/dovecot")
        self.run(
            "systemctl stop dovecot; mv /usr/share/dovecot/protocols.d /root/protocols.d;"
            f"echo {self.machine.name} >/etc/mailname; postconf -e inet_interfaces=loopback-only; newaliases;"
            "rm -rf /root/etc; mkdir /root/etc; cp -a /etc/postfix /etc/dovecot /etc/shadow /root/etc/"
        )
        self.machine.write("/root/client.py", CLIENT)
        self.machine.write("/root/imap.py", IMAP)

    def reset(self, imap: bool = False) -> None:
        """As it was before any deployment."""
        self.run(
            "systemctl stop postfix dovecot; rm -rf /etc/postfix /etc/.postfix* /etc/dovecot /etc/ansible;"
            f"rm -rf /usr/share/dovecot/protocols.d {SOCKET}; cp -a /root/etc/* /etc/;"
            + ("cp -a /root/protocols.d /usr/share/dovecot/;" if imap else "")
            + "systemctl reset-failed; systemctl start postfix dovecot"
        )

    def run(self, command: str, check: bool = True, stdin: str = "") -> str:
        return self.machine.run(command, check=check, stdin=stdin).stdout.strip()

    def give_password(self, user: str, password: str) -> None:
        """With passwd(1)'s own file: the machines have no chpasswd."""
        self.run(f"sed -i 's/^{user}:[^:]*:/{user}:x:/' /etc/passwd")
        self.run(f"grep -v '^{user}:' /etc/shadow >/run/shadow; cat /run/shadow >/etc/shadow; rm /run/shadow")
        self.run("cat >>/etc/shadow", stdin=f"{user}:{hashed(password)}:19000:0:99999:7:::\n")

    def login(self, *logins: tuple[str, str], mechanism: str = "PLAIN") -> list[tuple[int, float]]:
        """The answer to each, and the seconds until it came."""
        asked = json.dumps([(mechanism, *login) for login in logins])
        rows = self.run("python3 /root/client.py", stdin=asked).splitlines()
        return [(int(code), float(seconds)) for code, seconds in map(str.split, rows)]

    def codes(self, *logins: tuple[str, str], mechanism: str = "PLAIN") -> list[int]:
        return [code for code, _seconds in self.login(*logins, mechanism=mechanism)]

    def imap(self, *logins: tuple[str, str]) -> list[str]:
        return self.run("python3 /root/imap.py", stdin=json.dumps(logins)).splitlines()

    def snapshot(self) -> str:
        """Dovecot's configuration, and what is beside it."""
        command = "find /etc/dovecot -printf '%p %m %u %g ' -exec sh -c 'cat \"$1\" 2>/dev/null | sha256sum' - {} \\; | sort"
        return self.run(command)

    def auth_process(self) -> str:
        return self.run("pgrep -f '^dovecot/auth$'", check=False)

    def listeners(self) -> list[str]:
        return self.run("ss -Hltn | awk '{ print $4 }' | sort -u").split()

    def play(self, variables: Mapping[str, Any], *arguments: str) -> Run:
        run = play("deploy", {self.machine: variables}, *arguments)[self.machine]
        for value in (variables.get("postfix_submission_users") or {}).values():
            secret = value.rpartition("$")[2]
            assert secret not in run.output, "a hash is shown"
        return run

    def deploy(self, variables: Mapping[str, Any]) -> Run:
        """Look first, do it, and see that a second run has nothing to do, in 8 tasks."""
        before = self.snapshot()
        looked = self.play(variables, "--check", "--diff")
        assert looked.ok and looked.changed, looked.said or looked.output
        assert self.snapshot() == before, "check mode has changed something"
        done = self.play(variables, "--diff", "-vvv")
        assert done.ok and done.changed == looked.changed, done.said or done.output
        again = self.play(variables)
        assert again.ok and not again.changed, again.output
        assert again.tasks <= 8, again.output
        return done

    def refused(self, variables: Mapping[str, Any]) -> str:
        before = self.snapshot(), self.auth_process()
        for arguments in (["--check"], []):
            run = self.play(variables, *arguments)
            assert run.counts.get("failed") and not run.changed, f"not refused\n{run.output}"
            assert (self.snapshot(), self.auth_process()) == before
        return " ".join(run.said.split())


@pytest.fixture(scope="module")
def hosts() -> Iterator[dict[str, Host]]:
    if missing():
        pytest.fail(missing())
    end_in_order()
    made: dict[str, Host] = {}
    try:
        for release in RELEASES:
            made[release] = Host(release)
        with ThreadPoolExecutor(len(made)) as pool:
            list(pool.map(Host.prepare, made.values()))
        yield made
    finally:
        for host in made.values():
            host.machine.destroy()


@pytest.fixture(params=RELEASES)
def fresh(request: pytest.FixtureRequest, hosts: dict[str, Host]) -> Host:
    """Dovecot as its package leaves it."""
    hosts[request.param].reset()
    return hosts[request.param]


READER = "/etc/dovecot/readers"


@pytest.fixture(params=RELEASES)
def reading(request: pytest.FixtureRequest, hosts: dict[str, Host]) -> Host:
    """Somebody's own Dovecot, with IMAP and a list of those who read mail."""
    host = hosts[request.param]
    host.reset(imap=True)
    old = request.param in OLD
    auth = "/etc/dovecot/conf.d/10-auth.conf"
    host.machine.write(READER, f"reader@example.com:{{CRYPT}}{hashed('read-1')}:65534:65534::/tmp::\n")
    passdb = f"driver = passwd-file\n  args = {READER}" if old else f"passwd_file_path = {READER}"
    name = "" if old else "passwd-file "
    host.machine.write(
        "/etc/dovecot/conf.d/auth-readers.conf.ext",
        f"passdb {name}{{\n  {passdb}\n}}\nuserdb {name}{{\n  {passdb}\n}}\n",
    )
    host.run(f"sed -i 's/^!include auth-system.conf.ext/!include auth-readers.conf.ext/' {auth}")
    clear = "disable_plaintext_auth = no" if old else "auth_allow_cleartext = yes"
    host.machine.write("/etc/dovecot/local.conf", f"{clear}\nfirst_valid_uid = 1\n")
    host.run("systemctl restart dovecot")
    assert host.imap(("reader@example.com", "read-1")) == ["OK"]
    return host


def test_users_submit_and_nobody_else(fresh: Host) -> None:
    fresh.give_password("root", "root-1")
    fresh.deploy(submission({"joe": "joe-1", "ann@example.com": "ann-1"}))
    assert (
        fresh.codes(("joe", "joe-1"), ("ann@example.com", "ann-1"), ("Ann@Example.com", "ann-1")) == [235] * 3
    )
    assert fresh.codes(("joe", "joe-1"), mechanism="LOGIN") == [235]
    # One that succeeds makes Dovecot forget those that failed.
    good = ("joe", "joe-1")
    assert fresh.codes(("joe", "wrong"), good, ("ann", "ann-1"), good, ("root", "root-1")) == [
        535,
        235,
    ] * 2 + [535]
    # They log in for submission alone, and others for all else.
    name = "service" if fresh.release in OLD else "protocol"
    for protocol, login, word in (
        ("smtp", "joe joe-1", "succeeded"),
        ("imap", "joe joe-1", "failed"),
        ("imap", "root root-1", "succeeded"),
        ("smtp", "root root-1", "failed"),
    ):
        said = fresh.run(f"doveadm auth test -x {name}={protocol} {login}", check=False)
        assert f"auth {word}" in said, f"{protocol} {login}: {said}"
    assert fresh.run(f"stat -c '%a %U %G' {USERS} {SOCKET}") == "640 root dovecot\n660 postfix postfix"
    # Dovecot opens no port.
    assert {each.rpartition(":")[2] for each in fresh.listeners()} == {"25", "587"}


def test_a_changed_password_is_in_force_without_a_reload_and_leaves_no_trace(fresh: Host) -> None:
    fresh.deploy(submission({"joe": "joe-1", "ann": "ann-1"}))
    process, old = fresh.auth_process(), hashed("joe-1").rpartition("$")[2]
    assert fresh.codes(("joe", "joe-1")) == [235]
    fresh.deploy(submission({"joe": "joe-2", "ann": "ann-1"}))
    assert fresh.auth_process() == process
    assert fresh.codes(("joe", "joe-2"), ("ann", "ann-1"), ("joe", "joe-1")) == [235, 235, 535]
    assert fresh.run(f"grep -rlF '{old}' /etc /var /run /tmp /root 2>/dev/null", check=False) == ""
    new = hashed("joe-2").rpartition("$")[2]
    assert fresh.run(f"grep -rlF '{new}' /etc /var /run /tmp /root 2>/dev/null", check=False) == USERS
    for each in (old, new, "joe-1", "joe-2"):
        assert each not in fresh.run("journalctl -q -o cat")


def test_wrong_passwords_are_slow(fresh: Host) -> None:
    """What Dovecot does by itself, for each address: 2 s, then 6, and then longer than Postfix waits for it, 10 s."""
    fresh.deploy(submission({"joe": "joe-1"}))
    found = fresh.login(*(("joe", f"wrong-{n}") for n in range(4)))
    print(fresh.release, found)
    assert found[0][0] == found[1][0] == 535 and found[3][0] == 454
    assert found[0][1] >= 1
    assert found[3][1] >= 9


def test_it_is_taken_away_again(fresh: Host) -> None:
    before = fresh.snapshot()
    fresh.deploy(submission({"joe": "joe-1"}))
    fresh.deploy(BASE)
    assert fresh.snapshot() == before
    assert fresh.run(f"ls {SOCKET} 2>/dev/null", check=False) == ""
    assert fresh.run("systemctl is-active dovecot") == "active"
    assert {each.rpartition(":")[2] for each in fresh.listeners()} == {"25"}


def test_what_cannot_be_is_refused(fresh: Host) -> None:
    """A password in the clear, and Dovecot that is masked."""
    clear = submission({"joe": "joe-1"})
    clear["postfix_submission_users"] = {"joe": "geheim-0815"}
    run = fresh.play(clear, "-vvv")
    assert not run.ok and not run.changed and "geheim-0815" not in run.output
    assert "postfix_submission_users: what is given for joe is not a hash" in run.output
    fresh.run(
        "systemctl stop dovecot; ln -s /dev/null /etc/systemd/system/dovecot.service; systemctl daemon-reload"
    )
    try:
        assert "systemctl unmask dovecot.service" in fresh.refused(submission({"joe": "joe-1"}))
    finally:
        fresh.run("rm /etc/systemd/system/dovecot.service; systemctl daemon-reload")


def test_dovecot_is_started_and_stays_so(fresh: Host) -> None:
    fresh.run("systemctl disable --now dovecot")
    fresh.deploy(submission({"joe": "joe-1"}))
    assert fresh.run("systemctl is-enabled dovecot; systemctl is-active dovecot") == "enabled\nactive"
    assert fresh.codes(("joe", "joe-1")) == [235]


def test_pam(fresh: Host) -> None:
    fresh.give_password("root", "root-1")
    fresh.deploy(submission({}, postfix_submission_dovecot="pam"))
    assert fresh.codes(("root", "root-1"), ("root", "root-2")) == [235, 535]
    assert fresh.run(f"ls {USERS}", check=False) == ""


def test_readers_still_read(reading: Host) -> None:
    """Users submit, and those who read mail go on to, and do not submit until that is said; the way back is whole."""
    before, process = reading.snapshot(), reading.run("cat /run/dovecot/master.pid")
    reading.deploy(submission({"printer": "print-1"}))
    reader, printer = ("reader@example.com", "read-1"), ("printer", "print-1")
    assert reading.codes(printer, reader) == [235, 535]
    assert reading.imap(reader, printer) == ["OK", "refused"]
    reading.deploy(submission({"printer": "print-1"}, postfix_submission_dovecot="existing"))
    assert reading.codes(printer, reader, ("reader@example.com", "print-1")) == [235, 235, 535]
    assert reading.imap(reader, printer) == ["OK", "refused"]
    reading.deploy(submission({}, postfix_submission_dovecot="existing"))
    assert reading.codes(reader, printer) == [235, 535]
    reading.deploy(BASE)
    assert reading.snapshot() == before
    assert reading.imap(reader) == ["OK"]
    assert reading.run("cat /run/dovecot/master.pid") == process, "it was restarted, not reloaded"


def test_a_dovecot_that_has_it_all_is_left_alone(reading: Host) -> None:
    listener = f"service auth {{\n  unix_listener {SOCKET} {{\n    mode = 0666\n  }}\n}}\n"
    reading.machine.write("/etc/dovecot/conf.d/99-own.conf", f"auth_mechanisms = plain login\n{listener}")
    reading.run("systemctl restart dovecot")
    before = reading.snapshot()
    reading.deploy(submission({}, postfix_submission_dovecot="existing"))
    assert reading.snapshot() == before
    assert reading.codes(("reader@example.com", "read-1")) == [235]


def test_a_broken_configuration_is_refused(reading: Host) -> None:
    reading.run("echo 'nonsense {' >>/etc/dovecot/local.conf")
    said = reading.refused(submission({"printer": "print-1"}))
    assert "Nothing was changed: Dovecot does not take the configuration that this host has" in said
    assert "local.conf" in said


def test_what_does_not_answer_is_taken_back(reading: Host) -> None:
    """CRAM-MD5 with PAM alone is a mistake that doveconf does not see: the auth service ends with it."""
    reading.run(
        "cd /etc/dovecot/conf.d; sed -i 's/^!include auth-readers/!include auth-system/' 10-auth.conf;"
        "echo 'auth_mechanisms = plain cram-md5' >98-own.conf"
    )
    before = reading.snapshot()
    run = reading.play(submission({}, postfix_submission_dovecot="existing"))
    assert not run.ok, run.output
    said = " ".join(run.said.split())
    assert f"nobody answers at {SOCKET}" in said and "The old state is back" in said, said
    assert "CRAM-MD5" in said, "what Dovecot has complained of is not told"
    assert reading.snapshot() == before


def test_an_include_that_is_not_there(reading: Host) -> None:
    reading.run("sed -i 's|^!include conf.d/.*|!include conf.d/1*.conf|' /etc/dovecot/dovecot.conf")
    said = reading.refused(submission({"printer": "print-1"}))
    assert "!include_try conf.d/99-mailops-smtp.conf" in said


def test_logins_that_dovecot_makes_others_of(reading: Host) -> None:
    how = "%Ln" if reading.release in OLD else "%{user | username | lower}"
    reading.run(f"echo 'auth_username_format = {how}' >>/etc/dovecot/local.conf")
    said = reading.refused(submission({"ann@example.com": "ann-1"}))
    assert "auth_username_format" in said and "write ann" in said
