"""What distributions differ in, as data.

Packages, the mechanisms of Cyrus SASL that can be had, where things are, the tables that Postfix has, and the main.cf
that the package leaves behind. The rules of this file: what is known of a distribution stands here alone; each row has
its sources, and says what nobody has read; a main.cf is the distribution's only where every setting in it is known.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import socket
from typing import Iterable, Mapping, NamedTuple, Sequence

from ..files.lines import split_list

# -------------------------------------------------------------------------------------------------- the distributions


class Family(NamedTuple):
    """One packaging of Postfix, and what is where on its hosts."""

    name: str
    title: str
    releases: str
    """Which of them, for people; empty for all."""
    ids: tuple[str, ...]
    """ID, or a word of ID_LIKE, in os-release(5)."""
    packages: Mapping[str, tuple[str, ...]]
    """What is missing (`postfix`, `sasl_plugin`, `ca_file`, `dovecot`) -> the packages that bring it."""
    mechanisms: Mapping[str, tuple[str, ...]]
    """Each mechanism that Cyrus SASL can have here -> the packages that bring it beside those of `sasl_plugin`."""
    ca_file: str
    daemon_directory: str
    plugin_directory: str
    """Of Cyrus SASL."""
    database: str
    """default_database_type."""
    maps: Mapping[str, str]
    """Types of tables that have a package of their own -> that package."""
    sources: tuple[str, ...]
    first: int = 0
    last: int | None = None
    """The releases by the first number of VERSION_ID; None is any, and none given."""
    chrooted: bool = False
    """Whether the SMTP client of the package's master.cf is."""
    config_directory: str = "/etc/postfix"
    selinux: str = ""
    """The mode in which it is installed; empty where there is none."""
    tried: bool = False
    """Whether hosts of it are in the lab; the others are known by their packages alone."""


# Names of sources -> what they are. `general` is knowledge without a source that was read, to be taken as a hint.
SOURCES = {
    "debian": "Debian's package indexes, README.Debian of postfix, dovecot-core, bullseye to sid (read 2026-11)",
    "scram-apart": "https://bugs.launchpad.net/bugs/1988730 (read 2026-11)",
    "openela-postfix": "openela-main/postfix SPECS/postfix.spec @498e2d0 (read 2026-11)",
    "openela-sasl": "openela-main/cyrus-sasl SPECS/cyrus-sasl.spec @15eacdf (read 2026-11)",
    "el10-lmdb": "https://github.com/linux-system-roles/postfix/issues/163 (read 2026-11)",
    "fedora-bdb": "https://github.com/linux-system-roles/postfix/pull/140 (read 2026-11)",
    "sasl-xoauth2": "https://github.com/tarickb/sasl-xoauth2 README @1f5d78c (read 2026-11)",
    "selinux": "fedora-selinux/selinux-policy @fd1d996, c9s and c10s; refpolicy @65b9b1f (read 2026-11)",
    "suse-postfix": "bmwiedemann/openSUSE packages/p/postfix @04719ef (read 2026-11)",
    "suse-sasl": "bmwiedemann/openSUSE packages/c/cyrus-sasl @114ac1d (read 2026-11)",
    "suse-lmdb": "https://github.com/rockstor/rockstor-core/issues/2324 (read 2026-11)",
    "alpine-postfix": "alpinelinux/aports main/postfix/APKBUILD @030d1e2 (read 2026-11)",
    "alpine-sasl": "alpinelinux/aports main/cyrus-sasl/APKBUILD, 2.1.27-r12 (read 2026-11)",
    "arch-postfix": "Arch's postfix/PKGBUILD 3.8.1 as in loongarchlinux/extra @06272e7 (read 2026-11)",
    "arch-sasl": "Arch's libsasl/PKGBUILD 2.1.28 as in loongarchlinux/core @3cc11f6 (read 2026-11)",
    "freebsd-postfix": "freebsd/freebsd-ports mail/postfix/Makefile @0115f8e (read 2026-11)",
    "freebsd-sasl": "freebsd/freebsd-ports security/cyrus-sasl2/Makefile @004f266 (read 2026-11)",
    "dovecot-packages": (
        "openela-main/dovecot SPECS/dovecot.spec @1ea5b08, bmwiedemann/openSUSE packages/d/dovecot @3137d3a, "
        "alpinelinux/aports main/dovecot @9672525, freebsd/freebsd-ports mail/dovecot @5884116 (read 2026-11)"
    ),
    "general": "general knowledge",
}


