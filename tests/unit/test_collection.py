# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the tree that no other tool checks: who may import what, and descriptions that must match."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
MODULE_UTILS = PLUGINS / "module_utils"
COLLECTION = "ansible_collections.mailops.smtp"
UTILS_PACKAGE = f"{COLLECTION}.plugins.module_utils"
REPOSITORY = "https://github.com/mailops/ansible-smtp"

ROLES = sorted(role.name for role in (ROOT / "roles").iterdir())
SHIPPED_PYTHON = sorted(
    file for top in ("plugins", "roles") for file in (ROOT / top).rglob("*.py") if file.stat().st_size
)
# What runs on the managed host, where there is the standard library and nothing else.
MANAGED_PYTHON = sorted([*MODULE_UTILS.rglob("*.py"), *(PLUGINS / "modules").glob("*.py")])
# Dependencies point one way.
MAY_IMPORT = {
    "_base": {"_base"},
    "_smtp": {"_base", "_smtp"},
    "_route": {"_base", "_route", "_smtp"},
    "_postfix": {"_base", "_postfix"},
}
# The core of the protocol is given bytes and times; it never fetches them.
SANS_IO = ("redact.py", "reply.py", "session.py")
INPUT_OUTPUT = {"asyncio", "datetime", "os", "select", "selectors", "socket", "subprocess", "time"}
# Linked from Galaxy and automation hub, where a path relative to this repository leads nowhere.
READMES = [ROOT / "README.md", *(ROOT / "roles").glob("*/README.md")]


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def options(role: str) -> dict[str, dict[str, Any]]:
    return load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def imports(file: Path) -> Iterator[str]:
    """The modules that a file imports, by their whole name."""
    package = ["ansible_collections", "mailops", "smtp", *file.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # "from package import module" names the module only here
            yield from ([f"{module}.{alias.name}" for alias in node.names] if node.level else [module])


def test_the_tree_has_what_these_rules_look_at() -> None:
    assert {"preflight", "postfix", "verify"} <= set(ROLES)
    names = {file.name for file in MANAGED_PYTHON}
    assert {"smtp_probe.py", "smtp_route_facts.py", "postfix_config.py"} <= names
    assert set(MAY_IMPORT) == {directory.name for directory in MODULE_UTILS.glob("_[a-z]*/")}
    assert all((MODULE_UTILS / "_smtp" / name).exists() for name in SANS_IO)


@pytest.mark.parametrize("file", SHIPPED_PYTHON, ids=name_of)
def test_a_file_names_its_licence(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    head = text.removeprefix("#!/usr/bin/python\n").splitlines()[:3]
    assert head == [
        "# Copyright: (c) 2026, the mailops.smtp authors",
        "# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)",
        "# SPDX-License-Identifier: GPL-3.0-or-later",
    ]


@pytest.mark.parametrize("file", MANAGED_PYTHON, ids=name_of)
def test_what_runs_on_the_managed_host_needs_the_standard_library_alone(file: Path) -> None:
    known = {*sys.stdlib_module_names, "ansible", "ansible_collections"}
    for module in imports(file):
        top = module.partition(".")[0]
        assert top in known, f"{module} is not in the standard library"
        if top.startswith("ansible"):
            assert module.startswith(("ansible.module_utils.", UTILS_PACKAGE)), f"{module} stays behind"


@pytest.mark.parametrize("file", SHIPPED_PYTHON, ids=name_of)
def test_no_other_collection_is_imported(file: Path) -> None:
    for module in imports(file):
        assert not module.startswith("ansible_collections.") or module.startswith(f"{COLLECTION}.")


@pytest.mark.parametrize("file", sorted(MODULE_UTILS.glob("_*/**/*.py")), ids=name_of)
def test_dependencies_point_one_way(file: Path) -> None:
    part = file.relative_to(MODULE_UTILS).parts[0]
    prefix = f"{UTILS_PACKAGE}."
    used = {module[len(prefix) :].partition(".")[0] for module in imports(file) if module.startswith(prefix)}
    assert used <= MAY_IMPORT[part]


@pytest.mark.parametrize("name", SANS_IO)
def test_the_protocol_core_touches_no_socket_and_no_clock(name: str) -> None:
    used = {module.partition(".")[0] for module in imports(MODULE_UTILS / "_smtp" / name)}
    assert used & INPUT_OUTPUT == set()


def test_every_module_is_in_an_action_group() -> None:
    groups = load("meta/runtime.yml")["action_groups"]
    grouped = [module for members in groups.values() for module in members]
    # A module with an action plugin of its name only documents it: it runs on the controller.
    actions = {file.stem for file in (PLUGINS / "action").glob("*.py")}
    modules = {file.stem for file in (PLUGINS / "modules").glob("*.py")}
    assert sorted(grouped) == sorted(modules - actions)


@pytest.mark.parametrize("role", ROLES)
def test_the_specification_of_a_role_matches_its_defaults(role: str) -> None:
    defaults = load(f"roles/{role}/defaults/main.yml")
    specified = options(role)
    assert set(defaults) == {name for name, option in specified.items() if not option.get("required")}
    for name, value in defaults.items():
        computed = isinstance(value, str) and "{{" in value
        assert computed or specified[name].get("default") == value, f"{name}: another default is specified"
        assert specified[name].get("description"), f"{name} is not described"


@pytest.mark.parametrize("role", ROLES)
def test_a_password_is_marked_as_one(role: str) -> None:
    unmarked = [
        name
        for name, option in options(role).items()
        if re.search(r"password|secret|token", name) and option["type"] == "str" and not option.get("no_log")
    ]
    assert unmarked == []


def test_the_readme_has_the_sections_that_galaxy_and_certification_want() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    sections = [line.removeprefix("## ").strip() for line in text.splitlines() if line.startswith("## ")]
    wanted = ["Description", "Requirements", "Installation", "Use cases", "Testing", "Support"]
    wanted += ["Release notes", "License"]
    assert [section for section in sections if section in wanted] == wanted
    for command in ("make demo", "make test", "make check"):
        assert command in text


@pytest.mark.parametrize("file", READMES, ids=name_of)
def test_a_readme_links_to_whole_addresses_and_to_files_that_exist(file: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", file.read_text(encoding="utf-8")):
        assert target.startswith(("https://", "#")), f"{target} is relative"
        if target.startswith(f"{REPOSITORY}/blob/main/"):
            path = target.removeprefix(f"{REPOSITORY}/blob/main/").partition("#")[0]
            assert (ROOT / path).exists(), f"{target}: there is no {path}"


@pytest.mark.parametrize("file", [*READMES, *sorted((ROOT / "docs").rglob("*.md"))], ids=name_of)
def test_a_variable_named_in_the_documentation_exists(file: Path) -> None:
    known = {name for role in ROLES for name in options(role)}
    known |= {module.stem for module in (PLUGINS / "modules").glob("*.py")}
    text = file.read_text(encoding="utf-8")
    # "postfix_submission_*" names a family, and "_postfix/" a directory.
    named = set(re.findall(r"(?<![\w/])(?:preflight|postfix|verify)_[a-z_]*[a-z](?![\w.*/])", text))
    assert sorted(named - known) == []


def test_the_version_has_a_changelog() -> None:
    assert load("galaxy.yml")["version"] in load("changelogs/changelog.yaml")["releases"]


def test_the_collection_depends_on_no_other() -> None:
    assert load("galaxy.yml")["dependencies"] == {}
