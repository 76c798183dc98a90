"""A certificate that this host signs itself, with its key, for as long as it has no other.

The rule of this file: what is there and still good is kept, so that clients that have been told to trust it still do.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

from ..._base import der
from .programs import find_program, run

DAYS, LAST_DAYS = 3650, 30
_CONFIG = """\
[req]
prompt = no
distinguished_name = subject
x509_extensions = extensions
[subject]
CN = {subject}
[extensions]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:{name}
"""
# RFC 5280, appendix A.1: ub-common-name.
_LONGEST = 64


def kept_or_made(text: str, name: str) -> str:
    """The key and certificate in `text` if they are for the name and stay valid for a month, else new ones.

    Raises ValueError where they cannot be made.
    """
    return text if is_good(text, name, time.time()) else _made(name)


def is_good(text: str, name: str, now: float) -> bool:
    begins, ends = der.validity(text) or (now, now)
    return begins <= now < ends - LAST_DAYS * 86400 and "PRIVATE KEY-----" in text and name in der.names(text)


def _made(name: str) -> str:
    openssl = find_program("openssl")
    if openssl is None:
        raise ValueError(
            "a self-signed certificate is asked for, and the program openssl, which makes it, is not installed on "
            "this host; install the package openssl, or name a certificate of its own in postfix_submission_cert_file"
        )
    config = _CONFIG.format(name=name, subject=name if len(name) <= _LONGEST else "mail server")
    command = [
        openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-sha256",
        "-days", str(DAYS), "-config", "/dev/stdin", "-keyout", "-", "-out", "-",
    ]  # fmt: skip
    done = run(command, stdin=config)
    if done.code or not is_good(done.output, name, time.time()):
        said = (done.errors.strip() or "it says nothing").splitlines()[-1]
        raise ValueError(f"openssl could not make a self-signed certificate for {name!r}: {said}")
    return done.output
