# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way into a podman container that has no network, for ansible-playbook."""

from __future__ import annotations

DOCUMENTATION = r"""
name: inside_container
short_description: Run on a podman container of this machine
description: As root, through the namespaces of its first process, since podman exec loses output on a busy machine.
author: the mailops.smtp authors
options:
  pid:
    description: Number of its first process.
    type: str
    required: true
    vars:
      - name: ansible_container_pid
"""

import subprocess
from pathlib import Path

from ansible.plugins.connection import ConnectionBase


class Connection(ConnectionBase):
    transport = "inside_container"
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def _run(self, command, data=b""):
        inside = ["nsenter", "-t", self.get_option("pid"), "-m", "-u", "-i", "-n", "-p", "-C"]
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        words = [*inside, "env", "-i", path, "HOME=/root", "LANG=C.UTF-8", "/bin/sh", "-c", command]
        return subprocess.run(words, input=data, capture_output=True, cwd="/", check=False)

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
