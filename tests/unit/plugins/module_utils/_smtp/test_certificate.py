"""What a certificate says and what is wrong with it; and that no certificate, whatever it holds, does harm."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ssl
from typing import Any

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.certificate import (
    Certificate,
    ChainError,
    Problem,
    advice,
    as_dict,
    decode,
    inspector,
    matches,
    problems,
    verdict_of,
)
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._smtp.servers import DATA, NAME, NOW
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

DAY = 86400


def der(name: str) -> bytes:
    pem = (DATA / f"{name}.pem").read_text()
    return ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERT") :])


def tlv(tag: int, *values: bytes) -> bytes:
    value = b"".join(values)
    if len(value) < 128:
        return bytes([tag, len(value)]) + value
    size = len(value).to_bytes(3, "big")
    return bytes([tag, 0x83]) + size + value


def attribute(kind: bytes, text: bytes, tag: int = 0x0C) -> bytes:
    return tlv(0x31, tlv(0x30, tlv(0x06, kind), tlv(tag, text)))


COMMON_NAME = b"\x55\x04\x03"


def forged(
    names: bytes = b"",
    subject: bytes = b"",
    before: bytes = tlv(0x17, b"200101000000Z"),
    after: bytes = tlv(0x17, b"491231235959Z"),
) -> bytes:
    """A certificate as far as it is read here, unsigned."""
    extension = tlv(0x30, tlv(0x06, b"\x55\x1d\x11"), tlv(0x01, b"\xff"), tlv(0x04, tlv(0x30, names)))
    body = tlv(
        0x30,
        tlv(0xA0, tlv(0x02, b"\x02")),
        tlv(0x02, b"\x01"),
        tlv(0x30),
        tlv(0x30, attribute(COMMON_NAME, b"issuer")),
        tlv(0x30, before, after),
        tlv(0x30, subject),
        tlv(0x30),
        *([tlv(0xA3, tlv(0x30, extension))] if names else []),
    )
    return tlv(0x30, body, tlv(0x30), tlv(0x03))


def test_decode() -> None:
    certificate = decode(der("good"))
    assert certificate.subject == "CN=mail.example.test"
    assert certificate.issuer == "CN=Test authority, O=Example"
    assert certificate.dns_names == (NAME, "*.wild.example.test")
    assert certificate.addresses == ("127.0.0.1",)
    assert certificate.names == (NAME, "*.wild.example.test", "127.0.0.1")
    assert certificate.not_before == 1577836800
    assert certificate.not_after == 253402214400
    assert not certificate.self_issued
    assert len(certificate.sha256) == 64
    assert decode(der("self_signed")).self_issued
    assert decode(der("common_name")).names == (NAME,)


@pytest.mark.parametrize("file", sorted(path.stem for path in DATA.glob("*.pem")))
def test_decode_agrees_with_python(file: str, tmp_path: Any) -> None:
    """Python's own decoder takes only a verified certificate, but its test helper takes any file."""
    import _ssl

    path = tmp_path / "cert.pem"
    path.write_text(ssl.DER_cert_to_PEM_cert(der(file)))
    known: dict[str, Any] = _ssl._test_decode_cert(str(path))  # type: ignore[attr-defined]
    certificate = decode(der(file))
    assert certificate.dns_names == tuple(
        value for kind, value in known.get("subjectAltName", ()) if kind == "DNS"
    )
    assert certificate.not_before == ssl.cert_time_to_seconds(known["notBefore"])
    assert certificate.not_after == ssl.cert_time_to_seconds(known["notAfter"])
    assert certificate.common_names == tuple(
        value for part in known["subject"] for key, value in part if key == "commonName"
    )


