"""The TLS policy of a probe as SSLContexts.

Rule of this file: a context is expensive (20 ms with the CAs of a distribution), so each is built once, when it is
first needed, and shared by every connection. Contexts verify the chain only; names and dates are judged in
certificate.py, the same on every version of Python.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import ssl
import sys
from typing import Sequence

from .certificate import ChainError, decode
from .endpoint import OptionError

_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
# Where distributions keep their CAs, for a Python whose OpenSSL was built to look elsewhere.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
    "/etc/ssl/cert.pem",
)

# Python shows the chain that OpenSSL has built since 3.10; publicly since 3.13.
SHOWS_CHAIN = sys.version_info >= (3, 10)
_DER = 2
# OpenSSL's codes (x509_vfy.h).
_NOT_YET_VALID, _EXPIRED, _SELF_SIGNED, _SELF_SIGNED_IN_CHAIN, _NO_ISSUER = 9, 10, 18, 19, 20


def doubt(tls: ssl.SSLObject, now: float) -> ChainError | None:
    """Why the chain of a connection that takes any would not have been verified; None where no reason is seen.

    Seen is whether it leads to an authority of the connection's context, and its dates at ``now`` (seconds since the
    epoch). OpenSSL sees more (signatures, purposes, short keys), so this proves nothing.
    """
    show = getattr(tls, "get_verified_chain", None) or tls._sslobj.get_verified_chain  # type: ignore[attr-defined]
    chain = [each if isinstance(each, bytes) else each.public_bytes(_DER) for each in show() or ()]
    if chain and chain[-1] in tls.context.get_ca_certs(binary_form=True):
        for above in map(decode, chain[1:]):
            if above.not_after is not None and above.not_after < now:
                return ChainError(_EXPIRED, "certificate has expired")
            if above.not_before is not None and above.not_before > now:
                return ChainError(_NOT_YET_VALID, "certificate is not yet valid")
        return None
    if not chain or not decode(chain[-1]).self_issued:
        return ChainError(_NO_ISSUER, "unable to get local issuer certificate")
    if len(chain) == 1:
        return ChainError(_SELF_SIGNED, "self-signed certificate")
    return ChainError(_SELF_SIGNED_IN_CHAIN, "self-signed certificate in certificate chain")


class TlsPolicy:
    """Which authorities to trust, and the oldest version.

    ``ca_path``: files and directories; without one the system's, which ``system`` adds to them. ``client``: files of
    the client's certificates and of their keys, which were checked before.
    """

    def __init__(
        self,
        ca_path: str | Sequence[str] | None = None,
        min_version: str = "1.2",
        system: bool = False,
        client: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.min_version = min_version
        self._paths = (ca_path,) if isinstance(ca_path, str) else tuple(ca_path or ())
        self._system = system or not self._paths
        self._client = client
        self._verifying: ssl.SSLContext | None = None
        self._inspecting: ssl.SSLContext | None = None
        if self._paths:
            self._verifying = self._build(verify=True)

    def context(self, verify: bool) -> ssl.SSLContext:
        """The context that refuses a chain it does not trust, or the one that takes any."""
        if verify:
            if self._verifying is None:
                self._verifying = self._build(verify=True)
            return self._verifying
        if self._inspecting is None:
            self._inspecting = self._build(verify=False)
        return self._inspecting

    def has_authorities(self) -> bool:
        """Whether there is any to trust. OpenSSL reads a directory's files when it needs them: here each counts."""
        system = ssl.get_default_verify_paths().capath if self._system else None
        for directory in (*self._paths, system):
            if directory and os.path.isdir(directory) and os.listdir(directory):
                return True
        return any(self.context(True).cert_store_stats().values())

    def _build(self, verify: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
        # A server that asks for renegotiation gets none, instead of a handshake in the middle of a command.
        context.options |= ssl.OP_NO_RENEGOTIATION
        # OpenSSL's own list, as a mail server takes it: Python's is narrower, and differs from version to
        # version.
        # The security level is Postfix's (tls_client.c): 1 where the server is authenticated, which asks for 80 bits,
        # else 0. OpenSSL 3 has no TLS before 1.2 above level 0.
        level = 1 if verify and self.min_version >= "1.2" else 0
        context.set_ciphers("DEFAULT:@SECLEVEL=%d" % level)
        context.minimum_version = _VERSIONS[self.min_version]
        # Where any chain is taken, the authorities are there to tell whether it could have been verified.
        if verify or SHOWS_CHAIN:
            self._trust(context)
        for certificate, key in self._client:
            context.load_cert_chain(certificate, key, password="")
        return context

    def _trust(self, context: ssl.SSLContext) -> None:
        for path in self._paths:
            _load(context, path)
        if not self._system:
            return
        context.load_default_certs()
        paths = ssl.get_default_verify_paths()
        if paths.cafile is None and not (paths.capath and os.listdir(paths.capath)):
            for bundle in _BUNDLES:
                if os.path.isfile(bundle):
                    context.load_verify_locations(cafile=bundle)
                    break


def _load(context: ssl.SSLContext, path: str) -> None:
    if not os.path.exists(path):
        raise OptionError(
            f"ca_path: {path} does not exist on this host; give a PEM file of CA certificates, or a directory "
            "prepared by openssl rehash"
        )
    try:
        if os.path.isdir(path):
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        # OpenSSL's own words change from version to version, and name no file.
        raise OptionError(
            f"ca_path: {path} holds no certificate that can be read; give a PEM file of CA certificates, which has "
            "lines with BEGIN CERTIFICATE"
        ) from error
    except OSError as error:
        raise OptionError(
            f"ca_path: {path} cannot be read ({error.strerror}); become root, or give a PEM file of CA certificates "
            "that everybody can read"
        ) from error
