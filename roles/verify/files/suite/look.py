"""Looks at the host once, in one command, and prints as JSON what the tests then judge.

The rule of this file: it runs on the host (Python 3.8, the standard library) and only reads. Of Postfix's programs it
runs those that change nothing: postconf, postmap -q and postqueue -j; never 'postfix check', which on some systems
copies files. No password leaves the host. The question to a listener ends before any message (RSET).
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import glob
import grp
import json
import os
import pwd
import re
import socket
import stat
import subprocess
import sys
import time
from typing import Any

QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "trace")
CHROOT_FILES = ("resolv.conf", "hosts", "services", "nsswitch.conf")
FILE_TABLES = ("btree", "cdb", "cidr", "dbm", "hash", "lmdb", "pcre", "regexp", "sdbm", "texthash")
TABLE = re.compile(r"(?<![\w/])(?:proxy:)?([a-z]+):(/[^\s,{}]+)")
# Parameters that name files which a daemon writes, or that no daemon reads.
NO_TABLES = re.compile(
    r"(_database|_cache_map|_cache|^address_verify_map|_directory|_path|_socket|_service.*|_source|^proxy_\w+_maps)$"
)
# What looks like a table and is a place to connect to or to deliver to.
NO_KINDS = (
    "dev",
    "inet",
    "lmtp",
    "local",
    "pipe",
    "proxy",
    "relay",
    "smtp",
    "socketmap",
    "unix",
    "virtual",
    "file",
)
ALIASES = ("alias_maps", "local_recipient_maps")
SENDMAILS = ("/usr/sbin/sendmail", "/usr/lib/sendmail")
DOMAINS = ("mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains")
IDENTITY = (
    *DOMAINS,
    "myhostname",
    "mydomain",
    "inet_interfaces",
    "virtual_alias_maps",
    "virtual_mailbox_maps",
)
WANTED = (
    *IDENTITY, "config_directory", "queue_directory", "data_directory", "command_directory", "mail_owner",
    "setgid_group", "mail_spool_directory", "soft_bounce", "defer_transports", "queue_minfree", "message_size_limit",
    "master_service_disable", "myorigin", "smtp_helo_name", "smtp_host_lookup", "smtp_sasl_mechanism_filter",
    "smtpd_client_restrictions", "smtp_tls_CAfile", "mailbox_size_limit", "local_transport", "mail_version",
    "alias_database", "virtual_mailbox_base", "virtual_uid_maps", "virtual_gid_maps",
)  # fmt: skip
# What decides for whom mail is relayed.
RESTRICTIONS = (
    "smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions", "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions", "smtpd_data_restrictions", "smtpd_end_of_data_restrictions",
)  # fmt: skip
MATCH_LISTS = (*DOMAINS, "mynetworks", "smtpd_authorized_xclient_hosts", "qmqpd_authorized_clients")
# What decides how a listener talks to strangers and to users.
TALKING = (
    "smtpd_forbid_bare_newline", "smtpd_discard_ehlo_keywords", "smtpd_sasl_auth_enable", "smtpd_sasl_type",
    "smtpd_sasl_path", "smtpd_tls_auth_only", "smtpd_tls_protocols", "smtpd_tls_mandatory_protocols",
    "smtpd_tls_security_level",
    "smtpd_enforce_tls", "smtpd_client_auth_rate_limit", "hopcount_limit", "mail_version",
)  # fmt: skip
RELAYING = (
    *RESTRICTIONS, *MATCH_LISTS, *TALKING, "smtpd_restriction_classes", "smtpd_upstream_proxy_protocol",
    "postscreen_upstream_proxy_protocol", "parent_domain_matches_subdomains", "virtual_alias_maps",
    "virtual_mailbox_maps", "allow_percent_hack", "swap_bangpath", "resolve_dequoted_address", "inet_interfaces",
    "smtpd_tls_wrappermode",
)  # fmt: skip
RELAYING_PROGRAMS = ("smtpd", "postscreen", "qmqpd", "trivial-rewrite")
GUARDS = ("crowdsec", "fail2ban-server", "sshguard")
# Tables whose key is whatever the client says: each of their rows can be had.
SAID_BY_CLIENT = ("check_helo_access", "check_sender_access", "check_reverse_client_hostname_access")
MOST_ROWS = 500
LOG_FILES = ("/var/log/mail.log", "/var/log/maillog", "/var/log/mail.err")
MARK = "mailops.smtp"
BEGIN, END = "# BEGIN mailops.smtp", "# END mailops.smtp"
# Not those of the tools that anybody may call.
FATAL = re.compile(r"postfix\S*/(?!post|sendmail)[\w-]+\[\d+\]: ((?:fatal|panic): .*)$")
SUFFIXES = {"btree": ".db", "cdb": ".cdb", "dbm": ".dir", "hash": ".db", "lmdb": ".lmdb", "sdbm": ".dir"}


def run(*command: str, timeout: float = 20, text: str = "") -> tuple[int, str, str]:
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return 124, "", f"{command[0]} did not answer within {timeout:g} s"
    except OSError as error:
        return 127, "", str(error)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def read(path: str) -> str:
    with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as handle:
        return handle.read()
    return ""


def own_addresses() -> list[str]:
    """The addresses from which this host talks to others. Nothing is sent."""
    found = []
    for family, there in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((there, 25))
            found.append(str(probe.getsockname()[0]))
    return found


def parents_of_address(address: str) -> list[str]:
    """The keys under which tables have an address: access(5)."""
    mark = ":" if ":" in address else "."
    parts = address.split(mark)
    return [mark.join(parts[:length]).rstrip(":") for length in range(len(parts), 0, -1)]


def parameters() -> dict[str, str]:
    lines = (line.partition(" =") for line in run("postconf", "-x")[1].splitlines())
    return {name: value.strip() for name, _equals, value in lines}


def described(path: str) -> dict[str, Any] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return {
        "user": _name(pwd.getpwuid, found.st_uid),
        "group": _name(grp.getgrgid, found.st_gid),
        "mode": stat.S_IMODE(found.st_mode),
        "directory": stat.S_ISDIR(found.st_mode),
        "size": found.st_size,
    }


def _name(database: Any, number: int) -> str:
    try:
        return str(database(number)[0])
    except KeyError:
        return str(number)


def guards() -> list[str]:
    """Programs that run here and ban who guesses passwords."""
    found = {read(path).strip() for path in glob.glob("/proc/[0-9]*/comm")}
    return sorted(found & set(GUARDS))


def exists(database: Any, name: str) -> bool:
    try:
        database(name)
    except KeyError:
        return False
    return True


def space(path: str) -> dict[str, Any] | None:
    try:
        found = os.statvfs(path)
    except OSError:
        return None
    return {
        "free": found.f_bavail * found.f_frsize,
        "inodes": found.f_files,
        "free_inodes": found.f_favail,
        "read_only": bool(found.f_flag & os.ST_RDONLY),
    }


def master(queue: str) -> bool:
    """Whether the master process runs, by its pid file and the process table."""
    pid = read(os.path.join(queue, "pid", "master.pid")).strip()
    if not pid.isdigit():
        return False
    if os.path.isdir("/proc/self"):
        return read(f"/proc/{pid}/comm").strip() == "master"
    return run("ps", "-p", pid, "-o", "comm=")[1].strip().endswith("master")


def last_fatal() -> str:
    """The last line in which a daemon of Postfix said that it cannot go on."""
    lines = run("journalctl", "-q", "--no-pager", "-n", "300", "SYSLOG_FACILITY=2")[1].splitlines()
    for path in LOG_FILES:
        lines += read(path).splitlines()[-300:]
    found = [
        match[1] for match in map(FATAL.search, lines) if match and "daemon initialization" not in match[1]
    ]
    return found[-1] if found else ""


def tables(values: dict[str, str], local: bool) -> list[dict[str, str]]:
    """The lookup tables with a file that cannot be used, and what Postfix says of each."""
    used = {
        (kind, path): name
        for name, value in values.items()
        if not NO_TABLES.search(name) and (local or name not in ALIASES)
        for kind, path in TABLE.findall(value)
    }
    supported = run("postconf", "-m")[1].split()
    found = []
    for (kind, path), name in used.items():
        problem = problem_of(kind, path, supported)
        if problem:
            source = "" if kind not in SUFFIXES else "there" if os.path.exists(path) else "missing"
            found.append({"table": f"{kind}:{path}", "parameter": name, "problem": problem, "source": source})
    return found


def problem_of(kind: str, path: str, supported: list[str]) -> str:
    if kind in NO_KINDS or (kind in supported and kind not in FILE_TABLES):
        return ""
    if kind not in supported:
        return f"unsupported dictionary type: {kind}"
    file = path + SUFFIXES.get(kind, "")
    if not os.path.exists(file):
        return f"open {file}: No such file or directory"
    code, _out, said = run("postmap", "-q", "mailops-verify-no-such-key", f"{kind}:{path}")
    lines = [line for line in said.splitlines() if of_the_table(line, kind, path)]
    return re.sub(r"^postmap: (?:fatal|error|warning): ", "", lines[-1]) if code and lines else ""


def of_the_table(line: str, kind: str, path: str) -> bool:
    """Whether a line of postmap says that the table cannot be used; a key that is not there is no such fault.

    A warning says so only of a key that is there twice: postmap goes on, a daemon does without the whole table. What
    is said of main.cf is no fault of a table, whichever is being asked.
    """
    if re.search(r"/(?:main|master)\.cf\b", line):
        return False
    if ": warning: " in line:
        return kind == "texthash" and path in line and "duplicate" in line
    return path in line or re.search(rf"\b{kind}\b", line) is not None


def resolver(text: str) -> dict[str, list[str]]:
    """What the C library takes from a resolv.conf: three name servers, the last search list, all options."""
    servers: list[str] = []
    search: list[str] = []
    options: set[str] = set()
    for line in text.splitlines():
        keyword, *words = line.split() if line[:1].isalpha() else [""]
        if keyword == "nameserver":
            servers += words[:1]
        elif keyword in ("search", "domain"):
            search = words
        elif keyword == "options":
            options.update(words)
    return {"nameserver": servers[:3] or ["127.0.0.1"], "search": search, "options": sorted(options)}


def resolves(name: str) -> bool:
    """Whether this host finds an address of the name in DNS, where /etc/hosts and search lists do not count."""
    try:
        return bool(socket.getaddrinfo(name.rstrip(".") + ".", 25, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError):
        return False


def chroot(queue: str, next_hop: str) -> dict[str, Any]:
    """How the copies below the queue directory differ from what this host now has."""
    copies = {}
    for name in CHROOT_FILES:
        there, copy = read(f"/etc/{name}"), os.path.join(queue, "etc", name)
        if there:
            copies[name] = (
                "missing" if not os.path.exists(copy) else "same" if read(copy) == there else "differs"
            )
    found: dict[str, Any] = {"copies": copies, "resolver": {}, "resolves": False}
    there, copy = (resolver(read(path)) for path in ("/etc/resolv.conf", f"{queue}/etc/resolv.conf"))
    if copies.get("resolv.conf") == "differs" and there != copy:
        found["resolver"] = {"host": there, "copy": copy}
        found["resolves"] = bool(next_hop) and resolves(next_hop)
    if next_hop:
        mine, other = (host_entry(read(path), next_hop) for path in ("/etc/hosts", f"{queue}/etc/hosts"))
        found["entry"] = {"host": mine, "copy": other}
    return found


def host_entry(text: str, name: str) -> str:
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if name.lower() in (each.lower() for each in names):
            return address
    return ""


def writable(path: str, uid: int, gid: int) -> bool:
    """Whether that user may make files in a directory; where an access list decides, it is taken to allow it."""
    try:
        found = os.stat(path)
        if "system.posix_acl_access" in getattr(os, "listxattr", lambda _path: [])(path):
            return True
    except OSError:
        return False
    bits = found.st_mode >> (6 if found.st_uid == uid else 3 if found.st_gid == gid else 0)
    return stat.S_ISDIR(found.st_mode) and bits & 0o3 == 0o3


def virtual_mailboxes(values: dict[str, str]) -> dict[str, Any]:
    """The directory of the virtual mailboxes and the one user that they all belong to, if it is so simple."""
    path = values.get("virtual_mailbox_base", "")
    ids = [re.fullmatch(r"static:(\d+)", values.get(f"virtual_{kind}_maps", "")) for kind in ("uid", "gid")]
    if values.get("virtual_transport") != "virtual" or not values.get("virtual_mailbox_domains") or not path:
        return {}
    if not all(ids):
        return {}
    uid, gid = (int(match[1]) for match in ids if match)
    below = [entry.path for entry in os.scandir(path) if entry.is_dir()] if os.path.isdir(path) else []
    usable = any(writable(directory, uid, gid) for directory in (path, *below))
    return {"path": path, "uid": uid, "gid": gid, "usable": usable, "now": described(path)}


def sendmails(configured: str) -> dict[str, dict[str, Any]]:
    """The programs that are called sendmail here, and whether each is Postfix's."""
    on_path = run("sh", "-c", "command -v sendmail")[1].strip()
    found = {}
    for path in dict.fromkeys([*SENDMAILS, configured, on_path]):
        if path and os.path.exists(path):
            with contextlib.suppress(OSError), open(path, "rb") as handle:
                text = handle.read()
                found[path] = {"real": os.path.realpath(path), "postfix": b"postdrop" in text}
    return found


