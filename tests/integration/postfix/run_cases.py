"""Runs the cases inside a host that has Postfix, and prints one JSON object: name -> outcome.

    run_cases.py [K/N] [NAME ...]     every N-th, from number K on; of these names only

A broken case goes through a real run of deploy(), so that "refused before the live files change" is
seen and not assumed. A valid one is staged and checked, and not made live: most name hosts and
programs that a test host does not have.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change import swap, transaction
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.outcome import DeployError
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.plan import (
    make_plan,
    write_changes,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.request import Request, file_wishes
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks import registry
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files.text import staged_path
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files.version import parse_version
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import maps
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host.master import running_master
from cases import BROKEN, VALID, Case

LIVE = "/etc/postfix"


def request(case: Case) -> Request:
    return Request(files=file_wishes(case.files), parameters=case.parameters, services=case.services)


@functools.lru_cache(maxsize=None)
def release() -> tuple[int, int]:
    command = ["postconf", "-dh", "mail_version"]
    version = parse_version(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return version.major, version.minor


def applies(case: Case) -> bool:
    return case.since <= release() < case.before


def prepared(case: Case) -> None:
    command = case.setup.partition("# undo:")[0]
    if command:
        subprocess.run(["bash", "-c", command], check=True, capture_output=True)


def tidied(case: Case) -> None:
    command = case.setup.partition("# undo:")[2]
    if command:
        subprocess.run(["bash", "-c", command], check=True, capture_output=True)


def broken(case: Case) -> dict[str, Any]:
    before = swap.fingerprint(LIVE)
    try:
        transaction.deploy(request(case))
    except DeployError as error:
        return {
            "refused": True,
            "rolled_back": error.rolled_back,
            "said": str(error),
            "found": [[each.check, str(each)] for each in error.findings if each.certain],
            "untouched": swap.fingerprint(LIVE) == before,
            "left": sorted(name for name in os.listdir("/etc") if name.startswith(".postfix")),
        }
    return {"refused": False, "said": "", "untouched": False}


def lay_out(wish: Request, base: str, directory: str) -> None:
    """Make the change of `base` in its copy `directory`, with its tables compiled."""
    plan = make_plan(wish, base)
    write_changes(plan.changes, directory)
    found = maps.references(plan.main, plan.master, {"config_directory": LIVE, **plan.main.values()})
    for ref in found:
        path = staged_path(ref.path, directory, LIVE)
        if ref.type in maps.COMPILED and maps.is_stale(ref.type, path):
            maps.build(ref.type, path, maps.tool_for(found, ref.path), directory)


def valid(case: Case) -> dict[str, Any]:
    room = tempfile.mkdtemp(dir="/etc")
    try:
        stage = swap.Directory(LIVE).build_stage(os.path.join(room, "stage"))
        lay_out(request(case), LIVE, stage)
        findings = registry.check(stage, LIVE, running=running_master("/var/spool/postfix"))
        return {
            "errors": [str(each) for each in findings if each.certain],
            "warnings": [[each.check, str(each)] for each in findings if not each.certain],
        }
    finally:
        shutil.rmtree(room)


def main() -> None:
    results: dict[str, Any] = {}
    names = sys.argv[1:]
    first, every = map(int, names.pop(0).split("/")) if names and "/" in names[0] else (0, 1)
    for kind, cases, judge in (("broken", BROKEN, broken), ("valid", VALID, valid)):
        for number, case in enumerate(cases):
            if names and case.name not in names:
                continue
            if not applies(case) or number % every != first:
                results[f"{kind}:{case.name}"] = None
                continue
            try:
                prepared(case)
                results[f"{kind}:{case.name}"] = judge(case)
            except Exception as error:
                results[f"{kind}:{case.name}"] = {"crashed": f"{type(error).__name__}: {error}"}
            finally:
                tidied(case)
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
