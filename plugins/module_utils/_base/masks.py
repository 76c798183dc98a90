"""Secrets in the results of modules: what Ansible may mask there, and what it would destroy.

Ansible replaces a secret wherever its letters stand, in every text and number of a result. A password such as "587" or
"postfix" would so turn a port into a word, and a list that a role reads into asterisks; and a hole in a sentence that
is known says what the secret is.

Rules of this file: no I/O, and no knowledge of any module. A field that somebody decides by is never changed, and keeps
its type. What a stranger says (a server, a log) is freed of secrets where it comes in; Ansible's mask comes after that,
for texts alone, and for secrets alone that are no ordinary words.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any, Collection, Iterator, Mapping

# What stands for a secret, as Ansible has it: in the place of a whole parameter, and of a part of a text.
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
MASK = "********"

# Texts for people, in the results of all modules. Everything else is a field.
TEXTS = frozenset(
    {
        "msg",
        "summary",
        "reason",
        "remedy",
        "reply",
        "advice",
        "problem",
        "parameter",
        "value",
        "warnings",
        "takes",
        "log",
        "diff",
        "exception",
        "subject",
        "issuer",
        "names",
    }
)

# What is shorter, or of letters alone, is in too many words.
_SHORTEST = 8
_WORD = re.compile(r"[^\W\d_]*\Z")


def maskable(secrets: Collection[str], result: Mapping[str, Any], texts: Collection[str] = TEXTS) -> set[str]:
    """The secrets that Ansible can mask in a result without changing a field of it.

    ``texts`` are the keys under which there is nothing but text for people.
    """
    fields = set(_fields(result, texts)) | {"True", "False", "None"}
    return {
        secret
        for secret in secrets
        if len(secret) >= _SHORTEST
        and not _WORD.match(secret)
        and not any(secret in field for field in fields)
    }


def hidden(params: Mapping[str, Any], secret_names: Collection[str]) -> dict[str, Any]:
    """A module's parameters as they may be shown, whatever the secrets among them are."""
    return {
        name: HIDDEN if name in secret_names and value is not None else value
        for name, value in params.items()
    }


class Careful:
    """An AnsibleModule that masks a result as far as its fields allow.

    ``fields`` are what else is shown and is no secret, such as the module's public parameters.
    """

    def __init__(
        self, module: Any, secrets: Collection[str], fields: Mapping[str, Any] | None = None
    ) -> None:
        self._module = module
        self._secrets = set(secrets)
        self._more = dict(fields or {})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def exit_json(self, **result: Any) -> None:
        self._mask(result)
        self._module.exit_json(**legible(result))

    def fail_json(self, **result: Any) -> None:
        self._mask(result)
        self._module.fail_json(**legible(result))

    def warn(self, warning: str) -> None:
        self._module.warn(legible(warning))

    def _mask(self, result: Mapping[str, Any]) -> None:
        self._module.no_log_values = maskable(self._secrets, {**self._more, "result": result})


def legible(value: Any) -> Any:
    """A result in which bytes that are not UTF-8, such as those of Latin-1 in a comment, are written as \\xe4.

    Python carries them as lone surrogates, and Ansible cannot print those.
    """
    if isinstance(value, str):
        try:
            return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        except UnicodeEncodeError:
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, Mapping):
        return {legible(key): legible(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [legible(each) for each in value]
    return value


def _fields(value: Any, texts: Collection[str]) -> Iterator[str]:
    """Every key, and every value that is not text for people, as Ansible would read it."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield str(key)
            if key not in texts:
                yield from _fields(each, texts)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for each in value:
            yield from _fields(each, texts)
    elif value is not None:
        yield str(value)
