"""What is known of relay services. The work is done in plugin_utils/relay_services.py."""
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: relay_services
short_description: What is known of relay services, such as their hosts, ports and logins
version_added: 1.1.0
author: the mailops.smtp authors (@mailops)
description:
  - Returns what the catalogue of this collection knows of a relay service, such as Amazon SES or Postmark.
  - Without a name it returns the names of all services. Use C(query) for a list of them, since C(lookup) joins
    them with commas.
  - Nothing is asked of the network. What is known has its sources, the month in which they were read and a confidence,
    and may have changed since. Only a probe (M(mailops.smtp.smtp_route_facts)) says what works from a host.
  - An unknown name is an error that tells the nearest ones.
options:
  _terms:
    description:
      - Names of services, as C(provider) of M(mailops.smtp.smtp_route_facts) and C(postfix_relay_provider) take them.
        Other names such as V(ses), and any case, are understood.
    type: list
    elements: str
  region:
    description:
      - The region, for a service whose host's name holds one (V(amazon_ses), V(alibaba_directmail)), or that is another
        service in each region (V(mailgun), V(sparkpost), with V(eu) or V(us)).
      - Needed there, and refused for any other service.
    type: str
seealso:
  - module: mailops.smtp.smtp_route_facts
  - module: mailops.smtp.smtp_probe
"""

EXAMPLES = r"""
- name: Show the names of all services
  ansible.builtin.debug:
    msg: "{{ query('mailops.smtp.relay_services') }}"

- name: Show what Amazon SES takes as user name and password
  ansible.builtin.debug:
    msg: "{{ ses.host }} takes {{ ses.username }}, with {{ ses.credential }} (as of {{ ses.as_of }})"
  vars:
    ses: "{{ lookup('mailops.smtp.relay_services', 'amazon_ses', region='eu-west-1') }}"

- name: Probe every documented port with implicit TLS
  mailops.smtp.smtp_probe:
    host: "{{ resend.host }}"
    ports: "{{ resend.ports.implicit }}"
    tls: implicit
  vars:
    resend: "{{ lookup('mailops.smtp.relay_services', 'resend') }}"

- name: Send mail through SendGrid, whose user name is the same for every customer
  ansible.builtin.import_role:
    name: mailops.smtp.postfix
  vars:
    postfix_relay_provider: sendgrid
    postfix_relay_username: "{{ lookup('mailops.smtp.relay_services', 'sendgrid').fixed_username }}"
    postfix_relay_password: "{{ vault_sendgrid_key }}"
"""

RETURN = r"""
_raw:
  description:
    - Without a name, the names of the services.
    - Else what is known of each that was named, in that order.
  type: list
  elements: raw
  contains:
    name:
      description: Its name in the catalogue.
      type: str
      returned: with a name
      sample: amazon_ses
    title:
      description: Its own name.
      type: str
      returned: with a name
      sample: Amazon SES
    host:
      description: Its host; null for a service that gives each customer a host of its own.
      type: str
      returned: with a name
      sample: email-smtp.eu-west-1.amazonaws.com
    alternates:
      description: Other hosts of it.
      type: list
      elements: str
      returned: with a name
      sample: []
    ports:
      description: Its ports by the kind of TLS.
      type: dict
      returned: with a name
      contains:
        starttls:
          description: Documented with STARTTLS, in the order of preference.
          type: list
          elements: int
          returned: with a name
          sample: [587, 2587, 25]
        implicit:
          description: Documented with implicit TLS. None means that none is documented.
          type: list
          elements: int
          returned: with a name
          sample: [465, 2465]
        general:
          description: Known from general knowledge only, with either kind. Never tried unasked.
          type: list
          elements: int
          returned: with a name
          sample: []
        plaintext:
          description: Without any TLS. Refused as ports of a relay.
          type: list
          elements: int
          returned: with a name
          sample: []
    auth:
      description:
        - Its SASL mechanisms as far as a source states them. V(none_by_ip) means that it knows its customers by their
          addresses.
      type: list
      elements: str
      returned: with a name
      sample: [PLAIN, LOGIN]
    username:
      description: What it takes as user name, in words; null where C(fixed_username) says it, or nothing is known.
      type: str
      returned: with a name
      sample: the user name of SES SMTP credentials (AKIA...)
    fixed_username:
      description: The user name itself, where every customer has the same; else null.
      type: str
      returned: with a name
      sample: null
    credential:
      description: What it takes as password, in words; null where nothing is known.
      type: str
      returned: with a name
      sample: the password of these SMTP credentials (not the IAM secret access key; it differs by region)
    note:
      description: What else is known; null for nothing.
      type: str
      returned: with a name
      sample: "No 2525: the way around a blocked 587 is 2587 or 2465. TLS is mandatory."
    confidence:
      description: V(primary) where it was read at the service, V(secondary) where third parties say so.
      type: str
      returned: with a name
      sample: primary
    sources:
      description: Where it was read.
      type: list
      elements: str
      returned: with a name
      sample: [https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html]
    as_of:
      description: The year and month in which the sources were read.
      type: str
      returned: with a name
      sample: 2026-11
"""

from typing import Any, Mapping, Sequence

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..module_utils._base.words import listed
from ..module_utils._smtp.endpoint import OptionError
from ..plugin_utils import relay_services


class LookupModule(LookupBase):  # type: ignore[misc]
    """The names, or what is known of those that were given."""

    def run(
        self, terms: Sequence[Any], variables: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[Any]:
        region = kwargs.pop("region", None)
        kwargs.pop("wantlist", None)  # with_ gives it to every lookup
        if kwargs:
            raise AnsibleLookupError(
                f"{listed(map(repr, kwargs))}: not an option of this lookup, which has region alone"
            )
        if not terms:
            return relay_services.names()
        try:
            return [relay_services.entry(str(term), region) for term in terms]
        except OptionError as error:
            raise AnsibleLookupError(str(error)) from None
