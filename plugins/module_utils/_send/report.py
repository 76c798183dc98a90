"""What became of a message, as the module smtp_send returns it, and in a sentence.

Rules of this file: no I/O. A sentence says where the message is, why, and what to do, in the words of who knows it: the
relay or Postfix.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any, Callable, NamedTuple, Sequence

from .._postfix.dispatch import Waiting
from .._postfix.trail import FAILED, STATES, Fate
from .._smtp.submission import Answer, Submission
from .._smtp.verdict import Result
from .letter import Letter

_DSN = re.compile(r"\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b")


class Found(NamedTuple):
    """What log and queue of this host's Postfix have of a message."""

    queue_id: str
    queue_ids: tuple[str, ...]
    state: str
    fates: tuple[Fate, ...]
    waiting: Waiting | None = None


class Report(NamedTuple):
    msg: str
    failed: bool
    changed: bool
    result: dict[str, Any]
    elapsed_ms: float = 0.0

    def beyond(self, why: str) -> Report:
        """Accepted, and not followed further, and why."""
        return self._replace(msg=f"{self.msg.rstrip('.')}; {why}.")

    def as_dict(self) -> dict[str, Any]:
        return {"msg": self.msg, "changed": self.changed, **self.result, "elapsed_ms": self.elapsed_ms}


def would(letter: Letter, how: str) -> Report:
    """What check mode says."""
    sender = {None: "this user", "": "the null sender <>"}.get(letter.sender, letter.sender)
    text = f"Would send a message from {sender} to {', '.join(letter.recipients)} {how}."
    return Report(text, False, True, _result(letter, "not_sent", []))


def answered(letter: Letter, result: Result, submission: Submission | None) -> Report:
    """What an endpoint said."""
    where = _place(result)
    answer = submission.answer if submission else None
    recipients = [
        _recipient(address, "", "accepted" if said.accepted else "refused", where, said.words)
        for address, said in (submission.recipients if submission else {}).items()
    ]
    if answer is None and submission is not None and submission.given:
        text = f"{where} was given the message, and did not say that it has it: {result.reason} It may arrive, or not."
        return Report(text, True, True, _endpoint_result(letter, "unknown", recipients, result, None))
    if answer is None:
        text = f"{where} did not take the message: {result.verdict}: {result.reason} {result.advice}".rstrip()
        return Report(
            text, True, False, _endpoint_result(letter, "refused", recipients, result, _refusal(submission))
        )
    if not answer.accepted:
        for each in recipients:
            each.update(state="refused", reply=answer.words, dsn=_dsn(answer.words))
        text = f"{where} took the envelope and refuses the message: {answer.words}"
        return Report(text, True, False, _endpoint_result(letter, "refused", recipients, result, answer))
    refused = [each for each in recipients if each["state"] == "refused"]
    for each in recipients:
        if each["state"] == "accepted":
            each.update(reply=answer.words, dsn=_dsn(answer.words))
    text = f"{where} has accepted the message: {answer.words}"
    state = "accepted"
    if refused:
        text = (
            "; ".join(f"{where} refuses {each['address']}: {each['reply']}" for each in refused)
            + f"; for the others, {text}"
        )
        state = "refused"
    return Report(
        text + ".", bool(refused), True, _endpoint_result(letter, state, recipients, result, answer)
    )


def endpoint_found(report: Report, before: Report) -> Report:
    """What became of it, with what the endpoint said before."""
    refused = [each for each in before.result["recipients"] if each["state"] == "refused"]
    result = {**report.result, "endpoint": before.result["endpoint"]}
    result["recipients"] = [*result["recipients"], *refused]
    if refused:
        result["state"] = "refused"
        return report._replace(
            failed=True, msg=f"{before.msg.partition('; for the others')[0]}. {report.msg}", result=result
        )
    return report._replace(result=result)


def followed(
    letter: Letter,
    found: Found,
    wait_for: str,
    timeout: float,
    blind: str,
    place: str,
    shown: Callable[[str], str],
) -> Report:
    """What this host's Postfix made of it. ``blind`` is why its log could not be read; ``place`` where that is."""
    fates = [_shown(fate, shown) for fate in found.fates]
    state = found.state
    waiting = found.waiting
    reason = ""
    if waiting is not None and state == "queued":
        reason = shown(next((each for each in waiting.reasons.values() if each), ""))
        state = "held" if waiting.queue == "hold" else "deferred" if reason else state
        known = {fate.address for fate in fates}
        fates += [
            Fate(each, "", state if why else "queued", "", shown(why), queue_id=waiting.queue_id)
            for each, why in waiting.reasons.items()
            if each not in known
        ]
    elif state == "queued" and wait_for == "sent":
        state = "unknown"
    recipients = [
        _recipient(
            fate.address or ", ".join(letter.recipients),
            fate.orig_to,
            fate.state,
            fate.relay,
            fate.reply,
            fate.dsn,
        )
        for fate in fates
    ]
    first = _deciding(fates, state)
    queue_id = found.queue_id or (waiting.queue_id if waiting else "")
    result = _result(letter, state, recipients)
    result.update(queue_id=queue_id or None, queue_ids=list(found.queue_ids))
    if first is not None:
        result.update(
            relay=first.relay or None,
            reply=first.reply or reason or None,
            dsn=first.dsn or None,
            delay_s=float(first.delay) if re.match(r"\d+(\.\d+)?\Z", first.delay) else None,
            delays=first.delays or None,
        )
    text = _sentence(letter, state, fates, first, queue_id, timeout, place, blind, waiting)
    return Report(text, wait_for == "sent" and state != "sent", True, result)


