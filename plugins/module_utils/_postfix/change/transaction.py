"""A change of Postfix from the wish to the proof: plan, stage, check, swap, activate, confirm, or all back.

Theory of operation. The plan is computed from the live files and the request alone; a host that is as wished costs a
few file reads and a look at /proc. Otherwise the whole directory is staged, checked there by checks/, swapped by
swap.py, activated and confirmed. From the swap on, whatever is raised takes the change back: every way out of deploy()
leaves the old state or the new one, a Postfix that runs it, and a message that says which.

The rule of this file: no content of a sensitive file leaves it, in no return value and in no exception.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import time
from typing import Any, Iterator, Mapping, NamedTuple, NoReturn, Sequence

from ..checks.finding import Finding
from ..files import main_cf, master_cf
from ..files.text import assignments, staged_path, without_content
from ..host import chroot, distributions, mail_log, maps, needs, neighbours, processes, programs, selinux
from ..host.control import Control
from ..host.master import (
    Master,
    bound_otherwise,
    holds_dead,
    level_for_change,
    queue_directory,
    sockets_become_others,
)
from . import confirm, managed
from .interrupts import Interrupted, heard
from .journal import CONFIRMED, EXCHANGE, FILES, SWAPPED, Journal, Step
from .judgement import ask_for_losses, check, heeded, judge
from .outcome import DeployError, Outcome
from .plan import (
    Change,
    Plan,
    diffs,
    loses_logins,
    make_plan,
    prune_backups,
    read_file,
    write_changes,
)
from .request import Request
from .swap import Directory, SwapError, digest, fingerprint, write_file

# While single files are renamed, a password may be gone that the old main.cf still needs: mail that fails waits.
INTERIM = b"\nsoft_bounce = yes\n"
_OF_CERTIFICATES = ("smtpd_tls_cert_file", "smtpd_tls_key_file", "tls_server_sni_maps")
_PATHS = re.compile(r"(?:^|(?<=\s))/[^\s,{}]+")
_NO_ROOT = "Changing Postfix needs root on the managed host: set become: true for this play or task"


def deploy(request: Request, check_mode: bool = False) -> Outcome:
    """Bring the host to the request, or predict it. Raises DeployError; then nothing has changed, or all is back."""
    if not os.path.isabs(request.config_directory):
        raise DeployError(f"config_directory {request.config_directory!r} must be an absolute path")
    if not check_mode and os.geteuid() and not os.access(os.path.dirname(request.config_directory), os.W_OK):
        raise DeployError(_NO_ROOT)
    try:
        with heard():
            return _deploy(request, check_mode)
    except SwapError as error:
        raise DeployError(str(error)) from None
    except PermissionError as error:
        denied = f"{error.filename}: permission denied. {_NO_ROOT}"
        raise DeployError(denied if os.geteuid() else f"Nothing was changed: {_said(error)}") from None
    except (OSError, Interrupted) as error:
        raise DeployError(f"Nothing was changed: {_said(error)}") from None


def _deploy(request: Request, check_mode: bool) -> Outcome:
    postfix = programs.find_program("postfix")
    there = os.path.isdir(request.config_directory)
    if not there:
        _refuse_directory_of_others(request.config_directory)
    told = _obstacles(request, postfix is not None and there, check_mode)
    if postfix is None or not there:
        if not check_mode:
            missing = (
                "Postfix is not installed"
                if postfix is None
                else f"{request.config_directory} does not exist"
            )
            plan = make_plan(request, request.config_directory, fresh=True)
            needed = ["postfix", *outcome_of(plan, request).missing]
            raise DeployError(
                f"{missing} on this host: install the package postfix first (the role mailops.smtp.postfix does)",
                missing=needed,
                warnings=told + [sentence for sentence in [neighbours.waiting_for()] if sentence],
            )
        outcome = _predict_fresh(request, postfix is None)
        outcome.warnings += told
        return outcome
    directory = Directory(request.config_directory)
    outcome = _predict(request, directory) if check_mode else _change_locked(request, directory)
    outcome.enabled = Control(request.config_directory, "").enabled()
    outcome.dovecot_auth = needs.logins_of_dovecot()
    outcome.warnings += told
    if outcome.activated == "start" and not check_mode:
        outcome.warnings += neighbours.remarks()
    return outcome


def _refuse_directory_of_others(directory: str) -> None:
    """Where nobody named a directory, and this host's package has another. Raises DeployError."""
    known = distributions.of_this_host()
    if known and directory == Request.config_directory != known.config_directory:
        raise DeployError(
            f"Nothing was changed: {known.title} has Postfix's configuration in {known.config_directory}, and "
            f"{directory} does not exist; set config_directory (postfix_config_directory of the role) to "
            f"{known.config_directory}"
        )


