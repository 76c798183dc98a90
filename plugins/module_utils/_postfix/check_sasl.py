# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# What is wrong with SASL: plugins that are not installed, sockets that are not there, AUTH that nobody is offered.
# The rule of this file: a server that ends at its first client, or a client that never logs in, is an error.

from __future__ import annotations

import os

from . import master_cf
from .check_sockets import Sockets
from .needs import installed_plugins, wanted_mechanisms
from .values import MECHANISM_PLUGINS

_REMEDY = "install libsasl2-modules (Debian) or cyrus-sasl-plain (EL)"


class Sasl(Sockets):
    """SASL of smtpd and of the SMTP client."""

    def server_sasl(self) -> None:
        servers = [entry for entry in self.smtpd_services if self.enabled("smtpd_sasl_auth_enable", entry)]
        for entry in servers:
            if self.value("smtpd_sasl_type", entry) == "dovecot":
                self.dovecot(entry)
            elif self.value("smtpd_sasl_type", entry) == "cyrus":
                self.cyrus_server(entry)
        if servers and not any(self.offers_auth(entry) for entry in servers):
            self.add(
                self.place_of("smtpd_tls_auth_only", servers[0]),
                "AUTH is offered over TLS only, but no service with SASL offers TLS, so nobody can log in",
                "set smtpd_tls_security_level = may or encrypt, with a certificate",
            )

    def offers_auth(self, entry: master_cf.Service) -> bool:
        """Whether a client can come to AUTH at all."""
        level = self.value("smtpd_tls_security_level", entry).lower()
        if not level:
            used = any(self.enabled(f"smtpd_{name}", entry) for name in ("use_tls", "enforce_tls"))
            level = "may" if used else "none"
        return (
            not self.enabled("smtpd_tls_auth_only", entry)
            or self.enabled("smtpd_tls_wrappermode", entry)
            or level != "none"
        )

    def dovecot(self, entry: master_cf.Service) -> None:
        path = self.value("smtpd_sasl_path", entry)
        if path.startswith("inet:"):
            return
        path = path[5:] if path.startswith("unix:") else path
        place = self.place_of("smtpd_sasl_path", entry)
        if self.hidden_socket(place, path, [entry]):
            return
        if not self.socket_exists(path):
            full = os.path.join(self.value("queue_directory") or "/var/spool/postfix", path)
            self.add(
                place,
                f"Dovecot's socket {full} does not exist, so smtpd of {'/'.join(entry.key)} would not start",
                "configure Dovecot's auth socket and start it first",
                certain=self.installed_here,
            )

    def cyrus_server(self, entry: master_cf.Service) -> None:
        path = self.value("smtpd_sasl_path", entry)
        if "/" in path:
            self.add(
                self.place_of("smtpd_sasl_path", entry),
                f"{path} is a socket of Dovecot, but smtpd_sasl_type is cyrus",
                "set smtpd_sasl_type = dovecot",
            )
        elif not installed_plugins() & {*MECHANISM_PLUGINS.values()}:
            self.add(
                self.place_of("smtpd_sasl_auth_enable", entry),
                "no SASL mechanism plugin is installed, so smtpd would end at every client",
                f"{_REMEDY}, or set smtpd_sasl_type = dovecot",
                certain=self.installed_here,
            )

    def plugins(self) -> None:
        """A SASL client whose mechanisms are not installed."""
        enabled = [
            entry
            for entry in [None, *self.master.services]
            if self.value("smtp_sasl_auth_enable", entry).lower() == "yes"
            and (entry is None or entry.option("smtp_sasl_auth_enable") is not None)
        ]
        if not enabled or self.value("smtp_sasl_type") != "cyrus":
            return
        entry = enabled[0]
        found = installed_plugins()
        place = self.place_of("smtp_sasl_auth_enable", entry)
        wanted = wanted_mechanisms(self.value("smtp_sasl_mechanism_filter", entry))
        for mechanism in wanted:
            plugin = MECHANISM_PLUGINS.get(mechanism)
            if plugin and plugin not in found:
                self.add(
                    self.place_of("smtp_sasl_mechanism_filter", entry),
                    f"the plugin for {mechanism} is not installed",
                    _REMEDY if mechanism != "XOAUTH2" else "install sasl-xoauth2",
                    certain=self.installed_here,
                )
        if not found & {*MECHANISM_PLUGINS.values()}:
            self.add(
                place,
                "no SASL mechanism plugin is installed, so no password can be sent",
                _REMEDY,
                certain=self.installed_here,
            )
        elif not wanted and not found & {"plain", "login"}:
            self.add(place, "the plugins for PLAIN and LOGIN are not installed", _REMEDY, certain=False)
