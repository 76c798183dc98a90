"""What to probe and how: endpoints, credentials, options.

Rule of this file: a value that a user gave is checked here once, before anything is sent; the complaint says what is
wrong, where, and what to write instead. Nothing that comes after it checks again.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping, NamedTuple, Sequence

from .._base.addresses import IMPLICIT_TLS_PORTS, PORT_NAMES, ip_version, is_host_name
from .._base.masks import MASK

TLS_MODES = ("starttls", "implicit", "opportunistic", "none")
MECHANISMS = ("auto", "none", "plain", "login", "cram-md5", "scram-sha-1", "scram-sha-256", "xoauth2")
FAMILIES = ("any", "ipv4", "ipv6", "both")
LOOKUPS = ("auto", "dns", "native", "both")
TLS_VERSIONS = ("1.0", "1.1", "1.2", "1.3")


class OptionError(ValueError):
    """A value given by the user cannot be used; the text is for the user."""


class Credentials(NamedTuple):
    """User name and password (for XOAUTH2 the access token). Its repr shows no password.

    Where the password of XOAUTH2 is empty, Postfix gets the token itself, and no login can be tried here.
    ``usable``, where given, are the mechanisms for which the host can have a plugin: a Postfix there has no others.
    """

    username: str
    password: str
    mechanism: str = "auto"
    usable: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        return f"Credentials(username={self.username!r}, password={MASK!r}, mechanism={self.mechanism!r})"


class Endpoint(NamedTuple):
    """One host and port, with the TLS mode that is to be spoken there (already resolved, never ``auto``).

    ``options``, where given, are its own: of authorities, certificates, lookup and envelope."""

    host: str
    port: int
    tls: str
    server_name: str | None = None
    credentials: Credentials | None = None
    options: Options | None = None

    def __str__(self) -> str:
        return "%s:%d" % (f"[{self.host}]" if ":" in self.host else self.host, self.port)


@dataclass(frozen=True)
class Options:
    """How to probe. Times in seconds."""

    timeout: float = 10.0
    connect_timeout: float = 5.0
    retries: int = 1
    family: str = "any"
    source_address: str | Sequence[str] | None = None
    """One address, or one of each family."""
    helo_name: str | None = None
    validate_certs: bool = True
    ca_path: str | Sequence[str] | None = None
    """Files and directories of the authorities to trust, all of them; None for the system's."""
    system_authorities: bool = False
    """Whether the system's are trusted beside those."""
    client_certificates: tuple[tuple[str, str], ...] = ()
    """What to show to a server that asks for a certificate: files of the certificate and of its key, checked before."""
    min_tls_version: str = "1.2"
    min_days: int = 0
    mail_from: str | None = None
    rcpt_to: str | None = None
    concurrency: int = 256
    check_injection: bool = False
    check_families: bool = False
    """Whether to see, where one of both families connects, that the other one is not dead; with ``any``."""
    lookup: str = "auto"
    """Where names are looked up, if Postfix's smtp_host_lookup says so already: ``auto`` is dns, and native for a
    name that only the system's name service has; ``both`` is ``dns, native``."""
    needs_dns: bool = False
    """Whether a name that is not in DNS is of no use (TLS levels dane and dane-only)."""

    def __post_init__(self) -> None:
        for name in ("timeout", "connect_timeout"):
            if not 0 < getattr(self, name) <= 3600:
                raise OptionError(
                    f"{name}: {getattr(self, name)!r} is not a time; give seconds, more than 0 and at most 3600"
                )
        if self.retries < 0:
            raise OptionError(f"retries: {self.retries!r} is negative; give 0 for a single attempt")
        if self.concurrency < 1:
            raise OptionError(f"concurrency: {self.concurrency!r} is too small; give 1 or more")
        if self.min_days < 0:
            raise OptionError(
                f"min_days: {self.min_days!r} is negative; give 0 to accept every valid certificate"
            )
        _one_of("family", self.family, FAMILIES)
        _one_of("min_tls_version", self.min_tls_version, TLS_VERSIONS)
        _one_of("lookup", self.lookup, LOOKUPS)
        self._check_sources()
        if self.helo_name is not None and not re.match(r"[!-~]{1,255}\Z", self.helo_name):
            raise OptionError(
                f"helo_name: {self.helo_name!r} is not a host name; give this host's fully qualified name"
            )
        for name, address in (("mail_from", self.mail_from), ("rcpt_to", self.rcpt_to)):
            if address and (not address.isprintable() or re.search(r"[<>\s]", address)):
                raise OptionError(
                    f"{name}: {address!r} is not a mail address; give it as user@example.com, without a display name"
                )
        if self.rcpt_to == "":
            raise OptionError("rcpt_to: it is empty; give a mail address, or leave it out")

    @property
    def source_addresses(self) -> dict[str, str]:
        """The address to connect from, by family."""
        given = self.source_address or ()
        return {str(ip_version(each)): each for each in ([given] if isinstance(given, str) else given)}

    def _check_sources(self) -> None:
        given = [self.source_address] if isinstance(self.source_address, str) else self.source_address or ()
        seen: dict[str, str] = {}
        for address in given:
            version = ip_version(address)
            if version is None:
                raise OptionError(
                    f"source_address: {address!r} is not an IP address; give an address that this host has"
                )
            if version in seen:
                raise OptionError(
                    f"source_address: {seen[version]} and {address} are both {version} addresses; give one of a family"
                )
            seen[version] = address
        wanted = ("ipv4", "ipv6") if self.family == "both" else (self.family,)
        if seen and self.family != "any" and not set(wanted) <= set(seen):
            address = next(iter(seen.values()))
            raise OptionError(
                f"source_address: {address} is an {ip_version(address)} address and family is {self.family}; "
                "give an address of that family (0.0.0.0 or :: leaves it to the system)"
            )


