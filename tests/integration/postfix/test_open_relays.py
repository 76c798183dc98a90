"""What relays for strangers is refused or named, what does not passes: proved by what real strangers get relayed."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any, Iterator, Mapping, Sequence

import pytest
from case import inet, text
from conftest import lent
from hosts import COLLECTION, RELEASES, Host
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from open_relays import DEAD, NEAR, OPEN, Row

RELEASE = os.environ.get("MAILOPS_RELAY_RELEASE", "bookworm" if "bookworm" in RELEASES else RELEASES[0])
# The host that all rows are a change of: any mail goes to the sink, and nobody is slowed down.
BASE = {
    "myhostname": "mail.example.com",
    "mydomain": "example.com",
    "mydestination": "$myhostname, localhost",
    "default_transport": "smtp:[127.0.0.1]:2500",
    "relay_transport": "smtp:[127.0.0.1]:2500",
    "smtpd_error_sleep_time": "0",
    "smtpd_soft_error_limit": "10000",
    "smtpd_hard_error_limit": "10000",
    "smtpd_client_connection_count_limit": "0",
}
NAMES = {
    "open-relay", "xclient-for-strangers", "proxy-protocol-for-strangers", "qmqp-for-strangers",
    "whole-internet-may-relay", "every-domain-is-listed", "relaying-not-refused",
}  # fmt: skip
SENDERS = ("joe@stranger.example", "", "joe@example.com")
RECIPIENTS = ("jane@victim.com", "jane@mx.victim.org", "jane@victim.net")
STRANGERS = ("203.0.113.77", "23.45.67.89", "93.184.216.34", "2001:db8:77::7")
WAYS = [
    *({"from": address, "helo": "mail.stranger.example"} for address in STRANGERS),
    {"from": "23.45.67.89", "helo": ""},
]
FIRST_PORT = 10100


def wish(row: Row | None = None, **more: Any) -> dict[str, Any]:
    parameters = {**BASE, **(row.parameters if row else {})}
    return {
        "parameters": parameters,
        "files": list(row.files) if row else [],
        "services": list(row.services) if row else [],
        "errands": [],
        **more,
    }


def errand(row: Row, port: int) -> dict[str, Any]:
    ways: list[Mapping[str, Any]] = [*row.ways, *({**WAYS[0], "helo": helo} for helo in row.helos)]
    alone = any({"proxy", "qmqp"} & set(each) for each in ways)
    # Servers that are not there are waited for again and again.
    once = row.check and row in NEAR
    return {
        "name": row.name,
        "port": port,
        "ways": ways if alone else [*ways, *WAYS[: 1 if once else None]],
        "senders": [*row.senders, *SENDERS[: 1 if once else None]],
        "recipients": [*row.recipients, *RECIPIENTS[: 1 if once else None]],
    }


def option(row: Row, port: int) -> dict[str, Any]:
    return inet(str(port), **row.parameters)


def asked(host: Host, rounds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    done = host.run(f"python3 {COLLECTION}/tests/integration/postfix/relay_lab.py", stdin=json.dumps(rounds))
    result: list[dict[str, Any]] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def strangers_host() -> Iterator[Host]:
    yield from lent(RELEASE, "--privileged")


@pytest.fixture(scope="module")
def outcomes(strangers_host: Host) -> dict[str, dict[str, Any]]:
    """What was found in each row, written to main.cf and to options of a service, and what became of its message."""
    version = strangers_host.run("postconf -dh mail_version").stdout.split(".")
    release = (int(version[0]), int(version[1]))
    rows = [row for row in (*OPEN, *NEAR, *DEAD) if row.since <= release < row.before]
    together = [row for row in rows if not row.alone]
    services = [option(row, FIRST_PORT + index) for index, row in enumerate(together)]
    errands = [errand(row, FIRST_PORT + index) for index, row in enumerate(together)]
    files = [file for row in together for file in row.files]
    rounds = [wish(files=files, services=services, errands=errands)]
    rounds += [wish(row, errands=[] if row in together else [errand(row, row.port)]) for row in rows]
    many, *single = asked(strangers_host, rounds)
    result: dict[str, dict[str, Any]] = {}
    for row, each in zip(rows, single):
        result[row.name] = {"found": each["findings"], "option": [], **(each.get("outcomes") or [{}])[0]}
    for outcome, service in zip(many["outcomes"], services):
        found = [each for each in many["findings"] if each[2] == f"{service['service']}/inet"]
        result[outcome["name"]] |= {**outcome, "option": found, "as_option": True}
    return result


def named(found: list[list[Any]], row: Row) -> bool:
    return any(check == row.check for check, *_rest in found)


def test_the_tables_are_large_enough() -> None:
    assert len(OPEN) >= 60
    assert len(NEAR) >= 60
    assert len({row.name for row in (*OPEN, *NEAR, *DEAD)}) == len(OPEN) + len(NEAR) + len(DEAD)


@pytest.mark.parametrize("row", OPEN, ids=lambda row: row.name)
def test_open_relay_is_proved_and_named(row: Row, outcomes: dict[str, dict[str, Any]]) -> None:
    outcome = outcomes.get(row.name)
    if outcome is None:
        return
    assert outcome["arrived"], outcome
    assert named(outcome["found"], row), outcome["found"]
    assert named(outcome["option"], row) or not outcome.get("as_option"), outcome["option"]


@pytest.mark.parametrize("row", NEAR, ids=lambda row: row.name)
def test_near_miss_is_closed_and_passes(row: Row, outcomes: dict[str, dict[str, Any]]) -> None:
    outcome = outcomes.get(row.name)
    if outcome is None:
        return
    assert outcome["asked"] or outcome["last"]
    assert not outcome["open"], outcome
    assert not outcome["arrived"], outcome
    for found in (outcome["found"], outcome["option"]):
        assert [each for each in found if each[1]] == []
        assert {each[0] for each in found if each[0] in NAMES} <= {row.check}
    assert named(outcome["found"], row) == bool(row.check)


@pytest.mark.parametrize("row", DEAD, ids=lambda row: row.name)
def test_what_does_not_start_is_refused(row: Row, outcomes: dict[str, dict[str, Any]]) -> None:
    outcome = outcomes[row.name]
    assert not outcome["open"], outcome
    assert {each[0] for each in outcome["found"] if each[0] in NAMES} == {row.check}


# ---------------------------------------------------------------------- lists that nobody wrote

BATCH, BATCHES = 50, 10
CLIENT_KEYS = (
    "23",
    "23.45.67.89",
    "203.0.113",
    "mail.stranger.example",
    "example",
    "unknown",
    "192.0.2.9",
    "partner.example",
)
MAIL_KEYS = (
    "example.com",
    "stranger.example",
    "<>",
    "joe@",
    "partner.example",
    "com",
    "victim.com",
    "jane@",
    "joe@example.com",
)
PATTERNS = ("/./", "/stranger/", "/^unknown$/", "/@example\\.com$/", "/^joe@/", "!/example/", "/victim\\.(com|org)$/", "/^<>$/",
            "/^(jane|joe)@/", "/^23\\./")  # fmt: skip
NETWORKS = ("0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "::/0", "203.0.113.0/24", "192.0.2.0/24", "!23.0.0.0/8")
VALUES = st.sampled_from(
    ["OK", "ok", "RELAY", "1", "550", "550 no", "450 later", "REJECT", "DEFER", "DUNNO", "HOLD", "DEFER_IF_PERMIT",
     "WARN x", "permit", "reject", "permit_mynetworks, reject", "reject_unauth_destination, permit", "inner", "outer",
     "warn_if_reject reject, permit", "defer_if_permit", "permit_sasl_authenticated"]
)  # fmt: skip


def rows(keys: Sequence[str], mark: str = " ") -> st.SearchStrategy[list[str]]:
    row = st.builds(lambda key, value: f"{key}{mark}{value}", st.sampled_from(keys), VALUES)
    return st.lists(row, min_size=1, max_size=3, unique_by=lambda each: each.split(mark)[0])


def tables(keys: Sequence[str]) -> st.SearchStrategy[tuple[str, str]]:
    """(the table as it is named, its content)."""

    def file(kind: str, keys: Sequence[str]) -> st.SearchStrategy[tuple[str, str]]:
        return rows(keys).map(lambda each: (f"{kind}:FILE", "\n".join(each) + "\n"))

    inline = rows(keys, " = ").map(
        lambda each: (f"inline:{{ {' '.join(f'{{ {row} }}' for row in each)} }}", "")
    )
    static = VALUES.map(lambda value: (f"static:{{{value}}}", ""))
    kinds = [
        static,
        inline,
        file("regexp", PATTERNS),
        *(file(kind, keys) for kind in ("texthash", "hash", "lmdb")),
    ]
    return st.one_of(*kinds, *([file("cidr", NETWORKS)] if keys is CLIENT_KEYS else []))


WORDS = st.sampled_from(
    ["permit", "reject", "defer", "permit_mynetworks", "permit_sasl_authenticated", "reject_unauth_destination",
     "defer_unauth_destination", "permit_auth_destination", "warn_if_reject", "defer_if_permit", "inner", "outer",
     "PERMIT", "Reject_Unauth_Destination", "reject_non_fqdn_sender",
     "reject_unlisted_recipient", "permit_tls_clientcerts", "permit_inet_interfaces"]
).map(lambda word: (word, ""))  # fmt: skip


def accesses() -> st.SearchStrategy[tuple[str, str]]:
    asked = {"client": CLIENT_KEYS, "reverse_client_hostname": CLIENT_KEYS, "helo": CLIENT_KEYS, "sender": MAIL_KEYS,
             "recipient": MAIL_KEYS}  # fmt: skip
    named = [
        tables(keys).map(lambda each, what=what: (f"check_{what}_access {each[0]}", each[1]))
        for what, keys in asked.items()
    ]
    return st.one_of(*named, tables(MAIL_KEYS))


LIST = st.lists(st.one_of(WORDS, accesses()), max_size=4)
GUARDED = LIST.map(lambda words: [*words, ("reject_unauth_destination", "")])
ASIDE = {
    "smtpd_client_restrictions": LIST,
    "smtpd_helo_restrictions": LIST,
    "smtpd_sender_restrictions": LIST,
    "inner": st.lists(WORDS, min_size=1, max_size=2),
    "outer": st.lists(st.one_of(WORDS, accesses()), min_size=1, max_size=3),
    "smtpd_delay_reject": st.sampled_from([[("yes", "")], [("no", "")]]),
    "smtpd_helo_required": st.sampled_from([[("yes", "")], [("no", "")]]),
    "mynetworks": st.sampled_from([[("127.0.0.0/8", "")], [("0.0.0.0/1", "")], [("static:all", "")]]),
}
SERVICES = st.one_of(
    *(
        st.fixed_dictionaries(
            {"smtpd_relay_restrictions": relay, "smtpd_recipient_restrictions": recipient}, optional=ASIDE
        )
        for relay, recipient in ((st.just([]), GUARDED), (GUARDED, LIST))
    )
)


def random_service(
    port: int, drawn: dict[str, list[tuple[str, str]]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The service, and the files of its tables."""
    files: list[dict[str, Any]] = []
    options = {"smtpd_restriction_classes": "inner, outer", "inner": "permit_mynetworks", "outer": "inner"}
    for name, words in drawn.items():
        placed = []
        for word, content in words:
            path = f"r{port}_{len(files)}"
            files += [text(path, content)] if content else []
            # A class that leads back to itself is another matter.
            loops = word == "outer" if name == "outer" else name == "inner" and word in ("inner", "outer")
            placed.append("permit_mynetworks" if loops else word.replace(":FILE", f":/etc/postfix/{path}"))
        options[name] = ", ".join(placed)
    return inet(str(port), **options), files


