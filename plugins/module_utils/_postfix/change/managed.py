"""Whole files for a wish that is about a part of them: what is named is in our block, the rest is the host's own.

Theory of operation. The files are computed anew in every run, from the host's own text (what stands there with our
block taken away) and the wish. So whatever is no longer named goes away, and what it had overridden is in force again.
The record in the block of main.cf says which files are ours and what was there before: one file, so it is true whenever
main.cf is. STATE, beside it, keeps what a way back needs: files that we replaced whole, and what our part was before
the last change; of a sensitive table the keys alone.

The rule of this file: text in, text out; the host is read through Live.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import re
import time
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Mapping, NamedTuple, Sequence

from ..files import block, expansion, main_cf, master_cf, table
from ..files.lines import Line, before, same_words, split_list
from ..files.version import parse_version, supports
from ..host import distributions, own_certificate
from .losses import open_to_others
from .request import BlockWish, FileWish, Request

STATE = ".mailops.json"
_SHOWN = 3
# Before the name of a table of ours, where the host has one of that name.
OURS = "mailops_"
# How the files began that the role wrote whole, before it kept a block in them.
FORMER = "# Written by Ansible (mailops.smtp.postfix)"
FORMER_FILES = {"tls_policy": False, "sasl_passwd": True, "aliases": False}


class ManagedError(ValueError):
    """The wish cannot be put into the files as they are."""


class Live(NamedTuple):
    """The host as it is: the text of a file, "" for none, and its mode, uid and gid, None for none."""

    read: Callable[[str], str]
    attributes: Callable[[str], tuple[int, int, int] | None]
    defaults: Mapping[str, str] = {}


@dataclass
class Managed:
    """The files of a wish, whole. `own` is main.cf and master.cf without our block."""

    wishes: dict[str, FileWish] = field(default_factory=dict)
    main: str = ""
    master: str = ""
    stock: bool = False
    state: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    named: frozenset[str] = frozenset()
    """The parameters and services (name/type) that the wish names, so that what they take was asked for."""
    since: str = ""
    """When the first block was written."""
    ours: frozenset[str] = frozenset()
    """The parameters that our block holds now, so that their values are not the host's own."""


class _Old(NamedTuple):
    """Our part of the host as it is now."""

    main: block.Parts
    master: block.Parts
    files: dict[str, dict[str, Any]]
    state: dict[str, Any]
    former: bool


def _split(live: Live, path: str) -> block.Parts:
    try:
        return block.split(live.read(path), path)
    except block.BlockError as error:
        raise ManagedError(str(error)) from None


def _read_old(live: Live) -> _Old:
    main, master = _split(live, "main.cf"), _split(live, "master.cf")
    former = main.body is None and main.own.startswith(FORMER)
    files = main.record.get("files", {})
    files = {path: entry for path, entry in files.items() if isinstance(entry, dict)} if files else {}
    if former:
        main, master = block.Parts(""), master._replace(own=_without_former_service(master.own))
        files = {
            path: {"how": "block", "sensitive": sensitive, "was": None}
            for path, sensitive in FORMER_FILES.items()
            if live.read(path).startswith(FORMER)
        }
    try:
        state = json.loads(live.read(STATE) or "{}")
    except ValueError:
        state = {}
    return _Old(main, master, files, state if isinstance(state, dict) else {}, former)


def _without_former_service(text: str) -> str:
    master = master_cf.MasterCf(text)
    entry = master.get("relay-implicit", "unix")
    if entry is None or entry.command != "smtp":
        return text
    master.merge([{"service": "relay-implicit", "type": "unix", "state": "absent"}])
    return master.text()


def _own_text(live: Live, path: str) -> str:
    parts = _split(live, path)
    return "" if parts.own.startswith(FORMER) else parts.own


# ---------------------------------------------------------------------------------------------- the wish as files


