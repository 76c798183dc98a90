"""What Postfix has to be given so that mail goes the ways that were found: transports, next hops, rows of tables.

Theory of operation. The mail of everybody, and that of each group of senders or recipients, has a chain of next hops in
order of preference. Postfix tries the next hops of one transport one after the other, and what a transport has for all
of them is one: implicit TLS or not, the authorities, the certificate that is shown, the mechanisms, how names are
looked up. Where that changes along a chain, a new stage begins, with a transport of its own; the last next hop of a
stage is a listener of this host's own Postfix, whose mail goes out by the next stage (content_filter), so that one
failed delivery tries the whole chain. What reaches the last stage stays there until one of its next hops takes it.

Rules of this file: no I/O and no secrets. A login is named by the place of its relay in the user's list.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from itertools import groupby
from typing import Any, Iterable, Mapping, NamedTuple, Sequence

from ..module_utils._postfix.client import IMPLICIT_TRANSPORT

# The first port of the listeners between stages.
FIRST_PORT = 10587
# The transport of mail that goes past every relay.
DIRECT = "relay-direct"
DANE_LEVELS = ("dane", "dane-only")
# A listener takes mail from this host's own Postfix alone, which has done all this before.
_INTERNAL = {
    # Whatever it refuses is tried again.
    "soft_bounce": "yes",
    "smtpd_client_restrictions": "",
    "smtpd_delay_reject": "yes",
    "smtpd_helo_required": "no",
    "smtpd_helo_restrictions": "",
    "smtpd_sender_restrictions": "",
    # A client that is told to send from an address of this host comes from that.
    "smtpd_relay_restrictions": "permit_mynetworks,permit_inet_interfaces,reject",
    "smtpd_recipient_restrictions": "permit_mynetworks,permit_inet_interfaces,reject",
    "smtpd_data_restrictions": "",
    "smtpd_end_of_data_restrictions": "",
    "smtpd_etrn_restrictions": "reject",
    "smtpd_sasl_auth_enable": "no",
    "smtpd_proxy_filter": "",
    "smtpd_milters": "",
    "smtpd_upstream_proxy_protocol": "",
    "smtpd_discard_ehlo_keywords": "",
    "smtpd_discard_ehlo_keyword_address_maps": "",
    "smtpd_command_filter": "",
    "smtpd_error_sleep_time": "0",
    "smtpd_client_connection_count_limit": "0",
    "smtpd_client_connection_rate_limit": "0",
    "smtpd_client_message_rate_limit": "0",
    "smtpd_client_recipient_rate_limit": "0",
    "receive_override_options": (
        "no_header_body_checks,no_unknown_recipient_checks,no_milters,no_address_mappings"
    ),
    "local_header_rewrite_clients": "",
}

# What the first stage has taken is not too large for the others, which add a header; smtpd(8) asks for that, and so
# does cleanup(8).
_CLEANUP = "relay-cleanup"
_ANY_SIZE = {"message_size_limit": "0"}
# What leaves by a later stage has been rewritten for the network when it left the first one.
_ONCE = {
    "smtp_generic_maps": "",
    "smtp_header_checks": "",
    "smtp_mime_header_checks": "",
    "smtp_nested_header_checks": "",
    "smtp_body_checks": "",
}
_WITHOUT_TLS = {"smtpd_tls_security_level": "none", "smtpd_tls_wrappermode": "no"}
# A transport with implicit TLS speaks no other to its own host either. There no certificate says anything.
_ANONYMOUS_TLS = {
    "smtpd_tls_security_level": "encrypt",
    "smtpd_tls_wrappermode": "yes",
    "smtpd_tls_cert_file": "none",
    "smtpd_tls_key_file": "",
    "smtpd_tls_dcert_file": "",
    "smtpd_tls_eccert_file": "",
    "smtpd_tls_chain_files": "",
    "smtpd_tls_mandatory_protocols": "TLSv1.2",
    "smtpd_tls_exclude_ciphers": "",
    "smtpd_tls_mandatory_exclude_ciphers": "",
    "smtpd_tls_ask_ccert": "no",
    "smtpd_tls_req_ccert": "no",
}


class WaysError(ValueError):
    """The ways cannot be had at once; the text is for the user."""


class Client(NamedTuple):
    """What holds for a whole transport."""

    implicit: bool = False
    ca_file: str = ""
    lookup: str = ""
    mechanism: str = ""
    dnssec: bool = False
    certificate: tuple[str, str] = ("", "")
    """What only these servers are shown: files of the certificate and of its key."""


class Hop(NamedTuple):
    """A next hop; `relay` is the place of its relay in the user's list."""

    host: str
    port: int
    client: Client
    level: str
    relay: int
    login: bool

    @property
    def text(self) -> str:
        return f"[{self.host}]:{self.port}"


