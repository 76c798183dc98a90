"""What on this host is in Postfix's way, found before anything changes.

Another mail server and its queue, a masked unit, a foreign listener, a file system that takes no writing, a package
manager that is busy.

The rule of this file: files are read, /proc above all; no program is run, nothing waits, nothing changes.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import fnmatch
import ipaddress
import os
from typing import Collection, Iterable, Iterator, Mapping, NamedTuple, Sequence

from ..files import master_cf
from . import listeners, processes
from .distributions import UNIT_DIRECTORIES

DPKG_STATUS = "/var/lib/dpkg/status"
# Who installs takes one of these first, by fcntl(2).
LOCKS = ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock")
CGROUP = "/proc/{}/cgroup"
_SENDMAIL = ("/usr/sbin/sendmail", "/usr/lib/sendmail", "/var/qmail/bin/sendmail")


class Obstacle(NamedTuple):
    """One thing in the way: what it is and what to do. Where it does not stop the change, it is told."""

    problem: str
    remedy: str
    stops: bool = True

    def __str__(self) -> str:
        return f"{self.problem}. {self.remedy}"


class Mta(NamedTuple):
    """A mail server that may be where Postfix is to be. One message is one file that matches a pattern of `queue`."""

    title: str
    packages: str
    """A pattern of the names of its packages, and of what sendmail(1) may be a link to."""
    queue: tuple[str, ...] = ()
    daemons: tuple[str, ...] = ()
    flush: str = ""
    show: str = ""


# The queues as each one's own manual describes them.
MTAS = (
    Mta(
        "Exim", "exim*",
        ("/var/spool/exim*/input/*-H", "/var/spool/exim*/input/?/*-H"), ("exim4", "exim"), "exim -qff", "exim -bp",
    ),
    Mta(
        "OpenSMTPD", "opensmtpd*",
        ("/var/spool/smtpd/queue/??/????????",), ("smtpd",), "smtpctl schedule all", "smtpctl show queue",
    ),
    Mta(
        "nullmailer", "nullmailer*",
        ("/var/spool/nullmailer/queue/*", "/var/spool/nullmailer/failed/*"), (), "nullmailer-send -d", "mailq",
    ),
    Mta("DragonFly Mail Agent", "dma*", ("/var/spool/dma/Q*",), (), "dma -q", "dma -bp"),
    Mta("msmtp", "msmtp*"),
    Mta("sSMTP", "ssmtp*"),
    Mta("esmtp", "esmtp*"),
    Mta("Masqmail", "masqmail*", ("/var/spool/masqmail/input/*-H",), ("masqmail",), "masqmail -q", "masqmail -bp"),
    Mta(
        "Courier", "courier-mta*",
        ("/var/lib/courier/msgq/*/C*", "/var/spool/courier/msgq/*/C*"), ("couriertcpd",), "courier flush", "mailq",
    ),
    Mta(
        "qmail", "*qmail*",
        ("/var/qmail/queue/mess/*/*", "/var/lib/qmail/queue/mess/*/*"), ("tcpserver", "qmail-smtpd"),
        "pkill -ALRM qmail-send", "qmail-qstat",
    ),
    Mta("Citadel", "citadel*", (), ("citserver",)),
    Mta("XMail", "xmail*", ("/var/spool/xmail/spool/*/*/mess/*", "/var/lib/xmail/spool/*/*/mess/*"), ("XMail",)),
    Mta(
        "Sendmail", "sendmail*",
        ("/var/spool/mqueue/[qQh]f*", "/var/spool/mqueue-client/[qQh]f*"), ("sendmail-mta", "sendmail"),
        "sendmail -q -v", "mailq",
    ),
)  # fmt: skip
# A package of this name says that there is no mail server.
_NONE = ("lsb-invalid-mta", "postfix")


class Neighbour(NamedTuple):
    """The mail server that this host has in Postfix's place."""

    mta: Mta
    package: str
    queued: int
    queue: str
    """The directory in which those messages are; empty where there are none."""
    replaced: bool
    """Whether the package manager takes it away when it installs Postfix."""


# ---------------------------------------------------------------------------------------------- another mail server


