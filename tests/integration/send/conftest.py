"""Hosts of each release asked for, with a Postfix that sends through a relay with a will of its own."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "postfix"))

from hosts import Host, missing

RELEASES = os.environ.get("MAILOPS_POSTFIX_RELEASES", "bookworm").split()
PORT = 2626
TAKEN = "/run/taken"
MAIN = f"""compatibility_level = 3.6
myhostname = me.example.net
mydestination = $myhostname, localhost
relayhost = [127.0.0.1]:{PORT}
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtp_tls_security_level = none
smtpd_tls_security_level = none
alias_maps = inline:{{ {{team=one@far.example, defer@far.example}}, {{both=one@far.example, two@far.example}} }}
alias_database =
smtputf8_enable = yes
queue_directory = /var/spool/postfix
smtp_tls_CAfile =
"""


class Sender(Host):
    """A host whose Postfix is changed for each test, and that sends."""

    def prepare(self) -> None:
        # systemd may still be about to start it.
        self.run(
            "systemctl disable --now postfix 'postfix@*' || true; cp /etc/postfix/master.cf /root/master.cf"
        )
        self.run(
            "cat >/root/relay.py", stdin=Path(__file__).with_name("relay.py").read_text(encoding="utf-8")
        )
        self.run(f"nohup python3 /root/relay.py {PORT} {TAKEN} >/dev/null 2>&1 & true")

    def arrange(self, main: str = "", master: str = "") -> None:
        """Postfix with these settings and services besides, and an empty queue."""
        script = [
            "set -e; postfix abort 2>/dev/null || true",
            "postsuper -d ALL 2>/dev/null || true",
            f"printf %s {shlex.quote(MAIN + main)} >/etc/postfix/main.cf",
            "cp /root/master.cf /etc/postfix/master.cf",
            f"printf %s {shlex.quote(master)} >>/etc/postfix/master.cf; rm -f {TAKEN}; touch {TAKEN}",
            "postfix start; for _try in $(seq 100); do ss -Hltn 'sport = :25' | grep -q . && break; sleep 0.1; done",
        ]
        self.run("\n".join(script))


def made(release: str, **more: bool) -> Iterator[Sender]:
    if missing():
        pytest.fail(missing())
    host = Sender(release, **more)
    try:
        host.prepare()
        yield host
    finally:
        host.destroy()


@pytest.fixture(scope="session", params=RELEASES)
def host(request: pytest.FixtureRequest) -> Iterator[Sender]:
    """With systemd and its journal."""
    yield from made(request.param)


@pytest.fixture(scope="session", params=RELEASES)
def bare(request: pytest.FixtureRequest) -> Iterator[Sender]:
    """Without systemd, a journal and a syslog daemon, as in most containers."""
    yield from made(request.param, systemd=False)
