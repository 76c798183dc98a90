"""The network of the fault table.

A client and a server, each in a network and mount namespace without a name, joined by a veth pair.

Rule of this file: nothing can be left behind. A namespace lives as long as its keeper process, a keeper lives as long
as its standard input, and that is a pipe held by the test run: whatever ends the run ends the namespaces, and with them
addresses, routes, rules and mounts.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Iterable

# The server answers on every address of these two prefixes, so that each case has a host of its own.
IPV4_PREFIX = "198.18.0.0/16"
IPV6_PREFIX = "fd5e:18::/64"
GATEWAY4, CLIENT4 = "198.19.0.1", "198.19.0.2"
GATEWAY6, CLIENT6 = "fd5e:19::1", "fd5e:19::2"
RESOLVER = "198.18.0.53"
SECOND_CLIENT4 = "198.19.0.3"
_LOCALHOST = "127.0.0.1 localhost\n::1 localhost"

TOOLS = ("unshare", "nsenter", "ip", "nft", "mount", "sysctl")
NEEDED = "the fault table needs root (CAP_SYS_ADMIN and CAP_NET_ADMIN) and the tools " + ", ".join(TOOLS)


class Namespace:
    """A network and mount namespace, and the way to run something in it."""

    def __init__(self) -> None:
        self._keeper = subprocess.Popen(
            ["unshare", "--net", "--mount", "cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self._keeper.stdin and self._keeper.stdout and self._keeper.stderr
        try:
            # cat echoes only after unshare has made the namespaces and become cat.
            self._keeper.stdin.write(b"there\n")
            self._keeper.stdin.flush()
        except BrokenPipeError:
            pass
        if self._keeper.stdout.readline() != b"there\n":
            raise RuntimeError("%s: %s" % (NEEDED, self._keeper.stderr.read().decode().strip()))

    @property
    def pid(self) -> int:
        return self._keeper.pid

    def command(self, *argv: str) -> list[str]:
        return ["nsenter", "--target", str(self.pid), "--net", "--mount", *argv]

    def run(self, *argv: str, stdin: str = "") -> str:
        done = subprocess.run(self.command(*argv), input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError("%s: %s" % (" ".join(argv), done.stderr.strip()))
        return done.stdout

    def close(self) -> None:
        assert self._keeper.stdin and self._keeper.stdout and self._keeper.stderr
        for pipe in (self._keeper.stdin, self._keeper.stdout, self._keeper.stderr):
            pipe.close()
        self._keeper.wait(timeout=10)


class Network:
    """Both namespaces, addressed and routed. Raises RuntimeError, with what is needed, where that is not allowed."""

    def __init__(self, directory: Path) -> None:
        missing = [tool for tool in TOOLS if shutil.which(tool) is None]
        if missing or os.geteuid() != 0:
            raise RuntimeError("%s%s" % (NEEDED, "; not here: " + ", ".join(missing) if missing else ""))
        self._directory = directory
        self.server = Namespace()
        try:
            self.client = Namespace()
        except BaseException:
            self.server.close()
            raise
        try:
            self._join()
            self.use_names(RESOLVER, "", "files dns")
            self.add_hosts(())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.client.close()
        self.server.close()

    def _join(self) -> None:
        server, client = self.server, self.client
        for namespace in (server, client):
            # Duplicate address detection would keep IPv6 silent for the first second.
            namespace.run("sysctl", "-q", "-w", "net.ipv6.conf.default.accept_dad=0")
        subprocess.run(
            [
                "ip",
                "link",
                "add",
                "client",
                "netns",
                str(client.pid),
                "type",
                "veth",
                "peer",
                "name",
                "server",
                "netns",
                str(server.pid),
            ],
            check=True,
        )
        for namespace, link, ipv4, ipv6 in (
            (server, "server", GATEWAY4, GATEWAY6),
            (client, "client", CLIENT4, CLIENT6),
        ):
            namespace.run("ip", "link", "set", "lo", "up")
            namespace.run("ip", "link", "set", link, "up")
            namespace.run("ip", "address", "add", ipv4 + "/24", "dev", link)
            namespace.run("ip", "-6", "address", "add", ipv6 + "/64", "dev", link, "nodad")
        client.run("ip", "address", "add", SECOND_CLIENT4 + "/24", "dev", "client")
        client.run("ip", "route", "add", IPV4_PREFIX, "via", GATEWAY4)
        client.run("ip", "-6", "route", "add", IPV6_PREFIX, "via", GATEWAY6)
        # Without these the kernel sends one ICMP error a second and several cases would see a drop instead of it.
        server.run("sysctl", "-q", "-w", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")
        server.run(
            "sysctl", "-q", "-w", "net.ipv4.icmp_msgs_per_sec=100000", "net.ipv4.icmp_msgs_burst=10000"
        )
        server.run("ip", "route", "add", "local", IPV4_PREFIX, "dev", "lo")
        server.run("ip", "-6", "route", "add", "local", IPV6_PREFIX, "dev", "lo")
        # A neighbour that is not there is found missing in 0.3 s instead of 3 s.
        client.run("sysctl", "-q", "-w", "net.ipv4.neigh.client.retrans_time_ms=100")

    def use_names(self, resolver: str, search: str, sources: str) -> None:
        """Name the client's name server, search list and sources of names, for processes that start from now on."""
        lines = ["nameserver " + resolver, *(["search " + search] if search else [])]
        self._replace("resolv.conf", "\n".join([*lines, ""]))
        self._replace("nsswitch.conf", "hosts: %s\n" % sources)

    def add_hosts(self, lines: Iterable[str]) -> None:
        """Put lines into the client's /etc/hosts."""
        self._replace("hosts", "\n".join([_LOCALHOST, *lines, ""]))

    def _replace(self, name: str, text: str) -> None:
        """Put a file over /etc/<name>, for the client alone."""
        file = self._directory / name
        mounted = file.exists()
        file.write_text(text, encoding="ascii")
        if not mounted:
            self.client.run("mount", "--bind", str(file), str(Path("/etc", name).resolve()))

    def filter(self, namespace: Namespace, hook: str, rules: list[str]) -> None:
        """Install rules of nftables, such as ``ip daddr 198.18.0.9 tcp dport 587 drop``."""
        head = "type filter hook %s priority 0; policy accept;" % hook
        table = "\n".join(["table inet faults {", "chain %s {" % hook, head, *rules, "}", "}", ""])
        namespace.run("nft", "-f", "-", stdin=table)
