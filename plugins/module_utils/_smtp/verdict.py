"""The closed list of verdicts, and the result that carries one.

Rule of this file: whoever reports a verdict takes it from VERDICTS; there is no other. What is known of one, its
meaning and what follows from it, stands in its row. net/probe.py, _route/fact.py and _route/choose.py ask for a few by
name, where more than the verdict decides.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Mapping, NamedTuple

# The stages of the ladder in the order in which they are passed; a result's ``stage`` is one of them.
STAGES = ("resolve", "connect", "greeting", "ehlo", "tls", "certificate", "auth", "envelope")

# What timings_ms may hold, in the order of the conversation.
TIMINGS = ("resolve", "connect", "greeting", "ehlo", "starttls", "handshake", "auth", "envelope", "total")


class Verdict(NamedTuple):
    stage: str
    """The stage it belongs to; empty for those that can happen on any."""
    meaning: str
    phrase: str
    """The same as the predicate of "587 on relay.example.com ..."; see predicate()."""
    advice: str
    """What to do next; ``{host}`` and ``{port}`` are filled in."""
    usable: bool = False
    transient: bool = False
    """Whether asking again a moment later may give another answer."""
    network: bool = False
    """Whether a filter on the way can make this of a connection. Refusals too: some answer in the server's name."""
    time: bool = False
    """Whether it may only say that the time was too short."""
    elsewhere: bool = False
    """Whether Postfix then goes on to the next address of the host. After a refused login it does so too; here no
    password is tried twice, for some servers shut out who does that."""
    crowding: bool = False
    """Whether the server may have turned the connection away, before anything was said, for others of this client."""
    telling: int = 0
    """Of several addresses without a connection the lowest number stands for all; 0 where there was a connection."""
    gravity: int = 0
    """Of several faults of a certificate the lowest number is the verdict: who it is comes before how long. Else 0."""


