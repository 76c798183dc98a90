"""The certificates of the oracle tests: one authority, and every kind of certificate that a mail server may have.

Rule of this file: a certificate has the one fault that it is named after, or none.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from namespace import Place

HOST = "mail.oracle.test"
DIRECTORY = "oracle/tls"
DAY = 86400

_RSA = ("rsa:2048",)
_P256 = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")


@dataclass(frozen=True)
class Kind:
    names: str = f"DNS:{HOST},DNS:alias.oracle.test"
    subject: str = f"/CN={HOST}/O=Oracle Mail"
    key: tuple[str, ...] = _RSA
    days: tuple[int, int] = (-30, 200)
    """First and last day of validity, counted from today."""
    issuer: str = "ca"
    send: tuple[str, ...] = ()
    """What the server sends behind it."""
    extensions: tuple[str, ...] = ("basicConstraints=critical,CA:FALSE",)
    digest: str = "sha256"
    verdict: str = "ok"


KINDS = {
    "rsa": Kind(),
    "ecdsa": Kind(key=_P256),
    "p384": Kind(key=("ec", "-pkeyopt", "ec_paramgen_curve:P-384")),
    "ed25519": Kind(key=("ed25519",)),
    "wildcard": Kind(names="DNS:*.oracle.test", subject="/CN=*.oracle.test"),
    "common-name": Kind(names="", subject=f"/O=Oracle Mail/CN={HOST}"),
    "no-subject": Kind(subject="/"),
    "unicode": Kind(subject=f"/C=DE/O=Münchner Postamt/CN={HOST}"),
    "address": Kind(names=f"DNS:{HOST},IP:127.0.0.1,IP:::1"),
    "chain": Kind(issuer="intermediate", send=("intermediate",)),
    "chain-and-root": Kind(issuer="intermediate", send=("intermediate", "ca")),
    "expiring": Kind(days=(-87, 3)),
    "expired": Kind(days=(-90, -3), verdict="certificate_expired"),
    "future": Kind(days=(3, 90), verdict="certificate_not_yet_valid"),
    "self-signed": Kind(issuer="self-signed", verdict="certificate_untrusted"),
    "stranger": Kind(issuer="strange-ca", verdict="certificate_untrusted"),
    "no-intermediate": Kind(issuer="intermediate", verdict="certificate_untrusted"),
    "expired-intermediate": Kind(issuer="expired-ca", send=("expired-ca",), verdict="certificate_expired"),
    "other-name": Kind(
        names="DNS:other.oracle.test", subject="/CN=other.oracle.test", verdict="certificate_mismatch"
    ),
    "name-only-in-subject": Kind(names="DNS:other.oracle.test", verdict="certificate_mismatch"),
    "deep-wildcard": Kind(
        names="DNS:*.mail.oracle.test", subject="/O=Oracle", verdict="certificate_mismatch"
    ),
    "partial-wildcard": Kind(names="DNS:m*.oracle.test", subject="/O=Oracle", verdict="certificate_mismatch"),
    "underscore": Kind(names="DNS:my_mail.oracle.test,DNS:*.my_site.oracle.test", subject="/O=Oracle"),
    "wildcard-of-all": Kind(names="DNS:*.*,DNS:*.test,DNS:*", subject="/O=Oracle"),
    "final-dot": Kind(names=f"DNS:{HOST}.,DNS:*.oracle.test.", subject="/O=Oracle"),
    "wildcard-in-subject": Kind(names="", subject="/CN=*.oracle.test/CN=other.example"),
    "for-clients": Kind(
        extensions=("basicConstraints=critical,CA:FALSE", "extendedKeyUsage=clientAuth"),
        verdict="certificate_untrusted",
    ),
    # Postfix verifies at OpenSSL's security level 1: 80 bits, no SHA-1.
    "short-key": Kind(key=("rsa:1024",)),
    "shorter-key": Kind(key=("rsa:768",), verdict="certificate_untrusted"),
    "sha1-signature": Kind(digest="sha1", verdict="certificate_untrusted"),
}

_AUTHORITIES = {
    "ca": Kind(names="", subject="/O=Oracle/CN=Oracle Root", key=_P256, days=(-900, 900), issuer="ca"),
    "strange-ca": Kind(names="", subject="/CN=Strange Root", key=_P256, issuer="strange-ca"),
    "intermediate": Kind(names="", subject="/O=Oracle/CN=Oracle Intermediate", key=_P256, days=(-800, 800)),
    "expired-ca": Kind(names="", subject="/O=Oracle/CN=Oracle Old Intermediate", key=_P256, days=(-800, -5)),
}
_CA_EXTENSIONS = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")


def make(place: Place, only: tuple[str, ...] = tuple(KINDS)) -> Path:
    """Make them, as NAME.pem (with what is sent behind it) and NAME.key; returns the authority's certificate."""
    directory = place.root / DIRECTORY
    directory.mkdir(parents=True)
    for name, kind in _AUTHORITIES.items():
        _issue(place, name, kind, _CA_EXTENSIONS)
    for name in only:
        kind = KINDS[name]
        _issue(place, name, kind, kind.extensions)
        path = directory / f"{name}.pem"
        path.write_text("".join((directory / f"{part}.pem").read_text() for part in (name, *kind.send)))
    return directory / "ca.pem"


def _issue(place: Place, name: str, kind: Kind, extensions: tuple[str, ...]) -> None:
    first, last = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + day * DAY)) for day in kind.days)
    issuer = [] if kind.issuer == name else ["-CA", f"{kind.issuer}.pem", "-CAkey", f"{kind.issuer}.key"]
    if kind.names:
        extensions = (*extensions, f"subjectAltName={kind.names}")
    place.must(
        "env", "-C", f"/{DIRECTORY}", "openssl", "req", "-x509", "-config", "/dev/null", "-utf8", "-noenc",
        "-newkey", *kind.key, "-keyout", f"{name}.key", "-out", f"{name}.pem", *issuer, "-subj", kind.subject, f"-{kind.digest}",
        "-not_before", first, "-not_after", last, *(word for ext in extensions for word in ("-addext", ext)),
    )  # fmt: skip
    # The servers run as several users; the keys die with the namespace.
    (place.root / DIRECTORY / f"{name}.key").chmod(0o644)
