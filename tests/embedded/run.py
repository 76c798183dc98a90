"""Run the preflight against SMTP servers on loopback: no container, no root, nothing installed.

Three "hosts", all of them this machine, whose candidate ports behave as ports behave behind different providers.
The servers are aiosmtpd with a certificate from a CA made for the run; refused ports are ports nobody listens on.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import logging
import socket
import ssl
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import AuthResult


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(stack: ExitStack, tls: ssl.SSLContext | None) -> int:
    """Start one submission server; STARTTLS is offered when there is a context. Returns its port."""
    controller = Controller(
        Sink(),
        hostname="127.0.0.1",
        port=free_port(),
        server_hostname="relay.example.test",
        tls_context=tls,
        require_starttls=tls is not None,
        auth_required=tls is not None,
        authenticator=lambda *_: AuthResult(success=True),
    )
    controller.start()
    stack.callback(controller.stop)
    return int(controller.port)


def main() -> int:
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        authority = trustme.CA()
        authority.cert_pem.write_to_path(directory / "ca.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        healthy, second, stripped = serve(stack, context), serve(stack, context), serve(stack, None)
        closed = free_port()
        hosts = {
            "healthy": [healthy, second],
            "blocked-first": [closed, second],
            "stripped-first": [stripped, second],
        }
        inventory = {
            "all": {
                "vars": {
                    "ansible_connection": "local",
                    "ansible_python_interpreter": sys.executable,
                    "postfix_relay_host": "localhost",
                    "postfix_relay_username": "ops",
                    "postfix_relay_password": "demo",
                    "preflight_ca_file": str(directory / "ca.pem"),
                },
                "hosts": {name: {"postfix_relay_ports": ports} for name, ports in hosts.items()},
            }
        }
        (directory / "inventory.json").write_text(json.dumps(inventory))
        command = ["ansible-playbook", "-i", str(directory / "inventory.json"), "mailops.smtp.preflight"]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
