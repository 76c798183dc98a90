"""Imports from the archive in which Ansible sends a module, each source compiled once. Import it before the others.

zipimport compiles a source twice: to find out the name of its file, and to run it (python/cpython#141276). A module's
imports are most of the time that it takes.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
import zipimport


class Importer(zipimport.zipimporter):
    """Imports from an archive that has sources and no compiled files."""

    def get_filename(self, fullname: str) -> str:
        end = "/__init__.py" if self.is_package(fullname) else ".py"
        return f"{self.archive}/{self.prefix}{fullname.rpartition('.')[2]}{end}"


def compile_once(archive: str) -> None:
    """From now on, for whatever is in the archive and not imported yet."""

    def hook(path: str) -> Importer:
        if not path.startswith(archive):
            raise ImportError(f"{path} is not in {archive}")
        return Importer(path)

    sys.path_hooks.insert(0, hook)
    for path in [*sys.path_importer_cache]:
        if path.startswith(archive):
            del sys.path_importer_cache[path]


_loader = __spec__.loader
if isinstance(_loader, zipimport.zipimporter):
    compile_once(_loader.archive)
