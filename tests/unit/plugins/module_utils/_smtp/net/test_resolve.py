"""The look-up of names: DNS messages, the system's files, and where an address may come from."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import socket
import struct
import threading
import time
from typing import Any, Callable

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.net import resolve
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.net.loop import Loop, Steps, sleep
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.net.resolve import (
    FAILED,
    FOUND,
    MISSING,
    Answer,
    Found,
    Lookup,
    MessageError,
    Resolver,
    Sources,
    follow,
    look_up,
    parse_exchangers,
    parse_hosts,
    parse_message,
    parse_nsswitch,
    parse_search,
)

V4, V6 = int(socket.AF_INET), int(socket.AF_INET6)
A, CNAME, AAAA, MX = 1, 5, 28, 15
POINTER = b"\xc0\x0c"


def labels(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def record(kind: int, data: bytes, owner: bytes = POINTER, network: int = 1) -> bytes:
    return owner + struct.pack("!HHIH", kind, network, 60, len(data)) + data


def message(*records: bytes, rcode: int = 0, flags: int = 0x8180, name: str = "mx.example.com") -> bytes:
    head = struct.pack("!HHHHHH", 7, flags | rcode, 1, len(records), 0, 0)
    return head + labels(name) + struct.pack("!HH", 1, 1) + b"".join(records)


IP1, IP2, IP6 = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]), b"\x20\x01\x0d\xb8" + b"\0" * 11 + b"\7"
ALIAS = record(CNAME, labels("real.example.net"))


@pytest.mark.parametrize(
    ("data", "family", "addresses", "alias", "rcode"),
    [
        (message(record(A, IP1)), V4, ("192.0.2.1",), "", 0),
        (message(record(A, IP1), record(A, IP2), record(A, IP1)), V4, ("192.0.2.1", "192.0.2.2"), "", 0),
        (message(record(AAAA, IP6)), V6, ("2001:db8::7",), "", 0),
        (message(record(AAAA, IP6)), V4, (), "", 0),
        (message(ALIAS, record(A, IP1, labels("real.example.net"))), V4, ("192.0.2.1",), "real.example.net", 0),
        (message(record(CNAME, b"\4Real\xc0\x0f")), V4, (), "real.example.com", 0),
        (message(rcode=3), V4, (), "", 3),
        (message(ALIAS, rcode=3), V4, (), "real.example.net", 3),
        (message(rcode=2), V4, (), "", 2),
        (message(record(MX, b"\0\1\0"), record(A, IP1)), V4, ("192.0.2.1",), "", 0),
        (message(record(A, IP1, network=3)), V4, (), "", 0),
        (message(record(A, b"\1\2\3")), V4, (), "", 0),
        # Cut off on the way, and said so: what came is what there is.
        (message(record(A, IP1), record(A, IP2), flags=0x8380)[:-2], V4, ("192.0.2.1",), "", 0),
    ],
)  # fmt: skip
def test_message(data: bytes, family: int, addresses: tuple[str, ...], alias: str, rcode: int) -> None:
    assert parse_message(data, family) == (rcode, addresses, alias)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        message()[:11],
        message(record(A, IP1))[:-1],
        message(record(A, IP1, b"\xc0\x20")),
        message(record(A, IP1, b"\xff\xff")),
        message(record(CNAME, b"\x3fshort")),
    ],
)
def test_malformed_message(data: bytes) -> None:
    with pytest.raises(MessageError):
        parse_message(data, V4)


def test_every_cut_is_an_error_or_an_answer() -> None:
    whole = message(ALIAS, record(A, IP1, labels("real.example.net")))
    for end in range(len(whole)):
        with pytest.raises(MessageError):
            parse_message(whole[:end], V4)


def exchanger(preference: int, name: str) -> bytes:
    return record(MX, struct.pack("!H", preference) + (labels(name) if name else b"\0"))


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (message(), ()),
        (message(exchanger(20, "b.example.com"), exchanger(10, "A.example.com")), ("a.example.com", "b.example.com")),
        (message(exchanger(10, "mx.example.com"), exchanger(20, "mx.example.com")), ("mx.example.com",)),
        (message(ALIAS, record(A, IP1), exchanger(10, "mx.example.com")), ("mx.example.com",)),
        (message(exchanger(0, "")), ()),  # it takes no mail
        (message(rcode=3), ()),
    ],
)  # fmt: skip
def test_exchangers(data: bytes, names: tuple[str, ...]) -> None:
    assert parse_exchangers(data) == names


@pytest.mark.parametrize(
    "data", [b"", message()[:11], message(record(MX, b"\0")), message(exchanger(1, "mx"))[:-1]]
)
def test_malformed_exchangers(data: bytes) -> None:
    with pytest.raises(MessageError):
        parse_exchangers(data)


def zone(**names: Any) -> Callable[[str, int], bytes]:
    """A name server's answers by name (its dots written as underscores): a message, an error, or where it points."""

    def ask(name: str, kind: int) -> bytes:
        answer = names.get(name.replace(".", "_"), message(rcode=3))
        if isinstance(answer, Exception):
            raise answer
        return message(record(CNAME, labels(answer))) if isinstance(answer, str) else bytes(answer)

    return ask


