"""The controller's side of mailops.smtp.testinfra.

Lends the task's connection and become to a testinfra suite, and turns what the suite found into the result of the task.

The rule of this file: it never opens a connection of its own, so whatever reaches the host in this play (SSH with jump
hosts, local, containers, become) is what the tests use.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.mailops.smtp.plugins.plugin_utils import suite

ARGUMENTS: dict[str, dict[str, Any]] = {
    "path": {"type": "path"},
    "expect": {"type": "dict", "default": {}},
    "select": {"type": "list", "elements": "str", "default": []},
    "skip": {"type": "list", "elements": "str", "default": []},
    "junit": {"type": "str"},
    "timeout": {"type": "int", "default": 300},
}
OWN_SUITE = Path(__file__).resolve().parents[2] / "roles" / "verify" / "files" / "suite"

# An unprivileged SSH session has no sbin on its PATH, and a test compares messages, not translations of them.
ENVIRONMENT = 'LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"'

OUTPUT_BEGINS = "MAILOPS-OUTPUT-BEGINS"


class ActionModule(ActionBase):
    """Run a testinfra suite against the task's host through the task's connection."""

    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            return self._run(tmp, task_vars)
        except AnsibleActionFail as failure:
            # What is raised takes no heed of failed_when, and the host would be lost to a report.
            return {"changed": False, "failed": True, "msg": str(failure)}

    def _run(self, tmp: Any, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        self._variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, self._variables)
        _validation, arguments = self.validate_argument_spec(ARGUMENTS)
        if suite.IMPORT_PROBLEM:
            raise AnsibleActionFail(
                f"pytest-testinfra is missing on the controller ({suite.IMPORT_PROBLEM}). Install it for the "
                f"Python that runs Ansible: '{sys.executable} -m pip install pytest-testinfra', or, where "
                "Ansible came with pipx, 'pipx inject ansible-core pytest-testinfra'."
            )
        host = str(self._variables.get("inventory_hostname", "localhost"))
        self._refuse_other_hosts(host)
        path = self._suite_path(arguments["path"])
        report = self._report_path(arguments["junit"], host)
        for word in [*arguments["select"], *arguments["skip"]]:
            if not re.fullmatch(r"[\w.:+\[\]-]+", word) or word in ("and", "or", "not"):
                raise AnsibleActionFail(
                    f"select and skip take plain words that occur in test names; {word!r} cannot be one."
                )

        self._try_to_run_a_command(host)
        backend = suite.Backend(host, self._remote_command, self._remote_module, arguments["timeout"])
        outcome = suite.run(
            path,
            backend,
            arguments["expect"],
            select=arguments["select"],
            skip=arguments["skip"],
            read_only=self._task.check_mode,
        )
        if report:
            try:
                report.parent.mkdir(parents=True, exist_ok=True)
                report.write_bytes(suite.junit(outcome, host))
            except OSError as error:
                raise AnsibleActionFail(
                    f"the results cannot be written to {report} (junit): {error.strerror}."
                ) from None
            result["junit"] = str(report)
        result.update(outcome_as_result(outcome, str(path), self._task.check_mode))
        if not result.get("failed"):
            self._display.display(proof(host, result))
        elif report:
            result["msg"] += f" The results are in {report}."
        return result

    def _refuse_other_hosts(self, host: str) -> None:
        """The result of a task stands under the host's name, so it must be of that host, and of no other."""
        other = self._task.delegate_to
        if other and other != host:
            raise AnsibleActionFail(
                f"delegate_to is {other}, so {other} would be tested and the result would stand under the name of "
                f"{host}. Take delegate_to away, and give {other} a play of its own."
            )
        hosts = self._variables.get("ansible_play_hosts_all", ())
        if self._task.run_once and len(hosts) > 1:
            raise AnsibleActionFail(
                f"run_once is set, so {host} alone would be tested and its result would count for all "
                f"{len(hosts)} hosts of the play. Take run_once away, or limit the play to one host."
            )

    def _try_to_run_a_command(self, host: str) -> None:
        """Whether the host runs commands at all as the task asks; else every test would say that it does not."""
        code, stdout, stderr = self._remote_command("echo $((6 * 7))")
        if code == 0 and stdout.strip() == "42":
            return
        said = suite.last_words(f"{stdout}\n{stderr}").rstrip(".")
        said = said or f"it ended with status {code} and said nothing"
        become = self._connection.become
        if become:
            raise AnsibleActionFail(
                f"no command can be run on {host} by {become.name.rpartition('.')[2]} (become_method): {said}. Install "
                "it there and allow it for the user that Ansible logs in as, log in as root without become, or set "
                "another become_method."
            )
        raise AnsibleActionFail(
            f"no command can be run on {host}: {said}. The tests need a POSIX shell there: look at "
            "ansible_shell_executable and at the user's login shell."
        )

    def _suite_path(self, asked: str | None) -> Path:
        path = Path(self._loader.path_dwim(asked)) if asked else OWN_SUITE
        if not path.exists():
            raise AnsibleActionFail(f"there is no testinfra suite at {path} on the controller. Correct path.")
        return path

    def _report_path(self, asked: str | None, host: str) -> Path | None:
        if not asked:
            return None
        name = re.sub(r"[^\w.-]", "_", host)
        # Ansible's own rule (beside the playbook) would lead into the installed collection for a playbook of it.
        here = Path.cwd()
        if "{host}" in asked:
            return here / Path(asked.replace("{host}", name)).expanduser()
        path = here / Path(asked).expanduser()
        if path.is_dir() or path.suffix != ".xml":
            return path / f"{name}.xml"
        if len(self._variables.get("ansible_play_hosts_all", ())) > 1:
            raise AnsibleActionFail(
                f"junit is {asked}, one file for several hosts, which would overwrite each other's results. "
                "Name a directory, or put {host} into the file name."
            )
        return path

    def _remote_command(self, command: str) -> tuple[int, str, str]:
        environment = f"{self._compute_environment_string()} {ENVIRONMENT}".lstrip()
        command = f"{environment} /bin/sh -c {shlex.quote(command)} </dev/null"
        become = self._connection.become
        # ansible-core 2.18 knows only of su that it cannot take input.
        takes_input = not become or getattr(become, "pipelining", not become.name.endswith("su"))
        if self._connection.has_pipelining and takes_input:
            # Input for the connection keeps the ssh plugin from asking for a terminal.
            answer = self._low_level_execute_command(command, in_data=b"\n")
            return answer["rc"], answer["stdout"], answer["stderr"]
        # A terminal mixes the two outputs and ends lines in CR LF, and what su says comes first.
        answer = self._low_level_execute_command(f"echo {OUTPUT_BEGINS}; {command}")
        before, mark, stdout = answer["stdout"].replace("\r\n", "\n").partition(f"{OUTPUT_BEGINS}\n")
        # Without the mark the command was not run, and what was said tells why.
        return answer["rc"], stdout if mark else before, answer["stderr"].replace("\r\n", "\n")

    def _remote_module(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = self._execute_module(
            module_name=name, module_args=arguments, task_vars=self._variables
        )
        return result


def outcome_as_result(outcome: suite.Outcome, path: str, check_mode: bool) -> dict[str, Any]:
    """The outcome of a run as the keys of a task result."""
    passed, failed, skipped = (outcome.of(name) for name in ("passed", "failed", "skipped"))
    result: dict[str, Any] = {
        "changed": False,
        "passed": False,
        "counts": {"passed": len(passed), "failed": len(failed), "skipped": len(skipped)},
        "tests": {
            "passed": [case.name for case in passed],
            "failed": [{"test": case.name, "reason": case.reason} for case in failed],
            "skipped": [{"test": case.name, "reason": case.reason} for case in skipped],
        },
        "evidence": {name: value for case in outcome.cases for name, value in case.properties.items()},
        "duration_s": outcome.seconds,
    }
    if outcome.problem:
        return {
            **result,
            "failed": True,
            "msg": f"pytest could not run the suite at {path}: {outcome.problem}",
        }
    if failed:
        head = f"{len(failed)} of {len(failed) + len(passed)} tests failed"
        return {**result, "failed": True, "msg": f"{head}. {' '.join(_by_reason(failed))}"}
    if passed or (check_mode and skipped):
        without = f", {len(skipped)} skipped" if skipped else ""
        return {
            **result,
            "passed": True,
            "msg": f"{len(passed)} tests passed{without}, in {outcome.seconds:g} s",
        }
    why = (
        "; ".join(_by_reason(skipped))
        if skipped
        else "no test of that name is there. Look at path, select and skip."
    )
    return {**result, "failed": True, "msg": f"nothing was tested with the suite at {path}: {why}"}


def proof(host: str, result: dict[str, Any]) -> str:
    """One line for the screen: what was proved on this host. A failure speaks through its message."""
    evidence = result["evidence"]
    line = f"{host}: {result['msg']}"
    if "relay_reply" in evidence:
        line += f"; {evidence.get('relay', 'the relay')} took the message: {evidence['relay_reply']}"
    if result.get("junit"):
        line += f"; the results are in {result['junit']}"
    return line


def _by_reason(cases: list[suite.Case]) -> list[str]:
    """One text per reason: a cause that fails twenty tests is told once."""
    names: dict[str, list[str]] = {}
    for case in cases:
        names.setdefault(case.reason, []).append(case.name)
    return [
        f"[{', '.join(found[:3])}{f' and {len(found) - 3} more' if len(found) > 3 else ''}] {reason}"
        for reason, found in names.items()
    ]