def installed_mtas(status: str) -> list[str]:
    """The packages that dpkg's status file has as installed and that provide mail-transport-agent."""
    found = []
    for paragraph in status.split("\n\n"):
        if "mail-transport-agent" not in paragraph:
            continue
        fields = dict(
            line.split(": ", 1) for line in paragraph.splitlines() if line[:1] != " " and ": " in line
        )
        provided = [word.split("(")[0].strip() for word in fields.get("Provides", "").split(",")]
        # Half-installed and unpacked ones are removed as well.
        there = fields.get("Status", "").split(" ")[-1] not in ("", "not-installed", "config-files")
        if there and "mail-transport-agent" in provided and fields.get("Package") not in _NONE:
            found.append(fields["Package"])
    return found


def mta_named(name: str) -> Mta:
    """The mail server of a package or program; one that is not known has no queue that is known."""
    return next((mta for mta in MTAS if fnmatch.fnmatchcase(name, mta.packages)), Mta(name, name))


def sendmail_target(target: str) -> str | None:
    """The mail server behind sendmail(1), from the file that it is in the end; None where none is known there.

    Red Hat's alternatives lead to sendmail.sendmail, sendmail.postfix, sendmail.exim. A plain sendmail may be
    anybody's.
    """
    name = "qmail" if "/qmail/" in target else os.path.basename(target)
    kind = name.partition(".")[2] if name.startswith("sendmail.") else name
    plain = name == "sendmail"
    return kind if not plain and any(fnmatch.fnmatchcase(kind, mta.packages) for mta in MTAS) else None


def neighbours(root: str = "/") -> list[Neighbour]:
    """The other mail servers of this host."""
    status = os.path.join(root, DPKG_STATUS.lstrip("/"))
    if os.path.exists(status):
        with open(status, encoding="utf-8", errors="replace") as handle:
            names, replaced = installed_mtas(handle.read()), True
    else:
        paths = (os.path.join(root, path.lstrip("/")) for path in _SENDMAIL)
        targets = [sendmail_target(os.path.realpath(path)) for path in paths if os.path.exists(path)]
        names, replaced = list(dict.fromkeys(name for name in targets if name)), False
    found = ((mta_named(name), name) for name in names)
    return [Neighbour(mta, name, *queued(mta, root), replaced) for mta, name in found]


def queued(mta: Mta, root: str = "/") -> tuple[int, str]:
    """How many messages wait in its queue, and the directory that they are all below."""
    found = [path for pattern in mta.queue for path in _matching(root, pattern.lstrip("/").split("/"))]
    below = os.path.commonpath([os.path.dirname(path) for path in found]) if found else ""
    return len(found), "/" + os.path.relpath(below, root) if below else ""


def _matching(directory: str, parts: Sequence[str]) -> Iterator[str]:
    """glob(3), where a directory that cannot be read is empty."""
    with contextlib.suppress(OSError):
        for name in os.listdir(directory) if _wild(parts[0]) else parts[:1]:
            path = os.path.join(directory, name)
            if not fnmatch.fnmatchcase(name, parts[0]) or not os.path.lexists(path):
                continue
            if len(parts) == 1:
                yield path
            else:
                yield from _matching(path, parts[1:])


def _wild(part: str) -> bool:
    return any(char in part for char in "*?[")


def survivors() -> list[processes.Process]:
    """Daemons whose mail server is not installed any more, and that its removal did not end.

    Each is in a unit of that server's name here, so that nobody's container is meant.
    """
    there = {other.mta for other in neighbours()}
    daemons = {name: mta for mta in MTAS if mta not in there for name in mta.daemons}
    return [
        process
        for process in _processes()
        if process.name in daemons and _is_unit_of(daemons[process.name], process.pid)
    ]


def _is_unit_of(mta: Mta, pid: int) -> bool:
    with contextlib.suppress(OSError), open(CGROUP.format(pid), encoding="utf-8") as handle:
        unit, dot, kind = os.path.basename(handle.read().rstrip("\n")).rpartition(".")
        return (
            bool(dot)
            and kind == "service"
            and (unit in mta.daemons or fnmatch.fnmatchcase(unit, mta.packages))
        )
    return False


