"""What a relay service takes as user name and password, told where it refuses a login.

Rules of this file: no I/O. What is known is advice and never a verdict: a service may change, and only the server
knows. Of what the user gave, nothing is shown.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from .._smtp.endpoint import Credentials
from .._smtp.verdict import VERDICTS, Result
from .relay_services import SECONDARY, Service

_REFUSED = "auth_rejected"


def contradiction(username: str, service: Service) -> str:
    """That the service has another user name for every customer, as the rest of a sentence about the one given."""
    fixed = service.fixed_username
    if not fixed or username == fixed:
        return ""
    return f"is not {fixed!r}, the user name that {service.title} documents for every customer"


def taken(service: Service) -> str:
    """What the service takes, in a sentence; empty where nothing is known."""
    username = repr(service.fixed_username) if service.fixed_username else service.username
    pairs = ((username, "user name"), (service.credential, "password"))
    words = " and ".join(f"{what} as {field}" for what, field in pairs if what)
    if not words:
        return ""
    hearsay = " (third parties say so, not the service)" if service.confidence == SECONDARY else ""
    return f"{service.title} takes {words}{hearsay}."


def advise(result: Result, login: Credentials | None, service: Service | None) -> str:
    """The advice of a result; of a refused login, with what the service takes.

    Where the server names a cause of its own, such as a locked account, that is told besides only where the user name
    contradicts the catalogue.
    """
    if result.verdict != _REFUSED or service is None:
        return result.advice
    wrong = contradiction(login.username, service) if login else ""
    if wrong:
        password = f"; as password it takes {service.credential}" if service.credential else ""
        return f"The user name given {wrong}{password}. {_unless_general(result)}".rstrip()
    if login is None:
        return f"{result.advice} {taken(service)}".rstrip()
    if _unless_general(result) or not taken(service):
        return result.advice
    return f"Check user name and password: {taken(service)}"


def _unless_general(result: Result) -> str:
    """The advice of a result, but for the one that every refused login has."""
    general = VERDICTS[_REFUSED].advice.format(host=result.host, port=result.port)
    return "" if result.advice == general else result.advice
