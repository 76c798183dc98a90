"""What came of a change: the keys of the module's return value, or why it was not made."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Sequence

from ..checks.finding import Finding


@dataclass
class Outcome:
    """What was done; the keys of the module's return value."""

    changed: bool = False
    files: list[dict[str, Any]] = field(default_factory=list)
    diff: list[dict[str, str]] = field(default_factory=list)
    activated: str = "none"
    confirmed: bool = False
    rolled_back: bool = False
    recovered: bool = False
    maps: list[str] = field(default_factory=list)
    backups: list[str] = field(default_factory=list)
    takes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    enabled: bool | None = None
    dovecot_auth: bool = False
    warnings: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class DeployError(Exception):
    """The change was not made, or was taken back. `findings`, `missing` and `rolled_back` say more."""

    def __init__(
        self,
        message: str,
        findings: Sequence[Finding] = (),
        rolled_back: bool = False,
        log: Sequence[str] = (),
        missing: Sequence[str] = (),
        takes: Sequence[str] = (),
        diff: Sequence[dict[str, str]] = (),
        warnings: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.takes = list(takes)
        self.diff = list(diff)
        self.warnings = list(warnings)
        self.missing = list(missing)
        self.findings = list(findings)
        self.rolled_back = rolled_back
        self.log = list(log)
