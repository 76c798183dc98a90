# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mail server as the tests see it: Postfix's own account of its configuration, and a message on its way.

Nothing here writes to the host, and no password leaves it: what must be compared is compared there.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

PARAMETERS = (
    "config_directory default_transport inet_interfaces maillog_file mynetworks myhostname queue_directory "
    "relayhost sendmail_path smtp_sasl_auth_enable smtp_sasl_password_maps smtp_tls_CAfile smtp_tls_CApath "
    "smtp_tls_loglevel smtp_tls_policy_maps smtp_tls_security_level smtp_tls_wrappermode "
    "smtpd_recipient_restrictions smtpd_relay_restrictions tls_append_default_CA"
)
PORT_NAMES = {"smtp": 25, "submission": 587, "submissions": 465, "smtps": 465}
MAIL_PORTS = {25, 465, 587, 2465, 2525, 2587, 8465}
# A password that was written into main.cf itself stays on the host.
HIDE_INLINE = r"sed 's/\(inline\|static\):.*/\1:hidden/'"


@dataclass(frozen=True)
class NextHop:
    """One destination of relayhost or default_transport; `key` is its spelling, which maps repeat."""

    key: str
    host: str
    port: int
    transport: str

    @classmethod
    def parse(cls, text: str, transport: str) -> NextHop:
        match = re.fullmatch(r"\[?([^\[\]]+?)\]?(?::([\w-]+))?", text)
        assert match, f"'{text}' in relayhost or default_transport is no next hop: write [host]:port."
        port = match[2] or "smtp"
        return cls(text, match[1], int(PORT_NAMES.get(port, port)), transport)


@dataclass(frozen=True)
class Listener:
    """One inet service of master.cf. `service` is how Postfix names it (``smtp/inet``)."""

    service: str
    address: str
    port: int
    command: str


class Postfix:
    """The host's own Postfix, as its tools describe it."""

    def __init__(self, host: Any) -> None:
        self.host = host
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
        return self._report(f"postconf {PARAMETERS} 2>/dev/null | {HIDE_INLINE}")

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
        transport, _colon, hops = self["default_transport"].partition(":")
        return [NextHop.parse(hop, transport) for hop in words(hops or self["relayhost"])]

    @cached_property
    def listeners(self) -> list[Listener]:
        found = []
        for line in self.host.run("postconf -M 2>/dev/null").stdout.splitlines():
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
        assert self.host.exists("ss"), "ss is missing here, so nobody can tell who listens: install iproute2."
        own_ports = {listener.port for listener in self.listeners} | MAIL_PORTS
        found = set()
        for line in self.host.run("ss -Hltnp").stdout.splitlines():
            address, _colon, port = line.split()[3].rpartition(":")
            # In a container even root may not see whose a socket is; the port then tells.
            if '"master"' in line or ("users:" not in line and int(port) in own_ports):
                found.add((re.sub(r"^\[|\]$|%.*", "", address), int(port)))
        return found

    def tls_level(self, hop: NextHop) -> str:
        """The TLS security level towards a next hop: its policy entry, else that of the transport."""
        for table in words(self["smtp_tls_policy_maps"]):
            entry = self.host.run("postmap -q %s %s", hop.key, table)
            if entry.succeeded:
                return str(entry.stdout.split()[0])
        return self.setting("smtp_tls_security_level", f"{hop.transport}/unix") or "none"

    def implicit_tls(self, hop: NextHop) -> bool:
        return self.setting("smtp_tls_wrappermode", f"{hop.transport}/unix") == "yes"

    @property
    def password_files(self) -> list[str]:
        """The source files behind smtp_sasl_password_maps."""
        return [table.partition(":")[2] for table in words(self["smtp_sasl_password_maps"]) if ":/" in table]


# Log lines of the SMTP client that carry no queue id.
OF_ANY_DELIVERY = ("TLS connection established to", ": connect to ")


@dataclass
class Message:
    """A message submitted here, and what the mail log tells of it. `since`: the host's clock before that."""

    host: Any
    token: str
    since: str
    log_files: list[str]
    queue_id: str = ""
    status: str = ""
    relay: str = ""
    text: str = ""
    log: list[str] = field(default_factory=list)

    def look(self) -> None:
        """Read the journal and the log files anew."""
        patterns = [self.token, *OF_ANY_DELIVERY, *([self.queue_id] if self.queue_id else [])]
        from_here_on = f"/{self.token}/,$p"
        command = "{ journalctl -q --no-pager SYSLOG_FACILITY=2 --since=%s | sed -n %s; "
        command += "tail -qn 20000" + " %s" * len(self.log_files) + " | sed -n %s; } 2>/dev/null | grep -F"
        command += " -e %s" * len(patterns)
        since = f"@{self.since}"
        found = self.host.run(
            command, since, from_here_on, *self.log_files, from_here_on, *patterns, fresh=True
        )
        self.log = found.stdout.splitlines()
        for line in self.log:
            accepted = re.search(rf" (\w+): message-id=<{re.escape(self.token)}@", line)
            delivery = re.search(r" relay=(\S+), .*status=(\w+) \((.*)\)$", line)
            if accepted:
                self.queue_id = accepted[1]
            elif delivery and self.queue_id and f" {self.queue_id}: to=" in line:
                self.relay, self.status, self.text = delivery.groups()

    def withdraw(self, queue_directory: str) -> None:
        """Delete the message, and no other, from the queue or from the maildrop."""
        if not self.queue_id:
            waiting = self.host.run("grep -rlF %s %s", self.token, f"{queue_directory}/maildrop", fresh=True)
            self.queue_id = waiting.stdout.strip().rpartition("/")[2]
        if self.queue_id:
            self.host.run("postsuper -d %s", self.queue_id, fresh=True)

    @property
    def tls_line(self) -> str:
        """What the process that delivered the message logged of its TLS session, without the time stamp."""
        deliveries = [line for line in self.log if self.queue_id and f" {self.queue_id}: to=" in line]
        process = re.search(r"\[\d+\]: ", deliveries[-1]) if deliveries else None
        if not process:
            return ""
        lines = [line for line in self.log if process[0] in line and " TLS connection " in line]
        return lines[-1].partition(process[0])[2] if lines else ""

    @property
    def last_problem(self) -> str:
        """The last connection since then that failed, maybe of another message."""
        found = [re.search(r": (connect to .*)$", line) for line in self.log]
        return next((match[1] for match in reversed(found) if match), "")


def words(value: str) -> list[str]:
    """A list as Postfix writes it: separated by commas, white space, or both."""
    return [word for word in re.split(r"[,\s]+", value) if word]


def is_loopback(address: str) -> bool:
    return address != "*" and ipaddress.ip_address(address).is_loopback
