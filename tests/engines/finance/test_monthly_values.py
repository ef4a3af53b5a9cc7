"""What a subscription is worth a month: intervals, discounts, states and policies, by vendors' examples and by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.engines.finance import (
    CALENDAR_WEEK,
    KNOBS,
    PAYROLL_WEEK,
    POLICIES,
    Change,
    Discount,
    FinanceError,
    Interval,
    Policy,
    Price,
    Span,
    Subscription,
    chartmogul,
    contracted_yearly_value,
    daily_steps,
    knobs_between,
    list_price,
    monthly_value,
    nearest,
    profitwell,
    stripe,
    terms_of,
    value_on,
    with_end,
)
from tests.engines.finance.histories import day, naive_value, rows_of, subscriptions

START = date(2024, 1, 31)
LATER = date(2024, 2, 10)


def plan(cents: int = 10_000, every: Interval | None = None, **rest) -> Subscription:
    return Subscription("acme", "plan", Price(cents, "USD", every or Interval()), START, **rest)


def worth(subscription: Subscription, policy: Policy = stripe, on: date = LATER) -> int:
    return monthly_value(terms_of([subscription]), on, policy).get("USD", 0)


@pytest.mark.parametrize(
    ("cents", "every", "policy", "monthly"),
    [
        (120_000, Interval(1, "year"), stripe, 10_000),  # Stripe: $1,200 a year counts $100
        (60_000, Interval(1, "year"), stripe, 5_000),
        (50_000, Interval(1, "year"), chartmogul, 4_167),  # ChartMogul: a Gold yearly plan
        (9_000, Interval(3, "month"), chartmogul, 3_000),  # ChartMogul's developer page: $90 for three months
        (240_000, Interval(2, "year"), stripe, 10_000),
        (1_000, Interval(2, "week"), stripe, 2_167),  # 26/12
        (1_000, Interval(2, "week"), replace(stripe, weeks_a_month=CALENDAR_WEEK), 2_173),  # 365/14/12
        (
            1_000,
            Interval(1, "week"),
            replace(stripe, weeks_a_month=Fraction(433, 100)),
            4_330,
        ),  # Paddle's 4.33
        (100, Interval(1, "day"), replace(stripe, days_a_month=Fraction(30)), 3_000),  # Paddle's 30 days
        (100, Interval(1, "day"), stripe, 3_042),
        (7_777, Interval(1, "month"), list_price, 7_777),
    ],
)
def test_every_interval_becomes_a_month(cents, every, policy, monthly):
    assert worth(plan(cents, every), policy) == monthly


def test_the_two_week_factors_are_the_documented_ones():
    assert Fraction(26, 12) == PAYROLL_WEEK / 2
    assert Fraction(365, 14 * 12) == CALENDAR_WEEK / 2


def test_stripe_counts_only_coupons_that_last_forever():
    half = {
        name: plan(discounts=(Discount(name, percent=50, months=3),))
        for name in ("once", "repeating", "forever")
    }
    assert {name: worth(found) for name, found in half.items()} == {
        "once": 10_000,
        "repeating": 10_000,
        "forever": 5_000,
    }


def test_profitwell_always_subtracts_and_the_list_price_never():
    yearly = plan(12_000, Interval(1, "year"), discounts=(Discount("once", percent=10),))
    assert worth(yearly, profitwell) == 900  # its own example: $120 annual at 10 % off is $9
    assert worth(yearly, list_price) == 1_000


def test_profitwell_lets_a_discount_end_with_its_length():
    monthly = plan(1_000, discounts=(Discount("repeating", percent=10, months=2),))
    found = daily_steps(terms_of([monthly]), profitwell)
    assert rows_of(found, "date", "cents") == [(START, 900), (date(2024, 3, 31), 1_000)]


def test_a_discount_holds_for_the_billing_periods_that_begin_while_it_runs():
    yearly = plan(120_000, Interval(1, "year"), discounts=(Discount("repeating", percent=50, months=3),))
    assert rows_of(daily_steps(terms_of([yearly]), chartmogul), "date", "cents") == [
        (START, 5_000),
        (date(2025, 1, 31), 10_000),
    ]
    late = plan(discounts=(Discount("once", cents=2_500, currency="USD", starts=LATER),))
    assert rows_of(daily_steps(terms_of([late]), chartmogul), "date", "cents") == [
        (START, 10_000),
        (LATER, 7_500),
        (date(2024, 2, 29), 10_000),
    ]


def test_lasting_discounts_come_off_first():
    both = plan(discounts=(Discount("once", percent=50), Discount("forever", percent=10)))
    assert worth(both, stripe) == 9_000
    assert worth(both, chartmogul) == 4_500


def test_discounts_together_never_go_below_nothing():
    two = plan(
        discounts=(
            Discount("forever", cents=8_000, currency="USD"),
            Discount("forever", cents=8_000, currency="USD"),
        )
    )
    assert worth(two) == 0


@pytest.mark.parametrize(
    ("rest", "counted"),
    [
        ({"trial_until": date(2024, 3, 1)}, set()),
        ({"past_due": (Span(START),)}, {"stripe", "chartmogul", "profitwell", "list_price"}),
        ({"unpaid": (Span(START),)}, {"chartmogul"}),
        ({"pauses": (Span(START),)}, {"chartmogul"}),
        ({"cancel_requested": date(2024, 2, 5)}, {"chartmogul", "profitwell", "list_price"}),
    ],
)
def test_each_policy_counts_the_states_its_vendor_does(rest, counted):
    assert {name for name, policy in POLICIES.items() if worth(plan(**rest), policy)} == counted


def test_kinds_of_prices_that_count():
    for kind, counted in {"one_time": set(), "metered": {"profitwell"}}.items():
        found = Subscription("acme", "extra", Price(500, "USD", Interval(), kind), START)
        assert {name for name, policy in POLICIES.items() if worth(found, policy)} == counted


def test_churn_is_dated_as_the_policy_says():
    asked = with_end(plan(), date(2024, 3, 10), at_period_end=True)
    assert asked.ends == date(2024, 3, 31)
    at_once = with_end(plan(), date(2024, 3, 10), at_period_end=False)
    gone = {
        (name, policy.name): rows_of(daily_steps(terms_of([found]), policy), "date")[-1][0]
        for name, found in {"at period end": asked, "at once": at_once}.items()
        for policy in (stripe, chartmogul, profitwell)
    }
    assert gone == {
        ("at period end", "stripe"): date(2024, 3, 10),
        ("at period end", "chartmogul"): date(2024, 3, 31),
        ("at period end", "profitwell"): date(2024, 3, 31),
        ("at once", "stripe"): date(2024, 3, 10),
        ("at once", "chartmogul"): date(2024, 3, 10),
        ("at once", "profitwell"): date(2024, 3, 31),
    }


def test_committed_revenue_leaves_out_what_is_already_canceled():
    leaving = with_end(plan(12_000, Interval(1, "year")), date(2024, 2, 5), at_period_end=True)
    assert worth(leaving, chartmogul) == 1_000
    assert worth(leaving, chartmogul.committed()) == 0


def test_a_changed_price_does_not_rewrite_history():
    raised = plan(
        changes=(Change(date(2024, 3, 1), price=Price(15_000, "USD")), Change(date(2024, 4, 1), quantity=2))
    )
    assert rows_of(daily_steps(terms_of([raised]), stripe), "date", "cents") == [
        (START, 10_000),
        (date(2024, 3, 1), 15_000),
        (date(2024, 4, 1), 30_000),
    ]


def test_annual_contracts_add_up_to_their_own_sum_and_not_to_twelve_rounded_months():
    terms = terms_of(
        [plan(50_000, Interval(1, "year"), quantity=4), replace(plan(1_000), subscription="small")]
    )
    assert monthly_value(terms, LATER, chartmogul) == {"USD": 16_667 + 1_000}
    assert contracted_yearly_value(terms, LATER, chartmogul) == {"USD": 200_000 + 12_000}
    assert contracted_yearly_value(terms, LATER, chartmogul, shortest_months=12) == {"USD": 200_000}


def test_every_value_says_why_it_counts():
    table = terms_of(
        [
            replace(plan(trial_until=date(2024, 3, 1)), subscription="on trial"),
            replace(plan(discounts=(Discount("forever", percent=25),)), subscription="paid"),
            replace(with_end(plan(), date(2024, 2, 5), at_period_end=True), subscription="leaving"),
        ]
    )
    found = {value.subscription: (value.cents, value.because) for value in value_on(table, LATER, stripe)}
    assert found == {
        "on trial": (0, "A recurring price that is trialing does not count."),
        "paid": (7_500, "Active and counted."),
        "leaving": (0, "Asked to be canceled, which ends it under 'stripe'."),
    }
    paid = value_on(table, LATER, stripe)[1]
    assert (paid.customer, paid.gross, paid.discount, paid.currency) == ("acme", 10_000, 2_500, "USD")


def test_policies_name_their_sources_and_their_differences():
    assert knobs_between(stripe, chartmogul) == (
        "discounts",
        "unpaid",
        "paused",
        "churn_dated",
        "free_customers_stay",
        "currency",
    )
    for policy in (stripe, chartmogul, profitwell):
        assert set(policy.sources) == set(KNOBS)
    own = replace(stripe, name="ours", trials=True)
    assert worth(plan(trial_until=date(2024, 3, 1)), own) == 10_000


def test_months_keep_the_day_and_take_the_last_where_there_is_none():
    month = Interval()
    assert [month.after(START, at) for at in range(4)] == [
        date(2024, 1, 31),
        date(2024, 2, 29),
        date(2024, 3, 31),
        date(2024, 4, 30),
    ]
    assert Interval(2, "year").after(date(2024, 2, 29), 1) == date(2026, 2, 28)
    assert Interval(2, "week").renewal_after(START, date(2024, 2, 14)) == date(2024, 2, 28)
    assert month.renewal_after(START, date(2023, 5, 5)) == START
    assert Interval(3, "day").renewal_after(START, START) == date(2024, 2, 3)


@given(
    st.builds(Interval, st.integers(1, 5), st.sampled_from(["day", "week", "month", "year"])),
    st.integers(0, 800),
    st.integers(0, 2500),
)
def test_a_renewal_is_the_first_one_after_the_day(every, anchor, on):
    found = every.renewal_after(day(anchor), day(on))
    all_of_them = [every.after(day(anchor), at) for at in range(2600 if every.unit == "day" else 400)]
    assert found == min(renewal for renewal in all_of_them if renewal > day(on))


@pytest.mark.parametrize(("count", "unit"), [(0, "month"), (1, "fortnight")])
def test_an_interval_that_is_none_is_refused(count, unit):
    with pytest.raises(FinanceError, match="interval"):
        Interval(count, unit)


@settings(max_examples=150, deadline=None)
@given(st.lists(subscriptions(), min_size=1, max_size=4), st.sampled_from(sorted(POLICIES)), st.data())
def test_rows_and_steps_say_what_a_naive_reading_says(found, name, data):
    policy = POLICIES[name]
    named = [replace(one, subscription=f"s{at}") for at, one in enumerate(found)]
    terms = terms_of(named)
    on = day(data.draw(st.integers(0, 760)))
    expected = {}
    for one in named:
        expected[one.customer] = expected.get(one.customer, 0) + naive_value(one, on, policy)
    assert monthly_value(terms, on, policy).get("USD", 0) == sum(expected.values())
    for customer, cents in expected.items():
        dated = [
            row["cents"]
            for row in daily_steps(terms, policy).to_pylist()
            if row["customer"] == customer and row["date"] <= on
        ]
        assert (dated[-1] if dated else 0) == cents
    assert sum(value.cents for value in value_on(terms, on, policy)) == sum(expected.values())


@given(st.fractions(-1000, 1000))
def test_halves_go_away_from_zero(amount):
    found = nearest(amount)
    assert abs(found - amount) <= Fraction(1, 2)
    assert nearest(-amount) == -found
    if abs(found - amount) == Fraction(1, 2):
        assert abs(found) > abs(amount)
