"""What log and queue have of a message becomes a state, a sentence and an end of the task."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

# ruff: noqa: E501 - a case is a line, with its sentence

from __future__ import annotations

from typing import NamedTuple

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.dispatch import Waiting
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.trail import Fate
from ansible_collections.mailops.smtp.plugins.module_utils._send.letter import Letter
from ansible_collections.mailops.smtp.plugins.module_utils._send.report import Found, followed

LETTER = Letter("ops@example.net", ("a@far.example",), "token@me", "")
RELAY = "relay.test[192.0.2.7]:587"
SENT = Fate("a@far.example", "", "sent", RELAY, "250 2.0.0 Ok", "2.0.0", "0.41", "0.1/0.1/0.1/0.11", "4F")
DEFERRED = SENT._replace(
    address="b@far.example", orig_to="team", state="deferred", reply="host said: 451 no", dsn="4.7.1"
)


class Case(NamedTuple):
    found: Found
    state: str
    failed: bool
    says: str
    blind: str = ""
    wait_for: str = "sent"


def queue(name: str, reason: str = "") -> Waiting:
    return Waiting(name, "4F", {"a@far.example": reason})


CASES = {
    "sent": Case(Found("4F", ("4F",), "sent", (SENT,)), "sent", False, f"was sent at {RELAY}: 250 2.0.0 Ok."),
    "one of two is deferred": Case(
        Found("4F", ("4F",), "deferred", (SENT, DEFERRED)), "deferred", True,
        f"to b@far.example (for team) was deferred at {RELAY}: host said: 451 no. It stays in the queue as 4F",
    ),
    "deferred is fine where accepted was asked for": Case(
        Found("4F", ("4F",), "deferred", (DEFERRED,)), "deferred", False, "was deferred", wait_for="accepted",
    ),
    "held, without a recipient in the log": Case(
        Found("4F", ("4F",), "held", (Fate("", "", "held", "none", "header Subject: x", queue_id="4F"),)), "held", True,
        "to a@far.example was held: header Subject: x. It stays in the queue as 4F until 'postsuper -H 4F'",
    ),
    "nothing is decided": Case(
        Found("4F", ("4F",), "queued", (), queue("active")), "queued", True,
        "is in the queue of Postfix as 4F (active queue), and after 60 s nothing has been decided",
    ),
    "the queue knows why it waits": Case(
        Found("4F", ("4F",), "queued", (), queue("deferred", "451 later")), "deferred", True, "was deferred: 451 later.",
    ),
    "the queue knows that it is held": Case(Found("4F", ("4F",), "queued", (), queue("hold")), "held", True, "was held"),
    "gone, and nobody knows how": Case(
        Found("4F", ("4F",), "queued", ()), "unknown", True, "has left the queue, where it was 4F, but in 60 s the journal",
    ),
    "never seen": Case(Found("", (), "queued", ()), "unknown", True, "in 60 s the journal does not mention it"),
    "never seen in the log, and in the queue": Case(
        Found("", (), "queued", (), queue("deferred", "451 later")), "deferred", True, "It stays in the queue as 4F",
    ),
    "without a log": Case(
        Found("", (), "queued", (), queue("incoming")), "queued", False,
        "is with Postfix, as 4F in the queue incoming; what becomes of it cannot be seen, as nobody may read it.",
        "nobody may read it", "accepted",
    ),
    "without a log, and gone": Case(
        Found("", (), "queued", ()), "queued", False, "is with Postfix; what becomes", "nobody may read it", "accepted",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_said(name: str) -> None:
    case = CASES[name]
    report = followed(LETTER, case.found, case.wait_for, 60, case.blind, "the journal", str)
    assert (report.result["state"], report.failed, report.changed) == (case.state, case.failed, True), report
    assert case.says in report.msg
    assert report.msg.endswith((".", ").", "out."))


def test_the_recipient_that_decides_is_told_in_front() -> None:
    found = Found("4F", ("4F", "5A"), "deferred", (SENT, DEFERRED))
    result = followed(LETTER, found, "sent", 60, "", "the journal", str).result
    assert (result["queue_id"], result["queue_ids"]) == ("4F", ["4F", "5A"])
    assert (result["relay"], result["reply"], result["dsn"]) == (RELAY, "host said: 451 no", "4.7.1")
    assert (result["delay_s"], result["delays"]) == (0.41, "0.1/0.1/0.1/0.11")
    assert [(each["address"], each["state"], each["orig_to"]) for each in result["recipients"]] == [
        ("a@far.example", "sent", None), ("b@far.example", "deferred", "team"),
    ]  # fmt: skip


def test_what_others_say_is_shown_in_a_safe_form() -> None:
    fate = SENT._replace(reply="250 hunter2", relay="hunter2")
    report = followed(
        LETTER,
        Found("4F", ("4F",), "sent", (fate,)),
        "sent",
        60,
        "",
        "x",
        lambda text: text.replace("hunter2", "****"),
    )
    assert "hunter2" not in str(report)
