"""The system's Chromium, without a window, and the documents that it is shown."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from ansible_collections.mailops.smtp.plugins.plugin_utils.report import gate, model
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fleet"))

from fleet import (
    FAILED,
    HOSTILE,
    NOW,
    SKIPPED,
    UNREACHABLE,
    examined,
    fleet,
    hostile,
    name_of,
    probed,
    routed,
    verified,
)

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a profile of its own, which is gone afterwards."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def judged(document: model.Document, earlier: model.Document) -> model.Document:
    """The same with what the gate says of it: one host is waived, one is known, one got worse and one better."""
    rules = gate.rules(
        {
            "fail_on": ["no_route", {"certificate_days": 14}],
            "waivers": [{"host": name_of(15), "reason": "moved next week", "until": "2027-01-01"}],
        }
    )
    told = gate.judge(document, rules, date(2026, 11, 28), earlier)
    return {**document, "gate": told.as_dict()}


def documents() -> dict[str, model.Document]:
    """One of each kind, and those that are odd."""
    before = {**fleet(30), name_of(23): routed("filtered", "filtered"), name_of(19): routed("ok", "ok")}
    before[name_of(15)] = routed("filtered", "filtered")
    both = [{"host": f"mx{index}.example.net", "ports": [25, 587]} for index in range(9)]
    mine = model.text(HOSTILE)
    strange = model.preflight(
        {HOSTILE: hostile(routed("certificate_expired", "filtered")), "z": hostile(routed("ok"))}, NOW
    )
    finding = gate.Finding(mine, "no_route", mine, "", (), mine).as_dict()
    said = {**judged(strange, strange)["gate"], "notes": [mine], "findings": [finding], "line": mine}
    return {
        "preflight": judged(model.preflight(fleet(30), NOW), model.preflight(before, NOW)),
        "probe": model.probe({"a": probed("ok", "filtered"), "b": probed("refused"), "c": UNREACHABLE}, NOW),
        "verify": model.verify({**verified(30), "lost": None, "gone": UNREACHABLE, "wrong": FAILED}, NOW),
        "hostile": {**strange, "gate": said},
        "hostile_tests": model.verify({HOSTILE: hostile(examined(2, {"a::x": "so"}, {"b::y": "so"}))}, NOW),
        "relays": model.preflight({"a": routed(*["ok", "filtered"] * 9, relays=both), "b": SKIPPED}, NOW),
        "mesh": model.preflight(
            {
                "web1": routed("filtered", "ok", mesh={"mail1": ("ok", "filtered")}),
                "mail1": routed("filtered", "ok"),
            },
            NOW,
        ),
        "empty": model.preflight({}, NOW),
    }
