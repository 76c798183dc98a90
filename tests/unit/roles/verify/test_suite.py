"""The suite of role verify, run by the real action code against a mail server that exists on paper only.

What the host would answer is a table of commands, as recorded on Debian 12 and 13. Each case changes the table or
what is expected, and names the tests that must then fail, and no other.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import copy
import importlib.util
import json
import re
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ansible.errors", reason="the controller's side needs ansible-core")
pytest.importorskip("testinfra", reason="the controller's side needs pytest-testinfra")

from ansible_collections.mailops.smtp.plugins.module_utils._smtp.arguments import (
    ENDPOINT_ARGUMENTS,
    PROBE_ARGUMENTS,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import VERDICTS
from ansible_collections.mailops.smtp.plugins.plugin_utils import suite

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "roles" / "verify" / "files" / "suite"))

import ask
import look
import seen as recorded
from seen import SEEN

SUITE = Path(__file__).resolve().parents[4] / "roles" / "verify" / "files" / "suite"

MAIN_CF = {
    "config_directory": "/etc/postfix",
    "default_transport": "smtp",
    "inet_interfaces": "loopback-only",
    "maillog_file": "",
    "mynetworks": "127.0.0.0/8, [::1]/128",
    "myhostname": "mail1.example.com",
    "myorigin": "mail1.example.com",
    "queue_directory": "/var/spool/postfix",
    "relayhost": "[relay.example.com]:587, [relay.example.com]:2525",
    "sendmail_path": "/usr/sbin/sendmail",
    "smtp_helo_name": "mail1.example.com",
    "smtp_sasl_auth_enable": "yes",
    "smtp_sasl_mechanism_filter": "",
    "smtp_sasl_password_maps": "texthash:/etc/postfix/sasl_passwd",
    "smtp_tls_CAfile": "/etc/ssl/certs/ca-certificates.crt",
    "smtp_tls_CApath": "",
    "smtp_tls_loglevel": "1",
    "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy",
    "smtp_tls_security_level": "secure",
    "smtp_tls_wrappermode": "no",
    "smtpd_recipient_restrictions": "",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    "tls_append_default_CA": "no",
}
MASTER_CF = """\
smtp       inet  n       -       y       -       -       smtpd
pickup     unix  n       -       y       60      1       pickup
smtp       unix  -       -       y       -       -       smtp
"""
SOCKETS = """\
LISTEN 0      128          0.0.0.0:22         0.0.0.0:*    users:(("sshd",pid=41,fd=3))
LISTEN 0      100        127.0.0.1:25         0.0.0.0:*    users:(("master",pid=668,fd=13))
LISTEN 0      64           0.0.0.0:2049       0.0.0.0:*
LISTEN 0      100            [::1]:25            [::]:*    users:(("master",pid=668,fd=14))
"""
LOG = """\
Nov 23 12:48:04 mail1 postfix/cleanup[691]: 885221A806B: message-id=<{token}@mail1.example.com>
Nov 23 12:48:04 mail1 postfix/smtp[700]: Untrusted TLS connection established to other.example[192.0.2.9]:25: TLSv1.3
Nov 23 12:48:04 mail1 postfix/smtp[694]: Verified TLS connection established to relay.example.com[192.0.2.1]:587: \
TLSv1.3
Nov 23 12:48:04 mail1 postfix/smtp[694]: 885221A806B: to=<you@example.com>, relay=relay.example.com[192.0.2.1]:587, \
delay=0.02, delays=0.01/0.01/0.01/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 8C1DA1A806A)
"""
ROOT_LOG = """\
Nov 23 12:48:05 mail1 postfix/cleanup[691]: A15221A806B: message-id=<{root_token}@mail1.example.com>
Nov 23 12:48:05 mail1 postfix/qmgr[695]: A15221A806B: from=<root@mail1.example.com>, size=500, nrcpt=1 (queue active)
Nov 23 12:48:05 mail1 postfix/local[696]: A15221A806B: to=<root@mail1.example.com>, orig_to=<root>, relay=local, \
delay=0.02, delays=0.01/0.01/0/0, dsn=2.0.0, status=sent (delivered to mailbox)
"""
QUEUED = '{{"queue_name": "deferred", "queue_id": "AA", "arrival_time": {}, "recipients": [{}]}}\n'
DEFERRED_TO_YOU = '{"address": "you@example.com", "delay_reason": "connection refused"}'
ROUTE = {
    "relay_host": "relay.example.com",
    "relay_port": "587",
    "relay_mode": "starttls",
    "relay_tls": "secure",
}


class Server:
    """Answers commands from tables; the first pattern that matches counts."""

    def __init__(self) -> None:
        self.main_cf = dict(MAIN_CF)
        self.master_cf, self.overrides, self.sockets = MASTER_CF, "", SOCKETS
        self.log, self.root_log, self.queue = LOG, ROOT_LOG, ""
        self.seen: dict[str, Any] = copy.deepcopy(SEEN)
        self.seen["now"] = time.time()
        self.tables: dict[str, dict[str, str]] = {}
        self.policy = {"[relay.example.com]:587": "secure", "[relay.example.com]:2525": "secure"}
        self.passwords = set(self.policy)
        self.passwords_of_2: set[str] = set()
        self.maps: dict[str, dict[str, str]] = {}
        self.answers: dict[str, tuple[int, str]] = {}
        self.probe = {
            "usable": True,
            "tls_version": "TLSv1.3",
            "tls_cipher": "X",
            "reason": "Expired.",
            "advice": "Renew.",
        }
        self.asked: list[str] = []
        self.probes: list[Any] = []
        self.tokens: list[str] = []

    def execute(self, command: str) -> tuple[int, str, str]:
        self.asked.append(command)
        code, stdout = self.answer(command)
        return code, stdout, ""

    def answer(self, command: str) -> tuple[int, str]:
        for pattern, answer in self.answers.items():
            if re.search(pattern, command):
                return answer
        if command.startswith("postmap -q"):
            key = command.split()[2].strip("'")
            if "sasl_passwd_relay-2" in command:
                return (0 if key in self.passwords_of_2 else 1), ""
            if "sasl_passwd" in command:
                return (0 if key in self.passwords else 1), ""
            return (0, self.policy[key] + "\n") if key in self.policy else (1, "")
        if "postmap -q - " in command:
            words = shlex.split(command)
            rows = self.maps.get(words[words.index("-") + 1], {})
            return 0, "".join(f"{key}\t{rows[key]}\n" for key in words[2 : words.index("|")] if key in rows)
        if command.startswith("printf "):
            self.tokens.append(re.findall(r"mailops-verify-[0-9a-f]+", command)[0])
            return 0, ""
        if command.startswith("{ journalctl") and "grep -E" in command:
            return 1, ""
        if command.startswith("{ journalctl"):
            token = re.findall(r"mailops-verify-[0-9a-f]+", command)[0]
            log = self.root_log if self.tokens.index(token) else self.log
            return 0, log.format(token=token, root_token=token)
        tables = {
            r"^postconf -x config_directory": "".join(
                f"{name} = {value}\n" for name, value in self.main_cf.items()
            ),
            r"^postconf -P": self.overrides,
            r"^postconf -M 2>/dev/null": self.master_cf,
            r"^ss -Hltnp": self.sockets,
            r"^\$\(command -v python3": self.look(command),
            r"^postqueue -j": self.queue,
            r"^date ": "1700000000\n",
            r"^uname -s": "Linux\n",
            r"^uname -m": "x86_64\n",
            r"^id -nu": "root\n",
            r"^cat /etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
            r"^id -u": "0\n",
            r"^getent services smtp/tcp": "smtp                  25/tcp mail\n",
            r"^getent services submission/tcp": "submission            587/tcp\n",
            r"^dpkg-query": "install ok installed",
            r"^ls /usr/lib/sasl2": "libplain.so\n",
            r"^stat -Lc %U": "root\n",
            r"^stat -Lc %a": "600\n",
            r"^stat -Lc %s": "200000\n",
            r"^sh -c .*DIRECTORY=/etc/postfix": "root 600 /etc/postfix/sasl_passwd\n",
            r"^(command -v|test |systemctl|postconf -n|grep -rlF|postsuper)": "",
        }
        for pattern, stdout in tables.items():
            if re.search(pattern, command):
                return 0, stdout
        raise AssertionError(f"the table has no answer to: {command}")

    def look(self, command: str) -> str:
        if not command.startswith("$(command -v python3"):
            return ""
        request = json.loads(shlex.split(command)[-1])
        if "listeners" in request:
            return json.dumps(ask.ask(request))
        addresses = self.seen["addresses"]
        keys = request["keys"] + [key for each in addresses for key in look.parents_of_address(each)]
        relaying = recorded.relaying(self.main_cf, self.master_cf, self.overrides, self.tables, keys)
        return json.dumps({**self.seen, "relaying": relaying})

    def module(self, name: str, arguments: Any) -> dict[str, Any]:
        assert name == "mailops.smtp.smtp_probe"
        self.probes.append(arguments)
        return {"endpoints": [self.probe]}

    def verify(self, select: tuple[str, ...] = (), **expect: Any) -> suite.Outcome:
        backend = suite.Backend("mail1", self.execute, self.module, 60)
        return suite.run(SUITE, backend, {"delivery_timeout": 0.1, **expect}, select=select)


# What is skipped where Postfix listens on loopback only, or is no server for users.
ONLY_OF_LISTENERS = {
    *(f"relaying::relaying_is_refused_to_{who}" for who in ("this_host", "the_controller", "another_host")),
    "relaying::submission_ports_can_be_reached",
    *(
        f"submission::{name}"
        for name in (
            "users_can_log_in", "submission_is_for_users_alone", "no_login_before_tls", "a_wrong_login_is_refused",
            "passwords_cannot_be_guessed", "strangers_are_told_no_names", "users_have_tls_1_2_or_newer",
            "a_message_has_one_end",
        )
    ),
    "tls::certificate_is_what_users_expect",
}  # fmt: skip
# What is skipped where no relay is for some senders or recipients alone.
ONLY_OF_RELAYS = {
    "relays::mail_goes_by_the_relay_that_is_for_it",
    "relays::tls_level_towards_each_of_these_relays",
    "relays::login_is_there_for_each_of_these_relays",
}


@pytest.fixture
def server() -> Server:
    return Server()


def failures(outcome: suite.Outcome) -> dict[str, str]:
    assert not outcome.problem
    return {case.name: case.reason for case in outcome.of("failed")}


def test_a_server_as_it_should_be_passes(server: Server) -> None:
    server.root_log = ROOT_LOG.replace("nrcpt=1", "nrcpt=2") + LOG.splitlines(keepends=True)[-1].replace(
        "885221A806B", "A15221A806B"
    )
    outcome = server.verify(**ROUTE, test_recipient="you@example.com", test_sender="root@example.com")
    assert failures(outcome) == {}
    assert len(outcome.of("passed")) == 41
    assert {case.name for case in outcome.of("skipped")} == ONLY_OF_LISTENERS | ONLY_OF_RELAYS
    evidence = {key: value for case in outcome.cases for key, value in case.properties.items()}
    assert evidence["relay_reply"] == "250 2.0.0 Ok: queued as 8C1DA1A806A"
    assert evidence["relay"] == "relay.example.com[192.0.2.1]:587"
    assert evidence["tls"].startswith(
        "Verified TLS connection established to relay.example.com[192.0.2.1]:587"
    )
    assert evidence["root_mail"] == "root@mail1.example.com delivered to mailbox"
    test, root = (command for command in server.asked if command.startswith("printf"))
    assert test.endswith("| timeout 20 /usr/sbin/sendmail -i -f root@example.com -- you@example.com 2>&1")
    # As cron calls it, and to the test recipient too, who else would never see root's own sender.
    assert root.endswith("/usr/sbin/sendmail -FCronDaemon -i -B8BITMIME -oem -- root you@example.com 2>&1")
    assert not any("postsuper" in command for command in server.asked)
    assert server.probes[0]["ca_path"] == ["/etc/ssl/certs/ca-certificates.crt"]


@pytest.mark.parametrize(
    ("file", "directory", "trusted"),
    [
        ("/ca.pem", "/etc/ssl/certs", ["/ca.pem", "/etc/ssl/certs"]),
        ("", "/etc/ssl/certs", ["/etc/ssl/certs"]),
    ],
)
def test_the_probe_trusts_what_postfix_trusts(
    server: Server, file: str, directory: str, trusted: list[str]
) -> None:
    server.main_cf.update(smtp_tls_CAfile=file, smtp_tls_CApath=directory)
    server.verify(**ROUTE)
    assert server.probes[0]["ca_path"] == trusted


def test_the_probe_shows_the_certificate_that_postfix_shows(server: Server) -> None:
    server.verify(**ROUTE)
    assert "client_cert" not in server.probes[0]
    server.main_cf.update(smtp_tls_cert_file="/etc/web1.pem", smtp_tls_key_file="/etc/web1.key")
    server.verify(**ROUTE)
    assert (server.probes[1]["client_cert"], server.probes[1]["client_key"]) == (
        "/etc/web1.pem",
        "/etc/web1.key",
    )
    # Files of keys with their certificates, which go before it.
    for chain, found, shown in (
        ("/etc/chain.pem", 0, ("/etc/chain.pem", "/etc/chain.pem")),
        ("/etc/rsa.pem, /etc/ecdsa.pem", 0, ("/etc/rsa.pem", "/etc/rsa.pem")),
        ("/etc/web1.key /etc/web1.crt", 1, ("/etc/web1.crt", "/etc/web1.key")),
    ):
        server.main_cf["smtp_tls_chain_files"] = chain
        server.answers["^grep -q .*BEGIN CERTIFICATE"] = (found, "")
        server.verify(**ROUTE)
        assert (server.probes[-1]["client_cert"], server.probes[-1]["client_key"]) == shown
    del server.main_cf["smtp_tls_chain_files"]
    # One that is for this relay alone.
    server.main_cf.update(relayhost="", default_transport="relay-1:[relay.example.com]:587")
    server.overrides = (
        "relay-1/unix/smtp_tls_cert_file = /etc/own.pem\nrelay-1/unix/smtp_tls_key_file = /etc/own.key\n"
    )
    server.verify(**ROUTE)
    assert (server.probes[-1]["client_cert"], server.probes[-1]["client_key"]) == (
        "/etc/own.pem",
        "/etc/own.key",
    )


def test_without_a_recipient_no_mail_is_sent(server: Server) -> None:
    outcome = server.verify(**ROUTE)
    assert failures(outcome) == {}
    assert not any("sendmail -i" in command for command in server.asked)
    assert sum(case.name.startswith("delivery::") for case in outcome.of("skipped")) == 4


def test_without_expectations_the_server_must_be_consistent(server: Server) -> None:
    assert failures(server.verify()) == {}
    server.main_cf["relayhost"] = "[relay.example.com]:465"
    assert set(failures(server.verify())) == {
        "config::tls_mode_fits_the_port",
        "password::password_is_there_for_each_next_hop",
    }


def test_a_server_that_delivers_directly_needs_no_relay(server: Server) -> None:
    server.main_cf.update(relayhost="", smtp_sasl_auth_enable="no")
    outcome = server.verify()
    assert failures(outcome) == {}
    assert "config::relay_is_the_route" in {case.name for case in outcome.of("skipped")}


def implicit_tls(server: Server) -> None:
    hop = "[relay.example.com]:465"
    server.main_cf.update(relayhost="", default_transport=f"relay-implicit:{hop}")
    server.overrides = "relay-implicit/unix/smtp_tls_wrappermode = yes\n"
    server.policy, server.passwords = {hop: "secure"}, {hop}


def test_implicit_tls_is_a_transport_of_its_own(server: Server) -> None:
    implicit_tls(server)
    assert failures(server.verify(**{**ROUTE, "relay_port": 465, "relay_mode": "implicit"})) == {}
    assert server.probes[0]["tls"] == "implicit"
    server.overrides = ""
    found = failures(server.verify())
    assert set(found) == {"config::tls_mode_fits_the_port"}
    assert "the transport relay-implicit has no" in found["config::tls_mode_fits_the_port"]


def chain(server: Server) -> None:
    """587, then 465 by a listener of this host's own, then a relay that knows this host by its address."""
    inner, implicit = "[127.0.0.1]:10587", "[relay.example.com]:465"
    server.main_cf["relayhost"] = f"[relay.example.com]:587, {inner}"
    server.overrides = (
        f"127.0.0.1:10587/inet/content_filter = relay-fallback:{implicit},[second.example.com]:465\n"
        "relay-fallback/unix/smtp_tls_wrappermode = yes\n"
    )
    server.policy.update({implicit: "secure", inner: "none", "[second.example.com]:465": "secure"})
    server.passwords.add(implicit)


