"""The lookup tables that a configuration names.

Which they are, whether a compiled one is lost or older than its source, and building it. The rule of this file: a
compiled table is built beside and renamed into place, so that a reader finds the old one or the new one, never half of
one.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import os
import re
import shutil
from typing import Iterable, Mapping, NamedTuple

from ..files import expansion, main_cf, master_cf
from .programs import find_program, run

# table type -> suffixes of what postmap(1) makes of its source
COMPILED = {
    "hash": (".db",),
    "btree": (".db",),
    "lmdb": (".lmdb",),
    "cdb": (".cdb",),
    "dbm": (".dir", ".pag"),
    "sdbm": (".dir", ".pag"),
}
SUFFIXES = tuple(dict.fromkeys(suffix for each in COMPILED.values() for suffix in each))
TEXT_TYPES = ("texthash", "regexp", "pcre", "cidr")
DIRECTORY_TYPES = ("ldap", "mysql", "pgsql", "sqlite", "memcache", "mongodb")
# Caches that daemons make and keep themselves; there is no source to look for.
_CACHE = re.compile(
    r"(_session_cache_database|address_verify_map|postscreen_cache_map|_sasl_auth_cache_name)\Z"
)
_REFERENCE = re.compile(r"(?:^|[\s,{=:!])(?P<type>[a-z][a-z0-9_-]*):(?P<path>/[^\s,{}]+)")


class MapReference(NamedTuple):
    """A table of a file, as a parameter names it."""

    type: str
    path: str
    parameter: str
    file: str
    line: int

    @property
    def spec(self) -> str:
        return f"{self.type}:{self.path}"


def references(
    main: main_cf.MainCf,
    master: master_cf.MasterCf,
    lookup: Mapping[str, str],
    defaults: Mapping[str, str] | None = None,
) -> list[MapReference]:
    """Every table with a path that main.cf, a -o option or Postfix's own default names, expanded; caches left out."""
    result: list[MapReference] = []
    written = main.values()
    if defaults and _delivers_locally(lookup):
        for name in ("alias_maps", "alias_database"):
            if name not in written:
                result += _in_value(name, defaults.get(name, ""), lookup, "main.cf", 0)
    for setting in main.settings:
        result += _in_value(setting.name, setting.value, lookup, "main.cf", setting.line)
    for service in master.services:
        for name, value in service.options:
            result += _in_value(name, value, lookup, "master.cf", service.line)
    return result


def named_files(
    main: main_cf.MainCf, master: master_cf.MasterCf, lookup: Mapping[str, str], directory: str
) -> set[str]:
    """What below the directory main.cf or a -o option names: tables and what is compiled of them, patterns, keys."""
    pairs = [*main.values().items(), *(pair for service in master.services for pair in service.options)]
    found = set()
    for _name, value in pairs:
        with contextlib.suppress(expansion.CannotExpand):
            for path in re.findall(
                rf"(?<![\w.-]){re.escape(directory)}/[^\s,{{}}]+", expansion.expand(value, lookup)
            ):
                found |= {path, *(path + suffix for suffix in SUFFIXES)}
    return found


def _delivers_locally(lookup: Mapping[str, str]) -> bool:
    """Whether local(8) is asked for anything, which then needs its aliases."""
    return bool(lookup.get("mydestination", "").strip()) and lookup.get("local_transport", "").startswith(
        "local"
    )


def _in_value(
    name: str, value: str, lookup: Mapping[str, str], file: str, line: int
) -> Iterable[MapReference]:
    if _CACHE.search(name):
        return
    with contextlib.suppress(expansion.CannotExpand):
        text = expansion.expand(value, lookup)
        for match in _REFERENCE.finditer(text):
            kind = match.group("type")
            if kind in COMPILED or kind in TEXT_TYPES or kind in DIRECTORY_TYPES:
                yield MapReference(kind, match.group("path"), name, file, line)


def tool_for(found: Iterable[MapReference], path: str) -> list[str]:
    """postalias for a table that serves as aliases(5), else postmap; -F where its values are names of files."""
    parameters = {ref.parameter for ref in found if ref.path == path}
    if parameters & {"alias_maps", "alias_database"}:
        return ["postalias"]
    return ["postmap", "-F"] if "tls_server_sni_maps" in parameters else ["postmap"]


def compiled_files(kind: str, path: str) -> list[str]:
    return [path + suffix for suffix in COMPILED.get(kind, ())]


def is_stale(kind: str, path: str) -> bool:
    """Whether the source is there and its compiled table is lost or older than it."""
    try:
        source = os.stat(path).st_mtime_ns
    except OSError:
        return False
    try:
        return any(os.stat(each).st_mtime_ns < source for each in compiled_files(kind, path))
    except OSError:
        return True


def build_directory(path: str) -> str:
    """Where the table of that source is built, in its own directory so that a rename is enough."""
    return os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.building")


def build(kind: str, path: str, tool: list[str], config_directory: str) -> str | None:
    """Compile the source beside and rename the result into place; the reason when that fails."""
    program = find_program(tool[0])
    if program is None:
        return f"{tool[0]} is not installed"
    directory = build_directory(path)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(directory)
    os.mkdir(directory, 0o700)
    try:
        source = os.path.join(directory, os.path.basename(path))
        shutil.copy2(path, source)
        status = os.stat(path)
        os.chown(source, status.st_uid, status.st_gid)
        done = run([program, *tool[1:], "-c", config_directory, f"{kind}:{source}"])
        if done.code:
            return (
                (done.errors or f"{tool[0]} ended with {done.code}")
                .replace(directory, os.path.dirname(path))
                .strip()
            )
        for suffix in COMPILED[kind]:
            made = source + suffix
            os.utime(made)
            with open(made, "rb") as handle:
                os.fsync(handle.fileno())
            os.chown(made, status.st_uid, status.st_gid)
            os.rename(made, path + suffix)
    except OSError as error:
        return f"{error.strerror}: {error.filename}"
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return None
