"""What smtpd would do with a stranger who wants a message relayed: the lists of restrictions, read as smtpd reads them.

A stranger has an address of the public Internet, a certificate of no account, no login; has the name that DNS shows, or
none; may say any name in EHLO, or no EHLO at all, and any address in MAIL FROM; and asks for a recipient of somebody
else. Who is worth asking for is read from the keys of the tables, and each is then walked through the lists alone. The
rule of this file: it follows smtpd_check.c word by word, and what cannot be known here is told as that.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import re
from itertools import product
from typing import Any, Callable, Iterable, Iterator, NamedTuple, Sequence

from ..files import lines, master_cf, table
from ..files.parameters import ACCESS_ACTIONS, RESTRICTION_ARGUMENTS, RESTRICTIONS
from ..files.text import read_text
from ..files.version import supports
from ..host import maps
from .configuration import Configuration, once, table_of

# One of each eighth of IPv4, and two of IPv6; none of a network that a single company has for itself.
ADDRESSES = (
    "23.45.67.89", "45.33.32.156", "93.184.216.34", "109.70.100.4", "141.95.33.7", "185.199.108.9", "203.0.113.77",
    "2001:db8:77::7", "2a01:4f8:77::7",
)  # fmt: skip
NAME, NO_NAME, SENDER = "mail.stranger.example", "unknown", "joe@stranger.example"
ELSEWHERE = "mail.elsewhere.invalid"
"""Another name that a stranger may have or say, of which nobody has thought."""
RECIPIENTS = ("jane@victim.com", "jane@mx.victim.org", "jane@victim.net")
DOMAINS = (
    *(each.rpartition("@")[2] for each in RECIPIENTS),
    *(f"victim.{level}" for level in ("de", "fr", "co.uk", "ru", "cn", "info", "eu")),
)
_FINGERPRINT = ":".join(["5A"] * 32)
# In their order, each with what has been told by then; the last of it is what a table alone is asked for.
LISTS = {
    "smtpd_client_restrictions": ("client",),
    "smtpd_helo_restrictions": ("client", "helo"),
    "smtpd_sender_restrictions": ("client", "helo", "sender"),
    "smtpd_relay_restrictions": ("client", "helo", "sender", "recipient"),
    "smtpd_recipient_restrictions": ("client", "helo", "sender", "recipient"),
    # Of several recipients, none is looked at here.
    "smtpd_data_restrictions": ("client", "helo", "sender"),
    "smtpd_end_of_data_restrictions": ("client", "helo", "sender"),
}
_EARLY, _LATE = tuple(LISTS)[:3], tuple(LISTS)[5:]
UNKNOWN = "unknown to us"
REFUSED, PERMITTED, GOES_ON = "refused", "permitted", "goes on"
GUARDS = (
    "reject_unauth_destination", "defer_unauth_destination", "reject", "defer", "defer_if_permit",
    "check_relay_domains",
)  # fmt: skip
# Whom these let through depends on what others say at the time.
_DEPENDS = ("check_policy_service", "permit_dnswl_client", "permit_rhswl_client", "permit_mx_backup")
_NAMELESS = ("reject_unknown_client", "reject_unknown_client_hostname")
_POINTERLESS = ("reject_unknown_reverse_client_hostname",)
_OTHERS_SENDERS = (
    "reject_sender_login_mismatch", "reject_unauthenticated_sender_login_mismatch",
    "reject_known_sender_login_mismatch",
)  # fmt: skip
_SUBJECT = re.compile(r"check_(client|reverse_client_hostname|helo|sender|recipient|ccert)_access\Z")
_MAX_DEPTH, _MAX_KEYS = 10, 5


class Stranger(NamedTuple):
    address: str = ADDRESSES[0]
    recipient: str = RECIPIENTS[0]
    sender: str = SENDER
    helo: str = NAME
    """Empty: he says none."""
    name: str = NAME
    pointer: str = NAME
    """What the reverse lookup alone says."""
    inside: bool = False
    """Whether smtpd takes him for a client of mynetworks."""
    login: bool = False
    own: bool = False
    """Whether it takes his address for one of its own."""
    addresses: tuple[str, ...] = ()
    """Those of all who are like him."""


class Relayed(NamedTuple):
    """A message of a stranger is relayed. `by` is the word that lets it; `depends`, on what that depends."""

    by: str
    depends: str = ""


class _Answer(NamedTuple):
    outcome: str
    depends: str = ""


_REFUSED, _PERMITTED, _GOES_ON = _Answer(REFUSED), _Answer(PERMITTED), _Answer(GOES_ON)


def everybody(addresses: Iterable[str]) -> bool:
    """Whether these are so many of ADDRESSES that it is the whole Internet, of IPv4 or of IPv6."""
    held = set(addresses)
    newer = {each for each in ADDRESSES if ":" in each}
    return len(held - newer) >= 3 or newer <= held


def starts(config: Configuration, entry: master_cf.Service) -> bool:
    """Whether smtpd starts: one of its lists must have a word that refuses, and not after permit alone."""
    lists = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
    return any(_guarded(config, entry, config.words(name, entry), 0) for name in lists)


def _guarded(config: Configuration, entry: master_cf.Service, words: Sequence[str], depth: int) -> bool:
    classes = config.words("smtpd_restriction_classes", entry)

    def inside(name: str) -> bool:
        return _guarded(config, entry, config.words(name, entry), depth + 1)

    rest = iter(words)
    for word in rest:
        folded = word.lower()
        if folded == "warn_if_reject":
            next(rest, "")
        elif folded == "permit":
            return False
        elif folded in GUARDS or (word in classes and depth < _MAX_DEPTH and inside(word)):
            return True
    return False


def relayed(config: Configuration, entry: master_cf.Service, stranger: Stranger) -> Relayed | None:
    """Whether this smtpd takes a message of the stranger for somebody else; None where it refuses."""
    walk, found = _Walk(config, entry, stranger), Relayed("no restriction refuses it")
    for name in LISTS:
        if name == "smtpd_helo_restrictions" and not stranger.helo:
            continue
        outcome, by, depends = walk.list(name)
        if outcome == REFUSED or walk.deferred:
            return None
        if outcome == PERMITTED and name in ("smtpd_relay_restrictions", "smtpd_recipient_restrictions"):
            found = Relayed(by, depends or found.depends)
    return found


class _Walk:
    """The lists of restrictions of one smtpd for one stranger, word by word."""

    def __init__(self, config: Configuration, entry: master_cf.Service, stranger: Stranger) -> None:
        self.config, self.entry, self.stranger = config, entry, stranger
        self.classes = config.words("smtpd_restriction_classes", entry)
        self.deferred = False
        """Whether a permission has been turned into a deferral, in whichever list."""
        self.known: tuple[str, ...] = ()
        self.subject = ""

    def list(self, name: str) -> tuple[str, str, str]:
        self.known = LISTS[name]
        self.subject = "" if name in _LATE else self.known[-1]
        if name in _EARLY and self.config.enabled("smtpd_delay_reject", self.entry):
            self.known = LISTS["smtpd_recipient_restrictions"]
        return self.walk(self.config.words(name, self.entry), False, 0)

    def walk(self, words: Sequence[str], warned: bool, depth: int) -> tuple[str, str, str]:
        """(outcome, by which word, on what it depends). `warned`: refusals are only logged."""
        rest, next_warned = iter(words), False
        for word in rest:
            folded = word.lower()
            if folded == "warn_if_reject":
                next_warned = True
                continue
            argument = next(rest, "") if folded in RESTRICTION_ARGUMENTS else ""
            outcome, depends = self.word(word, argument, warned or next_warned, depth)
            if outcome != GOES_ON:
                return outcome, f"{word} {argument}".strip(), depends
            next_warned = False
        return GOES_ON, "", ""

    def word(self, word: str, argument: str, warned: bool, depth: int) -> _Answer:
        folded, stranger = word.lower(), self.stranger
        refused = _GOES_ON if warned else _REFUSED
        subject = _SUBJECT.match(folded)
        if ":" in word and not argument:
            # In a table of access(5), and where no command tells what to ask for, it is an error of the server.
            return self.table(self.subject, word, warned, depth) if self.subject else _REFUSED
        if folded == "permit":
            return _PERMITTED
        if folded in ("reject", "defer"):
            return refused
        if folded in ("reject_unauth_destination", "defer_unauth_destination", "check_relay_domains"):
            return refused if "recipient" in self.known else _GOES_ON
        if folded == "defer_if_permit":
            self.deferred = self.deferred or not warned
            return _GOES_ON
        # Whether mynetworks and the lists of domains hold everybody is asked of themselves.
        if folded == "permit_mynetworks":
            return _PERMITTED if stranger.inside else _GOES_ON
        if folded == "permit_inet_interfaces":
            return _PERMITTED if stranger.own else _GOES_ON
        if folded == "permit_sasl_authenticated":
            # Newer releases believe a login of XCLIENT without smtpd_sasl_auth_enable as well.
            return _PERMITTED if stranger.login else _GOES_ON
        if folded == "permit_naked_ip_address":
            removed = supports(self.config.version, "old_restrictions_removed")
            return _REFUSED if removed else _PERMITTED
        if folded in _DEPENDS:
            return _Answer(PERMITTED, f"what {word} {argument} says".replace("  ", " "))
        if folded == "permit_tls_all_clientcerts" and self.asks_certificates():
            return _Answer(PERMITTED, f"what {word} says")
        if folded == "permit_tls_clientcerts" and self.asks_certificates():
            tables = self.config.words("relay_clientcerts", self.entry)
            listed = any(asked(self.config, each, [_FINGERPRINT]) for each in tables)
            return _PERMITTED if listed else _GOES_ON
        if folded in _NAMELESS:
            return refused if stranger.name == NO_NAME else _GOES_ON
        if folded in _POINTERLESS:
            return refused if stranger.pointer == NO_NAME else _GOES_ON
        if folded in _OTHERS_SENDERS:
            needs = not stranger.login and needs_login(self.config, self.entry, stranger.sender)
            return refused if needs else _GOES_ON
        if subject:
            return self.table(subject.group(1), argument, warned, depth)
        if folded not in RESTRICTIONS and word not in self.classes:
            return _REFUSED
        if folded not in RESTRICTIONS and depth < _MAX_DEPTH:
            outcome, _by, depends = self.walk(self.config.words(word, self.entry), warned, depth + 1)
            return _Answer(outcome, depends)
        return _GOES_ON

    def asks_certificates(self) -> bool:
        return any(
            self.config.enabled(name, self.entry) for name in ("smtpd_tls_ask_ccert", "smtpd_tls_req_ccert")
        )

    def table(self, subject: str, spec: str, warned: bool, depth: int) -> _Answer:
        if subject == "ccert" and not self.asks_certificates():
            return _GOES_ON
        if subject not in (*self.known, "reverse_client_hostname", "ccert"):
            return _GOES_ON
        value = answer(self.config, subject, spec, self.stranger)
        if value == UNKNOWN:
            return _Answer(PERMITTED, f"what {spec} has")
        answered = _GOES_ON if value is None else self.value(value, warned, depth)
        # A name that the client's network chooses gives no permission: smtpd answers with an error of the server.
        if subject == "reverse_client_hostname" and answered.outcome == PERMITTED:
            return _REFUSED
        return answered

    def value(self, value: str, warned: bool, depth: int) -> _Answer:
        """What access(5) makes of the right side of a row."""
        action = _action(value)
        if action == "OK":
            return _PERMITTED
        if action == "REJECT":
            return _GOES_ON if warned else _REFUSED
        if action == "DEFER_IF_PERMIT":
            self.deferred = self.deferred or not warned
            return _GOES_ON
        if action == "DISCARD":
            return _REFUSED
        if action == "DUNNO":
            return _GOES_ON
        if not value or ":" in value or depth >= _MAX_DEPTH:
            return _REFUSED
        outcome, _by, depends = self.walk(lines.split_list(value), warned, depth + 1)
        return _Answer(outcome, depends)


def _action(value: str) -> str:
    """One word for all values of access(5) that do the same to a stranger; a list of restrictions is its own."""
    action = re.split(r"[ \t]", value)[0].upper()
    if action in ("OK", "RELAY") or re.fullmatch(r"[0-9]+", value):
        return "OK"
    if action in ("REJECT", "DEFER") or re.match(r"[45][0-9][0-9][ \t]+\S", value):
        return "REJECT"
    if action in ("DEFER_IF_PERMIT", "DISCARD"):
        return action
    return "DUNNO" if action in ACCESS_ACTIONS else value


def answer(config: Configuration, subject: str, spec: str, stranger: Stranger) -> str | None:
    """What a table of access(5) has for the stranger; UNKNOWN where it cannot be asked here."""
    if spec.startswith("{"):
        spec = next(iter(lines.split_list(spec.strip("{} "))), "")
    keys = list(_keys_of(config, subject, stranger, table_of(spec)[0]))
    found = asked(config, spec, keys) if keys else {}
    return UNKNOWN if found is None else next((found[key] for key in keys if key in found), None)


@once
def needs_login(config: Configuration, entry: master_cf.Service, sender: str) -> bool:
    """Whether the address in MAIL FROM is somebody's of this host, who would have logged in."""
    if not sender or not config.enabled("smtpd_sasl_auth_enable", entry):
        return False
    keys = [sender, "@" + sender.rpartition("@")[2]]
    return any(asked(config, each, keys) for each in config.words("smtpd_sender_login_maps", entry))


