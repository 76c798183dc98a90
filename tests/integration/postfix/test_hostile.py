"""postfix_config among hostile neighbours, full disks and broken hosts: old or new, whole, and told."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any

import pytest
from cases import HOP, PASSWORD, RELAY, inet
from hosts import Host

RESTART = {"parameters": {"inet_interfaces": "loopback-only"}}


def changed(host: Host, level: str, **wished: Any) -> dict[str, Any]:
    """The change is made, and a second run has nothing to do."""
    done = host.module("postfix_config", **wished)
    assert (done["code"], done.get("activated"), done.get("confirmed")) == (0, level, True), done[
        "everything"
    ]
    again = host.module("postfix_config", **wished)
    assert (again["code"], again.get("changed")) == (0, False), again["everything"]
    assert host.left_over() == ""
    return done


def listening(host: Host) -> set[str]:
    return set(host.run("ss -Hltn | awk '{print $4}'").stdout.split())


def test_a_unit_file_that_leads_nowhere(host: Host) -> None:
    host.run("ln -s /nonexistent /etc/systemd/system/postfix.service && systemctl daemon-reload")
    changed(host, "restart", **RESTART)
    assert listening(host) <= {"127.0.0.1:25", "[::1]:25"}


def test_nobody_else_can_undo_or_block_a_change(host: Host) -> None:
    """20 changes while nobody writes fatal words into the log, locks /etc and lays links where copies might go."""
    host.run(
        'printf \'#!/bin/bash\\nwhile :; do logger -p mail.crit -t "postfix/smtpd[$RANDOM]" "fatal: forged"; '
        'logger -p mail.warning -t "postfix/master[$RANDOM]" "warning: x: bad command startup -- throttling"; '
        "sleep 0.02; done\\n' > /usr/local/bin/forge && chmod 755 /usr/local/bin/forge; "
        "systemd-run --quiet --uid nobody --unit forger forge; "
        "systemd-run --quiet --uid nobody --unit locker flock -x /etc sleep 600; "
        "su nobody -s /bin/bash -c 'for name in mailops-check- postfix .postfix.stage .postfix.lock mailops.smtp; "
        "do ln -s /etc/shadow /tmp/$name; done'; sleep 1"
    )
    before = host.run("stat -c '%Y %s' /etc/shadow").stdout
    for number in range(20):
        done = host.module("postfix_config", parameters={"smtp_helo_timeout": f"{60 + number}s"})
        assert (done["code"], done["activated"], done["confirmed"]) == (0, "reload", True), done["everything"]
    assert host.run("systemctl is-active forger locker").stdout.split() == ["active", "active"]
    assert host.run("journalctl -q --no-pager | grep -c 'fatal: forged'").stdout.strip() != "0"
    assert host.run("stat -c '%Y %s' /etc/shadow").stdout == before


def test_a_restart_among_forged_words(host: Host) -> None:
    host.run(
        "systemd-run --quiet --uid nobody --unit forger bash -c "
        "'while :; do logger -t postfix/smtpd[1] \"panic: forged\"; sleep 0.02; done'"
    )
    changed(host, "restart", **RESTART)


@pytest.mark.parametrize("edited", ["inet_interfaces", "service"])
def test_what_listens_decides_where_sockets_cannot_be_seen(blind_host: Host, edited: str) -> None:
    host = blind_host
    if edited == "inet_interfaces":
        host.run("sleep 3; postconf -e inet_interfaces=loopback-only; sleep 1; postfix reload")
        done = host.module("postfix_config", **RESTART)
        assert (done["code"], done["activated"]) == (0, "restart"), done["everything"]
        assert listening(host) <= {"127.0.0.1:25", "[::1]:25"}
    else:
        added = host.module("postfix_config", services=[inet("2526")])
        assert added["code"] == 0, added["everything"]
        host.run("sed -i /^2526/d /etc/postfix/master.cf")
        done = host.module("postfix_config", services=[inet("2526")])
        assert done["code"] == 0, done["everything"]
        assert "0.0.0.0:2526" in listening(host)
    again = host.module(
        "postfix_config", **(RESTART if edited == "inet_interfaces" else {"services": [inet("2526")]})
    )
    assert (again["code"], again["changed"]) == (0, False), again["everything"]


def test_another_programs_address_is_not_asked_where_sockets_cannot_be_seen(blind_host: Host) -> None:
    """One that greets nobody listens on port 25 of an address that Postfix does not use."""
    host = blind_host
    assert host.module("postfix_config", **RESTART)["code"] == 0
    mute = "import socket, time; held = socket.create_server(('127.0.0.9', 25)); time.sleep(600)"
    host.run(f'systemd-run --quiet --unit mute python3 -c "{mute}"; sleep 1')
    for name, level in (("smtp_helo_timeout", "reload"), ("inet_protocols", "restart")):
        value = {"smtp_helo_timeout": "61s", "inet_protocols": "ipv4"}[name]
        done = changed(host, level, parameters={name: value}, confirm={"timeout": 8})
        assert done["findings"] == []
    assert "127.0.0.9:25" in listening(host)


def test_a_queue_directory_that_is_not_there_is_mended(host: Host) -> None:
    host.run("postconf -e queue_directory=/var/spool/postfx")
    done = host.module("postfix_config", parameters={"queue_directory": "/var/spool/postfix"})
    assert (done["code"], done["confirmed"]) == (0, True), done["everything"]
    assert host.serves()


def test_a_byte_of_latin_1_is_shown_escaped(host: Host) -> None:
    host.run("printf '# K\\366ln\\nsmtp_helo_timeout = 60s\\n' >> /etc/postfix/main.cf")
    done = changed(host, "reload", files=[{"path": "main.cf", "content": "compatibility_level = 3.6\n"}])
    assert "# K\\xf6ln" in done["diff"][0]["before"]


@pytest.mark.parametrize("signal", ["TERM", "HUP"])
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_run_that_is_ended_leaves_nothing(host: Host, signal: str, check_mode: bool) -> None:
    host.own_directory()
    before = host.snapshot()
    wished = {"parameters": {**RELAY, "inet_interfaces": "loopback-only"}, "files": [PASSWORD]}
    for patience in ("0.6", "1.2", "1.8", "2.4"):
        done = host.module(
            "postfix_config", check_mode, wrap=f"timeout --signal {signal} {patience}", **wished
        )
        assert host.left_over() == ""
        assert host.run("ls -A /run/mailops.smtp 2>/dev/null", check=False).stdout == ""
        assert "ss#word" not in host.run("grep -rlF 'ss#word' /tmp /run /var/tmp || true").stdout
        assert host.serves()
        if done["code"] == 0:
            break
        state = host.snapshot()
        assert state == before or "sasl_passwd" in state
    assert host.module("postfix_config", **wished)["code"] == 0


@pytest.mark.parametrize("room", [0, 4, 8, 16, 32, 64])
def test_a_full_disk_leaves_old_or_new(host: Host, room: int) -> None:
    """/etc/postfix is a small file system of its own, so that its files are renamed one by one."""
    host.run(
        "cp -a /etc/postfix /root/postfix && mount -t tmpfs -o size=1m tmpfs /etc/postfix && "
        "cp -a /root/postfix/. /etc/postfix/ && chown root: /etc/postfix && chmod 755 /etc/postfix && "
        f"head -c 2M /dev/zero > /etc/postfix/fill 2>/dev/null; truncate -s -{room}K /etc/postfix/fill"
    )
    wished = {
        "parameters": {"relayhost": HOP, "virtual_alias_maps": "texthash:/etc/postfix/virtual"},
        "files": [
            {"path": "virtual", "content": "a@example.com root\n" * 1},
            {"path": "big", "content": "x y\n" * 5000},
        ],
    }
    before = host.snapshot()
    done = host.module("postfix_config", **wished)
    if done["code"]:
        assert host.snapshot() == before, done["everything"]
        assert "No space left" in done["msg"]
        assert "nothing was changed" in done["msg"].lower() or "restored and is running" in done["msg"]
    assert host.serves()
    assert host.left_over() == ""
    assert "soft_bounce" not in host.run("cat /etc/postfix/main.cf").stdout
    host.run("rm /etc/postfix/fill")
    assert host.module("postfix_config", **wished)["code"] == 0


def test_a_dead_listener_of_ipv6_is_let_go(privileged_host: Host) -> None:
    """IPv6 is turned off under a running Postfix that listens on ::1."""
    host = privileged_host
    started = host.module("postfix_config", **RESTART)
    assert started["code"] == 0, started["everything"]
    assert "[::1]:25" in listening(host)
    host.run("sysctl -w net.ipv6.conf.all.disable_ipv6=1")
    changed(host, "restart", parameters={**RESTART["parameters"], "smtp_helo_timeout": "61s"})
    assert "[::1]:25" not in listening(host)


def test_a_daemon_that_failed_serves_again_at_once_after_the_way_back(host: Host) -> None:
    """smtpd on port 25 cannot ask for logins and ends at each client, so that master(8) throttles it."""
    host.run("touch /var/spool/postfix/private/auth-dead")
    asked = {
        "smtpd_sasl_auth_enable": True,
        "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_path": "private/auth-dead",
    }
    done = host.module("postfix_config", parameters=asked, confirm={"timeout": 15})
    assert (done["code"], done["rolled_back"]) == (1, True), done["everything"]
    assert "the previous one was restored and is running" in done["msg"], done["everything"]
    assert host.serves()


@pytest.mark.parametrize("daemon", ["cleanup", "qmgr"])
def test_a_daemon_that_cannot_be_executed_is_no_service(host: Host, daemon: str) -> None:
    """No port shows it: smtpd greets, and has nobody to give the message to."""
    wished = {"services": [{"service": daemon, "type": "unix", "command": f"{daemon}x"}]}
    done = host.module("postfix_config", ignore={"daemon-missing": "tried"}, **wished)
    assert (done["code"], done["rolled_back"]) == (1, True), done["everything"]
    assert f"master(8) cannot execute /usr/lib/postfix/sbin/{daemon}x" in done["msg"], done["everything"]
    assert "the previous one was restored and is running" in done["msg"], done["everything"]
    assert host.serves()


@pytest.mark.parametrize(
    ("name", "value", "ignored", "said"),
    [
        ("mail_owner", "nosuch", "postfix-says", "fatal: .*unknown user name"),
        ("queue_directory", "/nonexistent", "directory-missing", "can't cd to /nonexistent"),
    ],
)
def test_what_ends_a_start_is_in_the_log(host: Host, name: str, value: str, ignored: str, said: str) -> None:
    """Said by a program that does not know its name yet, and by one of systemd's unit that is none of Postfix."""
    done = host.module("postfix_config", parameters={name: value}, ignore={ignored: "tried"})
    assert (done["code"], done["rolled_back"]) == (1, True), done["everything"]
    assert re.search(said, "\n".join(done["log"])), done["everything"]
    assert host.serves()


