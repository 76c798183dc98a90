"""What the users of role preflight are told to set: variables that there are."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path

import pytest
import yaml
from ansible_collections.mailops.smtp.plugins.module_utils._route.cloud import Cloud, egress
from ansible_collections.mailops.smtp.plugins.module_utils._route.fact import InUse, fact, parse_parameters
from ansible_collections.mailops.smtp.plugins.module_utils._route.manner import Sender, _mail_advice
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.arguments import PROBE_ARGUMENTS
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import VERDICTS, Result
from ansible_collections.mailops.smtp.plugins.modules.smtp_route_facts import ARGUMENTS

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=timezone.utc)
HETZNER = Cloud("hetzner_cloud", "Hetzner Cloud", "DMI system_vendor is 'Hetzner'", egress("hetzner_cloud"))
DEFAULTS = {"policy": "first_usable", "sticky": True, "on_no_route": "fail"}
ROOT = Path(__file__).resolve().parents[4]


def role_names():
    """What role preflight calls the options, as its variables have it: every name that may come out."""
    text = (ROOT / "roles/preflight/vars/main.yml").read_text()
    loaded = yaml.safe_load(text)
    return {**loaded["preflight__own_names"], **loaded["preflight__single_names"]}


def variables():
    found = set()
    for spec in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        found |= set(yaml.safe_load(spec.read_text())["argument_specs"]["main"]["options"])
    return found


def test_every_name_that_the_role_gives_is_a_variable():
    for option, value in role_names().items():
        for name in re.findall(r"(?:preflight|postfix|verify)_[a-z][a-z_]*[a-z](?![a-z_]*__)", str(value)):
            if not name.startswith("preflight__"):
                assert name in variables() or name == "postfix_relay", (option, name)


def test_the_probe_is_told_all_that_role_postfix_will_give_to_postfix():
    loaded = yaml.safe_load((ROOT / "roles/preflight/vars/main.yml").read_text())
    assert set(loaded["preflight__postfix"]) == set(ARGUMENTS["postfix"]["options"])
    assert "postfix_services" in loaded["preflight__postfix"]["services"]
    # Its Postfix trusts other authorities beside the file that is named.
    assert "postfix_relay_ca_file" in loaded["preflight__identity"]["smtp_tls_CAfile"]


@pytest.mark.parametrize("verdict", VERDICTS)
def test_no_advice_names_an_option_that_the_roles_users_do_not_have(verdict):
    names = {
        option: (re.findall(r"'(\w+)'", str(value)) or [value])[0] for option, value in role_names().items()
    }
    asked = parse_parameters(
        {"relays": ["relay.example.com"], **DEFAULTS, "option_names": {**names, "relays": "relays"}}
    )
    stage = VERDICTS[verdict].stage or "auth"
    results = [
        Result(*each.endpoint[:3], verdict, stage, "Seen.", reachable=True) for each in asked.candidates
    ]
    sender = Sender(
        "a.example", mail_from="root@a.example", mail_advice=_mail_advice("root", "root@a.example", names)
    )
    made = fact(asked, results, HETZNER, InUse(), NOW, sender)
    text = " ".join([made["remedy"] or "", *(each["advice"] for each in made["endpoints"])])
    left = {
        option
        for option in PROBE_ARGUMENTS
        if "_" in option and re.search(rf"(?<![\w.]){option}(?!\w)", text)
    }
    assert not left, text
    for name in re.findall(r"\b(?:preflight|postfix|verify)_[a-z_]+", text):
        assert name in variables(), text


def advice_of(verdict, relays, certificate=None, mail_advice=""):
    names = {
        option: (re.findall(r"'(\w+)'", str(value)) or [value])[0] for option, value in role_names().items()
    }
    # The keys of a list of role postfix are not those of preflight_relays.
    names = {option: name for option, name in names.items() if not option.startswith("relays.")}
    names = {**names, "relays": relays}
    asked = parse_parameters({"relays": ["10.89.1.10"], "ports": [587], **DEFAULTS, "option_names": names})
    seen = Result(
        *asked.candidates[0].endpoint[:3],
        verdict,
        VERDICTS[verdict].stage,
        "Seen.",
        reachable=True,
        certificate=certificate,
    )
    sender = Sender(mail_advice=mail_advice and _mail_advice("root", "root@gce", names))
    return fact(asked, [seen], HETZNER, InUse(), NOW, sender)["remedy"]


@pytest.mark.parametrize(
    "names, says",
    [
        (["relay.lab.test", "10.0.0.1"], "Write relay.lab.test, a name that the certificate has, in "),
        (["*.lab.test"], "Write a name that the certificate has in "),
        (["localhost"], "Write a name that the certificate has in "),
        ([], "Write a name that the certificate has in "),
    ],
)
def test_a_relay_is_to_have_the_name_of_its_certificate(names, says):
    said = advice_of("certificate_mismatch", "postfix_relay_*", {"names": names})
    assert says + "postfix_relay_host; or have the certificate" in said
    assert "server_name" not in said
    # preflight_relays has that key.
    assert "set preflight_relays[0].server_name" in advice_of(
        "certificate_mismatch", "preflight_relays", {"names": names}
    )


@pytest.mark.parametrize("verdict", ["sender_rejected", "sender_deferred"])
def test_a_default_sender_is_changed_on_the_host_and_not_in_the_test_alone(verdict):
    said = advice_of(verdict, "postfix_relay_*", mail_advice="root")
    assert (
        "Set postfix_sender_domain to a domain whose senders the relay takes, or name the address in postfix_generic."
        in said
    )
    assert re.search(r"_sender changes the sender of the test message alone", said)