def queue_entries() -> dict[str, Any]:
    code, out, said = run("postqueue", "-j")
    if code:
        return {"problem": said.strip(), "entries": []}
    entries = []
    for line in out.splitlines():
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            reasons = [
                each["delay_reason"] for each in entry.get("recipients", []) if each.get("delay_reason")
            ]
            entries.append([entry["queue_name"], entry["queue_id"], entry["arrival_time"], reasons[:1]])
    return {"problem": "", "entries": entries[:2000]}


def logical_lines(text: str) -> list[str]:
    """The lines of main.cf or master.cf, comments left out and continuations joined."""
    found: list[str] = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and found:
            found[-1] += " " + line.strip()
        else:
            found.append(line.strip())
    return found


def set_again(text: str) -> list[dict[str, Any]]:
    """What the block of role postfix in main.cf sets, and a line after the block sets to something else."""
    block: dict[str, str] = {}
    after: dict[str, tuple[int, str]] = {}
    place, name = "before", ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(BEGIN):
            place, after = "block", {}
        elif line.startswith(END):
            place = "after" if place == "block" else place
        elif line.strip() and not line.lstrip().startswith("#"):
            value = line.strip()
            if not line[0].isspace():
                name, _equals, value = (part.strip() for part in line.partition("="))
                if place == "block":
                    block[name] = ""
                elif place == "after":
                    after[name] = number, ""
            if place == "block" and name in block:
                block[name] = f"{block[name]} {value}".strip()
            elif place == "after" and name in after:
                after[name] = after[name][0], f"{after[name][1]} {value}".strip()
    return [
        {"name": name, "line": line, "value": value, "was": block[name]}
        for name, (line, value) in after.items()
        if name in block and re.findall(r"[^,\s]+", value) != re.findall(r"[^,\s]+", block[name])
    ]


