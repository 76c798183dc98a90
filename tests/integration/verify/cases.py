"""Hosts broken on purpose after a green deployment, and odd ones on which nothing is wrong.

Rule of this file: data. `do` is root's shell on the host, `relay` that on the relay; whatever they change is put back
afterwards from copies, and `undo` is for what is not among those (see GREEN and RESET). `words` must all be in what
verify then says; the first of them is the cause, the last as a rule what mends it. With `both` a case is a round of its
own with both releases; the others alternate between the releases, two in a round.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, NamedTuple


class Case(NamedTuple):
    name: str
    do: str = ""
    words: tuple[str, ...] = ()
    undo: str = ""
    relay: str = ""
    variables: dict[str, Any] = {}  # noqa: RUF012 a NamedTuple's default is not shared by mistake
    disk: str = ""
    """Options of a small file system (tmpfs) that takes the place of the queue's."""
    seldom: bool = False
    """One of a family that another stands for: its logic is in the unit tests, and here it is tried everywhere or not."""

    @property
    def both(self) -> bool:
        return bool(self.relay or self.variables)


# What a host had after its green deployment.
GREEN = """
rm -rf /root/green && mkdir /root/green && cp -a /etc/postfix /etc/aliases* /etc/hosts /etc/resolv.conf /root/green
cp -a /etc/passwd /etc/group /usr/sbin/sendmail /root/green
"""
RESET = """
nft -f /etc/nftables.conf
systemctl stop lab-strip 2>/dev/null || true
for file in hosts resolv.conf; do cat /root/green/$file >/etc/$file; done
cp -a /root/green/passwd /root/green/group /etc
rm -rf /etc/postfix /etc/aliases* && cp -a /root/green/postfix /root/green/aliases* /etc
rm -f /var/spool/postfix/etc/resolv.conf /var/log/mail.log /var/log/maillog
postsuper -d ALL 2>/dev/null || true
systemctl reset-failed 2>/dev/null || true
systemctl restart postfix
for _try in $(seq 100); do ss -Hltn 'sport = :25' | grep -q . && break; sleep 0.1; done
"""
RELAY_GREEN = "rm -rf /root/green && mkdir /root/green && cp -a /etc/postfix /etc/lab /root/green"
RELAY_RESET = """
rm -rf /etc/postfix /etc/lab && cp -a /root/green/postfix /root/green/lab /etc && postfix reload 2>/dev/null
"""


def main_cf(*settings: str) -> str:
    return "\n".join(f"postconf -e '{setting}'" for setting in settings) + "\npostfix reload 2>/dev/null\n"


def relay_says(reply: str) -> str:
    """The relay answers each recipient with these words."""
    return main_cf("smtpd_sender_restrictions = check_recipient_access static:{" + reply + "}")


def listener(address: str, command: str = "smtpd") -> str:
    """One more listener, on all interfaces where no other address is given; as Postfix 3.9 has it by default."""
    if command.startswith("smtpd"):
        command += " -o smtpd_forbid_bare_newline=normalize"
    return f"postconf -M '{address}/inet={address} inet n - y - - {command}'; postfix reload 2>/dev/null; sleep 1\n"


def relays(*settings: str, **files: str) -> str:
    """Restrictions of the relay list before the guard, other settings, and files in /etc/postfix."""
    written = "".join(f"printf '{text}' >/etc/postfix/{name}\n" for name, text in files.items())
    return written + main_cf(*settings)


