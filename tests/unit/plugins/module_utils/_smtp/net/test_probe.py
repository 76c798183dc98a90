"""The probe against servers on loopback: deadlines, retries, families, second connections, many at once."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import os
import resource
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from typing import Any, Iterator

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp import session
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import (
    Credentials,
    Endpoint,
    OptionError,
    Options,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.net import connect, resolve
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.net import probe as engine
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.net.probe import probe
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import TIMINGS, Result
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._smtp.servers import (
    CA,
    DATA,
    NAME,
    PASSWORD,
    USERNAME,
    Listener,
    Serve,
    closes,
    demanding_context,
    says,
    smtp,
)

# What nothing needs to wait for; the machine may be busy.
QUICK = 1.5


def ask(
    port: int, tls: str = "starttls", host: str = "127.0.0.1", login: bool = False, **options: Any
) -> Result:
    credentials = Credentials(USERNAME, PASSWORD) if login else None
    name = None if host == NAME else NAME
    (result,) = probe(
        [Endpoint(host, port, tls, name, credentials)],
        Options(**{"timeout": 4.0, "ca_path": CA, "retries": 0, **options}),
    )
    return result


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("shown", "verdict", "reason", "advice"),
    [
        (
            "",
            "tls_failed",
            "demands a client certificate, and ended TLS without one",
            "Set client_cert (and client_key)",
        ),
        (
            "stranger",
            "tls_failed",
            "refuses the client certificate of this host",
            "take the certificate in client_cert",
        ),
        ("good", "ok", "Usable: ", "Nothing to do."),
    ],
)
def test_a_server_that_demands_a_client_certificate(
    newest: Any, shown: str, verdict: str, reason: str, advice: str
) -> None:
    context = demanding_context(newest)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.sendall(b"220 mail.example.test ESMTP\r\n")
            for reply in (b"250 mail.example.test\r\n", b"221 bye\r\n"):
                tls.recv(1000)
                tls.sendall(reply)

    file = str(DATA / f"{shown}.pem")
    with Listener(serve) as listener:
        result = ask(listener.port, "implicit", client_certificates=((file, file),) if shown else ())
    assert (result.verdict, reason in result.reason, advice in result.advice) == (verdict, True, True), result


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def later(seconds: float, serve: Serve) -> Serve:
    def wait_and_serve(connection: socket.socket) -> None:
        time.sleep(seconds)
        serve(connection)

    return wait_and_serve


def drips(connection: socket.socket) -> None:
    for _turn in range(600):
        connection.sendall(b"2")
        time.sleep(0.1)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


FAULTS: dict[str, tuple[str, str, Serve]] = {
    "well": ("ok", "starttls", smtp()),
    "well, implicit": ("ok", "implicit", smtp(implicit=True)),
    "well, plain": ("ok", "none", smtp()),
    "well, slow": ("ok", "starttls", later(0.7, smtp())),
    "closes": ("disconnected", "starttls", closes),
    "closes, implicit": ("disconnected", "implicit", closes),
    "resets": ("disconnected", "starttls", resets),
    "4xx and close": ("greeting_deferred", "starttls", smtp(greeting=b"421 busy\r\n")),
    "garbage": ("not_smtp", "starttls", says(b"\x80\x81\x82")),
    "endless line": ("protocol_error", "starttls", says(b"220 " + b"x" * 100000)),
    "not offered": ("starttls_absent", "starttls", smtp(ehlo=(b"SIZE",), replies={"STARTTLS": b"502 no\r\n"})),
    "clear to implicit": ("tls_mode_mismatch", "implicit", smtp()),
    "too old": ("tls_too_old", "starttls", smtp(newest=ssl.TLSVersion.TLSv1_1)),
    "too old, opportunistic": ("ok", "opportunistic", smtp(newest=ssl.TLSVersion.TLSv1_1)),
    "silence after STARTTLS, which is not offered": (
        "starttls_absent", "starttls", smtp(ehlo=(b"SIZE",), replies={"STARTTLS": b""}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_verdict(name: str) -> None:
    verdict, tls, serve = FAULTS[name]
    with Listener(serve) as server:
        began = time.monotonic()
        result = ask(server.port, tls, timeout=30.0)
        assert time.monotonic() - began < 1.0 + QUICK
    assert result.verdict == verdict, result
    assert result.reachable
    assert result.address == "127.0.0.1"
    assert result.family == "ipv4"
    assert result.attempts == 1


@pytest.mark.parametrize("tls", ["starttls", "implicit", "none"])
def test_silence_costs_the_deadline_and_no_more(tls: str) -> None:
    with Listener(says()) as server:
        began = time.monotonic()
        result = ask(server.port, tls, timeout=0.6)
        assert 0.55 < time.monotonic() - began < 0.6 + QUICK
    assert result.verdict == "no_greeting"


def test_drips_cost_the_deadline_and_no_more() -> None:
    with Listener(drips) as server:
        began = time.monotonic()
        assert ask(server.port, timeout=2.0).verdict in ("stalled", "protocol_error", "not_smtp")
        assert time.monotonic() - began < 2.0 + QUICK

    def slowly(connection: socket.socket) -> None:
        for byte in b"220 " + b"x" * 100:
            connection.sendall(bytes([byte]))
            time.sleep(0.1)

    with Listener(slowly) as server:
        assert ask(server.port, timeout=2.0).verdict == "stalled"


def test_silent_quit_does_not_change_the_verdict() -> None:
    with Listener(smtp(replies={"QUIT": b""})) as server:
        began = time.monotonic()
        assert ask(server.port, timeout=30).verdict == "ok"
        assert time.monotonic() - began < engine.FAREWELL + QUICK


@pytest.mark.parametrize("tls", ["starttls", "none"])
def test_implicit_port_is_recognised_before_the_deadline(tls: str) -> None:
    with Listener(smtp(implicit=True)) as server:
        result = ask(server.port, tls, timeout=2.0)
    assert result.verdict == "tls_mode_mismatch"
    assert "implicit" in result.advice


def test_refused() -> None:
    result = ask(closed_port())
    assert result.verdict == "refused"
    assert not result.reachable
    assert result.timings_ms["connect"] is not None
    assert result.timings_ms["greeting"] is None


def test_timings() -> None:
    with Listener(smtp()) as server:
        result = ask(server.port, login=True, mail_from="")
    assert list(result.timings_ms) == list(TIMINGS)
    stages = [milliseconds for name, milliseconds in result.timings_ms.items() if name != "total"]
    total = result.timings_ms["total"]
    assert total is not None
    assert sum(stage or 0.0 for stage in stages) <= total + 1.0
    assert all(stage is not None for stage in stages)


def test_timings_do_not_follow_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be set while a probe runs, by a day a look here."""
    days = iter(range(20000, 30000))
    monkeypatch.setattr(engine.time, "time", lambda: next(days) * 86400.0)
    with Listener(closes, smtp()) as server:
        result = ask(server.port, validate_certs=False, retries=1)
    assert (result.verdict, result.attempts) == ("ok", 2)
    assert all(0 <= (milliseconds or 0) < 4000 for milliseconds in result.timings_ms.values())


