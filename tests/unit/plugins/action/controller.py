"""What Ansible gives to a role's first task, and makes of its variables, without a run of it.

As a program it reads hosts' variables as JSON, and prints what expressions in terms of a role's become: filters of a
collection are found where Ansible is the first to import it.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

import yaml
from ansible.plugins.loader import init_plugin_loader

if __name__ == "__main__":
    init_plugin_loader()

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.mailops.smtp.plugins.action.variables import ROLES, ActionModule

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core 2.18: every text is a template, unless it is marked as unsafe
    from ansible.utils.unsafe_proxy import wrap_var as untrusted

    def trust_as_template(text: str) -> str:
        return text
else:

    def untrusted(value: Any) -> Any:
        return value


# It keeps what it has read, trusted or not, so nobody but the action reads with it.
LOADER = DataLoader()


def trusted(value: Any) -> Any:
    """As Ansible has read it from a file: every text may be a template."""
    if isinstance(value, dict):
        return {key: trusted(one) for key, one in value.items()}
    if isinstance(value, list):
        return [trusted(one) for one in value]
    return trust_as_template(value) if isinstance(value, str) else value


def variables_of(role: str, **given: Any) -> dict[str, Any]:
    """The variables of a host: those that the role brings along, and those that it was given."""
    variables: dict[str, Any] = {"role_path": str(ROLES / role), "ansible_facts": {}}
    variables["ansible_search_path"] = [variables["role_path"]]
    for part in ("defaults", "vars"):
        path = ROLES / role / part / "main.yml"
        variables.update(trusted(yaml.safe_load(path.read_text("utf-8"))) if path.exists() else {})
    return {**variables, **trusted(given)}


def rendered(variables: dict[str, Any], expression: str) -> Any:
    return Templar(LOADER, variables=variables).template(trust_as_template(f"{{{{ {expression} }}}}"))


def ask(role: str, strategy: str = "linear", **given: Any) -> dict[str, Any]:
    """The result of the role's first task for a host with these variables."""
    return first_task(role, variables_of(role, **given), strategy)


def first_task(role: str, variables: dict[str, Any], strategy: str = "linear") -> dict[str, Any]:
    play = SimpleNamespace(strategy=strategy)
    task = SimpleNamespace(
        get_play=lambda: play,
        args={"role": role},
        async_val=0,
        check_mode=False,
        diff=False,
        action="x",
        environment=[],
    )
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), become=None)
    templar = Templar(LOADER, variables=variables)
    return ActionModule(task, connection, SimpleNamespace(), LOADER, templar, None).run(task_vars=variables)


def main() -> None:
    found = []
    for role, given, expressions in json.load(sys.stdin):
        variables = {**variables_of(role), **untrusted(given)}
        result = variables[f"{role}__v"] = first_task(role, variables)
        if result.get("failed"):
            sys.exit(f"{given}: {result['msg']}")
        found.append([rendered(variables, expression) for expression in expressions])
    json.dump(found, sys.stdout, default=str)


if __name__ == "__main__":
    main()
