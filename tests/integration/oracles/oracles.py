"""What swaks, `openssl s_client` and Postfix's posttls-finger find out about a server, in the probe's terms.

Rule of this file: nothing of the probe's code is used here, and what a tool does not say stays None.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, fields
from typing import Callable, Iterable

from certificates import HOST
from namespace import Place
from servers import DOMAIN, PASSWORD, USERNAME, Server

HELO_NAME = "client.oracle.test"

# X509_V_ERR_* of OpenSSL and its words for them.
_CODES = {
    9: "certificate_not_yet_valid",
    10: "certificate_expired",
    62: "certificate_mismatch",
    64: "certificate_mismatch",
}
_WORDS = {
    "certificate is not yet valid": "certificate_not_yet_valid",
    "certificate has expired": "certificate_expired",
}


@dataclass
class Facts:
    greeting: str | None = None
    clear: tuple[str, ...] | None = None
    """What EHLO announces in clear, one "KEYWORD parameters" each, sorted."""
    secure: tuple[str, ...] | None = None
    """The same over TLS."""
    clear_mechanisms: tuple[str, ...] | None = None
    secure_mechanisms: tuple[str, ...] | None = None
    """The AUTH mechanisms among them, each once, sorted."""
    tls_version: str | None = None
    tls_cipher: str | None = None
    sha256: str | None = None
    subject: str | None = None
    issuer: str | None = None
    names: tuple[str, ...] | None = None
    not_before: str | None = None
    not_after: str | None = None
    problems: tuple[str, ...] | None = None
    """What is wrong with the certificate, sorted; empty when it verifies."""
    chain_verified: bool | None = None
    fully_verified: bool | None = None

    def known(self) -> set[str]:
        return {field.name for field in fields(self) if getattr(self, field.name) is not None}


def capabilities(lines: Iterable[str]) -> tuple[str, ...]:
    """Sorted, with the keyword in capitals: keywords have no case (RFC 5321 section 2.4)."""
    words = (line.strip().partition(" ") for line in lines if line.strip())
    return tuple(sorted(f"{keyword.upper()} {parameters}".strip() for keyword, _space, parameters in words))


def mechanisms(announced: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The words of the AUTH lines; "AUTH=PLAIN" is the form of before RFC 2554."""
    if announced is None:
        return None
    lines = (line.replace("=", " ", 1) for line in announced if re.match(r"AUTH[ =]", line))
    return tuple(sorted({word for line in lines for word in line.split()[1:]}))


def name_of(server: Server) -> str:
    return server.server_name or server.host


def certificate_fingerprint(place: Place, server: Server) -> str:
    """SHA-256 of the certificate that a server was configured with."""
    return _fingerprint(_pem((place.root / server.chain[1:]).read_text()) or "")


# ---- swaks


def swaks(place: Place, server: Server) -> Facts:
    text = place.run(
        "swaks", *_swaks_arguments(server), "--quit-after", "EHLO", "--tls-get-peer-cert", "STDOUT"
    ).stdout
    facts = Facts()
    greeting, facts.clear, facts.secure = _conversation(
        (match[1] == "~", match[2], match[3])
        for match in re.finditer(r"^<([-~*])\*?[* ] +(?:(\d{3}[ -]?)(.*))$", text, re.MULTILINE)
    )
    facts.greeting = greeting
    facts.clear_mechanisms, facts.secure_mechanisms = mechanisms(facts.clear), mechanisms(facts.secure)
    if started := re.search(r"^=== TLS started with cipher ([^:]+):([^:]+):", text, re.MULTILINE):
        facts.tls_version, facts.tls_cipher = started[1], started[2]
    if pem := _pem(text.replace("=== ", "")):
        facts.sha256 = _fingerprint(pem)
    pattern = r"peer certificate (passed|failed) CA verification(?: \((.*?)\))?, (passed|failed) host"
    if verified := re.search(pattern, text):
        facts.chain_verified = verified[1] == "passed"
        facts.fully_verified = facts.chain_verified and verified[3] == "passed"
        found = set() if facts.chain_verified else {_WORDS.get(verified[2], "certificate_untrusted")}
        facts.problems = tuple(
            sorted(found | ({"certificate_mismatch"} if verified[3] == "failed" else set()))
        )
    return facts


def _swaks_arguments(server: Server) -> list[str]:
    arguments = ["--server", server.host, "--port", str(server.port), "--ehlo", HELO_NAME, "--timeout", "15"]
    if server.tls != "none":
        arguments += ["--tls" if server.tls == "starttls" else "--tls-on-connect"]
        arguments += ["--tls-ca-path", "/oracle/tls/ca.pem", "--tls-verify-target", name_of(server)]
        if ":" not in server.host and server.host == HOST:
            arguments += ["--tls-sni", name_of(server)]
    return arguments


def swaks_login(place: Place, server: Server, mechanism: str, password: str) -> bool | None:
    """Whether a login succeeds; None when it came to something else than yes or no."""
    login = ["--auth", mechanism.upper(), "--auth-user", USERNAME, "--auth-password", password]
    done = place.run("swaks", *_swaks_arguments(server), *login, "--quit-after", "AUTH")
    return {0: True, 28: False}.get(done.returncode)


def swaks_recipient(place: Place, server: Server, recipient: str) -> bool | None:
    envelope = ["--from", f"sender@{DOMAIN}", "--to", recipient]
    done = place.run("swaks", *_swaks_arguments(server), *envelope, "--quit-after", "RCPT")
    return {0: True, 24: False}.get(done.returncode)


# ---- openssl s_client


