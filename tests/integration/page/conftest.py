"""Pages of reports, opened in a browser that counts what they ask for and complain about."""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from ansible_collections.mailops.smtp.plugins.plugin_utils.report import files
from browser import chromium, documents
from playwright.sync_api import Browser, Page

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("pages")
    found = {name: directory / f"{name}.html" for name in documents()}
    for name, document in documents().items():
        files.write(document, found[name], "report")
    return found


@pytest.fixture
def opened(browser: Browser, pages: dict[str, Path]) -> Iterator[Open]:
    """Opens a page by its name; whatever it asks for or complains about fails the test in the end."""
    wrong: list[str] = []
    contexts = []

    def opened(name: str, address: str = "", **options: object) -> Page:
        context = browser.new_context(offline=True, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        url = pages[name].as_uri()
        page.on("request", lambda one: one.url.split("#")[0] == url or wrong.append(f"asks for {one.url}"))
        page.on("console", lambda one: wrong.append(f"says {one.text}"))
        page.on("pageerror", lambda one: wrong.append(f"breaks: {one}"))
        page.on("dialog", lambda one: (wrong.append("opens a dialog"), one.dismiss()))
        page.goto(url + address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []
