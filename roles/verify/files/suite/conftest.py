"""What the tests of this suite share.

`host` (testinfra) and `expect` (what the task expects of the host) come from mailops.smtp.testinfra. A
failing assertion says in one sentence what was expected, what was found and what to do. No test changes the
host, except those marked `sends_mail`: they submit two messages, and take them out of the queue if they did
not arrive.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from causes import REMARK
from doors import Doors, said_outside
from journey import Message
from judgements import other_route, stopping
from mailserver import NextHop, Postfix

LOG_FILES = ("/var/log/mail.log", "/var/log/maillog")
# Where something was seen that stops all mail, a message is not waited for any longer than this.
SECONDS_IN_VAIN = 8


class Mail(NamedTuple):
    """The two messages of the tests; `waited` tells how long they had at most."""

    test: Message
    root: Message
    waited: str


@pytest.fixture(scope="session")
def postfix(host: Any, expect: dict[str, Any]) -> Postfix:
    outside = {each["source"] for each in said_outside(expect) or ()} - {""}
    return Postfix(host, expect.get("address") or "", tuple(outside))


@pytest.fixture(scope="session")
def doors(postfix: Postfix, expect: dict[str, Any]) -> Doors:
    """The listeners that strangers can reach, asked when the first test wants to know."""
    return Doors(postfix, expect)


@pytest.fixture(scope="session")
def seen(postfix: Postfix) -> dict[str, Any]:
    """What was seen on the host, in one look."""
    return postfix.seen


@pytest.fixture(scope="session")
def next_hop(postfix: Postfix, seen: dict[str, Any]) -> NextHop:
    """Where Postfix hands its mail over first."""
    if other_route(seen):
        pytest.skip(f"{other_route(seen)}, so this is not the relay that was to be judged")
    if not postfix.next_hops:
        pytest.skip("this Postfix has no relay: neither relayhost nor default_transport names one")
    return postfix.next_hops[0]


@pytest.fixture(scope="session")
def mail(host: Any, expect: dict[str, Any], postfix: Postfix, seen: dict[str, Any]) -> Iterator[Mail]:
    """A test message, and one to root as cron sends it; followed until both have arrived or the time is over."""
    recipient, sender = expect.get("test_recipient"), expect.get("test_sender")
    if not recipient:
        pytest.skip("no test recipient is set: set postfix_test_recipient to send a message and follow it")
    if other_route(seen):
        pytest.skip(f"{other_route(seen)}, so no message is sent")
    asked = float(expect.get("delivery_timeout", 90))
    seconds, waited = asked, f"{asked:g} s"
    if stopping(seen, postfix.chrooted) and asked > SECONDS_IN_VAIN:
        seconds = SECONDS_IN_VAIN
        waited = f"{seconds:g} s (not {asked:g}, because all mail is stopped by what another test tells)"
    now = host.run("date +%s", fresh=True).stdout.strip()
    test = message(host, postfix, now, [recipient])
    submit(host, postfix, test, sender, ["-i", *(["-f", sender] if sender else [])])
    # Root's mail has root's sender, whatever the test message has. Where the two differ, that sender too is shown
    # to the relay.
    root = message(host, postfix, now, ["root", *([recipient] if sender else [])])
    submit(host, postfix, root, "", ["-FCronDaemon", "-i", "-B8BITMIME", "-oem"])
    deadline = time.monotonic() + seconds
    while True:
        for sent in (test, root):
            if not sent.settled and not sent.refused:
                sent.look()
        if all(sent.settled or sent.refused for sent in (test, root)) or time.monotonic() >= deadline:
            break
        time.sleep(0.5)
    yield Mail(test, root, waited)
    for sent in (test, root):
        if sent.problems or not sent.settled:
            sent.withdraw(postfix["queue_directory"])


def message(host: Any, postfix: Postfix, now: str, to: list[str]) -> Message:
    log_files = [*LOG_FILES, *([postfix["maillog_file"]] if postfix["maillog_file"] else [])]
    return Message(host, f"mailops-verify-{time.time_ns():x}", now, log_files, to)


def submit(host: Any, postfix: Postfix, sent: Message, sender: str | None, options: list[str]) -> None:
    """Hand a message to sendmail. That waits for ever where it may not write, hence the time limit."""
    lines = [
        f"Message-ID: <{sent.token}@{postfix['myhostname']}>",
        *([f"From: {sender}"] if sender else []),
        f"To: {', '.join(sent.to)}",
        f"Subject: Test message {sent.token} from {postfix['myhostname']}",
        "Auto-Submitted: auto-generated",
        "",
        "Sent by the role mailops.smtp.verify to see mail leave this host. Nothing needs to be done.",
    ]
    command = "printf '%%s\\n'" + " %s" * len(lines) + " | timeout 20 %s" + " %s" * len(options) + " --"
    command += " %s" * len(sent.to) + " 2>&1"
    done = host.run(command, *lines, postfix["sendmail_path"], *options, *sent.to, fresh=True)
    if not done.succeeded:
        lines = [line for line in done.stdout.strip().splitlines() if not REMARK.search(line)]
        said = " ".join(dict.fromkeys(lines))
        sent.refused = said or f"it did not end within 20 s (status {done.rc})"
