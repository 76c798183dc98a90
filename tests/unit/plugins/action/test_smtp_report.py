"""The reports of a play: who writes them, who is in them, and each host's own result."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.mailops.smtp.plugins.action import route_report, smtp_report
from ansible_collections.mailops.smtp.plugins.plugin_utils.report import play

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "tests" / "fleet"))

from fleet import FAILED, SKIPPED, UNREACHABLE, examined, probed, routed

RESULTS = {
    "good": routed("ok"),
    "bad": routed("filtered"),
    "gone": UNREACHABLE,
    "wrong": FAILED,
    "skipped": SKIPPED,
}


class Task(SimpleNamespace):
    def __init__(self, **keywords):
        defaults = {"run_once": False, "delegate_to": None, "strategy": "linear", "ignore_unreachable": False}
        super().__init__(**{**defaults, **keywords})

    def get_play(self):
        return self


def variables_of(host, results, batch=None, alive=None):
    return {
        "inventory_hostname": host,
        "hostvars": {name: {} if one is None else {"found": one} for name, one in results.items()},
        "ansible_play_batch": list(results) if batch is None else batch,
        "ansible_play_hosts": list(results) if alive is None else alive,
        "ansible_play_hosts_all": list(results),
    }


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run an action for one host of a play, in a directory of its own."""
    monkeypatch.chdir(tmp_path)

    def call(host, results, module=smtp_report, batch=None, alive=None, task=None, checked=None, **arguments):
        spec = module.ARGUMENTS
        given = {name: option.get("default") for name, option in spec.items()}
        action = object.__new__(module.ActionModule)
        action._task = task or Task()
        monkeypatch.setattr(
            module.ActionModule,
            "validate_argument_spec",
            lambda _self, _spec: (None, {**given, "registered": "found", **arguments}),
        )
        monkeypatch.setattr(module.ActionBase, "run", lambda *_: {})
        variables = variables_of(host, results, batch, alive)
        for name, values in (checked or {}).items():
            variables["hostvars"][name]["verify__v"] = values
        return action.run(None, variables)

    return call


def states(path):
    return {
        host["name"]: host["state"] for host in json.loads(Path(path).read_text(encoding="utf-8"))["hosts"]
    }


def test_one_host_writes_the_report_of_all(run, tmp_path):
    written = [run(host, RESULTS, report=["out/r.json", "r.md"]).get("report") for host in RESULTS]
    assert written == [[f"{tmp_path}/out/r.json", f"{tmp_path}/r.md"], None, None, None, None]
    assert states("out/r.json") == {
        "good": "route",
        "bad": "no_route",
        "gone": "unreachable",
        "wrong": "failed",
        "skipped": "not_probed",
    }


def test_the_first_that_does_the_task_writes(run):
    play_of = {"skipped": SKIPPED, "absent": None, "good": routed("ok")}
    assert [bool(run(host, play_of, report=["r.json"]).get("report")) for host in ("skipped", "good")] == [
        False,
        True,
    ]


def test_a_report_is_written_where_every_host_failed(run):
    play_of = {"gone": UNREACHABLE, "wrong": FAILED}
    assert run("gone", play_of, report=["r.json"])["unreachable"]
    assert states("r.json") == {"gone": "unreachable", "wrong": "failed"}


def test_with_batches_the_earlier_are_there_and_the_later_are_not(run):
    play_of = {"first": routed("ok"), "lost": None, "now": routed("ok"), "later": None}
    run("now", play_of, batch=["now"], alive=["first", "now", "later"], report=["r.json"])
    assert states("r.json") == {"first": "route", "lost": "not_probed", "now": "route"}


@pytest.mark.parametrize(
    "result, state, end",
    [
        (routed("ok"), "route", None),
        (routed("filtered"), "no_route", "failed"),
        (probed("ok"), "usable", None),
        (probed("refused"), "unusable", "failed"),
        (examined(), "passed", None),
        (examined(failed={"a::x": "Broken."}), "failed", "failed"),
        (UNREACHABLE, "unreachable", "unreachable"),
        (FAILED, "failed", "failed"),
        (SKIPPED, "not_probed", "failed"),
    ],
)
def test_each_host_ends_as_its_task_would_have(run, result, state, end):
    own = run("web1", {"web1": result})
    assert own["state"] == state
    assert [key for key in ("failed", "unreachable") if own.get(key)] == ([end] if end else [])
    assert own["msg"]
    tolerant = run("web1", {"web1": result}, fail=False)
    assert not tolerant.get("failed") and not tolerant.get("unreachable")
    assert own["changed"] is False


