"""The fastest by several rounds: who is asked again, with what, for how long, and what the route is then."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._route.choose import Hop
from ansible_collections.mailops.smtp.plugins.module_utils._route.cloud import Cloud, egress
from ansible_collections.mailops.smtp.plugins.module_utils._route.fact import InUse, fact, parse_parameters
from ansible_collections.mailops.smtp.plugins.module_utils._route.manner import Sender
from ansible_collections.mailops.smtp.plugins.module_utils._route.measure import ROUNDS, medians
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import Options
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import VERDICTS, Result

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=timezone.utc)
NOWHERE = Cloud("unknown", "an unknown provider", "", egress("unknown"))
RELAY = "relay.example.com"
LOGIN = {"host": RELAY, "username": "u", "password": "p"}
IN_USE = Hop(RELAY, 2525, False)


class Network:
    """Endpoints that take the milliseconds of each round; None: that round fails. A round takes `seconds`."""

    def __init__(self, times, seconds=0.1, login=0.0):
        self.times, self.seconds, self.login = times, seconds, login
        self.asked, self.now = [], 100.0

    def clock(self):
        return self.now

    def probe(self, endpoints, options):
        number = len(self.asked)
        self.asked.append((list(endpoints), options))
        self.now += self.seconds
        found = []
        for endpoint in endpoints:
            took = self.times[endpoint.port][number]
            verdict = "filtered" if took is None else "ok"
            auth = self.login if endpoint.credentials else None
            timings = {"total": (took or 0.0) + (auth or 0.0), "auth": auth, "envelope": None}
            stage = VERDICTS[verdict].stage or "auth"
            found.append(Result(*endpoint[:3], verdict, stage, "Seen.", timings_ms=timings, family="ipv4"))
        return found


def routed(network, relay=RELAY, in_use=None, options=None, **params):
    asked = parse_parameters(
        {
            "relays": [relay],
            "ports": list(network.times),
            "policy": "fastest",
            "sticky": False,
            "on_no_route": "fail",
            **params,
        }
    )
    options = options or Options(mail_from="a@example.com", rcpt_to="b@example.com")
    results = network.probe([one.endpoint for one in asked.candidates], options)
    times = medians(asked, results, options, in_use, network.probe, network.clock)
    return fact(asked, results, NOWHERE, InUse(in_use), NOW, Sender(), times)


@pytest.mark.parametrize(
    "times, port, reason",
    [
        # The first round alone would have 2525.
        (
            {587: [90, 20, 22], 2525: [50, 60, 55]},
            587,
            "in 22 ms (median); the next, 2525, took 55 ms",
        ),
        (
            {587: [20, 90, 90], 2525: [50, 50, 50]},
            2525,
            "in 50 ms (median); the next, 587, took 90 ms",
        ),
        # One round that fails says nothing, two do.
        ({587: [20, None, 22], 2525: [50, 60, 55]}, 587, "in 22 ms (median); the next, 2525,"),
        (
            {587: [20, None, None], 2525: [50, 60, 55]},
            2525,
            "in 55 ms (median); the next, 587, took 10000 ms",
        ),
    ],
)
def test_the_median_decides(times, port, reason):
    route = routed(Network(times))
    assert (route["port"], route["decided_by"]) == (port, "probe")
    assert reason in route["reason"]


def test_a_login_and_an_envelope_are_tried_once_and_their_time_counts():
    network = Network({587: [20] * ROUNDS, 2525: [30] * ROUNDS}, login=400.0)
    route = routed(network, LOGIN)
    assert len(network.asked) == ROUNDS
    first, *others = network.asked
    assert all(endpoint.credentials for endpoint in first[0])
    for endpoints, options in others:
        assert [endpoint.credentials for endpoint in endpoints] == [None, None]
        assert (options.mail_from, options.rcpt_to, options.retries) == (None, None, 0)
    assert "587 on relay.example.com accepted the login in 420 ms (median)" in route["reason"]


@pytest.mark.parametrize(
    "times, in_use, params",
    [
        ({587: [20], 2525: [30]}, None, {"policy": "first_usable"}),
        ({587: [20], 2525: [None]}, None, {}),
        ({587: [None], 2525: [None]}, None, {}),
        ({587: [20]}, None, {"port": 587}),
        # The port in use stays whatever it takes.
        ({587: [20], 2525: [30]}, IN_USE, {"sticky": True}),
    ],
)
def test_nobody_is_asked_again_where_that_decides_nothing(times, in_use, params):
    network = Network(times)
    route = routed(network, in_use=in_use, **params)
    assert len(network.asked) == 1
    assert "median" not in route["reason"]


def test_a_port_in_use_that_is_dead_is_no_reason_not_to_measure():
    network = Network({587: [20] * 3, 465: [30] * 3, 2525: [None] * 3})
    assert routed(network, in_use=IN_USE, sticky=True)["port"] == 587
    assert [len(endpoints) for endpoints, _options in network.asked] == [3, 2, 2]


def test_the_rounds_together_take_no_longer_than_one_timeout():
    network = Network({587: [20] * 3, 2525: [30] * 3}, seconds=6.0)
    routed(network)
    assert [options.timeout for _endpoints, options in network.asked] == [10.0, 10.0, 4.0]
    network = Network({587: [20] * 3, 2525: [30] * 3}, seconds=9.7)
    routed(network)
    assert len(network.asked) == 2


@pytest.mark.parametrize("noise", [0, 3, 7, 30])
def test_a_second_run_does_not_turn_the_route_about(noise):
    first = routed(Network({587: [20] * 3, 2525: [20 + noise] * 3}))
    second = routed(
        Network({587: [20 + noise] * 3, 2525: [20] * 3}), in_use=Hop(first["host"], first["port"], False)
    )
    assert (first["port"], second["port"]) == (587, 587)


def test_of_two_families_the_faster_one_is_measured():
    def probe(endpoints, options):
        return [
            Result(*endpoint[:3], "ok", "auth", "Seen.", timings_ms={"total": took}, family=family)
            for endpoint in endpoints
            for family, took in (("ipv4", 50.0), ("ipv6", 10.0 if endpoint.port == 587 else 20.0))
        ]

    asked = parse_parameters(
        {"relays": [RELAY], "policy": "fastest", "sticky": False, "on_no_route": "fail", "ports": [2525, 587]}
    )
    options = Options(family="both")
    results = probe([one.endpoint for one in asked.candidates], options)
    assert list(medians(asked, results, options, None, probe).values()) == [20.0, 10.0]
