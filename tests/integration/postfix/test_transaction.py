"""postfix_config on hosts with a real Postfix: what it leaves on disk, and what Postfix does then."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import signal
from typing import Any

import pytest
from cases import HOP, PASSWORD, RELAY, inet
from hosts import Host

SECRET = "Pa:ss#word $1"
RELEASES = pytest.mark.parametrize("host", ["bookworm", "trixie"], indirect=True)


def relay(**more: Any) -> dict[str, Any]:
    return {"parameters": {**RELAY, **more.pop("parameters", {})}, "files": [PASSWORD], **more}


@RELEASES
@pytest.mark.parametrize("own", [True, False], ids=["exchange", "renames"])
def test_first_run_changes_and_second_does_not(host: Host, own: bool) -> None:
    if own:
        host.own_directory()
    predicted = host.module("postfix_config", check_mode=True, **relay())
    untouched = host.snapshot()
    first = host.module("postfix_config", **relay(confirm={"listen": [25]}))
    assert predicted["code"] == 0, predicted["everything"]
    assert first["code"] == 0, first["everything"]
    assert first["changed"] and first["confirmed"] and first["activated"] == "reload"
    assert (predicted["files"], predicted["diff"], predicted["activated"]) == (
        first["files"],
        first["diff"],
        "reload",
    )
    assert host.snapshot() != untouched
    assert host.run("stat -c '%a %U' /etc/postfix/sasl_passwd").stdout.split() == ["600", "root"]
    assert f"{HOP}" in host.run("postconf -h relayhost").stdout
    for again in (
        host.module("postfix_config", check_mode=True, **relay()),
        host.module("postfix_config", **relay()),
    ):
        assert again["code"] == 0, again["everything"]
        assert (again["changed"], again["activated"], again["files"], again["diff"]) == (
            False,
            "none",
            [],
            [],
        )
    assert host.left_over() == ""
    assert host.serves()


@RELEASES
def test_secret_is_nowhere_but_in_its_file(host: Host) -> None:
    results = [host.module("postfix_config", **relay(backup=True))]
    rotated = {**PASSWORD, "content": f"{HOP} joe:New:{SECRET}\n"}
    results.append(host.module("postfix_config", **{**relay(backup=True), "files": [rotated]}))
    results.append(
        host.module("postfix_config", **{**relay(parameters={"relayhost": "[x"}), "files": [rotated]})
    )
    assert [result["code"] for result in results] == [0, 0, 1]
    for result in results:
        assert SECRET not in result["everything"]
        assert "ss#word" not in result["everything"]
    found = host.run(
        f"grep -rlF '{SECRET}' /etc /var/log /var/lib /var/spool /tmp /root /run || true"
    ).stdout.split()
    assert found == ["/etc/postfix/sasl_passwd"]
    assert set(host.run(f"stat -c '%a %U' {' '.join(found)}").stdout.splitlines()) == {"600 root"}
    assert "ss#word" not in host.run("journalctl --no-pager").stdout


@RELEASES
def test_inet_protocols_restarts_and_other_parameters_reload(host: Host) -> None:
    def pid() -> str:
        return host.run("head -1 /var/spool/postfix/pid/master.pid").stdout.strip()

    before = pid()
    reloaded = host.module("postfix_config", parameters={"smtp_helo_timeout": "60s"})
    assert (reloaded["activated"], pid()) == ("reload", before)
    restarted = host.module(
        "postfix_config", parameters={"inet_protocols": "ipv4", "inet_interfaces": "loopback-only"}
    )
    assert restarted["activated"] == "restart", restarted["everything"]
    assert pid() != before
    assert host.run("ss -Hltn | awk '{print $4}'").stdout.split() == ["127.0.0.1:25"]
    unit = "postfix@-.service" if host.release == "bookworm" else "postfix.service"
    assert host.run(f"systemctl is-active {unit}").stdout.strip() == "active"


SLOW_RELAY = {"relayhost": "[127.0.0.1]:2525", "smtp_tls_security_level": "none"}


def handing_over(host: Host, seconds: int) -> None:
    """Begin a delivery to a relay that keeps the message at once and says so later."""
    host.run(
        "install -d -o postfix /var/spool/kept && "
        "systemd-run --quiet --collect --unit slow-relay smtp-sink -u postfix -D /var/spool/kept/mail "
        f"-p -W .:{seconds} -h relay.test 127.0.0.1:2525 8; "
        "until ss -Hltn 'sport = :2525' | grep -q .; do sleep 0.1; done"
    )
    done = host.module("postfix_config", parameters=SLOW_RELAY)
    assert done["code"] == 0, done["everything"]
    send(host, "first")
    host.run(
        "for try in $(seq 100); do grep -q ' FLOCK .* READ ' /proc/locks && exit; sleep 0.1; done; exit 1"
    )


def send(host: Host, name: str) -> None:
    host.run(f"sendmail -f joe@host.test {name}@far.test", stdin="Subject: one\n\nOnce.\n")


def kept(host: Host) -> list[str]:
    """The recipients of what the relay got, once the queue is empty."""
    host.run(
        "for try in $(seq 120); do postqueue -f; postqueue -p | grep -q 'is empty' && exit; sleep 0.5; done; exit 1"
    )
    found = host.run("grep -h ^X-Rcpt-Args: /var/spool/kept/*").stdout.splitlines()
    return sorted(line[line.index("<") + 1 : line.index("@")] for line in found)


@RELEASES
def test_restart_waits_for_what_is_being_handed_over(host: Host) -> None:
    handing_over(host, 3)
    done = host.module("postfix_config", parameters={**SLOW_RELAY, "inet_protocols": "ipv4"})
    assert done["code"] == 0, done["everything"]
    assert done["activated"] == "restart" and done["confirmed"]
    send(host, "second")
    assert kept(host) == ["first", "second"]


@RELEASES
def test_postfix_goes_on_where_the_run_is_killed_amid_a_restart(host: Host) -> None:
    handing_over(host, 8)
    killed = host.module(
        "postfix_config",
        wrap="timeout --signal KILL 4",
        parameters={**SLOW_RELAY, "inet_protocols": "ipv4"},
    )
    assert killed["code"] == -signal.SIGKILL, killed["everything"]
    assert host.run("ps -o state= -C master").stdout.split() == ["S"]
    send(host, "second")
    assert kept(host) == ["first", "second"]


def test_restart_on_a_host_without_systemd(bare_host: Host) -> None:
    done = bare_host.module("postfix_config", parameters={"inet_protocols": "ipv4"})
    assert done["code"] == 0, done["everything"]
    assert done["activated"] == "restart" and done["confirmed"]
    assert "Z master" in bare_host.run("ps -A -o state=,comm=").stdout
    assert bare_host.serves()
    again = bare_host.module("postfix_config", parameters={"inet_protocols": "ipv4"})
    assert (again["changed"], again["confirmed"]) == (False, True), again["everything"]
    bare_host.run("postfix stop")
    started = bare_host.module("postfix_config", parameters={"inet_protocols": "ipv4"})
    assert (started["activated"], started["confirmed"]) == ("start", True), started["everything"]


@RELEASES
def test_added_port_is_served_after_a_reload(host: Host) -> None:
    done = host.module("postfix_config", services=[inet("2525")], confirm={"listen": [2525]})
    assert (done["code"], done["activated"]) == (0, "reload"), done["everything"]
    assert "2525" in host.run("ss -Hltn").stdout
    gone = host.module("postfix_config", services=[{"service": "2525", "type": "inet", "state": "absent"}])
    assert (gone["code"], gone["activated"]) == (0, "reload"), gone["everything"]
    assert "2525" not in host.run("ss -Hltn").stdout


@RELEASES
@pytest.mark.parametrize("own", [True, False], ids=["exchange", "renames"])
def test_what_does_not_serve_goes_back_byte_for_byte(host: Host, own: bool) -> None:
    if own:
        host.own_directory()
    host.run("touch /var/spool/postfix/private/auth-dead")
    before = host.snapshot()
    done = host.module(
        "postfix_config",
        parameters={"smtpd_banner": "$myhostname ESMTP changed"},
        services=[
            inet(
                "2525",
                smtpd_sasl_auth_enable=True,
                smtpd_sasl_type="dovecot",
                smtpd_sasl_path="private/auth-dead",
            )
        ],
        confirm={"timeout": 20},
    )
    assert done["code"] == 1
    assert done["rolled_back"] is True
    assert any("fatal" in line for line in done["log"]), done["everything"]
    assert host.snapshot() == before
    assert host.left_over() == ""
    assert host.serves()
    assert "2525" not in host.run("ss -Hltn").stdout


@RELEASES
def test_restart_that_fails_goes_back_and_serves(host: Host) -> None:
    """Nothing that a check can know: the unit itself refuses to start with the new configuration."""
    unit = "postfix@-.service" if host.release == "bookworm" else "postfix.service"
    drop_in = f"/etc/systemd/system/{unit}.d"
    gate = "[Service]\\nExecStartPre=/bin/sh -c '! grep -q ^inet_protocols.=.ipv4 /etc/postfix/main.cf'\\n"
    host.run(f'mkdir -p {drop_in} && printf "%b" "{gate}" > {drop_in}/gate.conf && systemctl daemon-reload')
    before = host.snapshot()
    done = host.module("postfix_config", parameters={"inet_protocols": "ipv4"}, confirm={"timeout": 10})
    assert (done["code"], done.get("rolled_back")) == (1, True), done["everything"]
    assert "the previous one was restored and is running" in done["msg"]
    assert host.snapshot() == before
    assert host.serves()


@RELEASES
def test_stopped_postfix_is_started(host: Host) -> None:
    host.run("postfix stop")
    wished = {"parameters": {"smtp_helo_timeout": "60s"}}
    predicted = host.module("postfix_config", check_mode=True, **wished)
    done = host.module("postfix_config", **wished)
    assert (predicted["activated"], done["activated"], done["confirmed"]) == ("start", "start", True), done[
        "everything"
    ]
    host.run("postfix stop")
    again = host.module("postfix_config", **wished)
    assert (again["changed"], again["activated"], again["files"]) == (True, "start", []), again["everything"]
    assert host.serves()


def test_masked_unit_is_reported(host: Host) -> None:
    host.run("systemctl stop postfix@- && systemctl mask postfix@-.service && systemctl mask postfix.service")
    done = host.module("postfix_config", parameters={"smtp_helo_timeout": "60s"})
    assert done["code"] == 1
    assert "is masked" in done["msg"] and "systemctl unmask" in done["msg"], done["everything"]


@pytest.mark.parametrize(
    ("host", "program", "wrong", "ask"),
    [
        ("bookworm", "qmgr", "qmgr_message_active_limit", "pkill -x qmgr; timeout 1 postkick public qmgr W"),
        ("trixie", "smtpd", "smtpd_soft_error_limit", "timeout 1 head -c1 </dev/tcp/127.0.0.1/25"),
    ],
    indirect=["host"],
)
def test_a_daemon_that_failed_before_is_started(host: Host, program: str, wrong: str, ask: str) -> None:
    """master(8) waits a minute before it tries again, longer than a change has to be confirmed."""
    host.own_directory()
    host.run(
        f"postconf -e {wrong}=many; postfix reload;"
        f" until journalctl | grep -q '{program}: bad command startup -- throttling'; do sleep 0.2; {ask}; done;"
        f" postconf -X {wrong}"
    )
    done = host.module("postfix_config", **relay())
    assert done["code"] == 0 and not done.get("rolled_back"), done["everything"]
    assert host.run(f"pgrep -x {program}").stdout
    assert host.serves()


@RELEASES
def test_lost_and_stale_tables_are_rebuilt(host: Host) -> None:
    wished = {
        "parameters": {"virtual_alias_maps": "lmdb:/etc/postfix/virtual"},
        "files": [{"path": "virtual", "content": "a@example.com root\n"}],
    }
    assert host.module("postfix_config", **wished)["code"] == 0
    host.run("rm /etc/postfix/virtual.lmdb")
    lost = host.module("postfix_config", **wished)
    assert (lost["changed"], lost["maps"], lost["files"]) == (True, ["lmdb:/etc/postfix/virtual"], []), lost[
        "everything"
    ]
    assert host.run("postmap -q a@example.com lmdb:/etc/postfix/virtual").stdout.strip() == "root"
    host.run("touch -d '1 hour ago' /etc/postfix/virtual.lmdb")
    assert host.module("postfix_config", check_mode=True, **wished)["maps"] == ["lmdb:/etc/postfix/virtual"]
    assert host.module("postfix_config", **wished)["maps"] == ["lmdb:/etc/postfix/virtual"]
    assert host.module("postfix_config", **wished)["changed"] is False


@RELEASES
def test_reload_that_was_lost_is_made_up_for(host: Host) -> None:
    """Somebody edits master.cf as wished and forgets to reload."""
    wished = {"services": [inet("2525")]}
    host.run(
        "sleep 3; printf '2525      inet  n       -       n       -       -       smtpd\\n' >> /etc/postfix/master.cf"
    )
    done = host.module("postfix_config", **wished)
    assert (done["changed"], done["activated"], done["files"]) == (True, "reload", []), done["everything"]
    assert "2525" in host.run("ss -Hltn").stdout
    assert host.module("postfix_config", **wished)["changed"] is False


def test_restart_that_was_lost_is_made_up_for(host: Host) -> None:
    host.run("sleep 3; postconf -e inet_interfaces=loopback-only; postfix reload")
    done = host.module("postfix_config", parameters={"inet_interfaces": "loopback-only"})
    assert (done["changed"], done["activated"]) == (True, "restart"), done["everything"]
    assert "0.0.0.0:25" not in host.run("ss -Hltn").stdout
    assert host.module("postfix_config", parameters={"inet_interfaces": "loopback-only"})["changed"] is False


def test_links_owners_and_modes_are_kept(host: Host) -> None:
    host.own_directory()
    host.run(
        "cd /etc/postfix && mkdir d && mv main.cf d/real.cf && ln -s d/real.cf main.cf && chgrp postfix master.cf"
        " && chmod 640 master.cf && touch odd && chown postfix:mail odd && chmod 604 odd && mkdir -m 751 e"
        " && mv /etc/postfix /srv/postfix && ln -s /srv/postfix /etc/postfix"
    )
    done = host.module("postfix_config", parameters={"smtp_helo_timeout": "61s"}, services=[inet("2525")])
    assert done["code"] == 0, done["everything"]
    seen = host.run("cd /etc/postfix && stat -c '%F %a %U %G %N' main.cf d/real.cf master.cf odd e").stdout
    assert "symbolic link" in seen and "'main.cf' -> 'd/real.cf'" in seen
    assert "regular file 640 root postfix 'master.cf'" in seen
    assert "604 postfix mail 'odd'" in seen
    assert "directory 751" in seen
    assert host.run("readlink /etc/postfix").stdout.strip() == "/srv/postfix"
    assert host.run("postconf -h smtp_helo_timeout").stdout.strip() == "61s"
    assert host.run("ls -A /srv").stdout.split() == ["postfix"]


def test_link_to_elsewhere_is_written_where_it_points(host: Host) -> None:
    host.own_directory()
    host.run(
        "mkdir /srv/shared && mv /etc/postfix/main.cf /srv/shared/ && ln -s /srv/shared/main.cf /etc/postfix/main.cf"
    )
    done = host.module("postfix_config", parameters={"smtp_helo_timeout": "61s"})
    assert done["code"] == 0, done["everything"]
    assert host.run("readlink /etc/postfix/main.cf").stdout.strip() == "/srv/shared/main.cf"
    assert "smtp_helo_timeout = 61s" in host.run("cat /srv/shared/main.cf").stdout


def test_two_runs_at_once_both_end_well(host: Host) -> None:
    one = '{"ANSIBLE_MODULE_ARGS": {"parameters": {"smtp_helo_timeout": "61s"}}}'
    two = one.replace("smtp_helo_timeout", "smtp_mail_timeout")
    run = "python3 -m ansible_collections.mailops.smtp.plugins.modules.postfix_config"
    done = host.run(
        f"(echo '{one}' | {run}) & other=$!; (echo '{two}' | {run}); code=$?; wait $other; echo $? $code"
    )
    assert done.stdout.split()[-2:] == ["0", "0"], done.stdout
    assert host.run("postconf -h smtp_helo_timeout smtp_mail_timeout").stdout.split() == ["61s", "61s"]


def test_host_without_postfix(host: Host) -> None:
    host.run("dpkg --purge --force-all postfix postfix-lmdb && rm -rf /etc/postfix", check=False)
    predicted = host.module("postfix_config", check_mode=True, **relay())
    assert predicted["code"] == 0, predicted["everything"]
    assert predicted["changed"] and {each["path"] for each in predicted["files"]} == {
        "main.cf",
        "sasl_passwd",
    }
    real = host.module("postfix_config", **relay())
    assert real["code"] == 1 and "not installed" in real["msg"]
    assert host.module("postfix_info")["installed"] is False
    assert host.run("ls /etc/postfix", check=False).returncode != 0


@RELEASES
def test_info_tells_what_is_there(host: Host) -> None:
    host.module("postfix_config", **relay(parameters={"smtp_tls_security_level": "secure"}))
    host.run("printf 'Subject: x\\n\\nx\\n' | sendmail -f a@example.com b@example.com; sleep 3")
    info = host.module("postfix_info")
    assert info["version"] == host.run("postconf -dh mail_version").stdout.strip()
    assert info["running"] is True
    assert {"host": "relay.example.com", "port": 587, "implicit_tls": False} in info["next_hops"]
    assert info["parameters"]["relayhost"] == HOP
    assert {"address": "0.0.0.0", "port": 25} in info["listeners"]
    assert info["queue"]["total"] == 1 and info["queue"]["oldest"]
    assert info["capabilities"]["relayhost_list"] is True
    assert any(each["path"] == "/etc/postfix/sasl_passwd" and each["exists"] for each in info["maps"])
    assert SECRET not in info["everything"]
