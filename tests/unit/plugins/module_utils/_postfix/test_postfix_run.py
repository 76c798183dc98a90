"""A run from plan to proof with Postfix replaced by a stand-in: order, rollback, recovery, foreign changes."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change import confirm, swap, transaction
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.outcome import DeployError, Outcome
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.request import (
    BlockWish,
    FileWish,
    Request,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks import registry
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks.finding import Finding
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import (
    distributions,
    mail_log,
    programs,
    selinux,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host.master import Master

QUEUE_MANAGER = "qmgr unix n - n 300 1 qmgr\n"


class StandIn:
    """What Control would do, noted; `problems` is what confirm() finds with the configuration then live."""

    def __init__(self, live: Path) -> None:
        self.live = live
        self.did: list[str] = []
        self.up = True
        self.sick_with = "nothing"
        self.config_directory, self.queue = str(live), "/var/spool/postfix"

    def __call__(self, *_arguments: str) -> StandIn:
        return self

    def enabled(self) -> bool:
        return True

    def master(self) -> Master | None:
        return Master(1, None, None, None, None) if self.up else None

    def activate(self, level: str, _log: mail_log.LogMark | None = None) -> None:
        self.did.append(level)
        self.up = level != "stop"

    def confirm(self, *_arguments: Any) -> list[str]:
        text = (self.live / "main.cf").read_text()
        return ["smtp does not answer"] if self.sick_with in text else []


@pytest.fixture
def live(tmp_path: Path) -> Path:
    directory = tmp_path / "postfix"
    directory.mkdir()
    (directory / "main.cf").write_text("biff = no\n")
    (directory / "master.cf").write_text(QUEUE_MANAGER)
    return directory


@pytest.fixture
def postfix(live: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn(live)
    monkeypatch.setattr(transaction, "Control", stand_in)
    monkeypatch.setattr(confirm, "confirm", stand_in.confirm)
    monkeypatch.setattr(programs, "find_program", lambda _name: "/usr/sbin/postfix")
    monkeypatch.setattr(registry, "check", lambda *_arguments, **_more: [])
    monkeypatch.setattr(mail_log.LogMark, "complaints", lambda _self: ["postfix/smtpd[1]: fatal: x"])
    return stand_in


def deploy(live: Path, check_mode: bool = False, **parameters: Any) -> Outcome:
    return transaction.deploy(Request(str(live), parameters=parameters), check_mode)


def beside(live: Path) -> list[str]:
    return sorted(os.listdir(live.parent))


def test_change_is_activated_and_confirmed_once(live: Path, postfix: StandIn) -> None:
    predicted = deploy(live, check_mode=True, biff=True)
    assert (live / "main.cf").read_text() == "biff = no\n"
    assert postfix.did == []
    outcome = deploy(live, biff=True)
    assert (predicted.changed, predicted.activated, predicted.diff) == (True, "reload", outcome.diff)
    assert (outcome.changed, outcome.activated, outcome.confirmed) == (True, "reload", True)
    again = deploy(live, biff=True)
    assert (again.changed, again.activated, again.confirmed) == (False, "none", True)
    assert postfix.did == ["reload"]
    assert beside(live) == ["postfix"]


def test_mistakes_are_refused_and_nothing_is_left(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = Finding("main.cf", 1, "biff", "yes", "wrong", "write no")
    monkeypatch.setattr(
        registry, "check", lambda *_arguments, **_more: [finding, finding._replace(certain=False)]
    )
    for check_mode in (True, False):
        with pytest.raises(DeployError, match=r"refused, nothing was changed\. 1 mistake") as error:
            deploy(live, check_mode, biff=True)
        assert error.value.findings[0] == finding
        assert error.value.rolled_back is False
    assert ((live / "main.cf").read_text(), beside(live), postfix.did) == ("biff = no\n", ["postfix"], [])


def test_an_ignored_check_stops_nothing_and_is_told(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = Finding("main.cf", 1, "biff", "yes", "wrong", "write no", check="mail-loop")
    monkeypatch.setattr(registry, "check", lambda *_arguments, **_more: [finding])
    for check_mode in (True, False):
        with pytest.raises(DeployError, match=r"wrong; write no \[mail-loop\]"):
            deploy(live, check_mode, biff=True)
        request = Request(str(live), parameters={"biff": True}, ignore={"mail-loop": "there are two hosts"})
        outcome = transaction.deploy(request, check_mode)
        assert outcome.warnings == [f"{finding} (mail-loop is ignored: there are two hosts)"]
        assert outcome.findings == [finding._replace(certain=False)]
    for check_mode in (True, False):
        again = transaction.deploy(request, check_mode)
        assert (again.changed, again.warnings, again.findings) == (False, outcome.warnings, outcome.findings)


@pytest.mark.parametrize(
    ("parameter", "before", "change", "refused"),
    [
        ("smtpd_tls_auth_only", True, {"biff": True}, False),
        ("submission/inet -o smtpd_tls_auth_only", True, {"biff": True}, False),
        ("smtpd_tls_auth_only", False, {"biff": True}, True),
        ("smtpd_tls_auth_only", True, {"smtpd_tls_auth_only": "so"}, True),
        # Without these no mail leaves, or a stranger's does.
        ("smtp_tls_policy_maps", True, {"biff": True}, True),
        ("alias_maps", True, {"biff": True}, True),
        ("smtpd_relay_restrictions", True, {"biff": True}, True),
        ("smtpd_authorized_xclient_hosts", True, {"biff": True}, True),
    ],
)
def test_a_mistake_of_before_is_a_warning_where_mail_goes_out_all_the_same(
    live: Path,
    postfix: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    parameter: str,
    before: bool,
    change: dict[str, Any],
    refused: bool,
) -> None:
    def found(stage: str, *_arguments: Any, **_more: Any) -> list[Finding]:
        changed = (Path(stage) / "main.cf").read_text() != "biff = no\n"
        mistake = Finding("main.cf", 9 if changed else 4, parameter, "so", "wrong", "write no")
        return [mistake] if changed or before else []

    monkeypatch.setattr(registry, "check", found)
    for check_mode in (True, False):
        if refused:
            with pytest.raises(DeployError, match="refused, nothing was changed"):
                deploy(live, check_mode, **change)
        else:
            warnings = deploy(live, check_mode, **change).warnings
            assert warnings == [
                f"main.cf line 9: {parameter} = so: wrong; write no (it was so before this change)"
            ]


def test_the_way_back_is_not_refused_for_what_was_wrong_before(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = BlockWish(text="relayhost = [r]:587\n")
    transaction.deploy(Request(str(live), block=wish))
    mistake = Finding("main.cf", 1, "smtp_tls_policy_maps", "hash:/x", "wrong", "write no")
    monkeypatch.setattr(registry, "check", lambda *_arguments, **_more: [mistake])
    for check_mode in (True, False):
        outcome = transaction.deploy(Request(str(live), restore="original"), check_mode)
        assert outcome.changed and "it was so before" in outcome.warnings[0]
    assert (live / "main.cf").read_text() == "biff = no\n"


@pytest.mark.parametrize(
    ("parameter", "variable"),
    [
        ("mynetworks", "postfix_mynetworks: "),
        ("biff", "postfix_parameters: "),
        ("smtp/unix -o smtp_helo_name", "postfix_services: "),
        ("service smtp/unix", "postfix_services: "),
        ("relay/unix -o smtp_helo_name", ""),
        ("relayhost", ""),
        ("myhostname", ""),
    ],
)
def test_a_mistake_is_told_in_the_users_words(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch, parameter: str, variable: str
) -> None:
    monkeypatch.setattr(
        registry,
        "check",
        lambda *_arguments, **_more: [Finding("main.cf", 3, parameter, "so", "wrong", "write no")],
    )
    names = {"mynetworks": "postfix_mynetworks", "myhostname": "postfix_myhostname"}
    names.update({"parameters": "postfix_parameters", "services": "postfix_services"})
    wish = BlockWish(text="relayhost = [r]:587\nmynetworks = 10.0.0.1/8\n", variables=names)
    services = [{"service": "smtp", "type": "unix", "command": "smtp"}]
    request = Request(str(live), parameters={"biff": True}, services=services, block=wish)
    with pytest.raises(DeployError) as error:
        transaction.deploy(request)
    assert f"  {variable}main.cf line 3: {parameter} = so: wrong; write no" in str(error.value)


def test_no_copy_is_made_of_a_password_of_a_block(live: Path, postfix: StandIn) -> None:
    wish = BlockWish(text="relayhost = [r]:587\n")
    table = FileWish("sasl_passwd", "[r]:587 joe:old\n", sensitive=True, block=True)
    transaction.deploy(Request(str(live), block=wish, files=[table], backup=True))
    request = Request(str(live), block=wish, backup=True)
    made = transaction.deploy(request).backups
    assert not (live / "sasl_passwd").exists()
    assert [name for name in made if "sasl_passwd" in name] == []


def test_opinions_are_warnings(live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding("main.cf", 1, "biff", "yes", "unwise", "write no", False)
    monkeypatch.setattr(registry, "check", lambda *_arguments, **_more: [finding])
    assert deploy(live, biff=True).warnings == ["main.cf line 1: biff = yes: unwise; write no"]


@pytest.mark.parametrize(
    ("up", "change", "did"),
    [
        # A reload would leave what has failed throttled.
        (True, {"biff": True}, ["reload", "restart"]),
        (True, {"biff": True, "inet_protocols": "ipv4"}, ["restart", "restart"]),
        (False, {"biff": True}, ["start", "stop"]),
    ],
)
def test_what_does_not_serve_goes_back(
    live: Path, postfix: StandIn, up: bool, change: dict[str, Any], did: list[str]
) -> None:
    postfix.up, postfix.sick_with = up, "biff = yes"
    with pytest.raises(DeployError, match="smtp does not answer") as error:
        deploy(live, **change)
    assert error.value.rolled_back is True
    assert error.value.log == ["postfix/smtpd[1]: fatal: x"]
    assert (live / "main.cf").read_text() == "biff = no\n"
    assert (postfix.did, postfix.up, beside(live)) == (did, up, ["postfix"])


def no_way_back(_run: Any, error: BaseException) -> None:
    raise error


def kill_after(name: str, monkeypatch: pytest.MonkeyPatch, target: Any) -> None:
    """As a kill looks from inside: nothing after that call happens."""
    monkeypatch.setattr(transaction._Run, "bring_back", no_way_back)
    real = getattr(target, name)

    def dying(*arguments: Any, **more: Any) -> Any:
        real(*arguments, **more)
        raise SystemExit("killed")

    monkeypatch.setattr(target, name, dying)


@pytest.mark.parametrize("name", ["write_journal", "swap"])
def test_killed_run_is_undone_by_the_next(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with monkeypatch.context() as patched:
        kill_after(name, patched, swap.Directory)
        with pytest.raises(SystemExit):
            deploy(live, biff=True)
    assert beside(live) == [".postfix.journal", ".postfix.stage", "postfix"]
    predicted = deploy(live, check_mode=True, mailbox_size_limit=0)
    assert predicted.diff[0]["before"] == "biff = no\n"
    assert "interrupted" in predicted.warnings[0]
    outcome = deploy(live, mailbox_size_limit=0)
    assert (outcome.recovered, outcome.changed) == (True, True)
    assert (live / "main.cf").read_text() == "biff = no\nmailbox_size_limit = 0\n"
    assert (postfix.did, beside(live)) == (["reload", "reload"], ["postfix"])


def test_killed_between_stop_and_start_is_started(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, way_back = postfix.activate, transaction._Run.bring_back

    def die(level: str, _log: mail_log.LogMark | None = None) -> None:
        postfix.up = False
        raise SystemExit(level)

    monkeypatch.setattr(postfix, "activate", die)
    monkeypatch.setattr(transaction._Run, "bring_back", no_way_back)
    with pytest.raises(SystemExit):
        deploy(live, inet_protocols="ipv4")
    monkeypatch.setattr(postfix, "activate", real)
    monkeypatch.setattr(transaction._Run, "bring_back", way_back)
    outcome = deploy(live, inet_protocols="ipv4")
    assert (postfix.did, postfix.up, outcome.recovered) == (["start", "restart"], True, True)


def test_killed_after_confirmation_stays(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(transaction._Run, "bring_back", no_way_back)
        patched.setattr(swap.Directory, "close", lambda _self: (_ for _ in ()).throw(SystemExit("killed")))
        with pytest.raises(SystemExit):
            deploy(live, biff=True)
    outcome = deploy(live, biff=True)
    assert (outcome.recovered, outcome.changed, beside(live)) == (False, False, ["postfix"])
    assert (live / "main.cf").read_text() == "biff = yes\n"


def meddle(live: Path, times: int) -> Callable[..., list[Finding]]:
    left = [times]

    def foreign(*_arguments: Any, **_more: Any) -> list[Finding]:
        if left[0]:
            left[0] -= 1
            text = (live / "main.cf").read_text() + f"foreign{left[0]} = 1\n"
            (live / "new").write_text(text)
            os.rename(live / "new", live / "main.cf")
        return []

    return foreign


def test_foreign_change_is_merged_not_overwritten(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "check", meddle(live, 2))
    assert deploy(live, biff=True).changed is True
    assert (live / "main.cf").read_text() == "biff = yes\nforeign1 = 1\nforeign0 = 1\n"


def test_endless_foreign_change_is_told(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "check", meddle(live, 9))
    with pytest.raises(DeployError, match="changed by somebody else three times"):
        deploy(live, biff=True)
    assert (live / "main.cf").read_text().startswith("biff = no\n")
    assert (postfix.did, beside(live)) == ([], ["postfix"])


def test_activate_none_only_changes_files(live: Path, postfix: StandIn) -> None:
    postfix.up = False
    outcome = transaction.deploy(Request(str(live), parameters={"biff": True}, activate="none"))
    assert (outcome.changed, outcome.activated, outcome.confirmed, postfix.did) == (True, "none", False, [])


def test_backup_is_private(live: Path, postfix: StandIn) -> None:
    request = Request(str(live), parameters={"biff": True}, backup=True)
    (name,) = transaction.deploy(request).backups
    assert Path(name).read_text() == "biff = no\n"
    assert os.stat(name).st_mode & 0o777 == 0o600
    assert transaction.deploy(request).backups == []


@pytest.mark.parametrize(
    ("new", "copies"),
    [
        ("[r.test]:587 ops:rotated\n", 0),
        ("[r.test]:2525 ops:old\n", 0),
        ("[r.test]:587 ops:old\n[r.test]:2525 ops:old\n", 0),
        ("[r.test]:2525 ops:rotated\n", 1),
        ("", 1),
    ],
    ids=["rotated", "moved", "added", "another", "removed"],
)
def test_old_password_is_kept_only_where_it_would_be_lost(
    live: Path, postfix: StandIn, new: str, copies: int
) -> None:
    (live / "sasl_passwd").write_text("# by hand\n[r.test]:587 ops:old\n")
    wish = FileWish("sasl_passwd", new, sensitive=True, absent=not new)
    made = transaction.deploy(Request(str(live), files=[wish], backup=True)).backups
    assert len(made) == copies
    assert all(os.stat(name).st_mode & 0o777 == 0o600 for name in made)


def test_a_port_that_selinux_may_deny_is_told_with_what_to_do(
    live: Path, postfix: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refused = "Postfix logged: postfix/master[7]: fatal: bind 0.0.0.0 port 26: Permission denied"
    mode = tmp_path / "enforce"
    mode.write_text("1")
    monkeypatch.setattr(selinux, "MODE", str(mode))
    monkeypatch.setattr(confirm, "confirm", lambda *arguments: [refused] * len(postfix.confirm(*arguments)))
    with pytest.raises(DeployError) as failure:
        deploy(live, biff="nothing")
    told = str(failure.value).partition("What went wrong:\n")[2].splitlines()
    assert told[0].endswith(refused)
    assert "SELinux is enforcing here" in told[1]


@pytest.mark.parametrize("name, told", [("freebsd", True), ("debian", False), (None, False)])
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_package_with_another_directory_is_told_before_anything_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str | None, told: bool, check_mode: bool
) -> None:
    usual = str(tmp_path / "usual")
    known = {each.name: each for each in distributions.FAMILIES}.get(name or "")
    if known and not told:
        known = known._replace(config_directory=usual)
    monkeypatch.setattr(programs, "find_program", lambda _name: None)
    monkeypatch.setattr(distributions, "of_this_host", lambda: known)
    monkeypatch.setattr(Request, "config_directory", usual)
    said, missing = "", ["postfix"]
    try:
        transaction.deploy(Request(usual), check_mode)
    except DeployError as error:
        said, missing = str(error), error.missing
    advice = "set config_directory (postfix_config_directory of the role) to /usr/local/etc/postfix"
    assert (advice in said) == told
    assert (missing == []) == told
    # Who names a directory has his way.
    assert transaction.deploy(Request(f"{usual}/else"), True).missing == ["postfix"]
