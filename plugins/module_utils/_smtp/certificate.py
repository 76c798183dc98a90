"""What a certificate says, and everything that is wrong with it.

OpenSSL names one fault of a certificate and stops, and Python shows nothing of a certificate that it did not verify. So
the chain is OpenSSL's to judge (its error code comes in here), and names and dates are judged here, from the DER.

Rules of this file: no socket, no clock (the time comes in as an argument). The reader is tolerant: what it cannot make
sense of is absent, and no certificate, whatever it holds, makes it raise. It grants nothing by that: an absent name
matches nothing.

The judgement is that of Postfix with smtp_tls_security_level = secure and the same CA file, with these differences: a
subdomain of the host is not accepted in the host's place (Postfix's default secure match has dot-nexthop), and an
address literal is compared with the IP addresses of the certificate (as Postfix 3.10 does; older ones compare it with
nothing).
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from time import gmtime
from typing import Any, Iterator, NamedTuple

from .._base import der
from .._base.addresses import ip_version, name_matches, packed
from .reply import printable
from .verdict import VERDICTS

# X509_V_ERR_* of OpenSSL that are about dates.
_NOT_YET_VALID = 9
_EXPIRED = 10
# Those that say that the issuer of a certificate was found neither in the chain nor among the trusted ones, and with
# them those that say that the chain ends in a certificate that is not trusted, or in one of an authority's name alone.
_NO_ISSUER = (2, 20, 21, 27)
_NO_TRUST = (*_NO_ISSUER, 7, 18, 19)

# Whose certificates stand in for those of servers: antivirus programs and firewalls that open TLS. Looked for in the
# issuer of a certificate that is not trusted, in lower case. "on this host" where it runs where the mail is sent.
# The patterns are compiled when such a certificate is met.
_INSPECTORS = (
    (r"\bavast\b", "Avast"),
    (r"\bavg\b", "AVG"),
    (r"kaspersky", "Kaspersky"),
    (r"\beset\b", "ESET"),
    (r"bitdefender", "Bitdefender"),
    (r"dr\.? ?web\b", "Dr.Web"),
    (r"g ?data\b", "G DATA"),
    (r"\bnorton\b", "Norton"),
    (r"trend micro|trendmicro", "Trend Micro"),
    (r"mcafee|skyhigh", "Skyhigh (McAfee) Web Gateway"),
    (r"sophos|astaro", "Sophos"),
    (r"fortigate|fortinet(?!.*fortimail)|\bfgt?\d{2}", "Fortinet FortiGate"),
    (r"palo ?alto", "Palo Alto Networks"),
    (r"zscaler", "Zscaler"),
    (r"cisco umbrella|cisco.*(?:firepower|web security|ironport.*proxy)|opendns", "Cisco"),
    (r"check ?point", "Check Point"),
    (r"blue ?coat|proxysg|symantec.*(?:proxy|web gateway)", "Blue Coat (Symantec) ProxySG"),
    (r"netskope|goskope", "Netskope"),
    (r"\bsquid\b", "Squid"),
    (r"sonicwall", "SonicWall"),
    (r"watchguard|fireware", "WatchGuard"),
    (r"forcepoint|websense", "Forcepoint"),
    (r"untangle|\barista edge", "Untangle"),
    (r"smoothwall", "Smoothwall"),
    (r"cloudflare gateway|gateway ca.*cloudflare", "Cloudflare Gateway"),
    (r"\bcato networks", "Cato Networks"),
    (r"\biboss\b", "iboss"),
    (r"mitmproxy", "mitmproxy"),
    (
        r"tls inspection|ssl inspection|(?:ssl|tls|https) interception|deep inspection",
        "a TLS inspection",
    ),
)

_MAX_NAMES_SHOWN = 100
_DAY = 86400

_ATTRIBUTES = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}

_ENCODINGS = {0x0C: "utf-8", 0x14: "latin-1", 0x1C: "utf-32-be", 0x1E: "utf-16-be"}


class Certificate(NamedTuple):
    """The fields of an X.509 certificate that matter here. Texts are as found: escape them before showing."""

    subject: str = ""
    issuer: str = ""
    common_names: tuple[str, ...] = ()
    dns_names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    not_before: int | None = None
    not_after: int | None = None
    self_issued: bool = False
    sha256: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names that count: where there are no DNS names, as in Postfix, the common names stand for them."""
        return (self.dns_names or self.common_names) + self.addresses

    def days_left(self, now: float) -> int | None:
        """Whole days until it expires, negative when it has."""
        return None if self.not_after is None else int((self.not_after - now) // _DAY)


class Problem(NamedTuple):
    verdict: str
    words: str


class ChainError(NamedTuple):
    """Why OpenSSL did not verify a chain: its code, its words, how many certificates came (0: unknown), and whether
    this host has any authority to trust."""

    code: int
    message: str
    length: int = 0
    authorities: bool = True


@lru_cache(maxsize=64)
def decode(data: bytes) -> Certificate:
    """Read a certificate in DER. What is not there, or not readable, is empty. Never raises."""
    sha256 = hashlib.sha256(data).hexdigest()
    fields = der.certificate_fields(data)
    if len(fields) < 6 or fields[0][0] != der.INTEGER:
        return Certificate(sha256=sha256)
    issuer, validity, subject = fields[2][1], fields[3][1], fields[4][1]
    not_before, not_after = der.dates(validity)
    dns_names, addresses = der.alternative_names(fields[6:])
    attributes = list(_attributes(subject))
    return Certificate(
        subject=_name(attributes),
        issuer=_name(list(_attributes(issuer))),
        common_names=tuple(value for key, value in attributes if key == "CN"),
        dns_names=dns_names,
        addresses=addresses,
        not_before=not_before,
        not_after=not_after,
        self_issued=issuer == subject,
        sha256=sha256,
    )


def problems(
    certificate: Certificate, name: str, now: float, min_days: int = 0, chain: ChainError | None = None
) -> list[Problem]:
    """Everything that is wrong with a certificate presented for ``name``, the gravest first.

    ``name`` is a host name in A-label form or an address literal, ``now`` seconds since the epoch, ``chain`` what
    OpenSSL said when it verified the chain (None: it is trusted).
    """
    found = []
    expired = certificate.not_after is not None and certificate.not_after < now
    early = certificate.not_before is not None and certificate.not_before > now
    if expired and certificate.not_after is not None:
        found.append(Problem("certificate_expired", f"it expired {_ago(certificate.not_after, now)}"))
    if early:
        found.append(
            Problem("certificate_not_yet_valid", f"it is valid only from {_iso(certificate.not_before)}")
        )
    if chain is not None:
        if chain.code == _EXPIRED:
            if not expired:
                found.append(Problem("certificate_expired", "a certificate of its chain has expired"))
        elif chain.code == _NOT_YET_VALID:
            if not early:
                found.append(
                    Problem("certificate_not_yet_valid", "a certificate of its chain is not valid yet")
                )
        else:
            found.append(Problem("certificate_untrusted", _untrusted(certificate, chain)))
    if not matches(certificate, name):
        shown = ", ".join(printable(known, 80) for known in certificate.names[:4]) or "no name at all"
        more = len(certificate.names) - 4
        if more > 0:
            shown += " and %d more" % more
        found.append(Problem("certificate_mismatch", f"it is for {shown}, not for {name}"))
    days = certificate.days_left(now)
    if days is not None and not expired and days < min_days:
        found.append(
            Problem(
                "certificate_expiring", "it has %d days left, fewer than the %d asked for" % (days, min_days)
            )
        )
    return sorted(found, key=lambda problem: VERDICTS[problem.verdict].gravity)


def verdict_of(chain: ChainError) -> str:
    """The verdict that OpenSSL's error alone amounts to."""
    return {_EXPIRED: "certificate_expired", _NOT_YET_VALID: "certificate_not_yet_valid"}.get(
        chain.code, "certificate_untrusted"
    )


def advice(problem: Problem, certificate: Certificate, chain: ChainError | None) -> str:
    """What to do about an untrusted chain, where OpenSSL's one code for several faults can be told apart."""
    if problem.verdict != "certificate_untrusted" or chain is None:
        return ""
    who = inspector(certificate)
    if who:
        return (
            f"On this host or on the way something opens TLS ({who}) and puts its own certificate in the place of the "
            "server's: have connections to this mail server left alone there. To trust that certificate would only "
            "hide that mail and password can be read on the way."
        )
    if chain.code not in _NO_TRUST:
        return (
            "Have the server get another certificate: no list of trusted authorities makes up for this fault."
        )
    if not chain.authorities:
        return (
            "Install the authorities that are generally trusted on this host: the package is ca-certificates."
        )
    if certificate.self_issued and chain.length <= 1:
        return (
            "Install this certificate as trusted on this host, or name it with ca_path, or have the server get one "
            "from an authority."
        )
    if chain.length == 1:
        return (
            "The server sends its own certificate alone: have it send the intermediate certificates too. "
            "Where the authority is a private one, name its certificate with ca_path."
        )
    if not chain.length and chain.code in _NO_ISSUER:
        return (
            "Install the authority's certificate on this host, or name it with ca_path; where the authority is a "
            "public one, have the server send its intermediate certificates too."
        )
    return ""


def inspector(certificate: Certificate) -> str:
    """The product whose authority issues certificates in the place of servers' own; empty where none is known."""
    issuer = certificate.issuer.lower()
    return next((name for pattern, name in _INSPECTORS if re.search(pattern, issuer)), "")


def matches(certificate: Certificate, name: str) -> bool:
    """Whether the certificate is for ``name`` (RFC 6125): DNS names with ``*`` as the whole first label, or IP."""
    if ip_version(name):
        return any(packed(known) == packed(name) for known in certificate.addresses)
    return any(name_matches(known, name) for known in certificate.dns_names or certificate.common_names)


def as_dict(certificate: Certificate, found: list[Problem], now: float) -> dict[str, Any]:
    """The certificate as the modules return it, every text escaped."""
    return {
        "subject": printable(certificate.subject),
        "issuer": printable(certificate.issuer),
        "names": [printable(name) for name in certificate.names[:_MAX_NAMES_SHOWN]],
        "not_before": _iso(certificate.not_before),
        "not_after": _iso(certificate.not_after),
        "days_left": certificate.days_left(now),
        "sha256": certificate.sha256,
        "problems": [problem.verdict for problem in found],
    }


def _untrusted(certificate: Certificate, chain: ChainError) -> str:
    said = printable(chain.message)
    issued = _issued(certificate)
    if chain.code not in _NO_TRUST:
        return f"it or one of its chain{issued} is not fit for a mail server ({said})"
    if not chain.authorities:
        return f"this host has no certificates of authorities, so it can trust none ({said})"
    if certificate.self_issued and chain.length <= 1:
        return f"it is self-signed{issued} and not among the trusted ones ({said})"
    if chain.length == 1:
        return f"it came without intermediate certificates, and its issuer{issued} is not a trusted authority ({said})"
    doubt = "" if chain.length else ", or an intermediate certificate is missing"
    return f"its chain{issued} does not lead to a trusted authority{doubt} ({said})"


def _issued(certificate: Certificate) -> str:
    """The issuer by name, as part of a sentence."""
    if not certificate.issuer:
        return ""
    who = inspector(certificate)
    known = f", the TLS inspection of {who}" if who and not who.startswith("a ") else ""
    by = "" if certificate.self_issued else "issued by "
    return f", {by}{printable(certificate.issuer, 150)}{known},"


def _ago(then: int, now: float) -> str:
    days = int((now - then) // _DAY)
    return (
        "%d day%s ago, on %s" % (days, "" if days == 1 else "s", _iso(then))
        if days
        else f"today, at {_iso(then)}"
    )


def _iso(seconds: int | None) -> str | None:
    # Not strftime: whether it pads a year of three digits is the platform's choice.
    return None if seconds is None else "%04d-%02d-%02dT%02d:%02d:%02dZ" % gmtime(seconds)[:6]


def _attributes(name: bytes) -> Iterator[tuple[str, str]]:
    for tag, relative in der.parts(name):
        if tag != der.SET:
            continue
        for _tag, pair in der.parts(relative):
            elements = list(der.parts(pair))
            if len(elements) == 2 and elements[0][0] == der.OID:
                oid = der.dotted(elements[0][1])
                yield _ATTRIBUTES.get(oid, oid), _text(*elements[1])


def _name(attributes: list[tuple[str, str]]) -> str:
    return ", ".join("{}={}".format(*pair) for pair in attributes)


def _text(tag: int, value: bytes) -> str:
    return value.decode(_ENCODINGS.get(tag, "utf-8"), "backslashreplace")
