"""The options that modules with a connection to a mail server have: module_utils/_smtp/arguments.py."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # What a probe has beside the options of any connection: PROBE_ARGUMENTS.
    DOCUMENTATION = r"""
options:
  timeout:
    description:
      - Deadline in seconds for one endpoint, counted from the resolution of its name.
      - It covers every stage, the retries and the pauses between them. No server, however slow or hostile,
        takes longer.
      - Postfix waits up to 300 s for a greeting (C(smtp_helo_timeout)); raise this for a server that greets late.
      - Like Postfix, the probe takes at most five addresses of a host, and opens a second session at another address
        after a failure that may be that of one address; unlike Postfix, it tries no refused login elsewhere.
    type: float
    default: 10.0
  retries:
    description:
      - How often to try again after a verdict that another attempt may change, as long as O(timeout) allows.
      - These are V(dns_failure), V(disconnected), V(greeting_deferred), V(ehlo_deferred), V(auth_deferred),
        V(sender_deferred), V(recipient_deferred), and every other refusal with a 4xx reply. V(filtered) is not
        among them, as the system has repeated the connection request itself by then.
    type: int
    default: 1
  family:
    description:
      - Which IP addresses of a host to use.
      - V(any) races them as RFC 8305 has it and keeps the first that connects.
      - V(both) probes each family, and gives a result for each that the host has addresses of, IPv4 first.
    type: str
    choices: [any, ipv4, ipv6, both]
    default: any
  min_days:
    description:
      - A certificate with fewer days left than this has the verdict V(certificate_expiring). It is usable.
    type: int
    default: 0
  mail_from:
    description:
      - A sender address to try with MAIL FROM. The transaction is then reset. No mail is sent.
      - An empty string tries the null sender.
    type: str
  rcpt_to:
    description:
      - A recipient address to try with RCPT TO. The transaction is then reset. No mail is sent.
      - Without O(mail_from) the sender is the null one.
    type: str
  concurrency:
    description:
      - How many endpoints to probe at a time. The limit of open files of the process lowers it.
      - Of these at most three at a time go to one remote address, as some servers allow no more.
    type: int
    default: 256
  check_injection:
    description:
      - Whether to find out, on another connection, if the server executes a command that was sent in the clear
        after STARTTLS (CVE-2011-0411). The verdict is then V(starttls_injection).
    type: bool
    default: false
"""

    # What any connection has: CONNECTION_ARGUMENTS.
    CONNECTION = r"""
options:
  connect_timeout:
    description:
      - How long to wait for the TCP connection, in seconds, within O(timeout).
    type: float
    default: 5.0
  source_address:
    description:
      - The address of this host to connect from, or one of each family, as with Postfix's C(smtp_bind_address) and
        C(smtp_bind_address6). Without it the system chooses.
      - With the address of one family alone, and O(family=any), the other family is not used. V(0.0.0.0) or V(::)
        leaves the choice of the address of that family to the system.
    type: list
    elements: str
  helo_name:
    description:
      - The name to give with EHLO. The default is this host's name where it has a domain, else its address.
    type: str
  validate_certs:
    description:
      - Whether a certificate that is expired, untrusted or for another name makes the endpoint unusable.
      - When V(false), its problems are still reported, in the reason and in C(certificate.problems), and a
        password is sent all the same.
      - A certificate that need not be right is looked at on the connection that is there. Whether its authority is
        a trusted one takes a second connection where Python is older than 3.10; how that ends decides nothing.
      - With opportunistic TLS and without a password, a certificate never makes the endpoint unusable, as in
        Postfix with C(smtp_tls_security_level=may).
      - The judgement is that of Postfix with C(smtp_tls_security_level=secure) and the same CA file. It
        differs in three things. A certificate for a subdomain of the host is not accepted in the host's
        place. An IP address is compared with the IP addresses of the certificate. The host's name is sent
        to the server (SNI), as Postfix does with C(smtp_tls_servername=hostname).
    type: bool
    default: true
  ca_path:
    description:
      - The certificate authorities to trust, a file in PEM format or a directory prepared by C(openssl rehash), or
        several of these. The default is the system's.
    type: list
    elements: path
  client_cert:
    description:
      - A file on the managed host with the certificate, in PEM format, to show to a server that asks for one, followed
        by the certificates of its authorities where the server needs them.
      - A file that is missing or cannot be read, that holds no certificate or one that has expired, and a key that is
        another's are refused before anything is sent.
      - Where the server is to know this host by it, leave user name and password out. A login by the SASL mechanism
        EXTERNAL is not tried, since Postfix cannot do it.
    type: path
  client_key:
    description:
      - The file with the key of O(client_cert), in PEM format and without a passphrase. The default is O(client_cert).
    type: path
  min_tls_version:
    description:
      - The oldest version of TLS to accept.
    type: str
    choices: ['1.0', '1.1', '1.2', '1.3']
    default: '1.2'
  auth_mechanism:
    description:
      - The SASL mechanism to use, one of V(auto), V(none), V(plain), V(login), V(cram-md5), V(scram-sha-1),
        V(scram-sha-256), V(xoauth2), in upper or lower case.
      - V(none) is for a server that knows this host by its address or its certificate. No login is tried, and a user
        name and a password that are given all the same, by variables of a whole group for example, are not used.
      - V(auto) takes one that the server offers and that fits, which is V(xoauth2) for a password that looks
        like an OAuth 2.0 access token, else V(plain), V(login), V(scram-sha-256), V(scram-sha-1), V(cram-md5),
        in this order. The connection is encrypted, and a server can check V(plain) whichever way it stores
        passwords.
      - Where the server lists a mechanism and then does not know it, the next one is tried. After any other
        refusal none is, as repeated logins may lock the account.
    type: str
    default: auto
"""
