"""What smtpd would do with a stranger who wants a message relayed: the lists of restrictions, read as smtpd reads them.

A stranger has an address of the public Internet, a name, a certificate of no account, no login; may say any name in
EHLO and any address in MAIL FROM, has whatever DNS shows of these in order, and asks for a recipient of somebody else.
Tables are asked what they answer for that. The rule of this file: what cannot be known here is told as that.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import re
from itertools import product
from typing import Iterator, NamedTuple, Sequence

from ..files import lines, master_cf
from ..files.parameters import RESTRICTION_ARGUMENTS
from ..files.text import read_text
from ..host import maps
from .configuration import Configuration, once, table_of

# One of each eighth of IPv4, and two of IPv6; none of a network that a single company has for itself.
ADDRESSES = (
    "23.45.67.89", "45.33.32.156", "93.184.216.34", "109.70.100.4", "141.95.33.7", "185.199.108.9", "203.0.113.77",
    "2001:db8:77::7", "2a01:4f8:77::7",
)  # fmt: skip
NAME, SENDER = "mail.stranger.example", "joe@stranger.example"
RECIPIENTS = ("jane@victim.com", "jane@mx.victim.org", "jane@victim.net")
EVERYBODY = 3
"""Of so many of these addresses or recipients, all others are as well."""
LISTS = (
    "smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions", "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions", "smtpd_data_restrictions", "smtpd_end_of_data_restrictions",
)  # fmt: skip
REFUSED, PERMITTED, GOES_ON = "refused", "permitted", "goes on"
_REFUSALS = re.compile(r"[45]\d\d\b|reject\Z|defer\Z|defer_if_permit\Z|discard\Z", re.IGNORECASE)
# Whom these let through depends on what others say at the time.
_DEPENDS = ("check_policy_service", "permit_dnswl_client", "permit_rhswl_client", "permit_mx_backup",
            "permit_tls_all_clientcerts")  # fmt: skip
_MAX_DEPTH = 10


class Stranger(NamedTuple):
    address: str
    recipient: str = RECIPIENTS[0]
    states_address: bool = False
    """Whether smtpd believes what address and login this client says it has (XCLIENT, PROXY)."""


class Relayed(NamedTuple):
    """A message of a stranger is relayed. `by` is the word that lets it; `depends`, on what that depends."""

    by: str
    depends: str = ""


def relayed(config: Configuration, entry: master_cf.Service, stranger: Stranger) -> Relayed | None:
    """Whether this smtpd takes a message of the stranger for somebody else; None where it refuses."""
    found = Relayed("no restriction refuses it")
    for name in LISTS:
        outcome, by, depends = _Walk(config, entry, stranger).walk(config.words(name, entry), 0)
        if outcome == REFUSED:
            return None
        if outcome == PERMITTED and name in ("smtpd_relay_restrictions", "smtpd_recipient_restrictions"):
            found = Relayed(by, depends or found.depends)
    return found


class _Walk:
    """One list of restrictions, word by word."""

    def __init__(self, config: Configuration, entry: master_cf.Service, stranger: Stranger) -> None:
        self.config, self.entry, self.stranger = config, entry, stranger
        self.classes = config.words("smtpd_restriction_classes", entry)

    def walk(self, words: Sequence[str], depth: int) -> tuple[str, str, str]:
        """(outcome, by which word, on what it depends)."""
        rest, warned, deferred = iter(words), False, False
        for word in rest:
            folded = word.lower()
            argument = next(rest, "") if folded in RESTRICTION_ARGUMENTS else ""
            if folded == "warn_if_reject":
                warned = True
                continue
            if folded == "defer_if_permit":
                deferred = True
                continue
            outcome, depends = self.word(folded, word, argument, depth)
            if outcome == REFUSED and not warned:
                return REFUSED, "", ""
            if outcome == PERMITTED:
                by = f"{word} {argument}".strip()
                return (REFUSED, "", "") if deferred else (PERMITTED, by, depends)
            warned = False
        return GOES_ON, "", ""

    def word(self, folded: str, word: str, argument: str, depth: int) -> tuple[str, str]:
        """(outcome, on what it depends)."""
        stated = self.stranger.states_address
        if folded in ("reject", "defer"):
            return REFUSED, ""
        if folded == "permit":
            return PERMITTED, ""
        if folded in ("reject_unauth_destination", "defer_unauth_destination", "check_relay_domains"):
            return REFUSED, ""
        # Whether mynetworks and the lists of domains hold everybody is asked of themselves.
        if folded in ("permit_mynetworks", "permit_sasl_authenticated"):
            return (PERMITTED if stated else GOES_ON), ""
        if folded == "permit_naked_ip_address":
            return PERMITTED, ""
        if folded in _DEPENDS:
            return PERMITTED, f"what {word} {argument} says".replace("  ", " ")
        if re.match(r"check_(client|reverse_client_hostname|helo|sender|recipient)_access\Z", folded):
            return self.table(folded[6:-7], argument, depth)
        if ":" in word and not argument:
            return self.table("client", word, depth)
        if word in self.classes and depth < _MAX_DEPTH:
            outcome, _by, depends = self.walk(self.config.words(word, self.entry), depth + 1)
            return outcome, depends
        return GOES_ON, ""

    def table(self, what: str, table: str, depth: int) -> tuple[str, str]:
        answers = self.answers(what, table)
        if answers is None:
            return PERMITTED, f"what {table} has"
        depends = ""
        for answer in answers:
            first = re.split(r"[\s,]", answer)[0] if answer else "DUNNO"
            if first.upper() in ("OK", "PERMIT") or re.fullmatch(r"(?![45]\d\d\Z)\d+", first):
                return PERMITTED, ""
            if _REFUSALS.match(first):
                # Of what the stranger may choose, another row does as well.
                if what in ("client", "recipient"):
                    return REFUSED, ""
            elif depth < _MAX_DEPTH:
                outcome, _by, depends = self.walk(lines.split_list(answer), depth + 1)
                if outcome == PERMITTED:
                    return outcome, depends
                if outcome == REFUSED and what in ("client", "recipient"):
                    return outcome, ""
        return GOES_ON, ""

    def answers(self, what: str, table: str) -> Sequence[str] | None:
        """What the table may answer; of a table whose key the stranger may choose, every row. None: not to be known."""
        kind, _name = table_of(table)
        chosen = what in ("helo", "sender", "reverse_client_hostname") or (
            what == "client" and self.stranger.states_address
        )
        if kind in (*maps.COMPILED, "texthash", "inline"):
            rows = self.config.rows(table)
            if rows is None:
                return None
            if chosen:
                return [row.value for row in rows]
        own = (self.config.value("mydomain") or "example.com", self.config.value("myhostname"))
        keys = list(keys_of(what, self.stranger, own))
        found = asked(self.config, table, keys)
        return (
            None if found is None else [found[key] for key in keys if key in found][: None if chosen else 1]
        )


def keys_of(what: str, stranger: Stranger, own: tuple[str, str]) -> Iterator[str]:
    """What smtpd looks up, the most special first: access(5). `own` are this host's domain and name."""
    if what == "client":
        yield from _parents_of_name(NAME)
        yield from _parents_of_address(stranger.address)
    elif what in ("helo", "reverse_client_hostname"):
        yield from (*_parents_of_name(NAME), *own)
    else:
        for address in (SENDER, f"joe@{own[0]}") if what == "sender" else (stranger.recipient,):
            local, _at, domain = address.partition("@")
            yield from (address, *_parents_of_name(domain), f"{local}@")


