"""User names and passwords in a list of relays. The work is done in plugin_utils/logins.py."""
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: relay_logins
short_description: User names and passwords in a list of relays
version_added: 1.1.0
author: the mailops.smtp authors (@mailops)
description:
  - For roles P(mailops.smtp.preflight#role) and P(mailops.smtp.postfix#role), whose checked values hold no secret,
    neither a password nor a user name that is one as well.
  - Reads C(postfix_relays) in every form in which M(mailops.smtp.variables) does.
positional: _input
options:
  _input:
    description: The variable C(postfix_relays), or a list of the same form.
    type: raw
    required: true
  auth:
    description: The SASL mechanism of relays that name none. Those with V(xoauth2) have no password.
    type: str
    default: ""
  application:
    description: >-
      C(client_id), C(client_secret) and C(endpoint) of OAuth 2.0 for relays that have none of their own. With it, a
      relay with V(xoauth2) has its file of tokens.
    type: dict
seealso:
  - module: mailops.smtp.variables
"""

EXAMPLES = r"""
- name: Know how many relays have a login
  ansible.builtin.debug:
    msg: "{{ postfix_relays | mailops.smtp.relay_logins | select | length }}"
"""

RETURN = r"""
_value:
  description:
    - A mapping with C(username) and C(password) of each relay, in their order, without what it does not have.
    - Where a relay has a file of tokens, C(password) is its path, and C(token) has C(path), C(content), C(regexp) and
      C(replace).
  type: list
  elements: dict
"""

from typing import Any, Callable

from ansible.errors import AnsibleFilterError

from ..action.variables import plain, specification
from ..plugin_utils.logins import logins
from ..plugin_utils.variables import Wrong, typed


def _logins(given: Any, auth: str = "", application: Any = None) -> list[dict[str, Any]]:
    name = "postfix_relays"
    try:
        relays = typed(name, specification("postfix")[name], plain(given) or [])
    except Wrong as wrong:
        raise AnsibleFilterError(str(wrong)) from None
    return logins(relays, auth, plain(application))


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"relay_logins": _logins}
