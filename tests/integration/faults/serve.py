"""The process behind all hosts of the fault table; it runs in the server's namespace.

    serve.py <directory of certificates>

It says "ready" when everything listens, ends when its standard input ends, and before that answers each line of it with
what has come in so far, as JSON.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import resource
import selectors
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from faults.nameserver import NameServer
from faults.network import RESOLVER
from faults.servers import Host
from faults.table import PLACES

_IPV6_FREEBIND = 78


def _listen(address: str, port: int) -> socket.socket:
    ipv6 = ":" in address
    listener = socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if ipv6:
        # The prefix is routed here as a whole; no interface has the address.
        listener.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
    listener.bind((address, port))
    listener.listen(64)
    listener.setblocking(False)
    return listener


def _accept(selector: selectors.BaseSelector) -> None:
    while True:
        for key, _events in selector.select():
            try:
                connection, _client = key.fileobj.accept()  # type: ignore[union-attr]
            except OSError:
                continue  # reset before it was accepted
            key.data.meet(connection)


def _report(hosts: dict[str, Host]) -> dict[str, list[dict[str, Any]]]:
    def texts(record: dict[str, Any]) -> dict[str, Any]:
        return {**record, "clear": record["clear"].decode("latin-1")}

    return {name: [texts(record) for record in list(host.records)] for name, host in hosts.items()}


def main() -> None:
    directory = Path(sys.argv[1])
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    hosts: dict[str, Host] = {}
    selector = selectors.DefaultSelector()
    for place in PLACES:
        case = place.case
        if case.serve is None:
            continue
        certificate = str(directory / (case.name + ".pem"))
        hosts[case.name] = Host(place.name, case.serve, certificate, str(directory / "ca.pem"))
        for address in place.listens_on:
            for port in (case.port, *case.ports):
                selector.register(_listen(address, port), selectors.EVENT_READ, hosts[case.name])
    NameServer(RESOLVER, PLACES)
    threading.Thread(target=_accept, args=(selector,), daemon=True).start()
    print("ready", flush=True)
    for _line in sys.stdin:
        print(json.dumps(_report(hosts)), flush=True)


if __name__ == "__main__":
    main()
