"""The lab itself, where what it remembers is no longer so."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal

from servers import CAST, NAME, podman, tool


def test_a_host_whose_processes_were_all_killed_at_once_is_booted_anew() -> None:
    lab = tool.Lab(f"{NAME}-killed", [CAST[0]])
    try:
        lab.up()
        # So that nobody is left who could tell podman of it.
        for process in ("ConmonPid", "Pid"):
            told = podman("inspect", "-f", f"{{{{.State.{process}}}}}", lab.container(lab.hosts[0]))
            os.kill(int(told.stdout), signal.SIGKILL)
        (row,) = lab.status()
        assert row["state"] == "ended"
        lab.up()
        (row,) = lab.status()
        assert row["state"] == "running"
    finally:
        lab.down()
