"""Configurations that relay for strangers, and those that only look like it. Data only."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence

from case import inet, text

ALL = "0.0.0.0/0 OK\n::/0 OK\n"


class Row(NamedTuple):
    """A change of what the distribution ships. `check` is the finding that names it: an error or a warning of what is
    open; of what is closed a warning, where `why` says on what it depends, or what else keeps it from working.
    `alone`: not what a service can have for itself, so that it is asked on port 25. The stranger is one of `ways`, or
    of all that are tried with every row, and says what stands here besides."""

    name: str
    parameters: Mapping[str, Any]
    check: str = ""
    files: Sequence[dict[str, Any]] = ()
    services: Sequence[dict[str, Any]] = ()
    port: int = 25
    alone: bool = False
    senders: Sequence[str] = ()
    recipients: Sequence[str] = ()
    helos: Sequence[str] = ()
    ways: Sequence[Mapping[str, Any]] = ()
    why: str = ""
    since: tuple[int, int] = (3, 0)
    before: tuple[int, int] = (9, 0)


def lists(name: str, words: str, table: str = "", check: str = "open-relay", **more: Any) -> Row:
    """All is decided in one list; `table` is the content of the table that is named T in any value."""
    parameters = {
        "smtpd_relay_restrictions": "",
        "smtpd_recipient_restrictions": words,
        **{key: more.pop(key) for key in list(more) if key not in Row._fields},
    }
    files = [text(f"t_{name}", table)] if table else []
    return Row(name, placed(name, parameters), check, files, **more)


def placed(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    path = f"/etc/postfix/t_{name}"
    return {
        key: value and value.replace(":T", f":{path}").replace("@T", path)
        for key, value in parameters.items()
    }


def near(name: str, words: str, table: str = "", check: str = "", **more: Any) -> Row:
    return lists(name, words, table, check, **more)


def whole(name: str, check: str = "", **more: Any) -> Row:
    """A row of parameters that no service has for itself."""
    table = more.pop("table", "")
    fields = {key: more.pop(key) for key in list(more) if key in Row._fields}
    files = [*fields.pop("files", ()), *([text(f"t_{name}", table)] if table else [])]
    return Row(name, placed(name, more), check, files, alone=True, **fields)


def one(name: str, check: str = "", table: str = "", **parameters: Any) -> Row:
    """A row of parameters of smtpd."""
    return whole(name, check, table=table, **parameters)._replace(alone=False)


GUARD = "reject_unauth_destination"
STANDARD = "permit_mynetworks, reject_unauth_destination"
TRUSTS = "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"
EVERYBODY = {"smtpd_restriction_classes": "everybody", "everybody": "permit"}
STATED = {"from": "23.45.67.89", "helo": "mail.stranger.example"}
XCLIENT = {**STATED, "xclient": "ADDR=127.0.0.1"}
LOGIN = {**STATED, "xclient": "LOGIN=joe"}
PROXY = {**STATED, "proxy": "PROXY TCP4 127.0.0.1 192.0.2.25 40000 25"}
CERTIFICATE = {**STATED, "tls": True}
QMQPD = {"service": "628", "type": "inet", "private": "n", "command": "qmqpd"}
POSTSCREEN = [
    {**inet("smtp"), "command": "postscreen", "maxproc": "1"},
    {"service": "smtpd", "type": "pass", "command": "smtpd"},
    {"service": "dnsblog", "type": "unix", "command": "dnsblog"},
    {"service": "tlsproxy", "type": "unix", "command": "tlsproxy"},
]
CERTIFIED = {
    "smtpd_tls_ask_ccert": "yes",
    "smtpd_tls_fingerprint_digest": "sha256",
    "ways": [CERTIFICATE],
}
SWALLOWS = {"local_recipient_maps": "", "local_transport": "smtp:[127.0.0.1]:2500"}
CLIENT, SENDER = "check_client_access", "check_sender_access"
HELO, RECIPIENT = "check_helo_access", "check_recipient_access"
REVERSE = "check_reverse_client_hostname_access"

OPEN: list[Row] = [
    # Tables of clients.
    lists("client_static", f"{CLIENT} static:OK, {GUARD}"),
    lists("client_static_lower", f"CHECK_CLIENT_ACCESS static:ok, {GUARD}"),
    lists("client_static_relay", f"{CLIENT} static:RELAY, {GUARD}"),
    lists("client_static_number", f"{CLIENT} static:1, {GUARD}"),
    lists("client_static_550_alone", f"{CLIENT} static:550, {GUARD}"),
    lists("client_static_text", f"{CLIENT} static:{{OK you are welcome}}, {GUARD}"),
    lists("client_static_permit", f"{CLIENT} static:permit, {GUARD}"),
    lists("client_cidr", f"{CLIENT} cidr:T, {GUARD}", ALL),
    lists("client_cidr_halves", f"{CLIENT} cidr:T, {GUARD}", "0.0.0.0/1 OK\n128.0.0.0/1 OK\n"),
    lists("client_cidr_ipv6", f"{CLIENT} cidr:T, {GUARD}", "2000::/3 OK\n"),
    lists("client_cidr_after_ones_own", f"{CLIENT} cidr:T, {GUARD}", "192.0.2.0/24 REJECT\n" + ALL),
    lists("client_cidr_in_main_cf", f"{CLIENT} cidr:{{{{0.0.0.0/0 OK}}}}, {GUARD}"),
    lists("client_regexp", f"{CLIENT} regexp:T, {GUARD}", "/./ OK\n"),
    lists("client_regexp_not", f"{CLIENT} regexp:T, {GUARD}", "!/^192\\.0\\.2\\./ OK\n"),
    lists("client_regexp_words", f"{CLIENT} regexp:T, {GUARD}", "/./ permit_mynetworks, permit\n"),
    lists("client_network_of_bytes", f"{CLIENT} texthash:T, {GUARD}", "".join(f"{n} OK\n" for n in range(1, 224))),
    lists("client_without_a_name", f"{CLIENT} texthash:T, {GUARD}", "unknown OK\n"),
    lists("client_with_another_pointer", f"{REVERSE} texthash:T, {CLIENT} static:OK, {GUARD}",
          "unknown REJECT\nexample REJECT\n"),
    lists("client_hash", f"{CLIENT} hash:T, {GUARD}", "23 OK\n93 OK\n203 OK\n45 OK\n"),
    lists("client_lmdb", f"{CLIENT} lmdb:T, {GUARD}", "23 OK\n93 OK\n203 OK\n45 OK\n"),
    lists("client_inline", f"{CLIENT} inline:{{ {{ 23 = OK }} {{ 203 = OK }} {{ 93 = OK }} }}, {GUARD}"),
    lists("client_by_the_rest_of_a_list", f"{CLIENT} cidr:T, {GUARD}", "192.0.2.0/24 REJECT\n0.0.0.0/0 permit\n"),
    lists("client_of_a_union", f"{CLIENT} unionmap:{{static:OK}}, {GUARD}"),
    # What a table lets pass without a word, before it refuses the rest.
    lists("sender_exception", f"{SENDER} regexp:T, {CLIENT} static:OK, {GUARD}", "/^boss@/ DUNNO\n/./ REJECT no\n",
          senders=["boss@stranger.example"]),
    lists("helo_exception", f"{HELO} regexp:T, {CLIENT} static:OK, {GUARD}", "/^mx1\\./ PREPEND X-Y: z\n/./ 554 no\n",
          helos=["mx1.stranger.example"], smtpd_helo_required="yes"),
    # A table alone is asked for what its list is about.
    lists("bare_table_of_recipients", f"regexp:T, {GUARD}", "/@/ OK\n"),
    lists("bare_table_in_a_class", f"everybody, {GUARD}", "/@/ OK\n", smtpd_restriction_classes="everybody",
          everybody="regexp:T"),
    # What the stranger says himself.
    lists("sender_static", f"{SENDER} static:OK, {GUARD}"),
    lists("sender_own_domain", f"{SENDER} texthash:T, {GUARD}", "example.com OK\n", senders=["joe@example.com"]),
    lists("sender_own_address", f"{SENDER} texthash:T, {GUARD}", "boss@example.com OK\n",
          senders=["boss@example.com"]),
    lists("sender_of_another", f"{SENDER} hash:T, {GUARD}", "partner.example OK\n", senders=["x@partner.example"]),
    lists("sender_below", f"{SENDER} texthash:T, {GUARD}", "partner.example OK\n",
          senders=["x@deep.partner.example"]),
    lists("sender_local_part", f"{SENDER} texthash:T, {GUARD}", "newsletter@ OK\n", senders=["newsletter@a.example"]),
    lists("sender_with_extension", f"{SENDER} texthash:T, {GUARD}", "boss@example.com OK\n",
          senders=["boss+x@example.com"]),
    lists("sender_empty", f"{SENDER} inline:{{ <>=OK }}, {GUARD}", senders=[""]),
    lists("sender_empty_by_its_own_key", f"{SENDER} inline:{{ nobody=OK }}, {GUARD}", senders=[""],
          smtpd_null_access_lookup_key="nobody"),
    lists("sender_empty_regexp", f"{SENDER} regexp:T, {GUARD}", "/^<>$/ OK\n", senders=[""]),
    lists("sender_regexp", f"{SENDER} regexp:T, {GUARD}", "/./ OK\n"),
    lists("sender_regexp_of_a_partner", f"{SENDER} regexp:T, {GUARD}", "/@(mx|mail)\\.partner\\.example$/ OK\n",
          senders=["x@mx.partner.example"]),
    lists("sender_regexp_local_part", f"{SENDER} regexp:T, {GUARD}", "/^bounce-[0-9]+@/ OK\n",
          senders=["bounce-1@a.example"]),
    lists("sender_in_its_own_list", STANDARD, smtpd_relay_restrictions=f"{SENDER} static:OK, {GUARD}",
          smtpd_recipient_restrictions="permit_mynetworks"),
    lists("helo_name", f"{HELO} texthash:T, {GUARD}", "mail.example.com OK\n", helos=["mail.example.com"]),
    lists("helo_regexp", f"{HELO} regexp:T, {GUARD}", "/^friend$/ OK\n", helos=["friend"]),
    lists("helo_address", f"{HELO} cidr:T, {GUARD}", "10.0.0.0/8 OK\n", helos=["10.9.8.7"]),
    lists("helo_domain", f"{HELO} texthash:T, {GUARD}", "example.com OK\n", helos=["x.example.com"]),
    lists("recipient_regexp", f"{RECIPIENT} regexp:T, {GUARD}", "/@/ OK\n"),
    lists("recipient_top_levels", f"{RECIPIENT} texthash:T, {GUARD}", "com OK\nnet OK\norg OK\n"),
    lists("recipient_postmaster_of_all", f"{RECIPIENT} texthash:T, {GUARD}", "postmaster@ OK\n",
          recipients=["postmaster@victim.com"]),
    lists("recipient_abuse_by_regexp", f"{RECIPIENT} regexp:T, {GUARD}", "/^abuse@/ OK\n",
          recipients=["abuse@victim.com"]),
    # Classes, and words that others lead to.
    lists("class", f"everybody, {GUARD}", **EVERYBODY),
    lists("class_of_a_class", f"outer, {GUARD}", smtpd_restriction_classes="outer, inner", outer="inner",
          inner=f"{SENDER} static:OK"),
    lists("class_in_a_table", f"{CLIENT} static:everybody, {GUARD}", **EVERYBODY),
    lists("class_in_a_table_of_senders", f"{SENDER} texthash:T, {GUARD}", "stranger.example everybody\n",
          **EVERYBODY),
    lists("class_that_holds_the_guard_after", "closed", smtpd_restriction_classes="closed",
          closed=f"{CLIENT} static:OK, {GUARD}"),
    lists("warned_guard", f"warn_if_reject {GUARD}, {SENDER} static:OK, reject"),
    lists("warned_guard_in_a_class", f"warn_if_reject closed, {GUARD}", smtpd_restriction_classes="closed",
          closed=f"{GUARD}, permit"),
    lists("warned_words_of_a_table", f"warn_if_reject {CLIENT} static:{{{GUARD} permit}}, {GUARD}"),
    lists("warned_deferral", f"warn_if_reject defer_if_permit, {CLIENT} static:OK, {GUARD}"),
    # Lists that a stranger walks around.
    lists("helo_list_alone", f"{CLIENT} static:OK, {GUARD}", smtpd_helo_restrictions="reject"),
    lists("data_list_alone", f"{CLIENT} static:OK, {GUARD}", smtpd_data_restrictions=GUARD),
    lists("guard_too_early", f"{CLIENT} static:OK, {GUARD}", smtpd_sender_restrictions=GUARD,
          smtpd_delay_reject="no"),
    lists("permit_in_both", f"{CLIENT} static:OK, {GUARD}", smtpd_relay_restrictions=f"{SENDER} static:OK, reject"),
    lists("no_list_but_sender", f"{SENDER} static:OK, reject", smtpd_client_restrictions="permit"),
    lists("login_or_sender", f"permit_sasl_authenticated, {SENDER} static:OK, {GUARD}"),
    lists("soft_bounce", f"{CLIENT} static:OK, {GUARD}", soft_bounce="yes"),
    lists("old_word", f"permit_naked_ip_address, {GUARD}", helos=["23.45.67.89"], before=(3, 9)),
    # Client certificates of anybody.
    lists("any_certificate", f"check_ccert_access static:OK, {GUARD}", **CERTIFIED),
    lists("any_fingerprint", f"permit_tls_clientcerts, {GUARD}", relay_clientcerts="static:all", **CERTIFIED),
    # mynetworks.
    one("networks_all", "whole-internet-may-relay", mynetworks="0.0.0.0/0"),
    one("networks_all_ipv6", "whole-internet-may-relay", mynetworks="127.0.0.0/8 [::]/0"),
    one("networks_global_ipv6", "whole-internet-may-relay", mynetworks="127.0.0.0/8 [2000::]/3"),
    one("networks_halves", "whole-internet-may-relay", mynetworks="0.0.0.0/1 128.0.0.0/1"),
    one("networks_three_quarters", "whole-internet-may-relay", mynetworks="0.0.0.0/2 64.0.0.0/2 128.0.0.0/2"),
    one("networks_half", "whole-internet-may-relay", mynetworks="127.0.0.0/8 0.0.0.0/1"),
    one("networks_quarter", "whole-internet-may-relay", mynetworks="192.0.0.0/2"),
    one("networks_static", "whole-internet-may-relay", mynetworks="static:all"),
    one("networks_cidr", "whole-internet-may-relay", "0.0.0.0/0 x\n", mynetworks="cidr:T"),
    one("networks_regexp", "whole-internet-may-relay", "/./ x\n", mynetworks="127.0.0.0/8, regexp:T"),
    one("networks_file", "whole-internet-may-relay", "0.0.0.0/1, 128.0.0.0/1\n", mynetworks="@T"),
    one("networks_all_but_one", "whole-internet-may-relay", mynetworks="!10.0.0.0/8, 0.0.0.0/0"),
    one("networks_by_no_name", "whole-internet-may-relay", mynetworks="127.0.0.0/8, inline:{unknown=x}"),
    one("networks_before_the_guard", "whole-internet-may-relay", mynetworks="0.0.0.0/0",
        smtpd_relay_restrictions="", smtpd_recipient_restrictions=STANDARD),
    # Who may say that he is somebody else.
    one("xclient_all", "xclient-for-strangers", smtpd_authorized_xclient_hosts="0.0.0.0/0", ways=[XCLIENT]),
    one("xclient_static", "xclient-for-strangers", smtpd_authorized_xclient_hosts="static:all", ways=[XCLIENT]),
    one("xclient_cidr", "xclient-for-strangers", "0.0.0.0/0 x\n", smtpd_authorized_xclient_hosts="cidr:T",
        ways=[XCLIENT]),
    one("xclient_login", "xclient-for-strangers", smtpd_authorized_xclient_hosts="0.0.0.0/0",
        smtpd_relay_restrictions="permit_sasl_authenticated, reject", smtpd_sasl_auth_enable="yes", ways=[LOGIN]),
    one("xclient_login_without_logins", "xclient-for-strangers", smtpd_authorized_xclient_hosts="0.0.0.0/0",
        smtpd_relay_restrictions="permit_sasl_authenticated, reject", ways=[LOGIN], since=(3, 11)),
    one("xclient_client_table", "xclient-for-strangers", smtpd_authorized_xclient_hosts="0.0.0.0/0",
        smtpd_relay_restrictions=f"{CLIENT} inline:{{10.9.8.7=OK}}, {GUARD}",
        ways=[{**STATED, "xclient": "ADDR=10.9.8.7"}]),
    one("xclient_client_name", "xclient-for-strangers", smtpd_authorized_xclient_hosts="0.0.0.0/0",
        smtpd_relay_restrictions=f"{CLIENT} inline:{{inner.example=OK}}, {GUARD}",
        ways=[{**STATED, "xclient": "NAME=inner.example"}]),
    one("proxy_of_an_interface", "proxy-protocol-for-strangers", smtpd_upstream_proxy_protocol="haproxy",
        smtpd_relay_restrictions=f"permit_inet_interfaces, {GUARD}",
        ways=[{**STATED, "proxy": "PROXY TCP4 192.0.2.25 192.0.2.25 40000 25"}]),
    one("proxy_of_anybody", "proxy-protocol-for-strangers", smtpd_upstream_proxy_protocol="haproxy", ways=[PROXY]),
    one("proxy_of_a_network", "proxy-protocol-for-strangers", smtpd_upstream_proxy_protocol="haproxy",
        smtpd_relay_restrictions=f"{CLIENT} cidr:{{{{10.9.8.0/24 OK}}}}, {GUARD}",
        ways=[{**STATED, "proxy": "PROXY TCP4 10.9.8.7 192.0.2.25 40000 25"}]),
    whole("postscreen_proxy", "proxy-protocol-for-strangers", postscreen_upstream_proxy_protocol="haproxy",
          postscreen_greet_action="ignore", services=POSTSCREEN, ways=[PROXY]),
    whole("postscreen_networks", "whole-internet-may-relay", services=POSTSCREEN, mynetworks="0.0.0.0/0"),
    whole("qmqp_all", "qmqp-for-strangers", qmqpd_authorized_clients="static:all", services=[QMQPD], port=628,
          ways=[{**STATED, "qmqp": True}]),
    whole("qmqp_network", "qmqp-for-strangers", qmqpd_authorized_clients="0.0.0.0/0", services=[QMQPD], port=628,
          ways=[{**STATED, "qmqp": True}]),
    whole("qmqp_option", "qmqp-for-strangers", port=628, ways=[{**STATED, "qmqp": True}],
          services=[{**QMQPD, "options": {"qmqpd_authorized_clients": "0.0.0.0/0"}}]),
    # Domains.
    whole("relay_domains_static", "every-domain-is-listed", relay_domains="static:all"),
    whole("relay_domains_regexp", "every-domain-is-listed", table="/./ x\n", relay_domains="regexp:T"),
    whole("relay_domains_dots", "every-domain-is-listed", table="/\\./ x\n", relay_domains="example.org regexp:T"),
    whole("relay_domains_top_levels", "every-domain-is-listed", relay_domains="com, net"),
    whole("relay_domains_table_of_top_levels", "every-domain-is-listed", table="com x\norg x\n",
          relay_domains="texthash:T"),
    whole("relay_domains_with_dots", "every-domain-is-listed", table=".com x\n", relay_domains="texthash:T",
          parent_domain_matches_subdomains="mynetworks"),
    whole("relay_domains_word_with_dot", "every-domain-is-listed", relay_domains=".com",
          parent_domain_matches_subdomains="mynetworks"),
    whole("relay_domains_file", "every-domain-is-listed", table="com\n", relay_domains="@T"),
    whole("relay_domains_not", "every-domain-is-listed", relay_domains="!example.org, static:all"),
    whole("relay_domains_of_rewriting", "every-domain-is-listed",
          services=[{"service": "rewrite", "type": "unix", "command": "trivial-rewrite",
                     "options": {"relay_domains": "static:all"}}]),
    whole("final_static", "every-domain-is-listed", mydestination="static:all", **SWALLOWS),
    whole("final_regexp", "every-domain-is-listed", table="/./ x\n", mydestination="regexp:T", **SWALLOWS),
    whole("mailboxes_static", "every-domain-is-listed", virtual_mailbox_domains="static:all",
          virtual_transport="smtp:[127.0.0.1]:2500"),
    whole("mailboxes_regexp", "every-domain-is-listed", table="/victim|./ x\n", virtual_mailbox_domains="regexp:T",
          virtual_transport="smtp:[127.0.0.1]:2500"),
    whole("old_compatibility", "open-relay", compatibility_level="0", smtpd_relay_restrictions=None,
          smtpd_recipient_restrictions=f"{SENDER} static:OK, {GUARD}"),
    whole("second_listener", "open-relay", port=2525,
          services=[inet("2525", smtpd_relay_restrictions=f"{CLIENT} static:OK, reject",
                         smtpd_recipient_restrictions="")]),
    whole("second_listener_networks", "whole-internet-may-relay", port=2525,
          services=[inet("2525", mynetworks="0.0.0.0/0")]),
]  # fmt: skip

NEAR: list[Row] = [
    # Tables of clients that hold no stranger.
    near("near_standard", TRUSTS),
    near("near_client_own", f"{CLIENT} cidr:T, {GUARD}", "192.0.2.0/24 OK\n0.0.0.0/0 DUNNO\n"),
    near("near_client_not", f"{CLIENT} cidr:T, {GUARD}", "!192.0.2.0/24 DUNNO\n192.0.2.0/24 OK\n"),
    near("near_client_name", f"{CLIENT} texthash:T, {GUARD}", "mail.example.com OK\n"),
    near("near_client_cidr_order", f"{CLIENT} cidr:T, {GUARD}", "0.0.0.0/0 REJECT\n::/0 REJECT\n" + ALL),
    near("near_client_regexp_order", f"{CLIENT} regexp:T, {GUARD}", "/./ DUNNO\n/./ OK\n"),
    near("near_client_regexp_parents", f"{CLIENT} regexp:T, {GUARD}", "/^23\\.45\\.67$/ OK\n/^example$/ OK\n"),
    near("near_client_star", f"{CLIENT} texthash:T, {GUARD}", "* OK\n0.0.0.0/0 OK\n0.0.0.0 OK\n"),
    near("near_client_static_dunno", f"{CLIENT} static:DUNNO, {GUARD}"),
    near("near_client_static_hold", f"{CLIENT} static:HOLD, {GUARD}"),
    near("near_client_static_550_text", f"{CLIENT} static:{{550 go away}}, {GUARD}"),
    near("near_client_words", f"{CLIENT} static:{{permit_mynetworks reject}}, {SENDER} static:OK, {GUARD}"),
    near("near_client_deferred", f"{CLIENT} static:defer_if_permit, {SENDER} static:OK, {GUARD}"),
    near("near_client_inline", f"{CLIENT} inline:{{ {{ 192.0.2.7 = OK }} }}, {GUARD}"),
    near("near_pointer_record", f"{REVERSE} texthash:T, {GUARD}", "mail.example.com OK\n"),
    # After the guard.
    near("near_after", f"{GUARD}, {CLIENT} static:OK"),
    near("near_after_permit", f"permit_mynetworks, {GUARD}, permit"),
    near("near_after_defer", f"permit_mynetworks, defer_unauth_destination, {SENDER} static:OK"),
    near("near_case", "PERMIT_MYNETWORKS, Reject_Unauth_Destination, Permit"),
    near("near_words_of_one_list", "permit", smtpd_relay_restrictions=STANDARD),
    near("near_second_list", STANDARD, smtpd_relay_restrictions=f"{CLIENT} static:OK, reject"),
    near("near_both", f"{CLIENT} static:OK, {GUARD}", smtpd_relay_restrictions=STANDARD),
    near("near_before_recipient", f"{CLIENT} static:OK, {GUARD}", smtpd_relay_restrictions=STANDARD,
         smtpd_relay_before_recipient_restrictions="no", since=(3, 6)),
    # What the stranger says, where it does not help him.
    near("near_sender_after", f"{GUARD}, {SENDER} texthash:T", "example.com OK\n", senders=["joe@example.com"]),
    near("near_sender_logs_in", f"{SENDER} texthash:T, {GUARD}",
         "example.com permit_sasl_authenticated, reject\n", senders=["joe@example.com"]),
    near("near_sender_refused_first", f"{SENDER} inline:{{example.com=OK}}, {GUARD}",
         smtpd_sender_restrictions=f"permit_mynetworks, {SENDER} inline:{{example.com=REJECT}}",
         senders=["joe@example.com"]),
    near("near_sender_all_refused", f"{SENDER} static:REJECT, {CLIENT} static:OK, {GUARD}"),
    near("near_sender_regexp_order", f"{SENDER} regexp:T, {GUARD}", "/./ REJECT\n/@example\\.com$/ OK\n",
         senders=["joe@example.com", ""]),
    near("near_sender_regexp_domain", f"{SENDER} regexp:T, {GUARD}", "/^stranger\\.example$/ OK\n"),
    near("near_helo_and_networks", f"{HELO} texthash:T, {GUARD}", "friend permit_mynetworks\n", helos=["friend"]),
    near("near_recipient_of_a_partner", f"{RECIPIENT} texthash:T, {GUARD}", "partner.example OK\n"),
    near("near_recipient_address", f"{RECIPIENT} texthash:T, {GUARD}", "postmaster@example.com OK\n",
         recipients=["postmaster@victim.com"]),
    near("near_recipient_regexp", f"{RECIPIENT} regexp:T, {GUARD}", "/@partner\\.example$/ OK\n"),
    near("near_recipient_regexp_parents", f"{RECIPIENT} regexp:T, {GUARD}", "/^com$/ OK\n/^victim\\.com$/ OK\n"),
    near("near_recipient_dunno", f"{RECIPIENT} static:DUNNO, {GUARD}"),
    # Classes.
    near("near_class", f"inside, {GUARD}", smtpd_restriction_classes="inside",
         inside="permit_mynetworks, reject_unauth_destination, permit"),
    near("near_class_guards", "closed, permit", smtpd_restriction_classes="closed", closed=STANDARD),
    near("near_class_alone", "closed", smtpd_restriction_classes="closed", closed=STANDARD),
    near("near_class_not_reached", f"{GUARD}, everybody", **EVERYBODY),
    near("near_class_not_called", STANDARD, **EVERYBODY),
    near("near_warned_other", f"warn_if_reject reject_non_fqdn_sender, {GUARD}"),
    near("near_warned_permit", f"permit_mynetworks, warn_if_reject {CLIENT} static:REJECT, {GUARD}"),
    near("near_warning_ends_with_its_class", f"closed, {GUARD}, permit", smtpd_restriction_classes="closed",
         closed="permit_mynetworks, warn_if_reject"),
    near("near_deferred", f"defer_if_permit, {CLIENT} static:OK, {GUARD}"),
    near("near_deferred_in_another_list", f"{CLIENT} static:OK, {GUARD}",
         smtpd_client_restrictions="defer_if_permit"),
    near("near_deferred_in_a_class", f"later, {CLIENT} static:OK, {GUARD}", smtpd_restriction_classes="later",
         later="defer_if_permit"),
    near("near_deferred_alone", "permit_mynetworks, defer_if_permit"),
    # Lists that close what others open.
    near("near_closed_by_clients", f"{SENDER} static:OK, reject",
         smtpd_client_restrictions="permit_mynetworks, reject"),
    near("near_closed_early", f"{SENDER} static:OK, reject", smtpd_client_restrictions="permit_mynetworks, reject",
         smtpd_delay_reject="no"),
    near("near_closed_by_senders", f"{CLIENT} static:OK, {GUARD}", smtpd_sender_restrictions=GUARD),
    near("near_closed_by_helo", f"{CLIENT} static:OK, {GUARD}",
         smtpd_helo_restrictions="permit_mynetworks, reject", smtpd_helo_required="yes"),
    near("near_closed_by_data", f"{CLIENT} static:OK, {GUARD}",
         smtpd_data_restrictions="permit_mynetworks, reject"),
    near("near_client_list_permits", STANDARD, smtpd_client_restrictions="permit"),
    near("near_all_lists_permit", STANDARD, smtpd_client_restrictions="permit", smtpd_helo_restrictions="permit",
         smtpd_sender_restrictions="permit", smtpd_data_restrictions="permit"),
    near("near_login_of_senders", f"reject_sender_login_mismatch, {SENDER} inline:{{joe@example.com=OK}}, {GUARD}",
         "/@example\\.com$/ joe\n", smtpd_sasl_auth_enable="yes", smtpd_sender_login_maps="regexp:T",
         senders=["joe@example.com"]),
    near("near_soft_bounce", STANDARD, soft_bounce="yes"),
    # Certificates.
    near("near_certificate_not_asked", f"check_ccert_access static:OK, {GUARD}", smtpd_tls_ask_ccert="no",
         ways=[CERTIFICATE]),
    near("near_certificate_unknown", f"permit_tls_clientcerts, {GUARD}",
         **{**CERTIFIED, "relay_clientcerts": "inline:{AB:CD=joe}"}),
    near("near_all_certificates_not_asked", f"permit_tls_all_clientcerts, {GUARD}", ways=[CERTIFICATE]),
    near("near_all_certificates", f"permit_tls_all_clientcerts, {GUARD}", check="open-relay",
         why="what the list of authorities holds", **CERTIFIED),
    # What others say.
    near("near_policy_service", f"check_policy_service inet:127.0.0.1:10023, {GUARD}", check="open-relay",
         why="what the policy service says"),
    near("near_mx_backup", f"permit_mx_backup, {GUARD}", check="open-relay", why="what DNS says"),
    near("near_ldap", f"{CLIENT} tcp:127.0.0.1:10024, {GUARD}", check="open-relay", why="what the server says"),
    near("near_policy_service_after", f"{GUARD}, check_policy_service inet:127.0.0.1:10023"),
    # mynetworks.
    one("near_networks_own", mynetworks="127.0.0.0/8 192.0.2.0/24 [2001:db8:25::]/64"),
    one("near_networks_private", mynetworks="10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 127.0.0.0/8"),
    one("near_networks_not", mynetworks="!0.0.0.0/0 !::/0 0.0.0.0/0 127.0.0.0/8".replace("!::/0", "![::]/0")),
    one("near_networks_cidr", table="192.0.2.0/24 x\n", mynetworks="127.0.0.0/8 cidr:T"),
    one("near_networks_regexp", table="/^192\\.0\\.2\\./ x\n", mynetworks="127.0.0.0/8 regexp:T"),
    one("near_networks_file", table="192.0.2.0/24\n", mynetworks="127.0.0.0/8 @T"),
    one("near_networks_unused", "whole-internet-may-relay", mynetworks="0.0.0.0/0",
        smtpd_relay_restrictions="permit_sasl_authenticated, reject",
        why="no list asks for mynetworks, until one does"),
    whole("near_networks_style_class", mynetworks=None, mynetworks_style="class"),
    whole("near_networks_style_host", mynetworks=None, mynetworks_style="host"),
    # Who may say that he is somebody else, and has nothing of it.
    one("near_xclient_filter", smtpd_authorized_xclient_hosts="127.0.0.1", ways=[XCLIENT]),
    one("near_xclient_cidr", table="192.0.2.0/24 x\n", smtpd_authorized_xclient_hosts="cidr:T", ways=[XCLIENT]),
    one("near_xforward_all", smtpd_authorized_xforward_hosts="0.0.0.0/0", ways=[XCLIENT]),
    one("near_xclient_for_nothing", smtpd_authorized_xclient_hosts="0.0.0.0/0",
        smtpd_relay_restrictions=GUARD, ways=[XCLIENT, LOGIN]),
    one("near_xclient_interface", smtpd_authorized_xclient_hosts="0.0.0.0/0",
        smtpd_relay_restrictions=f"permit_inet_interfaces, {GUARD}",
        ways=[{**STATED, "xclient": "ADDR=192.0.2.25"}]),
    one("near_proxy_for_logins", smtpd_upstream_proxy_protocol="haproxy",
        smtpd_relay_restrictions="permit_sasl_authenticated, reject", ways=[PROXY]),
    whole("near_proxy_inside", port=10588, ways=[PROXY],
          services=[inet("127.0.0.1:10588", smtpd_upstream_proxy_protocol="haproxy")]),
    whole("near_postscreen_list", table="0.0.0.0/0 permit\n", services=POSTSCREEN,
          postscreen_access_list="permit_mynetworks, cidr:T", postscreen_greet_action="ignore"),
    whole("near_qmqp_own", qmqpd_authorized_clients="127.0.0.0/8, 192.0.2.0/24", services=[QMQPD], port=628,
          ways=[{**STATED, "qmqp": True}]),
    whole("near_qmqp_inside", qmqpd_authorized_clients="static:all", port=628,
          services=[{**QMQPD, "service": "127.0.0.1:628"}], ways=[{**STATED, "qmqp": True}]),
    whole("near_qmqp_no_service", qmqpd_authorized_clients="static:all", port=628,
          ways=[{**STATED, "qmqp": True}]),
    whole("near_qmqp_option", qmqpd_authorized_clients="static:all", port=628, ways=[{**STATED, "qmqp": True}],
          services=[{**QMQPD, "options": {"qmqpd_authorized_clients": "127.0.0.1"}}]),
    # Domains.
    whole("near_relay_domains_own", table="/\\.example\\.org$/ x\n", relay_domains="example.org regexp:T"),
    whole("near_relay_domains_star", table="* x\n", relay_domains="texthash:T"),
    whole("near_relay_domains_dot", relay_domains=".com"),
    whole("near_relay_domains_regexp_parents", table="/^com$/ x\n", relay_domains="regexp:T"),
    whole("near_relay_domains_not_parents", relay_domains="com, net",
          parent_domain_matches_subdomains="mynetworks"),
    whole("near_relay_domains_exclusion", relay_domains="!victim.com, !static:all, static:all"),
    whole("near_relay_domains_option", relay_domains="example.org",
          services=[inet("2525", relay_domains="static:all")], port=2525),
    whole("near_relay_recipients", table="joe@example.org x\n", relay_domains="example.org",
          relay_recipient_maps="texthash:T"),
    whole("near_final_dot", mydestination="$myhostname, localhost, .com"),
    whole("near_mailboxes_own", table="/^example\\.org$/ x\n", virtual_mailbox_domains="regexp:T",
          virtual_transport="smtp:[127.0.0.1]:2500"),
    whole("near_aliases_own", table="example.org x\n", virtual_alias_domains="texthash:T",
          virtual_alias_maps="inline:{joe@example.org=root}"),
    whole("near_source_route", allow_untrusted_routing="yes", recipients=["jane%victim.com@mail.example.com"]),
    whole("near_percent_hack", recipients=["jane%victim.com@mail.example.com", "@mail.example.com:jane@victim.com",
                                           "victim.com!jane@mail.example.com", "jane@victim.com@mail.example.com"]),
    whole("near_old_compatibility", compatibility_level="0", smtpd_relay_restrictions=None,
          smtpd_recipient_restrictions=STANDARD),
    whole("near_inner_listener", port=10026,
          services=[inet("127.0.0.1:10026", mynetworks="0.0.0.0/0", smtpd_client_restrictions="permit_mynetworks")]),
]  # fmt: skip

DEAD: list[Row] = [
    # Open to read, but smtpd(8) does not start.
    lists("dead_permit_first", f"permit, {GUARD}", check="relaying-not-refused"),
    lists("dead_permit_in_both", "permit, reject", check="relaying-not-refused",
          smtpd_relay_restrictions="permit_mynetworks, permit, reject_unauth_destination"),
    lists("dead_warned_guard", f"permit_mynetworks, warn_if_reject {GUARD}", check="relaying-not-refused"),
    lists("dead_empty", "", check="relaying-not-refused"),
    lists("dead_class", "everybody, permit_mynetworks", check="relaying-not-refused", **EVERYBODY),
]  # fmt: skip
