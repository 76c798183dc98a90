"""The reports of what tasks have registered on the hosts of a play.

The rule of this file: it fetches results and gives each host its own; what a report holds is decided in
plugin_utils/report/model.py, and what its files look like beside it. Documented in plugins/modules/smtp_report.py.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Mapping, Sequence

from ansible import constants as C
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils.report import files, model, play

ARGUMENTS: dict[str, dict[str, Any]] = {
    "registered": {"type": "str", "required": True},
    "report": {"type": "list", "elements": "str", "default": []},
    "kind": {"type": "str", "choices": list(model.STATES)},
    "fail": {"type": "bool", "default": True},
    "name": {"type": "str", "default": "report"},
}


class ActionModule(ActionBase):
    """Writes the reports once, and gives each host what its task has registered."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        _validation, arguments = self.validate_argument_spec(ARGUMENTS)
        result: dict[str, Any] = {**super().run(tmp, task_vars), "changed": False}
        variables = task_vars or {}
        host = variables["inventory_hostname"]
        registered = arguments["registered"]
        refusal = self._refusal(host, variables, arguments)
        if refusal:
            return {**result, "failed": True, "msg": refusal}
        own = variables["hostvars"][host].get(registered) or {}
        kind = model.kind_of(own)
        if kind and arguments["kind"] and kind != arguments["kind"]:
            said = (
                f"kind: {registered} is a result for {kind}, and not for {arguments['kind']}. Leave kind out."
            )
            return {**result, "failed": True, "msg": said}
        try:
            paths = files.paths(arguments["report"], arguments["name"])
            if play.writer(variables, registered) == host:
                result.update(self._write(paths, variables, arguments))
        except files.ReportError as error:
            raise AnsibleActionFail(str(error)) from None
        return {**result, **outcome(own, arguments["kind"], arguments["fail"], self._task.ignore_unreachable)}

    @staticmethod
    def _write(
        paths: Sequence[Path], variables: Mapping[str, Any], arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Raises ReportError, also where a role's variable names other files on another host."""
        role, _report, _rest = arguments["name"].rpartition("_report")
        refusal = play.differing(play.checked(variables, f"{role}__v"), [arguments["name"]]) if role else ""
        if refusal:
            raise files.ReportError(refusal)
        if not paths:
            return {}
        found = play.results(variables, arguments["registered"])
        kind = arguments["kind"] or next(filter(None, map(model.kind_of, found.values())), "preflight")
        document = model.document(kind, found, datetime.now(timezone.utc))
        for path in paths:
            files.write(document, path, arguments["name"])
        return {"report": [str(path) for path in paths]}

    def _refusal(self, host: str, variables: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
        name, registered = arguments["name"], arguments["registered"]
        task = self._task
        if task.run_once and len(variables["ansible_play_batch"]) > 1:
            return "run_once: true would give the result of one host to all. Leave it out; the files are written once."
        if task.delegate_to and task.delegate_to != host:
            return (
                f"delegate_to: {task.delegate_to} is of no use here: nothing is done on a host. Leave it out."
            )
        if not registered.isidentifier():
            return (
                "registered: it takes the name under which a task has registered its result, and not the result. Write "
                "the name alone."
            )
        known = variables["hostvars"][host].get(registered)
        if known is None:
            return f"registered: no task has registered {registered} on this host. Correct the name."
        if not isinstance(known, Mapping) or "results" in known:
            return (
                f"registered: {registered} is not the result of one task, as a loop registers several. Give all that "
                "is to be looked at to one task: endpoints of smtp_probe is a list."
            )
        strategy = str(task.get_play().strategy or C.DEFAULT_STRATEGY)
        return play.refusal(strategy, name) if arguments["report"] else ""


def outcome(own: Mapping[str, Any], kind: str | None, fail: bool, ignored: bool) -> dict[str, Any]:
    """This host's own result: what its task has found, as that one would have ended."""
    kind = kind or model.kind_of(own) or "preflight"
    found = model.host_of(kind, "", own)
    said = " ".join(model.sentences(own.get("msg")) or found["reasons"])
    if found["state"] in model.GOOD or not fail:
        return {"state": found["state"], "msg": said}
    # Ansible's own end for it, but where the play has it go on.
    unreachable = found["state"] == "unreachable" and not ignored
    return {"state": found["state"], "unreachable" if unreachable else "failed": True, "msg": said}
