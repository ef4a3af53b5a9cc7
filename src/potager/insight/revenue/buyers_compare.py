"""Two groups of buyers over the same horizon: who came back, what they brought, and what else could explain it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.behavior.shares import ShareDifference, share, share_difference
from potager.engines.finance.repeat_purchase import (
    CameBack,
    CameBackDifference,
    Waits,
    came_back,
    came_back_difference,
)
from potager.engines.statistics.compare import Comparison, compare
from potager.engines.statistics.sums import MeanSums
from potager.ground.lake.service import warehouse
from potager.insight.revenue.buyers import BuyersGrid, Purchases, grid, months_from, pooled, purchases_sql
from potager.insight.revenue.readings import plus_months
from potager.kit.errors import FieldProblem, Invalid

LEVEL = 0.95
LONGEST_GROUP = 24
SHORTEST_HORIZON = 7
LONGEST_HORIZON = 730
FEWEST_BUYERS = 30
UNSEEN_BEFORE = 3
"""Months from the start of the data in which many who are seen for the first time bought before."""


@dataclass(frozen=True)
class Months:
    """A group of cohorts: those who first bought from ``first`` to ``last``, both first days of months."""

    first: date
    last: date

    @property
    def each(self) -> tuple[date, ...]:
        """Every month of it."""
        return tuple(plus_months(self.first, at) for at in range(months_from(self.first, self.last) + 1))

    @property
    def name(self) -> str:
        """Its months in words: ``December 2010``, ``March to May 2011``."""
        if self.first == self.last:
            return f"{self.first:%B %Y}"
        year = "" if self.first.year == self.last.year else f" {self.first.year}"
        return f"{self.first:%B}{year} to {self.last:%B %Y}"


@dataclass(frozen=True)
class Group:
    """Buyers of some first months: all of them, those watched for the whole horizon, and who of these came back."""

    months: Months
    buyers: int
    watched: int
    again: int
    curve: CameBack | CannotTell
    spent: MeanSums


@dataclass(frozen=True)
class AtAge:
    """How many of each group bought in the same month of their lives, and the difference of the shares."""

    age: int
    difference: ShareDifference


@dataclass(frozen=True)
class BuyersComparison:
    """The first group against the second. ``difference`` is of those watched for the whole horizon (Newcombe 1998).

    ``curves`` is of all, each for as long as watched (Kaplan & Meier, Greenwood); ``spent`` of net revenue a buyer in
    the days after the first one, up to the horizon (Welch).
    """

    horizon: int
    reached: int
    first: Group
    second: Group
    difference: ShareDifference | CannotTell
    curves: CameBackDifference | CannotTell
    spent: Comparison | CannotTell
    ages: tuple[AtAge, ...]
    confounders: tuple[str, ...]
    sql: tuple[str, ...]


def months_of(text: str, where: str) -> Months:
    """Return the months of ``2010-12`` or ``2011-03..2011-05``. Raises Invalid."""
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])(?:\.\.(\d{4})-(0[1-9]|1[0-2]))?", text.strip(), re.ASCII)
    mend = "Write a month as 2010-12, or several as 2011-03..2011-05."
    if found is None or "0000" in (found[1], found[3]):
        problem = FieldProblem(where, f"“{text[:40]}” is no month.", mend)
        raise Invalid(problem.problem, mend=mend, errors=[problem])
    first = date(int(found[1]), int(found[2]), 1)
    last = date(int(found[3]), int(found[4]), 1) if found[3] else first
    if not first <= last or months_from(first, last) >= LONGEST_GROUP:
        problem = FieldProblem(where, f"“{text[:40]}” is not 1 to {LONGEST_GROUP} months.", mend)
        raise Invalid(problem.problem, mend=mend, errors=[problem])
    return Months(first, last)


def compare_buyers(
    given: Purchases, first: Months, second: Months, horizon: int | None = None
) -> BuyersComparison | CannotTell:
    """Compare who came back of two groups over the same number of days since the first purchase.

    Coming back is a purchase on a later day. Without a horizon it is the longest of whole 30 days for which every buyer
    of both groups was watched. Refused where a group is empty or was watched for under a week.
    """
    if set(first.each) & set(second.each):
        raise Invalid(
            "The two groups share a month, so the same buyers would be on both sides.",
            mend="Take months apart.",
        )
    shown = grid(given)
    told = shown.reach
    if told.last is None or told.first is None:
        return CannotTell("too_few", f"{given.table} holds no purchase.", "Import its data first.")
    end = plus_months(max(first.last, second.last), 1)
    # The last buyer of a group came on the last day of its last month, at the latest.
    reached = (told.last - end).days + 1
    if reached < SHORTEST_HORIZON and horizon is None:
        return CannotTell(
            "incomplete",
            f"The data end on {told.last}: the later group was watched for under {SHORTEST_HORIZON} days.",
            "Take earlier months, or wait.",
        )
    days = horizon or min(reached // 30 * 30 or reached, LONGEST_HORIZON)
    if not 1 <= days <= LONGEST_HORIZON:
        raise Invalid(f"{days} days are no horizon.", mend=f"Ask for 1 to {LONGEST_HORIZON}.")
    sql = (_waits_sql(given, first, second, told.last), _spent_sql(given, first, second, told.last, days))
    waits = warehouse().query(sql[0]).table.to_pylist()
    spent = {row["side"]: row for row in warehouse().query(sql[1]).table.to_pylist()}
    groups = [
        _group(months, [row for row in waits if row["side"] == side], spent.get(side), days)
        for side, months in ((1, first), (2, second))
    ]
    for group in groups:
        if not group.buyers:
            return CannotTell(
                "too_few", f"Nobody first bought in {group.months.name}.", "Take months with buyers."
            )
    one, other = groups
    curves = _curves(one.curve, other.curve)
    return BuyersComparison(
        horizon=days,
        reached=reached,
        first=one,
        second=other,
        difference=_difference(one, other, days),
        curves=curves,
        spent=compare(one.spent, other.spent, LEVEL),
        ages=_ages(shown, first, second),
        confounders=_confounders(told.first, first, second, days),
        sql=(shown.sql, *sql),
    )


def _sides(first: Months, second: Months) -> str:
    def within(months: Months) -> str:
        after = plus_months(months.last, 1)
        return f"began >= DATE '{months.first.isoformat()}' AND began < DATE '{after.isoformat()}'"

    return f"CASE WHEN {within(first)} THEN 1 WHEN {within(second)} THEN 2 END"


def _waits_sql(given: Purchases, first: Months, second: Months, through: date) -> str:
    """Return buyers counted by side, days watched, days to the first purchase on a later day."""
    return (
        f"{purchases_sql(given)},\nchosen AS (SELECT customer, CAST(began AS DATE) AS day, "
        f"{_sides(first, second)} AS side\nFROM buyers),\n"
        "later AS (SELECT chosen.customer, min(CAST(moment AS DATE)) AS again\nFROM chosen\nJOIN orders "
        "ON orders.customer = chosen.customer\nWHERE side IS NOT NULL AND amount > 0 "
        "AND CAST(moment AS DATE) > day\nGROUP BY chosen.customer)\n"
        f"SELECT side, date_diff('day', day, DATE '{through.isoformat()}') AS watched, "
        "date_diff('day', day, again) AS waited, count(*) AS buyers\n"
        "FROM chosen\nLEFT JOIN later ON later.customer = chosen.customer\nWHERE side IS NOT NULL\n"
        "GROUP BY ALL\nORDER BY ALL"
    )


def _spent_sql(given: Purchases, first: Months, second: Months, through: date, days: int) -> str:
    """Return by side mean and variance of a buyer's net revenue after the first day, of those watched for all days."""
    return (
        f"{purchases_sql(given)},\nchosen AS (SELECT customer, CAST(began AS DATE) AS day, "
        f"{_sides(first, second)} AS side\nFROM buyers),\n"
        "each_buyer AS (SELECT side, chosen.customer, coalesce(sum(amount) FILTER (WHERE CAST(moment AS DATE) > day "
        f"AND CAST(moment AS DATE) <= day + {days}), 0) AS spent\nFROM chosen\nJOIN orders "
        "ON orders.customer = chosen.customer\nWHERE side IS NOT NULL "
        f"AND day + {days} <= DATE '{through.isoformat()}'\nGROUP BY side, chosen.customer)\n"
        "SELECT side, count(*) AS buyers, avg(spent) AS mean, coalesce(var_samp(spent), 0) AS variance\n"
        "FROM each_buyer\nGROUP BY side\nORDER BY side"
    )


