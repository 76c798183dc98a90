"""verify fails on every submission server that is broken in one way, by the one test that is for it, and on no odd one.

Two hosts are tried in a run of ansible-playbook, a case on each. Every third pair is, for they take long;
MAILOPS_VERIFY_EVERYWHERE=1 tries all.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import os
import re
from typing import Any

import pytest
import servers
from attacked import BEGIN, BROKEN, DOVECOT, HEALTHY, PORTS, SERVER, Case
from cases import RESET
from servers import MAIL_HOSTS, Verified, everywhere, tool

# What a case may set for its host, and the default of the role.
OWN: dict[str, Any] = {"verify_outside": "", "verify_certificate_names": [], "verify_certificate_ca_file": ""}

# The tests that talk to listeners; the others are tried in test_verify.py.
SELECT = ["listeners", "relaying", "submission", "certificate_is"]

STEP = 2 if os.environ.get("MAILOPS_VERIFY_EVERYWHERE") else 6
PAIRS = [
    pair
    for cases in (BROKEN, HEALTHY)
    for pair in (cases[start : start + 2] for start in range(0, len(cases), STEP))
]
# Every other pair the other way round, so that each release has its share of each kind.
ROUNDS = [
    dict(zip(MAIL_HOSTS if number % 2 else MAIL_HOSTS[::-1], pair)) for number, pair in enumerate(PAIRS)
]


@pytest.fixture(scope="session")
def submission(lab: tool.Lab) -> Any:
    """The lab with the configuration of a submission server in store."""
    servers.certificates(lab)
    everywhere(lab, dict.fromkeys(MAIL_HOSTS, f"{RESET}{DOVECOT}{SERVER}{RESET}"))
    yield lab
    everywhere(lab, dict.fromkeys(MAIL_HOSTS, "systemctl stop dovecot 2>/dev/null || true"))


@pytest.fixture(scope="session")
def attacked(submission: tool.Lab) -> Any:
    """What verify says in a round, asked once."""

    @functools.lru_cache(maxsize=None)
    def result(number: int) -> dict[str, Verified]:
        cases = ROUNDS[number]
        chosen = {host: {**OWN, **case.variables} for host, case in cases.items()}
        variables = {name: f"{{{{ chosen[inventory_hostname].{name} }}}}" for name in OWN}
        try:
            everywhere(submission, {host: f"{BEGIN}\n{case.do}" for host, case in cases.items()})
            return servers.verify(
                submission,
                hosts=",".join(cases),
                chosen=chosen,
                verify_submission_ports=PORTS,
                verify_select=SELECT,
                **variables,
            )
        finally:
            after = "systemctl stop dovecot 2>/dev/null || true"
            everywhere(submission, {host: f"{case.undo}\n{RESET}\n{after}" for host, case in cases.items()})

    return result


def places(cases: tuple[Case, ...]) -> list[Any]:
    """With pytest -n each worker has a lab of its own, and a round is of one of them."""
    return [
        pytest.param(
            case, host, number, id=f"{case.name}-{host}", marks=pytest.mark.xdist_group(f"attacked {number}")
        )
        for number, each in enumerate(ROUNDS)
        for host, case in each.items()
        if case in cases
    ]


@pytest.mark.parametrize(("case", "host", "number"), places(BROKEN))
def test_one_test_fails_on_a_broken_server(case: Case, host: str, number: int, attacked: Any) -> None:
    found = attacked(number)[host]
    assert not found.passed, found.message
    assert re.findall(r"\[(\w+::\w+)\]", found.message) == [case.test], found.message
    missing = [word for word in case.words if word not in found.message.lower()]
    assert not missing, f"verify should say {missing}, but says: {found.message}"


@pytest.mark.parametrize(("case", "host", "number"), places(HEALTHY))
def test_an_odd_but_right_server_passes(case: Case, host: str, number: int, attacked: Any) -> None:
    found = attacked(number)[host]
    assert found.passed, found.message


def test_the_table_is_as_large_as_promised() -> None:
    assert len(BROKEN) >= 25 and len(HEALTHY) >= 8
    assert all(case.test and case.words for case in BROKEN)
