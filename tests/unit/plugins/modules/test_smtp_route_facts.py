"""The module as Ansible sees it: its arguments, what it prints, and what it must never print."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import socket

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common.parameters import PASS_VARS
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.client import Host
from ansible_collections.mailops.smtp.plugins.module_utils._route.cloud import Cloud, egress
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.net.probe import probe as real_probe
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import VERDICTS, Result
from ansible_collections.mailops.smtp.plugins.modules import smtp_route_facts
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._smtp.servers import DATA

PASSWORD = "Pa:ss'word\\ $1"
LOGIN = {"host": "relay.example.com", "username": "web1", "password": PASSWORD}


def a_host(root, name="web1.example.com"):
    """A host without anything but what lies below `root`."""
    return Host(
        name,
        "",
        lambda _name: [],
        lambda _name: [],
        frozenset(),
        {"ID": "debian"},
        lambda _address: True,
        root,
    )


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run the module with arguments. By default 587 is filtered and every other port works."""
    logged = []
    monkeypatch.setattr(smtp_route_facts, "SAVED", str(tmp_path / "facts.d/smtp_route.fact"))
    monkeypatch.setattr(smtp_route_facts, "next_hops", lambda directory: [])
    monkeypatch.setattr(smtp_route_facts.client, "this_host", lambda: a_host(str(tmp_path)))
    monkeypatch.setattr(
        smtp_route_facts, "recognise", lambda: Cloud("unknown", "an unknown provider", "", egress("unknown"))
    )
    monkeypatch.setattr(basic.AnsibleModule, "log", lambda self, msg, log_args=None: logged.append(msg))

    def fake_probe(endpoints, options, verdicts):
        results = []
        for endpoint in endpoints:
            verdict = verdicts.get(endpoint.port, "ok")
            words = f"Server said {endpoint.credentials.password if endpoint.credentials else ''}"
            results.append(
                Result(*endpoint[:3], verdict, VERDICTS[verdict].stage or "auth", words, reachable=True)
            )
        return results

    def call(_check=False, _verdicts=None, _probe=None, **arguments):
        verdicts = {587: "filtered"} if _verdicts is None else _verdicts
        monkeypatch.setattr(
            smtp_route_facts,
            "probe",
            _probe or (lambda endpoints, options: fake_probe(endpoints, options, verdicts)),
        )
        # Newer cores return the invocation only when asked.
        internal = {"check_mode": _check, "diff": True, "inject_invocation": True}
        given = {f"_ansible_{name}": value for name, value in internal.items() if name in PASS_VARS}
        loaded = {"ANSIBLE_MODULE_ARGS": {**arguments, **given}}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(loaded).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(SystemExit):
            smtp_route_facts.main()
        text = capsys.readouterr().out
        return json.loads(text), text + "".join(map(str, logged))

    return call


def test_the_route(run):
    result, _text = run(relays=[LOGIN])
    route = result["ansible_facts"]["smtp_route"]
    assert (route["host"], route["port"], route["tls"]) == ("relay.example.com", 2525, "starttls")
    assert result["changed"] is False
    assert "failed" not in result


def test_the_fastest_is_measured_in_several_rounds(run):
    logins = []

    def probe(endpoints, options):
        logins.append([endpoint.credentials is not None for endpoint in endpoints])
        slow = {587: 20.0 if len(logins) == 1 else 300.0, 2525: 100.0}
        return [Result(*one[:3], "ok", "auth", "", timings_ms={"total": slow[one.port]}) for one in endpoints]

    result, _text = run(relays=[LOGIN], policy="fastest", _probe=probe)
    assert result["ansible_facts"]["smtp_route"]["port"] == 2525
    assert logins == [[True, True], [False, False], [False, False]]


