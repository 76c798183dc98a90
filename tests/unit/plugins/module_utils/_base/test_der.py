"""The reader of DER: what it reads, and that nothing makes it raise."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import ssl
from pathlib import Path

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._base import der

DATA = Path(__file__).parents[1] / "_smtp" / "data"


def element(tag: int, *values: bytes) -> bytes:
    value = b"".join(values)
    size = len(value)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + value


def pem(*fields: bytes) -> str:
    """A certificate with these fields and no signature."""
    text = base64.encodebytes(element(der.SEQUENCE, element(der.SEQUENCE, *fields))).decode("ascii")
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"


NUMBER, NAMES = element(der.INTEGER, b"\1"), element(der.SEQUENCE)
BEFORE, AFTER = element(der.UTC_TIME, b"260101000000Z"), element(der.GENERALIZED_TIME, b"20500102030405Z")
VALIDITY = element(der.SEQUENCE, BEFORE, AFTER)


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (b"", []),
        (b"\x02\x01\x05", [(2, b"\5")]),
        (b"\x02\x00\x04\x02ab", [(2, b""), (4, b"ab")]),
        (b"\x04\x81\x02ab", [(4, b"ab")]),
        (b"\x02\x01\x05\x04\x05ab", [(2, b"\5")]),  # cut off
        (b"\x04\x80ab\0\0", []),  # indefinite
        (b"\x04\x85\0\0\0\0\2ab", []),  # a length of more than four bytes
        (b"\x04\x82\0", []),
        (b"\x04", []),
    ],
)
def test_parts(data: bytes, parts: list[tuple[int, bytes]]) -> None:
    assert list(der.parts(data)) == parts


def test_first_is_of_its_tag() -> None:
    assert der.first(b"\x02\x01\x05", der.INTEGER) == b"\5"
    assert der.first(b"\x02\x01\x05", der.SET) == b""
    assert der.first(b"", der.SET) == b""


@pytest.mark.parametrize(
    ("tag", "text", "seconds"),
    [
        (der.UTC_TIME, "700101000000Z", 0),
        (der.UTC_TIME, "500101000000Z", -631152000),
        (der.UTC_TIME, "491231235959Z", 2524607999),
        (der.UTC_TIME, "170101000060Z", 1483228860),
        (der.GENERALIZED_TIME, "20500101000000Z", 2524608000),
        (der.UTC_TIME, "20500101000000Z", None),
        (der.GENERALIZED_TIME, "500101000000Z", None),
        (der.UTC_TIME, "7001010000Z", None),
        (der.UTC_TIME, "700101000000+", None),
        (der.UTC_TIME, "70010100000aZ", None),
        (der.UTC_TIME, "701301000000Z", None),
        (der.UTC_TIME, "700100000000Z", None),
        (der.UTC_TIME, "700101240000Z", None),
        (der.GENERALIZED_TIME, "00000101000000Z", None),
        (der.INTEGER, "700101000000Z", None),
    ],
)
def test_seconds(tag: int, text: str, seconds: int | None) -> None:
    assert der.seconds(tag, text.encode("ascii")) == seconds


@pytest.mark.parametrize("name", ["good", "expired", "early", "self_signed"])
def test_validity_is_what_openssl_reads(name: str) -> None:
    path = DATA / f"{name}.pem"
    known = ssl._ssl._test_decode_cert(str(path))  # type: ignore[attr-defined]
    assert der.validity(path.read_text(encoding="ascii")) == (
        ssl.cert_time_to_seconds(known["notBefore"]),
        ssl.cert_time_to_seconds(known["notAfter"]),
    )


@pytest.mark.parametrize(
    ("text", "validity"),
    [
        (pem(NUMBER, NAMES, NAMES, VALIDITY), (1767225600, 2524705445)),
        (pem(element(0xA0, NUMBER), NUMBER, NAMES, NAMES, VALIDITY), (1767225600, 2524705445)),
        ("key\n" + pem(NUMBER, NAMES, NAMES, VALIDITY) + pem(), (1767225600, 2524705445)),
        (pem(NUMBER, NAMES, NAMES), None),
        (pem(NUMBER, NAMES, NAMES, element(der.SEQUENCE, BEFORE)), None),
        (pem(NUMBER, NAMES, NAMES, element(der.SEQUENCE, BEFORE, NUMBER)), None),
        ("", None),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", None),
        ("-----BEGIN CERTIFICATE-----\n=\n-----END CERTIFICATE-----\n", None),
        ("-----BEGIN CERTIFICATE-----\n\u00fc\n-----END CERTIFICATE-----\n", None),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n", None),
    ],
)
def test_validity(text: str, validity: tuple[int, int] | None) -> None:
    assert der.validity(text) == validity


def test_object_identifiers() -> None:
    assert der.dotted(b"\x55\x04\x03") == "2.5.4.3"
    assert der.dotted(b"\x2a\x86\x48") == "1.2.840"
    assert der.dotted(b"") == "?"
