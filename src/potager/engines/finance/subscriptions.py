"""Described subscriptions (price, quantity, discounts, trial, pauses, changes, cancellation) turned into terms.

For a handful of subscriptions, for tests, and as the reading of what the rows of a bulk loader mean.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pyarrow as pa

from potager.engines.finance.intervals import MONTHLY, Interval, add_months
from potager.engines.finance.money import FinanceError, nearest
from potager.engines.finance.policies import Duration
from potager.engines.finance.terms import SCHEMA, Kind, State, read_terms

_ORDER: tuple[Duration, ...] = ("forever", "repeating", "once")


@dataclass(frozen=True, slots=True)
class Price:
    """A list price: ``unit_cents`` for one, for one ``every``."""

    unit_cents: int
    currency: str
    every: Interval = MONTHLY
    kind: Kind = "recurring"


@dataclass(frozen=True, slots=True)
class Discount:
    """Either ``percent`` (0 to 100) or ``cents`` with their ``currency`` off the price of one billing interval.

    It holds for the billing periods that begin while it runs: ``once`` for one, ``repeating`` for those that begin
    within ``months`` of ``starts`` (so three months on a yearly price are one year), ``forever`` for all. Where it
    starts inside a period it holds for the rest of it. ``starts`` is the subscription's start where it is not given.
    """

    duration: Duration
    percent: Fraction | int = 0
    cents: int = 0
    currency: str = ""
    months: int = 0
    starts: date | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The days from ``starts`` to the day before ``ends``; without an end it is still so."""

    starts: date
    ends: date | None = None

    def holds(self, day: date) -> bool:
        """Whether the day is inside."""
        return self.starts <= day and (self.ends is None or day < self.ends)