def compute(request: Request, live: Live) -> Managed:
    """The files that the wish means on this host. Raises ManagedError and ValueError."""
    old = _read_old(live)
    if request.restore == "original":
        return _original(old, live)
    if request.restore == "previous":
        return _previous(old, live)
    request = _beside_the_hosts_tables(request, old, live)
    asked = request.block or BlockWish()
    result = Managed(state=_next_state(old, live))
    result.stock = _stock(old, asked)
    result.warnings = [
        f"{path}: somebody changed the block that Ansible wrote; it is written again as the variables say"
        for path, parts in (("main.cf", old.main), ("master.cf", old.master))
        if parts.edited
    ]
    services = known_options(request.services, live.defaults)
    master_body, master_hide = _master_block(old.master.own, services)
    body, gone = _main_block(request, old.main.own, result.stock, live.defaults)
    values = {**live.defaults, **main_cf.MainCf(old.main.own).values(), **main_cf.MainCf(body).values()}
    _check_reachable(request, values)
    files: dict[str, dict[str, Any]] = {}
    for wish in request.files:
        files[wish.path] = _one_file(_self_signed(wish, values, live), old, live, result)
    files["main.cf"] = _kept_entry("main.cf", old, live)
    files["master.cf"] = _kept_entry("master.cf", old, live)
    _give_back_gone(old, files, live, result)
    result.master = _with_block(
        old.master.own, master_body, block.service_key, master_hide, {"hide": sorted(master_hide)}
    )
    record = {"files": files, "stock": result.stock, "hide": sorted(gone), "all": asked.replace}
    record["since"] = old.main.record.get("since") or time.strftime("%Y-%m-%d@%H:%M:%S")
    result.main = _compose_main(old.main.own, body, record)
    result.wishes["main.cf"] = FileWish("main.cf", result.main)
    result.wishes["master.cf"] = FileWish("master.cf", result.master)
    result.named = _named(request, main_cf.MainCf(old.main.own)) | master_hide
    result.ours = frozenset(
        main_cf.MainCf(live.read("main.cf") if old.former else old.main.body or "").values()
    )
    return result


def _beside_the_hosts_tables(request: Request, old: _Old, live: Live) -> Request:
    """The wish with other names for tables that come before the host's, where the host has one of that name.

    The host's stays, and what is compiled from it.
    """
    wish, taken = request.block or BlockWish(), []
    prepend = dict(wish.prepend)
    for path in (each.path for each in request.files if each.block and each.path not in old.files):
        ending = re.compile(rf"(?<=/){re.escape(path)}(?=[,\s]|$)")
        if live.attributes(path) is not None and any(map(ending.search, prepend.values())):
            taken.append(path)
            prepend = {name: ending.sub(f"{OURS}{path}", value) for name, value in prepend.items()}
    if not taken:
        return request
    files = [each._replace(path=OURS + each.path) if each.path in taken else each for each in request.files]
    return replace(request, files=files, block=replace(wish, prepend=prepend))


def _named(request: Request, own: main_cf.MainCf) -> frozenset[str]:
    wish = request.block or BlockWish()
    names = {*main_cf.MainCf(wish.text).values(), *wish.prepend}
    # Naming a relay says nothing about a way out that somebody has laid elsewhere.
    if own.get("default_transport", "smtp") not in ("smtp", "smtp:"):
        names.discard("default_transport")
    names.discard("sender_dependent_relayhost_maps")
    return frozenset(
        [*names, *request.parameters, *(f"{each['service']}/{each['type']}" for each in request.services)]
    )


def _stock(old: _Old, wish: BlockWish) -> bool:
    if wish.replace or old.former:
        return True
    if old.main.body is not None:
        return bool(old.main.record.get("stock"))
    return distributions.is_stock(main_cf.MainCf(old.main.own).values())


def _compose_main(own: str, body: str, record: Mapping[str, Any]) -> str:
    hidden = {*main_cf.MainCf(body).values(), *record.get("hide", ())}

    def hide(line: Line) -> bool:
        return bool(record.get("all")) or block.setting_name(line) in hidden

    return block.compose(own, body, hide, record)


def _with_block(
    own: str,
    body: str,
    names: Callable[[Line], str],
    hide: set[str],
    record: Mapping[str, Any] | None = None,
) -> str:
    """The own text with a block; without one where there is nothing to say."""
    if not body and not hide:
        return own
    return block.compose(own, body, block.hides(names, hide), record)


