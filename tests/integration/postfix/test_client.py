"""The probe gives itself to a relay as the real Postfix of its host does: name, sender and address."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import shlex
import subprocess
from typing import Any, Iterator, NamedTuple

import pytest
from hosts import COLLECTION, Host, missing

PORT = 2626
SEEN = "/run/recorder"
OUTSIDE, OUTSIDE6 = "192.0.2.7", "2001:db8::7"
# Postfix as far as it matters here; each case adds to it. Names come from /etc/hosts, as there is no network.
BASE = f"""compatibility_level = 3.6
relayhost = [relay.test]:{PORT}
smtp_host_lookup = native
mydestination =
queue_directory = /var/spool/postfix
maillog_file = /var/log/postfix.log
smtp_tls_security_level = none
"""
HOSTS = "127.0.0.1 localhost\n127.0.1.1 me.example.net me\n"
TO_IPV4, TO_BOTH = "127.0.0.1 relay.test\n", "127.0.0.1 relay.test\n::1 relay.test\n"


class Case(NamedTuple):
    main: str
    hostname: str = "me.example.net"
    hosts: str = HOSTS + TO_IPV4
    master: str = ""
    files: tuple[tuple[str, str], ...] = ()
    sender: str = "root"


CASES = {
    "nothing is said": Case(""),
    "a host without a domain": Case("", "me"),
    "a host without a domain, mydomain": Case("mydomain = example.org", "me"),
    "upper case": Case("", "ME.Example.NET"),
    "myhostname": Case("myhostname = mail.example.org"),
    "myhostname without a domain": Case("myhostname = mail"),
    "myhostname from mydomain": Case("mydomain = example.org\nmyhostname = mail.$mydomain"),
    "the last one wins": Case("myhostname = a.example.org\nmyhostname = b.example.org"),
    "a continued line": Case("myhostname =\n  # comment\n  mail.example.org"),
    "a parameter of one's own": Case("site = example.org\nmyhostname = mail.${site}"),
    "a condition": Case("site = x\nmyhostname = ${site?mail.example.org}"),
    "smtp_helo_name": Case("smtp_helo_name = out.example.org"),
    "smtp_helo_name for one service": Case("", master="-o smtp_helo_name=only.example.org"),
    "an address literal": Case("smtp_helo_name = [127.0.0.1]"),
    "myorigin": Case("myorigin = $mydomain"),
    "myorigin in a file": Case("myorigin = /etc/mailname", files=(("/etc/mailname", "mail.example.org\nmore\n"),)),
    "a sender with a domain": Case("", sender="a@b.example"),
    "append_dot_mydomain": Case("append_dot_mydomain = yes\nmydomain = example.org", sender="a@b"),
    "smtp_generic_maps": Case(
        "smtp_generic_maps = texthash:/etc/postfix/generic",
        files=(("/etc/postfix/generic", "root@me.example.net ops@example.org\n"),),
    ),
    "smtp_generic_maps by the local part": Case("smtp_generic_maps = inline:{root=ops@example.org}"),
    "smtp_generic_maps with a key twice": Case("smtp_generic_maps = inline:{ {root=a@example.org}, {root=b@example.org} }"),
    "smtp_generic_maps by the names of the host": Case(
        "smtp_generic_maps = inline:{ {@$myhostname = @example.org}, {@localhost = @example.org} }"
    ),
    "smtp_generic_maps by the domain": Case("smtp_generic_maps = inline:{ {@me.example.net=@example.org} }"),
    "smtp_generic_maps by a pattern": Case(
        "smtp_generic_maps = regexp:/etc/postfix/generic.re",
        files=(("/etc/postfix/generic.re", "/^root@.*/ pattern@example.org\n"),),
    ),
    "canonical_maps, then smtp_generic_maps": Case(
        "canonical_maps = inline:{root=admin}\nsmtp_generic_maps = inline:{admin=ops@example.org}"
    ),
    "sender_canonical_maps": Case("sender_canonical_maps = inline:{root=admin@example.org}"),
    "canonical for headers alone": Case("canonical_maps = inline:{root=x@y.example}\ncanonical_classes = header_sender"),
    "masquerade_domains": Case("masquerade_domains = example.net"),
    "masquerade_exceptions": Case("masquerade_domains = example.net\nmasquerade_exceptions = root"),
    "smtp_bind_address": Case("smtp_bind_address = 127.0.0.9"),
    "smtp_bind_address for one service": Case("", master="-o smtp_bind_address=127.0.0.10"),
    "smtp_bind_address that is not there": Case("smtp_bind_address = 198.51.100.1"),
    "one address in inet_interfaces": Case(f"inet_interfaces = {OUTSIDE}"),
    "one address by its name": Case("inet_interfaces = out.test", hosts=f"{HOSTS}{TO_IPV4}{OUTSIDE} out.test\n"),
    "two addresses in inet_interfaces": Case(f"inet_interfaces = {OUTSIDE}, 127.0.0.1"),
    "loopback-only": Case("inet_interfaces = loopback-only"),
    "IPv4 alone": Case("inet_protocols = ipv4", hosts=HOSTS + TO_BOTH),
    "IPv6 alone": Case("inet_protocols = ipv6", hosts=HOSTS + TO_BOTH),
    "IPv6 and its own address": Case(
        f"inet_protocols = ipv6\nsmtp_bind_address6 = {OUTSIDE6}", hosts=HOSTS + TO_BOTH
    ),
}  # fmt: skip


HOSTS_OF = ("bookworm", "trixie")
# Neighbours are of one kind, so each release has its share of each kind.
EACH = pytest.mark.parametrize(
    ("known", "name"), [(HOSTS_OF[number % 2], name) for number, name in enumerate(CASES)], indirect=["known"]
)


@pytest.fixture(scope="module")
def known(request: pytest.FixtureRequest) -> Iterator[Host]:
    """A host with two addresses beside those of loopback, and a relay that keeps what it is told."""
    if missing():
        pytest.fail(missing())
    one = Host(request.param)
    try:
        from_outside(one, "-n", "ip", "address", "add", f"{OUTSIDE}/32", "dev", "lo")
        from_outside(one, "-n", "ip", "address", "add", f"{OUTSIDE6}/128", "dev", "lo", "nodad")
        # systemd may still be about to start it.
        one.run("systemctl stop postfix 'postfix@*' || true")
        recorder = f"{COLLECTION}/tests/integration/postfix/recorder.py"
        one.run(f"systemd-run -q --unit=recorder python3 {recorder} {PORT} {SEEN}")
        one.run("cp /etc/postfix/master.cf /root/master.cf")
        yield one
    finally:
        one.destroy()


def from_outside(host: Host, namespace: str, *command: str) -> None:
    """Run a program in one of the host's namespaces: its own root may not."""
    subprocess.run(["nsenter", "-t", str(host.pid), namespace, *command], check=True)


