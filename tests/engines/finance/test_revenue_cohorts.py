"""Cohorts: a naive second computation, and cells that cannot be known yet."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import pyarrow as pa
import pytest

from potager.engines.finance import FinanceError, cohort_grid
from tests.engines.finance.histories import day, random_steps, steps_table

MONTHS = [date(2024, month, 1) for month in range(1, 8)]


def at(month: int, number: int = 5) -> date:
    return date(2024, month, number)


ROWS = [
    ("old", date(2023, 5, 5), 70, "USD"),
    ("a", at(1), 100, "USD"),
    ("a", at(3), 150, "USD"),
    ("b", at(1), 100, "USD"),
    ("b", at(2), 0, "USD"),
    ("b", at(4), 40, "USD"),
    ("c", at(2), 30, "USD"),
    ("d", at(4), 10, "USD"),
    ("gone at once", at(3, 2), 80, "USD"),
    ("gone at once", at(3, 20), 0, "USD"),
    ("too late", date(2024, 9, 9), 10, "USD"),
    ("foreign", at(1), 10, "EUR"),
]


def test_the_grid_by_first_paid_month():
    grid = cohort_grid(steps_table(ROWS), MONTHS, "USD", through=date(2024, 4, 30))
    assert grid.periods == 4
    told = {
        cohort.label: [(cell.maturity, cell.cents, cell.customers) for cell in cohort.cells]
        for cohort in grid.cohorts
    }
    immature = ("immature", None, None)
    assert told == {
        at(1, 1): [("mature", 200, 2), ("mature", 100, 1), ("mature", 150, 1), ("mature", 190, 2)],
        at(2, 1): [("mature", 30, 1), ("mature", 30, 1), ("mature", 30, 1), immature],
        at(3, 1): [("mature", 0, 0), ("mature", 0, 0), immature, immature],
        at(4, 1): [("mature", 10, 1), immature, immature, immature],
    }
    first = grid.cohorts[0]
    assert (first.customers, first.cents) == (2, 200)
    assert (first.cells[3].revenue_share, first.cells[1].customer_share) == (0.95, 0.5)


def test_an_immature_cell_is_unknown_and_never_zero():
    grid = cohort_grid(steps_table(ROWS), MONTHS, "USD", through=date(2024, 4, 29))
    assert grid.periods == 3  # April has not ended, so nothing is said of it
    cell = grid.cohorts[1].cells[2]
    assert (cell.cents, cell.customers, cell.revenue_share, cell.customer_share) == (None, None, None, None)
    nothing = grid.cohorts[2].cells[0]
    assert (nothing.cents, nothing.revenue_share) == (0, None)  # nothing to take a share of


def test_cohorts_by_attribute_compare_only_who_reached_the_age():
    plans = pa.table({"customer": ["a", "c", "d", "b"], "value": ["pro", "pro", "pro", None]})
    grid = cohort_grid(steps_table(ROWS), MONTHS, "USD", through=date(2024, 4, 30), attribute=plans)
    pro = next(cohort for cohort in grid.cohorts if cohort.label == "pro")
    assert [(cell.maturity, cell.cents, cell.of_cents, cell.of_customers) for cell in pro.cells] == [
        ("mature", 140, 140, 3),
        ("partial", 130, 130, 2),
        ("partial", 180, 130, 2),
        ("partial", 150, 100, 1),
    ]
    assert [cohort.label for cohort in grid.cohorts] == ["pro", "unknown"]
    with pytest.raises(FinanceError, match="two values"):
        twice = pa.table({"customer": ["a", "a"], "value": ["x", "y"]})
        cohort_grid(steps_table(ROWS), MONTHS, "USD", through=day(200), attribute=twice)


def test_the_grid_is_that_of_a_naive_reading():
    steps = random_steps(2, customers=80, rows=600)
    edges = [date(2022, month, 1) for month in range(1, 13)] + [
        date(2023, month, 1) for month in range(1, 13)
    ]
    grid = cohort_grid(steps, edges, "EUR", through=date(2023, 9, 30))
    history = defaultdict(list)
    for row in sorted(steps.to_pylist(), key=lambda row: row["date"]):
        if row["currency"] == "EUR":
            history[row["customer"]].append((row["date"], row["cents"]))

    def level(customer, on):
        return ([0] + [cents for when, cents in history[customer] if when < on])[-1]

    expected = defaultdict(lambda: [0, 0])
    for customer, found in history.items():
        paid = [when for when, cents in found if cents > 0]
        start = next((n for n in range(21) if paid and edges[n] <= paid[0] < edges[n + 1]), None)
        for age in range(21 - start if start is not None else 0):
            cents = level(customer, edges[start + age + 1])
            expected[(edges[start], age)][0] += cents
            expected[(edges[start], age)][1] += cents > 0
    told = {
        (cohort.label, age): [cell.cents, cell.customers]
        for cohort in grid.cohorts
        for age, cell in enumerate(cohort.cells)
        if cell.maturity != "immature"
    }
    assert told == dict(expected)
