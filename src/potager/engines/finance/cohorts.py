"""Cohorts: what customers who began together still pay, period after period; what cannot be known yet stays unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from potager.engines.finance.arrow import codes, day_number
from potager.engines.finance.levels import currency_place, dense_levels
from potager.engines.finance.money import FinanceError, Whole, sums_by
from potager.engines.finance.movements import Steps, read_steps, rising

Maturity = Literal["mature", "partial", "immature"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cohort at an age. ``cents`` and ``customers`` are None where the age is not reached, which is not zero.

    ``of_cents`` and ``of_customers`` are the same customers at age 0: only those who have reached this age, so that a
    share compares like with like. *partial* is a cohort of which some members have not reached it.
    """

    maturity: Maturity
    cents: int | None
    customers: int | None
    of_cents: int
    of_customers: int

    @property
    def revenue_share(self) -> float | None:
        """The share of the first revenue that is still paid; None where it cannot be known yet."""
        return None if self.cents is None or not self.of_cents else self.cents / self.of_cents

    @property
    def customer_share(self) -> float | None:
        """The share of customers who still pay; None where it cannot be known yet."""
        return None if self.customers is None or not self.of_customers else self.customers / self.of_customers


@dataclass(frozen=True, slots=True)
class Cohort:
    """One row of the grid: its ``label`` (a first day, or an attribute's value), size at age 0, and a cell an age."""

    label: date | str
    customers: int
    cents: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class CohortGrid:
    """Cohorts in rows, ages in periods (0 is the first paid one) in columns; all money in ``currency``."""

    currency: str
    by: str
    periods: int
    cohorts: tuple[Cohort, ...]


def cohort_grid(
    steps: pa.Table,
    boundaries: Sequence[date],
    currency: str,
    *,
    through: date,
    attribute: pa.Table | None = None,
) -> CohortGrid:
    """Return the grid of customers by the period of their first paid day, or by an attribute, from a step table.

    Periods are [boundaries[i], boundaries[i + 1]); a customer's value in one is that at its end. A period counts once
    ``through``, the last day the data tell of, has reached its last day; cells beyond it are immature. Customers who
    first paid before the first boundary, or whose first period is not over yet, are left out. A customer who paid and
    left within the first period is in the cohort and worth nothing at age 0.

    ``attribute``: two columns, ``customer`` and ``value``; customers it does not name stand under "unknown". Ages are
    then still counted from each customer's own first paid period, so a cohort may be partly mature.

    Raises :class:`FinanceError` for bad steps or boundaries, and for a customer with two values.
    """
    read, edges = read_steps(steps), rising(boundaries)
    place = currency_place(read, currency)
    whole_periods = int(np.searchsorted(edges[1:], day_number(through) + 1, side="right"))
    first = _first_period(read, place, edges)
    member = (first >= 0) & (first < whole_periods)
    row, labels = (first, list(boundaries[:-1])) if attribute is None else _rows_by(read, attribute)
    sums = _Sums(len(labels), whole_periods, row[member], first[member])
    for period in range(whole_periods):
        sums.add(period, dense_levels(read, int(edges[period + 1]) - 1, place)[member])
    sizes = np.bincount(row[member], minlength=len(labels))
    cohorts = tuple(
        Cohort(
            label=labels[at],
            customers=int(sizes[at]),
            cents=int(sums.started[at].sum()),
            cells=tuple(sums.cell(at, age) for age in range(whole_periods)),
        )
        for at in range(len(labels))
        if sizes[at]
    )
    return CohortGrid(currency, "first paid" if attribute is None else "attribute", whole_periods, cohorts)


class _Sums:
    """Sums by row of the grid and age, made in one pass over the customers for each period."""

    def __init__(self, rows: int, periods: int, row: Whole, first: Whole) -> None:
        self._shape = (rows, periods)
        self._row, self._first = row, first
        self._cents: Whole = np.zeros(self._shape, dtype=np.int64)
        self._paying: Whole = np.zeros(self._shape, dtype=np.int64)
        self._joined = self._by_row(first, np.ones(len(row), dtype=np.int64))
        self.started: Whole = np.zeros(self._shape, dtype=np.int64)
        """Cents at age 0 by row and first period."""

    def _by_row(self, column: Whole, values: Whole) -> Whole:
        rows, columns = self._shape
        return sums_by(self._row * columns + column, values, rows * columns).reshape(rows, columns)

    def add(self, period: int, level: Whole) -> None:
        """Add the customers' values at the end of a period."""
        begun = self._first <= period
        age = np.where(begun, period - self._first, 0)
        self._cents += self._by_row(age, np.where(begun, level, 0))
        self._paying += self._by_row(age, (begun & (level > 0)).astype(np.int64))
        starts = self._first == period
        self.started += self._by_row(np.full(len(level), period, dtype=np.int64), np.where(starts, level, 0))

    def cell(self, at: int, age: int) -> Cell:
        """Return one cell; only who began early enough to have reached the age stands in its base."""
        reached = self._shape[1] - age
        of_customers = int(self._joined[at, :reached].sum())
        if not of_customers:
            return Cell("immature", None, None, 0, 0)
        return Cell(
            "mature" if of_customers == int(self._joined[at].sum()) else "partial",
            int(self._cents[at, age]),
            int(self._paying[at, age]),
            int(self.started[at, :reached].sum()),
            of_customers,
        )


def _first_period(steps: Steps, place: int, edges: Whole) -> Whole:
    """Return the period of each customer's first paid day; −1 where it is before the first boundary or never came."""
    first: Whole = np.full(len(steps.customers), np.iinfo(np.int64).max, dtype=np.int64)
    paying = (steps.cents > 0) & (steps.currency(steps.book) == place)
    np.minimum.at(first, steps.customer(steps.book[paying]), steps.day[paying])
    period = np.searchsorted(edges, first, side="right") - 1
    return np.where(period < len(edges) - 1, period, -1)


def _rows_by(steps: Steps, attribute: pa.Table) -> tuple[Whole, list[date | str]]:
    """Return each customer's row in the grid by an attribute, and the rows' labels."""
    customer, customers = codes(attribute["customer"])
    if len(customers) < len(customer):
        raise FinanceError("A customer has two values of the attribute.", "Give the one that is to hold.")
    known = {str(name): at for at, name in enumerate(attribute["customer"].to_pylist())}
    texts = ["unknown" if value is None else str(value) for value in attribute["value"].to_pylist()]
    of_customer = [
        texts[known[str(name)]] if str(name) in known else "unknown" for name in steps.customers.to_pylist()
    ]
    labels: list[Any] = sorted(set(of_customer))
    at = {label: place for place, label in enumerate(labels)}
    return np.array([at[text] for text in of_customer], dtype=np.int64), labels
