"""What postconf(5) allows as values, where it is a closed set: data for the checks.

The rule of this file: only what the manual or Postfix's sources list; a doubt leaves the parameter out.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

# What Postfix's tools say that is advice, and does not stop mail.
ADVICE = re.compile(
    r"deprecated|will be removed|not owned by|group or other writable|differ$|backwards-compatible|"
    r"#comment after other text|"
    r"compatibility level|COMPATIBILITY_README|support for|is obsolete|not set-gid|To disable|Berkeley DB"
)
# What is found here in more detail, points to a document, or comes from the links that packages make.
COVERED_BY_CHECKS = re.compile(
    r"overriding earlier entry|duplicate entry|is older than source|unused parameter|symlink leaves directory|"
    r"See (https?:|/)|macro processing error"
)

CLIENT_LEVELS = ("none", "may", "encrypt", "dane", "dane-only", "fingerprint", "verify", "secure")
POLICY_ATTRIBUTES = (
    "ciphers", "exclude", "match", "protocols", "tafile", "connection_reuse", "enable_rpk", "servername", "ttl",
    "policy_ttl", "policy_type", "policy_domain", "policy_failure", "mx_host_pattern", "policy_string",
)  # fmt: skip
SERVER_LEVELS = ("none", "may", "encrypt")
STARTTLS_PORTS = (25, 587, 2525, 2587)
CIPHER_GRADES = ("export", "low", "medium", "high", "null")

# Their default looks like yes/no or a number, but they take more than that.
UNTYPED_PARAMETERS = frozenset({
    "compatibility_level", "lmtp_tcp_port", "smtp_tcp_port", "mail_release_date", "mail_version",
    "smtpd_forbid_bare_newline", "process_id", "postscreen_dnsbl_sites", "default_rbl_reply",
    "hash_queue_names", "milter_protocol", "rbl_reply_maps",
})  # fmt: skip

# Times that may be zero; all others begin at one second (the time tables of Postfix's daemons).
TIMES_FROM_ZERO = frozenset({
    "address_verify_cache_cleanup_interval", "address_verify_sender_ttl", "bounce_queue_lifetime",
    "default_destination_rate_delay", "default_transport_rate_delay", "delay_warning_time",
    "dnsblog_reply_delay", "in_flow_delay", "lmtp_connect_timeout", "lmtp_pix_workaround_threshold_time",
    "lmtp_sasl_auth_cache_time", "lmtp_tls_session_cache_timeout", "maximal_queue_lifetime",
    "postscreen_cache_cleanup_interval", "qmgr_clog_warn_time", "qmqpd_error_delay", "smtp_connect_timeout",
    "smtp_pix_workaround_threshold_time", "smtp_sasl_auth_cache_time", "smtp_tls_session_cache_timeout",
    "smtpd_error_sleep_time", "smtpd_tls_session_cache_timeout",
})  # fmt: skip
TIME_SUFFIXES_FROM_ZERO = ("_destination_rate_delay", "_transport_rate_delay")
# Numbers that begin at one; all others begin at zero (the number tables of Postfix's daemons).
NUMBERS_FROM_ONE = frozenset({
    "address_verify_pending_request_limit", "address_verify_poll_count", "berkeley_db_create_buffer_size",
    "berkeley_db_read_buffer_size", "bounce_size_limit", "debug_peer_level", "default_process_limit",
    "default_recipient_refill_limit", "deliver_lock_attempts", "fork_attempts", "hash_queue_depth",
    "header_address_token_limit", "header_size_limit", "initial_destination_concurrency", "lmdb_map_size",
    "max_use", "mime_boundary_length_limit", "mime_nesting_limit", "postscreen_command_count_limit",
    "postscreen_dnsbl_threshold", "qmgr_message_active_limit", "qmgr_message_recipient_limit",
    "qmgr_message_recipient_minimum", "queue_file_attribute_count_limit", "smtpd_hard_error_limit",
    "smtpd_history_flush_threshold", "smtpd_junk_command_limit", "smtpd_policy_service_try_limit",
    "smtpd_recipient_limit", "smtpd_recipient_overshoot_limit", "smtpd_soft_error_limit",
    "tls_daemon_random_bytes", "tls_random_bytes", "virtual_alias_expansion_limit", "virtual_minimum_uid",
})  # fmt: skip
# Numbers below zero mean something.
NEGATIVE_NUMBERS = frozenset({"postscreen_dnsbl_allowlist_threshold", "postscreen_dnsbl_whitelist_threshold"})
# Numbers that Postfix keeps in a long; all others end at 2147483647.
LONG_NUMBERS = frozenset({
    "lmdb_map_size", "mailbox_size_limit", "message_size_limit", "queue_minfree", "virtual_mailbox_limit",
})  # fmt: skip
# Parameters whose text may well begin and end with a quotation mark.
FREE_TEXT = re.compile(
    r"(_command|_banner|_footer|_reply|_macros|_environment|_macro_daemon_name|_macro_v|_reason|_template\w*)\Z"
    r"|^(mail_name|debugger_command|syslog_name|shell)\Z"
)
# Characters that look like others and come from web pages: character -> what it is.
TYPOGRAPHY = {
    "\u00a0": "a no-break space", "\u202f": "a no-break space", "\u3000": "a wide space",
    "\u200b": "an invisible space", "\u200c": "an invisible joiner", "\u200d": "an invisible joiner",
    "\ufeff": "a byte order mark", "\u2013": "an en dash", "\u2014": "an em dash", "\u2212": "a minus sign",
    "\u2010": "a typographic hyphen", "\u2011": "a typographic hyphen",
    "\u201c": "a typographic quotation mark", "\u201d": "a typographic quotation mark",
    "\u201e": "a typographic quotation mark", "\u2018": "a typographic quotation mark",
    "\u2019": "a typographic quotation mark",
}  # fmt: skip

# name suffix -> type, for parameters that exist for every transport
SUFFIX_TYPES = (
    ("_destination_concurrency_limit", "number"),
    ("_destination_recipient_limit", "number"),
    ("_initial_destination_concurrency", "number"),
    ("_destination_concurrency_failed_cohort_limit", "number"),
    ("_destination_rate_delay", "time"),
    ("_transport_rate_delay", "time"),
    ("_time_limit", "time"),
)

_client = (("", *CLIENT_LEVELS), "TLS level of the client")
_server = (("", *SERVER_LEVELS), "TLS level of the server")
_ciphers = (CIPHER_GRADES, "cipher grade")

# parameter -> (allowed values, what they are)
ENUMERATIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "smtp_tls_security_level": _client,
    "lmtp_tls_security_level": _client,
    "tlsproxy_client_security_level": _client,
    "smtpd_tls_security_level": _server,
    "postscreen_tls_security_level": _server,
    "tlsproxy_tls_security_level": _server,
    **{
        f"{side}_tls_{name}": _ciphers
        for side in ("smtp", "lmtp", "smtpd", "tlsproxy", "tlsproxy_client")
        for name in ("ciphers", "mandatory_ciphers")
    },
    "smtp_address_preference": (("any", "ipv4", "ipv6"), "address family"),
    "lmtp_address_preference": (("any", "ipv4", "ipv6"), "address family"),
    "smtp_dns_support_level": (("", "disabled", "enabled", "dnssec"), "level of DNS support"),
    "mynetworks_style": (("class", "subnet", "host"), "style"),
    "smtpd_tls_eecdh_grade": (("auto", "none", "strong", "ultra"), "grade"),
    "smtp_sasl_type": (("cyrus", "dovecot"), "SASL implementation"),
    "smtpd_sasl_type": (("cyrus", "dovecot"), "SASL implementation"),
    "milter_default_action": (("accept", "reject", "tempfail", "quarantine", "shutdown"), "action"),
    "smtpd_forbid_bare_newline": (
        ("yes", "no", "normalize", "note", "reject"),
        "way to treat a bare newline",
    ),
    "smtp_tls_dane_insecure_mx_policy": (("none", "may", "encrypt", "dane"), "TLS level for such hosts"),
    "lmtp_tls_dane_insecure_mx_policy": (("none", "may", "encrypt", "dane"), "TLS level for such hosts"),
    "sendmail_fix_line_endings": (("always", "strict", "never"), "way to treat line endings"),
    "smtpd_upstream_proxy_protocol": (("", "haproxy"), "proxy protocol"),
    "postscreen_upstream_proxy_protocol": (("", "haproxy"), "proxy protocol"),
    "postscreen_greet_action": (("ignore", "enforce", "drop"), "action"),
    "postscreen_dnsbl_action": (("ignore", "enforce", "drop"), "action"),
    "postscreen_denylist_action": (("ignore", "enforce", "drop"), "action"),
    "postscreen_blacklist_action": (("ignore", "enforce", "drop"), "action"),
}

_sasl_options = (
    ("noplaintext", "noactive", "nodictionary", "noanonymous", "mutual_auth", "forward_secrecy"),
    "SASL security option",
)

_canonical_classes = (
    ("envelope_sender", "envelope_recipient", "header_sender", "header_recipient"),
    "class of addresses",
)

# parameter -> (allowed words, what each is)
WORD_LISTS: dict[str, tuple[tuple[str, ...], str]] = {
    "inet_protocols": (("all", "ipv4", "ipv6"), "protocol"),
    "smtp_host_lookup": (("dns", "native"), "way to look up hosts"),
    "lmtp_host_lookup": (("dns", "native"), "way to look up hosts"),
    "smtp_sasl_security_options": _sasl_options,
    "smtp_sasl_tls_security_options": _sasl_options,
    "smtp_sasl_tls_verified_security_options": _sasl_options,
    "smtpd_sasl_security_options": _sasl_options,
    "smtpd_sasl_tls_security_options": _sasl_options,
    "notify_classes": (
        ("bounce", "2bounce", "data", "delay", "policy", "protocol", "resource", "software"),
        "class of notices",
    ),
    "canonical_classes": _canonical_classes,
    "sender_canonical_classes": _canonical_classes,
    "recipient_canonical_classes": _canonical_classes,
    "masquerade_classes": _canonical_classes,
    "receive_override_options": (
        ("no_unknown_recipient_checks", "no_address_mappings", "no_header_body_checks", "no_milters"),
        "override",
    ),
    "propagate_unmatched_extensions": (
        ("canonical", "virtual", "alias", "forward", "include", "generic"),
        "place of extensions",
    ),
    "milter_protocol": (("2", "3", "4", "6", "no_header_reply"), "version of the Milter protocol"),
    "internal_mail_filter_classes": (("bounce", "notify"), "class of internal mail"),
}

TLS_PROTOCOLS = {name.lower(): name for name in ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")}

# SASL mechanism -> plugin of Cyrus SASL that has it
MECHANISM_PLUGINS = {
    "PLAIN": "plain",
    "LOGIN": "login",
    "CRAM-MD5": "crammd5",
    "DIGEST-MD5": "digestmd5",
    "NTLM": "ntlm",
    "GSSAPI": "gssapiv2",
    "SCRAM-SHA-1": "scram",
    "SCRAM-SHA-256": "scram",
    "XOAUTH2": "xoauth2",
}
MECHANISM_SPELLINGS = {name.replace("-", ""): name for name in MECHANISM_PLUGINS}

# What a daemon demands of its entry in master.cf: root's privilege, or to be alone.
PRIVILEGED_DAEMONS = ("local", "virtual", "pipe", "spawn")
SOLITARY_DAEMONS = (
    "anvil", "oqmgr", "pickup", "postlogd", "postscreen", "qmgr", "scache", "tlsmgr", "verify",
)  # fmt: skip
# Those that end at once when their entry has an argument that is no option.
DAEMONS_WITHOUT_ARGUMENTS = (
    *SOLITARY_DAEMONS, "bounce", "cleanup", "discard", "dnsblog", "error", "flush", "lmtp", "local", "proxymap",
    "qmqpd", "showq", "smtp", "smtpd", "tlsproxy", "trivial-rewrite", "virtual",
)  # fmt: skip
# The services without which no mail goes through, and the parameters that name them.
ESSENTIAL_SERVICES = {
    "cleanup_service_name": "cleanup",
    "rewrite_service_name": "rewrite",
    "bounce_service_name": "bounce",
    "defer_service_name": "defer",
    "queue_service_name": "qmgr",
    "pickup_service_name": "pickup",
    "error_service_name": "error",
}
PIPE_ATTRIBUTES = ("argv", "chroot", "directory", "eol", "flags", "null_sender", "size", "user")
PIPE_FLAGS = "BDFORXhqu.>"

# access(5) and header_checks(5): what the right side of a row may begin with
ACCESS_ACTIONS = (
    "OK", "DUNNO", "REJECT", "DEFER", "DEFER_IF_REJECT", "DEFER_IF_PERMIT", "BCC", "DELAY", "DISCARD", "FILTER",
    "HOLD", "INFO", "PREPEND", "REDIRECT", "WARN",
)  # fmt: skip
CHECK_ACTIONS = (
    "REJECT", "WARN", "INFO", "FILTER", "PASS", "DISCARD", "HOLD", "DELAY", "PREPEND", "REPLACE", "REDIRECT",
    "BCC", "STRIP", "IGNORE", "DUNNO", "OK",
)  # fmt: skip
REMOVED_RESTRICTIONS = {
    "permit_naked_ip_address": "permit_mynetworks",
    "check_relay_domains": "reject_unauth_destination",
    "reject_maps_rbl": "reject_rbl_client with its domain",
}

# restriction -> the argument it takes, as in the manual
RESTRICTION_ARGUMENTS: dict[str, str] = {
    **{
        f"check_{what}_access": "type:table"
        for what in (
            "client", "reverse_client_hostname", "ccert", "sasl", "helo", "sender", "recipient", "etrn",
            "client_mx", "reverse_client_hostname_mx", "helo_mx", "sender_mx", "recipient_mx",
            "client_ns", "reverse_client_hostname_ns", "helo_ns", "sender_ns", "recipient_ns",
            "client_a", "reverse_client_hostname_a", "helo_a", "sender_a", "recipient_a",
        )
    },
    **dict.fromkeys(
        (
            "reject_rbl", "reject_rbl_client", "reject_rhsbl_client", "reject_rhsbl_reverse_client",
            "reject_rhsbl_helo", "reject_rhsbl_sender", "reject_rhsbl_recipient", "permit_dnswl_client",
            "permit_rhswl_client",
        ),
        "domain",
    ),
    "check_policy_service": "inet:host:port or unix:path",
    "check_address_map": "type:table",
    "sleep": "seconds",
}  # fmt: skip

RESTRICTIONS = frozenset({
    "permit", "reject", "defer", "defer_if_permit", "defer_if_reject", "warn_if_reject",
    "permit_inet_interfaces", "permit_mynetworks", "permit_naked_ip_address", "permit_auth_destination",
    "permit_mx_backup", "permit_sasl_authenticated", "permit_tls_clientcerts", "permit_tls_all_clientcerts",
    "reject_plaintext_session", "reject_unknown_client", "reject_unknown_client_hostname",
    "reject_unknown_reverse_client_hostname", "reject_unknown_forward_client_hostname",
    "reject_invalid_helo_hostname", "reject_invalid_hostname", "reject_unknown_helo_hostname",
    "reject_unknown_hostname", "reject_non_fqdn_helo_hostname", "reject_non_fqdn_hostname",
    "reject_non_fqdn_sender", "reject_non_fqdn_recipient", "reject_unknown_sender_domain",
    "reject_unknown_recipient_domain", "reject_unknown_address", "reject_unlisted_sender",
    "reject_unlisted_recipient", "check_recipient_maps", "reject_unverified_recipient",
    "reject_unverified_sender", "reject_multi_recipient_bounce", "reject_unauth_destination",
    "defer_unauth_destination", "check_relay_domains", "reject_unauth_pipelining", "reject_maps_rbl",
    "reject_sender_login_mismatch", "reject_authenticated_sender_login_mismatch",
    "reject_known_sender_login_mismatch", "reject_unauthenticated_sender_login_mismatch",
    *RESTRICTION_ARGUMENTS,
})  # fmt: skip