VERDICTS: dict[str, Verdict] = {
    "dns_not_found": Verdict(
        "resolve",
        "The name does not exist, or has no address of the family asked for.",
        "has no address",
        "Correct the host name {host}, or create its address record.",
    ),
    "dns_failure": Verdict(
        "resolve",
        "The name servers gave no answer, or a temporary error.",
        "cannot be resolved",
        "Check the name servers of this host (/etc/resolv.conf) and that they answer for {host}.",
        transient=True,
        time=True,
    ),
    "refused": Verdict(
        "connect",
        "The host answered that nothing listens on this port, or a firewall rejected.",
        "is refused",
        "Check that {host} serves port {port}; most relays serve 587, many also 2525 or 465.",
        network=True,
        crowding=True,
        telling=2,
    ),
    "filtered": Verdict(
        "connect",
        "The packets vanish: no answer to the connection attempt.",
        "is filtered",
        "Something between this host and {host} drops port {port}, usually the hosting provider or a firewall: "
        "use another port of the relay, or have {port} opened.",
        network=True,
        time=True,
        telling=3,
    ),
    "unreachable": Verdict(
        "connect",
        "There is no route to the host, or a router says that it is prohibited.",
        "is unreachable",
        "Check routes, source address and firewall of this host, and use another port of the relay if {port} "
        "is prohibited on the way.",
        network=True,
        telling=4,
    ),
    "no_greeting": Verdict(
        "greeting",
        "The connection was accepted, and then there was silence.",
        "connects and stays silent",
        "A filter or tarpit accepts the connection in the server's place, or {host} delays its greeting, or waits for "
        "the PROXY line of a load balancer: use another port, or a longer timeout.",
        network=True,
        time=True,
        elsewhere=True,
    ),
    "disconnected": Verdict(
        "greeting",
        "The connection was closed in the middle of the conversation.",
        "closes the connection",
        "Look at the log of {host}: it or something on the way closes the connection, often because of a limit "
        "of connections, a block list, or a PROXY line that a load balancer should have sent.",
        transient=True,
        network=True,
        elsewhere=True,
        crowding=True,
        telling=1,
    ),
    "not_smtp": Verdict(
        "greeting",
        "Another protocol answers on this port.",
        "does not speak SMTP",
        "Port {port} of {host} is not SMTP, or is redirected on the way: check host and port.",
        elsewhere=True,
    ),
    "greeting_rejected": Verdict(
        "greeting",
        "The server refuses this client (its address or its reputation), in its greeting or later.",
        "turns this host away",
        "Ask the operator of {host} why this host is refused; often its address is on a block list.",
        elsewhere=True,
    ),
    "greeting_deferred": Verdict(
        "greeting",
        "The server is not ready for this client now (4xx), in its greeting or later.",
        "is not ready for this host",
        "Try again later; if it stays so, ask the operator of {host} about limits for this host's address.",
        transient=True,
        elsewhere=True,
        crowding=True,
    ),
    "ehlo_rejected": Verdict(
        "ehlo",
        "The server refuses EHLO, or the name given with it; many say so only at RCPT TO.",
        "refuses EHLO or the name in it",
        "Set helo_name to this host's fully qualified name, and check that port {port} of {host} is SMTP.",
    ),
    "ehlo_deferred": Verdict(
        "ehlo",
        "The server does not take EHLO, or the name given with it, now (4xx).",
        "does not take EHLO now",
        "Try again later; if it stays so, set helo_name to a name of this host that the DNS knows, and ask the "
        "operator of {host} about limits for this host's address.",
        transient=True,
    ),
    "starttls_absent": Verdict(
        "tls",
        "The server does not offer STARTTLS.",
        "offers no STARTTLS",
        "Use a port of {host} that offers TLS (587 or 2525 with STARTTLS, 465 with implicit TLS).",
        elsewhere=True,
    ),
    "starttls_stripped": Verdict(
        "tls",
        "Something on the way removes or overwrites STARTTLS.",
        "has its STARTTLS removed on the way",
        "A middlebox between this host and {host} prevents encryption on port {port} (SMTP inspection of a "
        "firewall): have it turned off, or use another port.",
        elsewhere=True,
    ),
    "starttls_rejected": Verdict(
        "tls",
        "The server offers STARTTLS and then refuses it.",
        "refuses STARTTLS",
        "Look at the TLS settings of {host}: certificate and key are often missing or unreadable.",
        elsewhere=True,
    ),
    "starttls_injection": Verdict(
        "tls",
        "What was sent in the clear is taken as if it had been sent under TLS.",
        "lets plain text into the TLS session",
        "Do not send credentials there: the server must be corrected (CVE-2011-0411), or something on the way "
        "tampers with the connection.",
    ),
    "tls_mode_mismatch": Verdict(
        "tls",
        "TLS begins in another way than expected: from the first byte, by STARTTLS, or not at all though the "
        "server demands it.",
        "speaks the other kind of TLS",
        "Set tls to the mode that port {port} of {host} has: implicit for 465 and its like, starttls for 587.",
        elsewhere=True,
    ),
    "tls_too_old": Verdict(
        "tls",
        "The server has no version of TLS that is new enough.",
        "has no TLS that is new enough",
        "Have TLS 1.2 or newer enabled on {host}, or use another relay.",
        elsewhere=True,
    ),
    "tls_failed": Verdict(
        "tls",
        "The TLS handshake failed.",
        "fails the TLS handshake",
        "Look at the TLS log of {host}, and for something that intercepts TLS on the way.",
        elsewhere=True,
    ),
    "certificate_expired": Verdict(
        "certificate",
        "The certificate, or one that it depends on, has expired.",
        "has an expired certificate",
        "Have the certificate of {host} renewed, and check the clock of this host.",
        elsewhere=True,
        gravity=3,
    ),
    "certificate_not_yet_valid": Verdict(
        "certificate",
        "The certificate is not valid yet.",
        "has a certificate that is not valid yet",
        "Check the clock of this host, and the certificate of {host}.",
        elsewhere=True,
        gravity=4,
    ),
    "certificate_untrusted": Verdict(
        "certificate",
        "The certificate was not issued by an authority that this host trusts.",
        "has a certificate that this host does not trust",
        "Where this is the authority that the operator of {host} uses, install its certificate on this host, or name "
        "it with ca_path; where it is another, something on the way opens TLS.",
        elsewhere=True,
        gravity=1,
    ),
    "certificate_mismatch": Verdict(
        "certificate",
        "The certificate belongs to another name.",
        "has a certificate for another name",
        "Use a host name that the certificate has, or set server_name.",
        elsewhere=True,
        gravity=2,
    ),
    "certificate_expiring": Verdict(
        "certificate",
        "Usable; the certificate has fewer than min_days left.",
        "has a certificate that expires soon",
        "Have the certificate of {host} renewed.",
        usable=True,
        gravity=5,
    ),
    "auth_absent": Verdict(
        "auth",
        # Not judged by the envelope: port 25 takes the mail for its own domains from everybody, a test recipient's too,
        # and Postfix would lose all other mail there.
        "The server does not offer authentication. Postfix would send without a login; that the relay then takes mail "
        "for other domains than its own cannot be known, and a password that is given says that a login is needed.",
        "offers no login",
        "Use the submission port of {host} (587, 2525 or 465); port 25 usually has no AUTH. If {host} takes this "
        "host's mail by its address, leave out username and password, or set auth_mechanism to none: then the envelope "
        "decides.",
    ),
    "auth_unsupported": Verdict(
        "auth",
        "The server offers no authentication mechanism that can be used here.",
        "offers no login that can be used",
        "Set auth_mechanism to one that the server offers (see auth_mechanisms).",
    ),
    "auth_rejected": Verdict(
        "auth",
        "The server refuses the login, or demands one where none was given.",
        "rejects the login",
        "Check user name and password of the relay; several relays need a fixed user name or an SMTP key instead of "
        "the account's password.",
    ),
    "auth_deferred": Verdict(
        "auth",
        "The server cannot check the password now.",
        "cannot check the login now",
        "Try again later; if it stays so, ask the operator of {host}.",
        transient=True,
    ),
    "sender_rejected": Verdict(
        "envelope",
        "The server refuses the sender.",
        "rejects the sender",
        "Set mail_from to a sender address or domain that the relay has verified for this account.",
    ),
    "sender_deferred": Verdict(
        "envelope",
        "The server does not take mail from this sender now (4xx).",
        "does not take the sender now",
        "Try again later; if it stays so, ask the operator of {host} about limits, and check that the domain of "
        "mail_from is in the DNS.",
        transient=True,
    ),
    "recipient_rejected": Verdict(
        "envelope",
        "The server refuses the recipient.",
        "rejects the recipient",
        "Check rcpt_to, and whether the server takes mail for it from this host or this login.",
    ),
    "recipient_deferred": Verdict(
        "envelope",
        "The server does not take the recipient now (greylisting or a limit).",
        "does not take the recipient now",
        "Try again in some minutes; greylisting lets the second attempt pass.",
        transient=True,
    ),
    "stalled": Verdict(
        "",
        "The deadline passed in the middle of the conversation.",
        "stalls in mid-conversation",
        "Use a longer timeout; if it stays so, look for a path MTU problem or an overloaded server.",
        network=True,
        time=True,
    ),
    "protocol_error": Verdict(
        "",
        "The server sent a malformed or oversized reply.",
        "sends replies that are not SMTP's",
        "Check that {host} port {port} is a mail server, and that nothing on the way changes the conversation.",
        elsewhere=True,
    ),
    "ok": Verdict(
        "",
        "Everything that was asked for works.",
        "works",
        "Nothing to do.",
        usable=True,
    ),
}


