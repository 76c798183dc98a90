"""Asks a blackbox_exporter for many targets, so many at a time, and counts its "probe_success 1".

ask_exporter.py CONCURRENCY < addresses, one a line
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.client
import sys
from concurrent.futures import ThreadPoolExecutor


def ask(address: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", 9115, timeout=60)
    connection.request("GET", f"/probe?module=smtp_starttls&target={address}:587")
    succeeded = b"\nprobe_success 1\n" in connection.getresponse().read()
    connection.close()
    return succeeded


with ThreadPoolExecutor(int(sys.argv[1])) as pool:
    print(sum(pool.map(ask, sys.stdin.read().split())))
