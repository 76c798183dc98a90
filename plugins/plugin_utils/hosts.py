"""Whether a play will reach anybody.

Ansible skips a play that matches no host, and tasks that no tag selects, and ends with 0: a gate that looked at nothing
is green. The rule of this file: data in, one sentence out; what a pattern matches is Ansible's own doing.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import difflib
import re
from typing import Any, Mapping, NamedTuple, Sequence

from ansible import constants as C
from ansible.inventory.manager import InventoryManager, split_host_pattern
from ansible.parsing.dataloader import DataLoader

VARIABLE = "smtp_hosts"
# What selects, and what deselects, tasks without tags.
UNTAGGED = {"all", "untagged"}
# A pattern with one of these asks which hosts there are; one without them names a group or a host.
_QUESTION = re.compile(r"[*?\[~]")
_SUBSCRIPT = re.compile(r"\[-?\d+(?:[:-]\d*)?\]$")
_SHOWN = 12


class NobodyError(Exception):
    """The play would reach nobody, or not those who were named; the text is a sentence that says why."""


class EmptyError(NobodyError):
    """The pattern is one, and is right where its hosts come and go."""


class Invocation(NamedTuple):
    """What the command line said, beside the pattern."""

    limit: str | None = None
    tags: Sequence[str] = ()
    skip_tags: Sequence[str] = ()
    direct: bool = True
    """Whether a playbook of this collection was named on the command line, not one that imports it."""


def parts_of(pattern: Any, name: str = "") -> list[str]:
    """The single patterns of a pattern. Raises NobodyError where it is none."""
    texts = pattern if isinstance(pattern, (list, tuple)) else [pattern]
    said = f"{name}={pattern}" if name else f"{pattern!r}"
    if not all(isinstance(text, str) for text in texts):
        raise NobodyError(
            f"{said} is not a host pattern. Give the name of a group or a host, or a list of names."
        )
    parts: list[str] = split_host_pattern([str(text) for text in texts])
    if not parts:
        where = f"{name} is empty" if name else "The pattern of hosts is empty"
        raise NobodyError(f"{where}, so nobody is meant. Give the name of a group or a host, or all.")
    return parts


def hosts_of(pattern: str, groups: Mapping[str, Sequence[str]]) -> list[str]:
    """The hosts of a pattern, in the order of the inventory. Raises NobodyError where it, or a part of it, has none."""
    parts = parts_of(pattern)
    # The most are one name, for which Ansible's own matching is not built anew on each host.
    if len(parts) == 1 and parts[0] in groups.get("all", ()):
        return parts
    if len(parts) == 1 and groups.get(parts[0]):
        return list(groups[parts[0]])
    unknown = [part.lstrip("!&") for part in parts if not _known(part, groups)]
    if unknown:
        raise EmptyError(_unknown(unknown[0], groups))
    found = [host.name for host in _inventory(groups).list_hosts(parts)]
    if not found:
        alone = len(parts) == 1 and parts[0] in groups
        said = f"the group {pattern} is empty" if alone else f"{pattern} matches no host of the inventory"
        raise EmptyError(f"{said}, so nothing was done. {_choice(groups)}")
    return found


def check(
    parts: Sequence[str], groups: Mapping[str, Sequence[str]], name: str, invocation: Invocation
) -> str | None:
    """Raises NobodyError where nobody, or not everybody who is named, would be reached.

    Returns a warning where that is so by a choice that concerns a larger playbook.
    """
    pattern = ",".join(parts)
    said = f"{name}={pattern}" if name else f"hosts: {pattern}"
    inventory = _inventory(groups)
    unknown = [part.lstrip("!&") for part in parts if not _known(part, groups)]
    if not groups.get("all") and not _local(parts):
        raise EmptyError(
            "The inventory has no hosts, so nothing would be done. Name an inventory with -i, and see with "
            "ansible-inventory --graph what Ansible reads from it."
        )
    if unknown:
        raise EmptyError(f"{said}: {_unknown(unknown[0], groups)}")
    if not inventory.list_hosts(list(parts)) and not _local(parts):
        raise EmptyError(
            f"{said} matches no host of the inventory, so nothing would be done. {_choice(groups)}"
        )
    return _check_limit(list(parts), groups, said, invocation, inventory) or _check_tags(invocation)


def _check_limit(
    parts: list[str],
    groups: Mapping[str, Sequence[str]],
    said: str,
    invocation: Invocation,
    inventory: InventoryManager,
) -> str | None:
    limit = invocation.limit
    if not limit:
        return None
    # A file of names is Ansible's to read, and to complain of.
    unknown = [part for part in split_host_pattern(limit) if part[0] != "@" and not _known(part, groups)]
    if unknown and invocation.direct:
        raise NobodyError(f"--limit {limit}: {_unknown(unknown[0].lstrip('!&'), groups)}")
    inventory.subset(limit)
    if inventory.list_hosts(parts):
        return None
    sentence = f"--limit {limit} leaves none of the hosts of {said}"
    if not invocation.direct:
        return f"{sentence}: nothing of mailops.smtp is done there."
    raise EmptyError(
        f"{sentence}, so nothing would be done. Leave --limit out, or give hosts that are among them."
    )


def _check_tags(invocation: Invocation) -> None:
    """A playbook that imports ours may give it tags, which are not known here."""
    if not invocation.direct:
        return
    chosen, skipped = set(invocation.tags), set(invocation.skip_tags)
    option = ""
    if chosen and not chosen & UNTAGGED:
        option = f"--tags {','.join(invocation.tags)}"
    elif skipped & UNTAGGED:
        option = f"--skip-tags {','.join(invocation.skip_tags)}"
    if option:
        raise NobodyError(
            f"With {option} nothing would be done: the tasks of this playbook have no tags. Leave it out; to do a "
            "part only, run mailops.smtp.preflight, mailops.smtp.deploy or mailops.smtp.verify."
        )


def _inventory(groups: Mapping[str, Sequence[str]]) -> InventoryManager:
    """The groups and hosts in the form of Ansible's own matching."""
    inventory = InventoryManager(loader=DataLoader(), sources=None, parse=False)
    for host in groups.get("all", ()):
        inventory._inventory.add_host(host)
    for group, hosts in groups.items():
        if group not in ("all", "ungrouped"):
            inventory._inventory.add_group(group)
            for host in hosts:
                inventory._inventory.add_host(host, group)
    inventory._inventory.reconcile_inventory()
    return inventory


