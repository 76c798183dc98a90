"""docs/checks.md: every check of a configuration, from its own description and from the cases that try it."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any, Iterator

from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks import registry
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks.finding import Check
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files.master_cf import (
    MasterCf,
    format_service,
)

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/integration/postfix"))

from cases import BROKEN, VALID, Case

PAGE = ROOT / "docs/checks.md"
STOCK = ROOT / "tests/unit/plugins/module_utils/_postfix/checks/stock/master.cf"
HEAD = """# What is checked before a change of Postfix is live

`mailops.smtp.postfix_config`, and with it the role `postfix`, judges the whole configuration as it would be, before any
of it is live. What is certain to fail is an error: the change is refused, and nothing has changed. What is only unwise
is a warning. Each finding names the check that made it
(`findings[].check`).

Postfix's own programs speak first, but `postfix check` and `postconf` are silent about most of what stops mail.

A check that is wrong about a host is turned off there by its name, with the reason. What it finds is then a warning
that gives the reason:

    postfix_ignore_checks:
      ca-path-in-chroot: the chroot of this host has the certificates

Of the module `postfix_config` that is the option `ignore`. Postfix is asked all the same whether it serves afterwards.
"""


def page() -> str:
    subjects: dict[str, list[Check]] = {}
    for check in registry.CHECKS:
        subjects.setdefault(check.run.__module__, []).append(check)
    parts = [HEAD]
    for module, checks in subjects.items():
        title = (sys.modules[module].__doc__ or "").partition("\n")[0].replace("What is wrong with ", "")
        parts.append(
            f"## {title if '.' in title.split()[0] else title[0].upper() + title[1:]}\n".replace(".\n", "\n")
        )
        parts += map(section, checks)
    return "\n".join(parts)


def section(check: Check) -> str:
    title, _blank, rest = (inspect.getdoc(check.run) or "").partition("\n\n")
    why, _mark, manual = rest.partition("\nManual: ")
    cases = [case for case in (*BROKEN, *VALID) if case.check == check.name]
    # Quotation marks other than ASCII's are refused in documentation.
    cases = [case for case in cases if not re.search("[\u2018-\u201f]", example(case))]
    bad = min((case for case in cases if case.says), key=rank)
    good = min((case for case in cases if not case.says), key=rank)
    warns = "A warning. " if bad in VALID else ""
    looked_at = [f"`{name}`" for name in check.parameters if name != "*"]
    return "\n".join(
        (
            f"### {check.name}\n",
            f"{warns}{title}\n",
            f"{why}\n",
            *([f"Looks at {', '.join(looked_at)}.\n"] if 0 < len(looked_at) < 8 else []),
            f"Found in:\n\n{example(bad)}\n",
            f"Passes:\n\n{example(good)}\n",
            f"See {manual}\n",
        )
    )


def rank(case: Case) -> tuple[bool, int]:
    """What holds for the Postfix of today comes first, then what is short."""
    return case.before < Case("").before, len(example(case))


def example(case: Case) -> str:
    lines = [*settings(case), *services(case), *files(case)]
    if case.before < Case("").before:
        lines.append(f"# with a Postfix before {case.before[0]}.{case.before[1]}")
    if case.setup:
        lines.append(f"# on a host where: {case.setup.partition(' # undo:')[0]}")
    return "\n".join(f"    {line}".rstrip() for line in lines or ["# what the distribution ships"])


def settings(case: Case) -> Iterator[str]:
    for name, value in case.parameters.items():
        if value is None:
            yield f"# without {name}"
        else:
            yield f"{name} = {written(value)}".rstrip()


def services(case: Case) -> Iterator[str]:
    """The entries as they are in master.cf then: a change of one names only what it changes."""
    given = (wish.get("content") for wish in case.files if wish["path"] == "master.cf")
    master = MasterCf(next(given, None) or STOCK.read_text(encoding="utf-8"))
    master.merge(case.services)
    for entry in case.services:
        merged = master.get(str(entry["service"]), entry["type"])
        if merged is None:
            yield f"# master.cf without {entry['service']} {entry['type']}"
        else:
            head, *options = format_service(merged).splitlines()
            yield " ".join(head.split())
            yield from options


def files(case: Case) -> Iterator[str]:
    for wish in case.files:
        if wish.get("state") == "absent":
            yield f"# there is no {wish['path']}"
            continue
        yield f"# {wish['path']}:"
        content = re.sub(r"(?m)^#.*\n|^\s*\n", "", wish.get("content") or "")
        shown = content.splitlines()
        yield from shown if len(shown) < 12 else ["…", *shown[-6:]]


def written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(written, value)) if isinstance(value, (list, tuple)) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