def _maps(*types: str) -> dict[str, str]:
    return {each: f"postfix-{each}" for each in types}


_CERTIFICATES = ("ca-certificates",)
# Those with a user name and a password alone, from the one that shows least.
_SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-1")
_MD5 = ("CRAM-MD5", "DIGEST-MD5")
_BUILT_IN: Mapping[str, tuple[str, ...]] = dict.fromkeys(("PLAIN", "LOGIN"), ())

_DEBIAN = Family(
    name="debian",
    title="Debian",
    releases="12 and 13",
    ids=("debian",),
    packages={
        "postfix": ("postfix",),
        "sasl_plugin": ("libsasl2-modules",),
        "ca_file": _CERTIFICATES,
        # Without those of IMAP and POP3 it opens no port.
        "dovecot": ("dovecot-core",),
    },
    mechanisms={
        **_BUILT_IN,
        **dict.fromkeys((*_SCRAM, *_MD5, "NTLM"), ()),
        "GSSAPI": ("libsasl2-modules-gssapi-mit",),
    },
    ca_file="/etc/ssl/certs/ca-certificates.crt",
    daemon_directory="/usr/lib/postfix/sbin",
    plugin_directory="/usr/lib/*-linux-*/sasl2",
    database="hash",
    maps=_maps("lmdb", "cdb", "pcre", "ldap", "mysql", "pgsql", "sqlite", "mongodb"),
    sources=("debian",),
    first=12,
    last=13,
    chrooted=True,
    tried=True,
)
_EL = Family(
    name="rhel",
    title="EL",
    releases="8 and 9 (RHEL, AlmaLinux, Rocky, CentOS Stream, Oracle)",
    ids=("rhel", "centos", "rocky", "almalinux", "ol"),
    packages={
        "postfix": ("postfix",),
        "sasl_plugin": ("cyrus-sasl-plain",),
        "ca_file": _CERTIFICATES,
        "dovecot": ("dovecot",),
    },
    mechanisms={
        **_BUILT_IN,
        **dict.fromkeys(_SCRAM, ("cyrus-sasl-scram",)),
        **dict.fromkeys(_MD5, ("cyrus-sasl-md5",)),
        "GSSAPI": ("cyrus-sasl-gssapi",),
    },
    ca_file="/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    daemon_directory="/usr/libexec/postfix",
    plugin_directory="/usr/lib64/sasl2",
    database="hash",
    maps=_maps("lmdb", "cdb", "pcre", "ldap", "mysql", "pgsql", "sqlite"),
    sources=("openela-postfix", "openela-sasl", "dovecot-packages", "selinux", "general"),
    last=9,
    selinux="enforcing",
)
# Before 2.1.28 its plugin was in another package.
_SCRAM_APART = {**_DEBIAN.mechanisms, **dict.fromkeys(_SCRAM, ("libsasl2-modules-gssapi-mit",))}
# The first that matches is the one.
FAMILIES = (
    _DEBIAN,
    _DEBIAN._replace(
        name="debian-11",
        releases="11",
        first=1,
        last=11,
        mechanisms=_SCRAM_APART,
        sources=("debian", "scram-apart"),
    ),
    _DEBIAN._replace(
        name="debian-testing",
        releases="14 and sid",
        first=0,
        last=None,
        database="cdb",
        maps=_maps("pcre", "ldap", "mysql", "pgsql", "sqlite", "mongodb"),
        chrooted=False,
    ),
    _DEBIAN._replace(
        name="ubuntu-20",
        title="Ubuntu",
        releases="20.04",
        ids=("ubuntu",),
        first=1,
        last=20,
        mechanisms=_SCRAM_APART,
        sources=("debian", "scram-apart", "general"),
        tried=False,
    ),
    _DEBIAN._replace(
        name="ubuntu",
        title="Ubuntu",
        releases="22.04 and 24.04",
        ids=("ubuntu",),
        first=0,
        last=None,
        sources=("debian", "general"),
        tried=False,
    ),
    _EL,
    _EL._replace(
        name="rhel-10",
        releases="10",
        first=10,
        last=19,
        # Berkeley DB is gone, and hash: and btree: with it.
        database="lmdb",
        sources=("openela-sasl", "dovecot-packages", "el10-lmdb", "selinux", "general"),
    ),
    _EL._replace(
        name="fedora",
        title="Fedora",
        mechanisms={**_EL.mechanisms, "XOAUTH2": ("sasl-xoauth2",)},
        releases="",
        ids=("fedora",),
        first=0,
        last=None,
        sources=("openela-sasl", "fedora-bdb", "sasl-xoauth2", "selinux", "general"),
    ),
    _EL._replace(
        name="amazon",
        title="Amazon Linux",
        releases="2023",
        ids=("amzn",),
        first=0,
        last=None,
        sources=("general",),
        selinux="permissive",
    ),
    Family(
        name="suse",
        title="SUSE",
        releases="(Leap 15 and 16, Tumbleweed, SLES 15)",
        ids=("suse", "opensuse", "sles", "opensuse-leap", "opensuse-tumbleweed"),
        # LOGIN is in cyrus-sasl, which cyrus-sasl-plain asks for.
        packages={
            "postfix": ("postfix",),
            "sasl_plugin": ("cyrus-sasl-plain",),
            "ca_file": ("ca-certificates-mozilla",),
            "dovecot": ("dovecot",),
        },
        mechanisms={
            **_BUILT_IN,
            **dict.fromkeys(_SCRAM, ("cyrus-sasl-scram",)),
            "CRAM-MD5": ("cyrus-sasl-crammd5",),
            "DIGEST-MD5": ("cyrus-sasl-digestmd5",),
            "NTLM": ("cyrus-sasl-ntlm",),
            "GSSAPI": ("cyrus-sasl-gssapi",),
        },
        ca_file="/etc/ssl/ca-bundle.pem",
        daemon_directory="/usr/lib/postfix/bin",
        plugin_directory="/usr/lib64/sasl2",
        database="lmdb",
        maps={"ldap": "postfix-ldap", "mysql": "postfix-mysql", "pgsql": "postfix-postgresql"},
        sources=("suse-postfix", "suse-sasl", "suse-lmdb", "dovecot-packages", "general"),
        selinux="enforcing on Leap 16 and Tumbleweed",
    ),
    Family(
        name="alpine",
        title="Alpine",
        releases="",
        ids=("alpine",),
        # PLAIN is in libsasl.
        packages={
            "postfix": ("postfix",),
            "sasl_plugin": ("libsasl", "cyrus-sasl-login"),
            "ca_file": _CERTIFICATES,
            "dovecot": ("dovecot",),
        },
        mechanisms={
            **_BUILT_IN,
            **dict.fromkeys(_SCRAM, ("cyrus-sasl-scram",)),
            "CRAM-MD5": ("cyrus-sasl-crammd5",),
            "DIGEST-MD5": ("cyrus-sasl-digestmd5",),
            "NTLM": ("cyrus-sasl-ntlm",),
            "GSSAPI": ("cyrus-sasl-gssapiv2",),
        },
        ca_file="/etc/ssl/certs/ca-certificates.crt",
        daemon_directory="/usr/libexec/postfix",
        plugin_directory="/usr/lib/sasl2",
        database="lmdb",
        maps=_maps("lmdb", "pcre", "ldap", "mysql", "pgsql", "sqlite"),
        sources=("alpine-postfix", "alpine-sasl", "dovecot-packages", "general"),
    ),
    Family(
        name="arch",
        title="Arch",
        releases="",
        ids=("arch",),
        packages={
            "postfix": ("postfix",),
            "sasl_plugin": ("libsasl",),
            "ca_file": _CERTIFICATES,
            "dovecot": ("dovecot",),
        },
        mechanisms={
            **_BUILT_IN,
            **dict.fromkeys((*_SCRAM, *_MD5, "NTLM"), ()),
            "GSSAPI": ("cyrus-sasl-gssapi",),
        },
        ca_file="/etc/ssl/certs/ca-certificates.crt",
        daemon_directory="/usr/lib/postfix/bin",
        plugin_directory="/usr/lib/sasl2",
        database="hash",
        maps=_maps("lmdb", "cdb", "pcre", "ldap", "mysql", "pgsql", "sqlite"),
        sources=("arch-postfix", "arch-sasl", "general"),
    ),
    Family(
        name="freebsd",
        title="FreeBSD",
        releases="",
        ids=("freebsd",),
        # The package postfix is built without Cyrus SASL.
        packages={
            "postfix": ("postfix-sasl",),
            "sasl_plugin": ("cyrus-sasl",),
            "ca_file": ("ca_root_nss",),
            "dovecot": ("dovecot",),
        },
        mechanisms={
            **_BUILT_IN,
            **dict.fromkeys((*_SCRAM, *_MD5, "NTLM"), ()),
            "GSSAPI": ("cyrus-sasl-gssapi",),
        },
        ca_file="/usr/local/share/certs/ca-root-nss.crt",
        daemon_directory="/usr/local/libexec/postfix",
        plugin_directory="/usr/local/lib/sasl2",
        database="hash",
        maps={},
        sources=("freebsd-postfix", "freebsd-sasl", "dovecot-packages", "general"),
        config_directory="/usr/local/etc/postfix",
    ),
)
# Mechanisms for which a user name and a password are not enough, so that a package alone makes no login of them.
BEYOND_PASSWORDS = ("GSSAPI", "XOAUTH2")

