"""Recognition of the provider from files below a root, and what is said of its policy."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import re

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._route import hosting
from ansible_collections.mailops.smtp.plugins.module_utils._route.cloud import (
    _DMI_FILES,
    advise,
    egress,
    explain,
    recognise,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import Result


def host(tmp_path, dmi=None, cmdline="", files=()):
    """A root directory as the host's kernel and image would show it."""
    directory = tmp_path / "sys/class/dmi/id"
    directory.mkdir(parents=True)
    for field, value in (dmi or {}).items():
        (directory / _DMI_FILES[field]).write_text(value + "\n")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cmdline").write_text(cmdline + "\n")
    for name in files:
        path = tmp_path / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return str(tmp_path)


GOOGLE = {"system_vendor": "Google", "product_name": "Google Compute Engine", "bios_vendor": "Google"}

RECOGNISED = [
    (GOOGLE, "gce"),
    ({"system_vendor": "Google", "bios_vendor": "Google", "product_name": ""}, "gce"),
    ({"product_serial": "GoogleCloud-0123"}, "gce"),
    ({"system_vendor": "Google", "bios_vendor": "coreboot", "product_name": "Eve"}, "unknown"),
    ({"system_vendor": "Amazon EC2", "product_name": "m5a.large"}, "aws_ec2"),
    ({"system_vendor": "Xen", "bios_version": "4.11.amazon"}, "aws_ec2"),
    ({"system_vendor": "Xen", "product_uuid": "EC2E1916-9099-7CAF-FD21-012345ABCDEF"}, "aws_ec2"),
    ({"system_vendor": "Xen", "product_uuid": "45E12AEC-DCD1-B213-94ED-012345ABCDEF"}, "aws_ec2"),
    ({"system_vendor": "QEMU", "product_uuid": "ec2e1916-9099-7caf-fd21-012345abcdef"}, "unknown"),
    ({"chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77"}, "azure"),
    ({"system_vendor": "Microsoft Corporation", "product_name": "Virtual Machine"}, "unknown"),
    ({"system_vendor": "QEMU", "chassis_asset_tag": "OracleCloud.com"}, "oracle_oci"),
    ({"board_vendor": "Oracle Corporation", "product_name": "VirtualBox"}, "unknown"),
    ({"system_vendor": "DigitalOcean", "product_name": "Droplet"}, "digitalocean"),
    ({"system_vendor": "Hetzner", "product_name": "vServer"}, "hetzner_cloud"),
    ({"system_vendor": "Akamai"}, "linode"),
    ({"bios_vendor": "Linode"}, "linode"),
    ({"system_vendor": "Scaleway"}, "scaleway"),
    ({"product_name": "Alibaba Cloud ECS"}, "alibaba_ecs"),
    ({"system_vendor": "Tencent Cloud"}, "tencent_cvm"),
    ({"product_name": "OpenStack Nova", "chassis_asset_tag": "HUAWEICLOUD"}, "huawei_cloud"),
    ({"product_name": "OpenStack Nova", "system_vendor": "OpenStack Foundation"}, "openstack"),
    ({"system_vendor": "3DS Outscale", "product_name": "3DS Outscale VM"}, "outscale"),
    ({"system_vendor": "3DS Outscale", "product_name": "something else"}, "unknown"),
    ({"chassis_asset_tag": "abc.zstack.io"}, "zstack"),
    ({"product_serial": "srv-abc.gb1.brightbox.com"}, "brightbox"),
    ({"product_name": "SmartDC HVM"}, "smartos_joyent"),
    ({"product_name": "CloudStack KVM Hypervisor"}, "cloudstack"),
    ({"chassis_asset_tag": "OpenTelekomCloud", "product_name": "OpenStack Nova"}, "open_telekom"),
    ({"chassis_asset_tag": "SAP CCloud VM", "product_name": "OpenStack Nova"}, "sap_ccloud"),
    ({"chassis_asset_tag": "Samsung Cloud Platform", "product_name": "OpenStack Nova"}, "samsung_cloud"),
    ({"system_vendor": "UpCloud"}, "upcloud"),
    ({"system_vendor": "Exoscale", "product_name": "Exoscale Compute Platform"}, "exoscale"),
    ({"product_name": "CloudSigma"}, "cloudsigma"),
    ({"product_name": "CloudCIX"}, "cloudcix"),
    ({"system_vendor": "NWCS"}, "nwcs"),
    ({"system_vendor": "e24cloud"}, "e24cloud"),
    ({"system_vendor": "Tilaa"}, "tilaa"),
    ({"chassis_vendor": "IBM:Cloud Compute Server 1.0:bx2-2x8"}, "ibm_vpc"),
    ({"system_vendor": "NA", "product_name": "NA"}, "unknown"),
    ({"system_vendor": "", "product_name": ""}, "unknown"),
    ({"system_vendor": "QEMU", "product_name": "Standard PC (i440FX + PIIX, 1996)"}, "unknown"),
]


