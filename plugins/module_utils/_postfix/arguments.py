"""The arguments of postfix_config and postfix_info, and what must happen to secrets among them.

The rule of this file: `files` is no_log as a whole until the secrets in it are known one by one.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import difflib
from typing import Any, Iterable, Mapping

from .._base.masks import HIDDEN
from .files import master_cf, table

CONFIG_ARGUMENTS: dict[str, Any] = {
    "files": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "no_log": True,
        "options": {
            "path": {"type": "str", "required": True},
            "content": {"type": "str"},
            "mode": {"type": "raw"},
            "sensitive": {"type": "bool", "default": False},
            "block": {"type": "bool", "default": False},
            "self_signed": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
    },
    "parameters": {"type": "dict", "default": {}},
    "services": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "service": {"type": "str", "required": True},
            "type": {"type": "str", "required": True, "choices": list(master_cf.SERVICE_TYPES)},
            "like": {"type": "str"},
            "private": {"type": "raw"},
            "unpriv": {"type": "raw"},
            "chroot": {"type": "raw"},
            "wakeup": {"type": "raw"},
            "maxproc": {"type": "raw"},
            "command": {"type": "str"},
            "options": {"type": "dict", "default": {}},
            "where_known": {"type": "dict", "default": {}},
            "exclusive": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
    },
    "block": {
        "type": "dict",
        "options": {
            "text": {"type": "str", "default": ""},
            "prepend": {"type": "dict", "default": {}},
            "default": {"type": "dict", "default": {}},
            "stock": {"type": "dict", "default": {}},
            "required": {"type": "dict", "default": {}},
            "reachable": {"type": "str", "default": ""},
            "replace": {"type": "bool", "default": False},
            "fresh": {"type": "bool", "default": False},
            "variables": {"type": "dict", "default": {}},
            "offered": {"type": "list", "elements": "str", "default": []},
        },
    },
    "restore": {"type": "str", "choices": ["previous", "original"]},
    "config_directory": {"type": "path", "default": "/etc/postfix"},
    "confirm": {
        "type": "dict",
        "default": {},
        "options": {
            "listen": {"type": "list", "elements": "int", "default": []},
            "timeout": {"type": "float", "default": 30},
        },
    },
    "activate": {"type": "str", "choices": ["auto", "none"], "default": "auto"},
    "backup": {"type": "bool", "default": False},
    "backup_keep": {"type": "int", "default": 5},
    "replace_mta": {"type": "bool", "default": False},
    "ignore": {"type": "dict", "default": {}},
    "needs": {"type": "list", "elements": "str", "choices": ["dovecot"], "default": []},
    "on_missing": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
}


def ignored_checks(given: Mapping[str, Any]) -> dict[str, str]:
    """The option `ignore`: checks by name, each with a reason. Raises ValueError for what is not one."""
    if not given:
        return {}
    from .checks import registry

    names = [check.name for check in registry.CHECKS]
    for name, reason in given.items():
        if name not in names:
            near = difflib.get_close_matches(str(name), names, 1, 0.6)
            remedy = (
                f"write {near[0]}"
                if near
                else "findings name their check, and docs/checks.md lists all of them"
            )
            raise ValueError(f"there is no check {name!r}; {remedy}")
        if not isinstance(reason, str):
            raise ValueError(
                f"{name}: the reason must be text: write why this check is wrong here, in quotes"
            )
        if not reason.strip():
            raise ValueError(f"{name}: no reason is given; write why this check is wrong here, as a sentence")
    return {name: reason.strip() for name, reason in given.items()}


# Shorter texts are part of too many words; _base/masks.py leaves more of them alone where they stand in a field.
_SHORTEST_SECRET = 5


def secrets_in(files: Iterable[Mapping[str, Any]]) -> set[str]:
    """What must never be shown: sensitive contents, their lines, values and passwords, and these as repr shows them."""
    found: set[str] = set()
    for entry in files:
        content = entry.get("content")
        if not entry.get("sensitive") or not content:
            continue
        found |= {content, content.strip()}
        for row in table.parse_map(str(content)):
            value = row.value.lstrip("= ")
            found |= {row.value, value}
            if ":" in value:
                found.add(value.partition(":")[2])
    found |= {repr(text)[1:-1] for text in found}
    return {text for text in found if len(text) >= _SHORTEST_SECRET}


def without_secrets(files: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The `files` argument as it may be shown: sensitive contents replaced."""
    return [
        {**entry, "content": HIDDEN} if entry.get("sensitive") and entry.get("content") else dict(entry)
        for entry in files
    ]
