"""Harbor, built once through the real program and served for all journeys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.house import House, Looked, serve


@pytest.fixture(scope="session")
def harbor(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Harbor in a data folder of its own."""
    house = House(tmp_path_factory.mktemp("harbor") / "data")
    house.said = house.run("demo", "--build-only").stdout
    return house


@pytest.fixture(scope="session")
def served(harbor: House) -> Iterator[House]:
    """Harbor with its web server running."""
    process = serve(harbor)
    yield harbor
    process.terminate()
    process.wait(timeout=30)


@pytest.fixture(scope="session")
def signed_in(served: House, chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a signed-in browser remembers."""
    path = tmp_path_factory.mktemp("browser") / "state.json"
    context = chromium.new_context()
    page = context.new_page()
    page.goto(served.door("/questions/"))
    assert page.url.endswith("/questions/")
    context.storage_state(path=path)
    context.close()
    return path


@pytest.fixture
def look(served: House, chromium: Any, signed_in: Path) -> Iterator[Any]:
    """Open a page: ``look("/questions/", dark=True, width=390)``; signed in unless ``stranger``."""
    contexts = []

    def opened(
        path: str, *, dark: bool = False, width: int = 1280, stranger: bool = False, **options: Any
    ) -> Looked:
        context = chromium.new_context(
            viewport={"width": width, "height": 844},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            storage_state=None if stranger else signed_in,
            base_url=served.address,
            **options,
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        looked = Looked(context.new_page())
        looked.page.goto(path)
        return looked

    yield opened
    for context in contexts:
        context.close()