def test_small_writes_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nagle's algorithm and delayed acknowledgements cost 40 ms an endpoint, which no loopback shows reliably."""
    modes = []
    converse = engine._Probe._converse

    def look(self: Any, connection: socket.socket, session: Any) -> Any:
        modes.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        return converse(self, connection, session)

    monkeypatch.setattr(engine._Probe, "_converse", look)
    with Listener(smtp(certificate="self_signed")) as server:
        ask(server.port)
    assert modes
    assert all(modes)


def test_start_up_imports_what_every_host_needs() -> None:
    """A probe of an address, without a login, on a host of a fleet: neither threads nor SASL."""
    script = f"""
import sys
from {engine.__name__} import probe
from {Endpoint.__module__} import Endpoint, Options
print(probe([Endpoint("127.0.0.1", {closed_port()}, "starttls")], Options())[0].verdict)
print(*(name.rpartition(".")[2] for name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-S", "-c", script], stdout=subprocess.PIPE, text=True, check=True)
    verdict, loaded = done.stdout.splitlines()
    assert verdict == "refused"
    assert "session" in loaded.split()
    assert not set(loaded.split()) & {
        "threading",
        "queue",
        "hmac",
        "sasl",
        "replies",
        "smtplib",
        "asyncio",
        "ctypes",
        "resolve",
        "concurrent",
    }


CERTIFICATES = {
    "good": [],
    "other_name": ["certificate_mismatch"],
    "expired": ["certificate_expired"],
    "early": ["certificate_not_yet_valid"],
    "self_signed": ["certificate_untrusted"],
    "stranger": ["certificate_untrusted"],
    "expired_other_name": ["certificate_mismatch", "certificate_expired"],
    "self_signed_expired_other_name": [
        "certificate_untrusted",
        "certificate_mismatch",
        "certificate_expired",
    ],
}


@pytest.mark.parametrize("certificate", CERTIFICATES)
@pytest.mark.parametrize(
    ("tls", "login", "options"),
    [
        ("starttls", True, {}),
        ("implicit", False, {}),
        ("starttls", True, {"validate_certs": False}),
        ("opportunistic", False, {}),
    ],
    ids=["starttls", "implicit", "not validated", "opportunistic"],
)
def test_certificate_is_shown_whatever_is_wrong_with_it(
    certificate: str, tls: str, login: bool, options: dict[str, Any]
) -> None:
    with Listener(smtp(certificate=certificate, implicit=tls == "implicit")) as server:
        result = ask(server.port, tls, login=login, **options)
        connections = server.connections
    expected = CERTIFICATES[certificate]
    assert result.certificate is not None
    assert result.certificate["problems"] == expected
    assert result.certificate["subject"] == "CN=mail.example.test"
    required = options.get("validate_certs", True) and tls != "opportunistic"
    assert result.verdict == (expected[0] if expected and required else "ok")
    if required:
        assert connections == (1 if certificate in ("good", "other_name") else 2)
    else:  # the first connection tells, where Python shows the chain
        assert connections == (1 if sys.version_info >= (3, 10) else 2)
    if expected and not required:
        assert "not verified" in result.reason


@pytest.mark.parametrize("second", [smtp(certificate="stranger"), closes], ids=["shown", "closed"])
def test_a_python_that_does_not_show_the_chain_looks_again(
    monkeypatch: pytest.MonkeyPatch, second: Serve
) -> None:
    """What the other connection meets decides nothing."""
    monkeypatch.setattr(session, "SHOWS_CHAIN", False)
    with Listener(smtp(certificate="stranger"), second) as server:
        result = ask(server.port, validate_certs=False)
        assert server.connections >= 2
    assert result.verdict == "ok"
    assert result.certificate is not None
    assert result.certificate["problems"] == ([] if second is closes else ["certificate_untrusted"])


def test_no_second_certificate_connection_to_be_had() -> None:
    with Listener(smtp(certificate="stranger"), closes) as server:
        result = ask(server.port)
    assert result.verdict == "certificate_untrusted"
    assert result.certificate is None


def test_certificate_expiring() -> None:
    with Listener(smtp()) as server:
        result = ask(server.port, min_days=99999999)
    assert result.verdict == "certificate_expiring"
    assert result.usable


@pytest.mark.parametrize(
    ("first", "verdict"),
    [
        (closes, "disconnected"),
        (smtp(greeting=b"421 busy\r\n"), "greeting_deferred"),
        (smtp(replies={"AUTH": b"454 no\r\n"}), "auth_deferred"),
    ],
    ids=["closed", "421", "454"],
)
def test_transient_verdicts_are_retried(first: Serve, verdict: str) -> None:
    with Listener(first, smtp()) as server:
        result = ask(server.port, login=True, retries=1)
        assert (result.verdict, result.attempts, server.connections) == ("ok", 2, 2)
    with Listener(first) as server:
        result = ask(server.port, login=True, retries=1)
        assert (result.verdict, result.attempts, server.connections) == (verdict, 2, 2)


@pytest.mark.parametrize(
    "first", [smtp(greeting=b"554 no\r\n"), smtp(replies={"AUTH": b"535 no\r\n"}), says(b"SSH-2.0\r\n")]
)
def test_permanent_verdicts_are_not_retried(first: Serve) -> None:
    with Listener(first, smtp()) as server:
        result = ask(server.port, login=True, retries=5)
        assert not result.usable
        assert (result.attempts, server.connections) == (1, 1)


def test_retries_stay_within_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    # The second attempt after 2 s, the third would be after 6.
    monkeypatch.setattr(engine, "BACKOFF", 2.0)
    with Listener(closes) as server:
        began = time.monotonic()
        result = ask(server.port, retries=50, timeout=4.5)
        assert time.monotonic() - began < 4.5 + QUICK
    assert result.verdict == "disconnected"
    assert result.attempts == 2


def test_a_retry_that_runs_out_of_time_does_not_hide_the_verdict() -> None:
    with Listener(smtp(greeting=b"421 busy\r\n"), says()) as server:
        result = ask(server.port, retries=1, timeout=4.0)
    assert (result.verdict, result.attempts) == ("greeting_deferred", 2)
    assert result.reachable


@pytest.mark.parametrize("vulnerable", [False, True])
def test_injection_is_checked_on_request(vulnerable: bool) -> None:
    with Listener(smtp(keeps_pipelined=vulnerable)) as server:
        assert ask(server.port).verdict == "ok"
        assert server.connections == 1
        result = ask(server.port, check_injection=True)
        assert result.verdict == ("starttls_injection" if vulnerable else "ok")
        assert server.connections == 3
    assert result.capabilities


def test_opportunistic_goes_on_in_the_clear_where_tls_fails() -> None:
    with Listener(smtp(newest=ssl.TLSVersion.TLSv1_1)) as server:
        result = ask(server.port, "opportunistic")
        assert server.connections == 2
        assert result.tls_version is None
        assert "unencrypted because" in result.reason
    with Listener(smtp(newest=ssl.TLSVersion.TLSv1_1)) as server:
        assert ask(server.port, "opportunistic", login=True).verdict == "tls_too_old"
        assert server.connections == 1


def test_results_stand_in_the_order_asked() -> None:
    with ExitStack() as stack:
        slow = stack.enter_context(Listener(later(0.4, smtp())))
        well = stack.enter_context(Listener(smtp()))
        ports = [slow.port, closed_port(), well.port, slow.port, well.port]
        results = probe([Endpoint("127.0.0.1", port, "none") for port in ports], Options(retries=0))
    assert [result.port for result in results] == ports
    assert [result.verdict for result in results] == ["ok", "refused", "ok", "ok", "ok"]


def test_many_at_once_cost_one_deadline() -> None:
    with Listener(says()) as tarpit, Listener(smtp()) as well:
        endpoints = [Endpoint("127.0.0.1", port, "none") for port in (tarpit.port, well.port) * 40]
        began = time.monotonic()
        results = probe(endpoints, Options(timeout=2.0, retries=0))
        assert time.monotonic() - began < 2.0 + QUICK
    assert [result.verdict for result in results] == ["no_greeting", "ok"] * 40


def test_concurrency_is_kept() -> None:
    open_now = most = 0

    def count(connection: socket.socket) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        time.sleep(0.02)
        connection.sendall(b"554 no\r\n")
        connection.recv(100)
        open_now -= 1
        connection.sendall(b"221 bye\r\n")

    with Listener(count) as server:
        results = probe([Endpoint("127.0.0.1", server.port, "none")] * 12, Options(concurrency=2))
    assert len(results) == 12
    assert most <= 2


def test_few_descriptors_are_enough() -> None:
    """In a process of its own, where the limit of open files is low; none is asked for that is not to be had."""
    with Listener(smtp()) as server:
        script = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
from {connect.__name__} import start
from {engine.__name__} import probe
from {Endpoint.__module__} import Endpoint, Options

def start_or_tell(*how):
    try:
        return start(*how)
    except OSError as error:
        print(error)
        raise

sys.modules["{connect.__name__}"].start = sys.modules["{engine.__name__}"].start = start_or_tell
results = probe([Endpoint("127.0.0.1", {server.port}, "none")] * 100, Options(retries=0))
print({{result.verdict for result in results}}, len(results))
"""
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.stdout.strip(), done.stderr) == ("{'ok'} 100", "")
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 40


