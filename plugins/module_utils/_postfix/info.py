"""What Postfix is and has on this host.

The rule of this file: it only reads, and passwords that somebody wrote into main.cf are masked.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import os
import re
from collections import Counter
from typing import Any, Mapping

from .._base.masks import MASK
from .files import main_cf, master_cf, nexthop
from .files.text import assignments, read_text
from .files.version import capabilities, parse_version
from .host import maps, programs
from .host.master import queue_directory, running_master

_QUEUES = ("incoming", "active", "deferred", "hold", "corrupt")
_SECRET = re.compile(r"\b(?P<kind>static|inline):(\{[^}]*\}|\S+)")


def gather(config_directory: str) -> dict[str, Any]:
    """Everything that postfix_info returns; `installed` false and nothing else on a host without Postfix."""
    postconf = programs.find_program("postconf")
    main_file = os.path.join(config_directory, "main.cf")
    if postconf is None or not os.path.exists(main_file):
        return {"installed": False}
    main = main_cf.MainCf(read_text(main_file))
    master = master_cf.MasterCf(read_text(os.path.join(config_directory, "master.cf")))
    parameters = assignments(programs.run([postconf, "-c", config_directory, "-n"]).output)
    defaults = assignments(programs.run([postconf, "-c", config_directory, "-d"]).output)
    version = parse_version(defaults.get("mail_version", "0.0"))
    lookup = {**defaults, **parameters, "config_directory": config_directory}
    directory = queue_directory(lookup)
    running = running_master(directory)
    return {
        "installed": True,
        "version": str(version),
        "config_directory": config_directory,
        "running": running is not None,
        "unit": running.unit if running else None,
        "listeners": sorted(
            ({"address": each.address, "port": each.port} for each in running.listeners),
            key=lambda each: (str(each["port"]).zfill(5), str(each["address"])),
        )
        if running and running.listeners is not None
        else [],
        "parameters": masked_values(parameters),
        "services": [_service(entry) for entry in master.services],
        "maps": _maps(main, master, lookup),
        "next_hops": [
            {"host": host, "port": port, "implicit_tls": implicit}
            for host, port, implicit in nexthop.next_hops(config_directory)
        ],
        "queue": queue(directory, config_directory),
        "capabilities": capabilities(version),
        "map_types": programs.run([postconf, "-c", config_directory, "-m"]).output.split(),
    }


def masked(name: str, value: str) -> str:
    """A value without the password that an inline or static table of passwords would show."""
    if "sasl_password_maps" not in name:
        return value
    return _SECRET.sub(lambda match: f"{match.group('kind')}:{MASK}", value)


def masked_values(parameters: Mapping[str, str]) -> dict[str, str]:
    """All values without passwords, those of parameters that a password map refers to included."""
    secret = {name for name in parameters if "sasl_password_maps" in name}
    for name in list(secret):
        secret |= {*re.findall(r"\$[{(]?(\w+)", parameters[name])}
    return {
        name: masked("sasl_password_maps" if name in secret else name, value)
        for name, value in parameters.items()
    }


def _service(entry: master_cf.Service) -> dict[str, Any]:
    result: dict[str, Any] = {
        **entry._asdict(),
        "arguments": list(entry.arguments),
        "options": {name: masked(name, value) for name, value in entry.options},
    }
    del result["line"]
    return result


def _maps(main: main_cf.MainCf, master: master_cf.MasterCf, lookup: dict[str, str]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for ref in maps.references(main, master, lookup):
        entry = found.setdefault(
            ref.spec,
            {
                "table": ref.spec,
                "type": ref.type,
                "path": ref.path,
                "exists": os.path.exists(ref.path),
                "stale": ref.type in maps.COMPILED and maps.is_stale(ref.type, ref.path),
                "used_by": [],
            },
        )
        if ref.parameter not in entry["used_by"]:
            entry["used_by"].append(ref.parameter)
    return list(found.values())


def queue(queue_directory: str, config_directory: str) -> dict[str, Any]:
    """Messages by queue, the oldest's arrival (seconds since the epoch), and why mail is deferred."""
    counts = {name: _count(os.path.join(queue_directory, name)) for name in _QUEUES}
    counts["maildrop"] = _count(os.path.join(queue_directory, "maildrop"))
    result: dict[str, Any] = {**counts, "total": sum(counts.values()), "oldest": None, "deferred_reasons": []}
    program = programs.find_program("postqueue")
    if not result["total"] or program is None:
        return result
    done = programs.run([program, "-c", config_directory, "-j"])
    arrivals: list[int] = []
    reasons: Counter[str] = Counter()
    for line in done.output.splitlines():
        with contextlib.suppress(ValueError):
            message = json.loads(line)
            arrivals.append(int(message.get("arrival_time", 0)))
            for recipient in message.get("recipients", []):
                if recipient.get("delay_reason"):
                    reasons[recipient["delay_reason"]] += 1
    result["oldest"] = min(arrivals, default=None)
    result["deferred_reasons"] = [
        {"reason": reason, "recipients": count} for reason, count in reasons.most_common(5)
    ]
    return result


def _count(directory: str) -> int:
    return sum(len(files) for _root, _names, files in os.walk(directory))
