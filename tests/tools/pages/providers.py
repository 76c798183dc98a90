"""docs/providers.md: what is known of hosting providers and relay services, from their tables."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Iterable, Sequence

from ansible_collections.mailops.smtp.plugins.module_utils._route.hosting import (
    EGRESS,
    RECOGNITION,
    SOURCES,
    Egress,
)
from ansible_collections.mailops.smtp.plugins.module_utils._route.relay_services import (
    ALIASES,
    FAMILIES,
    SERVICES,
)
from ansible_collections.mailops.smtp.plugins.module_utils._route.relay_services import (
    SOURCES as SERVICE_SOURCES,
)

PAGE = Path(__file__).resolve().parents[3] / "docs/providers.md"
PORTS = (25, 465, 587, 2525)
HEAD = """\
# Hosting providers and relay services

What the collection knows about the port policies of hosting providers and about relay services. The data are
in `plugins/module_utils/_route/hosting.py` and `relay_services.py`; a test keeps this page equal to them.

A policy differs per account as well as per provider, and changes. So these tables order and explain what a
probe finds; only a probe decides. Marks: no mark means read at the provider; *2* means that third parties say
so; *g* means general knowledge without a source that was read, to be taken as a hint. A port that no source
names is unknown. Which port to use, and why, is in [ports.md](ports.md).
"""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines) + "\n"


def port_cell(row: Egress, port: int) -> str:
    found = row.ports.get(port)
    if found is None or found.state == "unknown":
        return "unknown"
    mark = {"primary": "", "secondary": " *2*", "general": " *g*"}[found.confidence]
    return found.state.replace("blocked_default", "blocked, liftable") + mark


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".") if text else ""


def page() -> str:
    policies = [
        [
            row.title or RECOGNITION[name].title,
            f"`{name}`",
            *(port_cell(row, port) for port in PORTS),
            " ".join(filter(None, (sentence(row.lift or ""), row.note))),
            "; ".join(SOURCES[source] for source in row.sources) or "none",
            row.as_of,
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
            ", ".join(f"`{host}`" for host in (row.host, *row.host_alternates) if host)
            or "one for each customer",
            ", ".join(map(str, row.starttls)) or "none",
            ", ".join(map(str, row.implicit)) or "none",
            ", ".join(row.auth) or "not stated",
            f"`{row.fixed_username}`" if row.fixed_username else row.username or "not stated",
            row.credential or "not stated",
            row.confidence,
            row.note,
            "; ".join(SERVICE_SOURCES.get(source, source) for source in row.sources),
            row.as_of,
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
                    ["Provider", "Name", *map(str, PORTS), "How to lift it, and more", "Sources", "As of"],
                    policies,
                ),
                "## How a provider is recognised\n",
                "In this order, from DMI strings (named as Ansible's facts), kernel words and files.\n",
                table(["Provider", "Name", "Recognised by", "Confidence", "Note"], recognised),
                f"Sources: {'; '.join(recognition_sources)}\n",
                "## Relay services\n",
                "The names that `provider` takes. Other names: " + ", ".join(others) + ".\n",
                "The first host is the one that is used; others are the service's as well. A user name in this `type` "
                "is the same for every customer.\n",
                table(
                    [
                        "Service",
                        "Name",
                        "Host",
                        "STARTTLS",
                        "Implicit TLS",
                        "AUTH",
                        "User name",
                        "Password",
                        "Confidence",
                        "Note",
                        "Sources",
                        "As of",
                    ],
                    services,
                ),
            )
        ).rstrip()
        + "\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
