# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the mailops.smtp collection: names and behaviour may change without notice.
#
# Drives many sessions over sockets, under deadlines.
#
# Theory of operation. Each endpoint is a _Probe, a generator that resolves, connects, converses and retries
# in plain sequence. Where it must wait it yields the time at which it wants to be woken at the latest; the
# _Engine, one selectors loop with one heap of timers, resumes it with the socket that became ready, or with
# None. No probe blocks, so one thread is enough; only name resolution, which cannot be had without blocking,
# is done by daemon threads (_Resolver), and a thread whose resolver never answers holds up neither the
# deadline nor the process.
#
# Rules of this file: every wait has a deadline, on the monotonic clock. The deadline of an endpoint covers
# everything that is done for it: resolution, every attempt, the pauses between, and the looks from a second
# side. Nothing of SMTP is decided here, only when to connect, where, and how often.

from __future__ import annotations

import contextlib
import errno
import os
import resource
import selectors
import socket
import time
from collections import deque
from heapq import heappop, heappush
from typing import Any, Callable, Generator, Iterable, List, NamedTuple, Optional, Sequence, Union

from . import certificate as certificates
from .endpoint import IMPLICIT_PORTS, Endpoint, Options, ip_version
from .reply import printable
from .session import Outcome, PipeliningCheck, Session, Settings, TlsHello
from .tls import TlsPolicy
from .verdict import TIMINGS, VERDICTS, Result

__all__ = ["Result", "probe"]

# RFC 8305 section 5, the recommended Connection Attempt Delay.
ATTEMPT_DELAY = 0.25
# RFC 8305 section 3 has 50 ms; a little more loses no family to a slow name server, and still little time.
RESOLUTION_DELAY = 0.25
# Connections at a time to one remote address. One on which nothing has been heard for a while does not count, for
# the others must not wait for a tarpit.
HOST_LIMIT = 3
HOST_PATIENCE = 2.0
# How long a server has to answer what no longer matters for the verdict (QUIT).
FAREWELL = 1.0
# How long a port keeps silent before it is asked, on a second connection, whether it speaks TLS from the
# start.
SILENCE = 3.0
SILENCE_ON_IMPLICIT_PORT = 0.5
# The pause before the first retry; each further one is twice as long.
BACKOFF = 0.5
# A retry with less time than this would only tell that time ran out.
LEAST_TIME = 0.5
MAX_ADDRESSES = 8
MAX_THREADS = 1024
_CHUNK = 16384

# Verdicts that may only say that the time was too short.
_OUT_OF_TIME = ("no_greeting", "stalled", "filtered", "dns_failure")
# Of several addresses that could not be reached, the one whose answer says most stands for all.
_TELLING = ("disconnected", "refused", "filtered", "unreachable")

Waiting = Generator[float, Optional[socket.socket], Any]


class _Address(NamedTuple):
    family: int
    sockaddr: tuple[Any, ...]

    @property
    def ip(self) -> str:
        return str(self.sockaddr[0])

    @property
    def version(self) -> str:
        return "ipv4" if self.family == socket.AF_INET else "ipv6"

    @property
    def loopback(self) -> bool:
        return self.ip == "::1" or self.ip.startswith("127.")


class _Question(NamedTuple):
    """What to resolve; a retry has another number, so that it is not given the old answer."""

    host: str
    family: int
    number: int


_Answer = Union[OSError, List[Any]]


class _Ending(NamedTuple):
    """How an attempt ended; with the session that tells the most, where there was one."""

    outcome: Outcome
    session: Session | None = None


class _Fate(NamedTuple):
    """How one address could not be reached."""

    address: _Address
    verdict: str
    words: str


def probe(endpoints: Sequence[Endpoint], options: Options) -> list[Result]:
    """Probe all endpoints at once; the results stand in the order asked, one for each endpoint.

    With ``family`` ``both``, an endpoint that has addresses of both families has two results, IPv4 first.
    Raises OptionError when ``ca_path`` cannot be used.
    """
    engine = _Engine(options)
    try:
        return engine.run(endpoints)
    finally:
        engine.close()


