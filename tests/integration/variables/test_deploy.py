"""Every variable of every role deployed on a real host: its effect is the value, and as text it changes nothing more.

One host for all tests, in their order; each leaves it as a deployment leaves it. No test looks at the checked values:
what counts is what Postfix, the modules and the tests of the host were given.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "postfix")]

from hosts import Host, missing
from table import GOOD, ROLES, ROOT, Unsafe, specification

BASE = {name: GOOD[name] for name in ("postfix_preflight", "postfix_relay_host", "postfix_relay_port")}
DEPLOYED: set[str] = set()


class Vars(yaml.SafeDumper):
    """Writes variables so that texts are no templates."""


Vars.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


def unsafe(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: unsafe(one) for key, one in value.items()}
    if isinstance(value, list):
        return [unsafe(one) for one in value]
    return Unsafe(value) if isinstance(value, str) else value


def as_text(value: Any) -> str:
    """The value as an INI inventory has it."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and all(isinstance(one, (str, int)) for one in value):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)


class Run:
    """What ansible-playbook said."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.said = done.stdout + done.stderr
        self.ok = done.returncode == 0
        self.changed = not re.search(r" changed=0 ", self.said)

    @property
    def why(self) -> str:
        """What tells of a failure or a change."""
        return "\n".join(
            str(one.get("msg", one)) for one in self.results if one.get("failed") or one.get("changed")
        )

    @property
    def results(self) -> list[dict[str, Any]]:
        """The results of the tasks that show one."""
        decoder = json.JSONDecoder()
        found = []
        for match in re.finditer(r"^(ok|changed|fatal): .* => ", self.said, re.MULTILINE):
            result = decoder.raw_decode(self.said, match.end())[0]
            found.append({**result, "failed": match[1] == "fatal"})
        return found

    def given(self, option: str) -> dict[str, Any]:
        """What the module was given that has this option."""
        calls = [one["invocation"]["module_args"] for one in self.results if "invocation" in one]
        return next((call for call in calls if option in call), {})

    @property
    def fact(self) -> dict[str, Any]:
        """The route that was found."""
        return next(one["ansible_facts"]["smtp_route"] for one in self.results if "ansible_facts" in one)


class Deployer:
    def __init__(self, host: Host, room: Path) -> None:
        self.host, self.room, self.count = host, room, 0

    def __call__(self, role: str, **variables: Any) -> Run:
        """Run a role with these variables."""
        DEPLOYED.update(variables)
        text = yaml.dump(unsafe(variables), Dumper=Vars, allow_unicode=True, sort_keys=False)
        (self.room / "vars.yml").write_text(text)
        tasks = [{"name": "Run", "ansible.builtin.import_role": {"name": f"mailops.smtp.{role}"}}]
        play = {"name": "All", "hosts": "all", "gather_facts": False, "tasks": tasks}
        (self.room / "play.yml").write_text(yaml.safe_dump([play]))
        host = f"{self.host.name} ansible_connection=inside ansible_inside_pid={self.host.pid} "
        host += "ansible_python_interpreter=/usr/bin/python3\n"
        # Others, for the mesh.
        host += "mail[1:2] ansible_host=127.0.0.1 postfix_submission_ports=587\n"
        (self.room / "hosts").write_text(host)
        environment = {
            **os.environ,
            "ANSIBLE_CONNECTION_PLUGINS": str(HERE.parent / "world" / "connection"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_INJECT_INVOCATION": "true",
        }
        ansible = str(Path(sys.executable).with_name("ansible-playbook"))
        command = [ansible, "-i", "hosts", "play.yml", "-e", "@vars.yml", "-vvv", "--limit", self.host.name]
        done = subprocess.run(
            command, cwd=self.room, env=environment, capture_output=True, text=True, check=False
        )
        run = Run(done)
        assert "p:w ö" not in run.said
        return run

    def postconf(self, name: str) -> str:
        return self.host.run(f"postconf -xh {name}").stdout.strip()

    def read(self, path: str) -> str:
        return self.host.run(f"cat {path}").stdout


@pytest.fixture(scope="module")
def deploy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployer]:
    if missing():
        pytest.fail(missing())
    host = Host("bookworm")
    host.own_directory()
    yield Deployer(host, tmp_path_factory.mktemp("variables"))
    host.destroy()


def of(*names: str) -> dict[str, Any]:
    return {name: GOOD[name] for name in names}


def test_empty_and_null_are_as_absent(deploy: Deployer) -> None:
    assert deploy("postfix", **BASE).ok
    others = [name for name in specification("postfix") if name not in BASE]
    for nothing in ("", None):
        run = deploy("postfix", **BASE, **dict.fromkeys(others, nothing))
        assert run.ok, run.why
        assert not run.changed, run.why


SET = of(
    "postfix_relay_username", "postfix_relay_password", "postfix_relay_auth", "postfix_relay_tls",
    "postfix_relay_ca_file", "postfix_relay_cert_file", "postfix_relay_key_file",
    "postfix_myhostname", "postfix_myorigin", "postfix_mydestination", "postfix_mynetworks",
    "postfix_inet_interfaces", "postfix_inet_protocols", "postfix_sender_domain",
    "postfix_generic", "postfix_root_alias", "postfix_aliases", "postfix_maps", "postfix_parameters",
    "postfix_services", "postfix_backup", "postfix_backup_keep", "postfix_confirm_timeout",
    "postfix_ignore_checks",
)  # fmt: skip


def test_the_effect_of_each_variable_is_its_value(deploy: Deployer) -> None:
    run = deploy("postfix", **BASE, **SET)
    assert run.ok, run.why
    wanted = {
        "relayhost": "[relay.example.com]:2525",
        "smtp_sasl_mechanism_filter": "login",
        "smtp_tls_CAfile": GOOD["postfix_relay_ca_file"],
        "smtp_tls_cert_file": GOOD["postfix_relay_cert_file"],
        "smtp_tls_key_file": GOOD["postfix_relay_key_file"],
        "myhostname": "mail.example.com",
        "myorigin": "example.com",
        "mydestination": "mail.example.com, example.com",
        "mynetworks": "127.0.0.0/8, [::1]/128",
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "message_size_limit": "20480000",
        "smtpd_banner": "mail.example.com ESMTP",
        "soft_bounce": "no",
    }
    assert {name: deploy.postconf(name) for name in wanted} == wanted
    assert "[relay.example.com]:2525 ops@example.com:p:w ö{{ x\n" in deploy.read("/etc/postfix/sasl_passwd")
    assert "[relay.example.com]:2525 encrypt" in deploy.read("/etc/postfix/tls_policy")
    senders = {"root": "ops@example.com", "@mail.example.com": "@example.net", "@localhost": "@example.org"}
    for key, target in senders.items():
        command = f'postmap -q {key} "$(postconf -xh smtp_generic_maps)"'
        assert deploy.host.run(command).stdout.strip() == target
    for name, target in {**GOOD["postfix_aliases"], "root": ", ".join(GOOD["postfix_root_alias"])}.items():
        maps = deploy.postconf("alias_maps").replace(",", " ").split()
        assert deploy.host.run(f"postmap -q {name} {maps[0]}").stdout.strip() == target
    assert deploy.read("/etc/postfix/senders") == GOOD["postfix_maps"][0]["content"]
    assert deploy.host.run("stat -c %a /etc/postfix/senders").stdout.strip() == "640"
    assert "syslog_name=two" in deploy.host.run("postconf -P 2526/inet/syslog_name").stdout.replace(" ", "")
    given = run.given("backup")
    assert given["backup"] is False
    assert given["backup_keep"] == 2
    assert given["confirm"]["timeout"] == 7


def test_the_same_as_text_changes_nothing(deploy: Deployer) -> None:
    run = deploy("postfix", **{name: as_text(value) for name, value in {**BASE, **SET}.items()})
    assert run.ok, run.why
    assert not run.changed, run.why


def test_a_sensitive_file_has_its_content_and_shows_none(deploy: Deployer) -> None:
    maps = [{"path": "secret", "content": "a p:w ö{{ x\n", "sensitive": True}]
    for value in (maps, json.dumps(maps)):
        run = deploy("postfix", **{**BASE, **SET, "postfix_maps": value})
        assert run.ok, run.why
        assert deploy.read("/etc/postfix/secret") == "a p:w ö{{ x\n"
    assert not run.changed


RELAY = """
import socketserver, ssl, threading
class Session(socketserver.StreamRequestHandler):
    def handle(self):
        file, connection = self.request.makefile("rwb", 0), self.request
        file.write(b"220 relay.example.com ESMTP\\r\\n")
        while True:
            line = file.readline()
            if not line:
                return
            word = line.split()[0].upper() if line.split() else b""
            secure = isinstance(connection, ssl.SSLSocket)
            if word == b"EHLO":
                file.write(b"250-relay.example.com\\r\\n250 8BITMIME\\r\\n" if secure else b"250-x\\r\\n250 STARTTLS\\r\\n")
            elif word == b"STARTTLS":
                file.write(b"220 go\\r\\n")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain("/etc/ssl/certs/ssl-cert-snakeoil.pem", "/etc/ssl/private/ssl-cert-snakeoil.key")
                connection = context.wrap_socket(connection, server_side=True)
                file = connection.makefile("rwb", 0)
            else:
                file.write(b"250 ok\\r\\n")
