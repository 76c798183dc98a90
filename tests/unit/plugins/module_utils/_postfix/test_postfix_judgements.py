"""Versions, listeners, tables and the small judgements of the checks."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix import info
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change import confirm
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files import (
    main_cf,
    master_cf,
    text,
    version,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files import parameters as values
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import (
    listeners,
    mail_log,
    maps,
    master,
    programs,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host.control import Control
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host.master import (
    Master,
    level_for_change,
    running_master,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host.processes import Process


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("3.7.11", (3, 7, 11)),
        ("mail_version = 3.10.0", (3, 10, 0)),
        ("3.12-20260821", (3, 12, 0)),
        ("3.5", (3, 5, 0)),
    ],
)
def test_versions(text: str, parsed: tuple[int, int, int]) -> None:
    assert version.parse_version(text) == parsed


def test_no_version_is_refused() -> None:
    with pytest.raises(ValueError, match="not a Postfix version"):
        version.parse_version("none")


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("3.4.9", "relayhost_list", False),
        ("3.5.0", "relayhost_list", True),
        ("3.10.1", "postconf_json", False),
        ("3.11.0", "postconf_json", True),
        ("3.5.23", "forbid_bare_newline", False),
        ("3.5.24", "forbid_bare_newline", True),
        ("3.4.30", "forbid_bare_newline", False),
        ("3.9.0", "forbid_bare_newline", True),
        ("3.10.0", "tls_protocol_ranges", True),
    ],
)
def test_capabilities(text: str, name: str, expected: bool) -> None:
    assert version.capabilities(version.parse_version(text))[name] is expected


@pytest.mark.parametrize(
    ("interfaces", "protocols", "services", "expected"),
    [
        ("loopback-only", "ipv4", ["25"], {("127.0.0.1", 25)}),
        ("all", "ipv4", ["25", "127.0.0.1:10025"], {("0.0.0.0", 25), ("127.0.0.1", 10025)}),
        ("127.0.0.1", "ipv4", ["smtp"], {("127.0.0.1", 25)}),
        ("all", "ipv4", ["[::1]:10025"], set()),
    ],
)
def test_expected_listeners(
    interfaces: str, protocols: str, services: list[str], expected: set[tuple[str, int]]
) -> None:
    entries = [master_cf.Service(name, "inet", command="smtpd") for name in services]
    values_ = {"inet_interfaces": interfaces, "inet_protocols": protocols}
    assert listeners.expected_listeners(values_, entries) == expected


@pytest.mark.parametrize(
    ("interfaces", "seen", "asked"),
    [
        ("127.0.0.1", None, {"127.0.0.1"}),
        ("127.0.0.1", frozenset({("127.0.0.1", 25)}), {"127.0.0.1"}),
        # Names: whatever root has opened may be meant.
        ("$myhostname", None, {"127.0.0.1", "192.0.2.1"}),
        ("192.0.2.9", None, {"127.0.0.1"}),
    ],
)
def test_no_other_programs_address_is_asked(
    monkeypatch: pytest.MonkeyPatch, interfaces: str, seen: Any, asked: set[str]
) -> None:
    """On port 25 there are Postfix, another program of root's, and one of somebody else's."""
    found = [("127.0.0.1", 25), ("192.0.2.1", 25), ("192.0.2.2", 25)]
    every = {listeners.Listener(*each) for each in found}
    monkeypatch.setattr(listeners, "all_listeners", lambda: every)
    monkeypatch.setattr(listeners, "not_roots", lambda: {listeners.Listener("192.0.2.2", 25)})
    running = Master(1, None, seen and frozenset(listeners.Listener(*each) for each in seen), None, None)
    entries = [master_cf.Service("25", "inet", command="smtpd")]
    values_ = {"inet_interfaces": interfaces, "inet_protocols": "ipv4"}
    ends = confirm.expected_endpoints(running, entries, values_, [])
    assert {end.address for end in ends} == asked


def test_listeners_that_need_a_resolver_are_not_guessed() -> None:
    entries = [master_cf.Service("25", "inet", command="smtpd")]
    assert listeners.expected_listeners({"inet_interfaces": "$myhostname"}, entries) is None


@pytest.mark.parametrize(
    ("old", "new", "level"),
    [
        ({}, {"biff": "no"}, "reload"),
        ({}, {"inet_interfaces": "all"}, "reload"),
        ({}, {"inet_interfaces": "loopback-only"}, "restart"),
        ({"inet_protocols": "all"}, {"inet_protocols": "ipv4"}, "restart"),
        ({"inet_protocols": "ipv4, ipv6"}, {"inet_protocols": "ipv4 ipv6"}, "reload"),
        ({"queue_directory": "/a"}, {"queue_directory": "/b"}, "restart"),
    ],
)
def test_restart_only_where_reload_is_not_enough(
    old: dict[str, str], new: dict[str, str], level: str
) -> None:
    assert level_for_change(old, new) == level


def test_master_that_is_not_there(tmp_path: Path) -> None:
    assert running_master(str(tmp_path)) is None
    (tmp_path / "pid").mkdir()
    (tmp_path / "pid" / "master.pid").write_text(f"{os.getpid():>33}\n")
    assert running_master(str(tmp_path)) is None


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty file, the only log there is."""
    path = tmp_path / "mail.log"
    path.write_text("")
    monkeypatch.setattr(mail_log, "MAIL_LOGS", (str(path),))
    monkeypatch.setattr(programs, "find_program", lambda _name: None)
    return path