@dataclass(frozen=True, slots=True)
class Change:
    """From ``on``, another quantity or another price; None leaves it as it was."""

    on: date
    quantity: int | None = None
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as it is known: from ``starts`` until billing ended it on ``ends`` (None while it lives).

    ``cancel_requested`` is the day the customer asked for the end, which for an end at the period's end lies before
    ``ends``. Trials come first; ``past_due``, ``unpaid`` and ``pauses`` are stretches of those states.
    """

    customer: str
    subscription: str
    price: Price
    starts: date
    quantity: int = 1
    ends: date | None = None
    cancel_requested: date | None = None
    trial_until: date | None = None
    discounts: tuple[Discount, ...] = ()
    changes: tuple[Change, ...] = ()
    pauses: tuple[Span, ...] = ()
    past_due: tuple[Span, ...] = ()
    unpaid: tuple[Span, ...] = ()

    @property
    def anchor(self) -> date:
        """The day billing periods are counted from: the first day after the trial."""
        return self.trial_until or self.starts

    def state(self, day: date) -> State:
        """Return the state on a day; where several hold, the trial first, then the pause, then what is owed."""
        if self.trial_until is not None and day < self.trial_until:
            return "trialing"
        spans: tuple[tuple[State, tuple[Span, ...]], ...] = (
            ("paused", self.pauses),
            ("unpaid", self.unpaid),
            ("past_due", self.past_due),
        )
        for state, found in spans:
            if any(span.holds(day) for span in found):
                return state
        return "active"

    def agreed(self, day: date) -> tuple[Price, int]:
        """Return the price and the quantity that hold on a day."""
        price, quantity = self.price, self.quantity
        for change in sorted(self.changes, key=lambda change: change.on):
            if change.on <= day:
                price = change.price or price
                quantity = quantity if change.quantity is None else change.quantity
        return price, quantity


def discount_ends(discount: Discount, subscription: Subscription) -> date | None:
    """Return the first day a discount no longer holds; None is never."""
    if discount.duration == "forever":
        return None
    starts = max(discount.starts or subscription.anchor, subscription.anchor)
    every = subscription.agreed(starts)[0].every
    if discount.duration == "once":
        return every.renewal_after(subscription.anchor, starts)
    last = add_months(starts, discount.months) - timedelta(days=1)
    return every.renewal_after(subscription.anchor, last)


def terms_of(subscriptions: Iterable[Subscription]) -> pa.Table:
    """Return the table of terms of described subscriptions (columns: :mod:`potager.engines.finance.terms`).

    A percentage is rounded to a whole minor unit off each interval's price, as on an invoice. Raises
    :class:`FinanceError` with a sentence for a description that no figure may be made of.
    """
    rows = [row for subscription in subscriptions for row in _rows(subscription)]
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    read_terms(table)
    return table


def _rows(subscription: Subscription) -> list[dict[str, Any]]:
    _check(subscription)
    cuts = {subscription.starts}
    spans = [*subscription.pauses, *subscription.past_due, *subscription.unpaid]
    ends = [discount_ends(discount, subscription) for discount in subscription.discounts]
    for day in (
        subscription.trial_until,
        *(change.on for change in subscription.changes),
        *(edge for span in spans for edge in (span.starts, span.ends)),
        *(discount.starts for discount in subscription.discounts),
        *ends,
    ):
        inside = day is not None and subscription.starts < day
        if day is not None and inside and (subscription.ends is None or day < subscription.ends):
            cuts.add(day)
    days = sorted(cuts)
    rows = [
        _row(subscription, day, until, ends)
        for day, until in zip(days, [*days[1:], subscription.ends], strict=True)
    ]
    rows[-1]["paid_until"] = _paid_until(subscription)
    return rows


def _row(
    subscription: Subscription, day: date, until: date | None, ends: list[date | None]
) -> dict[str, Any]:
    price, quantity = subscription.agreed(day)
    left = Fraction(price.unit_cents * quantity)
    offs = dict.fromkeys(_ORDER, 0)
    # The lasting discounts first, so that what a lasting one takes off does not hang on one that passes.
    for duration in _ORDER:
        for discount, end in zip(subscription.discounts, ends, strict=True):
            begun = (discount.starts or subscription.starts) <= day
            if discount.duration == duration and begun and (end is None or day < end):
                off = min(nearest(left * Fraction(discount.percent) / 100) + discount.cents, int(left))
                offs[duration] += off
                left -= off
    requested = subscription.cancel_requested
    return {
        "customer": subscription.customer,
        "subscription": subscription.subscription,
        "starts": day,
        "ends": until,
        "currency": price.currency,
        "unit_cents": price.unit_cents,
        "quantity": quantity,
        "interval_count": price.every.count,
        "interval_unit": price.every.unit,
        "state": subscription.state(day),
        "kind": price.kind,
        "canceled_on": requested,
        "paid_until": None,
        **{f"{duration}_off": off for duration, off in offs.items()},
    }


def _paid_until(subscription: Subscription) -> date | None:
    """Return the end of the period that was paid when billing ended it; a trial and an unpaid period paid nothing."""
    if subscription.ends is None:
        return None
    last = subscription.ends - timedelta(days=1)
    if last < subscription.anchor or subscription.state(last) in ("trialing", "unpaid", "past_due"):
        return subscription.ends
    return subscription.agreed(last)[0].every.renewal_after(subscription.anchor, last)


def _check(subscription: Subscription) -> None:
    name = f"The subscription '{subscription.subscription}' of '{subscription.customer}'"
    ends, requested = subscription.ends, subscription.cancel_requested
    if ends is not None and ends < subscription.starts:
        raise FinanceError(
            f"{name} ends on {ends}, before it starts on {subscription.starts}.",
            "Check which of the two dates is wrong; it counts nowhere until then.",
        )
    if requested is not None and ends is not None and requested > ends:
        raise FinanceError(
            f"{name} was asked to be canceled on {requested}, after it had ended on {ends}.",
            "Check which of the two dates is wrong.",
        )
    if subscription.trial_until is not None and subscription.trial_until < subscription.starts:
        raise FinanceError(f"{name} has a trial that ends before it starts.", "Check the trial's end.")
    for span in (*subscription.pauses, *subscription.past_due, *subscription.unpaid):
        if span.ends is not None and span.ends < span.starts:
            raise FinanceError(
                f"{name} has a stretch of days that ends on {span.ends}, before {span.starts}.",
                "Check which of the two dates is wrong.",
            )
    agreed = [subscription.price, *(change.price for change in subscription.changes if change.price)]
    currencies = sorted({price.currency for price in agreed})
    if len(currencies) > 1:
        raise FinanceError(
            f"{name} is billed in two currencies, {' and '.join(currencies)}.",
            "End it and start one in the other currency, as billing systems do.",
        )
    quantities = [subscription.quantity, *(change.quantity or 0 for change in subscription.changes)]
    if min(quantities) < 0:
        raise FinanceError(
            f"{name} has a negative quantity, {min(quantities)}.", "Write a refund as a refund."
        )
    for discount in subscription.discounts:
        _check_discount(discount, subscription, name)


def _check_discount(discount: Discount, subscription: Subscription, name: str) -> None:
    price, quantity = subscription.agreed(discount.starts or subscription.starts)
    if bool(discount.percent) == bool(discount.cents):
        raise FinanceError(
            f"{name} has a discount that is not one of a percentage or an amount.", "Give one."
        )
    if discount.percent < 0 or discount.cents < 0:
        raise FinanceError(f"{name} has a negative discount.", "Write a surcharge as a price of its own.")
    if discount.percent > 100 or discount.cents > price.unit_cents * quantity:
        raise FinanceError(
            f"{name} has a discount above the price.",
            "Cap the discount at the price; a customer who pays nothing is on a free plan, not owed money.",
        )
    if discount.cents and discount.currency != price.currency:
        raise FinanceError(
            f"{name} is billed in {price.currency} and has a discount in {discount.currency or 'no currency'}.",
            "Give the discount in the currency of the price.",
        )
    if discount.duration == "repeating" and discount.months < 1:
        raise FinanceError(f"{name} has a repeating discount without months.", "Say for how many months.")


def with_end(subscription: Subscription, on: date, *, at_period_end: bool) -> Subscription:
    """Return the subscription canceled: asked for on a day, ended then or at the end of the period that day is in."""
    every = subscription.agreed(on)[0].every
    ends = every.renewal_after(subscription.anchor, on) if at_period_end else on
    return replace(subscription, cancel_requested=on, ends=ends)
