"""Runs one target under atheris: python fuzz.py TARGET [libFuzzer's options] [directories of inputs]

Rule of this file: what is checked stands in targets.py, which knows nothing of atheris.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shlex
import sys

import atheris

with atheris.instrument_imports(include=["ansible_collections.mailops.smtp.plugins.module_utils"]):
    from ansible_collections.mailops.smtp.tests.fuzz.targets import TARGETS


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit("usage: fuzz.py {} [option or directory ...]".format("|".join(TARGETS)))
    name = sys.argv[1]
    # With -merge, libFuzzer runs itself anew: by these words.
    itself = shlex.join([sys.executable, __file__, name])
    atheris.Setup([itself, *sys.argv[2:]], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
