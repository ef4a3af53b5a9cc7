"""Harbor's terms: every feature of agreed prices is there in its share, and money adds up by every policy."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from potager.demo.harbor.agreements import PRICE_RISE_BEFORE_END
from potager.demo.harbor.generate import Harbor, generate
from potager.engines.finance import (
    POLICIES,
    Rate,
    RateTable,
    balance,
    check_terms,
    daily_steps,
    monthly_value,
    movements,
    restatement,
    steps_under,
)

THROUGH = date(2026, 11, 22)
LATEST = (
    "SELECT * FROM terms QUALIFY known_at = max(known_at) OVER (PARTITION BY customer, subscription, starts)"
)


def asked(made: Harbor, sql: str) -> pa.Table:
    """Return the rows of a query over latest (the terms as last known), terms (all versions), accounts and rates."""
    with duckdb.connect(":memory:") as connection:
        connection.register("terms", made.terms)
        connection.register("accounts", made.accounts)
        connection.register("rates", made.rates)
        connection.execute("SET threads = 1")
        return connection.sql(f"WITH latest AS ({LATEST}) {sql}").to_arrow_table()


def one(made: Harbor, sql: str) -> float:
    return float(asked(made, sql)[0][0].as_py())


@pytest.fixture(scope="module")
def bank() -> Harbor:
    return generate(THROUGH)


@pytest.fixture(scope="module")
def latest(bank: Harbor) -> pa.Table:
    return asked(bank, "SELECT * FROM latest ORDER BY customer, subscription, starts")


@pytest.fixture(scope="module")
def rates(bank: Harbor) -> RateTable:
    rows = bank.rates.to_pylist()
    return RateTable("EUR", [Rate(row["currency"], row["day"], Decimal(repr(row["rate"]))) for row in rows])


def test_the_finance_engine_finds_nothing_wrong_with_the_terms(latest):
    assert check_terms(latest) == ()


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_movements_lead_from_step_to_step_to_the_cent_by_every_policy(latest, rates, policy):
    steps = steps_under(POLICIES[policy], latest, rates=rates, through=THROUGH)
    moved = movements(steps, free_customers_stay=POLICIES[policy].free_customers_stay)
    balance(steps, moved)
    assert {"new", "expansion", "contraction", "churn", "reactivation"} <= set(moved["kind"].to_pylist())


# Shares of rows or of subscriptions, and what they may be at the least and at the most.
SHARES = {
    "rows not in euros": ("SELECT avg((currency <> 'EUR')::INT) FROM latest", 0.05, 0.18),
    "subscriptions billed by the year at any time": (
        "SELECT avg(y) FROM (SELECT max((interval_unit = 'year')::INT) y FROM latest GROUP BY subscription)", 0.2, 0.35,
    ),
    "subscriptions that began with a trial": (
        "SELECT avg(t) FROM (SELECT max((state = 'trialing')::INT) t FROM latest GROUP BY subscription)", 0.25, 0.4,
    ),
    "subscriptions with a discount that stays": (
        "SELECT avg(d) FROM (SELECT max((forever_off > 0)::INT) d FROM latest GROUP BY subscription)", 0.04, 0.09,
    ),
    "subscriptions with a discount for some months": (
        "SELECT avg(d) FROM (SELECT max((repeating_off > 0)::INT) d FROM latest GROUP BY subscription)", 0.08, 0.18,
    ),
    "subscriptions with a first year's discount": (
        "SELECT avg(d) FROM (SELECT max((once_off > 0)::INT) d FROM latest GROUP BY subscription)", 0.005, 0.03,
    ),
    "subscriptions with an invoice that was retried": (
        "SELECT avg(d) FROM (SELECT max((state = 'past_due')::INT) d FROM latest GROUP BY subscription)", 0.02, 0.08,
    ),
    "customers that canceled and came back": (
        "SELECT avg((n > 1)::INT) FROM (SELECT count(DISTINCT subscription) n FROM latest GROUP BY customer)",
        0.03, 0.12,
    ),
    "subscriptions whose plan went up": (
        "SELECT avg(d) FROM (SELECT max((plan = 'Scale' AND before = 'Team')::INT) d FROM (SELECT *, lag(plan) OVER "
        "(PARTITION BY subscription ORDER BY starts) AS before FROM latest) GROUP BY subscription)", 0.02, 0.1,
    ),
    "subscriptions whose plan went down": (
        "SELECT avg(d) FROM (SELECT max((plan = 'Team' AND before = 'Scale')::INT) d FROM (SELECT *, lag(plan) OVER "
        "(PARTITION BY subscription ORDER BY starts) AS before FROM latest) GROUP BY subscription)", 0.03, 0.1,
    ),
    "changes of seats that add some": (
        "SELECT avg((quantity > before)::INT) FROM (SELECT quantity, lag(quantity) OVER (PARTITION BY subscription "
        "ORDER BY starts) AS before FROM latest) WHERE quantity <> before", 0.6, 0.95,
    ),
    "ended subscriptions whose end was asked for before": (
        "SELECT avg((canceled_on < ends)::INT) FROM latest WHERE canceled_on IS NOT NULL", 0.5, 0.8,
    ),
    "stretches known only later": ("SELECT avg((known_at > starts)::INT) FROM latest", 0.03, 0.12),
    "rows corrected since": ("SELECT count(*) / (SELECT count(*) FROM latest) - 1 FROM terms", 0.01, 0.03),
}  # fmt: skip


@pytest.mark.parametrize("feature", SHARES)
def test_every_feature_of_terms_is_there_in_its_share(bank, feature):
    sql, low, high = SHARES[feature]
    assert low <= one(bank, sql) <= high


def test_all_four_currencies_are_billed_and_each_subscription_in_one(bank):
    found = asked(bank, "SELECT DISTINCT currency FROM latest ORDER BY 1")["currency"].to_pylist()
    assert found == ["CHF", "EUR", "GBP", "USD"]
    several = asked(bank, "SELECT customer FROM latest GROUP BY 1 HAVING count(DISTINCT currency) > 1")
    assert several.num_rows == 0


def test_nothing_is_paid_for_an_account_before_its_first_deposit_or_after_it_closes(bank):
    after = asked(
        bank,
        "SELECT * FROM terms JOIN accounts ON customer = account_id "
        "WHERE starts < opened_at::DATE OR (closed_on IS NOT NULL AND (ends IS NULL OR ends > closed_on))",
    )
    assert after.num_rows == 0


def test_a_paying_account_that_closed_stopped_paying_on_that_day(bank):
    found = asked(
        bank,
        "SELECT max(ends) AS last, any_value(closed_on) AS closed_on FROM latest JOIN accounts "
        "ON customer = account_id WHERE closed_on IS NOT NULL AND accounts.plan <> 'Start' GROUP BY customer",
    )
    assert found.num_rows > 100
    assert found["last"].to_pylist() == found["closed_on"].to_pylist()


def test_an_account_has_the_plan_that_it_pays_for_last(bank):
    differ = asked(
        bank,
        "SELECT customer FROM (SELECT customer, arg_max(plan, starts) AS plan, bool_or(ends IS NULL) AS lives FROM "
        "latest GROUP BY customer) t JOIN accounts a ON customer = account_id WHERE lives AND t.plan <> a.plan",
    )
    assert differ.num_rows == 0


def test_the_rise_of_prices_leaves_the_days_before_it_as_they_were(bank):
    rise = THROUGH - timedelta(days=PRICE_RISE_BEFORE_END - 1)
    prices = (
        "SELECT list(DISTINCT unit_cents ORDER BY unit_cents) FROM latest "
        f"WHERE plan = 'Team' AND currency = 'EUR' AND interval_unit = 'month' AND starts {{}} DATE '{rise}'"
    )
    assert asked(bank, prices.format("<"))[0][0].as_py() == [1900]
    assert asked(bank, prices.format(">="))[0][0].as_py() == [1900, 2130]
    dearer = (
        "SELECT min(unit_cents) FROM latest WHERE plan = 'Team' AND currency = 'EUR' AND interval_unit = 'month' "
        "AND subscription IN (SELECT subscription FROM latest GROUP BY subscription "
        f"HAVING min(starts) >= DATE '{rise}')"
    )
    assert one(bank, dearer) == 2130


def test_stretches_of_a_subscription_follow_each_other_without_a_gap(bank):
    gaps = asked(
        bank,
        "SELECT * FROM (SELECT ends, lead(starts) OVER (PARTITION BY subscription ORDER BY starts) AS following "
        "FROM latest) WHERE following IS NOT NULL AND ends IS DISTINCT FROM following",
    )
    assert gaps.num_rows == 0


def test_what_was_known_two_months_before_the_end_has_been_restated_since(bank, latest, rates):
    then = THROUGH - timedelta(days=60)
    known = asked(
        bank,
        f"SELECT * FROM terms WHERE known_at <= DATE '{then}' QUALIFY known_at = max(known_at) OVER "
        "(PARTITION BY customer, subscription, starts)",
    )
    begins = then + timedelta(days=1)
    versions = pa.concat_tables(
        part.append_column("known_from", pa.array([first] * part.num_rows, pa.date32())).append_column(
            "known_until", pa.array([last] * part.num_rows, pa.date32())
        )
        for part, first, last in ((known, then, begins), (latest, begins, None))
    )
    found = restatement(
        versions, POLICIES["stripe"], known_then=then, known_now=THROUGH, as_of=[then], rates=rates
    )
    assert {"came later", "corrected"} <= set(found.table["cause"].to_pylist())
    (euros,) = (figure for figure in found.figures if figure.currency == "EUR")
    assert 0 < abs(euros.difference) < euros.known_now * 0.05


def test_a_term_is_known_by_the_last_day_and_not_before_it_begins(bank):
    outside = f"SELECT count(*) FROM terms WHERE known_at < starts OR known_at > DATE '{THROUGH}'"
    assert one(bank, outside) == 0


def test_recurring_revenue_grows_and_lies_near_what_plans_cost(bank, latest):
    last = monthly_value(latest, THROUGH, POLICIES["stripe"])
    before = monthly_value(latest, THROUGH - timedelta(days=365), POLICIES["stripe"])
    assert all(last[currency] > before[currency] > 0 for currency in last)
    base = one(
        bank, "SELECT sum(CASE plan WHEN 'Team' THEN 1900 ELSE 5900 END) FROM latest WHERE ends IS NULL"
    )
    assert 0.8 < last["EUR"] / base < 3


def test_the_steps_of_the_bulk_terms_are_those_of_a_count_by_hand(latest):
    """Every tenth customer's value on some days, row by row, as Stripe counts: list price less what stays off."""
    rows = [row for row in latest.to_pylist() if row["customer"].endswith("7")]
    few = pa.Table.from_pylist(rows, schema=latest.schema)
    steps = daily_steps(few, POLICIES["stripe"], through=THROUGH)
    held = {}
    for step in steps.to_pylist():
        held.setdefault((step["customer"], step["currency"]), []).append((step["date"], step["cents"]))
    for day in (date(2025, 3, 1), date(2026, 2, 14), THROUGH):
        said = {key: ([0] + [cents for at, cents in found if at <= day])[-1] for key, found in held.items()}
        naive = dict.fromkeys(held, 0)
        for row in rows:
            last = min(found for found in (row["ends"], row["canceled_on"], date.max) if found)
            if row["starts"] <= day < last and row["state"] != "trialing":
                months = 12 if row["interval_unit"] == "year" else 1
                cents = row["unit_cents"] * row["quantity"] - row["forever_off"]
                naive[row["customer"], row["currency"]] += (2 * cents + months) // (2 * months)
        assert said == naive


