"""Stands in for the get-pip script that ansible-test fetches from Ansible's site, where that is out of reach.

It is copied to get_pip_<version>.py, with the wheel of that pip beside it, and lets pip install from it.
ansible-test gives it options of get-pip that pip itself does not know; these are dropped.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import runpy
import sys

directory, name = os.path.split(os.path.abspath(__file__))
version = name[len("get_pip_") : -len(".py")].replace("_", ".")
options = [option for option in sys.argv[1:] if option not in ("--no-setuptools", "--no-wheel")]

sys.path.insert(0, os.path.join(directory, f"pip-{version}-py3-none-any.whl"))
sys.argv = ["pip", "install", "--no-index", "--find-links", directory, *options]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
