"""One connection to a mail server, from the greeting to QUIT, as a state machine.

Theory of operation. The caller owns the socket and the clock. It calls begin() when the connection stands, receive()
with what arrives (b"" for the end of the stream), lost() when the connection breaks and expire() when time is up; after
each of them it sends what take() hands out and looks at events(). ``outcome`` is set as soon as the verdict stands. The
QUIT that follows cannot change it, but for one thing: an answer to a STARTTLS that was not offered may turn
``starttls_absent`` into ``starttls_stripped``. ``closed`` says when it is over.

    GREETING -> EHLO -> STARTTLS -> HANDSHAKE -> EHLO -> AUTH -> ENVELOPE -> QUIT -> CLOSED

MESSAGE, between ENVELOPE and QUIT, is submission.py's alone.

Implicit TLS begins at HANDSHAKE. ``state`` is where it stands; a reply is handled by self._expect, the method that
belongs to what was sent last. Each of them either sends the next command or settles the verdict.

Rules of this file: no socket, no clock, no choice of address, no retry; TLS is tls_pipe.py's. Bytes may be cut anywhere
without any difference to the verdict. What a server sends is bounded, and shown only through self._shown(), which
escapes it and removes the password from it. A password goes out in _log_in() and _answer() alone, after the check of
_authenticate() that this connection is encrypted, and verified where that is required. What a refusal means is said in
replies.py, which most hosts never load; _REFUSALS has the sentence for it.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from binascii import a2b_base64
from enum import Enum
from typing import TYPE_CHECKING, Callable, NamedTuple

from . import certificate as certificates
from . import tls_pipe
from .certificate import Certificate, ChainError, Problem
from .endpoint import Endpoint
from .redact import Redactor, b64encode
from .reply import Reply, ReplyError, ReplyReader, printable
from .tls import SHOWS_CHAIN
from .tls_pipe import Broken, InClear, Secured, TlsPipe
from .verdict import VERDICTS

if TYPE_CHECKING:
    from ssl import SSLContext

    from .sasl import Mechanism

# More than the largest honest conversation, certificate chain included, by far.
MAX_RECEIVED = 262144
# RFC 5321 section 4.5.3.1.4; RFC 4954 section 4 forbids an initial response that makes the line longer.
_MAX_COMMAND = 512

# Firewalls overwrite what they do not like with a filler, keeping the length, and letter some of the fillers:
# "250-XXXXXXXA" for STARTTLS, and a greeting of asterisks.
_FILLER = re.compile(r"(?:X{6,}|\*{4,}|#{4,}|-{4,}|\.{4,}|_{4,}|x{6,})[A-Za-z]?\Z")
_MASKED_GREETING = re.compile(rb"\*{8,}")
# From a greeting with nothing else in it Postfix concludes a firewall in front, and says HELO instead of EHLO
# (smtp_pix_workarounds).
_EMPTY_GREETING = re.compile(rb"[20 *\t]*\Z")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}\Z")

# What stands before all that is wrong with a certificate that does not decide.
NOT_VERIFIED = "the certificate is not verified: "

# What the command of a stage is about, as verdicts begin.
_FAMILY = {
    "greeting": "greeting_",
    "ehlo": "ehlo_",
    "starttls": "starttls_",
    "auth": "auth_",
    "sender": "sender_",
    "recipient": "recipient_",
}
# The beginning of the sentence for each refusal that replies.py knows; that of a mechanism always has its own.
_REFUSALS = {
    "greeting_rejected": "The server refuses this client",
    "greeting_deferred": "The server does not take this client now",
    "ehlo_rejected": "The server refuses the name given with EHLO, {helo_name}",
    "ehlo_deferred": "The server does not take the name given with EHLO, {helo_name}, now",
    "starttls_rejected": "The server lists STARTTLS, then refuses it",
    "tls_mode_mismatch": "The server refuses a connection in the clear",
    "auth_rejected": "The server demands a login",
    "auth_deferred": "The server demands a login",
    "sender_rejected": "The server refuses the sender <{mail_from}>",
    "sender_deferred": "The server does not take the sender <{mail_from}> now",
    "recipient_rejected": "The server refuses the recipient <{rcpt_to}>",
    "recipient_deferred": "The server does not take the recipient <{rcpt_to}> now",
}
_RENEW = (
    "Get a new access token for this account, with the scope for SMTP: tokens expire, usually within an hour. Where "
    "it is new, have SMTP allowed for the account."
)


class State(Enum):
    """What a session waits for: each with the stage of a result that it belongs to, and with its name in a sentence."""

    GREETING = ("greeting", "the connection")
    EHLO = ("ehlo", "EHLO")
    STARTTLS = ("tls", "STARTTLS")
    HANDSHAKE = ("tls", "the TLS handshake")
    AUTH = ("auth", "AUTH")
    ENVELOPE = ("envelope", "the envelope")
    MESSAGE = ("envelope", "the message")
    QUIT = ("envelope", "QUIT")
    CLOSED = ("envelope", "nothing")

    def __init__(self, stage: str, awaited: str) -> None:
        self.stage = stage
        self.awaited = awaited


class Settings(NamedTuple):
    """What every session of a probe has in common. ``now`` is in seconds since the epoch."""

    helo_name: str
    now: float = 0.0
    validate_certs: bool = True
    min_days: int = 0
    min_tls_version: str = "1.2"
    mail_from: str | None = None
    rcpt_to: str | None = None
    client_certificate: bool = False
    """Whether there is one to show to a server that asks."""


class SessionOutcome(NamedTuple):
    """A verdict with its reason. ``temporary``: another attempt may end otherwise, whatever the verdict. ``last``:
    there must not be another one, here or at another address."""

    verdict: str
    stage: str
    reason: str
    advice: str = ""
    temporary: bool = False
    last: bool = False


class Event(NamedTuple):
    """A stage has been passed (its name is that in ``timings_ms``), or the verdict stands (``settled``)."""

    name: str


class Session:
    """The ladder of one endpoint over one connection.

    ``context`` gives the SSLContext that verifies the chain (True) or takes any (False), when TLS begins.
    ``chain`` is what a former connection found wrong with the server's chain: this one then takes the chain as
    it is, tells what the certificate holds, and goes on only where verification is not required. Where it is not
    required, any chain is taken from the start: what is wrong with it is a note, and ``unseen`` says that this Python
    cannot tell. ``plain``, where given, is why STARTTLS is left out this time (opportunistic TLS goes on in the clear
    after a failed handshake).

    A second connection that asks something else is a class below that replaces hooks: ``starttls_command``,
    _may_settle(), _after_ehlo(), _on_starttls(), _in_clear(), _judge() and _on_quit().
    """

    starttls_command = b"STARTTLS"
    """What goes out, in one write, to begin TLS."""

    def __init__(
        self,
        endpoint: Endpoint,
        settings: Settings,
        context: Callable[[bool], SSLContext],
        chain: ChainError | None = None,
        plain: str = "",
    ) -> None:
        self.endpoint = endpoint
        self.settings = settings
        self.chain = chain
        self.outcome: SessionOutcome | None = None
        self.state = State.GREETING
        # What was found on the way.
        self.greeting: str | None = None
        self.capabilities: list[str] = []
        self.auth_mechanisms: list[str] = []
        self.auth_mechanism: str | None = None
        """The mechanism that logged in."""
        self.tls_version: str | None = None
        self.tls_cipher: str | None = None
        self.certificate: Certificate | None = None
        self.problems: list[Problem] = []
        self.chain_error: ChainError | None = None
        self.unseen = False

        self._context = context
        self._mode = "none" if plain else endpoint.tls
        self._credentials = endpoint.credentials
        self._name = endpoint.server_name or endpoint.host
        self._redactor = Redactor(endpoint, settings.helo_name)
        self._reader = ReplyReader()
        self._expect: Callable[[Reply], None] = self._on_greeting
        self._output = bytearray()
        self._events: list[Event] = []
        self._received = 0
        self._pipe: TlsPipe | None = None
        self._encrypted = False
        self._held = b""
        """The first byte of a greeting, where it may be that of TLS."""
        self._masked = self._empty = self._foreign = False
        self._notes = ["unencrypted because " + plain] if plain else []
        self._mechanism: Mechanism | None = None
        self._mechanisms: list[Mechanism] = []
        self._answers: list[Callable[[bytes], bytes | None]] = []
        self._hint = ""

    # The caller's side

    def begin(self) -> None:
        """The connection stands."""
        if self._mode == "implicit":
            self._start_tls()

    def receive(self, data: bytes) -> None:
        """Bytes have arrived; none: the server has closed its side."""
        if self.closed:
            return
        if not data:
            self._ended("closed the connection")
            return
        self._received += len(data)
        if self._received > MAX_RECEIVED:
            self._settle("protocol_error", f"The server sent more than {MAX_RECEIVED} bytes")
            self._close()
        elif self._pipe is None:
            self._read(data)
        else:
            self._decrypt(self._pipe, data)

    def lost(self, words: str) -> None:
        """The connection broke (a reset); ``words`` are the system's."""
        if not self.closed:
            self._ended(f"broke the connection ({words})")

    def expire(self, seconds: float) -> None:
        """Time is up: ``seconds`` have passed since the connection stood."""
        if self.outcome is None:
            after = f"within {seconds:.1f} s"
            silent = self._reader.idle and (self.state is State.GREETING or not self._received)
            if silent:
                self._settle("no_greeting", f"Connected, but no greeting arrived {after}", stage="greeting")
            else:
                self._settle(
                    "stalled", f"The server did not finish its answer to {self.state.awaited} {after}"
                )
        self._close()

    def speaks_tls(self) -> None:
        """Another connection has shown that this port speaks TLS from the first byte."""
        self._settle(
            "tls_mode_mismatch",
            "The port expects TLS from the first byte (implicit TLS), not STARTTLS: nothing is said in the clear",
            advice=self._set_tls("implicit"),
        )
        self._close()

    @property
    def closed(self) -> bool:
        return self.state is State.CLOSED

    @property
    def required(self) -> bool:
        """Whether the certificate has to be right."""
        return self.settings.validate_certs and (
            self._mode != "opportunistic" or self._credentials is not None
        )

    def note_chain(self, chain: ChainError) -> None:
        """Another connection has shown what is wrong with the chain of this one, where that does not decide."""
        self.problems = certificates.problems(
            self.certificate or Certificate(), self._name, self.settings.now, self.settings.min_days, chain
        )
        words = " and ".join(each.words for each in self.problems if not VERDICTS[each.verdict].usable)
        if self.outcome is not None and VERDICTS[self.outcome.verdict].usable:
            reason = f"{self.outcome.reason.rstrip('.')}, {NOT_VERIFIED}{words}."
            self.outcome = self.outcome._replace(reason=reason)

    @property
    def silent(self) -> bool:
        """Whether the server has not said anything yet."""
        return not self._received

    @property
    def greets_first(self) -> bool:
        """Whether the server is expected to speak before the client does."""
        return self._mode != "implicit"

    def take(self) -> bytes:
        """The bytes to send now."""
        if self._pipe is not None:
            self._output += self._pipe.take()
        data = bytes(self._output)
        self._output.clear()
        return data

    def events(self) -> list[Event]:
        """What has happened since the last call."""
        events, self._events = self._events, []
        return events

    # Verdicts

    def _settle(
        self, verdict: str, reason: str, stage: str = "", advice: str = "", temporary: bool = False
    ) -> None:
        if self.outcome is not None or not self._may_settle(verdict):
            return
        stage = stage or VERDICTS[verdict].stage or self.state.stage
        self.outcome = SessionOutcome(
            verdict, stage, reason + ".", advice, temporary or VERDICTS[verdict].transient
        )
        self._events.append(Event("settled"))

    def _may_settle(self, _verdict: str) -> bool:
        """Whether the verdict answers what this connection is made for."""
        return True

    def _refuse(self, stage: str, reply: Reply, what: str = "") -> None:
        """Settle for what a refusal means, in the server's own words; ``what`` is refused, unless it means another."""
        from .replies import CLIENT_CERTIFICATE, Situation, interpret

        situation = Situation(self._encrypted, self.auth_mechanism is not None)
        meaning = interpret(stage, reply, situation)
        if not what or not meaning.verdict.startswith(_FAMILY[stage]):
            what = self._refusal(meaning.verdict)
        cause = f" ({meaning.cause})" if meaning.cause else ""
        advice = meaning.advice
        if not advice and meaning.verdict == "auth_rejected" and self._named() == "XOAUTH2":
            advice = _RENEW
        if advice == CLIENT_CERTIFICATE:
            advice = self._about_client_certificate()
        self._settle(
            meaning.verdict,
            f"{what}{cause}: {self._words(reply)}",
            stage=self.state.stage,
            advice=self._filled(advice),
            temporary=reply.severity == 4,
        )

    def _refusal(self, verdict: str) -> str:
        """The beginning of the sentence for a refusal that is not of what was asked for last."""
        settings = self.settings
        return _REFUSALS[verdict].format(
            helo_name=settings.helo_name, mail_from=settings.mail_from or "", rcpt_to=settings.rcpt_to
        )

    def _named(self) -> str:
        """The mechanism in use."""
        return self._mechanism.name if self._mechanism else ""

    def _set_tls(self, mode: str) -> str:
        return f"Set tls to {mode} for port {self.endpoint.port} of {self.endpoint.host}."

    def _ended(self, how: str) -> None:
        if self.outcome is None:
            pipe = self._pipe
            shaking = self.state is State.HANDSHAKE
            if shaking and pipe is not None and pipe.heard:
                asked = pipe.certificate_requested
                self._settle(
                    "tls_failed",
                    f"The server {how} in the TLS handshake"
                    + (", in which it asked for a client certificate" if asked else ""),
                    advice=self._about_client_certificate() if asked else "",
                )
            elif shaking and self._mode != "implicit":
                self._settle("tls_failed", f"The server {how} when TLS was to begin")
            elif shaking or self.state is State.GREETING:
                self._settle("disconnected", f"The server {how} without a greeting", stage="greeting")
            else:
                self._settle(
                    "disconnected",
                    f"The server {how} in answer to {self.state.awaited}",
                    stage=self.state.stage,
                )
        self._close()

    def _filled(self, advice: str) -> str:
        return advice.format(host=self.endpoint.host, port=self.endpoint.port)

    def _about_client_certificate(self) -> str:
        from .replies import CLIENT_CERTIFICATE, REFUSED_CERTIFICATE

        return self._filled(REFUSED_CERTIFICATE if self.settings.client_certificate else CLIENT_CERTIFICATE)

    def _words(self, reply: Reply) -> str:
        return f"{reply.code} {self._shown(reply.text)}".rstrip()

    def _shown(self, text: bytes) -> str:
        return self._redactor.shown(text)

    # The stream

    def _read(self, data: bytes) -> None:
        """Bytes of the SMTP conversation, decrypted where TLS is on."""
        if self.state is State.GREETING and self._reader.idle and not self._encrypted:
            data, self._held = self._held + data, b""
            if data[0] in tls_pipe.TLS_RECORDS:
                if len(data) == 1:
                    self._held = data
                    return
                if data[1] == tls_pipe.TLS_MAJOR:
                    self._settle(
                        "tls_mode_mismatch",
                        "The server speaks TLS from the first byte (implicit TLS), and STARTTLS was expected",
                        advice=self._set_tls("implicit"),
                    )
                    self._close()
                    return
        self._reader.feed(data)
        try:
            while self.state not in (State.HANDSHAKE, State.CLOSED):
                reply = self._reader.next_reply()
                if reply is None:
                    return
                self._expect(reply)
        except ReplyError as error:
            if self.state is State.GREETING and error.foreign:
                self._not_a_mail_server("The first line is not SMTP", error.seen)
            else:
                self._settle("protocol_error", f"The server sent {error.problem}: {self._shown(error.seen)}")
            self._close()

    def _not_a_mail_server(self, what: str, seen: bytes) -> None:
        from .replies import stranger

        known = stranger(seen)
        if known:
            what = f"{known.name[:1].upper()}{known.name[1:]} answers, not a mail server"
        advice = self._filled(known.advice) if known else ""
        self._settle("not_smtp", f"{what}: {self._shown(seen)}", advice=advice)

    def _go(self, state: State) -> None:
        if not self.closed:
            self.state = state

    def _send(self, state: State, command: bytes, expect: Callable[[Reply], None]) -> None:
        self._go(state)
        self._expect = expect
        self._write(command + b"\r\n")

    def _write(self, data: bytes) -> None:
        if self.closed:
            return  # nothing that was meant for TLS goes out in the clear when that is over
        if self._encrypted and self._pipe is not None:
            broken = self._pipe.write(data)
            if broken is not None:
                self._tls_broke(broken)
        else:
            self._output += data

    def _passed(self, stage: str) -> None:
        self._events.append(Event(stage))

    # Greeting and EHLO

    def _on_greeting(self, reply: Reply) -> None:
        self._passed("greeting")
        self.greeting = self._shown(reply.text)
        self._masked = bool(_MASKED_GREETING.search(reply.text))
        self._empty = bool(_EMPTY_GREETING.match(reply.text))
        self._foreign = reply.code != 220
        if reply.severity == 2:  # what speaks SMTP after all shows at EHLO, as in Postfix
            self._send_ehlo("EHLO", self._on_ehlo)
            return
        if reply.severity == 3:
            self._settle("not_smtp", f"The greeting is not SMTP: {self._words(reply)}")
        else:
            self._refuse("greeting", reply, "The server is not ready" if reply.severity == 4 else "")
        self._quit()

    def _send_ehlo(self, verb: str, expect: Callable[[Reply], None]) -> None:
        self._send(State.EHLO, f"{verb} {self.settings.helo_name}".encode("ascii"), expect)

    def _on_ehlo(self, reply: Reply) -> None:
        if reply.severity == 2:
            self._learn(reply)
            self._passed("ehlo")
            self._after_ehlo()
        elif reply.severity == 5 and self._not_smtp(reply):
            self._settle(
                "not_smtp",
                f"Another protocol greets with {self.greeting} and refuses EHLO: {self._words(reply)}",
            )
            self._quit()
        elif reply.code != 421 and self._helo_is_enough():
            self._send_ehlo("HELO", self._on_helo)
        elif self._masked and not self._encrypted and reply.severity == 5:
            self._settle(
                "starttls_stripped",
                "The greeting is masked and EHLO is refused, so STARTTLS cannot be used: "
                + self._words(reply),
            )
            self._quit()
        else:
            self._refuse("ehlo", reply, self._hello("EHLO", reply))
            self._quit()

    def _hello(self, verb: str, reply: Reply) -> str:
        name = self.settings.helo_name
        if reply.severity == 4:
            return f"The server does not take {verb} {name} now"
        return f"The server refuses {verb} {name}"

    def _not_smtp(self, reply: Reply) -> bool:
        """Whether it is another protocol that greets with 2xx, such as NNTP, or with 220 itself, as FTP and LMTP do."""
        words = (self.greeting or "").upper()
        if "LHLO" in str(reply).upper():
            return True
        return "SMTP" not in words and (self._foreign or "FTP" in words or "LMTP" in words)

    def _helo_is_enough(self) -> bool:
        """Without EHLO there is neither STARTTLS nor AUTH, which does where neither is needed."""
        return self._credentials is None and (self._encrypted or self._mode in ("none", "opportunistic"))

    def _on_helo(self, reply: Reply) -> None:
        if reply.severity == 2:
            self._notes.append("the server knows only HELO")
            self._passed("ehlo")
            self._after_ehlo()
        else:
            self._refuse("ehlo", reply, self._hello("EHLO and HELO", reply))
            self._quit()

    def _learn(self, reply: Reply) -> None:
        self.capabilities = []
        mechanisms: list[str] = []
        named = False
        for line in reply.lines:
            keyword, _space, parameters = self._shown(line).strip().partition(" ")
            if not keyword:
                continue
            if not named:  # the first line with words is the server's name, as in Postfix
                named = True
                continue
            keyword = keyword.upper()
            # "AUTH=PLAIN" is the form of before RFC 2554, still sent for old clients; Postfix takes any keyword so.
            if "=" in keyword:
                keyword, _mark, first = keyword.partition("=")
                parameters = first + " " + parameters
            if keyword == "AUTH":
                mechanisms += parameters.upper().split()
            self.capabilities.append((keyword + " " + parameters).strip())
        self.auth_mechanisms = list(dict.fromkeys(mechanisms))

    def _offers(self, keyword: str) -> bool:
        return any(line.split(" ", 1)[0] == keyword for line in self.capabilities)

    def _after_ehlo(self) -> None:
        if self._encrypted or self._mode == "none":
            self._authenticate()
        elif self._offers("STARTTLS") and not self._empty:
            self._send(State.STARTTLS, self.starttls_command, self._on_starttls)
        elif self._mode == "opportunistic" and self._credentials is None:
            trace = self._stripped()
            if self._offers("STARTTLS"):
                note = "the greeting has no text, so Postfix sends HELO and never tries STARTTLS"
            else:
                note = f"STARTTLS was overwritten on the way ({trace})" if trace else "no STARTTLS is offered"
            self._notes.append(note)
            self._authenticate()
        else:
            self._without_starttls()

    # STARTTLS and TLS

    def _stripped(self) -> str:
        """The trace of a middlebox that overwrites STARTTLS, or nothing."""
        for line in self.capabilities:
            keyword = line.split(" ", 1)[0]
            likeness = sum(a == b for a, b in zip(keyword, "STARTTLS"))
            if _FILLER.match(keyword) or "STARTTLS" in keyword or (len(keyword) == 8 and 5 <= likeness < 8):
                return f"the server's list has {keyword}"
        return "the greeting is masked" if self._masked else ""

    def _without_starttls(self) -> None:
        if self._offers("STARTTLS"):
            self._only_helo(
                "starttls_stripped" if "*" in (self.greeting or "") else "starttls_absent", "STARTTLS"
            )
            return
        trace = self._stripped()
        if trace:
            self._settle("starttls_stripped", f"STARTTLS was overwritten on the way: {trace}")
            self._quit()
            return
        self._settle("starttls_absent", f"The server does not offer STARTTLS (it offers {self._listed()})")
        # A middlebox that only removes the line leaves the command working, so ask for what was not offered.
        self._send(State.QUIT, b"STARTTLS", self._on_unoffered_starttls)

    def _only_helo(self, verdict: str, offered: str) -> None:
        self._settle(
            verdict,
            f"The server offers {offered}, but its greeting ({self.greeting or 'a bare code'}) has no text: Postfix "
            f"then sends HELO and never tries {offered} (smtp_pix_workarounds)",
            advice=f"Have the greeting of {self.endpoint.host} left as it is (a firewall's inspection masks it), "
            "or set smtp_pix_workarounds to nothing in Postfix.",
        )
        self._quit()

    def _on_unoffered_starttls(self, reply: Reply) -> None:
        if reply.code == 220:
            self.outcome = None
            self._settle(
                "starttls_stripped",
                "STARTTLS was removed from the server's list on the way: it is not offered, and yet accepted",
            )
            self._close()
        else:
            self._quit()

    def _listed(self) -> str:
        return printable(", ".join(line.split(" ", 1)[0] for line in self.capabilities[:12])) or "nothing"

    def _on_starttls(self, reply: Reply) -> None:
        if reply.severity == 2:
            self._passed("starttls")
            self._go_on_in_tls()
        elif self._mode == "opportunistic" and self._credentials is None and reply.code != 421:
            self._notes.append(f"STARTTLS was offered and refused ({self._words(reply)})")
            self._authenticate()
        elif reply.code in (500, 502):
            self._settle(
                "starttls_stripped",
                f"The server lists STARTTLS, then rejects it as an unknown command: {self._words(reply)}",
            )
            self._quit()
        else:
            self._refuse("starttls", reply)
            self._quit()

    def _go_on_in_tls(self) -> None:
        # What came in one piece with the answer is judged as if it had come later, and never as a reply.
        rest, self._reader = self._reader.pending, ReplyReader()
        self._start_tls()
        if rest and self._pipe is not None:
            self._decrypt(self._pipe, rest)

    def _start_tls(self) -> None:
        self._go(State.HANDSHAKE)
        context = self._context(self.chain is None and self.required)
        self._pipe = TlsPipe(context, self._name, self.settings.min_tls_version)
        self._pump(self._pipe)

    def _decrypt(self, pipe: TlsPipe, data: bytes) -> None:
        pipe.feed(data)
        self._pump(pipe)

    def _pump(self, pipe: TlsPipe) -> None:
        """Deal with all that TLS has."""
        while not self.closed:
            event = pipe.next_event()
            if event is None:
                return
            if isinstance(event, bytes):
                self._read(event) if event else self._ended("closed the connection")
            elif isinstance(event, Secured):
                self._encrypted = True
                self._passed("handshake")
                self._judge(pipe)
            elif isinstance(event, InClear):
                self._in_clear(event)
            else:
                self._tls_broke(event)

    def _tls_broke(self, broken: Broken) -> None:
        if broken.chain is not None:
            self.chain_error = broken.chain
            self._settle(
                certificates.verdict_of(broken.chain),
                f"The certificate cannot be verified: {printable(broken.words)}",
            )
        elif broken.how == tls_pipe.OLD:
            only = f", only {broken.spoken}" if broken.spoken else ""
            self._settle(
                "tls_too_old",
                f"The server has no TLS {self.settings.min_tls_version} or newer{only} ({broken.words})",
            )
        elif broken.how == tls_pipe.CLIENT_CERTIFICATE:
            if self.settings.client_certificate:
                what = "refuses the client certificate of this host"
            else:
                what = "demands a client certificate, and ended TLS without one"
            self._settle(
                "tls_failed", f"The server {what}: {broken.words}", advice=self._about_client_certificate()
            )
        elif broken.how == tls_pipe.HANDSHAKE:
            self._settle("tls_failed", f"The TLS handshake failed: {broken.words}")
        else:
            self._settle("tls_failed", f"TLS broke off: {broken.words}")
        self._close()

    def _in_clear(self, answer: InClear) -> None:
        """The server answers the ClientHello with something that is not TLS."""
        if self._mode != "implicit":
            if answer.first in b"45":
                self._settle(
                    "tls_failed",
                    f"The server agreed to STARTTLS and went on in the clear: {self._shown(answer.data)}",
                )
            else:
                self._settle(
                    "starttls_injection",
                    f"Bytes in the clear follow the answer to STARTTLS: {self._shown(answer.data)}",
                )
        elif answer.first in b"245":
            self._settle(
                "tls_mode_mismatch",
                "The server speaks SMTP in the clear, and TLS was expected from the first byte: "
                + self._shown(answer.data),
                advice=self._set_tls("starttls"),
            )
        else:
            self._not_a_mail_server("The server speaks neither TLS nor SMTP", answer.data)
        self._close()

    def _judge(self, pipe: TlsPipe) -> None:
        """The handshake is done: look at the certificate, and decide whether to go on."""
        settings = self.settings
        self.tls_version, self.tls_cipher = pipe.version, pipe.cipher
        if self.chain is None and not self.required:
            self.chain, self.unseen = (pipe.doubt(settings.now), False) if SHOWS_CHAIN else (None, True)
        if self.chain is not None:
            self.chain = self.chain._replace(length=pipe.chain_length)
        self.certificate = certificates.decode(pipe.certificate)
        self.problems = certificates.problems(
            self.certificate, self._name, settings.now, settings.min_days, self.chain
        )
        faults = [problem for problem in self.problems if not VERDICTS[problem.verdict].usable]
        if faults:
            words = " and ".join(problem.words for problem in faults)
            if self.required:
                self._settle(
                    faults[0].verdict,
                    f"The certificate is not acceptable: {words}",
                    advice=certificates.advice(faults[0], self.certificate, self.chain),
                )
            else:
                self._notes.append(f"{NOT_VERIFIED}{words}")
        if self._mode == "implicit":
            self._go(State.GREETING)
            self._expect = self._on_greeting
            if self.outcome is not None:
                self._close()
        elif self.outcome is not None:
            self._quit()
        else:
            self._send_ehlo("EHLO", self._on_ehlo)

    # AUTH (RFC 4954)

    def _authenticate(self) -> None:
        credentials = self._credentials
        if credentials is None:
            self._envelope()
            return
        self._go(State.AUTH)
        verified = not any(not VERDICTS[problem.verdict].usable for problem in self.problems)
        if not self._encrypted or (self.settings.validate_certs and not verified):
            self._settle(
                "auth_unsupported", "No password is sent over a connection that is not secure", stage="auth"
            )
            self._quit()
            return
        if not self._offers("AUTH"):
            self._settle(
                "auth_absent",
                f"The server does not offer AUTH (it offers {self._listed()}), so Postfix would send without the login",
            )
            self._quit()
            return
        if self._empty:
            self._only_helo("auth_absent", "AUTH")
            return
        from .sasl import choose

        self._mechanisms, why_not = choose(credentials, self.auth_mechanisms, credentials.usable)
        if not self._mechanisms:
            self._settle("auth_unsupported", why_not)
            self._quit()
        elif not credentials.password:
            # Without the login the envelope says nothing.
            self._notes.append(
                f"AUTH {credentials.mechanism.upper()} offered, the login was not tried without a token"
            )
            self._succeed()
            self._quit()
        else:
            self._log_in(self._mechanisms.pop(0))

    def _log_in(self, mechanism: Mechanism) -> None:
        self._mechanism = mechanism
        self._answers = list(mechanism.answers)
        self._redactor.told = True
        self._hint = ""
        command = b"AUTH " + mechanism.name.encode("ascii")
        if mechanism.initial is not None:
            initial = b64encode(mechanism.initial)
            if len(command) + len(initial) + 3 <= _MAX_COMMAND:
                command += b" " + initial
            else:
                self._answers.insert(0, lambda _challenge: mechanism.initial)
        self._send(State.AUTH, command, self._on_auth)

    def _on_auth(self, reply: Reply) -> None:
        user = self._redactor.user
        if reply.severity == 2:
            self._accepted(user)
        elif reply.severity == 3:
            self._answer(reply, user)
        else:
            self._refused_login(reply, user)

    def _refused_login(self, reply: Reply, user: str) -> None:
        from .replies import unknown_mechanism

        name = self._named()
        if unknown_mechanism(reply) and self._mechanisms:
            # Nothing was checked, so another attempt costs nothing; after any other refusal it may lock the account.
            self._notes.append(f"the server lists AUTH {name} but does not take it ({self._words(reply)})")
            self._log_in(self._mechanisms.pop(0))
        else:
            if unknown_mechanism(reply):
                what = f"The server lists AUTH {name} but rejects it"
            elif reply.severity == 4:
                what = f"The server cannot process the login as {user} (AUTH {name}) right now"
            else:
                what = f"The server refuses AUTH {name} as {user}{self._hint}"
            self._refuse("auth", reply, what)
            self._quit()

    def _accepted(self, user: str) -> None:
        if self._mechanism is not None and not self._mechanism.proven():
            self._settle(
                "protocol_error",
                f"The server accepted AUTH {self._named()} as {user} without proving that it knows the password",
            )
            self._close()
            return
        self.auth_mechanism = self._named()
        self._passed("auth")
        self._envelope()

    def _answer(self, reply: Reply, user: str) -> None:
        challenge = _decoded(reply.text)
        answer = self._answers.pop(0)(challenge) if self._answers else None
        if answer is None:
            self._settle(
                "protocol_error",
                f"During AUTH {self._named()} as {user} the server sent a challenge the mechanism has no answer to: "
                + self._words(reply),
            )
            self._close()
            return
        if not answer and not challenge.startswith(b"v="):  # what it said before it refuses
            self._hint = f" ({self._shown(challenge)})"
        self._send(State.AUTH, b64encode(answer), self._on_auth)

    # Envelope (RFC 5321 section 3.3), tried and taken back

    def _envelope(self) -> None:
        settings = self.settings
        if settings.mail_from is None and settings.rcpt_to is None:
            self._succeed()
            self._quit()
            return
        self._go(State.ENVELOPE)
        sender = settings.mail_from or ""
        command = b"MAIL FROM:<%s>" % sender.encode("utf-8")
        if not (sender + (settings.rcpt_to or "")).isascii():
            if not self._offers("SMTPUTF8"):
                self._settle(
                    "sender_rejected", "The addresses are not ASCII, and the server does not offer SMTPUTF8"
                )
                self._quit()
                return
            command += b" SMTPUTF8"
        self._send(State.ENVELOPE, command, self._on_sender)

    def _on_sender(self, reply: Reply) -> None:
        settings = self.settings
        if reply.severity != 2:
            self._refuse("sender", reply)
            self._quit()
        elif settings.rcpt_to is None:
            self._passed("envelope")
            self._succeed()
            self._reset()
        else:
            self._send(State.ENVELOPE, b"RCPT TO:<%s>" % settings.rcpt_to.encode("utf-8"), self._on_recipient)

    def _on_recipient(self, reply: Reply) -> None:
        if reply.severity == 2:
            self._passed("envelope")
            self._succeed()
        else:
            self._refuse("recipient", reply)
        self._reset()

    def _reset(self) -> None:
        """The sender was accepted, so a transaction is open; how the server answers RSET no longer matters."""
        self._send(State.QUIT, b"RSET", self._on_reset)

    def _on_reset(self, _reply: Reply) -> None:
        self._quit()

    # The end

    def _succeed(self) -> None:
        parts = []
        if self._encrypted:
            parts.append(f"{self.tls_version} with {self.tls_cipher}")
            days = self.certificate.days_left(self.settings.now) if self.certificate else None
            if not self.problems and days is not None:
                parts.append(
                    f"certificate {'verified' if self.required else 'not required'}, {days} days left"
                )
        else:
            parts.append("without encryption")
        if self.auth_mechanism:
            parts.append(f"AUTH {self.auth_mechanism} accepted")
        if self.state is State.ENVELOPE:
            parts.append("envelope accepted")
        reason = "Usable: " + ", ".join(parts + self._notes)
        if self.problems and self.problems[0].verdict == "certificate_expiring":
            self._settle(
                "certificate_expiring", reason + ", but of the certificate: " + self.problems[0].words
            )
        else:
            # After EHLO under TLS the last stage that was passed is the certificate's.
            certified = self.state is State.EHLO and self._encrypted
            self._settle("ok", reason, stage="certificate" if certified else self.state.stage)

    def _quit(self) -> None:
        if not self.closed:
            self._send(State.QUIT, b"QUIT", self._on_quit)

    def _on_quit(self, _reply: Reply) -> None:
        self._close()

    def _close(self) -> None:
        if self.closed:
            return
        self.state = State.CLOSED
        # A session keeps what it has found; its TLS state is large, and a method of its own would keep it alive.
        if self._pipe is not None:
            self._output += self._pipe.close()
            self._pipe = None
        self._expect = _expect_nothing


