"""Postfix is installed, runs, and is configured for the route that this host is to use."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import judgements
from causes import REMARK, explain
from mailserver import NextHop, Postfix, words

IMPLICIT = (465, 2465, 8465)
ENCRYPTING_LEVELS = ("encrypt", "dane-only", "fingerprint", "verify", "secure")


def test_nothing_is_set_again_behind_the_block(seen: dict[str, Any]) -> None:
    """First, for most of what else fails then follows from it."""
    faults = judgements.set_again(seen)
    assert not faults, f"{'; '.join(faults)}."


def test_package_is_installed(host: Any, postfix: Postfix) -> None:
    assert host.package("postfix").is_installed, (
        "there is a Postfix here, but no package postfix: remove it and run mailops.smtp.deploy."
    )


def test_service_is_running(host: Any, postfix: Postfix) -> None:
    unit = "postfix"
    # Debian up to 12: postfix.service does nothing itself, it stands for the instances behind it.
    if "/bin/true" in host.run("systemctl cat postfix 2>/dev/null").stdout:
        unit = "postfix@-"
    assert host.service(unit).is_running, (
        f"the service {unit} should run, but does not {cause_of_end(postfix.seen['fatal'])}."
    )
    assert postfix.seen["master"], (
        f"the service {unit} should run, but there is no master process of Postfix "
        f"{cause_of_end(postfix.seen['fatal'])}."
    )


def cause_of_end(fatal: str) -> str:
    """Why Postfix does not run, by its last words."""
    if "Address already in use" in fatal:
        return f"({fatal}): another program holds the port; see 'ss -ltnp', stop it, then start postfix"
    cause = explain(fatal)
    remedy = (
        f" {cause.why}: {cause.remedy}, then start postfix" if cause.name != "unknown" else " start postfix"
    )
    return f"({fatal}):{remedy}" if fatal else "(it says nothing in the mail log): start postfix"


def test_service_starts_at_boot(host: Any, postfix: Postfix) -> None:
    assert host.service("postfix").is_enabled, (
        "the service postfix should start at boot, but is not enabled: run mailops.smtp.deploy."
    )


def test_configuration_is_valid(host: Any, postfix: Postfix, record_property: Any) -> None:
    """Postfix's own complaints, from the tools that only read: 'postfix check' copies files into the chroot."""
    said = host.run("postconf -n 2>&1 >/dev/null; postconf -M 2>&1 >/dev/null").stdout.splitlines()
    told = dict.fromkeys(line.partition(": ")[2].strip() or line for line in said if line.strip())
    complaints = [line for line in told if not REMARK.search(line)]
    remarks = [line for line in told if REMARK.search(line)]
    if remarks:
        record_property("remarks", "; ".join(remarks))
    assert not complaints, (
        f"Postfix should find no fault with its configuration, but it says: {'; '.join(complaints)}."
    )


def test_relay_is_the_route(expect: dict[str, Any], next_hop: NextHop) -> None:
    name = expect.get("relay_host") or next_hop.host
    port = int(expect.get("relay_port") or 0)
    assert next_hop.host.lower() == name.lower() and port in (0, next_hop.port), (
        f"mail should go to {name}{f' port {port}' if port else ''}, but Postfix hands it to {next_hop.host} port "
        f"{next_hop.port} (relayhost, default_transport): run mailops.smtp.deploy."
    )


def test_tls_mode_fits_the_port(expect: dict[str, Any], postfix: Postfix, next_hop: NextHop) -> None:
    for hop in postfix.next_hops:
        expected = expect.get("relay_mode") if hop == next_hop else None
        implicit = expected == "implicit" if expected else hop.port in IMPLICIT
        needed, found = ("yes" if mode else "no" for mode in (implicit, postfix.implicit_tls(hop)))
        assert found == needed, (
            f"port {hop.port} of {hop.host} needs smtp_tls_wrappermode = {needed}, but the transport "
            f"{hop.transport} has {found}, so every delivery fails: run mailops.smtp.deploy."
        )


def test_tls_level_towards_the_relay(expect: dict[str, Any], postfix: Postfix, next_hop: NextHop) -> None:
    for hop in postfix.relay_hops:
        level = postfix.tls_level(hop)
        expected = expect.get("relay_tls") or level
        assert level == expected, (
            f"the TLS level towards {hop.key} should be {expected}, but it is {level}: "
            "look at smtp_tls_policy_maps and smtp_tls_security_level."
        )
        assert level in ENCRYPTING_LEVELS or postfix["smtp_sasl_auth_enable"] != "yes", (
            f"Postfix logs in at {hop.key}, but at TLS level {level} the password may travel in the clear: "
            "set postfix_relay_tls to secure."
        )


def test_tls_policy_names_each_next_hop(
    host: Any, expect: dict[str, Any], postfix: Postfix, next_hop: NextHop
) -> None:
    """Where the level is expected, for then the policy is the role's; other hosts may have one for other hops."""
    tables = words(postfix["smtp_tls_policy_maps"])
    missing = [
        hop.key
        for hop in postfix.next_hops
        if tables
        and expect.get("relay_tls")
        and not any(host.run("postmap -q %s %s", hop.key, table).succeeded for table in tables)
    ]
    assert not missing, (
        f"{', '.join(tables)} should have an entry for {', '.join(missing)}, but has none: "
        "the key must repeat the next hop byte for byte."
    )


def test_ca_certificates_are_there(
    host: Any, expect: dict[str, Any], postfix: Postfix, next_hop: NextHop
) -> None:
    file = postfix["smtp_tls_CAfile"]
    expected = expect.get("relay_ca_file") or file
    assert file == expected, (
        f"smtp_tls_CAfile should be {expected}, but it is {file or 'empty'}: run mailops.smtp.deploy."
    )
    if postfix.tls_level(next_hop) in ("secure", "verify"):
        assert file or postfix["smtp_tls_CApath"] or postfix["tls_append_default_CA"] == "yes", (
            f"the certificate of {next_hop.key} should verify, but without smtp_tls_CAfile or "
            "smtp_tls_CApath none does: set postfix_relay_ca_file."
        )
    assert not file or (host.file(file).exists and host.file(file).size > 0), (
        f"{file} should hold the CA certificates (smtp_tls_CAfile), but it is missing or empty: "
        "install the package ca-certificates."
    )
