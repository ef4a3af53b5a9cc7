"""The published examples, from a file of Stripe to movements."""

from __future__ import annotations

from datetime import date

import pytest

from potager.connectors.stripe import Kind, read, recognize
from potager.engines.finance import POLICIES, movements_under

from .building import KNOWN, coupon, event, item, lines, rows, subscription


def mrr(path, policy):
    """Return what the first movement under a policy brings, in cents."""
    moved = movements_under(POLICIES[policy], read(path, known_at=KNOWN).terms)
    return moved["cents"][0].as_py()


YEARLY = item(120_000, interval="year")


def test_stripe_counts_1200_a_year_as_100_a_month(tmp_path):
    path = lines(tmp_path / "subscriptions.jsonl", subscription(YEARLY))
    assert recognize(path) == Kind.API
    assert mrr(path, "stripe") == 10_000


@pytest.mark.parametrize(
    ("duration", "stripe", "chartmogul"),
    [("forever", 5_000, 5_000), ("once", 10_000, 5_000), ("repeating", 10_000, 5_000)],
)
def test_stripe_lowers_mrr_by_forever_coupons_only(tmp_path, duration, stripe, chartmogul):
    months = {"duration_in_months": 3} if duration == "repeating" else {}
    discount = coupon(duration, percent_off=50.0, **months)
    older = lines(tmp_path / "older.jsonl", subscription(YEARLY, discount=discount))
    newer = lines(tmp_path / "newer.jsonl", subscription(YEARLY, discounts=[discount]))
    assert [mrr(path, "stripe") for path in (older, newer)] == [stripe, stripe]
    assert [mrr(path, "chartmogul") for path in (older, newer)] == [chartmogul, chartmogul]


def test_a_once_coupon_holds_for_one_billing_period_and_its_expiry_is_an_expansion(tmp_path):
    path = lines(
        tmp_path / "s.jsonl", subscription(discounts=[coupon("once", amount_off=4_000, currency="usd")])
    )
    moved = movements_under(POLICIES["chartmogul"], read(path, known_at=KNOWN).terms)
    assert rows(moved, "date", "kind", "cents") == [
        (date(2024, 1, 10), "new", 6_000),
        (date(2024, 2, 10), "expansion", 4_000),
    ]


def test_chartmoguls_example_syncalytics_from_stripes_events(tmp_path):
    def gold(**more):
        yearly = item(50_000, 4, interval="year", plan="Gold")
        return subscription(yearly, name="sub_gold", customer="Syncalytics", starts="2023-01-10",
                            current_period_end="2024-01-10", **more)  # fmt: skip

    def silver(**more):
        monthly = item(3_000, 2, plan="Silver")
        return subscription(monthly, name="sub_silver", customer="Syncalytics", starts="2023-01-14",
                            current_period_end="2023-02-14", **more)  # fmt: skip

    back = subscription(
        item(5_000, 3, plan="Gold"), name="sub_back", customer="Syncalytics", starts="2024-03-01"
    )
    path = lines(
        tmp_path / "events.jsonl",
        event("created", "2023-01-10T09:00", gold()),
        event("created", "2023-01-14T09:00", silver()),
        event("deleted", "2023-01-28T09:00",
              silver(status="canceled", canceled_at="2023-01-28", ended_at="2023-01-28")),
        event("updated", "2023-12-20T09:00", gold(cancel_at_period_end=True, canceled_at="2023-12-20"),
              before={"cancel_at_period_end": False, "canceled_at": None}),
        event("deleted", "2024-01-10T09:00",
              gold(status="canceled", cancel_at_period_end=True, canceled_at="2023-12-20", ended_at="2024-01-10")),
        event("created", "2024-03-01T09:00", back),
    )  # fmt: skip
    assert recognize(path) == Kind.EVENTS
    reading = read(path)
    assert reading.rejected.num_rows == 0
    assert rows(movements_under(POLICIES["chartmogul"], reading.terms), "date", "kind", "cents") == [
        (date(2023, 1, 10), "new", 16_667),
        (date(2023, 1, 14), "expansion", 6_000),
        (date(2023, 1, 28), "contraction", -6_000),
        (date(2024, 1, 10), "churn", -16_667),
        (date(2024, 3, 1), "reactivation", 15_000),
    ]
    # Stripe counts the end from the day it was asked for, ProfitWell until the end of what was paid.
    stripe = movements_under(POLICIES["stripe"], reading.terms)
    assert (date(2023, 12, 20), "churn", -16_667) in rows(stripe, "date", "kind", "cents")
    profitwell = movements_under(POLICIES["profitwell"], reading.terms)
    assert (date(2023, 2, 14), "contraction", -6_000) in rows(profitwell, "date", "kind", "cents")
