"""Checks a role's variables: fetches them one by one, so that one that cannot be had is known by its name.

The rule of this file: what a value means is decided in plugin_utils/variables.py. Documented in
plugins/modules/variables.py.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Iterator, Mapping

import yaml
from ansible import constants as C
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

from ..module_utils._base.words import listed

# For the filters: Ansible reads this file before it forks, and theirs anew for each task of each host.
from ..plugin_utils import (  # noqa: F401  # pylint: disable=unused-import
    adoption,
    logins,
    mesh,
    submission,
    variables,
    ways,
)
from ..plugin_utils.report import model, play

ARGUMENTS: dict[str, dict[str, Any]] = {"role": {"type": "str", "required": True}}
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
ROLES = Path(__file__).resolve().parents[2] / "roles"


class ActionModule(ActionBase):
    """Gives the typed variables of a role, or every complaint about them at once."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        _validation, arguments = self.validate_argument_spec(ARGUMENTS)
        result: dict[str, Any] = super().run(tmp, task_vars)
        role = str(arguments["role"])
        specs = {path.name: specification(path.name) for path in sorted(ROLES.iterdir())}
        if role not in specs:
            raise AnsibleActionFail(f"role: {role!r} is not a role of mailops.smtp; it has {listed(specs)}.")
        found = self._check(role, specs, task_vars or {})
        misses = self._near_misses(role, specs, task_vars or {})
        if misses:
            result["warnings"] = [variables.pointed_out(miss) for miss in misses]
        complaints = found.complaints + variables.needs(role, found.values, found.complaints, misses)
        if found.values.get("postfix_relays") and self._is_set(
            "preflight", "preflight_relays", task_vars or {}
        ):
            complaints.append(
                "preflight_relays is set beside postfix_relays, so other relays would be probed than those that "
                "Postfix is given; leave preflight_relays out"
            )
        complaints += self._reports(role, found.values)
        others, wrong = self._mesh(specs, found, task_vars or {})
        complaints += wrong
        if complaints:
            return {**result, "failed": True, "msg": "\n".join(map(model.sentence, complaints))}
        typed = variables.public(self._known(specs), found.values)
        result["generic"] = variables.generic(found.values)
        result["relays"] = variables.relays(found.values)
        if role == "preflight":
            result["mesh"] = others
            if found.values.get(mesh.NAME) and not others:
                me = str((task_vars or {})["inventory_hostname"])
                nobody = f"{mesh.NAME} has {me} ask nobody: it names no other host whose ports are known"
                result["warnings"] = [*result.get("warnings", ()), nobody]
        elif role == "postfix":
            result["route"] = variables.route(found.values)
            result["logins"] = variables.same_logins(found.values)
        elif role == "verify":
            typed.update(variables.expected_relay(found.values))
            result["expected"] = variables.expected_relays(found.values)
        return {**result, "changed": False, **typed}

    def _reports(self, role: str, values: Mapping[str, Any]) -> list[str]:
        """What keeps the play from making the reports that the role is asked for, told before anything is done."""
        name = f"{role}_report"
        if not values.get(name):
            return []
        refusal = play.refusal(str(self._task.get_play().strategy or C.DEFAULT_STRATEGY), name)
        return [refusal.rstrip(".")] if refusal else []

    def _mesh(
        self, specs: Mapping[str, variables.Spec], found: variables.Checked, task_vars: Mapping[str, Any]
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """The listeners of other hosts that preflight is to probe, and what is wrong with them."""
        asked, excluded = (found.values.get(f"preflight_{name}") for name in ("mesh", "exclude_ports"))
        if not asked:
            return [], []
        spec = {name: option for name, option in self._known(specs).items() if name in mesh.OF_A_SERVER}

        def server_of(name: str) -> dict[str, Any]:
            given = {one: self._of_host(name, one, task_vars) for one in (*spec, "ansible_host")}
            checked = variables.check({**spec, "ansible_host": {"type": "str"}}, given, {})
            if checked.complaints:
                raise variables.Wrong(*(f"{mesh.NAME}: on {name}, {one}" for one in checked.complaints))
            return checked.values

        groups, me = task_vars.get("groups") or {}, str(task_vars["inventory_hostname"])
        try:
            return mesh.listeners(asked, me, groups, server_of, excluded or ()), []
        except variables.Wrong as wrong:
            return [], list(dict.fromkeys(wrong.args))

    @staticmethod
    def _of_host(host: str, name: str, task_vars: Mapping[str, Any]) -> Any:
        try:
            return plain(task_vars["hostvars"][host].get(name))
        except AnsibleError as error:
            return variables.Undefined(variables.explain(name, str(error), False))

    def _check(
        self, role: str, specs: Mapping[str, variables.Spec], task_vars: Mapping[str, Any]
    ) -> variables.Checked:
        """First what the role's defaults refer to, so that they are made of typed values; then the role's own."""
        borrowed = self._borrowed(role, specs, task_vars)
        first = self._typed(borrowed, task_vars)
        ready = {
            **task_vars,
            **first.values,
            f"{role}__v": {
                **variables.public(borrowed, first.values),
                "relays": variables.relays(first.values),
            },
        }
        told = self._inherited(role, specs[role], first.wrong, task_vars)
        own = self._typed({name: specs[role][name] for name in specs[role] if name not in told}, ready)
        return variables.Checked(
            {**first.values, **own.values}, first.complaints + own.complaints, first.wrong | own.wrong
        )

    def _inherited(
        self, role: str, spec: variables.Spec, wrong: frozenset[str], task_vars: Mapping[str, Any]
    ) -> set[str]:
        """The variables that nobody has set and that get their value from one that is wrong: it is told of once."""
        defaults = self._defaults(role)
        sources = {**self._loaded(ROLES / role / "vars" / "main.yml"), **defaults}
        return {
            name
            for name in spec
            if wrong and name in defaults and task_vars.get(name) == defaults[name]
            if wrong & referred(name, sources)
        }

    def _is_set(self, role: str, name: str, task_vars: Mapping[str, Any]) -> bool:
        """Whether somebody has given a variable a value of his own."""
        return task_vars.get(name) not in (None, "", [], self._defaults(role)[name])

    def _typed(self, spec: variables.Spec, task_vars: Mapping[str, Any]) -> variables.Checked:
        templar = self._templar.copy_with_new_env(available_variables=task_vars)
        given = {name: self._value(templar, name, option, task_vars) for name, option in spec.items()}
        defaults: dict[str, Any] = {}
        for top in sorted({name.partition("_")[0] for name in spec}):
            own = {name: value for name, value in self._defaults(top).items() if name in spec}
            defaults.update({name: self._value(templar, name, spec[name], own) for name in own})
        return variables.check(spec, given, defaults)

    def _value(self, templar: Any, name: str, option: variables.Option, source: Mapping[str, Any]) -> Any:
        if name not in source:
            return None
        try:
            return plain(templar.template(source[name]))
        except AnsibleError as error:
            return variables.Undefined(variables.explain(name, str(error), variables.holds_secrets(option)))

    def _borrowed(
        self, role: str, specs: Mapping[str, variables.Spec], task_vars: Mapping[str, Any]
    ) -> variables.Spec:
        """The variables of other roles that are set, and that this role refers to or that contradict those."""
        text = "".join((ROLES / role / part / "main.yml").read_text("utf-8") for part in ("defaults", "vars"))
        words = {*re.findall(r"\w+", text), "postfix_direct"}
        known = {name: option for other in specs if other != role for name, option in specs[other].items()}
        return {name: option for name, option in known.items() if name in words and name in task_vars}

    def _near_misses(
        self, role: str, specs: Mapping[str, variables.Spec], task_vars: Mapping[str, Any]
    ) -> list[variables.NearMiss]:
        others = {name for one in self._other_roles() for name in one.get_default_vars()}
        names = [name for name in task_vars if name not in others and not is_result(task_vars[name])]
        known = list(self._known(specs))
        return variables.near_misses(names, known, variables.prefixes(role))

    def _other_roles(self) -> Iterator[Any]:
        play = self._task.play if hasattr(self._task, "play") else None
        for one in getattr(play, "roles", ()):
            if not one.get_name().startswith("mailops.smtp."):
                yield one

    @staticmethod
    def _known(specs: Mapping[str, variables.Spec]) -> dict[str, variables.Option]:
        return {name: option for spec in specs.values() for name, option in spec.items()}

    def _defaults(self, role: str) -> Mapping[str, Any]:
        """The role's defaults, as templates that Ansible trusts."""
        return self._loaded(ROLES / role / "defaults" / "main.yml")

    def _loaded(self, path: Path) -> Mapping[str, Any]:
        # What is only read need not be copied, which takes longer than all the rest of the check; to Ansible, that is
        # unsafe.
        try:
            loaded: Mapping[str, Any] = self._loader.load_from_file(
                str(path), unsafe=True, trusted_as_template=True
            )
        except TypeError:  # ansible-core 2.18 knows of no trust, and templates what it has loaded
            loaded = self._loader.load_from_file(str(path), unsafe=True)
        return loaded or {}


@cache
def specification(role: str) -> variables.Spec:
    """The role's variables as its argument_specs.yml has them. No template in it is ever used."""
    text = (ROLES / role / "meta" / "argument_specs.yml").read_text("utf-8")
    spec: variables.Spec = yaml.load(text, LOADER)["argument_specs"]["main"]["options"]  # noqa: S506 - a safe one
    return spec


def plain(value: Any) -> Any:
    """`value` as the built-in types: Ansible's own carry tags, or are computed when they are read."""
    if isinstance(value, Mapping):
        return {plain(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one) for one in value]
    for kind in (bool, int, float):
        if isinstance(value, kind):
            return kind(value)
    return value if value is None else str(value)


def referred(name: str, sources: Mapping[str, Any]) -> set[str]:
    """The words in the template of a variable, and in those of the variables that it names."""
    found: set[str] = set()
    open_names = [name]
    while open_names:
        words = set(re.findall(r"\w+", str(sources.get(open_names.pop(), "")))) - found
        found |= words
        open_names += words & set(sources)
    return found


def is_result(value: Any) -> bool:
    """Whether a variable is the registered result of a task."""
    return isinstance(value, Mapping) and "changed" in value and ("failed" in value or "skipped" in value)
