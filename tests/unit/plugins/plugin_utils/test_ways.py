"""From the routes that were found to what Postfix is given."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.smtp.plugins.plugin_utils.ways import WaysError, ways

A, B = "a.example.com", "b.example.com"


def way(host, port, relay=0, tls=None, mechanism=None, lookup="dns"):
    mode = tls or ("implicit" if port == 465 else "starttls")
    return {
        "host": host,
        "port": port,
        "tls": mode,
        "auth_mechanism": mechanism,
        "lookup": lookup,
        "relay": relay,
    }


def entry(*found, relay=0, senders=(), recipients=(), direct=False, required=True):
    first = found[0] if found else way(None, None, relay)
    return {
        **first,
        "relay": relay,
        "alternatives": list(found[1:]),
        "senders": list(senders),
        "recipients": list(recipients),
        "direct": direct,
        "required": required,
        "name": f"postfix_relays[{relay}]",
    }


def fact(*entries):
    """The fact of these entries, as the module puts it together."""
    everybody = [one for one in entries if not one["senders"] and not one["recipients"]]
    found = [each for one in everybody for each in (one, *one["alternatives"])]
    first = found[0] if found else way(None, None)
    decided_by = "probe" if found else "direct"
    return {**first, "decided_by": decided_by, "alternatives": found[1:], "routes": list(entries)}


SECURE = {"security_level": "secure"}
LOGIN = {**SECURE, "username": "u"}
CA = {"smtp_tls_CAfile": "/ca.pem", "smtp_tls_CApath": "", "tls_append_default_CA": "no"}


def services(made):
    return {one["service"]: one for one in made["services"]}


def options(made, name):
    """Those of a transport, whose name the log has; one of a later stage does not rewrite mail again."""
    found = dict(services(made)[name]["options"])
    assert found.pop("syslog_name") == f"postfix/{name}"
    rewriting = [found.pop(each) for each in list(found) if each.endswith(("_checks", "_generic_maps"))]
    assert rewriting == [""] * (5 if "fallback" in name else 0)
    return found


def test_one_relay_is_relayhost_and_nothing_else():
    made = ways(fact(entry(way(A, 587), way(A, 2525))), [LOGIN])
    assert made["relayhost"] == f"[{A}]:587, [{A}]:2525"
    assert made["default_transport"] == "smtp"
    assert [row["next"] for row in made["policy"]] == [f"[{A}]:587", f"[{A}]:2525"]
    assert made["passwords"] == [{"next": f"[{A}]:587", "relay": 0}, {"next": f"[{A}]:2525", "relay": 0}]
    assert not made["services"] and not made["senders"] and not made["recipients"] and not made["tables"]


@pytest.mark.parametrize("word", ["none", "None"])
def test_a_relay_that_needs_no_login_is_given_none(word):
    made = ways(fact(entry(way(A, 587))), [{**LOGIN, "auth_mechanism": word}])
    assert made["passwords"] == []
    assert made["client"]["mechanism"] == ""


def test_without_failover_there_is_one_next_hop():
    made = ways(fact(entry(way(A, 587), way(A, 465))), [LOGIN], failover=False)
    assert (made["relayhost"], made["services"]) == (f"[{A}]:587", [])


def test_implicit_tls_alone_is_a_transport():
    made = ways(fact(entry(way(A, 465))), [SECURE])
    assert (made["relayhost"], made["default_transport"]) == ("", f"relay-implicit:[{A}]:465")
    assert (made["services"][0]["like"], made["services"][0]["command"]) == ("smtp", "smtp")
    assert options(made, "relay-implicit") == {
        "smtp_tls_wrappermode": "yes",
        "smtp_tls_security_level": "secure",
    }


def test_where_starttls_and_implicit_tls_are_mixed_a_listener_is_between_them():
    made = ways(fact(entry(way(A, 587), way(A, 2525), way(A, 465))), [LOGIN])
    assert made["relayhost"] == f"[{A}]:587, [{A}]:2525, [127.0.0.1]:10587"
    found = services(made)
    assert sorted(found) == ["127.0.0.1:10587", "relay-cleanup", "relay-fallback"]
    listener = found["127.0.0.1:10587"]["options"]
    assert (listener["message_size_limit"], listener["cleanup_service_name"]) == ("0", "relay-cleanup")
    assert found["relay-cleanup"]["options"] == {"message_size_limit": "0"}
    assert listener["content_filter"] == f"relay-fallback:[{A}]:465"
    assert listener["mynetworks"] == "127.0.0.0/8 [::1]/128"
    assert found["relay-fallback"]["options"]["smtp_tls_wrappermode"] == "yes"
    assert {row["next"]: row["level"] for row in made["policy"]} == {
        f"[{A}]:587": "secure",
        f"[{A}]:2525": "secure",
        f"[{A}]:465": "secure",
        "[127.0.0.1]:10587": "none",
    }
    assert [row["next"] for row in made["passwords"]] == [f"[{A}]:587", f"[{A}]:2525", f"[{A}]:465"]


def test_the_last_stage_has_every_next_hop_that_it_can():
    made = ways(
        fact(entry(way(A, 587), way(A, 465)), entry(way(B, 587, 1), way(B, 465, 1), relay=1)), [LOGIN, LOGIN]
    )
    stages = {name: one["options"].get("content_filter") for name, one in services(made).items()}
    assert made["relayhost"] == f"[{A}]:587, [127.0.0.1]:10589"
    assert stages["127.0.0.1:10589"] == f"relay-fallback:[{A}]:465,[127.0.0.1]:10588"
    assert stages["127.0.0.1:10588"] == f"relay-fallback2:[{B}]:587,[127.0.0.1]:10587"
    assert stages["127.0.0.1:10587"] == f"relay-fallback3:[{B}]:465,[{A}]:465"


def test_a_second_relay_of_another_company_has_its_own_login():
    made = ways(fact(entry(way(A, 587)), entry(way(B, 587, 1), relay=1)), [LOGIN, LOGIN])
    assert made["relayhost"] == f"[{A}]:587, [{B}]:587"
    assert made["passwords"] == [{"next": f"[{A}]:587", "relay": 0}, {"next": f"[{B}]:587", "relay": 1}]
    assert made["services"] == []


@pytest.mark.parametrize(
    "second, relay, own",
    [
        (way(B, 587, 1, lookup="native"), LOGIN, {"smtp_host_lookup": "native"}),
        (way(B, 587, 1, mechanism="CRAM-MD5"), LOGIN, {"smtp_sasl_mechanism_filter": "cram-md5"}),
        (way(B, 587, 1), {**LOGIN, "auth_mechanism": "login"}, {"smtp_sasl_mechanism_filter": "login"}),
        (way(B, 587, 1), {**LOGIN, "ca_path": "/ca.pem"}, CA),
        (way(B, 587, 1), {**SECURE, "security_level": "dane"}, {"smtp_dns_support_level": "dnssec"}),
    ],
)
def test_what_a_transport_has_for_all_its_next_hops_makes_a_stage(second, relay, own):
    made = ways(fact(entry(way(A, 587)), entry(second, relay=1)), [LOGIN, relay])
    assert made["relayhost"] == f"[{A}]:587, [127.0.0.1]:10587"
    assert options(made, "relay-fallback") == own


CERTIFICATE = {"client_cert": "/c.pem", "client_key": "/k.pem"}
SHOWN = {
    "smtp_tls_chain_files": "",
    "smtp_tls_eccert_file": "",
    "smtp_tls_cert_file": "/c.pem",
    "smtp_tls_key_file": "/k.pem",
}


def test_a_certificate_of_one_relay_is_shown_to_no_other():
    """It is an option of that relay's transports, wherever they are in a chain, and never in main.cf."""
    first = ways(
        fact(entry(way(A, 587), way(A, 465)), entry(way(B, 587, 1), relay=1)),
        [{**SECURE, **CERTIFICATE}, LOGIN],
    )
    assert first["default_transport"] == f"relay-1:[{A}]:587, [127.0.0.1]:10588"
    assert options(first, "relay-1") == SHOWN
    assert options(first, "relay-fallback") == {
        **SHOWN,
        "smtp_tls_wrappermode": "yes",
        "smtp_tls_security_level": "secure",
    }
    assert options(first, "relay-fallback2") == {}
    assert first["client"]["certificate"] == ("", "")
    second = ways(
        fact(entry(way(A, 587)), entry(way(B, 587, 1), relay=1)), [LOGIN, {**SECURE, **CERTIFICATE}]
    )
    assert second["relayhost"] == f"[{A}]:587, [127.0.0.1]:10587"
    assert options(second, "relay-fallback") == SHOWN


