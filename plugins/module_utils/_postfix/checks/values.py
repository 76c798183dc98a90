"""What is wrong with single values: types, ranges, closed sets of words.

The rule of this file: types come from Postfix's own defaults (postconf -d), sets of words from parameters.py.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import os
import re
import ssl
from typing import Iterator

from ..files import expansion, lines
from ..files.parameters import (
    ENUMERATIONS,
    LONG_NUMBERS,
    MECHANISM_SPELLINGS,
    NEGATIVE_NUMBERS,
    NUMBERS_FROM_ONE,
    SUFFIX_TYPES,
    TIME_SUFFIXES_FROM_ZERO,
    TIMES_FROM_ZERO,
    TLS_PROTOCOLS,
    UNTYPED_PARAMETERS,
    WORD_LISTS,
)
from ..files.version import supports
from .configuration import Configuration
from .finding import Finding, Setting, check, suggest

# data_directory is not among them: Postfix makes it at its start.
_DIRECTORIES = (
    "queue_directory",
    "command_directory",
    "daemon_directory",
    "meta_directory",
    "shlib_directory",
)
_INT_MAX = 2147483647


@check("directory-missing")
def directory_missing(config: Configuration) -> Iterator[Finding]:
    """A directory of the installation that is not there.

    Postfix does not start, or its programs and daemons are not found.
    Manual: postconf(5) queue_directory, command_directory, daemon_directory, meta_directory, shlib_directory.
    """
    for name in _DIRECTORIES:
        path = config.value(name)
        if path and path != "no" and not os.path.isdir(path):
            yield config.setting(name).error(f"the directory {path} does not exist", "correct the path")


@check("mailbox-smaller-than-message")
def mailbox_smaller_than_message(config: Configuration) -> Iterator[Finding]:
    """A mailbox limit below the size that a message may have.

    local(8) and virtual(8) do not start then, and all mail to this host's mailboxes waits.
    Manual: postconf(5) mailbox_size_limit, virtual_mailbox_limit, message_size_limit.
    """
    message = config.value("message_size_limit")
    for daemon, parameter, transport, domains in (
        ("local", "mailbox_size_limit", "local_transport", "mydestination"),
        ("virtual", "virtual_mailbox_limit", "virtual_transport", "virtual_mailbox_domains"),
    ):
        limit = config.value(parameter)
        used = (
            config.words(domains) and config.command_of(config.value(transport).partition(":")[0]) == daemon
        )
        if not used or not (message.isdigit() and limit.isdigit()) or int(limit) == 0:
            continue
        if int(message) == 0 or int(limit) < int(message):
            named = parameter if config.main.line_of(parameter) else "message_size_limit"
            yield config.setting(named).error(
                f"{parameter} ({limit}) is smaller than message_size_limit ({message}; 0 is unlimited), "
                f"so {daemon}(8) does not start",
                f"write {parameter} = 0" + (f", or at least {message}" if int(message) else ""),
            )


@check("value-type", "*")
def value_type(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A value that is not the yes or no, the number or the time that the parameter takes.

    Daemons end with "bad boolean configuration" or "bad numerical configuration" as soon as they read it; postconf(1)
    and `postfix check` say nothing.
    Manual: postconf(5).
    """
    kind = _type_of(config, setting.name)
    if kind:
        needed, remedy_for = _TYPES[kind]
        remedy = remedy_for(value)
        if remedy:
            yield setting.error(f"{needed} is needed here", remedy)


