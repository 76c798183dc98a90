"""This host's Postfix as a client.

The name it greets with, the addresses it sends from, the families it uses, how it looks names up, which authorities it
trusts and with which mechanisms it can log in. The rule of this file: it only reads what everybody may read, so it
needs neither root nor a Postfix that runs, and on a host without one it says what Postfix will be there.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import socket
import threading
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Sequence

from .._base import client_certificate
from .._base.addresses import family_title, ip_version
from . import rewriting
from .files import block, expansion, lines, main_cf, master_cf, nexthop
from .files.parameters import MECHANISM_PLUGINS
from .host import distributions, hostname, needs, programs
from .host.addresses import is_local
from .host.distributions import AUTHORITY_DIRECTORIES

CONFIG_DIRECTORY = "/etc/postfix"
# The transport of role postfix for next hops with TLS from the first byte; in all else it is like smtp.
IMPLICIT_TRANSPORT = "relay-implicit"
# Copies that a chrooted client reads in place of the host's own; they are renewed when Postfix starts.
COPIES = ("etc/resolv.conf", "etc/hosts", "etc/nsswitch.conf")
# Seconds that the host's resolver has for this host's own name.
OWN_NAME = 3.0

# What Postfix takes where main.cf is silent, as far as this file asks for it.
DEFAULTS = {
    "append_at_myorigin": "yes",
    "append_dot_mydomain": "${{$compatibility_level} <level {1} ? {yes} : {no}}",
    "canonical_classes": "envelope_sender, envelope_recipient, header_sender, header_recipient",
    "compatibility_level": "0",
    "default_database_type": "hash",
    "default_transport": "smtp",
    "inet_interfaces": "all",
    "inet_protocols": "all",
    "masquerade_classes": "envelope_sender, header_sender, header_recipient",
    "mydestination": "$myhostname, localhost.$mydomain, localhost",
    "myorigin": "$myhostname",
    "queue_directory": "/var/spool/postfix",
    "smtp_address_preference": "any",
    "sender_canonical_classes": "envelope_sender, header_sender",
    "smtp_helo_name": "$myhostname",
}
# Read as soon as one of them is explicit in main.cf, in this order.
_NAMES = ("smtp_helo_name", "myhostname")
_REFERENCE = re.compile(r"\$[({]?\s*([A-Za-z0-9_]+)")


class ClientError(ValueError):
    """This host's Postfix cannot be what is asked for; the text is for the user."""


class Name(NamedTuple):
    """The name in EHLO. `source`: `parameters` (the user's), `main.cf` (Postfix says it of itself, or will when it is
    there), `host` (the host's full name, which Postfix does not say of itself). `problem`: a sentence where relays may
    refuse it, or where there is none."""

    name: str | None
    source: str
    problem: str | None = None


class Client(NamedTuple):
    """What decides how this host's Postfix appears to a relay. `values` are the parameters in force, not expanded."""

    installed: bool
    stock: bool
    """Whether there is none yet, or one that is as its package left it and is about to be changed."""
    helo: Name
    origin: str | None
    family: str  # any | ipv4 | ipv6
    sources: tuple[str, ...]
    """Addresses that it binds to, at most one of each family."""
    lookup: str
    """How it looks names up: `dns`, `native` or `both` (dns, then native); `auto` where nobody has said so."""
    authorities: tuple[str, ...]
    """Files and directories of the authorities that it trusts; none for the system's."""
    system_authorities: bool
    """Whether it trusts the system's beside those."""
    security_level: str | None
    mechanisms: tuple[str, ...] | None
    """Those that Cyrus SASL has here, or will have; None where that cannot be known."""
    chroot: bool
    stale: tuple[str, ...]
    """Copies in the chroot that differ from the host's files."""
    warnings: tuple[str, ...]
    values: Mapping[str, str]
    family_from: tuple[str, str]
    """What `family` is from, and what the user sets to have another."""
    both_families: bool
    """Whether it takes addresses of both, in no order that is fixed."""
    certificates: tuple[tuple[str, str], ...]
    """What it shows to a server that asks for a certificate: files of certificates and of their keys."""