def test_a_certificate_of_the_relay_of_some_senders_whose_key_is_in_the_same_file():
    made = ways(
        fact(
            entry(way(A, 587)),
            entry(way(B, 587, 1), relay=1, senders=["@x.example"]),
            entry(relay=2, senders=["@y.example"], direct=True),
        ),
        [LOGIN, {**SECURE, "client_cert": "/c.pem"}, {}],
    )
    assert options(made, "relay-2") == {
        **SHOWN,
        "smtp_tls_key_file": "/c.pem",
        "smtp_sasl_auth_enable": "no",
    }
    assert not any(name.startswith("smtp_tls_cert") for name in options(made, "relay-direct"))


def test_two_certificates_at_one_next_hop_for_the_same_mail_are_refused():
    found = fact(entry(way(A, 587)), entry(way(A, 587, 1), relay=1))
    with pytest.raises(WaysError, match=r"different certificates.*Postfix has one certificate for each"):
        ways(found, [SECURE, {**SECURE, **CERTIFICATE}])


def test_the_first_relay_keeps_the_distribution_s_authorities_for_others():
    made = ways(
        fact(entry(way(A, 587)), entry(way(B, 587, 1), relay=1)), [{**LOGIN, "ca_path": "/ca.pem"}, LOGIN]
    )
    assert made["default_transport"] == f"relay-1:[{A}]:587, [127.0.0.1]:10587"
    assert options(made, "relay-1") == CA
    assert options(made, "relay-fallback") == {}
    assert made["client"]["ca_file"] == ""
    alone = ways(fact(entry(way(A, 587))), [{**LOGIN, "ca_path": "/ca.pem"}])
    assert (alone["client"]["ca_file"], alone["services"]) == ("/ca.pem", [])


