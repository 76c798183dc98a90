#!/usr/bin/python
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation of the action plugin of this name. The rule of this file: no code, it never reaches a host.
from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_report
short_description: Write what was found on all hosts of a play to files, as JSON, JUnit or Markdown
version_added: 1.1.0
author: the mailops.smtp authors (@mailops)
description:
  - Makes one report of what a task has registered on the hosts of the play, and writes it to files. The task is one
    with M(mailops.smtp.smtp_route_facts), M(mailops.smtp.smtp_probe) or M(mailops.smtp.testinfra).
  - Roles P(mailops.smtp.preflight#role) and P(mailops.smtp.verify#role) write the same reports where
    C(preflight_report) and C(verify_report) name files. This is for playbooks that use the modules alone.
  - The files are written once, by the first host of the play that is still there. A host that failed or was unreachable
    is in the report as such; with C(serial), each batch adds its hosts to those of the batches before.
  - The result of each host is what its task has found, as a failure where that is one.
  - Runs on the controller without a connection to any host.
options:
  registered:
    description:
      - Name of the variable in which the task was registered. So that hosts on which it fails come here, it needs
        C(failed_when=false), and C(ignore_unreachable=true) for those that are unreachable. These fail here.
      - What a loop has registered is refused.
    type: str
    required: true
  report:
    description:
      - Files to write on the controller. The suffix says the format, V(.json), V(.xml) for JUnit, V(.md) for
        Markdown, or V(.html) for a page to look into.
      - A relative path begins in the directory in which C(ansible-playbook) was called, wherever the playbook is.
        Directories that are missing are made. A reader sees the whole old file or the whole new one.
      - They are written in check mode too, and are no change.
    type: list
    elements: str
    default: []
  kind:
    description:
      - What the report is about, V(preflight) for routes, V(probe) for endpoints, V(verify) for tests. By default what
        the results are of, and V(preflight) where no host has one.
    type: str
    choices: [preflight, probe, verify]
  fail:
    description:
      - Whether hosts fail here that have no route, no usable endpoint or a failed test, or were not looked at.
    type: bool
    default: true
  name:
    description: What the user calls O(report), for messages.
    type: str
    default: report
attributes:
  check_mode:
    support: full
    description: It reads results and writes reports, which are no state of any host.
  diff_mode:
    support: none
    description: There is nothing to change.
  action:
    support: full
    description: It runs on the controller.
notes:
  - What a result or a host has beside what the report shows, such as parameters, variables and passwords, is in no
    report.
  - C(run_once), C(delegate_to) and, where O(report) is given, a strategy in which hosts do not wait for each other are
    refused.
  - The format of the JSON is described at
    U(https://github.com/mailops/ansible-smtp/blob/main/docs/reports.md).
seealso:
  - module: mailops.smtp.smtp_probe
  - module: mailops.smtp.smtp_route_facts
  - module: mailops.smtp.testinfra
"""

EXAMPLES = r"""
- name: Ask the relays
  mailops.smtp.smtp_probe:
    endpoints: [relay.example.com:587, relay.example.com:465]
  register: asked
  failed_when: false
  ignore_unreachable: true

- name: Report what they said
  mailops.smtp.smtp_report:
    registered: asked
    report: [results/relays.json, results/relays.xml, results/relays.md, results/relays.html]
"""

RETURN = r"""
msg:
  description: What the host's task has found.
  returned: always
  type: str
  sample: The endpoint is usable.
state:
  description:
    - What became of the host. V(route) or V(no_route), V(usable) or V(unusable), V(passed) or V(failed),
      V(unreachable), V(not_probed) or V(not_tested).
  returned: when nothing was refused
  type: str
  sample: usable
report:
  description: The files that were written.
  returned: from the host that writes the files
  type: list
  elements: str
  sample: [/home/ops/results/relays.json]
"""
