"""How the probe gives itself to a relay: as this host's mail server does, unless the user says otherwise.

Rules of this file: no I/O. What the user names goes first, what the mail server has comes next, and the probe's own
defaults come last. What differs from what the mail server would do is said in a warning.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Sequence

from .._base.addresses import family_title, ip_version
from .._smtp.arguments import checked_certificate, options_from
from .._smtp.endpoint import Options
from .relays import LEVELS, RelaySpec

VERIFYING_LEVELS = ("verify", "secure")
# Levels at which the certificate is judged by the relay's TLSA records, which take a resolver that validates: without
# one nobody knows to whom a password would go.
DANE_LEVELS = ("dane", "dane-only")

_ANY_ADDRESS = {"ipv4": "0.0.0.0", "ipv6": "::"}


class UnknownAddress(Exception):
    """What the mail server makes of an address cannot be known; the text is the reason."""


class Here(NamedTuple):
    """This host's mail server as a client.

    `helo_source`: `parameters` (the user's wish for it), `main.cf` (what it says by itself) or `host` (the host's full
    name, which it does not say by itself). `complete` gives the sender that a relay sees; it raises UnknownAddress.
    """

    helo_name: str | None
    helo_source: str
    helo_problem: str | None
    family: str
    source_addresses: tuple[str, ...]
    ca_path: tuple[str, ...]
    """Files and directories of the authorities that it trusts; none for the system's."""
    system_authorities: bool
    """Whether it trusts the system's beside those."""
    lookup: str
    """How it looks names up: `dns`, `native`, `both`, or `auto` where that follows from what the probe finds."""
    warnings: tuple[str, ...]
    complete: Callable[[str], str]
    complaint: Callable[[str], str | None]
    family_from: tuple[str, str] = ("inet_protocols", "inet_protocols")
    """What `family` is from, and what the user sets to have another."""
    origin: str | None = None
    """The domain that it gives to addresses of this host without one."""
    both_families: bool = False
    """Whether it takes addresses of both, in no order that is fixed."""
    sends: bool = False
    """Whether this host's mail goes by it: there is one, or will be."""
    certificates: tuple[tuple[str, str], ...] = ()
    """What it shows to a server that asks for a certificate: files of certificates and of their keys."""
    plugin_advice: Callable[[Sequence[str]], str] = lambda _offered: ""
    """What to do where it has no plugin for the SASL mechanisms that a relay offers; empty where it has."""


class Sender(NamedTuple):
    """How the probe gave itself. `helo_name` is None where it greeted with its address, `mail_from` where it tried no
    sender; `helo_source` may also be `option`."""

    helo_name: str | None = None
    helo_source: str = "option"
    helo_problem: str | None = None
    mail_from: str | None = None
    warnings: tuple[str, ...] = ()
    mail_advice: str = ""
    """What to do where a relay refuses the sender that this host's own mail has."""
    family_from: tuple[str, str] | None = None
    """As in Here; None where the user named the family."""
    origin: str | None = None
    """As in Here."""
    family: str = "any"
    """The one that the mail server uses, as in Here."""
    source_addresses: tuple[str, ...] = ()
    """Those that the mail server sends from, as in Here."""
    inet_protocols: str | None = None
    """What the user sets to have one family alone; None where this host's mail does not go over either."""
    plugin_advice: Callable[[Sequence[str]], str] = lambda _offered: ""
    """As in Here."""


def as_here(params: Mapping[str, Any], here: Here) -> tuple[Options, Sender]:
    """The options of a probe, and how it gives itself. Raises OptionError."""
    names = params.get("option_names") or {}
    level = params.get("security_level")
    found: dict[str, Any] = {
        "helo_name": here.helo_name,
        "family": here.family,
        "ca_path": here.ca_path,
    }
    if level in LEVELS:
        found["validate_certs"] = level in VERIFYING_LEVELS
    if params.get("source_address"):
        # A user who names one address means its family too.
        found["family"] = "any"
    elif here.source_addresses:
        found["source_address"] = _of_all_families(here.source_addresses)
    mail_from, unknown = _sender(params.get("mail_from"), here, names)
    given = {name: value for name, value in params.items() if value is not None}
    if not any(given.get("ca_path", ())):
        given.pop("ca_path", None)
    found.update(given, mail_from=mail_from)
    said = _greeting(params.get("helo_name"), here, names)
    warnings = [*here.warnings, *unknown, *_about(params, said.helo_problem, names)]
    warnings += _differences(params, here, names) if here.sends else ()
    options = replace(
        options_from(found),
        lookup=here.lookup,
        needs_dns=level in DANE_LEVELS,
        system_authorities=here.system_authorities and "ca_path" not in given,
        check_families=here.sends and here.both_families,
    )
    if not options.client_certificates:
        options = replace(options, client_certificates=here.certificates)
    return options, said._replace(
        mail_from=mail_from,
        warnings=tuple(dict.fromkeys(warnings)),
        mail_advice=_mail_advice(params.get("mail_from"), mail_from, names),
        family_from=None if params.get("family") else here.family_from,
        origin=here.origin,
        family=here.family,
        source_addresses=here.source_addresses,
        inet_protocols=here.family_from[1] if here.sends and here.both_families else None,
        plugin_advice=here.plugin_advice,
    )


