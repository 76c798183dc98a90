"""The module as Ansible runs it: parameters in, JSON out, and no password anywhere."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args
from ansible_collections.mailops.smtp.plugins.doc_fragments.smtp_options import ModuleDocFragment
from ansible_collections.mailops.smtp.plugins.module_utils._route import cloud
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.arguments import (
    CONNECTION_ARGUMENTS,
    PROBE_ARGUMENTS,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import (
    STAGES,
    TIMINGS,
    VERDICTS,
    Result,
)
from ansible_collections.mailops.smtp.plugins.modules import smtp_probe
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._smtp.servers import (
    CA,
    NAME,
    PASSWORD,
    USERNAME,
    Listener,
    smtp,
)


def run(capsys: pytest.CaptureFixture[str], **args: Any) -> dict[str, Any]:
    with patch_module_args(args), pytest.raises(SystemExit) as ended:
        smtp_probe.main()
    output = capsys.readouterr().out
    result: dict[str, Any] = json.loads(output)
    assert bool(result.get("failed")) == bool(ended.value.code)
    assert PASSWORD not in output
    return result


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    messages: list[str] = []
    monkeypatch.setattr(
        basic.AnsibleModule, "log", lambda _self, message, **_more: messages.append(str(message) + str(_more))
    )
    return messages


def test_usable(capsys: pytest.CaptureFixture[str], logged: list[str]) -> None:
    with Listener(smtp()) as server:
        result = run(
            capsys,
            host="127.0.0.1",
            ports=[server.port],
            server_name=NAME,
            ca_path=CA,
            username=USERNAME,
            password=PASSWORD,
        )
    assert result["changed"] is False
    assert result["msg"] == "The endpoint is usable."
    assert result["usable"] == 1
    assert result["verdicts"] == {"ok": 1}
    assert result["elapsed_ms"] > 0
    (endpoint,) = result["endpoints"]
    assert endpoint["auth_mechanisms"] == ["PLAIN", "LOGIN"]
    assert endpoint["timings_ms"]["auth"] is not None
    assert logged
    assert PASSWORD not in "".join(logged)


ODD_PASSWORDS = [
    "587", "ok", "tls", "example", "postfix", "25", "true", "None", "127.0.0.1", "verdict", "usable", "auth", "PLAIN",
    "mail", "The", "server", "e", "1", ".", "VALUE", "password", "accepted", "s3cret-And-long", "mail.example.test",
]  # fmt: skip


def masked_result(
    capsys: pytest.CaptureFixture[str], password: str, username: str = USERNAME, **server: Any
) -> dict[str, Any]:
    """The result for a password, without what differs from run to run."""
    with Listener(smtp(**server)) as listener:
        args: dict[str, Any] = {
            "host": "127.0.0.1",
            "ports": [listener.port],
            "server_name": NAME,
            "ca_path": CA,
        }
        args.update(username=username, password=password, _ansible_inject_invocation=True)
        with patch_module_args(args), pytest.raises(SystemExit):
            smtp_probe.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out.replace(str(listener.port), "40000"))
    for endpoint in result["endpoints"]:
        assert all(value is None or isinstance(value, float) for value in endpoint.pop("timings_ms").values())
    assert isinstance(result.pop("elapsed_ms"), float)
    assert result["invocation"]["module_args"].pop("password") == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    result.pop("warnings", None)
    return result


@pytest.mark.parametrize("password", ODD_PASSWORDS)
@pytest.mark.parametrize("reply", [b"235 ok\r\n", b"535 5.7.8 go away\r\n"], ids=["accepted", "refused"])
def test_a_password_that_is_a_piece_of_the_result_changes_no_field(
    capsys: pytest.CaptureFixture[str], password: str, reply: bytes
) -> None:
    usual = masked_result(capsys, "quite another word", replies={"AUTH": reply})
    assert usual["endpoints"][0]["verdict"] in ("ok", "auth_rejected")
    assert masked_result(capsys, password, replies={"AUTH": reply}) == usual


@pytest.mark.parametrize("token", ["hunter2", "s3cret-And-long", "postfix"])
@pytest.mark.parametrize("reply", [b"235 ok\r\n", b"535 5.7.8 go away\r\n"], ids=["accepted", "refused"])
def test_a_user_name_that_is_the_password_is_not_shown(
    capsys: pytest.CaptureFixture[str], token: str, reply: bytes
) -> None:
    assert token not in str(masked_result(capsys, token, token, replies={"AUTH": reply}))


@pytest.mark.parametrize("password", ["hunter2", "postfix", "s3cret-And-long", "zq"])
def test_a_password_that_the_server_sends_back_is_masked(
    capsys: pytest.CaptureFixture[str], password: str
) -> None:
    reply = b"535 5.7.8 login by " + password.encode() + b" refused\r\n"
    result = masked_result(capsys, password, replies={"AUTH": reply})
    assert "login by ******** refused" in result["endpoints"][0]["reason"]


def test_returned_keys_are_those_documented(capsys: pytest.CaptureFixture[str]) -> None:
    with Listener(smtp()) as server:
        result = run(
            capsys, endpoints=[{"host": "127.0.0.1", "port": server.port, "server_name": NAME}], ca_path=CA
        )
    documented = yaml.safe_load(smtp_probe.RETURN)
    # Warnings of a process are Ansible's to return, whichever test of this process was warned.
    assert set(result) - {"changed", "invocation", "warnings"} == set(documented)
    endpoint = documented["endpoints"]["contains"]
    assert set(result["endpoints"][0]) == set(endpoint)
    assert set(result["endpoints"][0]["certificate"]) == set(endpoint["certificate"]["contains"])
    assert list(endpoint["timings_ms"]["sample"]) == list(TIMINGS)


@pytest.mark.parametrize(
    ("fail_when", "fails"), [("none_usable", False), ("any_unusable", True), ("never", False)]
)
def test_fail_when(capsys: pytest.CaptureFixture[str], fail_when: str, fails: bool) -> None:
    with Listener(smtp()) as server, Listener(smtp(greeting=b"554 5.7.1 listed\r\n")) as other:
        result = run(
            capsys,
            endpoints=[f"127.0.0.1:{server.port}", f"127.0.0.1:{other.port}"],
            tls="none",
            fail_when=fail_when,
        )
    assert bool(result.get("failed")) is fails
    assert result["usable"] == 1
    assert result["msg"] == (
        f"1 of 2 endpoints is usable. 127.0.0.1:{other.port} greeting_rejected: "
        "The server refuses this client: 554 5.7.1 listed."
    )


def test_failure_names_every_endpoint(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    result = run(capsys, host="127.0.0.1", ports=[port, port])
    assert result["failed"]
    assert result["msg"].count(f"127.0.0.1:{port} refused: ") == 2
    assert len(result["endpoints"]) == 2


def test_check_mode_probes_too(capsys: pytest.CaptureFixture[str]) -> None:
    with Listener(smtp()) as server:
        result = run(capsys, host="127.0.0.1", ports=[server.port], tls="none", _ansible_check_mode=True)
    assert result["usable"] == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "one of the following is required: host, endpoints"),
        ({"host": "mx", "endpoints": ["mx:25"]}, "mutually exclusive"),
        ({"host": "mx", "ports": [456]}, "did you mean 465"),
        ({"host": "mx", "ports": [70000]}, "70000 is not a port"),
        ({"host": "mx", "ports": ["submission"]}, "submission"),
        ({"host": "mx", "family": "ipv5"}, "value of family must be one of"),
        ({"host": "mx", "tls": "encyrpt"}, "value of tls must be one of"),
        ({"host": "mx", "username": "a"}, "username, password"),
        (
            {"host": "mx", "tls": "none", "username": "a", "password": PASSWORD},
            "never sent over an unencrypted",
        ),
        ({"host": "mx", "timeout": -1}, "timeout: -1.0 is not a time"),
        ({"host": "mx", "ca_path": "/nonexistent"}, "ca_path: /nonexistent does not exist"),
    ],
    ids=str,
)
def test_bad_parameters(capsys: pytest.CaptureFixture[str], args: dict[str, Any], message: str) -> None:
    result = run(capsys, **args)
    assert result["failed"]
    assert message in result["msg"]
    assert "endpoints" not in result


def test_advice_knows_the_provider(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dmi = tmp_path / "sys/class/dmi/id"
    dmi.mkdir(parents=True)
    (dmi / "sys_vendor").write_text("Hetzner\n")
    recognise = cloud.recognise
    monkeypatch.setattr(cloud, "recognise", lambda: recognise(str(tmp_path)))
    filtered = Result("mx", 25, "opportunistic", "filtered", "connect", "No answer.")
    monkeypatch.setattr(smtp_probe, "probe", lambda endpoints, options: [filtered])
    result = run(capsys, host="mx", ports=[25])
    assert "Hetzner" in result["endpoints"][0]["advice"]


def test_options_are_documented_as_they_are() -> None:
    documented = yaml.safe_load(smtp_probe.DOCUMENTATION)["options"]
    connection = yaml.safe_load(ModuleDocFragment.CONNECTION)["options"]
    assert set(connection) == set(CONNECTION_ARGUMENTS)
    fragment = {**yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"], **connection}
    assert set(fragment) == set(PROBE_ARGUMENTS)
    assert {**documented, **fragment}.keys() == smtp_probe.ARGUMENTS.keys()
    for name, spec in smtp_probe.ARGUMENTS.items():
        words = {**documented, **fragment}[name]
        for key in ("type", "default", "choices", "elements"):
            assert words.get(key) == spec.get(key), (name, key)


def test_verdicts_are_documented() -> None:
    (notes, *_others) = yaml.safe_load(smtp_probe.DOCUMENTATION)["notes"]
    assert set(VERDICTS) == {word.split(")")[0] for word in notes.split("V(")[1:]}
    stage = yaml.safe_load(smtp_probe.RETURN)["endpoints"]["contains"]["stage"]["description"][0]
    assert all(f"V({name})" in stage for name in STAGES)