def test_one_context_serves_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """One costs 20 ms with the authorities of a distribution."""
    built = []
    build = engine.TlsPolicy._build

    def count(self: Any, verify: bool) -> ssl.SSLContext:
        built.append(verify)
        return build(self, verify)

    monkeypatch.setattr(engine.TlsPolicy, "_build", count)
    with Listener(smtp(certificate="self_signed")) as server:
        results = probe([Endpoint("127.0.0.1", server.port, "starttls", NAME)] * 5, Options(retries=0))
    assert [result.verdict for result in results] == ["certificate_untrusted"] * 5
    assert sorted(built) == [False, True]


def test_descriptors_are_returned() -> None:
    with Listener(smtp()) as server, Listener(smtp(certificate="stranger")) as stranger:
        endpoints = [
            Endpoint("localhost", port, "starttls", NAME)
            for port in (server.port, stranger.port, closed_port())
        ]
        before = len(os.listdir("/proc/self/fd"))
        probe(endpoints, Options(ca_path=CA, check_injection=True))
        time.sleep(0.2)
        assert len(os.listdir("/proc/self/fd")) <= before


def resolve_as(monkeypatch: pytest.MonkeyPatch, answers: Any) -> list[Any]:
    """Let DNS answer from a table of (name, family): addresses, an error's words, or seconds of silence; what is not in
    it does not exist."""
    asked = []

    def ask_dns(name: str, family: int) -> resolve.Answer:
        asked.append((name, family))
        answer = answers.get((name, family), resolve.Answer(resolve.MISSING, words="no such name in DNS"))
        if isinstance(answer, list) and answer and isinstance(answer[0], resolve.Answer):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, (int, float)):
            time.sleep(answer)
            return AGAIN
        if isinstance(answer, resolve.Answer):
            return answer
        return resolve.Answer(resolve.FOUND, tuple(resolve.Found(family, ip) for ip in answer))

    sources = resolve.Sources(("files", "dns"), {}, ())
    monkeypatch.setattr(resolve.Sources, "read", classmethod(lambda _cls: sources))
    monkeypatch.setattr(resolve, "ask_dns", ask_dns)
    return asked