def _group(
    months: Months, rows: Sequence[dict[str, int | None]], spent: dict[str, float] | None, days: int
) -> Group:
    watched = np.array([row["watched"] for row in rows], dtype=np.int64)
    back = np.array([row["waited"] is not None for row in rows], dtype=np.bool_)
    waited = np.array([row["waited"] or 0 for row in rows], dtype=np.int64)
    count = np.array([row["buyers"] for row in rows], dtype=np.int64)
    enough = watched >= days
    curve: CameBack | CannotTell
    if count.sum():
        curve = came_back(Waits(np.where(back, waited, watched), back, count), days, LEVEL)
    else:
        curve = CannotTell("too_few", f"Nobody first bought in {months.name}.", "Take months with buyers.")
    return Group(
        months=months,
        buyers=int(count.sum()),
        watched=int(count[enough].sum()),
        again=int(count[enough & back & (waited <= days)].sum()),
        curve=curve,
        spent=MeanSums(0, 0.0, 0.0)
        if spent is None
        else MeanSums.from_moments(int(spent["buyers"]), spent["mean"], spent["variance"]),
    )


def _difference(one: Group, other: Group, days: int) -> ShareDifference | CannotTell:
    for group in (one, other):
        if group.watched < FEWEST_BUYERS:
            return CannotTell(
                "too_few",
                f"Only {group.watched} of {group.buyers} buyers of {group.months.name} were watched for all {days} "
                "days.",
                f"Ask for a shorter horizon, or for more months: it takes {FEWEST_BUYERS}.",
            )
    first, second = share(one.again, one.watched, LEVEL), share(other.again, other.watched, LEVEL)
    assert first is not None
    assert second is not None
    return share_difference(first, second)


