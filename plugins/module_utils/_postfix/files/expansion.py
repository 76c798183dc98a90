"""$name, ${name} and ${name?value} in the values of parameters, postconf(5)."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any, Mapping

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class CannotExpand(ValueError):
    """A value refers to something that cannot be known here."""


def expand(value: str, lookup: Mapping[str, str], depth: int = 0) -> str:
    """Replace $name, ${name}, ${name?text}, ${name:text}, ${{a} == {b} ? {c} : {d}} and
    ${domain_to_ascii{name}} as postconf(5) says.

    Raises CannotExpand for an expression that this does not understand or that does not end.
    """
    if depth > 20:
        raise CannotExpand(value)
    result, index = "", 0
    while index < len(value):
        char = value[index]
        if char != "$":
            result += char
            index += 1
        elif value.startswith("$$", index):
            result += "$"
            index += 2
        elif value.startswith(("${", "$("), index):
            end = _matching(value, index + 1)
            result += _expand_braced(value[index + 2 : end], lookup, depth)
            index = end + 1
        else:
            match = _NAME.match(value, index + 1)
            if not match:
                raise CannotExpand(value)
            name = match.group().rstrip(".-")
            result += expand(lookup.get(name, ""), lookup, depth + 1)
            index += 1 + len(name)
    return result


def _matching(text: str, start: int) -> int:
    opening = text[start]
    closing = {"{": "}", "(": ")"}[opening]
    depth = 0
    for index in range(start, len(text)):
        depth += (text[index] == opening) - (text[index] == closing)
        if depth == 0:
            return index
    raise CannotExpand(text)


def _expand_braced(inner: str, lookup: Mapping[str, str], depth: int) -> str:
    inner = inner.strip()
    if inner.startswith("{"):
        end = _matching(inner, 0)
        left = expand(inner[1:end].strip(), lookup, depth + 1)
        match = re.match(
            r"\s*(==|!=|<=level|>=level|==level|!=level|<level|>level|<=|>=|<|>)\s*", inner[end + 1 :]
        )
        if not match:
            raise CannotExpand(inner)
        rest = inner[end + 1 + match.end() :]
        if not rest.startswith("{"):
            raise CannotExpand(inner)
        close = _matching(rest, 0)
        right = expand(rest[1:close].strip(), lookup, depth + 1)
        chosen = _branch(_compare(left, match.group(1), right), rest[close + 1 :].strip())
        return expand(chosen, lookup, depth + 1)
    match = _NAME.match(inner)
    if not match:
        raise CannotExpand(inner)
    name, rest = match.group(), inner[match.end() :].strip()
    value = lookup.get(name, "")
    if not rest:
        return expand(value, lookup, depth + 1)
    if rest[0] == ":":
        return expand(value if value else _unbrace(rest[1:]), lookup, depth + 1)
    if rest[0] == "{" and name == "domain_to_ascii":
        return _to_ascii(expand(rest[1 : _matching(rest, 0)].strip(), lookup, depth + 1))
    return expand(_branch(bool(value), rest), lookup, depth + 1)


def _to_ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise CannotExpand(domain) from None


def _branch(condition: bool, rest: str) -> str:
    if not rest.startswith("?"):
        raise CannotExpand(rest)
    rest = rest[1:].strip()
    if not rest.startswith("{"):
        return rest if condition else ""
    end = _matching(rest, 0)
    if condition:
        return rest[1:end].strip()
    otherwise = rest[end + 1 :].strip()
    return _unbrace(otherwise[1:]) if otherwise.startswith(":") else ""


def _unbrace(text: str) -> str:
    text = text.strip()
    return text[1:-1].strip() if text.startswith("{") and text.endswith("}") else text


def _compare(left: str, operator: str, right: str) -> bool:
    def order(text: str) -> Any:
        if operator.endswith("level"):
            return tuple(int(part) if part.isdigit() else 0 for part in text.split("."))
        return int(text) if left.isdigit() and right.isdigit() else text

    a, b = order(left), order(right)
    return bool(
        {"==": a == b, "!=": a != b, "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[
            operator.replace("level", "")
        ]
    )
