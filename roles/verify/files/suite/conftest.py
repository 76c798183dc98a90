# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of this suite share.

`host` (testinfra) and `expect` (what the task expects of the host) come from mailops.smtp.testinfra. A
failing assertion says in one sentence what was expected, what was found and what to do. No test changes the
host, except those marked `sends_mail`: they submit one message, and take it out of the queue if the relay
did not get it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from mailserver import Message, NextHop, Postfix

LOG_FILES = ("/var/log/mail.log", "/var/log/maillog")


@pytest.fixture(scope="session")
def postfix(host: Any) -> Postfix:
    return Postfix(host)


@pytest.fixture(scope="session")
def next_hop(postfix: Postfix) -> NextHop:
    """Where Postfix hands its mail over first."""
    if not postfix.next_hops:
        pytest.skip("this Postfix has no relay: neither relayhost nor default_transport names one")
    return postfix.next_hops[0]


@pytest.fixture(scope="session")
def message(host: Any, expect: dict[str, Any], postfix: Postfix) -> Iterator[Message]:
    """One message submitted through sendmail, followed until the relay has decided or the time is over."""
    recipient, sender = expect.get("test_recipient"), expect.get("test_sender")
    if not recipient:
        pytest.skip("no test recipient is set: set postfix_test_recipient to send a message and follow it")
    now = host.run("date +%s", fresh=True).stdout.strip()
    log_files = [*LOG_FILES, *([postfix["maillog_file"]] if postfix["maillog_file"] else [])]
    sent = Message(host, f"mailops-verify-{time.time_ns():x}", now, log_files)
    lines = [
        *([f"From: {sender}"] if sender else []),
        f"To: {recipient}",
        f"Subject: Test message {sent.token} from {postfix['myhostname']}",
        f"Message-ID: <{sent.token}@{postfix['myhostname']}>",
        "Auto-Submitted: auto-generated",
        "",
        "Sent by the role mailops.smtp.verify to see mail leave this host. Nothing needs to be done.",
    ]
    envelope = ["-f", sender] if sender else []
    command = "printf '%%s\\n'" + " %s" * len(lines) + " | %s -i" + " %s" * len(envelope) + " -- %s 2>&1"
    submitted = host.run(command, *lines, postfix["sendmail_path"], *envelope, recipient, fresh=True)
    assert submitted.succeeded, f"sendmail did not take the test message: {submitted.stdout.strip()}."

    deadline = time.monotonic() + float(expect.get("delivery_timeout", 90))
    sent.look()
    while not sent.status and time.monotonic() < deadline:
        time.sleep(0.5)
        sent.look()
    yield sent
    if sent.status != "sent":
        sent.withdraw(postfix["queue_directory"])
