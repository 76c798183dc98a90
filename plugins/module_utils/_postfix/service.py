"""The running Postfix: what it is, what it has bound, how to reload, start and stop it, and whether it serves.

The rule of this file: what master(8) is and holds is asked of the process, in /proc, and not of its files. Nothing here
changes the configuration.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import shutil
import socket
import subprocess
import time
from typing import Iterable, Mapping, NamedTuple, Sequence

from .._base.addresses import IMPLICIT_TLS_PORTS, PORT_NAMES
from . import master_cf, processes, syntax

SEARCH_PATH = ("/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin", "/opt/postfix/sbin")
UNIT_DIRECTORIES = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
MAIL_LOGS = ("/var/log/mail.log", "/var/log/maillog", "/var/log/mail")
# postconf(5) asks for stop and start for the first two; master(8) keeps the others for its lifetime.
RESTART_PARAMETERS = (
    "inet_interfaces",
    "inet_protocols",
    "queue_directory",
    "data_directory",
    "daemon_directory",
    "mail_owner",
    "import_environment",
    "maillog_file",
)
# Programs that people and scripts run: their fatal errors say nothing about the daemons.
_TOOLS = (
    "sendmail",
    "postdrop",
    "postqueue",
    "postsuper",
    "postmap",
    "postalias",
    "postconf",
    "postcat",
    "postkick",
)
_BAD_LOG_LINE = re.compile(r"postfix[^\s\[]*/(?P<program>[\w.-]+)\[\d+\]: .*?\b(fatal|panic|throttling)\b")


class ServiceError(Exception):
    """Postfix could not be started, stopped or reloaded, or does not serve; the text says why."""


class Ran(NamedTuple):
    code: int
    output: str
    errors: str


def run(command: Sequence[str], timeout: float = 120.0, stdin: str | None = None) -> Ran:
    """Run a program without a shell, in the C locale; never raises for its exit code."""
    environment = {"PATH": ":".join((os.environ.get("PATH", ""), *SEARCH_PATH)), "LC_ALL": "C", "LANG": "C"}
    try:
        # AnsibleModule.run_command has neither a deadline nor standard input without a trace in the log.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            list(command),
            input=(stdin or "").encode("utf-8", "surrogateescape"),
            capture_output=True,
            timeout=timeout,
            env=environment,
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Ran(124, "", f"{command[0]} did not end within {timeout:g} s")
    except OSError as error:
        return Ran(127, "", f"{command[0]}: {error.strerror}")
    return Ran(
        done.returncode,
        done.stdout.decode("utf-8", "replace"),
        done.stderr.decode("utf-8", "replace"),
    )


def find_program(name: str) -> str | None:
    """The path of one of Postfix's commands, looked for where distributions put them."""
    return shutil.which(name, path=":".join((os.environ.get("PATH", ""), *SEARCH_PATH)))


# ---------------------------------------------------------------------------------------------- the process


class Listener(NamedTuple):
    address: str
    port: int


class Master(NamedTuple):
    """A running master(8): its process, the systemd unit it belongs to, its inet listeners, when it
    began, and when its queue manager began, which is when it last read its configuration. None: not known;
    the sockets are not where root lacks CAP_SYS_PTRACE, as in most containers."""

    pid: int
    unit: str | None
    listeners: frozenset[Listener] | None
    started_at: float | None
    loaded_at: float | None


def queue_directory(values: Mapping[str, str]) -> str:
    return values.get("queue_directory") or "/var/spool/postfix"


def running_master(queue: str) -> Master | None:
    """The master process of the instance with that queue directory, or None when it is not running."""
    try:
        with open(os.path.join(queue, "pid", "master.pid"), encoding="ascii") as handle:
            pid = int(handle.readline().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    if not _is_master(pid, queue):
        return None
    found = processes.process(pid)
    return Master(
        pid,
        _unit_of(pid),
        _listeners_of(pid),
        None if found is None else processes.began(found),
        _loaded_at(pid),
    )


def _is_master(pid: int, queue: str) -> bool:
    try:
        if not os.path.isdir("/proc/self"):
            os.kill(pid, 0)
            return True
        found = processes.process(pid)
        # In a container whose first process waits for none, what has ended stays as a zombie.
        if found is None or found.name != "master" or found.state in "ZX":
            return False
        try:
            return os.path.samefile(f"/proc/{pid}/cwd", queue)
        except PermissionError:
            return True
    except OSError:
        return False


def _unit_of(pid: int) -> str | None:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cgroup", encoding="utf-8") as handle:
        found = re.findall(r"/([^/\s]*postfix[^/\s]*\.service)", handle.read())
        if found:
            return str(found[-1])
    return None


def _listeners_of(pid: int) -> frozenset[Listener] | None:
    inodes = set()
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                target = os.readlink(f"/proc/{pid}/fd/{name}")
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
    except OSError:
        return None
    return frozenset(listener for listener, inode in listening(f"/proc/{pid}/net") if inode in inodes)


def listening(directory: str) -> Iterable[tuple[Listener, str]]:
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError), open(f"{directory}/{name}", encoding="ascii") as handle:
            for line in list(handle)[1:]:
                fields = line.split()
                if fields[3] == "0A":
                    address, port = fields[1].split(":")
                    yield Listener(_decode_address(address), int(port, 16)), fields[9]


