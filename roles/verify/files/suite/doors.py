"""The listeners that strangers can reach, what they said when they were asked, and what that means.

The rule of this file: it judges answers that ask.py brought, from the host itself, from the controller or from another
host, and what is configured behind them. Each judgement returns sentences, none where all is well.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import ask
import strangers
from look import split_list
from mailserver import PYTHON, Postfix, is_loopback
from strangers import Client, Service

ASK = Path(__file__).with_name("ask.py")
TRIES = ("relay", "names", "versions", "logins", "ends")
SUBMISSION = (465, 587, 2465, 2525, 2587, 8465)
"""Ports on which nobody expects anything but users who log in."""
EVERYWHERE = ("*", "0.0.0.0", "::")
SAFE_NEWLINES = ("normalize", "yes", "reject")
GUARD = "end smtpd_relay_restrictions with reject_unauth_destination"
NO_PROOF = (
    "a sender is no proof, so put reject_unauth_destination before what permits by it (smtpd_relay_restrictions, "
    "smtpd_recipient_restrictions)"
)
NO_ROUTE = "set allow_untrusted_routing = no"
USERS_ALONE = "set smtpd_relay_restrictions = permit_sasl_authenticated, reject for that service"
LOGIN_TRIED = (235, 334, 454, 535)
"""Answers to AUTH of a server that has begun to look at the login."""
INSTANT = 0.8
THROTTLED = "too many"

Said = dict[str, Any]


def said_outside(expect: dict[str, Any]) -> list[Said] | None:
    """What the listeners said to the host that verify_outside names; None where it could not ask."""
    try:
        found: list[Said] = json.loads((expect.get("outside") or {}).get("said") or "")
    except ValueError:
        return None
    return found


class Door:
    """A listener that speaks SMTP at once, and the servers behind it."""

    def __init__(self, service: Service, servers: list[Service], port: int, address: str) -> None:
        self.service, self.servers, self.port = service, servers, port
        self.address = address
        """Where the host itself can ask it as a stranger would; empty where it has no such address."""

    @property
    def server(self) -> Service:
        return self.servers[0]

    @property
    def implicit(self) -> bool:
        return self.server["smtpd_tls_wrappermode"] == "yes"

    @property
    def encrypts(self) -> bool:
        level = self.server["smtpd_tls_security_level"]
        return (
            self.implicit or level == "encrypt" or (not level and self.server["smtpd_enforce_tls"] == "yes")
        )

    def at(self, address: str) -> dict[str, Any]:
        return {"address": address, "port": self.port, "implicit": self.implicit}


class Doors:
    """The doors of a host. `wanted`: the ports on which its users submit mail, where that is known."""

    def __init__(self, postfix: Postfix, expect: dict[str, Any]) -> None:
        self.postfix, self.expect, self.relaying = postfix, expect, postfix.relaying
        self.wanted = {int(port) for port in expect.get("submission_ports") or ()}

    @cached_property
    def all(self) -> list[Door]:
        """Not those for a proxy, which would take a question for a header; nor those on loopback."""
        relaying, listeners = self.relaying, {each.service: each for each in self.postfix.listeners}
        behind = relaying.of("smtpd", "pass")
        pairs = [(service, [service]) for service in relaying.of("smtpd")]
        pairs += [(service, behind) for service in relaying.of("postscreen")]
        found = [
            Door(
                service, servers, listeners[service.name].port, self.address_of(listeners[service.name].port)
            )
            for service, servers in pairs
            if servers
            and service.name in listeners
            and not service[f"{service.command}_upstream_proxy_protocol"]
            and self.is_open(listeners[service.name].port)
        ]
        return sorted(found, key=lambda door: (door.port not in self.wanted, door.port))

    def is_open(self, port: int) -> bool:
        return any(
            port == number and not is_loopback(address) for address, number in self.postfix.open_sockets
        )

    def address_of(self, port: int) -> str:
        listening = [address for address, number in sorted(self.postfix.open_sockets) if number == port]
        own: list[str] = self.postfix.seen["addresses"]
        if "*" in listening:
            return own[0] if own else ""
        for address in listening:
            if address in EVERYWHERE:
                alike = [each for each in own if (":" in each) == (":" in address)]
                if alike:
                    return alike[0]
            elif not is_loopback(address):
                return address
        return ""

    # ------------------------------------------------------------------ asking

    def request(self, doors: list[Door], address: str, *tries: str) -> dict[str, Any]:
        return {
            # A server may let each further one wait longer, whoever tries it.
            "listeners": [
                {**door.at(address or door.address), "wrong_logins": 1 if number else 2}
                for number, door in enumerate(doors)
            ],
            "own": own_domain(self.postfix),
            "skip": self.no_routes,
            "hops": int(self.relaying.main["hopcount_limit"] or 50),
            "tries": tries,
        }

    @property
    def no_routes(self) -> list[str]:
        """Where these are off, such an address is one of the domain, and no route."""
        switches = {
            "allow_percent_hack": ask.PERCENT,
            "swap_bangpath": ask.BANG,
            "resolve_dequoted_address": ask.QUOTES,
        }
        return [need for switch, need in switches.items() if self.relaying.main[switch] == "no"]

    @cached_property
    def from_here(self) -> list[tuple[Door, Said]]:
        """What each says to the host itself, at an address that is not loopback."""
        doors = [door for door in self.all if door.address]
        if not doors:
            return []
        request = json.dumps(self.request(doors, "", *TRIES))
        done = self.postfix.host.run(f"{PYTHON} -c %s %s", ASK.read_text(), request)
        try:
            return list(zip(doors, json.loads(done.stdout)))
        except ValueError:
            last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
            raise AssertionError(f"the host could not ask its own listeners: {last}") from None

    @cached_property
    def from_controller(self) -> list[tuple[Door, Said]]:
        address = self.expect.get("address") or ""
        return list(zip(self.all, ask.ask(self.request(self.all, address, "relay")))) if address else []

    @cached_property
    def from_outside(self) -> list[tuple[Door, Said]]:
        """What they said to the host that verify_outside names, as far as it asked."""
        said = {each["port"]: each for each in said_outside(self.expect) or ()}
        return [(door, said[door.port]) for door in self.all if door.port in said]

    # ------------------------------------------------------------------ who asks, and whom

    def is_trusted(self, door: Door, address: str) -> bool:
        """Whether the configuration lets that address relay: it may, or another test tells that everybody may."""
        client = Client(address, f"{ask.USER}@{ask.FOREIGN}", trusts_networks=True)
        return any(self.relaying.relayed(server, client) for server in door.servers)

    def strange(self, answers: list[tuple[Door, Said]]) -> list[tuple[Door, Said]]:
        """Those that answered somebody who may not relay."""
        return [
            (door, said)
            for door, said in answers
            if said.get("refused") or said.get("taken")
            if not self.is_trusted(door, said["source"])
        ]

    def for_users(self, door: Door, said: Said) -> bool:
        """Whether users log in there, or should."""
        return door.port in self.wanted or "AUTH" in {**said.get("clear", {}), **said.get("offers", {})}


def own_domain(postfix: Postfix) -> str:
    """A domain that this host takes mail for; one that it hands on comes first."""
    main = postfix.relaying.main
    names = ("relay_domains", "virtual_mailbox_domains", "virtual_alias_domains", "mydestination")
    words = [word for name in names for word in main.words(name)]
    plain = [word for word in words if "." in word[1:] and not set(word) & set(":/!")]
    return plain[0].lstrip(".") if plain else postfix["myhostname"]


def remedy_of(shape: str) -> str:
    """What to set where a shape of envelope was taken."""
    found = next(each for each in ask.SHAPES if each.name == shape)
    if found.needs:
        return NO_ROUTE
    return NO_PROOF if "{d}" in found.sender or "{a}" in found.sender or "root" in found.sender else GUARD


# ---------------------------------------------------------------------- what is wrong, in sentences


def relayed(
    doors: Doors, answers: list[tuple[Door, Said]], who: str, *before: list[tuple[Door, Said]]
) -> list[str]:
    """Listeners that took mail for others from somebody who may not relay. `who`: "the controller".

    `before`: what they said to others, of which another test tells.
    """
    found = []
    told = {door.port for each in before for door, said in doors.strange(each) if said["taken"]}
    for door, said in doors.strange(answers):
        if not said["taken"] or door.port in told:
            continue
        shape, sender, recipient, reply = said["taken"][0]
        more = [f"'{each[0]}'" for each in said["taken"][1:]]
        found.append(
            f"port {door.port} should refuse to relay for a stranger, but took {recipient} from {sender} of {who} at "
            f"{said['source']} ({reply}; '{shape}'{', and ' + ', '.join(more) if more else ''}): {remedy_of(shape)}"
        )
    return found


def xclient(doors: Doors, answers: list[tuple[Door, Said]]) -> list[str]:
    """Listeners that offer XCLIENT to the controller, which would relay by it."""
    if strangers.xclient(doors.relaying):
        return []
    return [
        f"port {door.port} offers XCLIENT to the controller at {said['source']}, which may so say that it is in "
        "mynetworks, and relay: take that address out of smtpd_authorized_xclient_hosts"
        for door, said in doors.strange(answers)
        if "XCLIENT" in said.get("offers", {}) and strangers.believes(doors.relaying, door.server)
    ]


def not_listed(doors: Doors) -> list[str]:
    """Ports for users that are open and not among those that should be, where some are listed."""
    more = sorted(
        {door.port for door in doors.all if door.port in SUBMISSION and doors.wanted} - doors.wanted
    )
    return [
        f"port {port} should not be open, for verify_submission_ports has "
        f"{', '.join(map(str, sorted(doors.wanted)))} alone: add it there, or take {service_of(doors, port)} out of "
        "master.cf (postfix_services)"
        for port in more
    ]


def service_of(doors: Doors, port: int) -> str:
    return next(door.service.name for door in doors.all if door.port == port)


def no_logins(doors: Doors) -> list[str]:
    """Ports for users on which none can log in."""
    found = []
    for door, said in doors.from_here:
        if door.port not in doors.wanted:
            continue
        begin = f"users should be able to log in on port {door.port}"
        if not said["reached"] or not said.get("name"):
            found.append(
                f"{begin}, but it does not serve this host at {door.address} "
                f"({said['problem'] or 'no answer'}): see the mail log, and smtpd_sasl_path"
            )
        elif not said["tls"]:
            found.append(
                f"{begin}, but it offers no TLS: set smtpd_tls_security_level = encrypt for that service, and "
                "smtpd_tls_chain_files"
            )
        elif "AUTH" not in said["offers"]:
            found.append(
                f"{begin}, but it offers no AUTH: set {door.server.title('smtpd_sasl_auth_enable')} = yes, and look at "
                "smtpd_sasl_type and smtpd_sasl_path"
            )
    return found


def for_everybody(doors: Doors) -> list[str]:
    """Ports for users that take mail from whoever does not log in, if only for this host's own domains."""
    return [
        f"port {door.port} should take mail from users who log in and from nobody else, but took "
        f"<postmaster@{own_domain(doors.postfix)}> from a stranger ({shown(said['own']['own'])}): {USERS_ALONE}"
        for door, said in doors.strange(doors.from_here)
        if door.port in doors.wanted and 200 <= said["own"].get("own", [0])[0] < 400
    ]


