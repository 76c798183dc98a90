"""Finds the addresses of a host name as Postfix on this host finds them.

Theory of operation. Postfix asks DNS for the very name it was given, never a name made of it with the search list
(dns_lookup.c, postconf(5) smtp_host_lookup); with ``smtp_host_lookup = native`` it asks the system's name service
(nsswitch.conf), /etc/hosts included. So here: what /etc/hosts has, where the system looks there before it asks DNS, is
native; what DNS has under the very name is dns; what neither has, and the name service has all the same, is native. An
address that only the search list gives belongs to another name, and is not taken for this one. DNS is asked through the
C library's resolver, which reads resolv.conf as it does for Postfix. It can block for long, so every question is
answered in a daemon thread, and one that never ends holds up neither a deadline nor the process. It is loaded only
where there is a name to look up.

Rules of this file: parsing is done by functions without I/O; who waits for an answer is a task of the loop. It says
whether a name has addresses, and why not; what that means for a probe is not its affair.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from collections import deque
from queue import SimpleQueue
from threading import Thread
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Sequence

from ..._base.addresses import family_title
from ..._base.words import listed
from ..endpoint import Options
from ..reply import printable
from ..verdict import family_is
from .loop import READ, Loop, Steps, Task

# RFC 8305 section 3 has 50 ms; a little more loses no family to a slow name server, and still little time. In seconds.
RESOLUTION_DELAY = 0.25
FOUND, MISSING, FAILED = "found", "missing", "failed"
MAX_THREADS = 1024
# As in Postfix: DNS_QUERY's limit of aliases that are followed.
MAX_ALIASES = 10
_ANSWER_SIZE = 65536
_TYPES: dict[int, int] = {socket.AF_INET: 1, socket.AF_INET6: 28}
_ADDRESS_SIZES = {1: 4, 28: 16}
_CNAME, _MX, _INTERNET = 5, 15, 1
_NO_ERROR, _NAME_ERROR = 0, 3
_RCODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
# What getaddrinfo says of a name without an address.
_UNKNOWN = {getattr(socket, name, None) for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY")}
_NO_NAME, _NO_RECORD = "no such name in DNS", "no such record in DNS"
# How long a name server has for the MX records of a name without an address: they decide nothing. In seconds.
_HINT_DELAY = 1.0
# How many of its hosts are named.
_MAX_EXCHANGERS = 4
# glibc has had no limit since 2.26; this many say enough.
_MAX_SEARCH = 16


class Found(NamedTuple):
    """One address. ``scope`` is the interface of an IPv6 link-local one, else 0."""

    family: int
    ip: str
    scope: int = 0


class Lookup(NamedTuple):
    """A question: of one family in DNS, or of several in the name service (``native``); without one for MX records.

    A retry has another number, so that it is not given the old answer.
    """

    host: str
    families: tuple[int, ...]
    number: int = 1
    native: bool = False


class Answer(NamedTuple):
    """``words`` say why there is no address; ``completed`` is the name that only the search list makes of it.

    ``alias``: what a name without an address is an alias of. ``exchangers``: the hosts of its MX records.
    """

    status: str
    addresses: tuple[Found, ...] = ()
    words: str = ""
    completed: str = ""
    alias: str = ""
    exchangers: tuple[str, ...] = ()


AskDns = Callable[[str, int], Answer]


# DNS messages (RFC 1035 section 4)


class Message(NamedTuple):
    """What an answer holds of one type of record, and the alias that it ends in ("" for none)."""

    rcode: int
    addresses: tuple[str, ...]
    alias: str


class MessageError(ValueError):
    """The message is cut off or points in circles."""


def parse_message(message: bytes, family: int) -> Message:
    """Read an answer. Raises MessageError."""
    kind, flags, addresses, alias = _TYPES[family], 0, [], ""
    try:
        flags = struct.unpack_from("!H", message, 2)[0]
        for found, position, data in _records(message):
            if found == kind and len(data) == _ADDRESS_SIZES[kind]:
                addresses.append(socket.inet_ntop(family, data))
            elif found == _CNAME:
                alias = _name(message, position)[0]
    except (struct.error, IndexError):
        if not message[2:3] or not message[2] & 2:
            raise MessageError("the message is cut off") from None
    return Message(flags & 15, tuple(dict.fromkeys(addresses)), alias)


def parse_exchangers(message: bytes) -> tuple[str, ...]:
    """The hosts of the MX records in an answer, the preferred ones first. Raises MessageError.

    A domain that takes no mail has one without a name (RFC 7505).
    """
    try:
        found = [
            (struct.unpack_from("!H", data)[0], _name(message, position + 2)[0])
            for kind, position, data in _records(message)
            if kind == _MX
        ]
    except (struct.error, IndexError):
        raise MessageError("the message is cut off") from None
    return tuple(dict.fromkeys(name for _preference, name in sorted(found) if name))


def _records(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, place and data of each record of the Internet in an answer. Raises struct.error and IndexError."""
    questions, answers = struct.unpack_from("!HH", message, 4)
    position = 12
    for _number in range(questions):
        position = _name(message, position)[1] + 4
    for _number in range(answers):
        position = _name(message, position)[1]
        kind, network, _ttl, length = struct.unpack_from("!HHIH", message, position)
        position += 10
        data = message[position : position + length]
        if len(data) < length:
            raise IndexError("a record is cut off")
        if network == _INTERNET:
            yield kind, position, data
        position += length


