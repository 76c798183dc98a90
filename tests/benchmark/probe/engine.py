"""The probe's engine on a list of addresses, without the module around it.

  engine.py COLLECTIONS CA_FILE SERVER_NAME CONCURRENCY CONNECT_TIMEOUT TIMEOUT < addresses, one a line

Prints JSON: wall and CPU seconds (of the probe, not of the interpreter's start), peak MiB, and the count of each
verdict.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter


def main() -> None:
    collections, authority, name, concurrency, connect_timeout, timeout = sys.argv[1:]
    sys.path.insert(0, collections)
    from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import Endpoint, Options
    from ansible_collections.mailops.smtp.plugins.module_utils._smtp.net.probe import probe

    endpoints = [Endpoint(address, 587, "starttls", name) for address in sys.stdin.read().split()]
    options = Options(
        ca_path=authority, helo_name="client.oracle.test", concurrency=int(concurrency),
        timeout=float(timeout), connect_timeout=float(connect_timeout), retries=0,
    )  # fmt: skip
    began, spent = time.monotonic(), time.process_time()
    results = probe(endpoints, options)
    figures = {"wall": time.monotonic() - began, "cpu": time.process_time() - spent}
    verdicts = Counter(result.verdict for result in results)
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**figures, "mib": mib, "verdicts": verdicts}))


main()
