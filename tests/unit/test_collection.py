"""Rules about the tree that no other tool checks: who may import what, and descriptions that must match."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import importlib
import re
import runpy
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
    "_dovecot": {"_base", "_dovecot", "_postfix"},
    "_send": {"_base", "_postfix", "_route", "_send", "_smtp"},
}
# So they do inside _smtp/: a file imports from the rows above its own, and from no other.
POSTFIX = MODULE_UTILS / "_postfix"
SMTP = MODULE_UTILS / "_smtp"
SMTP_LAYERS = (
    {"endpoint", "reply", "verdict", "net.loop"},
    {"arguments", "certificate", "redact", "replies", "report", "sasl", "net.connect", "net.resolve"},
    {"tls"},
    {"tls_pipe"},
    {"session"},
    {"net.probe", "submission"},
)
# The folders of _postfix, those that know fewer of the others first.
POSTFIX_LAYERS = ("files", "host", "checks", "change")
# The core of the protocol is given bytes and times; it never fetches them.
SANS_IO = ("redact.py", "reply.py", "session.py", "submission.py")
NETWORK = {
    "_thread",
    "asyncio",
    "concurrent",
    "queue",
    "select",
    "selectors",
    "socket",
    "subprocess",
    "threading",
}
INPUT_OUTPUT = {*NETWORK, "datetime", "os", "time"}
# What there is of ssl without a socket.
SSL_IN_MEMORY = {
    "MemoryBIO", "SSLContext", "SSLCertVerificationError", "SSLError", "SSLWantReadError", "SSLWantWriteError",
    "SSLZeroReturnError",
}  # fmt: skip
# Where a role has expressions, and what they look like there.
PARTS = ("defaults", "tasks", "templates", "vars")
EXPRESSION = re.compile(r"{{.*?}}|{%.*?%}|(?<=when: )[^\n]*", re.DOTALL)
# Linked from Galaxy and automation hub, where a path relative to this repository leads nowhere.
READMES = [ROOT / "README.md", *(ROOT / "roles").glob("*/README.md")]


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def options(role: str) -> dict[str, dict[str, Any]]:
    return load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def used(role: str) -> set[str]:
    """The words of a role's expressions. A name that is only said, as in a complaint, is not used."""
    files = [file for part in PARTS for file in (ROOT / "roles" / role / part).glob("*")]
    expressions = [found for file in files for found in EXPRESSION.findall(file.read_text(encoding="utf-8"))]
    return {word for found in expressions for word in re.findall(r"\w+", re.sub(r"'[^']*'", "", found))}


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


def part_of_smtp(file: Path) -> str:
    """net/loop.py is net.loop."""
    return ".".join(file.relative_to(SMTP).with_suffix("").parts)


def imported_files(file: Path) -> set[Path]:
    """The files of module_utils that a file imports, at any time."""
    found = set()
    for module in imports(file):
        if module.startswith(f"{UTILS_PACKAGE}."):
            parts = module[len(UTILS_PACKAGE) + 1 :].split(".")
            # The last words may be names in a file.
            candidates = (MODULE_UTILS.joinpath(*parts[:end]) for end in range(len(parts), 0, -1))
            known = (path.with_suffix(".py") for path in candidates)
            found |= {path for path in [next((each for each in known if each.is_file()), None)] if path}
    return found


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """The files of one circle of imports; empty where there is none."""
    finished: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return way[way.index(name) :]
        if name not in finished:
            for target in sorted(arrows.get(name, ())):
                found = walk(target, [*way, name])
                if found:
                    return found
            finished.add(name)
        return []

    return next((found for found in (walk(name, []) for name in sorted(arrows)) if found), [])


def test_the_tree_has_what_these_rules_look_at() -> None:
    assert {"preflight", "postfix", "verify"} <= set(ROLES)
    names = {file.name for file in MANAGED_PYTHON}
    assert {"smtp_probe.py", "smtp_route_facts.py", "postfix_config.py"} <= names
    assert set(MAY_IMPORT) == {directory.name for directory in MODULE_UTILS.glob("_[a-z]*/")}
    layered = [name for layer in SMTP_LAYERS for name in layer]
    assert sorted(layered) == sorted(part_of_smtp(file) for file in SMTP.rglob("*.py") if file.stat().st_size)
    assert {name[:-3] for name in SANS_IO} <= set(layered)


@pytest.mark.parametrize("file", SHIPPED_PYTHON, ids=name_of)
def test_a_file_begins_with_what_it_is_for_and_names_its_licence(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    head = [
        "# Copyright: (c) 2026, the mailops.smtp authors",
        "# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)",
        "# SPDX-License-Identifier: GPL-3.0-or-later",
    ]
    if file.parent.name not in ("modules", "lookup", "filter"):
        # There Ansible wants the name of the licence written out.
        del head[1]
    if file.parent.name == "modules":
        # What a module is for is in its documentation.
        assert text.splitlines()[:4] == ["#!/usr/bin/python", *head]
        return
    assert re.match(r'"""[^\s].*[.:!?](""")?\n', text), text.splitlines()[0]
    assert text[text.index('"""\n', 3) + 4 :].splitlines()[: len(head)] == head


@pytest.mark.parametrize(
    "file", sorted(file for file in POSTFIX.rglob("*.py") if file.parent.name != "checks"), ids=name_of
)
def test_of_the_checks_the_rest_knows_what_a_finding_is_and_the_registry(file: Path) -> None:
    prefix = f"{UTILS_PACKAGE}._postfix.checks."
    used = {
        module.removeprefix(prefix).partition(".")[0] for module in imports(file) if module.startswith(prefix)
    }
    assert used <= {"finding", "registry"}


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


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": set(), "d": {"a", "c"}}) == []
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"d", "b"}, "d": set()}) == ["b", "c"]
    assert circle({"a": {"a"}}) == ["a"]