def _name(message: bytes, position: int) -> tuple[str, int]:
    """A name, and where what follows it begins."""
    labels, after, jumps = [], -1, 0
    while True:
        length = message[position]
        if length >= 0xC0:
            after = position + 2 if after < 0 else after
            position = (length & 0x3F) << 8 | message[position + 1]
            jumps += 1
            if jumps > 64:
                raise MessageError("a name points in circles")
        elif length:
            labels.append(message[position + 1 : position + 1 + length].decode("latin-1"))
            position += 1 + length
        else:
            return ".".join(labels).lower(), position + 1 if after < 0 else after


# The system's files


def parse_nsswitch(text: str) -> tuple[str, ...]:
    """The sources of host names in their order, without the actions; what the C library does where none are named."""
    for line in text.splitlines():
        database, colon, sources = line.partition("#")[0].partition(":")
        if colon and database.strip().lower() == "hosts":
            words = []
            while sources:
                plain, _bracket, rest = sources.partition("[")
                words += plain.split()
                sources = rest.partition("]")[2]
            return tuple(word.lower() for word in words) or ("files", "dns")
    return ("files", "dns")


def parse_hosts(text: str) -> dict[str, tuple[Found, ...]]:
    """The addresses of each name in /etc/hosts (hosts(5)), by the name in small letters."""
    table: dict[str, list[Found]] = {}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        found = _literal(words[0]) if len(words) > 1 else None
        if found is None:
            continue
        for name in words[1:]:
            addresses = table.setdefault(name.lower(), [])
            if found not in addresses:
                addresses.append(found)
    return {name: tuple(addresses) for name, addresses in table.items()}


def _literal(text: str) -> Found | None:
    address, _mark, zone = text.partition("%")
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError, ValueError):
            packed = socket.inet_pton(family, address)
            scope = (int(zone) if zone.isdigit() else socket.if_nametoindex(zone)) if zone else 0
            return Found(family, socket.inet_ntop(family, packed), scope)
    return None


def parse_search(text: str, local_domain: str | None, host_name: str) -> tuple[str, ...]:
    """The search list of resolv.conf(5): the last of search and domain, $LOCALDOMAIN before both, else the domain of
    this host."""
    domains: list[str] | None = None
    for line in text.splitlines():
        words = line.split()
        if words and words[0] in ("search", "domain"):
            domains = words[1:] if words[0] == "search" else words[1:2]
    if local_domain is not None:
        domains = local_domain.split()
    if domains is None:
        domains = [host_name.partition(".")[2]]
    plain = [domain.strip(".").lower() for domain in domains]
    return tuple(dict.fromkeys(domain for domain in plain if domain))[:_MAX_SEARCH]


class Sources(NamedTuple):
    """Where this host's name service looks, and what its files hold."""

    services: tuple[str, ...]
    hosts: Mapping[str, tuple[Found, ...]]
    search: tuple[str, ...]

    @classmethod
    def read(cls) -> Sources:
        return cls(
            parse_nsswitch(_text("/etc/nsswitch.conf")),
            parse_hosts(_text("/etc/hosts")),
            parse_search(_text("/etc/resolv.conf"), os.environ.get("LOCALDOMAIN"), socket.gethostname()),
        )

    @property
    def files_first(self) -> bool:
        """Whether /etc/hosts is looked at before DNS is asked."""
        for service in self.services:
            if service == "files":
                return True
            if service in ("dns", "resolve"):
                return False
        return False

    def in_hosts(self, host: str, families: Sequence[int]) -> tuple[Found, ...]:
        return tuple(found for found in self.hosts.get(host, ()) if found.family in families)

    def knows_more_than_dns(self, host: str) -> bool:
        """Whether the name service may have a name that DNS does not have."""
        return any(
            service != "dns" and (service != "files" or host in self.hosts) for service in self.services
        )


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