def _change_locked(request: Request, directory: Directory) -> Outcome:
    with directory.locked():
        run = _Run(request, directory)
        try:
            return run.run()
        except BaseException as error:
            try:
                run.bring_back(error)
            except Interrupted:
                # That can happen once, amid the way back from something else. It may be gone again from its start.
                run.bring_back(error)


def _said(error: BaseException) -> str:
    """What happened, without its traceback."""
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
    known = (DeployError, Interrupted, SwapError, programs.ServiceError)
    return str(error) if isinstance(error, known) else f"{error.__class__.__name__}: {error}"


def postfix_defaults() -> dict[str, str]:
    """Postfix's own value of every parameter, as postconf(1) writes it; empty where it is not installed."""
    postconf = programs.find_program("postconf")
    return assignments(programs.run([postconf, "-d"]).output) if postconf else {}


def _obstacles(request: Request, installed: bool, check_mode: bool) -> list[str]:
    """What is to be told of the host's other programs. Raises DeployError for what is in the way.

    What a mail server that was replaced has left running is ended.
    """
    base = request.config_directory
    if installed:
        live = main_cf.MainCf(read_file(base, "main.cf")).values()
        if Control(base, queue_directory(live)).master():
            return []
    plan = make_plan(request, base, postfix_defaults() if installed else {}, not installed)
    ending = (
        neighbours.survivors() if installed and request.replace_mta and request.activate == "auto" else []
    )
    found = neighbours.obstacles(
        base, plan.main.values(), plan.master.services, installed, request.activate,
        request.replace_mta, ending,
    )  # fmt: skip
    stopping = [str(obstacle) for obstacle in found if obstacle.stops]
    if stopping:
        raise DeployError("Nothing was changed, because this is in Postfix's way:\n" + listed(stopping))
    told = [str(obstacle) for obstacle in found]
    for process in ending:
        if not check_mode and not processes.end(process):
            raise DeployError(
                f"Nothing was changed: {process.name} (process {process.pid}), whose package is no longer installed, "
                "does not end; end it, and run again"
            )
        told.append(
            f"{process.name} (process {process.pid}) was left over from a package that is gone, and is ended"
        )
    return told


def _predict_fresh(request: Request, without_postfix: bool) -> Outcome:
    plan = make_plan(request, request.config_directory, postfix_defaults(), fresh=True)
    outcome = outcome_of(plan, request)
    outcome.missing = ["postfix", *outcome.missing]
    outcome.activated = "start" if plan.changes and request.activate == "auto" else "none"
    if without_postfix:
        outcome.warnings.append(
            "Postfix is not installed here: the diff is against nothing, and Postfix did not check the configuration"
        )
    variables = request.block.variables if request.block else {}
    outcome.warnings += _absent_certificates(plan, request.config_directory, variables)
    return outcome


