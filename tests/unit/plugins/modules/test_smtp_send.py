"""The module as Ansible runs it, towards an endpoint and on a host without Postfix: what it says, and no password."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.mailops.smtp.plugins.doc_fragments.smtp_options import ModuleDocFragment
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.trail import STATES
from ansible_collections.mailops.smtp.plugins.module_utils._send import send as sending
from ansible_collections.mailops.smtp.plugins.modules import smtp_send
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._smtp.servers import (
    CA,
    NAME,
    PASSWORD,
    USERNAME,
    Listener,
    smtp,
)

TAKES = {"DATA": b"354 go on\r\n"}
LOGIN = {"username": USERNAME, "password": PASSWORD, "server_name": NAME, "ca_path": CA}


def run(capsys: pytest.CaptureFixture[str], check: bool = False, **options: Any) -> dict[str, Any]:
    given = {
        "to": "a@far.example",
        "from": "ops@example.net",
        "config_directory": "/nonexistent",
        "timeout": 5,
        **options,
    }
    with patch_module_args({**given, "_ansible_check_mode": check}), pytest.raises(SystemExit) as ended:
        smtp_send.main()
    output = capsys.readouterr().out
    result: dict[str, Any] = json.loads(output)
    assert bool(result.get("failed")) == bool(ended.value.code)
    assert PASSWORD not in output
    return result


def there(capsys: pytest.CaptureFixture[str], replies: dict[str, bytes], **options: Any) -> dict[str, Any]:
    with Listener(smtp(replies={**TAKES, **replies})) as server:
        return run(capsys, **{"host": "127.0.0.1", "port": server.port, "tls": "none", **options})


def test_accepted_and_no_further(capsys: pytest.CaptureFixture[str]) -> None:
    result = there(capsys, {}, tls="starttls", **LOGIN)
    assert result["state"] == "accepted" and result["changed"], result
    assert result["reply"] == "250 2.0.0 Ok: queued as FAR0001" and result["dsn"] == "2.0.0"
    assert "nobody can see from here" in result["msg"]
    assert result["endpoint"]["auth_mechanism"] == "PLAIN" and result["relay"].startswith(
        "127.0.0.1[127.0.0.1]:"
    )
    (recipient,) = result["recipients"]
    assert (recipient["address"], recipient["state"]) == ("a@far.example", "accepted")


def test_a_server_that_sends_the_password_back_shows_it_to_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("RCPT", ".", "DATA"):
        said = f"550 5.7.1 not with {PASSWORD}\r\n".encode()
        result = there(capsys, {verb: said}, tls="starttls", **LOGIN)
        assert result["state"] == "refused" and "********" in result["msg"], result


@pytest.mark.parametrize(
    ("replies", "state", "changed", "words"),
    [
        ({"RCPT": b"550 5.1.1 nobody\r\n"}, "refused", False, "recipient_rejected"),
        ({"RCPT": b"451 4.7.1 later\r\n"}, "refused", False, "recipient_deferred"),
        ({"MAIL": b"553 5.7.1 not you\r\n"}, "refused", False, "sender_rejected"),
        ({"DATA": b"451 4.3.0 no\r\n"}, "refused", False, "took the envelope and refuses the message: 451"),
        ({".": b"554 5.7.1 spam\r\n"}, "refused", False, "refuses the message: 554 5.7.1 spam"),
        ({".": b""}, "unknown", True, "It may arrive, or not"),
    ],
)
def test_what_the_server_refuses_was_not_sent(
    capsys: pytest.CaptureFixture[str], replies: dict[str, bytes], state: str, changed: bool, words: str
) -> None:
    result = there(capsys, replies, timeout=2)
    assert (result["state"], result["changed"]) == (state, changed), result
    assert result["failed"] and words in result["msg"]


def test_a_server_that_cannot_be_reached(capsys: pytest.CaptureFixture[str]) -> None:
    with Listener(smtp()) as server:
        port = server.port
    result = run(capsys, host="127.0.0.1", port=port)
    assert result["failed"] and result["state"] == "refused" and result["endpoint"]["verdict"] == "refused"
    assert result["recipients"] == [] and not result["changed"]


@pytest.mark.parametrize("options", [{}, {"host": "127.0.0.1", "port": 9}])
def test_check_mode_sends_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(sending.Dispatch, "obstacle", "")
    monkeypatch.setattr(sending.Dispatch, "submit", None)
    monkeypatch.setattr(sending, "probe", None)
    result = run(capsys, check=True, wait_for="accepted", **options)
    assert result["changed"] and result["state"] == "not_sent"
    assert result["msg"].startswith("Would send a message from ops@example.net to a@far.example ")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "there is no Postfix with its configuration in /nonexistent"),
        ({"port": 587}, "port: it is given without host"),
        ({"username": "u", "password": PASSWORD}, "username: it is given without host"),
        ({"host": "127.0.0.1", "port": 456}, "did you mean 465"),
        (
            {"host": "127.0.0.1", "tls": "none", "username": "u", "password": PASSWORD},
            "never sent over an unencrypted",
        ),
        ({"host": "127.0.0.1", "subject": "x\nBcc: a@b"}, "subject: it has a line end"),
        ({"host": "127.0.0.1", "to": ["a@b", "c d"]}, "to: 'c d' is not a mail address"),
        ({"host": "127.0.0.1", "timeout": 0}, "timeout: 0.0 is not a time"),
        ({"host": "127.0.0.1", "ca_path": "/nonexistent.pem", "tls": "starttls"}, "ca_path"),
    ],
)
def test_what_cannot_be_is_refused_before(
    capsys: pytest.CaptureFixture[str], options: dict[str, Any], words: str
) -> None:
    result = run(capsys, **options)
    assert result["failed"] and words in result["msg"], result
    assert not result.get("changed")


def test_who_names_no_sender_is_known_by_the_login_or_the_host(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending.socket, "gethostname", lambda: "me.example.net")
    monkeypatch.setattr(sending.os, "geteuid", lambda: 0)
    options = {"host": "127.0.0.1", "from": None}
    assert "from root@me.example.net to" in run(capsys, check=True, **options)["msg"]
    assert (
        f"from {USERNAME} to"
        in run(capsys, check=True, username=USERNAME, password=PASSWORD, **options)["msg"]
    )
    assert "from the null sender <> to" in run(capsys, check=True, **{**options, "from": ""})["msg"]
    monkeypatch.setattr(sending.socket, "gethostname", lambda: "me")
    assert "from: it is needed" in run(capsys, check=True, **options)["msg"]


def test_the_documentation_has_every_option_and_every_state() -> None:
    documented = yaml.safe_load(smtp_send.DOCUMENTATION)["options"]
    documented.update(yaml.safe_load(ModuleDocFragment.CONNECTION)["options"])
    assert documented.keys() == smtp_send.ARGUMENTS.keys()
    for name, spec in smtp_send.ARGUMENTS.items():
        for key in ("type", "default", "choices", "elements", "required"):
            assert documented[name].get(key) == spec.get(key), (name, key)
    state = yaml.safe_load(smtp_send.RETURN)["state"]["description"]
    assert {word.split(")")[0] for word in " ".join(state).split("V(")[1:]} == {
        *STATES, "unknown", "accepted", "refused", "not_sent",
    }  # fmt: skip
