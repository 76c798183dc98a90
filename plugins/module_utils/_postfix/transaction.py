"""A change of Postfix from the wish to the proof: plan, stage, check, swap, activate, confirm, or all back.

Theory of operation. The plan is computed from the live files and the request alone; a host that is as wished costs a
few file reads and a look at /proc. Otherwise the whole directory is staged, checked there by checks/, swapped by
swap.py, activated and confirmed by service.py. Every way out of deploy() leaves the old state or the new one, and a
Postfix that runs it.

The rule of this file: no content of a sensitive file leaves it, in no return value and in no exception.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import stat
import tempfile
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Mapping, NamedTuple, Sequence

from . import block, chroot, losses, main_cf, managed, maps, master_cf, needs, neighbours, processes, service
from .checks.finding import Finding
from .request import BlockWish, FileWish, Request
from .swap import Directory, Step, SwapError, digest, fingerprint, write_file
from .text import assignments, staged_path

# While single files are renamed, a password may be gone that the old main.cf still needs: mail that fails waits.
INTERIM = b"\nsoft_bounce = yes\n"
# What decides which commands root runs. main.cf is read by sendmail(1) as well, as the user who runs it.
_ROOTS = ("main.cf", "master.cf")
_NO_ROOT = "Changing Postfix needs root on the managed host: set become: true for this play or task"
HIDDEN = "(sensitive: the content is not shown)\n"


class Change(NamedTuple):
    """A file that will differ. Contents of sensitive files are here, and go no further."""

    path: str
    action: str
    sensitive: bool
    before: str
    after: str
    old_mode: int | None
    mode: int
    owner: tuple[int, int] | None = None
    """uid and gid that it is to have, None for those that it has."""


@dataclass
class Outcome:
    """What was done; the keys of the module's return value."""

    changed: bool = False
    files: list[dict[str, Any]] = field(default_factory=list)
    diff: list[dict[str, str]] = field(default_factory=list)
    activated: str = "none"
    confirmed: bool = False
    rolled_back: bool = False
    recovered: bool = False
    maps: list[str] = field(default_factory=list)
    backups: list[str] = field(default_factory=list)
    takes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    enabled: bool | None = None
    warnings: list[str] = field(default_factory=list)


