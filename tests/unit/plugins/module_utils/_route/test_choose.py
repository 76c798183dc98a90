"""The choice as tables: candidates from relays, and the route with its reason from verdicts."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._route.choose import (
    Excluded,
    Hop,
    candidates,
    choose,
    override_port,
    pair,
)
from ansible_collections.mailops.smtp.plugins.module_utils._route.cloud import Cloud, egress
from ansible_collections.mailops.smtp.plugins.module_utils._route.relays import parse_relays
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import OptionError
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import VERDICTS, Result

NOWHERE = Cloud("unknown", "an unknown provider", "", egress("unknown"))


def cloud(provider, title):
    return Cloud(provider, title, "", egress(provider))


def short(found):
    """relay index, host, port and TLS mode of each candidate."""
    return [(one.relay_index, *one.endpoint[:3]) for one in found]


# -------------------------------------------------------------------------------------------- candidates

A, B = "a.example", "b.example"
POSTMARK, BROADCASTS = "smtp.postmarkapp.com", "smtp-broadcasts.postmarkapp.com"

CANDIDATES = [
    ([A], (), None, [(0, A, 587, "starttls"), (0, A, 2525, "starttls")]),
    (
        [A, B],
        (),
        None,
        [
            (0, A, 587, "starttls"),
            (0, A, 2525, "starttls"),
            (1, B, 587, "starttls"),
            (1, B, 2525, "starttls"),
        ],
    ),
    (
        [A],
        (2525, 465, 25),
        None,
        [(0, A, 2525, "starttls"), (0, A, 465, "implicit"), (0, A, 25, "opportunistic")],
    ),
    ([f"{A}:2525"], (587,), None, [(0, A, 2525, "starttls")]),
    ([{"host": A, "ports": [465]}, B], (587,), None, [(0, A, 465, "implicit"), (1, B, 587, "starttls")]),
    ([{"host": A, "ports": [465]}, B], (587,), 2525, [(0, A, 2525, "starttls"), (1, B, 2525, "starttls")]),
    ([{"host": A, "tls": "implicit"}], (), None, [(0, A, 465, "implicit")]),
    ([{"host": A, "tls": "implicit"}], (587,), None, [(0, A, 587, "implicit")]),
    ([A, A.upper()], (587,), None, [(0, A, 587, "starttls")]),
    (
        [{"provider": "postmark"}],
        (),
        None,
        [(0, "smtp.postmarkapp.com", 587, "starttls"), (0, "smtp.postmarkapp.com", 2525, "starttls")],
    ),
    ([{"provider": "postmark"}], (25,), None, [(0, "smtp.postmarkapp.com", 25, "starttls")]),
    ([{"provider": "postmark"}], (), 465, [(0, "smtp.postmarkapp.com", 465, "implicit")]),
    (
        [{"provider": "resend"}],
        (),
        None,
        [
            (0, "smtp.resend.com", 587, "starttls"),
            (0, "smtp.resend.com", 2587, "starttls"),
            (0, "smtp.resend.com", 465, "implicit"),
            (0, "smtp.resend.com", 2465, "implicit"),
        ],
    ),
    (
        [{"provider": "resend", "tls": "implicit"}],
        (),
        None,
        [(0, "smtp.resend.com", 465, "implicit"), (0, "smtp.resend.com", 2465, "implicit")],
    ),
    # The other hosts of a service come after all ports of its main host, and before the next relay.
    (
        [{"provider": "postmark", "alternates": True}, A],
        (),
        None,
        [
            (0, POSTMARK, 587, "starttls"),
            (0, POSTMARK, 2525, "starttls"),
            (0, BROADCASTS, 587, "starttls"),
            (0, BROADCASTS, 2525, "starttls"),
            (1, A, 587, "starttls"),
            (1, A, 2525, "starttls"),
        ],
    ),
    (
        [{"provider": "postmark", "alternates": True, "ports": [2525]}],
        (587,),
        None,
        [(0, POSTMARK, 2525, "starttls"), (0, BROADCASTS, 2525, "starttls")],
    ),
    (
        [{"provider": "postmark", "alternates": True}],
        (),
        25,
        [(0, POSTMARK, 25, "starttls"), (0, BROADCASTS, 25, "starttls")],
    ),
    (
        [{"provider": "postmark", "host": BROADCASTS, "alternates": True}],
        (587,),
        None,
        [(0, BROADCASTS, 587, "starttls"), (0, POSTMARK, 587, "starttls")],
    ),
    ([{"provider": "postmark", "alternates": False}], (587,), None, [(0, POSTMARK, 587, "starttls")]),
    (
        [{"host": POSTMARK, "alternates": "True"}],
        (587,),
        None,
        [(0, POSTMARK, 587, "starttls"), (0, BROADCASTS, 587, "starttls")],
    ),
    (
        [{"provider": "yandex", "alternates": True}],
        (),
        None,
        [(0, "smtp.yandex.com", 465, "implicit"), (0, "smtp.yandex.ru", 465, "implicit")],
    ),
    ([{"provider": "kirim_email", "host": A}], (), None, [(0, A, 587, "starttls"), (0, A, 2525, "starttls")]),
]


@pytest.mark.parametrize("relays, ports, port, expected", CANDIDATES)
def test_candidates(relays, ports, port, expected):
    assert short(candidates(parse_relays(relays), ports, port)) == expected


@pytest.mark.parametrize(
    "relays, ports, excluded, left",
    [
        ([A], (), (587,), [(A, 2525)]),
        ([A], (25, 465, 587), (25, 587), [(A, 465)]),
        ([f"{A}:2525", B], (587, 25), (25,), [(A, 2525), (B, 587)]),
        ([{"host": A, "ports": [25, 587]}], (), (25, 26), [(A, 587)]),
        # What the catalogue has, in its order.
        ([{"provider": "resend"}], (), (587, 465), [("smtp.resend.com", 2587), ("smtp.resend.com", 2465)]),
        (
            [{"provider": "postmark", "alternates": True}],
            (),
            (587,),
            [(POSTMARK, 2525), (BROADCASTS, 2525)],
        ),
        ([{"provider": "resend", "tls": "implicit"}], (), (465,), [("smtp.resend.com", 2465)]),
    ],
)
def test_an_excluded_port_is_no_candidate(relays, ports, excluded, left):
    found = candidates(parse_relays(relays), ports, None, Excluded(excluded))
    assert [one.endpoint[:2] for one in found] == left


@pytest.mark.parametrize(
    "relays, ports, excluded, complaint",
    [
        (
            [A],
            (),
            (587, 2525),
            f"mine: 587 and 2525 are all of the ports that would be tried on {A}, so none is left; give it another "
            "one, or take 587 out of mine",
        ),
        (
            [B, f"{A}:25"],
            (),
            (25,),
            f"mine: 25 is the only port that would be tried on {A}, so none is left; give it another one, or take 25 "
            "out of mine",
        ),
        (
            [{"provider": "yandex"}],
            (),
            (465,),
            "mine: 465 is the only port that would be tried on smtp.yandex",
        ),
    ],
)
def test_a_relay_that_is_left_without_a_port_is_refused(relays, ports, excluded, complaint):
    with pytest.raises(OptionError) as error:
        candidates(parse_relays(relays), ports, None, Excluded(excluded, "mine"))
    assert str(error.value).startswith(complaint)


def test_candidates_carry_the_login_and_the_server_name():
    relays = [{"host": A, "username": "u", "password": "p", "server_name": "Mail.Example.com"}]
    for one in candidates(parse_relays(relays)):
        assert one.endpoint.credentials.password == "p"
        assert one.endpoint.server_name == "mail.example.com"


def test_an_alternate_has_the_login_and_a_certificate_of_its_own_name():
    login = {"username": "u", "password": "p", "server_name": "mail.example.com"}
    relays = parse_relays([{"provider": "postmark", "alternates": True, **login}])
    found = [
        (one.endpoint.server_name, one.endpoint.credentials.username) for one in candidates(relays, (587,))
    ]
    assert found == [("mail.example.com", "u"), (None, "u")]


def test_an_alternate_is_the_route_where_the_main_host_is_not_usable():
    relays = [{"provider": "postmark", "alternates": True}]
    route = decide(relays, ["filtered", "filtered", "ok", "filtered"])
    assert (route.host, route.port, route.relay) == (BROADCASTS, 587, 0)
    assert route.reason == (
        f"587 on {POSTMARK} is filtered and 2525 is filtered; 587 on {BROADCASTS} accepted TLS"
    )


def test_the_same_port_with_another_login_is_another_candidate():
    relays = [{"host": A, "username": user, "password": "p"} for user in ("u", "v")]
    assert len(candidates(parse_relays(relays), (587,))) == 2


def test_a_port_in_clear_text_is_refused():
    with pytest.raises(OptionError, match=r"port 80 of godaddy has no TLS, .* in the clear; use 465"):
        candidates(parse_relays([{"provider": "godaddy", "ports": [80]}]))


def test_a_password_without_tls_is_refused():
    with pytest.raises(OptionError, match=r"^a\.example:587: tls is none and a password is given"):
        candidates(parse_relays([{"host": A, "tls": "none", "username": "u", "password": "p"}]))


@pytest.mark.parametrize(
    "value, port", [(None, None), ("auto", None), ("AUTO", None), ("", None), (2525, 2525), ("587", 587)]
)
def test_override_port(value, port):
    assert override_port(value) == port


@pytest.mark.parametrize(
    "value, complaint",
    [
        (
            456,
            "postfix_relay_port: 456 is not a mail port; did you mean 465 (submission with implicit TLS)?",
        ),
        (
            "456",
            "postfix_relay_port: 456 is not a mail port; did you mean 465 (submission with implicit TLS)?",
        ),
        (70000, "postfix_relay_port: 70000 is not a port; give a number from 1 to 65535, such as 587"),
        (0, "postfix_relay_port: 0 is not a port; give a number from 1 to 65535, such as 587"),
        (
            "aut",
            "postfix_relay_port: 'aut' is not a number; give a port such as 587, 2525 or 465, or auto "
            "to let the probe choose",
        ),
    ],
)
def test_override_port_complains(value, complaint):
    with pytest.raises(OptionError) as error:
        override_port(value, "postfix_relay_port")
    assert str(error.value) == complaint


# ------------------------------------------------------------------------------------------------ choice

LOGIN = {"username": "u", "password": "p"}


def results(found, *verdicts):
    """A result for each candidate. A verdict may hold milliseconds, or two verdicts, one for each family."""
    made = []
    for one, verdict in zip(found, verdicts):
        for family, word in zip(("ipv4", "ipv6"), verdict.split("|")):
            name, _, total = word.partition(" ")
            stage = VERDICTS[name].stage or "auth"
            host, port, tls = one.endpoint[:3]
            result = Result(
                host,
                port,
                tls,
                name,
                stage,
                f"Reason of {port}.",
                reachable=stage not in ("resolve", "connect"),
            )
            result.family = family
            result.tls_version = "TLSv1.3" if VERDICTS[name].usable else None
            result.timings_ms = {"total": float(total or 10)}
            made.append(result)
    return made


def decide(relays, verdicts, where=NOWHERE, port=None, ports=(), **options):
    found = candidates(parse_relays(relays), ports, port)
    assert len(found) == len(verdicts)
    return choose(pair(found, results(found, *verdicts)), where, override=port, **options)


RELAY = {"host": A, **LOGIN}
SECOND = {"host": B}

CHOICES = [
    # relays, verdicts, options, port, decided_by, reason
    (
        [RELAY],
        ["ok", "ok"],
        {},
        (A, 587),
        "probe",
        "587 on a.example accepted TLS and the login; it is the first of your candidates",
    ),
    (
        [SECOND],
        ["ok", "ok"],
        {},
        (B, 587),
        "probe",
        "587 on b.example accepted TLS; it is the first of your candidates",
    ),
    ([f"{A}:465"], ["ok"], {}, (A, 465), "probe", "465 on a.example accepted TLS; it is the only candidate"),
    (
        [RELAY],
        ["filtered", "ok"],
        {},
        (A, 2525),
        "probe",
        "587 on a.example is filtered; 2525 accepted TLS and the login",
    ),
    (
        [RELAY],
        ["starttls_stripped", "ok"],
        {},
        (A, 2525),
        "probe",
        "587 on a.example has its STARTTLS removed on the way (starttls_stripped); 2525 accepted TLS "
        "and the login",
    ),
    (
        [RELAY, SECOND],
        ["filtered", "refused", "ok", "ok"],
        {},
        (B, 587),
        "probe",
        "587 on a.example is filtered and 2525 is refused; 587 on b.example accepted TLS",
    ),
    (
        [RELAY, SECOND],
        ["filtered", "filtered", "refused", "ok"],
        {},
        (B, 2525),
        "probe",
        "587 on a.example is filtered, 2525 is filtered and 587 on b.example is refused; 2525 accepted TLS",
    ),
    (
        [RELAY],
        ["certificate_expiring", "ok"],
        {},
        (A, 587),
        "probe",
        "587 on a.example accepted TLS and the login with a certificate that expires soon; it is the "
        "first of your candidates",
    ),
    (
        [RELAY],
        ["ok 30", "ok 12"],
        {"preference": "fastest"},
        (A, 2525),
        "probe",
        "2525 on a.example accepted TLS and the login in 12 ms; the next, 587, took 30 ms",
    ),
    (
        [RELAY],
        ["ok 12", "ok 30"],
        {"preference": "fastest"},
        (A, 587),
        "probe",
        "587 on a.example accepted TLS and the login in 12 ms; the next, 2525, took 30 ms",
    ),
    (
        [RELAY],
        ["filtered", "ok 12"],
        {"preference": "fastest"},
        (A, 2525),
        "probe",
        "2525 on a.example accepted TLS and the login in 12 ms; it is the only one that works",
    ),
    (
        [RELAY],
        ["ok", "ok"],
        {"in_use": Hop("A.example.", 2525, False)},
        (A, 2525),
        "sticky",
        "2525 on a.example is in use and accepted TLS and the login, so it stays; 587 also works and "
        "comes earlier in your list; set sticky: false to switch to it",
    ),
    (
        [RELAY, SECOND],
        ["ok", "ok", "ok", "ok"],
        {"in_use": Hop(B, 2525, False)},
        (B, 2525),
        "sticky",
        "2525 on b.example is in use and accepted TLS, so it stays; 587 on a.example also works and comes earlier in "
        "your list; set sticky: false to switch to it",
    ),
    (
        [RELAY],
        ["filtered", "ok"],
        {"in_use": Hop(A, 2525, False)},
        (A, 2525),
        "sticky",
        "2525 on a.example is in use and accepted TLS and the login, so it stays",
    ),
    (
        [RELAY],
        ["ok 30", "ok 12"],
        {"in_use": Hop(A, 587, False), "preference": "fastest"},
        (A, 587),
        "sticky",
        "587 on a.example is in use and accepted TLS and the login, so it stays",
    ),
    # The fastest, where it is clearly faster than what is in use: by a third of the time, and by 100 ms.
    (
        [RELAY],
        ["ok 31", "ok 29"],
        {"in_use": Hop(A, 587, False), "preference": "fastest", "sticky": False},
        (A, 587),
        "sticky",
        "587 on a.example is in use and accepted TLS and the login in 31 ms, so it stays; 2525 took 29 ms, which is "
        "not clearly faster",
    ),
    (
        [RELAY],
        ["ok 29", "ok 31"],
        {"in_use": Hop(A, 587, False), "preference": "fastest", "sticky": False},
        (A, 587),
        "sticky",
        "587 on a.example is in use and accepted TLS and the login in 29 ms, the fastest, so it stays",
    ),
    (
        [RELAY],
        ["ok 29", "ok 31"],
        {"in_use": Hop(A, 2525, False), "preference": "fastest", "sticky": False},
        (A, 2525),
        "sticky",
        "2525 on a.example is in use and accepted TLS and the login in 31 ms, so it stays; 587 took 29 ms, which is "
        "not clearly faster",
    ),
    (
        [RELAY],
        ["ok 301", "ok 200"],
        {"in_use": Hop(A, 587, False), "preference": "fastest", "sticky": False},
        (A, 2525),
        "probe",
        "2525 on a.example accepted TLS and the login in 200 ms; the next, 587, took 301 ms",
    ),
    # A third, and less than 100 ms; 100 ms, and less than a third; not usable any more; another host.
    *(
        (
            [RELAY],
            verdicts,
            {"in_use": in_use, "preference": "fastest", "sticky": False},
            (A, port),
            decided_by,
            None,
        )
        for verdicts, in_use, port, decided_by in (
            (["ok 290", "ok 191"], Hop(A, 587, False), 587, "sticky"),
            (["ok 900", "ok 610"], Hop(A, 587, False), 587, "sticky"),
            (["ok 900", "ok 600"], Hop(A, 587, False), 2525, "probe"),
            (["ok 900", "ok 100"], Hop(A, 587, False), 2525, "probe"),
            (["ok 299", "ok 199.5"], Hop(A, 587, False), 587, "sticky"),
            (["ok 300", "ok 200"], Hop(A, 587, False), 2525, "probe"),
            (["refused", "ok 900"], Hop(A, 587, False), 2525, "probe"),
            (["ok 31", "ok 29"], Hop(B, 587, False), 2525, "probe"),
        )
    ),
    # Not sticky: turned off; not usable any more; another host; another kind of TLS.
    ([RELAY], ["ok", "ok"], {"in_use": Hop(A, 2525, False), "sticky": False}, (A, 587), "probe", None),
    ([RELAY], ["ok", "refused"], {"in_use": Hop(A, 2525, False)}, (A, 587), "probe", None),
    ([RELAY], ["ok", "ok"], {"in_use": Hop(B, 2525, False)}, (A, 587), "probe", None),
    ([RELAY], ["ok", "ok"], {"in_use": Hop(A, 2525, True)}, (A, 587), "probe", None),
    (
        [RELAY],
        ["ok"],
        {"port": 2525},
        (A, 2525),
        "override",
        "2525 on a.example is the port you set, and it accepted TLS and the login",
    ),
    ([RELAY, SECOND], ["refused", "ok"], {"port": 2525}, (B, 2525), "override", None),
    (
        [RELAY, SECOND],
        ["ok", "ok"],
        {"port": 2525, "in_use": Hop(B, 2525, False)},
        (B, 2525),
        "override",
        None,
    ),
    ([RELAY], ["ok"], {"port": 2525, "in_use": Hop(A, 587, False)}, (A, 2525), "override", None),
    (
        [RELAY],
        ["filtered", "auth_rejected"],
        {},
        None,
        "probe",
        "587 on a.example is filtered and 2525 rejects the login (auth_rejected), so no port is usable",
    ),
    (
        [RELAY],
        ["filtered"],
        {"port": 587},
        None,
        "override",
        "587 on a.example is filtered, so port 587, which you set, is not usable",
    ),
    (
        [RELAY],
        ["filtered", "filtered"],
        {"on_no_route": "keep", "in_use": Hop(A, 2525, False)},
        (A, 2525),
        "keep",
        "587 on a.example is filtered and 2525 is filtered, so no port is usable; 2525 on a.example "
        "stays as it is in use",
    ),
    (
        [RELAY],
        ["filtered"],
        {"port": 587, "on_no_route": "keep", "in_use": Hop("old.example", 465, True)},
        ("old.example", 465),
        "keep",
        None,
    ),
    (
        [RELAY],
        ["filtered", "filtered"],
        {"on_no_route": "keep"},
        None,
        "probe",
        "587 on a.example is filtered and 2525 is filtered, so no port is usable, and no next hop is "
        "in use that could be kept",
    ),
    (
        [RELAY],
        ["filtered", "filtered"],
        {"on_no_route": "policy", "where": cloud("linode", "Linode (Akamai)")},
        (A, 2525),
        "policy",
        "587 on a.example is filtered and 2525 is filtered, so no port is usable; 2525 on a.example is "
        "a guess, because "
        "Linode (Akamai) leaves it open by default, by general knowledge only",
    ),
    (
        [RELAY],
        ["dns_failure", "dns_failure"],
        {"on_no_route": "policy", "where": cloud("gce", "Google Compute Engine")},
        (A, 587),
        "policy",
        "587 on a.example cannot be resolved (dns_failure) and 2525 cannot be resolved (dns_failure), "
        "so no port is "
        "usable; 587 on a.example is a guess, because Google Compute Engine leaves it open by default",
    ),
    (
        [f"{A}:25"],
        ["filtered"],
        {"on_no_route": "policy", "where": cloud("aws_ec2", "Amazon EC2")},
        (A, 25),
        "policy",
        "25 on a.example is filtered, so no port is usable; 25 on a.example is a guess, because Amazon EC2 "
        "has it throttled",
    ),
    (
        [RELAY],
        ["filtered"],
        {"port": 587, "on_no_route": "policy", "where": cloud("linode", "Linode (Akamai)")},
        None,
        "override",
        "587 on a.example is filtered, so port 587, which you set, is not usable, and nothing known "
        "of Linode (Akamai) supports a guess",
    ),
    (
        [RELAY],
        ["filtered", "filtered"],
        {"on_no_route": "policy"},
        None,
        "probe",
        "587 on a.example is filtered and 2525 is filtered, so no port is usable, and the hosting provider is unknown, "
        "so there is nothing to guess from",
    ),
    ([RELAY], ["filtered", "filtered"], {"on_no_route": "policy"}, None, "probe", None),
]


@pytest.mark.parametrize("case", CHOICES, ids=range(len(CHOICES)))
def test_choice(case):
    relays, verdicts, options, chosen, decided_by, reason = case
    route = decide(relays, verdicts, **options)
    assert (route.host, route.port) == (chosen or (None, None))
    assert route.decided_by == decided_by
    assert reason in (None, route.reason)
    assert (route.remedy is None) == (decided_by in ("probe", "sticky", "override") and chosen is not None)


def test_alternatives_are_the_other_usable_ports_in_order():
    route = decide([RELAY, SECOND], ["ok", "refused", "ok", "ok"], in_use=Hop(B, 587, False))
    assert (route.host, route.port, route.tls, route.relay) == (B, 587, "starttls", 1)
    assert [one[:3] for one in route.alternatives] == [(A, 587, "starttls"), (B, 2525, "starttls")]


def proven(*ways, **options):
    """The route of results that have each (auth_mechanism, lookup)."""
    found = candidates(parse_relays([{"host": A, "username": "u", "password": "p"}]))
    results = [
        Result(
            *one.endpoint[:3],
            "ok",
            "auth",
            "Fine.",
            tls_version="TLSv1.3",
            auth_mechanism=mechanism,
            lookup=lookup,
        )
        for one, (mechanism, lookup) in zip(found, ways)
    ]
    return choose(pair(found, results), NOWHERE, **options)


@pytest.mark.parametrize(
    "reason, told",
    [
        ("a.example has no IPv6 address, only 192.0.2.25.", "has no IPv6 address (dns_not_found)"),
        ("a.example has no IPv4 address.", "has no IPv4 address (dns_not_found)"),
        ("192.0.2.25 is not an IPv6 address.", "is not an IPv6 address (dns_not_found)"),
        ("a.example does not exist.", "has no address (dns_not_found)"),
    ],
)
def test_a_name_without_an_address_of_the_family(reason, told):
    found = candidates(parse_relays([A]), (587,))
    result = Result(*found[0].endpoint[:3], "dns_not_found", "resolve", reason)
    assert choose(pair(found, [result]), NOWHERE).reason == f"587 on a.example {told}, so no port is usable"


def test_a_route_carries_what_was_proven_of_it():
    route = proven(("LOGIN", "dns"), ("SCRAM-SHA-256", "native"))
    assert (route.auth_mechanism, route.lookup) == ("LOGIN", "dns")
    assert route.alternatives == ((A, 2525, "starttls", "SCRAM-SHA-256", "native", 0),)
    route = proven(("LOGIN", "dns"), ("SCRAM-SHA-256", "native"), in_use=Hop(A, 2525, False))
    assert (route.auth_mechanism, route.lookup) == ("SCRAM-SHA-256", "native")
    assert route.alternatives == ((A, 587, "starttls", "LOGIN", "dns", 0),)


@pytest.mark.parametrize(
    "way, says, says_not",
    [
        (("PLAIN", "dns"), "accepted TLS and the login; it is the first", "by PLAIN"),
        (("LOGIN", "dns"), "accepted TLS and the login; it is the first", "by LOGIN"),
        (("CRAM-MD5", "dns"), "accepted TLS and the login by CRAM-MD5", "/etc/hosts"),
        (
            ("PLAIN", "native"),
            "a.example comes from this host's own tables (/etc/hosts or another source",
            "by PLAIN",
        ),
    ],
)
def test_the_reason_says_what_is_unusual(way, says, says_not):
    reason = proven(way, way).reason
    assert says in reason
    assert says_not not in reason


def test_what_no_probe_confirmed_proves_nothing():
    route = decide([RELAY], ["filtered", "filtered"], on_no_route="keep", in_use=Hop(A, 587, False))
    assert (route.port, route.auth_mechanism, route.lookup) == (587, None, None)


@pytest.mark.parametrize(
    "in_use, sticky", [(None, True), (Hop(B, 2525, False), True), (Hop(B, 2525, False), False)]
)
def test_noise_in_the_times_changes_no_route_and_no_order_of_the_others(in_use, sticky):
    for verdicts in (["ok 40", "ok 30", "ok 20", "ok 10"], ["ok 20", "ok 30", "ok 40", "ok 10"]):
        route = decide([RELAY, SECOND], verdicts, preference="fastest", in_use=in_use, sticky=sticky)
        assert (route.host, route.port) == (B, 2525)
        assert [(one.host, one.port) for one in route.alternatives] == [(A, 587), (A, 2525), (B, 587)]


def test_no_alternatives_without_a_probe_that_works():
    route = decide(
        [RELAY], ["filtered", "filtered"], on_no_route="keep", in_use=Hop("old.example", 465, True)
    )
    assert route[:4] == ("old.example", 465, "implicit", None)
    assert route.alternatives == ()


def test_the_remedy_is_that_of_the_port_that_got_furthest():
    route = decide([RELAY], ["auth_rejected", "filtered"])
    assert route.remedy.startswith("Reason of 587. Check user name and password")
    route = decide([RELAY], ["filtered", "refused"], cloud("linode", "Linode (Akamai)"))
    assert "Linode (Akamai) blocks outgoing port 587 by default" in route.remedy
    assert "Reason of" not in route.remedy


@pytest.mark.parametrize(
    "verdicts, port, reason",
    [
        (
            ["filtered|ok", "ok|ok"],
            587,
            "587 on a.example accepted TLS and the login over ipv6 (ipv4 is filtered); it is the",
        ),
        (
            ["ok|unreachable", "ok|ok"],
            587,
            "587 on a.example accepted TLS and the login over ipv4 (ipv6 is unreachable); it",
        ),
        (
            ["filtered|unreachable", "ok"],
            2525,
            "587 on a.example is filtered or is unreachable; 2525 accepted TLS and the login",
        ),
        (
            ["filtered|filtered", "ok|ok"],
            2525,
            "587 on a.example is filtered; 2525 accepted TLS and the login",
        ),
        (
            ["recipient_rejected|ok", "ok"],
            587,
            "587 on a.example accepted TLS and the login over ipv6 (ipv4 rejects the recipient "
            "(recipient_rejected))",
        ),
    ],
)
def test_both_families(verdicts, port, reason):
    route = decide([RELAY], verdicts)
    assert route.port == port
    assert route.reason.startswith(reason)


def test_a_login_that_was_not_tried_is_told():
    route = decide([{"host": A, "username": "u", "auth_mechanism": "xoauth2"}], ["ok", "ok"])
    said = "587 on a.example accepted TLS (the login was not tried, since Postfix gets the token itself); it is the"
    assert route.reason.startswith(said)


def test_pair_keeps_equal_endpoints_apart():
    relays = [{"host": A, "username": user, "password": "p"} for user in ("u", "v")]
    found = candidates(parse_relays(relays), (587,))
    for verdicts in (("ok", "filtered"), ("ok|filtered", "filtered|ok"), ("ok|filtered", "ok")):
        probed = pair(found, results(found, *verdicts))
        assert ["|".join(result.verdict for result in one.results) for one in probed] == list(verdicts)


@pytest.mark.parametrize("verdict", sorted(name for name, row in VERDICTS.items() if not row.usable))
def test_every_unusable_verdict_is_passed_over_and_named(verdict):
    route = decide([RELAY], [verdict, "ok"])
    assert route.port == 2525
    assert verdict in route.reason
    assert decide([RELAY], [verdict, verdict]).host is None