V4, V6 = int(socket.AF_INET), int(socket.AF_INET6)
AGAIN = resolve.Answer(resolve.FAILED, words="SERVFAIL")


@pytest.mark.parametrize(
    ("answers", "family", "verdict"),
    [
        ({}, "any", "dns_not_found"),
        ({}, "ipv4", "dns_not_found"),
        ({}, "both", "dns_not_found"),
        ({(NAME, V4): AGAIN, (NAME, V6): AGAIN}, "any", "dns_failure"),
        ({(NAME, V4): AGAIN}, "any", "dns_failure"),
        ({(NAME, V4): AGAIN, (NAME, V6): AGAIN}, "both", "dns_failure"),
        ({(NAME, V4): ["127.0.0.1"]}, "any", "ok"),
        ({(NAME, V4): ["127.0.0.1"]}, "both", "ok"),
        ({(NAME, V4): ["127.0.0.1"], (NAME, V6): AGAIN}, "any", "ok"),
        ({(NAME, V4): ["127.0.0.1"], (NAME, V6): 30}, "any", "ok"),
        ({(NAME, V4): ["127.0.0.1"]}, "ipv6", "dns_not_found"),
        ({(NAME, V6): AGAIN}, "ipv4", "dns_not_found"),
    ],
)
def test_resolution(monkeypatch: pytest.MonkeyPatch, answers: Any, family: str, verdict: str) -> None:
    resolve_as(monkeypatch, answers)
    with Listener(smtp()) as server:
        began = time.monotonic()
        result = ask(server.port, host=NAME, family=family, timeout=20.0)
        assert time.monotonic() - began < QUICK
    assert result.verdict == verdict
    assert (result.address is None) == verdict.startswith("dns")


@pytest.mark.parametrize(
    ("host", "answers", "family", "says"),
    [
        (
            NAME,
            {(NAME, V4): ["127.0.0.1"]},
            "ipv6",
            f"{NAME} has no IPv6 address, only 127.0.0.1, and family is ipv6: set family to any or ipv4.",
        ),
        (
            NAME,
            {(NAME, V6): ["::1"]},
            "ipv4",
            f"{NAME} has no IPv4 address, only ::1, and family is ipv4: set family to any or ipv6.",
        ),
        (
            "127.0.0.1",
            {},
            "ipv6",
            "127.0.0.1 is not an IPv6 address, and family is ipv6: set family to any or ipv4, or name the relay by its "
            "host name.",
        ),
        (NAME, {}, "ipv6", f"Correct the host name {NAME}, or create its address record."),
    ],
)
def test_addresses_of_the_other_family_are_pointed_out(
    monkeypatch: pytest.MonkeyPatch, host: str, answers: Any, family: str, says: str
) -> None:
    resolve_as(monkeypatch, answers)
    result = ask(closed_port(), host=host, family=family)
    assert (result.verdict, result.advice) == ("dns_not_found", says)


NO_RECORD = resolve.Answer(resolve.MISSING, words="no such record in DNS")
EXCHANGERS = (
    f"Mail for {NAME} goes to mx1.test and mx2.test (MX records), which Postfix asks for only where a next hop has no "
    "brackets; here a relay is a host. Write mx1.test or mx2.test if that is the relay you mean."
)


