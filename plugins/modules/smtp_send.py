#!/usr/bin/python
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Where does a message from this host arrive? The rule of this file: documentation and glue.
from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_send
short_description: Send one message and follow it to the relay's reply
version_added: 1.0.0
author: the mailops.smtp authors (@mailops)
description:
  - Submits one message, through the queue of this host's Postfix or to a mail server, and says what became of it, for
    each recipient. That is V(sent) with the relay's words, V(deferred) with the reason, V(bounced), and others.
  - It follows the message by its queue id in the log of this host's Postfix, also when a content filter or a listener
    of its own puts it into the queue again, when an alias makes several of it, and when it is deferred and tried again.
    It waits for the log and for no fixed time, and believes only what this Postfix has logged.
  - A message that another server has accepted ends there. Nobody can see further from this host.
extends_documentation_fragment:
  - mailops.smtp.smtp_options.connection
options:
  to:
    description:
      - The recipients.
      - An address that is not ASCII needs SMTPUTF8. Where Postfix or the mail server does not have that, the message
        is refused, and nothing is sent.
    type: list
    elements: str
    required: true
  from:
    description:
      - The sender of the envelope, and of the header where O(headers) have no C(From). An empty string is the null
        sender, to which nothing is returned.
      - Without it Postfix takes the user that the module runs as, with its C(myorigin). With O(host) it is O(username)
        where that is an address, else that user at the name of this host.
    type: str
  subject:
    description:
      - The subject.
    type: str
    default: Test message
  body:
    description:
      - The text.
    type: str
    default: This message was sent to see that mail arrives.
  headers:
    description:
      - More headers, or others in place of C(From), C(To), C(Date), C(Message-ID) and C(Auto-Submitted).
      - A line end or another control character in a header, a subject or an address is refused. What is not ASCII is
        encoded.
    type: dict
  config_directory:
    description:
      - The configuration directory of the Postfix instance.
    type: path
    default: /etc/postfix
  host:
    description:
      - The mail server to submit to. Without it the message goes through the queue of Postfix on this host, by its
        own C(sendmail), as the user that the module runs as.
      - Where it is a listener of this host's Postfix, the message is followed on, by the queue id in its reply.
    type: str
  port:
    description:
      - The port of O(host). The default is 587.
    type: int
  tls:
    description:
      - How TLS begins.
      - V(auto) is V(implicit) on 465, 2465 and 8465, V(opportunistic) on 25, and V(starttls) on any other port.
      - V(starttls) needs STARTTLS. V(implicit) speaks TLS from the first byte. V(opportunistic) uses STARTTLS where it
        is offered, and accepts any certificate. V(none) does not use TLS, and takes no password.
    type: str
    choices: [auto, starttls, implicit, opportunistic, none]
    default: auto
  server_name:
    description:
      - The name to look for in the certificate, and to ask the server for, instead of the host's.
    type: str
  family:
    description:
      - Which IP addresses of O(host) to use. V(any) takes the first that connects.
    type: str
    choices: [any, ipv4, ipv6]
    default: any
  username:
    description:
      - The user name to log in with. Needs O(password).
    type: str
  password:
    description:
      - The password, or for XOAUTH2 the access token. It is sent over an encrypted connection only.
    type: str
  timeout:
    description:
      - Deadline in seconds for all of it, submitting and following.
      - Postfix tries again no sooner than C(minimal_backoff_time) after a deferral, which is 300 s by default. A
        message that is deferred is followed on where that is within the deadline. Else the result is V(deferred) at
        once.
    type: float
    default: 60.0
  wait_for:
    description:
      - V(sent) waits until it is decided what becomes of the message, and fails where it is anything but sent to all
        recipients. For another server than this host's Postfix, accepted is all that can be waited for.
      - V(accepted) ends when Postfix, or the server, has the message.
    type: str
    choices: [sent, accepted]
    default: sent
