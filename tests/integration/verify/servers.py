"""Two mail servers with Debian's Postfix behind the lab's relay, deployed by the role, and verified as a user does.

Rule of this file: what is done to a host is done by root's shell on it; what is found out about it comes from
ansible-playbook, over SSH, as on any host.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import concurrent.futures
import datetime
import functools
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
from cryptography.hazmat.primitives.asymmetric import ec

sys.path[:0] = [str(ROOT / "extensions" / "molecule" / "lab"), str(ROOT / "tests" / "integration")]

import lab as tool
from attacked import CERTIFICATES
from world.machine import entering, podman

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
    command = [*entering(first_process(instance.container(instance.host(host)))), "/bin/sh", "-eu", "-s"]
    done = tool.run(tool.as_root(command), stdin=script.encode(), check=check, timeout=120)
    return done.stdout.decode(errors="replace")


@functools.lru_cache(maxsize=None)
def first_process(container: str) -> int:
    return int(podman("inspect", "-f", "{{.State.Pid}}", container).stdout)


def everywhere(instance: tool.Lab, scripts: dict[str, str]) -> None:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda item: on(instance, *item), scripts.items()))


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


def certificates(instance: tool.Lab) -> None:
    """Give each mail host certificates of the lab's CA, each with its key, in attacked.CERTIFICATES."""
    ca = instance.state / "ca"
    issuer = x509.load_pem_x509_certificate((ca / "ca.pem").read_bytes())
    ca_key = serialization.load_pem_private_key((ca / "ca.key").read_bytes(), None)
    for host in MAIL_HOSTS:
        name = f"{host}.{tool.DOMAIN}"
        # The name that the certificate has, and the days that it is still valid.
        kinds = {
            "good": (name, 90),
            "expired": (name, -1),
            "expiring": (name, 3),
            "other": ("mail.example.com", 90),
            "own": (name, 90),
        }
        script = f"mkdir -p {CERTIFICATES}\n"
        for kind, (subject, days) in kinds.items():
            key = ec.generate_private_key(ec.SECP256R1())
            names = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
            now = datetime.datetime.now(datetime.timezone.utc)
            made = (
                x509.CertificateBuilder(
                    names if kind == "own" else issuer.subject,
                    names,
                    key.public_key(),
                    x509.random_serial_number(),
                )
                .not_valid_before(now - datetime.timedelta(days=30))
                .not_valid_after(now + datetime.timedelta(days=days, hours=1))
                .add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), False)
                .sign(key if kind == "own" else ca_key, hashes.SHA256())  # type: ignore[arg-type]
            )
            private = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            public = made.public_bytes(serialization.Encoding.PEM)
            script += f"cat >{CERTIFICATES}/{kind}.pem <<'END'\n{(private + public).decode()}END\n"
            script += f"cat >{CERTIFICATES}/{kind}.crt <<'END'\n{public.decode()}END\n"
        on(instance, host, script)
