"""What the hosts of a play have registered, and which of them makes the report of all.

Rules of this file: it reads the variables that Ansible gives to an action, and nothing else of Ansible. Of each host it
takes what one task has registered in this run: a fact may be an older run's.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Iterable, Mapping

Variables = Mapping[str, Any]
Result = Mapping[str, Any]

# What a strategy's name ends in that lets the hosts of a play wait for each other at each task.
IN_STEP = ("linear", "debug")


def in_step(strategy: str) -> bool:
    """Whether the hosts of the play wait for each other at each task, as its strategy has it."""
    return strategy.rpartition(".")[2].endswith(IN_STEP)


def refusal(strategy: str, name: str) -> str:
    """Why there can be no report with this strategy; empty where there can."""
    if in_step(strategy):
        return ""
    return (
        f"{name} is one report of all hosts, and with strategy {strategy} they do not wait for each other, so none of "
        f"them knows when all are done. Leave {name} out, or give the play strategy: linear."
    )


def checked(variables: Variables, registered: str) -> dict[str, Result]:
    """The typed variables of the hosts of the play, as the check of them has registered them so far."""
    found = (
        (name, variables["hostvars"][name].get(registered)) for name in variables["ansible_play_hosts_all"]
    )
    return {name: one for name, one in found if isinstance(one, Mapping)}


def differing(values: Mapping[str, Result], names: Iterable[str]) -> str:
    """Why hosts are refused that have different values of what is for all of the play; empty where they have one."""
    for name in names:
        first: dict[str, tuple[str, Any]] = {}
        for host, known in values.items():
            if name in known:
                first.setdefault(repr(known[name]), (host, known[name]))
        if len(first) > 1:
            (one, value), (other, another) = list(first.values())[:2]
            return (
                f"{name} is for the whole play, and is {_shown(value)} on {one} and {_shown(another)} on {other}. Give "
                "all hosts of the play one value, in group_vars/all or with -e, or run a play for each."
            )
    return ""


def _shown(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text[:60] or "not set"


def results(variables: Variables, registered: str) -> dict[str, Result]:
    """What the hosts of the play have registered so far, in the order of the play; of one that was lost, nothing.

    With `serial`, hosts of later batches are left out, and those of earlier ones are there.
    """
    batch, alive = set(variables["ansible_play_batch"]), set(variables["ansible_play_hosts"])
    found = {}
    for name in variables["ansible_play_hosts_all"]:
        value = variables["hostvars"][name].get(registered)
        if isinstance(value, Mapping):
            found[name] = value
        elif name in batch or name not in alive:
            found[name] = {}
    return found


def writer(variables: Variables, registered: str) -> str | None:
    """The host whose task makes the report: the first of the batch that is still there and does this task."""
    results_of = (
        (name, variables["hostvars"][name].get(registered)) for name in variables["ansible_play_batch"]
    )
    return next(
        (name for name, one in results_of if isinstance(one, Mapping) and one and not one.get("skipped")),
        None,
    )
