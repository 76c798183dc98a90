"""Each packaging of Postfix is whole, and known by what its distributions write into os-release(5).

HOSTS has what the releases write there, as far as anything here may read it.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Mapping, NamedTuple

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files.main_cf import MainCf
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files.parameters import (
    MECHANISM_PLUGINS,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import distributions, maps
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host.distributions import (
    FAMILIES,
    SOURCES,
    Family,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp import tls

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "integration/postfix"))

from case import EL_MAIN, SUSE_MAIN
from cases_hosts import VALID

ALL = ("postfix", "sasl_plugin", "ca_file")
SYSTEM = "/etc/ssl/certs/ca-certificates.crt"
EL = "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
SUSE = "/etc/ssl/ca-bundle.pem"
FREEBSD = "/usr/local/share/certs/ca-root-nss.crt"
# What a host without anything gets for PLAIN.
APT = "postfix libsasl2-modules ca-certificates"
DNF = "postfix cyrus-sasl-plain ca-certificates"
ZYPPER = "postfix cyrus-sasl-plain ca-certificates-mozilla"
PASSWORDS = {"PLAIN", "LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "CRAM-MD5", "DIGEST-MD5"}


class Host(NamedTuple):
    """What a host has in os-release(5), and what is then known of it."""

    name: str
    release: str
    family: str
    packages: str
    scram: str
    """What brings the plugin of SCRAM-SHA-256 beside those of PLAIN."""
    ca_file: str
    database: str
    chrooted: bool = False
    config_directory: str = "/etc/postfix"


# fmt: off
HOSTS = (
    Host("Debian 11", 'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\nVERSION_ID="11"\nID=debian',
         "debian-11", APT, "libsasl2-modules-gssapi-mit", SYSTEM, "hash", True),
    Host("Debian 12", 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian',
         "debian", APT, "", SYSTEM, "hash", True),
    Host("Debian 13", 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nID=debian',
         "debian", APT, "", SYSTEM, "hash", True),
    Host("Debian sid", 'PRETTY_NAME="Debian GNU/Linux forky/sid"\nVERSION_CODENAME=forky\nID=debian',
         "debian-testing", APT, "", SYSTEM, "cdb"),
    Host("Ubuntu 20.04", 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="20.04"',
         "ubuntu-20", APT, "libsasl2-modules-gssapi-mit", SYSTEM, "hash", True),
    Host("Ubuntu 22.04", 'VERSION_ID="22.04"\nID=ubuntu\nID_LIKE=debian', "ubuntu", APT, "", SYSTEM, "hash", True),
    Host("Ubuntu 24.04", 'VERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian', "ubuntu", APT, "", SYSTEM, "hash", True),
    Host("Linux Mint 22", 'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"',
         "ubuntu", APT, "", SYSTEM, "hash", True),
    Host("RHEL 8", 'ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="8.10"\nPLATFORM_ID="platform:el8"',
         "rhel", DNF, "cyrus-sasl-scram", EL, "hash"),
    Host("RHEL 9", 'ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"', "rhel", DNF, "cyrus-sasl-scram", EL, "hash"),
    Host("RHEL 10", 'ID="rhel"\nID_LIKE="centos fedora"\nVERSION_ID="10.0"',
         "rhel-10", DNF, "cyrus-sasl-scram", EL, "lmdb"),
    Host("AlmaLinux 8", 'ID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="8.10"',
         "rhel", DNF, "cyrus-sasl-scram", EL, "hash"),
    Host("AlmaLinux 10", 'ID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="10.0"',
         "rhel-10", DNF, "cyrus-sasl-scram", EL, "lmdb"),
    Host("Rocky 9", 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"',
         "rhel", DNF, "cyrus-sasl-scram", EL, "hash"),
    Host("Rocky 10", 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="10.1"',
         "rhel-10", DNF, "cyrus-sasl-scram", EL, "lmdb"),
    Host("CentOS Stream 8", 'ID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="8"',
         "rhel", DNF, "cyrus-sasl-scram", EL, "hash"),
    Host("CentOS Stream 9", 'ID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="9"',
         "rhel", DNF, "cyrus-sasl-scram", EL, "hash"),
    Host("CentOS Stream 10", 'ID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="10"',
         "rhel-10", DNF, "cyrus-sasl-scram", EL, "lmdb"),
    Host("Oracle 8", 'ID="ol"\nID_LIKE="fedora"\nVERSION_ID="8.10"', "rhel", DNF, "cyrus-sasl-scram", EL, "hash"),
    Host("Oracle 10", 'ID="ol"\nID_LIKE="fedora"\nVERSION_ID="10.0"', "rhel-10", DNF, "cyrus-sasl-scram", EL, "lmdb"),
    Host("a derivative of EL 9", 'ID="nosuch"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.2"',
         "rhel", DNF, "cyrus-sasl-scram", EL, "hash"),
    Host("a derivative of Fedora", 'ID="nosuch"\nID_LIKE="rhel centos fedora"\nVERSION_ID="42"',
         "fedora", DNF, "cyrus-sasl-scram", EL, "hash"),
    Host("Fedora 42", 'ID=fedora\nVERSION_ID=42\nPLATFORM_ID="platform:f42"',
         "fedora", DNF, "cyrus-sasl-scram", EL, "hash"),
    Host("Amazon Linux 2023", 'ID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"',
         "amazon", DNF, "cyrus-sasl-scram", EL, "hash"),
    Host("Leap 15", 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"',
         "suse", ZYPPER, "cyrus-sasl-scram", SUSE, "lmdb"),
    Host("Leap 16", 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="16.0"',
         "suse", ZYPPER, "cyrus-sasl-scram", SUSE, "lmdb"),
    Host("Tumbleweed", 'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\nVERSION_ID="20250903"',
         "suse", ZYPPER, "cyrus-sasl-scram", SUSE, "lmdb"),
    Host("SLES 15", 'ID="sles"\nID_LIKE="suse"\nVERSION_ID="15.6"',
         "suse", ZYPPER, "cyrus-sasl-scram", SUSE, "lmdb"),
    Host("Alpine 3.20", 'ID=alpine\nVERSION_ID=3.20.3', "alpine",
         "postfix libsasl cyrus-sasl-login ca-certificates", "cyrus-sasl-scram", SYSTEM, "lmdb"),
    Host("Arch", 'ID=arch\nBUILD_ID=rolling', "arch", "postfix libsasl ca-certificates", "", SYSTEM, "hash"),
    Host("Manjaro", 'ID=manjaro\nID_LIKE=arch', "arch", "postfix libsasl ca-certificates", "", SYSTEM, "hash"),
    Host("FreeBSD 14", 'NAME=FreeBSD\nVERSION="14.2-RELEASE"\nVERSION_ID="14.2"\nID=freebsd', "freebsd",
         "postfix-sasl cyrus-sasl ca_root_nss", "", FREEBSD, "hash", False, "/usr/local/etc/postfix"),
)
# fmt: on
UNKNOWN = {
    "NixOS": 'ID=nixos\nNAME=NixOS\nPRETTY_NAME="NixOS 24.11 (Vicuna)"\nVERSION_ID="24.11"',
    "Gentoo": "NAME=Gentoo\nID=gentoo\nPRETTY_NAME='Gentoo Linux'\nVERSION_ID=2.17",
    "Void": 'NAME="Void"\nID="void"\nPRETTY_NAME="Void Linux"',
    "like nothing": 'ID=nosuch\nID_LIKE="nor this"',
    "no os-release": "",
}


def read(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "os-release"
    path.write_text(f"# a comment\n\n{text}\n")
    return distributions.os_release([str(tmp_path / "nowhere"), str(path)])


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_a_host_is_known_by_its_release(tmp_path: Path, host: Host) -> None:
    release = read(tmp_path, host.release)
    known = distributions.family(release)
    assert known is not None
    assert (known.name, known.ca_file, known.database, known.chrooted, known.config_directory) == (
        host.family, host.ca_file, host.database, host.chrooted, host.config_directory,
    )  # fmt: skip
    assert set(known.mechanisms) >= PASSWORDS | {"GSSAPI"}
    assert distributions.packages_for(ALL, release, ["PLAIN"]) == host.packages.split()
    assert distributions.packages_for([], release) == []
    dovecot = "dovecot-core" if host.packages == APT else "dovecot"
    assert distributions.packages_for(["dovecot"], release) == [dovecot]
    plugins = [*known.packages["sasl_plugin"], *host.scram.split()]
    assert distributions.packages_for(["sasl_plugin"], release, ["scram-sha-256"]) == plugins
    assert distributions.unpackaged(ALL, release, sorted(PASSWORDS)) == ""


@pytest.mark.parametrize("text", UNKNOWN.values(), ids=UNKNOWN)
def test_of_an_unknown_distribution_it_is_said_what_to_set(tmp_path: Path, text: str) -> None:
    release = read(tmp_path, text)
    assert distributions.family(release) is None
    assert distributions.packages_for(ALL, release, ["PLAIN"]) == []
    said = distributions.unpackaged(ALL, release)
    called = release.get("PRETTY_NAME") or release.get("ID") or "it has no os-release"
    assert said == (
        "Postfix, Cyrus SASL's plugin for PLAIN or LOGIN, the file of CA certificates: missing on this host, and its "
        f"distribution ({called}) is not known here. Set postfix_packages to the packages that bring them, and "
        "postfix_relay_ca_file to the file of CA certificates; or install them yourself and run again."
    )
    assert distributions.unpackaged(["sasl_plugin"], release, ["scram-sha-256"]) == (
        f"Cyrus SASL's plugin for SCRAM-SHA-256: missing on this host, and its distribution ({called}) is not known "
        "here. Set postfix_packages to the packages that bring it; or install it yourself and run again."
    )
    assert distributions.unpackaged([], release, ["PLAIN"]) == ""


def test_a_mechanism_of_which_there_is_no_package_is_told() -> None:
    debian = {"ID": "debian", "VERSION_ID": "12"}
    said = distributions.unpackaged(["sasl_plugin", "ca_file"], debian, ["PLAIN", "XOAUTH2"])
    assert said.startswith(
        "This host has no plugin for its login: install Cyrus SASL's plugin for XOAUTH2, which no package of Debian is "
        "known to bring (sasl-xoauth2: Fedora has it, EPEL for EL, a PPA for Ubuntu), and "
    )
    assert (
        "postfix_packages to one that brings it and to what else is missing (libsasl2-modules, ca-cert"
        in said
    )
    assert "postfix_relay_auth" in said
    # Fedora has one; and what has its plugin is not missing.
    assert distributions.unpackaged(["sasl_plugin"], {"ID": "fedora", "VERSION_ID": "42"}, ["XOAUTH2"]) == ""
    assert distributions.unpackaged(["ca_file"], debian, ["XOAUTH2"]) == ""


def test_kerberos_has_a_package_of_its_own() -> None:
    found = {
        each.name: distributions.packages_for(["sasl_plugin"], {"ID": each.ids[0]}, ["GSSAPI"])[-1]
        for each in FAMILIES
    }
    assert {name: found[name] for name in ("debian", "rhel", "suse", "alpine", "arch", "freebsd")} == {
        "debian": "libsasl2-modules-gssapi-mit",
        "rhel": "cyrus-sasl-gssapi",
        "suse": "cyrus-sasl-gssapi",
        "alpine": "cyrus-sasl-gssapiv2",
        "arch": "cyrus-sasl-gssapi",
        "freebsd": "cyrus-sasl-gssapi",
    }


def test_every_family_has_a_host() -> None:
    assert {host.family for host in HOSTS} == {each.name for each in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_is_whole(family: Family) -> None:
    assert set(family.packages) == {*ALL, "dovecot"}
    for packages in (*family.packages.values(), *family.mechanisms.values()):
        assert isinstance(packages, tuple) and all(packages)
    assert all(family.packages.values())
    assert set(family.mechanisms) <= set(MECHANISM_PLUGINS)
    assert family.sources and set(family.sources) <= set(SOURCES)
    assert family.ids and all(word == word.lower() for word in family.ids)
    assert family.database in maps.COMPILED
    assert set(family.maps) <= {*maps.COMPILED, *maps.TEXT_TYPES, *maps.DIRECTORY_TYPES}
    for path in (family.ca_file, family.config_directory, family.daemon_directory, family.plugin_directory):
        assert Path(path).is_absolute()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_what_a_family_has_is_looked_for_there(family: Family) -> None:
    """Also by the probe, which knows nothing of this table."""
    root = family.plugin_directory.replace("/*-linux-*", "").rpartition("/")[0]
    assert root in distributions.LIBRARY_DIRECTORIES
    assert family.ca_file in tls._BUNDLES


def test_names_and_sources_are_there_once_and_used() -> None:
    names = [each.name for each in FAMILIES]
    assert len(set(names)) == len(names)
    assert {source for each in FAMILIES for source in each.sources} == set(SOURCES)


@pytest.mark.parametrize(
    "release, mechanisms, remedy",
    [
        ({"ID": "debian"}, "LOGIN", "install libsasl2-modules"),
        ({"ID": "debian"}, "PLAIN LOGIN", "install libsasl2-modules"),
        ({"ID": "debian"}, "XOAUTH2", "install Cyrus SASL's plugin for XOAUTH2, which no package of Debian is known to "
         "bring (sasl-xoauth2: Fedora has it, EPEL for EL, a PPA for Ubuntu)"),
        ({"ID": "debian"}, "NEW", "install Cyrus SASL's plugin for NEW, which no package of Debian is known to bring"),
        ({"ID": "rocky"}, "SCRAM-SHA-256", "install cyrus-sasl-scram"),
        ({"ID": "alpine"}, "PLAIN", "install libsasl and cyrus-sasl-login"),
        ({"ID": "void"}, "PLAIN", "install Cyrus SASL's plugin for PLAIN (its package is libsasl2-modules on Debian, "
         "cyrus-sasl-plain on EL and SUSE)"),
    ],
)  # fmt: skip
def test_the_remedy_for_a_plugin_is_this_hosts(release: dict[str, str], mechanisms: str, remedy: str) -> None:
    assert distributions.plugin_remedy(distributions.family(release), mechanisms.split()) == remedy


@pytest.mark.parametrize(
    "release, kind, remedy",
    [
        (
            {"ID": "debian", "VERSION_ID": "12"},
            "lmdb",
            "install the package postfix-lmdb, or use another type",
        ),
        ({"ID": "sles"}, "pgsql", "install the package postfix-postgresql, or use another type"),
        ({"ID": "sles"}, "cdb", "use another type: no package of SUSE is known to bring it"),
        ({"ID": "void"}, "cdb", "install the package postfix-cdb, or use another type"),
    ],
)
def test_the_remedy_for_a_table_is_this_hosts(release: dict[str, str], kind: str, remedy: str) -> None:
    assert distributions.map_remedy(distributions.family(release), kind) == remedy


ALPINE: Mapping[str, Any] = next(case.parameters for case in VALID if case.name == "alpine_stock")


@pytest.mark.parametrize(
    "main",
    [
        pytest.param(MainCf(EL_MAIN).values(), id="el"),
        # The tables of the cases are of the kind that needs no postmap.
        pytest.param(MainCf(SUSE_MAIN.replace("texthash:", "hash:")).values(), id="suse"),
        pytest.param({name: str(value) for name, value in ALPINE.items() if value is not None}, id="alpine"),
    ],
)
def test_what_a_package_ships_is_stock(main: Mapping[str, str]) -> None:
    foreign = [name for name in main if not distributions.is_stock({name: main[name]}, ["suse.example.com"])]
    assert foreign == []
    assert not distributions.is_stock({**main, "smtpd_milters": "inet:localhost:8891"}, ["suse.example.com"])
