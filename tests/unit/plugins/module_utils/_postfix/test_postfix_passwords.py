"""Passwords in main.cf and master.cf are shown nowhere, and everything else is, byte for byte."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._base.masks import MASK
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.plan import diffs, make_plan
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.request import Request, file_wishes
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files.passwords import (
    referred,
    without_passwords,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files.text import without_content

# Each with the mask where the password was: M.
SHOWN = [
    ("smtp_sasl_password_maps = static:joe:hunter2\n", "smtp_sasl_password_maps = M\n"),
    ("lmtp_sasl_password_maps=static:{joe:hunter2}", "lmtp_sasl_password_maps=M"),
    (
        "smtp_sasl_password_maps =\n  static:joe:hunter2\nbiff = no\n",
        "smtp_sasl_password_maps =\n  M\nbiff = no\n",
    ),
    (
        "smtp_sasl_password_maps = inline:{\n# { b = x:hunter2 }\n  { [a]:587 = joe:hunter2 }\n }\nbiff = no\n",
        "smtp_sasl_password_maps = M\n# M\n  M\n M\nbiff = no\n",
    ),
    (
        "smtp_sasl_password_maps = texthash:/etc/postfix/p,\n# mine\n  static:joe:hunter2\n",
        "smtp_sasl_password_maps = texthash:/etc/postfix/p,\n# mine\n  M\n",
    ),
    ("smtp_sasl_password_maps = joe:hunter2\n", "smtp_sasl_password_maps = M\n"),
    ("accounts_bind_pw = hunter2\n", "accounts_bind_pw = M\n"),
    ("accounts_password = hunter2\n", "accounts_password = M\n"),
    ("login = joe:hunter2\n", "login = M\n"),
    # Commented out, by hand and by us.
    ("# smtp_sasl_password_maps = static:joe:hunter2\n# biff\n", "# smtp_sasl_password_maps = M\n# biff\n"),
    (
        "#mailops.smtp# smtp_sasl_password_maps = inline:{\n#mailops.smtp#   { [a] = joe:hunter2 } }\n# biff = no\n",
        "#mailops.smtp# smtp_sasl_password_maps = M\n#mailops.smtp#   M }\n# biff = no\n",
    ),
    # master.cf.
    (
        "587 inet n - n - - smtpd -o smtp_sasl_password_maps=static:joe:hunter2 -o biff=no\n",
        "587 inet n - n - - smtpd -o smtp_sasl_password_maps=M -o biff=no\n",
    ),
    (
        "  -o { smtp_sasl_password_maps = inline:{ { [a] = joe:hunter2 } } } -o biff=no\n",
        "  -o { smtp_sasl_password_maps = M } -o biff=no\n",
    ),
    (
        "  -o { smtp_sasl_password_maps = inline:{\n    { [a] = joe:hunter2 }\n    } } -o biff=no\nsmtp unix\n",
        "  -o { smtp_sasl_password_maps = M\n    M\n    M } -o biff=no\nsmtp unix\n",
    ),
    ("  -o {\n smtp_sasl_password_maps = static:hunter2 }\n", "  -o {\n smtp_sasl_password_maps = M\n"),
    ("#  -o smtp_sasl_password_maps=static:joe:hunter2\n", "#  -o smtp_sasl_password_maps=M\n"),
]
LEFT = [
    "smtp_sasl_password_maps = texthash:/etc/postfix/sasl_passwd, proxy:mysql:/etc/postfix/p.cf\n",
    "smtp_sasl_password_maps = $other_maps\nsmtp_sasl_password_result_delimiter = :\n",
    "smtp_sasl_password_maps =\n\n# {\nbiff = no",
    "  -o smtp_sasl_password_maps=hash:$config_directory/p -o x=static:y\n",
    "virtual_alias_maps = static:root\n",
]


@pytest.mark.parametrize(("text", "shown"), SHOWN)
def test_a_password_is_masked_where_it_stands(text: str, shown: str) -> None:
    assert without_passwords(text, frozenset({"login"})) == shown.replace("M", MASK)


@pytest.mark.parametrize("text", LEFT)
def test_what_is_no_password_is_left(text: str) -> None:
    assert without_passwords(text) == text


def test_what_a_table_of_passwords_refers_to_holds_one() -> None:
    pairs = [("smtp_sasl_password_maps", "static:$user:${word} $config_directory"), ("x_maps", "$y")]
    assert referred(pairs) == {"user", "word"}


@pytest.fixture
def base(tmp_path: Path) -> str:
    (tmp_path / "main.cf").write_text(
        "smtp_sasl_password_maps = static:$login\nlogin = joe:hunter2\nbiff = no\n"
    )
    (tmp_path / "master.cf").write_text(
        "smtp unix - - n - - smtp -o { lmtp_sasl_password_maps = static:x:hunter2 }\n"
    )
    return str(tmp_path)


@pytest.mark.parametrize(
    ("wish", "shown"),
    [
        ({"parameters": {"biff": True}}, "biff = yes"),
        ({"parameters": {"smtp_sasl_password_maps": None, "login": None}}, "biff = no"),
        ({"parameters": {"login": "joe:hunter2b"}}, "a password in this file changes, and is not shown"),
        ({"services": [{"service": "smtp", "type": "unix", "options": {"x": "y"}}]}, "-o x=y"),
        ({"services": [{"service": "smtp", "type": "unix", "state": "absent"}]}, ""),
        ({"files": [{"path": "main.cf", "content": "smtp_sasl_password_maps = static:a:hunter2"}]}, "= ****"),
    ],
)
def test_no_password_of_main_cf_is_in_a_diff(base: str, wish: dict[str, Any], shown: str) -> None:
    files = file_wishes(wish.get("files", []))
    request = Request(files=files, parameters=wish.get("parameters", {}), services=wish.get("services", []))
    made = make_plan(request, base)
    (diff,) = diffs(made, "/etc/postfix")
    assert shown in diff["after"] and diff["before"] != diff["after"]
    assert "hunter2" not in str(diff) and MASK in diff["before"]
    (change,) = made.changes
    assert "hunter2" in change.before


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "cidr map /etc/postfix/t, line 3: bad hunter2\nelsewhere",
            "cidr map /etc/postfix/t, line 3R\nelsewhere",
        ),
        ("/etc/postfix/t.db: duplicate entry: hunter2", "/etc/postfix/tR"),
        ("open /etc/postfix/t", "open /etc/postfix/t"),
        ("open /etc/postfix/table: no such file", "open /etc/postfix/table: no such file"),
        ("/x/etc/postfix/t: no such file", "/x/etc/postfix/t: no such file"),
    ],
)
def test_what_is_said_of_a_secret_file_ends_at_its_name(said: str, shown: str) -> None:
    cut = without_content(said, ["/etc/postfix/t"])
    assert cut == shown.replace("R", ": the rest may be of this file, and is not shown")
    assert without_content(said, []) == said
