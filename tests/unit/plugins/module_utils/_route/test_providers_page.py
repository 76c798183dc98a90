"""docs/providers.md shows the data as they are. Run as a script, this file writes the page anew."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

from ansible_collections.mailops.smtp.plugins.module_utils._route.hosting import (
    EGRESS,
    RECOGNITION,
    SOURCES,
)
from ansible_collections.mailops.smtp.plugins.module_utils._route.relay_services import (
    ALIASES,
    FAMILIES,
    SERVICES,
)
from ansible_collections.mailops.smtp.plugins.module_utils._route.relay_services import (
    SOURCES as SERVICE_SOURCES,
)

PAGE = Path(__file__).resolve().parents[5] / "docs" / "providers.md"
PORTS = (25, 465, 587, 2525)
TITLES = {
    "aws_lightsail": "Amazon Lightsail",
    "aws_lambda": "AWS Lambda",
    "ovhcloud": "OVHcloud",
    "baidu_ai_cloud": "Baidu AI Cloud",
    "contabo": "Contabo",
    "cloudzy": "Cloudzy",
    "mmitech": "MMITech",
    "zhnet": "ZHNET",
    "edbb": "EDBB",
    "railway_paas": "Railway",
    "residential_isp": "Residential ISPs",
}

HEAD = """\
# Hosting providers and relay services

What the collection knows about the port policies of hosting providers and about relay services. The data are
in `plugins/module_utils/_route/hosting.py` and `relay_services.py`; a test keeps this page equal to them.

A policy differs per account as well as per provider, and changes. So these tables order and explain what a
probe finds; only a probe decides. Marks: no mark means read at the provider; *2* means that third parties say
so; *g* means general knowledge without a source that was read, to be taken as a hint. A port that no source
names is unknown.
"""


def table(head, rows):
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines) + "\n"


def port_cell(row, port):
    found = row.ports.get(port)
    if found is None or found.state == "unknown":
        return "unknown"
    mark = {"primary": "", "secondary": " *2*", "general": " *g*"}[found.confidence]
    return found.state.replace("blocked_default", "blocked, liftable") + mark


def sentence(text):
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".") if text else ""


def render():
    policies = [
        [
            RECOGNITION[name].title if name in RECOGNITION else TITLES[name],
            f"`{name}`",
            *(port_cell(row, port) for port in PORTS),
            " ".join(filter(None, (sentence(row.lift or ""), row.note))),
            "; ".join(SOURCES[source] for source in row.sources) or "none",
        ]
        for name, row in EGRESS.items()
    ]
    recognised = [
        [
            row.title,
            f"`{name}`",
            "; or ".join(
                " and ".join(f"{match.field} {match.op} `{match.value}`" for match in rule)
                for rule in row.rules
            ),
            row.confidence,
            row.note,
        ]
        for name, row in RECOGNITION.items()
    ]
    services = [
        [
            row.title,
            f"`{name}`",
            f"`{row.host}`" if row.host else "one for each customer",
            ", ".join(map(str, row.starttls)) or "none",
            ", ".join(map(str, row.implicit)) or "none",
            ", ".join(row.auth) or "not stated",
            row.username or "not stated",
            row.confidence,
            row.note,
            "; ".join(SERVICE_SOURCES.get(source, source) for source in row.sources),
        ]
        for name, row in SERVICES.items()
    ]
    recognition_sources = sorted({SOURCES[name] for row in RECOGNITION.values() for name in row.sources})
    others = [f"`{name}` is `{target}`" for name, target in ALIASES.items()]
    others += [f"`{name}` with region {' or '.join(regions)}" for name, regions in FAMILIES.items()]
    return (
        "\n".join(
            (
                HEAD,
                "## What hosting providers do to outgoing SMTP\n",
                table(
                    ["Provider", "Name", *map(str, PORTS), "How to lift it, and more", "Sources"], policies
                ),
                "## How a provider is recognised\n",
                "In this order, from DMI strings (named as Ansible's facts), kernel words and files.\n",
                table(["Provider", "Name", "Recognised by", "Confidence", "Note"], recognised),
                f"Sources: {'; '.join(recognition_sources)}\n",
                "## Relay services\n",
                "The names that `provider` takes. Other names: " + ", ".join(others) + ".\n",
                table(
                    [
                        "Service",
                        "Name",
                        "Host",
                        "STARTTLS",
                        "Implicit TLS",
                        "AUTH",
                        "User name",
                        "Confidence",
                        "Note",
                        "Sources",
                    ],
                    services,
                ),
            )
        ).rstrip()
        + "\n"
    )


def test_the_page_shows_the_data():
    assert PAGE.read_text(encoding="utf-8") == render(), f"write it anew: python {Path(__file__).name}"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
