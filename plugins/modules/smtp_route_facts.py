#!/usr/bin/python
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Chooses the port through which this host sends its mail. The rule of this file: documentation and glue.
from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_route_facts
short_description: Choose the port through which a host can send its mail
version_added: 1.0.0
author: the mailops.smtp authors (@mailops)
description:
  - Probes every port of every relay from the managed host, as far as TLS and the login, and chooses the
    first that works. The choice, its reason and all that was seen become the fact C(smtp_route).
  - Recognises the hosting provider from DMI, and explains a closed port with what is known of that
    provider. What is known orders and explains. Only a probe decides.
  - Nothing on the host changes, unless O(save=true). No mail is sent. Facts need not be gathered before.
extends_documentation_fragment:
  - mailops.smtp.smtp_options
options:
  relays:
    description:
      - The relays, in order of preference. Each is C(host), C(host:port) or a mapping with the keys that
        follow.
      - V(host), the name or address of the relay. Or V(provider), the name of a service in the catalogue,
        such as V(amazon_ses) or V(postmark), with V(region) where the service has regions. Both together
        where the service gives each customer a host of its own.
      - V(ports), the list of its ports in order of preference.
      - V(tls), one of V(auto), V(starttls), V(implicit), V(opportunistic), V(none). The default is V(auto),
        which is what the provider documents, else V(implicit) on 465, 2465 and 8465, V(opportunistic) on 25
        and V(starttls) on any other port.
      - V(server_name), the name that the certificate has to have, where that is not the host.
      - V(username) and V(password). When they are given, a port is usable only if it takes the login. The
        password is never sent over an unencrypted connection.
      - V(auth_mechanism), in place of O(auth_mechanism).
      - An empty value is the same as none.
    type: list
    elements: raw
    required: true
  ports:
    description:
      - The ports to probe, in order of preference, where a relay does not name its own.
      - The default is 587, then 2525; 465 where V(tls) is V(implicit); for a provider the ports that it
        documents, 25 left out. Not every relay has 2525.
    type: list
    elements: int
  port:
    description:
      - A port that you insist on. It is probed, but never replaced by another one.
      - V(auto) lets the probe choose.
    type: raw
    default: auto
  policy:
    description:
      - Which of the usable ports is taken.
      - V(first_usable) takes the first in the order of the relays and ports.
      - V(fastest) takes the one that was through with the whole conversation first.
    type: str
    choices: [first_usable, fastest]
    default: first_usable
  sticky:
    description:
      - Whether the port in use stays as long as it is usable, even when one works that comes before it.
      - The port in use is the next hop of the host's Postfix, or without one that of the saved fact (see
        O(save)).
    type: bool
    default: true
  on_no_route:
    description:
      - What to do when no port is usable.
      - V(fail) fails, with every verdict in the message. The fact is returned all the same, without a port.
      - V(keep) keeps the next hop in use.
      - V(policy) takes the first port that the provider is known to leave open. That is a guess, and the
        reason says so.
      - Where there is nothing to keep or to guess from, the module fails.
    type: str
    choices: [fail, keep, policy]
    default: fail
  save:
    description:
      - Whether to leave the route as a local fact, C(ansible_local.smtp_route), in
        C(/etc/ansible/facts.d/smtp_route.fact). It holds no secret.
      - The task is changed when the route differs from the saved one. A newer time alone is no change.
    type: bool
    default: false
  option_names:
    description:
      - Names of variables to use in complaints about the values of O(relays), O(ports) and O(port), for a
        role that fills these from variables of its own.
      - A name of O(relays) with a C(*) in it stands for one variable for each key, such as C(my_relay_*).
    type: dict
attributes:
  check_mode:
    support: full
    description: The probes run in check mode as well. The local fact is not written.
  diff_mode:
    support: full
    description: Shows the change of the saved route.
  platform:
    support: full
    description: The operating systems that the module runs on.
    platforms: posix
seealso:
  - module: mailops.smtp.smtp_probe
  - module: mailops.smtp.route_report
"""

EXAMPLES = r"""
- name: Find the port that works
  mailops.smtp.smtp_route_facts:
    relays:
      - host: relay.example.com
        username: web1
        password: "{{ vault_relay_password }}"

- name: Say what was found
  ansible.builtin.debug:
    msg: "{{ ansible_facts.smtp_route.port }}, because {{ ansible_facts.smtp_route.reason }}"

- name: Prefer a relay service, with a relay of our own behind it
  mailops.smtp.smtp_route_facts:
    relays:
      - provider: amazon_ses
        region: eu-west-1
        username: "{{ vault_ses_username }}"
        password: "{{ vault_ses_password }}"
      - relay.example.com:2525
    save: true

- name: Insist on one port
  mailops.smtp.smtp_route_facts:
    relays: [relay.example.com]
    port: 2525
