"""How long each usable endpoint takes, where the fastest is wanted: the median of several rounds.

Rules of this file: one measured time is chance. The rounds after the first try no login and no envelope, for relays
count logins and shut out who has too many; what these took in the first round is added. The probe and the clock are
given to it.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from dataclasses import replace
from typing import Callable, Sequence

from .._smtp.endpoint import Endpoint, Options
from .._smtp.verdict import Result
from .choose import Hop, Probed, is_usable, pair
from .fact import Request

# An odd number, so that there is one in the middle.
ROUNDS = 3
# A round with less time than this, in seconds, would measure nothing but its end.
LEAST_TIME = 0.5

Probe = Callable[[Sequence[Endpoint], Options], Sequence[Result]]


def medians(
    request: Request,
    results: Sequence[Result],
    options: Options,
    in_use: Hop | None,
    probe: Probe,
    clock: Callable[[], float] = time.monotonic,
) -> dict[Endpoint, float]:
    """Milliseconds of each usable endpoint; empty where they decide nothing, and nobody is asked again.

    `results` are those of the first round. The others together take no longer than `timeout` of the options, and one
    that fails counts as that long.
    """
    usable = [one for one in pair(request.candidates, results) if one.usable]
    if request.preference != "fastest" or len(usable) < 2 or (request.sticky and is_usable(in_use, usable)):
        return {}
    found = [one.candidate._replace(endpoint=_without_mail(one.candidate.endpoint)) for one in usable]
    times = [[_before_login(one)] for one in usable]
    most, end = options.timeout * 1000, clock() + options.timeout
    for _round in range(ROUNDS - 1):
        left = end - clock()
        if left < LEAST_TIME:
            break
        brief = replace(options, timeout=left, retries=0, mail_from=None, rcpt_to=None, check_families=False)
        again = pair(found, probe([one.endpoint for one in found], brief))
        for own, one in zip(times, again):
            own.append(_before_login(one) if one.usable else most)
    return {
        one.candidate.endpoint: round(_median(own) + one.milliseconds - _before_login(one), 1)
        for one, own in zip(usable, times)
    }


def _without_mail(endpoint: Endpoint) -> Endpoint:
    own = endpoint.options and replace(endpoint.options, mail_from=None, rcpt_to=None)
    return endpoint._replace(credentials=None, options=own)


def _before_login(one: Probed) -> float:
    """What the fastest of its families took up to the login."""
    fastest = min(
        (result for result in one.results if result.usable),
        key=lambda result: result.timings_ms.get("total") or 0.0,
    )
    took = fastest.timings_ms
    return (took.get("total") or 0.0) - (took.get("auth") or 0.0) - (took.get("envelope") or 0.0)


def _median(times: Sequence[float]) -> float:
    """Of two the smaller one."""
    return sorted(times)[(len(times) - 1) // 2]
