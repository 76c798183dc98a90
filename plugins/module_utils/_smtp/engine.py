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
# None. No probe blocks, so one thread is enough; only name lookup, which cannot be had without blocking,
# is done by daemon threads (resolver.py, imported where there is a name).
#
# A server may limit the connections of one client, and this probe makes many. A _Host keeps count of them for each
# address: few at a time, and where one was turned away while another was open, or not surely closed, that proves
# nothing: it is tried again alone.
#
# Rules of this file: every wait has a deadline, on the monotonic clock. The deadline of an endpoint covers
# everything that is done for it: resolution, the wait for its turn at the address, every attempt, the pauses between,
# and the looks from a second side. Nothing of SMTP is decided here, only when to connect, where, and how often.

from __future__ import annotations

import contextlib
import errno
import math
import os
import resource
import selectors
import socket
import time
from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Callable, Generator, Iterable, NamedTuple, Optional, Sequence

from .._base.addresses import IMPLICIT_TLS_PORTS, ip_version
from . import certificate as certificates
from .endpoint import Endpoint, Options
from .reply import printable
from .session import ChainCheck, PipeliningCheck, Session, SessionOutcome, Settings
from .tls import TlsPolicy
from .tls_pipe import TlsHello
from .verdict import TIMINGS, VERDICTS, Result, family_is

if TYPE_CHECKING:
    from .resolver import Answer, Found, Question, Resolver

__all__ = ["Result", "probe"]

# RFC 8305 section 5, the recommended Connection Attempt Delay.
ATTEMPT_DELAY = 0.25
# RFC 8305 section 3 has 50 ms; a little more loses no family to a slow name server, and still little time.
RESOLUTION_DELAY = 0.25
# Connections at a time to one remote address. One on which nothing has been heard for a while does not count, for
# the others must not wait for a tarpit: they are all to begin within this part of the time.
HOST_LIMIT = 3
HOST_PATIENCE = 2.0
BEGINNING = 0.25
# The part of the time that an endpoint keeps for itself: whoever still waits for its turn then goes without.
RESERVE = 0.4
# How soon a server has surely seen the end of a connection that this side has closed.
QUIET = 1.0
# How often an endpoint is tried again because of this probe's own connections.
DISTURBANCES = 4
# How long a server has to answer what no longer matters for the verdict (QUIT).
FAREWELL = 1.0
# A port that keeps silent is asked, on a second connection, whether it speaks TLS from the start. Where TLS is usual,
# soon; elsewhere only when this many seconds, or this part of the time, are left: a server that greets late may take
# who speaks before it for a spammer.
SILENCE_ON_IMPLICIT_PORT = 0.5
LAST_SECONDS, LAST_PART = 1.0, 0.15
# The part of the time that a silent server has where the host has other addresses.
SILENT_PART = 0.7
# The pause before the first retry; each further one is twice as long.
BACKOFF = 0.5
# A retry with less time than this would only tell that time ran out.
LEAST_TIME = 0.5
# As in Postfix (smtp_mx_address_limit).
MAX_ADDRESSES = 5
_CHUNK = 16384

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


class _Ending(NamedTuple):
    """How an attempt ended; with the session that tells the most, where there was one."""

    outcome: SessionOutcome
    session: Session | None = None


