"""All that is found in a configuration: nothing more, nothing less, of which setting, and how certain it is.

What is found is written as a host would show it, long values without their end; it begins with "warning: " where mail
still flows.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks.finding import Finding
from case import (
    HOP,
    PASSWORD,
    RELAY,
    SNAKEOIL,
    Case,
    absent,
    inet,
    main_with,
    master_with,
    text,
    unix,
)
from checks_lab import Lab, found

# begin names
SUBMISSIONS = inet("465", smtpd_tls_wrappermode=True, smtpd_sasl_auth_enable=True)
POSTSCREEN = [
    {**inet("smtp"), "command": "postscreen", "maxproc": "1"},
    {"service": "smtpd", "type": "pass", "command": "smtpd"},
    unix("dnsblog", "dnsblog"),
    unix("tlsproxy", "tlsproxy"),
]
WRAPPED = unix("relay", "smtp", options={"smtp_tls_wrappermode": True, "smtp_tls_security_level": "encrypt"})
PIPE = {**unix("dovecot", "pipe flags=DRhu user=list argv=/bin/cat -d ${recipient}"), "unpriv": "n"}
# end names


def secret(path: str, content: str) -> dict[str, Any]:
    return {**text(path, content), "sensitive": True}


def shortened(finding: Finding) -> str:
    """The lines of the shipped files are not numbered here, and of a long value only its beginning is told."""
    value = finding.value if len(finding.value) <= 50 else f"{finding.value[:20]}..."
    return re.sub(r"\A((?:main|master)\.cf line )\d+", r"\1N", str(finding._replace(value=value)))


def row(name: str, expected: dict[str, list[str]], **case: Any) -> Any:
    return pytest.param(Case(name, **case), expected, id=name)


ROWS = [
    # ------------------ addresses
    row(
        "all_and_more_interfaces",
        {
            "interfaces": [
                "main.cf line N: inet_interfaces = all, 192.0.2.25, mai...: all stands alone; write all",
                "main.cf line N: inet_interfaces = all, 192.0.2.25, mai...: 192.0.2.25 is not an address of "
                "this host; write one that `ip address` shows, all or loopback-only",
                "main.cf line N: inet_interfaces = all, 192.0.2.25, mai...: 'mail.example.org' is not an "
                "address and does not resolve; write all, loopback-only or addresses",
                "main.cf line N: inet_interfaces = all, 192.0.2.25, mai...: 'loopback_only' is not an address"
                " and does not resolve; write loopback-only",
            ]
        },
        parameters={"inet_interfaces": "all, 192.0.2.25, mail.example.org, [127.0.0.1], loopback_only"},
    ),
    row("one_interface_by_name", {}, parameters={"inet_interfaces": "mx.example.com"}),
    row("source_address_of_any", {}, parameters={"smtp_bind_address": "0.0.0.0", "smtp_bind_address6": "::"}),
    row(
        "the_whole_internet_and_its_halves",
        {
            "network-syntax": [
                "main.cf line N: mynetworks = 127.0.0.0/8 10.0.0.0/1 128.0.0.0/1 [::]/0: '10.0.0.0/1' has "
                "host bits set beyond the mask; write 0.0.0.0/1"
            ],
            "whole-internet-may-relay": [
                "main.cf line N: mynetworks = 127.0.0.0/8 10.0.0.0/1 128.0.0.0/1 [::]/0: the whole Internet "
                "may relay through this host; write your own networks",
            ],
        },
        parameters={"mynetworks": "127.0.0.0/8 10.0.0.0/1 128.0.0.0/1 [::]/0"},
    ),
    row(
        "the_whole_internet",
        {
            "whole-internet-may-relay": [
                "main.cf line N: mynetworks = 127.0.0.0/8, 0.0.0.0/0: the whole Internet may relay through "
                "this host; write your own networks"
            ]
        },
        parameters={"mynetworks": "127.0.0.0/8, 0.0.0.0/0"},
    ),
    row(
        "both_halves_of_both_internets",
        {
            "whole-internet-may-relay": [
                "main.cf line N: mynetworks = 0.0.0.0/1 128.0.0.0/1 [::]/1 [8000::]/1: together these "
                "networks let the whole Internet relay through this host; write your own networks"
            ]
        },
        parameters={"mynetworks": "0.0.0.0/1 128.0.0.0/1 [::]/1 [8000::]/1"},
    ),
    row(
        "half_of_each_internet",
        {
            "whole-internet-may-relay": [
                "main.cf line N: mynetworks = 0.0.0.0/1 [8000::]/1: much of the Internet, such as 109.70.100.4,"
                " may relay through this host; write your own networks"
            ]
        },
        parameters={"mynetworks": "0.0.0.0/1 [8000::]/1"},
    ),
    row(
        "domains_after_a_table_and_a_file",
        {
            "domain-list": [
                "main.cf line N: mydestination = texthash:/etc/postfi...: '*.example.com': an asterisk "
                "matches nothing here; write .example.com",
                "main.cf line N: mydestination = texthash:/etc/postfi...: 'joe@example.org': domains have no "
                "@; write example.org",
            ]
        },
        parameters={
            "mydestination": "texthash:/etc/postfix/domains, /etc/postfix/more, *.example.com, joe@example.org"
        },
        files=[text("domains", "example.net ok\n"), text("more", "example.net\n")],
    ),
    row("origin_from_a_file", {}, parameters={"myorigin": "/etc/mailname"}),
    row(
        "origin_from_no_file",
        {
            "origin": [
                "main.cf line N: myorigin = /etc/postfix/mailname: the file does not exist; write $myhostname"
                " or $mydomain"
            ]
        },
        parameters={"myorigin": "/etc/postfix/mailname"},
    ),
    # ------------------ certificates
    row(
        "submission_with_a_lost_certificate_of_its_own",
        {
            "ca-file": [
                "master.cf line N: 2525/inet -o smtpd_tls_CAfile = /etc/ssl/ca.pem: the file /etc/ssl/ca.pem "
                "does not exist; install ca-certificates, or correct the path"
            ],
            "certificate-file": [
                "master.cf line N: 587/inet -o smtpd_tls_cert_file = /etc/ssl/mail.pem: the file "
                "/etc/ssl/mail.pem does not exist; create it, or correct the path",
                "master.cf line N: 2525/inet -o smtpd_tls_chain_files = /etc/ssl/chain.pem: the file "
                "/etc/ssl/chain.pem does not exist; create it, or correct the path",
            ],
        },
        parameters=SNAKEOIL,
        services=[
            inet(
                "587",
                smtpd_tls_cert_file="/etc/ssl/mail.pem",
                smtpd_tls_key_file="/etc/ssl/mail.key",
                smtpd_tls_security_level="encrypt",
            ),
            inet("2525", smtpd_tls_chain_files="/etc/ssl/chain.pem", smtpd_tls_CAfile="/etc/ssl/ca.pem"),
        ],
    ),
    row(
        "chain_without_its_key",
        {
            "certificate-file": [
                "main.cf line N: smtpd_tls_chain_files = /etc/ssl/certs/ssl-c...: no key comes before the "
                "certificate of /etc/ssl/certs/ssl-cert-snakeoil.pem; name the key file first"
            ]
        },
        parameters={
            "smtpd_tls_chain_files": "/etc/ssl/certs/ssl-cert-snakeoil.pem, /etc/letsencrypt/expired.pem"
        },
    ),
    row(
        "chain_whose_second_certificate_expired",
        {
            "certificate-validity": [
                "main.cf line N: smtpd_tls_chain_files = /etc/ssl/private/ssl...: the certificate expired on "
                "2021-01-01; renew it"
            ],
            "key-readable-by-all": [
                "warning: main.cf line N: smtpd_tls_chain_files = /etc/ssl/private/ssl...: every user of the "
                "host can read the private key; chmod 0600 /etc/letsencrypt/expired.pem"
            ],
        },
        parameters={
            "smtpd_tls_chain_files": "/etc/ssl/private/ssl-cert-snakeoil.key, /etc/ssl/certs/ssl-cert-snakeoil.pem, "
            "/etc/letsencrypt/expired.pem"
        },
    ),
    row(
        "tls_required_without_certificate",
        {
            "key-readable-by-all": [
                "warning: master.cf line N: 2526/inet -o smtpd_tls_chain_files = /etc/letsencrypt/good.pem: "
                "every user of the host can read the private key; chmod 0600 /etc/letsencrypt/good.pem"
            ],
            "server-without-certificate": [
                "main.cf line N: smtpd_tls_security_level = encrypt: smtp/inet requires TLS but has no "
                "certificate; set smtpd_tls_cert_file and smtpd_tls_key_file",
                "master.cf line N: 465/inet -o smtpd_tls_wrappermode = yes: 465/inet requires TLS but has no "
                "certificate; set smtpd_tls_cert_file and smtpd_tls_key_file",
            ],
        },
        parameters={
            "smtpd_tls_security_level": "encrypt",
            "smtpd_tls_cert_file": "none",
            "smtpd_tls_key_file": "",
            "smtpd_tls_chain_files": "",
        },
        services=[
            SUBMISSIONS,
            inet("2525", smtpd_tls_security_level="may"),
            inet("2526", smtpd_tls_chain_files="/etc/letsencrypt/good.pem"),
        ],
    ),
    row(
        "implicit_tls_port_after_postscreen",
        {
            "tls-of-the-port": [
                "master.cf line N: service 465/inet = 465: clients speak implicit TLS on port 465; add -o "
                "smtpd_tls_wrappermode=yes",
                "master.cf line N: 587/inet -o smtpd_tls_wrappermode = yes: clients speak STARTTLS on port "
                "587, not implicit TLS; write no, or use port 465",
            ]
        },
        parameters=SNAKEOIL,
        services=[*POSTSCREEN, inet("465"), inet("587", smtpd_tls_wrappermode=True)],
    ),
    row(
        "port_465_of_another_daemon",
        {},
        services=[{**inet("465"), "command": "spawn user=nobody argv=/bin/cat", "unpriv": "n"}],
    ),
    row(
        "client_authorities_of_one_service",
        {
            "ca-file": [
                "master.cf line N: relay/unix -o smtp_tls_CAfile = /etc/ssl/ca.pem: the file /etc/ssl/ca.pem "
                "does not exist; install ca-certificates, or correct the path",
                "master.cf line N: relay/unix -o smtp_tls_CApath = /etc/ssl/none: the directory /etc/ssl/none"
                " does not exist; create it, or correct the path",
            ]
        },
        services=[
            unix(
                "relay",
                "smtp",
                options={"smtp_tls_CAfile": "/etc/ssl/ca.pem", "smtp_tls_CApath": "/etc/ssl/none"},
            )
        ],
    ),
    # ------------------ configuration
    row(
        "relay_at_465_by_its_own_transport",
        {
            "implicit-tls-to-everybody": [
                "master.cf line N: relay/unix -o smtp_tls_wrappermode = yes: mail goes to port 25 of each "
                "domain's servers, which speak STARTTLS, not implicit TLS; set smtp_tls_wrappermode = no, or "
                "name a relayhost with port 465"
            ]
        },
        parameters={
            **RELAY,
            "relayhost": "",
            "default_transport": "relay",
            "smtp_sasl_password_maps": "texthash:/etc/postfix/sasl_passwd",
            "sender_dependent_relayhost_maps": "texthash:/etc/postfix/senders",
        },
        services=[WRAPPED],
        files=[
            secret("sasl_passwd", "[relay.example.com]:465 joe:secret7\n"),
            text("senders", "joe@example.com [relay.example.com]:465\n"),
        ],
    ),
    row(
        "row_of_the_default_transport",
        {
            "implicit-tls-port": [
                "transport line 1: example.org = :[mx.example.org]:465: [mx.example.org]:465: port 465 is "
                "implicit TLS, but relay speaks STARTTLS and would wait; use port 587, or a transport with -o"
                " smtp_tls_wrappermode=yes and -o smtp_tls_security_level=encrypt in default_transport"
            ],
            "unknown-transport": [
                "transport line 2: example.net = lmtps:x: master.cf has no service 'lmtps'; write lmtp:x"
            ],
        },
        parameters={
            "default_transport": "relay:[relay.example.com]:587",
            "transport_maps": "texthash:/etc/postfix/transport",
        },
        files=[text("transport", "example.org :[mx.example.org]:465\nexample.net lmtps:x\n")],
    ),
    row(
        "filter_after_an_empty_transport",
        {
            "unknown-transport": [
                "main.cf line N: content_filter = amavis:[127.0.0.1]:10024: master.cf has no service "
                "'amavis'; add it to services",
                "main.cf line N: fallback_transport = vmail: master.cf has no service 'vmail'; write anvil",
            ]
        },
        parameters={
            "mailbox_transport": "",
            "content_filter": "amavis:[127.0.0.1]:10024",
            "fallback_transport": "vmail",
        },
    ),
    row(
        "login_at_one_domain_only",
        {},
        parameters={**RELAY, "transport_maps": "texthash:/etc/postfix/transport"},
        files=[PASSWORD, text("transport", "example.org smtp:[mx.example.org]:587\n")],
    ),
    row(
        "passwords_in_a_lost_table",
        {
            "table-missing": [
                "main.cf line N: smtp_sasl_password_maps = texthash:/etc/postfix/sasl_passwd: the file of "
                "this table does not exist; create it, or remove it here"
            ]
        },
        parameters=RELAY,
    ),
    row(
        "passwords_in_a_table_that_is_not_text",
        {},
        parameters={**RELAY, "smtp_sasl_password_maps": "regexp:/etc/postfix/sasl_passwd"},
        files=[secret("sasl_passwd", "/relay/ joe:secret7\n")],
    ),
    row(
        "no_level_of_tls",
        {
            "password-in-the-clear": [
                "main.cf line N: relayhost = [relay.example.com]:587: [relay.example.com]:587: a password may"
                " go there without TLS (level none); set smtp_tls_security_level = secure, or encrypt"
            ]
        },
        parameters={**RELAY, "smtp_tls_security_level": ""},
        files=[PASSWORD],
    ),
    row(
        "old_switch_that_offers_tls",
        {
            "password-in-the-clear": [
                "main.cf line N: relayhost = [relay.example.com]:587: [relay.example.com]:587: a password may"
                " go there without TLS (level may); set smtp_tls_security_level = secure, or encrypt"
            ]
        },
        parameters={**RELAY, "smtp_tls_security_level": "", "smtp_use_tls": True},
        files=[PASSWORD],
    ),
    row(
        "old_switch_that_verifies_an_address",
        {
            "address-never-verifies": [
                "main.cf line N: relayhost = [192.0.2.25]:587: [192.0.2.25]:587: the level verify compares "
                "names, and no certificate matches an address; write the host's name, or a policy with "
                "match=NAME"
            ]
        },
        parameters={
            **RELAY,
            "relayhost": "[192.0.2.25]:587",
            "smtp_tls_security_level": "",
            "smtp_enforce_tls": True,
        },
        files=[secret("sasl_passwd", "[192.0.2.25]:587 joe:secret7\n")],
    ),
    row(
        "old_switch_that_compares_no_name",
        {},
        parameters={
            **RELAY,
            "relayhost": "[192.0.2.25]:587",
            "smtp_tls_security_level": "",
            "smtp_enforce_tls": True,
            "smtp_tls_enforce_peername": False,
        },
        files=[secret("sasl_passwd", "[192.0.2.25]:587 joe:secret7\n")],
    ),
    row(
        "policies_of_parents",
        {
            "password-in-the-clear": [
                "main.cf line N: relayhost = mx.relay.example.com:587: mx.relay.example.com:587: a password "
                "may go there without TLS (level may); set smtp_tls_security_level = secure, or encrypt",
                "transport line 2: example.net = smtp:a.b.example.net: a.b.example.net: a password may go "
                "there without TLS (level may); set smtp_tls_security_level = secure, or encrypt",
            ],
            "tls-policy-key": [
                "policies line 3: mx.relay.example.com: the key must repeat the next hop byte for byte, so "
                "this policy would never be used; write mx.relay.example.com:587"
            ],
        },
        parameters={
            **RELAY,
            "relayhost": "mx.relay.example.com:587",
            "transport_maps": "texthash:/etc/postfix/transport",
            "smtp_tls_security_level": "may",
            "smtp_sasl_auth_enable": True,
            "smtp_tls_policy_maps": "texthash:/etc/postfix/policies",
        },
        files=[
            secret(
                "sasl_passwd",
                "mx.relay.example.com:587 joe:secret7\nmx.example.org joe:secret7\n"
                "a.b.example.net joe:secret7\n",
            ),
            text("policies", ".example.org encrypt\nb.example.net encrypt\nmx.relay.example.com encrypt\n"),
            text("transport", "example.org smtp:mx.example.org\nexample.net smtp:a.b.example.net\n"),
        ],
    ),
    # ------------------ files
    row(
        "main_cf_of_comments",
        {
            "relaying-not-refused": [
                "main.cf: smtpd_relay_restrictions = ${{$compatibility_le...: smtp/inet will not start: "
                "neither this list nor smtpd_recipient_restrictions rejects unauthorized destinations; end it"
                " with reject_unauth_destination"
            ]
        },
        files=[text("main.cf", "# nothing yet\n")],
    ),
    row(
        "main_cf_removed",
        {
            "main-cf-missing": ["main.cf: main.cf: the file is missing; give it in files"],
            "relaying-not-refused": [
                "main.cf: smtpd_relay_restrictions = ${{$compatibility_le...: smtp/inet will not start: "
                "neither this list nor smtpd_recipient_restrictions rejects unauthorized destinations; end it"
                " with reject_unauth_destination"
            ],
        },
        files=[{"path": "main.cf", "state": "absent"}],
    ),
    row(
        "long_lines",
        {
            "daemon-missing": [
                "master.cf line N: service this-service/unix = and: there is no such daemon in "
                "/usr/lib/postfix/sbin; write a daemon of that directory"
            ],
            "unreadable-line": [
                "main.cf line N: this line has no equals sign and goes on and on and on, long: this is not an"
                " assignment; write name = value",
                "master.cf line N: thisservicehasfewcolumnsandgoesonandonandonandonandonandonan: 2 columns "
                "where master.cf needs at least 8: "
                "'thisservicehasfewcolumnsandgoesonandonandonandonandonandonandonandonandon unix'",
            ],
        },
        files=[
            main_with(
                "this line has no equals sign and goes on and on and on, longer than anybody would show it"
            ),
            master_with(
                "this-service unix - - n - - and a bad -o at its end -o",
                "thisservicehasfewcolumnsandgoesonandonandonandonandonandonandonandonandon unix",
            ),
        ],
    ),
    row(
        "typographic_dash_in_a_long_line",
        {
            "typographic-character": [
                "main.cf line N: master_service_disable = a.inet b.inet c.inet d.inet e.inet : a no-break "
                "space (U+00A0), probably pasted from a web page; retype it in ASCII"
            ]
        },
        files=[
            main_with(
                "smtpd_banner = \u2013\nmynetworks_style = host\n"
                "master_service_disable = a.inet b.inet c.inet d.inet e.inet f.inet g.inet\u00a0h.inet i.inet"
            )
        ],
    ),
    row(
        "quotes_and_comments",
        {
            "comment-in-value": [
                "warning: main.cf line N: myhostname = mail.example.com # ours: a comment after a value "
                "becomes part of it; give the comment a line of its own"
            ],
            "host-name": [
                "main.cf line N: myhostname = mail.example.com # ours: this is not a host name; write labels "
                "of letters, digits, - and _ with dots between, for example mail.example.com"
            ],
            "quoted-value": [
                'main.cf line N: mydestination = "example.com": the quotation marks become part of the value;'
                " remove the quotes"
            ],
        },
        parameters={
            "mydestination": '"example.com"',
            "smtpd_banner": '"$myhostname"',
            "myhostname": "mail.example.com # ours",
        },
    ),
    row(
        "set_twice",
        {
            "parameter-set-twice": [
                "warning: main.cf line N: relayhost = [a.example.com]: line 5 sets it again, and that one "
                "counts; remove one of the two"
            ]
        },
        files=[main_with("relayhost = [a.example.com]\nrelayhost = [b.example.com]")],
    ),
    # ------------------ master
    row(
        "services_of_many_mistakes",
        {
            "daemon-argument": [
                "master.cf line N: service scan/unix = joe: smtp does not accept this argument and would exit"
                " at once; write -o { name = value } where a value has spaces; a separate service must start "
                "in the first column"
            ],
            "daemon-missing": [
                "master.cf line N: service amavis/unix = smtpp: there is no such daemon in "
                "/usr/lib/postfix/sbin; write smtp"
            ],
            "listener-address": [
                "master.cf line N: service ::1:2525/inet = ::1:2525: IPv6 without brackets; write [::1]:2525",
                "master.cf line N: service mx.example.org:2526/inet = mx.example.org:2526: mx.example.org "
                "does not resolve, so Postfix would not start; write an address",
                "master.cf line N: service 192.0.2.7:2527/inet = 192.0.2.7:2527: 192.0.2.7 is not an address "
                "of this host; write one that `ip address` shows",
                "master.cf line N: service [fd00::25]:2528/inet = [fd00::25]:2528: fd00::25 is not an address"
                " of this host; write one that `ip address` shows",
                "master.cf line N: service 1st.example.org:2529/inet = 1st.example.org:2529: 1st.example.org "
                "does not resolve, so Postfix would not start; write an address",
                "master.cf line N: service submision/inet = submision: no such port; write 587",
                "master.cf line N: service 0/inet = 0: no such port; write its number, 1 to 65535",
            ],
            "pipe-attribute": [
                "master.cf line N: service vmail/unix = flags=RZY: pipe has no flag Z; its flags are BDFORXhqu.>",
                "master.cf line N: service vmail/unix = user=postfix: pipe runs nothing as root or as Postfix"
                " itself; write a user of its own",
                "master.cf line N: service maildrop/unix = flagz=R: pipe has no such attribute; write flags=",
                "master.cf line N: service maildrop/unix = user=nobody:root: pipe runs nothing as root or as "
                "Postfix itself; write a user of its own",
            ],
            "port-used-twice": [
                "master.cf line N: service smtp/inet = smtp: port 25 is already that of smtp/inet; remove one"
                " of the two"
            ],
            "service-columns": [
                "master.cf line N: service 587/inet = private y: an inet service cannot be private; write n",
                "master.cf line N: service vmail/unix = unpriv y: pipe needs root's privilege to start; write n",
            ],
            "service-field": [
                "master.cf line N: service 10025/inet = chroot x: no such value; write y, n or -"
            ],
            "service-set-twice": [
                "master.cf line N: service smtp/inet: the service is there twice; remove one of the two"
            ],
        },
        files=[
            master_with(
                "587 inet y - n - - smtpd",
                "10025 inet n - x - - smtpd",
                "smtp inet n - n - - smtpd",
                "vmail unix - y n - - pipe flags=RZY user=postfix argv=/bin/cat",
                "maildrop unix - n n - - pipe flagz=R user=nobody:root argv=/bin/cat",
                "amavis unix - - n - - smtpp",
                "scan unix - - n - - smtp joe",
                "::1:2525 inet n - n - - smtpd",
                "mx.example.org:2526 inet n - n - - smtpd",
                "192.0.2.7:2527 inet n - n - - smtpd",
                "[fd00::25]:2528 inet n - n - - smtpd",
                "1st.example.org:2529 inet n - n - - smtpd",
                "submision inet n - n - - smtpd",
                "0 inet n - n - - smtpd",
            )
        ],
    ),
    row(
        "solitary_daemons_of_many_processes",
        {
            "service-columns": [
                "master.cf line N: service tlsmgr2/unix = maxproc 2: tlsmgr must have a process limit of 1; write 1"
            ]
        },
        parameters={"default_process_limit": "1"},
        files=[master_with("qmgr2 unix n - n 300 - qmgr", "tlsmgr2 unix - - n 1000? 2 tlsmgr")],
    ),
    row(
        "one_port_of_several_addresses",
        {
            "port-used-twice": [
                "master.cf line N: service 0.0.0.0:2525/inet = 0.0.0.0:2525: port 2525 is already that of "
                "127.0.0.1:2525/inet; remove one of the two",
                "master.cf line N: service 127.0.0.1:25/inet = 127.0.0.1:25: port 25 is already that of "
                "smtp/inet; remove one of the two",
            ]
        },
        parameters={"inet_interfaces": "127.0.0.1, [::1]"},
        services=[
            inet("127.0.0.1:2525"),
            inet("[::1]:2525"),
            inet("0.0.0.0:2525"),
            inet("127.0.0.2:2525"),
            inet("127.0.0.2:smtp"),
            inet("127.0.0.1:25"),
        ],
    ),
    row(
        "wildcards_of_both_families",
        {
            "port-used-twice": [
                "master.cf line N: service [::1]:2525/inet = [::1]:2525: port 2525 is already that of "
                "[::]:2525/inet; remove one of the two",
                "master.cf line N: service 2526/inet = 2526: port 2526 is already that of "
                "127.0.0.1:2526/inet; remove one of the two",
            ]
        },
        services=[
            inet("0.0.0.0:2525"),
            inet("[::]:2525"),
            inet("[::1]:2525"),
            inet("127.0.0.1:2526"),
            inet("127.0.0.2:2526"),
            inet("2526"),
        ],
    ),
    row(
        "programs_in_a_chroot",
        {
            "pipe-attribute": [
                "master.cf line N: service bare/unix = pipe: user= is missing; write user=…",
                "master.cf line N: service bare/unix = pipe: argv= is missing; write argv=…",
            ],
            "program-in-chroot": [
                "warning: master.cf line N: service dovecot/unix = chroot y: pipe runs programs from outside,"
                " which a chroot hides; write n",
                "warning: master.cf line N: service policy/unix = chroot y: spawn runs programs from outside,"
                " which a chroot hides; write n",
            ],
        },
        services=[
            {**unix("dovecot", "pipe flags=DRhu user=list argv=/bin/cat"), "unpriv": "n", "chroot": "y"},
            {**unix("policy", "spawn user=nobody argv=/bin/cat"), "unpriv": "n", "chroot": "y"},
            {**unix("bare", "pipe"), "unpriv": "n"},
        ],
    ),
    row(
        "master_of_smtpd_alone",
        {
            "default-transport-missing": [
                "main.cf: default_transport = smtp: master.cf has no service 'smtp'; add smtp as the shipped "
                "master.cf has it",
                "main.cf: local_transport = local:$myhostname: master.cf has no service 'local'; add local as"
                " the shipped master.cf has it",
            ],
            "service-missing": [
                "master.cf: service bounce: the service is missing, and mail stops without it "
                "(bounce_service_name); add bounce as the shipped master.cf has it",
                "master.cf: service cleanup: the service is missing, and mail stops without it "
                "(cleanup_service_name); add cleanup as the shipped master.cf has it",
                "master.cf: service defer: the service is missing, and mail stops without it "
                "(defer_service_name); add defer as the shipped master.cf has it",
                "master.cf: service error: the service is missing, and mail stops without it "
                "(error_service_name); add error as the shipped master.cf has it",
                "master.cf: service pickup: the service is missing, and mail stops without it "
                "(pickup_service_name); add pickup as the shipped master.cf has it",
                "master.cf: service postlog: the service is missing, and nothing would be logged "
                "(maillog_file); add postlog as the shipped master.cf has it",
                "master.cf: service proxymap: the service is missing, and smtpd looks recipients up through "
                "it (local_recipient_maps); add proxymap as the shipped master.cf has it",
                "master.cf: service qmgr: the service is missing, and mail stops without it "
                "(queue_service_name); add qmgr as the shipped master.cf has it",
                "master.cf: service rewrite: the service is missing, and mail stops without it "
                "(rewrite_service_name); add rewrite as the shipped master.cf has it",
                "master.cf: service tlsmgr: the service is missing, and TLS does not work without it; add "
                "tlsmgr as the shipped master.cf has it",
            ],
        },
        files=[text("master.cf", "smtp inet n - n - - smtpd\n")],
        parameters={"maillog_file": "/var/log/postfix.log", "smtpd_tls_security_level": "may", **SNAKEOIL},
    ),
    row(
        "postscreen_alone",
        {
            "service-missing": [
                "master.cf: service dnsblog: the service is missing, and postscreen asks through it "
                "(postscreen_dnsbl_sites); add dnsblog as the shipped master.cf has it",
                "master.cf: service smtpd: the service is missing, and postscreen passes its clients on to "
                "smtpd of type pass; add smtpd as the shipped master.cf has it",
            ]
        },
        parameters={"postscreen_dnsbl_sites": "zen.spamhaus.org"},
        services=[inet("587"), {**inet("smtp"), "command": "postscreen", "maxproc": "1"}],
    ),
    row(
        "postscreen_whole", {}, parameters={"postscreen_dnsbl_sites": "zen.spamhaus.org"}, services=POSTSCREEN
    ),
    row(
        "proxied_tables_without_proxymap",
        {
            "service-missing": [
                "master.cf: service proxymap: the service is missing, and tables are named with proxy:; add "
                "proxymap as the shipped master.cf has it"
            ]
        },
        parameters={
            "local_recipient_maps": "proxy:unix:passwd.byname $alias_maps",
            "virtual_alias_maps": "texthash:/etc/postfix/virtual proxy:texthash:/etc/postfix/virtual",
        },
        files=[text("virtual", "a@example.com b@example.com\n")],
        services=[absent("proxymap")],
    ),
    row(
        "proxymap_missing_for_the_default",
        {
            "service-missing": [
                "master.cf: service proxymap: the service is missing, and smtpd looks recipients up through "
                "it (local_recipient_maps); add proxymap as the shipped master.cf has it"
            ]
        },
        services=[absent("proxymap")],
    ),
    row(
        "all_recipients_taken_without_proxymap",
        {},
        parameters={"local_recipient_maps": ""},
        services=[absent("proxymap")],
    ),
    row(
        "no_local_users_without_proxymap",
        {},
        parameters={"local_recipient_maps": "", "mydestination": ""},
        services=[absent("proxymap")],
    ),
    row(
        "renamed_services",
        {
            "service-missing": [
                "master.cf: service postlogger: the service is missing, and nothing would be logged "
                "(maillog_file); add postlogger as the shipped master.cf has it",
                "master.cf: service precleanup: the service is missing, and mail stops without it "
                "(cleanup_service_name); add precleanup as the shipped master.cf has it",
            ]
        },
        parameters={
            "cleanup_service_name": "precleanup",
            "rewrite_service_name": "rewriter",
            "maillog_file": "/var/log/postfix.log",
            "postlog_service_name": "postlogger",
        },
        services=[unix("rewriter", "trivial-rewrite")],
    ),
    row(
        "tlsmgr_missing_for_one_service",
        {
            "key-readable-by-all": [
                "warning: master.cf line N: 465/inet -o smtpd_tls_chain_files = /etc/letsencrypt/good.pem: "
                "every user of the host can read the private key; chmod 0600 /etc/letsencrypt/good.pem"
            ],
            "service-missing": [
                "master.cf: service tlsmgr: the service is missing, and TLS does not work without it; add "
                "tlsmgr as the shipped master.cf has it"
            ],
        },
        parameters={"smtp_tls_security_level": "none"},
        services=[
            absent("tlsmgr"),
            inet("465", smtpd_tls_wrappermode=True, smtpd_tls_chain_files="/etc/letsencrypt/good.pem"),
        ],
    ),
    row(
        "no_tls_without_tlsmgr",
        {},
        parameters={
            "smtp_tls_security_level": "none",
            "smtpd_tls_security_level": "none",
            "lmtp_tls_security_level": "",
        },
        services=[absent("tlsmgr")],
    ),
    # ------------------ next hops
    row(
        "implicit_tls_by_the_wrong_client",
        {
            "implicit-tls-level": [
                "main.cf line N: smtp_tls_wrappermode = yes: implicit TLS does not work with the level may; "
                "set smtp_tls_security_level = encrypt or secure there"
            ],
            "implicit-tls-port": [
                "main.cf line N: relayhost = [relay.example.com]:465 [relay.example.com]:587: "
                "[relay.example.com]:587: port 587 is STARTTLS, but smtp has smtp_tls_wrappermode = yes; use "
                "port 465, or set smtp_tls_wrappermode = no"
            ],
        },
        parameters={
            "relayhost": "[relay.example.com]:465 [relay.example.com]:587",
            "smtp_tls_wrappermode": True,
            "smtp_tls_security_level": "may",
        },
    ),
    row(
        "implicit_tls_at_its_port",
        {
            "dane-without-dnssec": [
                "main.cf line N: smtp_tls_security_level = dane: DANE needs DNSSEC lookups, so Postfix would "
                "not use it; set smtp_dns_support_level = dnssec"
            ],
            "implicit-tls-level": [
                "main.cf line N: smtp_tls_wrappermode = yes: implicit TLS does not work with the level dane; "
                "set smtp_tls_security_level = encrypt or secure there"
            ],
        },
        parameters={
            "relayhost": "[relay.example.com]:465",
            "smtp_tls_wrappermode": True,
            "smtp_tls_security_level": "dane",
        },
    ),
    row(
        "implicit_tls_without_a_level",
        {
            "implicit-tls-level": [
                "main.cf line N: smtp_tls_wrappermode = yes: implicit TLS does not work with the level none; "
                "set smtp_tls_security_level = encrypt or secure there"
            ]
        },
        parameters={
            "relayhost": "[relay.example.com]:465",
            "smtp_tls_wrappermode": True,
            "smtp_tls_security_level": "none",
        },
    ),
    row(
        "implicit_tls_to_all_servers",
        {
            "implicit-tls-to-everybody": [
                "main.cf line N: smtp_tls_wrappermode = yes: mail goes to port 25 of each domain's servers, "
                "which speak STARTTLS, not implicit TLS; set smtp_tls_wrappermode = no, or name a relayhost "
                "with port 465"
            ]
        },
        parameters={"smtp_tls_wrappermode": True, "smtp_tls_security_level": "encrypt"},
    ),
    row("implicit_tls_by_a_transport_nobody_uses", {}, services=[WRAPPED]),
    row(
        "implicit_tls_to_all_servers_by_a_transport",
        {
            "implicit-tls-to-everybody": [
                "master.cf line N: relay/unix -o smtp_tls_wrappermode = yes: mail goes to port 25 of each "
                "domain's servers, which speak STARTTLS, not implicit TLS; set smtp_tls_wrappermode = no, or "
                "name a relayhost with port 465"
            ]
        },
        parameters={"default_transport": "relay"},
        services=[WRAPPED],
    ),
    row(
        "relay_of_the_family_left_out",
        {
            "next-hop-family": [
                "main.cf line N: relayhost = [2001:db8::25] [192.0.2.25] [relay.example.com]: [2001:db8::25] "
                "is an IPv6 address, but inet_protocols is ipv4; add ipv6 to inet_protocols, or write a name"
            ]
        },
        parameters={"inet_protocols": "ipv4", "relayhost": "[2001:db8::25] [192.0.2.25] [relay.example.com]"},
    ),
    row(
        "relay_of_the_other_family_left_out",
        {
            "next-hop-family": [
                "main.cf line N: relayhost = [2001:db8::25] [192.0.2.25]: [192.0.2.25] is an IPv4 address, "
                "but inet_protocols is ipv6; add ipv4 to inet_protocols, or write a name"
            ]
        },
        parameters={"inet_protocols": "IPv6", "relayhost": "[2001:db8::25] [192.0.2.25]"},
    ),
    row(
        "addresses_that_never_verify",
        {
            "address-never-verifies": [
                "main.cf line N: relayhost = [192.0.2.25]:587 [19...: [192.0.2.26]:587: the level verify "
                "compares names, and no certificate matches an address; write the host's name, or a policy "
                "with match=NAME"
            ],
            "table-missing": [
                "main.cf line N: smtp_sasl_password_maps = texthash:/etc/postfix/sasl_passwd: the file of "
                "this table does not exist; create it, or remove it here"
            ],
        },
        parameters={
            **RELAY,
            "smtp_sasl_auth_enable": False,
            "relayhost": "[192.0.2.25]:587 [192.0.2.26]:587 [192.0.2.27]:587 [relay.example.com]:587",
            "smtp_tls_policy_maps": "texthash:/etc/postfix/policies",
        },
        files=[
            text(
                "policies",
                "[192.0.2.25]:587 secure match=relay.example.com\n[192.0.2.26]:587 verify\n"
                "[192.0.2.27]:587 encrypt\n",
            )
        ],
    ),
    row(
        "address_with_the_name_to_match",
        {
            "table-missing": [
                "main.cf line N: smtp_sasl_password_maps = texthash:/etc/postfix/sasl_passwd: the file of "
                "this table does not exist; create it, or remove it here"
            ]
        },
        parameters={
            **RELAY,
            "smtp_sasl_auth_enable": False,
            "relayhost": "[192.0.2.25]:587",
            "smtp_tls_secure_cert_match": "relay.example.com",
        },
    ),
    row(
        "address_with_the_names_to_match_spelt_out",
        {
            "address-never-verifies": [
                "main.cf line N: relayhost = [192.0.2.25]:587: [192.0.2.25]:587: the level secure compares "
                "names, and no certificate matches an address; write the host's name, or a policy with "
                "match=NAME"
            ]
        },
        parameters={
            **RELAY,
            "smtp_sasl_auth_enable": False,
            "smtp_sasl_password_maps": "",
            "relayhost": "[192.0.2.25]:587",
            "smtp_tls_secure_cert_match": "hostname, nexthop, dot-nexthop",
        },
    ),
    row(
        "loop_to_this_host",
        {
            "mail-loop": [
                "main.cf line N: relayhost = [127.0.0.1], [mail.e...: [127.0.0.1] is this host's own smtpd, "
                "so mail would loop; name another host, or none",
                "main.cf line N: relayhost = [127.0.0.1], [mail.e...: [mail.example.com.]:25 is this host's "
                "own smtpd, so mail would loop; name another host, or none",
                "main.cf line N: relayhost = [127.0.0.1], [mail.e...: localhost:2525 is this host's own "
                "smtpd, so mail would loop; name another host, or none",
            ]
        },
        parameters={
            "relayhost": "[127.0.0.1], [mail.example.com.]:25, localhost:2525, [127.0.0.2]:587",
            "myhostname": "mail.example.com",
        },
        services=[inet("127.0.0.1:2525"), inet("[::1]:587")],
    ),
    row(
        "loop_to_its_own_name_without_brackets",
        {},
        parameters={"relayhost": "mail.example.com", "myhostname": "mail.example.com"},
    ),
    row(
        "loop_to_the_one_interface",
        {
            "mail-loop": [
                "main.cf line N: relayhost = [127.0.0.1], [127.0.0.2]: [127.0.0.1] is this host's own smtpd, "
                "so mail would loop; name another host, or none"
            ]
        },
        parameters={"relayhost": "[127.0.0.1], [127.0.0.2]", "inet_interfaces": "127.0.0.1"},
    ),
    row(
        "loop_by_ipv6",
        {
            "mail-loop": [
                "main.cf line N: relayhost = [::1]:2525, [::1]:2526: [::1]:2525 is this host's own smtpd, so "
                "mail would loop; name another host, or none"
            ]
        },
        parameters={"relayhost": "[::1]:2525, [::1]:2526"},
        services=[inet("[::]:2525"), inet("0.0.0.0:2526")],
    ),
    row(
        "transport_to_this_host_is_no_loop",
        {},
        parameters={"transport_maps": "texthash:/etc/postfix/transport"},
        files=[text("transport", "example.org smtp:[127.0.0.1]\n")],
    ),
    row(
        "login_without_a_table",
        {
            "login-without-passwords": [
                "main.cf line N: smtp_sasl_password_maps: smtp_sasl_auth_enable is yes, but there are no "
                "passwords; name a table, for example texthash:/etc/postfix/sasl_passwd"
            ]
        },
        parameters={**RELAY, "smtp_sasl_password_maps": ""},
    ),
    row(
        "login_at_this_host",
        {},
        parameters={**RELAY, "relayhost": "[LOCALHOST]:2525", "smtp_tls_security_level": "none"},
        files=[PASSWORD],
    ),
    row(
        "password_of_another_form",
        {
            "password-key": [
                "sasl_passwd line 1: ********: the key must repeat the next hop byte for byte, "
                "so no password would be sent; write [Relay.example.com]:587",
                "sasl_passwd line 2: ********: the key must repeat the next hop byte "
                "for byte, so no password would be sent; write [Relay.example.com]:587",
                "sasl_passwd line 3: ********: the key must repeat the next hop byte for byte, "
                "so no password would be sent; write other.example.com",
            ]
        },
        parameters={
            **RELAY,
            "relayhost": "[Relay.example.com]:587",
            "transport_maps": "texthash:/etc/postfix/transport",
        },
        files=[
            secret(
                "sasl_passwd",
                "relay.example.com:587 joe:secret7\n[relay.example.com]:submission joe:secret7\n"
                "[other.example.com]:25 ann:secret7\n",
            ),
            text("transport", "example.org smtp:other.example.com\n"),
        ],
    ),
    row(
        "password_of_the_bare_host",
        {},
        parameters={**RELAY, "relayhost": "[relay.example.com]:587"},
        files=[secret("sasl_passwd", "relay.example.com joe:secret7\n")],
    ),
    row(
        "password_missing_for_a_second_relay",
        {
            "password-missing": [
                "warning: main.cf line N: smtp_sasl_password_maps = texthash:/etc/postfix/sasl_passwd: no key"
                " is [other.example.com]:587, so no password would be sent there; add a line that begins with"
                " [other.example.com]:587"
            ]
        },
        parameters={**RELAY, "relayhost": f"{HOP} [other.example.com]:587"},
        files=[PASSWORD],
    ),
    row(
        "password_missing_for_the_fallback",
        {
            "password-missing": [
                "warning: main.cf line N: smtp_sasl_password_maps = texthash:/etc/postfix/sasl_passwd: no key"
                " is [other.example.com]:587, so no password would be sent there; add a line that begins with"
                " [other.example.com]:587"
            ]
        },
        parameters={
            **RELAY,
            "relayhost": "",
            "default_transport": f"relay:{HOP}",
            "smtp_fallback_relay": "[other.example.com]:587",
        },
        services=[
            unix("relay", "smtp", options={"smtp_sasl_password_maps": "regexp:/etc/postfix/by_pattern"})
        ],
        files=[PASSWORD, secret("by_pattern", "/relay/ joe:secret7\n")],
    ),
    row(
        "passwords_by_sender",
        {},
        parameters={**RELAY, "smtp_sender_dependent_authentication": True},
        files=[secret("sasl_passwd", "joe@example.com joe:secret7\n")],
    ),
    row(
        "passwords_by_sender_beside_the_block",
        {
            "password-by-sender": [
                "warning: sasl_passwd line 1: ********: Postfix looks for the sender before the next hop "
                f"(smtp_sender_dependent_authentication), so mail of this one goes to {HOP} with this login, and not "
                "with the one in sasl_passwd line 3; remove this row if it is for another relay, or name that relay "
                "for the sender"
            ]
        },
        parameters={**RELAY, "smtp_sender_dependent_authentication": True},
        files=[
            secret(
                "sasl_passwd",
                f"joe@example.com joe:secret7\n# BEGIN mailops.smtp\n{HOP} ops:secret8\n# END mailops.smtp\n",
            )
        ],
    ),
    row(
        "passwords_badly_written",
        {
            "password-row": [
                "sasl_passwd line 1: ********: white space alone stands between key and user; remove the =",
                "sasl_passwd line 2: ********: no password follows the user name; write user:password",
                "sasl_passwd line 3: ********: no password follows the user name; write user:password",
            ],
            "table-row": ["sasl_passwd line 3: ********: the key has no value; write key, space, value"],
        },
        parameters=RELAY,
        files=[secret("sasl_passwd", f"{HOP} = joe:secret7\n[a.example.com]:587 joe\n[b.example.com]:587\n")],
    ),
    row(
        "kerberos_without_password",
        {
            "password-row": [
                "warning: sasl_passwd line 1: ********: no password follows the user name; "
                "write user:password"
            ],
            "sasl-plugin-missing": [
                "main.cf line N: smtp_sasl_mechanism_filter = gssapi, plain: the plugin for GSSAPI is not "
                "installed; install libsasl2-modules-gssapi-mit"
            ],
        },
        parameters={**RELAY, "smtp_sasl_mechanism_filter": "gssapi, plain"},
        files=[secret("sasl_passwd", f"{HOP} joe\n")],
    ),
    row(
        "password_in_the_clear",
        {
            "noplaintext-over-tls": [
                "warning: main.cf: smtp_sasl_tls_security_options = $smtp_sasl_security_options: noplaintext "
                "refuses PLAIN and LOGIN, the only mechanisms of most relays; set "
                "smtp_sasl_tls_security_options = noanonymous"
            ],
            "password-in-the-clear": [
                "warning: main.cf line N: relayhost = [relay.example.com]:587: [relay.example.com]:587: a "
                "password may go there without TLS (level may); set smtp_tls_security_level = secure, or "
                "encrypt"
            ],
        },
        parameters={
            **RELAY,
            "smtp_tls_security_level": "may",
            "smtp_sasl_security_options": "noanonymous, NOPLAINTEXT",
        },
        files=[PASSWORD],
    ),
    row(
        "password_for_sure_in_the_clear",
        {
            "password-in-the-clear": [
                "main.cf line N: relayhost = [relay.example.com]:587: [relay.example.com]:587: a password may"
                " go there without TLS (level dane); set smtp_tls_security_level = secure, or encrypt"
            ]
        },
        parameters={**RELAY, "smtp_tls_security_level": "dane", "smtp_dns_support_level": "dnssec"},
        files=[PASSWORD],
    ),
    row(
        "plaintext_refused_over_tls",
        {
            "noplaintext-over-tls": [
                "warning: main.cf line N: smtp_sasl_tls_security_options = noanonymous NoPlainText: "
                "noplaintext refuses PLAIN and LOGIN, the only mechanisms of most relays; set "
                "smtp_sasl_tls_security_options = noanonymous"
            ]
        },
        parameters={**RELAY, "smtp_sasl_tls_security_options": "noanonymous NoPlainText"},
        files=[PASSWORD],
    ),
    row(
        "plaintext_allowed_over_tls",
        {},
        parameters={
            **RELAY,
            "smtp_sasl_security_options": "noplaintext",
            "smtp_sasl_tls_security_options": "noanonymous",
        },
        files=[PASSWORD],
    ),
    row(
        "transport_in_the_clear_without_a_password",
        {},
        parameters={
            **RELAY,
            "transport_maps": "texthash:/etc/postfix/transport",
            "smtp_tls_policy_maps": "texthash:/etc/postfix/policies",
        },
        files=[
            PASSWORD,
            text("transport", "example.org smtp:[mx.example.org]\n"),
            text("policies", "[mx.example.org] none\n"),
        ],
    ),
    # ------------------ restrictions
    row(
        "restrictions_of_many_mistakes",
        {
            "access-table": [
                "main.cf line N: smtpd_recipient_restrictions = permit_mynetwork, re...: check_sender_access "
                "/etc/postfix/senders: no table type; write check_sender_access texthash:/etc/postfix/senders",
                "main.cf line N: smtpd_recipient_restrictions = permit_mynetwork, re...: hash:senders: a "
                "relative path begins at the queue directory; write hash:/etc/postfix/senders",
            ],
            "policy-service": [
                "main.cf line N: smtpd_recipient_restrictions = permit_mynetwork, re...: check_policy_service"
                " inet:127.0.0.1 has no known port; write inet:host:port with a number",
                "main.cf line N: smtpd_recipient_restrictions = permit_mynetwork, re...: master.cf has no "
                "service 'polcy'; write unix:private/policy",
                "main.cf line N: smtpd_recipient_restrictions = permit_mynetwork, re...: check_policy_service"
                " local:private/policy is not an endpoint; write inet:host:port or unix:path",
            ],
            "removed-restriction": [
                "main.cf line N: smtpd_recipient_restrictions = permit_mynetwork, re...: reject_maps_rbl has "
                "been removed in Postfix 3.9, so every mail would be deferred; write reject_rbl_client with "
                "its domain"
            ],
            "restriction-argument": [
                "main.cf line N: smtpd_recipient_restrictions = permit_mynetwork, re...: reject_rbl_client "
                "needs an argument; write reject_rbl_client domain"
            ],
            "unknown-restriction": [
                "main.cf line N: smtpd_recipient_restrictions = permit_mynetwork, re...: there is no "
                "restriction 'permit_mynetwork', so every mail would be deferred; write permit_mynetworks"
            ],
        },
        parameters={
            "smtpd_recipient_restrictions": "permit_mynetwork, reject_unauth_destination, reject_maps_rbl, "
            "check_sender_access /etc/postfix/senders, check_client_access hash:senders, "
            "check_policy_service inet:127.0.0.1, check_policy_service unix:private/polcy, "
            "check_policy_service local:private/policy, check_policy_service { "
            "unix:private/policy, timeout=10s }, check_policy_service inet:localhost:10023, "
            "reject_rbl_client"
        },
        services=[unix("policy", "spawn user=nobody argv=/bin/cat", unpriv="n")],
    ),
    row(
        "restriction_classes",
        {
            "restriction-class": [
                "main.cf line N: smtpd_restriction_classes = greylist, strict: the class strict has no value;"
                " write strict = … too"
            ],
            "unknown-restriction": [
                "main.cf line N: greylist = reject_unknown_clients, permit: there is no restriction "
                "'reject_unknown_clients', so every mail would be deferred; write reject_unknown_client"
            ],
        },
        parameters={
            "smtpd_restriction_classes": "greylist, strict",
            "greylist": "reject_unknown_clients, permit",
            "smtpd_client_restrictions": "Greylist, strict",
        },
    ),
    row(
        "restrictions_of_one_service",
        {
            "open-relay": [
                "master.cf line N: 2527/inet -o smtpd_relay_restrictions = everybody, reject_unauth_destination: "
                "open relay: 2527/inet reaches permit before reject_unauth_destination; write "
                "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
                "warning: master.cf line N: 127.0.0.1:10026/inet -o smtpd_relay_restrictions = everybody, reject: "
                "open relay: 127.0.0.1:10026/inet reaches everybody before reject_unauth_destination; write "
                "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
            ],
            "relaying-not-refused": [
                "master.cf line N: 10025/inet -o smtpd_relay_restrictions = permit: 10025/inet will not "
                "start: neither this list nor smtpd_recipient_restrictions rejects unauthorized destinations;"
                " end it with reject_unauth_destination"
            ],
        },
        parameters={
            "smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination",
            "smtpd_restriction_classes": "everybody",
            "everybody": "permit",
        },
        services=[
            inet(
                "10025", smtpd_relay_restrictions="permit", smtpd_recipient_restrictions="permit_mynetworks"
            ),
            inet(
                "127.0.0.1:10026",
                smtpd_relay_restrictions="everybody, reject",
                smtpd_recipient_restrictions="",
            ),
            inet(
                "2527",
                smtpd_relay_restrictions="everybody, reject_unauth_destination",
                smtpd_recipient_restrictions="warn_if_reject reject_unauth_destination, permit",
            ),
        ],
    ),
    row(
        "guarded_by_the_second_list",
        {},
        services=[
            inet(
                "10027",
                smtpd_relay_restrictions="permit",
                smtpd_recipient_restrictions="reject_unknown_client, Reject_Unauth_Destination",
            )
        ],
    ),
    row(
        "open_by_a_table_of_all",
        {
            "open-relay": [
                "main.cf line N: smtpd_relay_restrictions = permit_mynetworks, c...: open relay: smtp/inet "
                "reaches check_sender_access static:{ permit } before reject_unauth_destination; write "
                "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"
            ]
        },
        parameters={
            "smtpd_relay_restrictions": "permit_mynetworks, check_client_access static:OK, reject_unauth_destination",
            "smtpd_recipient_restrictions": "check_sender_access static:{ permit }, reject",
        },
    ),
    row(
        "access_tables",
        {
            "access-action": [
                "access line 2: b.example = REJEKT: there is no such action; write REJECT",
                "access line 6: f.example = FILTER smtp: a filter is transport:nexthop; write FILTER "
                "transport:host:port",
                "access line 10: j.example = 55x: there is no such action; write one of OK, DUNNO, REJECT, "
                "DEFER, DEFER_IF_REJECT, DEFER_IF_PERMIT, BCC, DELAY, DISCARD, FILTER, HOLD, INFO, PREPEND, "
                "REDIRECT, WARN",
                "clients line 2: 192.0.2.1 = REJEKT: there is no such action; write REJECT",
                "helo line 1: /^localhost$/ = REJEKT: there is no such action; write REJECT",
                "main.cf: joe@example.com = REJEKT: there is no such action; write REJECT",
            ]
        },
        parameters={
            "smtpd_sender_restrictions": "check_sender_access texthash:/etc/postfix/access, check_client_access "
            "cidr:/etc/postfix/clients, check_helo_access regexp:/etc/postfix/helo, "
            "check_recipient_access inline:{joe@example.com=REJEKT}, check_sender_access "
            "static:REJEKT, check_etrn_access memcache:/etc/postfix/memcache",
            "smtpd_restriction_classes": "strict",
            "strict": "reject_unknown_sender_domain",
        },
        files=[
            text(
                "access",
                "a.example OK\nb.example REJEKT go away\nc.example 550 no\nd.example 12\n"
                "e.example strict, OK\nf.example FILTER smtp\ng.example FILTER smtp:[127.0.0.1]:25\n"
                "h.example $x\ni.example permit_mynetworks,reject\nj.example 55x\n",
            ),
            text("clients", "if 192.0.2.0/24\n192.0.2.1 REJEKT\nendif\n192.0.2.2 ok\n"),
            text("memcache", "memcache = inet:localhost:11211\n"),
            text("helo", "/^localhost$/ REJEKT\n/^x$/ ok\n"),
        ],
    ),
    # ------------------ sasl
    row(
        "dovecot_without_its_socket",
        {
            "dovecot-socket": [
                "main.cf line N: smtpd_sasl_path = private/auth: Dovecot's socket "
                "/var/spool/postfix/private/auth does not exist, so smtpd of smtp/inet would not start; "
                "configure Dovecot's auth socket and start it first",
                "master.cf line N: 2525/inet -o smtpd_sasl_path = unix:private/auth2: Dovecot's socket "
                "/var/spool/postfix/private/auth2 does not exist, so smtpd of 2525/inet would not start; "
                "configure Dovecot's auth socket and start it first",
            ]
        },
        parameters={
            "smtpd_sasl_auth_enable": True,
            "smtpd_sasl_type": "dovecot",
            "smtpd_sasl_path": "private/auth",
            "smtpd_tls_security_level": "may",
            **SNAKEOIL,
        },
        services=[
            inet("587", smtpd_sasl_path="inet:127.0.0.1:12345"),
            inet("2525", smtpd_sasl_path="unix:private/auth2"),
            inet("2526", smtpd_sasl_auth_enable=False),
        ],
    ),
    row(
        "cyrus_with_the_socket_of_dovecot",
        {
            "cyrus-server": [
                "main.cf line N: smtpd_sasl_path = private/auth: private/auth is a socket of Dovecot, but "
                "smtpd_sasl_type is cyrus; set smtpd_sasl_type = dovecot"
            ]
        },
        parameters={
            "smtpd_sasl_auth_enable": True,
            "smtpd_sasl_path": "private/auth",
            "smtpd_tls_security_level": "may",
            **SNAKEOIL,
        },
        services=[inet("587", smtpd_sasl_path="smtpd")],
    ),
    row(
        "auth_over_tls_only",
        {
            "auth-never-offered": [
                "main.cf line N: smtpd_tls_auth_only = yes: AUTH is offered over TLS only, but no service "
                "with SASL offers TLS, so nobody can log in; set smtpd_tls_security_level = may or encrypt, "
                "with a certificate"
            ]
        },
        parameters={
            "smtpd_sasl_auth_enable": True,
            "smtpd_tls_auth_only": True,
            "smtpd_tls_security_level": "none",
        },
        services=[inet("2525", smtpd_tls_auth_only=True)],
    ),
    row(
        "auth_over_tls_on_one_port",
        {},
        parameters={
            "smtpd_sasl_auth_enable": True,
            "smtpd_tls_auth_only": True,
            "smtpd_tls_security_level": "none",
            **SNAKEOIL,
        },
        services=[SUBMISSIONS],
    ),
    row(
        "auth_where_tls_is_enforced",
        {},
        parameters={
            "smtpd_sasl_auth_enable": True,
            "smtpd_tls_auth_only": True,
            "smtpd_tls_security_level": "",
            "smtpd_enforce_tls": True,
            **SNAKEOIL,
        },
    ),
    row(
        "plugin_of_one_client",
        {
            "password-in-main-cf": [
                "master.cf line N: relay/unix -o smtp_sasl_password_maps = static:…: a password in main.cf "
                "can be read by every user of the host; put it in a file with sensitive: true, and name that "
                "as texthash:FILE"
            ],
            "sasl-plugin-missing": [
                "master.cf line N: relay/unix -o smtp_sasl_mechanism_filter = digest-md5, xoauth2, plain: the"
                " plugin for DIGEST-MD5 is not installed; install libsasl2-modules",
                "master.cf line N: relay/unix -o smtp_sasl_mechanism_filter = digest-md5, xoauth2, plain: the"
                " plugin for XOAUTH2 is not installed; install Cyrus SASL's plugin for XOAUTH2, which no package of "
                "Debian is known to bring (sasl-xoauth2: Fedora has it, EPEL for EL, a PPA for Ubuntu), or use another "
                "mechanism",
            ],
        },
        services=[
            unix(
                "relay",
                "smtp",
                options={
                    "smtp_sasl_auth_enable": True,
                    "smtp_sasl_mechanism_filter": "digest-md5, xoauth2, plain",
                    "smtp_sasl_password_maps": "static:x",
                },
            ),
            unix("smarthost", "smtp", options={"smtp_sasl_auth_enable": True}),
        ],
    ),
    # ------------------ sockets
    row(
        "milters",
        {
            "milter-endpoint": [
                "main.cf line N: smtpd_milters = inet:localhost:8891,...: 'localhost:8891' is not an "
                "endpoint; write inet:host:port or unix:path",
                "main.cf line N: smtpd_milters = inet:localhost:8891,...: 'inet6:[::1]:none' has no known "
                "port; write inet:host:port with a number",
                "main.cf line N: smtpd_milters = inet:localhost:8891,...: 'local:' is not an endpoint; write "
                "inet:host:port or unix:path",
                "main.cf line N: smtpd_milters = inet:localhost:8891,...: 'inet:8892' has no known port; "
                "write inet:host:port with a number",
                "main.cf line N: smtpd_milters = inet:localhost:8891,...: 'inet:localhost' has no known port;"
                " write inet:host:port with a number",
            ]
        },
        parameters={
            "smtpd_milters": "inet:localhost:8891, unix:/run/opendkim.sock, { inet:localhost:8893, "
            "connect_timeout=10s }, localhost:8891, inet6:[::1]:none, local:, {inet:8892}, "
            "inet:localhost"
        },
    ),
    row(
        "filter_without_port",
        {
            "proxy-filter": [
                "main.cf line N: smtpd_proxy_filter = inet:127.0.0.1: 'inet:127.0.0.1' has no known port; "
                "write host:port with a number",
                "master.cf line N: 2528/inet -o smtpd_proxy_filter = localhost: 'localhost' has no known "
                "port; write host:port with a number",
            ]
        },
        parameters={"smtpd_proxy_filter": "inet:127.0.0.1"},
        services=[
            inet("2525", smtpd_proxy_filter="127.0.0.1:10024"),
            inet("2526", smtpd_proxy_filter="unix:private/filter"),
            inet("2527", smtpd_proxy_filter="inet:127.0.0.1:10024"),
            inet("2528", smtpd_proxy_filter="localhost"),
            inet("2529", smtpd_proxy_filter=""),
        ],
    ),
    # ------------------ tables
    row(
        "tables_of_no_type",
        {
            "database-type": [
                "main.cf line N: default_database_type = nosuch: this Postfix has no table type 'nosuch'; "
                "postconf -m lists the types"
            ],
            "network-syntax": [
                "main.cf line N: mynetworks = 127.0.0.0/8, localho...: 'localhost:25' is not a network, "
                "address or host; write address/bits, a name or a table",
                "main.cf line N: mynetworks = 127.0.0.0/8, localho...: 'hsh:/etc/postfix/networks' is not a "
                "network, address or host; write address/bits, a name or a table",
            ],
            "table-type": [
                "main.cf line N: mynetworks = 127.0.0.0/8, localho...: this Postfix has no table type 'hsh'; "
                "write hash:/etc/postfix/networks",
                "main.cf line N: virtual_alias_maps = /etc/postfix/virtual...: '/etc/postfix/virtual' has no "
                "table type; write nosuch:/etc/postfix/virtual or texthash:/etc/postfix/virtual",
                "main.cf line N: virtual_alias_maps = /etc/postfix/virtual...: texthash:virtual: a relative "
                "path begins at the queue directory; write texthash:/etc/postfix/virtual",
                "main.cf line N: virtual_alias_maps = /etc/postfix/virtual...: this Postfix has no table type"
                " 'nosuch'; postconf -m lists the types",
                "main.cf line N: virtual_alias_maps = /etc/postfix/virtual...: this Postfix has no table type"
                " 'lmbd'; write lmdb:/etc/postfix/virtual",
                "main.cf line N: virtual_alias_maps = /etc/postfix/virtual...: this Postfix has no table type"
                " 'pcre'; install the package postfix-pcre, or use another type",
                "main.cf line N: virtual_alias_maps = /etc/postfix/virtual...: this Postfix has no table type"
                " 'mysql'; install the package postfix-mysql, or use another type",
                "main.cf line N: virtual_uid_maps = 5000: '5000' has no table type; write static:5000",
            ],
        },
        parameters={
            "virtual_alias_maps": "/etc/postfix/virtual, texthash:virtual, nosuch:/etc/postfix/virtual, "
            "lmbd:/etc/postfix/virtual, pcre:/etc/postfix/virtual, "
            "mysql:/etc/postfix/virtual.cf",
            "virtual_uid_maps": "5000",
            "mynetworks": "127.0.0.0/8, localhost:25, hsh:/etc/postfix/networks",
            "default_database_type": "nosuch",
        },
        files=[text("virtual", "a@example.com b@example.com\n")],
    ),
    row(
        "tables_in_the_value",
        {
            "password-in-main-cf": [
                "main.cf line N: smtp_sasl_password_maps = static:…: a password in main.cf can be read by "
                "every user of the host; put it in a file with sensitive: true, and name that as "
                "texthash:FILE",
            ]
        },
        parameters={
            "header_checks": "regexp:{ { /x/ IGNORE } }",
            "sender_canonical_maps": "!texthash:/etc/postfix/canonical {inline:{a=b}}",
            "smtp_sasl_password_maps": "static:joe:secret7, inline:{ { a = joe:secret7 } }",
        },
        files=[text("canonical", "a b\n")],
    ),
    row(
        "tables_missing",
        {
            "table-missing": [
                "main.cf line N: virtual_alias_maps = texthash:/etc/postfix/virtuals: the file of this table "
                "does not exist; write texthash:/etc/postfix/virtual",
                "main.cf line N: virtual_alias_maps = texthash:/etc/postfix/nothing: the file of this table "
                "does not exist; create it, or remove it here",
                "main.cf line N: virtual_alias_maps = texthash:/etc/postfix/sasl: this is a directory; name a file",
            ]
        },
        parameters={
            "virtual_alias_maps": "texthash:/etc/postfix/virtuals texthash:/etc/postfix/nothing "
            "texthash:/etc/postfix/sasl"
        },
        files=[text("virtual", "a@example.com b@example.com\n")],
    ),
    row(
        "rows_of_aliases",
        {
            "duplicate-key": [
                "virtual line 4: d@example.com: duplicate key: Postfix refuses the whole table "
                "texthash:/etc/postfix/virtual; remove one of the two lines",
                "warning: more line 2: d@example.com: the key is there twice in hash:/etc/postfix/more, and "
                "one of the two is ignored; remove one of the two lines",
            ],
            "table-row": [
                "aliases line 1: joe:: texthash: keeps the colon in the name, so this alias would never "
                "match; write joe without the colon",
                "aliases line 4: sam: the key has no value; write key, space, value",
                "compiled line 2: bob: aliases(5) needs a colon after the name; write bob: …",
                "more line 3: x@example.com:: only aliases(5) has a colon after the key; write x@example.com "
                "without the colon",
                "more line 4: z@example.com: the key has no value; write key, space, value",
                "virtual line 1: a@example.com:: only aliases(5) has a colon after the key; write "
                "a@example.com without the colon",
                "virtual line 2: c@example.com: the key has no value; write key, space, value",
            ],
        },
        parameters={
            "alias_maps": "texthash:/etc/postfix/aliases hash:/etc/postfix/compiled",
            "virtual_alias_maps": "texthash:/etc/postfix/virtual hash:/etc/postfix/more",
        },
        files=[
            text("aliases", "joe: ann\nbob ann\nfile:: ann\nsam\n"),
            text("compiled", "joe: ann\nbob ann\nsam :ann\n"),
            text("virtual", "a@example.com: b\nc@example.com\nd@example.com e\nd@example.com f\n"),
            text("more", "d@example.com e\nd@example.com f\nx@example.com: y\nz@example.com\n"),
        ],
    ),
    row(
        "tables_by_proxy",
        {},
        parameters={
            "relocated_maps": "texthash:/etc/postfix/virtual, proxy:texthash:/etc/postfix/virtual",
            "virtual_alias_maps": "proxy:texthash:/etc/postfix/virtual",
        },
        files=[text("virtual", "a@example.com b@example.com\n")],
    ),
    row(
        "table_not_for_the_proxy",
        {
            "proxymap-not-allowed": [
                "main.cf line N: vip = check_client_access ...: proxymap(8) may not open "
                "proxy:texthash:/etc/postfix/vip, so every lookup would fail; write "
                "texthash:/etc/postfix/vip, or append it to the default of proxy_read_maps (postconf -d "
                "proxy_read_maps)"
            ]
        },
        parameters={
            "smtpd_restriction_classes": "vip",
            "vip": "check_client_access proxy:texthash:/etc/postfix/vip, check_sender_access "
            "texthash:/etc/postfix/vip, permit",
        },
        files=[text("vip", "192.0.2.1 OK\n")],
    ),
    row(
        "proxymap_with_tables_of_its_own",
        {},
        services=[
            {
                **unix("proxymap", "proxymap"),
                "options": {"proxy_read_maps": "proxy:texthash:/etc/postfix/vip"},
            }
        ],
        files=[text("vip", "a b\n")],
    ),
    row(
        "header_checks",
        {
            "header-check-action": [
                "checks line 1: /^Subject: x/ = REJEKT: there is no such action; write REJECT",
                "checks line 2: /^Subject: y/ = filter smtp: a filter is transport:nexthop; write FILTER "
                "transport:host:port",
                "checks line 3: /^Subject: z/: there is no such action; write one of REJECT, WARN, INFO, "
                "FILTER, PASS, DISCARD, HOLD, DELAY, PREPEND, REPLACE, REDIRECT, BCC, STRIP, IGNORE, DUNNO, "
                "OK",
                "checks line 7: /^Subject: d/ = REDIRCT: there is no such action; write REDIRECT",
            ]
        },
        parameters={"header_checks": "regexp:/etc/postfix/checks", "mime_header_checks": "static:REJEKT"},
        files=[
            text(
                "checks",
                "/^Subject: x/ REJEKT\n/^Subject: y/ filter smtp\n/^Subject: z/\n/^Subject: a/ $1\n"
                "/^Subject: b/ IGNORE\n/^Subject: c/ PASS now\n"
                "/^Subject: d/ REDIRCT joe@example.com\n",
            )
        ],
    ),
    # ------------------ tls policies
    row(
        "verification_without_authorities",
        {
            "no-ca-named": [
                "main.cf line N: smtp_tls_security_level = verify: certificates are to be verified, but no CA"
                " is named, so every delivery would fail; set smtp_tls_CAfile, for example to "
                "/etc/ssl/certs/ca-certificates.crt",
                "master.cf line N: lmtp/unix -o lmtp_tls_security_level = Secure: certificates are to be "
                "verified, but no CA is named, so every delivery would fail; set lmtp_tls_CAfile, for example"
                " to /etc/ssl/certs/ca-certificates.crt",
            ]
        },
        parameters={
            "smtp_tls_security_level": "verify",
            "relayhost": "[relay.example.com]",
            "smtp_tls_CAfile": "",
            "smtp_tls_CApath": "",
        },
        services=[
            unix("relay", "smtp", options={"smtp_tls_CAfile": "/etc/ssl/certs/ca-certificates.crt"}),
            unix("lmtp", "lmtp", options={"lmtp_tls_security_level": "Secure"}),
        ],
    ),
    row(
        "verification_by_the_authorities_of_the_system",
        {},
        parameters={
            "relayhost": HOP,
            "smtp_tls_security_level": "verify",
            "tls_append_default_CA": True,
            "smtp_tls_CAfile": "",
            "smtp_tls_CApath": "",
        },
    ),
    row(
        "verification_by_policies_only",
        {
            "no-ca-named": [
                "main.cf line N: smtp_tls_policy_maps = texthash:/etc/postfix/policies: certificates are to "
                "be verified, but no CA is named, so every delivery would fail; set smtp_tls_CAfile, for "
                "example to /etc/ssl/certs/ca-certificates.crt"
            ]
        },
        parameters={
            "smtp_tls_security_level": "may",
            "smtp_tls_CAfile": "",
            "smtp_tls_CApath": "",
            "smtp_tls_policy_maps": "texthash:/etc/postfix/policies",
        },
        files=[text("policies", "example.org Secure match=example.org\n")],
    ),
    row(
        "verification_by_policies_with_their_own",
        {"table-row": ["policies line 3: example.com: the key has no value; write key, space, value"]},
        parameters={
            "smtp_tls_security_level": "may",
            "smtp_tls_CAfile": "",
            "smtp_tls_CApath": "",
            "smtp_tls_policy_maps": "texthash:/etc/postfix/policies",
        },
        files=[
            text(
                "policies",
                "example.org secure tafile=/etc/letsencrypt/ca.pem\nexample.net encrypt\nexample.com\n",
            )
        ],
    ),
    row(
        "authorities_in_a_directory_of_a_chroot",
        {
            "ca-path-in-chroot": [
                "warning: main.cf line N: smtp_tls_CApath = /etc/letsencrypt: smtp/unix is chrooted, and "
                "CApath is looked up inside the chroot; set smtp_tls_CAfile instead",
                "warning: main.cf line N: smtp_tls_CApath = /etc/letsencrypt: relay/unix is chrooted, and "
                "CApath is looked up inside the chroot; set smtp_tls_CAfile instead",
            ]
        },
        parameters={
            "smtp_tls_security_level": "secure",
            "relayhost": "[relay.example.com]",
            "smtp_tls_CAfile": "",
            "smtp_tls_CApath": "/etc/letsencrypt",
        },
    ),
    row(
        "authorities_in_a_directory",
        {},
        parameters={
            "smtp_tls_security_level": "secure",
            "relayhost": "[relay.example.com]",
            "smtp_tls_CAfile": "/etc/ssl/certs/ca-certificates.crt",
            "smtp_tls_CApath": "/etc/letsencrypt",
        },
        services=[{**unix("relay", "smtp"), "chroot": "n", "options": {"smtp_tls_CAfile": ""}}],
    ),
    row(
        "dane_without_dnssec",
        {
            "dane-without-dnssec": [
                "main.cf line N: smtp_tls_security_level = dane: DANE needs DNSSEC lookups, so Postfix would "
                "not use it; set smtp_dns_support_level = dnssec",
                "main.cf line N: lmtp_tls_security_level = dane-only: DANE needs DNSSEC lookups, so Postfix "
                "would not use it; set lmtp_dns_support_level = dnssec",
            ]
        },
        parameters={"smtp_tls_security_level": "dane", "lmtp_tls_security_level": "dane-only"},
        services=[unix("relay", "smtp", options={"smtp_dns_support_level": "dnssec"})],
    ),
    row(
        "fingerprint_without_one",
        {
            "no-fingerprint-named": [
                "main.cf line N: smtp_tls_security_level = fingerprint: no fingerprint is named that could "
                "match, so every delivery would fail; set smtp_tls_fingerprint_cert_match"
            ]
        },
        parameters={"smtp_tls_security_level": "fingerprint"},
        services=[unix("relay", "smtp", options={"smtp_tls_fingerprint_cert_match": "AA:BB"})],
    ),
    row(
        "policies_of_many_mistakes",
        {
            "table-row": ["policies line 11: k.example: the key has no value; write key, space, value"],
            "tls-policy": [
                "policies line 1: a.example = sekure: there is no such TLS level; write secure",
                "policies line 2: b.example = mach=x: TLS policies have no such attribute; write match",
                "policies line 3: c.example = match=: the attribute has no value; write match=…",
                "policies line 4: d.example = match: the attribute has no value; write match=…",
                "policies line 5: e.example = match=x: match has no place at the level encrypt; write secure,"
                " or remove it",
                "policies line 6: f.example = tafile=/etc/ssl/nothing.pem: the file /etc/ssl/nothing.pem does"
                " not exist; correct the path",
                "policies line 7: g.example = dane: DANE needs DNSSEC lookups; set smtp_dns_support_level = dnssec",
                "policies line 8: h.example = fingerprint: no fingerprint is named that could match; add "
                "match=FINGERPRINT",
                "policies line 14: m.example = dane-only: DANE needs DNSSEC lookups; set "
                "smtp_dns_support_level = dnssec",
                "policies line 15: n.example = servername: the attribute has no value; write servername=…",
            ],
            "tls-policy-key": [
                "policies line 13: relay.example.com:587: the key must repeat the next hop byte for byte, so "
                "this policy would never be used; write [relay.example.com]:587"
            ],
        },
        parameters={
            "smtp_tls_policy_maps": "texthash:/etc/postfix/policies",
            "smtp_tls_CAfile": "/etc/ssl/certs/ca-certificates.crt",
            "relayhost": "[relay.example.com]:587",
        },
        files=[
            text(
                "policies",
                "a.example sekure\nb.example secure mach=x\nc.example secure match=\n"
                "d.example secure match\ne.example encrypt match=x\n"
                "f.example secure tafile=/etc/ssl/nothing.pem\ng.example dane\n"
                "h.example fingerprint\ni.example fingerprint match=AA\n"
                "j.example verify {match = x}\nk.example\nl.example May\n"
                "relay.example.com:587 encrypt\nm.example dane-only\nn.example encrypt servername\n",
            )
        ],
    ),
    row(
        "policies_with_defaults",
        {},
        parameters={
            "smtp_tls_policy_maps": "texthash:/etc/postfix/policies",
            "smtp_tls_fingerprint_cert_match": "AA:BB",
            "smtp_dns_support_level": "dnssec",
        },
        files=[text("policies", "g.example dane\nh.example fingerprint\n")],
    ),
    row(
        "policies_of_the_local_client",
        {
            "tls-policy": [
                "policies line 1: g.example = dane: DANE needs DNSSEC lookups; set lmtp_dns_support_level = dnssec",
                "policies line 2: h.example = fingerprint: no fingerprint is named that could match; add "
                "match=FINGERPRINT",
            ]
        },
        parameters={"lmtp_tls_policy_maps": "texthash:/etc/postfix/policies"},
        files=[text("policies", "g.example dane\nh.example fingerprint\n")],
    ),
    row(
        "policies_of_one_service",
        {},
        parameters={"relayhost": "[relay.example.com]:587"},
        services=[unix("relay", "smtp", options={"smtp_tls_policy_maps": "texthash:/etc/postfix/policies"})],
        files=[text("policies", "relay.example.com:587 encrypt\n")],
    ),
    # ------------------ transports
    row(
        "transports_that_are_not_there",
        {
            "next-hop-syntax": [
                "transport line 4: b.example = smtp:[b.example: '[b.example': brackets do not match; write "
                "[b.example]"
            ],
            "transport-pattern": [
                "transport line 5: *.c.example = smtp:: an asterisk stands alone or not at all; write .c.example",
                "transport line 6: @d.example = smtp:: a domain of transport(5) has no @; write d.example",
            ],
            "unknown-transport": [
                "main.cf line N: default_transport = smpt:[relay.example.com]: master.cf has no service "
                "'smpt'; write smtp:[relay.example.com]",
                "main.cf line N: content_filter = amavis-scan:[127.0.0.1]:10024: master.cf has no service "
                "'amavis-scan'; add it to services",
                "transport line 1: example.org = mx.example.org: master.cf has no service 'mx.example.org'; "
                "write smtp:mx.example.org",
                "transport line 2: example.net = [mx.example.net]: master.cf has no service "
                "'[mx.example.net]'; write smtp:[mx.example.net]",
                "transport line 8: f.example = vrtual: master.cf has no service 'vrtual'; write virtual",
                "transport line 9: g.example = xyzzy:x: master.cf has no service 'xyzzy'; add it to services",
            ],
        },
        parameters={
            "default_transport": "smpt:[relay.example.com]",
            "content_filter": "amavis-scan:[127.0.0.1]:10024",
            "transport_maps": "texthash:/etc/postfix/transport",
        },
        files=[
            text(
                "transport",
                "example.org mx.example.org\nexample.net [mx.example.net]\nexample.com dunno\n"
                "b.example smtp:[b.example\n*.c.example smtp:\n@d.example smtp:\n"
                ".e.example error:no such domain\nf.example vrtual\ng.example xyzzy:x\n",
            )
        ],
    ),
    row(
        "shipped_services_removed",
        {
            "default-transport-missing": [
                "main.cf: default_transport = smtp: master.cf has no service 'smtp'; add smtp as the shipped "
                "master.cf has it",
                "main.cf: local_transport = local:$myhostname: master.cf has no service 'local'; add local as"
                " the shipped master.cf has it",
                "main.cf: virtual_transport = virtual: master.cf has no service 'virtual'; add virtual as the"
                " shipped master.cf has it",
            ]
        },
        parameters={
            "virtual_mailbox_domains": "example.org",
            "virtual_uid_maps": "static:5000",
            "virtual_gid_maps": "static:5000",
            "relay_domains": "",
        },
        services=[absent("smtp"), absent("virtual"), absent("local"), absent("relay")],
    ),
    row(
        "hops_that_cannot_be_read",
        {
            "next-hop-syntax": [
                "main.cf line N: relayhost = https://relay.example.com/, [relay.example.com: "
                "'https://relay.example.com/' is a URL; write [relay.example.com]:25",
                "main.cf line N: relayhost = https://relay.example.com/, [relay.example.com: "
                "'[relay.example.com': brackets do not match; write [relay.example.com]",
                "main.cf line N: smtp_fallback_relay = relay.example.com:smtpx: 'relay.example.com:smtpx': "
                "port 'smtpx' is not a number; numeric ports work on every host",
                "main.cf line N: mailbox_transport = lmtp:/run/lmtp.sock: '/run/lmtp.sock' would be taken for"
                " a host; write lmtp:unix:/run/lmtp.sock",
                "main.cf line N: content_filter = smtp:inet:127.0.0.1:x: '127.0.0.1:x': port 'x' is not a "
                "number; numeric ports work on every host",
                "senders line 2: b@example.com = relay.example.com:: 'relay.example.com:': no port follows "
                "the colon; write relay.example.com:587 or relay.example.com",
            ],
            "table-row": ["senders line 3: c@example.com: the key has no value; write key, space, value"],
        },
        parameters={
            "relayhost": "https://relay.example.com/, [relay.example.com",
            "smtp_fallback_relay": "relay.example.com:smtpx",
            "mailbox_transport": "lmtp:/run/lmtp.sock",
            "virtual_transport": "lmtp:unix:private/lmtp",
            "content_filter": "smtp:inet:127.0.0.1:x",
            "sender_dependent_relayhost_maps": "texthash:/etc/postfix/senders",
        },
        files=[
            text(
                "senders",
                "a@example.com DUNNO\nb@example.com relay.example.com:\nc@example.com\n"
                "d@example.com a.example.com b.example.com\n",
            )
        ],
    ),
    row(
        "pipes_that_cannot_run",
        {
            "pipe-program": [
                "main.cf line N: virtual_transport = vmail: the service vmail runs /usr/bin/nothing, which "
                "does not exist; install it, or name another transport",
                "main.cf line N: virtual_transport = vmail: the service vmail runs as user vmail, which does "
                "not exist; create the user, or name another",
                "main.cf line N: virtual_transport = vmail: the service vmail runs as group mail, which does "
                "not exist; create the group, or name another",
            ],
            "pipe-recipient-limit": [
                "main.cf line N: virtual_transport = vmail: the service vmail has flag D, so pipe would defer"
                " mail for several recipients; set vmail_destination_recipient_limit = 1"
            ],
        },
        parameters={
            "content_filter": "smtp:[127.0.0.1]:10025",
            "virtual_transport": "vmail",
            "mailbox_transport": "maildrop",
            "virtual_mailbox_domains": "example.org",
            "maildrop_destination_recipient_limit": "1",
            "fallback_transport": "uucp",
        },
        services=[
            unix("vmail", "pipe flags=DORhu user=vmail:mail argv=/usr/bin/nothing", unpriv="n"),
            unix("maildrop", "pipe flags=ODRhu user=list:list argv=/bin/cat", unpriv="n"),
            unix("uucp", "pipe flags=F user=nobody argv=cat", unpriv="n"),
        ],
    ),
    row(
        "pipe_with_the_default_limit",
        {},
        parameters={"virtual_transport": "dovecot", "default_destination_recipient_limit": "1"},
        services=[PIPE],
    ),
    row(
        "virtual_mailboxes_without_owner",
        {
            "virtual-mailbox-owner": [
                "main.cf line N: virtual_uid_maps = static:99: smaller than virtual_minimum_uid (100), so "
                "virtual(8) would defer all mail; name another user, or set virtual_minimum_uid"
            ]
        },
        parameters={
            "virtual_mailbox_domains": "example.org",
            "virtual_mailbox_maps": "inline:{a@example.org=a/}",
            "virtual_uid_maps": "static:99",
            "virtual_gid_maps": "static:99",
        },
    ),
    row(
        "virtual_mailboxes_of_the_smallest_owner",
        {
            "virtual-mailbox-owner": [
                "main.cf line N: virtual_gid_maps: virtual_gid_maps is empty, so virtual(8) would defer all "
                "mail for these domains; set virtual_gid_maps = static:NUMBER, or another virtual_transport"
            ]
        },
        parameters={
            "virtual_mailbox_domains": "example.org",
            "virtual_uid_maps": "static:100",
            "virtual_gid_maps": "",
        },
    ),
    row(
        "virtual_mailboxes_of_nobody",
        {
            "virtual-mailbox-owner": [
                "main.cf line N: virtual_mailbox_domains = example.org: virtual_uid_maps is empty, so "
                "virtual(8) would defer all mail for these domains; set virtual_uid_maps = static:NUMBER, or "
                "another virtual_transport",
                "main.cf line N: virtual_mailbox_domains = example.org: virtual_gid_maps is empty, so "
                "virtual(8) would defer all mail for these domains; set virtual_gid_maps = static:NUMBER, or "
                "another virtual_transport",
            ]
        },
        parameters={"virtual_mailbox_domains": "example.org"},
    ),
    row(
        "virtual_mailboxes_elsewhere",
        {},
        parameters={"virtual_mailbox_domains": "example.org", "virtual_transport": "lmtp:unix:private/lmtp"},
    ),
    row(
        "mailbox_command_missing",
        {
            "mailbox-command": [
                "main.cf line N: mailbox_command = /usr/bin/procmial -a $EXTENSION: there is no program "
                "/usr/bin/procmial, so local mail would bounce; install it, or remove mailbox_command"
            ]
        },
        parameters={"mailbox_command": "/usr/bin/procmial -a $EXTENSION"},
    ),
    row(
        "mailbox_command_for_nobody",
        {},
        parameters={"mailbox_command": "/usr/bin/procmial", "mydestination": ""},
    ),
    row("mailbox_command_unquoted", {}, parameters={"mailbox_command": "/usr/bin/procmail 'a"}),
    # ------------------ values
    row(
        "directories_missing",
        {
            "directory-missing": [
                "main.cf line N: queue_directory = /var/spool/mail-queue: the directory /var/spool/mail-queue"
                " does not exist; correct the path",
                "main.cf line N: daemon_directory = /usr/libexec/nothing: the directory /usr/libexec/nothing "
                "does not exist; correct the path",
                "main.cf line N: meta_directory = /nowhere: the directory /nowhere does not exist; correct the path",
            ]
        },
        parameters={
            "queue_directory": "/var/spool/mail-queue",
            "daemon_directory": "/usr/libexec/nothing",
            "command_directory": "",
            "meta_directory": "/nowhere",
            "shlib_directory": "no",
        },
    ),
    row(
        "mailbox_smaller_than_a_message",
        {
            "mailbox-smaller-than-message": [
                "main.cf line N: mailbox_size_limit = 10240000: mailbox_size_limit (10240000) is smaller than"
                " message_size_limit (20480000; 0 is unlimited), so local(8) does not start; write "
                "mailbox_size_limit = 0, or at least 20480000"
            ]
        },
        parameters={"message_size_limit": "20480000", "mailbox_size_limit": "10240000"},
    ),
    row(
        "mailbox_as_large_as_a_message",
        {},
        parameters={"message_size_limit": "20480000", "mailbox_size_limit": "20480000"},
    ),
    row(
        "message_larger_than_the_default_mailbox",
        {
            "mailbox-smaller-than-message": [
                "main.cf line N: message_size_limit = 204800000: virtual_mailbox_limit (51200000) is smaller "
                "than message_size_limit (204800000; 0 is unlimited), so virtual(8) does not start; write "
                "virtual_mailbox_limit = 0, or at least 204800000"
            ]
        },
        parameters={
            "message_size_limit": "204800000",
            "virtual_mailbox_domains": "example.org",
            "virtual_uid_maps": "static:5000",
            "virtual_gid_maps": "static:5000",
            "mailbox_size_limit": "0",
        },
    ),
    row(
        "mailboxes_of_another_transport",
        {},
        parameters={
            "message_size_limit": "20480000",
            "mailbox_size_limit": "10240000",
            "local_transport": "error:no local mail",
            "virtual_mailbox_domains": "",
            "virtual_mailbox_limit": "1024",
        },
    ),
    row(
        "mailboxes_of_no_domain",
        {},
        parameters={
            "message_size_limit": "20480000",
            "mailbox_size_limit": "10240000",
            "mydestination": "",
            "virtual_mailbox_limit": "1024",
        },
    ),
    row(
        "messages_without_limit",
        {
            "mailbox-smaller-than-message": [
                "main.cf line N: mailbox_size_limit = 51200000: mailbox_size_limit (51200000) is smaller than"
                " message_size_limit (0; 0 is unlimited), so local(8) does not start; write "
                "mailbox_size_limit = 0"
            ]
        },
        parameters={"message_size_limit": "0", "mailbox_size_limit": "51200000"},
    ),
    row(
        "sizes_that_are_no_numbers",
        {"value-type": ["main.cf line N: message_size_limit = 20M: a number is needed here; write 20971520"]},
        parameters={"message_size_limit": "20M", "mailbox_size_limit": "10240000"},
    ),
    row(
        "values_of_the_wrong_type",
        {
            "value-type": [
                "main.cf line N: mailbox_size_limit = 1Gi: a number is needed here; write 1073741824",
                "main.cf line N: biff = False: yes or no is needed here; write no",
                "main.cf line N: smtpd_helo_required = 1: yes or no is needed here; write yes",
                "main.cf line N: disable_vrfy_command = maybe: yes or no is needed here; write yes or no",
                "main.cf line N: message_size_limit = 50 MB: a number is needed here; write 52428800",
                "main.cf line N: queue_minfree = 2kB: a number is needed here; write 2048",
                "main.cf line N: bounce_size_limit = many: a number is needed here; write digits only",
                "main.cf line N: maximal_queue_lifetime = 5 Days: a time is needed here; write 5d",
                "main.cf line N: minimal_backoff_time = soon: a time is needed here; write a number with s, "
                "m, h, d or w, for example 5m",
                "main.cf line N: smtp_connect_timeout = 30S: a time is needed here; write 30s",
                "main.cf line N: relay_destination_rate_delay = 1 s: a time is needed here; write 1s",
                "main.cf line N: lmtp_time_limit = x: a time is needed here; write a number with s, m, h, d "
                "or w, for example 5m",
            ]
        },
        parameters={
            "biff": "False",
            "smtpd_helo_required": "1",
            "disable_vrfy_command": "maybe",
            "message_size_limit": "50 MB",
            "mailbox_size_limit": "1Gi",
            "queue_minfree": "2kB",
            "bounce_size_limit": "many",
            "maximal_queue_lifetime": "5 Days",
            "minimal_backoff_time": "soon",
            "smtp_connect_timeout": "30S",
            "relay_destination_rate_delay": "1 s",
            "lmtp_time_limit": "x",
        },
    ),
    row(
        "values_out_of_range",
        {
            "value-range": [
                "main.cf line N: default_process_limit = 0: Postfix's daemons do not start with a number that"
                " small here; write at least 1",
                "main.cf line N: smtpd_recipient_limit = 2147483648: the number is too large; write at most "
                "2147483647",
                "main.cf line N: minimal_backoff_time = 0s: Postfix's daemons do not start with a time of "
                "zero here; write at least 1 s",
                "main.cf line N: unknown_local_recipient_reject_code = 55: a reply code has three digits; "
                "write 450 or 550",
                "main.cf line N: smtp_mx_address_limit = -1: Postfix's daemons do not start with a number "
                "that small here; write at least 0",
                "main.cf line N: queue_minfree = -1: Postfix's daemons do not start with a number that small "
                "here; write at least 0",
            ]
        },
        parameters={
            "default_process_limit": "0",
            "smtpd_recipient_limit": "2147483648",
            "message_size_limit": "4294967296",
            "minimal_backoff_time": "0s",
            "delay_warning_time": "0h",
            "relay_destination_rate_delay": "0s",
            "unknown_local_recipient_reject_code": "55",
            "soft_bounce": "no",
            "smtpd_error_sleep_time": "0",
            "address_verify_poll_count": "1",
            "smtp_mx_address_limit": "-1",
            "queue_minfree": "-1",
        },
    ),
    row(
        "values_at_the_edge",
        {},
        parameters={
            "smtpd_recipient_limit": "2147483647",
            "default_process_limit": "1",
            "smtp_mx_address_limit": "0",
            "unknown_local_recipient_reject_code": "450",
            "minimal_backoff_time": "1s",
        },
    ),
    row(
        "words_that_do_not_exist",
        {
            "cipher-list": [
                "main.cf line N: tls_high_cipherlist = nonsense: OpenSSL knows no cipher of this list; see "
                "openssl ciphers -v 'HIGH:!aNULL'"
            ],
            "fingerprint-digest": [
                "main.cf line N: smtp_tls_fingerprint_digest = sha265: OpenSSL knows no such digest; write sha256"
            ],
            "protocols-empty": [
                "main.cf line N: inet_protocols: no protocol is named; write all, ipv4 or ipv6"
            ],
            "sasl-mechanism-spelling": [
                "main.cf line N: smtp_sasl_mechanism_filter = !crammd5, login, SCRAM_SHA_256, digest-md5: "
                "'!crammd5' is not a SASL mechanism, so none would be left; write CRAM-MD5",
                "main.cf line N: smtp_sasl_mechanism_filter = !crammd5, login, SCRAM_SHA_256, digest-md5: "
                "'SCRAM_SHA_256' is not a SASL mechanism, so none would be left; write SCRAM-SHA-256",
            ],
            "tls-protocol": [
                "main.cf line N: smtp_tls_protocols = , !SSLv2, TLSv1_2 : ...: 'TLSv1_2' is not a TLS "
                "protocol; write TLSv1.2"
            ],
            "unknown-list-word": [
                "main.cf line N: notify_classes = bounce, Polcy, resources: 'Polcy' is not a valid class of "
                "notices; write policy",
                "main.cf line N: notify_classes = bounce, Polcy, resources: 'resources' is not a valid class "
                "of notices; write resource",
            ],
            "unknown-word": [
                "main.cf line N: smtp_tls_security_level = Encrpyt: there is no such TLS level of the client;"
                " write encrypt",
                "main.cf line N: smtpd_tls_ciphers = strong: there is no such cipher grade; write one of "
                "export, low, medium, high, null",
            ],
        },
        parameters={
            "smtp_tls_security_level": "Encrpyt",
            "smtpd_tls_ciphers": "strong",
            "notify_classes": "bounce, Polcy, resources",
            "smtp_tls_fingerprint_digest": "sha265",
            "tls_high_cipherlist": "nonsense",
            "smtp_tls_protocols": ", !SSLv2, TLSv1_2 : >=TLSv1.2, 0304, <=0x0304, sslv3",
            "smtp_sasl_mechanism_filter": "!crammd5, login, SCRAM_SHA_256, digest-md5",
            "inet_protocols": "",
        },
    ),
    row(
        "level_of_compatibility",
        {
            "compatibility-level": [
                "main.cf line N: compatibility_level = 3.11: this host has Postfix 3.10.13; write 3.10"
            ]
        },
        parameters={"compatibility_level": "3.11"},
    ),
    row(
        "level_of_the_next_major_release",
        {
            "compatibility-level": [
                "main.cf line N: compatibility_level = 4: this host has Postfix 3.10.13; write 3.10"
            ]
        },
        parameters={"compatibility_level": "4"},
    ),
    row("level_of_this_release", {}, parameters={"compatibility_level": "3.10.13"}),
    row(
        "level_without_a_number",
        {
            "compatibility-level": [
                "main.cf line N: compatibility_level = three: a level is a number or a version; write 3.10"
            ]
        },
        parameters={"compatibility_level": "three"},
    ),
]


@pytest.mark.parametrize(("case", "expected"), ROWS)
def test_all_that_is_found(lab: Lab, case: Case, expected: dict[str, list[str]]) -> None:
    assert found(lab, case, told=shortened) == expected
