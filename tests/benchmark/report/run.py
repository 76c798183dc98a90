"""What the reports of a fleet cost the controller: seconds of CPU and memory, for 100 and for 1,000 hosts.

Run it with the developer's Python: .venv/bin/python tests/benchmark/report/run.py. It fails above the limits.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / ".build/collections"), str(ROOT / "tests/fleet")]

from ansible_collections.mailops.smtp.plugins.plugin_utils.report import files, model
from fleet import NOW, fleet

# Seconds for the model and all faces.
LIMITS = {100: 1.0, 1000: 8.0}
# How much more memory a host may take in a fleet that is ten times as large.
GROWTH = 1.2


def measure(count: int, directory: Path) -> tuple[float, float]:
    """Seconds of CPU, and kilobytes for each host at the peak, beside the results themselves."""
    results = fleet(count)
    tracemalloc.start()
    peak = _write(results, directory / "warm") or tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    began = time.process_time()
    document = model.preflight(results, NOW)
    spent = {"model": time.process_time() - began}
    for suffix in files.FACES:
        began = time.process_time()
        files.write(document, directory / f"{count}{suffix}", "report")
        spent[suffix] = time.process_time() - began
    for what, seconds in spent.items():
        size = (directory / f"{count}{what}").stat().st_size / 1000 if what in files.FACES else 0
        print(f"{count:5} hosts  {what:6}  {seconds:6.3f} s{f'  {size:8.0f} kB' if size else ''}")
    total = sum(spent.values())
    print(f"{count:5} hosts  all     {total:6.3f} s, {peak / count / 1000:.1f} kB of memory for each host")
    return total, peak / count / 1000


def _write(results: dict[str, object], path: Path) -> None:
    document = model.preflight(results, NOW)  # type: ignore[arg-type]
    for suffix in files.FACES:
        files.write(document, path.with_suffix(suffix), "report")


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        found = {count: measure(count, Path(directory)) for count in LIMITS}
    small, large = (found[count][1] for count in LIMITS)
    slow = [count for count, limit in LIMITS.items() if found[count][0] > limit]
    for count in slow:
        print(f"too slow: {count} hosts take more than {LIMITS[count]} s")
    if large > small * GROWTH:
        print("memory grows faster than the fleet")
    return 1 if slow or large > small * GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
