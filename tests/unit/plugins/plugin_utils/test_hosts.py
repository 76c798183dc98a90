"""Whom a pattern must reach, and what is said where it reaches nobody."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest
from ansible_collections.mailops.smtp.plugins.plugin_utils import hosts

GROUPS = {
    "all": ["m1", "m2", "web1.example.com"],
    "ungrouped": [],
    "mail": ["m1", "m2"],
    "web": ["web1.example.com"],
    "retired": [],
}


def verdict(pattern, groups=None, name="smtp_hosts", **invocation):
    """ "" where the play may begin, else the sentence; a warning begins with an asterisk."""
    try:
        parts = hosts.parts_of(pattern, name)
        given = GROUPS if groups is None else groups
        warning = hosts.check(parts, given, name, hosts.Invocation(**invocation))
    except hosts.NobodyError as error:
        return str(error)
    return f"*{warning}" if warning else ""


@pytest.mark.parametrize(
    "pattern, found",
    [
        ("m1", ["m1"]),
        ("mail", ["m1", "m2"]),
        ("all", ["m1", "m2", "web1.example.com"]),
        ("mail:!m1", ["m2"]),
        ("web,m1", ["m1", "web1.example.com"]),
        ("*.example.com", ["web1.example.com"]),
        ("localhost", ["localhost"]),
    ],
)
def test_the_hosts_of_a_pattern(pattern, found):
    assert sorted(hosts.hosts_of(pattern, GROUPS)) == found


@pytest.mark.parametrize(
    "pattern, words",
    [
        (
            "mial",
            "mial is neither a group nor a host of the inventory, so nothing was done. Did you mean mail?",
        ),
        ("mail:!m9", "m9 is neither"),
        ("retired", "the group retired is empty"),
        ("mail:!mail", "matches no host"),
        ("*.net", "matches no host"),
        (" ", "is empty"),
    ],
)
def test_a_pattern_without_hosts_has_none(pattern, words):
    with pytest.raises(hosts.NobodyError, match=re.escape(words)):
        hosts.hosts_of(pattern, GROUPS)


@pytest.mark.parametrize(
    "pattern",
    [
        "all",
        "*",
        "mail",
        "m1",
        "m1,web",
        "mail:web",
        "mail:!m1",
        "mail:!retired",
        "web,retired",
        "mail:&m*",
        "!web",
        "mail[0]",
        "mail[0:1]",
        "web1.example.com",
        "*.example.com",
        "~m[12]",
        "mail:!*.gone.example",
        "localhost",
        ["m1", "mail:web"],
        ["all"],
        "ungrouped,mail",
    ],
)
def test_who_reaches_somebody_passes(pattern):
    assert verdict(pattern) == ""


@pytest.mark.parametrize(
    "pattern, words",
    [
        ("mial", "smtp_hosts=mial: mial is neither a group nor a host of the inventory, so nothing was done."),
        ("mial", "Did you mean mail?"),
        ("mail:mial", "mial is neither a group nor a host"),
        ("mail,mial", "mial is neither a group nor a host"),
        ("mail:!retierd", "Did you mean retired?"),
        ("mail:&wbe", "wbe is neither a group nor a host"),
        ("mial[0]", "mial[0] is neither a group nor a host"),
        (["m1", "m3"], "m3 is neither a group nor a host"),
        ("databases", "The inventory has the groups mail, web."),
        ("retired", "smtp_hosts=retired matches no host of the inventory, so nothing would be done."),
        ("ungrouped", "matches no host"),
        ("mail:&web", "matches no host"),
        ("mail:!mail", "matches no host"),
        ("db*", "matches no host"),
        ("~db.*", "matches no host"),
        ("", "smtp_hosts is empty, so nobody is meant."),
        (" , ", "smtp_hosts is empty"),
        ([], "smtp_hosts is empty"),
        (3, "smtp_hosts=3 is not a host pattern."),
        (None, "is not a host pattern"),
        ({"mail": 1}, "is not a host pattern"),
        ([["mail"]], "is not a host pattern"),
    ],
)  # fmt: skip
def test_who_reaches_nobody_is_told_why(pattern, words):
    assert words in verdict(pattern)


@pytest.mark.parametrize("groups", [{}, {"all": []}, {"all": [], "ungrouped": [], "mail": []}])
@pytest.mark.parametrize("pattern", ["all", "mail", "*"])
def test_an_empty_inventory(pattern, groups):
    assert verdict(pattern, groups).startswith(
        "The inventory has no hosts, so nothing would be done. Name an inventory"
    )


@pytest.mark.parametrize("pattern", ["localhost", "127.0.0.1"])
def test_localhost_needs_no_inventory(pattern):
    assert verdict(pattern, {"all": []}) == ""


@pytest.mark.parametrize(
    "limit, direct, words",
    [
        (None, True, ""),
        ("", True, ""),
        ("m1", True, ""),
        ("m1,web", True, ""),
        ("all:!web", True, ""),
        ("web", True, "--limit web leaves none of the hosts of smtp_hosts=mail, so nothing would be done. Leave"),
        ("m1,m3", True, "--limit m1,m3: m3 is neither a group nor a host"),
        ("!mail", True, "--limit !mail leaves none of the hosts"),
        ("web", False, "*--limit web leaves none of the hosts of smtp_hosts=mail: nothing of"),
        ("m1,other", False, ""),
    ],
)  # fmt: skip
def test_a_limit_that_leaves_nobody(limit, direct, words):
    said = verdict("mail", limit=limit, direct=direct)
    assert said.startswith(words) and bool(said) == bool(words)


def test_a_limit_from_a_file(tmp_path):
    (tmp_path / "site.retry").write_text("m2\n")
    assert verdict("mail", limit=f"@{tmp_path}/site.retry") == ""
    assert "leaves none" in verdict("web", limit=f"@{tmp_path}/site.retry")


@pytest.mark.parametrize(
    "tags, skip_tags, refused",
    [
        (["all"], [], ""),
        (["untagged"], [], ""),
        (["all", "preflight"], [], ""),
        (["all"], ["web"], ""),
        (["all"], ["always"], ""),
        (["all"], ["tagged"], ""),
        (["preflight"], [], "--tags preflight"),
        (["a", "b"], [], "--tags a,b"),
        (["tagged"], [], "--tags tagged"),
        (["always"], [], "--tags always"),
        (["all"], ["all"], "--skip-tags all"),
        (["all"], ["web", "untagged"], "--skip-tags web,untagged"),
    ],
)
def test_tags_that_leave_nothing_to_do(tags, skip_tags, refused):
    said = verdict("mail", tags=tags, skip_tags=skip_tags)
    assert said.startswith(
        f"With {refused} nothing would be done: the tasks of this playbook have no tags."
    ) == bool(refused)
    assert bool(said) == bool(refused)
    assert verdict("mail", tags=tags, skip_tags=skip_tags, direct=False) == ""


def test_without_a_variable_the_play_is_named():
    assert verdict("mial", name="").startswith("hosts: mial: mial is neither")
    assert verdict("", name="").startswith("The pattern of hosts is empty")


def test_many_groups_are_not_all_listed():
    many = {f"group{number:02}": ["h"] for number in range(20)}
    assert "group11 and 8 more." in verdict("zzz", {"all": ["h"], **many})
