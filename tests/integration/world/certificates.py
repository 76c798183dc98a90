"""The certificates of the outside: an authority that the machines trust, another one, and what they or nobody signed."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
_KEY = ec.generate_private_key(ec.SECP256R1())

_SIGNS = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
    key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
)  # fmt: skip


class Recipe(NamedTuple):
    names: tuple[str, ...]
    signed: bool = True
    authority: str = "World Root"
    before: datetime.datetime = NOW - 2 * DAY
    after: datetime.datetime = NOW + 90 * DAY


def _build(subject: str, recipe: Recipe, authority: bool = False) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, recipe.authority)]) if recipe.signed else name
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(_KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(recipe.before)
        .not_valid_after(recipe.after)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(_KEY.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(_KEY.public_key()), critical=False)
    )
    if authority:
        builder = builder.add_extension(_SIGNS, critical=True)
    if recipe.names:
        names = x509.SubjectAlternativeName([x509.DNSName(each) for each in recipe.names])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(_KEY, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


ROOT = _pem(_build("World Root", Recipe(()), authority=True))
OTHER = "Other Root"
OTHER_ROOT = _pem(_build(OTHER, Recipe((), authority=OTHER), authority=True))


def chain(recipe: Recipe) -> str:
    """Key, certificate and root as one PEM text."""
    key = _KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    root = OTHER_ROOT if recipe.authority == OTHER else ROOT
    return key + _pem(_build(recipe.names[0], recipe)) + (root if recipe.signed else "")
