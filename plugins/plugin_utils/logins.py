"""Logins of a list of relays: user names and passwords, and files of tokens for the plugin sasl-xoauth2."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Mapping, Sequence

# A path for clients that are chrooted and those that are not: outside of the chroot it is a link.
TOKENS = "/var/lib/postfix-tokens"


def logins(
    relays: Sequence[Mapping[str, Any]], auth: str = "", application: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """What each relay has of `username` and `password`, for entries of postfix_relays, typed.

    `auth` is the mechanism of an entry that names none. XOAUTH2 has no password. Where `application` is given, with
    the client_id, client_secret and endpoint of entries that have none of their own, there is in its place the path of
    a file of tokens, which is in `token` with its `path`, the `content` that it begins with, and as `regexp` and
    `replace` what of that follows the variables later too. The plugin writes it with its keys in alphabetical order.
    """
    return [_login(relay, auth, application) for relay in relays]


def _login(relay: Mapping[str, Any], auth: str, application: Mapping[str, Any] | None) -> dict[str, Any]:
    found = {key: relay[key] for key in ("username", "password") if relay.get(key)}
    if (relay.get("auth") or auth) != "xoauth2":
        return found
    found.pop("password", None)
    if application is None or not found:
        return found
    token = _token(relay, application)
    return {**found, "password": token["path"], "token": token}


def _token(relay: Mapping[str, Any], application: Mapping[str, Any]) -> dict[str, str]:
    """The name tells the token that was given: the plugin may have written newer ones there, which are never
    overwritten, and another token is another file."""
    given = {key: str(relay.get(f"oauth_{key}") or application.get(key) or "") for key in _OF_AN_APPLICATION}
    fields = {
        "client_id": given["client_id"],
        "client_secret": given["client_secret"],
        "token_endpoint": given["endpoint"],
    }
    token = str(relay.get("oauth_refresh_token") or "")
    content = {
        **fields,
        "ca_bundle_file": f"{TOKENS}/ca.pem",
        "access_token": "",
        "expiry": "0",
        "refresh_token": token,
    }
    account = re.sub(r"[^A-Za-z0-9@._+-]", "_", str(relay["username"]))
    return {
        "path": f"{TOKENS}/{account}-{hashlib.sha256(token.encode()).hexdigest()[:16]}",
        "content": json.dumps(content, indent=2) + "\n",
        "regexp": "".join(rf'([\s\S]*?"{name}"\s*:\s*)"(?:[^"\\]|\\.)*"' for name in fields),
        "replace": "".join(
            rf"\g<{place}>{_escaped(json.dumps(value))}" for place, value in enumerate(fields.values(), 1)
        ),
    }


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\")


_OF_AN_APPLICATION = ("client_id", "client_secret", "endpoint")
