"""The mail servers that the probe is compared on: six products, each in the configurations that one meets.

Rule of this file: a configuration says in its own product's words what its name promises, and `verdict` and
`tls_version` say what comes of it, so that a setting that has no effect is noticed.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import Any, Callable, Iterator

import odd_servers
from certificates import DIRECTORY, HOST, KINDS
from namespace import HERE, Place

ADDRESS = "127.0.0.1"
USERNAME = "probe"
PASSWORD = "correct horse"
DOMAIN = "oracle.test"
STRANGE_DOMAIN = "elsewhere.test"


@dataclass(frozen=True)
class Server:
    product: str
    name: str
    port: int
    tls: str = "starttls"
    settings: Any = None
    """In the product's own language."""
    certificate: str = "rsa"
    verdict: str = ""
    """Where it does not follow from the certificate."""
    tls_version: str = ""
    host: str = HOST
    mechanisms: tuple[str, ...] = ()
    """Ways to log in that are tried with the right and with a wrong password."""
    envelope: bool = False
    """Whether a recipient here and one elsewhere are tried."""
    handshake: bool = True
    """Whether TLS comes about at all (where it is spoken)."""
    server_name: str = ""
    """Where it is not the host's."""

    @property
    def expected(self) -> str:
        return self.verdict or ("ok" if self.tls == "none" else KINDS[self.certificate].verdict)

    @property
    def title(self) -> str:
        return f"{self.product}: {self.name}"

    @property
    def chain(self) -> str:
        return f"/{DIRECTORY}/{self.certificate}.pem"

    @property
    def key(self) -> str:
        return f"/{DIRECTORY}/{self.certificate}.key"


def start_all(place: Place) -> list[Server]:
    servers: list[Server] = []
    starters: tuple[Callable[[Place], list[Server]], ...] = (
        postfix,
        exim,
        opensmtpd,
        aiosmtpd,
        nodemailer,
        haraka,
    )
    for start in starters:
        servers += start(place)
    place.await_listeners([(address_of(server), server.port) for server in servers])
    return servers


def address_of(server: Server) -> str:
    return ADDRESS if server.host == HOST else server.host


def _number(first_port: int, product: str, *configurations: dict[str, Any]) -> list[Server]:
    return [Server(product, port=first_port + at, **each) for at, each in enumerate(configurations)]


# ---- Postfix: one instance, one line of master.cf for each configuration


