"""A staged configuration under judgement: what stands where, what it expands to, what mail will meet.

The rule of this file: it answers questions and judges nothing. Nothing changes after it is built, so every answer
is worked out once, and a table is read and parsed once however many rows and next hops ask for it.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import fnmatch
import functools
import os
import re
import stat
import tempfile
from collections import ChainMap
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Collection, Iterator, Mapping, NamedTuple, Sequence, TypeVar, cast

from ..files import expansion, lines, main_cf, master_cf, nexthop, passwords, table
from ..files.text import assignments, read_text, staged_path, without_content
from ..files.version import parse_version
from ..host import listeners, maps, programs
from ..host.master import Master
from .finding import Setting, TableRow

_TRANSPORTS = (
    "default_transport", "relay_transport", "local_transport", "virtual_transport", "mailbox_transport",
    "fallback_transport", "content_filter",
)  # fmt: skip

# What `postfix check` looks at, besides files that no change of the configuration touches.
_INSTALLATION = (
    "queue_directory", "command_directory", "daemon_directory", "data_directory", "meta_directory",
    "shlib_directory", "mail_owner", "setgid_group", "sendmail_path", "newaliases_path", "mailq_path",
    "html_directory", "manpage_directory", "readme_directory", "multi_instance_directories",
)  # fmt: skip

Function = TypeVar("Function", bound=Callable[..., Any])


def once(question: Function) -> Function:
    """Remember what a function of a Configuration answered, by its other arguments."""

    @functools.wraps(question)
    def remembered(config: Configuration, *arguments: Any) -> Any:
        key = (question, *arguments)
        if key not in config.answers:
            config.answers[key] = question(config, *arguments)
        return config.answers[key]

    return cast(Function, remembered)


@functools.lru_cache(maxsize=None)
def _matcher(patterns: tuple[str, ...]) -> Callable[[str], Any]:
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns)).match


class Said(NamedTuple):
    """What postconf(1) says of a directory: as it is, -d, -m and -P."""

    current: programs.Ran
    defaults: programs.Ran
    types: programs.Ran
    options: programs.Ran


class Tools:
    """Postfix's own programs, asked about one directory that is to be `live`. Nothing else here starts a process."""

    def __init__(self, directory: str, live: str = "") -> None:
        self.directory, self.live = directory, live

    def postconf(self) -> Said:
        program = programs.find_program("postconf") or "postconf"

        def asked(flags: Sequence[str]) -> programs.Ran:
            done = programs.run([program, "-c", directory, *flags])
            return done._replace(errors=done.errors.replace(directory, self.directory))

        with self._with_tables_of_the_stage() as directory, ThreadPoolExecutor() as pool:
            said = Said(*pool.map(asked, ((), ("-d",), ("-m",), ("-P",))))
        if said.types.output.split():
            return said
        # Nothing is said where main.cf is so wrong that no tool runs; the types are those of the host.
        return said._replace(types=programs.run([program, "-m"]))

    @contextlib.contextmanager
    def _with_tables_of_the_stage(self) -> Iterator[str]:
        """The directory, or one that looks like it and names these files where they are staged.

        To know the parameters of ldap:, sqlite: and the like, postconf(1) opens them by the path in main.cf.
        """
        if not self.live or os.path.realpath(self.live) == os.path.realpath(self.directory):
            yield self.directory
            return
        lives = "|".join(re.escape(path) for path in (self.live, os.path.realpath(self.live)))
        named = re.compile(rf"\b((?:{'|'.join(maps.DIRECTORY_TYPES)}):)(?:{lives})/")
        texts = {name: read_text(os.path.join(self.directory, name)) for name in ("main.cf", "master.cf")}
        if not any(map(named.search, texts.values())):
            yield self.directory
            return
        names = os.listdir(self.directory)
        with tempfile.TemporaryDirectory(prefix=".judged.", dir=self.directory) as place:
            for name in names:
                if name not in texts:
                    os.symlink(os.path.join(self.directory, name), os.path.join(place, name))
            for name, text in texts.items():
                path = os.path.join(place, name)
                with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                    file.write(named.sub(lambda found: f"{found.group(1)}{self.directory}/", text))
            yield place

    def postmap(self, key: str, specs: Sequence[str]) -> programs.Ran:
        """Open the tables and look the key up in one after the other until it is found; code 1: in none."""
        return programs.run(["postmap", "-c", self.directory, "-q", key, *specs])

    def lookup(self, spec: str, keys: Sequence[str]) -> programs.Ran:
        """The keys that the table has, with their values after a tab."""
        return programs.run(["postmap", "-c", self.directory, "-q", "-", spec], stdin="\n".join(keys) + "\n")

    def postfix_check(self) -> programs.Ran:
        program = programs.find_program("postfix")
        return programs.run([program, "-c", self.directory, "check"]) if program else programs.Ran(0, "", "")