def exchangers_are(monkeypatch: pytest.MonkeyPatch, *names: str, silence: float = 0.0) -> list[str]:
    asked = []

    def ask(name: str) -> resolve.Answer:
        asked.append(name)
        time.sleep(silence)
        return resolve.Answer(resolve.FOUND if names else resolve.MISSING, exchangers=names)

    monkeypatch.setattr(resolve, "ask_exchangers", ask)
    return asked


@pytest.mark.parametrize("family", ["any", "ipv4"])
def test_a_domain_with_mail_servers_alone(monkeypatch: pytest.MonkeyPatch, family: str) -> None:
    resolve_as(monkeypatch, {(NAME, V4): NO_RECORD, (NAME, V6): NO_RECORD})
    exchangers_are(monkeypatch, "mx1.test", "mx2.test")
    result = ask(587, host=NAME, family=family)
    what = {"any": "address", "ipv4": "IPv4 address"}[family]
    assert result.verdict == "dns_not_found"
    assert result.reason == f"{NAME} has no {what}, only MX records (mx1.test, mx2.test)."
    assert result.advice == f"{NAME} has no {what}. {EXCHANGERS}"


@pytest.mark.parametrize(
    ("exchangers", "lookup", "advice"),
    [
        (("mx1.test", "mx2.test"), "auto", f" most relays serve 587, many also 2525 or 465. {EXCHANGERS}"),
        # The name is its own mail server.
        ((NAME,), "auto", " many also 2525 or 465."),
        ((), "auto", " many also 2525 or 465."),
        (("mx1.test",), "native", " many also 2525 or 465."),
    ],
)
def test_a_domain_whose_address_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, exchangers: tuple[str, ...], lookup: str, advice: str
) -> None:
    resolve_as(monkeypatch, {(NAME, V4): ["0.0.0.0"]})
    monkeypatch.setattr(
        resolve,
        "_getaddrinfo",
        lambda *_q: (resolve.Answer(resolve.FOUND, (resolve.Found(V4, "0.0.0.0"),)), NAME),
    )
    exchangers_are(monkeypatch, *exchangers)
    result = ask(closed_port(), host=NAME, lookup=lookup)
    assert result.verdict == "refused"
    assert result.advice.endswith(advice)


def test_mail_servers_are_asked_for_once_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_as(monkeypatch, {(NAME, V4): NO_RECORD, (NAME, V6): NO_RECORD})
    asked = exchangers_are(monkeypatch, "mx1.test", silence=20.0)
    began = time.monotonic()
    results = probe([Endpoint(NAME, port, "none") for port in (25, 587)], Options(retries=0))
    assert time.monotonic() - began < resolve._HINT_DELAY + QUICK
    assert asked == [NAME]
    assert {result.advice for result in results} == {
        f"Correct the host name {NAME}, or create its address record."
    }