def _decode_address(text: str) -> str:
    raw = bytes.fromhex(text)
    words = [raw[index : index + 4][::-1] for index in range(0, len(raw), 4)]
    return str(ipaddress.ip_address(b"".join(words)))


def all_listeners() -> set[Listener]:
    """Every TCP socket that listens in this network namespace, whoever holds it."""
    return {listener for listener, _inode in listening("/proc/self/net")}


def _loaded_at(pid: int) -> float | None:
    """When the queue manager began: master(8) replaces it at every reload, so that is the age of the
    configuration in force."""
    manager = processes.queue_manager(pid)
    return None if manager is None else processes.began(manager)


# ---------------------------------------------------------------------------------------------- expectations


def split_inet_service(name: str) -> tuple[str, str]:
    """host and port of an inet service name of master.cf: 25, 127.0.0.1:10025, [::1]:25, host:smtp."""
    host, _colon, port = name.rpartition(":")
    return host.strip("[]"), port


def port_number(text: str) -> int | None:
    """The TCP port of a number or a service name; None where services(5) does not know it."""
    if text.isdigit():
        return int(text) if 1 <= int(text) <= 65535 else None
    with contextlib.suppress(OSError):
        return socket.getservbyname(text, "tcp")
    return PORT_NAMES.get(text)


def ipv6_works() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def expected_listeners(
    values: Mapping[str, str], services: Iterable[master_cf.Service]
) -> set[Listener] | None:
    """The listeners that the configuration asks for; None where names would have to be resolved."""
    interfaces = syntax.split_list(values.get("inet_interfaces", "all") or "all")
    protocols = syntax.split_list(values.get("inet_protocols", "all") or "all")
    families = {4, 6} if "all" in protocols else {4 if word == "ipv4" else 6 for word in protocols}
    if 6 in families and not ipv6_works():
        families.discard(6)
    hosts: set[str] = set()
    for word in interfaces:
        if word == "all":
            hosts |= {"0.0.0.0", "::"}
        elif word == "loopback-only":
            hosts |= {"127.0.0.1", "::1"}
        else:
            try:
                hosts.add(str(ipaddress.ip_address(word.strip("[]"))))
            except ValueError:
                return None
    result = set()
    for service in services:
        if service.type != "inet":
            continue
        host, port_text = split_inet_service(service.service)
        port = port_number(port_text)
        if port is None:
            return None
        if host:
            try:
                result.add(Listener(str(ipaddress.ip_address(host)), port))
            except ValueError:
                return None
        else:
            result |= {Listener(each, port) for each in hosts}
    return {listener for listener in result if ipaddress.ip_address(listener.address).version in families}


def bound_otherwise(master: Master, values: Mapping[str, str], services: Iterable[master_cf.Service]) -> bool:
    """Whether the running master listens elsewhere than the configuration says."""
    expected = expected_listeners(values, services)
    return expected is not None and master.listeners is not None and expected != set(master.listeners)