def previous(directory: str) -> dict[str, Any]:
    """Of the configuration before the collection's: who this host was, and what it listened on."""
    found: dict[str, Any] = {"main.cf": {}, "master.cf": [], "path": ""}
    for path in sorted(glob.glob(os.path.join(directory, "main.cf.*~")), key=os.path.getmtime, reverse=True):
        text = read(path)
        if text and MARK not in text:
            lines = (line.partition("=") for line in logical_lines(text))
            pairs = {name.strip(): value.strip() for name, _equals, value in lines}
            found["main.cf"] = {name: pairs[name] for name in (*IDENTITY, "myorigin") if name in pairs}
            found["path"] = path
            break
    for path in sorted(glob.glob(os.path.join(directory, "master.cf.*~")), key=os.path.getmtime)[:1]:
        services = [line.split(None, 7) for line in logical_lines(read(path))]
        found["master.cf"] = [
            service[0] for service in services if len(service) == 8 and service[1] == "inet"
        ]
    return found


def asked(address: str, port: int, recipients: list[str]) -> list[dict[str, Any]]:
    """What the listener answers to each recipient; it is told no message."""
    found: list[dict[str, Any]] = []
    try:
        with socket.create_connection((address, port), 10) as connection, connection.makefile(
            "rwb"
        ) as stream:

            def say(line: str) -> tuple[int, str]:
                if line:
                    stream.write(line.encode() + b"\r\n")
                    stream.flush()
                while True:
                    reply = stream.readline(2048).decode(errors="replace").rstrip()
                    if len(reply) < 4 or reply[3] != "-":
                        return int(reply[:3]) if reply[:3].isdigit() else 0, reply

            greeting = say("")
            if greeting[0] != 220:
                return [{"recipient": "", "code": greeting[0], "text": greeting[1]}]
            say("EHLO localhost")
            for recipient in recipients:
                sender = say("MAIL FROM:<>")
                code, text = say(f"RCPT TO:<{recipient}>") if sender[0] == 250 else sender
                found.append({"recipient": recipient, "code": code, "text": text})
                say("RSET")
            say("QUIT")
    except OSError as error:
        found.append({"recipient": "", "code": 0, "text": f"{error}"})
    return found


