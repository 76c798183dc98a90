"""Asks ansible-doc for every plugin and role of a collection; fails for one that it does not know."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

# What is not documented itself: shared code, and action plugins, whose documentation is that of the module.
UNDOCUMENTED = ("action", "doc_fragments", "module_utils", "plugin_utils")

installed = Path(sys.argv[1])
expected = {
    (directory.name.replace("modules", "module"), f"mailops.smtp.{file.stem}")
    for directory in (installed / "plugins").iterdir()
    if directory.name not in UNDOCUMENTED
    for file in directory.glob("[!_]*.py")
} | {("role", f"mailops.smtp.{role.name}") for role in (installed / "roles").iterdir()}
for kind, name in sorted(expected):
    command = ["ansible-doc", "--json", "--type", kind, name]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    documented = json.loads(answer.stdout or "{}").get(name, {})
    if kind == "role":
        complete = documented.get("entry_points", {}).get("main", {}).get("short_description")
    else:
        complete = documented.get("doc") and documented.get("examples") and documented.get("return")
    if not complete:
        sys.exit(f"ansible-doc does not know the {kind} {name}: {answer.stdout}{answer.stderr}")
    print(kind, name)
