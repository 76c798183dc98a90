# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From this host, and with its CA certificates, the relay proves who it is."""

from __future__ import annotations

from typing import Any

import pytest
from mailserver import NextHop, Postfix


def test_certificate_of_the_relay_verifies(
    host: Any, postfix: Postfix, next_hop: NextHop, record_property: Any
) -> None:
    level = postfix.tls_level(next_hop)
    if level not in ("secure", "verify"):
        pytest.skip(f"at TLS level {level} Postfix does not ask {next_hop.key} for a valid certificate")
    asked = {
        "host": next_hop.host,
        "ports": [next_hop.port],
        "tls": "implicit" if postfix.implicit_tls(next_hop) else "starttls",
        "ca_path": postfix["smtp_tls_CAfile"] or postfix["smtp_tls_CApath"],
        "fail_when": "never",
    }
    found = host.ansible("mailops.smtp.smtp_probe", {name: value for name, value in asked.items() if value})
    endpoint = found["endpoints"][0]
    assert endpoint["usable"], f"{endpoint['reason']} {endpoint['advice']}"
    record_property("relay_tls", f"{endpoint['tls_version']}, {endpoint['tls_cipher']}")
