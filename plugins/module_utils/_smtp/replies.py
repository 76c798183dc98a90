"""What a server means by a refusal: verdict, cause and advice, by stage, code, enhanced status code and words.

Rules of this file: what is known of servers stands in tables, first match wins, and the few functions below them know
no server. The class of the code decides whether it is a rejection, whatever the words are: a 4xx is never one. A word
of a reply is asked for what it says about the cause, never for whether the server means it. Words are looked for in the
reply as it came; nothing of the reply goes into a cause or an advice.

The codes are those of RFC 5321, 3463, 4954 section 6, 5248, 7372, 7504 and 7505.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import NamedTuple

from .reply import Reply


class Meaning(NamedTuple):
    """``cause`` is a clause for the reason, or empty; ``advice`` is empty where that of the verdict says it all."""

    verdict: str
    cause: str = ""
    advice: str = ""


class Situation(NamedTuple):
    """What the refused command stood in."""

    encrypted: bool = False
    login: bool = False


class Row(NamedTuple):
    stages: str
    """In which it is looked for: words of _STAGES, or ``any``."""
    code: str
    """Reply codes or their beginnings, separated by blanks; empty for every code."""
    status: str
    """Enhanced status codes without their class (``7.9``), separated by blanks; empty for every one, and none."""
    words: str | None
    """A pattern to be found in the text, in lower case; None for any text. Compiled when it is first looked for: on
    most hosts none ever is."""
    subject: str
    """Who or what is refused: a word of _VERDICTS. Empty: what the stage is about."""
    cause: str
    advice: str
    when: str = ""
    """Only in this situation: ``clear``, ``encrypted``, ``login``, ``anonymous``."""


# What the command of a stage is about, and what the verdict for it is: temporary, permanent.
_STAGES = {
    "greeting": "client",
    "ehlo": "helo",
    "starttls": "starttls",
    "auth": "login",
    "sender": "sender",
    "recipient": "recipient",
}
_VERDICTS = {
    "client": ("greeting_deferred", "greeting_rejected"),
    "helo": ("ehlo_deferred", "ehlo_rejected"),
    # There is no other verdict for it; that another attempt may end otherwise is the session's to say.
    "starttls": ("starttls_rejected", "starttls_rejected"),
    "tls": ("tls_mode_mismatch", "tls_mode_mismatch"),
    "login": ("auth_deferred", "auth_rejected"),
    "mechanism": ("auth_deferred", "auth_unsupported"),
    "sender": ("sender_deferred", "sender_rejected"),
    "recipient": ("recipient_deferred", "recipient_rejected"),
}

_STATUS = re.compile(r"(?:\A|[ (#])([245])\.(\d{1,3}\.\d{1,3})(?![\d.])")


_LOG_IN = (
    "Give username and password, with an auth_mechanism other than none, or have the operator of {host} take this "
    "host's address: the server takes mail only from those who log in, or whose address it knows."
)
_ASK_LOGIN = (
    "The login was accepted, but does not allow this: look at the rights of the account, or ask the operator of {host} "
    "what it may send."
)
_OWN_SENDER = (
    "Set mail_from to an address that belongs to the account of this login, or have the account allowed to send as "
    "that sender at {host}."
)
_VOUCH = (
    "Publish an SPF record for the domain of mail_from that names this sender, and sign with DKIM; or set mail_from "
    "to a domain that the relay may send for."
)
_VERIFY_SENDER = (
    "Set mail_from to an address or a domain that is verified for this account, or verify it at the relay service "
    "first."
)
_REVERSE = (
    "Have the reverse DNS (PTR) record of this host's public address set to a name that leads back to it, or use a "
    "relay with a login."
)
_DELIST = (
    "This host's address is on a block list: look it up there, mend the cause, ask to be taken off it, or use a relay "
    "that takes mail from this address."
)
_APPLICATION_LOGIN = (
    "Create an application password for this account and give that as the password: the account's own password is "
    "not taken for SMTP."
)
_HELO = "Set helo_name to this host's fully qualified name in the DNS, such as web1.example.com."
_LIMIT = (
    "Wait before the next attempt, and open fewer connections at a time (concurrency); if it stays so, ask the "
    "operator of {host} for its limits."
)
_RETRY = "Try again in some minutes; greylisting lets a later attempt pass."
CLIENT_CERTIFICATE = (
    "Set client_cert (and client_key) to a certificate that {host} accepts, which Postfix has in smtp_tls_cert_file "
    "and smtp_tls_key_file, or use a port that takes a password."
)
REFUSED_CERTIFICATE = (
    "Have the operator of {host} take the certificate in client_cert: its authority, its name or its fingerprint has "
    "to be known there; or set client_cert to another one."
)
_NO_LOCKOUT = (
    "Wait before the next attempt, since further ones may lock the account; then check username and password."
)

ROWS: tuple[Row, ...] = (
    # Another way in than the one taken.
    Row("greeting ehlo", "", "",
        (
            r"\bproxy\b.*(protocol|header|line|required|expected|missing|invalid)|(missing|invalid|expected"
            r"|bad).*\bproxy\b|haproxy"
        ),
        "client", "it waits for the PROXY line of a load balancer",
        "Connect to the load balancer in front of {host}, or to a port of it without the PROXY protocol."),
    Row("any", "", "",
        (
            r"client cert|certificate (is )?required|(no|valid) (client |tls )?certificate (was )?(presented"
            r"|provided|required)|require[sd]? (a )?(valid |trusted )?(client )?certificate"
        ),
        "", "it demands a client certificate", CLIENT_CERTIFICATE),
    Row("ehlo auth sender recipient", "5 4", "",
        (
            r"starttls|must use tls|(tls|ssl|encrypt\w*|secure connection) (is )?(required|needed)"
            r"|requires? (tls|ssl|encryption|a secure)"
        ),
        "tls", "it demands TLS, and the connection has none",
        "Set tls to starttls for port {port}, or to implicit where it is a port for that; where STARTTLS is not "
        "offered, something on the way removes it.", "clear"),
    # AUTH: whether the mechanism is meant, the account, or the client.
    Row("auth", "504", "", None, "mechanism", "", ""),
    Row("auth", "5", "5.4 7.4", None, "mechanism", "", ""),
    Row("auth", "534", "", r"too weak|mechanism", "mechanism", "the mechanism is too weak for it",
        "Set auth_mechanism to a stronger one that the server offers (see auth_mechanisms)."),
    Row("auth", "538", "", None, "mechanism", "it takes the mechanism only under stronger encryption",
        "Set auth_mechanism to another one that the server offers (see auth_mechanisms)."),
    Row("auth", "500 502 503", "", None, "mechanism", "it does not take AUTH now, or not at all on this port",
        "Use the submission port of {host} (587, 2525 or 465), and have authentication turned on there."),
    Row("auth", "432", "7.12", None, "", "the password has to be set anew for this mechanism",
        "Set auth_mechanism to plain once, over TLS, so that the server can store the password for the others, or "
        "change the password."),
    Row("auth", "5 4", "",
        (
            r"credits? exceeded|maximum credits|out of credit|payment|billing|trial|quota exceeded"
            r"|limit of your plan"
        ),
        "", "the account has no credit or quota left", "Look at plan and billing of the account at the relay service."),
    Row("auth", "", "",
        r"too many|rate limit|throttl|temporarily (locked|blocked)|locked out|brute|attempts",
        "",
        "there were too many attempts", _NO_LOCKOUT),
    Row("auth", "5", "",
        (
            r"application.specific|app.?(specific )?.?password|app password|invalidsecondfactor"
            r"|application password|authori[sz]ation code"
        ),
        "", "the account needs an application password", _APPLICATION_LOGIN),
    Row("auth", "534", "7.9", None, "", "the account needs an application password", _APPLICATION_LOGIN),
    Row("auth", "53", "7.14", None, "", "the provider requires the owner to sign in with a browser first",
        "Sign in to the account with a browser and allow this login, or create an application password for it."),
    Row("auth", "53", "", r"web ?browser|weblogin", "",
        "the provider requires the owner to sign in with a browser first",
        "Sign in to the account with a browser and allow this login, or create an application password for it."),
    Row("auth", "5", "",
        (
            r"basic auth\w* is disabled|smtp ?client ?auth\w* is disabled|security defaults"
            r"|smtp auth(entication)? is (disabled|not enabled)"
        ),
        "",
        "password logins by SMTP are turned off for this account or its organization",
        "Have authenticated SMTP allowed for this mailbox (in Microsoft 365 by its administrator), or use XOAUTH2 "
        "(auth_mechanism xoauth2), or another relay; a new password does not help."),
    Row("auth", "5", "7.139", None, "", "the policy of the account refuses the login",
        "Look at the sign-in log of the account in Microsoft Entra: its policies refuse this login, or the password is "
        "wrong."),
    Row("auth", "5", "",
        (
            r"unauthori[sz]ed ip|ip (address )?(is )?(not|un)[ -]?(in )?(authori[sz]ed|allowed|permitted"
            r"|whitelist\w*|trusted)"
        ),
        "", "the account may not log in from this address",
        "Allow this host's public address in the security settings of the account; the password may be right."),
    Row("auth", "5", "7.13 2.1", None, "", "the account is disabled",
        "Have the account enabled at {host}; a new password does not help."),
    Row("auth", "5", "",
        (
            r"(account|user|mailbox|domain)( \S+)? (is |has been |was )?(\w+ )?(disabled|suspended|locked"
            r"|blocked|inactive|deactivated|expired)|(disabled|suspended|locked) (account|user)"
        ),
        "", "the account is disabled or locked", "Have the account enabled at {host}; a new password does not help."),
    Row("auth", "5", "",
        (
            r"access rights to this service|(imap|pop|smtp)\b.*(not enabled|disabled|not allowed)|no permission"
            r"|service is not (open|enabled)"
        ),
        "", "SMTP is not allowed for this account",
        "Allow SMTP (mail programs) in the settings of the account, and create an application password where it offers "
        "one."),
    # HELO: said at once, or at MAIL or RCPT, as Postfix does (smtpd_delay_reject).
    Row("ehlo sender recipient", "503", "",
        r"(he|eh)lo first|say(s)? (he|eh)lo|send (he|eh)lo|bad sequence",
        "",
        "it has lost track of the conversation",
        "Look at the log of {host}, and for something on the way that changes the conversation."),
    Row("ehlo sender recipient", "", "",
        (
            r"(helo|ehlo)\b.*(fully.qualified|fqdn|real hostname|invalid|syntax|argument)|(invalid"
            r"|fully.qualified|real)\b.*\b(helo|ehlo)"
        ),
        "helo", "the name given with EHLO is not a full host name", _HELO),
    Row("ehlo sender recipient", "", "",
        r"(helo|ehlo)\b.*(not found|not resolve|unresolv|no such|dns|does not exist|a or mx)",
        "helo", "the name given with EHLO is not in the DNS",
        "Set helo_name to a name of this host that the DNS knows, such as web1.example.com."),
    Row("ehlo sender recipient", "", "",
        (
            r"helo domain|(helo|ehlo) command rejected|(helo|ehlo)\b.*(reject|denied|refused|not accept|bad"
            r"|mismatch|forged|impersonat|spoof|listed)|(bad|reject\w*|forged|wrong)\b.*\b(helo|ehlo)"
        ),
        "helo", "it does not accept the name given with EHLO",
        "Set helo_name to a name of this host in your own domain, which leads to this host's address."),
    Row("ehlo", "", "",
        r"fully.qualified|fqdn|host ?name|invalid (domain )?name|syntactically invalid",
        "helo",
        "the name given with EHLO is not a full host name", _HELO),
    # The domain of the sender; "unauthenticated" is said of that as well.
    Row("sender recipient", "5 4", "7.20 7.21 7.22 7.23 7.24 7.26 7.29", None, "sender",
        "the sender's domain does not vouch for this way of sending (SPF, DKIM, DMARC)",
        _VOUCH),
    Row("sender recipient", "5 4", "", r"\bspf\b|dmarc|dkim", "sender",
        "the sender's domain does not vouch for this way of sending (SPF, DKIM, DMARC)",
        _VOUCH),
    # Who may send through it at all.
    Row("sender recipient", "5 4", "7.57", None, "login", "it takes no mail without a login", _LOG_IN, "anonymous"),
    Row("sender recipient", "530 502 550 551 553 554 505", "",
        (
            r"authenticat(e|ion)\b.*(required|first|need)|(require|need|must|please|turn on)\b.*\bauth"
            r"|not authenticated|unauthenticated|smtp auth|not logged in|log ?in (is )?required"
        ),
        "login", "it takes no mail without a login", _LOG_IN, "anonymous"),
    Row("sender recipient", "530", "", None, "login", "it takes no mail without a login", _LOG_IN, "anonymous"),
    Row("recipient sender", "5", "", r"client host rejected: access denied", "login",
        "it takes no mail from this host without a login", _LOG_IN, "anonymous"),
    Row("sender recipient", "530", "", None, "", "it requires a login that allows this", _ASK_LOGIN, "login"),
    Row("any", "", "", r"invalid credentials for relay", "",
        "it does not know this host's address as one of the account's",
        "Register this host's public address in the relay settings of the account, or give username and password; "
        "mail_from and helo_name have to be of a domain of the account."),
    # The sender.
    Row("sender recipient", "5 4", "7.27", None, "sender", "the sender's domain accepts no mail (null MX)",
        "Set mail_from to an address in a domain that accepts mail."),
    Row("sender recipient", "", "7.60", None, "sender", "the account may not send as this sender", _OWN_SENDER),
    Row("sender recipient", "", "2.252", None, "sender", "the account may not send as this sender", _OWN_SENDER),
    Row("sender recipient", "", "",
        (
            r"not owned by|send ?as|permissions? to send as|relaying disallowed as|not (one of )?(your"
            r"|the account's) address|(from|sender) address\b.*\bnot (one of|allowed|permitted|match)"
            r"|sender.*(does not|doesn't|must) match|(must|does not|doesn't) match.*(login|user|account"
            r"|authenticated)|not allowed to (send|use) (as|from|this)|unauthori[sz]ed (sender|from"
            r"|sending domain)"
        ),
        "sender", "the account may not send as this sender", _OWN_SENDER),
    Row("sender recipient", "", "",
        (
            r"not (a )?verified|verified sender|unverified|sender identity|domain (is )?not (registered|verified"
            r"|configured|allowed)|not (a )?(registered|confirmed) (sender|domain)|sender signature"
        ),
        "", "it takes only addresses that are verified for the account", _VERIFY_SENDER),
    Row("sender recipient", "", "",
        (
            r"sender address rejected.*fully.qualified|sender address.*(incomplete|needs? a domain"
            r"|without domain)"
        ),
        "sender",
        "the sender's address has no full domain", "Set mail_from to an address with its full domain."),
    Row("sender recipient", "", "",
        (
            r"sender address rejected.*not found|domain of sender.*(not|n't)|sender.*domain.*(not exist"
            r"|not resolve|not found|not (a )?valid)|(emetteur|sender) (invalid|verify failed)|invalid sender"
        ),
        "sender",
        "the sender's domain or mailbox cannot be found",
        "Set mail_from to an address that exists, in a domain with an MX or address record."),
    Row("sender recipient", "5", "", r"bad outbound sender", "sender",
        "the account is barred from sending, usually because spam came from it",
        "Have the account cleaned and released by the administrator of its organization."),
    Row("sender recipient", "5 4", "1.7 1.8", None, "sender", "the sender's domain or mailbox cannot be found",
        "Set mail_from to an address that exists, in a domain with an MX or address record."),
    Row("sender recipient", "", "", r"mail ?from domain is listed|sender.*(block|black) ?list", "sender",
        "the sender's domain is on a block list",
        "Set mail_from to another domain, or have that one taken off the list that the server names."),
    Row("recipient", "", "",
        r"sender address rejected|sender (is )?(denied|rejected|refused)",
        "sender", "", ""),
    Row("sender recipient", "5 4", "", r"sender address \[[^]]*\] blocked using", "sender",
        "the sender's domain is on a block list",
        "Set mail_from to another domain, or have that one taken off the list that the server names."),
    Row("ehlo sender recipient", "5 4", "", r"helo command \[[^]]*\] blocked using", "helo",
        "the name given with EHLO is on a block list",
        "Set helo_name to a name of this host in your own domain, which leads to this host's address."),
    Row("recipient", "5 4", "", r"recipient address \[[^]]*\] blocked using", "",
        "the recipient's domain is on a block list", "Check rcpt_to, or give another recipient."),
    # The client: its address, its name in the DNS, its reputation.
    Row("any", "5 4", "",
        r"open resolver",
        "client", "the server's own block list queries fail (open resolver)",
        "Ask the operator of {host} to mend its block list queries, or use another relay: this host is not listed."),
    Row("any", "5 4", "7.25", None, "client", "this host's address has no matching name in the DNS",
        _REVERSE),
    Row("any", "5 4", "",
        (
            r"reverse (host ?name|dns|address|lookup)|\bptr\b|\brdns\b|cannot find your (reverse )?host ?name"
            r"|ip name lookup failed|without a valid sender domain"
        ),
        "client",
        "this host's address has no matching name in the DNS",
        _REVERSE),
    Row("any", "5 4", "",
        (
            r"spamhaus|spamcop|barracuda|sorbs|uceprotect|abusix|invaluement|cloudmark|blocked using|dnsbl"
            r"|\brbl\b|(block|black|deny) ?list|banned sending ip|block(ed)? list|listed (at|in|by|on)\b|(poor"
            r"|low|bad) (ip )?reputation|ip reputation|bloqu[ée]e? pour|been banned|client host blocked"
        ),
        "client", "this host's address is on a block list, or has a bad reputation", _DELIST),
    Row("any", "5 4", "",
        r"send (e-?mail|mail) directly|notauthorizederror|dynamic (ip|address)|dial-?up|residential",
        "client",
        "it takes no mail straight from addresses like this host's",
        "Use a relay with a login (587, 465 or 2525): this server takes no mail directly from this address."),
    Row("any", "550 521", "5.1", r"protocol error", "client",
        "its guard (postscreen) has seen the client break the protocol, or holds it for a robot",
        "Try again in some minutes from this address alone; if it stays so, something on the way changes the "
        "conversation, or the operator of {host} has to allow this address."),
    Row("any", "450 451", "3.2",
        r"service currently unavailable",
        "", "its guard (postscreen) lets the next attempt pass", _RETRY),
    Row("sender recipient", "5 4", "",
        (
            r"client host rejected|client (host|address|ip)\b.*(rejected|refused|denied|not (allowed|permitted))"
            r"|access from ip address|connection refused"
        ),
        "client", "",
        "Ask the operator of {host} to allow this host's address, or give username and password."),
    # The server: takes no mail at all, or not now.
    Row("greeting ehlo sender", "521 556", "", None, "client", "it does not accept mail",
        "Use another host: {host} says that it accepts no mail at all, or none from here."),
    Row("recipient", "556", "", None, "", "the recipient's domain accepts no mail (null MX)",
        "Check rcpt_to: its domain accepts no mail."),
    Row("sender recipient", "5 4", "1.10", None, "", "the domain accepts no mail (null MX)",
        "Check rcpt_to: its domain accepts no mail."),
    Row("any", "4", "", r"gr[ae]y.?list", "", "greylisting", _RETRY),
    Row("any", "4", "3.1", None, "", "the server's disk is full", "Tell the operator of {host}, and try again later."),
    Row("any", "4", "",
        (
            r"insufficient (system )?(storage|disk|resources)|disk (is )?full|out of (disk|memory)"
            r"|space shortage"
        ),
        "",
        "the server's disk or memory is full", "Tell the operator of {host}, and try again later."),
    Row("any", "4", "7.28", None, "", "there is too much mail or too many connections from here", _LIMIT),
    Row("greeting ehlo starttls sender recipient", "4", "",
        (
            r"too many|concurrent|rate.?(limit|of)|unusual rate|throttl|exceed|limit reached|per (minute|hour"
            r"|second|day)|too (fast|quickly)"
        ),
        "",
        "a limit is reached", _LIMIT),
    Row("sender recipient", "5 4", "",
        (
            r"(daily|hourly|monthly|sending|message|user) (\w+ )?(limit|quota)\b.*(exceed|reached)|(exceed"
            r"|reached)\w* .*(limit|quota) (for|of)|sending limit exceeded"
        ),
        "",
        "the account has sent as much as it may for now",
        "Wait until the limit of the account is over, or have it raised at the relay service."),
    # The recipient.
    Row("recipient", "5 4", "",
        (
            r"relay(ing)?\b.*(denied|not (permitted|allowed)|prohibited|disallow|forbidden)|(unable|cannot"
            r"|not (permitted|allowed)|refuse\w*) to relay|open relay not allowed|rcpthosts|don't relay"
            r"|not (a )?(local|hosted) (here|domain)"
        ),
        "",
        "it does not relay for this host", _LOG_IN, "anonymous"),
    Row("recipient", "5 4", "",
        (
            r"relay(ing)?\b.*(denied|not (permitted|allowed)|prohibited|disallow|forbidden)|(unable|cannot"
            r"|not (permitted|allowed)|refuse\w*) to relay|open relay not allowed|rcpthosts|don't relay"
            r"|not (a )?(local|hosted) (here|domain)"
        ),
        "",
        "it does not relay for this login", _ASK_LOGIN, "login"),
    Row("recipient", "5 4", "2.2 2.3", None, "", "the mailbox is full, or the mail too large for it",
        "Check rcpt_to, or have that mailbox cleared."),
    Row("recipient", "5 4", "",
        r"(over|out of|exceeded) (storage|quota)|quota exceed|mailbox (is )?full|storage allocation",
        "",
        "the mailbox is full", "Check rcpt_to, or have that mailbox cleared."),
    Row("recipient", "5", "1.1 1.0 1.6 2.0 2.1", None, "", "there is no such mailbox",
        "Check rcpt_to: the server knows no such mailbox, or does not take mail for it from here."),
    Row("recipient", "5", "",
        (
            r"user unknown|unknown user|no such (user|recipient|mailbox|person)|unrouteable|(mailbox|user"
            r"|recipient|address)( \S+)? (not found|does not exist|doesn't exist|unavailable|unknown)"
            r"|invalid recipient"
        ),
        "",
        "there is no such mailbox",
        "Check rcpt_to: the server knows no such mailbox, or does not take mail for it from here."),
    Row("recipient", "5 4", "1.2 4.4", None, "", "the recipient's domain cannot be found",
        "Check rcpt_to: its domain has no MX or address record."),
    Row("recipient", "5 4", "", r"recipient address rejected.*(domain not found|fully.qualified)", "",
        "the recipient's address or domain cannot be used",
        "Check rcpt_to: give a whole address in a domain that exists."),
    Row("sender recipient", "5", "6.7", None, "", "it does not take addresses outside of ASCII",
        "Set mail_from and rcpt_to to addresses in ASCII."),
)  # fmt: skip


# Whom the server itself names, at RCPT as well (Postfix's smtpd_delay_reject).
_NAMED = (
    (r"client host (rejected:|\[)", "client"),
    (r"helo command (rejected:|\[)", "helo"),
    (r"sender address (rejected:|\[)", "sender"),
)


def interpret(stage: str, reply: Reply, situation: Situation = Situation()) -> Meaning:  # noqa: B008 - never changed
    """What a reply that is no success means. ``stage``: greeting, ehlo, starttls, auth, sender or recipient.

    The advice has ``{host}`` and ``{port}`` to be filled in.
    """
    row = row_of(stage, reply, situation)
    subject = _subject(stage, reply)
    if row is None:
        return Meaning(_verdict(subject, reply))
    return Meaning(_verdict(row.subject or subject, reply), row.cause, row.advice)


def _subject(stage: str, reply: Reply) -> str:
    """What is refused where no row says it: what the server names, else what the command is about."""
    text = reply.text.decode("latin-1").lower()
    named = (subject for words, subject in _NAMED if re.search(words, text))
    return next(named, _STAGES[stage]) if stage in ("sender", "recipient") else _STAGES[stage]


def row_of(stage: str, reply: Reply, situation: Situation) -> Row | None:
    text = reply.text.decode("latin-1").lower()
    code, status = str(reply.code), status_of(reply)
    for row in ROWS:
        if _fits(row, stage, code, status, situation) and (row.words is None or re.search(row.words, text)):
            return row
    return None


def status_of(reply: Reply) -> str:
    """The enhanced status code without its class (``7.8``), or nothing. A class that is not the reply's is none."""
    match = _STATUS.search(reply.text.decode("latin-1"))
    return match[2] if match and int(match[1]) == reply.severity else ""


