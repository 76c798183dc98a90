"""A pattern of hosts that must reach somebody. The work is done in plugin_utils/hosts.py."""
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: hosts
short_description: A pattern of hosts for a play, refused where it reaches nobody
version_added: 1.1.0
author: the mailops.smtp authors (@mailops)
description:
  - Returns the pattern that it was given, for C(hosts) of a play.
  - Ansible skips a play that matches no host, and ends with 0. A gate that looked at nothing is then green. Here the
    run ends with an error, and a sentence that says why.
  - Refused are a name that is neither a group nor a host of the inventory, wherever it stands in the pattern, so
    C(mail:mial) and C(mail:!retierd) too; a pattern that matches nobody; an empty pattern; and an inventory without
    hosts.
  - Where a playbook of this collection is named on the command line, C(--limit), C(--tags) and C(--skip-tags) that
    leave nothing to do are refused as well. In a playbook that imports it they may be meant for other plays. Then
    C(--limit) is warned of only.
  - A wildcard or a regular expression that matches nobody is refused only where the whole pattern does.
  - C(--syntax-check), C(--list-hosts), C(--list-tasks) and C(--list-tags) refuse nothing.
options:
  _terms:
    description:
      - The pattern, as C(hosts) of a play takes it. A list is one pattern too.
      - Without it the value of the variable C(smtp_hosts) is taken, and V(all) where that is not set.
    type: raw
  allow_empty:
    description:
      - Whether nobody may be reached, for groups of an inventory that come and go. It is warned of, and a line in the
        form of M(mailops.smtp.route_report) says that there are no hosts. Tags that leave nothing to do are refused all
        the same.
      - The default is the variable C(preflight_allow_empty), if that is given on the command line, else V(false).
    type: bool
    version_added: 1.1.0
"""

EXAMPLES = r"""
- name: Find each mail server's route
  hosts: "{{ lookup('mailops.smtp.hosts', 'mail') }}"
  gather_facts: false
  roles:
    - role: mailops.smtp.preflight
"""

RETURN = r"""
_raw:
  description: The pattern.
  type: list
  elements: str
"""

import os
from typing import Any, Mapping, Sequence

from ansible import context
from ansible.errors import AnsibleLookupError, AnsibleParserError, AnsibleUndefinedVariable
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ..plugin_utils import hosts

_ALLOWED = "preflight_allow_empty"
_COLLECTION = "mailops.smtp."
_PLAYBOOKS = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "playbooks"))
_ONLY_LOOKS = ("syntax", "listhosts", "listtasks", "listtags")


class RefusedError(AnsibleLookupError, AnsibleParserError):  # type: ignore[misc]
    """Ends ansible-playbook with status 4, which on ansible-core 2.18 is that of the second class alone."""


class LookupModule(LookupBase):  # type: ignore[misc]
    """Gives the pattern back, or fails."""

    def run(
        self, terms: Sequence[Any], variables: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[str]:
        known = variables or {}
        name = hosts.VARIABLE if not terms and hosts.VARIABLE in known else ""
        try:
            # A default of Jinja's would also stand in for a variable that this one refers to and nobody defines.
            pattern = self._templar.template(known[name]) if name else _pattern(terms)
        except AnsibleUndefinedVariable as error:
            raise RefusedError(
                f"{name} refers to a variable that is not defined, so nothing was done: {error}"
            ) from None
        if any(context.CLIARGS.get(option) for option in _ONLY_LOOKS):
            return [",".join(pattern) if isinstance(pattern, list) else pattern]
        try:
            parts = hosts.parts_of(pattern, name)
            warning = hosts.check(parts, known.get("groups") or {}, name, _invocation(known))
        except hosts.NobodyError as error:
            if not (isinstance(error, hosts.EmptyError) and self._may_be_empty(known, kwargs)):
                raise RefusedError(str(error)) from None
            warning = f"{error} {_ALLOWED} lets that pass."
            Display().display("preflight: 0 of 0 hosts have a route")
        if warning:
            Display().warning(warning)
        return [",".join(parts)]

    def _may_be_empty(self, known: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
        if "allow_empty" in given:
            return boolean(given["allow_empty"])
        try:
            return boolean(self._templar.template(known.get(_ALLOWED, False)))
        except TypeError:
            raise RefusedError(f"{_ALLOWED} is {known[_ALLOWED]}, and takes true or false.") from None


def _pattern(terms: Sequence[Any]) -> Any:
    if not terms:
        return "all"
    return terms[0] if len(terms) == 1 else list(terms)


def _invocation(variables: Mapping[str, Any]) -> hosts.Invocation:
    named = context.CLIARGS.get("args") or ()
    return hosts.Invocation(
        variables.get("ansible_limit"),
        tuple(variables.get("ansible_run_tags") or ()),
        tuple(variables.get("ansible_skip_tags") or ()),
        any(_is_ours(str(playbook)) for playbook in named),
    )


def _is_ours(playbook: str) -> bool:
    return playbook.startswith(_COLLECTION) or os.path.dirname(os.path.realpath(playbook)) == _PLAYBOOKS
