"""What is secret is in nothing that postfix_config gives: not of a sensitive file, and no password of main.cf."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from hosts import Host

SECRET = "TopSecret99"
TABLES = [
    ("smtpd_client_restrictions", "check_client_access cidr", f"10.0.0.0/33 {SECRET}\n{SECRET} OK\n"),
    ("header_checks", "regexp", f"/{SECRET}( {SECRET}\n{SECRET}\nif {SECRET}\n"),
    ("virtual_alias_maps", "texthash", f"{SECRET}\n{SECRET} {SECRET}\n"),
    ("virtual_alias_maps", "hash", f"{SECRET} x\n{SECRET} y\n{SECRET}2\n"),
    ("alias_maps", "hash", f"{SECRET}@x: y\n{SECRET}\n{SECRET}: '|{SECRET}\n"),
    ("transport_maps", "texthash", f"example.com {SECRET}:[{SECRET}]:x\n"),
    ("smtp_tls_policy_maps", "texthash", f"example.com {SECRET} match={SECRET}\n"),
    ("virtual_alias_maps", "memcache", f"line {SECRET}\n{SECRET} = x\ndata_size_limit = {SECRET}\n"),
]


IGNORED = dict.fromkeys(("table-unreadable", "table-row", "postfix-says", "access-action"), "tried")


@pytest.fixture(scope="module")
def bookworm() -> Any:
    from conftest import lent

    yield from lent()


@pytest.mark.parametrize(("check_mode", "ignore"), [(True, {}), (False, {}), (True, IGNORED)])
@pytest.mark.parametrize(("parameter", "kind", "content"), TABLES)
def test_nothing_of_a_sensitive_file_is_told(
    bookworm: Host, parameter: str, kind: str, content: str, ignore: dict[str, str], check_mode: bool
) -> None:
    wish = {"path": "t", "content": content, "sensitive": True}
    value = f"{kind}:/etc/postfix/t"
    try:
        done = bookworm.module(
            "postfix_config", check_mode, parameters={parameter: value}, files=[wish], ignore=ignore
        )
    finally:
        bookworm.run("cd /etc/postfix; rm -f t t.db; postconf -X " + parameter)
    assert SECRET.lower() not in done["everything"].lower()
    assert done["code"] == 0 or "mistake" in done["msg"] or "cannot be compiled" in done["msg"], done[
        "everything"
    ]


def test_a_password_of_main_cf_is_in_no_diff(bookworm: Host) -> None:
    bookworm.run(
        "cp -p /etc/postfix/ma*.cf /root/;"
        f"postconf -e 'smtp_sasl_password_maps = static:joe:{SECRET}' 'relayhost = [127.0.0.1]:26';"
        f"sed -i 's/-o syslog_name.*/-o {{ smtp_sasl_password_maps = inline:{{ {{ x = y:{SECRET} }} }} }}/'"
        " /etc/postfix/master.cf"
    )
    options = {"service": "relay", "type": "unix", "options": {"biff": "no"}}
    wishes: list[dict[str, Any]] = [
        {"parameters": {"biff": True}, "services": [options]},
        {"block": {"text": "smtp_sasl_password_maps = texthash:/etc/postfix/none\n"}},
        {"parameters": {"smtp_sasl_password_maps": None}},
    ]
    for wish in wishes:
        for ignore in ({}, {"password-in-main-cf": "tried", "table-missing": "tried"}):
            done = bookworm.module("postfix_config", True, ignore=ignore, **wish)
            assert SECRET not in done["everything"]
            assert "smtp_sasl_password_maps = ********" in done["everything"]
    bookworm.run("cp -p /root/ma*.cf /etc/postfix/")
