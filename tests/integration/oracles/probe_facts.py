"""Runs the probe on a list of endpoints, under whatever Python is to be tried (3.8 and later, nothing installed).

Reads JSON from stdin: {"collections": DIRECTORY, "jobs": {NAME: {"options": {...}, "endpoints": [[...], ...]}}} and
writes {NAME: [result, ...]} to stdout.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys


def main() -> None:
    order = json.load(sys.stdin)
    sys.path.insert(0, order["collections"])
    from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import (
        Credentials,
        Endpoint,
        Options,
    )
    from ansible_collections.mailops.smtp.plugins.module_utils._smtp.net.probe import probe

    answer = {}
    for name, job in order["jobs"].items():
        endpoints = [
            Endpoint(host, port, tls, server_name or None, Credentials(*login) if login else None)
            for host, port, tls, server_name, login in job["endpoints"]
        ]
        answer[name] = [result.as_dict() for result in probe(endpoints, Options(**job["options"]))]
    json.dump(answer, sys.stdout)


main()
