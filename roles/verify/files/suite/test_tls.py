"""The relay proves who it is, and this host proves it to its users, each with a certificate that verifies."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any

import pytest
from doors import Doors
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
# The same of this host's own certificate, which it shows to its users.
OWN_WORDS = (
    (
        r"Use a host name that the certificate has, or set server_name",
        "Get a certificate with that name (smtpd_tls_chain_files), or set verify_certificate_names to what users write",
    ),
    (r"\bca_path\b", "verify_certificate_ca_file"),
)


def in_the_words_of_the_roles(advice: str, replaced: tuple[tuple[str, str], ...] = WORDS) -> str:
    for pattern, words in replaced:
        advice = re.sub(pattern, words, advice)
    return advice


def test_certificate_of_the_relay_verifies(
    host: Any, postfix: Postfix, next_hop: NextHop, record_property: Any
) -> None:
    """At a level that asks for no certificate, that the relay answers at all."""
    if next_hop.by_mx or next_hop.transport == "lmtp":
        pytest.skip(f"the hosts behind {next_hop.key} are found by Postfix alone (MX)")
    level = postfix.tls_level(next_hop)
    certificate, key = postfix.client_certificate(next_hop)
    asked = {
        "host": next_hop.host,
        "ports": [next_hop.port],
        "tls": "implicit" if postfix.implicit_tls(next_hop) else MODES.get(level, "starttls"),
        # Postfix trusts both.
        "ca_path": [path for path in (postfix["smtp_tls_CAfile"], postfix["smtp_tls_CApath"]) if path],
        # A relay may take no client without one.
        "client_cert": certificate,
        "client_key": key,
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


def test_certificate_is_what_users_expect(
    host: Any, expect: dict[str, Any], postfix: Postfix, doors: Doors, record_property: Any
) -> None:
    """On each port on which they submit mail, for each name that they write: chain, names and days, as they see it."""
    # Where there is no TLS, another test says so.
    shown = [door for door, said in doors.from_here if door.port in doors.wanted and said.get("tls")]
    if not shown:
        pytest.skip("no port is named on which users submit mail (verify_submission_ports), or none is open")
    names = expect.get("certificate_names") or [postfix["myhostname"]]
    asked: dict[str, Any] = {
        "endpoints": [
            {
                "host": door.address,
                "port": door.port,
                "tls": "implicit" if door.implicit else "starttls",
                "server_name": name,
            }
            for door in shown
            for name in names
        ],
        "min_days": int(expect.get("certificate_days") or 0),
        "fail_when": "never",
    }
    if expect.get("certificate_ca_file"):
        asked["ca_path"] = [expect["certificate_ca_file"]]
    found = host.ansible("mailops.smtp.smtp_probe", asked)
    assert "endpoints" in found, f"the probe of this host's own ports failed: {found.get('msg', found)}"
    faults: dict[tuple[str, str], list[str]] = {}
    seen = {}
    for question, endpoint in zip(asked["endpoints"], found["endpoints"]):
        certificate = endpoint.get("certificate") or {}
        seen[question["port"]] = f"port {question['port']}: {certificate.get('days_left')} days left"
        if endpoint["verdict"].startswith(("certificate_", "tls_", "starttls_")):
            said = f"{endpoint['reason']} {in_the_words_of_the_roles(endpoint['advice'], OWN_WORDS)}"
            faults.setdefault((question["server_name"], said), []).append(str(question["port"]))
    record_property("certificates", "; ".join(seen.values()))
    assert not faults, " ".join(
        f"users who write {name} see on port {', '.join(ports)}: {said}"
        for (name, said), ports in faults.items()
    )
