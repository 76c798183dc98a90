"""What distributions differ in, as data.

Packages, the file of CA certificates, and the main.cf that their package leaves behind. The rule of this file: a
main.cf is the distribution's only where every setting in it is known.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import socket
from typing import Iterable, Mapping, NamedTuple

from ..files.lines import split_list


class Family(NamedTuple):
    """One packaging of Postfix. `packages`: what is missing -> the packages that bring it."""

    name: str
    packages: Mapping[str, tuple[str, ...]]
    ca_file: str


_CERTIFICATES = ("ca-certificates",)
FAMILIES = (
    Family(
        "debian",
        {"postfix": ("postfix",), "sasl_plugin": ("libsasl2-modules",), "ca_file": _CERTIFICATES},
        "/etc/ssl/certs/ca-certificates.crt",
    ),
    Family(
        "rhel",
        {"postfix": ("postfix",), "sasl_plugin": ("cyrus-sasl-plain",), "ca_file": _CERTIFICATES},
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    ),
    Family(
        "suse",
        {"postfix": ("postfix",), "sasl_plugin": ("cyrus-sasl-plain",), "ca_file": ("ca-certificates-mozilla",)},
        "/etc/ssl/ca-bundle.pem",
    ),
    Family(
        "alpine",
        {
            "postfix": ("postfix",),
            "sasl_plugin": ("cyrus-sasl", "cyrus-sasl-login"),
            "ca_file": _CERTIFICATES,
        },
        "/etc/ssl/certs/ca-certificates.crt",
    ),
    Family(
        "arch",
        {"postfix": ("postfix",), "sasl_plugin": ("cyrus-sasl",), "ca_file": _CERTIFICATES},
        "/etc/ssl/certs/ca-certificates.crt",
    ),
)  # fmt: skip
# Mechanisms that are not in the package of PLAIN and LOGIN: family -> mechanism -> packages.
MECHANISM_PACKAGES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "rhel": {
        "CRAM-MD5": ("cyrus-sasl-md5",),
        "DIGEST-MD5": ("cyrus-sasl-md5",),
        "SCRAM-SHA-1": ("cyrus-sasl-scram",),
        "SCRAM-SHA-256": ("cyrus-sasl-scram",),
    },
    "suse": {
        "CRAM-MD5": ("cyrus-sasl-crammd5",),
        "DIGEST-MD5": ("cyrus-sasl-digestmd5",),
        "SCRAM-SHA-1": ("cyrus-sasl-scram",),
        "SCRAM-SHA-256": ("cyrus-sasl-scram",),
    },
    "alpine": {
        "CRAM-MD5": ("cyrus-sasl-crammd5",),
        "DIGEST-MD5": ("cyrus-sasl-digestmd5",),
        "SCRAM-SHA-1": ("cyrus-sasl-scram",),
        "SCRAM-SHA-256": ("cyrus-sasl-scram",),
    },
}
# The plugin for XOAUTH2, and where a distribution has a package of it: IDs in os-release(5). Of others it is the user's
# affair, such as EPEL for EL and a PPA for Ubuntu.
XOAUTH2_PACKAGE = "sasl-xoauth2"
_HAS_XOAUTH2 = ("fedora",)
# ID or a word of ID_LIKE in os-release(5) -> family
_IDS = {
    "debian": "debian", "ubuntu": "debian",
    "rhel": "rhel", "fedora": "rhel", "centos": "rhel", "rocky": "rhel", "almalinux": "rhel", "ol": "rhel",
    "amzn": "rhel",
    "suse": "suse", "opensuse": "suse", "sles": "suse", "opensuse-leap": "suse", "opensuse-tumbleweed": "suse",
    "alpine": "alpine", "arch": "arch",
}  # fmt: skip
_BY_NAME = {each.name: each for each in FAMILIES}
OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")


def os_release(paths: Iterable[str] = OS_RELEASE) -> dict[str, str]:
    """os-release(5) of this host; empty where there is none."""
    for path in paths:
        try:
            with open(path, encoding="utf-8", errors="replace") as handle:
                pairs = (line.strip().partition("=") for line in handle)
                return {name: value.strip("\"'") for name, equals, value in pairs if equals}
        except OSError:
            continue
    return {}


def family(release: Mapping[str, str]) -> Family | None:
    """The packaging that a host of that os-release(5) has; None where it is not known."""
    for word in [release.get("ID", ""), *release.get("ID_LIKE", "").split()]:
        if word.lower() in _IDS:
            return _BY_NAME[_IDS[word.lower()]]
    return None


def packages_for(
    missing: Iterable[str], release: Mapping[str, str], mechanisms: Iterable[str] = ()
) -> list[str]:
    """The packages that bring what is missing, in order; none where the distribution is not known."""
    known = family(release)
    if known is None:
        return []
    result: list[str] = []
    for need in missing:
        result += known.packages.get(need, ())
        if need == "sasl_plugin":
            special = MECHANISM_PACKAGES.get(known.name, {})
            for mechanism in mechanisms:
                result += special.get(mechanism.upper(), ())
                if mechanism.upper() == "XOAUTH2" and packages_xoauth2(release):
                    result.append(XOAUTH2_PACKAGE)
    return list(dict.fromkeys(result))


def bringing(mechanism: str, release: Mapping[str, str]) -> tuple[str, ...]:
    """The packages with the plugin for a SASL mechanism, as this distribution names them; none where it has none."""
    known = family(release)
    if mechanism == "XOAUTH2":
        return (XOAUTH2_PACKAGE,) if packages_xoauth2(release) else ()
    if known is None:
        return ()
    return MECHANISM_PACKAGES.get(known.name, {}).get(mechanism) or known.packages["sasl_plugin"]


def packages_xoauth2(release: Mapping[str, str]) -> bool:
    """Whether the distribution itself has a package with the plugin for XOAUTH2."""
    return release.get("ID", "").lower() in _HAS_XOAUTH2


# ---------------------------------------------------------------------------------------------- the stock main.cf

_TABLE = r"(?:hash|lmdb|cdb|btree|dbm|\$default_database_type)"
_ALIASES = rf"({_TABLE}:/etc/(postfix/)?aliases|\$alias_database|\$alias_maps)(,? *nis:mail\.aliases)?"
_PATH = r"/[\w./+-]*"
_LOOPBACK = r"(?:127\.0\.0\.0/8|127\.0\.0\.1(?:/32)?|\[::ffff:127\.0\.0\.0\]/104|\[::1\](?:/128)?)"
_ANY = r".*"
_YES_NO = r"yes|no"

_DIRECTORIES = (
    "queue_directory", "command_directory", "daemon_directory", "data_directory", "program_directory",
    "sendmail_path", "newaliases_path", "mailq_path", "html_directory", "manpage_directory", "sample_directory",
    "readme_directory", "meta_directory", "shlib_directory", "mail_spool_directory", "cyrus_sasl_config_path",
)  # fmt: skip

# parameter -> what the packages of Debian, Ubuntu, EL, openSUSE, Alpine and Arch and Postfix's own main.cf may leave.
STOCK: Mapping[str, str] = {
    "compatibility_level": r"\d+(\.\d+)*",
    "default_database_type": r"\w+",
    "default_cache_db_type": r"\w+",
    # Where things are
    **dict.fromkeys(_DIRECTORIES, rf"{_PATH}|no|"),
    "mail_owner": r"postfix",
    "setgid_group": r"postdrop|maildrop",
    "debug_peer_level": r"2",
    "debugger_command": _ANY,
    "unknown_local_recipient_reject_code": r"550|450",
    # Who this host is
    "myhostname": r"[\w.-]+",
    "mydomain": r"[\w.-]+",
    "myorigin": r"/etc/mailname|\$myhostname|\$mydomain",
    "mynetworks": rf"{_LOOPBACK}([, ]+{_LOOPBACK})*",
    "mynetworks_style": r"host|subnet",
    "inet_interfaces": r"all|loopback-only|localhost|127\.0\.0\.1|127\.0\.0\.1, *\[::1\]|\[::1\], *127\.0\.0\.1",
    "inet_protocols": r"all|ipv4|ipv6|ipv4, *ipv6",
    "smtpd_banner": r"\$myhostname ESMTP( \$mail_name)?( \((Debian/GNU|Debian|Ubuntu)\))?",
    # Local delivery
    "alias_maps": _ALIASES,
    "alias_database": _ALIASES,
    "biff": _YES_NO,
    "append_dot_mydomain": _YES_NO,
    "mailbox_size_limit": r"0|51200000",
    "message_size_limit": r"0|10240000",
    "mailbox_command": r'|procmail -a "\$EXTENSION"|/usr/bin/procmail( -a "\$EXTENSION")?',
    "mailbox_transport": r"",
    "recipient_delimiter": r"\+|",
    # The way out
    "relayhost": r"|\[?[\w.-]+\]?(:\w+)?",
    "default_transport": r"smtp|error",
    "relay_transport": r"relay|error",
    # TLS with the certificate that the package makes
    "smtpd_tls_cert_file": r"|/etc/ssl/certs/ssl-cert-snakeoil\.pem|/etc/pki/tls/certs/postfix\.pem",
    "smtpd_tls_key_file": r"|/etc/ssl/private/ssl-cert-snakeoil\.key|/etc/pki/tls/private/postfix\.key",
    "smtpd_tls_security_level": r"may|",
    "smtpd_use_tls": _YES_NO,
    "smtp_use_tls": _YES_NO,
    "smtp_enforce_tls": r"no",
    "smtp_tls_security_level": r"may|",
    "smtp_tls_CApath": rf"{_PATH}|",
    "smtp_tls_CAfile": rf"{_PATH}|",
    "smtp_tls_cert_file": r"",
    "smtp_tls_key_file": r"",
    "smtp_tls_session_cache_database": r"|btree:\$\{data_directory\}/smtp_scache",
    "smtpd_tls_session_cache_database": r"|btree:\$\{data_directory\}/smtpd_scache",
    "smtpd_tls_CApath": rf"{_PATH}|",
    "smtpd_tls_CAfile": rf"{_PATH}|",
    "smtpd_tls_ask_ccert": r"no",
    "smtpd_tls_exclude_ciphers": r"RC4",
    "smtpd_tls_received_header": r"no",
    "smtpd_relay_restrictions": (
        r"permit_mynetworks,? *permit_sasl_authenticated,? *(defer|reject)_unauth_destination"
    ),
    # What openSUSE generates
    "content_filter": r"",
    "defer_transports": r"",
    "delay_warning_time": r"1h|0h",
    "disable_dns_lookups": r"no",
    "disable_mime_output_conversion": r"no",
    "disable_vrfy_command": r"yes",
    "masquerade_classes": r"envelope_sender, *header_sender, *header_recipient",
    "masquerade_domains": r"",
    "masquerade_exceptions": r"root",
    "message_strip_characters": r"\\0",
    "strict_8bitmime": r"no",
    "strict_rfc821_envelopes": r"no",
    "smtpd_delay_reject": r"yes",
    "smtpd_helo_required": r"no",
    "smtpd_client_restrictions": r"",
    "smtpd_helo_restrictions": r"",
    "smtpd_sender_restrictions": rf"{_TABLE}:/etc/postfix/access",
    "smtpd_recipient_restrictions": r"permit_mynetworks,? *reject_unauth_destination",
    "smtpd_sasl_auth_enable": r"no",
    "smtp_sasl_auth_enable": r"no",
    "smtp_sasl_security_options": r"",
    "smtp_sasl_password_maps": r"",
    "canonical_maps": rf"{_TABLE}:/etc/postfix/canonical",
    "relocated_maps": rf"{_TABLE}:/etc/postfix/relocated",
    "sender_canonical_maps": rf"{_TABLE}:/etc/postfix/sender_canonical",
    "transport_maps": rf"{_TABLE}:/etc/postfix/transport",
    "virtual_alias_maps": rf"{_TABLE}:/etc/postfix/virtual",
    "virtual_alias_domains": rf"{_TABLE}:/etc/postfix/virtual",
    "relay_clientcerts": rf"|{_TABLE}:/etc/postfix/relay_ccerts",
}  # fmt: skip
_HOST_WORD = re.compile(r"localhost(\..*)?\Z|localdomain\Z|\$\{?my\w+\}?\Z|localhost\.\$\{?mydomain\}?\Z")


def is_stock(values: Mapping[str, str], host_names: Iterable[str] = ()) -> bool:
    """Whether a main.cf with these values is as a package leaves it: nothing foreign, nothing changed by hand.

    `host_names`: what this host calls itself, by default what the system says.
    """
    for name, value in values.items():
        pattern = STOCK.get(name)
        if name == "mydestination":
            if not _own_names_only(values, list(host_names) or [socket.gethostname()]):
                return False
        elif pattern is None or not re.fullmatch(pattern, " ".join(value.split())):
            return False
    return True


def _own_names_only(values: Mapping[str, str], host_names: Iterable[str]) -> bool:
    """Whether mydestination holds this host's own names alone. A domain in it may be one that receives mail."""
    names = {name.lower() for name in (*host_names, values.get("myhostname", ""))}
    labels = {name.split(".")[0] for name in names if name}
    for word in split_list(values["mydestination"].lower()):
        own = _HOST_WORD.match(word) or "." not in word or word.split(".")[0] in labels
        if not own or word.startswith("/") or ":" in word:
            return False
    return True