def _kept_entry(path: str, old: _Old, live: Live) -> dict[str, Any]:
    if path in old.files:
        return old.files[path]
    attributes = live.attributes(path)
    return {"how": "block", "was": None if old.former or attributes is None else list(attributes)}


def _one_file(wish: FileWish, old: _Old, live: Live, result: Managed) -> dict[str, Any]:
    if wish.path in ("main.cf", "master.cf", STATE):
        raise ManagedError(
            f"files: {wish.path} cannot be given beside block, which keeps what is in it; write what it is to say in "
            "parameters and services"
        )
    known = old.files.get(wish.path)
    entry: dict[str, Any] = {"how": "block" if wish.block else "whole", "sensitive": wish.sensitive}
    if wish.self_signed:
        entry["self_signed"] = True
    if known:
        entry["was"] = known.get("was")
    else:
        attributes = live.attributes(wish.path)
        entry["was"] = list(attributes) if attributes else None
        if attributes and not wish.block:
            before = live.read(wish.path)
            result.state["originals"][wish.path] = _original_of(wish, before)
            result.warnings += _rows_of_the_host_that_go(wish, before)
    if wish.block and not wish.absent:
        rows = wish.content or ""
        keys = {row.key.lower() for row in table.parse_map(rows)}
        text = _with_block(_own_text(live, wish.path), rows, block.row_key, keys)
        wish = wish._replace(content=text)
    result.wishes[wish.path] = wish
    return entry


def _self_signed(wish: FileWish, values: Mapping[str, str], live: Live) -> FileWish:
    """The wish with its content, where that is a key and a certificate for the name of this host."""
    if not wish.self_signed or wish.absent:
        return wish
    if not live.defaults:
        # What it will be called is known once Postfix is installed.
        return wish._replace(content=live.read(wish.path))
    name = _expanded("$myhostname", values)
    return wish._replace(content=own_certificate.kept_or_made(live.read(wish.path), name))


def _check_reachable(request: Request, values: Mapping[str, str]) -> None:
    """Raise ManagedError where other hosts could not reach what they are to, by a value that nobody named."""
    wish, name = request.block or BlockWish(), "inet_interfaces"
    named = {*main_cf.MainCf(wish.text).values(), *request.parameters}
    if wish.reachable and name not in named and not open_to_others(_expanded(f"${name}", values) or "all"):
        raise ManagedError(wish.reachable)


def _expanded(text: str, values: Mapping[str, str]) -> str:
    with contextlib.suppress(expansion.CannotExpand):
        return expansion.expand(text, values)
    return ""


def _rows_of_the_host_that_go(wish: FileWish, before: str) -> list[str]:
    """The sentence for rows that a file given whole does not have; of a table of passwords their number alone."""
    kept = {row.key for row in table.parse_map(wish.content or "")}
    gone = [row.key for row in table.parse_map(before) if row.key not in kept]
    if not gone:
        return []
    shown = "" if wish.sensitive else f" ({', '.join(gone[:_SHOWN])}{' …' if gone[_SHOWN:] else ''})"
    rows, go = ("1 row", "goes") if len(gone) == 1 else (f"{len(gone)} rows", "go")
    return [
        f"{wish.path}: {rows} of this host's own{shown} {go}, since the file is given whole; to add rows to it, set "
        "block: true"
    ]


def _original_of(wish: FileWish, before: str) -> str | None:
    """What to keep of a file that is replaced whole: nothing of a table whose passwords are only rotated."""
    if wish.sensitive and not loses_rows(before, wish.content or ""):
        return None
    return before


def loses_rows(before: str, after: str) -> bool:
    """Whether a row of the old table has neither its key nor its value in the new one."""
    new = table.parse_map(after)
    keys, values = {row.key for row in new}, {row.value for row in new}
    return any(row.key not in keys and row.value not in values for row in table.parse_map(before))


def _give_back_gone(old: _Old, files: Mapping[str, Any], live: Live, result: Managed) -> None:
    """What was ours and is no longer named: the host's own is there again, or nothing."""
    for path, entry in old.files.items():
        if path not in files:
            wish = _as_it_was(path, entry, old, live)
            result.state["originals"].pop(path, None)
            if wish is None:
                result.warnings.append(
                    f"{path}: what was there before held passwords and is kept in no copy; the file stays as it is"
                )
            else:
                result.wishes[path] = wish


