# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Private to the mailops.smtp collection: no promise of a stable interface to others.
#
# Between AnsibleModule and this package: arguments to requests, outcomes to results.
# The rule of this file: nothing is decided here, and no text leaves before the secrets are known.

from __future__ import annotations

import traceback
from dataclasses import asdict
from typing import Any

from .._base.masks import Careful
from . import arguments, info, transaction


def run_config(module: Any) -> None:
    """Serve postfix_config. Ends in exit_json or fail_json."""
    params = module.params
    files = params["files"]
    # From here on only what is secret is masked, so that the diff of main.cf can be read.
    module.no_log_values = arguments.secrets_in(files)
    module.params = {**params, "files": arguments.without_secrets(files)}
    module = Careful(module, module.no_log_values)
    try:
        request = transaction.Request(
            config_directory=params["config_directory"],
            files=transaction.file_wishes(files),
            parameters=params["parameters"] or {},
            services=params["services"] or [],
            listen=(params["confirm"] or {}).get("listen") or [],
            timeout=(params["confirm"] or {}).get("timeout") or 30.0,
            activate=params["activate"],
            backup=params["backup"],
        )
        outcome = transaction.deploy(request, module.check_mode)
    except transaction.DeployError as error:
        module.fail_json(
            msg=arguments.discreet(str(error), error.findings, files),
            missing=error.missing,
            rolled_back=error.rolled_back,
            findings=[finding.as_dict() for finding in arguments.without_rows(error.findings, files)],
            log=error.log,
        )
    except Exception as error:
        # Without this the traceback would reach the screen unmasked.
        module.fail_json(
            msg=f"unexpected {error.__class__.__name__}: {error}", exception=traceback.format_exc()
        )
    result = asdict(outcome)
    if not module._diff:
        del result["diff"]
    for warning in result.pop("warnings"):
        module.warn(warning)
    module.exit_json(**result)


def run_info(module: Any) -> None:
    """Serve postfix_info. Ends in exit_json or fail_json."""
    module.exit_json(changed=False, **info.gather(module.params["config_directory"]))