def tls_mode(port: int, asked: str = "auto") -> str:
    """The TLS mode to speak on a port: what was asked for, or with ``auto`` what is usual there."""
    if asked != "auto":
        return asked
    if port in IMPLICIT_TLS_PORTS:
        return "implicit"
    return "opportunistic" if port == 25 else "starttls"


def check_port(value: Any, where: str = "port") -> int:
    """A port, by number or name. Raises OptionError; 456 is the usual misprint of 465 and is refused with that hint."""
    try:
        port = PORT_NAMES.get(str(value).strip().lower()) or int(str(value))
    except ValueError:
        raise OptionError(
            f"{where}: {value!r} is not a number; give a port such as 587, 2525 or 465"
        ) from None
    if port == 456:
        raise OptionError(
            f"{where}: 456 is not a mail port; did you mean 465 (submission with implicit TLS)?"
        )
    if not 1 <= port <= 65535:
        raise OptionError("%s: %d is not a port; give a number from 1 to 65535, such as 587" % (where, port))
    return port


def check_written_port(text: str, where: str) -> int:
    """The port of a text such as ``host:port``. What else is written there may be a password, and is not shown."""
    if not re.fullmatch(r"\s*-?\d+\s*", text) and text.strip().lower() not in PORT_NAMES:
        raise OptionError(
            f"{where}: what stands after the colon is not a port (not shown); write host:port, such as "
            "relay.example.com:587, and a password in an option of its own"
        )
    return check_port(text, where)


def check_host(value: Any, where: str = "host") -> str:
    """A host name (in its A-label form) or an address literal without brackets. Raises OptionError."""
    host = str(value).strip()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if ip_version(host) is None:
            raise OptionError(f"{where}: [{host}] is not an address; brackets are for addresses only")
    if ip_version(host):
        return host
    # These may hold a login, so they are not shown.
    if "@" in host:
        raise OptionError(f"{where}: it holds a user name or a mail address; give the host name alone")
    if "/" in host:
        raise OptionError(f"{where}: it is a URL; give the host name alone")
    if ":" in host:
        raise OptionError(
            f"{where}: it has colons and is not an IPv6 address; give the host name alone, or an address as [::1]"
        )
    name = host[:-1] if host.endswith(".") else host
    if not name.isascii():
        if re.search("[\u00df\u03c2\u200c\u200d]", name):
            # Python's codec makes another name of it, which may be somebody else's (RFC 5894 section 7.2).
            raise OptionError(
                f"{where}: {host!r} has a character that IDNA 2003 and IDNA 2008 treat differently; give the name in "
                "its ASCII form (xn--...)"
            )
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            raise OptionError(
                f"{where}: {host!r} is not a valid internationalized host name; give its ASCII form (xn--...)"
            ) from None
    if not is_host_name(name):
        raise OptionError(f"{where}: {host!r} is neither a host name nor an IP address")
    return name.lower()


