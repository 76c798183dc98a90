"""Relays for everybody, for senders and for recipients, and the way from one to the next: stories of real deployments.

In each, the role is run by ansible-playbook, in check mode and twice; then mail is sent, and arrives by the right relay
and port with the right login, once.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from world import outside
from world.playbook import play

from routes.lab import CA_FILE, CERTIFICATE, KEY, Host, Lab, at_once, greetings, ways
from routes.servers import Servers

TO = "inbox@example.test"
SECONDS = 15
"""A message that nothing holds up has arrived by then."""


def relay(name: str, user: str = "ops", **more: Any) -> dict[str, Any]:
    login = {"username": user, "password": outside.USERS[user]}
    return {"host": f"{name}.{outside.DOMAIN}", **login, **more}


def partner(**more: Any) -> dict[str, Any]:
    """The relay of another company."""
    return relay("other", "partner", ca_file=CA_FILE, **more)


def hop(name: str, port: int) -> str:
    return f"[{name}.{outside.DOMAIN}]:{port}"


def arrives(
    lab: Lab, by: str | Callable[[Host], str], sender: str, *to: str, wait: float = SECONDS, body: str = ""
) -> float:
    """A message from this sender comes to the outside by this way, on every host, and once; how long it took."""
    began = time.monotonic()
    tokens = lab.send(sender, *(to or (TO,)), body=body)
    found = ways(tokens, wait)
    took = time.monotonic() - began
    for host, came in found.items():
        wanted = by if isinstance(by, str) else by(host)
        assert came == [wanted], f"{host}: from {sender} by {came}, not by {wanted}\n{host.log(tokens[host])}"
    return took


def test_senders_have_their_relays(lab: Lab) -> None:
    """Everybody's relay on 2525, a domain with another company on 587, and a domain without any relay."""
    variables = {
        "postfix_relays": [
            relay("plain", ports=[2525]),
            partner(ports=[587], senders=["@example.net"]),
            {"direct": True, "senders": ["@example.org"]},
        ]
    }
    lab.deploy(variables)
    lab.verify(variables)
    arrives(lab, "ops@plain:2525", "ops@example.test")
    arrives(lab, "ops@plain:2525", "")
    arrives(lab, "partner@other:587", "somebody@example.net")
    arrives(lab, "mx:25", "somebody@example.org")
    for host in lab.hosts:
        assert host.keys("smtp_sasl_password_maps") == [hop("other", 587), hop("plain", 2525)], host
        policies = [key for key in host.keys("smtp_tls_policy_maps") if "127.0.0.1" not in key]
        assert policies == [hop("other", 587), hop("plain", 2525)], host
        assert host.keys("sender_dependent_default_transport_maps") == ["@example.net", "@example.org"], host


# What is broken on purpose after the deployment, and what role verify says: what is wrong, and what to do.
BROKEN = (
    (
        "sed -i /@example.net/d /etc/postfix/mailops_sender_transport",
        (
            "mail from @example.net should leave by other.relay.test",
            "has no row for it",
            "mailops.smtp.deploy",
        ),
    ),
    (
        "echo '* smtp:[mx.relay.test]:25' >/etc/postfix/own;"
        "echo 'transport_maps = texthash:/etc/postfix/own' >>/etc/postfix/main.cf",
        ("texthash:/etc/postfix/own (transport_maps) has a row for every recipient", "take that row out"),
    ),
    (
        "echo 'relayhost = [plain.relay.test]:2525' >>/etc/postfix/main.cf",
        ("mail from @example.org should go past every relay (postfix_relays[2])", "mailops.smtp.deploy"),
    ),
    (
        "sed -i /other/d /etc/postfix/tls_policy",
        ("the TLS level towards [other.relay.test]:587 should be secure (postfix_relays[1].tls",),
    ),
    (
        "sed -i 's/^\\[other.relay.test\\]/other.relay.test/' /etc/postfix/mailops_sasl_passwd_relay-2",
        ("should log in at [other.relay.test]:587 (postfix_relays[1].username)", "byte for byte"),
    ),
)