class Host(NamedTuple):
    """What is read of the host beside Postfix's files."""

    hostname: str
    hosts: str
    canonical: Callable[[str], Sequence[str]]
    addresses: Callable[[str], Sequence[str]]
    plugins: frozenset[str]
    release: Mapping[str, str]
    has: Callable[[str], bool]
    root: str = "/"

    def is_directory(self, path: str) -> bool:
        return os.path.isdir(os.path.join(self.root, path.lstrip("/")))

    def has_package(self, name: str) -> bool:
        """Whether it is installed, as dpkg has it; of others that is not known without a program."""
        status = self.read("var/lib/dpkg/status") or ""
        return bool(
            re.search(rf"^Package: {re.escape(name)}\nStatus: \S+ \S+ installed$", status, re.MULTILINE)
        )

    def read(self, path: str) -> str | None:
        try:
            with open(
                os.path.join(self.root, path.lstrip("/")), encoding="utf-8", errors="surrogateescape"
            ) as file:
                return file.read()
        except OSError:
            return None


class Wish(NamedTuple):
    """What role postfix is about to do: the parameters of main.cf that it sets (None removes one), whether main.cf
    is to hold nothing else, the tables that it brings (path -> text), and its changes to master.cf."""

    parameters: Mapping[str, Any] = {}
    replace: bool = False
    tables: Mapping[str, str] = {}
    services: Sequence[Mapping[str, Any]] = ()
    prepend: Mapping[str, str] = {}
    """Lists that come before what main.cf has for these parameters."""
    names: Mapping[str, str] = {}
    """What the user calls parameters that he has set by other variables."""


def wish_of(asked: Mapping[str, Any] | None, names: Mapping[str, str] | None = None) -> Wish | None:
    """The wish in a module's parameters; None without one. `names`: what the user calls parameters of main.cf."""
    if asked is None:
        return None
    tables = {
        str(row["path"]): str(row["content"]) for row in asked["tables"] if row.get("content") is not None
    }
    prepend = {name: str(value) for name, value in asked["prepend"].items() if value}
    return Wish(asked["parameters"], asked["replace"], tables, asked["services"], prepend, names or {})


def client(
    config_directory: str = CONFIG_DIRECTORY, wish: Wish | None = None, host: Host | None = None
) -> Client:
    """This host's Postfix as it is; with a wish, as it will be. Raises ClientError for what cannot be."""
    host = host or this_host()
    main = host.read(os.path.join(config_directory, "main.cf"))
    master = host.read(os.path.join(config_directory, "master.cf")) or ""
    own, installed = main or "", main is not None
    if wish:
        # What the role once set and does not set now goes away.
        own, master = _without_block("" if wish.replace else own), _without_block(master)
    services = master_cf.MasterCf(master if installed else master_cf.FRESH)
    try:
        services.merge(_of_clients(wish.services, services) if wish else ())
    except ValueError as error:
        raise ClientError(f"services (postfix_services of the role): {error}") from None
    try:
        named = {
            name: lines.parameter_value(name, value) for name, value in (wish or Wish()).parameters.items()
        }
    except ValueError as error:
        raise ClientError(str(error)) from None
    values = main_cf.MainCf(own).values()
    for name, first in (wish or Wish()).prepend.items():
        named.setdefault(name, lines.before(first, values.get(name, "")))
    reading = _Reading(host, values, named, services, installed, config_directory, wish)
    return reading.client()


def envelope_sender(mine: Client, address: str, wish: Wish | None = None, host: Host | None = None) -> str:
    """The sender that a relay sees of mail from `address`. Raises rewriting.UnknownSender."""
    if not mine.origin:
        raise rewriting.UnknownSender("this host has no name that could complete it")
    host = host or this_host()
    directory = mine.values["config_directory"]
    created = {os.path.join(directory, path): text for path, text in wish.tables.items()} if wish else {}

    def text(path: str) -> str | None:
        return created[path] if path in created else host.read(path)

    def ask(specification: str, key: str) -> str | None:
        path = specification.partition(":")[2]
        return None if path in created else rewriting.postmap(directory, specification, key)

    domain = expansion.expand(mine.values["mydomain"], mine.values)
    # The file that myorigin may name is not what stands in an address.
    values = {**mine.values, "myorigin": mine.origin}
    return rewriting.envelope_sender(address, values, mine.origin, domain, rewriting.Tables(text, ask))


# Mechanisms with a user name and a password alone.
_WITH_PASSWORDS = ("PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5")


