"""Hosting providers as data: how to recognise each, and what it does to outgoing SMTP.

Rules of this file: data only. Every row keeps its confidence and its sources, a policy also the
month in which they were read:

primary    read at the provider, or in code that ships the string
secondary  read at a third party (forum, issue, guide)
general    general knowledge without a source that was read: a hint, and said to be one

A port that no source names is `unknown`, never assumed open. Policies differ per account as well as per
provider, so a row orders and explains probes; it never replaces one.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import NamedTuple, Tuple

PRIMARY, SECONDARY, GENERAL = "primary", "secondary", "general"

# Port states.
BLOCKED = "blocked"  # and not known to be lifted
BLOCKED_DEFAULT = "blocked_default"  # lifted on request
THROTTLED = "throttled"
REACTIVE = "reactive"  # open until the provider's scanner closes it
OPEN = "open"
UNKNOWN = "unknown"


class Match(NamedTuple):
    """One comparison. `field`: the Ansible name of a DMI field, kernel_cmdline_word or file_exists."""

    field: str
    op: str  # eq | startswith | contains | regex
    value: str


# A rule holds when all of its matches do.
Rule = Tuple[Match, ...]


class Recognition(NamedTuple):
    """What gives a provider away. One rule is enough."""

    title: str
    rules: tuple[Rule, ...]
    confidence: str
    sources: tuple[str, ...]
    note: str = ""


class PortPolicy(NamedTuple):
    state: str
    confidence: str


class Egress(NamedTuple):
    """What a provider does to outgoing SMTP, by port."""

    ports: dict[int, PortPolicy]
    sources: tuple[str, ...] = ()
    lift: str | None = None
    note: str | None = None
    title: str = ""
    """Of a provider that nothing gives away; of others it is in RECOGNITION."""
    as_of: str = ""
    """The year and month in which its sources were read, or it was written down without one. No row may be without."""


SOURCES: dict[str, str] = {
    "cloud-init": "cloud-init 26.2: ds-identify and cloudinit/sources",
    "hwdb": "systemd 262.1: hwdb.d/40-imds.hwdb",
    "systemd": "systemd src/basic/virt.c @0099e55",
    "ansible": "ansible-core 2.19.14: module_utils/facts/{hardware,virtual}/linux.py",
    "ohai": "chef/ohai lib/ohai/plugins @283191d",
    "facter": "puppetlabs/facter @c222602",
    "insights": "RedHatInsights/insights-core combiners/cloud_provider.py @0387548",
    "cloudinfo": "KarpelesLab/cloudinfo dmi.go @1c4b707",
    "gitlab-charts-647": "https://gitlab.com/gitlab-org/charts/gitlab/-/merge_requests/647",
    "gitlab-foss-23275": "https://gitlab.com/gitlab-org/gitlab-foss/-/merge_requests/23275",
    "ghost": "TryGhost/Docs faq/mail-config-error-google-cloud.mdx @ceefa10",
    "sparkpost": "SparkPost/developers.sparkpost.com content/api/smtp.apib @88f24dc3",
    "aws-ec2": "awsdocs/amazon-ec2-user-guide doc_source/ec2-resource-limits.md @0c031e8",
    "aws-ses": "https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html",
    "aws-ses-blog": "https://aws.amazon.com/blogs/ses/amazon-ses-smtp-recommendations/",
    "aws-port-25": "https://aws.amazon.com/premiumsupport/knowledge-center/ec2-port-25-throttle (Japanese edition)",
    "azure": "MicrosoftDocs/azure-docs troubleshoot-outbound-smtp-connectivity.md @0062e91 (2021-04-28)",
    "digitalocean": "https://docs.digitalocean.com/support/why-is-smtp-blocked/ (an older copy)",
    "kiharani": "https://thekiharani.com/notes/why-your-vps-blocks-smtp-use-an-email-api (2026-06-26)",
    "hubs-2886": "https://github.com/Hubs-Foundation/hubs/discussions/2886 (2020)",
    "hetzner": "hetzneronline/community-content setup-mailserver-with-mailcow/01.en.md @5356c6d (2026-07-23)",
    "wizard": "https://git.wizard.lu/sboulahtit/orion/commit/1227567d (2026-05-30)",
    "linode": "https://www.linode.com/blog/linode/a-new-policy-to-help-fight-spam/ (2019-11-05)",
    "emailwiz-172": "https://github.com/LukeSmithxyz/emailwiz/issues/172",
    "docker-mailserver": "docker-mailserver docs/content/config/debugging.md @c9b015d",
    "ovh-antispam": "ovh/docs dedicated_servers/antispam_best_practices/guide.en-gb.md @1f86c85 (2022-10-17)",
    "ovhcloud": "https://support.us.ovhcloud.com/hc/en-us/articles/16100926574995",
    "scaleway": "scaleway/docs-content how-to/send-emails-from-your-instance.mdx @0e97580 (2025-07-21)",
    "alibaba": "https://jp.alibabacloud.com/help/doc-detail/49123.htm (2019-08-22, Japan region)",
    "wubase": "https://wubase.com/instruct/vps-enable-smtp-port-25",
    "upcloud": "https://upcloud.com/docs/products/networking/features/firewall/",
    "analogic-975": "https://bitbucket.org/analogic/mailserver/issues/975",
    "nylas": "https://developer.nylas.com/docs/cookbook/email/smtp-ports-blocked.md",
    "baidu": "https://intl.cloud.baidu.com/en/doc/EIP/s/flmgdlnw3-intl-en",
    "cloudzy": "https://cloudzy.com/kb/smtp-ports-on-cloudzy-servers",
    "mmitech": "https://mmitech.info knowledgebase 9, 'Restricted Services on Our Platform'",
    "zhnet": "https://cloud.zhnet.co.uk announcements/5 (2023-11-17)",
    "edbb": "https://docs.edbb.com/faq/port-25-smtp-rate-limit-policy",
    "railway": "railwayapp/docs content/docs/networking/outbound-networking.md @040e89a",
    "telkom": "https://blog.ardhosting.com/email-perubahan-port-pada-smtp-telkom/",
    "mailchimp": "https://mailchimp.com/developer/transactional/docs/smtp-integration/",
    "stalwart-23": "https://github.com/orgs/stalwartlabs discussion .github#23",
}


def _one(field: str, op: str, value: str) -> Rule:
    return (Match(field, op, value),)


def _eq(field: str, value: str) -> Rule:
    return _one(field, "eq", value)


# In the order in which they are tried: clouds that tag OpenStack's strings come before plain OpenStack.
RECOGNITION: dict[str, Recognition] = {
    "azure": Recognition(
        "Microsoft Azure",
        (_eq("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"),),
        PRIMARY,
        ("cloud-init", "hwdb", "insights", "ansible"),
        "Vendor 'Microsoft Corporation' with product 'Virtual Machine' is any Hyper-V, so it is not used.",
    ),
    "oracle_oci": Recognition(
        "Oracle Cloud Infrastructure",
        (_eq("chassis_asset_tag", "OracleCloud.com"),),
        PRIMARY,
        ("cloud-init", "hwdb", "ohai", "systemd"),
        "'Oracle Corporation' as board vendor is VirtualBox.",
    ),
    "open_telekom": Recognition(
        "Open Telekom Cloud", (_eq("chassis_asset_tag", "OpenTelekomCloud"),), PRIMARY, ("cloud-init",)
    ),
    "huawei_cloud": Recognition(
        "Huawei Cloud", (_eq("chassis_asset_tag", "HUAWEICLOUD"),), PRIMARY, ("cloud-init",)
    ),
    "sap_ccloud": Recognition(
        "SAP Converged Cloud", (_eq("chassis_asset_tag", "SAP CCloud VM"),), PRIMARY, ("cloud-init",)
    ),
    "samsung_cloud": Recognition(
        "Samsung Cloud Platform",
        (_eq("chassis_asset_tag", "Samsung Cloud Platform"),),
        PRIMARY,
        ("cloud-init",),
    ),
    "outscale": Recognition(
        "3DS Outscale",
        ((Match("system_vendor", "eq", "3DS Outscale"), Match("product_name", "eq", "3DS Outscale VM")),),
        PRIMARY,
        ("cloud-init",),
    ),
    "zstack": Recognition(
        "ZStack", (_one("chassis_asset_tag", "regex", r"\.zstack\.io$"),), PRIMARY, ("cloud-init",)
    ),
    "gce": Recognition(
        "Google Compute Engine",
        (
            _eq("product_name", "Google Compute Engine"),
            _one("product_serial", "startswith", "GoogleCloud-"),
            (Match("system_vendor", "eq", "Google"), Match("bios_vendor", "eq", "Google")),
        ),
        PRIMARY,
        ("cloud-init", "hwdb", "systemd", "ansible", "ohai", "facter"),
        "The product name is not guaranteed (LP: #1674861). System vendor 'Google' alone is also a "
        "Chromebook, "
        "whose BIOS vendor is coreboot, so the vendor counts only together with the BIOS vendor.",
    ),
    "aws_ec2": Recognition(
        "Amazon EC2",
        (
            _one("bios_vendor", "startswith", "Amazon EC2"),
            _eq("system_vendor", "Amazon EC2"),
            _one("bios_version", "contains", "amazon"),
            _eq("board_vendor", "Amazon EC2"),
            _eq("chassis_asset_tag", "Amazon EC2"),
            (Match("system_vendor", "eq", "Xen"), Match("product_uuid", "regex", r"(?i)^ec2")),
            (
                Match("system_vendor", "eq", "Xen"),
                Match("product_uuid", "regex", r"(?i)^[0-9a-f]{4}2[0-9a-f]ec"),
            ),
        ),
        PRIMARY,
        ("cloud-init", "hwdb", "systemd", "ohai", "facter", "insights", "cloudinfo"),
        "Nitro shows vendor strings; old Xen instances a BIOS version like '4.11.amazon' and a UUID "
        "that begins with "
        "ec2 (or does so byte-swapped). One random UUID in 4096 begins so too, hence only together "
        "with vendor Xen. "
        "Lightsail shows the same strings (general knowledge).",
    ),
    "digitalocean": Recognition(
        "DigitalOcean",
        (_eq("system_vendor", "DigitalOcean"), _eq("bios_vendor", "DigitalOcean")),
        PRIMARY,
        ("cloud-init", "ansible", "ohai"),
    ),
    "hetzner_cloud": Recognition(
        "Hetzner Cloud",
        (_eq("system_vendor", "Hetzner"), _eq("bios_vendor", "Hetzner")),
        PRIMARY,
        ("cloud-init", "hwdb", "ansible"),
        "Hetzner's dedicated servers show the real board vendor, so they are not matched; their policy "
        "differs.",
    ),
    "linode": Recognition(
        "Linode (Akamai)",
        (_eq("system_vendor", "Linode"), _eq("system_vendor", "Akamai"), _eq("bios_vendor", "Linode")),
        PRIMARY,
        ("cloud-init", "ansible"),
    ),
    "vultr": Recognition(
        "Vultr",
        (
            _eq("system_vendor", "Vultr"),
            _eq("bios_vendor", "Vultr"),
            _eq("kernel_cmdline_word", "vultr"),
            _eq("file_exists", "/etc/vultr"),
        ),
        PRIMARY,
        ("cloud-init", "hwdb"),
    ),
    "scaleway": Recognition(
        "Scaleway",
        (
            _eq("system_vendor", "Scaleway"),
            _eq("kernel_cmdline_word", "scaleway"),
            _eq("file_exists", "/var/run/scaleway"),
        ),
        PRIMARY,
        ("cloud-init", "hwdb", "ansible"),
    ),
    "alibaba_ecs": Recognition(
        "Alibaba Cloud ECS",
        (_eq("system_vendor", "Alibaba Cloud"), _eq("product_name", "Alibaba Cloud ECS")),
        PRIMARY,
        ("cloud-init", "hwdb", "ohai", "insights"),
    ),
    "tencent_cvm": Recognition("Tencent Cloud", (_eq("system_vendor", "Tencent Cloud"),), PRIMARY, ("hwdb",)),
    "upcloud": Recognition("UpCloud", (_eq("system_vendor", "UpCloud"),), PRIMARY, ("cloud-init",)),
    "exoscale": Recognition(
        "Exoscale", (_one("product_name", "startswith", "Exoscale"),), PRIMARY, ("cloud-init",)
    ),
    "cloudsigma": Recognition(
        "CloudSigma", (_one("product_name", "contains", "CloudSigma"),), PRIMARY, ("cloud-init",)
    ),
    "cloudcix": Recognition("CloudCIX", (_eq("product_name", "CloudCIX"),), PRIMARY, ("cloud-init",)),
    "nwcs": Recognition("NWCS", (_eq("system_vendor", "NWCS"),), PRIMARY, ("cloud-init",)),
    "e24cloud": Recognition("e24cloud", (_eq("system_vendor", "e24cloud"),), PRIMARY, ("cloud-init",)),
    "tilaa": Recognition("Tilaa", (_eq("system_vendor", "Tilaa"),), PRIMARY, ("cloud-init",)),
    "brightbox": Recognition(
        "Brightbox", (_one("product_serial", "regex", r"\.brightbox\.com$"),), PRIMARY, ("cloud-init",)
    ),
    "smartos_joyent": Recognition(
        "SmartOS (Joyent)", (_one("product_name", "startswith", "SmartDC"),), PRIMARY, ("cloud-init",)
    ),
    "ibm_vpc": Recognition(
        "IBM Cloud VPC",
        (_one("chassis_vendor", "startswith", "IBM:Cloud Compute Server"),),
        GENERAL,
        (),
        "The VPC string was not found in a source that could be read.",
    ),
    "cloudstack": Recognition(
        "Apache CloudStack",
        (_one("product_name", "startswith", "CloudStack"),),
        PRIMARY,
        ("cloud-init", "ansible"),
    ),
    "openstack": Recognition(
        "OpenStack",
        (
            _eq("product_name", "OpenStack Nova"),
            _eq("product_name", "OpenStack Compute"),
            _eq("chassis_asset_tag", "OpenStack Nova"),
            _eq("chassis_asset_tag", "OpenStack Compute"),
            _eq("system_vendor", "OpenStack Foundation"),
        ),
        PRIMARY,
        ("cloud-init", "ansible"),
        "OVHcloud, Infomaniak and many regional clouds: which one cannot be told, so the policy is unknown.",
    ),
}


def _ports(p25: PortPolicy, p465: PortPolicy, p587: PortPolicy, p2525: PortPolicy) -> dict[int, PortPolicy]:
    return {25: p25, 465: p465, 587: p587, 2525: p2525}


_OPEN = PortPolicy(OPEN, PRIMARY)
_OPEN_2 = PortPolicy(OPEN, SECONDARY)
_OPEN_G = PortPolicy(OPEN, GENERAL)
_DEFAULT = PortPolicy(BLOCKED_DEFAULT, PRIMARY)
_DEFAULT_2 = PortPolicy(BLOCKED_DEFAULT, SECONDARY)
_DEFAULT_G = PortPolicy(BLOCKED_DEFAULT, GENERAL)
_BLOCKED = PortPolicy(BLOCKED, PRIMARY)
_BLOCKED_2 = PortPolicy(BLOCKED, SECONDARY)
_BLOCKED_G = PortPolicy(BLOCKED, GENERAL)
_UNKNOWN = PortPolicy(UNKNOWN, GENERAL)

# Providers that DMI cannot name (aws_lightsail, ovhcloud, contabo and others) are here for docs/providers.md.
EGRESS: dict[str, Egress] = {
    "gce": Egress(
        _ports(_BLOCKED_2, _OPEN_2, _OPEN_2, _OPEN_2),
        ("gitlab-charts-647", "gitlab-foss-23275", "ghost", "sparkpost"),
        note="Guides that say 587 is blocked here are out of date: a test from GKE found 465 and 587 open. "
        "Port 25 is never opened for most projects.",
        as_of="2026-11",
    ),
    "aws_ec2": Egress(
        _ports(PortPolicy(THROTTLED, PRIMARY), _OPEN, _OPEN, _OPEN_G),
        ("aws-ec2", "aws-port-25", "aws-ses", "aws-ses-blog"),
        lift="send AWS the form 'Request to remove email sending limitations', per region and account",
        note="A probe of 25 may pass once and time out the next time. Security groups and network ACLs "
        "are a second "
        "filter, and your own.",
        as_of="2026-11",
    ),
    "aws_lightsail": Egress(
        _ports(PortPolicy(THROTTLED, GENERAL), _OPEN_G, _OPEN_G, _OPEN_G),
        lift="send AWS the form 'Request to remove email sending limitations'",
        title="Amazon Lightsail",
        as_of="2026-11",
    ),
    "aws_lambda": Egress(
        _ports(_DEFAULT, _OPEN_G, _OPEN_G, _OPEN_G),
        ("aws-port-25",),
        lift="attach the function to a VPC with a NAT gateway and ask AWS; without a VPC it is not lifted",
        note="Not a target of Ansible in practice.",
        title="AWS Lambda",
        as_of="2026-11",
    ),
    "azure": Egress(
        _ports(_DEFAULT, _OPEN, _OPEN, _OPEN),
        ("azure",),
        lift="ask Azure to lift it for the subscription (pay-as-you-go, CSP and MPN ones only)",
        note="No port of an authenticated relay but 25 is restricted. That depends on the type of the subscription, "
        "which a host cannot see: open for Enterprise Agreement, blocked for pay-as-you-go, CSP and MPN, blocked for "
        "good for MSDN, free and student.",
        as_of="2026-11",
    ),
    "digitalocean": Egress(
        _ports(_BLOCKED, _BLOCKED_2, _BLOCKED_2, _OPEN_2),
        ("digitalocean", "kiharani", "hubs-2886"),
        note="Sources disagree: an older page of DigitalOcean names only 25 on new accounts, a report "
        "of 2026 saw 465 "
        "and 587 time out. It depends on the age of the account.",
        as_of="2026-11",
    ),
    "hetzner_cloud": Egress(
        _ports(_DEFAULT, _DEFAULT, _OPEN_2, _OPEN_G),
        ("hetzner", "wizard"),
        lift="ask for it with a limit request in the console once the first invoice is paid",
        note="Packets vanish upstream while the local firewall looks clean. Dedicated servers differ "
        "(general knowledge).",
        as_of="2026-11",
    ),
    "linode": Egress(
        _ports(_DEFAULT, _DEFAULT, _DEFAULT, _OPEN_G),
        ("linode",),
        lift="set an A record and reverse DNS, then open a support ticket",
        note="Accounts made since 2019-11-05.",
        as_of="2026-11",
    ),
    "scaleway": Egress(
        _ports(_DEFAULT, _DEFAULT, _DEFAULT, _OPEN_G),
        ("scaleway",),
        lift="tick 'Enable SMTP' in the security group, after identity verification",
        note="Elastic Metal and Public Gateways have switches of their own.",
        as_of="2026-11",
    ),
    "vultr": Egress(
        _ports(_DEFAULT_2, _UNKNOWN, _UNKNOWN, _OPEN_G),
        ("emailwiz-172", "docker-mailserver"),
        lift="open a support ticket (often refused, say reports since 2022)",
        as_of="2026-11",
    ),
    "ovhcloud": Egress(
        _ports(PortPolicy(REACTIVE, PRIMARY), _OPEN_G, _OPEN_G, _OPEN_G),
        ("ovhcloud", "ovh-antispam"),
        lift="stop the mail that gave the alarm, then unblock the address in the Control Panel (IP, Anti-spam) or by "
        "the API",
        note="25 is open until the spam scanner blocks the address in the network: a host that sent "
        "yesterday may time "
        "out today.",
        title="OVHcloud",
        as_of="2026-11",
    ),
    "oracle_oci": Egress(
        _ports(_DEFAULT_2, _UNKNOWN, _OPEN_G, _OPEN_G),
        ("analogic-975", "nylas"),
        lift="ask for an exemption with a limit request (general knowledge)",
        note="Tenancies made after 2021-06-23 (general knowledge).",
        as_of="2026-11",
    ),
    "alibaba_ecs": Egress(
        _ports(_DEFAULT, _OPEN, _OPEN, _UNKNOWN),
        ("alibaba",),
        note="Read on the page of the Japan region.",
        as_of="2026-11",
    ),
    "tencent_cvm": Egress(
        _ports(_DEFAULT_2, _OPEN_2, _UNKNOWN, _UNKNOWN),
        ("wubase",),
        as_of="2026-11",
    ),
    "baidu_ai_cloud": Egress(
        _ports(_BLOCKED, _OPEN, _OPEN, _UNKNOWN),
        ("baidu",),
        title="Baidu AI Cloud",
        as_of="2026-11",
    ),
    "ibm_vpc": Egress(
        _ports(_BLOCKED_G, _OPEN_G, _OPEN_G, _OPEN_G),
        note="IBM's documentation of VPC does not speak of SMTP.",
        as_of="2026-11",
    ),
    "upcloud": Egress(
        _ports(_DEFAULT, _OPEN_G, _OPEN_G, _OPEN_G),
        ("upcloud",),
        note="During the free trial only an allowlist of standard ports is open, so 465, 587 and 2525 "
        "may all be "
        "closed.",
        as_of="2026-11",
    ),
    "exoscale": Egress(
        _ports(_DEFAULT_G, _OPEN_G, _OPEN_G, _OPEN_G),
        as_of="2026-11",
    ),
    "contabo": Egress(
        _ports(_OPEN_2, _OPEN_G, _OPEN_G, _OPEN_G),
        ("stalwart-23",),
        note="Limited per minute (general knowledge). DMI is plain QEMU, so it is not recognised.",
        title="Contabo",
        as_of="2026-11",
    ),
    "cloudzy": Egress(
        _ports(_DEFAULT, _DEFAULT, _DEFAULT, _DEFAULT),
        ("cloudzy",),
        note="2525 is blocked as well.",
        title="Cloudzy",
        as_of="2026-11",
    ),
    "mmitech": Egress(
        {26: _BLOCKED, **_ports(_BLOCKED, _BLOCKED, _BLOCKED, _BLOCKED)},
        ("mmitech",),
        title="MMITech",
        as_of="2026-11",
    ),
    "zhnet": Egress(
        _ports(_DEFAULT, _DEFAULT, _UNKNOWN, _UNKNOWN),
        ("zhnet",),
        title="ZHNET",
        as_of="2026-11",
    ),
    "edbb": Egress(
        _ports(PortPolicy(THROTTLED, PRIMARY), _UNKNOWN, _UNKNOWN, _UNKNOWN),
        ("edbb",),
        note="8 packets a second on 25: the handshake works, delivery crawls.",
        title="EDBB",
        as_of="2026-11",
    ),
    "railway_paas": Egress(
        _ports(_DEFAULT, _DEFAULT, _DEFAULT, _DEFAULT),
        ("railway",),
        lift="upgrade to the Pro plan and deploy the service again",
        note="A platform for containers, without outgoing IPv6.",
        title="Railway",
        as_of="2026-11",
    ),
    "residential_isp": Egress(
        _ports(_BLOCKED_2, _OPEN_G, _OPEN_2, _OPEN_G),
        ("telkom", "mailchimp"),
        note="Some ISPs redirect 25 and 587 to a server of their own, so an open port is no proof of "
        "having reached "
        "the relay: verify its certificate.",
        title="Residential ISPs",
        as_of="2026-11",
    ),
}