def _as_it_was(path: str, entry: Mapping[str, Any], old: _Old, live: Live) -> FileWish | None:
    """A file without our part; None where what was there is not known any more."""
    was, sensitive = entry.get("was"), bool(entry.get("sensitive"))
    if entry.get("how") == "block":
        own = _own_text(live, path)
        if was is None and not own.strip():
            return FileWish(path, absent=True, sensitive=sensitive)
        return _with_attributes(FileWish(path, own, sensitive=sensitive), was)
    if was is None:
        return FileWish(path, absent=True, sensitive=sensitive)
    content = old.state.get("originals", {}).get(path)
    if content is None:
        return None
    return _with_attributes(FileWish(path, content, sensitive=sensitive), was)


def _with_attributes(wish: FileWish, was: Any) -> FileWish:
    if not was:
        return wish
    mode, uid, gid = was
    return wish._replace(mode=mode, owner=(uid, gid))


# ---------------------------------------------------------------------------------------------- main.cf


def _main_block(
    request: Request, own_text: str, stock: bool, defaults: Mapping[str, str]
) -> tuple[str, set[str]]:
    """The body of the block in main.cf, and the parameters that are to have no value in it or elsewhere."""
    wish = request.block or BlockWish()
    own = {} if wish.replace else main_cf.MainCf(own_text).values()
    gone = {name for name, value in request.parameters.items() if value is None}
    named = {*main_cf.MainCf(wish.text).values(), *request.parameters}
    first = {
        name: before(value, own.get(name, _without_nis(defaults.get(name, ""))))
        for name, value in wish.prepend.items()
        if name not in named
    }
    lacking = {
        name: _distributions_own(name) if value is None else value
        for name, value in wish.default.items()
        if name not in named and not own.get(name) and _known(name, defaults)
    }
    lost = [sentence for name, sentence in wish.required.items() if name not in {*named, *first, *lacking}]
    if lost and (stock or wish.replace):
        raise ManagedError(" ".join(lost))
    safe = _safe_values(wish, {*named, *first, *lacking}, own, defaults) if stock else {}
    text = wish.text if stock or wish.replace else _narrowed(wish, own)
    for comment, values in (
        ("The role's tables first, then what this host had.", first),
        ("What this host had no value for.", lacking),
        (
            "Safe values for what no variable names, because the rest of this file was the distribution's.",
            safe,
        ),
    ):
        if values:
            text = text.rstrip("\n") + f"\n\n# {comment}\n" if text.strip() else f"# {comment}\n"
            text += "".join(f"{name} = {value}".rstrip() + "\n" for name, value in values.items())
    body = main_cf.MainCf(text)
    try:
        body.merge(request.parameters)
    except ValueError as error:
        raise ManagedError(f"parameters (postfix_parameters of the role): {error}") from None
    return body.text(), gone


def _narrowed(wish: BlockWish, own: Mapping[str, str]) -> str:
    """The text of the block where this host logs in at other relays too: the filter of SASL mechanisms is theirs too.

    They may have other mechanisms, so it only rules out those that Cyrus SASL would take here before the proven one.
    """
    name = "smtp_sasl_mechanism_filter"
    if not own.get("smtp_sasl_password_maps"):
        return wish.text
    body, theirs = main_cf.MainCf(wish.text), split_list(own.get(name, "").lower())
    proven = body.get(name).lower()
    weaker = {"plain": {"login"}, "login": set()}.get(proven, {"plain", "login"})
    lacking = [f"!{each.lower()}" for each in wish.offered if each.lower() not in {proven, *weaker}]
    if theirs and proven not in theirs and ("static:all" not in theirs or f"!{proven}" in theirs):
        lacking.append(proven)
    words = [word for word in lacking if word not in theirs]
    body.merge({name: ", ".join([*words, *(theirs or ["static:all"])]) if proven and words else None})
    return body.text()


