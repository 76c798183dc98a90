"""Drives many sessions over sockets, under deadlines.

Theory of operation. Each endpoint is a _Probe, whose _steps() resolve, connect, converse and retry in plain sequence: a
task of the loop (loop.py), so one thread is enough. Only name lookup, which cannot be had without blocking, is done by
daemon threads (resolve.py, imported where there is a name).

A server may limit the connections of one client, and this probe makes many. A _Host keeps count of them for each
address: few at a time, and where one was turned away while another was open, or not surely closed, that proves nothing:
it is tried again alone.

Rules of this file: every wait has a deadline, on the monotonic clock. The deadline of an endpoint covers everything
that is done for it: resolution, the wait for its turn at the address, every attempt, the pauses between, and the looks
from a second side. Nothing of SMTP is decided here, only when to connect, where, and how often.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import math
import os
import resource
import socket
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Sequence

from ..._base.addresses import IMPLICIT_TLS_PORTS, family_title, ip_version, is_host_name
from .. import certificate as certificates
from ..endpoint import Endpoint, Options
from ..reply import printable
from ..session import ChainCheck, PipeliningCheck, Session, SessionOutcome, Settings
from ..tls import TlsPolicy
from ..tls_pipe import TlsHello
from ..verdict import TIMINGS, VERDICTS, Result, family_is
from .connect import Address, ConnectFailure, connect, interleaved, start
from .loop import READ, WRITE, Loop, Steps, Task, sleep

if TYPE_CHECKING:
    from .resolve import Resolver

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
# The part of the time after which the other family counts as dead, where that is less than the time for a connection.
FAMILY_PART = 0.5
# The pause before the first retry; each further one is twice as long.
BACKOFF = 0.5
# A retry with less time than this would only tell that time ran out.
LEAST_TIME = 0.5
# As in Postfix (smtp_mx_address_limit).
MAX_ADDRESSES = 5
_CHUNK = 16384


class _Attempt(NamedTuple):
    """How an attempt ended; with the session that tells the most, where there was one."""

    outcome: SessionOutcome
    session: Session | None = None


class _Host:
    """What this probe has at one address: slots taken and wished for, connections open and lately closed.

    A slot is for a probe with all its connections, one after the other.
    """

    def __init__(self, loop: Loop, limit: float) -> None:
        self.limit = limit
        self.queue: deque[_Probe] = deque()
        self.open = 0
        self.opened = 0
        self._loop = loop
        self._holders: list[_Probe] = []
        self._uncertain: list[tuple[float, object]] = []

    def acquire(self, probe: _Probe) -> bool:
        """Take a slot; False: none is free, and the probe will be woken when it has one."""
        if probe in self._holders:  # it was handed over
            return True
        if len(self._holders) < self.limit and not self.queue:
            self._holders.append(probe)
            return True
        if probe not in self.queue:
            self.queue.append(probe)
            for holder in self._holders:
                self._loop.call_at(0.0, holder.release_if_silent)
        return False

    def release(self, probe: _Probe) -> None:
        """Give the slot back, or the wait for one up."""
        if probe in self.queue:
            self.queue.remove(probe)
        if probe in self._holders:
            self._holders.remove(probe)
        while self.queue and len(self._holders) < self.limit:
            following = self.queue.popleft()
            self._holders.append(following)
            self._loop.wake_soon(following.task)

    def close(self, certain: bool, who: object) -> None:
        """A connection has ended; ``certain``: the server has ended it too."""
        self.open -= 1
        if not certain:
            now = time.monotonic()
            self._uncertain = [each for each in self._uncertain if each[0] > now - QUIET] + [(now, who)]

    def calm_at(self, but: object = None) -> float:
        """From when on the server knows of no connection that has been closed, those of ``but`` aside."""
        return max((when + QUIET for when, who in self._uncertain if who != but), default=0.0)

    def contended(self, but: object = None) -> bool:
        """Whether the server may still count a connection that was made before."""
        return self.open > 0 or self.calm_at(but) > time.monotonic()


def probe(
    endpoints: Sequence[Endpoint], options: Options, make: Callable[..., Session] = Session
) -> list[Result]:
    """Probe all endpoints at once; the results stand in the order asked, one for each endpoint.

    With ``family`` ``both``, an endpoint that has addresses of both families has two results, IPv4 first.
    ``make`` makes the session that climbs the ladder, as Session does or a class below it.
    Raises OptionError when ``ca_path`` cannot be used.
    """
    run = _Run(options, make)
    try:
        return run.results_of(endpoints)
    finally:
        run.close()


class _Run:
    """What the probes of one call have in common."""

    def __init__(self, options: Options, make: Callable[..., Session] = Session) -> None:
        self.options = options
        self.make = make
        self._policies: dict[Any, TlsPolicy] = {}
        self.policy(options)
        self.loop = Loop()
        self._resolver: Resolver | None = None
        self.now_epoch = time.time()
        self.host_name = socket.gethostname()
        # Half of the descriptors is for one connection of each active probe, half for their second ones.
        half = max(1, _free_descriptors() // 2)
        self.spare = half
        self._slots = min(options.concurrency, half)
        self._waiting: deque[_Probe] = deque()
        self._hosts: dict[str, _Host] = {}

    def policy(self, options: Options) -> TlsPolicy:
        key = (
            options.ca_path,
            options.min_tls_version,
            options.system_authorities,
            options.client_certificates,
        )
        if key not in self._policies:
            self._policies[key] = TlsPolicy(*key)
        return self._policies[key]

    @property
    def resolver(self) -> Resolver:
        if self._resolver is None:
            from .resolve import Resolver  # only where there are names to resolve

            self._resolver = Resolver(self.loop, notify=self.loop.wake)
        return self._resolver

    def close(self) -> None:
        if self._resolver is not None:
            self._resolver.close()
        self.loop.close()

    def results_of(self, endpoints: Sequence[Endpoint]) -> list[Result]:
        groups = [
            [_Probe(self, endpoint, family) for family in self._families(endpoint)] for endpoint in endpoints
        ]
        self._waiting.extend(probe for group in groups for probe in group)
        while self._waiting or self.loop.active:
            self._start_waiting()
            self.loop.run_once()
        for probe in (probe for group in groups for probe in group):
            probe.result.silent = probe.silent
        return [result for group in groups for result in _of_families([probe.result for probe in group])]

    def _families(self, endpoint: Endpoint) -> Sequence[str]:
        if self.options.family != "both":
            return (self.options.family,)
        version = ip_version(endpoint.host)
        return (version,) if version else ("ipv4", "ipv6")

    def _start_waiting(self) -> None:
        while self._waiting and self.loop.active < self._slots:
            self._waiting.popleft().begin()

    def host(self, address: Address) -> _Host:
        if address.ip not in self._hosts:
            self._hosts[address.ip] = _Host(self.loop, math.inf if address.loopback else HOST_LIMIT)
        return self._hosts[address.ip]


class _Probe:
    """One endpoint over one address family (or over any)."""

    def __init__(self, run: _Run, endpoint: Endpoint, family: str) -> None:
        self.endpoint = endpoint
        self.family = family
        self.task: Task
        self.result: Result
        self.silent: tuple[str, ...] = ()
        self._families_checked = False
        self._run = run
        self._options = endpoint.options or run.options
        self._policy = run.policy(self._options)
        self._timings: dict[str, float] = {}
        self._started = self._deadline = self._settled = 0.0
        self._address: Address | None = None
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

    def begin(self) -> None:
        self.task = self._run.loop.spawn(self._steps())
        self._run.loop.wake(self.task)

    def _steps(self) -> Steps[None]:
        options = self._run.options
        self._started = time.monotonic()
        self._deadline = self._started + options.timeout
        attempts = 1
        result = self._report((yield from self._attempt(attempts)))
        while result.temporary and attempts <= options.retries:
            resume_at = time.monotonic() + BACKOFF * 2 ** (attempts - 1)
            if resume_at + LEAST_TIME > self._deadline:
                break
            yield from sleep(resume_at)
            attempts += 1
            again = self._report((yield from self._attempt(attempts)))
            if time.monotonic() >= self._deadline and VERDICTS[again.verdict].time:
                break  # it had less time than the one before, whose verdict therefore stands
            result = again
        if result.stage == "connect":
            result.advice += yield from self._exchangers()
        self.result = result
        self.result.attempts = attempts

    def _attempt(self, number: int) -> Steps[_Attempt]:
        self._timings = {}
        self._settled = 0.0
        self._reached = False
        self._number = number
        self._lookup = self._address = None
        began = time.monotonic()
        answer = yield from self._resolve(number)
        self._timings["resolve"] = time.monotonic() - began
        if isinstance(answer, SessionOutcome):
            return _Attempt(answer)
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

    def _elsewhere(self, ending: _Attempt, tried: Address, others: list[Address]) -> Steps[_Attempt]:
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

    def _undisturbed(self, addresses: list[Address]) -> Steps[_Attempt]:
        """The ladder; again, alone, where other connections of this probe may have ended it."""
        host = self._run.host(addresses[0])
        tries = 0
        while True:
            self._address = addresses[0]
            yield from self._acquire(host)
            if tries:
                self._calming = True
                yield from self._calm(host, tries)
                self._calming, self._heard = False, time.monotonic()
                self.release_if_silent()
            ending = yield from self._ladder(addresses)
            self._release()
            if not self._disturbed or not _may_be_own_load(ending.outcome):
                return ending
            tries += 1
            address = self._address or addresses[0]
            host = self._run.host(address)
            host.limit = 1
            if tries > DISTURBANCES or time.monotonic() + LEAST_TIME > self._deadline:
                words = f"{ending.outcome.reason} Other connections of this probe to {address.ip} may be the cause."
                return ending._replace(outcome=ending.outcome._replace(reason=words))
            addresses = [address, *(each for each in addresses if each != address)]
            self._settled, self._timings = 0.0, {"resolve": self._timings["resolve"]}

    def _calm(self, host: _Host, tries: int) -> Steps[None]:
        """Wait until the server has seen the end of this probe's other connections; not beyond the last good moment."""
        latest = self._deadline - RESERVE / 2 * self._run.options.timeout
        if tries == 1 and not host.open:
            return  # most servers know at once
        while host.contended() and time.monotonic() < latest:
            yield from sleep(
                min(latest, max(time.monotonic() + 0.1, host.calm_at() if not host.open else 0.0))
            )

    def _ladder(self, addresses: list[Address]) -> Steps[_Attempt]:
        """The whole ladder, with the second connections that the first one may call for."""
        endpoint, context = self.endpoint, self._policy.context
        connection = yield from self._connect(addresses)
        if isinstance(connection, SessionOutcome):
            return _Attempt(connection)
        self._check_families(addresses)
        session = self._run.make(endpoint, self._settings(connection), context)
        yield from self._converse(connection, session)
        ending = _Attempt(_verdict_of(session), session)

        chain = session.chain_error
        if chain is not None:
            # OpenSSL named one fault and broke off; a second connection shows the certificate.
            chain = chain._replace(authorities=self._policy.has_authorities())
            second = yield from self._again(lambda settings: Session(endpoint, settings, context, chain))
            if second is not None and second.certificate is not None:
                ending = _Attempt(_verdict_of(second), second)
        elif session.unseen:
            yield from self._look_at_chain(session)
            ending = _Attempt(_verdict_of(session), session)

        if ending.outcome.verdict in ("tls_failed", "tls_too_old") and _may_go_plain(endpoint):
            why = ending.outcome.reason[:1].lower() + ending.outcome.reason[1:].rstrip(".")
            plain = yield from self._again(
                lambda settings: self._run.make(endpoint, settings, context, plain=why)
            )
            if plain is not None:
                ending = _Attempt(_verdict_of(plain), plain)

        if self._run.options.check_injection and VERDICTS[ending.outcome.verdict].usable:
            ending = yield from self._check_injection(ending)
        return ending

    def _check_injection(self, ending: _Attempt) -> Steps[_Attempt]:
        session = ending.session
        if session is None or session.tls_version is None or self.endpoint.tls == "implicit":
            return ending
        settled, timings, chain = self._settled, self._timings, session.chain
        context = self._policy.context
        check = yield from self._again(
            lambda settings: PipeliningCheck(self.endpoint, settings, context, chain)
        )
        self._settled, self._timings = settled, timings
        return ending if check is None or check.outcome is None else ending._replace(outcome=check.outcome)

    def _look_at_chain(self, session: Session) -> Steps[None]:
        """Another connection shows what is wrong with the chain, where that does not decide and Python cannot tell."""
        settled, timings, disturbed = self._settled, self._timings, self._disturbed
        second = yield from self._again(
            lambda settings: ChainCheck(self.endpoint, settings, self._policy.context)
        )
        if second is not None and second.chain_error is not None:
            session.note_chain(second.chain_error)
        self._settled, self._timings, self._disturbed = settled, timings, disturbed

    def _again(self, make: Callable[[Settings], Session]) -> Steps[Session | None]:
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
            yield from self._calm(self._run.host(address), tries)

    def _settings(self, connection: socket.socket) -> Settings:
        options = self._options
        name = options.helo_name or self._run.host_name
        if options.helo_name is None and (
            "." not in name or "_" in name or not is_host_name(name.rstrip("."))
        ):
            # RFC 5321 section 4.1.4: a client without a meaningful name gives its address.
            ip = connection.getsockname()[0].partition("%")[0]
            name = f"[IPv6:{ip}]" if ":" in ip else f"[{ip}]"
        return Settings(
            name,
            self._run.now_epoch,
            options.validate_certs,
            options.min_days,
            options.min_tls_version,
            options.mail_from,
            options.rcpt_to,
            bool(options.client_certificates),
        )

    # Resolve

    def _resolve(self, number: int) -> Steps[SessionOutcome | list[Address]]:
        host, port = self.endpoint.host, self.endpoint.port
        sources = self._run.options.source_addresses
        family = next(iter(sources), "any") if len(sources) == 1 and self.family == "any" else self.family
        version = ip_version(host)
        if version:
            return self._literal(version, family)
        from .resolve import Addresses, HostLookup

        lookup = HostLookup(
            self._run.resolver,
            self.task,
            self._options,
            host,
            family,
            self.family in ("ipv4", "ipv6"),
            number,
            self._deadline,
        )
        answer = yield from lookup.run()
        if not isinstance(answer, Addresses):
            verdict, reason, advice, temporary = answer
            return SessionOutcome(verdict, "resolve", reason, advice, temporary)
        self._lookup = answer.lookup
        found = interleaved(Address.of(each.family, each.ip, port, each.scope) for each in answer.found)
        return found[:MAX_ADDRESSES]

    def _exchangers(self) -> Steps[str]:
        """Where the host that does not answer has MX records: that they are not asked for, and what to write."""
        host, address = self.endpoint.host, self._address
        if ip_version(host) or self._run.options.lookup == "native" or (address and address.loopback):
            return ""
        from .resolve import exchangers, named_by_host

        found = yield from exchangers(self._run.resolver, self.task, host, self._deadline)
        return f" {named_by_host(host, found)}" if found else ""

    def _literal(self, version: str, family: str) -> SessionOutcome | list[Address]:
        """The address that stands in the place of a host name; ``family`` is what may be used."""
        host, port = self.endpoint.host, self.endpoint.port
        if family not in ("any", version):
            words = f"{host} is not an {family_title(family)} address"
            if self.family == "any":
                return SessionOutcome("dns_not_found", "resolve", f"{words}.")
            advice = f"{words}, and {family_is(family)}, or name the relay by its host name."
            return SessionOutcome("dns_not_found", "resolve", f"{words}.", advice)
        if version == "ipv4":
            return [Address.of(socket.AF_INET, host, port)]
        ip, _mark, zone = host.partition("%")
        try:
            scope = (int(zone) if zone.isdigit() else socket.if_nametoindex(zone)) if zone else 0
        except OSError:
            words = f"This host has no network interface {printable(zone)}."
            return SessionOutcome("unreachable", "connect", words)
        return [Address.of(socket.AF_INET6, ip, port, scope)]

    # Connect

    def _acquire(self, host: _Host) -> Steps[None]:
        """Wait for a slot at the host. What the wait leaves of the time is enough for a healthy server."""
        began = time.monotonic()
        latest = self._deadline - RESERVE * self._run.options.timeout
        while not host.acquire(self):
            if time.monotonic() >= latest:
                host.release(self)
                break
            yield latest
        else:
            self._holding = host
        self._heard = time.monotonic()
        self._started += self._heard - began
        if self._holding is not None and host.queue:
            self.release_if_silent()

    def release_if_silent(self) -> None:
        """Others wait for a slot here: give it up where nothing has been heard for too long."""
        host = self._holding
        if host is None or not host.queue or self._calming:
            return
        now = time.monotonic()
        rounds = math.ceil(len(host.queue) / host.limit)
        patience = min(HOST_PATIENCE, BEGINNING * self._run.options.timeout / rounds)
        due = self._heard + (HOST_PATIENCE if self._greeted else patience)
        if due <= now:
            self._release()
        elif not now < self._watched <= due:
            self._watched = due
            self._run.loop.call_at(due, self.release_if_silent)

    def _release(self) -> None:
        host, self._holding = self._holding, None
        if host is not None:
            host.release(self)

    def _connect(self, addresses: list[Address]) -> Steps[SessionOutcome | socket.socket]:
        run = self._run
        began = time.monotonic()
        limit = min(began + run.options.connect_timeout, self._deadline)
        found = yield from connect(run.loop, self.task, addresses, limit, run.options.source_addresses)
        self._timings["connect"] = time.monotonic() - began
        if isinstance(found, list):
            return self._unconnected(found)
        connection, address = found
        self._address, self._reached = address, True
        self._arrive(address)
        return connection

    def _check_families(self, addresses: list[Address]) -> None:
        """See whether the other family connects as well, beside the conversation, which waits for nothing.

        Postfix begins with either one, and waits for it where nothing answers.
        """
        run, own = self._run, self._address
        others = [each for each in addresses if own is not None and each.family != own.family]
        limit = time.monotonic() + min(run.options.connect_timeout, FAMILY_PART * run.options.timeout)
        if not run.options.check_families or self._families_checked or not others or limit > self._deadline:
            return
        self._families_checked = True
        if run.spare < 1:
            return
        run.spare -= 1
        tasks: list[Task] = []
        tasks.append(run.loop.spawn(self._other_family(others, limit, tasks)))
        run.loop.wake_soon(tasks[0])

    def _other_family(self, addresses: list[Address], limit: float, tasks: list[Task]) -> Steps[None]:
        run = self._run
        found = yield from connect(run.loop, tasks[0], addresses, limit, run.options.source_addresses)
        run.spare += 1
        if isinstance(found, list):
            if all(failure.verdict == "filtered" for failure in found):
                self.silent = tuple(failure.address.ip for failure in found)
            return
        connection, address = found
        connection.close()
        host = run.host(address)
        host.open += 1
        host.opened += 1
        host.close(False, self)

    def _unconnected(self, failures: list[ConnectFailure]) -> SessionOutcome:
        most = failures[0]
        self._address, self._reached = most.address, most.verdict == "disconnected"
        self._disturbed = self._run.host(most.address).contended((self, self._number - 1))
        words = "; ".join(failure.words for failure in failures)
        verdict = VERDICTS[most.verdict]
        return SessionOutcome(
            most.verdict, verdict.stage, words[:1].upper() + words[1:] + ".", temporary=verdict.transient
        )

    # Converse

    def _arrive(self, address: Address) -> None:
        """A connection stands: count it, and see whether the server has others of this probe to count."""
        host = self._run.host(address)
        # What a former attempt closed was followed by a pause.
        company = host.contended((self, self._number - 1))
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

    def _converse(self, connection: socket.socket, session: Session) -> Steps[None]:
        """Carry bytes between a session and its connection until the session is closed; close the connection."""
        loop = self._run.loop
        began = mark = time.monotonic()
        limit = self._deadline
        if self._others and session.greets_first:
            limit = began + (self._deadline - began) * SILENT_PART
        ask_at = self._silence_ends(began, limit) if session.greets_first else limit
        unsent = bytearray()
        hello: _HelloConnection | None = None
        ended = False
        loop.watch(connection, READ, self.task)
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
            loop.unwatch(connection)
            connection.close()
            if hello is not None:
                hello.close()
            # Only of a connection that it turned away is it sure that the server counts it no more.
            self._depart(ended and session.outcome is not None and _may_be_own_load(session.outcome))

    def _linger(self, connection: socket.socket, session: Session, limit: float) -> Steps[bool]:
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
        timeout = self._run.options.timeout
        if self.endpoint.port in IMPLICIT_TLS_PORTS:
            return began + min(SILENCE_ON_IMPLICIT_PORT, timeout / 2)
        return max(began, limit - min(LAST_SECONDS, LAST_PART * timeout))

    def _ask_for_tls(self) -> _HelloConnection | None:
        run = self._run
        if run.spare < 1 or self._address is None:
            return None
        try:
            connection = start(run.loop, self.task, self._address, run.options.source_addresses)
        except OSError:
            return None
        name = self.endpoint.server_name or self.endpoint.host
        hello = TlsHello(self._policy.context(False), name)
        return _HelloConnection(run, self, self._address, connection, hello)

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
            self._run.loop.rewatch(connection, READ | (WRITE if unsent else 0))

    # Report

    def _report(self, ending: _Attempt) -> Result:
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
                    session.certificate, session.problems, self._run.now_epoch
                )
        return result


