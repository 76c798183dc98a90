"""The words of a server as they may be shown: escaped, and without the password that it may send back.

Rules of this file: no I/O, and no decision about what words mean. A password is looked for in each form in which it is
sent; where removing it would change SMTP's own words, or show what it is, it is left alone.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from binascii import b2a_base64

from .._base.masks import MASK
from .endpoint import Credentials, Endpoint
from .reply import printable

_MASK = MASK.encode("ascii")
_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/]{8,}")

# A password this short is removed only where it stands alone, and not from what the server says before it knows it:
# the letters are in too many words.
_SHORT_SECRET = 8

# The server's words on which a decision rests.
_VOCABULARY = b"STARTTLS AUTH= SMTPUTF8 CRAM-MD5 PLAIN LOGIN XOAUTH2 ESMTP LMTP LHLO FTP"


def b64encode(data: bytes) -> bytes:
    return b2a_base64(data, newline=False)


class Redactor:
    """What may be shown in a session with this endpoint. ``helo_name`` is the name that the client gives."""

    def __init__(self, endpoint: Endpoint, helo_name: str) -> None:
        self.told = False
        """Whether the server has been told the password, and may send it back."""
        self._credentials = endpoint.credentials
        self._encoded = _encoded(endpoint.credentials)
        self._secrets, self._words_too = _secrets(endpoint, helo_name)

    def shown(self, text: bytes) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        for secret in self._words_too if self.told else ():
            alone = rb"(?<![A-Za-z0-9])" + re.escape(secret) + rb"(?![A-Za-z0-9])"
            text = re.sub(alone, _MASK, text)
        if self._encoded:
            text = _BASE64_RUN.sub(self._masked_piece, text)
        return printable(text)

    def _masked_piece(self, run: re.Match[bytes]) -> bytes:
        """A server that echoes a command may cut it, fold it, or leave its padding off."""
        return _MASK if any(run[0] in form for form in self._encoded) else run[0]

    @property
    def user(self) -> str:
        """The user name: with some relays it is the secret too."""
        credentials = self._credentials
        if credentials is None:
            return ""
        if credentials.username == credentials.password:
            return MASK
        text = credentials.username.encode("utf-8")
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        return printable(text)


def _encoded(credentials: Credentials | None) -> list[bytes]:
    """The password in every form in which it may be sent."""
    if credentials is None:
        return []
    username, password = credentials.username.encode("utf-8"), credentials.password.encode("utf-8")
    return [
        b64encode(password),
        b64encode(b"\0" + username + b"\0" + password),
        b64encode(username + b"\0" + username + b"\0" + password),
        b64encode(b"user=" + username + b"\1auth=Bearer " + password + b"\1\1"),
    ]


def _secrets(endpoint: Endpoint, helo_name: str) -> tuple[list[bytes], list[bytes]]:
    """What a server may send back of the password, the longest first: what is looked for in everything that it says,
    and what only where it stands alone, once the server knows it.

    A password that is a piece of the names that both sides know is not looked for, and one that is a piece of SMTP's
    own words not in the server's offers: to remove it from them would change them, and show what it is.
    """
    credentials = endpoint.credentials
    forms = [credentials.password.encode("utf-8"), *_encoded(credentials)] if credentials else []
    names = f"{endpoint.host} {endpoint.port} {endpoint.server_name or ''} {helo_name}".lower().encode(
        "utf-8"
    )
    forms = sorted((form for form in forms if form.lower() not in names), key=len, reverse=True)
    plain = [form for form in forms if len(form) < _SHORT_SECRET or form.upper() in _VOCABULARY]
    return [form for form in forms if form not in plain], plain