# ---------------------------------------------------------------------- who is worth asking for


@once
def strangers(config: Configuration, entry: master_cf.Service) -> Sequence[Stranger]:
    """Those between whom this smtpd tells: of all who get the same answers from its tables, one."""
    clients = _told_apart(config, entry, "client")
    return [each._replace(**other) for each, other in product(clients, _manners(config, entry))]


@once
def impostors(config: Configuration, entry: master_cf.Service, login: bool) -> Sequence[Stranger]:
    """Those who say which address and name they have: by XCLIENT with a login, or by PROXY, for one of this host's."""
    stated = [Stranger(inside=True, login=login, own=not login)]
    for key in _stated(config, entry):
        is_address = re.fullmatch(r"[0-9.]+|[0-9a-f:]*:[0-9a-f:.]*", key)
        stated.append(
            Stranger(address=key, login=login) if is_address else Stranger(name=key, pointer=key, login=login)
        )
    return [each._replace(**other) for each, other in product(stated, _manners(config, entry))]


@once
def _manners(config: Configuration, entry: master_cf.Service) -> Sequence[dict[str, Any]]:
    """What a stranger may say and ask for."""
    said = (_told_apart(config, entry, subject) for subject in ("recipient", "sender", "helo"))
    return [
        {"recipient": one.recipient, "sender": two.sender, "helo": three.helo}
        for one, two, three in product(*said)
    ]


