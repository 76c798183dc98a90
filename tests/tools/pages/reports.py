"""docs/reports.md: the formats of a report, and every field of its JSON from the schema that describes it."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/reports.md"
SCHEMA = ROOT / "docs/report-1.schema.json"
HEAD = """# Reports

Roles `preflight` and `verify` write what they found on all hosts of a play to the files that you name. The suffix says
the format:

    preflight_report: [results/routes.json, results/routes.xml, results/routes.md, results/routes.html]
    verify_report: results/verify.xml

| suffix | what it is | for |
| --- | --- | --- |
| `.json` | everything, as data; the fields are below | programs, and `preflight_baseline` of a later run |
| `.xml` | JUnit: a suite for each host, a case for each endpoint and test | the test results of Jenkins and GitLab |
| `.md` | Markdown: outcomes, the worst first, details folded; at most 60 KB | a pull request, the summary of a job |
| `.html` | a page of one file: a matrix of hosts and ports to filter, with details | a browser |

- A relative path begins where `ansible-playbook` was called, also where the playbook is that of the collection.
  Directories that are missing are made. A reader sees the whole old file or the whole new one.
- One report holds all hosts of the play: those that failed or were unreachable as well, and with `serial` those of all
  batches so far. It is written when tests fail, too. A strategy in which hosts do not wait for each other is refused.
- In check mode reports are written as in any run: a probe and a test change nothing. Tests that send mail are skipped.
- A wrong variable stops a host before anything is done. Where it stops all hosts, nothing was found, and no report is
  written: an older file stays as it is, and `ansible-playbook` does not exit with 0.
- Listeners of other hosts, which `preflight_mesh` names, are endpoints with a `server`, the host that they belong to.
- A case of JUnit fails where the run fails. A port that is closed on a host that has another way is skipped, with the
  reason; so is what the gate lets pass. A host that nobody could look at is an error.
- Reports hold what the modules return, and nothing else of a host: no parameter, no variable, no password. The words of
  servers stand there as one printable line each, with escapes for what cannot be seen, and are cut at 2,000 characters.
- Equal findings make equal files, but for times.

For playbooks that use the modules without the roles, `mailops.smtp.smtp_report` makes the same files of what a task
has registered: `ansible-doc mailops.smtp.smtp_report`.

## The page

[![The page of a fleet, with the details of a host](images/report.png)](images/report.png)

- It is one file that loads nothing, and may be sent by mail: a policy in it (Content-Security-Policy) lets no script
  run but its own. What servers said is text there. A thousand hosts take less than 3 MB.
- Hosts with the same outcome are a row, the worst first; they open by a click, or with Enter or Space. The details of a
  host are reason and advice for each port, greeting, capabilities, TLS, the days that are left of a certificate, the
  time of each stage, and what the gate said: what changed since the baseline, and what is waived. Arrows move, Escape
  closes.
- What was filtered and opened is in the address, which can be passed on, and Back goes back.
- On paper the details of what fails are open. Without JavaScript, as in the preview of some pipelines, a table of the
  outcomes is there.

## The fields of the JSON

[report-1.schema.json](report-1.schema.json) is the same as a JSON Schema (2020-12), with which a program can check a
file. Version 1 may gain fields and verdicts; none is taken away or changes its meaning. Every field is always there
(`server` of an endpoint since 1.1.0).
Times of day are UTC, as `2026-11-28T05:00:00Z`. Names ending in `_ms` are milliseconds, in `_s` seconds.
"""
TITLES = {
    "host": "A host: `hosts[]`",
    "provider": "Its provider: `hosts[].provider`",
    "route": "Its route: `hosts[].route`",
    "own_route": "Routes of single relays: `hosts[].routes[]`",
    "hop": "Another port: `alternatives[]` of a route",
    "sender": "How it gave itself: `hosts[].sender`",
    "endpoint": "An endpoint: `hosts[].endpoints[]`",
    "certificate": "Its certificate: `hosts[].endpoints[].certificate`",
    "test": "A test: `hosts[].tests[]`",
    "finding": "What the gate found: `gate.findings[]`",
    "change": "A change: `gate.better[]` and `gate.worse[]`",
}


def page() -> str:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    parts = [HEAD, "### The report\n", *_table(schema)]
    for name, title in TITLES.items():
        row = schema["$defs"][name]
        parts += [f"\n### {title}\n", f"{row['description']}\n", *_table(row)]
    return "\n".join(parts) + "\n"


def _table(schema: dict[str, Any]) -> Iterator[str]:
    yield "| field | type | what it is |"
    yield "| --- | --- | --- |"
    for name, kind, said in _fields(schema):
        yield f"| `{name}` | {kind} | {said} |"


def _fields(schema: dict[str, Any], before: str = "") -> Iterator[tuple[str, str, str]]:
    for name, row in schema.get("properties", {}).items():
        described = row.get("description") or "What was found at the endpoint: a verdict."
        yield f"{before}{name}", _kind(row), described
        variants = [row, *(one for one in row.get("oneOf", ()) if "properties" in one)]
        for variant in variants:
            yield from _fields(variant, f"{before}{name}.")
        inner = row.get("additionalProperties")
        if isinstance(inner, dict):
            yield from _fields(inner, f"{before}{name}.*.")


def _kind(row: dict[str, Any]) -> str:
    if "oneOf" in row:
        return "object or null"
    if "$ref" in row:
        return "string"
    if "const" in row or "enum" in row:
        return "number" if isinstance(row.get("const"), int) else "string"
    kind = row["type"]
    said = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if said == "array":
        inner = row["items"]
        said = "list of strings" if inner.get("type") == "string" else "list of objects"
    return said


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
