"""A mail program, and a stranger: runs on the outside, gets dialogues as JSON, and tells how each ended.

The rule of this file: the standard library alone, Python 3.9.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import smtplib
import socket
import ssl
import sys

ROOT = "/root/world.pem"


def context(old=False):
    made = ssl.create_default_context(cafile=ROOT)
    if old:
        made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_1
    return made


def connected(host, port, name, tls=True, old=False):
    """An SMTP session with this server, which is known by this name and proves it."""
    implicit = port in (465, 2465, 8465)
    client = smtplib.SMTP(timeout=30)
    plain = socket.create_connection((host, port), 30)
    client.sock = context(old).wrap_socket(plain, server_hostname=name) if implicit else plain
    client._host = name
    client.file = None
    code, greeting = client.getreply()
    assert code == 220, greeting
    client.ehlo("[192.0.2.1]")
    if tls and not implicit:
        client.starttls(context=context(old))
        client.ehlo("[192.0.2.1]")
    return client


def submit(host, port, name, login=None, sender="", to="", text="", tls=True, old=False):
    """Submit a message; what the server said last."""
    client = connected(host, port, name, tls, old)
    try:
        if login:
            client.login(*login)
        client.sendmail(sender, [to], text)
        return "taken"
    finally:
        client.close()


def features(host, port, name, tls=True):
    client = connected(host, port, name, tls)
    try:
        return sorted(client.esmtp_features)
    finally:
        client.close()


def commands(host, port, name, lines=(), tls=True):
    """What the server says to each line."""
    client = connected(host, port, name, tls)
    try:
        return [client.docmd(line)[0] for line in lines]
    finally:
        client.close()


def serials(host, port, name, at_once=1):
    """The serial numbers of the certificates that so many clients see who are there at the same time."""
    clients = [connected(host, port, name) for _ in range(at_once)]
    found = [client.sock.getpeercert()["serialNumber"] for client in clients]
    for client in clients:
        client.close()
    return found


def smuggle(host, port, name, login, sender, to, token, ending):
    """One message, in which an end that is none is followed by what would be a second one."""
    client = connected(host, port, name)
    try:
        client.login(*login)
        for line in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{to}>", "DATA"):
            client.docmd(line)
        inner = f"MAIL FROM:<{sender}>\r\nRCPT TO:<{to}>\r\nDATA\r\nMessage-ID: <{token}-smuggled@routes.test>\r\n\r\nx"
        outer = f"Message-ID: <{token}-outer@routes.test>\r\n\r\nx"
        client.sock.sendall(f"{outer}{ending}{inner}\r\n.\r\nQUIT\r\n".encode())
        said = b""
        while True:
            more = client.sock.recv(4096)
            if not more:
                return said.decode()
            said += more
    except OSError as error:
        return type(error).__name__
    finally:
        client.close()


def main():
    results = []
    for what, arguments in json.load(sys.stdin):
        try:
            results.append(globals()[what](**arguments))
        except smtplib.SMTPRecipientsRefused as error:
            results.append(f"{next(iter(error.recipients.values()))[0]} at RCPT")
        except smtplib.SMTPResponseException as error:
            results.append(f"{error.smtp_code} {type(error).__name__}")
        except (OSError, smtplib.SMTPException) as error:
            results.append(f"{type(error).__name__}: {error}")
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