def judge_mta(found: Neighbour, replace: bool) -> Obstacle:
    """What is said of another mail server, and whether it stops the change."""
    mta, name = found.mta, found.package
    called = mta.title if mta.title == name else f"{mta.title} ({name})"
    waiting = f"{found.queued} message{'' if found.queued == 1 else 's'}"
    mail = f", with {waiting} in its queue ({found.queue})" if found.queued else ""
    if replace:
        problem = f"The mail server {called} is replaced{mail or '; its queue is empty'}"
        return Obstacle(problem, _what_stays(found), stops=False)
    goes = (
        "installing Postfix would remove it"
        if found.replaced
        else "it would no longer be this host's sendmail"
    )
    remedy = "To replace it, set postfix_replace: true (replace_mta of the module)"
    if found.queued:
        flush = f": {mta.flush} (see what is there with: {mta.show})" if mta.flush else ""
        remedy = f"Nothing delivers that mail once it is gone, so deliver it first{flush}. {remedy}"
    return Obstacle(f"The mail server {called} is installed here{mail}, and {goes}", remedy + ".")


def _what_stays(found: Neighbour) -> str:
    """What is left of a mail server that is replaced, and how mail in its queue is delivered all the same."""
    if not found.queued:
        return "Its settings stay in /etc."
    if not found.replaced:
        by = f": {found.mta.flush}" if found.mta.flush else ""
        return f"Postfix does not deliver that mail; {found.mta.title}, which stays installed, still can{by}."
    run = f" and run {found.mta.flush} there" if found.mta.flush else ""
    return (
        "The messages stay there as files, and nothing on this host delivers them any more. To have them delivered, "
        f"copy that directory to a host with {found.mta.title}{run}."
    )


# ---------------------------------------------------------------------------------------------- units and listeners


def masked_unit(directories: Iterable[str] = UNIT_DIRECTORIES) -> str | None:
    """The unit of Postfix that systemctl mask has been used on: a link to /dev/null, or an empty file."""
    seen = set()
    for directory in directories:
        for name in ("postfix.service", "postfix@-.service", "postfix@.service"):
            path = os.path.join(directory, name)
            if name in seen or not os.path.lexists(path):
                continue
            seen.add(name)
            with contextlib.suppress(OSError):
                if os.path.realpath(path) == "/dev/null" or os.stat(path).st_size == 0:
                    return name
    return None


def conflicts(wished: listeners.Listener, held: listeners.Listener) -> bool:
    """Whether bind(2) would fail: one address, or one of the two is all of them."""
    if wished.port != held.port:
        return False
    one, other = ipaddress.ip_address(wished.address), ipaddress.ip_address(held.address)
    if one.version == other.version:
        return one == other or one.is_unspecified or other.is_unspecified
    # A socket for all of IPv6 holds IPv4 as well, if it was not told otherwise; Postfix's is.
    return other.version == 6 and other.is_unspecified


def holders(inodes: Collection[str]) -> dict[str, processes.Process]:
    """The processes that hold these sockets, as far as this user may see."""
    found: dict[str, processes.Process] = {}
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        with contextlib.suppress(OSError):
            for descriptor in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    inode = os.readlink(f"/proc/{pid}/fd/{descriptor}")[8:-1]
                    process = processes.process(pid) if inode in inodes and inode not in found else None
                    if process:
                        found[inode] = process
    return found


def foreign_listeners(wished: Collection[listeners.Listener], spared: Collection[str]) -> list[Obstacle]:
    """What holds a socket that Postfix needs. `spared` are programs that will be gone by then."""
    held = [
        (listener, inode)
        for listener, inode, _user in listeners.listening("/proc/self/net")
        if any(conflicts(wish, listener) for wish in wished)
    ]
    if not held:
        return []
    known = holders({inode for _listener, inode in held})
    # A Postfix whose queue directory is not where main.cf says is Postfix all the same.
    unseen_is_postfix = any(process.name == "master" for process in _processes())
    found: dict[int, str] = {}
    for listener, inode in held:
        process = known.get(inode)
        if process is None and (unseen_is_postfix or spared):
            continue
        if process is not None and process.name in ("master", *spared):
            continue
        found.setdefault(
            listener.port,
            f"by {process.name} (process {process.pid})" if process else _unseen(),
        )
    return [judge_listener(port, holder) for port, holder in sorted(found.items())]


def _unseen() -> str:
    """The words for a process whose sockets are hidden from this user, as other users' are in many containers."""
    daemons = {name for mta in MTAS for name in mta.daemons}
    running = [process for process in _processes() if process.name in daemons]
    likely = f", most likely {running[0].name} (process {running[0].pid})" if running else ""
    return f"by a process that cannot be seen from here{likely}"


