"""Broken off at any call between the swap and the confirmation, or by a disk that is full from any file on.

After each: the old or the new configuration, the message says which, Postfix serves it, and the next run brings what is
asked for. A few calls of each kind; every single one with --all.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hosts import COLLECTION, Host, set_up

BREAKER = f"python3 {COLLECTION}/tests/integration/postfix/crash/breaker.py"
KINDS = ("exchange", "renames")
ENDS = (
    "ENOSPC",
    "EIO",
    "EMFILE",
    "EROFS",
    "UnicodeError",
    "MemoryError",
    "KeyboardInterrupt",
    "SIGTERM",
    "SIGHUP",
)
# Of calls and of files, where not all are tried.
SAMPLE = (12, 4)


def spread(total: int, wanted: int) -> list[int]:
    """That many numbers from 1 to total, the first and the last among them."""
    if total <= wanted:
        return list(range(1, total + 1))
    return sorted({round(1 + (total - 1) * index / (wanted - 1)) for index in range(wanted)})


def tried(kind: str, release: str, everything: bool) -> list[dict[str, Any]]:
    box = Host(release, name=kind)
    try:
        counted = json.loads(box.run(f"{BREAKER} {kind} count").stdout)
        calls, files = (counted["calls"], counted["files"]) if everything else SAMPLE
        points = [(ENDS[number % len(ENDS)], at) for number, at in enumerate(spread(counted["calls"], calls))]
        points += [("full", at) for at in spread(counted["files"], files)]
        print(f"{kind}: {counted['calls']} calls, {counted['files']} files, {len(points)} tried", flush=True)
        done = box.run(f"{BREAKER} {kind} break", stdin=json.dumps(points))
        return [{"kind": kind, **json.loads(line)} for line in done.stdout.splitlines()]
    finally:
        box.destroy()


def test_broken_off_anywhere_it_is_old_or_new_and_told(request: pytest.FixtureRequest) -> None:
    set_up()
    release = request.config.getoption("--crash-release", "bookworm")
    everything = request.config.getoption("--all", False)
    with ThreadPoolExecutor(len(KINDS)) as pool:
        results = [
            line for lines in pool.map(lambda kind: tried(kind, release, everything), KINDS) for line in lines
        ]
    for kind in KINDS:
        states = Counter(line["state"] for line in results if line["kind"] == kind)
        bad = sum(bool(line["troubles"]) for line in results if line["kind"] == kind)
        print(
            f"{kind}: {sum(states.values())} points, {states['old']} old, {states['new']} new, {bad} with trouble"
        )
    assert [line for line in results if line["troubles"]] == []
    assert {line["state"] for line in results} == {"old", "new"}
