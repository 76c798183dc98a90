"""SASL mechanisms of a mail client.

PLAIN (RFC 4616), LOGIN (in use, never standardized), SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802 and 7677), CRAM-MD5 (RFC
2195) and XOAUTH2 (Google's and Microsoft's).

Rules of this file: it says what to answer, unencoded; base64, lines and the decision whether a password may be sent at
all belong to the session. There is no mechanism here that Postfix with Cyrus SASL cannot use, so that the one that
logged in can be written into its configuration.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import hmac
import os
import stringprep
import unicodedata
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import Callable, Collection, NamedTuple, Optional, Sequence

from .endpoint import Credentials
from .reply import printable

Answer = Callable[[bytes], Optional[bytes]]

# A server chooses how often the password is hashed. RFC 5802 asks for 4096 at least; Postfix's Cyrus takes any number,
# and this bound keeps a hostile one from keeping the probe busy (about a second).
MAX_ITERATIONS = 1000000


def _always() -> bool:
    return True


class Mechanism(NamedTuple):
    """``initial`` goes with the AUTH command where there is one; each answer takes a challenge.

    An answer of None: the challenge makes no sense. ``proven``, asked when the server has accepted the login, says
    whether the server has shown what the mechanism demands of it.
    """

    name: str
    initial: bytes | None
    answers: Sequence[Answer]
    proven: Callable[[], bool] = _always


def choose(
    credentials: Credentials, offered: Sequence[str], usable: Collection[str] | None = None
) -> tuple[list[Mechanism], str]:
    """The mechanisms to try, in this order, or none with a sentence that says why there is none.

    ``auto`` takes what the server offers and the credentials fit: XOAUTH2 for an access token (and for nothing else),
    then PLAIN, LOGIN, SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5. The connection is encrypted, and PLAIN works with every
    way in which a server may store passwords, which the others do not. ``usable``, where given, are the mechanisms
    that the host's Postfix can have.
    """
    offered = [name.upper() for name in offered]
    known = {
        name: make for name, make in _MECHANISMS.items() if usable is None or name in map(str.upper, usable)
    }
    asked = credentials.mechanism.upper()
    listed = printable(", ".join(offered)) or "none"
    if asked != "AUTO":
        if asked not in offered:
            return [], f"The server does not offer AUTH {asked} (it offers {listed})"
        candidates = [asked]
    elif looks_like_token(credentials.password) and "XOAUTH2" in offered:
        if usable is not None:
            return (
                [],
                "The password looks like an access token, which Postfix cannot log in with: it lasts an hour or so",
            )
        candidates = ["XOAUTH2"]
    else:
        candidates = [name for name in known if name in offered and name != "XOAUTH2"]
    made = [known[name](credentials) for name in candidates if name in known]
    mechanisms = [mechanism for mechanism in made if mechanism is not None]
    if mechanisms:
        return mechanisms, ""
    if "XOAUTH2" in offered and "XOAUTH2" in known and asked == "AUTO":
        return [], (
            f"The server offers AUTH {listed}, of which only XOAUTH2 can be used, and the password does not look "
            "like an access token; set auth_mechanism to xoauth2 if it is one"
        )
    if asked != "AUTO":
        return [], f"AUTH {asked}, which was asked for, cannot be used on this host"
    return [], f"The server offers AUTH {listed}, none of which can be used with a password here"


def looks_like_token(password: str) -> bool:
    """Whether a password is an OAuth 2.0 access token: Google's have a prefix, Microsoft's are JSON web tokens."""
    return password.startswith("ya29.") or (password.startswith("eyJ") and len(password) > 100)


def _utf8(credentials: Credentials) -> tuple[bytes, bytes]:
    return credentials.username.encode("utf-8"), credentials.password.encode("utf-8")


def _plain(credentials: Credentials) -> Mechanism:
    return Mechanism("PLAIN", b"\0%s\0%s" % _utf8(credentials), [])


def _login(credentials: Credentials) -> Mechanism:
    username, password = _utf8(credentials)
    return Mechanism("LOGIN", None, [lambda _prompt: username, lambda _prompt: password])


def _cram_md5(credentials: Credentials) -> Mechanism | None:
    username, password = _utf8(credentials)
    try:
        hmac.new(password, b"", "md5")
    except ValueError:  # a system in FIPS mode has no MD5
        return None

    def answer(challenge: bytes) -> bytes | None:
        if not challenge:
            return None
        return b"%s %s" % (username, hmac.new(password, challenge, "md5").hexdigest().encode("ascii"))

    return Mechanism("CRAM-MD5", None, [answer])


def _xoauth2(credentials: Credentials) -> Mechanism:
    # A refusal comes as a challenge that holds the error, and needs an empty answer before the 5xx.
    refusal: list[Answer] = [lambda _error: b""]
    return Mechanism("XOAUTH2", b"user=%s\1auth=Bearer %s\1\1" % _utf8(credentials), refusal)


class Scram:
    """One login by SCRAM without channel binding: the client's side of RFC 5802 section 3.

    ``nonce`` is for tests against the RFC's examples alone.
    """

    def __init__(self, digest: str, username: str, password: str, nonce: str = "") -> None:
        self._digest = digest
        self._password = saslprep(password).encode("utf-8")
        name = saslprep(username).replace("=", "=3D").replace(",", "=2C")
        self._nonce = nonce or b2a_base64(os.urandom(24), newline=False).decode("ascii")
        self._bare = f"n={name},r={self._nonce}"
        self._signature = b""
        self.proven = False
        """Whether the server has shown that it knows the password as well."""

    @property
    def first(self) -> bytes:
        return b"n,," + self._bare.encode("utf-8")

    def answer(self, challenge: bytes) -> bytes | None:
        """client-final-message for server-first-message; None where that makes no sense."""
        try:
            text = challenge.decode("utf-8")
            fields = dict(part.split("=", 1) for part in text.split(","))
            nonce, salt, iterations = fields["r"], a2b_base64(fields["s"]), int(fields["i"])
        except (ValueError, KeyError, Base64Error):
            return None
        # "m" is a demand for an extension that the client must understand (section 5.1).
        if "m" in fields or not salt or not nonce.startswith(self._nonce) or nonce == self._nonce:
            return None
        if not 1 <= iterations <= MAX_ITERATIONS:
            return None
        salted = hashlib.pbkdf2_hmac(self._digest, self._password, salt, iterations)
        client_key = self._mac(salted, b"Client Key")
        final = f"c=biws,r={nonce}"
        message = ",".join([self._bare, text, final]).encode("utf-8")
        signature = self._mac(hashlib.new(self._digest, client_key).digest(), message)
        self._signature = self._mac(self._mac(salted, b"Server Key"), message)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        return b"%s,p=%s" % (final.encode("utf-8"), b2a_base64(proof, newline=False))

    def verify(self, challenge: bytes) -> bytes | None:
        """The empty answer to server-final-message; None where its signature is not the right one."""
        verifier = challenge.split(b",")[0]
        if verifier.startswith(b"e="):  # the server's error, and then a 5xx
            return b""
        right = b"v=" + b2a_base64(self._signature, newline=False)
        self.proven = bool(self._signature) and hmac.compare_digest(verifier, right)
        return b"" if self.proven else None

    def _mac(self, key: bytes, message: bytes) -> bytes:
        return hmac.new(key, message, self._digest).digest()


def _scram(name: str, digest: str) -> Callable[[Credentials], Mechanism | None]:
    def make(credentials: Credentials) -> Mechanism | None:
        try:
            scram = Scram(digest, credentials.username, credentials.password)
        except ValueError:  # characters that RFC 4013 prohibits
            return None
        return Mechanism(name, scram.first, [scram.answer, scram.verify], lambda: scram.proven)

    return make


def saslprep(text: str) -> str:
    """Prepare a user name or a password (RFC 4013). Raises ValueError for what is prohibited."""
    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char for char in text if not stringprep.in_table_b1(char)
    )
    prepared = unicodedata.normalize("NFKC", mapped)
    prohibited = (
        stringprep.in_table_a1,
        stringprep.in_table_c12,
        stringprep.in_table_c21_c22,
        stringprep.in_table_c3,
        stringprep.in_table_c4,
        stringprep.in_table_c5,
        stringprep.in_table_c6,
        stringprep.in_table_c7,
        stringprep.in_table_c8,
        stringprep.in_table_c9,
    )
    if any(table(char) for char in prepared for table in prohibited):
        raise ValueError("a prohibited character")
    if any(map(stringprep.in_table_d1, prepared)) and (
        any(map(stringprep.in_table_d2, prepared))
        or not stringprep.in_table_d1(prepared[0])
        or not stringprep.in_table_d1(prepared[-1])
    ):
        raise ValueError("left to right and right to left")
    return prepared


# In the order in which they are tried.
_MECHANISMS: dict[str, Callable[[Credentials], Mechanism | None]] = {
    "PLAIN": _plain,
    "LOGIN": _login,
    "SCRAM-SHA-256": _scram("SCRAM-SHA-256", "sha256"),
    "SCRAM-SHA-1": _scram("SCRAM-SHA-1", "sha1"),
    "CRAM-MD5": _cram_md5,
    "XOAUTH2": _xoauth2,
}