@pytest.mark.parametrize(
    ("names", "name", "expected"),
    [
        (["mx.example.com"], "mx.example.com", True),
        (["MX.Example.com"], "mx.example.COM", True),
        (["mx.example.com."], "mx.example.com", False),
        (["mx.example.com"], "mx.example.com.", True),
        (["a.example", "mx.example.com"], "mx.example.com", True),
        (["example.com"], "mx.example.com", False),
        (["mx.example.com"], "example.com", False),
        (["*.example.com"], "mx.example.com", True),
        (["*.example.com"], "a.mx.example.com", False),
        (["*.example.com"], "example.com", False),
        (["*.example.com"], ".example.com", False),
        (["m*.example.com"], "mx.example.com", False),
        (["*x.example.com"], "mx.example.com", False),
        (["mx.*.com"], "mx.example.com", False),
        (["*"], "mx", False),
        (["*."], "mx.", False),
        (["*.test"], "relay.test", False),
        (["*.example.test."], "relay.example.test", False),
        (["*.*"], "relay.test", False),
        (["*.*.test"], "mx.relay.test", False),
        (["*.my_site.test"], "mx.my_site.test", False),
        (["*.example.test"], "my_mx.example.test", False),
        (["my_mx.example.test"], "my_mx.example.test", True),
        (["*.-site.test"], "mx.-site.test", False),
        (["*.site-.test"], "mx.site-.test", False),
        (["*.a-site.test"], "a-mx.a-site.test", True),
        (["*..test"], "mx..test", False),
        (["xn--bcher-kva.example"], "xn--bcher-kva.example", True),
        (["*.example.com"], "xn--bcher-kva.example.com", True),
        (["bücher.example"], "xn--bcher-kva.example", False),
        (["\u212ax.example.com"], "kx.example.com", False),  # a Kelvin sign, whose lower case is k
        (["*.\u212ax.example.com"], "a.kx.example.com", False),
        (["mx.example.com\0.evil.example"], "mx.example.com", False),
        ([""], "", False),
        ([], "mx.example.com", False),
        (["192.0.2.1"], "192.0.2.1", False),
    ],
)
def test_dns_names(names: list[str], name: str, expected: bool) -> None:
    assert matches(Certificate(dns_names=tuple(names)), name) is expected


@pytest.mark.parametrize(
    ("certificate", "name", "expected"),
    [
        (Certificate(addresses=("192.0.2.1",)), "192.0.2.1", True),
        (Certificate(addresses=("192.0.2.1",)), "192.0.2.2", False),
        (Certificate(addresses=("2001:db8::1",)), "2001:DB8:0::1", True),
        (Certificate(addresses=("fe80::1",)), "fe80::1%eth0", True),
        (Certificate(addresses=("192.0.2.1",)), "mx.example.com", False),
        (Certificate(common_names=("192.0.2.1",)), "192.0.2.1", False),
        (Certificate(common_names=("mx.example.com",)), "mx.example.com", True),
        (Certificate(common_names=("bücher.example",)), "xn--bcher-kva.example", False),
        (Certificate(common_names=("mx.example.com",), dns_names=("a.example",)), "mx.example.com", False),
        (Certificate(common_names=("mx.example.com",), addresses=("192.0.2.1",)), "mx.example.com", True),
        (Certificate(common_names=("\udc80" * 70,)), "mx", False),
    ],
)
def test_addresses_and_common_names(certificate: Certificate, name: str, expected: bool) -> None:
    assert matches(certificate, name) is expected


UNKNOWN_ISSUER = ChainError(20, "unable to get local issuer certificate", 1)
SELF_SIGNED = ChainError(18, "self-signed certificate", 1)
EXPIRED = ChainError(10, "certificate has expired", 2)
EARLY = ChainError(9, "certificate is not yet valid", 2)
GOOD = Certificate(dns_names=("mx",), not_before=int(NOW) - DAY, not_after=int(NOW) + 5 * DAY)
OLD = GOOD._replace(not_after=int(NOW) - 3 * DAY)
YOUNG = GOOD._replace(not_before=int(NOW) + DAY)


@pytest.mark.parametrize(
    ("certificate", "name", "min_days", "chain", "expected"),
    [
        (GOOD, "mx", 0, None, []),
        (GOOD, "mx", 5, None, []),
        (GOOD, "mx", 6, None, ["expiring"]),
        (GOOD, "my", 6, None, ["mismatch", "expiring"]),
        (GOOD, "mx", 0, UNKNOWN_ISSUER, ["untrusted"]),
        (GOOD, "mx", 0, EXPIRED, ["expired"]),
        (GOOD, "mx", 0, EARLY, ["not_yet_valid"]),
        (OLD, "mx", 0, EXPIRED, ["expired"]),
        (OLD, "mx", 30, EXPIRED, ["expired"]),
        (OLD, "my", 0, EXPIRED, ["mismatch", "expired"]),
        (OLD, "my", 0, SELF_SIGNED, ["untrusted", "mismatch", "expired"]),
        (YOUNG, "mx", 0, EARLY, ["not_yet_valid"]),
        (YOUNG, "my", 9, UNKNOWN_ISSUER, ["untrusted", "mismatch", "not_yet_valid", "expiring"]),
        (Certificate(), "mx", 9, None, ["mismatch"]),
    ],
)
def test_problems(
    certificate: Certificate, name: str, min_days: int, chain: Any, expected: list[str]
) -> None:
    found = problems(certificate, name, NOW, min_days, chain)
    assert [problem.verdict for problem in found] == ["certificate_" + word for word in expected]
    assert all(problem.words for problem in found)


