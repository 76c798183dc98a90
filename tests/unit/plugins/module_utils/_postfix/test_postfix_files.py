"""main.cf, master.cf, tables, expansion and next hops as data."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files import (
    expansion,
    lines,
    main_cf,
    master_cf,
    nexthop,
    table,
)

MAIN = """\
# a comment
relayhost = [old.example.com]

mynetworks = 127.0.0.0/8,
# inside
    [::1]/128
biff=no
empty =
"""


def merged(text: str, **changes: Any) -> str:
    main = main_cf.MainCf(text)
    main.merge(changes)
    return main.text()


def test_text_survives_unchanged() -> None:
    for text in (MAIN, MAIN.rstrip("\n"), "", "\n\n# x\n", "  odd\n" + MAIN):
        assert main_cf.MainCf(text).text() == text
        assert merged(text) == text


def test_values_and_lines() -> None:
    main = main_cf.MainCf(MAIN)
    assert main.values() == {
        "relayhost": "[old.example.com]",
        "mynetworks": "127.0.0.0/8, [::1]/128",
        "biff": "no",
        "empty": "",
    }
    assert [main.line_of(name) for name in ("relayhost", "mynetworks", "biff", "none")] == [2, 4, 7, 0]


def test_merge_edits_in_place_and_keeps_comments() -> None:
    assert merged(MAIN, relayhost="[new.example.com]:587", mynetworks=["127.0.0.0/8"], fresh=True) == (
        "# a comment\nrelayhost = [new.example.com]:587\n\nmynetworks = 127.0.0.0/8\n# inside\n"
        "biff=no\nempty =\nfresh = yes\n"
    )


def test_null_removes_and_equal_values_are_left_alone() -> None:
    assert (
        merged(MAIN, relayhost=None, mynetworks=None, nothing=None)
        == "# a comment\n\n# inside\nbiff=no\nempty =\n"
    )
    assert merged(MAIN, mynetworks="127.0.0.0/8,  [::1]/128", biff=False, empty="") == MAIN


def test_last_duplicate_wins_and_merge_leaves_one() -> None:
    text = "a = 1\nb = 2\na = 3\n"
    main = main_cf.MainCf(text)
    assert main.get("a") == "3"
    assert [(each.name, each.line) for each in main.duplicates()] == [("a", 1)]
    assert merged(text, a=4) == "b = 2\na = 4\n"


def test_missing_last_newline_is_added_before_a_new_line() -> None:
    assert merged("a = 1", b=2) == "a = 1\nb = 2\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (50, "50"),
        (None, None),
        ("", ""),
        ("a\n  b", "a b"),
        (["a", 1, True], "a, 1, yes"),
        ([], ""),
        ("3.10", "3.10"),
        (3.6, "3.6"),
        (2.0, "2"),
        ("  x ", "x"),
    ],
)
def test_typed_values(value: Any, text: str | None) -> None:
    assert lines.parameter_value("x", value) == text


@pytest.mark.parametrize(
    ("name", "value"), [("x", {"a": 1}), ("compatibility_level", 3.1), ("x", "a\x00b"), ("x", "a\x7f")]
)
def test_values_without_certain_meaning_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        lines.parameter_value(name, value)


@pytest.mark.parametrize("name", ["a b", "a=b", "", "#a", "a\nb"])
def test_bad_parameter_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a parameter name"):
        merged("", **{name: 1})


MASTER = """\
# service type  private unpriv  chroot  wakeup  maxproc command + args
smtp      inet  n       -       y       -       -       smtpd
#submission inet n - y - - smtpd
  # still a comment
relay     unix  -       -       y       -       -       smtp
        -o syslog_name=postfix/$service_name
#       -o smtp_helo_timeout=5
        -o { smtp_bind_address = 127.0.0.1 } -v
uucp      unix  -       n       n       -       -       pipe
  flags=Fqhu user=uucp argv=uux -r -n -z -a$sender - $nexthop!rmail ($recipient)
