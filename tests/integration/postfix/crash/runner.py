"""Kills runs of postfix_config at chosen points and looks at what is left; runs inside the host.

    runner.py STORY points
    runner.py STORY kill < POINTS        (JSON: [[a point, "module" or "all"], ...])

Prints one JSON object a line. A story is a change and the state that it begins in. The old and the new configuration
differ in four files, and one mail shows which of the two each of them is: main.cf sets the relay's port, sasl_passwd
the password that the relay knows on that port, master.cf the name in the client's greeting, and a compiled table the
recipient's address.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import json
import os
import shutil
import smtplib
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Iterator, NamedTuple

from relay import Relay

HERE = Path(__file__).resolve().parent
LIVE = Path("/etc/postfix")
PRISTINE = Path("/root/pristine")
MODULE = [sys.executable, "-m", "ansible_collections.mailops.smtp.plugins.modules.postfix_config"]
PORTS = {"old": 587, "new": 2525}
PATIENCE = 60.0
# The interpreter's own files are no part of the transaction, and not written again by each run.
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"


def configuration(generation: str) -> dict[str, Any]:
    hop = f"[127.0.0.1]:{PORTS[generation]}"
    return {
        "parameters": {
            "relayhost": hop,
            "smtp_sasl_auth_enable": True,
            "smtp_sasl_password_maps": "texthash:/etc/postfix/sasl_passwd",
            "smtp_sasl_tls_security_options": "noanonymous",
            "smtp_tls_security_level": "encrypt",
            "smtp_connection_cache_on_demand": False,
            "virtual_alias_maps": "lmdb:/etc/postfix/virtual",
            "inet_interfaces": "all",
            # Otherwise each start copies 140 certificates into the chroot, and each check compares them.
            "smtp_tls_CApath": None,
        },
        "files": [
            {"path": "sasl_passwd", "content": f"{hop} joe:{generation}\n", "sensitive": True},
            {"path": "virtual", "content": f"probe@far.test {generation}@far.test\n"},
        ],
        "services": [
            {"service": "smtp", "type": "unix", "options": {"smtp_helo_name": f"{generation}.test"}},
            {"service": "127.0.0.1:10026", "type": "inet", "private": "n", "command": "smtpd",
             "state": "present" if generation == "new" else "absent"},
        ],
    }  # fmt: skip


OLD, NEW = configuration("old"), configuration("new")
RESTART = {**NEW, "parameters": {**NEW["parameters"], "inet_interfaces": "loopback-only"}}
# Nothing that can be seen beforehand: the login server of one more service does not answer.
FAILS = {
    **NEW,
    "services": [
        *NEW["services"],
        {"service": "127.0.0.1:10027", "type": "inet", "private": "n", "command": "smtpd",
         "options": {"smtpd_sasl_auth_enable": True, "smtpd_sasl_type": "dovecot",
                     "smtpd_sasl_path": "private/auth-dead"}},
    ],
}  # fmt: skip


class Story(NamedTuple):
    asked: dict[str, Any]
    wished: dict[str, Any]
    exchange: bool = True
    first_killed_at: str = ""
    """The story is that of the run after one that was killed: at the first such call after an exchange, or amid
    the renames."""
    part: str = "all"
    """Which points are looked at: all, those from the first live change on, or those of the recovery."""


STORIES = {
    "reload": Story(NEW, NEW),
    "restart": Story(RESTART, RESTART),
    "renames": Story(NEW, NEW, exchange=False),
    "rollback": Story(FAILS, NEW, part="live"),
    "rollback_renames": Story(FAILS, NEW, exchange=False, part="live"),
    "recovery": Story(NEW, NEW, first_killed_at="vfork", part="recovery"),
    "recovery_renames": Story(NEW, NEW, exchange=False, first_killed_at="rename", part="recovery"),
}


# ---- the host


def run(*command: str, check: bool = False, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=check, timeout=300)


UNIT = "postfix@-.service" if Path("/lib/systemd/system/postfix@.service").exists() else "postfix.service"


def serves() -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", 25, timeout=PATIENCE):
            return True
    except OSError:
        return False


def running() -> bool:
    try:
        pid = Path("/var/spool/postfix/pid/master.pid").read_text().strip()
        return Path(f"/proc/{pid}/comm").read_text().strip() == "master"
    except OSError:
        return False


def start_or_reload() -> str:
    """What an administrator does. Returns what went wrong."""
    if running():
        done = run("postfix", "reload")
    else:
        run("systemctl", "reset-failed", UNIT)
        done = run("systemctl", "start", UNIT)
    deadline = time.monotonic() + PATIENCE
    while done.returncode == 0 and time.monotonic() < deadline:
        if serves():
            return ""
        time.sleep(0.05)
    return f"{' '.join(map(str, done.args))}: exit {done.returncode}, {done.stderr.strip()[-300:]}, serves: {serves()}"


def snapshot() -> dict[str, Any]:
    result: dict[str, Any] = {}
    for path in sorted(LIVE.rglob("*")):
        status = path.lstat()
        if path.is_symlink():
            content = os.readlink(path)
        elif path.suffix == ".lmdb":
            content = run("postmap", "-s", f"lmdb:{path.with_suffix('')}").stdout
        else:
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        result[str(path)] = (oct(status.st_mode), status.st_uid, status.st_gid, content)
    return result


def left_over() -> list[str]:
    return sorted(name for name in os.listdir("/etc") if name.startswith(".postfix"))


def restore() -> None:
    """The old configuration, and a Postfix that runs it."""
    for name in left_over():
        path = Path("/etc", name)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for entry in LIVE.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    run("cp", "-a", f"{PRISTINE}/.", str(LIVE), check=True)
    run("postsuper", "-d", "ALL")
    everywhere = "0.0.0.0:25" in run("ss", "-Hltn").stdout
    if not running() or not everywhere:
        run("systemctl", "reset-failed", UNIT)
        run("systemctl", "restart", UNIT, check=True)
    trouble = start_or_reload()
    if trouble:
        raise RuntimeError(f"the old configuration cannot be restored: {trouble}")


def arguments(request: dict[str, Any]) -> str:
    return json.dumps({"ANSIBLE_MODULE_ARGS": {**request, "confirm": {"timeout": 20}}})


def module(request: dict[str, Any]) -> dict[str, Any]:
    done = run(*MODULE, stdin=arguments(request))
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    result: dict[str, Any] = json.loads(lines[-1]) if lines else {"msg": done.stdout + done.stderr}
    return {**result, "code": done.returncode}


class Traced:
    """A run of the module that is killed at a point, or at none."""

    def __init__(self, request: dict[str, Any], at: int, whom: str) -> None:
        output = Path("/root/trace")
        output.unlink(missing_ok=True)
        command = [sys.executable, str(HERE / "tracer.py"), str(output), str(at), whom, "--", *MODULE]
        self.answer = run(*command, stdin=arguments(request)).stdout
        lines = [json.loads(line) for line in output.read_text().splitlines()]
        self.points = [line for line in lines if "point" in line]
        self.killed = any(line.get("killed") and line.get("ended", 0) == 137 for line in lines)


def live_changes(story: Story, points: list[dict[str, Any]]) -> list[int]:
    """The calls that change what Postfix reads."""
    if story.exchange:
        return [point["point"] for point in points if point["call"] == "renameat2"]
    return [
        point["point"]
        for point in points
        if point["call"] == "rename" and point["on"].endswith((".mailops-new", ".mailops-interim"))
    ]


def first_kill(story: Story) -> int:
    """The point at which the first run of a story of two was killed: 0 for a story of one."""
    if not story.first_killed_at:
        return 0
    points = Traced(story.asked, 0, "all").points
    restore()
    live = live_changes(story, points)
    if story.exchange:
        return next(p["point"] for p in points if p["point"] > live[0] and p["call"] == story.first_killed_at)
    return live[len(live) // 2]


def part(story: Story, points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if story.part == "live":
        return [point for point in points if point["point"] >= live_changes(story, points)[0]]
    if story.part == "recovery":
        staging = next(
            p["point"] for p in points if p["call"] == "mkdir" and p["on"] == "/etc/.postfix.stage"
        )
        return [point for point in points if point["point"] <= staging]
    return points


def number_in(points: list[dict[str, Any]], wanted: dict[str, Any]) -> int:
    """The number that a step has in another run, which may have polled less often before it: its last of that sort."""

    def sort_of(point: dict[str, Any]) -> tuple[str, ...]:
        on = point["on"] if point["on"].startswith("/") else ""
        return point["by"], point["call"], on

    return next((p["point"] for p in reversed(points) if sort_of(p) == sort_of(wanted)), wanted["point"])


def prepare(first: int, story: Story) -> None:
    restore()
    if first and not Traced(story.asked, first, "all").killed:
        raise RuntimeError("the first run of this story was not killed")


# ---- a mail that tells


class Mail(NamedTuple):
    main: str
    password: str
    master: str
    table: str

    def whole(self) -> bool:
        return len(set(self)) == 1


def wait_for(relay: Relay, name: str, patience: float) -> list[tuple[int, str, str, str]]:
    deadline = time.monotonic() + patience
    while not relay.deliveries(name) and time.monotonic() < deadline:
        time.sleep(0.02)
    # A second delivery would follow at once.
    time.sleep(0.1)
    return relay.deliveries(name)


def mail(relay: Relay, name: str, patience: float = PATIENCE) -> Mail | str:
    """Send one and wait for it; what went wrong instead, when it is not delivered once."""
    try:
        with smtplib.SMTP("127.0.0.1", 25, timeout=PATIENCE) as client:
            client.sendmail("joe@host.test", [f"probe+{name}@far.test"], f"Subject: {name}\n\n{name}\n")
    except (OSError, smtplib.SMTPException) as error:
        return f"not accepted: {error}"
    found = wait_for(relay, name, patience)
    if not found:
        return f"accepted, not delivered: {run('postqueue', '-p').stdout[-600:]}"
    if len(found) > 1:
        return f"delivered {len(found)} times"
    port, password, greeted, recipient = found[0]
    generation = {number: word for word, number in PORTS.items()}[port]
    return Mail(generation, password, greeted.split(".")[0], recipient.split("+")[0])


# ---- one point


def edit(name: str) -> None:
    """What an administrator does between the kill and the next run."""
    (LIVE / "by-hand").write_text(f"{name}\n")
    with (LIVE / "main.cf").open("a") as stream:
        stream.write(f"# by hand: {name}\n")


def lost_edits(name: str) -> list[str]:
    """What is gone of that; and all of it taken away again."""
    lost = []
    own, line, main = LIVE / "by-hand", f"# by hand: {name}\n", LIVE / "main.cf"
    if not own.exists() or own.read_text() != f"{name}\n":
        lost.append("a file that an administrator added since is lost")
    kept = sorted(LIVE.glob("main.cf.edited-*"))
    if not any(line in path.read_text() for path in (main, *kept)):
        lost.append("a line that an administrator wrote into main.cf since is lost")
    for path in (own, *kept):
        path.unlink(missing_ok=True)
    text, status = main.read_text(), main.stat()
    if line in text:
        main.write_text(text.replace(line, ""))
        os.utime(main, ns=(status.st_atime_ns, status.st_mtime_ns))
    return lost


def look(relay: Relay, story: Story, states: dict[str, Any], name: str) -> dict[str, Any]:
    """What a kill left, and what comes of it. `troubles` is empty where all is as promised."""
    troubles: list[str] = []
    found = snapshot()
    state = next((word for word, known in states.items() if known == found), "between")
    if state == "between" and story.exchange:
        different = [path for path in {*found, *states["old"]} if found.get(path) != states["old"].get(path)]
        troubles.append(f"mixed configuration: {different} differ from the old one")
    was_running = running()
    trouble = start_or_reload()
    if trouble:
        troubles.append(f"Postfix cannot be started or reloaded: {trouble}")
    served = mail(relay, f"{name}a", patience=PATIENCE if state != "between" else 3.0)
    if isinstance(served, str) and (state != "between" or served.startswith("not accepted")):
        troubles.append(f"after the kill: mail {served}")
    elif story.exchange and (not served.whole() or served.main != ("old" if state == "old" else "new")):
        troubles.append(f"after the kill: a mail with a mixed configuration: {served}, on disk {state}")
    if not was_running:
        run("systemctl", "stop", UNIT)

    edit(name)
    again = module(story.wished)
    troubles += lost_edits(name)
    if again["code"] != 0:
        troubles.append(f"the next run fails: {again.get('msg')}")
    if snapshot() != states["wished"]:
        troubles.append("the next run does not bring what is asked for")
    if left_over():
        troubles.append(f"the next run leaves {left_over()}")
    served_again = mail(relay, f"{name}b")
    if served_again != Mail("new", "new", "new", "new"):
        troubles.append(f"after the next run: mail {served_again}")
    if isinstance(served, str) and state == "between":
        # A mixture need not deliver; what it accepted must be there when the next run has made it whole.
        run("postqueue", "-f")
        if not (late := wait_for(relay, f"{name}a", 10.0)):
            troubles.append(
                f"a mail that was accepted amid the renames never arrives: {run('postqueue', '-p').stdout}"
            )
        served = f"late, {len(late)} times"
    third = module(story.wished)
    if third["code"] != 0 or third.get("changed"):
        troubles.append(f"the run after that changes something: {third}")
    return {
        "state": state, "running": was_running, "mail": served, "recovered": again.get("recovered"),
        "troubles": troubles,
    }  # fmt: skip


def states_of(story: Story) -> dict[str, Any]:
    restore()
    states = {"old": snapshot()}
    for word, request in (("new", story.asked), ("wished", story.wished)):
        restore()
        done = module({**request, "activate": "none"})
        if done["code"]:
            raise RuntimeError(f"{word} cannot be had: {done}")
        states[word] = snapshot()
    return states


def lay_out(story: Story) -> None:
    """Bring the host to the story's old configuration and keep a copy of it."""
    if story.exchange:
        run("cp", "-a", str(LIVE), "/etc/postfix.own", check=True)
        shutil.rmtree(LIVE)
        os.rename("/etc/postfix.own", LIVE)
    Path("/var/spool/postfix/private/auth-dead").touch()
    shutil.rmtree("/var/spool/postfix/etc/ssl", ignore_errors=True)
    done = module(OLD)
    if done["code"]:
        raise RuntimeError(f"the old configuration cannot be had: {done}")
    run("cp", "-a", str(LIVE), str(PRISTINE), check=True)