def postfix(place: Place) -> list[Server]:
    may = {"smtpd_tls_security_level": "may"}
    login = {**may, "smtpd_sasl_auth_enable": "yes", "smtpd_sasl_local_domain": DOMAIN}
    certificates = [
        dict(name=f"certificate {kind}", certificate=kind, settings=may)
        for kind in [
            "ecdsa",
            "p384",
            "ed25519",
            "wildcard",
            "common-name",
            "no-subject",
            "unicode",
            "chain",
            "chain-and-root",
            "expired",
            "future",
            "self-signed",
            "stranger",
            "no-intermediate",
            "expired-intermediate",
            "other-name",
            "name-only-in-subject",
            "deep-wildcard",
            "partial-wildcard",
            "for-clients",
            "expiring",
        ]
    ]
    servers = _number(
        2100,
        "postfix",
        dict(name="STARTTLS optional", settings=may, envelope=True),
        dict(name="STARTTLS required", settings={"smtpd_tls_security_level": "encrypt"}),
        dict(name="implicit TLS", tls="implicit", settings={**may, "smtpd_tls_wrappermode": "yes"}),
        dict(name="no TLS", tls="none", settings={"smtpd_tls_security_level": "none"}),
        dict(name="STARTTLS wanted, not there", verdict="starttls_absent", handshake=False,
             settings={"smtpd_tls_security_level": "none"}),
        dict(name="TLS 1.2 only", tls_version="TLSv1.2", settings={**may, "smtpd_tls_protocols": "TLSv1.2"}),
        dict(name="TLS 1.3 only", tls_version="TLSv1.3", settings={**may, "smtpd_tls_protocols": ">=TLSv1.3"}),
        dict(name="TLS 1.1 only", verdict="tls_too_old", handshake=False,
             settings={**may, "smtpd_tls_protocols": "<=TLSv1.1", "tls_medium_cipherlist": "ALL:@SECLEVEL=0"}),
        dict(name="RSA and ECDSA certificates", settings={**may, "smtpd_tls_chain_files": ", ".join(
            f"/{DIRECTORY}/{kind}.{part}" for kind in ("rsa", "ecdsa") for part in ("key", "pem"))}),
        dict(name="asks for a client certificate", settings={**may, "smtpd_tls_ask_ccert": "yes"}),
        dict(name="asks for a client certificate, TLS 1.2", tls_version="TLSv1.2",
             settings={**may, "smtpd_tls_ask_ccert": "yes", "smtpd_tls_protocols": "TLSv1.2"}),
        dict(name="certificate chosen by SNI", server_name="www.oracle.test", certificate="wildcard", settings={
            **may, "smtpd_tls_chain_files": f"/{DIRECTORY}/rsa.key, /{DIRECTORY}/rsa.pem",
            "tls_server_sni_maps": "hash:/etc/postfix/sni"}),
        *(
            dict(name=f"certificate {kind} for {name}", server_name=name, certificate=kind, settings=may,
                 verdict="ok" if right else "certificate_mismatch")
            for kind, name, right in (
                ("wildcard", "my_www.oracle.test", False),
                ("wildcard", "xn--bcher-kva.oracle.test", True),
                ("wildcard", "oracle.test", False),
                ("underscore", "my_mail.oracle.test", True),
                ("underscore", "www.my_site.oracle.test", False),
                ("wildcard-of-all", "relay.test", False),
                ("wildcard-in-subject", "www.oracle.test", True),
                ("final-dot", HOST, False),
            )
        ),
        dict(name="SIZE 1000", settings={**may, "message_size_limit": "1000"}),
        dict(name="no limit of size", settings={**may, "message_size_limit": "0"}),
        dict(name="SMTPUTF8 off", settings={**may, "smtputf8_enable": "no"}),
        dict(name="keywords discarded", settings={
            **may, "smtpd_discard_ehlo_keywords": "size, dsn, chunking, pipelining, etrn, vrfy, silent-discard"}),
        dict(name="VRFY off", settings={**may, "disable_vrfy_command": "yes"}),
        dict(name="AUTH by Cyrus SASL, over TLS only", settings={**login, "smtpd_tls_auth_only": "yes"},
             mechanisms=("plain", "login", "cram-md5")),
        dict(name="AUTH by Cyrus SASL, in clear too", settings=login, mechanisms=("plain",)),
        dict(name="AUTH for broken clients", settings={**login, "broken_sasl_auth_clients": "yes"}),
        dict(name="AUTH without plaintext mechanisms", mechanisms=("cram-md5",), settings={
            **login, "smtpd_sasl_security_options": "noanonymous, noplaintext",
            "smtpd_sasl_tls_security_options": "noanonymous, noplaintext"}),
        dict(name="AUTH by Dovecot", mechanisms=("plain", "login", "cram-md5"), settings={
            **login, "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth", "smtpd_sasl_local_domain": ""}),
        dict(name="AUTH by Dovecot, implicit TLS", tls="implicit", mechanisms=("plain",), settings={
            **login, "smtpd_tls_wrappermode": "yes", "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth",
            "smtpd_sasl_local_domain": ""}),
        dict(name="greeting delayed by 2 s", settings={
            **may, "smtpd_delay_reject": "no", "smtpd_client_restrictions": "sleep 2, permit"}),
        dict(name="postscreen in front", settings="postscreen"),
        dict(name="banner without ESMTP", settings={**may, "smtpd_banner": "$myhostname ready"}),
        dict(name="client rejected", verdict="greeting_rejected", handshake=False, settings={
            **may, "smtpd_delay_reject": "no", "smtpd_client_restrictions": "reject"}),
        dict(name="IPv6 address, named in the certificate", host="::1", certificate="address", settings=may),
        dict(name="IPv4 address, named in the certificate", host=ADDRESS, certificate="address", settings=may),
        dict(name="IPv4 address, not in the certificate", host=ADDRESS, settings=may, verdict="certificate_mismatch"),
        *certificates,
    )  # fmt: skip
    place.write(
        "etc/postfix/main.cf",
        f"compatibility_level = 3.6\nmyhostname = {HOST}\nmydestination = {DOMAIN}\ninet_interfaces = all\n"
        "inet_protocols = all\nmaillog_file = /var/log/postfix.log\nalias_maps =\ncyrus_sasl_config_path = /etc/postfix/sasl\nlocal_recipient_maps =\n"
        "smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination\n"
        "smtp_bind_address =\nmynetworks = 192.0.2.1\nsmtpd_hard_error_limit = 100\n"
        f"smtpd_tls_chain_files = /{DIRECTORY}/rsa.key, /{DIRECTORY}/rsa.pem\n"
        "postscreen_greet_action = enforce\npostscreen_greet_wait = 1s\npostscreen_greet_ttl = 1s\n"
        "postscreen_access_list =\npostscreen_cache_map =\npostscreen_upstream_proxy_protocol =\n"
        "postscreen_greet_banner = $smtpd_banner, one moment\npostscreen_tls_security_level = may\n"
        "smtpd_banner = $myhostname ESMTP\n" + odd_servers.postfix_parameters(),
    )
    place.write("etc/postfix/master.cf", "".join([*_master(servers), *odd_servers.postfix_services()]))
    place.write("etc/postfix/transport", odd_servers.transport_map())
    place.write("etc/postfix/sni", f"www.oracle.test /{DIRECTORY}/wildcard.key, /{DIRECTORY}/wildcard.pem\n")
    place.must("postmap", "-F", "hash:/etc/postfix/sni")
    place.write(
        "etc/postfix/sasl/smtpd.conf",
        "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN CRAM-MD5\n",
    )
    place.must("saslpasswd2", "-p", "-c", "-u", DOMAIN, USERNAME, input=PASSWORD)
    (place.root / "etc/sasldb2").chmod(0o644)
    place.write(
        "etc/dovecot/dovecot.conf",
        "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\nprotocols =\nssl = no\n"
        "auth_allow_cleartext = yes\nauth_mechanisms = plain login cram-md5\nlog_path = /dev/stderr\n"
        "passdb passwd-file {\n  passwd_file_path = /etc/dovecot/users\n}\n"
        "service auth {\n  unix_listener /var/spool/postfix/private/auth {\n    mode = 0666\n  }\n}\n",
    )
    place.write("etc/dovecot/users", f"{USERNAME}:{{PLAIN}}{PASSWORD}:::::\n")
    place.must("install", "-d", "-o", "postfix", "-m", "0700", "/var/spool/postfix/private")
    place.start("dovecot", "dovecot", "-F")
    place.start("postfix", "postfix", "start-fg")
    return servers