def test_no_import_goes_round_in_a_circle() -> None:
    files = [file for file in MODULE_UTILS.rglob("*.py") if file.stat().st_size]
    arrows = {name_of(file): {name_of(each) for each in imported_files(file)} for file in files}
    assert sum(map(len, arrows.values())) > len(files)
    assert circle(arrows) == []


@pytest.mark.parametrize("number", range(len(SMTP_LAYERS)))
def test_the_probe_is_built_in_layers(number: int) -> None:
    allowed = set().union(*SMTP_LAYERS[:number])
    for name in SMTP_LAYERS[number]:
        used = imported_files(SMTP.joinpath(*name.split(".")).with_suffix(".py"))
        assert {part_of_smtp(file) for file in used if SMTP in file.parents} <= allowed, name


@pytest.mark.parametrize("number", range(len(POSTFIX_LAYERS)))
def test_the_folders_of_postfix_are_layers(number: int) -> None:
    for file in (POSTFIX / POSTFIX_LAYERS[number]).glob("*.py"):
        used = {each.parent for each in imported_files(file) if POSTFIX in each.parents}
        assert used <= {POSTFIX / name for name in POSTFIX_LAYERS[: number + 1]}, file.name


def test_what_postfix_reads_and_writes_is_text_in_text_out() -> None:
    for file in (POSTFIX / "files").glob("*.py"):
        used = {module.partition(".")[0] for module in imports(file)}
        assert used & NETWORK == set() and (file.name == "text.py" or "os" not in used), file.name


@pytest.mark.parametrize("name", SANS_IO)
def test_the_protocol_core_touches_no_socket_and_no_clock(name: str) -> None:
    used = {module.partition(".")[0] for module in imports(SMTP / name)}
    assert used & INPUT_OUTPUT == set()


@pytest.mark.parametrize("file", sorted(SMTP.glob("*.py")), ids=name_of)
def test_sockets_and_clocks_are_in_net_alone(file: Path) -> None:
    used = {module.partition(".")[0] for module in imports(file)}
    assert used & {*NETWORK, "datetime"} == set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert "time" not in {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            assert {alias.name for alias in node.names} == {"gmtime"}  # which only writes a time down


def test_tls_is_spoken_in_memory() -> None:
    tree = ast.parse((SMTP / "tls_pipe.py").read_text(encoding="utf-8"))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ssl"
    }
    assert "MemoryBIO" in used
    assert used <= SSL_IN_MEMORY


def test_every_module_is_in_an_action_group() -> None:
    groups = load("meta/runtime.yml")["action_groups"]
    grouped = [module for members in groups.values() for module in members]
    # A module with an action plugin of its name only documents it: it runs on the controller.
    actions = {file.stem for file in (PLUGINS / "action").glob("*.py")}
    modules = {file.stem for file in (PLUGINS / "modules").glob("*.py")}
    assert sorted(grouped) == sorted(modules - actions)


def test_a_module_first_has_its_sources_compiled_once() -> None:
    actions = {file.stem for file in (PLUGINS / "action").glob("*.py")}
    for file in (PLUGINS / "modules").glob("*.py"):
        imports = re.findall(r"^from \S*module_utils\.(_.*?)(?:  #.*)?$", file.read_text(), re.MULTILINE)
        assert file.stem in actions or imports[0] == "_base import zipped", file.name


@pytest.mark.parametrize("role", ROLES)
def test_the_specification_of_a_role_matches_its_defaults(role: str) -> None:
    defaults = load(f"roles/{role}/defaults/main.yml")
    specified = options(role)
    assert set(defaults) == {name for name, option in specified.items() if not option.get("required")}
    for name, value in defaults.items():
        computed = isinstance(value, str) and "{{" in value
        assert computed or specified[name].get("default") == value, f"{name}: another default is specified"
        assert specified[name].get("description"), f"{name} is not described"


def test_a_variable_of_a_role_is_used() -> None:
    # By another role, too: its defaults begin with what role postfix was given.
    anywhere = set().union(*(used(role) for role in ROLES))
    # The filter has all of them, and takes these.
    filtered = set(re.findall(r"\w+", (PLUGINS / "plugin_utils/submission.py").read_text(encoding="utf-8")))
    unused = {name for role in ROLES for name in options(role)} - anywhere - filtered
    # What plugin_utils/mesh.py makes listeners of.
    assert unused == {"preflight_mesh"}


def test_every_variable_has_a_value_for_the_forms() -> None:
    path = ROOT / "tests/integration/variables/table.py"
    table = runpy.run_path(str(path))
    assert sorted({name for role in ROLES for name in options(role)} ^ set(table["GOOD"])) == []
    assert sorted(table["ROLES"]) == ROLES


def test_a_documented_action_takes_what_its_documentation_says() -> None:
    actions = sorted(file.stem for file in (PLUGINS / "action").glob("*.py") if file.stat().st_size)
    assert {"route_report", "testinfra", "variables"} <= set(actions)
    for name in actions:
        action = importlib.import_module(f"{COLLECTION}.plugins.action.{name}")
        module = importlib.import_module(f"{COLLECTION}.plugins.modules.{name}")
        documented = yaml.safe_load(module.DOCUMENTATION)["options"]
        described = {
            option: {key: value for key, value in row.items() if key != "description"}
            for option, row in documented.items()
        }
        assert described == action.ARGUMENTS, name


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
