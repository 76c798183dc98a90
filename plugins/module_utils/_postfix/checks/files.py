"""main.cf and master.cf as files, and what Postfix's own tools say of them.

The rule of this file: Postfix's own words come first, and only where nothing here says it better.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import re
import stat
from typing import Iterator

from ..files import lines
from ..files.parameters import ADVICE, COVERED_BY_CHECKS, FREE_TEXT, TYPOGRAPHY
from ..files.text import read_text
from ..host import maps
from .configuration import Configuration
from .finding import Finding, Setting, check, nearest


@check("main-cf-missing")
def main_cf_missing(config: Configuration) -> Iterator[Finding]:
    """There is no main.cf.

    No program of Postfix starts without it.
    Manual: postconf(5).
    """
    if not os.path.exists(os.path.join(config.stage, "main.cf")):
        yield Finding("main.cf", 0, "main.cf", "", "the file is missing", "give it in files")


@check("unreadable-line")
def unreadable_line(config: Configuration) -> Iterator[Finding]:
    """A line that is neither an assignment of main.cf nor a service of master.cf.

    Every program of Postfix stops at the first of them, with or without mail in the queue.
    Manual: postconf(5), master(5).
    """
    for line, text in config.main.bad_lines:
        yield Finding("main.cf", line, text[:60], "", "this is not an assignment", "write name = value")
    for line, text, problem in config.master.bad_lines:
        yield Finding("master.cf", line, text[:60], "", problem, "")


@check("parameter-set-twice")
def parameter_set_twice(config: Configuration) -> Iterator[Finding]:
    """A parameter that a later line of main.cf sets again.

    The last line counts, and the other misleads whoever reads or edits it.
    Manual: postconf(5).
    """
    for setting in config.main.duplicates():
        last = config.main.line_of(setting.name)
        yield Setting("main.cf", setting.line, setting.name, setting.value).warning(
            f"line {last} sets it again, and that one counts", "remove one of the two"
        )


@check("unused-parameter")
def unused_parameter(config: Configuration) -> Iterator[Finding]:
    """A name that is not a parameter of this Postfix, and that nothing refers to.

    Postfix ignores it, so what it was meant to do does not happen.
    Manual: postconf(1), postconf(5).
    """
    for _kind, text, file, _line in _complaints(config):
        unused = re.match(r"unused parameter: (?P<name>\S+?)=(?P<value>.*)", text)
        if not unused:
            continue
        name, value = unused.group("name"), unused.group("value")
        if file == "master.cf":
            # Some releases name the service before, others do not.
            service, _slash, name = name.rpartition("/")
            places = [
                Setting(file, entry.line, option, text, entry)
                for entry in config.master.services
                for option, text in entry.options
                if option == name and lines.normal(text) == lines.normal(value)
            ] or [Setting(file, 0, f"{service} -o {name}" if service else name, value)]
        else:
            places = [Setting(file, config.main.line_of(name), name, value)]
        near = nearest(name, config.defaults, 0.8)
        for setting in places:
            yield setting.error(
                f"Postfix {config.version} has no parameter of this name, and nothing uses it",
                f"write {near}" if near else "remove it, or write the name that postconf(5) has",
            )


@check("postfix-says")
def postfix_says(config: Configuration) -> Iterator[Finding]:
    """What postconf(1), postmap(1) and `postfix check` complain of themselves.

    Where one of them ends with an error, so do the daemons.
    Manual: postconf(1), postfix(1).
    """
    for kind, text, file, line in _complaints(config):
        if text.startswith("unused parameter: ") or COVERED_BY_CHECKS.search(text):
            continue
        nowhere = Setting(file, line, "Postfix says", "")
        if kind == "warning" and ADVICE.search(text):
            yield nowhere.warning(text)
            continue
        named = [name for name in re.findall(r"[a-z][a-z0-9_]{3,}", text) if config.main.line_of(name)]
        setting = config.setting(named[0]) if named and file == "main.cf" else nowhere
        yield setting.error(text)


def _complaints(config: Configuration) -> Iterator[tuple[str, str, str, int]]:
    """(warning, error, fatal or panic; the text without the name of main.cf or master.cf; the file; line or 0)."""
    for line in config.complaints:
        match = re.search(r"\b(warning|error|fatal|panic): (.*)", config.clean(line), re.IGNORECASE)
        if match:
            kind, text = match.group(1).lower(), config.shortened(match.group(2))
            place = re.search(rf"{re.escape(config.live)}/([^\s,:]+)(?:[,:] line (\d+))?", text)
            file, number = place.groups() if place else ("main.cf", None)
            text = re.sub(rf"{re.escape(config.live)}/(main|master)\.cf(, line \d+(-\d+)?)?: ", "", text)
            yield kind, text, file, int(number or 0)


@check("typographic-character")
def typographic_character(config: Configuration) -> Iterator[Finding]:
    """A no-break space, a typographic dash or quotation mark, as text copied from a web page has them.

    It looks like the ASCII character and is another one: the value means something else, or nothing.
    Manual: postconf(5).
    """
    for name in ("main.cf", "master.cf"):
        for line in lines.logical_lines(read_text(os.path.join(config.stage, name))):
            parameter = line.text.partition("=")[0].strip()
            if name == "main.cf" and FREE_TEXT.search(parameter):
                continue
            for char in sorted({*line.text} & {*TYPOGRAPHY}):
                yield Setting(name, line.number, line.text[:60], "").error(
                    f"{TYPOGRAPHY[char]} (U+{ord(char):04X}), probably pasted from a web page",
                    "retype it in ASCII",
                )


@check("quoted-value")
def quoted_value(config: Configuration) -> Iterator[Finding]:
    """A value in quotation marks.

    Postfix does not take them away, so they belong to the name, path or number.
    Manual: postconf(5).
    """
    for setting in config.settings:
        if re.match(r"([\"']).*\1\Z", setting.raw) and not FREE_TEXT.search(setting.name):
            yield setting.error("the quotation marks become part of the value", "remove the quotes")


@check("comment-in-value")
def comment_in_value(config: Configuration) -> Iterator[Finding]:
    """A comment after a value, on the same line.

    Only a line that begins with # is a comment: here its words become part of the value.
    Manual: postconf(5).
    """
    for setting in config.settings:
        quoted = re.match(r"([\"']).*\1\Z", setting.raw)
        if re.search(r"\s#(\s|\w)", setting.raw) and not quoted and not FREE_TEXT.search(setting.name):
            yield setting.warning(
                "a comment after a value becomes part of it", "give the comment a line of its own"
            )


@check("writable-by-others")
def writable_by_others(config: Configuration) -> Iterator[Finding]:
    """main.cf or master.cf can be written by others than root, or a table by every user of the host.

    Whoever can write the files runs programs as root; the table, sends mail elsewhere.
    Manual: postfix-wrapper(5), postfix(1) check.
    """
    for name in ("main.cf", "master.cf"):
        path = os.path.join(config.stage, name)
        if os.path.exists(path) and os.stat(path).st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            yield Setting(name, 0, name, "").warning("others than root can write it", "chmod go-w")
    for setting, ref in config.tables:
        for path in (ref.path, *maps.compiled_files(ref.type, ref.path)):
            file = config.staged(path)
            if os.path.isfile(file) and os.stat(file).st_mode & stat.S_IWOTH:
                yield setting.warning(f"every user of the host can write {path}", f"chmod o-w {path}")


CHECKS = (
    main_cf_missing,
    unreadable_line,
    parameter_set_twice,
    typographic_character,
    quoted_value,
    comment_in_value,
    unused_parameter,
    postfix_says,
    writable_by_others,
)