@pytest.mark.parametrize(
    "entries, asked",
    [
        ([entry(way(A, 587))], True),
        ([entry(way(A, 465))], False),
        ([entry(way(A, 587)), entry(relay=1, senders=["@x.example"], direct=True)], False),
        ([entry(relay=0, senders=["@x.example"], direct=True)], False),
        # A row of transport_maps without a next hop is about the domain of the recipient.
        ([entry(relay=0, recipients=["@x.example"], direct=True)], True),
        ([entry(way(A, 587)), entry(way(B, 587, 1), relay=1, senders=["@x.example"])], True),
    ],
)
def test_whether_the_host_s_own_relays_of_senders_are_still_asked(entries, asked):
    assert ways(fact(*entries), [LOGIN] * len(entries))["sender_relayhosts"] is asked


def test_a_next_hop_that_is_kept_and_is_none_of_the_relays_gets_no_login_of_theirs():
    kept = {
        **way("old.example.com", 25),
        "relay": None,
        "decided_by": "keep",
        "alternatives": [],
        "routes": [],
    }
    with pytest.raises(
        WaysError, match=r"\[old\.example\.com\]:25, which is in use and stays, is none of them"
    ):
        ways(kept, [LOGIN])
    one_of_them = {**kept, "host": A, "relay": 0}
    assert ways(one_of_them, [LOGIN])["passwords"] == [{"next": f"[{A}]:25", "relay": 0}]