class Use(NamedTuple):
    """A transport with its next hop, as a parameter or a row of a table names it."""

    setting: Setting
    transport: str
    hop: str


class UsedHop(NamedTuple):
    """A next hop that mail takes. `for_all_mail`: not only that of some domains or senders."""

    setting: Setting
    hop: nexthop.NextHop
    for_all_mail: bool


class Configuration:
    """The directory `stage`, judged as if it were `live`.

    `predicting`: nothing may be touched, and another task may yet install what is missing.
    `running` is the Postfix that runs now, if any. `sensitive` are the files in it of which nothing may be told.
    """

    def __init__(
        self,
        stage: str,
        live: str,
        tools: Tools,
        predicting: bool = False,
        running: Master | None = None,
        sensitive: Collection[str] = (),
    ) -> None:
        self.stage, self.live, self.tools = stage, live, tools
        self.predicting, self.running, self.sensitive = predicting, running, sensitive
        self.answers: dict[Any, Any] = {}
        self.main = main_cf.MainCf(read_text(os.path.join(stage, "main.cf")))
        self.master = master_cf.MasterCf(read_text(os.path.join(stage, "master.cf")))
        self.said = tools.postconf()
        self.defaults = assignments(self.said.defaults.output)
        self.lookup: dict[str, str] = {
            **self.defaults,
            **assignments(self.said.current.output),
            **self.main.values(),
            "config_directory": live,
        }
        self.version = parse_version(self.defaults.get("mail_version", "0.0"))
        self.map_types = self.said.types.output.split()
        self.settings: Sequence[Setting] = [
            *(Setting("main.cf", each.line, each.name, each.value) for each in self.main.settings),
            *(
                Setting("master.cf", entry.line, name, value, entry)
                for entry in self.master.services
                for name, value in entry.options
            ),
        ]

    # ------------------------------------------------------------------ values

    @property
    def installed_here(self) -> bool:
        """Certainty about things that another task may bring before the real run."""
        return not self.predicting

    def scope(self, entry: master_cf.Service | None) -> Mapping[str, str]:
        return ChainMap(dict(entry.options), self.lookup) if entry and entry.options else self.lookup

    def value(self, name: str, entry: master_cf.Service | None = None) -> str:
        """The value in force, for that service where one is given; empty where it cannot be known here."""
        scope = self.scope(entry)
        text = scope.get(name, "")
        if "$" not in text:
            return text
        with contextlib.suppress(expansion.CannotExpand):
            return expansion.expand(text, scope).strip()
        return ""

    def words(self, name: str, entry: master_cf.Service | None = None) -> list[str]:
        return lines.split_list(self.value(name, entry))

    def enabled(self, name: str, entry: master_cf.Service | None = None) -> bool:
        return self.value(name, entry).lower() == "yes"

    def setting(self, name: str, entry: master_cf.Service | None = None) -> Setting:
        """Where a parameter gets its value; main.cf without a line where it is the default."""
        if entry and entry.option(name) is not None:
            return Setting("master.cf", entry.line, name, entry.option(name) or "", entry)
        return Setting("main.cf", self.main.line_of(name), name, self.scope(entry).get(name, ""))

    @functools.cached_property
    def expanded(self) -> Sequence[tuple[Setting, str]]:
        """All settings with their values as Postfix will see them; those that cannot be known here are left out."""
        result = []
        for setting in self.settings:
            with contextlib.suppress(expansion.CannotExpand):
                plain = "$" not in setting.raw
                scope = self.scope(setting.service)
                result.append(
                    (setting, setting.raw if plain else expansion.expand(setting.raw, scope).strip())
                )
        return result

    @once
    def settings_of(self, *patterns: str) -> Sequence[tuple[Setting, str]]:
        """Those of the parameters that a pattern matches; in a pattern only an asterisk stands for more than itself."""
        matches = _matcher(patterns)
        return [each for each in self.expanded if matches(each[0].name)]

    @functools.cached_property
    def complaints(self) -> Sequence[str]:
        """Every line that Postfix's tools write to their standard error."""
        # Every program of Postfix judges names, owners and the like when it begins; postmap does no more.
        said = [self.said.current, self.said.options, self.tools.postmap("x", ["static:x"])]
        live = main_cf.MainCf(read_text(os.path.join(self.live, "main.cf"))).values()
        written = self.main.values()
        if not self.predicting and any(live.get(name) != written.get(name) for name in _INSTALLATION):
            said.append(self.tools.postfix_check())
        return [line for done in said for line in done.errors.splitlines()]

    # ------------------------------------------------------------------ files and tables

    def staged(self, path: str) -> str:
        return staged_path(path, self.stage, self.live)

    def clean(self, text: str) -> str:
        """What a program said of the stage, as said of the live directory."""
        return text.replace(self.stage, self.live)

    def shown_file(self, path: str) -> str:
        """How a file is named in a finding: without the directory where that is the configuration's."""
        staged = self.staged(path)
        return os.path.relpath(staged, self.stage) if staged.startswith(self.stage + "/") else path

    @functools.cached_property
    def tables(self) -> Sequence[tuple[Setting, maps.MapReference]]:
        """Every table with a path, once, and where it is named first."""
        found: dict[str, maps.MapReference] = {}
        for ref in maps.references(self.main, self.master, self.lookup, self.defaults):
            if ref.type in self.map_types:
                found.setdefault(ref.spec, ref)
        return [(Setting(ref.file, ref.line, ref.parameter, ref.spec), ref) for ref in found.values()]

    @functools.cached_property
    def secret_files(self) -> Mapping[str, str]:
        """The files of which nothing may be told, with their content.

        Those that the caller calls so, tables of passwords, and tables that not everybody on the host may read.
        """
        values = (value for _setting, value in self.settings_of(f"*{passwords.MAPS}"))
        words = (table_of(word) for value in values for word in lines.split_list(value))
        paths = [path for kind, path in words if kind != "inline" and path.startswith("/")]
        paths += [ref.path for _setting, ref in self.tables if self._is_private(ref.path)]
        paths += [os.path.join(self.live, name) for name in self.sensitive]
        return {self.shown_file(path): read_text(self.staged(path)) for path in paths}

    def _is_private(self, path: str) -> bool:
        return os.path.exists(self.staged(path)) and not self.readable_by_all(path)

    def readable_by_all(self, path: str) -> bool:
        """Whether the file is there, and every user of the host may read it."""
        with contextlib.suppress(OSError):
            return bool(os.stat(self.staged(path)).st_mode & stat.S_IROTH)
        return False

    @functools.cached_property
    def referred(self) -> frozenset[str]:
        """The parameters that hold passwords because a table of passwords refers to them."""
        return passwords.referred((setting.name, setting.raw) for setting in self.settings)

    @functools.cached_property
    def public(self) -> frozenset[str]:
        """The words of main.cf and master.cf, which all users may read, and next hops that are no secret."""
        hops = (used.hop.text for used in self.used_hops if used.setting.file not in self.secret_files)
        return frozenset(hops) | frozenset(
            word
            for setting in self.settings
            if setting.file not in self.sensitive
            and not passwords.is_secret(setting.name, setting.raw, self.referred)
            for word in (setting.name, *lines.split_list(setting.raw))
        )

    def shortened(self, text: str) -> str:
        """What a program says, without the words that it may have from a file of which nothing may be told."""
        return without_content(text, [os.path.join(self.live, file) for file in self.secret_files])

    @once
    def file_rows(self, path: str) -> Sequence[TableRow]:
        """The rows of a table's source; none where it cannot be read."""
        return self._rows(path, table.parse_map)

    @once
    def pattern_rows(self, path: str) -> Sequence[TableRow]:
        """The rows of a table of regexp: or pcre:."""
        return self._rows(path, table.parse_patterns)

    def _rows(self, path: str, parse: Callable[[str], list[table.Row]]) -> list[TableRow]:
        file = self.shown_file(path)
        return [TableRow(file, row.line, row.key, row.value) for row in parse(read_text(self.staged(path)))]

    @once
    def rows(self, value: str) -> Sequence[TableRow] | None:
        """The rows of all tables in a value; None where one of them cannot be read as text."""
        result: list[TableRow] = []
        for word in lines.split_list(value):
            kind, path = table_of(word)
            if kind == "inline":
                result += [
                    TableRow("main.cf", row.line, row.key, row.value) for row in table.parse_inline(path)
                ]
            elif (kind in maps.COMPILED or kind == "texthash") and os.path.exists(self.staged(path)):
                result += self.file_rows(path)
            else:
                return None
        return result

    @once
    def keys(self, value: str) -> frozenset[str]:
        """The keys of these tables, in lower case as Postfix folds them."""
        return frozenset(row.key.lower() for row in self.rows(value) or ())

    @once
    def _rows_by_host(self, value: str) -> Mapping[str, Sequence[TableRow]]:
        result: dict[str, list[TableRow]] = {}
        for row in self.rows(value) or ():
            host = re.sub(r":\w+\Z", "", row.key).strip("[]").lower()
            result.setdefault(host, []).append(row)
        return result

    def similar(self, value: str, hop: nexthop.NextHop) -> list[TableRow]:
        """Rows of these tables whose key means the host of the next hop and is written in another way."""
        rows = self._rows_by_host(value).get(hop.host.lower(), ())
        return [row for row in rows if row.key.lower() != hop.text.lower()]

    def row_settings(self, setting: Setting, value: str) -> Iterator[Setting]:
        """Each row of the readable tables in a value, as if it were a setting."""
        for word in lines.split_list(value):
            for row in self.rows(word) or ():
                yield Setting(row.file, row.line or setting.line, row.key, row.value)

    # ------------------------------------------------------------------ services, sockets and the host

    @functools.cached_property
    def smtpd_services(self) -> Sequence[master_cf.Service]:
        """Those that strangers can talk to."""
        return [
            entry
            for entry in self.master.services
            if entry.type in ("inet", "pass") and entry.command == "smtpd"
        ]

    @functools.cached_property
    def transports(self) -> Mapping[str, master_cf.Service]:
        """The services of type unix by name; of two of one name the first."""
        return {entry.service: entry for entry in reversed(self.master.services) if entry.type == "unix"}

    def command_of(self, name: str) -> str:
        entry = self.transports.get(name)
        return entry.command if entry else ""

    def chrooted(self, entry: master_cf.Service) -> bool:
        """Whether the daemon runs chrooted; "-" means so up to compatibility_level 0."""
        return entry.chroot == "y" or (entry.chroot == "-" and self.value("compatibility_level") in ("", "0"))

    @functools.cached_property
    def queue_directory(self) -> str:
        return self.value("queue_directory") or "/var/spool/postfix"

    def socket_exists(self, path: str) -> bool:
        """Relative paths begin at the queue directory."""
        return os.path.exists(os.path.join(self.queue_directory, path))

    def addresses_of(self, host: str) -> frozenset[str]:
        """What an inet service binds: its own host, else inet_interfaces."""
        if host:
            return frozenset({host})
        words = self.words("inet_interfaces") or ["all"]
        return frozenset(
            address
            for word in words
            for address in {"all": ("0.0.0.0", "::"), "loopback-only": ("127.0.0.1", "::1")}.get(
                word, (word.strip("[]"),)
            )
        )

    @functools.cached_property
    def other_listeners(self) -> frozenset[listeners.Listener]:
        """What listens on this host and is not the running Postfix.

        Where Postfix's sockets cannot be seen, that is known of those alone that root has not opened.
        """
        if self.running is None:
            return frozenset(listeners.all_listeners())
        if self.running.listeners is None:
            return frozenset(listeners.not_roots())
        return frozenset(listeners.all_listeners() - self.running.listeners)

    # ------------------------------------------------------------------ the way out

    @functools.cached_property
    def uses(self) -> Sequence[Use]:
        """Every transport that main.cf, a -o option or a readable table names."""
        return list(self._uses())

    def _uses(self) -> Iterator[Use]:
        default = self.value("default_transport").partition(":")[0] or "smtp"
        tables = ("transport_maps", "sender_dependent_default_transport_maps")
        for setting, value in self.settings_of(*_TRANSPORTS, *tables):
            if not value:
                continue
            if setting.name not in tables:
                yield Use(setting, *nexthop.split_transport(value))
                continue
            for row in self.row_settings(setting, value):
                if row.raw and row.raw.upper() != "DUNNO":
                    transport, hop = nexthop.split_transport(row.raw)
                    yield Use(row, transport or default, hop)

    @functools.cached_property
    def used_hops(self) -> Sequence[UsedHop]:
        """Each next hop of the SMTP client that is named, readable and well formed."""
        result = []
        for setting, transport, text, for_all_mail in self._hop_texts():
            if self.command_of(transport) == "smtp" and not text.startswith("unix:"):
                with contextlib.suppress(ValueError):
                    result.append(UsedHop(setting, nexthop.parse_next_hop(text, transport), for_all_mail))
        return result

    def _hop_texts(self) -> Iterator[tuple[Setting, str, str, bool]]:
        values = {name: self.value(name) for name in ("default_transport", "relayhost")}
        for parameter, transport, text in nexthop.configured_hops(values):
            yield self.setting(parameter), transport, text, True
        for text in self.words("smtp_fallback_relay"):
            yield self.setting("smtp_fallback_relay"), "smtp", text, True
        for use in self.uses:
            if use.setting.name != "default_transport":
                for text in lines.split_list(use.hop):
                    yield use.setting, use.transport, text, False
        default = nexthop.split_transport(values["default_transport"] or "smtp")[0]
        for setting, value in self.settings_of("sender_dependent_relayhost_maps"):
            for row in self.row_settings(setting, value):
                for text in lines.split_list(row.raw):
                    yield row, default, text, False

    @functools.cached_property
    def hop_texts(self) -> frozenset[str]:
        """The next hops in use, in lower case as they are looked up."""
        return frozenset(used.hop.text.lower() for used in self.used_hops)

    def client_of(self, hop: nexthop.NextHop) -> master_cf.Service | None:
        """The service that delivers to that next hop."""
        return self.transports.get(hop.service)

    @once
    def _policies(self, value: str) -> Mapping[str, TableRow]:
        return {row.key.lower(): row for row in self.rows(value) or () if row.value}

    def level_of(self, entry: master_cf.Service | None, hop: nexthop.NextHop) -> tuple[str, TableRow | None]:
        """The TLS level in force for that next hop: that of its policy, with the row, else the transport's."""
        policies = self._policies(self.value("smtp_tls_policy_maps", entry))
        for key in policy_keys(hop.text.lower()) if policies else ():
            if key in policies:
                return policies[key].value.split()[0].lower(), policies[key]
        level = self.value("smtp_tls_security_level", entry).lower()
        if not level:
            if self.enabled("smtp_enforce_tls", entry):
                return ("verify" if self.enabled("smtp_tls_enforce_peername", entry) else "encrypt"), None
            return ("may" if self.enabled("smtp_use_tls", entry) else "none"), None
        return level, None


def table_of(word: str) -> tuple[str, str]:
    """Type and name of a table, without the proxy: in front."""
    kind, _colon, name = word.partition(":")
    if kind == "proxy":
        kind, _colon, name = name.partition(":")
    return kind, name


def policy_keys(hop: str) -> Iterator[str]:
    """What Postfix looks up in a policy table: the next hop, and above a bare domain its parents."""
    yield hop
    if not re.search(r"[][:]", hop):
        parts = hop.split(".")
        for index in range(1, len(parts)):
            yield "." + ".".join(parts[index:])