def _told_apart(config: Configuration, entry: master_cf.Service, subject: str) -> list[Stranger]:
    specs = _tables_of(config, entry)
    subjects = ("client", "reverse_client_hostname") if subject == "client" else (subject,)
    found: dict[Any, Stranger] = {}
    for each in _candidates(config, entry)[subject]:
        found_there = (answer(config, name, spec, each) for name in subjects for spec in specs.get(name, ()))
        answers = tuple(value and _action(value) for value in found_there)
        needs = subject == "sender" and needs_login(config, entry, each.sender)
        alike = (answers, needs, each.name == NO_NAME, each.pointer == NO_NAME, bool(each.helo))
        first = found.get(alike, each)
        found[alike] = first._replace(addresses=(*first.addresses, each.address))
    return list(found.values())


@once
def _candidates(config: Configuration, entry: master_cf.Service) -> dict[str, list[Stranger]]:
    """Who may differ to this smtpd in what its tables are asked for."""
    specs = _tables_of(config, entry)
    own = own_names(config)
    named = "client" in specs or "reverse_client_hostname" in specs
    senders, helos, recipients = [SENDER], [NAME], list(RECIPIENTS)
    if "sender" in specs:
        senders += [
            "",
            *(f"joe@{each}" for each in (ELSEWHERE, *own)),
            *_derived(config, specs["sender"], _senders),
        ]
    if not config.enabled("smtpd_helo_required", entry):
        helos = ["", *(helos if "helo" in specs else [])]
    if "helo" in specs:
        helos += [ELSEWHERE, ADDRESSES[0], *own, *_derived(config, specs["helo"], _helos)]
    if "recipient" in specs:
        recipients += _derived(config, specs["recipient"], _recipients)
    names = ((NAME, NAME), (NO_NAME, NO_NAME), (NO_NAME, ELSEWHERE))[: 3 if named else 1]
    return {
        "client": [
            Stranger(address, name=name, pointer=pointer) for name, pointer in names for address in ADDRESSES
        ],
        "recipient": [Stranger(recipient=each) for each in dict.fromkeys(recipients)],
        "sender": [Stranger(sender=each) for each in dict.fromkeys(senders)],
        "helo": [Stranger(helo=each) for each in dict.fromkeys(helos)],
    }


