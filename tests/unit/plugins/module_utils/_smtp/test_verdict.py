"""The list of verdicts is closed, and what a module returns of them is complete."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp import replies, session
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.report import failed, line, report, sentence
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import (
    STAGES,
    VERDICTS,
    Result,
    Verdict,
    predicate,
    renamed,
)

CONTRACT = {
    "resolve": "dns_not_found dns_failure",
    "connect": "refused filtered unreachable",
    "greeting": "no_greeting disconnected not_smtp greeting_rejected greeting_deferred",
    "ehlo": "ehlo_rejected ehlo_deferred",
    "tls": "starttls_absent starttls_stripped starttls_rejected starttls_injection tls_mode_mismatch tls_too_old "
    "tls_failed",
    "certificate": "certificate_expired certificate_not_yet_valid certificate_untrusted certificate_mismatch "
    "certificate_expiring",
    "auth": "auth_absent auth_unsupported auth_rejected auth_deferred",
    "envelope": "sender_rejected sender_deferred recipient_rejected recipient_deferred",
    "": "stalled protocol_error ok",
}


def test_the_list_is_closed() -> None:
    assert {verdict: stage for stage, verdicts in CONTRACT.items() for verdict in verdicts.split()} == {
        name: verdict.stage for name, verdict in VERDICTS.items()
    }
    assert [stage for stage in CONTRACT if stage] == list(STAGES)


def test_two_are_usable_and_filtered_is_not_repeated() -> None:
    assert {name for name, verdict in VERDICTS.items() if verdict.usable} == {"ok", "certificate_expiring"}
    assert not VERDICTS["filtered"].transient
    assert {name for name, verdict in VERDICTS.items() if verdict.transient} == {
        "dns_failure", "disconnected", "greeting_deferred", "ehlo_deferred", "auth_deferred",
        "sender_deferred", "recipient_deferred",
    }  # fmt: skip


ROOT = Path(__file__).resolve().parents[5]
# Where each verdict must have a case: the dialogues without a socket, or the servers and networks of the fault table.
CASES = ("tests/unit/plugins/module_utils/_smtp/test_session.py", "tests/integration/faults/table.py")


# A mechanism is refused in answer to AUTH alone, which has its own sentence.
REFUSALS = {verdict for pair in replies._VERDICTS.values() for verdict in pair} - {"auth_unsupported"}


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def documented(path: str, begin: str, end: str) -> set[str]:
    """The values V(...) between two pieces of a module's documentation."""
    text = read(path)
    start = text.index(begin)
    return set(re.findall(r"V\((\w+)\)", text[start : text.index(end, start)]))


def lacks(name: str, verdict: Verdict) -> Iterator[str]:
    """What a verdict still needs."""
    if name not in CONTRACT.get(verdict.stage, "").split():
        yield "CONTRACT: the list of its stage, in this file"
    if (name in REFUSALS) != (name in session._REFUSALS):
        yield "refusal: _REFUSALS of session.py has those of _VERDICTS in replies.py"
    if not verdict.meaning.endswith("."):
        yield "meaning: a sentence"
    if not verdict.phrase or verdict.phrase.endswith("."):
        yield "phrase: a predicate"
    if not verdict.advice.endswith(".") or "{" in verdict.advice.format(host="mx", port=587):
        yield "advice: sentences that can be filled in"
    if not any(re.search(rf'Case\([^()]*"{name}"', read(path)) for path in CASES):
        yield f"a case in {' or '.join(CASES)}"
    if name not in documented("plugins/modules/smtp_probe.py", "The verdicts are", "are usable"):
        yield "documentation: the notes of plugins/modules/smtp_probe.py"
    retried = documented("plugins/doc_fragments/smtp_options.py", "- These are V(", "and every other refusal")
    if verdict.transient != (name in retried):
        yield "documentation: retries in plugins/doc_fragments/smtp_options.py"
    if (verdict.stage == "certificate") != bool(verdict.gravity):
        yield "gravity: for verdicts about a certificate"
    if bool(verdict.telling) != (verdict.stage == "connect" or name == "disconnected"):
        yield "telling: for those of an address without a connection"


@pytest.mark.parametrize("name", VERDICTS)
def test_a_verdict_is_complete(name: str) -> None:
    missing = list(lacks(name, VERDICTS[name]))
    assert not missing, "; ".join(missing)


def test_each_refusal_has_its_sentence() -> None:
    assert set(session._REFUSALS) == REFUSALS
    for words in session._REFUSALS.values():
        assert "{" not in words.format(
            helo_name="web1.example.com", mail_from="a@example.com", rcpt_to="b@example.com"
        )


def test_an_incomplete_verdict_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    made_up = Verdict("certificate", "no sentence", "", "", transient=True)
    assert [each.partition(":")[0].partition(" in ")[0] for each in lacks("made_up", made_up)] == [
        "CONTRACT", "meaning", "phrase", "advice", "a case", "documentation", "documentation", "gravity",
    ]  # fmt: skip
    assert list(lacks("refused", VERDICTS["refused"]._replace(telling=0)))
    assert list(lacks("refused", VERDICTS["refused"]._replace(transient=True)))
    monkeypatch.delitem(session._REFUSALS, "sender_rejected")
    assert [each.partition(":")[0] for each in lacks("sender_rejected", VERDICTS["sender_rejected"])] == [
        "refusal"
    ]


