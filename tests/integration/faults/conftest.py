"""Sets up the network of the fault table, lets the probe loose in it once, and hands out what it found."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, Generator, Iterator, NamedTuple

import pytest

from faults.certificates import Authority
from faults.network import Network
from faults.table import NAME_SERVICES, PLACES, POLICIES, NameService

# This package, and what stands in for the managed host's copy of the collection; never the packages of this Python.
_PATH = os.pathsep.join(
    [str(Path(__file__).parent.parent)]
    + [str(Path(entry).absolute()) for entry in sys.path if Path(entry, "ansible_collections").is_dir()]
)
# The Python that runs the probe may be any that a managed host has.
_PYTHON = os.environ.get("PROBE_PYTHON", sys.executable)
_RIGHT = pytest.StashKey[Dict[str, bool]]()


class Run(NamedTuple):
    """One process of the client: when it was over, what it said, how it ended."""

    over: float
    """On the monotonic clock, as ``done`` in its answer."""
    output: str
    errors: str
    status: int


class Findings(NamedTuple):
    results: dict[str, list[dict[str, Any]]]
    """By case: what the probe said."""
    seconds: dict[str, float]
    """By policy: how long its call of probe() took."""
    lingering: dict[str, float]
    """By name service ("" is the usual one): for how long the process went on after it had nothing left to do."""
    errors: dict[str, str]
    """By name service: what it wrote on standard error."""
    hosts: dict[str, list[dict[str, Any]]]
    """By case: what came to the server."""


def _rules(way: str) -> list[str]:
    return [place.fill(rule) for place in PLACES for rule in getattr(place.case, way)]


def _prepare(network: Network) -> None:
    deaf = [
        "ip daddr %s meta l4proto { tcp, udp } th dport 53 drop" % NAME_SERVICES["name server drops"].resolver
    ]
    network.filter(network.server, "input", _rules("way") + deaf)
    network.filter(network.server, "output", _rules("way_back"))
    network.filter(network.client, "output", _rules("own_firewall"))
    network.add_hosts(
        "%s %s" % (place.fill(place.case.hosts), place.name) for place in PLACES if place.case.hosts
    )
    routes = []
    for place in PLACES:
        if place.case.route:
            routes += ["route add %s %s" % (place.case.route, address) for address in place.addresses]
    network.client.run("ip", "-batch", "-", stdin="\n".join(routes))


def _ask(network: Network, ca_file: Path, policies: list[str]) -> Run:
    command = network.client.command(_PYTHON, "-m", "faults.ask", str(ca_file), *policies)
    environment = {**os.environ, "PYTHONPATH": _PATH}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)
    return Run(time.monotonic(), done.stdout, done.stderr, done.returncode)


@pytest.fixture(scope="session")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Findings]:
    directory = tmp_path_factory.mktemp("faults")
    problem = ""
    try:
        network = Network(directory)
    except RuntimeError as error:
        problem = str(error)
    if problem:
        pytest.fail(problem, pytrace=False)
    authority = Authority(directory)
    for place in PLACES:
        authority.make(place.case.certificate, place.name, place.listens_on[0], place.case.name + ".pem")
    try:
        _prepare(network)
        with subprocess.Popen(
            network.server.command(sys.executable, "-m", "faults.serve", str(directory)),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": _PATH},
        ) as server:  # fmt: skip
            assert server.stdin and server.stdout
            assert server.stdout.readline() == "ready\n", "the servers did not start"
            runs: dict[str, Run] = {}
            usual = [policy for policy in POLICIES if policy not in NAME_SERVICES]
            network.use_names(*NameService())
            runs[""] = _ask(network, authority.ca_file, usual)
            for policy, service in NAME_SERVICES.items():
                network.use_names(*service)
                runs[policy] = _ask(network, authority.ca_file, [policy])
            server.stdin.write("report\n")
            server.stdin.flush()
            hosts = json.loads(server.stdout.readline())
            server.stdin.close()
        results: dict[str, list[dict[str, Any]]] = {}
        seconds: dict[str, float] = {}
        lingering: dict[str, float] = {}
        for name, run in runs.items():
            assert run.status == 0, "the probe ended with status %d:\n%s" % (run.status, run.errors)
            answer = json.loads(run.output)
            lingering[name] = run.over - answer["done"]
            for policy, outcome in answer["policies"].items():
                seconds[policy] = outcome["seconds"]
                results.update(outcome["cases"])
        yield Findings(results, seconds, lingering, {name: run.errors for name, run in runs.items()}, hosts)
    finally:
        network.close()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_RIGHT] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
    if case is not None and report.when == "call":
        item.config.stash[_RIGHT][case.name] = report.passed
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    right = config.stash[_RIGHT]
    if right:
        terminalreporter.write_line("%d of %d faults right" % (sum(right.values()), len(right)))
