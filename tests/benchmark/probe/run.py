"""Measures the probe against the other ways to test mail servers, in one run on one machine.

  python3 run.py [--quick | --routes] [--without PEER]... [--python INTERPRETER] [--ansible DIRECTORY]

As root, on Debian 12 or newer with two cores. The servers run on the first core and the clients on the second, on
loopback in a network namespace of their own. Every number is measured in this run; a peer that is not here is named as
absent. Exits 1 when a bound that the collection promises does not hold.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple, Sequence

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[2]
sys.path.insert(0, str(PROJECT / "tests/integration/oracles"))

import certificates
import namespace
from certificates import HOST
from namespace import Place

SERVER_CORE, CLIENT_CORE = 0, 1
TIMEOUT = 3
LIMIT = 150
"""Seconds after which a peer is stopped."""
CA = "/oracle/tls/ca.pem"

# What the collection promises.
ENGINE_TO_BARE = 1.25
OVER_TIMEOUT = 1.05
MOST_MIB = 64
MODULE_TO_PING = 1.3
ROUTES_OVER_PING = 0.5
"""Seconds that a task with five relays of four ports may take beside what a ping takes."""

HEALTHY, FILTERED, TARPIT = 0, 1, 2

WATCHED: list[subprocess.Popen[bytes]] = []
"""The server: when it has ended, nothing that is measured counts."""


def addresses(count: int, network: int = HEALTHY) -> list[str]:
    return [f"127.{network}.{number // 250 + 1}.{number % 250 + 1}" for number in range(count)]


def mixes(count: int) -> dict[str, list[str]]:
    half = [*addresses(count // 2), *addresses(count - count // 2, FILTERED)]
    return {"healthy": addresses(count), "half filtered": half, "tarpits": addresses(count, TARPIT)}


class Figures(NamedTuple):
    wall: float
    cpu: float
    mib: float
    ended: str = ""
    """What came of it: how many were found well, or why there is no such count."""


class ServerEnded(Exception):
    """In mid-run. Says so in one sentence."""


def must_be_served() -> None:
    for server in WATCHED:
        status = server.poll()
        if status is not None:
            how = (
                f"was ended by {signal.Signals(-status).name}"
                if status < 0
                else f"ended with status {status}"
            )
            raise ServerEnded(f"The benchmark's own server {how} in mid-run, so there is no result.")


def measure(command: Sequence[object], lines: list[str] | None = None, **more: Any) -> tuple[Figures, str]:
    """Run a client on its core to its end; wall and CPU seconds and the peak of it and its children."""
    arguments = ["taskset", "--cpu-list", str(CLIENT_CORE), *map(str, command)]
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as said:
        given.write("".join(f"{line}\n" for line in lines or ()))
        given.seek(0)
        began = time.monotonic()
        process = subprocess.Popen(arguments, stdin=given, stdout=said, stderr=subprocess.STDOUT,
                                   start_new_session=True, **more)  # fmt: skip
        stopped = False
        while True:
            pid, _status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - began > LIMIT and not stopped:
                stopped = True
                os.killpg(process.pid, 9)
            try:
                must_be_served()
            except ServerEnded:
                os.killpg(process.pid, 9)
                raise
            time.sleep(0.002)
        wall = time.monotonic() - began
        process.returncode = 0
        must_be_served()
        said.seek(0)
        text = said.read()
    cpu = usage.ru_utime + usage.ru_stime
    ended = f"stopped after {LIMIT} s" if stopped else ""
    return Figures(wall, cpu, usage.ru_maxrss / 1024, ended), text


# ---- ourselves


def script(python: str, name: str, lines: list[str], *arguments: object) -> tuple[Figures, dict[str, Any]]:
    """A script of this directory, which tells its own figures: those of its work, without the interpreter's start."""
    _figures, text = measure([python, "-I", "-B", HERE / name, *arguments], lines)
    answer = json.loads(text.strip().splitlines()[-1])
    outcome = answer.get("verdicts") or {"ok": answer["ok"]}
    words = ", ".join(f"{number} {verdict}" for verdict, number in outcome.items())
    return Figures(answer["wall"], answer["cpu"], answer["mib"], words), outcome


