"""The options that every module with a probe in it has, as an argument spec and as Options.

Rule of this file: a default stands in Options and is only repeated from there.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Mapping

from .._base import client_certificate
from .endpoint import (
    FAMILIES,
    TLS_MODES,
    TLS_VERSIONS,
    Endpoint,
    OptionError,
    Options,
    check_credentials,
    check_host,
    check_mechanism,
    check_port,
    parse_endpoint,
)

# What any connection may be told; documented as CONNECTION in plugins/doc_fragments/smtp_options.py.
CONNECTION_ARGUMENTS: dict[str, dict[str, Any]] = {
    "connect_timeout": {"type": "float", "default": Options.connect_timeout},
    "source_address": {"type": "list", "elements": "str"},
    "helo_name": {"type": "str"},
    "validate_certs": {"type": "bool", "default": Options.validate_certs},
    "ca_path": {"type": "list", "elements": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path"},
    "min_tls_version": {"type": "str", "choices": list(TLS_VERSIONS), "default": Options.min_tls_version},
    # In any case, which choices would not allow: endpoint.check_credentials knows them.
    "auth_mechanism": {"type": "str", "default": "auto"},
}
# Documented as DOCUMENTATION there.
PROBE_ARGUMENTS: dict[str, dict[str, Any]] = {
    **CONNECTION_ARGUMENTS,
    "timeout": {"type": "float", "default": Options.timeout},
    "retries": {"type": "int", "default": Options.retries},
    "family": {"type": "str", "choices": list(FAMILIES), "default": Options.family},
    "min_days": {"type": "int", "default": Options.min_days},
    "mail_from": {"type": "str"},
    "rcpt_to": {"type": "str"},
    "concurrency": {"type": "int", "default": Options.concurrency},
    "check_injection": {"type": "bool", "default": Options.check_injection},
}


# These become something else.
_NOT_OPTIONS = ("auth_mechanism", "client_cert", "client_key")

# Where the endpoints come from; documented in smtp_probe itself.
ENDPOINT_ARGUMENTS: dict[str, dict[str, Any]] = {
    "host": {"type": "str"},
    "ports": {"type": "list", "elements": "int", "default": [25, 465, 587, 2525]},
    "endpoints": {"type": "list", "elements": "raw"},
    "tls": {"type": "str", "choices": ["auto", *TLS_MODES], "default": "auto"},
    "server_name": {"type": "str"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
}


def options_from(params: Mapping[str, Any]) -> Options:
    """The Options of a module's parameters. Raises OptionError (a ValueError) with a text for the user."""
    names = [name for name in PROBE_ARGUMENTS if name not in _NOT_OPTIONS]
    given = {name: params[name] for name in names if params.get(name) is not None}
    if "source_address" in given:
        given["source_address"] = tuple(given["source_address"])
    if "ca_path" in given:
        given["ca_path"] = tuple(path for path in given["ca_path"] if path) or None
    if params.get("client_cert") or params.get("client_key"):
        given["client_certificates"] = (
            _client_certificate(params.get("client_cert"), params.get("client_key")),
        )
    return Options(**given)


def _client_certificate(certificate: str | None, key: str | None) -> tuple[str, str]:
    if not certificate:
        raise OptionError(
            "client_key: a key is given and client_cert is not; give the certificate that it belongs to"
        )
    return checked_certificate(certificate, key or certificate, ("client_cert", "client_key"))


def checked_certificate(certificate: str, key: str, names: tuple[str, str]) -> tuple[str, str]:
    """A client's certificate and its key, if they can be shown; `names` are the options that they are from."""
    flaw = client_certificate.flaw(certificate, key)
    if flaw:
        raise OptionError(f"{names[flaw.of_key and key != certificate]}: {flaw.words}")
    return certificate, key


def endpoints_from(params: Mapping[str, Any]) -> list[Endpoint]:
    """The endpoints of smtp_probe's parameters. Raises OptionError with a text for the user."""
    mechanism = check_mechanism(params["auth_mechanism"])
    credentials = check_credentials(params["username"], params["password"], mechanism)
    tls, server_name = params["tls"], params["server_name"]
    if params["endpoints"] is not None:
        asked = [(f"endpoints[{number}]", entry) for number, entry in enumerate(params["endpoints"])]
    else:
        host = check_host(params["host"])
        asked = [("ports", {"host": host, "port": check_port(port, "ports")}) for port in params["ports"]]
    if not asked:
        raise OptionError("ports and endpoints: there is nothing to probe; give at least one")
    return [parse_endpoint(entry, tls, server_name, credentials, where) for where, entry in asked]