def _stated(config: Configuration, entry: master_cf.Service) -> list[str]:
    return _derived(config, _tables_of(config, entry).get("client", ()), _clients)


def own_names(config: Configuration) -> tuple[str, str]:
    return config.value("mydomain") or "example.com", config.value("myhostname")


def _tables_of(config: Configuration, entry: master_cf.Service) -> dict[str, list[str]]:
    """Which tables this smtpd asks for what, in its lists and classes."""
    found: dict[str, list[str]] = {}
    classes = dict.fromkeys(
        config.words("smtpd_restriction_classes", entry), LISTS["smtpd_recipient_restrictions"]
    )
    for name, subjects in {**classes, **LISTS}.items():
        rest = iter(config.words(name, entry))
        for word in rest:
            argument = next(rest, "") if word.lower() in RESTRICTION_ARGUMENTS else ""
            subject = _SUBJECT.match(word.lower())
            if subject and argument:
                found.setdefault(subject.group(1), []).append(argument)
            elif word.lower() in _OTHERS_SENDERS:
                found.setdefault("sender", [])
            elif word.lower() in _NAMELESS + _POINTERLESS:
                found.setdefault("client", [])
            elif ":" in word and not argument:
                for each in subjects if name in classes else subjects[-1:]:
                    found.setdefault(each, []).append(word)
    return found