def test_no_route_fails_and_still_returns_the_facts(run):
    result, _text = run(relays=["relay.example.com"], ports=[587])
    assert result["failed"] is True
    assert result["msg"].startswith(
        "No route for mail: 587 on relay.example.com is filtered, so no port is usable."
    )
    route = result["ansible_facts"]["smtp_route"]
    assert (route["host"], route["port"], route["tls"]) == (None, None, None)
    assert route["endpoints"][0]["verdict"] == "filtered"


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        ({"relays": ["relay.example.com"], "port": 456}, "port: 456 is not a mail port; did you mean 465"),
        ({"relays": ["relay.example.com"], "ports": [70000]}, "ports: 70000 is not a port"),
        ({"relays": []}, "relays: no relay is named"),
        ({"relays": [{**LOGIN, "tls": "encyrpt"}]}, "relays[0].tls: 'encyrpt' is not known"),
        ({"relays": ["relay.example.com"], "timeout": -1}, "timeout: -1.0 is not a time"),
    ],
)
def test_a_wrong_parameter_fails_without_facts(run, arguments, complaint):
    result, _text = run(**arguments)
    assert result["failed"] is True
    assert result["msg"].startswith(complaint)
    assert "ansible_facts" not in result


@pytest.mark.parametrize(
    "relays",
    [
        [LOGIN],
        [{**LOGIN, "ports": [587]}],
        [{**LOGIN, "ports": [456]}],
        [{"host": "relay.example.com", "username": "web1", "pasword": PASSWORD}],
        [{"host": "relay.example.com", "password": PASSWORD}],
        [f"smtp://web1:{PASSWORD}@relay.example.com"],
        [[PASSWORD]],
    ],
)
def test_the_password_is_nowhere(run, relays):
    _result, text = run(relays=relays)
    for form in (
        PASSWORD,
        repr(PASSWORD)[1:-1],
        json.dumps(PASSWORD)[1:-1],
        json.dumps(repr(PASSWORD))[2:-2],
    ):
        assert form not in text


def test_what_is_no_secret_is_not_masked(run):
    result, _text = run(relays=[LOGIN])
    assert result["invocation"]["module_args"]["relays"] == [
        {"host": "relay.example.com", "username": "web1", "password": "********"}
    ]
    assert result["ansible_facts"]["smtp_route"]["endpoints"][0]["reason"] == "Server said ********"


@pytest.mark.parametrize("password", ["relay", "2525", "ok", "e"])
def test_a_password_that_is_a_part_of_the_route_does_not_destroy_it(run, password):
    result, _text = run(relays=[{**LOGIN, "password": password}])
    route = result["ansible_facts"]["smtp_route"]
    assert (route["host"], route["port"]) == ("relay.example.com", 2525)
    assert [one["verdict"] for one in route["endpoints"]] == ["filtered", "ok"]
    assert result["invocation"]["module_args"]["relays"][0]["password"] == "********"


def test_relays_are_not_logged():
    assert smtp_route_facts.ARGUMENTS["relays"]["no_log"] is True


def test_the_next_hop_in_use_stays(run, monkeypatch):
    monkeypatch.setattr(smtp_route_facts, "next_hops", lambda directory: [("relay.example.com", 2525, False)])
    result, _text = run(relays=[LOGIN], _verdicts={})
    assert result["ansible_facts"]["smtp_route"]["decided_by"] == "sticky"
    result, _text = run(relays=[LOGIN], _verdicts={}, sticky=False)
    assert result["ansible_facts"]["smtp_route"]["port"] == 587


def postfix(tmp_path, main, master=""):
    directory = tmp_path / "etc/postfix"
    directory.mkdir(parents=True)
    (directory / "main.cf").write_text(main)
    (directory / "master.cf").write_text(master)


def seen(run, **arguments):
    """The options and endpoints that the engine is given, and the fact."""
    given = []

    def probe(endpoints, options):
        given.append((endpoints, options))
        return [Result(*each[:3], "ok", "auth", "Seen.", reachable=True) for each in endpoints]

    result, _text = run(_probe=probe, **{"relays": [LOGIN], **arguments})
    return (*given[0], result["ansible_facts"]["smtp_route"])


def test_the_probe_gives_itself_as_this_hosts_postfix(run, tmp_path):
    postfix(tmp_path, "myhostname = mail.example.net\ninet_protocols = ipv4\nsmtp_bind_address = 192.0.2.7\n")
    _endpoints, options, route = seen(run, mail_from="root")
    assert (options.helo_name, options.family) == ("mail.example.net", "ipv4")
    assert options.source_addresses == {"ipv4": "192.0.2.7", "ipv6": "::"}
    assert options.mail_from == "root@mail.example.net"
    assert (route["helo_name"], route["helo_source"]) == ("mail.example.net", "main.cf")
    assert (route["helo_problem"], route["mail_from"]) == (None, "root@mail.example.net")


