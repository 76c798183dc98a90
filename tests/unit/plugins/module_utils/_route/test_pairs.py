"""Every hosting provider with every relay service: order of the candidates, route, guess and explanation.

Rule of this file: what is expected is written down here, port by port, as the sources have it, and worked out from that
alone; nothing of it is asked of the tables or the code under test.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from datetime import datetime, timezone

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._route import hosting, relay_services
from ansible_collections.mailops.smtp.plugins.module_utils._route.cloud import Cloud, egress
from ansible_collections.mailops.smtp.plugins.module_utils._route.fact import InUse, fact, parse_parameters
from ansible_collections.mailops.smtp.plugins.module_utils._route.manner import Sender
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import VERDICTS, Result

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=timezone.utc)
TITLE = "This Provider"
REGION, HOST = "eu-west-1", "relay.example.com"

# What each provider does to a port, and how well that is known.
PROVIDERS = {
    "gce": "25:blocked/secondary 465:open/secondary 587:open/secondary 2525:open/secondary",
    "aws_ec2": "25:throttled/primary 465:open/primary 587:open/primary 2525:open/general",
    "aws_lightsail": "25:throttled/general 465:open/general 587:open/general 2525:open/general",
    "aws_lambda": "25:blocked_default/primary 465:open/general 587:open/general 2525:open/general",
    "azure": "25:blocked_default/primary 465:open/primary 587:open/primary 2525:open/primary",
    "digitalocean": "25:blocked/primary 465:blocked/secondary 587:blocked/secondary 2525:open/secondary",
    "hetzner_cloud": "25:blocked_default/primary 465:blocked_default/primary 587:open/secondary 2525:open/general",
    "linode": "25:blocked_default/primary 465:blocked_default/primary 587:blocked_default/primary 2525:open/general",
    "scaleway": "25:blocked_default/primary 465:blocked_default/primary 587:blocked_default/primary 2525:open/general",
    "vultr": "25:blocked_default/secondary 465:unknown/general 587:unknown/general 2525:open/general",
    "ovhcloud": "25:reactive/primary 465:open/general 587:open/general 2525:open/general",
    "oracle_oci": "25:blocked_default/secondary 465:unknown/general 587:open/general 2525:open/general",
    "alibaba_ecs": "25:blocked_default/primary 465:open/primary 587:open/primary 2525:unknown/general",
    "tencent_cvm": "25:blocked_default/secondary 465:open/secondary 587:unknown/general 2525:unknown/general",
    "baidu_ai_cloud": "25:blocked/primary 465:open/primary 587:open/primary 2525:unknown/general",
    "ibm_vpc": "25:blocked/general 465:open/general 587:open/general 2525:open/general",
    "upcloud": "25:blocked_default/primary 465:open/general 587:open/general 2525:open/general",
    "exoscale": "25:blocked_default/general 465:open/general 587:open/general 2525:open/general",
    "contabo": "25:open/secondary 465:open/general 587:open/general 2525:open/general",
    "cloudzy": "25:blocked_default/primary 465:blocked_default/primary 587:blocked_default/primary "
    "2525:blocked_default/primary",
    "mmitech": "25:blocked/primary 26:blocked/primary 465:blocked/primary 587:blocked/primary 2525:blocked/primary",
    "zhnet": "25:blocked_default/primary 465:blocked_default/primary 587:unknown/general 2525:unknown/general",
    "edbb": "25:throttled/primary 465:unknown/general 587:unknown/general 2525:unknown/general",
    "railway_paas": "25:blocked_default/primary 465:blocked_default/primary 587:blocked_default/primary "
    "2525:blocked_default/primary",
    "residential_isp": "25:blocked/secondary 465:open/general 587:open/secondary 2525:open/general",
    "unknown": "",
}
# How a provider has its block lifted, in a word of its own; it is lifted on request where nothing more is known.
LIFTS = {
    "aws_ec2": "send AWS the form",
    "aws_lambda": "attach the function to a VPC with a NAT gateway",
    "ovhcloud": "stop the mail that gave the alarm",
    "railway_paas": "upgrade to the Pro plan",
    "aws_lightsail": "send AWS the form",
    "azure": "ask Azure to lift it for the subscription",
    "hetzner_cloud": "ask for it with a limit request in the console",
    "linode": "set an A record and reverse DNS",
    "scaleway": "tick 'Enable SMTP' in the security group",
    "vultr": "open a support ticket",
    "oracle_oci": "ask for an exemption with a limit request",
}

# The ports of each service in the order in which they are to be tried; i is for TLS from the first byte. Its own order,
# STARTTLS first, and 25 only where there is nothing else; where it documents none, what every relay is tried on.
SERVICES = {
    "sendgrid": "587 2525 465i",
    "mailgun_us": "587 2525 465i",
    "mailgun_eu": "587 2525 465i",
    "postmark": "587 2525",
    "amazon_ses": "587 2587 465i 2465i",
    "sparkpost_us": "587 2525",
    "sparkpost_eu": "587 2525",
    "mailjet": "587 465i",
    "brevo": "587 2525 465i",
    "mandrill": "587 2525 465i",
    "elastic_email": "587 2525 465i",
    "smtp2go": "2525 587 8025 465i",
    "mailersend": "587",
    "resend": "587 2587 465i 2465i",
    "mailtrap_live": "587",
    "zeptomail": "587 465i",
    "zoho_mail": "587 465i",
    "gmail": "587 465i",
    "google_workspace_relay": "587 465i",
    "microsoft365": "587",
    "microsoft365_direct": "25",
    "microsoft365_hve": "587",
    "outlook_consumer": "587",
    "yandex": "465i",
    "fastmail": "465i",
    "icloud": "587",
    "yahoo": "465i",
    "mtarget": "587",
    "kirim_email": "587 2525",
    "ovh_mail": "465i",
    "ionos": "587 465i",
    "infomaniak": "587 465i",
    "mailchannels": "587 465i",
    "socketlabs": "587 2525 465i",
    "netcore_pepipost": "587 2525",
    "smtp_com": "2525 2082",
    "smtpeter": "587 2525 465i",
    "scaleway_tem": "587 2587 465i 2465i",
    "alibaba_directmail": "465i",
    "godaddy": "465i",
    "outmail_prolateral": "587 2525 8025 465i",
}
# Services that have no host for all their customers, and those that have one for each region.
OWN_HOST = ("microsoft365_direct", "kirim_email", "outmail_prolateral")
REGIONAL = ("amazon_ses", "alibaba_directmail")


def policy(provider):
    """state and confidence of each port."""
    pairs = (word.split(":") for word in PROVIDERS[provider].split())
    return {int(port): tuple(known.split("/")) for port, known in pairs}


def ports(service):
    """Number and kind of TLS of each candidate."""
    words = SERVICES[service].split()
    return [(int(word.rstrip("i")), "implicit" if word.endswith("i") else "starttls") for word in words]


def relay(service):
    entry = {"provider": service}
    if service in OWN_HOST:
        entry["host"] = HOST
    if service in REGIONAL:
        entry["region"] = REGION
    return entry


def routed(provider, service, verdicts, **params):
    """The fact, where the ports have these verdicts and all others are filtered."""
    asked = parse_parameters(
        {
            "relays": [relay(service)],
            "policy": "first_usable",
            "sticky": True,
            "on_no_route": "fail",
            **params,
        }
    )
    results = []
    for one in asked.candidates:
        verdict = verdicts.get(one.endpoint.port, "filtered")
        stage = VERDICTS[verdict].stage or "auth"
        results.append(Result(*one.endpoint[:3], verdict, stage, "Seen.", reachable=verdict == "ok"))
    title = "an unknown provider" if provider == "unknown" else TITLE
    return fact(asked, results, Cloud(provider, title, "", egress(provider)), InUse(), NOW, Sender())


def explanation(provider, port):
    """What the advice for a filtered port ends with."""
    known = policy(provider)
    if provider == "unknown":
        return ""
    state, confidence = known.get(port, ("unknown", "general"))
    caveat = {
        "primary": "",
        "secondary": " (third parties say so, not the provider)",
        "general": " (general knowledge, no source was found)",
    }[confidence]
    if state == "unknown":
        return f"What {TITLE} does to outgoing port {port} is not known."
    if state == "open":
        return (
            f"{TITLE} leaves outgoing port {port} open by default{caveat}, so look for a filter of your own:"
        )
    if state == "throttled":
        return f"{TITLE} throttles outgoing port {port}{caveat}: a probe can succeed"
    if state == "reactive":
        return f"{TITLE} closes outgoing port {port} for an address that its spam scanner reports{caveat}:"
    if state == "blocked":
        return f"{TITLE} blocks outgoing port {port} by default{caveat} and is not known to lift that."
    lift = LIFTS.get(provider)
    return f"{TITLE} blocks outgoing port {port} by default{caveat}" + (
        f"; to lift that, {lift}" if lift else " and lifts that on request."
    )


def openings(provider):
    """What is said to be open where another port is blocked: never 25, and what is known apart from the rest."""
    known = [(port, how) for port, (state, how) in sorted(policy(provider).items()) if state == "open"]
    sure = " and ".join(str(port) for port, how in known if port != 25 and how != "general")
    guessed = " and ".join(str(port) for port, how in known if port != 25 and how == "general")
    # Of three the first two are parted by a comma.
    sure, guessed = (re.sub(" and (?=.* and )", ", ", words) for words in (sure, guessed))
    if sure and guessed:
        return f" Open there: {sure}, and as far as is generally known {guessed}."
    if sure:
        return f" Open there: {sure}."
    return f" Open there as far as is generally known: {guessed}." if guessed else ""


def test_the_tables_are_those_of_the_sources():
    """Whoever changes a row has read something, and writes it down here too."""
    assert set(hosting.EGRESS) == set(PROVIDERS) - {"unknown"}
    assert set(relay_services.SERVICES) == set(SERVICES)
    for provider, row in hosting.EGRESS.items():
        assert {port: tuple(known) for port, known in row.ports.items()} == policy(provider), provider
        lift = LIFTS.get(provider)
        assert bool(row.lift) == bool(lift) and (row.lift or "").startswith(lift or ""), provider


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_order_is_the_services_own_at_every_provider(provider):
    for service in SERVICES:
        expected = ports(service)
        route = routed(provider, service, {port: "ok" for port, _tls in expected})
        assert [(one["port"], one["tls"]) for one in route["endpoints"]] == expected, service
        assert [(one["port"], one["tls"]) for one in route["alternatives"]] == expected[1:], service
        assert (route["port"], route["tls"], route["decided_by"]) == (*expected[0], "probe"), service
        # What a provider is said to do decides nothing: the last one is the route where it alone works.
        last = expected[-1]
        route = routed(provider, service, {last[0]: "ok"})
        assert (route["port"], route["tls"], route["decided_by"]) == (*last, "probe"), service
        assert TITLE not in route["reason"], service


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_filtered_port_is_explained_by_what_is_known_and_how_well(provider):
    for service in SERVICES:
        for endpoint in routed(provider, service, {})["endpoints"]:
            expected = explanation(provider, endpoint["port"])
            assert expected in endpoint["advice"], service
            assert (TITLE in endpoint["advice"]) == bool(expected), service
            state = policy(provider).get(endpoint["port"], ("unknown",))[0]
            if state.startswith("blocked") and openings(provider):
                assert endpoint["advice"].endswith(openings(provider)), service
            else:
                assert "Open there" not in endpoint["advice"], service


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("verdict", ["refused", "auth_rejected", "certificate_expired"])
def test_what_a_filter_did_not_do_is_not_explained_by_one(provider, verdict):
    for service in SERVICES:
        expected = ports(service)
        route = routed(provider, service, {port: verdict for port, _tls in expected})
        for endpoint in route["endpoints"]:
            state = policy(provider).get(endpoint["port"], ("unknown",))[0]
            # A router may refuse in the server's name; a password it does not.
            told = (provider != "unknown" and verdict == "refused") or state == "throttled"
            assert (TITLE in endpoint["advice"]) == told, service


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_guess_is_a_port_that_is_open_and_says_so(provider):
    for service in SERVICES:
        known, expected = policy(provider), ports(service)
        opened = [one for one in expected if known.get(one[0], ("unknown",))[0] == "open"]
        uncertain = [
            one for one in expected if known.get(one[0], ("unknown",))[0] in ("reactive", "throttled")
        ]
        guess = next(iter(opened + uncertain), None)
        route = routed(provider, service, {}, on_no_route="policy")
        if guess is None:
            assert (route["port"], route["decided_by"]) == (None, "probe"), service
            assert "guess" in route["reason"], service
            continue
        assert (route["port"], route["tls"], route["decided_by"]) == (*guess, "policy"), service
        assert " is a guess, because This Provider " in route["reason"], service
        assert ("by general knowledge only" in route["reason"]) == (known[guess[0]][1] == "general"), service
        assert ("leaves it open by default" in route["reason"]) == (guess in opened), service


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_a_guess_there_is_no_route(provider):
    for service in SERVICES:
        route = routed(provider, service, {})
        assert (route["port"], route["alternatives"]) == (None, []), service
        for port, _tls in ports(service):
            assert f"{port}" in route["reason"], service
        assert "is filtered" in route["reason"], service