def of_relay(spec: RelaySpec, common: Options, params: Mapping[str, Any], here: Here) -> Options | None:
    """The options of one relay where they are other than those of all: its level of TLS, its authorities, the
    certificate that it is shown, and the sender of the mail that goes through it. None where nothing differs.

    Raises OptionError for a certificate that cannot be shown."""
    own: dict[str, Any] = {}
    level = spec.security_level
    if level and level != params.get("security_level"):
        own.update(validate_certs=level in VERIFYING_LEVELS, needs_dns=level in DANE_LEVELS)
    if spec.ca_path:
        own.update(ca_path=(spec.ca_path,), system_authorities=False)
    if spec.client_certificate:
        names = params.get("option_names") or {}
        options = [f"{spec.name}.{names.get(f'relays.{key}', key)}" for key in ("client_cert", "client_key")]
        own["client_certificates"] = (
            checked_certificate(*spec.client_certificate, (options[0], options[1])),
        )
    if spec.senders:
        own["mail_from"] = _one_of_the_senders(spec.senders, common.mail_from, here)
    if spec.recipients and common.rcpt_to:
        own["rcpt_to"] = _one_of_the_recipients(spec.recipients, common.rcpt_to)
    return replace(common, **own) if own else None


def _one_of_the_recipients(recipients: Sequence[str], common: str) -> str | None:
    """A recipient that the relay is for; of a whole domain none is known but the one that is tried everywhere."""
    if common.lower() in recipients or f"@{common.lower().rpartition('@')[2]}" in recipients:
        return common
    return next((one for one in recipients if not one.startswith("@")), None)


def _one_of_the_senders(senders: Sequence[str], common: str | None, here: Here) -> str | None:
    """A sender as the relay sees it: of a whole domain no address is known but one that is tried everywhere."""
    if common and (common.lower() in senders or f"@{common.lower().rpartition('@')[2]}" in senders):
        return common
    address = next((one for one in senders if not one.startswith("@")), None)
    if not address:
        return None
    try:
        return here.complete(address)
    except UnknownAddress:
        return address


def _differences(params: Mapping[str, Any], here: Here, names: Mapping[str, str]) -> Iterator[str]:
    """Where the user has the probe go another way than the mail."""
    parameters = names.get("parameters", "main.cf")
    bound = {str(ip_version(address)): address for address in here.source_addresses}
    for address in params.get("source_address") or ():
        family = ip_version(address)
        own = bound.get(family or "")
        if family and own != address:
            name = "smtp_bind_address6" if family == "ipv6" else "smtp_bind_address"
            yield (
                f"{names.get('source_address', 'source_address')} is {address}, and Postfix sends from "
                f"{own or 'an address that the system chooses'}: set {name} in {parameters} to {address} as well, or "
                "leave it out here, since a relay may know this host by its address"
            )
    asked = params.get("family")
    if asked in ("ipv4", "ipv6") and asked != here.family:
        other = "ipv6" if asked == "ipv4" else "ipv4"
        yield (
            f"{names.get('family', 'family')} is {asked}, so {family_title(other)} was not probed, and Postfix sends "
            f"over {'both' if here.family == 'any' else family_title(other)}: set {here.family_from[1]} to {asked} as "
            "well, or leave it out here"
        )


def _of_all_families(addresses: Sequence[str]) -> tuple[str, ...]:
    """An address to connect from for each family; of a family without one the system chooses."""
    bound = {ip_version(address) for address in addresses}
    return (*addresses, *(any_of for family, any_of in _ANY_ADDRESS.items() if family not in bound))


def _greeting(asked: str | None, here: Here, names: Mapping[str, str]) -> Sender:
    name = names.get("helo_name", "helo_name")
    if asked:
        complaint = here.complaint(asked)
        problem = f"{name} is {asked!r}, which {complaint}" if complaint else None
        return Sender(asked, "option", problem)
    return Sender(here.helo_name, here.helo_source, here.helo_problem)


def _sender(asked: str | None, here: Here, names: Mapping[str, str]) -> tuple[str | None, Sequence[str]]:
    """The sender to try: completed and rewritten as the mail server does. Empty is the null sender, and stays."""
    if not asked:
        return asked, ()
    try:
        return here.complete(asked), ()
    except UnknownAddress as error:
        name = names.get("mail_from", "mail_from")
        if "@" in asked:
            return asked, (f"the sender {asked} was tried as it is, since {error}",)
        return None, (f"no sender was tried, since {error}: set {name} to a whole address",)


def _mail_advice(asked: str | None, tried: str | None, names: Mapping[str, str]) -> str:
    if not asked or not tried or "@" in asked:
        return ""
    name, parameters = names.get("mail_from", "mail_from"), names.get("parameters", "main.cf")
    if "sender_domain" in names:
        return (
            f"{tried} is the sender of what {asked} sends on this host, mail of cron for example. Set "
            f"{names['sender_domain']} to a domain whose senders the relay takes, or name the address in "
            f"{names['generic']}. {name} changes the sender of the test message alone: set it to the sender that your "
            f"mail has{names.get('no_mail_from', ', or leave it out')}."
        )
    tables = f", with its table in {names['tables']}," if "tables" in names else ""
    return (
        f"{tried} is the sender of what {asked} sends on this host, mail of cron for example. Have Postfix write "
        f"another one there: smtp_generic_maps in {parameters}{tables} rewrites it. {name} changes the sender of the "
        f"test message alone: set it to the sender that your mail has{names.get('no_mail_from', ', or leave it out')}."
    )


def _about(params: Mapping[str, Any], problem: str | None, names: Mapping[str, str]) -> list[str]:
    found = []
    if problem:
        name = names.get("helo_name", "helo_name")
        found.append(
            f"{problem}, and many relays refuse such a greeting: set {name} to this host's full name, such as "
            "web1.example.com"
        )
    if params.get("security_level") in DANE_LEVELS:
        found.append(
            f"no login was tried: at the level {params['security_level']} only TLSA records from a resolver that "
            "validates say whom a password would go to, and this probe does not ask for them"
        )
    return found
