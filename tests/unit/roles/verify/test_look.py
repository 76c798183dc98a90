"""What look.py makes of files and of what Postfix's programs print."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT / "roles" / "verify" / "files" / "suite"))

import os

import look

MAIN_CF = """\
message_size_limit = 10000000
# BEGIN mailops.smtp: written by Ansible. What is outside of this block stays; a change inside it is lost.
# {"glue": 1, "lines": 4}
relayhost = [relay.example.com]:587,
    [relay.example.com]:2525
myhostname = mail1.example.com
# END mailops.smtp
"""


@pytest.mark.parametrize(
    ("behind", "found"),
    [
        ("", []),
        ("message_size_limit = 50000000\n", []),
        ("relayhost = [relay.example.com]:587\n# between\n  [relay.example.com]:2525\n", []),
        ("myhostname = other.example\nmyhostname = mail1.example.com\n", []),
        ("\n# mine\nrelayhost = [192.0.2.5]:25\n", [("relayhost", 10, "[192.0.2.5]:25")]),
        ("relayhost =\n", [("relayhost", 8, "")]),
        ("relayhost =\n  [192.0.2.5]\n", [("relayhost", 8, "[192.0.2.5]")]),
    ],
)
def test_what_is_set_otherwise_behind_the_block_is_seen(
    behind: str, found: list[tuple[str, int, str]]
) -> None:
    seen = look.set_again(MAIN_CF + behind)
    assert [(each["name"], each["line"], each["value"]) for each in seen] == found


def test_a_main_cf_without_a_block_has_nothing_behind_it() -> None:
    assert look.set_again("relayhost = a\nrelayhost = b\n") == []


OVERRIDING = "postmap: warning: /etc/postfix/main.cf, line 41: overriding earlier entry: x_maps=hash:{path}\n"


@pytest.mark.parametrize(
    ("kind", "code", "said", "problem"),
    [
        ("hash", 1, "", ""),
        ("hash", 1, OVERRIDING, ""),
        ("regexp", 1, "postmap: warning: regexp map {path}, line 1: ignoring unrecognized request\n", ""),
        ("hash", 1, "postmap: fatal: bad numeric configuration: default_process_limit = x\n", ""),
        ("hash", 1, "postmap: fatal: /etc/postfix/main.cf, line 3: missing '=' after attribute name\n", ""),
        ("hash", 1, OVERRIDING + "postmap: fatal: open database {path}.db: Permission denied\n",
         "open database {path}.db: Permission denied"),
        ("hash", 1, "postmap: fatal: table hash:{path}: query error: Success\n" + OVERRIDING,
         "table hash:{path}: query error: Success"),
        ("texthash", 1, "postmap: warning: {path}, line 2: duplicate entry: \"x\"\n" + OVERRIDING,
         "{path}, line 2: duplicate entry: \"x\""),
    ],
)  # fmt: skip
def test_a_table_is_judged_by_what_is_said_of_it(
    kind: str, code: int, said: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "virtual"
    for name in (path, tmp_path / "virtual.db"):
        name.write_text("")
    answer: Any = (code, "", said.format(path=path))
    monkeypatch.setattr(look, "run", lambda *_command: answer)
    assert look.problem_of(kind, str(path), ["hash", "regexp", "texthash"]) == problem.format(path=path)


ONE = "nameserver 192.0.2.1\nsearch example.com\noptions edns0 rotate\n"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("# written by hand\n; so too\n" + ONE, True),
        ("domain other.example\n" + ONE, True),
        ("options rotate\nnameserver\t192.0.2.1 # here\noptions edns0\nsearch  example.com", True),
        (ONE + "nameserver 192.0.2.2\n", False),
        ("nameserver 192.0.2.2\n" + ONE, False),
        (ONE + "search other.example\n", False),
        (ONE + "options timeout:1\n", False),
        ("", False),
    ],
)
def test_a_resolv_conf_is_what_the_resolver_takes_from_it(text: str, same: bool) -> None:
    assert (look.resolver(text) == look.resolver(ONE)) is same


def test_only_three_name_servers_count_and_none_is_this_host() -> None:
    three = "".join(f"nameserver 192.0.2.{number}\n" for number in (1, 2, 3))
    assert look.resolver(three) == look.resolver(three + "nameserver 192.0.2.4\n")
    assert look.resolver("") == look.resolver("nameserver 127.0.0.1\n")


@pytest.mark.parametrize("built_from", ["there", "missing"])
def test_a_table_that_was_never_built_tells_of_its_source(
    built_from: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if built_from == "there":
        (tmp_path / "virtual").write_text("")
    monkeypatch.setattr(look, "run", lambda *_command: (0, "hash\ntexthash\n", ""))
    values = {
        "virtual_alias_maps": f"hash:{tmp_path}/virtual",
        "transport_maps": f"texthash:{tmp_path}/transport",
    }
    found = {each["parameter"]: each["source"] for each in look.tables(values, local=True)}
    assert found == {"virtual_alias_maps": built_from, "transport_maps": ""}


@pytest.mark.parametrize(
    ("mode", "below", "uid", "usable"),
    [
        (0o755, 0o755, 5000, False),
        (0o777, 0o755, 5000, True),
        (0o755, 0o777, 5000, True),
        (0o755, 0o755, None, True),
    ],
)
def test_virtual_mailboxes_are_looked_at_as_their_user_would(
    mode: int, below: int, uid: int | None, usable: bool, tmp_path: Path
) -> None:
    base = tmp_path / "vmail"
    (base / "example.com").mkdir(parents=True)
    (base / "example.com").chmod(below)
    base.chmod(mode)
    values = {
        "virtual_transport": "virtual", "virtual_mailbox_domains": "example.com", "virtual_mailbox_base": str(base),
        "virtual_uid_maps": f"static:{os.getuid() if uid is None else uid}", "virtual_gid_maps": "static:5000",
    }  # fmt: skip
    assert look.virtual_mailboxes(values)["usable"] is usable
    assert look.virtual_mailboxes({**values, "virtual_transport": "lmtp:unix:private/lmtp"}) == {}
    assert look.virtual_mailboxes({**values, "virtual_uid_maps": "hash:/etc/postfix/uids"}) == {}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a, b\tc,,d", ["a", "b", "c", "d"]),
        ("cidr:{{0.0.0.0/0 OK}, {::/0 OK}} b", ["cidr:{{0.0.0.0/0 OK}, {::/0 OK}}", "b"]),
        ("{ a b", ["{ a b"]),
        ("", []),
    ],
)
def test_a_list_is_split_outside_of_braces(value: str, words: list[str]) -> None:
    assert look.split_list(value) == words


def test_what_is_a_table_in_a_list() -> None:
    words = look.split_list(
        "permit_mynetworks, check_policy_service inet:127.0.0.1:10023, check_policy_service "
        "{ unix:private/x, timeout=9 } check_helo_access hash:/h, check_client_access proxy:cidr:/c, !static:all, "
        "[2001:db8::]/32, 10.0.0.0/8"
    )
    assert look.tables_in(words) == [("hash:/h", True), ("cidr:/c", False), ("static:all", False)]


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        ("", {"a": "x y"}),
        ("postmap: warning: cidr map /c, line 2: bad address pattern\n", {"a": "x y"}),
        ("postmap: fatal: open /c: No such file or directory\n", None),
        ("postmap did not answer within 5 s", None),
    ],
)
def test_a_table_that_cannot_be_asked_has_no_answers(
    said: str, answers: dict[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "run", lambda *_command, **_more: (0, "a\tx y\n", said))
    assert look.table_answers("cidr:/c", ["a"]) == answers


def test_only_tables_of_a_type_that_is_there_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "run", lambda *_command, **_more: (0, "hash\n", ""))
    assert look.ask_tables([("hash:/a", False), ("inet:127.0.0.1:1", False)], []) == {
        "answers": {"hash:/a": {}},
        "rows": {},
    }


def test_files_in_lists_of_networks_are_read(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text(f"# mine\n10.0.0.0/8 cidr:/n\n  {second}\n")
    second.write_text("static:all\n")
    files: dict[str, list[str]] = {}
    words = look.words_of_files([f"!{first}", "127.0.0.0/8"], files)
    assert files == {str(first): ["10.0.0.0/8", "cidr:/n", str(second)], str(second): ["static:all"]}
    assert {"cidr:/n", "static:all"} < set(words)
