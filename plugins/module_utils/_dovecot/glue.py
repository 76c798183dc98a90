"""Between AnsibleModule and this package: arguments to a request, an outcome to results."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import traceback
from dataclasses import asdict
from typing import Any

from .._base.masks import Careful
from .._postfix.host import distributions
from . import deploy

ARGUMENTS: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "socket": {"type": "path", "default": "/var/spool/postfix/private/auth"},
    "owner": {"type": "str", "default": "postfix"},
    "passwords": {"type": "str", "choices": ["users", "pam", "existing"], "default": "users"},
    "users": {"type": "dict", "default": {}, "no_log": True},
    "timeout": {"type": "float", "default": 10},
    "on_missing": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
}


def run(module: Any) -> None:
    """Serve dovecot_auth. Ends in exit_json or fail_json."""
    params = module.params
    users = {str(login): str(value) for login, value in (params["users"] or {}).items()}
    module = Careful(module, set(users.values()))
    names = ("state", "socket", "owner", "passwords", "timeout")
    try:
        request = deploy.Request(users=users, **{name: params[name] for name in names})
        outcome = deploy.deploy(request, module.check_mode)
    except deploy.Failed as error:
        module.fail_json(msg=str(error), rolled_back=error.rolled_back, log=error.log)
    except Exception as error:
        # Without this the traceback would reach the screen unmasked.
        module.fail_json(
            msg=f"unexpected {error.__class__.__name__}: {error}", exception=traceback.format_exc()
        )
    result = asdict(outcome)
    release = distributions.os_release()
    result["packages"] = distributions.packages_for(outcome.missing, release)
    result["unpackaged"] = distributions.unpackaged(outcome.missing, release)
    if outcome.missing and params["on_missing"] == "fail" and not module.check_mode:
        what = " and ".join({"dovecot": "Dovecot", "postfix": "Postfix"}[each] for each in outcome.missing)
        module.fail_json(
            msg=f"Nothing was changed: {what} is not installed on this host; install "
            f"{' and '.join(result['packages']) or 'the package of it'} first (the role mailops.smtp.postfix does)",
            missing=outcome.missing,
        )
    if not module._diff:
        del result["diff"]
    module.exit_json(**result)
