"""Why two policies disagree: parts that add up to the cent, under the knob that made them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.engines.finance import (
    POLICIES,
    Discount,
    Interval,
    Price,
    Rate,
    RateTable,
    Span,
    Subscription,
    chartmogul,
    monthly_value,
    movements_under,
    policy_difference,
    profitwell,
    stripe,
    terms_of,
    with_end,
)
from tests.engines.finance.histories import day, rows_of, subscriptions

ON = date(2024, 6, 15)


def example() -> pa.Table:
    year = Interval(1, "year")
    return terms_of(
        [
            Subscription(
                "annual", "a", Price(120_000, "USD", year), day(0), discounts=(Discount("once", percent=50),)
            ),
            Subscription("paused", "p", Price(3_000, "USD"), day(10), pauses=(Span(day(50)),)),
            with_end(
                Subscription("leaving", "l", Price(60_000, "USD", year), day(0)), day(90), at_period_end=True
            ),
            Subscription("plain", "x", Price(5_000, "USD"), day(0)),
        ]
    )


def test_each_knob_is_named_with_the_cents_it_explains():
    told = policy_difference(example(), stripe, chartmogul, on=ON)
    assert (told.first, told.second) == ({"USD": 10_000 + 5_000}, {"USD": 5_000 + 3_000 + 5_000 + 5_000})
    assert told.by_knob == (
        ("USD", "churn_dated", 5_000),
        ("USD", "discounts", -5_000),
        ("USD", "paused", 3_000),
    )
    churn = next(movement for movement in told.movements() if movement.customer == "leaving")
    assert (churn.on, churn.kind, churn.first, churn.second, churn.parts) == (
        day(90),
        "churn",
        -5_000,
        0,
        (("churn_dated", 5_000),),
    )
    assert told.sentences()[0] == "+5,000 USD by the knob 'churn_dated'."
    assert told.unexplained == {}
    assert {move.customer for move in told.movements(most=2)} == {"annual", "leaving"}
    assert not [movement for movement in told.movements() if movement.customer == "plain"]


def test_what_no_knob_explains_is_named():
    stated = movements_under(chartmogul, example(), through=ON).to_pylist()
    for row in stated:
        if row["customer"] == "plain":
            row["cents"] += 7
    outside = pa.Table.from_pylist([*stated, {**stated[0], "date": date(2025, 1, 1)}])
    told = policy_difference(example(), stripe, chartmogul, on=ON, stated=outside)
    assert told.unexplained == {"USD": 7}
    assert told.second["USD"] - told.first["USD"] == sum(cents for _, _, cents in told.by_knob)
    assert "+7 USD by what is not explained." in told.sentences()


def test_a_policy_does_not_differ_from_itself():
    told = policy_difference(example(), stripe, replace(stripe, name="ours"), on=ON)
    assert (told.knobs, told.by_knob, told.movements()) == ((), (), ())


def test_currency_rules_are_a_knob_like_any_other():
    terms = terms_of([Subscription("a", "s", Price(1_000, "EUR"), day(0))])
    told_on = {0: "1.1", 30: "1.2", 300: "2"}  # the last is after the day asked for
    rates = RateTable("USD", [Rate("EUR", day(at), Decimal(value)) for at, value in told_on.items()])
    told = policy_difference(terms, stripe, chartmogul, on=ON, rates=rates)
    assert (told.first, told.second) == ({"USD": 1_200}, {"USD": 1_100})
    (movement,) = told.movements()
    assert (movement.kind, movement.first, movement.parts) == ("currency", 100, (("currency", -100),))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(subscriptions(currencies=("USD", "EUR")), min_size=1, max_size=5),
    st.sampled_from(sorted(POLICIES)),
    st.sampled_from(sorted(POLICIES)),
)
def test_the_parts_add_up_to_the_difference_exactly(found, one, other):
    terms = terms_of(replace(each, subscription=f"s{at}") for at, each in enumerate(found))
    first, second = POLICIES[one], POLICIES[other]
    told = policy_difference(terms, first, second, on=ON)
    tables = [
        dict(
            zip(
                rows_of(moved, "customer", "currency", "date", "kind"),
                (cents for (cents,) in rows_of(moved, "cents")),
                strict=True,
            )
        )
        for moved in (movements_under(policy, terms, through=ON) for policy in (first, second))
    ]
    listed = {(move.customer, move.currency, move.on, move.kind): move for move in told.movements()}
    for key in {*tables[0], *tables[1]}:
        before, after = tables[0].get(key, 0), tables[1].get(key, 0)
        if before != after:
            assert (listed[key].first, listed[key].second) == (before, after)
    totals = defaultdict(int)
    for move in told.movements():
        assert sum(cents for _, cents in move.parts) == move.difference
        totals[move.currency] += move.difference
    for currency in ("USD", "EUR"):
        apart = told.second.get(currency, 0) - told.first.get(currency, 0)
        assert apart == totals[currency]
        assert apart == sum(cents for name, _, cents in told.by_knob if name == currency)
        if profitwell not in (
            first,
            second,
        ):  # which leaves out brief sign-ups, and so is not a sum of values
            assert told.second.get(currency, 0) == monthly_value(terms, ON, second).get(currency, 0)
