"""Lines of Postfix's log, and what became of the message that they are about."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

# ruff: noqa: E501 - lines of a log are as long as they are

from __future__ import annotations

from typing import NamedTuple

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.dispatch import seconds
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.trail import Trail, filters_of

ID = "8f14e45f.1790000000@me.example.net"
A, B, C = "4d0Z2W0fJzz2x", "46CB61C0226", "101781C02C3"
HERE = f"""\
pickup {A}: uid=0 from=<root>
cleanup {A}: message-id=<{ID}>
qmgr {A}: from=<root@me.example.net>, size=300, nrcpt=1 (queue active)
"""
REMOVED = f"qmgr {A}: removed\n"


def delivery(
    queue_id: str = A,
    to: str = "a@far.example",
    status: str = "sent",
    text: str = "250 2.0.0 Ok: queued as FAR0001",
    relay: str = "relay.test[192.0.2.7]:587",
    program: str = "smtp",
    orig_to: str = "",
) -> str:
    origin = f"orig_to=<{orig_to}>, " if orig_to else ""
    dsn = {"sent": "2.0.0", "bounced": "5.1.1"}.get(status, "4.7.1")
    where = f"relay={relay}, delay=0.41, delays=0.02/0.01/0.25/0.13, dsn={dsn}"
    return f"{program} {queue_id}: to=<{to}>, {origin}{where}, status={status} ({text})\n"


def again(queue_id: str, message_id: str = ID, count: int = 1) -> str:
    """A message that comes back under this queue id."""
    return (
        f"smtpd {queue_id}: client=localhost[127.0.0.1]\ncleanup {queue_id}: message-id=<{message_id}>\n"
        f"qmgr {queue_id}: from=<x@y>, size=900, nrcpt={count} (queue active)\n"
    )


def removed(*queue_ids: str) -> str:
    return "".join(f"qmgr {each}: removed\n" for each in queue_ids)


class Case(NamedTuple):
    log: str
    state: str
    done: bool = False
    at_rest: bool = False
    fates: tuple[tuple[str, str, str], ...] = ()
    ids: tuple[str, ...] = (A,)
    filters: tuple[str, ...] = ()


FAR = ("a@far.example", "", "sent")
ALIAS = HERE + delivery(
    A, "team@me.example.net", text=f"forwarded as {B}", relay="local", program="local", orig_to="team"
)
CASES = {
    "nothing yet": Case("", "queued", ids=()),
    "in the queue": Case(HERE, "queued"),
    "of somebody else": Case(again(B, "other@me.example.net") + delivery(B), "queued", ids=()),
    "delivered": Case(HERE + delivery(), "sent", False, True, (FAR,)),
    "delivered and gone": Case(HERE + delivery() + REMOVED, "sent", True, True, (FAR,)),
    "of two, one": Case(HERE.replace("nrcpt=1", "nrcpt=2") + delivery(), "queued", False, False, (FAR,)),
    "of two, one bounced": Case(
        HERE.replace("nrcpt=1", "nrcpt=2") + delivery(status="bounced"), "bounced", False, False,
        (("a@far.example", "", "bounced"),),
    ),
    "deferred": Case(
        HERE + delivery(status="deferred", text="host x said: 451 no"), "deferred", False, True,
        (("a@far.example", "", "deferred"),),
    ),
    "the relay's words are no fields": Case(
        HERE + delivery(status="deferred", text="said: 451 no, dsn=2.0.0, status=sent (250 ok)"), "deferred", False, True,
        (("a@far.example", "", "deferred"),),
    ),
    "soft_bounce": Case(HERE + delivery(status="SOFTBOUNCE"), "deferred", False, True, (("a@far.example", "", "deferred"),)),
    "tried again": Case(
        HERE + delivery(status="deferred") + f"qmgr {A}: from=<x@y>, size=9, nrcpt=1 (queue active)\n", "deferred",
        False, False, (("a@far.example", "", "deferred"),),
    ),
    "tried again, and sent": Case(
        HERE + delivery(status="deferred") + f"qmgr {A}: from=<x@y>, size=9, nrcpt=1 (queue active)\n" + delivery()
        + REMOVED, "sent", True, True, (FAR,),
    ),
    "bounced": Case(
        HERE + delivery(status="bounced") + f"bounce {A}: sender non-delivery notification: {B}\n" + REMOVED, "bounced",
        True, True, (("a@far.example", "", "bounced"),),
    ),
    "expired": Case(
        HERE + delivery(status="deferred") + f"qmgr {A}: from=<x@y>, status=expired, returned to sender\n" + REMOVED,
        "expired", True, True, (("a@far.example", "", "expired"),),
    ),
    "taken out of the queue": Case(HERE + f"postsuper {A}: removed\n", "discarded", True, True, (("", "", "discarded"),)),
    "deferred, then taken out": Case(
        HERE + delivery(status="deferred") + f"postsuper {A}: removed\n", "discarded", True, True,
        (("a@far.example", "", "discarded"),),
    ),
    "held by a header before its Message-ID": Case(
        f"cleanup {A}: hold: header Subject: x from local; from=<r@m> to=<a@b>: for a look\ncleanup {A}: message-id=<{ID}>\n",
        "held", True, True, (("", "", "held"),),
    ),
    "held by a milter, and let go": Case(
        f"{HERE}cleanup {A}: milter-hold: END-OF-MESSAGE from x[1.2.3.4]: y; from=<r@m>\npostsuper {A}: released from hold\n"
        + f"qmgr {A}: from=<x@y>, size=9, nrcpt=1 (queue active)\n" + delivery() + REMOVED, "sent", True, True, (FAR,),
    ),
    "discarded": Case(
        f"cleanup {A}: message-id=<{ID}>\ncleanup {A}: discard: header X: y from local; from=<r@m>\n", "discarded", True,
        True, (("", "", "discarded"),),
    ),
    "refused by a milter": Case(
        f"cleanup {A}: message-id=<{ID}>\ncleanup {A}: milter-reject: END-OF-MESSAGE from x[1.2.3.4]: 5.7.1 no; from=<r@m>\n"
        + delivery(status="bounced", relay="none", text="content rejected"), "bounced", True, True,
        (("a@far.example", "", "bounced"),),
    ),
    "through a listener of its own": Case(
        HERE + again(B) + delivery(text=f"250 2.0.0 Ok: queued as {B}", relay="127.0.0.1[127.0.0.1]:10587") + REMOVED
        + delivery(B) + removed(B), "sent", True, True, (FAR,), (A, B),
    ),
    "through a listener of its own, and no further yet": Case(
        HERE + again(B) + delivery(text=f"250 2.0.0 Ok: queued as {B}", relay="127.0.0.1[127.0.0.1]:10587") + REMOVED,
        "queued", False, False, (), (A, B),
    ),
    "through three of its own": Case(
        HERE + again(B) + delivery(text=f"250 Ok: queued as {B}") + again(C) + delivery(B, text=f"250 Ok: queued as {C}")
        + delivery(C, status="bounced") + removed(A, B, C), "bounced", True, True, (("a@far.example", "", "bounced"),),
        (A, B, C),
    ),
    "through amavis, which says it in its own words": Case(
        HERE + again(B) + delivery(
            text=f"250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as {B}",
            relay="127.0.0.1[127.0.0.1]:10024",
        ) + REMOVED + delivery(B) + removed(B), "sent", True, True, (FAR,), (A, B), ("127.0.0.1:10024",),
    ),
    "through a filter that names nothing": Case(
        HERE + again(B) + delivery(text="250 ok", relay="127.0.0.1[127.0.0.1]:10024") + REMOVED + delivery(B) + removed(B),
        "sent", True, True, (FAR,), (A, B), ("127.0.0.1:10024",),
    ),
    "to a relay on this host, which names nothing": Case(
        HERE + delivery(text="250 ok", relay="127.0.0.1[127.0.0.1]:2525") + REMOVED, "sent", True, True, (FAR,), (A,),
        ("127.0.0.1:2525",),
    ),
    "to a program that filters, and has not brought it back": Case(
        HERE + delivery(text="delivered via again service", relay="again", program="pipe") + REMOVED, "queued", False,
        False, (("a@far.example", "", "queued"),), (A,), ("again",),
    ),
    "to a program that filters": Case(
        HERE + delivery(text="delivered via again service", relay="again", program="pipe") + REMOVED + again(B)
        + delivery(B, status="deferred"), "deferred", False, True, (("a@far.example", "", "deferred"),), (A, B), ("again",),
    ),
    "to a program that delivers": Case(
        HERE + delivery(text="delivered via dovecot service", relay="dovecot", program="pipe") + REMOVED, "sent", True,
        True, (FAR,), (A,), ("again",),
    ),
    "an id of the relay's that this host had for another message": Case(
        again(B, "other@me.example.net") + HERE + delivery(text=f"250 Ok: queued as {B}") + REMOVED + delivery(B, "o@o"),
        "sent", True, True, (FAR,),
    ),
    "comes back from the relay to a mailbox here": Case(
        HERE + delivery() + REMOVED + again(B) + delivery(B, "me@me.example.net", relay="local") + removed(B), "sent",
        True, True, (FAR,),
    ),
    "an alias that leads away": Case(
        ALIAS + again(B, count=2) + delivery(B, "a@far.example") + delivery(B, "b@far.example", "bounced") + removed(A, B),
        "bounced", True, True, (("a@far.example", "team", "sent"), ("b@far.example", "team", "bounced")), (A, B),
    ),
    "an alias of which one stays here": Case(
        ALIAS + delivery(A, "ops@me.example.net", text="delivered to mailbox", relay="local", orig_to="team")
        + again(B) + delivery(B) + removed(A, B), "sent", True, True,
        (("ops@me.example.net", "team", "sent"), ("a@far.example", "team", "sent")), (A, B),
    ),
    "a line that was cut": Case(
        HERE + delivery(status="deferred", text="host x said: 451 " + "y" * 50).rstrip(")\n") + "\n", "deferred", False,
        True, (("a@far.example", "", "deferred"),),
    ),
    "more fields": Case(
        HERE + delivery().replace("delay=0.41", "conn_use=3, delay=0.41").replace("dsn=", "tls=secure:verified, dsn="),
        "sent", False, True, (FAR,),
    ),
    "its Message-ID in the words of another program": Case(
        f"smtpd {B}: message-id=<{ID}>\n{delivery(B)}", "queued", ids=(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_the_log_tells(name: str) -> None:
    case = CASES[name]
    trail = Trail(ID, filters=case.filters)
    for line in case.log.splitlines():
        program, _space, text = line.partition(" ")
        trail.feed(program, text)
    found = tuple((fate.address, fate.orig_to, fate.state) for fate in trail.fates)
    assert (trail.state, trail.done, trail.at_rest, found, tuple(trail.queue_ids)) == (
        case.state, case.done, case.at_rest, case.fates, case.ids,
    )  # fmt: skip


def test_a_delivery_is_taken_apart() -> None:
    trail = Trail(ID)
    for line in (HERE + delivery()).splitlines():
        trail.feed(*line.split(" ", 1))
    (fate,) = trail.fates
    assert (fate.relay, fate.dsn, fate.delay) == ("relay.test[192.0.2.7]:587", "2.0.0", "0.41")
    assert (fate.delays, fate.reply) == ("0.02/0.01/0.25/0.13", "250 2.0.0 Ok: queued as FAR0001")


def test_a_queue_id_that_a_reply_named_is_confirmed_by_the_message_id() -> None:
    trail = Trail(ID, A)
    assert not trail.feed("smtpd", f"{B}: client=x") and trail.feed("smtpd", f"{A}: client=x")
    assert not trail.confirmed
    trail.feed("cleanup", f"{A}: message-id=<{ID}>")
    assert trail.confirmed and trail.queue_id == A


@pytest.mark.parametrize(
    ("settings", "relays"),
    [
        ([""], set()),
        (["again:dummy"], {"again"}),
        (["smtp-amavis:[127.0.0.1]:10024"], {"smtp-amavis", "127.0.0.1:10024"}),
        (["smtp:[::1]:10024", "relay-2:[relay.example.com]:587"], {"smtp", "::1:10024", "relay-2"}),
    ],
)
def test_filters_give_back_and_relays_do_not(settings: list[str], relays: set[str]) -> None:
    assert filters_of(settings) == relays


@pytest.mark.parametrize(
    ("text", "found"), [("300s", 300.0), ("5m", 300.0), ("1h", 3600.0), ("7", 7.0), ("", 9.0), ("x", 9.0)]
)
def test_times_of_postconf(text: str, found: float) -> None:
    assert seconds(text, 9.0) == found
