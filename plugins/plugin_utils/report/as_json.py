"""The report as JSON: the document itself, a host a line, so that two of them can be compared line by line."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any, Iterator

from .model import Document


def render(document: Document) -> Iterator[str]:
    before = "{"
    for key, value in document.items():
        yield f"{before}\n{_json(key)}: "
        before = ","
        if key != "hosts":
            yield _json(value)
            continue
        yield "["
        for index, host in enumerate(value):
            yield f"{',' if index else ''}\n{_json(host)}"
        yield "\n]"
    yield "\n}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
