"""What the fuzzer found worth keeping (tests/fuzz) is replayed, and a broken core would be noticed."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp import certificate
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.reply import ReplyReader
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.session import Session
from ansible_collections.mailops.smtp.tests.fuzz import seeds, targets

CORPUS = Path(targets.__file__).parent / "corpus"


@pytest.mark.parametrize("target", targets.TARGETS)
def test_corpus(target: str) -> None:
    inputs = {file.name: file.read_bytes() for file in sorted((CORPUS / target).iterdir())}
    assert len(inputs) >= 20
    inputs.update((f"seed-{number}", data) for number, data in enumerate(seeds.SEEDS[target]))
    for name, data in inputs.items():
        try:
            targets.TARGETS[target](data)
        except Exception as error:
            raise AssertionError(f"{target}: {name} (see tests/fuzz/README.md)") from error


def no_more_than_ten_bytes(reader: ReplyReader, data: bytes) -> None:
    reader._buffer += data[:10]


def without_a_verdict(session: Session, _how: str) -> None:
    session._close()


def without_a_mask(_session: Session, text: bytes) -> str:
    return text.decode("latin-1")


def with_the_password(session: Session, data: bytes) -> None:
    password = session._credentials.password if session._credentials else ""
    session._output += data + password.encode()


def without_a_close(session: Session, _seconds: float) -> None:
    """Waits for ever."""


def any_name(_known: str, _name: str) -> bool:
    return True


@pytest.mark.parametrize(
    ("where", "what", "broken", "target", "complaint"),
    [
        (ReplyReader, "feed", no_more_than_ten_bytes, "reply", "cut"),
        (Session, "_ended", without_a_verdict, "clear", "no outcome"),
        (Session, "expire", without_a_close, "clear", "open after"),
        (Session, "_write", with_the_password, "clear", "password in clear"),
        (Session, "_shown", without_a_mask, "tls", "password shown"),
        (
            certificate,
            "name_matches",
            any_name,
            "certificate",
            "a name that is not there",
        ),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_broken_core_is_noticed(
    where: Any,
    what: str,
    broken: Callable[..., Any],
    target: str,
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(where, what, broken)
    complaints = []
    for data in seeds.SEEDS[target]:
        try:
            targets.TARGETS[target](data)
        except AssertionError as error:
            complaints.append(str(error))
    assert complaint in " ".join(complaints)
