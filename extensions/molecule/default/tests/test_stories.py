"""Stories of mail servers in the lab: what an operator does and what must then be true.

Every story holds whatever was deployed before it, and leaves each host with its own network circumstances.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import lab as tool
import pytest
from conftest import MAIL_HOSTS, Playbook, Run
from testinfra.host import Host

ROUTES = {"healthy": 587, "no587": 2525, "stripped": 2525, "gce": 587}
FILE_NAMED_IN_DIFF = re.compile(r"^(---|\+\+\+) ", re.MULTILINE)


NO_ROUTE = re.compile(r"\b587\b.*\bfiltered\b.*\b2525\b.*\bfiltered\b", re.DOTALL)


def next_hop(host: Host) -> str:
    """The first next hop that the host's Postfix sends its mail to."""
    return host.check_output("postconf -h relayhost").replace(",", " ").split()[0]


def hop(port: int) -> str:
    return f"[relay.{tool.DOMAIN}]:{port}"


def everything(host: Host) -> str:
    """Whatever a deployment could touch: Postfix's files with their attributes, and its master process."""
    return host.check_output(
        "find /etc/postfix /etc/aliases -printf '%p %m %u %g %T@\\n' | sort;"
        " find /etc/postfix -type f -exec sha256sum {} + | sort;"
        " head -c 20 /var/spool/postfix/pid/master.pid"
    )


def test_each_host_takes_the_route_that_its_network_allows(deployed: Run, on: Callable[[str], Host]) -> None:
    assert deployed.status == 0, deployed.output
    assert {name: next_hop(on(name)) for name in MAIL_HOSTS} == {n: hop(p) for n, p in ROUTES.items()}
    mails = deployed.mails
    assert {m["client"].split(".")[0]: int(m["port"]) for m in mails} == ROUTES
    assert len(mails) == len(MAIL_HOSTS), "one test message from each host"
    assert all(m["tls"] and m["auth"] == tool.RELAY_USER for m in mails)
    assert all(m["to"] == tool.RECIPIENT for m in mails)


def test_the_report_says_what_was_found_and_where_the_host_is(deployed: Run) -> None:
    rows = {name: re.search(rf"^{name} .*", deployed.output, re.MULTILINE)[0] for name in MAIL_HOSTS}
    assert "filtered" in rows["no587"]
    assert "starttls_" in rows["stripped"]
    assert "Google Compute Engine" in rows["gce"]
    for name, port in ROUTES.items():
        assert str(port) in rows[name]


def test_a_second_run_changes_nothing(deployed: Run) -> None:
    assert deployed.status == 0, deployed.output
    assert {name: deployed.recap(name).get("changed") for name in MAIL_HOSTS} == dict.fromkeys(MAIL_HOSTS, 0)


def test_check_mode_predicts_nothing_after_a_run(deployed: Run, playbook: Playbook) -> None:
    run = playbook("site", "--check", "--diff")
    assert run.status == 0, run.output
    assert {name: run.recap(name).get("changed") for name in MAIL_HOSTS} == dict.fromkeys(MAIL_HOSTS, 0)
    assert not FILE_NAMED_IN_DIFF.search(run.output)


def test_a_deployment_is_at_most_seven_tasks(deployed: Run) -> None:
    assert deployed.status == 0, deployed.output
    assert all(4 <= deployed.tasks(name, play=0) <= 7 for name in MAIL_HOSTS), deployed.output


def test_check_mode_predicts_what_a_run_then_does(
    deployed: Run, on: Callable[[str], Host], playbook: Playbook
) -> None:
    host = on("healthy")
    host.check_output("postconf -e 'relayhost = [elsewhere.lab.test]:25'")
    before = everything(host)
    foreseen = playbook("deploy", "--check", "--diff", hosts="healthy")
    assert foreseen.status == 0, foreseen.output
    assert everything(host) == before
    done = playbook("deploy", "--diff", hosts="healthy")
    assert done.status == 0, done.output
    assert foreseen.recap("healthy")["changed"] == done.recap("healthy")["changed"] == 1
    assert "elsewhere.lab.test" in foreseen.output
    assert next_hop(host) == hop(587)