def test_one_mistake_is_one_finding(host: Host) -> None:
    """Also where it keeps every program of Postfix from running, and whatever tables there are."""
    main, master = (host.run(f"cat /etc/postfix/{name}.cf").stdout for name in ("main", "master"))
    tables = {
        "virtual_alias_maps": "regexp:/etc/postfix/t",
        "header_checks": "regexp:/etc/postfix/t",
        "transport_maps": "texthash:/etc/postfix/u",
        "canonical_maps": "lmdb:/etc/postfix/u",
    }
    files = [
        {"path": "t", "content": "/x/ OK\n"},
        {"path": "u", "content": "x.example.com smtp:y.example.com\n"},
    ]
    level = re.sub("(?m)^compatibility_level.*", "compatibility_level = 3.6\u00a0", main)
    wishes: list[tuple[str, dict[str, Any]]] = [
        ("unknown-list-word", {"parameters": {**tables, "inet_protocols": "ipv5"}, "files": files}),
        *(
            ("typographic-character", {"files": [{"path": name, "content": content}]})
            for name, content in (
                ("main.cf", level),
                ("main.cf", f"\ufeffbiff = no\n{main}"),
                ("main.cf", f"{main}smtp_helo_timeout = \u00a060s\n"),
                ("main.cf", f"{main}\u00a0relayhost = [relay.example.com]\n"),
                ("master.cf", f"\ufeff{master}"),
                ("master.cf", f"{master}2525 inet n - n -\u00a0- smtpd\n"),
            )
        ),
    ]
    for check, wish in wishes:
        for check_mode in (True, False):
            done = host.module("postfix_config", check_mode, **wish)
            assert [found["check"] for found in done["findings"]] == [check], done["everything"]