"""


def changed(text: str, *changes: dict[str, Any]) -> str:
    master = master_cf.MasterCf(text)
    master.merge(changes)
    return master.text()


def test_services_are_read() -> None:
    master = master_cf.MasterCf(MASTER)
    assert master.text() == MASTER
    assert [entry.key for entry in master.services] == [("smtp", "inet"), ("relay", "unix"), ("uucp", "unix")]
    relay = master.get("relay", "unix")
    assert relay is not None
    assert relay.options == (("syslog_name", "postfix/$service_name"), ("smtp_bind_address", "127.0.0.1"))
    assert (relay.arguments, relay.line, relay.option("none")) == (("-v",), 5, None)
    uucp = master.get("uucp", "unix")
    assert uucp is not None
    assert uucp.arguments[0] == "flags=Fqhu"


def test_merge_changes_only_what_it_names() -> None:
    result = changed(
        MASTER, {"service": "relay", "type": "unix", "options": {"smtp_bind_address": None, "x": "a b"}}
    )
    assert result == MASTER.replace(
        """\
relay     unix  -       -       y       -       -       smtp
        -o syslog_name=postfix/$service_name
#       -o smtp_helo_timeout=5
        -o { smtp_bind_address = 127.0.0.1 } -v
""",
        """\
relay     unix  -       -       y       -       -       smtp -v
  -o syslog_name=postfix/$service_name
  -o { x = a b }