def test_what_the_user_names_goes_before_what_postfix_has(run, tmp_path):
    postfix(tmp_path, "myhostname = mail.example.net\ninet_protocols = ipv4\nsmtp_bind_address = 192.0.2.7\n")
    _endpoints, options, route = seen(
        run,
        helo_name="other.example.net",
        family="any",
        source_address=["192.0.2.8"],
        mail_from="a@b.example",
    )
    assert (options.helo_name, options.family, options.mail_from) == (
        "other.example.net",
        "any",
        "a@b.example",
    )
    assert options.source_addresses == {"ipv4": "192.0.2.8"}
    assert (route["helo_name"], route["helo_source"]) == ("other.example.net", "option")


@pytest.mark.parametrize(
    "main, arguments, told",
    [
        (
            "",
            {"source_address": ["192.0.2.8"]},
            ["from an address that the system chooses: set smtp_bind_address in"],
        ),
        (
            "smtp_bind_address = 192.0.2.7",
            {"source_address": ["192.0.2.8"]},
            [
                "mine is 192.0.2.8, and Postfix sends from 192.0.2.7: set smtp_bind_address in my_parameters to 192"
            ],
        ),
        ("smtp_bind_address = 192.0.2.8", {"source_address": ["192.0.2.8"]}, []),
        ("inet_interfaces = 192.0.2.8", {"source_address": ["192.0.2.8"]}, []),
        (
            "smtp_bind_address = 192.0.2.8",
            {"source_address": ["192.0.2.8", "2001:db8::8"]},
            ["set smtp_bind_address6 in my_parameters to 2001:db8::8 as well"],
        ),
        (
            "",
            {"source_address": ["192.0.2.8"], "postfix": {"parameters": {"smtp_bind_address": "192.0.2.8"}}},
            [],
        ),
        # Nobody sends there.
        (None, {"source_address": ["192.0.2.8"], "family": "ipv4"}, []),
        (
            "",
            {"family": "ipv4"},
            [
                "my_family is ipv4, so IPv6 was not probed, and Postfix sends over both: set inet_protocols to ipv4"
            ],
        ),
        (
            "inet_protocols = ipv6",
            {"family": "ipv4"},
            ["Postfix sends over IPv6: set inet_protocols to ipv4"],
        ),
        ("inet_protocols = ipv4", {"family": "ipv4"}, []),
        ("", {"family": "both"}, []),
        ("inet_protocols = ipv4", {"family": "any"}, []),
    ],
)
def test_another_way_than_that_of_the_mail_is_told(run, tmp_path, main, arguments, told):
    if main is not None:
        postfix(tmp_path, f"myhostname = mail.example.net\n{main}\n")
    names = {"source_address": "mine", "family": "my_family", "parameters": "my_parameters"}
    _endpoints, _options, route = seen(run, option_names=names, **arguments)
    warnings = [text for text in route["warnings"] if "Postfix sends" in text]
    assert len(warnings) == len(told)
    for warning, words in zip(warnings, told):
        assert words in warning


def test_what_the_role_will_set_goes_before_main_cf(run, tmp_path):
    postfix(tmp_path, "myhostname = mail.example.net\nsmtp_helo_name = old.example.net\n")
    wish = {
        "parameters": {"myhostname": "new.example.net", "smtp_helo_name": None, "inet_protocols": ["ipv6"]}
    }
    _endpoints, options, route = seen(run, postfix=wish, mail_from="root")
    assert (options.helo_name, options.family) == ("new.example.net", "ipv6")
    assert (route["helo_source"], route["mail_from"]) == ("parameters", "root@new.example.net")


