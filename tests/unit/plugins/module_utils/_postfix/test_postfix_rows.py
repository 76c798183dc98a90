"""Rows of tables, white space as Postfix knows it, and expressions."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix import info
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks import (
    addresses,
    configuration,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files import (
    expansion,
    main_cf,
    master_cf,
    nexthop,
    table,
)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("/^Subject: x/ REJECT no\n", [("/^Subject: x/", "REJECT no", 1)]),
        ("/a\\/b/i  OK\n", [("/a\\/b/i", "OK", 1)]),
        ("!/a/x DUNNO\n", [("!/a/x", "DUNNO", 1)]),
        ("|a/b| HOLD\n", [("|a/b|", "HOLD", 1)]),
        ("# c\nif /x/\n/y/ OK\nendif\n", [("/y/", "OK", 3)]),
        ("IF /x/\n/y/\n  OK then\nENDIF\n", [("/y/", "OK then", 2)]),
        ("/no end REJECT\n", []),
    ],
)
def test_rows_of_patterns(text: str, rows: list[tuple[str, str, int]]) -> None:
    assert [tuple(row) for row in table.parse_patterns(text)] == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("{ {a@example.com = b, c} }", [("a@example.com", "b, c", 0)]),
        ("{a=b, c=d}", [("a", "b", 0), ("c", "d", 0)]),
        ("{a=b, c=d, A=e}", [("A", "e", 0), ("c", "d", 0)]),
        ("{a}", [("a", "", 0)]),
        ("{}", []),
    ],
)
def test_rows_of_an_inline_table(text: str, rows: list[tuple[str, str, int]]) -> None:
    assert [tuple(row) for row in table.parse_inline(text)] == rows


def test_white_space_is_that_of_postfix() -> None:
    main = main_cf.MainCf("relayhost =\u00a0[a]\nx = 1\f2\n\u00a0\n")
    assert main.get("relayhost") == "\u00a0[a]"
    assert main.get("x") == "1\f2"
    assert main.bad_lines == [(3, "\u00a0")]
    assert main.text() == "relayhost =\u00a0[a]\nx = 1\f2\n\u00a0\n"


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${domain_to_ascii{$mydomain}}", "xn--bcher-kva.example"),
        (".${domain_to_ascii{example.com}}=x", ".example.com=x"),
    ],
)
def test_domain_to_ascii(text: str, expanded: str) -> None:
    assert expansion.expand(text, {"mydomain": "b\u00fccher.example"}) == expanded


def test_unknown_function_is_not_guessed() -> None:
    with pytest.raises(expansion.CannotExpand):
        expansion.expand("${frobnicate{x}}", {})


@pytest.mark.parametrize(("kind", "private"), [("inet", "n"), ("unix", "-")])
def test_new_inet_service_is_not_private(kind: str, private: str) -> None:
    master = master_cf.MasterCf("")
    master.merge([{"service": "2525", "type": kind, "command": "smtpd"}])
    assert master.services[0].private == private


def test_existing_service_keeps_its_columns() -> None:
    master = master_cf.MasterCf("2525 inet y n n - 7 smtpd\n")
    master.merge([{"service": "2525", "type": "inet", "options": {"a": 1}}])
    assert master.services[0][2:7] == ("y", "n", "n", "-", "7")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('"[relay.example.com]:587"', "remove the quotes"),
        ("smtp:[relay.example.com]:587", r"takes no transport; write \[relay.example.com\]:587"),
    ],
)
def test_next_hops_that_are_none(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        nexthop.parse_next_hop(text)


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("mail.example.com", True),
        ("mail_1.example.com", True),
        ("localhost", True),
        ("mail.example.com.", True),
        ("a" * 63 + ".example", True),
        ("a" * 64 + ".example", False),
        ("mail..example.com", False),
        (".example.com", False),
        ("-mail.example.com", False),
        ("192.0.2.1", False),
        ("my host", False),
        ("", False),
    ],
)
def test_host_names(name: str, good: bool) -> None:
    assert addresses.is_host_name(name) is good


@pytest.mark.parametrize(
    ("hop", "keys"),
    [
        ("[mx.example.com]:587", ["[mx.example.com]:587"]),
        ("mx.example.com:587", ["mx.example.com:587"]),
        ("mx.example.com", ["mx.example.com", ".example.com", ".com"]),
    ],
)
def test_keys_of_a_policy(hop: str, keys: list[str]) -> None:
    assert list(configuration.policy_keys(hop)) == keys


def test_password_behind_a_name_of_ones_own_is_masked() -> None:
    values = {
        "smtp_sasl_password_maps": "$secrets, texthash:/x",
        "secrets": "inline:{[a]:587=joe:secret}",
        "virtual_alias_maps": "inline:{a=b}",
    }
    assert info.masked_values(values) == {
        "smtp_sasl_password_maps": "$secrets, texthash:/x",
        "secrets": "inline:********",
        "virtual_alias_maps": "inline:{a=b}",
    }