socketserver.ThreadingTCPServer.allow_reuse_address = True
for port in (2601, 2602):
    server = socketserver.ThreadingTCPServer(("127.0.0.1", port), Session)
    threading.Thread(target=server.serve_forever).start()
"""


def start_relay(deploy: Deployer) -> None:
    deploy.host.run(
        "ss -Hltn sport = :2601 | grep -q . || (cat >/root/relay; setsid python3 /root/relay >/dev/null 2>&1 &)",
        stdin=RELAY,
    )


def test_a_login_that_is_not_for_this_relay_is_neither_tried_nor_written(deploy: Deployer) -> None:
    start_relay(deploy)
    given = {**BASE, **SET, "postfix_preflight": True, "postfix_relay_tls": "may", "postfix_relay_port": 2601}
    given.update(postfix_relay_host="127.0.0.1", postfix_relay_auth="None")
    run = deploy("postfix", **given)
    assert run.ok, run.why
    assert deploy.postconf("smtp_sasl_auth_enable") == "no"
    assert "ops@example.com" not in deploy.host.run("cat /etc/postfix/sasl_passwd || true").stdout


OAUTH = of(
    "postfix_relay_username", "postfix_relay_oauth_client_id", "postfix_relay_oauth_client_secret",
    "postfix_relay_oauth_refresh_token", "postfix_relay_oauth_endpoint",
)  # fmt: skip
# Postfix's plugin for XOAUTH2: whether it is there is told by its name.
PLUGIN = "/usr/lib/$(uname -m)-linux-gnu/sasl2/libsasl-xoauth2.so"


def test_a_token_is_written_once_and_the_plugins_own_stays(deploy: Deployer) -> None:
    given = {**BASE, **OAUTH, "postfix_relay_auth": "XOAUTH2"}
    refused = deploy("postfix", **given)
    assert not refused.ok
    assert "plugin for XOAUTH2, which no package of Debian is known to bring" in refused.why
    deploy.host.run(f"touch {PLUGIN}")
    try:
        run = deploy("postfix", **given)
        assert run.ok, run.why
        assert "refresh{{" not in run.said
        key, login = deploy.read("/etc/postfix/sasl_passwd").splitlines()[-2].split()
        assert key == "[relay.example.com]:2525"
        path = login.partition(":")[2]
        written = json.loads(deploy.read(path))
        assert written["refresh_token"] == GOOD["postfix_relay_oauth_refresh_token"]
        assert written["client_secret"] == GOOD["postfix_relay_oauth_client_secret"]
        assert deploy.host.run(f"stat -c '%a %U' /var/spool/postfix{path}").stdout.strip() == "600 postfix"
        deploy.host.run(f"echo renewed > {path}")
        assert not deploy("postfix", **given).changed
        assert deploy.read(path) == "renewed\n"
        # As one of several relays it is the same token.
        application = {
            name: value for name, value in given.items() if "oauth" in name and "refresh" not in name
        }
        account = {"host": "relay.example.com", "port": 2525, "username": given["postfix_relay_username"]}
        account["oauth_refresh_token"] = given["postfix_relay_oauth_refresh_token"]
        other = {
            "host": "other.example.com",
            "port": 2525,
            "username": "b",
            "password": "p",
            "senders": ["@b.test"],
        }
        several = [{**account, "auth": "xoauth2"}, other]
        base = {name: value for name, value in BASE.items() if not name.startswith("postfix_relay_")}
        run = deploy("postfix", **base, **application, postfix_relays=several)
        assert run.ok, run.why
        assert "refresh{{" not in run.said
        assert f"[relay.example.com]:2525 {account['username']}:{path}" in deploy.read(
            "/etc/postfix/sasl_passwd"
        )
        assert deploy.read(path) == "renewed\n"
        assert deploy.postconf("smtp_sasl_mechanism_filter") == "xoauth2"
        # What is no token follows the variables, in the file as the plugin writes it.
        renewed = {"access_token": "a", "client_id": "x", "client_secret": 'o"l\\d', "refresh_token": "newer"}
        renewed["token_endpoint"] = given["postfix_relay_oauth_endpoint"]
        deploy.host.run(f"cat > {path}", stdin=json.dumps(renewed, indent="\t", separators=(",", " : ")))
        secret = 'a "b" \\1 \\n'
        rotated = {**given, "postfix_relay_oauth_client_secret": secret}
        run = deploy("postfix", **rotated)
        assert run.ok and run.changed, run.why
        assert 'b" \\' not in run.said
        assert json.loads(deploy.read(path)) == {
            **renewed,
            "client_id": given["postfix_relay_oauth_client_id"],
            "client_secret": secret,
        }
        assert deploy.host.run(f"stat -c '%a %U' /var/spool/postfix{path}").stdout.strip() == "600 postfix"
        assert not deploy("postfix", **rotated).changed
        assert deploy("postfix", **{**given, "postfix_relay_oauth_refresh_token": "another"}).ok
        assert path not in deploy.read("/etc/postfix/sasl_passwd")
    finally:
        deploy.host.run(f"rm {PLUGIN}")


@pytest.mark.parametrize(
    "failover, hops, ports", [("false", 1, [2602, 2601]), ("True", 2, "2601 2602"), (False, 1, "2602, 2601")]
)
def test_the_route_has_the_ports_asked_for(deploy: Deployer, failover: Any, hops: int, ports: Any) -> None:
    start_relay(deploy)
    given = {**BASE, **SET, "postfix_preflight": "yes", "postfix_relay_port": "", "postfix_relay_tls": "May"}
    given.update(postfix_relay_username="", postfix_relay_password="", postfix_relay_auth="")
    given.update(postfix_relay_host=" [127.0.0.1] ", preflight_sticky="no")
    given.update(postfix_relay_failover=failover, postfix_relay_ports=ports)
    run = deploy("postfix", **given)
    assert run.ok, run.why
    order = [2601, 2602] if ports == "2601 2602" else [2602, 2601]
    assert deploy.postconf("relayhost") == ", ".join(f"[127.0.0.1]:{port}" for port in order[:hops])


# By Cyrus: there is no Dovecot in this image.
SUBMISSION = of(
    "postfix_submission_ports", "postfix_submission_cert_file", "postfix_submission_key_file",
    "postfix_submission_senders", "postfix_submission_message_size", "postfix_submission_rate",
    "postfix_submission_sasl", "postfix_submission_auth_socket", "postfix_submission_users",
    "postfix_submission_dovecot", "postfix_smtp_inbound", "postfix_submission_policy_services",
    "postfix_submission_policy_stage",
)  # fmt: skip


def test_submission_has_what_its_variables_say(deploy: Deployer) -> None:
    run = deploy("postfix", **BASE, **SUBMISSION)
    assert run.ok, run.why
    again = deploy("postfix", **{name: as_text(value) for name, value in {**BASE, **SUBMISSION}.items()})
    assert again.ok, again.why
    assert not again.changed, again.why
    wanted = {
        "smtpd_tls_cert_file": GOOD["postfix_submission_cert_file"],
        "smtpd_tls_key_file": GOOD["postfix_submission_key_file"],
        "smtpd_sasl_type": "cyrus",
        "smtpd_client_message_rate_limit": "30",
        "smtpd_end_of_data_restrictions": "check_policy_service inet:127.0.0.1:10031",
        "message_size_limit": "52428800",
        "smtpd_forbid_bare_newline": "yes",
    }
    for port in GOOD["postfix_submission_ports"]:
        found = {name: deploy.host.run(f"postconf -Ph {port}/inet/{name}").stdout.strip() for name in wanted}
        assert found == wanted
    command = "postmap -q joe@example.com texthash:/etc/postfix/mailops_submission_senders"
    assert deploy.host.run(command).stdout.strip() == "joe"
    assert "smtp       inet" not in deploy.host.run("postconf -M").stdout
    refused = deploy("postfix", **BASE, **SUBMISSION, **of("postfix_submission_sni"))
    assert not refused.ok
    assert "postfix_submission_sni: " in refused.why
    assert "/etc/ssl/org.key does not exist" in refused.why
    refused = deploy("postfix", **BASE, **SUBMISSION, **of("postfix_submission_self_signed"))
    assert "names another certificate" in refused.why
    assert deploy("postfix", **BASE).ok
    services = deploy.host.run("postconf -M").stdout
    assert "smtp       inet" in services
    assert not re.search(r"(?m)^(587|2525) ", services)


def test_a_provider_and_its_region_are_the_relay(deploy: Deployer) -> None:
    run = deploy("postfix", **of("postfix_relay_provider", "postfix_relay_region"))
    assert not run.ok
    assert "email-smtp.eu-west-1.amazonaws.com" in run.said


@pytest.mark.parametrize("alternates", [True, "yes"])
def test_the_other_hosts_of_a_provider_are_probed_too(deploy: Deployer, alternates: Any) -> None:
    run = deploy("postfix", postfix_relay_provider="postmark", postfix_relay_alternates=alternates)
    assert not run.ok
    hosts = [one["host"] for one in run.fact["endpoints"]]
    assert list(dict.fromkeys(hosts)) == ["smtp.postmarkapp.com", "smtp-broadcasts.postmarkapp.com"]


@pytest.mark.parametrize("direct", [True, "yes"])
def test_a_host_without_a_relay_says_so(deploy: Deployer, direct: Any) -> None:
    refused = deploy("postfix")
    assert not refused.ok
    assert "postfix_direct: true" in refused.said
    run = deploy("postfix", postfix_direct=direct)
    assert run.ok, run.why
    assert deploy.postconf("relayhost") == ""


def test_the_whole_main_cf_is_owned_where_asked_for(deploy: Deployer) -> None:
    assert deploy("postfix", **BASE).ok
    before = deploy.host.run("postconf -n").stdout
    assert "mailbox_size_limit" in before
    assert deploy("postfix", **BASE, postfix_replace="true").ok
    assert "mailbox_size_limit" not in deploy.host.run("postconf -n").stdout
    assert deploy("postfix", **BASE, postfix_replace="").ok
    assert deploy.host.run("postconf -n").stdout == before


def test_a_first_look_changes_nothing_and_shows_what_would_be_kept(deploy: Deployer) -> None:
    deploy.host.run(
        "tar cf /root/kept.tar -C /etc/postfix .; "
        "postconf -e relayhost=[old.example.net]:25 message_size_limit=1234567 mydestination=example.org,localhost"
    )
    before = deploy.host.run("tar c /etc/postfix | sha256sum").stdout
    run = deploy("postfix", **BASE, **of("postfix_adopt"), postfix_parameters={"message_size_limit": 7654321})
    assert run.ok and not run.changed, run.why
    assert deploy.host.run("tar c /etc/postfix | sha256sum").stdout == before
    for line in (
        "  changes relayhost: [old.example.net]:25 -> ",
        "  changes message_size_limit: 1234567 -> 7654321",
        "  keeps   mydestination: example.org,localhost",
    ):
        assert line in run.said, run.said
    kept = deploy(
        "postfix", **BASE, **of("postfix_adopt"), postfix_parameters={"message_size_limit": 1234567}
    )
    assert "  keeps   message_size_limit: 1234567" in kept.said
    refused = deploy(
        "postfix", **BASE, **of("postfix_adopt"), postfix_parameters={"message_size_limit": "many"}
    )
    assert refused.ok and "message_size_limit = many" in refused.said, refused.said
    assert "Refused as it is, see above" in refused.said and "  changes relayhost: " in refused.said
    deploy.host.run("find /etc/postfix -mindepth 1 -delete; tar xf /root/kept.tar -C /etc/postfix")


def test_another_configuration_directory_is_the_one_meant(deploy: Deployer) -> None:
    run = deploy("postfix", **BASE, **of("postfix_config_directory"))
    assert not run.ok
    assert run.given("config_directory")["config_directory"] == GOOD["postfix_config_directory"]


def test_the_packages_asked_for_are_installed(deploy: Deployer) -> None:
    deploy.host.run("dpkg -r --force-depends libsasl2-modules")
    run = deploy("postfix", **BASE, **SET, **of("postfix_packages"))
    assert not run.ok
    assert "no-such-package" in run.said


PROBE = of(*specification("preflight"))


@pytest.mark.parametrize("form", [lambda value: value, as_text], ids=["native", "text"])
def test_the_probe_is_given_each_value(deploy: Deployer, form: Any) -> None:
    run = deploy("preflight", **{name: form(value) for name, value in PROBE.items()})
    same = (
        "ports",
        "exclude_ports",
        "policy",
        "sticky",
        "on_no_route",
        "save",
        "timeout",
        "connect_timeout",
        "helo_name",
        "family",
    )
    given = run.given("policy")
    assert given, run.why
    assert {name: given[name] for name in same} == {name: GOOD[f"preflight_{name}"] for name in same}
    assert given["validate_certs"] is False
    assert str(given["port"]) == GOOD["preflight_port"]
    assert given["ca_path"] == [GOOD["preflight_ca_file"]]
    assert given["mail_from"] == GOOD["preflight_sender"]
    assert given["rcpt_to"] == GOOD["preflight_recipient"]
    assert {one["host"] for one in run.fact["endpoints"]} == {"127.0.0.1", "localhost"}
    assert [(one["server"], one["port"]) for one in given["mesh"]] == [("mail1", 587), ("mail2", 587)]
    assert "Routes for mail" not in run.said


PROOF = of(*specification("verify"))


@pytest.mark.parametrize("form", [lambda value: value, as_text], ids=["native", "text"])
def test_the_tests_are_given_each_value(deploy: Deployer, form: Any) -> None:
    companions = of("postfix_test_recipient", "postfix_test_sender")
    run = deploy("verify", **{name: form(value) for name, value in PROOF.items()}, **companions)
    assert run.ok, run.why
    result = deploy.room / "results" / f"{deploy.host.name}.xml"
    told = [line for line in result.read_text().splitlines() if "relay_host" in line]
    assert told, run.why
    text = told[0].replace("&quot;", '"')
    for name in ("relay_host", "relay_tls", "relay_ca_file", "inet_interfaces", "submission_ports", "domains",
                 "test_recipient", "test_sender", "relay_port", "delivery_timeout", "certificate_names",
                 "certificate_ca_file", "certificate_days"):  # fmt: skip
        assert f'"{name}": {json.dumps(GOOD[f"verify_{name}"])}' in text
    assert f'"outside": {{"host": {json.dumps(GOOD["verify_outside"])}' in text
    result.unlink()


def test_every_variable_was_deployed(deploy: Deployer) -> None:
    specified = {name for role in ROLES for name in specification(role)}
    assert sorted(specified - DEPLOYED) == []