attributes:
  check_mode:
    support: full
    description: Sends nothing and connects to nothing, and says what it would do.
  diff_mode:
    support: none
    description: There is nothing to show before a message is sent.
  platform:
    support: full
    description: The operating systems that the module runs on.
    platforms: posix
notes:
  - The task is changed whenever a message was put on its way, also where it then fails. Every run sends another one.
  - Reading the log needs root, or a user who may read the journal or the mail log. Where nobody could say what becomes
    of the message, O(wait_for=sent) refuses before anything is sent. That is where Postfix logs to the standard output
    of a container, or nowhere, or where the user may not read. With O(wait_for=accepted) the queue is looked at
    instead.
  - A journal tells who wrote a line. In a file a line counts if it has the number of a process of this Postfix.
  - A message that is deferred or held stays in the queue. V(queue_id) is what C(postsuper -d) needs to take it out.
  - A listener is followed only as root or as a user who may read the log. Submission to O(host) itself needs no rights.
seealso:
  - module: mailops.smtp.smtp_probe
  - module: mailops.smtp.postfix_info
"""

EXAMPLES = r"""
# From the command line, on every host of the group mail:
#   ansible mail -b -m mailops.smtp.smtp_send -a "to=me@example.com"

- name: See that mail leaves this host, and by which relay
  mailops.smtp.smtp_send:
    to: postmaster@example.com
  register: sent

- name: Show the relay's reply
  ansible.builtin.debug:
    msg: "{{ sent.relay }} said {{ sent.reply }}, after {{ sent.delay_s }} s"

- name: Submit as a user of this mail server does, and follow the message to its last stop
  mailops.smtp.smtp_send:
    to: somebody@example.net
    from: ops@example.com
    host: mail.example.com
    port: 465
    username: ops@example.com
    password: "{{ vault_ops_password }}"

- name: Send through a relay service, without Postfix
  mailops.smtp.smtp_send:
    to: me@example.com
    from: web1@example.com
    subject: "{{ inventory_hostname }} says hello"
    headers:
      Reply-To: ops@example.com
    host: smtp.example.net
    port: 2525
    username: web1
    password: "{{ vault_relay_password }}"

- name: Wait for the second attempt, where the relay takes no stranger's first one (greylisting)
  mailops.smtp.smtp_send:
    to: me@example.com
    timeout: 900

- name: Put a message on its way, and look at what becomes of it later
  mailops.smtp.smtp_send:
    to: me@example.com
    wait_for: accepted
"""

RETURN = r"""
msg:
  description: What became of the message, where, in whose words, and what to do.
  type: str
  returned: always
  sample: "The message to me@example.com was sent at relay.example.com[192.0.2.7]:587: 250 2.0.0 Ok: queued as 4d0Z2W1."
state:
  description:
    - What became of the message; where its recipients differ, the worst.
    - V(sent) to the last stop that can be seen, which is the relay, a mailbox or a command. V(deferred), V(held),
      V(bounced), V(expired) and V(discarded) are as Postfix has them.
    - V(queued) is in the queue, with nothing decided when the time was up. V(unknown) is in no queue any more, and
      nobody says how it left.
    - V(accepted) by a server from where it cannot be followed. V(refused) by the server named in O(host), for a
      recipient at least.
    - V(not_sent) is that of check mode.
  type: str
  returned: when a message was submitted or would be
  sample: sent
queue_id:
  description: The queue id that this host's Postfix gave the message first; null where it has none, or none is known.
  type: str
  returned: when a message was submitted or would be
  sample: 4d0Z2W0fJzz2x
queue_ids:
  description: All queue ids that it had here, in the order of its way.
  type: list
  elements: str
  returned: when a message was submitted or would be
  sample: [4d0Z2W0fJzz2x]
message_id:
  description: Its Message-ID.
  type: str
  returned: when a message was submitted or would be
  sample: <8f14e45fceea167a5a36dedd.1790000000@web1.example.com>
