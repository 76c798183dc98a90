"""Whether a change may be made: what it would take from the host, and what the checks find in it."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Callable, Iterable, Sequence

from ..checks.finding import Finding
from ..files import main_cf, master_cf
from . import losses
from .outcome import DeployError, Outcome
from .plan import (
    Plan,
    read_file,
)
from .request import BlockWish, Request


def ask_for_losses(plan: Plan, request: Request, outcome: Outcome) -> None:
    """List what the change takes from the host. Raises DeployError for what nobody asked for."""
    if request.block is None or request.block.fresh or not plan.changes:
        return
    old_master = master_cf.MasterCf(read_file(request.config_directory, "master.cf"))
    old, new = plan.old_main.values(), plan.main.values()
    base = {**plan.defaults, "config_directory": request.config_directory}
    found = losses.losses(
        losses.Side(old, {**base, **old}, old_master.services),
        losses.Side(new, {**base, **new}, plan.master.services),
        plan.made.ours,
        values=not plan.made.stock or request.block.replace,
    )
    outcome.takes = [loss.sentence for loss in found]
    refused = [loss for loss in found if not loss.names & plan.made.named]
    if refused and not plan.made.stock:
        names = sorted({name for loss in refused for name in loss.names})
        raise DeployError(
            "This change takes from the host what nobody named, so nothing was changed:\n"
            + "".join(f"  {loss.sentence}\n" for loss in refused)
            + f"If that is what you want, name it: {', '.join(names)} in postfix_parameters or postfix_services "
            "(parameters or services of postfix_config), or set postfix_replace: true (block: replace).",
            missing=outcome.missing,
            takes=outcome.takes,
            diff=outcome.diff,
        )
    if found:
        outcome.warnings.append("this change takes from the host: " + "; ".join(outcome.takes))


def check(stage: str, live: str, *arguments: Any, **more: Any) -> list[Finding]:
    from ..checks import registry  # half of this package, and of no use where nothing changes

    return registry.check(stage, live, *arguments, **more)


def judge(
    findings: Sequence[Finding],
    outcome: Outcome,
    plan: Plan,
    request: Request,
    former: Callable[[], Iterable[Finding]],
) -> None:
    """Mistakes are refused; opinions are warnings, and so are mistakes of before that are not in the way of mail.

    On the way back, nothing is refused that was in force once: where Postfix does not serve with it, that is undone.
    """
    findings = heeded(findings, outcome, request)
    errors = [finding for finding in findings if finding.certain]
    old: list[Finding] = []
    if request.restore:
        old = errors
    elif any(finding.whole.aside for finding in errors):
        known = {finding.whole._replace(line=0) for finding in former()}
        old = [
            finding
            for finding in errors
            if finding.whole.aside
            and not finding.whole.named & plan.made.named
            and finding.whole._replace(line=0) in known
        ]
    outcome.findings = [*findings, *outcome.findings]
    outcome.warnings += [f"{_named(finding, str(finding))} (it was so before this change)" for finding in old]
    errors = [finding for finding in errors if finding not in old]
    if errors:
        listed = "\n".join(
            f"  {_named(finding, _in_the_users_words(finding, request))}" for finding in errors
        )
        count = "1 mistake" if len(errors) == 1 else f"{len(errors)} mistakes"
        raise DeployError(
            f"The configuration was refused, nothing was changed. {count}:\n{listed}",
            outcome.findings,
            missing=outcome.missing,
            takes=outcome.takes,
            diff=outcome.diff,
        )
    outcome.warnings += [
        _named(finding, _in_the_users_words(finding, request)) for finding in findings if not finding.certain
    ]


def _named(finding: Finding, text: str) -> str:
    """With the name by which it can be ignored."""
    return f"{text} [{finding.check}]" if finding.check else text


def heeded(findings: Sequence[Finding], outcome: Outcome, request: Request) -> list[Finding]:
    """Those whose check is not turned off; the others are told as opinions, with the reason why it is."""
    ignored = [finding for finding in findings if finding.check in request.ignore]
    outcome.findings = [finding._replace(certain=False) for finding in ignored]
    outcome.warnings += [
        f"{_in_the_users_words(finding, request)} ({finding.check} is ignored: {request.ignore[finding.check]})"
        for finding in ignored
    ]
    return [finding for finding in findings if finding.check not in request.ignore]


def _in_the_users_words(finding: Finding, request: Request) -> str:
    """The finding, with the variable that says so in front, where there is one."""
    wish, (service, setting) = request.block or BlockWish(), finding.where
    variable = wish.variables.get(setting, "")
    if service in {f"{each['service']}/{each['type']}" for each in request.services}:
        wanted = (f"{service} {setting}", service, "services")
        variable = next((wish.variables[name] for name in wanted if name in wish.variables), "")
    elif service or setting not in {*request.parameters, *main_cf.MainCf(wish.text).values()}:
        variable = ""
    elif setting in request.parameters:
        variable = wish.variables.get("parameters", "")
    return f"{variable}: {finding}" if variable else str(finding)
