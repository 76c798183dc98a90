"""The relays that a user names: by host, or by the name of a service in the catalogue.

Rules of this file: no I/O. What the user wrote is checked here, once; a complaint says what was given,
where, why it cannot work and what to write instead. A complaint never repeats a value that may be a secret.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import difflib
import re
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from .._base.addresses import is_label
from .._base.masks import MASK
from .._base.words import listed
from .._smtp.endpoint import (
    TLS_MODES,
    Credentials,
    OptionError,
    check_credentials,
    check_host,
    check_mechanism,
    check_port,
    check_written_port,
)
from .relay_services import ALIASES, FAMILIES, SERVICES, Service

SMTP = 25
# Levels of smtp_tls_security_level.
LEVELS = ("may", "encrypt", "dane", "dane-only", "verify", "secure")

# amazon_ses and alibaba_directmail; "us-gov-west-1" is a region as well.
_REGION = re.compile(r"[a-z]{2}(-gov)?-[a-z]+-\d")
_EXAMPLE = "eu-west-1"

# What may be said of a relay; of one that is none, since mail goes straight to its recipients, the first five.
_FOR_WHOM = ("name", "direct", "senders", "recipients", "required")
_PUBLIC_KEYS = (
    *_FOR_WHOM,
    "host",
    "provider",
    "region",
    "alternates",
    "ports",
    "port",
    "tls",
    "server_name",
    "username",
    "auth_mechanism",
    "security_level",
    "ca_path",
    "client_cert",
    "client_key",
)
_KEYS = (*_PUBLIC_KEYS, "password")
_LISTS = ("ports", "senders", "recipients")


_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0", "")


class RegionError(OptionError):
    """A region is missing, or is none of the service's; `example` is one that it may have."""

    def __init__(self, text: str, example: str) -> None:
        super().__init__(text)
        self.example = example


class Relay(NamedTuple):
    """A service of the catalogue, its host filled in."""

    name: str
    host: str
    service: Service

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports to try unasked: STARTTLS before implicit TLS, and 25 only where there is nothing else.

        25 is the port that hosting providers block and throttle, so a host should not come to depend on it.
        """
        documented = self.service.starttls + self.service.implicit
        return tuple(port for port in documented if port != SMTP) or documented

    def tls(self, port: int) -> str:
        """The TLS mode that the service documents for a port; `auto` where it documents none."""
        if port in self.service.implicit:
            return "implicit"
        return "starttls" if port in self.service.starttls else "auto"


class RelaySpec(NamedTuple):
    """One entry of the user's list of relays, checked. `ports` is empty where the user gave none, and the one that is
    written with the host, `named_port`, where there is one. `catalogue` is its entry there, where it is named so, and
    `alternates` are other hosts of the service, where the user wants them too."""

    host: str
    ports: tuple[int, ...]
    tls: str
    server_name: str | None
    credentials: Credentials | None
    catalogue: Relay | None
    named_port: int | None = None
    alternates: tuple[str, ...] = ()
    port: int | None = None
    """The port that the user insists on for this relay."""
    security_level: str | None = None
    ca_path: str | None = None
    client_certificate: tuple[str, str] | None = None
    """What is shown to this relay alone: files of this host, of the certificate and of its key."""
    senders: tuple[str, ...] = ()
    """Whose mail goes through it, each an address or @domain, in lower case; with `recipients` empty, everybody's."""
    recipients: tuple[str, ...] = ()
    """To whom mail goes through it, in the same form."""
    direct: bool = False
    """That this is no relay: the mail of those goes straight to the hosts of its recipients."""
    required: bool | None = None
    """Whether the host is wrong without it; None where the user has not said so."""
    name: str = ""
    """What the user calls it."""

    @property
    def selects(self) -> tuple[str, ...]:
        """For whom it is, each in a form of its own; empty where it is for everybody."""
        return (*(f"from {one}" for one in self.senders), *(f"to {one}" for one in self.recipients))

    @property
    def is_required(self) -> bool:
        """Mail that is sent through one relay alone has no other way."""
        return bool(self.selects) if self.required is None else self.required

    @property
    def known(self) -> Relay | None:
        """What explains this relay: its entry in the catalogue, or the one that its host belongs to."""
        return self.catalogue or by_host(self.host)


