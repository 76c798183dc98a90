"""The examples for pipelines in docs/examples: valid by the published schemas, and their shell steps run for real.

Only the installation is left out: here mailops.smtp is this tree. tests/tools/install-test tries that.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from relay import closed, relay
from runs import ROOT

EXAMPLES = ROOT / "docs" / "examples"
INSTALL = [
    "python3 -m pip install 'ansible-core>=2.18,<2.22'",
    "ansible-galaxy collection install mailops.smtp",
]
PREFLIGHT = "ansible-playbook -i inventory.yml -e @gate.yml mailops.smtp.preflight"
SCHEMAS = {
    "github-actions.yml": "vendor.github-workflows",
    "forgejo-actions.yml": "vendor.github-workflows",
    "gitlab-ci.yml": "vendor.gitlab-ci",
    "woodpecker.yml": "vendor.woodpecker-ci",
}
BIN = Path(sys.executable).parent


class Step(NamedTuple):
    commands: list[str]
    always: bool = False


def loaded(name: str) -> Any:
    return yaml.safe_load((EXAMPLES / name).read_text())


def of_github(name: str) -> Iterator[Step]:
    (job,) = loaded(name)["jobs"].values()
    for step in job["steps"]:
        if "run" in step:
            yield Step(step["run"].strip().splitlines(), step.get("if") == "always()")


def of_gitlab(name: str) -> Iterator[Step]:
    job = loaded(name)["preflight"]
    yield Step(job["before_script"])
    yield Step(job["script"])


def of_woodpecker(name: str) -> Iterator[Step]:
    for step in loaded(name)["steps"]:
        yield Step(step["commands"], "failure" in str(step.get("when")))


def of_jenkins(name: str) -> Iterator[Step]:
    for script in re.findall(r"sh '''(.*?)'''", (EXAMPLES / name).read_text(), re.DOTALL):
        yield Step(textwrap.dedent(script).strip().splitlines())


def of_pre_commit(name: str) -> Iterator[Step]:
    (repo,) = loaded(name)["repos"]
    (hook,) = repo["hooks"]
    assert not hook["pass_filenames"]
    yield Step([hook["entry"]])


def of_make(name: str) -> Iterator[Step]:
    yield Step([f"make -f {shlex.quote(str(EXAMPLES / name))} preflight"])


READERS: dict[str, Callable[[str], Iterator[Step]]] = {
    "github-actions.yml": of_github,
    "forgejo-actions.yml": of_github,
    "gitlab-ci.yml": of_gitlab,
    "woodpecker.yml": of_woodpecker,
    "Jenkinsfile": of_jenkins,
    "pre-commit-config.yaml": of_pre_commit,
    "Makefile": of_make,
}


def run(name: str, directory: Path) -> tuple[int, str]:
    """The status with which the pipeline ends, and what was printed."""
    environment = {
        **os.environ,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(directory / "summary.md"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_NOCOLOR": "1",
        "CI": "true",
    }
    status, printed = 0, ""
    for step in READERS[name](name):
        commands = [command for command in step.commands if command not in INSTALL]
        if status and not step.always:
            continue
        done = subprocess.run(
            ["bash", "-e", "-c", "\n".join(commands)],
            env=environment, cwd=directory, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        status, printed = status or done.returncode, printed + done.stdout + done.stderr
    return status, printed


def write(directory: Path, port: int) -> None:
    variables = {
        "ansible_connection": "local",
        "preflight_relays": [{"host": "127.0.0.1", "ports": [port], "tls": "none"}],
        "preflight_helo_name": "gate.example.com",
    }
    inventory = {"all": {"hosts": {"web1": None}, "vars": variables}}
    (directory / "inventory.yml").write_text(yaml.safe_dump(inventory))
    shutil.copy(EXAMPLES / "gate.yml", directory)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with relay() as number:
        yield number


@pytest.mark.parametrize("name", READERS)
def test_an_example_passes_and_fails_as_the_gate_does(name: str, port: int, tmp_path: Path) -> None:
    for number, good in ((port, 1), (closed(), 0)):
        directory = tmp_path / str(number)
        directory.mkdir()
        write(directory, number)
        status, printed = run(name, directory)
        line = (
            "preflight: 1 of 1 hosts have a route"
            if good
            else "preflight: 0 of 1 hosts have a route, 1 without"
        )
        assert (status == 0) == bool(good), printed
        assert line in printed.splitlines(), printed
        document = json.loads((directory / "report" / "preflight.json").read_text())
        assert document["gate"]["line"] == line
        suites = ET.parse(directory / "report" / "preflight.xml").getroot()
        assert (suites.get("failures") == "0") == bool(good)
        shown = (
            directory / "summary.md"
            if name == "github-actions.yml"
            else directory / "report" / "preflight.md"
        )
        assert line in shown.read_text()


@pytest.mark.parametrize("name", SCHEMAS)
def test_an_example_is_valid(name: str) -> None:
    tool = shutil.which("check-jsonschema", path=f"{BIN}:{os.environ['PATH']}")
    assert tool, "check-jsonschema is missing: make venv"
    command = [tool, "--builtin-schema", SCHEMAS[name], str(EXAMPLES / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_examples_install_the_same_way() -> None:
    for name in set(READERS) - {"Makefile", "pre-commit-config.yaml"}:
        commands = [command for step in READERS[name](name) for command in step.commands]
        assert commands[:2] == INSTALL, name
        assert commands[2] == PREFLIGHT, name


def test_the_page_names_every_example() -> None:
    page = (ROOT / "docs" / "pipelines.md").read_text()
    files = sorted(path.name for path in EXAMPLES.iterdir() if path.is_file())
    assert [name for name in files if f"examples/{name})" not in page] == []
    assert sorted([*READERS, "gate.yml"]) == files


def test_a_report_becomes_the_baseline(port: int, tmp_path: Path) -> None:
    """What was so at the last look passes, and what comes besides does not."""
    shut = closed()
    write(tmp_path, shut)
    assert run("Makefile", tmp_path)[0] == 2
    subprocess.run(["make", "-s", "-f", EXAMPLES / "Makefile", "baseline"], cwd=tmp_path, check=True)
    status, printed = run("Makefile", tmp_path)
    assert status == 0, printed
    assert "preflight: 0 of 1 hosts have a route, 1 without; 0 fail the gate" in printed.splitlines()
    write(tmp_path, port)
    status, printed = run("Makefile", tmp_path)
    assert (status, "better: web1: no longer: No route" in printed) == (0, True), printed
