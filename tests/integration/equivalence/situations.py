"""The situations, a row each: what the host is like, what its operator asks for, and what then becomes of a message.

"sent": the probe must find the relay usable, and Postfix must deliver. "waits" (deferred, or still being tried) and
"bounces": the probe must not, and Postfix does not. "either": both ways are right, as long as probe and Postfix agree.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, NamedTuple

from world.outside import CRYPTED, DOMAIN, NOBODY, RECIPIENT, RESOLVER, SENDER, SILENT, USERS, address

SENT, WAITS, BOUNCES, EITHER = "sent", "waits", "bounces", "either"
GOOD = USERS["ops"]


class Situation(NamedTuple):
    name: str
    fate: str
    variables: dict[str, Any]
    prepare: str = ""
    """Shell commands that make the circumstances, before Postfix is started."""
    late: str = ""
    """Shell commands after Postfix was started with them."""
    says: str = ""
    """What the refusal has to say, a regular expression; of those that are not sent."""
    sender: str = ""
    """Envelope sender of the message; root's own if empty."""
    wait: float = 12
    stand_in: dict[str, Any] = {}  # noqa: RUF012 # never changed
    """Where the role takes the variables in no way: what to deploy in their place, before `by_hand` ..."""
    by_hand: str = ""
    """... puts the same thing into Postfix's files, to see what Postfix makes of it."""

    @property
    def ordinary(self) -> bool:
        """A relay, as the only thing that differs from another ordinary situation."""
        own = self.prepare or self.late or self.by_hand
        return not own and all(key.startswith(("postfix_relay_", "preflight_")) for key in self.variables)


def to(relay: str, *ports: int, user: str = "ops", **more: Any) -> dict[str, Any]:
    """Variables for a relay: a short name, or a host name as it stands."""
    host = relay if "." in relay or relay in SINGLE else f"{relay}.{DOMAIN}"
    login = {"postfix_relay_username": user, "postfix_relay_password": (USERS | CRYPTED).get(user, GOOD)}
    if not user:
        login = {}
    return {"postfix_relay_host": host, "postfix_relay_ports": list(ports) or [587], **login, **more}


SINGLE = ("mailhub", "plane", "localhost")


def hosts(*lines: str) -> str:
    return "".join(f"echo '{line}' >>/etc/hosts; " for line in lines)


def resolv(*lines: str) -> str:
    return f"printf '%s\\n' {' '.join(repr(line) for line in lines)} >/etc/resolv.conf; "


def nss(line: str) -> str:
    return f"sed -i 's/^hosts:.*/hosts: {line}/' /etc/nsswitch.conf; "


def password(text: str) -> str:
    """Put a password into the role's map by hand, as it is."""
    script = (
        "import pathlib, sys; path = pathlib.Path('/etc/postfix/sasl_passwd'); "
        "path.write_bytes(path.read_bytes().replace(b'STANDIN', sys.argv[1].encode('utf-8', 'surrogateescape')))"
    )
    return f'python3 -c "{script}" {_quoted(text)}; postfix reload 2>/dev/null'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


STAND_IN = {"postfix_relay_password": "STANDIN"}
PLAIN, SECOND = address("plain"), "{second}"
SEARCH = ("search corp.test", f"nameserver {RESOLVER}")
ENCRYPT = {"postfix_relay_tls": "encrypt"}
MAY = {"postfix_relay_tls": "may"}
TO_RECIPIENT = {"preflight_recipient": RECIPIENT}

