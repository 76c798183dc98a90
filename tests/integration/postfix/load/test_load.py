"""Mail flows through a host while postfix_config changes it 20 times: each accepted message arrives exactly once.

    pytest tests/integration/postfix/load -s

smtp-source pushes 10,000 messages or more through the host, as long as it is being changed, to a relay that takes mail on 587 and on 2525 and keeps all that
it gets. The route goes from the one port to the other and back, with a reload each time; two of the changes are of
inet_interfaces, which stops Postfix and starts it.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
import subprocess
import time
import uuid
from collections import Counter
from typing import Any, Iterator, NamedTuple

import pytest
from hosts import COLLECTION, Host, podman, set_up

FEED = f"python3 {COLLECTION}/tests/integration/postfix/load/feed.py"
CHANGES = 20
RESTARTS = {7: "loopback-only", 14: "all"}
FEEDERS = 4
PORTS = (587, 2525)
PATIENCE = 600


class Site(NamedTuple):
    host: Host
    relay: Host
    address: str


@pytest.fixture
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    set_up()
    release = request.config.getoption("--load-release", "bookworm")
    network = f"pfc-{uuid.uuid4().hex[:6]}"
    boxes: list[Host] = []
    podman("network", "create", "--internal", "--disable-dns", network)
    try:
        relay = Host(release, network=network, name="relay")
        boxes.append(relay)
        host = Host(release, network=network, name="loaded")
        boxes.append(host)
        relay.run("postfix stop; install -d -o postfix /var/spool/kept")
        for port in PORTS:
            relay.run(
                f"systemd-run --quiet smtp-sink -u postfix -D /var/spool/kept/{port} -h relay.test 0.0.0.0:{port} 512"
            )
        address = relay.run("hostname -I").stdout.split()[0]
        host.own_directory()
        # Every line of the log is kept, for the story of a message that is lost.
        host.run(
            "mkdir -p /etc/systemd/journald.conf.d; printf '[Journal]\\nRateLimitBurst=0\\n' > /etc/systemd/journald.conf.d/all.conf"
        )
        host.run("systemctl restart systemd-journald")
        yield Site(host, relay, address)
    finally:
        for box in boxes:
            box.destroy()
        podman("network", "rm", network, check=False)


def change(site: Site, number: int) -> dict[str, Any]:
    """Change number 0 is where the host begins."""
    hop = f"[{site.address}]:{PORTS[number % 2]}"
    asked = {
        "relayhost": hop,
        "smtp_tls_policy_maps": "texthash:/etc/postfix/tls_policy",
        "virtual_alias_maps": "lmdb:/etc/postfix/virtual",
        "maximal_queue_lifetime": "1h",
        "mynetworks": ["127.0.0.0/8", "[::1]/128"],
    }
    if number in RESTARTS:
        asked["inet_interfaces"] = RESTARTS[number]
    return site.host.module(
        "postfix_config",
        parameters=asked,
        files=[
            {"path": "tls_policy", "content": f"{hop} none\n"},
            {"path": "virtual", "content": f"nobody@far.test change{number}@far.test\n"},
        ],
    )


def delivered(site: Site) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in site.relay.run("grep -h ^X-Rcpt-Args: /var/spool/kept/*").stdout.splitlines():
        before, name, after = re.findall(r"<(\d*)(f\d+b\d+x)(\d*)@", line)[0]
        # smtp-source counts from 1 before the name up to Postfix 3.7, from 0 behind it in 3.10.
        found[f"{name}{int(before) - 1 if before else after}"] += 1
    return found


def story(site: Site, recipient: str) -> str:
    """All that the host logged of the queue files in which that recipient was."""
    name, number = recipient.split("x")
    script = (
        "journalctl --no-pager -o short-precise SYSLOG_FACILITY=2 > /root/log;"
        f" grep -E 'to=<({int(number) + 1}{name}x|{recipient})@' /root/log"
        " | grep -oE ': [0-9A-Za-z]{8,}: ' | sort -u | grep -F -f - /root/log"
    )
    return f"\n{recipient}:\n" + site.host.run(script, check=False).stdout


def wait_for_empty_queue(site: Site) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if "Mail queue is empty" in site.host.run("postqueue -p | tail -1").stdout:
            return
        site.host.run("postqueue -f")
        time.sleep(3)
    raise AssertionError("the queue does not empty: " + site.host.run("postqueue -p | tail -20").stdout)


def test_each_accepted_message_arrives_exactly_once(site: Site, request: pytest.FixtureRequest) -> None:
    messages = request.config.getoption("--messages", 10_000)
    first = change(site, 0)
    assert first["code"] == 0, first["everything"]
    command = [*site.host.entering, "bash", "-c", f"{FEED} {messages} {FEEDERS}"]
    began = time.monotonic()
    done: list[dict[str, Any]] = []
    fed: dict[str, Any] = {}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/"
    ) as process:
        assert process.stdin and process.stdout
        for line in process.stdout:
            if line.startswith("{"):
                fed = json.loads(line)
            elif len(done) < CHANGES and int(line) >= messages * (len(done) + 0.5) // CHANGES:
                done.append(change(site, len(done) + 1))
                if len(done) == CHANGES:
                    process.stdin.close()
    seconds = time.monotonic() - began
    assert process.returncode == 0 and fed
    wait_for_empty_queue(site)

    failed = [each for each in done if each["code"] != 0 or not each.get("confirmed")]
    activated = Counter(each.get("activated") for each in done)
    found = delivered(site)
    accepted = set(fed["accepted"])
    duplicates = {name: times for name, times in found.items() if times > 1}
    lost = accepted - set(found)
    unknown = set(found) - accepted - set(fed["open"])
    print(
        f"\nchanges {len(done)} ({activated['reload']} reloads, {activated['restart']} restarts), failed {len(failed)}; "
        f"{seconds:.0f} s, {len(accepted) / seconds:.0f} messages a second\n"
        f"sent {len(accepted) + len(fed['open'])}, accepted {len(accepted)}, "
        f"delivered {sum(found[name] for name in accepted)}, duplicates {len(duplicates)}, lost {len(lost)}\n"
        f"sent in the {fed['broken']} sessions that broke, answer unknown: {len(fed['open'])}, "
        f"of these delivered {len(set(found) & set(fed['open']))}"
    )
    for each in failed:
        print(f"failed: {each.get('msg')}")
    stories = "".join(story(site, name) for name in [*lost, *duplicates][:5])
    assert not lost and not duplicates, stories
    assert not failed, failed[0]["everything"]
    assert (len(done), activated) == (CHANGES, Counter(reload=CHANGES - len(RESTARTS), restart=len(RESTARTS)))
    assert len(accepted) >= messages
    assert not unknown
