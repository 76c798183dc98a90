"""The outside: one machine that is every relay, every foreign mail server and the name server of the tests.

Each relay is a real Postfix service, with a real Dovecot for its logins, on an address and under a name of its own:
"plain" is plain.relay.test. What makes it different are options of that service, a row of RELAYS.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, NamedTuple

from . import certificates
from .certificates import DAY, NOW, Recipe
from .machine import Machine, answer_everywhere, plug

HERE = Path(__file__).resolve().parent
DOMAIN = "relay.test"
RESOLVER = "198.18.0.53"
SILENT = "198.18.0.9"
"""No packet to this address is answered."""
NOBODY = "198.18.0.8"
"""Nothing listens on this address."""
RECIPIENT = "inbox@example.test"
SENDER = "ops@example.test"
LOG = "/var/log/outside.log"

# User names and passwords of the relays. A name says what is special about its password.
USERS = {
    "ops": "Secret-7-of-the-relay",
    "ops@example.test": "Secret-7-of-the-relay",
    "colon": "a:b::c",
    "blank": "one two  three",
    "leading": " starts-with-a-blank",
    "trailing": "ends-with-a-blank ",
    "tab": "ends-with-a-tab\t",
    "umlaut": "Grüße-aus-Köln",
    "hash": "#first-and#inside",
    "quotes": "\"double\" and 'single'",
    "dollar": "$myhostname ${x} $$ $(id)",
    "backslash": "back\\slash\\n%s%%",
    "braces": "{left} }right{",
    "equals": "a=b, c = d",
    "long": "x" * 200,
    "partner": "Secret-9-of-the-other",
}
# Of these the server knows a hash only: it can check PLAIN and LOGIN, whatever else it offers.
CRYPTED = {"crypted": "Secret-8-of-the-relay"}


class Relay(NamedTuple):
    options: dict[str, str] = {}  # noqa: RUF012 # never changed
    ports: tuple[int, ...] = (587,)
    implicit: tuple[int, ...] = ()
    recipe: str = "good"
    command: str = "smtpd"
    maxproc: str = "-"
    type: str = "inet"


def _login(mechanisms: str) -> dict[str, str]:
    return {"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_mechanism_filter": mechanisms}


PLAIN = _login("plain, login")
ONLY_LOGGED_IN = {**PLAIN, "smtpd_recipient_restrictions": "permit_sasl_authenticated, reject"}


def _asked(**restrictions: str) -> dict[str, str]:
    return {**PLAIN, **{f"smtpd_{name}_restrictions": text for name, text in restrictions.items()}}


CURIOUS = {
    "smtpd_tls_security_level": "encrypt",
    "smtpd_tls_ask_ccert": "yes",
    "smtpd_tls_CAfile": "/etc/world/other.pem",
    "smtpd_tls_loglevel": "1",
}
FROM_OPS = f"inline:{{ {{ {SENDER} = OK }} }}"
RELAYS: dict[str, Relay] = {
    "plain": Relay(ONLY_LOGGED_IN, (25, 587, 2525), (465, 2465)),
    "only-plain": Relay({**ONLY_LOGGED_IN, **_login("plain")}),
    "only-login": Relay({**ONLY_LOGGED_IN, **_login("login")}),
    "digest": Relay({**ONLY_LOGGED_IN, **_login("plain, login, digest-md5")}),
    "cram": Relay({**ONLY_LOGGED_IN, **_login("cram-md5")}),
    "scram-1": Relay({**ONLY_LOGGED_IN, **_login("scram-sha-1")}),
    "scram-256": Relay({**ONLY_LOGGED_IN, **_login("scram-sha-256")}),
    "all-mechanisms": Relay({**ONLY_LOGGED_IN, "smtpd_sasl_mechanism_filter": "static:all"}),
    "plain-cram": Relay({**ONLY_LOGGED_IN, **_login("plain, login, cram-md5")}),
    "plain-scram": Relay({**ONLY_LOGGED_IN, **_login("plain, login, scram-sha-1, scram-sha-256")}),
    "no-login": Relay({"smtpd_sasl_auth_enable": "no", "smtpd_recipient_restrictions": "reject"}),
    "open": Relay(ports=(25, 587)),
    "full-name": Relay(_asked(helo="reject_non_fqdn_helo_hostname")),
    "full-name-at-once": Relay(
        {**_asked(helo="reject_non_fqdn_helo_hostname"), "smtpd_delay_reject": "no"},
    ),
    "known-name": Relay(_asked(helo="reject_unknown_helo_hostname")),
    "own-sender": Relay(
        {
            **_asked(sender="reject_sender_login_mismatch"),
            "smtpd_sender_login_maps": f"inline:{{ {{ {SENDER} = ops }} }}",
        }
    ),
    "verified": Relay(_asked(sender=f"check_sender_access {FROM_OPS}, reject")),
    "verified-at-once": Relay(
        {**_asked(sender=f"check_sender_access {FROM_OPS}, reject"), "smtpd_delay_reject": "no"}
    ),
    "known-domain": Relay(_asked(sender="reject_unknown_sender_domain")),
    "no-null": Relay(
        {**_asked(sender="check_sender_access inline:{{<> = REJECT}}"), "smtpd_delay_reject": "no"}
    ),
    "busy-for-senders": Relay(
        {
            **_asked(sender="check_sender_access static:{421 4.7.0 come back later}"),
            "smtpd_delay_reject": "no",
        }
    ),
    "later-for-senders": Relay(
        {
            **_asked(sender="check_sender_access static:{450 4.1.8 come back later}"),
            "smtpd_delay_reject": "no",
        }
    ),
    "busy-at-ehlo": Relay(
        {**_asked(helo="check_helo_access static:{421 4.3.2 too busy}"), "smtpd_delay_reject": "no"}
    ),
    "no-such-user": Relay(
        _asked(recipient=f"check_recipient_access inline:{{ {{ {RECIPIENT} = REJECT unknown user }} }}")
    ),
    "greylist": Relay(
        _asked(recipient=f"check_recipient_access inline:{{ {{ {RECIPIENT} = 450 4.2.0 greylisted }} }}")
    ),
    "second-address": Relay(_asked(client="check_client_access cidr:/etc/world/second, reject")),
    "first-address": Relay(_asked(client="check_client_access cidr:/etc/world/first, reject")),
    "not-me": Relay({**_asked(client="reject"), "smtpd_delay_reject": "no"}),
    "one-connection": Relay({**PLAIN, "smtpd_client_connection_count_limit": "1"}),
    "few-connections": Relay({**PLAIN, "smtpd_client_connection_rate_limit": "4"}),
    "slow": Relay({**_asked(client="sleep 5"), "smtpd_delay_reject": "no"}),
    "slow-ehlo": Relay({**_asked(helo="sleep 3"), "smtpd_delay_reject": "no"}),
    "slow-end": Relay(_asked(recipient="sleep 3, permit")),
    "postscreen": Relay(command="postscreen", maxproc="1"),
    "self-signed": Relay(recipe="self-signed"),
    "wrong-name": Relay(recipe="wrong-name"),
    "expired": Relay(recipe="expired"),
    "not-yet": Relay(recipe="not-yet"),
    "old-tls": Relay(
        {
            "smtpd_tls_mandatory_protocols": "TLSv1",
            "smtpd_tls_protocols": "TLSv1",
            "tls_medium_cipherlist": "ALL@SECLEVEL=0",
            "smtpd_tls_ciphers": "medium",
            "smtpd_tls_mandatory_ciphers": "medium",
        }
    ),
    "no-tls": Relay({"smtpd_tls_security_level": "none"}, ports=(25, 587)),
    "tls-only-later": Relay({**PLAIN, "smtpd_tls_security_level": "encrypt"}),
    "dropped": Relay(ONLY_LOGGED_IN, (587, 2525), (465,)),
    "server-at-465": Relay(PLAIN, (465,)),
    # Of another company, with an authority and an account of its own.
    "other": Relay(
        {**PLAIN, "smtpd_recipient_restrictions": "check_sasl_access inline:{partner=OK}, reject"},
        (25, 587, 2525),
        (465,),
        "other",
    ),
    "mx": Relay({"smtpd_tls_security_level": "may"}, (25,)),
    "internal": Relay({"smtpd_tls_security_level": "none"}, (25,)),
    # It knows its clients by their certificates, which the other authority has signed.
    "certified": Relay(
        {
            **CURIOUS,
            "smtpd_sasl_auth_enable": "no",
            "smtpd_tls_req_ccert": "yes",
            "smtpd_relay_restrictions": "permit_tls_all_clientcerts, reject",
        },
        implicit=(465,),
    ),
    # It asks for a certificate as well, and takes a login.
    "curious": Relay({**ONLY_LOGGED_IN, **CURIOUS}),
}
RECIPES = {
    "good": Recipe((f"*.{DOMAIN}", DOMAIN, "plain", "mailhub", "plain.corp.test", "mailhub.local")),
    "other": Recipe((f"*.{DOMAIN}",), authority=certificates.OTHER),
    "self-signed": Recipe((f"*.{DOMAIN}",), signed=False),
    "wrong-name": Recipe(("mail.somebody.test",)),
    "expired": Recipe((f"*.{DOMAIN}",), before=NOW - 90 * DAY, after=NOW - DAY),
    "not-yet": Recipe((f"*.{DOMAIN}",), before=NOW + DAY, after=NOW + 90 * DAY),
}


def address(relay: str, version: int = 4) -> str:
    number = list(RELAYS).index(relay) + 1
    return f"198.18.1.{number}" if version == 4 else f"fd5e:18::1:{number:x}"


def at(*relays: str, v4: bool = True, v6: bool = False) -> dict[str, list[str]]:
    """Records of the addresses of relays."""
    entry = {}
    if v4:
        entry["A"] = [address(each) for each in relays]
    if v6:
        entry["AAAA"] = [address(each, 6) for each in relays]
    return entry


FOREIGN = ("example.test", "example.net", "example.org", "example.com", "list.example.net")
"""The domains of the outside."""
SERVFAIL, REFUSED = 2, 5
ZONE: dict[str, dict[str, Any]] = {
    **{f"{name}.{DOMAIN}": at(name) for name in RELAYS},
    # Names that find the relay "plain" in one way or another, or do not.
    f"alias.{DOMAIN}": {"CNAME": f"plain.{DOMAIN}"},
    f"alias-twice.{DOMAIN}": {"CNAME": f"alias.{DOMAIN}"},
    f"alias-abroad.{DOMAIN}": {"CNAME": "plain.elsewhere.test"},
    "plain.elsewhere.test": at("plain"),
    f"alias-to-nowhere.{DOMAIN}": {"CNAME": f"gone.{DOMAIN}"},
    f"six.{DOMAIN}": at("plain", v4=False, v6=True),
    f"both.{DOMAIN}": at("plain", v6=True),
    f"broken-six.{DOMAIN}": {**at("plain"), "broken": {"AAAA": SERVFAIL}},
    f"silent-six.{DOMAIN}": {**at("plain"), "silent_for": ["AAAA"]},
    f"dead-six.{DOMAIN}": {**at("plain"), "AAAA": ["fd5e:18::9"]},
    f"dead-four.{DOMAIN}": {**at("plain", v4=False, v6=True), "A": [NOBODY]},
    f"half-dead.{DOMAIN}": {"A": [NOBODY, address("plain")]},
    f"moved.{DOMAIN}": {"A": [NOBODY]},
    f"parked.{DOMAIN}": {"A": [SILENT]},
    f"empty.{DOMAIN}": {"MX": [f"plain.{DOMAIN}"]},
    f"servfail.{DOMAIN}": {"rcode": SERVFAIL},
    f"refused.{DOMAIN}": {"rcode": REFUSED},
    f"silent.{DOMAIN}": {"silent": True},
    f"under_score.{DOMAIN}": at("plain"),
    f"xn--bro-hoa.{DOMAIN}": at("plain"),
    f"four-only.{DOMAIN}": at("plain"),
    # The search domain, with a wildcard that is somebody else's server.
    "plain.corp.test": at("plain"),
    "mailhub.corp.test": at("plain"),
    "mailhub.local": at("plain"),
    "*.corp.test": at("open"),
    # Domains of senders and recipients.
    **{domain: {"MX": [f"mx.{DOMAIN}"]} for domain in FOREIGN},
    "internal.test": {"MX": [f"internal.{DOMAIN}"]},
}


def hosts_zone(numbers: dict[str, int]) -> dict[str, dict[str, Any]]:
    """The names of the machines themselves."""
    zone: dict[str, dict[str, Any]] = {}
    for name, number in numbers.items():
        zone[name] = {"A": [f"198.19.{number}.2"], "AAAA": [f"fd5e:19:{number}::2"], "MX": [name]}
        zone[f"2.{number}.19.198.in-addr.arpa"] = {"PTR": [name]}
        zone[f"3.{number}.19.198.in-addr.arpa"] = {"PTR": [name]}
    return zone


MAIN = f"""\
compatibility_level = 3.6
myhostname = outside.{DOMAIN}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = all
alias_maps =
maillog_file = {LOG}
default_transport = virtual
virtual_mailbox_domains = {", ".join(FOREIGN)}, internal.test, own.test
virtual_mailbox_base = /var/mail/world
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:5000
virtual_gid_maps = static:5000
virtual_mailbox_limit = 0
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_tls_chain_files = /etc/world/good.pem
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_received_header = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_authenticated_header = yes
smtpd_helo_required = yes
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 100
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_client_event_limit_exceptions =
smtpd_client_auth_rate_limit = 0
anvil_rate_time_unit = 20s
postscreen_greet_action = enforce
postscreen_greet_wait = 4s
postscreen_cache_map =
postscreen_access_list =
in_flow_delay = 0
append_dot_mydomain = no
"""
MASTER = """\
postlog   unix-dgram n  -       n       -       1       postlogd
smtpd     pass  -       -       n       -       -       smtpd
  -o { smtpd_client_restrictions = permit }