relay:
  description:
    - Where it was delivered or tried last, as Postfix logs it. Of several recipients it is that of one that decides
      O(ignore:state), and so are the next four.
  type: str
  returned: when a message was submitted or would be
  sample: relay.example.com[192.0.2.7]:587
reply:
  description: What was said there, by the relay or by Postfix; null where nothing was said.
  type: str
  returned: when a message was submitted or would be
  sample: "250 2.0.0 Ok: queued as 4d0Z2W1"
dsn:
  description: The enhanced status code (RFC 3463).
  type: str
  returned: when a message was submitted or would be
  sample: 2.0.0
delay_s:
  description: How long it was on its way in Postfix, in seconds, from its arrival.
  type: float
  returned: when a message was submitted or would be
  sample: 0.41
delays:
  description:
    - How long it took before the queue manager had it, in the queue manager, to connect (with name resolution,
      greeting and TLS), and to transmit, as Postfix logs it.
  type: str
  returned: when a message was submitted or would be
  sample: 0.02/0.01/0.25/0.13
recipients:
  description: What became of it for each recipient that is known, after aliases.
  type: list
  elements: dict
  returned: when a message was submitted or would be
  contains:
    address:
      description: The address.
      type: str
      returned: always
      sample: me@example.com
    orig_to:
      description: The address that it was before an alias; null where there was none.
      type: str
      returned: always
      sample: root@web1.example.com
    state:
      description: As O(ignore:state).
      type: str
      returned: always
      sample: sent
    relay:
      description: Where it was delivered or tried last.
      type: str
      returned: always
      sample: relay.example.com[192.0.2.7]:587
    reply:
      description: What was said there.
      type: str
      returned: always
      sample: "250 2.0.0 Ok: queued as 4d0Z2W1"
    dsn:
      description: The enhanced status code.
      type: str
      returned: always
      sample: 2.0.0
endpoint:
  description: How far the conversation with O(host) got, as an endpoint of M(mailops.smtp.smtp_probe).
  type: dict
  returned: with O(host), when it was tried
elapsed_ms:
  description: How long all of it took, in milliseconds.
  type: float
  returned: when a message was submitted or would be
  sample: 523.7
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._base import zipped  # noqa: F401  # pylint: disable=unused-import
from ..module_utils._base.masks import Careful, hidden
from ..module_utils._send.send import WAIT_FOR, SendError, send
from ..module_utils._smtp.arguments import CONNECTION_ARGUMENTS, ENDPOINT_ARGUMENTS

ARGUMENTS = {
    "to": {"type": "list", "elements": "str", "required": True},
    "from": {"type": "str"},
    "subject": {"type": "str", "default": "Test message"},
    "body": {"type": "str", "default": "This message was sent to see that mail arrives."},
    "headers": {"type": "dict"},
    "config_directory": {"type": "path", "default": "/etc/postfix"},
    "port": {"type": "int"},
    "family": {"type": "str", "choices": ["any", "ipv4", "ipv6"], "default": "any"},
    "timeout": {"type": "float", "default": 60.0},
    "wait_for": {"type": "str", "choices": list(WAIT_FOR), "default": "sent"},
    **{name: ENDPOINT_ARGUMENTS[name] for name in ("host", "tls", "server_name", "username", "password")},
    **CONNECTION_ARGUMENTS,
}


def main() -> None:
    ansible = AnsibleModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_together=[("username", "password")],
    )
    params = ansible.params
    ansible.params = hidden(params, ["password"])
    public = {name: value for name, value in params.items() if name not in ("username", "password")}
    module = Careful(ansible, ansible.no_log_values, public)
    try:
        report = send(params, ansible.check_mode)
    except SendError as error:
        module.fail_json(msg=str(error))
    if report.failed:
        module.fail_json(**report.as_dict())
    module.exit_json(**report.as_dict())


if __name__ == "__main__":
    main()
