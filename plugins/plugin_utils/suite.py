"""Runs one testinfra suite against one host, inside this process, over any transport.

The rule of this file: it knows pytest and testinfra, and nothing of SMTP. A remote command leaves it only through the
function it was given, pytest leaves nothing behind (no cache, no bytecode, no output, no environment), and what comes
back is data with one sentence per failure.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError

try:
    import pytest
    import testinfra.host
    from testinfra.backend.base import BaseBackend
except ImportError as problem:
    IMPORT_PROBLEM: ImportError | None = problem
    BaseBackend = object
else:
    IMPORT_PROBLEM = None

SENDS_MAIL = "sends_mail"
LONGEST_REASON = 600

# Plugins of pytest that write files, print, or look at what is none of theirs inside an Ansible worker.
UNWANTED = ("cacheprovider", "doctest", "faulthandler", "logging", "threadexception", "unraisableexception")

Execute = Callable[[str], "tuple[int, str, str]"]
RunModule = Callable[[str, "dict[str, Any]"], "dict[str, Any]"]


class OutOfTime(Exception):
    """The run's time is up: nothing more is asked of the host."""


@dataclass
class Case:
    """One test and what became of it."""

    name: str
    outcome: str = "passed"
    reason: str = ""
    seconds: float = 0.0
    properties: dict[str, str] = field(default_factory=dict)


@dataclass
class Outcome:
    """What a run of a suite found. `problem` is set when pytest itself could not do its work."""

    cases: list[Case]
    seconds: float
    problem: str = ""

    def of(self, outcome: str) -> list[Case]:
        return [case for case in self.cases if case.outcome == outcome]


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in the body after so many seconds, unless somebody else's alarm is already set."""
    if signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return

    def ring(*_ignored: Any) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Backend(BaseBackend):  # type: ignore[misc, unused-ignore]
    """A testinfra backend over the play's own connection.

    A command that was asked before is answered from memory, because each one is a round trip: give
    ``fresh=True`` to ``host.run`` where the answer may have changed.
    """

    NAME = "play"
    HAS_RUN_ANSIBLE = True

    def __init__(self, hostname: str, execute: Execute, run_module: RunModule, timeout: float) -> None:
        super().__init__(hostname)
        self._encoding = "utf-8"
        self._execute = execute
        self._run_module = run_module
        self._answers: dict[str, Any] = {}
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        self.broken: AnsibleError | None = None

    def run(self, command: str, *args: str, fresh: bool = False, **_ignored: Any) -> Any:
        command = self.get_command(command, *args)
        if fresh or command not in self._answers:
            rc, stdout, stderr = self._within_time(self._execute, command)
            self._answers[command] = self.result(rc, self.encode(command), stdout, stderr)
        return self._answers[command]

    def run_ansible(
        self, module_name: str, module_args: Mapping[str, Any] | None = None, **_ignored: Any
    ) -> Any:
        """What host.ansible("module", {arguments}) calls; check mode and become are the task's own."""
        result: dict[str, Any] = self._within_time(self._run_module, module_name, dict(module_args or {}))
        return result

    def _within_time(self, function: Callable[..., Any], *args: Any) -> Any:
        if self.broken:
            raise self.broken
        left = self._deadline - time.monotonic()
        try:
            if left <= 0:
                raise OutOfTime
            with _alarm(left):
                return function(*args)
        except OutOfTime:
            raise OutOfTime(f"the time limit of {self._timeout:g} s was reached") from None
        except AnsibleError as error:
            # The connection or become failed: that is the task's failure, not a finding of a test.
            if function == self._execute or isinstance(error, AnsibleConnectionFailure):
                self.broken = error
            raise


class Recorder:
    """The pytest plugin that notes what became of each test."""

    def __init__(self, read_only: bool) -> None:
        self._read_only = read_only
        self._reasons: dict[str, str] = {}
        self.cases: dict[str, Case] = {}

    def pytest_configure(self, config: Any) -> None:
        config.addinivalue_line("markers", f"{SENDS_MAIL}: sends a message; left out in check mode")

    def pytest_collection_modifyitems(self, items: Sequence[Any]) -> None:
        for item in items:
            if self._read_only and item.get_closest_marker(SENDS_MAIL):
                item.add_marker(pytest.mark.skip(reason="it sends mail, so check mode leaves it out"))

    def pytest_exception_interact(self, node: Any, call: Any) -> None:
        # Comes before the report of a file, but after that of a test.
        self._reasons[node.nodeid] = sentence(call.excinfo.value)

    def pytest_runtest_makereport(self, item: Any, call: Any) -> None:
        if call.excinfo:
            self._reasons[item.nodeid] = sentence(call.excinfo.value)

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self._note(report, "failed", self._reasons.get(report.nodeid, str(report.longrepr)))

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self._note(report, "failed", self._reasons.get(report.nodeid, str(report.longrepr)))
        elif report.skipped:
            why = report.wasxfail if hasattr(report, "wasxfail") else str(report.longrepr[2])
            self._note(report, "skipped", why.removeprefix("Skipped: "))
        else:
            self._note(report)

    def _note(self, report: Any, outcome: str = "", reason: str = "") -> None:
        case = self.cases.setdefault(report.nodeid, Case(readable(report.nodeid)))
        case.seconds += getattr(report, "duration", 0.0)
        case.properties.update({name: str(value) for name, value in getattr(report, "user_properties", ())})
        if outcome and case.outcome != "failed":
            case.outcome, case.reason = outcome, reason


