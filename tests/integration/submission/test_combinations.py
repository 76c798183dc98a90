"""Servers as the role makes them of variables at random, attacked: by role verify, and by scanners that are not ours.

Two by default; MAILOPS_SUBMISSION_EXAMPLES=20 tries so many.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from world import certificates
from world.machine import ROOT
from world.playbook import play

from submission.lab import OTHER, Server, SubmissionLab, relay

EXAMPLES = int(os.environ.get("MAILOPS_SUBMISSION_EXAMPLES", "2"))
SSLYZE = ROOT / ".cache/sslyze/bin/python"
ATTACKS = ["listeners", "relaying", "submission", "certificate_is"]
IMPLICIT = (465, 8465)
COMBINATIONS = st.fixed_dictionaries(
    {
        "postfix_submission_ports": st.one_of(
            st.just("auto"),
            st.lists(st.sampled_from([587, 465, 2525, 2587, 8465]), min_size=1, max_size=4, unique=True),
        ),
    },
    optional={
        "postfix_submission_sni": st.just(
            {OTHER: {"cert_file": "/etc/ssl/org.pem", "key_file": "/etc/ssl/private/org.key"}}
        ),
        "postfix_submission_senders": st.just({"joe": ["joe@example.test", "@example.net"]}),
        "postfix_submission_message_size": st.sampled_from([0, 100_000]),
        "postfix_submission_rate": st.sampled_from([0, 600]),
        "postfix_smtp_inbound": st.booleans(),
        "postfix_mynetworks": st.sampled_from([["127.0.0.0/8"], ["192.0.2.0/24"]]),
        "postfix_relay_failover": st.booleans(),
    },
)
# What the host itself has for the mail of others, and would let strangers in or old clients.
OWN = st.fixed_dictionaries(
    {},
    optional={
        "smtpd_tls_auth_only": st.sampled_from(["yes", "no"]),
        "smtpd_tls_security_level": st.just("may"),
        "smtpd_client_restrictions": st.just("permit"),
        "smtpd_sender_restrictions": st.sampled_from(["permit", "reject_unknown_sender_domain"]),
        "smtpd_sasl_security_options": st.just(""),
        "smtpd_delay_reject": st.sampled_from(["yes", "no"]),
        "smtpd_tls_mandatory_protocols": st.just("!SSLv2"),
        "disable_vrfy_command": st.just("no"),
    },
)


@pytest.fixture(scope="module", autouse=True)
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("authority") / "root.pem"
    path.write_text(certificates.ROOT)
    yield str(path)


def scanned(host: Server, *command: str) -> str:
    """What a program of this machine says that is run in the network of the strangers."""
    inside = ["nsenter", "-t", str(host.far.pid), "-n", *command]
    return subprocess.run(inside, check=True, capture_output=True, text=True, timeout=300).stdout


def told_by_nmap(host: Server, ports: list[int]) -> dict[int, dict[str, str]]:
    """What each script says of each port."""
    scripts = "+smtp-open-relay,+smtp-commands"
    words = ["-Pn", "-n", "-p", ",".join(map(str, ports)), "--script", scripts]
    found = ET.fromstring(scanned(host, "nmap", *words, "-oX", "-", host.address))
    return {
        int(port.attrib["portid"]): {
            script.attrib["id"]: script.attrib["output"] for script in port.iter("script")
        }
        for port in found.iter("port")
    }


def told_by_sslyze(host: Server, port: int, authority: str) -> dict[str, Any]:
    looks = ["heartbleed", "openssl_ccs", "robot", "compression", "reneg", "sslv2", "sslv3", "tlsv1", "tlsv1_1", "tlsv1_2", "certinfo"]  # fmt: skip
    words = [*(f"--{look}" for look in looks), "--mozilla_config=disable", "--certinfo_ca_file", authority]
    words += ["--sni", host.machine.name, *([] if port in IMPLICIT else ["--starttls", "smtp"])]
    said = scanned(host, str(SSLYZE), "-m", "sslyze", "--json_out=-", *words, f"{host.address}:{port}")
    (result,) = json.loads(said)["server_scan_results"]
    assert result["scan_status"] == "COMPLETED", said
    return {look: one["result"] for look, one in result["scan_result"].items() if one["result"]}


def weak(found: dict[str, Any]) -> list[str]:
    """What sslyze has found that an operator would have to mend."""
    reneg = found["session_renegotiation"]
    (chain,) = found["certificate_info"]["certificate_deployments"]
    valid = [each for each in chain["path_validation_results"] if each["was_validation_successful"]]
    versions = ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1")
    faults = {
        "Heartbleed": found["heartbleed"]["is_vulnerable_to_heartbleed"],
        "CCS injection": found["openssl_ccs_injection"]["is_vulnerable_to_ccs_injection"],
        "ROBOT": not found["robot"]["robot_result"].startswith("NOT_VULNERABLE"),
        "compression": found["tls_compression"]["supports_compression"],
        "renegotiation by clients": reneg["is_vulnerable_to_client_renegotiation_dos"],
        "insecure renegotiation": not reneg["supports_secure_renegotiation"],
        "chain": not valid,
        **{version: found[f"{version}_cipher_suites"]["accepted_cipher_suites"] for version in versions},
        "no TLS 1.2": not found["tls_1_2_cipher_suites"]["accepted_cipher_suites"],
    }
    return [fault for fault, is_so in faults.items() if is_so]


def attack(host: Server, ports: list[int], authority: str) -> None:
    inbound = [25] if "25" in host.listening() else []
    for port, scripts in told_by_nmap(host, [*inbound, *ports]).items():
        assert "smtp-commands" in scripts, f"{host} {port}: nmap has not talked to it: {scripts}"
        assert "is an open relay" not in scripts["smtp-open-relay"], f"{host} {port}: {scripts}"
    for port in ports:
        assert weak(told_by_sslyze(host, port, authority)) == [], f"{host} {port}"


@settings(
    max_examples=EXAMPLES,
    phases=[Phase.generate],
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(COMBINATIONS, OWN)
def test_what_is_deployed_withstands(
    lab: SubmissionLab, authority: str, wanted: dict[str, Any], own: dict[str, str]
) -> None:
    lab.reset()
    settings_of_main = " ".join(f"'{name}={value}'" for name, value in own.items())
    for host in lab.hosts:
        host.machine.run(f"postconf -e {settings_of_main}" if own else "true")
    # Port 25 is the host's own, and so is where it listens.
    of_the_host = {"smtpd_forbid_bare_newline": "normalize"}
    variables = relay(**wanted, postfix_inet_interfaces="all", postfix_parameters=of_the_host)
    for host, run in lab.play(variables).items():
        assert run.ok, f"{host}: {run.said or run.output}"
    chosen = {**variables, "verify_select": ATTACKS, "verify_certificate_ca_file": "/etc/ssl/world.pem"}
    at = {host.machine: chosen for host in lab.hosts}
    for host in lab.hosts:
        host.machine.write("/etc/ssl/world.pem", certificates.ROOT)
    for machine, run in play("verify", at).items():
        assert run.ok, f"{machine.release}: {run.said or run.output}"
    ports = [465, 587] if wanted["postfix_submission_ports"] == "auto" else wanted["postfix_submission_ports"]
    for host in lab.hosts:
        attack(host, ports, authority)


def test_the_scanners_see_what_is_broken(lab: SubmissionLab, authority: str) -> None:
    """A server that relays for the strangers' network and has old TLS is found by both."""
    lab.reset()
    lab.deployed(relay(postfix_submission_ports=[465]))
    for host in lab.hosts:
        host.machine.run(
            "postconf -e mynetworks=0.0.0.0/0 inet_interfaces=all;"
            "postconf -P 465/inet/smtpd_tls_mandatory_protocols=TLSv1 465/inet/smtpd_tls_ciphers=low"
            " 465/inet/tls_medium_cipherlist=ALL:@SECLEVEL=0 465/inet/smtpd_tls_mandatory_ciphers=medium;"
            "systemctl restart postfix"
        )
        assert "is an open relay" in told_by_nmap(host, [25])[25]["smtp-open-relay"]
        assert {"tls_1_0", "no TLS 1.2"} <= set(weak(told_by_sslyze(host, 465, authority))), host