def judge_listener(port: int, holder: str) -> Obstacle:
    without = (
        "Or let Postfix not listen there; it sends mail all the same: postfix_smtp_inbound: false"
        if port == 25
        else f"Or take {port} out of postfix_submission_ports, if it is there; else let Postfix not listen there: "
        f"postfix_services: [{{service: {port}, type: inet, state: absent}}]"
    )
    return Obstacle(
        f"Port {port}, on which Postfix is to listen, is held {holder}",
        f"Stop that program and keep it from starting again. {without}.",
    )


def _processes() -> Iterator[processes.Process]:
    for name in os.listdir("/proc"):
        process = processes.process(int(name)) if name.isdigit() else None
        if process:
            yield process


# ---------------------------------------------------------------------------------------------- the host itself


def read_only(directories: Iterable[str]) -> Obstacle | None:
    """A directory that must be written to and lies on a file system that is mounted read-only."""
    for directory in directories:
        with contextlib.suppress(OSError):
            if os.statvfs(directory).f_flag & os.ST_RDONLY:
                return Obstacle(
                    f"{directory} is on a file system that is mounted read-only, so Postfix cannot be configured there",
                    "Mount it for writing, or make the change where the image of this host is built.",
                )
    return None


def lock_holder(paths: Iterable[str] = LOCKS, table: str = "/proc/locks") -> int | None:
    """The process that holds one of the locks of apt and dpkg; None where none does, or nobody says."""
    wanted = set()
    for path in paths:
        with contextlib.suppress(OSError):
            wanted.add(os.stat(path).st_ino)
    with contextlib.suppress(OSError), open(table, encoding="ascii") as handle:
        for line in handle:
            fields = line.split()
            # "1: POSIX  ADVISORY  WRITE 812 08:01:131 0 EOF"; what waits has an arrow in the second column.
            if fields[1] == "POSIX" and int(fields[5].split(":")[-1]) in wanted:
                return int(fields[4])
    return None


def waiting_for() -> str | None:
    """The sentence for a host whose package manager is busy."""
    pid = lock_holder()
    if pid is None:
        return None
    process = processes.process(pid)
    who = f"{process.name} (process {pid})" if process else f"process {pid}"
    return f"The package manager of this host is locked by {who}, so the installation has to wait until that is done."


def remarks() -> list[str]:
    """What a user should know of a host on which Postfix has just been started."""
    result = []
    if not os.path.isdir("/run/systemd/system") and processes.process(1) and not _starts_services():
        result.append(
            "No init system runs here: Postfix is started now, and nothing starts it when this host or container is "
            "started again. Let the container's command run postfix start-fg."
        )
    if not os.path.exists("/dev/log") and not os.path.exists("/run/systemd/journal/dev-log"):
        result.append(
            "Nothing listens on /dev/log here, so what Postfix logs is lost. Set maillog_file in postfix_parameters, "
            "for example to /var/log/postfix.log."
        )
    return result


def _starts_services() -> bool:
    return any(os.path.exists(path) for path in ("/run/openrc/softlevel", "/etc/inittab", "/sbin/runit"))


# ---------------------------------------------------------------------------------------------- all of it


def obstacles(
    config_directory: str,
    values: Mapping[str, str],
    services: Sequence[master_cf.Service],
    installed: bool = False,
    activate: str = "auto",
    replace_mta: bool = False,
    ending: Sequence[processes.Process] = (),
) -> list[Obstacle]:
    """What is in the way of a Postfix with these values of main.cf and services of master.cf.

    `ending` are processes that will be gone by then. For a host on which this Postfix runs there is nothing to ask.
    """
    default = os.path.realpath(config_directory) == os.path.realpath("/etc/postfix")
    places = [config_directory, os.path.dirname(config_directory)] if installed else ["/etc", "/usr", "/var"]
    found = [obstacle for obstacle in [read_only(places)] if obstacle]
    others = [] if installed else neighbours()
    found += [judge_mta(other, replace_mta) for other in others]
    if activate == "none":
        return found
    unit = masked_unit() if default else None
    if unit and os.path.isdir("/run/systemd/system"):
        found.append(
            Obstacle(
                f"{unit} is masked on this host, so nothing could start Postfix",
                f"Run systemctl unmask {unit}, and find out who masked it.",
            )
        )
    wished = listeners.expected_listeners(values, services)
    spared = [name for other in others if other.replaced for name in other.mta.daemons]
    spared += [process.name for process in ending]
    return found + foreign_listeners(wished or (), spared)
