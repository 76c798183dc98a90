"""What postfix_config was asked for, as data."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Mapping, NamedTuple, Sequence

from .outcome import DeployError


class FileWish(NamedTuple):
    """A file that the caller owns. Without content and absent it is only given a mode."""

    path: str
    content: str | None = None
    mode: int | None = None
    sensitive: bool = False
    absent: bool = False
    block: bool = False
    """Whether the content is a block in a table whose other rows are the host's own."""
    owner: tuple[int, int] | None = None
    self_signed: bool = False
    """Whether it holds a key and a certificate of this host's own making, which are made where there are none."""


@dataclass
class BlockWish:
    """What the block in main.cf is to hold, see the option `block` of postfix_config."""

    text: str = ""
    prepend: Mapping[str, str] = field(default_factory=dict)
    default: Mapping[str, str | None] = field(default_factory=dict)
    stock: Mapping[str, str] = field(default_factory=dict)
    replace: bool = False
    fresh: bool = False
    required: Mapping[str, str] = field(default_factory=dict)
    """What has no safe value where main.cf is the distribution's, and the sentence for it."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The user's names for parameters that are in the block, and for what `parameters` and `services` hold."""
    offered: Sequence[str] = ()
    """The SASL mechanisms that the relay offers."""
    reachable: str = ""
    """The sentence for a host whose own inet_interfaces admits no other host; empty where that is no matter."""


@dataclass
class Request:
    """What postfix_config was asked for."""

    config_directory: str = "/etc/postfix"
    files: Sequence[FileWish] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    services: Sequence[Mapping[str, Any]] = ()
    block: BlockWish | None = None
    restore: str | None = None
    listen: Sequence[int] = ()
    timeout: float = 30.0
    activate: str = "auto"
    backup: bool = False
    backup_keep: int = 5
    replace_mta: bool = False
    ignore: Mapping[str, str] = field(default_factory=dict)
    """Checks that are turned off, by name, and why."""
    needs: Sequence[str] = ()
    """Programs that the change depends on, beside Postfix's."""


def file_wishes(entries: Sequence[Mapping[str, Any]]) -> list[FileWish]:
    """The module's `files` as wishes. Raises DeployError naming the entry that cannot be."""
    result = []
    for entry in entries:
        path = os.path.normpath(str(entry["path"]))
        if os.path.isabs(path) or path.startswith("..") or path == ".":
            raise DeployError(
                f"files: path {entry['path']!r} must be relative to config_directory and stay below it, "
                "for example sasl_passwd"
            )
        absent = entry.get("state") == "absent"
        self_signed = bool(entry.get("self_signed"))
        if entry.get("content") is None and not absent and not self_signed:
            raise DeployError(
                f"files: {path}: content is missing; give it, or state: absent to remove the file"
            )
        content = str(entry.get("content") or "")
        if content and not content.endswith("\n"):
            content += "\n"
        result.append(
            FileWish(
                path,
                content,
                parse_mode(path, entry.get("mode")),
                bool(entry.get("sensitive")) or self_signed,
                absent,
                bool(entry.get("block")),
                self_signed=self_signed,
            )
        )
    paths = [wish.path for wish in result]
    for path in paths:
        if paths.count(path) > 1:
            raise DeployError(f"files: {path} is given {paths.count(path)} times; once is enough")
    return result


def parse_mode(path: str, raw: Any) -> int | None:
    if raw is None or raw == "":
        return None
    try:
        mode = raw if isinstance(raw, int) and not isinstance(raw, bool) else int(str(raw), 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o7777:
        raise DeployError(
            f"files: {path}: mode {raw!r} is not an octal mode; write it as text, for example '0640'"
        )
    return mode