def test_a_listener_that_hands_mail_on_is_no_relay(server: Server) -> None:
    chain(server)
    assert failures(server.verify(**ROUTE)) == {}
    server.passwords.remove("[relay.example.com]:465")
    assert (
        "[relay.example.com]:465"
        in failures(server.verify())["password::password_is_there_for_each_next_hop"]
    )


# A relay of its own for senders and a recipient, with a login; one without for a domain; a domain past every relay.
OF_SENDERS, OF_RECIPIENTS = "texthash:/etc/postfix/by_sender", "texthash:/etc/postfix/by_recipient"
RELAYS = [
    {
        "relay": place,
        "name": f"postfix_relays[{place}]",
        "host": "",
        "tls": "",
        "login": False,
        "senders": [],
        "recipients": [],
        "direct": False,
        "required": True,
        **own,
    }
    for place, own in enumerate(
        (
            {
                "host": "second.example",
                "tls": "secure",
                "login": True,
                "senders": ["ops@example.com", "@example.net"],
                "recipients": ["@partner.example"],
            },
            {"host": "third.example", "tls": "encrypt", "senders": ["@example.org"]},
            {"direct": True, "senders": ["@direct.example"]},
        ),
        1,
    )
]


def several(server: Server) -> None:
    server.main_cf.update(
        relayhost="",
        default_transport="smtp:[relay.example.com]:587",
        sender_dependent_default_transport_maps=OF_SENDERS,
        transport_maps=OF_RECIPIENTS,
    )
    server.master_cf += "".join(
        f"{name} unix - - y - - smtp\n" for name in ("relay-2", "relay-3", "relay-direct")
    )
    server.overrides = (
        "relay-2/unix/smtp_sasl_password_maps = texthash:/etc/postfix/mailops_sasl_passwd_relay-2\n"
        "relay-3/unix/smtp_sasl_auth_enable = no\nrelay-3/unix/smtp_tls_wrappermode = yes\n"
        "relay-direct/unix/smtp_sasl_auth_enable = no\n"
    )
    server.maps = {
        OF_SENDERS: {
            "ops@example.com": "relay-2:[second.example]:587",
            "@example.org": "relay-3:[third.example]:465",
            "@direct.example": "relay-direct:",
        },
        OF_RECIPIENTS: {"partner.example": "relay-2:[second.example]:587"},
    }
    server.policy.update({"[second.example]:587": "secure", "[third.example]:465": "encrypt"})
    server.passwords_of_2 = {"[second.example]:587"}


