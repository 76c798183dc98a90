"""Stories of the relay's password: it is in one file of root's, and in nothing that anybody could read."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import lab as tool
import pytest
from conftest import MAIL_HOSTS, Playbook, Run
from testinfra.host import Host


def forms_of(password: str) -> list[str]:
    """As it stands in files and arguments, and as it would travel in AUTH PLAIN and AUTH LOGIN."""
    login = f"\0{tool.RELAY_USER}\0{password}"
    return [password, *(base64.b64encode(text.encode()).decode() for text in (password, login))]


NEXT_PASSWORD = "Ne:xt#word $2"
SECRETS = forms_of(tool.RELAY_PASSWORD)
NEXT_SECRETS = forms_of(NEXT_PASSWORD)

# Looks through the arguments and environments of all processes, again and again, for the lines of a file.
WATCHER = """
import glob, os
patterns, seen = open("/run/watch/patterns", "rb").read().split(b"\\n"), set()
rounds = 0
while not os.path.exists("/run/watch/stop"):
    for path in glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/environ"):
        try:
            text = open(path, "rb").read().replace(b"\\0", b" ")
        except OSError:
            continue
        seen |= {pattern for pattern in patterns if pattern and pattern in text}
    rounds += 1
    open("/run/watch/seen", "wb").write(b"\\n".join(seen))
open("/run/watch/rounds", "w").write(str(rounds))
"""


def test_the_password_is_in_no_output(deployed: Run, on: Callable[[str], Host], playbook: Playbook) -> None:
    # Whatever a run prints about the secret, it prints when it has to write it.
    on("gce").check_output("cd /etc/postfix && rm -f $(grep -lF 'Pa:ss' -r . || true)")
    on("gce").check_output("postconf -e 'relayhost = [elsewhere.lab.test]:25'")
    for arguments in (["-vvv", "--diff", "--check"], ["-vvv", "--diff"]):
        run = playbook("site", *arguments, hosts="gce")
        assert run.recap("gce")["changed"] >= 1, run.output
        assert "elsewhere.lab.test" in run.output, "the diff is shown"
        assert [secret for secret in SECRETS if secret in run.output] == []
    wrong = playbook("deploy", "-vvv", "--diff", "-e", "postfix_relay_tls=encyrpt", hosts="gce")
    assert wrong.status != 0
    assert [secret for secret in SECRETS if secret in wrong.output] == []


@pytest.mark.parametrize("name", MAIL_HOSTS)
def test_the_password_is_in_nothing_but_a_root_owned_0600_file(
    name: str, deployed: Run, on: Callable[[str], Host]
) -> None:
    host = on(name)
    patterns = " ".join(f"-e '{secret}'" for secret in SECRETS)
    # This very search is a process with the secret among its arguments: /proc is left out.
    search = f"grep -rlaF --exclude-dir=proc --exclude-dir=sys {patterns} / 2>/dev/null"
    found = {path: host.file(path) for path in host.run(search).stdout.split()}
    assert found, "the relay's password is stored somewhere"
    assert {path: (f.user, oct(f.mode)) for path, f in found.items()} == dict.fromkeys(
        found, ("root", "0o600")
    )
    assert host.run(f"journalctl --no-pager --output=cat | grep -F {patterns}").stdout == ""


@pytest.fixture
def users(lab: tool.Lab, deployed: Run, on: Callable[[str], Host], playbook: Playbook) -> Iterator[Host]:
    """The relay, whose list of users and whose client the story changes; both get their old password back."""
    relay = on("relay")
    relay.check_output("cp -p /etc/lab/users /etc/lab/users.kept")
    yield relay
    on("gce").check_output("rm -rf /run/watch")
    relay.check_output("mv /etc/lab/users.kept /etc/lab/users")
    assert playbook("deploy", hosts="gce").status == 0


def test_a_rotated_password_shows_nowhere(
    users: Host, on: Callable[[str], Host], playbook: Playbook, tmp_path: Path
) -> None:
    host = on("gce")
    encoded = base64.b64encode(NEXT_PASSWORD.encode()).decode()
    users.check_output(f"echo '{tool.RELAY_USER}:{{PLAIN.b64}}{encoded}' > /etc/lab/users")
    given = tmp_path / "password.json"
    given.write_text(json.dumps({"postfix_relay_password": NEXT_PASSWORD}))
    patterns = [*SECRETS, *NEXT_SECRETS]
    lines = shlex.quote("\n".join([*patterns, "canary"]))
    host.check_output(
        f"umask 077; rm -rf /run/watch; mkdir /run/watch; printf %s {lines} > /run/watch/patterns"
    )
    host.check_output(f"printf %s {shlex.quote(WATCHER)} > /run/watch/watcher.py")
    began = host.check_output("date +%s")
    host.check_output("systemd-run --quiet --unit=watcher python3 /run/watch/watcher.py")

    run = playbook("site", "-vvvv", "--diff", "-e", f"@{given}", hosts="gce")
    assert run.status == 0, run.output
    assert run.recap("gce")["changed"] == 1
    assert [secret for secret in patterns if secret in run.output] == []

    host.check_output("bash -c 'sleep 1; true canary'; touch /run/watch/stop; sleep 1")
    assert host.check_output("cat /run/watch/seen") == "canary", "seen among the processes"
    assert int(host.check_output("cat /run/watch/rounds")) >= 100
    logged = host.check_output(f"journalctl --no-pager --output=cat --since=@{began}")
    assert [secret for secret in patterns if secret in logged] == []
    search = "grep -rlaF --exclude-dir=proc --exclude-dir=sys --exclude-dir=watch"
    assert host.run(f"{search} -e {shlex.quote(tool.RELAY_PASSWORD)} / 2>/dev/null").stdout == ""
    found = host.run(f"{search} -e {shlex.quote(NEXT_PASSWORD)} / 2>/dev/null").stdout.split()
    assert found == ["/etc/postfix/sasl_passwd"]
    file = host.file(found[0])
    assert (file.user, oct(file.mode)) == ("root", "0o600")
