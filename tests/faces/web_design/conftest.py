"""A browser over the gallery, under the real content security policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faces.web_design.site import serving
from tests.journeys.house import Looked


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the gallery."""
    with serving() as address:
        yield address


@pytest.fixture
def look(site: str, chromium: Any) -> Iterator[Any]:
    """Open a page of the gallery: ``look("/answer", theme="dark", width=390)``."""
    contexts = []

    def open_page(path: str = "/", *, theme: str = "light", width: int = 1280, **options: Any) -> Looked:
        height = 844 if width < 600 else 860
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
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
