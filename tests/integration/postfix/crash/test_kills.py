"""Killed at any step, postfix_config leaves a Postfix that serves, and the next run brings what was asked for.

    pytest tests/integration/postfix/crash -s            one point of every third kind of step, a few minutes
    pytest tests/integration/postfix/crash -s --all      every point, about an hour

After each kill, by SIGKILL before a system call: the configuration on disk is the old or the new one as a whole;
Postfix starts or reloads with it, and accepts and delivers a mail that shows no mixture; the next run converges, with
nothing left over, and another mail goes the new way; the run after that changes nothing. Where two directories cannot
be exchanged, files are renamed one by one: there alone a kill in between may leave some of both, until the next run.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator

import pytest
from hosts import COLLECTION, Host, set_up

RELEASE = "bookworm"
RUNNER = f"python3 {COLLECTION}/tests/integration/postfix/crash/runner.py"
# On one host directories are exchanged, on the other files are renamed: it has /etc/postfix in its image's layer.
STORIES = {
    "exchange": ("reload", "restart", "rollback", "recovery"),
    "renames": ("renames", "rollback_renames", "recovery_renames"),
}
Point = dict[str, Any]
PLAIN = 6
"""What a kind of step is made of; one that changes what Postfix reads has its path as well."""


def kills_of(points: list[Point]) -> list[tuple[Point, str]]:
    """Who is killed: all; and where a program that acts on Postfix is alive, once the module alone."""
    result = []
    for point in points:
        result.append((point, "all"))
        acts = point["by"].startswith(("postfix -c postfix", "systemctl", "sh postfix-script reload"))
        if acts and point["call"] in ("execve", "exit_group", "kill"):
            result.append((point, "module"))
    return result


def kinds_of(points: list[Point]) -> list[tuple[tuple[Any, ...], Point, str]]:
    """Each kill with its kind of step: the phase, who calls what, on what sort of path."""
    result, journals, live = [], 0, False
    for point, whom in kills_of(points):
        path, call, program = point["on"], point["call"], point["by"].split(" ")[0]
        places = (
            ".journal",
            ".done",
            ".writing",
            ".mailops-new",
            ".mailops-old",
            ".mailops-interim",
            ".stage",
        )
        place = next((word for word in places if word in path), "")
        kind: tuple[Any, ...] = (whom, journals, live, call, program, place)
        if call.startswith("rename") and (place.startswith(".mailops-") or call == "renameat2"):
            live = True
            # Each change of what Postfix reads is a kind of its own.
            kind = (*kind, path)
        result.append((kind, point, whom))
        if whom == "all" and call == "rename" and ".journal" in path:
            journals += 1
    return result


class Worker:
    """A host on which stories are told one after the other."""

    def __init__(self, kind: str, release: str, everything: bool) -> None:
        self.kind, self.everything = kind, everything
        self.box = Host(release, name=kind)
        # The runner has nothing compiled; each run would do it anew.
        self.box.run(f"python3 -m compileall -q /ansible/ansible/module_utils {COLLECTION}/plugins || true")
        self.counts: dict[str, int] = {}
        self.results: list[dict[str, Any]] = []
        self.known: set[tuple[Any, ...]] = set()

    def chosen(self, story: str, points: list[Point]) -> list[tuple[Point, str]]:
        """All, or one of each kind. What comes before the first live change is alike in all stories."""
        if self.everything:
            return kills_of(points)
        result = []
        for kind, point, whom in kinds_of(points):
            journals, live = kind[1:3]
            first_part = not journals and not live and story != "recovery_renames"
            key = kind if first_part else (story, *kind)
            if key not in self.known and (self.kind == "exchange" or not first_part):
                self.known.add(key)
                # Of the kinds that change nothing of what Postfix reads, every third one.
                if kind[PLAIN:] or len(self.known) % 3 == 1:
                    result.append((point, whom))
        return result

    def tell(self, story: str) -> None:
        points = json.loads(self.box.run(f"{RUNNER} {story} points").stdout)["points"]
        self.counts[story] = len(kills_of(points))
        chosen = self.chosen(story, points)
        for line in self._lines(story, chosen):
            self.results.append(line)
            self._say(line, len(chosen))

    def _lines(self, story: str, chosen: list[tuple[Point, str]]) -> Iterator[dict[str, Any]]:
        with subprocess.Popen(
            [*self.box.entering, "bash", "-c", f"{RUNNER} {story} kill"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/",
        ) as process:  # fmt: skip
            assert process.stdin and process.stdout
            json.dump(chosen, process.stdin)
            process.stdin.close()
            for line in process.stdout:
                yield json.loads(line)
        assert process.returncode == 0, f"the runner of {story} failed"

    def _say(self, line: dict[str, Any], total: int) -> None:
        if line["troubles"]:
            print(f"TROUBLE {line}", flush=True)
        done = sum(each["story"] == line["story"] for each in self.results)
        if done % 25 == 0 or done == total:
            print(f"{line['story']}: {done} of {total} kills", flush=True)


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest) -> Iterator[list[Worker]]:
    set_up()
    workers: list[Worker] = []
    # With defaults, for options of a directory are known only where pytest is given that directory.
    release = request.config.getoption("--crash-release", RELEASE)
    everything = request.config.getoption("--all", False)

    def work(worker: Worker) -> None:
        for story in STORIES[worker.kind]:
            worker.tell(story)

    pool = ThreadPoolExecutor(len(STORIES))
    try:
        for kind in STORIES:
            workers.append(Worker(kind, release, everything))
        list(pool.map(work, workers))
        yield workers
    finally:
        # First, for an interrupted thread ends when its host is gone.
        for worker in workers:
            worker.box.destroy()
        pool.shutdown()


def test_killed_at_each_step_it_serves_and_converges(told: list[Worker]) -> None:
    print(
        f"\n{'story':<18}{'points':>7}{'kills':>7}{'old':>6}{'new':>6}{'between':>9}{'stopped':>9}{'trouble':>9}"
    )
    bad, missed = [], []
    for worker in told:
        for story, count in worker.counts.items():
            lines = [line for line in worker.results if line["story"] == story]
            reached = [line for line in lines if line["reached"]]
            missed += [line for line in lines if not line["reached"]]
            trouble = [line for line in lines if line["troubles"]]
            bad += trouble
            states = Counter(line["state"] for line in reached)
            stopped = sum(not line["running"] for line in reached)
            print(
                f"{story:<18}{count:>7}{len(reached):>7}{states['old']:>6}{states['new']:>6}{states['between']:>9}"
                f"{stopped:>9}{len(trouble):>9}"
            )
    everything = [line for worker in told for line in worker.results]
    print(f"{len(everything)} kills, {len(missed)} not reached, {len(bad)} with trouble")
    assert not bad, json.dumps(bad, indent=1)
    # The polling at the end of a run makes some calls more or fewer from time to time.
    assert len(missed) <= len(everything) // 50


def test_kinds_of_swap_are_what_they_are_meant_to_be(told: list[Worker]) -> None:
    between = {worker.kind: sum(line.get("state") == "between" for line in worker.results) for worker in told}
    assert between["exchange"] == 0
    assert between["renames"] > 0