class PipeliningCheck(Session):
    """Does the server execute a command that was sent in the clear after STARTTLS (CVE-2011-0411)?

    ``NOOP`` goes out in one write with STARTTLS. After the handshake a sound server answers QUIT alone; one that
    kept the NOOP answers that first, which makes two replies. ``outcome`` stays None where the server is sound, or
    gave no chance to find out. No credentials are sent.
    """

    starttls_command = b"STARTTLS\r\nNOOP"

    def _may_settle(self, verdict: str) -> bool:
        """Whatever else happens here says nothing about the question."""
        return verdict == "starttls_injection"

    def _after_ehlo(self) -> None:
        if self._offers("STARTTLS"):
            self._send(State.STARTTLS, self.starttls_command, self._on_starttls)
        else:
            self._close()

    def _on_starttls(self, reply: Reply) -> None:
        if reply.severity == 2:
            self._go_on_in_tls()
        else:
            self._close()

    def _in_clear(self, answer: InClear) -> None:
        if answer.first == ord("2"):
            self._vulnerable("in the clear")
        else:
            self._close()

    def _judge(self, pipe: TlsPipe) -> None:
        self._quit()

    def _on_quit(self, reply: Reply) -> None:
        if self._encrypted and reply.severity == 2 and reply.code != 221:
            self._expect = lambda _reply: self._vulnerable("under TLS")
        else:
            self._close()

    def _vulnerable(self, where: str) -> None:
        self._settle(
            "starttls_injection",
            f"The server executes what was sent in the clear after STARTTLS (CVE-2011-0411): it answered NOOP {where}",
        )
        self._close()


class ChainCheck(Session):
    """What is wrong with the chain, where that does not decide: a verified handshake and no more. No credentials."""

    @property
    def required(self) -> bool:
        return True

    def _judge(self, pipe: TlsPipe) -> None:
        self.outcome = SessionOutcome("ok", "certificate", "The chain is verified.")
        if self._mode == "implicit":
            self._close()
        else:
            self._quit()


def _expect_nothing(_reply: Reply) -> None:
    """What a closed session expects."""


def _decoded(text: bytes) -> bytes:
    """Base64, strictly; empty when it is none."""
    return a2b_base64(text) if len(text) % 4 == 0 and _BASE64.match(text) else b""
