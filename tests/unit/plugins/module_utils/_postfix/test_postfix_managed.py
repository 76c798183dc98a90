"""What is named is set, what is not named stays, and what is no longer named goes away."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import ssl
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._base import der
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change import losses, managed
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.plan import (
    make_plan,
    prune_backups,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.request import (
    BlockWish,
    FileWish,
    Request,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files import block
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files.main_cf import MainCf
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files.master_cf import MasterCf
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import (
    chroot,
    distributions,
    own_certificate,
)

DEBIAN = """\
# See /usr/share/postfix/main.cf.dist
smtpd_banner = $myhostname ESMTP $mail_name (Debian)
compatibility_level = 3.9
myhostname = web1.example.com
mydestination = $myhostname, web1.example.com, localhost.example.com, , localhost
relayhost =
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
mailbox_size_limit = 0
recipient_delimiter = +
inet_interfaces = all
alias_maps = hash:/etc/aliases
"""
HAND_MADE = """\
# our mail server
myhostname = mx.example.org
mydestination = localhost
virtual_alias_domains = example.org
inet_interfaces = all
smtp_sasl_password_maps = hash:/etc/postfix/other
"""
MASTER = "smtp inet n - y - - smtpd\nsmtp unix - - y - - smtp\n"
BLOCK = BlockWish(
    text="relayhost = [r]:587\n",
    prepend={"smtp_sasl_password_maps": "texthash:/etc/postfix/sasl_passwd"},
    default={"smtp_tls_loglevel": "1"},
    stock={"inet_interfaces": "loopback-only", "disable_vrfy_command": "yes"},
)
BLOCK_OF_A_LATER_RELEASE = BlockWish(
    default={"smtp_tls_loglevel": "1", "tls_required_enable": "no"},
    stock={"smtpd_forbid_bare_newline": "yes"},
)
DEFAULTS = {
    "mail_version": "3.10.4",
    "inet_interfaces": "all",
    "smtp_tls_loglevel": "0",
    "disable_vrfy_command": "no",
    "compatibility_level": "0",
}


class Files(Dict[str, str]):
    """A configuration directory in memory."""

    def live(self) -> managed.Live:
        return managed.Live(
            lambda path: self.get(path, ""), lambda path: (0o644, 0, 0) if path in self else None, DEFAULTS
        )

    def run(self, **request: Any) -> managed.Managed:
        made = managed.compute(
            Request(**{"block": BLOCK, **request} if "restore" not in request else request), self.live()
        )
        before = dict(self)
        for path, wish in made.wishes.items():
            if wish.absent:
                self.pop(path, None)
            elif wish.content is not None:
                self[path] = wish.content
        if dict(self) != before and managed.STATE not in made.wishes:
            self[managed.STATE] = json.dumps(made.state)
        return made

    def values(self) -> dict[str, str]:
        return MainCf(self["main.cf"]).values()


@pytest.fixture(params=[DEBIAN, HAND_MADE], ids=["stock", "hand-made"])
def files(request: pytest.FixtureRequest) -> Files:
    return Files({"main.cf": request.param, "master.cf": MASTER})


def test_a_distributions_main_cf_gets_safe_values_and_keeps_the_rest() -> None:
    files = Files({"main.cf": DEBIAN, "master.cf": MASTER})
    assert files.run().stock
    values = files.values()
    assert values["inet_interfaces"] == "loopback-only"
    assert values["disable_vrfy_command"] == "yes"
    kept = ("mailbox_size_limit", "recipient_delimiter", "alias_maps", "mydestination", "myhostname")
    assert {name: values[name] for name in kept} == {name: MainCf(DEBIAN).values()[name] for name in kept}


def test_on_a_hand_made_host_only_what_is_named_changes() -> None:
    files = Files({"main.cf": HAND_MADE, "master.cf": MASTER})
    assert not files.run().stock
    assert files.values() == {
        **MainCf(HAND_MADE).values(),
        "relayhost": "[r]:587",
        "smtp_sasl_password_maps": "texthash:/etc/postfix/sasl_passwd, hash:/etc/postfix/other",
        "smtp_tls_loglevel": "1",
    }


def test_a_value_for_what_this_postfix_does_not_know_is_left_out(files: Files) -> None:
    files.run(block=BLOCK_OF_A_LATER_RELEASE)
    assert not {"tls_required_enable", "smtpd_forbid_bare_newline"} & set(files.values())
    assert files.values()["smtp_tls_loglevel"] == "1"


def test_what_the_role_takes_of_another_way_out_was_not_asked_for_by_naming_a_relay() -> None:
    """It has to be named by itself, so that the change is refused before mail of some senders goes elsewhere."""
    files = Files(
        {
            "main.cf": HAND_MADE + "sender_dependent_relayhost_maps = hash:/etc/postfix/s\n",
            "master.cf": MASTER,
        }
    )
    text = BLOCK.text + "sender_dependent_relayhost_maps =\n"
    assert "sender_dependent_relayhost_maps" not in files.run(block=replace(BLOCK, text=text)).named
    kept = {"sender_dependent_relayhost_maps": "hash:/etc/postfix/s"}
    assert (
        "sender_dependent_relayhost_maps" in files.run(block=replace(BLOCK, text=text), parameters=kept).named
    )
    assert files.values()["sender_dependent_relayhost_maps"] == "hash:/etc/postfix/s"


OWN_FILTER = HAND_MADE + "smtp_sasl_mechanism_filter = plain, login\n"
OFFERED = ["PLAIN", "LOGIN", "DIGEST-MD5", "CRAM-MD5"]


@pytest.mark.parametrize(
    ("own", "proven", "offered", "expected"),
    [
        (DEBIAN, "plain", OFFERED, "plain"),
        (HAND_MADE.replace("smtp_sasl_password_maps", "#"), "plain", OFFERED, "plain"),
        (HAND_MADE, "plain", ["PLAIN", "LOGIN"], ""),
        (HAND_MADE, "plain", [], ""),
        (HAND_MADE, "plain", OFFERED, "!digest-md5, !cram-md5, static:all"),
        (HAND_MADE, "login", OFFERED, "!plain, !digest-md5, !cram-md5, static:all"),
        (HAND_MADE, "cram-md5", OFFERED, "!digest-md5, static:all"),
        (HAND_MADE, "", OFFERED, ""),
        (OWN_FILTER, "plain", OFFERED, "!digest-md5, !cram-md5, plain, login"),
        (OWN_FILTER, "plain", ["PLAIN"], ""),
        (OWN_FILTER.replace("= plain", "= !digest-md5, plain"), "plain", ["DIGEST-MD5"], ""),
        (OWN_FILTER.replace("= plain,", "="), "plain", ["PLAIN"], "plain, login"),
        (
            OWN_FILTER.replace("= plain, login", "= !plain, static:all"),
            "plain",
            [],
            "plain, !plain, static:all",
        ),
    ],
)
def test_a_filter_of_mechanisms_narrows_no_login_at_another_relay(
    own: str, proven: str, offered: list[str], expected: str
) -> None:
    text = BLOCK.text + (f"smtp_sasl_mechanism_filter = {proven}\n" if proven else "")
    wish = BlockWish(text, BLOCK.prepend, BLOCK.default, BLOCK.stock, offered=offered)
    body, _gone = managed._main_block(Request(block=wish), own, own is DEBIAN, DEFAULTS)
    assert MainCf(body).get("smtp_sasl_mechanism_filter") == expected


def test_a_table_of_the_hosts_own_is_not_touched(files: Files) -> None:
    files.update({"sasl_passwd": "[r]:587 joe:secret\n", "sasl_passwd.db": "compiled"})
    before = dict(files)
    wish = {"files": [FileWish("sasl_passwd", "[r]:587 u:p\n", sensitive=True, block=True)]}
    for _run in range(2):
        files.run(**wish)
        assert {path: files[path] for path in ("sasl_passwd", "sasl_passwd.db")} == {
            path: before[path] for path in ("sasl_passwd", "sasl_passwd.db")
        }
        assert "[r]:587 u:p\n" in files["mailops_sasl_passwd"]
        first = files.values()["smtp_sasl_password_maps"].split(", ")[0]
        assert first == "texthash:/etc/postfix/mailops_sasl_passwd"
    files.run(restore="original")
    assert dict(files) == before


def test_a_block_in_a_table_of_the_hosts_own_is_in_that_table(files: Files) -> None:
    """Where nothing names it as a table that comes before the host's."""
    files["virtual"] = "postmaster@example.org joe\n"
    before = dict(files)
    files.run(files=[FileWish("virtual", "abuse@example.org joe\n", block=True)])
    assert files["virtual"].startswith(before["virtual"]) and "abuse@example.org joe\n" in files["virtual"]
    files.run(restore="original")
    assert dict(files) == before


