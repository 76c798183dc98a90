# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken and valid configurations, each named after its mistake or its user.

A case changes the configuration that the distribution ships. A broken one must be refused, with a
finding that matches `says`; a valid one must pass without an error. Data only.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Mapping, NamedTuple, Sequence


class Case(NamedTuple):
    name: str
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


BROKEN = [
    # parameters: names, types, closed sets
    Case(
        "unknown_parameter",
        "no parameter of this name.*smtp_tls_security_level",
        {"smtp_tls_securty_level": "may"},
    ),
    Case("parameter_of_nobody", "no parameter of this name", {"frobnicate": "yes"}),
    Case("boolean_written_true", "yes or no is needed here; write yes", {"smtp_sasl_auth_enable": "True"}),
    Case("boolean_written_on", "append_dot_mydomain = on: .*write yes", {"append_dot_mydomain": "on"}),
    Case("boolean_written_zero", "biff = 0: .*write no", {"biff": "0"}),
    Case("boolean_misspelt", "write yes or no", {"disable_vrfy_command": "yess"}),
    Case(
        "size_with_unit", "message_size_limit = 50M: a number .*write 52428800", {"message_size_limit": "50M"}
    ),
    Case("number_with_words", "a number is needed", {"smtpd_client_connection_count_limit": "ten"}),
    Case("time_with_wrong_unit", "a time is needed here; write 30m", {"smtp_helo_timeout": "30 minutes"}),
    Case("time_with_year", "a time is needed", {"maximal_queue_lifetime": "1y"}),
    Case(
        "transport_limit_not_a_number", "a number is needed", {"smtp_destination_concurrency_limit": "many"}
    ),
    Case(
        "tls_level_misspelt",
        "encyrpt: there is no such TLS level.*write encrypt",
        {"smtp_tls_security_level": "encyrpt"},
    ),
    Case("tls_level_boolean", "no such TLS level", {"smtp_tls_security_level": True}),
    Case(
        "server_tls_level_of_client",
        "no such TLS level of the server",
        {"smtpd_tls_security_level": "secure"},
    ),
    Case("inet_protocols_misspelt", "'ipv44' is no protocol; write ipv4", {"inet_protocols": "ipv44"}),
    Case("inet_protocols_empty", "no protocol is named", {"inet_protocols": ""}),
    Case("inet_protocols_number", "'4' is no protocol", {"inet_protocols": 4}),
    Case("address_preference_misspelt", "no such address family", {"smtp_address_preference": "ip4"}),
    Case("ciphers_misspelt", "no such cipher grade; write high", {"smtp_tls_mandatory_ciphers": "hihg"}),
    Case(
        "protocol_misspelt",
        "is no TLS protocol; write TLSv1.2",
        {"smtpd_tls_mandatory_protocols": "!SSLv3, TLSv12"},
    ),
    Case("protocol_range_too_new", "has no ranges", {"smtp_tls_protocols": ">=TLSv1.2"}, before=(3, 6)),
    Case(
        "sasl_option_misspelt",
        "is no SASL security option; write noanonymous",
        {"smtp_sasl_security_options": "noanonymus"},
    ),
    Case(
        "mechanism_is_plugin_name",
        "no SASL mechanism.*write CRAM-MD5",
        {**RELAY, "smtp_sasl_mechanism_filter": "crammd5"},
        files=[PASSWORD],
    ),
    Case("host_lookup_misspelt", "no way to look up hosts", {"smtp_host_lookup": "dsn"}),
    Case("compatibility_level_in_words", "number or a version", {"compatibility_level": "latest"}),
    Case("compatibility_level_of_the_future", "this host has Postfix", {"compatibility_level": "4.2"}),
    Case("milter_without_type", "is no endpoint; write inet:", {"smtpd_milters": "localhost:8891"}),
    Case("notify_class_misspelt", "no class of notices", {"notify_classes": "resource, sofware"}),
    Case(
        "line_without_equals",
        "line 4: .*not an assignment",
        files=[main_with("relayhost [relay.example.com]")],
    ),
    Case(
        "line_begins_with_space",
        "not an assignment",
        files=[text("main.cf", "  relayhost = x\ncompatibility_level = 2\n")],
    ),
    # networks, hosts, next hops
    Case(
        "mynetworks_ipv6_unbracketed",
        r"IPv6 without brackets; write \[2001:db8::\]/32",
        {"mynetworks": "127.0.0.0/8 2001:db8::/32"},
    ),
    Case(
        "mynetworks_host_bits", "host bits.*write 192.0.2.0/24", {"mynetworks": "127.0.0.0/8, 192.0.2.1/24"}
    ),
    Case("mynetworks_not_a_network", "not an IPv4 network", {"mynetworks": "127.0.0.0/8 192.0.2.0/33"}),
    Case("mynetworks_mask_in_brackets", r"write \[::1\]/128", {"mynetworks": "127.0.0.0/8 [::1/128]"}),
    Case("mynetworks_everybody", "whole Internet may relay", {"mynetworks": "0.0.0.0/0"}),
    Case(
        "relayhost_open_bracket",
        r"brackets do not match; write \[relay.example.com\]:587",
        {"relayhost": "[relay.example.com:587"},
    ),
    Case(
        "relayhost_port_in_brackets",
        r"port belongs behind the bracket; write \[relay.example.com\]:587",
        {"relayhost": "[relay.example.com:587]"},
    ),
    Case(
        "relayhost_port_without_colon",
        r"only :port may follow; write \[relay.example.com\]:587",
        {"relayhost": "[relay.example.com]587"},
    ),
    Case("relayhost_port_too_big", "70000 is outside", {"relayhost": "[relay.example.com]:70000"}),
    Case("relayhost_port_missing", "no port follows", {"relayhost": "relay.example.com:"}),
    Case(
        "relayhost_url",
        r"is a URL; write \[relay.example.com\]:587",
        {"relayhost": "smtp://relay.example.com:587"},
    ),
    Case("relayhost_ipv6_unbracketed", "needs brackets", {"relayhost": "2001:db8::25"}),
    Case(
        "relayhost_list_too_old",
        "lists came with 3.5",
        {"relayhost": "[a.example.com] [b.example.com]"},
        before=(3, 5),
    ),
    Case("interface_of_another_host", "no address of this host", {"inet_interfaces": "192.0.2.77"}),
    Case("interfaces_misspelt", "write loopback-only", {"inet_interfaces": "loopback_only"}),
    Case("interfaces_empty", "no interface is named", {"inet_interfaces": ""}),
    Case("bind_address_of_another_host", "no address of this host", {"smtp_bind_address": "192.0.2.77"}),
    Case("hostname_with_underscore_and_space", "not a host name", {"myhostname": "my host"}),
    Case(
        "transport_not_in_master", "no service 'relais'; write relay", {"default_transport": f"relais:{HOP}"}
    ),
    Case("virtual_transport_missing", "no service 'dovecot'", {"virtual_transport": "dovecot"}),
    # tables
    Case("map_missing", "does not exist; create it", {"virtual_alias_maps": "texthash:/etc/postfix/virtual"}),
    Case(
        "map_misspelt",
        "write texthash:/etc/postfix/virtual",
        {"virtual_alias_maps": "texthash:/etc/postfix/virtaul"},
        files=[text("virtual", "a@example.com b\n")],
    ),
    Case(
        "map_without_type",
        "has no table type; write hash:|write cdb:|write lmdb:|has no table type",
        {"virtual_alias_maps": "/etc/postfix/virtual"},
        files=[text("virtual", "a@example.com b\n")],
    ),
    Case(
        "map_type_unknown",
        "no table type 'hsah'; write hash:",
        {"virtual_alias_maps": "hsah:/etc/postfix/virtual"},
        files=[text("virtual", "a@example.com b\n")],
    ),
    Case(
        "map_type_not_installed",
        "no table type 'pgsql'; install the package postfix-pgsql",
        {"virtual_alias_maps": "pgsql:/etc/postfix/virtual.cf"},
    ),
    Case(
        "texthash_duplicate_key",
        "virtual line 2: .*there twice",
        {"virtual_alias_maps": "texthash:/etc/postfix/virtual"},
        files=[text("virtual", "a@example.com b\nA@example.com c\n")],
    ),
    Case(
        "map_row_without_value",
        "virtual line 1: .*no value",
        {"virtual_alias_maps": "texthash:/etc/postfix/virtual"},
        files=[text("virtual", "a@example.com\n")],
    ),
    Case(
        "regexp_without_end",
        "regexp:/etc/postfix/checks",
        {"header_checks": "regexp:/etc/postfix/checks"},
        files=[text("checks", "/^Subject: x REJECT\n")],
    ),
    Case(
        "cidr_with_nonsense",
        "cidr:/etc/postfix/clients",
        {"smtpd_client_restrictions": "check_client_access cidr:/etc/postfix/clients"},
        files=[text("clients", "192.0.2.0/99 REJECT\n")],
    ),
    Case("map_is_directory", "directory", {"virtual_alias_maps": "texthash:/etc/postfix/sasl"}),
    # relay with credentials
    Case(
        "password_key_without_brackets",
        r"relay.example.com:587: the key must repeat the next hop byte for byte.*write \[relay",
        RELAY,
        files=[{**PASSWORD, "content": "relay.example.com:587 joe:secret7\n"}],
    ),
    Case(
        "password_key_of_other_port",
        "must repeat the next hop byte for byte",
        RELAY,
        files=[{**PASSWORD, "content": "[relay.example.com]:2525 joe:secret7\n"}],
    ),
    Case(
        "password_in_main_cf",
        "read by every user",
        {**RELAY, "smtp_sasl_password_maps": "static:joe:secret7"},
    ),
    Case("sasl_without_passwords", "there are no passwords", {**RELAY, "smtp_sasl_password_maps": None}),
    Case(
        "password_without_tls",
        r"a password may go there without TLS \(level may\)",
        {**RELAY, "smtp_tls_security_level": "may"},
        files=[PASSWORD],
    ),
    Case("password_table_missing", "sasl_passwd.*does not exist", RELAY),
    Case(
        "secure_without_ca",
        "no CA is named",
        {**RELAY, "smtp_tls_CAfile": None, "smtp_tls_CApath": None},
        files=[PASSWORD],
    ),
    Case(
        "verify_without_ca",
        "no CA is named",
        {"smtp_tls_security_level": "verify", "smtp_tls_CAfile": None, "smtp_tls_CApath": None},
    ),
    Case(
        "ca_file_missing",
        "/etc/ssl/certs/none.pem does not exist",
        {"smtp_tls_CAfile": "/etc/ssl/certs/none.pem"},
    ),
    Case("ca_file_is_no_pem", "no certificate can be read", {"smtp_tls_CAfile": "/etc/passwd"}),
    Case(
        "policy_level_misspelt",
        "tls_policy line 1: .*no such TLS level; write secure",
        {**RELAY, "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy"},
        files=[PASSWORD, text("tls_policy", f"{HOP} secrue\n")],
    ),
    Case(
        "policy_key_of_other_form",
        "tls_policy line 1: .*byte for byte, so this policy",
        {**RELAY, "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy"},
        files=[PASSWORD, text("tls_policy", "relay.example.com secure\n")],
    ),
    Case(
        "policy_attribute_misspelt",
        "no such attribute; write match",
        {**RELAY, "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy"},
        files=[PASSWORD, text("tls_policy", f"{HOP} secure mach=example.com\n")],
    ),
    Case(
        "implicit_port_with_starttls",
        "465 is implicit TLS",
        {**RELAY, "relayhost": "[relay.example.com]:465"},
        files=[{**PASSWORD, "content": "[relay.example.com]:465 joe:secret7\n"}],
    ),
    Case(
        "port_2465_with_starttls",
        "2465 is implicit TLS",
        {"relayhost": "[relay.example.com]:2465", "smtp_tls_security_level": "may"},
    ),
    Case(
        "wrappermode_on_587",
        "587 is STARTTLS",
        {**RELAY, "smtp_tls_wrappermode": True, "smtp_tls_security_level": "encrypt"},
        files=[PASSWORD],
    ),
    Case(
        "wrappermode_with_may",
        "implicit TLS does not work with the level may",
        {
            "relayhost": "[relay.example.com]:465",
            "smtp_tls_wrappermode": True,
            "smtp_tls_security_level": "may",
        },
    ),
    Case(
        "no_sasl_plugin",
        "no SASL mechanism plugin is installed",
        RELAY,
        files=[PASSWORD],
        setup="mv /usr/lib/x86_64-linux-gnu/sasl2 /root/sasl2 # undo: mv /root/sasl2 /usr/lib/x86_64-linux-gnu/sasl2",
    ),
    Case(
        "filtered_plugin_missing",
        "plugin for XOAUTH2 is not installed",
        {**RELAY, "smtp_sasl_mechanism_filter": "XOAUTH2"},
        files=[PASSWORD],
    ),
    # certificates
    Case("cert_missing", "/etc/ssl/none.pem does not exist", {"smtpd_tls_cert_file": "/etc/ssl/none.pem"}),
    Case(
        "key_missing",
        "/etc/ssl/none.key does not exist",
        {**SNAKEOIL, "smtpd_tls_key_file": "/etc/ssl/none.key"},
    ),
    Case(
        "key_of_another_cert",
        "not the key of this certificate",
        {**SNAKEOIL, "smtpd_tls_key_file": "/root/other.key"},
        setup="openssl genrsa -out /root/other.key 2048",
    ),
    Case(
        "cert_is_no_pem",
        "no certificate and key can be read",
        {**SNAKEOIL, "smtpd_tls_cert_file": "/etc/hostname"},
    ),
    Case(
        "cert_expired",
        "certificate expired on 20",
        {"smtpd_tls_cert_file": "/root/old.pem", "smtpd_tls_key_file": "/root/old.key"},
        setup=EXPIRED,
    ),
    Case(
        "encrypt_without_cert",
        "requires TLS but has no certificate",
        {"smtpd_tls_cert_file": None, "smtpd_tls_key_file": None, "smtpd_tls_security_level": "encrypt"},
    ),
    Case(
        "wrappermode_server_on_587",
        "clients speak STARTTLS on port 587",
        services=[inet("587", smtpd_tls_wrappermode=True)],
    ),
    Case("port_465_without_wrappermode", "clients speak implicit TLS on port 465", services=[inet("465")]),
    # restrictions
    Case(
        "restriction_misspelt",
        "no restriction 'reject_unauth_destinaton'.*write reject_unauth_destination",
        {"smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destinaton, reject"},
    ),
    Case(
        "restrictions_that_refuse_nobody",
        "does not start",
        {"smtpd_relay_restrictions": "permit_mynetworks", "smtpd_recipient_restrictions": ""},
    ),
    Case("open_relay", "an open relay", {"smtpd_relay_restrictions": "permit, reject"}),
    Case(
        "access_without_table",
        "needs an argument",
        {"smtpd_client_restrictions": "permit_mynetworks, check_client_access"},
    ),
    Case(
        "access_without_type",
        "no table type; write check_client_access|no table type",
        {"smtpd_client_restrictions": "check_client_access /etc/postfix/access"},
    ),
    Case(
        "restriction_class_without_value",
        "has no value",
        {
            "smtpd_restriction_classes": "greylist",
            "smtpd_recipient_restrictions": "greylist, reject_unauth_destination",
        },
    ),
    # master.cf
    Case(
        "daemon_misspelt",
        "no such daemon.*write smtpd",
        services=[{"service": "2525", "type": "inet", "private": "n", "command": "smptd"}],
    ),
    Case("port_name_unknown", "no such port; write 587", services=[inet("submision")]),
    Case("port_too_big", "no such port", services=[inet("70000")]),
    Case("port_twice", "port 25 is already that of", services=[inet("25")]),
    Case(
        "port_taken_by_foreigner",
        "held by a process that is not Postfix",
        services=[inet("8765")],
        setup="python3 -c 'import socket,time; s=socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((\"0.0.0.0\",8765)); s.listen(); time.sleep(20)' >/dev/null 2>&1 & sleep 0.5",
    ),
    Case("listen_on_foreign_address", "no address of this host", services=[inet("192.0.2.77:2525")]),
    Case(
        "option_unknown",
        "no parameter of this name",
        services=[inet("587", smtpd_tls_securty_level="encrypt")],
    ),
    Case(
        "option_tls_level_misspelt",
        "no such TLS level",
        services=[inet("587", smtpd_tls_security_level="encyrpt")],
    ),
    Case(
        "option_boolean_written_true",
        "yes or no is needed",
        services=[inet("587", smtpd_sasl_auth_enable="True")],
    ),
    Case(
        "option_with_spaces",
        "write -o",
        files=[text("master.cf", "smtp inet n - y - - smtpd -o smtpd_tls_security_level = may\n")],
    ),
    Case(
        "option_without_value",
        "no = follows",
        files=[text("master.cf", "smtp inet n - y - - smtpd -o smtpd_tls_security_level\n")],
    ),
    Case(
        "chroot_z",
        "chroot is 'z': write y, n or -",
        services=[{"service": "smtp", "type": "unix", "chroot": "z"}],
    ),
    Case(
        "chroot_z_in_file",
        "chroot z: no such value; write y, n or -",
        files=[text("master.cf", "smtp inet n - z - - smtpd\n")],
    ),
    Case(
        "too_few_columns", "columns where master.cf needs", files=[text("master.cf", "smtp inet n - smtpd\n")]
    ),
    Case(
        "service_type_unknown", "service type 'tcp'", files=[text("master.cf", "smtp tcp n - y - - smtpd\n")]
    ),
    Case(
        "master_without_qmgr",
        "service qmgr: the service is missing",
        services=[{"service": "qmgr", "type": "unix", "state": "absent"}],
    ),
    Case(
        "master_without_cleanup",
        "service cleanup: the service is missing",
        services=[{"service": "cleanup", "type": "unix", "state": "absent"}],
    ),
    Case(
        "two_queue_managers",
        "only one queue manager",
        services=[{"service": "qmgr", "type": "unix", "maxproc": 5}],
    ),
    Case(
        "pipe_without_user",
        "user= is missing",
        services=[{"service": "vacation", "type": "unix", "command": "pipe argv=/usr/bin/vacation"}],
    ),
    Case(
        "dovecot_not_running",
        "socket /var/spool/postfix/private/auth-none does not exist",
        services=[
            inet(
                "587",
                smtpd_sasl_auth_enable=True,
                smtpd_sasl_type="dovecot",
                smtpd_sasl_path="private/auth-none",
            )
        ],
    ),
    Case(
        "service_twice",
        "there twice",
        files=[text("master.cf", "smtp inet n - y - - smtpd\nsmtp inet n - y - - smtpd\n")],
    ),
]

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

