#!/usr/bin/env python3
"""Compares the catalogue of relay services with nodemailer's list, and names every difference.

    npm pack nodemailer && tar -xzf nodemailer-*.tgz
    PYTHONPATH=.build/collections tests/tools/compare_services.py package/dist/well-known/services.json

Of the services that both know, host, port and kind of TLS are compared; that list has one port of each. The exit status
is 1 where a difference is not explained below, or an explanation has no difference any more.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Iterator, Mapping, NamedTuple

from ansible_collections.mailops.smtp.plugins.module_utils._route.relay_services import SERVICES
from ansible_collections.mailops.smtp.plugins.module_utils._route.relays import Relay, by_host, resolve
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import OptionError

# Entries of that list whose name and host both differ from ours.
SAME = {"GodaddyAsia": "godaddy", "GodaddyEurope": "godaddy"}

_GODADDY = (
    "no other source has a host of that region: omnibus-gitlab doc/settings/smtp.md @440b1f835 and "
    "thunderbird/autoconfig ispdb/wildwestdomains.com.xml @c6ad796 have smtpout.secureserver.net"
)
_GODADDY_PORT = (
    "omnibus-gitlab doc/settings/smtp.md @440b1f835 and thunderbird/autoconfig ispdb/wildwestdomains.com.xml @c6ad796 "
    "have 465 with implicit TLS; 25 is in no other source"
)

# Why ours differs, and where that was read. The keys: a name in that list, and what differs.
EXPLAINED: dict[tuple[str, str], str] = {
    ("1und1", "host"): (
        "an alternate here; omnibus-gitlab doc/settings/smtp.md @440b1f835 has smtp.ionos.de, under "
        "'IONOS by 1&1'"
    ),
    ("Godaddy", "port"): _GODADDY_PORT,
    ("GodaddyAsia", "host"): _GODADDY,
    ("GodaddyAsia", "port"): _GODADDY_PORT,
    ("GodaddyEurope", "host"): _GODADDY,
    ("GodaddyEurope", "port"): _GODADDY_PORT,
    ("Mailjet", "host"): (
        "omnibus-gitlab doc/settings/smtp.md @440b1f835 and https://smtptester.org/guides/mailjet-smtp-test/ have "
        "in-v3.mailjet.com"
    ),
    ("Yandex", "host"): (
        "an alternate here; thunderbird/autoconfig ispdb/yandex.ru.xml @c6ad796 has smtp.yandex.com"
    ),
}


class Difference(NamedTuple):
    name: str
    field: str
    theirs: str
    ours: str

    def __str__(self) -> str:
        return f"{self.name}, {self.field}: {self.theirs} there, {self.ours} here"


def ours(name: str, entry: Mapping[str, Any]) -> Relay | None:
    """The same service in the catalogue: by host, or by one of its names."""
    host = str(entry.get("host") or "")
    found = by_host(host) if host else None
    for known in () if found else (SAME.get(name, name), *entry.get("aliases", ())):
        try:
            key, _region = resolve(known)
        except OptionError:
            continue
        return Relay(key, host, SERVICES[key])
    return found


def differences(name: str, entry: Mapping[str, Any], relay: Relay) -> Iterator[Difference]:
    """Host, port and kind of TLS; of a port that is not documented here no kind is known."""
    service, host, port = relay.service, str(entry["host"]), int(entry["port"])
    documented = (*service.starttls, *service.implicit)
    # A host with a region was found by its pattern.
    if host != service.host and "{region}" not in service.host:
        yield Difference(name, "host", host, service.host)
    if port not in documented:
        yield Difference(name, "port", str(port), ", ".join(map(str, documented)))
    elif bool(entry.get("secure")) != (port in service.implicit):
        kinds = {True: "implicit TLS", False: "STARTTLS"}
        yield Difference(
            name, "secure", kinds[bool(entry.get("secure"))], f"{kinds[port in service.implicit]} on {port}"
        )


def compare(entries: Mapping[str, Mapping[str, Any]]) -> tuple[int, list[Difference]]:
    """How many services both know, and how they differ."""
    both = [(name, entry, ours(name, entry)) for name, entry in entries.items() if entry.get("host")]
    known = [(name, entry, relay) for name, entry, relay in both if relay and entry.get("port")]
    return len(known), [found for row in known for found in differences(*row)]


def report(entries: Mapping[str, Mapping[str, Any]], explained: Mapping[tuple[str, str], str]) -> list[str]:
    """Prints every difference, and returns what is wrong with the explanations."""
    count, found = compare(entries)
    complaints = []
    for one in found:
        why = explained.get((one.name, one.field))
        print(f"{one}: {why or 'NOT EXPLAINED'}")
        if not why:
            complaints.append(f"{one}: say why in EXPLAINED, with a source, or correct the catalogue")
    gone = set(explained) - {(one.name, one.field) for one in found}
    complaints += [
        f"{name}, {field}: no difference any more; remove it from EXPLAINED" for name, field in sorted(gone)
    ]
    print(
        f"{count} entries of services that both know, {len(found)} differences, {len(complaints)} complaints"
    )
    return complaints


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    complaints = report(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), EXPLAINED)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
