"""What a case is, and the values that many cases share. Data only."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Mapping, NamedTuple, Sequence


class Case(NamedTuple):
    """A change of what the distribution ships. A broken one must be refused with a finding of `check` that matches
    `says`; a valid one must pass without an error, with a warning of `check` that matches `says` or, where that is
    empty, with none. `check` is empty where a broken one is refused before the checks, and where a valid one is a
    whole host. `setup` is run before, what follows "# undo:" in it after."""

    name: str
    check: str = ""
    says: str = ""
    parameters: Mapping[str, Any] = MappingProxyType({})
    services: Sequence[dict[str, Any]] = ()
    files: Sequence[dict[str, Any]] = ()
    setup: str = ""
    since: tuple[int, int] = (3, 0)
    before: tuple[int, int] = (9, 0)


HOP = "[relay.example.com]:587"
SIGN = "openssl x509 -req -in old.csr -signkey old.key -out old.pem"
EXPIRED = (
    "cd /root && openssl req -newkey rsa:2048 -nodes -keyout old.key -out old.csr -subj /CN=old"
    f" && ({SIGN} -not_before 20210101000000Z -not_after 20210201000000Z || {SIGN} -days -1)"
)
CA = "/etc/ssl/certs/ca-certificates.crt"
SNAKEOIL = {
    "smtpd_tls_cert_file": "/etc/ssl/certs/ssl-cert-snakeoil.pem",
    "smtpd_tls_key_file": "/etc/ssl/private/ssl-cert-snakeoil.key",
}
RELAY = {
    "relayhost": HOP,
    "smtp_sasl_auth_enable": True,
    "smtp_sasl_password_maps": "texthash:/etc/postfix/sasl_passwd",
    "smtp_sasl_security_options": "noanonymous",
    "smtp_tls_security_level": "secure",
    "smtp_tls_CAfile": CA,
}
PASSWORD = {"path": "sasl_passwd", "content": f"{HOP} joe:Pa:ss#word $1\n", "sensitive": True}


def inet(service: str, **options: Any) -> dict[str, Any]:
    return {"service": service, "type": "inet", "private": "n", "command": "smtpd", "options": options}


def text(path: str, content: str) -> dict[str, Any]:
    return {"path": path, "content": content}


def main_with(line: str) -> dict[str, Any]:
    """A small main.cf as text, for mistakes that a merge cannot make."""
    return text(
        "main.cf", f"compatibility_level = 2\nmynetworks = 127.0.0.0/8\nmydestination = localhost\n{line}\n"
    )


EL_MAIN = """\
compatibility_level = 2
queue_directory = /var/spool/postfix
command_directory = /usr/sbin
data_directory = /var/lib/postfix
mail_owner = postfix
inet_interfaces = localhost
inet_protocols = all
mydestination = $myhostname, localhost.$mydomain, localhost
unknown_local_recipient_reject_code = 550
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
debug_peer_level = 2
debugger_command =
\t PATH=/bin:/usr/bin:/usr/local/bin:/usr/X11R6/bin
\t ddd $daemon_directory/$process_name $process_id & sleep 5
sendmail_path = /usr/sbin/sendmail
newaliases_path = /usr/bin/newaliases
mailq_path = /usr/bin/mailq
setgid_group = postdrop
html_directory = no
manpage_directory = /usr/share/man
smtp_tls_CApath = /etc/ssl/certs
smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt
smtp_tls_security_level = may
"""
UPSTREAM_MASTER = """\
# ==========================================================================
# service type  private unpriv  chroot  wakeup  maxproc command + args
# ==========================================================================
smtp      inet  n       -       n       -       -       smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
        -o syslog_name=postfix/$service_name
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
lmtp      unix  -       -       n       -       -       lmtp
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
"""
SUSE_MAIN = """\
queue_directory = /var/spool/postfix
inet_protocols = all
biff = no
mail_spool_directory = /var/mail
canonical_maps = texthash:/etc/postfix/canonical
virtual_alias_maps = texthash:/etc/postfix/virtual
virtual_alias_domains = texthash:/etc/postfix/virtual
relocated_maps = texthash:/etc/postfix/relocated
transport_maps = texthash:/etc/postfix/transport
sender_canonical_maps = texthash:/etc/postfix/sender_canonical
masquerade_exceptions = root
masquerade_classes = envelope_sender, header_sender, header_recipient
myhostname = suse.example.com
delay_warning_time = 1h
message_strip_characters = \\0
program_directory = /usr/lib/postfix
inet_interfaces = localhost
masquerade_domains =
mydestination = $myhostname, localhost.$mydomain
defer_transports =
mynetworks_style = subnet
disable_dns_lookups = no
relayhost =
mailbox_command =
mailbox_transport =
strict_8bitmime = no
disable_mime_output_conversion = no
smtpd_sender_restrictions = texthash:/etc/postfix/access
smtpd_client_restrictions =
smtpd_helo_required = no
smtpd_helo_restrictions =
strict_rfc821_envelopes = no
smtpd_recipient_restrictions = permit_mynetworks,reject_unauth_destination
smtp_sasl_auth_enable = no
smtpd_sasl_auth_enable = no
smtpd_use_tls = no
smtp_use_tls = no
alias_maps = hash:/etc/aliases
mailbox_size_limit = 0
message_size_limit = 10240000
"""
SUBMISSION = inet(
    "587",
    syslog_name="postfix/submission",
    smtpd_tls_security_level="encrypt",
    smtpd_sasl_auth_enable=True,
    smtpd_tls_auth_only=True,
    smtpd_reject_unlisted_recipient=False,
    smtpd_recipient_restrictions="",
    smtpd_relay_restrictions="permit_sasl_authenticated,reject",
    milter_macro_daemon_name="ORIGINATING",
)


def table(name: str, content: str, parameter: str, kind: str = "texthash", **more: Any) -> dict[str, Any]:
    """Arguments of a Case for one table in the configuration directory."""
    return {
        "parameters": {parameter: f"{kind}:/etc/postfix/{name}", **more.pop("parameters", {})},
        "files": [text(name, content)],
        **more,
    }


def transport(row: str, **more: Any) -> dict[str, Any]:
    return table("transport", row + "\n", "transport_maps", **more)


def master_with(*lines: str) -> dict[str, Any]:
    return text("master.cf", UPSTREAM_MASTER + "".join(line + "\n" for line in lines))


def unix(service: str, command: str, **more: Any) -> dict[str, Any]:
    return {"service": service, "type": "unix", "command": command, **more}


def absent(service: str, kind: str = "unix") -> dict[str, Any]:
    return {"service": service, "type": kind, "state": "absent"}
