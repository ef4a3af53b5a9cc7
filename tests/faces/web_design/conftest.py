"""A browser over the gallery, under the real content security policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faces.web_design.site import serving


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the gallery."""
    with serving() as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium: the machine's, else playwright's own; skips with a sentence where there is none."""
    from pathlib import Path

    from playwright.sync_api import Error, sync_playwright

    here = Path("/usr/bin/chromium")
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=here if here.exists() else None,
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
        except Error:
            pytest.skip("No Chromium was found on this machine, so pages cannot be looked at.")
        yield chromium
        chromium.close()


class Looked:
    """A page with everything that its console said."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on(
            "console", lambda line: line.type in ("error", "warning") and self.complaints.append(line.text)
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))


@pytest.fixture
def look(site: str, browser: Any) -> Iterator[Any]:
    """Open a page of the gallery: ``look("/answer", theme="dark", width=390)``."""
    contexts = []

    def open_page(path: str = "/", *, theme: str = "light", width: int = 1280, **options: Any) -> Looked:
        height = 844 if width < 600 else 860
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        looked = Looked(context.new_page())
        joint = "&" if "?" in path else "?"
        looked.page.goto(f"{site}{path}{joint}theme={theme}")
        if options.get("java_script_enabled", True):
            looked.page.wait_for_function("document.fonts.status === 'loaded'")
        return looked

    yield open_page
    for context in contexts:
        context.close()
