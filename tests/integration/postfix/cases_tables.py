"""Lookup tables: their types, files and keys. Data only."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from case import (
    PASSWORD,
    Case,
    inet,
    text,
)

BROKEN: list[Case] = [
    Case(
        "virtual_transport_missing",
        "unknown-transport",
        "no service 'dovecot'",
        {"virtual_transport": "dovecot"},
    ),
    Case(
        "map_missing",
        "table-missing",
        "does not exist; create it",
        {"virtual_alias_maps": "texthash:/etc/postfix/virtual"},
    ),
    Case(
        "map_misspelt",
        "table-missing",
        "write texthash:/etc/postfix/virtual",
        {"virtual_alias_maps": "texthash:/etc/postfix/virtaul"},
        files=[text("virtual", "a@example.com b\n")],
    ),
    Case(
        "table_of_a_server_in_the_same_change_without_equals",
        "postfix-says",
        "^cached.cf line 2: .*missing '=' after attribute name",
        {"virtual_alias_maps": "memcache:/etc/postfix/cached.cf"},
        files=[text("cached.cf", "memcache = inet:localhost:11211\nnonsense\n")],
    ),
    Case(
        "map_without_type",
        "table-type",
        "has no table type; write hash:|write cdb:|write lmdb:|has no table type",
        {"virtual_alias_maps": "/etc/postfix/virtual"},
        files=[text("virtual", "a@example.com b\n")],
    ),
    Case(
        "map_type_unknown",
        "table-type",
        "no table type 'hsah'; write hash:",
        {"virtual_alias_maps": "hsah:/etc/postfix/virtual"},
        files=[text("virtual", "a@example.com b\n")],
    ),
    Case(
        "map_type_not_installed",
        "table-type",
        "no table type 'pgsql'; install the package postfix-pgsql",
        {"virtual_alias_maps": "pgsql:/etc/postfix/virtual.cf"},
    ),
    Case(
        "texthash_duplicate_key",
        "duplicate-key",
        "virtual line 2: .*duplicate key",
        {"virtual_alias_maps": "texthash:/etc/postfix/virtual"},
        files=[text("virtual", "a@example.com b\nA@example.com c\n")],
    ),
    Case(
        "map_is_directory", "table-missing", "directory", {"virtual_alias_maps": "texthash:/etc/postfix/sasl"}
    ),
    Case(
        "map_with_relative_path",
        "table-type",
        "write texthash:/etc/postfix/virtual",
        {"virtual_alias_maps": "texthash:virtual"},
        files=[text("virtual", "a@example.com b\n")],
    ),
    Case(
        "inline_table_bad",
        "table-unreadable",
        "virtual_alias_maps",
        {"virtual_alias_maps": "inline:{ a@example.com }"},
    ),
    Case(
        "table_not_allowed_through_proxy",
        "proxymap-not-allowed",
        "proxy_read_maps",
        {
            "smtpd_restriction_classes": "vip",
            "vip": "check_client_access proxy:texthash:/etc/postfix/vip, permit",
        },
        files=[text("vip", "192.0.2.1 OK\n")],
    ),
    Case(
        "union_member_missing",
        "table-missing",
        "does not exist",
        {"virtual_alias_maps": "unionmap:{texthash:/etc/postfix/none}"},
    ),
    Case(
        "option_of_the_wrong_type_of_table",
        "access-table",
        "no table type",
        services=[inet("587", smtpd_client_restrictions="check_client_access,hsah:/etc/postfix/x,permit")],
    ),
]

VALID: list[Case] = [
    Case(
        "passwords_that_all_may_read",
        "passwords-readable-by-all",
        "every user of the host can read the passwords in /root/mailops/passwd; chmod o-r",
        {"relayhost": "[relay.example.com]:587", "smtp_sasl_password_maps": "texthash:/root/mailops/passwd"},
        setup="mkdir -m 755 /root/mailops; echo '[relay.example.com]:587 joe:secret7' > /root/mailops/passwd; "
        "chmod 644 /root/mailops/passwd # undo: rm -r /root/mailops",
    ),
    Case(
        "passwords_of_root_alone",
        "passwords-readable-by-all",
        "",
        {
            "relayhost": "[relay.example.com]:587",
            "smtp_sasl_password_maps": "texthash:/etc/postfix/sasl_passwd",
        },
        files=[{**PASSWORD, "content": "[relay.example.com]:587 joe:secret7\n"}],
    ),
    Case(
        "address_of_a_cache_that_all_may_read",
        "passwords-readable-by-all",
        "",
        {"virtual_alias_maps": "memcache:/root/cached.cf"},
        setup="echo 'memcache = inet:localhost:11211' > /root/cached.cf; chmod 644 /root/cached.cf # undo: rm /root/cached.cf",
    ),
    Case(
        "proxy_read_maps_of_whole_lists",
        "proxymap-not-allowed",
        "",
        {"proxy_read_maps": "$local_recipient_maps $mydestination $mynetworks $smtpd_recipient_restrictions"},
    ),
    Case(
        "virtual_aliases_compiled",
        "table-missing",
        "",
        {"virtual_alias_maps": "hash:/etc/postfix/virtual", "virtual_alias_domains": "example.com"},
        files=[text("virtual", "postmaster@example.com root\n@example.com joe\n")],
        before=(3, 11),
    ),
    Case(
        "virtual_aliases_lmdb",
        "table-type",
        "",
        {"virtual_alias_maps": "lmdb:$config_directory/virtual"},
        files=[text("virtual", "postmaster@example.com root\n")],
    ),
    Case(
        "inline_and_static_tables",
        "every-domain-is-listed",
        "",
        {
            "smtpd_sender_login_maps": "inline:{ {joe@example.com = joe} }",
            "local_recipient_maps": "static:all",
        },
    ),
    Case(
        "proxied_and_combined_tables",
        "table-type",
        "",
        {
            "virtual_alias_maps": "proxy:unionmap:{texthash:/etc/postfix/a, texthash:/etc/postfix/b}",
            "local_recipient_maps": "proxy:unix:passwd.byname $alias_maps",
        },
        files=[text("a", "x@example.com y\n"), text("b", "z@example.com y\n")],
    ),
    Case(
        "table_of_a_server_in_the_same_change",
        "postfix-says",
        "",
        {"virtual_alias_maps": "proxy:memcache:/etc/postfix/cached.cf"},
        files=[text("cached.cf", "memcache = inet:localhost:11211\nkey_format = virtual:%s\n")],
    ),
    Case(
        "table_of_a_server_for_one_service",
        "postfix-says",
        "",
        services=[inet("smtp", virtual_alias_maps="memcache:/etc/postfix/cached.cf")],
        files=[text("cached.cf", "memcache = inet:localhost:11211\n")],
    ),
    Case(
        "aliases_compiled",
        "table-row",
        "",
        {"alias_maps": "lmdb:/etc/postfix/aliases", "alias_database": "lmdb:/etc/postfix/aliases"},
        files=[
            text(
                "aliases",
                '# x\nroot: joe@example.com, jim\nlist: :include:/etc/list\ncmd: "|/bin/cat > /dev/null"\n"a b": joe\n',
            )
        ],
    ),
    Case(
        "combined_tables_of_every_kind",
        "table-type",
        "",
        {
            "virtual_alias_maps": "pipemap:{texthash:/etc/postfix/a, inline:{ {b = c} }}, randmap:{x@example.com, y@example.com}, static:{joe@example.com}"
        },
        files=[text("a", "x@example.com b\n")],
    ),
    Case(
        "proxied_virtual_alias",
        "proxymap-not-allowed",
        "",
        {"virtual_alias_maps": "proxy:texthash:/etc/postfix/v"},
        files=[text("v", "a@example.com b\n")],
    ),
]