@pytest.mark.parametrize(
    ("sensitive", "content", "says"),
    [
        (False, "a x\n", "virtual: 3 rows of this host's own (b, c, d) go,"),
        (False, "a x\nb y\nc z\n", "virtual: 1 row of this host's own (d) goes,"),
        (True, "a x\n", "virtual: 3 rows of this host's own go,"),
        (False, "d 4\nc 3\nb 2\na 1\n", ""),
    ],
)
def test_rows_that_go_with_a_file_given_whole_are_told(sensitive: bool, content: str, says: str) -> None:
    files = Files({"main.cf": HAND_MADE, "master.cf": MASTER, "virtual": "a 1\nb 2\nc 3\nd 4\n"})
    warnings = files.run(files=[FileWish("virtual", content, sensitive=sensitive)]).warnings
    assert [says] == [text[: len(says)] for text in warnings] if says else not warnings
    assert not files.run(files=[FileWish("virtual", content, sensitive=sensitive)]).warnings


def test_a_second_run_changes_nothing(files: Files) -> None:
    wish = {"files": [FileWish("sasl_passwd", "[r]:587 u:p\n", sensitive=True, block=True)]}
    files.run(**wish)
    once = dict(files)
    files.run(**wish)
    assert dict(files) == once


# What role postfix asks for with a route of implicit TLS.
IMPLICIT: list[dict[str, Any]] = [
    {
        "service": "relay-implicit",
        "type": "unix",
        "like": "smtp",
        "command": "smtp",
        "options": {"smtp_tls_wrappermode": "yes", "smtp_tls_security_level": "secure"},
    }
]