@pytest.mark.parametrize(
    "main, arguments, trusted, system",
    [
        ("smtp_tls_CAfile = {ca}\nsmtp_tls_CApath = {certs}", {}, ("{ca}", "{certs}"), False),
        ("smtp_tls_CAfile = {ca}\ntls_append_default_CA = yes", {}, ("{ca}",), True),
        ("smtp_tls_CAfile = {ca}\ntls_append_default_CA = yes", {"ca_path": "/x.pem"}, ("/x.pem",), False),
        ("smtp_tls_CAfile = {ca}", {"ca_path": ["/x.pem", "/y"]}, ("/x.pem", "/y"), False),
        ("smtp_tls_CAfile = {ca}", {"ca_path": ""}, ("{ca}",), False),
        ("", {}, None, False),
    ],
)
def test_the_authorities_are_those_of_postfix(run, tmp_path, main, arguments, trusted, system):
    def here(text):
        return text.format(ca=tmp_path / "ca.pem", certs=tmp_path)

    (tmp_path / "ca.pem").write_text("")
    postfix(tmp_path, here(main))
    _endpoints, options, _route = seen(run, **arguments)
    assert options.ca_path == (tuple(map(here, trusted)) if trusted else None)
    assert options.system_authorities == system


def test_tables_that_are_about_to_be_written_rewrite_the_sender(run, tmp_path):
    wish = {
        "parameters": {"smtp_generic_maps": "texthash:/etc/postfix/generic"},
        "tables": [{"path": "generic", "content": "root ops@example.org\n"}],
    }
    _endpoints, _options, route = seen(run, postfix=wish, mail_from="root")
    assert route["mail_from"] == "ops@example.org"


@pytest.mark.parametrize(
    "level, validates, needs_dns, logs_in",
    [
        ("may", False, False, True),
        ("encrypt", False, False, True),
        ("dane", False, True, False),
        ("dane-only", False, True, False),
        ("verify", True, False, True),
        ("secure", True, False, True),
    ],
)
def test_the_level_of_tls(run, level, validates, needs_dns, logs_in):
    endpoints, options, route = seen(run, security_level=level)
    assert (options.validate_certs, options.needs_dns) == (validates, needs_dns)
    assert all(bool(each.credentials) == logs_in for each in endpoints)
    assert any("no login was tried" in warning for warning in route["warnings"]) == (not logs_in)


def test_logins_are_limited_to_what_postfix_on_this_host_can_have(run, tmp_path):
    endpoints, _options, _route = seen(run)
    assert endpoints[0].credentials.usable is None, "a host without Postfix, and none coming"
    endpoints, _options, _route = seen(run, postfix={})
    assert "PLAIN" in endpoints[0].credentials.usable
    assert "XOAUTH2" not in endpoints[0].credentials.usable


@pytest.mark.parametrize(
    "installed, asked, offered, advice",
    [
        (True, "auto", ["SCRAM-SHA-256"], "Install libsasl2-modules: Postfix"),
        (True, "xoauth2", ["XOAUTH2"], "Install Cyrus SASL's plugin for XOAUTH2"),
        (True, "scram-sha-1", ["PLAIN", "SCRAM-SHA-1"], "Install libsasl2-modules: Postfix"),
        # What was asked for is not offered: no plugin would help.
        (True, "scram-sha-1", ["PLAIN", "SCRAM-SHA-256"], "Set auth_mechanism to one that the server offers"),
        # Without Postfix no plugin of it is missing.
        (False, "auto", ["XOAUTH2"], "Set auth_mechanism to one that the server offers"),
    ],
)
def test_a_missing_plugin_is_named_with_its_package(
    run, monkeypatch, tmp_path, installed, asked, offered, advice
):
    if installed:
        postfix(tmp_path, "")
        host = a_host(str(tmp_path))._replace(plugins=frozenset({"plain"}))
        monkeypatch.setattr(smtp_route_facts.client, "this_host", lambda: host)

    def unsupported(endpoints, _options):
        return [
            Result(*each[:3], "auth_unsupported", "auth", "Seen.", reachable=True, auth_mechanisms=offered)
            for each in endpoints
        ]

    result, _text = run(_probe=unsupported, relays=[{**LOGIN, "auth_mechanism": asked}])
    assert result["ansible_facts"]["smtp_route"]["endpoints"][0]["advice"].startswith(advice)


