"""What role postfix writes for the routes of a host. The work is done in plugin_utils/ways.py."""
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ways
short_description: What Postfix is given so that mail goes the routes that were found
version_added: 1.1.0
author: the mailops.smtp authors (@mailops)
description:
  - For role P(mailops.smtp.postfix#role). From the fact C(smtp_route) and the list of relays it makes the
    next hops, transports and rows of tables that Postfix needs.
  - It holds no secret. A login is named by the place of its relay in the list.
positional: _input
options:
  _input:
    description: The route as M(mailops.smtp.smtp_route_facts) returns it.
    type: dict
    required: true
  relays:
    description:
      - The list of relays, with C(security_level), C(auth_mechanism), C(ca_path), C(client_cert), C(client_key) and
        C(username).
    type: list
    elements: dict
    required: true
  directory:
    description: Directory of main.cf and master.cf.
    type: path
    default: /etc/postfix
  failover:
    description: Whether the other usable routes follow, for Postfix to try when the first fails.
    type: bool
    default: true
  logins:
    description: >-
      For each relay the place of the first one that has the same login. Without it, relays with one C(username) have
      one.
    type: list
    elements: int
    default: []
seealso:
  - module: mailops.smtp.smtp_route_facts
"""

EXAMPLES = r"""
- name: Show what Postfix would be given
  ansible.builtin.debug:
    msg: "{{ ansible_facts.smtp_route | mailops.smtp.ways(relays=[{'security_level': 'secure', 'username': 'web1'}]) }}"
"""

RETURN = r"""
_value:
  description:
    - C(relayhost), C(default_transport), C(services) and the rows of C(policy), C(passwords), C(senders) and
      C(recipients).
  type: dict
"""

from typing import Any, Callable

from ansible.errors import AnsibleFilterError

from ..plugin_utils.ways import WaysError, ways


def _ways(
    route: Any, relays: Any, directory: str = "/etc/postfix", failover: bool = True, logins: Any = ()
) -> dict[str, Any]:
    try:
        return ways(route, relays, directory, failover, logins)
    except WaysError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"ways": _ways}
