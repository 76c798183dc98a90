"""What stops mail on a host, judged from what look.py saw there.

The rule of this file: each function takes what was seen and returns sentences, none where all is well. What differs
from the usual and stops nothing (news) is no fault.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from causes import AGAIN, Cause, explain
from mailserver import words

Seen = dict[str, Any]

REPAIR = "run 'postfix set-permissions', then restart postfix"
OWNED_BY_POSTFIX = (
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "trace",
)  # fmt: skip
# The variables of role postfix for parameters that have one.
VARIABLES = {
    "relayhost": "postfix_relay_host", "default_transport": "postfix_relay_host", "myhostname": "postfix_myhostname",
    "myorigin": "postfix_myorigin", "mydestination": "postfix_mydestination", "mynetworks": "postfix_mynetworks",
    "inet_interfaces": "postfix_inet_interfaces", "inet_protocols": "postfix_inet_protocols",
    "smtp_tls_CAfile": "postfix_relay_ca_file", "smtp_tls_security_level": "postfix_relay_tls",
    "smtp_sasl_mechanism_filter": "postfix_relay_auth",
}  # fmt: skip
PROGRAMS = ("postdrop", "postqueue")
# Room for a few messages of the largest size; smtpd itself requires 1.5 times message_size_limit.
LEAST_FREE, LEAST_INODES = 20_000_000, 100
HELD_FOR = 3600
CLOCK = 300


def accounts(seen: Seen) -> list[str]:
    values = seen["parameters"]
    kinds = (("mail_owner", "user"), ("setgid_group", "group"))
    return [
        f"the {kind} {values[name]} ({name}) should exist, but does not, so no process of Postfix "
        f"starts: reinstall the "
        "package postfix, which makes it"
        for name, kind in kinds
        if not seen["accounts"][name]
    ]


def permissions(seen: Seen) -> list[str]:
    """Owner and mode of the directories, files and programs that mail goes through."""
    values, found = seen["parameters"], []
    queue, config, owner = values["queue_directory"], values["config_directory"], values["mail_owner"]
    group, commands = values["setgid_group"], values["command_directory"]
    wanted = [
        (queue, "root", "", 0o755, 0o022),
        *((f"{queue}/{name}", owner, "", 0o700, 0) for name in OWNED_BY_POSTFIX),
        (f"{queue}/maildrop", owner, group, 0o730, 0o005),
        (f"{queue}/public", owner, group, 0o710, 0o007),
        (f"{queue}/pid", "root", "", 0o755, 0o022),
        (values["data_directory"], owner, "", 0o700, 0o022),
        (config, "root", "", 0o755, 0o022),
        (f"{config}/main.cf", "root", "", 0o444, 0o022),
        (f"{config}/master.cf", "root", "", 0o400, 0o022),
        *((f"{commands}/{name}", "root", group, 0o2111, 0o022) for name in PROGRAMS),
    ]
    for path, user, of, needed, forbidden in wanted:
        found += _wrong(path, seen["files"].get(path), user, of, needed, forbidden)
    return list(dict.fromkeys(found))


def _wrong(
    path: str, file: dict[str, Any] | None, user: str, group: str, needed: int, forbidden: int
) -> list[str]:
    if not path:
        return []
    if file is None:
        return [f"{path} should be there, but is missing: {REPAIR}"]
    right = file["user"] == user and group in ("", file["group"])
    if right and file["mode"] & needed == needed and not file["mode"] & forbidden:
        return []
    is_now = f"{file['user']}:{file['group']} with mode {file['mode']:04o}"
    return [
        f"{path} should belong to {user}{':' + group if group else ''} with at least mode {needed:04o}"
        f"{f' and without {forbidden:04o}' if forbidden else ''}, but it is {is_now}, which stops mail "
        f"or lets others "
        f"into it: {REPAIR}"
    ]


def space(seen: Seen) -> list[str]:
    """Room on the file systems of the queue and of the mailboxes."""
    values, found = seen["parameters"], []
    least = max(LEAST_FREE, int(int(values["message_size_limit"] or 0) * 1.5))
    places = {"queue": values["queue_directory"]}
    if values["mydestination"]:
        places["mailboxes"] = values["mail_spool_directory"]
    for name, path in places.items():
        room = seen["space"][name]
        if not room:
            continue
        if room["read_only"]:
            found.append(
                f"the file system of {path} is mounted read-only, so no mail is taken: mount it for writing"
            )
        elif room["free"] < least:
            found.append(
                f"the disk of {path} is full: {room['free'] // 1000} kB are free, and Postfix takes no mail below "
                f"{least // 1000} kB (message_size_limit): free some space"
            )
        elif room["inodes"] and room["free_inodes"] < LEAST_INODES:
            found.append(
                f"the file system of {path} has {room['free_inodes']} inodes left, so no file can be made there: "
                "delete what is not needed"
            )
    wanted, room = int(values["queue_minfree"] or 0), seen["space"]["queue"]
    if room and wanted > room["free"]:
        found.append(
            f"queue_minfree needs {wanted // 1000} kB free in {values['queue_directory']}, and there are "
            f"{room['free'] // 1000} kB: lower it in postfix_parameters, or free some space"
        )
    return found


def suspended(seen: Seen) -> list[str]:
    """Parameters with which somebody has stopped mail, and maybe forgotten it."""
    values, found = seen["parameters"], []
    if values["soft_bounce"] == "yes":
        found.append(
            "soft_bounce = yes makes every refusal temporary: mail that can never be delivered waits for days and "
            "nobody is told. Take it out of main.cf and of postfix_parameters"
        )
    if values["defer_transports"]:
        found.append(
            f"defer_transports = {values['defer_transports']} tells Postfix not to deliver that way: "
            f"take it out of "
            "main.cf and of postfix_parameters, then run 'postqueue -f'"
        )
    if values["master_service_disable"]:
        found.append(
            f"master_service_disable = {values['master_service_disable']} switches services of "
            f"master.cf off: take it "
            "out of main.cf and of postfix_parameters"
        )
    return found


ROUTE = ("relayhost", "default_transport")


def set_again(seen: Seen) -> list[str]:
    """What role postfix set in main.cf and somebody set otherwise after its block, for the last line counts."""
    return [
        f"{each['name']} is set again in main.cf line {each['line']}, after the block that Ansible wrote, so it is "
        f"'{each['value']}' and not '{each['was']}': take that line out and run 'postfix reload', or, if it is right, "
        f"give the role that value ({VARIABLES.get(each['name'], 'postfix_parameters')}) and run mailops.smtp.deploy"
        for each in sorted(seen["set_again"], key=lambda each: each["name"] not in ROUTE)
    ]


def other_route(seen: Seen) -> str:
    """Why nothing that follows from the relay is judged: another one was written after the block. Empty if not."""
    names = [each["name"] for each in seen["set_again"] if each["name"] in ROUTE]
    return f"{' and '.join(names)} is set again after the block that Ansible wrote" if names else ""


def second_mta(seen: Seen) -> list[str]:
    """Programs called sendmail that are not Postfix's: what they take, Postfix never sees."""
    foreign: dict[str, list[str]] = {}
    for path, program in seen["sendmails"].items():
        if not program["postfix"]:
            foreign.setdefault(program["real"], []).append(path)
    return [
        f"{' and '.join(paths)} should be Postfix's, but {'leads to' if paths != [real] else 'is'} "
        f"{real} of another "
        "mail server, so the mail of cron and of other programs goes there and not to Postfix: remove "
        "that package, "
        "or give the link back to Postfix"
        for real, paths in foreign.items()
    ]