def test_a_host_without_a_full_name_is_told_of(run, monkeypatch, tmp_path):
    monkeypatch.setattr(smtp_route_facts.client, "this_host", lambda: a_host(str(tmp_path), "web1"))
    _endpoints, options, route = seen(run, mail_from="root", option_names={"helo_name": "postfix_myhostname"})
    assert (options.helo_name, route["helo_name"], options.mail_from) == (None, None, None)
    assert route["helo_problem"].startswith(
        "this host's name is 'web1', which has no domain, and neither /etc/hosts"
    )
    told = next(each for each in route["warnings"] if each.startswith(route["helo_problem"]))
    assert "set postfix_myhostname to this host's full name" in told


def test_save(run, monkeypatch):
    result, _text = run(relays=[LOGIN], save=True, _check=True)
    assert result["changed"] is True
    result, _text = run(relays=[LOGIN], save=True)
    assert result["changed"] is True
    assert result["diff"]["before"] == ""
    assert json.loads(result["diff"]["after"])["port"] == 2525
    result, _text = run(relays=[LOGIN], save=True)
    assert result["changed"] is False
    assert result["diff"]["before"] == result["diff"]["after"]
    result, _text = run(relays=[LOGIN], save=True, _verdicts={})
    assert result["ansible_facts"]["smtp_route"]["decided_by"] == "sticky"
    assert result["changed"] is False