# ------------------------------------------------------------------------------------ where things are on any of them

OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
# Postfix's commands, where PATH does not have them.
PROGRAM_DIRECTORIES = ("/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin", "/opt/postfix/sbin")
# Each has sasl2/, some have it once for each architecture.
LIBRARY_DIRECTORIES = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64")
# Certificate authorities that every program of the host trusts.
AUTHORITY_DIRECTORIES = (
    "/etc/ssl/certs",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted/pem/directory-hash",
)
UNIT_DIRECTORIES = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
# Where packages have dovecot.conf, and what module dovecot_auth writes below that.
DOVECOT_DIRECTORIES = ("/etc/dovecot", "/usr/local/etc/dovecot")
DOVECOT_DROP_INS = ("conf.d/00-mailops-smtp.conf", "conf.d/99-mailops-smtp.conf")
MAIL_LOGS = ("/var/log/mail.log", "/var/log/maillog", "/var/log/mail")
# Debian's, which make the copies for the chroot at a start, and what turns that off.
CHROOT_SCRIPTS = ("/usr/lib/postfix/configure-instance.sh", "/etc/init.d/postfix")
CHROOT_SETTINGS = "/etc/default/postfix"


# ------------------------------------------------------------------------------------------ which one, and its packages


def os_release(paths: Iterable[str] = OS_RELEASE) -> dict[str, str]:
    """os-release(5) of this host; empty where there is none."""
    for path in paths:
        try:
            with open(path, encoding="utf-8", errors="replace") as handle:
                pairs = (line.strip().partition("=") for line in handle)
                return {name: value.strip("\"'") for name, equals, value in pairs if equals}
        except OSError:
            continue
    return {}


