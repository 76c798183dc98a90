"""The probe in the fault table: one test a case, and what must hold for all of them."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
from typing import Any, Iterator

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import VERDICTS

from faults.conftest import Findings
from faults.servers import PASSWORD, TOKEN, USERNAME
from faults.table import CASES, POLICIES, QUICK, TIMEOUT, TOLERANCE, Case

BY_NAME = {case.name: case for case in CASES}
# resolv.conf(5): two attempts of 5 s each.
RESOLVER_LIMIT = 10.0


def _fact(result: dict[str, Any], path: str) -> Any:
    value: Any = result
    for key in path.split("."):
        value = None if value is None else value[key]
    return value


def _judge(case: Case, results: list[dict[str, Any]]) -> Iterator[str]:
    """Everything that is wrong about the results of a case."""
    verdicts = [case.verdict] * (1 + len(case.ports)) + ([case.ipv6] if case.ipv6 else [])
    if case.ipv6:
        results = sorted(results, key=lambda result: str(result["family"]))
    got = [result["verdict"] for result in results]
    if got != verdicts:
        yield "verdict %s instead of %s" % (", ".join(got) or "missing", ", ".join(verdicts))
        return
    result = results[0]
    stage = case.stage or VERDICTS[case.verdict].stage
    if stage and result["stage"] != stage:
        yield "stage %s instead of %s" % (result["stage"], stage)
    if result["usable"] != (case.verdict in ("ok", "certificate_expiring")):
        yield "usable is %s" % result["usable"]
    if result["attempts"] != case.attempts:
        yield "%s attempts instead of %d" % (result["attempts"], case.attempts)
    for words in case.says:
        if words not in result["reason"]:
            yield "the reason does not say %r" % words
    if case.advises not in result["advice"]:
        yield "the advice does not say %r" % case.advises
    seconds = max(each["timings_ms"]["total"] for each in results) / 1000
    latest = case.within or (QUICK if case.at is None else case.at + TOLERANCE)
    earliest = 0.0 if case.at is None else case.at - 0.2
    if not earliest <= seconds <= latest:
        yield "the verdict came after %.2f s instead of %.2f to %.2f" % (seconds, earliest, latest)
    if case.problems:
        expected = ["certificate_" + problem for problem in case.problems]
        if _fact(result, "certificate.problems") != expected:
            yield "problems %s instead of %s" % (_fact(result, "certificate.problems"), expected)
        if not _fact(result, "certificate.sha256"):
            yield "the certificate is not told"
    for path, value in case.found:
        if _fact(result, path) != value:
            yield "%s is %r instead of %r" % (path, _fact(result, path), value)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_fault(case: Case, findings: Findings) -> None:
    results = findings.results.get(case.name, [])
    wrong = list(_judge(case, results))
    assert not wrong, "%s\n%s" % ("; ".join(wrong), json.dumps(results, indent=1))


def test_every_verdict_has_a_case() -> None:
    assert {case.verdict for case in CASES} == set(VERDICTS)


def test_case_names_are_unique() -> None:
    assert len(BY_NAME) == len(CASES)


def test_reachable_means_connected(findings: Findings) -> None:
    for name, results in findings.results.items():
        for result in results:
            assert result["reachable"] == (result["stage"] not in ("resolve", "connect")), name


def test_reason_and_advice_are_sentences(findings: Findings) -> None:
    for name, results in findings.results.items():
        for result in results:
            for key in ("reason", "advice"):
                assert result[key].endswith("."), (name, key)
                assert 3 < len(result[key]) < 1000, (name, key)


def test_no_call_outlasts_its_deadline(findings: Findings) -> None:
    """All endpoints of a policy together cost no more than one of them, even where they wait for each other."""
    slow = {
        policy: seconds
        for policy, seconds in findings.seconds.items()
        if seconds > POLICIES[policy].get("timeout", TIMEOUT) + TOLERANCE
    }
    assert not slow


def test_process_ends_with_the_probe(findings: Findings) -> None:
    """A name lookup that still waits must not keep the process. How long the process took to start does not count."""
    assert findings.seconds["name server drops"] < RESOLVER_LIMIT - 3.0
    assert findings.lingering["name server drops"] < 1.0


def test_output_is_printable(findings: Findings) -> None:
    """Whatever servers and certificates hold, no result holds a character that a terminal acts on."""

    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for each in value.values():
                yield from texts(each)
        elif isinstance(value, list):
            for each in value:
                yield from texts(each)

    for name, results in findings.results.items():
        assert not [text for text in texts(results) if not text.isprintable()], name


def test_output_holds_no_secret(findings: Findings) -> None:
    for name, results in findings.results.items():
        text = json.dumps(results, ensure_ascii=False)
        for secret in _forms(PASSWORD) + _forms(TOKEN):
            assert secret not in text, name
    assert not any(findings.errors.values())


def _forms(secret: str) -> list[str]:
    """A secret as it is, and what of its base64 does not depend on what stands around it."""
    forms = [secret]
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret.encode("utf-8")).decode("ascii").rstrip("=")
        forms.append(encoded[4 if before else 0 : -4])
    return forms


def test_no_credentials_in_clear(findings: Findings) -> None:
    """No server got the user name or the password before the connection was encrypted."""
    for name, records in findings.hosts.items():
        for record in records:
            for secret in _forms(PASSWORD) + _forms(TOKEN) + _forms(USERNAME):
                if BY_NAME[name].policy in ("envelope", "bounce") and secret == USERNAME:
                    continue
                assert secret not in record["clear"], name


def test_no_credentials_to_a_stranger(findings: Findings) -> None:
    """Not even under TLS, where the certificate is not to be trusted."""
    strangers = [name for name in findings.hosts if name.startswith("auth_no_password")]
    assert strangers
    for name in strangers:
        for record in findings.hosts[name]:
            assert not [line for line in record["commands"] if line.upper().startswith("AUTH")], name


def test_credentials_reached_the_right_servers(findings: Findings) -> None:
    """The counterpart of the two tests above: they would also pass if nothing were ever sent."""
    for name in (
        "auth_plain",
        "auth_login",
        "auth_cram_md5",
        "auth_xoauth2",
        "auth_implicit",
        "auth_on_port_25",
    ):
        commands = [line for record in findings.hosts[name] for line in record["commands"]]
        assert [line for line in commands if line.startswith("AUTH ")], name


def test_no_mail_is_sent(findings: Findings) -> None:
    for name, records in findings.hosts.items():
        for record in records:
            verbs = [line.partition(" ")[0].upper() for line in record["commands"]]
            assert not {"DATA", "BDAT"} & set(verbs), name


def test_envelope_is_taken_back(findings: Findings) -> None:
    for name in ("envelope_well", "envelope_implicit_well", "envelope_bounce_well"):
        (record,) = findings.hosts[name]
        verbs = [line.partition(" ")[0] for line in record["commands"]]
        assert verbs[-4:] == ["MAIL", "RCPT", "RSET", "QUIT"], name


def test_servers_are_left_politely(findings: Findings) -> None:
    """Where an orderly server is all right, one connection is enough and the last word is QUIT."""
    for name, records in findings.hosts.items():
        case = BY_NAME[name]
        if case.verdict != "ok" or type(case.serve).__name__ != "Smtp" or case.policy != "usual":
            continue
        if case.problems or name == "only_tls_1_1_opportunistic":
            continue  # what is wrong with a certificate, or with TLS, is followed up on a second connection
        assert [record["commands"][-1:] for record in records] == [["QUIT"]] * (1 + len(case.ports)), name


def test_names_and_addresses_are_those_asked_for(findings: Findings) -> None:
    (named,) = findings.hosts["ehlo_name_as_asked"]
    assert named["commands"][0] == "EHLO mail.client.test"
    for name in ("source_address_kept", "source_address_ipv4_and_both_families"):
        assert {record["client"] for record in findings.hosts[name]} == {"198.19.0.3"}, name
