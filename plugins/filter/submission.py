"""What role postfix writes for users who submit mail. The work is done in plugin_utils/submission.py."""
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: submission
short_description: What Postfix is given so that users submit mail
version_added: 1.1.0
author: the mailops.smtp authors (@mailops)
description:
  - For role P(mailops.smtp.postfix#role). From its variables it makes the services, files and options of
    M(mailops.smtp.postfix_config) for the ports on which users submit mail.
positional: _input
options:
  _input:
    description: The variables of the role, as M(mailops.smtp.variables) returns them.
    type: dict
    required: true
seealso:
  - module: mailops.smtp.postfix_config
"""

EXAMPLES = r"""
- name: Show the services in which users submit mail
  ansible.builtin.debug:
    msg: "{{ (checked | mailops.smtp.submission).services }}"
"""

RETURN = r"""
_value:
  description: C(services), C(files), and C(variables), which says by which variable each of them was asked for.
  type: dict
"""

from typing import Any, Callable

from ..plugin_utils.submission import submission


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"submission": submission}
