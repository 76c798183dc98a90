"""A host of which everything that a check asks is known."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks import (
    addresses,
    master,
    next_hops,
    sasl,
    tables,
    transports,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import distributions, listeners
from checks_lab import Lab

OURS = ("127.0.0.1", "127.0.0.2", "::1", "0.0.0.0", "::")
USERS = ("nobody", "nogroup", "list", "postfix", "root")


@pytest.fixture(scope="session")
def lab_directory(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("lab"))


@pytest.fixture
def lab(lab_directory: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """The lab, on a host of which everything that a check asks is known."""
    for module in (addresses, master, next_hops):
        monkeypatch.setattr(module, "is_local", lambda address: address in OURS)
    for module in (addresses, master):
        monkeypatch.setattr(
            module, "resolves", lambda name: name == "localhost" or name.endswith(".example.com")
        )
    monkeypatch.setattr(sasl, "installed_plugins", lambda: {"plain", "login", "crammd5", "scram"})
    for module in (sasl, tables):
        monkeypatch.setattr(module, "of_this_host", lambda: distributions.FAMILIES[0])
    monkeypatch.setattr(transports, "_has_user", lambda name: name in USERS)
    monkeypatch.setattr(transports, "_has_group", lambda name: name in USERS)
    monkeypatch.setattr(listeners, "all_listeners", lambda: {listeners.Listener("0.0.0.0", 22)})
    return lab_directory
