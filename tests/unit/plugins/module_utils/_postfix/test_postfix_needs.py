"""What a configuration needs and the host does not have."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files import master_cf
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import needs

LOGIN = {"smtp_sasl_auth_enable": "yes"}
MASTER = "relay unix - - n - - smtp\n"
PLAIN, CRAM, TOKENS = "libplain.so.2", "libcrammd5.so", "libsasl-xoauth2.so"


@pytest.fixture
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(needs, "LIBRARY_DIRECTORIES", (str(tmp_path), str(tmp_path / "nowhere")))
    directory = tmp_path / "x86_64-linux-gnu/sasl2"
    directory.mkdir(parents=True)
    return directory


@pytest.mark.parametrize(
    ("plugins", "main", "options", "missing"),
    [
        ([], {}, "", []),
        ([], LOGIN, "", ["sasl_plugin"]),
        ([PLAIN], LOGIN, "", []),
        ([CRAM], LOGIN, "", ["sasl_plugin"]),
        ([CRAM], {**LOGIN, "smtp_sasl_mechanism_filter": "cram-md5"}, "", []),
        ([PLAIN], {**LOGIN, "smtp_sasl_mechanism_filter": "xoauth2"}, "", ["sasl_plugin"]),
        ([TOKENS], {**LOGIN, "smtp_sasl_mechanism_filter": "xoauth2"}, "", []),
        ([PLAIN], {**LOGIN, "smtp_sasl_mechanism_filter": "cram-md5, plain"}, "", ["sasl_plugin"]),
        ([PLAIN], {**LOGIN, "smtp_sasl_mechanism_filter": "!gssapi, static:all"}, "", []),
        ([], {**LOGIN, "smtp_sasl_type": "dovecot"}, "", []),
        ([], {"smtp_sasl_auth_enable": "$login", "login": "yes"}, "", ["sasl_plugin"]),
        ([], {}, " -o smtp_sasl_auth_enable=yes", ["sasl_plugin"]),
        ([], LOGIN, " -o smtp_sasl_auth_enable=no", ["sasl_plugin"]),
        ([], {"smtp_tls_CAfile": "/nowhere/ca.pem"}, "", ["ca_file"]),
        ([], {"smtp_tls_CAfile": "/coming/ca.pem"}, "", []),
        ([], {"smtp_tls_CAfile": __file__}, "", []),
        ([], {**LOGIN, "smtp_tls_CAfile": "/nowhere/ca.pem"}, "", ["sasl_plugin", "ca_file"]),
    ],
)
def test_missing(
    libraries: Path, plugins: list[str], main: dict[str, str], options: str, missing: list[str]
) -> None:
    for name in plugins:
        (libraries / name).touch()
    master = master_cf.MasterCf(MASTER.rstrip("\n") + options + "\n")
    assert needs.missing(main, master, {"/coming/ca.pem"}) == missing


def test_plugins_are_found_where_distributions_put_them(libraries: Path) -> None:
    (libraries / PLAIN).touch()
    (libraries.parents[1] / "sasl2").mkdir()
    (libraries.parents[1] / "sasl2" / CRAM).touch()
    (libraries / "README").touch()
    assert needs.installed_plugins() == {"plain", "crammd5"}


def test_a_mechanism_without_its_plugin_is_named(libraries: Path) -> None:
    (libraries / "libscram.so").touch()
    assert needs.without_plugin(["SCRAM-SHA-256", "PLAIN", "GSSAPI", "UNHEARD-OF"]) == ["PLAIN", "GSSAPI"]