# DNS through the C library


class _Library:
    """res_mkquery and res_send of the C library, whatever it calls them. Raises OSError where it has none."""

    def __init__(self) -> None:
        try:
            import ctypes
        except ImportError as error:  # a Python built without it
            raise OSError(str(error)) from error
        self._ctypes = ctypes
        for library in (None, "libresolv.so.2", "libc.so.6"):
            try:
                self._handle = ctypes.CDLL(library, use_errno=True)
                self._make, self._send = self._function("mkquery"), self._function("send")
                return
            except (OSError, AttributeError):
                continue
        raise OSError("the C library has no resolver")

    def _function(self, name: str) -> Any:
        # glibc before 2.34 has them in libresolv, with underscores; musl has them in libc.
        function = getattr(self._handle, f"res_{name}", None) or getattr(self._handle, f"__res_{name}")
        function.restype = self._ctypes.c_int
        return function

    def ask(self, name: str, kind: int) -> bytes:
        """The answer of the name servers. Raises OSError when there is none, ValueError for a name that cannot be."""
        ctypes = self._ctypes
        query = ctypes.create_string_buffer(512)
        length = self._make(0, name.encode("ascii"), _INTERNET, kind, None, 0, None, query, len(query))
        if length < 0:
            raise ValueError("it is not a name that DNS can have")
        answer = ctypes.create_string_buffer(_ANSWER_SIZE)
        ctypes.set_errno(0)
        size = self._send(query, length, answer, len(answer))
        if size < 12:
            raise OSError(ctypes.get_errno(), "no usable answer from the name servers")
        return bytes(answer.raw[: min(size, _ANSWER_SIZE)])


_LIBRARY: list[_Library | None] = []


def ask_dns(name: str, family: int) -> Answer:
    """The addresses that DNS has under the very name; blocks as long as the C library sees fit."""
    library = _library()
    return _by_final_dot(name, family) if library is None else follow(name, family, library.ask)


def _library() -> _Library | None:
    if not _LIBRARY:
        try:
            _LIBRARY.append(_Library())
        except OSError:
            _LIBRARY.append(None)
    return _LIBRARY[0]


def follow(name: str, family: int, ask: Callable[[str, int], bytes]) -> Answer:
    """The addresses of a name, its aliases followed."""
    alias = name
    for _turn in range(MAX_ALIASES + 1):
        try:
            message = parse_message(ask(alias, _TYPES[family]), family)
        except MessageError as error:
            return Answer(FAILED, words=f"the name server's answer is malformed: {error}")
        except OSError as error:
            return Answer(FAILED, words=_no_answer(error))
        except ValueError as error:
            return Answer(MISSING, words=str(error))
        if message.addresses:
            return Answer(FOUND, tuple(Found(family, ip) for ip in message.addresses))
        if message.rcode not in (_NO_ERROR, _NAME_ERROR):
            return Answer(FAILED, words=_RCODES.get(message.rcode, f"response code {message.rcode}"))
        if message.rcode == _NAME_ERROR or not message.alias:
            target = message.alias or alias
            what = _NO_NAME if message.rcode else _NO_RECORD
            if target == name:
                return Answer(MISSING, words=what)
            return Answer(MISSING, words=f"it is an alias of {target}: {what}", alias=target)
        alias = message.alias
    return Answer(MISSING, words=f"more than {MAX_ALIASES} aliases lead nowhere")


def ask_exchangers(name: str) -> Answer:
    """The hosts of the MX records of a name; MISSING for whatever reason there are none to be had."""
    library = _library()
    if library is not None:
        with contextlib.suppress(MessageError, OSError, ValueError):
            found = parse_exchangers(library.ask(name, _MX))
            return Answer(FOUND if found else MISSING, exchangers=found)
    return Answer(MISSING)