class _HelloConnection:
    """The second connection on which a silent port is asked whether it speaks TLS from the first byte."""

    def __init__(
        self, run: _Run, probe: _Probe, address: Address, connection: socket.socket, hello: TlsHello
    ) -> None:
        self.connection = connection
        self._run = run
        self._probe = probe
        self._hello = hello
        self._asked = False
        self._open = True
        run.spare -= 1
        # Counted from the start: when it is made, the server counts it, whether this side has noticed or not.
        self._host = run.host(address)
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
                self._run.loop.rewatch(self.connection, READ)
        except BlockingIOError:
            return False
        except OSError:
            self.close()
        return self._hello.speaks_tls

    def close(self) -> None:
        if self._open:
            self._open = False
            self._run.spare += 1
            self._host.close(False, self._probe)
            self._run.loop.unwatch(self.connection)
            self.connection.close()


def _verdict_of(session: Session) -> SessionOutcome:
    if session.outcome is None:  # pragma: no cover
        raise AssertionError("a session closed without a verdict")
    return session.outcome


def _may_go_plain(endpoint: Endpoint) -> bool:
    return endpoint.tls == "opportunistic" and endpoint.credentials is None


def _may_go_elsewhere(outcome: SessionOutcome) -> bool:
    if outcome.last:
        return False
    return VERDICTS[outcome.verdict].elsewhere or (outcome.temporary and outcome.stage != "auth")


def _may_be_own_load(outcome: SessionOutcome) -> bool:
    """Whether a limit of connections may be the reason: turned away before anything was said, or by 421."""
    if outcome.last:
        return False
    if VERDICTS[outcome.verdict].crowding:
        return True
    return outcome.temporary and (outcome.stage == "ehlo" or ": 421 " in outcome.reason)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _of_families(results: list[Result]) -> list[Result]:
    """Of the results of both families those that say something: a family without addresses is left out."""
    found = [result for result in results if result.verdict != "dns_not_found"]
    unresolved = all(result.stage == "resolve" for result in results)
    return (found or results)[:1] if unresolved else found


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