def test_log_complaints_are_those_of_daemons(log: Path) -> None:
    log.write_text("Jan 1 h postfix/smtpd[1]: fatal: before\n")
    mark = mail_log.LogMark({})
    with log.open("a") as stream:
        stream.write("Jan 1 h postfix/smtpd[2]: warning: x\nJan 1 h postfix/sendmail[3]: fatal: usage\n")
        stream.write("Jan 1 h postfix/submission/smtpd[4]: fatal: no SASL\n")
        stream.write(
            "Jan 1 h postfix/master[5]: warning: /usr/lib/postfix/sbin/smtpd: bad command startup -- throttling\n"
        )
    assert mark.complaints() == [
        "postfix/submission/smtpd[4]: fatal: no SASL",
        "postfix/master[5]: warning: /usr/lib/postfix/sbin/smtpd: bad command startup -- throttling",
    ]


def test_a_word_in_the_log_of_a_file_counts_where_this_master_has_said_it(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_log.processes, "children", lambda _pid: [Process(12, "smtpd", "S", 0)])
    mark = mail_log.LogMark({})
    log.write_text(
        "Jan 1 h postfix/smtpd[11]: fatal: forged\n"
        "Jan 1 h postfix/smtpd[12]: fatal: no SASL\n"
        "Jan 1 h mx/qmgr[12]: 4F: from=<panic: x@fatal: y.example>, size=1 (queue active)\n"
        "Jan 1 h postfix/smtpd[12]: warning: hostname fatal: x does not resolve\n"
        "Jan 1 h mx/master[10]: warning: /usr/lib/postfix/sbin/cleanup: bad command startup -- throttling\n"
        "Jan 1 h postfix/cleanup[12]: warning: x -- throttling\n"
        "Jan 1 h postfix/postmap[12]: fatal: usage\n"
    )
    assert mark.failures(Master(10, None, None, None, None)) == [
        "postfix/smtpd[12]: fatal: no SASL",
        "mx/master[10]: warning: /usr/lib/postfix/sbin/cleanup: bad command startup -- throttling",
    ]
    assert len(mark.complaints()) == 3


def test_what_ends_before_main_cf_is_read_has_no_name_of_its_own(log: Path, tmp_path: Path) -> None:
    mark = mail_log.LogMark({}, [f"{tmp_path}/t"])
    log.write_text(
        "Jan 1 h dovecot-master[1]: fatal: x\n"
        "Jan 1 h postmulti[2]: fatal: unknown inet_protocols value\n"
        f"Jan 1 h postfix/smtp[3]: fatal: {tmp_path}/t, line 2: bad hunter2\n"
        "Jan 1 h master[4]: fatal: master_spawn: exec qmgr: No such file or directory\n"
    )
    assert mark.account() == mark.complaints()
    assert mark.complaints() == [
        "postmulti[2]: fatal: unknown inet_protocols value",
        f"postfix/smtp[3]: fatal: {tmp_path}/t, line 2: the rest may be of this file, and is not shown",
        "master[4]: fatal: master_spawn: exec qmgr: No such file or directory",
    ]


def test_where_nobody_complains_the_last_lines_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def journalctl(command: list[str], **_options: Any) -> programs.Ran:
        asked.append(" ".join(command))
        fields = {**JOURNAL, "__REALTIME_TIMESTAMP": str(int((time.time() + 9) * 1e6))}
        own = {**fields, "SYSLOG_IDENTIFIER": "configure-instance.sh", "_COMM": "sh"}
        lines = [{**fields, "MESSAGE": f"connect {number}"} for number in range(30)]
        more = [{**own, "MESSAGE": "can't cd to /x"}] if "_SYSTEMD_UNIT=postfix@-.service" in command else []
        return programs.Ran(0, "\n".join(map(json.dumps, lines + more)), "")

    monkeypatch.setattr(programs, "find_program", lambda name: name)
    monkeypatch.setattr(mail_log.os.path, "exists", lambda _path: True)
    monkeypatch.setattr(programs, "run", journalctl)
    mark = mail_log.LogMark({})
    assert mark.complaints() == []
    told = mark.account()
    assert (len(told), told[-1]) == (20, "configure-instance.sh[7]: can't cd to /x")
    assert "journalctl --sync" in asked