def openssl(place: Place, server: Server) -> Facts:
    address = f"[{server.host}]" if ":" in server.host else server.host
    arguments = [
        "-connect",
        f"{address}:{server.port}",
        "-CAfile",
        "/oracle/tls/ca.pem",
        "-showcerts",
        "-crlf",
    ]
    if server.tls == "starttls":
        arguments += ["-starttls", "smtp", "-name", HELO_NAME]
    if server.host == HOST:
        arguments += ["-servername", name_of(server), "-verify_hostname", name_of(server)]
    else:
        arguments += ["-noservername", "-verify_ip", server.host]
    text = place.run("openssl", "s_client", *arguments, input="QUIT\n").stdout
    facts = Facts()
    session = re.search(r"^New, \S+, Cipher is (\S+)$", text, re.MULTILINE)
    if session is None or session[1] == "(NONE)":
        return facts
    if version := re.search(r"^ *Protocol *: (\S+)$", text, re.MULTILINE):
        facts.tls_version, facts.tls_cipher = version[1], session[1]
    if pem := _pem(text):
        facts.sha256 = _fingerprint(pem)
        _read_certificate(place, pem, facts)
    result = re.search(r"^ *Verify return code: (\d+)", text, re.MULTILINE)
    if result:
        found = {int(number) for number in re.findall(r"^verify error:num=(\d+):", text, re.MULTILINE)}
        found |= {int(result[1])} - {0}
        facts.problems = tuple(sorted({_CODES.get(number, "certificate_untrusted") for number in found}))
        facts.chain_verified = not set(facts.problems) - {"certificate_mismatch"}
        facts.fully_verified = not facts.problems
    return facts


def _read_certificate(place: Place, pem: str, facts: Facts) -> None:
    names = "utf8,sep_comma_plus_space"
    text = place.must(
        "openssl", "x509", "-noout", "-subject", "-issuer", "-dates", "-dateopt", "iso_8601", "-nameopt", names,
        "-ext", "subjectAltName", input=pem,
    )  # fmt: skip
    found = dict(
        line.split("=", 1) for line in text.splitlines() if re.match(r"(subject|issuer|not\w+)=", line)
    )
    facts.subject, facts.issuer = found["subject"].strip(), found["issuer"].strip()
    facts.not_before, facts.not_after = (found[key].replace(" ", "T") for key in ("notBefore", "notAfter"))
    entries = re.findall(r"(?:DNS|IP Address):([^\s,]+)", text) or re.findall(r"CN=([^,]+)", facts.subject)
    facts.names = tuple(sorted("::1" if entry == "0:0:0:0:0:0:0:1" else entry for entry in entries))


# ---- posttls-finger


def posttls_finger(place: Place, server: Server) -> Facts:
    arguments = [
        "-h",
        "native",
        "-d",
        "sha256",
        "-L",
        "routine,certmatch,peercert",
        "-o",
        f"myhostname={HELO_NAME}",
    ]
    arguments += ["-l", "secure", "-p", ">=TLSv1.2", "-F", "/oracle/tls/ca.pem"]
    if server.tls == "implicit":
        arguments += ["-w"]
    if server.host == HOST:
        arguments += ["-s", name_of(server)]
    host = f"ipv6:{server.host}" if ":" in server.host else server.host
    text = place.run("posttls-finger", *arguments, f"[{host}]:{server.port}", name_of(server)).stdout
    facts = Facts()
    secure = server.tls == "implicit"
    lines = []
    for line in text.splitlines():
        if line.startswith("posttls-finger: < "):
            reply = line[len("posttls-finger: < ") :]
            lines.append((secure, reply[:4], reply[4:]))
        elif established := re.search(
            r": (\w+) TLS connection established to \S+ (\S+) with cipher (\S+)", line
        ):
            secure = True
            facts.tls_version, facts.tls_cipher = established[2], established[3]
            facts.fully_verified = established[1] == "Verified"
            facts.chain_verified = established[1] in ("Verified", "Trusted")
        if fingerprint := re.search(r"cert fingerprint=([0-9A-F:]+)", line):
            facts.sha256 = fingerprint[1].replace(":", "").lower()
    facts.greeting, facts.clear, facts.secure = _conversation(lines)
    facts.clear_mechanisms, facts.secure_mechanisms = mechanisms(facts.clear), mechanisms(facts.secure)
    return facts


# ---- common


def _conversation(
    lines: Iterable[tuple[bool, str, str]],
) -> tuple[str | None, tuple[str, ...] | None, tuple[str, ...] | None]:
    """The greeting and what EHLO announced in clear and over TLS, from reply lines (over TLS, "250-", text)."""
    greeting: str | None = None
    announced: dict[bool, tuple[str, ...]] = {}
    reply: list[str] = []
    for secure, code, text in lines:
        reply.append(text)
        if code.endswith("-"):
            continue
        if greeting is None:
            greeting = " ".join(filter(None, (part.strip() for part in reply)))
        elif code.startswith("250") and secure not in announced:
            announced[secure] = capabilities(reply[1:])
        reply = []
    return greeting, announced.get(False), announced.get(True)


def _pem(text: str) -> str | None:
    found = re.search(r"-----BEGIN CERTIFICATE-----\n.+?-----END CERTIFICATE-----\n", text, re.DOTALL)
    return found[0] if found else None


def _fingerprint(pem: str) -> str:
    return hashlib.sha256(base64.b64decode("".join(pem.splitlines()[1:-1]))).hexdigest()


ORACLES: dict[str, Callable[[Place, Server], Facts]] = {
    "swaks": swaks,
    "openssl": openssl,
    "posttls-finger": posttls_finger,
}
WRONG_PASSWORD = PASSWORD + " not"
