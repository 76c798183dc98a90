"""Runs inside the root of the oracle tests: many aiosmtpd servers in one process.

The one argument is a JSON file.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import ssl
import sys
import threading
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import AuthResult, LoginPassword


def serve(server: dict[str, Any], login: LoginPassword) -> None:
    settings = dict(server["settings"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server["certificate"], server["key"])
    for option in ("minimum", "maximum"):
        if option in settings:
            setattr(context, f"{option}_version", ssl.TLSVersion[settings.pop(option)])
    if settings.pop("login", False):
        settings["authenticator"] = lambda *arguments: AuthResult(
            success=arguments[-1] == login, handled=False
        )
    if server["tls"] == "implicit":
        settings["ssl_context"] = context
    elif server["tls"] == "starttls":
        settings["tls_context"] = context
    Controller(Sink(), "127.0.0.1", server["port"], server_hostname=server["host"], **settings).start()


with open(sys.argv[1]) as stream:
    configuration = json.load(stream)
for each in configuration["servers"]:
    serve(each, LoginPassword(configuration["username"].encode(), configuration["password"].encode()))
threading.Event().wait()