RESTART = "restart postfix, for only a restart copies the files ('postfix reload' does not)"
# How a sentence tells what stands in a resolv.conf.
HAS = {"nameserver": "names", "search": "has the search list", "options": "has the options"}


def chroot(seen: Seen, chrooted: bool) -> list[str]:
    """Copies in Postfix's chroot that differ where it matters for the next hop. Others are news."""
    if not chrooted:
        return []
    path, resolver = f"{seen['parameters']['queue_directory']}/etc/resolv.conf", seen["chroot"]["resolver"]
    differences = [
        f"the chroot's {path} {has} {', '.join(resolver['copy'][key]) or 'none'}, and /etc/resolv.conf {has} "
        f"{', '.join(resolver['host'][key]) or 'none'}"
        for key, has in HAS.items()
        if resolver and resolver["copy"][key] != resolver["host"][key]
    ]
    found = [f"{'; '.join(differences)}, so Postfix finds other names than this host: {RESTART}"]
    return (found if differences else []) + _chroot_lacks(seen)


def _chroot_lacks(seen: Seen) -> list[str]:
    """What is not in the chroot, so that the next hop cannot be found."""
    queue, state = seen["parameters"]["queue_directory"], seen["chroot"]
    found = [
        f"{queue}/etc/{name} is missing, which Postfix needs in its chroot: {RESTART}"
        for name in ("resolv.conf", "services")
        if state["copies"].get(name) == "missing"
    ]
    entry = state.get("entry") or {"host": "", "copy": ""}
    if "native" in seen["parameters"]["smtp_host_lookup"] and entry["host"] != entry["copy"]:
        found.append(
            f"/etc/hosts says {entry['host'] or 'nothing'} of the relay, and the copy in the chroot "
            f"({queue}/etc/hosts) says {entry['copy'] or 'nothing'}: {RESTART}"
        )
    return found


