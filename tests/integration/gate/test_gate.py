"""Runs in which nobody would be reached end red, with a sentence: real ansible-playbook runs on this machine."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from runs import playbook

ONE_HOST = "mail:\n  hosts:\n    web1:\n      ansible_connection: local\n"
NOBODY_THERE = "mail:\n  hosts:\n    web1:\n      ansible_host: 127.0.0.1\n      ansible_port: 1\n"

REFUSED = {
    "misspelt group": ("preflight", ONE_HOST, ["-e", "smtp_hosts=mial"], "Did you mean mail?"),
    "misspelt group of deploy": ("deploy", ONE_HOST, ["-e", "smtp_hosts=mial"], "Did you mean mail?"),
    "misspelt group of verify": ("verify", ONE_HOST, ["-e", "smtp_hosts=mial"], "Did you mean mail?"),
    "misspelt group of site": ("site", ONE_HOST, ["-e", "smtp_hosts=mial"], "Did you mean mail?"),
    "misspelt group of rollback": ("rollback", ONE_HOST, ["-e", "smtp_hosts=mial"], "Did you mean mail?"),
    "empty group name": ("preflight", ONE_HOST, ["-e", "smtp_hosts="], "smtp_hosts is empty"),
    "group of an undefined variable": ("preflight", ONE_HOST, ["-e", "smtp_hosts='{{ nobody }}'"], "nobody"),
    "no inventory": ("preflight", "", [], "The inventory has no hosts"),
    "empty group": ("preflight", ONE_HOST + "db:\n", ["-e", "smtp_hosts=db"], "matches no host"),
    "tags": ("preflight", ONE_HOST, ["--tags", "preflight"], "With --tags preflight nothing would be done"),
    "misspelt limit": ("preflight", ONE_HOST, ["--limit", "web1,wbe2"], "wbe2"),
    "all unreachable": ("preflight", NOBODY_THERE, ["-e", "postfix_relay_host=127.0.0.1"], "unreachable=1"),
    "undefined password": (
        "preflight",
        ONE_HOST,
        ["-e", '{"postfix_relay_host": "127.0.0.1", "postfix_relay_username": "ops",'
               ' "postfix_relay_password": "{{ vault_relay_password }}"}'],
        "vault_relay_password, which is not defined",
    ),
    "undefined user name and password": (
        "deploy",
        ONE_HOST,
        ["-e", '{"ansible_become": false, "postfix_relay_host": "127.0.0.1", "postfix_relay_username": "{{ vault_u }}",'
               ' "postfix_relay_password": "{{ vault_p }}"}'],
        "vault_u, which is not defined",
    ),
    "no relay": ("preflight", ONE_HOST, [], "postfix_relay_host"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name: str, tmp_path: Path) -> None:
    play, inventory, arguments, sentence = REFUSED[name]
    source = tmp_path / "inventory.yml"
    source.write_text(inventory)
    done = playbook(play, source, *arguments)
    assert done.code != 0, done.text
    assert sentence in done.words, done.text


def test_reaches_whom_it_names(tmp_path: Path) -> None:
    """The same run with the right name goes on to probe, and ends with the verdict of the port."""
    source = tmp_path / "inventory.yml"
    source.write_text(ONE_HOST)
    done = playbook(
        "preflight",
        source,
        *("-e", "smtp_hosts=mail", "-e", "postfix_relay_host=127.0.0.1", "-e", "postfix_relay_port=1"),
    )
    assert done.code != 0, done.text
    assert "refused" in done.words, done.text