def test_relays_of_senders_and_recipients_are_looked_up_as_postfix_does(server: Server) -> None:
    several(server)
    outcome = server.verify(**ROUTE, relays=RELAYS)
    assert failures(outcome) == {}
    assert not ONLY_OF_RELAYS & {case.name for case in outcome.of("skipped")}
    # What preflight found is expected as well, and a relay that it found dead and that is not required is not.
    routes = [
        {"host": "relay.example.com", "port": 587, "tls": "starttls"},
        {"host": "second.example", "port": 2525, "tls": "starttls"},
        {"host": None, "port": None, "tls": None},
        {"host": None, "port": None, "tls": None},
    ]
    of_none = {"relay": 0, "senders": [], "recipients": [], "direct": False}
    routes = [{**one, **route} for one, route in zip([of_none, *RELAYS], routes)]
    server.maps[OF_SENDERS]["@example.org"] = "smtp:[elsewhere.example]:25"
    found = failures(server.verify(**ROUTE, relays=RELAYS, routes=routes))
    assert set(found) == {"relays::mail_goes_by_the_relay_that_is_for_it"}
    said = found["relays::mail_goes_by_the_relay_that_is_for_it"]
    assert "mail from ops@example.com should leave by second.example port 2525 (postfix_relays[1])" in said
    assert "example.org" not in said


def test_a_relay_of_several_that_wants_no_login_needs_no_password(server: Server) -> None:
    server.passwords.clear()
    wants = {**RELAYS[0], "host": "relay.example.com", "senders": [], "recipients": []}
    assert set(failures(server.verify(**ROUTE, relays=[wants]))) == {
        "password::password_is_there_for_each_next_hop"
    }
    assert failures(server.verify(**ROUTE, relays=[{**wants, "login": False}])) == {}


# What is broken of them, and what the named test then says: what is wrong, and what to do.
RELAY_CASES: dict[str, tuple[Callable[[Server], Any], str, tuple[str, ...]]] = {
    "a row is missing": (
        lambda server: server.maps[OF_SENDERS].pop("ops@example.com"),
        "mail_goes_by_the_relay_that_is_for_it",
        (
            "mail from ops@example.com should leave by second.example (postfix_relays[1]), but "
            "sender_dependent_default_transport_maps has no row for it",
            "run mailops.smtp.deploy",
        ),
    ),
    "the table is not asked": (
        lambda server: server.main_cf.update(transport_maps=""),
        "mail_goes_by_the_relay_that_is_for_it",
        ("mail to @partner.example should leave by second.example", "transport_maps has no row for it"),
    ),
    "another table goes first": (
        lambda server: (
            server.main_cf.update(transport_maps=f"texthash:/etc/postfix/own, {OF_RECIPIENTS}"),
            server.maps.update({"texthash:/etc/postfix/own": {"partner.example": "smtp:[10.0.0.1]:25"}}),
        ),
        "mail_goes_by_the_relay_that_is_for_it",
        ("texthash:/etc/postfix/own has 'partner.example smtp:[10.0.0.1]:25': take that row out",),
    ),
    "all recipients have a row": (
        lambda server: server.maps[OF_RECIPIENTS].update({"*": "smtp:[relay.example.com]:587"}),
        "mail_goes_by_the_relay_that_is_for_it",
        ("mail from @example.org should", "has a row for every recipient, '* smtp:[relay.example.com]:587'"),
    ),
    "the transport is gone": (
        lambda server: setattr(server, "master_cf", server.master_cf.replace("relay-3", "other")),
        "mail_goes_by_the_relay_that_is_for_it",
        ("names the transport relay-3, which master.cf does not have",),
    ),
    "relayhost decides for direct mail": (
        lambda server: server.main_cf.update(relayhost="[relay.example.com]:587"),
        "mail_goes_by_the_relay_that_is_for_it",
        (
            "mail from @direct.example should go past every relay",
            "relayhost = [relay.example.com]:587 decides",
        ),
    ),
    "direct mail has a relay": (
        lambda server: server.maps[OF_SENDERS].update({"@direct.example": "relay-3:[third.example]:465"}),
        "mail_goes_by_the_relay_that_is_for_it",
        ("should go past every relay (postfix_relays[3]), but",),
    ),
    "no policy": (
        lambda server: (
            server.policy.pop("[second.example]:587"),
            server.main_cf.update(smtp_tls_security_level="may"),
        ),
        "tls_level_towards_each_of_these_relays",
        ("towards [second.example]:587 should be secure (postfix_relays[1].tls", "it is may"),
    ),
    "STARTTLS at a port with implicit TLS": (
        lambda server: setattr(
            server, "overrides", server.overrides.replace("wrappermode = yes", "wrappermode = no")
        ),
        "tls_level_towards_each_of_these_relays",
        ("port 465 of third.example (postfix_relays[2]) needs smtp_tls_wrappermode = yes",),
    ),
    "no password": (
        lambda server: server.passwords_of_2.clear(),
        "login_is_there_for_each_of_these_relays",
        ("should log in at [second.example]:587 (postfix_relays[1].username)", "byte for byte"),
    ),
    "a login that is not for it": (
        lambda server: (
            setattr(
                server, "overrides", server.overrides.replace("relay-3/unix/smtp_sasl_auth_enable = no", "")
            ),
            server.passwords.add("[third.example]:465"),
        ),
        "login_is_there_for_each_of_these_relays",
        ("postfix_relays[2] has no login, but", "which that relay would be shown"),
    ),
}


@pytest.mark.parametrize("name", RELAY_CASES)
def test_a_relay_of_some_senders_or_recipients_that_is_broken_is_named(server: Server, name: str) -> None:
    several(server)
    breaks, test, words = RELAY_CASES[name]
    breaks(server)
    # relayhost beside default_transport is judged by another test as well.
    found = {key: said for key, said in failures(server.verify(relays=RELAYS)).items() if "relays::" in key}
    assert set(found) == {f"relays::{test}"}, found
    for word in words:
        assert word in found[f"relays::{test}"]