def _absent_certificates(plan: Plan, directory: str, variables: Mapping[str, str]) -> Iterator[str]:
    """Certificates and keys of services that are not there, for which a real run is refused once Postfix is."""
    created = {os.path.join(directory, change.path) for change in plan.changes}
    told: set[str] = set()
    for entry in plan.master.services:
        named = [(name, value) for name, value in entry.options if name in _OF_CERTIFICATES]
        for name, path in [(name, path) for name, value in named for path in _PATHS.findall(value)]:
            if path not in {*created, *told} and not os.path.exists(path):
                told.add(path)
                place = f"{entry.service}/{entry.type} {name}"
                yield (
                    f"{variables.get(place, place)}: the file {path} does not exist, and unless a package brings it, a "
                    "real run will be refused"
                )


def outcome_of(plan: Plan, request: Request) -> Outcome:
    values = {**plan.defaults, "config_directory": request.config_directory, **plan.main.values()}
    created = {os.path.join(request.config_directory, change.path) for change in plan.changes}
    return Outcome(
        changed=bool(plan.changes),
        files=[
            {"path": change.path, "action": change.action, "sensitive": change.sensitive}
            for change in plan.changes
            if change.path != managed.STATE
        ],
        diff=diffs(plan, request.config_directory),
        missing=needs.missing(values, plan.master, created) + needs.missing_programs(request.needs),
        warnings=list(plan.made.warnings),
    )


def _predict(request: Request, directory: Directory) -> Outcome:
    """Check mode: the same plan and the same checks, in a private directory; the host is not touched."""
    journal = directory.read_journal()
    base = directory.real
    warnings = []
    if journal and journal.state != CONFIRMED:
        warnings.append("an earlier run was interrupted: a real run takes its change back first")
        exchanged = journal.kind == EXCHANGE and journal.state == SWAPPED and directory.is_swapped(journal)
        if exchanged and os.path.isdir(directory.stage):
            base = directory.stage
    plan = make_plan(request, base, postfix_defaults())
    outcome = outcome_of(plan, request)
    outcome.warnings += warnings
    ask_for_losses(plan, request, outcome)
    state = _State.of(plan, request, directory)
    if plan.changes:
        with directory.private_stage() as stage:
            Directory(base).build_stage(stage)
            write_changes(plan.changes, stage)
            outcome.maps = [ref.spec for ref in state.stale_maps(stage)]
            secret = plan.sensitive
            findings = check(stage, request.config_directory, predicting=True, sensitive=secret)
        judge(
            findings,
            outcome,
            plan,
            request,
            lambda: check(directory.real, request.config_directory, predicting=True, sensitive=secret),
        )
    else:
        outcome.maps = [ref.spec for ref in state.stale_maps(directory.real)]
        _tell_of_the_ignored(request, directory, outcome, state, predicting=True)
    if request.activate == "auto":
        outcome.activated = state.level(bool(plan.changes))
    outcome.changed = outcome.changed or bool(outcome.maps or warnings) or outcome.activated != "none"
    return outcome


def _tell_of_the_ignored(
    request: Request, directory: Directory, outcome: Outcome, state: _State, predicting: bool = False
) -> None:
    """What checks find that are turned off is told in every run, also where nothing changes."""
    if request.ignore:
        live, sensitive = request.config_directory, state.plan.sensitive
        found = check(directory.real, live, predicting=predicting, running=state.master, sensitive=sensitive)
        heeded(found, outcome, request)


