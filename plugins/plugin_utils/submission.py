"""What Postfix is given so that its users, and nobody else, submit mail: a service for each port, and their tables.

Theory of operation. Each port is an smtpd(8) of its own in master.cf, whose -o options say all that decides who may
send: what main.cf says of other mail neither locks users out nor lets anybody in. AUTH is there inside of TLS alone,
and whoever has not logged in is refused, in three lists that each would be enough.

Rules of this file: no I/O and no secrets. The values are those that variables.py has typed and found right.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any, Mapping

from ..module_utils._base.addresses import IMPLICIT_TLS_PORTS

SELF_SIGNED = "mailops_submission.pem"
SENDERS = "mailops_submission_senders"
CLEANUP = "submission-cleanup"
_USERS_ALONE = "permit_sasl_authenticated,reject"
_OPTIONS = {
    "smtpd_tls_security_level": "encrypt",
    "smtpd_tls_auth_only": "yes",
    "smtpd_tls_mandatory_protocols": "!SSLv2,!SSLv3,!TLSv1,!TLSv1.1",
    "smtpd_tls_mandatory_ciphers": "high",
    # Without it OpenSSL offers ciphers without a certificate to clients that ask for one.
    "smtpd_tls_mandatory_exclude_ciphers": "aNULL",
    "smtpd_tls_ask_ccert": "no",
    "smtpd_tls_req_ccert": "no",
    "tls_preempt_cipherlist": "yes",
    "tls_ssl_options": "NO_COMPRESSION,NO_RENEGOTIATION",
    # These would be taken before the certificate that is named, or beside it.
    "smtpd_tls_chain_files": "",
    "smtpd_tls_dcert_file": "",
    "smtpd_tls_eccert_file": "",
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sasl_security_options": "noanonymous",
    "smtpd_sasl_tls_security_options": "noanonymous",
    "smtpd_sasl_exceptions_networks": "",
    # Who logs in later is not to be refused by what is asked when he connects.
    "smtpd_delay_reject": "yes",
    "smtpd_client_restrictions": _USERS_ALONE,
    "smtpd_helo_restrictions": "",
    "smtpd_sender_restrictions": "",
    "smtpd_relay_restrictions": _USERS_ALONE,
    "smtpd_recipient_restrictions": _USERS_ALONE,
    "smtpd_data_restrictions": "reject_unauth_pipelining",
    "smtpd_end_of_data_restrictions": "",
    "smtpd_etrn_restrictions": "reject",
    # What nobody can deliver comes back to the user who sent it, with what was wrong.
    "smtpd_reject_unlisted_recipient": "no",
    "smtpd_reject_unlisted_sender": "no",
    "disable_vrfy_command": "yes",
    # What main.cf takes away from other servers, users need. BDAT is a second way into SMTP smuggling.
    "smtpd_discard_ehlo_keywords": "chunking,etrn,silent-discard",
    "smtpd_discard_ehlo_keyword_address_maps": "",
    "local_header_rewrite_clients": "static:all",
    "milter_macro_daemon_name": "ORIGINATING",
}
# What came with a patch of an older release. Nobody is excepted: whoever submits speaks SMTP.
_WHERE_KNOWN = {
    "smtpd_forbid_bare_newline": "yes",
    "smtpd_forbid_bare_newline_exclusions": "",
    "smtpd_forbid_unauth_pipelining": "yes",
}
# Which variable names what a service then has; everything else is said by the list of ports.
_VARIABLES = {
    "smtpd_tls_cert_file": "postfix_submission_cert_file",
    "smtpd_tls_key_file": "postfix_submission_key_file",
    "tls_server_sni_maps": "postfix_submission_sni",
    "smtpd_sasl_type": "postfix_submission_sasl",
    "smtpd_sasl_path": "postfix_submission_auth_socket",
    "smtpd_sender_login_maps": "postfix_submission_senders",
    "smtpd_client_message_rate_limit": "postfix_submission_rate",
    "smtpd_recipient_restrictions": "postfix_submission_policy_services",
    "smtpd_data_restrictions": "postfix_submission_policy_services",
    "smtpd_end_of_data_restrictions": "postfix_submission_policy_services",
    "message_size_limit": "postfix_submission_message_size",
}


def submission(values: Mapping[str, Any]) -> dict[str, Any]:
    """The services and files for the variables of role postfix, and the `variables` that name what they say.

    The key of those is service/type, or that and a parameter with a blank between.
    """
    ports = list(dict.fromkeys(values["postfix_submission_ports"]))
    services: list[dict[str, Any]] = []
    files: list[dict[str, Any]] = []
    variables: dict[str, str] = {}
    if values["postfix_smtp_inbound"] is False:
        services.append({"service": "smtp", "type": "inet", "exclusive": True, "state": "absent"})
    if ports:
        directory = values["postfix_config_directory"]
        if values["postfix_submission_message_size"]:
            services.append(_cleanup(values["postfix_submission_message_size"]))
        if values["postfix_submission_self_signed"]:
            files.append({"path": SELF_SIGNED, "self_signed": True, "sensitive": True, "mode": "0600"})
        if values["postfix_submission_senders"]:
            files.append({"path": SENDERS, "content": _rows(values["postfix_submission_senders"])})
        chosen = _chosen(values, directory)
        for port in ports:
            services.append(_service(port, {**_OPTIONS, **chosen}))
            name = f"{port}/inet"
            variables[name] = "postfix_submission_ports"
            variables.update({f"{name} {one}": other for one, other in _VARIABLES.items() if one in chosen})
    return {"services": services, "files": files, "variables": variables}


def _service(port: int, options: Mapping[str, str]) -> dict[str, Any]:
    implicit = "yes" if port in IMPLICIT_TLS_PORTS else "no"
    return {
        "service": str(port),
        "type": "inet",
        "private": "n",
        "exclusive": True,
        "command": "smtpd",
        "options": {
            "syslog_name": f"postfix/{port}",
            "smtpd_tls_wrappermode": implicit,
            **options,
        },
        "where_known": _WHERE_KNOWN,
    }


def _cleanup(size: int) -> dict[str, Any]:
    """cleanup(8) has a limit of its own, and that of main.cf is for all other mail."""
    return {
        "service": CLEANUP,
        "type": "unix",
        "like": "cleanup",
        "private": "n",
        "maxproc": "0",
        "command": "cleanup",
        "options": {"message_size_limit": str(size)},
    }


def _chosen(values: Mapping[str, Any], directory: str) -> dict[str, str]:
    """The options that the variables decide."""
    certificate = values["postfix_submission_cert_file"]
    key = values["postfix_submission_key_file"] or certificate
    if values["postfix_submission_self_signed"]:
        certificate = key = f"{directory}/{SELF_SIGNED}"
    sasl = values["postfix_submission_sasl"]
    options = {
        "smtpd_tls_cert_file": certificate,
        "smtpd_tls_key_file": key,
        "tls_server_sni_maps": _names(values["postfix_submission_sni"]),
        "smtpd_sasl_type": sasl,
        # Of Cyrus, the name of its file smtpd.conf.
        "smtpd_sasl_path": "smtpd" if sasl == "cyrus" else values["postfix_submission_auth_socket"],
    }
    if values["postfix_submission_senders"]:
        options["smtpd_sender_login_maps"] = f"texthash:{directory}/{SENDERS}"
        options["smtpd_sender_restrictions"] = "reject_authenticated_sender_login_mismatch"
    if values["postfix_submission_rate"]:
        options["smtpd_client_message_rate_limit"] = str(values["postfix_submission_rate"])
        options["smtpd_client_event_limit_exceptions"] = ""
    if values["postfix_submission_policy_services"]:
        asked = [f"check_policy_service {one}" for one in values["postfix_submission_policy_services"]]
        stage = values["postfix_submission_policy_stage"]
        name = f"smtpd_{stage}_restrictions"
        # Before what permits users, and after what refuses anybody.
        words = [*asked, _OPTIONS[name]] if stage == "recipient" else [_OPTIONS[name], *asked]
        options[name] = ",".join(filter(None, words))
    if values["postfix_submission_message_size"]:
        options["message_size_limit"] = str(values["postfix_submission_message_size"])
        options["cleanup_service_name"] = CLEANUP
    return options


def _names(sni: Mapping[str, Mapping[str, Any]]) -> str:
    """A table of names and the files of their key and certificates, in this order, as tls_server_sni_maps wants it.

    It is part of the value, so that each smtpd(8) reads the files themselves when it starts, and renewed ones are
    served without a table that is built again.
    """
    rows = [
        f"{{{name.lower()} = {' '.join(dict.fromkeys([one.get('key_file') or one['cert_file'], one['cert_file']]))}}}"
        for name, one in sni.items()
    ]
    return f"inline:{{ {', '.join(rows)} }}" if rows else ""


def addresses(value: Any) -> list[str]:
    """The addresses that one login may send as, in whichever form they are written."""
    return re.split(r"[\s,]+", value.strip()) if isinstance(value, str) else [str(one) for one in value]


def _rows(senders: Mapping[str, Any]) -> str:
    logins: dict[str, list[str]] = {}
    for login, value in senders.items():
        for address in addresses(value):
            logins.setdefault(address.lower(), []).append(login)
    text = "# Written by Ansible. Senders, and the logins that may use them.\n"
    return text + "".join(f"{address} {', '.join(of)}\n" for address, of in logins.items())
