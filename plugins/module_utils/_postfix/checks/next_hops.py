"""What is wrong on the way out: TLS of next hops, loops, credentials.

The rule of this file: what Postfix would only tell by a queue that grows is told here.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import os
from typing import Iterator, NamedTuple, Sequence

from ..._base.addresses import IMPLICIT_TLS_PORTS, family_title, ip_version, is_address
from ..files import block, lines, master_cf, nexthop
from ..files.parameters import STARTTLS_PORTS
from ..files.text import read_text
from ..host.addresses import is_local
from ..host.listeners import port_number, split_inet_service
from .configuration import Configuration, UsedHop, once
from .finding import Finding, TableRow, check

ENCRYPTED_LEVELS = ("encrypt", "dane-only", "fingerprint", "verify", "secure")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@check("implicit-tls-port")
def implicit_tls_port(config: Configuration) -> Iterator[Finding]:
    """Port 465 without smtp_tls_wrappermode, or a STARTTLS port with it.

    Client and server each wait for the other to speak, until a timeout, and the log names neither port nor mode.
    Manual: postconf(5) smtp_tls_wrappermode; RFC 8314, section 3.3.
    """
    for setting, hop, _for_all_mail in config.used_hops:
        wrapped = config.enabled("smtp_tls_wrappermode", config.client_of(hop))
        if hop.port in IMPLICIT_TLS_PORTS and not wrapped:
            yield setting.error(
                f"{hop.text}: port {hop.port} is implicit TLS, but {hop.service} speaks STARTTLS and would wait",
                "use port 587, or a transport with -o smtp_tls_wrappermode=yes and "
                "-o smtp_tls_security_level=encrypt in default_transport",
            )
        elif wrapped and hop.port in STARTTLS_PORTS:
            yield setting.error(
                f"{hop.text}: port {hop.port} is STARTTLS, but {hop.service} has smtp_tls_wrappermode = yes",
                "use port 465, or set smtp_tls_wrappermode = no",
            )


@check("implicit-tls-level")
def implicit_tls_level(config: Configuration) -> Iterator[Finding]:
    """smtp_tls_wrappermode with a TLS level below encrypt.

    smtp(8) refuses the combination and defers all mail.
    Manual: postconf(5) smtp_tls_wrappermode.
    """
    for _setting, hop, _for_all_mail in config.used_hops:
        entry = config.client_of(hop)
        level = config.level_of(entry, hop)[0]
        matches = hop.port not in STARTTLS_PORTS and config.enabled("smtp_tls_wrappermode", entry)
        if matches and level in ("none", "may", "dane", ""):
            yield config.setting("smtp_tls_wrappermode", entry).error(
                f"implicit TLS does not work with the level {level or 'none'}",
                "set smtp_tls_security_level = encrypt or secure there",
            )


@check("implicit-tls-to-everybody")
def implicit_tls_to_everybody(config: Configuration) -> Iterator[Finding]:
    """smtp_tls_wrappermode where mail goes straight to the servers of each domain.

    They speak STARTTLS on port 25, so no connection succeeds.
    Manual: postconf(5) smtp_tls_wrappermode.
    """
    if any(used.for_all_mail for used in config.used_hops):
        return
    transport, hop = nexthop.split_transport(config.value("default_transport") or "smtp")
    entry = config.transports.get(transport)
    if not hop and entry and entry.command == "smtp" and config.enabled("smtp_tls_wrappermode", entry):
        yield config.setting("smtp_tls_wrappermode", entry).error(
            "mail goes to port 25 of each domain's servers, which speak STARTTLS, not implicit TLS",
            "set smtp_tls_wrappermode = no, or name a relayhost with port 465",
        )


@check("verified-without-a-relay")
def verified_without_a_relay(config: Configuration) -> Iterator[Finding]:
    """Mail that goes straight to the servers of its recipients, at a level that insists on a certificate.

    Of these hardly any has one with the name that is compared, so mail to them waits in the queue until it bounces.
    Manual: TLS_README, postconf(5) smtp_tls_security_level, smtp_tls_secure_cert_match.
    """
    for client, by_whom, domain in _straight(config):
        entry = config.transports.get(client)
        level = config.level_of(entry, nexthop.NextHop(domain, domain, 25, False, client))[0]
        if entry and entry.command == "smtp" and level in ("verify", "secure"):
            yield config.setting("smtp_tls_security_level", entry).warning(
                f"mail that {by_whom} hands to {client} goes straight to the servers of its recipients, hardly any of "
                f"which has a certificate that the level {level} takes, so it would wait in the queue",
                "set smtp_tls_security_level = may or dane there, and the level of each relay in smtp_tls_policy_maps",
            )


def _straight(config: Configuration) -> Iterator[tuple[str, str, str]]:
    """Clients that find servers by the domain of the recipient, what hands mail to them, and that domain where it is
    one; of each table one."""
    default, hop = nexthop.split_transport(config.value("default_transport") or "smtp")
    relayhost = config.words("relayhost")
    if not hop and not relayhost:
        yield default, "default_transport", ""
    for name in ("sender_dependent_default_transport_maps", "transport_maps"):
        by_recipient, seen = name == "transport_maps", set()
        for setting, value in config.settings_of(name):
            for row in config.row_settings(setting, value):
                transport, hop = nexthop.split_transport(row.raw)
                # relayhost decides for those of senders as well.
                straight = transport and not hop and (by_recipient or not relayhost)
                if straight and row.raw.upper() != "DUNNO" and transport not in seen:
                    seen.add(transport)
                    domain = row.name.rpartition("@")[2].strip("*.") if by_recipient else ""
                    yield transport, name, domain


@check("next-hop-family")
def next_hop_family(config: Configuration) -> Iterator[Finding]:
    """A next hop by an address of the family that inet_protocols leaves out.

    Postfix opens no connection of that family, so mail is deferred.
    Manual: postconf(5) inet_protocols.
    """
    protocols = [word.lower() for word in config.words("inet_protocols")]
    for setting, hop, _for_all_mail in config.used_hops:
        version = ip_version(hop.host)
        if protocols and version and not {"all", version} & {*protocols}:
            yield setting.error(
                f"{hop.text} is an {family_title(version)} address, but inet_protocols is {' '.join(protocols)}",
                f"add {version} to inet_protocols, or write a name",
            )


@check("address-never-verifies")
def address_never_verifies(config: Configuration) -> Iterator[Finding]:
    """A next hop by its address, at a level that compares the name with the certificate's.

    Certificates carry names, so verification fails and mail is deferred.
    Manual: TLS_README, postconf(5) smtp_tls_secure_cert_match.
    """
    for setting, hop, _for_all_mail in config.used_hops:
        entry = config.client_of(hop)
        level, row = config.level_of(entry, hop)
        if level not in ("verify", "secure") or not is_address(hop.host) or (row and "match=" in row.value):
            continue
        if {*config.words(f"smtp_tls_{level}_cert_match", entry)} <= {"nexthop", "dot-nexthop", "hostname"}:
            yield setting.error(
                f"{hop.text}: the level {level} compares names, and no certificate matches an address",
                "write the host's name, or a policy with match=NAME",
            )


@check("mail-loop")
def mail_loop(config: Configuration) -> Iterator[Finding]:
    """A relay that is this host's own smtpd, where no content_filter of that takes the mail elsewhere.

    Each message comes back until "mail for ... loops back to myself" or too many hops bounce it.
    Manual: postconf(5) relayhost, content_filter; RFC 5321, section 6.3.
    """
    for setting, hop, for_all_mail in config.used_hops:
        entry = _own_service(config, hop) if for_all_mail else None
        if entry and _comes_back(config, entry, frozenset()):
            yield setting.error(
                f"{hop.text} is this host's own smtpd, so mail would loop", "name another host, or none"
            )


def _comes_back(config: Configuration, entry: master_cf.Service, seen: frozenset[str]) -> bool:
    """Whether mail that a service takes is sent to this host again, and again."""
    content_filter = config.value("content_filter", entry)
    if not content_filter or entry.service in seen:
        return True
    transport, hops = nexthop.split_transport(content_filter)
    for text in lines.split_list(hops):
        with contextlib.suppress(ValueError):
            following = _own_service(config, nexthop.parse_next_hop(text, transport))
            if following and _comes_back(config, following, seen | {entry.service}):
                return True
    return False


def _own_service(config: Configuration, hop: nexthop.NextHop) -> master_cf.Service | None:
    """This host's own smtpd that a next hop reaches."""
    addresses = _own_addresses(config, hop)
    for entry in config.smtpd_services if addresses else ():
        name, port = split_inet_service(entry.service)
        same_port = entry.type == "inet" and port_number(port) == hop.port
        if same_port and addresses & config.addresses_of(name):
            return entry
    return None