class _State(NamedTuple):
    """How the running Postfix relates to what the files are to be."""

    control: Control
    master: Master | None
    old: Mapping[str, str]
    new: Mapping[str, str]
    plan: Plan
    newest: float

    @classmethod
    def of(cls, plan: Plan, request: Request, directory: Directory) -> _State:
        queue = queue_directory(plan.old_main.values())
        control = Control(request.config_directory, queue)
        times = [0.0]
        for name in ("main.cf", "master.cf"):
            with contextlib.suppress(OSError):
                times.append(os.stat(os.path.join(directory.real, name)).st_mtime)
        old, new = plan.old_main.values(), plan.main.values()
        return cls(control, control.master(), old, new, plan, max(times))

    def level(self, changed: bool) -> str:
        """The least that puts the configuration in force: none, reload, restart or start."""
        if self.master is None:
            return "start"
        if self.stale_copies() and chroot.kept_in_step():
            return "restart"
        services = self.plan.master.services
        if holds_dead(self.master, services) or sockets_become_others(
            self.plan.old_master.services, services
        ):
            return "restart"
        if changed:
            return level_for_change(self.old, self.new)
        loaded = self.master.loaded_at
        # Two seconds: the resolution of file times and of process start times together.
        if loaded is not None and loaded + 2 < self.newest <= time.time():
            return "reload"
        return "restart" if self.outdated(self.master) else "none"

    def stale_copies(self) -> list[str]:
        """The files that a chrooted SMTP client reads a copy of that is not as they are."""
        values = {**self.plan.defaults, **self.new}
        if not chroot.clients_chrooted(self.plan.master.services, values):
            return []
        return chroot.stale_copies(queue_directory(self.new))

    def outdated(self, master: Master) -> bool:
        """Whether master bound its sockets under an older configuration, which a reload does not change."""
        old = master.started_at is not None and master.started_at + 2 < self.newest <= time.time()
        return old and bound_otherwise(master, self.new, self.plan.master.services)

    def references(self) -> list[maps.MapReference]:
        lookup = {**self.plan.defaults, "config_directory": self.control.config_directory, **self.new}
        return maps.references(self.plan.main, self.plan.master, lookup, self.plan.defaults)

    def stale_maps(self, root: str) -> list[maps.MapReference]:
        """Compiled tables that are lost or stale, or whose source this plan writes; `root` stands for
        the configuration directory.
        """
        live = self.control.config_directory
        written = {os.path.join(root, change.path) for change in self.plan.changes if change.action != "mode"}
        unique = {ref.spec: ref for ref in self.references() if ref.type in maps.COMPILED}.values()
        moved = [(ref, staged_path(ref.path, root, live)) for ref in unique]
        return [ref for ref, path in moved if path in written or maps.is_stale(ref.type, path)]