def plugin_advice(mine: Client, offered: Sequence[str], host: Host | None = None) -> str:
    """What to do where a relay offers these SASL mechanisms and this host has no plugin for them; else empty."""
    host = host or this_host()
    names = [name.upper() for name in offered]
    lacking = [name for name in names if name not in (mine.mechanisms or names)]
    passwords = [name for name in _WITH_PASSWORDS if name in lacking]
    mechanism = (passwords or [name for name in lacking if name == "XOAUTH2"] or [""])[0]
    if mechanism:
        packages = distributions.bringing(mechanism, host.release)
        again = bool(packages) and all(map(host.has_package, packages))
        remedy = distributions.plugin_remedy(distributions.family(host.release), [mechanism], again)
        advice = (
            f"{remedy[0].upper()}{remedy[1:]}: Postfix logs in by {mechanism} with a plugin of Cyrus SASL, which this "
            "host does not have."
        )
        another = (
            " Or use a port or another relay that takes a user name and a password, such as an application password of "
            "the account."
        )
        return advice + ("" if passwords else another)
    if names and not set(names) & {*_WITH_PASSWORDS, "XOAUTH2"}:
        return (
            "Use a port or another relay that takes a user name and a password: Postfix does not log in by "
            f"{' or '.join(names[:4])} here."
        )
    return ""


def _of_clients(
    changes: Sequence[Mapping[str, Any]], services: master_cf.MasterCf
) -> list[Mapping[str, Any]]:
    """Of changes to master.cf those that a client may have; what is wrong with others is told where they are made."""
    return [
        each
        for each in changes
        if each["type"] == "unix" and (each.get("command") or services.get(str(each["service"]), "unix"))
    ]


def _without_block(text: str) -> str:
    try:
        return block.undo(text)
    except block.BlockError:
        return text


def this_host(root: str = "/") -> Host:
    """This host, or what lies below `root`."""
    return Host(
        socket.gethostname(),
        _read(os.path.join(root, "etc/hosts")),
        lambda name: _in_time(lambda: _canonical(name)),
        lambda name: _in_time(lambda: _addresses(name)),
        frozenset(needs.installed_plugins()),
        distributions.os_release([os.path.join(root, path.lstrip("/")) for path in distributions.OS_RELEASE]),
        is_local,
        root,
    )


def stale_copies(queue_directory: str, host: Host) -> tuple[str, ...]:
    """The copies below the queue directory that differ from the host's files, or are missing; by the host's path."""
    found = []
    for name in COPIES:
        original = host.read(name)
        if original is not None and host.read(os.path.join(queue_directory, name)) != original:
            found.append(f"/{name}")
    return tuple(found)


def _can_tell(path: str) -> bool:
    """Whether this user may know of a path that he does not see."""
    try:
        os.stat(path)
    except PermissionError:
        return False
    except OSError:
        pass
    return True