def _known(part: str, groups: Mapping[str, Sequence[str]]) -> bool:
    name = part.lstrip("!&")
    if name == "all" or name in C.LOCALHOST:
        return True
    plain = _SUBSCRIPT.sub("", name)
    return any(each in groups or each in groups.get("all", ()) for each in (name, plain)) or bool(
        _QUESTION.search(plain)
    )


def _local(parts: Sequence[str]) -> bool:
    """Whether Ansible's implicit localhost is meant."""
    return any(part in C.LOCALHOST for part in parts)


def _unknown(name: str, groups: Mapping[str, Sequence[str]]) -> str:
    candidates = [*(group for group in groups if group != "ungrouped"), *groups.get("all", ())]
    near = difflib.get_close_matches(name, candidates, 1)
    hint = f"Did you mean {near[0]}?" if near else _choice(groups)
    return f"{name} is neither a group nor a host of the inventory, so nothing was done. {hint}"


def _choice(groups: Mapping[str, Sequence[str]]) -> str:
    named = sorted(group for group, hosts in groups.items() if group not in ("all", "ungrouped") and hosts)
    kind = "groups" if named else "hosts"
    names = named or sorted(groups.get("all", ()))
    if not names:
        return "The inventory is empty."
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"The inventory has the {kind} {', '.join(names[:_SHOWN])}{more}."
