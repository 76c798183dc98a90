"""The results of a probe as a module returns them, and whether they are a failure.

Rule of this file: an unreachable server is a result, not a failure; failing is the caller's choice (fail_when).
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections import Counter
from typing import Any, Sequence

from .verdict import VERDICTS, Result

FAIL_WHEN = ("none_usable", "any_unusable", "never")


def report(results: Sequence[Result]) -> dict[str, Any]:
    """What a module returns of its results: all of them, and the counts."""
    verdicts = Counter(result.verdict for result in results)
    return {
        "endpoints": [result.as_dict() for result in results],
        "verdicts": {verdict: verdicts[verdict] for verdict in VERDICTS if verdict in verdicts},
        "usable": sum(result.usable for result in results),
        "summary": [line(result) for result in results],
    }


def failed(results: Sequence[Result], fail_when: str) -> bool:
    usable = sum(result.usable for result in results)
    return (fail_when == "none_usable" and not usable) or (
        fail_when == "any_unusable" and usable < len(results)
    )


def sentence(results: Sequence[Result]) -> str:
    """How many are usable, and of each that is not, the verdict and the reason."""
    usable = sum(result.usable for result in results)
    total = len(results)
    if usable == total:
        return f"All {total} endpoints are usable." if total > 1 else "The endpoint is usable."
    count = f"{usable or 'None'} of {total} endpoints {'is' if usable < 2 else 'are'} usable."
    if total == 1:
        count = "The endpoint is not usable."
    return " ".join([count, *(line(result) for result in results if not result.usable)])


def line(result: Result) -> str:
    """One result in one line."""
    host = f"[{result.host}]" if ":" in result.host else result.host
    return f"{host}:{result.port} {result.verdict}: {result.reason}"
