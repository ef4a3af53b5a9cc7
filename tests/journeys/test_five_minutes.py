"""A newcomer with the real retail file as it is downloaded: commands to a true answer, and the same in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.journeys.house import House, Looked, serve

pytestmark = [pytest.mark.journey, pytest.mark.retail]
RENAMED = {
    "invoice_no": "InvoiceNo", "stock_code": "StockCode", "description": "Description", "quantity": "Quantity",
    "invoice_date": "InvoiceDate", "unit_price": "UnitPrice", "customer_id": "CustomerID", "country": "Country",
}  # fmt: skip
QUESTION = "Why did revenue change in November 2011?"


@pytest.fixture(scope="module")
def csv(retail_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file as CSV, with the columns named as the repository names them."""
    path = tmp_path_factory.mktemp("download") / "online_retail.csv"
    named = ", ".join(f'{old} AS "{new}"' for old, new in RENAMED.items())
    duckdb.sql(f"COPY (SELECT {named} FROM '{retail_file}') TO '{path}' (HEADER)")
    return path


@pytest.fixture(scope="module")
def newcomer(csv: Path, tmp_path_factory: pytest.TempPathFactory) -> House:
    """An installation after the README's commands, up to the question."""
    house = House(tmp_path_factory.mktemp("newcomer") / "data")
    house.run("setup", "--email", "ada@example.org", "--name", "Ada", "--password", "a garden of one's own")
    house.said = house.run("import", str(csv), "--table", "shop.orders", "--yes").stdout
    house.said += house.run("metrics", "new", "shop.orders", "--publish").stdout
    return house


@pytest.fixture(scope="module")
def page(newcomer: House, chromium: Any) -> Iterator[Looked]:
    """A browser that came in through the door."""
    server = serve(newcomer)
    context = chromium.new_context(viewport={"width": 1280, "height": 844}, base_url=newcomer.address)
    context.set_default_timeout(20_000)
    looked = Looked(context.new_page())
    looked.page.goto(newcomer.door("/metrics/"))
    yield looked
    context.close()
    server.terminate()
    server.wait(timeout=30)


def change(path: Path) -> float:
    """November's revenue less October's, the naive way."""
    found = duckdb.sql(
        f"""SELECT sum(quantity * unit_price) FILTER (month(invoice_date) = 11)
            - sum(quantity * unit_price) FILTER (month(invoice_date) = 10)
            FROM '{path}' WHERE year(invoice_date) = 2011"""
    ).fetchall()
    return float(found[0][0])


def test_five_commands_lead_to_a_true_answer(newcomer: House, retail_file: Path) -> None:
    assert "541,909 rows in shop.orders, 0 set aside." in newcomer.said
    assert 'Next: potager ask "why did revenue change last month?"' in newcomer.said
    answer = json.loads(newcomer.run("--json", "ask", QUESTION).stdout)
    assert answer["estimate"] == pytest.approx(change(retail_file), abs=0.01)
    assert answer["verdict"] == "yes" and answer["receipt"]["digest"]


def test_the_browser_gives_the_same_answer(page: Looked, newcomer: House) -> None:
    there = page.page
    assert there.get_by_role("link", name="Revenue per customer").count() > 0
    there.goto("/ask")
    there.locator("main input[name=q]").fill(QUESTION)
    there.locator("main").get_by_role("button", name="Ask").click()
    there.get_by_role("button", name="Answer this").click()
    there.locator(".answer-sentence").wait_for()
    sentence = there.locator(".answer-sentence").inner_text().replace("\u2060", "")
    assert sentence == json.loads(newcomer.run("--json", "ask", QUESTION).stdout)["statement"]
    assert page.complaints == []


def test_the_same_file_again_adds_nothing(newcomer: House, csv: Path) -> None:
    said = newcomer.run("import", str(csv), "--table", "shop.orders", "--yes").stdout
    assert "nothing was added" in said
    orders = ("metrics", "value", "get", "orders", "--period", "2010-12-01..2011-12-09")
    assert json.loads(newcomer.run("--json", *orders).stdout)["value"] == 541_909