def family(release: Mapping[str, str]) -> Family | None:
    """The packaging that a host of that os-release(5) has; None where it is not known."""
    number = re.match(r"\d+", release.get("VERSION_ID", ""))
    version = int(number.group()) if number else 0
    for word in [release.get("ID", ""), *release.get("ID_LIKE", "").split()]:
        for each in FAMILIES:
            last = version if each.last is None else each.last
            if word.lower() in each.ids and each.first <= version <= last:
                return each
    return None


def of_this_host() -> Family | None:
    return family(os_release())


def packages_for(
    missing: Iterable[str], release: Mapping[str, str], mechanisms: Iterable[str] = ()
) -> list[str]:
    """The packages that bring what is missing, in order; none where the distribution is not known."""
    known = family(release)
    if known is None:
        return []
    result: list[str] = []
    for need in missing:
        result += known.packages.get(need, ())
        if need == "sasl_plugin":
            for mechanism in mechanisms:
                result += known.mechanisms.get(mechanism.upper(), ())
    return list(dict.fromkeys(result))


_MISSING = {"postfix": "Postfix", "ca_file": "the file of CA certificates", "dovecot": "Dovecot"}


def unpackaged(missing: Iterable[str], release: Mapping[str, str], mechanisms: Iterable[str] = ()) -> str:
    """What to do where no package is known that brings what is missing; empty where all are known.

    `mechanisms`: those of the login that have no plugin on this host.
    """
    missing, mechanisms, known = list(missing), [each.upper() for each in mechanisms], family(release)
    if known is None and missing:
        what = [_MISSING.get(need, _plugin(mechanisms)) for need in missing]
        them = "it" if len(what) == 1 else "them"
        also = ", and postfix_relay_ca_file to the file of CA certificates" if "ca_file" in missing else ""
        return (
            f"{', '.join(what)}: missing on this host, and its distribution ({_called(release)}) is not known here. "
            f"Set postfix_packages to the packages that bring {them}{also}; or install {them} yourself and run again."
        )
    lacking = [each for each in mechanisms if known and each not in known.mechanisms]
    if known is None or "sasl_plugin" not in missing or not lacking:
        return ""
    others = [package for need in missing for package in known.packages[need]]
    return (
        f"This host has no plugin for its login: {plugin_remedy(known, lacking)}, and run again; or set "
        f"postfix_packages to one that brings it and to what else is missing ({', '.join(others)}); or log in by "
        "another mechanism (postfix_relay_auth, or smtp_sasl_mechanism_filter in postfix_parameters)."
    )


