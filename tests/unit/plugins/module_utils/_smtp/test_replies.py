"""Refusals as servers word them: each has its verdict, its cause, and an advice that names what can be set.

The replies are those that servers of this kind send (host names and numbers replaced), from their manuals, from bug
reports and from their sources.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

# ruff: noqa: E501 - a reply a line

from __future__ import annotations

import re
from typing import NamedTuple

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.replies import (
    ROWS,
    STRANGERS,
    Situation,
    interpret,
    row_of,
    status_of,
    stranger,
    unknown_mechanism,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.reply import ReplyReader
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import VERDICTS


class Real(NamedTuple):
    server: str
    stage: str
    reply: str
    verdict: str
    cause: str = ""
    advice: str = ""
    login: bool = False
    encrypted: bool = True


G, E, S, A, M, R = "greeting", "ehlo", "starttls", "auth", "sender", "recipient"
LOGIN = True

REAL = (
    # Greeting
    Real("postfix", G, "421 4.7.0 mx.example.net Error: too many connections from 192.0.2.1", "greeting_deferred", "limit", "concurrency"),
    Real("postfix", G, "421 mx.example.net Service unavailable - try again later", "greeting_deferred"),
    Real("exim", G, "421 Too many concurrent SMTP connections; please try again later.", "greeting_deferred", "limit", "concurrency"),
    Real("exim", G, "554-mail.example.net\n554 Your access to this mail system has been rejected due to the sending MTA's poor reputation.", "greeting_rejected", "reputation", "block list"),
    Real("ironport", G, "554 Your access to this mail system has been rejected due to poor reputation of a domain used in message transfer", "greeting_rejected", "reputation"),
    Real("postfix", G, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.1", "greeting_rejected", "block list", "off it"),
    Real("postfix", G, "521 5.3.2 mx.example.net Service not accepting mail", "greeting_rejected", "does not accept mail", "another host"),
    Real("rfc7504", G, "521 example.net does not accept mail", "greeting_rejected", "does not accept mail", "another host"),
    Real("yahoo", G, "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list;", "greeting_rejected", "block list"),
    Real("barracuda", G, "554-Service unavailable; Client host [192.0.2.1] blocked using\n554-Barracuda Reputation;\n554 http://www.barracudanetworks.com/reputation/?r=1&ip=192.0.2.1", "greeting_rejected", "block list"),
    Real("at&t", G, "550 5.7.1 Connections not accepted from servers without a valid sender domain. flph829 Fix reverse DNS for 192.0.2.1", "greeting_rejected", "name in the DNS", "PTR"),
    Real("microsoft", G, "421 4.3.2 The maximum number of concurrent server connections has exceeded a limit, closing transmission channel", "greeting_deferred", "limit", "concurrency"),
    Real("haproxy", G, "421 4.3.0 PROXY protocol header expected", "greeting_deferred", "PROXY", "load balancer"),
    Real("haproxy", G, "501 Missing PROXY header", "greeting_rejected", "PROXY", "load balancer"),
    # EHLO
    Real("gmail", E, "421 4.7.0 Try again later, closing connection. (EHLO) a1-20020 - gsmtp", "ehlo_deferred"),
    Real("gmail", E, "501-5.5.4 HELO/EHLO argument \"web_1\" invalid, closing connection.\n501 5.5.4 https://support.google.com/mail/?p=helo", "ehlo_rejected", "full host name", "helo_name"),
    Real("exim", E, "501 Syntactically invalid EHLO argument(s)", "ehlo_rejected", "full host name", "helo_name"),
    Real("exim", E, "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)", "ehlo_rejected", "full host name", "helo_name"),
    Real("postfix", E, "450 4.7.1 <web1>: Helo command rejected: Host not found", "ehlo_deferred", "not in the DNS", "helo_name"),
    Real("postfix", E, "504 5.5.2 <web1>: Helo command rejected: need fully-qualified hostname", "ehlo_rejected", "full host name", "helo_name"),
    Real("sendmail", E, "501 5.0.0 Invalid domain name", "ehlo_rejected", "full host name", "helo_name"),
    Real("cisco", E, "421 4.3.2 Service not available", "ehlo_deferred"),
    Real("qmail", E, "550 Please use your real hostname when saying HELO (not WEB1)", "ehlo_rejected", "full host name", "helo_name"),
    # STARTTLS
    Real("postfix", S, "454 4.7.0 TLS not available due to local problem", "starttls_rejected"),
    Real("postfix", S, "421 4.7.0 mx.example.net Error: too many connections", "starttls_rejected", "limit"),
    # AUTH
    Real("gmail", A, "535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials a1 - gsmtp", "auth_rejected"),
    Real("gmail", A, "534-5.7.9 Application-specific password required. For more information, go to\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor a1 - gsmtp", "auth_rejected", "application password", "application password"),
    Real("gmail", A, "534-5.7.14 <https://accounts.google.com/signin/continue?sarp=1> Please\n534-5.7.14 log in via your web browser and then try again.\n534 5.7.14 https://support.google.com/mail/answer/78754 a1 - gsmtp", "auth_rejected", "browser", "browser"),
    Real("gmail", A, "454 4.7.0 Too many login attempts, please try again later. a1 - gsmtp", "auth_deferred", "too many attempts", "lock"),
    Real("gmail", A, "454 4.7.0 Cannot authenticate due to temporary system problem. Try again later. a1 - gsmtp", "auth_deferred"),
    Real("microsoft", A, "535 5.7.3 Authentication unsuccessful [AM0PR10CA0081.EURPRD10.PROD.OUTLOOK.COM]", "auth_rejected"),
    Real("microsoft", A, "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [BM1P287CA0015.INDP287.PROD.OUTLOOK.COM]", "auth_rejected", "turned off", "xoauth2"),
    Real("microsoft", A, "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. [TY1PR01CA0183.jpnprd01.prod.outlook.com]", "auth_rejected", "turned off", "Microsoft 365"),
    Real("microsoft", A, "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect. [AM0PR10CA0081.EURPRD10.PROD.OUTLOOK.COM]", "auth_rejected", "policy", "password is wrong"),
    Real("microsoft", A, "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. [Hostname=AM0PR10CA0081]", "auth_deferred"),
    Real("rfc4954", A, "432 4.7.12 A password transition is needed", "auth_deferred", "set anew", "auth_mechanism to plain"),
    Real("rfc4954", A, "534 5.7.9 Authentication mechanism is too weak", "auth_unsupported", "too weak", "auth_mechanism"),
    Real("rfc4954", A, "538 5.7.11 Encryption required for requested authentication mechanism", "auth_unsupported", "encryption", "auth_mechanism"),
    Real("rfc4954", A, "454 4.7.0 Temporary authentication failure", "auth_deferred"),
    Real("exchange", A, "504 5.7.4 Unrecognized authentication type", "auth_unsupported"),
    Real("exchange", A, "504 5.7.4 Unrecognized Authentication Type", "auth_unsupported"),
    Real("postfix", A, "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6", "auth_rejected"),
    Real("postfix", A, "535 5.7.8 Error: authentication failed: authentication failure", "auth_rejected"),
    Real("postfix", A, "454 4.7.0 Temporary authentication failure: Connection lost to authentication server", "auth_deferred"),
    Real("postfix", A, "503 5.5.1 Error: authentication not enabled", "auth_unsupported", "on this port", "submission port"),
    Real("postfix", A, "535 5.7.8 Error: authentication failed: Invalid authentication mechanism", "auth_rejected"),
    Real("exim", A, "535 Incorrect authentication data", "auth_rejected"),
    Real("exim", A, "503 AUTH command used when not advertised", "auth_unsupported", "on this port"),
    Real("exim", A, "435 Unable to authenticate at present", "auth_deferred"),
    Real("ses", A, "535 Authentication Credentials Invalid", "auth_rejected"),
    Real("sendgrid", A, "535 Authentication failed: Bad username / password", "auth_rejected"),
    Real("sendgrid", A, "451 Authentication failed: Maximum credits exceeded", "auth_deferred", "credit", "billing"),
    Real("mailgun", A, "535 5.7.0 Mailgun is not loving your login or password", "auth_rejected"),
    Real("yahoo", A, "535 5.7.0 (#AUTH005) Too many bad auth attempts.", "auth_rejected", "too many attempts", "lock"),
    Real("yandex", A, "535 5.7.8 Error: authentication failed: This user does not have access rights to this service", "auth_rejected", "not allowed for this account", "Allow SMTP"),
    Real("yandex", A, "535 5.7.8 Error: authentication failed: Invalid user or password!", "auth_rejected"),
    Real("mail.ru", A, "535 5.7.0 NEOBHODIM parol prilozheniya https://help.mail.ru/mail/security/protection/external / Application password is REQUIRED", "auth_rejected", "application password"),
    Real("qq", A, "535 Login Fail. Please enter your authorization code to login. More information in http://service.mail.qq.com/cgi-bin/help", "auth_rejected", "application password"),
    Real("brevo", A, "525 5.7.1 Unauthorized IP address", "auth_rejected", "from this address", "public address"),
    Real("jetemail", A, "535 IP not authorized", "auth_rejected", "from this address", "public address"),
    Real("zoho", A, "535 Authentication Failed", "auth_rejected"),
    Real("rfc5248", A, "525 5.7.13 User Account Disabled", "auth_rejected", "disabled", "enabled"),
    Real("dovecot", A, "535 5.7.8 Error: authentication failed: Account is temporarily locked", "auth_rejected", "", ""),
    Real("spamhaus", A, "554 5.7.1 Service unavailable; client [192.0.2.1] blocked using xbl.spamhaus.org", "greeting_rejected", "block list"),
    # MAIL
    Real("postfix", M, "530 5.7.0 Must issue a STARTTLS command first", "tls_mode_mismatch", "demands TLS", "Set tls to starttls", encrypted=False),
    Real("exchange", M, "451 5.7.3 STARTTLS is required to send mail", "tls_mode_mismatch", "demands TLS", "Set tls to starttls", encrypted=False),
    Real("gmail", M, "530-5.7.0 Authentication Required. For more information, go to\n530 5.7.0  https://support.google.com/mail/?p=WantAuthError a1 - gsmtp", "auth_rejected", "without a login", "Give username and password"),
    Real("ses", M, "530 Authentication required", "auth_rejected", "without a login", "Give username and password"),
    Real("microsoft", M, "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM [AM0PR10CA0081.EURPRD10.PROD.OUTLOOK.COM]", "auth_rejected", "without a login", "with an auth_mechanism other than none"),
    Real("microsoft", M, "530 5.7.57 Client not authenticated to send mail.", "sender_rejected", "login that allows", "rights of the account", LOGIN),
    Real("brevo", M, "502 5.7.0 Please authenticate first", "auth_rejected", "without a login", "Give username and password"),
    Real("sendgrid", M, "550 Unauthenticated senders not allowed", "auth_rejected", "without a login", "Give username and password"),
    Real("postfix", M, "421 4.7.0 mx.example.net Error: too much mail from 192.0.2.1", "sender_deferred"),
    Real("postfix", M, "452 4.3.1 Insufficient system storage", "sender_deferred", "disk", "operator"),
    Real("postfix", M, "451 4.3.0 Temporary lookup failure", "sender_deferred"),
    Real("postfix", M, "450 4.1.8 <a@nowhere.example>: Sender address rejected: Domain not found", "sender_deferred", "cannot be found", "mail_from"),
    Real("sendmail", M, "553 5.1.8 <a@nowhere.example>... Domain of sender address a@nowhere.example does not exist", "sender_rejected", "cannot be found", "mail_from"),
    Real("exim", M, "550 Access denied - Invalid HELO name (See RFC2821 4.1.3)", "ehlo_rejected", "full host name", "helo_name"),
    Real("gmail relay", M, "550-5.7.1 Invalid credentials for relay [192.0.2.1]. The IP address you've\n550-5.7.1 registered in your G Suite SMTP Relay service doesn't match domain of\n550 5.7.1 the account this email is being sent from. a1 - gsmtp", "sender_rejected", "address", "Register"),
    Real("gmail", M, "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from\n421 4.7.28 your IP address. a1 - gsmtp", "sender_deferred", "too much mail", "concurrency"),
    Real("gmail", M, "550 5.7.26 Unauthenticated email from example.com is not accepted due to domain's DMARC policy. - gsmtp", "sender_rejected", "SPF", "mail_from"),
    Real("ovh", M, "550-SPF-check failed:\n550 example.com doesn't allow sending mails from 192.0.2.1", "sender_rejected", "SPF", "mail_from"),
    Real("exchange", M, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", "sender_rejected", "may not send as", "mail_from", LOGIN),
    Real("microsoft", M, "554 5.2.252 SendAsDenied; alerts@example.com not allowed to send as root@web1.example.com", "sender_rejected", "may not send as", "mail_from", LOGIN),
    Real("zoho", M, "553 Relaying disallowed as root@web1.example.com", "sender_rejected", "may not send as", "mail_from", LOGIN),
    Real("ses", M, "554 Message rejected: Email address is not verified. The following identities failed the check in region US-EAST-1: root@web1.example.com", "sender_rejected", "verified", "mail_from", LOGIN),
    Real("sendgrid", M, "550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved. Visit https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to see the Sender Identity requirements", "sender_rejected", "", "mail_from", LOGIN),
    Real("orange", M, "501 5.1.0 Emetteur invalide. Invalid Sender. OFR004_405 [405]", "sender_rejected", "cannot be found", "mail_from"),
    Real("sophos", M, "550 Sender verify failed", "sender_rejected", "cannot be found", "mail_from"),
    Real("rfc7505", M, "550 5.7.27 Sender address has null MX", "sender_rejected", "null MX", "mail_from"),
    # RCPT
    Real("postfix", R, "504 5.5.2 <web1>: Helo command rejected: need fully-qualified hostname", "ehlo_rejected", "full host name", "helo_name"),
    Real("postfix", R, "450 4.7.1 <web1.internal>: Helo command rejected: Host not found", "ehlo_deferred", "not in the DNS", "helo_name"),
    Real("postfix", R, "550 5.7.1 <web1>: Helo command rejected: Access denied", "ehlo_rejected", "name given with EHLO", "helo_name"),
    Real("postfix", R, "553 5.7.1 <root@web1.example.com>: Sender address rejected: not owned by user alerts@example.com", "sender_rejected", "may not send as", "mail_from", LOGIN),
    Real("postfix", R, "553 5.7.1 <root@example.com>: Sender address rejected: not logged in", "auth_rejected", "without a login", "Give username and password"),
    Real("postfix", R, "450 4.1.8 <a@nowhere.example>: Sender address rejected: Domain not found", "sender_deferred", "cannot be found", "mail_from"),
    Real("postfix", R, "504 5.5.2 <root@web1>: Sender address rejected: need fully-qualified address", "sender_rejected", "full domain", "mail_from"),
    Real("postfix", R, "550 5.7.1 <root@gce>: Sender address rejected: is not verified", "sender_rejected", "verified", "mail_from"),
    Real("postfix", R, "550 5.7.1 <root@gce>: Sender address rejected: only verified sender domains", "sender_rejected"),
    Real("postfix", R, "550 5.7.1 <root@gce>: Sender address rejected: domain is not allowed", "sender_rejected"),
    Real("postfix", R, "550 5.7.1 <root@gce>: Sender address rejected: Access denied", "sender_rejected"),
    Real("postfix", R, "450 4.7.1 <root@gce>: Sender address rejected: user limit exceeded", "sender_deferred"),
    Real("postfix", M, "554 5.7.1 <mx.example.net[192.0.2.1]>: Client host rejected: domain is not registered", "greeting_rejected"),
    Real("postfix", R, "554 5.7.1 Service unavailable; Sender address [root@gce] blocked using dbl.spamhaus.org", "sender_rejected", "block list", "mail_from"),
    Real("postfix", R, "554 5.7.1 Service unavailable; Helo command [gce] blocked using dbl.spamhaus.org", "ehlo_rejected", "block list", "helo_name"),
    Real("postfix", R, "554 5.7.1 Service unavailable; Recipient address [a@b.c] blocked using dbl.spamhaus.org", "recipient_rejected", "block list", "rcpt_to"),
    Real("postfix", R, "550 5.1.0 <a@example.com>: Sender address rejected: User unknown in virtual mailbox table", "sender_rejected"),
    Real("postfix", R, "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]", "greeting_deferred", "name in the DNS", "PTR"),
    Real("postfix", R, "550 5.7.25 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", "greeting_rejected", "name in the DNS", "PTR"),
    Real("postfix", R, "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied", "auth_rejected", "without a login", "Give username and password"),
    Real("postfix", R, "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied", "greeting_rejected", "", "allow this host's address", LOGIN),
    Real("postfix", R, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; Error: open resolver; https://check.spamhaus.org/returnc/pub/192.0.2.53/", "greeting_rejected", "open resolver", "operator"),
    Real("postfix", R, "554 5.7.1 <b@example.org>: Relay access denied", "recipient_rejected", "does not relay", "Give username and password"),
    Real("postfix", R, "454 4.7.1 <b@example.org>: Relay access denied", "recipient_deferred", "does not relay", "Give username and password"),
    Real("postfix", R, "554 5.7.1 <b@example.org>: Relay access denied", "recipient_rejected", "this login", "rights of the account", LOGIN),
    Real("postfix", R, "550 5.1.1 <b@example.org>: Recipient address rejected: User unknown in local recipient table", "recipient_rejected", "no such mailbox", "rcpt_to"),
    Real("postfix", R, "450 4.2.0 <b@example.org>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.org.html", "recipient_deferred", "greylisting", "minutes"),
    Real("rspamd", R, "451 4.7.1 Try again later", "recipient_deferred"),
    Real("postscreen", R, "550 5.5.1 Protocol error", "greeting_rejected", "postscreen", "changes the"),
    Real("postscreen", R, "521 5.5.1 Protocol error", "greeting_rejected", "postscreen"),
    Real("postscreen", R, "450 4.3.2 Service currently unavailable", "recipient_deferred", "postscreen", "minutes"),
    Real("postscreen", R, "550 5.7.1 Service unavailable; client [192.0.2.1] blocked using zen.spamhaus.org", "greeting_rejected", "block list"),
    Real("exim", R, "550 relay not permitted", "recipient_rejected", "does not relay", "Give username and password"),
    Real("exim", R, "550-Please turn on SMTP Authentication in your mail client.\n550-web1 [192.0.2.1]:50000 is not permitted to relay through this server\n550 without authentication.", "auth_rejected", "without a login", "Give username and password"),
    Real("exchange", R, "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", "recipient_rejected", "does not relay", "Give username and password"),
    Real("exchange", R, "550 5.7.1 Unable to relay", "recipient_rejected", "does not relay", "Give username and password"),
    Real("microsoft", R, "550 5.7.64 TenantAttribution; Relay Access Denied [AM0PR10CA0081]", "recipient_rejected", "does not relay"),
    Real("microsoft", R, "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors.", "greeting_rejected", "block list"),
    Real("microsoft", R, "550 5.7.606 Access denied, banned sending IP [192.0.2.1]. To request removal from this list please visit https://sender.office.com/", "greeting_rejected", "block list"),
    Real("microsoft", R, "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation. For e-mail delivery information, see https://postmaster.live.com (S843)", "greeting_deferred", "reputation"),
    Real("microsoft", R, "550 5.7.1 Service unavailable, Helo domain is listed in Spamhaus. To request removal from this list see https://www.spamhaus.org/query/lookup/ (S8001)", "ehlo_rejected", "name given with EHLO", "helo_name"),
    Real("microsoft", R, "550 5.7.1 Service unavailable, MailFrom domain is listed in Spamhaus. To request removal from this list see https://www.spamhaus.org/query/lookup/ (S8002)", "sender_rejected", "block list", "mail_from"),
    Real("gmail", R, "550-5.7.1 [192.0.2.1] The IP you're using to send mail is not authorized to\n550-5.7.1 send email directly to our servers. Please use the SMTP relay at your\n550 5.7.1 service provider instead. https://support.google.com/mail/?p=NotAuthorizedError", "greeting_rejected", "straight", "relay with a login"),
    Real("gmail", R, "452 4.2.2 The email account that you tried to reach is over quota. - gsmtp", "recipient_deferred", "full"),
    Real("gmail", R, "550-5.1.1 The email account that you tried to reach does not exist. Please try\n550 5.1.1 double-checking the recipient's email address - gsmtp", "recipient_rejected", "no such mailbox", "rcpt_to"),
    Real("sendmail", R, "550 5.7.1 <b@example.org>... Relaying denied. IP name lookup failed [192.0.2.1]", "greeting_rejected", "name in the DNS", "PTR"),
    Real("sendmail", R, "550 5.7.1 <b@example.org>... Relaying denied. Proper authentication required.", "auth_rejected", "without a login", "Give username and password"),
    Real("qmail", R, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "recipient_rejected", "does not relay", "Give username and password"),
    Real("mimecast", R, "451 Open relay not allowed - https://community.mimecast.com/docs/DOC-1369#451", "recipient_deferred", "does not relay"),
    Real("web.de", R, "550 <b@web.de>: Bad DNS PTR resource record", "greeting_rejected", "name in the DNS", "PTR"),
    Real("rfc7505", R, "556 5.1.10 Recipient address has null MX", "recipient_rejected", "null MX", "rcpt_to"),
    Real("rfc7505", R, "550 5.1.10 Recipient address has null MX", "recipient_rejected", "null MX", "rcpt_to"),
    Real("postfix", R, "450 4.1.2 <b@nowhere.example>: Recipient address rejected: Domain not found", "recipient_deferred", "domain", "rcpt_to"),
    Real("postfix", R, "552 5.2.2 <b@example.org>: Recipient address rejected: Quota exceeded (mailbox for user is full)", "recipient_rejected", "full"),
    Real("postfix", R, "530 5.7.1 client certificate required", "recipient_rejected", "client certificate", "smtp_tls_cert_file"),
    Real("postal", R, "530 Authentication required", "auth_rejected", "without a login", "Give username and password"),
    Real("comcast", R, "452 4.1.1 <b@example.net> too many recent messages; Try again later", "recipient_deferred", "limit"),
    Real("exchange", A, "534 5.7.4 Unrecognized authentication type", "auth_unsupported"),
    Real("gmail", A, "534 5.7.9 https://support.google.com/mail/answer/185833 a1 - gsmtp", "auth_rejected", "application password", "application password"),
    Real("gmail", A, "535-5.7.1 Please log in with your web browser and then try again. Learn more at\n535 5.7.1 https://support.google.com/mail/bin/answer.py?answer=78754 a1", "auth_rejected", "browser", "browser"),
    Real("dovecot", A, "535 5.7.8 Error: authentication failed: Account is disabled", "auth_rejected", "disabled or locked", "enabled"),
    Real("postfix", M, "503 5.5.1 Error: send HELO/EHLO first", "sender_rejected", "lost track", "on the way"),
    Real("qmail", M, "530 Authorization required (#5.7.1)", "auth_rejected", "without a login", "Give username and password"),
    Real("microsoft", R, "550 5.1.8 Access denied, bad outbound sender. For more information please go to http://go.microsoft.com/fwlink/?LinkId=875724.", "sender_rejected", "barred", "released"),
    Real("exchange", M, "501 5.1.7 Invalid address", "sender_rejected", "cannot be found", "mail_from"),
    Real("exim", R, "452 space shortage, please try later", "recipient_deferred", "disk", "operator"),
    Real("exim", R, "550 Unrouteable address", "recipient_rejected", "no such mailbox", "rcpt_to"),
    Real("exim", R, "550 No such user here", "recipient_rejected", "no such mailbox", "rcpt_to"),
    Real("gmail", R, "550-5.4.5 Daily user sending limit exceeded. For more information on Gmail\n550 5.4.5 sending limits go to https://support.google.com/a/answer/166852 a1 - gsmtp", "recipient_rejected", "as much as it may", "raised"),
    Real("web.de", R, "550 <b@web.de>: Requested mail action aborted: exceeded storage allocation, Quota exceeded", "recipient_rejected", "full"),
    Real("postfix", R, "504 5.5.2 <b@example>: Recipient address rejected: need fully-qualified address", "recipient_rejected", "cannot be used", "rcpt_to"),
    Real("rfc6531", M, "550 5.6.7 Non-ASCII addresses not permitted for that sender/recipient", "sender_rejected", "ASCII", "mail_from"),
)  # fmt: skip


def reply(text: str) -> object:
    reader = ReplyReader()
    reader.feed(text.replace("\n", "\r\n").encode() + b"\r\n")
    found = reader.next_reply()
    assert found is not None
    assert reader.idle
    return found


@pytest.mark.parametrize("real", REAL, ids=[f"{one.server} {one.stage} {one.reply[:40]}" for one in REAL])
def test_a_real_reply(real: Real) -> None:
    meaning = interpret(real.stage, reply(real.reply), Situation(real.encrypted, real.login))
    assert meaning.verdict == real.verdict, meaning
    assert real.cause in meaning.cause, meaning
    advice = meaning.advice or VERDICTS[meaning.verdict].advice
    assert real.advice in advice, meaning


def test_every_row_is_for_a_real_reply() -> None:
    used = [row_of(one.stage, reply(one.reply), Situation(one.encrypted, one.login)) for one in REAL]
    assert [row for row in ROWS if row not in used] == []


DEFERRED = ("_deferred", "starttls_rejected", "tls_mode_mismatch")


@pytest.mark.parametrize("stage", [G, E, S, A, M, R])
@pytest.mark.parametrize("login", [False, True])
def test_a_4xx_is_never_a_rejection(stage: str, login: bool) -> None:
    """Whatever the words are: each reply of the table as a temporary one, at every stage."""
    for real in REAL:
        lines = [
            f"4{line[1:]}" for line in real.reply.replace(" 5.", " 4.").replace("-5.", "-4.").split("\n")
        ]
        meaning = interpret(stage, reply("\n".join(lines)), Situation(True, login))
        assert meaning.verdict.endswith(DEFERRED), (real, meaning)


@pytest.mark.parametrize("stage", [G, E, A, M, R])
def test_421_is_deferred_everywhere(stage: str) -> None:
    for words in (
        "",
        " 4.3.2 closing",
        " Helo command rejected",
        " Relay access denied",
        " authentication required",
    ):
        assert interpret(stage, reply("421" + words)).verdict.endswith("_deferred")


@pytest.mark.parametrize("stage", [G, E, S, A, M, R])
@pytest.mark.parametrize("code", range(400, 600))
def test_every_code_has_a_verdict(stage: str, code: int) -> None:
    for text in ("", " x", " 5.7.1 no", " 4.7.1 wait", " \xff"):
        meaning = interpret(stage, reply(f"{code}{text}"), Situation(False, False))
        assert meaning.verdict in VERDICTS


def test_advice_can_be_filled_in() -> None:
    for row in ROWS:
        text = row.advice.format(host="mx", port=587)
        assert "{" not in text
        assert not text or text.endswith(".")
        assert not row.cause.endswith(".")
        assert all(stage in ("any", G, E, S, A, M, R) for stage in row.stages.split())


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("550 5.7.1 no", "7.1"),
        ("550-5.7.26 no\n550 5.7.26 no", "7.26"),
        ("553 sorry (#5.7.1)", "7.1"),
        ("535 5.7.139 x", "7.139"),
        ("550 no", ""),
        ("450 5.7.1 of another class", ""),
        ("550 from 5.7.1.9", ""),
        ("550 [192.5.7.1] no", ""),
    ],
)
def test_enhanced_status(text: str, status: str) -> None:
    assert status_of(reply(text)) == status


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("504 5.5.4 Unrecognized authentication type", True),
        ("504 5.7.4 Unrecognized authentication type", True),
        ("504 no", True),
        ("501 5.5.4 what?", True),
        ("534 5.7.9 Authentication mechanism is too weak", True),
        ("538 5.7.11 Encryption required for requested authentication mechanism", True),
        ("534 5.7.9 Application-specific password required", False),
        ("535 5.7.8 no", False),
        ("535 5.7.3 no", False),
        ("550 5.7.1 no", False),
        ("503 5.5.1 Error: authentication not enabled", False),
        ("454 4.7.0 Temporary authentication failure", False),
    ],
)
def test_which_refusal_is_of_the_mechanism(text: str, expected: bool) -> None:
    assert unknown_mechanism(reply(text)) is expected


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "web server"),
        (b"<!DOCTYPE html><html>", "web server"),
        (b"<html>", "web server"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
        (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", "IMAP"),
        (b"+OK ready\r\n", "POP3"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "PROXY"),
        (b"\xff\xfd\x18", "Telnet"),
        (b"garbage", ""),
    ],
)
def test_strangers(seen: bytes, words: str) -> None:
    found = stranger(seen)
    assert (found is not None) is bool(words)
    assert found is None or words in found.name


def test_strangers_can_be_filled_in() -> None:
    assert all("{" not in one.advice.format(host="mx", port=587) for one in STRANGERS)


def test_no_pattern_is_compiled_before_it_is_looked_for() -> None:
    """Some hundred patterns cost more than a probe; and one that is wrong shows only here."""
    for row in ROWS:
        assert row.words is None or re.compile(row.words)
    for one in STRANGERS:
        assert isinstance(one.beginning, bytes)
        assert re.compile(one.beginning)