def _master(servers: list[Server]) -> Iterator[str]:
    for server in servers:
        address = f"[{server.host}]" if ":" in server.host else ADDRESS
        if server.settings == "postscreen":
            yield f"{address}:{server.port} inet n - n - 1 postscreen\n"
            continue
        yield f"{address}:{server.port} inet n - n - - smtpd\n"
        settings = {"smtpd_tls_chain_files": f"{server.key}, {server.chain}", **server.settings}
        yield from (f"  -o {{ {name} = {value} }}\n" for name, value in settings.items())
    yield "smtpd pass - - n - - smtpd -o smtpd_tls_security_level=may\ndnsblog unix - - n - 0 dnsblog\n"
    yield "cleanup unix n - n - 0 cleanup\n"
    for name in ("tlsproxy", "proxymap", "trivial-rewrite", "verify", "anvil", "scache"):
        service = "rewrite" if name == "trivial-rewrite" else name
        yield f"{service} unix - - n - {'1' if name in ('verify', 'anvil') else '-'} {name}\n"
    yield "qmgr unix n - n 300 1 qmgr\ntlsmgr unix - - n 1000? 1 tlsmgr\npostlog unix-dgram n - n - 1 postlogd\n"
    yield "error unix - - n - - error\ndefer unix - - n - 0 bounce\nbounce unix - - n - 0 bounce\nlocal unix - n n - - local\n"
    yield "smtp unix - - n - - smtp\n"


