"""Each cause from Postfix's own words, and the variable that mends it: lines as mail logs have them."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "roles" / "verify" / "files" / "suite"))

from causes import OURS, RULES, THEIRS, explain

SAID = "host relay.example.com[192.0.2.1] said: "
LOGIN = "SASL authentication failed; server relay.example.com[192.0.2.1] said: "
TABLE = (
    ("554 5.7.1 <root@web1>: Sender address rejected: not verified (in reply to RCPT TO command)",
     "sender", "smtp_generic_maps"),
    ("550 5.1.8 <root@localhost>: Sender address rejected: Domain not found", "sender", "smtp_generic_maps"),
    ("504 5.5.2 <web1>: Helo command rejected: need fully-qualified hostname (in reply to RCPT TO "
    "command)", "helo", "postfix_myhostname"),
    ("530 5.7.1 Authentication required (in reply to MAIL FROM command)",
     "login missing", "postfix_relay_username"),
    ("450 4.2.0 <you@example.com>: Recipient address rejected: Greylisted", "greylisting", "wait"),
    ("452 4.2.2 The email account that you tried to reach is over quota", "quota", "nothing is wrong "
    "with this host"),
    ("552 5.2.2 Mailbox full (in reply to RCPT TO command)", "quota", "emptied"),
    ("452 4.3.1 Insufficient system storage", "disk full there", "ask the relay's operator"),
    ("450 4.7.1 Sending rate limit exceeded", "rate", "smtp_destination_rate_delay"),
    ("554 5.7.1 <you@example.com>: Relay access denied (in reply to RCPT TO command)",
     "relaying denied", "postfix_relay_password"),
    ("554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.example",
     "blocked", "taken off the list"),
    ("550 5.7.26 This mail is unauthenticated: SPF did not pass", "sender policy", "SPF"),
    ("550 5.1.1 <you@example.com>: Recipient address rejected: User unknown",
     "recipient", "postfix_test_recipient"),
)  # fmt: skip
OWN = (
    ("fatal: configuration error: mailbox_size_limit is smaller than message_size_limit", "parameter",
     "mailbox_size_limit is smaller than message_size_limit): correct that parameter (postfix_parameters)"),
    (LOGIN + "535 5.7.8 Error: authentication failed:", "login", "postfix_relay_password"),
    (LOGIN + "534 5.7.9 Application-specific password required", "login by application password",
     "application password"),
    ("SASL authentication failed; cannot authenticate to server relay.example.com[192.0.2.1]: no "
    "mechanism available", "login mechanism", "postfix_relay_auth"),
    ("warning: SASL authentication failure: No worthy mechs found", "login mechanism", "libsasl2-modules"),
    ("Host or domain name not found. Name service error for name=relay.example.com type=AAAA: Host not "
    "found", "resolver", "smtp_host_lookup: native"),
    ("Host or domain name not found. Name service error for name=relay.example.com type=A: Host not "
    "found, try again", "resolver", "restart postfix"),
    ("unable to look up host relay.example.com: Temporary failure in name resolution",
     "resolver", "/etc/resolv.conf"),
    ("connect to relay.example.com[192.0.2.1]:587: Connection timed out", "timeout", "mailops.smtp.preflight"),
    ("connect to relay.example.com[192.0.2.1]:587: Connection refused", "refused", "mailops.smtp.preflight"),
    ("connect to relay.example.com[2001:db8::1]:587: Network is unreachable",
     "unreachable", "postfix_inet_protocols"),
    ("connect to 127.0.0.1[127.0.0.1]:10024: Connection refused", "content filter", "content_filter"),
    ("TLS is required, but was not offered by host relay.example.com[192.0.2.1]",
     "tls absent", "mailops.smtp.preflight"),
    ("Server certificate not trusted", "certificate untrusted", "postfix_relay_ca_file"),
    ("warning: certificate verification failed for relay.example.com[192.0.2.1]:587: certificate has "
    "expired", "certificate expired", "clock"),
    ("Server certificate not verified", "certificate name", "postfix_relay_host"),
    ("warning: TLS library problem: error:0A00010B:SSL routines::wrong version number:",
     "implicit TLS", "smtp_tls_wrappermode"),
    ("conversation with relay.example.com[192.0.2.1] timed out while receiving the initial server "
    "greeting", "implicit TLS", "mailops.smtp.deploy"),
    ("unknown user: \"ops\"", "unknown user here", "postfix_aliases"),
    ("alias database unavailable", "aliases", "newaliases"),
    ("cannot update mailbox /var/mail/ops for user ops. unable to create lock file /var/mail/ops.lock: "
    "Permission denied", "mailbox", "/var/mail"),
    ("error: unsupported dictionary type: lmdb", "table type", "postfix-lmdb"),
    ("error: open database /etc/postfix/virtual.db: No such file or directory", "table", "postmap"),
    ("deferred transport", "deferred transport", "defer_transports"),
    ("mail for [127.0.0.1] loops back to myself", "loop", "relayhost"),
    ("queue file write error", "queue file", "mail log"),
    ("fatal: User root(0) is not allowed to submit mail", "not allowed to submit", "authorized_submit_users"),
    ("milter-reject: END-OF-MESSAGE from localhost[127.0.0.1]: 4.7.1 Service unavailable - try again "
    "later", "milter", "smtpd_milters"),
    ("hold: header Subject: test from local", "hold", "header_checks"),
    ("postdrop: warning: mail_queue_enter: create file maildrop/1.2: Permission denied",
     "maildrop", "set-permissions"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "name", "remedy"), [*((SAID + text, *rest) for text, *rest in TABLE), *OWN])
def test_words_name_the_cause_and_what_mends_it(text: str, name: str, remedy: str) -> None:
    cause = explain(text, sender="root@web1", helo="web1")
    assert cause.name == name
    assert remedy in f"{cause}"
    assert "{" not in f"{cause}"


# The same words, said by Postfix's own processes and by the server on the other side.
TWO_SPEAKERS = (
    ("warning: /usr/lib/postfix/sbin/pickup: bad command startup -- throttling", "daemon"),
    ("warning: process /usr/lib/postfix/sbin/pickup pid 71 exit status 1", "daemon"),
    ("warning: connect #1 to subsystem private/rewrite: Connection refused", "daemon"),
    ("warning: problem talking to service rewrite: Connection reset by peer", "daemon"),
    ("postdrop: warning: unable to look up public/pickup: No such file or directory", "daemon"),
    ("fatal: accept connection: Too many open files", "unknown"),
    ("delivery temporarily suspended: for a reason of its own", "unknown"),
    ("warning: unknown[198.51.100.7]: SASL LOGIN authentication failed: authentication failure", "unknown"),
    (SAID + "421 4.7.0 Too many connections, you are being throttled", "rate"),
    (SAID + "451 4.3.0 Error: queue file write error (in reply to end of DATA command)", "fault there"),
    (SAID + "451 4.3.5 Server configuration error (in reply to RCPT TO command)", "fault there"),
    (SAID + "550 5.1.1 <you@example.com>: Recipient address rejected: User unknown in local recipient table",
     "recipient"),
    (SAID + "450 4.7.1 <web1>: Helo command rejected: Host not found (in reply to RCPT TO command)", "helo"),
    (SAID + "452 4.2.2 mailbox is over quota", "quota"),
    (SAID + "550 5.7.1 From: header does not match a verified sender", "sender"),
    (SAID + "454 4.7.0 TLS not available due to local problem (in reply to STARTTLS command)", "tls"),
    ("451 4.3.0 <root@mail1.example.com>: Temporary lookup failure", "table"),
    ("host relay.example.com[192.0.2.1] refused to talk to me: 421 4.7.0 Too many connections", "rate"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "name"), TWO_SPEAKERS)
def test_what_postfix_says_of_itself_is_not_taken_for_the_relays_words(text: str, name: str) -> None:
    assert explain(text).name == name


def test_each_speaker_has_causes_that_are_there() -> None:
    assert not OURS & THEIRS
    assert {rule.cause.name for rule in RULES} >= OURS | THEIRS


def test_words_that_are_not_known_are_left_to_speak() -> None:
    assert explain("the moon is full").name == "unknown"
