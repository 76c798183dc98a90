"""Submits messages on a machine and follows each to its fate, by Postfix's log and its queue.

A program of its own: takes a list of {"command", "token", "wait", "expect"} on standard input. A command is given the
message on its standard input; "expect" is the number of fates to wait for. The fates: [{"to", "status", "said",
"relay"}...] per token; "queued" is the fate of what is still in the queue when the time is over, "lost" of what is not.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

import json
import os
import re
import subprocess
import sys
import threading
import time

MESSAGE = "Subject: %(token)s\nMessage-ID: <%(token)s@courier.test>\n\n%(token)s\n"
FATE = re.compile(r"^(\w+): to=<([^>]*)>,(?: orig_to=<[^>]*>,)? relay=(.*), delay=.* status=(\w+) \((.*)\)$")
FINAL = ("sent", "deferred", "bounced", "expired")


def follow(lines):
    reader = subprocess.Popen(
        ["journalctl", "-q", "-f", "-n", "0", "-o", "cat", "SYSLOG_FACILITY=2"],
        stdout=subprocess.PIPE, text=True, errors="backslashreplace",
    )  # fmt: skip
    threading.Thread(
        target=lambda: [lines.append(line.rstrip("\n")) for line in reader.stdout], daemon=True
    ).start()
    return reader


def fates(lines, token):
    """What the log says became of a message, and of copies that were put into the queue again under its Message-ID."""
    ids = {line.split(":", 1)[0] for line in lines if f"message-id=<{token}@courier.test>" in line}
    found = []
    for line in lines:
        match = FATE.match(line)
        if match and match.group(1) in ids and match.group(4) in FINAL:
            _queue_id, to, relay, status, said = match.groups()
            found.append({"to": to, "relay": relay, "status": status, "said": said})
    return ids, found


def main():
    wishes = json.load(sys.stdin)
    lines = []
    reader = follow(lines)
    # The reader has its place in the journal once it shows a line.
    for n in range(200):
        if n % 10 == 0:
            subprocess.run(["logger", "-p", "mail.info", "courier begins"], check=False)
        if lines:
            break
        time.sleep(0.02)
    submitted = {}
    for wish in wishes:
        done = subprocess.run(
            wish["command"], shell=True, capture_output=True, text=True, errors="backslashreplace",
            input=MESSAGE % wish, check=False,
        )  # fmt: skip
        submitted[wish["token"]] = (done.returncode, (done.stdout + done.stderr).strip(), time.monotonic())
    result = {}
    for wish in wishes:
        token = wish["token"]
        status, said, began = submitted[token]
        expect, found = wish.get("expect", 1), []
        while status == 0:
            ids, found = fates(lines, token)
            if len(found) >= expect or time.monotonic() > began + wish["wait"]:
                break
            time.sleep(0.05)
        if status == 0 and not found:
            queue = subprocess.run(["postqueue", "-j"], capture_output=True, text=True, check=False).stdout
            state = "queued" if any('"%s"' % each in queue for each in ids) else "lost"
            found = [{"to": "", "relay": "", "status": state, "said": queue[:500]}]
        result[token] = {"submitted": status, "said": said, "fates": found}
    reader.terminate()
    json.dump({"letters": result, "log": lines[-60:]}, sys.stdout)
    sys.stdout.flush()
    # At an ordinary end Python may find the thread in the middle of a line, and die of that.
    os._exit(0)


if __name__ == "__main__":
    main()