def test_a_host_moves_when_its_port_dies_and_not_before(
    no587: tool.Host, lab: tool.Lab, on: Callable[[str], Host], playbook: Playbook
) -> None:
    host = on(no587.name)

    def deploy() -> str:
        run = playbook("deploy", hosts=no587.name)
        assert run.status == 0, run.output
        return next_hop(host)

    assert deploy() == hop(2525)
    lab.set_ports(no587, "dropped", [587], False)
    assert deploy() == hop(2525), "587 came back, but the port in use still works"
    lab.set_ports(no587, "dropped", [2525], True)
    assert deploy() == hop(587)
    lab.empty_mailbox()
    verified = playbook("verify", hosts=no587.name)
    assert verified.status == 0, verified.output
    assert [mail["port"] for mail in lab.mails()] == ["587"]
    lab.set_ports(no587, "dropped", [2525], False)
    assert deploy() == hop(587), "2525 came back, but the port in use still works"


def test_a_host_without_a_route_fails_alone_and_untouched(
    no587: tool.Host, lab: tool.Lab, on: Callable[[str], Host], playbook: Playbook
) -> None:
    others = [name for name in MAIL_HOSTS if name != no587.name]
    lab.set_ports(no587, "dropped", [587, 2525], True)
    before = everything(on(no587.name))
    preflight = playbook("preflight", hosts=no587.name)
    assert preflight.status != 0
    assert NO_ROUTE.search(preflight.failures(no587.name)), preflight.output
    # There is work to do on the others.
    for name in others:
        on(name).check_output("postconf -e 'relayhost = [elsewhere.lab.test]:25'")
    run = playbook("deploy")
    assert run.status != 0
    assert run.recap(no587.name)["failed"] == 1
    assert NO_ROUTE.search(run.failures(no587.name)), run.output
    assert everything(on(no587.name)) == before
    for name in others:
        assert run.recap(name)["failed"] == 0, run.output
        assert next_hop(on(name)) == hop(ROUTES[name])


WRONG = {
    "healthy": ("postfix_relay_port", 456, "465"),
    "no587": ("postfix_relay_port", 70000, "65535"),
    "stripped": ("postfix_relay_tls", "encyrpt", "encrypt"),
    "gce": ("postfix_services", [{"service": "smtp", "type": "unix", "chroot": "z"}], "chroot"),
}


@pytest.fixture(scope="module")
def wrong_run(
    deployed: Run, on: Callable[[str], Host], playbook: Playbook, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Run, dict[str, bool]]:
    """One deployment in which each host has one wrong variable, and which hosts it left untouched."""
    extra: Path = tmp_path_factory.mktemp("wrong") / "hosts.yml"
    wrong = {name: {variable: value} for name, (variable, value, _) in WRONG.items()}
    extra.write_text(json.dumps({"mail": {"hosts": wrong}}))
    before = {name: everything(on(name)) for name in WRONG}
    run = playbook("deploy", "-i", str(extra))
    return run, {name: everything(on(name)) == before[name] for name in WRONG}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_variable_stops_before_any_change(name: str, wrong_run: tuple[Run, dict[str, bool]]) -> None:
    run, untouched = wrong_run
    variable, value, remedy = WRONG[name]
    assert run.recap(name)["failed"] == 1, run.output
    assert run.recap(name)["changed"] == 0
    assert untouched[name]
    message = run.failures(name)
    assert variable in message
    assert ("z" if isinstance(value, list) else str(value)) in message
    assert remedy in message


def test_a_host_gets_back_what_was_taken_from_it(
    deployed: Run, on: Callable[[str], Host], playbook: Playbook
) -> None:
    host = on("healthy")

    def complete() -> bool:
        return host.package("libsasl2-modules").is_installed and host.service("postfix").is_enabled

    assert complete()
    host.check_output("apt-get -q -y remove libsasl2-modules && systemctl disable postfix")
    foreseen = playbook("deploy", "--check", hosts="healthy")
    assert foreseen.status == 0, foreseen.output
    assert not complete()
    done = playbook("deploy", hosts="healthy")
    assert done.status == 0, done.output
    assert foreseen.recap("healthy")["changed"] == done.recap("healthy")["changed"] == 2
    assert complete()
