"""A finding, what it is about, and the check that makes it.

The rule of this file: no judgement of its own.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import difflib
import re
from typing import Any, Callable, Iterable, Iterator, NamedTuple

from ..._base.masks import MASK
from ..files import lines, master_cf, passwords

# What only smtpd(8), postscreen(8), lmtp(8) and virtual(8) read.
_ASIDE = ("smtpd_", "postscreen_", "lmtp_", "virtual_mailbox_", "virtual_uid_", "virtual_gid_")
_RELAYING = ("_restrictions", "_hosts", "_clients", "_networks", "virtual_mailbox_domains")


_WORD = re.compile(r"\w+")
_QUOTED = re.compile(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"")


class Finding(NamedTuple):
    """One mistake (certain) or one opinion (not certain)."""

    file: str
    line: int
    parameter: str
    value: str
    problem: str
    remedy: str
    certain: bool = True
    check: str = ""
    """The name of the check that found it."""
    behind: Finding | None = None
    """The finding itself, where this one says less of it than it could: nothing of that is ever shown."""

    def __str__(self) -> str:
        place = f"{self.file} line {self.line}" if self.line else self.file
        what = f"{self.parameter} = {self.value}".strip() if self.value else self.parameter
        return f"{place}: {what}: {self.problem}" + (f"; {self.remedy}" if self.remedy else "")

    def as_dict(self) -> dict[str, object]:
        shown = self._asdict()
        del shown["behind"]
        return dict(shown)

    @property
    def whole(self) -> Finding:
        """What is to be decided by."""
        return self.behind or self

    @property
    def where(self) -> tuple[str, str]:
        """The service (name/type) and the parameter that it is about, the one or the other may be empty."""
        service, _option, setting = self.parameter.rpartition(" -o ")
        before, is_service, name = setting.partition("service ")
        return (name, "") if is_service and not before else (service, setting)

    @property
    def aside(self) -> bool:
        """Whether mail goes out all the same, and nobody may relay by it.

        It is about what comes from other hosts, or about the right side of one row, which few messages meet. What is
        wrong with a row's key makes a daemon do without the whole table, and a row of all keys is met by all mail.
        """
        setting = self.where[1]
        row = self.file not in ("main.cf", "master.cf") and self.value and self.parameter != "*"
        return bool(row) or (setting.startswith(_ASIDE) and not setting.endswith(_RELAYING))

    @property
    def named(self) -> set[str]:
        """Whoever names one of these asks for it: the parameter, or the service (name/type) that sets it."""
        return {word for word in self.where if word}

    def concealed(self, content: str, public: frozenset[str] = frozenset()) -> Finding:
        """As it may be shown where the content of its file is secret: no word of its line, neither key nor value.

        What stands in quotes is masked. Elsewhere a hole would say what is missing, so a text that has a word of the
        line is not told at all. What is `public`, such as a next hop that stands in main.cf, does not count.
        """
        words = {*_WORD.findall(_line_of(content, self.line).lower())}
        untold = f"docs/checks.md says what {self.check or 'this check'} finds"

        def told(text: str, instead: str) -> str:
            text = _QUOTED.sub(lambda quoted: f"{quoted.group()[0]}{MASK}{quoted.group()[0]}", text)
            counts = " ".join(each for each in text.split() if each.rstrip(".,;:") not in public)
            return instead if words & {*_WORD.findall(counts.lower())} else text

        return self._replace(
            parameter=MASK if self.parameter else "",
            value=MASK if self.value else "",
            problem=told(self.problem, "what is wrong here cannot be told without words of this line"),
            remedy=told(self.remedy, untold),
            behind=self,
        )

    def discreet(self, more: frozenset[str] = frozenset()) -> Finding:
        """Without the passwords that somebody wrote into main.cf or master.cf, as passwords.is_secret() has `more`."""
        if not self.value.endswith("…") and passwords.is_secret(self.where[1], self.value, more):
            return self._without({self.value, *re.split(r"[\s{}]+", self.value)})
        return self

    def _without(self, words: set[str]) -> Finding:
        problem, remedy = self.problem, self.remedy
        for each in sorted(words - {"", "="}, key=len, reverse=True):
            alone = re.compile(rf"(?<!\w){re.escape(each)}(?!\w)")
            problem, remedy = alone.sub(MASK, problem), alone.sub(MASK, remedy)
        shown = MASK if self.value else ""
        return self._replace(value=shown, problem=problem, remedy=remedy, behind=self)


def _line_of(content: str, number: int) -> str:
    """The logical line that this line belongs to."""
    for line in lines.logical_lines(content):
        if line.number <= number < line.number + len(line.physical):
            return line.text
    return ""


class Setting(NamedTuple):
    """One assignment, in main.cf or as a -o option of a service; or a row of a table that says what one would."""

    file: str
    line: int
    name: str
    raw: str
    service: master_cf.Service | None = None

    def error(
        self, problem: str, remedy: str = "", value: str | None = None, certain: bool = True
    ) -> Finding:
        """A mistake there; an opinion where it is not certain."""
        name = f"{'/'.join(self.service.key)} -o {self.name}" if self.service else self.name
        shown = self.raw if value is None else value
        return Finding(self.file, self.line, name, shown, problem, remedy, certain)

    def warning(self, problem: str, remedy: str = "") -> Finding:
        return self.error(problem, remedy, certain=False)


class TableRow(NamedTuple):
    """A row of a lookup table. Its value may be a secret: it is quoted only where a check gives it."""

    file: str
    line: int
    key: str
    value: str

    def error(self, problem: str, remedy: str = "", value: str = "", certain: bool = True) -> Finding:
        return Finding(self.file, self.line, self.key, value, problem, remedy, certain)


def service_error(
    entry: master_cf.Service, value: str, problem: str, remedy: str = "", certain: bool = True
) -> Finding:
    """A mistake in a line of master.cf."""
    name = f"service {'/'.join(entry.key)}"
    return Finding("master.cf", entry.line, name, value, problem, remedy, certain)


class Check(NamedTuple):
    """A judgement with a name, which is never changed once released: people turn checks off by it.

    `parameters` are the settings that `run` is called with, one by one, by their names or by patterns with an asterisk;
    without any it looks at the whole configuration. The docstring of `run` says what it finds, why that matters, and
    where to read on.
    """

    name: str
    parameters: tuple[str, ...]
    run: Callable[..., Iterator[Finding]]

    def findings(self, configuration: Any) -> Iterator[Finding]:
        if not self.parameters:
            found = self.run(configuration)
        else:
            found = (
                each
                for setting, value in configuration.settings_of(*self.parameters)
                for each in self.run(configuration, setting, value)
            )
        return (each._replace(check=self.name) for each in found)


def check(name: str, *parameters: str) -> Callable[[Callable[..., Iterator[Finding]]], Check]:
    """Make a check of a function (configuration[, setting, value]) that yields findings."""
    return lambda run: Check(name, parameters, run)


def nearest(word: str, choices: Iterable[str], cutoff: float = 0.6) -> str:
    """The choice that was probably meant; empty where none looks like the word."""
    return next(iter(difflib.get_close_matches(word, list(choices), cutoff=cutoff)), "")


def suggest(word: str, allowed: Iterable[str]) -> str:
    choices = list(allowed)
    near = nearest(word.lower(), [each.lower() for each in choices])
    if near:
        return f"write {next(each for each in choices if each.lower() == near)}"
    return f"write one of {', '.join(choices)}" if len(choices) < 20 else "look it up in postconf(5)"