def test_verify_names_what_is_broken_of_a_relay(lab: Lab) -> None:
    """By its own run, without what preflight found."""
    variables = {
        "postfix_relays": [
            relay("plain", ports=[2525]),
            partner(ports=[587], senders=["@example.net"], recipients=["someone@example.net"]),
            {"direct": True, "senders": ["@example.org"]},
        ],
    }
    for host, run in lab.play(variables).items():
        assert run.ok, f"{host}: {run.said or run.output}"
    at_once(lab.hosts, lambda host: host.machine.run("rm -rf /root/green; cp -a /etc/postfix /root/green"))
    given = {host.machine: {**variables, "verify_select": ["relays"]} for host in lab.hosts}
    for machine, run in play("verify", given).items():
        assert run.ok, f"{machine.release}: {run.said or run.output}"
    for do, words in BROKEN:
        at_once(lab.hosts, lambda host, do=do: host.machine.run(do))  # type: ignore[misc]
        for machine, run in play("verify", given).items():
            said = " ".join(run.output.split())
            assert run.counts.get("failed"), f"{machine.release}: {do}\n{run.output}"
            assert not [word for word in words if word not in said], f"{machine.release}: {do}\n{said}"
            assert outside.USERS["partner"] not in run.output, machine.release
        at_once(
            lab.hosts, lambda host: host.machine.run("rm -rf /etc/postfix; cp -a /root/green /etc/postfix")
        )


def _add(lab: Lab, main: str, **files: str) -> None:
    """What a host has of its own beside what its package brought."""
    for host in lab.hosts:
        for name, content in files.items():
            host.machine.write(f"/etc/postfix/{name}", content)
        host.machine.run(
            f"postconf -e {main} 'mynetworks=127.0.0.0/8 192.0.2.0/24'; systemctl reload postfix"
        )


def test_relays_that_the_host_has_for_senders(lab: Lab) -> None:
    """Postfix asks for them where a transport has no next hop, so mail that is to go straight out would not."""
    variables = {
        "postfix_relays": [relay("plain", ports=[2525]), {"direct": True, "senders": ["@example.org"]}]
    }
    own = {"own_relays": f"somebody@example.org {hop('other', 587)}\n"}
    _add(lab, "sender_dependent_relayhost_maps=texthash:/etc/postfix/own_relays", **own)
    for host, said in lab.refused(variables).items():
        assert "sender_dependent_relayhost_maps no longer reads texthash:/etc/postfix/own_relays" in said, (
            host
        )
    lab.deploy({**variables, "postfix_parameters": {"sender_dependent_relayhost_maps": ""}})
    arrives(lab, "mx:25", "somebody@example.org")
    arrives(lab, "ops@plain:2525", "ops@example.test")


def test_domains_that_the_host_relays_for(lab: Lab) -> None:
    """They go by the relay whatever its port is, as they do by relayhost."""
    _add(lab, "relay_domains=example.com")
    for port in (587, 465):
        lab.deploy({"postfix_relays": [relay("plain", ports=[port])]})
        arrives(lab, f"ops@plain:{port}", "ops@example.test", "somebody@example.com")


def test_two_accounts_at_one_relay(lab: Lab) -> None:
    """Same host and port, another login for one sender: no connection or session is shared between them."""
    alerts = relay("plain", "colon", ports=[587], senders=["alerts@example.com"])
    lab.deploy({"postfix_relays": [relay("plain", ports=[587]), alerts]})
    for _again in range(2):
        arrives(lab, "ops@plain:587", "ops@example.com")
        arrives(lab, "colon@plain:587", "alerts@example.com")


