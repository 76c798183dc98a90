"""One configuration on a host that strangers can reach: what the checks find in it, and what its Postfix relays.

Runs inside the host. Reads a JSON list of rounds, each a change of what the distribution ships with the errands of
strangers; writes a JSON list of what was found and of what became of each errand. A round without errands is judged
and not made live. Strangers live in a network namespace, with addresses of the Internet; all mail ends at a sink.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.request import Request, file_wishes
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks import registry
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks.strangers import ADDRESSES
from run_cases import LIVE, lay_out

STOCK = "/root/postfix"
SERVER = {"ipv4": "192.0.2.25", "ipv6": "2001:db8:25::25"}
SINK = 2500
HERE = Path(__file__).resolve().parent
# What DNS shows of strangers: a name, none at all, and the name of this host, which is theirs by their word alone.
HOSTS = """\
127.0.0.1 localhost
192.0.2.25 mail.example.com
203.0.113.77 mail.stranger.example
2001:db8:77::7 mail.stranger.example
93.184.216.34 mail.example.com
"""


class Sink(socketserver.StreamRequestHandler):
    arrived: ClassVar[set[str]] = set()
    """Subjects of messages with a recipient of somebody else."""

    def handle(self) -> None:
        self.say("220 sink")
        recipients: list[bytes] = []
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"RCPT":
                recipients.append(line.lower())
            if verb == b"DATA":
                self.say("354 go on")
                text = b"".join(iter(self.rfile.readline, b".\r\n")).decode("latin-1")
                subject = text.partition("Subject: ")[2].partition("\r\n")[0]
                if any(b"victim" in each for each in recipients):
                    self.arrived.add(subject)
                recipients = []
            self.say("221 bye" if verb == b"QUIT" else "250 ok")
            if verb == b"QUIT":
                return

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 100


def shell(command: str) -> None:
    subprocess.run(["bash", "-ec", command], check=True, capture_output=True)


def prepared() -> None:
    """Lay the line to the strangers, once."""
    shell("systemctl stop postfix; postfix abort || true")
    if os.path.exists(STOCK):
        return
    shell(f"cp -a {LIVE} {STOCK}; ip netns add strangers; ip link add inside type veth peer name outside")
    shell("ip link set outside netns strangers; ip link set inside up; ip -n strangers link set lo up")
    shell(f"ip addr add {SERVER['ipv4']}/32 dev inside; ip addr add {SERVER['ipv6']}/128 dev inside nodad")
    shell("ip -n strangers link set outside up")
    for address in ADDRESSES:
        bits = "128 dev outside nodad" if ":" in address else "32 dev outside"
        shell(f"ip -n strangers addr add {address}/{bits}; ip route add {address} dev inside")
    for address in SERVER.values():
        shell(f"ip -n strangers route add {address} dev outside")
    Path("/etc/hosts").write_text(HOSTS)
    shell("sed -i 's/^hosts:.*/hosts: files/' /etc/nsswitch.conf; echo multi off > /etc/host.conf")
    shell(
        "mkdir -p /var/spool/postfix/etc; cp /etc/hosts /etc/nsswitch.conf /etc/host.conf /var/spool/postfix/etc"
    )


def written(wish: dict[str, Any], directory: str) -> None:
    """Make the change in a copy of what the distribution ships."""
    asked = Request(
        files=file_wishes(wish["files"]), parameters=wish["parameters"], services=wish["services"]
    )
    lay_out(asked, STOCK, directory)


def findings(directory: str) -> list[tuple[str, bool, str, str]]:
    """(check, whether it is certain, the service that it is about, all of it)."""
    found = registry.check(directory, LIVE)
    return [(each.check, each.certain, each.where[0], str(each)) for each in found]


def judged(wish: dict[str, Any]) -> dict[str, Any]:
    room = tempfile.mkdtemp(dir="/etc")
    try:
        stage = os.path.join(room, "stage")
        shutil.copytree(STOCK, stage, symlinks=True)
        written(wish, stage)
        return {"findings": findings(stage)}
    finally:
        shutil.rmtree(room)


def tried(wish: dict[str, Any]) -> dict[str, Any]:
    """Made live and asked."""
    shell(f"rm -rf {LIVE}/* && cp -a {STOCK}/. {LIVE}/")
    written(wish, LIVE)
    # Nothing of the round before may answer for this one.
    shell(
        "postfix abort || true; for _try in $(seq 100); do postfix start && break; sleep 0.1; done; postfix status"
    )
    asked = subprocess.run(
        ["ip", "netns", "exec", "strangers", sys.executable, str(HERE / "stranger.py")],
        input=json.dumps({"server": SERVER, "errands": wish["errands"]}),
        capture_output=True,
        text=True,
        check=True,
    )
    outcomes = json.loads(asked.stdout)
    sent = {each["name"] for each in outcomes if each["open"]}
    until = time.monotonic() + (0 if wish.get("rcpt_only") else 20)
    while not sent <= Sink.arrived and time.monotonic() < until:
        time.sleep(0.1)
    return {"outcomes": [{**each, "arrived": each["name"] in Sink.arrived} for each in outcomes]}


def main() -> None:
    prepared()
    rounds = json.load(sys.stdin)
    with Server(("127.0.0.1", SINK), Sink) as server, ProcessPoolExecutor(2) as pool:
        # While nothing listens: what does would be another program's.
        found = list(pool.map(judged, rounds))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        came = [tried(each) if each["errands"] else {} for each in rounds]
        results = [{**judgement, **each} for judgement, each in zip(found, came)]
        server.shutdown()
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
