"""What a user may write as a relay, what the catalogue makes of it, and what is said of a mistake."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._route import relay_services
from ansible_collections.mailops.smtp.plugins.module_utils._route.relays import (
    by_host,
    masked,
    names,
    parse_relays,
    ports_of,
    relay,
    secrets,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp import sasl
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import Credentials, OptionError


@pytest.mark.parametrize(
    "name, region, host, found, ports",
    [
        ("amazon_ses", "eu-west-1", None, "email-smtp.eu-west-1.amazonaws.com", (587, 2587, 465, 2465)),
        ("amazon_ses", "EU-West-1", None, "email-smtp.eu-west-1.amazonaws.com", (587, 2587, 465, 2465)),
        ("ses", "us-gov-west-1", None, "email-smtp.us-gov-west-1.amazonaws.com", (587, 2587, 465, 2465)),
        (
            "Amazon SES",
            "ap-southeast-3",
            None,
            "email-smtp.ap-southeast-3.amazonaws.com",
            (587, 2587, 465, 2465),
        ),
        ("sendgrid", None, None, "smtp.sendgrid.net", (587, 2525, 465)),
        ("mailgun", "eu", None, "smtp.eu.mailgun.org", (587, 2525, 465)),
        ("mailgun_us", None, None, "smtp.mailgun.org", (587, 2525, 465)),
        ("postmark", None, None, "smtp.postmarkapp.com", (587, 2525)),
        ("smtp2go", None, None, "mail.smtp2go.com", (2525, 587, 8025, 465)),
        ("yandex", None, None, "smtp.yandex.com", (465,)),
        (
            "microsoft365_direct",
            None,
            "t.mail.protection.outlook.com",
            "t.mail.protection.outlook.com",
            (25,),
        ),
        ("kirim_email", None, "smtp.example.com", "smtp.example.com", ()),
        ("zoho", None, "smtp.zoho.jp", "smtp.zoho.jp", (587, 465)),
    ],
)
def test_catalogue(name, region, host, found, ports):
    service = relay(name, region, host)
    assert (service.host, service.ports) == (found, ports)


@pytest.mark.parametrize(
    "host, name",
    [
        ("smtp.sendgrid.net", "sendgrid"),
        ("SMTP.SendGrid.net.", "sendgrid"),
        ("smtp-broadcasts.postmarkapp.com", "postmark"),
        ("email-smtp.eu-west-1.amazonaws.com", "amazon_ses"),
        ("email-smtp.us-gov-west-1.amazonaws.com", "amazon_ses"),
        ("email-smtp.evil.example.amazonaws.com", None),
        ("xsmtp.sendgrid.net", None),
        ("smtpxsendgrid.net", None),
        ("192.0.2.1", None),
        ("", None),
    ],
)
def test_a_host_leads_to_its_service(host, name):
    found = by_host(host)
    assert (found.name if found else None) == name


def test_of_every_service_that_has_a_host_it_is_found():
    for name, service in relay_services.SERVICES.items():
        for host in (service.host.replace("{region}", "eu-west-1"), *service.host_alternates):
            if host:
                assert by_host(host).name == name


@pytest.mark.parametrize(
    "name, region, complaint",
    [
        ("sendgird", None, "'sendgird' is not in the catalogue of relay services; did you mean sendgrid?"),
        ("office", None, "did you mean office365?"),
        ("xyzzy", None, "for any other relay set its host"),
        ("amazon_ses", None, "amazon_ses needs a region, and no region is given; set that of your account"),
        ("ses", "europe", "the region given is 'europe'"),
        ("amazon_ses", "eu-west-1.evil.example", "the region given is 'eu-west-1.evil.example'"),
        (
            "sendgrid",
            "eu-west-1",
            "sendgrid has one host for all regions, and the region given is 'eu-west-1'; remove",
        ),
        ("mailgun", None, "mailgun has the regions eu or us, and no region is given; set one of them"),
        ("outmail_prolateral", None, "gives each customer a host of its own; set the host as well"),
    ],
)
def test_catalogue_complains(name, region, complaint):
    with pytest.raises(OptionError) as error:
        relay(name, region)
    assert complaint in str(error.value)


@pytest.mark.parametrize(
    "entry, host, ports",
    [
        ("relay.example.com", "relay.example.com", ()),
        (" relay.example.com:2525 ", "relay.example.com", (2525,)),
        ("192.0.2.1:25", "192.0.2.1", (25,)),
        ("::1", "::1", ()),
        ("[::1]", "::1", ()),
        ("[2001:db8::1]:2525", "2001:db8::1", (2525,)),
        ({"host": "relay.example.com", "ports": "587,2525"}, "relay.example.com", (587, 2525)),
        ({"host": "relay.example.com", "ports": [587, "587", 465]}, "relay.example.com", (587, 465)),
        ({"host": "relay.example.com", "ports": 465}, "relay.example.com", (465,)),
        ({"host": "relay.example.com", "ports": [], "provider": "", "region": None}, "relay.example.com", ()),
        ({"host": "relay.example.com", "ports": "587 2525"}, "relay.example.com", (587, 2525)),
        ({"host": "[relay.example.com]:587"}, "relay.example.com", (587,)),
        ({"host": "[relay.example.com]:submission"}, "relay.example.com", (587,)),
        ({"host": "[relay.example.com]"}, "relay.example.com", ()),
        ({"host": "relay.example.com:587"}, "relay.example.com", (587,)),
        ({"host": "relay.example.com:587", "ports": [587]}, "relay.example.com", (587,)),
        ({"host": "smtp://relay.example.com:587"}, "relay.example.com", (587,)),
        ({"host": "SMTP://relay.example.com/"}, "relay.example.com", ()),
        ({"host": "[2001:db8::1]:587"}, "2001:db8::1", (587,)),
        ("smtp://[2001:db8::1]:587/", "2001:db8::1", (587,)),
        ({"host": "[IPv6:2001:db8::1]:587"}, "2001:db8::1", (587,)),
        ({"host": "relay.example.com", "tls": "Auto"}, "relay.example.com", ()),
        ({"provider": "postmark"}, "smtp.postmarkapp.com", ()),
        (
            {"provider": "postmark", "host": "smtp-broadcasts.postmarkapp.com"},
            "smtp-broadcasts.postmarkapp.com",
            (),
        ),
    ],
)
def test_parse_relays(entry, host, ports):
    (one,) = parse_relays([entry])
    assert (one.host, one.ports, one.tls, one.credentials) == (host, ports, "auto", None)


def test_parse_relays_login():
    login = {"host": "relay.example.com", "username": "u", "password": 12345}
    first, second = parse_relays([login, {**login, "auth_mechanism": "plain"}], auth_mechanism="login")
    assert first.credentials == Credentials("u", "12345", "login")
    assert second.credentials == Credentials("u", "12345", "plain")


@pytest.mark.parametrize(
    "scheme, tls", [("smtps", "implicit"), ("submissions", "implicit"), ("submission", "starttls")]
)
def test_the_scheme_of_a_url_names_the_kind_of_tls(scheme, tls):
    (one,) = parse_relays([f"{scheme}://relay.example.com:4650"])
    assert one.tls == tls
    (one,) = parse_relays([{"host": f"{scheme}://relay.example.com", "tls": "STARTTLS"}])
    assert one.tls == "starttls"


@pytest.mark.parametrize(
    "entry, complaint",
    [
        ({"host": "a.example", "auth_mechanism": "plian"}, "my_auth: 'plian' is not known"),
        ({"host": "a.example", "username": "u"}, "my_username and my_password: give both, or neither"),
        ({"host": "a.example:99999"}, "my_host: 99999 is not a port"),
    ],
)
def test_a_complaint_names_the_users_own_variables(entry, complaint):
    with pytest.raises(OptionError) as error:
        parse_relays([entry], "my_*", names={"auth_mechanism": "my_auth"})
    assert str(error.value).startswith(complaint)


@pytest.mark.parametrize("host", ["a.example:587", "[a.example]:587", "smtp://a.example:587"])
def test_the_remedy_for_two_ports_works(host):
    with pytest.raises(OptionError) as error:
        parse_relays([{"host": host, "ports": [2525]}])
    remedy = str(error.value).partition("; write ")[2].partition(" there")[0]
    (one,) = parse_relays([{"host": remedy, "ports": [2525]}])
    assert (one.host, one.ports) == ("a.example", (2525,))


COMPLAINTS = [
    ([], "relays: no relay is named"),
    ([{}], "relays[0]: no relay is named; set relays[0].host to its host name, or relays[0].provider"),
    (["a.example", "b.example:456"], "relays[1].host: 456 is not a mail port; did you mean 465"),
    (["a.example:70000"], "relays[0].host: 70000 is not a port"),
    (
        ["a.example:smpt"],
        "relays[0].host: what stands after the colon is not a port (not shown); write host:port",
    ),
    (["a.example:"], "relays[0].host: 'a.example:' has a colon and no port after it; write a.example or"),
    (["http://a.example"], "relays[0].host: http:// is not a scheme of mail (smtp://, smtps://, "),
    (["smtp://u:p@a.example"], "relays[0]: it holds a login or a path; write it as a mapping"),
    (
        [{"host": "smtp://u:p@a.example"}],
        "relays[0].host: it holds a login or a path; give the host name alone",
    ),
    ([{"host": "[[a.example]:587]:587"}], "relays[0].host: "),
    (["foo bar"], "relays[0]: it is text that is neither host nor host:port (not shown)"),
    (["foo..bar"], "relays[0].host: 'foo..bar' is neither a host name nor an IP address"),
    (
        [{"host": "a.example:587", "ports": [2525]}],
        "relays[0].host: 'a.example:587' holds the port 587, and relays[0].ports has 2525; write a.example",
    ),
    (
        [{"host": "a.example", "prots": [587]}],
        "relays[0]: 'prots' is not an option of a relay; did you mean ports?",
    ),
    (
        [{"host": "a.example", "tls": "startls"}],
        "relays[0].tls: 'startls' is not known; did you mean starttls?",
    ),
    (
        [{"host": "a.example", "tls": "ssl3"}],
        "relays[0].tls: 'ssl3' is not known; it is one of auto, starttls",
    ),
    ([{"host": "a.example", "ports": {"a": 1}}], "relays[0].ports: it is not a list"),
    ([{"host": "a.example", "region": "eu-west-1"}], "relays[0].region: 'eu-west-1' belongs to a provider"),
    ([{"host": "a.example", "username": "u"}], "relays[0].username and relays[0].password: give both"),
    ([{"provider": "sendgird"}], "relays[0].provider: 'sendgird' is not in the catalogue"),
    (
        [{"provider": "postmark", "alternates": "perhaps"}],
        "relays[0].alternates: 'perhaps' is neither true nor false",
    ),
    (
        [{"provider": "resend", "alternates": True}],
        "relays[0].alternates: the catalogue has no other host of Resend, so there is nothing else to probe",
    ),
    (
        [{"provider": "ses", "region": "eu-west-1", "alternates": True}],
        "relays[0].alternates: the catalogue has no other host of Amazon SES",
    ),
    (
        [{"host": "a.example", "alternates": True}],
        "relays[0].alternates: a.example is not a host of a service in the catalogue",
    ),
    ([5], "relays[0]: it is neither a host, host:port nor a mapping"),
    ([["a.example"]], "relays[0]: it is neither a host, host:port nor a mapping"),
]


@pytest.mark.parametrize("entries, complaint", COMPLAINTS)
def test_parse_relays_complains(entries, complaint):
    with pytest.raises(OptionError) as error:
        parse_relays(entries)
    assert str(error.value).startswith(complaint)


def test_complaints_in_the_users_own_terms():
    for entry, complaint in (
        (
            {},
            "postfix_relay_*: no relay is named; set postfix_relay_host to its host name, or "
            "postfix_relay_provider",
        ),
        ({"host": "foo bar"}, "postfix_relay_host: 'foo bar' is neither"),
        ({"provider": "ses"}, "postfix_relay_provider: amazon_ses needs a region"),
        (
            {"provider": "resend", "alternates": True},
            "postfix_relay_alternates: the catalogue has no other host",
        ),
    ):
        with pytest.raises(OptionError) as error:
            parse_relays([entry], "postfix_relay_*")
        assert str(error.value).startswith(complaint)


SECRET = "Pa:ss'word\\ $1"


@pytest.mark.parametrize(
    "entry",
    [
        {"host": "a.example", "username": "u", "pasword": SECRET},
        {"host": "a.example", "password": SECRET},
        {"host": "a.example", "username": "u", "password": SECRET, "ports": ["x"]},
        {"host": "a.example", "username": "u", "password": SECRET + "\0"},
        "smtp://u:" + SECRET + "@a.example",
        f"a.example:{SECRET}",
        f"[a.example]:{SECRET}",
        f"a.example:587:u:{SECRET}",
        f"a.example 587 u {SECRET}",
        {"host": "a.example", "username": f"u:{SECRET}", "password": "other"},
        {"host": f"a.example:587:{SECRET}", "password": SECRET},
        {"host": f"a.example:{SECRET}", "password": SECRET},
        [SECRET],
    ],
)
def test_a_secret_is_known_masked_and_not_repeated(entry):
    found = secrets([entry])
    assert any(SECRET in secret for secret in found)
    assert SECRET not in str(masked([entry]))
    assert repr(SECRET)[1:-1] not in str(masked([entry]))
    with pytest.raises(OptionError) as error:
        parse_relays([entry])
    assert SECRET not in str(error.value)
    assert repr(SECRET)[1:-1] not in str(error.value)


def test_a_user_name_that_is_a_password_is_masked():
    entries = [
        {"host": "a.example", "username": "t0ken", "password": "t0ken"},
        {"host": "b.example", "username": "t0ken", "password": "other"},
        {"host": "c.example", "username": "ops", "password": "x"},
    ]
    assert [one["username"] for one in masked(entries)] == ["********", "********", "ops"]
    assert [one.credentials.username for one in parse_relays(entries)] == ["t0ken", "t0ken", "ops"]


def test_secrets_hold_the_form_that_repr_gives_them():
    assert secrets([{"password": SECRET}]) == {SECRET, repr(SECRET)[1:-1]}
    assert secrets([{"password": 12345}, {"password": ""}, "a.example:587"]) == {"12345"}


def test_masked_shows_what_is_no_secret():
    entries = ["a.example:587", {"host": "b.example", "username": "u", "password": "p", "ports": [587]}]
    assert masked(entries) == [
        "a.example:587",
        {"host": "b.example", "username": "u", "password": "********", "ports": [587]},
    ]
    assert masked("anything") == "********"


def test_all_that_is_wrong_is_told_at_once():
    entries = [
        {"host": "a.example", "tls": "encyrpt", "senders": ["nobody"], "port": "x"},
        "good.example",
        {"host": "b..example", "username": "u"},
        {"host": "c.example", "name": "mine[7]", "security_level": "so-so"},
        {"host": "d.example", "senders": ["ops@b\u00fccher.example"]},
    ]
    with pytest.raises(OptionError) as error:
        parse_relays(entries)
    said = str(error.value).splitlines()
    assert [one.partition(": ")[0] for one in said] == [
        "relays[0].port",
        "relays[0].tls",
        "relays[0].senders[0]",
        "relays[2].host",
        "relays[2].username and relays[2].password",
        "mine[7].security_level",
        "relays[4].senders[0]",
    ]
    assert said[-1].endswith(
        "only ASCII is understood there; write the domain as xn--…, ops@xn--bcher-kva.example"
    )


def test_ports_of():
    assert ports_of(None, "ports") == ports_of([], "ports") == ports_of("", "ports") == ()
    assert ports_of([2525, 587, 2525], "ports") == (2525, 587)


# -------------------------------------------------------------------------------------------------- data


# The mechanisms of the probe, and what stands there of a service that knows its customers by their addresses.
AUTH = {*sasl._MECHANISMS, "none_by_ip"}


def test_every_service_is_whole():
    for name, service in relay_services.SERVICES.items():
        assert set(service.auth) <= AUTH, name
        for host in (service.host, *service.host_alternates):
            assert re.fullmatch("[a-z0-9.{}-]*", host), name
        # A source is an address, a file of a repository, a title in words, or short for what is in SOURCES.
        short = {source for source in service.sources if not re.search("[ /]", source)}
        assert short <= set(relay_services.SOURCES), name
        ports = (*service.starttls, *service.implicit, *service.ports_general, *service.plaintext)
        assert len(set(ports)) == len(ports), name
        assert service.confidence in (relay_services.PRIMARY, relay_services.SECONDARY)
        assert service.sources
        assert service.host or service.note
        assert service.title


@pytest.mark.parametrize("name", relay_services.SERVICES)
def test_no_service_is_without_source_and_date(name):
    service = relay_services.SERVICES[name]
    assert service.sources
    assert all(service.sources)
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", service.as_of)
    assert service.as_of >= "2026-11"
    assert service.confidence in (relay_services.PRIMARY, relay_services.SECONDARY)


def test_every_source_has_a_reader():
    used = {source for service in relay_services.SERVICES.values() for source in service.sources}
    assert set(relay_services.SOURCES) <= used


def test_names_lead_to_services():
    assert set(relay_services.ALIASES.values()) <= set(relay_services.SERVICES)
    assert {name for family in relay_services.FAMILIES.values() for name in family.values()} <= set(
        relay_services.SERVICES
    )
    assert len(names()) == len(relay_services.SERVICES) + len(relay_services.ALIASES) + len(
        relay_services.FAMILIES
    )


def test_services_without_implicit_tls():
    without = {
        name for name, service in relay_services.SERVICES.items() if service.starttls and not service.implicit
    }
    assert {"postmark", "sparkpost_us", "sparkpost_eu", "microsoft365", "icloud", "mtarget"} <= without


def test_where_587_has_no_escape_to_2525():
    for name in ("amazon_ses", "resend"):
        service = relay_services.SERVICES[name]
        assert 2525 not in (*service.starttls, *service.implicit, *service.ports_general)
        assert {2587, 2465} <= {*service.starttls, *service.implicit}
