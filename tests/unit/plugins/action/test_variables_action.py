"""The action plugin mailops.smtp.variables: the roles' own specifications, and Ansible's own templates."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("ansible.plugins.action", reason="the controller's side needs ansible-core")

from ansible.errors import AnsibleActionFail
from ansible_collections.mailops.smtp.plugins.action.variables import ROLES, is_result
from ansible_collections.mailops.smtp.plugins.plugin_utils.variables import explain
from controller import ask, rendered, variables_of


def own() -> list[str]:
    return [path.name for path in ROLES.iterdir()]


def test_the_values_are_typed_and_hold_no_secret() -> None:
    result = ask(
        "postfix",
        postfix_relay_host="{{ name }}",
        name="relay.example.com",
        postfix_relay_ports="587, 2525",
        postfix_relay_failover="false",
        postfix_relay_username="ops",
        postfix_relay_password="hunter2",
    )
    assert result["changed"] is False
    values = result
    assert values["postfix_relay_host"] == "relay.example.com"
    assert values["postfix_relay_ports"] == [587, 2525]
    assert values["postfix_relay_failover"] is False
    assert "hunter2" not in str(result)


ONE_TOKEN = {
    "postfix_relay_host": "relay.example.com",
    "postfix_relay_username": "hunter2",
    "postfix_relay_password": "hunter2",
}


@pytest.mark.parametrize(
    "role, given",
    [
        ("preflight", ONE_TOKEN),
        ("postfix", ONE_TOKEN),
        ("verify", ONE_TOKEN),
        (
            "postfix",
            {"postfix_relays": [{"host": "relay.example.com", "username": "hunter2", "password": "hunter2"}]},
        ),
    ],
)
def test_a_user_name_that_is_the_password_is_in_no_result(role: str, given: dict[str, Any]) -> None:
    result = ask(role, **given)
    assert "failed" not in result, result
    assert "hunter2" not in str(result)


def test_all_that_is_wrong_with_relays_is_said_at_once_and_by_its_place_in_the_users_list() -> None:
    typed = ask(
        "postfix",
        postfix_relays=[
            None,
            {"host": "a.example.com", "tls": "secret", "ports": ["x"]},
            "",
            {"host": "b.example.com", "hots": "c", "port": "456x"},
        ],
    )
    assert [one.partition(" ")[0] for one in typed["msg"].splitlines()] == [
        "postfix_relays[1].ports[0]",
        "postfix_relays[1].tls",
        "postfix_relays[3]",
        "postfix_relays[3].port",
    ]
    meant = ask(
        "postfix",
        postfix_relays=[
            None,
            {"host": "a.example.com", "username": "ops", "senders": ["nobody"]},
            {"provider": "amazon_ses", "senders": ["ops@example.org"]},
            {"direct": True, "senders": ["@example.net"]},
            {},
            {"host": "b.example.com", "senders": ["@example.net"]},
            {"host": "c.example.com:587", "port": 465},
            {"host": "d.example.com"},
        ],
    )
    said = meant["msg"].splitlines()
    assert [one.partition(":")[0] for one in said] == [
        "postfix_relays[1].username and postfix_relays[1].password",
        "postfix_relays[1].senders[0]",
        "postfix_relays[2].provider",
        "postfix_relays[4]",
        "postfix_relays[6].host",
        "postfix_relays[3]",
    ]
    assert "through postfix_relays[5], b.example.com" in said[-1]
    good = [None, {"host": "a.example.com"}, "", {"host": "b.example.com"}]
    assert [one["name"] for one in ask("postfix", postfix_relays=good)["relays"]] == [
        "postfix_relays[1]",
        "postfix_relays[3]",
    ]


def test_verify_is_told_what_each_relay_is_to_have() -> None:
    result = ask(
        "verify",
        postfix_relay_tls="encrypt",
        postfix_relays=[
            "",
            {"host": "a.example.com", "username": "hunter2", "password": "hunter2"},
            {
                "host": "[b.example.com]:465",
                "username": "ops",
                "password": "secret",
                "senders": "@example.org",
            },
            {"provider": "postmark", "tls": "verify", "recipients": ["a@example.net"], "required": False},
            {"direct": True, "senders": ["@example.net"]},
        ],
    )
    keys = ("relay", "name", "host", "tls", "login", "required")
    assert [tuple(one[key] for key in keys) for one in result["expected"]] == [
        (0, "postfix_relays[1]", "a.example.com", "encrypt", True, True),
        (1, "postfix_relays[2]", "b.example.com", "encrypt", True, True),
        (2, "postfix_relays[3]", "smtp.postmarkapp.com", "verify", False, False),
        (3, "postfix_relays[4]", "", "encrypt", False, True),
    ]
    assert "hunter2" not in str(result) and "secret" not in str(result)
    assert ask("verify", postfix_relay_host="relay.example.com")["expected"] == []


def test_the_token_of_an_entry_is_no_value_that_is_shown() -> None:
    entry = {"host": "a.example.com", "auth": "XOAUTH2", "username": "ops"}
    said = ask("postfix", postfix_relays=[entry])["msg"]
    assert said.startswith(
        "postfix_relays[0].auth is xoauth2, and postfix_relay_oauth_client_id, postfix_relays[0]."
    )
    entry.update(oauth_client_id="app", oauth_client_secret="hunter1", oauth_refresh_token="hunter2")
    given = {"postfix_relays": [{**entry, "oauth_endpoint": "https://login.example.com/token"}]}
    result = ask("postfix", **given)
    assert "hunter" not in str(result)
    assert result["relays"][0] == {
        "name": "postfix_relays[0]",
        "host": "a.example.com",
        "username": "ops",
        "auth_mechanism": "xoauth2",
        "security_level": "secure",
        "required": True,
    }
    assert [one["login"] for one in ask("verify", **given)["expected"]] == [True]


def test_what_is_written_beside_a_relay_is_in_no_complaint() -> None:
    for given in (
        {"preflight_relays": "relay.example.com:hunter2"},
        {"preflight_relays": ["relay.example.com 587 hunter2"]},
        {"postfix_relay_host": "relay.example.com:hunter2"},
        {"postfix_relay_host": "relay.example.com", "postfix_relay_username": "ops:hunter2"},
        {"postfix_relays": [{"host": "relay.example.com", "username": "ops:hunter2"}]},
    ):
        assert "hunter2" not in str(ask("preflight", **given))


def test_all_that_is_wrong_is_said_at_once_and_by_name() -> None:
    result = ask(
        "postfix",
        postfix_relay_host="relay.example.com",
        postfix_relay_username="{{ vault_user }}",
        postfix_relay_password="{{ vault_password }}",
        postfix_confirm_timeout="soon",
    )
    assert result["failed"]
    first, second, third = result["msg"].splitlines()
    assert first.startswith("postfix_relay_username refers to vault_user, which is not defined")
    assert second.startswith("postfix_relay_password refers to vault_password, which is not defined")
    assert third.startswith("postfix_confirm_timeout is 'soon'")


@pytest.mark.parametrize("role", ["preflight", "verify"])
def test_what_another_roles_variables_refer_to_is_not_hidden_by_a_default(role: str) -> None:
    given = {"postfix_relay_host": "relay.example.com", "postfix_relay_port": "{{ vault_port }}"}
    result = ask(role, **given)
    assert result["failed"]
    assert "postfix_relay_port refers to vault_port, which is not defined" in result["msg"]


def test_the_gate_does_not_pass_without_a_login_that_was_wanted() -> None:
    result = ask(
        "preflight",
        postfix_relay_host="relay.example.com",
        postfix_relay_username="{{ vault_user }}",
        postfix_relay_password="{{ vault_password }}",
    )
    assert result["failed"]
    assert "vault_user" in result["msg"]
    assert "vault_password" in result["msg"]


def test_a_default_is_made_of_typed_values() -> None:
    given = {
        "postfix_relay_host": "relay.example.com",
        "postfix_relay_tls": " May ",
        "postfix_relay_ports": "25 26",
    }
    values = ask("preflight", **given)
    assert values["preflight_validate_certs"] is False
    assert values["preflight_ports"] == [25, 26]
    assert values["postfix_relay_tls"] == "may"
    assert ask("verify", **given)["verify_relay_tls"] == "may"


@pytest.mark.parametrize(
    "given, expected",
    [
        ({"postfix_relay_host": "[r.example]:587"}, {"host": "r.example", "port": 587, "tls": "starttls"}),
        (
            {"postfix_relay_host": "[r.example]", "postfix_relay_port": 465},
            {"host": "r.example", "port": 465, "tls": "implicit"},
        ),
        ({"postfix_direct": True}, {}),
    ],
)
def test_without_a_probe_role_postfix_has_the_route_that_the_variables_name(
    given: dict[str, Any], expected: dict[str, Any]
) -> None:
    result = ask("postfix", postfix_preflight="no", **given)
    assert result["route"] == expected
    assert rendered({**variables_of("postfix"), "postfix__v": result}, "postfix__route") == expected


def test_a_port_that_contradicts_the_one_in_the_relays_name_is_refused_with_both_names() -> None:
    result = ask(
        "postfix", postfix_preflight=False, postfix_relay_host="[r.example]:587", postfix_relay_port=2525
    )
    assert result["failed"]
    assert result["msg"].startswith(
        "postfix_relay_host: it holds the port 587, and postfix_relay_port has 2525;"
    )


@pytest.mark.parametrize(
    "given, expected",
    [
        ({"postfix_relay_host": "[r.example]:587"}, ("r.example", 587)),
        ({"postfix_relay_host": "[r.example]", "postfix_relay_port": "2525"}, ("r.example", 2525)),
        ({"verify_relay_host": "r.example:2525"}, ("r.example", 2525)),
        ({"verify_relay_host": "r.example"}, ("r.example", 0)),
        ({}, ("", 0)),
    ],
)
def test_role_verify_expects_what_the_notation_means(
    given: dict[str, Any], expected: tuple[str, int]
) -> None:
    typed = ask("verify", **given)
    assert (typed["verify_relay_host"], typed["verify_relay_port"]) == expected


@pytest.mark.parametrize(
    "given, trusted_alone",
    [
        # The probe takes the file of role postfix together with what else its Postfix trusts.
        ({"postfix_relay_host": "r.example", "postfix_relay_ca_file": "/ca.pem"}, ""),
        ({"postfix_relay_host": "r.example", "preflight_ca_file": "/own.pem"}, "/own.pem"),
        ({"preflight_relays": ["r.example"], "preflight_ca_file": "/own.pem"}, "/own.pem"),
        ({"preflight_relays": ["r.example"], "postfix_relay_ca_file": "/ca.pem"}, "/ca.pem"),
    ],
)
def test_the_probe_is_told_of_authorities_as_role_postfix_will_tell_postfix(
    given: dict[str, Any], trusted_alone: str
) -> None:
    variables = {**variables_of("preflight", **given), "preflight__v": ask("preflight", **given)}
    assert rendered(variables, "preflight__ca_path") == trusted_alone
    parameters = rendered(variables, "preflight__postfix.parameters")
    assert parameters.get("smtp_tls_CAfile") == given.get("postfix_relay_ca_file")


@pytest.mark.parametrize("role", ["preflight", "verify", "postfix"])
@pytest.mark.parametrize(
    "given",
    [
        {"postfix_relay_ports": [2525, "pop3"]},
        {"postfix_relay_port": "pop3"},
        {"postfix_relay_username": "u", "postfix_relay_password": "a\nb"},
        {"postfix_test_recipient": "inbox"},
        {"postfix_relay_host": "my relay"},
        {"postfix_relay_tls": "sure"},
    ],
)
def test_a_mistake_is_told_once_and_of_the_variable_that_was_set(role: str, given: dict[str, Any]) -> None:
    result = ask(role, **{"postfix_relay_host": "relay.example.com", **given})
    complaints = result.get("msg", "").splitlines()
    assert [one for one in complaints if not one.startswith(tuple(given))] == []
    # Role verify has no use for each of them.
    assert len(complaints) == 1 or (role == "verify" and not complaints)


@pytest.mark.parametrize("role", ["preflight", "postfix"])
@pytest.mark.parametrize(
    "given", [{"postfix_direct": True}, {"postfix_parameters": {"relayhost": "[other.example.com]:587"}}]
)
def test_the_gate_refuses_what_the_deployment_refuses(role: str, given: dict[str, Any]) -> None:
    (said,) = ask(role, postfix_relay_host="relay.example.com", **given)["msg"].splitlines()
    assert said.startswith(tuple(given))
    assert "postfix_relay_host" in said


def test_a_mistake_of_ones_own_is_told_beside_that_of_another_role() -> None:
    given = {
        "postfix_relay_host": "relay.example.com",
        "postfix_relay_port": "pop3",
        "preflight_port": "imap",
    }
    said = ask("preflight", **given)["msg"].splitlines()
    assert [one.partition(" ")[0] for one in said] == ["postfix_relay_port", "preflight_port"]


def test_a_misspelt_relay_is_an_error_where_it_is_missed_and_else_a_warning() -> None:
    result = ask("postfix", postfix_relayhost="relay.example.com")
    assert result["failed"]
    assert "postfix_relayhost is set" in result["msg"]
    assert "did you mean postfix_relay_host?" in result["msg"]
    result = ask("postfix", postfix_relayhost="x", postfix_relay_host="relay.example.com")
    assert not result.get("failed")
    assert ["did you mean postfix_relay_host?" in one for one in result["warnings"]] == [True]


def test_the_registered_result_of_a_task_is_no_misspelt_variable() -> None:
    registered = {"changed": False, "failed": False, "stdout": ""}
    assert is_result(registered)
    result = ask("postfix", postfix_relay_host="r.example", postfix_relayhost=registered)
    assert "warnings" not in result


def test_a_role_that_is_not_ours_is_refused() -> None:
    with pytest.raises(AnsibleActionFail, match="it has postfix, preflight"):
        ask("nginx")


@pytest.mark.parametrize(
    "error, secret, parts",
    [
        ("'vault_x' is undefined. 'vault_x' is undefined", True, ["v refers to vault_x", "leave v out"]),
        ("object of type 'dict' has no attribute 'smtp_route'", False, ["refers to smtp_route"]),
        ("'dict object' has no attribute 'fqdn'", False, ["refers to fqdn"]),
        ("Attempting to decrypt but no vault secrets found", True, ["encrypted", "--ask-vault-pass"]),
        (
            "Decryption failed (no vault secrets were found that could decrypt)",
            True,
            ["--vault-password-file"],
        ),
        ("the filter said hunter2", True, ["its template fails;"]),
        ("the filter said no\nand more", False, ["its template fails: 'the filter said no'"]),
    ],
)
def test_a_template_that_fails_is_explained(error: str, secret: bool, parts: list[str]) -> None:
    said = explain("v", error, secret)
    assert [part for part in parts if part not in said] == []
    assert "hunter2" not in said


@pytest.mark.parametrize("role", ["preflight", "verify"])
def test_a_report_is_refused_before_anything_is_done(role: str) -> None:
    name = f"{role}_report"
    given = {"preflight_relays": [{"host": "relay.example.com"}]} if role == "preflight" else {}
    assert ask(role, **given, **{name: "r.json"})[name] == ["r.json"]
    assert f"{name}: r.pdf has the suffix .pdf" in ask(role, **given, **{name: ["r.pdf"]})["msg"]
    free = ask(role, "free", **given, **{name: ["r.json"]})
    assert free["msg"].startswith(f"{name} is one report of all hosts, and with strategy free")
    assert f"{role}_report" in ask(role, "free", **given)


RELAY = {"preflight_relays": ["relay.example.com"], "inventory_hostname": "web1"}
GROUPS = {"all": ["web1", "mail1", "mail2"], "mail": ["mail1", "mail2"]}


def meshed(mesh: Any, **servers: Any) -> dict[str, Any]:
    hostvars = {name: servers.get(name, {}) for name in GROUPS["all"]}
    return ask("preflight", **RELAY, preflight_mesh=mesh, groups=GROUPS, hostvars=hostvars)


def test_the_mesh_is_made_of_the_variables_of_its_servers() -> None:
    result = meshed(
        "mail",
        mail1={"postfix_submission_ports": "auto", "postfix_myhostname": "mail1.example.com"},
        mail2={
            "postfix_submission_ports": ["2525"],
            "postfix_submission_self_signed": "yes",
            "ansible_host": "::1",
        },
    )
    assert result["mesh"] == [
        {"server": "mail1", "host": "mail1.example.com", "port": 587},
        {"server": "mail1", "host": "mail1.example.com", "port": 465},
        {"server": "mail2", "host": "::1", "port": 2525, "self_signed": True},
    ]


def test_a_mesh_that_asks_nobody_says_so() -> None:
    own = {"web1": {"postfix_submission_ports": [587]}}
    result = meshed(["web1"], **own)
    assert result["mesh"] == []
    assert result["warnings"] == [
        "preflight_mesh has web1 ask nobody: it names no other host whose ports are known"
    ]


def test_without_a_mesh_no_other_host_is_looked_at() -> None:
    assert ask("preflight", **RELAY)["mesh"] == []


@pytest.mark.parametrize(
    "mesh, mail1, words",
    [
        (["mial"], {}, "preflight_mesh[0] is 'mial': mial is neither a group nor a host"),
        (["mail1"], {}, "preflight_mesh[0] is 'mail1', and no port is known on which mail1 takes mail"),
        (
            [{"host": "mail1", "ports": ["many"]}],
            {},
            "preflight_mesh[0].ports[0] is 'many', and takes a port",
        ),
        (
            ["mail1", {"host": "mail1", "ports": [25]}],
            {"postfix_submission_ports": "many"},
            "preflight_mesh: on mail1, postfix_submission_ports[0] is 'many', and takes a port from 1 to 65535",
        ),
    ],
)
def test_what_is_wrong_with_a_mesh_is_told_before_anything_is_probed(
    mesh: Any, mail1: dict[str, Any], words: str
) -> None:
    result = meshed(mesh, mail1=mail1)
    assert result["failed"]
    assert len(result["msg"].splitlines()) == 1, result["msg"]
    assert result["msg"].startswith(words)
