"""The action plugin mailops.smtp.testinfra: real suites, run by the real pytest, against this machine's shell."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import time
import types
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("ansible.plugins.action", reason="the controller's side needs ansible-core")
pytest.importorskip("testinfra", reason="the controller's side needs pytest-testinfra")

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible_collections.mailops.smtp.plugins.action.testinfra import ActionModule
from ansible_collections.mailops.smtp.plugins.plugin_utils import suite as suite_module

PASSES = "def test_passes(host): assert host.run('true').succeeded"


class Action(ActionModule):
    """The action with a shell on this machine where the connection to a host would be."""

    def __init__(self, directory: Path, check_mode: bool = False, **arguments: Any) -> None:
        loader = DataLoader()
        loader.set_basedir(str(directory))
        task = SimpleNamespace(
            args={"path": str(directory), **arguments},
            check_mode=check_mode,
            environment=[],
            diff=False,
            async_val=0,
            action="mailops.smtp.testinfra",
            delegate_to=None,
            run_once=False,
        )
        connection = SimpleNamespace(become=None, has_pipelining=True, _shell=SimpleNamespace(tmpdir=None))
        super().__init__(task, connection, None, loader, None, None)  # type: ignore[arg-type]
        self.commands: list[str] = []
        self.modules: list[tuple[str, dict[str, Any]]] = []
        self.play_hosts = ["mail1"]

    def _compute_environment_string(self, raw_environment_out: Any = None) -> str:
        return ""

    def _low_level_execute_command(self, cmd: str, in_data: bytes | None = None, **_ignored: Any) -> Any:
        self.commands.append(cmd)
        done = subprocess.run(cmd, shell=True, input=in_data, capture_output=True, check=False)
        stdout = done.stdout.decode()
        if in_data is None:  # as with a terminal
            stdout = "\r\n" + stdout.replace("\n", "\r\n")
        return {"rc": done.returncode, "stdout": stdout, "stderr": done.stderr.decode()}

    def _execute_module(self, module_name: str, module_args: Any, **_ignored: Any) -> Any:
        self.modules.append((module_name, module_args))
        return {"failed": module_name == "fails", "msg": "no such thing", "answer": 42}

    @property
    def seen(self) -> dict[str, Any]:
        return {"inventory_hostname": "mail1", "ansible_play_hosts_all": self.play_hosts}

    def result(self) -> dict[str, Any]:
        """The result, with what fails before the suite runs raised."""
        return self._run(None, self.seen)


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str, name: str = "test_it.py") -> Path:
        (tmp_path / "suite").mkdir(exist_ok=True)
        (tmp_path / "suite" / name).write_text(textwrap.dedent(text))
        return tmp_path / "suite"

    return write


def test_result_of_a_suite_that_passes(write: Any) -> None:
    result = Action(
        write("""
        import pytest

        def test_sees_the_host(host):
            assert host.run("echo %s; echo other >&2", "it's me").stdout == "it's me\\n"

        def test_sees_what_is_expected(expect, record_property):
            assert expect == {"port": 587}
            record_property("reply", "250 ok")

        @pytest.mark.skip(reason="not on this host")
        def test_is_left_out(): raise AssertionError
        """),
        expect={"port": 587},
    ).result()
    assert "failed" not in result
    assert result["changed"] is False
    assert result["counts"] == {"passed": 2, "failed": 0, "skipped": 1}
    assert result["tests"]["passed"] == ["it::sees_the_host", "it::sees_what_is_expected"]
    assert result["tests"]["skipped"] == [{"test": "it::is_left_out", "reason": "not on this host"}]
    assert result["evidence"] == {"reply": "250 ok"}
    assert result["msg"].startswith("2 tests passed, 1 skipped")
    assert 0 < result["duration_s"] < 30


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            "assert 1 == 2, 'the port should be 587, but is 25: deploy.'",
            "the port should be 587, but is 25: deploy.",
        ),
        ("assert 1 == 2", "assert 1 == 2"),
        ("pytest.fail('no relay\\nat all')", "no relay at all"),
        ("raise KeyError('x')", "the test itself broke: KeyError: 'x'"),
        ("host.ansible('fails', {})", "no such thing"),
        ("assert False, 'x' * 5000", "x" * 596 + " ..."),
    ],
)
def test_a_failure_is_one_sentence(write: Any, body: str, reason: str) -> None:
    result = Action(write(f"import pytest\ndef test_fails(host):\n    {body}\n{PASSES}\n")).result()
    assert result["failed"] is True
    assert result["tests"]["failed"] == [{"test": "it::fails", "reason": reason}]
    assert result["msg"] == f"1 of 2 tests failed. [it::fails] {reason}"


def test_the_proof_is_shown(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    text = """
        def test_mail(record_property):
            record_property("relay", "relay.example.com[192.0.2.1]:587")
            record_property("relay_reply", "250 2.0.0 Ok: queued")
    """
    Action(write(text)).result()
    shown = capsys.readouterr().out
    assert "mail1: 1 tests passed" in shown
    assert "relay.example.com[192.0.2.1]:587 took the message: 250 2.0.0 Ok: queued" in shown


def test_a_failure_is_not_shown_as_a_proof(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Action(write("def test_it(): raise AssertionError('no')")).result()
    assert "mail1:" not in capsys.readouterr().out


def test_a_fixture_that_fails_fails_its_tests_with_one_reason(write: Any) -> None:
    suite = write("""
        import pytest

        @pytest.fixture(scope="session")
        def postfix(): assert False, "Postfix is not installed."

        @pytest.fixture
        def tidy():
            yield
            assert False, "something was left behind."

        @pytest.mark.parametrize("port", [25, 465, 587, 2525])
        def test_one(postfix, port): pass

        def test_two(tidy): pass
    """)
    result = Action(suite).result()
    assert result["counts"] == {"passed": 0, "failed": 5, "skipped": 0}
    assert result["msg"] == (
        "5 of 5 tests failed. [it::one[25], it::one[465], it::one[587] and 1 more] Postfix is not installed. "
        "[it::two] something was left behind."
    )


def test_a_file_that_cannot_be_read_fails(write: Any) -> None:
    write("import nothing_of_that_name", "test_broken.py")
    result = Action(write(PASSES)).result()
    assert result["failed"] is True
    assert result["tests"]["failed"][0]["test"] == "broken"
    assert "No module named 'nothing_of_that_name'" in result["tests"]["failed"][0]["reason"]


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("", {}, "no test of that name is there"),
        (PASSES, {"select": ["other"]}, "no test of that name is there"),
        ("import pytest\ndef test_a(): pytest.skip('not here')", {}, "not here"),
    ],
)
def test_nothing_tested_is_a_failure(write: Any, text: str, arguments: dict[str, Any], said: str) -> None:
    result = Action(write(text), **arguments).result()
    assert result["failed"] is True
    assert result["msg"].startswith("nothing was tested with the suite at ")
    assert said in result["msg"]


def test_usage_error_of_pytest_is_told(write: Any) -> None:
    write("[pytest]\naddopts = --no-such-option\n", "pytest.ini")
    result = Action(write(PASSES)).result()
    assert result["failed"] is True
    assert "unrecognized arguments: --no-such-option" in result["msg"]


def test_select_and_skip_are_words_of_names_and_marks(write: Any) -> None:
    suite = write("""
        import pytest
        def test_tls_level(): pass
        def test_tls_chain(): pass
        def test_config(): pass
        @pytest.mark.sends_mail
        def test_tls_mail(): pass
    """)
    result = Action(suite, select=["tls", "mail"], skip=["chain", "sends_mail"]).result()
    assert result["tests"]["passed"] == ["it::tls_level"]


@pytest.mark.parametrize("word", ["not", "a b", "x)", ""])
def test_other_words_are_refused(write: Any, word: str) -> None:
    with pytest.raises(AnsibleActionFail, match="plain words that occur in test names"):
        Action(write(PASSES), select=[word]).result()


def test_check_mode_sends_no_mail(write: Any, tmp_path: Path) -> None:
    suite = write(f"""
        import pathlib, pytest
        {PASSES}
        @pytest.mark.sends_mail
        def test_mail(): pathlib.Path({str(tmp_path / "sent")!r}).touch()
    """)
    result = Action(suite, check_mode=True).result()
    assert result["counts"] == {"passed": 1, "failed": 0, "skipped": 1}
    assert result["tests"]["skipped"][0]["reason"] == "it sends mail, so check mode leaves it out"
    assert not (tmp_path / "sent").exists()
    assert Action(suite).result()["counts"]["passed"] == 2
    assert (tmp_path / "sent").exists()


def test_nothing_but_mail_is_no_failure_in_check_mode(write: Any) -> None:
    suite = write("import pytest\n@pytest.mark.sends_mail\ndef test_mail(): pass")
    assert "failed" not in Action(suite, check_mode=True).result()


def test_a_command_is_asked_once_unless_fresh(write: Any) -> None:
    action = Action(
        write("""
        def test_one(host): assert host.run("echo a").stdout == host.run("echo a").stdout
        def test_two(host): assert host.run("echo a").succeeded
        def test_fresh(host): assert host.run("echo a", fresh=True).succeeded
        """)
    )
    assert action.result()["counts"]["passed"] == 3
    # The first command of all shows that the host runs commands.
    assert len(action.commands) == 1 + 2


def test_commands_have_no_input_and_sbin_and_no_translation(write: Any) -> None:
    suite = write("""
        def test_it(host):
            assert host.run("cat").stdout == ""
            assert host.run("echo $LC_ALL; echo $PATH").stdout.startswith("C\\n")
            assert "/usr/sbin" in host.run("echo $PATH").stdout
    """)
    assert "failed" not in Action(suite).result()


@pytest.mark.parametrize("has_pipelining", [True, False])
@pytest.mark.parametrize(
    "become", [None, SimpleNamespace(pipelining=False, name="su"), SimpleNamespace(name="su")]
)
def test_output_is_the_same_over_a_terminal(write: Any, has_pipelining: bool, become: Any) -> None:
    action = Action(
        write("""
        def test_it(host):
            found = host.run("echo one; echo two; exit 3")
            assert (found.rc, found.stdout) == (3, "one\\ntwo\\n")
        """)
    )
    action._connection.has_pipelining, action._connection.become = has_pipelining, become
    assert "failed" not in action.result()


def test_modules_run_on_the_host(write: Any) -> None:
    action = Action(write("def test_it(host): assert host.ansible('a.b.c', {'port': 25})['answer'] == 42"))
    assert "failed" not in action.result()
    assert action.modules == [("a.b.c", {"port": 25})]


@pytest.mark.parametrize(
    "error", [AnsibleConnectionFailure("no route to host"), AnsibleError("Incorrect sudo password")]
)
def test_a_lost_connection_is_no_finding_of_a_test(write: Any, error: AnsibleError, monkeypatch: Any) -> None:
    asked = []

    def fail(_self: Any, cmd: str, **_ignored: Any) -> Any:
        asked.append(cmd)
        raise error

    monkeypatch.setattr(Action, "_low_level_execute_command", fail)
    with pytest.raises(type(error), match=str(error)):
        Action(write(PASSES + "\ndef test_other(host): host.run('false')")).result()
    assert len(asked) == 1


def test_time_is_bounded(write: Any) -> None:
    suite = write("""
        def test_hangs(host): host.run("sleep 30")
        def test_next(host): host.run("true")
        def test_needs_no_host(): pass
    """)
    start = time.monotonic()
    result = Action(suite, timeout=1).result()
    assert time.monotonic() - start < 15
    assert result["counts"] == {"passed": 1, "failed": 2, "skipped": 0}
    assert "[it::hangs, it::next] not finished: the time limit of 1 s was reached" in result["msg"]


def test_a_module_of_the_same_name_is_no_obstacle(write: Any, monkeypatch: Any) -> None:
    suite = write("def test_it(host):\n    assert host.run('true').succeeded")
    other = types.ModuleType("test_it")
    other.__file__ = "/somewhere/else/test_it.py"
    monkeypatch.setitem(sys.modules, "test_it", other)
    assert Action(suite).result()["counts"] == {"passed": 1, "failed": 0, "skipped": 0}
    assert sys.modules["test_it"] is other


def test_nothing_is_left_behind(write: Any, monkeypatch: Any, capfd: Any) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    write("import os\nimport helper\nprint('from the conftest')", "conftest.py")
    write("VALUE = 1", "helper.py")
    suite = write("def test_it(host):\n    print('from the test')\n    assert host.run('true').succeeded")
    before = (dict(os.environ), list(sys.path), sys.dont_write_bytecode, os.getcwd())
    result = Action(suite).result()
    assert "failed" not in result
    assert (dict(os.environ), list(sys.path), sys.dont_write_bytecode, os.getcwd()) == before
    assert sorted(entry.name for entry in suite.iterdir()) == ["conftest.py", "helper.py", "test_it.py"]
    assert "helper" not in sys.modules
    shown, complaints = capfd.readouterr()
    assert shown.startswith("mail1: 1 tests passed") and shown.count("\n") == 1
    assert complaints == ""


def test_junit_has_one_sentence_per_failure(write: Any, tmp_path: Path) -> None:
    suite = write("""
        import pytest
        def test_good(record_property): record_property("reply", "250 ok \\x07")
        def test_bad():
            password = "Pa:ss#word $1"
            assert not password, "the password <should> not be there \\x1b."
        def test_left_out(): pytest.skip("not here")
    """)
    result = Action(suite, junit=str(tmp_path / "reports")).result()
    assert result["junit"] == str(tmp_path / "reports" / "mail1.xml")
    text = Path(result["junit"]).read_text()
    assert "Pa:ss" not in text
    found = ET.fromstring(text).find("testsuite")
    assert found is not None
    assert {key: found.get(key) for key in ("name", "tests", "failures", "skipped", "errors")} == {
        "name": "mail1", "tests": "3", "failures": "1", "skipped": "1", "errors": "0"
    }  # fmt: skip
    cases = {str(case.get("name")): case for case in found.iter("testcase")}
    assert [element.get("value") for element in cases["good"].iter("property")] == ["250 ok ?"]
    failure = cases["bad"].find("failure")
    assert failure is not None and failure.get("message") == "the password <should> not be there ?."
    assert not failure.text


def test_junit_paths(write: Any, tmp_path: Path) -> None:
    directory = tmp_path / "there.xml"
    directory.mkdir()
    for junit, expected in (
        ("{host}/verify.xml", "mail1/verify.xml"),
        ("verify-{host}.xml", "verify-mail1.xml"),
        ("one.xml", "one.xml"),
        (str(directory), "there.xml/mail1.xml"),
        ("new", "new/mail1.xml"),
    ):
        asked = junit if junit.startswith("/") else str(tmp_path / junit)
        assert Action(write(PASSES), junit=asked).result()["junit"] == str(tmp_path / expected)
        assert (tmp_path / expected).is_file()
    several = Action(write(PASSES), junit=str(tmp_path / "two.xml"))
    several.play_hosts = ["mail1", "mail2"]
    with pytest.raises(AnsibleActionFail, match="one file for several hosts"):
        several.result()


def test_a_relative_junit_path_begins_where_the_user_stands(
    write: Any, tmp_path: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    # The loader's base directory is the playbook's: that of an installed collection, for one of its playbooks.
    result = Action(write(PASSES), junit="results/").result()
    assert result["junit"] == str(here / "results" / "mail1.xml")
    assert (here / "results" / "mail1.xml").is_file()
    assert f"the results are in {result['junit']}" in capsys.readouterr().out
    failing = Action(write("def test_it(): assert False, 'no.'"), junit="{host}.xml").result()
    assert failing["msg"].endswith(f"The results are in {here / 'mail1.xml'}.")


def test_a_junit_path_that_cannot_be_written_is_told(write: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AnsibleActionFail, match=r"cannot be written to .*/file/mail1.xml"):
        Action(write(PASSES), junit=str(tmp_path / "file" / "{host}.xml")).result()


@pytest.mark.parametrize(
    ("become", "answer", "said"),
    [
        (
            "ansible.builtin.sudo",
            "/bin/sh: 1: sudo: not found",
            "by sudo (become_method): sudo: not found. Install it",
        ),
        (
            "su",
            "bash: line 1: su: command not found",
            "by su (become_method): su: command not found. Install it",
        ),
        (
            "su",
            "Password: \r\nsu: Authentication failure",
            "by su (become_method): su: Authentication failure.",
        ),
        (
            "su",
            "Not available.\r\nShared connection to 192.0.2.1 closed.",
            "(become_method): Not available. Install",
        ),
        ("doas", "doas: Operation not permitted", "by doas (become_method): doas: Operation not permitted."),
        (
            None,
            "/bin/nosh: No such file or directory",
            "mail1: /bin/nosh: No such file or directory. The tests need",
        ),
        (None, "This account is currently not available.", "not available. The tests need a POSIX shell"),
        (None, "", "it ended with status 127 and said nothing."),
    ],
)
def test_a_host_that_runs_no_commands_is_told_once(
    write: Any, monkeypatch: Any, become: str | None, answer: str, said: str
) -> None:
    action = Action(write(PASSES + "\ndef test_other(host): assert host.run('true').succeeded"))
    asked = []

    def refuse(_self: Any, cmd: str, **_ignored: Any) -> Any:
        asked.append(cmd)
        return {"rc": 127, "stdout": "", "stderr": answer}

    monkeypatch.setattr(Action, "_low_level_execute_command", refuse)
    action._connection.become = SimpleNamespace(name=become, pipelining=True) if become else None
    with pytest.raises(AnsibleActionFail, match=re.escape(said)):
        action.result()
    assert len(asked) == 1


def test_a_shell_that_only_says_yes_is_no_shell(write: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(
        Action, "_low_level_execute_command", lambda *_a, **_k: {"rc": 0, "stdout": "Welcome\n", "stderr": ""}
    )
    with pytest.raises(AnsibleActionFail, match="no command can be run on mail1: Welcome"):
        Action(write(PASSES)).result()


def test_another_host_s_result_never_stands_under_this_name(write: Any) -> None:
    action = Action(write(PASSES))
    action._task.delegate_to = "mail2"
    with pytest.raises(AnsibleActionFail, match=r"mail2 would be tested .* under the name of mail1"):
        action.result()
    assert action.commands == []
    action._task.delegate_to = "mail1"
    assert "failed" not in action.result()


def test_one_host_is_not_tested_for_all(write: Any) -> None:
    action = Action(write(PASSES))
    action._task.run_once, action.play_hosts = True, ["mail1", "mail2"]
    with pytest.raises(AnsibleActionFail, match=r"mail1 alone would be tested .* all 2 hosts"):
        action.result()
    action.play_hosts = ["mail1"]
    assert "failed" not in action.result()


def test_missing_testinfra_says_how_to_get_it(write: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(suite_module, "IMPORT_PROBLEM", ImportError("No module named 'testinfra'"))
    with pytest.raises(AnsibleActionFail, match=r"-m pip install pytest-testinfra"):
        Action(write(PASSES)).result()


def test_missing_suite_is_told(tmp_path: Path) -> None:
    with pytest.raises(AnsibleActionFail, match=r"no testinfra suite at .*/nowhere"):
        Action(tmp_path / "nowhere").result()


def test_own_suite_is_the_default(write: Any) -> None:
    action = Action(write(PASSES), path=None, select=["nothing_of_that_name"])
    assert "roles/verify/files/suite" in action.result()["msg"]


def test_what_fails_before_the_suite_runs_is_a_result_that_failed_when_can_let_pass(tmp_path: Path) -> None:
    action = Action(tmp_path / "nowhere")
    result = action.run(task_vars=action.seen)
    assert (result["failed"], result["changed"]) == (True, False)
    assert re.match("there is no testinfra suite at .*/nowhere", result["msg"])


@pytest.mark.parametrize("assertion, passed", [("True", True), ("False, 'no'", False)])
def test_whether_the_suite_passed_is_said_apart_from_the_failure(
    write: Any, assertion: str, passed: bool
) -> None:
    assert Action(write(f"def test_it(): assert {assertion}")).result()["passed"] is passed
