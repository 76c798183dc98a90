"""What is wrong with certificates, keys and certificate authorities.

The rule of this file: OpenSSL judges, through the standard library.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import os
import re
import ssl
import time
from typing import Iterator, NamedTuple, Sequence

from ..._base import der
from ..._base.addresses import IMPLICIT_TLS_PORTS, is_address, name_matches
from ..files import lines, master_cf
from ..files.parameters import STARTTLS_PORTS
from ..files.text import read_text
from ..host import listeners
from .configuration import Configuration, once
from .finding import Finding, Setting, check, service_error

_SIDES = ("smtpd", "smtp", "lmtp")
_SHOWN = 3
_TLS_FILES = re.compile(r"_tls_(cert|key|eccert|eckey|dcert|dkey|chain|CA)")


class _Pair(NamedTuple):
    """A certificate and its key, and the settings that name them."""

    named: Setting
    certificate: str
    key_named: Setting
    key: str


def _scopes(config: Configuration) -> Iterator[tuple[str, master_cf.Service | None]]:
    """Each side of TLS in main.cf, and in each service that has files of its own."""
    own = [
        entry
        for entry in config.master.services
        if any(_TLS_FILES.search(name) for name, _value in entry.options)
    ]
    for entry in (None, *own):
        for side in _SIDES:
            yield side, entry


def _pairs(config: Configuration) -> Iterator[_Pair]:
    """Each once; those of services as well where main.cf has the same, since who names it there is another matter."""
    seen = set()
    for pair in [*_pairs_of_scopes(config), *(pair for _name, pair in _named_pairs(config))]:
        whole = (pair.named.service is None, pair.named.name, pair.certificate, pair.key)
        if whole not in seen:
            seen.add(whole)
            yield pair


def _named_pairs(config: Configuration) -> Iterator[tuple[str, _Pair]]:
    """What clients see that ask for a name, by that name."""
    for setting, value in config.settings_of("tls_server_sni_maps"):
        for row in config.row_settings(setting, value):
            for pair in _chain_pairs(config, setting, lines.split_list(row.raw)):
                yield row.name, pair


def _pairs_of_scopes(config: Configuration) -> Iterator[_Pair]:
    for side, entry in _scopes(config):
        for kind in ("", "ec", "d"):
            name, key_name = f"{side}_tls_{kind}cert_file", f"{side}_tls_{kind}key_file"
            path = config.value(name, entry)
            own = entry is None or any(entry.option(each) is not None for each in (name, key_name))
            if path and path != "none" and own:
                key = config.value(key_name, entry) or path
                yield _Pair(config.setting(name, entry), path, config.setting(key_name, entry), key)
        chain = f"{side}_tls_chain_files"
        if not entry or entry.option(chain) is not None:
            yield from _chain_pairs(config, config.setting(chain, entry), config.words(chain, entry))


def _chain_pairs(config: Configuration, setting: Setting, paths: list[str]) -> Iterator[_Pair]:
    """Each key is followed by its certificates, in the same file or in the next."""
    key = ""
    for path in paths:
        if not os.path.isfile(config.staged(path)):
            yield _Pair(setting, path, setting, path)
            return
        content = read_text(config.staged(path))
        key = path if "PRIVATE KEY-----" in content else key
        if "-----BEGIN CERTIFICATE-----" in content:
            yield _Pair(setting, path, setting, key)
            if not key:
                return


@check("certificate-file")
def certificate_file(config: Configuration) -> Iterator[Finding]:
    """A certificate or key that is missing, cannot be read, or does not belong to the other.

    smtpd(8) then offers no TLS, and clients that insist on it fail; the client's own deliveries fail or lose TLS.
    Manual: postconf(5) smtpd_tls_cert_file, smtpd_tls_chain_files, TLS_README.
    """
    for _pair, trouble in _judged(config):
        if trouble:
            yield trouble


@once
def _judged(config: Configuration) -> Sequence[tuple[_Pair, Finding | None]]:
    """Every pair, and what makes it useless."""
    return [(pair, _trouble(config, pair)) for pair in _pairs(config)]


def _trouble(config: Configuration, pair: _Pair) -> Finding | None:
    error = pair.named.error
    if not pair.key:
        return error(f"no key comes before the certificate of {pair.certificate}", "name the key file first")
    for named, path in ((pair.named, pair.certificate), (pair.key_named, pair.key)):
        if not os.path.isfile(config.staged(path)):
            return named.error(f"the file {path} does not exist", "create it, or correct the path")
    both = "both must be PEM, the key without a passphrase"
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(config.staged(pair.certificate), config.staged(pair.key), password="")
    except ssl.SSLError as failure:
        reason = failure.reason or str(failure)
        # The second: it is of another kind, as RSA for an ECDSA certificate.
        if reason in ("KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED"):
            return error(
                f"the key in {pair.key} is not the key of this certificate", "name the key that belongs to it"
            )
        return error(
            f"no certificate and key can be read from {pair.certificate} and {pair.key} ({reason})", both
        )
    except OSError as failure:
        return error(f"{pair.certificate} or {pair.key} cannot be read ({failure.strerror or failure})", both)
    return None


@check("certificate-validity")
def certificate_validity(config: Configuration) -> Iterator[Finding]:
    """A certificate that has expired, or is not valid yet.

    Clients that verify it, as all mail programs of users do, refuse to go on.
    Manual: RFC 5280, section 4.1.2.5.
    """
    for pair in [pair for pair, trouble in _judged(config) if not trouble]:
        begins, ends = der.validity(read_text(config.staged(pair.certificate))) or (
            float("-inf"),
            float("inf"),
        )
        if ends < time.time():
            yield pair.named.error(f"the certificate expired on {_day(ends)}", "renew it")
        elif begins > time.time():
            yield pair.named.error(
                f"the certificate is valid from {_day(begins)} only", "wait, or set the clock"
            )


@check("certificate-name")
def certificate_name(config: Configuration) -> Iterator[Finding]:
    """A certificate for clients that ask for a name, which is not for that name.

    Clients that verify it, as all mail programs of users do, refuse to go on.
    Manual: postconf(5) tls_server_sni_maps, RFC 6125.
    """
    useless = {pair for pair, trouble in _judged(config) if trouble}
    first: dict[tuple[object, str, str], _Pair] = {}
    for name, pair in _named_pairs(config):
        # Of several, with keys of several kinds, each is for the name.
        first.setdefault((pair.named.service, name, pair.certificate), pair)
    for (_service, name, path), pair in first.items():
        known = der.names(read_text(config.staged(path)))
        # A name with a dot before it stands for all below it.
        if (
            pair not in useless
            and known
            and not any(name_matches(each, f"x{name}" if name[0] == "." else name) for each in known)
        ):
            yield pair.named.error(
                f"the certificate in {path} is for {', '.join(known[:_SHOWN])}, and not for {name}",
                f"name one that is for {name}",
            )


@check("key-readable-by-all")
def key_readable_by_all(config: Configuration) -> Iterator[Finding]:
    """A private key that every user of the host can read.

    Whoever reads it can pose as this server, or read what is sent to it.
    Manual: postconf(5) smtpd_tls_key_file.
    """
    for pair in [pair for pair, trouble in _judged(config) if not trouble]:
        if config.readable_by_all(pair.key):
            yield pair.key_named.warning(
                "every user of the host can read the private key", f"chmod 0600 {pair.key}"
            )


@check("ca-file")
def ca_file(config: Configuration) -> Iterator[Finding]:
    """A CA file or directory that does not exist, or a file without a certificate.

    No certificate can be trusted, so every verified delivery fails.
    Manual: postconf(5) smtp_tls_CAfile, smtp_tls_CApath.
    """
    for side, entry in _scopes(config):
        for suffix in ("CAfile", "CApath"):
            name = f"{side}_tls_{suffix}"
            path = config.value(name, entry)
            if path and not (entry and entry.option(name) is None):
                yield from _authorities(config, config.setting(name, entry), path)


def _authorities(config: Configuration, setting: Setting, path: str) -> Iterator[Finding]:
    staged = config.staged(path)
    if setting.name.endswith("CApath"):
        if not os.path.isdir(staged):
            yield setting.error(f"the directory {path} does not exist", "create it, or correct the path")
    elif not os.path.isfile(staged):
        yield setting.error(
            f"the file {path} does not exist",
            "install ca-certificates, or correct the path",
            certain=config.installed_here,
        )
    else:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=staged)
        except (ssl.SSLError, OSError):
            yield setting.error(f"no certificate can be read from {path}", "name a file of PEM certificates")


@check("server-without-certificate")
def server_without_certificate(config: Configuration) -> Iterator[Finding]:
    """An smtpd that requires TLS and has no certificate, where others than this host itself may be its clients.

    It does not start, or refuses every client that asks who it is.
    Manual: postconf(5) smtpd_tls_security_level, smtpd_tls_wrappermode, smtpd_tls_cert_file.
    """
    for entry in config.smtpd_services:
        if config.value("smtpd_tls_cert_file", entry) == "none" and _is_on_loopback(config, entry):
            # TLS without any certificate, asked for in so many words.
            continue
        wrapped = config.enabled("smtpd_tls_wrappermode", entry)
        level = config.value("smtpd_tls_security_level", entry).lower()
        has = any(
            config.value(f"smtpd_tls_{name}", entry) not in ("", "none")
            for name in ("cert_file", "eccert_file", "dcert_file", "chain_files")
        )
        if not has and (wrapped or level == "encrypt"):
            named = "smtpd_tls_wrappermode" if wrapped else "smtpd_tls_security_level"
            yield config.setting(named, entry).error(
                f"{'/'.join(entry.key)} requires TLS but has no certificate",
                "set smtpd_tls_cert_file and smtpd_tls_key_file",
            )


def _is_on_loopback(config: Configuration, entry: master_cf.Service) -> bool:
    found = (
        config.addresses_of(listeners.split_inet_service(entry.service)[0]) if entry.type == "inet" else ()
    )
    return bool(found) and all(is_address(one) and ipaddress.ip_address(one).is_loopback for one in found)


@check("tls-of-the-port")
def tls_of_the_port(config: Configuration) -> Iterator[Finding]:
    """An smtpd that speaks STARTTLS on port 465, or implicit TLS on 25, 587 or 2525.

    Client and server each wait for the other to speak, until a timeout.
    Manual: postconf(5) smtpd_tls_wrappermode; RFC 8314, section 3.3.
    """
    for entry in config.smtpd_services:
        if entry.type != "inet":
            continue
        port = listeners.port_number(listeners.split_inet_service(entry.service)[1])
        wrapped = config.enabled("smtpd_tls_wrappermode", entry)
        if wrapped and port in STARTTLS_PORTS:
            yield config.setting("smtpd_tls_wrappermode", entry).error(
                f"clients speak STARTTLS on port {port}, not implicit TLS", "write no, or use port 465"
            )
        elif not wrapped and port in IMPLICIT_TLS_PORTS:
            yield service_error(
                entry,
                entry.service,
                f"clients speak implicit TLS on port {port}",
                "add -o smtpd_tls_wrappermode=yes",
            )


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(moment))


CHECKS = (
    certificate_file,
    certificate_validity,
    certificate_name,
    key_readable_by_all,
    ca_file,
    server_without_certificate,
    tls_of_the_port,
)
