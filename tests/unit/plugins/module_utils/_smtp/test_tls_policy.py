"""The contexts of a TLS policy take the chains that Postfix takes, and no others."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import shutil
import ssl
from pathlib import Path

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp import tls
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsPolicy
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._smtp.servers import DATA


def shake_hands(client_context: ssl.SSLContext, certificate: str) -> str:
    """The words of the error with which the handshake fails for the client, or nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(str(DATA / certificate))
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server)
    for _turn in range(4):
        try:
            client.do_handshake()
            return ""
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
        with contextlib.suppress(ssl.SSLWantReadError):
            server.do_handshake()
    raise AssertionError("the handshake does not end")


@pytest.mark.parametrize(
    ("certificate", "fault"),
    [("short_key.pem", ""), ("shorter_key.pem", "EE certificate key too weak")],
    ids=["1024 bits", "768 bits"],
)
def test_a_verified_key_is_as_long_as_postfix_wants_it(certificate: str, fault: str) -> None:
    policy = TlsPolicy(ca_path=str(DATA / certificate))

    assert shake_hands(policy.context(verify=True), certificate) == fault


# Under this name OpenSSL looks for the authority of good.pem in a directory (openssl x509 -hash).
HASHED = "3a5d90b6.0"
KNOWN, UNKNOWN = "", "unable to get local issuer certificate"


@pytest.mark.parametrize(
    ("paths", "system", "good", "short_key"),
    [
        (("file",), False, UNKNOWN, KNOWN),
        (("directory",), False, KNOWN, "self-signed certificate"),
        (("file", "directory"), False, KNOWN, KNOWN),
        (("directory", "file"), False, KNOWN, KNOWN),
        ((), False, KNOWN, "self-signed certificate"),
        (("file",), True, KNOWN, KNOWN),
    ],
)
def test_every_authority_that_is_named_is_trusted_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    paths: tuple[str, ...],
    system: bool,
    good: str,
    short_key: str,
) -> None:
    (tmp_path / "directory").mkdir()
    shutil.copy(DATA / "ca.pem", tmp_path / "directory" / HASHED)
    shutil.copy(DATA / "short_key.pem", tmp_path / "file")
    monkeypatch.setenv("SSL_CERT_FILE", str(DATA / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    policy = TlsPolicy([str(tmp_path / path) for path in paths], system=system)
    for certificate, fault in (("good.pem", good), ("short_key.pem", short_key)):
        # OpenSSL before 3.0 writes "self signed".
        assert shake_hands(policy.context(verify=True), certificate).replace("self s", "self-s") == fault
    assert policy.has_authorities()


def test_whatever_the_key_the_certificate_can_be_looked_at() -> None:
    assert shake_hands(TlsPolicy().context(verify=False), "shorter_key.pem") == ""


@pytest.mark.parametrize(
    ("bundle", "directory", "expected"),
    [
        ("short_key.pem", "", True),
        ("", "", False),
        # What a directory has in it is found out when it is needed.
        ("", "short_key.pem", True),
    ],
    ids=["a bundle", "nothing", "a directory"],
)
def test_whether_the_host_has_authorities(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bundle: str, directory: str, expected: bool
) -> None:
    authorities = tmp_path / "bundle.pem"
    authorities.write_bytes((DATA / bundle).read_bytes() if bundle else b"")
    (tmp_path / "certs").mkdir()
    if directory:
        shutil.copy(DATA / directory, tmp_path / "certs")
    monkeypatch.setenv("SSL_CERT_FILE", str(authorities))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "certs"))
    monkeypatch.setattr(tls, "_BUNDLES", ())

    assert TlsPolicy().has_authorities() is expected
    assert TlsPolicy(ca_path=str(DATA / "short_key.pem")).has_authorities()