CHAIN = {f"a{number}": f"a{number + 1}" for number in range(12)}


@pytest.mark.parametrize(
    ("name", "names", "status", "words"),
    [
        ("mx", {"mx": message(record(A, IP1))}, FOUND, ""),
        ("mx", {"mx": "other", "other": message(record(A, IP1))}, FOUND, ""),
        ("mx", {}, MISSING, "no such name"),
        ("mx", {"mx": message()}, MISSING, "no such record"),
        ("mx", {"mx": "gone"}, MISSING, "alias of gone: no such name"),
        ("mx", {"mx": message(ALIAS, rcode=3)}, MISSING, "alias of real.example.net: no such name"),
        ("mx", {"mx": "mx"}, MISSING, "10 aliases"),
        ("a0", {**CHAIN, "a10": message(record(A, IP1))}, FOUND, ""),
        ("a0", {**CHAIN, "a11": message(record(A, IP1))}, MISSING, "10 aliases"),
        ("mx", {"mx": message(rcode=2)}, FAILED, "SERVFAIL"),
        ("mx", {"mx": message(rcode=5)}, FAILED, "REFUSED"),
        ("mx", {"mx": OSError(errno.ETIMEDOUT, "no answer")}, FAILED, "timed out"),
        ("mx", {"mx": OSError(0, "no answer")}, FAILED, "no answer"),
        ("mx", {"mx": message(record(A, IP1))[:-1]}, FAILED, "malformed"),
        ("mx", {"mx": ValueError("not a name")}, MISSING, "not a name"),
    ],
)
def test_aliases_and_failures(name: str, names: dict[str, Any], status: str, words: str) -> None:
    answer = follow(name, V4, zone(**names))
    assert answer.status == status, answer
    assert words in answer.words
    assert bool(answer.addresses) == (status == FOUND)
    assert answer.alias == words.partition("alias of ")[2].partition(":")[0]


@pytest.mark.parametrize(
    ("text", "services"),
    [
        ("", ("files", "dns")),
        ("passwd: files\n", ("files", "dns")),
        ("hosts: dns files\n", ("dns", "files")),
        ("# hosts: dns\nhosts:\tfiles dns # here\n", ("files", "dns")),
        ("hosts: files mdns4_minimal [NOTFOUND=return] dns", ("files", "mdns4_minimal", "dns")),
        ("hosts: files resolve [!UNAVAIL=return SUCCESS=return] dns", ("files", "resolve", "dns")),
        ("hosts: files[NOTFOUND=return]dns", ("files", "dns")),
        ("hosts:\n", ("files", "dns")),
        ("hosts: DNS Files", ("dns", "files")),
        ("hosts: files [oops", ("files",)),
    ],
)
def test_nsswitch(text: str, services: tuple[str, ...]) -> None:
    assert parse_nsswitch(text) == services


def test_hosts() -> None:
    text = """
127.0.0.1 localhost
::1 localhost ip6-localhost
192.0.2.1  Relay.Example.com relay # the relay
192.0.2.2  relay.example.com
192.0.2.1  relay.example.com
#192.0.2.9 ghost.example.com
not-an-address odd.example.com
192.0.2.300 odd.example.com
192.0.2.4
fe80::1%7 link.example.com
"""
    hosts = parse_hosts(text)
    assert hosts["localhost"] == (Found(V4, "127.0.0.1"), Found(V6, "::1"))
    assert hosts["relay.example.com"] == (Found(V4, "192.0.2.1"), Found(V4, "192.0.2.2"))
    assert hosts["relay"] == (Found(V4, "192.0.2.1"),)
    assert hosts["link.example.com"] == (Found(V6, "fe80::1", 7),)
    assert not {"ghost.example.com", "odd.example.com", "192.0.2.4"} & set(hosts)