def clear_logins(doors: Doors) -> list[str]:
    """Logins in the clear, offered or taken."""
    found = []
    for door, said in doors.from_here:
        offered = said.get("clear", {}).get("AUTH") if not door.implicit else None
        tried = said.get("clear_login", [0])[0] in LOGIN_TRIED
        if offered is None and not tried:
            continue
        does = f"offers AUTH {offered}" if offered is not None else "takes AUTH"
        how = f"set {door.server.title('smtpd_tls_auth_only')} = yes"
        if not said.get("tls"):
            how += ", and give it a certificate (smtpd_tls_chain_files) and smtpd_tls_security_level = may or encrypt"
        found.append(
            f"port {door.port} {does} before TLS, so passwords travel in the clear, where anybody may read them: {how}"
        )
    return found


def wrong_logins(doors: Doors) -> list[str]:
    """Answers to a login that is nobody's, other than a refusal."""
    found = []
    for door, said in doors.from_here:
        for code, text, _seconds in said.get("logins", [])[:1]:
            begin = f"port {door.port} should refuse a login that is nobody's (535), but"
            if 200 <= code < 300:
                found.append(
                    f"{begin} took it ({shown([code, text])}), so anybody may log in, and relay: look at what "
                    "smtpd_sasl_path leads to"
                )
            elif code != 535 and THROTTLED not in text.lower():
                found.append(
                    f"{begin} says {shown([code, text])}, so nobody can log in: see the mail log, and what "
                    "smtpd_sasl_type and smtpd_sasl_path lead to"
                )
        if said["problems"].get("logins") == ask.NO_ANSWER:
            found.append(
                f"port {door.port} should refuse a login that is nobody's, but did not answer it within "
                f"{ask.PATIENCE} s: look at what smtpd_sasl_path leads to"
            )
    return found


