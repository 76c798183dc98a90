"""Hosts that offer submission ask each other who reaches whom: in the table, in the report and by the exit status."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from world.playbook import Run, play

from submission.lab import Server, SubmissionLab, relay

# Drops what comes to one port of a host.
DROP = """\
table inet mesh
delete table inet mesh
table inet mesh {{
  chain input {{
    type filter hook input priority -10
    tcp dport {} drop
  }}
}}
"""
MESH = ["all", {"host": "all", "ports": [25]}]
OWN_AUTHORITY = {
    "postfix_submission_cert_file": "",
    "postfix_submission_key_file": "",
    "postfix_submission_self_signed": True,
}


class Found:
    """What one run of preflight has found."""

    def __init__(self, run: Run, report: Path) -> None:
        self.run = run
        self.report = json.loads(report.read_text())
        lines = run.output.splitlines()
        start = lines.index("Who reaches whom") + 1
        end = next(place for place, line in enumerate(lines) if line.startswith("preflight: "))
        self.table, self.line = " ".join(" ".join(lines[start:end]).split()), lines[end]

    @property
    def verdicts(self) -> dict[str, str]:
        return {
            f"{host['name']} → {one['server']}:{one['port']}": one["verdict"]
            for host in self.report["hosts"]
            for one in host["endpoints"]
            if one["server"]
        }


def variables(host: Server, **more: Any) -> dict[str, Any]:
    """One host has a certificate of the authority that all trust, the other its own."""
    own = OWN_AUTHORITY if host.machine.release == "sid" else {}
    return relay(postfix_myhostname=host.machine.name, preflight_mesh=MESH, **own, **more)


@pytest.fixture(scope="module")
def deployed(lab: SubmissionLab) -> Iterator[SubmissionLab]:
    """Hosts that reach each other. To be asked for a mesh does not keep them from being deployed, when none is there yet."""
    for setting in ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"):
        command = ["nsenter", "-t", str(lab.far.pid), "-n", "sysctl", "-q", "-w", setting]
        subprocess.run(command, check=True, capture_output=True)
    runs = play("deploy", {host.machine: variables(host) for host in lab.hosts})
    for host in lab.hosts:
        assert runs[host.machine].ok, f"{host}: {runs[host.machine].output}"
    yield lab


def preflight(lab: SubmissionLab, path: Path, **more: Any) -> Found:
    report = path / "routes.json"
    given = {host.machine: variables(host, preflight_report=[str(report)], **more) for host in lab.hosts}
    runs = play("preflight", given)
    return Found(runs[lab.hosts[0].machine], report)


@pytest.fixture(scope="module")
def reached(deployed: SubmissionLab, tmp_path_factory: pytest.TempPathFactory) -> Found:
    return preflight(deployed, tmp_path_factory.mktemp("reached"))


def test_hosts_reach_each_other_on_every_port(deployed: SubmissionLab, reached: Found) -> None:
    one, other = (host.machine.release for host in deployed.hosts)
    ports = (587, 465, 2525, 25)
    assert reached.verdicts == {
        f"{who} → {whom}:{port}": "ok" for who, whom in ((one, other), (other, one)) for port in ports
    }
    ways = "587 ok, 465 ok, 2525 ok, 25 ok"
    assert f"{one} → {other}: {ways} {other} → {one}: {ways}" in reached.table
    assert (reached.run.status, reached.line) == (0, "preflight: 2 of 2 hosts have a route")


def test_a_port_that_is_dropped_is_told_and_fails_who_does_not_reach_it(
    deployed: SubmissionLab, reached: Found, tmp_path: Path
) -> None:
    first, second = deployed.hosts
    one, other = first.machine.release, second.machine.release
    second.machine.run("nft -f -", stdin=DROP.format(465))
    try:
        found = preflight(deployed, tmp_path, preflight_connect_timeout=1)
        waiver = {"endpoint": "*:465", "reason": "the firewall is replaced", "until": "2999-01-01"}
        waived = preflight(deployed, tmp_path, preflight_connect_timeout=1, preflight_waivers=[waiver])
    finally:
        second.machine.run("nft delete table inet mesh")
    assert {way for way, verdict in found.verdicts.items() if verdict != "ok"} == {f"{one} → {other}:465"}
    assert found.verdicts[f"{one} → {other}:465"] == "filtered"
    ways = "587 ok, 465 filtered, 2525 ok, 25 ok"
    said = f"{other} at {second.machine.name}:465 is filtered: No answer"
    assert found.table.startswith(f"{one} → {other}: {ways} {said}")
    assert f"have it opened in the firewall of {other}" in found.table
    assert (found.run.status, found.line) == (2, "preflight: 2 of 2 hosts have a route; 1 fails the gate")
    assert found.report["gate"]["failing"] == [one]
    routes = [[host["route"] for host in each.report["hosts"]] for each in (reached, found)]
    assert routes[0] == routes[1]
    assert (waived.run.status, waived.report["gate"]["passed"]) == (0, True)
    assert "Waived: the firewall is replaced" in waived.table
