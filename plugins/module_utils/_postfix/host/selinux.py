"""Whether it may be SELinux that keeps Postfix from a port.

The rule of this file: what a policy allows is not guessed. It differs between distributions and releases, and who runs
the host may have changed it. That the kernel refused a port to root, on a host where SELinux is enforcing, is seen.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import re
from typing import Iterable

MODE = "/sys/fs/selinux/enforce"
# inet_listen(3) of Postfix, in the log of master(8).
_REFUSED = re.compile(r"fatal: bind \S+ port (\d+): Permission denied")


def enforcing() -> bool:
    """Whether SELinux is enforcing now; not so where there is none."""
    with contextlib.suppress(OSError), open(MODE, encoding="ascii", errors="replace") as handle:
        return handle.read().strip() == "1"
    return False


def advice(problems: Iterable[str]) -> list[str]:
    """A sentence for each port that was refused to Postfix where SELinux may be the reason."""
    found = (_REFUSED.search(problem) for problem in problems)
    ports = list(dict.fromkeys(match.group(1) for match in found if match))
    if not ports or not enforcing():
        return []
    return [
        f"SELinux is enforcing here, and its policy may be what keeps Postfix from port {port} (ausearch -m avc -c "
        "master shows it). This collection changes no policy: give the port to mail in a task of yours before, "
        f"community.general.seport with ports: {port}, proto: tcp, setype: smtp_port_t, or use another port"
        for port in ports
    ]