def test_a_certificate_for_one_relay_and_a_login_for_the_other(lab: Lab) -> None:
    """Both relays ask for a certificate: one insists on it and knows the host by it, the other never sees it."""
    certified = {"host": f"certified.{outside.DOMAIN}", "ports": [587, 465]}
    shown = {**certified, "cert_file": CERTIFICATE, "key_file": KEY}
    curious = relay("curious", ports=[587])
    for host, said in lab.refused(
        {"postfix_relays": [curious, {**certified, "senders": ["@example.net"]}]}
    ).items():
        assert "Set postfix_relays[1].cert_file (and postfix_relays[1].key_file)" in said, f"{host}: {said}"

    without = greetings(lab.far, "certified")["Anonymous"]
    variables = {"postfix_relays": [curious, {**shown, "senders": ["@example.net"]}]}
    lab.deploy(variables)
    lab.verify(variables)
    arrives(lab, "ops@curious:587", "ops@example.test")
    arrives(lab, "certified:587", "somebody@example.net")
    lab.cut("certified:587", how="reject with tcp reset")
    arrives(lab, "certified:465", "somebody@example.net")

    # One after the other, both for everybody.
    lab.cut()
    lab.reset()
    lab.deploy({"postfix_relays": [shown, curious]})
    lab.verify({"postfix_relays": [shown, curious]})
    arrives(lab, "certified:587", "ops@example.test")
    lab.cut("certified", how="reject with tcp reset")
    arrives(lab, "ops@curious:587", "ops@example.test")

    assert set(greetings(lab.far, "curious")) == {"Anonymous"}
    seen = greetings(lab.far, "certified")
    assert seen.pop("Anonymous") == without and set(seen) == {"Trusted"}, seen


def test_no_header_takes_a_password_to_a_server_that_nobody_verified(lab: Lab) -> None:
    """TLS-Required: no (RFC 8689), which Postfix 3.10 and later follow, lowers the level of a message to "may"."""
    lab.deploy({"postfix_relays": [relay("plain", ports=[587])]})
    for host in lab.hosts:
        # From now on the relay is not the one that its certificate has to name.
        host.machine.run("postconf -e smtp_tls_secure_cert_match=another.example.com && postfix reload")
    tokens = lab.send("ops@example.test", TO, header="TLS-Required: no")
    refused = "Server certificate not verified"
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and any(refused not in host.queue() for host in lab.hosts):
        time.sleep(0.25)
    for host, token in tokens.items():
        assert refused in host.queue(), f"{host}\n{host.log(token)}"
        assert not host.arrived(token), host


def test_recipients_have_their_relays(lab: Lab) -> None:
    lab.deploy(
        {
            "postfix_relays": [
                relay("plain", ports=[587]),
                partner(ports=[587], recipients=["@example.net"]),
                {"direct": True, "recipients": ["@example.com"]},
            ]
        }
    )
    answers = {
        "mailops_transport": {"example.net": f"relay-2:{hop('other', 587)}", "example.com": "relay-direct:"},
        "tls_policy": {
            hop("other", 587): "secure servername=hostname protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1"
        },
    }
    for host in lab.hosts:
        for table, rows in answers.items():
            for key, value in rows.items():
                said = host.machine.run(f"postmap -q '{key}' texthash:/etc/postfix/{table}").stdout.strip()
                assert said == value, f"{host}: {key} in {table}"
    arrives(lab, "ops@plain:587", "ops@example.test")
    arrives(lab, "partner@other:587", "ops@example.test", "somebody@example.net")
    arrives(lab, "mx:25", "ops@example.test", "somebody@example.com")
    # One message to all three is three deliveries.
    tokens = lab.send("ops@example.test", TO, "one@example.net", "two@example.com")
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and any(len(host.arrived(token)) < 3 for host, token in tokens.items()):
        time.sleep(0.25)
    for host, token in tokens.items():
        came = {arrival.way: arrival.to for arrival in host.arrived(token)}
        wanted = {
            "ops@plain:587": (TO,),
            "partner@other:587": ("one@example.net",),
            "mx:25": ("two@example.com",),
        }
        assert came == wanted, host


CONNECT = 3
"""Seconds that Postfix waits for a connection here; its default is 30."""
FAILOVER = (
    # what is cut off, how, and the way that is left
    ((), "drop", "ops@plain:587"),
    (("plain:587",), "drop", "ops@plain:2525"),
    (("plain:587",), "reject with tcp reset", "ops@plain:2525"),
    (("plain:587", "plain:2525"), "drop", "ops@plain:465"),
    (("plain",), "drop", "partner@other:587"),
    (("plain",), "reject", "partner@other:587"),
    (("plain", "other:587"), "drop", "partner@other:465"),
    ((), "drop", "ops@plain:587"),
)


