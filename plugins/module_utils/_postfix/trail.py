"""What Postfix's log tells of one message, and of the messages that it became.

Theory of operation. A message is known by its Message-ID, which cleanup(8) logs for every queue id that it gets here:
a content filter or a listener of this host's own brings it back under another one, and local(8) puts the copies that an
alias makes into the queue anew. The way from one to the next stands in the log: "queued as NEXT" in the reply to a
delivery, "forwarded as NEXT" for an alias. A next one counts only if cleanup(8) here gave it the same Message-ID: a
relay names queue ids too, which are its own. A filter that is a program names none; where main.cf or master.cf say that
a delivery was to a filter, the message that comes next with that Message-ID is taken for it.

Rules of this file: text in, no I/O. What is fed was logged by this Postfix, and is judged as a whole at any time.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Collection, Iterable, Iterator, NamedTuple

# In the order in which they decide what became of the whole message.
STATES = ("bounced", "expired", "discarded", "held", "deferred", "queued", "sent")
FAILED = ("bounced", "expired", "discarded", "held", "deferred")

_LINE = re.compile(r"(?P<id>[0-9A-Za-z]{6,}): (?P<text>.*)\Z", re.DOTALL)
_MESSAGE_ID = re.compile(r"message-id=<(?P<id>.*)>\Z")
# Other fields stand between in some versions (conn_use, tls). What a relay says, in the parenthesis, may look like a
# field; a long one is cut off, and its end with it.
_DELIVERY = re.compile(
    r"to=<(?P<to>.*?)>, (?:orig_to=<(?P<orig_to>.*?)>, )?relay=(?P<relay>\S+?), (?P<more>(?:\w+=[^, ]*, )*)"
    r"status=(?P<status>[\w-]+)(?: \((?P<text>.*?)\)?)?\Z",
    re.DOTALL,
)
_ACTIVE = re.compile(r"from=<.*>, size=\d+, nrcpt=(?P<count>\d+) \(queue active\)\Z")
_EXPIRED = re.compile(r"from=<.*>, status=(?:force-)?expired, returned to sender\Z")
_STOPPED = re.compile(r"(?:milter-)?(?P<how>hold|discard|reject): (?P<text>.*)\Z", re.DOTALL)
_NEXT = re.compile(r"\b(?:queued|forwarded) as ([0-9A-Za-z]{6,})\b")
# Of how many messages of others at a time the beginning is kept.
_STRANGERS = 20000
# soft_bounce: what would be returned is tried again.
_STATUS = {"SOFTBOUNCE": "deferred", "undeliverable": "bounced", "deliverable": "sent"}
_STOPS = {"hold": "held", "discard": "discarded", "reject": "bounced"}


class Fate(NamedTuple):
    """What became of the message for one recipient."""

    address: str
    orig_to: str
    state: str
    relay: str = ""
    reply: str = ""
    dsn: str = ""
    delay: str = ""
    delays: str = ""
    queue_id: str = ""


@dataclass
class _Stop:
    """One queue id on the way."""

    queue_id: str
    fates: dict[tuple[str, str], Fate] = field(default_factory=dict)
    retried: set[tuple[str, str]] = field(default_factory=set)
    """Those that were deferred and are being tried again."""
    count: int = 0
    """How many recipients the queue manager has."""
    removed: bool = False
    expired: bool = False
    stopped: str = ""
    words: str = ""

    @property
    def told(self) -> bool:
        """Whether there is word of each recipient, as far as their number is known."""
        return bool(self.stopped) or (bool(self.count) and len(self.fates) >= self.count and not self.retried)

    def hear(self, text: str) -> None:
        found = _DELIVERY.match(text)
        if found:
            self._deliver(found)
            return
        found = _ACTIVE.match(text)
        if found:
            self.count = int(found["count"])
            self.stopped = ""
            self.retried = {key for key, fate in self.fates.items() if fate.state == "deferred"}
            return
        found = _STOPPED.match(text)
        if found:
            self.stopped, self.words = _STOPS[found["how"]], found["text"]
        elif text == "placed on hold":
            self.stopped, self.words = "held", text
        elif text == "released from hold":
            self.stopped = ""
        elif _EXPIRED.match(text):
            self.expired = True
        elif text == "removed":
            self.removed = True

    def _deliver(self, found: re.Match[str]) -> None:
        more = dict(pair.split("=", 1) for pair in found["more"].split(", ") if pair)
        status = found["status"]
        fate = Fate(
            found["to"],
            found["orig_to"] or "",
            _STATUS.get(status, status if status in STATES else "queued"),
            found["relay"],
            found["text"] or "",
            more.get("dsn", ""),
            more.get("delay", ""),
            more.get("delays", ""),
            self.queue_id,
        )
        key = (fate.address, fate.orig_to)
        self.fates[key] = fate
        self.retried.discard(key)

    def ends(self) -> list[Fate]:
        """Its deliveries, as they stand."""
        found = list(self.fates.values())
        if self.removed and (self.stopped == "held" or not (found or self.stopped)):
            return [Fate("", "", "discarded", "none", "removed from the queue", queue_id=self.queue_id)]
        if self.stopped and not found:
            return [Fate("", "", self.stopped, "none", self.words, queue_id=self.queue_id)]
        if self.stopped or self.removed:
            # Who removes what waits, in the place of the queue manager, returns it to nobody.
            state = self.stopped or ("expired" if self.expired else "discarded")
            return [fate._replace(state=state) if fate.state == "deferred" else fate for fate in found]
        return found


class Trail:
    """``filters`` are the relays, as a delivery names them, that give the message back to this Postfix.

    Where the queue id is known from a reply, it is ``queue_id``; else the first with the Message-ID is.
    """

    def __init__(self, message_id: str, queue_id: str = "", filters: Collection[str] = ()) -> None:
        self.queue_id = queue_id
        self._message_id = message_id
        self._filters = filters
        self._stops: dict[str, _Stop] = {}
        self._early: dict[str, list[str]] = {}
        """What was logged of queue ids before their Message-ID was."""
        if queue_id:
            self._stops[queue_id] = _Stop(queue_id)
        self.confirmed = False
        """Whether cleanup(8) here has it, with its Message-ID."""

    def feed(self, program: str, text: str) -> bool:
        """A line, without what stands before the queue id; whether it is about this message."""
        line = _LINE.match(text)
        if not line:
            return False
        queue_id, rest = line["id"], line["text"]
        if program == "cleanup":
            named = _MESSAGE_ID.match(rest)
            if named and named["id"] == self._message_id:
                stop = self._stops.setdefault(queue_id, _Stop(queue_id))
                for each in self._early.pop(queue_id, ()):
                    stop.hear(each)
                self.queue_id = self.queue_id or queue_id
                self.confirmed = self.confirmed or queue_id == self.queue_id
        if queue_id in self._stops:
            self._stops[queue_id].hear(rest)
            return True
        if rest == "removed":
            self._early.pop(queue_id, None)
        elif len(self._early) < _STRANGERS:
            self._early.setdefault(queue_id, []).append(rest)
        return False

    @property
    def queue_ids(self) -> list[str]:
        """Those that it has had, in the order of the way."""
        return list(dict.fromkeys(stop.queue_id for stop, _fates, _open in self._walk()))

    @property
    def fates(self) -> list[Fate]:
        """Where it has come to, for each recipient that the log names."""
        found: dict[tuple[str, str], Fate] = {}
        for _stop, fates, _open in self._walk():
            for fate in fates:
                found[(fate.address, fate.orig_to)] = fate
        return list(found.values())

    @property
    def done(self) -> bool:
        """Whether nothing more will come of it: every queue id on the way was removed, or stopped."""
        steps = list(self._walk())
        return bool(steps) and all(
            (stop.removed or stop.stopped) and not awaits for stop, _fates, awaits in steps
        )

    @property
    def at_rest(self) -> bool:
        """Whether there is word of every recipient, and nothing goes on until the queue manager tries again.

        local(8) tells of each member of an alias on a line of its own, and how many there are is told nowhere: whoever
        asks waits for a moment without news.
        """
        steps = list(self._walk())
        return bool(steps) and all(
            (stop.removed or stop.told) and not awaits for stop, _fates, awaits in steps
        )

    @property
    def waits(self) -> bool:
        """Whether nothing goes on because a recipient is deferred."""
        return self.at_rest and any(fate.state == "deferred" for fate in self.fates)

    @property
    def state(self) -> str:
        """What became of the whole message: the worst that became of it for a recipient."""
        states = {fate.state for fate in self.fates}
        if not self.at_rest:
            states.add("queued")
        return next(state for state in STATES if state in states)

    def _walk(self) -> Iterator[tuple[_Stop, list[Fate], bool]]:
        """Each queue id on the way with the deliveries that end there, and whether a next one is still awaited."""
        if self.queue_id not in self._stops:
            return
        waiting = [self._stops[self.queue_id]]
        # For whom an address was expanded, by the queue id that it is told under; "" for all others there.
        origins: dict[str, dict[str, str]] = {self.queue_id: {}}
        while waiting:
            stop = waiting.pop(0)
            ends: list[Fate] = []
            awaits = False
            for fate in stop.ends():
                mine = origins[stop.queue_id]
                origin = fate.orig_to or mine.get(fate.address, mine.get("", ""))
                following = self._following(fate)
                if not following:
                    # What speaks SMTP brings it back before it replies, or never.
                    lost = fate.state == "sent" and fate.relay in self._filters
                    awaits = awaits or lost
                    ends.append(fate._replace(orig_to=origin, state="queued" if lost else fate.state))
                for each in following:
                    if each.queue_id not in origins:
                        origins[each.queue_id] = {}
                        waiting.append(each)
                    if fate.reply.startswith("forwarded as "):
                        origins[each.queue_id][""] = origin or fate.address
                    elif origin:
                        origins[each.queue_id][fate.address] = origin
            yield stop, ends, awaits

    def _following(self, fate: Fate) -> list[_Stop]:
        """The queue ids under which a delivered message goes on here."""
        if fate.state != "sent":
            return []
        named = [self._stops[each] for each in _NEXT.findall(fate.reply) if each in self._stops]
        if named or not self._back_from(fate):
            return [stop for stop in named if stop.queue_id != fate.queue_id]
        replies = " ".join(each.reply for stop in self._stops.values() for each in stop.fates.values())
        known = {self.queue_id, fate.queue_id, *_NEXT.findall(replies)}
        return [stop for queue_id, stop in self._stops.items() if queue_id not in known]

    def _back_from(self, fate: Fate) -> bool:
        """Whether it went to a filter, which gives it back."""
        return fate.state == "sent" and self._is_filter(fate.relay)

    def _is_filter(self, relay: str) -> bool:
        """smtp(8) names a relay as host[address]:port, pipe(8) by the transport alone."""
        found = re.match(r"(.+)\[(.+)\](:\d+)\Z", relay)
        names = [f"{each}{found[3]}" for each in found.groups()[:2]] if found else [relay]
        return any(name in self._filters for name in names)


def filters_of(values: Iterable[str]) -> set[str]:
    """The relays of content_filter settings that give mail back, as a delivery to them is logged.

    Of pipe(8) that is the name of the transport: a next hop there is the program's affair. One that speaks SMTP is on
    this host; what is elsewhere is a relay.
    """
    found: set[str] = set()
    for value in values:
        transport, _colon, next_hop = value.strip().partition(":")
        next_hop = re.sub(r"[\[\]]", "", next_hop)
        found |= {transport, next_hop if re.match(r"127\.|localhost:|::1:", next_hop) else ""}
    return found - {""}
