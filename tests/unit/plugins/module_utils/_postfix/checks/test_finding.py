"""What a finding is about, whom it concerns, and how it reads."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks import finding


def test_finding_reads_as_a_sentence() -> None:
    told = finding.Finding("main.cf", 3, "biff", "on", "yes or no is needed here", "write yes")
    assert str(told) == "main.cf line 3: biff = on: yes or no is needed here; write yes"
    assert told.as_dict()["line"] == 3


@pytest.mark.parametrize(
    ("parameter", "where", "named"),
    [
        ("relayhost", ("", "relayhost"), {"relayhost"}),
        ("587/inet -o relayhost", ("587/inet", "relayhost"), {"587/inet", "relayhost"}),
        ("service 587/inet", ("587/inet", ""), {"587/inet"}),
        ("/^X-service y/", ("", "/^X-service y/"), {"/^X-service y/"}),
    ],
)
def test_what_it_is_about(parameter: str, where: tuple[str, str], named: set[str]) -> None:
    told = finding.Finding("master.cf", 3, parameter, "x", "wrong", "")
    assert told.where == where
    assert told.named == named


@pytest.mark.parametrize(
    ("file", "parameter", "value", "aside"),
    [
        ("main.cf", "smtpd_tls_auth_only", "so", True),
        ("master.cf", "submission/inet -o smtpd_tls_auth_only", "so", True),
        ("main.cf", "smtpd_relay_restrictions", "permit", False),
        ("main.cf", "virtual_mailbox_domains", "static:x", False),
        ("main.cf", "smtp_tls_policy_maps", "hash:/x", False),
        ("master.cf", "service smtpd/pass", "smtpd", False),
        # A row: for few messages, for all, and one with a key that makes daemons do without the table.
        ("sender_relay", "boss@example.org", "[relay.example.com]:25", True),
        ("transport", "*", "smtp:[relay.example.com", False),
        ("sasl_passwd", "[relay.example.com]:25", "", False),
    ],
)
def test_what_is_not_in_the_way_of_mail(file: str, parameter: str, value: str, aside: bool) -> None:
    assert finding.Finding(file, 3, parameter, value, "wrong", "").aside is aside


@pytest.mark.parametrize(
    ("word", "allowed", "remedy"),
    [
        ("Encrpyt", ["none", "may", "Encrypt"], "write Encrypt"),
        ("crypt", ["encrypt", "encrypted"], "write encrypt"),
        ("x", ["none", "may"], "write one of none, may"),
        ("x", ["may"] * 19, f"write one of {', '.join(['may'] * 19)}"),
        ("x", ["may"] * 20, "look it up in postconf(5)"),
        ("x", ["may"] * 21, "look it up in postconf(5)"),
    ],
)
def test_what_was_probably_meant(word: str, allowed: list[str], remedy: str) -> None:
    assert finding.suggest(word, allowed) == remedy


@pytest.mark.parametrize("secret", ["hunter2", "letters", "s3cret-Word", "x", "the"])
def test_a_finding_of_a_secret_file_shows_nothing_of_its_line(secret: str) -> None:
    content = f"# table\n[mx]:587 joe:{secret}\n{secret}\n  other [mx]:587\n"
    told = finding.Finding(
        "t",
        4,
        secret,
        "other",
        f"no key '{secret}:x' is there",
        f"write [mx]:587 for {secret}",
        check="table-row",
    )
    shown = told.concealed(content)
    assert not {*re.findall(r"\w+", secret)} & {*re.findall(r"\w+", str(shown).replace("table-row", ""))}
    assert shown.parameter == shown.value == "********"
    assert shown.remedy == "docs/checks.md says what table-row finds"
    assert (shown.whole, shown.as_dict().keys()) == (told, told.as_dict().keys() - {"behind"})


@pytest.mark.parametrize(
    ("problem", "remedy", "shown"),
    [
        ("there is no service 'Joe'", "add it", "there is no service '********'; add it"),
        ('no such "joe"', "add it", 'no such "********"; add it'),
        ("this host's own 'joe's'", "", "what is wrong here cannot be told without words of this line"),
        ("wrong", "write [mx]:587", "wrong; write [mx]:587"),
        ("wrong", "write [mx]:25", "wrong; docs/checks.md says what this check finds"),
    ],
)
def test_a_sentence_is_told_whole_or_not_at_all(problem: str, remedy: str, shown: str) -> None:
    told = finding.Finding("t", 1, "mx:25", "joe", problem, remedy)
    concealed = told.concealed("mx:25 joe\n", frozenset({"[mx]:587"}))
    assert str(concealed) == f"t line 1: ******** = ********: {shown}"