def _derived(
    config: Configuration, specs: Sequence[str], made: Callable[[Configuration, str], Iterator[str]]
) -> list[str]:
    """What the rows of the tables that may let somebody through are about; a few of each that do the same."""
    result: dict[str, None] = {}
    for spec in dict.fromkeys(specs):
        by_action: dict[str, int] = {}
        for key, value in _rows_of(config, spec):
            action = _action(value)
            by_action[action] = by_action.get(action, 0) + 1
            if by_action[action] <= _MAX_KEYS and action not in ("REJECT", "DEFER_IF_PERMIT", "DISCARD"):
                result.update(dict.fromkeys(made(config, key)))
    return list(result)


@once
def _rows_of(config: Configuration, spec: str) -> Sequence[tuple[str, str]]:
    """Key and value of each row; of a pattern, something that it matches."""
    kind, name = table_of(spec)
    if kind in ("regexp", "pcre", "cidr"):
        inner = [each[1:-1] for each in lines.split_list(name[1:-1])] if name.startswith("{") else []
        text = "\n".join(inner) if name.startswith("{") else read_text(config.staged(name))
        rows = table.parse_map(text) if kind == "cidr" else table.parse_patterns(text)
        return [(row.key if kind == "cidr" else example_of(row.key), row.value) for row in rows]
    return [(row.key, row.value) for row in config.rows(spec) or ()]


