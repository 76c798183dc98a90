"""The certificates of the fault table: one authority that the client trusts, and every way to be wrong.

Rule of this file: a recipe takes the name of the host and writes nothing; all leaves share one key of each kind,
because making keys is what costs time.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path
from typing import Any, Callable, Iterable, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)

# The group of 1024 bits of RFC 2409 section 6.2, which old servers still use.
OAKLEY_GROUP_2 = """\
-----BEGIN DH PARAMETERS-----
MIGHAoGBAP//////////yQ/aoiFowjTExmKLgNwc0SkCTgiKZ8x0Agu+pjsTmyJR
Sgh5jjQE3e+VGbPNOkMbMCsKbfJfFDdP4TVtbVHCReSFtXZiXn7G9ExC6aY37WsL
/1y29Aa37e44a/taiZ+lrp8kEXxLH+ZJKGZR7OZTgf//////////AgEC
-----END DH PARAMETERS-----
"""


class Issuer(NamedTuple):
    certificate: x509.Certificate
    key: Any


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])


def _build(
    subject: str,
    key: Any,
    issuer: Issuer | None,
    before: datetime.datetime = NOW - DAY,
    after: datetime.datetime = NOW + 90 * DAY,
    alternatives: Iterable[x509.GeneralName] = (),
    authority: bool = False,
    usage: x509.ObjectIdentifier | None = None,
    algorithm: Any = None,
) -> x509.Certificate:
    name = _name(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(before)
        .not_valid_after(after)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    names = list(alternatives)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=not subject)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(issuer.key if issuer else key, algorithm or hashes.SHA256())


def _dns(*names: str) -> list[x509.GeneralName]:
    return [x509.DNSName(name) for name in names]


class Authority:
    """Makes what the cases ask for, each as one PEM file of key, certificate and chain."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._other_keys: dict[str, Any] = {}
        self.root = self._issuer("Fault Table Root")
        self.stranger = self._issuer("Fault Table Stranger")
        self.intermediate = self._issuer("Fault Table Intermediate", self.root)
        self.old_intermediate = self._issuer(
            "Fault Table Old Intermediate", self.root, NOW - 90 * DAY, NOW - 10 * DAY
        )
        not_an_authority = _build(
            "not an authority", self._key, self.root, alternatives=_dns("leaf.fault.test")
        )
        self.leaf_as_issuer = Issuer(not_an_authority, self._key)
        self.ca_file = directory / "ca.pem"
        self.ca_file.write_bytes(self._pem(self.root.certificate))
        (directory / "dh.pem").write_text(OAKLEY_GROUP_2, encoding="ascii")

    def _issuer(
        self,
        name: str,
        issuer: Issuer | None = None,
        before: datetime.datetime = NOW - 10 * DAY,
        after: datetime.datetime = NOW + 3650 * DAY,
    ) -> Issuer:
        key = ec.generate_private_key(ec.SECP256R1())
        return Issuer(_build(name, key, issuer, before, after, authority=True), key)

    @staticmethod
    def _pem(*certificates: x509.Certificate) -> bytes:
        return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)

    def _other_key(self, kind: str) -> Any:
        if kind not in self._other_keys:
            self._other_keys[kind] = (
                ed25519.Ed25519PrivateKey.generate()
                if kind == "ed25519"
                else rsa.generate_private_key(65537, int(kind))
            )
        return self._other_keys[kind]

    def make(self, recipe: str, name: str, address: str, file: str) -> None:
        """Write ``file``: what ``recipe`` gives for the host of that name and address."""
        chain, key = RECIPES[recipe](self, name, address)
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (self._directory / file).write_bytes(text + self._pem(*chain))

    def leaf(self, subject: str, *names: str, issuer: Issuer | None = None, **more: Any) -> x509.Certificate:
        return _build(subject, self._key, issuer or self.root, alternatives=_dns(*names), **more)

    # The recipes.

    def good(self, name: str, address: str) -> Any:
        return [self.leaf(name, name)], self._key

    def wildcard(self, name: str, address: str) -> Any:
        return [self.leaf("", "*." + name.partition(".")[2])], self._key

    def wildcard_too_deep(self, name: str, address: str) -> Any:
        return [self.leaf("", "*." + name.rpartition(".")[2])], self._key

    def wildcard_partial(self, name: str, address: str) -> Any:
        return [self.leaf("", "*" + name[1:])], self._key

    def upper_case(self, name: str, address: str) -> Any:
        return [self.leaf("", name.upper())], self._key

    def address(self, name: str, address: str) -> Any:
        names = [x509.IPAddress(ipaddress.ip_address(address))]
        return [_build("", self._key, self.root, alternatives=names)], self._key

    def address_as_name(self, name: str, address: str) -> Any:
        return [self.leaf(address, address)], self._key

    def final_dot(self, name: str, address: str) -> Any:
        return [self.leaf("", name + ".")], self._key

    def common_name_only(self, name: str, address: str) -> Any:
        return [self.leaf(name)], self._key

    def common_name_beside(self, name: str, address: str) -> Any:
        return [self.leaf(name, "other.example.com")], self._key

    def no_name(self, name: str, address: str) -> Any:
        return [self.leaf("")], self._key

    def wrong_name(self, name: str, address: str) -> Any:
        return [self.leaf("smtp.example.com", "smtp.example.com", "www.example.com")], self._key

    def nul_in_name(self, name: str, address: str) -> Any:
        return [self.leaf("", name + "\0.example.com")], self._key

    def hostile_words(self, name: str, address: str) -> Any:
        subject = "evil\u202e\x1b[31m\r\nok: usable"
        return [_build(subject, self._key, self.stranger, alternatives=_dns(name))], self._key

    def intermediate_sent(self, name: str, address: str) -> Any:
        return [self.leaf(name, name, issuer=self.intermediate), self.intermediate.certificate], self._key

    def chain_with_root(self, name: str, address: str) -> Any:
        leaf = self.leaf(name, name, issuer=self.intermediate)
        return [leaf, self.root.certificate, self.intermediate.certificate], self._key

    def intermediate_missing(self, name: str, address: str) -> Any:
        return [self.leaf(name, name, issuer=self.intermediate)], self._key

    def intermediate_expired(self, name: str, address: str) -> Any:
        return [
            self.leaf(name, name, issuer=self.old_intermediate),
            self.old_intermediate.certificate,
        ], self._key

    def issued_by_leaf(self, name: str, address: str) -> Any:
        return [self.leaf(name, name, issuer=self.leaf_as_issuer), self.leaf_as_issuer.certificate], self._key

    def unknown_authority(self, name: str, address: str) -> Any:
        return [self.leaf(name, name, issuer=self.stranger), self.stranger.certificate], self._key

    def self_signed(self, name: str, address: str) -> Any:
        return [_build(name, self._key, None, alternatives=_dns(name))], self._key

    def self_signed_expired(self, name: str, address: str) -> Any:
        return [_build(name, self._key, None, NOW - 90 * DAY, NOW - 3 * DAY, _dns(name))], self._key

    def expired(self, name: str, address: str) -> Any:
        return [self.leaf(name, name, before=NOW - 90 * DAY, after=NOW - 3 * DAY)], self._key

    def not_yet_valid(self, name: str, address: str) -> Any:
        return [self.leaf(name, name, before=NOW + 3 * DAY)], self._key

    def expired_wrong_name(self, name: str, address: str) -> Any:
        return [self.leaf("", "smtp.example.com", before=NOW - 90 * DAY, after=NOW - 3 * DAY)], self._key

    def everything_wrong(self, name: str, address: str) -> Any:
        leaf = self.leaf(
            "", "smtp.example.com", issuer=self.stranger, before=NOW - 90 * DAY, after=NOW - 3 * DAY
        )
        return [leaf], self._key

    def expiring(self, name: str, address: str) -> Any:
        return [self.leaf(name, name, after=NOW + 5 * DAY + DAY / 2)], self._key

    def for_clients(self, name: str, address: str) -> Any:
        return [self.leaf(name, name, usage=ExtendedKeyUsageOID.CLIENT_AUTH)], self._key

    def for_clients_expired_wrong_name(self, name: str, address: str) -> Any:
        old = {"before": NOW - 90 * DAY, "after": NOW - 3 * DAY}
        return [self.leaf("", "smtp.example.com", usage=ExtendedKeyUsageOID.CLIENT_AUTH, **old)], self._key

    def year_9999(self, name: str, address: str) -> Any:
        after = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.timezone.utc)
        return [self.leaf(name, name, before=datetime.datetime(1951, 1, 1), after=after)], self._key

    def huge(self, name: str, address: str) -> Any:
        return [self.leaf(name, *("host-%04d.example.com" % i for i in range(2500)), name)], self._key

    def too_huge(self, name: str, address: str) -> Any:
        return [self.leaf(name, *("host-%05d.example.com" % i for i in range(9000)), name)], self._key

    def _with_key(self, kind: str, name: str) -> Any:
        key = self._other_key(kind)
        return [_build(name, key, self.root, alternatives=_dns(name))], key

    def rsa(self, name: str, address: str) -> Any:
        return self._with_key("2048", name)

    def rsa_weak(self, name: str, address: str) -> Any:
        return self._with_key("1024", name)

    def ed25519(self, name: str, address: str) -> Any:
        return self._with_key("ed25519", name)


RECIPES: dict[str, Callable[[Authority, str, str], Any]] = {
    name: recipe
    for name, recipe in vars(Authority).items()
    if not name.startswith("_") and name not in ("make", "leaf")
}
