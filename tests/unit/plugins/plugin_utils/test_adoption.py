# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run would make of a host's own configuration, as lines."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.mailops.smtp.plugins.plugin_utils.adoption import adoption

VARIABLES = {"inet_interfaces": "postfix_inet_interfaces", "mydestination": "postfix_mydestination"}
OLD = """\
relayhost = [old.example]:25
mydestination = example.com, localhost
alias_maps = hash:/etc/aliases
virtual_alias_maps = hash:/etc/postfix/virtual
smtp_tls_security_level = may
inet_interfaces = all
message_size_limit = 0
  1
"""
NEW = """\
#mailops.smtp# relayhost = [old.example]:25
alias_maps =  hash:/etc/aliases
mydestination = example.com,
  localhost
smtp_tls_security_level = may
# BEGIN mailops.smtp
relayhost = [relay.example.com]:587
inet_interfaces = loopback-only
smtp_sasl_auth_enable = yes
message_size_limit = 2
# END mailops.smtp
"""


def entry(name: str, before: str, after: str, said: str = "") -> dict[str, str]:
    return {
        "before_header": f"/etc/postfix/{name}{said}",
        "after_header": f"/etc/postfix/{name}",
        "before": before,
        "after": after,
    }


def lines_of(*diffs: dict[str, str], **more: object) -> list[str]:
    return adoption({"diff": list(diffs), **more}, VARIABLES)


def test_each_setting_of_main_cf_is_there_once_by_what_becomes_of_it() -> None:
    assert lines_of(entry("main.cf", OLD, NEW)) == [
        "main.cf:",
        "  drops   virtual_alias_maps: hash:/etc/postfix/virtual",
        "  changes relayhost: [old.example]:25 -> [relay.example.com]:587",
        "  changes inet_interfaces: all -> loopback-only",
        "  changes message_size_limit: 0 1 -> 2",
        "  adds    smtp_sasl_auth_enable: yes",
        "  keeps   mydestination: example.com, localhost",
        "  keeps   alias_maps: hash:/etc/aliases",
        "  keeps   smtp_tls_security_level: may",
        "master.cf: stays as it is",
        "To keep what main.cf says now, set:",
        "  postfix_inet_interfaces: all",
        "  postfix_parameters:",
        "    virtual_alias_maps: hash:/etc/postfix/virtual",
        "    message_size_limit: 0 1",
    ]


def test_what_is_said_to_keep_a_setting_is_yaml() -> None:
    old = "mydestination =\nmynetworks = # no comment\nx = yes\ny = {a: b}\nz = \"'\n"
    lines = lines_of(entry("main.cf", old, ""))
    text = "\n".join(lines[lines.index("To keep what main.cf says now, set:") + 1 :])
    assert yaml.safe_load(text) == {
        "postfix_parameters": {
            "mydestination": "",
            "mynetworks": "# no comment",
            "x": "yes",
            "y": "{a: b}",
            "z": "\"'",
        },
    }


def test_a_value_that_looks_like_a_template_is_none() -> None:
    lines = lines_of(entry("main.cf", "virtual_alias_maps = inline:{{a@example.com = b}}\n", ""))
    assert lines[-1] == "    virtual_alias_maps: !unsafe 'inline:{{a@example.com = b}}'"


def test_no_mask_is_recommended_for_a_password() -> None:
    lines = lines_of(entry("main.cf", "lmtp_sasl_password_maps = ********\n", ""))
    assert lines[-2:] == [
        "To keep what main.cf says now, set:",
        "  # and, with the password that is not shown here: lmtp_sasl_password_maps",
    ]


def test_the_services() -> None:
    always = "smtp inet n - y - - smtpd\n"
    old = "submission inet n - y - - smtpd\n  -o syslog_name=x\nmine unix - n n - - pipe user=me argv=/x\n"
    new = "#submission\n587 inet n - y - - smtpd -o { a = b c }\nmine unix - n n - 1 pipe user=me argv=/x\n"
    lines = lines_of(
        entry("master.cf", always + old, always + new), entry("sasl_passwd", "", "", " (absent)")
    )
    assert lines == [
        "main.cf: stays as it is",
        "master.cf:",
        "  drops   submission/inet: n - y - - smtpd -o syslog_name=x",
        "  changes mine/unix: - n n - - pipe user=me argv=/x -> - n n - 1 pipe user=me argv=/x",
        "  adds    587/inet: n - y - - smtpd -o a=b c",
        "  keeps   smtp/inet: n - y - - smtpd",
        "Also written: sasl_passwd",
    ]


@pytest.mark.parametrize(
    "result, first",
    [
        ({"missing": ["postfix"]}, "Postfix is not installed here, so there is nothing to keep."),
        ({}, "main.cf: stays as it is"),
        ({"failed": True, "msg": "No."}, "Refused before anything was compared: No."),
        (
            {"failed": True, "diff": [entry("main.cf", OLD, NEW)]},
            "Refused as it is, see above. Once what is refused is named:",
        ),
    ],
)
def test_what_there_is_to_compare(result: dict[str, object], first: str) -> None:
    assert adoption(result, VARIABLES)[0] == first