# Change of the server, what is expected, and for each test that must fail a part of its sentence.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, str]]] = {
    "another port": (
        {},
        {"relay_port": 2525},
        {
            "config::relay_is_the_route": "should go to relay.example.com port 2525, but Postfix hands it to "
            "relay.example.com port 587"
        },
    ),
    "another relay, on a port that nobody knows": (
        {},
        {"relay_host": "other.example", "relay_port": 0},
        {
            "config::relay_is_the_route": "should go to other.example, but Postfix hands it to relay.example.com port"
        },
    ),
    "relayhost set again behind the block": (
        {
            "seen": {
                "set_again": [{"name": "relayhost", "line": 41, "value": "[192.0.2.5]:25", "was": "[x]:587"}]
            },
            "main_cf": {"relayhost": "[192.0.2.5]:25"},
        },
        {"test_recipient": "you@example.com"},
        {
            "config::nothing_is_set_again_behind_the_block": "relayhost is set again in main.cf line 41, after the "
            "block that Ansible wrote, so it is '[192.0.2.5]:25' and not '[x]:587': take that line out"
        },
    ),
    "another parameter set again behind the block": (
        {
            "seen": {
                "set_again": [{"name": "myhostname", "line": 9, "value": "a.example", "was": "b.example"}]
            }
        },
        {},
        {"config::nothing_is_set_again_behind_the_block": "give the role that value (postfix_myhostname)"},
    ),
    "parameters that are set twice, or that a later Postfix has no more": (
        {
            "answers": {
                "^postconf -n 2>&1": (
                    0,
                    "postconf: warning: /etc/postfix/main.cf, line 9: overriding earlier entry: message_size_limit=1\n"
                    'postconf: warning: /etc/postfix/main.cf: support for parameter "x" will be removed; use "y"\n',
                )
            }
        },
        {},
        {},
    ),
    "another relay": (
        {},
        {"relay_host": "other.example"},
        {"config::relay_is_the_route": "should go to other.example port 587"},
    ),
    "another mode": (
        {},
        {"relay_mode": "implicit"},
        {"config::tls_mode_fits_the_port": "needs smtp_tls_wrappermode = yes"},
    ),
    "another level": (
        {},
        {"relay_tls": "encrypt"},
        {"config::tls_level_towards_the_relay": "should be encrypt, but it is secure"},
    ),
    "password in clear": (
        {"policy": {"[relay.example.com]:587": "may", "[relay.example.com]:2525": "secure"}},
        {"relay_tls": ""},
        {"config::tls_level_towards_the_relay": "at TLS level may the password may travel in the clear"},
    ),
    "no policy entry": (
        {"policy": {"[relay.example.com]:587": "secure servername=hostname protocols=>=TLSv1.2"}},
        {},
        {"config::tls_policy_names_each_next_hop": "should have an entry for [relay.example.com]:2525"},
    ),
    "another CA file": (
        {},
        {"relay_ca_file": "/ca.pem"},
        {"config::ca_certificates_are_there": "should be /ca.pem, but it is /etc/ssl"},
    ),
    "no CA file": (
        {"main_cf": {"smtp_tls_CAfile": ""}},
        {},
        {"config::ca_certificates_are_there": "without smtp_tls_CAfile or smtp_tls_CApath none does"},
    ),
    "empty CA file": (
        {"answers": {"stat -Lc %s": (0, "0\n")}},
        {},
        {"config::ca_certificates_are_there": "missing or empty"},
    ),
    "no package": (
        {"answers": {"^dpkg-query": (1, "")}},
        {},
        {"config::package_is_installed": "no package postfix"},
    ),
    "stopped": (
        {"answers": {"^systemctl is-active postfix$": (3, "inactive")}},
        {},
        {"config::service_is_running": "the service postfix should run"},
    ),
    "stopped, Debian 12": (
        {"answers": {"systemctl cat": (0, "ExecStart=/bin/true"), "is-active postfix@-": (3, "inactive")}},
        {},
        {"config::service_is_running": "the service postfix@- should run"},
    ),
    "no master": (
        {"seen": {"master": False, "fatal": "fatal: bind 127.0.0.1 port 25: Address already in use"}},
        {},
        {"config::service_is_running": "Address already in use): another program holds the port"},
    ),
    "not at boot": (
        {"answers": {"is-enabled": (1, "disabled\n")}},
        {},
        {"config::service_starts_at_boot": "is not enabled"},
    ),
    "unknown parameter": (
        {
            "answers": {
                "^postconf -n 2>&1": (
                    0,
                    "postconf: warning: /etc/postfix/main.cf: unused parameter: x=1\n" * 2,
                )
            }
        },
        {},
        {"config::configuration_is_valid": "it says: warning: /etc/postfix/main.cf: unused parameter: x=1."},
    ),
    "root owns the directory of postdrop's sockets": (
        {
            "seen": {
                "files": {**SEEN["files"], "/var/spool/postfix/public": recorded.file("root", "root", 0o2710)}
            }
        },
        {},
        {
            "host::owners_and_modes_let_mail_through": "/var/spool/postfix/public should belong to "
            "postfix:postdrop with at least mode 0710"
        },
    ),
    "one of two name servers in the chroot": (
        {
            "seen": {
                "chroot": {
                    **SEEN["chroot"],
                    "resolver": {
                        "copy": {"nameserver": ["192.0.2.9"], "search": [], "options": []},
                        "host": {
                            "nameserver": ["192.0.2.9", "192.0.2.1"],
                            "search": [],
                            "options": ["rotate"],
                        },
                    },
                }
            }
        },
        {},
        {
            "host::chroot_knows_what_the_host_knows": "the chroot's /var/spool/postfix/etc/resolv.conf names "
            "192.0.2.9, and /etc/resolv.conf names 192.0.2.9, 192.0.2.1; the chroot's "
            "/var/spool/postfix/etc/resolv.conf has the options none, and /etc/resolv.conf has the options rotate, "
            "so Postfix finds other names than this host: restart postfix"
        },
    ),
    "no aliases": (
        {
            "seen": {
                "tables": [
                    {
                        "table": "hash:/etc/aliases",
                        "parameter": "alias_maps",
                        "problem": "open /etc/aliases.db: No such file or directory",
                        "source": "missing",
                    }
                ]
            }
        },
        {},
        {
            "host::every_table_can_be_used": "/etc/aliases is missing too: create it (one line will do, 'postmaster: "
            "root'), then run newaliases"
        },
    ),
    "virtual mailboxes of root": (
        {
            "seen": {
                "virtual_mailboxes": {
                    "path": "/var/vmail",
                    "uid": 5000,
                    "gid": 5001,
                    "usable": False,
                    "now": {"user": "root", "group": "root", "mode": 0o755},
                }
            }
        },
        {},
        {
            "host::virtual_mailboxes_can_be_written": "/var/vmail (virtual_mailbox_base) should belong to 5000:5001 "
            "(virtual_uid_maps, virtual_gid_maps), but is root:root with mode 0755"
        },
    ),
    "no password": (
        {"passwords": {"[relay.example.com]:587"}},
        {},
        {"password::password_is_there_for_each_next_hop": "no entry for [relay.example.com]:2525"},
    ),
    "readable password map": (
        {"answers": {"stat -Lc %a": (0, "640\n"), "^sh -c": (0, "root 640 /etc/postfix/sasl_passwd\n")}},
        {},
        {
            "password::password_map_is_private": "it is root's with 0640",
            "password::password_is_in_no_other_file": "root 640 /etc/postfix/sasl_passwd",
        },
    ),
    "copied password": (
        {"answers": {"^sh -c": (0, "root 600 /etc/postfix/sasl_passwd\nops 600 /etc/postfix/old\n")}},
        {},
        {"password::password_is_in_no_other_file": "also in ops 600 /etc/postfix/old (owner"},
    ),
    "search that finds nothing": (
        {"answers": {"^sh -c": (0, "")}},
        {},
        {"password::password_is_in_no_other_file": "did not even find /etc/postfix/sasl_passwd"},
    ),
    "mechanism of the route without a plugin": (
        {},
        {"relay_mechanism": "SCRAM-SHA-256"},
        {"password::login_mechanism_is_installed": "a SASL plugin for SCRAM-SHA-256 should be installed"},
    ),
    "mechanism of the route not allowed": (
        {"main_cf": {"smtp_sasl_mechanism_filter": "login"}},
        {"relay_mechanism": "PLAIN"},
        {"password::login_mechanism_may_be_used": "log in by PLAIN, but smtp_sasl_mechanism_filter = login"},
    ),
    "no SASL plugin": (
        {"answers": {"^ls /usr/lib/sasl2": (0, "libsasldb.so\n")}},
        {},
        {"password::login_mechanism_is_installed": "none is"},
    ),
    "other interfaces": (
        {},
        {"inet_interfaces": ["all"]},
        {"listeners::interfaces_are_those_expected": "should be all, but it is loopback-only"},
    ),
    "no listener": (
        {"sockets": ""},
        {"submission_ports": [587]},
        {
            "listeners::every_configured_port_is_open_and_no_other": "nothing of Postfix listens on port 25",
            "listeners::submission_ports_are_those_listed": "submit mail on port 587",
        },
    ),
    "somebody else's listener": (
        {"sockets": SOCKETS.replace("master", "exim4")},
        {},
        {"listeners::every_configured_port_is_open_and_no_other": "nothing of Postfix listens on port 25"},
    ),
    "an old listener": (
        {"sockets": SOCKETS + 'LISTEN 0 100 127.0.0.1:2525 0.0.0.0:* users:(("master",pid=6,fd=9))\n'},
        {},
        {"listeners::every_configured_port_is_open_and_no_other": "port 2525, which master.cf does not have"},
    ),
    "open to the network": (
        {
            "sockets": SOCKETS.replace("127.0.0.1:25", "0.0.0.0:25").replace(
                'users:(("master",pid=668,fd=13))', ""
            )
        },
        {},
        {"listeners::null_client_listens_on_loopback_only": "listens on 0.0.0.0 port 25"},
    ),
    "relays for anyone": (
        {"main_cf": {"smtpd_relay_restrictions": "permit_mynetworks, permit, reject_unauth_destination"}},
        {},
        {"relaying::every_listener_refuses_to_relay_for_strangers": "smtp/inet would relay for anyone"},
    ),
    "one service relays for anyone": (
        {"overrides": "smtp/inet/smtpd_relay_restrictions = permit\n"},
        {},
        {"relaying::every_listener_refuses_to_relay_for_strangers": "smtp/inet would relay for anyone"},
    ),
    "trusts the world": (
        {"main_cf": {"mynetworks": "127.0.0.0/8 0.0.0.0/0"}},
        {},
        {"relaying::trusted_networks_are_not_the_internet": "trusts 0.0.0.0/0"},
    ),
    "trusts the world by a table": (
        {"main_cf": {"mynetworks": "static:all"}},
        {},
        {"relaying::trusted_networks_are_not_the_internet": "trusts static:all"},
    ),
    "trusts three quarters of the world": (
        {"main_cf": {"mynetworks": "0.0.0.0/2 128.0.0.0/2 192.0.0.0/2"}},
        {},
        {"relaying::trusted_networks_are_not_the_internet": "trusts 0.0.0.0/2, 128.0.0.0/2, 192.0.0.0/2"},
    ),
    "permits in a class": (
        {
            "main_cf": {
                "smtpd_relay_restrictions": "friends, reject_unauth_destination",
                "smtpd_restriction_classes": "friends",
                "friends": "check_client_access static:OK",
            }
        },
        {},
        {
            "relaying::every_listener_refuses_to_relay_for_strangers": "smtpd_relay_restrictions comes to friends (a "
            "class with check_client_access static:OK (which says 'OK')) before"
        },
    ),
    "permits in a table": (
        {
            "main_cf": {"smtpd_relay_restrictions": "check_client_access cidr:/c, reject_unauth_destination"},
            "tables": {"cidr:/c": {"0.0.0.0/0": "OK"}},
        },
        {},
        {
            "relaying::every_listener_refuses_to_relay_for_strangers": "check_client_access cidr:/c (which says 'OK')"
        },
    ),
    "has every domain": (
        {"main_cf": {"relay_domains": "regexp:/d"}, "tables": {"regexp:/d": {".": "yes"}}},
        {},
        {"relaying::own_domains_are_not_those_of_others": "name your own domains in relay_domains"},
    ),
    "believes by XCLIENT": (
        {"main_cf": {"smtpd_authorized_xclient_hosts": "0.0.0.0/0"}},
        {},
        {
            "relaying::strangers_are_not_believed_who_they_are": "smtpd_authorized_xclient_hosts holds 0.0.0.0/0"
        },
    ),
    "believes a proxy": (
        {
            "main_cf": {
                "inet_interfaces": "all",
                "mynetworks": "127.0.0.0/8",
                "smtpd_upstream_proxy_protocol": "haproxy",
            }
        },
        {},
        {"relaying::strangers_are_not_believed_who_they_are": "or empty smtpd_upstream_proxy_protocol"},
    ),
    "QMQP": (
        {
            "master_cf": MASTER_CF + "628 inet n - y - - qmqpd\n",
            "sockets": SOCKETS.replace("127.0.0.1:25", "127.0.0.1:628") + SOCKETS,
            "main_cf": {"qmqpd_authorized_clients": "static:all"},
        },
        {},
        {"relaying::qmqp_is_not_for_strangers": "correct qmqpd_authorized_clients"},
    ),
    "certificate": (
        {"probe": {"usable": False}},
        {},
        {"tls::certificate_of_the_relay_verifies": "Expired. Renew."},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_told_in_a_sentence(server: Server, name: str) -> None:
    changes, expect, expected = CASES[name]
    for attribute, change in changes.items():
        before = getattr(server, attribute)
        setattr(
            server,
            attribute,
            {**before, **change}
            if attribute in ("main_cf", "answers", "probe", "seen", "tables")
            else change,
        )
    found = failures(server.verify(**{**ROUTE, **expect}))
    assert set(found) == set(expected)
    for test, part in expected.items():
        assert part in found[test]


class Mta:
    """An SMTP server that takes the envelopes that it is told to, and what it was asked.

    `offers`: keywords of EHLO. `says`: its reply to a command that begins so. `ends`: what ends a message to it besides
    the right end, in bytes.
    """

    def __init__(
        self,
        takes: Callable[[str, str], bool] = lambda *_envelope: False,
        offers: tuple[str, ...] = (),
        says: dict[str, str] | None = None,
        ends: tuple[bytes, ...] = (),
    ) -> None:
        self.takes, self.offers, self.says, self.ends = takes, offers, says or {}, ends
        self.asked: list[tuple[str, str]] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.said: list[str] = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _address = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_one, args=(connection,), daemon=True).start()

    def serve_one(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rwb", buffering=0) as stream:
            self.talk(stream)

    def talk(self, stream: Any) -> None:
        sender: str | None = None
        stream.write(b"220 mail1.example.com ESMTP\r\n")
        for line in stream:
            command = line.decode().rstrip("\r\n")
            self.said.append(command)
            verb = command[:4].upper()
            reply = "502 5.5.1 Command not implemented" if verb in ("AUTH", "EXPN", "VRFY") else "250 Ok"
            if verb == "EHLO":
                keywords = ["mail1.example.com", *self.offers]
                reply = "\r\n".join(f"250{' ' if word == keywords[-1] else '-'}{word}" for word in keywords)
            elif verb == "MAIL" and sender is not None:
                reply = "503 5.5.1 Error: nested MAIL command"
            elif verb == "MAIL":
                sender = command[10:].strip()
            elif verb == "RSET":
                sender = None
            elif verb == "RCPT":
                self.asked.append((sender or "", command[8:].strip()))
                reply = "250 Ok" if self.takes(*self.asked[-1]) else "554 5.7.1 Relay access denied"
            elif verb == "DATA":
                stream.write(b"354 Go on\r\n")
                self.message(stream)
                return
            reply = next((said for begin, said in self.says.items() if command.startswith(begin)), reply)
            stream.write(reply.encode() + b"\r\n")

    def message(self, stream: Any) -> None:
        text = b""
        while more := stream.read(4096):
            text += more
            assert b"\r\n.\r\n" not in text
            if any(end in text for end in self.ends):
                stream.write(b"554 5.4.0 Error: too many hops\r\n")
                return


WORDS = {
    "d": "example.com", "a": "[127.0.0.1]", "u": "open-relay-test", "f": "example.org", "s": "example.net",
    "p": "open-relay-test@example.org",
}  # fmt: skip


def envelope(shape: ask.Shape) -> tuple[str, str]:
    """The arguments of MAIL and RCPT of a shape, for this server."""
    sender, recipient = (
        re.sub(r"\{(\w)\}", lambda match: WORDS[match[1]], each) for each in (shape.sender, shape.recipient)
    )
    return sender.strip(), recipient.strip()


# Asked first: somebody who is there, and somebody who is not.
CONTROLS = [("<>", "<postmaster@example.com>"), ("<>", "<mailops-verify-nobody@example.com>")]
ASKED = "relaying::relaying_is_refused_to_the_controller"
HERE = "relaying::relaying_is_refused_to_this_host"


@pytest.fixture
def stranger(server: Server) -> Callable[..., suite.Outcome]:
    """Verify a server of which the controller, at 127.0.0.1, is a stranger."""

    def verify(mta: Mta, **expect: Any) -> suite.Outcome:
        server.main_cf.update(inet_interfaces="all", mynetworks="10.0.0.0/8", relay_domains="example.com")
        server.master_cf = MASTER_CF.replace("smtp       inet", f"{mta.port} inet")
        server.sockets = f"LISTEN 0 100 0.0.0.0:{mta.port} 0.0.0.0:*\n"
        return server.verify(**{**ROUTE, "address": "127.0.0.1", **expect})

    return verify


def test_the_controller_asks_each_shape_of_envelope_once(stranger: Callable[..., suite.Outcome]) -> None:
    mta = Mta()
    outcome = stranger(mta)
    assert failures(outcome) == {}
    assert ASKED in {case.name for case in outcome.of("passed")}
    assert mta.asked == [*CONTROLS, *map(envelope, ask.SHAPES)]
    assert len(ask.SHAPES) >= 20 and len({shape.name for shape in ask.SHAPES}) == len(ask.SHAPES)
    assert not any(command.upper().startswith("DATA") for command in mta.said)


@pytest.mark.parametrize("shape", ask.SHAPES, ids=[shape.name for shape in ask.SHAPES])
def test_each_shape_of_envelope_that_is_taken_is_told(
    stranger: Callable[..., suite.Outcome], shape: ask.Shape
) -> None:
    mta = Mta(lambda *given: given == envelope(shape))
    found = failures(stranger(mta, select=("relaying",)))
    assert set(found) == {ASKED}
    sender, recipient = envelope(shape)
    assert f"took {recipient} from {sender} of the controller at 127.0.0.1 (250 Ok" in found[ASKED]
    remedy = "end smtpd_relay_restrictions with reject_unauth_destination"
    if shape.needs:
        remedy = "allow_untrusted_routing = no"
    elif any(word in shape.sender for word in ("{d}", "{a}", "root")):
        remedy = "a sender is no proof"
    assert remedy in found[ASKED]


def test_what_is_no_route_to_this_server_is_not_asked(
    server: Server, stranger: Callable[..., suite.Outcome]
) -> None:
    off = dict.fromkeys(("allow_percent_hack", "swap_bangpath", "resolve_dequoted_address"), "no")
    server.main_cf.update(off)
    mta = Mta()
    assert failures(stranger(mta)) == {}
    assert mta.asked == [
        *CONTROLS,
        *(envelope(shape) for shape in ask.SHAPES if shape.needs in ("", ask.ROUTE)),
    ]


def test_xclient_for_the_controller_is_told(stranger: Callable[..., suite.Outcome]) -> None:
    found = failures(stranger(Mta(offers=("XCLIENT NAME ADDR",))))
    assert set(found) == {ASKED}
    assert "take that address out of smtpd_authorized_xclient_hosts" in found[ASKED]


def test_what_the_configuration_tells_is_not_told_again(
    server: Server, stranger: Callable[..., suite.Outcome]
) -> None:
    server.main_cf["smtpd_authorized_xclient_hosts"] = "0.0.0.0/0"
    assert set(failures(stranger(Mta(offers=("XCLIENT NAME ADDR",))))) == {
        "relaying::strangers_are_not_believed_who_they_are"
    }
    server.main_cf["smtpd_relay_restrictions"] = "permit"
    assert set(failures(stranger(Mta(lambda *_envelope: True)))) == {
        "relaying::strangers_are_not_believed_who_they_are",
        "relaying::every_listener_refuses_to_relay_for_strangers",
    }


@pytest.mark.parametrize(
    ("name", "value", "test"),
    [
        ("mydestination", "static:all", "own_domains_are_not_those_of_others"),
        ("smtpd_relay_restrictions", "permit", "every_listener_refuses_to_relay_for_strangers"),
    ],
)
def test_what_is_taken_by_a_mistake_of_the_configuration_is_told_once(
    server: Server, stranger: Callable[..., suite.Outcome], name: str, value: str, test: str
) -> None:
    server.main_cf[name] = value
    assert set(failures(stranger(Mta(lambda *_envelope: True)))) == {f"relaying::{test}"}


def test_a_controller_that_may_relay_judges_nothing(
    server: Server, stranger: Callable[..., suite.Outcome]
) -> None:
    server.main_cf["smtpd_relay_restrictions"] = (
        "check_client_access cidr:/c, permit_mynetworks, reject_unauth_destination"
    )
    server.tables["cidr:/c"] = {"127.0.0.1/32": "OK"}
    outcome = stranger(Mta(lambda *_envelope: True))
    assert failures(outcome) == {}
    assert ASKED in {case.name for case in outcome.of("skipped")}


@pytest.mark.parametrize("reached", [True, False])
def test_a_port_for_the_proxy_alone_is_no_fault(
    server: Server, stranger: Callable[..., suite.Outcome], reached: bool
) -> None:
    server.main_cf["smtpd_upstream_proxy_protocol"] = "haproxy"
    mta = Mta()
    if not reached:
        mta.listening.shutdown(socket.SHUT_RDWR)
        mta.listening.close()
    assert bool(failures(stranger(mta))) is reached
    assert not mta.said


def test_a_listener_that_the_controller_cannot_reach_is_not_judged(
    stranger: Callable[..., suite.Outcome],
) -> None:
    mta = Mta()
    mta.listening.shutdown(socket.SHUT_RDWR)
    mta.listening.close()
    outcome = stranger(mta)
    assert failures(outcome) == {}
    assert ASKED in {case.name for case in outcome.of("skipped")}


@pytest.fixture
def host_asks(server: Server, stranger: Callable[..., suite.Outcome]) -> Callable[..., dict[str, str]]:
    """What fails where the host itself, at 127.0.0.1, asks that server, on which users submit mail or not."""

    def verify(mta: Mta, submission: bool = False, **expect: Any) -> dict[str, str]:
        server.seen["addresses"] = ["127.0.0.1"]
        server.probe = {**server.probe, "verdict": "ok"}
        ports = {"submission_ports": [mta.port]} if submission else {}
        return failures(stranger(mta, address="", **ports, **expect))

    return verify


ATTACKED: dict[str, tuple[dict[str, Any], dict[str, str], bool, dict[str, str]]] = {
    "as it should be": ({}, {}, False, {}),
    "a shape": (
        {"takes": lambda _sender, recipient: "%" in recipient}, {}, False,
        {HERE: "of this host itself at 127.0.0.1 (250 Ok; 'percent hack'"},
    ),
    "login in the clear": (
        {"offers": ("AUTH=PLAIN",), "says": {"AUTH": "535 5.7.8 no"}}, {}, False,
        {"submission::no_login_before_tls": "offers AUTH PLAIN before TLS"},
    ),
    "hidden login in the clear": (
        {"says": {"AUTH": "235 2.7.0 welcome"}}, {}, False, {"submission::no_login_before_tls": "takes AUTH"},
    ),
    "AUTH is refused before TLS": ({"says": {"AUTH": "530 5.7.0 Must issue STARTTLS"}}, {}, False, {}),
    "EXPN": (
        {"says": {"EXPN": "250 <joe@example.com>"}}, {}, False,
        {"submission::strangers_are_told_no_names": "who is behind an address (250 <joe@example.com> to EXPN)"},
    ),
    "VRFY where nobody logs in": (
        {"says": {"VRFY root": "252 root", "VRFY": "550 5.1.1 User unknown"}}, {}, False, {},
    ),
    "VRFY and no TLS where users should log in": (
        {"says": {"VRFY root": "252 root", "VRFY": "550 5.1.1 User unknown"}}, {}, True,
        {
            "submission::strangers_are_told_no_names": "set disable_vrfy_command = yes",
            "submission::users_can_log_in": "but it offers no TLS",
        },
    ),
    "mail from nobody in particular": (
        {"takes": lambda _sender, recipient: recipient == CONTROLS[0][1]}, {}, True,
        {
            "submission::submission_is_for_users_alone": "took <postmaster@example.com> from a stranger (250 Ok)",
            "submission::users_can_log_in": "but it offers no TLS",
        },
    ),
    "a bare line feed ends a message": (
        {"takes": lambda _from, to: to == CONTROLS[0][1], "ends": (b"\n.\n", b"\n.\r\n")}, {}, False,
        {"submission::a_message_has_one_end": "takes LF.LF, LF.CRLF, CRLF.LF for the end of a message"},
    ),
    "nothing forbids bare line feeds": (
        {}, {"smtpd_forbid_bare_newline": "no"}, False,
        {"submission::a_message_has_one_end": "set smtpd_forbid_bare_newline = normalize"},
    ),
    "the older means": (
        {},
        {"smtpd_forbid_bare_newline": "no", "smtpd_data_restrictions": "reject_unauth_pipelining",
         "smtpd_discard_ehlo_keywords": "CHUNKING, silent-discard"}, False, {},
    ),
    "the host may relay": (
        {"takes": lambda *_envelope: True, "ends": (b"\n.\n",)},
        {"smtpd_relay_restrictions": "check_client_access cidr:/c, reject_unauth_destination"}, False, {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKED)
def test_what_the_host_hears_from_its_own_listeners(
    server: Server, host_asks: Callable[..., dict[str, str]], name: str
) -> None:
    given, main_cf, submission, expected = ATTACKED[name]
    server.main_cf.update(main_cf)
    server.tables["cidr:/c"] = {"127.0.0.1/32": "OK"}
    found = host_asks(Mta(**given), submission)
    assert set(found) == set(expected)
    for test, part in expected.items():
        assert part in found[test]


def test_a_message_that_is_tried_has_no_end_and_too_many_hops(
    host_asks: Callable[..., dict[str, str]],
) -> None:
    """Mta.message() holds it to that; here, that it was begun at all, and to whom."""
    mta = Mta(lambda _sender, recipient: recipient == CONTROLS[0][1])
    assert host_asks(mta) == {}
    assert mta.said.count("DATA") == 1
    assert {recipient for _sender, recipient in mta.asked} >= {CONTROLS[0][1]}


def test_ports_besides_those_listed_are_told(
    server: Server, host_asks: Callable[..., dict[str, str]]
) -> None:
    mta = Mta()
    found = host_asks(mta, submission_ports=[587])
    assert "submit mail on port 587" in found["listeners::submission_ports_are_those_listed"]


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("", "relay (verify_outside) should ask from outside, but could not: no such host"),
        ("[]", "relay (verify_outside) reaches no port of this host"),
        ('[{"port": 1, "reached": true, "source": "192.0.2.9"}]', "reaches no port"),
    ],
)
def test_a_host_outside_that_cannot_ask_is_told(
    stranger: Callable[..., suite.Outcome], said: str, part: str
) -> None:
    outside = {"host": "relay", "said": said, "problem": "no such host"}
    found = failures(stranger(Mta(), address="", outside=outside))
    assert set(found) == {"relaying::relaying_is_refused_to_another_host"}
    assert part in found["relaying::relaying_is_refused_to_another_host"]


def test_what_a_host_outside_was_allowed_is_told(stranger: Callable[..., suite.Outcome]) -> None:
    mta = Mta()
    said = {"port": mta.port, "reached": True, "source": "192.0.2.9", "refused": 3, "offers": {},
            "taken": [["upper case", "<>", "<X@EXAMPLE.ORG>", "250 Ok"]]}  # fmt: skip
    outside = {"host": "relay", "said": json.dumps([said]), "problem": ""}
    found = failures(stranger(mta, address="", outside=outside))
    assert set(found) == {"relaying::relaying_is_refused_to_another_host"}
    assert "took <X@EXAMPLE.ORG> from <> of relay at 192.0.2.9" in next(iter(found.values()))


def test_first_bytes_of_old_tls_are_well_formed() -> None:
    """RFC 5246: lengths that fit, of the record, of the message and of what is in it."""
    for number in ask.TLS_NAMES:
        record = ask.client_hello(number)
        assert record[:3] == b"\x16\x03\x00" and int.from_bytes(record[3:5], "big") == len(record) - 5
        assert record[5] == 1 and int.from_bytes(record[6:9], "big") == len(record) - 9
        assert record[9:11] == number.to_bytes(2, "big")


def test_advice_names_no_option_of_the_probe() -> None:
    """Of the rungs that verify climbs: it gives no login and no envelope."""
    spec = importlib.util.spec_from_file_location("suite_tls", SUITE / "test_tls.py")
    assert spec and spec.loader
    suite_tls = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(suite_tls)
    rungs = ("", "resolve", "connect", "greeting", "ehlo", "tls", "certificate")
    for verdict in (each for each in VERDICTS.values() if each.stage in rungs and not each.usable):
        said = suite_tls.in_the_words_of_the_roles(verdict.advice)
        options = [
            name for name in (*PROBE_ARGUMENTS, *ENDPOINT_ARGUMENTS) if "_" in name or name == "timeout"
        ]
        assert not re.search(rf"\b(?:{'|'.join(options)})\b|Set tls", said), said
    mismatch = VERDICTS["certificate_mismatch"].advice
    assert (
        suite_tls.in_the_words_of_the_roles(mismatch)
        == "Set postfix_relay_host to the name in the certificate."
    )


MESSAGE, STUCK = "delivery::relay_accepts_a_message", "delivery::no_earlier_test_message_is_stuck"
WENT_UNDER_TLS = "delivery::message_went_under_tls"
OK, TIMED_OUT = (
    "sent (250 2.0.0 Ok: queued as 8C1DA1A806A)",
    "connect to x.example[192.0.2.1]:587: Connection timed out",
)
NEVER_SENT = LOG.replace(LOG.splitlines(keepends=True)[-1], f"Nov 23 mail1 postfix/smtp[694]: {TIMED_OUT}\n")
# The mail log and the queue, and for each test that must fail a part of its sentence.
MAIL_CASES: dict[str, tuple[str, str, dict[str, str]]] = {
    "deferred": (
        LOG.replace(OK, f"deferred ({TIMED_OUT})"),
        "",
        {
            MESSAGE: f"it was deferred at relay.example.com[192.0.2.1]:587 ({TIMED_OUT}): the relay does not answer"
        },
    ),
    "bounced": (
        LOG.replace(OK, "bounced (it said: 550 5.1.1)"),
        "",
        {MESSAGE: "(it said: 550 5.1.1): the recipient is not known"},
    ),
    "went another way": (
        LOG.replace("]:587,", "]:2525,"),
        "",
        {MESSAGE: "relay.example.com port 587, but went to relay.example.com[192.0.2.1]:2525"},
    ),
    "stayed here": (
        LOG.replace("relay=relay.example.com[192.0.2.1]:587", "relay=local"),
        "",
        {MESSAGE: "but went to local"},
    ),
    "still tried": (NEVER_SENT, "", {MESSAGE: f"after 0.1 s it was still being tried ({TIMED_OUT})"}),
    "not in the log": ("", "", {MESSAGE: "the mail log does not mention it"}),
    "not verified": (LOG.replace("Verified", "Trusted"), "", {WENT_UNDER_TLS: "show a Verified connection"}),
    "in clear": (LOG.replace("Verified TLS connection", "no"), "", {WENT_UNDER_TLS: "but it shows 'none'"}),
    "an earlier one is stuck": (
        LOG,
        QUEUED.format(1699999999, DEFERRED_TO_YOU),
        {STUCK: "AA (connection refused)"},
    ),
    "a later one waits": (LOG, QUEUED.format(1700000001, DEFERRED_TO_YOU), {}),
    "somebody else's waits": (LOG, QUEUED.format(1600000000, '{"address": "other@example.com"}'), {}),
}


@pytest.mark.parametrize("name", MAIL_CASES)
def test_what_became_of_the_message(server: Server, name: str) -> None:
    server.log, server.queue, expected = MAIL_CASES[name]
    found = failures(server.verify(**ROUTE, test_recipient="you@example.com"))
    assert set(found) == set(expected)
    for test, part in expected.items():
        assert part in found[test]
    delivered = "status=sent" in server.log
    taken_back = [command for command in server.asked if command.startswith("postsuper")]
    assert taken_back == ([] if delivered or not server.log else ["postsuper -d 885221A806B"])


NOT_RESOLVED = (
    "Host or domain name not found. Name service error for name=relay.example.com type=AAAA: Host not found"
)
MAILDIR = "maildir delivery failed: create maildir file /var/vmail/example.com/ops/tmp/1.P2.mail1: Permission denied"
OTHER_RESOLVER = {
    "copy": look.resolver("nameserver 192.0.2.9"),
    "host": look.resolver("nameserver 192.0.2.1"),
}


@pytest.mark.parametrize(
    ("text", "seen", "parts"),
    [
        (NOT_RESOLVED, {"chroot": {**SEEN["chroot"], "resolver": OTHER_RESOLVER, "resolves": True}},
         ["the name servers in /var/spool/postfix/etc/resolv.conf", "those of /etc/resolv.conf do: restart postfix"]),
        (NOT_RESOLVED, {"chroot": {**SEEN["chroot"], "resolver": OTHER_RESOLVER, "resolves": False}},
         ["DNS does not know the name relay.example.com"]),
        ("alias database unavailable", {}, ["/etc/aliases is missing too: create it", "then run newaliases"]),
        ("alias database unavailable",
         {"files": {**SEEN["files"], "/etc/aliases": SEEN["files"]["/etc/postfix/main.cf"]}},
         ["run newaliases (it builds the table"]),
        (MAILDIR,
         {"parameters": {**SEEN["parameters"], "virtual_mailbox_base": "/var/vmail", "virtual_uid_maps": "static:5000",
                         "virtual_gid_maps": "static:5001"}},
         ["give /var/vmail to the owner that virtual_uid_maps and virtual_gid_maps name",
          "(chown -R 5000:5001 /var/vmail)"]),
        (MAILDIR, {}, ["look at the owner and mode of /var/vmail/example.com/ops/tmp, and of"]),
        ("cannot update mailbox /var/mail/ops for user ops. unable to create lock file /var/mail/ops.lock: Permission "
         "denied", {}, ["(/var/mail: root:mail, mode 2775)"]),
    ],
)  # fmt: skip
def test_what_was_seen_corrects_the_cause(
    server: Server, text: str, seen: dict[str, Any], parts: list[str]
) -> None:
    server.seen.update(seen)
    server.log = LOG.replace(OK, f"deferred ({text})")
    found = failures(server.verify(**ROUTE, test_recipient="you@example.com"))[MESSAGE]
    assert not [part for part in parts if part not in found], found


def test_a_time_that_was_cut_short_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.log = server.root_log = NEVER_SENT
    server.seen["parameters"]["soft_bounce"] = "yes"
    beginning = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: beginning + 0.01)
    monkeypatch.setattr(
        time, "sleep", lambda _seconds: monkeypatch.setattr(time, "monotonic", lambda: beginning + 9)
    )
    found = failures(server.verify(**ROUTE, test_recipient="you@example.com", delivery_timeout=15))
    assert (
        "after 8 s (not 15, because all mail is stopped by what another test tells) it was still"
        in found[MESSAGE]
    )


