"""Whether Postfix serves after a change: master(8) runs, every inet service greets, and nothing fatal is logged."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import Callable, Iterable, Mapping, NamedTuple, Sequence

from ..._base.addresses import IMPLICIT_TLS_PORTS
from ..files import expansion, master_cf
from ..files.parameters import ESSENTIAL_SERVICES
from ..host import listeners
from ..host.control import Control
from ..host.listeners import Listener
from ..host.mail_log import LogMark
from ..host.master import Master, held


class Endpoint(NamedTuple):
    """A place that must answer after activation."""

    address: str
    port: int
    greets: bool
    implicit: bool
    service: str


def expected_endpoints(
    master: Master, services: Iterable[master_cf.Service], values: Mapping[str, str], ports: Iterable[int]
) -> list[Endpoint]:
    """Every inet service of master.cf on each address that master holds, and the asked ports.

    Where its sockets cannot be seen, another program may hold the same port of another address: only addresses that
    Postfix is to listen on count then.
    """
    result: dict[tuple[str, int], Endpoint] = {}
    services = list(services)
    asked = listeners.expected_listeners(values, services) if master.listeners is None else None

    def setting(service: master_cf.Service, name: str) -> str:
        option = service.option(name)
        return option if option is not None else values.get(name, "")

    for service in services:
        if service.type != "inet":
            continue
        host, port_text = listeners.split_inet_service(service.service)
        port = listeners.port_number(port_text)
        if port is None:
            continue
        program = service.command
        proxied = setting(service, f"{program}_upstream_proxy_protocol")
        speaks = program in ("smtpd", "postscreen") and not proxied
        implicit = program == "smtpd" and setting(service, "smtpd_tls_wrappermode").lower() == "yes"
        seen = [listener for listener in held(master, [port]) if listener.port == port]
        seen = [each for each in seen if asked is None or each in asked]
        # With IPv6 turned off, [::] can still be bound, and nobody can connect.
        seen = [each for each in seen if ":" not in each.address or listeners.ipv6_works()] or seen
        for listener in seen or [Listener(host or "127.0.0.1", port)]:
            result[(listener.address, port)] = Endpoint(
                _reachable(listener.address), port, speaks, implicit, f"{service.service} inet {program}"
            )
    for port in ports:
        if not any(endpoint.port == port for endpoint in result.values()):
            result[("", port)] = Endpoint("127.0.0.1", port, True, port in IMPLICIT_TLS_PORTS, f"port {port}")
    return list(result.values())


def _reachable(address: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)


def check_greeting(endpoint: Endpoint, timeout: float) -> str | None:
    """Connect and wait for the greeting; None when it answers, else what happened instead."""
    try:
        with socket.create_connection((endpoint.address, endpoint.port), timeout=timeout) as connection:
            if not endpoint.greets:
                return None
            stream = connection
            if endpoint.implicit:
                import ssl  # where nothing speaks it, it is not worth its time

                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
                # Whether it answers, not how well: a service for this host alone may have no certificate.
                context.set_ciphers("ALL:@SECLEVEL=0")
                stream = context.wrap_socket(connection)
            stream.settimeout(timeout)
            greeting = stream.recv(512)
            with contextlib.suppress(OSError):
                stream.sendall(b"QUIT\r\n")
            if greeting[:3].isdigit():
                return None
            return (
                "the connection was closed without a greeting"
                if not greeting
                else f"it said {greeting[:60]!r}"
            )
    except socket.timeout:
        return f"no greeting within {timeout:.0f} s"
    except OSError as error:
        return f"{error.__class__.__name__}: {error.strerror or error}"


def confirm(
    control: Control,
    services: Sequence[master_cf.Service],
    values: Mapping[str, str],
    ports: Sequence[int],
    timeout: float,
    log: LogMark,
    replaced: int | None,
    restart: Callable[[], None] | None = None,
) -> list[str]:
    """Wait until Postfix serves: master runs, every inet service answers, nothing fatal is logged.

    Returns what is wrong, nothing when it serves. `values` are those in force, defaults included; `replaced` is the
    process that must be gone. master(8) waits a minute before it starts a daemon again that has failed, under the
    configuration of before as well, and a reload does not shorten that: what has not come by then without a word in
    the log is given a `restart`, and as long again.
    """
    deadline = time.monotonic() + timeout
    if problems := not_executable(services, values):
        return problems
    problems = ["master is not running"]
    pause = 0.05
    while True:
        master = control.master()
        if master is not None and master.pid != replaced:
            if log_lines := log.failures(master):
                return [f"Postfix logged: {line}" for line in log_lines]
            left = max(1.0, deadline - time.monotonic())
            problems = []
            for endpoint in expected_endpoints(master, services, values, ports):
                trouble = check_greeting(endpoint, left)
                if trouble:
                    problems.append(
                        f"{endpoint.service} does not answer on {endpoint.address} port {endpoint.port}: {trouble}"
                    )
            if not problems and (master.loaded_at is not None or not _wants_qmgr(services)):
                break
            if not problems:
                # master(8) starts it on demand, and a busy host may be a while until it asks.
                control.wake_queue_manager()
                problems = ["the queue manager did not start"]
        if time.monotonic() >= deadline:
            if restart is None or master is None:
                break
            restart()
            replaced, restart, deadline = master.pid, None, time.monotonic() + timeout
        time.sleep(pause)
        pause = min(pause * 2, 1.0)
    if not problems and master:
        # A daemon that dies at start is reported by master a moment after its client was accepted.
        time.sleep(0.2)
        return [f"Postfix logged: {line}" for line in log.failures(master)]
    return problems + [f"Postfix logged: {line}" for line in log.complaints()]


def not_executable(services: Iterable[master_cf.Service], values: Mapping[str, str]) -> list[str]:
    """The services without which no mail goes through, and whose daemons master(8) cannot start.

    It tries as soon as a message needs one, so no port shows that.
    """
    with contextlib.suppress(expansion.CannotExpand):
        directory = expansion.expand(values.get("daemon_directory", ""), values)
        names = {values.get(parameter) or usual for parameter, usual in ESSENTIAL_SERVICES.items()}
        needed = [entry for entry in services if entry.service in names and entry.type in ("unix", "fifo")]
        paths = [(entry, os.path.join(directory, entry.command)) for entry in needed]
        return [
            f"{'/'.join(entry.key)}: master(8) cannot execute {path}, and no mail goes through without it"
            for entry, path in paths
            if os.path.isdir(directory) and not (os.path.isfile(path) and os.access(path, os.X_OK))
        ]
    return []


def _wants_qmgr(services: Sequence[master_cf.Service]) -> bool:
    return any(service.command == "qmgr" for service in services)
