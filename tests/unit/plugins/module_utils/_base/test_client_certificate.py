"""What makes a certificate and a key of no use to a client, each with its words."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._base.client_certificate import Flaw, flaw
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._smtp.servers import DATA, NOW

# Of no certificate. It protects nothing.
OTHER_KEY = (
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgtLFamZY5uG4cCYcRkQ4hn7jonCOgnzZsc3MSBgwS9xuhRANC\n"
    "AAQvCbyOT6m/85L3TpHIaKHceBVjQ48ug8bJ/P0XbRmoJOQzBMZrPz31ZdTYLaJLrEvRCEP8r8P0I3a/hjz5Kf+0\n"
    "-----END PRIVATE KEY-----\n"
)


def part(tmp_path: Path, name: str, kind: str) -> str:
    """The certificate or the key of a file that has both, in a file of its own."""
    text = (DATA / f"{name}.pem").read_text()
    blocks = [f"{each}-----\n" for each in text.split("-----\n")]
    wanted = [f"{a}{b}" for a, b in zip(blocks[::2], blocks[1::2]) if kind in a]
    path = tmp_path / f"{name}.{kind.split(maxsplit=1)[0].lower()}"
    path.write_text("".join(wanted))
    return str(path)


def test_a_pair_in_one_file_and_in_two(tmp_path: Path) -> None:
    assert flaw(str(DATA / "good.pem"), now=NOW) is None
    assert flaw(part(tmp_path, "good", "CERTIFICATE"), part(tmp_path, "good", "PRIVATE KEY"), NOW) is None


@pytest.mark.parametrize(
    ("certificate", "key", "expected"),
    [
        ("none.pem", "", Flaw("missing", False, "{none.pem} does not exist on this host; create it, or")),
        (
            "good.pem",
            "none.pem",
            Flaw("missing", True, "{none.pem} does not exist on this host; create it, or"),
        ),
        (
            "text.pem",
            "",
            Flaw("useless", False, "{text.pem} holds no certificate in PEM format; name the file"),
        ),
        (
            "good.pem",
            "text.pem",
            Flaw("useless", True, "{text.pem} holds no private key in PEM format; name the"),
        ),
        (
            "good.pem",
            "other.pem",
            Flaw("useless", True, "the key in {other.pem} does not belong to the certificate"),
        ),
        (
            "good.pem",
            "rsa.pem",
            Flaw("useless", True, "the key in {rsa.pem} does not belong to the certificate in"),
        ),
        ("good.pem", "locked.pem", Flaw("useless", True, "{good.pem} and {locked.pem} cannot be used (")),
        ("expired.pem", "", Flaw("outdated", False, "the certificate in {expired.pem} expired on 20")),
        ("early.pem", "", Flaw("outdated", False, "the certificate in {early.pem} is valid from ")),
    ],
)
def test_a_flaw_and_its_words(tmp_path: Path, certificate: str, key: str, expected: Flaw) -> None:
    (tmp_path / "other.pem").write_text(OTHER_KEY)
    (tmp_path / "rsa.pem").write_text((DATA / "short_key.pem").read_text())
    for name in ("good.pem", "expired.pem", "early.pem"):
        (tmp_path / name).write_text((DATA / name).read_text())
    (tmp_path / "text.pem").write_text("hello\n")
    (tmp_path / "locked.pem").write_text(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n"
    )
    words = expected.words
    for name in ("none", "good", "text", "other", "rsa", "locked", "expired", "early"):
        words = words.replace(f"{{{name}.pem}}", str(tmp_path / f"{name}.pem"))
    found = flaw(str(tmp_path / certificate), key and str(tmp_path / key), NOW)
    assert found is not None
    assert (found.kind, found.of_key) == expected[:2]
    assert found.words.startswith(words), found.words


def test_a_file_that_this_user_may_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, usual = tmp_path / "key.pem", open
    key.write_text("x")

    def refuse(path: Any, *arguments: Any, **options: Any) -> Any:
        # Root may read every file.
        if str(path) == str(key):
            raise PermissionError(13, "Permission denied")
        return usual(path, *arguments, **options)

    monkeypatch.setattr("builtins.open", refuse)
    found = flaw(str(DATA / "good.pem"), str(key), NOW)
    assert found is not None
    assert (found.kind, found.of_key) == ("unreadable", True)


def test_what_cannot_be_read_at_all(tmp_path: Path) -> None:
    found = flaw(str(tmp_path), now=NOW)
    assert found is not None
    assert found.kind == "unreadable"
    assert "become root" in found.words