def test_verify_names_no_variable_of_role_postfix_that_is_not_there() -> None:
    roles = SUITE.parents[2]
    known = set()
    for path in (roles / "postfix" / "meta").rglob("argument_specs.yml"):
        known |= set(re.findall(r"^ +(postfix_\w+):$", path.read_text(), re.MULTILINE))
    for path in [*SUITE.glob("*.py"), *SUITE.parents[1].rglob("*.yml"), SUITE.parents[1] / "README.md"]:
        named = set(re.findall(r"(?<![\w/.])postfix_[a-z_]+(?![\w/*(.]*\()", path.read_text()))
        assert named <= known, path


AROUND = """\
Nov 23 mail1 postfix/master[3]: warning: /usr/lib/postfix/sbin/pickup: bad command startup -- throttling
Nov 23 mail1 postfix/smtpd[5]: warning: hostname x.example does not resolve to address 192.0.2.9: Name or service not \
known
Nov 23 mail1 postfix/qmgr[6]: warning: /etc/postfix/main.cf, line 41: overriding earlier entry: queue_minfree=0
"""
NOT_READ = (
    "Nov 23 mail1 postfix/pickup[4]: fatal: scan_dir_push: open directory maildrop: Permission denied\n"
)


@pytest.mark.parametrize(
    ("around", "part"),
    [
        (NOT_READ + AROUND, "open directory maildrop: Permission denied): Postfix may not read maildrop"),
        (AROUND, "does not start or does not answer (/usr/lib/postfix/sbin/pickup): see the mail log"),
    ],
)
def test_what_others_complain_of_explains_no_message(server: Server, around: str, part: str) -> None:
    server.log = server.root_log = ""
    server.answers[r"^\{ journalctl.*grep -E"] = (0, around)
    found = failures(server.verify(**ROUTE, test_recipient="you@example.com"))
    assert part in found[MESSAGE]
    assert ",," not in found["delivery::mail_of_root_arrives"]