# ---- Exim (GnuTLS): one daemon for each configuration


def exim(place: Place) -> list[Server]:
    over_tls = "${if def:tls_in_cipher}"
    servers = _number(
        2200,
        "exim",
        dict(name="STARTTLS optional", envelope=True),
        dict(name="STARTTLS required", settings={"acl_smtp_mail": "${if def:tls_in_cipher{accept}{deny}}"}),
        dict(name="implicit TLS", tls="implicit", settings={"tls_on_connect_ports": "2202"}),
        dict(name="no TLS", tls="none", settings={"tls_advertise_hosts": ""}),
        dict(name="TLS 1.2 only", tls_version="TLSv1.2",
             settings={"tls_require_ciphers": "NORMAL:-VERS-ALL:+VERS-TLS1.2"}),
        dict(name="TLS 1.3 only", tls_version="TLSv1.3",
             settings={"tls_require_ciphers": "NORMAL:-VERS-ALL:+VERS-TLS1.3"}),
        dict(name="TLS 1.1 only", verdict="tls_too_old", handshake=False,
             settings={"tls_require_ciphers": "LEGACY:-VERS-ALL:+VERS-TLS1.1:%COMPAT"}),
        dict(name="asks for a client certificate", settings={"tls_try_verify_hosts": "*"}),
        dict(name="AUTH over TLS only", settings={"advertise": over_tls}, mechanisms=("plain", "login", "cram-md5")),
        dict(name="AUTH in clear too", settings={"advertise": "yes"}, mechanisms=("plain", "cram-md5")),
        dict(name="AUTH over implicit TLS", tls="implicit", mechanisms=("login",),
             settings={"advertise": over_tls, "tls_on_connect_ports": "2210"}),
        dict(name="SIZE 1000", settings={"message_size_limit": "1000"}),
        dict(name="keywords not advertised", settings={
            "pipelining_advertise_hosts": "", "chunking_advertise_hosts": "", "smtputf8_advertise_hosts": "",
            "dsn_advertise_hosts": "*", "prdr_enable": "true"}),
        dict(name="banner of three lines", settings={
            "smtp_banner": "$primary_hostname ESMTP\\nNo spam\\nNo robots"}),
        dict(name="banner delayed by 2 s", settings={"acl_smtp_connect": "acl_wait"}),
        dict(name="client rejected", verdict="greeting_rejected", handshake=False,
             settings={"acl_smtp_connect": "deny"}),
        dict(name="client deferred", verdict="greeting_deferred", handshake=False,
             settings={"acl_smtp_connect": "defer"}),
        *({"name": f"certificate {kind}", "certificate": kind} for kind in (
            "ecdsa", "wildcard", "chain", "expired", "self-signed", "no-intermediate", "other-name", "short-key",
            "shorter-key", "sha1-signature")),
    )  # fmt: skip
    for server in servers:
        name = f"oracle/exim/{server.port}"
        (place.root / name).mkdir(parents=True)
        place.write(f"{name}.conf", _exim_configuration(server))
        place.must("chown", "Debian-exim:", f"/{name}")
        place.start(f"exim-{server.port}", "exim4", "-C", f"/{name}.conf", "-bdf", "-q1h")
    return servers