def sessions(host: Host) -> list[dict[str, Any]]:
    """What the relay has seen since it was last asked."""
    wait = f"for _try in $(seq 200); do [ -s {SEEN} ] && break; sleep 0.1; done; cat {SEEN}; rm -f {SEEN}"
    text = host.run(wait, check=False).stdout
    return [json.loads(line) for line in text.splitlines()]


def arrange(host: Host, case: Case) -> None:
    from_outside(host, "-u", "hostname", case.hostname)
    # podman mounts hosts, so that it is written and not replaced.
    files = [("/etc/hosts", case.hosts), ("/etc/postfix/main.cf", f"{BASE}{case.main}\n"), *case.files]
    service = f"smtp/unix=smtp unix - - n - - smtp {case.master}"
    script = [
        "set -e; postfix stop 2>/dev/null || true",
        "rm -rf /var/spool/postfix/{maildrop,incoming,active,deferred}/*",
        *(f"printf %s {shlex.quote(text)} > {path}" for path, text in files),
        "cp /root/master.cf /etc/postfix/master.cf",
        f"postconf -M {shlex.quote(service)}",
        f"postfix start; rm -f {SEEN}",
    ]
    host.run("\n".join(script))


@EACH
def test_the_probe_gives_itself_as_postfix_does(known: Host, name: str) -> None:
    case = CASES[name]
    arrange(known, case)
    known.run(f"sendmail -i -f {case.sender} someone@far.example", stdin="Subject: x\n\nx\n")
    postfix = sessions(known)
    assert postfix, known.run("tail -20 /var/log/postfix.log; mailq").stdout
    relay = {"host": "relay.test", "ports": [PORT], "tls": "none"}
    probed = known.module("smtp_route_facts", relays=[relay], mail_from=case.sender)
    assert probed["code"] == 0, probed["everything"]
    assert sessions(known) == postfix
    route = probed["ansible_facts"]["smtp_route"]
    assert (route["helo_name"], route["mail_from"]) == (postfix[0]["ehlo"], postfix[0]["mail_from"])


@pytest.mark.parametrize("known", HOSTS_OF, indirect=True)
@pytest.mark.parametrize("name", ["myhostname", "smtp_bind_address", "smtp_generic_maps by the local part"])
def test_neither_root_nor_a_running_postfix_is_needed(known: Host, name: str) -> None:
    arrange(known, CASES[name])
    known.run("sendmail -i -f root someone@far.example", stdin="Subject: x\n\nx\n")
    postfix = sessions(known)
    known.run("postfix stop")
    arguments = {"relays": [{"host": "relay.test", "ports": [PORT], "tls": "none"}], "mail_from": "root"}
    command = "python3 -m ansible_collections.mailops.smtp.plugins.modules.smtp_route_facts"
    given = json.dumps({"ANSIBLE_MODULE_ARGS": arguments})
    done = known.run(f"setpriv --reuid=65534 --regid=65534 --clear-groups {command}", stdin=given)
    assert json.loads(done.stdout)["ansible_facts"]["smtp_route"]["port"] == PORT
    assert sessions(known) == postfix
