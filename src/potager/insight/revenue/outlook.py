"""What a book's MRR may become: a back-tested forecast, a scenario against its base, and what a customer is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.finance import (
    Bridge,
    FinanceError,
    Ratio,
    acquisition_cost,
    acquisition_payback,
    average_revenue,
    levels_between,
    lifetime_value,
    logo_churn,
    nearest,
    rule_of_40,
)
from potager.engines.finance.projection import ProjectedMonth, Rates, average_rates, project
from potager.engines.statistics.backtest import tiers
from potager.engines.statistics.forecast import Forecast, forecast
from potager.ground.lake.service import warehouse
from potager.insight.revenue import queries, readings
from potager.insight.revenue.models import Book
from potager.insight.revenue.readings import Told, plus_months, whole_until
from potager.insight.revenue.writing import MOVEMENTS, quoted
from potager.kit.currencies import minor_in
from potager.kit.errors import Invalid

AHEAD = 12
LONGEST_AHEAD = 36
LEVEL = 0.8
BASIS = 6


@dataclass(frozen=True)
class Outlook:
    """The months that were, from the first in which anybody paid, and what the next will likely bring."""

    currency: str
    history: tuple[Bridge, ...]
    ahead: tuple[date, ...]
    found: Forecast | CannotTell


@dataclass(frozen=True)
class Scenario:
    """Two projections from the same MRR: as the last months went, and with some rates changed from next month."""

    currency: str
    starts: tuple[date, ...]
    now: int
    rates: Rates
    changed_rates: Rates
    changes: Mapping[str, Fraction]
    base: tuple[ProjectedMonth, ...]
    changed: tuple[ProjectedMonth, ...]
    left_out: int

    @property
    def difference(self) -> int:
        """What the changes make after the last month, in minor units."""
        return nearest(self.changed[-1].end - self.base[-1].end)


@dataclass(frozen=True)
class Inputs:
    """What the books do not hold: shares as fractions, spend in minor units. None is not known, which is not zero."""

    gross_margin: Fraction | None = None
    spend: int | None = None
    operating_margin: Fraction | None = None


@dataclass(frozen=True)
class Economics:
    """What a customer costs and brings, over the days from ``since`` to ``until``, both in it."""

    currency: str
    since: date
    until: date
    won: int
    told: tuple[Told, ...]


def inputs_of(
    currency: str,
    gross_margin: Decimal | None = None,
    spend: Decimal | None = None,
    operating_margin: Decimal | None = None,
) -> Inputs:
    """Return percentages as fractions and an amount in minor units; what was not given stays unknown."""
    return Inputs(
        None if gross_margin is None else Fraction(gross_margin) / 100,
        None if spend is None else nearest(Fraction(spend) * minor_in(currency)),
        None if operating_margin is None else Fraction(operating_margin) / 100,
    )


def _ahead(count: int) -> None:
    if not 1 <= count <= LONGEST_AHEAD:
        raise Invalid(f"{count} months ahead cannot be told.", mend=f"Ask for 1 to {LONGEST_AHEAD}.")


def forecast_of(book: Book, policy: str, ahead: int = AHEAD, level: float = LEVEL) -> Outlook:
    """Return MRR at the end of each of the next ``ahead`` months, with ranges at ``level`` tested on this very series.

    It is CannotTell where the months do not suffice to test that far a forecast on them.
    """
    _ahead(ahead)
    if not 0.5 <= level <= 0.99:
        raise Invalid(f"A range at {level:.0%} cannot be tested.", mend="Ask for a level from 0.5 to 0.99.")
    months = readings.months(book, policy, readings.MOST_MONTHS)
    first = next((at for at, one in enumerate(months) if one.end), len(months))
    history = months[first:]
    end = whole_until(book)
    values = np.array([one.end for one in history], dtype=np.float64)
    # MRR is a level: what has a season are its changes, and those the methods with a trend follow.
    found: Forecast | CannotTell
    if not history:
        found = CannotTell("too_few", "Nobody ever paid.", "Wait for the first paid month.")
    else:
        found = forecast(values, ahead, season=1, level=level)
    return Outlook(book.currency, history, tuple(plus_months(end, at) for at in range(ahead)), found)


def longest_tested(known: int) -> int:
    """Return the most months ahead that a forecast can be tested for on so many known ones; 0 where none."""
    (tier,) = tiers(1)
    return max((count for count in range(1, LONGEST_AHEAD + 1) if tier.needs(count) <= known), default=0)


def scenario_of(
    book: Book,
    policy: str,
    changes: Mapping[str, Fraction],
    basis: int = BASIS,
    ahead: int = AHEAD,
) -> Scenario | CannotTell:
    """Return the projection of the last ``basis`` months' rates, and that with ``changes`` in percent of the rates.

    Raises Invalid for changes that cannot be.
    """
    _ahead(ahead)
    months = readings.months(book, policy, basis)
    rates = average_rates(months)
    if isinstance(rates, CannotTell):
        return rates
    try:
        changed_rates = rates.changed(**changes)
        now = months[-1].end
        base, changed = project(now, rates, ahead), project(now, changed_rates, ahead)
    except FinanceError as error:
        raise Invalid(error.detail, mend=error.mend) from error
    end = whole_until(book)
    return Scenario(
        currency=book.currency,
        starts=tuple(plus_months(end, at) for at in range(ahead)),
        now=now,
        rates=rates,
        changed_rates=changed_rates,
        changes={name: by for name, by in changes.items() if by},
        base=base,
        changed=changed,
        left_out=sum(one.currency_effect for one in months),
    )


def _unknown(what: str, give: str) -> CannotTell:
    return CannotTell("incomplete", f"Nobody said {what}.", f"Give {give}.")


def _won(book: Book, policy: str, since: date, until: date) -> int:
    """Return how many customers first paid in these days."""
    sql = (
        f"SELECT count(DISTINCT customer) AS won FROM {MOVEMENTS} "  # noqa: S608 - quoted
        f"WHERE book = {quoted(book.name)} AND policy = {quoted(policy)} AND kind = 'new' "
        f"AND day BETWEEN DATE '{since.isoformat()}' AND DATE '{until.isoformat()}'"
    )
    return int(warehouse().query(sql).table["won"][0].as_py())


def economics_of(
    book: Book, policy: str, given: Inputs, since: date | None = None, until: date | None = None
) -> Economics:
    """Return LTV, CAC, its payback, LTV:CAC and the Rule of 40; the last twelve whole months where no days are given.

    ``given.spend`` is what winning customers cost in these very days. Each figure is CannotTell that lacks an input.
    """
    last = until or whole_until(book) - timedelta(days=1)
    first = since or plus_months(last + timedelta(days=1), -readings.WINDOW)
    bridge = readings.bridge_between(book, policy, first, last)
    levels = levels_between(queries.steps(book, policy), first - timedelta(days=1), last, book.currency)
    won = _won(book, policy, first, last)
    arpa = average_revenue(bridge.end, int((levels.after > 0).sum()))
    value = _value(arpa, logo_churn(levels), given, _whole_months(first, last))
    cost: Ratio | CannotTell
    if given.spend is None:
        cost = _unknown("what sales and marketing cost in this time", "the spend, in the book's currency")
    else:
        cost = acquisition_cost(given.spend, won)
    told = (
        Told("arpa", "ARPA", arpa),
        Told("lifetime_value", "LTV", value),
        Told("acquisition_cost", "CAC", cost),
        Told("acquisition_payback", "CAC payback", _payback(cost, bridge, won, given)),
        Told("value_to_cost", "LTV:CAC", _value_to_cost(value, cost)),
        Told("rule_of_40", "Rule of 40", _rule_of_40(book, policy, last, given)),
    )
    return Economics(book.currency, first, last, won, told)


def _whole_months(first: date, last: date) -> int:
    """Return how many months the days from ``first`` to ``last``, both in it, are; 0 where they are not whole ones."""
    after = last + timedelta(days=1)
    whole = first.day == after.day == 1
    return (after.year - first.year) * 12 + after.month - first.month if whole else 0


def _value(
    arpa: Ratio | CannotTell, churn: Ratio | CannotTell, given: Inputs, months: int
) -> Ratio | CannotTell:
    if not months:
        return CannotTell(
            "undefined",
            "A monthly churn needs whole months.",
            "Take days from the first of a month to the last of one.",
        )
    if given.gross_margin is None:
        return _unknown("the gross margin", "it in percent of revenue")
    if isinstance(arpa, CannotTell):
        return arpa
    if isinstance(churn, CannotTell):
        return churn
    lost, customers = int(churn.numerator), int(churn.denominator)
    worth = arpa.numerator / arpa.denominator
    return lifetime_value(worth, given.gross_margin, lost=lost, customers=customers, months=months)


def _payback(cost: Ratio | CannotTell, bridge: Bridge, won: int, given: Inputs) -> Ratio | CannotTell:
    if isinstance(cost, CannotTell):
        return cost
    if given.gross_margin is None:
        return _unknown("the gross margin", "it in percent of revenue")
    return acquisition_payback(
        cost.numerator / cost.denominator, Fraction(bridge.new, won), given.gross_margin
    )


def _value_to_cost(value: Ratio | CannotTell, cost: Ratio | CannotTell) -> Ratio | CannotTell:
    if isinstance(value, CannotTell):
        return value
    if isinstance(cost, CannotTell):
        return cost
    if not cost.numerator:
        return CannotTell("undefined", "Winning customers cost nothing, so there is no ratio to it.", "")
    one = cost.numerator / cost.denominator
    low, high = (None if end is None else end / float(one) for end in (value.low, value.high))
    return Ratio(
        "LTV to CAC", "", "times", value.numerator / value.denominator, one,
        (("lifetime value", value.numerator / value.denominator), ("cost", one)), low, high,
    )  # fmt: skip


def _rule_of_40(book: Book, policy: str, last: date, given: Inputs) -> Ratio | CannotTell:
    """Return growth of twelve months' recurring revenue over the twelve before + the operating margin."""
    if given.operating_margin is None:
        return _unknown("the operating margin", "it in percent of revenue")
    end = (last + timedelta(days=1)).replace(day=1)
    edges = plus_months(end, -24), plus_months(end, -12)
    sums = queries.month_sums(book, policy, edges[0], end)
    before = sum(row["end"] for month, row in sums.items() if month < edges[1])
    after = sum(row["end"] for month, row in sums.items() if month >= edges[1])
    if edges[0] not in sums or not sums[edges[0]]["end"]:
        return CannotTell(
            "too_few",
            "The Rule of 40 compares two years, and nobody paid 24 months before the end of this time.",
            "Wait for two years of revenue.",
        )
    return rule_of_40(before, after, nearest(given.operating_margin * after))