def unknown_mechanism(reply: Reply) -> bool:
    """Whether AUTH was refused for the mechanism alone, before the password counted: another may be tried."""
    if reply.severity != 5 or reply.code == 503:  # a sequence error says nothing of the mechanism
        return False
    return interpret("auth", reply, Situation(encrypted=True)).verdict == "auth_unsupported"


def _verdict(subject: str, reply: Reply) -> str:
    temporary, permanent = _VERDICTS[subject]
    return temporary if reply.severity == 4 else permanent


def _fits(row: Row, stage: str, code: str, status: str, situation: Situation) -> bool:
    if row.stages != "any" and stage not in row.stages.split():
        return False
    if row.code and not any(code.startswith(beginning) for beginning in row.code.split()):
        return False
    if row.status and status not in row.status.split():
        return False
    return {
        "": True,
        "clear": not situation.encrypted,
        "encrypted": situation.encrypted,
        "login": situation.login,
        "anonymous": not situation.login,
    }[row.when]


class Stranger(NamedTuple):
    """Another protocol, known by the beginning of what it says."""

    beginning: bytes
    name: str
    advice: str


STRANGERS: tuple[Stranger, ...] = (
    Stranger(
        rb"(?i)HTTP/\d|\s*<(?:!doctype|html)",
        "a web server or a web proxy",
        "A web server answers on port {port} in place of {host}, such as a captive portal, a web proxy or a load "
        "balancer: check host and port, and what redirects the connection.",
    ),
    Stranger(rb"SSH-", "an SSH server", ""),
    Stranger(rb"(?i)\* (?:OK|BYE|PREAUTH)", "an IMAP server", ""),
    Stranger(rb"(?:\+OK|-ERR)", "a POP3 server", ""),
    Stranger(rb"\xff[\xfb-\xfe]", "a Telnet server", ""),
    Stranger(
        rb"PROXY |\r\n\r\n\0\r\nQUIT\n",
        "a load balancer that sends a PROXY line to the client",
        "Have the PROXY protocol turned off towards the client on port {port} of {host}.",
    ),
)


def stranger(seen: bytes) -> Stranger | None:
    """Who it is that speaks there instead of a mail server, where that can be told."""
    return next((one for one in STRANGERS if re.match(one.beginning, seen)), None)