ALIASES = "/etc/aliases is missing too: create it (one line will do, 'postmaster: root'), then run newaliases"


def tables(seen: Seen) -> list[str]:
    """Lookup tables that Postfix cannot use: what needs them is deferred."""
    return [
        f"{'the alias database' if _of_aliases(table) else 'the table'} {table['table']} ({table['parameter']}) "
        f"cannot be used: {table['problem']}. {_upper(_table_remedy(table, seen))}"
        for table in seen["tables"]
    ]


def _of_aliases(table: dict[str, str]) -> bool:
    return table["parameter"] in ("alias_maps", "local_recipient_maps")


def _table_remedy(table: dict[str, str], seen: Seen) -> str:
    """What mends a table. Its `source`, the text that it is built from, is there, missing, or "" for none."""
    cause, name = explain(table["problem"]), table["table"]
    path = name.partition(":")[2]
    if cause.name not in ("table", "aliases"):
        return cause.remedy
    if "No such file" not in table["problem"]:
        return "run newaliases" if _of_aliases(table) else cause.remedy
    if not table["source"]:
        return f"create {path}, take it out of {table['parameter']}, or {AGAIN}"
    if name in words(seen["parameters"].get("alias_database", "")):
        build = "run newaliases"
    else:
        build = f"run '{'postalias' if _of_aliases(table) else 'postmap'} {name}'"
    if table["source"] == "there":
        return build
    if path == "/etc/aliases":
        return ALIASES
    return f"{path} is missing too: create it and {build}, or take it out of {table['parameter']}"


def informed(cause: Cause, text: str, seen: Seen, chrooted: bool) -> Cause:
    """A cause that Postfix's words give, corrected by what was seen on the host."""
    values, state = seen["parameters"], seen["chroot"]
    if cause.name == "resolver" and chrooted and state["resolver"] and state["resolves"]:
        copy = f"{values['queue_directory']}/etc/resolv.conf"
        why = f"the name servers in {copy}, which Postfix asks because it runs chrooted, do not give the name"
        return cause._replace(why=f"{why}, and those of /etc/resolv.conf do", remedy=RESTART)
    if cause.name == "aliases" and not seen["files"].get("/etc/aliases"):
        return cause._replace(remedy=ALIASES)
    path = re.search(r"(?<![\w/])/[^\s:,]+", text)
    if cause.name == "mailbox" and path:
        return cause._replace(remedy=_mailbox_remedy(path[0], values))
    return cause