@pytest.mark.parametrize(
    ("columns", "options"),
    [
        ("- - n - -", {}),
        ("- - y - -", {}),
        ("- n n - 3", {}),
        ("- - y - -", {"smtp_bind_address": "192.0.2.7", "smtp_helo_name": "out.example.com"}),
        ("- - n - -", {"smtp_tls_security_level": "may", "x": "a b"}),
    ],
)
def test_the_transport_with_implicit_tls_is_the_hosts_smtp_client(
    files: Files, columns: str, options: dict[str, str]
) -> None:
    own = "".join(f" -o {{ {name} = {value} }}" for name, value in options.items())
    files["master.cf"] = f"smtp unix {columns} smtp{own}\n"
    for _run in range(2):
        files.run(services=IMPLICIT)
        once = dict(files)
        entry = MasterCf(files["master.cf"]).get("relay-implicit", "unix")
        assert " ".join((entry.private, entry.unpriv, entry.chroot, entry.wakeup, entry.maxproc)) == columns
        assert dict(entry.options) == {
            **options,
            "smtp_tls_wrappermode": "yes",
            "smtp_tls_security_level": "secure",
        }
    files.run(services=IMPLICIT)
    assert dict(files) == once
    # Somebody gives the client another address: the next run follows, and what postfix_services says of it as well.
    files["master.cf"] = files["master.cf"].replace("192.0.2.7", "192.0.2.8", 1)
    change = {"service": "smtp", "type": "unix", "options": {"smtp_tls_loglevel": "2"}}
    files.run(services=[*IMPLICIT, change])
    entries = [MasterCf(files["master.cf"]).get(name, "unix") for name in ("smtp", "relay-implicit")]
    assert [entry.option("smtp_tls_loglevel") for entry in entries] == ["2", "2"]
    assert entries[0].option("smtp_bind_address") == entries[1].option("smtp_bind_address")