class _Chain(NamedTuple):
    """Next hops in order of preference, for whom, and the names of its transports."""

    name: str
    hops: Sequence[Hop]
    senders: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()


def ways(
    route: Mapping[str, Any],
    relays: Sequence[Mapping[str, Any]],
    directory: str = "/etc/postfix",
    failover: bool = True,
    logins: Sequence[int] = (),
) -> dict[str, Any]:
    """`route` as smtp_route_facts has it, `relays` the user's list, of which `security_level`, `auth_mechanism`,
    `ca_path`, `client_cert`, `client_key` and `username` count. `logins` has for each relay the place of the first one
    that has the same login; without it, those of one user name have. Raises WaysError for what contradicts itself."""
    return _Rendering(route, relays, directory, failover, logins).result()


class _Rendering:
    def __init__(
        self,
        route: Mapping[str, Any],
        relays: Sequence[Mapping[str, Any]],
        directory: str,
        failover: bool,
        logins: Sequence[int],
    ) -> None:
        self.relays, self.directory, self.failover = relays, directory, failover
        self.same_login = logins or [one.get("username") for one in relays]
        self.loopback = "[::1]" if route.get("family") == "ipv6" else "127.0.0.1"
        self.networks = " ".join(
            ["127.0.0.0/8", "[::1]/128", *(_network(one) for one in route.get("source_addresses") or ())]
        )
        for one in route.get("routes") or ():
            if one["required"] and not one["host"] and not one["direct"] and route.get("host"):
                raise WaysError(
                    f"no route for mail was found through {one['name']}, so nothing is configured"
                )
        self.direct = [one for one in route.get("routes") or () if one["direct"]]
        self.everybody = _Chain("relay", self._everybody(route))
        self.chains = self._chains(route)
        self.base = self._base()
        self.services: list[dict[str, Any]] = []
        self.listeners: dict[str, str] = {}
        self.logins: dict[str, list[dict[str, Any]]] = {}

    def result(self) -> dict[str, Any]:
        self._check_levels()
        transport, hops = self._stages(self.everybody) if self.everybody.hops else ("smtp", "")
        rows: dict[str, list[str]] = {"senders": [], "recipients": []}
        for chain in self.chains:
            way = ":".join(self._stages(chain))
            rows["senders"] += [f"{one} {way}" for one in chain.senders]
            rows["recipients"] += [f"{one.removeprefix('@')} {way}" for one in chain.recipients]
        for one in self.direct:
            rows["senders"] += [f"{sender} {DIRECT}:" for sender in one["senders"]]
            rows["recipients"] += [
                f"{recipient.removeprefix('@')} {DIRECT}:" for recipient in one["recipients"]
            ]
        if self.direct:
            # The hosts of other domains are to see no login. The level of TLS is that of main.cf: what this host has.
            self._add_service(DIRECT, {"smtp_tls_wrappermode": "no", "smtp_sasl_auth_enable": "no"})
        rows = {name: list(dict.fromkeys(each)) for name, each in rows.items()}
        # relayhost would decide for a row without a next hop as well.
        by_relayhost = transport == "smtp" and not self.direct
        by_transport = bool(hops) and not by_relayhost
        return {
            "default_transport": f"{transport}:{hops}" if by_transport else "smtp",
            "relayhost": hops if by_relayhost else "",
            "by_transport": by_transport,
            "direct": bool(self.direct),
            # sender_dependent_relayhost_maps is asked where the transport has no next hop, so of `direct` senders too.
            "sender_relayhosts": not by_transport and not any(one["senders"] for one in self.direct),
            "client": self.base._asdict(),
            "policy": self._policy(),
            "passwords": self._passwords(self.everybody.hops),
            "tables": [{"path": path, "rows": rows} for path, rows in self.logins.items()],
            "services": self.services,
            **rows,
        }

    # What was found, as chains

    def _everybody(self, route: Mapping[str, Any]) -> list[Hop]:
        if not route.get("host"):
            if route and route.get("decided_by") != "direct":
                raise WaysError("no route for mail was found for this host, so nothing is configured")
            return []
        if route.get("decided_by") == "keep" and route.get("relay") is None:
            raise WaysError(
                f"no relay that you name is usable, and [{route['host']}]:{route['port']}, which is in use and stays, "
                "is none of them, so it is not given their login and their level of TLS, and nothing is configured"
            )
        first = 0
        for index, one in enumerate(route.get("routes") or ()):
            if not one["senders"] and not one["recipients"]:
                first = index
                break
        return self._hops([route, *(route.get("alternatives") or ())], first)

    def _chains(self, route: Mapping[str, Any]) -> list[_Chain]:
        """The senders and recipients that have the same relays are one chain."""
        members: dict[tuple[str, str], list[int]] = {}
        found = route.get("routes") or ()
        for index, one in enumerate(found):
            if one["direct"] or not one["host"]:
                continue
            for kind in ("senders", "recipients"):
                for whom in one[kind]:
                    members.setdefault((kind, whom), []).append(index)
        chains = []
        for places, group in groupby(
            sorted(members, key=lambda key: members[key]), key=lambda key: members[key]
        ):
            whom = sorted(group, key=list(members).index)
            ways_of = [way for place in places for way in (found[place], *found[place]["alternatives"])]
            chains.append(
                _Chain(
                    "-".join(["relay", *(str(place + 1) for place in places)]),
                    self._hops(ways_of, places[0]),
                    tuple(name for kind, name in whom if kind == "senders"),
                    tuple(name for kind, name in whom if kind == "recipients"),
                )
            )
        return chains

    def _hops(self, found: Iterable[Mapping[str, Any]], first: int) -> list[Hop]:
        hops: dict[str, Hop] = {}
        for one in found:
            place = one.get("relay")
            hop = self._hop(one, first if place is None else int(place))
            if hops and hop.client.implicit and hop.client.dnssec:
                # Postfix has no DANE with implicit TLS.
                continue
            if hops and not hop.login:
                # Whatever the mechanisms are, it needs none.
                before = next(reversed(hops.values())).client.mechanism
                hop = hop._replace(client=hop.client._replace(mechanism=before))
            self._check_login(hops.setdefault(hop.text, hop), hop)
        return list(hops.values()) if self.failover else list(hops.values())[:1]

    def _check_login(self, one: Hop, other: Hop) -> None:
        """One chain has one login and one certificate for each next hop."""
        logins = [self.same_login[hop.relay] if hop.login else None for hop in (one, other)]
        certificates = [_certificate(self.relays[hop.relay]) for hop in (one, other)]
        for what, pair in (("login", logins), ("certificate", certificates)):
            if pair[0] != pair[1]:
                raise WaysError(
                    f"{one.text} is named twice for the same mail, with different {what}s, in {self._name(one)} and "
                    f"{self._name(other)}, and Postfix has one {what} for each next hop; leave one of "
                    "the two out, or say with senders whose mail it is for"
                )

    def _name(self, hop: Hop) -> str:
        """What the user calls the relay of a next hop."""
        return str(self.relays[hop.relay].get("name") or f"entry {hop.relay + 1} of the list of relays")

    def _hop(self, way: Mapping[str, Any], place: int) -> Hop:
        if place >= len(self.relays):
            # One that was probed in place of the one that is named.
            place = 0
        relay = self.relays[place]
        level = str(relay.get("security_level") or "secure")
        if level == "may" and way["tls"] == "implicit":
            # There is nothing but TLS.
            level = "encrypt"
        asked = str(relay.get("auth_mechanism") or "auto").lower()
        login = bool(relay.get("username")) and asked != "none"
        proven = way.get("auth_mechanism") or ("" if asked == "auto" else asked)
        mechanism = str(proven).lower() if login else ""
        client = Client(
            way["tls"] == "implicit",
            str(relay.get("ca_path") or ""),
            "native" if way.get("lookup") == "native" else "",
            mechanism,
            level in DANE_LEVELS,
            _certificate(relay),
        )
        return Hop(str(way["host"]), int(way["port"]), client, level, place, login)

    def _base(self) -> Client:
        """What main.cf says: as much as it can of what the mail of everybody needs."""
        if not self.everybody.hops:
            return Client()
        first = self.everybody.hops[0].client
        # Only main.cf can have the distribution's own file.
        ca_file = first.ca_file if all(hop.client.ca_file for hop in self._all_hops()) else ""
        # Every server sees what main.cf has, so a certificate that is for one relay never is there.
        return first._replace(implicit=False, ca_file=ca_file, certificate=("", ""))

    def _check_levels(self) -> None:
        seen: dict[str, Hop] = {}
        for hop in self._all_hops():
            other = seen.setdefault(hop.text, hop)
            if other.level != hop.level:
                raise WaysError(
                    f"{hop.text} is to have the level of TLS {other.level} in {self._name(other)} and "
                    f"{hop.level} in {self._name(hop)}, and Postfix has one for each next hop; give "
                    "both the same tls"
                )

    def _all_hops(self) -> list[Hop]:
        return [hop for chain in (self.everybody, *self.chains) for hop in chain.hops]

    # Chains as transports

    def _stages(self, chain: _Chain) -> tuple[str, str]:
        """The transport of the first stage, and its next hops; the services of all stages are added."""
        stages = [(client, list(hops)) for client, hops in groupby(chain.hops, key=lambda hop: hop.client)]
        last_client, last = stages[-1]
        # Mail that nobody took waits in the last stage, so that has every way that it can.
        last += [hop for client, hops in stages[:-1] if client == last_client for hop in hops]
        name, texts = "", list[str]()
        for number, (client, hops) in reversed(list(enumerate(stages))):
            following = f"{name}:{','.join(texts)}"
            name, texts = self._transport(chain, number, client), [hop.text for hop in hops]
            if number < len(stages) - 1:
                texts.append(self._listener(following, client.implicit))
            if name != "smtp":
                self._add_transport(name, client, hops, chain, _ONCE if number else {})
        return name, ", ".join(texts)

    def _transport(self, chain: _Chain, number: int, client: Client) -> str:
        if chain is self.everybody and not number:
            if client == self.base:
                return "smtp"
            of_all = client == self.base._replace(implicit=True)
            return IMPLICIT_TRANSPORT if of_all else f"relay-{chain.hops[0].relay + 1}"
        if not number:
            return chain.name
        return f"{chain.name}-fallback{number if number > 1 else ''}"

    def _add_transport(
        self, name: str, client: Client, hops: Sequence[Hop], chain: _Chain, options: Mapping[str, str]
    ) -> None:
        options = dict(options)
        if client.implicit:
            options.update(smtp_tls_wrappermode="yes", smtp_tls_security_level=hops[0].level)
        if client.ca_file != self.base.ca_file:
            # As in the probe: it, and no other authority beside it.
            options.update(smtp_tls_CAfile=client.ca_file, smtp_tls_CApath="", tls_append_default_CA="no")
        if client.certificate != self.base.certificate:
            certificate, key = client.certificate
            # The first two would go before it, or beside it.
            options.update(smtp_tls_chain_files="", smtp_tls_eccert_file="")
            options.update(smtp_tls_cert_file=certificate, smtp_tls_key_file=key)
        if client.dnssec != self.base.dnssec:
            options["smtp_dns_support_level"] = "dnssec" if client.dnssec else "enabled"
        if client.lookup != self.base.lookup:
            options["smtp_host_lookup"] = client.lookup or "dns"
        if client.mechanism != self.base.mechanism:
            options["smtp_sasl_mechanism_filter"] = client.mechanism
        if chain is not self.everybody:
            options.update(self._own_logins(chain))
        self._add_service(name, options)

    def _add_service(self, name: str, options: Mapping[str, str]) -> None:
        options = {"syslog_name": f"postfix/{name}", **options}
        self.services.append(
            {"service": name, "type": "unix", "like": "smtp", "command": "smtp", "options": options}
        )

    def _own_logins(self, chain: _Chain) -> dict[str, str]:
        rows = self._passwords(chain.hops)
        if not rows:
            return {"smtp_sasl_auth_enable": "no"}
        path = f"mailops_sasl_passwd_{chain.name}"
        self.logins[path] = rows
        return {
            "smtp_sasl_auth_enable": "yes",
            "smtp_sasl_password_maps": f"texthash:{self.directory}/{path}",
            "smtp_sasl_tls_security_options": "noanonymous",
        }

    def _passwords(self, hops: Sequence[Hop]) -> list[dict[str, Any]]:
        return [{"next": hop.text, "relay": hop.relay} for hop in hops if hop.login]

    def _listener(self, content_filter: str, implicit: bool) -> str:
        port = FIRST_PORT + len(self.listeners)
        hop = f"[{self.loopback.strip('[]')}]:{port}"
        self.listeners[hop] = "encrypt" if implicit else "none"
        options = {
            "content_filter": content_filter,
            "mynetworks": self.networks,
            "cleanup_service_name": _CLEANUP,
            **_ANY_SIZE,
            **_INTERNAL,
        }
        if port == FIRST_PORT:
            self.services.append(
                {
                    "service": _CLEANUP,
                    "type": "unix",
                    "like": "cleanup",
                    "private": "n",
                    "maxproc": "0",
                    "command": "cleanup",
                    "options": _ANY_SIZE,
                }
            )
        self.services.append(
            {
                "service": f"{self.loopback}:{port}",
                "type": "inet",
                "private": "n",
                "command": "smtpd",
                "options": {**options, **(_ANONYMOUS_TLS if implicit else _WITHOUT_TLS)},
            }
        )
        return hop

    def _policy(self) -> list[dict[str, str]]:
        rows = {
            hop.text: {"next": hop.text, "level": hop.level, "host": hop.host} for hop in self._all_hops()
        }
        return [
            *rows.values(),
            *({"next": one, "level": level, "host": ""} for one, level in self.listeners.items()),
        ]


def _certificate(relay: Mapping[str, Any]) -> tuple[str, str]:
    certificate = str(relay.get("client_cert") or "")
    return certificate, str(relay.get("client_key") or certificate)


def _network(address: str) -> str:
    return f"[{address}]/128" if ":" in address else f"{address}/32"