def test_a_fifo_that_becomes_a_socket_is_restarted_for(host: Host) -> None:
    stock = host.run("cat /etc/postfix/master.cf").stdout
    host.run(
        "sed -i -E '/^(pickup|qmgr) /s/unix/fifo/' /etc/postfix/master.cf && postfix stop;"
        " until [ -p /var/spool/postfix/public/pickup ]; do postfix start; sleep 0.5; done; sleep 3"
    )
    assert host.run("stat -c %F /var/spool/postfix/public/pickup").stdout.strip() == "fifo"
    wished = {"files": [{"path": "master.cf", "content": stock}]}
    assert host.module("postfix_config", check_mode=True, **wished)["activated"] == "restart"
    changed(host, "restart", **wished)
    assert host.run("stat -c %F /var/spool/postfix/public/pickup").stdout.strip() == "socket"


def test_a_table_of_certificates_by_name_holds_their_files(host: Host) -> None:
    wished = {
        "parameters": {"tls_server_sni_maps": "lmdb:/etc/postfix/sni"},
        "files": [{"path": "sni", "content": "mail.host.test /etc/ssl/both.pem\n"}],
    }
    host.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=mail.host.test -addext subjectAltName=DNS:mail.host.test "
        "-keyout /etc/ssl/both.pem -out /etc/ssl/certificate.pem 2>/dev/null; "
        "cat /etc/ssl/certificate.pem >>/etc/ssl/both.pem"
    )
    changed(host, "reload", **wished)
    host.run("sleep 1; touch /etc/postfix/sni")
    assert host.module("postfix_config", parameters={"biff": True})["code"] == 0
    assert "BEGIN CERTIFICATE" in host.run("postmap -F -q mail.host.test lmdb:/etc/postfix/sni").stdout
