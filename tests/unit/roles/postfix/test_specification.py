"""The role hands postfix_maps and postfix_services to postfix_config: both take the same keys."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.arguments import CONFIG_ARGUMENTS

ROLE = Path(__file__).resolve().parents[4] / "roles" / "postfix"
SPEC = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]


@pytest.mark.parametrize(
    ("variable", "option"), [("postfix_maps", "files"), ("postfix_services", "services")]
)
def test_the_role_takes_what_the_module_takes(variable: str, option: str) -> None:
    def shape(entry: dict[str, object]) -> dict[str, object]:
        return {key: entry.get(key) for key in ("type", "required", "default", "choices")}

    role = {name: shape(entry) for name, entry in SPEC[variable]["options"].items()}
    module = {name: shape(entry) for name, entry in CONFIG_ARGUMENTS[option]["options"].items()}
    assert role == module


@pytest.mark.parametrize("tasks", sorted(ROLE.parent.glob("*/tasks/*.yml")), ids=lambda path: str(path)[-30:])
def test_no_task_hides_the_words_of_its_module(tasks: Path) -> None:
    """ansible-core puts 'A failed_when expression evaluated to True' in their place."""
    for task in yaml.safe_load(tasks.read_text()):
        assert task.get("failed_when", False) is False, task["name"]
