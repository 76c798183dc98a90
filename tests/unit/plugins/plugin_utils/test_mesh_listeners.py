"""Whose listeners are probed, at which address and by which name; and what is refused before anything is."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.smtp.plugins.plugin_utils import mesh
from ansible_collections.mailops.smtp.plugins.plugin_utils.variables import Wrong

GROUPS = {
    "all": ["mail1", "mail2", "mx1.example.com", "web1"],
    "ungrouped": [],
    "mail": ["mail1", "mail2"],
    "mx": ["mx1.example.com"],
    "retired": [],
}
SERVERS = {
    "mail1": {"postfix_submission_ports": [587, 465], "postfix_myhostname": "mail1.example.com"},
    "mail2": {
        "postfix_submission_ports": [587],
        "ansible_host": "192.0.2.2",
        "postfix_submission_self_signed": True,
    },
    "mx1.example.com": {"ansible_host": "192.0.2.9"},
    "web1": {"postfix_submission_ports": []},
    "localhost": {},
}


def listeners(*asked, me="web1", excluded=(), **more):
    servers = {name: {**known, **more.get(name, {})} for name, known in SERVERS.items()}
    return mesh.listeners(asked, me, GROUPS, servers.__getitem__, excluded)


def places(found):
    return [f"{one['server']}:{one['port']}" for one in found]


@pytest.mark.parametrize(
    "asked, who",
    [
        ([], []),
        (["mail"], ["mail1:587", "mail1:465", "mail2:587"]),
        (["mail1"], ["mail1:587", "mail1:465"]),
        (["all"], ["mail1:587", "mail1:465", "mail2:587"]),
        (["mail:!mail1"], ["mail2:587"]),
        (["mail[1]"], ["mail2:587"]),
        (["mail1,mail2", "mail"], ["mail1:587", "mail1:465", "mail2:587"]),
        ([{"host": "mail", "ports": [2525]}], ["mail1:2525", "mail2:2525"]),
        ([{"host": "mx*", "ports": "25"}, "mail2"], ["mx1.example.com:25", "mail2:587"]),
        ([{"host": "mail1", "ports": ["smtp"]}, {"host": "mail1"}], ["mail1:25", "mail1:587", "mail1:465"]),
        ([{"host": "localhost", "ports": [25]}], ["localhost:25"]),
    ],
)
def test_whose_ports_are_asked(asked, who):
    assert places(listeners(*asked)) == who


def test_no_host_asks_itself():
    assert places(listeners("mail", me="mail1")) == ["mail2:587"]
    assert listeners("mail1", me="mail1") == []


def test_excluded_ports_are_left_out():
    assert places(listeners("mail1", excluded=[465])) == ["mail1:587"]


@pytest.mark.parametrize(
    "server, known, address, name",
    [
        ("mail1", {}, "mail1.example.com", None),
        ("mail1", {"ansible_host": "192.0.2.1"}, "mail1.example.com", None),
        (
            "mail1",
            {"verify_certificate_names": ["smtp.example.com", "x"]},
            "mail1.example.com",
            "smtp.example.com",
        ),
        ("mail1", {"verify_certificate_names": ["MAIL1.example.com"]}, "mail1.example.com", None),
        ("mail1", {"postfix_myhostname": "mail1.$mydomain"}, "mail1", None),
        ("mail1", {"postfix_myhostname": ""}, "mail1", None),
        ("mail2", {}, "192.0.2.2", None),
        ("mail2", {"verify_certificate_names": ["smtp.example.com"]}, "192.0.2.2", "smtp.example.com"),
        ("mx1.example.com", {"postfix_submission_ports": [465]}, "192.0.2.9", "mx1.example.com"),
    ],
)
def test_where_a_server_is_reached_and_whose_certificate_it_has(server, known, address, name):
    one = listeners(server, **{server: known})[0]
    assert (one["host"], one.get("server_name")) == (address, name)


def test_another_address_leaves_the_name_of_the_certificate():
    (one,) = listeners({"host": "mail1", "address": "10.0.0.1", "ports": [587]})
    assert one == {"server": "mail1", "host": "10.0.0.1", "port": 587, "server_name": "mail1.example.com"}


def test_a_certificate_of_the_roles_own_is_its_own_authority():
    assert [one.get("self_signed") for one in listeners("mail")] == [None, None, True]


@pytest.mark.parametrize(
    "asked, words",
    [
        ("mial", "preflight_mesh[0] is 'mial': mial is neither a group nor a host of the inventory, so nothing"),
        ("mail:!mial1", "mial1 is neither a group nor a host"),
        ("retired", "preflight_mesh[0] is 'retired': the group retired is empty"),
        ("mail:!mail", "matches no host of the inventory"),
        ("web1", "preflight_mesh[0] is 'web1', and no port is known on which web1 takes mail: postfix_submis"),
        ("mx", "write the ports here, as in {host: mx, ports: [25]}"),
        ({"host": "mail", "address": "10.0.0.1"}, "preflight_mesh[0].address is '10.0.0.1', and mail is 2 hosts"),
        ({"host": "mail1", "ports": [456]}, "preflight_mesh[0].ports: 456 is not a mail port; did you mean 465"),
        ({"host": "mail1", "address": "a b"}, "preflight_mesh[0].address: 'a b' is neither a host name"),
        ({"host": "mail1", "address": "192.0.2.1:587"}, "preflight_mesh[0].address: it has colons"),
        ({"host": "mail1", "address": "192.0.2.1:587"}, "; write the name or the address alone, and ports beside it"),
        ({"host": "mail1", "prots": [25]}, "preflight_mesh[0] has no key 'prots'; did you mean ports?"),
        ({"ports": [25]}, "preflight_mesh[0].host is not set, and needed"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(asked, words):
    with pytest.raises(Wrong) as refused:
        listeners(asked)
    assert words in str(refused.value)


def test_a_port_that_the_server_names_is_told_as_its_own():
    with pytest.raises(Wrong) as refused:
        listeners("mail1", mail1={"postfix_submission_ports": [456]})
    assert "preflight_mesh[0]: on mail1, postfix_submission_ports: 456 is not a mail port" in str(
        refused.value
    )


def test_a_server_whose_ports_are_all_excluded_is_refused():
    with pytest.raises(
        Wrong, match=r"preflight_exclude_ports leaves mail1 without a port \(it has 587 and 465\)"
    ):
        listeners("mail1", excluded=[587, 465])


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(Wrong) as refused:
        listeners("mial", "mail", "web1")
    assert [one.partition(" ")[0] for one in refused.value.args] == ["preflight_mesh[0]", "preflight_mesh[2]"]
