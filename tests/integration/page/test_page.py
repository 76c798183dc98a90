"""The page of a report in a real browser: what people see of it, do to it, and what servers cannot do to it."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import html5lib
import pytest
from ansible_collections.mailops.smtp.plugins.plugin_utils.report import model
from axe_playwright_python.sync_playwright import Axe
from browser import HOSTILE, documents, name_of
from playwright.sync_api import expect

NAMES = sorted(documents())
EACH = pytest.mark.parametrize("name", NAMES)
# Of the preflight: without a route and waived, without a route and worse than before, and usable by one port.
LOST, WORSE, ONE_WAY = name_of(15), name_of(19), name_of(11)


def shown(page):
    """The hosts whose rows are seen."""
    return page.locator("tr.host .fold").all_inner_texts()


def button(page, host):
    return page.locator("tr.host .fold", has_text=host)


# ------------------------------------------------------------------------------------------------ every page


@EACH
def test_the_page_is_valid_html(pages, name):
    html5lib.HTMLParser(strict=True).parse(pages[name].read_text(encoding="utf-8"))


@EACH
@pytest.mark.parametrize("scheme, width", [("light", 1280), ("dark", 360)])
def test_everybody_can_use_the_page(opened, name, scheme, width):
    page = opened(name, color_scheme=scheme, viewport={"width": width, "height": 800})
    while page.locator("#gate details:not([open]) summary").count():
        page.locator("#gate details:not([open]) summary").first.click()
    while (
        page.locator("#matrix .fold[aria-expanded=false]").count() and page.locator("tr.details").count() < 3
    ):
        page.locator("#matrix .fold[aria-expanded=false]").first.click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    # Whatever is too wide moves inside its own box.
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["preflight", "verify"])
def test_everybody_can_use_the_table_that_needs_no_script(opened, name, scheme):
    page = opened(name, color_scheme=scheme)
    page.evaluate(
        "document.getElementById('outcomes').hidden = false; document.getElementById('hosts').hidden = true"
    )
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@EACH
def test_without_a_script_the_table_is_read(opened, name):
    page = opened(name, java_script_enabled=False)
    expect(page.locator("#outcomes")).to_be_visible()
    expect(page.locator("#hosts")).to_be_hidden()
    text = page.locator("#outcomes").inner_text()
    for host in documents()[name]["hosts"][:3]:
        assert " ".join(host["name"].split()) in " ".join(text.split())


def test_the_title_is_the_headline(opened):
    page = opened("preflight")
    assert page.title() == model.headline(documents()["preflight"])
    assert page.locator("html").get_attribute("lang") == "en"


# ------------------------------------------------------------------------------------------------ details


def test_details_are_opened_by_a_click_and_closed_by_another(opened):
    page = opened("preflight", f"#host={ONE_WAY}")
    expect(button(page, ONE_WAY)).to_have_attribute("aria-expanded", "false")
    button(page, ONE_WAY).click()
    expect(button(page, ONE_WAY)).to_have_attribute("aria-expanded", "true")
    details = page.locator(f"#{button(page, ONE_WAY).get_attribute('aria-controls')}")
    for words in (
        "relay.example.com:587 starttls",
        "has its STARTTLS removed on the way",
        "A middlebox between this host and relay.example.com prevents encryption on port 587",
        "relay.example.com ESMTP Postfix",
        "PIPELINING, SIZE 10240000, AUTH PLAIN LOGIN, 8BITMIME",
        "TLSv1.3, TLS_AES_256_GCM_SHA384",
        "64 days left of 123",
        "C=US, O=Example Trust, CN=E5",
        "relay.example.com 2525 starttls",
        "Decided by",
    ):
        expect(details).to_contain_text(words)
    button(page, ONE_WAY).click()
    expect(page.locator("tr.details")).to_have_count(0)


def test_the_waterfall_and_the_certificate_are_drawn_as_they_are(opened):
    page = opened("preflight", f"#host={ONE_WAY}&show={ONE_WAY}")
    card = page.locator("div.card", has_text="relay.example.com:2525")
    endpoint = next(host for host in documents()["preflight"]["hosts"] if host["name"] == ONE_WAY)[
        "endpoints"
    ][1]
    times = {name: value for name, value in endpoint["timings_ms"].items() if value is not None}
    total = times.pop("total")
    rows = card.locator(".waterfall tr")
    assert rows.count() == len(times) + 1
    before = 0.0
    for row, (name, value) in zip(rows.all(), times.items()):
        assert row.inner_text().split() == [name, f"{value:g}", "ms"]
        track, bar = row.locator(".track").bounding_box(), row.locator(".filled").bounding_box()
        assert (bar["x"] - track["x"]) / track["width"] == pytest.approx(before / total, abs=0.02)
        assert bar["width"] / track["width"] == pytest.approx(value / total, abs=0.02)
        before += value
    track = card.locator(".certificate .track").bounding_box()
    bar = card.locator(".certificate .filled").bounding_box()
    assert bar["width"] / track["width"] == pytest.approx(64 / 123, abs=0.01)


def test_keys_move_open_and_close(opened):
    page = opened("preflight", "#by=none")
    first, second = shown(page)[:2]
    button(page, first).focus()
    page.keyboard.press("ArrowDown")
    expect(button(page, second)).to_be_focused()
    page.keyboard.press("Enter")
    expect(button(page, second)).to_have_attribute("aria-expanded", "true")
    expect(button(page, second)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    expect(page.locator("tr.details")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(button(page, first)).to_have_attribute("aria-expanded", "false")
    expect(button(page, first)).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    # The details of that endpoint have the focus; Escape leads back.
    expect(page.locator("div.card", has_text="relay.example.com:2525").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(button(page, first)).to_be_focused()
    assert page.locator("tr.details").count() == 1


def test_tab_goes_from_host_to_host(opened):
    page = opened("preflight", "#by=none")
    first, second = shown(page)[:2]
    button(page, first).focus()
    page.keyboard.press("Tab")
    expect(button(page, second)).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_what_the_gate_said_of_a_host_is_in_its_details(opened):
    page = opened("preflight", f"#by=none&show={LOST}&show={WORSE}")
    told = page.locator(f"tr.details[data-host='{LOST}']")
    expect(told).to_contain_text("Gate, no_route: as above; waived: moved next week (until 2027-01-01)")
    expect(page.locator(f"tr.details[data-host='{WORSE}']")).to_contain_text(
        "Worse than the baseline: as above"
    )
    expect(page.locator("#gate")).to_contain_text("Better than the baseline")


def test_tests_are_shown_with_outcome_and_reason(opened):
    page = opened("verify", f"#host={name_of(9)}&show={name_of(9)}")
    row = page.locator("tr.host")
    assert [cell.split("(")[0].split() for cell in row.locator("td").all_inner_texts()] == [
        ["\u2013", "1"], ["✓", "1"], ["✕", "1"], ["✓", "1"], ["✓", "38"], ["✕", "failed"],
    ]  # fmt: skip
    details = page.locator("tr.details")
    expect(details).to_contain_text("tls::chain[587]: the relay's certificate does not verify")
    expect(details).to_contain_text("host::clock: no ntp")
    expect(details).to_contain_text("250 2.0.0 Ok: queued as 8DBA71A8043")
    details.locator("summary", has_text="38 passed").click()
    expect(details).to_contain_text("relaying::refuses[7]")


def test_many_relays_are_columns_of_ports(opened):
    page = opened("relays")
    assert page.locator("#matrix thead th").all_inner_texts()[2:-1] == ["25 opportunistic", "587 starttls"]
    page.locator("tr.host", has_text="a").first.locator(".fold").click()
    assert page.locator("div.card").count() == 18


def test_listeners_of_other_hosts_are_columns_beside_the_ports_of_the_relay(opened):
    page = opened("mesh")
    heads = page.locator("#matrix thead th").all_inner_texts()[2:-1]
    assert heads == ["587 starttls", "2525 starttls", "to mail1: 587 starttls", "to mail1: 465 implicit"]
    row = page.locator("tr.host", has_text="web1")
    signs = [cell.split()[0] for cell in row.locator("td").all_inner_texts()[1:-1]]
    # What is closed at the relay is not needed; what is closed at a server is.
    assert signs == ["○", "✓", "✓", "✕"]
    row.locator(".fold").click()
    expect(page.locator("tr.details")).to_contain_text("mail1 at mail1.example.com:465 implicit")
    expect(page.locator("tr.details")).to_contain_text("have it opened in the firewall of mail1")


# ------------------------------------------------------------------------------------------------ the matrix


def test_the_worst_comes_first_and_equal_hosts_are_a_group(opened):
    page = opened("preflight")
    rows = page.locator("#matrix tbody tr")
    assert "no route" in rows.first.inner_text()
    assert "route" not in rows.last.locator("td").last.inner_text()
    group = page.locator("tr.group").last
    hosts = int(group.locator(".fold").inner_text().split()[0])
    before = len(shown(page))
    group.locator(".fold").click()
    assert len(shown(page)) == before + hosts
    page.locator("#all").click()
    assert len(shown(page)) == 30
    page.locator("#all").click()
    assert len(shown(page)) == before


def test_providers_are_groups(opened):
    page = opened("preflight")
    page.locator("#by").select_option("provider")
    titles = page.locator("tr.group .fold").all_inner_texts()
    assert titles == sorted(titles) and "Hetzner Cloud" in titles
    row = page.locator("tr.group", has_text="Hetzner Cloud")
    assert row.locator("th .quiet").inner_text() == "6 hosts"
    row.locator(".fold").click()
    assert len(shown(page)) == 6


def test_a_verdict_is_told_by_form_and_word_and_not_by_colour_alone(opened):
    page = opened("preflight", "#by=none")
    page.get_by_role("button", name="Show 5 of 5 more").click()
    assert len(shown(page)) == 30
    signs = {sign.inner_text().split("\u00a0")[0] for sign in page.locator("#matrix .sign").all()}
    assert signs == {"✕", "✓", "○", "!"}
    for sign in page.locator("#matrix .sign").all():
        assert len(sign.inner_text().split()) > 1


# ------------------------------------------------------------------------------------------------ the filter


@pytest.mark.parametrize(
    "field, value, hosts",
    [
        ("host", "WEB0012", [ONE_WAY]),
        ("text", "middlebox 2525", [ONE_WAY]),
        ("text", "no such words", []),
        ("text", "moved next week", [LOST]),
        ("verdict", "starttls_stripped", [ONE_WAY]),
        ("verdict", "host:no_route", [LOST, WORSE]),
        ("provider", "DigitalOcean", [name_of(index) for index in (3, 8, 13, 18, 23, 28)]),
    ],
)
def test_a_filter_is_in_the_address_and_the_address_is_a_filter(opened, field, value, hosts):
    page = opened("preflight")
    control = page.locator(f"#{field}")
    control.select_option(value) if field in ("verdict", "provider") else control.fill(value)
    assert sorted(shown(page)) == sorted(hosts)
    expect(page.locator("#count")).to_contain_text(f"{len(hosts)} of 30 hosts")
    assert f"{field}=" in page.url
    again = opened("preflight", page.url[page.url.index("#") :])
    assert sorted(shown(again)) == sorted(hosts)
    assert again.locator(f"#{field}").input_value() == value
    again.locator("#clear").click()
    expect(again.locator("#count")).to_contain_text("30 of 30 hosts")


def test_filters_add_up(opened):
    page = opened("preflight")
    page.locator("#provider").select_option("DigitalOcean")
    page.locator("#verdict").select_option("ok")
    page.locator("#host").fill("web001")
    assert sorted(shown(page)) == [name_of(13), name_of(18)]


def test_back_comes_back(opened):
    page = opened("preflight")
    page.locator("#verdict").select_option("starttls_stripped")
    button(page, ONE_WAY).click()
    page.locator("#text").press_sequentially("relay")
    expect(page.locator("tr.details")).to_have_count(1)
    # What is typed is no step of its own.
    page.go_back()
    expect(page.locator("tr.details")).to_have_count(0)
    expect(page.locator("#text")).to_have_value("")
    expect(page.locator("#verdict")).to_have_value("starttls_stripped")
    page.go_back()
    expect(page.locator("#verdict")).to_have_value("")
    expect(page.locator("#count")).to_contain_text("30 of 30 hosts")
    page.go_forward()
    assert shown(page) == [ONE_WAY]


@pytest.mark.parametrize(
    "address", ["#%", "#verdict=<script>&open=x&show=nobody", "#by=constructor", "#text=%00%ff"]
)
def test_any_address_shows_a_page(opened, address):
    page = opened("preflight", address)
    expect(page.locator("#hosts")).to_be_visible()
    expect(page.locator("#count")).to_contain_text("of 30 hosts")


# ------------------------------------------------------------------------------------------------ paper and screens


def test_on_paper_what_fails_is_open_and_nothing_is_to_be_pressed(opened):
    page = opened("preflight")
    page.emulate_media(media="print")
    expect(page.locator("#filter")).to_be_hidden()
    told = page.locator("tr.details").evaluate_all("rows => rows.map(row => row.dataset.host)")
    assert sorted(told) == sorted([LOST, WORSE])
    page.set_viewport_size({"width": 720, "height": 1000})
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    page.emulate_media(media="screen")
    expect(page.locator("tr.details")).to_have_count(0)
    assert page.pdf().startswith(b"%PDF")


def test_dark_is_dark_and_paper_is_white(opened):
    page = opened("preflight", color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(14, 18, 24)"
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(background) == "rgb(255, 255, 255)"


# ------------------------------------------------------------------------------------------------ hostile servers


@pytest.mark.parametrize("name", ["hostile", "hostile_tests"])
def test_the_words_of_a_server_are_words(opened, name):
    page = opened(name)
    expected = "return [document.images, document.links, document.scripts, document.forms].map(all => all.length).join()"
    while page.locator("#matrix .fold[aria-expanded=false]").count():
        page.locator("#matrix .fold[aria-expanded=false]").first.click()
    assert page.evaluate(f"(() => {{ {expected} }})()") == "0,0,2,1"
    assert page.locator("iframe, object, embed, audio, video, base, link").count() == 0
    details = page.locator("tr.details").first.inner_text()
    words = model.text(HOSTILE)
    assert words[:40] in details and "\u202e" not in page.locator("body").inner_text()
    assert page.evaluate(
        "[...document.querySelectorAll('*')].every(one => one.getAttributeNames().every("
        "name => !name.startsWith('on') && name !== 'style' || one.className.startsWith('filled')))"
    )


def test_a_script_from_elsewhere_does_not_run(browser, pages, tmp_path):
    """The policy holds where something has put more into the file."""
    page = browser.new_page()
    said = []
    page.on("console", lambda one: said.append(one.text))
    other = tmp_path / "other.html"
    text = pages["probe"].read_text(encoding="utf-8")
    other.write_text(
        text.replace("</body>", "<script>document.title = 'taken'</script></body>"), encoding="utf-8"
    )
    page.goto(other.as_uri())
    assert page.title() != "taken"
    assert "Content Security Policy" in " ".join(said)
    page.close()