def relay(name: str, region: str | None = None, host: str | None = None) -> Relay:
    """Look a relay service up by name. `host` replaces the catalogue's host, where each customer has its own.

    Raises OptionError for an unknown name (with close matches), and for a missing, wrong or needless region.
    """
    key, region = resolve(name, region)
    service = SERVICES[key]
    return Relay(key, host or _host_of(key, service, region), service)


def resolve(name: str, region: str | None = None) -> tuple[str, str | None]:
    """The name of a service in the catalogue, and the region that it still needs, where it has one in its host's name.

    Raises OptionError as relay() does.
    """
    key = re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_")
    region = region.strip().lower() if region else region
    if key in FAMILIES:
        regions = FAMILIES[key]
        if region not in regions:
            raise RegionError(
                f"{key} has the regions {listed(sorted(regions), 'or')}, and {_given(region)}; set one of them",
                min(regions),
            )
        key, region = regions[str(region)], None
    key = ALIASES.get(key, key)
    if key not in SERVICES:
        hint = _did_you_mean(key, names()) or f"it has {', '.join(names())}; for any other relay set its host"
        raise OptionError(f"{name!r} is not in the catalogue of relay services; {hint}")
    return key, region


def by_host(host: str) -> Relay | None:
    """The service of the catalogue that a host belongs to, by its main name or another one of its own."""
    name = host.lower().rstrip(".")
    for key, service in SERVICES.items():
        if name in service.host_alternates or _is_host_of(name, service.host):
            return Relay(key, host, service)
    return None


def _is_host_of(name: str, known: str) -> bool:
    before, region, after = known.partition("{region}")
    if not region:
        return bool(known) and name == known
    return bool(re.fullmatch(f"{re.escape(before)}(?:{_REGION.pattern}){re.escape(after)}", name))


def names() -> list[str]:
    """Every name that `relay` understands."""
    return sorted({*SERVICES, *ALIASES, *FAMILIES})


def parse_relays(
    entries: Sequence[Any],
    where: str = "relays",
    auth_mechanism: str = "auto",
    names: Mapping[str, str] | None = None,
) -> list[RelaySpec]:
    """Check the user's list of relays; `auth_mechanism` is the default of theirs.

    `where` is the name of the list in complaints. With a `*` in it, it is the name of one variable for each
    key: of a list that was put together from such variables. `names` has those of other names. Raises OptionError.
    """
    if not entries:
        raise OptionError(f"{where}: no relay is named; give at least one, such as relay.example.com")
    wrong = _Wrong()
    found = []
    for index, entry in enumerate(entries):
        with wrong:
            found.append(_parse_relay(entry, _where(where, index, entry, names or {}), auth_mechanism))
    for sentence in _selected_twice(found):
        with wrong:
            raise OptionError(sentence)
    wrong.tell()
    return found


class _Wrong:
    """Several complaints, to be told at once: each that is raised within a `with` of it is one."""

    def __init__(self) -> None:
        self.complaints: list[str] = []

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: Any, error: BaseException | None, _traceback: Any) -> bool:
        if isinstance(error, OptionError):
            self.complaints.append(str(error))
        return isinstance(error, OptionError)

    def tell(self) -> None:
        """Raises OptionError for what was wrong."""
        if self.complaints:
            raise OptionError(".\n".join(dict.fromkeys(self.complaints)))


