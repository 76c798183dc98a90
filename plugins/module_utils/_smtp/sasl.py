# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the mailops.smtp collection: names and behaviour may change without notice.
#
# SASL mechanisms of a mail client: PLAIN (RFC 4616), LOGIN (in use, never standardized), CRAM-MD5 (RFC 2195)
# and XOAUTH2 (Google's and Microsoft's).
#
# Rule of this file: it says what to answer, unencoded; base64, lines and the decision whether a password may
# be sent at all belong to the session.

from __future__ import annotations

import hmac
from typing import Callable, NamedTuple, Optional, Sequence

from .endpoint import Credentials
from .reply import printable

Answer = Callable[[bytes], Optional[bytes]]


class Mechanism(NamedTuple):
    """``initial`` goes with the AUTH command where there is one; each answer takes a challenge.

    An answer of None: the challenge makes no sense.
    """

    name: str
    initial: bytes | None
    answers: Sequence[Answer]


def choose(credentials: Credentials, offered: Sequence[str]) -> tuple[Mechanism | None, str]:
    """The mechanism to use, or None with a sentence that says why there is none.

    ``auto`` takes the strongest that the server offers and the credentials fit: XOAUTH2 for an access token (and
    for nothing else), then CRAM-MD5, PLAIN, LOGIN.
    """
    known = {"CRAM-MD5": _cram_md5, "PLAIN": _plain, "LOGIN": _login, "XOAUTH2": _xoauth2}
    asked = credentials.mechanism.upper()
    listed = printable(", ".join(offered)) or "none"
    if asked != "AUTO":
        if asked not in offered:
            return None, f"The server does not offer AUTH {asked} (it offers {listed})"
        candidates = [asked]
    elif looks_like_token(credentials.password) and "XOAUTH2" in offered:
        candidates = ["XOAUTH2"]
    else:
        candidates = [name for name in known if name in offered and name != "XOAUTH2"]
    for name in candidates:
        mechanism = known[name](credentials)
        if mechanism is not None:
            return mechanism, ""
    if "XOAUTH2" in offered and asked == "AUTO":
        return None, (
            f"The server offers AUTH {listed}, of which only XOAUTH2 can be used, and the password does not look "
            "like an access token; set auth_mechanism to xoauth2 if it is one"
        )
    return None, f"The server offers AUTH {listed}, none of which can be used with a password here"


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
    # A refusal comes as a challenge that holds the error, and wants an empty answer before the 5xx.
    refusal: list[Answer] = [lambda _error: b""]
    return Mechanism("XOAUTH2", b"user=%s\1auth=Bearer %s\1\1" % _utf8(credentials), refusal)
