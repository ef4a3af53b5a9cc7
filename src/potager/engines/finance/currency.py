"""Currencies: rates as they stood, conversion of steps, and the currency line that makes the movements balance.

Rates are whole billionths (1.25 is 1,250,000,000), so that a converted cent is the same cent everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa

from potager.engines.finance.arrow import dates, day_number, day_of, taken
from potager.engines.finance.money import FinanceError, Whole, scaled
from potager.engines.finance.movements import Steps, read_steps
from potager.engines.finance.policies import CurrencyRule
from potager.engines.finance.valuation import running, shifted, summed

BILLIONTH = 10**9


@dataclass(frozen=True, slots=True)
class Rate:
    """From ``on`` until the next one, a minor unit of ``currency`` is ``value`` minor units of the table's currency.

    Minor units, so a yen at $0.0067 is 0.67 cents: ``Decimal("0.67")``.
    """

    currency: str
    on: date
    value: Decimal


class RateTable:
    """Rates into one currency, ``into``, looked up as of a day: the latest at or before it.

    Raises :class:`FinanceError` for a rate that is not positive, one finer than a billionth, and two on one day.
    """

    def __init__(self, into: str, rates: Iterable[Rate]) -> None:
        self.into = into
        self._days: dict[str, Whole] = {}
        self._values: dict[str, Whole] = {}
        found: dict[str, dict[int, int]] = {into: {-(10**7): BILLIONTH}}
        for rate in rates:
            billionths = rate.value * BILLIONTH
            if rate.value <= 0 or billionths != int(billionths):
                raise FinanceError(
                    f"The rate of {rate.currency} on {rate.on}, {rate.value}, is not a positive number of at most nine "
                    "places.",
                    "Round it to nine places.",
                )
            if day_number(rate.on) in found.setdefault(rate.currency, {}) or rate.currency == into:
                raise FinanceError(
                    f"The rate of {rate.currency} into {into} on {rate.on} is given twice or is 1 by itself.",
                    "Keep one rate a currency and day, and none of a currency into itself.",
                )
            found[rate.currency][day_number(rate.on)] = int(billionths)
        for currency, days in found.items():
            self._days[currency] = np.array(sorted(days), dtype=np.int64)
            self._values[currency] = np.array([days[day] for day in sorted(days)], dtype=np.int64)

    def days(self, currency: str) -> Whole:
        """Return the days on which a currency's rate is set. Raises :class:`FinanceError` where it has none."""
        if currency not in self._days:
            raise FinanceError(f"There is no rate of {currency} into {self.into}.", "Load its rates.")
        return self._days[currency]

    def billionths(self, currency: str, on: Whole) -> Whole:
        """Return the rates as of days (numbers since 1970-01-01), shape as ``on``.

        Raises :class:`FinanceError` for a day before the currency's first rate.
        """
        place = np.searchsorted(self.days(currency), on, side="right") - 1
        if on.size and int(place.min()) < 0:
            first = day_of(int(on.min()))
            raise FinanceError(
                f"There is no rate of {currency} into {self.into} as of {first}.",
                "Load rates from that day on; a later rate is not used for an earlier day.",
            )
        return self._values[currency][place]

    def convert(self, cents: int, currency: str, on: date) -> int:
        """Return an amount in the table's currency at the rate as of a day, rounded half away from zero."""
        rate = self.billionths(currency, np.array([day_number(on)], dtype=np.int64))
        return int(scaled(np.array([cents], dtype=np.int64), rate, BILLIONTH)[0])


