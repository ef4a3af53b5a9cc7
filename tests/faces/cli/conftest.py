"""A small installation in a folder of its own, spoken to as people do: through the program."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.house import House, serve

ORDERS = ["day,country,amount,customer"] + [
    f"2026-{month:02}-{day:02},{'Germany' if (day + month) % 3 else 'France'},{day * month},c{day % 9}"
    for month in (1, 2, 3)
    for day in range(1, 29)
]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A shop whose owner imported a file and published the metrics proposed for it."""
    house = House(tmp_path_factory.mktemp("shop") / "data")
    house.run("setup", "--email", "ada@example.org", "--name", "Ada", "--password", "a garden of one's own")
    file = tmp_path_factory.mktemp("files") / "orders.csv"
    file.write_text("\n".join(ORDERS) + "\n")
    house.said = house.run("import", str(file), "--table", "shop.orders", "--yes").stdout
    house.run("metrics", "new", "shop.orders", "--publish")
    return house


@pytest.fixture(scope="session")
def shop_served(shop: House) -> Iterator[House]:
    """The shop with its web server running."""
    process = serve(shop)
    yield shop
    process.terminate()
    process.wait(timeout=30)
