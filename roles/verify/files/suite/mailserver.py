"""A mail server as the tests see it: Postfix's own account of its configuration, and what was seen on the host.

Nothing here writes to the host, and no password leaves it: what must be compared is compared there. Next hops, ports
and TLS levels are read here anew, on purpose: a witness that shared code with the deployment would share its mistakes.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import json
import re
import socket
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from strangers import Relaying, all_keys

LOOK = Path(__file__).with_name("look.py")
PYTHON = "$(command -v python3 || command -v /usr/libexec/platform-python)"

PARAMETERS = (
    "config_directory default_transport inet_interfaces maillog_file mydomain myhostname myorigin queue_directory "
    "relayhost sender_dependent_default_transport_maps sendmail_path smtp_helo_name smtp_sasl_auth_enable "
    "smtp_sasl_mechanism_filter smtp_sasl_password_maps smtp_tls_CAfile smtp_tls_CApath smtp_tls_cert_file "
    "smtp_tls_chain_files smtp_tls_key_file smtp_tls_loglevel smtp_tls_policy_maps smtp_tls_security_level "
    "smtp_tls_wrappermode tls_append_default_CA transport_maps"
)
PORT_NAMES = {"smtp": 25, "submission": 587, "submissions": 465, "smtps": 465}
MAIL_PORTS = {25, 465, 587, 2465, 2525, 2587, 8465}
# Tables that are a file, or have one beside it, in which a password may stand.
SOURCES = ("texthash", "hash", "btree", "lmdb", "cdb", "dbm", "sdbm")
# Tables in which only a whole address is looked up.
PATTERNS = ("regexp", "pcre", "cidr")
# A password that was written into main.cf itself stays on the host.
HIDE_INLINE = r"sed 's/\(inline\|static\):.*/\1:hidden/'"


@dataclass(frozen=True)
class NextHop:
    """One destination of relayhost or default_transport; `key` is its spelling, which maps repeat.

    `by_mx`: written without brackets, so that the name's MX hosts get the mail.
    """

    key: str
    host: str
    port: int
    transport: str
    by_mx: bool = False

    @classmethod
    def parse(cls, text: str, transport: str) -> NextHop:
        match = re.fullmatch(r"\[?([^\[\]]+?)\]?(?::([\w-]+))?", text)
        assert match, f"'{text}' in relayhost or default_transport is not a next hop: write [host]:port."
        port = match[2] or "smtp"
        assert port.isdigit() or port in PORT_NAMES, (
            f"'{text}' in relayhost or default_transport names the port {port}, which is unknown here: write a number."
        )
        by_mx = not text.startswith("[") and not is_address(match[1])
        return cls(text, match[1], int(PORT_NAMES.get(port, port)), transport, by_mx)


class Row(NamedTuple):
    """A row of a table, and the table."""

    key: str
    value: str
    table: str


@dataclass(frozen=True)
class Listener:
    """One inet service of master.cf. `service` is how Postfix names it (``smtp/inet``)."""

    service: str
    address: str
    port: int
    command: str


class Postfix:
    """The host's own Postfix, as its tools describe it."""

    def __init__(self, host: Any, address: str = "", outside: tuple[str, ...] = ()) -> None:
        """`address`: where the controller reaches the host. `outside`: from where else its listeners were asked."""
        self.host = host
        self.strangers = (source_address(address) if address else "", *outside)
        assert host.user().uid == 0, (
            f"the tests ran as {host.user().name}, but only root may read Postfix's files: "
            "set become: true on the play."
        )
        assert host.exists("postconf"), "Postfix is not installed here: run mailops.smtp.deploy first."

    def _report(self, command: str) -> dict[str, str]:
        lines = self.host.run(command).stdout.splitlines()
        return {name: value.strip() for name, _equals, value in (line.partition(" =") for line in lines)}

    @cached_property
    def parameters(self) -> dict[str, str]:
        return self._report(f"postconf -x {PARAMETERS} 2>/dev/null | {HIDE_INLINE}")

    @cached_property
    def overrides(self) -> dict[str, str]:
        """The -o settings of master.cf, by service/type/parameter."""
        return self._report(f"postconf -P 2>/dev/null | {HIDE_INLINE}")

    def __getitem__(self, name: str) -> str:
        return self.parameters.get(name, "")

    def setting(self, name: str, service: str) -> str:
        """The parameter as that service (``name/type``) sees it."""
        return self.overrides.get(f"{service}/{name}", self[name])

    @cached_property
    def next_hops(self) -> list[NextHop]:
        """Where the mail of everybody goes, in order; not a listener of this host's own that hands it on."""
        transport, _colon, hops = self["default_transport"].partition(":")
        return self.hops_of(transport, hops or self["relayhost"])

    def hops_of(self, transport: str, hops: str) -> list[NextHop]:
        """Where what is handed to a transport goes, in order; not a listener of this host's own that hands it on."""
        found: dict[tuple[str, str], NextHop] = {}
        waiting = [(hop, transport) for hop in words(hops)]
        seen = set()
        while waiting:
            hop = NextHop.parse(*waiting.pop(0))
            filter_ = self._handed_on(hop)
            if not filter_:
                found.setdefault((hop.key, hop.transport), hop)
            elif hop.key not in seen:
                seen.add(hop.key)
                transport, _colon, hops = filter_.partition(":")
                waiting += [(each, transport) for each in words(hops)]
        return list(found.values())

    def rows(self, parameter: str, keys: list[str]) -> list[Row]:
        """What the tables of a parameter have for keys, in the order in which Postfix asks: key by key, table by table.

        Tables of patterns are asked for the first key alone.
        """
        found = []
        for place, table in enumerate(words(self[parameter])):
            asked = keys[:1] if table.partition(":")[0] in PATTERNS else keys
            done = self.host.run(
                "printf '%%s\\n'" + " %s" * len(asked) + " | postmap -q - %s 2>/dev/null", *asked, table
            )
            for line in done.stdout.splitlines():
                key, _tab, value = line.partition("\t")
                found.append((keys.index(key), place, Row(key, value.strip(), table)))
        return [row for _key, _place, row in sorted(found)]

    def logs_in(self, hop: NextHop) -> bool:
        """Whether its transport has a login for a next hop. The login stays on the host."""
        service = f"{hop.transport}/unix"
        return self.setting("smtp_sasl_auth_enable", service) == "yes" and any(
            self.host.run("postmap -q %s %s >/dev/null", hop.key, table).succeeded
            for table in words(self.setting("smtp_sasl_password_maps", service))
        )

    @property
    def relay_hops(self) -> list[NextHop]:
        """Those of the relay that comes first."""
        return [hop for hop in self.next_hops if hop.host == self.next_hops[0].host]

    def _handed_on(self, hop: NextHop) -> str:
        """The content_filter of this host's own listener that a next hop is; empty for another host."""
        name = f"[{hop.host}]" if ":" in hop.host else hop.host
        return self.overrides.get(f"{name}:{hop.port}/inet/content_filter", "")

    @cached_property
    def listeners(self) -> list[Listener]:
        found = []
        for line in self.services:
            service, kind, *_columns, command = line.split(None, 7)
            if kind == "inet":
                address, _colon, port = service.rpartition(":")
                found.append(Listener(f"{service}/inet", address.strip("[]"), self._port(port), command))
        return found

    def _port(self, name: str) -> int:
        if name.isdigit():
            return int(name)
        known = self.host.run("getent services %s/tcp", name).stdout.split()
        return int(known[1].partition("/")[0]) if known else PORT_NAMES[name]

    @cached_property
    def open_sockets(self) -> set[tuple[str, int]]:
        """Address and port of everything that Postfix's master really listens on."""
        own_ports = {listener.port for listener in self.listeners} | MAIL_PORTS
        if not self.host.exists("ss"):
            tables = self.host.run("cat /proc/net/tcp /proc/net/tcp6 2>/dev/null").stdout
            return {(address, port) for address, port in kernel_sockets(tables) if port in own_ports}
        found = set()
        for line in self.host.run("ss -Hltnp").stdout.splitlines():
            address, _colon, port = line.split()[3].rpartition(":")
            # In a container even root may not see whose a socket is; the port then tells.
            if '"master"' in line or ("users:" not in line and int(port) in own_ports):
                found.add((re.sub(r"^\[|\]$|%.*", "", address), int(port)))
        return found

    @cached_property
    def seen(self) -> dict[str, Any]:
        """What look.py saw on the host."""
        first = self.next_hops[0].host if self.next_hops else ""
        request = {
            "next_hop": "" if is_address(first) else first,
            "domains": [],
            "keys": all_keys(self.own_names, *self.strangers),
        }
        done = self.host.run(f"{PYTHON} -c %s %s", LOOK.read_text(), json.dumps(request))
        try:
            found: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
            raise AssertionError(f"the look at the host failed: {last}") from None
        return found

    @property
    def own_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name in (self["mydomain"], self["myhostname"]) if name))

    @cached_property
    def relaying(self) -> Relaying:
        """What decides for whom this host relays."""
        return Relaying(self.seen["relaying"], self.own_names)

    @cached_property
    def services(self) -> list[str]:
        """The entries of master.cf."""
        return str(self.host.run("postconf -M 2>/dev/null").stdout).splitlines()

    @property
    def chrooted(self) -> bool:
        """Whether the process that delivers to the next hop runs chrooted."""
        transport = self.next_hops[0].transport if self.next_hops else "smtp"
        for line in self.services:
            service, kind, _private, _unprivileged, chroot, *_others = line.split(None, 7)
            if (service, kind) == (transport, "unix"):
                return chroot == "y"
        return False

    def tls_level(self, hop: NextHop) -> str:
        """The TLS security level towards a next hop: its policy entry, else that of the transport."""
        for table in words(self["smtp_tls_policy_maps"]):
            # Without a pipe to the host its two outputs are one.
            entry = self.host.run("postmap -q %s %s 2>/dev/null", hop.key, table)
            if entry.succeeded:
                return str(entry.stdout.split()[0])
        return self.setting("smtp_tls_security_level", f"{hop.transport}/unix") or "none"

    def implicit_tls(self, hop: NextHop) -> bool:
        return self.setting("smtp_tls_wrappermode", f"{hop.transport}/unix") == "yes"

    def client_certificate(self, hop: NextHop) -> tuple[str, str]:
        """The files of the certificate that is shown to the relay, and of its key; empty for none.

        Of several chains the first (postconf(5) smtp_tls_chain_files: a key, then its certificates, in that file or the
        next).
        """
        entry = f"{hop.transport}/unix"
        chain = words(self.setting("smtp_tls_chain_files", entry))
        if not chain:
            certificate, key = (self.setting(f"smtp_tls_{what}_file", entry) for what in ("cert", "key"))
            return ("", "") if certificate in ("", "none") else (certificate, key)
        if chain[1:] and self.host.run("grep -q -- '-BEGIN CERTIFICATE-' %s", chain[0]).failed:
            return chain[1], chain[0]
        return chain[0], chain[0]

    @property
    def password_tables(self) -> list[str]:
        """The tables of smtp_sasl_password_maps that are files, with their type."""
        tables = (table.removeprefix("proxy:") for table in words(self["smtp_sasl_password_maps"]))
        return [table for table in tables if table.partition(":")[0] in SOURCES and ":/" in table]

    @property
    def password_files(self) -> list[str]:
        """The source files behind smtp_sasl_password_maps."""
        return [table.partition(":")[2] for table in self.password_tables]


