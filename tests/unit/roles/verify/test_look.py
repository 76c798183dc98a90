# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What look.py makes of files and of what Postfix's programs print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT / "roles" / "verify" / "files" / "suite"))

import look

MAIN_CF = """\
message_size_limit = 10000000
# BEGIN mailops.smtp: written by Ansible. What is outside of this block stays; a change inside it is lost.
# {"glue": 1, "lines": 4}
relayhost = [relay.example.com]:587,
    [relay.example.com]:2525
myhostname = mail1.example.com
# END mailops.smtp
"""


@pytest.mark.parametrize(
    ("behind", "found"),
    [
        ("", []),
        ("message_size_limit = 50000000\n", []),
        ("relayhost = [relay.example.com]:587\n# between\n  [relay.example.com]:2525\n", []),
        ("myhostname = other.example\nmyhostname = mail1.example.com\n", []),
        ("\n# mine\nrelayhost = [192.0.2.5]:25\n", [("relayhost", 10, "[192.0.2.5]:25")]),
        ("relayhost =\n", [("relayhost", 8, "")]),
        ("relayhost =\n  [192.0.2.5]\n", [("relayhost", 8, "[192.0.2.5]")]),
    ],
)
def test_what_is_set_otherwise_behind_the_block_is_seen(
    behind: str, found: list[tuple[str, int, str]]
) -> None:
    seen = look.set_again(MAIN_CF + behind)
    assert [(each["name"], each["line"], each["value"]) for each in seen] == found


def test_a_main_cf_without_a_block_has_nothing_behind_it() -> None:
    assert look.set_again("relayhost = a\nrelayhost = b\n") == []


OVERRIDING = "postmap: warning: /etc/postfix/main.cf, line 41: overriding earlier entry: x_maps=hash:{path}\n"


@pytest.mark.parametrize(
    ("kind", "code", "said", "problem"),
    [
        ("hash", 1, "", ""),
        ("hash", 1, OVERRIDING, ""),
        ("regexp", 1, "postmap: warning: regexp map {path}, line 1: ignoring unrecognized request\n", ""),
        ("hash", 1, "postmap: fatal: bad numeric configuration: default_process_limit = x\n", ""),
        ("hash", 1, "postmap: fatal: /etc/postfix/main.cf, line 3: missing '=' after attribute name\n", ""),
        ("hash", 1, OVERRIDING + "postmap: fatal: open database {path}.db: Permission denied\n",
         "open database {path}.db: Permission denied"),
        ("hash", 1, "postmap: fatal: table hash:{path}: query error: Success\n" + OVERRIDING,
         "table hash:{path}: query error: Success"),
        ("texthash", 1, "postmap: warning: {path}, line 2: duplicate entry: \"x\"\n" + OVERRIDING,
         "{path}, line 2: duplicate entry: \"x\""),
    ],
)  # fmt: skip
def test_a_table_is_judged_by_what_is_said_of_it(
    kind: str, code: int, said: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "virtual"
    for name in (path, tmp_path / "virtual.db"):
        name.write_text("")
    answer: Any = (code, "", said.format(path=path))
    monkeypatch.setattr(look, "run", lambda *_command: answer)
    assert look.problem_of(kind, str(path), ["hash", "regexp", "texthash"]) == problem.format(path=path)
