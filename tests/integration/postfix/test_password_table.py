"""A login that the probe accepts comes out of Postfix's password table as it went in, on each release."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.endpoint import (
    OptionError,
    check_credentials,
)
from hosts import Host

# Each character that may be cut off, split at or misread: at the beginning, in the middle and at the end of both.
CHARACTERS = [chr(code) for code in range(128)] + [
    "\u0080",
    "\u0085",
    "\u00a0",
    "ü",
    "\u2028",
    "\ufeff",
    "\U0001f511",
]
PAIRS = [
    pair
    for char in CHARACTERS
    for pair in (
        (char + "user", "secret"),
        ("us" + char + "er", "secret"),
        ("user" + char, "secret"),
        ("user", char + "secret"),
        ("user", "sec" + char + "ret"),
        ("user", "secret" + char),
    )
]

# What the table gives for each row, split where Postfix's SMTP client splits it.
ASK = r"""
import json, subprocess, sys
pairs = json.load(sys.stdin)
with open("/tmp/passwords", "w", encoding="utf-8", newline="") as table:
    for number, (user, password) in enumerate(pairs):
        table.write("[relay%d]:587 %s:%s\n" % (number, user, password))
found = []
for number in range(len(pairs)):
    key = "[relay%d]:587" % number
    done = subprocess.run(["postmap", "-q", key, "texthash:/tmp/passwords"], capture_output=True)
    user, _colon, password = done.stdout.decode("utf-8")[:-1].partition(":")
    found.append([user, password])
json.dump(found, sys.stdout)
"""


def accepted(user: str, password: str) -> bool:
    try:
        check_credentials(user, password)
    except OptionError:
        return False
    return True


def test_what_is_accepted_comes_out_as_it_went_in(shared_host: Host) -> None:
    pairs = [pair for pair in PAIRS if accepted(*pair)]
    assert len(pairs) > len(PAIRS) / 2
    shared_host.run("cat > /tmp/ask.py", stdin=ASK)
    found = json.loads(shared_host.run("python3 /tmp/ask.py", stdin=json.dumps(pairs)).stdout)
    assert [tuple(pair) for pair in found] == pairs


@pytest.mark.parametrize(
    "pair", [(" user", "secret"), ("user", "secret "), ("user", "secret\v"), ("us:er", "secret")]
)
def test_what_is_cut_or_split_is_refused(shared_host: Host, pair: tuple[str, str]) -> None:
    shared_host.run("cat > /tmp/ask.py", stdin=ASK)
    found = json.loads(shared_host.run("python3 /tmp/ask.py", stdin=json.dumps([pair])).stdout)
    assert tuple(found[0]) != pair
    assert not accepted(*pair)