class Ours(NamedTuple):
    python: str
    collections: str
    authority: str
    path: str

    def engine(
        self, lines: list[str], concurrency: int = 256, timeout: int = TIMEOUT
    ) -> tuple[Figures, dict[str, Any]]:
        settings = (self.collections, self.authority, HOST, concurrency, TIMEOUT, timeout)
        return script(self.python, "engine.py", lines, *settings)

    def bare(self, lines: list[str]) -> tuple[Figures, dict[str, Any]]:
        return script(self.python, "bare.py", lines, self.authority, HOST, 256)

    def module(self, lines: list[str]) -> Figures:
        """The module's whole process, its arguments in a file as Ansible would have them."""
        options = {
            "endpoints": [{"host": line, "port": 587} for line in lines], "server_name": HOST, "retries": 0,
            "ca_path": self.authority, "timeout": TIMEOUT, "connect_timeout": TIMEOUT, "fail_when": "never",
        }  # fmt: skip
        with tempfile.NamedTemporaryFile("w", suffix=".json") as arguments:
            json.dump({"ANSIBLE_MODULE_ARGS": options}, arguments)
            arguments.flush()
            name = "ansible_collections.mailops.smtp.plugins.modules.smtp_probe"
            figures, text = measure([self.python, "-B", "-m", name, arguments.name],
                                    env={**os.environ, "PYTHONPATH": self.path})  # fmt: skip
        try:
            verdicts = json.loads(text.strip().splitlines()[-1])["verdicts"]
        except (ValueError, KeyError, IndexError):
            return figures._replace(ended="no result: " + text.strip()[-200:])
        return figures._replace(
            ended=", ".join(f"{number} {verdict}" for verdict, number in verdicts.items())
        )


# ---- peers


class Peers:
    """Each method takes a list of addresses and returns figures, or the reason why there are none."""

    def __init__(self, place: Place, sslyze: str, ansible: str) -> None:
        self.place, self.sslyze, self.ansible = place, sslyze, ansible

    def _here(self, program: str) -> bool:
        return self.place.run("sh", "-c", f"command -v {program}").returncode == 0

    def _each(self, lines: list[str], *command: object) -> tuple[Figures, str]:
        return measure(self.place.command("xargs", "-P16", "-I{}", *command), lines)

    def check_smtp(self, lines: list[str]) -> Figures | str:
        program = "/usr/lib/nagios/plugins/check_smtp"
        if not self._here(program):
            return "absent"
        figures, text = self._each(lines, program, "-H", "{}", "-p", "587", "-S", "-D", "1", "-t", TIMEOUT)
        return _counted(figures, text, r"^SMTP OK|^OK - Certificate")

    def swaks(self, lines: list[str]) -> Figures | str:
        if not self._here("swaks"):
            return "absent"
        figures, text = self._each(
            lines, "swaks", "--server", "{}", "--port", "587", "--tls", "--tls-verify", "--tls-verify-target", HOST,
            "--tls-ca-path", CA, "--quit-after", "TLS", "--timeout", TIMEOUT,
        )  # fmt: skip
        return _counted(figures, text, r"^ ~> QUIT")

    def posttls_finger(self, lines: list[str]) -> Figures | str:
        if not self._here("posttls-finger"):
            return "absent"
        figures, text = self._each(
            lines, "posttls-finger", "-c", "-h", "native", "-l", "secure", "-F", CA, "-t", TIMEOUT, "-T", TIMEOUT,
            "[{}]:587", HOST,
        )  # fmt: skip
        return _counted(figures, text, r": Verified TLS connection")

    def nmap(self, lines: list[str]) -> Figures | str:
        if not self._here("nmap"):
            return "absent"
        figures, text = measure(
            self.place.command("nmap", "-n", "-Pn", "-p", "587", "--script", "smtp-commands,ssl-cert",
                               "--host-timeout", "30s", "-iL", "-"), lines,
        )  # fmt: skip
        return _counted(figures, text, r"^\| smtp-commands:|^\|_smtp-commands:")

    def blackbox_exporter(self, lines: list[str]) -> Figures | str:
        if not self._here("prometheus-blackbox-exporter"):
            return "absent"
        self.place.write("etc/blackbox.yml", BLACKBOX)
        exporter = self.place.start(
            "blackbox", "env", "GOMAXPROCS=1", "prometheus-blackbox-exporter", "--config.file=/etc/blackbox.yml",
            "--web.listen-address=127.0.0.1:9115", "--log.level=error", pin=CLIENT_CORE,
        )  # fmt: skip
        try:
            self.place.await_listeners([("127.0.0.1", 9115)])
            before = _cpu(exporter.pid)
            asked, text = measure([sys.executable, "-I", HERE / "ask_exporter.py", 16], lines)
            return Figures(
                asked.wall, _cpu(exporter.pid) - before, _peak(exporter.pid), f"{text.strip()} well"
            )
        finally:
            exporter.kill()
            exporter.wait()

    def run_sslyze(self, lines: list[str]) -> Figures | str:
        if not self.sslyze:
            return "absent"
        with tempfile.NamedTemporaryFile("w") as targets:
            targets.write("".join(f"{line}:587\n" for line in lines))
            targets.flush()
            figures, text = measure(
                [self.sslyze, "--starttls=smtp", "--certinfo", "--targets_in", targets.name]
            )
        return _counted(figures, text, r"^ *SCAN RESULTS FOR ")

    def wait_for(self, lines: list[str]) -> Figures | str:
        if not self.ansible:
            return "absent"
        task = {"ansible.builtin.wait_for": {"host": "{{ item }}", "port": 587, "timeout": TIMEOUT},
                "loop": lines, "ignore_errors": True}  # fmt: skip
        figures, text = playbook(self.ansible, [task])
        return _counted(figures, text, r"^ok: ")