def _fixtures(host: Any, expect: Mapping[str, Any]) -> object:
    class Fixtures:
        @pytest.fixture(scope="session", name="host")
        def host_of_the_play(self) -> Any:
            """The task's host as testinfra sees it."""
            return host

        @pytest.fixture(scope="session", name="expect")
        def what_is_expected(self) -> dict[str, Any]:
            """What the task says the host should be."""
            return dict(expect)

    return Fixtures()


def readable(nodeid: str) -> str:
    """``test_tls.py::test_chain[587]`` as people say it: ``tls::chain[587]``."""
    return re.sub(r"(^|::)(?:.*/)?test_", r"\1", nodeid.replace(".py::", "::").removesuffix(".py"))


def sentence(error: BaseException) -> str:
    """The one sentence in which a test said what is wrong, without pytest's explanation below it."""
    cause = error.__cause__ if type(error).__name__ == "CollectError" and error.__cause__ else error
    text = str(cause)
    if isinstance(cause, AssertionError):
        text = text.split("\nassert ", maxsplit=1)[0].removeprefix("AssertionError: ")
    elif isinstance(cause, OutOfTime):
        text = f"not finished: {text}"
    elif isinstance(getattr(cause, "result", None), dict):
        text = str(cause.result.get("msg", text))  # type: ignore[attr-defined]
    elif type(cause).__name__ != "Failed":
        text = f"the test itself broke: {type(cause).__name__}: {text}"
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 4] + " ..."


@contextlib.contextmanager
def _quiet(directory: Path) -> Iterator[io.StringIO]:
    """Nothing that pytest does to the process outlives the body; what it prints is what is yielded."""
    environment = dict(os.environ)
    bytecode, path = sys.dont_write_bytecode, list(sys.path)
    # pytest refuses a test file where this process already has a module of that name from elsewhere.
    namesakes = {
        name: sys.modules.pop(name) for name in list(sys.modules) if re.match("test_|conftest$", name)
    }
    modules = set(sys.modules)
    printed = io.StringIO()
    try:
        for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
            os.environ.pop(name, None)
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        sys.dont_write_bytecode = True
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            yield printed
    finally:
        sys.dont_write_bytecode, sys.path[:] = bytecode, path
        for name in set(sys.modules) - modules:
            if directory in Path(getattr(sys.modules[name], "__file__", None) or "/").parents:
                del sys.modules[name]
        sys.modules.update(namesakes)
        os.environ.clear()
        os.environ.update(environment)


def run(
    path: Path,
    backend: Backend,
    expect: Mapping[str, Any],
    *,
    select: Sequence[str] = (),
    skip: Sequence[str] = (),
    read_only: bool = False,
) -> Outcome:
    """Run the suite at `path` (a directory or a file) and tell what became of each test.

    Raises the AnsibleError that the transport raised, if it did: then the host could not be tested at all.
    """
    start = time.monotonic()
    directory = path if path.is_dir() else path.parent
    settings = directory / "pytest.ini"
    arguments = ["-c", str(settings if settings.is_file() else os.devnull), "--rootdir", str(directory)]
    arguments += ["--confcutdir", str(directory), "--capture=sys"]
    arguments += [word for name in UNWANTED for word in ("-p", f"no:{name}")]
    if select or skip:
        arguments += ["-k", _expression(select, skip)]
    recorder = Recorder(read_only)
    fixtures = _fixtures(testinfra.host.Host(backend), expect)
    with _quiet(directory) as printed:
        status = pytest.main([*arguments, str(path)], plugins=[recorder, fixtures])
    if backend.broken:
        raise backend.broken
    outcome = Outcome(list(recorder.cases.values()), round(time.monotonic() - start, 2))
    if status in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
        outcome.problem = " ".join(printed.getvalue().split())[-LONGEST_REASON:]
    return outcome


def last_words(output: str) -> str:
    """What a command that failed said last, without the shell's name and line number, and without ssh's farewell."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    lines = [line for line in lines if not re.fullmatch(r"(?:Shared c|C)onnection to \S+ closed\.", line)]
    return re.sub(r"^\S*sh: (?:line )?\d+: ", "", lines[-1]) if lines else ""


def _expression(select: Sequence[str], skip: Sequence[str]) -> str:
    terms = [f"({' or '.join(select)})"] if select else []
    return " and ".join([*terms, *(f"not {word}" for word in skip)])


def junit(outcome: Outcome, host: str) -> bytes:
    """The outcome as JUnit XML: one suite named after the host, a sentence for each failure."""
    suite = ET.Element(
        "testsuite",
        name=host,
        tests=str(len(outcome.cases)),
        failures=str(len(outcome.of("failed"))),
        errors="0",
        skipped=str(len(outcome.of("skipped"))),
        time=f"{outcome.seconds:.3f}",
        hostname=host,
    )
    for case in outcome.cases:
        group, _colons, name = case.name.partition("::")
        element = ET.SubElement(
            suite, "testcase", classname=f"{host}.{group}", name=name or group, time=f"{case.seconds:.3f}"
        )
        if case.properties:
            properties = ET.SubElement(element, "properties")
            for key, value in case.properties.items():
                ET.SubElement(properties, "property", name=key, value=_printable(value))
        if case.outcome != "passed":
            ET.SubElement(
                element, "failure" if case.outcome == "failed" else "skipped", message=_printable(case.reason)
            )
    suites = ET.Element("testsuites")
    suites.append(suite)
    text: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _printable(text: str) -> str:
    """XML 1.0 has no way to write control characters."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "?", text)