"""

RETURN = r"""
ansible_facts:
  description: The route. Returned as well when there is none and the module fails, but not for a wrong
    parameter.
  returned: when the ports were probed
  type: dict
  contains:
    smtp_route:
      description: The route and what it rests on.
      returned: when the ports were probed
      type: dict
      contains:
        host:
          description: The relay's host; null when there is no route.
          type: str
          returned: always
          sample: relay.example.com
        port:
          description: The port; null when there is no route.
          type: int
          returned: always
          sample: 2525
        tls:
          description: V(starttls), V(implicit), V(opportunistic) or V(none); null when there is no route.
          type: str
          returned: always
          sample: starttls
        relay:
          description: Place of the relay in O(relays), from 0; null when there is no route, or a kept one
            is not in it.
          type: int
          returned: always
          sample: 0
        decided_by:
          description:
            - V(probe), V(sticky) (the port in use works and stays), V(override) (O(port)), V(policy) (a
              guess from the provider's table) or V(keep) (the next hop in use is kept unproven).
          type: str
          returned: always
          sample: probe
        reason:
          description: Why this route, or why none, in a sentence.
          type: str
          returned: always
          sample: 587 on relay.example.com is filtered; 2525 accepted TLS and the login
        remedy:
          description: What to do next; null when a probe confirmed the route.
          type: str
          returned: always
        alternatives:
          description: The other usable ports, in order.
          type: list
          elements: dict
          returned: always
          sample: [{host: relay.example.com, port: 465, tls: implicit}]
        cloud:
          description: The hosting provider.
          type: dict
          returned: always
          contains:
            provider:
              description: Short name of the provider, V(unknown) when it was not recognised.
              type: str
              returned: always
              sample: hetzner_cloud
            title:
              description: Its name.
              type: str
              returned: always
              sample: Hetzner Cloud
            evidence:
              description: What gave it away.
              type: str
              returned: always
              sample: DMI system_vendor is 'Hetzner'
            confidence:
              description: V(primary), V(secondary) or V(general), how well the recognition is known.
              type: str
              returned: always
              sample: primary
            policy:
              description:
                - What it does to outgoing SMTP. C(ports) maps a port to its C(state) (V(blocked),
                  V(blocked_default), V(throttled), V(reactive), V(open), V(unknown)) and the C(confidence)
                  of that. C(lift) says how a block is lifted, C(note) what else is known, C(sources) where
                  it was read.
              type: dict
              returned: always
        endpoints:
          description: Every probe in the order of the candidates, as M(mailops.smtp.smtp_probe) returns it.
          type: list
          elements: dict
          returned: always
        checked_at:
          description: When that was, in UTC.
          type: str
          returned: always
          sample: "2026-11-23T12:00:00Z"
"""

from datetime import datetime, timezone

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._base.masks import Careful
from ..module_utils._postfix.nexthop import next_hops
from ..module_utils._route.choose import ON_NO_ROUTE, POLICIES
from ..module_utils._route.cloud import recognise
from ..module_utils._route.fact import (
    SAVED,
    fact,
    hop_in_use,
    no_route,
    question,
    read_saved,
    save,
)
from ..module_utils._route.relays import masked, secrets
from ..module_utils._smtp.arguments import PROBE_ARGUMENTS, options_from
from ..module_utils._smtp.endpoint import OptionError
from ..module_utils._smtp.engine import probe

ARGUMENTS = {
    # All of it, for Ansible logs nested passwords; main() narrows that down to the passwords themselves.
    "relays": {"type": "list", "elements": "raw", "required": True, "no_log": True},
    "ports": {"type": "list", "elements": "int"},
    "port": {"type": "raw", "default": "auto"},
    "policy": {"type": "str", "choices": list(POLICIES), "default": "first_usable"},
    "sticky": {"type": "bool", "default": True},
    "on_no_route": {"type": "str", "choices": list(ON_NO_ROUTE), "default": "fail"},
    "save": {"type": "bool", "default": False},
    "option_names": {"type": "dict"},
    **PROBE_ARGUMENTS,
}


def main() -> None:
    ansible = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = dict(ansible.params)
    ansible.params["relays"] = masked(params["relays"])
    module = Careful(ansible, secrets(params["relays"]))
    try:
        asked = question(params)
        options = options_from(params)
    except OptionError as error:
        module.fail_json(msg=str(error))

    results = probe([candidate.endpoint for candidate in asked.candidates], options)
    in_use = hop_in_use(next_hops(), read_saved(SAVED))
    made = fact(asked, results, recognise(), in_use, datetime.now(timezone.utc))
    result = {"changed": False, "ansible_facts": {"smtp_route": made}}
    if made["host"] is None:
        module.fail_json(msg=no_route(made), **result)
    if params["save"]:
        try:
            saving = save(made, SAVED, write=not module.check_mode)
        except OSError as error:
            module.fail_json(
                msg=f"save: cannot write {SAVED}: {error.strerror}; become root, or set save to false"
            )
        result["changed"] = saving.changed
        result["diff"] = {
            "before_header": SAVED,
            "after_header": SAVED,
            "before": saving.before,
            "after": saving.after,
        }
    module.exit_json(**result)


if __name__ == "__main__":
    main()
