"""The block of postfix_config on hosts with a real Postfix: what the host had works as before, and comes back."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from hosts import Host

HOP = "[127.0.0.1]:2525"
BLOCK = {
    "text": f"relayhost = {HOP}\nsmtp_sasl_auth_enable = yes\nsmtp_sasl_tls_security_options = noanonymous\n",
    "prepend": {
        "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy",
        "smtp_sasl_password_maps": "texthash:/etc/postfix/sasl_passwd",
    },
    "default": {"smtp_tls_CAfile": None, "smtp_tls_loglevel": "1"},
    "stock": {
        "inet_interfaces": "loopback-only",
        "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    },
}
FILES = [
    {
        "path": "tls_policy",
        "content": f"{HOP} encrypt protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1\n",
        "block": True,
    },
    {"path": "sasl_passwd", "content": f"{HOP} ops:secret-of-ops\n", "block": True, "sensitive": True},
]
DEBIANS = pytest.mark.parametrize("host", ["bookworm", "trixie"], indirect=True)


def deploy(host: Host, **more: Any) -> dict[str, Any]:
    return host.module("postfix_config", **{"block": BLOCK, "files": FILES, **more})


def good(result: dict[str, Any]) -> dict[str, Any]:
    assert result["code"] == 0, result["everything"]
    return result


def mailbox_has(host: Host, recipient: str, size: int = 0) -> bool:
    """Whether a local message of that size ends in a mailbox."""
    word = f"w{abs(hash((recipient, size)))}"
    host.run(
        f"(echo 'Subject: {word}'; echo; head -c {size} /dev/zero | tr '\\0' x | fold -w 70) | sendmail {recipient};"
        f" for i in $(seq 60); do grep -qs {word} /var/mail/* && exit 0; sleep 0.25; done; postqueue -p; exit 1",
        check=False,
    )
    return host.run(f"grep -qs {word} /var/mail/*", check=False).returncode == 0


@DEBIANS
def test_a_stock_host_gets_safe_values_and_keeps_its_mailboxes(host: Host) -> None:
    host.run(
        "useradd joe; install -m 660 -o joe -g mail /dev/null /var/mail/joe; head -c 52000000 /dev/zero >> /var/mail/joe"
    )
    predicted = good(deploy(host, check_mode=True))
    done = good(deploy(host))
    assert done["changed"] and done["confirmed"] and predicted["files"] == done["files"]
    assert "inet_interfaces" in done["takes"][0]
    assert not good(deploy(host))["changed"]
    assert host.run("ss -Hltn 'sport = :25'").stdout.count("127.0.0.1") == 1
    assert "0.0.0.0" not in host.run("ss -Hltn 'sport = :25' | awk '{print $4}'").stdout
    assert host.run("postconf -h mailbox_size_limit recipient_delimiter").stdout.split() == ["0", "+"]
    assert mailbox_has(host, "joe+ext")


@DEBIANS
def test_the_way_back_is_byte_for_byte(host: Host) -> None:
    host.own_directory()
    host.run(
        "printf '[other.example.org]:25 joe:x' > /etc/postfix/sasl_passwd; chmod 640 /etc/postfix/sasl_passwd;"
        "postmap hash:/etc/postfix/sasl_passwd; postconf -e smtp_sasl_password_maps=hash:/etc/postfix/sasl_passwd"
    )
    before = host.snapshot()
    table = {"path": "of_once", "content": "a b\n"}
    good(deploy(host, backup=True, files=[*FILES, table]))
    good(deploy(host, backup=True, files=[*FILES, {**table, "content": "a c\n"}]))
    good(deploy(host, backup=True, parameters={"biff": True}))
    back = good(host.module("postfix_config", restore="previous"))
    assert back["changed"] and host.run("postconf -h biff").stdout.strip() == "no"
    good(host.module("postfix_config", restore="original"))
    assert host.snapshot() == before
    assert host.serves()
    assert not good(host.module("postfix_config", restore="original"))["changed"]


@DEBIANS
def test_a_hand_made_server_changes_by_the_relay_alone(host: Host) -> None:
    host.run(
        "postconf -e 'virtual_alias_domains = example.org' 'virtual_alias_maps = hash:/etc/postfix/virtual' "
        "'myhostname = mx.example.org' 'inet_interfaces = all' 'mynetworks = 127.0.0.0/8, 10.0.0.0/8'; "
        "echo 'info@example.org root' > /etc/postfix/virtual; postmap /etc/postfix/virtual; "
        "postconf -M 'submission/inet=submission inet n - y - - smtpd'; systemctl restart postfix"
    )
    before = dict(
        line.split(" = ", 1) for line in host.run("postconf -n").stdout.splitlines() if " = " in line
    )
    done = good(deploy(host))
    assert done["takes"] == []
    after = dict(
        line.split(" = ", 1) for line in host.run("postconf -n").stdout.splitlines() if " = " in line
    )
    relay = {
        "smtp_sasl_auth_enable",
        "smtp_sasl_tls_security_options",
        "relayhost",
        "smtp_tls_CAfile",
        "smtp_tls_loglevel",
    }
    relay |= {"smtp_tls_policy_maps", "smtp_sasl_password_maps"}
    assert {name for name in {*before, *after} if before.get(name) != after.get(name)} <= relay
    assert "0.0.0.0:25" in host.run("ss -Hltn").stdout
    assert "0.0.0.0:587" in host.run("ss -Hltn").stdout
    assert not good(deploy(host))["changed"]


@pytest.mark.parametrize("host", ["trixie"], indirect=True)
@pytest.mark.parametrize("mistake", [{"message_size_limit": "20M"}, {"inet_interfaces": "10.77.0.1"}])
def test_one_mistake_is_told_once(host: Host, mistake: dict[str, str]) -> None:
    """Every program of Postfix ends with the same words then, whichever table it is asked for."""
    names = {"parameters": "postfix_parameters"}
    refused = deploy(host, parameters=mistake, block={**BLOCK, "variables": names})
    found = [each["parameter"] for each in refused["findings"] if each["certain"]]
    assert found == list(mistake), refused["msg"]
    assert "  postfix_parameters: main.cf line" in refused["msg"]


@pytest.mark.parametrize("host", ["trixie"], indirect=True)
def test_what_nobody_named_is_not_taken_and_the_diff_is_shown(host: Host) -> None:
    host.run(
        "postconf -e 'default_transport = smtp:[gate.example.org]' 'mynetworks = 127.0.0.0/8, 10.0.0.0/8'"
    )
    before = host.snapshot()
    text = BLOCK["text"] + "default_transport = smtp\n"
    refused = deploy(host, block={**BLOCK, "text": text})
    assert refused["code"] == 1
    assert "default_transport was smtp:[gate.example.org], becomes smtp" in refused["msg"]
    assert f"+relayhost = {HOP}" in refused["msg"]
    assert "secret-of-ops" not in refused["everything"]
    assert host.snapshot() == before
    good(deploy(host, block={**BLOCK, "text": text}, parameters={"default_transport": "smtp"}))


@pytest.mark.parametrize("host", ["bookworm"], indirect=True)
def test_other_instances_stay(host: Host) -> None:
    host.run("postmulti -e init; postmulti -I postfix-two -e create")
    before = host.run(
        "postconf -h multi_instance_directories multi_instance_enable multi_instance_wrapper"
    ).stdout
    good(deploy(host))
    after = host.run(
        "postconf -h multi_instance_directories multi_instance_enable multi_instance_wrapper"
    ).stdout
    assert "/etc/postfix-two" in before
    assert after == before


@DEBIANS
def test_a_stale_copy_in_the_chroot_is_brought_in_step(host: Host) -> None:
    if "y" not in host.run("postconf -F smtp/unix/chroot").stdout:
        pytest.skip("the client of this release is not chrooted")
    good(deploy(host))
    host.run("cp /etc/hosts /tmp/h; echo '192.0.2.1 fresh.example.org' >> /tmp/h; cat /tmp/h > /etc/hosts")
    assert host.run("cmp -s /etc/hosts /var/spool/postfix/etc/hosts", check=False).returncode
    assert good(deploy(host, check_mode=True))["activated"] == "restart"
    assert good(deploy(host))["activated"] == "restart"
    host.run("cmp /etc/hosts /var/spool/postfix/etc/hosts")
    assert not good(deploy(host))["changed"]


@DEBIANS
def test_a_lost_alias_database_is_built_though_it_is_a_default(host: Host) -> None:
    host.run("postconf -X alias_maps alias_database; rm -f /etc/aliases.*")
    assert "hash:/etc/aliases" in good(deploy(host))["maps"]
    host.run("rm /etc/aliases /etc/aliases.db")
    refused = deploy(host, parameters={"biff": "yes"})
    assert refused["code"] == 1
    assert "this is Postfix's default: create it" in refused["msg"]
    host.run("touch /etc/aliases")
    good(deploy(host, parameters={"biff": "yes"}))


@pytest.mark.parametrize("host", ["trixie"], indirect=True)
def test_owner_and_mode_are_mended_and_old_backups_go(host: Host) -> None:
    good(deploy(host))
    host.run("cd /etc/postfix; chmod 666 main.cf master.cf; chown postfix main.cf")
    assert {each["action"] for each in good(deploy(host))["files"]} == {"mode"}
    assert (
        host.run("stat -c '%a %U' /etc/postfix/ma??er.cf /etc/postfix/main.cf").stdout.split()
        == ["644", "root"] * 2
    )
    for number in range(5):
        good(
            deploy(
                host,
                backup=True,
                backup_keep=2,
                activate="none",
                parameters={"delay_warning_time": f"{number + 1}h"},
            )
        )
    assert host.run("ls /etc/postfix/main.cf.*~ | wc -l").stdout.strip() == "2"