def test_words() -> None:
    def words(
        certificate: Certificate, chain: ChainError | None = None, name: str = "mx", min_days: int = 0
    ) -> str:
        return problems(certificate, name, NOW, min_days, chain)[0].words

    assert words(OLD) == "it expired 3 days ago, on 2027-01-12T08:00:00Z"
    assert words(GOOD._replace(not_after=int(NOW) - 5)) == "it expired today, at 2027-01-15T07:59:55Z"
    assert words(GOOD, EXPIRED) == "a certificate of its chain has expired"
    assert words(GOOD, min_days=9) == "it has 5 days left, fewer than the 9 asked for"
    assert "intermediate" in words(GOOD, UNKNOWN_ISSUER)
    assert "intermediate" in words(GOOD, UNKNOWN_ISSUER._replace(length=0))
    assert "intermediate" not in words(GOOD, UNKNOWN_ISSUER._replace(length=2))
    assert "self-signed" in words(GOOD._replace(self_issued=True), SELF_SIGNED)
    assert "this host has no certificates of authorities" in words(
        GOOD, UNKNOWN_ISSUER._replace(authorities=False)
    )
    assert words(GOOD, name="my") == "it is for mx, not for my"
    many = GOOD._replace(dns_names=tuple("abcdef"))
    assert words(many, name="my") == "it is for a, b, c, d and 2 more, not for my"


# Issuers as these products write them into the certificates they make.
INSPECTED = [
    (
        "OU=generated by Avast Antivirus for SSL/TLS scanning, O=Avast Web/Mail Shield, CN=Avast Web/Mail Shield Root",
        "Avast",
    ),
    (
        "OU=generated by AVG Antivirus for SSL/TLS scanning, O=AVG Web/Mail Shield, CN=AVG Web/Mail Shield Root",
        "AVG",
    ),
    ("O=AO Kaspersky Lab, CN=Kaspersky Anti-Virus Personal Root Certificate", "Kaspersky"),
    ("CN=ESET SSL Filter CA, O=ESET, spol. s r. o., C=SK", "ESET"),
    ("C=US, O=Bitdefender, OU=IDS, CN=Bitdefender Personal CA.Net-Defender", "Bitdefender"),
    ("C=GB, O=Sophos, CN=Sophos_CA_C01001ABCDEF", "Sophos"),
    (
        "C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority, CN=FGT60E0000000000",
        "FortiGate",
    ),
    ("CN=Fortinet_CA_SSL, O=Fortinet Ltd.", "FortiGate"),
    ("O=Palo Alto Networks, CN=Forward Trust CA", "Palo Alto"),
    (
        "C=US, ST=California, O=Zscaler Inc., OU=Zscaler Inc., CN=Zscaler Intermediate Root CA (zscaler.net)",
        "Zscaler",
    ),
    ("O=Cisco, CN=Cisco Umbrella Root CA", "Cisco"),
    ("O=Check Point, CN=gateway VPN Certificate", "Check Point"),
    ("C=US, O=Blue Coat SG200, CN=192.0.2.1", "Blue Coat"),
    ("C=US, O=Netskope Inc., CN=ca.example.goskope.com", "Netskope"),
    ("CN=squid proxy CA, O=Example", "Squid"),
    ("O=SonicWall, CN=SonicWall Firewall DPI-SSL", "SonicWall"),
    ("CN=mitmproxy, O=mitmproxy", "mitmproxy"),
]


@pytest.mark.parametrize(("issuer", "product"), INSPECTED)
@pytest.mark.parametrize("length", [0, 1, 2])
def test_who_opens_tls_on_the_way_is_named_and_not_to_be_trusted(
    issuer: str, product: str, length: int
) -> None:
    certificate = GOOD._replace(issuer=issuer)
    chain = UNKNOWN_ISSUER._replace(length=length)
    (problem, *_others) = problems(certificate, GOOD.dns_names[0], NOW, 0, chain)
    assert problem.verdict == "certificate_untrusted"
    assert issuer[:100] in problem.words
    assert product in problem.words
    said = advice(problem, certificate, chain)
    assert product in said
    assert "nstall" not in said
    assert "ca_path" not in said