def domains(values: dict[str, str]) -> list[str]:
    words = [word for name in DOMAINS for word in re.split(r"[,\s]+", values.get(name, "")) if word]
    return [word for word in dict.fromkeys(words) if re.fullmatch(r"(?:[\w-]+\.)+[\w-]+", word)]


def listener() -> tuple[str, int] | None:
    """A loopback address and port on which an SMTP server of Postfix should listen."""
    for line in run("postconf", "-M")[1].splitlines():
        service, kind, *_columns, command = line.split(None, 7)
        if (
            kind != "inet"
            or command.split()[0] not in ("smtpd", "postscreen")
            or "wrappermode=yes" in command
        ):
            continue
        address, _colon, name = service.rpartition(":")
        with contextlib.suppress(OSError, ValueError):
            port = int(name) if name.isdigit() else socket.getservbyname(name, "tcp")
            for host in (address.strip("[]") or "127.0.0.1", "::1"):
                with contextlib.suppress(OSError), socket.create_connection((host, port), 3):
                    return host, port
    return None


def split_list(value: str) -> list[str]:
    """Split at white space and commas outside of { }."""
    words: list[str] = []
    word, depth = "", 0
    for char in value:
        depth += (char == "{") - (char == "}")
        if depth > 0 or char not in " \t,\r\n":
            word += char
        elif word:
            words.append(word)
            word = ""
    return [*words, word] if word else words


