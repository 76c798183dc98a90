"""The faces of a report: valid in their formats, true to the document, and deaf to what a server says."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import copy
import hashlib
import html
import json
import re
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.verdict import STAGES, TIMINGS, VERDICTS
from ansible_collections.mailops.smtp.plugins.plugin_utils.report import (
    files,
    html_page,
    junit,
    markdown,
    model,
)
from ansible_collections.mailops.smtp.plugins.plugin_utils.report.groups import groups
from junitparser import Error, Failure, JUnitXml, Skipped
from markdown_it import MarkdownIt
from pymarkdown.api import PyMarkdownApi

ROOT = Path(__file__).resolve().parents[5]
sys.path.insert(0, str(ROOT / "tests" / "fleet"))

from fleet import (
    FAILED,
    HOSTILE,
    NOW,
    SKIPPED,
    UNREACHABLE,
    examined,
    fleet,
    hostile,
    name_of,
    probed,
    routed,
    verified,
)

SCHEMA = json.loads((ROOT / "docs/report-1.schema.json").read_text(encoding="utf-8"))
GATE = {
    "passed": False,
    "line": "preflight: 1 of 3 hosts have a route, 2 without",
    "failing": ["b"],
    "allowed": 0,
    "findings": [],
    "better": [{"host": "a", "message": "no longer: it was filtered"}],
    "worse": [{"host": "b", "message": "relay.example.com:587 was ok and is filtered"}],
    "notes": ["waivers[1] matches nothing that fails"],
}


def finding(host, rule, message="Because.", **more):
    return {
        "host": host,
        "rule": rule,
        "message": message,
        "endpoint": None,
        "waived": None,
        "known": False,
        **more,
    }


def gated(document, *found, passed=False):
    return {**document, "gate": {**GATE, "findings": list(found), "passed": passed}}


DOCUMENTS = {
    "fleet": model.preflight({**fleet(60), "lost": None, "failed": FAILED, "skipped": SKIPPED}, NOW),
    "probe": model.probe({"a": probed("ok", "filtered"), "b": probed("refused"), "c": UNREACHABLE}, NOW),
    "verify": model.verify({**verified(12), "lost": None, "gone": UNREACHABLE, "failed": FAILED}, NOW),
    "empty": model.preflight({}, NOW),
    "gate": gated(
        model.preflight({"a": routed("ok"), "b": routed("filtered"), "c": routed("filtered")}, NOW),
        finding("b", "no_route"),
        finding("c", "no_route", waived="known outage (until 2027-01-01)"),
        finding("a", "certificate_days", "11 days", endpoint="relay.example.com:587"),
    ),
    "mesh": gated(
        model.preflight(
            {"a": routed("ok", mesh={"mail1": ("ok", "filtered")}), "mail1": routed("filtered", "ok")}, NOW
        ),
        finding("a", "not_reached", "It is filtered.", endpoint="mail1:465"),
    ),
    "hostile": gated(
        model.preflight(
            {HOSTILE: hostile(routed("certificate_expired", "filtered")), "z": hostile(routed("ok"))}, NOW
        ),
        finding(model.text(HOSTILE), model.text(HOSTILE), model.text(HOSTILE), waived=model.text(HOSTILE)),
        finding(model.text(HOSTILE), model.text(HOSTILE), model.text(HOSTILE)),
    ),
    "hostile_tests": model.verify({HOSTILE: hostile(examined(2, {"a::x": "so"}, {"b::y": "so"}))}, NOW),
}
EACH = pytest.mark.parametrize("document", DOCUMENTS.values(), ids=list(DOCUMENTS))


def text_of(document, suffix):
    return "".join(files.FACES[suffix](document))


def strict(schema):
    """The same schema, in which a key that nobody has described is an error."""
    if isinstance(schema, dict):
        closed = (
            {"additionalProperties": False}
            if {"properties", "required", "description"} <= set(schema)
            else {}
        )
        return {**closed, **{key: strict(each) for key, each in schema.items()}}
    return [strict(each) for each in schema] if isinstance(schema, list) else schema


# ------------------------------------------------------------------------------------------------------------- JSON


@EACH
def test_the_json_is_the_document_and_valid(document):
    written = json.loads(text_of(document, ".json"))
    assert written == document
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(strict(SCHEMA)).validate(written)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one["hosts"][0].pop("state"),
        lambda one: one["hosts"][0].update(state="passed"),
        lambda one: one["hosts"][0].update(more=1),
        lambda one: one["summary"].pop("with_route"),
        lambda one: one.update(created_at="yesterday"),
        lambda one: one["hosts"][0]["endpoints"][0].update(port=70000),
    ],
)
def test_the_schema_finds_what_is_wrong(change):
    document = copy.deepcopy(DOCUMENTS["fleet"])
    change(document)
    assert not jsonschema.Draft202012Validator(strict(SCHEMA)).is_valid(document)


def test_the_schema_knows_the_words_of_this_version():
    assert SCHEMA["$id"] == SCHEMA["properties"]["schema"]["const"] == model.SCHEMA
    assert SCHEMA["properties"]["version"]["const"] == model.VERSION
    defined = SCHEMA["$defs"]
    assert defined["verdict"]["examples"] == list(VERDICTS)
    assert defined["endpoint"]["properties"]["stage"]["enum"] == [*STAGES, None]
    assert list(defined["endpoint"]["properties"]["timings_ms"]["properties"]) == list(TIMINGS)
    states = {state for each in model.STATES.values() for state in each}
    assert set(defined["host"]["properties"]["state"]["enum"]) == states


def test_a_host_is_a_line_of_json():
    lines = text_of(DOCUMENTS["fleet"], ".json").splitlines()
    hosts = [json.loads(line.rstrip(",")) for line in lines if line.startswith('{"name"')]
    assert hosts == DOCUMENTS["fleet"]["hosts"]


# ------------------------------------------------------------------------------------------------------------ JUnit

# What Jenkins' schema of JUnit files has of what is used here: attributes and children, in their order.
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"classname", "name", "time"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"message"},
}
CHILDREN = {
    "testsuites": r"(testsuite )*",
    "testsuite": r"(properties )?(testcase )*",
    "properties": r"(property )+",
    "testcase": r"((failure|error|skipped) )?",
}


def check_structure(element):
    assert set(element.attrib) == ATTRIBUTES[element.tag]
    assert re.fullmatch(CHILDREN.get(element.tag, ""), "".join(f"{child.tag} " for child in element))
    for name in {"time"} & set(element.attrib):
        assert re.fullmatch(r"\d+\.\d{3}", element.attrib[name])
    for child in element:
        check_structure(child)


@EACH
def test_the_junit_is_valid_and_its_sums_are_right(document):
    text = text_of(document, ".xml")
    root = ET.fromstring(text.encode("utf-8"))
    check_structure(root)
    suites = list(root)
    for suite in [root, *suites]:
        cases = list(suite.iter("testcase"))
        assert int(suite.attrib["tests"]) == len(cases)
        for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert key not in suite.attrib or int(suite.attrib[key]) == len(list(suite.iter(tag)))
    assert len(list(JUnitXml.fromstring(text.encode("utf-8")))) == len(suites)
    assert [suite.attrib["name"] for suite in suites] == [host["name"] for host in document["hosts"]]
    for suite, host in zip(suites, document["hosts"]):
        names = [case.attrib["name"] for case in suite.iter("testcase")]
        assert len(names) >= len(host["endpoints"]) + len(host["tests"])


def outcomes(document):
    """How each case of each host ended, as another program reads it."""
    kinds = {Failure: "failure", Error: "error", Skipped: "skipped"}
    found = {}
    for suite in JUnitXml.fromstring(text_of(document, ".xml").encode("utf-8")):
        for case in suite:
            (what, *_more) = [(kinds[type(one)], one.message) for one in case.result] or [("passed", "")]
            found[(suite.name, case.name)] = what
    return found


def test_a_case_fails_where_the_run_fails():
    results = {
        "good": routed("filtered", "ok"),
        "bad": routed("filtered", "refused"),
        "gone": UNREACHABLE,
        "wrong": FAILED,
        "lost": None,
    }
    first, second = "relay.example.com:587 starttls ipv4", "relay.example.com:2525 starttls ipv4"
    assert outcomes(model.preflight(results, NOW)) == {
        ("good", "route"): ("passed", ""),
        ("good", first): ("skipped", "not needed: filtered: What was seen of filtered after 24.9 ms."),
        ("good", second): ("passed", ""),
        ("bad", "route"): ("failure", " ".join(model.preflight(results, NOW)["hosts"][1]["reasons"])),
        ("bad", first): ("failure", "filtered: What was seen of filtered after 24.9 ms."),
        ("bad", second): ("failure", "refused: What was seen of refused after 24.9 ms."),
        ("gone", "route"): ("error", UNREACHABLE["msg"]),
        ("wrong", "route"): ("error", FAILED["msg"]),
        ("lost", "route"): ("error", "It was unreachable, or failed, before its ports were probed."),
    }


def test_a_listener_that_is_not_reached_is_a_case_that_fails():
    # The relay is a server of the mesh as well.
    relays = [{"host": "mail1.example.com", "ports": [587, 465]}]
    document = model.preflight(
        {"web1": routed("ok", "filtered", relays=relays, mesh={"mail1": ("ok", "filtered")})}, NOW
    )
    found = finding("web1", "not_reached", "It is filtered.", endpoint="mail1:465")
    relay, listener = "mail1.example.com:465 implicit ipv4", "mail1 at mail1.example.com:465 implicit ipv4"
    for judged, what in (
        (document, "failure"),
        (gated(document, found), "failure"),
        (gated(document, {**found, "waived": "so"}), "skipped"),
    ):
        ends = {name: end for (_host, name), (end, _message) in outcomes(judged).items()}
        assert ends == {
            "route": "passed",
            "mail1.example.com:587 starttls ipv4": "passed",
            relay: "skipped",
            "mail1 at mail1.example.com:587 starttls ipv4": "passed",
            listener: what,
        }


def test_each_test_is_a_case():
    results = {
        "a": examined(1, {"tls::chain[587]": "Expired."}, {"host::clock": "No ntp."}),
        "b": examined(1),
        "c": UNREACHABLE,
    }
    document = model.verify(results, NOW)
    assert outcomes(document) == {
        ("a", "chain[587]"): ("failure", "Expired."),
        ("a", "clock"): ("skipped", "No ntp."),
        ("a", "postfix_runs"): ("passed", ""),
        ("b", "postfix_runs"): ("passed", ""),
        ("c", "tests"): ("error", UNREACHABLE["msg"]),
    }
    groups_of = [
        case.attrib["classname"] for case in ET.fromstring(text_of(document, ".xml")).iter("testcase")
    ]
    assert groups_of == ["a.tls", "a.host", "a.config", "b.config", "c.verify"]


def test_a_suite_that_could_not_be_run_is_an_error_beside_the_tests_that_passed():
    broken = {**examined(1), "passed": False, "msg": "pytest could not run the suite"}
    found = outcomes(model.verify({"a": broken}, NOW))
    assert found == {("a", "tests"): ("error", broken["msg"]), ("a", "postfix_runs"): ("passed", "")}


def whats(document):
    return {name: what for name, (what, _message) in outcomes(document).items()}


def test_what_the_gate_lets_pass_is_skipped_and_what_it_finds_fails():
    where, endpoint = "relay.example.com:587", "relay.example.com:587 starttls ipv4"
    document = model.preflight(
        {"a": routed("certificate_expiring"), "b": routed("filtered"), "c": UNREACHABLE}, NOW
    )
    cases = [
        ([finding("b", "no_route"), finding("c", "unreachable")], "passed failure failure error"),
        (
            [finding("b", "no_route", waived="so"), finding("c", "unreachable", known=True)],
            "passed skipped skipped skipped",
        ),
        ([], "passed skipped skipped skipped"),
        ([finding("a", "certificate_days", endpoint=where)], "failure skipped skipped skipped"),
        ([finding("a", "certificate_days", endpoint=where, waived="so")], "skipped skipped skipped skipped"),
    ]
    for found, wanted in cases:
        ends = whats(gated(document, *found))
        told = [("a", endpoint), ("b", "route"), ("b", endpoint), ("c", "route")]
        assert " ".join(ends[each] for each in told) == wanted
        assert ends[("a", "route")] == "passed"


def test_within_the_number_that_may_fail_nothing_fails():
    document = model.preflight({"a": routed("filtered")}, NOW)
    assert set(whats(gated(document, finding("a", "no_route"), passed=True)).values()) == {"skipped"}


def test_a_finding_of_the_whole_run_or_of_a_rule_is_a_case_of_its_own():
    document = model.preflight({"a": routed("ok")}, NOW)
    found = outcomes(
        gated(document, finding(None, "empty", "Nobody."), finding("a", "provider_policy", "May close."))
    )
    assert found[("gate", "gate: empty")] == ("failure", "Nobody.")
    assert found[("a", "gate: provider_policy")] == ("failure", "May close.")


# --------------------------------------------------------------------------------------------------------- Markdown


def rendered(text):
    """As GitHub and GitLab render it: tables, links by themselves, and HTML where it is let through."""
    return MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(text)


@EACH
def test_the_markdown_is_well_formed(document, tmp_path):
    page = tmp_path / "report.md"
    page.write_text(text_of(document, ".md"), encoding="utf-8")
    # Lines are as long as they are, and what is folded needs two elements of HTML.
    lint = PyMarkdownApi().disable_rule_by_identifier("md013").disable_rule_by_identifier("md033")
    done = lint.scan_path(str(page))
    assert (done.scan_failures, done.pragma_errors, done.critical_errors) == ([], [], [])


@EACH
def test_no_server_writes_a_line_of_the_markdown(document):
    shown = rendered(text_of(document, ".md"))
    elements = set(re.findall(r"<(/?[a-z]+\d?)", shown))
    ours = [
        "h1",
        "p",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
        "strong",
        "details",
        "summary",
        "pre",
        "ul",
        "li",
    ]
    assert elements <= {each for name in ours for each in (name, f"/{name}")}
    for row in re.findall(r"<tr>.*?</tr>", shown, re.DOTALL):
        assert len(re.findall("<t[hd]>", row)) == (3 if document["kind"] == "verify" else 4)
    assert len(re.findall("<h1>", shown)) == 1
    assert shown.count("<details>") == shown.count("</details>") == shown.count("<pre>")
    # Of what a stranger says nothing is left outside of code.
    rest = re.sub(r"<code.*?</code>", "", shown, flags=re.DOTALL)
    assert not re.search(r"script|evil|everyone|AAAA", rest)


def test_the_words_of_a_server_are_shown_as_they_are():
    words = "a | b `c` ``d`` \\| <e> &amp; @f"
    result = routed("filtered")
    result["ansible_facts"]["smtp_route"]["cloud"]["title"] = words
    result["ansible_facts"]["smtp_route"]["endpoints"][0]["reason"] = words
    shown = rendered(text_of(model.preflight({"web1": result}, NOW), ".md"))
    assert [html.unescape(one) for one in re.findall(r"<td><code>(.*?)</code></td>", shown)] == [
        "web1",
        words,
    ]
    assert f"    {words}\n" in html.unescape(shown)


def test_the_worst_comes_first_and_equal_hosts_are_one_row():
    text = text_of(model.preflight(fleet(100), NOW), ".md")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert "no route" in rows[0]
    assert f"`{name_of(15)}`, `{name_of(35)}`, `{name_of(55)}` and 2 more" in rows[0]
    assert "unreachable" in rows[2]
    assert len(rows) < 10
    assert text.startswith("# preflight: 89 of 100 hosts have a route, 9 without, 2 unreachable\n")


def test_a_table_names_relays_where_there_are_several():
    relays = [{"host": "a.example", "ports": [587]}, {"host": "2001:db8::1", "ports": [587]}]
    text = text_of(model.preflight({"web1": routed("ok", "filtered", relays=relays)}, NOW), ".md")
    assert "`a.example:587` `ok`, `[2001:db8::1]:587` **`filtered`**" in text


def test_a_table_names_the_servers_of_the_mesh_and_leaves_the_only_relay_out():
    text = text_of(DOCUMENTS["mesh"], ".md")
    assert "| `587` `ok`, `mail1:587` `ok`, `mail1:465` **`filtered`** |" in text
    assert "mail1 at mail1.example.com:465 implicit: filtered" in text
    rows = rows_of(text_of(DOCUMENTS["mesh"], ".html"))
    assert any(row[-4:] == ["mail1:587 ", "ok", "mail1:465 ", "filtered"] for row in rows)
    # A port of the relay that is closed does no harm to a host that has another; such a listener does.
    assert '"sign spare">filtered' in text_of(DOCUMENTS["mesh"], ".html")
    assert '"sign bad">filtered' in text_of(DOCUMENTS["mesh"], ".html")


def test_the_schema_takes_a_report_of_before_there_was_a_mesh():
    document = copy.deepcopy(DOCUMENTS["fleet"])
    for host in document["hosts"]:
        for one in host["endpoints"]:
            del one["server"]
    jsonschema.validate(document, SCHEMA)


def test_what_the_gate_said_is_there():
    text = text_of(DOCUMENTS["gate"], ".md")
    for line in (
        "The gate **failed**: `preflight: 1 of 3 hosts have a route, 2 without`",
        "- `b` `no_route`: `Because.`",
        "- `c` `no_route`: `Because.` (`known outage (until 2027-01-01)`)",
        "- `b`: `relay.example.com:587 was ok and is filtered`",
        "- `a`: `no longer: it was filtered`",
    ):
        assert line in text.splitlines()


def test_the_markdown_stays_small_whatever_the_fleet_and_says_what_is_left_out():
    worst = {
        f"{HOSTILE}{index}": hostile(
            routed(*["filtered", "refused", "ok", "no_greeting"][index % 3 :], provider="gce")
        )
        for index in range(60)
    }
    for index, one in enumerate(worst.values()):
        one["ansible_facts"]["smtp_route"]["endpoints"][0]["port"] = index
    long = model.text(HOSTILE)
    found = [finding(model.text(name), "no_route", long + "\u00e4" * 500) for name in worst]
    few = model.preflight(fleet(50), NOW)
    large = gated(model.preflight(worst, NOW), *found)
    for document in (
        large,
        {
            **few,
            "hosts": [
                {**host, "name": f"{host['name']}.{index}"} for index in range(100) for host in few["hosts"]
            ],
        },
        model.verify(
            {name_of(index): examined(2, {f"a::t{index}": "\u00e4" * 600}) for index in range(500)}, NOW
        ),
    ):
        text = text_of(document, ".md")
        assert len(text.encode("utf-8")) < markdown.LARGEST
    assert "For want of room the details of" in text
    assert "other outcomes, of" in text
    assert "\n- and " in text_of(large, ".md")


def test_a_host_of_many_ports_does_not_take_the_room_of_the_others():
    relays = [{"host": f"r{index}.example", "ports": [587]} for index in range(100)]
    result = routed(*["filtered"] * 100, relays=relays)
    text = text_of(model.preflight({"many": result, "other": routed("refused")}, NOW), ".md")
    assert "88 more |" in text
    assert re.search(r"and \d+ more lines\n```", text)
    assert "<summary><code>other</code>" in text


# ------------------------------------------------------------------------------------------------------------- HTML

# What the page may be made of; nothing of it can load or run anything but the one style and the one script.
ELEMENTS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "header",
    "h1",
    "svg",
    "rect",
    "ul",
    "li",
    "span",
    "b",
    "i",
    "br",
    "p",
    "main",
    "section",
    "h2",
    "details",
    "summary",
    "div",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "form",
    "label",
    "input",
    "select",
    "option",
    "button",
    "script",
}
ADDRESSES = {"src", "href", "action", "srcset", "data", "formaction", "style", "background"}


class Page(HTMLParser):
    """A page as a browser reads it: its elements, and the text of each kind."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.found, self.attributes, self.texts = [], [], [], {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "input", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)