def _no_answer(error: OSError) -> str:
    if error.errno:
        return f"{error.strerror}: {os.strerror(error.errno).lower()}"
    return error.strerror or str(error)


def _by_final_dot(name: str, family: int) -> Answer:
    """Where no resolver can be called: the system's name service, which does not complete a name with a final dot."""
    return _getaddrinfo(name + ".", family)[0]


def _getaddrinfo(name: str, family: int) -> tuple[Answer, str]:
    """What the system's name service says, and the name that it says it has found."""
    try:
        entries = socket.getaddrinfo(name, None, family, socket.SOCK_STREAM, 0, socket.AI_CANONNAME)
    except UnicodeError as error:  # a label that is too long
        return Answer(MISSING, words=str(error)), ""
    except OSError as error:
        words = error.strerror or str(error)
        return Answer(MISSING if error.errno in _UNKNOWN else FAILED, words=words), ""
    found = tuple(
        Found(entry[0], str(entry[4][0]).partition("%")[0], int(entry[4][3]) if len(entry[4]) > 3 else 0)
        for entry in entries
        if entry[0] in _TYPES
    )
    canonical = next((entry[3] for entry in entries if entry[3]), "")
    return Answer(FOUND if found else MISSING, found), canonical.rstrip(".").lower()


# The name service


def look_up(lookup: Lookup, sources: Sources, dns: AskDns | None = None) -> Answer:
    """Answer one lookup; ``dns`` stands in for ask_dns()."""
    dns = dns or ask_dns
    if lookup.native:
        return _native(lookup, sources, dns)
    return dns(lookup.host, lookup.families[0]) if lookup.families else ask_exchangers(lookup.host)


def _native(lookup: Lookup, sources: Sources, dns: AskDns) -> Answer:
    """What the name service has, unless only the search list gives it."""
    host, families = lookup.host, lookup.families
    answer, canonical = Answer(MISSING), ""
    if sources.knows_more_than_dns(host):
        answer, canonical = _getaddrinfo(host, families[0] if len(families) == 1 else 0)
    for completed, elsewhere in _completions(host, families, sources, dns):
        if (
            not answer.addresses
            or canonical == completed
            or elsewhere & {each.ip for each in answer.addresses}
        ):
            return Answer(MISSING, tuple(_literals(elsewhere)), completed=completed)
    return answer


def _completions(
    host: str, families: Sequence[int], sources: Sources, dns: AskDns
) -> Iterator[tuple[str, set[str]]]:
    """The names that the search list makes of a name and that exist, with their addresses."""
    for domain in sources.search:
        name = f"{host}.{domain}"
        if len(name) > 253:
            continue
        addresses = {each.ip for family in families for each in dns(name, family).addresses}
        if addresses:
            yield name, addresses


def _literals(texts: set[str]) -> Iterator[Found]:
    for text in sorted(texts):
        found = _literal(text)
        if found is not None:
            yield found


class Resolver:
    """Answers lookups in daemon threads: as many as there are lookups open, since each may block for long.

    ``notify`` is called with each task that has asked, once the answer is there.
    """

    def __init__(self, loop: Loop, notify: Callable[[Task], None]) -> None:
        self.answers: dict[Lookup, Answer] = {}
        self.sources = Sources.read()
        self._loop = loop
        self._notify = notify
        self._waiting: dict[Lookup, list[Task]] = {}
        self._ready: deque[tuple[Lookup, Answer]] = deque()
        self._pair: tuple[socket.socket, socket.socket] | None = None
        self._lookups: SimpleQueue[Lookup | None] = SimpleQueue()
        self._threads = 0

    def ask(self, lookup: Lookup, task: Task) -> None:
        """Have it answered, once; the task is notified when the answer is there."""
        if lookup in self.answers:
            return
        if lookup in self._waiting:
            self._waiting[lookup].append(task)
            return
        self._waiting[lookup] = [task]
        if self._pair is None:
            self._pair = socket.socketpair()
            self._pair[0].setblocking(False)
            self._loop.watch(self._pair[0], READ, self._collect)
        self._lookups.put(lookup)
        if self._threads < min(len(self._waiting), MAX_THREADS):
            self._threads += 1
            # Where no thread is to be had, the lookup stays open until one is free, or the deadline.
            with contextlib.suppress(RuntimeError):
                Thread(target=self._work, args=(self._pair[1],), daemon=True).start()

    def _work(self, sender: socket.socket) -> None:
        while True:
            lookup = self._lookups.get()
            if lookup is None:
                return
            try:
                answer = look_up(lookup, self.sources)
            except Exception as error:  # pylint: disable=broad-except
                # A thread that ends by an exception would leave its lookup open and write on standard error.
                answer = Answer(FAILED, words=f"the look-up broke off: {error}")
            self._ready.append((lookup, answer))
            try:
                sender.send(b".")
            except OSError:  # the probe is over, nobody waits any more
                return

    def _collect(self) -> None:
        """Take the answers that have come, and notify who waits for them."""
        if self._pair is not None:
            with contextlib.suppress(BlockingIOError):
                self._pair[0].recv(4096)
        while self._ready:
            lookup, answer = self._ready.popleft()
            self.answers[lookup] = answer
            for task in self._waiting.pop(lookup):
                self._notify(task)

    def close(self) -> None:
        if self._pair is None:
            return
        for _thread in range(self._threads):
            self._lookups.put(None)
        for end in self._pair:
            end.close()


