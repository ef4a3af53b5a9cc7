"""Currencies: rates as of a day, converted steps, and the currency line that makes the movements balance."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.engines.finance import (
    FinanceError,
    Rate,
    RateTable,
    balance,
    convert_steps,
    movements,
)
from tests.engines.finance.histories import day, random_steps, rows_of, steps_table

RATES = RateTable(
    "USD",
    [
        Rate("EUR", day(0), Decimal("1.10")),
        Rate("EUR", day(31), Decimal("1.20")),
        Rate("EUR", day(60), Decimal("1.05")),
    ],
)


def test_a_rate_holds_from_its_day_until_the_next():
    assert [RATES.convert(1_000, "EUR", day(at)) for at in (0, 30, 31, 59, 60, 900)] == [
        1_100,
        1_100,
        1_200,
        1_200,
        1_050,
        1_050,
    ]
    assert RATES.convert(1_234, "USD", day(-400)) == 1_234
    assert RATES.convert(-5, "EUR", day(0)) == -6  # −5.5, halves away from zero


def test_a_change_of_rates_is_a_movement_of_its_own():
    steps = steps_table(
        [("a", day(10), 1_000, "EUR"), ("a", day(31), 1_500, "EUR"), ("a", day(70), 0, "EUR")]
    )
    converted = convert_steps(steps, RATES)
    moved = movements(converted)
    assert rows_of(moved, "date", "kind", "cents") == [
        (day(10), "new", 1_100),
        (day(31), "expansion", 600),
        (day(31), "currency", 100),
        (day(60), "currency", -225),
        (day(70), "churn", -1_575),
    ]
    assert balance(converted, moved) == 4


def test_the_rate_of_the_day_of_purchase_moves_nothing():
    steps = steps_table(
        [("a", day(10), 1_000, "EUR"), ("a", day(40), 1_500, "EUR"), ("a", day(70), 0, "EUR")]
    )
    again = pa.concat_tables([steps, steps_table([("a", day(80), 1_000, "EUR")])])
    converted = convert_steps(again, RATES, "at_purchase")
    assert rows_of(movements(converted), "date", "kind", "cents") == [
        (day(10), "new", 1_100),
        (day(40), "expansion", 550),
        (day(70), "churn", -1_650),
        (day(80), "reactivation", 1_050),
    ]


def test_a_customer_who_pays_in_two_currencies_has_one_history():
    steps = steps_table([("a", day(0), 1_000, "USD"), ("a", day(5), 100, "EUR"), ("a", day(40), 0, "USD")])
    converted = convert_steps(steps, RATES)
    assert rows_of(movements(converted), "date", "kind", "cents") == [
        (day(0), "new", 1_000),
        (day(5), "expansion", 110),
        (day(31), "currency", 10),
        (day(40), "contraction", -1_000),
        (day(60), "currency", -15),
    ]
    assert set(rows_of(converted, "currency", "active")) == {("USD", True)}


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(1, 5_000)),
        min_size=1,
        max_size=8,
        unique_by=lambda x: x[0],
    ),
    st.sampled_from(["revalued", "at_purchase"]),
)
def test_converted_movements_balance_and_values_are_the_converted_ones(seed, found, rule):
    rates = RateTable(
        "USD",
        [Rate("EUR", day(-9_000), Decimal(1))]
        + [Rate("EUR", day(at - 500), Decimal(milli) / 1000) for at, milli in found],
    )
    steps = random_steps(seed, customers=6, rows=60).drop_columns(["revaluation"])
    converted = convert_steps(steps, rates, rule)
    moved = movements(converted)
    balance(converted, moved)
    if rule == "at_purchase":
        assert "currency" not in {kind for (kind,) in rows_of(moved, "kind")}
        return
    books, ends = defaultdict(dict), {}
    for row in sorted(steps.to_pylist(), key=lambda row: row["date"]):
        books[row["customer"]][row["currency"]] = row["cents"]
    for row in converted.to_pylist():
        ends[row["customer"]] = row["cents"]
    last = max([day(at - 500) for at, _ in found] + [row["date"] for row in steps.to_pylist()])
    for customer, amounts in books.items():
        expected = sum(rates.convert(cents, currency, last) for currency, cents in amounts.items())
        assert ends.get(customer, 0) == expected


def test_rates_that_are_none_are_refused():
    with pytest.raises(FinanceError, match="no rate of JPY into USD"):
        RATES.convert(1, "JPY", day(0))
    with pytest.raises(FinanceError, match="as of 2023-12-31"):
        RATES.convert(1, "EUR", day(-1))
    for value in (Decimal(0), Decimal("-1"), Decimal("1e-10")):
        with pytest.raises(FinanceError, match="nine places"):
            RateTable("USD", [Rate("EUR", day(0), value)])
    with pytest.raises(FinanceError, match="given twice"):
        RateTable("USD", [Rate("EUR", day(0), Decimal(1)), Rate("EUR", day(0), Decimal(2))])
    with pytest.raises(FinanceError, match="is 1 by itself"):
        RateTable("USD", [Rate("USD", day(0), Decimal(1))])


def test_no_rate_is_asked_for_where_nothing_is_paid():
    steps = steps_table([("a", day(-50), 0, "EUR"), ("a", day(3), 100, "EUR")], active=pa.array([True, True]))
    assert rows_of(convert_steps(steps, RATES), "date", "cents")[:2] == [(day(-50), 0), (day(3), 110)]
    assert len(convert_steps(steps.slice(0, 0), RATES)) == 0


def test_large_amounts_are_converted_exactly():
    cents = 4_000_000_000_000_007
    converted = convert_steps(steps_table([("a", day(0), cents, "EUR")]), RATES)
    assert rows_of(converted, "cents") == [
        (4_400_000_000_000_008,),
        (4_800_000_000_000_008,),
        (4_200_000_000_000_007,),
    ]
    with pytest.raises(FinanceError, match="64 bits"):
        RateTable("X", [Rate("EUR", day(0), Decimal(10**9))]).convert(cents * 100, "EUR", day(0))
