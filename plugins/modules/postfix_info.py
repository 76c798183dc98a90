#!/usr/bin/python
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what Postfix is and has on a host. The work is done in module_utils/_postfix."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postfix_info
short_description: Tell version, configuration, services, tables and queue of Postfix
version_added: 1.0.0
author:
  - the mailops.smtp authors (@mailops)
description:
  - Reads what the Postfix of a host is, how it is configured, what it listens on, and what waits in its queue.
  - Nothing is changed. Passwords that stand in C(main.cf) itself are masked.
options:
  config_directory:
    description: The configuration directory of the Postfix instance.
    type: path
    default: /etc/postfix
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
    details: It only reads.
  diff_mode:
    support: none
    details: It changes nothing.
  platform:
    support: full
    platforms: posix
seealso:
  - module: mailops.smtp.postfix_config
"""

EXAMPLES = r"""
- name: Look at Postfix
  mailops.smtp.postfix_info:
  register: postfix

- name: Show why mail waits
  ansible.builtin.debug:
    var: postfix.queue.deferred_reasons
"""

RETURN = r"""
installed:
  description: Whether Postfix is there. Where it is not, no other key is returned.
  returned: always
  type: bool
version:
  description: The version of Postfix.
  returned: when installed
  type: str
  sample: 3.7.11
config_directory:
  description: The configuration directory that was read.
  returned: when installed
  type: str
running:
  description: Whether the master process runs.
  returned: when installed
  type: bool
unit:
  description: The systemd unit that the master process belongs to, if any.
  returned: when installed
  type: str
listeners:
  description: The TCP sockets that the running master process holds.
  returned: when installed
  type: list
  elements: dict
  contains:
    address:
      description: The address.
      type: str
    port:
      description: The port.
      type: int
parameters:
  description: What C(main.cf) sets, as C(postconf -n) prints it.
  returned: when installed
  type: dict
services:
  description: The entries of C(master.cf).
  returned: when installed
  type: list
  elements: dict
maps:
  description: The lookup tables with a file that the configuration names.
  returned: when installed
  type: list
  elements: dict
  contains:
    table:
      description: Type and path.
      type: str
    type:
      description: The type of the table.
      type: str
    path:
      description: The path of its source.
      type: str
    exists:
      description: Whether the source is there.
      type: bool
    stale:
      description: Whether the compiled table is lost or older than its source.
      type: bool
    used_by:
      description: The parameters that name it.
      type: list
      elements: str
next_hops:
  description: Where mail to other hosts goes, in order.
  returned: when installed
  type: list
  elements: dict
  contains:
    host:
      description: Host name or address.
      type: str
    port:
      description: Port.
      type: int
    implicit_tls:
      description: Whether the transport speaks TLS from the first byte.
      type: bool
queue:
  description: What waits.
  returned: when installed
  type: dict
  contains:
    total:
      description: Messages in all queues; C(incoming), C(active), C(deferred), C(hold) and others count each.
      type: int
    oldest:
      description: When the oldest message arrived, in seconds since the epoch. Null where none waits.
      type: int
    deferred_reasons:
      description: The five most frequent reasons for a delay, with the number of recipients.
      type: list
      elements: dict
capabilities:
  description: What this version of Postfix supports, by name.
  returned: when installed
  type: dict
map_types:
  description: The types of lookup tables that this Postfix has.
  returned: when installed
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailops.smtp.plugins.module_utils._base import zipped  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.info import gather


def main() -> None:
    arguments = {"config_directory": {"type": "path", "default": "/etc/postfix"}}
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    module.exit_json(changed=False, **gather(module.params["config_directory"]))


if __name__ == "__main__":
    main()