def unlimited_logins(doors: Doors, guards: list[str]) -> list[str]:
    """Where passwords can be guessed as fast as the line allows. `guards`: programs that ban who guesses.

    A server that slows tries down may answer one of them soon, so those of all listeners that ask it count together.
    """
    by_server: dict[tuple[str, str], list[tuple[Door, Said]]] = {}
    for door, said in doors.from_here:
        if said.get("logins") and not guards:
            asks = door.server["smtpd_sasl_type"], door.server["smtpd_sasl_path"]
            by_server.setdefault(asks, []).append((door, said))
    return [
        f"port {door.port} refuses wrong logins at once ({tries(said)}) and as many as come, so passwords can be "
        f"guessed: set {door.server.title('smtpd_client_auth_rate_limit')} (10, say, by postfix_parameters), or "
        "auth_failure_delay in Dovecot"
        for alike in by_server.values()
        if all(
            code == 535 and seconds < INSTANT
            for _door, said in alike
            for code, _text, seconds in said["logins"]
        )
        for door, said in alike
        if door.server["smtpd_client_auth_rate_limit"] in ("", "0")
    ]


def tries(said: Said) -> str:
    return ", ".join(f"{code} after {seconds:.1f} s" for code, _text, seconds in said["logins"])


def names_told(doors: Doors) -> list[str]:
    """Users' names that are told to strangers where users log in: half of a login."""
    found = []
    for door, said in doors.strange(doors.from_here):
        vrfy = said.get("vrfy") or {}
        there, nobody, expn = (
            vrfy.get(each, [0, ""]) for each in ("VRFY root", f"VRFY {ask.NOBODY}", "EXPN root")
        )
        if expn[0] in (250, 251):
            found.append(
                f"port {door.port} tells strangers who is behind an address ({shown(expn)} to EXPN): switch EXPN off"
            )
        if there[0] // 100 == 2 and nobody[0] >= 500 and doors.for_users(door, said):
            found.append(
                f"port {door.port}, where users log in, tells strangers by VRFY which users there are ({shown(there)} "
                f"for root, {shown(nobody)} for a name that nobody has): set disable_vrfy_command = yes"
            )
    return found


