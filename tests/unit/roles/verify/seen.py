"""What look.py sees on a host on which all is well, as recorded on Debian 13."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

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
    "listener": ["127.0.0.1", 25],
    "answers": [{"recipient": "root@mail1.example.com", "code": 250, "text": "250 2.1.5 Ok"}],
}