class _Engine:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.policy = TlsPolicy(options.ca_path, options.min_tls_version)
        self.selector = selectors.DefaultSelector()
        self.resolver = _Resolver(self)
        self.now_epoch = time.time()
        self.host_name = socket.gethostname()
        # Half of the descriptors is for one connection of each active probe, half for their second ones.
        half = max(1, _free_descriptors() // 2)
        self.places = min(options.concurrency, half)
        self.spare = half
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = 0
        self._queue: deque[_Probe] = deque()
        self._active = 0
        self._hosts: dict[str, int] = {}
        self._host_queues: dict[str, deque[_Probe]] = {}

    def close(self) -> None:
        self.resolver.close()
        self.selector.close()

    def run(self, endpoints: Sequence[Endpoint]) -> list[Result]:
        groups = [
            [_Probe(self, endpoint, family) for family in self._families(endpoint)] for endpoint in endpoints
        ]
        self._queue.extend(entry for group in groups for entry in group)
        while self._queue or self._active:
            self._fill()
            self._turn()
        return [result for group in groups for result in _of_families([entry.result for entry in group])]

    def _families(self, endpoint: Endpoint) -> Sequence[str]:
        if self.options.family != "both":
            return (self.options.family,)
        version = ip_version(endpoint.host)
        return (version,) if version else ("ipv4", "ipv6")

    def _fill(self) -> None:
        while self._queue and self._active < self.places:
            self._active += 1
            self.resume(self._queue.popleft(), None)

    def _turn(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            heappop(self._timers)[2]()
        if not self._active:
            return
        wait = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None
        for key, _events in self.selector.select(wait):
            if key.data is None:
                self.resolver.collect()
            else:
                self.resume(key.data, key.fileobj)  # type: ignore[arg-type]

    def call_at(self, when: float, callback: Callable[[], None]) -> None:
        self._sequence += 1
        heappush(self._timers, (when, self._sequence, callback))

    def resume(self, entry: _Probe, ready: socket.socket | None) -> None:
        if entry.finished:
            return
        try:
            entry.wake = entry.steps.send(ready)
        except StopIteration:
            entry.finished = True
            self._active -= 1
            return
        if entry.timer is None or entry.wake < entry.timer:
            self._arm(entry)

    def _arm(self, entry: _Probe) -> None:
        entry.timer = entry.wake
        self.call_at(entry.wake, lambda due=entry.wake: self._ring(entry, due))  # type: ignore[misc]

    def _ring(self, entry: _Probe, due: float) -> None:
        if entry.finished or entry.timer != due:
            return
        entry.timer = None
        if entry.wake > due:
            self._arm(entry)
        else:
            self.resume(entry, None)

    # Places at one remote address

    def enter(self, ip: str, entry: _Probe) -> bool:
        """Take a place; False: none is free, and the probe will be resumed when it may try again."""
        if self._hosts.get(ip, 0) < HOST_LIMIT:
            self._hosts[ip] = self._hosts.get(ip, 0) + 1
            return True
        if not entry.queued:
            entry.queued = True
            self._host_queues.setdefault(ip, deque()).append(entry)
        return False

    def crowded(self, ip: str) -> bool:
        """Whether a probe waits for a place there."""
        return bool(self._host_queues.get(ip))

    def leave(self, ip: str) -> None:
        self._hosts[ip] -= 1
        queue = self._host_queues.get(ip)
        if queue:
            entry = queue.popleft()
            entry.queued = False
            self.call_at(0.0, lambda: self.resume(entry, None))


class _Probe:
    """One endpoint over one address family (or over any)."""

    def __init__(self, engine: _Engine, endpoint: Endpoint, family: str) -> None:
        self.engine = engine
        self.endpoint = endpoint
        self.family = family
        self.finished = False
        self.queued = False
        self.wake = 0.0
        self.timer: float | None = None
        self.steps: Waiting = self._run()
        self.result: Result
        self._timings: dict[str, float] = {}
        self._started = self._deadline = self._settled = 0.0
        self._address: _Address | None = None
        self._reached = False
        self._holding = ""
        self._heard = 0.0

    def _run(self) -> Waiting:
        options = self.engine.options
        self._started = time.monotonic()
        self._deadline = self._started + options.timeout
        attempts = 1
        result = self._report((yield from self._attempt(attempts)))
        while result.temporary and attempts <= options.retries:
            resume_at = time.monotonic() + BACKOFF * 2 ** (attempts - 1)
            if resume_at + LEAST_TIME > self._deadline:
                break
            yield from self._sleep(resume_at)
            attempts += 1
            again = self._report((yield from self._attempt(attempts)))
            if time.monotonic() >= self._deadline and again.verdict in _OUT_OF_TIME:
                break  # it had less time than the one before, whose verdict therefore stands
            result = again
        self.result = result
        self.result.attempts = attempts

    def _sleep(self, until: float) -> Waiting:
        while time.monotonic() < until:
            yield until

    def _attempt(self, number: int) -> Generator[float, socket.socket | None, _Ending]:
        self._timings = {}
        self._settled = 0.0
        self._reached = False
        began = time.monotonic()
        answer = yield from self._resolve(number)
        self._timings["resolve"] = time.monotonic() - began
        if isinstance(answer, Outcome):
            return _Ending(answer)
        self._address = answer[0]
        yield from self._enter(answer[0])
        turn = (number - 1) % len(answer)
        ending = yield from self._climb(answer[turn:] + answer[:turn])
        self._release()
        return ending

    def _climb(self, addresses: list[_Address]) -> Generator[float, socket.socket | None, _Ending]:
        """The whole ladder, with the second connections that the first one may call for."""
        endpoint, context = self.endpoint, self.engine.policy.context
        connection = yield from self._connect(addresses)
        if isinstance(connection, Outcome):
            return _Ending(connection)
        session = Session(endpoint, self._settings(connection), context)
        yield from self._converse(connection, session)
        ending = _Ending(_verdict_of(session), session)

        chain = session.chain_error
        if chain is not None:
            # OpenSSL named one fault and broke off; a second connection shows the certificate, and goes on
            # where verification is not required.
            chain = chain._replace(authorities=self.engine.policy.has_authorities())
            second = yield from self._again(lambda settings: Session(endpoint, settings, context, chain))
            if second is not None and second.certificate is not None:
                ending = _Ending(_verdict_of(second), second)

        if ending.outcome.verdict in ("tls_failed", "tls_too_old") and _may_go_plain(endpoint):
            why = ending.outcome.reason[:1].lower() + ending.outcome.reason[1:].rstrip(".")
            plain = yield from self._again(lambda settings: Session(endpoint, settings, context, plain=why))
            if plain is not None:
                ending = _Ending(_verdict_of(plain), plain)

        if self.engine.options.check_injection and VERDICTS[ending.outcome.verdict].usable:
            ending = yield from self._check_injection(ending)
        return ending

    def _check_injection(self, ending: _Ending) -> Generator[float, socket.socket | None, _Ending]:
        session = ending.session
        if session is None or session.tls_version is None or self.endpoint.tls == "implicit":
            return ending
        settled, timings, chain = self._settled, self._timings, session.chain
        context = self.engine.policy.context
        check = yield from self._again(
            lambda settings: PipeliningCheck(self.endpoint, settings, context, chain)
        )
        self._settled, self._timings = settled, timings
        return ending if check is None or check.outcome is None else ending._replace(outcome=check.outcome)

    def _again(
        self, make: Callable[[Settings], Session]
    ) -> Generator[float, socket.socket | None, Session | None]:
        """Another connection to the address of the first; None when there is none to be had."""
        address, timings = self._address, self._timings
        self._timings = {"resolve": timings["resolve"]}
        connection = yield from self._connect([address] if address else [])
        if isinstance(connection, Outcome):
            self._address, self._reached, self._timings = address, True, timings
            return None
        session = make(self._settings(connection))
        yield from self._converse(connection, session)
        return session

    def _settings(self, connection: socket.socket) -> Settings:
        options = self.engine.options
        name = options.helo_name or self.engine.host_name
        if options.helo_name is None and ("." not in name or not _is_host_name(name)):
            # RFC 5321 section 4.1.4: a client without a meaningful name gives its address.
            ip = connection.getsockname()[0].partition("%")[0]
            name = f"[IPv6:{ip}]" if ":" in ip else f"[{ip}]"
        return Settings(
            name,
            self.engine.now_epoch,
            options.validate_certs,
            options.min_days,
            options.min_tls_version,
            options.mail_from,
            options.rcpt_to,
        )

    # Resolve

    def _resolve(self, number: int) -> Generator[float, socket.socket | None, Outcome | list[_Address]]:
        host, port = self.endpoint.host, self.endpoint.port
        source = self.engine.options.source_address
        family = ip_version(source) if source and self.family == "any" else self.family
        version = ip_version(host)
        if version:
            if family not in ("any", version):
                return Outcome("dns_not_found", "resolve", f"{host} is not an {_title(family)} address.")
            zone = host.partition("%")[2]
            if version == "ipv4":
                return [_Address(socket.AF_INET, (host, port))]
            try:
                scope = (int(zone) if zone.isdigit() else socket.if_nametoindex(zone)) if zone else 0
            except OSError:
                return Outcome(
                    "unreachable", "connect", f"This host has no network interface {printable(zone)}."
                )
            return [_Address(socket.AF_INET6, (host.partition("%")[0], port, 0, scope))]
        families = [
            kind
            for kind, name in ((socket.AF_INET6, "ipv6"), (socket.AF_INET, "ipv4"))
            if family in (name, "any")
        ]
        # Several endpoints of one host share one question for each family; a retry asks anew.
        answers = yield from self._ask([_Question(host, kind, number) for kind in families])
        found = [
            _Address(question.family, (sockaddr[0], port, *sockaddr[2:]))
            for question, answer in answers.items()
            if not isinstance(answer, OSError)
            for sockaddr in answer
        ]
        if found:
            return _interleaved(found)[:MAX_ADDRESSES]
        if len(answers) < len(families):
            waited = time.monotonic() - self._started
            return Outcome(
                "dns_failure", "resolve", f"No answer to the question for {host} within {waited:.1f} s."
            )
        errors = [answer for answer in answers.values() if isinstance(answer, OSError)]
        return _dns_outcome(host, family, errors)

    def _ask(
        self, questions: list[_Question]
    ) -> Generator[float, socket.socket | None, dict[_Question, _Answer]]:
        """The answers that have come by the deadline, or soon after the first good one (RFC 8305 section 3)."""
        resolver = self.engine.resolver
        until = self._deadline
        for question in questions:
            resolver.ask(question, self)
        while True:
            answers = {
                question: resolver.answers[question] for question in questions if question in resolver.answers
            }
            now = time.monotonic()
            if len(answers) == len(questions) or now >= until:
                return answers
            if any(not isinstance(answer, OSError) for answer in answers.values()):
                until = min(until, now + RESOLUTION_DELAY)
            yield until

    # Connect

    def _enter(self, address: _Address) -> Waiting:
        """Wait for a place at the host; the wait is not the endpoint's, so its deadline moves."""
        if address.loopback:
            return
        began = time.monotonic()
        while not self.engine.enter(address.ip, self):
            yield time.monotonic() + self.engine.options.timeout
        waited = time.monotonic() - began
        self._started += waited
        self._deadline += waited
        self._holding = address.ip
        self._heard = time.monotonic()
        self.engine.call_at(self._heard + HOST_PATIENCE, self._release_if_silent)

    def _release_if_silent(self) -> None:
        if not self._holding:
            return
        if self._heard + HOST_PATIENCE > time.monotonic():
            self.engine.call_at(self._heard + HOST_PATIENCE, self._release_if_silent)
        else:
            self._release()

    def _release(self) -> None:
        ip, self._holding = self._holding, ""
        if ip:
            self.engine.leave(ip)

    def _connect(
        self, addresses: list[_Address]
    ) -> Generator[float, socket.socket | None, Outcome | socket.socket]:
        """Race the addresses (RFC 8305 section 5): the next one starts when the last one failed, or lingers."""
        engine, options = self.engine, self.engine.options
        began = time.monotonic()
        limit = min(began + options.connect_timeout, self._deadline)
        waiting: deque[_Address] = deque(addresses)
        racing: dict[socket.socket, _Address] = {}
        fates: list[_Fate] = []
        next_at = began
        try:
            while True:
                now = time.monotonic()
                if now >= limit:
                    break
                if waiting and (not racing or now >= next_at):
                    address = waiting.popleft()
                    try:
                        connection = self._open(address)
                    except OSError as error:
                        if error.errno not in (errno.EMFILE, errno.ENFILE):
                            fates.append(self._fate(address, error, now - began))
                            continue
                        # Another probe will close a connection soon.
                        waiting.appendleft(address)
                        next_at = now + 0.05
                        if not racing:
                            yield from self._sleep(min(limit, next_at))
                        continue
                    racing[connection] = address
                    next_at = now + ATTEMPT_DELAY
                    continue
                if not racing:
                    break
                ready = yield min(limit, next_at) if waiting and next_at > now else limit
                if ready is None or ready not in racing:
                    continue
                code = ready.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                address = racing.pop(ready)
                engine.selector.unregister(ready)
                if code:
                    ready.close()
                    fates.append(
                        self._fate(address, OSError(code, os.strerror(code)), time.monotonic() - began)
                    )
                    next_at = 0.0
                    continue
                self._timings["connect"] = time.monotonic() - began
                self._address, self._reached = address, True
                return ready
        finally:
            for loser in racing:
                engine.selector.unregister(loser)
                loser.close()
        waited = time.monotonic() - began
        fates += [self._silence(address, waited) for address in racing.values()]
        if not fates:
            fates = [
                _Fate(waiting[0], "unreachable", "this host has no file descriptor left for a connection")
            ]
        self._timings["connect"] = waited
        return self._unconnected(fates)

    def _open(self, address: _Address) -> socket.socket:
        connection = socket.socket(address.family, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            # Two small writes in a row, as at the end of a handshake, would otherwise wait for a delayed ACK.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            source = self._source(address)
            if source:
                connection.bind((source, 0))
            code = connection.connect_ex(address.sockaddr)
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))
            self.engine.selector.register(connection, selectors.EVENT_WRITE, self)
        except OSError:
            connection.close()
            raise
        return connection

    def _source(self, address: _Address) -> str | None:
        """The address of this host to connect from; None where the system chooses."""
        options = self.engine.options
        fitting = (each for each in options.source_addresses if ip_version(each) == address.version)
        return options.source_address or next(fitting, None)

    def _fate(self, address: _Address, error: OSError, waited: float) -> _Fate:
        where = f"{address.ip} port {self.endpoint.port}"
        if error.errno == errno.ECONNRESET:  # accepted, and reset before anyone looked
            return _Fate(address, "disconnected", f"{where} accepted the connection and broke it at once")
        if error.errno == errno.ECONNREFUSED:
            return _Fate(address, "refused", f"{where} refused the connection after {waited * 1000:.1f} ms")
        if error.errno == errno.ETIMEDOUT:
            return self._silence(address, waited)
        words = (error.strerror or str(error)).lower()
        source = self._source(address)
        if error.errno == errno.EADDRNOTAVAIL and source:
            words += f", the source address {source} is not one of this host"
        return _Fate(address, "unreachable", f"{where} cannot be reached ({words})")

    def _silence(self, address: _Address, waited: float) -> _Fate:
        return _Fate(
            address,
            "filtered",
            f"no answer from {address.ip} port {self.endpoint.port} within {waited:.1f} s",
        )

    def _unconnected(self, fates: list[_Fate]) -> Outcome:
        ranked = sorted(fates, key=lambda fate: _TELLING.index(fate.verdict))
        name = ranked[0].verdict
        self._address, self._reached = ranked[0].address, name == "disconnected"
        words = "; ".join(fate.words for fate in ranked)
        verdict = VERDICTS[name]
        return Outcome(name, verdict.stage, words[:1].upper() + words[1:] + ".", temporary=verdict.transient)

    # Converse

    def _converse(self, connection: socket.socket, session: Session) -> Waiting:
        """Carry bytes between a session and its connection until the session is closed; close the connection."""
        engine = self.engine
        began = mark = time.monotonic()
        limit = self._deadline
        ask_at = self._silence_ends(began) if session.greets_first else limit
        unsent = bytearray()
        hello: _HelloConnection | None = None
        engine.selector.register(connection, selectors.EVENT_READ, self)
        try:
            session.begin()
            while True:
                self._send(connection, session, unsent)
                for event in session.events():
                    now = time.monotonic()
                    if event.name == "settled":
                        self._settled = now
                        limit = min(limit, now + FAREWELL)
                    else:
                        self._timings[event.name] = self._timings.get(event.name, 0.0) + now - mark
                    mark = now
                if session.closed:
                    yield from self._linger(connection, limit)
                    return
                ready = yield limit if hello is not None else min(limit, ask_at)
                now = time.monotonic()
                if ready is connection:
                    try:
                        data = connection.recv(_CHUNK)
                    except BlockingIOError:
                        continue
                    except OSError as error:
                        session.lost((error.strerror or str(error)).lower())
                    else:
                        self._heard = now
                        session.receive(data)
                elif hello is not None and ready is hello.connection:
                    if hello.proceed():
                        session.speaks_tls()
                elif now >= limit:
                    session.expire(now - began)
                elif now >= ask_at and hello is None:
                    ask_at = limit
                    if session.silent:
                        hello = self._ask_for_tls()
        finally:
            engine.selector.unregister(connection)
            connection.close()
            if hello is not None:
                hello.close()

    def _linger(self, connection: socket.socket, limit: float) -> Waiting:
        """Where others wait for a place at this host, its server has to see the end of this connection first."""
        with contextlib.suppress(OSError):
            if self._holding and self.engine.crowded(self._holding):
                connection.shutdown(socket.SHUT_WR)
            while self._holding and self.engine.crowded(self._holding) and time.monotonic() < limit:
                if (yield limit) is connection and not connection.recv(_CHUNK):
                    return

    def _silence_ends(self, began: float) -> float:
        """When to ask a silent port for TLS: soon where TLS is usual, late where a pause before the greeting is."""
        port, timeout = self.endpoint.port, self.engine.options.timeout
        if port == 25:
            return began + timeout * 0.75
        return began + min(SILENCE_ON_IMPLICIT_PORT if port in IMPLICIT_PORTS else SILENCE, timeout / 2)

    def _ask_for_tls(self) -> _HelloConnection | None:
        if self.engine.spare < 1 or self._address is None:
            return None
        try:
            connection = self._open(self._address)
        except OSError:
            return None
        name = self.endpoint.server_name or self.endpoint.host
        return _HelloConnection(self, connection, TlsHello(self.engine.policy.context(False), name))

    def _send(self, connection: socket.socket, session: Session, unsent: bytearray) -> None:
        data = session.take()
        if not data and not unsent:
            return
        blocked = bool(unsent)
        unsent += data
        try:
            del unsent[: connection.send(unsent)]
        except BlockingIOError:
            pass
        except OSError:
            # The connection broke; what the server said before is still to be read, and then its end.
            unsent.clear()
        if bool(unsent) != blocked:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if unsent else 0)
            self.engine.selector.modify(connection, events, self)

    # Report

    def _report(self, ending: _Ending) -> Result:
        outcome, session = ending
        timings = dict(self._timings, total=(self._settled or time.monotonic()) - self._started)
        address = self._address
        result = Result(
            host=self.endpoint.host,
            port=self.endpoint.port,
            tls=self.endpoint.tls,
            verdict=outcome.verdict,
            stage=outcome.stage,
            reason=outcome.reason,
            advice=outcome.advice,
            address=address.ip if address else None,
            family=address.version if address else None,
            reachable=self._reached,
            timings_ms={
                name: round(timings[name] * 1000, 1) if name in timings else None for name in TIMINGS
            },
            temporary=outcome.temporary,
        )
        if session is not None:
            result.greeting = session.greeting
            result.capabilities = session.capabilities
            result.auth_mechanisms = session.auth_mechanisms
            result.tls_version = session.tls_version
            result.tls_cipher = session.tls_cipher
            if session.certificate is not None:
                result.certificate = certificates.as_dict(
                    session.certificate, session.problems, self.engine.now_epoch
                )
        return result


