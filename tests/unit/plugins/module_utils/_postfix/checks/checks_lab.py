"""A configuration under judgement on a machine without Postfix."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any, Callable, Mapping, Sequence

from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.plan import (
    make_plan,
    write_changes,
)
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.change.request import Request, file_wishes
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks import configuration, registry
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.checks.finding import Finding
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files import table, text
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.files.text import staged_path
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.host import maps, programs

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[5] / "tests/integration/postfix"))

from cases import Case

STOCK = HERE / "stock"
CERTIFICATES = HERE.parents[1] / "_smtp/data"
LIVE = "/etc/postfix"
OPINION = "warning: "
"""What a finding begins with where it is not certain that mail stops."""
DEFAULTS = (STOCK / "postconf-d").read_text(encoding="utf-8")


def looked_up(key: str, spec: str) -> str:
    """What a table of patterns or networks has for the key: as much of regexp_table(5) and cidr_table(5) as is met."""
    kind, _colon, path = spec.partition(":")
    content = "\n".join(path.strip("{}").split("}{")) if path.startswith("{") else text.read_text(path)
    for row in table.parse_patterns(content) if kind in ("regexp", "pcre") else []:
        if re.search(row.key.strip("/"), key):
            return row.value
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(key)
        for row in table.parse_map(content) if kind == "cidr" else []:
            if address in ipaddress.ip_network(row.key):
                return row.value
    return ""


class Canned(configuration.Tools):
    """What the programs of Postfix said once, and of what a test hands over."""

    def __init__(self, defaults: str, current: str = "", errors: Mapping[str, str] | None = None) -> None:
        super().__init__("")
        self.defaults, self.current, self.errors = defaults, current, errors or {}

    def postconf(self) -> configuration.Said:
        types = (STOCK / "postconf-m").read_text(encoding="utf-8")
        return configuration.Said(
            programs.Ran(0, self.current, self.errors.get("postconf", "")),
            programs.Ran(0, self.defaults, ""),
            programs.Ran(0, types, ""),
            programs.Ran(0, "", self.errors.get("postconf -P", "")),
        )

    def postmap(self, key: str, specs: Sequence[str]) -> programs.Ran:
        said = "".join(self.errors.get(spec, "") for spec in specs)
        return programs.Ran(1, "", said)

    def lookup(self, spec: str, keys: Sequence[str]) -> programs.Ran:
        found = ((key, looked_up(key, spec)) for key in keys)
        return programs.Ran(0, "".join(f"{key}\t{value}\n" for key, value in found if value), "")

    def postfix_check(self) -> programs.Ran:
        return programs.Ran(0, "", self.errors.get("postfix check", ""))


class Lab:
    """A directory that looks like a host: the stock configuration, daemons, aliases, certificates."""

    def __init__(self, root: Path) -> None:
        self.root, self.live = root, root / "live"
        shutil.copytree(STOCK, self.live)
        for name in ("daemons", "commands", "queue", "meta", "live/sasl"):
            (root / name).mkdir()
        for line in (STOCK / "master.cf").read_text(encoding="utf-8").splitlines():
            words = line.split()
            if len(words) > 7 and not line.startswith(("#", " ")):
                self.program(words[7])
        for name in ("dnsblog", "pipe", "postscreen", "qmqpd", "spawn", "tlsproxy", "virtual"):
            self.program(name)
        key, mark, certificate = (
            (CERTIFICATES / "good.pem").read_text().partition("-----BEGIN CERTIFICATE-----")
        )
        authority = (CERTIFICATES / "ca.pem").read_text()
        for name, pem in (("ca.pem", authority), ("server.pem", mark + certificate), ("server.key", key)):
            (root / name).write_text(pem, encoding="ascii")
            (root / name).chmod(0o600)
        self.paths = {
            "/etc/ssl/certs/ca-certificates.crt": str(root / "ca.pem"),
            "/etc/ssl/certs/ssl-cert-snakeoil.pem": str(root / "server.pem"),
            "/etc/ssl/private/ssl-cert-snakeoil.key": str(root / "server.key"),
            "hash:/etc/aliases": f"texthash:{root}/aliases",
            "/etc/mailname": str(root / "mailname"),
            "/var/spool/postfix": str(root / "queue"),
            "/etc/letsencrypt": str(CERTIFICATES),
            "/usr/lib/postfix/sbin": str(root / "daemons"),
        }
        (root / "aliases").write_text("root joe\n", encoding="ascii")
        (root / "mailname").write_text("example.com\n", encoding="ascii")
        moved = {
            "daemon_directory": "daemons", "command_directory": "commands", "queue_directory": "queue",
            "meta_directory": "meta", "data_directory": "queue",
        }  # fmt: skip
        defaults = DEFAULTS
        for name, directory in moved.items():
            defaults = re.sub(rf"(?m)^{name} = .*$", f"{name} = {root / directory}", defaults)
        self.defaults = self.here(re.sub(r"(?m)^shlib_directory = .*$", "shlib_directory = no", defaults))
        main = self.live / "main.cf"
        main.write_text(self.here(main.read_text(encoding="utf-8")), encoding="utf-8")

    def program(self, name: str) -> None:
        path = self.root / "daemons" / name
        path.touch(0o755)

    def here(self, text: str) -> str:
        for path, ours in self.paths.items():
            text = text.replace(path, ours)
        return text

    def there(self, text: str) -> str:
        """What was found, with its paths as they are on a host."""
        for path, ours in self.paths.items():
            text = text.replace(ours, path)
        return text

    def placed(self, value: Any) -> Any:
        """A case with its paths as they are here."""
        if isinstance(value, str):
            return self.here(value)
        if isinstance(value, Mapping):
            return {key: self.placed(each) for key, each in value.items()}
        return [self.placed(each) for each in value] if isinstance(value, (list, tuple)) else value

    def stage(self, case: Case) -> str:
        stage = self.root / "stage"
        shutil.rmtree(stage, ignore_errors=True)
        shutil.copytree(self.live, stage, copy_function=os.link)
        wish = Request(
            files=file_wishes(self.placed(case.files)),
            parameters=self.placed(case.parameters),
            services=self.placed(case.services),
        )
        plan = make_plan(wish, str(self.live))
        write_changes(plan.changes, str(stage))
        values = {"config_directory": LIVE, **plan.main.values()}
        for ref in maps.references(plan.main, plan.master, values):
            path = staged_path(ref.path, str(stage), LIVE)
            for compiled in maps.compiled_files(ref.type, path) if Path(path).exists() else ():
                Path(compiled).touch()
        return str(stage)

    def configuration(self, case: Case, **more: Any) -> configuration.Configuration:
        return configuration.Configuration(self.stage(case), LIVE, Canned(self.defaults), **more)


def found(
    lab: Lab,
    case: Case,
    errors: Mapping[str, str] | None = None,
    defaults: str = "",
    told: Callable[[Finding], str] = str,
    **more: Any,
) -> dict[str, list[str]]:
    """What the checks find in the case, by their names, with its paths as they are on a host."""
    tools = Canned(defaults or lab.defaults, errors=errors)
    judged = configuration.Configuration(lab.stage(case), LIVE, tools, **more)
    result: dict[str, list[str]] = {}
    for each in registry.findings(judged):
        text = told(each._replace(value=lab.there(each.value)))
        result.setdefault(each.check, []).append(("" if each.certain else OPINION) + lab.there(text))
    return result
