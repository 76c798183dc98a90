"""The table, and each host's own result."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from ansible import constants as C
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.utils import color
from ansible_collections.mailops.smtp.plugins.action import route_report
from ansible_collections.mailops.smtp.plugins.plugin_utils.report import model, terminal


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    monkeypatch.setattr(color, "ANSIBLE_COLOR", False)


def fact(*endpoints, port=None, decided_by="probe", reason="Because.", relay="relay.example.com", title=""):
    """A fact from (port, verdict) pairs."""
    return {
        "host": relay if port else None,
        "port": port,
        "tls": "starttls" if port else None,
        "decided_by": decided_by,
        "reason": reason,
        "remedy": None if port else "Open a port.",
        "cloud": {"provider": "gce" if title else "unknown", "title": title or "an unknown provider"},
        "endpoints": [
            {
                "host": relay,
                "port": number,
                "verdict": verdict,
                "usable": verdict in ("ok", "certificate_expiring"),
            }
            for number, verdict in endpoints
        ],
    }


HEALTHY = fact(
    (587, "ok"), (2525, "ok"), port=587, reason="587 on relay.example.com accepted TLS.", title="Google"
)
NO587 = fact((587, "filtered"), (2525, "ok"), port=2525, reason="587 is filtered; 2525 accepted TLS.")
NONE = fact(
    (587, "filtered"), (2525, "refused"), reason="587 is filtered and 2525 is refused, so no port is usable"
)
FOR_SOME = {
    "senders": ["@example.org"],
    "recipients": [],
    "direct": False,
    "required": True,
    "relay": 1,
    "name": "postfix_relays[1]",
}
SEVERAL = {
    **HEALTHY,
    "endpoints": [
        {"host": "relay.example.com", "port": 587, "verdict": "ok", "usable": True, "relay": place}
        for place in (0, 1)
    ],
    "routes": [
        {**HEALTHY, "senders": [], "recipients": [], "direct": False, "required": False, "relay": 0},
        {**HEALTHY, **FOR_SOME},
        {
            **NONE,
            **FOR_SOME,
            "direct": True,
            "decided_by": "direct",
            "senders": [],
            "recipients": ["a@b.example"],
        },
    ],
}
LOST = {"unreachable": True, "msg": "ssh: Connection refused"}


NOW = datetime(2026, 11, 28, tzinfo=timezone.utc)


def rows(**hosts):
    return [terminal.row_of(model.routed_host(name, of(one))) for name, one in hosts.items()]


def render(width, lost=None, **hosts):
    results = {name: of(one) for name, one in hosts.items()}
    return terminal.render(model.preflight({**results, **(lost or {})}, NOW), width=width)


def test_the_table_of_several_relays():
    assert render(120, web1=SEVERAL).splitlines() == [
        "Routes for mail through relay.example.com",
        "host  provider  587 (1)  587 (2)  route",
        "web1  Google    ok       ok       587 starttls",
        "    587 on relay.example.com accepted TLS.",
        "    mail from @example.org goes by 587 starttls: 587 on relay.example.com accepted TLS.",
        "    mail to a@b.example goes straight to the hosts of its recipients",
    ]


def test_a_relay_for_some_that_fails_is_the_host_s_failure():
    routes = [SEVERAL["routes"][0], {**NONE, **FOR_SOME}]
    (row,) = rows(web1={**SEVERAL, "routes": routes})
    assert row.route.text == "none"
    assert row.why[0].startswith(
        "No route for mail from @example.org through postfix_relays[1]: 587 is filtered"
    )


def test_two_relays_of_one_sender_are_one_way_and_another_where_that_fails():
    one = {
        **HEALTHY,
        "senders": ["@example.org"],
        "recipients": [],
        "direct": False,
        "relay": 1,
        "required": True,
    }
    fact = {**HEALTHY, "routes": [{**one, "reason": "first"}, {**one, "port": 2525, "reason": "second"}]}
    (row,) = rows(web1=fact)
    assert row.why[1:] == [
        "mail from @example.org goes by 587 starttls: first; where that fails, by 2525 starttls: second"
    ]


def test_a_host_whose_mail_goes_past_every_relay():
    (row,) = rows(
        web1={**SEVERAL, "host": None, "port": None, "tls": None, "decided_by": "direct", "reason": "so"}
    )
    assert (row.route.text, row.why[0][:28]) == ("direct", "mail from @example.org goes ")


def test_table():
    shown = render(79, {"gone": LOST}, healthy=HEALTHY, no587=NO587, none=NONE)
    assert shown.splitlines() == [
        "Routes for mail through relay.example.com",
        "host     provider  587       2525     route",
        "none     unknown   filtered  refused  none",
        "    No route for mail: 587 is filtered and 2525 is refused, so no port is",
        "    usable. Open a port.",
        "gone               -         -        unreachable",
        "    ssh: Connection refused",
        "healthy  Google    ok        ok       587 starttls",
        "    587 on relay.example.com accepted TLS.",
        "no587    unknown   filtered  ok       2525 starttls",
        "    587 is filtered; 2525 accepted TLS.",
    ]


def test_a_table_that_is_too_wide_becomes_blocks():
    shown = render(44, {"gone": LOST}, healthy=HEALTHY, none=NONE)
    assert shown.splitlines() == [
        "Routes for mail through relay.example.com",
        "none (unknown): none",
        "    587 filtered",
        "    2525 refused",
        "    No route for mail: 587 is filtered and",
        "    2525 is refused, so no port is usable.",
        "    Open a port.",
        "gone: unreachable",
        "    ssh: Connection refused",
        "healthy (Google): 587 starttls",
        "    587 ok",
        "    2525 ok",
        "    587 on relay.example.com accepted TLS.",
    ]


def test_several_relays_are_named_at_each_port():
    two = fact((587, "filtered"), (587, "ok"), port=587)
    two["endpoints"][1]["host"] = "b.example"
    shown = render(100, web1=two).splitlines()
    assert shown[0] == "Routes for mail"
    assert shown[1].split() == ["host", "provider", "relay.example.com:587", "b.example:587", "route"]
    assert shown[2].split() == ["web1", "unknown", "filtered", "ok", "587", "starttls"]


def test_both_families_share_a_cell():
    both = fact((587, "ok"), (587, "filtered"), (2525, "ok"), (2525, "ok"), port=587)
    (row,) = rows(web1=both)
    assert {key[1]: (cell.text, cell.color) for key, cell in row.ports.items()} == {
        587: ("ok/filtered", C.COLOR_ERROR),
        2525: ("ok", C.COLOR_OK),
    }


@pytest.mark.parametrize(
    "one, port_color, route_color",
    [
        (fact((587, "ok"), port=587), C.COLOR_OK, C.COLOR_OK),
        (fact((587, "ok"), port=587, decided_by="sticky"), C.COLOR_OK, C.COLOR_OK),
        (fact((587, "certificate_expiring"), port=587), C.COLOR_WARN, C.COLOR_OK),
        (fact((587, "filtered"), port=587, decided_by="policy"), C.COLOR_ERROR, C.COLOR_WARN),
        (fact((587, "filtered"), port=587, decided_by="keep"), C.COLOR_ERROR, C.COLOR_WARN),
        (fact((587, "filtered")), C.COLOR_ERROR, C.COLOR_ERROR),
    ],
)
def test_colors_say_how_good_it_is(one, port_color, route_color):
    (row,) = rows(web1=one)
    assert [cell.color for cell in row.ports.values()] == [port_color]
    assert row.route.color == route_color


def test_color_does_not_disturb_the_columns(monkeypatch):
    plain = render(79, healthy=HEALTHY, no587=NO587)
    monkeypatch.setattr(color, "ANSIBLE_COLOR", True)
    colored = render(79, healthy=HEALTHY, no587=NO587)
    assert "\033[" in colored
    assert "\033[" not in plain
    stripped = "".join(
        part.split("m", 1)[-1] if index else part for index, part in enumerate(colored.split("\033["))
    )
    assert stripped == plain


@pytest.mark.parametrize(
    "registered, state, why",
    [
        (LOST, "unreachable", "ssh: Connection refused"),
        ({"failed": True, "msg": "port: 456 is not a port"}, "failed", "port: 456 is not a port"),
        ({}, "not probed", "It was unreachable, or failed, before its ports were probed."),
    ],
)
def test_lost_hosts(registered, state, why):
    row = terminal.row_of(model.routed_host("gone", registered))
    assert (row.route.text, row.why) == (state, [why])


# --------------------------------------------------------------------------------------- the action itself


class Task:
    """What the action sees of its task."""

    ignore_unreachable = False

    def __init__(self, run_once=False, delegate_to=None, strategy="linear"):
        self.run_once = run_once
        self.delegate_to = delegate_to
        self.strategy = strategy

    def get_play(self):
        return self


class Screen:
    columns = 79

    def __init__(self):
        self.shown = []

    def display(self, text, screen_only=False, log_only=False):
        assert screen_only != log_only
        self.shown += [text] if screen_only else []


def given(spec, arguments):
    """What a task with these arguments gives, as Ansible validates it."""
    found = ArgumentSpecValidator(spec).validate(arguments)
    assert not found.error_messages
    return found, found.validated_parameters


@pytest.fixture
def report(monkeypatch):
    """Run the action for one host of a play; returns its result and what was shown."""

    def call(host, hostvars, batch=None, alive=None, task=None, **arguments):
        names = list(hostvars)
        screen = Screen()
        monkeypatch.setattr(route_report, "Display", lambda: screen)
        action = object.__new__(route_report.ActionModule)
        action._task = task or Task()
        monkeypatch.setattr(
            route_report.ActionModule, "validate_argument_spec", lambda _self, spec: given(spec, arguments)
        )
        monkeypatch.setattr(route_report.ActionBase, "run", lambda *_: {})
        variables = {
            "inventory_hostname": host,
            "hostvars": hostvars,
            "ansible_play_batch": names if batch is None else batch,
            "ansible_play_hosts": names if alive is None else alive,
            "ansible_play_hosts_all": names,
        }
        return action.run(None, variables), screen.shown

    return call


def of(one, **more):
    return {"ansible_facts": {"smtp_route": one}, **more}


def hosts_in(text):
    """The beginnings of the rows."""
    return [line.split()[0] for line in text.splitlines() if line[0] not in " Rp"]


PLAY = {"healthy": of(HEALTHY), "no587": of(NO587), "none": of(NONE)}


def test_one_host_shows_the_table_for_all(report):
    shown = {host: report(host, PLAY)[1] for host in PLAY}
    assert [len(texts) for texts in shown.values()] == [1, 0, 0]
    assert hosts_in(shown["healthy"][0]) == ["host", "none", "healthy", "no587"]
    assert shown["healthy"][0].endswith("\npreflight: 2 of 3 hosts have a route, 1 without")


def test_the_table_can_be_turned_off(report):
    assert report("healthy", PLAY, table=False)[1] == []


def test_each_host_has_its_own_result(report):
    assert report("no587", PLAY)[0] == {
        "changed": False,
        "msg": "2525 on relay.example.com (starttls): 587 is filtered; 2525 accepted TLS.",
    }
    assert report("none", PLAY, table=False)[0] == {
        "changed": False,
        "failed": True,
        "msg": "No route for mail: 587 is filtered and 2525 is refused, so no port is usable. Open a port.",
    }


def test_what_the_table_has_said_is_not_said_again(report):
    said = report("none", PLAY)[0]["msg"]
    assert said == "No route for mail: 587 filtered, 2525 refused. The table has the reason, and what to do."


def test_a_listener_that_is_not_reached_fails_its_host_alone(report):
    listener = {"server": "mail1", "host": "mail1.example.com", "port": 587, "tls": "starttls", "verdict": "filtered",
                "usable": False, "reason": "No answer.", "advice": "Have it opened."}  # fmt: skip
    reached = {**listener, "usable": True, "verdict": "ok"}
    found = {"one": of(HEALTHY, mesh=[listener]), "other": of(NO587, mesh=[reached])}
    play = {name: {"probed": result} for name, result in found.items()}
    result, shown = report("one", play, registered="probed")
    assert result["failed"]
    assert result["msg"].startswith("Fails the gate: 587 ok")
    assert result["msg"].endswith(
        ". Not reached: mail1:587 filtered. The table has the reason, and what to do."
    )
    assert (
        "one → mail1: 587 filtered\n    mail1 at mail1.example.com:587 is filtered: No answer. Have it"
        in shown[0]
    )
    assert result["line"] == "preflight: 2 of 2 hosts have a route; 1 fails the gate"
    assert "failed" not in report("other", play, registered="probed")[0]
    result, _shown = report("one", play, registered="probed", table=False)
    assert result["msg"] == "mail1 at mail1.example.com:587 is filtered: No answer. Have it opened."


def test_a_wrong_variable_is_told_by_its_own_host_too(report):
    wrong = {"failed": True, "msg": "postfix_relay_port: 456 is no SMTP port; write 465."}
    play = {name: {"probed": one} for name, one in {**PLAY, "wrong": wrong}.items()}
    assert wrong["msg"] in report("wrong", play, registered="probed")[0]["msg"]


def test_a_host_without_the_fact_fails_and_another_one_shows_the_table(report):
    play = {"first": {}, "healthy": of(HEALTHY)}
    result, shown = report("first", play)
    assert result["failed"]
    assert result["msg"] == "No fact smtp_route: run mailops.smtp.smtp_route_facts before this task."
    assert shown == []
    assert len(report("healthy", play)[1]) == 1


def test_which_hosts_the_table_holds(report):
    play = {
        "reported": {"probed": of(NONE)},  # failed in an earlier batch, which showed it
        "healthy": {"probed": of(HEALTHY)},
        "gone": {"probed": LOST},
        "skipped": {"probed": {"skipped": True}},
        "later": {},
    }
    batch, alive = ["healthy", "skipped"], ["healthy", "skipped", "later"]
    _result, (shown,) = report("healthy", play, batch, alive, registered="probed")
    assert hosts_in(shown) == ["host", "gone", "healthy"]
    assert "ssh: Connection refused" in shown
    assert shown.splitlines()[-1] == (
        "preflight: 1 of 3 hosts have a route, 1 without, 1 unreachable; 1 skipped; 1 to come"
    )


def test_a_failure_that_was_let_pass_stands_in_the_table(report):
    refused = {
        "failed": False,
        "failed_when_result": False,
        "msg": "postfix_relay_ca_file: /x does not exist",
    }
    play = {"refused": {"probed": refused}, "healthy": {"probed": of(HEALTHY)}}
    _result, (shown,) = report("refused", play, registered="probed")
    assert "failed" in next(line for line in shown.splitlines() if line.startswith("refused"))
    assert "postfix_relay_ca_file: /x does not exist" in shown


@pytest.mark.parametrize("strategy", ["free", "host_pinned", "ansible.builtin.free", "mitogen.free"])
def test_hosts_that_do_not_wait_for_each_other_show_their_own_row(report, strategy):
    play = {"running": {}, "no587": of(NO587), "healthy": of(HEALTHY)}
    for host in ("no587", "healthy"):
        _result, (shown,) = report(host, play, task=Task(strategy=strategy))
        assert hosts_in(shown) == ["host", host]
        assert "preflight:" not in shown
    # The last one to come, without a fact.
    assert report("running", play, task=Task(strategy=strategy))[1] == [
        "preflight: 2 of 3 hosts have a route, 1 not probed"
    ]


@pytest.mark.parametrize("strategy", ["linear", "debug", "ansible.builtin.linear", "mitogen.mitogen_linear"])
def test_hosts_that_wait_for_each_other_share_a_table(report, strategy):
    shown = [report(host, PLAY, task=Task(strategy=strategy))[1] for host in PLAY]
    assert [len(texts) for texts in shown] == [1, 0, 0]


@pytest.mark.parametrize(
    "task, host, words",
    [
        (Task(run_once=True), "healthy", "Leave run_once out"),
        (
            Task(delegate_to="no587"),
            "healthy",
            "the route of no587, which would stand under the name of healthy",
        ),
    ],
)
def test_a_route_under_another_name_is_refused(report, task, host, words):
    result, shown = report(host, PLAY, task=task)
    assert result["failed"]
    assert words in result["msg"]
    assert shown == []


@pytest.mark.parametrize(
    "task, play", [(Task(run_once=True), {"healthy": of(HEALTHY)}), (Task(delegate_to="healthy"), PLAY)]
)
def test_a_host_that_is_asked_itself_is_not_refused(report, task, play):
    result, shown = report("healthy", play, task=task)
    assert "failed" not in result
    assert len(shown) == 1


def measured(helo_name, *figures):
    one = fact((587, "ok"), port=587)
    one["helo_name"] = helo_name
    one["endpoints"][0]["timings_ms"] = dict(enumerate(figures))
    return of(one)


TIMES = (0.3, 1.4, 2.6, 0.9, 5.1)


@pytest.mark.parametrize(
    "other, one_measurement",
    [
        (measured("web1.example", *TIMES), True),
        (measured("web2.example", *TIMES), False),
        (measured("web1.example", *TIMES[:-1], 5.2), False),
    ],
)
def test_one_measurement_under_two_names_is_refused(report, other, one_measurement):
    result, _shown = report("web1", {"web1": measured("web1.example", *TIMES), "web2": other})
    assert result.get("failed", False) == one_measurement
    assert ("web1 and web2 have one and the same measurement" in result["msg"]) == one_measurement


def test_few_figures_prove_nothing(report):
    few = measured("web1.example", 0.1, 0.1, None, None, None, None)
    assert "failed" not in report("web1", {"web1": few, "web2": few})[0]


@pytest.mark.parametrize(
    "registered, words",
    [
        ({}, "No fact smtp_route"),
        ({"skipped": True}, "The task was skipped"),
        (LOST, "ssh: Connection refused"),
        ({"failed": True, "msg": "postfix_relay_ca_file: no"}, "postfix_relay_ca_file: no"),
        (
            {"failed": False, "failed_when_result": False, "msg": "postfix_relay_ca_file: no"},
            "postfix_relay_ca_file: no",
        ),
    ],
)
def test_a_fact_of_an_older_run_is_none(report, registered, words):
    """As a fact cache keeps it, of a host that could not be probed now."""
    play = {"cached": of(HEALTHY, probed=registered), "healthy": of(HEALTHY, probed=of(HEALTHY))}
    result, _shown = report("cached", play, registered="probed", table=False)
    assert result.get("failed") or result["unreachable"]
    assert words in result["msg"]


def test_a_lost_host_is_unreachable_for_ansible_too(report):
    play = {"gone": {"probed": LOST}, "healthy": {"probed": of(HEALTHY)}}
    result, (shown,) = report("gone", play, registered="probed")
    assert (result["unreachable"], "failed" in result) == (True, False)
    assert shown.endswith("\npreflight: 1 of 2 hosts have a route, 1 unreachable")
    task = Task()
    task.ignore_unreachable = True
    assert report("gone", play, registered="probed", task=task)[0]["failed"]


# ---------------------------------------------------------------------------------------------- the gate


WAIVER = {"reason": "it moves", "until": "2999-01-31"}


def test_a_host_that_may_fail_does_not(report):
    for given_rules, words in (
        ({"waivers": [{**WAIVER, "host": "none"}]}, "Waived: it moves (until 2999-01-31)."),
        ({"max_failed": "1"}, "max_failed lets it pass."),
        ({"max_failed": "34%", "prefix": "preflight_"}, "preflight_max_failed lets it pass."),
    ):
        result, _shown = report("none", PLAY, **given_rules)
        assert "failed" not in result
        assert result["msg"].startswith("No route for mail: 587 is filtered")
        assert result["msg"].endswith(words)


def test_more_rules_are_more_reasons_to_fail(report):
    result, _shown = report("no587", PLAY, fail_on="any_unusable", table=False)
    assert result["failed"]
    assert result["msg"].startswith("relay.example.com:587 is filtered")


def test_a_number_that_may_fail_takes_hosts_that_wait_for_each_other(report):
    with pytest.raises(
        AnsibleActionFail, match="max_failed counts the hosts that fail, and with strategy free"
    ):
        report("none", PLAY, task=Task(strategy="free"), max_failed="1")


def test_a_wrong_rule_is_told(report):
    with pytest.raises(AnsibleActionFail, match="did you mean filtered"):
        report("none", PLAY, fail_on="filterd")


def test_the_file_of_a_baseline(report, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result, _shown = report("healthy", PLAY, baseline="last.json")
    assert f"baseline: {tmp_path}/last.json is not there" in result["warnings"][0]
    assert report("none", PLAY, baseline="last.json")[0]["failed"]
    document = model.preflight({"none": of(NONE)}, NOW)
    (tmp_path / "last.json").write_text(json.dumps(document))
    result, _shown = report("none", PLAY, baseline="last.json")
    assert "failed" not in result
    assert result["msg"].endswith("The baseline has it too.")
    (tmp_path / "last.json").write_text(json.dumps(document)[:-9])
    with pytest.raises(AnsibleActionFail, match="is no report: it is not JSON"):
        report("none", PLAY, baseline="last.json")


def test_what_is_told_of_the_rules_without_a_table(report):
    result, _shown = report("healthy", PLAY, table=False, waivers=[{**WAIVER, "host": "gone"}])
    assert result["warnings"] == [
        "waivers[0] (host gone) matches no host of the inventory; correct it, or take it out: it moves"
    ]
    assert result["line"] == "preflight: 2 of 3 hosts have a route, 1 without"
