#!/usr/bin/python
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation of the action plugin of this name. The rule of this file: no code, it never reaches a host.
from __future__ import annotations

DOCUMENTATION = r"""
module: route_report
short_description: Show the routes of all hosts in one table, and fail those that do not pass the gate
version_added: 1.0.0
author: the mailops.smtp authors (@mailops)
description:
  - Reads the fact that M(mailops.smtp.smtp_route_facts) left on each host, and shows one table of all hosts
    of the batch with provider, the verdict of each port, the route and the reason. Hosts of one outcome are one row,
    and the worst come first. Of more than 50 hosts it shows at most a screenful, C(LINES) high or 40 lines.
  - Below it stands who reaches which listener of other hosts, where O(mailops.smtp.smtp_route_facts#module:mesh) named
    any.
  - The result of each host is its own route, or a failure that names each port's verdict. What to do about it is in the
    table, and in the message where no table is shown.
  - Fails a host that has no route, that does not reach a listener of the mesh, that is unreachable, or that was not
    probed, and what O(fail_on) names besides; but not what is waived, what the baseline has too, or as long as no more
    fail than O(max_failed) says.
  - >-
    Below the table stands one line such as C(preflight: 97 of 100 hosts have a route, 2 without, 1 unreachable). With
    C(serial) each batch has one, and the last one is of all hosts.
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
  report:
    description:
      - Files to write on the controller, with what was found on all hosts. The suffix says the format, V(.json),
        V(.xml) for JUnit, V(.md) for Markdown, or V(.html) for a page to look into. See M(mailops.smtp.smtp_report).
      - Refused with a strategy that does not keep hosts in step.
    type: list
    elements: str
    default: []
  fail_on:
    description:
      - >-
        What a host fails for besides. One or several of V(any_unusable), V(provider_policy), C(certificate_days: 14)
        and verdicts of M(mailops.smtp.smtp_probe), as text, list or mapping. V(no_route) and V(not_reached) (a
        listener of the mesh) name what fails in any case.
    type: raw
    default: no_route
  baseline:
    description:
      - The JSON report of an earlier run. What it has too does not fail. One that is not there lets nothing pass, and
        is warned of; one that is no such report is an error.
    type: str
  max_failed:
    description:
      - How many hosts may fail, as a number or as a part of the hosts of the play, such as V(5%). Then none does.
    type: str
    default: "0"
  waivers:
    description:
      - What may fail for a while. Each has a C(reason), the last day C(until) (V(2027-01-31), UTC), and one or several
        of C(host), C(endpoint) and C(verdict), names or patterns. After its day it waives nothing.
    type: list
    elements: dict
    default: []
  allow_empty:
    description: Whether a host passes whose probe was skipped.
    type: bool
    default: false
  prefix:
    description: What the user's names of these options begin with, for messages.
    type: str
    default: ""
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
    table of its own when it gets there, and the last one the line of all. O(max_failed) is refused there.
  - Where the task that was registered has C(ignore_unreachable), hosts that are unreachable come here too, are counted,
    and end as unreachable here. The exit status of C(ansible-playbook) is 4 for them, as without it.
  - COLUMNS sets the width. Without it, it is that of the terminal, and 120 in a pipeline (C(CI) is set).
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
  ignore_unreachable: true

- name: Show the routes
  mailops.smtp.route_report:
    registered: probed

- name: Fail on more
  mailops.smtp.route_report:
    registered: probed
    fail_on: [starttls_stripped, {certificate_days: 14}]
    max_failed: 2%
    waivers:
      - {host: "db*", verdict: no_route, reason: The databases send no mail., until: 2027-01-31}
"""

RETURN = r"""
msg:
  description: The host's route and its reason, or why it has none and what to do.
  returned: always
  type: str
  sample: "2525 on relay.example.com (starttls): 587 on relay.example.com is filtered; 2525 accepted TLS"
line:
  description: The line below the table.
  returned: from the host that shows the table
  type: str
  sample: "preflight: 97 of 100 hosts have a route, 2 without, 1 unreachable"
report:
  description: The files that were written.
  returned: from the host that writes them, when O(report) names any
  type: list
  elements: str
  sample: [/home/ops/results/routes.json]
"""