def tell(story_name: str, story: Story, wanted: list[tuple[dict[str, Any], str]]) -> Iterator[dict[str, Any]]:
    with Relay({PORTS[word]: word for word in PORTS}) as relay:
        if not PRISTINE.exists():
            lay_out(story)
        states = states_of(story)
        restore()
        first = first_kill(story)
        if not wanted:
            prepare(first, story)
            traced = Traced(story.asked, 0, "all")
            yield {"story": story_name, "points": part(story, traced.points), "of": len(traced.points)}
            return
        for place, (step, whom) in enumerate(wanted):
            began = time.monotonic()
            number = step["point"]
            for _attempt in range(3):
                prepare(first, story)
                traced = Traced(story.asked, number, whom)
                if traced.killed:
                    break
                # It polled less often than the run that was counted, and has ended: once more, where this run had it.
                number = number_in(traced.points, step)
            point = traced.points[number - 1] if len(traced.points) >= number else {}
            if not traced.killed:
                yield {"story": story_name, "point": number, "whom": whom, "reached": False, "troubles": []}
                continue
            # Not by the number, which two steps have where the polling made another one of it.
            seen = look(relay, story, states, f"{story_name.replace('_', '')}{place}{whom}")
            yield {
                "story": story_name, **point, "point": number, "whom": whom, "reached": True,
                "seconds": round(time.monotonic() - began, 2), **seen,
            }  # fmt: skip


if __name__ == "__main__":
    name = sys.argv[1]
    asked = json.load(sys.stdin) if sys.argv[2] == "kill" else []
    for line in tell(name, STORIES[name], [(point, whom) for point, whom in asked]):
        print(json.dumps(line), flush=True)
