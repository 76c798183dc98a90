# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# When a certificate in a file begins and ends. The standard library reads a certificate only from a
# connection, so the few DER fields before the validity are stepped over here (RFC 5280, 4.1).
# The rule of this file: what is not understood is None, never a guess.

from __future__ import annotations

import calendar
import re
import ssl
import time

_FIRST = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_INTEGER, _SEQUENCE, _UTC_TIME, _GENERALIZED_TIME, _VERSION = 0x02, 0x30, 0x17, 0x18, 0xA0


def validity(pem: str) -> tuple[float, float] | None:
    """notBefore and notAfter of the first certificate in PEM text, as seconds since the epoch."""
    match = _FIRST.search(pem)
    if not match:
        return None
    try:
        der = ssl.PEM_cert_to_DER_cert(match.group() + "\n")
        _tag, certificate, _rest = _element(der)
        _tag, fields, _rest = _element(certificate)
        tag, content, rest = _element(fields)
        if tag == _VERSION:
            tag, content, rest = _element(rest)
        # serialNumber, signature, issuer, validity
        _tag, content, rest = _element(rest)
        _tag, content, rest = _element(rest)
        _tag, content, rest = _element(rest)
        tag, begins, rest = _element(content)
        begin = _time(tag, begins)
        tag, ends, rest = _element(rest)
        return begin, _time(tag, ends)
    except (ValueError, IndexError):
        return None


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content and what follows the first DER element."""
    tag, length, start = data[0], data[1], 2
    if length & 0x80:
        start = 2 + (length & 0x7F)
        length = int.from_bytes(data[2:start], "big")
    if len(data) < start + length:
        raise ValueError("truncated DER")
    return tag, data[start : start + length], data[start + length :]


def _time(tag: int, content: bytes) -> float:
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        # RFC 5280: two-digit years of 50 and more belong to the twentieth century.
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("not a time")
    return calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ"))
