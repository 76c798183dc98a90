"""Sends one message and tells what became of it, for the module smtp_send.

Theory of operation. There are two ways in: the local queue, by sendmail(1), and an endpoint, by the probe's ladder with
a Submission as its session. From either the message is followed in this host's log, where this host's Postfix has it;
what another server has taken, nobody sees from here.

Rules of this file: every wait has the one deadline of the user's. What is wrong with a value, or known to be in the
way, is said before anything is sent.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import os
import pwd
import re
import secrets
import socket
import time
from typing import Any, Mapping, NamedTuple

from .._base.addresses import is_host_name
from .._postfix.dispatch import AT_ONCE, Dispatch, DispatchError
from .._postfix.host.mail_log import LogError
from .._postfix.trail import Trail
from .._smtp.arguments import options_from
from .._smtp.endpoint import Endpoint, OptionError, check_credentials, check_host, check_port, parse_endpoint
from .._smtp.net.probe import probe
from .._smtp.reply import printable
from .._smtp.submission import Parcel, Submission
from .._smtp.verdict import Result
from .letter import Letter, LetterError, compose
from .report import Found, Report, answered, endpoint_found, followed, would

WAIT_FOR = ("sent", "accepted")
# As Postfix has it in a reply to a message.
_QUEUED_AS = re.compile(r"\bqueued as ([0-9A-Za-z]{6,})\b")


class SendError(Exception):
    """Nothing was sent; the text is for the user."""


class _Way(NamedTuple):
    """What both ways in need."""

    params: Mapping[str, Any]
    dispatch: Dispatch
    letter: Letter
    deadline: float
    since: float

    @property
    def wait_for_sent(self) -> bool:
        return bool(self.params["wait_for"] == "sent")


def send(params: Mapping[str, Any], check: bool) -> Report:
    """Send the message that a module's parameters describe; in check mode, only say what would be done.

    Raises SendError with a text for the user, where nothing was sent.
    """
    began = time.monotonic()
    if not 0 < params["timeout"] <= 3600:
        raise SendError(
            f"timeout: {params['timeout']!r} is not a time; give seconds, more than 0 and at most 3600"
        )
    try:
        endpoint = _endpoint(params)
        now = time.time()
        sender = params["from"] if endpoint is None or params["from"] is not None else _own_address(params)
        letter = compose(
            params["to"],
            sender,
            params["subject"],
            params["body"],
            params["headers"] or {},
            f"{secrets.token_hex(12)}.{int(now)}@{_host_name() or 'localhost'}",
            now,
        )
        way = _Way(params, Dispatch(params["config_directory"]), letter, began + params["timeout"], now)
        report = _by_queue(way, check) if endpoint is None else _by_endpoint(way, endpoint, check)
    except (DispatchError, LetterError, OptionError) as error:
        raise SendError(str(error)) from None
    return report._replace(elapsed_ms=round((time.monotonic() - began) * 1000, 1))


def _by_queue(way: _Way, check: bool) -> Report:
    dispatch, letter = way.dispatch, way.letter
    if dispatch.obstacle:
        raise SendError(f"Nothing was sent: {dispatch.obstacle}")
    if letter.international and not dispatch.international:
        raise SendError(
            "to, from: an address is not ASCII, and Postfix on this host has smtputf8_enable = no: give addresses in "
            "ASCII (a domain in its form with xn--), or set smtputf8_enable"
        )
    blind = dispatch.log.unreadable()
    if blind and way.wait_for_sent:
        raise SendError(
            f"Nothing was sent, as nobody could say what becomes of it: {blind}, or set wait_for to accepted"
        )
    if check:
        return would(letter, "through Postfix on this host")
    dispatch.submit(letter.sender, letter.recipients, letter.text)
    return _followed(way, dispatch.trail(letter.message_id), blind)


def _followed(way: _Way, trail: Trail, blind: str, submission: Submission | None = None) -> Report:
    """What became of a message that this host's Postfix has."""
    lost = blind
    limit = way.deadline if way.wait_for_sent else min(way.deadline, time.monotonic() + AT_ONCE)
    if not blind:
        try:
            way.dispatch.follow(trail, limit, way.wait_for_sent)
        except (LogError, OSError) as error:
            lost = f"{way.dispatch.log.place} cannot be followed: {error}"
    waiting = None
    if not trail.at_rest or not trail.queue_id:
        waiting = way.dispatch.waiting(trail.queue_ids, way.letter.recipients, way.since)
    found = Found(trail.queue_id, tuple(trail.queue_ids), trail.state, tuple(trail.fates), waiting)
    return followed(
        way.letter,
        found,
        way.params["wait_for"],
        way.params["timeout"],
        lost,
        way.dispatch.log.place,
        submission.shown if submission else printable,
    )