class _Run:
    """One real run, under the lock."""

    def __init__(self, request: Request, directory: Directory) -> None:
        self.request = request
        self.directory = directory
        # What is to be taken back where something goes wrong; and whether Postfix was told of it.
        self.swapping: tuple[_State, Journal] | None = None
        self.told_postfix = False

    def run(self) -> Outcome:
        recovered, told = self._recover()
        defaults = postfix_defaults()
        for _attempt in range(3):
            seen = self.directory.fingerprint()
            plan = make_plan(self.request, self.directory.real, defaults)
            outcome = outcome_of(plan, self.request)
            outcome.recovered = recovered
            outcome.warnings += told
            state = _State.of(plan, self.request, self.directory)
            if not plan.changes:
                return self._converge(outcome, state)
            ask_for_losses(plan, self.request, outcome)
            if self._change(plan, outcome, state, seen):
                return outcome
        raise DeployError(
            f"{self.request.config_directory} was changed by somebody else three times while this change was prepared; "
            "nothing was changed by this run: find out who writes there (another playbook, an editor, a package run), "
            "then run again"
        )

    # ------------------------------------------------------------------ after a kill

    def _recover(self) -> tuple[bool, list[str]]:
        """Take back what a killed run left, and let Postfix run what is then there.

        Whether there was anything, and what others had changed since.
        """
        directory = self.directory
        directory.clear_private()
        journal = directory.read_journal()
        if journal is None or journal.state == CONFIRMED:
            # No live file was touched, or all of them are confirmed: only leftovers can be there.
            if journal or directory.leftovers():
                directory.close()
            return False, []
        try:
            told = directory.undo(journal) if journal.state == SWAPPED else []
        except (OSError, SwapError) as error:
            raise DeployError(
                f"An earlier run was interrupted, and its change cannot be taken back: {_said(error)}. "
                f"{directory.path} holds its files, not confirmed, or some of them; mend that, and run again"
            ) from None
        if journal.running and journal.level != "none":
            old = main_cf.MainCf(read_file(directory.real, "main.cf")).values()
            control = Control(self.request.config_directory, queue_directory(old))
            # A failure shows again in this run's own activation, with what Postfix logged.
            with contextlib.suppress(programs.ServiceError):
                control.activate(journal.level if control.master() else "start")
        directory.close()
        return True, [f"an earlier run was interrupted, and its change taken back; {each}" for each in told]

    # ------------------------------------------------------------------ nothing to write

    def _converge(self, outcome: Outcome, state: _State) -> Outcome:
        self._build_maps(state, outcome, self.directory.real)
        level = state.level(False) if self.request.activate == "auto" else "none"
        outcome.changed = bool(outcome.maps) or outcome.recovered
        if level != "none":
            outcome.changed = True
            log = self._log(state, state.new)
            self.swapping = state, Journal([], level, state.master is not None, kind=FILES)
            problems = self._activate(state, level, log)
            self.swapping = None
            if problems:
                raise DeployError(
                    "The files are as asked, but Postfix does not serve them:\n" + listed(problems),
                    log=log.account(),
                )
            outcome.activated, outcome.confirmed = level, True
        else:
            outcome.confirmed = state.master is not None
        self._bring_copies_in_step(state, level, outcome)
        _tell_of_the_ignored(self.request, self.directory, outcome, state)
        return outcome

    def _bring_copies_in_step(self, state: _State, level: str, outcome: Outcome) -> None:
        """A start makes the copies for the chroot; what it did not make is copied here, or told."""
        stale = state.stale_copies()
        queue = queue_directory(state.new)
        if stale and level in ("restart", "start") and chroot.kept_in_step():
            with contextlib.suppress(OSError):
                chroot.copy(queue, stale)
            stale = state.stale_copies()
        if stale:
            outcome.warnings.append(
                f"{', '.join(stale)}: the copy in {queue}/etc, which the chrooted SMTP client reads, is not as in "
                "/etc; copy it, or set chroot to n for smtp in master.cf (postfix_services)"
            )

    def _former(self, state: _State) -> list[Finding]:
        """What was wrong with the configuration before the change."""
        live, sensitive = self.request.config_directory, state.plan.sensitive
        return check(self.directory.real, live, running=state.master, sensitive=sensitive)

    def _build_maps(self, state: _State, outcome: Outcome, root: str) -> None:
        """Compile what is lost or stale; `root` stands for the configuration directory."""
        found, live = state.references(), self.request.config_directory
        paths = {ref: staged_path(ref.path, root, live) for ref in found}
        for path in paths.values():
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(maps.build_directory(path))
        for ref in state.stale_maps(root):
            if not os.path.exists(paths[ref]):
                continue
            trouble = maps.build(ref.type, paths[ref], maps.tool_for(found, ref.path), root)
            if trouble:
                trouble = without_content(trouble.replace(root, live), state.plan.secret_paths(live))
                raise DeployError(
                    f"{ref.file} line {ref.line}: {ref.parameter}: {ref.spec} cannot be compiled: {trouble}"
                )
            outcome.maps.append(ref.spec)

    # ------------------------------------------------------------------ the change

    def _change(self, plan: Plan, outcome: Outcome, state: _State, seen: Mapping[str, Any]) -> bool:
        """Stage, check, swap, activate, confirm. False where somebody else changed the live directory meanwhile."""
        directory = self.directory
        stage = directory.build_stage()
        try:
            resolved = [self._through_links(change) for change in plan.changes]
            if self.request.backup:
                outcome.backups = self._back_up(resolved, stage)
            write_changes(resolved, stage)
            try:
                self._build_maps(state, outcome, stage)
            except DeployError:
                # A mistake elsewhere keeps postmap from running as well, and has better words.
                self._judge(plan, outcome, state, stage, uncompiled=True)
                raise
            self._judge(plan, outcome, state, stage)
        except BaseException:
            directory.clear_stage()
            raise
        if directory.fingerprint() != seen:
            directory.clear_stage()
            return False
        level = state.level(True) if self.request.activate == "auto" else "none"
        journal = Journal(self._steps(resolved, stage, seen), level, state.master is not None)
        self.swapping = state, journal
        directory.swap(journal, INTERIM)
        if journal.kind == EXCHANGE and fingerprint(directory.stage) != seen:
            directory.undo(journal)
            self.swapping = None
            directory.close()
            return False
        if level != "none":
            log = self._log(state, state.new)
            problems = self._activate(state, level, log)
            if problems:
                raise _NotServed(problems, log.account())
            outcome.activated, outcome.confirmed = level, True
        self._bring_copies_in_step(state, level, outcome)
        directory.confirm()
        self.swapping = None
        directory.close()
        return True

    def _judge(
        self, plan: Plan, outcome: Outcome, state: _State, stage: str, uncompiled: bool = False
    ) -> None:
        findings = check(
            stage, self.request.config_directory, uncompiled, state.master, sensitive=plan.sensitive
        )
        judge(findings, outcome, plan, self.request, lambda: self._former(state))

    def _through_links(self, change: Change) -> Change:
        """A managed file that is a link within the directory is written where it points."""
        real = self.directory.resolve(change.path)
        if self.directory.inside(real):
            return change._replace(path=os.path.relpath(real, self.directory.real))
        return change

    def _steps(self, changes: Sequence[Change], stage: str, seen: Mapping[str, Any]) -> list[Step]:
        """Every file in which the stage differs from the live directory: wished, backups, compiled tables."""
        paths = {change.path for change in changes}
        new = fingerprint(stage)
        for path, entry in new.items():
            if stat.S_ISREG(entry[0]) and seen.get(path) != entry:
                paths.add(path)
        paths |= {path for path, entry in seen.items() if path not in new and stat.S_ISREG(entry[0])}
        steps = []
        for path in sorted(paths):
            target = self.directory.resolve(path)
            steps.append(Step(path, target, digest(target), digest(os.path.join(stage, path))))
        return steps

    def _back_up(self, changes: Sequence[Change], stage: str) -> list[str]:
        made = []
        stamp = time.strftime("%Y-%m-%d@%H:%M:%S~")
        for change in changes:
            if change.action in ("modified", "removed") and (not change.sensitive or loses_logins(change)):
                name = f"{change.path}.{os.getpid()}.{stamp}"
                write_file(
                    os.path.join(stage, name), change.before.encode("utf-8", "surrogateescape"), 0o600,
                    (os.geteuid(), os.getegid()), os.path.join(stage, change.path), True,
                )  # fmt: skip
                made.append(os.path.join(self.request.config_directory, name))
                prune_backups(stage, change.path, max(1, self.request.backup_keep))
        return made

    # ------------------------------------------------------------------ activation

    def _activate(self, state: _State, level: str, log: mail_log.LogMark) -> list[str]:
        """Activate and confirm; what is wrong, nothing when Postfix serves."""
        control, services = state.control, state.plan.master.services
        replaced = state.master.pid if state.master and level == "restart" else None
        self.told_postfix = True
        try:
            control.activate(level, log)
            if (
                level == "reload"
                and (master := control.master())
                and state._replace(newest=self._newest()).outdated(master)
            ):
                replaced = master.pid
                control.activate("restart", log)
            problems = confirm.confirm(
                Control(control.config_directory, queue_directory(state.new)),
                services,
                {**state.plan.defaults, **state.new},
                self.request.listen,
                self.request.timeout,
                log,
                replaced,
                (lambda: control.activate("restart", log))
                if level == "reload" and replaced is None
                else None,
            )
        except programs.ServiceError as error:
            problems = [str(error), *(f"Postfix logged: {line}" for line in log.account())]
        return problems + selinux.advice(problems)

    def _log(self, state: _State, values: Mapping[str, str]) -> mail_log.LogMark:
        return mail_log.LogMark(values, state.plan.secret_paths(self.request.config_directory))

    def _newest(self) -> float:
        names = (os.path.join(self.directory.real, name) for name in ("main.cf", "master.cf"))
        return max(os.stat(name).st_mtime for name in names)

    # ------------------------------------------------------------------ the way back

    def bring_back(self, error: BaseException) -> NoReturn:
        """Whatever was raised: the old files live, Postfix as it was, and DeployError says so.

        Raises `error` itself where no live file was touched.
        """
        if self.swapping is None:
            with contextlib.suppress(OSError):
                if not self.directory.read_journal():
                    self.directory.close()
            raise error
        state, journal = self.swapping
        try:
            touched = self.directory.is_touched(journal)
            told = self.directory.undo(journal)
        except Exception as failure:
            raise DeployError(
                f"The change was broken off: {_said(error)}. It could not be taken back ({_said(failure)}): "
                f"{self.request.config_directory} holds the new files, not confirmed, or some of them. Mend that, and "
                "run again: the old ones are kept and come back first"
            ) from error
        if isinstance(error, _NotServed) and journal.level == "reload":
            # master(8) waits a minute before it starts a daemon again that has failed; a reload does not shorten that.
            journal.level = "restart"
        again = journal.level != "none" and (touched or self.told_postfix)
        problems = self._serve_again(state, journal) if again else []
        with contextlib.suppress(OSError):
            self.directory.close()
        if isinstance(error, _NotServed):
            what, reasons, log = (
                "Postfix did not come up with the new configuration",
                error.problems,
                error.log,
            )
        else:
            what, reasons, log = "The new configuration was given up", [_said(error)], []
        ended = where_it_ended(touched, again, state.master is not None, problems)
        raise DeployError(
            f"{what}; {ended}. What went wrong:\n{listed(reasons)}",
            rolled_back=touched,
            log=log,
            warnings=told,
        ) from error

    def _serve_again(self, state: _State, journal: Journal) -> list[str]:
        """Postfix as it was, with the old files: running, or stopped. What is in the way of that."""
        level, control = journal.level, state.control
        new_queue = queue_directory(state.new)
        if new_queue != control.queue:
            with contextlib.suppress(Exception):
                Control(control.config_directory, new_queue).stop()
        try:
            if state.master is None:
                control.activate("stop")
                return []
            log = self._log(state, state.old)
            running = control.master()
            control.activate("start" if running is None else level if level != "start" else "reload", log)
            services = master_cf.MasterCf(read_file(self.directory.real, "master.cf")).services
            values = {**state.plan.defaults, **state.old}
            return confirm.confirm(control, services, values, (), self.request.timeout, log, None)
        except Exception as failure:
            return [_said(failure)]


class _NotServed(Exception):
    """Postfix does not serve with the new files."""

    def __init__(self, problems: Sequence[str], log: Sequence[str]) -> None:
        super().__init__(listed(problems))
        self.problems, self.log = list(problems), list(log)


def where_it_ended(touched: bool, again: bool, ran: bool, problems: Sequence[str]) -> str:
    """The state of the host after the way back. `touched`: files were live; `again`: Postfix was told."""
    if problems:
        files = "the previous files were restored" if touched else "no file was changed"
        return f"{files}, but Postfix does not come up with them either ({'; '.join(problems)})"
    files = "the previous one was restored" if touched else "nothing was changed"
    if not again:
        return files
    if ran and touched:
        return f"{files} and is running"
    return f"{files}, and Postfix {'is running' if ran else 'is stopped, as it was before'}"


def listed(problems: Sequence[str]) -> str:
    return "\n".join(f"  {problem}" for problem in dict.fromkeys(problems))
