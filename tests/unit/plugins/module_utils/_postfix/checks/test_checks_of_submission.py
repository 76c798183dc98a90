"""Submission as role postfix renders it, in combinations at random, on hosts that have settings of their own."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("yaml", reason="the controller's side needs PyYAML")

from ansible_collections.mailops.smtp.plugins.action.variables import specification
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change import managed
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.plan import (
    make_plan,
    write_changes,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.request import (
    BlockWish,
    Request,
    file_wishes,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks import registry
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks.configuration import Configuration
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks.strangers import (
    Stranger,
    relayed,
    starts,
    strangers,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files.text import assignments
from ansible_collections.mailops.smtp.plugins.plugin_utils import variables
from ansible_collections.mailops.smtp.plugins.plugin_utils.submission import submission
from ansible_collections.mailops.smtp.plugins.plugin_utils.ways import ways
from case import Case, inet
from checks_lab import LIVE, Canned, Lab, found
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SPEC = specification("postfix")
DEFAULTS = {name: option.get("default") for name, option in SPEC.items()}
CERTIFICATE, KEY = "/etc/ssl/certs/ssl-cert-snakeoil.pem", "/etc/ssl/private/ssl-cert-snakeoil.key"
SNI = {"mail.example.test": {"cert_file": CERTIFICATE, "key_file": KEY}}
ADDRESS = st.sampled_from(["joe@example.org", "@example.net", "Ann@example.org", "root@web1.example.com"])
SUBMISSION = st.fixed_dictionaries(
    {
        "postfix_submission_ports": st.one_of(
            st.just("auto"), st.lists(st.sampled_from([587, 465, 2525, 2465, 8465, 10025, 25]), max_size=4)
        ),
        "postfix_submission_cert_file": st.sampled_from([CERTIFICATE, CERTIFICATE, CERTIFICATE, ""]),
        "postfix_submission_key_file": st.just(KEY),
    },
    optional={
        "postfix_submission_self_signed": st.booleans(),
        "postfix_submission_sni": st.sampled_from([{}, SNI]),
        "postfix_submission_sasl": st.sampled_from(["dovecot", "cyrus"]),
        "postfix_submission_auth_socket": st.sampled_from(["private/auth", "inet:127.0.0.1:12345"]),
        "postfix_submission_senders": st.dictionaries(
            st.sampled_from(["joe", "ann@example.org", "web1"]), st.lists(ADDRESS, max_size=3), max_size=3
        ),
        "postfix_submission_message_size": st.sampled_from([0, 1, 50_000_000, 10**12]),
        "postfix_submission_rate": st.sampled_from([0, 1, 600]),
        "postfix_submission_policy_stage": st.sampled_from(["recipient", "data", "end_of_data"]),
        "postfix_submission_policy_services": st.sampled_from(
            [[], ["unix:private/policy"], ["inet:127.0.0.1:10031", "inet:[::1]:10032"]]
        ),
        "postfix_smtp_inbound": st.booleans(),
    },
)
RELAY = st.one_of(
    st.just({"postfix_direct": True}),
    st.fixed_dictionaries(
        {
            "postfix_relay_host": st.just("relay.example.com"),
            "postfix_relay_port": st.sampled_from(["587", "465", "25"]),
        },
        optional={
            "postfix_relay_username": st.just("ops"),
            "postfix_relay_password": st.just("secret"),
            "postfix_relay_tls": st.sampled_from(["may", "encrypt", "secure"]),
            "postfix_mynetworks": st.sampled_from([["127.0.0.0/8"], ["192.0.2.0/24"]]),
            "postfix_mydestination": st.just(["example.org"]),
            "postfix_relay_failover": st.booleans(),
        },
    ),
)
# What hosts have in main.cf for the mail of others, and what would let strangers in, or lock users out.
OWN = st.fixed_dictionaries(
    {},
    optional={
        "mynetworks": st.sampled_from(["127.0.0.0/8", "0.0.0.0/0, [::]/0", "static:all"]),
        "smtpd_relay_restrictions": st.sampled_from(["permit", "reject", "permit_mynetworks, reject"]),
        "smtpd_recipient_restrictions": st.sampled_from(
            ["permit", "reject", "check_client_access static:OK"]
        ),
        "smtpd_client_restrictions": st.sampled_from(
            ["reject", "permit", "reject_rbl_client rbl.example.com"]
        ),
        "smtpd_helo_restrictions": st.sampled_from(["reject", "reject_unknown_helo_hostname, reject"]),
        "smtpd_sender_restrictions": st.sampled_from(["reject", "permit", "reject_sender_login_mismatch"]),
        "smtpd_data_restrictions": st.just("reject"),
        "smtpd_end_of_data_restrictions": st.just("reject"),
        "smtpd_delay_reject": st.sampled_from(["yes", "no"]),
        "smtpd_sasl_exceptions_networks": st.just("0.0.0.0/0"),
        "smtpd_sasl_security_options": st.just(""),
        "smtpd_tls_auth_only": st.sampled_from(["yes", "no"]),
        "smtpd_tls_security_level": st.sampled_from(["none", "may"]),
        "smtpd_tls_wrappermode": st.sampled_from(["yes", "no"]),
        "smtpd_tls_cert_file": st.just("none"),
        "smtpd_tls_req_ccert": st.just("yes"),
        "smtpd_tls_mandatory_protocols": st.just("TLSv1"),
        "smtpd_discard_ehlo_keywords": st.just("auth, starttls"),
        "smtpd_authorized_xforward_hosts": st.just("0.0.0.0/0"),
        "smtpd_sender_login_maps": st.just("static:nobody"),
    },
)
OWN_MASTER = st.sampled_from(
    [
        "",
        "submission inet n - y - - smtpd\n  -o smtpd_relay_restrictions=permit\n  -o smtpd_tls_auth_only=no\n",
        "587 inet n - y - - smtpd\n  -o smtpd_sasl_auth_enable=no\n  -o smtpd_tls_security_level=may\n",
        "smtps inet n - y - - smtpd -o smtpd_client_restrictions=permit\n127.0.0.1:2525 inet n - y - - smtpd\n",
        "submissions inet n - y - - smtpd -o smtpd_tls_wrappermode=no\n[::]:submission inet n - y - - smtpd\n",
    ]
)
# What is told of our services must not be told of those that let strangers in, or users out.
ABOUT_OURS = {
    "open-relay", "relaying-not-refused", "unknown-restriction", "removed-restriction", "restriction-argument",
    "server-without-certificate", "tls-of-the-port", "certificate-file", "certificate-name", "service-set-twice",
    "port-used-twice", "auth-never-offered", "table-type", "table-missing", "value-type", "tls-protocol",
    "unknown-word", "unknown-list-word", "service-columns", "unused-parameter", "dovecot-socket",
}  # fmt: skip


def rendered(wanted: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]] | None:
    """Values, what is rendered of them, and all services; None where the role refuses the variables."""
    checked = variables.check(SPEC, {"postfix_preflight": False, **wanted}, DEFAULTS)
    if checked.complaints or variables.needs("postfix", checked.values, [], []):
        return None
    values, route = checked.values, variables.route(checked.values)
    made = submission(values)
    found_ways = (
        ways(route, variables.relays(values), LIVE, values["postfix_relay_failover"]) if route else {}
    )
    return values, made, [*found_ways.get("services", []), *made["services"]]


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(SUBMISSION, RELAY, OWN, OWN_MASTER)
def test_what_validates_is_no_open_relay_and_offers_auth_in_tls_alone(
    lab: Lab, wanted: dict[str, Any], relay: dict[str, Any], own: dict[str, str], master: str
) -> None:
    what = rendered({**wanted, **relay})
    if what is None:
        return
    values, made, services = what
    original = {name: (lab.live / name).read_text(encoding="utf-8") for name in ("main.cf", "master.cf")}
    stage = lab.root / "stage-of-submission"
    stage.mkdir(exist_ok=True)
    socket = lab.root / "queue/private/auth"
    socket.parent.mkdir(exist_ok=True)
    socket.touch()
    try:
        for name in ("server.key", "server.pem"):
            with (stage / "mailops_submission.pem").open("a", encoding="ascii") as both:
                both.write((lab.root / name).read_text(encoding="ascii"))
        main = original["main.cf"] + "".join(f"{name} = {value}\n" for name, value in own.items())
        for name, text in (("main.cf", main), ("master.cf", original["master.cf"] + master)):
            (stage / name).write_text(text, encoding="utf-8")
        wish = Request(
            files=file_wishes(lab.placed([one for one in made["files"] if not one.get("self_signed")])),
            services=lab.placed(services),
            parameters={"inet_interfaces": "all"},
            block=BlockWish(text="relayhost =\n"),
        )
        plan = make_plan(wish, str(stage), assignments(lab.defaults))
        write_changes(plan.changes, str(stage))
        judge(lab, str(stage), values, own)
    finally:
        socket.unlink()
        for path in stage.iterdir():
            path.unlink()


def judge(lab: Lab, stage: str, values: dict[str, Any], own: dict[str, str]) -> None:
    config = Configuration(stage, LIVE, Canned(lab.defaults))
    ports = {str(port) for port in values["postfix_submission_ports"]}
    ours = [entry for entry in config.smtpd_services if entry.service in ports]
    assert {entry.service for entry in ours} == ports
    if not values["postfix_smtp_inbound"]:
        assert not {"smtp", "25"} & {entry.service for entry in config.smtpd_services}
    for entry in ours:
        implicit = config.enabled("smtpd_tls_wrappermode", entry)
        assert implicit == (entry.service in ("465", "2465", "8465"))
        assert config.value("smtpd_tls_security_level", entry) == "encrypt"
        assert config.enabled("smtpd_tls_auth_only", entry)
        assert config.enabled("smtpd_sasl_auth_enable", entry)
        assert not {"auth", "starttls"} & set(config.words("smtpd_discard_ehlo_keywords", entry))
        assert "noanonymous" in config.words("smtpd_sasl_tls_security_options", entry)
        assert starts(config, entry)
        for each in strangers(config, entry):
            assert relayed(config, entry, each) is None
        # Nor is anybody from a network that the host trusts let in without a login.
        assert relayed(config, entry, Stranger(inside=True, own=True)) is None
        if not values["postfix_submission_senders"]:
            user = Stranger(
                login=True, sender="joe@example.org", helo="[192.0.2.1]", name="unknown", pointer="unknown"
            )
            assert relayed(config, entry, user) is not None
    told = {f"{entry.service}/inet" for entry in ours}
    wrong = [
        str(each)
        for check in registry.CHECKS
        for each in (check.findings(config) if check.name in ABOUT_OURS else ())
        if each.certain and each.named & told
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("mail.example.test", "{key} {cert}", ""),
        ("a.wild.example.test", "{key}, {cert}", ""),
        (".wild.example.test", "{key} {cert}", ""),
        (
            "mail.other.test",
            "{key} {cert}",
            "is for mail.example.test, *.wild.example.test, and not for mail.other.test",
        ),
        ("mail.example.test", "{cert}", "no key comes before the certificate of"),
        ("mail.example.test", "{key} /etc/ssl/none.pem", "/etc/ssl/none.pem does not exist"),
    ],
)
def test_a_name_has_a_certificate_that_is_for_it(lab: Lab, name: str, value: str, told: str) -> None:
    files = value.format(key=KEY, cert=CERTIFICATE)
    case = Case("sni", services=[inet("587", tls_server_sni_maps=f"inline:{{ {{{name} = {files}}} }}")])
    said = found(lab, case)
    mine = [*said.get("certificate-name", []), *said.get("certificate-file", [])]
    assert len(mine) == bool(told)
    assert all(told in each for each in mine)


def test_a_certificate_of_many_ports_is_told_of_once(lab: Lab) -> None:
    services = [inet(port, smtpd_tls_cert_file="/etc/ssl/none.pem") for port in ("587", "2525", "2526")]
    (said,) = found(lab, Case("many", services=services))["certificate-file"]
    assert "587/inet" in said


def test_options_are_set_where_they_are_known() -> None:
    (made,) = managed.known_options([{"options": {"a": "1"}, "where_known": {"b": "2", "c": "3"}}], {"c": ""})
    assert made["options"] == {"a": "1", "c": "3"}
