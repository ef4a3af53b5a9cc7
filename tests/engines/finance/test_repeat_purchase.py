"""Kaplan–Meier against published tables and against the plain product."""

from __future__ import annotations

import math
from collections import Counter
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from potager.engines.answers import CannotTell
from potager.engines.finance.money import FinanceError
from potager.engines.finance.repeat_purchase import Waits, came_back, came_back_difference

# Remission of leukemia in weeks, with and without 6-mercaptopurine (Freireich et al. 1963); + is censored.
TREATED = [
    (6, True), (6, True), (6, True), (6, False), (7, True), (9, False), (10, True), (10, False), (11, False),
    (13, True), (16, True), (17, False), (19, False), (20, False), (22, True), (23, True), (25, False), (32, False),
    (32, False), (34, False), (35, False),
]  # fmt: skip
PLACEBO = [(t, True) for t in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)]


def waits(rows: list[tuple[int, bool]]) -> Waits:
    """Rows as counts by day and outcome."""
    counted = sorted(Counter(rows).items())
    return Waits(
        np.array([day for (day, _), _ in counted], dtype=np.int64),
        np.array([again for (_, again), _ in counted], dtype=np.bool_),
        np.array([count for _, count in counted], dtype=np.int64),
    )


@pytest.mark.parametrize(
    ("week", "kept", "error"),
    # Collett, Modelling Survival Data; Kleinbaum & Klein, Survival Analysis, table 2.3.
    [(6, 0.8571, 0.0764), (7, 0.8067, 0.0869), (10, 0.7529, 0.0963), (13, 0.6902, 0.1068)],
)
def test_the_estimate_and_greenwoods_error_are_the_published_ones(
    week: int, kept: float, error: float
) -> None:
    found = came_back(waits(TREATED), week)
    assert not isinstance(found, CannotTell)
    assert 1 - found.value == pytest.approx(kept, abs=5e-5)
    assert found.standard_error == pytest.approx(error, abs=5e-5)


def test_it_is_what_statsmodels_says_of_a_row_each() -> None:
    other = SurvfuncRight([day for day, _ in TREATED], [int(again) for _, again in TREATED])
    for day, kept, error in zip(other.surv_times, other.surv_prob, other.surv_prob_se, strict=True):
        found = came_back(waits(TREATED), int(day))
        if isinstance(found, CannotTell):
            continue
        assert found.value == pytest.approx(1 - kept)
        assert found.standard_error == pytest.approx(error)


def test_without_censoring_it_is_the_plain_share() -> None:
    found = came_back(waits(PLACEBO), 8)
    assert not isinstance(found, CannotTell)
    share = 13 / 21
    assert found.value == pytest.approx(share)
    assert found.standard_error == pytest.approx(math.sqrt(share * (1 - share) / 21))
    assert found.watched == 8


@given(
    st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=15, max_size=80),
    st.integers(1, 40),
)
def test_it_is_the_product_over_days(rows: list[tuple[int, bool]], horizon: int) -> None:
    found = came_back(waits(rows), horizon)
    if isinstance(found, CannotTell):
        assert sum(day >= horizon for day, _ in rows) < 10
        return
    kept, spread = 1.0, 0.0
    for day in sorted({day for day, again in rows if again and day <= horizon}):
        at_risk = sum(other >= day for other, _ in rows)
        gone = sum(other == day and again for other, again in rows)
        kept *= 1 - gone / at_risk
        spread += gone / (at_risk * (at_risk - gone)) if at_risk > gone else math.nan
    assert found.value == pytest.approx(1 - kept)
    assert 0 <= found.low <= found.value <= found.high <= 1
    if kept:
        assert found.standard_error == pytest.approx(kept * math.sqrt(spread))


def test_the_difference_adds_the_variances_up() -> None:
    treated, placebo = came_back(waits(TREATED), 6), came_back(waits(PLACEBO), 6)
    assert not isinstance(treated, CannotTell)
    assert not isinstance(placebo, CannotTell)
    found = came_back_difference(treated, placebo)
    assert found.value == pytest.approx(3 / 21 - 9 / 21)
    reach = NormalDist().inv_cdf(0.975) * math.sqrt(treated.standard_error**2 + placebo.standard_error**2)
    assert found.low == pytest.approx(found.value - reach)
    assert found.high == pytest.approx(found.value + reach)


def test_a_handful_is_refused_and_so_are_unlike_horizons() -> None:
    refused = came_back(waits(TREATED), 30)
    assert isinstance(refused, CannotTell)
    assert refused.because == "Only 4 of 21 buyers were waiting and watched up to day 30."
    a, b = came_back(waits(TREATED), 6), came_back(waits(TREATED), 7)
    assert not isinstance(a, CannotTell)
    assert not isinstance(b, CannotTell)
    with pytest.raises(FinanceError, match="different horizons"):
        came_back_difference(a, b)
    with pytest.raises(FinanceError, match="below 0"):
        waits([(-1, True)])
    for horizon, level in ((0, 0.95), (5, 1.0)):
        with pytest.raises(FinanceError):
            came_back(waits(TREATED), horizon, level)
