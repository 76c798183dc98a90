"""Servers on which users submit mail, broken on purpose in one way each, and odd ones on which nothing is wrong.

Rule of this file: data. Each case begins with the server of SERVER: 25 for strangers, 587 and 2525 with STARTTLS and 465
with implicit TLS for users, whom Dovecot knows; `do` is root's shell on it. `test` is the one test that must fail, and
none other. Dovecot is 2.3 on one of the hosts and 2.4 on the other.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, NamedTuple

from cases import listener, main_cf

CERTIFICATES = "/etc/mailops-lab"
PORTS = [587, 465, 2525]


class Case(NamedTuple):
    name: str
    do: str = ""
    test: str = ""
    words: tuple[str, ...] = ()
    undo: str = ""
    variables: dict[str, Any] = {}  # noqa: RUF012 a NamedTuple's default is not shared by mistake


# A host's own settings of each release, as somebody makes them who reads the manuals.
DOVECOT = r"""
mkdir -p /etc/dovecot && printf 'someone:{PLAIN}secret::::::\n' >/etc/dovecot/users
listener='service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
auth_mechanisms = plain login
auth_failure_delay = 2 s
protocols =
ssl = no'
case $(dovecot --version) in
2.3*) known='passdb {
  driver = passwd-file
  args = /etc/dovecot/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup
}' first= ;;
*) known='passdb passwd-file {
  passwd_file_path = /etc/dovecot/users
}' first='dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0' ;;
esac
printf '%s\n' "$first" "$known" "$listener" >/etc/dovecot/dovecot.conf
rm -rf /root/dovecot && cp -a /etc/dovecot /root/dovecot
"""
SERVER = rf"""
postconf -e 'inet_interfaces = all' 'mydestination = $myhostname, localhost' 'mynetworks = 127.0.0.0/8 [::1]/128' \
 'smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination' 'smtpd_recipient_restrictions =' \
 'disable_vrfy_command = yes' 'smtpd_forbid_bare_newline = normalize' 'smtpd_tls_security_level = may' \
 'smtpd_tls_auth_only = yes' 'smtpd_sasl_type = dovecot' 'smtpd_sasl_path = private/auth' \
 'smtpd_tls_cert_file =' 'smtpd_tls_key_file =' 'smtpd_tls_mandatory_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1' \
 'smtpd_tls_chain_files = {CERTIFICATES}/good.pem'
for port in 587 465 2525; do
 postconf -M "$port/inet=$port inet n - y - - smtpd -o smtpd_sasl_auth_enable=yes \
-o smtpd_relay_restrictions=permit_sasl_authenticated,reject"
 postconf -P "$port/inet/smtpd_tls_security_level=encrypt"
done
postconf -P '465/inet/smtpd_tls_wrappermode=yes'
rm -rf /root/submission && cp -a /etc/postfix /root/submission
"""
# Before each case, whatever was there.
BEGIN = """
rm -rf /etc/postfix && cp -a /root/submission /etc/postfix
systemctl reset-failed 2>/dev/null || true
systemctl restart dovecot postfix
for _try in $(seq 100); do ss -Hltn 'sport = :587' | grep -q . && [ -S /var/spool/postfix/private/auth ] && break; sleep 0.1; done
"""
DOVECOT_AGAIN = "rm -rf /etc/dovecot && cp -a /root/dovecot /etc/dovecot"


def service(port: int, *settings: str) -> str:
    """Settings of one service of master.cf."""
    given = " ".join(f"'{port if port != 25 else 'smtp'}/inet/{each}'" for each in settings)
    return f"postconf -P {given}; postfix reload 2>/dev/null\n"


def dovecot(*settings: str) -> str:
    return (
        "".join(f"echo '{each}' >>/etc/dovecot/dovecot.conf\n" for each in settings)
        + "systemctl restart dovecot\n"
    )


def guarded(port: int, check: str) -> str:
    """The check before what refuses strangers."""
    guard = "reject_unauth_destination" if port == 25 else "permit_sasl_authenticated,reject"
    return service(port, f"smtpd_relay_restrictions={check},{guard}")


def policy(port: int, condition: str) -> str:
    """A policy service that permits an envelope: nobody who reads main.cf knows for whom."""
    return f"""cat >/usr/local/sbin/policy <<'END'
