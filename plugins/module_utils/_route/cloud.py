"""Which hosting provider is this, and what does it do to outgoing SMTP?

Rules of this file: it reads only what the kernel and the provider's image show (DMI strings, the kernel
command line, marker files) and asks no metadata service. What cannot be read counts as absent. A policy
explains a verdict and orders guesses; it never decides what a probe has answered.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import re
from typing import Any, Callable, Mapping, NamedTuple

from .._base.words import listed
from .._smtp.verdict import VERDICTS, Result
from .hosting import (
    BLOCKED,
    BLOCKED_DEFAULT,
    EGRESS,
    GENERAL,
    OPEN,
    PRIMARY,
    REACTIVE,
    RECOGNITION,
    SECONDARY,
    SOURCES,
    THROTTLED,
    UNKNOWN,
    Match,
    Rule,
)

# Ansible's names of the DMI fields -> the kernel's, below /sys/class/dmi/id.
_DMI_FILES: dict[str, str] = {
    "system_vendor": "sys_vendor",
    "product_name": "product_name",
    "product_serial": "product_serial",
    "product_uuid": "product_uuid",
    "bios_vendor": "bios_vendor",
    "bios_version": "bios_version",
    "board_vendor": "board_vendor",
    "chassis_vendor": "chassis_vendor",
    "chassis_asset_tag": "chassis_asset_tag",
}

_OPERATIONS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda seen, wanted: seen == wanted,
    "startswith": lambda seen, wanted: seen.startswith(wanted),
    "contains": lambda seen, wanted: wanted in seen,
    "regex": lambda seen, wanted: re.search(wanted, seen) is not None,
}

_CAVEAT = {
    PRIMARY: "",
    SECONDARY: " (third parties say so, not the provider)",
    GENERAL: " (general knowledge, no source was found)",
}


SMTP = 25

_UNNAMED = {"state": UNKNOWN, "confidence": GENERAL}


class Cloud(NamedTuple):
    """The hosting provider. `provider` is `unknown` when nothing fits.

    egress: {"ports": {"587": {"state", "confidence"}}, "lift", "note", "sources", "as_of"}; a port that no source
    names is absent.
    """

    provider: str
    title: str
    evidence: str
    egress: dict[str, Any]
    confidence: str = PRIMARY

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the fact."""
        return {
            "provider": self.provider,
            "title": self.title,
            "evidence": self.evidence,
            "policy": self.egress,
            "confidence": self.confidence,
        }

    def state(self, port: int) -> str:
        """The provider's state of one port; `unknown` when no source names it."""
        return str(self._row(port)["state"])

    def confidence_in(self, port: int) -> str:
        return str(self._row(port)["confidence"])

    def ports_in(self, *states: str) -> list[int]:
        return [int(port) for port, row in self.egress["ports"].items() if row["state"] in states]

    def _row(self, port: int) -> Mapping[str, str]:
        row: Mapping[str, str] = self.egress["ports"].get(str(port), _UNNAMED)
        return row


def recognise(root: str = "/") -> Cloud:
    """Recognise the provider from what lies below `root`; root-only fields are read where that is allowed."""
    fields = _Fields(root)
    for provider, row in RECOGNITION.items():
        for rule in row.rules:
            if all(fields.fits(match) for match in rule):
                return Cloud(provider, row.title, fields.evidence(rule), egress(provider), row.confidence)
    return Cloud("unknown", "an unknown provider", fields.summary(), egress("unknown"), GENERAL)


def egress(provider: str) -> dict[str, Any]:
    """What a provider does to outgoing SMTP, as plain data; no ports at all for one without a row."""
    row = EGRESS.get(provider)
    if row is None:
        return {"ports": {}, "lift": None, "note": None, "sources": [], "as_of": None}
    return {
        "ports": {str(port): dict(row.ports[port]._asdict()) for port in sorted(row.ports)},
        "lift": row.lift,
        "note": row.note,
        "sources": [SOURCES[name] for name in row.sources],
        "as_of": row.as_of,
    }


def advise(result: Result, cloud: Cloud) -> str:
    """The advice of a probe's result, with what is known of the provider when the network may be to blame."""
    advice = str(result.advice or "").strip()
    explanation = explain(result.verdict, result.port, cloud)
    return " ".join(part for part in (advice, explanation) if part)