class _HelloConnection:
    """The second connection on which a silent port is asked whether it speaks TLS from the first byte."""

    def __init__(self, entry: _Probe, connection: socket.socket, hello: TlsHello) -> None:
        self.connection = connection
        self._selector = entry.engine.selector
        self._engine = entry.engine
        self._entry = entry
        self._hello = hello
        self._asked = False
        self._open = True
        self._engine.spare -= 1

    def proceed(self) -> bool:
        """The connection is ready; True once the port has answered with TLS."""
        try:
            if self._asked:
                self._hello.receive(self.connection.recv(_CHUNK))
                self.close()
            else:
                self.connection.send(self._hello.take())
                self._asked = True
                self._selector.modify(self.connection, selectors.EVENT_READ, self._entry)
        except BlockingIOError:
            return False
        except OSError:
            self.close()
        return self._hello.speaks_tls

    def close(self) -> None:
        if self._open:
            self._open = False
            self._engine.spare += 1
            self._selector.unregister(self.connection)
            self.connection.close()


class _Resolver:
    """getaddrinfo() in daemon threads: as many as there are questions open, since each may block for long."""

    def __init__(self, engine: _Engine) -> None:
        self.answers: dict[_Question, _Answer] = {}
        self._engine = engine
        self._waiting: dict[_Question, list[_Probe]] = {}
        self._ready: deque[tuple[_Question, _Answer]] = deque()
        self._receiver: socket.socket | None = None
        self._sender: socket.socket | None = None
        self._questions: Any = None
        self._threads = 0

    def ask(self, question: _Question, entry: _Probe) -> None:
        """Have it answered, once; the probe is resumed when the answer is there."""
        if question in self.answers:
            return
        if question in self._waiting:
            self._waiting[question].append(entry)
            return
        self._waiting[question] = [entry]
        if self._receiver is None:
            from queue import SimpleQueue  # only where there are names to resolve

            self._receiver, self._sender = socket.socketpair()
            self._receiver.setblocking(False)
            self._engine.selector.register(self._receiver, selectors.EVENT_READ, None)
            self._questions = SimpleQueue()
        self._questions.put(question)
        if self._threads < min(len(self._waiting), MAX_THREADS):
            from threading import Thread

            self._threads += 1
            # Where no thread is to be had, the question stays open until one is free, or the deadline.
            with contextlib.suppress(RuntimeError):
                Thread(target=self._work, args=(self._questions, self._sender), daemon=True).start()

    def _work(self, questions: Any, sender: socket.socket) -> None:
        while True:
            question = questions.get()
            if question is None:
                return
            self._ready.append((question, _look_up(question)))
            try:
                sender.send(b".")
            except OSError:  # the probe is over, nobody waits any more
                return

    def collect(self) -> None:
        """Take the answers that have come, and resume who waits for them."""
        if self._receiver is not None:
            with contextlib.suppress(BlockingIOError):
                self._receiver.recv(4096)
        while self._ready:
            question, answer = self._ready.popleft()
            self.answers[question] = answer
            for entry in self._waiting.pop(question):
                self._engine.resume(entry, None)

    def close(self) -> None:
        if self._receiver is None or self._sender is None:
            return
        for _thread in range(self._threads):
            self._questions.put(None)
        self._receiver.close()
        self._sender.close()