def unpacked(packed):
    """What page.js makes of the data."""
    done = []
    for value in packed["values"]:
        if not isinstance(value, list):
            done.append(value)
        elif value[0] < 0:
            done.append([done[place] for place in value[1:]])
        else:
            done.append(dict(zip(packed["shapes"][value[0]], (done[place] for place in value[1:]))))
    return done[-1]


def data_of(text):
    return unpacked(
        json.loads(re.search('<script type="application/json" id="data">(.*?)</script>', text)[1])
    )


@EACH
def test_the_page_is_well_formed_and_asks_for_nothing(document):
    text = text_of(document, ".html")
    page = Page(text)
    assert page.open == []
    assert set(page.found) <= ELEMENTS
    assert [page.found.count(name) for name in ("script", "style", "title", "h1")] == [2, 1, 1, 1]
    names = {name for name, _value in page.attributes}
    assert not names & ADDRESSES
    assert not [name for name in names if name.startswith("on")]
    (style,) = page.texts["style"]
    assert "@import" not in style and "url(" not in style


@EACH
def test_nothing_runs_in_the_page_but_its_own_script(document):
    text = text_of(document, ".html")
    policy = re.search('Content-Security-Policy" content="(.*?)">', text)[1]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    for kind, suffix in (("style", "css"), ("script", "js")):
        (source,) = re.findall(f"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
        assert source == (Path(html_page.__file__).parent / "page" / f"page.{suffix}").read_text()


@EACH
def test_the_page_holds_the_document_once(document):
    found = data_of(text_of(document, ".html"))
    assert found["report"] == document
    places = {}
    for host, place in zip(document["hosts"], found["outcomes"]):
        places.setdefault(place, []).append(host["name"])
    assert [places[place] for place in sorted(places)] == [
        [host["name"] for host in group.hosts] for group in groups(document["hosts"])
    ]


@pytest.mark.parametrize(
    "words",
    [
        HOSTILE,
        "</script><script>alert(1)</script>",
        "<!--<script>",
        "a\u2028b\u2029c",
        "]]>&lt;",
        "\ud800",
        "$data ${x}",
    ],
)
def test_no_words_end_an_element_of_the_page(words):
    told = {**model.preflight({"a": routed("ok"), "b": routed("filtered")}, NOW), "kind": "preflight"}
    for place in ("name", "reasons"):
        told["hosts"][1][place] = words if place == "name" else [words]
    told = gated(told, finding(words, words, words, waived=words), finding("b", words, words))
    text = text_of(told, ".html")
    assert data_of(text)["report"] == told
    (data,) = re.findall('id="data">(.*?)</script>', text)
    assert data.isascii() and data.isprintable() and not set(data) & set("<>&")
    page = Page(text)
    assert page.found.count("script") == 2 and set(page.found) <= ELEMENTS
    assert model.text(words) in page.texts["b"]


def test_equal_parts_of_a_document_are_written_once():
    value = {"a": [1, 1.0, True, None, "1"], "b": [1, 1.0, True, None, "1"], "c": {"a": {}, "b": []}}
    packed = html_page.packed(value)
    assert json.dumps(unpacked(json.loads(json.dumps(packed)))) == json.dumps(value)
    assert len(packed["values"]) == 5 + 1 + 2 + 1 + 1
    assert sorted(packed["shapes"]) == [(), ("a", "b"), ("a", "b", "c")]


@pytest.mark.parametrize("hosts, limit", [(100, 300_000), (1000, 3_000_000)])
@pytest.mark.parametrize("make", [fleet, verified])
def test_the_page_stays_small(hosts, limit, make):
    document = (model.preflight if make is fleet else model.verify)(make(hosts), NOW)
    # Times and words as real hosts have them, none like the other.
    for index, one in enumerate(endpoint for host in document["hosts"] for endpoint in host["endpoints"]):
        one["timings_ms"] = {name: value and value + index / 7 for name, value in one["timings_ms"].items()}
        one["reason"] += f" The server said {index}."
    assert len(text_of(document, ".html").encode()) < limit


def rows_of(text):
    """The table that is there without a script: the texts of each row."""
    (table,) = re.findall('<section id="outcomes".*?</section>', text, re.DOTALL)
    rows = re.findall("<tr>(.*?)</tr>", table, re.DOTALL)
    return [[html.unescape(part) for part in re.split("<[^>]*>", row) if part.strip()] for row in rows]


def test_the_table_of_the_page_needs_no_script():
    head, *rows = rows_of(text_of(model.preflight(fleet(100), NOW), ".html"))
    assert head == ["hosts", "outcome", "provider", "route", "ports"]
    assert "no route" in rows[0] and "unreachable" in rows[2] and "has a route" in rows[3]
    assert rows[0][-9:] == [
        "none",
        "587 ",
        "filtered",
        "2525 ",
        "filtered",
        "465 ",
        "filtered",
        "25 ",
        "filtered",
    ]
    assert "587 starttls" in rows[3]
    names = [part for row in rows for part in row if re.fullmatch(r"web\d+\.example\.com", part)]
    assert sorted(names) == [name_of(index) for index in range(100)]


@pytest.mark.parametrize(
    "name, words",
    [
        ("probe", ["b", "not usable", "587 ", "refused"]),
        (
            "verify",
            ["tls::chain[587]: the relay's certificate does not verify: it has expired; have it renewed"],
        ),
        ("fleet", [FAILED["msg"]]),
    ],
)
def test_the_table_of_the_page_says_why(name, words):
    rows = rows_of(text_of(DOCUMENTS[name], ".html"))
    assert any(set(words) <= set(row) for row in rows)


def test_the_page_of_nobody_says_so():
    text = text_of(DOCUMENTS["empty"], ".html")
    assert "<title>preflight: 0 of 0 hosts have a route</title>" in text
    assert "There are no hosts in this report." in text


def test_what_the_gate_said_is_in_the_page():
    text = text_of(DOCUMENTS["gate"], ".html")
    for words in (
        'The gate <span class="sign bad">failed</span>',
        "It fails for (2)</summary>",
        "<b>b</b>: Because.</span></li>",
        "<b>c</b>: Because. <i>Waived: known outage (until 2027-01-01)</i>",
        "<b>b</b>: relay.example.com:587 was ok and is filtered",
        "<b>a</b>: no longer: it was filtered",
        "waivers[1] matches nothing that fails",
    ):
        assert words in text
    many = gated(DOCUMENTS["gate"], *[finding(f"h{index}", "no_route") for index in range(130)])
    assert "<li>and 30 more</li>" in text_of(many, ".html")


# ---------------------------------------------------------------------------------------------------------- grouping


def test_hosts_with_one_outcome_are_a_group():
    results = {
        "a": routed("ok"),
        "b": routed("ok", provider="gce", index=3),
        "c": routed("filtered"),
        "d": routed("filtered", provider="gce"),
        "e": UNREACHABLE,
        "f": {**UNREACHABLE, "msg": "other words of the same"},
        "g": FAILED,
        "h": {**FAILED, "msg": "another mistake"},
        "i": routed("filtered", index=5),
    }
    found = groups(model.preflight(results, NOW)["hosts"])
    assert ["".join(host["name"] for host in group.hosts) for group in found] == [
        "ci",
        "d",
        "g",
        "h",
        "ef",
        "ab",
    ]
    assert [group.good for group in found] == [False] * 5 + [True]


# -------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("suffix", files.FACES)
def test_equal_findings_make_equal_files_but_for_the_time(tmp_path, suffix):
    path = tmp_path / f"report{suffix}"
    bytes_of = []
    for _run in range(2):
        files.write(model.preflight(fleet(20), NOW), path, "preflight_report")
        bytes_of.append(path.read_bytes())
    assert bytes_of[0] == bytes_of[1]


@pytest.mark.parametrize(
    "asked, words",
    [
        (["report.odt"], "preflight_report: report.odt has the suffix .odt"),
        (["report"], "preflight_report: report has no suffix"),
        (["a.json", "b.pdf"], "one of .json, .xml"),
        (["a.json", "./a.json"], "preflight_report: ./a.json is there twice"),
    ],
)
def test_a_file_whose_format_is_not_known_is_refused(asked, words):
    with pytest.raises(files.ReportError, match=re.escape(words)):
        files.paths(asked, "preflight_report")


def test_a_relative_file_is_below_the_current_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ops")
    found = files.paths(["out/report.JSON", "/tmp/x.md", "~/y.xml"], "x")
    assert [str(path) for path in found] == [f"{tmp_path}/out/report.JSON", "/tmp/x.md", "/home/ops/y.xml"]


def test_a_file_is_replaced_as_a_whole(tmp_path, monkeypatch):
    path = tmp_path / "new" / "deep" / "report.json"
    files.write(DOCUMENTS["probe"], path, "x")
    assert json.loads(path.read_text(encoding="utf-8"))["kind"] == "probe"
    before = path.read_bytes()

    def breaks(document):
        yield "half"
        assert path.read_bytes() == before
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(files.FACES, ".json", breaks)
    with pytest.raises(
        files.ReportError, match=f"^preflight_report: .* {re.escape(str(path))}: No space left on device"
    ):
        files.write(DOCUMENTS["probe"], path, "preflight_report")
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["report.json"]


def test_the_mode_of_a_file_stays_and_a_new_one_has_that_of_the_user(tmp_path):
    new, old, link = tmp_path / "new.json", tmp_path / "old.json", tmp_path / "link.json"
    old.write_text("old")
    old.chmod(0o640)
    link.symlink_to(old)
    (tmp_path / "plain").write_text("")
    for path in (new, link):
        files.write(DOCUMENTS["empty"], path, "x")
    assert new.stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert old.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink() and json.loads(old.read_text())["hosts"] == []


@pytest.mark.parametrize("place", ["file/report.json", "directory.json"])
def test_a_file_that_cannot_be_written_is_told_with_variable_and_path(tmp_path, place):
    (tmp_path / "file").write_text("")
    (tmp_path / "directory.json").mkdir()
    with pytest.raises(files.ReportError, match=r"^verify_report: the report cannot be written to "):
        files.write(DOCUMENTS["empty"], tmp_path / place, "verify_report")


def test_the_names_of_the_cases_are_those_of_the_kinds():
    assert set(junit.OWN_CASE) == set(model.STATES)
    assert set(markdown.SAID) == set(model.WORST_FIRST)


@pytest.mark.parametrize("suffix", [".md", ".html"])
def test_what_a_gate_lets_pass_is_no_failure_of_it(suffix):
    found = DOCUMENTS["gate"]
    for passed in (False, True):
        text = text_of({**found, "gate": {**found["gate"], "passed": passed}}, suffix)
        assert ("Let pass, since so many hosts may fail" in text, "It fails for" in text) == (
            passed,
            not passed,
        )


def test_a_port_that_works_has_no_advice_where_its_certificate_fails():
    text = text_of(DOCUMENTS["gate"], ".xml")
    assert 'type="certificate_days" message="11 days"></failure>' in text
    assert "Nothing to do" not in text