EVERYWHERE_2626 = listener("0.0.0.0:2626")
OTHER_SENDMAIL = """
cp /bin/true /usr/sbin/exim4 && rm /usr/sbin/sendmail && ln -s exim4 /usr/sbin/sendmail
"""
OWN_SENDMAIL = "rm -f /usr/sbin/exim4 /usr/sbin/sendmail && cp -a /root/green/sendmail /usr/sbin/sendmail"
OTHER_ON_25 = """
systemctl stop postfix && systemd-run -q --unit=foreign python3 -m http.server --bind 127.0.0.1 25
for _try in $(seq 50); do ss -Hltn 'sport = :25' | grep -q . && break; sleep 0.1; done
systemctl start postfix || true
"""
# The backup that the role made of a mail server's main.cf before it took the host over.
INBOUND = """
cat >'/etc/postfix/main.cf.9.2026-01-01@00:00:00~' <<END
myhostname = $(hostname -f)
mydestination = \\$myhostname, localhost
inet_interfaces = all
virtual_alias_domains = example.org,
    example.net
END
"""
# Messages that a refusing port has left in the queue, with all well again.
LEFT_OVER = """
postconf -e 'relayhost = [relay.lab.test]:2526' && postfix reload 2>/dev/null
for _number in 1 2 3; do echo hello | sendmail someone@example.test; done
for _try in $(seq 100); do postqueue -j | grep -c delay_reason | grep -q 3 && break; sleep 0.2; done
cp -a /root/green/postfix/main.cf /etc/postfix && postfix reload 2>/dev/null
"""
LONG_ON_HOLD = """
echo '/^Subject: old/ HOLD' >/etc/postfix/checks
postconf -e 'header_checks = regexp:/etc/postfix/checks' && postfix reload 2>/dev/null
printf 'Subject: old\\n\\nhello\\n' | sendmail someone@example.test
for _try in $(seq 50); do [ -n "$(ls /var/spool/postfix/hold)" ] && break; sleep 0.2; done
sed -i 's/\\(T.1\\)[0-9]\\{9\\}/\\1600000000/' /var/spool/postfix/hold/*
cp -a /root/green/postfix/main.cf /etc/postfix && postfix reload 2>/dev/null
"""

