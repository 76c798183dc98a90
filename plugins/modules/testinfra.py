#!/usr/bin/python
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation of the action plugin of this name. The rule of this file: no code, it never reaches a host.
from __future__ import annotations

DOCUMENTATION = r"""
module: testinfra
short_description: Run a testinfra suite against a host through the play's own connection
version_added: 1.0.0
author: the mailops.smtp authors (@mailops)
description:
  - Runs a suite of tests with pytest on the controller. Its fixture C(host) is a testinfra host whose commands
    go through the connection and the become settings of the task, so the suite reaches whatever the playbook
    reaches, with any inventory and any connection plugin that runs POSIX shell commands.
  - The result says which tests passed, and which failed and why, in one sentence each. The task fails when a
    test failed, and when none ran.
  - Nothing is left behind in the suite's directory, and the pytest plugins, caches and settings of the
    controller have no part in the run. Hosts are tested in parallel as C(forks) allows.
options:
  path:
    description:
      - A directory of tests or one test file, on the controller. By default the suite of role
        P(mailops.smtp.verify#role), which tests a mail server.
      - A C(pytest.ini) in that directory is used, and so is its C(conftest.py).
    type: path
  expect:
    description:
      - What the tests may expect of the host. They get it as the fixture C(expect), a dictionary.
      - Failing tests may quote it, so keep passwords out of it.
    type: dict
    default: {}
  select:
    description:
      - Run only tests that have one of these words in the name of the file, of the test or of a mark.
    type: list
    elements: str
    default: []
  skip:
    description:
      - Leave out tests that have one of these words in the name of the file, of the test or of a mark.
    type: list
    elements: str
    default: []
  junit:
    description:
      - Where on the controller to write the results as JUnit XML. A directory gets one file per host, named
        after it. In a file name, C({host}) stands for the name of the host.
      - A relative path begins in the directory in which C(ansible-playbook) was called, wherever the playbook is.
      - It is written in check mode too.
    type: str
  timeout:
    description:
      - Seconds that the whole run may take. A command that takes longer is abandoned, and the tests that
        remain fail with that reason.
    type: int
    default: 300
attributes:
  check_mode:
    support: partial
    description: It tests. Tests with the mark C(sends_mail) are left out and reported as skipped.
  diff_mode:
    support: none
    description: There is nothing to change.
  action:
    support: full
    description: The tests run on the controller, their commands on the host.
  delegation:
    support: none
    description: >-
      The result stands under the name of the host, so it must be that host's. C(delegate_to) another host is
      refused, and so is C(run_once) in a play with several hosts.
requirements:
  - pytest-testinfra >= 10 on the controller, installed for the Python that runs Ansible
notes:
  - A command that a test runs twice is asked once, and answered from memory the second time. Where the answer
    may have changed, write C(host.run(command, fresh=True)).
  - >-
    C(host.ansible("module", {"option": "value"})) runs a module on the host, in the check mode and with the
    become settings of the task.
  - Commands run with C(LC_ALL=C), with C(sbin) on the path, and without input.
seealso:
  - module: mailops.smtp.smtp_probe
  - name: testinfra
    description: How tests are written.
    link: https://testinfra.readthedocs.io/
"""

EXAMPLES = r"""
- name: Verify the mail server with the suite of the collection
  mailops.smtp.testinfra:
    expect:
      relay_host: relay.example.com
      relay_port: 587
      relay_tls: secure

- name: Run tests of your own, and keep the results for the pipeline
  mailops.smtp.testinfra:
    path: tests/webserver
    junit: "results/{host}.xml"
    expect:
      listen: [80, 443]

- name: Look at TLS only, without sending mail
  mailops.smtp.testinfra:
    select: [tls]
    skip: [sends_mail]
"""

RETURN = r"""
msg:
  description: How many tests passed, or which failed and why.
  returned: always
  type: str
  sample: >-
    1 of 23 tests failed. [delivery::relay_accepts_a_message] the relay should have the test message to
    you@example.com, but it was deferred (connect to relay.example.com[192.0.2.1]:587: Connection timed out):
    the relay does not answer.
passed:
  description: Whether the suite passed, where C(failed_when) lets a failure pass.
  returned: when the suite ran
  type: bool
  sample: false
counts:
  description: How many tests passed, failed and were skipped.
  returned: when the suite ran
  type: dict
  sample: {passed: 22, failed: 1, skipped: 1}
tests:
  description: The tests by outcome.
  returned: when the suite ran
  type: dict
  contains:
    passed:
      description: Names of the tests that passed, as C(file::test) without the leading C(test_).
      type: list
      elements: str
    failed:
      description: The tests that failed, each with C(test) and C(reason).
      type: list
      elements: dict
    skipped:
      description: The tests that were left out, each with C(test) and C(reason).
      type: list
      elements: dict
evidence:
  description: What the tests noted with C(record_property), such as the relay's reply to the test message.
  returned: when the suite ran
  type: dict
  sample:
    relay: relay.example.com[192.0.2.1]:587
    relay_reply: "250 2.0.0 Ok: queued as 8DBA71A8043"
duration_s:
  description: How long the run took, in seconds.
  returned: when the suite ran
  type: float
  sample: 2.14
junit:
  description: The file that holds the results as JUnit XML.
  returned: when O(junit) is given and the suite ran
  type: str
  sample: /home/ops/results/mail1.xml
"""
