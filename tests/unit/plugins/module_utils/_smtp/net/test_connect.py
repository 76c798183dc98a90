"""The race of RFC 8305, without a probe: over loopback, and over addresses where nothing answers."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import socket
import time
from contextlib import ExitStack
from typing import Any, Callable, Iterator

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.net import connect as race
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.net.connect import (
    ATTEMPT_DELAY,
    Address,
    connect,
    interleaved,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.net.loop import Loop, Steps

V4, V6 = int(socket.AF_INET), int(socket.AF_INET6)


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def run(addresses: list[Address], seconds: float = 2.0, sources: dict[str, str] | None = None) -> Any:
    """The winner's address, or the verdicts and words of all; the winner is closed, and nothing else is left open."""
    loop, ended = Loop(), []

    def steps() -> Steps[None]:
        ended.append((yield from connect(loop, task, addresses, time.monotonic() + seconds, sources or {})))

    before = len(os.listdir("/proc/self/fd"))
    task = loop.spawn(steps())
    loop.wake(task)
    while loop.active:
        loop.run_once()
    (result,) = ended
    if isinstance(result, tuple):
        connection, address = result
        connection.close()
        result = address.ip
    else:
        result = [(failure.verdict, failure.words) for failure in result]
    assert len(os.listdir("/proc/self/fd")) <= before
    loop.close()
    return result


@pytest.fixture
def silent(listening: socket.socket) -> Iterator[str]:
    """An address with the same port, whose queue of connections is full: Linux then drops the packets of more."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.9", port_of(listening)))
        full.listen(0)
        for _number in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        yield "127.0.0.9"


@pytest.fixture
def began(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """When each address was tried."""
    times: dict[str, float] = {}
    real = race.start

    def start(*how: Any) -> socket.socket:
        times[how[2].ip] = time.monotonic()
        return real(*how)

    monkeypatch.setattr(race, "start", start)
    return times


def test_the_first_that_answers_wins(listening: socket.socket) -> None:
    port = port_of(listening)
    assert run([Address.of(V4, "127.0.0.1", port)]) == "127.0.0.1"


def test_after_a_refusal_the_next_one_starts_at_once(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = port_of(listening)
    monkeypatch.setattr(race, "ATTEMPT_DELAY", 60.0)
    assert run([Address.of(V4, "127.0.0.2", port), Address.of(V4, "127.0.0.1", port)]) == "127.0.0.1"


def test_a_silent_one_is_raced_by_the_next(
    listening: socket.socket, silent: str, began: dict[str, float]
) -> None:
    port = port_of(listening)
    assert run([Address.of(V4, ip, port) for ip in (silent, "127.0.0.1", "127.0.0.2")]) == "127.0.0.1"
    assert list(began) == [silent, "127.0.0.1"]
    assert ATTEMPT_DELAY <= began["127.0.0.1"] - began[silent] < ATTEMPT_DELAY + 1.0


def test_silence_costs_the_limit_and_no_more(listening: socket.socket, silent: str) -> None:
    port = port_of(listening)
    began = time.monotonic()
    assert run([Address.of(V4, silent, port)], seconds=0.3) == [
        ("filtered", f"no answer from {silent} port {port} within 0.3 s")
    ]
    assert 0.3 <= time.monotonic() - began < 1.3


def test_the_most_telling_failure_is_first(listening: socket.socket, silent: str) -> None:
    port = port_of(listening)
    listening.close()
    addresses = [
        Address.of(V4, silent, port),
        Address.of(V6, "::1", port),
        Address.of(V4, "127.0.0.1", port),
    ]
    found = run(addresses, seconds=1.0, sources={"ipv6": "2001:db8::1"})
    assert [verdict for verdict, _words in found] == ["refused", "filtered", "unreachable"]
    assert found[0][1].startswith(f"127.0.0.1 port {port} refused the connection after ")
    assert found[2][1].startswith(f"::1 port {port} cannot be reached (")


@pytest.mark.parametrize(
    ("code", "sources", "verdict", "words"),
    [
        (errno.ECONNRESET, {}, "disconnected", "127.0.0.1 port 25 accepted the connection and broke it at once"),
        (errno.ETIMEDOUT, {}, "filtered", "no answer from 127.0.0.1 port 25 within 0.0 s"),
        (errno.EHOSTUNREACH, {}, "unreachable", "127.0.0.1 port 25 cannot be reached (no route to host)"),
        (errno.EADDRNOTAVAIL, {}, "unreachable", "cannot be reached (cannot assign requested address)"),
        (
            errno.EADDRNOTAVAIL, {"ipv4": "127.0.0.8"}, "unreachable",
            "(cannot assign requested address, the source address 127.0.0.8 is not one of this host)",
        ),
    ],
)  # fmt: skip
def test_what_the_system_says(
    monkeypatch: pytest.MonkeyPatch, code: int, sources: dict[str, str], verdict: str, words: str
) -> None:
    monkeypatch.setattr(socket.socket, "connect_ex", lambda *_address: code, raising=False)
    ((found, said),) = run([Address.of(V4, "127.0.0.1", 25)], sources=sources)
    assert found == verdict
    assert words in said


def test_it_connects_from_the_source_of_the_family(listening: socket.socket) -> None:
    sources = {"ipv4": "127.0.0.7", "ipv6": "::1"}
    assert run([Address.of(V4, "127.0.0.1", port_of(listening))], sources=sources) == "127.0.0.1"
    assert listening.accept()[1][0] == "127.0.0.7"


def without_descriptors(times: int) -> Callable[..., socket.socket]:
    """Another connection of the process has to end first."""
    real, left = race.start, [times]

    def start(*how: Any) -> socket.socket:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(errno.EMFILE, "Too many open files")
        return real(*how)

    return start


def test_a_descriptor_is_waited_for(monkeypatch: pytest.MonkeyPatch, listening: socket.socket) -> None:
    monkeypatch.setattr(race, "start", without_descriptors(3))
    assert run([Address.of(V4, "127.0.0.1", port_of(listening))]) == "127.0.0.1"


def test_no_descriptor_is_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "start", without_descriptors(10**6))
    assert run([Address.of(V4, "127.0.0.1", 25)], seconds=0.2) == [
        ("unreachable", "this process has run out of file descriptors")
    ]


def test_interleaved() -> None:
    four = [Address.of(V4, f"192.0.2.{number}", 25) for number in range(3)]
    six = [Address.of(V6, f"2001:db8::{number}", 25) for number in range(2)]
    assert interleaved([*six, *four]) == [six[0], four[0], six[1], four[1], four[2]]
    assert interleaved([four[0], four[0], four[1]]) == four[:2]
    assert interleaved([]) == []


def test_addresses() -> None:
    link = Address.of(V6, "fe80::1", 587, 7)
    assert link == (V6, ("fe80::1", 587, 0, 7))
    assert (link.ip, link.version, link.loopback, str(link)) == ("fe80::1", "ipv6", False, "fe80::1 port 587")
    assert Address.of(V4, "127.0.0.3", 25).loopback
    assert Address.of(V6, "::1", 25).loopback
