"""A client's certificate and its key, as files of this host: whether they can be shown to a server.

The rule of this file: OpenSSL judges, through the standard library, and what is wrong is said as what to do. Nothing of
a key is ever shown.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ssl
import time
from typing import NamedTuple

from . import der

_BOTH = "both have to be PEM, the key without a passphrase"
# The second: it is of another kind, as RSA for an ECDSA certificate.
_ANOTHERS_KEY = ("KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED")


class Flaw(NamedTuple):
    """Why a pair is of no use. `kind`: `missing`, `unreadable`, `useless` (no pair can be made of the files),
    `outdated` (it would be shown, and servers refuse it). `of_key`: whether the key's file is to blame. `words` begin
    with the file."""

    kind: str
    of_key: bool
    words: str


def flaw(certificate: str, key: str = "", now: float | None = None) -> Flaw | None:
    """What is wrong with a certificate's file and its key's, which may be the same one; None for nothing.

    `now` is in seconds since the epoch.
    """
    key = key or certificate
    texts = {}
    for path, of_key in ((certificate, False), (key, True)):
        try:
            with open(path, encoding="latin-1") as file:
                texts[path] = file.read()
        except FileNotFoundError:
            return Flaw(
                "missing", of_key, f"{path} does not exist on this host; create it, or correct the path"
            )
        except OSError as error:
            words = f"{path} cannot be read ({error.strerror}); become root, or correct the path"
            return Flaw("unreadable", of_key, words)
    if "-----BEGIN CERTIFICATE-----" not in texts[certificate]:
        return Flaw(
            "useless", False, f"{certificate} holds no certificate in PEM format; name the file that does"
        )
    if "PRIVATE KEY-----" not in texts[key]:
        return Flaw("useless", True, f"{key} holds no private key in PEM format; name the file that does")
    return _of_pair(certificate, key) or _of_dates(
        certificate, texts[certificate], time.time() if now is None else now
    )


def _of_pair(certificate: str, key: str) -> Flaw | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    try:
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        if error.reason in _ANOTHERS_KEY:
            words = f"the key in {key} does not belong to the certificate in {certificate}; name the one that does"
            return Flaw("useless", True, words)
        why = (error.reason or str(error)).replace("_", " ").lower()
        return Flaw("useless", True, f"{certificate} and {key} cannot be used ({why}); {_BOTH}")
    except OSError as error:
        return Flaw("useless", True, f"{certificate} and {key} cannot be used ({error.strerror}); {_BOTH}")
    return None


def _of_dates(path: str, text: str, now: float) -> Flaw | None:
    begins, ends = der.validity(text) or (float("-inf"), float("inf"))
    if ends < now:
        return Flaw("outdated", False, f"the certificate in {path} expired on {_day(ends)}; renew it")
    if begins > now:
        words = f"the certificate in {path} is valid from {_day(begins)} only; wait, or set this host's clock"
        return Flaw("outdated", False, words)
    return None


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(moment))