def _distributions_own(name: str) -> str:
    """The value that a distribution has for a parameter. Raises ManagedError where that is not known."""
    known = distributions.family(distributions.os_release())
    if name == "smtp_tls_CAfile" and known:
        return known.ca_file
    raise ManagedError(
        f"{name}: this host's distribution is not known here, so give the value yourself"
        + (
            ": set postfix_relay_ca_file to its file of CA certificates; and where Postfix or a plugin of Cyrus SASL "
            "is missing, postfix_packages to the packages that bring it"
            if name == "smtp_tls_CAfile"
            else ""
        )
    )


def _without_nis(value: str) -> str:
    """A default without the NIS map that it names on every system, also where NIS was never there."""
    return ", ".join(word for word in split_list(value) if not word.startswith("nis:"))


def _known(name: str, defaults: Mapping[str, str]) -> bool:
    """Whether this host's Postfix has the parameter; before it is there, nobody knows."""
    return name in defaults or not defaults


def _safe_values(
    wish: BlockWish, taken: set[str], own: Mapping[str, str], defaults: Mapping[str, str]
) -> dict[str, str]:
    values = dict(wish.stock)
    if "compatibility_level" not in own and "mail_version" in defaults:
        version = parse_version(defaults["mail_version"])
        level = "3.6" if supports(version, "compatibility_level_version") else "2"
        values = {"compatibility_level": level, **values}
    return {
        name: value
        for name, value in values.items()
        if name not in taken
        and _known(name, defaults)
        and same_words(own.get(name, defaults.get(name, "\0"))) != same_words(value)
    }


# ---------------------------------------------------------------------------------------------- master.cf


def _master_block(own_text: str, services: Any) -> tuple[str, set[str]]:
    """The entries for the block in master.cf, whole, and the service/type of those that it takes over or takes away."""
    own, merged = master_cf.MasterCf(own_text), master_cf.MasterCf(own_text)
    try:
        merged.merge(services)
    except ValueError as error:
        raise ManagedError(f"services (postfix_services of the role): {error}") from None
    body, hide = "", {"/".join(entry.key) for entry in own.services if merged.get(*entry.key) is None}
    for key in dict.fromkeys((str(each["service"]), str(each["type"])) for each in services):
        before, after = own.get(*key), merged.get(*key)
        if after and (before is None or not after.same(before)):
            body += master_cf.format_service(after)
            hide.add("/".join(key))
    return body, hide


def known_options(
    services: Sequence[Mapping[str, Any]], defaults: Mapping[str, str]
) -> list[Mapping[str, Any]]:
    """The services with those options of `where_known` that this host's Postfix knows."""
    return [
        {
            **each,
            "options": {
                **(each.get("options") or {}),
                **{name: one for name, one in (each.get("where_known") or {}).items() if name in defaults},
            },
        }
        for each in services
    ]


# ---------------------------------------------------------------------------------------------- the ways back


def _next_state(old: _Old, live: Live) -> dict[str, Any]:
    originals = old.state.get("originals", {})
    return {
        "originals": dict(originals),
        "previous": None if old.former else _snapshot(old, live),
        # Whatever was ours once may have left backups.
        "paths": sorted({*old.state.get("paths", ()), *old.files}),
    }


def _snapshot(old: _Old, live: Live) -> dict[str, Any] | None:
    """Our part as it is now, for the way back to it; None where there is none."""
    if old.main.body is None:
        return None
    files: dict[str, Any] = {}
    for path, entry in old.files.items():
        if path in ("main.cf", "master.cf"):
            continue
        attributes = live.attributes(path)
        mode = attributes[0] if attributes else None
        if entry.get("sensitive"):
            rows = table.parse_map((_split(live, path).body or "") if entry.get("how") == "block" else "")
            files[path] = {"keys": [row.key for row in rows], "mode": mode}
        elif entry.get("how") == "block":
            files[path] = {"content": _split(live, path).body or "", "mode": mode}
        else:
            files[path] = {"content": live.read(path) if attributes else None, "mode": mode}
    return {
        "main": [old.main.body, dict(old.main.record)],
        "master": [old.master.body, dict(old.master.record)],
        "files": files,
    }


