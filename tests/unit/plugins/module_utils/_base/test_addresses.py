"""Addresses and host names, whoever asks."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._base.addresses import (
    family_title,
    ip_version,
    is_address,
    is_host_name,
    is_label,
    packed,
    unpacked,
)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("192.0.2.1", "ipv4"),
        ("::1", "ipv6"),
        ("2001:db8::192.0.2.1", "ipv6"),
        ("fe80::1%lo", "ipv6"),
        ("mx", None),
        ("", None),
        ("1.2.3", None),
        ("1.2.3.4%x", None),
        ("192.0.2.256", None),
        ("[::1]", None),
        ("::1\0", None),
    ],
)
def test_ip_version(text: str, version: str | None) -> None:
    assert ip_version(text) == version
    assert is_address(text) is (version is not None)


@pytest.mark.parametrize("text", ["192.0.2.1", "::1", "2001:db8::1"])
def test_packed_and_unpacked(text: str) -> None:
    assert unpacked(packed(text)) == text


def test_a_zone_is_not_packed() -> None:
    assert packed("fe80::1%eth0") == packed("fe80::1")
    with pytest.raises(OSError, match="illegal IP address"):
        packed("mx.example.com")
    with pytest.raises(ValueError, match="invalid length"):
        unpacked(b"123")


def test_family_title() -> None:
    assert [family_title(word) for word in ("ipv4", "ipv6", "any", None)] == ["IPv4", "IPv6", "IP", "IP"]


@pytest.mark.parametrize(
    ("text", "is_name"),
    [
        ("mx", True),
        ("mx.example.com", True),
        ("MX-1.Example.COM", True),
        ("_dmarc.example_host.com", True),
        ("1.example", True),
        ("a" * 63 + ".example", True),
        (".".join(["a" * 49] * 5) + ".abc", True),
        (".".join(["a" * 49] * 5) + ".abcd", False),
        ("a" * 64 + ".example", False),
        ("", False),
        ("mx.", False),
        (".mx", False),
        ("mx..example", False),
        ("-mx.example", False),
        ("mx-.example", False),
        ("mx.example\n", False),
        ("m x", False),
        ("mü.example", False),
        ("192.0.2.1", False),
        ("host.1", False),
    ],
)
def test_host_names(text: str, is_name: bool) -> None:
    assert is_host_name(text) is is_name


def test_labels() -> None:
    assert is_label("1")
    assert not is_label("a.b")