# One host


class Addresses(NamedTuple):
    """What was found, and where: in ``dns``, or by the system's name service alone (``native``)."""

    found: Sequence[Found]
    lookup: str


class NoAddress(NamedTuple):
    """A verdict in words, as that of a session; ``temporary``: a later attempt may have an address."""

    verdict: str
    reason: str
    advice: str = ""
    temporary: bool = False


class HostLookup:
    """The addresses of one host, as Postfix on this host gets them.

    ``family`` is ipv4, ipv6 or any, and ``chosen`` whether the user wants that one alone; ``number`` is that of the
    attempt, ``deadline`` a time of the monotonic clock.
    """

    def __init__(
        self,
        resolver: Resolver,
        task: Task,
        options: Options,
        host: str,
        family: str,
        chosen: bool,
        number: int,
        deadline: float,
    ) -> None:
        self._resolver = resolver
        self._task = task
        self._options = options
        self._host = host
        self._family = family
        self._chosen = chosen
        self._number = number
        self._deadline = deadline

    def run(self) -> Steps[Addresses | NoAddress]:
        host, options, sources = self._host, self._options, self._resolver.sources
        families = [
            int(kind)
            for kind, name in ((socket.AF_INET6, "ipv6"), (socket.AF_INET, "ipv4"))
            if self._family in (name, "any")
        ]
        native = options.lookup != "dns" and not options.needs_dns
        if native and options.lookup != "both" and sources.files_first:
            local = sources.in_hosts(host, families)
            if local:
                return Addresses(local, "native")
        # Several endpoints of one host share one lookup for each family; a retry asks anew.
        answers = yield from self._ask([Lookup(host, (kind,), self._number) for kind in families])
        found = [each for answer in answers.values() for each in answer.addresses]
        if found:
            return Addresses(found, "native" if options.lookup == "native" else "dns")
        known = list(answers.values())
        failed = [answer for answer in known if answer.status != MISSING]
        more = sources.knows_more_than_dns(host)
        other = None
        if len(known) == len(families) and (more or (sources.search and not failed)):
            lookup = Lookup(host, tuple(families), self._number, True)
            other = (yield from self._ask([lookup])).get(lookup)
        if other is not None and other.status == FOUND and native:
            return Addresses(other.addresses, "native")
        if len(known) < len(families) or (failed and (other is None or not other.addresses)):
            return self._unanswered(failed if len(known) == len(families) else [])
        if self._chosen and not (other and other.addresses):
            elsewhere = yield from self._other_family(families[0], native)
            if elsewhere:
                only = ", ".join(each.ip for each in elsewhere[:3])
                words = f"{host} has no {family_title(self._family)} address, only {only}"
                return NoAddress("dns_not_found", f"{words}.", f"{words}, and {family_is(self._family)}.")
        return self._not_found(known, other, (yield from self._exchangers(known)))

    def _exchangers(self, known: Sequence[Answer]) -> Steps[Sequence[str]]:
        """The hosts of MX records of a name that exists and has no address."""
        if not any(answer.words.endswith(_NO_RECORD) for answer in known):
            return ()
        return (yield from exchangers(self._resolver, self._task, self._host, self._deadline))

    def _ask(self, lookups: list[Lookup]) -> Steps[dict[Lookup, Answer]]:
        return _answers(self._resolver, self._task, lookups, self._deadline)

    def _other_family(self, family: int, native: bool) -> Steps[Sequence[Found]]:
        """The addresses of the family that was not asked for."""
        kind = int(socket.AF_INET if family == socket.AF_INET6 else socket.AF_INET6)
        local = self._resolver.sources.in_hosts(self._host, [kind]) if native else ()
        if local:
            return local
        answers = yield from self._ask([Lookup(self._host, (kind,), self._number)])
        return [each for answer in answers.values() for each in answer.addresses]

    def _unanswered(self, failed: Sequence[Answer]) -> NoAddress:
        if failed:
            words = f"{self._host} could not be resolved now ({printable(failed[-1].words)})."
        else:
            words = f"No DNS answer for {self._host} within {self._options.timeout:.1f} s."
        return NoAddress("dns_failure", words, temporary=True)

    def _not_found(
        self, known: Sequence[Answer], other: Answer | None, exchangers: Sequence[str]
    ) -> NoAddress:
        """Why there is no address that Postfix would take, and what to do."""
        host, needs_dns = self._host, self._options.needs_dns
        where = ", ".join(each.ip for each in other.addresses[:3]) if other is not None else ""
        if other is not None and other.completed:
            return NoAddress(
                "dns_not_found",
                f"{host} does not exist; the search list of this host makes {other.completed} of it ({where}), and "
                "Postfix looks up the name as it is written.",
                f"Write the full name, {other.completed}, where that is the relay you mean; else correct {host}.",
            )
        if other is not None and other.status == FOUND:
            why = (
                "the TLS levels dane and dane-only take names from DNS alone"
                if needs_dns
                else "Postfix on this host asks DNS alone (smtp_host_lookup = dns)"
            )
            return NoAddress(
                "dns_not_found",
                f"{host} is not in DNS, only in this host's own name service ({where}), and {why}.",
                f"Create the address record of {host} in DNS, or "
                + ("use another TLS level." if needs_dns else "set smtp_host_lookup = native in Postfix."),
            )
        what = "address" if self._family == "any" else f"{family_title(self._family)} address"
        if exchangers:
            words = f"{host} has no {what}, only MX records ({', '.join(exchangers)})"
            return NoAddress(
                "dns_not_found", f"{words}.", f"{host} has no {what}. {named_by_host(host, exchangers)}"
            )
        words = printable(known[-1].words) or "no such name"
        target = printable(next((answer.alias for answer in known if answer.alias), ""))
        if target:
            return NoAddress(
                "dns_not_found",
                f"{host} does not exist or has no {what} ({words}).",
                f"Correct the alias (CNAME) of {host} in DNS, or create the address record of {target}; or name the "
                "relay by another host name.",
            )
        return NoAddress("dns_not_found", f"{host} does not exist or has no {what} ({words}).")


