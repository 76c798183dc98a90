"""DER (ITU-T X.690), as much of it as certificates use: definite lengths and tags of one byte.

The standard library shows a certificate only after it has verified it on a connection; here it is read from its bytes.
Rules of this file: no I/O, and nothing raises. What cannot be read is absent, never guessed.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import calendar
import re
from binascii import a2b_base64
from typing import Iterator

from .addresses import unpacked

INTEGER, OCTET_STRING, OID, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x30, 0x31
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
_VERSION = 0xA0
_EXTENSIONS, _SUBJECT_ALT_NAME = 0xA3, "2.5.29.17"
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87

# Compiled where a file is read, not on every host.
_PEM = r"(?s)-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----"


def parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The tag and the value of each element, up to the first that is damaged."""
    position, end = 0, len(data)
    while position + 2 <= end:
        tag, length = data[position], data[position + 1]
        position += 2
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4 or position + count > end:
                return
            length = int.from_bytes(data[position : position + count], "big")
            position += count
        if position + length > end:
            return
        yield tag, data[position : position + length]
        position += length


def first(data: bytes, tag: int) -> bytes:
    """The value of the first element; empty where it has another tag, or there is none."""
    for found, value in parts(data):
        return value if found == tag else b""
    return b""


def certificate_fields(der: bytes) -> list[tuple[int, bytes]]:
    """TBSCertificate without its version (RFC 5280 section 4.1): serialNumber, signature, issuer, validity, subject,
    subjectPublicKeyInfo, then optional ones."""
    return [part for part in parts(first(first(der, SEQUENCE), SEQUENCE)) if part[0] != _VERSION]


def dates(validity: bytes) -> tuple[int | None, int | None]:
    """notBefore and notAfter, in seconds since the epoch; None for each that cannot be read."""
    found = [seconds(tag, value) for tag, value in parts(validity)]
    return (found[0], found[1]) if len(found) == 2 else (None, None)


def seconds(tag: int, value: bytes) -> int | None:
    """Seconds since the epoch of a UTCTime or GeneralizedTime (RFC 5280 section 4.1.2.5), else None."""
    text = value.decode("latin-1")
    if tag == UTC_TIME and len(text) == 13:
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != GENERALIZED_TIME or len(text) != 15:
        return None
    if not (text.endswith("Z") and text[:-1].isascii() and text[:-1].isdigit()):
        return None
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    hour, minute, second = int(text[8:10]), int(text[10:12]), int(text[12:14])
    if not (year and 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 61):
        return None
    return calendar.timegm((year, month, day, hour, minute, second))


def dotted(value: bytes) -> str:
    """An object identifier as numbers with dots; ``?`` where it is none."""
    numbers: list[int] = []
    number = 0
    for byte in value[:64]:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    if not numbers:
        return "?"
    top = min(numbers[0] // 40, 2)
    return ".".join(map(str, [top, numbers[0] - 40 * top, *numbers[1:]]))


def validity(pem: str) -> tuple[float, float] | None:
    """notBefore and notAfter of the first certificate in a PEM file, in seconds since the epoch; None where there is
    none, or one that cannot be read."""
    fields = _fields_of(pem)
    begin, end = dates(fields[3][1]) if len(fields) > 3 else (None, None)
    return None if begin is None or end is None else (begin, end)


def names(pem: str) -> tuple[str, ...]:
    """The DNS names of the first certificate in a PEM file; none where it has none, or cannot be read."""
    return alternative_names(_fields_of(pem))[0]


def _fields_of(pem: str) -> list[tuple[int, bytes]]:
    match = re.search(_PEM, pem)
    try:
        return certificate_fields(a2b_base64(match[1].encode("ascii"))) if match else []
    except ValueError:
        return []


def alternative_names(fields: list[tuple[int, bytes]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The DNS names and the IP addresses of the subjectAltName extension (RFC 5280 section 4.2.1.6)."""
    names: list[str] = []
    addresses: list[str] = []
    for tag, value in fields:
        if tag != _EXTENSIONS:
            continue
        for _tag, extension in parts(first(value, SEQUENCE)):
            elements = list(parts(extension))
            if len(elements) < 2 or elements[0][0] != OID:
                continue
            if dotted(elements[0][1]) != _SUBJECT_ALT_NAME or elements[-1][0] != OCTET_STRING:
                continue
            for kind, name in parts(first(elements[-1][1], SEQUENCE)):
                if kind == _DNS_NAME:
                    names.append(name.decode("utf-8", "backslashreplace"))
                elif kind == _IP_ADDRESS and len(name) in (4, 16):
                    addresses.append(unpacked(name))
    return tuple(names), tuple(addresses)
