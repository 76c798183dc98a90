"""A host of each release for the tests that need a real Postfix."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import re
import sys
from typing import Any, Iterator

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from hosts import RELEASES, Host, missing


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With several workers (-n 2), tests that share a host go to one of them: all cases of a release, or of a file."""
    from xdist.scheduler import LoadScopeScheduling

    class ByRelease(LoadScopeScheduling):  # type: ignore[misc,unused-ignore]
        def _split_scope(self, nodeid: str) -> str:
            release = re.search(r"/test_(?:cases|client|password_table)\.py::.*\[(\w+)", nodeid)
            shared = release or re.search(r"/(test_(?:open_relays|secrets))\.py", nodeid)
            return shared.group(1) if shared else nodeid

    return ByRelease(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is tried on hosts of several releases is tried on one of them, by turns, unless each is asked for."""
    if os.environ.get("MAILOPS_EVERY_CASE"):
        return
    same: dict[str, list[pytest.Item]] = {}
    for item in items:
        release = str(item.callspec.params.get("host", "")) if hasattr(item, "callspec") else ""
        same.setdefault(item.nodeid.replace(release, "") if release else item.nodeid, []).append(item)
    items[:] = [each[number % len(each)] for number, each in enumerate(same.values())]


@pytest.fixture(scope="module", params=RELEASES)
def shared_host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """One host for all tests of a module; they must leave it as they found it."""
    if missing():
        pytest.fail(missing())
    host = Host(request.param)
    yield host
    host.destroy()


def lent(release: str = "bookworm", *options: str, **more: bool) -> Iterator[Host]:
    """A fresh host for one test."""
    if missing():
        pytest.fail(missing())
    host = Host(release, *options, **more)
    yield host
    host.destroy()


@pytest.fixture
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """A fresh host of the release asked for."""
    yield from lent(getattr(request, "param", "bookworm"))


@pytest.fixture
def bare_host() -> Iterator[Host]:
    """A host without systemd."""
    yield from lent(systemd=False)


@pytest.fixture
def blind_host() -> Iterator[Host]:
    """A host with systemd whose root may not look into the processes of others."""
    yield from lent(ptrace=False)


@pytest.fixture
def privileged_host() -> Iterator[Host]:
    """A host that may set its sysctls."""
    yield from lent("bookworm", "--privileged")
