"""Values in every form: what they mean, and what is said of those that mean nothing."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("yaml", reason="the controller's side needs PyYAML")

from ansible_collections.mailops.smtp.plugins.module_utils._route.fact import parse_parameters
from ansible_collections.mailops.smtp.plugins.plugin_utils import variables
from ansible_collections.mailops.smtp.plugins.plugin_utils.variables import Undefined, Wrong, check, typed

STR = {"type": "str"}
BOOL = {"type": "bool"}
INT = {"type": "int"}
FLOAT = {"type": "float"}
LIST = {"type": "list", "elements": "str"}
INTS = {"type": "list", "elements": "int"}
PATHS = {"type": "list", "elements": "path"}
DICT = {"type": "dict"}
RAW = {"type": "raw"}
SECRET = {"type": "str", "no_log": True}
AUTH = {"type": "str", "choices": ["auto", "plain", "cram-md5"]}
YN = {"type": "str", "choices": ["y", "n", "-"]}
ENTRIES = {
    "type": "list",
    "elements": "dict",
    "options": {
        "path": {"type": "str", "required": True},
        "content": {"type": "str"},
        "mode": {"type": "str"},
        "sensitive": {"type": "bool", "default": False},
    },
}

MEANS: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("text", STR, "a b", "a b"),
    ("blanks around", STR, " \ta\n", "a"),
    ("Jinja left over", STR, "{{ a }} {% b", "{{ a }} {% b"),
    ("a number for text", STR, 587, "587"),
    ("a whole float for text", STR, 587.0, "587"),
    ("a path with other letters", STR, "/etc/ssl/größe.pem", "/etc/ssl/größe.pem"),
    ("a long value", STR, "x" * 20000, "x" * 20000),
    ("choice", AUTH, "PLAIN", "plain"),
    ("choice", AUTH, " Cram-MD5 ", "cram-md5"),
    ("choice", YN, "Y", "y"),
    ("choice", YN, False, "n"),
    ("choice", YN, True, "y"),
    *[
        ("true", BOOL, value, True)
        for value in (True, "true", "True", "YES", "on", "1", " yes ", 1, 1.0, "y")
    ],
    *[("false", BOOL, value, False) for value in (False, "false", "No", "off", "0", 0, "n", "f")],
    ("int", INT, 587, 587),
    ("int", INT, "587", 587),
    ("int", INT, " 587\n", 587),
    ("int", INT, 587.0, 587),
    ("int", INT, "587.0", 587),
    ("float", FLOAT, "2.5", 2.5),
    ("float", FLOAT, 2, 2.0),
    ("list", LIST, ["a", "b"], ["a", "b"]),
    ("list", LIST, "a", ["a"]),
    ("list", LIST, "a, b", ["a", "b"]),
    ("list", LIST, "a b\nc,,d", ["a", "b", "c", "d"]),
    ("list", LIST, '["a", "b"]', ["a", "b"]),
    ("list", LIST, "['a', 'b']", ["a", "b"]),
    ("list", LIST, "[a, b]", ["a", "b"]),
    ("list", LIST, "- a\n- b", ["a", "b"]),
    ("list", LIST, ("a", None, "", " b "), ["a", "b"]),
    ("list", LIST, "127.0.0.0/8 [::1]/128", ["127.0.0.0/8", "[::1]/128"]),
    ("list", LIST, "[::1]", ["[::1]"]),
    ("list", LIST, "[::1]/128", ["[::1]/128"]),
    ("list", LIST, "[::1]/128, [fe80::]/10", ["[::1]/128", "[fe80::]/10"]),
    ("list", LIST, "[127.0.0.1], [::1]", ["[127.0.0.1]", "[::1]"]),
    ("list", LIST, "a, { b, c } d", ["a", "{ b, c }", "d"]),
    ("list", LIST, "hash:/etc/x", ["hash:/etc/x"]),
    ("ints", INTS, "587, 2525", [587, 2525]),
    ("ints", INTS, "587 2525", [587, 2525]),
    ("ints", INTS, ["587", 2525.0], [587, 2525]),
    ("ints", INTS, ["587, 2525"], [587, 2525]),
    ("ints", INTS, 587, [587]),
    ("ints", INTS, "[587, 2525]", [587, 2525]),
    ("paths", PATHS, "my report.json, b.html", ["my report.json", "b.html"]),
    ("paths", PATHS, ["my report.json"], ["my report.json"]),
    ("dict", DICT, {"a": 1, "b": [True, "x"]}, {"a": 1, "b": [True, "x"]}),
    ("dict", DICT, '{"root": "ops@example.com"}', {"root": "ops@example.com"}),
    ("dict", DICT, "{root: ops@example.com}", {"root": "ops@example.com"}),
    ("dict", DICT, "root: ops@example.com", {"root": "ops@example.com"}),
    ("dict", DICT, "root=ops@example.com", {"root": "ops@example.com"}),
    ("dict", DICT, "a = 1\nb = 2 3", {"a": "1", "b": "2 3"}),
    ("dict", DICT, "a=1, b=2", {"a": "1", "b": "2"}),
    ("dict", DICT, [], {}),
    ("dict", DICT, {5: "x"}, {"5": "x"}),
    ("raw", RAW, " 587 ", "587"),
    ("raw", RAW, {"a": ["x"]}, {"a": ["x"]}),
    ("entries", ENTRIES, [{"path": "x", "content": "a\nb\n"}], [{"path": "x", "content": "a\nb\n"}]),
    ("entries", ENTRIES, '[{"path": "x", "sensitive": "no"}]', [{"path": "x", "sensitive": False}]),
    ("entries", ENTRIES, [{"path": "x", "mode": 420}], [{"path": "x", "mode": "0644"}]),
    ("entries", ENTRIES, [{"path": "x", "mode": "640"}], [{"path": "x", "mode": "0640"}]),
    ("entries", ENTRIES, [{"path": "x", "mode": None}], [{"path": "x"}]),
    ("secret", SECRET, "p w:ö{{ x", "p w:ö{{ x"),
    ("secret", SECRET, " pw", " pw"),
    ("secret", SECRET, 12345, "12345"),
]


@pytest.mark.parametrize("_what, option, value, meaning", MEANS)
def test_a_value_means(_what: str, option: dict[str, Any], value: Any, meaning: Any) -> None:
    name = "postfix_maps" if option is ENTRIES else "x"
    got = typed(name, option, value)
    assert got == meaning
    assert type(got) is type(meaning)
    assert typed(name, option, got) == got, "a typed value means itself"


# (name, option, value, every part that the sentence must have)
REFUSED: list[tuple[str, dict[str, Any], Any, tuple[str, ...]]] = [
    ("postfix_myhostname", STR, "a\nrelayhost = evil", ("postfix_myhostname", "line break", "on one line")),
    ("v", STR, "a\rb", ("v is 'a\\rb'", "line break")),
    ("v", STR, "a\0b", ("NUL character", "remove it")),
    ("v", STR, "a\tb", ("tab",)),
    ("v", STR, "a\x1bb", ("control character",)),
    ("v", STR, "a\x7fb", ("control character",)),
    ("v", STR, {"a": 1}, ("v is a mapping", "one value")),
    ("v", STR, ["a"], ("v is a list", "one value")),
    ("v", STR, True, ("true, a truth value", "quotation marks")),
    ("postfix_relay_host", STR, "rélay.example", ("ASCII", "write xn--rlay-bpa.example")),
    ("postfix_myhostname", STR, "mail.example\u00a0", ("ASCII", "write it without")),
    ("postfix_relay_port", STR, "pop3", ("postfix_relay_port is 'pop3'", "1 to 65535", "auto")),
    ("postfix_relay_ports", INTS, [2525, "pop3"], ("postfix_relay_ports[1] is 'pop3'", "1 to 65535")),
    ("postfix_relay_host", STR, "my relay", ("postfix_relay_host: 'my relay'",)),
    ("postfix_relay_host", STR, "smtp://u:p@relay.example.com", ("host name alone",)),
    *[
        (name, STR, value, parts)
        for name in ("postfix_test_recipient", "preflight_recipient", "verify_test_recipient")
        for value, parts in [
            ("Inbox <inbox@example.test>", ("the address alone; write inbox@example.test",)),
            ("<inbox@example.test>", ("write inbox@example.test",)),
            ("inbox", ("without a domain", "local@domain")),
            ("inbox@", ("no mail address",)),
            ("@example.test", ("no mail address",)),
            ("a@example.test, b@example.test", ("one address",)),
            ("a b@example.test", ("no mail address",)),
            ("inbox@example..test", ("no mail address",)),
            ("<>", ("no mail address",)),
            ("größe@example.test", ("ASCII",)),
        ]
    ],
    ("preflight_sender", STR, "<>", ("the null sender", "none to try no sender")),
    ("postfix_test_sender", STR, "<>", ("the null sender", "leave it out")),
    ("verify_test_sender", STR, "Web <web1@example.com>", ("write web1@example.com",)),
    *[
        (name, STR, value, (f"{name} is", "RFC 1123", "web1.example.com"))
        for name in ("postfix_myhostname", "preflight_helo_name")
        for value in (
            "my host",
            "my_host.example.com",
            "-a.example.com",
            "a..b",
            "a" * 64,
            "192.0.2.1",
            "a@b.c",
        )
    ],
    ("postfix_myorigin", STR, "ops@example.com", ("postfix_myorigin is", "not a domain; write example.com")),
    ("postfix_mydestination", LIST, ["a", "b;c"], ("postfix_mydestination[1]", "not a domain")),
    (
        "postfix_mynetworks",
        LIST,
        "10.0.0.1/8",
        ("postfix_mynetworks[0]: '10.0.0.1/8' has host bits", "10.0.0.0/8"),
    ),
    ("postfix_mynetworks", LIST, ["127.0.0.0/8", "::1/128"], ("postfix_mynetworks[1]", "write [::1]/128")),
    ("postfix_mynetworks", LIST, ["10.0.0.0/33"], ("postfix_mynetworks[0]", "not an IPv4 network")),
    (
        "postfix_inet_interfaces",
        LIST,
        "10.0.0.1/24",
        ("postfix_inet_interfaces[0]", "is a network", "10.0.0.1"),
    ),
    ("postfix_inet_interfaces", LIST, "all 10.0.0.1", ("postfix_inet_interfaces[0]", "all stands alone")),
    ("postfix_inet_interfaces", LIST, ["300.0.0.1"], ("postfix_inet_interfaces[0]", "neither an address")),
    ("postfix_maps", ENTRIES, {"virtual": "a b"}, ("write postfix_maps: [{path: virtual, content: ...}]",)),
    (
        "postfix_maps",
        ENTRIES,
        [{"path": "/etc/postfix/virtual"}],
        ("postfix_maps[0].path is", "write virtual"),
    ),
    ("postfix_maps", ENTRIES, [{"path": "/srv/x/generic"}], ("postfix_maps[0].path is", "write generic")),
    ("postfix_maps", ENTRIES, [{"path": "../virtual"}], ("postfix_maps[0].path is", "below")),
    ("postfix_services", ENTRIES, "smtp", ("{service: submission, type: inet",)),
    ("postfix_parameters", DICT, {"smtpd_banner": "a\nb"}, ("postfix_parameters.smtpd_banner", "line break")),
    ("postfix_parameters", DICT, {"myhostname": "a\nb"}, ("postfix_parameters.myhostname", "line break")),
    ("postfix_relay_port", STR, 70000, ("1 to 65535",)),
    (
        "postfix_relay_auth",
        AUTH,
        "PLAN",
        ("is 'PLAN', and takes auto, plain or cram-md5", "did you mean plain?"),
    ),
    ("postfix_relay_auth", AUTH, "xyz", ("takes auto, plain or cram-md5",)),
    ("v", BOOL, "maybe", ("v is 'maybe', and takes true or false",)),
    ("v", BOOL, 2, ("v is 2",)),
    ("v", BOOL, [], ("v is a list",)),
    ("v", INT, "many", ("v is 'many', and takes a number",)),
    ("v", INT, True, ("v is true, and takes a number",)),
    ("v", INT, 1.5, ("a whole number",)),
    ("v", INT, -1, ("not below 0",)),
    ("v", INT, "٣", ("takes a number",)),
    ("v", FLOAT, float("inf"), ("takes a number",)),
    ("v", FLOAT, "nan", ("takes a number",)),
    ("verify_timeout", INT, "10s", ("'10s'", "seconds as a number, such as 10")),
    ("verify_timeout", INT, 0, ("greater than 0",)),
    ("postfix_relay_ports", INTS, [0], ("postfix_relay_ports[0] is 0", "1 to 65535")),
    ("postfix_relay_ports", INTS, "587;2525", ("postfix_relay_ports[0] is '587;2525'",)),
    ("v", LIST, {"a": 1}, ("v is a mapping, and takes a list", "write v: [first, second]")),
    ("v", LIST, True, ("v is true, and takes a list",)),
    ("v", LIST, ["a\nb"], ("v[0]", "line break")),
    ("v", LIST, "a\0b", ("v is", "NUL")),
    ("v", LIST, [{"a": 1}], ("v[0] is a mapping",)),
    ("v", DICT, "nonsense", ("v is 'nonsense', and takes a mapping",)),
    ("v", DICT, "a=1 b=2", ("takes a mapping",)),
    ("v", DICT, ["a"], ("v is a list",)),
    ("v", DICT, {"a": {"b": 1}}, ("v.a is a mapping",)),
    ("v", DICT, {"a": "x\ny"}, ("v.a is", "line break")),
    ("v", DICT, {"a\nb": "x"}, ("a key of v", "line break")),
    ("v", DICT, {False: "x"}, ("key false", "quotation marks")),
    ("v", ENTRIES, "text", ("takes a list of mappings",)),
    ("v", ENTRIES, {"path": "x"}, ("v is a mapping, and takes a list",)),
    ("v", ENTRIES, [{"content": "x"}], ("v[0].path is not set",)),
    ("v", ENTRIES, [{"path": "x", "contents": "y"}], ("v[0] has no key 'contents'", "did you mean content?")),
    ("v", ENTRIES, [{"path": "x", "mode": 644}], ("v[0].mode is the number 644", 'write mode: "0644"')),
    ("v", ENTRIES, [{"path": "x", "mode": "rw-r--r--"}], ('"0644"',)),
    ("postfix_maps", ENTRIES, [{"path": "x", "content": "a\0"}], ("postfix_maps[0].content", "NUL")),
    ("postfix_relay_password", SECRET, "hunter2 ", ("ends with a blank", "cuts")),
    ("postfix_relay_password", SECRET, "hunter2\n", ("line break",)),
    ("postfix_relay_password", SECRET, "hunter2\nx", ("line break",)),
    ("postfix_relay_password", SECRET, "hunter2\0x", ("NUL",)),
    ("postfix_relay_password", SECRET, {"hunter2": "hunter2"}, ("is a mapping",)),
    ("postfix_relay_password", SECRET, True, ("truth value", "quotation marks")),
    ("postfix_relay_username", STR, "ops:hunter2", ("holds a colon", "not shown", "variable of its own")),
    ("postfix_relay_username", STR, "hunter2 ", ("blank", "not shown")),
    ("postfix_relay_username", STR, "hunter2\n", ("line break", "not shown")),
    ("postfix_relay_username", STR, "ops\nhunter2", ("line break", "not shown")),
    ("postfix_relays[1].username", STR, "hunter2\0", ("control character", "not shown")),
    ("postfix_relay_host", STR, "relay.example.com:hunter2", ("not a port", "not shown")),
    ("postfix_relays[1].host", STR, "[relay.example.com]:hunter2", ("not a port", "not shown")),
    ("postfix_relay_host", STR, "relay.example.com:587:ops:hunter2", ("colons",)),
    ("postfix_relays[0].host", STR, "b\u00fccher.example", ("only ASCII", "write xn--bcher-kva.example")),
    ("postfix_relays[0].port", STR, "sometimes", ("takes a port", "or auto")),
    ("verify_relay_host", STR, "smtp://relay.example.com:hunter2", ("not a port", "not shown")),
    (
        "preflight_relays",
        {"type": "list", "no_log": True},
        [{"password": "hunter2\nx"}],
        ("preflight_relays",),
    ),
]


@pytest.mark.parametrize("name, option, value, parts", REFUSED)
def test_a_value_is_refused_with_its_name(
    name: str, option: dict[str, Any], value: Any, parts: tuple[str, ...]
) -> None:
    with pytest.raises(Wrong) as error:
        typed(name, option, value)
    said = str(error.value)
    assert [part for part in (name, *parts) if part not in said] == [], said
    assert "\n" not in said
    assert len(said) < 400
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "name, kind, value",
    [
        ("postfix_test_recipient", STR, "o'hara+test@mail.example.test"),
        ("postfix_test_recipient", STR, '"a b"@example.test'),
        ("postfix_test_recipient", STR, "inbox@[192.0.2.1]"),
        ("postfix_test_sender", STR, "root"),
        ("preflight_sender", STR, "none"),
        ("preflight_sender", STR, "bounces@_spf.example.com"),
        ("postfix_myhostname", STR, "web1"),
        ("postfix_myhostname", STR, "web1.$mydomain"),
        ("preflight_helo_name", STR, "[192.0.2.1]"),
        ("postfix_myorigin", STR, "/etc/mailname"),
        ("postfix_myorigin", STR, "$myhostname"),
        (
            "postfix_mydestination",
            LIST,
            ["$myhostname", "localhost.$mydomain", "/etc/x", "hash:/etc/y", "a_b.example"],
        ),
        (
            "postfix_mynetworks",
            LIST,
            ["127.0.0.0/8", "[::1]/128", "!10.0.0.1", "/etc/x", "cidr:/etc/y", "mx.example"],
        ),
        ("postfix_inet_interfaces", LIST, ["127.0.0.1", "[::1]", "$myhostname", "web1.example.com"]),
        ("postfix_inet_interfaces", LIST, ["loopback-only"]),
        ("postfix_relay_host", STR, "smtps://relay.example.com"),
        ("postfix_relay_host", STR, "[2001:db8::1]:587"),
        ("postfix_maps", ENTRIES, [{"path": "maps/virtual", "content": "a\nb"}]),
        ("postfix_parameters", DICT, {"smtpd_banner": "a"}),
    ],
)
def test_a_value_that_means_something_stays_as_it_is(name: str, kind: dict[str, Any], value: Any) -> None:
    assert typed(name, kind, value) == value


@pytest.mark.parametrize(
    "name, kind, value, means",
    [
        ("postfix_relay_port", STR, "Submission", "587"),
        ("postfix_relay_port", STR, "submissions", "465"),
        ("postfix_relay_ports", INTS, [2525, "smtps"], [2525, 465]),
        ("postfix_relay_ports", INTS, "submission, 2525", [587, 2525]),
        ("preflight_port", RAW, "smtp", "25"),
        ("verify_relay_port", INT, "submission", 587),
    ],
)
def test_a_port_has_a_name(name: str, kind: dict[str, Any], value: Any, means: Any) -> None:
    assert typed(name, kind, value) == means


def test_what_is_joined_to_one_line_may_be_written_over_several() -> None:
    free = {"smtpd_foo": "a,\n  b", "smtpd_recipient_restrictions": "permit_mynetworks\nreject\n"}
    joined = {"smtpd_foo": "a, b", "smtpd_recipient_restrictions": "permit_mynetworks reject"}
    assert typed("postfix_parameters", DICT, free) == joined
    value = {"mynetworks": "127.0.0.0/8\n  10.0.0.0/8,\n\t192.0.2.0/24\n"}
    assert typed("postfix_parameters", DICT, value) == {"mynetworks": "127.0.0.0/8 10.0.0.0/8, 192.0.2.0/24"}
    with pytest.raises(Wrong, match=r"postfix_aliases\.root"):
        typed("postfix_aliases", DICT, {"root": "a\nb: c"})


@pytest.mark.parametrize("empty", [None, "", "  ", "\n"])
@pytest.mark.parametrize(
    "kind, default", [("bool", True), ("int", 10), ("dict", {}), ("list", []), ("str", "auto")]
)
def test_empty_is_the_default(empty: Any, kind: str, default: Any) -> None:
    got = check({"v": {"type": kind, "default": default}}, {"v": empty}, {"v": default})
    assert got == ({"v": default}, [], frozenset())


def test_an_empty_text_is_a_value_where_the_default_is_computed() -> None:
    spec = {"verify_relay_host": STR, "verify_relay_port": INT, "preflight_ports": INTS}
    defaults = {"verify_relay_host": "r.example", "verify_relay_port": 587, "preflight_ports": [25]}
    assert check(spec, dict.fromkeys(spec, ""), defaults).values == {
        "verify_relay_host": "",
        "verify_relay_port": 587,
        "preflight_ports": [],
    }
    assert check(spec, dict.fromkeys(spec), defaults).values == defaults


def test_a_password_of_blanks_is_not_an_empty_one() -> None:
    got = check({"postfix_relay_password": {**SECRET, "default": ""}}, {"postfix_relay_password": " "}, {})
    assert got.values == {}
    assert "ends with a blank" in got.complaints[0]


def test_all_complaints_come_at_once() -> None:
    got = check(
        {"a": INT, "b": BOOL, "c": STR, "d": STR},
        {"a": "x", "b": "y z", "c": Undefined("c is not."), "d": "d"},
        {},
    )
    assert got.values == {"d": "d"}
    assert [one[:2] for one in got.complaints] == ["a ", "b ", "c "]


def test_no_secret_is_public() -> None:
    spec = {"p": SECRET, "maps": ENTRIES, "s": STR}
    maps = [{"path": "a", "content": "open"}, {"path": "b", "content": "hunter2", "sensitive": True}]
    relays = {"type": "list", "elements": "dict", "options": {"host": STR, "password": SECRET}}
    given = {"p": "hunter2", "maps": maps, "s": "x", "relays": [{"host": "r", "password": "hunter2"}]}
    assert variables.public({**spec, "relays": relays}, given) == {
        "maps": [{"path": "a", "content": "open"}, {"path": "b", "sensitive": True}],
        "s": "x",
        "relays": [{"host": "r"}],
    }


@pytest.mark.parametrize("name", ["postfix_relay_port", "postfix_relays[0].port"])
@pytest.mark.parametrize(
    "given, meant", [("AUTO", "auto"), ("Auto", "auto"), ("submission", "587"), (465, "465")]
)
def test_a_port_of_one_relay_is_understood_as_that_of_all(name: str, given: Any, meant: str) -> None:
    assert typed(name, STR, given) == meant


def test_a_user_name_that_is_a_secret_is_not_public_and_two_are_not_one() -> None:
    """Postmark and others take one token as user name and password."""
    option = {"type": "list", "elements": "dict", "options": {"username": STR, "password": SECRET}}
    spec = {"postfix_relay_username": STR, "postfix_relay_password": SECRET, "postfix_relays": option}
    one = {"postfix_relay_username": "t0ken", "postfix_relay_password": "t0ken"}
    assert variables.public(spec, one) == {"postfix_relay_username": "********"}
    assert variables.relays(one)[0]["username"] == "********"
    several = {
        "postfix_relays": [
            {"username": "t0ken", "password": "t0ken"},
            {"username": "other", "password": "other"},
            {"username": "t0ken", "password": "t0ken"},
            {"username": "ops", "password": "x"},
        ]
    }
    names = ["********", "********2", "********", "ops"]
    assert [each["username"] for each in variables.public(spec, several)["postfix_relays"]] == names
    assert [each["username"] for each in variables.relays(several)] == names


KNOWN = [
    "postfix_relay_host", "postfix_relay_port", "postfix_relay_ports", "postfix_relay_username",
    "postfix_relay_password", "postfix_relay_tls", "postfix_myhostname", "postfix_mynetworks", "postfix_parameters",
    "postfix_services", "postfix_maps", "preflight_relays", "verify_timeout",
]  # fmt: skip


@pytest.mark.parametrize(
    "name, meant",
    [
        ("postfix_relayhost", "postfix_relay_host"),
        ("postfix_relay_hostname", "postfix_relay_host"),
        ("postfix_relay_hosts", "postfix_relay_host"),
        ("postfix_RelayHost", "postfix_relay_host"),
        ("postfix_smtp_relay", "postfix_relay_host"),
        ("postfix_smtp_relay_host", "postfix_relay_host"),
        ("postfix_relay_user", "postfix_relay_username"),
        ("postfix_relay_usrname", "postfix_relay_username"),
        ("postfix_relay_pasword", "postfix_relay_password"),
        ("postfix_relay_prot", "postfix_relay_port"),
        ("postfix_my_hostname", "postfix_myhostname"),
        ("postfix_mynetwork", "postfix_mynetworks"),
        ("postfix_parameter", "postfix_parameters"),
        ("preflight_relay", "preflight_relays"),
    ],
)
def test_a_name_that_is_nearly_right_is_pointed_out(name: str, meant: str) -> None:
    assert variables.near_misses([name], KNOWN, ("preflight_", "postfix_")) == [(name, meant)]


@pytest.mark.parametrize(
    "name",
    [
        "postfix_exporter_port", "postfix_admin_password", "postfix_virtual_domains", "postfix_dkim_selector",
        "postfix_queue_alert_threshold", "postfix_version", "postfix_relay_host", "postfix__relay_hos", "relayhost",
        "verify_timeouts", "postfix_domain", "postfix_install", "postfix_enabled", "postfix_map_dir",
    ],
)  # fmt: skip
def test_a_name_of_somebody_else_is_left_alone(name: str) -> None:
    assert variables.near_misses([name], KNOWN, ("preflight_", "postfix_")) == []


def test_a_name_of_the_inventory_may_have_any_letters() -> None:
    waivers = [{"host": "wéb-ü*", "reason": "r", "until": "2027-01-31"}]
    spec = {"type": "list", "elements": "dict", "options": dict.fromkeys(waivers[0], STR)}
    assert typed("preflight_waivers", spec, waivers) == waivers
    mesh = typed("preflight_mesh", {"type": "list", "elements": "raw"}, [{"host": "wéb-ü1"}])
    assert mesh[0]["host"] == "wéb-ü1"
    with pytest.raises(Wrong, match="only ASCII is understood"):
        typed("postfix_relays", {**spec, "options": {"host": STR}}, [{"host": "wéb"}])


MISS = variables.NearMiss("postfix_relayhost", "postfix_relay_host")
NO_RELAY = {"postfix_relay_host": "", "postfix_relay_provider": ""}
TOKEN = {
    "postfix_relay_host": "r",
    "postfix_relay_auth": "xoauth2",
    "postfix_relay_username": "u",
    "postfix_relay_password": "",
    "postfix_relay_oauth_client_id": "c",
    "postfix_relay_oauth_client_secret": "",
    "postfix_relay_oauth_refresh_token": "t",
    "postfix_relay_oauth_endpoint": "https://login.example.com/token",
}
BOB = {"host": "r.example:587", "username": "bob", "password": "p"}
ACCOUNT = {"host": "r", "username": "u", "oauth_refresh_token": "t"}
TOKENS = {
    "postfix_relays": [ACCOUNT],
    **{name: TOKEN[name] for name in TOKEN if "oauth" in name and "refresh" not in name},
}
LOGIN = {"postfix_relay_host": "r", "postfix_relay_username": "u", "postfix_relay_password": "p"}


UNPROBED = {"postfix_preflight": False, "postfix_relay_host": "r.example", "postfix_relay_port": "auto"}


@pytest.mark.parametrize(
    "role, values, complaints, misses, parts",
    [
        ("postfix", NO_RELAY, [], [], ["postfix_relay_host", "postfix_direct: true"]),
        ("postfix", {**NO_RELAY, "postfix_direct": True}, [], [], []),
        ("postfix", NO_RELAY, [], [MISS], ["postfix_relayhost is set", "did you mean postfix_relay_host?"]),
        ("postfix", NO_RELAY, ["postfix_relay_host refers to x"], [], []),
        ("postfix", {"postfix_relay_host": "r"}, [], [MISS], []),
        ("preflight", {"preflight_relays": [{"host": "", "password": ""}]}, [], [], ["preflight_relays"]),
        ("preflight", {"preflight_relays": [{"host": ""}]}, [], [MISS], ["did you mean"]),
        ("preflight", {"preflight_relays": ["r"]}, [], [], []),
        (
            "preflight",
            {"postfix_direct": True},
            [],
            [],
            ["postfix_direct is true", "preflight_relays", ":25"],
        ),
        ("preflight", {"postfix_direct": True, "preflight_relays": ["mx.example.net:25"]}, [], [], []),
        ("verify", {}, [], [MISS], []),
        ("postfix", LOGIN, [], [], []),
        ("postfix", {**LOGIN, "postfix_relay_password": ""}, [], [], ["postfix_relay_password is empty"]),
        (
            "postfix",
            {**LOGIN, "postfix_relay_key_file": "/k", "postfix_relay_cert_file": ""},
            [],
            [],
            ["postfix_relay_key_file is set and postfix_relay_cert_file is empty"],
        ),
        ("postfix", {**LOGIN, "postfix_relay_username": ""}, [], [], ["postfix_relay_username is empty"]),
        ("postfix", {**LOGIN, "postfix_relay_username": "", "postfix_relay_auth": "none"}, [], [], []),
        ("postfix", TOKEN, [], [], []),
        (
            "postfix",
            {**TOKEN, "postfix_relay_oauth_refresh_token": ""},
            [],
            [],
            [
                "postfix_relay_auth is xoauth2, and postfix_relay_oauth_refresh_token is empty: Postfix gets the access"
            ],
        ),
        (
            "postfix",
            {**TOKEN, "postfix_relay_oauth_client_id": "", "postfix_relay_username": ""},
            [],
            [],
            ["postfix_relay_username and postfix_relay_oauth_client_id are empty"],
        ),
        (
            "postfix",
            {**TOKEN, "postfix_relay_oauth_client_id": ""},
            ["postfix_relay_oauth_client_id refers"],
            [],
            [],
        ),
        (
            "postfix",
            {**TOKEN, "postfix_relay_oauth_endpoint": "http://login.example.com/token"},
            [],
            [],
            ["postfix_relay_oauth_endpoint is 'http://login.example.com/token', and takes the https URL"],
        ),
        ("postfix", {**TOKENS, "postfix_relay_auth": "xoauth2"}, [], [], []),
        ("postfix", {**TOKENS, "postfix_relays": [{**ACCOUNT, "auth": "xoauth2"}]}, [], [], []),
        (
            "postfix",
            {
                **TOKENS,
                "postfix_relays": [{"direct": True, "senders": ["@x.example"]}, {**ACCOUNT, "auth": "none"}],
            },
            [],
            [],
            [],
        ),
        (
            "postfix",
            {
                **TOKENS,
                "postfix_relay_oauth_client_id": "",
                "postfix_relays": [{**ACCOUNT, "auth": "xoauth2", "oauth_refresh_token": ""}],
            },
            [],
            [],
            [
                "postfix_relays[0].auth is xoauth2, and postfix_relay_oauth_client_id and "
                "postfix_relays[0].oauth_refresh_token are empty: Postfix gets the access"
            ],
        ),
        (
            "postfix",
            {
                **TOKENS,
                "postfix_relay_auth": "xoauth2",
                "postfix_relays": [ACCOUNT, {**ACCOUNT, "oauth_endpoint": "ftp://x"}],
            },
            [],
            [],
            ["postfix_relays[1].oauth_endpoint is 'ftp://x', and takes the https URL"],
        ),
        # A value of all of them is wrong once.
        (
            "postfix",
            {
                **TOKENS,
                "postfix_relay_auth": "xoauth2",
                "postfix_relay_oauth_endpoint": "http://x",
                "postfix_relays": [ACCOUNT, {**ACCOUNT, "senders": ["@a.example"]}],
            },
            [],
            [],
            ["postfix_relay_oauth_endpoint is 'http://x', and takes the https URL"],
        ),
        # A token that nothing would use.
        (
            "postfix",
            TOKENS,
            [],
            [],
            ["postfix_relays[0].oauth_refresh_token is set, and postfix_relays[0].auth is not xoauth2"],
        ),
        (
            "postfix",
            {**TOKEN, "postfix_relay_auth": "auto"},
            [],
            [],
            ["postfix_relay_oauth_refresh_token is set, and postfix_relay_auth is not xoauth2"],
        ),
        # Two logins for the same mail at one next hop, found before anything is asked.
        *[
            (
                "postfix",
                {"postfix_relays": [{**BOB, **whom}, {**BOB, **other, **whom}, {"host": "x.example:587"}]},
                [],
                [],
                [
                    "[r.example]:587 is named twice for the same mail, with different logins, in postfix_relays[0] and"
                ],
            )
            for whom in ({}, {"senders": ["@a.example"]})
            for other in ({"username": "ann"}, {"password": "q"})
        ],
        (
            "postfix",
            {
                "postfix_relays": [
                    {**BOB, "tls": "secure"},
                    {**BOB, "tls": "verify", "senders": ["@a.example"]},
                ]
            },
            [],
            [],
            ["[r.example]:587 is to have the level of TLS secure in postfix_relays[0] and verify in"],
        ),
        ("postfix", {"postfix_relays": [BOB, BOB]}, [], [], []),
        (
            "postfix",
            {
                **TOKENS,
                "postfix_relay_auth": "xoauth2",
                "postfix_relays": [
                    {**ACCOUNT, "port": 587},
                    {**ACCOUNT, "port": 587, "oauth_client_id": "c"},
                ],
            },
            [],
            [],
            [],
        ),
        (
            "postfix",
            {"postfix_relays": [BOB, {**BOB, "username": "ann", "senders": ["@a.example"]}]},
            [],
            [],
            [],
        ),
        (
            "postfix",
            {**TOKENS, "postfix_relay_auth": "xoauth2", "postfix_relay_oauth_refresh_token": "t"},
            [],
            [],
            [
                "postfix_relay_oauth_refresh_token is set beside postfix_relays",
                "as oauth_refresh_token, or leave",
            ],
        ),
        # Role preflight alone does not know the variables of the application.
        ("preflight", {"postfix_relays": [ACCOUNT], "postfix_relay_auth": "xoauth2"}, [], [], []),
        (
            "postfix",
            {**LOGIN, "postfix_preflight": False, "postfix_relay_port": "auto"},
            [],
            [],
            ["now auto"],
        ),
        ("postfix", {**LOGIN, "postfix_preflight": False, "postfix_relay_port": "587"}, [], [], []),
        ("postfix", {**UNPROBED, "postfix_relay_host": "[r.example]:587"}, [], [], []),
        ("postfix", {**UNPROBED, "postfix_relay_port": "456"}, [], [], ["postfix_relay_port: 456", "465"]),
        ("postfix", {**UNPROBED, "postfix_relay_ports": [587, 2525]}, [], [], ["now auto"]),
        ("postfix", {**UNPROBED, "postfix_relay_host": "a b"}, [], [], ["postfix_relay_host: 'a b'"]),
        ("postfix", {**UNPROBED, "postfix_relay_host": "a b"}, ["postfix_relay_port is 'x'"], [], []),
        (
            "postfix",
            {**UNPROBED, "postfix_relay_host": "[r.example]:587", "postfix_relay_port": "2525"},
            [],
            [],
            [
                "postfix_relay_host: it holds the port 587",
                "postfix_relay_port has 2525",
                "write r.example alone",
            ],
        ),
        *[
            (role, {"postfix_relay_host": "r.example", "postfix_parameters": {name: value}}, [], [], parts)
            for role in ("postfix", "preflight")
            for name, value, parts in [
                (
                    "relayhost",
                    "[other.example.com]:587",
                    ["postfix_parameters.relayhost is '[other.ex", "'r.example'"],
                ),
                ("relayhost", None, ["postfix_parameters.relayhost is null", "postfix_relay_host"]),
                (
                    "default_transport",
                    "smtp:[other]",
                    ["postfix_parameters.default_transport", "postfix_relay_host"],
                ),
                ("smtp_fallback_relay", "[other]", []),
            ]
        ],
        (
            "postfix",
            {"postfix_direct": True, "postfix_relay_host": "r.example"},
            [],
            [],
            ["postfix_direct is true", "postfix_relay_host", "leave one of the two out"],
        ),
        (
            "postfix",
            {"postfix_direct": True, "postfix_relay_provider": "postmark"},
            [],
            [],
            ["postfix_direct is true", "postfix_relay_provider"],
        ),
        (
            "postfix",
            {"postfix_direct": True, "postfix_parameters": {"relayhost": "[other]"}},
            [],
            [],
            ["contradicts postfix_direct", "postfix_relay_host"],
        ),
        ("postfix", {"postfix_direct": True, "postfix_parameters": {"relayhost": ""}}, [], [], []),
        *[
            ("postfix", {**LOGIN, "postfix_maps": maps}, [], [], parts)
            for maps, parts in [
                ([{"path": "virtual"}], ["postfix_maps[0].content is not set", "virtual", "state: absent"]),
                ([{"path": "virtual", "state": "absent"}], []),
                ([{"path": "virtual", "content": ""}], []),
                (
                    [{"path": "virtual", "content": "a"}, {"path": "./virtual", "content": "b"}],
                    ["postfix_maps[1].path is virtual", "as postfix_maps[0].path is"],
                ),
                ([{"path": "sasl_passwd", "content": "a"}], ["because postfix_relay_username is set"]),
                ([{"path": "tls_policy", "content": "a"}], ["because postfix_relay_host is set"]),
                ([{"path": "mailops_tls_policy", "content": "a"}], ["because postfix_relay_host is set"]),
                ([{"path": "mailops_aliases", "content": "a"}], []),
            ]
        ],
        *[
            ("postfix", {**LOGIN, **more}, [], [], parts)
            for more, parts in [
                ({"postfix_generic": {"root": "ops@example.com", "@web1": "@example.com"}}, []),
                (
                    {"postfix_generic": {"root": "ops"}},
                    ["postfix_generic.root is 'ops'", "such as ops@example.com"],
                ),
                (
                    {"postfix_generic": {"root": "a@b.example, c@d.example"}},
                    ["postfix_generic.root", "postfix_maps"],
                ),
                ({"postfix_generic": {"a=b": "ops@example.com"}}, ["postfix_generic.a=b", "postfix_maps"]),
                ({"postfix_root_alias": ["a@b.example"], "postfix_aliases": {"abuse": "root"}}, []),
                (
                    {"postfix_root_alias": ["a@b.example"], "postfix_aliases": {"root": "joe"}},
                    ["postfix_root_alias and postfix_aliases.root", "leave one out"],
                ),
                (
                    {
                        "postfix_sender_domain": "b.example",
                        "postfix_parameters": {"smtp_generic_maps": "hash:/x"},
                    },
                    ["postfix_parameters.smtp_generic_maps is 'hash:/x'", "postfix_sender_domain"],
                ),
                (
                    {
                        "postfix_root_alias": ["a"],
                        "postfix_maps": [{"path": "mailops_aliases", "content": "a"}],
                    },
                    ["because postfix_root_alias is set"],
                ),
            ]
        ],
        *[
            ("postfix", {"postfix_relays": relays, **others}, [], [], parts)
            for relays, others, parts in [
                ([{"host": "r.example"}], {}, []),
                ([{"host": "r.example", "senders": ["@a.example"]}], {"postfix_direct": True}, []),
                (
                    [{"host": "r.example", "senders": ["@a.example"]}],
                    {},
                    ["says nothing about other mail", "postfix_direct: true"],
                ),
                (
                    [{"host": "r.example"}],
                    {"postfix_direct": True},
                    ["postfix_direct is true", "postfix_relays"],
                ),
                (
                    [{"host": "r.example"}],
                    {"postfix_relay_host": "s.example"},
                    ["postfix_relay_host is set beside postfix_relays", "as host"],
                ),
                ([{"host": "r.example", "provider": "no"}], {}, ["postfix_relays[0].provider", "catalogue"]),
                (
                    [{"host": "r.example", "username": "u"}],
                    {},
                    ["postfix_relays[0].username and postfix_relays[0].password: give both"],
                ),
                ([{"host": "r.example", "port": "456"}], {}, ["postfix_relays[0].port: 456", "465"]),
                (
                    [{"host": "r.example:587", "port": "2525"}],
                    {},
                    ["postfix_relays[0].host", "holds the port 587, and postfix_relays[0].port is 2525"],
                ),
                (
                    [{"host": "r.example", "senders": []}, {"host": "s.example"}],
                    {},
                    ["postfix_relays[0].senders: it is given and empty"],
                ),
                (
                    [{"host": "r.example"}],
                    {"postfix_relay_password": "p"},
                    ["postfix_relay_password is set beside postfix_relays", "an empty value on this host"],
                ),
                (
                    [{"host": "r.example"}],
                    {"postfix_preflight": False},
                    ["set a number in port of each entry of postfix_relays"],
                ),
                (
                    [{"host": "r.example"}, {"host": "s.example", "recipients": ["@b.example"]}],
                    {"postfix_parameters": {"transport_maps": "hash:/x"}},
                    ["postfix_parameters.transport_maps is 'hash:/x'"],
                ),
                (
                    [{"host": "r.example"}],
                    {"postfix_parameters": {"relayhost": "[x]"}},
                    ["postfix_parameters.relayhost is '[x]' and contradicts postfix_relays"],
                ),
                (
                    [{"host": "r.example"}],
                    {"postfix_maps": [{"path": "mailops_transport", "content": "a"}]},
                    ["because postfix_relays is set"],
                ),
            ]
        ],
        ("verify", {"verify_relay_host": "[r.example]:587", "verify_relay_port": 587}, [], [], []),
        (
            "verify",
            {"verify_relay_host": "[r.example]:587", "verify_relay_port": 2525},
            [],
            [],
            ["verify_relay_host is '[r.example]:587'", "verify_relay_port is 2525", "write r.example alone"],
        ),
    ],
)
def test_what_is_missing_is_named(
    role: str, values: dict[str, Any], complaints: list[str], misses: list[Any], parts: list[str]
) -> None:
    said = variables.needs(role, values, complaints, misses)
    assert len(said) == bool(parts)
    assert [part for part in parts if part not in said[0]] == []


@pytest.mark.parametrize(
    ("values", "table"),
    [
        ({}, ""),
        ({"postfix_generic": {}, "postfix_sender_domain": ""}, ""),
        ({"postfix_generic": {"root": "ops@example.com"}}, "inline:{ {root = ops@example.com} }"),
        ({"postfix_generic": {"a$b": "ops@example.com"}}, "inline:{ {a$$b = ops@example.com} }"),
        (
            {"postfix_generic": {"@localhost": "@b.example"}, "postfix_sender_domain": "a.example"},
            "inline:{ {@$myhostname = @a.example}, {@$myorigin = @a.example}, {@localhost.$mydomain = @a.example}, "
            "{@localhost.localdomain = @a.example}, {@localhost = @b.example} }",
        ),
    ],
)
def test_senders_are_rewritten_by_a_table_within_main_cf(values: dict[str, Any], table: str) -> None:
    assert variables.generic(values) == table


# What is written in postfix_relay_host, postfix_relay_port and postfix_relay_ports, and where mail then goes.
WRITTEN = [
    ("r.example", "587", [], ("r.example", 587, "starttls")),
    ("R.example.", "465", [], ("r.example", 465, "implicit")),
    ("r.example", "auto", [2525], ("r.example", 2525, "starttls")),
    ("[r.example]", "25", [], ("r.example", 25, "opportunistic")),
    ("[r.example]:587", "auto", [], ("r.example", 587, "starttls")),
    ("[r.example]:587", "587", [587], ("r.example", 587, "starttls")),
    ("[r.example]:submissions", "auto", [], ("r.example", 465, "implicit")),
    ("r.example:2525", "auto", [], ("r.example", 2525, "starttls")),
    ("smtps://r.example", "auto", [], ("r.example", 465, "implicit")),
    ("smtps://r.example:4650/", "auto", [], ("r.example", 4650, "implicit")),
    ("[192.0.2.1]:587", "auto", [], ("192.0.2.1", 587, "starttls")),
    ("[2001:db8::1]:587", "auto", [], ("2001:db8::1", 587, "starttls")),
    ("[ipv6:2001:db8::1]:587", "auto", [], ("2001:db8::1", 587, "starttls")),
]


@pytest.mark.parametrize("host, port, ports, expected", WRITTEN)
def test_a_relay_is_the_same_with_a_probe_and_without(
    host: str, port: str, ports: list[int], expected: tuple[str, int, str]
) -> None:
    given = {"postfix_relay_host": host, "postfix_relay_port": port, "postfix_relay_ports": ports}
    found = variables.route({"postfix_preflight": False, **given})
    assert tuple(found[key] for key in ("host", "port", "tls")) == expected
    (probed,) = parse_parameters(
        {
            "relays": [{"host": host}],
            "port": port,
            "ports": ports,
            "policy": "",
            "sticky": True,
            "on_no_route": "",
        }
    ).candidates
    assert probed.endpoint[:3] == expected
    assert variables.route({"postfix_preflight": True, **given}) == {}


def test_without_a_relay_and_with_a_service_of_the_catalogue() -> None:
    assert variables.route({"postfix_preflight": False, "postfix_direct": True}) == {}
    found = variables.route(
        {"postfix_preflight": False, "postfix_relay_provider": "postmark", "postfix_relay_port": "2525"}
    )
    assert found == {"host": "smtp.postmarkapp.com", "port": 2525, "tls": "starttls"}


def test_relays_that_are_not_probed_have_a_route_each() -> None:
    found = variables.route(
        {
            "postfix_preflight": False,
            "postfix_relays": [
                {"host": "a.example", "port": "587"},
                {"host": "b.example:465", "senders": ["@x.example"]},
                {"direct": True, "recipients": ["@y.example"]},
            ],
        }
    )
    assert (found["host"], found["port"], found["tls"]) == ("a.example", 587, "starttls")
    assert [(one["host"], one["port"], one["tls"], one["relay"]) for one in found["routes"]] == [
        ("a.example", 587, "starttls", 0),
        ("b.example", 465, "implicit", 1),
        (None, None, None, 2),
    ]


def test_what_an_entry_of_a_list_leaves_out_is_as_the_single_variables_say() -> None:
    values = {
        "postfix_relay_tls": "verify",
        "postfix_relay_auth": "login",
        "postfix_relays": [
            {"host": "a", "password": "hunter2"},
            {"host": "b", "tls": "may", "auth": "plain", "ca_file": "/ca.pem", "required": False},
            {"direct": True, "senders": ["@x.example"]},
        ],
    }
    assert variables.relays(values) == [
        {
            "name": "postfix_relays[0]",
            "host": "a",
            "security_level": "verify",
            "auth_mechanism": "login",
            "required": True,
        },
        {
            "name": "postfix_relays[1]",
            "host": "b",
            "security_level": "may",
            "auth_mechanism": "plain",
            "ca_path": "/ca.pem",
            "required": False,
        },
        {"name": "postfix_relays[2]", "direct": True, "senders": ["@x.example"]},
    ]


@pytest.mark.parametrize(
    "given", ["host=a.example password=hunter2", ["host=a password=hunter2"], "[{password: hunter2"]
)
def test_a_list_of_relays_in_a_wrong_shape_is_not_shown(given: Any) -> None:
    option = {"type": "list", "elements": "dict", "options": {"host": STR, "password": SECRET}}
    with pytest.raises(Wrong) as error:
        typed("postfix_relays", option, given)
    assert "hunter2" not in str(error.value)


def test_relays_that_are_not_probed_twice_the_same_are_one() -> None:
    twice = [{"host": "a.example", "port": "587"}, {"host": "a.example", "port": "587"}]
    found = variables.route(
        {"postfix_preflight": False, "postfix_relays": twice, "postfix_inet_protocols": "ipv6"}
    )
    assert (found["host"], found["family"]) == ("a.example", "ipv6")


@pytest.mark.parametrize("given", ["[{host: a.example, ports: [587]}]", "- {host: a.example, ports: [587]}"])
def test_a_list_of_relays_may_be_written_as_yaml(given: str) -> None:
    ports = {"type": "list", "elements": "int"}
    option = {
        "type": "list",
        "elements": "dict",
        "options": {"host": STR, "ports": ports, "password": SECRET},
    }
    assert typed("postfix_relays", option, given) == [{"host": "a.example", "ports": [587]}]