def plugin_remedy(known: Family | None, mechanisms: Sequence[str] = ("PLAIN",), again: bool = False) -> str:
    """What brings the plugins of mechanisms to a host of that distribution; `again` where their packages are there."""
    if known and all(each in known.mechanisms for each in mechanisms):
        packages = dict.fromkeys(package for each in mechanisms for package in _packages(known, each))
        return f"install {' and '.join(packages)}{' again' if again else ''}"
    if known is None:
        hint = " (its package is libsasl2-modules on Debian, cyrus-sasl-plain on EL and SUSE)"
    else:
        hint = f", which no package of {known.title} is known to bring"
    if "XOAUTH2" in mechanisms:
        hint += " (sasl-xoauth2: Fedora has it, EPEL for EL, a PPA for Ubuntu)"
    return f"install {_plugin(mechanisms)}{hint}"


def _plugin(mechanisms: Sequence[str]) -> str:
    return f"Cyrus SASL's plugin for {' and '.join(mechanisms) or 'PLAIN or LOGIN'}"


def _packages(known: Family, mechanism: str) -> tuple[str, ...]:
    return known.mechanisms[mechanism] or known.packages["sasl_plugin"]


def map_remedy(known: Family | None, kind: str) -> str:
    """What brings tables of a type that Postfix has in a package of its own, as a rule."""
    if known and kind not in known.maps:
        return f"use another type: no package of {known.title} is known to bring it"
    return f"install the package {known.maps[kind] if known else f'postfix-{kind}'}, or use another type"


def _called(release: Mapping[str, str]) -> str:
    return release.get("PRETTY_NAME") or release.get("NAME") or release.get("ID") or "it has no os-release"


