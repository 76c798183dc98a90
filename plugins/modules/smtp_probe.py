#!/usr/bin/python
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# How far does SMTP get from this host? The rule of this file: documentation and glue.
from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_probe
short_description: Find out how far SMTP gets from a host to mail servers
version_added: 1.0.0
author: the mailops.smtp authors (@mailops)
description:
  - Climbs the ladder of a mail submission to every endpoint, many at once, and says for each how far it gets
    and why no further. The rungs are name resolution, TCP connection, greeting, EHLO, TLS, certificate,
    and where asked for login and envelope.
  - An endpoint that does not work is a result with a verdict, a reason and an advice. Whether it fails the
    task is the choice of O(fail_when).
  - It runs on the managed host with Python's standard library alone, sends no mail and changes nothing. A
    password is never sent over an unencrypted connection.
extends_documentation_fragment:
  - mailops.smtp.smtp_options
  - mailops.smtp.smtp_options.connection
options:
  host:
    description:
      - Name or address of the mail server, to be probed on each of O(ports).
    type: str
  ports:
    description:
      - The ports of O(host).
    type: list
    elements: int
    default: [25, 465, 587, 2525]
  endpoints:
    description:
      - The endpoints to probe, in place of O(host) and O(ports).
      - Each is C(host:port), with an IPv6 address C([::1]:587), or a mapping of C(host), C(port) and
        optionally C(tls) and C(server_name).
    type: list
    elements: raw
  tls:
    description:
      - How TLS begins, where an endpoint does not say it itself.
      - V(auto) is V(implicit) on 465, 2465 and 8465, V(opportunistic) on 25, and V(starttls) on any other
        port.
      - V(starttls) needs STARTTLS. V(implicit) speaks TLS from the first byte. V(opportunistic) uses
        STARTTLS where it is offered, and accepts any certificate. V(none) does not use TLS.
    type: str
    choices: [auto, starttls, implicit, opportunistic, none]
    default: auto
  server_name:
    description:
      - The name to look for in the certificate, and to ask the server for, instead of the host's.
    type: str
  username:
    description:
      - The user name to log in with. Needs O(password).
      - With a user name, an endpoint is usable only when it takes the login. One that offers none is V(auth_absent),
        although Postfix would send without. That it takes a recipient so does not show that it takes others, since
        port 25 takes mail for its own domains from everybody. Leave it out for a relay that knows this host by address,
        or set O(auth_mechanism=none).
    type: str
  password:
    description:
      - The password, or for XOAUTH2 the access token.
      - User name and password have to fit into a line of Postfix's password table. A blank at an end that Postfix
        would cut off, a line end or another control character, and a colon in the user name are refused.
    type: str
  fail_when:
    description:
      - V(none_usable) fails the task when no endpoint is usable, V(any_unusable) when one is not, and
        V(never) does not fail it for any verdict.
    type: str
    choices: [none_usable, any_unusable, never]
    default: none_usable
attributes:
  check_mode:
    support: full
    description: The probe changes nothing, and runs in check mode as well.
  diff_mode:
    support: none
    description: There is nothing to show, as nothing changes.
  platform:
    support: full
    description: The operating systems that the module runs on.
    platforms: posix