def _own_addresses(config: Configuration, hop: nexthop.NextHop) -> frozenset[str]:
    """What a service must listen on so that the next hop reaches it; empty for another host."""
    host = hop.host.lower().rstrip(".")
    if hop.bracketed and host == config.value("myhostname").lower():
        return frozenset({"0.0.0.0", "::"})
    if host == "localhost":
        return frozenset({"127.0.0.1", "::1", "0.0.0.0", "::"})
    if is_address(host) and is_local(host):
        # Another instance of Postfix may listen on another address of this host.
        return frozenset({host, "::" if ":" in host else "0.0.0.0"})
    return frozenset()


class _Login(NamedTuple):
    """A next hop at which the SMTP client may log in, and its tables of passwords. `rows`: None where not readable."""

    used: UsedHop
    client: master_cf.Service | None
    tables: str
    rows: Sequence[TableRow] | None

    def named_in(self, keys: frozenset[str]) -> bool:
        """Whether a password would be found; Postfix also looks for the bare name of the host that it reached."""
        return self.used.hop.text.lower() in keys or self.used.hop.host.lower() in keys


def _logins(config: Configuration) -> Iterator[_Login]:
    for used in config.used_hops:
        client = config.client_of(used.hop)
        if config.enabled("smtp_sasl_auth_enable", client) and used.hop.host.lower() not in _LOOPBACK:
            tables = config.value("smtp_sasl_password_maps", client)
            yield _Login(used, client, tables, config.rows(tables) if tables else None)


