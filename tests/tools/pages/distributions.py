"""docs/distributions.md: what is known of distributions, from their table."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Iterable

from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host.distributions import (
    FAMILIES,
    SOURCES,
    Family,
)
from providers import table

PAGE = Path(__file__).resolve().parents[3] / "docs/distributions.md"
HEAD = """\
# Distributions

What the collection knows of the distributions of managed hosts: which packages bring what is missing, and
what these packages make of Postfix. The data are in `plugins/module_utils/_postfix/host/distributions.py`;
a test keeps this page equal to them.

A distribution is known by `ID` and `ID_LIKE` in `/etc/os-release`, and by `VERSION_ID` where its releases
differ; what is like it is taken for it. *Tried* says how far a row is proven. **lab**: changes of Postfix are
run on hosts of it, on Debian 12 and 13 the whole way from the probe to mail that arrives. **rendered**: unit
tests hold what would be asked for there against the row, which is as its sources say, and no host of it is in
the lab.

Nearly all that is done to a host is the same on each. What Postfix has is asked of Postfix (`postconf`), a
plugin is looked for where any distribution puts it, and the role's own tables are `texthash:`, which every
Postfix reads. The service is called `postfix` everywhere, and its queue is `/var/spool/postfix`.
"""
UNKNOWN = """\
## Another distribution

Two variables stand for a row. Where Postfix and the plugins of Cyrus SASL are there, the first is enough:

```yaml
postfix_relay_ca_file: /etc/ssl/certs/ca-bundle.crt    # its file of CA certificates
postfix_packages: [postfix, cyrus-sasl]                # what is to be installed, by its own names
```

The role says which of them it needs, and what is missing, before it installs or changes anything. So it does
for a SASL mechanism that no package of a known distribution is known to bring, such as XOAUTH2 on Debian.
`postfix_packages` then stands for all that is missing, so name the others as well.

FreeBSD is known by its packages alone. It needs `postfix_config_directory: /usr/local/etc/postfix`, and that is
said; but how a running Postfix is doing is read in `/proc` as Linux has it, so nothing is promised there.
"""
DOORS = """\
## Firewalls and SELinux

No firewall is opened and no policy is changed. A host that sends its mail out needs neither; packets that a
filter of the host or of its provider drops are what the probe calls `filtered`. A host that takes mail
(`postfix_services`, `postfix_inet_interfaces`) may need both, and who runs it decides who may reach it. Tasks
of your own before the role do that, with modules made for it:

```yaml
- ansible.posix.firewalld: {port: 587/tcp, permanent: true, immediate: true, state: enabled}  # EL, Fedora, SUSE
- community.general.ufw: {rule: allow, port: "587", proto: tcp}                               # Ubuntu, Debian
- community.general.seport: {ports: 26, proto: tcp, setype: smtp_port_t}                      # SELinux
```

- Under the policies of EL 9, EL 10 and Fedora, Postfix may connect to every port, so a relay on 2525 or 2587
  needs nothing.
- The ports that are mail's to listen on (`smtp_port_t`) are 25, 465 and 587. Beyond them these policies let
  Postfix listen on every port from 1024 on, 2525 among them; the reference policy, which Debian and Gentoo
  have, does not. A policy is not guessed from that: where the kernel denies a port to Postfix and SELinux is
  enforcing, the message of the change that failed names the last of these tasks, with the port.
"""


def releases(row: Family) -> str:
    return f"{row.title} {row.releases}".strip()


def code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def mechanisms(row: Family) -> str:
    """What is in the packages of PLAIN and LOGIN, then each package with what it brings besides."""
    with_them = [
        name for name, packages in row.mechanisms.items() if not packages and name not in ("PLAIN", "LOGIN")
    ]
    brought: dict[tuple[str, ...], list[str]] = {}
    for name, packages in row.mechanisms.items():
        if packages:
            brought.setdefault(packages, []).append(name)
    parts = [f"{', '.join(with_them)}: none"] if with_them else []
    return "; ".join(parts + [f"{', '.join(names)}: {code(packages)}" for packages, names in brought.items()])


def types(row: Family) -> str:
    return ", ".join(
        kind if package == f"postfix-{kind}" else f"{kind} (`{package}`)"
        for kind, package in row.maps.items()
    )


def page() -> str:
    installed = [
        [
            releases(row),
            "lab" if row.tried else "rendered",
            *(code(row.packages[need]) for need in ("postfix", "sasl_plugin", "ca_file")),
            f"`{row.ca_file}`",
            mechanisms(row),
        ]
        for row in FAMILIES
    ]
    there = [
        [
            releases(row),
            f"`{row.config_directory}`",
            f"`{row.daemon_directory}`",
            f"`{row.plugin_directory}`",
            f"`{row.database}`",
            types(row) or "none",
            "yes" if row.chrooted else "no",
            row.selinux or "no",
        ]
        for row in FAMILIES
    ]
    sources = [[releases(row), "; ".join(SOURCES[name] for name in row.sources)] for row in FAMILIES]
    return "\n".join(
        (
            HEAD,
            "## What is installed\n",
            "Only where it is missing. The packages of another mechanism come with those of PLAIN and LOGIN where the "
            "relay's login asks for it; *none* needs no other. `sasl-xoauth2` is EPEL's on EL.\n",
            table(
                [
                    "Distribution",
                    "Tried",
                    "Postfix",
                    "PLAIN and LOGIN",
                    "CA certificates",
                    "CA file",
                    "Other mechanisms",
                ],
                installed,
            ),
            "## What its Postfix is like\n",
            "Types of tables that have a package of their own are in one called `postfix-` and the type, if nothing "
            "else is said. Chroot is that of the SMTP client in `master.cf`, SELinux the mode of a new installation.\n",
            table(
                [
                    "Distribution",
                    "Configuration",
                    "Daemons",
                    "SASL plugins",
                    "Default table type",
                    "Types in packages",
                    "Chroot",
                    "SELinux",
                ],
                there,
            ),
            UNKNOWN,
            DOORS,
            "## Sources\n",
            table(["Distribution", "Sources"], sources),
        )
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
