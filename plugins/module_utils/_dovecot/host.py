"""The Dovecot of this host: what it says of its configuration, how it is told of a new one, whether it answers.

The rule of this file: nothing here changes the configuration, or decides what it is to be.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import tempfile
import time
from typing import Iterator, NamedTuple

from .._postfix.host import programs
from .._postfix.host.control import unit_file
from .._postfix.host.distributions import DOVECOT_DIRECTORIES
from . import settings

_ASKED = (
    "auth_mechanisms", "auth_username_format", "auth_default_realm", "auth_default_domain",
    "default_internal_group", "base_dir", "protocols", "passdb", "service/auth",
)  # fmt: skip
# Files of a configuration are smaller; lists of users may not be, and are no settings.
_LARGEST = 256 * 1024
_UNIT = "dovecot.service"


class DovecotError(Exception):
    """What is in the way, and what to do about it."""


class Answer(NamedTuple):
    """What the service auth says to a client that connects to its socket."""

    process: int
    mechanisms: tuple[str, ...]


def installed() -> bool:
    return all(programs.find_program(name) for name in ("dovecot", "doveconf", "doveadm"))


def version() -> settings.Version:
    """Of the Dovecot that is installed. Raises DovecotError for one that is not known here."""
    said = programs.run(["dovecot", "--version"])
    found = settings.version(said.output)
    if found not in settings.KNOWN:
        known = " and ".join(each.text for each in settings.KNOWN)
        raise DovecotError(
            f"dovecot --version says {said.output.strip() or said.errors.strip() or 'nothing'}, and versions {known} "
            "are known here"
        )
    return found


def main_file() -> str:
    """The path of dovecot.conf. Raises DovecotError where there is none."""
    named = settings.main_file(programs.run(["doveconf", "-n"]).output)
    for path in (named, *(os.path.join(directory, "dovecot.conf") for directory in DOVECOT_DIRECTORIES)):
        if path and os.path.isfile(path):
            return path
    raise DovecotError(f"Dovecot is installed, and has no dovecot.conf in {DOVECOT_DIRECTORIES[0]}")


@contextlib.contextmanager
def copy_of(path: str, own: dict[str, str | None]) -> Iterator[str]:
    """A private copy of the configuration around dovecot.conf, with these files in it or, for None, without them."""
    source = os.path.dirname(path)
    room = tempfile.mkdtemp(prefix="mailops-", dir="/run" if os.access("/run", os.W_OK) else None)
    try:
        for folder, _folders, names in os.walk(source):
            target = os.path.join(room, os.path.relpath(folder, source))
            os.makedirs(target, 0o700, exist_ok=True)
            for name in names:
                with contextlib.suppress(OSError):
                    _copy(os.path.join(folder, name), os.path.join(target, name), source)
        for name, content in own.items():
            place = os.path.join(room, name)
            if content is not None:
                os.makedirs(os.path.dirname(place), 0o700, exist_ok=True)
                with open(place, "w", encoding="utf-8") as handle:
                    handle.write(content)
            elif os.path.lexists(place):
                os.unlink(place)
        yield os.path.join(room, os.path.basename(path))
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _copy(source: str, target: str, directory: str) -> None:
    if os.path.isfile(source) and os.path.getsize(source) <= _LARGEST:
        with open(source, encoding="utf-8", errors="surrogateescape") as handle:
            text = settings.relative_includes(handle.read(), directory)
        with open(target, "w", encoding="utf-8", errors="surrogateescape") as handle:
            handle.write(text)


def complaint(path: str) -> str:
    """Why Dovecot does not take the configuration of this dovecot.conf; empty where it does."""
    done = programs.run(["doveconf", "-n", "-c", path])
    return "" if done.code == 0 else _words(done, path)


def ask(path: str) -> settings.Section:
    """The settings that matter here, of this dovecot.conf."""
    return settings.parse(programs.run(["doveconf", "-c", path, *_ASKED]).output)


def internal_group(path: str) -> str:
    """The group of Dovecot's own processes."""
    return programs.run(["doveconf", "-c", path, "-h", "default_internal_group"]).output.strip() or "dovecot"


