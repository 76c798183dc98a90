"""What is wrong with SASL: missing plugins, missing sockets, AUTH that nobody is offered.

The rule of this file: a server that exits at its first client, or a client that never logs in, is an error.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from typing import Iterator

from ..files import master_cf
from ..files.parameters import MECHANISM_PLUGINS
from ..host.distributions import of_this_host, plugin_remedy
from ..host.needs import installed_plugins, wanted_mechanisms
from .configuration import Configuration
from .finding import Finding, check
from .sockets import hidden_socket

_KNOWN_PLUGINS = frozenset(MECHANISM_PLUGINS.values())


def _servers(config: Configuration, *kinds: str) -> list[master_cf.Service]:
    """The smtpd services that offer AUTH through one of these implementations of SASL."""
    return [
        entry
        for entry in config.smtpd_services
        if config.enabled("smtpd_sasl_auth_enable", entry) and config.value("smtpd_sasl_type", entry) in kinds
    ]


@check("dovecot-socket")
def dovecot_socket(config: Configuration) -> Iterator[Finding]:
    """Dovecot's auth socket is not there, or outside of the chroot of smtpd.

    smtpd(8) does not start: "no SASL authentication mechanisms".
    Manual: SASL_README, postconf(5) smtpd_sasl_path.
    """
    for entry in _servers(config, "dovecot"):
        path = config.value("smtpd_sasl_path", entry)
        if path.startswith("inet:"):
            continue
        path = path[5:] if path.startswith("unix:") else path
        setting = config.setting("smtpd_sasl_path", entry)
        hidden = list(hidden_socket(config, setting, path, [entry]))
        yield from hidden
        if not hidden and not config.socket_exists(path):
            full = os.path.join(config.queue_directory, path)
            yield setting.error(
                f"Dovecot's socket {full} does not exist, so smtpd of {'/'.join(entry.key)} would not start",
                "configure Dovecot's auth socket and start it first",
                certain=config.installed_here,
            )


@check("cyrus-server")
def cyrus_server(config: Configuration) -> Iterator[Finding]:
    """smtpd with Cyrus SASL that has no plugin, or that is given a socket of Dovecot.

    smtpd(8) exits as soon as a client connects: "no SASL authentication mechanisms".
    Manual: SASL_README, postconf(5) smtpd_sasl_type.
    """
    for entry in _servers(config, "cyrus"):
        path = config.value("smtpd_sasl_path", entry)
        if "/" in path:
            yield config.setting("smtpd_sasl_path", entry).error(
                f"{path} is a socket of Dovecot, but smtpd_sasl_type is cyrus",
                "set smtpd_sasl_type = dovecot",
            )
        elif not installed_plugins() & _KNOWN_PLUGINS:
            yield config.setting("smtpd_sasl_auth_enable", entry).error(
                "no SASL mechanism plugin is installed, so smtpd would exit as soon as a client connects",
                f"{plugin_remedy(of_this_host())}, or set smtpd_sasl_type = dovecot",
                certain=config.installed_here,
            )


@check("auth-never-offered")
def auth_never_offered(config: Configuration) -> Iterator[Finding]:
    """AUTH over TLS only, and no TLS.

    Nobody can log in.
    Manual: postconf(5) smtpd_tls_auth_only, smtpd_tls_security_level.
    """
    servers = [entry for entry in config.smtpd_services if config.enabled("smtpd_sasl_auth_enable", entry)]
    if servers and not any(_offers_auth(config, entry) for entry in servers):
        yield config.setting("smtpd_tls_auth_only", servers[0]).error(
            "AUTH is offered over TLS only, but no service with SASL offers TLS, so nobody can log in",
            "set smtpd_tls_security_level = may or encrypt, with a certificate",
        )


def _offers_auth(config: Configuration, entry: master_cf.Service) -> bool:
    """Whether a client can come to AUTH at all."""
    level = config.value("smtpd_tls_security_level", entry).lower()
    if not level:
        used = any(config.enabled(f"smtpd_{name}", entry) for name in ("use_tls", "enforce_tls"))
        level = "may" if used else "none"
    return (
        not config.enabled("smtpd_tls_auth_only", entry)
        or config.enabled("smtpd_tls_wrappermode", entry)
        or level != "none"
    )


@check("sasl-plugin-missing")
def sasl_plugin_missing(config: Configuration) -> Iterator[Finding]:
    """A client that logs in, without the plugin of its SASL mechanism.

    No password can be sent: "no worthy mechs found", and all mail to the relay is deferred.
    Manual: SASL_README.
    """
    enabled = [
        entry
        for entry in [None, *config.master.services]
        if config.enabled("smtp_sasl_auth_enable", entry)
        and (entry is None or entry.option("smtp_sasl_auth_enable") is not None)
    ]
    if not enabled or config.value("smtp_sasl_type") != "cyrus":
        return
    entry, found, here = enabled[0], installed_plugins(), of_this_host()
    wanted = wanted_mechanisms(config.value("smtp_sasl_mechanism_filter", entry))
    for mechanism in wanted:
        plugin = MECHANISM_PLUGINS.get(mechanism)
        if plugin and plugin not in found:
            yield config.setting("smtp_sasl_mechanism_filter", entry).error(
                f"the plugin for {mechanism} is not installed",
                plugin_remedy(here, [mechanism])
                + (", or use another mechanism" if here and mechanism not in here.mechanisms else ""),
                certain=config.installed_here,
            )
    setting = config.setting("smtp_sasl_auth_enable", entry)
    if not found & _KNOWN_PLUGINS:
        yield setting.error(
            "no SASL mechanism plugin is installed, so no password can be sent",
            plugin_remedy(here),
            certain=config.installed_here,
        )
    elif not wanted and not found & {"plain", "login"}:
        yield setting.warning(
            "the plugins for PLAIN and LOGIN are not installed",
            plugin_remedy(here, ["PLAIN", "LOGIN"]),
        )


CHECKS = (dovecot_socket, cyrus_server, auth_never_offered, sasl_plugin_missing)
