"""What a user wrote in a role's variable, as the one value that it means, or a sentence that says why it is none.

Rules of this file: no I/O, no templating. A value is never guessed at: it has one meaning or it is refused. A
sentence names the variable, what was given, why it cannot work and what to write; it never repeats a secret.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import contextlib
import difflib
import json
import math
import posixpath
import re
from functools import partial
from typing import Any, Callable, Iterable, Iterator, Mapping, NamedTuple, Sequence

import yaml

from ..module_utils._base.addresses import PORT_NAMES, is_address, is_host_name, is_label
from ..module_utils._base.masks import MASK
from ..module_utils._base.words import listed
from ..module_utils._dovecot.users import HOW, hash_flaw, login_flaw
from ..module_utils._postfix.arguments import ignored_checks
from ..module_utils._postfix.files.networks import interface_flaw, network_flaw
from ..module_utils._postfix.files.nexthop import RECIPIENT_TRANSPORTS, SENDER_TRANSPORTS
from ..module_utils._route.fact import unprobed
from ..module_utils._route.relays import named_host, parse_relays
from ..module_utils._smtp.endpoint import OptionError, check_host
from . import submission
from .report import files, gate
from .ways import WaysError, ways

Option = Mapping[str, Any]
Spec = Mapping[str, Option]

# What C's isspace() knows: a no-break space is no blank to Postfix.
BLANKS = " \t\r\n\f\v"
TRUE = ("true", "yes", "on", "y", "t", "1")
FALSE = ("false", "no", "off", "n", "f", "0")
LONGEST = 60

# Values that are joined to one line where they are written, so that YAML's block scalars may be used for them.
FOLDED = (
    "postfix_parameters", "postfix_services[].options", "postfix_services[].where_known",
    "postfix_services[].command",
)  # fmt: skip
# Where a line break stands between the words of a list, as in main.cf. Another text of two lines is two values.
LISTED = re.compile(
    r"(restrictions|networks|maps|domains|destination|interfaces|hosts|ciphers|protocols|options|mechanisms|milters"
    r"|checks|keywords|classes|fields|recipients|senders|addresses|exceptions|relayhost|relay|filter|parameters"
    r"|environment|list|users|clients|rules|sites|servers|types|groups|database|files)\Z"
)
# Lists that a word stands for.
_PORTS = {"auto": [587, 465]}
WORDS = {"postfix_submission_ports": _PORTS, "verify_submission_ports": _PORTS}
# Free mappings whose values are mappings themselves.
ENTRIES: dict[str, Spec] = {
    "postfix_submission_sni": {
        "cert_file": {"type": "path", "required": True},
        "key_file": {"type": "path"},
    }
}
# Texts of several lines.
CONTENTS = ("postfix_maps[].content",)
# Names that travel in SMTP, DNS or main.cf, where only ASCII is understood.
ASCII_ONLY = re.compile(
    r"[_.](host|myhostname|hostname|helo_name|domain|myorigin|mydestination|mynetworks|interfaces|provider|region|packages)\Z"
)
# Those of the inventory do not.
OF_THE_INVENTORY = ("preflight_waivers[].host", "preflight_mesh[].host")
PORT = re.compile(r"[_.]ports?\Z")
SECONDS = re.compile(r"_timeout\Z")
LOGIN = re.compile(r"[_.]username\Z")
MODE = re.compile(r"\.mode\Z")
# Modes of files that begin as a number in YAML: 0644 is read as octal there and arrives as 420.
MODES = {int(text, 8): text for text in ("0400", "0440", "0444", "0600", "0640", "0644", "0660", "0664")}


# Names of this host to a relay, and domains, in which a service may have an underscore.
HOST_NAME = re.compile(r"(postfix_myhostname|preflight_helo_name)\Z")
DOMAIN = re.compile(r"(postfix_myorigin|postfix_mydestination\[\])\Z")
SENDER_DOMAIN = re.compile(r"_sender_domain\Z")
RELAY_HOST = re.compile(r"(postfix|verify)_relay_host\Z|postfix_relays\[\]\.host\Z")
RECIPIENT = re.compile(r"_recipient\Z")
SENDER = re.compile(r"(preflight|_test)_sender\Z")
_LOCAL_PART = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+\Z|\"[^\"\\]+\"\Z", re.ASCII)


class Wrong(ValueError):
    """A sentence about a value, for the user; or one about each of its parts that is wrong."""

    def __str__(self) -> str:
        return ".\n".join(map(str, self.args))


class Entry(dict[str, Any]):
    """An entry of a list, which knows its place in what the user wrote: empty ones are left out."""

    place = 0


class Undefined(NamedTuple):
    """In place of a value: what became of templating it."""

    why: str


class Checked(NamedTuple):
    """The typed values, the secret ones among them, the complaints, and the names of the variables complained of."""

    values: dict[str, Any]
    complaints: list[str]
    wrong: frozenset[str] = frozenset()


def check(spec: Spec, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> Checked:
    """Type what was `given` for the variables of `spec`. `defaults` are the role's own, templated.

    Both mappings hold an Undefined where a template could not be resolved.
    """
    values: dict[str, Any] = {}
    complaints: dict[str, tuple[str, ...]] = {}
    for name, option in spec.items():
        try:
            values[name] = _value(name, option, given.get(name), defaults.get(name))
        except Wrong as wrong:
            complaints[name] = wrong.args
    return Checked(values, [one for each in complaints.values() for one in each], frozenset(complaints))


def _value(name: str, option: Option, given: Any, default: Any) -> Any:
    if isinstance(given, Undefined):
        raise Wrong(given.why)
    if _is_empty(given, option):
        if option.get("required"):
            raise Wrong(f"{name} is not set, and needed")
        if given is not None and "default" not in option and option.get("type", "str") in _EMPTY:
            return _EMPTY[option.get("type", "str")]()
        if isinstance(default, Undefined):
            raise Wrong(default.why)
        given = default
    return None if given is None else typed(name, option, given)


def _is_empty(value: Any, option: Option) -> bool:
    """Whether nothing was given. A secret of blanks only is not nothing: it is wrong."""
    if value is None:
        return True
    return isinstance(value, str) and (value == "" if option.get("no_log") else not value.strip(BLANKS))


_EMPTY: dict[str, Callable[[], Any]] = {"str": str, "path": str, "list": list, "dict": dict, "raw": str}


def typed(name: str, option: Option, value: Any) -> Any:
    """`value` as the type of its option says. Raises Wrong."""
    if option.get("no_log"):
        return _secret(name, option, value)
    kind = option.get("type", "str")
    result = _TYPES[kind](name, option, value)
    if kind in ("str", "path") and option.get("choices"):
        return _choice(name, option["choices"], result)
    return _CHECKED[name](name, result) if name in _CHECKED else result


def _for_the_gate(name: str, value: Any) -> Any:
    if name == "preflight_fail_on" and isinstance(value, str):
        value = _structure(value) or value
    try:
        meaning = _GATE[name](value, name)
    except gate.Wrong as wrong:
        raise Wrong(str(wrong)) from None
    return meaning if name == "preflight_fail_on" else value


def _report(name: str, asked: Sequence[str]) -> Sequence[str]:
    try:
        files.paths(asked, name)
    except files.ReportError as error:
        raise Wrong(str(error).rstrip(".")) from None
    return asked


# An entry of preflight_mesh that is a mapping.
_MESH: Spec = {
    "host": {"type": "str", "required": True},
    "ports": {"type": "list", "elements": "int"},
    "address": {"type": "str"},
}


def mesh_entry(name: str, value: Any) -> dict[str, Any]:
    """An entry of preflight_mesh as a mapping of host, ports and address. Raises Wrong."""
    if not isinstance(value, Mapping):
        value = {"host": value}
    return _entry(name, _MESH, value)


def _mesh(name: str, value: Sequence[Any]) -> Sequence[Any]:
    _each(partial(mesh_entry, f"{name}[{index}]", one) for index, one in enumerate(value))
    return value


_GATE: dict[str, Callable[[Any, str], Any]] = {
    "preflight_fail_on": gate.fail_on,
    "preflight_max_failed": gate.max_failed,
    "preflight_waivers": gate.waivers,
}
# What a value means where its type does not say all: in its one form, or checked.
_CHECKED: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(_GATE, _for_the_gate),
    "preflight_mesh": _mesh,
    "preflight_report": _report,
    "verify_report": _report,
}


# Single values


def _text(name: str, option: Option, value: Any) -> str:
    where = re.sub(r"\[\d+\]", "[]", name)
    if MODE.search(name):
        return _mode(name, value)
    if isinstance(value, bool):
        return _word_of_truth(name, option, value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, (int, float)):
        value = str(value)
    if not isinstance(value, str):
        raise Wrong(f"{name} is {_kind(value)}, and takes one value; write it as text, {name}: value")
    text = str(value)
    if where in CONTENTS:
        return _content(name, text)
    if LOGIN.search(name):
        return _login(name, text)
    text = one_value(name, text, fold=where in FOLDED)
    travels = where not in OF_THE_INVENTORY and ASCII_ONLY.search(re.sub(r"\[\d+\]", "", name))
    if travels and not text.isascii():
        raise Wrong(f"{name} is {shown(text)}, and only ASCII is understood there; {_ascii_form(text)}")
    if PORT.search(name):
        return "auto" if text.lower() == "auto" else _port(name, text)
    if text:
        _meaning(name, where, text)
    return text


def _meaning(name: str, where: str, text: str) -> None:
    """Refuse what is no name, address or path though it is one text. `where` is `name` without the places in lists."""
    if HOST_NAME.search(where):
        _host_name(name, text)
    elif DOMAIN.search(where):
        _domain(name, text)
    elif SENDER_DOMAIN.search(where):
        _sender_domain(name, text)
    elif RELAY_HOST.search(where):
        try:
            check_host(named_host(text, name).host, name)
        except OptionError as error:
            raise Wrong(str(error)) from None
    elif RECIPIENT.search(where):
        _address(name, text, "inbox@example.com")
    elif SENDER.search(where):
        _sender(name, text)
    elif where == "postfix_mynetworks[]":
        # A file, a table or a parameter is the host's own affair.
        if not re.match(r"!?(/|[a-z][a-z_]*:[/${])", text) and "$" not in text:
            _flaw(name, network_flaw(text))
    elif where == "postfix_maps[].path":
        _path(name, text)


def _flaw(name: str, flaw: tuple[str, str] | None) -> None:
    if flaw:
        raise Wrong(f"{name}: {flaw[0]}; {flaw[1]}")


def _host_name(name: str, text: str) -> None:
    if name == "preflight_helo_name" and re.fullmatch(r"\[[^][\s]+\]", text):
        return
    # Postfix puts other parameters in: web1.$mydomain.
    known = re.sub(r"\$(\w+|\{\w+\}|\(\w+\))", "x", text) if name.startswith("postfix_") else text
    # No underscore here: a relay may refuse it in EHLO.
    if "_" in known or len(known) > 253 or not is_host_name(known.removesuffix(".")):
        raise Wrong(
            f"{name} is {shown(text)}, which is not a host name (RFC 1123): labels of letters, digits and - with dots "
            "between; write this host's full name, such as web1.example.com"
        )


def _domain(name: str, text: str) -> None:
    if text.startswith(("/", "!")) or ":" in text or "$" in text:
        return
    labels = text.removeprefix("[").removesuffix("]").removesuffix(".").split(".")
    if not all(map(is_label, labels)):
        remedy = f"write {text.rpartition('@')[2]}" if "@" in text else "write it as example.com"
        raise Wrong(f"{name} is {shown(text)}, which is not a domain; {remedy}")


def _sender_domain(name: str, text: str) -> None:
    labels = text.split(".")
    if len(labels) < 2 or not all(map(is_label, labels)):
        domain = text.rpartition("@")[2]
        remedy = f"write {domain}" if "@" in text and "." in domain else "write it as example.com"
        raise Wrong(f"{name} is {shown(text)}, which is not a domain of mail; {remedy}")


def _address(name: str, text: str, example: str) -> None:
    """Refuse what is not local@domain (RFC 5321 section 4.1.2)."""
    local, separator, domain = text.rpartition("@")
    labels = domain.split(".")
    literal = re.fullmatch(r"\[[0-9A-Za-z.:]+\]", domain)
    if separator and _LOCAL_PART.match(local) and (literal or all(map(is_label, labels))):
        return
    inner = re.search(r"<([^<>@\s]+@[^<>@\s]+)>", text)
    if inner:
        raise Wrong(f"{name} is {shown(text)}, and takes the address alone; write {inner[1]}")
    if text.count("@") > 1 and re.search(r"[\s,;]", text):
        raise Wrong(f"{name} is {shown(text)}, and takes one address; write one such as {example}")
    if not text.isascii():
        raise Wrong(
            f"{name} is {shown(text)}, and takes an address of ASCII characters, with its domain as xn--…"
        )
    what = "an address without a domain" if _LOCAL_PART.match(text) else "no mail address"
    raise Wrong(f"{name} is {shown(text)}, {what}; write local@domain, such as {example}")


def _sender(name: str, text: str) -> None:
    if text in ("<>", '""', "''"):
        none = (
            ", or none to try no sender" if name.startswith("preflight_") else ", or leave it out for root's"
        )
        raise Wrong(
            f"{name} is {shown(text)}, the null sender of bounces, which says nothing of this host's mail; write the "
            f"address that your mail has{none}"
        )
    # A local name is completed as Postfix does with what such a user sends.
    if not ("@" not in text and _LOCAL_PART.match(text)):
        _address(name, text, "web1@example.com")


def _path(name: str, text: str) -> None:
    inside = re.match(r"/etc/postfix[^/]*/+(.+)", text)
    if text.startswith("/"):
        short = inside[1] if inside else text.rstrip("/").rpartition("/")[2]
        raise Wrong(
            f"{name} is {shown(text)}, and takes a path below postfix_config_directory; write {short or 'virtual'}"
        )
    if ".." in text.split("/") or text.strip("./") == "":
        raise Wrong(
            f"{name} is {shown(text)}, and takes a path below postfix_config_directory, such as virtual"
        )


def one_value(name: str, value: str, fold: bool = False) -> str:
    """`value` without the blanks around it, if it is one value: without a second line or a control character."""
    text = value.strip(BLANKS)
    if fold and _is_listed(name, text):
        text = re.sub(r"[ \t\r]*\n[ \t\r\n]*", " ", text)
    if "\n" in text or "\r" in text:
        raise Wrong(
            f"{name} is {shown(value)}, which holds a line break, so it would be more than one value; "
            "write it on one line"
        )
    bad = next((char for char in text if ord(char) < 32 or ord(char) == 127), None)
    if bad is not None and not (fold and bad == "\t"):
        what = {"\0": "NUL character", "\t": "tab"}.get(bad, "control character")
        raise Wrong(f"{name} is {shown(value)}, which holds a {what}; remove it")
    return text


def _is_listed(name: str, text: str) -> bool:
    """Whether the line breaks of a text stand between words of a list, or in a command that goes on."""
    free = re.match(
        r"(postfix_parameters|postfix_services\[\d+\]\.(?:options|where_known))\.(?:[^.]*_)?([^._]+)\Z", name
    )
    if not free or LISTED.search(free[2]):
        return True
    return all(re.search(r",[ \t\r]*\Z", line) for line in text.splitlines()[:-1])


def _content(name: str, text: str) -> str:
    if "\0" in text:
        raise Wrong(f"{name} holds a NUL character, which no file of Postfix may have; remove it")
    return text


def _login(name: str, text: str) -> str:
    """A user name. It is not shown: with some relays it is the password too, and somebody may write both here."""
    if text.strip(BLANKS) != text:
        raise Wrong(
            f"{name} begins or ends with a blank or a line break (not shown), and Postfix's password table cuts that "
            "off; write it without"
        )
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise Wrong(f"{name} holds a line break or a control character (not shown); remove it")
    if ":" in text:
        raise Wrong(
            f"{name} holds a colon (not shown), and in Postfix's password table a user name ends at its first one; use "
            "a user name without one, and write the password in a variable of its own"
        )
    return text


def _ascii_form(text: str) -> str:
    try:
        form = text.encode("idna").decode("ascii")
    except UnicodeError:
        form = ""
    if re.fullmatch(r"[A-Za-z0-9.-]+", form):
        return f"write {form}"
    return "write it without other characters"


def _word_of_truth(name: str, option: Option, value: bool) -> str:
    words = [word for word in (TRUE if value else FALSE) if word in option.get("choices", ())]
    if words:
        return words[0]
    raise Wrong(
        f"{name} is {str(value).lower()}, a truth value, and takes text; if {'yes or on' if value else 'no or off'} "
        f"is meant as a word, write it in quotation marks"
    )


def _mode(name: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        if value in MODES:
            return MODES[value]
        digits = str(value)
        hint = digits if re.fullmatch(r"[0-7]{3,4}", digits) else "0644"
        raise Wrong(
            f"{name} is the number {value}, and the mode of a file is written in octal digits, which YAML reads as "
            f'a number unless they are quoted; write {name.rpartition(".")[2]}: "{hint.zfill(4)}"'
        )
    text = str(value).strip(BLANKS)
    octal = text[2:] if text.lower().startswith("0o") else text
    if not re.fullmatch(r"[0-7]{3,4}", octal):
        raise Wrong(f'{name} is {shown(value)}, and takes the octal mode of a file, such as "0644" or "0600"')
    return octal.zfill(4)


def _choice(name: str, choices: Sequence[Any], text: str) -> str:
    known = [str(choice) for choice in choices]
    if text in known:
        return text
    folded = {choice.lower(): choice for choice in known}
    if text.lower() in folded:
        return folded[text.lower()]
    named = [choice or '""' for choice in known]
    close = difflib.get_close_matches(text.lower(), list(folded), 1)
    hint = f"; did you mean {folded[close[0]]}?" if close else ""
    raise Wrong(f"{name} is {shown(text)}, and takes {listed(named, 'or')}{hint}")


def _port(name: str, value: Any) -> str:
    try:
        number = PORT_NAMES.get(str(value).lower()) or int(str(value))
    except ValueError:
        number = -1
    if not 1 <= number <= 65535:
        raise Wrong(f"{name} is {shown(value)}, and takes a port from 1 to 65535, such as 587, or auto")
    return str(number)


def _bool(name: str, _option: Option, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    word = value.strip(BLANKS).lower() if isinstance(value, str) else None
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise Wrong(f"{name} is {shown(value)}, and takes true or false")


def _int(name: str, _option: Option, value: Any) -> int:
    port = PORT.search(re.sub(r"\[\d+\]", "", name))
    if port and isinstance(value, str):
        value = str(PORT_NAMES.get(value.strip(BLANKS).lower(), value))
        if not re.fullmatch(r"[\s\d.+-]+", value):
            raise Wrong(f"{name} is {shown(value)}, and takes a port from 1 to 65535, such as 587")
    number = _number(name, value)
    if number != int(number):
        raise Wrong(f"{name} is {shown(value)}, and takes a whole number")
    number = int(number)
    if port and not (0 if name == "verify_relay_port" else 1) <= number <= 65535:
        raise Wrong(f"{name} is {shown(value)}, and takes a port from 1 to 65535, such as 587")
    return number


def _float(name: str, _option: Option, value: Any) -> float:
    number = _number(name, value)
    return float(number)


def _number(name: str, value: Any) -> int | float:
    what = "seconds as a number, such as 10" if SECONDS.search(name) else "a number"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number: int | float = value
    elif isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,15}", value.strip(BLANKS), re.ASCII):
        number = int(value)
    elif isinstance(value, str) and re.fullmatch(r"[+-]?\d{0,15}\.\d{1,15}", value.strip(BLANKS), re.ASCII):
        number = float(value)
    else:
        raise Wrong(f"{name} is {shown(value)}, and takes {what}")
    if not math.isfinite(number):
        raise Wrong(f"{name} is {shown(value)}, and takes {what}")
    if SECONDS.search(name) and number <= 0:
        raise Wrong(f"{name} is {shown(value)}, and takes {what} greater than 0")
    if number < 0:
        raise Wrong(f"{name} is {shown(value)}, and takes a number that is not below 0")
    return number


# Lists and mappings


def _list(name: str, option: Option, value: Any) -> list[Any]:
    elements = option.get("elements", "str")
    if isinstance(value, str):
        value = _list_of_text(name, option, value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        value = [value]
    elif not isinstance(value, (list, tuple, set, frozenset)):
        raise Wrong(f"{name} is {shown(value)}, and takes a list; {_list_example(name, elements)}")
    if elements == "int":
        # "587, 2525" may stand in a list as well.
        parts = [part for one in value for part in (_split(one) if isinstance(one, str) else [one])]
        words = WORDS.get(name, {})
        value = [number for one in parts for number in words.get(str(one).lower(), [one])]
    element = {**option, "type": elements, "choices": option.get("element_choices")}
    places = [
        index
        for index, one in enumerate(value)
        if not (one is None or (isinstance(one, str) and not one.strip(BLANKS)))
    ]
    found = _each(partial(typed, f"{name}[{index}]", element, value[index]) for index in places)
    for index, one in zip(places, found):
        if isinstance(one, Entry):
            one.place = index
    if name == "postfix_inet_interfaces":
        # One element may hold several words: it is joined with the others in main.cf.
        words = [word for one in found for word in _split(one)]
        for index, word in enumerate(words):
            if "$" not in word:
                _flaw(f"{name}[{index}]", interface_flaw(word, words))
    return found


def _each(parts: Iterable[Callable[[], Any]]) -> list[Any]:
    """What each of these makes. Raises Wrong with the sentences of all that make nothing."""
    found, wrong = [], []
    for make in parts:
        try:
            found.append(make())
        except Wrong as error:
            wrong += error.args
    if wrong:
        raise Wrong(*wrong)
    return found


def _list_of_text(name: str, option: Option, value: str) -> Sequence[Any]:
    text, elements = value.strip(BLANKS), option.get("elements", "str")
    parsed = _structure(text)
    if isinstance(parsed, list) and not _is_address_literal(text):
        return parsed
    if elements == "dict":
        with contextlib.suppress(yaml.YAMLError):
            parsed = yaml.safe_load(text)
            if isinstance(parsed, list):
                return parsed
        raise Wrong(
            f"{name} is {_shown(option, value)}, and takes a list of mappings; {_list_example(name, elements)}"
        )
    if elements == "path":
        return text.split(",")
    one_value(name, text, fold=True)
    return _split(text)


def _list_example(name: str, elements: str) -> str:
    example = {"int": "[587, 2525]", "dict": "[{key: value}]", "path": "[first.json, second.html]"}
    own = {
        "postfix_maps": "[{path: virtual, content: ...}]",
        "postfix_services": "[{service: submission, type: inet, command: smtpd}]",
        "preflight_relays": "[relay.example.com]",
        "preflight_mesh": "[mail, {host: mx1, ports: [25]}]",
        "postfix_relays": "[{host: relay.example.com}]",
        "postfix_mydestination": "[example.com, $myhostname]",
        "postfix_mynetworks": "[127.0.0.0/8, 192.0.2.0/24]",
        "postfix_inet_interfaces": "[127.0.0.1, 192.0.2.1]",
    }
    return f"write {name}: {own.get(name) or example.get(elements, '[first, second]')}"


def _split(text: str) -> list[str]:
    """The words of a list as Postfix separates them: by commas and white space outside of braces."""
    words, word, depth = [], "", 0
    for char in text:
        depth += {"{": 1, "}": -1}.get(char, 0)
        if depth <= 0 and (char == "," or char in BLANKS):
            words.append(word)
            word = ""
        else:
            word += char
    return [one for one in [*words, word] if one]


def _is_address_literal(text: str) -> bool:
    """Whether all of it is addresses in square brackets, which look like lists."""
    if not re.fullmatch(r"\[[^\[\]]*\]", text):
        return False
    return is_address(re.sub(r"^ipv6:", "", text[1:-1].strip(), flags=re.IGNORECASE))


def _structure(text: str) -> Any:
    """The list or mapping that a text writes out, as JSON, Python or YAML; None for any other text."""
    if not (text.startswith(("[", "{", "- ", "---")) or re.match(r"[\w.\"'$@-]+\s*:(\s|\Z)", text)):
        return None
    # "[relay.example.com]:587" and "[::1]/128" begin like a list.
    if text.startswith(("[", "{")) and text[-1] != {"[": "]", "{": "}"}[text[0]]:
        return None
    for parse in (json.loads, ast.literal_eval, _yaml):
        try:
            parsed = parse(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, yaml.YAMLError):
            continue
        if isinstance(parsed, (list, dict)):
            return parsed
    return None


def _yaml(text: str) -> Any:
    # "[::1]" and "[a]:25, [b]:25" are no lists to YAML's eye that a user of Postfix would see in them.
    if text.startswith("[") and ("]" in text[1:-1] or re.search(r":(?!\s)", text)):
        return None
    return yaml.safe_load(text)


def _dict(name: str, option: Option, value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        value = _dict_of_text(name, option, value)
    if isinstance(value, (list, tuple)) and not value:
        value = {}
    if not isinstance(value, Mapping):
        raise Wrong(
            f"{name} is {_shown(option, value)}, and takes a mapping; write {name}: {_mapping_example(option)}"
        )
    suboptions = option.get("options")
    if suboptions:
        return _entry(name, suboptions, value)
    if name in ENTRIES:
        return {
            _key(name, key): _entry(f"{name}.{key}", ENTRIES[name], _mapping(f"{name}.{key}", one))
            for key, one in value.items()
        }
    where = re.sub(r"\[\d+\]", "[]", name)
    return {_key(name, key): _any_value(f"{name}.{key}", one, where in FOLDED) for key, one in value.items()}


def _mapping(name: str, value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise Wrong(f"{name} is {shown(value)}, and takes a mapping; write {name}: {{cert_file: …, key_file: …}}")


def _dict_of_text(name: str, option: Option, value: str) -> Mapping[str, Any]:
    text = value.strip(BLANKS)
    parsed = _structure(text)
    if isinstance(parsed, Mapping):
        return parsed
    pairs = _pairs(text)
    if pairs is None:
        raise Wrong(
            f"{name} is {_shown(option, value)}, and takes a mapping; write {name}: {_mapping_example(option)}, as "
            "text "
            f'{{"name": "value"}}'
        )
    return pairs


def _mapping_example(option: Option) -> str:
    return "{host: relay.example.com}" if "host" in (option.get("options") or {}) else "{name: value}"


def holds_secrets(option: Option) -> bool:
    """Whether a value, or a part of it, is not to be seen."""
    return bool(
        option.get("no_log") or any(one.get("no_log") for one in (option.get("options") or {}).values())
    )


def _shown(option: Option, value: Any) -> str:
    return "text (not shown)" if isinstance(value, str) and holds_secrets(option) else shown(value)


def _pairs(text: str) -> dict[str, str] | None:
    """The mapping that `name = value` writes, one a line or with commas between; None where that is ambiguous."""
    parts = text.splitlines() if "\n" in text else text.split(",") if text.count("=") > 1 else [text]
    found: dict[str, str] = {}
    for part in parts:
        if not part.strip(BLANKS):
            continue
        match = re.fullmatch(r"\s*([\w.@+-]+)\s*=\s*(.*?)\s*", part)
        if not match or match[1] in found or ("=" in match[2] and len(parts) > 1):
            return None
        found[match[1]] = match[2]
    # "a=b c=d" is one value with a blank in it, or two.
    if not found or any(re.search(r"\s[\w.]+=", one) for one in found.values()):
        return None
    return found


def _key(name: str, key: Any) -> str:
    if isinstance(key, bool) or key is None:
        raise Wrong(f"{name} has the key {json.dumps(key)}, which is not text; write it in quotation marks")
    return one_value(f"a key of {name}", str(key))


def _any_value(name: str, value: Any, fold: bool) -> Any:
    """A value in a free mapping: what has a meaning to Postfix, checked and otherwise as it is."""
    if isinstance(value, str):
        return one_value(name, value, fold)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [_any_value(f"{name}[{index}]", one, fold) for index, one in enumerate(value)]
    raise Wrong(f"{name} is {_kind(value)}, and takes one value or a list of them")


def _entry(name: str, options: Spec, value: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping whose keys are specified. What was left out stays out: whoever takes it knows the default."""
    result = Entry()

    def take(key: str) -> None:
        if key not in options:
            close = difflib.get_close_matches(key, list(options), 1)
            hint = f"did you mean {close[0]}?" if close else f"it has {listed(options)}"
            raise Wrong(f"{name} has no key {shown(key)}; {hint}")
        one, option = value.get(key), options[key]
        if not _is_empty(one, option) or (key == "content" and one is not None):
            result[key] = typed(f"{name}.{key}", option, one)
        elif option.get("required") and key != "content":
            raise Wrong(f"{name}.{key} is not set, and needed")

    unknown = [str(key) for key in value if key not in options]
    _each(partial(take, key) for key in (*unknown, *options))
    return result


