"""Which hosts of a report fail, by rules, waivers, a baseline and a number that may."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

import pytest
from ansible_collections.mailops.smtp.plugins.plugin_utils.report import gate, model

ROOT = Path(__file__).resolve().parents[5]
sys.path.insert(0, str(ROOT / "tests" / "fleet"))

from fleet import FAILED, NOW, SKIPPED, UNREACHABLE, routed

TODAY = date(2026, 11, 28)
GOOD, BAD = routed("ok", "ok"), routed("filtered", "refused")
HALF = routed("filtered", "ok")
EXPIRING = routed("certificate_expiring", "ok")


def report(**results):
    return model.preflight(results, NOW)


def judged(document, baseline=None, inventory=(), to_come=0, **values):
    return gate.judge(document, gate.rules(values), TODAY, baseline, inventory=inventory, to_come=to_come)


def waiver(**keys):
    return {"reason": "firewall is being replaced", "until": "2026-12-31", **keys}


def test_what_fails_without_any_rule():
    found = judged(report(web1=GOOD, web2=BAD, web3=UNREACHABLE, web4=FAILED, web5=SKIPPED, web6=HALF))
    assert {one.host: one.rule for one in found.findings} == {
        "web2": "no_route",
        "web3": "unreachable",
        "web4": "failed",
        "web5": "not_probed",
    }
    assert not found.passed
    assert found.line == (
        "preflight: 2 of 6 hosts have a route, 1 without, 1 failed, 1 unreachable, 1 not probed"
    )
    assert found.findings[0].message.startswith("No route for mail: 587 on relay.example.com is filtered")


@pytest.mark.parametrize(
    "asked, result, rule, endpoint, words",
    [
        ("any_unusable", HALF, "any_unusable", "relay.example.com:587", "relay.example.com:587 is filtered: "),
        ("filtered", HALF, "filtered", "relay.example.com:587", "relay.example.com:587 is filtered: "),
        (["filtered", "any_unusable"], HALF, "filtered", "relay.example.com:587", "is filtered"),
        ("certificate_expiring", EXPIRING, "certificate_expiring", "relay.example.com:587", "is certificate_expiring"),
        ({"certificate_days": 12}, EXPIRING, "certificate_days", "relay.example.com:587",
         "The certificate of relay.example.com:587 has 11 days left, and 12 are asked for."),
        ("certificate_days: 12", EXPIRING, "certificate_days", "relay.example.com:587", "11 days left"),
        ("provider_policy", routed("starttls_absent", "starttls_absent", "ok"), "provider_policy",
         "relay.example.com:465", "Hetzner Cloud blocks port 465 until asked to open it"),
    ],
)  # fmt: skip
def test_what_may_fail_besides(asked, result, rule, endpoint, words):
    found = judged(report(web1=result), fail_on=asked)
    assert [(one.rule, one.endpoint) for one in found.findings] == [(rule, endpoint)]
    assert words in found.findings[0].message
    assert found.failing == ["web1"]
    assert found.line == "preflight: 1 of 1 hosts have a route; 1 fails the gate"


@pytest.mark.parametrize(
    "asked, result",
    [
        ("no_route", HALF),
        ("any_unusable", EXPIRING),
        ("refused", HALF),
        ({"certificate_days": 11}, EXPIRING),
        ("provider_policy", routed("ok")),
        ("provider_policy", routed("ok", provider="unknown")),
    ],
)
def test_what_passes(asked, result):
    found = judged(report(web1=result), fail_on=asked)
    assert (found.findings, found.passed) == ([], True)


def test_no_other_rule_lets_a_host_without_a_route_pass():
    for asked in ("any_unusable", "certificate_expired", {"certificate_days": 1}, "provider_policy"):
        assert "no_route" in [one.rule for one in judged(report(web1=BAD), fail_on=asked).findings]


def test_a_guess_is_no_route_to_rely_on():
    guess = routed("filtered")
    fact = {
        **guess["ansible_facts"]["smtp_route"],
        "host": "relay.example.com",
        "port": 587,
        "decided_by": "policy",
    }
    document = report(web1={**guess, "ansible_facts": {"smtp_route": fact}})
    assert judged(document).passed
    (finding,) = judged(document, fail_on="provider_policy").findings
    assert "is a guess, which no probe has confirmed" in finding.message


# ------------------------------------------------------------------------------------------------ waivers


@pytest.mark.parametrize(
    "keys, waived",
    [
        ({"host": "web1"}, True),
        ({"host": "WEB*"}, True),
        ({"host": "db*"}, False),
        ({"verdict": "no_route"}, True),
        ({"verdict": "unreachable"}, False),
        ({"host": "web1", "verdict": "filtered"}, False),  # 2525 is refused besides
        ({"host": "web1", "verdict": "*e*"}, True),
        ({"endpoint": "relay.example.com:587"}, False),
        ({"endpoint": "relay.example.com:*"}, True),
        ({"endpoint": "587"}, False),
        ({"endpoint": "*5*"}, True),
        ({"endpoint": "other.example.com:*"}, False),
        ({"host": "web1", "until": "2026-11-28"}, True),
        ({"host": "web1", "until": "2026-11-27"}, False),
    ],
)  # fmt: skip
def test_what_a_waiver_fits(keys, waived):
    found = judged(report(web1=BAD), waivers=[waiver(**keys)])
    assert found.passed == waived
    assert found.findings[0].waived == (
        f"firewall is being replaced (until {keys.get('until', '2026-12-31')})" if waived else None
    )


def test_a_waiver_of_one_endpoint_leaves_the_others():
    found = judged(
        report(web1=BAD, web2=routed("filtered", "ok", "refused")),
        fail_on="any_unusable",
        waivers=[waiver(host="web2", endpoint="*:587"), waiver(host="web1")],
    )
    assert {(one.endpoint, one.rule) for one in found.findings if one.fails} == {
        ("relay.example.com:465", "any_unusable")
    }
    assert found.line == "preflight: 1 of 2 hosts have a route, 1 without; 1 fails the gate"


def test_each_host_is_judged_by_its_own_rules():
    strict = gate.rules({"fail_on": "any_unusable"})
    tolerant = gate.rules({"waivers": [waiver(host="web*")]})

    def line_of(**own):
        found = gate.judge(
            report(web1=HALF, web2=BAD), gate.rules({}), TODAY, report(web1=GOOD, web2=BAD), own=own
        )
        return found.failing, [one["host"] for one in found.worse], found.notes

    assert line_of() == ([], ["web1"], [])
    assert line_of(web1=strict) == (["web1"], ["web1"], [])
    assert line_of(web1=strict, web2=tolerant) == (["web1"], ["web1"], [])
    # A waiver is looked for on the hosts that have it.
    (note,) = line_of(web1=tolerant)[2]
    assert note.startswith("waivers[0] (host web*) matches nothing that fails")


def test_the_line_tells_where_the_gate_is_of_another_mind():
    assert judged(report(web1=BAD, web2=GOOD), waivers=[waiver(host="web1")]).line == (
        "preflight: 1 of 2 hosts have a route, 1 without; 0 fail the gate"
    )


def test_what_is_said_of_waivers():
    found = judged(
        report(web1=BAD, web2=GOOD),
        inventory=["web1", "web2", "web3"],
        waivers=[
            waiver(host="web1", until="2026-11-27"),
            waiver(host="web2"),
            waiver(host="web3"),  # not in this run
            waiver(host="wbe4", verdict="filtered"),
        ],
    )
    assert found.notes == [
        "waivers[0] (host web1) ended on 2026-11-27, so it waives nothing: firewall is being replaced",
        "waivers[1] (host web2) matches nothing that fails; take it out: firewall is being replaced",
        "waivers[3] (host wbe4, verdict filtered) matches no host of the inventory; correct it, or take it out: "
        "firewall is being replaced",
    ]
    assert found.findings[0].message.endswith(
        "Its waiver, waivers[0], ended on 2026-11-27: firewall is being replaced"
    )


# ----------------------------------------------------------------------------------------------- a baseline


def before(**results):
    """As it comes from the file."""
    return gate.read_baseline(json.dumps(report(**results)), "preflight", "last.json")


@pytest.mark.parametrize(
    "old, new, failing",
    [
        (BAD, BAD, []),
        (GOOD, BAD, ["web1"]),
        (BAD, GOOD, []),
        (None, BAD, ["web1"]),  # a host that is new
        (UNREACHABLE, BAD, ["web1"]),
        (BAD, UNREACHABLE, ["web1"]),
        (UNREACHABLE, UNREACHABLE, []),
        (GOOD, HALF, []),
    ],
)
def test_only_what_got_worse_fails(old, new, failing):
    baseline = before(web1=old) if old else before()
    assert judged(report(web1=new), baseline).failing == failing


def test_what_got_worse_at_one_endpoint():
    found = judged(
        report(web1=routed("filtered", "refused", "ok")), before(web1=HALF), fail_on="any_unusable"
    )
    assert [(one.endpoint, one.known) for one in found.findings] == [
        ("relay.example.com:587", True),
        ("relay.example.com:2525", False),
    ]


def test_what_is_told_of_changes():
    found = judged(
        report(web1=GOOD, web2=BAD, web3=HALF, web4=GOOD, web5=HALF),
        before(web1=BAD, web2=GOOD, web3=GOOD, web4=HALF, web5=HALF, gone=BAD),
    )
    assert [(one["host"], one["message"][:50]) for one in found.better] == [
        ("web1", "no longer: No route for mail: 587 on relay.example"),
        ("web1", "relay.example.com:587 was filtered and is ok"),
        ("web1", "relay.example.com:2525 was refused and is ok"),
        ("web4", "relay.example.com:587 was filtered and is ok"),
    ]
    assert [(one["host"], one["message"][:50]) for one in found.worse] == [
        ("web2", "No route for mail: 587 on relay.example.com is fil"),
        ("web2", "relay.example.com:587 was ok and is filtered"),
        ("web2", "relay.example.com:2525 was ok and is refused"),
        ("web3", "relay.example.com:587 was ok and is filtered"),
    ]


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "last.json is no report: it is not JSON"),
        ("[" * 100_000, "is not JSON"),
        (json.dumps({**report(web1=GOOD), "hosts": {}}), "something has changed or cut off"),
        ('{"kind": "preflight", "ver', "is not JSON"),
        ("[]", "is no report of preflight, but something else"),
        (json.dumps({"kind": "verify"}), "is no report of preflight, but verify"),
        (json.dumps({"kind": "preflight", "version": 9}), "is a report of version 9, and this one knows 1"),
        (json.dumps({"kind": "preflight", "version": 1}), "has changed or cut off"),
        (json.dumps({"kind": "preflight", "version": 1, "hosts": [{"name": "web1"}]}), "has changed or cut off"),
        (json.dumps({"kind": "preflight", "version": 1, "hosts": {"name": "web1"}}), "has changed or cut off"),
    ],
)  # fmt: skip
def test_a_damaged_baseline_is_an_error(text, words):
    with pytest.raises(gate.Wrong) as wrong:
        gate.read_baseline(text, "preflight", "last.json")
    assert words in str(wrong.value)


# ------------------------------------------------------------------------------------------ how many may fail


@pytest.mark.parametrize(
    "limit, passed, note",
    [
        (0, False, None),
        (1, False, "2 hosts fail, more than the 1 that max_failed 1 lets pass"),
        (2, True, "2 hosts fail (web1, web2), and max_failed lets 2 pass"),
        ("49%", False, "2 hosts fail, more than the 1 that max_failed 49% lets pass"),
        ("50%", True, "2 hosts fail (web1, web2), and max_failed lets 50% pass"),
        ("100%", True, "2 hosts fail (web1, web2), and max_failed lets 100% pass"),
    ],
)
def test_how_many_may_fail(limit, passed, note):
    found = judged(report(web1=BAD, web2=UNREACHABLE, web3=GOOD, web4=GOOD), max_failed=limit)
    assert found.passed == passed
    assert found.notes == ([note] if note else [])


def test_hosts_to_come_count_for_the_part_that_may_fail():
    found = judged(report(web1=BAD), to_come=9, max_failed="10%")
    assert found.passed
    assert found.line == "preflight: 0 of 1 hosts have a route, 1 without; 0 fail the gate; 9 to come"
    assert not judged(report(web1=BAD), to_come=8, max_failed="10%").passed


def test_the_line_of_a_gate_that_passed_is_another():
    results = {"web1": BAD, "web2": UNREACHABLE, "web3": GOOD}
    line = "preflight: 1 of 3 hosts have a route, 1 without, 1 unreachable"
    assert judged(report(**results), max_failed=1).line == line
    assert judged(report(**results), max_failed=2).line == f"{line}; 0 fail the gate"


def test_a_skipped_host_may_pass():
    assert judged(report(web1=SKIPPED), allow_empty=True).passed
    assert not judged(report(web1=UNREACHABLE), allow_empty=True).passed


# ------------------------------------------------------------------------------------ rules as users write them


@pytest.mark.parametrize(
    "value, meaning",
    [
        ("", ["no_route"]),
        (None, ["no_route"]),
        ([], ["no_route"]),
        ("any_unusable", ["any_unusable"]),
        ("Any-Unusable, no_route", ["any_unusable", "no_route"]),
        ("certificate_days: 14", [{"certificate_days": 14}]),
        ("filtered certificate_days=14", ["filtered", {"certificate_days": 14}]),
        ({"certificate_days": "14"}, [{"certificate_days": 14}]),
        (["filtered", "filtered", {"certificate_days": 7}], ["filtered", {"certificate_days": 7}]),
        ([{"certificate_days": 7}, "certificate_days: 9"], [{"certificate_days": 9}]),
    ],
)  # fmt: skip
def test_forms_of_fail_on(value, meaning):
    assert gate.fail_on(value or []) == meaning
    assert gate.fail_on(meaning) == meaning


@pytest.mark.parametrize(
    "value, words",
    [
        ("any_unusabel", "did you mean any_unusable?"),
        ("filterd", "did you mean filtered?"),
        ("ok", "fail_on is ok, and takes"),
        ("certificate_days", "write certificate_days: 14"),
        ({"certificate_days": True}, "write certificate_days: 14"),
        ({"certificate_days": -3}, "takes a number of days"),
        ({"filtered": 3}, "only certificate_days takes one"),
        (True, "fail_on is true"),
        ([["filtered"]], "fail_on is ['filtered']"),
    ],
)
def test_what_fail_on_does_not_take(value, words):
    with pytest.raises(gate.Wrong) as wrong:
        gate.fail_on(value)
    assert words in str(wrong.value)


@pytest.mark.parametrize("value", ["-1", "many", "101%", "1.5", "", "1e3", "٣"])
def test_what_max_failed_does_not_take(value):
    with pytest.raises(gate.Wrong) as wrong:
        gate.max_failed(value, "preflight_max_failed")
    assert str(wrong.value).startswith("preflight_max_failed is ")


@pytest.mark.parametrize(
    "given, words",
    [
        ({"reason": ""}, "preflight_waivers[0].reason is not set"),
        ({"until": ""}, "preflight_waivers[0].until is not set"),
        ({"until": "31.12.2026"}, "write it as 2027-01-31"),
        ({"until": "2027-02-30"}, "until is 2027-02-30, which no calendar has; write it as 2027-01-31"),
        ({"host": ""}, "would waive everything on every host"),
        ({"host": "*"}, "would waive everything on every host"),
        ({"verdict": "filterd"}, "did you mean filtered?"),
    ],
)
def test_what_a_waiver_must_have(given, words):
    with pytest.raises(gate.Wrong) as wrong:
        gate.rules(
            {"waivers": [waiver(host="web1", **given) if "host" not in given else waiver(**given)]},
            "preflight_",
        )
    assert words in str(wrong.value)


def test_words_of_a_server_change_nothing_in_a_line():
    hostile = {**UNREACHABLE, "msg": "\x1b[2J\u202eevil\n" + "A" * 10_000}
    found = judged(report(web1=hostile))
    (finding,) = found.findings
    assert finding.message.isprintable()
    assert len(finding.message) < 2_100


def test_the_judgement_as_data():
    data = judged(report(web1=BAD, web2=GOOD), waivers=[waiver(host="web1")]).as_dict()
    assert json.loads(json.dumps(data)) == data
    assert (data["passed"], data["failing"], data["allowed"]) == (True, [], 0)
    assert data["findings"][0]["waived"] == "firewall is being replaced (until 2026-12-31)"


# ------------------------------------------------------------------------------------------------ the mesh

MESH = {"mail1": ("ok", "filtered"), "mail2": ("ok", "ok")}
AT_MAIL1 = "mail1:465"


def test_a_listener_that_is_not_reached_fails_the_host_and_leaves_its_route():
    document = report(
        web1=routed("ok", mesh=MESH), web2=routed("ok", mesh={"mail2": ("ok", "certificate_expiring")})
    )
    found = judged(document)
    (finding,) = found.findings
    assert (finding.host, finding.rule, finding.endpoint) == ("web1", "not_reached", AT_MAIL1)
    assert finding.message.startswith("mail1 at mail1.example.com:465 is filtered: What was seen of filtered")
    assert "opened in the firewall of mail1" in finding.message
    assert found.line == "preflight: 2 of 2 hosts have a route; 1 fails the gate"
    assert document["hosts"][0]["route"] == report(web1=routed("ok"))["hosts"][0]["route"]


@pytest.mark.parametrize("asked", ["any_unusable", "filtered", "not_reached", {"certificate_days": 1}])
def test_a_listener_is_found_once_whatever_else_fails(asked):
    (finding,) = judged(report(web1=routed("ok", mesh=MESH)), fail_on=asked).findings
    assert finding.rule == "not_reached"


def test_other_rules_hold_for_listeners_that_are_reached():
    document = report(web1=routed("ok", mesh={"mail1": ("certificate_expiring",)}))
    assert judged(document).passed
    (one,) = judged(document, fail_on="certificate_expiring").findings
    assert (one.rule, one.endpoint) == ("certificate_expiring", "mail1:587")
    (one,) = judged(document, fail_on="certificate_days:14").findings
    assert one.message.startswith("The certificate of mail1 at mail1.example.com:587 has 11 days left")


@pytest.mark.parametrize(
    "keys, waived",
    [
        ({"verdict": "not_reached"}, True),
        ({"verdict": "filtered"}, True),
        ({"verdict": "no_route"}, False),
        ({"endpoint": AT_MAIL1}, True),
        ({"endpoint": "mail1:*"}, True),
        # The address may be another server's as well.
        ({"endpoint": "mail1.example.com:465"}, False),
        ({"endpoint": "587"}, False),
        ({"endpoint": "465", "verdict": "not_*", "host": "web*"}, True),
        ({"host": "mail1"}, False),
        ({"verdict": "not_reached", "until": "2026-11-27"}, False),
    ],
)
def test_what_a_waiver_of_a_listener_fits(keys, waived):
    assert judged(report(web1=routed("ok", mesh=MESH)), waivers=[waiver(**keys)]).passed == waived


def test_a_missing_route_rests_on_the_relay_alone():
    document = report(web1=routed("refused", mesh={"mail1": ("filtered",)}))
    found = judged(document, waivers=[waiver(verdict="refused")])
    assert {(one.rule, one.fails) for one in found.findings} == {("no_route", False), ("not_reached", True)}


def test_a_baseline_knows_a_listener():
    old, new = (
        report(web1=routed("ok", mesh=MESH)),
        report(web1=routed("ok", mesh={**MESH, "mail2": ("refused", "ok")})),
    )
    found = judged(new, baseline=old)
    assert [(one.endpoint, one.known) for one in found.findings] == [
        (AT_MAIL1, True),
        ("mail2:587", False),
    ]
    assert [one["message"].partition(":587")[0] for one in found.worse] == ["mail2 at mail2.example.com"]
    assert not judged(old, baseline=new).failing


def test_a_baseline_of_before_there_was_a_mesh_is_one():
    old = report(web1=routed("ok", "filtered"))
    for one in old["hosts"][0]["endpoints"]:
        del one["server"]
    read = gate.read_baseline(json.dumps(old), "preflight", "old.json")
    assert judged(report(web1=routed("ok", mesh=MESH)), baseline=read).failing == ["web1"]


def test_a_server_of_the_mesh_may_be_the_relay_as_well():
    relays = [{"host": "mail1.example.com", "ports": [587, 465]}]
    result = routed("ok", "filtered", relays=relays, mesh={"mail1": ("ok", "ok")})
    before = routed("ok", "filtered", relays=relays, mesh={"mail1": ("ok", "filtered")})
    assert judged(report(web1=result)).passed
    found = judged(report(web1=result), baseline=report(web1=before))
    assert (len(found.better), len(found.worse)) == (1, 0)


def test_servers_at_one_address_are_two():
    """Behind one address of a gateway, for instance: what is known or waived of one is not of the other."""

    def found(**verdicts):
        one = report(web1=routed("ok", mesh={name: (verdict,) for name, verdict in verdicts.items()}))
        for endpoint in one["hosts"][0]["endpoints"][1:]:
            endpoint["host"] = "192.0.2.1"
        return one

    old, new = found(mail1="ok", mail2="refused"), found(mail1="refused", mail2="refused")
    known = judged(new, baseline=old)
    assert [(one.endpoint, one.known) for one in known.findings] == [
        ("mail1:587", False),
        ("mail2:587", True),
    ]
    assert [one["message"].partition(" is ")[0] for one in known.worse] == ["mail1 at 192.0.2.1:587"]
    waived = judged(new, waivers=[waiver(endpoint="mail2:587")])
    assert [one.endpoint for one in waived.findings if one.fails] == ["mail1:587"]
