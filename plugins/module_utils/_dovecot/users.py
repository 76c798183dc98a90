"""The passwd-file of those who may log in: which logins and hashes it can hold, and its text.

The rules of this file: no I/O. No sentence about a hash shows any of it, for it may be the password itself.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Mapping

# What crypt(3) makes: SHA-256, SHA-512, Blowfish, yescrypt.
_SHA256 = r"\$5\$(rounds=\d+\$)?[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{43}"
_SHA512 = r"\$6\$(rounds=\d+\$)?[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{86}"
_BLOWFISH = r"\$2[aby]\$\d\d\$[./0-9A-Za-z]{53}"
_YESCRYPT = r"\$g?y\$[./0-9A-Za-z]+\$[./0-9A-Za-z]{1,86}\$[./0-9A-Za-z]{43}"
_BASE64 = r"[A-Za-z0-9+/]+={0,2}"
# Schemes that are salted, and slow on purpose, each with the form of what follows it.
SCHEMES: Mapping[str, str] = {
    "SHA512-CRYPT": _SHA512,
    "SHA256-CRYPT": _SHA256,
    "BLF-CRYPT": _BLOWFISH,
    "ARGON2ID": rf"\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\${_BASE64}\${_BASE64}",
    "ARGON2I": rf"\$argon2i\$v=\d+\$m=\d+,t=\d+,p=\d+\${_BASE64}\${_BASE64}",
    "SCRAM-SHA-256": rf"\d+,{_BASE64},{_BASE64},{_BASE64}",
    "PBKDF2": r"\$1\$[^$:\s]+\$\d+\$[0-9a-fA-F]{40}",
    "CRYPT": rf"(?:{_SHA512}|{_SHA256}|{_BLOWFISH}|{_YESCRYPT})",
}
# The others that Dovecot has (doveadm pw -l): no salt, or done by the million in a second.
_FAST = (
    "ARGON2", "CRAM-MD5", "DES-CRYPT", "DIGEST-MD5", "HMAC-MD5", "LDAP-MD5", "MD5", "MD5-CRYPT", "OTP", "PLAIN-MD4",
    "PLAIN-MD5", "SCRAM-SHA-1", "SHA", "SHA1", "SHA256", "SHA512", "SMD5", "SSHA", "SSHA256", "SSHA512",
)  # fmt: skip
_CLEAR = ("PLAIN", "CLEAR", "CLEARTEXT", "PLAIN-TRUNC")
HOW = (
    "hash it with doveadm pw -s SHA512-CRYPT, or with \"{{ password | password_hash('sha512', salt) }}\" and a salt "
    "that stays the same"
)
# auth_username_chars of Dovecot, after it has made lower case of a login (auth_username_format).
_LOGIN = re.compile(r"[a-z0-9._@-]+\Z")
_LONGEST = 255


def login_flaw(login: str) -> str:
    """Why Dovecot never finds a login in the file, and what to write; empty where it does."""
    if not login:
        return "is empty, and takes the name that the client logs in with"
    if len(login) > _LONGEST:
        return f"has {len(login)} characters, and takes {_LONGEST} at most"
    if _LOGIN.match(login):
        return ""
    if _LOGIN.match(login.lower()):
        return f"has capital letters, and Dovecot looks logins up in lower case; write {login.lower()}"
    bad = next(char for char in login if not _LOGIN.match(char.lower()))
    what = {":": "which ends the login in a passwd-file", "#": "which begins a comment there"}.get(
        bad, "which Dovecot refuses in logins (auth_username_chars)"
    )
    return f"holds {bad!r}, {what}; use letters, digits and . _ - @"


def hash_flaw(value: str) -> str:
    """Why a text is not to be in the file, and what to write instead, without any of it; empty where it may be."""
    scheme, body = _split(value)
    if scheme in _CLEAR:
        return f"is a password in the clear ({{{scheme}}}), which everybody with the file can use; {HOW}"
    if not scheme:
        return f"is not a hash as Dovecot takes it, so it may be the password itself (not shown); {HOW}"
    known = ", ".join(f"{{{name}}}" for name in SCHEMES)
    if scheme == "CRYPT" and not body.startswith("$"):
        return f"is a hash of the scheme CRYPT without a $, which is DES, of eight characters; {HOW}"
    if scheme not in SCHEMES:
        # What is in braces may be the beginning of a password.
        name = scheme if scheme.partition(".")[0] in (*_FAST, *SCHEMES) else "(not shown)"
        return f"has the scheme {name}, and takes one that is salted and slow to try ({known}); {HOW}"
    if not re.fullmatch(SCHEMES[scheme], body):
        return f"does not have the form of a hash of {{{scheme}}} (not shown); was it cut off? {HOW}"
    return ""


def schemes(users: Mapping[str, str]) -> set[str]:
    """The schemes that Dovecot must know for these users."""
    return {_split(value)[0] for value in users.values()}


def passwd_file(users: Mapping[str, str]) -> str:
    """The file, one line for each login, in their order: it does not matter in which they were given."""
    rows = ((login, *_split(value)) for login, value in sorted(users.items()))
    return "".join(f"{login}:{{{scheme}}}{body}\n" for login, scheme, body in rows)


def _split(value: str) -> tuple[str, str]:
    """The scheme, in capitals, and what follows it. What crypt(3) alone has made is of the scheme CRYPT."""
    match = re.match(r"\{([^{}]*)\}(.*)\Z", value, re.DOTALL)
    if match:
        return match[1].upper(), match[2]
    return ("CRYPT", value) if re.fullmatch(SCHEMES["CRYPT"], value) else ("", value)
