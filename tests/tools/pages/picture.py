"""The picture in docs/reports.md: the page of a fleet of 100 hosts, filtered, with the details of one of them.

It needs the Python of the page's own tests and the system's Chromium: make picture. The picture is to be looked at.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / ".build/collections"), str(ROOT / "tests/integration/page")]

from ansible_collections.mailops.smtp.plugins.plugin_utils.report import files, model
from browser import NOW, chromium, fleet
from PIL import Image

PICTURE = ROOT / "docs/images/report.png"
COLOURS = 256


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, chromium() as browser:
        path = Path(directory) / "report.html"
        files.write(model.preflight(fleet(100), NOW), path, "report")
        page = browser.new_page(viewport={"width": 1120, "height": 1180}, color_scheme="light")
        page.goto(path.as_uri())
        page.locator("#verdict").select_option("starttls_stripped")
        for _level in ("outcome", "host"):
            page.locator("#matrix .fold[aria-expanded=false]").first.click()
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        picture = Image.open(io.BytesIO(page.screenshot()))
    # Colours that are rare say as much as the others.
    picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
