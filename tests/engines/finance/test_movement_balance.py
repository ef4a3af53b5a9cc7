"""Movements: what each change was, and that start plus movements is end for every customer on every day."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.engines.finance import (
    POLICIES,
    FinanceError,
    Interval,
    OutOfBalanceError,
    Price,
    Subscription,
    at_period_ends,
    balance,
    bridges,
    chartmogul,
    movements,
    movements_under,
    profitwell,
    steps_under,
    stripe,
    terms_of,
    with_end,
    without_brief_signups,
)
from tests.engines.finance.histories import day, random_steps, rows_of, steps_table, subscriptions

MONTHS = [date(2024, month, 1) for month in range(1, 13)] + [date(2025, 1, 1)]


def test_chartmoguls_example_syncalytics_to_the_cent():
    yearly, monthly = Interval(1, "year"), Interval(1, "month")
    gold = Subscription("Syncalytics", "gold", Price(50_000, "USD", yearly), date(2023, 1, 10), quantity=4)
    silver = Subscription(
        "Syncalytics", "silver", Price(3_000, "USD", monthly), date(2023, 1, 14), quantity=2
    )
    back = Subscription(
        "Syncalytics", "gold again", Price(5_000, "USD", monthly), date(2024, 3, 1), quantity=3
    )
    terms = terms_of(
        [
            with_end(gold, date(2023, 12, 20), at_period_end=True),
            with_end(silver, date(2023, 1, 28), at_period_end=False),
            back,
        ]
    )
    assert rows_of(movements_under(chartmogul, terms), "date", "kind", "cents") == [
        (date(2023, 1, 10), "new", 16_667),
        (date(2023, 1, 14), "expansion", 6_000),
        (date(2023, 1, 28), "contraction", -6_000),
        (date(2024, 1, 10), "churn", -16_667),
        (date(2024, 3, 1), "reactivation", 15_000),
    ]


def test_the_months_of_test_vector_t3_make_its_bridge():
    before = [("old", date(2023, 12, 1), 41, "USD"), ("shrinks", date(2023, 12, 1), 6, "USD")]
    before += [("leaves", date(2023, 12, 1), 3, "USD"), ("back", date(2023, 1, 1), 1, "USD")]
    before += [("back", date(2023, 2, 1), 0, "USD")]
    within = [("fresh", day(5), 8, "USD"), ("old", day(6), 45, "USD"), ("back", day(7), 1, "USD")]
    within += [("shrinks", day(8), 4, "USD"), ("leaves", day(9), 0, "USD")]
    (bridge,) = bridges(movements(steps_table(before + within)), MONTHS[:2], "USD")
    assert (bridge.start, bridge.new, bridge.expansion, bridge.reactivation) == (50, 8, 4, 1)
    assert (bridge.contraction, bridge.churn, bridge.end, bridge.net_new) == (2, 3, 58, 8)
    assert bridge.holds


def test_free_customers_contract_or_churn_as_the_policy_says():
    rows = [
        ("a", day(0), 0, "USD"),
        ("a", day(1), 90, "USD"),
        ("a", day(2), 0, "USD"),
        ("a", day(3), 50, "USD"),
    ]
    rows += [("a", day(4), 0, "USD"), ("a", day(5), 70, "USD")]
    table = steps_table(rows, active=pa.array([True, True, True, True, False, True]))
    stays = rows_of(movements(table, free_customers_stay=True), "kind", "cents")
    assert stays == [
        ("new", 90),
        ("contraction", -90),
        ("expansion", 50),
        ("churn", -50),
        ("reactivation", 70),
    ]
    leaves = rows_of(movements(table), "kind", "cents")
    assert leaves == [("new", 90), ("churn", -90), ("reactivation", 50), ("churn", -50), ("reactivation", 70)]


def naive_movements(rows, *, stay):
    """Second computation: one customer and currency at a time, one day at a time."""
    books = defaultdict(list)
    for row in rows:
        books[(row["customer"], row["currency"])].append(row)
    found = []
    for (customer, currency), steps in books.items():
        value, paid, active = 0, False, False
        for step in sorted(steps, key=lambda step: step["date"]):

            def note(kind, cents, step=step, customer=customer, currency=currency):
                found.append((customer, currency, step["date"], kind, cents))

            if step["revaluation"]:
                note("currency", step["revaluation"])
                value += step["revaluation"]
            after = step["cents"]
            if value == 0 and after > 0:
                kind = "new" if not paid else "expansion" if stay and active else "reactivation"
                note(kind, after)
            elif after > value:
                note("expansion", after - value)
            elif after == 0 and value > 0:
                note("contraction" if stay and step["active"] else "churn", -value)
            elif after < value:
                note("contraction", after - value)
            value, paid, active = after, paid or after > 0, step["active"]
    return sorted(found)


@pytest.mark.parametrize("stay", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_movements_are_those_of_a_naive_reading(seed, stay):
    steps = random_steps(seed, customers=40, rows=800)
    moved = movements(steps, free_customers_stay=stay)
    expected = naive_movements(steps.to_pylist(), stay=stay)
    assert sorted(rows_of(moved, "customer", "currency", "date", "kind", "cents")) == expected
    assert balance(steps, moved) > 0


@settings(max_examples=100, deadline=None)
@given(
    st.lists(subscriptions(currencies=("USD", "EUR")), min_size=1, max_size=6),
    st.sampled_from(sorted(POLICIES)),
)
def test_movements_of_any_subscriptions_balance_under_every_policy(found, name):
    terms = terms_of(replace(one, subscription=f"s{at}") for at, one in enumerate(found))
    steps, moved = steps_under(POLICIES[name], terms), movements_under(POLICIES[name], terms)
    last = defaultdict(int)
    for row in steps.to_pylist():
        last[(row["customer"], row["currency"])] = row["cents"]
    total = defaultdict(int)
    for row in moved.to_pylist():
        total[(row["customer"], row["currency"])] += row["cents"]
        assert row["cents"] != 0
        assert (row["cents"] > 0) == (row["kind"] in ("new", "expansion", "reactivation"))
    assert {key: value for key, value in total.items() if value} == {
        key: value for key, value in last.items() if value
    }
    for currency in ("USD", "EUR"):
        for one, two in zip(
            bridges(moved, MONTHS, currency)[:-1], bridges(moved, MONTHS, currency)[1:], strict=True
        ):
            assert one.holds and one.end == two.start


def test_a_customer_is_new_once_a_book():
    moved = movements(random_steps(9, customers=60, rows=2_000))
    new = [row for row in moved.to_pylist() if row["kind"] == "new"]
    assert len(new) == len({(row["customer"], row["currency"]) for row in new})


def test_the_first_place_out_of_balance_is_named():
    steps = steps_table([("a", day(0), 10, "USD"), ("b", day(3), 5, "USD"), ("b", day(9), 0, "USD")])
    moved = movements(steps)
    assert balance(steps, moved) == 3
    spoiled = pa.concat_tables(
        [
            moved.slice(0, 1),
            pa.table(
                {
                    "customer": ["b"],
                    "currency": ["USD"],
                    "date": pa.array([day(4)], pa.date32()),
                    "kind": ["new"],
                    "cents": [7],
                }
            ),
        ]
    )
    with pytest.raises(
        OutOfBalanceError, match=r"'b' add up to 0 USD on 2024-01-04, and the value stated is 5"
    ) as met:
        balance(steps, spoiled)
    assert (met.value.customer, met.value.on, met.value.stated, met.value.moved) == ("b", day(3), 5, 0)
    extra = pa.concat_tables([moved, spoiled.slice(1, 1)])
    with pytest.raises(OutOfBalanceError, match="2024-01-05"):
        balance(steps, extra)
    assert balance(steps.slice(0, 0), moved.slice(0, 0)) == 0


def test_brief_signups_are_ignored_by_profitwell_alone():
    rows = [("brief", day(2), 50, "USD"), ("brief", day(20), 0, "USD"), ("brief", day(70), 60, "USD")]
    rows += [
        ("brief", day(75), 0, "USD"),
        ("over the turn", day(20), 50, "USD"),
        ("over the turn", day(40), 0, "USD"),
    ]
    rows += [("returns", day(2), 10, "USD"), ("returns", day(40), 0, "USD"), ("returns", day(62), 9, "USD")]
    rows += [("returns", day(64), 0, "USD"), ("trial", day(1), 0, "USD"), ("stays", day(3), 5, "USD")]
    kept = rows_of(without_brief_signups(steps_table(rows)), "customer", "date")
    gone = {(row[0], row[1]) for row in rows} - set(kept)
    assert {customer for customer, _ in gone} == {"brief"}
    assert len(gone) == 4
    late = [*rows, ("brief", day(100), 70, "USD")]
    found = movements(without_brief_signups(steps_table(late)))
    assert ("brief", "new", 70) in rows_of(found, "customer", "kind", "cents")
    nothing = steps_table([("a", day(0), 0, "USD")])
    assert without_brief_signups(nothing).equals(nothing)
    short = with_end(
        Subscription("a", "s", Price(100, "USD", Interval(1, "week")), day(1)), day(9), at_period_end=True
    )
    assert len(movements_under(profitwell, terms_of([short]))) == 0
    assert len(movements_under(stripe, terms_of([short]))) == 2


def test_periods_net_what_happens_within_them_and_keep_the_total():
    steps = random_steps(3, customers=50, rows=3_000)
    edges = [date(2022, 1, 1), date(2022, 7, 1), date(2023, 1, 1), date(2023, 7, 1), date(2024, 7, 1)]
    collapsed = at_period_ends(steps, edges)
    moved = movements(collapsed)
    assert balance(collapsed, moved) > 0
    for currency in ("EUR", "USD"):
        daily = bridges(movements(steps), edges, currency)
        netted = bridges(moved, edges, currency)
        assert [bridge.end for bridge in netted] == [bridge.end for bridge in daily]
        assert sum(bridge.churn for bridge in netted) < sum(bridge.churn for bridge in daily)
    assert len(at_period_ends(steps.slice(0, 0), edges)) == 0


def test_through_leaves_out_what_is_only_scheduled():
    ends = with_end(Subscription("a", "s", Price(100, "USD"), day(0)), day(40), at_period_end=True)
    terms = terms_of([ends])
    assert [kind for (kind,) in rows_of(movements_under(chartmogul, terms), "kind")] == ["new", "churn"]
    assert [kind for (kind,) in rows_of(movements_under(chartmogul, terms, through=day(45)), "kind")] == [
        "new"
    ]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("a", day(0), 1, "USD"), ("a", day(0), 2, "USD")], "two values on 2024-01-01"),
        ([("a", day(0), 1, "USD"), ("b", day(1), -2, "USD")], "'b' has a negative value on 2024-01-02"),
        ([("a", day(0), None, "USD")], "'cents' of the steps has unknown values"),
    ],
)
def test_steps_that_say_two_things_are_refused(rows, sentence):
    with pytest.raises(FinanceError, match=sentence):
        movements(steps_table(rows))


def test_a_missing_column_and_falling_periods_are_refused():
    with pytest.raises(FinanceError, match="no column 'currency'"):
        movements(steps_table([]).drop_columns(["currency"]))
    for edges in ([day(0)], [day(1), day(1)]):
        with pytest.raises(FinanceError, match="two boundaries"):
            bridges(movements(steps_table([])), edges, "USD")