def words(value: str) -> list[str]:
    """A list as Postfix writes it: separated by commas, white space, or both."""
    return [word for word in re.split(r"[,\s]+", value) if word]


def source_address(address: str) -> str:
    """The address with which this machine would connect to another; empty where it cannot. Nothing is sent."""
    try:
        family, kind, _protocol, _name, where = socket.getaddrinfo(address, 25, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(where)
            return str(probe.getsockname()[0])
    except OSError:
        return ""


def is_loopback(address: str) -> bool:
    return address != "*" and ipaddress.ip_address(address).is_loopback


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.lower().removeprefix("ipv6:"))
    except ValueError:
        return False
    return True


def kernel_sockets(tables: str) -> set[tuple[str, int]]:
    """The listening sockets of /proc/net/tcp and /proc/net/tcp6, on a host without ss."""
    found = set()
    for line in tables.splitlines():
        columns = line.split()
        if len(columns) < 4 or columns[3] != "0A" or ":" not in columns[1]:
            continue
        number, port = columns[1].split(":")
        # Words of 32 bits in the byte order of the machine, which is little-endian wherever this runs.
        raw = b"".join(bytes.fromhex(number[start : start + 8])[::-1] for start in range(0, len(number), 8))
        found.add((str(ipaddress.ip_address(raw)), int(port, 16)))
    return found