@pytest.mark.parametrize(
    ("text", "local_domain", "search"),
    [
        ("nameserver 192.0.2.53\n", None, ("corp.example",)),
        ("search a.example B.example.\n", None, ("a.example", "b.example")),
        ("domain a.example\nsearch b.example c.example\n", None, ("b.example", "c.example")),
        ("search b.example c.example\ndomain a.example\n", None, ("a.example",)),
        ("search .\n", None, ()),
        ("search\n", None, ()),
        ("; search a.example\n# search a.example\n", None, ("corp.example",)),
        ("search a.example\n", "x.example y.example", ("x.example", "y.example")),
        ("search a.example\n", "", ()),
    ],
)
def test_search_list(text: str, local_domain: str | None, search: tuple[str, ...]) -> None:
    assert parse_search(text, local_domain, "host.corp.example") == search


@pytest.mark.parametrize(
    ("services", "first"),
    [
        (("files", "dns"), True),
        (("files",), True),
        (("mymachines", "files", "resolve", "dns"), True),
        (("dns", "files"), False),
        (("resolve", "files"), False),
        (("dns",), False),
    ],
)
def test_hosts_before_dns(services: tuple[str, ...], first: bool) -> None:
    assert Sources(services, {}, ()).files_first is first


HOSTS = {"relay": (Found(V4, "192.0.2.1"),)}
MDNS = ("files", "mdns4_minimal", "dns")