def level_for_change(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """ "restart" where Postfix says that reload is not enough for this change of main.cf, else "reload"."""

    def words(values: Mapping[str, str], name: str) -> list[str]:
        default = "all" if name.startswith("inet_") else ""
        return syntax.split_list(values.get(name, "") or default)

    changed = any(words(old, name) != words(new, name) for name in RESTART_PARAMETERS)
    return "restart" if changed else "reload"


# ---------------------------------------------------------------------------------------------- start, stop


class Control:
    """Reload, start and stop one instance: through systemd where it runs the machine, else by `postfix`."""

    def __init__(self, config_directory: str, queue: str) -> None:
        self.config_directory = config_directory
        self.queue = queue
        self.postfix = find_program("postfix") or "postfix"

    @property
    def default_instance(self) -> bool:
        return os.path.realpath(self.config_directory) == os.path.realpath("/etc/postfix")

    def unit(self) -> str | None:
        """The systemd unit that really runs Postfix; None without systemd or without such a unit.

        Debian 12 and older: postfix.service is a oneshot that runs /bin/true, the work is in postfix@-.
        Raises ServiceError where the unit is masked.
        """
        if not os.path.isdir("/run/systemd/system") or not self.default_instance:
            return None
        path = _unit_file("postfix.service")
        if path is None:
            return None
        if os.path.realpath(path) == "/dev/null":
            raise ServiceError(
                "postfix.service is masked: run systemctl unmask postfix.service, or set activate: none"
            )
        with open(path, encoding="utf-8", errors="replace") as handle:
            text = handle.read()
        if re.search(r"^ExecStart=\S*/true\b", text, re.MULTILINE) and _unit_file("postfix@.service"):
            instance = _unit_file("postfix@-.service")
            if instance and os.path.realpath(instance) == "/dev/null":
                raise ServiceError("postfix@-.service is masked: run systemctl unmask postfix@-.service")
            return "postfix@-.service"
        return "postfix.service"

    def enabled(self) -> bool | None:
        """Whether Postfix is started at boot; None where systemd is not there to say so."""
        if not os.path.isdir("/run/systemd/system") or not self.default_instance:
            return None
        return run(["systemctl", "is-enabled", "--quiet", "postfix.service"]).code == 0

    def master(self) -> Master | None:
        return running_master(self.queue)

    def reload(self) -> None:
        done = run([self.postfix, "-c", self.config_directory, "reload"])
        if done.code:
            raise ServiceError(f"postfix reload ended with {done.code}: {_last_line(done)}")

    def start(self) -> None:
        unit = self.unit()
        command = (
            ["systemctl", "start", unit] if unit else [self.postfix, "-c", self.config_directory, "start"]
        )
        if unit:
            run(["systemctl", "reset-failed", unit])
        done = run(command)
        if done.code:
            raise ServiceError(f"{' '.join(command)} ended with {done.code}: {_last_line(done)}")

    def stop(self) -> None:
        """Stop the running master, however it was started, between two deliveries; one that does not run is fine."""
        master = self.master()
        if master is None:
            return
        if master.unit and os.path.isdir("/run/systemd/system"):
            command = ["systemctl", "stop", master.unit]
        else:
            command = [self.postfix, "-c", self.config_directory, "stop"]
        with processes.drained(master.pid):
            done = run(command)
        for _attempt in range(100):
            if not _is_master(master.pid, self.queue):
                return
            time.sleep(0.1)
        raise ServiceError(f"{' '.join(command)} ended with {done.code}, but process {master.pid} still runs")

    def activate(self, level: str, log: LogMark | None = None) -> None:
        """What the dying say at a restart is not about the new: the mark in the log is moved after it."""
        if level == "reload":
            self.reload()
        elif level == "restart":
            self.stop()
            if log:
                log.move()
            self.start()
        elif level == "start":
            self.start()
        elif level == "stop":
            self.stop()


def _unit_file(name: str) -> str | None:
    for directory in UNIT_DIRECTORIES:
        path = os.path.join(directory, name)
        if os.path.lexists(path):
            return path
    return None


def _last_line(done: Ran) -> str:
    lines = [line for line in (done.errors or done.output).splitlines() if line.strip()]
    return "; ".join(line.strip() for line in lines[-3:]) or "no message"


# ---------------------------------------------------------------------------------------------- the log


class LogMark:
    """A place in the mail log; read() gives what Postfix's daemons logged since."""

    def __init__(self, maillog_file: str = "") -> None:
        self._journal = (
            os.path.exists("/run/systemd/journal/socket") and find_program("journalctl") is not None
        )
        self._names = ([maillog_file] if maillog_file.startswith("/") else []) + list(MAIL_LOGS)
        self.move()

    def move(self) -> None:
        """To the present end of the log."""
        self._since = time.time()
        self._files = {name: _size_of(name) for name in self._names}

    def read(self) -> list[str]:
        lines: list[str] = []
        for name, (inode, size) in self._files.items():
            with contextlib.suppress(OSError), open(name, "rb") as handle:
                if os.fstat(handle.fileno()).st_ino == inode:
                    handle.seek(size)
                lines += handle.read(1 << 20).decode("utf-8", "replace").splitlines()
        if self._journal:
            done = run(
                ["journalctl", "-q", "--no-pager", "-o", "short-unix", "--since", f"@{int(self._since)}",
                 "-n", "2000", "SYSLOG_FACILITY=2"]
            )  # fmt: skip
            for line in done.output.splitlines():
                stamp = line.split(" ", 1)[0]
                with contextlib.suppress(ValueError):
                    if float(stamp) >= self._since - 0.001:
                        lines.append(line.split(" ", 1)[1])
        return list(dict.fromkeys(lines))

    def complaints(self) -> list[str]:
        """fatal, panic and throttling lines of the daemons; those of people's own commands are not meant."""
        result = []
        for line in self.read():
            match = _BAD_LOG_LINE.search(line)
            if match and match.group("program") not in _TOOLS:
                result.append(line[match.start() :])
        return result


def _size_of(name: str) -> tuple[int, int]:
    try:
        status = os.stat(name)
    except OSError:
        return (0, 0)
    return status.st_ino, status.st_size


# ---------------------------------------------------------------------------------------------- confirm


class Endpoint(NamedTuple):
    """A place that must answer after activation."""

    address: str
    port: int
    greets: bool
    implicit: bool
    service: str


def expected_endpoints(
    master: Master, services: Iterable[master_cf.Service], values: Mapping[str, str], ports: Iterable[int]
) -> list[Endpoint]:
    """Every inet service of master.cf on each address that master holds, and the asked ports."""
    result: dict[tuple[str, int], Endpoint] = {}

    def setting(service: master_cf.Service, name: str) -> str:
        option = service.option(name)
        return option if option is not None else values.get(name, "")

    for service in services:
        if service.type != "inet":
            continue
        host, port_text = split_inet_service(service.service)
        port = port_number(port_text)
        if port is None:
            continue
        program = service.command
        proxied = setting(service, f"{program}_upstream_proxy_protocol")
        speaks = program in ("smtpd", "postscreen") and not proxied
        implicit = program == "smtpd" and setting(service, "smtpd_tls_wrappermode").lower() == "yes"
        known = all_listeners() if master.listeners is None else master.listeners
        held = [listener for listener in known if listener.port == port]
        for listener in held or [Listener(host or "127.0.0.1", port)]:
            result[(listener.address, port)] = Endpoint(
                _reachable(listener.address), port, speaks, implicit, f"{service.service} inet {program}"
            )
    for port in ports:
        if not any(endpoint.port == port for endpoint in result.values()):
            result[("", port)] = Endpoint("127.0.0.1", port, True, port in IMPLICIT_TLS_PORTS, f"port {port}")
    return list(result.values())


def _reachable(address: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)


def check_greeting(endpoint: Endpoint, timeout: float) -> str | None:
    """Connect and wait for the greeting; None when it answers, else what happened instead."""
    try:
        with socket.create_connection((endpoint.address, endpoint.port), timeout=timeout) as connection:
            if not endpoint.greets:
                return None
            stream = connection
            if endpoint.implicit:
                import ssl  # where nothing speaks it, it is not worth its time

                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
                stream = context.wrap_socket(connection)
            stream.settimeout(timeout)
            greeting = stream.recv(512)
            with contextlib.suppress(OSError):
                stream.sendall(b"QUIT\r\n")
            if greeting[:3].isdigit():
                return None
            return (
                "the connection was closed without a greeting"
                if not greeting
                else f"it said {greeting[:60]!r}"
            )
    except socket.timeout:
        return f"no greeting within {timeout:.0f} s"
    except OSError as error:
        return f"{error.__class__.__name__}: {error.strerror or error}"


def confirm(
    control: Control,
    services: Sequence[master_cf.Service],
    values: Mapping[str, str],
    ports: Sequence[int],
    timeout: float,
    log: LogMark,
    replaced: int | None,
) -> list[str]:
    """Wait until Postfix serves: master runs, every inet service answers, nothing fatal is logged.

    Returns what is wrong, nothing when it serves. `replaced` is the process that must be gone.
    """
    deadline = time.monotonic() + timeout
    problems = ["master is not running"]
    pause = 0.05
    while True:
        master = control.master()
        if master is not None and master.pid != replaced:
            if log_lines := log.complaints():
                return [f"Postfix logged: {line}" for line in log_lines]
            left = max(1.0, deadline - time.monotonic())
            problems = []
            for endpoint in expected_endpoints(master, services, values, ports):
                trouble = check_greeting(endpoint, left)
                if trouble:
                    problems.append(
                        f"{endpoint.service} does not answer on {endpoint.address} port {endpoint.port}: {trouble}"
                    )
            if not problems and (master.loaded_at is not None or not _wants_qmgr(services)):
                break
            problems = problems or ["the queue manager did not start"]
        if time.monotonic() >= deadline:
            break
        time.sleep(pause)
        pause = min(pause * 2, 1.0)
    if not problems:
        # A daemon that dies at start is reported by master a moment after its client was accepted.
        time.sleep(0.2)
    problems += [f"Postfix logged: {line}" for line in log.complaints()]
    return problems


def _wants_qmgr(services: Sequence[master_cf.Service]) -> bool:
    return any(service.command == "qmgr" for service in services)
