"""A port that is refused to Postfix is put down to SELinux only where that is enforcing."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import selinux

REFUSED = "Postfix logged: postfix/master[7]: fatal: bind 0.0.0.0 port 26: Permission denied"


@pytest.mark.parametrize(
    "mode, problems, ports",
    [
        ("1", [REFUSED], ["26"]),
        ("1\n", ["master is not running", REFUSED, REFUSED.replace("26", "366"), REFUSED], ["26", "366"]),
        ("1", [REFUSED.replace("0.0.0.0", "::1")], ["26"]),
        ("0", [REFUSED], []),
        (None, [REFUSED], []),
        ("1", ["postfix/master[7]: fatal: bind 0.0.0.0 port 25: Address already in use"], []),
        ("1", ["fatal: open /etc/postfix/main.cf: Permission denied"], []),
        ("1", [], []),
    ],
)
def test_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str | None, problems: list[str], ports: list[str]
) -> None:
    enforce = tmp_path / "enforce"
    if mode is not None:
        enforce.write_text(mode)
    monkeypatch.setattr(selinux, "MODE", str(enforce))
    said = selinux.advice(problems)
    assert len(said) == len(ports)
    for sentence, port in zip(said, ports):
        assert f"keeps Postfix from port {port} " in sentence
        assert f"community.general.seport with ports: {port}, proto: tcp, setype: smtp_port_t" in sentence