def test_some_senders_have_a_relay_of_their_own_and_some_none():
    made = ways(
        fact(
            entry(way(A, 2525)),
            entry(way(B, 587, 1), relay=1, senders=["@example.org"]),
            entry(relay=2, senders=["@direct.example"], direct=True),
        ),
        [LOGIN, LOGIN, {}],
    )
    assert (made["relayhost"], made["default_transport"]) == ("", f"smtp:[{A}]:2525")
    assert made["senders"] == [f"@example.org relay-2:[{B}]:587", "@direct.example relay-direct:"]
    # Its level of TLS is what the host has for mail that goes straight out.
    assert options(made, "relay-direct") == {"smtp_tls_wrappermode": "no", "smtp_sasl_auth_enable": "no"}
    assert made["direct"] and made["by_transport"]
    assert made["passwords"] == [{"next": f"[{A}]:2525", "relay": 0}]
    assert made["tables"] == [
        {"path": "mailops_sasl_passwd_relay-2", "rows": [{"next": f"[{B}]:587", "relay": 1}]}
    ]
    assert [row["next"] for row in made["policy"]] == [f"[{A}]:2525", f"[{B}]:587"]
    assert options(made, "relay-2") == {
        "smtp_sasl_auth_enable": "yes",
        "smtp_sasl_password_maps": "texthash:/etc/postfix/mailops_sasl_passwd_relay-2",
        "smtp_sasl_tls_security_options": "noanonymous",
    }


def test_two_accounts_at_one_relay():
    one, two = (
        entry(way(A, 587, place), relay=place, senders=[f"{name}@example.com"])
        for place, name in enumerate(("sales", "ops"))
    )
    made = ways(fact(one, two), [LOGIN, LOGIN])
    assert made["senders"] == [f"sales@example.com relay-1:[{A}]:587", f"ops@example.com relay-2:[{A}]:587"]
    assert [(table["path"][-7:], table["rows"][0]["relay"]) for table in made["tables"]] == [
        ("relay-1", 0),
        ("relay-2", 1),
    ]
    assert (made["relayhost"], made["default_transport"]) == ("", "smtp")


def test_recipients_and_a_relay_without_a_login():
    made = ways(
        fact(
            entry(way(A, 587)),
            entry(way(B, 25, 1), relay=1, recipients=["@partner.example", "a@other.example"]),
            entry(relay=2, recipients=["@straight.example"], direct=True),
        ),
        [LOGIN, SECURE, {}],
    )
    assert made["recipients"] == [
        f"partner.example relay-2:[{B}]:25",
        f"a@other.example relay-2:[{B}]:25",
        "straight.example relay-direct:",
    ]
    assert options(made, "relay-2") == {"smtp_sasl_auth_enable": "no"}


def test_the_same_sender_in_two_entries_has_both_relays():
    made = ways(
        fact(
            entry(way(A, 587), senders=["@x.example", "@y.example"]),
            entry(way(B, 587, 1), relay=1, senders=["@x.example"]),
        ),
        [LOGIN, LOGIN],
    )
    assert sorted(made["senders"]) == [
        f"@x.example relay-1-2:[{A}]:587, [{B}]:587",
        f"@y.example relay-1:[{A}]:587",
    ]


def test_a_relay_that_is_not_usable_has_no_rows():
    unusable = {"relay": 1, "senders": ["@x.example"]}
    made = ways(fact(entry(way(A, 587)), entry(required=False, **unusable)), [LOGIN, LOGIN])
    assert made["senders"] == []
    # Though the play has ignored the failure of the probe.
    with pytest.raises(WaysError, match=r"found through postfix_relays\[1\], so nothing is configured"):
        ways(fact(entry(way(A, 587)), entry(**unusable)), [LOGIN, LOGIN])


def test_a_host_that_speaks_ipv6_alone_and_one_that_sends_from_an_address():
    both = fact(entry(way(A, 587), way(A, 465)))
    made = ways({**both, "family": "ipv6", "source_addresses": ["192.0.2.7", "2001:db8::7"]}, [LOGIN])
    assert made["relayhost"].endswith("[::1]:10587")
    listener = services(made)["[::1]:10587"]["options"]
    assert listener["mynetworks"] == "127.0.0.0/8 [::1]/128 192.0.2.7/32 [2001:db8::7]/128"


