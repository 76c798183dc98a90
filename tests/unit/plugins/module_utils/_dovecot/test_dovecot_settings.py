"""What doveconf says of Dovecot 2.3 and 2.4, and what is written for each."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._dovecot import settings
from ansible_collections.mailops.smtp.plugins.module_utils._dovecot.settings import FIRST, LAST, Version, Wish

OLD, NEW = Version(2, 3), Version(2, 4)
SOCKET = "/var/spool/postfix/private/auth"

SAID_23 = """\
# 2.3.13 (89f716dc2): /etc/dovecot/dovecot.conf
auth_mechanisms = plain cram-md5
auth_username_format = %Lu
passdb {
  args = scheme=CRYPT username_format=%u /etc/dovecot/users
  driver = passwd-file
}
passdb {
  driver = pam
}
service auth {
  unix_listener /var/spool/postfix/private/auth {
    group = postfix
    mode = 0660
    user = postfix
  }
  unix_listener auth-userdb {
    group =
    mode = 0666
    user = $default_internal_user
  }
  user = $default_internal_user
}
service anvil {
  unix_listener anvil {
    mode = 0600
  }
}
"""
SAID_24 = """\
# 2.4.5 (0cbb641e3e): /usr/local/etc/dovecot/dovecot.conf
auth_mechanisms {
  plain = yes
  ntlm = no
  login = yes
}
passdb pam {
}
passdb sql {
}
passdb mailops {
  driver = passwd-file
  passwd_file_path = /etc/dovecot/mailops-smtp-users
}
service auth {
  unix_listener postfix {
    path = /var/spool/postfix/private/auth
    mode = 0600
  }
}
"""


def test_what_23_says() -> None:
    said = settings.parse(SAID_23)
    assert settings.mechanisms(said) == ["plain", "cram-md5"]
    assert [each[1:] for each in settings.passdbs(said)] == [
        ("passwd-file", "/etc/dovecot/users"),
        ("pam", ""),
    ]
    names = [each.name for each in settings.listeners(said)]
    assert names == [SOCKET, "auth-userdb"]
    assert said.values["auth_username_format"] == "%Lu"
    assert settings.main_file(SAID_23) == "/etc/dovecot/dovecot.conf"


def test_what_24_says() -> None:
    said = settings.parse(SAID_24)
    assert settings.mechanisms(said) == ["plain", "login"]
    assert [(each.name, each.driver) for each in settings.passdbs(said)] == [
        ("pam", "pam"),
        ("sql", "sql"),
        ("mailops", "passwd-file"),
    ]
    (listener,) = settings.listeners(said)
    assert (listener.name, listener.path) == ("postfix", SOCKET)
    assert settings.main_file(SAID_24) == "/usr/local/etc/dovecot/dovecot.conf"
    assert settings.protocols(said) == []
    assert settings.protocols(settings.parse("protocols {\n  imap = yes\n  pop3 = no\n}\n")) == ["imap"]
    assert settings.protocols(settings.parse("protocols = imap lmtp\n")) == ["imap", "lmtp"]
    assert settings.mechanisms(settings.parse("auth_mechanisms = plain LOGIN\n")) == ["plain", "login"]


@pytest.mark.parametrize(
    "said, version",
    [
        ("2.3.13 (89f716dc2)", OLD),
        ("2.3.19.1 (9b53102964)\n", OLD),
        ("2.4.5 (0cbb641e3e)", NEW),
        ("2.4.1-4 (7d8c0e5759)", NEW),
        ("2.10.0", (2, 10)),
        ("", None),
        ("dovecot: not found", None),
    ],
)
def test_the_version(said: str, version: object) -> None:
    assert settings.version(said) == version


@pytest.mark.parametrize(
    "user, group, mode, serves",
    [
        ("postfix", "postfix", 0o660, True),
        ("postfix", "", 0o600, True),
        ("", "postfix", 0o660, True),
        ("", "", 0o666, True),
        ("", "", 0o660, False),
        ("dovecot", "postfix", 0o600, False),
        ("postfix", "", 0o400, False),
    ],
)
def test_whether_a_socket_serves_postfix(user: str, group: str, mode: int, serves: bool) -> None:
    assert settings.Listener("x", "/x", user, group, mode).serves("postfix") is serves


@pytest.mark.parametrize(
    "how, strips",
    [
        ("%Lu", False),
        ("%u", False),
        ("%n", True),
        ("%Ln", True),
        ("%{user | lower}", False),
        ("%{user | username | lower}", True),
        ("%{user|username}", True),
        ("%{username}", True),
        ("", False),
    ],
)
def test_whether_logins_lose_their_domain(how: str, strips: bool) -> None:
    assert settings.strips_domain(how) is strips


SOCKET_TEXT = f"""\
service auth {{
  unix_listener {SOCKET} {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
"""


def test_for_23_all_is_in_one_file() -> None:
    wish = Wish(mechanisms=("login",), socket=SOCKET, users="/etc/dovecot/x", alone=True)
    assert settings.drop_ins(OLD, wish) == {
        LAST: settings.HEAD
        + "auth_mechanisms = $auth_mechanisms login\n\n"
        + SOCKET_TEXT
        + """
protocol smtp {
  passdb {
    driver = passwd-file
    args = /etc/dovecot/x
    result_failure = return-fail
    result_internalfail = return-fail
  }
}
"""
    }


def test_for_24_the_users_are_named_before_others() -> None:
    wish = Wish(mechanisms=("plain", "login"), socket=SOCKET, users="/etc/dovecot/x", alone=False)
    assert settings.drop_ins(NEW, wish) == {
        FIRST: settings.HEAD
        + """\
passdb mailops {
  driver = passwd-file
  passwd_file_path = /etc/dovecot/x
  skip = unauthenticated
}
protocol smtp {
  passdb mailops {
    skip = never
    result_failure = continue
    result_internalfail = continue
  }
}
""",
        LAST: settings.HEAD + "auth_mechanisms {\n  plain = yes\n  login = yes\n}\n\n" + SOCKET_TEXT,
    }


@pytest.mark.parametrize("release", [OLD, NEW])
def test_where_all_is_there_nothing_is_written(release: Version) -> None:
    assert settings.drop_ins(release, Wish()) == {}


@pytest.mark.parametrize("release, name", [(OLD, "passdb {"), (NEW, "passdb mailops-pam {")])
def test_pam_is_asked_for_submission_alone(release: Version, name: str) -> None:
    text = settings.drop_ins(release, Wish(pam=True))[LAST]
    assert "driver = pam" in text and f"protocol smtp {{\n  {name}" in text
    said = settings.parse(text)
    # In 2.4 it is there for other protocols, and never logs anybody in.
    assert [each.values.get("skip") for each in said.all("passdb")] == (
        ["unauthenticated"] if release == NEW else []
    )


def test_includes_of_a_copy_are_its_own() -> None:
    text = (
        "!include /etc/dovecot/conf.d/*.conf\n  !include_try /etc/dovecot/local.conf\n"
        "!include /srv/x.conf\nx = /etc/dovecot/y\n"
    )
    assert settings.relative_includes(text, "/etc/dovecot") == (
        "!include conf.d/*.conf\n  !include_try local.conf\n!include /srv/x.conf\nx = /etc/dovecot/y\n"
    )
