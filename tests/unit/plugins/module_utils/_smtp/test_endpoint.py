"""What users write becomes endpoints and options, or a complaint that says what to write instead."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.arguments import (
    ENDPOINT_ARGUMENTS,
    PROBE_ARGUMENTS,
    endpoints_from,
    options_from,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import (
    Credentials,
    Endpoint,
    OptionError,
    Options,
    check_credentials,
    check_mechanism,
    parse_endpoint,
    tls_mode,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("port", "asked", "mode"),
    [
        (465, "auto", "implicit"),
        (2465, "auto", "implicit"),
        (8465, "auto", "implicit"),
        (25, "auto", "opportunistic"),
        (587, "auto", "starttls"),
        (2525, "auto", "starttls"),
        (465, "starttls", "starttls"),
        (587, "none", "none"),
    ],
)
def test_tls_mode(port: int, asked: str, mode: str) -> None:
    assert tls_mode(port, asked) == mode


@pytest.mark.parametrize(
    ("value", "endpoint"),
    [
        ("mx.example.com:587", Endpoint("mx.example.com", 587, "starttls")),
        (" MX.Example.com.:465 ", Endpoint("mx.example.com", 465, "implicit")),
        ("[::1]:25", Endpoint("::1", 25, "opportunistic")),
        ("192.0.2.1:2525", Endpoint("192.0.2.1", 2525, "starttls")),
        ("bücher.example:587", Endpoint("xn--bcher-kva.example", 587, "starttls")),
        ("my_relay:587", Endpoint("my_relay", 587, "starttls")),
        ({"host": "mx", "port": "587"}, Endpoint("mx", 587, "starttls")),
        ({"host": "fe80::1%eth0", "port": 587}, Endpoint("fe80::1%eth0", 587, "starttls")),
        ({"host": "[::1]", "port": 587}, Endpoint("::1", 587, "starttls")),
        (
            {"host": "192.0.2.1", "port": 4650, "tls": "implicit", "server_name": "MX.example"},
            Endpoint("192.0.2.1", 4650, "implicit", "mx.example"),
        ),
    ],
    ids=str,
)
def test_endpoints(value: Any, endpoint: Endpoint) -> None:
    assert parse_endpoint(value) == endpoint


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("mx:456", ["endpoint.port", "456", "465"]),
        ("mx:70000", ["endpoint.port", "70000", "65535"]),
        ("mx:0", ["0"]),
        ("mx:-1", ["-1"]),
        ("mx:hunter2", ["endpoint.port", "587"]),
        ("mx:587:hunter2", ["several colons"]),
        ("smtp://ops:hunter2/x", ["URL"]),
        ("mx", ["mx", "host:port"]),
        ("", ["host:port"]),
        ("::1:587", ["[::1]:587"]),
        ("[mx]:587", ["brackets"]),
        ("smtp://mx:587", ["URL"]),
        ("mx example:587", ["host name"]),
        ("mx..example:587", ["host name"]),
        ("-mx.example:587", ["host name"]),
        ("300.1.2.3:587", ["300.1.2.3"]),
        ("a" * 64 + ".example:587", ["host name"]),
        ("mx\r\nRSET:587", ["host name"]),
        (".:587", ["host name"]),
        ("straße.example:587", ["IDNA", "xn--"]),  # Python's codec makes strasse.example of it
        ("a\u200db.example:587", ["IDNA", "xn--"]),
        ("\ud800.example:587", ["internationalized", "xn--"]),
        ({"host": "mx"}, ["host and port"]),
        ({"host": "mx", "port": 587, "tls": "encyrpt"}, ["endpoint.tls", "encyrpt", "starttls"]),
        ({"host": "mx", "port": 587, "user": "x"}, ["user", "server_name"]),
        ({"host": "mx", "port": 587, "server_name": "a b"}, ["endpoint.server_name", "a b"]),
        (587, ["host:port"]),
        (None, ["host:port"]),
    ],
    ids=str,
)
def test_bad_endpoints(value: Any, words: list[str]) -> None:
    with pytest.raises(OptionError) as caught:
        parse_endpoint(value)
    for word in words:
        assert word in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_password_in_an_endpoint_is_not_repeated() -> None:
    for value in (
        "user:hunter2@mx:587",
        {"host": "user:hunter2@mx", "port": 587},
        {"host": "mx", "port": 1, "password": "hunter2"},
    ):
        with pytest.raises(OptionError) as caught:
            parse_endpoint(value)
        assert "hunter2" not in str(caught.value)


@given(
    st.one_of(st.text(), st.dictionaries(st.sampled_from(["host", "port", "tls", "server_name"]), st.text()))
)
def test_any_text_is_an_endpoint_or_a_complaint(value: Any) -> None:
    try:
        endpoint = parse_endpoint(value)
    except OptionError:
        return
    assert 1 <= endpoint.port <= 65535
    assert endpoint.host.isascii()
    assert not set(endpoint.host) & set(" \r\n/@")


def test_a_password_needs_tls() -> None:
    with pytest.raises(OptionError, match="never sent over an unencrypted connection"):
        parse_endpoint("mx:587", tls="none", credentials=Credentials("a", "b"))


def test_endpoint_as_text() -> None:
    assert str(Endpoint("::1", 25, "none")) == "[::1]:25"
    assert str(Endpoint("mx", 25, "none")) == "mx:25"


def test_credentials_hide_the_password() -> None:
    credentials = check_credentials("someone", "hunter2")
    assert credentials is not None
    for text in (
        repr(credentials),
        str(credentials),
        f"{credentials}",
        repr(Endpoint("mx", 1, "none", None, credentials)),
    ):
        assert "hunter2" not in text
        assert "someone" in text


@pytest.mark.parametrize(
    ("username", "password", "mechanism"),
    [
        ("a", None, "auto"),
        (None, "hunter2", "auto"),
        ("", "hunter2", "auto"),
        ("a\0", "hunter2", "auto"),
        ("a", "hunter2", "ntlm"),
    ],
)
def test_bad_credentials(username: Any, password: Any, mechanism: str) -> None:
    with pytest.raises(OptionError) as caught:
        check_credentials(username, password, mechanism)
    assert "hunter2" not in str(caught.value)


def test_no_credentials() -> None:
    assert check_credentials(None, None) is None


def test_without_a_token_xoauth2_has_a_user_name_alone() -> None:
    assert check_credentials("someone", None, "xoauth2") == Credentials("someone", "", "xoauth2")
    assert check_credentials("someone", "", "XOAUTH2") == Credentials("someone", "", "xoauth2")
    with pytest.raises(OptionError, match="username: it has a colon"):
        check_credentials("some:one", None, "xoauth2")


@pytest.mark.parametrize("word", ["none", "None", " NONE "])
def test_a_login_that_is_not_for_this_server_is_none(word: str) -> None:
    assert check_credentials("someone", "hunter2", word) is None
    assert check_credentials("someone", None, word) is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timeout": 0}, "timeout"),
        ({"timeout": -1}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"connect_timeout": 1e9}, "connect_timeout"),
        ({"retries": -1}, "retries"),
        ({"concurrency": 0}, "concurrency"),
        ({"min_days": -1}, "min_days"),
        ({"family": "ipv5"}, "ipv4"),
        ({"min_tls_version": "0.9"}, "1.2"),
        ({"source_address": "eth0"}, "source_address"),
        ({"source_address": "::1", "family": "ipv4"}, "ipv6"),
        ({"helo_name": "a b"}, "helo_name"),
        ({"helo_name": "a\r\nMAIL"}, "helo_name"),
        ({"mail_from": "a>\r\nDATA"}, "mail_from"),
        ({"mail_from": "A <a@b>"}, "mail_from"),
        ({"rcpt_to": "a b@c"}, "rcpt_to"),
        ({"rcpt_to": ""}, "rcpt_to"),
    ],
    ids=str,
)
def test_bad_options(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        Options(**options)


def test_options_of_parameters() -> None:
    params = {name: spec.get("default") for name, spec in PROBE_ARGUMENTS.items()}
    assert options_from(params) == Options()
    assert options_from({**params, "timeout": 3.0, "mail_from": ""}) == Options(timeout=3.0, mail_from="")


def params(**given: Any) -> dict[str, Any]:
    specs = {**ENDPOINT_ARGUMENTS, **PROBE_ARGUMENTS}
    return {**{name: spec.get("default") for name, spec in specs.items()}, **given}


def test_endpoints_of_parameters() -> None:
    assert endpoints_from(params(host="mx")) == [
        Endpoint("mx", 25, "opportunistic"),
        Endpoint("mx", 465, "implicit"),
        Endpoint("mx", 587, "starttls"),
        Endpoint("mx", 2525, "starttls"),
    ]
    credentials = Credentials("a", "b", "plain")
    asked = params(
        endpoints=["mx:465", {"host": "my", "port": 26, "tls": "implicit"}],
        tls="starttls", server_name="mz", username="a", password="b", auth_mechanism="plain",
    )  # fmt: skip
    assert endpoints_from(asked) == [
        Endpoint("mx", 465, "starttls", "mz", credentials),
        Endpoint("my", 26, "implicit", "mz", credentials),
    ]


@pytest.mark.parametrize(
    ("given_params", "message"),
    [
        ({"host": "mx", "ports": [456]}, "ports: 456 is not a mail port; did you mean 465"),
        ({"host": "mx", "ports": [70000]}, "ports: 70000 is not a port"),
        ({"host": "m x"}, "host: 'm x' is neither"),
        ({"endpoints": ["mx:587", "mx"]}, r"endpoints\[1\]: 'mx' has no port"),
        ({"endpoints": []}, "nothing to probe"),
        ({"host": "mx", "ports": []}, "nothing to probe"),
    ],
    ids=str,
)
def test_bad_parameters(given_params: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        endpoints_from(params(**given_params))


# What each becomes in a texthash: table, as postmap -q of Postfix 3.5 to 3.11 shows it: in tests/integration/postfix.
UNWRITABLE = [
    (" user", "secret", "username: it begins with a blank"),
    ("\tuser", "secret", "username: it has a control character"),
    ("\vuser", "secret", "username: it has a control character"),
    ("user ", "secret", "username: it ends with a blank"),
    ("us:er", "secret", "username: it has a colon"),
    ("us\ner", "secret", "username: it has more than one line"),
    ("user\n", "secret", "username: it ends with a line end"),
    ("us\0er", "secret", "username: it has a NUL character"),
    ("us\udce9er", "secret", "username: it is not UTF-8"),
    ("user", "secret ", "password: it ends with a blank"),
    ("user", "secret\t", "password: it has a control character"),
    ("user", "secret\v", "password: it has a control character"),
    ("user", "secret\f", "password: it has a control character"),
    ("user", "secret\r", "password: it ends with a line end"),
    ("user", "secret\n", "password: it ends with a line end"),
    ("user", "secret\r\n", "password: it ends with a line end"),
    ("user", "sec\nret", "password: it has more than one line"),
    ("user", "sec\rret", "password: it has more than one line"),
    ("user", "sec\0ret", "password: it has a NUL character"),
    ("user", "sec\x7fret", "password: it has a control character"),
    ("user", "sec\x1bret", "password: it has a control character"),
    ("user", "s\udce9cret", "password: it is not UTF-8"),
    ("user", "\ud800secret", "password: it is not UTF-8"),
    ("user", "", "username and password: give both"),
    ("", "secret", "username and password: give both"),
    ("user", " ", "password: it ends with a blank"),
]


@pytest.mark.parametrize(("username", "password", "complaint"), UNWRITABLE)
def test_a_login_that_the_table_cannot_hold_is_refused_and_not_shown(
    username: str, password: str, complaint: str
) -> None:
    # Of XOAUTH2 the token may be the host's own affair.
    for mechanism in ("auto", "xoauth2") if password else ("auto", "plain"):
        with pytest.raises(OptionError) as error:
            check_credentials(username, password, mechanism)
        assert str(error.value).startswith(complaint)
        for value in (username.strip(), password.strip()):
            assert not value or len(value) < 5 or value not in str(error.value).partition(":")[2]
    with pytest.raises(OptionError, match="relay_"):
        check_credentials(username, password, "auto", ("relay_username", "relay_password"))


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("user", " secret"),
        ("user", "se:cret"),
        ("us er", "sec ret"),
        ("#user", "#secret"),
        ("=user", "=secret"),
        ('"user"', '"{secret}"'),
        ("üser", "päss\u00a0"),
        ("user", "$x${y}\\"),
        ("user", "x" * 5000),
    ],
)
def test_a_login_that_the_table_can_hold_is_taken(username: str, password: str) -> None:
    assert check_credentials(username, password) == Credentials(username, password)


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("PLAIN", "plain"),
        ("Cram-MD5", "cram-md5"),
        (" SCRAM_SHA_256 ", "scram-sha-256"),
        ("", "auto"),
        (None, "auto"),
    ],
)
def test_a_mechanism_is_taken_in_any_case(written: str, known: str) -> None:
    assert check_mechanism(written) == known
    credentials = check_credentials("user", "secret", written)
    assert credentials is not None
    assert credentials.mechanism == known


def test_an_unknown_mechanism_is_refused() -> None:
    with pytest.raises(
        OptionError, match="postfix_relay_auth: 'digest-md5' is not known; it is one of auto, none, plain"
    ):
        check_mechanism("DIGEST-MD5", "postfix_relay_auth")
