"""Playbook rollback: rollback_to is checked under that name."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("ansible.plugins.action", reason="the controller's side needs ansible-core")

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core 2.18: every text is a template

    def trust_as_template(text: str) -> str:
        return text


PLAYBOOK = Path(__file__).resolve().parents[2] / "playbooks" / "rollback.yml"


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({}, False),
        ({"rollback_to": ""}, False),
        ({"rollback_to": "previous"}, False),
        ({"rollback_to": "original"}, False),
        ({"rollback_to": "orignal"}, True),
    ],
)
def test_a_wrong_destination_is_refused_by_its_name(given: dict[str, Any], refused: bool) -> None:
    check = yaml.safe_load(PLAYBOOK.read_text())[0]["tasks"][0]
    templar = Templar(DataLoader(), variables=given)
    assert templar.template(trust_as_template("{{ " + check["when"] + " }}")) is refused
    if refused:
        said = templar.template(trust_as_template(check["ansible.builtin.fail"]["msg"]))
        assert said.startswith("rollback_to is 'orignal'; write previous")
