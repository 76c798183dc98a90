# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the mailops.smtp collection: names and behaviour may change without notice.
#
# The closed list of verdicts, and the result that carries one.
#
# Rule of this file: whoever reports a verdict takes it from VERDICTS; there is no other, and no other place
# that says what one means.

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Mapping, NamedTuple

# The rungs of the ladder in the order in which they are climbed; a result's ``stage`` is one of them.
STAGES = ("resolve", "connect", "greeting", "ehlo", "tls", "certificate", "auth", "envelope")

# What timings_ms may hold, in the order of the conversation.
TIMINGS = ("resolve", "connect", "greeting", "ehlo", "starttls", "handshake", "auth", "envelope", "total")


class Verdict(NamedTuple):
    stage: str
    """The rung it belongs to; empty for those that can happen on any."""
    usable: bool
    transient: bool
    """Whether asking again a moment later may give another answer."""
    meaning: str
    advice: str
    """What to do next; ``{host}`` and ``{port}`` are filled in."""


VERDICTS: dict[str, Verdict] = {
    "dns_not_found": Verdict(
        "resolve",
        False,
        False,
        "The name does not exist, or has no address of the family asked for.",
        "Correct the host name {host}, or create its address record.",
    ),
    "dns_failure": Verdict(
        "resolve",
        False,
        True,
        "The name servers gave no answer, or a temporary error.",
        "Check the name servers of this host (/etc/resolv.conf) and that they answer for {host}.",
    ),
    "refused": Verdict(
        "connect",
        False,
        False,
        "The host answered that nothing listens on this port, or a firewall rejected.",
        "Check that {host} serves port {port}; most relays serve 587, many also 2525 or 465.",
    ),
    "filtered": Verdict(
        "connect",
        False,
        False,
        "The packets vanish: no answer to the connection attempt.",
        "Something between this host and {host} drops port {port}, usually the hosting provider or a firewall: "
        "use another port of the relay, or have {port} opened.",
    ),
    "unreachable": Verdict(
        "connect",
        False,
        False,
        "There is no route to the host, or a router says that it is prohibited.",
        "Check routes, source address and firewall of this host, and use another port of the relay if {port} "
        "is prohibited on the way.",
    ),
    "no_greeting": Verdict(
        "greeting",
        False,
        False,
        "The connection was accepted, and then there was silence.",
        "A filter or tarpit accepts the connection in the server's place, or {host} delays its greeting, or waits for "
        "the PROXY line of a load balancer: use another port, or a longer timeout.",
    ),
    "disconnected": Verdict(
        "greeting",
        False,
        True,
        "The connection was closed in the middle of the conversation.",
        "Look at the log of {host}: it or something on the way closes the connection, often because of a limit "
        "of connections, a block list, or a PROXY line that a load balancer should have sent.",
    ),
    "not_smtp": Verdict(
        "greeting",
        False,
        False,
        "Another protocol answers on this port.",
        "Port {port} of {host} is not SMTP, or is redirected on the way: check host and port.",
    ),
    "greeting_rejected": Verdict(
        "greeting",
        False,
        False,
        "The server refuses this client (its address or its reputation), in its greeting or later.",
        "Ask the operator of {host} why this host is refused; often its address is on a block list.",
    ),
    "greeting_deferred": Verdict(
        "greeting",
        False,
        True,
        "The server is not ready for this client now (4xx), in its greeting or later.",
        "Try again later; if it stays so, ask the operator of {host} about limits for this host's address.",
    ),
    "ehlo_rejected": Verdict(
        "ehlo",
        False,
        False,
        "The server refuses EHLO, or the name given with it; many say so only at RCPT TO.",
        "Set helo_name to this host's fully qualified name, and check that port {port} of {host} is SMTP.",
    ),
    "ehlo_deferred": Verdict(
        "ehlo",
        False,
        True,
        "The server does not take EHLO, or the name given with it, now (4xx).",
        "Try again later; if it stays so, set helo_name to a name of this host that the DNS knows, and ask the "
        "operator of {host} about limits for this host's address.",
    ),
    "starttls_absent": Verdict(
        "tls",
        False,
        False,
        "The server does not offer STARTTLS.",
        "Use a port of {host} that offers TLS (587 or 2525 with STARTTLS, 465 with implicit TLS).",
    ),
    "starttls_stripped": Verdict(
        "tls",
        False,
        False,
        "Something on the way removes or overwrites STARTTLS.",
        "A middlebox between this host and {host} prevents encryption on port {port} (SMTP inspection of a "
        "firewall): have it turned off, or use another port.",
    ),
    "starttls_rejected": Verdict(
        "tls",
        False,
        False,
        "The server offers STARTTLS and then refuses it.",
        "Look at the TLS settings of {host}: certificate and key are often missing or unreadable.",
    ),
    "starttls_injection": Verdict(
        "tls",
        False,
        False,
        "What was sent in clear is taken as if it had been sent under TLS.",
        "Do not send credentials there: the server must be corrected (CVE-2011-0411), or something on the way "
        "tampers with the connection.",
    ),
    "tls_mode_mismatch": Verdict(
        "tls",
        False,
        False,
        "TLS begins in another way than expected: from the first byte, by STARTTLS, or not at all though the "
        "server demands it.",
        "Set tls to the mode that port {port} of {host} has: implicit for 465 and its like, starttls for 587.",
    ),
    "tls_too_old": Verdict(
        "tls",
        False,
        False,
        "The server has no version of TLS that is new enough.",
        "Have TLS 1.2 or newer enabled on {host}, or use another relay.",
    ),
    "tls_failed": Verdict(
        "tls",
        False,
        False,
        "The TLS handshake failed.",
        "Look at the TLS log of {host}, and for something that intercepts TLS on the way.",
    ),
    "certificate_expired": Verdict(
        "certificate",
        False,
        False,
        "The certificate, or one that it depends on, has expired.",
        "Have the certificate of {host} renewed, and check the clock of this host.",
    ),
    "certificate_not_yet_valid": Verdict(
        "certificate",
        False,
        False,
        "The certificate is not valid yet.",
        "Check the clock of this host, and the certificate of {host}.",
    ),
    "certificate_untrusted": Verdict(
        "certificate",
        False,
        False,
        "The certificate was not issued by an authority that this host trusts.",
        "Where this is the authority that the operator of {host} uses, install its certificate on this host, or name "
        "it with ca_path; where it is another, something on the way opens TLS.",
    ),
    "certificate_mismatch": Verdict(
        "certificate",
        False,
        False,
        "The certificate belongs to another name.",
        "Use a host name that the certificate has, or set server_name.",
    ),
    "certificate_expiring": Verdict(
        "certificate",
        True,
        False,
        "Usable; the certificate has fewer than min_days left.",
        "Have the certificate of {host} renewed.",
    ),
    "auth_absent": Verdict(
        "auth",
        False,
        False,
        # Not judged by the envelope: port 25 takes the mail for its own domains from everybody, a test recipient's too,
        # and Postfix would lose all other mail there.
        "The server does not offer authentication. Postfix would send without a login; that the relay takes other "
        "mail so than for its own domains cannot be known, and a password that is given says that it wants one.",
        "Use the submission port of {host} (587, 2525 or 465); port 25 usually has no AUTH. If {host} takes this "
        "host's mail by its address, leave out username and password: then the envelope decides.",
    ),
    "auth_unsupported": Verdict(
        "auth",
        False,
        False,
        "The server offers no authentication mechanism that can be used here.",
        "Set auth_mechanism to one that the server offers (see auth_mechanisms).",
    ),
    "auth_rejected": Verdict(
        "auth",
        False,
        False,
        "The server refuses the login, or demands one where none was given.",
        "Check user name and password of the relay; several relays need a fixed user name or an SMTP key instead of "
        "the account's password.",
    ),
    "auth_deferred": Verdict(
        "auth",
        False,
        True,
        "The server cannot check the password now.",
        "Try again later; if it stays so, ask the operator of {host}.",
    ),
    "sender_rejected": Verdict(
        "envelope",
        False,
        False,
        "The server refuses the sender.",
        "Set mail_from to a sender address or domain that the relay has verified for this account.",
    ),
    "sender_deferred": Verdict(
        "envelope",
        False,
        True,
        "The server does not take mail from this sender now (4xx).",
        "Try again later; if it stays so, ask the operator of {host} about limits, and check that the domain of "
        "mail_from is in the DNS.",
    ),
    "recipient_rejected": Verdict(
        "envelope",
        False,
        False,
        "The server refuses the recipient.",
        "Check rcpt_to, and whether the server takes mail for it from this host or this login.",
    ),
    "recipient_deferred": Verdict(
        "envelope",
        False,
        True,
        "The server does not take the recipient now (greylisting or a limit).",
        "Try again in some minutes; greylisting lets the second attempt pass.",
    ),
    "stalled": Verdict(
        "",
        False,
        False,
        "The deadline passed in the middle of the conversation.",
        "Use a longer timeout; if it stays so, look for a path MTU problem or an overloaded server.",
    ),
    "protocol_error": Verdict(
        "",
        False,
        False,
        "The server sent a malformed or oversized reply.",
        "Check that {host} port {port} is a mail server, and that nothing on the way changes the conversation.",
    ),
    "ok": Verdict("", True, False, "Everything that was asked for works.", "Nothing to do."),
}


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