def explain(verdict: str, port: int, cloud: Cloud) -> str:
    """What the provider does to this port and how to lift it; empty where that cannot explain the verdict."""
    state = cloud.state(port)
    caveat = _CAVEAT[cloud.confidence_in(port)]
    if state == THROTTLED:
        return (
            f"{cloud.title} throttles outgoing port {port}{caveat}: a probe can succeed while delivery is still very "
            f"slow.{_lift(cloud)}"
        )
    if cloud.provider == "unknown" or not may_be_the_network(verdict):
        return ""
    if state in (BLOCKED, BLOCKED_DEFAULT):
        return _explain_block(port, state, caveat, cloud)
    if state == REACTIVE:
        return (
            f"{cloud.title} closes outgoing port {port} for an address that its spam scanner "
            f"reports{caveat}: look "
            "for a notice from them."
        )
    if state == OPEN:
        return (
            f"{cloud.title} leaves outgoing port {port} open by default{caveat}, so look for a filter "
            "of your own:"
            " a security group, a network ACL or the host's firewall."
        )
    return f"What {cloud.title} does to outgoing port {port} is not known."


def may_be_the_network(verdict: str) -> bool:
    """Whether a filter between the host and the relay could give this verdict."""
    return VERDICTS[verdict].network


def _explain_block(port: int, state: str, caveat: str, cloud: Cloud) -> str:
    if state == BLOCKED:
        lift = " and is not known to lift that."
    else:
        lift = (
            f"; to lift that, {cloud.egress['lift']}."
            if cloud.egress["lift"]
            else " and lifts that on request."
        )
    return f"{cloud.title} blocks outgoing port {port} by default{caveat}{lift}{_openings(cloud)}"


def _openings(cloud: Cloud) -> str:
    """The submission ports that are open there, or an empty string."""
    ports = [port for port in cloud.ports_in(OPEN) if port != SMTP]
    known = [port for port in ports if cloud.confidence_in(port) != GENERAL]
    guessed = [port for port in ports if cloud.confidence_in(port) == GENERAL]
    if known and guessed:
        return f" Open there: {listed(known)}, and as far as is generally known {listed(guessed)}."
    if known:
        return f" Open there: {listed(known)}."
    return f" Open there as far as is generally known: {listed(guessed)}." if guessed else ""


def _lift(cloud: Cloud) -> str:
    lift: str | None = cloud.egress["lift"]
    return f" To lift that, {lift}." if lift else ""


class _Fields:
    """DMI fields, kernel words and files below one root, each read once."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._dmi: dict[str, str] = {}
        self._words: list[str] | None = None

    def fits(self, match: Match) -> bool:
        if match.field == "file_exists":
            return os.path.exists(self._path(match.value))
        if match.field == "kernel_cmdline_word":
            return match.value in self._kernel_words()
        seen = self._field(match.field)
        return bool(seen) and _OPERATIONS[match.op](seen, match.value)

    def evidence(self, rule: Rule) -> str:
        return " and ".join(self._evidence(match) for match in rule)

    def summary(self) -> str:
        seen = [f"{field} is '{self._field(field)}'" for field in ("system_vendor", "product_name")]
        seen = [text for text in seen if not text.endswith("is ''")]
        if not seen:
            return "this host shows no DMI strings"
        return f"DMI {' and '.join(seen)}, which matches no known provider"

    def _evidence(self, match: Match) -> str:
        if match.field == "file_exists":
            return f"the file {match.value} exists"
        if match.field == "kernel_cmdline_word":
            return f"the kernel command line holds the word {match.value}"
        if match.field == "product_uuid":
            return "DMI product_uuid begins as Amazon's do"
        return f"DMI {match.field} is '{self._field(match.field)}'"

    def _field(self, name: str) -> str:
        if name not in self._dmi:
            text = self._read(os.path.join("sys/class/dmi/id", _DMI_FILES[name]))
            printable = "".join(char for char in text if char.isprintable()).strip()
            self._dmi[name] = "" if printable == "NA" else printable
        return self._dmi[name]

    def _kernel_words(self) -> list[str]:
        if self._words is None:
            self._words = self._read("proc/cmdline").split()
        return self._words

    def _path(self, name: str) -> str:
        return os.path.join(self._root, name.lstrip("/"))

    def _read(self, name: str) -> str:
        try:
            with open(self._path(name), encoding="utf-8", errors="replace") as stream:
                return stream.read(4096)
        except OSError:
            return ""
