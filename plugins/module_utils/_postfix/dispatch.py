"""This host's Postfix as one who sends a message sees it: whether it can be followed, submitted, and what came of it.

Rules of this file: what stands in the way of the answer is known before anything is sent, where it can be. It waits for
the log, never for a time; what the log does not tell, the queue is asked for at the end.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from typing import Any, Mapping, NamedTuple, Sequence

from .files import master_cf
from .files.text import assignments, read_text
from .host import programs
from .host.addresses import is_local
from .host.mail_log import LogMark
from .host.master import Master, queue_directory, visible_master
from .trail import Trail, filters_of

# How long there has to be no news of a message that waits for another attempt, in seconds: see Trail.at_rest.
QUIET = 0.5
# How soon the log has what the reply to a client was about.
AT_ONCE = 3.0
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_WANTED = (
    "queue_directory", "maillog_file", "mail_owner", "minimal_backoff_time", "queue_run_delay", "smtputf8_enable",
    "content_filter", "sendmail_path",
)  # fmt: skip


class DispatchError(Exception):
    """Nothing was sent; the text says why, and what to do."""


class Waiting(NamedTuple):
    """What the queue says of a message: the queue that it is in, and why each recipient waits."""

    queue: str
    queue_id: str
    reasons: Mapping[str, str]


class Dispatch:
    """One instance of Postfix."""

    def __init__(self, config_directory: str) -> None:
        self.config_directory = config_directory
        self.values: dict[str, str] = {}
        self.master: Master | None = None
        postconf = programs.find_program("postconf")
        if postconf and os.path.exists(os.path.join(config_directory, "main.cf")):
            done = programs.run([postconf, "-c", config_directory, "-x", *_WANTED])
            self.values = assignments(done.output)
        if self.values:
            self.master = visible_master(queue_directory(self.values))
        self.log = LogMark(self.values)
        if self.master:
            self.log.watch(self.master)

    @property
    def obstacle(self) -> str:
        """Why nothing that is submitted here leaves; empty where nothing stands in the way."""
        if not self.values:
            where = f"no Postfix with its configuration in {self.config_directory} on this host"
            return f"there is {where}: name a mail server with host, or install Postfix"
        if self.master is None:
            return "Postfix does not run on this host, so nobody takes the message: start it (systemctl start postfix)"
        return ""

    @property
    def international(self) -> bool:
        """Whether it takes addresses that are not ASCII."""
        return self.values.get("smtputf8_enable", "yes") == "yes"

    def submit(self, sender: str | None, recipients: Sequence[str], text: str) -> None:
        """By its sendmail(1), as this user. Raises DispatchError."""
        # Of this Postfix: another mail server may have its own of that name.
        program = self.values.get("sendmail_path", "")
        if not os.access(program, os.X_OK):
            raise DispatchError(
                f"{program or 'sendmail'} of Postfix (sendmail_path) cannot be run by this user"
            )
        command = [program, "-C", self.config_directory] if self._other_instance else [program]
        command += ["-i"] + ([] if sender is None else ["-f", sender or "<>"]) + ["--", *recipients]
        self.log.move()
        done = programs.run(command, stdin=text)
        if done.code:
            lines = [line.strip() for line in done.errors.splitlines() if line.strip()]
            words = "; ".join(lines[-2:]) or f"it ended with {done.code}"
            raise DispatchError(f"{program} refuses the message: {words}")

    @property
    def _other_instance(self) -> bool:
        return os.path.realpath(self.config_directory) != os.path.realpath("/etc/postfix")

    def trail(self, message_id: str, queue_id: str = "") -> Trail:
        services = master_cf.MasterCf(read_text(os.path.join(self.config_directory, "master.cf"))).services
        settings = [
            self.values.get("content_filter", ""),
            *(each.option("content_filter") or "" for each in services),
        ]
        return Trail(message_id, queue_id, filters_of(settings))

    def listens(self, address: str, port: int) -> bool | None:
        """Whether that is a listener of its own; None where that cannot be told, as without root."""
        if self.master is None or not is_local(address):
            return False
        if self.master.listeners is None:
            return None
        return any(
            each.port == port for each in self.master.listeners if each.address in (address, "0.0.0.0", "::")
        )

    def follow(self, trail: Trail, deadline: float, decided: bool = True) -> None:
        """Wait until the log has said what became of the message, or with ``decided`` false that it is in the queue.

        Ends earlier where another attempt is due only after the deadline, which is of the monotonic clock. Raises
        LogError.
        """
        if self.master is None:
            return
        with contextlib.closing(self.log.follow(self.master)) as following:
            heard = time.monotonic()
            while not trail.done and (decided or not trail.confirmed):
                until = deadline
                if trail.waits and heard + self._backoff > deadline:
                    until = min(until, heard + QUIET)
                news = [trail.feed(each.program, each.text) for each in following.wait(until)]
                if any(news):
                    heard = time.monotonic()
                elif time.monotonic() >= until:
                    return

    @property
    def _backoff(self) -> float:
        """How soon what was deferred is tried again, in seconds."""
        return seconds(self.values.get("minimal_backoff_time", ""), 300.0)

    def waiting(self, queue_ids: Sequence[str], recipients: Sequence[str], since: float) -> Waiting | None:
        """The message as it is in the queue; where no queue id is known, one of these recipients that came since."""
        program = programs.find_program("postqueue")
        if program is None:
            return None
        done = programs.run([program, "-c", self.config_directory, "-j"])
        found = []
        for line in done.output.splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
                message: dict[str, Any] = json.loads(line)
                reasons = {each["address"]: each.get("delay_reason", "") for each in message["recipients"]}
                mine = message["queue_id"] in queue_ids or (
                    not queue_ids
                    and int(message["arrival_time"]) >= int(since)
                    and set(reasons) & set(recipients)
                )
                if mine:
                    found.append(Waiting(message["queue_name"], message["queue_id"], reasons))
        # Of two that might be it nothing is said.
        return found[0] if found and (queue_ids or len(found) == 1) else None


def seconds(text: str, default: float) -> float:
    """A time of postconf(5)."""
    found = re.match(r"\s*(\d+)\s*([smhdw]?)\s*\Z", text)
    return float(found[1]) * _UNITS[found[2] or "s"] if found else default