def test_the_documentation_has_no_other_verdicts() -> None:
    notes = documented("plugins/modules/smtp_probe.py", "The verdicts are", "are usable")
    retried = documented("plugins/doc_fragments/smtp_options.py", "- These are V(", "and every other refusal")
    assert notes | retried == set(VERDICTS)


def test_orders_have_no_ties() -> None:
    for ranks in ([row.gravity for row in VERDICTS.values()], [row.telling for row in VERDICTS.values()]):
        used = [rank for rank in ranks if rank]
        assert sorted(used) == list(range(1, len(used) + 1))


def named(column: str) -> set[str]:
    return {name for name, row in VERDICTS.items() if getattr(row, column)}


def test_what_follows_from_a_verdict() -> None:
    """Of each column the members, so that none changes unseen."""
    assert named("network") == {
        "refused", "filtered", "unreachable", "no_greeting", "disconnected", "stalled",
    }  # fmt: skip
    assert named("time") == {"dns_failure", "filtered", "no_greeting", "stalled"}
    assert named("crowding") == {"refused", "disconnected", "greeting_deferred"}
    here = {name for name, row in VERDICTS.items() if row.stage in ("greeting", "tls", "certificate")}
    assert named("elsewhere") == {*here, "protocol_error"} - {"starttls_injection", "certificate_expiring"}
    assert sorted(named("gravity"), key=lambda name: VERDICTS[name].gravity) == [
        "certificate_untrusted", "certificate_mismatch", "certificate_expired", "certificate_not_yet_valid",
        "certificate_expiring",
    ]  # fmt: skip
    assert sorted(named("telling"), key=lambda name: VERDICTS[name].telling) == [
        "disconnected", "refused", "filtered", "unreachable",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ok", "works (ok)"),
        ("filtered", "is filtered"),
        ("auth_rejected", "rejects the login (auth_rejected)"),
        ("stalled", "stalls in mid-conversation (stalled)"),
    ],
)
def test_predicate(name: str, words: str) -> None:
    assert predicate(name) == words


def results(*verdicts: str) -> list[Result]:
    return [Result("mx", 587, "starttls", verdict, "connect", "Because.") for verdict in verdicts]


@pytest.mark.parametrize(
    ("verdicts", "fail_when", "expected"),
    [
        (["ok", "refused"], "none_usable", False),
        (["filtered", "refused"], "none_usable", True),
        (["ok", "refused"], "any_unusable", True),
        (["ok", "certificate_expiring"], "any_unusable", False),
        (["refused"], "never", False),
    ],
)
def test_fail_when(verdicts: list[str], fail_when: str, expected: bool) -> None:
    assert failed(results(*verdicts), fail_when) is expected


def test_report() -> None:
    found = report(results("ok", "refused", "refused"))
    assert found["verdicts"] == {"refused": 2, "ok": 1}
    assert found["usable"] == 1
    assert found["summary"][0] == "mx:587 ok: Because."
    assert list(found["endpoints"][0]) == [
        "host", "port", "tls", "address", "family", "lookup", "verdict", "stage", "reachable", "usable", "reason",
        "advice", "greeting", "capabilities", "auth_mechanisms", "auth_mechanism", "tls_version", "tls_cipher",
        "certificate", "timings_ms", "attempts",
    ]  # fmt: skip


def test_sentences() -> None:
    assert sentence(results("ok")) == "The endpoint is usable."
    assert sentence(results("ok", "ok")) == "All 2 endpoints are usable."
    assert sentence(results("refused")) == "The endpoint is not usable. mx:587 refused: Because."
    assert sentence(results("refused", "ok")) == "1 of 2 endpoints is usable. mx:587 refused: Because."
    assert sentence(results("refused", "filtered")) == (
        "None of 2 endpoints is usable. mx:587 refused: Because. mx:587 filtered: Because."
    )
    assert line(Result("::1", 25, "none", "ok", "ehlo", "So.")) == "[::1]:25 ok: So."


NAMES = {
    "helo_name": "postfix_myhostname",
    "mail_from": "postfix_test_sender",
    "username": "postfix_relay_username",
    "password": "postfix_relay_password",
    "tls": "preflight_tls",
    "auth_mechanism": "postfix_relay_auth",
}


@pytest.mark.parametrize(
    ("advice", "shown"),
    [
        ("Set helo_name to a full name.", "Set postfix_myhostname to a full name."),
        ("Give username and password: now.", "Give postfix_relay_username and postfix_relay_password: now."),
        (
            VERDICTS["auth_absent"].advice.partition("address, ")[2],
            "leave out postfix_relay_username and postfix_relay_password, or set postfix_relay_auth to none: then the "
            "envelope decides.",
        ),
        ("The password may be right.", "The password may be right."),
        ("Set tls to starttls; TLS is needed.", "Set preflight_tls to starttls; TLS is needed."),
        ("another one (see auth_mechanisms).", "another one (see auth_mechanisms)."),
        ("(auth_mechanism xoauth2)", "(postfix_relay_auth xoauth2)"),
        ("Name it with ca_path.", "Name it with ca_path."),
    ],
)
def test_an_advice_names_what_the_user_has_set(advice: str, shown: str) -> None:
    assert renamed(advice, NAMES) == shown
