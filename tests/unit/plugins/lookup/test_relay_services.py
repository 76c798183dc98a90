"""What playbooks are given of the catalogue of relay services, and what is said of a mistake."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleLookupError
from ansible_collections.mailops.smtp.plugins.lookup import relay_services
from ansible_collections.mailops.smtp.plugins.module_utils._route.relay_services import FAMILIES, SERVICES

REGIONS = {name: "eu-west-1" for name, service in SERVICES.items() if "{region}" in service.host}
DOCUMENTED = yaml.safe_load(relay_services.RETURN)["_raw"]["contains"]


def look(*terms: Any, **options: Any) -> list[Any]:
    return relay_services.LookupModule().run(list(terms), {}, **options)


def test_the_names_of_all_services() -> None:
    assert look() == sorted(SERVICES)


def test_a_service() -> None:
    (found,) = look("amazon_ses", region="eu-west-1")
    assert (found["title"], found["host"]) == ("Amazon SES", "email-smtp.eu-west-1.amazonaws.com")
    assert found["ports"] == {
        "starttls": [587, 2587, 25],
        "implicit": [465, 2465],
        "general": [],
        "plaintext": [],
    }
    assert (found["auth"], found["fixed_username"]) == (["PLAIN", "LOGIN"], None)
    assert "not the IAM secret access key" in found["credential"]
    assert "2587" in found["note"]
    assert found["confidence"] == "primary"
    assert "omnibus-gitlab doc/settings/smtp.md @440b1f835 (2026-08-21)" in found["sources"]


@pytest.mark.parametrize(
    "name, region, key, value",
    [
        ("SES", "us-gov-west-1", "host", "email-smtp.us-gov-west-1.amazonaws.com"),
        ("sendgrid", None, "fixed_username", "apikey"),
        ("sendgrid", None, "username", None),
        ("Twilio", None, "", "'Twilio' is not in the catalogue"),
        ("mailgun", "eu", "name", "mailgun_eu"),
        ("mailgun_eu", None, "host", "smtp.eu.mailgun.org"),
        ("kirim_email", None, "host", None),
        ("postmark", None, "alternates", ["smtp-broadcasts.postmarkapp.com"]),
        ("smtp_com", None, "credential", None),
        ("sendgird", None, "", "did you mean sendgrid?"),
        (
            "ses",
            None,
            "",
            "amazon_ses needs a region, and no region is given; set that of your account, such as eu-west-1: "
            "lookup('mailops.smtp.relay_services', 'ses', region='eu-west-1')",
        ),
        (
            "ses",
            "europe",
            "",
            "the region given is 'europe'; set that of your account, such as eu-west-1: lookup(",
        ),
        (
            "mailgun",
            None,
            "",
            "mailgun has the regions eu or us, and no region is given; set one of them: "
            "lookup('mailops.smtp.relay_services', 'mailgun', region='eu')",
        ),
        (
            "sendgrid",
            "eu",
            "",
            "has one host for all regions, and the region given is 'eu'; remove the region",
        ),
        ("mailgun_eu", "us", "", "remove the region"),
    ],
)
def test_names_and_regions(name: str, region: str | None, key: str, value: Any) -> None:
    if key:
        assert look(name, region=region)[0][key] == value
    else:
        with pytest.raises(AnsibleLookupError) as error:
            look(name, region=region)
        assert value in str(error.value)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_plain_data_as_documented(name: str) -> None:
    (found,) = look(name, region=REGIONS.get(name))
    assert json.loads(json.dumps(found)) == found
    assert set(found) == set(DOCUMENTED)
    assert set(found["ports"]) == set(DOCUMENTED["ports"]["contains"])
    kinds: dict[str, type] = {"str": str, "list": list, "dict": dict}
    for key, value in found.items():
        assert value is None or isinstance(value, kinds[DOCUMENTED[key]["type"]]), key
    assert found["sources"]
    assert found["as_of"] >= "2026-11"


def test_several_services_come_in_the_order_asked_for() -> None:
    assert [found["name"] for found in look("resend", "brevo", wantlist=True)] == ["resend", "brevo"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_leads_to_each_of_its_regions(family: str) -> None:
    for region, name in FAMILIES[family].items():
        assert look(family, region=region)[0]["name"] == name


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(AnsibleLookupError, match="'regoin': not an option"):
        look("sendgrid", regoin="eu")