def playbook(ansible: str, tasks: list[dict[str, Any]], path: str = "") -> tuple[Figures, str]:
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]
    with tempfile.TemporaryDirectory() as home:
        book = Path(home, "play.yml")
        book.write_text(json.dumps(play))
        environment = {
            **os.environ, "HOME": home, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            **({"ANSIBLE_COLLECTIONS_PATH": path} if path else {}),
        }  # fmt: skip
        return measure([ansible, "-i", "localhost,", book], env=environment, cwd=home)


BLACKBOX = f"""modules:
  smtp_starttls:
    prober: tcp
    timeout: {TIMEOUT}s
    tcp:
      query_response:
        - expect: "^220 "
        - send: "EHLO client.oracle.test\\r"
        - expect: "^250-STARTTLS"
        - expect: "^250 "
        - send: "STARTTLS\\r"
        - expect: "^220"
        - starttls: true
        - send: "EHLO client.oracle.test\\r"
        - expect: "^250 "
        - send: "QUIT\\r"
      tls_config:
        ca_file: {CA}
        server_name: {HOST}
"""


def _counted(figures: Figures, text: str, pattern: str) -> Figures:
    count = f"{len(re.findall(pattern, text, re.MULTILINE))} well"
    return figures._replace(ended=", ".join(filter(None, (figures.ended, count))))


