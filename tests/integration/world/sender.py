"""Sends letters by SMTP, a program of its own.

Takes [{"server", "port", "from", "to", "token", "login", "tls"}...] on standard input and says of each what the server
said: "accepted", or the refusal with the command that met it.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

import json
import smtplib
import ssl
import sys

MESSAGE = "From: <%(from)s>\r\nTo: <%(to)s>\r\nSubject: %(token)s\r\nMessage-ID: <%(token)s@courier.test>\r\n\r\n%(token)s\r\n"


def send(letter):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    where = (letter["server"], letter["port"])
    implicit = letter.get("tls") == "implicit"
    client = smtplib.SMTP_SSL if implicit else smtplib.SMTP
    words = {"context": context} if implicit else {}
    with client(*where, local_hostname="outside.relay.test", timeout=20, **words) as server:
        if letter.get("tls") == "starttls":
            server.starttls(context=context)
        server.ehlo()
        if letter.get("login"):
            server.login(*letter["login"])
        for command, say, words in (
            ("MAIL", server.mail, letter["from"]),
            ("RCPT", server.rcpt, letter["to"]),
            ("DATA", server.data, MESSAGE % letter),
        ):
            code, said = say(words)
            if code != 250:
                return "%d at %s: %s" % (code, command, said.decode("utf-8", "replace"))
    return "accepted"


def main():
    answers = {}
    for letter in json.load(sys.stdin):
        try:
            answers[letter["token"]] = send(letter)
        except smtplib.SMTPAuthenticationError as error:
            answers[letter["token"]] = "%d at AUTH" % error.smtp_code
        except (OSError, smtplib.SMTPException) as error:
            answers[letter["token"]] = "%s: %s" % (type(error).__name__, error)
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
