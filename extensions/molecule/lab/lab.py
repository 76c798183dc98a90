#!/usr/bin/env python3
"""The lab: a mail relay and mail servers in different network circumstances, as containers that boot systemd.

Rules of this file: the Python standard library alone; everything made carries the label or lies in the
directory of its instance, so that "down" can remove it and instances never meet; what a host is stands in
CAST and in the directory "hosts" beside this file, not in the code.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import argparse
import base64
import concurrent.futures
import contextlib
import email
import email.policy
import fcntl
import hashlib
import io
import ipaddress
import json
import os
import re
import shlex
import shutil
import signal
import socket
import string
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

HERE = Path(__file__).resolve().parent
LABEL = "mailops-lab"
DOMAIN = "lab.test"
RELAY_USER = "ops"
# Colon, hash, blank and dollar: what quoting gets wrong in passwd files, main.cf tables, YAML and shells.
RELAY_PASSWORD = "Pa:ss#word $1"
RECIPIENT = "inbox@example.test"
RELAY_PORTS = (25, 465, 587, 2525)
INBOX = "/var/mail/lab/inbox"

EXIT_FAILED = 1
EXIT_CANNOT_RUN = 69  # EX_UNAVAILABLE of sysexits.h
EXIT_INTERRUPTED = 130


class Host(NamedTuple):
    """One machine of the lab and the circumstances it lives in."""

    name: str
    role: str  # "relay" or "mail": the directory under hosts/ and the inventory group
    suite: str
    circumstances: str
    dmi: dict[str, str]
    dropped: tuple[int, ...] = ()
    stripped: tuple[int, ...] = ()

    @property
    def fqdn(self) -> str:
        return f"{self.name}.{DOMAIN}"


class File(NamedTuple):
    """A file laid into a host; the content of a symbolic link is its target."""

    content: str
    mode: int = 0o644
    kind: bytes = tarfile.REGTYPE


QEMU = {
    "sys_vendor": "QEMU",
    "product_name": "Standard PC (Q35 + ICH9, 2009)",
    "product_version": "pc-q35-7.2",
    "bios_vendor": "SeaBIOS",
    "chassis_vendor": "QEMU",
    "board_vendor": "",
    "chassis_asset_tag": "",
}
GOOGLE = {
    "sys_vendor": "Google",
    "product_name": "Google Compute Engine",
    "product_version": "",
    "bios_vendor": "Google",
    "chassis_vendor": "Google",
    "board_vendor": "Google",
    "chassis_asset_tag": "",
}

CAST = (
    Host("relay", "relay", "trixie", "the relay: 25, 587, 2525 with STARTTLS, 465 implicit TLS", QEMU),
    Host("healthy", "mail", "trixie", "nothing in the way", QEMU),
    Host("no587", "mail", "bookworm", "packets to port 587 vanish", QEMU, dropped=(587,)),
    Host("stripped", "mail", "trixie", "a middlebox removes STARTTLS on port 587", QEMU, stripped=(587,)),
    Host("gce", "mail", "bookworm", "Google Compute Engine: port 25 blocked", GOOGLE, dropped=(25,)),
)

BASE_PACKAGES = (
    "ca-certificates",
    "iproute2",
    "nftables",
    "openssh-server",
    "python3",
    "python3-apt",  # as on Debian's own cloud images: ansible.builtin.apt needs it in check mode
    "systemd-sysv",
)
RELAY_PACKAGES = ("dovecot-core", "postfix")

# Timers that would take apt's lock in the middle of a test, and what makes no sense without a console.
MASKED_UNITS = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "getty.target",
    "console-getty.service",
    "ldconfig.service",
    "systemd-journal-catalog-update.service",
    "systemd-logind.service",
    "systemd-pstore.service",
    "systemd-update-done.service",
)

# What the lab needs on this machine: a path whose presence proves it, and the Debian package that brings it.
SYSTEM_NEEDS = (
    ("podman", ("podman",)),
    ("mmdebstrap", ("mmdebstrap",)),
    ("openssh-client", ("ssh-keygen",)),
    ("openssl", ("openssl",)),
    ("iptables", ("iptables",)),
    ("netavark", ("/usr/lib/podman/netavark", "/usr/libexec/podman/netavark")),
    ("aardvark-dns", ("/usr/lib/podman/aardvark-dns", "/usr/libexec/podman/aardvark-dns")),
    ("debian-archive-keyring", ("/usr/share/keyrings/debian-archive-keyring.gpg",)),
)


class LabError(Exception):
    """Something that the lab asked for did not work; the text is one sentence for the user."""


class CannotRun(LabError):
    """Podman cannot run on this machine; the text says why."""


# -------------------------------------------------------------------------------------------- running things

_started = time.monotonic()
_print_lock = threading.Lock()
_children: set[subprocess.Popen[bytes]] = set()
_stopping = threading.Event()


def say(text: str) -> None:
    with _print_lock:
        print(f"[{time.monotonic() - _started:6.1f} s] {text}", file=sys.stderr, flush=True)


def as_root(argv: Sequence[str]) -> list[str]:
    return list(argv) if os.geteuid() == 0 else ["sudo", "-n", *argv]


def run(
    argv: Sequence[str],
    *,
    stdin: bytes | None = None,
    check: bool = True,
    timeout: float | None = None,
    stdout_to: Any = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end, output captured; LabError with its last words when it fails."""
    if _stopping.is_set():
        raise LabError("interrupted")
    try:
        process: subprocess.Popen[bytes] = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=stdout_to if stdout_to is not None else subprocess.PIPE,
            stderr=subprocess.PIPE,
            # A group of its own, so that an interrupt reaches whatever the command has started.
            process_group=0,
        )
    except FileNotFoundError:
        raise LabError(f'{argv[0]} is not installed ("setup" installs what the lab needs)') from None
    with process:
        _children.add(process)
        try:
            out, err = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            kill_group(process.pid)
            process.communicate()
            raise LabError(f"{shlex.join(argv[:4])} … did not end within {timeout} s") from None
        except BaseException:
            kill_group(process.pid)
            raise
        finally:
            _children.discard(process)
    result = subprocess.CompletedProcess(list(argv), process.returncode, out or b"", err)
    if check and process.returncode != 0:
        words = [line for line in (err + (out or b"")).decode(errors="replace").splitlines() if line.strip()]
        raise LabError(f"{shlex.join(argv[:4])} … failed: {' | '.join(words[-4:]) or 'no message'}")
    return result


def kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGTERM)
    except ProcessLookupError:
        pass
    except PermissionError:  # its processes are root's, by sudo
        subprocess.run(["sudo", "-n", "kill", "-s", "TERM", "--", f"-{group}"], check=False)


def pause(seconds: float) -> None:
    if _stopping.wait(seconds):
        raise LabError("interrupted")


def in_parallel(work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Run work(item) for all items at once; errors are raised when all have ended, together."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=16) as pool:
        futures = [pool.submit(work, item) for item in items]
    errors = [str(error) for future in futures if (error := future.exception())]
    if errors:
        raise LabError("; ".join(errors))
    return [future.result() for future in futures]


def lock_now(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("w") as handle:
            waiting = False
            while not lock_now(handle):
                if not waiting:
                    say(f"waiting for another run that holds {what}")
                waiting = True
                pause(0.3)
            # "down" removes its lock: what was waited for may be a file that nobody else sees.
            if path.exists() and path.stat().st_ino == os.fstat(handle.fileno()).st_ino:
                yield
                return


@contextlib.contextmanager
def scratch(prefix: str, where: Path | None = None) -> Iterator[str]:
    """A temporary directory in which root may leave files."""
    place = tempfile.mkdtemp(prefix=f"{prefix}-", dir=where)
    try:
        # mmdebstrap's unprivileged helper reads there.
        Path(place).chmod(0o755)
        yield place
    finally:
        # Not through run(), which does nothing after an interrupt; what is still mounted there stays untouched.
        subprocess.run(as_root(["rm", "-rf", "--one-file-system", place]), check=False)


def write(path: Path, content: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as handle:
        handle.write(content)
    fresh.chmod(mode)
    fresh.replace(path)


def cache_directory() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mailops-lab"


def state_directory() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "mailops-lab"


# ---------------------------------------------------------------------------------------------- this machine


def unified_cgroups() -> bool:
    return Path("/sys/fs/cgroup/cgroup.controllers").exists()


def cgroup_options() -> list[str]:
    """Give the hosts the unified cgroup tree of a hybrid machine: systemd 258 boots on no other."""
    hybrid = Path("/sys/fs/cgroup/unified")
    if unified_cgroups() or not hybrid.is_dir():
        return []
    return ["--cgroupns", "host", "--volume", f"{hybrid}:/sys/fs/cgroup:rw"]


def podman(*arguments: str) -> list[str]:
    command = ["podman"]
    # crun, podman's default on Debian, refuses the legacy and hybrid cgroup layouts; runc does not.
    if not unified_cgroups() and shutil.which("runc", path=search_path()):
        command += ["--runtime", "runc"]
    return as_root([*command, *arguments])


def search_path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def present(proof: str) -> bool:
    return (
        Path(proof).exists() if proof.startswith("/") else shutil.which(proof, path=search_path()) is not None
    )


def missing_packages() -> list[str]:
    missing = [package for package, proofs in SYSTEM_NEEDS if not any(present(proof) for proof in proofs)]
    if not unified_cgroups() and not present("runc"):
        missing.append("runc")
    return missing


def setup() -> None:
    """Install what is missing on this machine."""
    missing = missing_packages()
    if not missing:
        say("setup: everything the lab needs is installed")
        return
    if not present("apt-get"):
        raise CannotRun(f"missing here: {', '.join(missing)}; without apt-get they must be installed by hand")
    if os.geteuid() != 0 and not present("sudo"):
        raise CannotRun(f"missing here: {', '.join(missing)}; installing them takes root or sudo")
    say(f"setup: installing {', '.join(missing)}")
    # The parts of the tests run side by side, and another may hold the locks.
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
    install = as_root([*apt, "-y", "--no-install-recommends", "install", *missing])
    if run(install, check=False).returncode != 0:
        say("setup: refreshing apt's package lists")
        run(as_root([*apt, "update"]))
        try:
            run(install)
        except LabError as error:
            raise CannotRun(str(error)) from None
    say("setup: installed")


def check_can_run() -> None:
    """Start one container without an image, on a network of its own; CannotRun says why it does not work."""
    if sys.platform != "linux":
        raise CannotRun("the lab needs Linux")
    if os.geteuid() != 0 and not present("sudo"):
        raise CannotRun("the lab needs root or sudo: its hosts have networks of their own")
    missing = missing_packages()
    if missing:
        raise CannotRun(f'missing here: {", ".join(missing)} ("setup" installs them with apt)')
    name = f"{LABEL}-can-run-{os.getpid()}"
    try:
        about = run(podman("info", "--format", "{{.Host.NetworkBackend}}"), timeout=60)
        backend = about.stdout.decode().strip()
        if backend != "netavark":
            raise CannotRun(
                f"podman uses the network backend {backend or 'cni'} here; the lab needs netavark"
            )
        with scratch(name) as root:
            mounts = ["--volume", "/usr:/usr:ro"]
            for top in ("bin", "sbin", "lib", "lib64", "lib32"):
                source = Path("/") / top
                if source.is_symlink():
                    Path(root, top).symlink_to(os.readlink(source))
                elif source.is_dir():
                    mounts += ["--volume", f"{source}:{source}:ro"]
            run(podman("network", "create", "--label", f"{LABEL}=can-run", name), timeout=60)
            try:
                trial = [
                    "run",
                    "--rm",
                    "--name",
                    name,
                    *ULIMITS,
                    "--network",
                    name,
                    *mounts,
                    "--rootfs",
                    root,
                ]
                run(podman(*trial, "/usr/bin/true"), timeout=60)
            finally:
                run(podman("network", "rm", "--force", name), check=False)
    except CannotRun:
        raise
    except LabError as error:
        raise CannotRun(f"podman cannot start a container here: {error}") from None


# Defaults of podman that many sandboxes and CI runners refuse to raise.
ULIMITS = ("--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096")


# ---------------------------------------------------------------------------------------------------- images


def apt_configuration() -> str:
    """This machine's own settings for fetching packages (proxies, checks), as apt.conf text."""
    wanted = re.compile(r"^Acquire::(http|https|Check-|Retries|ForceIPv|AllowInsecure)[^ ]* \"[^\"]+\";$")
    dump = run(["apt-config", "dump"]).stdout.decode() if present("apt-config") else ""
    lines = [line for line in dump.splitlines() if wanted.match(line)]
    for scheme in ("http", "https"):
        proxy = os.environ.get(f"{scheme}_proxy") or os.environ.get(f"{scheme.upper()}_PROXY")
        if proxy and not any(line.startswith(f"Acquire::{scheme}::Proxy ") for line in lines):
            lines.append(f'Acquire::{scheme}::Proxy "{proxy}";')
    return "\n".join([*lines, 'Acquire::Languages "none";', ""])


def mirror() -> str | None:
    """The Debian mirror that this machine uses; None leaves the choice to mmdebstrap."""
    if os.environ.get("MAILOPS_LAB_MIRROR"):
        return os.environ["MAILOPS_LAB_MIRROR"]
    if present("apt-get"):
        listing = run(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)"], check=False)
        for line in listing.stdout.decode().splitlines():
            origin, label, uri = line.split("|", 2)
            if (origin, label) == ("Debian", "Debian") and not uri.startswith(("file:", "cdrom:")):
                return uri
    return None


def image_command(suite: str) -> list[str]:
    """The mmdebstrap command line that writes the base image of one Debian suite to standard output."""
    command = ["mmdebstrap", "--mode=root", "--variant=apt", "--format=tar", "--skip=cleanup/apt/lists"]
    command += [f"--aptopt={line}" for line in apt_configuration().splitlines()]
    command += [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "locale", "man")]
    command += ["--dpkgopt=force-unsafe-io", f"--include={','.join(BASE_PACKAGES)}"]
    for hook in (
        f'chroot "$1" systemctl --quiet mask {" ".join(MASKED_UNITS)}',
        # The lab generates each host's keys; an empty machine-id is filled in at boot.
        'rm -f "$1"/etc/ssh/ssh_host_*; : > "$1/etc/machine-id"; touch "$1/etc/.updated" "$1/var/.updated"',
    ):
        command.append(f"--customize-hook={hook}")
    command += [suite, "-"]
    where = mirror()
    return [*command, where] if where else command


RELAY_LAYER = (
    "export DEBIAN_FRONTEND=noninteractive; "
    f"install() {{ apt-get -q -y --no-install-recommends install {' '.join(RELAY_PACKAGES)}; }}; "
    "install || { apt-get -q update && install; } && apt-get clean"
)


def digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def image_exists(tag: str) -> bool:
    return run(podman("image", "exists", tag), check=False).returncode == 0


def base_image(suite: str) -> str:
    """Make the base image of a suite if it is not there; its tag."""
    named = os.environ.get(f"MAILOPS_LAB_IMAGE_{suite.upper()}")
    if named:
        return named
    command = image_command(suite)
    tag = f"localhost/{LABEL}:{suite}-{digest(command)}"
    if image_exists(tag):
        return tag
    tarball = cache_directory() / f"{suite}-{digest(command)}.tar"
    if not tarball.exists():
        say(f"image {suite}: building from Debian's packages with mmdebstrap")
        partial = tarball.with_suffix(f".{os.getpid()}.partial")
        # A base system is a third faster to lay out in memory, where there is enough of it.
        memory = Path("/dev/shm")
        roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2 * 1024**3
        try:
            with scratch(f"{LABEL}-{suite}", memory if roomy else None) as place, partial.open(
                "wb"
            ) as handle:
                run(as_root(["env", f"TMPDIR={place}", *command]), stdout_to=handle)
            partial.replace(tarball)
        finally:
            partial.unlink(missing_ok=True)
    say(f"image {suite}: importing")
    run(podman("import", "--quiet", "--change", f"LABEL {LABEL}=image", str(tarball), tag))
    say(f"image {suite}: ready")
    return tag


def relay_image(suite: str) -> str:
    """Make the relay's image, a layer with its mail server on the base image; its tag."""
    named = os.environ.get("MAILOPS_LAB_IMAGE_RELAY")
    if named:
        return named
    base = base_image(suite)
    tag = f"localhost/{LABEL}:relay-{digest(base, RELAY_LAYER)}"
    if image_exists(tag):
        return tag
    say(f"image relay: adding {' and '.join(RELAY_PACKAGES)}")
    name = f"{LABEL}-build-{os.getpid()}"
    try:
        run(podman("run", "--name", name, *ULIMITS, "--network", "host", base, "/bin/sh", "-c", RELAY_LAYER))
        run(podman("commit", "--quiet", "--change", f"LABEL {LABEL}=image", name, tag))
    finally:
        run(podman("rm", "--force", "--time", "0", "--ignore", name), check=False)
    say("image relay: ready")
    return tag


def images(hosts: Sequence[Host]) -> dict[str, str]:
    """Make the images that these hosts need; host name -> image."""

    def make(suite: str) -> dict[str, str]:
        base = base_image(suite)
        return {
            host.name: relay_image(suite) if host.role == "relay" else base
            for host in hosts
            if host.suite == suite
        }

    made: dict[str, str] = {}
    with locked(cache_directory() / "lock", "the images"):
        # The relay's layer comes after its base: start with that one.
        for part in in_parallel(make, sorted({h.suite for h in hosts}, key=lambda s: s != hosts[0].suite)):
            made.update(part)
    return made


def clean() -> None:
    """Remove the cached images; hosts of running instances keep theirs."""
    tags = run(podman("images", "--filter", f"label={LABEL}=image", "--format", "{{.Repository}}:{{.Tag}}"))
    for tag in tags.stdout.decode().split():
        removed = run(podman("rmi", tag), check=False).returncode == 0
        say(f"clean: {tag} {'removed' if removed else 'is in use'}")
    shutil.rmtree(cache_directory(), ignore_errors=True)


# ---------------------------------------------------------------------------------------------- one instance


class Lab:
    """One instance of the lab: its state directory, its podman network and its hosts."""

    def __init__(self, name: str, hosts: Sequence[Host] = CAST) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", name):
            raise LabError(f"{name!r} cannot name a lab: lower-case letters, digits and hyphens, 31 at most")
        self.name = name
        self.hosts = list(hosts)
        self.state = state_directory() / name
        self.network = f"{LABEL}-{name}"
        # Of shared SSH connections; not under the state directory, for a socket's path has 100 characters.
        runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
        self.sockets = runtime / f"{LABEL}-{os.getuid()}-{name}"

    def lock(self) -> contextlib.AbstractContextManager[None]:
        return locked(state_directory() / f"{self.name}.lock", f"the lab {self.name!r}")

    def container(self, host: Host) -> str:
        return f"{LABEL}-{self.name}-{host.name}"

    def host(self, name: str) -> Host:
        for host in self.hosts:
            if host.name == name:
                return host
        raise LabError(f"no host {name!r} in the lab; there are {', '.join(h.name for h in self.hosts)}")

    # -- what is there

    def inspect(self) -> dict[str, dict[str, Any]]:
        """Podman's view of the hosts that exist, by host name."""
        listing = run(podman("ps", "--all", "--quiet", "--filter", f"label={LABEL}={self.name}"))
        identities = listing.stdout.decode().split()
        raw = run(podman("inspect", *identities), check=False).stdout if identities else b""
        return {box["Config"]["Labels"][f"{LABEL}.host"]: box for box in json.loads(raw or b"[]")}

    def lives(self, host: Host) -> bool:
        """Whether a host runs; podman calls running what ended when all of its processes were killed at once."""
        return run(podman("exec", self.container(host), "true"), check=False, timeout=30).returncode == 0

    def addresses(self) -> dict[str, str]:
        """The address of each host: fixed places in the subnet that podman gave to the lab's network."""
        described = json.loads(run(podman("network", "inspect", self.network)).stdout)[0]
        subnet = ipaddress.ip_network(described["subnets"][0]["subnet"])
        return {host.name: str(subnet[10 + place]) for place, host in enumerate(self.hosts)}

    # -- keys and certificates

    def make_keys(self) -> None:
        """The login key, the hosts' own keys, the lab's CA and the relay's certificate; kept if there."""
        comment = f"{LABEL}-{self.name}"
        for key in [self.state / "id_ed25519", *[self.state / "hostkeys" / host.name for host in self.hosts]]:
            if not key.exists():
                key.parent.mkdir(parents=True, exist_ok=True)
                run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(key)])
        ca = self.state / "ca"
        ca.mkdir(exist_ok=True)
        days_left = ["-checkend", str(30 * 86400)]
        if (
            run(["openssl", "x509", "-noout", *days_left, "-in", f"{ca}/relay.pem"], check=False).returncode
            == 0
        ):
            return
        new = ["openssl", "req", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        subject = [
            "-subj",
            "/O=mailops.smtp lab/CN=Lab CA",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ]
        run([*new, "-x509", *subject, "-days", "365", "-keyout", f"{ca}/ca.key", "-out", f"{ca}/ca.pem"])
        run([*new, "-subj", f"/CN=relay.{DOMAIN}", "-keyout", f"{ca}/relay.key", "-out", f"{ca}/relay.csr"])
        write(
            ca / "relay.ext",
            f"subjectAltName=DNS:relay.{DOMAIN}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n",
        )
        sign = ["openssl", "x509", "-req", "-in", f"{ca}/relay.csr", "-extfile", f"{ca}/relay.ext"]
        sign += ["-CA", f"{ca}/ca.pem", "-CAkey", f"{ca}/ca.key", "-set_serial", str(int(time.time()))]
        run([*sign, "-days", "200", "-out", f"{ca}/relay.pem"])

    # -- the files of a host

    def files(self, host: Host) -> dict[str, File]:
        """Everything laid into a host before its first boot, by its path."""
        tree: dict[str, File] = {}
        sets = {"dropped": host.dropped, "stripped": host.stripped}
        values = {
            name: f"elements = {{ {', '.join(map(str, ports))} }}" if ports else ""
            for name, ports in sets.items()
        }
        for source in (HERE / "hosts" / "all", HERE / "hosts" / host.role):
            for path in sorted(p for p in source.rglob("*") if p.is_file()):
                place, text = str(path.relative_to(source)), path.read_text()
                if path.suffix == ".in":
                    place, text = place[: -len(".in")], string.Template(text).substitute(values)
                tree[place] = File(text, 0o755 if os.access(path, os.X_OK) else 0o644)
        key = self.state / "hostkeys" / host.name
        tree["root/.ssh/authorized_keys"] = File((self.state / "id_ed25519.pub").read_text(), 0o600)
        tree["etc/ssh/ssh_host_ed25519_key"] = File(key.read_text(), 0o600)
        tree["etc/ssh/ssh_host_ed25519_key.pub"] = File(key.with_suffix(".pub").read_text())
        trust = "usr/local/share/ca-certificates"
        tree[f"{trust}/{LABEL}.crt"] = File((self.state / "ca" / "ca.pem").read_text())
        # What this machine trusts beyond its distribution's certificates: package mirrors may need it.
        for certificate in sorted(Path("/", trust).glob("*.crt")):
            tree[f"{trust}/{certificate.name}"] = File(certificate.read_text())
        units = ["lab-prepare.service", *(["lab-strip.service"] if host.stripped else [])]
        for unit in units:
            enabled = f"etc/systemd/system/multi-user.target.wants/{unit}"
            tree[enabled] = File(f"/etc/systemd/system/{unit}", kind=tarfile.SYMTYPE)
        if host.role == "relay":
            tree["etc/lab/relay.pem"] = File((self.state / "ca" / "relay.pem").read_text())
            tree["etc/lab/relay.key"] = File((self.state / "ca" / "relay.key").read_text(), 0o600)
            # In base64, for a password with a colon would end there.
            secret = base64.b64encode(RELAY_PASSWORD.encode()).decode()
            tree["etc/lab/users"] = File(f"{RELAY_USER}:{{PLAIN.b64}}{secret}\n")
        return tree

    @staticmethod
    def archive(tree: dict[str, File]) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for place, file in tree.items():
                member = tarfile.TarInfo(place)
                member.type, member.mode, member.mtime = file.kind, file.mode, int(time.time())
                data = b""
                if file.kind == tarfile.SYMTYPE:
                    member.linkname = file.content
                else:
                    data = file.content.encode()
                    member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        return buffer.getvalue()

    def class_directory(self, host: Host) -> Path:
        """What the host sees as /sys/class: the DMI strings of its machine, and its network interfaces.

        Bound over the whole of /sys/class, for a kernel without DMI has no /sys/class/dmi to bind over.
        """
        top = self.state / "class" / host.name
        for key, value in host.dmi.items():
            write(top / "dmi" / "id" / key, f"{value}\n", 0o444)
        if not (top / "net").is_symlink():
            (top / "net").symlink_to("../devices/virtual/net")
        return top

    # -- up and down

    def up(self) -> None:
        with self.lock():
            self.state.mkdir(parents=True, exist_ok=True)
            self.state.chmod(0o700)
            existing = self.inspect()
            if not existing:
                say("checking that podman can run here")
                check_can_run()
            made = images(self.hosts)
            if run(podman("network", "exists", self.network), check=False).returncode != 0:
                run(podman("network", "create", "--label", f"{LABEL}={self.name}", self.network))
            self.make_keys()
            addresses = self.addresses()
            self.close_connections()
            self.write_controller_files(addresses)

            def boot(host: Host) -> None:
                self.boot(host, made[host.name], addresses[host.name], existing.get(host.name))

            in_parallel(boot, self.hosts)
            self.wait_for_relay(addresses["relay"])
        say(f"up: {len(self.hosts)} hosts are ready; the inventory is {self.state / 'inventory.yml'}")

    def boot(self, host: Host, image: str, address: str, existing: dict[str, Any] | None) -> None:
        tree = self.files(host)
        recipe = digest(image, address, host, sorted(tree.items()))
        labels = existing["Config"]["Labels"] if existing and self.lives(host) else {}
        if labels.get(f"{LABEL}.recipe") == recipe:
            self.wait_for_login(host, address)
            say(f"{host.name}: was up")
            return
        container = self.container(host)
        run(podman("rm", "--force", "--time", "0", "--ignore", container))
        options = ["--name", container, "--hostname", host.fqdn, "--systemd=always", "--cap-add", "NET_ADMIN"]
        options += [*ULIMITS, *cgroup_options(), "--tz", "UTC", "--http-proxy=false"]
        options += ["--label", f"{LABEL}={self.name}", "--label", f"{LABEL}.host={host.name}"]
        options += ["--label", f"{LABEL}.recipe={recipe}", "--label", f"{LABEL}.address={address}"]
        options += ["--label", f"{LABEL}.suite={host.suite}"]
        options += ["--network", self.network, "--ip", address]
        options += ["--network-alias", host.name, "--network-alias", host.fqdn]
        options += ["--volume", f"{self.class_directory(host)}:/sys/class:ro"]
        run(podman("create", *options, image, "/lib/systemd/systemd"))
        run(podman("cp", "-", f"{container}:/"), stdin=self.archive(tree))
        run(podman("start", container))
        self.wait_for_login(host, address)
        self.wait_for_boot(host)
        say(f"{host.name}: up at {address} ({host.suite}; {host.circumstances})")

    def wait_for_login(self, host: Host, address: str, seconds: float = 240) -> None:
        """Until sshd lets us in, which it does when lab-prepare has ended."""
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError), socket.create_connection((address, 22), 1) as connection:
                if connection.recv(4) == b"SSH-":
                    break
            running = ["inspect", "--format", "{{.State.Running}}", self.container(host)]
            if run(podman(*running), check=False).stdout.strip() != b"true":
                raise LabError(f"{host.name} did not boot: the systemd of {host.suite} ended at once")
            if time.monotonic() > deadline:
                raise LabError(
                    f"{host.name} did not answer on SSH within {seconds:.0f} s; {self.what_it_waits_for(host)}"
                )
            pause(0.2)
        self.ssh(host, "true", timeout=30)

    def what_it_waits_for(self, host: Host) -> str:
        """What the systemd of a host that cannot be logged in to is still about, and the end of its journal."""
        script = (
            "hostname -I; systemctl list-jobs --no-legend; systemctl --failed; journalctl -n 15 --no-pager"
        )
        seen = run(podman("exec", self.container(host), "sh", "-c", script), check=False, timeout=30)
        return (seen.stdout + seen.stderr).decode(errors="replace").strip()

    def wait_for_boot(self, host: Host, seconds: float = 90) -> None:
        """Until systemd has started everything, and nothing of it failed."""
        waiting = self.ssh(host, "systemctl is-system-running --wait", timeout=seconds, check=False)
        state = waiting.stdout.decode().strip()
        if state != "running":
            failed = self.ssh(host, "systemctl --failed --no-legend --plain", check=False).stdout.decode()
            units = ", ".join(line.split()[0] for line in failed.splitlines() if line.strip())
            raise LabError(f"{host.name} is {state or 'unreachable'}: {units or 'no unit'} failed")

    def wait_for_relay(self, address: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        for port in RELAY_PORTS:
            while True:
                with contextlib.suppress(OSError), socket.create_connection((address, port), 1):
                    break
                if time.monotonic() > deadline:
                    raise LabError(f"the relay does not listen on port {port}")
                pause(0.1)

    def down(self) -> None:
        with self.lock():
            self.close_connections()
            found = self.inspect()
            if found:
                run(podman("rm", "--force", "--time", "0", *[box["Id"] for box in found.values()]))
            if run(podman("network", "exists", self.network), check=False).returncode == 0:
                run(podman("network", "rm", "--force", self.network))
            shutil.rmtree(self.state, ignore_errors=True)
            shutil.rmtree(self.sockets, ignore_errors=True)
            (state_directory() / f"{self.name}.lock").unlink(missing_ok=True)
        say(f"down: the lab {self.name!r} is gone ({len(found)} hosts)")

    # -- the controller's side

    def close_connections(self) -> None:
        """End the shared SSH connections: one that outlives its host hangs whoever uses it next."""
        for control in self.sockets.glob("*"):
            run(["ssh", "-o", f"ControlPath={control}", "-O", "exit", "lab"], check=False, timeout=10)

    def ssh_options(self) -> list[str]:
        return [
            f"UserKnownHostsFile={self.state / 'known_hosts'}",
            "GlobalKnownHostsFile=/dev/null",
            "StrictHostKeyChecking=yes",
            "IdentitiesOnly=yes",
            "ConnectTimeout=10",
        ]

    def write_controller_files(self, addresses: dict[str, str]) -> None:
        known, config = [], []
        for host in self.hosts:
            address = addresses[host.name]
            kind, key = (self.state / "hostkeys" / f"{host.name}.pub").read_text().split()[:2]
            known.append(f"{address} {kind} {key}")
            config += [f"Host {host.name} {host.fqdn}", f"  HostName {address}"]
        config += ["Host *", "  User root", f"  IdentityFile {self.state / 'id_ed25519'}"]
        config += ["  ControlMaster auto", "  ControlPersist 60", f"  ControlPath {self.sockets}/%n"]
        config += [f"  {option.replace('=', ' ', 1)}" for option in self.ssh_options()]
        write(self.state / "known_hosts", "\n".join(known) + "\n")
        write(self.state / "ssh_config", "\n".join(config) + "\n", 0o600)
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        if self.sockets.lstat().st_uid != os.getuid():
            raise LabError(f"{self.sockets} belongs to somebody else")
        write(self.state / "inventory.yml", self.inventory(addresses), 0o600)

    def inventory(self, addresses: dict[str, str]) -> str:
        quote = json.dumps  # a JSON string is a YAML string
        lines = [
            f"# The lab {self.name!r} as an Ansible inventory.",
            "lab:",
            "  vars:",
            "    ansible_user: root",
            "    ansible_python_interpreter: /usr/bin/python3",
            f"    ansible_ssh_private_key_file: {quote(str(self.state / 'id_ed25519'))}",
            f"    ansible_ssh_common_args: {quote(' '.join(f'-o {o}' for o in self.ssh_options()))}",
            f"    ansible_control_path_dir: {quote(str(self.sockets))}",
            "  hosts:",
        ]
        for host in self.hosts:
            lines += [f"    {host.name}:", f"      ansible_host: {addresses[host.name]}"]
        lines += ["relays:", "  hosts:", *[f"    {h.name}:" for h in self.hosts if h.role == "relay"]]
        lines += ["mail:", "  vars:"]
        lines += [f"    postfix_relay_host: relay.{DOMAIN}", f"    postfix_relay_username: {RELAY_USER}"]
        lines += [f"    postfix_relay_password: {quote(RELAY_PASSWORD)}"]
        lines += [f"    postfix_test_recipient: {RECIPIENT}"]
        lines += ["  hosts:", *[f"    {h.name}:" for h in self.hosts if h.role == "mail"]]
        return "\n".join(lines) + "\n"

    def inside(self, host: Host, argv: Sequence[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        return run(podman("exec", self.container(host), *argv), **options)

    def ssh(self, host: Host, command: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        login = ["ssh", "-F", str(self.state / "ssh_config"), "-o", "BatchMode=yes", host.name]
        return run([*login, command], **options)

    # -- circumstances

    def restore(self, host: Host) -> None:
        """Give a host its own network circumstances back."""
        self.inside(host, ["nft", "-f", "/etc/nftables.conf"])
        say(f"{host.name}: {host.circumstances}")

    def set_ports(self, host: Host, kind: str, ports: Sequence[int], present_: bool) -> None:
        """Add ports to, or take them from, one of the nftables sets of a host; adding twice is no error."""
        elements = ", ".join(map(str, ports))
        # An element must be there to be deleted.
        script = f"add element inet lab {kind} {{ {elements} }}\n"
        if not present_:
            script += f"delete element inet lab {kind} {{ {elements} }}\n"
        run(podman("exec", "-i", self.container(host), "nft", "-f", "-"), stdin=script.encode())
        if kind == "stripped" and present_:
            self.inside(host, ["systemctl", "start", "lab-strip.service"])
        say(f"{host.name}: {kind} ports are now {self.ports(host, kind) or 'none'}")

    def ports(self, host: Host, kind: str) -> str:
        raw = self.inside(host, ["nft", "-j", "list", "set", "inet", "lab", kind], check=False).stdout
        for entry in json.loads(raw or b"{}").get("nftables", []):
            if "set" in entry:
                return " ".join(map(str, sorted(entry["set"].get("elem", []))))
        return ""

    # -- reports

    def status(self) -> list[dict[str, str]]:
        found = self.inspect()

        def describe(host: Host) -> dict[str, str]:
            box = found.get(host.name)
            row = {"host": host.name, "suite": host.suite, "state": "absent", "address": "", "postfix": ""}
            row.update({"blocked": "", "stripped": "", "circumstances": host.circumstances})
            if box is None:
                return row
            labels = box["Config"]["Labels"]
            row.update(suite=labels[f"{LABEL}.suite"], address=labels[f"{LABEL}.address"])
            row["state"] = "running" if self.lives(host) else "ended"
            if row["state"] == "running":
                query = ["dpkg-query", "-W", "-f", "${Version}", "postfix"]
                row["postfix"] = self.inside(host, query, check=False).stdout.decode() or "-"
                row["blocked"] = self.ports(host, "dropped") or "-"
                row["stripped"] = self.ports(host, "stripped") or "-"
            return row

        return in_parallel(describe, self.hosts)

    def mails(self) -> list[dict[str, str]]:
        """The messages in the relay's mailbox, oldest first."""
        relay = self.host("relay")
        # The directory is made by the first delivery.
        command = f"cd {INBOX}/new 2>/dev/null || exit 0; tar -cf - ."
        raw = self.inside(relay, ["/bin/sh", "-c", command]).stdout
        found = []
        if raw:
            with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
                for member in archive:
                    handle = archive.extractfile(member) if member.isfile() else None
                    if handle is not None:
                        found.append((member.mtime, member.name, handle.read()))
        return [describe_mail(raw_mail) for _, _, raw_mail in sorted(found)]

    def empty_mailbox(self) -> None:
        self.inside(self.host("relay"), ["rm", "-rf", INBOX])


def describe_mail(raw: bytes) -> dict[str, str]:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    received = " ".join(str(next(iter(message.get_all("Received", [])), "")).split())

    def taken(pattern: str) -> str:
        match = re.search(pattern, received)
        return match.group(1) if match else ""

    return {
        "client": taken(r"^from (\S+)"),
        "port": str(message.get("X-Lab-Port", "")),
        "tls": taken(r"\(using (\S+) with cipher"),
        "auth": taken(r"\(Authenticated sender: ([^)]*)\)"),
        "from": str(message.get("Return-Path", "")).strip("<>"),
        "to": str(message.get("X-Original-To") or message.get("Delivered-To") or message.get("To", "")),
        "subject": str(message.get("Subject", "")),
        "message_id": str(message.get("Message-ID", "")),
        "date": received.rsplit("; ", 1)[-1] if "; " in received else "",
    }


def table(rows: Sequence[dict[str, str]], columns: Sequence[str]) -> str:
    widths = {c: max([len(c), *[len(row[c]) for row in rows]]) for c in columns}
    lines = ["  ".join(c.upper().ljust(widths[c]) for c in columns).rstrip()]
    lines += ["  ".join(row[c].ljust(widths[c]) for c in columns).rstrip() for row in rows]
    return "\n".join(lines)


# ---------------------------------------------------------------------------------------------- command line

HELP = """\
A mail relay and mail servers in different network circumstances, as podman containers that boot systemd.

Hosts: relay, and the mail servers healthy, no587, stripped and gce. A first "up" builds the images from
Debian's packages (about a minute, cached); a later one takes seconds. Progress goes to standard error, data
to standard output.
"""
EPILOG = """\
environment:
  MAILOPS_LAB_NAME           the instance, where --name is not given (default: default)
  MAILOPS_LAB_MIRROR         a Debian mirror instead of this machine's own
  MAILOPS_LAB_IMAGE_<SUITE>, MAILOPS_LAB_IMAGE_RELAY
                             an image to use instead of building one; it must boot systemd and sshd
  XDG_STATE_HOME, XDG_CACHE_HOME

exit status: 0 done; 1 failed; 2 wrong usage; 69 podman cannot run on this machine; 130 interrupted
"""


def port_number(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 1 to 65535")
    return int(text)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="lab.py", description=HELP, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--name",
        default=os.environ.get("MAILOPS_LAB_NAME", "default"),
        help="the instance; instances share images and nothing else (default: %(default)s)",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")

    def add_with_suites(name: str, text: str) -> None:
        add(name, text).add_argument(
            "--suite",
            action="append",
            default=[],
            metavar="HOST=SUITE",
            help="give a host another Debian suite (bullseye, bookworm, trixie, sid)",
        )

    add("setup", "install what the lab needs on this machine, with apt")
    add("can-run", "say whether podman can run here; status 69 and one sentence when not")
    add_with_suites("images", "build the images that are not cached")
    add_with_suites("up", "bring the lab up; what is up and sound stays as it is")
    add("down", "remove everything of this instance").add_argument(
        "--all", action="store_true", help="of every instance"
    )
    add("clean", "remove the cached images")
    add("inventory", "print the Ansible inventory").add_argument(
        "--path", action="store_true", help="print where it lies instead"
    )
    ssh = add("ssh", "log in to a host, or run a command there")
    ssh.add_argument("host")
    ssh.add_argument("remote", nargs=argparse.REMAINDER, metavar="command")
    add("status", "show the hosts and their circumstances").add_argument("--json", action="store_true")
    for name, text in (
        ("block", "let a host's outgoing packets to these ports vanish"),
        ("unblock", "let a host's packets to these ports out again"),
        ("strip", "remove STARTTLS from a host's connections to these ports"),
        ("unstrip", "leave a host's connections to these ports alone again"),
    ):
        change = add(name, text)
        change.add_argument("host")
        change.add_argument("port", type=port_number, nargs="+")
    add("restore", "give hosts their own network circumstances back").add_argument(
        "host", nargs="*", help="all, if none is named"
    )
    mails = add("mails", "show the mails that the relay has received")
    mails.add_argument("--json", action="store_true")
    mails.add_argument("--clear", action="store_true", help="empty the relay's mailbox instead")
    return parser.parse_args(argv)


def cast(changes: Sequence[str]) -> list[Host]:
    hosts = {host.name: host for host in CAST}
    for change in changes:
        name, _, suite = change.partition("=")
        if name not in hosts or not re.fullmatch(r"[a-z]+", suite):
            raise LabError(f"--suite {change}: expected HOST=SUITE with one of {', '.join(hosts)}")
        hosts[name] = hosts[name]._replace(suite=suite)
    return list(hosts.values())


def main(argv: Sequence[str] | None = None) -> int:
    args = parse(argv)
    if os.geteuid() != 0 and present("sudo") and args.command not in ("ssh", "inventory"):
        # Once, at the terminal, before commands run side by side. Where it fails, the first of them says so.
        subprocess.run(["sudo", "-v"], check=False)
    lab = Lab(args.name, cast(getattr(args, "suite", [])))
    if args.command == "setup":
        setup()
    elif args.command == "can-run":
        check_can_run()
        say("podman can run here")
    elif args.command == "images":
        images(lab.hosts)
        say("images: ready")
    elif args.command == "up":
        lab.up()
    elif args.command == "down":
        names = {args.name}
        if args.all:
            names |= {path.name for path in state_directory().glob("*") if path.is_dir()}
        for name in sorted(names):
            Lab(name).down()
    elif args.command == "clean":
        clean()
    elif args.command == "inventory":
        path = lab.state / "inventory.yml"
        if not path.exists():
            raise LabError(f"the lab {lab.name!r} is not up")
        print(path if args.path else path.read_text(), end="\n" if args.path else "")
    elif args.command == "ssh":
        host = lab.host(args.host)
        command = ["ssh", "-F", str(lab.state / "ssh_config"), host.name, *args.remote]
        os.execvp(command[0], command)
    elif args.command == "status":
        rows = lab.status()
        columns = ("host", "suite", "state", "address", "postfix", "blocked", "stripped", "circumstances")
        print(json.dumps(rows, indent=2) if args.json else table(rows, columns))
    elif args.command in ("block", "unblock", "strip", "unstrip"):
        kind = "dropped" if args.command.endswith("block") else "stripped"
        lab.set_ports(lab.host(args.host), kind, args.port, not args.command.startswith("un"))
    elif args.command == "restore":
        in_parallel(lab.restore, [lab.host(name) for name in args.host] or lab.hosts)
    elif args.command == "mails" and args.clear:
        lab.empty_mailbox()
    elif args.command == "mails":
        mails = lab.mails()
        if args.json:
            print(json.dumps(mails, indent=2))
        else:
            print(table(mails, ("client", "port", "tls", "auth", "from", "to", "subject")))
    return 0


def interrupted(signum: int, frame: object) -> None:
    """End what runs. Raises nothing: an exception while threads are joined would leave them behind."""
    _stopping.set()
    for child in list(_children):
        kill_group(child.pid)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    try:
        status, words = main(), ""
    except CannotRun as error:
        status, words = EXIT_CANNOT_RUN, f"cannot run here: {error}"
    except LabError as error:
        status, words = EXIT_FAILED, str(error)
    if _stopping.is_set():
        status, words = EXIT_INTERRUPTED, 'interrupted; "up" goes on from here, "down" removes what is there'
    if words:
        print(f"lab: {words}", file=sys.stderr)
    sys.exit(status)