@pytest.mark.parametrize(
    "issuer",
    [
        "C=US, O=Let's Encrypt, CN=R10",
        "C=US, O=DigiCert Inc, CN=DigiCert TLS RSA SHA256 2020 CA1",
        "C=US, O=Symantec Corporation, OU=Symantec Trust Network, CN=Symantec Class 3 Secure Server CA - G4",
        "C=US, O=Cisco Systems, CN=HydrantID",
        "O=Fortinet, OU=FortiMail, CN=FortiMail",
        "O=Example Ltd, CN=Example Internal CA",
        "CN=Besetzt CA",
    ],
)
def test_an_authority_that_issues_for_servers_is_no_inspection(issuer: str) -> None:
    assert inspector(GOOD._replace(issuer=issuer)) == ""
    (problem, *_others) = problems(GOOD._replace(issuer=issuer), GOOD.dns_names[0], NOW, 0, UNKNOWN_ISSUER)
    assert issuer in problem.words


def test_advice_tells_a_missing_intermediate_from_an_unknown_authority() -> None:
    untrusted = Problem("certificate_untrusted", "")
    assert "intermediate" in advice(untrusted, GOOD, UNKNOWN_ISSUER)
    assert advice(untrusted, GOOD, UNKNOWN_ISSUER._replace(length=3)) == ""
    of_unknown_length = advice(untrusted, GOOD, UNKNOWN_ISSUER._replace(length=0))
    assert "intermediate" in of_unknown_length
    assert "ca_path" in of_unknown_length
    assert "ca_path" in advice(untrusted, GOOD._replace(self_issued=True), SELF_SIGNED)
    assert advice(Problem("certificate_expired", ""), GOOD, EXPIRED) == ""
    assert "package is ca-certificates" in advice(untrusted, GOOD, UNKNOWN_ISSUER._replace(authorities=False))


@pytest.mark.parametrize(
    ("code", "message"), [(26, "unsuitable certificate purpose"), (66, "EE certificate key too weak")]
)
@pytest.mark.parametrize("length", [0, 1, 3])
def test_not_every_fault_of_a_chain_is_one_of_trust(code: int, message: str, length: int) -> None:
    chain = ChainError(code, message, length)
    (problem,) = problems(GOOD, "mx", NOW, 0, chain)
    assert problem.verdict == "certificate_untrusted"
    assert message in problem.words
    assert "authority" not in problem.words
    assert "ca_path" not in advice(problem, GOOD, chain)
    assert "another certificate" in advice(problem, GOOD, chain)


def test_verdict_of_the_chain_alone() -> None:
    assert [verdict_of(chain) for chain in (EXPIRED, EARLY, SELF_SIGNED)] == [
        "certificate_expired", "certificate_not_yet_valid", "certificate_untrusted",
    ]  # fmt: skip


def test_as_dict() -> None:
    shown = as_dict(decode(der("good")), [Problem("certificate_mismatch", "")], NOW)
    assert shown["not_before"] == "2020-01-01T00:00:00Z"
    assert shown["not_after"] == "9999-12-31T00:00:00Z"
    assert shown["days_left"] == 2912062
    assert shown["problems"] == ["certificate_mismatch"]
    empty = as_dict(Certificate(), [], NOW)
    assert empty["not_after"] is None
    assert empty["days_left"] is None


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-62135596800, "0001-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (253402300799, "9999-12-31T23:59:59Z"),
    ],
)
def test_dates_far_away(seconds: int, shown: str) -> None:
    certificate = GOOD._replace(not_before=seconds, not_after=seconds)
    assert [as_dict(certificate, [], NOW)[key] for key in ("not_before", "not_after")] == [shown, shown]


def test_hostile_words_are_escaped_and_bounded() -> None:
    names = b"".join(tlv(0x82, b"\x1b[31m%d" % number) for number in range(3000))
    certificate = decode(forged(names, attribute(COMMON_NAME, "a\u202e\x00b".encode() * 500)))
    shown = as_dict(certificate, [], NOW)
    assert len(shown["names"]) == 100
    assert len(shown["subject"]) < 400
    assert all(text.isprintable() for text in [shown["subject"], *shown["names"]])
    assert problems(certificate, "mx", NOW)[0].words.isprintable()


