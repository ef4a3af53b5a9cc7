"""Randomized comparisons, against rows, scipy and simulated looks."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import betaln

from potager.engines.answers import CannotTell
from potager.engines.causal import (
    Arm,
    ExperimentEffect,
    RelativeLift,
    arm_of_rows,
    compare_anytime,
    compare_arms,
    compare_shares_bayesian,
    sample_ratio_check,
    share_arm,
)


def told(answer):
    assert not isinstance(answer, CannotTell), answer
    return answer


def arms(seed: int, n: int = 200, effect: float = 0.5, ratio: bool = False, covariate: bool = False):
    rng = np.random.default_rng(seed)
    made = []
    for index in range(2):
        x = rng.normal(3, 1, n)
        y = 2 * x + rng.normal(0, 1, n) + effect * (index == 0)
        d = rng.poisson(4, n) + 1.0 if ratio else None
        if d is not None:
            y = y * d
        made.append((y, d, x if covariate else None))
    return made


def test_means_agree_with_welch_on_the_rows():
    (a, *_), (b, *_) = arms(1)
    made = told(compare_arms(arm_of_rows(a), arm_of_rows(b)))
    scipy = stats.ttest_ind(a, b, equal_var=False)
    interval = scipy.confidence_interval(0.95)
    assert made.estimate == pytest.approx(a.mean() - b.mean())
    assert made.p_value == pytest.approx(scipy.pvalue)
    assert (made.low, made.high) == pytest.approx((interval.low, interval.high))
    assert made.evidence == "experiment" and made.method == "difference of means"


@pytest.mark.parametrize("sides", ["greater", "less"])
def test_one_sided_intervals_and_p_values_agree_with_scipy(sides):
    (a, *_), (b, *_) = arms(2)
    made = told(compare_arms(arm_of_rows(a), arm_of_rows(b), sides=sides))
    scipy = stats.ttest_ind(a, b, equal_var=False, alternative=sides)
    interval = scipy.confidence_interval(0.95)
    assert made.p_value == pytest.approx(scipy.pvalue)
    assert (made.low, made.high) == pytest.approx((interval.low, interval.high))


def test_cuped_equals_the_regression_on_rows_with_a_pooled_slope():
    (a, _, xa), (b, _, xb) = arms(3, covariate=True)
    made = told(compare_arms(arm_of_rows(a, x=xa), arm_of_rows(b, x=xb)))
    centered = [np.column_stack([v - v.mean(), x - x.mean()]) for v, x in ((a, xa), (b, xb))]
    both = np.vstack(centered)
    slope = (both[:, 0] @ both[:, 1]) / (both[:, 1] @ both[:, 1])
    adjusted = [a - slope * xa, b - slope * xb]
    scipy = stats.ttest_ind(*adjusted, equal_var=False)
    assert made.estimate == pytest.approx(adjusted[0].mean() - adjusted[1].mean())
    assert made.p_value == pytest.approx(scipy.pvalue)
    assert made.variance_kept == pytest.approx(
        0.2, abs=0.05
    )  # 1 of 5 parts of the variance is not the covariate's
    assert [check.passed for check in made.checks] == [True, True]


def test_ratios_have_the_delta_method_error_of_a_jackknife():
    (y1, d1, _), (y2, d2, _) = arms(4, n=400, ratio=True)
    made = told(compare_arms(arm_of_rows(y1, d1), arm_of_rows(y2, d2)))
    squared = 0.0
    for y, d in ((y1, d1), (y2, d2)):
        left_out = (y.sum() - y) / (d.sum() - d)
        squared += (len(y) - 1) * np.mean((left_out - left_out.mean()) ** 2)
    assert made.estimate == pytest.approx(y1.sum() / d1.sum() - y2.sum() / d2.sum())
    assert made.standard_error == pytest.approx(math.sqrt(squared), rel=0.02)
    assert made.method == "difference of ratios"


def test_cuped_makes_ratios_sharper_and_leaves_them_true():
    hits, kept = 0, []
    for seed in range(60):
        (y1, d1, x1), (y2, d2, x2) = arms(seed, n=300, ratio=True, covariate=True)
        made = told(compare_arms(arm_of_rows(y1, d1, x1), arm_of_rows(y2, d2, x2)))
        hits += made.low <= 0.5 <= made.high
        kept.append(made.variance_kept)
    assert hits >= 53  # a fair 95 % interval holds fewer in under one case in a hundred
    assert np.mean(kept) < 0.5


def test_relative_lift_is_fieller_and_refused_where_control_may_be_zero():
    (a, *_), (b, *_) = arms(5)
    made = told(compare_arms(arm_of_rows(a), arm_of_rows(b)))
    lift = made.relative
    assert isinstance(lift, RelativeLift)
    z = stats.norm.ppf(0.975)
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    for limit in (lift.low, lift.high):  # the limits are where a − ρb is just significant
        rho = 1 + limit
        assert (a.mean() - rho * b.mean()) ** 2 == pytest.approx(z * z * (va + rho * rho * vb))
    centered = told(compare_arms(arm_of_rows(a), arm_of_rows(b - b.mean())))
    assert isinstance(centered.relative, CannotTell)


def test_the_split_of_units_is_tested_as_pearson_does():
    check = sample_ratio_check({"a": 5210, "b": 4790}, {"a": 1, "b": 1})
    assert check.passed is False and "lost" in check.sentence
    p = stats.chisquare([5210, 4790]).pvalue
    assert f"{p:.2g}" in check.sentence
    assert sample_ratio_check({"a": 5050, "b": 4950}, {"a": 0.5, "b": 0.5}).passed is True
    assert sample_ratio_check({"a": 3, "b": 2}, {"a": 1, "b": 1}).passed is None


def test_lost_units_refuse_the_experiment():
    answer = compare_arms(share_arm(5210, 500), share_arm(4790, 450))
    assert isinstance(answer, CannotTell) and answer.reason == "not_identified"
    assert "planned" in answer.because and "logging" in answer.mend
    assert isinstance(
        told(compare_arms(share_arm(5210, 500), share_arm(4790, 450), treated_share=None)), ExperimentEffect
    )
    assert isinstance(compare_shares_bayesian(share_arm(5210, 500), share_arm(4790, 450)), CannotTell)


def test_few_units_no_variation_and_an_empty_denominator_are_refused():
    assert compare_arms(share_arm(5, 2), share_arm(5, 1)).reason == "too_few"
    assert compare_arms(share_arm(50, 0), share_arm(50, 0)).reason == "undefined"
    rng = np.random.default_rng(1)
    rows = rng.normal(0, 1, 50), rng.normal(0, 1, 50)
    answer = compare_arms(arm_of_rows(*rows), arm_of_rows(*rows))
    assert answer.reason == "undefined" and "denominator" in answer.because
    assert compare_anytime(share_arm(5, 2), share_arm(5, 1), planned_units=100).reason == "too_few"


def test_a_covariate_that_the_treatment_moved_fails_its_check():
    (a, _, xa), (b, _, xb) = arms(6, covariate=True)
    made = told(compare_arms(arm_of_rows(a, x=xa + 1), arm_of_rows(b, x=xb)))
    assert [check.name for check in made.failed] == ["covariate_balance"]


def test_a_covariate_that_never_varies_changes_nothing():
    (a, *_), (b, *_) = arms(7)
    plain = told(compare_arms(arm_of_rows(a), arm_of_rows(b)))
    same = told(compare_arms(arm_of_rows(a, x=np.ones(200)), arm_of_rows(b, x=np.ones(200))))
    assert same.estimate == pytest.approx(plain.estimate)
    assert same.standard_error == pytest.approx(plain.standard_error)


def test_impossible_sums_and_settings_raise():
    with pytest.raises(ValueError, match="below what its sum"):
        Arm(n=10, y=100.0, yy=1.0)
    with pytest.raises(ValueError, match="beyond what its squares"):
        Arm(n=10, y=0.0, yy=10.0, x=0.0, xx=10.0, xy=11.0)
    with pytest.raises(ValueError, match="come together"):
        Arm(n=10, y=0.0, yy=10.0, x=0.0)
    with pytest.raises(ValueError, match="xd"):
        Arm(n=10, y=0.0, yy=10.0, xd=1.0)
    with pytest.raises(ValueError, match="finite"):
        Arm(n=10, y=math.nan, yy=10.0)
    with pytest.raises(ValueError, match="0 or more"):
        Arm(n=-1, y=0.0, yy=0.0)
    with pytest.raises(ValueError, match="no share"):
        share_arm(5, 6)
    good = share_arm(100, 10)
    with pytest.raises(ValueError, match="same columns"):
        compare_arms(good, arm_of_rows(np.arange(100.0), x=np.arange(100.0)))
    with pytest.raises(ValueError, match="planned share"):
        compare_arms(good, good, treated_share=1.0)
    with pytest.raises(ValueError, match="confidence level"):
        compare_arms(good, good, level=95.0)
    with pytest.raises(ValueError, match="planned number"):
        compare_anytime(good, good, planned_units=1)
    with pytest.raises(ValueError, match="same two or more"):
        sample_ratio_check({"a": 1}, {"a": 1})
    with pytest.raises(ValueError, match="above 0"):
        sample_ratio_check({"a": 1, "b": 1}, {"a": 1, "b": 0})


# --- always valid


def test_the_sequence_is_the_mixture_sequential_test():
    a, b = share_arm(5000, 600), share_arm(5000, 500)
    made = told(compare_anytime(a, b, planned_units=10_000))
    squared = made.standard_error**2
    alpha = 0.05
    tau = squared * (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1))
    ratio = math.sqrt(squared / (squared + tau)) * math.exp(
        made.estimate**2 * tau / (2 * squared * (squared + tau))
    )  # Johari et al. (2017), the normal mixture likelihood ratio
    assert made.p_value == pytest.approx(min(1, 1 / ratio))
    edge = math.sqrt(
        2 * squared * (squared + tau) / tau * math.log(math.sqrt((squared + tau) / squared) / alpha)
    )
    assert made.high - made.estimate == pytest.approx(edge)
    fixed = told(compare_arms(a, b))
    assert 1.2 < (made.high - made.low) / (fixed.high - fixed.low) < 1.6  # the price of looking at any time


@pytest.mark.parametrize("sides", ["two", "greater", "less"])
@given(st.integers(0, 400), st.integers(0, 400), st.floats(0.8, 0.99))
@settings(max_examples=40, deadline=None)
def test_the_sequential_interval_excludes_zero_exactly_when_its_p_value_is_small(sides, one, other, level):
    made = compare_anytime(
        share_arm(400, one), share_arm(400, other), planned_units=1000, level=level, sides=sides
    )
    if isinstance(made, CannotTell):
        return
    if abs(made.p_value - (1 - level)) > 1e-9 and sides == "two":
        assert made.excludes_zero == (made.p_value < 1 - level)
    assert 0.0 <= made.p_value <= 1.0
    if sides != "two" and made.excludes_zero:
        assert made.p_value <= 0.5


def looks(level: float, sides: str, seed: int, anytime: bool) -> float:
    """Return how often any of 40 looks at an experiment without an effect excludes 0."""
    rng = np.random.default_rng(seed)
    wrong = 0
    for _ in range(200):
        y = rng.normal(0, 1, (2, 2000))
        sums, squares = np.cumsum(y, axis=1), np.cumsum(y * y, axis=1)
        for n in range(50, 2001, 50):
            pair = [Arm(n=n, y=float(sums[i, n - 1]), yy=float(squares[i, n - 1])) for i in range(2)]
            made = (
                compare_anytime(*pair, planned_units=2000, level=level, sides=sides)
                if anytime
                else compare_arms(*pair, level=level, sides=sides)
            )
            if told(made).excludes_zero:
                wrong += 1
                break
    return wrong / 200


@pytest.mark.parametrize("sides", ["two", "greater"])
def test_looking_forty_times_does_no_harm_to_the_sequence(sides):
    assert looks(0.9, sides, 11, anytime=True) <= 0.12


def test_looking_forty_times_ruins_a_fixed_interval():
    assert looks(0.9, "two", 11, anytime=False) > 0.3


# --- Bayesian


def probability_by_sum(a1, b1, a2, b2) -> float:
    """Miller (2014), the exact probability that the first of two beta variables is larger, for whole shapes."""
    return sum(
        math.exp(betaln(a2 + i, b1 + b2) - math.log(b1 + i) - betaln(1 + i, b1) - betaln(a2, b2))
        for i in range(a1)
    )


def test_the_probability_of_being_better_is_the_exact_sum():
    made = told(compare_shares_bayesian(share_arm(1000, 120), share_arm(1000, 100)))
    exact = probability_by_sum(121, 881, 101, 901)
    assert made.probability_better == pytest.approx(exact, abs=1e-8)
    assert made.estimate == pytest.approx(float(Fraction(121, 1002) - Fraction(101, 1002)))
    assert made.loss_if_left - made.loss_if_taken == pytest.approx(made.estimate)


def test_the_credible_interval_and_losses_agree_with_draws():
    made = told(compare_shares_bayesian(share_arm(300, 45), share_arm(290, 30), prior=(2, 8)))
    rng = np.random.default_rng(3)
    drawn = rng.beta(47, 263, 400_000) - rng.beta(32, 268, 400_000)
    assert (made.low, made.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=5e-4)
    assert made.loss_if_taken == pytest.approx(np.maximum(-drawn, 0).mean(), abs=1e-4)


def test_bayes_swaps_sides_with_its_arms_and_raises_on_what_is_no_share():
    one, other = share_arm(400, 60), share_arm(410, 44)
    made, back = (
        told(compare_shares_bayesian(one, other)),
        told(compare_shares_bayesian(other, one, treated_share=None)),
    )
    assert made.probability_better == pytest.approx(1 - back.probability_better, abs=1e-8)
    assert (made.low, made.high) == pytest.approx((-back.high, -back.low), abs=1e-7)
    with pytest.raises(ValueError, match="prior"):
        compare_shares_bayesian(one, other, prior=(0, 1))
    with pytest.raises(ValueError, match="zeros and ones"):
        compare_shares_bayesian(arm_of_rows(np.arange(100.0)), other)


@given(st.lists(st.floats(-50, 50), min_size=20, max_size=40), st.floats(-20, 20), st.floats(0.1, 10))
@settings(max_examples=50, deadline=None)
def test_shifting_and_scaling_an_outcome_shifts_and_scales_its_effect(values, shift, scale):
    a = np.array(values)
    b = np.roll(a, 3) * 0.9 + 0.1 * np.arange(len(a))
    made = compare_arms(arm_of_rows(a), arm_of_rows(b))
    moved = compare_arms(arm_of_rows(a * scale + shift), arm_of_rows(b * scale + shift))
    if isinstance(made, CannotTell) or isinstance(moved, CannotTell):
        return
    assert moved.estimate == pytest.approx(made.estimate * scale, rel=1e-5, abs=1e-5)
    assert moved.standard_error == pytest.approx(made.standard_error * scale, rel=1e-4, abs=1e-5)