def _exim_configuration(server: Server) -> str:
    settings = {
        "primary_hostname": HOST,
        "local_interfaces": ADDRESS,
        "daemon_smtp_ports": server.port,
        "spool_directory": f"/oracle/exim/{server.port}",
        "log_file_path": f"/oracle/exim/{server.port}/%slog",
        "pid_file_path": f"/oracle/exim/{server.port}/pid",
        "rfc1413_query_timeout": "0s",
        "smtp_banner": "$primary_hostname ESMTP Exim $version_number",
        "tls_advertise_hosts": "*",
        "tls_certificate": server.chain,
        "tls_privatekey": server.key,
        "acl_smtp_rcpt": "acl_rcpt",
        **(server.settings or {}),
    }
    advertise = settings.pop("advertise", "")
    text = "".join(f"{name} = {value}\n" for name, value in settings.items())
    text += f"begin acl\nacl_rcpt:\n  accept domains = {DOMAIN}\n  deny message = relay not permitted\n"
    text += "acl_wait:\n  accept delay = 2s\n"
    if advertise:
        check = f"${{if and{{{{eq{{$auth%d}}{{{USERNAME}}}}}{{eq{{$auth%d}}{{{PASSWORD}}}}}}}}}"
        text += "begin authenticators\n"
        for name, lines in {
            "PLAIN": f"driver = plaintext\n server_prompts = :\n server_condition = {check % (2, 3)}",
            "LOGIN": f"driver = plaintext\n server_prompts = <| Username: | Password:\n"
            f" server_condition = {check % (1, 2)}",
            "CRAM-MD5": f"driver = cram_md5\n server_secret = ${{if eq{{$auth1}}{{{USERNAME}}}{{{PASSWORD}}}fail}}",
        }.items():
            text += f"{name.lower().replace('-', '_')}:\n {lines}\n public_name = {name}\n"
            text += f" server_set_id = $auth1\n server_advertise_condition = {advertise}\n"
    return text


# ---- OpenSMTPD (libtls): one line of smtpd.conf for each configuration


def opensmtpd(place: Place) -> list[Server]:
    tls = f'tls pki "{HOST}"'
    servers = _number(
        2300,
        "opensmtpd",
        dict(name="STARTTLS optional", settings=tls, envelope=True),
        dict(name="STARTTLS required", settings=f'tls-require pki "{HOST}"'),
        dict(name="implicit TLS", tls="implicit", settings=f'smtps pki "{HOST}"'),
        dict(name="no TLS", tls="none", settings=""),
        dict(name="TLS 1.2 only", tls_version="TLSv1.2", settings=f'{tls} protocols "tlsv1.2"'),
        dict(name="TLS 1.3 only", tls_version="TLSv1.3", settings=f'{tls} protocols "tlsv1.3"'),
        dict(name="AUTH required", settings=f'tls-require pki "{HOST}" auth <logins>', mechanisms=("plain", "login")),
        dict(name="AUTH optional", settings=f"{tls} auth-optional <logins>", mechanisms=("plain",)),
        dict(name="AUTH over implicit TLS", tls="implicit", settings=f'smtps pki "{HOST}" auth <logins>',
             mechanisms=("plain", "login")),
        dict(name="DSN off", settings=f"{tls} no-dsn"),
        dict(name="another greeting", settings=f'{tls} hostname "other.oracle.test"'),
        dict(name="two certificates, the one by SNI", settings=f'{tls} pki "other-name"'),
        dict(name="two certificates, the other by SNI", settings=f'{tls} pki "other-name"', certificate="other-name",
             server_name="other.oracle.test", verdict="ok"),
        *({"name": f"certificate {kind}", "certificate": kind, "settings": f'tls pki "{kind}"'} for kind in (
            "ecdsa", "wildcard", "chain", "expired", "self-signed", "no-intermediate", "other-name")),
    )  # fmt: skip
    lines = ["smtp max-message-size 20M"]
    for name in sorted({HOST, *(server.certificate for server in servers)}):
        kind = "rsa" if name == HOST else name
        for end in ("pem", "key"):
            # smtpd refuses keys that others can read.
            copy = place.root / f"oracle/opensmtpd/{kind}.{end}"
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(place.root / DIRECTORY / f"{kind}.{end}", copy)
            copy.chmod(0o600)
        lines += [
            f'pki "{name}" {use} "/oracle/opensmtpd/{kind}.{end}"'
            for use, end in (("cert", "pem"), ("key", "key"))
        ]
    encrypted = place.must("openssl", "passwd", "-6", PASSWORD).strip()
    place.write("etc/mail/logins", f"{USERNAME} {encrypted}\n", 0o644)
    lines += ["table logins file:/etc/mail/logins"]
    lines += [f"listen on {ADDRESS} port {server.port} {server.settings}" for server in servers]
    lines += [
        'action "keep" maildir "/oracle/opensmtpd/mail"',
        f'match from any for domain "{DOMAIN}" action "keep"',
    ]
    place.write("etc/mail/aliases", "")
    place.write("etc/mail/mailname", f"{HOST}\n")
    place.write("etc/mailname", f"{HOST}\n")
    place.write("etc/smtpd.conf", "\n".join([*lines, ""]))
    place.start("opensmtpd", "smtpd", "-d", "-f", "/etc/smtpd.conf")
    return servers


