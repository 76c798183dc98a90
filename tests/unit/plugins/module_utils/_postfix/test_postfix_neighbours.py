"""What is in Postfix's way: tables, files in a root of their own, and this machine's real locks and sockets."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import neighbours, processes
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host.listeners import Listener

on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the /proc of Linux")


def paragraph(package: str, provides: str, status: str = "install ok installed") -> str:
    return f"Package: {package}\nStatus: {status}\nProvides: {provides}\nDescription: x\n more\n\n"


@pytest.mark.parametrize(
    ("status", "names"),
    [
        (paragraph("exim4-daemon-light", "exim4-localscanapi-4.1, mail-transport-agent"), ["exim4-daemon-light"]),
        (paragraph("opensmtpd", "mail-transport-agent (= 1)"), ["opensmtpd"]),
        (paragraph("dma", "mail-transport-agent", "install ok half-configured"), ["dma"]),
        (paragraph("dma", "mail-transport-agent", "hold ok installed"), ["dma"]),
        (paragraph("dma", "mail-transport-agent", "deinstall ok config-files"), []),
        (paragraph("dma", "mail-transport-agent", "purge ok not-installed"), []),
        (paragraph("postfix", "mail-transport-agent"), []),
        (paragraph("lsb-invalid-mta", "mail-transport-agent"), []),
        (paragraph("mailutils", "mailx") + paragraph("msmtp-mta", "mail-transport-agent"), ["msmtp-mta"]),
        ("Package: cron\nStatus: install ok installed\nRecommends: default-mta | mail-transport-agent\n", []),
        ("", []),
    ],
)  # fmt: skip
def test_installed(status: str, names: list[str]) -> None:
    assert neighbours.installed_mtas(status) == names


@pytest.mark.parametrize(
    ("package", "title"),
    [
        ("exim4-daemon-heavy", "Exim"),
        ("opensmtpd", "OpenSMTPD"),
        ("nullmailer", "nullmailer"),
        ("dma", "DragonFly Mail Agent"),
        ("msmtp-mta", "msmtp"),
        ("ssmtp", "sSMTP"),
        ("esmtp-run", "esmtp"),
        ("sendmail-bin", "Sendmail"),
        ("courier-mta", "Courier"),
        ("qmail-run", "qmail"),
        ("netqmail", "qmail"),
        ("citadel-server", "Citadel"),
        ("masqmail", "Masqmail"),
        ("xmail", "XMail"),
        ("a-new-one", "a-new-one"),
    ],
)
def test_title(package: str, title: str) -> None:
    assert neighbours.mta_named(package).title == title


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("/usr/sbin/sendmail.exim", "exim"),
        ("/usr/sbin/sendmail.sendmail", "sendmail"),
        ("/usr/sbin/sendmail.postfix", None),
        ("/usr/sbin/sendmail", None),
        ("/usr/bin/msmtp", "msmtp"),
        ("/usr/sbin/ssmtp", "ssmtp"),
        ("/usr/sbin/exim4", "exim4"),
        ("/var/qmail/bin/sendmail", "qmail"),
        ("/usr/local/bin/my-script", None),
        ("/bin/busybox", None),
    ],
)
def test_sendmail(target: str, name: str | None) -> None:
    assert neighbours.sendmail_target(target) == name


@pytest.mark.parametrize(
    ("package", "files", "count", "queue"),
    [
        ("exim4", ["/var/spool/exim4/input/1-H", "/var/spool/exim4/input/1-D"], 1, "/var/spool/exim4/input"),
        ("exim4", ["/var/spool/exim4/input/a/1-H", "/var/spool/exim4/input/b/2-H"], 2, "/var/spool/exim4/input"),
        ("exim", ["/var/spool/exim/input/1-H"], 1, "/var/spool/exim/input"),
        ("exim4", ["/var/spool/exim4/db/retry", "/var/spool/exim4/msglog/1"], 0, ""),
        ("opensmtpd", ["/var/spool/smtpd/queue/ab/abcdef01/envelope"], 1, "/var/spool/smtpd/queue/ab"),
        ("nullmailer", ["/var/spool/nullmailer/queue/1", "/var/spool/nullmailer/failed/2"], 2, "/var/spool/nullmailer"),
        ("dma", ["/var/spool/dma/Q1.2", "/var/spool/dma/M1.2", "/var/spool/dma/flush"], 1, "/var/spool/dma"),
        ("sendmail-bin", ["/var/spool/mqueue/qfx1", "/var/spool/mqueue/dfx1"], 1, "/var/spool/mqueue"),
        ("netqmail", ["/var/lib/qmail/queue/mess/3/77", "/var/lib/qmail/queue/info/3/77"], 1,
         "/var/lib/qmail/queue/mess/3"),
        ("msmtp-mta", ["/var/spool/exim4/input/1-H"], 0, ""),
    ],
)  # fmt: skip
def test_queue(package: str, files: list[str], count: int, queue: str, tmp_path: Path) -> None:
    for name in files:
        path = tmp_path / name[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    assert neighbours.queued(neighbours.mta_named(package), str(tmp_path)) == (count, queue)


def test_neighbours_of_a_root(tmp_path: Path) -> None:
    """dpkg's word counts where there is dpkg; elsewhere where sendmail(1) leads to."""
    sbin = tmp_path / "usr/sbin"
    sbin.mkdir(parents=True)
    (sbin / "sendmail.exim").write_text("")
    (sbin / "sendmail").symlink_to("sendmail.exim")
    [found] = neighbours.neighbours(str(tmp_path))
    assert (found.mta.title, found.package, found.queued, found.replaced) == ("Exim", "exim", 0, False)
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(paragraph("nullmailer", "mail-transport-agent"))
    [found] = neighbours.neighbours(str(tmp_path))
    assert (found.mta.title, found.replaced) == ("nullmailer", True)


