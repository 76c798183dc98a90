"""Listeners of other hosts: how they are asked, and what is told of them."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._route import mesh
from ansible_collections.mailops.smtp.plugins.module_utils._route.cloud import Cloud, egress
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import OptionError, Options
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import Result

HETZNER = Cloud("hetzner_cloud", "Hetzner Cloud", "DMI system_vendor is 'Hetzner'", egress("hetzner_cloud"))
UNKNOWN = Cloud("unknown", "an unknown provider", "", egress("unknown"))
MAIL1 = {
    "server": "mail1",
    "host": "mail1.example.com",
    "port": 587,
    "server_name": None,
    "self_signed": False,
}


def asked(options=None, **keys):
    (one,) = mesh.listeners([{**MAIL1, **keys}], options or Options())
    return one


@pytest.mark.parametrize(
    "keys, tls",
    [
        ({}, "starttls"),
        ({"port": 465}, "implicit"),
        ({"port": 2525}, "starttls"),
        ({"port": 25}, "opportunistic"),
    ],
)
def test_tls_begins_as_the_port_has_it(keys, tls):
    assert asked(**keys).endpoint.tls == tls


def test_whatever_the_relay_is_asked_for_a_listener_is_asked_with_verified_tls_and_without_mail():
    options = Options(validate_certs=False, mail_from="root@example.com", rcpt_to="ops@example.com", needs_dns=True,
                      ca_path=("/etc/ssl/own.pem",), helo_name="web1.example.com", timeout=3)  # fmt: skip
    one = asked(options)
    assert one.endpoint.credentials is None
    own = one.endpoint.options
    assert (own.validate_certs, own.mail_from, own.rcpt_to, own.needs_dns) == (True, None, None, False)
    assert (own.ca_path, own.system_authorities, own.helo_name) == (
        ("/etc/ssl/own.pem",),
        True,
        "web1.example.com",
    )


@pytest.mark.parametrize("family, tried", [("both", "any"), ("any", "any"), ("ipv6", "ipv6")])
def test_each_listener_has_one_result(family, tried):
    assert mesh.of_all(Options(family=family, check_families=True)) == Options(family=tried)


def test_what_is_no_host_is_refused_with_its_place():
    with pytest.raises(
        OptionError, match=r"^mesh\[0\]\.host: 'a b' is neither a host name nor an IP address"
    ):
        asked(host="a b")


def told(one, verdict, cloud=UNKNOWN, names=(), **seen):
    result = Result(one.endpoint.host, one.endpoint.port, one.endpoint.tls, verdict, "certificate", **seen)
    (found,) = mesh.told([one], [result], cloud, dict(names))
    return found


WORDS = "it is self-signed and not among the trusted ones"


@pytest.mark.parametrize(
    "self_signed, subject, issuer, problems, verdict",
    [
        (True, "CN=mail1", "CN=mail1", ["certificate_untrusted"], "ok"),
        (True, "CN=mail1", "CN=mail1", [], "ok"),
        (
            True,
            "CN=mail1",
            "CN=mail1",
            ["certificate_untrusted", "certificate_mismatch"],
            "certificate_mismatch",
        ),
        (
            True,
            "CN=mail1",
            "CN=mail1",
            ["certificate_untrusted", "certificate_expired"],
            "certificate_expired",
        ),
        (True, "CN=mail1", "CN=mail1", ["certificate_untrusted", "certificate_expiring"], "ok"),
        (True, "CN=mail1", "CN=Inspector", ["certificate_untrusted"], "certificate_untrusted"),
        (True, "CN=mail1", "CN=Authority", [], "ok"),
        # Without it the probe has judged.
        (False, "CN=mail1", "CN=mail1", ["certificate_untrusted"], "ok"),
    ],
)
def test_a_certificate_that_is_its_own_authority_must_be_right_in_the_rest(
    self_signed, subject, issuer, problems, verdict
):
    one = asked(self_signed=self_signed)
    assert one.endpoint.options.validate_certs is not self_signed
    certificate = {"subject": subject, "issuer": issuer, "names": ["mail1"], "problems": problems}
    found = told(
        one,
        "ok",
        reason=f"Usable: TLSv1.3 with X, the certificate is not verified: {WORDS}",
        certificate=certificate,
    )
    assert (found["verdict"], found["usable"]) == (verdict, verdict == "ok")
    if verdict != "ok":
        assert found["reason"] == (f"The certificate is not acceptable: {WORDS}.")
        assert found["advice"] != "Nothing to do."


def test_on_25_any_certificate_is_accepted():
    certificate = {"subject": "CN=a", "issuer": "CN=a", "names": [], "problems": ["certificate_mismatch"]}
    one = asked(port=25, self_signed=True)
    assert told(one, "ok", reason="x", certificate=certificate)["verdict"] == "ok"


@pytest.mark.parametrize(
    "verdict, cloud, words",
    [
        ("ok", UNKNOWN, "Nothing to do."),
        ("refused", UNKNOWN, "See that Postfix on mail1 serves port 465"),
        ("filtered", UNKNOWN, "have it opened in the firewall of mail1"),
        ("filtered", HETZNER, "Hetzner Cloud"),
        (
            "certificate_mismatch",
            UNKNOWN,
            "issued for smtp.example.com, by which it was asked; or set postfix_myhostname to",
        ),
        ("certificate_untrusted", UNKNOWN, "name it with preflight_ca_file"),
    ],
)
def test_the_advice_is_about_the_server(verdict, cloud, words):
    names = {"mesh.server_name": "postfix_myhostname", "ca_path": "preflight_ca_file"}
    found = told(asked(port=465, server_name="smtp.example.com"), verdict, cloud, names, reason="So.")
    assert found["server"] == "mail1"
    assert words in found["advice"]
    assert "relay" not in found["advice"]
