"""All checks, and what they find in a staged configuration directory: everything at once, before anything is live.

Postfix's own tools are silent about most mistakes that stop mail (a misspelt TLS level, a boolean written True, a map
or certificate that is not there, a policy key that no next hop matches), so these are checked here, with Postfix's own
defaults as the source of types.

The rule of this file: what is certain to fail is an error, what is only unwise is a warning, and each says where it is
and what to write instead.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Collection

from ..files.parameters import TYPOGRAPHY
from ..host.master import Master
from . import (
    addresses,
    certificates,
    files,
    master,
    next_hops,
    restrictions,
    sasl,
    sockets,
    table_actions,
    tables,
    tls_policies,
    transports,
    values,
)
from .configuration import Configuration, Tools
from .finding import Check, Finding

CHECKS: tuple[Check, ...] = (
    *files.CHECKS,
    *values.CHECKS,
    *addresses.CHECKS,
    *tables.CHECKS,
    *table_actions.CHECKS,
    *restrictions.CHECKS,
    *master.CHECKS,
    *transports.CHECKS,
    *sockets.CHECKS,
    *certificates.CHECKS,
    *next_hops.CHECKS,
    *tls_policies.CHECKS,
    *sasl.CHECKS,
)


def findings(configuration: Configuration) -> list[Finding]:
    """What all checks find, errors first, each by its place."""
    secret, referred = configuration.secret_files, configuration.referred
    public = configuration.public
    found = dict.fromkeys(
        finding.concealed(secret[finding.file], public)
        if finding.file in secret
        else finding.discreet(referred)
        for check in CHECKS
        for finding in check.findings(configuration)
    )
    strange = {each.whole[:2] for each in found if each.check == files.typographic_character.name}
    if strange:
        found = {each: None for each in found if not _follows(each.whole, strange)}
    # Postfix's own words, where the same place has better ones.
    better = {each.whole[:3] for each in found if each.certain and each.check != files.postfix_says.name}
    kept = (
        each
        for each in found
        if not (each.check == files.postfix_says.name and each.certain and each.whole[:3] in better)
    )
    return sorted(kept, key=lambda each: (not each.certain, each.file, each.line, each.parameter))


def _follows(finding: Finding, strange: set[tuple[str, int]]) -> bool:
    """Whether a finding only says once more that there is a strange character: in its line, or as Postfix shows it.

    `strange` are the files and lines that have one.
    """
    if finding.check == files.typographic_character.name:
        return False
    shown = f"{finding.parameter} {finding.problem}"
    nowhere = finding.line == 0 and ("??" in shown or bool({*shown} & {*TYPOGRAPHY}))
    return nowhere or (finding.file, finding.line) in strange


def check(
    stage: str,
    live: str,
    predicting: bool = False,
    running: Master | None = None,
    sensitive: Collection[str] = (),
) -> list[Finding]:
    """Judge the directory `stage` as if it were `live`.

    `predicting`: nothing may be touched, and what another task may install meanwhile is only a warning. `sensitive` are
    the files in it of which nothing may be told.
    """
    return findings(Configuration(stage, live, Tools(stage, live), predicting, running, sensitive))
