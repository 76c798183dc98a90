"""Two mail servers with Debian's Postfix behind the lab's relay, deployed by the role, and verified as a user does.

Rule of this file: what is done to a host is done by root's shell on it; what is found out about it comes from
ansible-playbook, over SSH, as on any host.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[3]
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

sys.path.insert(0, str(ROOT / "extensions" / "molecule" / "lab"))

import lab as tool

NAME = os.environ.get("MAILOPS_LAB_NAME", "verify-test") + os.environ.get("PYTEST_XDIST_WORKER", "")
CAST = [
    tool.CAST[0],
    tool.Host("new", "mail", "trixie", "Postfix of Debian 13", tool.QEMU),
    tool.Host("old", "mail", "bookworm", "Postfix of Debian 12", tool.QEMU),
]
MAIL_HOSTS = ("new", "old")


class Verified(NamedTuple):
    """What `ansible-playbook mailops.smtp.verify` said of one host."""

    passed: bool
    message: str
    output: str


def lab() -> tool.Lab:
    return tool.Lab(NAME, CAST)


def on(instance: tool.Lab, host: str, script: str, check: bool = True) -> str:
    """Run a shell script as root on a host; its output."""
    done = tool.run(
        [*tool.podman("exec", "-i", instance.container(instance.host(host)), "/bin/sh", "-eu", "-s")],
        stdin=script.encode(),
        check=check,
        timeout=120,
    )
    return done.stdout.decode(errors="replace")


def playbook(instance: tool.Lab, name: str, *arguments: str, hosts: str = "mail", **variables: Any) -> str:
    """Run a playbook of the collection; everything that it printed."""
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_PIPELINING": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    extra = ["-e", json.dumps({"smtp_hosts": hosts, **variables})]
    command = ["ansible-playbook", "-i", str(instance.state / "inventory.yml"), name, *extra, *arguments]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", env=environment, timeout=600, check=False,
    )  # fmt: skip
    return done.stdout


def verify(instance: tool.Lab, *arguments: str, hosts: str = "mail", **variables: Any) -> dict[str, Verified]:
    """Verify hosts with the shipped playbook, and what it said of each."""
    output = playbook(instance, "mailops.smtp.verify", *arguments, hosts=hosts, **variables)
    found = {}
    for host in MAIL_HOSTS if hosts == "mail" else hosts.split(","):
        failure = re.search(rf"^fatal: \[{host}\]: \w+! => (\{{.*\}})$", output, re.MULTILINE)
        proof = re.search(rf"^{host}: (\d+ tests passed.*)$", output, re.MULTILINE)
        text = json.loads(failure[1]).get("msg", failure[1]) if failure else proof[1] if proof else output
        found[host] = Verified(bool(proof) and not failure, text, output)
    return found


def expired_certificate(instance: tool.Lab) -> None:
    """Give the relay a certificate of the lab's own CA that ended yesterday, in /etc/lab/expired.pem."""
    ca = instance.state / "ca"
    issuer = x509.load_pem_x509_certificate((ca / "ca.pem").read_bytes())
    mine = x509.load_pem_x509_certificate((ca / "relay.pem").read_bytes())
    now = datetime.datetime.now(datetime.timezone.utc)
    key = serialization.load_pem_private_key((ca / "ca.key").read_bytes(), None)
    made = (
        x509.CertificateBuilder(issuer.subject, mine.subject, mine.public_key(), 4711)
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now - datetime.timedelta(days=1))
    )
    for extension in mine.extensions:
        made = made.add_extension(extension.value, extension.critical)
    text = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    on(
        instance,
        "relay",
        f"cat >/etc/lab/expired.pem <<'END'\n{text}END\ncp /etc/lab/expired.pem /root/green/lab/",
    )