def convert_steps(
    table: pa.Table, rates: RateTable, rule: CurrencyRule = "revalued", *, through: date | None = None
) -> pa.Table:
    """Return a step table in the rates' currency, where a customer has one history whatever currencies were paid in.

    - ``revalued``: each value takes every new rate, and ``revaluation`` says how much of a day's change is due to rates
      alone: Σ over currencies of (value before × today's rate − value before × yesterday's), which is the *currency*
      movement. A rate table with one rate a month revalues once a month; rates after ``through`` are left out.
    - ``at_purchase``: each value keeps the rate of the day on which the customer began to pay in that currency; rates
      move nothing.

    Every converted figure is rounded once; differences are taken after rounding, so the movements add up to the cent.
    Raises :class:`FinanceError` where a rate is missing.
    """
    steps = read_steps(table)
    parts = [_in_currency(steps, place, rates, rule, through) for place in range(len(steps.currencies))]
    customer, day, change, revalued, living = (
        np.concatenate([part[at] for part in parts]) if parts else np.zeros(0, dtype=np.int64)
        for at in range(5)
    )
    customer, day, (change, revalued, living) = summed(customer, day, (change, revalued, living))
    keep = (change != 0) | (revalued != 0) | (living != 0)
    level, alive = running(customer, change), running(customer, living)
    return pa.table(
        {
            "customer": taken(steps.customers, customer[keep]),
            "date": dates(day[keep]),
            "cents": pa.array(level[keep]),
            "currency": pa.array([rates.into] * int(keep.sum()), pa.string()),
            "active": pa.array(alive[keep] > 0),
            "revaluation": pa.array(revalued[keep]),
        }
    )


def _in_currency(
    steps: Steps, place: int, rates: RateTable, rule: CurrencyRule, through: date | None
) -> tuple[Whole, Whole, Whole, Whole, Whole]:
    """Return the rows of one currency: customer, day, change, revaluation and change in being active, converted."""
    rows = steps.currency(steps.book) == place
    name = str(steps.currencies[place])
    customer, day = steps.customer(steps.book[rows]), steps.day[rows]
    native, active = steps.cents[rows], steps.active[rows].astype(np.int64)
    living = active - shifted(customer, active)
    if rule == "at_purchase":
        rate = _purchase_rates(customer, day, native, rates, name)
        level = scaled(native, rate, BILLIONTH)
        return customer, day, level - shifted(customer, level), np.zeros_like(level), living
    rate_days = rates.days(name)
    if through is not None:
        rate_days = rate_days[rate_days <= day_number(through)]
    customer, day, native, living = _with_rate_days(customer, day, native, living, rate_days)
    before = shifted(customer, native)
    level = scaled(native, _rates_where_paying(native, day, rates, name), BILLIONTH)
    had = shifted(customer, level)
    settled = scaled(before, _rates_where_paying(before, day, rates, name), BILLIONTH)
    return customer, day, level - had, settled - had, living


def _rates_where_paying(native: Whole, day: Whole, rates: RateTable, name: str) -> Whole:
    """Return the rates as of the days; 0 where nothing is paid, so that no rate is asked for there."""
    rate: Whole = np.zeros(len(day), dtype=np.int64)
    rate[native != 0] = rates.billionths(name, day[native != 0])
    return rate


def _purchase_rates(customer: Whole, day: Whole, native: Whole, rates: RateTable, name: str) -> Whole:
    begins = (native > 0) & (shifted(customer, native) == 0)
    place = np.maximum.accumulate(np.where(begins, np.arange(len(day)), -1))
    since = day[np.maximum(place, 0)]
    return _rates_where_paying(native, since, rates, name)


def _with_rate_days(
    customer: Whole, day: Whole, native: Whole, living: Whole, rate_days: Whole
) -> tuple[Whole, Whole, Whole, Whole]:
    """Return the rows with one more for each day a rate changes while the customer pays."""
    following = np.append(
        np.where(customer[1:] == customer[:-1], day[1:], np.iinfo(np.int64).max), np.iinfo(np.int64).max
    )
    first = np.searchsorted(rate_days, day, side="right")
    count = np.where(native > 0, np.searchsorted(rate_days, following, side="left") - first, 0)
    repeat = np.repeat(np.arange(len(day)), count)
    within = np.arange(len(repeat)) - np.repeat(np.cumsum(count) - count, count)
    customer = np.concatenate([customer, customer[repeat]])
    native = np.concatenate([native, native[repeat]])
    living = np.concatenate([living, np.zeros(len(repeat), dtype=np.int64)])
    day = np.concatenate([day, rate_days[first[repeat] + within]])
    order = np.lexsort((day, customer))
    return customer[order], day[order], native[order], living[order]