def _look_up(question: _Question) -> _Answer:
    try:
        found = socket.getaddrinfo(question.host, None, question.family, socket.SOCK_STREAM)
    except OSError as error:
        return error
    except UnicodeError as error:  # a label that is too long
        return socket.gaierror(socket.EAI_NONAME, str(error))
    return [entry[4] for entry in found]


def _verdict_of(session: Session) -> Outcome:
    if session.outcome is None:  # pragma: no cover
        raise AssertionError("a session closed without a verdict")
    return session.outcome


def _may_go_plain(endpoint: Endpoint) -> bool:
    return endpoint.tls == "opportunistic" and endpoint.credentials is None


def _dns_outcome(host: str, family: str | None, errors: list[OSError]) -> Outcome:
    unknown = [getattr(socket, name, None) for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY")]
    failed = [error for error in errors if error.errno not in unknown]
    words = printable((failed or errors)[-1].strerror or "no address")
    if failed:
        return Outcome(
            "dns_failure", "resolve", f"{host} could not be resolved now ({words}).", temporary=True
        )
    what = "address" if family in ("any", "both") else f"{_title(family)} address"
    return Outcome("dns_not_found", "resolve", f"{host} does not exist or has no {what} ({words}).")


def _interleaved(addresses: Iterable[_Address]) -> list[_Address]:
    """Without duplicates, the families by turns, beginning with that of the first (RFC 8305 section 4)."""
    unique = list(dict.fromkeys(addresses))
    first = [address for address in unique if address.family == unique[0].family]
    second = [address for address in unique if address.family != unique[0].family]
    mixed = [address for pair in zip(first, second) for address in pair]
    shorter = min(len(first), len(second))
    return mixed + first[shorter:] + second[shorter:]


def _of_families(results: list[Result]) -> list[Result]:
    """Of the results of both families those that say something: a family without addresses is left out."""
    found = [result for result in results if result.verdict != "dns_not_found"]
    unresolved = all(result.stage == "resolve" for result in results)
    return (found or results)[:1] if unresolved else found


def _title(family: str | None) -> str:
    return {"ipv4": "IPv4", "ipv6": "IPv6"}.get(family or "", "IP")


def _is_host_name(name: str) -> bool:
    return name.isascii() and all(char.isalnum() or char in "-." for char in name)


def _free_descriptors() -> int:
    """How many more descriptors this process may open, some left aside for the process itself."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return 65536
    try:
        used = len(os.listdir("/proc/self/fd"))
    except OSError:
        used = 32
    return max(2, limit - used - 16)