@pytest.mark.parametrize("dmi, provider", RECOGNISED)
def test_dmi(tmp_path, dmi, provider):
    assert recognise(host(tmp_path, dmi)).provider == provider


SHOWN = [
    ("root=/dev/vda1 vultr quiet", (), "vultr", "the kernel command line holds the word vultr"),
    ("root=LABEL=vultr-root", (), "unknown", "this host shows no DMI strings"),
    ("", ("/etc/vultr",), "vultr", "the file /etc/vultr exists"),
    ("", ("/var/run/scaleway",), "scaleway", "the file /var/run/scaleway exists"),
]


@pytest.mark.parametrize("cmdline, files, provider, evidence", SHOWN)
def test_kernel_words_and_files(tmp_path, cmdline, files, provider, evidence):
    cloud = recognise(host(tmp_path, {}, cmdline, files))
    assert (cloud.provider, cloud.evidence) == (provider, evidence)


def test_of_every_provider_a_host_is_recognised():
    recognised = {provider for _dmi, provider in RECOGNISED} | {row[2] for row in SHOWN}
    assert recognised == {*hosting.RECOGNITION, "unknown"}


def test_evidence_names_every_field_of_the_rule(tmp_path):
    cloud = recognise(host(tmp_path, {**GOOGLE, "product_name": ""}))
    assert cloud.evidence == "DMI system_vendor is 'Google' and DMI bios_vendor is 'Google'"


def test_an_unknown_host_says_what_it_showed(tmp_path):
    cloud = recognise(host(tmp_path, {"system_vendor": "QEMU", "product_name": "PC\x1b[31m"}))
    assert (
        cloud.evidence
        == "DMI system_vendor is 'QEMU' and product_name is 'PC[31m', which matches no known provider"
    )
    assert cloud.egress == {"ports": {}, "lift": None, "note": None, "sources": [], "as_of": None}
    assert cloud.state(587) == "unknown"


@pytest.mark.parametrize("value", ["", "NA", " NA ", "\x00"])
def test_a_value_that_says_nothing_counts_as_absent(tmp_path, value):
    cloud = recognise(host(tmp_path, {"system_vendor": value, "product_name": value}))
    assert cloud.evidence == "this host shows no DMI strings"


def test_nothing_to_read(tmp_path):
    assert recognise(str(tmp_path / "absent")).provider == "unknown"


def test_a_field_that_cannot_be_read_counts_as_absent(tmp_path):
    root = host(tmp_path, {"system_vendor": "Hetzner"})
    os.mkdir(os.path.join(root, "sys/class/dmi/id/product_serial"))
    assert recognise(root).provider == "hetzner_cloud"


# ------------------------------------------------------------------------------------------------ policy


def cloud_of(provider, tmp_path):
    vendors = {"gce": GOOGLE, "upcloud": {"system_vendor": "UpCloud"}, "linode": {"system_vendor": "Linode"}}
    vendors["hetzner_cloud"] = {"system_vendor": "Hetzner"}
    vendors["aws_ec2"] = {"system_vendor": "Amazon EC2"}
    vendors["tencent_cvm"] = {"system_vendor": "Tencent Cloud"}
    vendors["openstack"] = {"product_name": "OpenStack Nova"}
    vendors["ibm_vpc"] = {"chassis_vendor": "IBM:Cloud Compute Server 1.0:bx2"}
    vendors["unknown"] = {}
    return recognise(host(tmp_path, vendors[provider]))


