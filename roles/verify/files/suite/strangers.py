"""Whether a stranger's mail would be relayed: restrictions, tables and lists of hosts, read as smtpd reads them.

The rule of this file: it judges what look.py saw and asks nobody. What depends on others at the time, as a policy
service or a DNS list does, is no fault here; test_relaying.py asks the listeners themselves.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from look import DOMAINS, RESTRICTIONS, SAID_BY_CLIENT, parents_of_address, split_list

# Of networks far apart, so that no owner of a network has two of them.
ADDRESSES = (
    "23.45.67.89", "45.33.32.156", "93.184.216.34", "109.70.100.4", "141.95.33.7", "185.199.108.9", "203.0.113.77",
    "2001:db8:77::7", "2a01:4f8:77::7",
)  # fmt: skip
NAME, SENDER = "mail.stranger.example", "joe@stranger.example"
RECIPIENTS = ("jane@victim.com", "jane@mx.victim.org", "jane@victim.net")
SO_MANY = 2
"""Of so many of these addresses, all others are strangers' too."""
PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7",
        "fe80::/10",
    )
)  # fmt: skip
SMALLEST = 16
"""Length of the prefix of the largest public network that somebody may have for himself."""
RELAY_LISTS = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
REFUSED, PERMITTED, GOES_ON = "refused", "permitted", "goes on"
GATES = ("reject_unauth_destination", "defer_unauth_destination", "check_relay_domains", "reject", "defer")
TAKES_WORD = re.compile(
    r"check_\w+_access|check_policy_service|check_address_map|reject_r\w*bl(_\w+)?|permit_(dns|rhs)wl_client|sleep"
)
REFUSING_ACTION = re.compile(r"[45]\d\d|reject|defer|defer_if_permit|discard", re.IGNORECASE)
# With a text behind them, in which no word is a restriction.
OTHER_ACTION = re.compile(r"dunno|bcc|defer_if_reject|filter|hold|info|prepend|redirect|warn", re.IGNORECASE)
WHOLE_KEYS = ("cidr", "pcre", "regexp")
DEEPEST = 10


class Client(NamedTuple):
    """Who asks. `states_address` and `states_login`: smtpd believes him whichever he says he has."""

    address: str
    recipient: str = RECIPIENTS[0]
    states_address: bool = False
    states_login: bool = False
    trusts_networks: bool = False
    """Whether to count mynetworks, which are judged by themselves."""


class Service(NamedTuple):
    """An entry of master.cf, ``smtp/inet``, with its own settings and those of main.cf."""

    name: str
    command: str
    own: dict[str, str]
    main: dict[str, str]

    def __getitem__(self, parameter: str) -> str:
        return self.own.get(parameter, self.main.get(parameter, ""))

    def words(self, parameter: str) -> list[str]:
        return split_list(self[parameter])

    def title(self, parameter: str) -> str:
        return f"{parameter} (-o in master.cf)" if parameter in self.own else parameter

    @property
    def address(self) -> str:
        return self.name.rpartition("/")[0].rpartition(":")[0].strip("[]") if ":" in self.name else ""

    @property
    def on_loopback(self) -> bool:
        return self.address == "localhost" or _inside(self.address, PRIVATE[2:3], "::1/128")

    @property
    def inner(self) -> bool:
        """Whether it listens on addresses alone that no stranger can reach."""
        return self.on_loopback or _inside(self.address, PRIVATE)


def _inside(address: str, networks: Iterable[Any], *others: str) -> bool:
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(number in network for network in (*networks, *map(ipaddress.ip_network, others)))


def parents_of_name(name: str) -> Iterator[str]:
    parts = name.split(".")
    for index in range(len(parts)):
        yield ".".join(parts[index:])
        if index:
            yield "." + ".".join(parts[index:])


def keys_of(what: str, client: Client, own: tuple[str, ...]) -> Iterator[str]:
    """What smtpd looks up, the most special first: access(5). `own`: this host's domain and name."""
    if what == "client":
        yield from (*parents_of_name(NAME), *parents_of_address(client.address))
    elif what in ("helo", "reverse_client_hostname"):
        yield from (*parents_of_name(NAME), *own)
    else:
        senders = (SENDER, *(f"joe@{name}" for name in own))
        for address in senders if what == "sender" else (client.recipient,):
            local, _at, domain = address.partition("@")
            yield from (address, *parents_of_name(domain), f"{local}@")
        if what == "sender":
            yield "<>"