@pytest.mark.parametrize("words", ["no such name in DNS", "not a name"])
def test_a_name_that_does_not_exist_has_no_mail_servers(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    missing = resolve.Answer(resolve.MISSING, words=words)
    resolve_as(monkeypatch, {(NAME, V4): missing, (NAME, V6): missing})
    asked = exchangers_are(monkeypatch, "mx1.test")
    assert ask(587, host=NAME).verdict == "dns_not_found"
    assert asked == []


def test_an_alias_that_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    dangling = resolve.Answer(
        resolve.MISSING, words="it is an alias of gone.test: no such name in DNS", alias="gone.test"
    )
    resolve_as(monkeypatch, {(NAME, V4): dangling, (NAME, V6): dangling})
    result = ask(587, host=NAME)
    assert (result.verdict, result.advice) == (
        "dns_not_found",
        f"Correct the alias (CNAME) of {NAME} in DNS, or create the address record of gone.test; or name the relay by "
        "another host name.",
    )


def test_failed_resolution_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = [AGAIN, resolve.Answer(resolve.MISSING, words="no such name in DNS")]
    resolve_as(monkeypatch, {(NAME, V4): errors})
    result = ask(closed_port(), host=NAME, retries=1)
    assert (result.verdict, result.attempts) == ("dns_not_found", 2)


def test_one_question_for_all_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolve_as(monkeypatch, {(NAME, V4): ["127.0.0.1"]})
    results = probe([Endpoint(NAME, closed_port(), "none") for _number in range(4)], Options(retries=0))
    assert [result.verdict for result in results] == ["refused"] * 4
    assert sorted(asked) == [(NAME, V4), (NAME, V6)]


def test_dead_resolver_costs_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_as(
        monkeypatch, {(f"host{number}.test", family): 20 for number in range(20) for family in (V4, V6)}
    )
    began = time.monotonic()
    with Listener(smtp()) as server:
        endpoints = [Endpoint(f"host{number}.test", 25, "none") for number in range(20)]
        results = probe([*endpoints, Endpoint("127.0.0.1", server.port, "none")], Options(timeout=3.0))
    assert time.monotonic() - began < 3.0 + QUICK
    assert [result.verdict for result in results] == ["dns_failure"] * 20 + ["ok"]


def test_process_ends_while_the_resolver_is_dead() -> None:
    script = f"""
import time
from {resolve.__name__} import __name__ as name
import sys
sys.modules[name].ask_dns = lambda *args: time.sleep(30)
from {engine.__name__} import probe
from {Endpoint.__module__} import Endpoint, Options
print(probe([Endpoint("mx.test", 25, "none")], Options(timeout=0.3))[0].verdict)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, timeout=20, check=True
    )
    assert done.stdout.strip() == "dns_failure"


def test_both_families_have_a_result_each(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_as(
        monkeypatch, {(NAME, V4): ["127.0.0.1"], (NAME, V6): ["::1"], ("four.test", V4): ["127.0.0.1"]}
    )
    with Listener(smtp()) as server:
        endpoints = [Endpoint(host, server.port, "none") for host in (NAME, "four.test", "127.0.0.1", "::1")]
        results = probe(endpoints, Options(retries=0, family="both"))
    assert [(result.host, result.family) for result in results] == [
        (NAME, "ipv4"), (NAME, "ipv6"), ("four.test", "ipv4"), ("127.0.0.1", "ipv4"), ("::1", "ipv6"),
    ]  # fmt: skip
    assert results[0].verdict == "ok"
    assert results[1].verdict in ("refused", "unreachable")


def test_families_are_raced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first address refuses, the second is raced by the third; all of one connection."""
    resolve_as(monkeypatch, {(NAME, V6): ["::1"], (NAME, V4): ["127.0.0.2", "127.0.0.1"]})
    with Listener(smtp()) as server:
        result = ask(server.port, host=NAME)
        assert server.connections == 1
    assert (result.verdict, result.address) == ("ok", "127.0.0.1")


@contextlib.contextmanager
def full(address: str, port: int) -> Iterator[None]:
    """A port whose queue of connections is full: Linux then drops the packets of more."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET))
        listening.bind((address, port))
        listening.listen(0)
        for _number in range(3):
            client = stack.enter_context(socket.socket(listening.family))
            client.setblocking(False)
            client.connect_ex(listening.getsockname())
        yield


@pytest.mark.parametrize(
    ("dead", "options", "silent"),
    [
        ("::1", {}, ("::1",)),
        ("127.0.0.1", {}, ("127.0.0.1",)),
        ("::1", {"check_families": False}, ()),
        ("::1", {"family": "ipv4"}, ()),
        ("::1", {"connect_timeout": 30.0, "timeout": 3.0}, ("::1",)),
    ],
)
def test_a_family_that_is_dead_beside_the_other(
    monkeypatch: pytest.MonkeyPatch, dead: str, options: dict[str, Any], silent: tuple[str, ...]
) -> None:
    resolve_as(monkeypatch, {(NAME, V6): ["::1"], (NAME, V4): ["127.0.0.1"]})
    alive = "127.0.0.1" if dead == "::1" else "::1"
    with Listener(smtp(), address=alive) as server, full(dead, server.port):
        result = ask(server.port, host=NAME, **{"connect_timeout": 1.0, "check_families": True, **options})
        assert server.connections == 1
    assert (result.verdict, result.address, result.silent) == ("ok", alive, silent)


@pytest.mark.parametrize("other", ["alive", "refused"])
def test_a_family_that_answers_costs_no_time_and_is_not_silent(
    monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    resolve_as(monkeypatch, {(NAME, V6): ["::1"], (NAME, V4): ["127.0.0.1"]})
    with ExitStack() as stack:
        server = stack.enter_context(Listener(smtp()))
        if other == "alive":
            second = stack.enter_context(Listener(smtp(), address="::1", port=server.port))
        began = time.monotonic()
        result = ask(server.port, host=NAME, check_families=True, timeout=20.0)
        assert time.monotonic() - began < QUICK
        time.sleep(0.2)
        if other == "alive":
            assert server.connections + second.connections == 2
    assert (result.verdict, result.silent) == ("ok", ())


def test_addresses_that_cannot_be_reached_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_as(monkeypatch, {(NAME, V4): ["127.0.0.2", "127.0.0.1"], (NAME, V6): ["100::1"]})
    result = ask(closed_port(), host=NAME, connect_timeout=0.5)
    assert result.verdict == "refused"
    assert "127.0.0.1" in result.reason
    assert "127.0.0.2" in result.reason


def test_a_second_attempt_takes_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_as(monkeypatch, {(NAME, V4): ["127.0.0.1", "127.0.0.2"]})
    with Listener(closes) as server:
        result = ask(server.port, host=NAME, retries=1)
    assert (result.attempts, result.address) == (2, "127.0.0.1")
    assert result.verdict == "disconnected"


@pytest.mark.parametrize(
    ("host", "options", "verdict"),
    [
        ("::1", {"family": "ipv4"}, "dns_not_found"),
        ("127.0.0.1", {"family": "ipv6"}, "dns_not_found"),
        ("127.0.0.1", {"source_address": "::1"}, "dns_not_found"),
        ("fe80::1%nosuchnic", {}, "unreachable"),
        ("127.0.0.1", {"source_address": "192.0.2.1"}, "unreachable"),
        ("127.0.0.1", {"source_address": "127.0.0.5"}, "ok"),
    ],
)
def test_addresses(host: str, options: dict[str, Any], verdict: str) -> None:
    with Listener(smtp()) as server:
        result = ask(server.port, "none", host, **options)
    assert result.verdict == verdict
    if options.get("source_address") == "192.0.2.1":
        assert "192.0.2.1" in result.reason


def test_hello_gives_the_address_where_there_is_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []

    def listen(connection: socket.socket) -> None:
        connection.sendall(b"220 mx\r\n")
        heard.append(connection.recv(100))
        connection.sendall(b"550 no\r\n")

    monkeypatch.setattr(socket, "gethostname", lambda: "localhost")
    with Listener(listen) as server:
        ask(server.port)
        monkeypatch.setattr(socket, "gethostname", lambda: "client.example.test")
        ask(server.port)
        ask(server.port, helo_name="given.example.test")
    assert heard == [b"EHLO [127.0.0.1]\r\n", b"EHLO client.example.test\r\n", b"EHLO given.example.test\r\n"]


@pytest.mark.parametrize("path", ["/nonexistent/ca.pem", __file__])
def test_bad_ca_path_is_a_complaint(path: str) -> None:
    with pytest.raises(OptionError, match="ca_path"):
        probe([], Options(ca_path=path))


def test_nothing_to_probe() -> None:
    assert probe([], Options()) == []


def test_remote_host_gets_few_connections_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is exempt, so it is made to look remote."""
    monkeypatch.setattr(connect.Address, "loopback", False)
    open_now = most = 0

    def count(connection: socket.socket) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        connection.sendall(b"220 mx\r\n")
        smtp(greeting=b"")(connection)
        open_now -= 1

    with Listener(count) as server:
        results = probe([Endpoint("127.0.0.1", server.port, "none")] * 15, Options(retries=0))
    assert {result.verdict for result in results} == {"ok"}
    assert most <= engine.HOST_LIMIT


def test_a_tarpit_does_not_hold_up_the_other_ports_of_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect.Address, "loopback", False)
    monkeypatch.setattr(engine, "HOST_PATIENCE", 0.2)
    with Listener(says()) as tarpit, Listener(smtp()) as well:
        endpoints = [Endpoint("127.0.0.1", port, "none") for port in [tarpit.port] * 4 + [well.port]]
        began = time.monotonic()
        results = probe(endpoints, Options(retries=0, timeout=3.0))
        assert time.monotonic() - began < 3.4 + QUICK
    assert [result.verdict for result in results] == ["no_greeting"] * 4 + ["ok"]