def bringing(mechanism: str, release: Mapping[str, str]) -> tuple[str, ...]:
    """The packages with the plugin for a SASL mechanism, as this distribution names them; none where it has none."""
    known = family(release)
    if known is None or mechanism not in known.mechanisms:
        return ()
    return _packages(known, mechanism)


# ---------------------------------------------------------------------------------------------- the stock main.cf

_TABLE = r"(?:hash|lmdb|cdb|btree|dbm|\$default_database_type)"
_ALIASES = rf"({_TABLE}:/etc/(postfix/)?aliases|\$alias_database|\$alias_maps)(,? *nis:mail\.aliases)?"
_PATH = r"/[\w./+-]*"
_LOOPBACK = r"(?:127\.0\.0\.0/8|127\.0\.0\.1(?:/32)?|\[::ffff:127\.0\.0\.0\]/104|\[::1\](?:/128)?)"
_ANY = r".*"
_YES_NO = r"yes|no"

_DIRECTORIES = (
    "queue_directory", "command_directory", "daemon_directory", "data_directory", "program_directory",
    "sendmail_path", "newaliases_path", "mailq_path", "html_directory", "manpage_directory", "sample_directory",
    "readme_directory", "meta_directory", "shlib_directory", "mail_spool_directory", "cyrus_sasl_config_path",
)  # fmt: skip