def tables_in(words: list[str]) -> list[tuple[str, bool]]:
    """The tables among the words of a list, and whether the client says the key."""
    found: list[tuple[str, bool]] = []
    before = ""
    for word in words:
        table = re.sub(r"^!*(?:proxy:)?", "", word)
        if re.match(r"[a-z]+:", table) and before != "check_policy_service":
            found.append((table, before in SAID_BY_CLIENT))
        before = word.lower()
    return found


def table_answers(table: str, keys: list[str]) -> dict[str, str] | None:
    """What a table has for each of the keys; None where it cannot be asked."""
    _code, out, said = run("postmap", "-q", "-", table, timeout=5, text="\n".join(keys) + "\n")
    if re.search(r"fatal: |error: |did not answer", said):
        return None
    return dict(line.split("\t", 1) for line in out.splitlines() if "\t" in line)


def table_values(table: str) -> list[str]:
    """The values of the rows of a table that can list them; patterns and networks cannot."""
    rows = [line.partition("\t")[2] for line in run("postmap", "-s", table)[1].splitlines()]
    return sorted({row.strip() for row in rows})[:MOST_ROWS]


def words_of_files(words: list[str], files: dict[str, list[str]]) -> list[str]:
    """The words of a list and of the files that it names, which are kept in `files`."""
    found = list(words)
    for path in (word.lstrip("!") for word in words):
        if path.startswith("/") and path not in files:
            files[path] = [word for line in logical_lines(read(path)) for word in split_list(line)]
            found += words_of_files(files[path], files)
    return found