class DeployError(Exception):
    """The change was not made, or was taken back. `findings`, `missing` and `rolled_back` say more."""

    def __init__(
        self,
        message: str,
        findings: Sequence[Finding] = (),
        rolled_back: bool = False,
        log: Sequence[str] = (),
        missing: Sequence[str] = (),
        takes: Sequence[str] = (),
        diff: Sequence[dict[str, str]] = (),
        warnings: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.takes = list(takes)
        self.diff = list(diff)
        self.warnings = list(warnings)
        self.missing = list(missing)
        self.findings = list(findings)
        self.rolled_back = rolled_back
        self.log = list(log)


# ---------------------------------------------------------------------------------------------- the plan


class Plan(NamedTuple):
    changes: list[Change]
    old_main: main_cf.MainCf
    main: main_cf.MainCf
    master: master_cf.MasterCf
    defaults: Mapping[str, str] = {}
    made: managed.Managed = managed.Managed()


def file_wishes(entries: Sequence[Mapping[str, Any]]) -> list[FileWish]:
    """The module's `files` as wishes. Raises DeployError naming the entry that cannot be."""
    result = []
    for entry in entries:
        path = os.path.normpath(str(entry["path"]))
        if os.path.isabs(path) or path.startswith("..") or path == ".":
            raise DeployError(
                f"files: path {entry['path']!r} must be relative to config_directory and stay below it, "
                "for example sasl_passwd"
            )
        absent = entry.get("state") == "absent"
        if entry.get("content") is None and not absent:
            raise DeployError(
                f"files: {path}: content is missing; give it, or state: absent to remove the file"
            )
        content = str(entry.get("content") or "")
        if content and not content.endswith("\n"):
            content += "\n"
        result.append(
            FileWish(
                path,
                content,
                parse_mode(path, entry.get("mode")),
                bool(entry.get("sensitive")),
                absent,
                bool(entry.get("block")),
            )
        )
    paths = [wish.path for wish in result]
    for path in paths:
        if paths.count(path) > 1:
            raise DeployError(f"files: {path} is given {paths.count(path)} times; once is enough")
    return result


def parse_mode(path: str, raw: Any) -> int | None:
    if raw is None or raw == "":
        return None
    try:
        mode = raw if isinstance(raw, int) and not isinstance(raw, bool) else int(str(raw), 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o7777:
        raise DeployError(
            f"files: {path}: mode {raw!r} is not an octal mode; write it as text, for example '0640'"
        )
    return mode


def make_plan(
    request: Request, base: str, defaults: Mapping[str, str] | None = None, fresh: bool = False
) -> Plan:
    """What would change in the directory `base`. Raises DeployError for a wish that cannot be put in a file.

    `defaults` are Postfix's own values, empty where it is not installed. `fresh`: master.cf is still to come with its
    package.
    """
    defaults = defaults or {}
    managed_mode = request.block is not None or request.restore is not None
    created = {"master.cf": master_cf.FRESH} if fresh else {}

    def read(path: str) -> str:
        return _read(base, path) or created.get(path, "")

    made = _managed(request, base, read, defaults) if managed_mode else _merged(request, read)
    old_main = main_cf.MainCf(_read(base, "main.cf"))
    main, master = main_cf.MainCf(made.main), master_cf.MasterCf(made.master)
    changes = [change for change in (_compare(base, wish) for wish in made.wishes.values()) if change]
    lookup = {**defaults, "config_directory": request.config_directory, **main.values()}
    changes += _orphans(made.wishes.values(), base, maps.references(main, master, lookup, defaults), request)
    if changes and managed_mode and managed.STATE not in made.wishes:
        state = FileWish(managed.STATE, json.dumps(made.state) + "\n", 0o600, True)
        changes += [change for change in (_compare(base, state),) if change]
    return Plan(changes, old_main, main, master, defaults, made)


def _managed(
    request: Request, base: str, read: Callable[[str], str], defaults: Mapping[str, str]
) -> managed.Managed:
    live = managed.Live(read, lambda path: _attributes(base, path), defaults)
    try:
        made = managed.compute(request, live)
    except ValueError as error:
        raise DeployError(str(error)) from None
    if managed.STATE in made.wishes:
        for path in {*made.wishes, *made.state.get("paths", ())}:
            for name in backups_of(base, path):
                if name.rpartition(".")[2][:-1] >= made.since:
                    made.wishes[name] = FileWish(name, absent=True, sensitive=True)
    return made


def _attributes(base: str, path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(os.path.join(base, path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid


def _merged(request: Request, read: Callable[[str], str]) -> managed.Managed:
    """Values and entries merged in place, into the live files or into those given whole."""
    wishes = {wish.path: wish for wish in request.files}
    main = main_cf.MainCf(_wished_text(wishes.get("main.cf"), read("main.cf")))
    master = master_cf.MasterCf(_wished_text(wishes.get("master.cf"), read("master.cf")))
    try:
        main.merge(request.parameters)
    except ValueError as error:
        raise DeployError(f"parameters: {error}") from None
    try:
        master.merge(request.services)
    except ValueError as error:
        raise DeployError(f"services: {error}") from None
    if request.parameters or "main.cf" in wishes:
        wishes["main.cf"] = _with_content(wishes, "main.cf", main.text())
    if request.services or "master.cf" in wishes:
        wishes["master.cf"] = _with_content(wishes, "master.cf", master.text())
    named = {*request.parameters, *(f"{each['service']}/{each['type']}" for each in request.services)}
    given = {wish.path for wish in request.files}
    named |= set(main.values()) if "main.cf" in given else set()
    named |= {"/".join(entry.key) for entry in master.services} if "master.cf" in given else set()
    return managed.Managed(wishes, main.text(), master.text(), named=frozenset(named))


def _orphans(
    wishes: Iterable[FileWish], base: str, references: Sequence[maps.MapReference], request: Request
) -> list[Change]:
    """Compiled tables that nothing names and that would outlive their source, or the passwords in it."""
    named = {
        staged_path(path, base, request.config_directory)
        for ref in references
        for path in maps.compiled_files(ref.type, ref.path)
    }
    result = []
    for wish in wishes:
        if wish.absent or wish.sensitive:
            for suffix in maps.SUFFIXES:
                path = wish.path + suffix
                attributes = _attributes(base, path)
                if attributes and os.path.join(base, path) not in named:
                    result.append(Change(path, "removed", True, "", "", attributes[0], 0))
    return result


def _with_content(wishes: Mapping[str, FileWish], path: str, content: str) -> FileWish:
    return wishes.get(path, FileWish(path))._replace(content=content)


def _wished_text(wish: FileWish | None, live: str) -> str:
    return live if wish is None or wish.content is None else wish.content


def _read(base: str, path: str) -> str:
    try:
        with open(os.path.join(base, path), encoding="utf-8", errors="surrogateescape", newline="") as handle:
            return handle.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _compare(base: str, wish: FileWish) -> Change | None:
    path = os.path.join(base, wish.path)
    if os.path.isdir(path):
        raise DeployError(
            f"files: {wish.path} is a directory on this host; name a file, or move the directory away"
        )
    try:
        status: os.stat_result | None = os.stat(path)
    except FileNotFoundError:
        status = None
    before = _read(base, wish.path)
    if wish.absent:
        if status is None:
            return None
        return Change(wish.path, "removed", wish.sensitive, before, "", stat.S_IMODE(status.st_mode), 0)
    old_mode = stat.S_IMODE(status.st_mode) if status else None
    mode = _wished_mode(wish, old_mode)
    owner = _wished_owner(wish, status)
    after = wish.content or ""
    foreign = bool(status and owner and (status.st_uid, status.st_gid) != owner)
    if status is None:
        action = "created"
    elif before != after:
        action = "modified"
    elif old_mode != mode or foreign:
        action = "mode"
    else:
        return None
    return Change(wish.path, action, wish.sensitive, before, after, old_mode, mode, owner)


def _wished_mode(wish: FileWish, old: int | None) -> int:
    """The mode asked for; without that the file's own, unless others than root may write it or users cannot read it."""
    if wish.mode is not None:
        return wish.mode
    if wish.sensitive:
        return 0o600
    if old is None or (wish.path == "main.cf" and not old & 0o004):
        return 0o644
    return old & ~0o022


def _wished_owner(wish: FileWish, old: os.stat_result | None) -> tuple[int, int] | None:
    """Who is to own it: root the files that are read as root, whoever owns them now; None for no change."""
    if wish.owner is not None:
        return wish.owner
    roots = wish.path in _ROOTS and os.geteuid() == 0 and (old is None or old.st_uid != 0)
    return (os.geteuid(), os.getegid()) if wish.sensitive or roots else None


def diffs(changes: Sequence[Change], directory: str) -> list[dict[str, str]]:
    """The diff of each file as Ansible shows it; of a sensitive one only that it changes."""
    result = []
    for change in changes:
        if change.path == managed.STATE:
            continue
        path = os.path.join(directory, change.path)
        before, after = change.before, change.after
        if change.sensitive:
            before = HIDDEN if change.action not in ("created",) else ""
            after = (
                "" if change.action == "removed" else HIDDEN.replace("not shown", "not shown, and changes")
            )
        if change.action == "mode":
            before, after = f"mode {change.old_mode or 0:04o}\n", f"mode {change.mode:04o}\n"
        result.append({
            "before_header": f"{path} (absent)" if change.action == "created" else path,
            "after_header": f"{path} (absent)" if change.action == "removed" else path,
            "before": before,
            "after": after,
        })  # fmt: skip
    return result


def loses_logins(change: Change) -> bool:
    """Whether a row of the old table is lost, key and value.

    A password that is rotated keeps its key, one whose next hop moves keeps its value, and those in a block of ours
    come from variables: none is worth a copy of a password that nobody needs any more. What somebody else put there is.
    """
    before = change.before
    with contextlib.suppress(block.BlockError):
        before = block.undo(before)
    return managed.loses_rows(before, change.after)


# ---------------------------------------------------------------------------------------------- deploy


def deploy(request: Request, check_mode: bool = False) -> Outcome:
    """Bring the host to the request, or predict it. Raises DeployError; then nothing has changed, or all is back."""
    if not os.path.isabs(request.config_directory):
        raise DeployError(f"config_directory {request.config_directory!r} must be an absolute path")
    if not check_mode and os.geteuid() and not os.access(os.path.dirname(request.config_directory), os.W_OK):
        raise DeployError(_NO_ROOT)
    postfix = service.find_program("postfix")
    there = os.path.isdir(request.config_directory)
    told = _obstacles(request, postfix is not None and there, check_mode)
    if postfix is None or not there:
        if not check_mode:
            missing = (
                "Postfix is not installed"
                if postfix is None
                else f"{request.config_directory} does not exist"
            )
            plan = make_plan(request, request.config_directory, fresh=True)
            needed = ["postfix", *_outcome(plan, request).missing]
            raise DeployError(
                f"{missing} on this host: install the package postfix first (the role mailops.smtp.postfix does)",
                missing=needed,
                warnings=told + [sentence for sentence in [neighbours.waiting_for()] if sentence],
            )
        outcome = _predict_fresh(request, postfix is None)
        outcome.warnings += told
        return outcome
    try:
        directory = Directory(request.config_directory)
        if check_mode:
            outcome = _predict(request, directory)
        else:
            with directory.locked():
                outcome = _Run(request, directory).run()
    except SwapError as error:
        raise DeployError(str(error)) from None
    except PermissionError as error:
        if os.geteuid():
            raise DeployError(f"{error.filename}: permission denied. {_NO_ROOT}") from None
        raise DeployError(f"{error.filename or request.config_directory}: {error.strerror}") from None
    except OSError as error:
        raise DeployError(f"{error.filename or request.config_directory}: {error.strerror}") from None
    outcome.enabled = service.Control(request.config_directory, "").enabled()
    outcome.warnings += told
    if outcome.activated == "start" and not check_mode:
        outcome.warnings += neighbours.remarks()
    return outcome


def postfix_defaults() -> dict[str, str]:
    """Postfix's own value of every parameter, as postconf(1) writes it; empty where it is not installed."""
    postconf = service.find_program("postconf")
    return assignments(service.run([postconf, "-d"]).output) if postconf else {}


def _obstacles(request: Request, installed: bool, check_mode: bool) -> list[str]:
    """What is to be told of the host's other programs. Raises DeployError for what is in the way.

    What a mail server that was replaced has left running is ended.
    """
    base = request.config_directory
    if installed:
        live = main_cf.MainCf(_read(base, "main.cf")).values()
        if service.running_master(service.queue_directory(live)):
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
        raise DeployError("Nothing was changed, because this is in Postfix's way:\n" + _listed(stopping))
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
    outcome = _outcome(plan, request)
    outcome.missing = ["postfix", *outcome.missing]
    outcome.activated = "start" if plan.changes and request.activate == "auto" else "none"
    if without_postfix:
        outcome.warnings.append(
            "Postfix is not installed here: the diff is against nothing, and Postfix did not check the configuration"
        )
    return outcome


def _outcome(plan: Plan, request: Request) -> Outcome:
    values = {**plan.defaults, "config_directory": request.config_directory, **plan.main.values()}
    created = {os.path.join(request.config_directory, change.path) for change in plan.changes}
    return Outcome(
        changed=bool(plan.changes),
        files=[
            {"path": change.path, "action": change.action, "sensitive": change.sensitive}
            for change in plan.changes
            if change.path != managed.STATE
        ],
        diff=diffs(plan.changes, request.config_directory),
        missing=needs.missing(values, plan.master, created),
        warnings=list(plan.made.warnings),
    )


def _predict(request: Request, directory: Directory) -> Outcome:
    """Check mode: the same plan and the same checks, in a private directory; the host is not touched."""
    journal = directory.read_journal()
    base = directory.real
    warnings = []
    if journal and journal.get("state") != "confirmed":
        warnings.append("an earlier run was interrupted: a real run takes its change back first")
        if (
            journal["kind"] == "exchange"
            and journal["state"] == "swapped"
            and directory.is_swapped(journal)
            and os.path.isdir(directory.stage)
        ):
            base = directory.stage
    plan = make_plan(request, base, postfix_defaults())
    outcome = _outcome(plan, request)
    outcome.warnings += warnings
    _ask_for_losses(plan, request, outcome)
    state = _State.of(plan, request, directory)
    if plan.changes:
        private = tempfile.mkdtemp(prefix="mailops-check-")
        try:
            stage = os.path.join(private, "stage")
            Directory(base).build_stage(stage)
            write_changes(plan.changes, stage)
            outcome.maps = [ref.spec for ref in state.stale_maps(stage)]
            findings = _check(stage, request.config_directory, predicting=True)
        finally:
            shutil.rmtree(private, ignore_errors=True)
        _judge(
            findings,
            outcome,
            plan,
            request,
            lambda: _check(directory.real, request.config_directory, predicting=True),
        )
    else:
        outcome.maps = [ref.spec for ref in state.stale_maps(directory.real)]
    if request.activate == "auto":
        outcome.activated = state.level(bool(plan.changes))
    outcome.changed = outcome.changed or bool(outcome.maps or warnings) or outcome.activated != "none"
    return outcome


def _ask_for_losses(plan: Plan, request: Request, outcome: Outcome) -> None:
    """List what the change takes from the host. Raises DeployError for what nobody asked for."""
    if request.block is None or request.block.fresh or not plan.changes:
        return
    old_master = master_cf.MasterCf(_read(request.config_directory, "master.cf"))
    old, new = plan.old_main.values(), plan.main.values()
    base = {**plan.defaults, "config_directory": request.config_directory}
    found = losses.losses(
        losses.Side(old, {**base, **old}, old_master.services),
        losses.Side(new, {**base, **new}, plan.master.services),
        plan.made.ours,
        values=not plan.made.stock or request.block.replace,
    )
    outcome.takes = [loss.sentence for loss in found]
    refused = [loss for loss in found if not loss.names & plan.made.named]
    if refused and not plan.made.stock:
        names = sorted({name for loss in refused for name in loss.names})
        raise DeployError(
            "This change takes from the host what nobody named, so nothing was changed:\n"
            + "".join(f"  {loss.sentence}\n" for loss in refused)
            + f"If that is what you want, name it: {', '.join(names)} in postfix_parameters or postfix_services "
            "(parameters or services of postfix_config), or set postfix_replace: true (block: replace).",
            missing=outcome.missing,
            takes=outcome.takes,
            diff=outcome.diff,
        )
    if found:
        outcome.warnings.append("this change takes from the host: " + "; ".join(outcome.takes))


def _check(stage: str, live: str, **more: Any) -> list[Finding]:
    from .checks import registry  # half of this package, and of no use where nothing changes

    return registry.check(stage, live, **more)


def _judge(
    findings: Sequence[Finding],
    outcome: Outcome,
    plan: Plan,
    request: Request,
    former: Callable[[], Iterable[Finding]],
) -> None:
    """Mistakes are refused; opinions are warnings, and so are mistakes of before that are not in the way of mail.

    On the way back, nothing is refused that was in force once: where Postfix does not serve with it, that is undone.
    """
    findings = _heeded(findings, outcome, request)
    errors = [finding for finding in findings if finding.certain]
    old: list[Finding] = []
    if request.restore:
        old = errors
    elif any(finding.aside for finding in errors):
        known = {finding._replace(line=0) for finding in former()}
        old = [
            finding
            for finding in errors
            if finding.aside and not finding.named & plan.made.named and finding._replace(line=0) in known
        ]
    outcome.warnings += [f"{finding} (it was so before this change)" for finding in old]
    errors = [finding for finding in errors if finding not in old]
    if errors:
        listed = "\n".join(
            f"  {_in_the_users_words(finding, request)} [{finding.check}]" for finding in errors
        )
        count = "1 mistake" if len(errors) == 1 else f"{len(errors)} mistakes"
        raise DeployError(
            f"The configuration was refused, nothing was changed. {count}:\n{listed}",
            findings,
            missing=outcome.missing,
            takes=outcome.takes,
            diff=outcome.diff,
        )
    outcome.warnings += [_in_the_users_words(finding, request) for finding in findings if not finding.certain]


def _heeded(findings: Sequence[Finding], outcome: Outcome, request: Request) -> list[Finding]:
    """Those whose check is not turned off; the others are told, with the reason why it is."""
    outcome.warnings += [
        f"{_in_the_users_words(finding, request)} ({finding.check} is ignored: {request.ignore[finding.check]})"
        for finding in findings
        if finding.check in request.ignore
    ]
    return [finding for finding in findings if finding.check not in request.ignore]


def _in_the_users_words(finding: Finding, request: Request) -> str:
    """The finding, with the variable that says so in front, where there is one."""
    wish, (service, setting) = request.block or BlockWish(), finding.where
    variable = wish.variables.get(setting, "")
    if service in {f"{each['service']}/{each['type']}" for each in request.services}:
        variable = wish.variables.get("services", "")
    elif service or setting not in {*request.parameters, *main_cf.MainCf(wish.text).values()}:
        variable = ""
    elif setting in request.parameters:
        variable = wish.variables.get("parameters", "")
    return f"{variable}: {finding}" if variable else str(finding)


def write_changes(changes: Sequence[Change], stage: str) -> None:
    for change in changes:
        path = os.path.join(stage, change.path)
        if change.action == "removed":
            os.unlink(path)
            continue
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        like = path if os.path.exists(path) else None
        owner = change.owner or (os.geteuid(), os.getegid())
        if like and change.owner is None:
            status = os.stat(path)
            owner = (status.st_uid, status.st_gid)
        temporary = path + ".writing"
        write_file(
            temporary,
            change.after.encode("utf-8", "surrogateescape"),
            change.mode,
            owner,
            like,
            change.sensitive,
        )
        os.rename(temporary, path)


class _State(NamedTuple):
    """How the running Postfix relates to what the files are to be."""

    control: service.Control
    master: service.Master | None
    old: Mapping[str, str]
    new: Mapping[str, str]
    plan: Plan
    newest: float

    @classmethod
    def of(cls, plan: Plan, request: Request, directory: Directory) -> _State:
        queue = service.queue_directory(plan.old_main.values())
        control = service.Control(request.config_directory, queue)
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
        if changed:
            return service.level_for_change(self.old, self.new)
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
        return chroot.stale_copies(service.queue_directory(self.new))

    def outdated(self, master: service.Master) -> bool:
        """Whether master bound its sockets under an older configuration, which a reload does not change."""
        old = master.started_at is not None and master.started_at + 2 < self.newest <= time.time()
        return old and service.bound_otherwise(master, self.new, self.plan.master.services)

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

    def run(self) -> Outcome:
        recovered = self._recover()
        defaults = postfix_defaults()
        for _attempt in range(3):
            seen = self.directory.fingerprint()
            plan = make_plan(self.request, self.directory.real, defaults)
            outcome = _outcome(plan, self.request)
            outcome.recovered = recovered
            state = _State.of(plan, self.request, self.directory)
            if not plan.changes:
                return self._converge(outcome, state)
            _ask_for_losses(plan, self.request, outcome)
            if self._change(plan, outcome, state, seen):
                return outcome
        raise DeployError(
            f"{self.request.config_directory} was changed by somebody else three times while this change was prepared; "
            "nothing was changed by this run: find out who writes there (another playbook, an editor, a package run), "
            "then run again"
        )

    # ------------------------------------------------------------------ after a kill

    def _recover(self) -> bool:
        """Take back what a killed run left, and let Postfix run what is then there. Whether there was anything."""
        directory = self.directory
        journal = directory.read_journal()
        if journal is None or journal.get("state") == "confirmed":
            # No live file was touched, or all of them are confirmed: only leftovers can be there.
            if os.path.lexists(directory.stage) or journal or os.path.exists(directory.journal + ".new"):
                directory.close()
            return False
        if journal["state"] != "undone":
            directory.undo_swap(journal)
            directory.write_journal({**journal, "state": "undone"})
        level = journal["level"]
        if journal["running"] and level != "none":
            old = main_cf.MainCf(_read(directory.real, "main.cf")).values()
            control = service.Control(self.request.config_directory, service.queue_directory(old))
            # A failure shows again in this run's own activation, with what Postfix logged.
            with contextlib.suppress(service.ServiceError):
                control.activate(level if control.master() else "start")
        directory.close()
        return True

    # ------------------------------------------------------------------ nothing to write

    def _converge(self, outcome: Outcome, state: _State) -> Outcome:
        self._build_maps(state, outcome, self.directory.real)
        level = state.level(False) if self.request.activate == "auto" else "none"
        outcome.changed = bool(outcome.maps) or outcome.recovered
        if level != "none":
            outcome.changed = True
            log = service.LogMark(state.new.get("maillog_file", ""))
            problems = self._activate(state, level, log)
            if problems:
                raise DeployError(
                    "The files are as asked, but Postfix does not serve them:\n" + _listed(problems),
                    log=log.complaints(),
                )
            outcome.activated, outcome.confirmed = level, True
        else:
            outcome.confirmed = state.master is not None
        self._bring_copies_in_step(state, level, outcome)
        return outcome

    def _bring_copies_in_step(self, state: _State, level: str, outcome: Outcome) -> None:
        """A start makes the copies for the chroot; what it did not make is copied here, or told."""
        stale = state.stale_copies()
        queue = service.queue_directory(state.new)
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
        return _check(self.directory.real, self.request.config_directory, running=state.master)

    def _build_maps(self, state: _State, outcome: Outcome, root: str) -> None:
        """Compile what is lost or stale; `root` stands for the configuration directory."""
        found = state.references()
        paths = {ref: staged_path(ref.path, root, self.request.config_directory) for ref in found}
        for path in paths.values():
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(maps.build_directory(path))
        for ref in state.stale_maps(root):
            if not os.path.exists(paths[ref]):
                continue
            trouble = maps.build(ref.type, paths[ref], maps.tool_for(found, ref.path), root)
            if trouble:
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
            self._build_maps(state, outcome, stage)
            findings = _check(stage, self.request.config_directory, running=state.master)
            _judge(findings, outcome, plan, self.request, lambda: self._former(state))
        except BaseException:
            directory.clear_stage()
            raise
        if directory.fingerprint() != seen:
            directory.clear_stage()
            return False
        level = state.level(True) if self.request.activate == "auto" else "none"
        steps = self._steps(resolved, stage, seen)
        journal = directory.swap(
            steps, {"level": level, "running": state.master is not None, "state": "swapped"}, INTERIM
        )
        if journal["kind"] == "exchange" and fingerprint(directory.stage) != seen:
            directory.undo_swap(journal)
            directory.close()
            return False
        if level != "none":
            self._activate_or_roll_back(state, level, journal, outcome)
        self._bring_copies_in_step(state, level, outcome)
        directory.write_journal({**journal, "state": "confirmed"})
        directory.close()
        return True

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
                _prune_backups(stage, change.path, max(1, self.request.backup_keep))
        return made

    # ------------------------------------------------------------------ activation

    def _activate(self, state: _State, level: str, log: service.LogMark) -> list[str]:
        """Activate and confirm; what is wrong, nothing when Postfix serves."""
        control, services = state.control, state.plan.master.services
        replaced = state.master.pid if state.master and level == "restart" else None
        try:
            control.activate(level, log)
            if (
                level == "reload"
                and (master := control.master())
                and state._replace(newest=self._newest()).outdated(master)
            ):
                replaced = master.pid
                control.activate("restart", log)
        except service.ServiceError as error:
            return [str(error), *(f"Postfix logged: {line}" for line in log.complaints())]
        after = service.Control(control.config_directory, service.queue_directory(state.new))
        return service.confirm(
            after, services, state.new, self.request.listen, self.request.timeout, log, replaced
        )

    def _newest(self) -> float:
        names = (os.path.join(self.directory.real, name) for name in ("main.cf", "master.cf"))
        return max(os.stat(name).st_mtime for name in names)

    def _activate_or_roll_back(
        self, state: _State, level: str, journal: dict[str, Any], outcome: Outcome
    ) -> None:
        log = service.LogMark(state.new.get("maillog_file", ""))
        problems = self._activate(state, level, log)
        if not problems:
            outcome.activated, outcome.confirmed = level, True
            return
        restored = self._roll_back(state, level, journal)
        message = "Postfix did not come up with the new configuration; the previous one was restored"
        if restored:
            message = (
                "Postfix did not come up with the new configuration; the previous files were restored, "
                f"but Postfix does not come up with them either ({'; '.join(restored)})"
            )
        elif state.master is None:
            message += ", and Postfix is stopped, as it was before"
        else:
            message += " and is running"
        raise DeployError(
            f"{message}. What went wrong:\n{_listed(problems)}", rolled_back=True, log=log.complaints()
        )

    def _roll_back(self, state: _State, level: str, journal: dict[str, Any]) -> list[str]:
        """The old state, byte for byte, and Postfix as it was: running it, or stopped."""
        new_queue = service.queue_directory(state.new)
        if new_queue != state.control.queue:
            with contextlib.suppress(service.ServiceError):
                service.Control(state.control.config_directory, new_queue).stop()
        self.directory.undo_swap(journal)
        self.directory.write_journal({**journal, "state": "undone"})
        problems: list[str] = []
        log = service.LogMark(state.old.get("maillog_file", ""))
        running = state.control.master()
        try:
            if state.master is None:
                state.control.activate("stop")
            else:
                state.control.activate(
                    "start" if running is None else level if level != "start" else "reload", log
                )
        except service.ServiceError as error:
            problems.append(str(error))
        if state.master is not None and not problems:
            old_services = master_cf.MasterCf(_read(self.directory.real, "master.cf")).services
            problems = service.confirm(
                state.control, old_services, state.old, (), self.request.timeout, log, None
            )
        self.directory.close()
        return problems


def backups_of(root: str, path: str) -> list[str]:
    """The names of the backups of a file, the oldest first; `root` stands for the configuration directory."""
    pattern = re.compile(rf"{re.escape(os.path.basename(path))}\.\d+\.(\d{{4}}-\d\d-\d\d@\d\d:\d\d:\d\d)~")
    try:
        names = os.listdir(os.path.dirname(os.path.join(root, path)))
    except OSError:
        return []
    found = [(match.group(1), name) for name in names if (match := pattern.fullmatch(name))]
    return [os.path.join(os.path.dirname(path), name) for _stamp, name in sorted(found)]


def _prune_backups(stage: str, path: str, keep: int) -> None:
    for name in backups_of(stage, path)[:-keep]:
        os.unlink(os.path.join(stage, name))


def _listed(problems: Sequence[str]) -> str:
    return "\n".join(f"  {problem}" for problem in dict.fromkeys(problems))
