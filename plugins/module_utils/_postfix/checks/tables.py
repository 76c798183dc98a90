"""What is wrong with lookup tables: their types, their files, their rows.

The rule of this file: of a row only the key is ever quoted, its value may be a password.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import re
from typing import Iterator, Sequence

from ..._base.words import listed
from ..files import lines, table
from ..files.parameters import ADVICE, COVERED_BY_CHECKS
from ..files.passwords import IN_MAIN_CF, MAPS
from ..files.text import read_text
from ..files.version import supports
from ..host import maps
from ..host.distributions import map_remedy, of_this_host
from .configuration import Configuration, table_of
from .finding import Finding, Setting, TableRow, check, nearest

_NAMED = (
    "*_maps", "*_map", "*_checks", "*_database", "mydestination", "relay_domains", "virtual_alias_domains",
    "virtual_mailbox_domains", "mynetworks",
)  # fmt: skip
# Types whose rows or members can stand in the value itself.
_INLINE_TYPES = ("inline", "regexp", "pcre", "cidr", "unionmap", "pipemap", "randmap")
# Types that have a package of their own.
_PACKAGED = ("lmdb", "cdb", "ldap", "mysql", "pcre", "pgsql", "sqlite", "mongodb")
# Whole lists of addresses and restrictions stand there by name, of which only what begins with "proxy:" counts.
_PROXIED = ("proxy_read_maps", "proxy_write_maps")
_LOGIN = re.compile(r"^[ \t]*(?:password|bind_pw)[ \t]*=[ \t]*\S", re.MULTILINE)
_KEY = "mailops-smtp-check"
"""What postmap(1) is asked for: it is in no table. Where a pattern matches it, postmap stops there and exits with 0."""


@check("table-type", *_NAMED)
def table_type(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A table without a type, of a type that this Postfix does not have, or by a relative path.

    The daemon that opens it answers with a temporary error, for all mail.
    Manual: DATABASE_README, postconf(1) -m.
    """
    if setting.name in _PROXIED:
        return
    for word in lines.split_list(value):
        bare = word.lstrip("!").strip("{} ")
        kind, colon, _rest = bare.partition(":")
        if re.match(r"[a-z][a-z0-9_-]*\Z", kind) and colon:
            yield from word_of_table(config, setting, bare)
        elif setting.name.endswith("_maps") and bare and not colon:
            default = config.value("default_database_type") or "hash"
            known = f"write static:{bare}" if bare.isdigit() else f"write {default}:{bare} or texthash:{bare}"
            yield setting.error(f"{word!r} has no table type", known)


