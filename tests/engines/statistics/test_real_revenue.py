"""The engine on the real retail file: ranges hold, December is partial, and the autumn rise has a date."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import duckdb
import numpy as np
import pytest

from potager.engines.statistics import (
    Forecast,
    StepChange,
    comparable_windows,
    forecast,
    last_complete_period,
    last_whole_day,
    step_change,
)

pytestmark = pytest.mark.retail
FIRST = date(2010, 12, 1)


@pytest.fixture(scope="module")
def through():
    return datetime(2011, 12, 9, 12, 50)


@pytest.fixture
def revenue(retail_file, through):
    """Net revenue of each whole day; a day without an order brought nothing, which is a measured zero."""
    rows = duckdb.execute(
        "SELECT invoice_date::DATE AS day, sum(quantity * unit_price) FROM read_parquet(?) GROUP BY 1",
        [str(retail_file)],
    ).fetchall()
    by_day = dict(rows)
    days = (last_whole_day(through) - FIRST).days + 1
    return np.array([by_day.get(FIRST + timedelta(days=k), 0.0) for k in range(days)])


def test_ranges_of_daily_revenue_would_have_held(revenue):
    made = forecast(revenue, 23, 7)
    assert isinstance(made, Forecast)
    assert made.coverage is not None and 0.75 <= made.coverage <= 0.92
    assert made.coverage_total is not None and 0.7 <= made.coverage_total <= 0.95
    # Saturdays are closed: the forecast of each knows it.
    saturdays = [k for k in range(23) if (FIRST + timedelta(days=revenue.size + k)).weekday() == 5]
    assert np.abs(made.values[saturdays]).max() < 0.05 * made.values.max()
    assert 700_000 < made.total.low < made.total.value < made.total.high < 1_400_000


def test_december_is_partial_and_not_below_november(revenue, through):
    windows = comparable_windows(date(2011, 12, 1), "month", through)
    assert windows is not None and windows.partial and windows.same_days
    assert last_complete_period("month", through).last == date(2011, 11, 30)
    now, before = (
        revenue[(window.first - FIRST).days : (window.last - FIRST).days + 1].sum()
        for window in (windows.current, windows.baseline)
    )
    assert now > 0.9 * before


def test_the_autumn_rise_began_in_september(revenue):
    made = step_change(revenue, 7)
    assert isinstance(made, StepChange) and made.clear and made.change > 0
    assert date(2011, 8, 20) <= FIRST + timedelta(days=made.start) <= date(2011, 10, 10)