# parameter -> what the packages of Debian, Ubuntu, EL, openSUSE, Alpine and Arch and Postfix's own main.cf may leave.
STOCK: Mapping[str, str] = {
    "compatibility_level": r"\d+(\.\d+)*",
    "default_database_type": r"\w+",
    "default_cache_db_type": r"\w+",
    # Where things are
    **dict.fromkeys(_DIRECTORIES, rf"{_PATH}|no|"),
    "mail_owner": r"postfix",
    "setgid_group": r"postdrop|maildrop",
    "debug_peer_level": r"2",
    "debugger_command": _ANY,
    "unknown_local_recipient_reject_code": r"550|450",
    # Who this host is
    "myhostname": r"[\w.-]+",
    "mydomain": r"[\w.-]+",
    "myorigin": r"/etc/mailname|\$myhostname|\$mydomain",
    "mynetworks": rf"{_LOOPBACK}([, ]+{_LOOPBACK})*",
    "mynetworks_style": r"host|subnet",
    "inet_interfaces": r"all|loopback-only|localhost|127\.0\.0\.1|127\.0\.0\.1, *\[::1\]|\[::1\], *127\.0\.0\.1",
    "inet_protocols": r"all|ipv4|ipv6|ipv4, *ipv6",
    "smtpd_banner": r"\$myhostname ESMTP( \$mail_name)?( \((Debian/GNU|Debian|Ubuntu)\))?",
    # Local delivery
    "alias_maps": _ALIASES,
    "alias_database": _ALIASES,
    "biff": _YES_NO,
    "append_dot_mydomain": _YES_NO,
    "mailbox_size_limit": r"0|51200000",
    "message_size_limit": r"0|10240000",
    "mailbox_command": r'|procmail -a "\$EXTENSION"|/usr/bin/procmail( -a "\$EXTENSION")?',
    "mailbox_transport": r"",
    "recipient_delimiter": r"\+|",
    # The way out
    "relayhost": r"|\[?[\w.-]+\]?(:\w+)?",
    "default_transport": r"smtp|error",
    "relay_transport": r"relay|error",
    # TLS with the certificate that the package makes
    "smtpd_tls_cert_file": r"|/etc/ssl/certs/ssl-cert-snakeoil\.pem|/etc/pki/tls/certs/postfix\.pem",
    "smtpd_tls_key_file": r"|/etc/ssl/private/ssl-cert-snakeoil\.key|/etc/pki/tls/private/postfix\.key",
    "smtpd_tls_security_level": r"may|",
    "smtpd_use_tls": _YES_NO,
    "smtp_use_tls": _YES_NO,
    "smtp_enforce_tls": r"no",
    "smtp_tls_security_level": r"may|",
    "smtp_tls_CApath": rf"{_PATH}|",
    "smtp_tls_CAfile": rf"{_PATH}|",
    "smtp_tls_cert_file": r"",
    "smtp_tls_key_file": r"",
    "smtp_tls_session_cache_database": r"|btree:\$\{data_directory\}/smtp_scache",
    "smtpd_tls_session_cache_database": r"|btree:\$\{data_directory\}/smtpd_scache",
    "smtpd_tls_CApath": rf"{_PATH}|",
    "smtpd_tls_CAfile": rf"{_PATH}|",
    "smtpd_tls_ask_ccert": r"no",
    "smtpd_tls_exclude_ciphers": r"RC4",
    "smtpd_tls_received_header": r"no",
    "smtpd_relay_restrictions": (
        r"permit_mynetworks,? *permit_sasl_authenticated,? *(defer|reject)_unauth_destination"
    ),
    # What openSUSE generates
    "content_filter": r"",
    "defer_transports": r"",
    "delay_warning_time": r"1h|0h",
    "disable_dns_lookups": r"no",
    "disable_mime_output_conversion": r"no",
    "disable_vrfy_command": r"yes",
    "masquerade_classes": r"envelope_sender, *header_sender, *header_recipient",
    "masquerade_domains": r"",
    "masquerade_exceptions": r"root",
    "message_strip_characters": r"\\0",
    "strict_8bitmime": r"no",
    "strict_rfc821_envelopes": r"no",
    "smtpd_delay_reject": r"yes",
    "smtpd_helo_required": r"no",
    "smtpd_client_restrictions": r"",
    "smtpd_helo_restrictions": r"",
    "smtpd_sender_restrictions": rf"{_TABLE}:/etc/postfix/access",
    "smtpd_recipient_restrictions": r"permit_mynetworks,? *reject_unauth_destination",
    "smtpd_sasl_auth_enable": r"no",
    "smtp_sasl_auth_enable": r"no",
    "smtp_sasl_security_options": r"",
    "smtp_sasl_password_maps": r"",
    "canonical_maps": rf"{_TABLE}:/etc/postfix/canonical",
    "relocated_maps": rf"{_TABLE}:/etc/postfix/relocated",
    "sender_canonical_maps": rf"{_TABLE}:/etc/postfix/sender_canonical",
    "transport_maps": rf"{_TABLE}:/etc/postfix/transport",
    "virtual_alias_maps": rf"{_TABLE}:/etc/postfix/virtual",
    "virtual_alias_domains": rf"{_TABLE}:/etc/postfix/virtual",
    "relay_clientcerts": rf"|{_TABLE}:/etc/postfix/relay_ccerts",
}  # fmt: skip
_HOST_WORD = re.compile(r"localhost(\..*)?\Z|localdomain\Z|\$\{?my\w+\}?\Z|localhost\.\$\{?mydomain\}?\Z")


def is_stock(values: Mapping[str, str], host_names: Iterable[str] = ()) -> bool:
    """Whether a main.cf with these values is as a package leaves it: nothing foreign, nothing changed by hand.

    `host_names`: what this host calls itself, by default what the system says.
    """
    for name, value in values.items():
        pattern = STOCK.get(name)
        if name == "mydestination":
            if not _own_names_only(values, list(host_names) or [socket.gethostname()]):
                return False
        elif pattern is None or not re.fullmatch(pattern, " ".join(value.split())):
            return False
    return True


def _own_names_only(values: Mapping[str, str], host_names: Iterable[str]) -> bool:
    """Whether mydestination holds this host's own names alone. A domain in it may be one that receives mail."""
    names = {name.lower() for name in (*host_names, values.get("myhostname", ""))}
    labels = {name.split(".")[0] for name in names if name}
    for word in split_list(values["mydestination"].lower()):
        own = _HOST_WORD.match(word) or "." not in word or word.split(".")[0] in labels
        if not own or word.startswith("/") or ":" in word:
            return False
    return True