def test_failover_without_another_run(lab: Lab) -> None:
    """STARTTLS, implicit TLS and a relay of another company follow each other, each with its own login and policy."""
    variables = {
        "postfix_relays": [relay("plain", ports=[587, 2525, 465]), partner(ports=[587, 465])],
        "postfix_parameters": {"smtp_connect_timeout": f"{CONNECT}s"},
    }
    lab.deploy(variables)
    lab.verify(variables)
    for cut, how, by in FAILOVER:
        lab.cut(*cut, how=how)
        took = arrives(lab, by, "ops@example.test", wait=SECONDS + 5 * CONNECT)
        print(f"{took:6.1f} s  {by:20} with {' '.join(cut) or 'nothing'} cut off ({how})", flush=True)
    # Nothing can be sent: it waits, and leaves once when the network is back.
    lab.cut("plain", "other", how="reject with tcp reset")
    tokens = lab.send("ops@example.test", TO)
    time.sleep(3)
    for host, token in tokens.items():
        assert not host.arrived(token), host
        assert TO in host.queue(), host
    lab.cut()
    at_once(lab.hosts, lambda host: host.machine.run("postqueue -f"))
    for host, came in ways(tokens, SECONDS).items():
        assert len(came) == 1, f"{host}: {came}"
        assert "empty" in host.queue(), host


def test_failover_from_implicit_tls(lab: Lab) -> None:
    """The other order: implicit TLS first, then STARTTLS, then another company."""
    lab.deploy({"postfix_relays": [relay("plain", ports=[465, 587]), partner(ports=[587])]})
    arrives(lab, "ops@plain:465", "ops@example.test")
    lab.cut("plain:465", how="reject with tcp reset")
    arrives(lab, "ops@plain:587", "ops@example.test")
    lab.cut("plain", how="reject with tcp reset")
    arrives(lab, "partner@other:587", "ops@example.test")
    lab.cut()
    arrives(lab, "ops@plain:465", "ops@example.test")


def test_a_later_stage_takes_mail_as_it_is(lab: Lab) -> None:
    """What the first relay's port would have been given leaves by the next one too: the same sender, and the same size."""
    chained = {"a@example.test": "b@example.test", "b@example.test": "c@example.test"}
    lab.deploy(
        {
            "postfix_relays": [relay("plain", ports=[587, 465])],
            "postfix_generic": chained,
            "postfix_parameters": {"message_size_limit": "100000"},
        }
    )
    # Its queue file is just below the limit.
    body = ("y" * 949 + "\n") * 103 + "z" * 900 + "\n"
    arrives(lab, "ops@plain:587", "a@example.test", body=body)
    senders = {}
    for cut in ((), ("plain:587",)):
        lab.cut(*cut, how="reject with tcp reset")
        tokens = lab.send("a@example.test", TO)
        ways(tokens, SECONDS)
        for host, token in tokens.items():
            senders[str(host), cut] = [each.sender for each in host.arrived(token)]
    assert set(map(tuple, senders.values())) == {("b@example.test",)}, senders
    arrives(lab, "ops@plain:465", "a@example.test", body=body)


def test_a_relay_that_takes_one_sender(lab: Lab) -> None:
    """It refuses what this host sends as root, which is seen before anything changes; with postfix_generic it takes it."""
    # The relay says so only when it is told a recipient.
    relays = {"postfix_relays": [relay("verified", ports=[587])], "postfix_test_recipient": TO}
    for host, said in lab.refused(relays).items():
        assert "sender_rejected" in said, f"{host}: {said}"
    lab.deploy({**relays, "postfix_generic": {"root": outside.SENDER}})
    tokens = at_once(lab.hosts, lambda host: host.send(f"root@{host.machine.name}", TO))
    ways(tokens, SECONDS)
    for host, token in tokens.items():
        assert [(each.way, each.sender) for each in host.arrived(token)] == [
            ("ops@verified:587", outside.SENDER)
        ], host


