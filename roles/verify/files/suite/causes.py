"""Why mail did not go, from Postfix's own words: the text of a log line, of a delay reason or of a reply.

The rule of this file: text in, cause and remedy out. The first rule whose pattern is found counts, so what is
special comes before what is general. What this host's Postfix says of itself and what a server on the other side
replied are judged apart: each knows "too many", "configuration error" and "user unknown" too. A remedy names a
variable of role postfix, or a command that helps; where the words are not known they are all that is said.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import NamedTuple

AGAIN = "run mailops.smtp.deploy"


class Cause(NamedTuple):
    """`name` is a word for the kind of cause; `why` and `remedy` are parts of a sentence.

    `systemic`: as long as this lasts, no mail goes that way, whoever it is for.
    """

    name: str
    why: str
    remedy: str
    systemic: bool = True

    def __str__(self) -> str:
        return f"{self.why}: {self.remedy}" if self.remedy else self.why


class Rule(NamedTuple):
    pattern: str
    cause: Cause


RULES = tuple(
    Rule(pattern, Cause(name, why, remedy, systemic))
    for name, systemic, pattern, why, remedy in (
        # Postfix's own house: tables, files, processes, and what somebody has asked it to do.
        ("table type", True, r"unsupported dictionary type: ?(?P<type>[\w.-]+)|"
         r"(?P<database>Berkeley DB) support for .* is not available",
         "this Postfix has no tables of the type {type}{database}",
         "install the package that brings it (postfix-{type}), or use texthash: in postfix_parameters "
         "and postfix_maps"),
        ("table key", True, r"duplicate (?:entry|key)\b",
         "a lookup table has the same key twice, and with texthash: that makes all of it unavailable",
         "take one of the rows out of postfix_maps"),
        ("aliases", True, r"alias database unavailable|open (?:database )?(?P<file>/etc/aliases\.(?:db|lmdb|cdb))|"
         r"(?:/etc/aliases|aliases)\S* lookup (?:error|problem)",
         "the alias database cannot be read",
         "run newaliases (it builds the table from /etc/aliases), and see that it is owned by root with mode 0644"),
        ("permissions", True,
         r"fatal: (?:open|scan_dir_push: open directory|chdir|stat) (?P<path>[^\s:]+): Permission denied",
         "Postfix may not read {path}",
         "give it back its owner and mode ('postfix set-permissions', then restart postfix)"),
        ("table", True, r"open (?:database |dictionary )?(?P<path>/[^\s:]+): (?P<what>No such file or directory|"
         r"Permission denied)|"
         r"(?:error|warning): (?P<spec>[a-z]+:/\S+) (?:is unavailable|lookup error)|"
         r"(?:maps|table|lookup) .*\b(?:lookup (?:error|problem|failure)|temporar(?:y|ily) unavailable)|"
         r"\blocal data error\b|Temporary lookup failure",
         "a lookup table cannot be used ({path}{spec} {what})",
         f"see the mail log for its name, build it with postmap, or {AGAIN}"),
        ("parameter", True, r"(?<!system )(?<!erver )configuration error: (?P<what>[^)\n]+)",
         "a daemon of Postfix does not start with this configuration ({what})",
         f"correct that parameter (postfix_parameters), then {AGAIN}"),
        ("mail system configuration", True, r"mail system configuration error|[Ss]erver configuration "
         r"(?:error|problem)",
         "Postfix finds a fault in its own configuration", f"see the mail log for the warning, then {AGAIN}"),
        ("daemon", True, r"(?P<path>[\w./-]+): bad command startup|"
         r"process (?P<process>\S+) pid \d+ (?:exit status|killed)|"
         r"connect #\d+ to subsystem (?P<subsystem>\S+?):? |problem talking to (?:service|server) (?P<service>\S+?):? |"
         r"(?:unable to look up|connect to|timeout on|premature end-of-input on) (?P<socket>(?:public|private)/[\w-]+)",
         "a process of Postfix itself does not start or does not answer ({path}{process}{subsystem}{service}{socket})",
         "see the mail log for its 'fatal:' line, and whether the queue directory has its owners and modes "
         "('postfix set-permissions', then restart postfix)"),
        ("transport", True,
         r"mail transport unavailable|connect to transport (?P<path>\S+): |unknown mail transport error",
         "a delivery process of Postfix does not answer {path}",
         "see the mail log for its 'fatal:' line, and 'postconf -M' for the service of that name"),
        ("deferred transport", True, r"deferred transport",
         "defer_transports tells Postfix not to deliver",
         "take defer_transports out of main.cf and of postfix_parameters, then run 'postqueue -f'"),
        ("hold", True, r"\bhold: (?:header|body|milter|END-OF-|END_OF_|RCPT|MAIL|client)|"
         r"placed on hold|triggers HOLD action",
         "the message was put on hold here, so nothing delivers it",
         "look for HOLD in header_checks, in the smtpd restrictions and in the milters; 'postsuper -H "
         "ALL' releases it"),
        ("discarded", True, r"\bdiscard: |triggers DISCARD action",
         "the message was discarded here",
         "look for DISCARD in header_checks, in the smtpd restrictions and in the milters"),
        ("not allowed to submit", True, r"is not allowed to submit mail",
         "authorized_submit_users does not let this user send", "correct authorized_submit_users in "
         "postfix_parameters"),
        ("maildrop", True, r"mail_queue_enter: create file maildrop|maildrop/\S+: Permission denied|"
         r"unable to look up the (?:mail_owner|setgid_group)|"
         r"warning: (?:not )?(?:owned by|set-?gid)[^:]*: \S*(?:postdrop|maildrop)",
         "sendmail cannot write to the maildrop directory",
         "run 'postfix set-permissions', which gives back postdrop's group and its set-group-id bit"),
        ("disk full here", True, r"No space left on device|not enough free space in mail queue|"
         r"452 4\.3\.1|Insufficient system (?:storage|resource)|queue_minfree|Disk "
         r"quota exceeded",
         "the disk that has the queue (or the mailbox) is full",
         "free space, or take the wrong queue_minfree out of postfix_parameters"),
        ("read-only", True, r"Read-only file system",
         "the file system of the queue or of the mailbox is mounted read-only", "mount it for writing, "
         "restart postfix"),
        ("milter", True, r"milter-reject|connect to Milter service (?P<path>\S+): ",
         "a milter refuses the mail or does not answer {path}",
         "start it, or correct smtpd_milters and non_smtpd_milters in postfix_parameters"),
        ("content filter", True,
         r"connect to (?:127\.0\.0\.1|localhost|\[?::1\]?)\S*:\d+: (?:Connection refused|Connection timed out)",
         "the content filter on this host does not answer",
         "start it (amavis, rspamd or what listens there), or take content_filter out of postfix_parameters"),
        ("queue file", True, r"queue file write error|error writing (?:message|queue file)|write queue file",
         "Postfix could not write the message into its queue",
         "see the mail log of cleanup for the reason: a table, a milter, the disk"),
        ("message size", False, r"message (?:file too big|size (?:\d+ )?exceeds|too big)|\b5\.3\.4\b|"
         r"exceeds (?:the )?(?:fixed )?(?:maximum|size)",
         "the message is larger than it may be", "raise message_size_limit here, or look up the relay's limit"),
        # The way through loops.
        ("loop", True, r"loops back to myself|mail forwarding loop|too many hops|\b5\.4\.6\b|hop count exceeded",
         "the mail comes back to this host or goes in a circle",
         "the next hop must not be this host: look at relayhost, transport_maps, mydestination and /etc/aliases"),
        # Local delivery.
        ("mailbox", True, r"cannot (?:update|access|open|append)[^()]* mailbox|unable to create lock file|"
         r"create (?:maildir|mailbox)[^()]*: |(?:can't|cannot) create user output file|"
         r"mailbox \S+: (?:Permission denied|not a (?:regular file|directory))|maildir delivery failed|"
         r"file (?:/\S+ )?.*has multiple links",
         "the mailbox cannot be written",
         "look at the owner and mode of it and of its directory (/var/mail: root:mail, mode 2775)"),
        ("mailbox full here", False, r"mailbox (?:/\S+ )?.*(?:size limit|too big|over quota)|"
         r"cannot update mailbox [^()]* file too large|File too large",
         "the local mailbox has reached mailbox_size_limit", "empty it, or raise mailbox_size_limit in "
         "postfix_parameters"),
        ("command", True, r"Command (?:died|time limit)|command \S+ (?:died|failed)",
         "a delivery command failed", "look at mailbox_command and at pipes in /etc/aliases"),
        ("unknown user here", True, r"unknown user: \"?(?P<user>[^\" )]*)|User unknown in (?P<in>local recipient|"
         r"virtual (?:mailbox|alias)) table|user (?:unknown|lookup error)(?! in relay)",
         "there is no such local user {user}",
         "name in postfix_aliases where that mail goes, or take the domain out of postfix_mydestination"),
        # The name of the relay.
        ("resolver", True, r"Temporary failure in name resolution|Host not found, try again|"
         r"Name service error for .*(?:try again|No (?:data|address))|Name or service not known",
         "the name server gave no answer when Postfix asked for {host}",
         "look at /etc/resolv.conf and, where Postfix runs chrooted, restart postfix, for only that "
         "copies the file"),
        ("resolver", True, r"Host or domain name not found|Host not found|unable to look up host (?P<name>\S+):|"
         r"unable to find host (?P<lost>\S+)",
         "DNS does not know the name {host}, and Postfix asks DNS alone",
         "correct postfix_relay_host (the full name; no search list applies), add the name to DNS, or, "
         "for one that only "
         "/etc/hosts has, set smtp_host_lookup: native in postfix_parameters"),
        ("null MX", False, r"does not accept mail \(nullMX\)|\b5\.1\.10\b|\b556 ",
         "the domain takes no mail at all (null MX)", "correct postfix_test_recipient or postfix_relay_host"),
        # TLS.
        ("certificates here", True, r"our TLS engine is unavailable|TLS engine (?:init|is)",
         "TLS cannot start on this host, as a rule because the file of certificates cannot be read",
         "set postfix_relay_ca_file to a PEM file of authorities, or install ca-certificates"),
        ("tls absent", True, r"TLS is required, but was not offered|"
         r"STARTTLS (?:is )?not (?:offered|supported)",
         "the relay offers no TLS on this port, or something on the way hides it",
         "run mailops.smtp.preflight, which sees on which port TLS works"),
        ("implicit TLS", True, r"wrong version number|SMTPS wrappermode|packet length too long|http request|"
         r"timed out while receiving the initial server greeting|"
         r"lost connection with \S+ while receiving the initial server greeting",
         "one side speaks TLS from the first byte and the other does not (implicit TLS against STARTTLS)",
         f"{AGAIN}: it sets smtp_tls_wrappermode as the port needs it"),
        ("certificate expired", True, r"certificate (?:has )?expired|certificate is not yet valid|"
         r"num=10:|num=9:",
         "the certificate of the relay or of its authority has expired, or this host's clock is wrong",
         "look at the clock (date), renew the certificate, or update the package ca-certificates"),
        ("certificate name", True, r"[Cc]ertificate (?:name |host ?name |peer name )?mismatch|does not match|"
         r"peername verification failed|num=62:|Server certificate not verified",
         "the relay's certificate does not verify for the name that was asked for",
         "set postfix_relay_host to the name in the certificate, and postfix_relay_ca_file to its authority"),
        ("certificate untrusted", True, r"certificate not trusted|untrusted issuer|self[- ]signed certificate|"
         r"unable to get (?:local )?issuer certificate|certificate verif(?:y|ication) failed|"
         r"(?:cannot load|error loading|No authorit).*(?:CA|ertificate)|cannot load Certification Authority",
         "no authority that this host trusts has signed the relay's certificate",
         "set postfix_relay_ca_file to the authority's certificate, or install ca-certificates"),
        ("tls", True, r"Cannot start TLS|TLS (?:handshake|library)|handshake failure|SSL_connect error|"
         r"no shared cipher|in reply to STARTTLS command|"
         r"unsupported protocol|tlsv1 alert|no usable TLSA|DANE",
         "the TLS handshake with the relay fails",
         "run mailops.smtp.preflight, which says what the relay speaks; postfix_relay_tls is the level "
         "that is asked for"),
        # The login.
        ("login mechanism", True, r"No worthy mechs|no compatible authentication mechanisms|no "
         r"mechanism available|(?:504|535|534)[ -]5\.(?:5\.4|7\.4)|"
         r"[Uu]nrecognized authentication type|mechanism (?:is )?(?:not supported|too weak)|"
         r"server did not offer AUTH|"
         r"unexpected SASL protocol",
         "Postfix and the relay have no login mechanism in common",
         "install libsasl2-modules (Debian) or cyrus-sasl-plain, and set postfix_relay_auth to one that "
         "the relay offers"),
        ("login by application password", True, r"\b534\b|5\.7\.9|Application-specific password|"
         r"[Ww]eb ?login|log in via your web browser",
         "the relay expects another password than the account's",
         "create an application password there, and set postfix_relay_password to it"),
        ("login missing", True, r"\b530[ -]|Authentication [Rr]equired|Must issue a STARTTLS|"
         r"(?:client|sender) (?:was )?not authenticated|not logged in|5\.7\.57",
         "the relay requires a login, and Postfix did not give one",
         "set postfix_relay_username and postfix_relay_password"),
        ("login temporary", True, r"454[ -]4\.7\.0|Temporary authentication failure|\b432\b",
         "the relay could not check the login just now", "try again later; if it lasts, ask the relay's operator"),
        ("login", True, r"SASL authentication failed;|cannot authenticate to server|"
         r"(?:said|refused to talk to me): .*(?:\b535\b|5\.7\.8|authentication (?:failed|failure|unsuccessful|"
         r"credentials invalid)|[Ii]nvalid (?:login|credentials|username|user name|password)|5\.7\.3\b|5\.7\.30\b)",
         "the relay refuses the login",
         "correct postfix_relay_username and postfix_relay_password (a key may have been revoked), then "
         + AGAIN),
        # What the relay says of this host and of the sender.
        ("helo", True, r"[Hh]elo command rejected|\bHELO\b.*(?:reject|invalid|denied|fully)|"
         r"EHLO.*(?:reject|invalid)|"
         r"[Ii]nvalid (?:HELO|EHLO)|need fully-qualified hostname|in reply to (?:HELO|EHLO) command",
         "the relay refuses the name with which this host greets ({helo})",
         "set postfix_myhostname to the host's full name, one that DNS knows"),
        ("greylisting", False, r"[Gg]re[yi]-?list|\b451[ -]4\.7\.1\b.*(?:later|again)|postgrey|"
         r"\b4\.7\.1\b.*[Tt]ry again (?:later|in)|deferred for policy reasons",
         "the relay greylists: it takes the mail at a later attempt",
         "wait for that, or have this host listed there as known"),
        ("sender", True, r"[Ss]ender (?:address )?(?:rejected|verify|verification|not|domain|is not)|"
         r"[Ss]ender (?:denied|unknown)|"
         r"\b5\.1\.[78]\b|5\.7\.60\b|[Ff]rom address|[Mm]ail from .*(?:not allowed|must|denied)|"
         r"[Ee]mail address is not "
         r"verified|not (?:been )?verified|SendAsDenied|not allowed to send as|does not match a verified|"
         r"unverified (?:sender|address)|[Ff]rom:? (?:domain|address) (?:must|is not)|"
         r"in reply to MAIL FROM command",
         "the relay refuses the sender {sender}",
         "map it to an address that the relay takes: smtp_generic_maps in postfix_parameters with its table in "
         "postfix_maps; postfix_test_sender only changes the test message, not root's mail"),
        ("sender policy", True, r"\b5\.7\.(?:2[0-7]|509|515)\b|\bSPF\b|\bDKIM\b|\bDMARC\b",
         "the recipient's server refuses the sender's domain ({sender}) by SPF, DKIM or DMARC",
         "publish the relay in the domain's SPF record and have it sign, or send from a domain of which that is so "
         "(smtp_generic_maps in postfix_parameters)"),
        ("reverse name", True, r"5\.7\.25|4\.7\.25|reverse (?:hostname|DNS)|\bPTR\b|cannot find your "
         r"(?:reverse )?hostname",
         "the server on the other side finds no name for this host's address",
         "have the address's PTR record set, or send through a relay (postfix_relay_host)"),
        ("blocked", True, r"[Cc]lient host .*(?:rejected|blocked)|blocked using|[Bb]lack ?list|[Bb]lock "
         r"?list|spamhaus|"
         r"\bRBL\b|DNSBL|5\.7\.606|poor reputation|banned|[Aa]ccess denied.*\bIP\b",
         "the server on the other side refuses this host's address",
         "have the address taken off the list, or allowed at the relay"),
        ("relaying denied", True, r"[Rr]elay(?:ing)? (?:access )?denied|not permitted to relay|unable to relay|"
         r"[Rr]elaying not (?:allowed|permitted)|5\.7\.54",
         "the relay relays nothing for this host",
         "set postfix_relay_username and postfix_relay_password, or have this host's address allowed at the relay"),
        # What it says of the recipient, and of the moment.
        ("quota", False, r"\b4\.2\.2\b|\b5\.2\.2\b|\b552\b|mailbox (?:is )?full|over ?quota|quota exceeded|"
         r"\b452\b.*(?:quota|mailbox|full)",
         "the mailbox or the quota on the other side is full",
         "have it emptied or raised there; nothing is wrong with this host"),
        ("rate", True, r"\b4\.7\.(?:0|28|650)\b.*(?:rate|limit|many|later)|[Tt]oo many|[Rr]ate (?:limit|exceed)|"
         r"(?:daily|hourly|sending|message|user) (?:\w+ )?(?:limit|quota)|throttl|\b421\b.*(?:rate|"
         r"limit|many)|\b4\.4\.5\b|"
         r"5\.4\.5\b|limit exceeded",
         "the relay's limit for messages or connections is reached",
         "send less (smtp_destination_concurrency_limit, smtp_destination_rate_delay in "
         "postfix_parameters), or have "
         "the limit raised"),
        ("disk full there", False, r"\b452\b|\b4\.3\.1\b", "the other side has no room for the message just now",
         "wait, Postfix tries again; ask the relay's operator if it lasts"),
        ("fault there", False, r"\b4\.3\.[05]\b|\b5\.3\.5\b|configuration (?:error|problem)|queue file write error|"
         r"lookup (?:error|failure)|local (?:data )?error",
         "the server on the other side has a fault of its own",
         "wait, Postfix tries again; ask its operator if it lasts"),
        ("recipient", False, r"[Rr]ecipient (?:address )?rejected|\b5\.1\.[1236]\b|[Uu]ser unknown|no "
         r"such (?:user|recipient)|"
         r"mailbox unavailable|[Uu]nknown (?:user|recipient)|bad address syntax",
         "the recipient is not known on the other side", "correct postfix_test_recipient, or where "
         "root's mail goes "
         "(postfix_aliases)"),
        ("content", False, r"\bspam\b|virus|5\.7\.1 .*(?:content|message) (?:rejected|refused|blocked)|5\.6\.\d|"
         r"5\.7\.0 .*content|in reply to end of DATA",
         "the relay refuses the message for what is in it", "ask the relay's operator why"),
        ("SMTPUTF8", False, r"SMTPUTF8 is required", "the relay takes no addresses beyond ASCII",
         "use ASCII addresses, or set smtputf8_enable: 'no' in postfix_parameters"),
        # The network.
        ("refused", True, r"Connection refused",
         "nothing listens where Postfix connects to, or a firewall refuses ({address})",
         "run mailops.smtp.preflight, which sees which port works"),
        ("source address", True, r"Cannot assign requested address|bind \S+: ",
         "Postfix is told to send from an address that this host does not have",
         "correct smtp_bind_address, smtp_bind_address6 and postfix_inet_interfaces"),
        ("unreachable", True, r"Network is unreachable|No route to host|Host is unreachable|Address "
         r"family not supported|"
         r"Protocol not supported",
         "this host has no way to the relay's address ({address})",
         "look at the routes, and at postfix_inet_protocols (ipv4 where the host has no IPv6)"),
        ("timeout", True, r"Connection timed out|Operation timed out|timed out while|conversation with "
         r".* timed out",
         "the relay does not answer; packets vanish, in a firewall as a rule ({address})",
         "run mailops.smtp.preflight, which sees which port works"),
        ("lost connection", True, r"lost connection|Connection reset|Broken pipe|EOF",
         "the connection to the relay broke", "run mailops.smtp.preflight, which sees which port works"),
        ("busy", False, r"\b421\b|\b4\.3\.2\b|service (?:currently )?unavailable|[Tt]ry again later|"
         r"temporar(?:y|ily)",
         "the relay cannot take the mail just now", "wait, Postfix tries again; ask the relay's "
         "operator if it lasts"),
        ("refused by policy", True, r"\b5\.7\.\d+\b|\b55[0-9]\b|\b5\d\d \d",
         "the relay refuses the mail", "ask the relay's operator what the reply means"),
    )
)  # fmt: skip
_COMPILED = tuple((re.compile(rule.pattern), rule.cause) for rule in RULES)

# Whose words a cause is found in. All others are known by what is said here and there.
OURS = frozenset((
    "table type", "table key", "aliases", "permissions", "table", "parameter", "mail system configuration",
    "daemon", "transport", "deferred transport", "hold", "discarded", "not allowed to submit", "maildrop",
    "disk full here", "read-only", "milter", "content filter", "queue file", "mailbox", "mailbox full here",
    "command", "unknown user here", "resolver", "certificates here", "tls absent", "implicit TLS",
    "certificate expired", "certificate name", "certificate untrusted", "refused", "source address",
    "unreachable", "timeout", "lost connection",
))  # fmt: skip
THEIRS = frozenset((
    "login by application password", "login missing", "login temporary", "helo", "greylisting", "sender",
    "sender policy", "reverse name", "blocked", "relaying denied", "quota", "rate", "disk full there", "fault there",
    "recipient", "content", "busy", "refused by policy",
))  # fmt: skip
REPLY = re.compile(r"(?: said|refused to talk to me): (?P<reply>.*)", re.DOTALL)
# The reply of a listener that was asked directly, which here is this host's own: its words, and a reply.
BARE_REPLY = re.compile(r"\d{3}[ -]")

# What Postfix remarks about main.cf, in every process that reads it, and goes on.
REMARK = re.compile(
    r"overriding earlier entry|support for parameter .* will be removed|Postfix is running with backwards-compatible"
)

ADDRESS = re.compile(r"(?:connect to |host |with )(?P<address>\S+?\[[^\]]+\](?::\d+)?)")
NAME = re.compile(
    r"(?:Name service error for name=|[Uu]nable to look up host |unable to find host )(?P<host>[\w.-]+)"
)


def explain(text: str, **known: str) -> Cause:
    """The cause that these words of Postfix give.

    `known`: what the caller knows, as `sender`, `helo` and `host`, for the sentence.
    """
    values = {"sender": "", "helo": "", "host": "the relay", "address": "see the mail log", **known}
    reply = REPLY.search(text)
    ours, theirs = text[: reply.start()] if reply else text, reply["reply"] if reply else ""
    if BARE_REPLY.match(text):
        theirs = text
    for pattern in (ADDRESS, NAME):
        found = pattern.search(text)
        values.update(found.groupdict() if found else {})
    for pattern, cause in _COMPILED:
        where = ours if cause.name in OURS else theirs if cause.name in THEIRS else text
        found = pattern.search(where)
        if found:
            return _filled(cause, {**values, **found.groupdict("")})
    return Cause("unknown", "Postfix gives no reason that is known here", "see the mail log")


def _filled(cause: Cause, values: dict[str, str]) -> Cause:
    def fill(template: str) -> str:
        text = re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], "").rstrip(","), template)
        return (
            re.sub(r" *\(\s*\)| +(?=[,:.]|$)", "", re.sub(r" +", " ", text))
            .replace("( ", "(")
            .replace(" )", ")")
        )

    return cause._replace(why=fill(cause.why), remedy=fill(cause.remedy))