class Limited:
    """A server that takes so many connections of one client at a time, and notices late that one has ended."""

    def __init__(self, most: int, notices_after: float, refuse: Serve, **how: Any) -> None:
        self._most, self._notices_after, self._refuse = most, notices_after, refuse
        self._serve = smtp(**how)
        self._open = 0
        self._lock = threading.Lock()
        self.turned_away = 0

    def __call__(self, connection: socket.socket) -> None:
        with self._lock:
            self._open += 1
            busy = self._open > self._most
            self.turned_away += busy
        try:
            if busy:
                self._refuse(connection)
            else:
                self._serve(connection)
        finally:
            connection.close()
            time.sleep(0 if busy else self._notices_after)
            with self._lock:
                self._open -= 1


def too_many(connection: socket.socket) -> None:
    connection.sendall(b"421 4.7.0 Too many connections\r\n")


@pytest.mark.parametrize("notices_after", [0.0, 0.3])
@pytest.mark.parametrize("refuse", [too_many, closes], ids=["421", "closed"])
@pytest.mark.parametrize("remote", [False, True])
def test_own_connections_are_not_taken_for_a_fault(
    monkeypatch: pytest.MonkeyPatch, remote: bool, refuse: Serve, notices_after: float
) -> None:
    """Four ports of a relay that takes one connection of a client at a time."""
    monkeypatch.setattr(connect.Address, "loopback", not remote)
    server = Limited(1, notices_after, refuse)
    with ExitStack() as stack:
        ports = [stack.enter_context(Listener(server)).port for _number in range(4)]
        results = probe(
            [Endpoint("127.0.0.1", port, "starttls", NAME) for port in ports],
            Options(retries=0, ca_path=CA, timeout=10.0),
        )
    assert [result.verdict for result in results] == ["ok"] * 4, results
    assert [result.attempts for result in results] == [1] * 4


@pytest.mark.parametrize("certificate", ["stranger", "self_signed_expired_other_name"])
def test_the_second_connection_is_not_turned_away_for_good(certificate: str) -> None:
    server = Limited(1, 0.3, too_many, certificate=certificate)
    with Listener(server) as listener:
        result = ask(listener.port)
    assert result.verdict == "certificate_untrusted"
    assert result.certificate is not None


def test_plain_after_failed_tls_is_not_turned_away_for_good() -> None:
    server = Limited(1, 0.3, too_many, newest=ssl.TLSVersion.TLSv1_1)
    with Listener(server) as listener:
        assert ask(listener.port, "opportunistic").verdict == "ok"
    assert server.turned_away


def test_a_deferral_without_company_is_believed_at_once() -> None:
    with Listener(smtp(greeting=b"421 busy\r\n")) as server:
        assert ask(server.port, retries=0).verdict == "greeting_deferred"
        assert server.connections == 1


@pytest.mark.parametrize("second", [too_many, closes, says()], ids=["421", "closed", "silent"])
@pytest.mark.parametrize("certificate", ["self_signed", "expired", "stranger", "other_name"])
def test_a_certificate_that_is_not_required_never_decides(second: Serve, certificate: str) -> None:
    """Not even where there is never a second connection to be had."""
    with Listener(smtp(certificate=certificate), second) as server:
        result = ask(server.port, login=True, validate_certs=False)
    assert result.verdict == "ok"
    assert result.certificate is not None
    assert "not verified" in result.reason or sys.version_info < (3, 10)


def test_nothing_is_sent_to_a_server_that_greets_late() -> None:
    heard: list[bytes] = []

    def greets_late(connection: socket.socket) -> None:
        connection.settimeout(2.6)
        with contextlib.suppress(TimeoutError, socket.timeout):
            heard.append(connection.recv(1000))
            return
        connection.settimeout(None)
        smtp()(connection)

    with Listener(greets_late) as server:
        assert ask(server.port, timeout=4.0).verdict == "ok"
        assert (server.connections, heard) == (1, [])


