"""What is told of the login that a relay service takes, and when."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._route.login import advise, contradiction, taken
from ansible_collections.mailops.smtp.plugins.module_utils._route.relay_services import PRIMARY, SERVICES
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import Credentials
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import VERDICTS, Result

SECRET = "SG.not-to-be-shown"
GENERAL = VERDICTS["auth_rejected"].advice
LOCKED = "Have the account enabled at smtp.sendgrid.net; a new password does not help."


def result(verdict="auth_rejected", advice=""):
    return Result("smtp.sendgrid.net", 587, "starttls", verdict, "auth", "Seen.", advice)


def told(name, username, verdict="auth_rejected", advice=""):
    login = Credentials(username, SECRET) if username else None
    return advise(result(verdict, advice), login, SERVICES[name] if name else None)


SENDGRID = "Twilio SendGrid takes 'apikey' as user name and an API key (SG....) as password."
NOT_APIKEY = (
    "The user name given is not 'apikey', the user name that Twilio SendGrid documents for every customer; as "
    "password it takes an API key (SG....)."
)


@pytest.mark.parametrize(
    "name, username, verdict, advice, expected",
    [
        # Its name is known, and is another.
        ("sendgrid", "me@example.com", "auth_rejected", "", NOT_APIKEY),
        ("sendgrid", SECRET, "auth_rejected", "", NOT_APIKEY),
        ("sendgrid", "ApiKey", "auth_rejected", "", NOT_APIKEY),
        ("sendgrid", "me", "auth_rejected", LOCKED, f"{NOT_APIKEY} {LOCKED}"),
        # The password may be the wrong one.
        ("sendgrid", "apikey", "auth_rejected", "", f"Check user name and password: {SENDGRID}"),
        (
            "amazon_ses",
            "AKIAEXAMPLE",
            "auth_rejected",
            "",
            "Check user name and password: Amazon SES takes the user name of SES SMTP credentials (AKIA...) as user "
            "name and the password of these SMTP credentials (not the IAM secret access key; it differs by region) as "
            "password.",
        ),
        (
            "mailgun_us",
            "me",
            "auth_rejected",
            "",
            "Check user name and password: Mailgun (US) takes the full SMTP user (postmaster@mg.example.com for "
            "example) as user name and the SMTP password of that domain (not an API key) as password (third parties "
            "say so, not the service).",
        ),
        # The server has a cause of its own.
        ("sendgrid", "apikey", "auth_rejected", LOCKED, LOCKED),
        # It demands a login, and none was given.
        ("sendgrid", "", "auth_rejected", "Give both.", f"Give both. {SENDGRID}"),
        # Nothing is known, or nothing is refused.
        (None, "me", "auth_rejected", "", GENERAL),
        ("smtp_com", "me", "auth_rejected", "", GENERAL),
        ("smtp_com", "", "auth_rejected", "Give both.", "Give both."),
        ("sendgrid", "me", "auth_deferred", "Later.", "Later."),
        ("sendgrid", "me", "filtered", "Ask.", "Ask."),
        ("sendgrid", "me", "ok", "", "Nothing to do."),
    ],
)
def test_advise(name, username, verdict, advice, expected):
    found = told(name, username, verdict, advice)
    assert found == expected
    assert SECRET not in found


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_takes_is_a_sentence(name):
    text = taken(SERVICES[name])
    if text:
        assert text.startswith(f"{SERVICES[name].title} takes ")
        assert text.endswith(".")
        assert "  " not in text
        assert ("third parties" in text) == (SERVICES[name].confidence != PRIMARY)


def test_where_the_user_name_is_fixed_it_is_certain():
    fixed = {name: service for name, service in SERVICES.items() if service.fixed_username}
    assert {"sendgrid", "resend", "sparkpost_us", "sparkpost_eu", "mailtrap_live", "mtarget"} == set(fixed)
    for service in fixed.values():
        assert service.confidence == PRIMARY
        assert service.credential
        assert not service.username
        assert contradiction(service.fixed_username, service) == ""
        assert contradiction("another", service)