def example_of(pattern: str) -> str:
    """Something that an ordinary pattern of regexp_table(5) matches, without its delimiters."""
    if pattern.startswith("!"):
        return ""
    mark = pattern[0]
    text = pattern[1 : pattern.rfind(mark)]
    # What is escaped stands aside, as a character of its own, until the end.
    text = re.sub(r"\\([^A-Za-z0-9])", lambda found: chr(0xE000 + ord(found.group(1))), text)
    for before, after in (
        (r"\[\^[^]]*\]|\\[wS]", "x"),
        (r"\\d", "1"),
        (r"\\s", " "),
        (r"\[(.)[^]]*\]", r"\1"),
    ):
        text = re.sub(before, after, text)
    inner = re.compile(r"\((?:\?[:i])?([^()|]*)(?:\|[^()]*)?\)")
    while inner.search(text):
        text = inner.sub(r"\1", text)
    text = re.sub(r"[$^]", "", text.split("|")[0]).replace(".", "x")
    text = re.sub(r"(.)\{(\d+)[^}]*\}", lambda found: found.group(1) * int(found.group(2)), text)
    text = re.sub(r"[*+?]", "", text)
    return "".join(chr(ord(each) - 0xE000) if 0xE000 <= ord(each) < 0xE100 else each for each in text)


def _senders(config: Configuration, key: str) -> Iterator[str]:
    null = config.value("smtpd_null_access_lookup_key") or "<>"
    if key == null:
        yield ""
    elif key.endswith("@"):
        yield f"{key}stranger.example"
    elif key.startswith("@"):
        yield f"joe{key}"
    elif "@" in key:
        yield key
    else:
        yield f"joe@{key.lstrip('.')}"
        yield f"joe@x.{key.lstrip('.')}"
        yield f"{key}@stranger.example"


def _helos(_config: Configuration, key: str) -> Iterator[str]:
    bare = key.partition("/")[0].lstrip(".")
    yield from (bare, f"x.{bare}")


def _recipients(_config: Configuration, key: str) -> Iterator[str]:
    """Only of whom the stranger may choose: a local part."""
    local, _at, domain = key.partition("@")
    if local and not domain and "." not in local:
        yield from (f"{local}@{each.rpartition('@')[2]}" for each in RECIPIENTS)


def _clients(_config: Configuration, key: str) -> Iterator[str]:
    bare = key.partition("/")[0]
    if re.fullmatch(r"[0-9]+(\.[0-9]+){0,3}", bare):
        yield ".".join([*bare.split("."), "1", "1", "1"][:4])
    yield bare.lstrip(".")


# ---------------------------------------------------------------------- what tables and lists hold


def _keys_of(config: Configuration, subject: str, stranger: Stranger, kind: str) -> Iterator[str]:
    """What smtpd looks up, in its order: access(5). Tables of patterns are asked for the whole alone."""
    below = "smtpd_access_maps" in config.words("parent_domain_matches_subdomains")
    whole = kind in ("regexp", "pcre", "cidr")
    if subject in ("client", "reverse_client_hostname"):
        name = stranger.name if subject == "client" else stranger.pointer
        yield from [name] if whole else _parents_of_name(name, below)
        yield from [stranger.address] if whole else _parents_of_address(stranger.address)
    elif subject == "ccert":
        yield _FINGERPRINT
    elif subject == "helo":
        if stranger.helo:
            yield from [stranger.helo] if whole else _parents_of_name(stranger.helo, below)
    else:
        address = stranger.sender if subject == "sender" else stranger.recipient
        local, _at, domain = address.partition("@")
        yield address or config.value("smtpd_null_access_lookup_key") or "<>"
        if address and not whole:
            yield from _parents_of_name(domain, below)
            yield f"{local}@"