def test_what_is_no_longer_named_goes_and_the_hosts_own_is_back(files: Files) -> None:
    files["kept"] = "the host's own\n"
    files.run()
    before = {path: text for path, text in files.items() if path != managed.STATE}
    files.run(
        parameters={"myhostname": "other.example.com", "mydestination": None, "biff": "no"},
        services=[
            {"service": "2525", "type": "inet", "command": "smtpd"},
            {"service": "smtp", "type": "unix", "options": {"smtp_tls_loglevel": "2"}},
        ],
        files=[FileWish("virtual", "a b\n"), FileWish("kept", "ours\n")],
    )
    values = files.values()
    assert values["myhostname"] == "other.example.com"
    assert "mydestination" not in values
    assert MasterCf(files["master.cf"]).get("2525", "inet")
    assert MasterCf(files["master.cf"]).get("smtp", "unix").option("smtp_tls_loglevel") == "2"
    assert files["kept"] == "ours\n"
    files.run()
    assert {path: text for path, text in files.items() if path != managed.STATE} == before


def test_the_way_back_to_the_original_is_every_byte(files: Files) -> None:
    before = dict(files)
    files.run(
        files=[FileWish("sasl_passwd", "[r]:587 u:p\n", sensitive=True, block=True), FileWish("new", "x\n")]
    )
    files.run(parameters={"myhostname": "z"})
    made = files.run(restore="original")
    assert dict(files) == before
    assert made.wishes["main.cf"].mode == 0o644
    assert made.wishes["main.cf"].owner == (0, 0)


def test_the_way_back_keeps_what_others_wrote_since(files: Files) -> None:
    original = files["main.cf"]
    files.run()
    files["main.cf"] += "message_size_limit = 1\n"
    files.run(restore="original")
    assert files["main.cf"] == original + "message_size_limit = 1\n"


def test_the_previous_block_comes_back_with_the_passwords_of_now(files: Files) -> None:
    def table(port: int, password: str) -> dict[str, Any]:
        rows = f"[r]:{port} u:{password}\n"
        return {"files": [FileWish("sasl_passwd", rows, sensitive=True, block=True)]}

    files.run(**table(587, "old"), parameters={"biff": "no"})
    first = files["main.cf"]
    files.run(**table(2525, "new"), parameters={"biff": "yes"})
    assert "old" not in json.dumps(files[managed.STATE])
    files.run(restore="previous")
    assert files["main.cf"] == first
    assert "[r]:587 u:new\n" in files["sasl_passwd"]


def test_the_previous_of_the_first_change_is_the_original(files: Files) -> None:
    before = dict(files)
    files.run()
    files.run(restore="previous")
    assert dict(files) == before


def test_without_a_change_there_is_none_to_take_back(files: Files) -> None:
    with pytest.raises(managed.ManagedError, match="no change"):
        files.run(restore="previous")
    assert files.run(restore="original").wishes == {}


def test_a_password_that_is_kept_nowhere_is_not_made_up(files: Files) -> None:
    files.run(files=[FileWish("sasl_passwd", "[r]:587 u:p\n", sensitive=True, block=True)])
    files.run()
    with pytest.raises(managed.ManagedError, match="kept in no copy"):
        files.run(restore="previous")


def test_a_relay_never_gets_the_password_of_another_one(files: Files) -> None:
    both = "[a.example]:587 u:of-a\n[b.example]:587 u:of-b\n"
    files.run(files=[FileWish("sasl_passwd", both, sensitive=True, block=True)])
    files.run(files=[FileWish("sasl_passwd", "[b.example]:587 u:of-b\n", sensitive=True, block=True)])
    with pytest.raises(managed.ManagedError, match="kept in no copy"):
        files.run(restore="previous")