def _cpu(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _peak(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


# ---- the report


class Report:
    def __init__(self) -> None:
        self.failures: list[str] = []
        self.held = 0

    def line(
        self, count: int, mix: str, who: str, figures: Figures | str, ours: Figures | None = None
    ) -> None:
        if isinstance(figures, str):
            print(f"{count:>5}  {mix:<13}  {who:<26}  {figures}", flush=True)
            return
        ratio = f"{figures.wall / ours.wall:8.1f}" if ours else " " * 8
        print(f"{count:>5}  {mix:<13}  {who:<26} {figures.wall:8.2f} {figures.cpu:8.2f} {figures.mib:7.0f} {ratio}"
              f"  {figures.ended}", flush=True)  # fmt: skip

    def promise(self, what: str, measured: float, most: float, form: str = ".2f") -> None:
        held = measured <= most
        self.held += held
        if not held:
            self.failures.append(what)
        print(f"{'holds' if held else 'FAILS'}: {what}: {measured:{form}}, at most {most:{form}}", flush=True)


def right(verdicts: dict[str, Any], mix: str, count: int) -> bool:
    expected = {"healthy": {"ok": count}, "tarpits": {"no_greeting": count},
                "half filtered": {"ok": count // 2, "filtered": count - count // 2}}  # fmt: skip
    return dict(verdicts) == expected[mix]


def best(runs: list[tuple[Figures, dict[str, Any]]]) -> tuple[Figures, dict[str, Any]]:
    return min(runs, key=lambda run: run[0].cpu)


def against_bare(report: Report, ours: Ours, count: int, rounds: int) -> Figures:
    """Engine and yardstick by turns, so that what disturbs the one disturbs the other; the median of them counts."""
    turns = [(ours.bare(addresses(count)), ours.engine(addresses(count))) for _round in range(rounds)]
    (bare, _ended), (engine, verdicts) = best([turn[0] for turn in turns]), best([turn[1] for turn in turns])
    ratio = statistics.median(turn[1][0].cpu / turn[0][0].cpu for turn in turns)
    report.line(count, "healthy", "bare selectors loop", bare, engine)
    report.line(count, "healthy", "smtp_probe, engine", engine)
    report.promise(f"engine CPU to the bare loop's, {count} healthy", ratio, ENGINE_TO_BARE)
    if not right(verdicts, "healthy", count):
        report.failures.append(f"wrong verdicts for {count} healthy: {verdicts}")
    return engine


def through_ansible(report: Report, ansible: str, path: str, authority: str, rounds: int) -> None:
    """The four default ports of one host in one task, against a ping; the start of ansible-playbook taken off."""
    if not ansible:
        print("ansible-playbook: absent, so the cost through Ansible is not measured")
        return
    many = 8
    probe = {"mailops.smtp.smtp_probe": {"host": "127.0.0.1", "server_name": HOST, "ca_path": authority, "tls": "auto"},
             "register": "probed"}  # fmt: skip
    ping: dict[str, Any] = {"ansible.builtin.ping": {}}
    show = {"ansible.builtin.debug": {"msg": "elapsed_ms={{ probed.elapsed_ms }} usable={{ probed.usable }}"}}
    walls: dict[str, list[float]] = {"ping": [], "probe": []}
    cpus: dict[str, list[float]] = {"ping": [], "probe": []}
    network = 0.0
    for _round in range(rounds):
        for name, task in (("ping", ping), ("probe", probe)):
            runs = []
            for times in (1, many):
                tasks = [task] * times + ([show] if name == "probe" else [])
                figures, text = playbook(ansible, tasks, path)
                runs.append(figures)
                if name == "probe":
                    found = re.search(r"elapsed_ms=([\d.]+) usable=(\d)", text)
                    if not found or found[2] != "4":
                        report.failures.append(
                            f"the four ports through Ansible are not usable: {text[-400:]}"
                        )
                        return
                    network = float(found[1]) / 1000
            walls[name].append((runs[1].wall - runs[0].wall) / (many - 1))
            cpus[name].append((runs[1].cpu - runs[0].cpu) / (many - 1))
    pinged, probed = min(walls["ping"]), min(walls["probe"])
    ping_cpu, probe_cpu = min(cpus["ping"]), min(cpus["probe"])
    print(f"through Ansible, one task: ping {pinged * 1000:.0f} ms ({ping_cpu * 1000:.0f} of CPU)")
    print(f"through Ansible, one task: smtp_probe on four ports {probed * 1000:.0f} ms ({probe_cpu * 1000:.0f} of CPU, "
          f"{network * 1000:.0f} with the servers)")  # fmt: skip
    what = "a task of smtp_probe less its network time, to one of ping"
    report.promise(what, (probed - network) / pinged, MODULE_TO_PING)


PORTS = [587, 2525, 465, 25]
VANISH = 2
"""Seconds that a connection is waited for, where packets vanish."""


def routes(answering: int, vanishing: int) -> dict[str, Any]:
    """A task of smtp_route_facts with so many relays of four ports."""
    hosts = [*addresses(answering), *addresses(vanishing, FILTERED)]
    fact = "found.ansible_facts.smtp_route.endpoints | selectattr('usable') | length"
    return {
        "mailops.smtp.smtp_route_facts": {
            "relays": [{"host": host, "ports": PORTS} for host in hosts],
            "validate_certs": False, "connect_timeout": VANISH,
        },
        "register": "found", "failed_when": f"{fact} != {answering * len(PORTS)}",
    }  # fmt: skip


def routes_through_ansible(report: Report, ansible: str, path: str, rounds: int) -> None:
    """Five relays of four ports in one task, all of which answer, or two of which vanish."""
    if not ansible:
        return
    many = 5
    tasks = {"ping": {"ansible.builtin.ping": {}}, "answer": routes(5, 0), "vanish": routes(3, 2)}
    walls: dict[str, list[float]] = {name: [] for name in tasks}
    for _round in range(rounds):
        for name, task in tasks.items():
            runs = [playbook(ansible, [task] * times, path) for times in (1, many)]
            for _figures, text in runs:
                if "failed=0" not in text:
                    report.failures.append(f"five relays through Ansible: {text[-400:]}")
                    return
            walls[name].append((runs[1][0].wall - runs[0][0].wall) / (many - 1))
    ping, answer, vanish = (min(walls[name]) for name in tasks)
    print(f"through Ansible, one task: smtp_route_facts, five relays of four ports {answer * 1000:.0f} ms; "
          f"where two of them vanish {vanish * 1000:.0f} ms")  # fmt: skip
    report.promise("five relays that answer, seconds over a ping", answer - ping, ROUTES_OVER_PING)
    report.promise(
        "five relays of which two vanish, seconds over a ping", vanish - ping, VANISH + ROUTES_OVER_PING
    )


def find_sslyze() -> str:
    """Outside the namespaces, where there is a network."""
    directory = namespace.cache() / "sslyze"
    done = subprocess.run([PROJECT / "tests/tools/venv", directory, HERE / "requirements.txt"],
                          check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # fmt: skip
    program = directory / "bin/sslyze"
    return str(program) if done.returncode == 0 and program.exists() else ""


def against_peers(report: Report, ours: Ours, peers: Peers, arguments: argparse.Namespace) -> None:
    """Engine and module against the other probes: 200, 1,000 and 5,000 endpoints."""
    print(
        f"{'hosts':>5}  {'mix':<13}  {'who':<26} {'wall s':>8} {'CPU s':>8} {'MiB':>7} {'x ours':>8}  found"
    )
    asked = {
        "check_smtp, 16 at once": peers.check_smtp,
        "posttls-finger, 16 at once": peers.posttls_finger,
        "swaks, 16 at once": peers.swaks,
        "nmap": peers.nmap,
        "blackbox_exporter, 16": peers.blackbox_exporter,
        "sslyze": peers.run_sslyze,
        "wait_for loop": peers.wait_for,
    }
    asked = {
        who: ask for who, ask in asked.items() if not any(who.startswith(name) for name in arguments.without)
    }
    slow = ("swaks, 16 at once", "sslyze", "wait_for loop")
    for mix, lines in mixes(200).items():
        if mix == "healthy":
            against_bare(report, ours, 200, arguments.rounds)
        else:
            engine, verdicts = ours.engine(lines)
            report.line(200, mix, "smtp_probe, engine", engine)
            report.promise(f"wall of 200 {mix}, seconds", engine.wall, TIMEOUT * OVER_TIMEOUT)
            if not right(verdicts, mix, 200):
                report.failures.append(f"wrong verdicts for 200 {mix}: {verdicts}")
        module = ours.module(lines)
        report.line(200, mix, "smtp_probe, whole process", module)
        for who, ask in asked.items():
            if arguments.quick and (who in slow or mix != "healthy"):
                continue
            figures = ask(lines)
            report.line(200, mix, who, figures, module)
            if who == "nmap" and mix == "healthy" and isinstance(figures, Figures):
                report.promise(
                    "wall of the module's process, 200 healthy, to nmap's", module.wall / figures.wall, 1.0
                )

    thousand = against_bare(report, ours, 1000, arguments.rounds)
    if not arguments.quick:
        for who in ("check_smtp, 16 at once", "posttls-finger, 16 at once", "nmap", "blackbox_exporter, 16"):
            if who in asked:
                report.line(1000, "healthy", who, asked[who](addresses(1000)), thousand)
    five = against_bare(report, ours, 5000, arguments.rounds)
    report.promise("engine CPU per endpoint, 5,000 to 1,000", five.cpu / 5 / thousand.cpu, 1.1)
    report.promise("peak MiB of the engine, 5,000 healthy", five.mib, MOST_MIB, ".0f")
    # The server needs some seconds for thousands of handshakes that begin together.
    for mix, timeout in (("half filtered", 10 * TIMEOUT), ("tarpits", TIMEOUT)):
        figures, verdicts = ours.engine(mixes(5000)[mix], 5000, timeout)
        report.line(5000, mix, "engine, all at once", figures)
        if not right(verdicts, mix, 5000):
            report.failures.append(f"wrong verdicts for 5000 {mix}: {verdicts}")
    module = ours.module(addresses(5000))
    report.line(5000, "healthy", "smtp_probe, whole process", module)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure smtp_probe against other probes of mail servers")
    parser.add_argument(
        "--quick", action="store_true", help="200 and 1,000 endpoints, no peers that take minutes"
    )
    parser.add_argument("--without", action="append", default=[], help="leave this peer out")
    parser.add_argument(
        "--rounds", type=int, default=5, help="turns of engine and yardstick; the median counts"
    )
    parser.add_argument("--routes", action="store_true", help="the tasks through Ansible alone")
    parser.add_argument("--python", default="/usr/bin/python3", help="interpreter for the probe")
    parser.add_argument("--ansible", default=str(PROJECT / ".venv/bin"), help="directory of ansible-playbook")
    arguments = parser.parse_args()
    if namespace.outside():
        os.environ["MAILOPS_SSLYZE"] = (
            "" if arguments.quick or "sslyze" in arguments.without else find_sslyze()
        )
    namespace.enter(__file__, sys.argv[1:])

    place = Place({"127.0.0.1": [HOST, "localhost"], "::1": ["localhost"]})
    certificates.make(place, ("ecdsa",))
    place.must("nft", "-f", "-", input="table inet benchmark { chain out { type filter hook output priority 0; "
               "ip daddr 127.1.0.0/16 drop; }; }")  # fmt: skip
    shutil.copy(HERE / "server.py", place.root / "oracle/server.py")
    key = [f"/oracle/tls/ecdsa.{end}" for end in ("pem", "key")]
    WATCHED.append(place.start("server", "python3", "/oracle/server.py", *key, pin=SERVER_CORE))
    place.await_listeners([("0.0.0.0", 587)])

    collections = tempfile.mkdtemp(dir="/run")
    link = Path(collections, "ansible_collections/mailops/smtp")
    link.parent.mkdir(parents=True)
    link.symlink_to(PROJECT)
    ansible = str(Path(arguments.ansible, "ansible-playbook"))
    ansible = ansible if os.access(ansible, os.X_OK) else shutil.which("ansible-playbook") or ""
    library = ""
    if ansible:
        interpreter = Path(ansible).parent / "python"
        find = [
            str(interpreter),
            "-c",
            "import ansible, os; print(os.path.dirname(os.path.dirname(ansible.__file__)))",
        ]
        library = subprocess.run(find, check=False, stdout=subprocess.PIPE, text=True).stdout.strip()
    authority = str(place.root) + CA
    ours = Ours(arguments.python, collections, authority, f"{collections}:{library}")
    peers = Peers(place, os.environ["MAILOPS_SSLYZE"], ansible)
    report = Report()

    version = subprocess.run(
        [arguments.python, "-V"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    print(
        f"{version}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, timeout {TIMEOUT} s"
    )
    if not arguments.routes:
        against_peers(report, ours, peers, arguments)
    through_ansible(report, ansible, collections, authority, arguments.rounds)
    routes_through_ansible(report, ansible, collections, arguments.rounds)

    print(f"load {os.getloadavg()[0]:.1f} at the end")
    for failure in report.failures:
        print(f"failed: {failure}")
    print(f"{report.held} passed, {len(report.failures)} failed")
    return 1 if report.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ServerEnded as end:
        sys.exit(f"failed: {end}")
