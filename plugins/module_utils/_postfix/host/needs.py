"""What a configuration needs on its host and packages bring.

The rule of this file: a few looks at the file system, so that a host on which nothing is missing is known without
asking its package manager.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import os
import re
from typing import Container, Iterable, Iterator, Mapping

from ..files import expansion, lines, master_cf
from ..files.parameters import MECHANISM_PLUGINS
from . import programs
from .distributions import DOVECOT_DIRECTORIES, DOVECOT_DROP_INS, LIBRARY_DIRECTORIES


def missing(
    values: Mapping[str, str], master: master_cf.MasterCf, created_paths: Container[str] = ()
) -> list[str]:
    """What is not there of: sasl_plugin (a mechanism of Cyrus SASL to log in with), ca_file.

    `created_paths` are the paths that the change itself brings.
    """
    scopes = [values, *({**values, **dict(entry.options)} for entry in master.services if entry.options)]
    found = installed_plugins()
    result = []
    if any(_logs_in(scope) and not _plugins_suffice(scope, found) for scope in scopes):
        result.append("sasl_plugin")
    ca_files = (_value(scope, "smtp_tls_CAfile") for scope in scopes)
    if any(path and path not in created_paths and not os.path.isfile(path) for path in ca_files):
        result.append("ca_file")
    return result


def missing_programs(wanted: Iterable[str]) -> list[str]:
    """Those of the programs that are not on this host: `dovecot`."""
    return [name for name in wanted if programs.find_program(name) is None]


def logins_of_dovecot() -> bool:
    """Whether module dovecot_auth has something in Dovecot's configuration."""
    return any(
        os.path.lexists(os.path.join(directory, name))
        for directory in DOVECOT_DIRECTORIES
        for name in DOVECOT_DROP_INS
    )


def _value(scope: Mapping[str, str], name: str) -> str:
    with contextlib.suppress(expansion.CannotExpand):
        return expansion.expand(scope.get(name, ""), scope).strip()
    return ""


def _logs_in(scope: Mapping[str, str]) -> bool:
    enabled = _value(scope, "smtp_sasl_auth_enable").lower() == "yes"
    return enabled and _value(scope, "smtp_sasl_type") in ("", "cyrus")


def _plugins_suffice(scope: Mapping[str, str], found: set[str]) -> bool:
    wanted = wanted_mechanisms(_value(scope, "smtp_sasl_mechanism_filter"))
    if not wanted:
        return bool(found & {"plain", "login"})
    return all(MECHANISM_PLUGINS.get(mechanism, "") in {"", *found} for mechanism in wanted)


def wanted_mechanisms(mechanism_filter: str) -> list[str]:
    """The mechanisms that smtp_sasl_mechanism_filter names; those in tables and those ruled out are left aside."""
    words = lines.split_list(mechanism_filter)
    return [word.upper() for word in words if re.match(r"[A-Za-z0-9-]+\Z", word)]


def without_plugin(mechanisms: Iterable[str]) -> list[str]:
    """Those of the mechanisms whose plugin is not on this host."""
    here = installed_plugins()
    return [each for each in mechanisms if MECHANISM_PLUGINS.get(each, "") not in {"", *here}]


def installed_plugins() -> set[str]:
    """The Cyrus SASL mechanism plugins of this host, by the name between lib and .so."""
    return {name for directory in _plugin_directories() for name in _plugins_in(directory)}


def _plugin_directories() -> Iterator[str]:
    for root in LIBRARY_DIRECTORIES:
        yield os.path.join(root, "sasl2")
        with contextlib.suppress(OSError):
            yield from (os.path.join(root, name, "sasl2") for name in os.listdir(root) if "-linux-" in name)


def _plugins_in(directory: str) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for name in os.listdir(directory):
            # Of XOAUTH2 there are libsasl-xoauth2 (with files of tokens) and libxoauth2.
            match = re.match(r"lib(?:sasl-)?(\w+?)\.so", name)
            if match:
                yield match.group(1)
