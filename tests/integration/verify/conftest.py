"""The lab of these tests: one for all of them, for it takes a while to boot and to deploy."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from typing import Any

import pytest
import servers
from cases import GREEN, RELAY_GREEN
from servers import MAIL_HOSTS, everywhere, on


@pytest.fixture(scope="session")
def lab() -> Any:
    """The lab with a green deployment. Dovecot lies ready, and does nothing before a test configures it."""
    instance = servers.lab()
    instance.up()
    output = servers.playbook(instance, "mailops.smtp.deploy")
    assert "failed=0" in output and "failed=1" not in output, output
    dovecot = (
        "DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends dovecot-core >/dev/null 2>&1\n"
        "systemctl disable -q --now dovecot.socket dovecot.service 2>/dev/null || true\n"
    )
    everywhere(instance, dict.fromkeys(MAIL_HOSTS, dovecot))
    on(instance, "relay", RELAY_GREEN)
    everywhere(instance, dict.fromkeys(MAIL_HOSTS, GREEN))
    servers.expired_certificate(instance)
    yield instance
    if not os.environ.get("MAILOPS_LAB_KEEP"):
        instance.down()