EXPLAINED = [
    (
        "hetzner_cloud",
        465,
        "filtered",
        "Hetzner Cloud blocks outgoing port 465 by default; to lift that, ask for it with a limit "
        "request in the "
        "console once the first invoice is paid. Open there: 587, and as far as is generally known 2525.",
    ),
    (
        "gce",
        25,
        "filtered",
        "Google Compute Engine blocks outgoing port 25 by default (third parties say so, not the "
        "provider) and is "
        "not known to lift that. Open there: 465, 587 and 2525.",
    ),
    (
        "linode",
        587,
        "no_greeting",
        "Linode (Akamai) blocks outgoing port 587 by default; to lift that, set an A record and "
        "reverse DNS, then "
        "open a support ticket. Open there as far as is generally known: 2525.",
    ),
    (
        "upcloud",
        2525,
        "filtered",
        "UpCloud leaves outgoing port 2525 open by default (general knowledge, no source was found), "
        "so look for a "
        "filter of your own: a security group, a network ACL or the host's firewall.",
    ),
    (
        "tencent_cvm",
        25,
        "filtered",
        "Tencent Cloud blocks outgoing port 25 by default (third parties say so, not the provider) and "
        "lifts that "
        "on request. Open there: 465.",
    ),
    (
        "ibm_vpc",
        25,
        "filtered",
        "IBM Cloud VPC blocks outgoing port 25 by default (general knowledge, no source was found) and "
        "is not known "
        "to lift that. Open there as far as is generally known: 465, 587 and 2525.",
    ),
    ("tencent_cvm", 587, "filtered", "What Tencent Cloud does to outgoing port 587 is not known."),
    ("hetzner_cloud", 2587, "refused", "What Hetzner Cloud does to outgoing port 2587 is not known."),
    ("openstack", 587, "filtered", "What OpenStack does to outgoing port 587 is not known."),
    (
        "aws_ec2",
        25,
        "ok",
        "Amazon EC2 throttles outgoing port 25: a probe can succeed while delivery is still very slow. To lift that, "
        "send AWS the "
        "form 'Request to remove email sending limitations', per region and account.",
    ),
    ("hetzner_cloud", 465, "auth_rejected", ""),
    ("hetzner_cloud", 465, "ok", ""),
    ("hetzner_cloud", 465, "dns_not_found", ""),
    ("unknown", 587, "filtered", ""),
]


@pytest.mark.parametrize("provider, port, verdict, text", EXPLAINED)
def test_explain(tmp_path, provider, port, verdict, text):
    assert explain(verdict, port, cloud_of(provider, tmp_path)) == text


def test_a_reactive_port_is_explained(tmp_path):
    cloud = cloud_of("unknown", tmp_path)._replace(
        provider="ovhcloud", title="OVHcloud", egress=egress("ovhcloud")
    )
    assert explain("filtered", 25, cloud) == (
        "OVHcloud closes outgoing port 25 for an address that its spam scanner reports: look for a "
        "notice from them."
    )


def test_advise_keeps_the_advice_of_the_result(tmp_path):
    result = Result("relay.example.com", 465, "implicit", "filtered", "connect", "No answer.")
    advice = advise(result, cloud_of("hetzner_cloud", tmp_path))
    assert advice.startswith(result.advice + " Hetzner Cloud blocks outgoing port 465 by default; ")
    assert advise(result, cloud_of("unknown", tmp_path / "other")) == result.advice


# -------------------------------------------------------------------------------------------------- data


def test_every_row_has_known_words_and_sources():
    confidences = {hosting.PRIMARY, hosting.SECONDARY, hosting.GENERAL}
    states = {
        hosting.BLOCKED,
        hosting.BLOCKED_DEFAULT,
        hosting.THROTTLED,
        hosting.REACTIVE,
        hosting.OPEN,
        hosting.UNKNOWN,
    }
    for row in hosting.RECOGNITION.values():
        assert row.confidence in confidences
        assert row.title
        assert set(row.sources) <= set(hosting.SOURCES)
        assert bool(row.sources) == (row.confidence != hosting.GENERAL)
        for match in (match for rule in row.rules for match in rule):
            assert match.field in {*_DMI_FILES, "kernel_cmdline_word", "file_exists"}
            assert match.op in {"eq", "startswith", "contains", "regex"}
    for row in hosting.EGRESS.values():
        assert set(row.sources) <= set(hosting.SOURCES)
        assert {port.state for port in row.ports.values()} <= states
        assert {port.confidence for port in row.ports.values()} <= confidences
        if any(port.confidence != hosting.GENERAL for port in row.ports.values()):
            assert row.sources


@pytest.mark.parametrize("name", hosting.EGRESS)
def test_no_policy_is_without_source_and_date(name):
    row = hosting.EGRESS[name]
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", row.as_of)
    assert row.as_of >= "2026-11"
    for port, cell in row.ports.items():
        assert row.sources or cell.confidence == hosting.GENERAL, port


@pytest.mark.parametrize("name", hosting.RECOGNITION)
def test_what_gives_a_provider_away_was_read_in_a_version(name):
    for source in hosting.RECOGNITION[name].sources:
        assert re.search(r"@[0-9a-f]{7}| \d+\.\d+", hosting.SOURCES[source]), source


def test_what_no_source_says_is_general():
    for row in hosting.EGRESS.values():
        for port in row.ports.values():
            assert port.state != hosting.UNKNOWN or port.confidence == hosting.GENERAL


def test_every_source_is_used():
    used = {name for row in hosting.RECOGNITION.values() for name in row.sources}
    used |= {name for row in hosting.EGRESS.values() for name in row.sources}
    assert used == set(hosting.SOURCES)


def test_plain_openstack_comes_last():
    assert list(hosting.RECOGNITION)[-1] == "openstack"
