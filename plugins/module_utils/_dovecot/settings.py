"""Dovecot's settings, as doveconf(1) tells them and as versions 2.3 and 2.4 write them.

The rule of this file: text in, text out, no I/O.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Iterator, NamedTuple

from .._postfix.host.distributions import DOVECOT_DROP_INS

# The drop-ins, below the directory of dovecot.conf. What comes first asks first, and what comes last has the last word.
FIRST, LAST = DROP_INS = DOVECOT_DROP_INS
USERS = "mailops-smtp-users"
MECHANISMS = ("plain", "login")
HEAD = (
    "# Logins of those who submit mail. Kept by the Ansible collection mailops.smtp: changes here are lost.\n"
)


class Version(NamedTuple):
    major: int
    minor: int

    @property
    def text(self) -> str:
        return f"{self.major}.{self.minor}"


def version(said: str) -> Version | None:
    """Of what `dovecot --version` says, such as "2.3.19.1 (9b53102964)"."""
    match = re.match(r"\s*(\d+)\.(\d+)\b", said)
    return Version(int(match[1]), int(match[2])) if match else None


KNOWN = (Version(2, 3), Version(2, 4))

# -------------------------------------------------------------------------------------------------- what doveconf says


class Section(NamedTuple):
    """`service auth { … }`: its words, its settings and its sections, in their order."""

    kind: str
    name: str
    values: dict[str, str]
    sections: list[Section]

    def all(self, kind: str) -> Iterator[Section]:
        return (each for each in self.sections if each.kind == kind)


def parse(text: str) -> Section:
    """The output of doveconf(1)."""
    top = Section("", "", {}, [])
    open_sections = [top]
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#"):
            continue
        if line == "}":
            if len(open_sections) > 1:
                open_sections.pop()
        elif line.endswith("{"):
            kind, _blank, name = line[:-1].strip().partition(" ")
            section = Section(kind, name.strip().strip('"'), {}, [])
            open_sections[-1].sections.append(section)
            open_sections.append(section)
        else:
            name, equals, value = line.partition("=")
            if equals:
                open_sections[-1].values[name.strip()] = value.strip()
    return top


def main_file(text: str) -> str:
    """The configuration file that doveconf has read, by the first line of what it says; empty where it says none."""
    match = re.match(r"# \S+ \([^)]*\): (/\S+)", text)
    return match[1] if match else ""


def mechanisms(said: Section) -> list[str]:
    """auth_mechanisms: a list in 2.3, a list or a section of truth values in 2.4."""
    return _listed(said, "auth_mechanisms")


def _listed(said: Section, name: str) -> list[str]:
    for section in said.all(name):
        return [word for word, value in section.values.items() if value != "no"]
    return said.values.get(name, "").lower().split()


def protocols(said: Section) -> list[str]:
    """What Dovecot serves: a list in 2.3, a list or a section of truth values in 2.4."""
    return _listed(said, "protocols")


class Listener(NamedTuple):
    name: str
    path: str
    user: str
    group: str
    mode: int

    def serves(self, owner: str) -> bool:
        """Whether processes of this user, and of its group of the same name, may connect to it."""
        return (
            self.mode & 0o006 == 0o006
            or (self.user == owner and self.mode & 0o600 == 0o600)
            or (self.group == owner and self.mode & 0o060 == 0o060)
        )


def listeners(said: Section) -> list[Listener]:
    """The sockets of the service auth."""
    return [
        Listener(
            each.name,
            each.values.get("path") or each.name,
            each.values.get("user", ""),
            each.values.get("group", ""),
            int(each.values.get("mode", "0600"), 8),
        )
        for service in said.all("service")
        if service.name == "auth"
        for each in service.all("unix_listener")
    ]


class PassDb(NamedTuple):
    name: str
    driver: str
    file: str
    """Of a passwd-file."""


def passdbs(said: Section) -> list[PassDb]:
    """Where passwords are looked up, in the order of doveconf."""
    return [
        PassDb(
            each.name,
            each.values.get("driver") or each.name,
            each.values.get("passwd_file_path") or each.values.get("args", "").rpartition(" ")[2],
        )
        for each in said.all("passdb")
    ]


def strips_domain(username_format: str) -> bool:
    """Whether auth_username_format leaves of joe@example.com the name alone."""
    return bool(re.search(r"%L?n\b|%\{\s*user\s*\|[^}]*\busername\b|%\{username\}", username_format))


def relative_includes(text: str, directory: str) -> str:
    """A configuration whose includes of files below `directory` are relative, so that a copy includes its own."""
    pattern = rf"^(\s*!include(?:_try)?\s+){re.escape(directory.rstrip('/'))}/"
    return re.sub(pattern, r"\1", text, flags=re.MULTILINE)


# ---------------------------------------------------------------------------------------------------- what is written


class Wish(NamedTuple):
    """What the drop-ins are to say."""

    mechanisms: tuple[str, ...] = ()
    """Those that are to be offered beside the host's own."""
    socket: str = ""
    """The absolute path; empty where somebody else has it."""
    owner: str = "postfix"
    users: str = ""
    """The path of the passwd-file; empty for none."""
    alone: bool = False
    """Whether its users are the only ones that may submit mail."""
    pam: bool = False
    """Whether PAM is to be asked, which nobody else has named."""


def drop_ins(release: Version, wish: Wish) -> dict[str, str]:
    """The files, by their path below the directory of dovecot.conf; none where nothing is wished."""
    new = release >= (2, 4)
    last = []
    if wish.mechanisms and new:
        rows = "".join(f"  {name} = yes\n" for name in wish.mechanisms)
        last.append(f"auth_mechanisms {{\n{rows}}}\n")
    elif wish.mechanisms:
        last.append(f"auth_mechanisms = $auth_mechanisms {' '.join(wish.mechanisms)}\n")
    if wish.socket:
        last.append(_SOCKET.format(socket=wish.socket, owner=wish.owner))
    found = {}
    # Only mail clients of Postfix are meant, which are the protocol smtp: who reads mail logs in as before.
    if wish.users:
        failure = "return-fail" if wish.alone else "continue"
        text = (_USERS_24 if new else _USERS_23).format(file=wish.users, failure=failure)
        if new:
            found[FIRST] = HEAD + text
        else:
            last.append(text)
    if wish.pam:
        last.append(_PAM_24 if new else _PAM_23)
    return {**found, LAST: HEAD + "\n".join(last)} if last else found


_SOCKET = """\
service auth {{
  unix_listener {socket} {{
    mode = 0660
    user = {owner}
    group = {owner}
  }}
}}
"""
# A passdb of a protocol is asked before those of all protocols.
_USERS_23 = """\
protocol smtp {{
  passdb {{
    driver = passwd-file
    args = {file}
    result_failure = {failure}
    result_internalfail = {failure}
  }}
}}
"""
# doveconf complains of a passdb that one protocol alone has. Here all have it, and skip it.
_USERS_24 = """\
passdb mailops {{
  driver = passwd-file
  passwd_file_path = {file}
  skip = unauthenticated
}}
protocol smtp {{
  passdb mailops {{
    skip = never
    result_failure = {failure}
    result_internalfail = {failure}
  }}
}}
"""
_PAM_23 = """\
protocol smtp {
  passdb {
    driver = pam
  }
}
"""
_PAM_24 = """\
passdb mailops-pam {
  driver = pam
  skip = unauthenticated
}
protocol smtp {
  passdb mailops-pam {
    skip = never
  }
}
"""
