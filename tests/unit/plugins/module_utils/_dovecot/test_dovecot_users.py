"""Which logins and hashes a passwd-file of Dovecot may hold, and that no sentence shows a hash."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._dovecot import users

SHA512 = "$6$abcdefgh$" + "x" * 86
SHA256 = "$5$abcdefgh$" + "x" * 43
BLOWFISH = "$2y$05$" + "x" * 53
ARGON = "$argon2id$v=19$m=65536,t=3,p=1$iupwuIsJYMRMFmd0BUS9RA$8X0m+Xzf6Zx/7g/tapkra+DAFEBmHPNIQvyVfebcGQc"
YES = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$" + "x" * 43

GOOD = {
    f"{{SHA512-CRYPT}}{SHA512}": f"{{SHA512-CRYPT}}{SHA512}",
    f"{{sha512-crypt}}{SHA512}": f"{{SHA512-CRYPT}}{SHA512}",
    "{SHA512-CRYPT}$6$rounds=656000$abcdefgh$" + "x" * 86: "",
    f"{{SHA256-CRYPT}}{SHA256}": "",
    f"{{BLF-CRYPT}}{BLOWFISH}": "",
    f"{{ARGON2ID}}{ARGON}": "",
    f"{{ARGON2I}}{ARGON.replace('argon2id', 'argon2i')}": "",
    "{SCRAM-SHA-256}4096,J3t1m64YkMzgo6DmoKeuWA==,3oCV6sFnXyR0cpw5wDys+fTO0Z1QPRLIPH4BH4aubBs=,iy61OsDe5ukm=": "",
    "{PBKDF2}$1$4e75jBwvsMa1ODsH$5000$f208d9a7aced2d2f1ee6600245847aff748ab16e": "",
    f"{{CRYPT}}{YES}": "",
    # As crypt(3) and Ansible's filter password_hash write it.
    SHA512: f"{{CRYPT}}{SHA512}",
    BLOWFISH: f"{{CRYPT}}{BLOWFISH}",
}
BAD = {
    "geheim-0815": "may be the password itself",
    "{PLAIN}geheim-0815": "in the clear ({PLAIN})",
    "{plain}geheim-0815": "in the clear",
    "{CLEARTEXT}geheim-0815": "in the clear",
    "{CRYPT}ab1fXgeheim08": "DES, of eight characters",
    "{DES-CRYPT}geheim-0815": "the scheme DES-CRYPT",
    "{MD5}geheim-0815": "the scheme MD5",
    "{MD5-CRYPT}$1$geheim-0815": "the scheme MD5-CRYPT",
    "{SSHA512}geheim-0815": "salted and slow",
    "{SHA512-CRYPT.HEX}geheim-0815": "the scheme SHA512-CRYPT.HEX",
    "{SHA512-CRYPT}geheim-0815": "does not have the form",
    f"{{SHA512-CRYPT}}{SHA512[:-1]}": "was it cut off",
    f"{{SHA512-CRYPT}}{SHA512}:0:0::/root": "does not have the form",
    f"{{SHA512-CRYPT}}{SHA512}\nroot:{{PLAIN}}geheim-0815": "does not have the form",
    f"{SHA512}\n": "may be the password itself",
    "{geheim-0815 ist {es}}": "may be the password itself",
    "{Geheim}0815": "the scheme (not shown)",
    "{geheim ist es}0815": "the scheme (not shown)",
    "": "may be the password itself",
    "$1$abcdefgh$geheim-0815": "may be the password itself",
}  # fmt: skip


@pytest.mark.parametrize("value", GOOD)
def test_a_hash_is_taken(value: str) -> None:
    assert users.hash_flaw(value) == ""
    assert users.passwd_file({"joe": value}) == f"joe:{GOOD[value] or value}\n"


@pytest.mark.parametrize("value", BAD)
def test_another_is_refused_and_not_shown(value: str) -> None:
    flaw = users.hash_flaw(value)
    assert BAD[value] in flaw
    assert "doveadm pw" in flaw and "password_hash" in flaw
    assert "geheim" not in flaw.lower() and "0815" not in flaw and "xxxx" not in flaw


LOGINS = {
    "joe": "",
    "joe@example.com": "",
    "web-1_x.y": "",
    "": "is empty",
    "Joe": "write joe",
    "Joe+x": "holds '+'",
    "joe:x": "ends the login",
    "#joe": "begins a comment",
    "joe x": "holds ' '",
    "joe\n": "holds '\\n'",
    "josé": "holds 'é'",
    "j" * 256: "256 characters",
}


@pytest.mark.parametrize("login", LOGINS)
def test_a_login_is_one_that_dovecot_finds(login: str) -> None:
    flaw = users.login_flaw(login)
    assert LOGINS[login] in flaw and bool(LOGINS[login]) == bool(flaw)


def test_the_order_in_which_users_are_given_does_not_matter() -> None:
    rows = {"b": f"{{CRYPT}}{SHA512}", "a": f"{{CRYPT}}{BLOWFISH}"}
    assert users.passwd_file(rows) == f"a:{{CRYPT}}{BLOWFISH}\nb:{{CRYPT}}{SHA512}\n"
    assert users.schemes(rows) == {"CRYPT"}