BROKEN = (
    # The relay's name and the way to it
    Case("a name that only /etc/hosts has", "echo '@RELAY@ onlyhere.lab.test' >>/etc/hosts; "
         "sed -i 's/relay.lab.test/onlyhere.lab.test/g' /etc/postfix/main.cf /etc/postfix/tls_policy /etc/postfix/sasl_passwd; "
         "systemctl restart postfix",
         ("dns does not know the name onlyhere.lab.test", "smtp_host_lookup: native"),
         variables={"postfix_relay_host": "onlyhere.lab.test"}),
    Case("the name server is gone", "echo nameserver 127.0.0.9 >/etc/resolv.conf; systemctl restart postfix",
         ("name server", "/etc/resolv.conf")),
    Case("the chroot has the name server of yesterday",
         "echo nameserver 127.0.0.9 >/var/spool/postfix/etc/resolv.conf",
         ("the chroot's /var/spool/postfix/etc/resolv.conf names 127.0.0.9", "restart postfix")),
    Case("the chroot has one of the host's two name servers", "cp /etc/resolv.conf /tmp/first; "
         "echo nameserver 127.0.0.9 >/var/spool/postfix/etc/resolv.conf; "
         "{ cat /tmp/first; echo nameserver 127.0.0.9; } >/etc/resolv.conf",
         ("the chroot's /var/spool/postfix/etc/resolv.conf names 127.0.0.9, and /etc/resolv.conf names",
          "which postfix asks because it runs chrooted", "restart postfix"), undo="rm /tmp/first"),
    Case("the chroot has lost resolv.conf", "rm /var/spool/postfix/etc/resolv.conf",
         ("resolv.conf is missing", "restart postfix")),
    Case("a firewall came after the deployment", "nft add element inet lab dropped '{ 587, 2525 }'",
         ("587", "firewall")),
    Case("a port at which nobody listens", main_cf("relayhost = [relay.lab.test]:2526"),
         ("connection refused", "mailops.smtp.preflight")),
    Case("the relay is this host", main_cf("relayhost = [127.0.0.1]:25", "smtp_tls_security_level = none",
         "smtp_tls_policy_maps =", "smtp_sasl_auth_enable = no"),
         ("comes back to this host", "relayhost")),
    Case("another table goes first", main_cf("transport_maps = inline:{example.test=smtp:[relay.lab.test]:25}"),
         ("should have gone to relay.lab.test port 587", "transport_maps")),
    # TLS
    Case("a middlebox hides STARTTLS", "nft add element inet lab stripped '{ 587, 2525 }'; systemctl start lab-strip",
         ("tls is required, but was not offered", "mailops.smtp.preflight")),
    Case("the authority is not among those trusted", "awk '{print} /END/{exit}' /etc/ssl/certs/ca-certificates.crt >/etc/postfix/ca.pem; "
         + main_cf("smtp_tls_CAfile = /etc/postfix/ca.pem", "smtp_tls_CApath ="),
         ("authority", "postfix_relay_ca_file")),
    Case("the file of authorities is gone", main_cf("smtp_tls_CAfile = /etc/postfix/none.pem"),
         ("/etc/postfix/none.pem", "missing or empty")),
    Case("the relay's certificate has expired", "", ("expired", "renew"),
         relay="cp /etc/lab/expired.pem /etc/lab/relay.pem; postfix reload 2>/dev/null", variables={"verify_skip": []}),
    Case("implicit TLS is spoken to by STARTTLS", main_cf("relayhost = [relay.lab.test]:465"),
         ("port 465 of relay.lab.test needs smtp_tls_wrappermode = yes", "mailops.smtp.deploy")),
    # The login
    Case("the login was revoked", "", ("535", "postfix_relay_password"),
         relay="sed -i 's/}.*/}bm90aGluZw==/' /etc/lab/users; systemctl reload dovecot"),
    Case("the login is not offered", main_cf("smtp_sasl_mechanism_filter = DIGEST-MD5"),
         ("no login mechanism in common", "postfix_relay_auth")),
    Case("the SASL plugins are gone", "mv /usr/lib/*/sasl2 /root/sasl2; postfix reload 2>/dev/null",
         ("sasl plugin", "libsasl2-modules"),
         undo="mv /root/sasl2 /usr/lib/$(uname -m)-linux-gnu/sasl2"),
    Case("the password map has a row twice", "echo \"$(grep -m1 '^\\[' /etc/postfix/sasl_passwd)\" >>/etc/postfix/sasl_passwd",
         ("duplicate entry", "postfix_maps")),
    Case("everybody may read the password", "chmod 644 /etc/postfix/sasl_passwd",
         ("/etc/postfix/sasl_passwd holds a password", "0600")),
    # What the relay says
    Case("the relay takes verified senders only", "", ("root's mail", "sender", "smtp_generic_maps"),
         relay="printf '/^verified@/ OK\n/./ REJECT not a verified sender\n' >/etc/postfix/senders; "
         + main_cf("smtpd_sender_restrictions = check_sender_access regexp:/etc/postfix/senders"),
         variables={"postfix_test_sender": "verified@example.test"}),
    Case("the relay wants a full name in the greeting", main_cf("smtp_helo_name = localhost"),
         ("helo command rejected", "postfix_myhostname"),
         relay=main_cf("smtpd_helo_restrictions = reject_non_fqdn_helo_hostname")),
    Case("the relay greylists", "", ("greylists", "wait"), relay=relay_says("450 4.2.0 Greylisted, see RFC 6647")),
    Case("the mailbox there is full", "", ("quota", "emptied"), relay=relay_says("452 4.2.2 The mailbox is full")),
    Case("the relay's limit is reached", "", ("limit", "rate_delay"),
         relay=relay_says("450 4.7.1 Sending rate limit exceeded")),
    # Postfix and its house
    Case("Postfix does not run", "systemctl stop postfix", ("the service postfix", "start postfix")),
    Case("Postfix does not start at boot", "systemctl disable -q postfix", ("not enabled", "mailops.smtp.deploy"),
         undo="systemctl enable -q postfix"),
    Case("another program holds port 25", OTHER_ON_25, ("address already in use", "another program holds the port"),
         undo="systemctl stop foreign"),
    Case("sendmail is another mail server's", OTHER_SENDMAIL, ("another mail server", "/usr/sbin/exim4"),
         undo=OWN_SENDMAIL),
    Case("the queue belongs to somebody else", "chown daemon /var/spool/postfix/incoming /var/spool/postfix/active",
         ("/var/spool/postfix/incoming should belong to postfix", "set-permissions"),
         undo="chown postfix /var/spool/postfix/incoming /var/spool/postfix/active"),
    Case("root owns the directories that submit mail", "chown root:root /var/spool/postfix/public; chown root /var/spool/postfix/maildrop",
         ("/var/spool/postfix/public should belong to postfix:postdrop", "set-permissions"),
         undo="chown postfix:postdrop /var/spool/postfix/public /var/spool/postfix/maildrop; chmod 2710 /var/spool/postfix/public; "
         "chmod 1730 /var/spool/postfix/maildrop"),
    Case("postdrop has lost its group", "chmod g-s /usr/sbin/postdrop",
         ("/usr/sbin/postdrop should belong to root:postdrop", "set-permissions"), undo="chmod g+s /usr/sbin/postdrop"),
    Case("others may write into main.cf", "chmod 666 /etc/postfix/main.cf", ("/etc/postfix/main.cf", "without 0022")),
    Case("users may not read main.cf", "chmod 600 /etc/postfix/main.cf", ("/etc/postfix/main.cf", "0444")),
    Case("the user postfix is gone", "sed -i /^postfix:/d /etc/passwd", ("user postfix", "package postfix")),
    Case("the disk is full", "", ("the disk of /var/spool/postfix is full", "free"),
         disk="size=12m"),
    Case("queue_minfree needs more than there is", main_cf("queue_minfree = 999999999999999"),
         ("queue_minfree needs", "postfix_parameters")),
    Case("a parameter is misspelt", "echo 'relay_hots = [relay.lab.test]' >>/etc/postfix/main.cf",
         ("relay_hots", "no fault")),
    Case("relayhost is set again behind the block", "echo 'relayhost = [10.89.1.10]:25' >>/etc/postfix/main.cf; postfix reload 2>/dev/null",
         ("relayhost is set again in main.cf line", "after the block that ansible wrote", "1 of ")),
    # Tables, filters, and switches that somebody has forgotten
    Case("a table of a type that is not there", main_cf("transport_maps = lmdb:/etc/postfix/transport"),
         ("no tables of the type lmdb", "postfix-lmdb"), ),
    Case("a table was never built", "echo 'x y' >/etc/postfix/virtual; " + main_cf("virtual_alias_maps = hash:/etc/postfix/virtual"),
         ("hash:/etc/postfix/virtual", "postmap")),
    Case("the alias database is gone", "rm /etc/aliases.db", ("alias database", "newaliases")),
    Case("the aliases are gone altogether", "rm -f /etc/aliases /etc/aliases.db",
         ("alias database", "/etc/aliases is missing too", "newaliases")),
    Case("root owns the virtual mailboxes", "mkdir /var/vmail; " + main_cf("virtual_mailbox_domains = example.org",
         "virtual_mailbox_base = /var/vmail", "virtual_mailbox_maps = inline:{ops@example.org=ops/}",
         "virtual_uid_maps = static:5000", "virtual_gid_maps = static:5000"),
         ("/var/vmail (virtual_mailbox_base) should belong to 5000:5000", "chown -r 5000:5000 /var/vmail"),
         undo="rm -rf /var/vmail"),
    Case("root's mail goes to nobody", "echo 'root: nobody-of-that-name' >>/etc/aliases; sed -i '/^root: [^n]/d' /etc/aliases; "
         "newaliases", ("root's mail", "no such local user", "postfix_aliases")),
    Case("root's mailbox is no file", "rm -rf /var/mail/root; mkdir /var/mail/root", ("root's mail", "mailbox"),
         undo="rm -rf /var/mail/root"),
    Case("the mailbox limit is below the message limit", main_cf("mailbox_size_limit = 1000"),
         ("mailbox_size_limit is smaller than message_size_limit", "postfix_parameters")),
    Case("the milter is down", main_cf("non_smtpd_milters = inet:127.0.0.1:8899", "milter_default_action = tempfail"),
         ("milter", "non_smtpd_milters")),
    Case("the content filter is down", main_cf("content_filter = smtp:[127.0.0.1]:10024"),
         ("content filter", "content_filter")),
    Case("mail is put on hold", "echo '/^Subject: Test message/ HOLD' >/etc/postfix/checks; " + main_cf("header_checks = regexp:/etc/postfix/checks"),
         ("on hold", "header_checks")),
    Case("mail was put on hold and forgotten", LONG_ON_HOLD, ("on hold, the oldest for", "postsuper -h all")),
    Case("mail has piled up", LEFT_OVER, ("3 messages wait in the queue", "postqueue -f")),
    Case("soft_bounce was forgotten", main_cf("soft_bounce = yes"), ("soft_bounce", "postfix_parameters")),
    Case("defer_transports was forgotten", main_cf("defer_transports = smtp"), ("defer_transports", "postqueue -f")),
    Case("root may not submit", main_cf("authorized_submit_users = daemon"),
         ("not let this user send", "authorized_submit_users")),
    # Relays for strangers, by indirection
    Case("mynetworks is a table of everybody", main_cf("mynetworks = static:all"),
         ("trusts static:all", "correct mynetworks", "1 of "), seldom=True),
    Case("mynetworks is a file with everybody in it",
         relays("mynetworks = 127.0.0.0/8 cidr:/etc/postfix/networks", networks="0.0.0.0/0 yes\\n"),
         ("trusts cidr:/etc/postfix/networks, which holds", "correct mynetworks", "1 of ")),
    Case("mynetworks is three quarters of the internet", main_cf("mynetworks = 0.0.0.0/2 64.0.0.0/2 192.0.0.0/2"),
         ("trusts 0.0.0.0/2, 64.0.0.0/2, 192.0.0.0/2", "correct mynetworks", "1 of "), seldom=True),
    Case("a class permits everybody", main_cf("smtpd_restriction_classes = friends", "friends = check_client_access static:OK",
         "smtpd_relay_restrictions = friends, reject_unauth_destination"),
         ("smtp/inet would relay for anyone", "smtpd_relay_restrictions comes to friends (a class with", "1 of ")),
    Case("a table of clients permits everybody", relays(
         "smtpd_relay_restrictions = check_client_access cidr:/etc/postfix/clients, reject_unauth_destination",
         clients="0.0.0.0/0 OK\\n"),
         ("comes to check_client_access cidr:/etc/postfix/clients (which says", "smtpd_relay_restrictions", "1 of "), seldom=True),
    Case("a table of senders permits one that anybody may say", relays(
         "smtpd_relay_restrictions = check_sender_access hash:/etc/postfix/senders, reject_unauth_destination",
         senders="boss@example.com OK\\n") + "postmap hash:/etc/postfix/senders\n",
         ("comes to check_sender_access hash:/etc/postfix/senders (which says", "smtpd_relay_restrictions", "1 of ")),
    Case("a table of names permits one that anybody may say", relays(
         "smtpd_relay_restrictions = check_helo_access texthash:/etc/postfix/names, reject_unauth_destination",
         names="mail.partner.test permit_mynetworks, permit\\n"),
         ("comes to check_helo_access texthash:/etc/postfix/names (which says", "smtpd_relay_restrictions", "1 of "), seldom=True),
    Case("a table of recipients permits all", relays("smtpd_relay_restrictions =",
         "smtpd_recipient_restrictions = check_recipient_access regexp:/etc/postfix/rcpt, reject_unauth_destination",
         rcpt="/@/ OK\\n"),
         ("smtpd_recipient_restrictions comes to check_recipient_access regexp:/etc/postfix/rcpt", "1 of "), seldom=True),
    Case("one listener permits by -o", listener("127.0.0.2:2626") + listener(
         "[::]:2627", "smtpd -o smtpd_relay_restrictions=check_client_access,static:OK,reject"),
         ("[::]:2627/inet would relay for anyone", "smtpd_relay_restrictions (-o in master.cf)", "1 of ")),
    Case("strangers may use XCLIENT", main_cf("smtpd_authorized_xclient_hosts = static:all"),
         ("smtpd_authorized_xclient_hosts holds static:all", "who may tell smtp/inet that they are in mynetworks", "1 of "), seldom=True),
    Case("the controller is offered XCLIENT", main_cf("smtpd_authorized_xclient_hosts = 10.0.0.0/8") + EVERYWHERE_2626,
         ("port 2626 offers xclient to the controller", "smtpd_authorized_xclient_hosts", "1 of ")),
    Case("the proxy's port is open to all", listener("0.0.0.0:10587", "smtpd -o smtpd_upstream_proxy_protocol=haproxy"),
         ("whoever connects to 0.0.0.0:10587/inet may say", "smtpd_upstream_proxy_protocol", "1 of ")),
    Case("the proxy's port before postscreen is open to all", "postconf -M 'smtpd/pass=smtpd pass - - y - - smtpd'; "
         + main_cf("postscreen_upstream_proxy_protocol = haproxy") + listener("0.0.0.0:2626", "postscreen"),
         ("whoever connects to 0.0.0.0:2626/inet may say", "postscreen_upstream_proxy_protocol", "1 of "), seldom=True),
    Case("strangers may use QMQP", main_cf("qmqpd_authorized_clients = static:all") + listener("0.0.0.0:628", "qmqpd"),
         ("0.0.0.0:628/inet relays everything for static:all", "qmqpd_authorized_clients", "1 of ")),
    Case("every domain may be relayed to", relays("relay_domains = regexp:/etc/postfix/domains", domains="/./ yes\\n"),
         ("relay_domains should name this host's own domains", "name your own domains in relay_domains")),
    Case("every domain is this host's", main_cf("mydestination = static:all"),
         ("mydestination should name this host's own domains", "name your own domains in mydestination"), seldom=True),
    Case("routes in addresses are followed for strangers",
         main_cf("allow_untrusted_routing = yes", "relay_domains = partner.test") + EVERYWHERE_2626,
         ("port 2626 should refuse to relay for a stranger", "set allow_untrusted_routing = no", "1 of "), seldom=True),
    Case("no message is small enough", main_cf("message_size_limit = 100"), ("larger than", "message_size_limit")),
    # What was there before
    Case("the deployment took the inbound domains", INBOUND,
         ("before the deployment this host took mail for example.org, example.net", "mailops.smtp.deploy")),
    Case("a domain of ours is not taken", "", ("should take mail for example.com", "postfix_mydestination"),
         variables={"verify_domains": ["example.com"]}),
)  # fmt: skip