#       -o smtp_helo_timeout=5
""",
    )
    assert changed(result, {"service": "relay", "type": "unix", "options": {"x": "a b"}}) == result


def test_new_absent_and_unchanged_services() -> None:
    new = {
        "service": "587",
        "type": "inet",
        "private": False,
        "command": "smtpd -v",
        "options": {"a": True, "b": ""},
    }
    result = changed(MASTER, new)
    assert result == MASTER + (
        "587       inet  n       -       n       -       -       smtpd -v\n  -o a=yes\n  -o b=\n"
    )
    assert changed(result, new) == result
    assert changed(result, {"service": "587", "type": "inet", "state": "absent"}) == MASTER
    assert changed(MASTER, {"service": "no", "type": "inet", "state": "absent"}) == MASTER
    assert changed(MASTER, {"service": "smtp", "type": "inet", "chroot": "y", "command": "smtpd"}) == MASTER


LIKE = {"service": "new", "type": "unix", "like": "smtp", "options": {"smtp_tls_wrappermode": True}}


@pytest.mark.parametrize(
    ("text", "changes", "entry"),
    [
        (
            "smtp unix - - y - 7 smtp -v -o a=1 -o { b = c d }\n",
            [LIKE],
            "new unix - - y - 7 smtp -v -o a=1 -o { b = c d } -o smtp_tls_wrappermode=yes",
        ),
        # What is named comes on top.
        (
            "smtp unix - - y - - smtp -v -o a=1 -o smtp_tls_wrappermode=no\n",
            [{**LIKE, "chroot": "n", "command": "smtp"}],
            "new unix - - n - - smtp -o a=1 -o smtp_tls_wrappermode=yes",
        ),
        ("smtp unix - n - - - smtp -o a=1\n", [{**LIKE, "options": {"a": None}}], "new unix - n - - - smtp"),
        # It follows the other, whatever it was itself, and in any order.
        (
            "smtp unix - - n - - smtp\nnew unix - - y - - smtp -o old=1\n",
            [LIKE],
            "new unix - - n - - smtp -o smtp_tls_wrappermode=yes",
        ),
        (
            "smtp unix - - n - - smtp\n",
            [LIKE, {"service": "smtp", "type": "unix", "chroot": "y", "options": {"a": "1"}}],
            "new unix - - y - - smtp -o a=1 -o smtp_tls_wrappermode=yes",
        ),
        # A later change to it is of its own.
        (
            "smtp unix - - n - - smtp\n",
            [LIKE, {"service": "new", "type": "unix", "options": {"b": "2"}}],
            "new unix - - n - - smtp -o smtp_tls_wrappermode=yes -o b=2",
        ),
        # Only one of the same type, and as if it were not named without it.
        (
            "smtp inet n - y - - smtpd\n",
            [{**LIKE, "command": "smtp"}],
            "new unix - - n - - smtp -o smtp_tls_wrappermode=yes",
        ),
    ],
)
def test_a_service_that_is_like_another(text: str, changes: list[dict[str, Any]], entry: str) -> None:
    master = master_cf.MasterCf(text)
    master.merge(changes)
    found = master.get("new", "unix")
    assert found is not None
    assert found.same(master_cf.parse_service(entry))
    once = master.text()
    master.merge(changes)
    assert master.text() == once


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"like": "smtp"}, "service smtp/inet: like names the service itself"),
        ({"service": "new", "like": "other"}, "needs a command"),
        ({"chroot": "z"}, "service smtp/inet: chroot is 'z': write y, n or -"),
        ({"wakeup": "soon"}, "wakeup is 'soon'"),
        ({"maxproc": -1}, "maxproc is '-1'"),
        ({"service": "new"}, "needs a command"),
        ({"service": "a b"}, "no white space"),
        ({"type": "tcp"}, "type 'tcp' does not exist"),
        ({"options": {"a b": 1}}, "is not a parameter name"),
        ({"command": "smtpd -o x"}, "no = follows the name"),
        ({"command": "smtpd -o"}, "-o at the end"),
        ({"command": "smtpd -o x = y"}, "write -o"),
        ({"command": "smtpd -o { x = y"}, "a { without its }"),
    ],
)
def test_bad_services_are_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError) as error:
        changed(MASTER, {"service": "smtp", "type": "inet", **change})
    assert says in str(error.value)


def test_lines_that_are_no_service_are_told() -> None:
    master = master_cf.MasterCf("smtp inet n - y\nsmtp tcp n - y - - smtpd\n")
    assert [
        (number, "columns" in why or "does not exist" in why) for number, _text, why in master.bad_lines
    ] == [
        (1, True),
        (2, True),
    ]


def test_tables_and_their_duplicate_keys() -> None:
    rows = table.parse_map('# c\nA@example.com  b c\n  d\n"key with space" v\na@EXAMPLE.com x\nlonely\n')
    assert rows == [
        ("A@example.com", "b c d", 2),
        ("key with space", "v", 4),
        ("a@EXAMPLE.com", "x", 5),
        ("lonely", "", 6),
    ]
    assert [row.line for row in table.duplicate_keys(rows)] == [5]


LOOKUP = {"a": "1", "b": "$a", "loop": "$loop", "compatibility_level": "3.6", "queue": "/q"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("x$a-${b}", "x1-1"),
        ("${a?yes}${none?no}", "yes"),
        ("${none:def}${a:def}", "def1"),
        ("${none?{x}:{y}}", "y"),
        ("$$a", "$a"),
        ("$none.", "."),
        ("$(a)", "1"),
        ("${{$a} == {1} ? {$b} : {no}}", "1"),
        ("${{$compatibility_level} <level {3.10} ? {old} : {new}}", "old"),
        ("${{$a} != {1} ? {x}}", ""),
        ("${queue}/p", "/q/p"),
        ("${stress?{1}:{20}}", "20"),
    ],
)
def test_expansion(text: str, expanded: str) -> None:
    assert expansion.expand(text, LOOKUP) == expanded


@pytest.mark.parametrize("text", ["$loop", "${a", "${{a} ~ {b} ? {c}}", "$ x", "${}"])
def test_what_cannot_be_expanded_is_not_guessed(text: str) -> None:
    with pytest.raises(expansion.CannotExpand):
        expansion.expand(text, LOOKUP)


@pytest.mark.parametrize(
    ("text", "host", "port", "bracketed"),
    [
        ("example.com", "example.com", 25, False),
        ("[a.example.com]", "a.example.com", 25, True),
        ("[a.example.com]:587", "a.example.com", 587, True),
        ("example.com:submission", "example.com", 587, False),
        ("[192.0.2.1]:2525", "192.0.2.1", 2525, True),
        ("[2001:db8::1]:587", "2001:db8::1", 587, True),
        ("[ipv6:2001:db8::1]", "2001:db8::1", 25, True),
        ("bücher.example", "bücher.example", 25, False),
    ],
)
def test_next_hops(text: str, host: str, port: int, bracketed: bool) -> None:
    assert nexthop.parse_next_hop(text)[:4] == (text, host, port, bracketed)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("[a.example.com:587", "write [a.example.com]:587"),
        ("a.example.com]:587", "write [a.example.com]:587"),
        ("[a.example.com:587]", "write [a.example.com]:587"),
        ("[a.example.com]587", "write [a.example.com]:587"),
        ("a.example.com:", "write a.example.com:587"),
        ("2001:db8::1", "write [2001:db8::1]"),
        ("smtp://a.example.com:587/", "write [a.example.com]:587"),
        ("[a]:70000", "outside of 1 to 65535"),
        ("[a]:smpt", "numeric ports"),
        ("[]:25", "no host"),
        ("[a b]", "not a host name"),
        ("[1.2.3.400]", "not an IPv4"),
        ("[12::g:1]", "not an IPv6"),
        ("[a]:", "no port follows"),
        ("a..b", "not a host name"),
    ],
)
def test_broken_next_hops_say_what_to_write(text: str, remedy: str) -> None:
    with pytest.raises(ValueError) as error:
        nexthop.parse_next_hop(text)
    assert remedy in str(error.value)


@pytest.mark.parametrize(
    ("main", "master", "hops"),
    [
        ("", "", []),
        ("relayhost =\n", "", []),
        (
            "relayhost = [a.example.com]:587, [b.example.com]:2525\n",
            "",
            [("a.example.com", 587, False), ("b.example.com", 2525, False)],
        ),
        (
            "h = a.example.com\nrelayhost = [$h]:465\nsmtp_tls_wrappermode = yes\n",
            "",
            [("a.example.com", 465, True)],
        ),
        (
            "relayhost = [no.example.com]\ndefault_transport = wrapped:[a.example.com]:465\n",
            "wrapped unix - - n - - smtp -o smtp_tls_wrappermode=yes\n",
            [("a.example.com", 465, True)],
        ),
        ("relayhost = [broken\n", "", []),
        (
            "#mailops.smtp# relayhost = [old.example.com]\n# BEGIN mailops.smtp: x\n# {}\n"
            "default_transport = relay-implicit:[a.example.com]:465, [b.example.com]:465\nrelayhost =\n"
            "# END mailops.smtp\n",
            "relay-implicit unix - - n - - smtp\n  -o smtp_tls_wrappermode=yes\n",
            [("a.example.com", 465, True), ("b.example.com", 465, True)],
        ),
        (
            "default_transport =   relay-implicit: [a.example.com]:2465\n",
            "relay-implicit unix - - n - - smtp -o { smtp_tls_wrappermode = yes }\n",
            [("a.example.com", 2465, True)],
        ),
        (
            "default_transport = smtp\nrelayhost\t=\n [a.example.com]:587\n",
            "",
            [("a.example.com", 587, False)],
        ),
        ("relayhost = [a.example.com]:submission\n", "", [("a.example.com", 587, False)]),
        ('relayhost = "[a.example.com]:587"\n', "", []),
    ],
)
def test_next_hops_of_a_host(
    tmp_path: Path, main: str, master: str, hops: list[tuple[str, int, bool]]
) -> None:
    (tmp_path / "main.cf").write_text(main)
    (tmp_path / "master.cf").write_text(master)
    assert nexthop.next_hops(str(tmp_path)) == hops


def test_next_hops_without_postfix(tmp_path: Path) -> None:
    assert nexthop.next_hops(str(tmp_path / "none")) == []