def found(package: str, count: int = 0, replaced: bool = True) -> neighbours.Neighbour:
    return neighbours.Neighbour(
        neighbours.mta_named(package), package, count, "/queue" if count else "", replaced
    )


@pytest.mark.parametrize(
    ("neighbour", "replace", "stops", "words", "silent"),
    [
        (found("exim4", 1), False, True, ["with 1 message in its queue (/queue)", "exim -qff"], ""),
        (found("exim4", 1), False, True, ["postfix_replace: true"], ""),
        (found("exim4", 2), False, True, ["with 2 messages in"], ""),
        (found("exim4"), False, True, ["would remove it", "postfix_replace: true"], "queue"),
        (found("exim", 1, False), False, True, ["no longer be this host's sendmail"], "would remove"),
        (found("exim4", 1), True, False, ["is replaced, with 1 message", "copy that directory", "exim -qff"], "first"),
        (found("exim4"), True, False, ["its queue is empty", "/etc"], "deliver"),
        (found("exim", 1, False), True, False, ["stays installed", "exim -qff"], "copy"),
        (found("unheard-of", 0), False, True, ["The mail server unheard-of is installed"], "(unheard-of)"),
    ],
)  # fmt: skip
def test_sentence(
    neighbour: neighbours.Neighbour, replace: bool, stops: bool, words: list[str], silent: str
) -> None:
    made = neighbours.judge_mta(neighbour, replace)
    assert made.stops is stops
    assert all(word in str(made) for word in words), made
    assert not silent or silent not in str(made)


@pytest.mark.parametrize(
    ("wished", "held", "conflict"),
    [
        (("127.0.0.1", 25), ("127.0.0.1", 25), True),
        (("127.0.0.1", 25), ("0.0.0.0", 25), True),
        (("0.0.0.0", 25), ("192.0.2.1", 25), True),
        (("127.0.0.1", 25), ("192.0.2.1", 25), False),
        (("127.0.0.1", 25), ("127.0.0.1", 587), False),
        (("127.0.0.1", 25), ("::", 25), True),
        (("127.0.0.1", 25), ("::1", 25), False),
        (("::1", 25), ("0.0.0.0", 25), False),
        (("::1", 25), ("::", 25), True),
        (("::", 25), ("::1", 25), True),
    ],
)
def test_conflicts(wished: tuple[str, int], held: tuple[str, int], conflict: bool) -> None:
    assert neighbours.conflicts(Listener(*wished), Listener(*held)) is conflict


@pytest.mark.parametrize(
    ("make", "masked"),
    [
        (lambda unit: unit.symlink_to("/dev/null"), "postfix.service"),
        (lambda unit: unit.write_text(""), "postfix.service"),
        (lambda unit: unit.write_text("[Unit]\n"), None),
        (lambda unit: None, None),
    ],
)
def test_masked(make: object, masked: str | None, tmp_path: Path) -> None:
    make(tmp_path / "postfix.service")  # type: ignore[operator]
    assert neighbours.masked_unit([str(tmp_path), str(tmp_path / "absent")]) == masked