@pytest.mark.parametrize(
    ("service", "command", "mode", "told"),
    [
        ("cleanup", "cleanup", 0o755, False),
        ("cleanup", "cleanup", 0o644, True),
        ("cleanup", "cleanupx", 0o755, True),
        ("qmgr", "qmgrx", 0o755, True),
        ("clean2", "cleanupx", 0o755, True),
        ("vacation", "vacation", 0o755, False),
    ],
)
def test_a_daemon_without_which_no_mail_goes_through_can_be_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: str, command: str, mode: int, told: bool
) -> None:
    (tmp_path / "cleanup").touch()
    (tmp_path / "cleanup").chmod(mode)
    monkeypatch.setattr(confirm.os, "access", lambda path, _how: bool(os.stat(path).st_mode & 0o111))
    values_ = {"daemon_directory": "$here", "here": str(tmp_path), "cleanup_service_name": "clean2"}
    if service == "cleanup":
        del values_["cleanup_service_name"]
    entries = [master_cf.Service(service, "unix", command=command)]
    assert bool(confirm.not_executable(entries, values_)) is told
    assert confirm.not_executable(entries, {**values_, "daemon_directory": f"{tmp_path}/none"}) == []
    assert confirm.not_executable(entries, {"daemon_directory": "${"}) == []


JOURNAL = {
    "SYSLOG_IDENTIFIER": "postfix/smtpd",
    "_PID": "7",
    "_UID": "0",
    "_COMM": "smtpd",
    "MESSAGE": "fatal: x",
}


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({}, True),
        ({"_SYSTEMD_UNIT": "postfix@-.service"}, True),
        ({"MESSAGE": [102, 97, 116, 97, 108, 58, 32, 255]}, True),
        ({"SYSLOG_IDENTIFIER": "mx/submission/smtpd"}, True),
        # By logger(1), run by anybody and by root; by a program of that name, run by somebody.
        ({"_UID": "1000", "_COMM": "logger"}, False),
        ({"_COMM": "logger"}, False),
        ({"_UID": "1000"}, False),
        # Another instance; what is not as msg_fatal(3) writes it; what is damaged.
        ({"_SYSTEMD_UNIT": "postfix@out.service"}, False),
        ({"MESSAGE": "4F: to=<fatal: x@example.com>, status=sent"}, False),
        ({"_PID": "x"}, False),
        ({"__REALTIME_TIMESTAMP": "1000"}, False),
    ],
)
def test_a_word_in_the_journal_counts_where_the_kernel_vouches_for_who_said_it(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], counts: bool
) -> None:
    line = json.dumps({**JOURNAL, "__REALTIME_TIMESTAMP": str(int((time.time() + 9) * 1e6)), **fields})
    monkeypatch.setattr(programs, "find_program", lambda name: name)
    monkeypatch.setattr(mail_log.os.path, "exists", lambda _path: True)
    monkeypatch.setattr(programs, "run", lambda *_command: programs.Ran(0, f"nonsense\n{line}\n", ""))
    monkeypatch.setattr(mail_log.processes, "children", lambda _pid: [])
    mark = mail_log.LogMark({})
    assert bool(mark.failures(Master(1, "postfix@-.service", None, None, None))) is counts


