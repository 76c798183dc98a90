"""Mail leaves this host, and root's mail arrives where it goes: followed to its last stop in the mail log."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
from typing import Any

import judgements
import pytest
from causes import Cause, explain
from conftest import Mail
from journey import Delivery, Message
from mailserver import NextHop, Postfix

pytestmark = pytest.mark.sends_mail

# Causes behind which the mail log has a better one.
VAGUE = (
    "unknown",
    "daemon",
    "transport",
    "table",
    "tls",
    "queue file",
    "mail system configuration",
    "refused by policy",
)


def cause_of(text: str, sent: Message, postfix: Postfix) -> Cause:
    """The cause in Postfix's words for this message, else in what it said besides."""
    sender = sent.sender or f"root@{postfix['myorigin']}"
    known = {"sender": sender, "helo": postfix["smtp_helo_name"]}
    found = explain(text, **known)
    if found.name in VAGUE:
        better = (line for line in sent.complaints if explain(line).name not in VAGUE)
        text = next(better, text)
        found = explain(text, **known)
    return judgements.informed(found, text, postfix.seen, postfix.chrooted)


def told(text: str, sent: Message, postfix: Postfix) -> str:
    return f"({text}): {cause_of(text, sent, postfix)}."


def unseen(sent: Message, postfix: Postfix) -> str:
    """Why a message that sendmail took never came into the queue."""
    if not postfix.seen["master"]:
        return f"({postfix.seen['fatal'] or 'Postfix does not run'}): start postfix."
    lines = [line for line in sent.around() if explain(line).name != "unknown"]
    for line in sorted(lines, key=lambda each: explain(each).name in VAGUE):
        return told(line, sent, postfix)
    return "(it says nothing else either): see where Postfix logs."


def arrived(sent: Message, recipient: str, mail: Mail, postfix: Postfix, what: str) -> Delivery:
    """Where the message for that address came to; a sentence where it did not."""
    assert not sent.refused, (
        f"sendmail should take {what.rstrip(',')}, but says {told(sent.refused, sent, postfix)}"
    )
    assert sent.queue_id, (
        f"sendmail took {what.rstrip(',')}, but in {mail.waited} the mail log does not mention it "
        f"{unseen(sent, postfix)}"
    )
    assert not sent.stopped, f"{what} should be delivered, but {told(sent.stopped, sent, postfix)}"
    end = sent.end_of(recipient)
    last = sent.last_problem or "no reason in the mail log yet"
    assert end, (
        f"{what} should have arrived, but after {mail.waited} it was still being tried "
        f"{told(last, sent, postfix)}"
    )
    assert end.status == "sent", (
        f"{what} should have arrived, but it was {end.status} at {end.relay if end.relay != 'none' else end.to} "
        f"{told(end.text, sent, postfix)}"
    )
    return end


def test_relay_accepts_a_message(
    expect: dict[str, Any], postfix: Postfix, mail: Mail, record_property: Any
) -> None:
    to = expect["test_recipient"]
    end = arrived(mail.test, to, mail, postfix, f"the test message to {to}")
    record_property("relay", end.relay)
    record_property("relay_reply", end.text)
    if not postfix.next_hops:
        return
    hop = postfix.next_hops[0]
    found = re.fullmatch(r"(.+)\[.+\]:(\d+)", end.relay)
    same_name = bool(found) and (hop.by_mx or found[1].lower() == hop.host.lower())
    assert found and same_name and int(found[2]) == hop.port, (
        f"the test message should have gone to {hop.host} port {hop.port}, but went to {end.relay} "
        f"({mail.test.last_problem or 'nothing failed before'}): look at transport_maps, "
        "sender_dependent_relayhost_maps and mydestination, which come before relayhost."
    )


def test_mail_of_root_arrives(
    expect: dict[str, Any], postfix: Postfix, mail: Mail, record_property: Any
) -> None:
    """As cron sends it: from root, to root, wherever that leads."""
    for recipient in mail.root.to:
        what = "root's mail, as cron sends it," if recipient == "root" else f"root's mail to {recipient}"
        end = arrived(mail.root, recipient, mail, postfix, what)
        if recipient == "root":
            record_property("root_mail", f"{end.to} {end.text}")


def test_message_went_under_tls(
    postfix: Postfix, next_hop: NextHop, mail: Mail, record_property: Any, expect: dict[str, Any]
) -> None:
    level = postfix.tls_level(next_hop)
    end = mail.test.end_of(expect["test_recipient"])
    if end is None or end.status != "sent":
        pytest.skip("the test message was not delivered")
    if postfix["smtp_tls_loglevel"] == "0":
        pytest.skip("smtp_tls_loglevel is 0, so the mail log says nothing about TLS")
    expected = {"verify": "Verified", "secure": "Verified", "encrypt": ""}.get(level)
    if expected is None:
        pytest.skip(f"the TLS level towards {next_hop.key} is {level}, which asks for nothing")
    found = mail.test.tls_line(end)
    assert found and found.startswith(expected), (
        f"the mail log should show a {expected or 'TLS'} connection (level {level}) for {end.queue_id}, "
        f"but it shows '{found or 'none'}': look at smtp_tls_policy_maps."
    )
    record_property("tls", found)


def test_no_earlier_test_message_is_stuck(host: Any, expect: dict[str, Any], mail: Mail) -> None:
    queue = [
        json.loads(line) for line in host.run("postqueue -j 2>/dev/null", fresh=True).stdout.splitlines()
    ]
    stuck = [
        f"{entry['queue_id']} ({recipient.get('delay_reason', 'not tried yet')})"
        for entry in queue
        for recipient in entry["recipients"]
        if recipient["address"] == expect["test_recipient"] and entry["arrival_time"] < int(mail.test.since)
    ]
    assert not stuck, (
        f"mail to {expect['test_recipient']} should have left, but is in the queue: {'; '.join(stuck)}. "
        "See 'postqueue -p', then flush or delete it."
    )
