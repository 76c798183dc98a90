"""A message that was submitted here, and what the mail log tells of it and of the messages that it became.

The rule of this file: the log is read anew at each look and judged as a whole, so a look may come at any time. A
message that local delivery forwards (an alias) is followed under its new queue id, to its last stop.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from causes import REMARK

# Log lines that carry no queue id and yet tell why a message waits.
OF_ANY_DELIVERY = ("TLS connection established to", ": connect to ", "warning: ", "fatal: ", "panic: ")
DELIVERY = re.compile(
    r" (?P<queue_id>\w+): to=<(?P<to>[^>]*)>, (?:orig_to=<(?P<orig_to>[^>]*)>, )?relay=(?P<relay>\S+), "
    r".*status=(?P<status>\w+) \((?P<text>.*)\)$"
)
QUEUED = re.compile(r" (?P<queue_id>\w+): from=<(?P<sender>[^>]*)>, size=\d+, nrcpt=(?P<count>\d+) ")
FORWARDED = re.compile(r"^forwarded as (\w+)$")
STOPPED = re.compile(r" (?P<queue_id>\w+): (?P<text>(?:hold|discard|reject|milter-\w+): .*)$")
# Processes that talk to clients and to other hosts, so that what they complain of is not of a message submitted here.
STRANGERS = re.compile(r"/(?:smtpd|postscreen|dnsblog|tlsproxy|anvil)\[\d+\]: ")
NOTIFIED = re.compile(r" (?P<queue_id>\w+): sender non-delivery notification: (?P<notice>\w+)$")


def ours(line: str) -> bool:
    """Whether a complaint may be about a message that was submitted here, and is more than a remark."""
    return not STRANGERS.search(line) and not REMARK.search(line)


@dataclass(frozen=True)
class Delivery:
    """What became of a message for one recipient."""

    queue_id: str
    to: str
    orig_to: str
    relay: str
    status: str
    text: str

    @property
    def forwarded_as(self) -> str:
        found = FORWARDED.match(self.text)
        return found[1] if found else ""


@dataclass
class Message:
    """A message, found in the log by its token. `since`: the host's clock before it was submitted."""

    host: Any
    token: str
    since: str
    log_files: list[str]
    to: list[str]
    refused: str = ""
    queue_id: str = ""
    log: list[str] = field(default_factory=list)

    def look(self) -> None:
        """Read the journal and the log files anew."""
        patterns = [self.token, *OF_ANY_DELIVERY, *(f" {each}: " for each in self._ids())]
        from_here_on = f"/{self.token}/,$p"
        command = "{ journalctl -q --no-pager SYSLOG_FACILITY=2 --since=%s | sed -n %s; "
        command += "tail -qn 20000" + " %s" * len(self.log_files) + " | sed -n %s; } 2>/dev/null | grep -F"
        command += " -e %s" * len(patterns)
        since = f"@{self.since}"
        found = self.host.run(
            command, since, from_here_on, *self.log_files, from_here_on, *patterns, fresh=True
        )
        self.log = list(dict.fromkeys(found.stdout.splitlines()))
        for line in self.log:
            accepted = re.search(rf" (\w+): (?:message-id=<|\w+: header .*){re.escape(self.token)}", line)
            if accepted:
                self.queue_id = self.queue_id or accepted[1]

    def around(self) -> list[str]:
        """What Postfix complained of since the message was submitted, where the log does not name the message."""
        command = "{ journalctl -q --no-pager SYSLOG_FACILITY=2 --since=%s; tail -qn 100" + " %s" * len(
            self.log_files
        )
        command += "; } 2>/dev/null | grep -E %s"
        pattern = ": (warning|fatal|panic|milter-[a-z]+|reject|hold|discard): "
        found = self.host.run(command, f"@{self.since}", *self.log_files, pattern, fresh=True)
        lines = [line for line in reversed(found.stdout.splitlines()) if ours(line)]
        return [re.sub(r"^.*?\[\d+\]: ", "", line) for line in lines]

    def _ids(self) -> list[str]:
        """The queue ids of the message and of all that local delivery made of it."""
        found: list[str] = []
        waiting = [self.queue_id] if self.queue_id else []
        while waiting:
            queue_id = waiting.pop(0)
            if queue_id not in found:
                found.append(queue_id)
                waiting += [each.forwarded_as for each in self.deliveries(queue_id) if each.forwarded_as]
        return found

    def deliveries(self, queue_id: str) -> list[Delivery]:
        """The last word on each recipient of one queue id."""
        last: dict[str, Delivery] = {}
        for line in self.log:
            found = DELIVERY.search(line)
            if found and found["queue_id"] == queue_id:
                last[found["to"]] = Delivery(**found.groupdict(""))
        return list(last.values())

    @property
    def ends(self) -> list[Delivery]:
        """Where the message has come to, its forwarded copies instead of what was forwarded."""
        return [
            delivery
            for queue_id in self._ids()
            for delivery in self.deliveries(queue_id)
            if not (delivery.forwarded_as and delivery.status == "sent")
        ]

    @property
    def stopped(self) -> str:
        """Why it was held, discarded or refused before any delivery, in Postfix's words."""
        for line in self.log:
            found = STOPPED.search(line)
            if found and found["queue_id"] in self._ids():
                return str(found["text"])
        return ""

    @property
    def settled(self) -> bool:
        """Whether every recipient has come to an end, or the message was stopped."""
        return bool(self.queue_id) and (
            bool(self.stopped) or all(self._complete(each) for each in self._ids())
        )

    def _complete(self, queue_id: str) -> bool:
        deliveries = self.deliveries(queue_id)
        counts = [
            int(found["count"])
            for found in map(QUEUED.search, self.log)
            if found and found["queue_id"] == queue_id
        ]
        return bool(deliveries) and len(deliveries) >= max(counts, default=1)

    @property
    def problems(self) -> list[Delivery]:
        return [delivery for delivery in self.ends if delivery.status != "sent"]

    @property
    def sender(self) -> str:
        """The envelope sender as Postfix logged it."""
        found = [
            match for match in map(QUEUED.search, self.log) if match and match["queue_id"] == self.queue_id
        ]
        return found[0]["sender"] if found else ""

    def end_of(self, recipient: str) -> Delivery | None:
        """What became of it for one address that it was submitted to."""
        name = recipient.lower()
        found = [
            each
            for each in self.ends
            if name in (each.to.lower(), each.orig_to.lower()) or each.to.lower().startswith(f"{name}@")
        ]
        return next((each for each in found if each.status != "sent"), found[0] if found else None)

    def withdraw(self, queue_directory: str) -> None:
        """Delete the message, what became of it and the notices of its failure, and no other, from the queue."""
        ids = self._ids()
        if not ids:
            waiting = self.host.run("grep -rlF %s %s", self.token, f"{queue_directory}/maildrop", fresh=True)
            ids = [waiting.stdout.strip().rpartition("/")[2]]
        ids += [
            found["notice"] for found in map(NOTIFIED.search, self.log) if found and found["queue_id"] in ids
        ]
        for queue_id in ids:
            if queue_id:
                self.host.run("postsuper -d %s", queue_id, fresh=True)

    def tls_line(self, delivery: Delivery) -> str:
        """What the process that delivered it logged of its TLS session, without the time stamp."""
        marks = (f" {delivery.queue_id}: to=<{delivery.to}>", f"relay={delivery.relay},")
        lines = [line for line in self.log if all(mark in line for mark in marks)]
        process = re.search(r"\[\d+\]: ", lines[-1]) if lines else None
        if not process:
            return ""
        lines = [line for line in self.log if process[0] in line and " TLS connection " in line]
        return lines[-1].partition(process[0])[2] if lines else ""

    @property
    def complaints(self) -> list[str]:
        """What Postfix complained of since then, maybe of another message; the last and the gravest first."""
        found = [
            re.search(r": (connect to .*|(?:fatal|panic|warning): .*)$", line)
            for line in self.log
            if ours(line)
        ]
        told = list(dict.fromkeys(match[1] for match in reversed(found) if match))
        return sorted(told, key=lambda text: not text.startswith(("fatal", "panic", "connect")))

    @property
    def last_problem(self) -> str:
        return (self.complaints or [""])[0]