import sys
said = {{}}
for line in sys.stdin:
    name, _equals, value = line.rstrip("\\n").partition("=")
    said[name] = value
    if not name:
        sender, recipient, client = (said[each] for each in ("sender", "recipient", "client_address"))
        print("action=OK\\n" if {condition} else "action=DUNNO\\n", flush=True)
END
postconf -M 'policy/unix=policy unix - n n - 0 spawn user=nobody argv=/usr/bin/python3 /usr/local/sbin/policy'
""" + guarded(port, "check_policy_service,unix:private/policy")


HERE = "relaying::relaying_is_refused_to_this_host"
SUBMISSION = "submission::"
REFUSE = "should refuse to relay for a stranger"


def certificate(name: str) -> str:
    return main_cf(f"smtpd_tls_chain_files = {CERTIFICATES}/{name}.pem")


AUTH_AT_25 = service(25, "smtpd_sasl_auth_enable=yes")
STATIC_LOGIN = r"""
case $(dovecot --version) in
2.3*) anyone='passdb {\n  driver = static\n  args = nopassword=y\n}\n' ;;
*) anyone='passdb static {\n  fields {\n    nopassword = yes\n  }\n}\n' ;;
esac
printf "$anyone" >>/etc/dovecot/dovecot.conf
systemctl restart dovecot
"""
LOGIN = f"{SUBMISSION}users_can_log_in"
CERTIFICATE = "tls::certificate_is_what_users_expect"
LISTED = "listeners::submission_ports_are_those_listed"
ONE_END = f"{SUBMISSION}a_message_has_one_end"
OLD_TLS = f"{SUBMISSION}users_have_tls_1_2_or_newer"
ROUTED = main_cf("allow_untrusted_routing = yes", "relay_domains = partner.test")
LIMITED = main_cf("smtpd_client_auth_rate_limit = 10")


def rows(port: int, *patterns: str) -> str:
    """A table of recipients that permits what a pattern finds, before the guard: no plain address is among them."""
    text = "".join(f"{pattern} OK\\n" for pattern in patterns)
    return f"printf '%b' '{text}' >/etc/postfix/rcpt\n" + guarded(port, "check_recipient_access,regexp:/etc/postfix/rcpt")  # fmt: skip


BROKEN = (
    # Relays for some strangers: those who know the shape
    Case("the percent hack is followed", ROUTED + main_cf("swap_bangpath = no", "resolve_dequoted_address = no"), HERE,
         (f"port 25 {REFUSE}", "'percent hack'", "set allow_untrusted_routing = no")),
    Case("a bang path is followed", ROUTED + main_cf("allow_percent_hack = no", "resolve_dequoted_address = no"), HERE,
         (f"port 25 {REFUSE}", "'bang path'", "set allow_untrusted_routing = no")),
    Case("quotes are followed", ROUTED + main_cf("allow_percent_hack = no", "swap_bangpath = no"), HERE,
         (f"port 25 {REFUSE}", "'quotes'", "set allow_untrusted_routing = no")),
    Case("addresses in brackets are permitted", rows(2525, "/\\\\[/"), HERE,
         (f"port 2525 {REFUSE}", "'address of another host'", "end smtpd_relay_restrictions with")),
    Case("a policy permits the null sender", policy(25, "not sender"), HERE, (f"port 25 {REFUSE}", "'null sender'")),
    Case("a policy permits own senders", policy(587, "sender.endswith('lab.test')"), HERE,
         (f"port 587 {REFUSE}", "'own domain as sender'", "a sender is no proof")),
    Case("a policy permits who writes to himself", policy(25, "sender and sender == recipient"), HERE,
         (f"port 25 {REFUSE}", "'sender is recipient'")),
    Case("a policy permits a sender without a domain", policy(465, "sender and '@' not in sender"), HERE,
         (f"port 465 {REFUSE}", "'sender without a domain'", "a sender is no proof")),
    Case("a policy permits the sender root", policy(25, "sender == 'root@localhost'"), HERE,
         (f"port 25 {REFUSE}", "'root at localhost as sender'")),
    Case("a policy permits the postmaster", policy(25, "sender.startswith('postmaster@')"), HERE,
         (f"port 25 {REFUSE}", "'own postmaster as sender'")),
    Case("a policy permits one network from outside", policy(25, "client.endswith('.10')"),
         "relaying::relaying_is_refused_to_another_host", (f"port 25 {REFUSE}", "of relay at"),
         variables={"verify_outside": "relay"}),
    Case("the host that is to ask is not there", "", "relaying::relaying_is_refused_to_another_host",
         ("nowhere.invalid (verify_outside) should ask from outside, but could not",),
         variables={"verify_outside": "nowhere.invalid"}),
    # Ports
    Case("a firewall stands before one of the ports", "nft add element inet lab dropped '{ 2525 }' 2>/dev/null; "
         "nft add table inet shut; nft add chain inet shut input '{ type filter hook input priority 0; }'; "
         "nft add rule inet shut input iifname != lo tcp dport 2525 reject with tcp reset",
         "relaying::submission_ports_can_be_reached",
         ("port 2525 should be open to users, but the controller cannot reach it", "firewall"), "nft delete table inet shut"),
    Case("a port is not listed", listener("8465", "smtpd -o smtpd_tls_wrappermode=yes -o smtpd_tls_security_level=encrypt "
         "-o smtpd_relay_restrictions=reject"), LISTED, ("port 8465 should not be open", "8465/inet")),
    Case("a port is not there", "postconf -MX 2525/inet; postfix reload 2>/dev/null; sleep 1", LISTED,
         ("port 2525", "nothing of postfix listens there")),
    Case("a port is there for the host itself alone", "postconf -MX 587/inet; "
         + listener("127.0.0.1:587", "smtpd -o smtpd_sasl_auth_enable=yes -o smtpd_relay_restrictions=reject"), LISTED,
         ("port 587", "for others than this host")),
    # Logins
    Case("a login is offered before TLS", service(587, "smtpd_tls_auth_only=no", "smtpd_tls_security_level=may", "smtpd_tls_protocols=TLSv1.2,TLSv1.3"),
         f"{SUBMISSION}no_login_before_tls",
         ("port 587 offers auth", "passwords travel in the clear", "smtpd_tls_auth_only (-o in master.cf) = yes")),
    Case("a login is offered at port 25, which has no TLS", AUTH_AT_25
         + service(25, "smtpd_tls_auth_only=no", "smtpd_tls_security_level=none"), f"{SUBMISSION}no_login_before_tls",
         ("port 25 offers auth", "give it a certificate")),
    Case("anybody may log in", STATIC_LOGIN, f"{SUBMISSION}a_wrong_login_is_refused",
         ("took it", "anybody may log in, and relay"), DOVECOT_AGAIN),
    Case("passwords can be guessed", dovecot("auth_failure_delay = 0"), f"{SUBMISSION}passwords_cannot_be_guessed",
         ("refuses wrong logins at once", "smtpd_client_auth_rate_limit"), DOVECOT_AGAIN),
    Case("Dovecot does not run", "systemctl stop dovecot; postfix reload 2>/dev/null", LOGIN,
         ("users should be able to log in on port 465", "smtpd_sasl_path"), "systemctl start dovecot"),
    Case("one port asks a socket that is not there", service(2525, "smtpd_sasl_path=private/none"), LOGIN,
         ("users should be able to log in on port 2525", "smtpd_sasl_path")),
    Case("one port has no login", service(465, "smtpd_sasl_auth_enable=no"), LOGIN,
         ("users should be able to log in on port 465, but it offers no auth",
          "smtpd_sasl_auth_enable (-o in master.cf) = yes")),
    Case("one port has no TLS", service(2525, "smtpd_tls_security_level=none"), LOGIN,
         ("users should be able to log in on port 2525, but it offers no tls", "smtpd_tls_security_level = encrypt")),
    Case("a port for users takes mail from everybody", service(587, "smtpd_relay_restrictions=reject_unauth_destination"),
         f"{SUBMISSION}submission_is_for_users_alone",
         ("port 587 should take mail from users who log in", "permit_sasl_authenticated, reject")),
    Case("VRFY tells who can log in", AUTH_AT_25 + main_cf("disable_vrfy_command = no", "smtpd_tls_protocols = TLSv1.2 TLSv1.3"),
         f"{SUBMISSION}strangers_are_told_no_names", ("port 25, where users log in, tells strangers by vrfy",
                                                      "disable_vrfy_command = yes")),
    # TLS and certificates
    Case("TLS 1.0 for users", main_cf("smtpd_tls_mandatory_protocols = !SSLv2, !SSLv3"), OLD_TLS,
         ("port 587 takes tlsv1 and tlsv1.1", "port 465 takes", "set smtpd_tls_mandatory_protocols = >=tlsv1.2")),
    Case("TLS 1.1 for users of one port", service(465, "smtpd_tls_mandatory_protocols=TLSv1.1,TLSv1.2"), OLD_TLS,
         ("port 465 takes tlsv1.1,", "smtpd_tls_mandatory_protocols (-o in master.cf)")),
    Case("TLS 1.0 where users may log in at port 25", AUTH_AT_25, OLD_TLS,
         ("port 25 takes tlsv1 and tlsv1.1", "set smtpd_tls_protocols = >=tlsv1.2")),
    Case("the certificate has expired", certificate("expired"), CERTIFICATE,
         ("see on port 465, 587, 2525: ", "expired", "renew")),
    Case("the certificate ends in three days", certificate("expiring"), CERTIFICATE, ("see on port 465", "days")),
    Case("the certificate has another name", certificate("other"), CERTIFICATE,
         ("mail.example.com", "verify_certificate_names")),
    Case("the certificate is its own authority", certificate("own"), CERTIFICATE,
         ("see on port 465, 587, 2525: ", "verify_certificate_ca_file")),
    Case("the certificate lacks a name that users write", "", CERTIFICATE, ("users who write smtp.example.com see",),
         variables={"verify_certificate_names": ["smtp.example.com"]}),
    Case("one port has another certificate", service(465, f"smtpd_tls_chain_files={CERTIFICATES}/expired.pem"), CERTIFICATE,
         ("see on port 465: ", "expired")),
    # Smuggling
    Case("a bare line feed ends a message", main_cf("smtpd_forbid_bare_newline = no"), ONE_END,
         ("port 25 takes lf.", "smtp smuggling", "smtpd_forbid_bare_newline = normalize")),
    Case("a bare line feed ends a message of users", service(587, "smtpd_forbid_bare_newline=no"), ONE_END,
         ("port 587 may take a bare line feed", "smtpd_forbid_bare_newline (-o in master.cf) = normalize")),
    Case("strangers are excepted from what forbids it", main_cf("smtpd_forbid_bare_newline_exclusions = 0.0.0.0/0 [::]/0"),
         ONE_END, ("port 25 takes lf.", "smtpd_forbid_bare_newline_exclusions")),
)  # fmt: skip

HEALTHY = (
    Case("as it should be, and seen from another host", variables={"verify_outside": "relay"}),
    Case("logins are limited by Postfix and not slowed down", dovecot("auth_failure_delay = 0") + LIMITED, undo=DOVECOT_AGAIN),
    Case("the host and the controller may relay", main_cf("mynetworks = 127.0.0.0/8 10.0.0.0/8")),
    Case("the host takes every user of a domain", main_cf("virtual_alias_domains = example.com",
         "virtual_alias_maps = inline:{@example.com=root}")),
    Case("no address is a route", main_cf("allow_percent_hack = no", "swap_bangpath = no", "resolve_dequoted_address = no",
         "virtual_alias_domains = example.com", "virtual_alias_maps = inline:{@example.com=root}")),
    Case("VRFY where nobody logs in", main_cf("disable_vrfy_command = no")),
    Case("a certificate of its own, which users trust", certificate("own"),
         variables={"verify_certificate_ca_file": f"{CERTIFICATES}/own.crt"}),
    Case("another certificate by SNI", f"printf 'mail.example.com %s\\n' {CERTIFICATES}/other.pem >/etc/postfix/sni; "
         "postmap -F hash:/etc/postfix/sni; chmod 600 /etc/postfix/sni*; " + main_cf("tls_server_sni_maps = hash:/etc/postfix/sni"),
         variables={"verify_certificate_names": ["mail.example.com"]}),
    Case("the older means against smuggling", main_cf("smtpd_forbid_bare_newline = no",
         "smtpd_data_restrictions = reject_unauth_pipelining", "smtpd_discard_ehlo_keywords = chunking, silent-discard")),
    Case("bare line feeds are rejected", main_cf("smtpd_forbid_bare_newline = reject")),
    Case("errors cost patience and connections", main_cf("smtpd_soft_error_limit = 3", "smtpd_hard_error_limit = 5")),
    Case("port 25 is shut from outside", "nft add table inet shut; nft add chain inet shut input "
         "'{ type filter hook input priority 0; }'; nft add rule inet shut input iifname != lo tcp dport 25 drop",
         undo="nft delete table inet shut"),
)  # fmt: skip