class _Host:
    """What this probe has at one address: places taken and wanted, connections open and lately closed."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.holders: list[_Probe] = []
        self.queue: deque[_Probe] = deque()
        self.open = 0
        self.opened = 0
        self._uncertain: list[tuple[float, object]] = []

    def close(self, certain: bool, who: object) -> None:
        """A connection has ended; ``certain``: the server has ended it too."""
        self.open -= 1
        if not certain:
            now = time.monotonic()
            self._uncertain = [each for each in self._uncertain if each[0] > now - QUIET] + [(now, who)]

    def calm_at(self, but: object = None) -> float:
        """From when on the server knows of no connection that has been closed, those of ``but`` aside."""
        return max((when + QUIET for when, who in self._uncertain if who != but), default=0.0)

    def busy(self, but: object = None) -> bool:
        """Whether the server may still count a connection that was made before."""
        return self.open > 0 or self.calm_at(but) > time.monotonic()


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
        self.policy = TlsPolicy(options.ca_path, options.min_tls_version, options.system_authorities)
        self.selector = selectors.DefaultSelector()
        self._resolver: Resolver | None = None
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
        self._hosts: dict[str, _Host] = {}

    @property
    def resolver(self) -> Resolver:
        if self._resolver is None:
            from .resolver import Resolver  # only where there are names to resolve

            self._resolver = Resolver(self.selector, self.resume)
        return self._resolver

    def close(self) -> None:
        if self._resolver is not None:
            self._resolver.close()
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

    # Places at one address

    def host(self, address: _Address) -> _Host:
        if address.ip not in self._hosts:
            self._hosts[address.ip] = _Host(math.inf if address.loopback else HOST_LIMIT)
        return self._hosts[address.ip]

    def enter(self, host: _Host, entry: _Probe) -> bool:
        """Take a place; False: none is free, and the probe will be resumed when it has one."""
        if entry in host.holders:  # it was handed over
            return True
        if len(host.holders) < host.limit and not host.queue:
            host.holders.append(entry)
            return True
        if entry not in host.queue:
            host.queue.append(entry)
            for holder in host.holders:
                self.call_at(0.0, holder.release_if_silent)
        return False

    def leave(self, host: _Host, entry: _Probe) -> None:
        """Give the place back, or the wait for one up."""
        if entry in host.queue:
            host.queue.remove(entry)
        if entry in host.holders:
            host.holders.remove(entry)
        while host.queue and len(host.holders) < host.limit:
            following = host.queue.popleft()
            host.holders.append(following)
            self.call_at(0.0, lambda entry=following: self.resume(entry, None))  # type: ignore[misc]


class _Probe:
    """One endpoint over one address family (or over any)."""

    def __init__(self, engine: _Engine, endpoint: Endpoint, family: str) -> None:
        self.engine = engine
        self.endpoint = endpoint
        self.family = family
        self.finished = False
        self.wake = 0.0
        self.timer: float | None = None
        self.steps: Waiting = self._run()
        self.result: Result
        self._timings: dict[str, float] = {}
        self._started = self._deadline = self._settled = 0.0
        self._address: _Address | None = None
        self._reached = False
        self._lookup: str | None = None
        self._holding: _Host | None = None
        self._greeted = False
        self._calming = False
        self._heard = 0.0
        self._watched = 0.0
        self._others = False
        self._visit: tuple[_Host, int, bool] | None = None
        self._disturbed = False
        self._number = 0

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
            if time.monotonic() >= self._deadline and VERDICTS[again.verdict].time:
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
        self._number = number
        self._lookup = self._address = None
        began = time.monotonic()
        answer = yield from self._resolve(number)
        self._timings["resolve"] = time.monotonic() - began
        if isinstance(answer, SessionOutcome):
            return _Ending(answer)
        turn = (number - 1) % len(answer)
        addresses = answer[turn:] + answer[:turn]
        self._others = len(addresses) > 1
        ending = yield from self._undisturbed(addresses)
        tried = self._address
        self._others = False
        if tried is not None and ending.session is not None and _may_go_elsewhere(ending.outcome):
            others = [address for address in addresses if address != tried]
            if others and time.monotonic() + LEAST_TIME < self._deadline:
                ending = yield from self._elsewhere(ending, tried, others)
        return ending

    def _elsewhere(
        self, ending: _Ending, tried: _Address, others: list[_Address]
    ) -> Generator[float, socket.socket | None, _Ending]:
        """One more session, at another address, as in Postfix (smtp_mx_session_limit)."""
        settled, timings = self._settled, self._timings
        self._settled, self._timings = 0.0, {"resolve": timings["resolve"]}
        second = yield from self._undisturbed(others)
        if VERDICTS[second.outcome.verdict].usable:
            reason = (
                f"{second.outcome.reason.rstrip('.')}; not so at {tried.ip}: {_lower(ending.outcome.reason)}"
            )
            return second._replace(outcome=second.outcome._replace(reason=reason))
        self._address, self._reached = tried, True
        self._settled, self._timings = settled, timings
        return ending

    def _undisturbed(self, addresses: list[_Address]) -> Generator[float, socket.socket | None, _Ending]:
        """The ladder; again, alone, where other connections of this probe may have ended it."""
        host = self.engine.host(addresses[0])
        tries = 0
        while True:
            self._address = addresses[0]
            yield from self._enter(host)
            if tries:
                self._calming = True
                yield from self._calm(host, tries)
                self._calming, self._heard = False, time.monotonic()
                self.release_if_silent()
            ending = yield from self._climb(addresses)
            self.release()
            if not self._disturbed or not _may_be_own_load(ending.outcome):
                return ending
            tries += 1
            address = self._address or addresses[0]
            host = self.engine.host(address)
            host.limit = 1
            if tries > DISTURBANCES or time.monotonic() + LEAST_TIME > self._deadline:
                words = f"{ending.outcome.reason} Other connections of this probe to {address.ip} may be the cause."
                return ending._replace(outcome=ending.outcome._replace(reason=words))
            addresses = [address, *(each for each in addresses if each != address)]
            self._settled, self._timings = 0.0, {"resolve": self._timings["resolve"]}

    def _calm(self, host: _Host, tries: int) -> Waiting:
        """Wait until the server has seen the end of this probe's other connections; not beyond the last good moment."""
        latest = self._deadline - RESERVE / 2 * self.engine.options.timeout
        if tries == 1 and not host.open:
            return  # most servers know at once
        while host.busy() and time.monotonic() < latest:
            yield from self._sleep(
                min(latest, max(time.monotonic() + 0.1, host.calm_at() if not host.open else 0.0))
            )

    def _climb(self, addresses: list[_Address]) -> Generator[float, socket.socket | None, _Ending]:
        """The whole ladder, with the second connections that the first one may call for."""
        endpoint, context = self.endpoint, self.engine.policy.context
        connection = yield from self._connect(addresses)
        if isinstance(connection, SessionOutcome):
            return _Ending(connection)
        session = Session(endpoint, self._settings(connection), context)
        yield from self._converse(connection, session)
        ending = _Ending(_verdict_of(session), session)

        chain = session.chain_error
        if chain is not None:
            # OpenSSL named one fault and broke off; a second connection shows the certificate.
            chain = chain._replace(authorities=self.engine.policy.has_authorities())
            second = yield from self._again(lambda settings: Session(endpoint, settings, context, chain))
            if second is not None and second.certificate is not None:
                ending = _Ending(_verdict_of(second), second)
        elif session.unseen:
            yield from self._look_at_chain(session)
            ending = _Ending(_verdict_of(session), session)

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

    def _look_at_chain(self, session: Session) -> Waiting:
        """Another connection shows what is wrong with the chain, where that does not decide and Python cannot tell."""
        settled, timings, disturbed = self._settled, self._timings, self._disturbed
        second = yield from self._again(
            lambda settings: ChainCheck(self.endpoint, settings, self.engine.policy.context)
        )
        if second is not None and second.chain_error is not None:
            session.note_chain(second.chain_error)
        self._settled, self._timings, self._disturbed = settled, timings, disturbed

    def _again(
        self, make: Callable[[Settings], Session]
    ) -> Generator[float, socket.socket | None, Session | None]:
        """Another connection to the address of the first; None when there is none to be had."""
        address, timings, tries = self._address, self._timings, 0
        if address is None:
            return None
        while True:
            self._timings = {"resolve": timings["resolve"]}
            session = None
            connection = yield from self._connect([address])
            if isinstance(connection, SessionOutcome):
                outcome: SessionOutcome | None = connection
                self._address, self._reached, self._timings = address, True, timings
            else:
                session = make(self._settings(connection))
                yield from self._converse(connection, session)
                outcome = session.outcome
            tries += 1
            if outcome is None or not (self._disturbed and _may_be_own_load(outcome)) or tries > DISTURBANCES:
                return session
            if time.monotonic() + LEAST_TIME > self._deadline:
                return session
            # The server may not have seen the end of the connection before.
            yield from self._calm(self.engine.host(address), tries)

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

    def _resolve(
        self, number: int
    ) -> Generator[float, socket.socket | None, SessionOutcome | list[_Address]]:
        host, port = self.endpoint.host, self.endpoint.port
        sources = self.engine.options.source_addresses
        family = next(iter(sources), "any") if len(sources) == 1 and self.family == "any" else self.family
        version = ip_version(host)
        if version:
            if family not in ("any", version):
                words = f"{host} is not an {_title(family)} address"
                if self.family == "any":
                    return SessionOutcome("dns_not_found", "resolve", f"{words}.")
                advice = f"{words}, and {family_is(family)}, or name the relay by its host name."
                return SessionOutcome("dns_not_found", "resolve", f"{words}.", advice)
            zone = host.partition("%")[2]
            if version == "ipv4":
                return [_Address(socket.AF_INET, (host, port))]
            try:
                scope = (int(zone) if zone.isdigit() else socket.if_nametoindex(zone)) if zone else 0
            except OSError:
                return SessionOutcome(
                    "unreachable", "connect", f"This host has no network interface {printable(zone)}."
                )
            return [_Address(socket.AF_INET6, (host.partition("%")[0], port, 0, scope))]
        families = [
            int(kind)
            for kind, name in ((socket.AF_INET6, "ipv6"), (socket.AF_INET, "ipv4"))
            if family in (name, "any")
        ]
        found = yield from self._look_up(host, families, number, family)
        if isinstance(found, SessionOutcome):
            return found
        return _interleaved(
            _Address(
                each.family,
                (each.ip, port) if each.family == socket.AF_INET else (each.ip, port, 0, each.scope),
            )
            for each in found
        )[:MAX_ADDRESSES]

    def _look_up(
        self, host: str, families: list[int], number: int, family: str
    ) -> Generator[float, socket.socket | None, SessionOutcome | Sequence[Found]]:
        """The addresses that Postfix on this host gets, and in ``_lookup`` from where."""
        from .resolver import Question

        options, sources = self.engine.options, self.engine.resolver.sources
        native = options.lookup != "dns" and not options.needs_dns
        if native and options.lookup != "both" and sources.files_first:
            local = sources.in_hosts(host, families)
            if local:
                self._lookup = "native"
                return local
        # Several endpoints of one host share one question for each family; a retry asks anew.
        answers = yield from self._ask([Question(host, (kind,), number) for kind in families])
        found = [each for answer in answers.values() for each in answer.addresses]
        if found:
            self._lookup = "native" if options.lookup == "native" else "dns"
            return found
        known = list(answers.values())
        failed = [answer for answer in known if answer.status != "missing"]
        more = sources.knows_more_than_dns(host)
        other = None
        if len(known) == len(families) and (more or (sources.search and not failed)):
            question = Question(host, tuple(families), number, True)
            other = (yield from self._ask([question])).get(question)
        if other is not None and other.status == "found" and native:
            self._lookup = "native"
            return other.addresses
        if len(known) < len(families) or (failed and (other is None or not other.addresses)):
            return self._no_answer(host, failed if len(known) == len(families) else [])
        if self.family in ("ipv4", "ipv6") and not (other and other.addresses):
            elsewhere = yield from self._other_family(host, families[0], number, native)
            if elsewhere:
                words = f"{host} has no {_title(family)} address, only {', '.join(each.ip for each in elsewhere[:3])}"
                return SessionOutcome(
                    "dns_not_found", "resolve", f"{words}.", f"{words}, and {family_is(family)}."
                )
        return _not_found(host, family, known, other, options.needs_dns)

    def _other_family(
        self, host: str, family: int, number: int, native: bool
    ) -> Generator[float, socket.socket | None, Sequence[Found]]:
        """The addresses of the family that was not asked for."""
        from .resolver import Question

        kind = int(socket.AF_INET if family == socket.AF_INET6 else socket.AF_INET6)
        local = self.engine.resolver.sources.in_hosts(host, [kind]) if native else ()
        if local:
            return local
        answers = yield from self._ask([Question(host, (kind,), number)])
        return [each for answer in answers.values() for each in answer.addresses]

    def _no_answer(self, host: str, failed: list[Answer]) -> SessionOutcome:
        if failed:
            words = f"{host} could not be resolved now ({printable(failed[-1].words)})."
        else:
            words = f"No answer to the question for {host} within {time.monotonic() - self._started:.1f} s."
        return SessionOutcome("dns_failure", "resolve", words, temporary=True)

    def _ask(
        self, questions: list[Question]
    ) -> Generator[float, socket.socket | None, dict[Question, Answer]]:
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
            if any(answer.addresses for answer in answers.values()):
                until = min(until, now + RESOLUTION_DELAY)
            yield until

    # Connect

    def _enter(self, host: _Host) -> Waiting:
        """Wait for a place at the host. What the wait leaves of the time is enough for a healthy server."""
        began = time.monotonic()
        latest = self._deadline - RESERVE * self.engine.options.timeout
        while not self.engine.enter(host, self):
            if time.monotonic() >= latest:
                self.engine.leave(host, self)
                break
            yield latest
        else:
            self._holding = host
        self._heard = time.monotonic()
        self._started += self._heard - began
        if self._holding is not None and host.queue:
            self.release_if_silent()

    def release_if_silent(self) -> None:
        """Others wait for a place here: give it up where nothing has been heard for too long."""
        host = self._holding
        if host is None or not host.queue or self._calming:
            return
        now = time.monotonic()
        rounds = math.ceil(len(host.queue) / host.limit)
        patience = min(HOST_PATIENCE, BEGINNING * self.engine.options.timeout / rounds)
        due = self._heard + (HOST_PATIENCE if self._greeted else patience)
        if due <= now:
            self.release()
        elif not now < self._watched <= due:
            self._watched = due
            self.engine.call_at(due, self.release_if_silent)

    def release(self) -> None:
        host, self._holding = self._holding, None
        if host is not None:
            self.engine.leave(host, self)

    def _connect(
        self, addresses: list[_Address]
    ) -> Generator[float, socket.socket | None, SessionOutcome | socket.socket]:
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
                self._arrive(address)
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
            source = self.engine.options.source_addresses.get(address.version)
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

    def _fate(self, address: _Address, error: OSError, waited: float) -> _Fate:
        where = f"{address.ip} port {self.endpoint.port}"
        if error.errno == errno.ECONNRESET:  # accepted, and reset before anyone looked
            return _Fate(address, "disconnected", f"{where} accepted the connection and broke it at once")
        if error.errno == errno.ECONNREFUSED:
            return _Fate(address, "refused", f"{where} refused the connection after {waited * 1000:.1f} ms")
        if error.errno == errno.ETIMEDOUT:
            return self._silence(address, waited)
        words = (error.strerror or str(error)).lower()
        source = self.engine.options.source_addresses.get(address.version)
        if error.errno == errno.EADDRNOTAVAIL and source:
            words += f", the source address {source} is not one of this host"
        return _Fate(address, "unreachable", f"{where} cannot be reached ({words})")

    def _silence(self, address: _Address, waited: float) -> _Fate:
        return _Fate(
            address,
            "filtered",
            f"no answer from {address.ip} port {self.endpoint.port} within {waited:.1f} s",
        )

    def _unconnected(self, fates: list[_Fate]) -> SessionOutcome:
        ranked = sorted(fates, key=lambda fate: VERDICTS[fate.verdict].telling)
        name = ranked[0].verdict
        self._address, self._reached = ranked[0].address, name == "disconnected"
        self._disturbed = self.engine.host(ranked[0].address).busy((self, self._number - 1))
        words = "; ".join(fate.words for fate in ranked)
        verdict = VERDICTS[name]
        return SessionOutcome(
            name, verdict.stage, words[:1].upper() + words[1:] + ".", temporary=verdict.transient
        )

    # Converse

    def _arrive(self, address: _Address) -> None:
        """A connection stands: count it, and see whether the server has others of this probe to count."""
        host = self.engine.host(address)
        # What a former attempt closed was followed by a pause.
        company = host.busy((self, self._number - 1))
        host.open += 1
        host.opened += 1
        self._visit = (host, host.opened, company)
        self._greeted = False

    def _depart(self, certain: bool) -> None:
        if self._visit is not None:
            host, number, company = self._visit
            self._visit = None
            self._disturbed = company or host.opened != number
            host.close(certain, (self, self._number))

    def _converse(self, connection: socket.socket, session: Session) -> Waiting:
        """Carry bytes between a session and its connection until the session is closed; close the connection."""
        engine = self.engine
        began = mark = time.monotonic()
        limit = self._deadline
        if self._others and session.greets_first:
            limit = began + (self._deadline - began) * SILENT_PART
        ask_at = self._silence_ends(began, limit) if session.greets_first else limit
        unsent = bytearray()
        hello: _HelloConnection | None = None
        ended = False
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
                        self._heard, self._greeted = now, True
                    mark = now
                if session.closed:
                    ended = ended or (yield from self._linger(connection, session, limit))
                    return
                ready = yield limit if hello is not None else min(limit, ask_at)
                now = time.monotonic()
                if ready is connection:
                    try:
                        data = connection.recv(_CHUNK)
                    except BlockingIOError:
                        continue
                    except OSError as error:
                        ended = True
                        session.lost((error.strerror or str(error)).lower())
                    else:
                        ended = not data
                        if session.silent and session.outcome is None:
                            limit = self._deadline
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
            # Only of a connection that it turned away is it sure that the server counts it no more.
            self._depart(ended and session.outcome is not None and _may_be_own_load(session.outcome))

    def _linger(
        self, connection: socket.socket, session: Session, limit: float
    ) -> Generator[float, socket.socket | None, bool]:
        """Where another connection to this host follows, its server has to see the end of this one first: whether it
        has."""
        host = self._visit[0] if self._visit else None
        limit = min(limit, time.monotonic() + FAREWELL)
        with contextlib.suppress(OSError):
            if session.chain_error is not None or (host is not None and host.queue):
                connection.shutdown(socket.SHUT_WR)
                while time.monotonic() < limit:
                    if (yield limit) is connection and not connection.recv(_CHUNK):
                        return True
            return False
        return True  # it was reset

    def _silence_ends(self, began: float, limit: float) -> float:
        """When to ask a silent port for TLS."""
        timeout = self.engine.options.timeout
        if self.endpoint.port in IMPLICIT_TLS_PORTS:
            return began + min(SILENCE_ON_IMPLICIT_PORT, timeout / 2)
        return max(began, limit - min(LAST_SECONDS, LAST_PART * timeout))

    def _ask_for_tls(self) -> _HelloConnection | None:
        if self.engine.spare < 1 or self._address is None:
            return None
        try:
            connection = self._open(self._address)
        except OSError:
            return None
        name = self.endpoint.server_name or self.endpoint.host
        return _HelloConnection(
            self, self._address, connection, TlsHello(self.engine.policy.context(False), name)
        )

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
            lookup=self._lookup,
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
            result.auth_mechanism = session.auth_mechanism
            result.tls_version = session.tls_version
            result.tls_cipher = session.tls_cipher
            if session.certificate is not None:
                result.certificate = certificates.as_dict(
                    session.certificate, session.problems, self.engine.now_epoch
                )
        return result