def test_a_fact_that_cannot_be_saved_fails_without_facts(run, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(smtp_route_facts, "SAVED", str(tmp_path / "file/smtp_route.fact"))
    result, _text = run(relays=[LOGIN], save=True)
    assert result["failed"] is True
    assert result["msg"].startswith("save: cannot write ")
    assert result["msg"].endswith("; become root, or set save to false")
    assert "ansible_facts" not in result


def test_with_the_real_engine(run):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        result, _text = run(_probe=real_probe, relays=[f"127.0.0.1:{port}"], retries=0)
    assert result["failed"] is True
    assert f"{port} on 127.0.0.1 is refused" in result["msg"]


@pytest.mark.parametrize(
    "arguments, name",
    [
        ({"ca_path": "{file}", "option_names": {"ca_path": "preflight_ca_file"}}, "preflight_ca_file"),
        (
            {
                "postfix": {"parameters": {"smtp_tls_CAfile": "{file}"}},
                "option_names": {
                    "ca_path": "preflight_ca_file",
                    "named": {"smtp_tls_CAfile": "postfix_relay_ca_file"},
                },
            },
            "postfix_relay_ca_file",
        ),
    ],
)
def test_a_file_without_a_certificate_is_refused_by_its_name(run, tmp_path, arguments, name):
    (tmp_path / "hostname").write_text("web1\n")
    given = json.loads(json.dumps(arguments).replace("{file}", str(tmp_path / "hostname")))
    result, _text = run(relays=["127.0.0.1:1"], _probe=real_probe, **given)
    assert result["failed"]
    assert result["msg"].startswith(f"{name}: {tmp_path}/hostname holds no certificate")


@pytest.mark.parametrize(
    "main, arguments, shown",
    [
        ("", {}, ()),
        ("smtp_tls_cert_file = {good}", {}, (("{good}", "{good}"),)),
        ("smtp_tls_cert_file = {good}", {"client_cert": "{other}"}, (("{other}", "{other}"),)),
        ("", {"client_cert": "{other}", "client_key": "{good}"}, (("{other}", "{good}"),)),
        (
            "",
            {"postfix": {"parameters": {"smtp_tls_cert_file": "{good}"}}},
            (("{good}", "{good}"),),
        ),
    ],
)
def test_the_client_certificate_is_that_of_postfix_unless_the_user_names_one(
    run, tmp_path, main, arguments, shown
):
    files = {"{good}": str(DATA / "good.pem"), "{other}": str(DATA / "other_name.pem")}

    def here(value):
        text = json.dumps(value)
        for mark, path in files.items():
            text = text.replace(mark, path)
        return json.loads(text)

    postfix(tmp_path, here(main))
    _endpoints, options, _route = seen(run, **here(arguments))
    assert options.client_certificates == tuple(map(tuple, here(shown)))


def test_a_relay_of_several_is_shown_its_own_certificate_and_the_others_that_of_postfix(run, tmp_path):
    good, other = str(DATA / "good.pem"), str(DATA / "other_name.pem")
    postfix(tmp_path, f"smtp_tls_cert_file = {good}")
    relays = ["a.example.com", {"host": "b.example.com", "client_cert": other}]
    endpoints, options, _route = seen(run, relays=relays)
    shown = {one.host: (one.options or options).client_certificates for one in endpoints}
    assert shown == {"a.example.com": ((good, good),), "b.example.com": ((other, other),)}


def test_who_misses_a_certificate_is_told_where_it_belongs(run):
    def demands(endpoints, _options):
        advice = "Set client_cert (and client_key) to another one."
        return [Result(*one[:3], "tls_failed", "tls", "It wants one.", advice=advice) for one in endpoints]

    names = {"client_cert": "postfix_relay_cert_file", "relays": "postfix_relays"}
    of_relay = {"relays.client_cert": "cert_file", "relays.client_key": "key_file"}
    result, _text = run(
        relays=["a.example.com", "b.example.com"], _probe=demands, option_names={**names, **of_relay}
    )
    advices = [one["advice"] for one in result["ansible_facts"]["smtp_route"]["endpoints"]]
    for place in (0, -1):
        entry = f"postfix_relays[{place % 2}]"
        assert advices[place].startswith(f"Set {entry}.cert_file (and {entry}.key_file) to"), advices[place]


@pytest.mark.parametrize(
    "arguments, says",
    [
        ({"client_cert": "/none"}, "client_cert: /none does not exist on this host"),
        ({"client_key": "/none"}, "client_key: a key is given and client_cert is not"),
        ({"client_cert": "{good}", "client_key": "/none"}, "client_key: /none does not exist on this host"),
        (
            {"client_cert": "/none", "option_names": {"client_cert": "postfix_relay_cert_file"}},
            "postfix_relay_cert_file: /none does not exist on this host",
        ),
    ],
)
def test_a_client_certificate_of_no_use_is_refused_before_anything_is_sent(run, arguments, says):
    given = json.loads(json.dumps(arguments).replace("{good}", str(DATA / "good.pem")))
    result, _text = run(relays=["127.0.0.1:1"], _probe=lambda *_any: pytest.fail("it was probed"), **given)
    assert result["failed"]
    assert result["msg"].startswith(says)


@pytest.mark.parametrize(
    "main, arguments, says",
    [
        (
            "inet_protocols = ipv6",
            {},
            "inet_protocols of this host's Postfix is ipv6: set inet_protocols to all or",
        ),
        (
            "",
            {
                "postfix": {"parameters": {"inet_protocols": "ipv6"}},
                "option_names": {"named": {"inet_protocols": "postfix_inet_protocols"}},
            },
            "postfix_inet_protocols is ipv6: set postfix_inet_protocols to all or ipv4",
        ),
        (
            "",
            {"family": "ipv6", "option_names": {"family": "preflight_family"}},
            "preflight_family is ipv6: set preflight_family to any or ipv4",
        ),
    ],
)
def test_the_family_has_the_users_name(run, tmp_path, main, arguments, says):
    postfix(tmp_path, f"myhostname = mail.example.net\n{main}\n")
    result, _text = run(relays=["127.0.0.1:1"], _probe=real_probe, **arguments)
    assert "1 on 127.0.0.1 is not an IPv6 address (dns_not_found)" in result["msg"]
    assert says in result["msg"]


@pytest.mark.parametrize(
    "main, arguments, checked",
    [
        ("", {}, True),
        ("", {"family": "any"}, True),
        ("inet_protocols = ipv4", {}, False),
        ("smtp_address_preference = ipv4", {}, False),
        ("inet_protocols = ipv4", {"family": "any"}, False),
        ("inet_protocols = ipv4", {"postfix": {"parameters": {"inet_protocols": "all"}}}, True),
        # A host that will not have Postfix has nothing that waits.
        (None, {}, False),
        (None, {"postfix": {}}, True),
    ],
)
def test_a_dead_family_is_told_where_postfix_would_wait_for_it(run, tmp_path, main, arguments, checked):
    if main is not None:
        postfix(tmp_path, f"myhostname = mail.example.net\n{main}\n")
    given = []

    def probe(endpoints, options):
        given.append(options.check_families)
        found = {"reachable": True, "family": "ipv4", "address": "192.0.2.1"}
        return [
            Result(
                *each[:3], "ok", "auth", "Seen.", **found, silent=("2001:db8::7",) if each.port == 587 else ()
            )
            for each in endpoints
        ]

    names = {"parameters": "my_parameters", "named": {"inet_protocols": "my_protocols"}}
    result, _text = run(_probe=probe, relays=["relay.example.com"], option_names=names, **arguments)
    told = [text for text in result["ansible_facts"]["smtp_route"]["warnings"] if "2001:db8::7" in text]
    assert (given, len(told)) == ([checked], int(checked))
    if told:
        assert told[0].startswith(
            "relay.example.com port 587 answers over IPv4, and nothing comes from its IPv6 address 2001:db8::7: "
        )
        where = "my_protocols" if "postfix" in arguments else "inet_protocols"
        assert f"set {where} to ipv4" in told[0]
        assert told[0].endswith(" at all; or set smtp_address_preference to ipv4 in my_parameters")


def test_a_dead_family_is_told_of_the_relay_chosen_alone_and_with_both_asked_for(run, tmp_path):
    postfix(tmp_path, "myhostname = mail.example.net\n")

    def probe(endpoints, options):
        return [
            Result(
                *each[:3], verdict, "auth", "Seen.", family=family, address=address, reachable=verdict == "ok"
            )
            for each in endpoints
            for family, address, verdict in (
                ("ipv4", "192.0.2.1", "ok"),
                ("ipv6", "2001:db8::7", "ok" if each.port == 587 else "filtered"),
            )
        ]

    for ports, number in (([587, 2525], 0), ([2525, 587], 1)):
        result, _text = run(_probe=probe, relays=["relay.example.com"], ports=ports, family="both")
        warnings = result["ansible_facts"]["smtp_route"]["warnings"]
        assert len([text for text in warnings if "2001:db8::7" in text]) == number


def test_a_doubtful_user_name_is_warned_of(run):
    relay = {"provider": "sendgrid", "username": "me@example.com", "password": PASSWORD}
    result, text = run(relays=[relay], ports=[587])
    (warning,) = result["ansible_facts"]["smtp_route"]["warnings"]
    assert warning.startswith("relays[0].username is not 'apikey'")
    assert warning in str(result.get("warnings", text))
    assert result["failed"] is True


MAIL1 = {"server": "mail1", "host": "mail1.example.com", "port": 465}


def test_listeners_of_other_hosts_are_probed_afterwards_and_decide_nothing(run):
    calls = []

    def probe(endpoints, options):
        calls.append([(str(one), one.credentials is not None) for one in endpoints])
        verdict = "ok" if len(calls) == 1 else "refused"
        return [Result(*one[:3], verdict, "auth", "So.") for one in endpoints]

    alone, _text = run(relays=[LOGIN], ports=[587], _probe=probe)
    calls.clear()
    result, text = run(relays=[LOGIN], ports=[587], mesh=[MAIL1], family="both", _probe=probe)
    assert calls == [[("relay.example.com:587", True)], [("mail1.example.com:465", False)]]
    assert "failed" not in result
    (found,) = result["mesh"]
    assert (found["server"], found["host"], found["tls"], found["verdict"]) == (
        "mail1",
        "mail1.example.com",
        "implicit",
        "refused",
    )
    route, without = (one["ansible_facts"]["smtp_route"] for one in (result, alone))
    assert {**route, "checked_at": ""} == {**without, "checked_at": ""}
    assert "mesh" not in alone
    assert PASSWORD not in text


def test_a_host_without_a_route_tells_of_the_mesh_all_the_same(run):
    result, _text = run(relays=[LOGIN], ports=[587], mesh=[MAIL1])
    assert result["failed"]
    assert [one["verdict"] for one in result["mesh"]] == ["ok"]
