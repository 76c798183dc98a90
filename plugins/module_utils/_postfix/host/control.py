"""Reload, start and stop Postfix.

The rule of this file: nothing here changes the configuration.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import re
import time

from . import processes, programs
from .distributions import UNIT_DIRECTORIES
from .mail_log import LogMark
from .master import Master, is_master, queue_directory, running_master
from .programs import Ran, ServiceError


class Control:
    """Reload, start and stop one instance: through systemd where it runs the machine, else by `postfix`."""

    def __init__(self, config_directory: str, queue: str) -> None:
        self.config_directory = config_directory
        # Where somebody named a directory that there is not, Postfix still runs in its own.
        lost = self.default_instance and not os.path.isdir(queue)
        self.queue = queue_directory({}) if lost else queue
        self.postfix = programs.find_program("postfix") or "postfix"

    @property
    def default_instance(self) -> bool:
        return os.path.realpath(self.config_directory) == os.path.realpath("/etc/postfix")

    def unit(self) -> str | None:
        """The systemd unit that really runs Postfix; None without systemd or without such a unit.

        Debian 12 and older: postfix.service is a oneshot that runs /bin/true, the work is in postfix@-.
        Raises ServiceError where the unit is masked.
        """
        if not os.path.isdir("/run/systemd/system") or not self.default_instance:
            return None
        path = unit_file("postfix.service")
        if path is None:
            return None
        if os.path.realpath(path) == "/dev/null":
            raise ServiceError(
                "postfix.service is masked: run systemctl unmask postfix.service, or set activate: none"
            )
        try:
            with open(path, encoding="utf-8", errors="replace") as handle:
                text = handle.read()
        except OSError:
            # A link to nowhere: systemd does not know such a unit either.
            return None
        if re.search(r"^ExecStart=\S*/true\b", text, re.MULTILINE) and unit_file("postfix@.service"):
            instance = unit_file("postfix@-.service")
            if instance and os.path.realpath(instance) == "/dev/null":
                raise ServiceError("postfix@-.service is masked: run systemctl unmask postfix@-.service")
            return "postfix@-.service"
        return "postfix.service"

    def enabled(self) -> bool | None:
        """Whether Postfix is started at boot; None where systemd is not there to say so."""
        if not os.path.isdir("/run/systemd/system") or not self.default_instance:
            return None
        return programs.run(["systemctl", "is-enabled", "--quiet", "postfix.service"]).code == 0

    def master(self) -> Master | None:
        return running_master(self.queue)

    def wake_queue_manager(self) -> None:
        """Ask for the queue manager, as pickup(8) and cleanup(8) do when they bring a message: postkick(1)."""
        postkick = programs.find_program("postkick")
        if postkick:
            programs.run([postkick, "-c", self.config_directory, "public", "qmgr", "W"], timeout=10)

    def reload(self) -> None:
        done = programs.run([self.postfix, "-c", self.config_directory, "reload"])
        if done.code:
            raise ServiceError(f"postfix reload ended with {done.code}: {_last_line(done)}")

    def start_command(self) -> list[str]:
        """What starts Postfix. Raises ServiceError where its unit is masked."""
        unit = self.unit()
        return ["systemctl", "start", unit] if unit else [self.postfix, "-c", self.config_directory, "start"]

    def start(self, command: list[str] | None = None) -> None:
        command = command or self.start_command()
        if command[0] == "systemctl":
            programs.run(["systemctl", "reset-failed", command[-1]])
        done = programs.run(command)
        if done.code:
            raise ServiceError(f"{' '.join(command)} ended with {done.code}: {_last_line(done)}")

    def stop(self) -> None:
        """Stop the running master, however it was started, between two deliveries; one that does not run is fine."""
        master = self.master()
        if master is None:
            return
        if master.unit and os.path.isdir("/run/systemd/system"):
            command = ["systemctl", "stop", master.unit]
        else:
            command = [self.postfix, "-c", self.config_directory, "stop"]
        with processes.drained(master.pid):
            done = programs.run(command)
        for _attempt in range(100):
            if not is_master(master.pid, self.queue):
                return
            time.sleep(0.1)
        raise ServiceError(f"{' '.join(command)} ended with {done.code}, but process {master.pid} still runs")

    def activate(self, level: str, log: LogMark | None = None) -> None:
        """What the dying say at a restart is not about the new: the mark in the log is moved after it."""
        if level == "reload":
            self.reload()
        elif level == "restart":
            # Known before: a host that cannot be started again is not stopped.
            command = self.start_command()
            self.stop()
            if log:
                log.move()
            self.start(command)
        elif level == "start":
            self.start()
        elif level == "stop":
            self.stop()


def unit_file(name: str) -> str | None:
    for directory in UNIT_DIRECTORIES:
        path = os.path.join(directory, name)
        if os.path.lexists(path):
            return path
    return None


def _last_line(done: Ran) -> str:
    lines = [line for line in (done.errors or done.output).splitlines() if line.strip()]
    return "; ".join(line.strip() for line in lines[-3:]) or "no message"
