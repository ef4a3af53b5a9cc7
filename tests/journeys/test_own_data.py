"""A file of one's own: uploaded, imported by the worker, undone as one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.journeys.house import House

pytestmark = pytest.mark.journey


def test_a_file_is_uploaded_imported_and_undone(look: Any, served: House, tmp_path: Path) -> None:
    file = tmp_path / "visits.csv"
    rows = [f"2026-0{1 + n % 3}-11,{'DE' if n % 2 else 'FR'},{n}" for n in range(60)]
    file.write_text("\n".join(["day,country,visits", *rows, "not a day,DE,7"]) + "\n")
    looked = look("/data/upload")
    page = looked.page
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("heading", name="What becomes what").wait_for()
    address = page.url
    assert page.get_by_role("textbox", name="Name of country").input_value() == "country"
    page.get_by_role("combobox", name="Type of day").select_option("date")
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url(address)
    served.run("worker", "--once")
    page.goto(address)
    facts = page.locator("dl.facts").inner_text()
    assert "60" in facts and "1" in facts
    with page.expect_download() as download:
        page.get_by_role("link", name="Download them with their reasons").click()
    assert "not a day" in Path(download.value.path()).read_text()
    page.goto("/data/tables/data.visits")
    assert "60" in page.locator("dl.facts").inner_text()
    page.goto(address)
    page.get_by_role("button", name="Undo this import").click()
    served.run("worker", "--once")
    page.goto("/data/tables/data.visits")
    assert page.locator("dl.facts dd").first.inner_text() == "0"
    assert looked.complaints == []
