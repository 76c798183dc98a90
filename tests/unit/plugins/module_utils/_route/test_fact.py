"""From parameters to the fact and its file."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
from datetime import datetime, timezone

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._route.choose import Hop
from ansible_collections.mailops.smtp.plugins.module_utils._route.cloud import Cloud, egress
from ansible_collections.mailops.smtp.plugins.module_utils._route.fact import (
    InUse,
    fact,
    in_their_own_manner,
    in_use,
    no_route,
    parse_parameters,
    read_saved,
    save,
)
from ansible_collections.mailops.smtp.plugins.module_utils._route.manner import Sender
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import OptionError, Options
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import VERDICTS, Result

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=timezone.utc)
HETZNER = Cloud("hetzner_cloud", "Hetzner Cloud", "DMI system_vendor is 'Hetzner'", egress("hetzner_cloud"))
UNUSED = InUse()
DEFAULTS = {"policy": "first_usable", "sticky": True, "on_no_route": "fail"}


def made(*verdicts, relays=("relay.example.com",), in_use=UNUSED, **params):
    asked = parse_parameters({"relays": list(relays), **DEFAULTS, **params})
    results = []
    for candidate, verdict in zip(asked.candidates, verdicts):
        stage = VERDICTS[verdict].stage or "auth"
        results.append(
            Result(
                *candidate.endpoint[:3], verdict, stage, f"Seen: {verdict}.", reachable=verdict != "filtered"
            )
        )
    return fact(asked, results, HETZNER, in_use, NOW, Sender("web1.example.com", "main.cf"))


def test_the_whole_fact():
    route = made("filtered", "ok")
    endpoints = route.pop("endpoints")
    (own,) = route.pop("routes")
    whose = {"name": "relays[0]", "senders": [], "recipients": [], "direct": False, "required": False}
    assert own == {**{key: route[key] for key in own if key not in whose}, **whose}
    assert route == {
        "host": "relay.example.com",
        "port": 2525,
        "tls": "starttls",
        "relay": 0,
        "decided_by": "probe",
        "reason": "587 on relay.example.com is filtered; 2525 answered",
        "remedy": None,
        "alternatives": [],
        "auth_mechanism": None,
        "lookup": None,
        "security_level": None,
        "helo_name": "web1.example.com",
        "helo_source": "main.cf",
        "helo_problem": None,
        "mail_from": None,
        "origin": None,
        "family": "any",
        "source_addresses": [],
        "warnings": [],
        "cloud": {
            "provider": "hetzner_cloud",
            "title": "Hetzner Cloud",
            "evidence": "DMI system_vendor is 'Hetzner'",
            "confidence": "primary",
            "policy": egress("hetzner_cloud"),
        },
        "checked_at": "2026-11-23T12:00:00Z",
    }
    assert [(one["port"], one["verdict"], one["usable"]) for one in endpoints] == [
        (587, "filtered", False),
        (2525, "ok", True),
    ]
    assert "Hetzner Cloud leaves outgoing port 587 open by default" in endpoints[0]["advice"]
    assert endpoints[1]["advice"] == "Nothing to do."


def test_the_fact_is_json_without_a_secret():
    relays = [{"host": "relay.example.com", "username": "u", "password": "hunter2"}]
    text = json.dumps(made("auth_rejected", "ok", relays=relays))
    assert "hunter2" not in text


def test_a_port_that_the_service_does_not_document_is_pointed_out():
    endpoint = made("filtered", relays=[{"provider": "postmark"}], ports=[465])["endpoints"][0]
    assert endpoint["advice"].endswith("Postmark does not document port 465, but 587, 2525, 25.")
    endpoint = made("filtered", relays=[{"provider": "postmark"}], ports=[587])["endpoints"][0]
    assert "does not document" not in endpoint["advice"]
    endpoint = made("auth_rejected", relays=[{"provider": "postmark"}], ports=[465])["endpoints"][0]
    assert "does not document" not in endpoint["advice"]


LOGIN = {"username": "me@example.com", "password": "SG.secret"}
WRONG = (
    "The user name given is not 'apikey', the user name that Twilio SendGrid documents for every customer; "
    "as password it takes an API key"
)
DOUBTFUL = (
    "is not 'apikey', the user name that Twilio SendGrid documents for every customer; no port got as far "
    "as to try it"
)


@pytest.mark.parametrize("relay", [{"provider": "sendgrid"}, {"host": "smtp.sendgrid.net"}])
def test_a_refused_login_is_explained_by_what_the_service_takes(relay):
    route = made("auth_rejected", "filtered", relays=[{**relay, **LOGIN}], ports=[587, 2525])
    assert route["host"] is None
    assert WRONG in route["remedy"]
    assert "as password it takes an API key (SG....)." in route["remedy"]
    assert WRONG in route["endpoints"][0]["advice"]
    assert "SendGrid documents for" not in route["endpoints"][1]["advice"]
    assert route["warnings"] == []
    assert "me@example.com" not in json.dumps(route)


@pytest.mark.parametrize(
    "relay, verdicts, names, warnings",
    [
        ({"provider": "sendgrid", **LOGIN}, ["filtered", "refused"], {}, [f"relays[0].username {DOUBTFUL}"]),
        ({"host": "smtp.sendgrid.net", **LOGIN}, ["filtered"], {}, [f"relays[0].username {DOUBTFUL}"]),
        (
            {"provider": "sendgrid", **LOGIN},
            ["filtered"],
            {"relays": "my_*", "username": "my_user"},
            [f"my_user {DOUBTFUL}"],
        ),
        ({"provider": "sendgrid", **LOGIN}, ["filtered"], {"relays": "my_*"}, [f"my_username {DOUBTFUL}"]),
        ({"provider": "sendgrid", **LOGIN, "username": "apikey"}, ["filtered"], {}, []),
        ({"provider": "sendgrid", **LOGIN}, ["filtered", "auth_rejected"], {}, []),
        ({"provider": "sendgrid", **LOGIN}, ["filtered", "auth_deferred"], {}, []),
        ({"provider": "sendgrid"}, ["filtered"], {}, []),
        ({"host": "relay.example.com", **LOGIN}, ["filtered"], {}, []),
    ],
)
def test_a_doubtful_user_name_is_told_before_a_port_takes_it(relay, verdicts, names, warnings):
    ports = [587, 2525][: len(verdicts)]
    assert made(*verdicts, relays=[relay], ports=ports, option_names=names)["warnings"] == warnings


LIST_NAMES = {
    "relays": "postfix_relays",
    "relays.auth_mechanism": "auth",
    "relays.security_level": "tls",
    "relays.ca_path": "ca_file",
    "ca_path": "postfix_relay_ca_file",
    "mail_from": "preflight_sender",
}


@pytest.mark.parametrize(
    "own, verdict, named",
    [
        ({}, "certificate_untrusted", "postfix_relay_ca_file"),
        ({"ca_path": "/own.pem"}, "certificate_untrusted", "postfix_relays[3].ca_file"),
        ({}, "sender_rejected", "preflight_sender"),
        ({"senders": ["ops@example.org"]}, "sender_rejected", "postfix_relays[3].senders"),
        ({"senders": ["@example.com"]}, "sender_rejected", "preflight_sender"),
        ({}, "auth_unsupported", "postfix_relays[3].auth"),
        ({}, "certificate_mismatch", "postfix_relays[3].host"),
    ],
)
def test_advice_names_what_decided_of_a_list(own, verdict, named):
    relay = {"host": "relay.example.com", **LOGIN, "name": "postfix_relays[3]", "ports": [587], **own}
    asked = parse_parameters({"relays": [relay], **DEFAULTS, "option_names": LIST_NAMES})
    common = Options(mail_from="ops@example.com")
    tried = Options(mail_from="ops@example.org") if own.get("senders") == ["ops@example.org"] else common
    asked = in_their_own_manner(asked, lambda _spec: tried)
    result = Result(*asked.candidates[0].endpoint[:3], verdict, "auth", "Seen.", reachable=True)
    sender = Sender(mail_from="ops@example.com", mail_advice="More of preflight_sender.")
    (endpoint,) = fact(asked, [result], HETZNER, InUse(), NOW, sender)["endpoints"]
    others = {"postfix_relay_ca_file", "preflight_sender"} - {named}
    assert named in endpoint["advice"]
    assert not [one for one in others if one in endpoint["advice"]], endpoint["advice"]


def test_a_user_name_that_was_taken_is_right():
    asked = parse_parameters({"relays": [{"provider": "sendgrid", **LOGIN}], **DEFAULTS, "port": 587})
    result = Result(*asked.candidates[0].endpoint[:3], "ok", "auth", "", auth_mechanism="PLAIN")
    assert fact(asked, [result], HETZNER, InUse(), NOW, Sender())["warnings"] == []


def test_the_sentence_without_a_route_names_every_verdict_and_the_remedy():
    sentence = no_route(made("filtered", "auth_rejected"))
    assert sentence.startswith(
        "No route for mail: 587 on relay.example.com is filtered and 2525 rejects the login "
        "(auth_rejected), so no port "
        "is usable. Seen: auth_rejected. Check user name and password of the relay;"
    )


NOTATION = {
    "relays": [{"host": "[a.example]:587"}],
    "option_names": {"relays": "my_*", "port": "my_port", "ports": "my_ports"},
}


@pytest.mark.parametrize(
    "params, complaint",
    [
        ({"port": 456}, "port: 456 is not a mail port; did you mean 465"),
        ({"ports": [587, 70000]}, "ports: 70000 is not a port; give a number from 1 to 65535"),
        ({"relays": ["a..b"]}, "relays[0].host: 'a..b' is neither"),
        ({"port": 456, "option_names": {"port": "my_port"}}, "my_port: 456"),
        ({"ports": [0], "option_names": {"ports": "my_ports"}}, "my_ports: 0"),
        ({"relays": ["a..b"], "option_names": {"relays": "my_*"}}, "my_host: 'a..b'"),
        (
            {**NOTATION, "port": "2525"},
            "my_host: it holds the port 587, and my_port has 2525; write a.example alone in my_host, or the same port "
            "in both",
        ),
        (
            {**NOTATION, "ports": [587, 2525]},
            "my_host: it holds the port 587, and my_ports has 587, 2525; write",
        ),
        ({"exclude_ports": [587, "x"]}, "exclude_ports: 'x' is not a number"),
        ({"exclude_ports": ["submission", 2525]}, "exclude_ports: 587 and 2525 are all of the ports"),
        (
            {
                "port": "smtp",
                "exclude_ports": [25],
                "option_names": {"exclude_ports": "mine", "port": "my_port"},
            },
            "my_port: 25 is a port that mine excludes; take it out there, or set my_port to another one, or to auto",
        ),
        ({**NOTATION, "ports": [2525]}, "my_host: it holds the port 587, and my_ports has 2525; write"),
    ],
)
def test_parse_parameters_complains(params, complaint):
    with pytest.raises(OptionError) as error:
        parse_parameters({"relays": ["relay.example.com"], **DEFAULTS, **params})
    assert str(error.value).startswith(complaint)


@pytest.mark.parametrize(
    "relay, level, names, names_it",
    [
        ("192.0.2.1", "secure", {}, "relays[0].host"),
        ("[2001:db8::1]", "verify", {"relays": "my_*"}, "my_host"),
        ("192.0.2.1", "encrypt", {}, ""),
        ("192.0.2.1", None, {}, ""),
        ("relay.example.com", "secure", {}, ""),
    ],
)
def test_an_address_where_certificates_are_compared_with_names(relay, level, names, names_it):
    warnings = made("ok", ports=[587], relays=[relay], security_level=level, option_names=names)["warnings"]
    assert len(warnings) == (1 if names_it else 0)
    if names_it:
        assert warnings[0].startswith(f"{names_it} is the address ")
        assert f"at the level {level} Postfix before 3.10 finds an address in no certificate" in warnings[0]


def test_auth_mechanism_is_the_default_of_the_relays():
    relays = [{"host": "relay.example.com", "username": "u", "password": "p"}]
    asked = parse_parameters({"relays": relays, "auth_mechanism": "login", **DEFAULTS})
    assert {one.endpoint.credentials.mechanism for one in asked.candidates} == {"login"}


@pytest.mark.parametrize(
    "hops, saved, hop",
    [
        ([], {}, None),
        ([("a.example", 587, False), ("b.example", 465, True)], {}, Hop("a.example", 587, False)),
        ([], {"host": "a.example", "port": 465, "tls": "implicit"}, Hop("a.example", 465, True)),
        ([], {"host": "a.example", "port": 587, "tls": "starttls"}, Hop("a.example", 587, False)),
        (
            [("b.example", 25, False)],
            {"host": "a.example", "port": 587, "tls": "starttls"},
            Hop("b.example", 25, False),
        ),
        ([], {"host": None, "port": None, "tls": None}, None),
        ([], {"host": ["x"], "port": "587"}, None),
    ],
)
def test_hop_in_use(hops, saved, hop):
    assert in_use(hops, saved).hop == hop


ALERTS = {"host": "alerts.example.com", "senders": ["alerts@example.com", "@Example.ORG"], "port": 587}
PARTNER = {"host": "partner.example.com", "recipients": ["@partner.example"], "port": 587}
PAST = {"direct": True, "senders": ["@direct.example"]}


def whom(route):
    return (
        route["host"],
        route["port"],
        route["senders"],
        route["recipients"],
        route["direct"],
        route["required"],
    )


def test_each_relay_has_a_route_and_the_first_for_everybody_is_the_host_s():
    found = made("ok", "filtered", "ok", "ok", relays=[ALERTS, "a.example.com", PAST, "b.example.com:465"])
    assert (found["host"], found["port"], found["relay"]) == ("a.example.com", 2525, 1)
    assert [(one["host"], one["port"], one["relay"]) for one in found["alternatives"]] == [
        ("b.example.com", 465, 3)
    ]
    assert list(map(whom, found["routes"])) == [
        ("alerts.example.com", 587, ["alerts@example.com", "@example.org"], [], False, True),
        ("a.example.com", 2525, [], [], False, False),
        (None, None, ["@direct.example"], [], True, False),
        ("b.example.com", 465, [], [], False, False),
    ]
    assert [one["relay"] for one in found["routes"]] == [0, 1, 2, 3]
    assert [one["relay"] for one in found["endpoints"]] == [0, 1, 1, 3]
    assert no_route(found) == ""
    assert found["warnings"] == []


def test_mail_of_everybody_that_has_no_relay_goes_straight_to_its_recipients():
    found = made("ok", relays=[ALERTS, PAST])
    assert (found["host"], found["decided_by"]) == (None, "direct")
    assert no_route(found) == ""


@pytest.mark.parametrize(
    "relays, verdicts, missing",
    [
        ([ALERTS, "a.example.com:587"], "filtered ok", "from alerts@example.com or @example.org through relays[0]: "),
        ([PARTNER, "a.example.com:587"], "filtered ok", "mail to @partner.example through relays[0]: "),
        ([{**PARTNER, "required": "no"}, "a.example.com:587"], "filtered ok", None),
        (["a.example.com:587", "b.example.com:587"], "filtered ok", None),
        ([{**PARTNER, "required": False}, PAST], "filtered", None),
        ([{"host": "a.example.com:587", "required": True}, "b.example.com:587"], "filtered ok", "through relays[0]: "),
        (["a.example.com:587", {"host": "b.example.com:587", "required": "true"}], "ok refused", "through relays[1]"),
    ],
)  # fmt: skip
def test_a_relay_that_the_host_needs_and_one_that_it_can_do_without(relays, verdicts, missing):
    found = made(*verdicts.split(), relays=relays)
    assert bool(no_route(found)) == bool(missing)
    assert (missing or "") in no_route(found)
    without = [one for one in found["warnings"] if "goes without relays" in one]
    assert len(without) == (0 if missing else 1)


def test_of_relays_that_all_fail_each_is_told_once():
    relays = [
        {"host": "a.example.com:587", "required": True},
        {"host": "b.example.com:587", "required": True},
        ALERTS,
    ]
    sentence = no_route(made("filtered", "refused", "filtered", relays=relays))
    assert sentence.count("587 on a.example.com") == sentence.count("587 on alerts.example.com") == 1


def test_each_relay_keeps_the_port_that_it_has_in_use():
    hops = [("a.example.com", 2525, False), ("b.example.com", 587, False)]
    selected = {"from @example.org": [("alerts.example.com", 2525, False)]}
    alerts = {**ALERTS, "port": "", "ports": [587, 2525]}
    found = made(
        *["ok"] * 6, relays=["a.example.com", alerts, "b.example.com"], in_use=in_use(hops, {}, selected)
    )
    assert (found["host"], found["port"], found["decided_by"]) == ("a.example.com", 2525, "sticky")
    assert [one["port"] for one in found["routes"]] == [2525, 2525, 587]


def test_a_relay_s_own_port_is_insisted_on():
    found = made("ok", relays=[{"host": "a.example.com", "port": "2525", "ports": [587]}])
    assert (found["port"], found["decided_by"]) == (2525, "override")


def test_a_login_is_not_tried_at_a_level_of_dane_of_one_relay_alone():
    login = {"username": "u", "password": "p"}
    relays = [
        {"host": "a.example.com:587", **login},
        {"host": "b.example.com:587", "security_level": "dane", **login},
    ]
    asked = parse_parameters({"relays": relays, **DEFAULTS})
    assert [bool(one.endpoint.credentials) for one in asked.candidates] == [True, False]


def test_two_accounts_at_one_relay_are_two_candidates():
    mail = {"host": "smtp.example.com:587"}
    relays = [
        {**mail, "username": name, "password": "p", "senders": [f"{name}@example.com"]} for name in "ab"
    ]
    asked = parse_parameters({"relays": relays, **DEFAULTS})
    assert [one.endpoint.credentials.username for one in asked.candidates] == ["a", "b"]


@pytest.mark.parametrize(
    "relays, words",
    [
        ([{"direct": True}], "relays[0].direct: it is true, and nobody is named whose mail is meant"),
        ([{"direct": True, "senders": ["a@b.c"], "host": "x"}], "relays[0].host describes one"),
        ([{"host": "a", "senders": ["example.org"]}], "relays[0].senders[0]: 'example.org' is no mail address"),
        ([{"host": "a", "senders": ["example.org"]}], "write @example.org for all of that domain"),
        ([{"host": "a", "recipients": ["a b@example.org"]}], "relays[0].recipients"),
        ([{"host": "a", "recipients": 5}], "relays[0].recipients: it is not a list"),
        ([{"host": "a", "senders": [" "]}], "relays[0].senders: it is given and empty"),
        (['{"host": "a", "password": "hunter2"}'], "neither host nor host:port (not shown)"),
        ([{"host": "a", "required": "maybe"}], "relays[0].required: 'maybe' is neither true nor false"),
        ([{"host": "a", "security_level": "secured"}], "relays[0].security_level: 'secured' is no level of TLS; did"),
        ([ALERTS, {"direct": True, "senders": ["@example.org"]}], "mail from @example.org is to go past every relay"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_relay_for_some(relays, words):
    with pytest.raises(OptionError) as error:
        parse_parameters({"relays": relays, **DEFAULTS})
    assert words in str(error.value)


def test_the_port_in_use_stays():
    assert made("ok", "ok", in_use=InUse(Hop("relay.example.com", 2525, False)))["decided_by"] == "sticky"


# ------------------------------------------------------------------------------------------ the saved fact


def test_save(tmp_path):
    path = str(tmp_path / "facts.d/smtp_route.fact")
    saving = save(made("filtered", "ok"), path)
    assert saving.changed
    assert saving.before == ""
    assert json.loads(saving.after) == {"host": "relay.example.com", "port": 2525, "tls": "starttls"}
    assert os.stat(path).st_mode & 0o777 == 0o644
    assert os.listdir(os.path.dirname(path)) == ["smtp_route.fact"]
    assert read_saved(path) == {
        "host": "relay.example.com",
        "port": 2525,
        "tls": "starttls",
        "alternatives": [],
        "provider": "hetzner_cloud",
        "checked_at": "2026-11-23T12:00:00Z",
    }


def test_save_again_is_no_change_but_keeps_the_time_and_the_alternatives(tmp_path):
    path = str(tmp_path / "smtp_route.fact")
    save(made("ok", "filtered"), path)
    later = {**made("ok", "ok"), "checked_at": "2026-11-24T12:00:00Z"}
    saving = save(later, path)
    assert not saving.changed
    assert saving.before == saving.after
    assert read_saved(path)["checked_at"] == "2026-11-24T12:00:00Z"
    assert read_saved(path)["alternatives"] == [
        {
            "host": "relay.example.com",
            "port": 2525,
            "tls": "starttls",
            "auth_mechanism": None,
            "lookup": None,
            "relay": 0,
        }
    ]


def test_save_without_writing_says_what_would_change(tmp_path):
    path = str(tmp_path / "facts.d/smtp_route.fact")
    assert save(made("ok", "ok"), path, write=False).changed
    assert not os.path.exists(os.path.dirname(path))


def test_a_fact_without_a_route_leaves_the_file_alone(tmp_path):
    path = str(tmp_path / "smtp_route.fact")
    save(made("ok", "ok"), path)
    saving = save(made("filtered", "filtered"), path)
    assert not saving.changed
    assert read_saved(path)["port"] == 587


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\xff"])
def test_a_saved_fact_that_cannot_be_read_is_none_and_is_replaced(tmp_path, content):
    path = tmp_path / "smtp_route.fact"
    path.write_bytes(content.encode("latin-1"))
    assert read_saved(str(path)) == {}
    assert save(made("ok", "ok"), str(path)).changed
    assert read_saved(str(path))["port"] == 587


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = str(tmp_path / "smtp_route.fact")
    save(made("ok", "ok"), path)

    def fail(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        save(made("filtered", "ok"), path)
    assert os.listdir(tmp_path) == ["smtp_route.fact"]
    assert read_saved(path)["port"] == 587