def _original(old: _Old, live: Live) -> Managed:
    """The host's own configuration, without anything of ours."""
    if old.former or (old.main.body is not None and not old.main.own.strip()):
        raise ManagedError(
            "main.cf was wholly written by the role, so what was there before it is not known; its backups, "
            "main.cf.*~ in the same directory, are the way back"
        )
    if old.main.body is None:
        return Managed(wishes={}, main=live.read("main.cf"), master=live.read("master.cf"), state=old.state)
    result = Managed(main=old.main.own, master=old.master.own, stock=True, state=old.state)
    result.since = str(old.main.record.get("since", ""))
    for path, entry in old.files.items():
        if path in ("main.cf", "master.cf"):
            own = old.main.own if path == "main.cf" else old.master.own
            result.wishes[path] = _with_attributes(FileWish(path, own), entry.get("was"))
            continue
        wish = _as_it_was(path, entry, old, live)
        if wish is not None:
            result.wishes[path] = wish
        else:
            result.warnings.append(
                f"{path}: what was there before held passwords and is kept in no copy; the file stays as it is"
            )
    result.wishes[STATE] = FileWish(STATE, absent=True, sensitive=True)
    return result


def _previous(old: _Old, live: Live) -> Managed:
    """Our part as it was before the last change, in the host's own text as it is now."""
    previous = old.state.get("previous")
    if old.main.body is None or "previous" not in old.state:
        raise ManagedError("no change of the role is known on this host, so there is none to take back")
    if previous is None:
        return _original(old, live)
    result = Managed(state=_next_state(old, live), stock=True)
    body, record = previous["main"]
    files = dict(record.get("files", {}))
    for path, kept in previous["files"].items():
        result.wishes[path] = _previous_file(path, kept, files.get(path, {}), live)
    _give_back_gone(old, files, live, result)
    result.main = _compose_main(old.main.own, body, record)
    master_body, master_record = previous["master"]
    hide = set(master_record.get("hide", ()))
    result.master = _with_block(old.master.own, master_body or "", block.service_key, hide, master_record)
    result.wishes["main.cf"] = FileWish("main.cf", result.main)
    result.wishes["master.cf"] = FileWish("master.cf", result.master)
    return result


def _previous_file(path: str, kept: Mapping[str, Any], entry: Mapping[str, Any], live: Live) -> FileWish:
    sensitive = bool(entry.get("sensitive"))
    wish = FileWish(path, mode=kept.get("mode"), sensitive=sensitive)
    if "keys" in kept:
        there = live.read(path)
        if entry.get("self_signed") and not there:
            values = main_cf.MainCf(live.read("main.cf")).values()
            return _self_signed(wish._replace(self_signed=True), {**live.defaults, **values}, live)
        if entry.get("how") != "block":
            # A secret of the user's own: no copy is kept, the file stays as it is.
            return wish._replace(content=there)
        rows = _rows_with_known_values(path, kept["keys"], _split(live, path).body or "")
    elif entry.get("how") == "block":
        rows = kept["content"]
    else:
        content = kept.get("content")
        return wish._replace(content=content, absent=content is None)
    keys = {row.key.lower() for row in table.parse_map(rows)}
    return wish._replace(content=_with_block(_own_text(live, path), rows, block.row_key, keys))


def _rows_with_known_values(path: str, keys: Any, body: str) -> str:
    """The rows of a table of passwords as they were, with the passwords of now: others are kept nowhere."""
    now = {row.key: row.value for row in table.parse_map(body)}
    by_host: dict[str, set[str]] = {}
    for key, value in now.items():
        by_host.setdefault(_host_of(key), set()).add(value)
    # Where there was one relay, and is one, the login is that of now.
    one = len({_host_of(key) for key in keys}) == 1 and len(by_host) == 1
    lines = []
    for key in keys:
        values = (
            {now[key]} if key in now else by_host.get(_host_of(key)) or (set(now.values()) if one else set())
        )
        if len(values) != 1:
            raise ManagedError(
                f"{path}: the password of one of its rows is kept in no copy, so the way back is to run the playbook "
                "with the variables of that time"
            )
        lines.append(f"{key} {next(iter(values))}\n")
    return "".join(lines)


def _host_of(key: str) -> str:
    """The host of a next hop."""
    match = re.match(r"\[([^][]+)\]|([^:]+)(?::[^:]*)?\Z", key)
    return (match[1] or match[2] if match else key).lower()