@check("database-type", "default_database_type", "default_cache_db_type")
def database_type(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A default type of tables that this Postfix does not have.

    Tables that name no type cannot be opened.
    Manual: postconf(5) default_database_type, DATABASE_README.
    """
    if config.map_types and value not in config.map_types:
        yield from _unknown_type(config, setting, value, "")


@check("password-in-main-cf", "smtp_sasl_password_maps", "lmtp_sasl_password_maps")
def password_in_main_cf(_config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A password in the value of smtp_sasl_password_maps itself.

    main.cf is readable by every user of the host, and postconf(1) shows it.
    Manual: SASL_README.
    """
    found = IN_MAIN_CF.search(value)
    if found:
        yield setting.error(
            "a password in main.cf can be read by every user of the host",
            "put it in a file with sensitive: true, and name that as texthash:FILE",
            value=f"{found.group().strip('{ ')}…",
        )


@check("passwords-readable-by-all")
def passwords_readable_by_all(config: Configuration) -> Iterator[Finding]:
    """A table of passwords, or the file with the login of a database, that every user of the host can read.

    Whoever reads it can send mail in the name of this host, or read and change what the database holds.
    Manual: SASL_README, ldap_table(5), mysql_table(5), pgsql_table(5).
    """
    for setting, ref in config.tables:
        compiled = maps.compiled_files(ref.type, ref.path)
        if ref.type in maps.DIRECTORY_TYPES:
            holds = bool(_LOGIN.search(read_text(config.staged(ref.path))))
        else:
            holds = ref.parameter.endswith(MAPS)
        found = [path for path in (ref.path, *compiled) if holds and config.readable_by_all(path)]
        if found:
            yield setting.warning(
                f"every user of the host can read the passwords in {listed(found)}",
                f"chmod o-r {' '.join(found)}",
            )


@check("table-missing")
def table_missing(config: Configuration) -> Iterator[Finding]:
    """A table whose file does not exist or is a directory, or that is not compiled.

    The daemon that opens it answers with a temporary error, for all mail.
    Manual: DATABASE_README, postmap(1).
    """
    for setting, ref in config.tables:
        path = config.staged(ref.path)
        compiled = maps.compiled_files(ref.type, path)
        if not os.path.exists(path) and not (compiled and all(map(os.path.exists, compiled))):
            yield setting.error(
                "the file of this table does not exist", _remedy_for_missing(setting, ref, path)
            )
        elif os.path.isdir(path):
            yield setting.error("this is a directory", "name a file")
        elif not config.predicting and not all(map(os.path.exists, compiled)):
            yield setting.error("the compiled table does not exist", f"run postmap {ref.spec}")


@check("duplicate-key")
def duplicate_key(config: Configuration) -> Iterator[Finding]:
    """A key that stands in one table twice.

    Postfix refuses the whole of a texthash: table; of a compiled table one of the two rows is ignored.
    Manual: DATABASE_README, postmap(1).
    """
    for ref, rows in _sources(config):
        texthash = ref.type == "texthash"
        problem = (
            f"duplicate key: Postfix refuses the whole table {ref.spec}"
            if texthash
            else f"the key is there twice in {ref.spec}, and one of the two is ignored"
        )
        for row in table.duplicate_keys(rows):
            yield row.error(problem, "remove one of the two lines", certain=texthash)


@check("table-row")
def table_row(config: Configuration) -> Iterator[Finding]:
    """A row without a value, an alias without its colon, or a colon where none belongs.

    The row matches nothing, or the table cannot be compiled.
    Manual: postmap(1), aliases(5).
    """
    for ref, rows in _sources(config):
        alias = ref.parameter in ("alias_maps", "alias_database")
        # postalias(1) requires the colon and removes it; whatever is read without it keeps the colon in the key.
        built = ref.type in maps.COMPILED
        for row in rows:
            if alias and built:
                if ":" not in row.key and not row.value.startswith(":"):
                    yield row.error("aliases(5) needs a colon after the name", f"write {row.key}: …")
            elif row.key.endswith(":") and not row.key.endswith("::"):
                yield row.error(
                    f"{ref.type}: keeps the colon in the name, so this alias would never match"
                    if alias
                    else "only aliases(5) has a colon after the key",
                    f"write {row.key[:-1]} without the colon",
                )
            elif not row.value:
                yield row.error("the key has no value", "write key, space, value")


@check("table-unreadable")
def table_unreadable(config: Configuration) -> Iterator[Finding]:
    """A table that postmap(1) cannot open, or of which it cannot read a line.

    The daemon that opens it answers with a temporary error, or does without the line.
    Manual: postmap(1), regexp_table(5), pcre_table(5), cidr_table(5).
    """
    asked = [
        (setting, f"{ref.type}:{config.staged(ref.path)}")
        for setting, ref in config.tables
        if ref.type not in maps.DIRECTORY_TYPES and _can_be_opened(config, ref)
    ]
    asked += _written_out(config)
    if not asked:
        return
    # All of them at once, and one by one only where something is said.
    done = config.tools.postmap(_KEY, [spec for _setting, spec in asked])
    if done.code == 1 and not done.errors:
        return
    # What it says of main.cf, whatever the table, is judged where it stands.
    general = set(config.tools.postmap(_KEY, ["static:yes"]).errors.splitlines())
    for setting, spec in asked:
        for line in config.tools.postmap(_KEY, [spec]).errors.splitlines():
            match = re.search(r"\b(?:warning|error|fatal): (.*)", line)
            if match and line not in general and not COVERED_BY_CHECKS.search(line):
                advice = ADVICE.search(line)
                remedy = "" if advice else "correct that line"
                said = config.shortened(config.clean(match.group(1)))
                yield setting.error(said, remedy, certain=not advice)


@check("proxymap-not-allowed", "*")
def proxymap_not_allowed(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A proxy: table that proxy_read_maps and proxy_write_maps do not lead to.

    proxymap(8) refuses to open it, so every lookup fails and mail is deferred.
    Manual: postconf(5) proxy_read_maps, proxymap(8).
    """
    if "proxy:" not in value or setting.name in _PROXIED:
        return
    allowed = {word for name in _PROXIED for word in config.words(name)}
    # Empty where it cannot be expanded here.
    for word in lines.split_list(value) if allowed else ():
        if word.startswith("proxy:") and word not in allowed:
            yield setting.error(
                f"proxymap(8) may not open {word}, so every lookup would fail",
                f"write {word[6:]}, or append it to the default of proxy_read_maps (postconf -d proxy_read_maps)",
            )


def word_of_table(config: Configuration, setting: Setting, word: str) -> Iterator[Finding]:
    """What is wrong with one type:name of a table, wherever it stands."""
    kind, rest = table_of(word)
    if kind not in config.map_types:
        yield from _unknown_type(config, setting, kind, rest)
    elif kind in maps.COMPILED or kind in maps.TEXT_TYPES:
        if rest.startswith("{") and kind != "texthash":
            if not supports(config.version, "inline_patterns"):
                yield setting.error(
                    "patterns within main.cf came with Postfix 3.7", f"put them in a file for {kind}:"
                )
        elif not rest.startswith("/"):
            yield setting.error(
                f"{kind}:{rest}: a relative path begins at the queue directory",
                f"write {kind}:{os.path.join(config.live, rest)}",
            )


def _unknown_type(config: Configuration, setting: Setting, kind: str, rest: str) -> Iterator[Finding]:
    # A host and port or an endpoint in a list that also takes tables.
    if setting.name in ("mynetworks", "mydestination") and not rest.startswith("/"):
        return
    if not config.map_types:
        return
    near = nearest(kind, config.map_types, 0.7)
    remedy = "postconf -m lists the types"
    if near:
        remedy = f"write {near}:{rest}" if rest else f"write {near}"
    elif kind in _PACKAGED:
        remedy = map_remedy(of_this_host(), kind)
    yield setting.error(
        f"this Postfix has no table type {kind!r}",
        remedy,
        certain=config.installed_here or kind not in _PACKAGED,
    )


def _sources(config: Configuration) -> Iterator[tuple[maps.MapReference, Sequence[TableRow]]]:
    """The tables that have rows of keys and values, with these."""
    for _setting, ref in config.tables:
        if (ref.type in maps.COMPILED or ref.type == "texthash") and os.path.isfile(config.staged(ref.path)):
            yield ref, config.file_rows(ref.path)


def _can_be_opened(config: Configuration, ref: maps.MapReference) -> bool:
    path = config.staged(ref.path)
    compiled = maps.compiled_files(ref.type, path)
    if compiled:
        return not os.path.isdir(path) and all(map(os.path.exists, compiled))
    return os.path.exists(path) and not os.path.isdir(path)


def _remedy_for_missing(setting: Setting, ref: maps.MapReference, path: str) -> str:
    parent = os.path.dirname(path)
    names = os.listdir(parent) if os.path.isdir(parent) else []
    near = nearest(os.path.basename(path), names, 0.7)
    if near:
        return f"write {ref.type}:{os.path.join(os.path.dirname(ref.path), near)}"
    if setting.line:
        return "create it, or remove it here"
    return "this is Postfix's default: create it, an empty one will do, or set another"


def _written_out(config: Configuration) -> Iterator[tuple[Setting, str]]:
    """Tables whose rows stand in the value itself, as postmap is asked about them."""
    for setting, value in config.expanded:
        if "password" in setting.name or "{" not in value:
            continue
        for word in lines.split_list(value):
            kind, _colon, rest = word.partition(":")
            known = kind in _INLINE_TYPES and kind in config.map_types
            # Without them, that is told already.
            known = known and (kind not in maps.TEXT_TYPES or supports(config.version, "inline_patterns"))
            if known and rest.startswith("{") and "proxy:" not in rest:
                yield setting, word.replace(f":{config.live}/", f":{config.stage}/")


CHECKS = (
    table_type,
    database_type,
    password_in_main_cf,
    passwords_readable_by_all,
    table_missing,
    duplicate_key,
    table_row,
    table_unreadable,
    proxymap_not_allowed,
)
