"""What is wrong with TLS levels of the client and its policy tables.

The rule of this file: a level that can never be reached defers all mail, so it is an error.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from typing import Iterator

from ..files import lines, master_cf
from ..files.parameters import CLIENT_LEVELS, POLICY_ATTRIBUTES
from .configuration import Configuration
from .finding import Finding, Setting, TableRow, check, suggest
from .next_hops import key_of_other_form

_POLICIES = ("smtp_tls_policy_maps", "lmtp_tls_policy_maps")
_COMPARING = ("verify", "secure")


def _clients(config: Configuration) -> Iterator[tuple[master_cf.Service, str, str]]:
    """Each service that delivers by SMTP or LMTP, with the prefix of its parameters and its TLS level."""
    for entry in config.master.services:
        side = entry.command
        if side in ("smtp", "lmtp"):
            yield entry, side, config.value(f"{side}_tls_security_level", entry).lower()


@check("no-ca-named")
def no_ca_named(config: Configuration) -> Iterator[Finding]:
    """Certificates are to be verified, and no CA is named.

    No certificate can be trusted, so every delivery fails.
    Manual: TLS_README, postconf(5) smtp_tls_CAfile, smtp_tls_CApath, smtp_tls_trust_anchor_file.
    """
    for entry, side, setting in _verifying(config):
        if not any(
            config.value(f"{side}_tls_{name}", entry) for name in ("CAfile", "CApath", "trust_anchor_file")
        ):
            yield setting.error(
                "certificates are to be verified, but no CA is named, so every delivery would fail",
                f"set {side}_tls_CAfile, for example to /etc/ssl/certs/ca-certificates.crt",
            )


@check("ca-path-in-chroot")
def ca_path_in_chroot(config: Configuration) -> Iterator[Finding]:
    """CApath alone, for a client in a chroot.

    It is opened after the chroot, where the directory is missing or out of date, so certificates are not trusted.
    Manual: postconf(5) smtp_tls_CApath.
    """
    for entry, side, _setting in _verifying(config):
        path, file = (config.value(f"{side}_tls_{name}", entry) for name in ("CApath", "CAfile"))
        if path and not file and config.chrooted(entry):
            yield config.setting(f"{side}_tls_CApath", entry).warning(
                f"{'/'.join(entry.key)} is chrooted, and CApath is looked up inside the chroot",
                f"set {side}_tls_CAfile instead",
            )


def _verifying(config: Configuration) -> Iterator[tuple[master_cf.Service, str, Setting]]:
    """The clients that verify certificates with the CAs that are named, and the setting that makes them."""
    if config.enabled("tls_append_default_CA"):
        return
    for entry, side, level in _clients(config):
        policies = config.setting(f"{side}_tls_policy_maps", entry)
        own = config.setting(f"{side}_tls_security_level", entry)
        if any(map(_needs_ca, config.rows(config.value(policies.name, entry)) or ())):
            yield entry, side, policies
        elif level in _COMPARING and own.line:
            yield entry, side, own


def _needs_ca(row: TableRow) -> bool:
    words = row.value.split()
    return bool(words) and words[0].lower() in _COMPARING and "tafile=" not in row.value


@check("dane-without-dnssec")
def dane_without_dnssec(config: Configuration) -> Iterator[Finding]:
    """The level dane or dane-only without DNSSEC lookups.

    TLSA records are not asked for: dane falls back to may, dane-only defers all mail.
    Manual: TLS_README, postconf(5) smtp_dns_support_level; RFC 7672.
    """
    for entry, side, level in _clients(config):
        setting = config.setting(f"{side}_tls_security_level", entry)
        if level in ("dane", "dane-only") and setting.line and not _dnssec(config, side, entry):
            yield setting.error(
                "DANE needs DNSSEC lookups, so Postfix would not use it",
                f"set {side}_dns_support_level = dnssec",
            )


@check("no-fingerprint-named")
def no_fingerprint_named(config: Configuration) -> Iterator[Finding]:
    """The level fingerprint without a fingerprint.

    No certificate matches, so every delivery fails.
    Manual: postconf(5) smtp_tls_fingerprint_cert_match.
    """
    for entry, side, level in _clients(config):
        setting = config.setting(f"{side}_tls_security_level", entry)
        wanted = config.value(f"{side}_tls_fingerprint_cert_match", entry)
        if level == "fingerprint" and setting.line and not wanted:
            yield setting.error(
                "no fingerprint is named that could match, so every delivery would fail",
                f"set {side}_tls_fingerprint_cert_match",
            )


@check("tls-policy", *_POLICIES)
def tls_policy(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A row of a TLS policy table whose level or attribute does not exist, or cannot work.

    Mail for that next hop is deferred.
    Manual: postconf(5) smtp_tls_policy_maps.
    """
    side = setting.name[:4]
    for row in config.rows(value) or ():
        if not row.value:
            continue
        level, *attributes = lines.split_list(row.value)
        level = level.lower()
        if level not in CLIENT_LEVELS:
            yield row.error("there is no such TLS level", suggest(level, CLIENT_LEVELS), level)
            continue
        for word in attributes:
            yield from _attribute(config, row, level, word)
        if level in ("dane", "dane-only") and not _dnssec(config, side, setting.service):
            yield row.error("DANE needs DNSSEC lookups", f"set {side}_dns_support_level = dnssec", level)
        names = [word.strip("{}").partition("=")[0].strip().lower() for word in attributes]
        default = config.value(f"{side}_tls_fingerprint_cert_match", setting.service)
        if level == "fingerprint" and "match" not in names and not default:
            yield row.error("no fingerprint is named that could match", "add match=FINGERPRINT", level)


def _attribute(config: Configuration, row: TableRow, level: str, word: str) -> Iterator[Finding]:
    name, equals, value = (part.strip() for part in word.strip("{}").partition("="))
    if name.lower() not in POLICY_ATTRIBUTES:
        yield row.error("TLS policies have no such attribute", suggest(name, POLICY_ATTRIBUTES), word)
    elif not equals or not value:
        yield row.error("the attribute has no value", f"write {name}=…", word)
    elif name.lower() == "match" and level not in ("fingerprint", *_COMPARING):
        yield row.error(f"match has no place at the level {level}", "write secure, or remove it", word)
    elif name.lower() == "tafile" and not os.path.isfile(config.staged(value)):
        yield row.error(f"the file {value} does not exist", "correct the path", word)


@check("tls-policy-key", "smtp_tls_policy_maps")
def tls_policy_key(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A TLS policy under a key that means the relay and is not its next hop byte for byte.

    Postfix does not find it, and the level of the transport counts.
    Manual: postconf(5) smtp_tls_policy_maps.
    """
    keys = config.keys(value)
    for used in config.used_hops if keys and setting.service is None else ():
        if used.hop.text.lower() not in keys:
            yield from key_of_other_form(config, used.hop, value, "this policy would never be used")


def _dnssec(config: Configuration, side: str, entry: master_cf.Service | None) -> bool:
    return config.value(f"{side}_dns_support_level", entry).lower() == "dnssec"


CHECKS = (
    no_ca_named,
    ca_path_in_chroot,
    dane_without_dnssec,
    no_fingerprint_named,
    tls_policy,
    tls_policy_key,
)
