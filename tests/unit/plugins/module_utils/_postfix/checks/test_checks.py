"""Every check finds what its broken cases have and lets its valid ones pass, without Postfix and without root.

The cases are those of tests/integration/postfix, which the same checks meet there on hosts of four releases. Here a
case is applied to the files of one of them, with what its postconf(1) said.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import inspect
import re
from typing import Sequence

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks import registry
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks.finding import Check, Finding
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files import version
from cases import BROKEN, VALID, Case
from checks_lab import DEFAULTS, Lab

RELEASE = version.parse_version(DEFAULTS.partition("mail_version = ")[2])
# What they find is what a program of Postfix says.
NEED_POSTFIX = ("postfix-says", "unused-parameter", "table-unreadable")


def concerns(case: Case) -> bool:
    """Whether a case can be judged here: of this release, and without commands run on a host before."""
    here = case.since <= (RELEASE.major, RELEASE.minor) < case.before
    return here and not case.setup and case.check not in NEED_POSTFIX


def told(found: Sequence[Finding]) -> str:
    return "\n".join(f"[{each.check}] {each}" for each in found)


@pytest.mark.parametrize(
    "case", [case for case in BROKEN if concerns(case) and case.check], ids=lambda case: case.name
)
def test_a_broken_case_is_found_by_its_check(case: Case, lab: Lab) -> None:
    (check,) = (check for check in registry.CHECKS if check.name == case.check)
    configuration = lab.configuration(case)
    ours = [lab.there(str(each)) for each in check.findings(configuration) if each.certain]
    assert any(re.search(case.says, each, re.DOTALL) for each in ours), told(registry.findings(configuration))


@pytest.mark.parametrize("case", [case for case in VALID if concerns(case)], ids=lambda case: case.name)
def test_a_valid_case_passes(case: Case, lab: Lab) -> None:
    found = registry.findings(lab.configuration(case))
    assert [each for each in found if each.certain] == [], told(found)
    warnings = [str(each) for each in found if each.check == case.check]
    if case.says:
        assert any(re.search(case.says, each) for each in warnings), told(found)
    else:
        assert found == []


def mended(case: Case, finding: Finding, lab: Lab) -> Case | None:
    """The case with what the finding says to write; None where it does not say that to the letter, or elsewhere."""
    literal = re.fullmatch(r"write ([^\s…]+)", finding.remedy)
    service, name = finding.where
    if not literal or service or finding.file != "main.cf" or name not in case.parameters:
        return None
    value, word = str(case.parameters[name]), lab.there(literal.group(1))
    wrong = re.search(r"'([^']+)'", lab.there(finding.problem))
    near = [each for each in re.split(r"[\s,]+", value) if wrong and wrong.group(1) in each]
    text = value.replace(near[0], word) if len(near) == 1 and near[0] != value else word
    return case._replace(parameters={**case.parameters, name: text})


@pytest.mark.parametrize(
    "case", [case for case in BROKEN if concerns(case) and case.check], ids=lambda case: case.name
)
def test_what_a_finding_says_to_write_is_accepted(case: Case, lab: Lab) -> None:
    (check,) = (check for check in registry.CHECKS if check.name == case.check)
    for finding in list(check.findings(lab.configuration(case))):
        again = mended(case, finding, lab)
        if again:
            found = registry.findings(lab.configuration(again))
            # A table of that name is still to be made.
            refused = [
                each
                for each in found
                if each.certain and each.where == finding.where and each.check != "table-missing"
            ]
            assert refused == [], f"{again.parameters}\n{told(found)}"


@pytest.mark.parametrize("check", registry.CHECKS, ids=lambda check: check.name)
def test_a_check_has_a_name_a_description_and_cases(check: Check) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", check.name)
    title, why, manual = re.fullmatch(
        r"(.+?)\n\n(.+?)\nManual: (.+)", inspect.getdoc(check.run) or "", re.DOTALL
    ).groups()  # type: ignore[union-attr]
    assert all(text.endswith(".") for text in (title, why, manual))
    assert any(case.check == check.name for case in [*BROKEN, *(case for case in VALID if case.says)])
    assert any(case.check == check.name and not case.says for case in VALID)


def test_no_name_is_given_twice_and_each_case_names_a_check_that_exists() -> None:
    names = [check.name for check in registry.CHECKS]
    assert len({*names}) == len(names)
    assert {case.check for case in [*BROKEN, *VALID]} - {""} <= {*names}
