"""Where the fuzzer begins: real dialogues, written by hand, and the certificates of the unit tests.

    python seeds.py DIRECTORY      writes DIRECTORY/TARGET/seed-N for each target

Rule of this file: a seed shows the fuzzer a state that it would hardly find alone, and checks nothing.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ssl
import sys
from pathlib import Path

from ansible_collections.mailops.smtp.tests.fuzz.targets import header
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._smtp.servers import DATA

CUT = b"\xff|"
GREETING = b"220 mail.example.test ESMTP Postfix\r\n"
EHLO = b"250-mail.example.test\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n250 8BITMIME\r\n"
EHLO_TLS = b"250-mail.example.test\r\n250-AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2\r\n250 SMTPUTF8\r\n"
GO, OK, BYE = b"220 2.0.0 Ready to start TLS\r\n", b"250 2.1.0 Ok\r\n", b"221 2.0.0 Bye\r\n"
BEGIN = CUT.join([GREETING, EHLO, GO])
ENVELOPE, EXPIRING = 2, 0x10
CODES = [b"220", *[b"250"] * 5]


def dialogue(*said: bytes) -> bytes:
    return CUT.join(said)


# The first byte says how the stream is cut.
REPLIES = [
    b"\0" + GREETING,
    b"\7" + EHLO,
    b"\0220-one\n220-two\n220 three\n250 next\r\n250\r\n",
    b"\0250-x\xffR\xff",
    b"\0250-a\r\n\xffR\xff",
    b"\0250-" + b"x" * 60 + b"\xffR\x46\r\n250 y\r\n",
    b"\0220 \xe2\x80\xae \x1b[31m\r\n",
    b"\0354 a\r\n451-4.7.1 b\r\n451 c\r\n",
]
CLEAR = [
    header() + dialogue(GREETING, EHLO, b"454 4.7.0 TLS not available\r\n", BYE),
    header() + dialogue(GREETING, EHLO, GO + b"250 injected\r\n"),
    header() + dialogue(GREETING, EHLO, GO, b"500 5.5.1 what\r\n"),
    header() + dialogue(GREETING, EHLO, GO, b"\x15\x03\x01\x00\x02\x02\x46"),
    header() + dialogue(GREETING, b"250-mx\r\n250-XXXXXXXA\r\n250 SIZE\r\n", BYE),
    header() + dialogue(GREETING, b"250-mx\r\n250 SIZE\r\n", b"220 go\r\n"),
    header() + dialogue(GREETING, b"250 mx\r\n", b"502 5.5.1 no\r\n", BYE),
    header() + dialogue(b"220 ****************\r\n", b"500 no\r\n", BYE),
    header() + b"554 5.7.1 listed\r\n",
    header() + b"421 busy\r\n",
    header() + b"SSH-2.0-OpenSSH_9.2\r\n",
    header() + b"HTTP/1.1 400 Bad Request\r\n",
    header() + b"\x15\x03\x01\x00\x02\x02\x46",
    header() + b"220 FTP server\r\n\xff|530 USER\r\n",
    header() + b"\xffS",
    header() + b"220 mx\xffX",
    header("implicit") + b"\xffX",
    header("implicit") + GREETING,
    header("implicit") + b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03",
    header("opportunistic", more=ENVELOPE) + dialogue(GREETING, b"250 mx\r\n", OK, OK, OK, BYE),
    header("opportunistic") + dialogue(GREETING, EHLO, b"454 no\r\n", BYE),
    header("none", more=ENVELOPE) + dialogue(GREETING, b"502 no\r\n", OK, OK, b"450 wait\r\n", BYE),
    header("none", more=3) + dialogue(GREETING, b"250-mx\r\n250 SMTPUTF8\r\n", b"550 no\r\n", BYE),
    header("none", credentials=1) + dialogue(GREETING, EHLO_TLS, BYE),
    header("none") + GREETING + b"250-" + b"x" * 60 + b"\r\n\xffR\xff",
    header("none", more=ENVELOPE)
    + b"".join(code + b"-" + b"x" * 250 + b"\r\n\xffR\xff" + CUT + code + b" x\r\n" + CUT for code in CODES),
    header(credentials=7) + dialogue(GREETING, EHLO, GO),
    b"\xc0" + header()[1:] + dialogue(GREETING, EHLO, GO + b"250 ok\r\n"),
    b"\x82" + header()[1:] + dialogue(GREETING, EHLO, BYE),
]
TLS = [
    header() + dialogue(BEGIN, EHLO_TLS, BYE),
    header("implicit") + dialogue(GREETING, EHLO_TLS, BYE),
    header("opportunistic", certificate="other_name") + dialogue(BEGIN, EHLO_TLS, BYE),
    header(newest=1) + dialogue(BEGIN, EHLO_TLS, BYE),
    header(newest=2) + BEGIN,
    header() + dialogue(BEGIN, EHLO_TLS, b"\xffN"),
    header(newest=1) + dialogue(BEGIN, b"\xffB"),
    header(more=EXPIRING) + dialogue(BEGIN, EHLO_TLS, BYE),
    header(credentials=4) + dialogue(BEGIN, b"250-mx\r\n250 AUTH PLAIN\r\n", BYE),
    *(
        header(certificate=certificate) + dialogue(BEGIN, BYE)
        for certificate in ("common_name", "expired", "early", "self_signed", "stranger")
    ),
    header(credentials=1, certificate="other_name") + dialogue(BEGIN, EHLO_TLS, b"235 ok\r\n", BYE),
    header(credentials=1, more=ENVELOPE)
    + dialogue(BEGIN, EHLO_TLS, b"334 PDEuMkBtYWlsPg==\r\n", b"235 2.7.0 ok\r\n", OK, OK, OK, BYE),
    header(credentials=2) + dialogue(BEGIN, EHLO_TLS, b"535 5.7.8 no\r\n", BYE),
    header(credentials=3)
    + dialogue(BEGIN, EHLO_TLS, b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n", b"235 ok\r\n", BYE),
    header(credentials=5)
    + dialogue(BEGIN, EHLO_TLS, b"334 eyJzdGF0dXMiOiI0MDEifQ==\r\n", b"535 no\r\n", BYE),
    header(credentials=6) + dialogue(BEGIN, EHLO_TLS, b"334 \r\n", b"454 later\r\n", BYE),
    header(credentials=1) + dialogue(BEGIN, b"250-mx\r\n250 AUTH=GSSAPI XOAUTH2\r\n", BYE),
    header(credentials=1) + dialogue(BEGIN, b"250 mx\r\n", BYE),
    header(credentials=2) + dialogue(BEGIN, EHLO_TLS, b"504 unknown\r\n", BYE),
    header(credentials=2) + dialogue(BEGIN, EHLO_TLS, b"535 Mar.ker/7+Mar.ker is wrong\r\n", BYE),
    header(credentials=7) + dialogue(BEGIN, EHLO_TLS, b"334 PDEuMkBtYWlsPg==\r\n", b"235 ok\r\n", BYE),
    header(more=ENVELOPE) + dialogue(BEGIN, EHLO_TLS, OK, b"550 5.1.1 unknown\r\n", BYE),
    header(flip=b"\x00\x80\x01") + dialogue(BEGIN, EHLO_TLS, BYE),
    header("implicit", newest=1, flip=b"\x01\x00\x01") + dialogue(GREETING, EHLO_TLS, BYE),
    b"\xc0" + header()[1:] + dialogue(BEGIN, OK, BYE),
    b"\x20" + header(certificate="stranger")[1:] + dialogue(BEGIN, EHLO_TLS, BYE),
]


def certificates() -> list[bytes]:
    pems = [path.read_text() for path in sorted(DATA.glob("*.pem"))]
    ders = [ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERT") :]) for pem in pems]
    # A Kelvin sign, whose lower case is the letter k.
    ders += [der.replace(b"mail.example.test", b"\xe2\x84\xaax.example.test") for der in ders[-1:]]
    return [bytes([number % 8, 90]) + der for number, der in enumerate(ders)]


SEEDS = {"reply": REPLIES, "clear": CLEAR, "tls": TLS, "certificate": certificates()}


def main() -> None:
    for target, inputs in SEEDS.items():
        directory = Path(sys.argv[1]) / target
        directory.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(inputs):
            (directory / f"seed-{number}").write_bytes(data)


if __name__ == "__main__":
    main()