def all_keys(own: tuple[str, ...], *others: str) -> list[str]:
    """All that tables are asked for. `others`: addresses from which the listeners are asked."""
    clients = [Client(address) for address in (*ADDRESSES, *filter(None, others))]
    clients += [Client(ADDRESSES[0], recipient) for recipient in RECIPIENTS]
    kinds = ("client", "helo", "sender", "recipient")
    return list(
        dict.fromkeys(
            key for client in clients for what in kinds for key in keys_of(what, client, own) if key
        )
    )


class Relaying:
    """What look.py saw of the listeners, and of the tables and files that their settings name."""

    def __init__(self, seen: dict[str, Any], own: tuple[str, ...] = ()) -> None:
        self.answers, self.rows, self.files = seen["answers"], seen["rows"], seen["files"]
        self.own, self.main = own, Service("", "", {}, seen["main"])
        self.services = [
            Service(each["service"], each["command"], each["settings"], seen["main"])
            for each in seen["services"]
        ]

    def of(self, command: str, *kinds: str) -> list[Service]:
        """The services that others than this host can talk to, as far as master.cf says."""
        return [
            service
            for service in self.services
            if service.command == command
            and service.name.rpartition("/")[2] in (kinds or ("inet",))
            and not service.on_loopback
        ]

    @property
    def servers(self) -> list[Service]:
        return self.of("smtpd", "inet", "pass")

    # ------------------------------------------------------------------ lists of restrictions

    def relayed(self, server: Service, client: Client) -> tuple[str, str] | None:
        """The list and its word that let the client's mail to others through; None where it is refused."""
        found = ("", "")
        for name in RESTRICTIONS:
            outcome, by = self._walk(server, server.words(name), client, 0)
            if outcome == REFUSED:
                return None
            if outcome == PERMITTED and name in RELAY_LISTS and not found[0]:
                found = (name, by)
        return found

    def _walk(self, server: Service, words: list[str], client: Client, depth: int) -> tuple[str, str]:
        rest, warned, deferred = iter(words), False, False
        for word in rest:
            folded = word.lower()
            argument = next(rest, "") if TAKES_WORD.fullmatch(folded) else ""
            if folded == "warn_if_reject":
                warned = True
                continue
            deferred = deferred or folded == "defer_if_permit"
            outcome, how = self._word(server, word, argument, client, depth)
            if outcome == REFUSED and not warned:
                return REFUSED, ""
            if outcome == PERMITTED:
                return (REFUSED, "") if deferred else (PERMITTED, f"{word} {argument}".strip() + how)
            warned = False
        return GOES_ON, ""

    def _word(self, server: Service, word: str, argument: str, client: Client, depth: int) -> tuple[str, str]:
        """(outcome, how it comes to that)."""
        folded = word.lower()
        if folded in GATES:
            return REFUSED, ""
        if folded == "permit_mynetworks":
            words = server.words("mynetworks")
            inside = client.trusts_networks and self.holder(words, client.address)
            return (PERMITTED if inside or (client.states_address and words) else GOES_ON), ""
        if folded == "permit_sasl_authenticated":
            return (PERMITTED if client.states_login else GOES_ON), ""
        if folded in ("permit", "permit_naked_ip_address"):
            return PERMITTED, ""
        access = re.fullmatch(r"check_(client|reverse_client_hostname|helo|sender|recipient)_access", folded)
        if access or (":" in word and not argument):
            return self._table(server, access[1] if access else "client", argument or word, client, depth)
        if word in server.words("smtpd_restriction_classes") and depth < DEEPEST:
            outcome, by = self._walk(server, server.words(word), client, depth + 1)
            return outcome, f" (a class with {by})"
        return GOES_ON, ""

    def _table(self, server: Service, what: str, table: str, client: Client, depth: int) -> tuple[str, str]:
        """Of what the client may choose, one row that permits is enough; of the rest the first answer counts."""
        chosen = f"check_{what}_access" in SAID_BY_CLIENT
        for answer in self._answers(what, table, client, chosen):
            first = (re.split(r"[\s,]", answer) or [""])[0]
            shown = f" (which says '{answer if len(answer) < 40 else first}')"
            outcome = REFUSED if REFUSING_ACTION.fullmatch(first) else GOES_ON
            if first.upper() in ("OK", "RELAY") or re.fullmatch("[0-9]+", answer):
                outcome = PERMITTED
            elif not OTHER_ACTION.fullmatch(first) and outcome == GOES_ON and depth < DEEPEST:
                outcome, _by = self._walk(server, split_list(answer), client, depth + 1)
            # A name that the client's network chooses gives no permission: smtpd answers with an error of the server.
            if outcome == PERMITTED and what == "reverse_client_hostname":
                outcome = REFUSED
            if outcome == PERMITTED or (outcome == REFUSED and not chosen):
                return outcome, shown
        return GOES_ON, ""

    def _answers(self, what: str, table: str, client: Client, chosen: bool) -> list[str]:
        bare = bare_table(table)
        known = self.answers.get(bare) or {}
        if chosen and self.rows.get(bare):
            return list(self.rows[bare])
        keys = keys_of(what, client, self.own)
        if bare.partition(":")[0] in WHOLE_KEYS:
            whole = {NAME, client.address, client.recipient, SENDER, "<>", *self.own}
            keys = (key for key in keys if key in whole or (what == "sender" and key.startswith("joe@")))
        return [known[key] for key in keys if key in known][: None if chosen else 1]

    # ------------------------------------------------------------------ lists of hosts and domains

    def holder(self, words: list[str], address: str) -> str:
        """The word of a list of networks, tables and files that holds an address; empty if none does."""
        for word in words:
            bare = word.lstrip("!")
            if bare.startswith("/"):
                inside = self.holder(self.files.get(bare, []), address)
            elif re.match(r"(proxy:)?[a-z]+:", bare):
                inside = address in (self.answers.get(bare_table(bare)) or {})
            else:
                network = as_network(bare)
                inside = network is not None and _inside(address, [network])
            if inside:
                return word if (len(word) - len(bare)) % 2 == 0 else ""
        return ""

    def strangers_in(self, words: list[str]) -> str:
        """What of a list of hosts holds strangers, as a piece of a sentence; empty if nothing does."""
        plain = [word for each in words for word in self.files.get(each, [each])]
        wide = [word for word in plain if is_wide(as_network(word))]
        if wide:
            much = "is" if len(wide) == 1 else "are"
            return f"{', '.join(wide[:3])}, which {much} much of the internet"
        held: dict[str, list[str]] = {}
        for address in ADDRESSES:
            held.setdefault(self.holder(words, address), []).append(address)
        held.pop("", None)
        found = [(word, inside) for word, inside in held.items() if len(inside) >= SO_MANY]
        return f"{found[0][0]}, which holds {', '.join(found[0][1][:2])} and other strangers" if found else ""

    def domain_of_others(self, name: str, words: list[str]) -> tuple[str, str]:
        """(the word of a list of domains, the domain of somebody else that it holds)."""
        below = name in self.main.words("parent_domain_matches_subdomains")
        for domain in (address.rpartition("@")[2] for address in RECIPIENTS):
            parents = [each for each in parents_of_name(domain) if not each.startswith(".")]
            word = self._domain_holder(words, domain, parents if below else [domain])
            if word:
                return word, domain
        return "", ""

    def _domain_holder(self, words: list[str], domain: str, keys: list[str]) -> str:
        for word in words:
            bare = word.lstrip("!")
            if bare.startswith("/"):
                inside = bool(self._domain_holder(self.files.get(bare, []), domain, keys))
            elif ":" in bare:
                known = self.answers.get(bare_table(bare)) or {}
                inside = any(key in known for key in keys)
            else:
                inside = bare.lower() in keys or (bare.startswith(".") and domain.endswith(bare.lower()))
            if inside:
                return word if (len(word) - len(bare)) % 2 == 0 else ""
        return ""


