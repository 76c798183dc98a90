# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mail leaves this host: the relay takes a message, on the expected port, under TLS that was verified."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from mailserver import Message, NextHop, Postfix

pytestmark = pytest.mark.sends_mail


def test_relay_accepts_a_message(
    expect: dict[str, Any], postfix: Postfix, message: Message, record_property: Any
) -> None:
    to, waited = expect["test_recipient"], f"{expect.get('delivery_timeout', 90)} s"
    assert message.queue_id, (
        f"sendmail took the test message, but in {waited} the mail log does not mention it: "
        "see whether Postfix runs and where it logs."
    )
    assert message.status, (
        f"the relay should have the test message to {to}, but after {waited} it was still being tried "
        f"({message.last_problem or 'no reason in the mail log yet'}): run mailops.smtp.preflight."
    )
    assert message.status == "sent", (
        f"the relay should have the test message to {to}, but it was {message.status} ({message.text}): "
        "run mailops.smtp.preflight to see which port works."
    )
    record_property("relay", message.relay)
    record_property("relay_reply", message.text)
    if postfix.next_hops:
        hop = postfix.next_hops[0]
        found = re.fullmatch(r"(.+)\[.+\]:(\d+)", message.relay)
        assert found and (found[1].lower(), int(found[2])) == (hop.host.lower(), hop.port), (
            f"the test message should have gone to {hop.host} port {hop.port}, but went to {message.relay} "
            f"({message.last_problem or 'see the mail log'}): run mailops.smtp.preflight."
        )


def test_message_went_under_tls(
    postfix: Postfix, next_hop: NextHop, message: Message, record_property: Any
) -> None:
    level = postfix.tls_level(next_hop)
    if message.status != "sent":
        pytest.skip("the test message was not delivered")
    if postfix["smtp_tls_loglevel"] == "0":
        pytest.skip("smtp_tls_loglevel is 0, so the mail log says nothing about TLS")
    expected = {"verify": "Verified", "secure": "Verified", "encrypt": ""}.get(level)
    if expected is None:
        pytest.skip(f"the TLS level towards {next_hop.key} is {level}, which asks for nothing")
    found = message.tls_line
    assert found and found.startswith(expected), (
        f"the mail log should show a {expected or 'TLS'} connection (level {level}) for {message.queue_id}, "
        f"but it shows '{found or 'none'}': look at smtp_tls_policy_maps."
    )
    record_property("tls", found)


def test_no_earlier_test_message_is_stuck(host: Any, expect: dict[str, Any], message: Message) -> None:
    queue = [json.loads(line) for line in host.run("postqueue -j", fresh=True).stdout.splitlines()]
    stuck = [
        f"{entry['queue_id']} ({recipient.get('delay_reason', 'not tried yet')})"
        for entry in queue
        for recipient in entry["recipients"]
        if recipient["address"] == expect["test_recipient"] and entry["arrival_time"] < int(message.since)
    ]
    assert not stuck, (
        f"mail to {expect['test_recipient']} should have left, but is in the queue: {'; '.join(stuck)}. "
        "See 'postqueue -p', then flush or delete it."
    )