def ask_smtp(path: str) -> list[settings.PassDb]:
    """Where the passwords of Postfix's clients are looked up, in their order."""
    done = programs.run(["doveconf", "-c", path, "-f", "protocol=smtp", "passdb"])
    if done.code:
        # 2.4 refuses to show a passdb of one protocol alone, which it takes.
        done = programs.run(["doveconf", "-c", path, "passdb"])
    return settings.passdbs(settings.parse(done.output))


def schemes() -> set[str]:
    """The password schemes that this Dovecot knows."""
    return set(programs.run(["doveadm", "pw", "-l"]).output.split())


def _words(done: programs.Ran, path: str) -> str:
    """The last words of a program, with paths as they are on the host."""
    lines = [
        line.strip()
        for line in (done.errors or done.output).splitlines()
        if "Fatal" in line or "Error" in line
    ]
    said = lines[-1] if lines else f"exit status {done.code}"
    return said.replace(os.path.dirname(path) + "/", "")


# ---------------------------------------------------------------------------------------------------- the running one


def answer(path: str, seconds: float = 2.0) -> Answer | None:
    """What the service auth behind a socket says; None where nobody does."""
    try:
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as client:
            client.settimeout(seconds)
            client.connect(path)
            client.sendall(f"VERSION\t1\t1\nCPID\t{os.getpid()}\n".encode())
            said = b""
            while b"\nDONE\n" not in said and len(said) < 65536:
                more = client.recv(4096)
                if not more:
                    return None
                said += more
    except OSError:
        return None
    rows = [line.split("\t") for line in said.decode("ascii", "replace").splitlines()]
    process = next((row[1] for row in rows if row[0] == "SPID" and len(row) > 1), "0")
    mechanisms = tuple(
        row[1] for row in rows if row[0] == "MECH" and len(row) > 1 and "private" not in row[2:]
    )
    return Answer(int(process) if process.isdigit() else 0, mechanisms)


def running(base: str) -> bool:
    """Whether Dovecot's master runs."""
    with contextlib.suppress(OSError, ValueError), open(f"{base}/master.pid", encoding="ascii") as handle:
        os.kill(int(handle.read()), 0)
        return True
    return False


def _unit() -> bool:
    return os.path.isdir("/run/systemd/system") and unit_file(_UNIT) is not None


def masked() -> bool:
    return _unit() and os.path.realpath(unit_file(_UNIT) or "") == "/dev/null"


def enabled() -> bool:
    """Whether Dovecot is started at boot, or nobody can say."""
    return not _unit() or programs.run(["systemctl", "is-enabled", "--quiet", _UNIT]).code == 0


def enable() -> None:
    _done(["systemctl", "enable", _UNIT])


def reload() -> None:
    _done(["doveadm", "reload"])


def retire(former: Answer | None) -> None:
    """End the auth process of before a reload.

    That of 2.4 goes on with its old settings while a client is connected, and an idle smtpd is for minutes. Clients
    that lose it connect anew.
    """
    if former is None or former.process <= 1:
        return
    with contextlib.suppress(OSError), open(f"/proc/{former.process}/comm", encoding="ascii") as handle:
        if handle.read().strip() == "auth":
            os.kill(former.process, signal.SIGTERM)


def start() -> None:
    if _unit():
        programs.run(["systemctl", "reset-failed", _UNIT])
    _done(["systemctl", "start", _UNIT] if _unit() else ["dovecot"])


def stop() -> None:
    _done(["systemctl", "stop", _UNIT] if _unit() else ["doveadm", "stop"])


def _done(command: list[str]) -> None:
    ran = programs.run(command)
    if ran.code:
        last = (ran.errors or ran.output).strip().splitlines()[-1:]
        raise DovecotError(f"{' '.join(command)} ended with {ran.code}: {''.join(last) or 'no message'}")


def log(since: float) -> list[str]:
    """What Dovecot has complained of since then."""
    said = programs.run(["doveadm", "log", "errors", "-s", str(int(since))], timeout=5)
    return said.output.splitlines()[-10:] if said.code == 0 else []


def wait_for(path: str, former: Answer | None, seconds: float) -> Answer | None:
    """The answer of an auth process other than the former one; None where none comes in time."""
    end = time.monotonic() + seconds
    while True:
        now = answer(path, min(2.0, seconds))
        if now and (former is None or now.process != former.process):
            return now
        if time.monotonic() > end:
            return None
        time.sleep(0.05)