def test_etc_goes_before_lib(tmp_path: Path) -> None:
    """A unit of its own in /etc counts, whatever lies below /lib."""
    for name in ("etc", "lib"):
        (tmp_path / name).mkdir()
    (tmp_path / "etc/postfix.service").write_text("[Unit]\n")
    (tmp_path / "lib/postfix.service").symlink_to("/dev/null")
    assert neighbours.masked_unit([str(tmp_path / "etc"), str(tmp_path / "lib")]) is None


@on_linux
def test_foreign_listener() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        [made] = neighbours.foreign_listeners([Listener("127.0.0.1", port)], [])
        assert made.stops and f"Port {port}" in str(made) and f"(process {os.getpid()})" in str(made)
        assert f"{{service: {port}, type: inet, state: absent}}" in str(made)
        name = Path("/proc/self/stat").read_text().split("(")[1].split(")")[0]
        assert neighbours.foreign_listeners([Listener("127.0.0.1", port)], [name]) == []
    assert neighbours.foreign_listeners([Listener("127.0.0.1", port)], []) == []


@pytest.mark.parametrize(
    ("name", "unit", "installed", "found"),
    [
        ("exim4", "exim4.service", "", True),
        ("exim4", "exim4.service", "exim4-daemon-light", False),
        ("exim4", "docker-0b9aa5.scope", "", False),
        ("exim4", "mail-container.service", "", False),
        ("smtpd", "opensmtpd.service", "", True),
        ("smtpd", "postfix@-.service", "", False),
        ("cron", "exim4.service", "", False),
    ],
)
def test_what_a_removed_mail_server_leaves_running(
    name: str, unit: str, installed: str, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cgroup").write_text(f"0::/system.slice/{unit}\n")
    process = processes.Process(77, name, "S", 1)
    others = (
        [neighbours.Neighbour(neighbours.mta_named(installed), installed, 0, "", True)] if installed else []
    )
    monkeypatch.setattr(neighbours, "_processes", lambda: iter([process]))
    monkeypatch.setattr(neighbours, "neighbours", lambda: others)
    monkeypatch.setattr(neighbours, "CGROUP", f"{tmp_path}/cgroup")
    assert neighbours.survivors() == ([process] if found else [])


@on_linux
@pytest.mark.parametrize(("command", "ends"), [("sleep 60", True), ("trap '' TERM; echo; sleep 60", False)])
def test_a_process_is_asked_to_end(command: str, ends: bool) -> None:
    with subprocess.Popen(
        ["sh", "-c", f"echo; {command}"], stdout=subprocess.PIPE, start_new_session=True
    ) as child:
        assert child.stdout
        child.stdout.readline()
        if not ends:
            child.stdout.readline()
        found = processes.process(child.pid)
        assert found
        try:
            # The number is another process's by now: it is not asked.
            assert processes.end(found._replace(ticks=1), 0.3)
            time.sleep(0.2)
            assert child.poll() is None
            assert processes.end(found, 0.3) is ends
        finally:
            os.killpg(child.pid, signal.SIGKILL)


@on_linux
def test_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock-frontend"
    path.write_text("")
    assert neighbours.lock_holder([str(path)]) is None
    script = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print(); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stdout.readline()
        with path.open("w") as handle, pytest.raises(OSError):
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        holder = neighbours.lock_holder([str(tmp_path / "absent"), str(path)])
        assert process.stdin
        process.stdin.close()
    assert holder == process.pid


def test_lock_that_somebody_waits_for(tmp_path: Path) -> None:
    """The second line of a lock is who waits for it, not who holds it."""
    path = tmp_path / "lock"
    path.write_text("")
    inode = path.stat().st_ino
    table = tmp_path / "locks"
    table.write_text(
        f"1: FLOCK  ADVISORY  WRITE 7 08:01:{inode} 0 EOF\n2: POSIX  ADVISORY  WRITE 8 08:01:{inode} 0 EOF\n"
        f"2: -> POSIX  ADVISORY  WRITE 9 08:01:{inode} 0 EOF\n"
    )
    assert neighbours.lock_holder([str(path)], str(table)) == 8


def test_writable_places() -> None:
    assert neighbours.read_only(["/nowhere/at/all"]) is None
