"""What a run of role postfix would keep, change, add and drop. The work is done in plugin_utils/adoption.py."""
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: adoption
short_description: What a change of Postfix keeps, changes, adds and drops
version_added: 1.1.0
author: the mailops.smtp authors (@mailops)
description:
  - For role P(mailops.smtp.postfix#role) with C(postfix_adopt). It compares the configuration that a host has with the
    one that it would get, parameter by parameter and service by service, and names the variables that keep what would
    go.
positional: _input
options:
  _input:
    description: What M(mailops.smtp.postfix_config) returned in check mode, with C(diff=true).
    type: dict
    required: true
  variables:
    description: The variable of the role that says what a parameter is, by the name of the parameter.
    type: dict
    required: true
seealso:
  - module: mailops.smtp.postfix_config
"""

EXAMPLES = r"""
- name: Show what would become of each setting
  ansible.builtin.debug:
    msg: "{{ would | mailops.smtp.adoption(variables={'mydestination': 'postfix_mydestination'}) }}"
"""

RETURN = r"""
_value:
  description: Lines to read.
  type: list
  elements: str
"""

from typing import Any, Callable

from ..action.variables import plain
from ..plugin_utils.adoption import adoption


def _lines(result: Any, variables: Any) -> list[str]:
    return adoption(plain(result), plain(variables))


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"adoption": _lines}
