"""Every case, broken and valid, by subject in the files beside this one."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import cases_addresses
import cases_certificates
import cases_hosts
import cases_master
import cases_programs
import cases_relay
import cases_restrictions
import cases_rows
import cases_tables
import cases_tls
import cases_values
from case import HOP, PASSWORD, RELAY, Case, inet

__all__ = ["BROKEN", "HOP", "PASSWORD", "RELAY", "VALID", "Case", "inet"]

_SUBJECTS = (
    cases_addresses,
    cases_certificates,
    cases_master,
    cases_relay,
    cases_restrictions,
    cases_rows,
    cases_hosts,
    cases_programs,
    cases_tables,
    cases_tls,
    cases_values,
)
BROKEN: list[Case] = [case for subject in _SUBJECTS for case in subject.BROKEN]
VALID: list[Case] = [case for subject in _SUBJECTS for case in subject.VALID]