def relaying(values: dict[str, str], keys: list[str]) -> dict[str, Any]:
    """What decides for whom mail is relayed: settings of each listener, and what its tables have for the keys."""
    own = [line.partition(" =") for line in run("postconf", "-Px")[1].splitlines()]
    overrides: dict[str, dict[str, str]] = {}
    for name, _equals, value in own:
        service, _slash, parameter = name.rpartition("/")
        overrides.setdefault(service, {})[parameter] = value.strip()
    services = []
    for line in run("postconf", "-M")[1].splitlines():
        name, kind, *_columns, command = line.split(None, 7)
        program = command.split()[0]
        if program in RELAYING_PROGRAMS:
            settings = overrides.get(f"{name}/{kind}", {})
            services.append({"service": f"{name}/{kind}", "command": program, "settings": settings})
    everywhere = [values, *(each["settings"] for each in services)]
    classes = {name for each in everywhere for name in split_list(each.get("smtpd_restriction_classes", ""))}
    wanted = (*RELAYING, *sorted(classes))
    for service in services:
        settings = service["settings"]
        service["settings"] = {name: settings[name] for name in wanted if name in settings}
    found: dict[str, Any] = {
        "main": {name: values[name] for name in wanted if name in values},
        "services": services,
        "files": {},
    }
    lists = [
        words_of_files(split_list(each[name]), found["files"] if name in MATCH_LISTS else {})
        for each in everywhere
        for name in (*RESTRICTIONS, *MATCH_LISTS, *sorted(classes))
        if name in each
    ]
    return {**found, **ask_tables([table for words in lists for table in tables_in(words)], keys)}


def ask_tables(wanted: list[tuple[str, bool]], keys: list[str]) -> dict[str, Any]:
    """The answers of the tables, and of those that their answers name."""
    supported = set(run("postconf", "-m")[1].split())
    answers: dict[str, dict[str, str] | None] = {}
    rows: dict[str, list[str]] = {}
    for table, said_by_client in wanted:
        if table.partition(":")[0] not in supported:
            continue
        more: list[str] = []
        if table not in answers:
            answers[table] = table_answers(table, keys)
            more += (answers[table] or {}).values()
        if said_by_client and table not in rows:
            rows[table] = table_values(table)
            more += rows[table]
        # The list grows while it is read.
        wanted.extend(each for answer in dict.fromkeys(more) for each in tables_in(split_list(answer)))
    return {"answers": answers, "rows": rows}


def paths(values: dict[str, str]) -> list[str]:
    queue, config = values.get("queue_directory", ""), values.get("config_directory", "")
    commands = values.get("command_directory", "/usr/sbin")
    return [
        queue, *(os.path.join(queue, name) for name in (*QUEUES, "maildrop", "public", "pid")),
        config, os.path.join(config, "main.cf"), os.path.join(config, "master.cf"), values.get("data_directory", ""),
        os.path.join(commands, "postdrop"), os.path.join(commands, "postqueue"),
        values.get("mail_spool_directory", ""), "/etc/aliases", values.get("smtp_tls_CAfile", ""),
    ]  # fmt: skip


def recipients(values: dict[str, str], own: list[str]) -> list[str]:
    """An address in each domain that should exist: root is everywhere a user, and every domain has a postmaster."""
    local = re.split(r"[,\s]+", values.get("mydestination", ""))
    return [f"{'root' if domain in local else 'postmaster'}@{domain}" for domain in own[:20]]


def look(request: dict[str, Any]) -> dict[str, Any]:
    values = parameters()
    queue, config = values.get("queue_directory", ""), values.get("config_directory", "")
    spool = values.get("mail_spool_directory", "")
    own = recipients(values, request.get("domains") or domains(values))
    where, addresses = listener(), own_addresses()
    keys = [*(request.get("keys") or []), *(key for each in addresses for key in parents_of_address(each))]
    return {
        "now": time.time(),
        "parameters": {name: values.get(name, "") for name in WANTED},
        "files": {path: described(path) for path in paths(values) if path},
        "accounts": {
            "mail_owner": exists(pwd.getpwnam, values.get("mail_owner", "")),
            "setgid_group": exists(grp.getgrnam, values.get("setgid_group", "")),
        },
        "space": {"queue": space(queue), "mailboxes": space(spool)},
        "master": master(queue),
        "fatal": last_fatal(),
        "chroot": chroot(queue, request.get("next_hop", "")),
        "virtual_mailboxes": virtual_mailboxes(values),
        "sendmails": sendmails(values.get("sendmail_path", "")),
        "tables": tables(values, local=bool(values.get("mydestination"))),
        "queue": queue_entries(),
        "set_again": set_again(read(os.path.join(config, "main.cf"))),
        "previous": previous(config),
        "relaying": relaying(values, keys),
        "addresses": addresses,
        "guards": guards(),
        "listener": list(where) if where else [],
        "answers": asked(*where, own) if where and own else [],
    }


if __name__ == "__main__":
    print(json.dumps(look(json.loads(sys.argv[1]) if len(sys.argv) > 1 else {})))
