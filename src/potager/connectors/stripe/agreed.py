"""What a subscription was agreed to be at one time: its lines, discounts and dates, whatever file it came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from potager.engines.finance import Interval, allocate, nearest
from potager.engines.finance.intervals import add_months
from potager.engines.finance.money import MOST_CENTS
from potager.engines.finance.policies import Duration
from potager.engines.finance.terms import Kind as PriceKind
from potager.engines.finance.terms import State

_CAP = "Cap the discount at the price; a customer who pays nothing is on a free plan, not owed money."


@dataclass(frozen=True, slots=True)
class Off:
    """A discount: ``percent`` (0 to 100) or ``cents`` off the price of one billing interval.

    ``ends`` is the day it was said to end on, None where it was not said; ``products`` are those it is for, none for
    all.
    """

    duration: Duration
    percent: Fraction = Fraction(0)
    cents: Fraction = Fraction(0)
    months: int = 0
    starts: date | None = None
    ends: date | None = None
    products: frozenset[str] = frozenset()

    def holds_until(self, anchor: date, since: date, every: Interval) -> date | None:
        """Return the first day it no longer holds, as :class:`potager.engines.finance.Discount` has it; None is never.

        It holds for the billing periods that begin while it runs. ``anchor`` is the day periods are counted from,
        ``since`` the first day that is paid.
        """
        if self.duration == "forever":
            return self.ends
        begins = max(self.starts or since, since)
        if self.duration == "once":
            return every.renewal_after(anchor, begins)
        last = (self.ends or add_months(begins, self.months)) - timedelta(days=1)
        return every.renewal_after(anchor, max(last, begins))


@dataclass(frozen=True, slots=True)
class Line:
    """One item: ``unit`` is the price of one in minor units, which may be a fraction of one."""

    name: str
    plan: str
    product: str
    unit: Fraction
    quantity: int
    every: Interval
    kind: PriceKind = "recurring"
    offs: tuple[Off, ...] = ()
    period_starts: date | None = None
    period_ends: date | None = None

    @property
    def gross(self) -> int:
        """The price of one billing interval before discounts, in whole minor units."""
        return nearest(self.unit * self.quantity)


@dataclass(frozen=True, slots=True)
class Agreed:
    """A subscription as it was said to be. ``state`` None means that it was not (yet) one that counts.

    ``ends`` is the day it ended on or will; ``canceled_on`` the day that was asked for; ``ended`` whether it is over.
    """

    customer: str
    subscription: str
    currency: str
    lines: tuple[Line, ...]
    starts: date
    state: State | None
    offs: tuple[Off, ...] = ()
    trial_from: date | None = None
    trial_until: date | None = None
    anchor: date | None = None
    paused: bool = False
    resumes_on: date | None = None
    canceled_on: date | None = None
    ends: date | None = None
    ended: bool = False

    @property
    def counted_from(self) -> date:
        """The day billing periods are counted from."""
        return self.trial_until or self.anchor or self.starts

    @property
    def paid_from(self) -> date:
        """The first day that is paid: after the trial."""
        return self.trial_until or self.starts

    def period_starts(self) -> date | None:
        """The earliest first day of a present billing period, where it is known."""
        known = [line.period_starts for line in self.lines if line.period_starts]
        return min(known) if known else None

    def state_on(self, day: date) -> State | None:
        """Return the state on a day, the trial first, then the pause."""
        if self.state == "trialing":
            if self.trial_until is None or day < self.trial_until:
                return "trialing"
            return "paused" if self._is_paused(day) else "active"
        if self.state is not None and self._is_paused(day):
            return "paused"
        return self.state

    def _is_paused(self, day: date) -> bool:
        return self.paused and (self.resumes_on is None or day < self.resumes_on)

    def cuts(self) -> set[date]:
        """Return the days on which something changes by itself: trial, pause, beginnings and ends of discounts."""
        found = {
            self.trial_until if self.state == "trialing" else None,
            self.resumes_on if self.paused else None,
        }
        for line in self.lines:
            for off in (*line.offs, *self.offs):
                found |= {off.starts, off.holds_until(self.counted_from, self.paid_from, line.every)}
        return {day for day in found if day is not None}

    def taken_off(self, day: date) -> list[dict[Duration, int]]:
        """Return what discounts of each duration take off each line on a day, in whole minor units.

        The lasting ones first, each from what the one before it left; an amount off the whole subscription is shared
        by its lines in proportion to what is left of them.
        """
        left = [line.gross for line in self.lines]
        taken: list[dict[Duration, int]] = [dict.fromkeys(_ORDER, 0) for _ in self.lines]
        for duration in _ORDER:
            for whose, off in self.discounts():
                if off.duration != duration:
                    continue
                held = [
                    at
                    for at, line in enumerate(self.lines)
                    if whose in (None, at)
                    and (not off.products or line.product in off.products)
                    and (off.starts or self.starts) <= day
                    and (
                        (until := off.holds_until(self.counted_from, self.paid_from, line.every)) is None
                        or day < until
                    )
                ]
                for at, cents in zip(held, _shares(off, [left[at] for at in held]), strict=True):
                    taken[at][duration] += cents
                    left[at] -= cents
        return taken

    def discounts(self) -> list[tuple[int | None, Off]]:
        """Return the lines' own discounts with the line's place, then those of all lines with None."""
        own: list[tuple[int | None, Off]] = [
            (at, off) for at, line in enumerate(self.lines) for off in line.offs
        ]
        return own + [(None, off) for off in self.offs]


_ORDER: tuple[Duration, ...] = ("forever", "repeating", "once")


def _shares(off: Off, left: list[int]) -> list[int]:
    """Return what a discount takes off each line that it holds for, where ``left`` is left of them."""
    if off.percent:
        return [nearest(cents * off.percent / 100) for cents in left]
    total = sum(left)
    if not total:
        return [0] * len(left)
    return list(allocate(min(nearest(off.cents), total), left))


def fault_of(agreed: Agreed) -> tuple[str, str] | None:
    """Return what is wrong with its amounts, with the mend: too large, or a discount above the price; None for fine."""
    for line in agreed.lines:
        if line.unit >= MOST_CENTS or line.quantity >= MOST_CENTS or line.gross >= MOST_CENTS:
            return (
                "It has a price that is too large to be counted in 64 bits.",
                "Check the price and the quantity.",
            )
    for whose, off in agreed.discounts():
        lines = [line for at, line in enumerate(agreed.lines) if whose in (None, at)]
        if off.percent > 100:
            return f"It has a discount of {float(off.percent):g} percent, above the price.", _CAP
        priced = [line for line in lines if line.kind == "recurring"]
        if off.cents and priced and nearest(off.cents) > sum(line.gross for line in lines):
            return (
                f"It has a discount above the price: {nearest(off.cents)} off {sum(line.gross for line in lines)}.",
                _CAP,
            )
        if off.percent < 0 or off.cents < 0:
            return "It has a negative discount.", "Write a surcharge as a price of its own."
    return None
