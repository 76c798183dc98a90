"""The table of routes, and the gate.

The rule of this file: it fetches what the play has found, and gives each host its own result; what fails is decided in
plugin_utils/report/gate.py, and what is shown in terminal.py beside it. Documented in plugins/modules/route_report.py.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any, Callable, Iterable, Mapping, NamedTuple, Sequence

from ansible import constants as C
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..plugin_utils.report import files, gate, model, play, terminal
from ..plugin_utils.report.groups import spot

ARGUMENTS: dict[str, dict[str, Any]] = {
    "registered": {"type": "str"},
    "table": {"type": "bool", "default": True},
    "report": {"type": "list", "elements": "str", "default": []},
    "fail_on": {"type": "raw", "default": "no_route"},
    "baseline": {"type": "str"},
    "max_failed": {"type": "str", "default": "0"},
    "waivers": {"type": "list", "elements": "dict", "default": []},
    "allow_empty": {"type": "bool", "default": False},
    "prefix": {"type": "str", "default": ""},
}
FACT = model.FACT

# What is asked for once for all hosts of the play.
OF_THE_PLAY = ("report", "baseline", "max_failed", "allow_empty")

# How many measured times must agree before two measurements are one.
FIGURES = 5
# What has failed of a host, in the words of the short message beside the table.
TITLES = {
    "route": "Fails the gate",
    "no_route": "No route for mail",
    "failed": "The probe failed",
    "unreachable": "Unreachable, so nothing is known of its route",
}


def copied(host: str, batch: Sequence[str], fact_of: Callable[[str], Mapping[str, Any]]) -> str | None:
    """Another host whose fact is this host's to the tenth of a millisecond: one measurement under two names.

    A measurement that was made once is that of all, so the next host that has one is enough to look at.
    """
    own = fact_of(host)
    if not own.get("helo_name"):
        return None
    figures = [figure for endpoint in own["endpoints"] for figure in endpoint.get("timings_ms", {}).values()]
    if sum(figure is not None for figure in figures) < FIGURES:
        return None
    place = list(batch).index(host)
    for name in (*batch[place + 1 :], *batch[:place]):
        fact = fact_of(name)
        if fact:
            return name if fact == own else None
    return None


def misplaced(task: Any, host: str, batch: Sequence[str]) -> str | None:
    """Why this task cannot be each host's own, where a keyword of the task or of the role takes it elsewhere."""
    if task.run_once and len(batch) > 1:
        return (
            "run_once: true measures the route of one host and gives it to all, but each host has its own way out. "
            "Leave run_once out; the table is shown once all the same."
        )
    if task.delegate_to and task.delegate_to != host:
        return (
            f"delegate_to: {task.delegate_to} measures the route of {task.delegate_to}, which would stand under the "
            f"name of {host}. Leave delegate_to out, and give hosts: {task.delegate_to} where its route is meant."
        )
    return None


def in_step(task: Any) -> bool:
    """Whether the hosts of the play wait for each other at each task, as its strategy has it."""
    return play.in_step(str(task.get_play().strategy or C.DEFAULT_STRATEGY))


class Found(NamedTuple):
    """What the play has found so far."""

    results: Mapping[str, Mapping[str, Any]]
    """Of the hosts that the report is about, in the order of the play; empty for one that was lost."""
    shown: Sequence[str]
    """Those that no earlier table has: this batch, and who was lost."""
    skipped: int
    to_come: int


