"""Fakes put to any method, and the ladder from experiment to belief."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from potager.engines.answers import CannotTell
from potager.engines.causal import Design, Effect, choose_method, coverage_of, run_placebos, weakest
from potager.engines.causal.placebo import fake_starts
from potager.engines.causal.results import check_level, limits, p_value, student_quantile, wilson


def guess(width: float):
    """A method that answers pure noise with an interval of a given width, and refuses every tenth fake."""

    def estimate(fake: int):
        if fake % 10 == 9:
            return CannotTell("too_few", "Too little.", "")
        value = float(np.random.default_rng(fake).normal())
        return Effect(
            estimate=value,
            low=value - width,
            high=value + width,
            level=0.95,
            method="guess",
            evidence="belief",
        )

    return estimate


def test_a_method_with_honest_intervals_passes_and_one_that_is_too_sure_fails():
    honest = run_placebos("time", guess(1.96), range(100), 0.95)
    assert honest.runs == 90 and honest.refused == 10 and honest.check.passed is True
    assert honest.typical == pytest.approx(1.0, abs=0.2)
    sure = run_placebos("space", guess(0.5), range(100), 0.95)
    assert (
        sure.check.passed is False
        and "too narrow" in sure.check.sentence
        and "90 fake units" in sure.check.sentence
    )
    assert sure.low < sure.coverage < sure.high


def test_the_coverage_check_is_the_exact_binomial():
    for held in range(21):
        made = coverage_of("time", [1.0] * 20, [i < held for i in range(20)], 0.95)
        assert made.check.passed == (stats.binom.cdf(held, 20, 0.95) >= 0.05)


def test_three_fakes_say_nothing():
    assert coverage_of("time", [1.0] * 3, [True] * 3, 0.95).reason == "too_few"


def test_failed_checks_of_the_placebos_are_failed_checks_of_the_effect():
    sure = run_placebos("space", guess(0.5), range(100), 0.95)
    made = Effect(estimate=1, low=0.5, high=2, level=0.95, method="m", evidence="belief", placebos=(sure,))
    assert made.failed == (sure.check,) and made.excludes_zero


@given(st.integers(0, 30), st.integers(0, 60), st.integers(0, 12))
def test_fake_starts_are_spread_within_their_bounds(first, last, most):
    starts = fake_starts(first, last, most)
    assert len(starts) == max(0, min(most, last - first + 1))
    assert starts == sorted(set(starts)) and all(first <= start <= last for start in starts)
    if len(starts) > 1:
        assert (starts[0], starts[-1]) == (first, last)


def test_helpers_agree_with_scipy_at_their_edges():
    assert student_quantile(0.975, math.inf) == pytest.approx(1.959964)
    assert wilson(80, 100, 0.95) == pytest.approx((0.711, 0.867), abs=1e-3)
    assert wilson(10, 10, 0.95) == pytest.approx((0.722, 1.0), abs=1e-3)
    assert wilson(0, 10, 0.95)[0] == 0.0
    assert limits(1.0, 0.5, 10, 0.95) == pytest.approx((1 - 0.5 * 2.228139, 1 + 0.5 * 2.228139))
    assert [p_value(e, 0.0, 5, s) for e, s in ((1, "two"), (0, "two"), (-1, "greater"), (-1, "less"))] == [
        0,
        1,
        1,
        0,
    ]
    assert p_value(1.0, 1.0, math.inf) == pytest.approx(2 * stats.norm.sf(1))
    with pytest.raises(ValueError, match="confidence level"):
        check_level(1.0)
    assert weakest(["experiment", "belief", "arithmetic"]) == "belief"


PANEL = {"treated_units": 4, "untreated_units": 30, "starts": 1, "periods_before": 20, "periods_after": 6}


@pytest.mark.parametrize(
    ("facts", "method", "evidence"),
    [
        ({"assignment_log": True, "arm_units": 500, **PANEL}, "experiment", "experiment"),
        (
            {"assignment_log": True, "arm_units": 5, "holdout": True, "holdout_units": 90},
            "holdout",
            "holdout",
        ),
        ({**PANEL, "starts": 3, "smallest_group": 5}, "staggered_adoption", "quasi_experiment"),
        (PANEL, "difference_in_differences", "quasi_experiment"),
        ({**PANEL, "moved_alike": False}, "synthetic_did", "quasi_experiment"),
        ({**PANEL, "treated_units": 1}, "synthetic_did", "quasi_experiment"),
        ({**PANEL, "untreated_units": 0, "series": True}, "interrupted_series", "quasi_experiment"),
        (
            {"series": True, "periods_before": 3, "periods_after": 9, "tree_edge": True},
            "tree_elasticity",
            "elasticity",
        ),
        ({"belief": True}, "belief", "belief"),
    ],
)
def test_the_strongest_method_at_hand_is_named(facts, method, evidence):
    choice = choose_method(Design(**facts))
    assert (choice.method, choice.evidence) == (method, evidence)
    assert all(check.passed is False and check.sentence.endswith(".") for check in choice.passed_over)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"assignment_log": True, "split_as_planned": False}, "the split of units is not the planned one"),
        ({"assignment_log": True, "arm_units": 7}, "the smaller arm holds 7 units of the 20 it takes"),
        ({"assignment_log": True, "arm_units": 70, "redefined": True}, "the metric was redefined on the way"),
        ({"holdout": True, "holdout_units": 2}, "the holdout holds 2 units"),
        ({**PANEL, "treated_too": 2}, "2 of the controls were treated too"),
        ({**PANEL, "starts": 2, "smallest_group": 1}, "some groups that started together have under 3"),
        ({**PANEL, "starts": 2, "smallest_group": 4, "untreated_units": 1}, "the last have no clean control"),
        ({**PANEL, "starts": 2, "smallest_group": 4, "treated_units": 0}, "no treated units are known"),
        (
            {**PANEL, "treated_units": 1, "periods_before": 3},
            "there are 3 periods before the start of the 5 it takes",
        ),
        ({**PANEL, "periods_after": 0}, "there is no period after the start yet"),
        ({"series": True, "periods_before": 3}, "there are 3 periods before the start of the 12 it takes"),
        ({"series": True, "periods_before": 30}, "there is no period after the start yet"),
        ({"series": True, "periods_before": 30, "periods_after": 3, "redefined": True}, "redefined"),
    ],
)
def test_every_method_passed_over_says_why(facts, sentence):
    choice = choose_method(Design(belief=True, **facts))
    assert any(sentence in check.sentence for check in choice.passed_over), choice


def test_with_nothing_at_all_there_is_a_refusal_that_says_what_to_keep():
    answer = choose_method(Design())
    assert isinstance(answer, CannotTell) and answer.reason == "not_identified"
    assert "nobody gave a range" in answer.because and "at random" in answer.mend
    with pytest.raises(ValueError, match="0 or more"):
        choose_method(Design(arm_units=-1))