def old_versions(doors: Doors, users: bool) -> list[str]:
    """Listeners that take TLS before 1.2: those for users and those that ask for TLS, or the others."""
    found = []
    for door, said in doors.from_here:
        old = [name for name, taken in said.get("versions", {}).items() if taken]
        if not old or (doors.for_users(door, said) or door.encrypts) is not users:
            continue
        name = "smtpd_tls_mandatory_protocols" if door.encrypts else "smtpd_tls_protocols"
        version = doors.relaying.main["mail_version"]
        value = ">=TLSv1.2" if numbers(version) >= (3, 6) else "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1"
        found.append(
            f"port {door.port} takes {' and '.join(old)}, which are no longer safe (RFC 8996): set "
            f"{door.server.title(name)} = {value}"
        )
    return found


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.partition("-")[0].split(".")[:2] if part.isdigit())


def early_ends(doors: Doors) -> list[str]:
    """Listeners that may take one message for two (SMTP smuggling)."""
    said = {door.port: each for door, each in doors.strange(doors.from_here)}
    found = []
    for door in doors.all:
        ends = [name for name, answer in said.get(door.port, {}).get("ends", {}).items() if ended(answer)]
        server = next((each for each in door.servers if newlines(each) != "safe"), door.server)
        state = newlines(server)
        if state == "safe" and not ends:
            continue
        if state == "older means":
            continue
        began = f"port {door.port} takes {', '.join(ends)} for the end of a message" if ends else (
            f"port {door.port} may take a bare line feed for the end of a line"
        )  # fmt: skip
        how = f"set {server.title('smtpd_forbid_bare_newline')} = normalize"
        if state == "safe":
            how = (
                "take strangers out of smtpd_forbid_bare_newline_exclusions, and look at what stands between the "
                "network and smtpd (smtpd_proxy_filter, a proxy)"
            )
        elif "smtpd_forbid_bare_newline" not in {**doors.relaying.main.main, **server.own}:
            how = (
                "this Postfix has no smtpd_forbid_bare_newline: install the distribution's updates, or set "
                "smtpd_data_restrictions = reject_unauth_pipelining and smtpd_discard_ehlo_keywords = chunking"
            )
        found.append(f"{began}, so that one message may hide another (SMTP smuggling): {how}")
    return found


