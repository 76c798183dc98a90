"""What the fuzzer runs: each target takes any bytes, drives the probe's core with them, and checks what must hold.

Rules of this file: no socket, no clock, no fuzzer. The same bytes do the same, except for the random numbers of TLS, so
that whatever the fuzzer finds is replayed by the unit tests, on every Python.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import re
import ssl
from binascii import b2a_base64
from typing import Callable, Iterator, NamedTuple

from ansible_collections.mailops.smtp.plugins.module_utils._smtp import certificate as certificates
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.certificate import ChainError
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import Credentials, Endpoint
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.reply import (
    MAX_LINE,
    MAX_LINES,
    MAX_REPLY,
    Reply,
    ReplyError,
    ReplyReader,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.session import (
    MAX_RECEIVED,
    PipeliningCheck,
    Session,
    Settings,
    State,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import STAGES, TIMINGS, VERDICTS
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._smtp.servers import (
    NAME,
    NOW,
    POLICY,
    server_context,
)

# As much as the engine hands over at once.
CHUNK = 16384
# A script with repetitions does not grow beyond this, which is more than a session takes.
MAX_SCRIPT = MAX_RECEIVED + 65536
# Of one text, and of all texts of a session together.
MAX_TEXT, MAX_TEXTS = 1500, 262144
MAX_SENT = 65536

PASSWORD = "Mar.ker/7+Mar.ker"


# The script of a server: bytes that it sends, with escapes that begin with 0xFF.

CUT, END, LOST, EXPIRE, SILENCE, NOTIFY, BREAK = b"|", b"E", b"L", b"X", b"S", b"N", b"B"
REPEAT = ord("R")


class Step(NamedTuple):
    """``kind`` is one of the escapes; ``data`` is there for CUT: what arrives at once."""

    kind: bytes
    data: bytes = b""


def steps(script: bytes, limit: int = MAX_SCRIPT) -> Iterator[Step]:
    """``FF |`` ends a part, ``FF R n`` repeats it n times; ``FF FF`` is FF. Events:

    E the stream ends, L the connection is lost, X time is up, S another connection spoke TLS; and under TLS, N the
    server says close_notify, B it sends a record that cannot be decrypted.
    """
    part = bytearray()
    position = total = 0
    while position < len(script):
        byte = script[position]
        position += 1
        escape = script[position : position + 1]
        if byte != 0xFF or not escape:
            part.append(byte)
            continue
        position += 1
        if escape in (CUT, END, LOST, EXPIRE, SILENCE, NOTIFY, BREAK):
            if part:
                yield Step(CUT, bytes(part))
                total += len(part)
                part.clear()
            if escape != CUT:
                yield Step(escape)
        elif escape[0] == REPEAT and position < len(script):
            times = script[position]
            position += 1
            room = max(0, limit - total)
            if part:
                part = (part * min(times, room // len(part) + 1))[:room]
        else:
            part += escape
    if part:
        yield Step(CUT, bytes(part))


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """The data cut at every ``size`` bytes; what is long, into fewer pieces, for the sake of speed."""
    size = max(size, len(data) // 1000)
    for position in range(0, len(data), size):
        yield data[position : position + size]


def require(condition: object, *found: object) -> None:
    """An assertion that also stands where assertions are switched off."""
    if not condition:
        raise AssertionError(repr(found)[:2000])


# Target 1: replies


def reply(data: bytes) -> None:
    """A stream is read as the same replies wherever it is cut, and as a plain parser of the whole reads it."""
    parts = [step.data for step in steps(data[1:], MAX_REPLY + CHUNK)]
    stream = b"".join(parts)
    size = (data[0] if data else 0) + 1
    whole = _read(pieces(stream, CHUNK))
    require(_read(pieces(stream, size)) == whole, "cut", size)
    require(_read(iter(parts)) == whole, "parts")
    replies, problem, foreign = whole
    known = _plainly(stream)
    # The plain parser looks at whole lines; what is wrong with an unfinished line is known before it ends.
    require(replies == known[: len(replies)] and (len(replies) == len(known) or problem), replies, known)
    for each in set(replies):
        require(200 <= each.code <= 599 and 1 <= len(each.lines) <= MAX_LINES, each)
        require(sum(map(len, each.lines)) <= MAX_REPLY + MAX_LINE, each)
        require(str(each).isprintable() and len(str(each)) <= MAX_TEXT, each)
    require(not foreign or problem)


def _read(parts: Iterator[bytes]) -> tuple[list[Reply], str, bool]:
    reader = ReplyReader()
    replies: list[Reply] = []
    for part in parts:
        reader.feed(part)
        try:
            while True:
                one = reader.next_reply()
                if one is None:
                    break
                replies.append(one)
        except ReplyError as error:
            require(len(error.seen) <= MAX_LINE, len(error.seen))
            return replies, error.problem, error.foreign
        require(len(reader.pending) <= MAX_LINE, len(reader.pending))
    return replies, "", False


_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?\Z", re.DOTALL)


def _plainly(stream: bytes) -> list[Reply]:
    """The replies at the beginning of a stream, without regard to limits of size."""
    replies = []
    lines: list[bytes] = []
    codes = set()
    for raw in stream.split(b"\n")[:-1]:
        match = _LINE.match(raw[:-1] if raw.endswith(b"\r") else raw)
        if match is None:
            break
        codes.add(match.group(1))
        if len(codes) > 1:
            break
        lines.append(match.group(3) or b"")
        if match.group(2) != b"-":
            replies.append(Reply(int(match.group(1)), tuple(lines)))
            lines, codes = [], set()
    return replies


# Targets 2 and 3: sessions, in clear and under TLS

MODES = ("starttls", "implicit", "opportunistic", "none")
CREDENTIALS = (
    None,
    Credentials("user", PASSWORD),
    Credentials("user", PASSWORD, "plain"),
    Credentials("user", PASSWORD, "login"),
    Credentials("user", PASSWORD, "cram-md5"),
    Credentials("user", PASSWORD, "xoauth2"),
    Credentials("user", "ya29." + PASSWORD * 40),
    # The letter that begins and ends the keyword on which most depends.
    Credentials("user", "S"),
)
ENVELOPES = ((None, None), ("", None), ("a@example.test", "b@example.test"), ("\u00fc@example.test", None))
# Each with what OpenSSL finds wrong with its chain.
CERTIFICATES = (
    "good",
    "common_name",
    "other_name",
    "expired",
    "early",
    "self_signed",
    "stranger",
    "self_signed_expired_other_name",
)
TRUSTWORTHY = ("good", "common_name")
NEWEST = (None, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_3)
ENDINGS = (END, LOST, EXPIRE, END)
HEADER = 7


class Case(NamedTuple):
    """The first bytes of the input: how the client is set, and what kind of server meets it."""

    mode: str
    credentials: Credentials | None
    validate_certs: bool
    check: bool
    plain: bool
    envelope: tuple[str | None, str | None]
    ending: bytes
    min_days: int
    literal: bool
    certificate: str
    newest: ssl.TLSVersion | None
    size: int
    flip_at: int
    flip: int
    script: tuple[Step, ...]


def case_of(data: bytes) -> Case:
    client, more, server, size, high, low, flip = data[:HEADER].ljust(HEADER, b"\0")
    return Case(
        mode=MODES[client & 3],
        credentials=CREDENTIALS[client >> 2 & 7],
        validate_certs=not client & 0x20,
        check=client & 0xC0 == 0xC0,
        plain=client & 0xC0 == 0x80,
        envelope=ENVELOPES[more & 3],
        ending=ENDINGS[more >> 2 & 3],
        min_days=9999999 if more & 0x10 else 0,
        literal=bool(more & 0x20),
        certificate=CERTIFICATES[server & 7],
        newest=NEWEST[server >> 3 & 3],
        size=size + 1,
        flip_at=high << 8 | low,
        flip=flip,
        script=tuple(steps(data[HEADER:])),
    )


def header(
    mode: str = "starttls",
    credentials: int = 0,
    more: int = 0,
    certificate: str = "good",
    newest: int = 0,
    size: int = 0,
    flip: bytes = b"\0\0\0",
) -> bytes:
    """The bytes that case_of() takes apart; ``more`` is the second one."""
    first = MODES.index(mode) | credentials << 2
    return bytes([first, more, CERTIFICATES.index(certificate) | newest << 3, size]) + flip


def clear(data: bytes) -> None:
    """A server that sends what the script says, and knows nothing of TLS."""
    _session(case_of(data), tls=False)


def tls(data: bytes) -> None:
    """The same, and when TLS is to begin, real TLS begins, and what the script says goes on inside."""
    _session(case_of(data), tls=True)


def _session(case: Case, tls: bool) -> None:
    whole = _judged(case, tls, CHUNK)
    total = sum(len(step.data) for step in case.script)
    if case.flip or total > MAX_RECEIVED // 2:
        return  # what a flipped bit hits, and where the limit is met, is not the same twice
    _same(whole, _judged(case, tls, case.size), "cut", case.size)
    if case.credentials is CREDENTIALS[-1]:
        _same(whole, _judged(case._replace(credentials=CREDENTIALS[1]), tls, CHUNK), "password")


def _same(one: Session, other: Session, *why: object) -> None:
    first, second = (each.outcome and (each.outcome.verdict, each.outcome.stage) for each in (one, other))
    require(first == second, why, one.outcome, other.outcome)


def _judged(case: Case, tls: bool, size: int) -> Session:
    client = Dialogue(case, tls, size).run()
    if client.chain_error is not None:
        # The second connection, which looks at what the first did not trust.
        Dialogue(case, tls, size, client.chain_error).run()
    return client


class Dialogue:
    """One session with the scripted server, and what must hold in it and at its end."""

    def __init__(self, case: Case, tls: bool, size: int, chain: ChainError | None = None) -> None:
        self.case = case
        self.size = size
        self.wire = bytearray()  # all that the client sent, as it went out
        self.plaintext = bytearray()  # of that, what a TLS server could read
        self._wants_tls = tls
        self._tls: ssl.SSLObject | None = None
        self._shaken = False
        self._unread = 0
        self._flip_at = case.flip_at
        mail_from, rcpt_to = case.envelope
        settings = Settings(
            "client.example.test", NOW, case.validate_certs, case.min_days, "1.2", mail_from, rcpt_to
        )
        host = "127.0.0.1" if case.literal else NAME
        endpoint = Endpoint(host, 587, case.mode, None, None if case.check else case.credentials)
        self.client: Session
        if case.check:
            self.client = PipeliningCheck(endpoint, settings, POLICY.context, chain)
        else:
            plain = "of a reason" if case.plain and case.mode == "opportunistic" else ""
            self.client = Session(endpoint, settings, POLICY.context, chain, plain)

    def run(self) -> Session:
        client = self.client
        client.begin()
        self._take()
        self._react()
        for step in self.case.script:
            if step.kind == CUT:
                self._say(step.data)
            elif step.kind in (NOTIFY, BREAK):
                self._stop(step.kind)
            else:
                self._happen(step.kind)
            if client.closed:
                break
        if not client.closed:
            self._happen(self.case.ending)
        require(client.closed, "open at the end")
        self._check_end()
        return client

    # The server's side

    def _say(self, data: bytes) -> None:
        if self._tls is not None and self._shaken:
            with contextlib.suppress(ssl.SSLError):
                self._tls.write(data)
        else:
            self._deliver(data)
        self._react()

    def _stop(self, kind: bytes) -> None:
        if self._tls is None or not self._shaken:
            return
        if kind == BREAK:
            self._deliver(b"\x17\x03\x03\x00\x20" + bytes(32))
        else:
            with contextlib.suppress(OSError):
                self._tls.unwrap()
            self._deliver(self._outgoing.read())
        # A length that was flipped may have the client wait for the rest of a longer record.
        intact = not self.case.flip or self._flip_at >= 0
        require(self.client.closed or not intact, "open after", kind)

    def _react(self) -> None:
        """Let the TLS server read what the client sent, and send what it has, until neither has any more."""
        for _turn in range(12):
            if self._tls is None:
                hello = self.wire.find(b"\x16\x03\x01", self._unread)
                if not self._wants_tls or self.client.state is not State.HANDSHAKE or hello < 0:
                    return
                self._unread = hello
                self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                context = server_context(self.case.certificate, self.case.newest)
                self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
            self._incoming.write(bytes(self.wire[self._unread :]))
            self._unread = len(self.wire)
            with contextlib.suppress(ssl.SSLError):
                if not self._shaken:
                    self._tls.do_handshake()
                    self._shaken = True
                while True:
                    plaintext = self._tls.read(CHUNK)
                    if not plaintext:
                        break
                    self.plaintext += plaintext
            data = self._outgoing.read()
            if not data or self.client.closed:
                return
            self._deliver(self._flipped(data))

    def _flipped(self, data: bytes) -> bytes:
        here, self._flip_at = self._flip_at, self._flip_at - len(data)
        if self.case.flip and 0 <= here < len(data):
            return data[:here] + bytes([data[here] ^ self.case.flip]) + data[here + 1 :]
        return data

    def _deliver(self, data: bytes) -> None:
        for piece in pieces(data, self.size):
            if self.client.closed:
                return
            before = self.client.outcome
            self.client.receive(piece)
            self._take()
            self._check_step(before)

    def _happen(self, kind: bytes) -> None:
        before = self.client.outcome
        if kind == END:
            self.client.receive(b"")
        elif kind == LOST:
            self.client.lost("Connection reset by peer")
        elif kind == EXPIRE:
            self.client.expire(5.0)
        elif not self.client.silent:
            return  # only of a silent server does the engine find out by another connection
        else:
            self.client.speaks_tls()
        require(self.client.closed, "open after", kind)
        self._take()
        self._check_step(before)

    # What must hold

    def _take(self) -> None:
        self.wire += self.client.take()

    def _check_step(self, before: object) -> None:
        client = self.client
        if before is not None and client.outcome is not before:
            # The one verdict that a later reply makes more precise.
            require(client.outcome is not None and client.outcome.verdict == "starttls_stripped", before)
        require(len(client._reader.pending) <= MAX_LINE + CHUNK, "pending")
        require(client._received <= MAX_RECEIVED + CHUNK, "received")
        for event in client.events():
            require(event.name in (*TIMINGS, "settled"), event)

    def _check_end(self) -> None:
        client, case = self.client, self.case
        outcome = client.outcome
        if case.check:
            require(outcome is None or outcome.verdict == "starttls_injection", outcome)
        else:
            require(outcome is not None, "no outcome")
        if outcome is not None:
            require(outcome.verdict in VERDICTS and outcome.stage in STAGES, outcome)
            require(outcome.reason.endswith("."), outcome)
            if outcome.verdict == "ok" and case.mode in ("starttls", "implicit"):
                require(
                    self._shaken and client.tls_version in ("TLSv1.2", "TLSv1.3"), outcome, client.tls_version
                )
                require(not case.validate_certs or self._trustworthy(), outcome)
        # Nothing that comes later changes anything.
        client.receive(b"220 late\r\n")
        client.receive(b"")
        client.lost("late")
        client.expire(9.0)
        require(client.outcome is outcome and client.take() == b"", "late")
        self._check_texts()
        self._check_secrets()

    def _trustworthy(self) -> bool:
        return self.case.certificate == "good" or (
            self.case.certificate in TRUSTWORTHY and not self.case.literal
        )

    def _texts(self) -> Iterator[str]:
        client = self.client
        if client.outcome is not None:
            yield client.outcome.reason
            yield client.outcome.advice
        yield client.greeting or ""
        yield from client.capabilities
        yield from client.auth_mechanisms
        yield client.tls_version or ""
        yield client.tls_cipher or ""
        for problem in client.problems:
            yield problem.words
        if client.chain_error is not None:
            yield client.chain_error.message
        if client.certificate is not None:
            for value in certificates.as_dict(client.certificate, client.problems, NOW).values():
                yield str(value)

    def _check_texts(self) -> None:
        texts = list(self._texts())
        for text in texts:
            require(text.isprintable() and len(text) <= MAX_TEXT, len(text), text)
        require(sum(map(len, texts)) <= MAX_TEXTS, sum(map(len, texts)))

    def _check_secrets(self) -> None:
        client, credentials = self.client, self.case.credentials
        require(len(self.wire) <= MAX_SENT, len(self.wire))
        if credentials is None or credentials is CREDENTIALS[-1]:
            return
        forms = _forms(credentials)
        for form in forms:
            require(form not in self.wire, "password in clear", form)
        # The check knows no password; what it shows is one sentence.
        texts = [client.outcome.reason if client.outcome else ""] if self.case.check else self._texts()
        shown = "\n".join(texts).encode("utf-8")
        for form in forms:
            require(form not in shown, "password shown", form)
        if self.case.check or (self.case.validate_certs and not self._trustworthy()):
            require(b"AUTH" not in self.plaintext, "AUTH to a stranger", bytes(self.plaintext))
            for form in forms:
                require(form not in self.plaintext, "password to a stranger", form)


def _forms(credentials: Credentials) -> list[bytes]:
    """The password as a mail client may write it."""
    user, password = credentials.username.encode(), credentials.password.encode()
    return [
        password,
        *(
            b2a_base64(form, newline=False)
            for form in (
                password,
                b"\0" + user + b"\0" + password,
                b"user=" + user + b"\1auth=Bearer " + password + b"\1\1",
            )
        ),
    ]


# Target 4: certificates


def certificate(data: bytes) -> None:
    """Any bytes are read as a certificate, and nothing is granted that they do not hold."""
    settings, der = data[:2].ljust(2, b"\0"), data[2:]
    found = certificates.decode(der)
    chain = (
        None,
        ChainError(9, "certificate is not yet valid", 1),
        ChainError(10, "certificate has expired", 2),
        ChainError(18, "self-signed certificate", 1),
        ChainError(18, "self-signed certificate"),
        ChainError(20, "unable to get local issuer certificate"),
        ChainError(20, "unable to get local issuer certificate", 1),
        ChainError(21, "unable to verify the first certificate", 2),
    )[settings[0] & 7]
    min_days = settings[0] >> 3
    now = settings[1] * 2.0e7
    for name in (NAME, "a.wild.example.test", "kx.example.test", "127.0.0.1", "2001:db8::1", "fe80::1%eth0"):
        problems = certificates.problems(found, name, now, min_days, chain)
        verdicts = [problem.verdict for problem in problems]
        require(verdicts == sorted(verdicts, key=lambda name: VERDICTS[name].gravity), verdicts)
        require(set(verdicts) <= set(VERDICTS), verdicts)
        require(len(set(verdicts)) == len(verdicts), verdicts)
        matched = "certificate_mismatch" not in verdicts
        require(matched is certificates.matches(found, name), name)
        require(not matched or _holds(der, name), "a name that is not there", name, found.names[:9])
        require(
            (found.not_after is not None and found.not_after < now) <= ("certificate_expired" in verdicts)
        )
        require((chain is not None) <= bool(problems))
        for problem in problems:
            _showable(problem.words)
            _showable(certificates.advice(problem, found, chain))
    shown = certificates.as_dict(found, problems, now)
    for text in (shown["subject"], shown["issuer"], *shown["names"]):
        _showable(text)
    require(len(shown["names"]) <= 100, len(shown["names"]))
    for key in ("not_before", "not_after"):
        require(
            shown[key] is None or re.match(r"\d{1,5}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", shown[key]), shown[key]
        )
    require(re.match(r"[0-9a-f]{64}\Z", shown["sha256"]))
    require(all("\0" not in name or name in found.dns_names + found.common_names for name in found.names))


def _showable(text: str) -> None:
    require(text.isprintable() and len(text) <= MAX_TEXT, len(text), text)


# 127.0.0.1, 2001:db8::1 and fe80::1 as they stand in a certificate.
_ADDRESSES = {
    "127.0.0.1": b"\x7f\0\0\1",
    "2001:db8::1": b"\x20\x01\x0d\xb8" + b"\0" * 11 + b"\1",
    "fe80::1%eth0": b"\xfe\x80" + b"\0" * 13 + b"\1",
}


def _holds(der: bytes, name: str) -> bool:
    """Whether the bytes of the name, or those of a wildcard above it, are in there; UTF-16 and 32 have zeros."""
    if name in _ADDRESSES:
        return _ADDRESSES[name] in der
    text = der.replace(b"\0", b"").lower()
    return name.encode() in text or b"*." + name.partition(".")[2].encode() in text


TARGETS: dict[str, Callable[[bytes], None]] = {
    "reply": reply,
    "clear": clear,
    "tls": tls,
    "certificate": certificate,
}
