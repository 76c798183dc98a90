"""A message from a real Postfix to each of its fates, told by smtp_send in the words of who decided it."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from send.conftest import PORT, TAKEN, Sender

TO = "one@far.example"
RELAY = f"127.0.0.1[127.0.0.1]:{PORT}"
HERE = {"host": "127.0.0.1", "port": 25, "tls": "none", "from": "ops@example.net"}
# Mail that is sent through this listener leaves by the next stage, as the role's own do.
STAGES = """127.0.0.1:10587 inet n - n - - smtpd -o content_filter=
  -o smtpd_recipient_restrictions=permit_mynetworks,reject -o syslog_name=postfix/stage
"""
PROGRAM = "again unix - n n - - pipe flags=q user=nobody argv=/usr/local/bin/again ${sender} ${recipient}\n"
# It ends at once, and the message comes back a second later, with nothing in a reply that says which it is.
AGAIN = """#!/usr/bin/python3
import os, smtplib, sys, time
text = sys.stdin.buffer.read()
if os.fork() == 0:
    os.setsid()
    for number in (0, 1, 2):
        os.close(number)
    time.sleep(1)
    smtplib.SMTP("127.0.0.1", 10587).sendmail(sys.argv[1], sys.argv[2:], text)
"""


def sent(on: Sender, /, **options: Any) -> dict[str, Any]:
    began = time.monotonic()
    result = on.module("smtp_send", **{"to": TO, "timeout": 20, **options})
    result["took"] = time.monotonic() - began
    return result


def taken(host: Sender) -> list[tuple[str, list[str], str]]:
    """What the relay took."""
    return [tuple(json.loads(line)) for line in host.run(f"cat {TAKEN}").stdout.splitlines()]


def test_sent_with_the_relays_reply(host: Sender) -> None:
    host.arrange()
    result = sent(host, subject="Grüße", body="ä\n.\n..dots\n")
    assert result["code"] == 0 and result["changed"], result["everything"]
    assert result["state"] == "sent" and result["relay"] == RELAY, result
    assert result["reply"].startswith("250 2.0.0 Ok: queued as FAR") and result["dsn"] == "2.0.0"
    assert result["queue_id"] and result["queue_ids"] == [result["queue_id"]] and result["delay_s"] >= 0
    assert [each["address"] for each in result["recipients"]] == [TO]
    ((sender, recipients, text),) = taken(host)
    assert (sender, recipients) == ("root@me.example.net", [TO])
    assert result["message_id"] in text and "=?utf-8?b?R3LDvMOfZQ==?=" in text
    assert "\r\n=C3=A4\r\n..\r\n...dots\r\n" in text
    assert host.run("postqueue -j").stdout == ""


def test_deferred_at_once_where_no_other_attempt_is_due(host: Sender) -> None:
    host.arrange()
    result = sent(host, to="defer@far.example")
    assert result["code"] == 1 and result["changed"] and result["state"] == "deferred", result["everything"]
    assert "451 4.7.1 come back, status=sent (250 ok)" in result["reply"] and result["dsn"] == "4.7.1"
    assert f"stays in the queue as {result['queue_id']}" in result["msg"]
    assert result["took"] < 8


def test_a_deferral_is_followed_to_the_next_attempt(host: Sender) -> None:
    host.arrange("minimal_backoff_time = 2s\nqueue_run_delay = 1s\n")
    result = sent(host, to="grey@far.example")
    assert result["code"] == 0 and result["state"] == "sent", result["everything"]


def test_bounced(host: Sender) -> None:
    host.arrange()
    result = sent(host, to="bounce@far.example")
    assert result["code"] == 1 and result["state"] == "bounced", result["everything"]
    assert "550 5.1.1 nobody of that name" in result["msg"] and result["dsn"] == "5.1.1"


def test_several_recipients_have_their_own_fates(host: Sender) -> None:
    host.arrange()
    result = sent(host, to=[TO, "defer@far.example", "bounce@far.example"])
    assert {each["address"]: each["state"] for each in result["recipients"]} == {
        TO: "sent", "defer@far.example": "deferred", "bounce@far.example": "bounced",
    }  # fmt: skip
    assert result["code"] == 1 and result["state"] == "bounced", result["everything"]


@pytest.mark.parametrize(("alias", "state"), [("both", "sent"), ("team", "deferred")])
def test_an_alias_is_followed_to_each_of_its_members(host: Sender, alias: str, state: str) -> None:
    host.arrange()
    result = sent(host, to=alias)
    members = {each["address"]: (each["orig_to"], each["state"]) for each in result["recipients"]}
    other = "two" if alias == "both" else "defer"
    assert members == {TO: (alias, "sent"), f"{other}@far.example": (alias, state)}, result["everything"]
    assert result["state"] == state and len(result["queue_ids"]) == 2


def test_through_a_listener_of_its_own_that_filters(host: Sender) -> None:
    host.arrange("content_filter = smtp:[127.0.0.1]:10587\n", STAGES)
    result = sent(host)
    assert result["code"] == 0 and result["relay"] == RELAY and result["state"] == "sent", result[
        "everything"
    ]
    assert len(result["queue_ids"]) == 2
    assert sent(host, to="bounce@far.example")["state"] == "bounced"


def test_through_a_program_that_filters(host: Sender) -> None:
    host.run("cat >/usr/local/bin/again; chmod 755 /usr/local/bin/again", stdin=AGAIN)
    host.arrange(master=PROGRAM + STAGES)
    host.run("postconf -P smtp/inet/content_filter=again:dummy; postfix reload")
    result = sent(host, **HERE)
    assert result["code"] == 0 and result["relay"] == RELAY and result["state"] == "sent", result[
        "everything"
    ]
    assert len(result["queue_ids"]) == 2


def test_held(host: Sender) -> None:
    host.run("cat >/etc/postfix/checks", stdin="/^Subject: hold/ HOLD for a look\n")
    host.arrange("header_checks = regexp:/etc/postfix/checks\n")
    result = sent(host, subject="hold this")
    assert result["code"] == 1 and result["state"] == "held", result["everything"]
    assert "for a look" in result["msg"] and result["took"] < 8


def test_what_is_submitted_to_a_listener_of_this_host_is_followed(host: Sender) -> None:
    host.arrange()
    result = sent(host, **HERE)
    assert result["code"] == 0 and result["state"] == "sent", result["everything"]
    assert result["relay"] == RELAY and result["endpoint"]["verdict"] == "ok"
    assert sent(host, **{**HERE, "to": "bounce@far.example"})["state"] == "bounced"
    assert sent(host, **HERE, wait_for="accepted")["state"] == "accepted"


def test_another_server_only_accepts(host: Sender) -> None:
    host.arrange()
    there = {**HERE, "port": PORT}
    result = sent(host, **there)
    assert result["code"] == 0 and result["state"] == "accepted", result["everything"]
    assert "nobody can see" in result["msg"] and result["reply"].startswith("250 2.0.0 Ok: queued as FAR")
    for to, words in ((["defer@far.example"], "451 4.7.1"), (["bounce@far.example"], "550 5.1.1")):
        result = sent(host, **{**there, "to": to})
        assert result["code"] == 1 and result["state"] == "refused" and words in result["msg"], result[
            "everything"
        ]
        assert not result["changed"]
    result = sent(host, **there, body="refuse this text")
    assert (
        result["state"] == "refused"
        and "554 5.7.1 not this text" in result["reply"]
        and not result["changed"]
    )


def test_what_somebody_else_logs_does_not_count(host: Sender) -> None:
    """Where everybody may read the queue ids (mailq), anyone can write "status=sent" into the log."""
    host.arrange("minimal_backoff_time = 4s\nqueue_run_delay = 1s\n")
    liar = (
        'for _try in $(seq 80); do id=$(postqueue -j | sed -n \'s/.*"queue_id": "\\([^"]*\\).*/\\1/p\');'
        'for program in qmgr smtp; do [ -z "$id" ] || logger -p mail.info -t postfix/$program "$id: removed";'
        'logger -p mail.info -t postfix/$program "$id: to=<defer@far.example>, relay=x[192.0.2.1]:25, delay=1,'
        ' delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"; done; sleep 0.1; done'
    )
    host.run(
        "cat >/tmp/liar; nohup setpriv --reuid=65534 --regid=65534 --clear-groups bash /tmp/liar >/dev/null 2>&1 &",
        stdin=liar,
    )
    result = sent(host, to="defer@far.example", timeout=7)
    assert result["state"] == "deferred" and "451 4.7.1" in result["reply"], result["everything"]
    assert "192.0.2.1" in host.run("journalctl -q -o cat -n 500 SYSLOG_FACILITY=2").stdout


def test_check_mode_sends_nothing(host: Sender) -> None:
    host.arrange()
    for options in ({}, HERE):
        result = sent(host, check_mode=True, **options)
        assert result["code"] == 0 and result["changed"] and result["state"] == "not_sent", result[
            "everything"
        ]
        assert result["msg"].startswith("Would send a message from")
    assert taken(host) == []


def test_a_postfix_that_does_not_run_is_told_before(host: Sender) -> None:
    host.arrange()
    host.run("postfix stop")
    result = sent(host)
    assert result["code"] == 1 and "Postfix does not run" in result["msg"] and not result.get("changed"), (
        result
    )
    assert host.run("ls /var/spool/postfix/maildrop").stdout == ""


def test_nobody_may_submit_and_is_told_why_it_is_not_followed(host: Sender) -> None:
    host.arrange()
    nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    result = sent(host, wrap=nobody)
    assert result["code"] == 1 and "may not read the journal" in result["msg"], result["everything"]
    assert taken(host) == []
    result = sent(host, wrap=nobody, **HERE)
    assert result["code"] == 0 and result["state"] == "accepted" and "become: true" in result["msg"], result[
        "everything"
    ]
    result = sent(host, wrap=nobody, wait_for="accepted", to="defer@far.example")
    assert result["code"] == 0 and result["state"] in ("queued", "deferred"), result["everything"]


def test_no_log_is_told_before_anything_is_sent(bare: Sender) -> None:
    bare.arrange()
    result = sent(bare)
    assert result["code"] == 1 and "Postfix logs nowhere" in result["msg"], result["everything"]
    assert taken(bare) == []
    result = sent(bare, to="defer@far.example", wait_for="accepted")
    assert result["code"] == 0 and result["state"] in ("queued", "deferred"), result["everything"]
    bare.arrange("maillog_file = /dev/stdout\n")
    result = sent(bare)
    assert result["code"] == 1 and "cannot be read again" in result["msg"], result["everything"]


def test_the_log_of_postlogd_is_followed_also_when_it_is_rotated(bare: Sender) -> None:
    # Nothing is tried again before the log is another file, however slow the machine.
    bare.arrange("maillog_file = /var/log/postfix.log\nminimal_backoff_time = 3s\nqueue_run_delay = 300s\n")
    assert sent(bare)["state"] == "sent"
    rotate = """
        until grep -q greylisted /var/log/postfix.log; do sleep 0.1; done
        mv /var/log/postfix.log /var/log/postfix.log.1
        postfix reload
        until [ -e /var/log/postfix.log ]; do postlog the log is a new one; sleep 0.1; done
        postqueue -f
    """
    bare.run(f"({rotate}) >/dev/null 2>&1 &")
    result = sent(bare, to="grey2@far.example")
    assert result["code"] == 0 and result["state"] == "sent", result["everything"]
    assert "450 4.2.0 greylisted" in bare.run("cat /var/log/postfix.log.1").stdout
    assert "status=sent" in bare.run("cat /var/log/postfix.log").stdout