class _Reading:
    """One reading of main.cf and master.cf; complaints pile up in `warnings`."""

    def __init__(
        self,
        host: Host,
        own: Mapping[str, str],
        named: Mapping[str, str | None],
        master: master_cf.MasterCf,
        installed: bool,
        directory: str,
        wish: Wish | None,
    ) -> None:
        self.host, self.named, self.installed, self.directory = host, named, installed, directory
        self.changing, self.names = wish is not None, wish.names if wish else {}
        self.stock = not installed or (self.changing and distributions.is_stock(own, [host.hostname]))
        self.warnings: list[str] = []
        self.explicit = {**own, **{name: value for name, value in named.items() if value is not None}}
        for name in [name for name, value in named.items() if value is None]:
            self.explicit.pop(name, None)
        self.service = self._service(master)
        overrides = dict(self.service.options) if self.service else {}
        # -o goes before whatever main.cf says.
        self.explicit.update(overrides)
        self.values = {**DEFAULTS, "config_directory": directory, **self.explicit}
        self._complete()

    def client(self) -> Client:
        helo = self._helo()
        chroot = self._chrooted()
        queue = self.get("queue_directory")
        certificates = tuple(self._certificates())
        return Client(
            self.installed,
            self.stock,
            helo,
            self._origin(helo),
            self._family(),
            tuple(self._sources()),
            self._lookup(),
            *self._authorities(queue if chroot else ""),
            self.get("smtp_tls_security_level") or None,
            self._mechanisms(),
            chroot,
            self._stale(queue) if chroot else (),
            tuple(self.warnings),
            self.values,
            self._family_from(),
            self._family() == "any" and self.get("smtp_address_preference").lower() == "any",
            certificates,
        )

    def _stale(self, queue: str) -> tuple[str, ...]:
        found = stale_copies(queue, self.host) if self.host.is_directory(queue) else ()
        if found:
            self.warnings.append(
                f"the chroot {queue} has old copies of {' and '.join(found)}: until Postfix is restarted it looks "
                "names up by those"
            )
        return found

    def get(self, name: str) -> str:
        """A value with everything in it expanded; empty, with a warning, where it cannot be."""
        try:
            return expansion.expand(self.values.get(name, ""), self.values).strip()
        except expansion.CannotExpand:
            self.warnings.append(
                f"{name} of {self.directory}/main.cf cannot be read: {self.values.get(name)}"
            )
            return ""

    def _complete(self) -> None:
        """Add myhostname and mydomain as Postfix makes them, and its defaults where a value refers to others."""
        if any(
            name not in self.values
            for value in self.explicit.values()
            for name in _REFERENCE.findall(value)
            if name not in ("myhostname", "mydomain")
        ):
            self.values = {**_postconf_defaults(), **self.values}
            for name in ("myhostname", "mydomain"):
                if name not in self.explicit:
                    self.values.pop(name, None)
        if "myhostname" not in self.values:
            domain = self.get("mydomain") if "mydomain" in self.values else ""
            self.values["myhostname"] = hostname.myhostname(self.host.hostname, domain)
        if "mydomain" not in self.values:
            self.values["mydomain"] = hostname.mydomain(self.get("myhostname"))

    def _service(self, master: master_cf.MasterCf) -> master_cf.Service | None:
        """The entry of master.cf that mail to the outside takes. Role postfix lets it take smtp, or one like it."""
        values = self.named if self.changing else self.explicit
        transport, _hop = nexthop.split_transport(values.get("default_transport") or "smtp")
        found = None if transport == IMPLICIT_TRANSPORT else master.get(transport, "unix")
        return found or master.get("smtp", "unix")

    def _chrooted(self) -> bool:
        if self.service is None or self.service.chroot != "-":
            return self.service is not None and self.service.chroot == "y"
        level = re.match(r"\d+", self.get("compatibility_level"))
        return level is None or int(level.group()) < 1

    def _helo(self) -> Name:
        name = self.get("smtp_helo_name")
        problem = hostname.complaint(name)
        explicit = [parameter for parameter in _NAMES if parameter in self.explicit]
        said = bool(explicit) and self.named.get(explicit[0]) == self.explicit[explicit[0]]
        if problem is None and (explicit or self.installed):
            return Name(name, "parameters" if said else "main.cf")
        # A Postfix that nobody is about to change goes on with the name that it has.
        own = self._full_name() if not said and (self.changing or not self.installed) else None
        if own:
            return Name(own, "host" if self.installed else "main.cf")
        if not explicit and not self.installed and "." not in self.host.hostname:
            return Name(None, "main.cf", self._nameless())
        where = (
            f"{explicit[0]} of {self.directory}/main.cf" if explicit else "the name of this host for Postfix"
        )
        sentence = f"{explicit[0] if said else where} is {name!r}, which {problem}"
        source = "parameters" if said else "main.cf"
        return Name(name if _can_be_said(name) else None, source, sentence)

    def _nameless(self) -> str:
        return (
            f"this host's name is {self.host.hostname!r}, which {hostname.complaint(self.host.hostname)}, and "
            "neither /etc/hosts nor DNS has a full name for it"
        )

    def _full_name(self) -> str | None:
        return hostname.full_name(self.host.hostname, self.host.hosts, self.host.canonical)

    def _origin(self, helo: Name) -> str | None:
        """The domain that Postfix adds to an address without one."""
        # Role postfix gives the name to a Postfix that is as its package left it.
        if self.stock and "myhostname" not in self.named:
            if not helo.name:
                return None
            self.values["myhostname"] = helo.name
            if "mydomain" not in self.explicit:
                self.values["mydomain"] = hostname.mydomain(helo.name)
        value = self.get("myorigin")
        if value.startswith("/"):
            # Debian's Postfix takes the first line of the file.
            text = self.host.read(value)
            if text is None:
                self.warnings.append(
                    f"myorigin of {self.directory}/main.cf is {value}, which cannot be read: Postfix takes no mail"
                )
            value = (text or "").partition("\n")[0].strip()
        return value or None

    def _family(self) -> str:
        asked = [word.lower() for word in lines.split_list(self.get("inet_protocols"))]
        families = {"ipv4", "ipv6"} & set(asked)
        return families.pop() if len(families) == 1 and "all" not in asked else "any"

    def _family_from(self) -> tuple[str, str]:
        name = "inet_protocols"
        own = self.names.get(name, name)
        asked = self.named.get(name) is not None and self.named[name] == self.explicit.get(name)
        return (own if asked else f"{name} of this host's Postfix", own)

    def _lookup(self) -> str:
        if (
            self.get("smtp_dns_support_level") == "disabled"
            or self.get("disable_dns_lookups").lower() == "yes"
        ):
            return "native"
        words = [word.lower() for word in lines.split_list(self.get("smtp_host_lookup"))]
        if words[:1] == ["native"]:
            return "native"
        if words[:2] == ["dns", "native"]:
            return "both"
        return "dns" if "smtp_host_lookup" in self.explicit else "auto"

    def _sources(self) -> list[str]:
        family = self._family()
        interfaces = self._interfaces()
        found = []
        for version, parameter in (("ipv4", "smtp_bind_address"), ("ipv6", "smtp_bind_address6")):
            if family not in ("any", version):
                continue
            bound = self.get(parameter).strip("[]")
            own = [address for address in interfaces if ip_version(address) == version]
            if bound and ip_version(bound) != version:
                self.warnings.append(
                    f"{parameter} of {self.directory}/main.cf is {bound!r}, which is not an {family_title(version)} "
                    "address: Postfix sends nothing"
                )
            elif bound:
                found.append(bound)
            elif len(own) == 1 and not ipaddress.ip_address(own[0]).is_loopback:
                # The smtp client binds to the one address of the family that Postfix listens on.
                found.append(own[0])
        return [address for address in found if self._is_bound(address)]

    def _is_bound(self, address: str) -> bool:
        """Whether connections come from the address: where the host does not have it, Postfix warns and goes on."""
        if ipaddress.ip_address(address).is_unspecified:
            return False
        if self.host.has(address) or self.get("smtp_bind_address_enforce").lower() == "yes":
            return True
        self.warnings.append(
            f"Postfix is told to send from {address}, which is not an address of this host, and leaves the "
            "choice to the system"
        )
        return False

    def _interfaces(self) -> list[str]:
        words = lines.split_list(self.get("inet_interfaces"))
        if any(word.lower() in ("all", "loopback-only") for word in words):
            return []
        found: dict[str, None] = {}
        for word in words:
            bare = word.strip("[]")
            for address in [bare] if ip_version(bare) else self._addresses(bare):
                found[address] = None
        return list(found)

    def _addresses(self, name: str) -> Sequence[str]:
        local = [address for address, names in hostname.entries(self.host.hosts) if name in names]
        return [address for address in local if ip_version(address)] or self.host.addresses(name)

    def _authorities(self, chroot: str) -> tuple[tuple[str, ...], bool]:
        """What Postfix trusts (tls_certkey.c): file and directory together, where it has one. Raises ClientError.

        Where neither the host nor the user names a file, role postfix sets that of the distribution.
        """
        file, directory = self.get("smtp_tls_CAfile"), self.get("smtp_tls_CApath").rstrip("/")
        appended = self.get("tls_append_default_CA").lower() == "yes"
        added = self.changing and "smtp_tls_CAfile" not in self.named
        system = not file and (added or not directory or directory in AUTHORITY_DIRECTORIES)
        if system and directory in AUTHORITY_DIRECTORIES:
            directory = ""
        self._check_authority("smtp_tls_CAfile", file)
        if directory and chroot:
            directory = self._copied_authorities(chroot, directory)
        elif directory and not os.path.exists(directory):
            if not file and not system:
                self._check_authority("smtp_tls_CApath", directory)
            directory = ""
        found = tuple(path for path in (file, directory) if path)
        return found, bool(found) and (system or appended)

    def _copied_authorities(self, chroot: str, directory: str) -> str:
        """The directory as a chrooted client finds it, which looks for each authority when it needs it."""
        copy = os.path.join(chroot, directory.lstrip("/"))
        if self.host.is_directory(copy):
            return os.path.join(self.host.root, copy.lstrip("/"))
        self.warnings.append(
            f"smtp_tls_CApath is {directory}, which the chroot {chroot} has no copy of, so Postfix finds no authority "
            "in it: name a file of CA certificates (smtp_tls_CAfile), which is read before"
        )
        return ""

    def _check_authority(self, name: str, path: str) -> None:
        if not path or os.path.exists(path) or not (self.installed or name in self.named):
            return
        missing = (
            "does not exist on this host" if _can_tell(path) else "is out of this user's reach, become root"
        )
        if self.named.get(name) == self.explicit.get(name):
            own = self.names.get(name, name)
            raise ClientError(
                f"{own}: {path} {missing}; give a PEM file of CA certificates that is there, or leave it out: then it "
                "is the distribution's"
            )
        raise ClientError(
            f"{name} of this host's main.cf: {path} {missing}, so Postfix can verify no certificate; correct it, or "
            f"name a PEM file of CA certificates in {self.names.get('smtp_tls_CAfile', 'smtp_tls_CAfile')}"
        )

    def _certificates(self) -> Iterator[tuple[str, str]]:
        """Those that Postfix loads (tls_certkey.c): of smtp_tls_chain_files, else of the older parameters.

        It loads them as root. Where it cannot, or they are no pair, it has no TLS at all. Raises ClientError.
        """
        chains = lines.split_list(self.get("smtp_tls_chain_files"))
        pairs = [("smtp_tls_chain_files", path, key) for path, key in self._in_chains(chains)]
        for kind in () if chains else ("", "ec"):
            name = f"smtp_tls_{kind}cert_file"
            path = self.get(name)
            if path and path != "none":
                pairs.append((name, path, self.get(f"smtp_tls_{kind}key_file") or path))
        for name, certificate, key in pairs:
            if self._shows(name, certificate, key):
                yield certificate, key

    def _in_chains(self, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Each key is followed by its certificates, in the same file or in the next."""
        key = ""
        for path in paths:
            text = self.host.read(path)
            if text is None:
                yield path, key or path
                return
            key = path if "PRIVATE KEY-----" in text else key
            if "-----BEGIN CERTIFICATE-----" in text:
                yield path, key or path

    def _shows(self, name: str, certificate: str, key: str) -> bool:
        flaw = client_certificate.flaw(certificate, key)
        if flaw is None:
            return True
        named = self.named.get(name) is not None and self.named[name] == self.explicit.get(name)
        key_name = name.replace("cert_file", "key_file")
        name = key_name if flaw.of_key and key_name in self.explicit else name
        if named and flaw.kind != "unreadable":
            raise ClientError(f"{self.names.get(name, name)}: {flaw.words}")
        own = self.names.get(name, name) if named else f"{name} of {self.directory}/main.cf"
        if flaw.kind in ("missing", "useless"):
            raise ClientError(f"{own}: {flaw.words}. Without it Postfix has no TLS at all")
        if flaw.kind == "unreadable":
            self.warnings.append(
                f"{own}: {flaw.words}. Postfix shows that certificate, and the probe showed none"
            )
            return False
        self.warnings.append(f"{own}: {flaw.words}. Postfix shows it to servers that ask for one")
        return True

    def _mechanisms(self) -> tuple[str, ...] | None:
        """Those of the plugins that are there; with those that packages bring, where role postfix may install them."""
        plugins = self.host.plugins & set(MECHANISM_PLUGINS.values())
        here = [name for name, plugin in MECHANISM_PLUGINS.items() if plugin in plugins]
        if not self.changing:
            return tuple(here) or None
        family = distributions.family(self.host.release)
        if family is None:
            return tuple(here) or None
        if "XOAUTH2" in family.mechanisms:
            here = list(dict.fromkeys([*here, "XOAUTH2"]))
        # Installing what is there brings nothing that somebody took away.
        packaged = [
            name
            for name in family.mechanisms
            if name not in distributions.BEYOND_PASSWORDS
            and not all(map(self.host.has_package, distributions.bringing(name, self.host.release)))
        ]
        return tuple(dict.fromkeys([*here, *packaged]))


def _can_be_said(name: str) -> bool:
    return bool(re.match(r"[!-~]{1,255}\Z", name))


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _postconf_defaults() -> dict[str, str]:
    program = programs.find_program("postconf")
    if program is None:
        return {}
    lines = (line.partition("=") for line in programs.run([program, "-d"], timeout=20).output.splitlines())
    return {name.strip(): value.strip() for name, equals, value in lines if equals}


def _canonical(name: str) -> list[str]:
    found = socket.getaddrinfo(name, None, 0, socket.SOCK_STREAM, 0, socket.AI_CANONNAME)
    return [canonical for _family, _kind, _protocol, canonical, _address in found if canonical]


def _addresses(name: str) -> list[str]:
    found = socket.getaddrinfo(name, None, 0, socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]).partition("%")[0] for *_kind, address in found))


def _in_time(ask: Callable[[], list[str]]) -> list[str]:
    """The answer of the host's resolver, or none where it takes too long: a name server may be out of reach."""
    answers: list[list[str]] = []

    def work() -> None:
        with contextlib.suppress(OSError, UnicodeError):
            answers.append(ask())

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(OWN_NAME)
    return answers[0] if answers else []