def test_a_remark_of_sendmail_is_not_why_it_refused(server: Server) -> None:
    said = "sendmail: warning: /etc/postfix/main.cf, line 41: overriding earlier entry: queue_minfree=0\n"
    server.answers["^printf "] = (75, said + "sendmail: fatal: User root(0) is not allowed to submit mail\n")
    found = failures(server.verify(**ROUTE, test_recipient="you@example.com"))
    assert "says (sendmail: fatal: User root(0) is not allowed" in found[MESSAGE]


def test_message_that_never_left_the_maildrop_is_taken_back(server: Server) -> None:
    server.log = server.root_log = ""
    server.answers["^grep -rlF mailops-verify-"] = (0, "/var/spool/postfix/maildrop/D7EF81A81AE\n")
    server.verify(**ROUTE, test_recipient="you@example.com")
    assert [each for each in server.asked if "postsuper" in each] == ["postsuper -d D7EF81A81AE"] * 2


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({r"^id -u": (0, "1000\n"), r"^id -nu": (0, "ops\n")}, "the tests ran as ops, but only root may"),
        ({r"^command -v postconf": (1, "")}, "Postfix is not installed here: run mailops.smtp.deploy first."),
    ],
)
def test_what_stops_everything_is_told_once(server: Server, answers: dict[str, Any], reason: str) -> None:
    server.answers = answers
    found = failures(server.verify(**ROUTE))
    assert len(found) > 20
    assert len(set(found.values())) == 1
    assert next(iter(found.values())).startswith(reason)


