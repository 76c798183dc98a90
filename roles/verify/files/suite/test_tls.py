"""From this host, and with its CA certificates, the relay proves who it is."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any

import pytest
from mailserver import NextHop, Postfix

# What the probe is to ask for at each TLS level of Postfix.
MODES = {"none": "none", "may": "opportunistic", "dane": "opportunistic"}

# What the probe advises about its own options, in the words of the roles.
WORDS = (
    (
        r"Use a host name that the certificate has, or set server_name",
        "Set postfix_relay_host to the name in the certificate",
    ),
    (r"\bca_path\b", "postfix_relay_ca_file"),
    (r"\bhelo_name\b", "postfix_myhostname"),
    (r"\bSet tls to ", "Run mailops.smtp.deploy, which sets TLS to "),
    (r"Use a longer timeout; if it stays so, look", "Look"),
    (r", or a longer timeout\b", ""),
)


def in_the_words_of_the_roles(advice: str) -> str:
    for pattern, words in WORDS:
        advice = re.sub(pattern, words, advice)
    return advice


def test_certificate_of_the_relay_verifies(
    host: Any, postfix: Postfix, next_hop: NextHop, record_property: Any
) -> None:
    """At a level that asks for no certificate, that the relay answers at all."""
    if next_hop.by_mx or next_hop.transport == "lmtp":
        pytest.skip(f"the hosts behind {next_hop.key} are found by Postfix alone (MX)")
    level = postfix.tls_level(next_hop)
    asked = {
        "host": next_hop.host,
        "ports": [next_hop.port],
        "tls": "implicit" if postfix.implicit_tls(next_hop) else MODES.get(level, "starttls"),
        # Postfix trusts both.
        "ca_path": [path for path in (postfix["smtp_tls_CAfile"], postfix["smtp_tls_CApath"]) if path],
        "helo_name": postfix["smtp_helo_name"],
        "fail_when": "never",
    }
    if level not in ("secure", "verify"):
        asked.update(validate_certs=False, ca_path=[])
    found = host.ansible(
        "mailops.smtp.smtp_probe", {name: value for name, value in asked.items() if value not in ("", [])}
    )
    assert "endpoints" in found, f"the probe of {next_hop.key} failed: {found.get('msg', found)}"
    endpoint = found["endpoints"][0]
    assert endpoint["usable"], f"{endpoint['reason']} {in_the_words_of_the_roles(endpoint['advice'])}"
    if endpoint["tls_version"]:
        record_property("relay_tls", f"{endpoint['tls_version']}, {endpoint['tls_cipher']}")