VALID = [
    Case("shipped_by_the_distribution"),
    Case("relay_587_secure", "", RELAY, files=[PASSWORD]),
    Case(
        "relay_587_key_is_bare_host",
        "",
        RELAY,
        files=[{**PASSWORD, "content": "relay.example.com joe:secret7\n"}],
    ),
    Case(
        "relay_encrypt_without_ca",
        "",
        {**RELAY, "smtp_tls_security_level": "encrypt", "smtp_tls_CAfile": None},
        files=[PASSWORD],
    ),
    Case(
        "relay_policy_secure",
        "",
        {
            **RELAY,
            "smtp_tls_security_level": "may",
            "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy",
        },
        files=[
            PASSWORD,
            text("tls_policy", f"{HOP} secure match=relay.example.com servername=relay.example.com\n"),
        ],
    ),
    Case(
        "relay_failover_list",
        "",
        {**RELAY, "relayhost": [HOP, "[relay.example.com]:2525"]},
        files=[{**PASSWORD, "content": f"{HOP} joe:secret7\n[relay.example.com]:2525 joe:secret7\n"}],
        since=(3, 5),
    ),
    Case(
        "relay_465_wrapped_transport",
        "",
        {**RELAY, "relayhost": "", "default_transport": "smtp-wraptls:[relay.example.com]:465"},
        [
            {
                "service": "smtp-wraptls",
                "type": "unix",
                "command": "smtp",
                "options": {"smtp_tls_wrappermode": True, "smtp_tls_security_level": "secure"},
            }
        ],
        [{**PASSWORD, "content": "[relay.example.com]:465 joe:secret7\n"}],
    ),
    Case(
        "relay_465_wrapped_in_main",
        "",
        {**RELAY, "relayhost": "[relay.example.com]:465", "smtp_tls_wrappermode": True},
        files=[{**PASSWORD, "content": "[relay.example.com]:465 joe:secret7\n"}],
    ),
    Case(
        "relay_without_brackets",
        "",
        {**RELAY, "relayhost": "example.com:587"},
        files=[{**PASSWORD, "content": "example.com:587 joe:secret7\n"}],
    ),
    Case("relay_named_port", "", {"relayhost": "[relay.example.com]:submission"}),
    Case("relay_ipv6", "", {"relayhost": "[2001:db8::25]:587"}),
    Case(
        "relay_to_loopback_filter_with_password",
        "",
        {**RELAY, "relayhost": "[127.0.0.1]:587", "smtp_tls_security_level": "may"},
        files=[{**PASSWORD, "content": "[127.0.0.1]:587 joe:secret7\n"}],
    ),
    Case(
        "relay_per_sender",
        "",
        {
            **RELAY,
            "smtp_sender_dependent_authentication": True,
            "sender_dependent_relayhost_maps": "texthash:/etc/postfix/sender_relay",
        },
        files=[
            {**PASSWORD, "content": f"joe@example.com joe:secret7\n{HOP} all:secret8\n"},
            text("sender_relay", "joe@example.com [other.example.com]:587\n"),
        ],
    ),
    Case(
        "relay_sendgrid_like",
        "",
        {
            **RELAY,
            "smtp_tls_security_level": "encrypt",
            "header_size_limit": 4096000,
            "smtp_sasl_tls_security_options": "noanonymous",
        },
        files=[PASSWORD],
    ),
    Case(
        "null_client",
        "",
        {
            "inet_interfaces": "loopback-only",
            "mydestination": "",
            "relayhost": "[mail.example.com]",
            "local_transport": "error:local delivery is disabled",
            "myorigin": "example.com",
        },
    ),
    Case("ipv4_only", "", {"inet_protocols": "ipv4"}),
    Case("both_protocols_as_list", "", {"inet_protocols": ["ipv4", "ipv6"]}),
    Case("interfaces_by_address", "", {"inet_interfaces": ["127.0.0.1"], "inet_protocols": "ipv4"}),
    Case(
        "typed_values",
        "",
        {
            "mailbox_size_limit": 0,
            "biff": False,
            "disable_vrfy_command": True,
            "smtpd_helo_required": True,
            "mynetworks": ["127.0.0.0/8", "[::1]/128", "192.0.2.0/24"],
        },
    ),
    Case(
        "times_of_every_unit",
        "",
        {
            "maximal_queue_lifetime": "5d",
            "bounce_queue_lifetime": "1w",
            "smtp_helo_timeout": "90",
            "queue_run_delay": "10m",
            "delay_warning_time": "4h",
        },
    ),
    Case(
        "stress_expressions",
        "",
        {
            "smtpd_hard_error_limit": "${stress?{1}:{20}}",
            "smtpd_timeout": "${stress?{10}:{300}}s",
            "smtpd_junk_command_limit": "${stress?1}${stress:100}",
        },
    ),
    Case(
        "own_parameters",
        "",
        {"my_clients": "permit_mynetworks, reject", "smtpd_client_restrictions": "$my_clients"},
    ),
    Case("el_stock", "", files=[text("main.cf", EL_MAIN), text("master.cf", UPSTREAM_MASTER)]),
    Case("upstream_master", "", files=[text("master.cf", UPSTREAM_MASTER)]),
    Case(
        "suse_stock",
        "",
        files=[
            text(
                "main.cf",
                SUSE_MAIN.replace("program_directory = /usr/lib/postfix\n", "").replace(
                    "texthash:/etc/postfix/access", "check_sender_access texthash:/etc/postfix/access"
                ),
            ),
            *(
                text(name, "# nothing yet\n")
                for name in ("canonical", "virtual", "relocated", "transport", "sender_canonical", "access")
            ),
        ],
    ),
    Case(
        "debian_satellite",
        "",
        {
            "relayhost": "smtp.example.com",
            "inet_interfaces": "loopback-only",
            "mydestination": "$myhostname, localhost",
            "myorigin": "/etc/mailname",
        },
        setup="hostname > /etc/mailname",
    ),
    Case(
        "submission_with_tls",
        "",
        SNAKEOIL,
        [{**SUBMISSION, "options": {**SUBMISSION["options"], "smtpd_sasl_auth_enable": False}}],
    ),
    Case(
        "submission_with_dovecot",
        "",
        {**SNAKEOIL, "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth-valid"},
        [SUBMISSION],
        setup="touch /var/spool/postfix/private/auth-valid # undo: rm /var/spool/postfix/private/auth-valid",
    ),
    Case(
        "submissions_implicit",
        "",
        SNAKEOIL,
        [
            inet(
                "465", smtpd_tls_wrappermode=True, smtpd_relay_restrictions="permit_sasl_authenticated,reject"
            )
        ],
    ),
    Case(
        "braced_options",
        "",
        services=[
            {
                "service": "slow",
                "type": "unix",
                "command": "smtp",
                "options": {"syslog_name": "postfix slow", "smtp_destination_rate_delay": "1s"},
            }
        ],
    ),
    Case(
        "amavis",
        "",
        {"content_filter": "smtp-amavis:[127.0.0.1]:10024"},
        [
            {
                "service": "smtp-amavis",
                "type": "unix",
                "command": "smtp",
                "maxproc": 2,
                "options": {
                    "smtp_data_done_timeout": 1200,
                    "smtp_send_xforward_command": True,
                    "disable_dns_lookups": True,
                    "max_use": 20,
                },
            },
            inet(
                "127.0.0.1:10025",
                content_filter="",
                smtpd_restriction_classes="",
                smtpd_client_restrictions="permit_mynetworks,reject",
                smtpd_relay_restrictions="permit_mynetworks,reject",
                mynetworks="127.0.0.0/8",
                receive_override_options="no_header_body_checks,no_unknown_recipient_checks",
            ),
        ],
    ),
    Case(
        "rspamd_milter",
        "",
        {
            "smtpd_milters": "inet:localhost:11332",
            "non_smtpd_milters": "$smtpd_milters",
            "milter_protocol": 6,
            "milter_mail_macros": "i {mail_addr} {client_addr} {client_name} {auth_authen}",
            "milter_default_action": "accept",
        },
    ),
    Case(
        "opendkim_socket",
        "",
        {
            "smtpd_milters": "unix:opendkim/opendkim.sock, { inet:127.0.0.1:8893, connect_timeout=10s, default_action=accept }",
            "milter_default_action": "tempfail",
        },
    ),
    Case(
        "postgrey",
        "",
        {
            "smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination, check_policy_service inet:127.0.0.1:10023"
        },
    ),
    Case(
        "policy_service_with_options",
        "",
        {
            "smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination, check_policy_service { inet:127.0.0.1:10023, timeout=10s, default_action=DUNNO }, permit"
        },
    ),
    Case(
        "spf_policy_by_spawn",
        "",
        {
            "policyd-spf_time_limit": 3600,
            "smtpd_recipient_restrictions": "reject_unauth_destination, check_policy_service unix:private/policyd-spf",
        },
        [
            {
                "service": "policyd-spf",
                "type": "unix",
                "unpriv": "n",
                "chroot": "n",
                "maxproc": 0,
                "command": "spawn user=nobody argv=/usr/bin/policyd-spf",
            }
        ],
    ),
    Case(
        "rbl_and_friends",
        "",
        {
            "smtpd_recipient_restrictions": [
                "reject_non_fqdn_recipient",
                "permit_mynetworks",
                "reject_unauth_destination",
                "reject_rbl_client zen.spamhaus.org=127.0.0.[2..11]",
                "reject_rhsbl_helo dbl.spamhaus.org",
                "warn_if_reject reject_unknown_helo_hostname",
                "permit",
            ]
        },
    ),
    Case(
        "postscreen",
        "",
        {
            "postscreen_access_list": "permit_mynetworks",
            "postscreen_dnsbl_sites": "zen.spamhaus.org*3 bl.spamcop.net*2",
            "postscreen_dnsbl_threshold": 3,
            "postscreen_dnsbl_action": "enforce",
            "postscreen_greet_action": "enforce",
        },
        [
            {"service": "smtp", "type": "inet", "maxproc": 1, "command": "postscreen"},
            {"service": "smtpd", "type": "pass", "command": "smtpd"},
            {"service": "dnsblog", "type": "unix", "maxproc": 0, "command": "dnsblog"},
            {"service": "tlsproxy", "type": "unix", "maxproc": 0, "command": "tlsproxy"},
        ],
    ),
    Case(
        "dovecot_lmtp",
        "",
        {"virtual_transport": "lmtp:unix:private/dovecot-lmtp", "virtual_mailbox_domains": "example.com"},
    ),
    Case(
        "mailman",
        "",
        {
            "relay_domains": "lists.example.com",
            "transport_maps": "texthash:/etc/postfix/transport",
            "mailman_destination_recipient_limit": 1,
        },
        [
            {
                "service": "mailman",
                "type": "unix",
                "unpriv": "n",
                "command": "pipe flags=FRX user=list argv=/usr/lib/mailman/bin/postfix-to-mailman.py ${nexthop} ${user}",
            }
        ],
        [text("transport", "lists.example.com mailman:\n")],
    ),
    Case(
        "virtual_aliases_compiled",
        "",
        {"virtual_alias_maps": "hash:/etc/postfix/virtual", "virtual_alias_domains": "example.com"},
        files=[text("virtual", "postmaster@example.com root\n@example.com joe\n")],
        before=(3, 11),
    ),
    Case(
        "virtual_aliases_lmdb",
        "",
        {"virtual_alias_maps": "lmdb:$config_directory/virtual"},
        files=[text("virtual", "postmaster@example.com root\n")],
    ),
    Case(
        "tables_of_patterns",
        "",
        {
            "header_checks": "regexp:/etc/postfix/header_checks",
            "smtpd_client_restrictions": "check_client_access cidr:/etc/postfix/clients, permit",
        },
        files=[
            text("header_checks", "/^Received:.*\\[127\\.0\\.0\\.1\\]/ IGNORE\n"),
            text("clients", "192.0.2.0/24 REJECT\n2001:db8::/32 OK\n"),
        ],
    ),
    Case(
        "inline_and_static_tables",
        "",
        {
            "smtpd_sender_login_maps": "inline:{ {joe@example.com = joe} }",
            "local_recipient_maps": "static:all",
        },
    ),
    Case(
        "proxied_and_combined_tables",
        "",
        {
            "virtual_alias_maps": "proxy:unionmap:{texthash:/etc/postfix/a, texthash:/etc/postfix/b}",
            "local_recipient_maps": "proxy:unix:passwd.byname $alias_maps",
        },
        files=[text("a", "x@example.com y\n"), text("b", "z@example.com y\n")],
    ),
    Case(
        "sender_login_checks",
        "",
        {
            "smtpd_sender_restrictions": "reject_sender_login_mismatch, permit",
            "smtpd_sender_login_maps": "texthash:/etc/postfix/logins",
        },
        files=[text("logins", "joe@example.com joe\n")],
    ),
    Case(
        "restriction_classes",
        "",
        {
            "smtpd_restriction_classes": "greylist, internal",
            "greylist": "check_policy_service inet:127.0.0.1:10023",
            "internal": "permit_mynetworks, reject",
            "smtpd_recipient_restrictions": "reject_unauth_destination, greylist",
        },
    ),
    Case(
        "tls_protocol_lists",
        "",
        {
            "smtp_tls_protocols": "!SSLv2, !SSLv3",
            "smtp_tls_mandatory_protocols": "!SSLv2,!SSLv3,!TLSv1,!TLSv1.1",
            "smtpd_tls_mandatory_ciphers": "high",
            "smtpd_tls_exclude_ciphers": "aNULL, MD5",
        },
    ),
    Case(
        "tls_protocol_ranges",
        "",
        {"smtp_tls_protocols": ">=TLSv1.2", "smtpd_tls_mandatory_protocols": ">=TLSv1.2, <=TLSv1.3"},
        since=(3, 6),
    ),
    Case("dane", "", {"smtp_dns_support_level": "dnssec", "smtp_tls_security_level": "dane"}),
    Case(
        "verified_peers_by_policy_only",
        "",
        {"smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy", "smtp_tls_CAfile": CA},
        files=[
            text(
                "tls_policy",
                "example.org secure match=.example.org\nexample.net dane-only\n.example.com none\n",
            )
        ],
    ),
    Case("smtp_ipv4_preferred", "", {"smtp_address_preference": "ipv4", "smtp_host_lookup": "dns, native"}),
    Case(
        "mynetworks_of_every_kind",
        "",
        {"mynetworks": "127.0.0.0/8 [::1]/128 [fe80::]/64 !192.0.2.1 192.0.2.0/28 cidr:/etc/postfix/nets"},
        files=[text("nets", "198.51.100.0/24 OK\n")],
    ),
    Case(
        "xforward_and_log",
        "",
        {
            "smtpd_authorized_xforward_hosts": "127.0.0.0/8 [::1]/128",
            "maillog_file": "",
            "smtpd_banner": "$myhostname ESMTP $mail_name",
        },
    ),
    Case(
        "backup_mx",
        "",
        {
            "relay_domains": "$mydestination, example.org",
            "relay_recipient_maps": "",
            "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
            "transport_maps": "texthash:/etc/postfix/transport",
        },
        files=[text("transport", "example.org smtp:[mx1.example.org]\n")],
    ),
    Case(
        "srs_and_canonical",
        "",
        {"sender_canonical_maps": "tcp:localhost:10001", "sender_canonical_classes": "envelope_sender"},
    ),
    Case("bare_newline_normalised", "", {"smtpd_forbid_bare_newline": "normalize"}, since=(3, 7)),
    Case(
        "srv_lookup",
        "",
        {
            "use_srv_lookup": "submission",
            "relayhost": "example.com:submission",
            "smtp_tls_security_level": "may",
        },
        since=(3, 8),
    ),
]