@pytest.mark.parametrize(
    ("encoded", "seconds"),
    [
        (tlv(0x17, b"491231235959Z"), 2524607999),
        (tlv(0x17, b"500101000000Z"), -631152000),
        (tlv(0x18, b"20500101000000Z"), 2524608000),
        (tlv(0x18, b"99991231235959Z"), 253402300799),
        (tlv(0x18, b"00010101000000Z"), -62135596800),
        (tlv(0x17, b"4912312359Z"), None),
        (tlv(0x17, b"491231235959+0000"), None),
        (tlv(0x18, b"20500101000000.5Z"), None),
        (tlv(0x18, b"00000101000000Z"), None),
        (tlv(0x17, b"491331235959Z"), None),
        (tlv(0x17, b"49123123595\xb2Z"), None),
        (tlv(0x17, b"-91231235959Z"), None),
        (tlv(0x16, b"491231235959Z"), None),
        (tlv(0x17), None),
        (b"", None),
    ],
)
def test_dates(encoded: bytes, seconds: int | None) -> None:
    certificate = decode(forged(after=encoded))
    assert certificate.not_after == seconds
    as_dict(certificate, [], NOW)


@pytest.mark.parametrize(
    ("tag", "text", "shown"),
    [
        (0x0C, "grün".encode(), "CN=grün"),
        (0x13, b"plain", "CN=plain"),
        (0x14, b"gr\xfcn", "CN=grün"),
        (0x1E, "grün".encode("utf-16-be"), "CN=grün"),
        (0x1C, "grün".encode("utf-32-be"), "CN=grün"),
        (0x0C, b"\xff", "CN=\\xff"),
        (0x1E, b"\xd8\x00", "CN=\\xd8\\x00"),
        (0x1E, b"\x00", "CN=\\x00"),
    ],
)
def test_texts(tag: int, text: bytes, shown: str) -> None:
    assert decode(forged(subject=attribute(COMMON_NAME, text, tag))).subject == shown


def test_unknown_attributes_keep_their_number() -> None:
    assert decode(forged(subject=attribute(b"\x2a\x03\x81\x00", b"x"))).subject == "1.2.3.128=x"
    assert decode(forged(subject=attribute(b"", b"x"))).subject == "?=x"
    assert decode(forged(subject=attribute(b"\xff" * 90, b"x"))).subject == "?=x"
    assert decode(forged(subject=attribute(b"\x88\x37", b"x"))).subject == "2.999=x"


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x85\x01\x00\x00\x00\x00",
        b"\x30\xff" + b"\x01" * 200,
        b"\x30\x82\x10\x00" * 1000,
        forged(b"\x82\x7f"),
        forged(tlv(0x87, b"123")),
        forged(tlv(0x87, b"1" * 16)),
        forged(subject=b"\x31\x05\x30\x03\x06\x01"),
        forged(before=b"", after=b""),
        tlv(0x30, tlv(0x30, *[tlv(0x02, b"\x01")] * 7)),
        tlv(0x30, tlv(0x30, *[tlv(0x30)] * 7)),
    ],
    ids=lambda hostile: repr(hostile[:8]),
)
def test_hostile_certificates(hostile: bytes) -> None:
    certificate = decode(hostile)
    assert not matches(certificate, "mx.example.com")
    as_dict(certificate, problems(certificate, "mx.example.com", NOW, 30), NOW)


@hypothesis_settings(max_examples=300)
@given(
    st.sampled_from(["good", "self_signed", "ca"]),
    st.integers(0, 700),
    st.binary(max_size=4),
    st.integers(0, 700),
)
@example("good", 0, b"", 0)
def test_damaged_certificates(file: str, position: int, patch: bytes, end: int) -> None:
    data = der(file)
    damaged = (data[:position] + patch + data[position + len(patch) :])[: len(data) - min(end, 20)]
    certificate = decode(damaged)
    shown = as_dict(certificate, problems(certificate, "mx.example.com", NOW, 30), NOW)
    assert all(name.isprintable() for name in shown["names"])


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    certificate = decode(data)
    as_dict(certificate, problems(certificate, "mx", NOW, 30, UNKNOWN_ISSUER), NOW)