def _selected_twice(found: Sequence[RelaySpec]) -> Iterator[str]:
    """The same sender or recipient once through a relay and once past it."""
    first: dict[str, RelaySpec] = {}
    for spec in found:
        for one in spec.selects:
            other = first.setdefault(one, spec)
            if other.direct != spec.direct:
                relay_, direct = (other, spec) if spec.direct else (spec, other)
                yield (
                    f"{direct.name}: mail {one} is to go past every relay, and through {relay_.name}, {relay_.host}, "
                    "as well; name it in one of the two"
                )


def secrets(entries: Any) -> set[str]:
    """Every string in the list that may be a secret, misplaced ones too; raw and as repr() writes it."""
    found: set[str] = set()
    for entry in entries if isinstance(entries, (list, tuple)) else [entries]:
        if isinstance(entry, Mapping):
            for key, value in entry.items():
                if _may_be_secret(key, value):
                    found.update(_leaves(value))
        elif not isinstance(entry, str) or _may_hold_login(entry):
            found.update(_leaves(entry))
    return found | {repr(secret)[1:-1] for secret in found}


class _Where(NamedTuple):
    """Names an entry of the list, or a key of that entry, in the user's own terms."""

    name: str
    position: int
    names: Mapping[str, str] = {}

    own: str = ""
    """What the user calls the entry, where that is not its place in the list."""

    def __str__(self) -> str:
        return self.own or (self.name if "*" in self.name else f"{self.name}[{self.position}]")

    def key(self, key: str) -> str:
        if "*" in self.name:
            return self.names.get(key, self.name.replace("*", key))
        return f"{self}.{self.names.get(f'relays.{key}', key)}"


def _where(name: str, position: int, entry: Any, names: Mapping[str, str]) -> _Where:
    own = entry.get("name") if isinstance(entry, Mapping) else None
    return _Where(name, position, names, own if isinstance(own, str) else "")


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from _leaves(one)
    elif value is not None and value != "":
        yield str(value)


def masked(entries: Any) -> Any:
    """The list as it may be shown: every value of which secrets() knows is replaced."""
    if not isinstance(entries, (list, tuple)):
        return MASK
    found = secrets(entries)
    return [_masked(entry, found) for entry in entries]


def _masked(entry: Any, found: set[str]) -> Any:
    if isinstance(entry, Mapping):
        return {
            # With some services one token is user name and password.
            key: MASK
            if value and (_may_be_secret(key, value) or (key == "username" and str(value) in found))
            else value
            for key, value in entry.items()
        }
    return entry if isinstance(entry, str) and not _may_hold_login(entry) else MASK


def _may_be_secret(key: Any, value: Any) -> bool:
    """Whether it is no option that may be shown, or one with a login in it."""
    return (
        key not in _PUBLIC_KEYS
        or (key == "username" and ":" in str(value))
        or (key == "host" and bool(value) and _may_hold_login(str(value)))
    )


def _may_hold_login(entry: str) -> bool:
    """Whether it is more than a host and a port."""
    try:
        check_host(named_host(entry).host)
    except OptionError:
        return True
    return False


def _parse_relay(entry: Any, where: _Where, auth_mechanism: str) -> RelaySpec:
    if isinstance(entry, str):
        if re.search(r"[{}\"']|\S\s+\S", entry):
            raise OptionError(
                f"{where}: it is text that is neither host nor host:port (not shown); write it as a mapping with host, "
                "ports, username and password"
            )
        entry = _from_string(entry, where)
    if not isinstance(entry, Mapping):
        raise OptionError(f"{where}: it is neither a host, host:port nor a mapping with host or provider")
    wrong = _Wrong()
    with wrong:
        _check_keys(entry, where)
    text = {key: _text(entry.get(key)) for key in _KEYS if key not in _LISTS}
    if _flag(text, "direct", where):
        wrong.tell()
        return _direct(entry, text, where)
    named = NamedHost("")
    found: dict[str, Any] = {"name": str(where)}
    with wrong:
        named = named_host(text["host"], where.key("host"))
        found.update(_reached(entry, text, named, where))
    name = text["server_name"]
    for key, make in (
        ("tls", lambda: _tls(text["tls"], named.tls, where)),
        ("server_name", lambda: check_host(name, where.key("server_name")) if name else None),
        ("credentials", lambda: _credentials(text, where, auth_mechanism)),
        ("security_level", lambda: _level(text["security_level"], where)),
        ("client_certificate", lambda: _client_certificate(text, where)),
        ("senders", lambda: _addresses(entry, "senders", where)),
        ("recipients", lambda: _addresses(entry, "recipients", where)),
        ("required", lambda: _flag(text, "required", where) if text["required"] else None),
    ):
        with wrong:
            found[key] = make()
    wrong.tell()
    return RelaySpec(ca_path=text["ca_path"] or None, **found)