def test_one_next_hop_cannot_have_two_levels():
    found = fact(entry(way(A, 587)), entry(way(A, 587, 1), relay=1, senders=["@x.example"]))
    with pytest.raises(WaysError, match=r"level of TLS secure in entry 1 .* and may in entry 2"):
        ways(found, [LOGIN, {"security_level": "may"}])


def test_without_a_probe_the_route_is_what_was_named():
    made = ways({"host": A, "port": 587, "tls": "starttls"}, [LOGIN])
    assert made["relayhost"] == f"[{A}]:587"


def test_a_login_that_the_relay_does_not_want_is_not_written():
    made = ways(fact(entry(way(A, 587))), [{**LOGIN, "auth_mechanism": "none"}])
    assert (made["passwords"], made["client"]["mechanism"]) == ([], "")


def test_relays_that_were_probed_in_place_of_the_one_that_is_named():
    made = ways(fact(entry(way(A, 587)), entry(way(B, 587, 1), relay=1)), [LOGIN])
    assert made["passwords"] == [{"next": f"[{A}]:587", "relay": 0}, {"next": f"[{B}]:587", "relay": 0}]


def test_a_route_that_was_kept_belongs_to_the_first_relay_of_everybody():
    kept = {**fact(entry(way(A, 587), senders=["@x.example"]), entry(way(B, 587, 1), relay=1)), "relay": None}
    made = ways(kept, [SECURE, LOGIN])
    assert made["passwords"] == [{"next": f"[{B}]:587", "relay": 1}]


def test_a_relay_without_a_login_or_given_by_address_makes_no_stage_of_its_own():
    first, second = way(A, 587, mechanism="PLAIN"), way("192.0.2.1", 587, 1, lookup=None)
    made = ways(fact(entry(first), entry(second, relay=1)), [LOGIN, SECURE])
    assert (made["relayhost"], made["services"]) == (f"[{A}]:587, [192.0.2.1]:587", [])


def test_implicit_tls_is_never_below_encrypt_and_not_for_dane():
    both = fact(entry(way(A, 587), way(A, 465)))
    made = ways(both, [{"security_level": "may"}])
    levels = {row["next"]: row["level"] for row in made["policy"]}
    assert (levels[f"[{A}]:587"], levels[f"[{A}]:465"]) == ("may", "encrypt")
    assert options(made, "relay-fallback")["smtp_tls_security_level"] == "encrypt"
    assert ways(both, [{"security_level": "dane"}])["relayhost"] == f"[{A}]:587"


def test_the_same_sender_past_every_relay_twice_is_one_row():
    past = {"senders": ["@x.example"], "direct": True}
    made = ways(fact(entry(way(A, 587)), entry(relay=1, **past), entry(relay=2, **past)), [LOGIN, {}, {}])
    assert made["senders"] == ["@x.example relay-direct:"]


def test_two_logins_at_one_next_hop_for_the_same_mail_are_refused():
    found = fact(entry(way(A, 587)), entry(way(A, 587, 1), relay=1))
    with pytest.raises(WaysError, match=r"different logins, in postfix_relays\[0\] and postfix_relays\[2\]"):
        named = [
            {**LOGIN, "name": "postfix_relays[0]"},
            {**LOGIN, "username": "v", "name": "postfix_relays[2]"},
        ]
        ways(found, named)
    assert ways(found, [LOGIN, LOGIN])["relayhost"] == f"[{A}]:587"


def test_without_a_route_nothing_is_configured():
    lost = {**way(None, None), "decided_by": "probe", "alternatives": [], "routes": [entry()]}
    with pytest.raises(
        WaysError, match="no route for mail was found for this host, so nothing is configured"
    ):
        ways(lost, [LOGIN])
    nothing = ways({}, [SECURE])
    assert (nothing["relayhost"], nothing["default_transport"], nothing["services"]) == ("", "smtp", [])
