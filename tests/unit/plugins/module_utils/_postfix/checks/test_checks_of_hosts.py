"""What a check finds where it depends on the host: what its programs say, its sockets, files, plugins and listeners."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import sys
from pathlib import Path
from typing import Any, Sequence

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks import (
    configuration,
    master,
    registry,
    sasl,
    transports,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import listeners, programs
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host.master import Master
from case import RELAY, SNAKEOIL, Case, inet, table, text, unix
from cases import BROKEN, VALID
from checks_lab import CERTIFICATES, LIVE, OPINION, STOCK, Canned, Lab, found
from test_checks import concerns

# ------------------------------------------------------------------ what Postfix's programs say


@pytest.mark.parametrize(
    ("program", "said", "check", "told"),
    [
        (
            "postconf",
            "postconf: warning: {stage}/main.cf: unused parameter: smtp_tls_securty_level=may",
            "unused-parameter",
            "main.cf: smtp_tls_securty_level = may: Postfix 3.10.13 has no parameter of this name, "
            "and nothing uses it; write smtp_tls_security_level",
        ),
        (
            "postconf -P",
            "postconf: warning: {stage}/master.cf: unused parameter: smtp/inet/nonsense=1",
            "unused-parameter",
            "master.cf line 12: smtp/inet -o nonsense = 1: Postfix 3.10.13 has no parameter of this name, "
            "and nothing uses it; remove it, or write the name that postconf(5) has",
        ),
        (
            "postconf -P",
            "postconf: warning: {stage}/master.cf: unused parameter: nonsense=1",
            "unused-parameter",
            "master.cf line 12: smtp/inet -o nonsense = 1: Postfix 3.10.13 has no parameter of this name, "
            "and nothing uses it; remove it, or write the name that postconf(5) has",
        ),
        (
            "static:x",
            "postmap: fatal: file /etc/postfix/main.cf: parameter mail_owner: user joe is not known",
            "postfix-says",
            "main.cf: Postfix says: file parameter mail_owner: user joe is not known",
        ),
        (
            "postconf",
            "postconf: fatal: bad value of relayhost",
            "postfix-says",
            "main.cf line 7: relayhost: bad value of relayhost",
        ),
        (
            "postconf",
            "postconf: warning: {stage}/main.cf: support for parameter x will be removed",
            "postfix-says",
            "warning: main.cf: Postfix says: support for parameter x will be removed",
        ),
        ("postconf", "postconf: warning: {stage}/main.cf, line 3: overriding earlier entry: a=b", "", ""),
        ("postconf", "something else", "", ""),
    ],
)
def test_what_postfix_says(lab: Lab, program: str, said: str, check: str, told: str) -> None:
    case = Case(
        "x",
        files=[{"path": "main.cf", "content": _main_with(lab, "relayhost =", 7)}],
        services=[{"service": "smtp", "type": "inet", "options": {"nonsense": "1"}}],
    )
    stage = lab.stage(case)
    outcome = found(lab, case, {program: said.format(stage=stage)})
    assert outcome == ({check: [told]} if check else {})


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        ("main.cf", "smtp_helo_timeout = \u00a060s", ""),
        ("main.cf", "smtpd_relay_restrictions = permit_mynetworks,\u00a0reject_unauth_destination", ""),
        ("main.cf", "\ufeff# comment", ""),
        (
            "main.cf",
            "compatibility_level = 3.6\u00a0",
            'fatal: malformed compatibility level syntax: "3.6??"',
        ),
        ("main.cf", "\ufeffbiff = no", "warning: {stage}/main.cf: unused parameter: ???biff=no"),
        ("main.cf", "myhostname = \u00a0mx", "warning: invalid character 194: \u00a0mx"),
        ("master.cf", "\ufeff#", "fatal: file {stage}/master.cf: line 1: bad field count"),
        ("master.cf", "2525 inet n - n -\u00a0- smtpd", "fatal: {stage}/master.cf: line 1: bad field count"),
    ],
)
def test_a_strange_character_is_one_finding(lab: Lab, name: str, line: str, said: str) -> None:
    stock = lab.here((STOCK / name).read_text(encoding="utf-8"))
    case = Case("x", files=[{"path": name, "content": f"{line}\n{stock}"}])
    errors = {"postconf": f"postconf: {said.format(stage=lab.stage(case))}\n"} if said else {}
    assert [(check, len(told)) for check, told in found(lab, case, errors).items()] == [
        ("typographic-character", 1)
    ]


def test_a_strange_character_hides_no_mistake_of_another_line(lab: Lab) -> None:
    content = f"{_main_with(lab, 'relayhost =', 7)}smtp_helo_timeout = \u00a060s\nsmtp_quit_timeout = maybe\n"
    case = Case("x", files=[{"path": "main.cf", "content": content}])
    errors = {"postconf": "postconf: fatal: no such file\n"}
    assert found(lab, case, errors).keys() == {"typographic-character", "value-type", "postfix-says"}


def test_a_program_without_a_group_is_not_root_where_nothing_is_known(lab: Lab) -> None:
    case = Case("x", services=[unix("drop", "pipe user=nobody argv=/bin/cat", unpriv="n")])
    defaults = re.sub(r"(?m)^(setgid_group|mail_owner) = .*\n", "", lab.defaults)
    assert "pipe-attribute" not in found(lab, case, defaults=defaults)


def test_each_complaint_is_told_in_its_place(lab: Lab) -> None:
    complaints = (
        "warning: {stage}/main.cf: overriding earlier entry: relayhost=[relay.example.com]",
        "warning: {stage}/main.cf: support for smtpd_use_tls will be removed",
        "warning: {stage}/main.cf: no such file",
        "error: support for this is obsolete",
        "FATAL: bad values of relayhost and mydestination",
        "warning: {stage}/main.cf: unused parameter: smtp_tls_securty_level=may",
    )
    of_services = "postconf: warning: {stage}/master.cf: unused parameter: gone/unix/x=1"
    case = Case("x", files=[{"path": "main.cf", "content": _main_with(lab, "relayhost =", 7)}])
    stage = lab.stage(case)
    said = {
        "postconf": "".join(f"postconf: {each.format(stage=stage)}\n" for each in complaints),
        "postconf -P": of_services.format(stage=stage),
    }
    unknown = "Postfix 3.10.13 has no parameter of this name, and nothing uses it"
    assert found(lab, case, said) == {
        "postfix-says": [
            "main.cf: Postfix says: no such file",
            "main.cf: Postfix says: support for this is obsolete",
            "main.cf line 7: relayhost: bad values of relayhost and mydestination",
            "warning: main.cf: Postfix says: support for smtpd_use_tls will be removed",
        ],
        "unused-parameter": [
            f"main.cf: smtp_tls_securty_level = may: {unknown}; write smtp_tls_security_level",
            f"master.cf: gone/unix -o x = 1: {unknown}; remove it, or write the name that postconf(5) has",
        ],
    }


@pytest.mark.parametrize("named", ["sensitive", "mode", "passwords"])
@pytest.mark.parametrize("program", ["postmap", "postconf"])
def test_what_a_program_quotes_of_a_secret_file_is_not_told(lab: Lab, named: str, program: str) -> None:
    row = "10.0.0.0/33 hunter2\n"
    parameter = "smtp_sasl_password_maps" if named == "passwords" else "smtpd_client_restrictions"
    before = "" if named == "passwords" else "check_client_access "
    mode = "0640" if named == "mode" else "0644"
    case = Case(
        "x",
        parameters={parameter: f"{before}cidr:/etc/postfix/t"},
        files=[{"path": "t", "content": row, "mode": mode}],
    )
    stage = lab.stage(case)
    said = f'warning: cidr map {stage}/t, line 1: bad mask length in "10.0.0.0/33": skipping hunter2\n'
    asked = {"postmap": f"cidr:{stage}/t", "postconf": "postconf"}[program]
    sensitive = ["t"] if named == "sensitive" else []
    told = found(lab, case, {asked: f"{program}: {said}"}, sensitive=sensitive)
    everything = str(told)
    assert "cidr map /etc/postfix/t, line 1: the rest may be of this file, and is not shown" in everything
    assert "10.0.0.0" not in everything and "hunter2" not in everything
    open_file = Case("x", parameters=case.parameters, files=[text("t", row)])
    if named != "passwords":
        assert "10.0.0.0/33" in str(found(lab, open_file, {asked: f"{program}: {said}"}))


@pytest.mark.parametrize("named", ["main.cf", "master.cf", "by config_directory", "elsewhere"])
def test_postconf_finds_the_tables_that_it_opens_where_they_are_staged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    stage, live = tmp_path / "stage", tmp_path / "live"
    for directory in (stage, live):
        directory.mkdir()
    path = "$config_directory/t" if named == "by config_directory" else f"{live}/t"
    path = "/other/t" if named == "elsewhere" else path
    (stage / "main.cf").write_text(
        f"x = proxy:sqlite:{path}, ldap:{live}/u\n" if named != "master.cf" else ""
    )
    (stage / "master.cf").write_text(f" -o x=mysql:{path}\n" if named == "master.cf" else "")
    (stage / "t").write_text("query = x\n")
    (stage / "u").write_text("")
    before = sorted(os.listdir(stage))
    asked = set()

    def run(command: Sequence[str], **_options: Any) -> programs.Ran:
        place = Path(command[2])
        text = "".join((place / name).read_text() for name in ("main.cf", "master.cf"))
        asked.update(
            re.findall(r"(?:sqlite|mysql|ldap):(\S+[tu])", text.replace("$config_directory", str(place)))
        )
        asked.add((place / "t").read_text())
        return programs.Ran(0, "x", f"warning: {place}/main.cf: wrong\n")

    monkeypatch.setattr(programs, "run", run)
    said = configuration.Tools(str(stage), str(live)).postconf()
    tables = {each for each in asked if each.endswith("t")}
    assert all(Path(each).parent in (stage, Path("/other")) or ".judged" in each for each in tables)
    assert asked - tables >= {"query = x\n"} and len(tables) == 1
    assert said.current.errors == f"warning: {stage}/main.cf: wrong\n"
    assert sorted(os.listdir(stage)) == before


SECRETS = [case for case in (*BROKEN, *VALID) if concerns(case) and case.files]


@pytest.mark.parametrize("case", SECRETS, ids=lambda case: case.name)
def test_no_finding_has_a_word_of_a_sensitive_file(case: Case, lab: Lab) -> None:
    """Whatever a table of the cases has, and wherever it is told, unless main.cf or master.cf has it as well."""
    own = [wish for wish in case.files if wish["path"] not in ("main.cf", "master.cf")]
    judged = configuration.Configuration(
        lab.stage(case), LIVE, Canned(lab.defaults), sensitive=[wish["path"] for wish in own]
    )
    words = {word for wish in own for word in re.findall(r"[\w.@:\[\]]{3,}", wish.get("content") or "")}
    told = registry.findings(judged)
    shown = "\n".join(str(each._replace(check="")) for each in told)
    # The sentences of the checks have these words themselves.
    words -= {*re.findall(r"[\w.@:\[\]]{3,}", " ".join(judged.public))} | {"permit_mynetworks"}
    assert {word for word in words if re.search(rf"(?<![\w.@\[]){re.escape(word)}(?![\w.@])", shown)} == set()


def _main_with(lab: Lab, line: str, number: int) -> str:
    lines = lab.here((STOCK / "main.cf").read_text(encoding="utf-8")).splitlines()
    lines = [each for each in lines if not each.startswith("relayhost")]
    return "\n".join([*lines[: number - 1], line, *lines[number - 1 :]]) + "\n"


def test_a_check_of_our_own_speaks_in_the_place_of_postfix(lab: Lab) -> None:
    case = Case("x", parameters={"inet_protocols": "ipv44"})
    line = registry.findings(lab.configuration(case))[0].line
    said = {
        "postconf": f"postconf: fatal: /etc/postfix/main.cf, line {line}: parameter inet_protocols: bad value ipv44"
    }
    assert [*found(lab, case, said)] == ["unknown-list-word"]


def test_postfix_check_is_asked_where_the_installation_moves(lab: Lab) -> None:
    case = Case("x", parameters={"mail_owner": "joe"})
    said = {"postfix check": "postfix: fatal: unknown user joe"}
    assert found(lab, case, said) == {"postfix-says": ["main.cf: Postfix says: unknown user joe"]}
    assert found(lab, case, said, predicting=True) == {}
    assert found(lab, Case("x"), said) == {}


def test_a_table_that_postmap_cannot_read_is_asked_for_alone(lab: Lab) -> None:
    case = Case(
        "x",
        parameters={
            "header_checks": "regexp:/etc/postfix/checks",
            "smtpd_sender_login_maps": "inline:{ {a = b} }",
            "body_checks": "regexp:{ {/x/ IGNORE} }",
        },
        files=[{"path": "checks", "content": "/x/ IGNORE\n"}],
    )
    stage = lab.stage(case)
    general = "postmap: warning: something of main.cf\n"
    said = {
        f"regexp:{stage}/checks": f"{general}postmap: warning: regexp map {stage}/checks, line 1: unbalanced\n",
        "static:yes": general,
    }
    told = "header_checks = regexp:/etc/postfix/checks: regexp map /etc/postfix/checks, line 1: unbalanced"
    (only,) = found(lab, case, said).pop("table-unreadable")
    assert only.endswith(f"{told}; correct that line")


def test_what_postmap_only_advises(lab: Lab) -> None:
    case = Case("x", **table("checks", "/x/ IGNORE\n", "header_checks", "regexp"))
    spec = f"regexp:{lab.stage(case)}/checks"
    said = {
        spec: "postmap: warning: support for Berkeley DB will be removed\n"
        "postmap: warning: See https://www.postfix.org/NON_BERKELEYDB_README.html\n"
        "postmap: fatal: open: Permission denied\n"
    }
    where = "header_checks = regexp:/etc/postfix/checks"
    advice, error = sorted(found(lab, case, said)["table-unreadable"], reverse=True)
    assert advice.startswith(OPINION)
    assert advice.endswith(f"{where}: support for Berkeley DB will be removed")
    assert error.startswith("main.cf line")
    assert error.endswith(f"{where}: open: Permission denied; correct that line")


def test_postmap_is_asked_once_for_all_tables_that_can_be_opened(lab: Lab) -> None:
    asked = []

    class Asked(Canned):
        def postmap(self, key: str, specs: Sequence[str]) -> programs.Ran:
            asked.append([*specs])
            return super().postmap(key, specs)

    parameters = {
        "virtual_alias_maps": "texthash:/etc/postfix/virtual hash:/etc/postfix/virtual cidr:/etc/postfix/sasl",
        "relocated_maps": "texthash:/etc/postfix/nothing, hash:/etc/postfix/nothing, memcache:/etc/postfix/virtual",
        "smtp_sasl_password_maps": "inline:{a=b}",
        "header_checks": "regexp:{{/x/ IGNORE}}, pcre:{{/x/ IGNORE}}, regexp:/etc/postfix/virtual",
        "sender_canonical_maps": "pipemap:{texthash:/etc/postfix/virtual,inline:{a=b}}",
        "recipient_canonical_maps": "unionmap:{proxy:unix:passwd.byname}",
        "smtpd_milters": "{inet:localhost:8891}",
        "smtpd_client_restrictions": "check_client_access inline:{192.0.2.1=REJECT}",
    }
    stage = lab.stage(Case("x", parameters=parameters, files=[text("virtual", "a b\n")]))
    tools = Asked(lab.defaults)
    checks = [check for check in registry.CHECKS if check.name == "table-unreadable"]
    assert [*checks[0].findings(configuration.Configuration(stage, LIVE, tools))] == []
    (specs,) = asked
    assert [lab.there(spec).replace(stage, LIVE) for spec in specs] == [
        "hash:/etc/aliases",
        "texthash:/etc/postfix/virtual",
        "hash:/etc/postfix/virtual",
        "regexp:/etc/postfix/virtual",
        "regexp:{{/x/ IGNORE}}",
        "pipemap:{texthash:/etc/postfix/virtual,inline:{a=b}}",
        "inline:{192.0.2.1=REJECT}",
    ]


def test_a_table_that_is_not_compiled(lab: Lab) -> None:
    case = Case("x", **table("virtual", "a@example.com b@example.com\n", "virtual_alias_maps", "hash"))
    stage = lab.stage(case)
    os.unlink(f"{stage}/virtual.db")
    for predicting, problems in ((False, ["the compiled table does not exist"]), (True, [])):
        judged = configuration.Configuration(stage, LIVE, Canned(lab.defaults), predicting)
        assert [each.problem for each in registry.findings(judged)] == problems


def test_tools_are_asked_with_the_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(command: list[str]) -> programs.Ran:
        asked.append(command)
        return programs.Ran(0, "hash texthash\n" if command[-2:] == ["/usr/sbin/postconf", "-m"] else "", "")

    monkeypatch.setattr(programs, "run", run)
    monkeypatch.setattr(
        programs, "find_program", lambda name: f"/usr/sbin/{name}" if name == "postconf" else None
    )
    tools = configuration.Tools("/stage")
    assert tools.postconf().types.output == "hash texthash\n"
    tools.postmap("key", ["hash:/a"])
    assert tools.postfix_check() == programs.Ran(0, "", "")
    assert sorted(asked) == sorted(
        [
            *(["/usr/sbin/postconf", "-c", "/stage", *flags] for flags in ([], ["-d"], ["-m"], ["-P"])),
            ["/usr/sbin/postconf", "-m"],
            ["postmap", "-c", "/stage", "-q", "key", "hash:/a"],
        ]
    )
    monkeypatch.setattr(programs, "find_program", lambda name: name)
    tools.postfix_check()
    assert asked[-1] == ["postfix", "-c", "/stage", "check"]


def test_judged_from_a_directory(monkeypatch: pytest.MonkeyPatch, lab: Lab) -> None:
    monkeypatch.setattr(registry, "Tools", lambda _stage, _live: Canned(lab.defaults))
    assert registry.check(lab.stage(Case("x")), LIVE) == []
    lost = Case("x", parameters={"mailbox_command": "/usr/bin/procmial"})
    (only,) = registry.check(lab.stage(lost), LIVE)
    assert only.certain
    (only,) = registry.check(lab.stage(lost), LIVE, predicting=True)
    assert not only.certain


# ------------------------------------------------------------------ sockets, files, plugins, listeners


def test_a_socket_that_a_chroot_hides(lab: Lab) -> None:
    socket = lab.root / "filter.sock"
    socket.touch()
    chrooted = {**unix("smtp", "smtp"), "chroot": "y"}
    cleanup = {**unix("cleanup", "cleanup"), "chroot": "y"}
    server = {**inet("smtp"), "chroot": "y"}
    told = f"cannot see {socket}"
    open_cleanup, open_server = {**cleanup, "chroot": "n"}, {**server, "chroot": "n"}
    for check, parameters, services in (
        ("milter-outside-chroot", {"smtpd_milters": f"unix:{socket}"}, [server, open_cleanup]),
        ("milter-outside-chroot", {"non_smtpd_milters": f"unix:{socket}"}, [open_server, cleanup]),
        ("milter-outside-chroot", {}, [{**server, "options": {"smtpd_milters": f"unix:{socket}"}}]),
        ("next-hop-outside-chroot", {"default_transport": f"smtp:unix:{socket}"}, [chrooted]),
        (
            "policy-service",
            {"smtpd_recipient_restrictions": f"reject_unauth_destination, check_policy_service unix:{socket}"},
            [server],
        ),
        (
            "dovecot-socket",
            {"smtpd_sasl_auth_enable": True, "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": f"unix:{socket}",
             "smtpd_tls_security_level": "may", **SNAKEOIL},
            [server],
        ),
    ):  # fmt: skip
        outcome = found(lab, Case("x", parameters=parameters, services=services))
        assert [*outcome] == [check]
        assert told in outcome[check][0]
        assert ("cleanup/unix is chrooted" in outcome[check][0]) == ("non_smtpd_milters" in parameters)


def test_a_socket_that_a_chroot_has(lab: Lab) -> None:
    socket = lab.root / "queue/private/auth"
    socket.parent.mkdir()
    socket.touch()
    parameters = {
        "smtpd_sasl_auth_enable": True, "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth",
        "smtpd_tls_security_level": "may", "smtpd_milters": "unix:/private/auth", **SNAKEOIL,
    }  # fmt: skip
    server = {**inet("smtp"), "chroot": "y"}
    try:
        assert found(lab, Case("x", parameters=parameters, services=[server])) == {}
        whole = {**parameters, "smtpd_milters": f"unix:{socket}"}
        (told,) = found(lab, Case("x", parameters=whole, services=[server]))["milter-outside-chroot"]
    finally:
        shutil.rmtree(socket.parent)
    assert told.endswith(
        "let the socket be in /var/spool/postfix and write private/auth, or set chroot n for the service"
    )


def test_a_chroot_by_default_is_one(lab: Lab) -> None:
    program = {**unix("mydrop", "pipe user=nobody argv=/bin/cat"), "unpriv": "n", "chroot": "-"}
    for level, outcome in (("0", ["program-in-chroot"]), ("2", [])):
        case = Case("x", parameters={"compatibility_level": level}, services=[program])
        assert [*found(lab, case)] == outcome


@pytest.mark.parametrize(
    ("pem", "key", "check", "told"),
    [
        ("expired.pem", "expired.pem", "certificate-validity", "the certificate expired on 20"),
        ("early.pem", "early.pem", "certificate-validity", "the certificate is valid from 9"),
        ("good.pem", "short_key.pem", "certificate-file", "is not the key of this certificate"),
        ("ca.pem", "nothing.pem", "certificate-file", "does not exist"),
        ("make.py", "make.py", "certificate-file", "no certificate and key can be read"),
    ],
)
def test_certificates(lab: Lab, pem: str, key: str, check: str, told: str) -> None:
    files = {"smtpd_tls_cert_file": str(CERTIFICATES / pem), "smtpd_tls_key_file": str(CERTIFICATES / key)}
    outcome = found(lab, Case("x", parameters=files))
    assert told in outcome[check][0]


def test_a_key_that_others_may_read(lab: Lab) -> None:
    key = lab.root / "server.key"
    key.chmod(0o644)
    try:
        outcome = found(lab, Case("x", parameters=SNAKEOIL))
    finally:
        key.chmod(0o600)
    assert [*outcome] == ["key-readable-by-all"]


def test_a_key_that_cannot_be_read(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_more: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", refuse)
    files = {"smtpd_tls_cert_file": "/etc/letsencrypt/good.pem", "smtpd_tls_key_file": ""}
    (told,) = found(lab, Case("x", parameters=files))["certificate-file"]
    assert told.endswith(
        "/etc/letsencrypt/good.pem or /etc/letsencrypt/good.pem cannot be read (Permission denied); "
        "both must be PEM, the key without a passphrase"
    )


def test_files_that_others_may_write(lab: Lab) -> None:
    told = {
        "main.cf": (0o664, "main.cf: main.cf: others than root can write it; chmod go-w"),
        "master.cf": (0o646, "master.cf: master.cf: others than root can write it; chmod go-w"),
        "../aliases": (0o646, "every user of the host can write /etc/aliases; chmod o-w /etc/aliases"),
    }
    stage = Path(lab.stage(Case("x")))
    for name, (mode, sentence) in told.items():
        file = stage / name if name != "../aliases" else lab.root / "aliases"
        before = file.stat().st_mode
        file.chmod(mode)
        try:
            (finding,) = registry.findings(
                configuration.Configuration(str(stage), LIVE, Canned(lab.defaults))
            )
        finally:
            file.chmod(before)
        assert (finding.check, finding.certain) == ("writable-by-others", False)
        assert sentence in str(finding).replace(f"{lab.root}/", "/etc/")


def test_authorities_that_are_none(lab: Lab) -> None:
    for parameters, told in (
        ({"smtp_tls_CApath": "/nowhere"}, "the directory /nowhere does not exist"),
        ({"smtp_tls_CAfile": "/nowhere"}, "the file /nowhere does not exist"),
        ({"smtp_tls_CAfile": str(STOCK / "main.cf")}, "no certificate can be read from"),
    ):
        assert told in found(lab, Case("x", parameters=parameters))["ca-file"][0]


@pytest.mark.parametrize(
    ("installed", "parameters", "check", "told"),
    [
        (set(), {"smtp_sasl_mechanism_filter": "XOAUTH2"}, "sasl-plugin-missing", "plugin for XOAUTH2"),
        ({"crammd5"}, {}, "sasl-plugin-missing", "the plugins for PLAIN and LOGIN are not installed"),
        (
            set(),
            {"smtpd_sasl_auth_enable": True},
            "cyrus-server",
            "smtpd would exit as soon as a client connects",
        ),
        (
            set(),
            {},
            "sasl-plugin-missing",
            "no SASL mechanism plugin is installed, so no password can be sent",
        ),
        ({"plain"}, {"smtp_sasl_type": "dovecot"}, "", ""),
    ],
)
def test_plugins(
    lab: Lab,
    monkeypatch: pytest.MonkeyPatch,
    installed: set[str],
    parameters: dict[str, Any],
    check: str,
    told: str,
) -> None:
    monkeypatch.setattr(sasl, "installed_plugins", lambda: installed)
    password = [{"path": "sasl_passwd", "content": "[relay.example.com]:587 joe:x\n", "sensitive": True}]
    outcome = found(lab, Case("x", parameters={**RELAY, **parameters}, files=password))
    assert any(told in each for each in outcome[check]) if check else outcome == {}


def test_old_switches_offer_tls(lab: Lab) -> None:
    parameters = {"smtpd_sasl_auth_enable": True, "smtpd_tls_auth_only": True, "smtpd_tls_security_level": ""}
    assert "auth-never-offered" in found(lab, Case("x", parameters=parameters))
    assert "auth-never-offered" not in found(lab, Case("x", parameters={**parameters, "smtpd_use_tls": True}))


def test_ports_of_other_programs(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, other = listeners.Listener("0.0.0.0", 25), listeners.Listener("192.0.2.1", 2526)
    gone = listeners.Listener("0.0.0.0", 2526)
    monkeypatch.setattr(listeners, "all_listeners", lambda: {mine, other})
    case = Case("x", services=[inet("2526"), inet("127.0.0.1:2526")])
    postfix = Master(1, None, frozenset({mine, gone}), None, None)
    (told,) = found(lab, case, running=postfix)["port-of-another-program"]
    assert "port 2526 is held by a process that is not Postfix" in told
    # Of a socket of root's that cannot be seen it is not said that it is another's.
    unseen = postfix._replace(listeners=None)
    assert "port-of-another-program" not in found(lab, case, running=unseen)
    monkeypatch.setattr(listeners, "not_roots", lambda: {other})
    assert len(found(lab, case, running=unseen)["port-of-another-program"]) == 1
    assert "port-of-another-program" not in found(lab, case, running=unseen, predicting=True)
    assert len(found(lab, case)["port-of-another-program"]) == 2


def test_a_daemon_that_cannot_be_executed(lab: Lab) -> None:
    path = lab.root / "daemons/policyd"
    path.touch(0o644)
    try:
        outcome = found(lab, Case("x", services=[unix("policy", "policyd")]))
    finally:
        path.unlink()
    (told,) = outcome.pop("daemon-missing")
    assert outcome == {}
    where = "/usr/lib/postfix/sbin/policyd"
    assert told.endswith(f"service policy/unix = policyd: {where} is not executable; chmod 0755 {where}")


def test_names_of_ports(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    old = lab.defaults.replace("mail_version = 3.10.13", "mail_version = 3.5.25")
    monkeypatch.setattr(master, "_in_services_file", lambda name: name == "smtp")
    case = Case("x", parameters={"compatibility_level": "2"}, services=[inet("submissions")])
    assert "services(5) on this host does not know this name; write 465" in str(
        found(lab, case, defaults=old)["listener-address"]
    )
    assert "listener-address" not in found(lab, case)
    numbered = Case("x", parameters={"compatibility_level": "2"}, services=[inet("587")])
    assert found(lab, numbered, defaults=old) == {}


def test_what_this_machine_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert transports._has_user("root")
    assert transports._has_group("root")
    assert not transports._has_user("no-such-user")
    assert not transports._has_group("no-such-group")
    assert not master._in_services_file("no-such-service")
    monkeypatch.setattr(socket, "getservbyname", lambda _name, _protocol: 25)
    assert master._in_services_file("smtp")
    assert os.getuid() >= 0


def test_versions_of_before(lab: Lab) -> None:
    old = lab.defaults.replace("mail_version = 3.10.13", "mail_version = 3.4.20")
    for parameters, check in (
        ({"relayhost": "[a.example.com], [b.example.com]"}, "next-hop-syntax"),
        ({"smtp_tls_protocols": ">=TLSv1.2"}, "tls-protocol"),
        ({"compatibility_level": "3.6"}, "compatibility-level"),
        ({"header_checks": "regexp:{ {/x/ IGNORE} }"}, "table-type"),
    ):
        level = {"compatibility_level": "2", **parameters}
        assert check in found(lab, Case("x", parameters=level), defaults=old)
        assert check not in found(lab, Case("x", parameters=parameters))


def test_one_destination_and_a_plain_level_are_all_that_old_releases_take(lab: Lab) -> None:
    old = lab.defaults.replace("mail_version = 3.10.13", "mail_version = 3.4.20")
    level = {"compatibility_level": "2"}
    one = Case("x", parameters={**level, "relayhost": "[a.example.com]"})
    two = Case("x", parameters={**level, "relayhost": "[a.example.com], [b.example.com]"})
    assert found(lab, one, defaults=old) == {}
    (told,) = found(lab, two, defaults=old)["next-hop-syntax"]
    assert told.endswith(
        "Postfix 3.4.20 takes one destination here, lists came with 3.5; write [a.example.com]"
    )
    dotted = Case("x", parameters={"compatibility_level": "3.4"})
    (told,) = found(lab, dotted, defaults=old)["compatibility-level"]
    assert told.endswith("compatibility_level = 3.4: Postfix 3.4.20 takes only 0, 1 or 2; write 2")


def test_a_configuration_that_cannot_be_known_is_not_judged(lab: Lab) -> None:
    parameters = {"smtpd_banner": "${{a} ?? {b}}", "relayhost": "${nonsense", "virtual_transport": "$("}
    judged = lab.configuration(Case("x", parameters=parameters))
    assert judged.value("relayhost") == ""
    assert registry.findings(judged) == []


def test_the_time_of_a_check_grows_with_its_rows(lab: Lab) -> None:
    """How often a text is parsed and a key compared is counted, for a clock depends on the machine."""

    def case(count: int) -> Case:
        hops = [f"[relay{each}.example.com]:587" for each in range(count)]
        senders = "".join(f"u{each}@example.com {hop}\n" for each, hop in enumerate(hops))
        keys = "".join(f"{hop} joe:secret7\n" for hop in hops)
        refused = "".join(f"u{each}@x{each}.example 550 no {each}\n" for each in range(count))
        marked = "".join(f"h{each}.example PREPEND X-{each}: y\n" for each in range(count))
        policies = "".join(f"{hop} secure match=relay.example.com\n" for hop in hops)
        tables = {
            "sender_dependent_relayhost_maps": "texthash:/etc/postfix/senders",
            "smtp_tls_policy_maps": "texthash:/etc/postfix/policies",
        }
        tables["smtpd_recipient_restrictions"] = (
            "permit_mynetworks, check_sender_access texthash:/etc/postfix/refused, "
            "check_helo_access texthash:/etc/postfix/marked, reject_unauth_destination"
        )
        texts = {
            "senders": senders,
            "sasl_passwd": keys,
            "policies": policies,
            "refused": refused,
            "marked": marked,
        }
        files = [{"path": path, "content": content, "sensitive": True} for path, content in texts.items()]
        return Case("x", parameters={**RELAY, "relayhost": hops[0], **tables}, files=files)

    def steps(count: int) -> int:
        judged = lab.configuration(case(count))
        seen = 0

        def count_line(_frame: Any, event: str, _argument: Any) -> Any:
            nonlocal seen
            seen += event == "call"

        sys.setprofile(count_line)
        try:
            assert registry.findings(judged) == []
        finally:
            sys.setprofile(None)
        return seen

    ten, hundred, thousand = steps(10), steps(100), steps(1000)
    assert (thousand - ten) / (hundred - ten) < 990 / 90 * 1.1