def _mailbox_remedy(path: str, values: dict[str, str]) -> str:
    base, spool = values.get("virtual_mailbox_base", ""), values["mail_spool_directory"]
    if base and path.startswith(f"{base}/"):
        kinds = ("virtual_uid_maps", "virtual_gid_maps")
        ids = [re.fullmatch(r"static:(\d+)", values.get(kind, "")) for kind in kinds]
        owner = ":".join(match[1] for match in ids if match) if all(ids) else ""
        how = f" (chown -R {owner} {base})" if owner else ""
        return f"give {base} to the owner that {' and '.join(kinds)} name{how}"
    if path.startswith(f"{spool}/"):
        return f"look at the owner and mode of it and of its directory ({spool}: root:mail, mode 2775)"
    return f"look at the owner and mode of {path.rpartition('/')[0] or '/'}, and of {path} if it is there"


def virtual_mailboxes(seen: Seen) -> list[str]:
    """The directory of the virtual mailboxes, where one user owns them all and may write into none."""
    found = seen["virtual_mailboxes"]
    if not found or found["usable"]:
        return []
    owner, now = f"{found['uid']}:{found['gid']}", found["now"]
    is_now = f"is {now['user']}:{now['group']} with mode {now['mode']:04o}" if now else "is missing"
    return [
        f"{found['path']} (virtual_mailbox_base) should belong to {owner} (virtual_uid_maps, virtual_gid_maps), but "
        f"{is_now}, so no virtual mailbox is written: chown -R {owner} {found['path']}"
    ]


