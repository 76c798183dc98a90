# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# What is wrong with certificates, keys and certificate authorities.
# The rule of this file: OpenSSL judges, through the standard library.

from __future__ import annotations

import os
import re
import ssl
import time

from .._base import der as certificate
from . import master_cf, nexthop, service
from .finding import Inspection, Place, read_text
from .values import STARTTLS_PORTS


class Certificates(Inspection):
    """Files that exist, belong together and have not expired."""

    def certificates(self) -> None:
        scopes: list[master_cf.Service | None] = [None]
        tls = re.compile(r"_tls_(cert|key|eccert|eckey|dcert|dkey|chain|CA)")
        scopes += [
            entry for entry in self.master.services if any(tls.search(name) for name, _value in entry.options)
        ]
        for entry in scopes:
            for side in ("smtpd", "smtp", "lmtp"):
                self.key_pairs(side, entry)
                self.authorities(side, entry)
        self.server_certificates()

    def key_pairs(self, side: str, entry: master_cf.Service | None) -> None:
        for kind in ("", "ec", "d"):
            name = f"{side}_tls_{kind}cert_file"
            cert = self.value(name, entry)
            key_name = f"{side}_tls_{kind}key_file"
            own = entry is None or any(entry.option(each) is not None for each in (name, key_name))
            if not cert or cert == "none" or not own:
                continue
            self.key_pair(
                self.place_of(name, entry),
                cert,
                self.place_of(key_name, entry),
                self.value(key_name, entry) or cert,
            )
        chain = f"{side}_tls_chain_files"
        if not entry or entry.option(chain) is not None:
            self.chain_files(self.place_of(chain, entry), self.words(chain, entry))

    def chain_files(self, place: Place, paths: list[str]) -> None:
        """Each key is followed by its certificates, in the same file or in the next."""
        key = ""
        for path in paths:
            if not os.path.isfile(self.staged(path)):
                self.add(place, f"the file {path} does not exist", "create it, or correct the path")
                return
            content = read_text(self.staged(path))
            key = path if "PRIVATE KEY-----" in content else key
            if "-----BEGIN CERTIFICATE-----" in content:
                if not key:
                    self.add(
                        place, f"no key comes before the certificate of {path}", "name the key file first"
                    )
                    return
                self.key_pair(place, path, place, key)

    def key_pair(self, cert_place: Place, cert: str, key_place: Place, key: str) -> None:
        for place, path in dict.fromkeys(((cert_place, cert), (key_place, key))):
            if not os.path.isfile(self.staged(path)):
                self.add(place, f"the file {path} does not exist", "create it, or correct the path")
                return
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.staged(cert), self.staged(key), password="")
        except ssl.SSLError as error:
            reason = error.reason or str(error)
            if reason == "KEY_VALUES_MISMATCH":
                self.add(
                    cert_place,
                    f"the key in {key} is not the key of this certificate",
                    "name the key that belongs to it",
                )
            else:
                self.add(
                    cert_place,
                    f"no certificate and key can be read from {cert} and {key} ({reason})",
                    "both must be PEM, the key without a passphrase",
                )
            return
        except OSError as error:
            self.add(
                cert_place,
                f"{cert} or {key} cannot be read ({error.strerror or error})",
                "both must be PEM, the key without a passphrase",
            )
            return
        validity = certificate.validity(read_text(self.staged(cert)))
        if validity:
            begins, ends = validity
            if ends < time.time():
                self.add(
                    cert_place,
                    f"the certificate expired on {time.strftime('%Y-%m-%d', time.gmtime(ends))}",
                    "renew it",
                )
            elif begins > time.time():
                self.add(
                    cert_place,
                    f"the certificate is valid from {time.strftime('%Y-%m-%d', time.gmtime(begins))} only",
                    "wait, or set the clock",
                )
        mode = os.stat(self.staged(key)).st_mode
        if mode & 0o004:
            self.add(
                key_place,
                "every user of the host can read the private key",
                f"chmod 0600 {key}",
                certain=False,
            )

    def authorities(self, side: str, entry: master_cf.Service | None) -> None:
        for suffix in ("CAfile", "CApath"):
            name = f"{side}_tls_{suffix}"
            path = self.value(name, entry)
            if not path or (entry and entry.option(name) is None):
                continue
            place = self.place_of(name, entry)
            staged = self.staged(path)
            if suffix == "CApath":
                if not os.path.isdir(staged):
                    self.add(place, f"the directory {path} does not exist", "create it, or correct the path")
                continue
            if not os.path.isfile(staged):
                self.add(
                    place,
                    f"the file {path} does not exist",
                    "install ca-certificates, or correct the path",
                    certain=self.installed_here,
                )
                continue
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=staged)
            except (ssl.SSLError, OSError):
                self.add(place, f"no certificate can be read from {path}", "name a file of PEM certificates")

    def server_certificates(self) -> None:
        for entry in self.master.services:
            if entry.type not in ("inet", "pass") or entry.command != "smtpd":
                continue
            wrapped = self.value("smtpd_tls_wrappermode", entry).lower() == "yes"
            level = self.value("smtpd_tls_security_level", entry).lower()
            has = any(
                self.value(f"smtpd_tls_{name}", entry) not in ("", "none")
                for name in ("cert_file", "eccert_file", "dcert_file", "chain_files")
            )
            if not has and (wrapped or level == "encrypt"):
                place = self.place_of(
                    "smtpd_tls_wrappermode" if wrapped else "smtpd_tls_security_level", entry
                )
                self.add(
                    place,
                    f"{'/'.join(entry.key)} requires TLS but has no certificate",
                    "set smtpd_tls_cert_file and smtpd_tls_key_file",
                )
            port = service.port_number(service.split_inet_service(entry.service)[1])
            if entry.type == "inet" and wrapped and port in STARTTLS_PORTS:
                self.add(
                    self.place_of("smtpd_tls_wrappermode", entry),
                    f"clients speak STARTTLS on port {port}, not implicit TLS",
                    "write no, or use port 465",
                )
            elif entry.type == "inet" and not wrapped and port in nexthop.IMPLICIT_TLS_PORTS:
                self.add_service(
                    entry,
                    entry.service,
                    f"clients speak implicit TLS on port {port}",
                    "add -o smtpd_tls_wrappermode=yes",
                )
