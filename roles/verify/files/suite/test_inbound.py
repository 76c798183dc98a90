"""Mail comes in as it did: own domains, and what this host took before the deployment."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import judgements
import pytest
from mailserver import Postfix

Seen = dict[str, Any]


def test_nothing_was_lost_by_the_deployment(expect: dict[str, Any], postfix: Postfix, seen: Seen) -> None:
    services = {listener.service for listener in postfix.listeners}
    faults = judgements.lost(seen, expect.get("named") or [], services, expect.get("domains") or [])
    assert not faults, f"{'; '.join(faults)}."


def test_own_domains_are_taken(postfix: Postfix, seen: Seen) -> None:
    """The host's own listener is asked for an address in each domain, and told no message."""
    if not seen["listener"]:
        pytest.skip("no SMTP server of this host can be asked on loopback")
    if not seen["answers"]:
        pytest.skip("this Postfix takes mail for no domain of its own")
    faults = judgements.answers(seen)
    assert not faults, f"{'; '.join(faults)}."
