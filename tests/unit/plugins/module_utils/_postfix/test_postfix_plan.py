"""What would change, and what may be shown of it: the pure half of transaction.py, and arguments.py."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix import arguments
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change import transaction
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.outcome import DeployError
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.plan import (
    Change,
    Plan,
    diffs,
    make_plan,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.request import (
    BlockWish,
    Request,
    file_wishes,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import programs

SECRET = "Pa:ss#word $1"


@pytest.fixture
def base(tmp_path: Path) -> str:
    (tmp_path / "main.cf").write_text("# mine\nbiff = no\n")
    (tmp_path / "master.cf").write_text("smtp inet n - y - - smtpd\n")
    (tmp_path / "main.cf").chmod(0o644)
    return str(tmp_path)


def made(base: str, files: list[dict[str, Any]] | None = None, **more: Any) -> Plan:
    return make_plan(Request(files=file_wishes(files or []), **more), base)


def plan(base: str, files: list[dict[str, Any]] | None = None, **more: Any) -> list[Change]:
    return made(base, files, **more).changes


def test_nothing_wished_nothing_changes(base: str) -> None:
    assert plan(base) == []
    assert (
        plan(base, parameters={"biff": False}, services=[{"service": "smtp", "type": "inet", "chroot": "y"}])
        == []
    )


def test_what_others_may_write_is_closed_to_them_by_every_change(base: str, tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text(
        "transport_maps = texthash:${config_directory}/transport\nvirtual_alias_maps = texthash:/elsewhere/virtual\n"
        f"canonical_maps = texthash:{base}/canonical, texthash:{base}/linked\n"
        f"mynetworks = 127.0.0.0/8, !{base}/networks\nheader_checks = proxy:hash:$config_directory/checks\n"
    )
    for name, mode in {
        "master.cf": 0o666,
        "main.cf": 0o664,
        "transport": 0o646,
        "canonical": 0o664,
        "unnamed": 0o666,
        "networks": 0o602,
        "checks.db": 0o646,
    }.items():
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    (tmp_path / "linked").symlink_to("unnamed")
    made = plan(base, [{"path": "other", "content": "x"}], config_directory=base)
    changed = {each.path: (each.action, each.mode) for each in made}
    assert changed == {
        "other": ("created", 0o644),
        "main.cf": ("mode", 0o644),
        "master.cf": ("mode", 0o644),
        "transport": ("mode", 0o644),
        "networks": ("mode", 0o600),
        "checks.db": ("mode", 0o644),
    }
    assert all(each.before == each.after for each in made if each.action == "mode")


def test_parameters_merge_on_top_of_the_file(base: str) -> None:
    (change,) = plan(
        base, [{"path": "main.cf", "content": "biff = yes"}], parameters={"myhostname": "a.example.com"}
    )
    assert (change.action, change.after) == ("modified", "biff = yes\nmyhostname = a.example.com\n")


def test_new_secret_file_is_private_and_hidden(base: str) -> None:
    changed = made(base, [{"path": "sasl/passwd", "content": f"[a]:587 joe:{SECRET}", "sensitive": True}])
    assert [(each.path, each.action, each.mode) for each in changed.changes] == [
        ("sasl/passwd", "created", 0o600)
    ]
    shown = json.dumps(diffs(changed, "/etc/postfix"))
    assert "ss#word" not in shown
    assert "/etc/postfix/sasl/passwd (absent)" in shown


def test_open_secret_file_is_closed(base: str) -> None:
    path = Path(base) / "passwd"
    path.write_text("a b:c\n")
    path.chmod(0o644)
    changed = made(base, [{"path": "passwd", "content": "a b:c\n", "sensitive": True}])
    assert [change.action for change in changed.changes] == ["mode"]
    assert diffs(changed, "/x")[0]["before"] == "mode 0644\n"
    assert diffs(changed, "/x")[0]["after"] == "mode 0600\n"


def test_modes_are_kept_given_or_usual(base: str) -> None:
    path = Path(base) / "odd"
    path.write_text("x\n")
    path.chmod(0o604)
    assert plan(base, [{"path": "odd", "content": "x"}]) == []
    assert [each.mode for each in plan(base, [{"path": "odd", "content": "y"}])] == [0o604]
    assert [each.mode for each in plan(base, [{"path": "odd", "content": "x", "mode": "0640"}])] == [0o640]
    assert [each.mode for each in plan(base, [{"path": "new", "content": "x"}])] == [0o644]


def test_absent_file_is_removed_once(base: str) -> None:
    assert [each.action for each in plan(base, [{"path": "master.cf", "state": "absent"}])] == ["removed"]
    assert plan(base, [{"path": "none", "state": "absent"}]) == []


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"path": "/etc/passwd", "content": "x"}, "must be relative"),
        ({"path": "../passwd", "content": "x"}, "must be relative"),
        ({"path": "a/../../b", "content": "x"}, "must be relative"),
        ({"path": "x"}, "content is missing"),
        ({"path": "x", "content": "x", "mode": "rw"}, "not an octal mode"),
        ({"path": "x", "content": "x", "mode": "99999"}, "not an octal mode"),
    ],
)
def test_bad_files_are_refused(entry: dict[str, Any], says: str) -> None:
    with pytest.raises(DeployError) as error:
        file_wishes([entry])
    assert says in str(error.value)


def test_file_given_twice_is_refused() -> None:
    with pytest.raises(DeployError, match="given 2 times"):
        file_wishes([{"path": "a", "content": "x"}, {"path": "./a", "content": "y"}])


def test_bad_service_names_variable_value_and_remedy(base: str) -> None:
    with pytest.raises(DeployError) as error:
        plan(base, services=[{"service": "smtp", "type": "inet", "chroot": "z"}])
    assert str(error.value) == "services: service smtp/inet: chroot is 'z': write y, n or -"


def test_directory_in_the_way_is_told(base: str) -> None:
    (Path(base) / "d").mkdir()
    with pytest.raises(DeployError, match="is a directory"):
        plan(base, [{"path": "d", "content": "x"}])


def test_secrets_are_known_in_every_form() -> None:
    files = [
        {"path": "p", "content": "[a]:587 joe:Pa'ss\\word\n", "sensitive": True},
        {"path": "my.cf", "content": "password = hunter22\nuser = x\n", "sensitive": True},
        {"path": "main.cf", "content": "biff = no_secret_here\n", "sensitive": False},
    ]
    secrets = arguments.secrets_in(files)
    assert {"Pa'ss\\word", "joe:Pa'ss\\word", "hunter22", repr("Pa'ss\\word")[1:-1]} <= secrets
    assert not any("no_secret_here" in each for each in secrets)
    assert all(len(each) >= 5 for each in secrets)
    assert "ss\\word" not in json.dumps(arguments.without_secrets(files)).replace("\\\\", "\\")
    assert arguments.without_secrets(files)[2] == files[2]


@pytest.mark.parametrize("block", [None, BlockWish(text="relayhost = [r]:587\n")])
def test_a_service_of_every_postfix_needs_no_command_on_a_fresh_host(
    tmp_path: Path, block: BlockWish | None
) -> None:
    options = {"smtp_bind_address": "192.0.2.1"}
    wish = [{"service": "smtp", "type": "unix", "options": options}]
    request = Request(str(tmp_path), services=wish, block=block)
    made = make_plan(request, str(tmp_path), fresh=True)
    entry = made.master.get("smtp", "unix")
    assert entry and entry.command == "smtp" and dict(entry.options) == options
    with pytest.raises(DeployError, match="so it needs a command"):
        make_plan(request, str(tmp_path))


def test_fresh_host_is_predicted_in_check_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "find_program", lambda _name: None)
    request = Request(str(tmp_path / "postfix"), parameters={"relayhost": "[a]:587"})
    outcome = transaction.deploy(request, check_mode=True)
    assert (outcome.changed, outcome.activated, outcome.files[0]["action"]) == (True, "start", "created")
    assert outcome.diff[0]["after"] == "relayhost = [a]:587\n"
    assert not (tmp_path / "postfix").exists()
    with pytest.raises(DeployError, match="Postfix is not installed"):
        transaction.deploy(request)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"mail-lop": "x"}, "there is no check 'mail-lop'; write mail-loop"),
        (
            {"zzz": "x"},
            "there is no check 'zzz'; findings name their check, and docs/checks.md lists all of them",
        ),
        ({"mail-loop": " "}, "mail-loop: no reason is given; write why"),
        ({"mail-loop": True}, "mail-loop: the reason must be text"),
    ],
)
def test_a_check_is_turned_off_by_its_name_with_a_reason(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        arguments.ignored_checks(given)
    assert arguments.ignored_checks({"mail-loop": " two hosts "}) == {"mail-loop": "two hosts"}
    assert arguments.ignored_checks({}) == {}