@pytest.mark.parametrize("password", ["Pa:ss#word $1", "a b'c\"d\\e*[x]", "short"])
def test_search_for_the_password_finds_every_copy(tmp_path: Path, password: str) -> None:
    search = re.search(r'SEARCH = r"""(.*?)"""', (SUITE / "test_password.py").read_text(), re.DOTALL)
    assert search
    live, beside = tmp_path / "postfix", tmp_path / "postfix.old"
    (live / "sub").mkdir(parents=True)
    beside.mkdir()
    line = f"[relay.example.com]:587 user:{password}\n"
    for file in (live / "sasl_passwd", live / "sub" / "copy", beside / "sasl_passwd"):
        file.write_text("# a comment: of the map\n" + line)
        file.chmod(0o600)
    (live / "sub" / "copy").chmod(0o644)
    (live / "main.cf").write_text("relayhost = [relay.example.com]:587\n# not so short a comment\n")
    script = f"DIRECTORY={live}\n{search[1]}"
    found = subprocess.run(
        ["sh", "-c", script, "sh", str(live / "sasl_passwd")], capture_output=True, text=True, check=True
    )
    modes = {line.split()[2]: line.split()[1] for line in found.stdout.splitlines()}
    assert modes == {
        str(live / "sasl_passwd"): "600", str(live / "sub" / "copy"): "644", str(beside / "sasl_passwd"): "600"
    }  # fmt: skip
    assert password not in found.stdout + found.stderr
