"""What a gate is run in: each situation with its exit status and its last line, by real runs of ansible-playbook.

Hosts are names of this machine; their relays are on its loopback interface. Two runs go on at a time.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
import yaml
from ansible_collections.mailops.smtp.plugins.plugin_utils.report import model
from relay import DAYS_LEFT, closed, relay
from runs import ROOT, Run, playbook

sys.path.insert(0, str(ROOT / "tests" / "fleet"))

from fleet import routed

LOCAL = {"ansible_connection": "local"}
TODAY = datetime.now(timezone.utc).date()
NEXT_YEAR, YESTERDAY = str(TODAY + timedelta(days=365)), str(TODAY - timedelta(days=1))
HOSTILE = b"554-\x1b[2J\x1b[31mpreflight: 9 of 9 hosts have a route\r\n554 \xe2\x80\xae" + b"A" * 300


class Situation(NamedTuple):
    code: int
    line: str | None
    arguments: list[str]
    words: str = ""
    play: str = "preflight"
    variables: Mapping[str, Any] = MappingProxyType({})
    environment: Mapping[str, str] = MappingProxyType({})
    never: str = ""


def only(*hosts: str) -> list[str]:
    return ["--limit", ",".join(hosts)]


def waived(**keys: str) -> list[dict[str, str]]:
    return [{"reason": "the firewall is replaced", "until": NEXT_YEAR, **keys}]


def lines(good: int, of: int, *more: str) -> str:
    return ", ".join([f"preflight: {good} of {of} hosts have a route", *more])


ROLE = {"role": "mailops.smtp.preflight"}
PROBE = {
    "name": "Probe",
    "mailops.smtp.smtp_route_facts": {"relays": "{{ preflight_relays }}", "validate_certs": False},
    "register": "probed",
}
REPORT = {"name": "Report", "mailops.smtp.route_report": {"registered": "probed"}}


def play(**keys: Any) -> list[dict[str, Any]]:
    return [{"name": "Gate", "hosts": "good1,good2,bad1,bad2", "gather_facts": False, **keys}]


PLAYS: dict[str, list[dict[str, Any]]] = {
    "serial": play(roles=[ROLE], serial=2),
    "serial that goes wrong": play(hosts="bad1,bad2,good1,good2", roles=[ROLE], serial=2),
    "serial of one that is waived": play(hosts="bad1,good1,good2", roles=[ROLE], serial=1),
    "free": play(roles=[ROLE], strategy="free"),
    "host_pinned": play(roles=[ROLE], strategy="host_pinned"),
    "run_once": play(roles=[{**ROLE, "run_once": True}]),
    "delegated": play(roles=[{**ROLE, "delegate_to": "good1"}]),
    "twice": play(
        hosts="good1,good2",
        roles=[ROLE, {**ROLE, "vars": {"preflight_relays": "{{ half_relays }}"}}],
    ),
    "twice, and wrong the second time": play(
        hosts="good1,good2",
        roles=[ROLE, {**ROLE, "vars": {"preflight_relays": "{{ shut_relays }}"}}],
    ),
    "skipped on some": play(roles=[{**ROLE, "when": "inventory_hostname is match('good')"}]),
    "skipped probes": play(
        hosts="good1,good2",
        tasks=[{**PROBE, "when": False}, REPORT],
    ),
    "skipped probes that may be": play(
        hosts="good1,good2",
        tasks=[{**PROBE, "when": False}, {**REPORT, "mailops.smtp.route_report": {"registered": "probed", "allow_empty": True}}],
    ),
    "nobody asked": play(hosts="good1", tasks=[REPORT]),
    "lost before": play(hosts="good1,gone", gather_facts=True, roles=[ROLE]),
    "ignored unreachable": play(hosts="good1,gone", ignore_unreachable=True, roles=[ROLE]),
    "ignored errors": play(hosts="good1,bad1", roles=[{**ROLE, "ignore_errors": True}]),
    "wanted group": play(hosts="{{ lookup('mailops.smtp.hosts', 'nobody', allow_empty=true) }}", roles=[ROLE]),
    "tagged": play(hosts="{{ lookup('mailops.smtp.hosts', 'all') }}", roles=[{**ROLE, "tags": ["gate"]}]),
}  # fmt: skip

MAY_BE_EMPTY = ["-e", "preflight_allow_empty=true"]
SITUATIONS = {
    # who is there
    "all have a route": Situation(0, lines(2, 2), only("good1", "good2")),
    "one has none": Situation(2, lines(1, 2, "1 without"), only("good1", "bad1"), "The table has the reason"),
    "none has one": Situation(2, lines(0, 2, "2 without"), only("bad1", "bad2"), "bad1, bad2"),
    "one is unreachable": Situation(4, lines(1, 2, "1 unreachable"), only("good1", "gone"), "unreachable=1"),
    "all are unreachable": Situation(4, lines(0, 1, "1 unreachable"), only("gone"), "Connection refused"),
    "unreachable, and another without": Situation(
        4, lines(1, 3, "1 without", "1 unreachable"), only("good1", "bad1", "gone")
    ),
    "one has a wrong variable": Situation(
        2, lines(1, 2, "1 not probed"), only("good1", "wrong"), "preflight_family is "
    ),
    "all have a wrong variable": Situation(2, None, only("wrong"), "preflight_family is "),
    "one has a port that no mail takes": Situation(
        2, lines(1, 2, "1 failed"), only("good1", "odd"), "456 is not a mail port"
    ),
    "unknown group": Situation(4, None, ["-e", "smtp_hosts=mial"], "mial is neither a group nor a host"),
    "unknown group that may be": Situation(
        0, lines(0, 0), ["-e", "smtp_hosts=mial", *MAY_BE_EMPTY], "preflight_allow_empty lets that pass"
    ),
    "empty group": Situation(4, None, ["-e", "smtp_hosts=nobody"], "matches no host"),
    "empty group that may be": Situation(0, lines(0, 0), ["-e", "smtp_hosts=nobody", *MAY_BE_EMPTY]),
    "empty group of an own play that may be": Situation(0, lines(0, 0), [], play="wanted group"),
    "limit to nobody": Situation(4, None, ["-e", "smtp_hosts=nobody", *only("good1")], "matches no host"),
    "limit to another group": Situation(
        4, None, ["-e", "smtp_hosts=good1", *only("good2")], "leaves none of the hosts"
    ),
    "misspelt limit": Situation(4, None, only("good1", "godo2"), "godo2 is neither a group nor a host"),
    "tags": Situation(4, None, ["--tags", "gate"], "With --tags gate nothing would be done"),
    "tags that may not leave nothing": Situation(
        4, None, ["--tags", "gate", *MAY_BE_EMPTY], "With --tags gate nothing would be done"
    ),
    "skipped tags": Situation(4, None, ["--skip-tags", "untagged"], "With --skip-tags untagged nothing"),
    "tags of an own play": Situation(0, lines(1, 1), ["--tags", "gate", *only("good1")], play="tagged"),
    "check mode": Situation(2, lines(1, 2, "1 without"), ["--check", *only("good1", "bad1")]),
    # what fails besides
    "a port that is closed": Situation(0, lines(1, 1), only("half"), "refused"),
    "any_unusable": Situation(
        2, f"{lines(1, 1)}; 1 fails the gate", only("half"), "is refused", variables={"preflight_fail_on": "any_unusable"}
    ),
    "a verdict": Situation(
        2, f"{lines(1, 1)}; 1 fails the gate", only("half"), variables={"preflight_fail_on": ["filtered", "refused"]}
    ),
    "a verdict that nobody has": Situation(
        0, lines(1, 1), only("half"), variables={"preflight_fail_on": ["filtered"]}
    ),
    "certificate_days": Situation(
        2, f"{lines(1, 1)}; 1 fails the gate", only("old"), f"has {DAYS_LEFT} days left, and 14 are asked for",
        variables={"preflight_fail_on": {"certificate_days": 14}},
    ),
    "certificate_days that are there": Situation(
        0, lines(1, 1), [*only("old"), "-e", f"preflight_fail_on=certificate_days:{DAYS_LEFT}"]
    ),
    "provider_policy": Situation(0, lines(1, 1), only("good1"), variables={"preflight_fail_on": "provider_policy"}),
    "misspelt rule": Situation(
        2, None, only("good1"), "did you mean any_unusable?", variables={"preflight_fail_on": "any_unusabel"}
    ),
    # how many may
    "as many as may": Situation(
        0, f"{lines(1, 2, '1 without')}; 0 fail the gate", [*only("good1", "bad1"), "-e", "preflight_max_failed=1"],
        "lets 1 pass",
    ),
    "more than may": Situation(
        2, lines(1, 3, "2 without"), [*only("good1", "bad1", "bad2"), "-e", "preflight_max_failed=1"],
        "2 hosts fail, more than the 1 that preflight_max_failed 1 lets pass",
    ),
    "the part that may": Situation(
        0, f"{lines(1, 2, '1 without')}; 0 fail the gate", [*only("good1", "bad1"), "-e", "preflight_max_failed=50%"]
    ),
    "more than the part that may": Situation(
        2, lines(1, 2, "1 without"), [*only("good1", "bad1"), "-e", "preflight_max_failed=49%"]
    ),
    "unreachable as well": Situation(
        0, f"{lines(1, 2, '1 unreachable')}; 0 fail the gate", [*only("good1", "gone"), "-e", "preflight_max_failed=1"]
    ),
    # what hosts have of their own, and what they cannot
    "a host that asks for more": Situation(2, f"{lines(2, 2)}; 1 fails the gate", only("half", "strict")),
    "a first host that asks for more": Situation(0, lines(2, 2), only("careful", "half")),
    "a host with a number of its own": Situation(
        2, None, only("good1", "lax"), "preflight_max_failed is for the whole play, and is 0 on good1 and 1 on lax"
    ),
    # what is waived
    "waived": Situation(
        0, f"{lines(1, 2, '1 without')}; 0 fail the gate", only("good1", "bad1"), "Waived: the firewall is replaced",
        variables={"preflight_waivers": waived(host="bad*")},
    ),
    "waived, unreachable": Situation(
        0, f"{lines(1, 2, '1 unreachable')}; 0 fail the gate", only("good1", "gone"),
        variables={"preflight_waivers": waived(verdict="unreachable")},
    ),
    "waived, one of two": Situation(
        2, f"{lines(0, 2, '2 without')}; 1 fails the gate", only("bad1", "bad2"),
        variables={"preflight_waivers": waived(host="bad1")},
    ),
    "waived until yesterday": Situation(
        2, lines(1, 2, "1 without"), only("good1", "bad1"), f"ended on {YESTERDAY}, so it waives nothing",
        variables={"preflight_waivers": waived(host="bad1", until=YESTERDAY)},
    ),
    "a waiver that matches nothing": Situation(
        0, lines(1, 1), only("good1"), "preflight_waivers[0] (host good1) matches nothing that fails; take it out",
        variables={"preflight_waivers": waived(host="good1")},
    ),
    "a waiver without a reason": Situation(
        2, None, only("good1"), "preflight_waivers[0].reason is not set",
        variables={"preflight_waivers": waived(host="good1", reason="")},
    ),
    # whom the hosts reach
    "a listener that is not reached": Situation(
        2, f"{lines(2, 2)}; 1 fails the gate", only("good1", "good2"), "Who reaches whom good2 → good1: ",
        variables={"preflight_mesh": ["good1"]},
    ),
    "a listener that is not reached, and no relay": Situation(
        2, lines(0, 1, "1 without"), only("bad1"), "Not reached: good1:", variables={"preflight_mesh": ["good1"]}
    ),
    "a listener that is not reached, waived": Situation(
        0, f"{lines(1, 1)}", only("good2"), "Waived: the firewall is replaced",
        variables={"preflight_mesh": ["good1"], "preflight_waivers": waived(verdict="not_reached")},
    ),
    "a listener that is not reached, waived by its port alone": Situation(
        2, f"{lines(1, 1)}; 1 fails the gate", only("good2"),
        variables={"preflight_mesh": ["good1"], "preflight_waivers": waived(endpoint="127.0.0.1:587")},
    ),
    "a listener that is not reached, within the number": Situation(
        0, lines(1, 1), [*only("good2"), "-e", "preflight_max_failed=1"], "lets 1 pass",
        variables={"preflight_mesh": ["good1"]},
    ),
    "a mesh with a misspelt name": Situation(
        2, None, only("good1"), "preflight_mesh[0] is 'godo1': godo1 is neither a group nor a host of the inventory",
        variables={"preflight_mesh": "godo1"},
    ),
    "a mesh without a port": Situation(
        2, None, only("good1"), "preflight_mesh[0] is 'bad1', and no port is known on which bad1 takes mail",
        variables={"preflight_mesh": ["bad1"]},
    ),
    "a mesh of the host alone": Situation(
        0, lines(1, 1), only("good1"), variables={"preflight_mesh": ["good1"]}, never="Who reaches whom"
    ),
    # what was so before
    "as in the baseline": Situation(
        0, f"{lines(0, 1, '1 without')}; 0 fail the gate", [*only("bad1"), "-e", "preflight_baseline=bad1.json"],
        "The baseline has it too.",
    ),
    "worse than the baseline": Situation(
        2, f"{lines(0, 2, '2 without')}; 1 fails the gate", [*only("bad1", "bad2"), "-e", "preflight_baseline=bad1.json"],
        "worse: bad2: No route for mail",
    ),
    "better than the baseline": Situation(
        0, lines(1, 1), [*only("good1"), "-e", "preflight_baseline=good1.json"], "better: good1: no longer: No route",
    ),
    "no baseline yet": Situation(
        2, lines(0, 1, "1 without"), [*only("bad1"), "-e", "preflight_baseline=never.json"],
        "never.json is not there, so nothing is known from before",
    ),
    "damaged baseline": Situation(
        2, None, [*only("good1"), "-e", "preflight_baseline=damaged.json"], "is no report: it is not JSON"
    ),
    # how the play goes
    "serial": Situation(2, lines(2, 4, "2 without"), [], play="serial"),
    "serial that goes wrong": Situation(
        2, f"{lines(0, 2, '2 without')}; 2 to come", [], play="serial that goes wrong"
    ),
    "serial, with a part that may": Situation(
        0, f"{lines(2, 4, '2 without')}; 0 fail the gate", ["-e", "preflight_max_failed=50%"], play="serial"
    ),
    "serial, waived": Situation(
        0, f"{lines(2, 3, '1 without')}; 0 fail the gate", [], play="serial of one that is waived",
        variables={"preflight_waivers": waived(host="bad1")}, never="matches n",
    ),
    "free": Situation(2, lines(2, 4, "2 without"), [], play="free"),
    "host_pinned": Situation(2, lines(2, 4, "2 without"), [], play="host_pinned"),
    "free, with a number that may": Situation(
        2, None, ["-e", "preflight_max_failed=2"], "preflight_max_failed counts the hosts that fail", play="free"
    ),
    "run_once": Situation(2, None, [], "Leave run_once out", play="run_once"),
    "delegate_to": Situation(2, None, only("good1", "good2"), "Leave delegate_to out", play="delegated"),
    "twice": Situation(0, lines(2, 2), [], play="twice"),
    "twice, and wrong the second time": Situation(
        2, lines(0, 2, "2 without"), [], play="twice, and wrong the second time"
    ),
    "skipped on some": Situation(0, f"{lines(2, 2)}; 2 skipped", [], play="skipped on some"),
    "every probe skipped": Situation(2, lines(0, 2, "2 not probed"), [], "The task was skipped", play="skipped probes"),
    "every probe skipped, as may be": Situation(
        0, f"{lines(0, 2, '2 not probed')}; 0 fail the gate", [], play="skipped probes that may be"
    ),
    "nobody asked": Situation(2, lines(0, 1, "1 not probed"), [], "No fact smtp_route", play="nobody asked"),
    "lost before": Situation(4, lines(1, 2, "1 not probed"), [], play="lost before"),
    "ignored unreachable": Situation(2, lines(1, 2, "1 unreachable"), [], play="ignored unreachable"),
    "ignored errors": Situation(0, lines(1, 2, "1 without"), [], "...ignoring", play="ignored errors"),
    # what is shown
    "no table": Situation(2, None, [*only("bad1"), "-e", "preflight_table=false"], "most relays serve 587"),
    "a program reads": Situation(
        2, None, [*only("bad1"), "-e", "preflight_table=false"], '"line": "preflight: 0 of 1 hosts have a route, 1 without"'
    ),
    "colours by force": Situation(
        2, lines(0, 1, "1 without"), only("bad1"), "\x1b[0;31mnone",
        environment={"ANSIBLE_FORCE_COLOR": "1", "ANSIBLE_NOCOLOR": ""},
    ),
    "no colours": Situation(
        2, lines(0, 1, "1 without"), only("bad1"), environment={"NO_COLOR": "1", "ANSIBLE_NOCOLOR": ""}, never="\x1b"
    ),
    "narrow": Situation(2, lines(1, 2, "1 without"), only("bad1", "half"), "bad1 (unknown): none", environment={"COLUMNS": "40"}),
    "a hostile server": Situation(2, lines(0, 1, "1 without"), only("hostile"), "\\x1b[2J", never="\x1b"),
}  # fmt: skip


class World(NamedTuple):
    directory: Path
    pool: ThreadPoolExecutor
    runs: dict[str, Future[Run]]


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("gate")
    with ExitStack() as stack:
        good, old = stack.enter_context(relay()), stack.enter_context(relay(tls=True))
        hostile = stack.enter_context(relay(greeting=HOSTILE))
        shut = closed()
        write_inventory(directory, good, old, hostile, shut)
        write_plays(directory)
        write_baselines(directory)
        names = [item.callspec.params["name"] for item in request.session.items if "name" in _params(item)]
        pool = stack.enter_context(ThreadPoolExecutor(2))
        yield World(directory, pool, {name: pool.submit(run, directory, SITUATIONS[name]) for name in names})
        pool.shutdown(cancel_futures=True)


def _params(item: pytest.Item) -> dict[str, Any]:
    called = getattr(item, "callspec", None)
    return called.params if called and item.originalname == "test_situation" else {}  # type: ignore[attr-defined]


def write_inventory(directory: Path, good: int, old: int, hostile: int, shut: int) -> None:
    def at(*ports: int, tls: str = "none") -> list[dict[str, Any]]:
        return [{"host": "127.0.0.1", "ports": list(ports), "tls": tls}]

    hosts = {
        **{name: {**LOCAL, "preflight_relays": at(good)} for name in ("good1", "good2")},
        **{name: {**LOCAL, "preflight_relays": at(shut)} for name in ("bad1", "bad2")},
        "careful": {**LOCAL, "preflight_relays": at(good), "preflight_fail_on": "any_unusable"},
        "half": {**LOCAL, "preflight_relays": at(good, shut)},
        "strict": {**LOCAL, "preflight_relays": at(good, shut), "preflight_fail_on": "any_unusable"},
        "lax": {**LOCAL, "preflight_relays": at(good), "preflight_max_failed": 1},
        "old": {**LOCAL, "preflight_relays": at(old, tls="implicit")},
        "wrong": {**LOCAL, "preflight_relays": at(good), "preflight_family": "ipv5"},
        "odd": {**LOCAL, "preflight_relays": at(good), "preflight_port": 456},
        "hostile": {**LOCAL, "preflight_relays": at(hostile, tls="starttls")},
        "gone": {"ansible_host": "127.0.0.1", "ansible_port": 1, "preflight_relays": at(good)},
    }
    # It offers what nobody reaches.
    hosts["good1"].update({"ansible_host": "127.0.0.1", "postfix_submission_ports": [shut]})
    variables = {
        "preflight_validate_certs": False,
        "preflight_sender": "none",
        # Two measurements of a relay on this host may be alike to the tenth of a millisecond.
        "preflight_helo_name": "{{ inventory_hostname }}.example.com",
        "half_relays": at(good, shut),
        "shut_relays": at(shut),
        "ansible_python_interpreter": sys.executable,
    }
    inventory = {"all": {"hosts": hosts, "vars": variables, "children": {"nobody": {}}}}
    (directory / "inventory.yml").write_text(yaml.safe_dump(inventory))


def write_plays(directory: Path) -> None:
    for name, content in PLAYS.items():
        (directory / f"{name}.yml").write_text(yaml.safe_dump(content))


def write_baselines(directory: Path) -> None:
    for name in ("bad1", "good1"):
        document = model.preflight({name: routed("refused")}, datetime.now(timezone.utc))
        (directory / f"{name}.json").write_text(json.dumps(document))
    (directory / "damaged.json").write_text('{"kind": "preflight", "hosts": [')


def run(directory: Path, situation: Situation) -> Run:
    name = str(directory / f"{situation.play}.yml") if situation.play in PLAYS else situation.play
    extra = ["-e", json.dumps(situation.variables)] if situation.variables else []
    environment = {"ANSIBLE_PIPELINING": "1", **situation.environment}
    return playbook(name, directory / "inventory.yml", *situation.arguments, *extra, **environment)


@pytest.mark.parametrize("name", SITUATIONS)
def test_situation(world: World, name: str) -> None:
    situation, done = SITUATIONS[name], world.runs[name].result(timeout=300)
    found = [line for line in done.text.splitlines() if line.startswith("preflight: ")]
    assert done.code == situation.code, done.text
    assert (found[-1] if found else None) == situation.line, done.text
    assert situation.words in done.words, done.text
    assert not situation.never or situation.never not in done.text, done.text


def test_there_are_forty() -> None:
    assert len(SITUATIONS) >= 40