def _reached(
    entry: Mapping[str, Any], text: Mapping[str, str], named: NamedHost, where: _Where
) -> dict[str, Any]:
    """Host and ports of a relay."""
    found = _found({**text, "host": named.host}, where)
    ports = ports_of(entry.get("ports"), where.key("ports"))
    if named.port and ports and ports != (named.port,):
        raise OptionError(
            f"{where.key('host')}: {text['host']!r} holds the port {named.port}, and {where.key('ports')} has "
            f"{listed(ports, 'or')}; write {named.host} there, or the same port in both"
        )
    asked = text["port"].strip().lower()
    port = check_port(asked, where.key("port")) if asked not in ("", "auto") else None
    if named.port and port and port != named.port:
        raise OptionError(
            f"{where.key('host')}: {text['host']!r} holds the port {named.port}, and {where.key('port')} is {port}; "
            f"write {named.host} there, or the same port in both"
        )
    host = check_host(found.host if found else named.host, where.key("host"))
    return {
        "host": host,
        "ports": ports or ((named.port,) if named.port else ()),
        "catalogue": found,
        "named_port": named.port,
        "alternates": _alternates(host, found, where) if _flag(text, "alternates", where) else (),
        "port": port,
    }


def _direct(entry: Mapping[str, Any], text: Mapping[str, str], where: _Where) -> RelaySpec:
    """An entry that takes senders or recipients past every relay."""
    needless = next((key for key in _KEYS if key not in (*_FOR_WHOM, "required") and entry.get(key)), None)
    if needless:
        raise OptionError(
            f"{where.key('direct')}: it is true, which sends mail past every relay, and {where.key(needless)} "
            "describes one; leave one of the two out"
        )
    spec = RelaySpec(
        "", (), "auto", None, None, None,
        senders=_addresses(entry, "senders", where),
        recipients=_addresses(entry, "recipients", where),
        direct=True,
        name=str(where),
    )  # fmt: skip
    if not spec.selects:
        raise OptionError(
            f"{where.key('direct')}: it is true, and nobody is named whose mail is meant; set "
            f"{where.key('senders')} or {where.key('recipients')}"
        )
    return spec


# As Postfix's tables have it: user@domain, or @domain for all of a domain.
_SELECTION = re.compile(r"(?!#)(?P<user>[^\s@,;<>\"()]*)@(?P<domain>[^\s@]+)\Z")


def _addresses(entry: Mapping[str, Any], key: str, where: _Where) -> tuple[str, ...]:
    """Addresses and @domains, in lower case, each once."""
    value = entry.get(key)
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        value = re.split(r"[\s,]+", value.strip(" \t[],"))
    if not isinstance(value, Sequence):
        raise OptionError(
            f"{where.key(key)}: it is not a list; give addresses such as [ops@example.com, '@example.org']"
        )
    if not any(str(one).strip() for one in value):
        raise OptionError(
            f"{where.key(key)}: it is given and empty, and the relay would be for everybody; name one such as "
            "ops@example.com or @example.org, or leave it out"
        )
    found: dict[str, None] = {}
    for index, one in enumerate(value):
        text = str(one).strip().lower()
        match = _SELECTION.match(text)
        if not match or not text.isascii() or not all(map(is_label, match["domain"].split("."))):
            domain = text.rpartition("@")[2]
            remedy = "write an address such as ops@example.com, or @example.com for all of a domain"
            if match and not match["user"].isascii():
                remedy = f"only ASCII is understood before the @; name the whole domain, @{domain}"
            elif not text.isascii():
                remedy = "only ASCII is understood there; write the domain as xn--…"
                with contextlib.suppress(UnicodeError):
                    remedy += f", {match['user']}@{match['domain'].encode('idna').decode()}" if match else ""
            if "@" not in text and "." in text and all(map(is_label, text.split("."))):
                remedy = f"write @{domain} for all of that domain"
            raise OptionError(
                f"{where.key(key)}[{index}]: {str(one)!r} is no mail address and no @domain; {remedy}"
            )
        found[text] = None
    return tuple(found)