def random_errand(port: int) -> dict[str, Any]:
    return {
        "name": str(port),
        "port": port,
        "ways": [
            {**way, "patience": 5} for way in (*WAYS, *({**WAYS[0], "helo": helo} for helo in CLIENT_KEYS))
        ],
        "senders": [*SENDERS, "joe@partner.example", "jane@stranger.example", "jane@victim.com"],
        "recipients": [*RECIPIENTS, "joe@victim.com"],
        "rcpt_only": True,
    }


def test_what_passes_without_a_warning_relays_for_nobody(strangers_host: Host) -> None:
    """Lists, classes and tables at random: Postfix itself says which of them are open."""
    counts: Counter[str] = Counter()
    holes: list[Any] = []

    @settings(
        max_examples=BATCHES, phases=[Phase.generate], database=None, deadline=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.lists(SERVICES, min_size=BATCH, max_size=BATCH))
    def batch(drawn: list[dict[str, list[tuple[str, str]]]]) -> None:
        ports = range(FIRST_PORT, FIRST_PORT + BATCH)
        made = [random_service(port, each) for port, each in zip(ports, drawn)]
        round = wish(
            services=[service for service, _files in made],
            files=[file for _service, files in made for file in files],
            errands=[random_errand(port) for port in ports],
            rcpt_only=True,
        )
        [came] = asked(strangers_host, [round])
        for (service, files), outcome in zip(made, came["outcomes"]):
            found = [
                each
                for each in came["findings"]
                if each[2] == f"{service['service']}/inet" and each[0] in NAMES
            ]
            counts["open" if outcome["open"] else "named" if found else "closed"] += 1
            if outcome["open"] and not found:
                holes.append((service, files, outcome))

    batch()
    print(f"\n{sum(counts.values())} examples: {dict(counts)}")
    assert not holes, json.dumps(holes, indent=1)
    assert sum(counts.values()) >= BATCH * BATCHES
    assert min(counts["open"], counts["closed"]) >= 50
