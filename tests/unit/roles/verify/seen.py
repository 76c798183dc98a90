"""What look.py sees on a host on which all is well, as recorded on Debian 13."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any
from unittest import mock

import look

QUEUE = "/var/spool/postfix"


def file(user: str, group: str, mode: int, directory: bool = True) -> dict[str, Any]:
    return {"user": user, "group": group, "mode": mode, "directory": directory, "size": 4096}


SEEN: dict[str, Any] = {
    "now": 1700000000.0,
    "parameters": {
        "command_directory": "/usr/sbin",
        "config_directory": "/etc/postfix",
        "data_directory": "/var/lib/postfix",
        "defer_transports": "",
        "inet_interfaces": "loopback-only",
        "mail_owner": "postfix",
        "mail_spool_directory": "/var/mail",
        "master_service_disable": "",
        "message_size_limit": "10240000",
        "mydestination": "mail1.example.com, localhost",
        "myhostname": "mail1.example.com",
        "queue_directory": QUEUE,
        "queue_minfree": "0",
        "relay_domains": "",
        "setgid_group": "postdrop",
        "smtp_host_lookup": "dns",
        "soft_bounce": "no",
        "virtual_alias_domains": "",
        "virtual_mailbox_domains": "",
    },
    "files": {
        QUEUE: file("root", "root", 0o755),
        **{
            f"{QUEUE}/{name}": file("postfix", "root", 0o700)
            for name in (
                "active",
                "bounce",
                "corrupt",
                "defer",
                "deferred",
                "flush",
                "hold",
                "incoming",
                "private",
                "trace",
            )
        },
        f"{QUEUE}/maildrop": file("postfix", "postdrop", 0o1730),
        f"{QUEUE}/public": file("postfix", "postdrop", 0o2710),
        f"{QUEUE}/pid": file("root", "root", 0o755),
        "/var/lib/postfix": file("postfix", "postfix", 0o755),
        "/etc/postfix": file("root", "root", 0o755),
        "/etc/postfix/main.cf": file("root", "root", 0o644, False),
        "/etc/postfix/master.cf": file("root", "root", 0o644, False),
        "/usr/sbin/postdrop": file("root", "postdrop", 0o2555, False),
        "/usr/sbin/postqueue": file("root", "postdrop", 0o2555, False),
        "/var/mail": file("root", "mail", 0o2775),
    },
    "accounts": {"mail_owner": True, "setgid_group": True},
    "space": {
        name: {"free": 10**10, "inodes": 10**6, "free_inodes": 10**5, "read_only": False}
        for name in ("queue", "mailboxes")
    },
    "master": True,
    "fatal": "",
    "chroot": {
        "copies": {"resolv.conf": "same", "hosts": "same", "services": "same", "nsswitch.conf": "same"},
        "resolver": {},
        "resolves": False,
        "entry": {"host": "", "copy": ""},
    },
    "virtual_mailboxes": {},
    "sendmails": {"/usr/sbin/sendmail": {"real": "/usr/sbin/sendmail", "postfix": True}},
    "tables": [],
    "queue": {"problem": "", "entries": []},
    "set_again": [],
    "previous": {"main.cf": {}, "master.cf": [], "path": ""},
    "addresses": [],
    "guards": [],
    "listener": ["127.0.0.1", 25],
    "answers": [{"recipient": "root@mail1.example.com", "code": 250, "text": "250 2.1.5 Ok"}],
}


# What decides for whom mail is relayed, as Debian 13 has it; and programs of Postfix that know tables of a test.
RELAYING = {
    "inet_interfaces": "loopback-only",
    "mydestination": "mail1.example.com, localhost",
    "mynetworks": "127.0.0.0/8, [::1]/128",
    "relay_domains": "",
    "virtual_alias_domains": "",
    "virtual_mailbox_domains": "",
    "parent_domain_matches_subdomains": "debug_peer_list,mynetworks,relay_domains",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination",
    "smtpd_recipient_restrictions": "",
    "smtpd_forbid_bare_newline": "normalize",
    "hopcount_limit": "50",
    "mail_version": "3.10.5",
}
MASTER_CF = "smtp       inet  n       -       y       -       -       smtpd\n"
KINDS = "cidr hash inline ldap proxy regexp static texthash unix"
Tables = Mapping[str, Mapping[str, str]]


def table_has(table: str, rows: Mapping[str, str], key: str) -> str | None:
    kind, _colon, name = table.partition(":")
    if kind == "static":
        return name.strip("{} ")
    if kind == "regexp":
        return next((value for pattern, value in rows.items() if re.search(pattern, key)), None)
    if kind == "cidr" and re.fullmatch(r"[\d.]+\.\d+|.*:.*", key):
        try:
            address = ipaddress.ip_address(key)
        except ValueError:
            return None
        return next((value for net, value in rows.items() if address in ipaddress.ip_network(net)), None)
    return rows.get(key)


def programs(master_cf: str, overrides: str, tables: Tables) -> Callable[..., tuple[int, str, str]]:
    """look.run(), for a Postfix on paper."""

    def run(*command: str, timeout: float = 20, text: str = "") -> tuple[int, str, str]:
        if command[0] == "postconf":
            return 0, {"-Px": overrides, "-M": master_cf, "-m": "\n".join(KINDS.split())}[command[1]], ""
        table = command[-1]
        if table not in tables and not table.startswith("static:"):
            return 1, "", f"postmap: fatal: open {table}: No such file or directory"
        rows = tables.get(table, {})
        if command[:2] == ("postmap", "-s"):
            if table.partition(":")[0] in ("cidr", "regexp", "static"):
                return 1, "", f"postmap: fatal: table {table}: sequence operation is not supported"
            return 0, "".join(f"{key}\t{value}\n" for key, value in rows.items()), ""
        assert command[:3] == ("postmap", "-q", "-")
        found = ((key, table_has(table, rows, key)) for key in text.splitlines())
        return 0, "".join(f"{key}\t{value}\n" for key, value in found if value is not None), ""

    return run


def relaying(
    main_cf: Mapping[str, str], master_cf: str, overrides: str, tables: Tables, keys: list[str]
) -> dict[str, Any]:
    with mock.patch.object(look, "run", programs(master_cf, overrides, tables)):
        return look.relaying({**RELAYING, **main_cf}, keys)
