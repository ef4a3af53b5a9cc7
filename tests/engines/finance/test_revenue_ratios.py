"""Ratios: the domain page's vectors to the digit, the properties that must hold, and the refusals."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from potager.engines.answers import CannotTell
from potager.engines.finance import (
    FEWEST_CUSTOMERS,
    FEWEST_LOST,
    Bridge,
    FinanceError,
    acquisition_cost,
    acquisition_payback,
    average_revenue,
    gross_revenue_retention,
    levels_between,
    levels_in_windows,
    lifetime_value,
    logo_churn,
    logo_retention,
    net_revenue_retention,
    quick_ratio,
    revenue_churn,
    rule_of_40,
    run_rate,
)
from tests.engines.finance.histories import day, rows_of, steps_table

RETENTION = (net_revenue_retention, gross_revenue_retention, logo_retention, logo_churn, revenue_churn)


def levels(before: dict[str, int], after: dict[str, int]):
    rows = [(name, day(0), cents, "USD") for name, cents in before.items()]
    rows += [(name, day(50), cents, "USD") for name, cents in after.items() if before.get(name, 0) != cents]
    return levels_between(steps_table(rows), day(0), day(60), "USD")


def bridge(**amounts: int) -> Bridge:
    parts = dict.fromkeys(
        ("start", "new", "expansion", "reactivation", "contraction", "churn", "currency_effect"), 0
    )
    parts |= amounts
    return Bridge(starts=day(0), ends=day(31), currency="USD", end=0, **parts)


def test_vector_t2_is_computed_per_customer_and_then_summed():
    pair = levels(dict.fromkeys("abcd", 100), {"a": 150, "b": 60, "c": 0, "d": 100, "e": 80})
    assert net_revenue_retention(pair).value == 0.775
    assert gross_revenue_retention(pair).value == 0.65  # capping the netted total would say .775
    assert logo_retention(pair).value == 0.75
    assert logo_churn(pair).value == 0.25
    assert revenue_churn(pair).value == 0.35
    assert dict(net_revenue_retention(pair).parts) == {"start": 400, "gained": 50, "lost": 140}
    assert dict(gross_revenue_retention(pair).parts) == {"start": 400, "contraction": 40, "churn": 100}
    assert net_revenue_retention(pair).variant == "2024-01-01 to 2024-03-01"


def test_vector_t3_quick_ratio_says_which_of_its_variants_it_is():
    month = bridge(start=50, new=8, expansion=4, reactivation=1, contraction=2, churn=3)
    assert month.net_new == 8
    with_it, without = quick_ratio(month, with_reactivation=True), quick_ratio(month, with_reactivation=False)
    assert (with_it.value, with_it.variant) == (2.6, "with reactivation")
    assert (without.value, without.variant) == (2.4, "without reactivation")


def test_no_losses_is_no_ratio_and_not_infinity():
    refusal = quick_ratio(bridge(new=8), with_reactivation=True)
    assert isinstance(refusal, CannotTell)
    assert refusal.because.startswith("No losses")


amounts = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 10**9), max_size=8)


@given(amounts, amounts)
def test_gross_retention_is_never_above_net_nor_above_one(before, after):
    pair = levels(before, {**dict.fromkeys(before, 0), **after})
    if not any(before.values()):
        assert all(isinstance(ratio(pair), CannotTell) for ratio in RETENTION)
        return
    net, gross = net_revenue_retention(pair), gross_revenue_retention(pair)
    assert 0 <= gross.value <= min(1, net.value)
    assert gross.value + revenue_churn(pair).value == pytest.approx(1)
    assert logo_retention(pair).numerator + logo_churn(pair).numerator == logo_retention(pair).denominator
    parts = dict(net.parts)
    assert parts["start"] + parts["gained"] - parts["lost"] == net.numerator
    naive = sum(after.get(name, 0) for name, cents in before.items() if cents)
    assert net.numerator == naive
    lost = dict(gross.parts)
    assert lost["start"] - lost["contraction"] - lost["churn"] == gross.numerator


def test_levels_are_those_at_the_end_of_the_day():
    rows = [
        ("a", day(0), 5, "USD"),
        ("a", day(3), 9, "USD"),
        ("b", day(4), 7, "USD"),
        ("a", day(3), 100, "EUR"),
    ]
    pair = levels_between(steps_table(rows), day(2), day(3), "USD")
    assert (pair.customers.to_pylist(), pair.before.tolist(), pair.after.tolist()) == (["a"], [5], [9])
    assert rows_of(steps_table(rows), "cents")
    assert len(levels_between(steps_table(rows), day(2), day(3), "JPY").customers) == 0
    windows = [(day(0), day(3)), (day(2), day(9))]
    series = [
        (pair.before.sum(), pair.after.sum()) for pair in levels_in_windows(steps_table(rows), windows, "USD")
    ]
    assert series == [(5, 9), (5, 16)]
    with pytest.raises(FinanceError, match="before it starts"):
        levels_between(steps_table(rows), day(3), day(2), "USD")


def test_averages_and_run_rate():
    assert average_revenue(10_000, 8).value == 1_250
    assert isinstance(average_revenue(0, 0), CannotTell)
    assert run_rate(16_667).value == 200_004
    assert "MRR × 12" in run_rate(1).variant


def test_a_lifetime_has_a_range_and_is_refused_where_churn_is_near_nothing():
    found = lifetime_value(5_000, Fraction(4, 5), lost=20, customers=400)
    assert found.value == 80_000  # 50.00 × 80 % ÷ 5 %
    churn = binomtest(20, 400).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((4_000 / churn.high, 4_000 / churn.low))
    assert lifetime_value(5_000, Fraction(4, 5), lost=20, customers=400, months=12).value == 960_000
    few = lifetime_value(5_000, Fraction(4, 5), lost=9, customers=FEWEST_CUSTOMERS - 1)
    rare = lifetime_value(5_000, Fraction(4, 5), lost=FEWEST_LOST - 1, customers=10_000)
    assert (few.reason, rare.reason) == ("too_few", "not_identified")
    assert isinstance(lifetime_value(5_000, Fraction(0), lost=20, customers=400), CannotTell)
    assert isinstance(lifetime_value(5_000, Fraction(1, 2), lost=20, customers=10), CannotTell)
    assert isinstance(lifetime_value(5_000, Fraction(1, 2), lost=1, customers=10, months=0), CannotTell)


def test_the_cost_of_winning_a_customer_and_its_payback():
    cost = acquisition_cost(1_200_000, 10)
    assert cost.value == 120_000
    assert acquisition_payback(cost.numerator / cost.denominator, 12_500, Fraction(4, 5)).value == 12
    assert isinstance(acquisition_cost(100, 0), CannotTell)
    assert isinstance(acquisition_payback(100, 0, Fraction(1)), CannotTell)


def test_the_rule_of_40_adds_growth_and_margin():
    assert rule_of_40(1_000, 1_300, 130).value == pytest.approx(0.40)
    assert rule_of_40(1_000, 900, -90).value == pytest.approx(-0.20)
    assert isinstance(rule_of_40(0, 900, 90), CannotTell)
    assert isinstance(rule_of_40(900, 0, 90), CannotTell)


def test_nobody_at_the_start_is_a_refusal_with_its_day():
    refusal = net_revenue_retention(levels({}, {"a": 5}))
    assert isinstance(refusal, CannotTell)
    assert str(date(2024, 1, 1)) in refusal.because