def parse_endpoint(
    value: str | Mapping[str, Any],
    tls: str = "auto",
    server_name: str | None = None,
    credentials: Credentials | None = None,
    where: str = "endpoint",
) -> Endpoint:
    """An endpoint from ``host:port``, ``[::1]:587`` or a mapping of host, port, tls, server_name.

    ``tls``, ``server_name`` and ``credentials`` are the defaults of those; ``where`` begins the complaint.
    Raises OptionError.
    """
    if isinstance(value, Mapping):
        unknown = sorted(set(value) - {"host", "port", "tls", "server_name"})
        if unknown:
            raise OptionError(
                "{}: unknown key {}; an endpoint has host, port, tls and server_name".format(
                    where, ", ".join(map(str, unknown))
                )
            )
        if value.get("host") is None or value.get("port") is None:
            raise OptionError(f"{where}: host and port are both needed")
        host, port = value["host"], value["port"]
        tls = value.get("tls") or tls
        server_name = value.get("server_name") or server_name
    elif isinstance(value, str):
        host, written = _split(value.strip(), where)
        port = check_written_port(written, where + ".port")
    else:
        raise OptionError(f"{where}: it is neither host:port nor a mapping of host and port")
    number = check_port(port, where + ".port")
    _one_of(where + ".tls", tls, ("auto", *TLS_MODES))
    mode = tls_mode(number, tls)
    if mode == "none" and credentials is not None:
        raise OptionError(
            f"{where}: tls is none and a password is given; a password is never sent over an unencrypted connection, "
            "use starttls or implicit"
        )
    return Endpoint(
        check_host(host, where + ".host"),
        number,
        mode,
        check_host(server_name, where + ".server_name") if server_name else None,
        credentials,
    )


def _split(text: str, where: str) -> tuple[str, str]:
    if "@" in text:
        raise OptionError(f"{where}: it holds a user name or a mail address; write host:port")
    if "://" in text:
        raise OptionError(f"{where}: it is a URL; write host:port")
    host, colon, port = text.rpartition(":")
    if not colon:
        raise OptionError(
            "{}: {!r} has no port; write host:port, such as {}:587".format(where, text, text or "relay")
        )
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise OptionError(
            f"{where}: it has several colons; write host:port, and an IPv6 address as [::1]:587"
        )
    return host, port


def _one_of(where: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise OptionError("{}: {!r} is not known; it is one of {}".format(where, value, ", ".join(choices)))


# What Postfix takes for white space at either end of a table's value (isspace() in the C locale).
_SPACE = " \t\n\v\f\r"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check_credentials(
    username: str | None,
    password: str | None,
    mechanism: str = "auto",
    names: tuple[str, str] = ("username", "password"),
) -> Credentials | None:
    """Credentials, or None where none were given, or the mechanism ``none`` says that they are not for this server.

    Raises OptionError, never with the password in it.

    ``names`` are what the user calls the two. Both have to stand in one line of Postfix's password table, in which
    the first colon ends the user name: what cannot is refused here, before a probe shows that it would work elsewhere.
    """
    mechanism = check_mechanism(mechanism)
    if mechanism == "none" or (username is None and password is None):
        return None
    untried = mechanism == "xoauth2" and not password
    if not username or not (password or untried):
        raise OptionError(f"{names[0]} and {names[1]}: give both, or neither")
    flaws = [
        (names[0], username_flaw(username)),
        (names[1], "" if untried else password_flaw(password or "")),
    ]
    for name, flaw in flaws:
        if flaw:
            raise OptionError(f"{name}: {flaw}")
    return Credentials(username, password or "", mechanism)


def check_mechanism(value: Any, where: str = "auth_mechanism") -> str:
    """A SASL mechanism's name, ``auto`` or ``none``, in lower case; it may be written in any. Raises OptionError."""
    mechanism = str(value or "auto").strip().lower().replace("_", "-")
    _one_of(where, mechanism, MECHANISMS)
    return mechanism


def username_flaw(text: str) -> str:
    """Why Postfix's password table cannot hold this user name, and what to do; empty when it can."""
    flaw = _flaw(text)
    if flaw:
        return flaw
    if ":" in text:
        return (
            "it has a colon, and Postfix takes what follows the first colon for the password; "
            "use a user name without one"
        )
    if text[0] in _SPACE:
        return "it begins with a blank, which Postfix would cut off; remove it"
    if text[-1] in _SPACE:
        return "it ends with a blank, which no server expects; remove it"
    return ""


def password_flaw(text: str) -> str:
    """Why Postfix's password table cannot hold this password or token, and what to do; empty when it can."""
    flaw = _flaw(text)
    if flaw:
        return flaw
    if text[-1] in _SPACE:
        return "it ends with a blank, which Postfix would cut off; remove it, or have another password set"
    return ""


def _flaw(text: str) -> str:
    """The same for both. Nothing of the text is shown: it may be a secret."""
    if not text:
        return "it is empty; give it, or leave both user name and password out"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "it is not UTF-8, and Postfix ignores lines of a table that are not; write it in UTF-8"
    if text.endswith(("\n", "\r")) and not _CONTROL.search(text.rstrip("\r\n")):
        return "it ends with a line end; remove it (a file that was read, or a block in YAML, ends with one)"
    if "\n" in text or "\r" in text:
        return "it has more than one line, and Postfix's password table has one for each; give a single line"
    if "\0" in text:
        return "it has a NUL character, which cannot be sent to a mail server; remove it"
    if _CONTROL.search(text):
        return "it has a control character (such as a tab), probably by mistake; remove it"
    return ""
