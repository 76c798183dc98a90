"""The fault table: what every kind of broken server and network looks like, and the verdict that is right about it.

    PYTHONPATH=<collections root> pytest tests/integration/faults -v

needs root and nftables, takes about half a minute, and leaves nothing behind. The table is table.py; what its servers
can do is servers.py. PROBE_PYTHON names another Python for the probe: any from 3.8 on must find the same.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later