@check("login-without-passwords")
def login_without_passwords(config: Configuration) -> Iterator[Finding]:
    """smtp_sasl_auth_enable without a table of passwords.

    smtp(8) does not start, and all mail is deferred.
    Manual: SASL_README, postconf(5) smtp_sasl_password_maps.
    """
    for login in _logins(config):
        if not login.tables:
            yield config.setting("smtp_sasl_password_maps", login.client).error(
                "smtp_sasl_auth_enable is yes, but there are no passwords",
                "name a table, for example texthash:/etc/postfix/sasl_passwd",
            )


@check("password-key")
def password_key(config: Configuration) -> Iterator[Finding]:
    """A password under a key that means the relay and is not its next hop byte for byte.

    Postfix does not find it, sends no password, and the relay refuses to relay.
    Manual: SASL_README, postconf(5) smtp_sasl_password_maps.
    """
    for login in _logins(config):
        if login.rows and not login.named_in(config.keys(login.tables)):
            yield from key_of_other_form(config, login.used.hop, login.tables, "no password would be sent")


@check("password-missing")
def password_missing(config: Configuration) -> Iterator[Finding]:
    """A relay for all mail for which the table of passwords has no key.

    Postfix sends no password there, which is right only where the relay asks for none.
    Manual: SASL_README, postconf(5) smtp_sasl_password_maps.
    """
    for login in _logins(config):
        if login.rows is None or not login.used.for_all_mail:
            continue
        keys, hop = config.keys(login.tables), login.used.hop
        # By sender, where a key is an address.
        by_sender = any("@" in key for key in keys)
        if not login.named_in(keys) and not by_sender and not config.similar(login.tables, hop):
            yield config.setting("smtp_sasl_password_maps", login.client).warning(
                f"no key is {hop.text}, so no password would be sent there",
                f"add a line that begins with {hop.text}",
            )


@check("password-overridden")
def password_overridden(config: Configuration) -> Iterator[Finding]:
    """A password under a next hop, and another one under the bare name of its host in a later table.

    Postfix looks for the name of the host first, in all tables, so the login that was put in front is never used: the
    other one is sent there.
    Manual: SASL_README, postconf(5) smtp_sasl_password_maps.
    """
    for login in _logins(config):
        hop, rows = login.used.hop, list(login.rows or ())
        mine = next((row for row in rows if row.key.lower() == hop.text.lower()), None)
        sent = next((row for row in rows if row.key.lower() == hop.host.lower()), None)
        if mine and sent and mine.value != sent.value and mine.file != sent.file:
            yield sent.error(
                f"Postfix looks for the host before the next hop, so this login is sent to {hop.text}, and the one in "
                f"{mine.file} never",
                "remove this row",
                certain=rows.index(mine) < rows.index(sent),
            )


@check("password-by-sender")
def password_by_sender(config: Configuration) -> Iterator[Finding]:
    """A password under a sender whose mail goes to a relay that has another password under its next hop.

    With smtp_sender_dependent_authentication Postfix looks for the sender first, in all tables, so that relay is sent
    the login of the sender. Where that is an account at another relay, as one that this host had before, it is given
    away, and refused. Not told of passwords that stand together in one table, nor of a sender with a relay of its own.
    Manual: SASL_README, postconf(5) smtp_sender_dependent_authentication.
    """
    told = set()
    for login in _logins(config):
        mine = next((row for row in login.rows or () if row.key.lower() == login.used.hop.text.lower()), None)
        by_sender = config.enabled("smtp_sender_dependent_authentication", login.client)
        if not (mine and by_sender and login.used.for_all_mail):
            continue
        for row in _of_senders_without_a_relay(config, login.rows or ()):
            if row.value != mine.value and row not in told and _origin(config, row) != _origin(config, mine):
                told.add(row)
                yield row.error(
                    "Postfix looks for the sender before the next hop (smtp_sender_dependent_authentication), so "
                    f"mail of this one goes to {login.used.hop.text} with this login, and not with the one in "
                    f"{mine.file} line {mine.line}",
                    "remove this row if it is for another relay, or name that relay for the sender",
                    certain=False,
                )


