"""Exim and OpenSMTPD as relays of the outside: they take mail after a login and pass it on to the outside's own mx.

They run in the root of ../oracles, on the network of the outside.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import time

from world import certificates, outside
from world.machine import Machine
from world.others import Others

EXIM, OPENSMTPD = "198.18.0.11", "198.18.0.12"
USER = "ops"
outside.ZONE[f"exim.{outside.DOMAIN}"] = {"A": [EXIM]}
outside.ZONE[f"opensmtpd.{outside.DOMAIN}"] = {"A": [OPENSMTPD]}

_EXIM = f"""\
primary_hostname = exim.{outside.DOMAIN}
local_interfaces = {EXIM}
daemon_smtp_ports = 587
tls_advertise_hosts = *
tls_certificate = /relays/good.pem
tls_privatekey = /relays/good.pem
rfc1413_query_timeout = 0s
host_lookup =
log_file_path = /relays/exim-%slog
acl_smtp_rcpt = logged_in
begin acl
logged_in:
  accept authenticated = *
  deny message = log in first
begin routers
onward:
  driver = manualroute
  domains = *
  transport = smtp
  route_list = * {outside.address("mx")}
begin transports
smtp:
  driver = smtp
  hosts_avoid_tls = *
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{USER}}}}}{{eq{{$auth3}}{{{outside.USERS[USER]}}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}
"""
_OPENSMTPD = f"""\
pki "good" cert "/relays/good.crt"
pki "good" key "/relays/good.key"
table logins file:/relays/logins
listen on {OPENSMTPD} port 587 tls-require pki "good" auth <logins> hostname "opensmtpd.{outside.DOMAIN}"
action "onward" relay host smtp://{outside.address("mx")}
match auth from any for any action "onward"
"""


class Servers(Others):
    def __init__(self, far: Machine) -> None:
        super().__init__(far)
        chain = certificates.chain(outside.RECIPES["good"])
        key, certificate = re.split(r"(?<=PRIVATE KEY-----\n)(?=-----BEGIN CERT)", chain)
        password = self.run("openssl", "passwd", "-6", outside.USERS[USER])
        for name, text in {
            "good.pem": chain,
            "good.key": key,
            "good.crt": certificate,
            "logins": f"{USER} {password}",
            "smtpd.conf": _OPENSMTPD,
        }.items():
            self.write(f"/relays/{name}", text, "600")
        self.run("sh", "-c", "chown -R Debian-exim /relays; chown root /relays/good.key /relays/good.crt")
        self.run(
            "sh",
            "-c",
            f"mkdir -p /etc/mail; echo opensmtpd.{outside.DOMAIN} | tee /etc/mailname >/etc/mail/mailname",
        )
        self.run("sh", "-c", "chmod 755 /relays; chmod 644 /relays/logins")
        # Its own configuration: for another one Exim would give up the privileges that deliveries take.
        self.run("sh", "-c", "mkdir -p /etc/exim4; cat >/etc/exim4/exim4.conf; exim4 -bd -q1h", stdin=_EXIM)
        self.run("sh", "-c", "smtpd -d -f /relays/smtpd.conf >/relays/opensmtpd.log 2>&1 & sleep 0.5")
        for address in (EXIM, OPENSMTPD):
            for _attempt in range(100):
                if self.run("ss", "-Hltn", f"src {address}:587"):
                    break
                time.sleep(0.1)
            else:
                raise AssertionError(f"nothing listens on {address}:\n{self.log()}")

    def took(self, product: str, client: str) -> bool:
        """Whether the product's log has a message of the client at this address, logged in."""
        lines = self.log().splitlines()
        if product == "exim":
            return any(f"[{client}]" in line and f" A=plain:{USER} " in line for line in lines)
        mine = {line.split()[0] for line in lines if f"smtp connected address={client} " in line}
        wanted = (f"smtp authentication user={USER} result=ok", "smtp message ")
        return any(all(any(f"{each} {words}" in line for line in lines) for words in wanted) for each in mine)

    def log(self) -> str:
        return self.run("sh", "-c", "cat /relays/exim-*log /relays/opensmtpd.log 2>/dev/null; true")
