"""The real file: do December 2010 buyers keep better than those of spring 2011? Against a plain second count."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pyarrow.parquet as pq
import pytest

from potager.connectors.files import inspect, read
from potager.demo.retail.columns import TABLE, plan_for
from potager.engines.answers import CannotTell
from potager.ground.lake.lake import Lake
from potager.insight.revenue import buyers, buyers_compare
from tests.insight.lakes import own_lake, place_in

pytestmark = pytest.mark.retail
THROUGH = date(2011, 12, 9)
Orders = dict[str, list[tuple[datetime, float]]]


@pytest.fixture(scope="module")
def place(retail_file: Path, tmp_path_factory: Any) -> dict[str, str]:
    """Where the lake is that the file was read into."""
    where = place_in(tmp_path_factory.mktemp("retail-buyers"))
    lake = Lake(where["catalog_uri"], where["files"])
    with read(retail_file, plan_for(inspect(retail_file))) as reading:
        lake.overwrite(TABLE, reading.batches, load_id="all")
    lake.close()
    return where


@pytest.fixture
def shop(place: dict[str, str], settings: Any) -> Iterator[buyers.Purchases]:
    """The file as purchases, its columns as guessed."""
    with own_lake(settings, place):
        yield buyers.checked({"table": TABLE})


@pytest.fixture(scope="module")
def orders(retail_file: Path) -> Orders:
    """The second reading, in plain Python: each customer's orders, a moment and a sum, in order of time."""
    table = pq.read_table(retail_file)
    names = {name.lower().replace("_", "").replace(" ", ""): name for name in table.column_names}
    columns = [
        table[names[name]].to_pylist()
        for name in ("customerid", "invoiceno", "invoicedate", "quantity", "unitprice")
    ]
    sums: dict[tuple[str, str], tuple[datetime, float]] = {}
    for who, code, moment, quantity, price in zip(*columns, strict=True):
        if who in (None, ""):
            continue
        key = str(who).removesuffix(".0"), str(code)
        before = sums.get(key, (moment, 0.0))
        sums[key] = min(before[0], moment), before[1] + quantity * price
    found: Orders = defaultdict(list)
    for (who, _), order in sums.items():
        found[who].append(order)
    return {who: sorted(each) for who, each in found.items()}


@pytest.fixture(scope="module")
def began(orders: Orders) -> dict[str, datetime]:
    """When each buyer first bought: the first order above 0."""
    firsts = {who: [moment for moment, amount in each if amount > 0] for who, each in orders.items()}
    return {who: min(each) for who, each in firsts.items() if each}


def _age(first: datetime, later: datetime) -> int:
    return (later.year - first.year) * 12 + later.month - first.month


def test_the_grid_is_that_of_a_plain_count_in_people_and_in_revenue(
    shop: buyers.Purchases, orders: Orders, began: dict[str, datetime]
) -> None:
    people: dict[tuple[date, int], set[str]] = defaultdict(set)
    money: dict[tuple[date, int], float] = defaultdict(float)
    for who, first in began.items():
        cohort = date(first.year, first.month, 1)
        for moment, amount in orders[who]:
            if moment < first:
                continue
            money[cohort, _age(first, moment)] += amount
            if amount > 0:
                people[cohort, _age(first, moment)].add(who)
    grid = buyers.grid(shop)
    assert (grid.reach.last, grid.reach.buyers, grid.reach.unnamed_rows) == (THROUGH, len(began), 135_080)
    assert len(grid.cohorts) == 13
    for cohort in grid.cohorts:
        assert cohort.buyers == len(people[cohort.month, 0])
        for cell in cohort.cells:
            ends = date(cohort.month.year + (cohort.month.month + cell.age - 1) // 12,
                        (cohort.month.month + cell.age - 1) % 12 + 1, 1)  # fmt: skip
            if ends > THROUGH:
                assert (cell.state, cell.buyers, cell.amount) == ("unknown", None, None)
                continue
            # The file ends on 9 December 2011, so that month is partial.
            assert cell.state == ("partial" if ends == date(2011, 12, 1) else "whole")
            assert cell.buyers == len(people[cohort.month, cell.age])
            assert cell.amount == pytest.approx(money[cohort.month, cell.age], abs=0.01)


def _newcombe(a: int, n: int, b: int, m: int) -> tuple[float, float, float]:
    """Newcombe's method 10, written out."""
    z = NormalDist().inv_cdf(0.975)

    def wilson(x: int, k: int) -> tuple[float, float]:
        middle, spread = x + z * z / 2, z * math.sqrt(x * (k - x) / k + z * z / 4)
        return (middle - spread) / (k + z * z), (middle + spread) / (k + z * z)

    p, q, (l1, u1), (l2, u2) = a / n, b / m, wilson(a, n), wilson(b, m)
    low = p - q - math.sqrt((p - l1) ** 2 + (u2 - q) ** 2)
    return p - q, low, p - q + math.sqrt((u1 - p) ** 2 + (q - l2) ** 2)


