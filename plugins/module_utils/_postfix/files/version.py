"""What each Postfix version can do, as data, with the release notes as its source.

The rule of this file: a capability is true from the version that introduced it; nothing is probed.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import NamedTuple


class Version(NamedTuple):
    major: int
    minor: int
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def parse_version(text: str) -> Version:
    """mail_version as `postconf -d mail_version` prints it. Raises ValueError for anything else.

    Snapshots such as 3.12-20260821 count as their release.
    """
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    if not match:
        raise ValueError(f"{text!r} is not a Postfix version")
    return Version(int(match.group(1)), int(match.group(2)), int(match.group(3) or 0))


# capability -> (first version, what it is)
CAPABILITIES: dict[str, tuple[Version, str]] = {
    "texthash": (Version(2, 8), "texthash: tables, read without postmap"),
    "smtp_tls_wrappermode": (Version(3, 0), "implicit TLS in the SMTP client"),
    "braced_options": (Version(3, 0), "-o { name = value } in master.cf"),
    "compatibility_level": (Version(3, 0), "compatibility_level"),
    "postqueue_json": (Version(3, 1), "postqueue -j"),
    "postfix_tls": (Version(3, 1), "the postfix tls command"),
    "smtp_balance_inet_protocols": (Version(3, 3), "deliveries balanced over IPv4 and IPv6"),
    "smtp_tls_connection_reuse": (Version(3, 4), "TLS connections reused through tlsproxy"),
    "maillog_file": (Version(3, 4), "logging to a file or standard output through postlog"),
    "policy_servername": (Version(3, 4), "servername= in TLS policies"),
    "relayhost_list": (Version(3, 5), "several destinations in relayhost, tried in order"),
    "known_tcp_ports": (Version(3, 6), "known_tcp_ports: submissions and others without services(5)"),
    "compatibility_level_version": (Version(3, 6), "compatibility_level is a version"),
    "tls_protocol_ranges": (Version(3, 6), ">=TLSv1.2 in protocol parameters"),
    "inline_patterns": (Version(3, 7), "inline regexp, pcre and cidr tables"),
    "use_srv_lookup": (Version(3, 8), "use_srv_lookup for submission and submissions"),
    "forbid_bare_newline_default": (Version(3, 9), "smtpd_forbid_bare_newline = normalize by default"),
    "password_result_delimiter": (Version(3, 9), "smtp_sasl_password_result_delimiter"),
    "old_restrictions_removed": (
        Version(3, 9),
        "permit_naked_ip_address, check_relay_domains and reject_maps_rbl are gone",
    ),
    "deprecation_warnings": (Version(3, 9), "postconf warns of deprecated parameters"),
    "tlsrpt": (Version(3, 10), "TLSRPT"),
    "postconf_json": (Version(3, 11), "postconf -j"),
    "requiretls": (Version(3, 11), "REQUIRETLS"),
}

# smtpd_forbid_bare_newline came to older series as a patch: major.minor -> first patch level.
BARE_NEWLINE_BACKPORTS = {(3, 5): 24, (3, 6): 14, (3, 7): 10, (3, 8): 5}


def supports(version: Version, capability: str) -> bool:
    """Whether a Postfix of that version has the capability. Raises KeyError for an unknown name."""
    return version >= CAPABILITIES[capability][0]


def capabilities(version: Version) -> dict[str, bool]:
    table = {name: supports(version, name) for name in CAPABILITIES}
    series = (version.major, version.minor)
    table["forbid_bare_newline"] = version >= Version(3, 9) or version.patch >= BARE_NEWLINE_BACKPORTS.get(
        series, 1 << 30
    )
    return table