def test_another_port_of_a_relay_has_its_password(files: Files) -> None:
    both = "[a.example]:587 u:of-a\n[a.example]:465 u:of-a\n[b.example]:587 u:of-b\n"
    files.run(files=[FileWish("sasl_passwd", both, sensitive=True, block=True)])
    kept = "[a.example]:587 u:of-a\n[b.example]:587 u:of-b\n"
    files.run(files=[FileWish("sasl_passwd", kept, sensitive=True, block=True)])
    files.run(restore="previous")
    assert "[a.example]:465 u:of-a\n" in files["sasl_passwd"]


def test_replace_puts_everything_else_out_of_force_and_back(files: Files) -> None:
    files.run()
    before = files["main.cf"]
    wish = BlockWish(text="relayhost = [r]:587\n", stock={"inet_interfaces": "loopback-only"}, replace=True)
    files.run(block=wish)
    assert files.values() == {
        "relayhost": "[r]:587",
        "compatibility_level": "3.6",
        "inet_interfaces": "loopback-only",
    }
    files.run(restore="original")
    assert files["main.cf"] == block.undo(before)


def test_what_the_role_once_wrote_whole_is_taken_over() -> None:
    files = Files(
        {
            "main.cf": f"{managed.FORMER}. A change\nrelayhost = [r]:25\nmailbox_size_limit = 1\n",
            "master.cf": MASTER + "relay-implicit unix - - n - - smtp\n  -o smtp_tls_wrappermode=yes\n",
            "tls_policy": f"{managed.FORMER}.\n[r]:25 secure\n",
            "sasl_passwd": f"{managed.FORMER}.\n[r]:25 u:p\n",
        }
    )
    made = files.run(files=[FileWish("tls_policy", "[r]:587 secure\n", block=True)])
    assert made.stock
    assert "mailbox_size_limit" not in files.values()
    assert files["master.cf"] == MASTER
    assert "sasl_passwd" not in files
    assert "[r]:25" not in files["tls_policy"]


@pytest.mark.parametrize("path", ["main.cf", "master.cf", managed.STATE])
def test_a_file_that_holds_a_block_is_not_given_whole(files: Files, path: str) -> None:
    with pytest.raises(managed.ManagedError, match="parameters and services"):
        files.run(files=[FileWish(path, "x\n")])


def test_a_change_inside_the_block_is_told_and_lost(files: Files) -> None:
    files.run()
    once = files["main.cf"]
    files["main.cf"] = once.replace("[r]:587", "[mine]:25")
    assert any("somebody changed" in text for text in files.run().warnings)
    assert files["main.cf"] == once


@pytest.mark.parametrize(
    ("change", "stock"),
    [
        ({}, True),
        ({"mynetworks": "127.0.0.0/8, 10.0.0.0/8"}, False),
        ({"virtual_alias_maps": "hash:/etc/postfix/v"}, False),
        ({"mydestination": "$myhostname, example.org"}, False),
        ({"mydestination": "$myhostname, localhost.localdomain, localhost, web1"}, True),
        ({"inet_interfaces": "10.0.0.1"}, False),
        ({"smtpd_milters": "inet:localhost:8891"}, False),
        ({"multi_instance_enable": "yes"}, False),
        ({"relayhost": "smtp.example.com"}, True),
        ({"default_transport": "error"}, True),
        ({"default_transport": "uucp:gate"}, False),
        ({"mailbox_size_limit": "52428800"}, False),
    ],
)
def test_a_main_cf_is_stock_only_where_nothing_was_changed(change: dict[str, str], stock: bool) -> None:
    assert distributions.is_stock({**MainCf(DEBIAN).values(), **change}, ["web1.example.com"]) is stock


def side(main: str, master: str = MASTER) -> losses.Side:
    values = MainCf(main).values()
    return losses.Side(values, {**DEFAULTS, **values}, MasterCf(master).services)