def bare_table(word: str) -> str:
    return re.sub(r"^!*(?:proxy:)?", "", word)


def as_network(text: str) -> Any:
    """A word of a list of hosts as a network; None for names, tables, files and exclusions."""
    try:
        return ipaddress.ip_network(re.sub(r"[\[\]]", "", text), strict=False)
    except ValueError:
        return None


def is_wide(network: Any) -> bool:
    """Whether so much of the internet is in a network that strangers must be."""
    if network is None or network.prefixlen >= SMALLEST:
        return False
    return not any(own.version == network.version and network.subnet_of(own) for own in PRIVATE)


# ---------------------------------------------------------------------- what is wrong, in sentences


def restrictions(relaying: Relaying) -> list[str]:
    """Lists that let everybody through before they refuse foreign destinations."""
    found: dict[str, list[str]] = {}
    for server in relaying.servers:
        fault = open_restrictions(relaying, server)
        if fault:
            found.setdefault(fault, []).append(server.name)
    return [f"{', '.join(names)} would relay for anyone, because {fault}" for fault, names in found.items()]


def open_restrictions(relaying: Relaying, server: Service) -> str:
    """Why this server relays for anyone; empty where it does not."""
    ways = {}
    for address in ADDRESSES:
        for recipient in RECIPIENTS:
            way = relaying.relayed(server, Client(address, recipient))
            if way:
                ways[address] = way
    if len(ways) < SO_MANY:
        return ""
    name, by = next(iter(ways.values()))
    if not name:
        return (
            f"neither {' nor '.join(RELAY_LISTS)} refuses foreign destinations: end smtpd_relay_restrictions with "
            "reject_unauth_destination"
        )
    return (
        f"{server.title(name)} comes to {by} before it refuses foreign destinations: take that out of {name}, or put "
        "reject_unauth_destination before it"
    )


