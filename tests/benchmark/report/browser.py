"""What the page of a fleet costs its reader: milliseconds to open it and to filter it, for 100 and for 1,000 hosts.

Run it after `make page-test`, which makes its Python: .cache/page/bin/python tests/benchmark/report/browser.py.
The times that pass are taken inside the page, of a filter up to the first rows; those of CPU are the same on a busy
machine. Medians are shown; it fails where those of CPU are above the limits.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / ".build/collections"), str(ROOT / "tests/integration/page")]

from ansible_collections.mailops.smtp.plugins.plugin_utils.report import files, model
from browser import NOW, chromium, fleet, verified
from playwright.sync_api import Page

LIMITS = {"open": 2000, "filter": 100}
REPEAT = 5
# What of the browser's figures is the work of the page.
WORK = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
# From the start of the navigation to the first picture after the script has run.
OPEN = "new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"
SETTLED = "new Promise(done => setTimeout(() => done(document.body.getBoundingClientRect().top), 500))"
# What a key or a choice takes until its first rows can be seen; the layout is asked for, so that it is in the figure.
CHANGE = """([id, value, event]) => {
  const before = performance.now();
  const control = document.getElementById(id);
  control.value = value;
  control.dispatchEvent(new Event(event));
  document.body.getBoundingClientRect();
  return performance.now() - before;
}"""
CHANGES = {
    "host": ("host", "web09", "input"),
    "any host": ("host", "", "input"),
    "text": ("text", "middlebox", "input"),
    "any text": ("text", "", "input"),
    "verdict": ("verdict", "filtered", "change"),
    "any verdict": ("verdict", "", "change"),
    "flat": ("by", "none", "change"),
    "outcomes": ("by", "outcome", "change"),
}


def measure(page: Page, path: Path) -> dict[str, tuple[float, float]]:
    """Milliseconds that passed and those of CPU, for opening the page and for each change with all groups open."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return sum(each["value"] * 1000 for each in metrics if each["name"] in WORK)

    page.goto(path.as_uri())
    found = {"open": (page.evaluate(OPEN), spent())}
    if page.locator("#all").is_visible():
        page.locator("#all").click()
    page.evaluate(SETTLED)
    for name, change in CHANGES.items():
        before = spent()
        passed = page.evaluate(CHANGE, list(change))
        found[f"filter: {name}"] = (passed, spent() - before)
    return found


def main() -> int:
    slow = []
    with tempfile.TemporaryDirectory() as directory, chromium() as browser:
        for kind, make, results in (
            ("preflight", model.preflight, fleet),
            ("verify", model.verify, verified),
        ):
            for count in (100, 1000):
                path = Path(directory) / f"{kind}{count}.html"
                files.write(make(results(count), NOW), path, "report")
                runs = []
                for _run in range(REPEAT):
                    page = browser.new_page()
                    runs.append(measure(page, path))
                    page.close()
                print(f"{kind}, {count} hosts, {path.stat().st_size / 1000:.0f} kB")
                for what in runs[0]:
                    passed, cpu = (sorted(times)[REPEAT // 2] for times in zip(*(run[what] for run in runs)))
                    print(f"    {what:20} {passed:7.1f} ms, {cpu:7.1f} ms of CPU")
                    if cpu > LIMITS[what.partition(":")[0]]:
                        slow.append(f"{kind}, {count} hosts, {what}")
    for what in slow:
        print(f"too slow: {what}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