def _level(text: str, where: _Where) -> str | None:
    level = text.strip().lower()
    if level and level not in LEVELS:
        hint = _did_you_mean(level, LEVELS) or f"it is one of {', '.join(LEVELS)}"
        raise OptionError(f"{where.key('security_level')}: {level!r} is no level of TLS; {hint}")
    return level or None


def _client_certificate(text: Mapping[str, str], where: _Where) -> tuple[str, str] | None:
    """The files as they are named; whether they are of use is seen on the host that has them."""
    certificate, key = text["client_cert"], text["client_key"]
    if key and not certificate:
        raise OptionError(
            f"{where.key('client_key')}: a key is given and {where.key('client_cert')} is not; give the certificate "
            "that it belongs to"
        )
    return (certificate, key or certificate) if certificate else None


def _flag(text: Mapping[str, str], key: str, where: _Where) -> bool:
    word = text[key].strip().lower()
    if word not in (*_TRUE, *_FALSE):
        raise OptionError(f"{where.key(key)}: {text[key]!r} is neither true nor false")
    return word in _TRUE


def _alternates(host: str, found: Relay | None, where: _Where) -> tuple[str, ...]:
    """The other hosts of the service in the catalogue's order; one whose name needs a region is none of them."""
    known = found or by_host(host)
    service = known.service if known else None
    hosts = (service.host, *service.host_alternates) if service else ()
    others = tuple(one for one in hosts if one and "{" not in one and one != host)
    if not others:
        why = (
            f"the catalogue has no other host of {service.title}"
            if service
            else f"{host} is not a host of a service in the catalogue"
        )
        raise OptionError(
            f"{where.key('alternates')}: {why}, so there is nothing else to probe; leave it out"
        )
    return others


def _check_keys(entry: Mapping[Any, Any], where: _Where) -> None:
    for key in entry:
        if key not in _KEYS:
            close = difflib.get_close_matches(str(key), _KEYS, 1)
            hint = f"did you mean {close[0]}?" if close else f"it is one of {', '.join(_KEYS)}"
            raise OptionError(f"{where}: {str(key)!r} is not an option of a relay; {hint}")


def _tls(asked: str, of_host: str, where: _Where) -> str:
    tls = asked.strip().lower() or of_host
    if tls not in ("auto", *TLS_MODES):
        hint = _did_you_mean(tls, TLS_MODES) or f"it is one of auto, {', '.join(TLS_MODES)}"
        raise OptionError(f"{where.key('tls')}: {tls!r} is not known; {hint}")
    return tls


def _credentials(text: Mapping[str, str], where: _Where, auth_mechanism: str) -> Credentials | None:
    mechanism = check_mechanism(text["auth_mechanism"] or auth_mechanism, where.key("auth_mechanism"))
    names = (where.key("username"), where.key("password"))
    return check_credentials(text["username"] or None, text["password"] or None, mechanism, names)


class NamedHost(NamedTuple):
    """A relay as it is written: host, port (None without) and the kind of TLS that a URL's scheme names."""

    host: str
    port: int | None = None
    tls: str = "auto"