@pytest.mark.parametrize(
    ("old", "new", "said", "name"),
    [
        (
            "inet_interfaces = all",
            "inet_interfaces = loopback-only",
            "port smtp no longer",
            "inet_interfaces",
        ),
        ("", "inet_interfaces = localhost", "port smtp no longer answers", "inet_interfaces"),
        (
            "mydestination = a.org, b.org",
            "mydestination = a.org",
            "mail for b.org is no longer",
            "mydestination",
        ),
        ("virtual_alias_domains = b.org", "", "mail for b.org is no longer", "virtual_alias_domains"),
        ("mailbox_command = /x", "mailbox_command = /y", "was /x, becomes /y", "mailbox_command"),
        ("transport_maps = hash:/a", "transport_maps = hash:/b", "no longer reads hash:/a", "transport_maps"),
        ("multi_instance_directories = /b", "", "instances in /b", "multi_instance_directories"),
    ],
)
def test_what_a_change_takes_is_said(old: str, new: str, said: str, name: str) -> None:
    found = losses.losses(side(old), side(new))
    assert [loss for loss in found if said in loss.sentence and name in loss.names], found


def test_a_service_that_is_gone_is_said() -> None:
    found = losses.losses(side(""), side("", "smtp unix - - y - - smtp\n"))
    assert [loss.names for loss in found] == [frozenset({"smtp/inet"})]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mydestination = a.org\n", "mydestination =\nvirtual_alias_domains = a.org\n"),
        ("alias_maps = hash:/a\n", "alias_maps = texthash:/b, hash:/a\n"),
        ("relayhost =\n", "relayhost = [r]:587\n"),
        ("mailbox_size_limit = 0\n", "mailbox_size_limit=0\nbiff = no\n"),
    ],
)
def test_what_moves_or_is_added_is_no_loss(old: str, new: str) -> None:
    assert losses.losses(side(old), side(new)) == []


def test_copies_for_the_chroot_are_compared_and_brought_in_step(tmp_path: Path) -> None:
    queue, etc = tmp_path / "queue", tmp_path / "etc"
    (queue / "etc").mkdir(parents=True)
    etc.mkdir()
    (etc / "resolv.conf").write_text("nameserver 192.0.2.1\n")
    (etc / "hosts").write_text("127.0.0.1 localhost\n")
    (queue / "etc" / "hosts").write_text("127.0.0.1 localhost\n")
    assert chroot.stale_copies(str(queue), str(etc)) == ["resolv.conf"]
    chroot.copy(str(queue), ["resolv.conf"], str(etc))
    assert chroot.stale_copies(str(queue), str(etc)) == []


@pytest.mark.parametrize(
    ("column", "level", "chrooted"),
    [("y", "3.6", True), ("n", "0", False), ("-", "3.6", False), ("-", "0", True)],
)
def test_whether_the_client_is_chrooted(column: str, level: str, chrooted: bool) -> None:
    services = MasterCf(f"smtp unix - - {column} - - smtp\n").services
    assert chroot.clients_chrooted(services, {"compatibility_level": level}) is chrooted