TWO_LISTENERS = """
postconf -M 'submission/inet=submission inet n - y - - smtpd -o smtpd_tls_security_level=encrypt \
 -o smtpd_sasl_auth_enable=no -o smtpd_relay_restrictions=permit_mynetworks,reject'
"""
SECOND_INSTANCE = """
postmulti -e init && postmulti -I postfix-two -G other -e create && postmulti -i postfix-two -e enable
postconf -c /etc/postfix-two -e 'inet_interfaces = loopback-only' 'master_service_disable = inet'
systemctl restart postfix
"""
NO_SECOND = """
postmulti -i postfix-two -p stop 2>/dev/null || true; postmulti -i postfix-two -e disable
rm -rf /etc/postfix-two /var/spool/postfix-two /var/lib/postfix-two
"""

HEALTHY = (
    Case("/etc/hosts edited, as cloud-init does", "echo '192.0.2.7 other.example' >>/etc/hosts"),
    Case("a chroot's resolv.conf with a comment of its own",
         "{ echo '# yesterday'; cat /etc/resolv.conf; } >/var/spool/postfix/etc/resolv.conf"),
    Case("maillog_file", main_cf("maillog_file = /var/log/postfix.log"), undo="rm -f /var/log/postfix.log"),
    Case("another mail_name and syslog_name", main_cf("mail_name = Mail", "syslog_name = mta/postfix", "smtpd_banner = hi")),
    Case("IPv4 only", main_cf("inet_protocols = ipv4") + "systemctl restart postfix"),
    Case("a submission service besides", TWO_LISTENERS + "postfix reload 2>/dev/null; sleep 1"),
    Case("a mail exchanger with tables of its own", relays("relay_domains = partner.test, texthash:/etc/postfix/more",
         "smtpd_restriction_classes = inside", "inside = permit_mynetworks, permit_sasl_authenticated",
         "smtpd_relay_restrictions = inside, check_client_access cidr:/etc/postfix/clients, reject_unauth_destination",
         "smtpd_recipient_restrictions = check_sender_access regexp:/etc/postfix/senders, "
         "check_recipient_access texthash:/etc/postfix/rcpt, reject_non_fqdn_recipient",
         more="other.test x\\n", clients="198.51.100.0/24 OK\\n", senders="/^spam@/ REJECT no permit for you\\n",
         rcpt="postmaster@ OK\\n") + EVERYWHERE_2626),
    Case("submission for whoever logs in", listener("0.0.0.0:587", "smtpd -o smtpd_client_restrictions= "
         "-o smtpd_relay_restrictions=$mua_relay_restrictions -o smtpd_recipient_restrictions=")
         + main_cf("mua_relay_restrictions = permit_sasl_authenticated, reject")),
    Case("a proxy and a filter on the host itself", main_cf("smtpd_authorized_xclient_hosts = 127.0.0.1 [::1]")
         + listener("127.0.0.1:10587", "smtpd -o smtpd_upstream_proxy_protocol=haproxy")
         + listener("127.0.0.1:10025", "smtpd -o smtpd_relay_restrictions=permit -o mynetworks=0.0.0.0/0"), seldom=True),
    Case("the controller may relay", relays("smtpd_relay_restrictions = permit_mynetworks, "
         "check_client_access cidr:/etc/postfix/clients, reject_unauth_destination", clients="10.0.0.0/8 OK\\n")
         + EVERYWHERE_2626, seldom=True),
    Case("postscreen at port 25", "postconf -M 'smtp/inet=smtp inet n - y - 1 postscreen' 'smtpd/pass=smtpd pass - - y - - smtpd' "
         "'dnsblog/unix=dnsblog unix - - y - 0 dnsblog'; postfix reload 2>/dev/null; sleep 1"),
    Case("a parameter that is set twice", "printf 'message_size_limit = 20000000\\nmessage_size_limit = 50000000\\n' >>/etc/postfix/main.cf; "
         "postfix reload 2>/dev/null"),
    Case("an old compatibility level", main_cf("compatibility_level = 1")),
    Case("transport and sender tables for others", "echo 'example.org smtp:[192.0.2.1]:25' >/etc/postfix/transport; "
         + main_cf("transport_maps = texthash:/etc/postfix/transport")),
    Case("tables in several types, and the password in a second one", "postmap hash:/etc/postfix/sasl_passwd; "
         "chmod 600 /etc/postfix/sasl_passwd.db; "
         + main_cf("smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd, texthash:/etc/postfix/sasl_passwd")),
    Case("attributes in the TLS policy", "sed -i 's/ secure$/ secure servername=hostname match=hostname/' /etc/postfix/tls_policy"),
    Case("no ss", "mv /usr/bin/ss /usr/bin/ss.away", undo="mv /usr/bin/ss.away /usr/bin/ss"),
    Case("a second instance", SECOND_INSTANCE, undo=NO_SECOND),
    Case("one deferred message for somebody's full mailbox",
         "printf 'hello' | sendmail -f '' someone@example.test; sleep 1",
         relay="echo 'someone@example.test 452 4.2.2 full' >/etc/postfix/full; "
        + main_cf("smtpd_sender_restrictions = check_recipient_access texthash:/etc/postfix/full")),
    Case("root's mail goes to the relay", "echo 'root: ops@example.test' >>/etc/aliases; newaliases"),
    Case("notifications and a custom address extension", main_cf("recipient_delimiter = +", "notify_classes = bounce, resource")),
    Case("another locale", "printf 'LANG=de_DE.UTF-8\\nLC_ALL=de_DE.UTF-8\\n' >/etc/default/locale", undo="rm /etc/default/locale"),
)  # fmt: skip
