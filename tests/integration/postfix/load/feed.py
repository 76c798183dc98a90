"""Pushes messages through the local Postfix with smtp-source; runs inside the host.

    feed.py ACCEPTED FEEDERS

It ends when so many are accepted and its standard input has ended too.

Each message has a recipient of its own. smtp-source sends one after the other and counts those whose DATA command was
answered. It ends when a session fails: then the last one counted is `open`, sent and perhaps in the queue, but whether
it was acknowledged is not known; those before it were accepted. What was not sent is sent under other recipients.

Every second it prints the count of accepted messages; at the end one JSON object with the recipients.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

BATCH = 50


class Feed:
    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.lock = threading.Lock()
        self.accepted: list[str] = []
        self.open: list[str] = []
        self.broken = 0
        self.released = False

    def wait_for_release(self) -> None:
        sys.stdin.read()
        self.released = True

    def push(self, feeder: int) -> None:
        """One feeder keeps its connection over a batch, the next opens one for each message."""
        batch = 0
        while len(self.accepted) < self.wanted or not self.released:
            batch += 1
            name = f"f{feeder}b{batch}x"
            done = subprocess.run(
                ["smtp-source", "-c", "-N", "-m", str(BATCH), "-s", "1", "-l", "2000", *(["-d"] if feeder % 2 else []),
                 "-f", "load@host.test", "-t", f"{name}@far.test", "127.0.0.1:25"],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False,
            )  # fmt: skip
            counts = done.stdout.split()
            sent = [f"{name}{number}" for number in range(int(counts[-1] if counts else 0))]
            with self.lock:
                if done.returncode:
                    self.broken += 1
                    self.open += sent[-1:]
                    sent = sent[:-1]
                self.accepted += sent
            if done.returncode:
                time.sleep(0.1)


def main() -> None:
    feed = Feed(int(sys.argv[1]))
    threads = [threading.Thread(target=feed.push, args=(number,)) for number in range(int(sys.argv[2]))]
    for thread in threads:
        thread.start()
    threading.Thread(target=feed.wait_for_release, daemon=True).start()
    while any(thread.is_alive() for thread in threads):
        print(len(feed.accepted), flush=True)
        time.sleep(0.5)
    print(json.dumps({"accepted": feed.accepted, "open": feed.open, "broken": feed.broken}), flush=True)


if __name__ == "__main__":
    main()
