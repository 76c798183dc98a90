"""Ansible's way into a machine of the tests: the namespaces of its first process, as the tests themselves go in."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = """
name: inside
short_description: Run tasks in the namespaces of a process
description: Enters the namespaces of the process whose number is O(pid).
author: the mailops.smtp authors
options:
  pid:
    description: Number of the machine's first process.
    required: true
    vars:
      - name: ansible_inside_pid
"""

import shutil
import subprocess

from ansible.plugins.connection import ConnectionBase

ENVIRONMENT = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
)


class Connection(ConnectionBase):
    transport = "inside"
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def _command(self, *words):
        inside = ["nsenter", "-t", str(self.get_option("pid")), "-m", "-u", "-i", "-n", "-p", "-C"]
        return [*inside, "env", "-i", *ENVIRONMENT, *words]

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        command = self._command("/bin/sh", "-c", cmd)
        done = subprocess.run(command, input=in_data or b"", capture_output=True, cwd="/", check=False)
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path, out_path):
        with open(in_path, "rb") as source:
            subprocess.run(
                self._command("/bin/sh", "-c", f"cat >'{out_path}'"), stdin=source, check=True, cwd="/"
            )

    def fetch_file(self, in_path, out_path):
        with open(out_path, "wb") as target:
            reader = subprocess.Popen(self._command("cat", in_path), stdout=subprocess.PIPE, cwd="/")
            shutil.copyfileobj(reader.stdout, target)
            if reader.wait():
                raise FileNotFoundError(in_path)

    def close(self):
        self._connected = False