def _raw(name: str, _option: Option, value: Any) -> Any:
    if isinstance(value, str):
        text = one_value(name, value)
        return _port(name, text) if name.endswith("_port") and text.lower() != "auto" else text
    if name.endswith("_port"):
        return int(_port(name, _int(name, _option, value)))
    if isinstance(value, Mapping):
        return {_key(name, key): _raw(f"{name}.{key}", {}, one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_raw(f"{name}[{index}]", {}, one) for index, one in enumerate(value)]
    return value


_TYPES: dict[str, Callable[[str, Option, Any], Any]] = {
    "str": _text,
    "path": _text,
    "bool": _bool,
    "int": _int,
    "float": _float,
    "list": _list,
    "dict": _dict,
    "raw": _raw,
}


# Secrets


def _secret(name: str, option: Option, value: Any) -> Any:
    """`value` as it is. No complaint about a secret shows any of it, nor how it differs from what is right."""
    if name == "postfix_submission_users":
        return _users(name, value)
    if option.get("type", "str") != "str":
        if not isinstance(value, (str, list, tuple)):
            raise Wrong(f"{name} is {_kind(value)}, and takes a list; {_list_example(name, 'str')}")
        for text in _leaves(value):
            if any(char in text for char in "\n\r\0"):
                raise Wrong(f"{name} holds a line break or a NUL character in one of its values; remove it")
        return value
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Wrong(f"{name} is {_kind(value)}, and takes text; write it in quotation marks")
    text = str(value)
    # One at its beginning stays: there the row has the user name.
    if text != text.rstrip(BLANKS):
        raise Wrong(
            f"{name} ends with a blank or a line break (not shown), and Postfix's password table cuts "
            "that off. If it is not part of the password, write it without: a file or `echo` ends in a line break "
            "that `printf` leaves out. If it is, have the password changed"
        )
    if any(char in text for char in "\n\r\0"):
        raise Wrong(
            f"{name} holds a line break or a NUL character (not shown), which no row of Postfix's password table can "
            "hold; is it the right secret?"
        )
    return text


def _users(name: str, value: Any) -> dict[str, str]:
    """Logins and hashes for a passwd-file of Dovecot's."""
    if isinstance(value, str):
        # As the role reads it.
        with contextlib.suppress(yaml.YAMLError):
            value = yaml.safe_load(value)
    if not isinstance(value, Mapping):
        what = "text (not shown)" if isinstance(value, str) else _kind(value)
        raise Wrong(
            f"{name} is {what}, and takes a mapping of logins to hashes of their passwords; write "
            f"{name}: {{joe: '{{SHA512-CRYPT}}$6$...'}}"
        )
    for login, one in value.items():
        flaw = login_flaw(_key(name, login))
        if flaw:
            raise Wrong(f"{name}: the login {shown(str(login))} {flaw}")
        flaw = (
            hash_flaw(one)
            if isinstance(one, str)
            else f"is {_kind(one)}, and takes the hash of a password; {HOW}"
        )
        if flaw:
            raise Wrong(f"{name}: what is given for {login} {flaw}")
    return {str(login): str(one) for login, one in value.items()}


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _leaves(key)
            yield from _leaves(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _leaves(one)
    elif isinstance(value, str):
        yield value


def public(spec: Spec, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that may be shown: no secret variable, no secret key of an entry, no content of an entry that is
    marked as sensitive, and no user name that is a secret as well."""
    masks = _masks(values)
    return {
        name: _shorn(
            masks.get(one, one) if LOGIN.search(name) else one, spec[name].get("options") or {}, masks
        )
        for name, one in values.items()
        if not spec[name].get("no_log")
    }


_SECRET = re.compile(r"(password|secret|token)\Z")


def _masks(values: Mapping[str, Any]) -> dict[Any, str]:
    """What is shown of user names that are a secret too, as with services that take one token as both.

    Each has another mask, since two logins at one relay are not one.
    """
    levels = [values, *(values.get("postfix_relays") or ())]
    found = [
        (str(name), one) for level in levels for name, one in level.items() if one and isinstance(one, str)
    ]
    secret = {one for name, one in found if _SECRET.search(name)}
    told = dict.fromkeys(one for name, one in found if name.endswith("username") and one in secret)
    return {user: MASK if not index else f"{MASK}{index + 1}" for index, user in enumerate(told)}


def _shorn(value: Any, options: Spec, masks: Mapping[Any, str]) -> Any:
    if not isinstance(value, list):
        return value
    secret = {key for key, option in options.items() if option.get("no_log")}
    return [
        {
            key: masks.get(part, part) if key == "username" else part
            for key, part in one.items()
            if key not in secret and not (key == "content" and one.get("sensitive"))
        }
        if isinstance(one, dict)
        else one
        for one in value
    ]


# Names


class NearMiss(NamedTuple):
    """A variable that no role knows, and the one that was probably meant."""

    name: str
    meant: str


# What other roles and programs call it.
OTHER_NAMES = {
    "postfix_relay": "postfix_relay_host",
    "postfix_relayhost": "postfix_relay_host",
    "postfix_relay_hostname": "postfix_relay_host",
    "postfix_relay_server": "postfix_relay_host",
    "postfix_smarthost": "postfix_relay_host",
    "postfix_smart_host": "postfix_relay_host",
    "postfix_smtp_host": "postfix_relay_host",
    "postfix_smtp_relay": "postfix_relay_host",
    "postfix_smtp_relay_host": "postfix_relay_host",
    "postfix_smtp_server": "postfix_relay_host",
    "postfix_relayhost_port": "postfix_relay_port",
    "postfix_smtp_port": "postfix_relay_port",
    "postfix_smtp_relay_port": "postfix_relay_port",
    "postfix_relay_login": "postfix_relay_username",
    "postfix_relay_user": "postfix_relay_username",
    "postfix_relay_user_name": "postfix_relay_username",
    "postfix_relayhost_username": "postfix_relay_username",
    "postfix_sasl_user": "postfix_relay_username",
    "postfix_sasl_username": "postfix_relay_username",
    "postfix_smtp_user": "postfix_relay_username",
    "postfix_smtp_username": "postfix_relay_username",
    "postfix_smtp_relay_user": "postfix_relay_username",
    "postfix_smtp_relay_username": "postfix_relay_username",
    "postfix_relay_pass": "postfix_relay_password",
    "postfix_relay_passwd": "postfix_relay_password",
    "postfix_relayhost_password": "postfix_relay_password",
    "postfix_sasl_password": "postfix_relay_password",
    "postfix_smtp_password": "postfix_relay_password",
    "postfix_smtp_relay_password": "postfix_relay_password",
    "postfix_hostname": "postfix_myhostname",
    "postfix_networks": "postfix_mynetworks",
    "postfix_origin": "postfix_myorigin",
    "postfix_destination": "postfix_mydestination",
    "postfix_destinations": "postfix_mydestination",
    "postfix_interfaces": "postfix_inet_interfaces",
    "postfix_main_cf": "postfix_parameters",
    "postfix_config": "postfix_parameters",
    "postfix_master_cf": "postfix_services",
}
SIMILAR = 0.87


def near_misses(names: Sequence[str], known: Sequence[str], prefixes: Sequence[str]) -> list[NearMiss]:
    """The variables among `names` that look like a known one and are none. An internal one (two `_`) is left alone."""
    found = []
    for name in sorted(set(names) - set(known)):
        prefix = next((one for one in prefixes if name.lower().startswith(one)), None)
        if prefix is None or "__" in name:
            continue
        meant = _meant(name, known)
        if meant:
            found.append(NearMiss(name, meant))
    return found


def _meant(name: str, known: Sequence[str]) -> str | None:
    if OTHER_NAMES.get(name.lower()) in known:
        return OTHER_NAMES[name.lower()]
    same = [one for one in known if _bare(one) == _bare(name)]
    close = same or difflib.get_close_matches(name.lower(), known, 1, SIMILAR)
    return close[0] if close else None


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower()).removesuffix("s")


# Each role's variables begin with its name; the last two take those of the first as their defaults.
def prefixes(role: str) -> tuple[str, ...]:
    """How the names begin that a user of this role may have meant."""
    return tuple(dict.fromkeys((f"{role}_", "postfix_")))


# One of these names the relay.
RELAY = ("postfix_relays", "postfix_relay_host", "postfix_relay_provider")


def needs(
    role: str, values: Mapping[str, Any], complaints: Sequence[str], misses: Sequence[NearMiss]
) -> list[str]:
    """What is missing or contradicts itself in variables that are right one by one."""
    found = [
        *_relay_needed(role, values, complaints, misses),
        *_login_needed(values, complaints),
        *_beside_a_list(values),
        *_certificate_needed(values),
        *_contradictions(values),
        *(_maps(values) if role == "postfix" else []),
        *(_submission(values, complaints) if role == "postfix" else []),
        *_rewritten(values),
        *_logins(values, complaints),
        *_ignored(values),
    ]
    if not any(
        re.match(r"postfix_relays|(postfix|verify)_relay_(host|ports?|provider|region)\b", one)
        for one in (*complaints, *found)
    ):
        try:
            if role == "postfix":
                route(values)
            elif role == "verify":
                expected_relay(values)
                expected_relays(values)
        except (Wrong, OptionError) as error:
            found.append(str(error))
    return found


def _relay_needed(
    role: str, values: Mapping[str, Any], complaints: Sequence[str], misses: Sequence[NearMiss]
) -> list[str]:
    direct = values.get("postfix_direct")
    if any(values.get(name) for name in RELAY) or (direct and role != "preflight"):
        return []
    if role == "preflight":
        named = any(
            not isinstance(one, Mapping) or any(one.values()) for one in values.get("preflight_relays") or ()
        )
    else:
        named = role == "verify"
    if named or any(one.startswith((*RELAY, "preflight_relays")) for one in complaints):
        return []
    if direct:
        return [
            "postfix_direct is true, so this host has no relay to probe; to see whether port 25 is open to it, set "
            "preflight_relays to a server that takes mail of another domain, as [mx.example.net:25]; or leave this "
            "host out of preflight"
        ]
    meant = [miss for miss in misses if miss.meant in RELAY]
    if meant:
        return [f"no relay is named; {pointed_out(miss)}" for miss in meant]
    if role == "preflight":
        return [
            "no relay is named; set preflight_relays to its host name, or postfix_relay_host, or "
            "postfix_relay_provider to a service of the catalogue such as amazon_ses"
        ]
    return [
        "no relay is named; set postfix_relay_host to its host name, or postfix_relay_provider to a service of the "
        "catalogue such as amazon_ses, or postfix_relays to several; or set postfix_direct: true if this host is to "
        "send its mail straight to the hosts of its recipients"
    ]


# What an entry of postfix_relays has of its own, and what is the default of all entries.
OF_ONE_RELAY = (
    "host", "provider", "region", "alternates", "port", "username", "password", "oauth_refresh_token"
)  # fmt: skip


def _beside_a_list(values: Mapping[str, Any]) -> list[str]:
    """What names a relay twice, and what a list of relays says nothing about."""
    entries = values.get("postfix_relays")
    if not entries:
        return []
    twice = [
        f"postfix_relay_{key}"
        for key in OF_ONE_RELAY
        if values.get(f"postfix_relay_{key}") not in (None, "", "auto", False)
    ]
    found = [
        f"{name} is set beside postfix_relays, which names the relays; put it into the entry that it belongs to, as "
        f"{name.removeprefix('postfix_relay_')}, or leave one of the two out, as an empty value on this host does"
        for name in twice
    ]
    everybody = [one for one in entries if not one.get("senders") and not one.get("recipients")]
    if not everybody and not values.get("postfix_direct"):
        found.append(
            "postfix_relays has relays for some senders or recipients alone, and says nothing about other mail; add an "
            "entry without senders and recipients, or set postfix_direct: true if other mail is to go straight to the "
            "hosts of its recipients"
        )
    parameters = values.get("postfix_parameters") or {}
    for key, name in (
        ("senders", "sender_dependent_default_transport_maps"),
        ("recipients", "transport_maps"),
    ):
        if name in parameters and any(one.get(key) for one in entries):
            found.append(
                f"postfix_parameters.{name} is {shown(parameters[name])}, and postfix_relays with {key} is written "
                "there as well; leave it out: what this host has in it stays, after the rows of postfix_relays"
            )
    return found


# Parameters that say where all mail goes which is not for this host.
NEXT_HOP = ("relayhost", "default_transport")


def _contradictions(values: Mapping[str, Any]) -> list[str]:
    """Two variables that want the opposite of each other."""
    return [*_past_the_relay(values), *_ports_taken_away(values)]


def _ports_taken_away(values: Mapping[str, Any]) -> Iterator[str]:
    ports = {str(port) for port in values.get("postfix_submission_ports") or ()}
    for index, one in enumerate(values.get("postfix_services") or ()):
        service = str(one.get("service"))
        if one.get("state") == "absent" and one.get("type") == "inet" and service in ports:
            yield (
                f"postfix_services[{index}] takes the service {service} away, and postfix_submission_ports lists it; "
                "leave one of the two out"
            )


def _past_the_relay(values: Mapping[str, Any]) -> list[str]:
    """What would send mail past the relay that was named, and so past the one that was probed."""
    relay = next((name for name in RELAY if values.get(name)), None)
    if relay == "postfix_relays":
        for_all = any(not one.get("senders") and not one.get("recipients") for one in values[relay])
        relay = relay if for_all else None
    direct = values.get("postfix_direct")
    if relay and direct:
        return [
            f"postfix_direct is true, which sends mail past every relay, and {relay} names one "
            f"({shown(values[relay])}); leave one of the two out"
        ]
    parameters = values.get("postfix_parameters") or {}
    if relay:
        return [
            f"postfix_parameters.{name} is {shown(parameters[name])} and contradicts {relay}, "
            f"{shown(values[relay])}: mail would go past the relay that is probed; leave {name} out, or name the relay "
            f"that is meant in {relay}"
            for name in NEXT_HOP
            if name in parameters
        ]
    if direct and parameters.get("relayhost"):
        return [
            f"postfix_parameters.relayhost is {shown(parameters['relayhost'])} and contradicts postfix_direct, true; "
            "leave one of the two out, or name the relay in postfix_relay_host"
        ]
    return []


# Files of role postfix, and the variables with which it writes them.
OWN_FILES = {
    "tls_policy": RELAY,
    "mailops_tls_policy": RELAY,
    "sasl_passwd": ("postfix_relay_username", "postfix_relays"),
    "mailops_sasl_passwd": ("postfix_relay_username", "postfix_relays"),
    SENDER_TRANSPORTS: ("postfix_relays",),
    RECIPIENT_TRANSPORTS: ("postfix_relays",),
    "mailops_aliases": ("postfix_aliases", "postfix_root_alias"),
    submission.SENDERS: ("postfix_submission_senders",),
    submission.SELF_SIGNED: ("postfix_submission_self_signed",),
}


def _maps(values: Mapping[str, Any]) -> list[str]:
    """What is wrong with files of postfix_maps beside each other, and beside those of the role."""
    found, seen = [], {}
    for index, entry in enumerate(values.get("postfix_maps") or ()):
        name, path = f"postfix_maps[{index}]", posixpath.normpath(entry["path"])
        if entry.get("content") is None and entry.get("state") != "absent" and not entry.get("self_signed"):
            found.append(
                f"{name}.content is not set, and needed for {path}; set it, or state: absent to remove the file"
            )
        if path in seen:
            found.append(f"{name}.path is {path}, as {seen[path]}.path is; write the file once")
        cause = next((one for one in OWN_FILES.get(path, ()) if values.get(one)), None)
        if cause:
            found.append(
                f"{name}.path is {path}, a file that the role writes because {cause} is set; use another name"
            )
        seen.setdefault(path, name)
    return found


# Names of this host in addresses that no relay takes. Postfix puts the parameters in.
_OWN_NAMES = ("$myhostname", "$myorigin", "localhost.$mydomain", "localhost.localdomain", "localhost")


def generic(values: Mapping[str, Any]) -> str:
    """The table of generic(5) that postfix_generic and postfix_sender_domain ask for; empty for none.

    Of two rows with one key Postfix takes the last.
    """
    rows = {str(key): str(value) for key, value in (values.get("postfix_generic") or {}).items()}
    rows = {key.replace("$", "$$"): value.replace("$", "$$") for key, value in rows.items()}
    if values.get("postfix_sender_domain"):
        rows = {**{f"@{name}": f"@{values['postfix_sender_domain']}" for name in _OWN_NAMES}, **rows}
    written = ", ".join(f"{{{key} = {value}}}" for key, value in rows.items())
    return f"inline:{{ {written} }}" if rows else ""


def _rewritten(values: Mapping[str, Any]) -> list[str]:
    """What is wrong with addresses that are rewritten, and with root's mail."""
    found = []
    for key, value in (values.get("postfix_generic") or {}).items():
        name, both = f"postfix_generic.{key}", (str(key), str(value))
        if any(re.search(r"[\s,{}=]", text) for text in both):
            found.append(
                f"{name} is {shown(value)}, and takes one address on each side; write such a row into a table "
                "of postfix_maps, and name that in postfix_parameters.smtp_generic_maps"
            )
        elif not re.fullmatch(r"[^@]*@[^@]+\.[^@]+", str(value)):
            found.append(
                f"{name} is {shown(value)}, and takes the address that the relay is to see, or @domain; write "
                f"one such as ops@example.com"
            )
    if values.get("postfix_root_alias") and "root" in (values.get("postfix_aliases") or {}):
        found.append(
            "postfix_root_alias and postfix_aliases.root both say where root's mail goes; leave one out"
        )
    parameters = values.get("postfix_parameters") or {}
    cause = next((name for name in ("postfix_sender_domain", "postfix_generic") if values.get(name)), None)
    if cause and "smtp_generic_maps" in parameters:
        found.append(
            f"postfix_parameters.smtp_generic_maps is {shown(parameters['smtp_generic_maps'])}, and {cause} is written "
            "there as well; put the rows of its table into postfix_generic, or leave "
            f"{cause} out"
        )
    return found


def _logins(values: Mapping[str, Any], complaints: Sequence[str]) -> list[str]:
    """What is wrong with who may submit mail."""
    mode, users = "postfix_submission_dovecot", "postfix_submission_users"
    if (
        values.get(mode) == "users"
        and not values.get(users)
        and not any(one.startswith(users) for one in complaints)
    ):
        return [
            f"{mode} is users, and {users} is empty, so nobody could log in; name users, or write pam or existing"
        ]
    if values.get(mode) == "none" and values.get(users):
        return [
            f"{mode} is none, which touches no Dovecot, and {users} names users for it; leave one of the two out"
        ]
    return []


def _ignored(values: Mapping[str, Any]) -> list[str]:
    """What is wrong with the checks to turn off."""
    try:
        ignored_checks(values.get("postfix_ignore_checks") or {})
    except ValueError as error:
        return [f"postfix_ignore_checks: {error}"]
    return []


# A path that may stand in an option of master.cf and in a table.
_PATH = re.compile(r"/[^\s,{}$=]+\Z")
_SOCKET = re.compile(
    r"(unix:)?(?!.*\.\.(/|\Z))[\w-][\w./-]*\Z|inet:(\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d+\Z", re.ASCII
)


def _submission(values: Mapping[str, Any], complaints: Sequence[str]) -> Iterator[str]:
    """What is missing or wrong in what users are offered. A host without ports may have the rest from its group."""
    ports, prefix = values.get("postfix_submission_ports"), "postfix_submission_"
    if not ports or any(one.startswith((prefix, f"a key of {prefix}")) for one in complaints):
        return
    if 25 in ports:
        yield (
            f"{prefix}ports holds 25, where other mail servers deliver, and which answers without it; take it out, or "
            "write 587, 465 or 2525"
        )
    certificate, key = values[f"{prefix}cert_file"], values[f"{prefix}key_file"]
    if values[f"{prefix}self_signed"] and certificate:
        yield (
            f"{prefix}self_signed is true, and {prefix}cert_file names another certificate, {shown(certificate)}; "
            "leave one of the two out"
        )
    elif key and not certificate:
        yield f"{prefix}key_file is set and {prefix}cert_file is empty; name the certificate that the key belongs to"
    elif not certificate and not values[f"{prefix}self_signed"]:
        yield (
            f"{prefix}ports is set, and no certificate is named, without which no password could be sent in safety; set"
            f" {prefix}cert_file (and {prefix}key_file) to files on the host, or {prefix}self_signed: true if a "
            "certificate that no client trusts of itself is enough"
        )
    paths = {f"{prefix}cert_file": certificate, f"{prefix}key_file": key}
    for name, one in values[f"{prefix}sni"].items():
        paths.update({f"{prefix}sni.{name}.{part}": path for part, path in one.items()})
        if "." not in name or not is_host_name(name):
            yield f"a key of {prefix}sni is {shown(name)}, and takes the full name that clients connect to"
    for name, path in paths.items():
        if path and not _PATH.match(path):
            yield (
                f"{name} is {shown(path)}, and takes the full path of a file on the host, without blanks, commas, = or "
                "braces"
            )
    socket = values[f"{prefix}auth_socket"]
    if not _SOCKET.match(socket):
        yield (
            f"{prefix}auth_socket is {shown(socket)}, and takes a path below Postfix's queue directory, such as "
            "private/auth, or inet:host:port"
        )
    for index, service in enumerate(values[f"{prefix}policy_services"]):
        if not (":" in service and _SOCKET.match(service)):
            yield (
                f"{prefix}policy_services[{index}] is {shown(service)}, and takes the socket of a policy server, as "
                "unix:path (below Postfix's queue directory) or inet:host:port"
            )
    yield from _senders(values[f"{prefix}senders"])
    users = values[f"{prefix}users"]
    if users and values[f"{prefix}dovecot"] in ("", "users"):
        unknown = [str(login) for login in values[f"{prefix}senders"] if str(login) not in users]
        if unknown:
            yield (
                f"{prefix}senders names {listed(unknown)}, and {prefix}users does not, so nobody can log in so; name "
                "the same logins in both"
            )


def _senders(senders: Mapping[str, Any]) -> Iterator[str]:
    for login, value in senders.items():
        name = f"postfix_submission_senders.{login}"
        if re.search(r"[\s,{}]", str(login)) or str(login).startswith("#"):
            yield f"a key of postfix_submission_senders is {shown(login)}, and takes a login, without blanks or commas"
        for one in submission.addresses(value or []):
            local, separator, domain = one.rpartition("@")
            if (
                not separator
                or (local and not _LOCAL_PART.match(local))
                or not all(map(is_label, domain.split(".")))
            ):
                yield (
                    f"{name} holds {shown(one)}, and takes the addresses that this login may send as, each as "
                    "local@domain, or @domain for all of a domain"
                )


def _certificate_needed(values: Mapping[str, Any]) -> list[str]:
    certificate, key = "postfix_relay_cert_file", "postfix_relay_key_file"
    if values.get(key) and not values.get(certificate) and certificate in values:
        return [f"{key} is set and {certificate} is empty; name the certificate that the key belongs to"]
    return []


def _login_needed(values: Mapping[str, Any], complaints: Sequence[str]) -> list[str]:
    user, password = "postfix_relay_username", "postfix_relay_password"
    if values.get("postfix_relays"):
        return _tokens_needed(values, complaints)
    if values.get("postfix_relay_auth") == "none" or any(
        one.startswith((user, password)) for one in complaints
    ):
        return []
    auth, token = "postfix_relay_auth", "postfix_relay_oauth_refresh_token"
    if values.get(auth) == "xoauth2":
        keys = ("username", "oauth_refresh_token", *OF_AN_APPLICATION)
        names = {key: f"postfix_relay_{key}" for key in keys if f"postfix_relay_{key}" in values}
        return _token_needed({key: (name, values[name]) for key, name in names.items()}, auth, complaints)
    if values.get(token) and values.get(user) and not values.get(password):
        return _without_mechanism(token, auth)
    if values.get(user) and not values.get(password) and password in values:
        return [f"{user} is set and {password} is empty; set both for a login, or neither"]
    if values.get(password) and not values.get(user) and user in values:
        return [f"{password} is set and {user} is empty; set both for a login, or neither"]
    return []


# What an entry of a list of relays may leave to a variable of the role: one application has many accounts.
OF_AN_APPLICATION = ("oauth_client_id", "oauth_client_secret", "oauth_endpoint")


def _tokens_needed(values: Mapping[str, Any], complaints: Sequence[str]) -> list[str]:
    found = []
    for index, entry in enumerate(values["postfix_relays"]):
        auth, prefix = "postfix_relay_auth", f"postfix_relays[{getattr(entry, 'place', index)}]."
        if entry.get("direct"):
            continue
        own = {key: (f"{prefix}{key}", entry.get(key)) for key in ("username", "oauth_refresh_token")}
        for key in OF_AN_APPLICATION:
            name = f"postfix_relay_{key}"
            # Of variables that a role does not know nothing is said.
            if entry.get(key) or name in values:
                own[key] = (f"{prefix}{key}", entry[key]) if entry.get(key) else (name, values[name])
        mechanism = entry.get("auth") or values.get(auth)
        if mechanism == "xoauth2":
            found += _token_needed(own, f"{prefix}auth" if entry.get("auth") else auth, complaints)
        elif mechanism != "none" and entry.get("oauth_refresh_token") and not entry.get("password"):
            found += _without_mechanism(f"{prefix}oauth_refresh_token", f"{prefix}auth")
    # What is wrong for all of them is said once.
    return list(dict.fromkeys(found))


def _without_mechanism(token: str, auth: str) -> list[str]:
    return [
        f"{token} is set, and {auth} is not xoauth2, so it would not be used; set {auth}: xoauth2, or leave it out"
    ]


def _token_needed(given: Mapping[str, tuple[str, Any]], auth: str, complaints: Sequence[str]) -> list[str]:
    """What Postfix's plugin needs to get access tokens; `given` has the user's name of each and its value."""
    name, endpoint = given.get("oauth_endpoint", ("", ""))
    if endpoint and not re.match(r"https://[^\s/]+/\S*\Z", endpoint):
        return [
            f"{name} is {shown(endpoint)}, and takes the https URL of a token endpoint, such as "
            "https://oauth2.googleapis.com/token"
        ]
    keys = ("username", "oauth_client_id", "oauth_refresh_token", "oauth_endpoint")
    needed = [given[key][0] for key in keys if key in given and not given[key][1]]
    if not needed or any(one.startswith(tuple(needed)) for one in complaints):
        return []
    return [
        f"{auth} is xoauth2, and {listed(needed, 'and')} {'is' if len(needed) == 1 else 'are'} empty: "
        "Postfix gets the access tokens itself, which last an hour or so, and needs all of these; set them, or log in "
        "with an application password by another mechanism where the relay has that"
    ]


# The user's names for the keys of an entry of the list, where smtp_route_facts has others.
NAMES_OF_A_LIST = {
    "relays": "postfix_relays",
    "ports": "postfix_relay_ports",
    "port": "postfix_relay_port",
    "relays.auth_mechanism": "auth",
    "relays.security_level": "tls",
    "relays.ca_path": "ca_file",
    "relays.client_cert": "cert_file",
    "relays.client_key": "key_file",
}


def relays(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The relays that variables of role postfix name, in the terms of smtp_route_facts, without a secret."""
    masks = _masks(values)
    common = {
        "security_level": values.get("postfix_relay_tls") or "secure",
        "auth_mechanism": values.get("postfix_relay_auth") or "auto",
    }
    entries = values.get("postfix_relays")
    if entries:
        places = [getattr(entry, "place", index) for index, entry in enumerate(entries)]
        found = [
            {"name": f"postfix_relays[{place}]", **_relay(entry, common)}
            for place, entry in zip(places, entries)
        ]
    else:
        keys = ("host", "provider", "region", "alternates", "username")
        found = [{**{key: values.get(f"postfix_relay_{key}") or "" for key in keys}, **common}]
    return [
        {key: masks.get(value, value) if key == "username" else value for key, value in one.items()}
        for one in found
    ]


# What an entry says of its login is for Postfix, or goes another way to the probe.
_OF_POSTFIX = ("password", "oauth_refresh_token", *OF_AN_APPLICATION)


def same_logins(values: Mapping[str, Any]) -> list[int]:
    """For each relay that variables of role postfix name, the place of the first one that has the same login."""
    logins = [
        [one.get(key) or values.get(f"postfix_relay_{key}") or "" for key in ("username", *_OF_POSTFIX)]
        for one in values.get("postfix_relays") or [{}]
    ]
    return [logins.index(one) for one in logins]


def _relay(entry: Mapping[str, Any], common: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        own: name.removeprefix("relays.")
        for name, own in NAMES_OF_A_LIST.items()
        if name.startswith("relays.")
    }
    own = {
        names.get(key, key): value for key, value in entry.items() if key not in _OF_POSTFIX and value != ""
    }
    return own if own.get("direct") else {**common, "required": True, **own}


def route(values: Mapping[str, Any]) -> dict[str, Any]:
    """Where role postfix has mail go without a probe, in the terms of smtp_route_facts; empty where that chooses.

    Relays are understood as they are where the route is chosen. Raises Wrong and OptionError.
    """
    if not any(values.get(name) for name in RELAY):
        return {}
    listed_ = bool(values.get("postfix_relays"))
    single = {
        "relays": "postfix_relay_*",
        "ports": "postfix_relay_ports",
        "port": "postfix_relay_port",
    }
    asked = {
        "relays": [] if listed_ else [_named_relay(values)],
        "ports": values.get("postfix_relay_ports"),
        "port": values.get("postfix_relay_port"),
        "option_names": NAMES_OF_A_LIST if listed_ else single,
    }
    if listed_:
        asked["relays"] = _with_passwords(values)
    elif values.get("postfix_preflight") is not False:
        return {}
    found = unprobed(asked)
    if found and listed_:
        # What contradicts itself on any host need not wait until one is configured.
        try:
            ways(found, relays(values), logins=same_logins(values))
        except WaysError as error:
            raise Wrong(str(error)) from None
    if values.get("postfix_preflight") is not False:
        return {}
    if found is None:
        where = "port of each entry of postfix_relays" if listed_ else "postfix_relay_port"
        now = "" if listed_ else f" (now {values.get('postfix_relay_port', 'auto')})"
        raise Wrong(
            f"postfix_preflight is false, so nothing chooses the port; set a number in {where}{now}, for example 587, "
            f"or write it in {'host' if listed_ else 'postfix_relay_host'}, or set postfix_preflight to true"
        )
    # What nobody asks the host for, the variables tell.
    return {**found, "family": "ipv6"} if values.get("postfix_inet_protocols") == "ipv6" else found


def _with_passwords(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """As relays(), with what only a check of them needs."""
    secret = [{"password": one.get("password")} for one in values["postfix_relays"]]
    return [{**one, **own} for one, own in zip(relays(values), secret)]


def expected_relays(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What role verify expects of each entry of a list of relays. Raises OptionError."""
    if not values.get("postfix_relays"):
        return []
    found = enumerate(parse_relays(_with_passwords(values), "postfix_relays", names=NAMES_OF_A_LIST))
    level = values.get("postfix_relay_tls") or "secure"
    return [
        {
            "relay": place,
            "name": one.name,
            "host": one.host,
            "tls": one.security_level or level,
            "login": bool(one.credentials),
            "senders": list(one.senders),
            "recipients": list(one.recipients),
            "direct": one.direct,
            "required": one.is_required,
        }
        for place, one in found
    ]


def _named_relay(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: values.get(f"postfix_relay_{key}") for key in ("host", "provider", "region")}


def expected_relay(values: Mapping[str, Any]) -> dict[str, Any]:
    """What role verify expects of the relay's host and port, each by itself. Raises Wrong and OptionError."""
    given, port = values.get("verify_relay_host"), values.get("verify_relay_port")
    if not given:
        return {}
    named = named_host(given, "verify_relay_host")
    if named.port and port and named.port != port:
        raise Wrong(
            f"verify_relay_host is {shown(given)}, which holds the port {named.port}, and verify_relay_port is {port}; "
            f"write {named.host} alone in verify_relay_host, or the same port in both"
        )
    return {"verify_relay_host": named.host, "verify_relay_port": port or named.port or 0}


def pointed_out(miss: NearMiss) -> str:
    """A sentence about a variable that no role knows."""
    return f"{miss.name} is set, and is not a variable of these roles; did you mean {miss.meant}?"


# Templates


def explain(name: str, error: str, secret: bool) -> str:
    """The sentence about a variable whose template failed with `error`."""
    missing = _missing(error)
    if missing:
        return (
            f"{name} refers to {missing}, which is not defined; define it (is the file of variables or the vault that "
            f"holds it loaded for this host?), or leave {name} out"
        )
    if "vault" in error.lower() and re.search(r"decrypt|secret|password", error, re.IGNORECASE):
        return (
            f"{name} is encrypted, and cannot be decrypted here; give the vault's password "
            "(--ask-vault-pass or --vault-password-file)"
        )
    said = "" if secret else f": {shown(_first_line(error), 300)}"
    return f"{name} cannot be computed, its template fails{said}; correct its template"


def _missing(error: str) -> str | None:
    for pattern in (
        r"'([^']+)' is undefined",
        r"has no attribute '([^']+)'",
        r"has no element (\S+)",
    ):
        match = re.search(pattern, error)
        if match:
            return match[1].rstrip(".,")
    return None


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


# Words


def shown(value: Any, longest: int = LONGEST) -> str:
    """A value as it may stand in a sentence: on one line, and not too long."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    if isinstance(value, (Mapping, list, tuple, set, frozenset)):
        return _kind(value)
    text = repr(str(value)) if isinstance(value, str) else str(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…{text[0]}"


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple, set, frozenset)):
        return "a list"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, (int, float)):
        return "a number"
    return f"of the type {type(value).__name__}"
