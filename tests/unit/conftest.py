"""What all unit tests have in common."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from hypothesis import settings

# A machine that is busy with something else has not found a mistake.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")