def _parents_of_name(name: str, below: bool) -> Iterator[str]:
    parts = name.split(".")
    for index in range(len(parts)):
        yield ("" if below or not index else ".") + ".".join(parts[index:])


def _parents_of_address(address: str) -> Iterator[str]:
    mark = ":" if ":" in address else "."
    parts = address.split(mark)
    for length in range(len(parts), 0, -1):
        yield mark.join(parts[:length])


def matches_address(config: Configuration, words: Sequence[str], address: str) -> bool:
    """Whether a list of networks, hosts and tables holds an address without a name; the first that matches decides."""
    for word in words:
        bare = word.lstrip("!")
        if bare.startswith("/"):
            inside = matches_address(config, _words_of(config, bare), address)
        elif ":" in bare and not bare.startswith("["):
            inside = bool(asked(config, bare, [NO_NAME, address]))
        else:
            try:
                network = ipaddress.ip_network(re.sub(r"[][]", "", bare), strict=False)
                inside = ipaddress.ip_address(address) in network
            except ValueError:
                inside = bare == NO_NAME
        if inside:
            return not (len(word) - len(bare)) % 2
    return False


def matches_domain(config: Configuration, name: str, words: Sequence[str], domain: str) -> bool:
    """Whether a list of domains and tables holds a domain. Of parents, only relay_domains knows."""
    relays = name == "relay_domains"
    below = relays and name in config.words("parent_domain_matches_subdomains")
    keys = list(_parents_of_name(domain, below)) if relays else [domain]
    for word in words:
        bare = word.lstrip("!")
        if bare.startswith("/"):
            inside = matches_domain(config, name, _words_of(config, bare), domain)
        elif ":" in bare:
            whole = table_of(bare)[0] in ("regexp", "pcre", "cidr")
            inside = bool(asked(config, bare, keys[:1] if whole else keys))
        else:
            inside = bare.lower() in keys
        if inside:
            return not (len(word) - len(bare)) % 2
    return False


@once
def _words_of(config: Configuration, path: str) -> Sequence[str]:
    """The patterns in a file that a list names."""
    text = read_text(config.staged(path))
    return [word for line in lines.logical_lines(text) for word in lines.split_list(line.text)]


def asked(config: Configuration, spec: str, keys: Sequence[str]) -> dict[str, str] | None:
    """What a table answers for each of the keys; None where it cannot be asked here (LDAP, SQL, sockets)."""
    kind, name = table_of(spec)
    if kind == "static":
        return dict.fromkeys(keys, name.strip("{} "))
    if kind in (*maps.COMPILED, "texthash", "inline"):
        known = _folded(config, spec)
        return None if known is None else {key: known[key.lower()] for key in keys if key.lower() in known}
    if kind in ("regexp", "pcre", "cidr"):
        known = _answers(config, f"{kind}:{name}")
        return {key: known[key] for key in keys if key in known}
    return None


@once
def _folded(config: Configuration, spec: str) -> dict[str, str] | None:
    rows = config.rows(spec)
    return None if rows is None else {row.key.lower(): row.value for row in reversed(rows)}


@once
def _answers(config: Configuration, spec: str) -> dict[str, str]:
    """What a table of patterns or networks answers for every key that may be asked: one program a table."""
    kind, path = table_of(spec)
    said = config.tools.lookup(f"{kind}:{config.staged(path)}", _all_keys(config))
    return dict(line.split("\t", 1) for line in said.output.splitlines() if "\t" in line)


@once
def _all_keys(config: Configuration) -> list[str]:
    keys = dict.fromkeys((*DOMAINS, *ADDRESSES, NO_NAME, _FINGERPRINT))
    for entry in config.smtpd_services:
        for candidates in _candidates(config, entry).values():
            for each in candidates:
                for subject in ("client", "reverse_client_hostname", "recipient", "sender", "helo"):
                    keys.update(dict.fromkeys(_keys_of(config, subject, each, "regexp")))
                keys["@" + each.sender.rpartition("@")[2]] = None
        keys.update(dict.fromkeys(_stated(config, entry)))
    return [key for key in keys if key]