NAMES = (
    Situation("name in DNS", SENT, to("plain")),
    Situation("name in /etc/hosts only", SENT, to("hostsonly"), hosts(f"{PLAIN} hostsonly.{DOMAIN}")),
    Situation(
        "name in /etc/hosts only, added after Postfix was started",
        SENT,
        to("hostsonly"),
        late=hosts(f"{PLAIN} hostsonly.{DOMAIN}"),
    ),
    Situation(
        "name in /etc/hosts only, as an alias of another",
        SENT,
        to("hostsonly"),
        hosts(f"{PLAIN} somebody.{DOMAIN} hostsonly.{DOMAIN}"),
    ),
    Situation(
        "name in /etc/hosts only, with an IPv6 address",
        SENT,
        to("hostsonly"),
        hosts(f"{address('plain', 6)} hostsonly.{DOMAIN}"),
    ),
    Situation(
        "/etc/hosts has the right address, DNS an old one",
        SENT,
        to("moved"),
        hosts(f"{PLAIN} moved.{DOMAIN}"),
    ),
    Situation(
        "/etc/hosts and DNS differ, both serve",
        SENT,
        to("both"),
        hosts(f"{PLAIN} both.{DOMAIN}"),
    ),
    Situation(
        "DNS first: it has the right address, /etc/hosts an old one",
        SENT,
        to("plain"),
        hosts(f"{NOBODY} plain.{DOMAIN}") + nss("dns files"),
    ),
    Situation(
        "DNS first: it has an old address, /etc/hosts the right one",
        WAITS,
        to("moved"),
        hosts(f"{PLAIN} moved.{DOMAIN}") + nss("dns files"),
        says="refused",
    ),
    Situation("nsswitch without dns", SENT, to("plain"), nss("files")),
    Situation(
        "nsswitch with myhostname and mdns",
        SENT,
        to("plain"),
        nss("files mdns4_minimal [NOTFOUND=return] dns myhostname"),
    ),
    Situation("no nsswitch.conf", SENT, to("plain"), "rm /etc/nsswitch.conf; "),
    Situation(
        "a .local name in DNS, mdns in the way",
        SENT,
        to("mailhub.local"),
        nss("files mdns4_minimal [NOTFOUND=return] dns"),
    ),
    Situation(
        "single label, completed by the search domain",
        WAITS,
        to("mailhub", **ENCRYPT),
        resolv(*SEARCH),
        says="dns_not_found",
    ),
    Situation("single label in /etc/hosts", SENT, to("mailhub"), hosts(f"{PLAIN} mailhub")),
    Situation(
        "mistyped name, answered by a wildcard in the search domain",
        WAITS,
        to("plain.relay.tset", **ENCRYPT),
        resolv(*SEARCH),
        says="dns_not_found",
    ),
    Situation(
        "mistyped single label, answered by a wildcard in the search domain",
        WAITS,
        to("plane", user="", **ENCRYPT),
        resolv(*SEARCH),
        says="dns_not_found",
    ),
    Situation(
        "a full name that has a dot too few, found in the search domain with ndots",
        WAITS,
        to("plain.relay", **ENCRYPT),
        resolv(*SEARCH, "options ndots:2"),
        says="dns_not_found",
    ),
    Situation("a search domain beside a full name", SENT, to("plain"), resolv(*SEARCH, "options ndots:5")),
    Situation("name with a dot at its end", SENT, to("plain.relay.test.", **ENCRYPT)),
    Situation("name in capitals", SENT, to("PLAIN.Relay.TEST")),
    Situation("name with an underscore", WAITS, to("under_score"), says="under_score"),
    Situation("name with an encoded umlaut", SENT, to("xn--bro-hoa")),
    Situation("alias in DNS", SENT, to("alias")),
    Situation("alias of an alias", SENT, to("alias-twice")),
    Situation("alias in another domain", SENT, to("alias-abroad")),
    Situation("alias to nowhere", WAITS, to("alias-to-nowhere"), says="dns_not_found"),
    Situation("name that does not exist", WAITS, to("gone"), says="dns_not_found"),
    Situation("name without an address", WAITS, to("empty"), says="dns_not_found"),
    Situation("name server says SERVFAIL", WAITS, to("servfail"), says="dns_failure"),
    Situation("name server says REFUSED", WAITS, to("refused"), says="dns_failure"),
    Situation("name server does not answer for the name", WAITS, to("silent"), says="dns_failure"),
    Situation(
        "no name server answers", WAITS, to("plain"), resolv(f"nameserver {SILENT}"), says="dns_failure"
    ),
    Situation(
        "no name server answers, name in /etc/hosts",
        SENT,
        to("plain"),
        hosts(f"{PLAIN} plain.{DOMAIN}") + resolv(f"nameserver {SILENT}", "options timeout:1 attempts:1"),
    ),
    Situation(
        "the second name server answers",
        SENT,
        to("plain"),
        resolv(f"nameserver {SILENT}", f"nameserver {RESOLVER}", "options timeout:1"),
        wait=20,
    ),
    Situation("empty resolv.conf", WAITS, to("plain"), ": >/etc/resolv.conf; ", says="dns_"),
    Situation("IPv4 address as the relay", SENT, to(PLAIN, **ENCRYPT)),
    Situation(
        "IPv4 address as the relay, name verified",
        WAITS,
        to(PLAIN),
        says="certificate_mismatch",
        stand_in=ENCRYPT,
        by_hand="sed -i s/encrypt/secure/ /etc/postfix/tls_policy /etc/postfix/main.cf; postfix reload 2>/dev/null",
    ),
)
CHROOT = "/var/spool/postfix"
CHROOTS = (
    Situation(
        "chroot: resolv.conf names a dead name server",
        SENT,
        to("plain"),
        late=f"echo 'nameserver {SILENT}' >{CHROOT}/etc/resolv.conf; postfix reload 2>/dev/null; ",
    ),
    Situation(
        "chroot: resolv.conf was changed after Postfix was started",
        SENT,
        to("plain"),
        resolv(f"nameserver {SILENT}"),
        late=resolv(f"nameserver {RESOLVER}"),
    ),
    Situation(
        "chroot: no resolv.conf",
        SENT,
        to("plain"),
        late=f"rm -f {CHROOT}/etc/resolv.conf; postfix reload 2>/dev/null; ",
    ),
    Situation(
        "chroot: an old /etc/hosts",
        SENT,
        to("moved"),
        hosts(f"{NOBODY} moved.{DOMAIN}"),
        late="sed -i 's/^.* moved/" + PLAIN + " moved/' /etc/hosts; ",
    ),
    Situation(
        "chroot: an old nsswitch.conf",
        SENT,
        to("hostsonly"),
        nss("dns") + hosts(f"{PLAIN} hostsonly.{DOMAIN}"),
        late=nss("files dns"),
    ),
    Situation(
        "smtp client without chroot",
        SENT,
        to("hostsonly"),
        "postconf -F smtp/unix/chroot=n; " + hosts(f"{PLAIN} hostsonly.{DOMAIN}"),
    ),
)
PLUGINS = "$(dirname /usr/lib/*/sasl2/libplain.so)"
LOGINS = (
    Situation("PLAIN alone", SENT, to("only-plain")),
    Situation("LOGIN alone", SENT, to("only-login")),
    Situation("CRAM-MD5 alone", SENT, to("cram")),
    Situation("SCRAM-SHA-1 alone", SENT, to("scram-1")),
    Situation("SCRAM-SHA-256 alone", SENT, to("scram-256")),
    Situation("DIGEST-MD5 among others", SENT, to("digest")),
    Situation("every mechanism", SENT, to("all-mechanisms")),
    Situation("DIGEST-MD5 offered, the server has only a hash", SENT, to("digest", user="crypted")),
    Situation("CRAM-MD5 offered, the server has only a hash", SENT, to("plain-cram", user="crypted")),
    Situation("SCRAM offered, the server has only a hash", SENT, to("plain-scram", user="crypted")),
    Situation(
        "every mechanism offered, the server has only a hash", SENT, to("all-mechanisms", user="crypted")
    ),
    Situation(
        "mechanism named: plain", SENT, to("all-mechanisms", user="crypted", postfix_relay_auth="plain")
    ),
    Situation("mechanism named: login", SENT, to("digest", postfix_relay_auth="login")),
    Situation("mechanism named: cram-md5", SENT, to("all-mechanisms", postfix_relay_auth="cram-md5")),
    Situation(
        "mechanism named that is not offered",
        WAITS,
        to("only-plain", postfix_relay_auth="cram-md5"),
        says="auth_unsupported",
    ),
    Situation("wrong password", WAITS, to("plain", postfix_relay_password="wrong"), says="auth_rejected"),
    Situation("unknown user", WAITS, to("plain", user="nobody"), says="auth_rejected"),
    Situation(
        "no plugin for PLAIN, LOGIN is offered too",
        SENT,
        to("plain"),
        f"rm {PLUGINS}/libplain.so*; ",
    ),
    Situation(
        "no plugin for PLAIN, and nothing else is offered",
        WAITS,
        to("only-plain"),
        f"rm {PLUGINS}/libplain.so*; ",
        says="libsasl2-modules|plain",
        stand_in=STAND_IN,
        by_hand=f"rm -f {PLUGINS}/libplain.so*; " + password(GOOD),
    ),
    Situation(
        "no plugin for SCRAM-SHA-256, PLAIN is offered too",
        SENT,
        to("plain-scram"),
        f"rm {PLUGINS}/libscram.so*; ",
    ),
    Situation("server offers no login", BOUNCES, to("no-login"), says="auth_absent"),
    Situation(
        "login wanted, none given", BOUNCES, to("plain", user="", **TO_RECIPIENT), says="recipient_rejected"
    ),
    Situation("user name with @", SENT, to("plain", user="ops@example.test")),
    *(
        Situation(f"password: {user}", SENT, to("plain", user=user))
        for user in (
            "colon",
            "blank",
            "umlaut",
            "hash",
            "quotes",
            "dollar",
            "backslash",
            "braces",
            "equals",
            "long",
        )
    ),
    *(
        Situation(
            f"password: {user}",
            WAITS,
            to("plain", user=user),
            says="postfix_relay_password",
            stand_in=STAND_IN,
            by_hand=password(USERS[user]),
        )
        for user in ("trailing", "tab")
    ),
    Situation("password: leading", SENT, to("plain", user="leading")),
    Situation("password: umlaut, by SCRAM", SENT, to("scram-256", user="umlaut")),
    Situation("password: dollar, by CRAM-MD5", SENT, to("cram", user="dollar")),
)
SHORT_NAME = "echo web1 >/etc/hostname; hostname web1; sed -i 's/^127.0.1.1.*/127.0.1.1 web1/' /etc/hosts; "
LOCAL_NAME = (
    "echo web1 >/etc/hostname; hostname web1; "
    "printf '127.0.0.1 localhost web1\\n::1 localhost\\n' >/etc/hosts; "
)
NO_NAME_SET = "sed -i '/^myhostname/d' /etc/postfix/main.cf; "
BAD_NAME = "postconf -e myhostname=localhost; postfix reload 2>/dev/null; "
HELLOS = (
    Situation("full name wanted, and said", SENT, to("full-name", **TO_RECIPIENT)),
    Situation("full name wanted at once, and said", SENT, to("full-name-at-once")),
    Situation(
        "full name wanted, host name without a domain",
        BOUNCES,
        to("full-name", **TO_RECIPIENT, postfix_myhostname="web1"),
        says="helo|HELO|EHLO|myhostname",
        stand_in={"postfix_myhostname": "web1.world.test"},
        by_hand="postconf -e myhostname=web1; postfix reload 2>/dev/null; ",
    ),
    Situation(
        "full name wanted at once, named localhost",
        BOUNCES,
        to("full-name-at-once", postfix_myhostname="localhost"),
        says="helo|HELO|EHLO|myhostname",
        stand_in={"postfix_myhostname": "web1.world.test"},
        by_hand=BAD_NAME,
    ),
    Situation(
        "full name wanted, smtp_helo_name says it",
        SENT,
        to(
            "full-name",
            **TO_RECIPIENT,
            postfix_myhostname="web1",
            postfix_parameters={"smtp_helo_name": "web1.world.test"},
        ),
    ),
    Situation(
        "full name wanted, /etc/hosts calls the host localhost",
        EITHER,
        to("full-name", **TO_RECIPIENT),
        LOCAL_NAME + NO_NAME_SET,
        says="helo|HELO|EHLO|myhostname",
        stand_in={"postfix_myhostname": "web1.world.test"},
        by_hand=BAD_NAME,
    ),
    Situation(
        "full name wanted, the host's name has no domain",
        EITHER,
        to("full-name", **TO_RECIPIENT),
        SHORT_NAME + NO_NAME_SET,
        says="helo|HELO|EHLO|myhostname",
        stand_in={"postfix_myhostname": "web1.world.test"},
        by_hand="postconf -e myhostname=web1; postfix reload 2>/dev/null; ",
    ),
    Situation("name known to DNS wanted, and said", SENT, to("known-name", **TO_RECIPIENT)),
    Situation(
        "name known to DNS wanted, another said",
        WAITS,
        to("known-name", **TO_RECIPIENT, postfix_myhostname="nobody.nowhere.test"),
        says="helo|HELO|EHLO|myhostname|recipient_deferred",
    ),
)
SENDERS = (
    Situation(
        "verified senders only, and one is used",
        SENT,
        to("verified", **TO_RECIPIENT, postfix_test_sender=SENDER, preflight_sender=SENDER),
        sender=SENDER,
    ),
    Situation(
        "verified senders only, root sends",
        BOUNCES,
        to("verified", **TO_RECIPIENT),
        says="sender_rejected|recipient_rejected",
    ),
    Situation(
        "verified senders only at once, root sends", BOUNCES, to("verified-at-once"), says="sender_rejected"
    ),
    Situation(
        "sender must be the login's own, and is",
        SENT,
        to("own-sender", **TO_RECIPIENT, preflight_sender=SENDER),
        sender=SENDER,
    ),
    Situation(
        "sender belongs to another login",
        BOUNCES,
        to("own-sender", user="colon", **TO_RECIPIENT, preflight_sender=SENDER),
        sender=SENDER,
        says="sender_rejected|recipient_rejected",
    ),
    Situation("sender's domain must exist, and does", SENT, to("known-domain", **TO_RECIPIENT)),
    Situation(
        "sender's domain does not exist",
        WAITS,
        to("known-domain", **TO_RECIPIENT, postfix_myorigin="nowhere.test"),
        says="sender_|recipient_deferred",
    ),
    Situation("the null sender is refused", SENT, to("no-null")),
    Situation("421 to every sender", WAITS, to("busy-for-senders"), says="sender_deferred"),
    Situation("450 to every sender", WAITS, to("later-for-senders"), says="sender_deferred"),
    Situation("recipient refused", BOUNCES, to("no-such-user", **TO_RECIPIENT), says="recipient_rejected"),
    Situation("recipient greylisted", WAITS, to("greylist", **TO_RECIPIENT), says="recipient_deferred"),
)
BIND = "postconf -e smtp_bind_address={second}; "
ADDRESSES = (
    Situation("relay takes the first address, Postfix uses it", SENT, to("first-address", **TO_RECIPIENT)),
    Situation(
        "relay takes the second address, Postfix uses the first",
        BOUNCES,
        to("second-address", **TO_RECIPIENT),
        says="_rejected",
    ),
    Situation(
        "relay takes the second address, main.cf binds to it",
        SENT,
        to("second-address", **TO_RECIPIENT),
        BIND,
    ),
    Situation(
        "relay takes the second address, the role binds to it",
        SENT,
        to("second-address", **TO_RECIPIENT, postfix_parameters={"smtp_bind_address": "{second}"}),
    ),
    Situation(
        "relay takes the first address, main.cf binds to the second",
        BOUNCES,
        to("first-address", **TO_RECIPIENT),
        BIND,
        says="_rejected",
    ),
    Situation("relay takes nobody", WAITS, to("not-me"), says="greeting_rejected"),
    Situation("relay on IPv6 only", SENT, to("six")),
    Situation(
        "relay on IPv6 only, Postfix on IPv4",
        WAITS,
        to("six", postfix_inet_protocols="ipv4"),
        says="dns_not_found",
    ),
    Situation(
        "relay on IPv4 only, Postfix on IPv6",
        WAITS,
        to("four-only", postfix_inet_protocols="ipv6"),
        says="dns_not_found",
    ),
    Situation("relay on both, Postfix on IPv6", SENT, to("both", postfix_inet_protocols="ipv6")),
    Situation("relay on both, Postfix on IPv4", SENT, to("both", postfix_inet_protocols="ipv4")),
    Situation("relay's IPv6 address is dead", SENT, to("dead-six")),
    Situation("relay's IPv4 address is dead", SENT, to("dead-four")),
    Situation(
        "relay's IPv4 address is dead, Postfix on IPv4",
        WAITS,
        to("dead-four", postfix_inet_protocols="ipv4"),
        says="refused",
    ),
    Situation("one of two addresses is dead", SENT, to("half-dead")),
    Situation("name server fails for AAAA", SENT, to("broken-six")),
    Situation(
        "main.cf has IPv4 only, relay on IPv6 only",
        WAITS,
        to("six"),
        "postconf -e inet_protocols=ipv4; ",
        says="dns_not_found",
    ),
)
LOAD = (
    Situation("one connection per client, four ports", SENT, to("one-connection", 587, 2525, 2587, 25)),
    Situation("one connection per client, one port", SENT, to("one-connection")),
    Situation("four connections in 20 s, one port", SENT, to("few-connections")),
    Situation("greeting after 5 s", SENT, to("slow"), wait=20),
    Situation("answer to EHLO after 3 s", SENT, to("slow-ehlo"), wait=20),
    Situation("postscreen, with a greeting in two parts", SENT, to("postscreen", user=""), wait=20),
)
TLS = (
    Situation("self-signed certificate", WAITS, to("self-signed", user=""), says="certificate_untrusted"),
    Situation("self-signed certificate, level encrypt", SENT, to("self-signed", user="", **ENCRYPT)),
    Situation("self-signed certificate, level may", SENT, to("self-signed", user="", **MAY)),
    Situation("wrong name in the certificate", WAITS, to("wrong-name", user=""), says="certificate_mismatch"),
    Situation("wrong name in the certificate, level encrypt", SENT, to("wrong-name", user="", **ENCRYPT)),
    Situation("expired certificate", WAITS, to("expired", user=""), says="certificate_expired"),
    Situation("expired certificate, level encrypt", SENT, to("expired", user="", **ENCRYPT)),
    Situation("certificate of tomorrow", WAITS, to("not-yet", user=""), says="certificate_not_yet_valid"),
    Situation("TLS 1.0 only", WAITS, to("old-tls", user=""), says="tls_too_old"),
    Situation("no STARTTLS", WAITS, to("no-tls", user=""), says="starttls_absent"),
    Situation("no STARTTLS, level may", SENT, to("no-tls", 25, user="", **MAY)),
    Situation("STARTTLS stripped", WAITS, to("stripped"), says="starttls_stripped|starttls_absent"),
    Situation("implicit TLS on 465", SENT, to("plain", 465)),
    Situation("implicit TLS on 2465", SENT, to("plain", 2465)),
    Situation("STARTTLS on 465", WAITS, to("server-at-465", 465), says="tls_mode_mismatch"),
    Situation("587 dropped, 2525 open", SENT, to("dropped", 587, 2525)),
    Situation("587 dropped, 465 open", SENT, to("dropped", 587, 465)),
    Situation("587 dropped, nothing else tried", WAITS, to("dropped", 587), says="filtered"),
    Situation("port refused", WAITS, to("plain", 2587), says="refused"),
    Situation("421 to EHLO", WAITS, to("busy-at-ehlo"), says="ehlo_deferred"),
)
SITUATIONS = NAMES + CHROOTS + LOGINS + HELLOS + SENDERS + ADDRESSES + LOAD + TLS
