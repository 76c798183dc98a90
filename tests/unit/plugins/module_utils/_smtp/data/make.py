"""Makes the certificates beside it: python make.py (needs the package cryptography, which the tests do not).

They are data and not made by each run so that the tests need only the standard library. Those that are good are good
till the year 9999. The keys protect nothing.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import ipaddress
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = Path(__file__).parent
LONG_AGO, FAR_AWAY = datetime.datetime(2020, 1, 1), datetime.datetime(9999, 12, 31)
NAME = "mail.example.test"


def name(*words: str) -> x509.Name:
    kinds = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    return x509.Name([x509.NameAttribute(kind, word) for kind, word in zip(kinds, words)])


def certificate(subject, key, issuer, issuer_key, alternatives=(), before=LONG_AGO, after=FAR_AWAY, ca=False):
    builder = x509.CertificateBuilder(
        issuer, subject, key.public_key(), x509.random_serial_number(), before, after
    ).add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def write(file: str, *parts) -> None:
    pem = b""
    for part in parts:
        if isinstance(part, x509.Certificate):
            pem += part.public_bytes(serialization.Encoding.PEM)
        else:
            pem += part.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
    (HERE / file).write_bytes(pem)


def weak(file: str, bits: int) -> None:
    """A self-signed one with a short key, by openssl 3.4 or newer: the package refuses to make such keys."""
    request = f"-x509 -newkey rsa:{bits} -noenc -subj /CN={NAME} -addext subjectAltName=DNS:{NAME} -keyout -"
    dates = "-not_before 20200101000000Z -not_after 99991231235959Z"
    command = ["openssl", "req", *request.split(), *dates.split()]
    made = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    (HERE / file).write_bytes(made.stdout)


def main() -> None:
    authority_key, stranger_key, key = (ec.generate_private_key(ec.SECP256R1()) for _number in range(3))
    authority, stranger = name("Test authority", "Example"), name("Unknown authority")
    write("ca.pem", certificate(authority, authority_key, authority, authority_key, ca=True))

    dns = [
        x509.DNSName(NAME),
        x509.DNSName("*.wild.example.test"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    other = [x509.DNSName("other.example.test")]
    past = datetime.datetime(2021, 1, 1)
    future = datetime.datetime(9000, 1, 1)
    leaf = name(NAME)

    def issued(file: str, alternatives, **dates) -> None:
        write(file, key, certificate(leaf, key, authority, authority_key, alternatives, **dates))

    issued("good.pem", dns)
    issued("other_name.pem", other)
    issued("common_name.pem", ())
    issued("expired.pem", dns, after=past)
    issued("expired_other_name.pem", other, after=past)
    issued("early.pem", dns, before=future)
    write("self_signed.pem", key, certificate(leaf, key, leaf, key, dns))
    write("self_signed_expired_other_name.pem", key, certificate(leaf, key, leaf, key, other, after=past))
    write("stranger.pem", key, certificate(leaf, key, stranger, stranger_key, dns))
    weak("short_key.pem", 1024)
    weak("shorter_key.pem", 768)


if __name__ == "__main__":
    main()