def test_many_silent_ports_of_one_address_cost_one_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect.Address, "loopback", False)
    with Listener(says()) as tarpit, Listener(drips) as dripping, Listener(smtp()) as well:
        ports = [tarpit.port] * 10 + [dripping.port] * 8 + [well.port] * 2
        began = time.monotonic()
        results = probe(
            [Endpoint("127.0.0.1", port, "none") for port in ports], Options(retries=0, timeout=4.0)
        )
        assert time.monotonic() - began < 4.0 + QUICK
    assert [result.verdict for result in results][-2:] == ["ok", "ok"]
    assert not any(result.usable for result in results[:-2])


@pytest.mark.parametrize(
    "first",
    [
        closes,
        smtp(greeting=b"421 busy\r\n"),
        smtp(greeting=b"554 no\r\n"),
        says(),
        smtp(certificate="stranger"),
    ],
    ids=["closed", "421", "554", "silent", "stranger"],
)
def test_the_next_address_has_a_session_too(monkeypatch: pytest.MonkeyPatch, first: Serve) -> None:
    """As in Postfix: the mail goes out where the second address takes it."""
    resolve_as(monkeypatch, {(NAME, V4): ["127.0.0.1", "127.0.0.2"]})
    with Listener(first) as bad:
        good = Listener(smtp(), address="127.0.0.2", port=bad.port)
        with good:
            result = ask(bad.port, host=NAME, ca_path=CA)
            assert good.connections == 1
    assert (result.verdict, result.address, result.attempts) == ("ok", "127.0.0.2", 1)
    assert "not so at 127.0.0.1" in result.reason


def test_a_refused_login_is_not_tried_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_as(monkeypatch, {(NAME, V4): ["127.0.0.1", "127.0.0.2"]})
    with Listener(smtp(replies={"AUTH": b"535 no\r\n"})) as bad:
        other = Listener(smtp(), address="127.0.0.2", port=bad.port)
        with other:
            assert ask(bad.port, host=NAME, login=True).verdict == "auth_rejected"
            assert other.connections == 0


def native(monkeypatch: pytest.MonkeyPatch, services: tuple[str, ...], search: tuple[str, ...] = ()) -> None:
    """A relay in /etc/hosts, and a host whose name service has those services and that search list."""
    hosts = {NAME: (resolve.Found(V4, "127.0.0.1"),)}
    monkeypatch.setattr(
        resolve.Sources, "read", classmethod(lambda _cls: resolve.Sources(services, hosts, search))
    )
    answer = [(socket.AF_INET, 1, 6, NAME, ("127.0.0.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_question: answer)


@pytest.mark.parametrize(
    ("services", "options", "in_dns", "verdict", "lookup", "words"),
    [
        (("files", "dns"), {}, False, "ok", "native", ""),
        (("files", "dns"), {}, True, "ok", "native", ""),
        (("dns", "files"), {}, True, "ok", "dns", ""),
        (("dns", "files"), {}, False, "ok", "native", ""),
        (("files", "dns"), {"lookup": "both"}, True, "ok", "dns", ""),
        (("files", "dns"), {"lookup": "both"}, False, "ok", "native", ""),
        (("files", "dns"), {"lookup": "native"}, False, "ok", "native", ""),
        (("files", "dns"), {"lookup": "dns"}, True, "ok", "dns", ""),
        (("files", "dns"), {"lookup": "dns"}, False, "dns_not_found", None, "smtp_host_lookup"),
        (("files", "dns"), {"needs_dns": True}, True, "ok", "dns", ""),
        (("files", "dns"), {"needs_dns": True}, False, "dns_not_found", None, "dane"),
    ],
)
def test_where_the_address_comes_from(
    monkeypatch: pytest.MonkeyPatch, services: tuple[str, ...], options: dict[str, Any], in_dns: bool,
    verdict: str, lookup: str | None, words: str,
) -> None:  # fmt: skip
    resolve_as(monkeypatch, {(NAME, V4): ["127.0.0.1"]} if in_dns else {})
    native(monkeypatch, services)
    with Listener(smtp()) as server:
        result = ask(server.port, host=NAME, **options)
    assert (result.verdict, result.lookup) == (verdict, lookup), result
    assert words in result.reason
    assert result.as_dict()["lookup"] == lookup


def test_the_search_list_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_as(monkeypatch, {("relay.corp.example", V4): ["127.0.0.1"]})
    native(monkeypatch, ("files", "dns"), ("corp.example",))
    with Listener(smtp()) as server:
        result = ask(server.port, "none", host="relay")
        assert server.connections == 0
    assert (result.verdict, result.lookup, result.address) == ("dns_not_found", None, None)
    assert "relay.corp.example" in result.reason
    assert "full name" in result.advice


def test_source_addresses_of_both_families() -> None:
    heard: list[str] = []

    def serve(connection: socket.socket) -> None:
        heard.append(connection.getpeername()[0])
        smtp()(connection)

    sources = ("127.0.0.5", "::")
    with Listener(serve) as server:
        assert ask(server.port, source_address=sources).verdict == "ok"
        assert ask(server.port, source_address=sources, family="ipv4").verdict == "ok"
        assert ask(server.port, "none", "::1", source_address=sources).verdict != "dns_not_found"
    assert heard == ["127.0.0.5"] * 2