tlsproxy  unix  -       -       n       -       0       tlsproxy
dnsblog   unix  -       -       n       -       0       dnsblog
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
virtual   unix  -       n       n       -       -       virtual
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
"""
DOVECOT = """\
protocols =
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login digest-md5 cram-md5 scram-sha-1 scram-sha-256
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = /etc/world/users
}
passdb {
  driver = passwd-file
  args = /etc/world/crypted
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
"""
# One counter for all ports of a client; packets that vanish.
RULES = f"""\
table inet world {{
  chain before {{
    type nat hook prerouting priority -100;
    ip daddr {address("one-connection")} tcp dport {{ 25, 2525, 2587 }} redirect to :587
    ip daddr {address("few-connections")} tcp dport {{ 25, 2525, 2587 }} redirect to :587
  }}
  chain input {{
    type filter hook input priority 0;
    ip daddr {SILENT} drop
    ip6 daddr fd5e:18::9 reject with icmpv6 port-unreachable
    ip daddr {address("dropped")} tcp dport 587 drop
  }}
}}
"""


def master() -> str:
    lines = []
    for name, relay in RELAYS.items():
        options = {**relay.options, "smtpd_tls_chain_files": f"/etc/world/{relay.recipe}.pem"}
        for port in relay.ports + relay.implicit:
            more = {"syslog_name": f"postfix/{name}/{port}"}
            if port in relay.implicit:
                more["smtpd_tls_wrappermode"] = "yes"
            for here in (address(name), f"[{address(name, 6)}]"):
                lines.append(f"{here}:{port} {relay.type} n - n - {relay.maxproc} {relay.command}")
                lines += [f"  -o {{ {key} = {value} }}" for key, value in {**options, **more}.items()]
    return "\n".join(lines) + "\n" + MASTER


def _passwords() -> str:
    rows = [f"{user}:{{PLAIN.b64}}{base64.b64encode(word.encode()).decode()}" for user, word in USERS.items()]
    return "\n".join(rows) + "\n"


def start(machine: Machine, clients: dict[str, int]) -> None:
    """Make a booted machine the outside. `clients` are the names of the other machines, with their numbers."""
    answer_everywhere(machine)
    machine.run(
        "systemctl stop postfix; mkdir -p /etc/world /var/mail/world; chown 5000:5000 /var/mail/world"
    )
    for name, recipe in RECIPES.items():
        machine.write(f"/etc/world/{name}.pem", certificates.chain(recipe), "600")
    prefixes = {"first": 2, "second": 3}
    for name, last in prefixes.items():
        machine.write(f"/etc/world/{name}", "".join(f"198.19.{n}.{last} OK\n" for n in clients.values()))
    machine.write("/etc/world/users", _passwords(), "640")
    machine.run(
        "chgrp dovecot /etc/world/users; touch /etc/world/crypted; chmod 644 /etc/world/crypted;"
        + "".join(
            f'echo "{user}:$(doveadm pw -s SHA512-CRYPT -p {word})" >>/etc/world/crypted;'
            for user, word in CRYPTED.items()
        )
    )
    machine.write("/etc/world/zone.json", json.dumps({**ZONE, **hosts_zone(clients)}))
    for program in ("nameserver.py", "stripper.py"):
        machine.write(f"/usr/local/sbin/{program}", (HERE / program).read_text())
    machine.write("/etc/dovecot/dovecot.conf", DOVECOT)
    machine.write("/etc/postfix/main.cf", MAIN)
    machine.write("/etc/postfix/master.cf", master())
    machine.write("/etc/resolv.conf", f"nameserver {RESOLVER}\n")
    machine.run(
        "cd /usr/sbin && systemd-run -q /usr/bin/python3 /usr/local/sbin/nameserver.py "
        + RESOLVER
        + " /etc/world/zone.json"
    )
    stripper = f"{STRIPPED} 587 {address('plain')} 587"
    machine.run(f"systemd-run -q /usr/bin/python3 /usr/local/sbin/stripper.py {stripper}")
    machine.run("nft -f -", stdin=RULES)
    machine.run("systemctl start postfix; systemctl unmask dovecot.service; systemctl start dovecot")


STRIPPED = "198.18.0.10"
ZONE[f"stripped.{DOMAIN}"] = {"A": [STRIPPED]}


def join(outside: Machine, number: int, machine: Machine) -> None:
    """Connect a machine, and let it trust the outside's authority and ask its name server."""
    plug(outside, number, machine)
    machine.unbind("/etc/resolv.conf", "/etc/hosts", "/etc/hostname")
    machine.write("/usr/local/share/ca-certificates/world.crt", certificates.ROOT)
    machine.run("update-ca-certificates >/dev/null 2>&1")
    machine.write("/etc/resolv.conf", f"nameserver {RESOLVER}\n")
    machine.write("/etc/hosts", own_hosts(machine.name))
    machine.write("/etc/hostname", machine.name + "\n")
    machine.write("/etc/nsswitch.conf", NSSWITCH)


def own_hosts(name: str) -> str:
    return f"127.0.0.1 localhost\n127.0.1.1 {name} {name.partition('.')[0]}\n::1 localhost ip6-localhost\n"


NSSWITCH = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n"