def waiting(seen: Seen) -> list[str]:
    """Mail that is on hold for long, or that waits for a cause that will stop all other mail too."""
    found, queue = [], seen["queue"]
    if queue["problem"]:
        cause = explain(queue["problem"])
        found.append(
            f"postqueue cannot tell what is in the queue ({queue['problem']}): {cause.remedy or 'see the log'}"
        )
    held = [entry for entry in queue["entries"] if entry[0] == "hold" and seen["now"] - entry[2] > HELD_FOR]
    if held:
        hours = int((seen["now"] - min(entry[2] for entry in held)) // 3600)
        found.append(
            f"{len(held)} message{'s are' if len(held) > 1 else ' is'} on hold, the oldest for {hours} "
            f"h, and nothing "
            "delivers what is on hold: see 'postqueue -p', then release it ('postsuper -H ALL') or delete it"
        )
    reasons = Counter(entry[3][0] for entry in queue["entries"] if entry[0] == "deferred" and entry[3])
    return found + _systemic(reasons)


def _systemic(reasons: Counter[str]) -> list[str]:
    by_cause: dict[str, list[str]] = {}
    for reason, _count in reasons.most_common():
        if explain(reason).systemic and explain(reason).name != "unknown":
            by_cause.setdefault(explain(reason).name, []).append(reason)
    return [
        f"{sum(reasons[each] for each in alike)} messages wait in the queue ({shortened(alike[0])}): "
        f"{explain(alike[0])}. "
        "Then run 'postqueue -f', or delete them"
        for alike in by_cause.values()
    ]


def clock(seen: Seen, controller: float) -> list[str]:
    """A clock that is wrong makes certificates invalid and dates of messages absurd."""
    apart = seen["now"] - controller
    if abs(apart) <= CLOCK:
        return []
    return [
        f"the host's clock is {abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} the controller's, so "
        "certificates may count as expired or not yet valid: set it (timedatectl set-ntp true)"
    ]


def lost(seen: Seen, named: list[str], services: set[str], wanted: list[str]) -> list[str]:
    """What this host took before the collection's configuration, and takes no more.

    `named`: the variables that somebody set, which is consent. `services`: the inet services of master.cf now.
    `wanted`: domains that the host must take mail for in any case.
    """
    before, values = seen["previous"]["main.cf"], seen["parameters"]
    names = ("mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains")
    now = {word.lower() for name in names for word in words(values[name])}
    found = [
        f"this host should take mail for {domain} (verify_domains), but its Postfix does not: name it in "
        "postfix_mydestination or in postfix_parameters (virtual_alias_domains, "
        "virtual_mailbox_domains, relay_domains)"
        for domain in wanted
        if domain.lower() not in now and not any(":" in word for word in now)
    ]
    if not before:
        return found
    path, own = seen["previous"]["path"], _own_names(before)
    consent = {"mydestination": "postfix_mydestination", "myhostname": "postfix_myhostname"}
    gone = [
        word
        for name in names
        if consent.get(name) not in named and name in before
        for word in words(expanded(before[name], {**values, **before}))
        if word.lower() not in now and "." in word and word.lower() not in own
    ]
    foreign = [word for name in names for word in words(expanded(before.get(name, ""), {**values, **before}))]
    inbound = any("." in word and word.lower() not in own for word in foreign)
    if gone:
        found.append(
            f"before the deployment this host took mail for {', '.join(gone)} ({path}), and now it does "
            f"not: put it "
            "into postfix_mydestination, or the parameter back with postfix_parameters, and run mailops.smtp.deploy"
        )
    was, is_now = before.get("inet_interfaces", "all"), values["inet_interfaces"]
    if inbound and _open(was) and not _open(is_now) and "postfix_inet_interfaces" not in named:
        found.append(
            f"before the deployment this host took mail from the network (inet_interfaces = {was}, "
            f"{path}), and now it "
            f"listens on {is_now}: set postfix_inet_interfaces: [all] and run mailops.smtp.deploy"
        )
    missing = [each for each in seen["previous"]["master.cf"] if f"{each}/inet" not in services]
    if missing and "postfix_services" not in named:
        found.append(
            f"before the deployment this host listened on {', '.join(missing)} (master.cf), and now it "
            f"does not: put it "
            "back with postfix_services and run mailops.smtp.deploy"
        )
    return found


def _own_names(before: dict[str, str]) -> set[str]:
    name = before.get("myhostname", "").lower()
    return {name, f"localhost.{name.partition('.')[2]}", "localhost.localdomain", "localhost"}


def _open(interfaces: str) -> bool:
    return not set(words(interfaces)) <= {"loopback-only", "localhost", "127.0.0.1", "[::1]", "::1"}


def expanded(value: str, values: dict[str, str]) -> str:
    """A value with the parameters that it refers to, as far as they are known."""
    for _depth in range(5):
        value = re.sub(r"\$\{?\(?(\w+)[})]?", lambda match: values.get(match[1], ""), value)
    return value


def answers(seen: Seen) -> list[str]:
    """What the host's own listener says to recipients in its own domains."""
    found = []
    for answer in seen["answers"]:
        said, code = answer["text"], answer["code"]
        temporary = 400 <= code < 500 and explain(said).name != "greylisting"
        if not answer["recipient"] or temporary or "Relay access denied" in said:
            cause = explain(said)
            told = said if cause.name == "unknown" else f"{said}): {cause}"
            whom = answer["recipient"] or "a connection"
            found.append(
                f"the SMTP server of this host should take mail for {whom}, but says: ({told}".replace(
                    "(", "", 1
                )
            )
    return found


def stopping(seen: Seen, chrooted: bool) -> list[str]:
    """All that certainly stops a message, so that nobody need wait for one to arrive."""
    if not seen["master"]:
        return ["the master process of Postfix does not run"]
    judged = (accounts, permissions, space, suspended, second_mta)
    return [text for judge in judged for text in judge(seen)] + (_chroot_lacks(seen) if chrooted else [])


def shortened(text: str, most: int = 160) -> str:
    return text if len(text) <= most else text[: most - 4] + " ..."


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
