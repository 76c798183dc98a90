"""The block in somebody else's file: nothing outside of it is ever lost."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files import block, table
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files.main_cf import MainCf
from hypothesis import given
from hypothesis import strategies as st

NAMES = ("relayhost", "mydestination")
BY_NAME = block.hides(block.setting_name, NAMES)
BODY = "relayhost = [relay.example.com]:587\nmydestination = localhost\n"

PIECES = st.sampled_from(
    [
        "relayhost = a\n", "relayhost=a", "mydestination =\n", "  b\n", "\tc", "# a comment\n", "#", "\n", "\r\n", " ",
        "other = 1\r\n", "caf\udce9 = x\n", block.PREFIX, block.BEGIN, block.END, "# {}\n", '# {"glue": 2}\n', "\f",
        f"{block.BEGIN}: x\n", f"{block.END}\n", f"{block.PREFIX}relayhost = x\n", "\x0b", "\x85", "\u2028",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join)
HIDERS = st.sampled_from(
    [
        BY_NAME,
        lambda line: True,
        lambda line: False,
        block.hides(block.row_key, {"relayhost", "other"}),
        block.hides(block.service_key, {"relayhost/="}),
    ]
)


@given(TEXTS, TEXTS, HIDERS)
def test_taking_the_block_away_restores_every_byte(
    own: str, body: str, hidden: Callable[[object], bool]
) -> None:
    if any(line.startswith((block.BEGIN, block.END)) for line in body.split("\n")):
        return
    assert block.undo(block.compose(own, body, hidden)) == own


@given(TEXTS, TEXTS)
def test_another_block_in_its_place_is_as_if_it_had_been_the_first(own: str, later: str) -> None:
    first = block.compose(own, "relayhost = old\n", BY_NAME, {"was": "0644:0:0"})
    assert block.compose(block.undo(first), BODY, BY_NAME) == block.compose(own, BODY, BY_NAME)


@given(TEXTS)
def test_text_without_a_block_is_all_the_hosts_own(own: str) -> None:
    if block.BEGIN not in own and block.END not in own:
        assert block.split(own) == block.Parts(own)


def test_only_what_is_overridden_is_out_of_force() -> None:
    own = "# mine\nrelayhost = [a]\n# in between\n  , [b]\nmynetworks = 127.0.0.0/8\nrelayhost = [c]"
    text = block.compose(own, BODY, BY_NAME)
    assert MainCf(text).values() == {
        "mynetworks": "127.0.0.0/8",
        "relayhost": "[relay.example.com]:587",
        "mydestination": "localhost",
    }
    assert text.startswith(
        "# mine\n#mailops.smtp# relayhost = [a]\n#mailops.smtp# # in between\n#mailops.smtp#   , [b]\n"
        "mynetworks = 127.0.0.0/8\n#mailops.smtp# relayhost = [c]\n\n# BEGIN mailops.smtp"
    )


def test_what_is_written_behind_the_block_survives() -> None:
    for own in ("a = 1\n", "a = 1", ""):
        text = block.compose(own, BODY, BY_NAME) + "b = 2\n"
        expected = own + ("\n" if own and not own.endswith("\n") else "") + "b = 2\n"
        assert block.undo(text) == expected
        assert block.split(text).edited is False


def test_a_change_inside_the_block_is_noticed() -> None:
    text = block.compose("a = 1\n", BODY, BY_NAME)
    parts = block.split(text.replace("]:587", "]:25"))
    assert parts.edited
    assert parts.own == "a = 1\n"
    assert not block.split(text).edited


def test_two_blocks_both_go() -> None:
    text = block.compose("a = 1\nrelayhost = x\n", BODY, BY_NAME)
    assert block.undo(text + text) == "a = 1\nrelayhost = x\n" * 2


def test_an_end_that_somebody_removed_is_found_again_where_the_block_is_as_written() -> None:
    text = block.compose("a = 1\n", BODY, BY_NAME).replace(f"{block.END}\n", "b = 2\n")
    assert block.undo(text) == "a = 1\nb = 2\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            block.compose("a = 1\n", BODY, BY_NAME).replace("]:587", "]:25").replace(block.END, "# x"),
            "is gone",
        ),
        (f"a = 1\n{block.END}\n", "remove this line"),
        (f"{block.BEGIN}\n{block.BEGIN}\n{block.END}\n", "is gone"),
        (f"{block.BEGIN}\n", "is gone"),
    ],
)
def test_markers_that_do_not_fit_are_told_with_their_line_and_a_remedy(text: str, said: str) -> None:
    with pytest.raises(block.BlockError, match=said) as caught:
        block.split(text, "main.cf")
    assert "main.cf line " in str(caught.value)


def test_the_remedy_for_a_lost_end_works() -> None:
    broken = block.compose("a = 1\n", BODY, BY_NAME).replace("]:587", "]:25").replace(block.END, "# x")
    assert block.undo(broken + block.END + "\n") == "a = 1\n"


@pytest.mark.parametrize("record", ["# {", "# []", '# {"glue": "x"}', "# {}", "relayhost = x"])
def test_a_damaged_record_costs_no_line_of_the_host(record: str) -> None:
    text = f"a = 1\n{block.BEGIN}\n{record}\nrelayhost = x\n{block.END}\nb = 2\n"
    assert block.split(text).own == "a = 1\nb = 2\n"


def test_what_only_python_takes_for_white_space_is_part_of_a_key() -> None:
    assert [(row.key, row.value) for row in table.parse_map("\x85\na\u00a0b c d\n")] == [
        ("\x85", ""),
        ("a\u00a0b", "c d"),
    ]
