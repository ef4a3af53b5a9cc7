"""Random and named histories, and a second, slow way to value a subscription on a day."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from potager.engines.finance import (
    SCHEMA,
    Change,
    Discount,
    Interval,
    Policy,
    Price,
    Span,
    Subscription,
    nearest,
)
from potager.engines.finance.terms import STATES

FIRST = date(2024, 1, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def steps_table(rows, **extra):
    """Rows of (customer, date, cents, currency)."""
    columns = {
        "customer": pa.array([row[0] for row in rows], pa.string()),
        "date": pa.array([row[1] for row in rows], pa.date32()),
        "cents": pa.array([row[2] for row in rows], pa.int64()),
        "currency": pa.array([row[3] for row in rows], pa.string()),
    }
    return pa.table({**columns, **extra})


def rows_of(table: pa.Table, *names: str) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in names) for row in table.to_pylist()]


def random_steps(seed: int, customers: int, rows: int) -> pa.Table:
    """A large random step table with zeros (churn and return), two currencies, rates moving, free days."""
    rng = np.random.default_rng(seed)
    customer = rng.integers(0, customers, rows)
    number = rng.integers(0, 1000, rows)
    currency = rng.integers(0, 2, rows)
    keys = np.unique(np.stack([customer, currency, number], axis=1), axis=0)
    cents = rng.integers(1, 50_000, len(keys)) * (rng.random(len(keys)) > 0.3)
    same = np.concatenate([[False], (keys[1:, :2] == keys[:-1, :2]).all(axis=1)])
    before = np.where(same, np.concatenate([[0], cents[:-1]]), 0)
    revaluation = np.where(before > 1, rng.integers(-1, 2, len(keys)) * (rng.random(len(keys)) < 0.3), 0)
    order = rng.permutation(len(keys))
    return pa.table(
        {
            "customer": pa.array([f"c{at}" for at in keys[order, 0]]),
            "date": pa.array((keys[order, 2] + 19_000).astype(np.int32)).cast(pa.date32()),
            "cents": pa.array(cents[order].astype(np.int64)),
            "currency": pa.array(["EUR", "USD"]).take(pa.array(keys[order, 1])),
            "active": pa.array((cents > 0)[order] | (rng.random(len(keys)) < 0.4)),
            "revaluation": pa.array(revaluation[order].astype(np.int64)),
        }
    )


def naive_value(subscription: Subscription, on: date, policy: Policy) -> int:
    """The monthly value of one subscription on one day, by its description and not by rows."""
    end = subscription.ends
    if policy.churn_dated == "request" and subscription.cancel_requested is not None:
        end = subscription.cancel_requested
    late = False
    if policy.churn_dated == "period_end" and end is not None:
        last = end - timedelta(days=1)
        paid = last >= subscription.anchor and subscription.state(last) in ("active", "paused")
        if paid and end > subscription.starts:
            renewal, count = subscription.anchor, 0
            while renewal < end:
                count += 1
                renewal = subscription.agreed(last)[0].every.after(subscription.anchor, count)
            late = end <= on < renewal
            end = renewal
    if on < subscription.starts or (end is not None and on >= end):
        return 0
    seen = subscription.ends - timedelta(days=1) if late else on
    state = subscription.state(seen)
    allowed = {"active": True, "trialing": policy.trials, "past_due": policy.past_due}
    allowed |= {"unpaid": policy.unpaid, "paused": policy.paused}
    price, quantity = subscription.agreed(seen)
    if not allowed[state] or price.kind == "one_time" or (price.kind == "metered" and not policy.metered):
        return 0
    left = total = price.unit_cents * quantity
    counted = 0
    for duration in ("forever", "repeating", "once"):
        for discount in subscription.discounts:
            if discount.duration != duration or not naive_holds(discount, subscription, seen):
                continue
            off = min(nearest(Fraction(left) * Fraction(discount.percent) / 100) + discount.cents, left)
            left -= off
            counted += off if duration in policy.discounts else 0
    return nearest((total - counted) * policy.months(price.every.unit) / price.every.count)


def naive_holds(discount: Discount, subscription: Subscription, on: date) -> bool:
    if on < (discount.starts or subscription.starts):
        return False
    if discount.duration == "forever":
        return True
    begins = max(discount.starts or subscription.anchor, subscription.anchor)
    every = subscription.agreed(begins)[0].every
    month = Interval(discount.months, "month").after(begins, 1) if discount.duration == "repeating" else None
    period, count, ends = subscription.anchor, 0, None
    # The last billing period that begins while the discount runs, or in which it begins.
    while ends is None:
        count += 1
        following = every.after(subscription.anchor, count)
        goes_on = following < month if month is not None else False
        if following > begins and not goes_on:
            ends = following
        period = following
    return on < ends and period >= ends


@st.composite
def subscriptions(draw, customers: int = 3, currencies: tuple[str, ...] = ("USD",)) -> Subscription:
    starts = draw(st.integers(0, 200))
    length = draw(st.one_of(st.none(), st.integers(0, 500)))
    ends = None if length is None else day(starts + length)
    requested = None
    if ends is not None and length and draw(st.booleans()):
        requested = day(starts + draw(st.integers(0, length)))
    trial = draw(st.one_of(st.none(), st.integers(0, 40)))
    every = Interval(draw(st.integers(1, 3)), draw(st.sampled_from(["day", "week", "month", "year"])))
    currency = draw(st.sampled_from(currencies))
    kind = draw(st.sampled_from(["recurring", "recurring", "recurring", "metered", "one_time"]))
    price = Price(draw(st.integers(0, 100_000)), currency, every, kind)

    def span() -> tuple[Span, ...]:
        if not draw(st.booleans()):
            return ()
        begins = starts + draw(st.integers(0, 300))
        return (
            Span(day(begins), draw(st.one_of(st.none(), st.integers(0, 60).map(lambda n: day(begins + n))))),
        )

    discounts = draw(
        st.lists(
            st.builds(
                Discount,
                duration=st.sampled_from(["once", "repeating", "forever"]),
                percent=st.integers(1, 100),
                months=st.integers(1, 7),
                starts=st.one_of(st.none(), st.integers(starts, starts + 200).map(day)),
            ),
            max_size=3,
        )
    )
    changes = draw(
        st.lists(
            st.builds(
                Change,
                on=st.integers(starts + 1, starts + 300).map(day),
                quantity=st.one_of(st.none(), st.integers(0, 9)),
                price=st.one_of(
                    st.none(), st.integers(1, 90_000).map(lambda cents: Price(cents, currency, every, kind))
                ),
            ),
            max_size=2,
            unique_by=lambda change: change.on,
        )
    )
    return Subscription(
        customer=f"c{draw(st.integers(1, customers))}",
        subscription="",
        price=price,
        starts=day(starts),
        quantity=draw(st.integers(0, 9)),
        ends=ends,
        cancel_requested=requested,
        trial_until=None if trial is None else day(starts + trial),
        discounts=tuple(discounts),
        changes=tuple(changes),
        pauses=span(),
        past_due=span(),
        unpaid=span(),
    )


def random_histories(seed: int, count: int, currencies: tuple[str, ...] = ("EUR", "USD")) -> pa.Table:
    """Terms of ``count`` random subscriptions in bulk: one to three stretches each, some with a gap between.

    Four subscriptions to three customers on average; every state, kind, interval and discount; free prices,
    cancellations that are asked for before they happen, and ends that lie inside a paid period.
    """
    rng = np.random.default_rng(seed)
    stretches = rng.integers(1, 4, count)
    of = np.repeat(np.arange(count), stretches)
    rows = len(of)
    first = np.repeat(np.cumsum(stretches) - stretches, stretches)
    nth = np.arange(rows) - first
    last = nth == stretches[of] - 1
    lengths, gaps = rng.integers(1, 300, rows), np.where(rng.random(rows) < 0.2, rng.integers(1, 90, rows), 0)
    gaps[nth == 0] = 0
    walked = np.cumsum(lengths + gaps)
    begun = walked - lengths - (walked - lengths - gaps)[first] + rng.integers(18_262, 19_500, count)[of]
    open_ended = last & (rng.random(rows) < 0.5)
    asked = last & ~open_ended & (rng.random(rows) < 0.5)
    unit = rng.integers(0, 20_000, rows) * (rng.random(rows) > 0.05)
    gross = unit * (quantity := rng.integers(0, 6, rows))
    forever = np.floor(gross * rng.random(rows)).astype(np.int64) * (rng.random(rows) < 0.2)
    repeating = np.floor((gross - forever) * rng.random(rows)).astype(np.int64) * (rng.random(rows) < 0.2)
    ends = begun + lengths

    def named(values: tuple[str, ...], weights: list[float], at: np.ndarray) -> pa.Array:
        return pa.array(values).take(pa.array(rng.choice(len(values), int(at.max()) + 1, p=weights)[at]))

    def dates(days: np.ndarray, known: np.ndarray | None = None) -> pa.Array:
        mask = None if known is None else ~known
        return pa.array(days.astype(np.int32), mask=mask).cast(pa.date32())

    each = np.arange(rows)
    whole = pa.array(rng.integers(1, 4, rows))
    return pa.table(
        {
            "customer": pa.array(np.char.add("c", (of * 3 // 4).astype(str))),
            "subscription": pa.array(np.char.add("s", of.astype(str))),
            "starts": dates(begun),
            "ends": dates(ends, ~open_ended),
            "currency": named(currencies, [1 / len(currencies)] * len(currencies), of),
            "unit_cents": pa.array(unit.astype(np.int64)),
            "quantity": pa.array(quantity),
            "interval_count": whole,
            "interval_unit": named(("day", "week", "month", "year"), [0.05, 0.15, 0.5, 0.3], each),
            "forever_off": pa.array(forever),
            "repeating_off": pa.array(repeating),
            "once_off": pa.array(np.zeros(rows, dtype=np.int64)),
            "state": named(STATES, [0.6, 0.1, 0.1, 0.1, 0.1], each),
            "kind": named(("recurring", "metered", "one_time"), [0.8, 0.1, 0.1], each),
            "canceled_on": dates(begun + lengths // 2, asked),
            "paid_until": dates(ends + rng.integers(0, 40, rows), last & ~open_ended),
        },
        schema=SCHEMA,
    )