def test_one_of_the_relays_is_dead(lab: Lab) -> None:
    """Required, as every relay is by default, it stops the host before anything changes; else it is a warning."""
    dead = {"host": f"moved.{outside.DOMAIN}", "ports": [587], "senders": ["@example.net"]}
    for host, said in lab.refused({"postfix_relays": [relay("plain", ports=[587]), dead]}).items():
        assert f"587 on {dead['host']} is refused" in said, f"{host}: {said}"
        assert "mail from @example.net" in said, f"{host}: {said}"
        assert "required: false" in said, f"{host}: {said}"
    runs = lab.deploy({"postfix_relays": [relay("plain", ports=[587]), {**dead, "required": False}]})
    for host, run in runs.items():
        assert "WARNING" in run.output, host
        assert dead["host"] in run.output, host
    arrives(lab, "ops@plain:587", "ops@example.test")


def test_relays_of_other_products_and_mechanisms(lab: Lab) -> None:
    """Exim and OpenSMTPD, and a relay that offers nothing but CRAM-MD5: all in one deployment."""
    servers = Servers(lab.far)
    try:
        lab.deploy(
            {
                "postfix_relays": [
                    relay("plain", ports=[587]),
                    relay("cram", ports=[587], senders=["cram@example.net"]),
                    relay("exim", ports=[587], senders=["exim@example.net"]),
                    relay("opensmtpd", ports=[587], senders=["opensmtpd@example.net"]),
                ]
            }
        )
        arrives(lab, "ops@cram:587", "cram@example.net")
        arrives(lab, "ops@plain:587", "ops@example.net")
        # These pass it on to the mx, and their own logs tell of the login.
        for product in ("exim", "opensmtpd"):
            arrives(lab, "mx:25", f"{product}@example.net")
            for host in lab.hosts:
                assert servers.took(product, host.address), f"{host}: {product}\n{servers.log()}"
    finally:
        servers.destroy()


def test_a_relay_that_offers_nothing_but_scram(lab: Lab) -> None:
    """Debian 11 has it in a package of its own, which the role asks for; a host of the lab has no network to get it by."""
    variables = {"postfix_relays": [relay("scram-256", ports=[587])]}
    before = at_once(lab.hosts, Host.snapshot)
    for host, run in lab.play(variables).items():
        if host.machine.release == "bullseye":
            assert "libsasl2-modules-gssapi-mit" in run.output, f"{host}: {run.output}"
            assert run.counts.get("failed") and host.snapshot() == before[host], host
            continue
        assert run.ok, f"{host}: {run.said or run.output}"
        token = host.send("scram@example.net", TO)
        assert ways({host: token}, SECONDS) == {host: ["ops@scram-256:587"]}, host.log(token)


def test_access_tokens_without_their_plugin(lab: Lab) -> None:
    """Debian has no package with it: the host is refused before anything changes, also where nothing is probed."""
    tokens = {
        f"postfix_relay_oauth_{name}": "abc" for name in ("client_id", "client_secret", "refresh_token")
    }
    variables = {
        "postfix_preflight": False,
        "postfix_relay_host": f"plain.{outside.DOMAIN}:587",
        "postfix_relay_username": "ops",
        "postfix_relay_auth": "xoauth2",
        "postfix_relay_oauth_endpoint": "https://tokens.example.com/token",
        **tokens,
    }
    account = {
        "host": f"plain.{outside.DOMAIN}:587",
        "username": "ops",
        "auth": "xoauth2",
        "oauth_refresh_token": "abc",
        "senders": ["@tokens.example"],
    }
    application = {
        name: value for name, value in variables.items() if "oauth" in name and "refresh" not in name
    }
    several = {
        **application,
        "postfix_preflight": False,
        "postfix_relays": [account, {"host": f"plain.{outside.DOMAIN}:587"}],
    }
    for host, said in [*lab.refused(variables).items(), *lab.refused(several).items()]:
        assert "sasl-xoauth2" in said, f"{host}: {said}"
        directories = "/var/lib/postfix-tokens /var/spool/postfix/var/lib/postfix-tokens"
        assert not host.machine.run(f"ls -d {directories} 2>/dev/null; true").stdout, host