@pytest.mark.parametrize(
    ("services", "search", "dns", "system", "expected"),
    [
        # Neither: and the name service is not even asked where it is only DNS.
        (("files", "dns"), (), {}, None, Answer(MISSING)),
        # The search list alone.
        (
            ("files", "dns"), ("corp.example",), {"web.corp.example": "192.0.2.9"}, None,
            Answer(MISSING, (Found(V4, "192.0.2.9"),), completed="web.corp.example"),
        ),
        (
            ("files", "dns"), ("no.example", "corp.example"), {"web.corp.example": "192.0.2.9"}, None,
            Answer(MISSING, (Found(V4, "192.0.2.9"),), completed="web.corp.example"),
        ),
        # The name service gives what the search list gives: known by the address, or by the name.
        (
            MDNS, ("corp.example",), {"web.corp.example": "192.0.2.9"}, ("192.0.2.9", "alias.example"),
            Answer(MISSING, (Found(V4, "192.0.2.9"),), completed="web.corp.example"),
        ),
        (
            MDNS, ("corp.example",), {"web.corp.example": "192.0.2.9"}, ("192.0.2.8", "web.corp.example"),
            Answer(MISSING, (Found(V4, "192.0.2.9"),), completed="web.corp.example"),
        ),
        # The name service has it by itself, a wildcard in the search list or not.
        (MDNS, (), {}, ("192.0.2.8", "web"), Answer(FOUND, (Found(V4, "192.0.2.8"),))),
        (
            MDNS, ("corp.example",), {"web.corp.example": "192.0.2.9"}, ("192.0.2.8", "web"),
            Answer(FOUND, (Found(V4, "192.0.2.8"),)),
        ),
    ],
)  # fmt: skip
def test_native(
    monkeypatch: pytest.MonkeyPatch,
    services: tuple[str, ...],
    search: tuple[str, ...],
    dns: dict[str, str],
    system: tuple[str, str] | None,
    expected: Answer,
) -> None:
    def getaddrinfo(host: str, *_more: Any) -> list[Any]:
        assert system is not None, "the name service was asked"
        assert host == "web"
        return [(socket.AF_INET, 1, 6, system[1], (system[0], 0))]

    def ask(name: str, family: int) -> Answer:
        return Answer(FOUND, (Found(V4, dns[name]),)) if family == V4 and name in dns else Answer(MISSING)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    question = Lookup("web", (V6, V4), native=True)
    assert look_up(question, Sources(services, HOSTS, search), ask) == expected


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), MISSING),
        (socket.gaierror(socket.EAI_AGAIN, "later"), FAILED),
        (UnicodeError("label too long"), MISSING),
    ],
)
def test_without_a_resolver_to_call(monkeypatch: pytest.MonkeyPatch, error: Exception, status: str) -> None:
    """The final dot keeps the system from completing the name."""
    asked: list[str] = []

    def getaddrinfo(host: str, *_more: Any) -> list[Any]:
        asked.append(host)
        if len(asked) == 1:
            raise error
        return [(socket.AF_INET, 1, 6, "", ("192.0.2.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(resolve, "_LIBRARY", [None])
    assert resolve.ask_dns("mx.example.com", V4).status == status
    assert resolve.ask_dns("mx.example.com", V4) == Answer(FOUND, (Found(V4, "192.0.2.1"),))
    assert asked == ["mx.example.com."] * 2


def test_the_c_library_has_a_resolver() -> None:
    """On the systems that the tests run on; the fault table lets it talk to a name server."""
    library = resolve._Library()
    with pytest.raises(ValueError, match="name"):
        library.ask("x" * 64, A)


def run_tasks(*steps: Callable[[Resolver, list[Any]], Steps[None]]) -> None:
    """Tasks that share a resolver; each is told its own task in a list, which its steps cannot know before."""
    loop = Loop()
    asking = Resolver(loop, notify=loop.wake)
    for each in steps:
        own: list[Any] = []
        own.append(loop.spawn(each(asking, own)))
        loop.wake(own[0])
    try:
        while loop.active:
            loop.run_once()
    finally:
        asking.close()
        loop.close()


def test_one_look_up_wakes_everybody_who_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Lookup] = []
    answer = Answer(FOUND, (Found(V4, "192.0.2.1"),))
    monkeypatch.setattr(resolve, "look_up", lambda lookup, _sources: asked.append(lookup) or answer)
    lookup, heard = Lookup("mx.test", (V4,)), []

    def steps(asking: Resolver, own: list[Any]) -> Steps[None]:
        asking.ask(lookup, own[0])
        while lookup not in asking.answers:
            yield time.monotonic() + 30.0
        heard.append(asking.answers[lookup])

    began = time.monotonic()
    run_tasks(steps, steps, steps)
    assert time.monotonic() - began < 20.0
    assert (heard, asked) == ([answer] * 3, [lookup])


def test_a_look_up_that_breaks_off_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_how: Any) -> Answer:
        raise RuntimeError("out of order")

    monkeypatch.setattr(resolve, "look_up", broken)
    lookup, heard = Lookup("mx.test", (V4,)), []

    def steps(asking: Resolver, own: list[Any]) -> Steps[None]:
        asking.ask(lookup, own[0])
        while lookup not in asking.answers:
            yield time.monotonic() + 5.0
        asking.ask(lookup, own[0])  # known already
        heard.append(asking.answers[lookup])

    run_tasks(steps)
    assert heard == [Answer(FAILED, words="the look-up broke off: out of order")]
    assert capfd.readouterr().err == ""


def test_nobody_waits_for_a_look_up_that_comes_too_late(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    release = threading.Event()
    monkeypatch.setattr(resolve, "look_up", lambda *_how: release.wait(5.0) and Answer(MISSING))

    def steps(asking: Resolver, own: list[Any]) -> Steps[None]:
        asking.ask(Lookup("mx.test", (V4,)), own[0])
        yield from sleep(time.monotonic() + 0.05)
        assert asking.answers == {}

    run_tasks(steps)
    release.set()
    time.sleep(0.1)
    assert capfd.readouterr().err == ""


def test_where_there_is_no_thread_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_thread: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(resolve.Thread, "start", start)

    def steps(asking: Resolver, own: list[Any]) -> Steps[None]:
        asking.ask(Lookup("mx.test", (V4,)), own[0])
        yield from sleep(time.monotonic() + 0.05)
        assert asking.answers == {}

    run_tasks(steps)


def test_the_systems_own_files_are_read() -> None:
    sources = Sources.read()
    assert sources.services
    assert resolve._text("/nonexistent/hosts") == ""
