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
  - mailops.smtp.smtp_options.connection
options:
  relays:
    description:
      - The relays, in order of preference. Each is C(host), C(host:port) or a mapping with the keys that
        follow.
      - V(host), the name or address of the relay. Or V(provider), the name of a service in the catalogue,
        such as V(amazon_ses) or V(postmark), with V(region) where the service has regions. Both together
        where the service gives each customer a host of its own.
      - V(alternates), whether other hosts that the catalogue knows of the service are probed too, after the ports of
        its main host. The default is false. Refused where the catalogue knows none. The lookup
        P(mailops.smtp.relay_services#lookup) names them.
      - V(ports), the list of its ports in order of preference.
      - V(tls), one of V(auto), V(starttls), V(implicit), V(opportunistic), V(none). The default is V(auto),
        which is what the provider documents, else V(implicit) on 465, 2465 and 8465, V(opportunistic) on 25
        and V(starttls) on any other port.
      - V(port), a port of this relay to insist on, in place of O(port).
      - V(server_name), the name that the certificate has to have, where that is not the host.
      - V(security_level) and V(ca_path), in place of O(security_level) and O(ca_path).
      - V(client_cert) and V(client_key), in place of O(client_cert) and O(client_key). They are shown to this relay
        alone.
      - V(username) and V(password). When they are given, a port is usable only if it takes the login, also where
        Postfix would send without one because none is offered. The password is never sent over an unencrypted
        connection.
      - V(auth_mechanism), in place of O(auth_mechanism).
      - V(senders) and V(recipients), for whom the relay is, lists of addresses such as V(ops@example.com) and of
        domains such as V(@example.org). It is then no candidate for the mail of everybody. Where an address of
        V(senders) is named, it is the one that is tried in place of O(mail_from); of a domain none is.
      - V(direct), whether mail of V(senders) or to V(recipients) goes past every relay. Such an entry has no host.
      - V(required), whether the host fails where no port of the relay is usable, though others are. The default is
        true for one with V(senders) or V(recipients), whose mail has no other way, and false for the others.
      - V(name), what you call it, in place of its place in the list, in the fact and in messages.
      - An empty value is the same as none.
    type: list
    elements: raw
    required: true
  ports:
    description:
      - The ports to probe, in order of preference, where a relay does not name its own.
      - The default is 587, then 2525; 465 where V(tls) is V(implicit); for a provider the ports that it
        documents, 25 left out. Not every relay has 2525.
      - L(Which port to send mail through,https://github.com/mailops/ansible-smtp/blob/main/docs/ports.md#the-decision)
        helps to decide.
    type: list
    elements: int
  exclude_ports:
    description:
      - Ports that are never tried, such as 25, by number or by name. They are taken out of O(ports), out of what a
        relay names, and out of the ports that are tried unasked.
      - Refused where it leaves a relay without a port, and where it names the one in O(port).
      - With O(on_no_route=keep) a next hop in use stays even on such a port.
    type: list
    elements: raw
    version_added: 1.1.0
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
      - V(fastest) takes the one that is through with the whole conversation first, by the median of three rounds. The
        login and the envelope are tried in the first round alone, since relays count logins; their time is added. The
        other rounds are left out where fewer than two ports are usable, and where the port in use stays anyway.
        Together they take no longer than O(timeout).
      - Times differ a little in every run, so the port in use gives way only to one that is clearly faster, by a third
        of its time and by 100 ms at least; with O(sticky=true) to none while it is usable.
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
      - The task is changed when the route differs from the saved one. A newer time alone is not a change.
    type: bool
    default: false
  security_level:
    description:
      - The level of TLS (C(smtp_tls_security_level)) that Postfix is to have towards the relay. It decides what
        O(validate_certs) is by default.
      - At V(dane) and V(dane-only) a name counts only where DNS has it. No login is tried there, since only TLSA
        records from a resolver that validates say whom a password would go to.
    type: str
    choices: [may, encrypt, dane, dane-only, verify, secure]
  validate_certs:
    description:
      - Whether a certificate that is expired, untrusted or for another name makes the endpoint unusable.
      - The default is true, unless O(security_level) is one at which Postfix does not verify it either.
    type: bool
    default: null
  helo_name:
    description:
      - The name to give with EHLO. The default is the name that this host's Postfix gives (C(smtp_helo_name),
        C(myhostname)), or the host's fully qualified name where there is no Postfix or its name cannot be used.
    type: str
  mail_from:
    description:
      - A sender address to try with MAIL FROM. The transaction is then reset. No mail is sent.
      - An address without a domain, such as V(root), becomes what a relay sees of it in mail of this host, after
        C(myorigin), C(sender_canonical_maps), C(canonical_maps), C(masquerade_domains) and C(smtp_generic_maps).
      - An empty string tries the null sender.
    type: str
  source_address:
    description:
      - The address of this host to connect from. The default is what this host's Postfix binds to
        (C(smtp_bind_address), C(smtp_bind_address6), a single address in C(inet_interfaces)), else the system
        chooses.
      - One address, which decides the family as well, or one of each family. A warning tells where it is another one
        than Postfix has.
    type: list
    elements: str
  family:
    description:
      - Which IP addresses of a host to use. The default is what C(inet_protocols) of this host's Postfix says, else
        V(any).
      - V(any) races them as RFC 8305 has it and keeps the first that connects. Postfix does not race them, so a warning
        tells where the other family is silent.
      - V(both) probes each family, and gives a result for each that the host has addresses of, IPv4 first.
    type: str
    choices: [any, ipv4, ipv6, both]
    default: null
  ca_path:
    description:
      - The certificate authorities to trust, a file in PEM format or a directory prepared by C(openssl rehash), or
        several of these. The default is what this host's Postfix trusts, C(smtp_tls_CAfile) and C(smtp_tls_CApath) (of
        a chrooted client the copy in the chroot) together, with C(tls_append_default_CA) also the system's; without
        either the system's.
    type: list
    elements: path
  postfix:
    description:
      - What Postfix on this host is about to be given, for a role that probes before it configures. Without it, the
        probe gives itself as this host's Postfix is now.
    type: dict
    suboptions:
      config_directory:
        description: Directory of main.cf and master.cf.
        type: path
        default: /etc/postfix
      parameters:
        description: Parameters of main.cf that will be set. A null removes one.
        type: dict
        default: {}
      replace:
        description: Whether main.cf will hold nothing else.
        type: bool
        default: false
      tables:
        description:
          - Tables that will be written, each with C(path), relative to O(postfix.config_directory), and C(content).
        type: list
        elements: dict
        default: []
      services:
        description: Changes to master.cf that will be made, as O(mailops.smtp.postfix_config#module:services) has them.
        type: list
        elements: dict
        default: []
      prepend:
        description:
          - Lists that will come before what main.cf has for the same parameter, as
            O(mailops.smtp.postfix_config#module:block.prepend) has them.
        type: dict
        default: {}
  mesh:
    description:
      - Listeners of other hosts to probe as well, as their users reach them, with verified TLS (on port 25, where mail
        servers deliver, TLS as far as it is offered), without a login and without an envelope.
      - Nothing that is found there changes the route or the fact. The results are in RV(mesh).
      - They are probed after the route was found, with the options of this task. Of V(both) families the one that
        answers is taken.
    type: list
    elements: dict
    default: []
    version_added: 1.1.0
    suboptions:
      server:
        description: The host that it belongs to, as the inventory names it.
        type: str
        required: true
      host:
        description: Name or address to connect to.
        type: str
        required: true
      port:
        description: The port. On 465, 2465 and 8465 TLS is implicit, on another it begins by STARTTLS.
        type: int
        required: true
      server_name:
        description: The name that the certificate has to have, where that is not O(mesh[].host).
        type: str
      self_signed:
        description: Whether a certificate may be its own authority. Its name and its dates have to be right then, too.
        type: bool
        default: false
  option_names:
    description:
      - Names of variables to use in complaints about the values of options, for a role that fills these from
        variables of its own.
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
  - name: Which port to send mail through
    description: What each port is for, which relay services answer on it, and where it is closed.
    link: https://github.com/mailops/ansible-smtp/blob/main/docs/ports.md
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

- name: Prefer a relay service, with a relay of our own to fall back on
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
              guess from the provider's table), V(keep) (the next hop in use is kept unproven) or V(direct) (no relay
              is for everybody).
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
        auth_mechanism:
          description: The SASL mechanism that logged in; null where no login was proven.
          type: str
          returned: always
          sample: PLAIN
        lookup:
          description:
            - Where the relay's name was found. V(dns), or V(native) where only the host's own lookup has it
              (C(/etc/hosts) and the other sources of nsswitch.conf), so that Postfix needs C(smtp_host_lookup=native).
            - Null for an address, and where nothing was proven.
          type: str
          returned: always
          sample: dns
        alternatives:
          description: The other usable ports of all relays that are for everybody, in the order of the candidates.
          type: list
          elements: dict
          returned: always
          sample: [{host: relay.example.com, port: 465, tls: implicit, auth_mechanism: PLAIN, lookup: dns, relay: 0}]
        security_level:
          description: The level of TLS that the relay has of its own; null where it has none.
          type: str
          returned: always
          sample: secure
        routes:
          description:
            - The same for each entry of O(relays) by itself, in its order, with its C(name), C(senders), C(recipients),
              C(direct) and C(required). C(alternatives) are those of this entry.
            - Where O(relays) has an entry for everybody, C(host) and what is beside it above are the choice among all
              of these; where it has none, C(decided_by) is V(direct) and C(host) is null.
          type: list
          elements: dict
          returned: always
        helo_name:
          description: The name that was given with EHLO; null where this host has none and gave its address.
          type: str
          returned: always
          sample: web1.example.com
        helo_source:
          description:
            - Where that name is from. V(option) for O(helo_name), V(parameters) for O(postfix.parameters), V(main.cf)
              for what Postfix says of itself, or will when it is there, V(host) for the host's fully qualified name
              where Postfix has a name that relays refuse. With V(option) and V(host) role postfix sets
              C(smtp_helo_name).
          type: str
          returned: always
          sample: main.cf
        helo_problem:
          description: Why relays may refuse that name, or why there is none, in a sentence; null for a full name.
          type: str
          returned: always
        mail_from:
          description: The sender that was tried; null where none was.
          type: str
          returned: always
          sample: root@web1.example.com
        origin:
          description: The domain that Postfix on this host gives to addresses without one; null where none is known.
          type: str
          returned: always
          sample: web1.example.com
        family:
          description: Which IP addresses this host's Postfix uses, V(any), V(ipv4) or V(ipv6).
          type: str
          returned: always
          sample: any
        source_addresses:
          description: The addresses of this host that its Postfix sends from, where it is told to.
          type: list
          elements: str
          returned: always
          sample: []
        warnings:
          description:
            - What differs on this host from what the probe did, or from what Postfix should find; a user name that is
              not the one that a relay service documents, where no port got as far as to try it; a relay given by
              address where a certificate is to have its name; and a family of addresses of the relay that is dead.
          type: list
          elements: str
          returned: always
          sample: []
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
                  it was read, C(as_of) in which month.
              type: dict
              returned: always
        endpoints:
          description:
            - Every probe in the order of the candidates, as M(mailops.smtp.smtp_probe) returns it, with C(relay), the
              place of its relay in O(relays).
          type: list
          elements: dict
          returned: always
        checked_at:
          description: When that was, in UTC.
          type: str
          returned: always
          sample: "2026-11-23T12:00:00Z"
mesh:
  description:
    - A result for each listener of O(mesh), in its order, as M(mailops.smtp.smtp_probe) returns it, with C(server), the
      host that the listener belongs to.
  type: list
  elements: dict
  returned: when O(mesh) names listeners and they were probed
"""

from datetime import datetime, timezone
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._base import zipped  # noqa: F401  # pylint: disable=unused-import
from ..module_utils._base.masks import Careful
from ..module_utils._postfix import client
from ..module_utils._postfix.files.nexthop import next_hops, selected_hops
from ..module_utils._postfix.host import hostname
from ..module_utils._postfix.rewriting import UnknownSender
from ..module_utils._route import mesh
from ..module_utils._route.choose import ON_NO_ROUTE, PREFERENCES
from ..module_utils._route.cloud import recognise
from ..module_utils._route.fact import (
    SAVED,
    fact,
    in_their_own_manner,
    in_use,
    limited,
    no_route,
    parse_parameters,
    read_saved,
    save,
)
from ..module_utils._route.manner import Here, UnknownAddress, as_here, of_relay
from ..module_utils._route.measure import medians
from ..module_utils._route.relays import LEVELS, masked, secrets
from ..module_utils._smtp.arguments import PROBE_ARGUMENTS
from ..module_utils._smtp.endpoint import OptionError
from ..module_utils._smtp.net.probe import probe
from ..module_utils._smtp.verdict import renamed

ARGUMENTS = {
    # All of it, for Ansible logs nested passwords; main() narrows that down to the passwords themselves.
    "relays": {"type": "list", "elements": "raw", "required": True, "no_log": True},
    "ports": {"type": "list", "elements": "int"},
    "exclude_ports": {"type": "list", "elements": "raw"},
    "port": {"type": "raw", "default": "auto"},
    "policy": {"type": "str", "choices": list(PREFERENCES), "default": "first_usable"},
    "sticky": {"type": "bool", "default": True},
    "on_no_route": {"type": "str", "choices": list(ON_NO_ROUTE), "default": "fail"},
    "save": {"type": "bool", "default": False},
    "mesh": {"type": "list", "elements": "dict", "options": mesh.ARGUMENTS, "default": []},
    "option_names": {"type": "dict"},
    "security_level": {"type": "str", "choices": list(LEVELS)},
    "postfix": {
        "type": "dict",
        "options": {
            "config_directory": {"type": "path", "default": client.CONFIG_DIRECTORY},
            "parameters": {"type": "dict", "default": {}},
            "replace": {"type": "bool", "default": False},
            "tables": {"type": "list", "elements": "dict", "default": []},
            "services": {"type": "list", "elements": "dict", "default": []},
            "prepend": {"type": "dict", "default": {}},
        },
    },
    **PROBE_ARGUMENTS,
    # Without a default: what is not named is as this host's Postfix has it.
    "family": {key: value for key, value in PROBE_ARGUMENTS["family"].items() if key != "default"},
    "validate_certs": {"type": "bool"},
}


def main() -> None:
    ansible = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = dict(ansible.params)
    ansible.params["relays"] = masked(params["relays"])
    module = Careful(ansible, secrets(params["relays"]))
    directory = (params["postfix"] or {}).get("config_directory") or client.CONFIG_DIRECTORY
    try:
        request = parse_parameters(params)
        wish = client.wish_of(params["postfix"], (params["option_names"] or {}).get("named"))
        mine = client.client(directory, wish)
        host = here(mine, wish)
        options, sender = as_here(params, host)
        request = in_their_own_manner(request, lambda spec: of_relay(spec, options, params, host))
        others = mesh.listeners(params["mesh"], options)
    except (OptionError, client.ClientError) as error:
        module.fail_json(msg=in_the_users_words(str(error), params))
    if mine.installed or wish:
        request = limited(request, mine.mechanisms)

    try:
        results = probe([candidate.endpoint for candidate in request.candidates], options)
    except OptionError as error:
        module.fail_json(msg=in_the_users_words(str(error), params))
    used = in_use(next_hops(directory), read_saved(SAVED), selected_hops(directory))
    times = medians(request, results, options, used.hop, probe)
    cloud = recognise()
    smtp_route = fact(request, results, cloud, used, datetime.now(timezone.utc), sender, times)
    for warning in smtp_route["warnings"]:
        module.warn(warning)
    result = {"changed": False, "ansible_facts": {"smtp_route": smtp_route}}
    if others:
        # Afterwards, for a server may be the relay as well, and count connections or be slower for them.
        seen = probe([one.endpoint for one in others], mesh.of_all(options))
        result["mesh"] = mesh.told(others, seen, cloud, request.names)
    missing = no_route(smtp_route)
    if missing:
        module.fail_json(msg=missing, **result)
    if params["save"]:
        try:
            saving = save(smtp_route, SAVED, write=not module.check_mode)
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


def in_the_users_words(complaint: str, params: dict[str, Any]) -> str:
    """A complaint about authorities with the name of the variable that they are from."""
    names = params["option_names"] or {}
    for index, entry in enumerate(params["relays"]):
        path = entry.get("ca_path") if isinstance(entry, dict) else None
        if path and complaint.startswith(f"ca_path: {path} "):
            key = names.get("relays.ca_path", "ca_path")
            name = entry.get("name") or f"{names.get('relays', 'relays')}[{index}]"
            return f"{name}.{key}{complaint[len('ca_path') :]}"
    own = "smtp_tls_CAfile"
    if not any(params["ca_path"] or ()):
        names = {**names, "ca_path": (names.get("named") or {}).get(own, own)}
    return renamed(complaint, names)


def here(mine: client.Client, wish: client.Wish | None) -> Here:
    """This host's Postfix as the probe has to give itself."""

    def complete(address: str) -> str:
        try:
            return client.envelope_sender(mine, address, wish)
        except UnknownSender as error:
            raise UnknownAddress(str(error)) from None

    return Here(
        mine.helo.name,
        mine.helo.source,
        mine.helo.problem,
        mine.family,
        mine.sources,
        mine.authorities,
        mine.system_authorities,
        mine.lookup,
        mine.warnings,
        complete,
        hostname.complaint,
        mine.family_from,
        mine.origin,
        mine.both_families,
        mine.installed or wish is not None,
        mine.certificates,
        lambda offered: client.plugin_advice(mine, offered) if mine.installed or wish else "",
    )


if __name__ == "__main__":
    main()