def _curves(one: CameBack | CannotTell, other: CameBack | CannotTell) -> CameBackDifference | CannotTell:
    if isinstance(one, CannotTell):
        return one
    if isinstance(other, CannotTell):
        return other
    return came_back_difference(one, other)


def _ages(shown: BuyersGrid, first: Months, second: Months) -> tuple[AtAge, ...]:
    """Return the ages that every cohort of both groups has wholly lived, from the month after the first."""
    sides = [[one for one in shown.cohorts if one.month in months.each] for months in (first, second)]
    found: list[AtAge] = []
    age = 1
    while all(sides) and (one := pooled(sides[0], age)) and (other := pooled(sides[1], age)):
        left, right = share(*one, LEVEL), share(*other, LEVEL)
        assert left is not None
        assert right is not None
        found.append(AtAge(age, share_difference(left, right)))
        age += 1
    return tuple(found)


def _confounders(began: date, first: Months, second: Months, days: int) -> tuple[str, ...]:
    """Return what else than being kept could make the groups differ, as far as the table shows it."""
    seen_from = began.replace(day=1)
    found = [
        f"The data begin on {began.day} {began:%B %Y}: whoever bought before is seen there for the first time. "
        f"The buyers of {months.name} therefore include older customers, who come back more often than new ones; how "
        "many is not in the data (left truncation)."
        for months in (first, second)
        if months_from(seen_from, months.first) < UNSEEN_BEFORE
    ]
    if {one.month for one in first.each} != {one.month for one in second.each}:
        found.append(
            f"The {days} days after the first purchase fall into other seasons for each group, so a season of buying "
            "can look like keeping."
        )
    return tuple(found)
