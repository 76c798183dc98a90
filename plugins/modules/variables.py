#!/usr/bin/python
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation of the action plugin of this name. The rule of this file: no code, it never reaches a host.
from __future__ import annotations

DOCUMENTATION = r"""
module: variables
short_description: Check the variables of a role of this collection, and give each its type
version_added: 1.0.0
author: the mailops.smtp authors (@mailops)
description:
  - Reads the argument specification of a role of this collection (C(meta/argument_specs.yml)), and takes each variable
    in every form in which it may be written - native, as text (V("false"), V("587"), V("a, b"), JSON or YAML), empty or
    absent - as the one value that it means. What has no meaning, or more than one, is refused.
  - All complaints come at once, a line each. Each names the variable, what was given, why it cannot work and what to
    write instead. A variable that refers to something that is not defined is named with it.
  - An empty text and V(null) are the same as leaving the variable out.
  - A value is one value. It may not hold a line break or a control character, and blanks around it are dropped. Values
    of main.cf that are written over several lines are joined to one.
  - A variable that no role of this collection knows, but that looks like one of theirs, is pointed out. Where the role
    would miss it, that is an error.
  - Runs on the controller without a connection to any host, as the first task of each role. It takes the place of
    Ansible's own validation of a role's arguments, which takes fewer forms and stops at the first reference that is not
    defined.
options:
  role:
    description: Name of the role of this collection.
    type: str
    required: true
attributes:
  check_mode:
    support: full
    description: It reads variables only.
  diff_mode:
    support: none
    description: There is nothing to change.
  action:
    support: full
    description: It runs on the controller.
notes:
  - Secrets are checked like everything else, but are in no result and no message. That holds for variables that the
    specification marks with C(no_log), and for the contents of files that are marked as sensitive.
"""

EXAMPLES = r"""
- name: Check the variables
  mailops.smtp.variables:
    role: postfix
  register: checked
"""

RETURN = r"""
postfix_relay_ports:
  description:
    - As an example of each variable of the role that is no secret. They are returned under their own names, typed as
      the specification says.
    - Variables of other roles of this collection that the role's defaults refer to are there too, where they are set.
    - An entry of a list that is marked C(sensitive) is there without its C(content).
    - Keys that an entry leaves out stay out.
  returned: success
  type: list
  elements: int
  sample: [587, 2525]
route:
  description:
    - Where mail is to go without a probe, with C(host), C(port) and C(tls) as M(mailops.smtp.smtp_route_facts) has
      them.
    - Empty where a probe chooses, or where no relay is named.
  returned: success of O(role=postfix)
  type: dict
  sample: {host: smtp.example.com, port: 587, tls: starttls}
logins:
  description: For each relay the place of the first one that has the same login.
  returned: success of O(role=postfix)
  type: list
  elements: int
  sample: [0, 1, 0]
expected:
  description:
    - Each entry of C(postfix_relays) with its C(host), its level of C(tls), whether it has a C(login), and for whom it
      is.
  returned: success of O(role=verify)
  type: list
  elements: dict
  sample: []
generic:
  description:
    - The table of generic(5) that C(postfix_generic) and C(postfix_sender_domain) ask for, as C(smtp_generic_maps)
      names it. Empty for none.
  returned: success
  type: str
  sample: "inline:{ {root = ops@example.com} }"
mesh:
  description:
    - The listeners of other hosts that C(preflight_mesh) means, as O(mailops.smtp.smtp_route_facts#module:mesh) has
      them.
    - What belongs to the host itself is not among them.
  returned: success of O(role=preflight)
  type: list
  elements: dict
  sample: [{server: mail1, host: mail1.example.com, port: 587}]
msg:
  description: The complaints, a line each.
  returned: failure
  type: str
  sample: postfix_relay_tls is 'sekure', and takes may, encrypt, dane, dane-only, verify or secure; did you mean secure?
"""