def test_a_journal_that_stores_nothing_leaves_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Storage=none: the socket and the program are there, and no directory of journals."""
    there = {"/run/systemd/journal/socket"}
    monkeypatch.setattr(programs, "find_program", lambda name: name)
    monkeypatch.setattr(mail_log.os.path, "exists", lambda path: path in there)
    assert mail_log.LogMark({})._names == list(mail_log.MAIL_LOGS)
    there.add("/var/log/journal")
    assert mail_log.LogMark({})._names == []
    assert mail_log.LogMark({"maillog_file": "/var/log/postfix.log"})._names == ["/var/log/postfix.log"]
    # A container without systemd.
    there.remove("/run/systemd/journal/socket")
    assert mail_log.LogMark({})._names == list(mail_log.MAIL_LOGS)


@pytest.mark.parametrize(
    ("address", "here", "dead"),
    [
        ("::1", True, False),
        ("::1", False, True),
        ("2001:db8::1", False, True),
        ("::", False, False),
        ("fe80::1", False, False),
        ("192.0.2.1", False, False),
    ],
)
def test_an_address_that_is_gone_makes_a_listener_dead(
    monkeypatch: pytest.MonkeyPatch, address: str, here: bool, dead: bool
) -> None:
    monkeypatch.setattr(master, "is_local", lambda _address: here)
    running = Master(1, None, frozenset({listeners.Listener(address, 25)}), None, None)
    assert master.holds_dead(running, []) is dead


def test_what_the_old_processes_say_when_they_end_is_no_complaint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "mail.log"
    log.write_text("")

    def says(program: str) -> Callable[..., None]:
        def write(*_arguments: object) -> None:
            with log.open("a") as stream:
                stream.write(f"Jan 1 h postfix/{program}[1]: fatal: unable to connect\n")

        return write

    monkeypatch.setattr(mail_log, "MAIL_LOGS", (str(log),))
    monkeypatch.setattr(programs, "find_program", lambda _name: None)
    monkeypatch.setattr(Control, "stop", says("smtpd"))
    monkeypatch.setattr(Control, "start", says("qmgr"))
    mark = mail_log.LogMark({})
    Control("/etc/postfix", "/var/spool/postfix").activate("restart", mark)
    assert mark.complaints() == ["postfix/qmgr[1]: fatal: unable to connect"]


def test_tables_of_a_configuration() -> None:
    main = main_cf.MainCf(
        "alias_maps = hash:/etc/aliases\nvirtual_alias_maps = proxy:unionmap:{lmdb:$config_directory/a, texthash:/b}\n"
        "smtp_tls_session_cache_database = btree:/var/lib/postfix/scache\nvirtual_transport = lmtp:unix:/run/lmtp\n"
    )
    master = master_cf.MasterCf(
        "587 inet n - n - - smtpd -o smtpd_client_restrictions=check_client_access,cidr:/c\n"
    )
    found = maps.references(main, master, {"config_directory": "/etc/postfix"})
    assert [(ref.spec, ref.file) for ref in found] == [
        ("hash:/etc/aliases", "main.cf"),
        ("lmdb:/etc/postfix/a", "main.cf"),
        ("texthash:/b", "main.cf"),
        ("cidr:/c", "master.cf"),
    ]
    assert maps.tool_for(found, "/etc/aliases") == ["postalias"]
    assert maps.tool_for(found, "/etc/postfix/a") == ["postmap"]
    sni = maps.MapReference("hash", "/etc/postfix/sni", "tls_server_sni_maps", "main.cf", 3)
    assert maps.tool_for([sni], "/etc/postfix/sni") == ["postmap", "-F"]


def test_stale_tables(tmp_path: Path) -> None:
    source, compiled = tmp_path / "virtual", tmp_path / "virtual.lmdb"
    assert maps.is_stale("lmdb", str(source)) is False
    source.write_text("a b\n")
    assert maps.is_stale("lmdb", str(source)) is True
    compiled.write_text("")
    os.utime(source, (100, 100))
    assert maps.is_stale("lmdb", str(source)) is False
    os.utime(compiled, (99, 99))
    assert maps.is_stale("lmdb", str(source)) is True
    assert maps.is_stale("texthash", str(source)) is False


def test_paths_below_the_live_directory_are_judged_in_the_stage() -> None:
    assert (
        text.staged_path("/etc/postfix/a", "/etc/.postfix.stage", "/etc/postfix") == "/etc/.postfix.stage/a"
    )
    assert text.staged_path("/etc/postfix2/a", "/etc/.postfix.stage", "/etc/postfix") == "/etc/postfix2/a"
    assert text.staged_path("/etc/aliases", "/s", "/etc/postfix") == "/etc/aliases"


def test_words_that_take_an_argument_are_restrictions() -> None:
    assert set(values.RESTRICTION_ARGUMENTS) <= values.RESTRICTIONS


def test_passwords_in_main_cf_are_masked() -> None:
    assert info.masked("smtp_sasl_password_maps", "static:joe:secret") == "static:********"
    assert (
        info.masked("smtp_sasl_password_maps", "inline:{[a]=joe:secret}, texthash:/x")
        == "inline:********, texthash:/x"
    )
    assert info.masked("virtual_alias_maps", "static:joe") == "static:joe"


def test_queue_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "find_program", lambda _name: None)
    (tmp_path / "deferred" / "A").mkdir(parents=True)
    (tmp_path / "deferred" / "A" / "A1").write_text("")
    (tmp_path / "hold").mkdir()
    (tmp_path / "hold" / "B1").write_text("")
    result = info.queue(str(tmp_path), "/etc/postfix")
    assert (result["deferred"], result["hold"], result["total"], result["oldest"]) == (1, 1, 2, None)
