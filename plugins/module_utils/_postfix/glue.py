"""Between AnsibleModule and this package: arguments to requests, outcomes to results.

The rule of this file: nothing is decided here, and no text leaves before the secrets are known.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import difflib
import traceback
from dataclasses import asdict
from typing import Any, Mapping, Sequence

from .._base.masks import Careful
from . import arguments
from .change import transaction
from .change.outcome import DeployError, Outcome
from .change.request import BlockWish, Request, file_wishes
from .files import lines, main_cf
from .host import distributions, needs


def run_config(module: Any) -> None:
    """Serve postfix_config. Ends in exit_json or fail_json."""
    params = module.params
    files = params["files"]
    # From here on only what is secret is masked, so that the diff of main.cf can be read.
    module.no_log_values = arguments.secrets_in(files)
    module.params = {**params, "files": arguments.without_secrets(files)}
    module = Careful(module, module.no_log_values)
    try:
        request = Request(
            config_directory=params["config_directory"],
            block=_block_wish(params["block"]),
            restore=params["restore"],
            files=file_wishes(files),
            parameters=params["parameters"] or {},
            services=params["services"] or [],
            listen=(params["confirm"] or {}).get("listen") or [],
            timeout=(params["confirm"] or {}).get("timeout") or 30.0,
            activate=params["activate"],
            backup=params["backup"],
            backup_keep=params["backup_keep"],
            replace_mta=params["replace_mta"],
            ignore=_ignored(params["ignore"] or {}),
            needs=params["needs"] or [],
        )
        outcome = transaction.deploy(request, module.check_mode)
    except DeployError as error:
        shown: dict[str, Any] = {"diff": error.diff} if module._diff and error.diff else {}
        for warning in error.warnings:
            module.warn(warning)
        if error.missing and params["on_missing"] == "report":
            nothing = asdict(Outcome(missing=error.missing))
            for key in ("warnings", "diff", "findings"):
                del nothing[key]
            module.exit_json(**nothing, **_packages(error.missing, params))
        module.fail_json(
            # Ansible shows no diff of a task that failed.
            msg=str(error) + (_readable(error.diff) if shown else ""),
            takes=error.takes,
            **shown,
            missing=error.missing,
            **_packages(error.missing, params),
            rolled_back=error.rolled_back,
            findings=[finding.as_dict() for finding in error.findings],
            log=error.log,
        )
    except Exception as error:
        # Without this the traceback would reach the screen unmasked.
        module.fail_json(
            msg=f"unexpected {error.__class__.__name__}: {error}", exception=traceback.format_exc()
        )
    found, outcome.findings = outcome.findings, []
    result = asdict(outcome)
    result["findings"] = [finding.as_dict() for finding in found]
    if not module._diff:
        del result["diff"]
    result.update(_packages(outcome.missing, params))
    for warning in result.pop("warnings"):
        module.warn(warning)
    module.exit_json(**result)


def _ignored(given: Mapping[str, Any]) -> dict[str, str]:
    """The option `ignore`. Raises DeployError."""
    try:
        return arguments.ignored_checks(given)
    except ValueError as error:
        raise DeployError(f"ignore: {error}") from None


def _block_wish(given: Any) -> BlockWish | None:
    """The option `block`: typed values become the text of main.cf. Raises DeployError."""
    if given is None:
        return None

    def texts(option: str) -> dict[str, str]:
        pairs = ((name, lines.parameter_value(name, value)) for name, value in (given[option] or {}).items())
        return {name: text for name, text in pairs if text is not None}

    try:
        # Null: what the distribution has.
        default: dict[str, str | None] = {**dict.fromkeys(given["default"] or {}), **texts("default")}
        return BlockWish(
            given["text"] or "",
            texts("prepend"),
            default,
            texts("stock"),
            given["replace"],
            given["fresh"],
            {name: str(sentence) for name, sentence in (given["required"] or {}).items()},
            {name: str(variable) for name, variable in (given["variables"] or {}).items()},
            given["offered"] or [],
            given["reachable"] or "",
        )
    except ValueError as error:
        raise DeployError(f"block: {error}") from None


def _readable(diffs: Sequence[Mapping[str, str]]) -> str:
    text = "\nThe diff of what was refused:\n"
    for each in diffs:
        before, after = each["before"].splitlines(), each["after"].splitlines()
        headers = each["before_header"], each["after_header"]
        text += "\n".join(difflib.unified_diff(before, after, *headers, n=1, lineterm=""))
        text += "\n"
    return text


def _packages(missing: list[str], params: Any) -> dict[str, Any]:
    """What brings what is missing, as this host's distribution names it, and what to do where no package does."""
    asked = main_cf.MainCf((params["block"] or {}).get("text") or "").values()
    asked.update({name: str(value) for name, value in (params["parameters"] or {}).items()})
    name = "smtp_sasl_mechanism_filter"
    own = [str((each.get("options") or {}).get(name, "")) for each in params["services"] or ()]
    wanted = list(
        dict.fromkeys(word for each in (asked.get(name, ""), *own) for word in needs.wanted_mechanisms(each))
    )
    mechanisms, release = needs.without_plugin(wanted), distributions.os_release()
    return {
        "packages": distributions.packages_for(missing, release, mechanisms),
        "unpackaged": distributions.unpackaged(missing, release, mechanisms),
    }
