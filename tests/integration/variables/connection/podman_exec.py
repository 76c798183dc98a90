# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way into a podman container that has no network, for ansible-playbook."""

from __future__ import annotations

DOCUMENTATION = r"""
name: podman_exec
short_description: Run on a podman container of this machine
description: As root, through podman exec.
author: the mailops.smtp authors
options:
  container:
    description: Its name.
    type: str
    required: true
    vars:
      - name: inventory_hostname
"""

import subprocess
from pathlib import Path

from ansible.plugins.connection import ConnectionBase


class Connection(ConnectionBase):
    transport = "podman_exec"
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def _run(self, command, data=b""):
        words = ["podman", "exec", "-i", self.get_option("container"), "/bin/sh", "-c", command]
        return subprocess.run(words, input=data, capture_output=True, check=False)

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        done = self._run(cmd, in_data or b"")
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path, out_path):
        self._run(f"cat >'{out_path}'", Path(in_path).read_bytes())

    def fetch_file(self, in_path, out_path):
        Path(out_path).write_bytes(self._run(f"cat '{in_path}'").stdout)

    def close(self):
        self._connected = False
