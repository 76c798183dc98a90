"""The catalogue of relay services as plain data, for playbooks.

Rules of this file: data in, data out. What is not known is null or an empty list; a complaint says what to write.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ..module_utils._route.relay_services import SERVICES, SOURCES
from ..module_utils._route.relays import RegionError, relay, resolve
from ..module_utils._smtp.endpoint import OptionError

LOOKUP = "mailops.smtp.relay_services"


def names() -> list[str]:
    """The services, each under its one name."""
    return sorted(SERVICES)


def entry(name: str, region: str | None = None) -> dict[str, Any]:
    """What is known of a service. Raises OptionError; where a region is missing, with the lookup that gives one."""
    try:
        key, rest = resolve(name, region)
        service = SERVICES[key]
        host = relay(key, rest).host if service.host else None
    except RegionError as error:
        raise OptionError(f"{error}: lookup('{LOOKUP}', '{name}', region='{error.example}')") from None
    return {
        "name": key,
        "title": service.title,
        "host": host,
        "alternates": list(service.host_alternates),
        "ports": {
            "starttls": list(service.starttls),
            "implicit": list(service.implicit),
            "general": list(service.ports_general),
            "plaintext": list(service.plaintext),
        },
        "auth": list(service.auth),
        "username": service.username or None,
        "fixed_username": service.fixed_username or None,
        "credential": service.credential or None,
        "note": service.note or None,
        "confidence": service.confidence,
        "sources": [SOURCES.get(source, source) for source in service.sources],
        "as_of": service.as_of,
    }