class _HelloConnection:
    """The second connection on which a silent port is asked whether it speaks TLS from the first byte."""

    def __init__(self, entry: _Probe, address: _Address, connection: socket.socket, hello: TlsHello) -> None:
        self.connection = connection
        self._selector = entry.engine.selector
        self._engine = entry.engine
        self._entry = entry
        self._hello = hello
        self._asked = False
        self._open = True
        self._engine.spare -= 1
        # Counted from the start: when it is made, the server counts it, whether this side has noticed or not.
        self._host = entry.engine.host(address)
        self._host.open += 1
        self._host.opened += 1

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
            self._host.close(False, self._entry)
            self._selector.unregister(self.connection)
            self.connection.close()


def _verdict_of(session: Session) -> SessionOutcome:
    if session.outcome is None:  # pragma: no cover
        raise AssertionError("a session closed without a verdict")
    return session.outcome


def _may_go_plain(endpoint: Endpoint) -> bool:
    return endpoint.tls == "opportunistic" and endpoint.credentials is None


def _may_go_elsewhere(outcome: SessionOutcome) -> bool:
    return VERDICTS[outcome.verdict].elsewhere or (outcome.temporary and outcome.stage != "auth")


def _may_be_own_load(outcome: SessionOutcome) -> bool:
    """Whether a limit of connections may be the reason: turned away before anything was said, or by 421."""
    if VERDICTS[outcome.verdict].crowding:
        return True
    return outcome.temporary and (outcome.stage == "ehlo" or ": 421 " in outcome.reason)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _not_found(
    host: str, family: str, known: Sequence[Answer], other: Answer | None, needs_dns: bool
) -> SessionOutcome:
    """Why there is no address that Postfix would take, and what to do."""
    where = ", ".join(each.ip for each in other.addresses[:3]) if other is not None else ""
    if other is not None and other.completed:
        return SessionOutcome(
            "dns_not_found",
            "resolve",
            f"{host} does not exist; the search list of this host makes {other.completed} of it ({where}), and Postfix "
            "looks up the name as it is written.",
            f"Write the full name, {other.completed}, where that is the relay you mean; else correct {host}.",
        )
    if other is not None and other.status == "found":
        why = (
            "the TLS levels dane and dane-only take names from DNS alone"
            if needs_dns
            else "Postfix on this host asks DNS alone (smtp_host_lookup = dns)"
        )
        return SessionOutcome(
            "dns_not_found",
            "resolve",
            f"{host} is not in DNS, only in this host's own name service ({where}), and {why}.",
            f"Create the address record of {host} in DNS, or "
            + ("use another TLS level." if needs_dns else "set smtp_host_lookup = native in Postfix."),
        )
    what = "address" if family in ("any", "both") else f"{_title(family)} address"
    words = printable(known[-1].words) or "no such name"
    return SessionOutcome("dns_not_found", "resolve", f"{host} does not exist or has no {what} ({words}).")


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