_SCHEMES = {"smtp": "auto", "smtps": "implicit", "submission": "starttls", "submissions": "implicit"}
_BRACKETED = re.compile(r"\[(?P<host>[^][]+)\](?::(?P<port>[^:]*))?\Z")


def named_host(text: str, where: str = "host") -> NamedHost:
    """host, host:port, [host], [host]:port, [ipv6:address] (Postfix's) and smtp://host:port/. Raises OptionError."""
    rest = text.strip()
    scheme, separator, remainder = rest.partition("://")
    tls = "auto"
    if separator:
        if scheme.lower() not in _SCHEMES:
            known = ", ".join(f"{name}://" for name in _SCHEMES)
            raise OptionError(
                f"{where}: {scheme}:// is not a scheme of mail ({known}); give the host name alone"
            )
        tls, rest = _SCHEMES[scheme.lower()], remainder.rstrip("/")
    if "/" in rest or "@" in rest:
        raise OptionError(
            f"{where}: it holds a login or a path; give the host name alone, such as relay.example.com"
        )
    match = _BRACKETED.match(rest)
    if match:
        host, port = re.sub(r"(?i)\Aipv6:", "", match.group("host")), match.group("port")
    else:
        host, colon, last = rest.rpartition(":")
        host, port = (host, last) if colon and ":" not in host else (rest, None)
    if port == "":
        raise OptionError(f"{where}: {text!r} has a colon and no port after it; write {host} or {host}:587")
    return NamedHost(host, check_written_port(port, where) if port else None, tls)


def ports_of(value: Any, where: str) -> tuple[int, ...]:
    """The ports of a list, each once, in its order; empty for none. Raises OptionError."""
    if value is None or value == "":
        return ()
    if isinstance(value, int):
        value = [value]
    elif isinstance(value, str):
        value = re.split(r"[\s,]+", value.strip(" \t[],"))
    elif not isinstance(value, Sequence):
        raise OptionError(f"{where}: it is not a list; give ports such as [587, 2525]")
    return tuple(dict.fromkeys(check_port(port, where) for port in value))


def _found(text: Mapping[str, str], where: _Where) -> Relay | None:
    if text["provider"]:
        try:
            return relay(text["provider"], text["region"] or None, text["host"] or None)
        except OptionError as error:
            raise OptionError(f"{where.key('provider')}: {error}") from None
    if text["region"]:
        raise OptionError(
            f"{where.key('region')}: {text['region']!r} belongs to a provider and none is named; "
            f"set {where.key('provider')}, or remove the region"
        )
    if not text["host"]:
        raise OptionError(
            f"{where}: no relay is named; set {where.key('host')} to its host name, or "
            f"{where.key('provider')} "
            "to a service of the catalogue such as amazon_ses"
        )
    return None


def _from_string(entry: str, where: _Where) -> dict[str, Any]:
    text = entry.strip()
    if "@" in text or "/" in re.sub(r"^\w+://[^/]*/?\Z", "", text):
        raise OptionError(
            f"{where}: it holds a login or a path; write it as a mapping with host, ports, username and password"
        )
    return {"host": text}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _host_of(key: str, service: Service, region: str | None) -> str:
    if not service.host:
        raise OptionError(
            f"{key} gives each customer a host of its own; set the host as well. {service.note}"
        )
    if "{region}" not in service.host:
        if region:
            raise OptionError(f"{key} has one host for all regions, and {_given(region)}; remove the region")
        return service.host
    if region is None or not _REGION.fullmatch(region):
        raise RegionError(
            f"{key} needs a region, and {_given(region)}; set that of your account, such as {_EXAMPLE}",
            _EXAMPLE,
        )
    return service.host.format(region=region)


def _did_you_mean(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, 3) or [name for name in known if word and word in name][:3]
    return f"did you mean {listed(close, 'or')}?" if close else ""


def _given(region: str | None) -> str:
    return f"the region given is {region!r}" if region else "no region is given"