@check("value-range", "*")
def value_range(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A number or a time that is too small or too large for its parameter.

    Each daemon has its bounds, and ends as soon as it reads a value outside of them.
    Manual: postconf(5).
    """
    name, kind = setting.name, _type_of(config, setting.name)
    if kind not in ("number", "time") or _TYPES[kind][1](value):
        return
    if kind == "time":
        zero = name in TIMES_FROM_ZERO or name.endswith(TIME_SUFFIXES_FROM_ZERO)
        if not zero and int(value.rstrip("smhdw")) == 0:
            yield setting.error(
                "Postfix's daemons do not start with a time of zero here", "write at least 1 s"
            )
    elif re.search(r"(\A|_)(reject|defer)_code\Z", name):
        if not re.match(r"[2-5]\d\d\Z", value):
            yield setting.error("a reply code has three digits", "write 450 or 550")
    elif int(value) < (name in NUMBERS_FROM_ONE) and name not in NEGATIVE_NUMBERS:
        yield setting.error(
            "Postfix's daemons do not start with a number that small here",
            f"write at least {int(name in NUMBERS_FROM_ONE)}",
        )
    elif int(value) > _INT_MAX and name not in LONG_NUMBERS:
        yield setting.error("the number is too large", f"write at most {_INT_MAX}")


@check("unknown-word", *ENUMERATIONS)
def unknown_word(_config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A value that is none of those that the parameter has, as a misspelt TLS level.

    The daemon that reads it ends, or defers all mail.
    Manual: postconf(5).
    """
    allowed, what = ENUMERATIONS[setting.name]
    if value.lower() not in allowed:
        yield setting.error(f"there is no such {what}", suggest(value, [word for word in allowed if word]))


@check("unknown-list-word", *WORD_LISTS)
def unknown_list_word(_config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A word of a list that is none of those that the parameter has.

    The daemon that reads it ends.
    Manual: postconf(5).
    """
    allowed, what = WORD_LISTS[setting.name]
    for word in lines.split_list(value):
        if word.lower() not in allowed:
            yield setting.error(f"{word!r} is not a valid {what}", suggest(word, allowed))


@check("fingerprint-digest", "*_fingerprint_digest")
def fingerprint_digest(_config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A digest that OpenSSL does not have.

    TLS does not start, so mail is deferred, or sent in the clear where TLS is optional.
    Manual: postconf(5) smtp_tls_fingerprint_digest.
    """
    if value.lower() not in hashlib.algorithms_available:
        yield setting.error("OpenSSL knows no such digest", suggest(value, ["sha256", "sha1", "md5"]))


@check("cipher-list", "tls_high_cipherlist", "tls_medium_cipherlist")
def cipher_list(_config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A list of ciphers of which OpenSSL knows none.

    TLS does not start.
    Manual: postconf(5) tls_high_cipherlist, openssl-ciphers(1).
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).set_ciphers(value)
    except ssl.SSLError:
        yield setting.error("OpenSSL knows no cipher of this list", "see openssl ciphers -v 'HIGH:!aNULL'")


@check("tls-protocol", "*_tls_protocols", "*_tls_mandatory_protocols")
def tls_protocol(config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A protocol that does not exist, or a range that this Postfix cannot read.

    TLS does not start, so mail is deferred, or sent in the clear where TLS is optional.
    Manual: postconf(5) smtp_tls_mandatory_protocols.
    """
    for word in re.split(r"[\s,:]+", value):
        bare = word.lstrip("!<>=")
        if not word:
            continue
        if word.startswith((">=", "<=")) and not supports(config.version, "tls_protocol_ranges"):
            yield setting.error(
                f"Postfix {config.version} has no ranges", "write !SSLv2, !SSLv3, !TLSv1, !TLSv1.1"
            )
        elif bare.lower() not in TLS_PROTOCOLS and not re.match(r"(0x)?0?[0-9a-f]{3,4}\Z", bare.lower()):
            yield setting.error(
                f"{word!r} is not a TLS protocol", suggest(bare, list(TLS_PROTOCOLS.values()))
            )


@check("sasl-mechanism-spelling", "*_sasl_mechanism_filter")
def sasl_mechanism_spelling(_config: Configuration, setting: Setting, value: str) -> Iterator[Finding]:
    """A SASL mechanism by the name of its plugin, as crammd5 for CRAM-MD5.

    It matches nothing that a server offers, so no mechanism is left to log in with.
    Manual: postconf(5) smtp_sasl_mechanism_filter.
    """
    for word in lines.split_list(value):
        bare = word.lstrip("!")
        known = MECHANISM_SPELLINGS.get(bare.upper().replace("-", "").replace("_", ""))
        if known and bare.upper() != known:
            yield setting.error(f"{word!r} is not a SASL mechanism, so none would be left", f"write {known}")


@check("protocols-empty")
def protocols_empty(config: Configuration) -> Iterator[Finding]:
    """inet_protocols without a word.

    Postfix does not start.
    Manual: postconf(5) inet_protocols.
    """
    if not config.words("inet_protocols"):
        yield config.setting("inet_protocols").error("no protocol is named", "write all, ipv4 or ipv6")


@check("compatibility-level")
def compatibility_level(config: Configuration) -> Iterator[Finding]:
    """A compatibility_level that this Postfix does not know.

    Every program of Postfix refuses it, or takes the defaults of another release.
    Manual: postconf(5) compatibility_level, COMPATIBILITY_README.
    """
    setting, version = config.setting("compatibility_level"), config.version
    if not setting.line or not version.major:
        # postconf(1) could not say which release this is: that is found elsewhere.
        return
    if not re.match(r"\d+(\.\d+){0,2}\Z", setting.raw):
        yield setting.error("a level is a number or a version", f"write {version.major}.{version.minor}")
        return
    parts = tuple(int(part) for part in setting.raw.split("."))
    if parts[0] >= 3 and parts[:2] > (version.major, version.minor):
        yield setting.error(f"this host has Postfix {version}", f"write {version.major}.{version.minor}")
    elif len(parts) > 1 and not supports(version, "compatibility_level_version"):
        yield setting.error(f"Postfix {version} takes only 0, 1 or 2", "write 2")


def _type_of(config: Configuration, name: str) -> str:
    """boolean, number or time as the default of the parameter shows; empty for text."""
    if name in UNTYPED_PARAMETERS or name in ENUMERATIONS or name in WORD_LISTS:
        return ""
    # 1, 0.5, 1/concurrency or 1/sqrt_concurrency.
    if name.endswith(("_concurrency_positive_feedback", "_concurrency_negative_feedback")):
        return ""
    default = config.defaults.get(name)
    if default is None:
        return next((kind for suffix, kind in SUFFIX_TYPES if name.endswith(suffix)), "")
    try:
        default = expansion.expand(default, config.defaults)
    except expansion.CannotExpand:
        return ""
    if default in ("yes", "no"):
        return "boolean"
    if re.match(r"\d+\Z", default):
        return "number"
    return "time" if re.match(r"\d+[smhdw]\Z", default) else ""


def _boolean(value: str) -> str | None:
    if value.lower() in ("yes", "no"):
        return None
    if value.lower() in ("true", "on", "1", "y", "enable", "enabled"):
        return "write yes"
    if value.lower() in ("false", "off", "0", "n", "none", "disable", "disabled"):
        return "write no"
    return "write yes or no"


def _number(value: str) -> str | None:
    if re.match(r"-?\d+\Z", value):
        return None
    match = re.match(r"(\d+)\s*([kKmMgG])i?[bB]?\Z", value)
    if match:
        factor = {"k": 1024, "m": 1024**2, "g": 1024**3}[match.group(2).lower()]
        return f"write {int(match.group(1)) * factor}"
    return "write digits only"


def _time(value: str) -> str | None:
    if re.match(r"\d+[smhdw]?\Z", value):
        return None
    match = re.match(r"(\d+)\s*([smhdwSMHDW])(?![sS])", value)
    return (
        f"write {match.group(1)}{match.group(2).lower()}"
        if match
        else "write a number with s, m, h, d or w, for example 5m"
    )


# type -> what is needed, and what to write instead of a value that is not that
_TYPES = {"boolean": ("yes or no", _boolean), "number": ("a number", _number), "time": ("a time", _time)}

CHECKS = (
    directory_missing,
    value_type,
    value_range,
    mailbox_smaller_than_message,
    unknown_word,
    unknown_list_word,
    fingerprint_digest,
    cipher_list,
    tls_protocol,
    sasl_mechanism_spelling,
    protocols_empty,
    compatibility_level,
)
