"""What is on disk of a change that is not yet finished, for whoever has to take it back.

state      on disk                                    after a kill the next run
(none)     at most what was being prepared            removes what lies about
swapped    the new files may be live, unconfirmed     takes them back, activates `level`, closes
undone     the old files live again                   activates `level`, closes
confirmed  the new files live; older releases' word   closes

The journal is removed to confirm a change, for that needs no space on a full disk.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Mapping

SWAPPED, UNDONE, CONFIRMED = "swapped", "undone", "confirmed"
# How the new files become live: the two directories change places, or file by file.
EXCHANGE, FILES = "exchange", "files"


@dataclass
class Step:
    """One file of the change. `target` is its real path when live, `before` and `after` are digests; None: no file."""

    path: str
    target: str
    before: str | None
    after: str | None
    kept: str | None = None
    """Where the old one is kept, while files are renamed one by one; None where there was none."""


@dataclass
class Journal:
    """A change between its first and its last step."""

    steps: list[Step] = field(default_factory=list)
    level: str = "none"
    """What puts the configuration in force: none, reload, restart or start."""
    running: bool = False
    """Whether Postfix ran before."""
    state: str = SWAPPED
    kind: str = EXCHANGE
    inode: int = 0
    """That of the new directory, where two change places; 0 in the journals of older releases."""
    bridge: str | None = None
    """The interim main.cf."""
    bridged: str | None = None
    """The digest of the interim main.cf."""

    @property
    def main(self) -> Step | None:
        return next((step for step in self.steps if step.path == "main.cf"), None)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def parse(data: Mapping[str, Any]) -> Journal:
    """The journal that as_dict() made, or an older release. Raises ValueError for what is none."""
    try:
        known = {name: value for name, value in data.items() if name in Journal.__dataclass_fields__}
        names = Step.__dataclass_fields__
        steps = [Step(**{name: step.get(name) for name in names}) for step in known.pop("steps", ())]
        return Journal(steps, **known)
    except (TypeError, AttributeError) as error:
        raise ValueError(f"not a journal: {error}") from None
