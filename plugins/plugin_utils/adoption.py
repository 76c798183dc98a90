"""What a run would make of the configuration that a host has, setting by setting, as lines to read.

Rules of this file: it reads the diff that postfix_config returns, in which passwords are hidden already, and asks no
host. A value counts as kept where its words are the same.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping

import yaml

from ..module_utils._base.masks import MASK
from ..module_utils._postfix.files.lines import same_words
from ..module_utils._postfix.files.main_cf import MainCf
from ..module_utils._postfix.files.master_cf import MasterCf, Service

# What the relay and its login decide. To keep such a value is to keep the old relay.
_OF_THE_RELAY = re.compile(
    r"(relayhost|default_transport|relay_transport|sender_dependent_\w+|transport_maps|smtp_\w+|tls_required_enable)\Z"
)
_FATES = ("drops", "changes", "adds", "keeps")

Settings = Mapping[str, str]


def adoption(result: Mapping[str, Any], variables: Settings) -> list[str]:
    """The lines for the result of postfix_config in check mode with its diff.

    `variables`: the variable of role postfix that says what a parameter is.
    """
    if "postfix" in (result.get("missing") or ()):
        return ["Postfix is not installed here, so there is nothing to keep."]
    diffs = {_name(each): each for each in result.get("diff") or ()}
    if result.get("failed") and not diffs:
        return [f"Refused before anything was compared: {result.get('msg', '')}"]
    lines = ["Refused as it is, see above. Once what is refused is named:"] if result.get("failed") else []
    found = {"main.cf": _settings, "master.cf": _services}
    for name, read in found.items():
        if name in diffs:
            lines += [f"{name}:", *_compared(read(diffs[name]["before"]), read(diffs[name]["after"]))]
        else:
            lines.append(f"{name}: stays as it is")
    others = sorted(set(diffs) - set(found))
    lines += [f"Also written: {', '.join(others)}"] if others else []
    if "main.cf" in diffs:
        old, new = (_settings(diffs["main.cf"][side]) for side in ("before", "after"))
        lines += _kept_by(old, new, variables)
    return lines


def _name(diff: Settings) -> str:
    return diff["before_header"].rpartition("/")[2].removesuffix(" (absent)")


def _settings(text: str) -> Settings:
    return MainCf(text).values()


def _services(text: str) -> Settings:
    return {"/".join(each.key): _service(each) for each in MasterCf(text).services}


def _service(entry: Service) -> str:
    fields = (entry.private, entry.unpriv, entry.chroot, entry.wakeup, entry.maxproc)
    options = (f"-o {name}={value}" for name, value in entry.options)
    return " ".join([*fields, entry.command, *entry.arguments, *options])


def _fate(name: str, old: Settings, new: Settings) -> str:
    if name not in new:
        return "drops"
    if name not in old:
        return "adds"
    return "keeps" if same_words(old[name]) == same_words(new[name]) else "changes"


def _compared(old: Settings, new: Settings) -> Iterator[str]:
    names = dict.fromkeys([*old, *new])
    for fate in _FATES:
        for name in names:
            if _fate(name, old, new) == fate:
                values = [side[name] or "(empty)" for side in (old, new) if name in side]
                shown = values[:1] if fate == "keeps" else values
                yield f"  {fate:<7} {name}: {' -> '.join(' '.join(value.split()) for value in shown)}"


def _kept_by(old: Settings, new: Settings, variables: Settings) -> Iterator[str]:
    """The variables that keep what would be dropped or changed and is no matter of the relay."""
    lost = [
        name
        for name in old
        if _fate(name, old, new) in ("drops", "changes") and not _OF_THE_RELAY.match(name)
    ]
    if not lost:
        return
    yield "To keep what main.cf says now, set:"
    shown = {name: _literal(old[name]) for name in lost if MASK not in old[name]}
    # An empty variable is one that nobody has set.
    own = {variables[name]: text for name, text in shown.items() if text and name in variables}
    others = {name: text for name, text in shown.items() if not text or name not in variables}
    kept = {**own, **({"postfix_parameters": others} if others else {})}
    if kept:
        written = yaml.dump(kept, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)
        yield from (f"  {line}" for line in written.splitlines())
    hidden = [name for name in lost if name not in shown]
    if hidden:
        yield f"  # and, with the password that is not shown here: {', '.join(hidden)}"


class _Literal(str):
    """A text that Ansible would take for a template."""


class _Dumper(yaml.SafeDumper):
    """Writes variables as a file of variables has them."""


_Dumper.add_representer(_Literal, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


def _literal(text: str) -> str:
    return _Literal(text) if re.search(r"\{[{%#]", text) else text
