"""The examples of docs/checks.md, as they are printed there: what is found in is found, and what passes, passes."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks import registry
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files import master_cf
from cases import Case
from checks_lab import STOCK, Lab
from test_checks import NEED_POSTFIX, told

PAGE = Path(__file__).resolve().parents[6] / "docs/checks.md"
_SECTION = re.compile(
    r"^### (?P<check>\S+)\n.*?^Found in:\n\n(?P<bad>.*?)\n\nPasses:\n\n(?P<good>.*?)\n\nSee ", re.S | re.M
)


class Example(NamedTuple):
    check: str
    good: bool
    lines: list[str]


def examples() -> list[Example]:
    return [
        Example(found["check"], good, re.sub("(?m)^    ", "", found["good" if good else "bad"]).splitlines())
        for found in _SECTION.finditer(PAGE.read_text(encoding="utf-8"))
        for good in (False, True)
    ]


def case_of(example: Example) -> Case:
    """What a reader would make of the lines: some for main.cf, some for master.cf, and files below their names."""
    parameters: dict[str, Any] = {}
    files: dict[str, Any] = {}
    entries: list[str] = []
    gone: set[str] = set()
    into = ""
    for line in example.lines:
        named = re.fullmatch(r"# (\S+):", line)
        if named:
            into = named.group(1)
            files[into] = {"path": into, "content": ""}
        elif line.startswith("# there is no "):
            files[line[14:]] = {"path": line[14:], "state": "absent"}
        elif line.startswith("# master.cf without "):
            gone.add(line[20:].replace(" ", "/"))
        elif line.startswith("# without "):
            parameters[line[10:]] = None
        elif into:
            files[into]["content"] += line + "\n"
        elif len(line.split()) >= 8 and line.split()[1] in master_cf.SERVICE_TYPES:
            entries.append(line + "\n")
        elif line.startswith("  "):
            entries[-1] += line + "\n"
        elif not line.startswith("# "):
            name, equals, value = line.partition("=")
            assert equals, f"{line!r} is no line of main.cf"
            parameters[name.strip()] = value.strip()
    if entries or gone:
        gone |= {"/".join(entry.split()[:2]) for entry in entries}
        master = master_cf.MasterCf((STOCK / "master.cf").read_text(encoding="utf-8"))
        kept = (each for each in master.services if "/".join(each.key) not in gone)
        content = "".join([*map(master_cf.format_service, kept), *entries])
        files["master.cf"] = {"path": "master.cf", "content": content}
    return Case(example.check, parameters=parameters, files=list(files.values()))


def can_be_fed(example: Example) -> bool:
    """Without a host that is prepared, and without the rest of a file that is too long to be shown."""
    return not any(line.startswith(("# on a host where:", "# with a Postfix", "…")) for line in example.lines)


FED = [example for example in examples() if can_be_fed(example)]


def test_every_check_has_two_examples_and_most_can_be_fed() -> None:
    assert {example.check for example in examples()} == {check.name for check in registry.CHECKS}
    assert len(examples()) == 2 * len(registry.CHECKS)
    assert len(FED) > len(examples()) * 3 / 4


@pytest.mark.parametrize("example", FED, ids=lambda each: f"{each.check}-{'good' if each.good else 'bad'}")
def test_an_example_shows_what_it_says(example: Example, lab: Lab) -> None:
    found = registry.findings(lab.configuration(case_of(example)))
    if example.good:
        assert [each for each in found if each.certain or each.check == example.check] == [], told(found)
    elif example.check not in NEED_POSTFIX:
        assert example.check in {each.check for each in found}, told(found)
