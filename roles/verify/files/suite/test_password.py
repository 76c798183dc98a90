"""The password for the relay is there for each next hop, and nobody but root can read it.

No command here carries the password or prints it: what must be compared is compared on the host.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from mailserver import NextHop, Postfix, words

# Takes the passwords from the maps (user:password, where one is so short that it would turn up by chance),
# looks for them in the directory and in copies beside it, and prints owner, mode and name of the files only.
SEARCH = r"""
umask 077
for table in "$@"; do
    sed -n 's/^[^#[:space:]][^[:space:]]*[[:space:]]\{1,\}//p' "$table" 2>/dev/null
done | awk '{ p = substr($0, index($0, ":") + 1); print (length(p) < 8 ? $0 : p) }' |
grep -rlF -f - -- "$DIRECTORY"* "$@" 2>/dev/null | sort -u | while read -r file; do stat -c '%U %a %n' "$file"; done
"""

# Beginnings of the file names of Cyrus SASL's plugins, where they are not "lib" and the mechanism's name.
PLUGINS = {
    "CRAM-MD5": "libcrammd5.",
    "DIGEST-MD5": "libdigestmd5.",
    "NTLM": "libntlm.",
    "SCRAM-SHA-1": "libscram.",
    "SCRAM-SHA-256": "libscram.",
    "XOAUTH2": "xoauth2.",
}


@pytest.fixture(scope="module", autouse=True)
def login(postfix: Postfix, next_hop: NextHop) -> None:
    if postfix["smtp_sasl_auth_enable"] != "yes":
        pytest.skip("Postfix does not log in at the relay (smtp_sasl_auth_enable = no)")


def test_password_is_there_for_each_next_hop(host: Any, expect: dict[str, Any], postfix: Postfix) -> None:
    tables = words(postfix["smtp_sasl_password_maps"])
    # Of several relays one may know this host by its address or its certificate.
    without = [one["host"] for one in expect.get("relays") or () if not one["login"]]
    missing = [
        hop.key
        for hop in postfix.relay_hops
        if hop.host.lower() not in without
        and not any(host.run("postmap -q %s %s >/dev/null", hop.key, table).succeeded for table in tables)
    ]
    assert not missing, (
        f"smtp_sasl_password_maps has no entry for {', '.join(missing)}, so Postfix would not log in there: "
        "the key must repeat the next hop byte for byte, and no key may be there twice."
    )


def test_password_map_is_private(host: Any, postfix: Postfix) -> None:
    assert "hidden" not in postfix["smtp_sasl_password_maps"], (
        "smtp_sasl_password_maps holds the password in main.cf, which everyone may read: "
        "move it to a file of its own, of mode 0600."
    )
    for path in postfix.password_files:
        file = host.file(path)
        assert (file.user, file.mode & 0o077) == ("root", 0), (
            f"{path} holds a password and should be root's with mode 0600, but it is {file.user}'s with "
            f"{file.mode:04o}: run mailops.smtp.deploy, and change the password."
        )


def test_password_is_in_no_other_file(host: Any, postfix: Postfix) -> None:
    directory, tables = postfix["config_directory"], postfix.password_files
    script = f"DIRECTORY={directory}\n{SEARCH}"
    found = host.run("sh -c %s sh" + " %s" * len(tables), script, *tables).stdout.splitlines()
    readable = [
        line for line in found if not (line.startswith("root ") and line.split()[1] in ("600", "400"))
    ]
    assert not readable, (
        f"no one but root should read the password, but it is also in {'; '.join(readable)} "
        "(owner, mode, file): remove it there, and change the password."
    )
    names = [line.split(None, 2)[2] for line in found]
    lost = [path for path in tables if path not in names and host.file(path).exists]
    assert not lost, (
        f"the search for the password below {directory} did not even find {', '.join(lost)}: "
        "see whether root may read it, and whether a row of it has a login."
    )


def test_login_mechanism_is_installed(host: Any, expect: dict[str, Any], postfix: Postfix) -> None:
    listing = host.run("ls /usr/lib/sasl2 /usr/lib64/sasl2 /usr/lib/*/sasl2 2>/dev/null").stdout
    wanted = mechanisms(expect.get("relay_mechanism") or "", postfix["smtp_sasl_mechanism_filter"])
    assert any(PLUGINS.get(name, f"lib{name.lower()}.") in listing for name in wanted), (
        f"a SASL plugin for {' or '.join(wanted)} should be installed, but none is, so every login fails with 'no "
        "mechanism available': install libsasl2-modules (Debian) or cyrus-sasl-plain."
    )


def test_login_mechanism_may_be_used(expect: dict[str, Any], postfix: Postfix) -> None:
    proven, allowed = (expect.get("relay_mechanism") or "").upper(), postfix["smtp_sasl_mechanism_filter"]
    names = [name.upper() for name in words(allowed)]
    assert not proven or not names or proven in names or any(is_table(name) for name in names), (
        f"the relay lets Postfix log in by {proven}, but smtp_sasl_mechanism_filter = {allowed} does not allow "
        "that: run mailops.smtp.deploy."
    )


def mechanisms(proven: str, allowed: str) -> list[str]:
    """The mechanisms by which this host is to log in: the route's, else those allowed, else the usual two."""
    names = [name.upper() for name in words(allowed) if not name.startswith("!") and not is_table(name)]
    return [proven.upper()] if proven else names or ["PLAIN", "LOGIN"]


def is_table(name: str) -> bool:
    return ":" in name or "/" in name
