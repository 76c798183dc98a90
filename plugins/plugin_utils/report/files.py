"""The report as files: which suffix has which face, and how a file is written.

Rules of this file: a reader sees the whole old file or the whole new one. A face is a function that makes pieces of
text of a document, and a row in FACES.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Callable, Iterable, Sequence

from ...module_utils._base.words import listed
from . import as_json, html_page, junit, markdown
from .model import Document

FACES: dict[str, Callable[[Document], Iterable[str]]] = {
    ".json": as_json.render,
    ".xml": junit.render,
    ".md": markdown.render,
    ".html": html_page.render,
}


class ReportError(Exception):
    """Why a report cannot be written, in a sentence that begins with the name of the variable."""


def paths(asked: Sequence[str], name: str) -> list[Path]:
    """The files that the variable `name` asks for, relative ones below the current directory. Raises ReportError."""
    found = []
    for text in filter(None, asked):
        # Ansible's own rule (beside the playbook) would lead into the installed collection for a playbook of it.
        path = Path.cwd() / Path(text).expanduser()
        if path.suffix.lower() not in FACES:
            suffix = f"the suffix {path.suffix}" if path.suffix else "no suffix"
            raise ReportError(
                f"{name}: {text} has {suffix}, and the suffix says the format of a report: one of "
                f"{listed(FACES, 'or')}. Give the file one of them."
            )
        if path in found:
            raise ReportError(f"{name}: {text} is there twice. Leave one out.")
        found.append(path)
    return found


def write(document: Document, path: Path, name: str) -> None:
    """Write the face that the suffix asks for. Raises ReportError, which names the variable and the path."""
    face = FACES[path.suffix.lower()]
    temporary = ""
    try:
        # A link stays one.
        target = path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        descriptor, temporary = tempfile.mkstemp(prefix=".report.", dir=target.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(face(document))
            stream.flush()
            os.fchmod(stream.fileno(), _mode(target))
        os.replace(temporary, target)
        temporary = ""
    except OSError as error:
        raise ReportError(
            f"{name}: the report cannot be written to {path}: {error.strerror or error}. Name a file that "
            "the user who runs Ansible may write."
        ) from None
    finally:
        if temporary:
            os.unlink(temporary)


def _mode(path: Path) -> int:
    """The mode of the file that is there, else that of any new file."""
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        mask = os.umask(0o022)
        os.umask(mask)
        return 0o666 & ~mask
