"""Sums and the ranges they give, against published figures and a second computation."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.engines.answers import CannotTell
from potager.engines.statistics import Estimate, MeanSums, RatioSums, ShareSums
from potager.engines.statistics.distributions import normal_below

figures = st.lists(st.floats(-1e4, 1e4, allow_nan=False), min_size=2, max_size=30)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"), [(80, 100, 71.1, 86.7), (8, 10, 49.0, 94.3), (10, 10, 72.2, 100.0)]
)
def test_wilson_limits_are_the_published_ones(hits, n, low, high):
    made = ShareSums(hits, n).estimate()
    assert isinstance(made, Estimate)
    assert (round(100 * made.low, 1), round(100 * made.high, 1)) == (low, high)
    assert made.value == hits / n and made.method == "wilson" and made.n == n


def test_wilson_solves_the_score_equation():
    made = ShareSums(13, 57).estimate(0.9)
    assert isinstance(made, Estimate)
    for limit in (made.low, made.high):
        z = (13 / 57 - limit) / math.sqrt(limit * (1 - limit) / 57)
        assert 2 * normal_below(-abs(z)) == pytest.approx(0.1, abs=1e-9)


def test_a_mean_has_the_range_of_the_textbook():
    # Student's sleep data (1908), second drug: mean 2.33, s = 2.002, t(9) = 2.262.
    made = MeanSums.of([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]).estimate()
    assert isinstance(made, Estimate)
    assert made.value == pytest.approx(2.33)
    assert made.standard_error == pytest.approx(0.6331666)
    assert (made.low, made.high) == (pytest.approx(0.8976775), pytest.approx(3.7623225))


@given(figures, figures)
def test_sums_of_parts_are_the_sums_of_the_whole(one, other):
    whole, parts = MeanSums.of([*one, *other]), MeanSums.of(one) + MeanSums.of(other)
    assert parts.n == whole.n
    assert parts.sum == pytest.approx(whole.sum, abs=1e-6) and parts.sum_sq == pytest.approx(whole.sum_sq)
    both = RatioSums.of([*one, *other], [1.0] * len([*one, *other]))
    merged = RatioSums.of(one, [1.0] * len(one)) + RatioSums.of(other, [1.0] * len(other))
    assert merged.sum_xy == pytest.approx(both.sum_xy, abs=1e-6) and merged.n == both.n
    assert ShareSums(1, 3) + ShareSums(2, 5) == ShareSums(3, 8)


@given(figures)
def test_sums_and_moments_say_the_same(values):
    plain = MeanSums.of(values)
    moments = MeanSums.from_moments(len(values), float(np.mean(values)), float(np.var(values, ddof=1)))
    assert moments.value == pytest.approx(plain.value, abs=1e-6)
    assert moments.squared_error == pytest.approx(plain.squared_error, rel=1e-4, abs=1e-6)
    # The mean as a ratio over a denominator of ones is the mean, with the same error.
    assert plain.as_ratio().value == pytest.approx(plain.value, abs=1e-9)
    assert plain.as_ratio().squared_error == pytest.approx(plain.squared_error, rel=1e-3, abs=1e-6)


def test_a_ratio_has_the_range_of_its_linearization():
    rng = np.random.default_rng(3)
    x = rng.poisson(4, 300) + 1.0
    y = 20 * x + rng.normal(0, 15, 300)
    made = RatioSums.of(y, x).estimate()
    assert isinstance(made, Estimate)
    rest = y - y.sum() / x.sum() * x
    naive = math.sqrt(rest @ rest / 299 / 300) / x.mean()
    assert made.value == pytest.approx(y.sum() / x.sum())
    assert made.standard_error == pytest.approx(naive) and made.method == "delta"
    # A jackknife over units, as a second computation.
    left_out = (y.sum() - y) / (x.sum() - x)
    assert made.standard_error == pytest.approx(
        math.sqrt(299 / 300 * ((left_out - left_out.mean()) ** 2).sum()), rel=0.02
    )
    assert made.excludes(19.0) and made.excludes(21.0) and not made.excludes(made.value)
    assert RatioSums.of(y, x).as_ratio() == RatioSums.of(y, x)


def test_a_share_as_a_ratio_has_the_wald_error():
    share = ShareSums(30, 120)
    assert share.as_ratio().squared_error == pytest.approx(share.squared_error * 120 / 119)


@pytest.mark.parametrize(
    ("sums", "reason"),
    [
        (ShareSums(0, 0), "too_few"),
        (MeanSums(0, 0, 0), "too_few"),
        (MeanSums.of([3.0]), "too_few"),
        (RatioSums.of([1.0], [1.0]), "too_few"),
        (MeanSums.of([9.99] * 40), "undefined"),
        (RatioSums.of([2.0, 4.0, 6.2], [1.0, -2.0, 1.1]), "undefined"),
        (RatioSums.of([2.0 * k for k in range(5, 30)], [float(k) for k in range(5, 30)]), "undefined"),
    ],
)
def test_what_has_no_range_says_why(sums, reason):
    made = sums.estimate()
    assert isinstance(made, CannotTell) and made.reason == reason and made.because


@pytest.mark.parametrize("sums", [MeanSums(0, 0, 0), ShareSums(0, 0), RatioSums(0, 0, 0, 0, 0, 0)])
def test_nothing_has_no_value(sums):
    assert math.isnan(sums.value) and math.isnan(sums.squared_error)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MeanSums(-1, 0, 0),
        lambda: MeanSums(2, math.nan, 0),
        lambda: MeanSums(2, 10, 1),
        lambda: ShareSums(5, 3),
        lambda: ShareSums(-1, 3),
        lambda: RatioSums(3, 30, 3, 1, 3, 30),
        lambda: ShareSums(1, 3).estimate(1.0),
        lambda: MeanSums.of([1, 2, 3]).estimate(0.0),
    ],
)
def test_impossible_sums_and_levels_are_errors(make):
    with pytest.raises(ValueError):
        make()


def test_importing_the_engine_imports_no_scipy():
    seen = "import sys, potager.engines.statistics; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", seen], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "numpy" in loaded and not {"scipy", "statsmodels", "pandas", "django"} & set(loaded)