def _of_senders_without_a_relay(config: Configuration, rows: Sequence[TableRow]) -> list[TableRow]:
    """The rows of senders whose mail goes as everybody's does."""
    tables = [
        config.value(f"sender_dependent_{what}_maps").strip() for what in ("relayhost", "default_transport")
    ]
    if any(config.rows(value) is None for value in tables if value):
        return []
    elsewhere = {key for value in tables if value for key in config.keys(value)}
    return [
        row
        for row in rows
        if "@" in row.key and not {row.key.lower(), f"@{row.key.lower().rpartition('@')[2]}"} & elsewhere
    ]


def _origin(config: Configuration, row: TableRow) -> tuple[str, bool]:
    """Who wrote a row: its file, and whether it is in the block there."""
    return row.file, row.line in _block(config, row.file)


@once
def _block(config: Configuration, file: str) -> range:
    """The lines of the block in a file, as findings name it."""
    return block.lines_of(read_text(config.staged(os.path.join(config.live, file))))


@check("password-row")
def password_row(config: Configuration) -> Iterator[Finding]:
    """A row of passwords that is not KEY USER:PASSWORD.

    The login fails, or none is tried.
    Manual: SASL_README.
    """
    seen = {}
    for login in _logins(config):
        seen[login.tables] = login.rows or ()
    # Kerberos needs a user name alone.
    wanted = "GSSAPI" in config.value("smtp_sasl_mechanism_filter").upper()
    for rows in seen.values():
        for row in rows:
            if row.value.startswith("="):
                yield row.error("white space alone stands between key and user", "remove the =")
            elif ":" not in row.value:
                yield row.error(
                    "no password follows the user name", "write user:password", certain=not wanted
                )


def _sent(config: Configuration) -> Iterator[tuple[_Login, list[str]]]:
    """Those at which a password will be sent, as far as can be told, and the SASL security options without TLS."""
    for login in _logins(config):
        without = login.rows is not None and not login.named_in(config.keys(login.tables))
        if login.tables and (login.used.for_all_mail or not without):
            options = config.words("smtp_sasl_security_options", login.client)
            yield login, [word.lower() for word in options]


@check("password-in-the-clear")
def password_in_the_clear(config: Configuration) -> Iterator[Finding]:
    """A login at a TLS level that does not insist on TLS.

    Where TLS is stripped or missing, the password goes out readable by everybody on the way.
    Manual: TLS_README, SASL_README, postconf(5) smtp_sasl_security_options.
    """
    for login, options in _sent(config):
        level, row = config.level_of(login.client, login.used.hop)
        if level not in ENCRYPTED_LEVELS:
            told = (
                f"{row.file} line {row.line}" if row and row.file in config.secret_files else f"level {level}"
            )
            yield login.used.setting.error(
                f"{login.used.hop.text}: a password may go there without TLS ({told})",
                "set smtp_tls_security_level = secure, or encrypt",
                certain="noplaintext" not in options,
            )


@check("noplaintext-over-tls")
def noplaintext_over_tls(config: Configuration) -> Iterator[Finding]:
    """noplaintext among the options of logins over TLS, where it stands by default without smtp_sasl_security_options.

    PLAIN and LOGIN are ruled out, and most relays offer nothing else.
    Manual: postconf(5) smtp_sasl_tls_security_options, SASL_README.
    """
    for login, options in _sent(config):
        tls_options = config.words("smtp_sasl_tls_security_options", login.client) or options
        if "noplaintext" in [word.lower() for word in tls_options]:
            yield config.setting("smtp_sasl_tls_security_options", login.client).warning(
                "noplaintext refuses PLAIN and LOGIN, the only mechanisms of most relays",
                "set smtp_sasl_tls_security_options = noanonymous",
            )


def key_of_other_form(
    config: Configuration, hop: nexthop.NextHop, tables: str, consequence: str
) -> Iterator[Finding]:
    """Rows whose key means this next hop and matches none that is in use."""
    for row in config.similar(tables, hop):
        if row.key.lower() not in config.hop_texts:
            yield row.error(
                f"the key must repeat the next hop byte for byte, so {consequence}", f"write {hop.text}"
            )


CHECKS = (
    implicit_tls_port,
    implicit_tls_level,
    implicit_tls_to_everybody,
    verified_without_a_relay,
    next_hop_family,
    address_never_verifies,
    mail_loop,
    login_without_passwords,
    password_key,
    password_missing,
    password_overridden,
    password_by_sender,
    password_row,
    password_in_the_clear,
    noplaintext_over_tls,
)
