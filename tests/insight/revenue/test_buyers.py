"""Buyers from a table of purchases: cohorts, censoring, names from requests, two groups, API and page."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from potager.engines.answers import CannotTell
from potager.engines.behavior.shares import share, share_difference
from potager.ground.lake.service import lake
from potager.insight.revenue import buyers, buyers_compare
from potager.kit import clock
from potager.kit.errors import Invalid

NOW = datetime(2024, 7, 15, 12, tzinfo=UTC)
SCHEMA = pa.schema(
    [
        ("customer", pa.string()), ("ordered_at", pa.timestamp("us")), ("amount", pa.float64()),
        ("order_id", pa.string()), ("note; DROP", pa.string()),
    ]
)  # fmt: skip


def line(who: str | None, day: date, amount: float | None, order: str = "", hour: int = 10) -> dict[str, Any]:
    """One line of an order."""
    moment = datetime(day.year, day.month, day.day, hour)
    return {
        "customer": who,
        "ordered_at": moment,
        "amount": amount,
        "order_id": order or f"{who}-{moment:%m%d%H}",
    }


LINES = [
    line("ann", date(2024, 1, 5), 100.0),
    line("ann", date(2024, 2, 5), 60.0, "two"),
    line("ann", date(2024, 2, 5), 15.0, "two"),  # two lines of one order
    line("ann", date(2024, 4, 30), 20.0),
    line("ben", date(2024, 1, 20), 50.0),
    line("ben", date(2024, 2, 1), -50.0),  # a cancellation: no purchase, and off the revenue
    line("cat", date(2023, 12, 30), -10.0),  # before the first purchase
    line("cat", date(2024, 2, 29), 40.0),
    line("cat", date(2024, 2, 29), 5.0, hour=15),  # a second order on the first day
    line("dan", date(2024, 5, 10), 30.0),
    line(None, date(2024, 3, 3), 99.0),
    line("eve", date(2024, 3, 3), None),
    line("ann", date(2031, 1, 1), 1.0),  # in the future
]


def put_lines(lines: list[dict[str, Any]], load_id: str = "one") -> None:
    """Let the table of purchases hold these lines and no others."""
    lake().overwrite("shop.orders", pa.Table.from_pylist(lines, schema=SCHEMA), load_id=load_id)


@pytest.fixture
def shop(own: Any) -> Any:
    """The small shop on 15 July 2024."""
    put_lines(LINES)
    with clock.held(NOW):
        yield buyers.checked({"table": "shop.orders"})


def test_a_cohort_knows_zero_from_unknown_and_the_last_month_is_partial(shop: buyers.Purchases) -> None:
    found = buyers.grid(shop)
    told = {
        one.month.month: (
            one.buyers,
            one.amount,
            [(cell.state, cell.buyers, cell.amount) for cell in one.cells],
        )
        for one in found.cohorts
    }
    assert told[1] == (
        2,
        150.0,
        [
            ("whole", 2, 150.0),
            ("whole", 1, 25.0),
            ("whole", 0, 0.0),  # nobody of it bought in March: known
            ("whole", 1, 20.0),
            ("partial", 0, 0.0),
        ],
    )
    assert told[2] == (
        1,
        45.0,
        [
            ("whole", 1, 45.0),
            ("whole", 0, 0.0),
            ("whole", 0, 0.0),
            ("partial", 0, 0.0),
            ("unknown", None, None),
        ],
    )
    assert told[5][2] == [("partial", 1, 30.0), *[("unknown", None, None)] * 4]
    assert list(told) == [1, 2, 5]
    assert (found.reach.last, found.reach.rows, found.reach.unnamed_rows) == (date(2024, 5, 10), 12, 1)


def test_what_cancels_out_in_cents_or_is_no_number_is_no_purchase(own: Any) -> None:
    day = date(2024, 1, 5)
    put_lines([line("ann", day, one, "a") for one in (0.1, 0.2, -0.3)] + [line("ben", day, math.nan, "b")])
    with clock.held(NOW):
        assert buyers.grid(buyers.checked({"table": "shop.orders"})).cohorts == ()


def test_columns_are_guessed_from_names_that_fit_their_types(shop: buyers.Purchases) -> None:
    assert shop == buyers.Purchases("shop.orders", "customer", "ordered_at", "amount", "", "order_id")
    assert [one["columns"]["table"] for one in buyers.readable()] == ["shop.orders"]
    assert buyers.checked({"table": "shop.orders", "order": ""}).order == ""


def test_without_orders_a_day_is_a_purchase(shop: buyers.Purchases) -> None:
    days = buyers.checked({"table": "shop.orders", "order": ""})
    assert buyers.grid(days).cohorts == buyers.grid(shop).cohorts
    put_lines(
        [line("ann", date(2024, 1, 5), 100.0, "a"), line("ann", date(2024, 1, 5), -100.0, "b", hour=12)],
        "two",
    )
    assert buyers.grid(days).cohorts == ()  # bought and cancelled on one day
    assert buyers.grid(shop).cohorts[0].buyers == 1


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"table": "shop.orders; DROP TABLE shop.orders"}, "table"),
        ({"table": "information_schema.tables"}, "table"),
        ({"table": "shop.orders", "customer": "1) OR (1=1"}, "customer"),
        ({"table": "shop.orders", "amount": "customer"}, "amount"),
        ({"table": "shop.orders", "at": "amount"}, "at"),
        ({"table": "shop.orders", "times": '"amount"'}, "times"),
    ],
)
def test_only_names_of_the_lake_reach_sql(
    shop: buyers.Purchases, vi: Any, given: dict[str, str], where: str
) -> None:
    with pytest.raises(Invalid) as told:
        buyers.checked(given)
    assert told.value.errors[0].where == where
    assert vi.browser.get("/revenue/buyers", given).status_code == 422
    assert vi.browser.get("/revenue/buyers/people.svg", given).status_code == 422
    query = "&".join(f"{name}={value.replace(';', '%3B')}" for name, value in given.items())
    assert vi.call("get", f"/revenue/buyers/cohorts?{query}").status_code == 422


def test_a_column_with_a_name_like_sql_is_only_a_column(shop: buyers.Purchases) -> None:
    odd = buyers.checked({"table": "shop.orders", "customer": "note; DROP"})
    assert buyers.grid(odd).cohorts == ()


def many() -> list[dict[str, Any]]:
    """January: 60 buyers, of whom 45 come back after 10 + n days; March: 50, of whom 20 do. Data to 10 June."""
    lines = []
    for side, (start, count, back) in enumerate(((date(2024, 1, 1), 60, 45), (date(2024, 3, 1), 50, 20))):
        for at in range(count):
            day = start + timedelta(days=at % 28)
            lines.append(line(f"{side}-{at}", day, 10.0))
            if at < back:
                lines.append(line(f"{side}-{at}", day + timedelta(days=10 + at), 5.0 + at))
    return [*lines, line("last", date(2024, 6, 10), 1.0)]


def test_two_groups_are_compared_over_days_that_all_were_watched_for(own: Any, vi: Any) -> None:
    put_lines([*many(), line("first", date(2023, 8, 1), 1.0)])
    with clock.held(NOW):
        given = buyers.checked({"table": "shop.orders"})
        months = [buyers_compare.months_of(text, "first") for text in ("2024-01", "2024-03")]
        found = buyers_compare.compare_buyers(given, *months)
        assert not isinstance(found, CannotTell)
        # 31 March to 10 June are 71 days: two whole thirties.
        assert (found.reached, found.horizon) == (71, 60)
        assert (found.first.buyers, found.first.watched, found.first.again) == (60, 60, 45)
        assert (found.second.buyers, found.second.watched, found.second.again) == (50, 50, 20)
        one, other = share(45, 60), share(20, 50)
        assert one is not None
        assert other is not None
        assert found.difference == share_difference(one, other)
        assert not isinstance(found.curves, CannotTell)
        assert found.curves.value == pytest.approx(0.35)
        assert found.first.spent.sum == pytest.approx(sum(5.0 + at for at in range(45)))
        assert not isinstance(found.spent, CannotTell)
        assert [one.age for one in found.ages] == [1, 2]
        assert len(found.confounders) == 1  # seasons; both groups lie well after the start of the data
        page = vi.browser.get("/revenue/buyers?table=shop.orders&first=2024-01&second=2024-03&currency=EUR")
        assert page.context["sentence"].startswith(
            "Buyers of January 2024 keep better than those of March 2024"
        )
        said = vi.call("get", "/revenue/buyers/compare?table=shop.orders&first=2024-03&second=2024-01").json()
        assert said["difference"]["value"] == pytest.approx(-0.35)
        assert said["difference"]["high"] < 0
        assert [group["again"] for group in said["groups"]] == [20, 45]
        tables = vi.call("get", "/revenue/buyers/tables").json()
        assert tables[0]["customer"] == "customer"


def test_who_was_not_watched_for_long_enough_is_left_out_of_the_share_and_not_of_the_curve(own: Any) -> None:
    put_lines(many())
    with clock.held(NOW):
        given = buyers.checked({"table": "shop.orders"})
        months = [buyers_compare.months_of(text, "first") for text in ("2024-01", "2024-03")]
        found = buyers_compare.compare_buyers(given, *months, 85)
        assert not isinstance(found, CannotTell)
        # Only those of 1 to 17 March were watched for 85 days.
        assert found.second.watched == sum(at % 28 < 17 for at in range(50)) == 34
        assert found.second.again == sum(at % 28 < 17 for at in range(20))
        assert not isinstance(found.second.curve, CannotTell)
        assert found.second.curve.value == pytest.approx(0.4)
        far = buyers_compare.compare_buyers(given, *months, 99)
        assert not isinstance(far, CannotTell)
        assert isinstance(far.difference, CannotTell)
        assert far.difference.reason == "too_few"
        assert "older customers" in far.confounders[0]  # January is where these data begin


def test_months_and_groups_that_cannot_be_are_refused_with_a_mend(shop: buyers.Purchases, vi: Any) -> None:
    for text in ("2024", "2024-13", "2024-05..2024-03", "2000-01..2024-01", "x", "0000-01"):
        with pytest.raises(Invalid) as told:
            buyers_compare.months_of(text, "second")
        assert told.value.errors[0].where == "second"
    january = buyers_compare.months_of("2024-01", "first")
    with pytest.raises(Invalid, match="share a month"):
        buyers_compare.compare_buyers(shop, january, buyers_compare.months_of("2024-01..2024-02", "second"))
    late = buyers_compare.compare_buyers(shop, january, buyers_compare.months_of("2024-05", "second"))
    assert isinstance(late, CannotTell)
    assert late.reason == "incomplete"
    nobody = buyers_compare.compare_buyers(shop, january, buyers_compare.months_of("2023-01", "second"))
    assert isinstance(nobody, CannotTell)
    page = vi.browser.get("/revenue/buyers?table=shop.orders&first=2024-01&second=soon")
    assert "second" in page.context["form"].errors


def test_the_page_lists_tables_and_says_when_there_are_none(own: Any, ada: Any, vi: Any) -> None:
    assert "No table of the lake has a customer" in vi.browser.get("/revenue/buyers").content.decode()
    put_lines(LINES)
    assert "shop.orders" in vi.browser.get("/revenue/buyers").content.decode()
    assert "/revenue/buyers" in vi.browser.get("/revenue/").content.decode()


def test_an_empty_table_holds_no_purchase(own: Any, vi: Any) -> None:
    put_lines([])
    page = vi.browser.get("/revenue/buyers?table=shop.orders&first=2024-01&second=2024-03")
    assert page.status_code == 200
    assert "holds no purchase" in page.content.decode()
    said = vi.call("get", "/revenue/buyers/cohorts?table=shop.orders").json()
    assert (said["last"], said["cohorts"]) == (None, [])
