"""Pages of the documentation that are made from data show that data, and what is linked to is there."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Iterator

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._route.hosting import EGRESS
from ansible_collections.mailops.smtp.plugins.module_utils._route.relay_services import SERVICES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "tests/tools/pages"))

import checks
import distributions
import ports
import providers
import reports

# A page by its whole address, or by its name in another page.
LINK = re.compile(r"ansible-smtp/blob/main/docs/([\w.-]+\.md)(?:#([\w-]+))?")
LINK_BESIDE = re.compile(r"\]\(([\w.-]*)#?([\w-]*)\)")
# [RFC 8314 3.3], a mark of a source, and where it leads.
MARK = re.compile(r"\[([^\]\[]+)\](?![(:])")
SOURCE = re.compile(r"^\[([^\]]+)\]: (\S+)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The headings of a page, as GitHub makes anchors of them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def links() -> Iterator[tuple[Path, str, str]]:
    """(where it stands, page, anchor or nothing) of every link to a page of docs/."""
    everywhere = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    for top in ("docs", "plugins", "roles", "playbooks"):
        everywhere += [
            file for file in (ROOT / top).rglob("*") if file.suffix in (".md", ".py", ".yml", ".yaml")
        ]
    for file in sorted(everywhere):
        text = file.read_text(encoding="utf-8")
        for page, anchor in LINK.findall(text):
            yield file, page, anchor
        if file.parent == DOCS:
            for page, anchor in LINK_BESIDE.findall(text):
                yield file, page or file.name, anchor


@pytest.mark.parametrize(
    "made", [checks, distributions, ports, providers, reports], ids=lambda made: made.PAGE.name
)
def test_a_page_shows_its_data(made: ModuleType) -> None:
    assert made.PAGE.read_text(encoding="utf-8") == made.page(), "write it anew: make docs"


def test_an_anchor_is_that_of_github(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text('# Ports 2587 and 2465\n```\n# a comment\n```\n### "It connects, so it works"\n')
    assert anchors(page) == {"ports-2587-and-2465", "it-connects-so-it-works"}


def test_a_link_to_a_page_leads_somewhere() -> None:
    found = list(links())
    assert {file.name for file, page, _anchor in found if page == "ports.md" and file.parent != DOCS} >= {
        "README.md",
        "smtp_probe.py",
        "smtp_route_facts.py",
    }
    lost = [
        f"{file.relative_to(ROOT)}: {page}#{anchor}"
        for file, page, anchor in found
        if not (DOCS / page).is_file() or (anchor and anchor not in anchors(DOCS / page))
    ]
    assert lost == []


def test_the_page_of_the_ports_speaks_of_every_port_that_a_service_has() -> None:
    """In what is written by hand: the table names it by itself."""
    written = ports.by_hand()
    assert "| Services | Which |" not in written
    known = {port for row in SERVICES.values() for port in (*row.starttls, *row.implicit)}
    assert [port for port in sorted(known) if not re.search(rf"(?<![\w-]){port}(?!\w)", written)] == []
    described = re.findall(r"^### Ports? (.+)$|^- (\d+), IANA.*?and (\d+),", written, re.MULTILINE)
    numbers = {int(number) for found in described for number in re.findall(r"\d+", " ".join(found))}
    assert numbers == known


def test_every_hosting_provider_is_in_the_table_once() -> None:
    rows = ports.hosting().splitlines()[2:]
    named = [name for row in rows for name in row.split(" | ")[2].rstrip(" |").split(", ")]
    assert sorted(named) == sorted(ports.provider(name) for name in EGRESS)
    assert all(row.split(" | ")[2].strip(" |") for row in rows), "a kind without a provider"


def test_a_mark_of_a_source_leads_to_it() -> None:
    text = ports.PAGE.read_text(encoding="utf-8")
    sources = dict(SOURCE.findall(text))
    assert set(MARK.findall(SOURCE.sub("", text))) == set(sources)
    for mark, address in sources.items():
        name, *rest = mark.split()
        if name == "RFC":
            number, section = rest
            part = f"section-{section}" if section[0].isdigit() else f"appendix-{section}"
            assert address == f"https://www.rfc-editor.org/rfc/rfc{number}#{part}"
        if name == "IANA":
            assert address.endswith(f"?search={rest[0]}")


def test_a_table_without_its_place_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "ports.md"
    page.write_text(ports.PAGE.read_text(encoding="utf-8").replace("<!-- end of hosting -->", ""))
    monkeypatch.setattr(ports, "PAGE", page)
    with pytest.raises(ValueError, match="0 places for the table hosting"):
        ports.page()
