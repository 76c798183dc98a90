# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Postfix is installed, runs, and is configured for the route that this host is to use."""

from __future__ import annotations

from typing import Any

from mailserver import NextHop, Postfix, words

IMPLICIT = (465, 2465, 8465)
ENCRYPTING_LEVELS = ("encrypt", "dane-only", "fingerprint", "verify", "secure")
# Debian links this file out of the directory, and Postfix's own check complains about it on every such host.
HARMLESS = "symlink leaves directory: /etc/postfix/./makedefs.out"


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
        f"the service {unit} should run, but does not: see 'systemctl status {unit}', then start postfix."
    )
    assert host.run("postfix status 2>/dev/null").succeeded, (
        f"the service {unit} should run, but 'postfix status' finds no master process: restart postfix."
    )


def test_service_starts_at_boot(host: Any, postfix: Postfix) -> None:
    assert host.service("postfix").is_enabled, (
        "the service postfix should start at boot, but is not enabled: run mailops.smtp.deploy."
    )


def test_configuration_is_valid(host: Any, postfix: Postfix) -> None:
    said = host.run("postconf -n 2>&1 >/dev/null; postconf -M 2>&1 >/dev/null").stdout.splitlines()
    # Without a terminal 'postfix check' tells its complaints to the log alone.
    on_terminal = "import pty, sys; sys.exit(pty.spawn(['postfix', 'check']) >> 8)"
    python = "$(command -v python3 || command -v /usr/libexec/platform-python)"
    check = host.run(f"{python} -c %s", on_terminal)
    said += [line for line in check.stdout.splitlines() if line.strip() and HARMLESS not in line]
    complaints = dict.fromkeys(line.partition(": ")[2].strip() or line for line in said)
    assert check.succeeded and not complaints, (
        f"Postfix should find no fault with its configuration, but it says: {'; '.join(complaints)}."
    )


def test_relay_is_the_route(expect: dict[str, Any], next_hop: NextHop) -> None:
    name = expect.get("relay_host") or next_hop.host
    port = int(expect.get("relay_port") or 0) or next_hop.port
    assert (next_hop.host.lower(), next_hop.port) == (name.lower(), port), (
        f"mail should go to {name} port {port}, but Postfix hands it to {next_hop.host} port {next_hop.port} "
        "(relayhost, default_transport): run mailops.smtp.deploy."
    )


def test_tls_mode_fits_the_port(expect: dict[str, Any], postfix: Postfix, next_hop: NextHop) -> None:
    for hop in postfix.next_hops:
        implicit = expect["relay_mode"] == "implicit" if expect.get("relay_mode") else hop.port in IMPLICIT
        needed, found = ("yes" if mode else "no" for mode in (implicit, postfix.implicit_tls(hop)))
        assert found == needed, (
            f"port {hop.port} of {hop.host} needs smtp_tls_wrappermode = {needed}, but the transport "
            f"{hop.transport} has {found}, so every delivery fails: run mailops.smtp.deploy."
        )


def test_tls_level_towards_the_relay(expect: dict[str, Any], postfix: Postfix, next_hop: NextHop) -> None:
    for hop in postfix.next_hops:
        level = postfix.tls_level(hop)
        expected = expect.get("relay_tls") or level
        assert level == expected, (
            f"the TLS level towards {hop.key} should be {expected}, but it is {level}: "
            "look at smtp_tls_policy_maps and smtp_tls_security_level."
        )
        assert level in ENCRYPTING_LEVELS or postfix["smtp_sasl_auth_enable"] != "yes", (
            f"Postfix logs in at {hop.key}, but at TLS level {level} the password may travel in clear: "
            "set postfix_relay_tls to secure."
        )


def test_tls_policy_names_each_next_hop(host: Any, postfix: Postfix, next_hop: NextHop) -> None:
    tables = words(postfix["smtp_tls_policy_maps"])
    missing = [
        hop.key
        for hop in postfix.next_hops
        if tables and not any(host.run("postmap -q %s %s", hop.key, table).succeeded for table in tables)
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