def ended(answer: list[Any]) -> bool:
    """Whether an answer came because the message was over, and not because its line ends are wrong."""
    if not answer:
        return False
    code, text = answer
    return bool(
        200 <= code < 300 or not (code >= 400 and ("bare" in text.lower() or "newline" in text.lower()))
    )


def newlines(server: Service) -> str:
    if server["smtpd_forbid_bare_newline"] in SAFE_NEWLINES:
        return "safe"
    words = {word.lower() for word in split_list(server["smtpd_discard_ehlo_keywords"])}
    if "reject_unauth_pipelining" in server.words("smtpd_data_restrictions") and "chunking" in words:
        return "older means"
    return "unsafe"


def unreachable(doors: Doors) -> list[str]:
    """Ports for users that are open on the host and cannot be reached from outside."""
    asked = {
        "the controller": doors.from_controller,
        str((doors.expect.get("outside") or {}).get("host")): doors.from_outside,
    }
    # Who reaches nothing here says nothing about one port: he may be behind a firewall, or the address an inner one.
    asked = {who: said for who, said in asked.items() if any(each["reached"] for _door, each in said)}
    return [
        f"port {port} should be open to users, but {' and '.join(asked)} cannot reach it, and other ports of this host "
        "can be: open it in the firewall of this host and of its provider"
        for port in sorted(doors.wanted & {door.port for door in doors.all})
        if asked
        and not any(said["reached"] for each in asked.values() for door, said in each if door.port == port)
    ]


def shown(answer: list[Any]) -> str:
    return f"{answer[0]} {answer[1]}".splitlines()[0][:120]
