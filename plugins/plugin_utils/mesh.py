"""Whose listeners preflight_mesh means, and how users reach them: names and ports from the variables of those hosts.

Rules of this file: no I/O and no templating; the values are typed. What could not be asked is refused with the entry
that it is from, before anything is probed.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Callable, Iterator, Mapping, Sequence

from ..module_utils._base.words import listed
from ..module_utils._smtp.endpoint import OptionError, check_host, check_port
from . import hosts
from .variables import Wrong, mesh_entry, shown

NAME = "preflight_mesh"
# What is known of a server by the variables of the roles postfix and verify.
OF_A_SERVER = (
    "postfix_submission_ports",
    "postfix_submission_self_signed",
    "postfix_myhostname",
    "verify_certificate_names",
)

Server = Mapping[str, Any]


def listeners(
    asked: Sequence[Any],
    me: str,
    groups: Mapping[str, Sequence[str]],
    server_of: Callable[[str], Server],
    excluded: Sequence[int] = (),
) -> list[dict[str, Any]]:
    """What host `me` is to probe, as the option `mesh` of smtp_route_facts has it: no listener of its own.

    `server_of` gives the variables of a host, OF_A_SERVER and ansible_host, and raises Wrong where they are wrong.
    Raises Wrong with a sentence for each entry that cannot be asked.
    """
    found: dict[tuple[str, int], dict[str, Any]] = {}
    wrong: list[str] = []
    for index, one in enumerate(asked):
        try:
            for each in _of_entry(
                f"{NAME}[{index}]", mesh_entry(f"{NAME}[{index}]", one), groups, server_of, excluded
            ):
                found.setdefault((each["server"], each["port"]), each)
        except Wrong as error:
            wrong += error.args
    if wrong:
        raise Wrong(*wrong)
    return [one for (server, _port), one in found.items() if server != me]


def _of_entry(
    name: str,
    entry: Mapping[str, Any],
    groups: Mapping[str, Sequence[str]],
    server_of: Callable[[str], Server],
    excluded: Sequence[int],
) -> Iterator[dict[str, Any]]:
    try:
        servers = hosts.hosts_of(entry["host"], groups)
    except hosts.NobodyError as error:
        raise Wrong(f"{name} is {shown(entry['host'])}: {str(error).rstrip('.')}") from None
    if entry.get("address") and len(servers) > 1:
        raise Wrong(
            f"{name}.address is {shown(entry['address'])}, and {entry['host']} is {len(servers)} hosts; write an entry "
            "for each of them"
        )
    nowhere = True
    for server in servers:
        known = server_of(server)
        given, whose = entry.get("ports"), f"{name}.ports"
        if not given:
            given = known.get("postfix_submission_ports") or []
            whose = f"{name}: on {server}, postfix_submission_ports"
        ports = dict.fromkeys(_port(port, whose) for port in given)
        kept = [port for port in ports if port not in excluded]
        if ports and not kept:
            raise Wrong(
                f"{name}: preflight_exclude_ports leaves {server} without a port (it has "
                f"{listed([str(port) for port in ports], 'and')}); take one out there, or leave this host out here"
            )
        for port in kept:
            nowhere = False
            yield {"server": server, "port": port, **_reached(name, server, entry, known)}
    if nowhere:
        raise Wrong(
            f"{name} is {shown(entry['host'])}, and no port is known on which {listed(servers[:5], 'or')} takes mail: "
            "postfix_submission_ports is not set there; set it, or write the ports here, as in "
            f"{{host: {entry['host']}, ports: [25]}}"
        )


def _port(port: int, name: str) -> int:
    try:
        return check_port(port, name)
    except OptionError as error:
        raise Wrong(str(error)) from None


def _reached(name: str, server: str, entry: Mapping[str, Any], known: Server) -> dict[str, Any]:
    """Where to connect, and whose name the certificate has to have, which are most often one.

    As in role verify, the names of the certificate are those that users write, else the mail name of the host.
    """
    mail_name = known.get("postfix_myhostname") or ""
    if "$" in mail_name:
        mail_name = ""
    address = entry.get("address") or mail_name or known.get("ansible_host") or server
    certified = (
        next(iter(known.get("verify_certificate_names") or ()), "")
        or mail_name
        or (server if "." in server else "")
    )
    whose = f"{name}.address" if entry.get("address") else f"{name}: the address of {server}"
    try:
        reached = {"host": check_host(address, whose)}
        if certified and check_host(certified) != reached["host"]:
            reached["server_name"] = check_host(certified)
    except OptionError as error:
        remedy = (
            "write the name or the address alone, and ports beside it"
            if entry.get("address")
            else (f"set postfix_myhostname of {server}, or address in an entry for it")
        )
        raise Wrong(f"{str(error).rstrip('.')}; {remedy}") from None
    return {**reached, **({"self_signed": True} if known.get("postfix_submission_self_signed") else {})}
