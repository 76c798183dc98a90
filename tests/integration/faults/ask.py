"""The probes of the fault table; it runs in the client's namespace, as a user's process would.

    ask.py <file of CA certificates> <policy>...

Each policy is one call of probe() with all its endpoints. It writes, as JSON, for each policy how long that took and
the results of each case, and when it had nothing left to do, on the monotonic clock of the system, which is that of the
process that waits for this one.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from unittest import mock

from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import (
    Credentials,
    Endpoint,
    Options,
    parse_endpoint,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.net.probe import probe

from faults.table import CONNECT_TIMEOUT, PLACES, POLICIES, TIMEOUT, Place


def _endpoint(place: Place, port: int) -> Endpoint:
    case = place.case
    return parse_endpoint(
        {"host": place.fill(case.host) or place.name, "port": port, "tls": case.tls},
        server_name=case.server_name or None,
        credentials=Credentials(*case.login) if case.login else None,
    )


def _authorities(policy: str) -> contextlib.AbstractContextManager[Any]:
    """For OpenSSL, the system's authorities, or a file and a directory without any."""
    if policy != "no authorities":
        return contextlib.nullcontext()
    return mock.patch.dict(os.environ, SSL_CERT_FILE=__file__, SSL_CERT_DIR="/nonexistent")


def _ask(policy: str, ca_file: str) -> dict[str, Any]:
    options: dict[str, Any] = {
        "timeout": TIMEOUT,
        "connect_timeout": CONNECT_TIMEOUT,
        "retries": 0,
        "ca_path": ca_file,
        **POLICIES[policy],
    }
    if options["ca_path"]:
        options["ca_path"] = str(Path(ca_file).with_name(Path(options["ca_path"]).name))
    asked: list[tuple[str, Endpoint]] = []
    for place in PLACES:
        if place.case.policy == policy:
            asked += [
                (place.case.name, _endpoint(place, port)) for port in (place.case.port, *place.case.ports)
            ]
    begin = time.monotonic()
    with _authorities(policy):
        results = probe([endpoint for _name, endpoint in asked], Options(**options))
    seconds = time.monotonic() - begin
    cases: dict[str, list[dict[str, Any]]] = {name: [] for name, _endpoint in asked}
    # Results come in the order asked, and those of the two families of one endpoint are adjacent.
    position = 0
    for result in results:
        while (result.host, result.port) != (asked[position][1].host, asked[position][1].port):
            position += 1
        cases[asked[position][0]].append({**result.as_dict(), "silent": len(result.silent)})
    return {"seconds": seconds, "cases": cases}


def main() -> None:
    ca_file, policies = sys.argv[1], sys.argv[2:]
    answer = {"policies": {policy: _ask(policy, ca_file) for policy in policies}, "done": time.monotonic()}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