# ---- aiosmtpd (Python's ssl): one process, the configurations are arguments of its Controller


def aiosmtpd(place: Place) -> list[Server]:
    login = {"login": True}
    servers = _number(
        2400,
        "aiosmtpd",
        dict(name="STARTTLS optional"),
        dict(name="STARTTLS required", settings={"require_starttls": True}),
        dict(name="implicit TLS", tls="implicit"),
        dict(name="no TLS", tls="none"),
        dict(name="TLS 1.2 only", tls_version="TLSv1.2", settings={"maximum": "TLSv1_2"}),
        dict(name="TLS 1.3 only", tls_version="TLSv1.3", settings={"minimum": "TLSv1_3"}),
        dict(name="AUTH over TLS only", settings=login, mechanisms=("plain", "login")),
        dict(name="AUTH required", settings={**login, "auth_required": True}),
        dict(name="AUTH in clear too", settings={**login, "auth_require_tls": False}, mechanisms=("plain",)),
        dict(name="AUTH LOGIN alone", settings={**login, "auth_exclude_mechanism": ["PLAIN"]}, mechanisms=("login",)),
        dict(name="SMTPUTF8", settings={"enable_SMTPUTF8": True}),
        dict(name="SIZE 1000", settings={"data_size_limit": 1000}),
        dict(name="no limit of size", settings={"data_size_limit": None}),
        dict(name="another ident", settings={"ident": "Mail service; all connections are logged"}),
        *({"name": f"certificate {kind}", "certificate": kind} for kind in (
            "ecdsa", "wildcard", "chain", "expired", "self-signed", "no-intermediate", "other-name")),
    )  # fmt: skip
    _start_scripted(place, servers, "aiosmtpd_server.py", "python3")
    return servers


# ---- smtp-server of nodemailer (Node's tls): one process, the configurations are its options