def _parents_of_name(name: str) -> Iterator[str]:
    parts = name.split(".")
    for index in range(len(parts)):
        yield ".".join(parts[index:])
        if index:
            yield "." + ".".join(parts[index:])


def _parents_of_address(address: str) -> Iterator[str]:
    mark = ":" if ":" in address else "."
    parts = address.split(mark)
    for length in range(len(parts), 0, -1):
        yield mark.join(parts[:length]).rstrip(":")


def matches_address(config: Configuration, words: Sequence[str], address: str) -> bool:
    """Whether a list of networks, hosts and tables holds an address; the first word that matches decides."""
    for word in words:
        bare = word.lstrip("!")
        if bare.startswith("/"):
            inside = matches_address(config, _words_of(config, bare), address)
        elif ":" in bare and not bare.startswith("["):
            found = asked(config, bare, [address])
            inside = bool(found)
        else:
            try:
                network = ipaddress.ip_network(re.sub(r"[][]", "", bare), strict=False)
                inside = ipaddress.ip_address(address) in network
            except ValueError:
                inside = False
        if inside:
            return not (len(word) - len(bare)) % 2
    return False


def matches_domain(config: Configuration, name: str, words: Sequence[str], domain: str) -> bool:
    """Whether a list of domains and tables holds a domain."""
    below = name in config.words("parent_domain_matches_subdomains") and "." in domain
    keys = [
        domain,
        *([part for part in _parents_of_name(domain) if not part.startswith(".")][1:] if below else ()),
    ]
    for word in words:
        bare = word.lstrip("!")
        if bare.startswith("/"):
            inside = matches_domain(config, name, _words_of(config, bare), domain)
        elif ":" in bare:
            inside = bool(asked(config, bare, keys))
        else:
            inside = bare.lower() in keys or (bare.startswith(".") and domain.endswith(bare.lower()))
        if inside:
            return not (len(word) - len(bare)) % 2
    return False


@once
def _words_of(config: Configuration, path: str) -> Sequence[str]:
    """The patterns in a file that a list names."""
    text = read_text(config.staged(path))
    return [word for line in lines.logical_lines(text) for word in lines.split_list(line.text)]


def asked(config: Configuration, table: str, keys: Sequence[str]) -> dict[str, str] | None:
    """What a table answers for each of the keys; None where it cannot be asked here (LDAP, SQL, sockets)."""
    kind, name = table_of(table)
    if kind == "static":
        return dict.fromkeys(keys, name.strip("{} "))
    if kind in (*maps.COMPILED, "texthash", "inline"):
        rows = config.rows(table)
        if rows is None:
            return None
        known = {row.key.lower(): row.value for row in reversed(rows)}
        return {key: known[key.lower()] for key in keys if key.lower() in known}
    if kind in ("regexp", "pcre", "cidr"):
        known = _answers(config, f"{kind}:{name}")
        return {key: known[key] for key in keys if key in known}
    return None


@once
def _answers(config: Configuration, table: str) -> dict[str, str]:
    """What a table of patterns or networks answers for every key that may be asked: one program a table."""
    kind, path = table_of(table)
    own = (config.value("mydomain") or "example.com", config.value("myhostname"))
    keys = dict.fromkeys(
        key
        for what in ("client", "helo", "sender", "recipient")
        for address, recipient in product(ADDRESSES, RECIPIENTS)
        for key in (*keys_of(what, Stranger(address, recipient), own), recipient.rpartition("@")[2])
    )
    said = config.tools.lookup(f"{kind}:{config.staged(path)}", [key for key in keys if key])
    return dict(line.split("\t", 1) for line in said.output.splitlines() if "\t" in line)
