#!/usr/bin/python
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has Dovecot check the logins of Postfix's clients. The work is done in module_utils/_dovecot."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dovecot_auth
short_description: Have Dovecot check the logins of Postfix's clients
version_added: 1.1.0
author:
  - the mailops.smtp authors (@mailops)
description:
  - Adds to Dovecot 2.3 or 2.4 a socket at which Postfix's smtpd asks for logins, and where wanted a list of users.
  - It writes files of its own below C(conf.d), C(00-mailops-smtp.conf) and C(99-mailops-smtp.conf), and no others.
    What Dovecot does for those who read mail stays as it is. The users are those of the protocol C(smtp) alone.
  - The change is tried in a private copy of the configuration first. Then Dovecot is reloaded, or started where it does
    not run, and its auth service must answer at the socket. If it does not, the old state comes back.
  - Dovecot's package alone opens no port. This module opens none either.
options:
  state:
    description: V(absent) takes away all that this module has written, users included.
    type: str
    choices: [present, absent]
    default: present
  socket:
    description:
      - The socket, as an absolute path. Postfix names it in C(smtpd_sasl_path), relative to its queue directory.
    type: path
    default: /var/spool/postfix/private/auth
  owner:
    description: The user, and the group, that may connect to the socket. Nobody else may.
    type: str
    default: postfix
  passwords:
    description:
      - Who may submit mail.
      - V(users) is O(users) and nobody else, whatever passdb Dovecot has for those who read mail.
      - V(pam) is who PAM knows as well, with its service C(dovecot).
      - V(existing) is whom the passdb of this Dovecot knows as well.
    type: str
    choices: [users, pam, existing]
    default: users
  users:
    description:
      - Logins, each with the hash of its password as C(doveadm pw) writes it, or as crypt(3) does, for example
        C({SHA512-CRYPT}$6$...). They are kept in a file that root and Dovecot can read.
      - A password in the clear is refused, and a scheme that is fast to try.
      - Dovecot reads a changed file by itself, without a reload.
    type: dict
    default: {}
  timeout:
    description: Seconds that Dovecot has to answer at the socket.
    type: float
    default: 10
  on_missing:
    description:
      - What a run outside of check mode does where Dovecot, or the user O(owner), is not there. V(fail) fails,
        V(report) changes nothing and says what is missing in RV(missing).
    type: str
    choices: [fail, report]
    default: fail
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
    details: The configuration is tried in a private copy as in a real run.
  diff_mode:
    support: full
    details: Of the users the diff shows only that they change.
  platform:
    support: full
    platforms: posix
notes:
  - Needs root on the managed host.
  - After a wrong password Dovecot waits C(auth_failure_delay), 2 seconds, before it answers. Further ones from the same
    address wait longer before they are tried, up to 15 seconds, and Postfix gives up after 10. Nothing here changes
    that.
seealso:
  - module: mailops.smtp.postfix_config
"""

EXAMPLES = r"""
- name: Let two users submit mail
  mailops.smtp.dovecot_auth:
    users:
      joe@example.com: "{{ vault_joe_hash }}"     # doveadm pw -s SHA512-CRYPT
      printer: "{{ vault_printer_hash }}"

- name: Let everybody submit mail who can read mail here
  mailops.smtp.dovecot_auth:
    passwords: existing

- name: Take it away
  mailops.smtp.dovecot_auth:
    state: absent
"""

RETURN = r"""
version:
  description: The version of Dovecot. Empty where it is not installed, and with O(state=absent).
  returned: success
  type: str
  sample: "2.4"
files:
  description: The files that changed, or would change.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The file.
      type: str
    action:
      description: V(created), V(modified), V(removed), or V(mode) where only mode or owner differ.
      type: str
activated:
  description: What was done to the running Dovecot, one of V(none), V(reload), V(start).
  returned: success
  type: str
  sample: reload
confirmed:
  description: Whether Dovecot was seen to answer at the socket.
  returned: success
  type: bool
mechanisms:
  description: The SASL mechanisms that it offers there.
  returned: success
  type: list
  elements: str
  sample: [PLAIN, LOGIN]
missing:
  description: V(dovecot) where it is not installed, V(postfix) where there is no such user as O(owner).
  returned: success
  type: list
  elements: str
  sample: []
packages:
  description: The packages that bring what is RV(missing), as this host's distribution names them.
  returned: success
  type: list
  elements: str
  sample: [dovecot-core]
unpackaged:
  description: What to do where no package is known that brings what is missing.
  returned: success
  type: str
  sample: ""
rolled_back:
  description: Whether the change was made, found wanting, and taken back.
  returned: failure
  type: bool
log:
  description: What Dovecot has complained of.
  returned: failure
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailops.smtp.plugins.module_utils._base import zipped  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.mailops.smtp.plugins.module_utils._dovecot.glue import ARGUMENTS, run


def main() -> None:
    run(AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True))


if __name__ == "__main__":
    main()
