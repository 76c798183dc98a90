"""What is wrong with master.cf: columns, daemons, ports, arguments, and services that are missing.

The rule of this file: a daemon that would not start or not serve is an error, whoever would notice it.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import socket
from typing import Iterator

from ..._base.addresses import PORT_NAMES, is_address
from ..files import master_cf
from ..files.parameters import (
    DAEMONS_WITHOUT_ARGUMENTS,
    ESSENTIAL_SERVICES,
    PIPE_ATTRIBUTES,
    PIPE_FLAGS,
    PRIVILEGED_DAEMONS,
    SOLITARY_DAEMONS,
)
from ..files.version import supports
from ..host import listeners
from ..host.addresses import is_local, resolves
from .configuration import Configuration
from .finding import Finding, check, nearest, service_error, suggest


@check("service-set-twice")
def service_set_twice(config: Configuration) -> Iterator[Finding]:
    """Two entries of one name and type.

    master(8) takes neither for sure: it binds the address twice, or ends.
    Manual: master(5).
    """
    seen = set()
    for entry in config.master.services:
        if entry.key in seen:
            yield service_error(entry, "", "the service is there twice", "remove one of the two")
        seen.add(entry.key)


@check("service-field")
def service_field(config: Configuration) -> Iterator[Finding]:
    """A column of master.cf with a value that it cannot have.

    master(8) ends when it reads the line, and Postfix with it.
    Manual: master(5).
    """
    for entry in config.master.services:
        for field in master_cf.FIELDS:
            allowed = master_cf.field_complaint(field, getattr(entry, field))
            if allowed:
                shown = f"{field} {getattr(entry, field)}"
                yield service_error(entry, shown, "no such value", f"write {allowed}")


@check("service-columns")
def service_columns(config: Configuration) -> Iterator[Finding]:
    """A column that the daemon cannot work with: privilege, privacy, or its number of processes.

    The daemon exits at once, and is started again and again.
    Manual: master(5), local(8), pipe(8), qmgr(8).
    """
    for entry in config.master.services:
        if entry.type == "inet" and entry.private != "n":
            shown = f"private {entry.private}"
            yield service_error(entry, shown, "an inet service cannot be private", "write n")
        if entry.command in PRIVILEGED_DAEMONS and entry.unpriv != "n":
            problem = f"{entry.command} needs root's privilege to start"
            yield service_error(entry, f"unpriv {entry.unpriv}", problem, "write n")
        limit = config.value("default_process_limit") if entry.maxproc == "-" else entry.maxproc
        if entry.command in SOLITARY_DAEMONS and limit != "1":
            problem = f"{entry.command} must have a process limit of 1"
            yield service_error(entry, f"maxproc {entry.maxproc}", problem, "write 1")


@check("daemon-missing")
def daemon_missing(config: Configuration) -> Iterator[Finding]:
    """A daemon that is not in daemon_directory.

    master(8) cannot start it, and mail that needs it waits.
    Manual: master(5).
    """
    directory = config.value("daemon_directory")
    if not directory or not os.path.isdir(directory):
        return
    for entry in config.master.services:
        path = os.path.join(directory, entry.command)
        if os.path.isfile(path):
            if not os.access(path, os.X_OK):
                yield service_error(entry, entry.command, f"{path} is not executable", f"chmod 0755 {path}")
        else:
            near = nearest(entry.command, os.listdir(directory))
            remedy = f"write {near}" if near else "write a daemon of that directory"
            yield service_error(entry, entry.command, f"there is no such daemon in {directory}", remedy)


@check("daemon-argument")
def daemon_argument(config: Configuration) -> Iterator[Finding]:
    """An argument that the daemon does not take, as of a value with spaces, or a second service on the same line.

    The daemon exits at once, and is started again and again.
    Manual: master(5).
    """
    for entry in config.master.services:
        words = [word for word in entry.arguments if not word.startswith("-")]
        if words and entry.command in DAEMONS_WITHOUT_ARGUMENTS:
            yield service_error(
                entry,
                " ".join(words),
                f"{entry.command} does not accept this argument and would exit at once",
                "write -o { name = value } where a value has spaces; a separate service must start in the first column",
            )


@check("listener-address")
def listener_address(config: Configuration) -> Iterator[Finding]:
    """An inet service whose host or port cannot be listened on.

    master(8) ends when it reads the line, and Postfix with it.
    Manual: master(5).
    """
    for entry in config.master.services:
        found = _bad_port(config, entry) if entry.type == "inet" else None
        if found:
            yield found
        elif entry.type == "inet":
            host = listeners.split_inet_service(entry.service)[0]
            if is_address(host):
                if not is_local(host):
                    problem = f"{host} is not an address of this host"
                    yield service_error(entry, entry.service, problem, "write one that `ip address` shows")
            elif host and not resolves(host):
                problem = f"{host} does not resolve, so Postfix would not start"
                yield service_error(entry, entry.service, problem, "write an address")


def _bad_port(config: Configuration, entry: master_cf.Service) -> Finding | None:
    host, port_text = listeners.split_inet_service(entry.service)
    if ":" in host and "[" not in entry.service:
        return service_error(entry, entry.service, "IPv6 without brackets", f"write [{host}]:{port_text}")
    port = listeners.port_number(port_text)
    if port is None:
        near = nearest(port_text, PORT_NAMES)
        known = f"write {PORT_NAMES[near]}" if near else "write its number, 1 to 65535"
        return service_error(entry, port_text, "no such port", known)
    named = not port_text.isdigit() and not supports(config.version, "known_tcp_ports")
    if named and not _in_services_file(port_text):
        problem = "services(5) on this host does not know this name"
        return service_error(entry, port_text, problem, f"write {port}")
    return None


@check("port-used-twice")
def port_used_twice(config: Configuration) -> Iterator[Finding]:
    """Two inet services that listen on one port of one address.

    master(8) cannot bind the second and ends: "Address already in use".
    Manual: master(5).
    """
    ports: dict[int, list[tuple[frozenset[str], master_cf.Service]]] = {}
    for entry in config.master.services:
        host, port_text = listeners.split_inet_service(entry.service) if entry.type == "inet" else ("", "")
        port = listeners.port_number(port_text)
        if port is None or (":" in host and "[" not in entry.service):
            continue
        addresses = config.addresses_of(host)
        others = [other for known, other in ports.get(port, ()) if _meet(known, addresses)]
        if others:
            yield service_error(
                entry,
                entry.service,
                f"port {port} is already that of {'/'.join(others[0].key)}",
                "remove one of the two",
            )
        else:
            ports.setdefault(port, []).append((addresses, entry))


@check("port-of-another-program")
def port_of_another_program(config: Configuration) -> Iterator[Finding]:
    """A port on which another program of this host listens.

    master(8) cannot bind it and ends: "Address already in use".
    Manual: master(5), ss(8).
    """
    for entry in config.master.services if not config.predicting else ():
        host, port_text = listeners.split_inet_service(entry.service)
        port = listeners.port_number(port_text) if entry.type == "inet" else None
        taken = [listener for listener in config.other_listeners if listener.port == port]
        wanted = config.addresses_of(host)
        if any(_overlaps(each, listener.address) for each in wanted for listener in taken):
            yield service_error(
                entry,
                entry.service,
                f"port {port} is held by a process that is not Postfix",
                f"stop that process: ss -ltnp 'sport = :{port}' names it",
            )


@check("pipe-attribute")
def pipe_attribute(config: Configuration) -> Iterator[Finding]:
    """An attribute or flag of pipe(8) or spawn(8) that does not exist, is missing, or names a user it refuses.

    The daemon exits at the first message, and mail for it is deferred.
    Manual: pipe(8), spawn(8).
    """
    for entry in config.master.services:
        if entry.command in ("pipe", "spawn"):
            yield from _outside_program(config, entry)


def _outside_program(config: Configuration, entry: master_cf.Service) -> Iterator[Finding]:
    words: dict[str, str] = {}
    for word in entry.arguments:
        name, _equals, value = word.partition("=")
        if entry.command == "pipe" and name not in PIPE_ATTRIBUTES:
            known = [each + "=" for each in PIPE_ATTRIBUTES]
            yield service_error(entry, word, "pipe has no such attribute", suggest(name, known))
        words[name] = value
        if name == "argv":
            break
    for need in ("user", "argv"):
        if not words.get(need):
            yield service_error(entry, entry.command, f"{need}= is missing", f"write {need}=…")
    unknown = [flag for flag in words.get("flags", "") if flag not in PIPE_FLAGS]
    if unknown:
        yield service_error(
            entry, f"flags={words['flags']}", f"pipe has no flag {unknown[0]}", f"its flags are {PIPE_FLAGS}"
        )
    user, _colon, group = words.get("user", "").partition(":")
    # Neither is known where Postfix's own programs do not run.
    users, groups = {"root", config.value("mail_owner")}, {"root", config.value("setgid_group")}
    if user in users - {""} or group in groups - {""}:
        yield service_error(
            entry,
            f"user={words['user']}",
            f"{entry.command} runs nothing as root or as Postfix itself",
            "write a user of its own",
        )


@check("program-in-chroot")
def program_in_chroot(config: Configuration) -> Iterator[Finding]:
    """pipe(8) or spawn(8) in a chroot.

    The program that they run is outside of it.
    Manual: master(5), pipe(8), spawn(8).
    """
    for entry in config.master.services:
        if entry.command in ("pipe", "spawn") and config.chrooted(entry):
            problem = f"{entry.command} runs programs from outside, which a chroot hides"
            yield service_error(entry, f"chroot {entry.chroot}", problem, "write n", certain=False)


@check("service-missing")
def service_missing(config: Configuration) -> Iterator[Finding]:
    """A service that Postfix cannot do without, or that another setting makes necessary.

    Mail stops where it would be asked: at its arrival, in the queue, or at its delivery.
    Manual: master(5), postconf(5) cleanup_service_name and the like.
    """
    names = {entry.service for entry in config.master.services}
    for name, why in _needed(config):
        if name not in names:
            names.add(name)
            problem, remedy = (
                f"the service is missing, and {why}",
                f"add {name} as the shipped master.cf has it",
            )
            yield Finding("master.cf", 0, f"service {name}", "", problem, remedy)


def _needed(config: Configuration) -> Iterator[tuple[str, str]]:
    """Services that must be there, and why."""
    for parameter, usual in ESSENTIAL_SERVICES.items():
        yield config.value(parameter) or usual, f"mail stops without it ({parameter})"
    if any(
        word.startswith("proxy:")
        for _setting, value in config.expanded
        for word in value.replace(",", " ").split()
    ):
        yield "proxymap", "tables are named with proxy:"
    elif (
        config.smtpd_services
        and config.words("mydestination")
        and "proxy:" in config.value("local_recipient_maps")
    ):
        yield "proxymap", "smtpd looks recipients up through it (local_recipient_maps)"
    levels = [
        config.value(f"{entry.command}_tls_{name}", entry).lower()
        for entry in config.master.services
        if entry.command in ("smtp", "smtpd", "lmtp")
        for name in ("security_level", "wrappermode")
    ]
    if any(level not in ("", "none", "no") for level in levels):
        yield "tlsmgr", "TLS does not work without it"
    if config.value("maillog_file"):
        yield config.value("postlog_service_name") or "postlog", "nothing would be logged (maillog_file)"
    if any(entry.command == "postscreen" for entry in config.master.services):
        if config.words("postscreen_dnsbl_sites"):
            yield "dnsblog", "postscreen asks through it (postscreen_dnsbl_sites)"
        if not any(entry.type == "pass" for entry in config.smtpd_services):
            yield "smtpd", "postscreen passes its clients on to smtpd of type pass"


def _in_services_file(name: str) -> bool:
    try:
        socket.getservbyname(name, "tcp")
    except OSError:
        return False
    return True


def _overlaps(host: str, address: str) -> bool:
    """Whether a service on that host would meet a listener on the address; on a name it may."""
    if host in ("0.0.0.0", "::"):
        return (":" in host) == (":" in address)
    return not is_address(host) or address in (host, "0.0.0.0", "::")


def _meet(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two sets of addresses cannot both be bound to one port."""
    if one & other:
        return True
    for wild, version in (("0.0.0.0", "."), ("::", ":")):
        for a, b in ((one, other), (other, one)):
            if wild in a and any(version in each for each in b):
                return True
    return False


CHECKS = (
    service_set_twice,
    service_field,
    daemon_missing,
    listener_address,
    port_used_twice,
    port_of_another_program,
    pipe_attribute,
    program_in_chroot,
    service_columns,
    daemon_argument,
    service_missing,
)
