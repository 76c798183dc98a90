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
from ..files import master_cf

# What only smtpd(8), postscreen(8), lmtp(8) and virtual(8) read.
_ASIDE = ("smtpd_", "postscreen_", "lmtp_", "virtual_mailbox_", "virtual_uid_", "virtual_gid_")
_RELAYING = ("_restrictions", "_hosts", "_clients", "_networks", "virtual_mailbox_domains")


# Tables whose content stands in main.cf itself, wherever in the value: unionmap:{static:…} holds one as well.
IN_MAIN_CF = re.compile(r"\b((static|inline|randmap):|(regexp|pcre|cidr):\s*\{)")


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

    def __str__(self) -> str:
        place = f"{self.file} line {self.line}" if self.line else self.file
        what = f"{self.parameter} = {self.value}".strip() if self.value else self.parameter
        return f"{place}: {what}: {self.problem}" + (f"; {self.remedy}" if self.remedy else "")

    def as_dict(self) -> dict[str, object]:
        return dict(self._asdict())

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

    def concealed(self, content: str) -> Finding:
        """As it may be shown where the content of its file is secret: no word of it, neither key nor value.

        What a finding quotes is what stands in quotes, in the line, or in parameter and value.
        """
        rows = content.splitlines()
        row = rows[self.line - 1] if 0 < self.line <= len(rows) else ""
        shown = self._without({row, *row.split(), self.parameter, self.value})
        return shown._replace(parameter=MASK if self.parameter else "")

    @property
    def discreet(self) -> Finding:
        """Without the passwords that somebody wrote into main.cf."""
        shown = self.value.endswith("…")
        if not shown and self.where[1].endswith("_sasl_password_maps") and IN_MAIN_CF.search(self.value):
            return self._without({self.value, *re.split(r"[\s{}]+", self.value)})
        return self

    def _without(self, words: set[str]) -> Finding:
        problem, remedy = self.problem, self.remedy
        for each in sorted(words - {"", "="}, key=len, reverse=True):
            alone = re.compile(rf"(?<!\w){re.escape(each)}(?!\w)")
            problem, remedy = alone.sub(MASK, problem), alone.sub(MASK, remedy)
        return self._replace(value=MASK if self.value else "", problem=problem, remedy=remedy)


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