def test_december_buyers_keep_better_than_spring_buyers_over_the_same_180_days(
    shop: buyers.Purchases, orders: Orders, began: dict[str, datetime]
) -> None:
    found = buyers_compare.compare_buyers(
        shop,
        buyers_compare.months_of("2010-12", "first"),
        buyers_compare.months_of("2011-03..2011-05", "second"),
    )
    assert not isinstance(found, CannotTell)
    assert (found.reached, found.horizon) == (192, 180)
    counts = []
    for months in ({(2010, 12)}, {(2011, 3), (2011, 4), (2011, 5)}):
        group = {who for who, first in began.items() if (first.year, first.month) in months}
        again = {
            who
            for who in group
            if any(
                amount > 0 and timedelta(days=1) <= moment.date() - began[who].date() <= timedelta(days=180)
                for moment, amount in orders[who]
            )
        }
        spent = sum(
            amount
            for who in group
            for moment, amount in orders[who]
            if timedelta(days=1) <= moment.date() - began[who].date() <= timedelta(days=180)
        )
        counts.append((len(group), len(again), spent))
    (n, a, first_spent), (m, b, second_spent) = counts
    assert (found.first.buyers, found.first.again) == (n, a) == (885, 645)
    assert (found.second.buyers, found.second.again) == (m, b) == (1036, 606)
    assert found.first.spent.sum == pytest.approx(first_spent, abs=0.01)
    assert found.second.spent.sum == pytest.approx(second_spent, abs=0.01)
    told = found.difference
    assert not isinstance(told, CannotTell)
    assert (told.value, told.low, told.high) == pytest.approx(_newcombe(a, n, b, m))
    assert (told.value, told.low, told.high) == pytest.approx((0.144, 0.102, 0.185), abs=0.0005)
    # Everybody was watched for 180 days, so the survival curves say the same share, with Greenwood's range.
    curves = found.curves
    assert not isinstance(curves, CannotTell)
    assert curves.value == pytest.approx(told.value)
    error = math.sqrt(a / n * (1 - a / n) / n + b / m * (1 - b / m) / m)
    assert curves.high - curves.value == pytest.approx(NormalDist().inv_cdf(0.975) * error)
    # What is said beside it: the data begin in December 2010, so its buyers include older customers.
    assert "left truncation" in found.confounders[0]
    assert "December 2010" in found.confounders[0]
    assert len(found.ages) == 6


def test_beyond_what_all_were_watched_for_the_curve_counts_each_for_as_long_as_it_can(
    shop: buyers.Purchases, orders: Orders, began: dict[str, datetime]
) -> None:
    found = buyers_compare.compare_buyers(
        shop,
        buyers_compare.months_of("2010-12", "first"),
        buyers_compare.months_of("2011-03..2011-05", "second"),
        250,
    )
    assert not isinstance(found, CannotTell)
    waits = []
    for who, first in began.items():
        if first.year == 2011 and 3 <= first.month <= 5:
            later = [
                moment.date() for moment, amount in orders[who] if amount > 0 and moment.date() > first.date()
            ]
            back = (min(later) - first.date()).days if later else None
            waits.append((back if back is not None else (THROUGH - first.date()).days, back is not None))
    kept = 1.0
    for day in sorted({days for days, again in waits if again and days <= 250}):
        kept *= 1 - waits.count((day, True)) / sum(days >= day for days, _ in waits)
    assert not isinstance(found.second.curve, CannotTell)
    assert found.second.curve.value == pytest.approx(1 - kept)
    assert found.second.watched < found.second.buyers == len(waits)


def test_the_page_answers_the_question_with_its_interval_and_its_doubt(
    shop: buyers.Purchases, vi: Any
) -> None:
    query = f"table={TABLE}&first=2010-12&second=2011-03..2011-05&currency=GBP"
    page = vi.browser.get(f"/revenue/buyers?{query}")
    assert page.context["sentence"].replace("\u00a0", " ") == (
        "Buyers of December 2010 keep better than those of March to May 2011: 72.9 % of them bought again within 180 "
        "days, against 58.5 %; 14.4 pp more, between 10 and 19 pp."
    )
    assert "older customers" in page.content.decode()
    assert [one["title"] for one in page.context["charts"]] == [
        "Share of buyers who bought again, month by month",
        "Net revenue of each month, as a share of the first month's",
    ]
    for one in page.context["charts"]:
        for form in ("image", "spec", "png"):
            assert vi.browser.get(one[form]).status_code == 200
    said = vi.call(
        "get", f"/revenue/buyers/compare?table={TABLE}&first=2010-12&second=2011-03..2011-05"
    ).json()
    assert said["difference"]["value"] == pytest.approx(0.14387, abs=1e-5)
    assert said["groups"][0]["share"]["part"] == 645