def test_there_is_a_positive_rate_of_each_foreign_currency_on_every_day(bank):
    rows = bank.rates
    days = {THROUGH - timedelta(days=back) for back in range(1096)}
    for currency in ("GBP", "USD", "CHF"):
        chosen = rows.filter(pa.compute.equal(rows["currency"], currency))
        assert set(chosen["day"].to_pylist()) == days
        assert chosen.num_rows == len(days)
        rate = chosen["rate"].to_numpy()
        assert rate.min() > 0.5
        assert np.abs(np.diff(np.log(rate))).max() < 0.02
        assert rate.min() < rate.max()


def test_the_same_seed_gives_the_same_terms_and_rates_and_another_one_others():
    once, again, other = (generate(THROUGH, accounts=500, days=500, seed=seed) for seed in (5, 5, 6))
    assert once.terms.equals(again.terms) and once.rates.equals(again.rates)
    assert not once.terms.equals(other.terms) and not once.rates.equals(other.rates)


@pytest.mark.parametrize(("accounts", "days"), [(40, 30), (150, 200), (300, 1096)])
def test_small_banks_have_sound_terms_too(accounts, days):
    made = generate(THROUGH, accounts=accounts, days=days, seed=3)
    found = asked(made, "SELECT * FROM latest ORDER BY customer, subscription, starts")
    assert check_terms(found) == ()
    assert made.rates.num_rows == 3 * days
