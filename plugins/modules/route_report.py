#!/usr/bin/python
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation of the action plugin of this name. The rule of this file: no code, it never reaches a host.
from __future__ import annotations

DOCUMENTATION = r"""
module: route_report
short_description: Show the routes of all hosts in one table, and fail those that have none
version_added: 1.0.0
author: the mailops.smtp authors (@mailops)
description:
  - Reads the fact that M(mailops.smtp.smtp_route_facts) left on each host, and shows one table of all hosts
    of the batch with provider, the verdict of each port, the route and the reason.
  - The result of each host is its own route, or a failure that names each port's verdict and the remedy.
  - Runs on the controller without a connection to any host.
options:
  registered:
    description:
      - Name of the variable in which the task with M(mailops.smtp.smtp_route_facts) was registered. The table
        then says of hosts that have dropped out of the play why they did, and holds what this run has found. A
        fact alone may be an older run's, kept by a fact cache.
    type: str
  table:
    description:
      - Whether to show the table. Turn it off for a stdout callback whose output a program reads.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
    description: It reads facts only.
  diff_mode:
    support: none
    description: There is nothing to change.
  action:
    support: full
    description: It runs on the controller.
notes:
  - With a strategy that does not keep hosts in step, such as P(ansible.builtin.free#strategy), each host shows a
    table of its own when it gets there.
  - C(run_once), and C(delegate_to) another host, are refused, since a route would then stand under the name of a host
    that it is not of. So are two hosts with one measurement.
  - With C(serial), hosts that an earlier batch lost without a probe are named again.
seealso:
  - module: mailops.smtp.smtp_route_facts
"""

EXAMPLES = r"""
- name: Choose the port that works
  mailops.smtp.smtp_route_facts:
    relays: [relay.example.com]
  register: probed
  failed_when: probed is failed and probed.ansible_facts is not defined

- name: Show the routes
  mailops.smtp.route_report:
    registered: probed
"""

RETURN = r"""
msg:
  description: The host's route and its reason, or why it has none and what to do.
  returned: always
  type: str
  sample: "2525 on relay.example.com (starttls): 587 on relay.example.com is filtered; 2525 accepted TLS"
"""
