# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# What is wrong with a staged configuration directory: everything at once, before anything is live.
#
# Postfix's own tools speak first. They are silent about most mistakes that stop mail (a misspelt TLS
# level, a boolean written True, a map or certificate that is not there, a policy key that no next hop
# matches), so the rest is checked here, with Postfix's own defaults as the source of types.
#
# The rule of this file: what is certain to fail is an error, what is only unwise is a warning, and each
# says where it is and what to write instead.

from __future__ import annotations

from typing import Callable

from . import service
from .check_addresses import Addresses
from .check_certificates import Certificates
from .check_master import Services
from .check_policies import Policies
from .check_restrictions import Restrictions
from .check_sasl import Sasl
from .check_values import Values
from .finding import Finding


class Inspector(Values, Addresses, Services, Certificates, Restrictions, Policies, Sasl):
    """All judgements over one directory."""

    def run(self) -> list[Finding]:
        steps: tuple[Callable[[], None], ...] = (
            self.syntax,
            self.spelling,
            self.tools,
            self.directories,
            self.types,
            self.limits,
            self.enumerations,
            self.networks,
            self.tables,
            self.checks,
            self.restrictions,
            self.relaying,
            self.services,
            self.transports,
            self.sockets,
            self.certificates,
            self.hops,
            self.policies,
            self.plugins,
            self.server_sasl,
        )
        for step in steps:
            step()
        # Postfix's own words, where the same place has better ones.
        better = {found[:3] for found in self.findings if found.certain and found not in self.said}
        unique = dict.fromkeys(
            found for found in self.findings if found not in self.said or found[:3] not in better
        )
        return sorted(
            unique, key=lambda finding: (not finding.certain, finding.file, finding.line, finding.parameter)
        )


def check(
    stage: str, live: str, predicting: bool = False, running: service.Master | None = None
) -> list[Finding]:
    """Judge the directory `stage` as if it were `live`.

    `predicting`: nothing may be touched, and what another task may install meanwhile is only a warning.
    """
    return Inspector(stage, live, predicting, running).run()
