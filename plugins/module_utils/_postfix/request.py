"""What postfix_config was asked for, as data."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, NamedTuple, Sequence


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