@pytest.mark.parametrize(
    ("old", "main", "master"),
    [(0o666, 0o644, 0o644), (0o664, 0o644, 0o644), (0o600, 0o644, None), (0o644, None, None)],
)
def test_the_mode_of_main_cf_is_part_of_the_wish(
    tmp_path: Path, old: int, main: int | None, master: int | None
) -> None:
    for name in ("main.cf", "master.cf"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(old)
    wish = Request(config_directory=str(tmp_path), files=[FileWish("main.cf", ""), FileWish("master.cf", "")])
    changes = {each.path: each.mode for each in make_plan(wish, str(tmp_path)).changes}
    assert changes == {path: mode for path, mode in (("main.cf", main), ("master.cf", master)) if mode}


def test_a_compiled_table_goes_with_its_source_and_with_the_password_in_it(tmp_path: Path) -> None:
    for name in ("main.cf", "master.cf", "sasl_passwd", "sasl_passwd.db", "old", "old.lmdb", "used.db"):
        (tmp_path / name).write_text("")
    wish = Request(
        config_directory=str(tmp_path),
        files=[
            FileWish("sasl_passwd", "[r]:587 u:p\n", sensitive=True),
            FileWish("old", absent=True),
        ],
    )
    removed = {each.path for each in make_plan(wish, str(tmp_path)).changes if each.action == "removed"}
    assert removed == {"sasl_passwd.db", "old", "old.lmdb"}


def test_only_the_last_backups_of_that_file_are_kept(tmp_path: Path) -> None:
    names = [f"main.cf.{pid}.2026-01-0{day}@00:00:00~" for day, pid in ((3, 1), (1, 9), (2, 5))]
    for name in (
        *names,
        "main.cf.proto",
        "main.cf.1.2026-01-01@00:00:00",
        "master.cf.1.2026-01-01@00:00:00~",
    ):
        (tmp_path / name).write_text("")
    prune_backups(str(tmp_path), "main.cf", 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [
            names[0],
            names[2],
            "main.cf.proto",
            "main.cf.1.2026-01-01@00:00:00",
            "master.cf.1.2026-01-01@00:00:00~",
        ]
    )


# ------------------------------------------------------------------ services that are alone on their port

OF_A_HAND = """\
smtp inet n - y - - smtpd
submission inet n - y - - smtpd
  -o smtpd_tls_wrappermode=yes
# kept
127.0.0.1:587 inet n - y - - smtpd
465 inet n - y - - smtpd -o smtpd_milters=inet:localhost:1
submissions unix - - n - - smtp
"""
OURS = [
    {
        "service": port,
        "type": "inet",
        "private": "n",
        "command": "smtpd",
        "options": {"a": port},
        "exclusive": True,
    }
    for port in ("587", "465")
]


@pytest.mark.parametrize("ending", ["", "\n"], ids=["without a last line break", "with one"])
def test_a_service_alone_on_its_port_replaces_all_on_it_and_they_come_back(ending: str) -> None:
    master = OF_A_HAND.rstrip("\n") + ending
    files = Files({"main.cf": HAND_MADE, "master.cf": master})
    made = files.run(services=OURS)
    entries = {"/".join(entry.key): entry for entry in MasterCf(files["master.cf"]).services}
    assert [*entries] == ["smtp/inet", "submissions/unix", "587/inet", "465/inet"]
    assert entries["465/inet"].options == (("a", "465"),)
    assert {"587/inet", "465/inet", "submission/inet", "127.0.0.1:587/inet"} <= made.named
    once = dict(files)
    assert files.run(services=OURS).warnings == []
    assert dict(files) == once
    files.run(services=OURS[1:])
    assert "submission/inet" in {"/".join(entry.key) for entry in MasterCf(files["master.cf"]).services}
    files.run()
    assert files["master.cf"] == master


def test_a_port_is_taken_away_by_whatever_name_it_has() -> None:
    for name in ("smtp", "25", "0.0.0.0:smtp", "[::1]:25"):
        files = Files({"main.cf": HAND_MADE, "master.cf": OF_A_HAND.replace("smtp inet", f"{name} inet")})
        before = files["master.cf"]
        made = files.run(services=[{"service": "smtp", "type": "inet", "exclusive": True, "state": "absent"}])
        assert not [
            each for each in MasterCf(files["master.cf"]).services if each.service.endswith(("smtp", "25"))
        ]
        assert f"{name}/inet" in made.named
        files.run()
        assert files["master.cf"] == before


def test_what_listens_by_another_name_on_the_same_port_is_no_loss() -> None:
    old = losses.Side({}, {}, MasterCf("submission inet n - y - - smtpd\n").services)
    for new, lost in (("587 inet n - n - - smtpd\n", 0), ("2525 inet n - n - - smtpd\n", 1)):
        assert len(losses.losses(old, losses.Side({}, {}, MasterCf(new).services))) == lost


def test_a_service_can_be_added_after_the_last_one_is_removed() -> None:
    master = MasterCf("a unix - - n - - smtp\nb unix - - n - - smtp")
    master.merge(
        [
            {"service": "b", "type": "unix", "state": "absent"},
            {"service": "c", "type": "unix", "command": "smtp"},
        ]
    )
    assert [entry.service for entry in MasterCf(master.text()).services] == ["a", "c"]


# ------------------------------------------------------------------ listeners for others

UNREACHABLE = "nobody can reach it"


@pytest.mark.parametrize(
    ("own", "text", "parameters", "refused"),
    [
        ("", "", {}, False),
        ("inet_interfaces = all", "", {}, False),
        ("inet_interfaces = 192.0.2.1, 127.0.0.1", "", {}, False),
        ("inet_interfaces = loopback-only", "", {}, True),
        ("inet_interfaces = 127.0.0.1, [::1]", "", {}, True),
        ("where = localhost\ninet_interfaces = $where", "", {}, True),
        ("inet_interfaces = loopback-only", "inet_interfaces = loopback-only\n", {}, False),
        ("inet_interfaces = loopback-only", "", {"inet_interfaces": "localhost"}, False),
    ],
)
def test_who_is_to_reach_it_is_not_kept_out_by_what_nobody_named(
    own: str, text: str, parameters: dict[str, str], refused: bool
) -> None:
    main = HAND_MADE.replace("inet_interfaces = all", own)
    files = Files({"main.cf": main, "master.cf": MASTER})
    wish = BlockWish(text=text, reachable=UNREACHABLE)
    if refused:
        with pytest.raises(managed.ManagedError, match=UNREACHABLE):
            files.run(block=wish, parameters=parameters)
    else:
        files.run(block=wish, parameters=parameters)


# ------------------------------------------------------------------ a certificate of the host's own

OWN = FileWish("own.pem", mode=0o600, sensitive=True, self_signed=True)


def test_a_certificate_is_made_once_and_again_for_another_name_and_goes_away() -> None:
    files = Files({"main.cf": HAND_MADE, "master.cf": MASTER})
    files.run(files=[OWN])
    first = files["own.pem"]
    assert der.names(first) == ("mx.example.org",)
    files.run(files=[OWN])
    assert files["own.pem"] == first
    files.run(files=[OWN], parameters={"myhostname": "mail.example.org"})
    assert der.names(files["own.pem"]) == ("mail.example.org",)
    assert "PRIVATE KEY" not in files[managed.STATE]
    files.run()
    assert "own.pem" not in files
    # The key is kept nowhere, so the way back brings another one.
    files.run(restore="previous")
    assert der.names(files["own.pem"]) == ("mx.example.org",)


def test_where_postfix_is_not_installed_no_certificate_is_made() -> None:
    made = managed.compute(
        Request(block=BLOCK, files=[OWN]),
        Files({"main.cf": "", "master.cf": ""}).live()._replace(defaults={}),
    )
    assert made.wishes["own.pem"].content == ""


@pytest.mark.parametrize(
    ("name", "days", "good"),
    [("mail.example.org", 0, True), ("mail.example.org", 3615, True), ("mail.example.org", 3625, False),
     ("example.org", 0, False), ("mail.example.or", 0, False)],
)  # fmt: skip
def test_a_certificate_is_good_for_its_name_until_its_last_month(name: str, days: int, good: bool) -> None:
    made = own_certificate.kept_or_made("", "mail.example.org")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(made)
        file.flush()
        context.load_cert_chain(file.name)
    assert own_certificate.is_good(made, name, time.time() + days * 86400 + 1) is good
    assert not own_certificate.is_good(made.partition("-----BEGIN CERT")[0], name, time.time())


def test_a_name_of_250_letters_has_a_certificate_and_one_that_openssl_refuses_is_told() -> None:
    name = ".".join(["a" * 62] * 3 + ["b" * 58])
    assert der.names(own_certificate.kept_or_made("", name)) == (name,)
    with pytest.raises(ValueError, match="could not make a self-signed certificate for 'a\\\\nb'"):
        own_certificate.kept_or_made("", "a\nb")


def test_without_openssl_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_certificate, "find_program", lambda name: None)
    with pytest.raises(ValueError, match="postfix_submission_cert_file"):
        own_certificate.kept_or_made("", "mail.example.org")
