"""Hosts that never had Postfix, with something in its way: deployed for real, in the lab. Each host has one trouble at
a time, and the tests of a file run in their order."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from runs import ROOT, Run, playbook

NAME = "gate-test"
LAB = [sys.executable, str(ROOT / "extensions/molecule/lab/lab.py"), "--name", NAME]
HELO_TIMEOUT = {"service": "smtp", "type": "unix", "options": {"smtp_helo_timeout": "77s"}}
QUEUED = "printf 'Subject: waits\\n\\nhello\\n' | /usr/sbin/exim4 -odq root@nowhere.example"
HELD = "import fcntl, time; f = open('/var/lib/dpkg/lock-frontend', 'w'); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep({})"
LISTENER = "import socket, time; s = socket.create_server(('127.0.0.1', 25)); time.sleep(600)"


class Lab:
    """The lab's hosts, and runs of the playbooks on them."""

    def __init__(self) -> None:
        subprocess.run([*LAB, "up"], check=True)
        shown = subprocess.run([*LAB, "inventory"], check=True, capture_output=True, text=True)
        self.inventory = ROOT / ".cache" / "gate-test.yml"
        self.inventory.write_text(shown.stdout)
        self.inventory.chmod(0o600)

    def on(self, host: str, command: str, check: bool = True) -> str:
        words = ["podman", "exec", f"mailops-lab-{NAME}-{host}", "sh", "-c", command]
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def call(self, host: str, name: str) -> None:
        """Give a host a name, which its own root may not do in a container."""
        container = f"mailops-lab-{NAME}-{host}"
        words = ["podman", "inspect", "--format", "{{.State.Pid}}", container]
        pid = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
        subprocess.run(["nsenter", "--target", pid, "--uts", "hostname", name], check=True)

    def behind(self, host: str, script: str) -> str:
        """Start Python code on a host and leave it running; its process id there."""
        return self.on(host, f'nohup python3 -c "{script}" >/dev/null 2>&1 & echo $!')

    def deploy(self, host: str, *arguments: str) -> Run:
        return playbook("deploy", self.inventory, "-e", f"smtp_hosts={host}", *arguments)

    def has_postfix(self, host: str) -> bool:
        return "yes" in self.on(host, "test -e /usr/sbin/postfix && echo yes", check=False)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = Lab()
    yield made
    made.inventory.unlink()
    subprocess.run([*LAB, "down"], check=True)


def test_masked_unit(lab: Lab) -> None:
    lab.on("gce", "systemctl mask postfix.service")
    done = lab.deploy("gce")
    assert done.code != 0 and "postfix.service is masked on this host" in done.words, done.text
    assert "systemctl unmask postfix.service" in done.words
    assert not lab.has_postfix("gce")
    lab.on("gce", "systemctl unmask postfix.service")


def test_foreign_listener(lab: Lab) -> None:
    """Refused by name; and the remedy that it names, no listener, is taken."""
    process = lab.behind("gce", LISTENER)
    done = lab.deploy("gce", "--check")
    assert done.code != 0, done.text
    assert f"Port 25, on which Postfix is to listen, is held by python3 (process {process})" in done.words, (
        done.text
    )
    assert "postfix_smtp_inbound: false" in done.words
    done = lab.deploy("gce", "--check", "-e", '{"postfix_smtp_inbound": false}')
    assert done.code == 0, done.text
    lab.on("gce", f"kill {process}")


def test_no_full_name(lab: Lab) -> None:
    """A host called web1, of which nobody knows a domain; with postfix_myhostname set it is deployed."""
    lab.call("gce", "web1")
    lab.on("gce", "cp /etc/hosts /root/hosts; echo '127.0.0.1 localhost web1' > /etc/hosts")
    try:
        done = lab.deploy("gce", "--check")
        assert done.code != 0, done.text
        assert "No full name of this host is known, so nothing was changed" in done.words, done.text
        assert "postfix_myhostname" in done.words
        done = lab.deploy("gce", "--check", "-e", "postfix_myhostname=web1.example.com")
        assert done.code == 0, done.text
    finally:
        lab.on("gce", "cat /root/hosts > /etc/hosts")
        lab.call("gce", "gce.lab.test")