def _sentence(
    letter: Letter,
    state: str,
    fates: Sequence[Fate],
    first: Fate | None,
    queue_id: str,
    timeout: float,
    place: str,
    blind: str,
    waiting: Waiting | None,
) -> str:
    to = ", ".join(letter.recipients)
    others = len([fate for fate in fates if fate.state == state]) - 1
    more = f" (and {others} more)" if others > 0 else ""
    if first is not None and state in (*FAILED, "sent"):
        who = first.address or to
        for_whom = f" (for {first.orig_to})" if first.orig_to and first.orig_to != who else ""
        at = "" if first.relay in ("", "none") else f" at {first.relay}"
        said = f"The message to {who}{for_whom}{more} was {state}{at}: {first.reply or 'no reason is given'}"
        return f"{said.rstrip('.')}.{_outlook(state, first.queue_id or queue_id)}"
    if blind:
        where = f", as {queue_id} in the queue {waiting.queue}" if waiting else ""
        return f"The message to {to} is with Postfix{where}; what becomes of it cannot be seen, as {blind}."
    if state == "unknown" and not queue_id:
        return (
            f"The message to {to} was submitted, but in {timeout:g} s {place} does not mention it, and it is not in "
            "the queue (postqueue -p): see where Postfix logs (postconf maillog_file, journalctl, the syslog daemon)."
        )
    if state == "unknown":
        return (
            f"The message to {to} has left the queue, where it was {queue_id}, but in {timeout:g} s {place} does not "
            "tell how: the log may be incomplete."
        )
    in_queue = f" ({waiting.queue} queue)" if waiting else ""
    return (
        f"The message to {to} is in the queue of Postfix as {queue_id}{in_queue}, and after {timeout:g} s nothing has "
        "been decided: give a longer timeout, or look at 'postqueue -p'."
        if state == "queued" and waiting
        else f"The message to {to} is in the queue of Postfix as {queue_id}."
    )


def _outlook(state: str, queue_id: str) -> str:
    return {
        "deferred": f" It stays in the queue as {queue_id} and is tried again; 'postsuper -d {queue_id}' takes it out.",
        "held": f" It stays in the queue as {queue_id} until 'postsuper -H {queue_id}' lets it go, or -d takes it out.",
        "bounced": " A notice goes to its sender.",
        "expired": " A notice goes to its sender.",
    }.get(state, "")


def _deciding(fates: Sequence[Fate], state: str) -> Fate | None:
    """The recipient that made the state of all what it is."""
    same = [fate for fate in fates if fate.state == state]
    ranked = sorted(fates, key=lambda fate: STATES.index(fate.state) if fate.state in STATES else len(STATES))
    return next(iter(same or ranked), None)


def _shown(fate: Fate, shown: Callable[[str], str]) -> Fate:
    return fate._replace(
        address=shown(fate.address),
        orig_to=shown(fate.orig_to),
        relay=shown(fate.relay),
        reply=shown(fate.reply),
    )


def _result(letter: Letter, state: str, recipients: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "state": state,
        "message_id": f"<{letter.message_id}>",
        "queue_id": None,
        "queue_ids": [],
        "relay": None,
        "reply": None,
        "dsn": None,
        "delay_s": None,
        "delays": None,
        "recipients": recipients,
    }


def _endpoint_result(
    letter: Letter, state: str, recipients: list[dict[str, Any]], result: Result, answer: Answer | None
) -> dict[str, Any]:
    words = answer.words if answer else ""
    return {
        **_result(letter, state, recipients),
        "relay": _place(result),
        "reply": words or None,
        "dsn": _dsn(words) or None,
        "endpoint": result.as_dict(),
    }


def _refusal(submission: Submission | None) -> Answer | None:
    """Of the recipients, where that is what was refused."""
    return next(
        (said for said in (submission.recipients if submission else {}).values() if not said.accepted), None
    )


def _recipient(
    address: str, orig_to: str, state: str, relay: str, reply: str, dsn: str = ""
) -> dict[str, Any]:
    return {
        "address": address,
        "orig_to": orig_to or None,
        "state": state,
        "relay": relay or None,
        "reply": reply or None,
        "dsn": dsn or _dsn(reply) or None,
    }


def _place(result: Result) -> str:
    """The endpoint as Postfix logs a relay."""
    return (
        f"{result.host}[{result.address}]:{result.port}" if result.address else f"{result.host}:{result.port}"
    )


def _dsn(words: str) -> str:
    found = _DSN.search(words)
    return found[1] if found else ""