def nodemailer(place: Place) -> list[Server]:
    login = {"authMethods": ["PLAIN", "LOGIN"], "disabledCommands": []}
    servers = _number(
        2500,
        "nodemailer",
        dict(name="STARTTLS optional"),
        dict(name="implicit TLS", tls="implicit", settings={"secure": True}),
        dict(name="no TLS", tls="none", settings={"hideSTARTTLS": True}),
        dict(name="TLS 1.2 only", tls_version="TLSv1.2", settings={"maxVersion": "TLSv1.2"}),
        dict(name="TLS 1.3 only", tls_version="TLSv1.3", settings={"minVersion": "TLSv1.3"}),
        dict(name="AUTH over TLS only", settings=login, mechanisms=("plain", "login")),
        dict(name="AUTH in clear too", settings={**login, "allowInsecureAuth": True}, mechanisms=("plain",)),
        dict(name="AUTH of all kinds", mechanisms=("plain", "login", "cram-md5", "xoauth2"), settings={
            **login, "authMethods": ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"]}),
        dict(name="AUTH over implicit TLS", tls="implicit", settings={**login, "secure": True}, mechanisms=("login",)),
        dict(name="SIZE 1000", settings={"size": 1000}),
        dict(name="keywords hidden", settings={
            "hideSize": True, "hidePIPELINING": True, "hide8BITMIME": True, "hideSMTPUTF8": True, "hideDSN": False,
            "hideENHANCEDSTATUSCODES": False}),
        dict(name="another banner", settings={"banner": "Welcome to the post office"}),
        *({"name": f"certificate {kind}", "certificate": kind} for kind in (
            "ecdsa", "wildcard", "chain", "expired", "self-signed", "no-intermediate", "other-name")),
    )  # fmt: skip
    _start_scripted(place, servers, "nodemailer_server.cjs", "env", "NODE_PATH=/opt/npm/node_modules", "node")
    return servers


def _start_scripted(place: Place, servers: list[Server], script: str, *interpreter: str) -> None:
    shutil.copy(HERE / script, place.root / "oracle" / script)
    configurations = [
        {"port": server.port, "tls": server.tls, "certificate": server.chain, "key": server.key, "host": HOST,
         "settings": server.settings or {}}
        for server in servers
    ]  # fmt: skip
    login = {"username": USERNAME, "password": PASSWORD}
    path = place.write(f"oracle/{script}.json", json.dumps({"servers": configurations, **login}))
    place.start(script, *interpreter, f"/oracle/{script}", f"/oracle/{path.name}")


# ---- Haraka (Node's tls): one process and one directory for each configuration


def haraka(place: Place) -> list[Server]:
    servers = _number(
        2600,
        "haraka",
        dict(name="STARTTLS optional"),
        dict(name="implicit TLS", tls="implicit"),
        dict(name="no TLS", tls="none", settings={"plugins": []}),
        dict(name="TLS 1.2 only", tls_version="TLSv1.2", settings={"tls": {"secureProtocol": "TLSv1_2_method"}}),
        dict(name="TLS 1.3 only", tls_version="TLSv1.3", settings={"tls": {"minVersion": "TLSv1.3"}}),
        dict(name="AUTH CRAM-MD5", settings={"plugins": ["tls", "auth/flat_file"]}, mechanisms=("cram-md5",)),
        dict(name="AUTH PLAIN LOGIN", mechanisms=("plain", "login"),
             settings={"plugins": ["tls", "auth/flat_file"], "methods": "PLAIN,LOGIN"}),
        dict(name="SMTPUTF8 off", settings={"connection": "[main]\nsmtputf8=false\n"}),
        dict(name="SIZE 1000", settings={"connection": "[max]\nbytes=1000\n"}),
        dict(name="banner of two lines, delayed by 1 s", settings={
            "connection": "[message]\ngreeting[]=First line\ngreeting[]=Second line\n", "plugins": ["tls", "wait"]}),
        *({"name": f"certificate {kind}", "certificate": kind} for kind in (
            "ecdsa", "expired", "self-signed", "chain", "no-intermediate")),
    )  # fmt: skip
    shipped = (place.root / "opt/npm/node_modules/Haraka/config/connection.ini").read_text()
    for server in servers:
        settings = server.settings or {}
        base = f"oracle/haraka/{server.port}"
        for end in ("pem", "key"):
            path = place.root / base / f"config/tls_{'cert' if end == 'pem' else 'key'}.pem"
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(place.root / DIRECTORY / f"{server.certificate}.{end}", path)
        smtps = server.port if server.tls == "implicit" else 0
        place.write(
            f"{base}/config/smtp.ini", f"listen={ADDRESS}:{server.port}\nsmtps_port={smtps}\nnodes=0\n"
        )
        place.write(f"{base}/config/me", f"{HOST}\n")
        place.write(
            f"{base}/config/plugins", "".join(f"{name}\n" for name in settings.get("plugins", ["tls"]))
        )
        tls = {"key": "tls_key.pem", "cert": "tls_cert.pem", **settings.get("tls", {})}
        place.write(f"{base}/config/tls.ini", "".join(f"{name}={value}\n" for name, value in tls.items()))
        place.write(
            f"{base}/config/connection.ini",
            shipped + settings.get("connection", "") + "[uuid]\nbanner_chars=0\n",
        )
        place.write(
            f"{base}/config/auth_flat_file.ini",
            f"[core]\nmethods={settings.get('methods', 'CRAM-MD5')}\n[users]\n{USERNAME}={PASSWORD}\n",
        )
        place.write(
            f"{base}/plugins/wait.js",
            "exports.hook_connect = (next) => setTimeout(next, 1000)\n",
        )
        place.start(
            f"haraka-{server.port}", "node", "/opt/npm/node_modules/Haraka/bin/haraka", "-c", f"/{base}"
        )
    return servers
