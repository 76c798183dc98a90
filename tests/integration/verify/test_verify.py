"""verify fails on every broken host and names the cause, passes on every odd one, and changes nothing on any.

Cases run in rounds, one run of ansible-playbook each: what concerns a host alone is tried on two hosts at a time, one
case on each, and of these every third pair is, for what is found of a host is tried without hosts as well;
MAILOPS_VERIFY_EVERYWHERE=1 tries each on both releases.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import os
from typing import Any

import pytest
import servers
from cases import BROKEN, HEALTHY, RELAY_RESET, RESET, Case
from servers import MAIL_HOSTS, Verified, everywhere, on, tool

EVERYWHERE = bool(os.environ.get("MAILOPS_VERIFY_EVERYWHERE"))
SECONDS = 12

Round = dict[str, Case]


def rounds(cases: tuple[Case, ...]) -> list[Round]:
    """Which case is on which host in which run."""
    cases = tuple(case for case in cases if EVERYWHERE or not case.seldom)
    together = [case for case in cases if case.both or EVERYWHERE]
    single = [case for case in cases if case not in together]
    pairs = [single[start : start + 2] for start in range(0, len(single), 6)]
    # Every other pair the other way round, so that each release has its share of each kind.
    found = [
        dict(zip(MAIL_HOSTS if number % 2 else MAIL_HOSTS[::-1], pair)) for number, pair in enumerate(pairs)
    ]
    return found + [dict.fromkeys(MAIL_HOSTS, case) for case in together]


ROUNDS = [*rounds(BROKEN), *rounds(HEALTHY)]
PLACES = [
    (case, host, number) for number, each in enumerate(ROUNDS) for host, case in each.items()
]  # fmt: skip


def small_disk(instance: tool.Lab, host: str, options: str) -> None:
    """Put a small file system in the place of the queue's: a container may not mount, its machine may."""
    box = instance.inspect()[host]
    enter = ["nsenter", "-m", "-p", "-t", str(box["State"]["Pid"]), "/bin/sh", "-euc"]
    if options:
        script = (
            "systemctl stop postfix; cp -a /var/spool/postfix /var/spool/full; "
            f"mount -t tmpfs -o {options},mode=755 tmpfs /var/spool/postfix; cp -a /var/spool/full/. /var/spool/postfix/; "
            "systemctl start postfix"
        )
    else:
        script = "systemctl stop postfix; umount -l /var/spool/postfix; rm -rf /var/spool/full; systemctl start postfix"
    tool.run(tool.as_root([*enter, script]))


@pytest.fixture(scope="session")
def verified(lab: tool.Lab) -> Any:
    """What verify says in a round, asked once."""
    address = lab.addresses()["relay"]

    @functools.lru_cache(maxsize=None)
    def result(number: int) -> dict[str, Verified]:
        cases = ROUNDS[number]
        first = next(iter(cases.values()))
        hosts = ",".join(cases)
        try:
            if first.relay:
                on(lab, "relay", first.relay)
            for host, case in cases.items():
                if case.disk:
                    small_disk(lab, host, case.disk)
            everywhere(lab, {host: case.do.replace("@RELAY@", address) for host, case in cases.items()})
            variables = {"verify_delivery_timeout": SECONDS, **first.variables}
            return servers.verify(lab, hosts=hosts, **variables)
        finally:
            for host, case in cases.items():
                if case.disk:
                    small_disk(lab, host, "")
            if first.relay:
                on(lab, "relay", RELAY_RESET)
            everywhere(lab, {host: f"{case.undo}\n{RESET}" for host, case in cases.items()})

    return result


def named(places: list[tuple[Case, str, int]], cases: tuple[Case, ...]) -> list[Any]:
    """The cases as parameters. With pytest -n each worker has a lab of its own, and a round is of one of them."""
    return [
        pytest.param(
            *place, id=f"{place[0].name}-{place[1]}", marks=pytest.mark.xdist_group(f"round {place[2]}")
        )
        for place in places
        if place[0] in cases
    ]


def test_the_deployment_is_green(lab: tool.Lab) -> None:
    for host, result in servers.verify(lab).items():
        assert result.passed, f"{host}: {result.message}"


def test_nothing_on_the_host_changes(lab: tool.Lab) -> None:
    """Check mode, which sends no mail: not a byte, an owner, a mode or a time stamp of what verify looks at.

    But for the time stamp of the directory "incoming" and for the locks in "pid": a listener that is asked for a
    recipient opens a file there, and closes it when the question is over; a daemon that it needs for that may never have
    run before.
    """
    everything = (
        "find /etc /usr/sbin /usr/lib/postfix /var/lib/postfix /var/mail /var/spool/postfix -xdev "
        "! -path '/var/spool/postfix/private/*' ! -path '/var/spool/postfix/public/*' ! -name '*cache*' "
        "! -name prng_exch ! -name master.pid ! -path /var/spool/postfix/incoming ! -path '/var/spool/postfix/pid*' -printf '%p %y %m %u %g %s %T@\\n' | sort; sha256sum /etc/postfix/* "
        "/var/spool/postfix/etc/* 2>/dev/null || true"
    )
    # What 'postfix check' would copy: a file of the host that the chroot has an older copy of.
    everywhere(lab, dict.fromkeys(MAIL_HOSTS, "echo '192.0.2.7 other.example' >>/etc/hosts"))
    before = {host: on(lab, host, everything) for host in MAIL_HOSTS}
    result = servers.verify(lab, "--check")
    after = {host: on(lab, host, everything) for host in MAIL_HOSTS}
    everywhere(lab, dict.fromkeys(MAIL_HOSTS, RESET))
    assert all(each.passed for each in result.values()), result
    for host in MAIL_HOSTS:
        changed = set(after[host].splitlines()) ^ set(before[host].splitlines())
        assert not changed, f"{host}: {sorted(changed)}"


@pytest.mark.parametrize(("case", "host", "number"), named(PLACES, BROKEN))
def test_a_broken_host_fails_and_the_cause_is_named(
    case: Case, host: str, number: int, verified: Any
) -> None:
    found = verified(number)[host]
    assert not found.passed, found.message
    missing = [word for word in case.words if word not in found.message.lower()]
    assert not missing, f"verify should say {missing}, but says: {found.message}"


@pytest.mark.parametrize(("case", "host", "number"), named(PLACES, HEALTHY))
def test_an_odd_but_healthy_host_passes(case: Case, host: str, number: int, verified: Any) -> None:
    found = verified(number)[host]
    assert found.passed, found.message


def test_the_table_is_as_large_as_promised() -> None:
    assert len(BROKEN) >= 30 and len(HEALTHY) >= 12
    assert all(case.words for case in BROKEN)


def test_a_host_without_sudo_is_told_in_one_sentence(lab: tool.Lab) -> None:
    result = servers.verify(lab, "-e", "ansible_become_user=daemon")
    for found in result.values():
        assert not found.passed
        assert found.message.count("sudo: not found") == 1
        assert "tests failed" not in found.message


def test_results_lie_where_the_user_stands(
    lab: tool.Lab, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = servers.verify(lab, "--check", verify_junit="results/")
    for host, found in result.items():
        assert found.passed, found.message
        assert (tmp_path / "results" / f"{host}.xml").is_file()
        assert f"the results are in {tmp_path}/results/{host}.xml" in found.message
