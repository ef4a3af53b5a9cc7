"""Differences of two groups, against published tables and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from potager.engines.answers import CannotTell
from potager.engines.statistics import (
    Comparison,
    Estimate,
    MeanSums,
    RatioSums,
    ShareSums,
    benjamini_hochberg,
    compare,
    compare_each_with_rest,
    holm,
    newcombe,
)
from potager.engines.statistics.compare import merged


def told(answer) -> Comparison:
    assert isinstance(answer, Comparison), answer
    return answer


def scores(promoters: int, passives: int, detractors: int) -> MeanSums:
    return MeanSums(
        promoters + passives + detractors, 100 * (promoters - detractors), 1e4 * (promoters + detractors)
    )


def test_two_waves_of_promoter_scores_do_not_differ_clearly():
    made = told(compare(scores(165, 85, 50), scores(150, 90, 60)))
    assert made.difference.value == pytest.approx(8.33, abs=0.005)
    assert made.difference.standard_error == pytest.approx(6.27, abs=0.02)
    assert round(made.statistic, 2) == 1.33
    assert made.verdict == "no_clear_difference" and made.p_value > 0.05


# Newcombe (1998), table II, method 10: hybrid score limits.
@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_differences_of_shares_are_newcombes(a, b, low, high):
    made = newcombe(ShareSums(*a), ShareSums(*b))
    assert (round(made.low, 4), round(made.high, 4)) == (low, high)
    turned = newcombe(ShareSums(*b), ShareSums(*a))
    assert (turned.low, turned.high) == (pytest.approx(-made.high), pytest.approx(-made.low))


def test_welch_is_that_of_the_sleep_data():
    # R: t.test(extra ~ group, data = sleep): t = -1.8608, df = 17.776, p = 0.07939, -3.3654832 to 0.2054832.
    first = MeanSums.of([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    second = MeanSums.of([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    made = told(compare(first, second))
    assert made.statistic == pytest.approx(-1.8608, abs=5e-5)
    assert made.p_value == pytest.approx(0.07939, abs=5e-6)
    assert made.difference.low == pytest.approx(-3.3654832) and made.difference.high == pytest.approx(
        0.2054832
    )


def test_welch_agrees_with_scipy():
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(11)
    a, b = rng.normal(10, 2, 40), rng.normal(9, 5, 25)
    theirs = ttest_ind(a, b, equal_var=False)
    made = told(compare(MeanSums.of(a), MeanSums.of(b), 0.9))
    assert made.statistic == pytest.approx(theirs.statistic) and made.p_value == pytest.approx(theirs.pvalue)
    interval = theirs.confidence_interval(0.9)
    assert (made.difference.low, made.difference.high) == (
        pytest.approx(interval.low),
        pytest.approx(interval.high),
    )


def test_a_relative_difference_solves_fiellers_equation():
    from scipy.stats import t as student

    rng = np.random.default_rng(5)
    a, b = rng.normal(30, 6, 50), rng.normal(20, 9, 60)
    made = told(compare(MeanSums.of(a), MeanSums.of(b)))
    assert isinstance(made.relative, Estimate) and made.relative.method == "fieller"
    va, vb = a.var(ddof=1) / 50, b.var(ddof=1) / 60
    degrees = (va + vb) ** 2 / (va**2 / 49 + vb**2 / 59)
    for limit in (made.relative.low + 1, made.relative.high + 1):
        z = (a.mean() - limit * b.mean()) / math.sqrt(va + limit**2 * vb)
        assert abs(z) == pytest.approx(student.ppf(0.975, degrees), rel=1e-9)
    assert made.relative.value == pytest.approx(a.mean() / b.mean() - 1)


def test_a_relative_difference_of_falling_means_is_fiellers_too():
    a, b = MeanSums.from_moments(50, -2.0, 9.0), MeanSums.from_moments(50, 20.0, 9.0)
    made = told(compare(a, b))
    assert isinstance(made.relative, Estimate)
    assert made.relative.low < -1.1 < made.relative.high and made.relative.value == pytest.approx(-1.1)
    mirrored = told(compare(MeanSums.from_moments(50, 2.0, 9.0), b))
    assert isinstance(mirrored.relative, Estimate)
    assert -(made.relative.low + 1) == pytest.approx(mirrored.relative.high + 1)


def test_relative_shares_stay_in_bounds():
    made = told(compare(ShareSums(0, 20), ShareSums(1, 10)))
    assert isinstance(made.relative, Estimate)
    assert made.relative.low == -1.0 == made.relative.value < made.relative.high
    nothing = told(compare(ShareSums(3, 20), ShareSums(0, 10)))
    assert isinstance(nothing.relative, CannotTell) and nothing.relative.reason == "undefined"


@given(st.integers(0, 40), st.integers(5, 40), st.integers(0, 40), st.integers(5, 40))
def test_interval_p_value_and_verdict_never_contradict_each_other(hits_a, n_a, hits_b, n_b):
    assume(hits_a <= n_a and hits_b <= n_b)
    made = told(compare(ShareSums(hits_a, n_a), ShareSums(hits_b, n_b)))
    assume(abs(made.p_value - 0.05) > 1e-6)
    assert (made.p_value < 0.05) == made.difference.excludes(0.0) == (made.verdict != "no_clear_difference")
    turned = told(compare(ShareSums(hits_b, n_b), ShareSums(hits_a, n_a)))
    assert turned.p_value == pytest.approx(made.p_value, abs=1e-9)


def test_a_tiny_p_value_of_shares_is_still_a_number():
    made = told(compare(ShareSums(90_000, 100_000), ShareSums(10_000, 100_000)))
    assert 0.0 <= made.p_value < 1e-200 and made.verdict == "larger"


def test_ratios_compare_by_units():
    rng = np.random.default_rng(2)
    orders = rng.poisson(3, 400) + 1.0
    a = RatioSums.of(25 * orders + rng.normal(0, 10, 400), orders)
    b = RatioSums.of(20 * orders + rng.normal(0, 10, 400), orders)
    made = told(compare(a, b))
    assert made.verdict == "larger" and made.difference.method == "delta"
    assert made.difference.value == pytest.approx(5.0, abs=0.5)
    assert made.difference.standard_error == pytest.approx(math.sqrt(a.squared_error + b.squared_error))
    assert told(compare(b, a)).verdict == "smaller"


def test_a_margin_tells_alike_from_unknown():
    many_a, many_b = MeanSums.from_moments(40_000, 100.2, 100.0), MeanSums.from_moments(40_000, 100.0, 100.0)
    assert told(compare(many_a, many_b)).verdict == "larger"
    assert told(compare(many_a, many_b, margin=1.0)).verdict == "equivalent"
    few_a, few_b = MeanSums.from_moments(20, 100.2, 100.0), MeanSums.from_moments(20, 100.0, 100.0)
    assert told(compare(few_a, few_b, margin=1.0)).verdict == "no_clear_difference"
    assert (
        told(compare(ShareSums(5000, 10_000), ShareSums(5010, 10_000), margin=0.02)).verdict == "equivalent"
    )


def test_equivalence_is_two_one_sided_tests():
    from scipy.stats import t as student

    a, b = MeanSums.from_moments(50, 10.0, 4.0), MeanSums.from_moments(50, 10.1, 4.0)
    error = math.sqrt(0.16)
    just = 0.1 + student.ppf(0.95, 98) * error
    assert told(compare(a, b, margin=just + 1e-6)).verdict == "equivalent"
    assert told(compare(a, b, margin=just - 1e-6)).verdict == "no_clear_difference"


@pytest.mark.parametrize(
    ("a", "b", "minimum", "reason"),
    [
        (ShareSums(2, 4), ShareSums(30, 90), None, "too_few"),
        (MeanSums.of(range(5)), MeanSums.of(range(50)), None, "too_few"),
        (MeanSums.of([1.0]), MeanSums.of(range(50)), 1, "too_few"),
        (RatioSums.of([1.0] * 10, range(1, 11)), RatioSums.of([1.0] * 10, range(1, 11)), None, "too_few"),
        (MeanSums.of([3.0] * 10), MeanSums.of([4.0] * 10), None, "undefined"),
        (RatioSums.of([1.0, 2.0, 3.0], [-1.0, 1.0, 0.5]), RatioSums.of(range(3), range(3)), 2, "undefined"),
    ],
)
def test_what_cannot_be_compared_says_why(a, b, minimum, reason):
    answer = compare(a, b, minimum=minimum)
    assert isinstance(answer, CannotTell) and answer.reason == reason


def test_one_group_without_variation_still_compares():
    assert told(compare(MeanSums.of([3.0] * 10), MeanSums.of(range(10, 20)))).verdict == "smaller"


def test_wrong_use_is_an_error():
    with pytest.raises(TypeError):
        compare(ShareSums(1, 10), MeanSums.of(range(10)))
    with pytest.raises(ValueError, match="margin"):
        compare(ShareSums(1, 10), ShareSums(1, 10), margin=-1)
    with pytest.raises(ValueError, match="Equivalence"):
        compare(ShareSums(1, 10), ShareSums(1, 10), level=0.4, margin=0.1)
    with pytest.raises(ValueError, match="units on both sides"):
        newcombe(ShareSums(0, 0), ShareSums(1, 2))
    with pytest.raises(ValueError, match="two of them"):
        compare_each_with_rest({"only": ShareSums(1, 10)})
    with pytest.raises(TypeError):
        merged([ShareSums(1, 10), MeanSums.of([1, 2])])


def test_holm_and_benjamini_hochberg_are_the_published_procedures():
    # Benjamini & Hochberg (1995), section 3.2: 15 tests; at 0.05 Bonferroni-type rules reject 3, theirs rejects 4.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    p += [0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert int((holm(p) <= 0.05).sum()) == 3
    assert int((benjamini_hochberg(p) <= 0.05).sum()) == 4
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_adjusted_p_values_agree_with_scipy_and_a_plain_loop(p):
    made = holm(p), benjamini_hochberg(p)
    if p:
        from scipy.stats import false_discovery_control

        assert made[1] == pytest.approx(false_discovery_control(p))
        naive = [
            min(1.0, max(sorted(p)[j] * (len(p) - j) for j in range(sorted(p).index(value) + 1)))
            for value in p
        ]
        # Ties share the largest step among them.
        assert all(one >= other - 1e-12 for one, other in zip(made[0], naive, strict=True))
    for adjusted in made:
        assert adjusted.shape == (len(p),)
        assert np.all(adjusted >= np.asarray(p) - 1e-15) and np.all(adjusted <= 1.0)


@pytest.mark.parametrize("bad", [[-0.1], [1.1], [math.nan], [[0.1]]])
def test_what_is_no_p_value_is_an_error(bad):
    with pytest.raises(ValueError):
        holm(bad)


def test_the_segment_that_differs_stands_out_and_small_ones_refuse():
    groups = {"north": ShareSums(100, 500), "south": ShareSums(102, 500), "west": ShareSums(180, 500)}
    groups["tiny"] = ShareSums(1, 2)
    found = {one.name: one for one in compare_each_with_rest(groups)}
    assert list(found) == list(groups)
    assert found["west"].stands_out and told(found["west"].comparison).verdict == "larger"
    assert found["west"].adjusted_p == pytest.approx(3 * told(found["west"].comparison).p_value, rel=1e-6)
    assert not found["tiny"].stands_out and found["tiny"].adjusted_p is None
    assert isinstance(found["tiny"].comparison, CannotTell)


def test_looking_at_many_segments_finds_nothing_in_noise():
    rng = np.random.default_rng(8)
    false = 0
    for _ in range(200):
        groups = {str(k): ShareSums(int(rng.binomial(200, 0.3)), 200) for k in range(10)}
        false += any(one.stands_out for one in compare_each_with_rest(groups))
    assert false <= 20
