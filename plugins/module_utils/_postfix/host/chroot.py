"""The copies of files of /etc below the queue directory, from which a chrooted SMTP client looks up names.

Debian's start script makes them; a reload does not. The rule of this file: a copy that is as it should be is left
alone.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import os
import re
import shutil
from typing import Iterable, Mapping

from ..files import master_cf
from .distributions import CHROOT_SCRIPTS, CHROOT_SETTINGS

COPIED = ("resolv.conf", "hosts", "nsswitch.conf", "services")


def clients_chrooted(services: Iterable[master_cf.Service], values: Mapping[str, str]) -> bool:
    """Whether a client that sends mail out runs chrooted; "-" means so up to compatibility_level 0."""
    by_default = values.get("compatibility_level", "0").split(".")[0] in ("", "0")
    return any(
        entry.command == "smtp"
        and entry.type == "unix"
        and entry.chroot in (("y", "-") if by_default else ("y",))
        for entry in services
    )


def stale_copies(queue: str, root: str = "/etc") -> list[str]:
    """The files whose copy for the chroot is not as they are; none where nobody makes copies."""
    copies = os.path.join(queue, "etc")
    if not os.path.isdir(copies):
        return []
    return [
        name
        for name in COPIED
        if (content := _read(os.path.join(root, name))) is not None
        and _read(os.path.join(copies, name)) != content
    ]


def kept_in_step() -> bool:
    """Whether a start of Postfix makes the copies anew, as Debian's does unless it is told not to."""
    if not any(os.path.exists(path) for path in CHROOT_SCRIPTS):
        return False
    settings = (_read(CHROOT_SETTINGS) or b"").decode("utf-8", "replace")
    said = re.findall(r"^[ \t]*SYNC_CHROOT=[\"']?([^\"'\s#]*)", settings, re.MULTILINE)
    return not said or said[-1] not in ("", "n", "no")


def copy(queue: str, names: Iterable[str], root: str = "/etc") -> None:
    """Make the copies that the start did not make, each renamed into place. Raises OSError."""
    for name in names:
        target = os.path.join(queue, "etc", name)
        temporary = f"{target}.mailops-new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        shutil.copy2(os.path.join(root, name), temporary)
        os.rename(temporary, target)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as handle:
            return handle.read()
    except OSError:
        return None
