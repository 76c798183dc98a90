"""Each packaging of Postfix is whole, and known by the names of its distributions."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Mapping, NamedTuple

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files.main_cf import MainCf
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import distributions
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host.distributions import (
    FAMILIES,
    MECHANISM_PACKAGES,
    Family,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "integration/postfix"))

from case import EL_MAIN, SUSE_MAIN
from cases_hosts import VALID


class Host(NamedTuple):
    """What a host has in os-release(5), what it misses, and what it then gets."""

    family: str
    release: dict[str, str]
    missing: str
    packages: str
    ca_file: str
    mechanism: str = "PLAIN"


SYSTEM = "/etc/ssl/certs/ca-certificates.crt"
EL = "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
ALL = "postfix sasl_plugin ca_file"
# fmt: off
HOSTS = (
    Host("debian", {"ID": "debian"}, ALL, "postfix libsasl2-modules ca-certificates", SYSTEM),
    Host("debian", {"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "ca_file", "ca-certificates", SYSTEM),
    Host("debian", {"ID": "debian"}, "", "", SYSTEM),
    Host("rhel", {"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, ALL, "postfix cyrus-sasl-plain ca-certificates", EL),
    Host("rhel", {"ID": "fedora"}, "sasl_plugin", "cyrus-sasl-plain cyrus-sasl-md5", EL, "cram-md5"),
    Host("suse", {"ID": "opensuse-leap", "ID_LIKE": "suse opensuse"}, ALL,
         "postfix cyrus-sasl-plain ca-certificates-mozilla", "/etc/ssl/ca-bundle.pem"),
    Host("alpine", {"ID": "alpine"}, ALL, "postfix cyrus-sasl cyrus-sasl-login ca-certificates", SYSTEM),
    Host("alpine", {"ID": "alpine"}, "sasl_plugin", "cyrus-sasl cyrus-sasl-login cyrus-sasl-scram", SYSTEM,
         "SCRAM-SHA-256"),
    Host("arch", {"ID": "arch"}, ALL, "postfix cyrus-sasl ca-certificates", SYSTEM),
    Host("arch", {"ID": "manjaro", "ID_LIKE": "arch"}, "postfix", "postfix", SYSTEM),
)
# fmt: on
UNKNOWN = {"ID": "nosuch", "ID_LIKE": "nor this"}


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: f"{host.release['ID']}-{host.missing or 'nothing'}")
def test_a_host_gets_the_packages_of_its_distribution(host: Host) -> None:
    known = distributions.family(host.release)
    assert known is not None
    assert (known.name, known.ca_file) == (host.family, host.ca_file)
    packages = distributions.packages_for(host.missing.split(), host.release, [host.mechanism])
    assert packages == host.packages.split()


@pytest.mark.parametrize(
    ("name", "packages"),
    [
        ("fedora", ["cyrus-sasl-plain", "sasl-xoauth2"]),
        ("debian", ["libsasl2-modules"]),
        ("rocky", ["cyrus-sasl-plain"]),
    ],
)
def test_the_plugin_of_tokens_is_installed_where_the_distribution_has_it(
    name: str, packages: list[str]
) -> None:
    release = {"ID": name, "ID_LIKE": "rhel"} if name == "rocky" else {"ID": name}
    assert distributions.packages_for(["sasl_plugin"], release, ["xoauth2"]) == packages
    assert distributions.packages_xoauth2(release) == (name == "fedora")


def test_of_an_unknown_distribution_nothing_is_said() -> None:
    assert distributions.family(UNKNOWN) is None
    assert distributions.family({}) is None
    assert distributions.packages_for(ALL.split(), UNKNOWN) == []


def test_every_family_has_a_host() -> None:
    assert {host.family for host in HOSTS if host.missing == ALL} == {each.name for each in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_is_whole(family: Family) -> None:
    assert set(family.packages) == set(ALL.split())
    for packages in family.packages.values():
        assert isinstance(packages, tuple) and packages
    assert Path(family.ca_file).is_absolute()


def test_every_name_leads_to_a_family_and_every_family_has_one() -> None:
    names = [each.name for each in FAMILIES]
    assert len(set(names)) == len(names)
    assert set(distributions._IDS.values()) == set(names)
    assert all(word == word.lower() for word in distributions._IDS)


def test_the_packages_of_mechanisms_are_of_families() -> None:
    assert set(MECHANISM_PACKAGES) <= {each.name for each in FAMILIES}
    for packages in MECHANISM_PACKAGES.values():
        for mechanism, wanted in packages.items():
            assert mechanism == mechanism.upper()
            assert isinstance(wanted, tuple) and wanted


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