class ActionModule(ActionBase):
    """Shows the table once, and gives each host its own result."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        _validation, arguments = self.validate_argument_spec(ARGUMENTS)
        result: dict[str, Any] = {**super().run(tmp, task_vars), "changed": False}
        self._variables = task_vars or {}
        self._host, self._batch = self._variables["inventory_hostname"], self._variables["ansible_play_batch"]
        self._registered = arguments["registered"]
        self._now = datetime.now(timezone.utc)
        refusal = misplaced(self._task, self._host, self._batch) or self._copied()
        if refusal:
            return {**result, "failed": True, "msg": refusal}
        try:
            rules = gate.rules(arguments, arguments["prefix"])
            self._report = self._files(arguments)
            baseline, missing = self._baseline(arguments)
        except (gate.Wrong, files.ReportError) as wrong:
            raise AnsibleActionFail(model.sentence(str(wrong))) from None
        # Whose the results of the others are is not known to a host to which they may be delegated.
        self._delegated = bool(self._task.delegate_to) and len(self._batch) > 1
        together = in_step(self._task) and not self._delegated
        if rules.limit.number and not in_step(self._task):
            raise AnsibleActionFail(
                f"{rules.prefix}max_failed counts the hosts that fail, and with strategy "
                f"{self._task.get_play().strategy} each is judged before the others are there. Leave it out, or use "
                "the strategy linear."
            )
        self._prefix = arguments["prefix"]
        if together and self._is_first():
            refusal = play.differing(self._checked, [f"{self._prefix}{name}" for name in OF_THE_PLAY])
            if refusal:
                raise AnsibleActionFail(refusal)
        judged = self._show(rules, baseline, together, arguments["table"])
        if judged:
            result["line"] = judged.line
            result.update({"report": [str(path) for path in self._report]} if self._report else {})
            warnings = [missing] if missing else []
            warnings += [] if arguments["table"] else judged.notes
            result.update({"warnings": warnings} if warnings else {})
        return {**result, **self._outcome(rules, baseline, arguments["table"] and self._in_table(together))}

    # What is judged

    def _files(self, arguments: Mapping[str, Any]) -> list[Path]:
        """The files of the report. Raises ReportError where there can be none."""
        name = f"{arguments['prefix']}report"
        found = files.paths(arguments["report"], name)
        refusal = play.refusal(str(self._task.get_play().strategy or C.DEFAULT_STRATEGY), name)
        if found and refusal:
            raise files.ReportError(refusal)
        before = arguments["baseline"] and (Path.cwd() / Path(arguments["baseline"]).expanduser()).resolve()
        if before and before in [path.resolve() for path in found]:
            raise files.ReportError(
                f"{name} and {arguments['prefix']}baseline are one file, {before}, so hosts would be compared "
                "with what was just found. Write the report to another file, and make that the baseline when it is "
                "good."
            )
        return found

    def _baseline(self, arguments: Mapping[str, Any]) -> tuple[model.Document | None, str]:
        """The earlier report. One that is not there lets nothing pass, so a first run needs none."""
        asked = arguments["baseline"]
        if not asked:
            return None, ""
        name = f"{arguments['prefix']}baseline"
        # Ansible's own rule (beside the playbook) would lead into the installed collection for a playbook of it.
        path = Path.cwd() / Path(asked).expanduser()
        try:
            text = path.read_text("utf-8", "replace")
        except FileNotFoundError:
            return (
                None,
                f"{name}: {path} is not there, so nothing is known from before and all that fails, fails.",
            )
        except OSError as error:
            raise gate.Wrong(f"{name}: {path} cannot be read: {error.strerror}") from None
        return gate.read_baseline(text, "preflight", f"{name}: {path}"), ""

    def _result(self, name: str) -> Mapping[str, Any]:
        """What this run has found. A fact alone may be an older run's, kept by a fact cache."""
        hostvars = self._variables["hostvars"][name]
        if self._registered:
            return hostvars.get(self._registered) or {}
        fact = hostvars.get("ansible_facts", {}).get(FACT)
        return {"ansible_facts": {FACT: fact}} if fact else {}

    def _found(self) -> Found:
        alive, results, shown, to_come = set(self._variables["ansible_play_hosts"]), {}, [], 0
        for name in self._variables["ansible_play_hosts_all"]:
            one, in_batch = self._result(name), name in self._batch
            # Where hosts do not wait for each other, the batch is the whole play.
            here = name == self._host or (in_batch and in_step(self._task))
            if one or here or name not in alive:
                results[name] = one
                lost = name not in alive and FACT not in (one.get("ansible_facts") or {})
                shown += [name] if in_batch or lost else []
            else:
                to_come += 1
        skipped = [name for name, one in results.items() if one.get("skipped")]
        # Where all were skipped, that is what there is to tell.
        if len(skipped) == len(results):
            skipped = []
        kept = {name: one for name, one in results.items() if name not in skipped}
        return Found(kept, [name for name in shown if name in kept], len(skipped), to_come)

    def _judge(self, rules: gate.Rules, baseline: model.Document | None, found: Found) -> Any:
        document = model.preflight(found.results, self._now)
        inventory = (self._variables.get("groups") or {}).get("all") or ()
        judged = gate.judge(
            document,
            rules,
            self._now.date(),
            baseline,
            own=self._own_rules(rules, found.results),
            inventory=inventory,
            to_come=found.to_come,
            skipped=found.skipped,
        )
        return document, judged

    @cached_property
    def _checked(self) -> Mapping[str, Mapping[str, Any]]:
        """The variables of each host, where a role has checked them."""
        return play.checked(self._variables, f"{self._prefix}_v") if self._prefix else {}

    def _own_rules(self, rules: gate.Rules, names: Iterable[str]) -> dict[str, gate.Rules]:
        """The rules of each host whose variables the role has checked: groups may ask for more than others."""
        parsed: dict[str, gate.Rules] = {}
        found = {}
        for name in names:
            checked = self._checked.get(name, {})
            given = {key: checked.get(f"{self._prefix}{key}") for key in ("fail_on", "waivers")}
            if f"{self._prefix}fail_on" in checked:
                key = repr(given)
                if key not in parsed:
                    own = gate.rules(given, self._prefix)
                    parsed[key] = own._replace(limit=rules.limit, allow_empty=rules.allow_empty)
                found[name] = parsed[key]
        return found

    def _fact(self, name: str) -> Mapping[str, Any]:
        return self._result(name).get("ansible_facts", {}).get(FACT) or {}

    def _own(self) -> model.Host:
        one = self._result(self._host)
        host = model.routed_host(self._host, one)
        if not one:
            said = f"No fact {FACT}: run mailops.smtp.smtp_route_facts before this task."
            host["reasons"] = [said]
        return host

    def _copied(self) -> str | None:
        other = copied(self._host, self._batch, self._fact)
        if not other:
            return None
        return (
            f"{self._host} and {other} have one and the same measurement, so it is not known whose it is: let the task "
            "with mailops.smtp.smtp_route_facts run on each host, without run_once and delegate_to."
        )

    # What is told

    def _is_first(self) -> bool:
        """Whether this host shows the table: the first one that has anything to show."""
        with_result = (
            name for name in self._batch if self._result(name) and not self._result(name).get("skipped")
        )
        return self._host == next(with_result, self._batch[0])

    def _in_table(self, together: bool) -> bool:
        """Whether the row of this host has been shown, and surely whole."""
        return len(self._batch) <= terminal.MANY_HOSTS and (together or FACT in self._facts())

    def _show(
        self, rules: gate.Rules, baseline: model.Document | None, together: bool, table: bool
    ) -> gate.Gate | None:
        """One table for all hosts of the batch; where they do not wait for each other, one for each, and the judgement
        when all are there."""
        if together and not self._is_first():
            return None
        found = self._found()
        whole = together or not (found.to_come or self._delegated)
        if not together:
            found = found._replace(shown=[self._host] if FACT in self._facts() else [])
        document, judged = self._judge(rules, baseline, found)
        if table:
            self._print(document, judged, found, whole)
        for path in self._report if whole else ():
            self._write({**document, "gate": judged.as_dict()}, path, f"{rules.prefix}report")
        return judged if whole else None

    @staticmethod
    def _write(document: model.Document, path: Path, name: str) -> None:
        try:
            files.write(document, path, name)
        except files.ReportError as error:
            raise AnsibleActionFail(str(error)) from None

    def _facts(self) -> Mapping[str, Any]:
        return self._result(self._host).get("ansible_facts") or {}

    def _print(self, document: model.Document, judged: gate.Gate, found: Found, whole: bool) -> None:
        display = Display()
        text = terminal.render(
            document,
            judged,
            shown=found.shown,
            width=terminal.width_of(os.environ, display.columns),
            height=terminal.height_of(os.environ),
            files=[str(path) for path in self._report],
            end=whole,
        )
        if text:
            # A log file has no colours.
            display.display(text, screen_only=True)
            display.display(terminal.plain(text), log_only=True)

    def _outcome(self, rules: gate.Rules, baseline: model.Document | None, in_table: bool) -> dict[str, Any]:
        host = self._own()
        earlier = {one["name"]: one for one in baseline["hosts"]} if baseline else None
        findings = gate.of_host(host, rules, self._now.date(), earlier)
        failing = [one for one in findings if one.fails]
        if failing and rules.limit.number:
            judged = self._judge(rules, baseline, self._found())[1]
            if judged.passed:
                said = " ".join(one.message for one in failing)
                return {"msg": f"{said} {rules.prefix}max_failed lets it pass."}
        if failing:
            return self._failure(host, failing, in_table)
        return {"msg": " ".join([_said(host), *(_let_pass(one) for one in findings)])}

    def _failure(self, host: model.Host, failing: Sequence[gate.Finding], in_table: bool) -> dict[str, Any]:
        """The failure of this host. What the table has said is not said again."""
        said = " ".join(one.message for one in failing)
        own = [f"{one['port']} {one['verdict']}" for one in host["endpoints"] if not one["server"]]
        missed = [
            f"{spot(one)} {one['verdict']}"
            for one in host["endpoints"]
            if one["server"] and not one["usable"]
        ]
        parts = [f"{TITLES[host['state']]}: {', '.join(own)}"] if own else []
        parts += [f"Not reached: {', '.join(missed)}"] if missed else []
        if in_table and parts:
            # What the verdicts do not say.
            parts += [
                one.message.rstrip(".") for one in failing if one.rule in (gate.CERTIFICATE, gate.POLICY)
            ]
            said = f"{'. '.join(parts)}. The table has the reason, and what to do."
        # Ansible's own end for it, but where the play has it go on.
        unreachable = host["state"] == "unreachable" and not self._task.ignore_unreachable
        return {"unreachable" if unreachable else "failed": True, "msg": said}


def _said(host: model.Host) -> str:
    if host["state"] != "route":
        return " ".join(host["reasons"])
    said = "; ".join(terminal.reasons(host))
    route = host["route"]
    return f"{route['port']} on {route['host']} ({route['tls']}): {said}" if route["host"] else said


def _let_pass(finding: gate.Finding) -> str:
    return f"Waived: {finding.waived}." if finding.waived else "The baseline has it too."