notes:
  - The verdicts are V(dns_not_found), V(dns_failure); V(refused), V(filtered), V(unreachable);
    V(no_greeting), V(disconnected), V(not_smtp), V(greeting_rejected), V(greeting_deferred);
    V(ehlo_rejected), V(ehlo_deferred); V(starttls_absent), V(starttls_stripped), V(starttls_rejected),
    V(starttls_injection), V(tls_mode_mismatch), V(tls_too_old), V(tls_failed); V(certificate_expired),
    V(certificate_not_yet_valid), V(certificate_untrusted), V(certificate_mismatch),
    V(certificate_expiring); V(auth_absent), V(auth_unsupported), V(auth_rejected), V(auth_deferred);
    V(sender_rejected), V(sender_deferred), V(recipient_rejected), V(recipient_deferred); V(stalled),
    V(protocol_error) and V(ok). V(ok) and V(certificate_expiring) are usable.
  - A refusal is judged by the server's own words, its reply code and enhanced status code (RFC 3463), whichever
    command it answers. A server that refuses the name given with EHLO only at RCPT TO has the verdict
    V(ehlo_rejected), one that then refuses the client's address V(greeting_rejected), and one that demands a login
    at MAIL FROM or RCPT TO V(auth_rejected). C(stage) says where it came out. A 4xx reply is never a rejection.
  - A verdict is what Postfix on the host would meet, of version 3.6 or newer, with a security level of V(secure)
    for O(tls=starttls) and O(tls=implicit) and of V(may) for O(tls=opportunistic). That includes the HELO, and no
    STARTTLS, that follows a greeting without text (C(smtp_pix_workarounds)).
  - It differs from Postfix by design in the certificates of subdomains, the certificates of IP addresses and in
    SNI, which O(validate_certs) tells about, and in these points. A reply that breaks the protocol (a line without
    a code, two codes in one reply, lines or replies without end) is a V(protocol_error), where Postfix reads on. What
    stands in the clear after the reply to STARTTLS is a V(starttls_injection), where Postfix drops it. A host
    name with a final dot is taken without it, where Postfix refuses it. A host name with a character
    that the two versions of IDNA treat differently (such as V(ß)) is refused. Of the addresses of a host that
    can be connected to, the first one decides, unless a retry follows, where Postfix goes on to the next one
    after a refusal.
  - It says how the network and the server treat a process of the remote user on this host. A policy that binds
    Postfix alone, such as one of SELinux, is not seen.
  - Where the advice is to use another port (V(refused), V(filtered), V(unreachable), V(no_greeting),
    V(starttls_absent), V(starttls_stripped), V(auth_absent)),
    L(Which port to send mail through,https://github.com/mailops/ansible-smtp/blob/main/docs/ports.md#the-decision)
    says which one.
seealso:
  - module: mailops.smtp.smtp_route_facts
  - name: Which port to send mail through
    description: What each port is for, which relay services answer on it, and where it is closed.
    link: https://github.com/mailops/ansible-smtp/blob/main/docs/ports.md
"""

EXAMPLES = r"""
# From the command line, on every host of the group mail:
#   ansible mail -m mailops.smtp.smtp_probe -a "host=relay.example.com ports=587,2525"

- name: Find out which ports of the relay can be used
  mailops.smtp.smtp_probe:
    host: relay.example.com

- name: Log in, as Postfix will
  mailops.smtp.smtp_probe:
    host: relay.example.com
    ports: [587]
    username: web1
    password: "{{ vault_relay_password }}"

- name: Look at several servers, and go on whatever is found
  mailops.smtp.smtp_probe:
    endpoints:
      - relay.example.com:587
      - "[2001:db8::25]:25"
      - host: 192.0.2.7
        port: 4650
        tls: implicit
        server_name: relay.example.net
    fail_when: never
  register: probed

- name: Show what is wrong with those that cannot be used
  ansible.builtin.debug:
    msg: "{{ item.host }}:{{ item.port }} {{ item.verdict }}: {{ item.advice }}"
  loop: "{{ probed.endpoints | rejectattr('usable') }}"
  loop_control:
    label: "{{ item.host }}:{{ item.port }}"

- name: Fail when a certificate has expired or will within three weeks
  mailops.smtp.smtp_probe:
    endpoints: [mx1.example.com:25, mx2.example.com:25]
    tls: starttls
    min_days: 21
  register: certificates
  failed_when: certificates.usable < 2 or 'certificate_expiring' in certificates.verdicts

- name: Look at both address families, with a private authority and a name for EHLO
  mailops.smtp.smtp_probe:
    host: relay.example.com
    ports: [587]
    family: both
    ca_path: /etc/ssl/private-ca.pem
    helo_name: web1.example.com

- name: Log in with an access token, and see whether the server is open to CVE-2011-0411
  mailops.smtp.smtp_probe:
    host: smtp.office365.com
    ports: [587]
    username: reports@example.com
    password: "{{ access_token }}"
    auth_mechanism: xoauth2
    check_injection: true

- name: Would the relay take this sender and this recipient?
  mailops.smtp.smtp_probe:
    host: relay.example.com
    ports: [587]
    username: web1
    password: "{{ vault_relay_password }}"
    mail_from: web1@example.com
    rcpt_to: postmaster@example.com
"""

RETURN = r"""
msg:
  description: How many endpoints are usable, and for each that is not, the verdict and the reason.
  type: str
  returned: always
  sample: >-
    1 of 2 endpoints is usable. relay.example.com:587 filtered: No answer from 192.0.2.7 port 587 within
    5.0 s.
summary:
  description: A line for each endpoint, with the verdict and the reason.
  type: list
  elements: str
  returned: when something was probed
  sample:
    - "relay.example.com:587 filtered: No answer from 192.0.2.7 port 587 within 5.0 s."
    - >-
      relay.example.com:2525 ok: Usable: TLSv1.3 with TLS_AES_256_GCM_SHA384, certificate verified, 64 days
      left.
usable:
  description: How many endpoints are usable.
  type: int
  returned: when something was probed
  sample: 1
verdicts:
  description: How many endpoints have each verdict. A verdict that none has is not there.
  type: dict
  returned: when something was probed
  sample: {filtered: 1, ok: 1}
elapsed_ms:
  description: How long all of it took, in milliseconds.
  type: float
  returned: when something was probed
  sample: 5003.1
endpoints:
  description: A result for each endpoint, in the order asked.
  type: list
  elements: dict
  returned: when something was probed
  contains:
    host:
      description: The host, with a name in Unicode in its ASCII form.
      type: str
      returned: always
      sample: relay.example.com
    port:
      description: The port.
      type: int
      returned: always
      sample: 2525
    tls:
      description: How TLS was asked for, V(starttls), V(implicit), V(opportunistic) or V(none).
      type: str
      returned: always
      sample: starttls
    address:
      description: The IP address used; null when the name was not resolved.
      type: str
      returned: always
      sample: 192.0.2.7
    family:
      description: The family of O(ignore:address), V(ipv4) or V(ipv6); null without an address.
      type: str
      returned: always
      sample: ipv4
    lookup:
      description:
        - Where the address was found. V(dns), as Postfix does by default; V(native), by the name service of this host
          alone, such as C(/etc/hosts), which Postfix asks with C(smtp_host_lookup=native); null without a name or an
          address.
      type: str
      returned: always
      sample: dns
    verdict:
      description: What is the matter, one of the verdicts listed in the notes.
      type: str
      returned: always
      sample: ok
    stage:
      description:
        - The rung that decided, one of V(resolve), V(connect), V(greeting), V(ehlo), V(tls), V(certificate),
          V(auth), V(envelope). With the verdict V(ok), the last that was climbed.
      type: str
      returned: always
      sample: certificate
    reachable:
      description: Whether a TCP connection was established.
      type: bool
      returned: always
      sample: true
    usable:
      description: Whether everything that was asked for works.
      type: bool
      returned: always
      sample: true
    reason:
      description: The verdict in a sentence, with figures and the server's words, escaped.
      type: str
      returned: always
      sample: "Usable: TLSv1.3 with TLS_AES_256_GCM_SHA384, certificate verified, 64 days left."
    advice:
      description: What to do next, with what is known of the hosting provider where that may explain the verdict.
      type: str
      returned: always
      sample: Nothing to do.
    greeting:
      description: The text of the greeting; null when none came.
      type: str
      returned: always
      sample: relay.example.com ESMTP Postfix
    capabilities:
      description: What the server offers in answer to the last EHLO, under TLS where there is TLS.
      type: list
      elements: str
      returned: always
      sample: [PIPELINING, SIZE 10240000, AUTH PLAIN LOGIN, 8BITMIME]
    auth_mechanisms:
      description: The SASL mechanisms that it offers there.
      type: list
      elements: str
      returned: always
      sample: [PLAIN, LOGIN]
    auth_mechanism:
      description:
        - The SASL mechanism that logged in, such as V(PLAIN); null without a login. With
          C(smtp_sasl_mechanism_filter) set to it, Postfix logs in the same way.
      type: str
      returned: always
      sample: PLAIN
    tls_version:
      description: The version of TLS; null without TLS.
      type: str
      returned: always
      sample: TLSv1.3
    tls_cipher:
      description: The cipher suite; null without TLS.
      type: str
      returned: always
      sample: TLS_AES_256_GCM_SHA384
    certificate:
      description: The server's certificate, also when it could not be verified; null when none was seen.
      type: dict
      returned: always
      contains:
        subject:
          description: Its subject.
          type: str
          returned: always
          sample: CN=relay.example.com
        issuer:
          description: Its issuer.
          type: str
          returned: always
          sample: C=US, O=Let's Encrypt, CN=R10
        names:
          description: The names and addresses that it is for, a hundred at most.
          type: list
          elements: str
          returned: always
          sample: [relay.example.com, smtp.example.com]
        not_before:
          description: When it becomes valid, in UTC; null when that cannot be read.
          type: str
          returned: always
          sample: "2026-10-28T06:12:31Z"
        not_after:
          description: When it expires, in UTC; null when that cannot be read.
          type: str
          returned: always
          sample: "2027-01-26T06:12:30Z"
        days_left:
          description: Whole days until then, negative when it has expired.
          type: int
          returned: always
          sample: 64
        sha256:
          description: Its fingerprint, SHA-256 over the DER form.
          type: str
          returned: always
          sample: 4f1f4c7c3b9f1e0c0f0a2d8a3b1c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e
        problems:
          description:
            - Everything that is wrong with it, as verdicts, the gravest first. Untrusted comes before
              mismatch, expired, not yet valid, and expiring.
          type: list
          elements: str
          returned: always
          sample: []
    timings_ms:
      description:
        - How long each stage took, in milliseconds; null for one that was not reached. With retries, those
          of the last attempt, and V(total) from the beginning of the first.
      type: dict
      returned: always
      sample:
        resolve: 1.9
        connect: 11.2
        greeting: 12.0
        ehlo: 23.5
        starttls: 11.4
        handshake: 26.1
        auth: null
        envelope: null
        total: 86.2
    attempts:
      description: How many attempts were made.
      type: int
      returned: always
      sample: 1
"""

from time import monotonic

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._base import zipped  # noqa: F401  # pylint: disable=unused-import
from ..module_utils._base.masks import Careful, hidden
from ..module_utils._smtp.arguments import ENDPOINT_ARGUMENTS, PROBE_ARGUMENTS, endpoints_from, options_from
from ..module_utils._smtp.endpoint import OptionError
from ..module_utils._smtp.net.probe import probe
from ..module_utils._smtp.report import FAIL_WHEN, failed, report, sentence

ARGUMENTS = {
    **ENDPOINT_ARGUMENTS,
    **PROBE_ARGUMENTS,
    "fail_when": {"type": "str", "choices": list(FAIL_WHEN), "default": "none_usable"},
}


def main() -> None:
    ansible = AnsibleModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        mutually_exclusive=[("host", "endpoints")],
        required_one_of=[("host", "endpoints")],
        required_together=[("username", "password")],
    )
    params = ansible.params
    # With some services one token is both.
    one_token = params["username"] == params["password"]
    ansible.params = hidden(params, ["password", "username"] if one_token else ["password"])
    public = {name: value for name, value in params.items() if name not in ("username", "password")}
    module = Careful(ansible, ansible.no_log_values, public)
    began = monotonic()
    try:
        results = probe(endpoints_from(params), options_from(params))
    except OptionError as error:
        module.fail_json(msg=str(error))
    elapsed_ms = round((monotonic() - began) * 1000, 1)
    unusable = [result for result in results if not result.usable]
    if unusable:
        # What is known of the provider explains failures alone: where all is well, its tables are not even loaded.
        from ..module_utils._route import cloud

        here = cloud.recognise()
        for result in unusable:
            result.advice = cloud.advise(result, here)
    found = dict(report(results), elapsed_ms=elapsed_ms, msg=sentence(results))
    if failed(results, params["fail_when"]):
        module.fail_json(**found)
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
