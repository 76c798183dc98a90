"""This host's Postfix as a client, from main.cf, master.cf and what the host says of itself."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix import client
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.client import (
    ClientError,
    Host,
    Name,
    Wish,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files import block
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._smtp.servers import DATA

SMTP = "smtp unix - - {} - - smtp"


def a_host(tmp_path, main=None, master="", name="web1.example.com", hosts="", **more):
    for path, text in {
        "etc/postfix/main.cf": main,
        "etc/postfix/master.cf": master,
        **more.pop("files", {}),
    }.items():
        if text is not None:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
    given = {
        "canonical": lambda _name: [],
        "addresses": lambda _name: [],
        "plugins": frozenset(),
        "release": {"ID": "debian"},
        "has": lambda _address: True,
        **more,
    }
    return Host(name, hosts, **given, root=str(tmp_path))


def of(tmp_path, main=None, master="", wish=None, **more):
    return client.client(wish=wish, host=a_host(tmp_path, main, master, **more))


@pytest.mark.parametrize(
    "main, master, both",
    [
        ("", SMTP, True),
        (None, "", True),
        ("inet_protocols = ipv4", SMTP, False),
        ("inet_protocols = ipv6, ipv4", SMTP, True),
        ("smtp_address_preference = ipv4", SMTP, False),
        ("smtp_address_preference = Any", SMTP, True),
        ("", f"{SMTP}\n  -o smtp_address_preference=ipv6", False),
    ],
)
def test_whether_it_takes_either_family_first(tmp_path, main, master, both):
    assert of(tmp_path, main, master).both_families is both


HAND_MADE = "relay_domains = example.org\n"


@pytest.mark.parametrize(
    "main, name, helo",
    [
        ("", "web1.example.com", "web1.example.com"),
        ("", "web1", "web1.localdomain"),
        ("mydomain = lan", "web1", "web1.lan"),
        ("myhostname = mail.example.net", "web1", "mail.example.net"),
        ("myhostname = mail.$mydomain\nmydomain = example.net", "web1", "mail.example.net"),
        ("myhostname = web1\n", "x", "web1"),
        ("smtp_helo_name = out.$mydomain\nmyhostname = mail.example.net", "x", "out.example.net"),
        ("myhostname = a.example\nmyhostname = b.example", "x", "b.example"),
        ("my_name = mail.example.net\nmyhostname = ${my_name}", "x", "mail.example.net"),
        ("smtp_helo_name = [192.0.2.1]", "x", "[192.0.2.1]"),
    ],
)
def test_the_name_is_that_of_postfix(tmp_path, main, name, helo):
    assert of(tmp_path, main, name=name).helo.name == helo


@pytest.mark.parametrize(
    "main, name, hosts, helo",
    [
        # no Postfix yet
        (None, "web1.example.com", "", ("web1.example.com", "main.cf", None)),
        (None, "web1", "10.0.0.1 web1.example.com web1", ("web1.example.com", "main.cf", None)),
        (None, "web1", "127.0.0.1 localhost web1", (None, "main.cf", "'web1', which has no domain")),
        # the name that the package's installation found is nobody's wish
        ("myhostname = vm", "web1.example.com", "", ("web1.example.com", "host", None)),
        ("myhostname = localhost", "web1", "", ("localhost", "main.cf", "is 'localhost', which is the name")),
        # by hand, and relays refuse it: the host's own is said to them alone
        (
            HAND_MADE + "myhostname = web1",
            "web1",
            "10.0.0.1 web1.example.com web1",
            ("web1.example.com", "host", None),
        ),
        (HAND_MADE + "myhostname = mail.example.net", "web1", "", ("mail.example.net", "main.cf", None)),
    ],
)
def test_the_name_that_role_postfix_will_give(tmp_path, main, name, hosts, helo):
    found = of(tmp_path, main, wish=Wish(), name=name, hosts=hosts).helo
    assert found[:2] == helo[:2]
    assert (helo[2] in found.problem) if helo[2] else found.problem is None


def test_a_name_that_the_user_gives_is_never_replaced(tmp_path):
    wish = Wish({"myhostname": "localhost"})
    found = of(tmp_path, None, wish=wish).helo
    assert found[:2] == Name("localhost", "parameters")[:2]
    assert found.problem.startswith("myhostname is 'localhost', which ")


def test_the_roles_own_block_is_not_the_hosts_wish(tmp_path):
    own = "myhostname = mail.example.net\n"
    text = block.compose(own, "myhostname = old.example.org\ninet_protocols = ipv4\n", lambda _line: False)
    now = of(tmp_path, text)
    assert (now.helo.name, now.family) == ("old.example.org", "ipv4")
    then = of(tmp_path, text, wish=Wish())
    assert (then.helo.name, then.family) == ("mail.example.net", "any")


@pytest.mark.parametrize(
    "main, master, sources",
    [
        ("", "", ()),
        ("inet_interfaces = all", "", ()),
        ("inet_interfaces = loopback-only", "", ()),
        ("inet_interfaces = 127.0.0.1, [::1]", "", ()),
        ("inet_interfaces = 192.0.2.7", "", ("192.0.2.7",)),
        ("inet_interfaces = 192.0.2.7, 127.0.0.1", "", ()),
        ("inet_interfaces = 192.0.2.7, [2001:db8::7]", "", ("192.0.2.7", "2001:db8::7")),
        ("inet_interfaces = 192.0.2.7, ::1", "", ("192.0.2.7",)),
        ("inet_interfaces = $myhostname\nmyhostname = me.example.net", "", ("192.0.2.9",)),
        ("inet_interfaces = $myhostname, localhost\nmyhostname = me.example.net", "", ()),
        ("smtp_bind_address = 192.0.2.8\ninet_interfaces = 192.0.2.7", "", ("192.0.2.8",)),
        ("smtp_bind_address6 = [2001:db8::8]", "", ("2001:db8::8",)),
        ("smtp_bind_address6 = 2001:db8::8\ninet_protocols = ipv4", "", ()),
        ("smtp_bind_address = 0.0.0.0", "", ()),
        ("", SMTP.format("n") + " -o smtp_bind_address=192.0.2.10", ("192.0.2.10",)),
        (
            "default_transport = out:",
            "out unix - - n - - smtp -o smtp_bind_address=192.0.2.11",
            ("192.0.2.11",),
        ),
        (
            "default_transport = relay-implicit:[a.example]:465",
            SMTP.format("n") + " -o smtp_bind_address=192.0.2.12\nrelay-implicit unix - - n - - smtp",
            ("192.0.2.12",),
        ),
    ],
)
def test_source_addresses(tmp_path, main, master, sources):
    hosts = "127.0.0.1 localhost\n192.0.2.9 me.example.net\n"
    assert of(tmp_path, main, master, hosts=hosts).sources == sources


OUT = "out unix - - y - - smtp -o smtp_bind_address=192.0.2.11\n"
BOUND = {"service": "smtp", "type": "unix", "options": {"smtp_bind_address": "192.0.2.13"}}


@pytest.mark.parametrize(
    "main, master, wish, sources, chroot",
    [
        # The role has mail go by smtp, or by one like it, whatever the host has it go by now.
        ("default_transport = out:", OUT + SMTP.format("n"), Wish(), (), False),
        ("default_transport = out:", OUT, Wish({"default_transport": "out:"}), ("192.0.2.11",), True),
        # What postfix_services is about to give to it.
        ("", SMTP.format("y"), Wish(services=[BOUND]), ("192.0.2.13",), True),
        ("", SMTP.format("y"), Wish(services=[{**BOUND, "chroot": "n"}]), ("192.0.2.13",), False),
        (None, "", Wish(services=[BOUND]), ("192.0.2.13",), False),
        # Another service, also one that is not there.
        ("", SMTP.format("n"), Wish(services=[{**BOUND, "service": "other"}]), (), False),
        ("", SMTP.format("n"), Wish(services=[{**BOUND, "type": "inet"}]), (), False),
    ],
)
def test_the_service_that_role_postfix_will_have_mail_take(tmp_path, main, master, wish, sources, chroot):
    found = of(tmp_path, main, master, wish=wish)
    assert (found.sources, found.chroot) == (sources, chroot)


def test_a_service_that_cannot_be_is_refused_by_its_name(tmp_path):
    with pytest.raises(
        ClientError, match=r"services .postfix_services of the role.: service smtp/unix: chroot is 'z': write"
    ):
        of(tmp_path, "", SMTP.format("n"), wish=Wish(services=[{**BOUND, "chroot": "z"}]))


def test_an_address_that_the_host_does_not_have_is_not_bound_to_and_told(tmp_path):
    found = of(tmp_path, "smtp_bind_address = 192.0.2.8", has=lambda address: False)
    assert found.sources == ()
    assert "192.0.2.8, which is not an address of this host" in found.warnings[0]
    main = "smtp_bind_address = 192.0.2.8\nsmtp_bind_address_enforce = yes"
    assert of(tmp_path, main, has=lambda address: False).sources == ("192.0.2.8",)


@pytest.mark.parametrize(
    "main, family",
    [
        ("", "any"),
        ("inet_protocols = all", "any"),
        ("inet_protocols = ipv4", "ipv4"),
        ("inet_protocols = IPv6", "ipv6"),
        ("inet_protocols = ipv4, ipv6", "any"),
        ("inet_protocols = ipv6 ipv4", "any"),
    ],
)
def test_family(tmp_path, main, family):
    assert of(tmp_path, main).family == family


@pytest.mark.parametrize(
    "main, lookup",
    [
        ("", "auto"),
        ("smtp_host_lookup = dns", "dns"),
        ("smtp_host_lookup = native", "native"),
        ("smtp_host_lookup = dns, native", "both"),
        ("smtp_host_lookup = native, dns", "native"),
        ("smtp_dns_support_level = disabled", "native"),
        ("disable_dns_lookups = yes", "native"),
        ("disable_dns_lookups = Yes", "native"),
    ],
)
def test_lookup(tmp_path, main, lookup):
    assert of(tmp_path, main).lookup == lookup


FILE, OTHER, DIRECTORY = "{here}/ca.pem", "{here}/other.pem", "{here}/certs"
CA_FILE, CA_PATH = f"smtp_tls_CAfile = {FILE}\n", f"smtp_tls_CApath = {DIRECTORY}\n"
SYSTEM_PATH, APPEND = "smtp_tls_CApath = /etc/ssl/certs\n", "tls_append_default_CA = yes\n"


@pytest.mark.parametrize(
    "main, wish, authorities, system",
    [
        # Postfix as it is.
        (None, None, (), False),
        ("", None, (), False),
        (CA_FILE, None, (FILE,), False),
        (CA_PATH, None, (DIRECTORY,), False),
        (CA_FILE + CA_PATH, None, (FILE, DIRECTORY), False),
        (CA_FILE + SYSTEM_PATH, None, (FILE, "/etc/ssl/certs"), False),
        (SYSTEM_PATH, None, (), False),
        (CA_FILE + APPEND, None, (FILE,), True),
        (CA_PATH + APPEND, None, (DIRECTORY,), True),
        (APPEND, None, (), False),
        (CA_FILE + "smtp_tls_CApath = /none/certs", None, (FILE,), False),
        # Postfix as role postfix makes it: with the distribution's file where nobody names one.
        ("", Wish(), (), False),
        (CA_PATH, Wish(), (DIRECTORY,), True),
        (SYSTEM_PATH, Wish(), (), False),
        (CA_FILE + CA_PATH, Wish(), (FILE, DIRECTORY), False),
        (CA_FILE + CA_PATH, Wish(replace=True), (), False),
        (SYSTEM_PATH, Wish({"smtp_tls_CAfile": OTHER}), (OTHER, "/etc/ssl/certs"), False),
        (CA_FILE + CA_PATH, Wish({"smtp_tls_CAfile": OTHER}), (OTHER, DIRECTORY), False),
        (CA_FILE + CA_PATH, Wish({"smtp_tls_CAfile": None}), (DIRECTORY,), False),
        (CA_FILE + CA_PATH, Wish({"smtp_tls_CApath": None}), (FILE,), False),
        (None, Wish({"smtp_tls_CAfile": OTHER}), (OTHER,), False),
    ],
)
def test_authorities(tmp_path, main, wish, authorities, system):
    def here(text):
        return text.replace("{here}", str(tmp_path)) if text else text

    for name in ("ca.pem", "other.pem"):
        (tmp_path / name).write_text("")
    (tmp_path / "certs").mkdir()
    if wish:
        wish = wish._replace(parameters={name: here(text) for name, text in wish.parameters.items()})
    found = of(tmp_path, here(main), wish=wish)
    assert found.authorities == tuple(map(here, authorities))
    assert found.system_authorities == system


@pytest.mark.parametrize(
    "main, wish, says",
    [
        (
            "smtp_tls_CAfile = /none.pem",
            None,
            "smtp_tls_CAfile of this host's main.cf: /none.pem does not exist on this host",
        ),
        ("smtp_tls_CAfile = /none.pem\nsmtp_tls_CApath = /etc", None, "main.cf: /none.pem does not exist"),
        ("smtp_tls_CApath = /none", None, "smtp_tls_CApath of this host's main.cf: /none does not exist"),
        ("", Wish({"smtp_tls_CAfile": "/n.pem"}), "smtp_tls_CAfile: /n.pem does not exist on this host"),
        (
            None,
            Wish({"smtp_tls_CAfile": "/n.pem"}, names={"smtp_tls_CAfile": "postfix_relay_ca_file"}),
            "postfix_relay_ca_file: /n.pem does not exist on this host; give a PEM file",
        ),
    ],
)
def test_authorities_that_are_not_there(tmp_path, main, wish, says):
    with pytest.raises(ClientError) as error:
        of(tmp_path, main, wish=wish)
    assert says in str(error.value)


@pytest.mark.parametrize(
    "main, wish, expected",
    [
        ("inet_protocols = ipv6", None, ("inet_protocols of this host's Postfix", "inet_protocols")),
        (
            "inet_protocols = ipv6",
            Wish(names={"inet_protocols": "postfix_inet_protocols"}),
            ("inet_protocols of this host's Postfix", "postfix_inet_protocols"),
        ),
        (
            "",
            Wish({"inet_protocols": "ipv4"}, names={"inet_protocols": "postfix_inet_protocols"}),
            ("postfix_inet_protocols", "postfix_inet_protocols"),
        ),
    ],
)
def test_whose_the_family_is(tmp_path, main, wish, expected):
    assert of(tmp_path, main, wish=wish).family_from == expected


@pytest.mark.parametrize(
    "chroot, copied, wish, authorities, system, warned",
    [
        ("n", False, None, ("{here}/ca.pem", "{here}/certs"), False, False),
        ("y", True, None, ("{here}/ca.pem", "{here}/var/spool/postfix{here}/certs"), False, False),
        ("y", False, None, ("{here}/ca.pem",), False, True),
        ("y", True, Wish(replace=True, parameters={"smtp_tls_CApath": "{here}/certs"}),
         ("{here}/var/spool/postfix{here}/certs",), True, False),
    ],
)  # fmt: skip
def test_a_chrooted_client_finds_the_copy_of_a_directory(
    tmp_path, chroot, copied, wish, authorities, system, warned
):
    def here(text):
        return text.replace("{here}", str(tmp_path))

    (tmp_path / "ca.pem").write_text("")
    (tmp_path / "certs").mkdir()
    if copied:
        (tmp_path / f"var/spool/postfix{tmp_path}/certs").mkdir(parents=True)
    if wish:
        wish = wish._replace(parameters={name: here(text) for name, text in wish.parameters.items()})
    found = of(tmp_path, here(CA_FILE + CA_PATH), SMTP.format(chroot), wish=wish)
    assert found.authorities == tuple(map(here, authorities))
    assert found.system_authorities == system
    assert any("has no copy of" in warning for warning in found.warnings) == warned


GOOD, EXPIRED, TEXT = (str(DATA / name) for name in ("good.pem", "expired.pem", "make.py"))
NAMES = {"smtp_tls_cert_file": "postfix_relay_cert_file", "smtp_tls_key_file": "postfix_relay_key_file"}


@pytest.mark.parametrize(
    "main, wish, shown",
    [
        ("", None, ()),
        (f"smtp_tls_cert_file = {GOOD}", None, ((GOOD, GOOD),)),
        ("smtp_tls_cert_file = none", None, ()),
        (f"smtp_tls_cert_file = {GOOD}\nsmtp_tls_key_file = $smtp_tls_cert_file", None, ((GOOD, GOOD),)),
        (f"smtp_tls_cert_file = /none\nsmtp_tls_chain_files = {GOOD}", None, ((GOOD, GOOD),)),
        (f"smtp_tls_cert_file = {GOOD}\nsmtp_tls_eccert_file = {GOOD}", None, ((GOOD, GOOD), (GOOD, GOOD))),
        (f"smtpd_tls_cert_file = {GOOD}", None, ()),
        # Role postfix names one, and none other goes before it.
        (
            "smtp_tls_chain_files = /none",
            Wish(
                {
                    "smtp_tls_chain_files": "",
                    "smtp_tls_cert_file": GOOD,
                    "smtp_tls_key_file": "$smtp_tls_cert_file",
                }
            ),
            ((GOOD, GOOD),),
        ),
        (f"smtp_tls_cert_file = {GOOD}", Wish(), ((GOOD, GOOD),)),
        (f"smtp_tls_cert_file = {GOOD}", Wish(replace=True), ()),
    ],
)
def test_the_certificate_that_it_shows(tmp_path, main, wish, shown):
    found = of(tmp_path, main, wish=wish)
    assert (found.certificates, found.warnings) == (shown, ())


def test_a_key_that_comes_before_its_certificate_in_another_file(tmp_path):
    (tmp_path / "etc").mkdir()
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    blocks = (DATA / "good.pem").read_text().partition("-----END PRIVATE KEY-----\n")
    key.write_text(blocks[0] + blocks[1])
    certificate.write_text(blocks[2])
    host = a_host(tmp_path, f"smtp_tls_chain_files = {key}, {certificate}")._replace(root="/")
    main = (tmp_path / "etc/postfix").as_posix()
    assert client.client(main, host=host).certificates == ((str(certificate), str(key)),)


@pytest.mark.parametrize(
    "main, wish, says",
    [
        (
            f"smtp_tls_cert_file = {TEXT}",
            None,
            f"smtp_tls_cert_file of /etc/postfix/main.cf: {TEXT} holds no certificate in PEM format; name the file "
            "that does. Without it Postfix has no TLS at all",
        ),
        (
            f"smtp_tls_cert_file = {GOOD}\nsmtp_tls_key_file = /none",
            Wish(),
            "smtp_tls_key_file of /etc/postfix/main.cf: /none",
        ),
        (
            "smtp_tls_chain_files = /none.pem",
            None,
            "smtp_tls_chain_files of /etc/postfix/main.cf: /none.pem does not exist",
        ),
        (
            "",
            Wish({"smtp_tls_cert_file": "/none"}, names=NAMES),
            "postfix_relay_cert_file: /none does not exist",
        ),
        (
            "",
            Wish({"smtp_tls_cert_file": GOOD, "smtp_tls_key_file": "/none"}, names=NAMES),
            "postfix_relay_key_file: /none does not exist",
        ),
        (
            "",
            Wish({"smtp_tls_cert_file": EXPIRED}, names=NAMES),
            "postfix_relay_cert_file: the certificate in ",
        ),
    ],
)
def test_a_certificate_that_postfix_could_not_load(tmp_path, main, wish, says):
    with pytest.raises(ClientError) as error:
        of(tmp_path, main, wish=wish)
    assert str(error.value).startswith(says)


def test_a_certificate_of_the_host_that_has_expired_is_shown_as_postfix_does(tmp_path):
    found = of(tmp_path, f"smtp_tls_cert_file = {EXPIRED}")
    assert found.certificates == ((EXPIRED, EXPIRED),)
    assert len(found.warnings) == 1
    assert f"the certificate in {EXPIRED} expired on " in found.warnings[0]


@pytest.mark.parametrize("wish", [None, Wish({"smtp_tls_cert_file": "{here}"}, names=NAMES)])
def test_a_key_that_this_user_cannot_read_is_told_of(tmp_path, wish):
    # A directory stands for a file without permission, which there is none of for root.
    if wish:
        wish = wish._replace(parameters={"smtp_tls_cert_file": str(tmp_path)})
    found = of(tmp_path, f"smtp_tls_cert_file = {tmp_path}", wish=wish)
    assert found.certificates == ()
    assert "Postfix shows that certificate, and the probe showed none" in found.warnings[0]


@pytest.mark.parametrize(
    "plugins, release, wish, has, has_not",
    [
        ({"plain", "login"}, "debian", None, {"PLAIN", "LOGIN"}, {"SCRAM-SHA-256", "CRAM-MD5"}),
        ({"scram"}, "debian", None, {"SCRAM-SHA-256"}, {"PLAIN"}),
        (set(), "debian", Wish(), {"PLAIN", "SCRAM-SHA-256", "CRAM-MD5"}, {"XOAUTH2", "GSSAPI"}),
        (set(), "fedora", Wish(), {"PLAIN", "XOAUTH2"}, {"GSSAPI"}),
        ({"plain"}, "fedora", None, {"PLAIN"}, {"XOAUTH2"}),
        (set(), "rocky", Wish(), {"PLAIN", "LOGIN", "SCRAM-SHA-1"}, {"XOAUTH2"}),
        ({"xoauth2"}, "debian", Wish(), {"XOAUTH2", "PLAIN"}, set()),
    ],
)
def test_mechanisms(tmp_path, plugins, release, wish, has, has_not):
    found = of(tmp_path, "", wish=wish, plugins=frozenset(plugins), release={"ID": release}).mechanisms
    assert has <= set(found)
    assert not has_not & set(found)


@pytest.mark.parametrize(
    "release, plugins, offered, advice",
    [
        (
            "debian",
            {"plain", "login"},
            "SCRAM-SHA-256 SCRAM-SHA-1",
            "Install libsasl2-modules: Postfix logs in by SC",
        ),
        (
            "rocky",
            {"plain"},
            "SCRAM-SHA-256 GSSAPI",
            "Install cyrus-sasl-scram: Postfix logs in by SCRAM-SHA-256",
        ),
        (
            "rocky",
            {"plain"},
            "CRAM-MD5",
            "Install cyrus-sasl-md5: Postfix logs in by CRAM-MD5 with a plugin",
        ),
        (
            "rocky",
            {"scram"},
            "plain login",
            "Install cyrus-sasl-plain: Postfix logs in by PLAIN with",
        ),
        ("opensuse", {"plain"}, "CRAM-MD5", "Install cyrus-sasl-crammd5"),
        ("alpine", {"plain"}, "LOGIN", "Install libsasl and cyrus-sasl-login"),
        (
            "plan9",
            {"plain"},
            "CRAM-MD5",
            "Install Cyrus SASL's plugin for CRAM-MD5 (its package is libsasl2-modules on",
        ),
        (
            "debian",
            {"plain"},
            "XOAUTH2 OAUTHBEARER",
            "Install Cyrus SASL's plugin for XOAUTH2, which no package of Debian is known to",
        ),
        (
            "debian",
            {"plain"},
            "GSSAPI NTLM",
            "Use a port or another relay that takes a user name and a password: Postfix ",
        ),
        (
            "debian",
            {"plain"},
            "EXTERNAL",
            "Use a port or another relay that takes a user name and a password: Postfix",
        ),
        # Not for want of a plugin.
        ("debian", {"plain"}, "PLAIN", ""),
        ("debian", {"xoauth2"}, "XOAUTH2", ""),
        ("debian", set(), "SCRAM-SHA-256", ""),
        ("debian", {"plain"}, "", ""),
    ],
)
def test_what_to_install_for_a_relay(tmp_path, release, plugins, offered, advice):
    host = a_host(tmp_path, "", plugins=frozenset(plugins), release={"ID": release})
    said = client.plugin_advice(client.client(host=host), offered.split(), host)
    assert said.startswith(advice)
    assert bool(said) == bool(advice)
    assert ("sasl-xoauth2" in said) == ("application password" in said) == ("XOAUTH2" in said)


def test_a_package_whose_plugin_is_gone_is_installed_again(tmp_path):
    status = "Package: libsasl2-modules\nStatus: install ok installed\n"
    host = a_host(
        tmp_path,
        "",
        plugins=frozenset({"plain"}),
        release={"ID": "debian"},
        files={"var/lib/dpkg/status": status},
    )
    said = client.plugin_advice(client.client(wish=Wish(), host=host), ["SCRAM-SHA-1"], host)
    assert said.startswith("Install libsasl2-modules again: Postfix")


@pytest.mark.parametrize("plugins", [{"login"}, set()])
@pytest.mark.parametrize(
    "status, there",
    [("install ok installed", True), ("hold ok installed", True), ("deinstall ok config-files", False)],
)
def test_a_package_that_is_there_brings_no_mechanism(tmp_path, plugins, status, there):
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    paragraphs = [
        f"Package: {name}\nStatus: {status}\n" for name in ("libsasl2-modules-db", "libsasl2-modules")
    ]
    (tmp_path / "var/lib/dpkg/status").write_text("\n".join(paragraphs))
    found = of(tmp_path, "", wish=Wish(), plugins=frozenset(plugins), release={"ID": "debian"})
    assert found.mechanisms == tuple(map(str.upper, plugins)) or not there
    assert ("PLAIN" in found.mechanisms) is not there


@pytest.mark.parametrize("version, scram", [("11", True), ("12", False)])
def test_a_mechanism_in_a_package_of_its_own_can_be_had_where_that_is_not_there(tmp_path, version, scram):
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    status = "Package: libsasl2-modules\nStatus: install ok installed\n"
    (tmp_path / "var/lib/dpkg/status").write_text(status)
    release = {"ID": "debian", "VERSION_ID": version}
    found = of(tmp_path, "", wish=Wish(), plugins=frozenset({"plain", "login"}), release=release).mechanisms
    assert ("SCRAM-SHA-256" in found) is scram
    assert "CRAM-MD5" not in found


def test_mechanisms_that_cannot_be_known(tmp_path):
    assert of(tmp_path, "").mechanisms is None
    assert of(tmp_path, "", wish=Wish(), release={"ID": "plan9"}).mechanisms is None


@pytest.mark.parametrize(
    "chroot, level, chrooted",
    [("y", "3.6", True), ("n", "3.6", False), ("-", "3.6", False), ("-", "0", True)],
)
def test_old_copies_in_the_chroot_are_told(tmp_path, chroot, level, chrooted):
    files = {
        "etc/resolv.conf": "nameserver 192.0.2.53\n",
        "etc/hosts": "127.0.0.1 localhost\n",
        "var/spool/postfix/etc/resolv.conf": "nameserver 192.0.2.99\n",
        "var/spool/postfix/etc/hosts": "127.0.0.1 localhost\n",
    }
    found = of(tmp_path, f"compatibility_level = {level}", SMTP.format(chroot), files=files)
    assert found.chroot == chrooted
    assert found.stale == (("/etc/resolv.conf",) if chrooted else ())
    assert any("old copies of /etc/resolv.conf" in each for each in found.warnings) == chrooted


@pytest.mark.parametrize(
    "main, wish, address, sender",
    [
        ("myhostname = a.example.net", None, "root", "root@a.example.net"),
        ("myhostname = a.example.net\nmyorigin = $mydomain", None, "root", "root@example.net"),
        ("myorigin = /etc/mailname", None, "root", "root@mail.example.org"),
        ("myhostname = a.example.net", None, "x@y.example", "x@y.example"),
        ("append_dot_mydomain = yes\nmydomain = b.example", None, "x@y", "x@y.b.example"),
        ("compatibility_level = 3.6\nmydomain = b.example", None, "x@y", "x@y"),
        ("append_at_myorigin = no", None, "root", "root"),
        ("smtp_generic_maps = inline:{root=ops@c.example}", None, "root", "ops@c.example"),
        ("smtp_generic_maps = texthash:/etc/postfix/generic", None, "root", "ops@d.example"),
        ("smtp_generic_maps = $default_database_type:/etc/postfix/generic", None, "root", "ops@d.example"),
        ("smtp_generic_maps = texthash:/etc/postfix/generic", None, "www", "www@e.example"),
        ("smtp_generic_maps = static:all@f.example", None, "root", "all@f.example"),
        ("canonical_maps = texthash:/etc/postfix/canonical\nsmtp_generic_maps = texthash:/etc/postfix/generic", None,
         "admin", "ops@d.example"),
        ("canonical_maps = texthash:/etc/postfix/canonical\ncanonical_classes = header_sender", None,
         "admin", "admin@web1.example.com"),
        ("masquerade_domains = example.com", None, "root", "root@example.com"),
        ("masquerade_domains = example.com\nmasquerade_exceptions = root", None, "root", "root@web1.example.com"),
        ("masquerade_domains = !web1.example.com, example.com", None, "root", "root@web1.example.com"),
        (None, Wish({"myorigin": "g.example"}), "root", "root@g.example"),
        (None, Wish({"smtp_generic_maps": "hash:/etc/postfix/new"}, tables={"new": "root new@h.example\n"}),
         "root", "new@h.example"),
        ("myorigin = /etc/mailname", Wish(prepend={"smtp_generic_maps": "inline:{ {@$myorigin = @i.example} }"}),
         "root", "root@i.example"),
        (HAND_MADE + "smtp_generic_maps = inline:{x=y@z.example}",
         Wish(prepend={"smtp_generic_maps": "inline:{ {@$myhostname = @i.example} }"}), "x", "y@z.example"),
        (HAND_MADE, Wish(prepend={"smtp_generic_maps": "inline:{ {root=a@i.example}, {root=b@i.example} }"}),
         "root", "b@i.example"),
        (HAND_MADE, Wish({"smtp_generic_maps": "inline:{root=c@i.example}"},
         prepend={"smtp_generic_maps": "inline:{root=d@i.example}"}), "root", "c@i.example"),
        ("myhostname = vm", Wish(), "root", "root@web1.example.com"),
        (HAND_MADE + "myhostname = vm", Wish(), "root", "root@vm"),
    ],
)  # fmt: skip
def test_the_sender_that_a_relay_sees(tmp_path, main, wish, address, sender):
    files = {
        "etc/mailname": "mail.example.org\n",
        "etc/postfix/generic": "root@web1.example.com ops@d.example\n@web1.example.com @e.example\n",
        "etc/postfix/canonical": "admin root\n",
    }
    host = a_host(tmp_path, main, files=files)
    mine = client.client(wish=wish, host=host)
    assert client.envelope_sender(mine, address, wish, host) == sender


def test_a_table_that_cannot_be_read_makes_the_sender_unknown(tmp_path):
    host = a_host(tmp_path, "smtp_generic_maps = ldap:/etc/postfix/ldap.cf")
    mine = client.client(host=host)
    with pytest.raises(
        client.rewriting.UnknownSender, match=r"ldap:/etc/postfix/ldap\.cf of smtp_generic_maps"
    ):
        client.envelope_sender(mine, "root", None, host)


def test_a_value_that_main_cf_cannot_hold(tmp_path):
    with pytest.raises(ClientError, match="myhostname"):
        of(tmp_path, "", wish=Wish({"myhostname": {"a": 1}}))


NAMED = "myhostname = mail.example.net\n"


@pytest.mark.parametrize(
    "main, master, name, sources",
    [
        (NAMED, "smtp unix - - n - - smtp", "mail.example.net", ()),
        (NAMED, "smtp unix - - n - - smtp -o smtp_helo_name=out.example.net", "out.example.net", ()),
        (NAMED, "smtp unix - - n - - smtp\n  -o { smtp_helo_name = out.example.net }", "out.example.net", ()),
        # The name that it says follows from this one, and the domain of its mail as well.
        (NAMED, "smtp unix - - n - - smtp -o myhostname=out.example.net", "out.example.net", ()),
        (
            "smtp_helo_name = a.example.net\n",
            "smtp unix - - n - - smtp -o smtp_helo_name=out.$mydomain -o mydomain=example.org",
            "out.example.org",
            (),
        ),
        (NAMED, "smtp unix - - n - - smtp -o inet_interfaces=192.0.2.7", "mail.example.net", ("192.0.2.7",)),
        # Only this service does not follow main.cf.
        (
            f"{NAMED}smtp_bind_address = 192.0.2.7\n",
            "smtp unix - - n - - smtp -o smtp_bind_address=",
            "mail.example.net",
            (),
        ),
        (
            f"{NAMED}inet_interfaces = 192.0.2.7\n",
            "smtp unix - - n - - smtp -o smtp_bind_address=0.0.0.0",
            "mail.example.net",
            (),
        ),
        (
            f"{NAMED}inet_interfaces = 192.0.2.7\nout_address = 192.0.2.8\n",
            "smtp unix - - n - - smtp -o smtp_bind_address=$out_address -o smtp_helo_name=out.example.net",
            "out.example.net",
            ("192.0.2.8",),
        ),
        # Another service says so of itself alone.
        (
            NAMED,
            "smtp unix - - n - - smtp\nlmtp unix - - n - - lmtp -o myhostname=x.example",
            "mail.example.net",
            (),
        ),
        # Bound to for one family; for the other one the system chooses.
        (
            f"{NAMED}inet_interfaces = 127.0.0.1, [2001:db8::7]\n",
            "smtp unix - - n - - smtp",
            "mail.example.net",
            ("2001:db8::7",),
        ),
        (
            f"{NAMED}smtp_bind_address6 = 2001:db8::8\n",
            "smtp unix - - n - - smtp -o inet_protocols=ipv4",
            "mail.example.net",
            (),
        ),
    ],
)
def test_name_and_addresses_of_the_service_that_mail_takes(tmp_path, main, master, name, sources):
    mine = of(tmp_path, main, master)
    assert (mine.helo.name, mine.helo.source, mine.sources) == (name, "main.cf", sources)
    assert mine.warnings == ()


@pytest.mark.parametrize(
    "enforce, sources, told",
    [
        ("", (), True),
        ("smtp_bind_address_enforce = no\n", (), True),
        # Then mail is deferred, and the probe is to fail as well.
        ("smtp_bind_address_enforce = yes\n", ("192.0.2.8",), False),
        ("smtp_bind_address_enforce = YES\n", ("192.0.2.8",), False),
    ],
)
def test_an_address_of_another_host(tmp_path, enforce, sources, told):
    mine = of(tmp_path, f"{NAMED}{enforce}smtp_bind_address = 192.0.2.8\n", has=lambda _address: False)
    assert mine.sources == sources
    assert any("192.0.2.8" in text for text in mine.warnings) == told
