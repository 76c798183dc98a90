"""postfix_config from arguments to JSON, without Postfix: what is shown and what is hidden."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ansible.module_utils.basic")

from ansible.module_utils import basic
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import (
    distributions,
    needs,
    programs,
)
from ansible_collections.mailops.smtp.plugins.modules import postfix_config, postfix_info

SECRET = "Pa:ss#word $1"


def run(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    module: Any,
    check_mode: bool = True,
    **arguments: Any,
) -> tuple[int, dict[str, Any], str, list[str]]:
    logged: list[str] = []
    given = {**arguments, "_ansible_check_mode": check_mode, "_ansible_diff": True, "_ansible_verbosity": 4}
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(sys, "argv", ["module"])
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode())
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    monkeypatch.setattr(basic.AnsibleModule, "log", lambda _self, msg, **_more: logged.append(str(msg)))
    monkeypatch.setattr(programs, "find_program", lambda _name: None)
    with pytest.raises(SystemExit) as ended:
        module.main()
    printed = capsys.readouterr().out
    return int(ended.value.code or 0), json.loads(printed), printed, logged


def test_secret_is_hidden_and_main_cf_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result, printed, logged = run(
        monkeypatch,
        capsys,
        postfix_config,
        config_directory=str(tmp_path),
        files=[
            {"path": "main.cf", "content": "relayhost = [relay.example.com]:587\n"},
            {"path": "sasl_passwd", "content": f"[relay.example.com]:587 joe:{SECRET}", "sensitive": True},
        ],
    )
    assert code == 0, printed
    assert result["changed"] is True
    assert result["diff"][0]["after"] == "relayhost = [relay.example.com]:587\n"
    assert "ss#word" not in printed
    assert "ss#word" not in "".join(logged)
    assert logged


def test_failure_hides_the_secret_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result, printed, _logged = run(
        monkeypatch,
        capsys,
        postfix_config,
        check_mode=False,
        config_directory=str(tmp_path),
        files=[{"path": "sasl_passwd", "content": f"x joe:{SECRET}", "sensitive": True}],
    )
    assert code == 1
    assert result["rolled_back"] is False
    assert result["missing"] == ["postfix"]
    assert "Postfix is not installed" in result["msg"]
    assert "ss#word" not in printed


def test_what_is_missing_is_reported_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wish = {
        "config_directory": str(tmp_path),
        "on_missing": "report",
        "parameters": {"relayhost": "[mx]:587"},
    }
    code, result, _printed, _logged = run(monkeypatch, capsys, postfix_config, check_mode=False, **wish)
    assert code == 0
    assert (result["changed"], result["missing"], result["files"]) == (False, ["postfix"], [])


def test_a_certificate_that_is_not_there_yet_is_told_before_postfix_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "mail.key"
    key.touch()
    absent = str(tmp_path / "mail.pem")
    sni = str(tmp_path / "org.pem")
    options = {
        "smtpd_tls_cert_file": absent,
        "smtpd_tls_key_file": str(key),
        "tls_server_sni_maps": f"inline:{{ {{mail.example.org = {key} {sni}}} }}",
    }
    services = [
        {"service": port, "type": "inet", "private": "n", "command": "smtpd", "options": options}
        for port in ("2587", "8465")
    ]
    names = {
        "smtpd_tls_cert_file": "postfix_submission_cert_file",
        "tls_server_sni_maps": "postfix_submission_sni",
    }
    block = {"variables": {f"2587/inet {name}": variable for name, variable in names.items()}}
    warned: list[str] = []
    monkeypatch.setattr(
        basic.AnsibleModule, "warn", lambda _self, warning, **_more: warned.append(str(warning))
    )
    run(monkeypatch, capsys, postfix_config, config_directory=str(tmp_path), services=services, block=block)
    assert [
        one.partition(" does not exist, and unless a package")[0] for one in warned if "exist" in one
    ] == [
        f"postfix_submission_cert_file: the file {absent}",
        f"postfix_submission_sni: the file {sni}",
    ]


@pytest.mark.parametrize(
    "secret", ["postfix", "ok", "25", "main.cf", "missing", "installed", "sasl_passwd", "False"]
)
def test_a_secret_that_is_a_piece_of_the_result_changes_no_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], secret: str
) -> None:
    def outcome(password: str, check_mode: bool) -> dict[str, Any]:
        files = [{"path": "sasl_passwd", "content": f"x joe:{password}\n", "sensitive": True}]
        wish = {"config_directory": str(tmp_path), "files": files, "parameters": {"relayhost": "[mx]:587"}}
        return run(monkeypatch, capsys, postfix_config, check_mode=check_mode, **wish)[1]

    for check_mode in (True, False):
        usual = outcome("an unusual one", check_mode)
        assert usual.get("missing") == ["postfix"]
        found = outcome(secret, check_mode)
        assert found == usual
        assert list(map(type, found.values())) == list(map(type, usual.values()))


def test_info_on_a_host_without_postfix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result, _printed, _logged = run(monkeypatch, capsys, postfix_info, config_directory=str(tmp_path))
    assert code == 0
    assert result["installed"] is False
    assert result["changed"] is False


@pytest.mark.parametrize(
    "release, mechanism, packages, told",
    [
        ({"ID": "debian"}, "plain", ["postfix", "libsasl2-modules", "ca-certificates"], ""),
        ({"ID": "sles"}, "scram-sha-256",
         ["postfix", "cyrus-sasl-plain", "cyrus-sasl-scram", "ca-certificates-mozilla"], ""),
        ({"ID": "debian"}, "xoauth2", ["postfix", "libsasl2-modules", "ca-certificates"],
         "install Cyrus SASL's plugin for XOAUTH2, which no package of Debian"),
        ({"ID": "void", "PRETTY_NAME": "Void Linux"}, "login", [],
         "Cyrus SASL's plugin for LOGIN, the file of CA certificates: missing on this host, and its distribution"),
    ],
)  # fmt: skip
def test_what_no_known_package_brings_is_told_with_what_to_set(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    release: dict[str, str],
    mechanism: str,
    packages: list[str],
    told: str,
) -> None:
    monkeypatch.setattr(distributions, "os_release", lambda: release)
    monkeypatch.setattr(needs, "installed_plugins", set)
    login = {
        "smtp_sasl_auth_enable": "yes",
        "smtp_sasl_mechanism_filter": mechanism,
        "smtp_tls_CAfile": "/no/ca.pem",
    }
    arguments = {"config_directory": str(tmp_path), "parameters": login, "on_missing": "report"}
    for check_mode in (True, False):
        code, result, printed, _logged = run(
            monkeypatch, capsys, postfix_config, check_mode=check_mode, **arguments
        )
        assert code == 0, printed
        assert result["missing"] == ["postfix", "sasl_plugin", "ca_file"]
        assert result["packages"] == packages
        assert told in result["unpackaged"]
        assert bool(result["unpackaged"]) == bool(told)