def _by_endpoint(way: _Way, endpoint: Endpoint, check: bool) -> Report:
    letter, dispatch = way.letter, way.dispatch
    options = options_from(way.params)
    if check:
        return would(letter, f"to {endpoint}")
    parcel = Parcel(letter.sender or "", letter.recipients, letter.data)
    made: list[Submission] = []

    def make(*arguments: Any, **more: Any) -> Submission:
        made.append(Submission(parcel, *arguments, **more))
        return made[-1]

    dispatch.log.move()
    (result,) = probe([endpoint], options, make)
    submission = made[-1] if made else None
    taken = submission is not None and submission.answer is not None and submission.answer.accepted
    if submission is None or not taken:
        return answered(letter, _advised(result), submission)
    report = answered(letter, result, submission)
    own = dispatch.listens(result.address or "", endpoint.port)
    named = _QUEUED_AS.search(submission.answer.words if submission.answer else "")
    if own is False or not named:
        return report.beyond("what that server does with it, nobody can see from here")
    blind = dispatch.log.unreadable()
    if blind:
        return report.beyond(f"if that is Postfix of this host, its log would tell more, but {blind}")
    trail = dispatch.trail(letter.message_id, named[1])
    with contextlib.suppress(LogError, OSError):
        dispatch.follow(trail, min(way.deadline, time.monotonic() + AT_ONCE), decided=False)
    if not trail.confirmed:
        return report.beyond(
            f"{dispatch.log.place} of this host does not have it, so it is another server's, and nobody can see "
            "further from here"
        )
    report.result.update(queue_id=trail.queue_id, queue_ids=trail.queue_ids)
    if not way.wait_for_sent:
        return report
    return endpoint_found(_followed(way, trail, "", submission), report)


def _advised(result: Result) -> Result:
    """With what is known of the hosting provider, which only explains a failure."""
    if not result.usable:
        from .._route import cloud

        result.advice = cloud.advise(result, cloud.recognise())
    return result


def _endpoint(params: Mapping[str, Any]) -> Endpoint | None:
    """Where to, or None for the local queue. Raises OptionError."""
    if params["host"] is None:
        given = [name for name in ("port", "username", "password", "server_name") if params[name] is not None]
        if given:
            raise OptionError(
                f"{given[0]}: it is given without host; name the mail server with host, or leave it out to send "
                "through Postfix on this host, which has its own login"
            )
        return None
    credentials = check_credentials(params["username"], params["password"], params["auth_mechanism"])
    where = {"host": check_host(params["host"]), "port": check_port(params["port"] or 587)}
    return parse_endpoint(where, params["tls"], params["server_name"], credentials, "host")


def _own_address(params: Mapping[str, Any]) -> str:
    """A sender for who names none: nobody completes it on the way to an endpoint. Raises OptionError."""
    username = params["username"] or ""
    if re.match(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z", username):
        return str(username)
    name = _host_name()
    if "." not in name:
        raise OptionError(
            "from: it is needed, as this host's name has no domain and the user name is no address; give the envelope "
            "sender, such as ops@example.com"
        )
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = "postmaster"
    return f"{user}@{name}"


def _host_name() -> str:
    name = socket.gethostname().rstrip(".")
    return name if is_host_name(name) else ""
