"""Relay services as data: hosts, ports by kind of TLS, authentication, and what the user name is.

Rules of this file: data only. `starttls` and `implicit` are the ports that a source documents, in that
source's order of preference. An empty `implicit` means none is documented. `ports_general` are known from
general knowledge only and are never tried unasked. `plaintext` ports have no TLS at all and are refused.
Confidence: primary (the service's own page), secondary (nodemailer, GitLab's documentation, Thunderbird's
ISPDB, guides). Compiled 2026-11.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import NamedTuple

PRIMARY, SECONDARY = "primary", "secondary"


class Service(NamedTuple):
    """One relay service. An empty `host` means that the service gives each customer a host of its own."""

    title: str
    host: str
    starttls: tuple[int, ...]
    implicit: tuple[int, ...]
    auth: tuple[str, ...]
    confidence: str
    sources: tuple[str, ...]
    host_alternates: tuple[str, ...] = ()
    ports_general: tuple[int, ...] = ()
    plaintext: tuple[int, ...] = ()
    username: str = ""  # what it takes as user name, in words that follow "takes"
    fixed_username: str = ""  # the user name itself, where every customer has the same
    credential: str = ""  # what it takes as password, in such words
    note: str = ""


SOURCES: dict[str, str] = {
    "nodemailer": "npm nodemailer 10.6.0, dist/well-known/services.json",
    "gitlab": "omnibus-gitlab doc/settings/smtp.md @440b1f835 (2026-08-21)",
    "thunderbird": "thunderbird/autoconfig ispdb @c6ad796 (2026-03-12)",
    "public code": "several independent public repositories",
}

# Services whose regions are services of their own.
FAMILIES: dict[str, dict[str, str]] = {
    "mailgun": {"us": "mailgun_us", "eu": "mailgun_eu"},
    "sparkpost": {"us": "sparkpost_us", "eu": "sparkpost_eu"},
}

ALIASES: dict[str, str] = {
    "aws_ses": "amazon_ses",
    "elasticemail": "elastic_email",
    "google_workspace": "google_workspace_relay",
    "m365": "microsoft365",
    "mailtrap": "mailtrap_live",
    "microsoft_365": "microsoft365",
    "office365": "microsoft365",
    "sendinblue": "brevo",
    "ses": "amazon_ses",
    "zoho": "zoho_mail",
}

SERVICES: dict[str, Service] = {
    "sendgrid": Service(
        title="Twilio SendGrid",
        host="smtp.sendgrid.net",
        starttls=(587, 2525, 25),
        implicit=(465,),
        auth=("PLAIN", "LOGIN"),
        fixed_username="apikey",
        credential="an API key (SG....)",
        confidence=PRIMARY,
        sources=(
            "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api",
            "sendgrid/docs content/docs/for-developers/sending-email/postfix.md @c3eb3fe",
            "nodemailer",
            "gitlab",
        ),
    ),
    "mailgun_us": Service(
        title="Mailgun (US)",
        host="smtp.mailgun.org",
        starttls=(587, 2525, 25),
        implicit=(465,),
        auth=("PLAIN",),
        username="the full SMTP user (postmaster@mg.example.com for example)",
        credential="the SMTP password of that domain (not an API key)",
        confidence=SECONDARY,
        sources=("https://kb.umbhost.net/email-smtp/sending-email-via-mailgun-smtp/", "nodemailer", "gitlab"),
    ),
    "mailgun_eu": Service(
        title="Mailgun (EU)",
        host="smtp.eu.mailgun.org",
        starttls=(587, 2525, 25),
        implicit=(465,),
        auth=("PLAIN",),
        username="the full SMTP user",
        confidence=SECONDARY,
        sources=("https://smtptester.org/guides/mailgun-smtp-test/", "TryGhost/Docs ghost-cli.mdx"),
    ),
    "postmark": Service(
        title="Postmark",
        host="smtp.postmarkapp.com",
        host_alternates=("smtp-broadcasts.postmarkapp.com",),
        starttls=(587, 2525, 25),
        implicit=(),
        auth=("PLAIN", "CRAM-MD5"),
        username="the server API token (the password as well) or the access key of an SMTP token",
        credential="the server API token or the secret key of that SMTP token",
        note="No implicit TLS.",
        confidence=PRIMARY,
        sources=(
            "https://postmarkapp.com/support/article/"
            "811-what-are-the-smtp-details-credentials-i-should-be-using",
            "http://developer.postmarkapp.com/developer-send-smtp.html",
            "nodemailer",
            "gitlab",
        ),
    ),
    "amazon_ses": Service(
        title="Amazon SES",
        host="email-smtp.{region}.amazonaws.com",
        starttls=(587, 2587, 25),
        implicit=(465, 2465),
        auth=("PLAIN", "LOGIN"),
        username="the user name of SES SMTP credentials (AKIA...)",
        credential=(
            "the password of these SMTP credentials (not the IAM secret access key; it differs by region)"
        ),
        note="No 2525: the way around a blocked 587 is 2587 or 2465. TLS is mandatory.",
        confidence=PRIMARY,
        sources=(
            "https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html",
            "https://docs.aws.amazon.com/it_it/ses/latest/dg/smtp-credentials.md",
            "nodemailer",
            "gitlab",
        ),
    ),
    "sparkpost_us": Service(
        title="SparkPost (US)",
        host="smtp.sparkpostmail.com",
        starttls=(587, 2525),
        implicit=(),
        auth=("LOGIN",),
        fixed_username="SMTP_Injection",
        credential="an API key with 'Send via SMTP'",
        confidence=PRIMARY,
        sources=(
            "SparkPost/developers.sparkpost.com content/api/smtp.apib @88f24dc3",
            "SparkPost/support-docs content/docs/faq/smtp-connection-problems.md @2cb4102c",
            "nodemailer",
            "gitlab",
        ),
    ),
    "sparkpost_eu": Service(
        title="SparkPost (EU)",
        host="smtp.eu.sparkpostmail.com",
        starttls=(587, 2525),
        implicit=(),
        auth=("LOGIN",),
        fixed_username="SMTP_Injection",
        credential="an API key with 'Send via SMTP'",
        note="SparkPost's EU FAQ says smtp.eu.sparkpost.com; the API reference says this host.",
        confidence=PRIMARY,
        sources=(
            "SparkPost/developers.sparkpost.com content/api/smtp.apib",
            "SparkPost/support-docs content/docs/faq/sparkpost-eu-faq.md",
        ),
    ),
    "mailjet": Service(
        title="Mailjet",
        host="in-v3.mailjet.com",
        starttls=(587, 25),
        implicit=(465,),
        ports_general=(80, 588, 2525),
        auth=("PLAIN", "LOGIN"),
        username="the API key",
        credential="the secret key",
        confidence=SECONDARY,
        sources=("https://smtptester.org/guides/mailjet-smtp-test/", "gitlab", "nodemailer"),
    ),
    "brevo": Service(
        title="Brevo",
        host="smtp-relay.brevo.com",
        host_alternates=("smtp-relay.sendinblue.com",),
        starttls=(587, 2525),
        implicit=(465,),
        auth=("PLAIN", "LOGIN"),
        username="the SMTP login shown in the console",
        credential="an SMTP key (xsmtpsib-..., not an API key)",
        note=(
            "Brevo's own page calls 587 and 2525 'non-encrypted', guides say STARTTLS on 587: the probe"
            " tells."
        ),
        confidence=PRIMARY,
        sources=(
            "https://developers.brevo.com/docs/smtp-integration",
            "https://smtptester.org/guides/brevo-smtp-test/",
            "nodemailer",
            "gitlab",
        ),
    ),
    "mandrill": Service(
        title="Mailchimp Transactional (Mandrill)",
        host="smtp.mandrillapp.com",
        starttls=(587, 2525, 25),
        implicit=(465,),
        auth=("PLAIN", "LOGIN"),
        username="any name (it is ignored; the address of the account is recommended)",
        credential="any active API key",
        confidence=PRIMARY,
        sources=(
            "https://mailchimp.com/developer/transactional/docs/smtp-integration/",
            "nodemailer",
            "gitlab",
        ),
    ),
    "elastic_email": Service(
        title="Elastic Email",
        host="smtp.elasticemail.com",
        host_alternates=("smtp25.elasticemail.com",),
        starttls=(587, 2525, 25),
        implicit=(465,),
        auth=("PLAIN", "LOGIN", "CRAM-MD5"),
        username="the mail address of the account or of an SMTP credential",
        note="The page lists the four ports without saying which is implicit TLS; nodemailer uses 465.",
        confidence=PRIMARY,
        sources=("https://help.elasticemail.com/en/articles/4803409-smtp-settings", "nodemailer"),
    ),
    "smtp2go": Service(
        title="SMTP2GO",
        host="mail.smtp2go.com",
        starttls=(2525, 587, 8025, 25),
        implicit=(465,),
        ports_general=(80, 443, 8465),
        auth=("PLAIN", "LOGIN"),
        username="an SMTP user",
        confidence=SECONDARY,
        sources=("nodemailer", "gitlab", "public code"),
    ),
    "mailersend": Service(
        title="MailerSend",
        host="smtp.mailersend.net",
        starttls=(587,),
        implicit=(),
        ports_general=(2525,),
        auth=("PLAIN", "LOGIN"),
        username="a name of the form MS_xxxxxx@<domain>",
        confidence=SECONDARY,
        sources=("nodemailer", "public code"),
    ),
    "resend": Service(
        title="Resend",
        host="smtp.resend.com",
        starttls=(587, 2587, 25),
        implicit=(465, 2465),
        auth=("PLAIN", "LOGIN"),
        fixed_username="resend",
        credential="an API key (re_...)",
        note="No 2525: the way around a blocked 587 is 2587 or 2465.",
        confidence=PRIMARY,
        sources=(
            "https://resend-fjzp5ieh1-resend.vercel.app/docs/send-with-smtp (a preview of its documentation)",
            "https://resend.com/blog/why-smtp-still-matters-today",
            "nodemailer",
        ),
    ),
    "mailtrap_live": Service(
        title="Mailtrap (live)",
        host="live.smtp.mailtrap.io",
        starttls=(587,),
        implicit=(),
        ports_general=(2525, 25, 465),
        auth=("PLAIN", "LOGIN"),
        fixed_username="api",
        credential="an API token",
        note="sandbox.smtp.mailtrap.io only captures: never a relay for production.",
        confidence=PRIMARY,
        sources=("https://mailtrap.io/smtp-service/", "nodemailer"),
    ),
    "zeptomail": Service(
        title="Zoho ZeptoMail",
        host="smtp.zeptomail.com",
        host_alternates=("smtp.zeptomail.eu", "smtp.zeptomail.in"),
        starttls=(587,),
        implicit=(465,),
        auth=("PLAIN", "LOGIN"),
        username="'emailapikey' (in newer accounts a name that begins with emailappsmtp)",
        confidence=SECONDARY,
        sources=(
            "public code",
            "https://thekiharani.com/notes/why-your-vps-blocks-smtp-use-an-email-api (465)",
        ),
    ),
    "zoho_mail": Service(
        title="Zoho Mail",
        host="smtp.zoho.com",
        host_alternates=(
            "smtp.zoho.eu",
            "smtp.zoho.in",
            "smtp.zoho.com.au",
            "smtp.zoho.jp",
            "smtp.zohocloud.ca",
        ),
        starttls=(587,),
        implicit=(465,),
        auth=("PLAIN", "LOGIN"),
        username="the full address",
        credential="an app password",
        note=(
            "The host differs by data centre; only the .com and .eu hosts were read in a source. Give "
            "another one as host."
        ),
        confidence=SECONDARY,
        sources=("thunderbird", "nodemailer", "gitlab"),
    ),
    "gmail": Service(
        title="Gmail",
        host="smtp.gmail.com",
        starttls=(587,),
        implicit=(465,),
        auth=("PLAIN", "LOGIN", "XOAUTH2"),
        username="the full address",
        credential="an app password (with two-step verification) or an OAuth 2.0 token",
        confidence=SECONDARY,
        sources=("thunderbird", "nodemailer", "gitlab", "docker-mailserver docs gmail-smtp.md @c9b015d"),
    ),
    "google_workspace_relay": Service(
        title="Google Workspace SMTP relay",
        host="smtp-relay.gmail.com",
        starttls=(587, 25),
        implicit=(465,),
        auth=("none_by_ip", "PLAIN", "XOAUTH2"),
        note=(
            "A host whose address is registered needs no login. HELO must be a real name of the domain, else "
            "'5.7.1 Invalid credentials for relay': set helo_name."
        ),
        confidence=PRIMARY,
        sources=(
            "https://support.google.com/a/answer/2956491",
            "https://knowledgebase.bison.co.in/view_article.php?id=710",
            "nodemailer",
            "gitlab",
        ),
    ),
    "microsoft365": Service(
        title="Microsoft 365 client submission",
        host="smtp.office365.com",
        host_alternates=("smtp-legacy.office365.com",),
        starttls=(587, 25),
        implicit=(),
        auth=("LOGIN", "XOAUTH2"),
        username="the mailbox's user principal name",
        note=(
            "No 465. Basic authentication stays as it is until the end of 2026; then it is off by "
            "default for existing tenants (an administrator may turn it on again) and not available to "
            "new ones; the error is 550 5.7.30. Do not pin addresses."
        ),
        confidence=PRIMARY,
        sources=(
            "https://techcommunity.microsoft.com/t5/exchange-team-blog/"
            "exchange-online-to-retire-basic-auth-for-client-submission-smtp/ba-p/4114750 (before "
            "January 2026)",
            "https://kingsmtp.com/cloud-smtp/microsoft-exchange-online-smtp-basic-auth-retirement-2026",
            "https://www.tiagoscarvalho.com/exchange-online/exchange-online-mail-flow-architecture-2026",
            "MicrosoftDocs/OfficeDocs-Exchange how-to-set-up-a-multifunction-device...md @52e8b70f9",
            "thunderbird",
            "nodemailer",
            "gitlab",
        ),
    ),
    "microsoft365_direct": Service(
        title="Microsoft 365 direct send",
        host="",
        starttls=(25,),
        implicit=(),
        auth=("none_by_ip",),
        note="Port 25 only, so useless where 25 is blocked. Give the host of the tenant.",
        confidence=PRIMARY,
        sources=("MicrosoftDocs/OfficeDocs-Exchange fix-issues-with-printers-scanners-...md", "gitlab"),
    ),
    "microsoft365_hve": Service(
        title="Microsoft 365 High Volume Email",
        host="smtp.hve.mx.microsoft",
        host_alternates=("smtp-hve.office365.com",),
        starttls=(587,),
        implicit=(),
        auth=("LOGIN", "XOAUTH2"),
        username="the HVE account",
        note="For internal recipients. Basic authentication until September 2028.",
        confidence=SECONDARY,
        sources=(
            "https://www.tiagoscarvalho.com/exchange-online/exchange-online-mail-flow-architecture-2026",
            "public code",
        ),
    ),
    "outlook_consumer": Service(
        title="Outlook.com",
        host="smtp-mail.outlook.com",
        starttls=(587,),
        implicit=(),
        auth=("XOAUTH2",),
        confidence=SECONDARY,
        sources=("thunderbird", "nodemailer", "gitlab"),
    ),
    "yandex": Service(
        title="Yandex Mail",
        host="smtp.yandex.com",
        host_alternates=("smtp.yandex.ru",),
        starttls=(),
        implicit=(465,),
        ports_general=(587,),
        auth=("PLAIN", "LOGIN"),
        username="the full address",
        credential="an app password",
        confidence=SECONDARY,
        sources=("thunderbird", "nodemailer", "gitlab"),
    ),
    "fastmail": Service(
        title="Fastmail",
        host="smtp.fastmail.com",
        starttls=(),
        implicit=(465,),
        ports_general=(587,),
        auth=("PLAIN", "LOGIN", "XOAUTH2"),
        username="the full address",
        credential="an app password",
        confidence=SECONDARY,
        sources=("thunderbird", "nodemailer", "gitlab"),
    ),
    "icloud": Service(
        title="iCloud Mail",
        host="smtp.mail.me.com",
        starttls=(587,),
        implicit=(),
        auth=("PLAIN",),
        username="the full address",
        credential="an app-specific password",
        note="No 465.",
        confidence=SECONDARY,
        sources=("thunderbird", "nodemailer"),
    ),
    "yahoo": Service(
        title="Yahoo Mail",
        host="smtp.mail.yahoo.com",
        starttls=(),
        implicit=(465,),
        ports_general=(587,),
        auth=("PLAIN", "LOGIN", "XOAUTH2"),
        username="the full address",
        credential="an app password",
        confidence=SECONDARY,
        sources=("thunderbird", "nodemailer", "gitlab"),
    ),
    "mtarget": Service(
        title="mtarget",
        host="smtp.mtrgt.net",
        starttls=(587,),
        implicit=(),
        auth=("LOGIN",),
        fixed_username="smtp_mt_injection",
        credential="an API key with 'Send via SMTP'",
        note=(
            "Documents 587 with STARTTLS and AUTH LOGIN only; where SASL plugins are split, it needs "
            "the one for LOGIN."
        ),
        confidence=PRIMARY,
        sources=("https://docs.mtarget.co/en/articles/10372816-smtp-overview",),
    ),
    "kirim_email": Service(
        title="KIRIM.EMAIL",
        host="",
        starttls=(),
        implicit=(),
        auth=(),
        username="an SMTP user created for the domain in the console",
        note="The host and port are shown per SMTP user in the console: give host and ports.",
        confidence=PRIMARY,
        sources=("https://docs.kirim.email/en/kb/smtp-users",),
    ),
    "ovh_mail": Service(
        title="OVH Mail",
        host="ssl0.ovh.net",
        starttls=(),
        implicit=(465,),
        ports_general=(587,),
        auth=("LOGIN", "PLAIN"),
        username="the full address",
        confidence=SECONDARY,
        sources=("thunderbird", "gitlab"),
    ),
    "ionos": Service(
        title="IONOS",
        host="smtp.ionos.de",
        host_alternates=("smtp.1und1.de", "smtp.1and1.com"),
        starttls=(587,),
        implicit=(465,),
        auth=("LOGIN",),
        username="the full address",
        note="465 was read for smtp.1und1.de.",
        confidence=SECONDARY,
        sources=("gitlab", "thunderbird", "nodemailer"),
    ),
    "infomaniak": Service(
        title="Infomaniak",
        host="mail.infomaniak.com",
        starttls=(587,),
        implicit=(465,),
        auth=("LOGIN",),
        username="the full address",
        confidence=SECONDARY,
        sources=("nodemailer", "gitlab"),
    ),
    "mailchannels": Service(
        title="MailChannels",
        host="smtp.mailchannels.net",
        starttls=(587, 25),
        implicit=(465,),
        ports_general=(2525,),
        auth=("PLAIN", "LOGIN"),
        username="the account id",
        confidence=SECONDARY,
        sources=("public code",),
    ),
    "socketlabs": Service(
        title="SocketLabs",
        host="smtp.socketlabs.com",
        starttls=(587, 2525, 25),
        implicit=(),
        ports_general=(465,),
        auth=("LOGIN",),
        username="a name of the form server<NNNNN>",
        confidence=SECONDARY,
        sources=("public code",),
    ),
    "netcore_pepipost": Service(
        title="Netcore (Pepipost)",
        host="smtp.pepipost.com",
        starttls=(587, 2525, 25),
        implicit=(),
        auth=("PLAIN", "LOGIN"),
        username="an SMTP user",
        confidence=SECONDARY,
        sources=("public code",),
    ),
    "smtp_com": Service(
        title="SMTP.com",
        host="send.smtp.com",
        starttls=(25, 2525, 2082),
        implicit=(),
        auth=("PLAIN",),
        confidence=SECONDARY,
        sources=("gitlab",),
    ),
    "smtpeter": Service(
        title="SMTPeter",
        host="mail.smtpeter.com",
        starttls=(587, 2525, 25),
        implicit=(465,),
        auth=(),
        confidence=PRIMARY,
        sources=("https://smtpeter.com/en/documentation/smtp-ports",),
    ),
    "scaleway_tem": Service(
        title="Scaleway Transactional Email",
        host="smtp.tem.scw.cloud",
        starttls=(587,),
        implicit=(),
        ports_general=(465, 2465, 2587),
        auth=("PLAIN",),
        confidence=SECONDARY,
        sources=("gitlab",),
    ),
    "alibaba_directmail": Service(
        title="Alibaba Cloud DirectMail",
        host="smtpdm-{region}.aliyun.com",
        starttls=(),
        implicit=(465,),
        plaintext=(80,),
        auth=("LOGIN",),
        note="Port 80 has no TLS: refused.",
        confidence=SECONDARY,
        sources=("gitlab",),
    ),
    "godaddy": Service(
        title="GoDaddy",
        host="smtpout.secureserver.net",
        starttls=(),
        implicit=(465,),
        plaintext=(80,),
        auth=("LOGIN", "PLAIN"),
        note="Port 80 has no TLS: refused.",
        confidence=SECONDARY,
        sources=("gitlab", "nodemailer"),
    ),
    "outmail_prolateral": Service(
        title="Outmail (Prolateral)",
        host="",
        starttls=(587, 25, 2525, 8025),
        implicit=(465,),
        auth=("LOGIN",),
        note="The host is made for each account (mxNNNNNN.smtp-engine.com): give host.",
        confidence=SECONDARY,
        sources=("gitlab",),
    ),
}