def predicate(name: str) -> str:
    """A verdict as the end of a sentence, with its name, which users look for."""
    phrase = VERDICTS[name].phrase
    return phrase if name in phrase else f"{phrase} ({name})"


@dataclass
class Result:
    """What was found at one endpoint (one address family of it, where both were asked for)."""

    host: str
    port: int
    tls: str
    verdict: str
    stage: str
    reason: str
    advice: str = ""
    address: str | None = None
    family: str | None = None
    lookup: str | None = None
    """Where the address was found: ``dns``, ``native`` (the system's name service), None for an address literal."""
    reachable: bool = False
    greeting: str | None = None
    capabilities: list[str] = field(default_factory=list)
    auth_mechanisms: list[str] = field(default_factory=list)
    auth_mechanism: str | None = None
    """The mechanism that logged in; None without a login."""
    tls_version: str | None = None
    tls_cipher: str | None = None
    certificate: dict[str, Any] | None = None
    timings_ms: dict[str, float | None] = field(default_factory=dict)
    attempts: int = 1
    temporary: bool = False
    """Whether another attempt may end otherwise; decides about retries, and is not returned."""
    silent: tuple[str, ...] = ()
    """All addresses of the other family, where that was looked at and none answered; not returned."""

    def __post_init__(self) -> None:
        if not self.advice:
            self.advice = VERDICTS[self.verdict].advice.format(host=self.host, port=self.port)

    @property
    def usable(self) -> bool:
        return VERDICTS[self.verdict].usable

    def as_dict(self) -> dict[str, Any]:
        """The result as the modules return it."""
        return {
            "host": self.host,
            "port": self.port,
            "tls": self.tls,
            "address": self.address,
            "family": self.family,
            "lookup": self.lookup,
            "verdict": self.verdict,
            "stage": self.stage,
            "reachable": self.reachable,
            "usable": self.usable,
            "reason": self.reason,
            "advice": self.advice,
            "greeting": self.greeting,
            "capabilities": self.capabilities,
            "auth_mechanisms": self.auth_mechanisms,
            "auth_mechanism": self.auth_mechanism,
            "tls_version": self.tls_version,
            "tls_cipher": self.tls_cipher,
            "certificate": self.certificate,
            "timings_ms": self.timings_ms,
            "attempts": self.attempts,
        }


def family_is(family: str) -> str:
    """The end of an advice about the option ``family``: renamed() looks for it, and _route/fact.py."""
    return f"family is {family}: set family to any or {'ipv4' if family == 'ipv6' else 'ipv6'}"


# Options that an advice may name and that are ordinary words as well: these count only in such a phrase.
_PHRASES = {
    "username": r"\busername\b",
    "password": r"(?<=username and )password\b",
    "tls": r"(?<=[Ss]et )tls\b(?= to )",
    "family": r"(?<=and )family\b(?= is ipv[46]: )|(?<=set )family\b(?= to any or ipv[46])",
}


def renamed(advice: str, names: Mapping[str, str]) -> str:
    """An advice with the names under which the user knows the modules' options, such as a role's variables.

    ``names`` maps an option to the user's name for it; an option that is not in it keeps its own.
    """
    for option, name in names.items():
        pattern = _PHRASES.get(option) or (rf"(?<![\w.]){re.escape(option)}(?![\w])" if "_" in option else "")
        if pattern and isinstance(name, str) and name:
            advice = re.sub(pattern, lambda _match, name=name: name, advice)  # type: ignore[misc]
    return advice