def networks(relaying: Relaying) -> list[str]:
    """mynetworks with strangers in them."""
    found: dict[str, list[str]] = {}
    for server in relaying.servers:
        who = relaying.strangers_in(server.words("mynetworks"))
        if who:
            found.setdefault(f"it trusts {who}: correct {server.title('mynetworks')}", []).append(server.name)
    return [
        f"mynetworks should name your own networks, but for {', '.join(names)} {fault}"
        for fault, names in found.items()
    ]


def domains(relaying: Relaying) -> list[str]:
    """Lists of this host's domains that hold those of others."""
    asks = next((each for each in relaying.services if each.command == "trivial-rewrite"), relaying.main)
    # The default of these two is a table of addresses, which may well have a row for each that there is.
    defaults = {
        "virtual_alias_domains": "virtual_alias_maps",
        "virtual_mailbox_domains": "virtual_mailbox_maps",
    }
    found: dict[str, str] = {}
    for name in DOMAINS:
        value = asks[name]
        if value == asks[defaults.get(name, "")] or value in found:
            continue
        word, domain = relaying.domain_of_others(name, split_list(value))
        if word:
            found[value] = (
                f"{asks.title(name)} should name this host's own domains, but {word} holds {domain} and others too, "
                f"whose mail is taken from anyone: name your own domains in {name}"
            )
    return list(found.values())


def xclient(relaying: Relaying) -> list[str]:
    """Strangers who may say which address or login they have, by XCLIENT."""
    name = "smtpd_authorized_xclient_hosts"
    found: dict[str, list[str]] = {}
    for server in relaying.servers:
        words = server.words(name)
        who = relaying.strangers_in(words) if words != server.words("mynetworks") else ""
        if who and believes(relaying, server):
            found.setdefault(f"{server.title(name)} holds {who}", []).append(server.name)
    return [
        f"{who}, who may tell {', '.join(names)} that they are in mynetworks, and relay: name your own filters alone"
        for who, names in found.items()
    ]


def believes(relaying: Relaying, server: Service) -> bool:
    """Whether who may use XCLIENT relays by it."""
    client = Client(ADDRESSES[0], states_address=True, states_login=True)
    return relaying.relayed(server, client) is not None


def believing(relaying: Relaying) -> list[tuple[Service, str]]:
    """The listeners that take the client's address from a PROXY header and may be reached, and the parameter."""
    found = []
    local = set(relaying.main.words("inet_interfaces")) <= {
        "loopback-only",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "::1",
    }
    for command in ("smtpd", "postscreen"):
        for service in relaying.of(command):
            name = f"{command}_upstream_proxy_protocol"
            if not service[name] or service.inner or (local and not service.address):
                continue
            behind = [service] if command == "smtpd" else relaying.of("smtpd", "pass")
            client = Client(ADDRESSES[0], states_address=True)
            if any(relaying.relayed(server, client) for server in behind):
                found.append((service, service.title(name)))
    return found


def qmqp(relaying: Relaying) -> list[str]:
    """qmqpd, which relays everything for its clients, with strangers among these."""
    name, found = "qmqpd_authorized_clients", []
    for service in relaying.of("qmqpd"):
        who = relaying.strangers_in(service.words(name))
        if who and service.words(name) != relaying.main.words("mynetworks"):
            found.append(
                f"{name} should name your own hosts, but {service.name} relays everything for {who}: correct "
                f"{service.title(name)}"
            )
    return found