def test_where_the_play_goes_on_without_a_host_it_fails_and_is_not_unreachable(run):
    own = run("web1", {"web1": UNREACHABLE}, task=Task(ignore_unreachable=True))
    assert own["failed"] and "unreachable" not in own


def test_what_it_is_about_is_said_where_no_result_says_it(run):
    run("a", {"a": UNREACHABLE}, kind="verify", report=["v.json"])
    run("a", {"a": UNREACHABLE}, report=["p.json"])
    run("a", {"a": UNREACHABLE, "b": probed("ok")}, report=["q.json"])
    assert [json.loads(Path(f"{name}.json").read_text())["kind"] for name in "vpq"] == [
        "verify",
        "preflight",
        "probe",
    ]


def test_hosts_of_a_play_have_one_report(run):
    results, name = {"a": examined(1), "b": examined(1)}, "verify_report"
    checked = {"a": {name: []}, "b": {name: ["r.json"]}}
    with pytest.raises(
        AnsibleActionFail, match=r"verify_report is .* not set on a and r.json on b. Give all"
    ):
        run("a", results, name=name, checked=checked)
    assert run("b", results, name=name, report=["r.json"], checked=checked)["state"] == "passed"
    assert not Path("r.json").exists()
    checked["a"] = checked["b"]
    assert "report" in run("a", results, name=name, report=["r.json"], checked=checked)


@pytest.mark.parametrize(
    "keywords, words",
    [
        ({"registered": "other"}, "no task has registered other on this host"),
        ({"registered": "{'changed': False}"}, "takes the name under which a task has registered"),
        ({"kind": "probe"}, "kind: found is a result for preflight, and not for probe. Leave kind out."),
        ({"task": Task(run_once=True)}, "run_once: true would give the result of one host to all"),
        ({"task": Task(delegate_to="b")}, "delegate_to: b is of no use here"),
        (
            {"task": Task(strategy="free"), "report": ["r.json"], "name": "verify_report"},
            "verify_report is one report",
        ),
    ],
)
def test_what_cannot_be_right_is_refused(run, keywords, words):
    own = run("a", {"a": routed("ok"), "b": routed("ok")}, **keywords)
    assert own["failed"] and words in own["msg"]
    assert not Path("r.json").exists()


def test_what_a_loop_has_registered_is_refused(run):
    assert "a loop registers several" in run("a", {"a": {"results": [probed("ok")]}})["msg"]


@pytest.mark.parametrize(
    "path, words",
    [
        ("r.pdf", "verify_report: r.pdf has the suffix .pdf"),
        ("file/r.md", "verify_report: the report cannot"),
    ],
)
def test_a_file_that_cannot_be_written_is_told(run, tmp_path, path, words):
    (tmp_path / "file").write_text("")
    with pytest.raises(AnsibleActionFail, match=words):
        run("a", {"a": routed("ok")}, report=[path], name="verify_report")


@pytest.mark.parametrize(
    "strategy, together",
    [
        ("linear", True),
        ("mitogen.mitogen_linear", True),
        ("debug", True),
        ("free", False),
        ("host_pinned", False),
    ],
)
def test_in_which_strategies_hosts_wait_for_each_other(strategy, together):
    assert play.in_step(strategy) is together
    assert (play.refusal(strategy, "preflight_report") == "") is together


# ----------------------------------------------------------------------------------- the report of the role preflight


def test_the_report_of_routes_has_what_the_gate_said(run):
    asked = {"module": route_report, "table": False, "report": ["r.json"], "prefix": "preflight_"}
    written = [run(host, RESULTS, **asked).get("report") for host in RESULTS]
    assert [bool(one) for one in written] == [True, False, False, False, False]
    document = json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert document["gate"]["passed"] is False
    assert document["gate"]["failing"] == ["bad", "gone", "wrong"]


@pytest.mark.parametrize(
    "keywords, words",
    [
        ({"report": ["r.pdf"]}, r"^preflight_report: r.pdf has the suffix .pdf"),
        (
            {"report": ["r.json"], "task": Task(strategy="free")},
            r"^preflight_report is one report of all hosts",
        ),
        (
            {"report": ["r.json"], "baseline": "./r.json"},
            r"^preflight_report and preflight_baseline are one file",
        ),
        ({"report": ["file/r.json"]}, r"^preflight_report: the report cannot be written"),
    ],
)
def test_a_report_of_routes_that_cannot_be_is_refused(run, tmp_path, keywords, words):
    (tmp_path / "file").write_text("")
    with pytest.raises(AnsibleActionFail, match=words):
        run("good", {"good": routed("ok")}, module=route_report, table=False, prefix="preflight_", **keywords)
