"""What role postfix makes of its variables: the block of main.cf and files; and role preflight, the login to try."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ansible.plugins.action", reason="the controller's side needs ansible-core")

KEYS = "# Keys repeat the next hops of main.cf byte for byte.\n"
ONE = {"postfix_relay_host": "smtp.example.com", "postfix_relay_port": 587}
LOGIN = {"postfix_relay_username": "ops", "postfix_relay_password": "hunter2"}
OAUTH = {
    **ONE,
    **LOGIN,
    "postfix_relay_auth": "xoauth2",
    "postfix_relay_oauth_client_id": "id",
    "postfix_relay_oauth_client_secret": "secret",
    "postfix_relay_oauth_refresh_token": "refresh",
    "postfix_relay_oauth_endpoint": "https://login.example.com/token",
}
SEVERAL = {
    "postfix_relays": [
        {"host": "a.example.com", "port": 587, "username": "ann", "password": "first"},
        {
            "host": "b.example.com",
            "port": 465,
            "username": "bob",
            "password": "2nd",
            "senders": ["@b.example"],
        },
        {"direct": True, "recipients": ["@c.example"]},
    ]
}
TOKENS = {
    **{key: value for key, value in OAUTH.items() if "oauth" in key and "refresh" not in key},
    "postfix_relays": [
        {
            "host": "smtp.example.com",
            "port": 587,
            "username": "ops",
            "auth": "XOAUTH2",
            "oauth_refresh_token": "refresh",
        },
        {"host": "b.example.com", "port": 587, "username": "bob", "password": "2nd"},
        {
            "host": "c.example.com",
            "port": 587,
            "username": "cy/d",
            "auth": "xoauth2",
            "oauth_refresh_token": "[1]",
            "oauth_client_id": "own",
            "senders": ["@c.example"],
        },
    ],
}
PASSWORDS = [
    'a "b" \\c\\',
    "{{ no_template }}",
    "[1,2]",
    "{}",
    "null",
    "- x",
    "#1",
    "pä$$wörd",
    "😀",
    "a: b",
    "%(c)s",
    "1e3",
]
ALIASES = {"postfix_root_alias": "ops@example.com", "postfix_aliases": {"a b": ["|/bin/x y", "c@d.example"]}}
HOSTS: dict[str, dict[str, Any]] = {
    "login": {**ONE, **LOGIN},
    "several": SEVERAL,
    "direct": {"postfix_direct": True},
    "aliases": {"postfix_direct": True, **ALIASES},
    "token": OAUTH,
    "tokens": TOKENS,
    **{word: {**ONE, **LOGIN, "postfix_relay_password": word} for word in PASSWORDS},
}


def asked(role: str, hosts: dict[str, dict[str, Any]], *expressions: str) -> dict[str, list[Any]]:
    """What the expressions become on each host."""
    rows = [(role, {"postfix_preflight": False, **given}, expressions) for given in hosts.values()]
    command = [sys.executable, str(Path(__file__).with_name("controller.py"))]
    done = subprocess.run(command, input=json.dumps(rows), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(zip(hosts, json.loads(done.stdout)))


@pytest.fixture(scope="module")
def made() -> dict[str, tuple[Any, ...]]:
    """For each host the block, each file by its path, the tokens, and the services."""
    found = asked(
        "postfix", HOSTS, "postfix__block", "postfix__files", "postfix__tokens", "postfix__services"
    ).items()
    return {
        name: (block, {file["path"]: file for file in files}, *rest) for name, (block, files, *rest) in found
    }


@pytest.fixture(scope="module")
def probed() -> dict[str, list[Any]]:
    """The relays that are probed, for each password and for tokens."""
    return asked(
        "preflight", {word: HOSTS[word] for word in [*PASSWORDS, "tokens"]}, "preflight__postfix_relays"
    )


def test_a_relay_with_a_login(made: Any) -> None:
    block, files, *_rest = made["login"]
    assert block["text"].startswith("default_transport = smtp\nrelayhost = [smtp.example.com]:587\n")
    assert block["text"].endswith("smtp_sasl_tls_security_options = noanonymous\n")
    assert block["prepend"] == {
        "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy",
        "smtp_sasl_password_maps": "texthash:/etc/postfix/sasl_passwd",
    }
    assert block["default"] == {
        "smtp_tls_loglevel": "1",
        "smtp_tls_CAfile": None,
        "tls_required_enable": "no",
    }
    assert block["stock"]["smtp_tls_security_level"] == "secure"
    assert files == {
        "tls_policy": {
            "path": "tls_policy",
            "content": f"{KEYS}[smtp.example.com]:587 secure servername=hostname "
            "protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1\n",
            "block": True,
        },
        "sasl_passwd": {
            "path": "sasl_passwd",
            "content": f"{KEYS}[smtp.example.com]:587 ops:hunter2\n",
            "block": True,
            "mode": "0600",
            "sensitive": True,
        },
    }


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_comes_out_as_it_went_in(made: Any, probed: Any, password: str) -> None:
    _block, files, *_rest = made[password]
    assert probed[password][0][0]["password"] == password
    assert files["sasl_passwd"]["content"] == f"{KEYS}[smtp.example.com]:587 ops:{password}\n"


def test_several_relays_have_a_table_each(made: Any) -> None:
    block, files, *_rest = made["several"]
    assert block["prepend"]["sender_dependent_default_transport_maps"] == (
        "texthash:/etc/postfix/mailops_sender_transport"
    )
    assert block["prepend"]["transport_maps"] == "texthash:/etc/postfix/mailops_transport"
    contents = {path: file["content"].splitlines()[1:] for path, file in files.items()}
    assert contents["sasl_passwd"] == ["[a.example.com]:587 ann:first"]
    assert contents["mailops_sender_transport"] == ["@b.example relay-2:[b.example.com]:465"]
    assert contents["mailops_transport"] == ["c.example relay-direct:"]
    assert contents["mailops_sasl_passwd_relay-2"] == ["[b.example.com]:465 bob:2nd"]
    assert all(files[path]["sensitive"] for path in files if "passwd" in path)


def test_a_host_without_a_relay_gets_no_tables(made: Any) -> None:
    block, files, *_rest = made["direct"]
    assert (block["prepend"], files) == ({}, {})
    assert block["stock"]["default_transport"] == "smtp"


def test_aliases_are_a_table_of_postfix(made: Any) -> None:
    block, files, *_rest = made["aliases"]
    assert block["prepend"]["alias_maps"] == "texthash:/etc/postfix/mailops_aliases"
    assert files["mailops_aliases"]["content"].splitlines()[1:] == [
        "root ops@example.com",
        '"a b" "|/bin/x y", c@d.example',
    ]


def test_a_token_has_a_file_of_its_own_instead_of_a_password(made: Any) -> None:
    _block, files, *_rest = made["token"]
    # Another name would be another token, and that of before is the one which the plugin has renewed.
    assert files["sasl_passwd"]["content"].splitlines()[1:] == [
        "[smtp.example.com]:587 ops:/var/lib/postfix-tokens/ops-d6cc0a088c07683c"
    ]


def test_a_token_is_for_the_relay_that_logs_in_with_it(made: Any, probed: Any) -> None:
    block, files, tokens, services = made["tokens"]
    found = {token["path"]: json.loads(token["content"]) for token in tokens}
    first, second = found
    assert first == "/var/lib/postfix-tokens/ops-d6cc0a088c07683c"
    assert (found[second]["client_id"], found[second]["client_secret"]) == ("own", "secret")
    assert [one["refresh_token"] for one in found.values()] == ["refresh", "[1]"]
    rows = {path: file["content"].splitlines()[1:] for path, file in files.items() if "passwd" in path}
    assert rows == {
        "sasl_passwd": [f"[smtp.example.com]:587 ops:{first}", "[b.example.com]:587 bob:2nd"],
        "mailops_sasl_passwd_relay-3": [f"[c.example.com]:587 cy/d:{second}"],
    }
    assert second.startswith("/var/lib/postfix-tokens/cy_d-")
    filters = {one["service"]: one["options"].get("smtp_sasl_mechanism_filter") for one in services}
    assert "smtp_sasl_mechanism_filter = xoauth2\n" in block["text"]
    assert (filters["relay-3"], filters["relay-fallback"]) == (None, "")
    logins = [(one["username"], one.get("password"), one["auth_mechanism"]) for one in probed["tokens"][0]]
    assert logins == [("ops", None, "xoauth2"), ("bob", "2nd", "auto"), ("cy/d", None, "xoauth2")]
