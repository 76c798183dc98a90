"""Certificates, keys and authorities. Data only."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from case import (
    EXPIRED,
    PASSWORD,
    RELAY,
    SNAKEOIL,
    Case,
    inet,
    text,
)

NAMED = (
    "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=named -keyout /root/named.key -out /root/named.pem"
    " -addext subjectAltName=DNS:mail.named.test,DNS:*.wild.named.test"
)

BROKEN: list[Case] = [
    Case(
        "ca_file_missing",
        "ca-file",
        "/etc/ssl/certs/none.pem does not exist",
        {"smtp_tls_CAfile": "/etc/ssl/certs/none.pem"},
    ),
    Case("ca_file_is_no_pem", "ca-file", "no certificate can be read", {"smtp_tls_CAfile": "/etc/passwd"}),
    Case(
        "cert_missing",
        "certificate-file",
        "/etc/ssl/none.pem does not exist",
        {"smtpd_tls_cert_file": "/etc/ssl/none.pem"},
    ),
    Case(
        "key_missing",
        "certificate-file",
        "/etc/ssl/none.key does not exist",
        {**SNAKEOIL, "smtpd_tls_key_file": "/etc/ssl/none.key"},
    ),
    Case(
        "key_of_another_cert",
        "certificate-file",
        "not the key of this certificate",
        {**SNAKEOIL, "smtpd_tls_key_file": "/root/other.key"},
        setup="openssl genrsa -out /root/other.key 2048",
    ),
    Case(
        "cert_is_no_pem",
        "certificate-file",
        "no certificate and key can be read",
        {**SNAKEOIL, "smtpd_tls_cert_file": "/etc/hostname"},
    ),
    Case(
        "cert_expired",
        "certificate-validity",
        "certificate expired on 20",
        {"smtpd_tls_cert_file": "/root/old.pem", "smtpd_tls_key_file": "/root/old.key"},
        setup=EXPIRED,
    ),
    Case(
        "name_of_another_certificate",
        "certificate-name",
        "is for .*, and not for mail.elsewhere.test",
        services=[
            inet(
                "587",
                tls_server_sni_maps="inline:{ {mail.elsewhere.test = /root/named.key /root/named.pem} }",
            )
        ],
        setup=NAMED,
        since=(3, 4),
    ),
    Case(
        "name_without_its_file",
        "certificate-file",
        "/root/none.pem does not exist",
        {"tls_server_sni_maps": "texthash:/etc/postfix/names"},
        files=[text("names", "mail.named.test /root/named.key, /root/none.pem\n")],
        setup=NAMED,
        since=(3, 4),
    ),
    Case(
        "tls_without_a_certificate_to_the_outside",
        "server-without-certificate",
        "no certificate",
        services=[
            inet(
                "2526", smtpd_tls_security_level="encrypt", smtpd_tls_cert_file="none", smtpd_tls_key_file=""
            )
        ],
    ),
    Case(
        "encrypt_without_cert",
        "server-without-certificate",
        "requires TLS but has no certificate",
        {"smtpd_tls_cert_file": None, "smtpd_tls_key_file": None, "smtpd_tls_security_level": "encrypt"},
    ),
    Case(
        "key_with_passphrase",
        "certificate-file",
        "passphrase",
        {**SNAKEOIL, "smtpd_tls_key_file": "/root/locked.key"},
        setup="openssl genrsa -aes128 -passout pass:x -out /root/locked.key 2048",
    ),
    Case(
        "chain_file_without_key",
        "certificate-file",
        "key",
        {"smtpd_tls_chain_files": "/etc/ssl/certs/ssl-cert-snakeoil.pem"},
        since=(3, 4),
    ),
    Case(
        "chain_of_another_key",
        "certificate-file",
        "not the key",
        {"smtpd_tls_chain_files": "/root/other.key, /etc/ssl/certs/ssl-cert-snakeoil.pem"},
        setup="openssl genrsa -out /root/other.key 2048",
        since=(3, 4),
    ),
    Case(
        "client_cert_missing",
        "certificate-file",
        "/etc/ssl/none.pem",
        {"smtp_tls_cert_file": "/etc/ssl/none.pem"},
    ),
    Case(
        "ca_path_is_a_file", "ca-file", "directory", {"smtp_tls_CApath": "/etc/ssl/certs/ca-certificates.crt"}
    ),
    Case(
        "option_of_key_of_another_cert",
        "certificate-file",
        "not the key",
        SNAKEOIL,
        [inet("587", smtpd_tls_key_file="/root/other.key")],
        setup="openssl genrsa -out /root/other.key 2048",
    ),
]

VALID: list[Case] = [
    Case(
        "names_of_their_certificates",
        "certificate-name",
        "",
        {"tls_server_sni_maps": "inline:{ {mail.named.test = /root/named.key /root/named.pem} }"},
        [
            inet(
                "587", tls_server_sni_maps="inline:{ {a.wild.named.test = /root/named.key, /root/named.pem} }"
            )
        ],
        setup=NAMED,
        since=(3, 4),
    ),
    Case(
        "relay_encrypt_without_ca",
        "password-in-the-clear",
        "",
        {**RELAY, "smtp_tls_security_level": "encrypt", "smtp_tls_CAfile": None},
        files=[PASSWORD],
    ),
    Case(
        "chained_parameters",
        "network-syntax",
        "",
        {"relay_net": "192.0.2.0/24", "mynetworks": "127.0.0.0/8 $relay_net"},
    ),
    Case(
        "chain_files",
        "key-readable-by-all",
        "every user of the host can read the private key",
        {"smtpd_tls_chain_files": "/root/chain.pem"},
        setup="cat /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem > /root/chain.pem",
        since=(3, 4),
    ),
    Case(
        "chain_files_in_two_parts",
        "certificate-file",
        "",
        {
            "smtpd_tls_chain_files": "/etc/ssl/private/ssl-cert-snakeoil.key, /etc/ssl/certs/ssl-cert-snakeoil.pem"
        },
        since=(3, 4),
    ),
    Case(
        "key_in_the_cert_file",
        "key-readable-by-all",
        "every user of the host can read the private key",
        {"smtpd_tls_cert_file": "/root/chain.pem", "smtpd_tls_key_file": "$smtpd_tls_cert_file"},
        setup="cat /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem > /root/chain.pem",
    ),
    Case(
        "ec_and_rsa",
        "certificate-validity",
        "",
        {**SNAKEOIL, "smtpd_tls_eccert_file": "/root/ec.pem", "smtpd_tls_eckey_file": "/root/ec.key"},
        setup="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /root/ec.key -out /root/ec.pem -subj /CN=ec -days 9",
    ),
    Case(
        "tls_without_a_certificate_on_loopback",
        "server-without-certificate",
        "",
        services=[
            inet(
                "127.0.0.1:10587",
                smtpd_tls_wrappermode=True,
                smtpd_tls_security_level="encrypt",
                smtpd_tls_cert_file="none",
                smtpd_tls_key_file="",
            )
        ],
    ),
    Case(
        "no_certificate_but_anonymous",
        "server-without-certificate",
        "",
        {"smtpd_tls_cert_file": "none", "smtpd_tls_key_file": None, "smtpd_tls_security_level": "may"},
    ),
]