def test_no_route_and_errors_ignored(lab: Lab, tmp_path: Path) -> None:
    """A play that ignores every error stops before it writes; also with a route in the facts of an older run."""
    play = tmp_path / "play.yml"
    play.write_text(
        "- hosts: gce\n  gather_facts: false\n  ignore_errors: true\n  pre_tasks:\n"
        "    - ansible.builtin.set_fact:\n"
        "        cacheable: true\n        smtp_route: {host: relay.lab.test, port: 587, tls: starttls}\n"
        "  roles: [mailops.smtp.postfix]\n"
    )
    done = playbook(str(play), lab.inventory, "-e", "postfix_relay_port=2626")
    assert "no route for mail was found for this host, so nothing is configured" in done.words, done.text
    assert done.recap("gce")["changed"] == 0, done.text
    assert not lab.has_postfix("gce")


def test_empty_lists(lab: Lab) -> None:
    """An image whose lists were removed, so that their folder is new: check mode says what would be, and it is done."""
    lab.on("healthy", "rm -rf /var/lib/apt/lists && mkdir -p /var/lib/apt/lists/partial")
    # A service that every Postfix has, so that it is changed and not made.
    services = ["-e", json.dumps({"postfix_services": [HELO_TIMEOUT]})]
    done = lab.deploy("healthy", "--check", *services)
    assert done.code == 0 and done.recap("healthy")["changed"] > 0, done.text
    assert not lab.has_postfix("healthy")
    done = lab.deploy("healthy", *services)
    assert done.code == 0 and lab.has_postfix("healthy"), done.text
    assert lab.on("healthy", "postconf -P smtp/unix/smtp_helo_timeout").endswith("= 77s")
    done = lab.deploy("healthy", *services)
    assert done.code == 0 and done.recap("healthy")["changed"] == 0, done.text


def test_lock_held_for_too_long(lab: Lab) -> None:
    """It is told who holds the lock, the wait ends in time, and it is not made twice."""
    process = lab.behind("stripped", HELD.format(600))
    started = time.monotonic()
    done = lab.deploy("stripped", "-e", "postfix__lock_timeout=8")
    took = time.monotonic() - started
    assert done.code != 0, done.text
    told = f"The package manager of this host is locked by python3 (process {process})"
    assert told in done.words, done.text
    assert "Unable to acquire the dpkg frontend lock" in done.words, done.text
    assert "With new package lists" not in done.words, done.text
    assert not lab.has_postfix("stripped")
    assert took > 8
    lab.on("stripped", f"kill {process}")


def test_lock_held_for_a_while(lab: Lab) -> None:
    lab.behind("stripped", HELD.format(25))
    done = lab.deploy("stripped")
    assert done.code == 0 and lab.has_postfix("stripped"), done.text
    assert "The package manager of this host is locked by python3" in done.words, done.text


def test_another_mail_server(lab: Lab) -> None:
    """Exim with a message in its queue: named and refused, replaced where that is asked for; its queue stays."""
    lab.on(
        "no587", "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy exim4-daemon-light"
    )
    # The daemon begins with a look at its queue, and would try to deliver.
    time.sleep(3)
    lab.on("no587", QUEUED)
    queue = lab.on("no587", "ls /var/spool/exim4/input")
    done = lab.deploy("no587")
    assert done.code != 0, done.text
    assert (
        "The mail server Exim (exim4-daemon-light) is installed here, with 1 message in its queue "
        in done.words
    ), done.text
    assert "(/var/spool/exim4/input)" in done.words and "postfix_replace: true" in done.words, done.text
    assert not lab.has_postfix("no587")
    # Its daemon outlives its package here: start-stop-daemon may not look into other users' processes.
    done = lab.deploy("no587", "-e", "postfix_replace=true")
    assert done.code == 0 and lab.has_postfix("no587"), done.text
    assert "is replaced, with 1 message in its queue (/var/spool/exim4/input)" in done.words, done.text
    assert "exim4 (process" in done.words and "is ended" in done.words, done.text
    assert lab.on("no587", "ls /var/spool/exim4/input") == queue