def exchangers(resolver: Resolver, task: Task, host: str, deadline: float) -> Steps[Sequence[str]]:
    """The hosts of MX records of a name, as far as they come soon; not the name itself."""
    lookup = Lookup(host, ())
    until = min(deadline, time.monotonic() + _HINT_DELAY)
    answers = yield from _answers(resolver, task, [lookup], until)
    found = (printable(name) for answer in answers.values() for name in answer.exchangers)
    return [name for name in found if name != host.lower().rstrip(".")][:_MAX_EXCHANGERS]


def named_by_host(domain: str, exchangers: Sequence[str]) -> str:
    """What to write in place of a domain of which these are the MX hosts."""
    return (
        f"Mail for {domain} goes to {listed(exchangers)} (MX records), which Postfix asks for only where a next hop "
        f"has no brackets; here a relay is a host. Write {listed(exchangers, 'or')} if that is the relay you mean."
    )


def _answers(
    resolver: Resolver, task: Task, lookups: list[Lookup], until: float
) -> Steps[dict[Lookup, Answer]]:
    """The answers that have come by then, or soon after the first good one (RFC 8305 section 3)."""
    known = resolver.answers
    for lookup in lookups:
        resolver.ask(lookup, task)
    while True:
        answers = {lookup: known[lookup] for lookup in lookups if lookup in known}
        now = time.monotonic()
        if len(answers) == len(lookups) or now >= until:
            return answers
        if any(answer.addresses for answer in answers.values()):
            until = min(until, now + RESOLUTION_DELAY)
        yield until
