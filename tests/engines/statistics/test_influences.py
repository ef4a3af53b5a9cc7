"""Influence: a planted lag and elasticity are recovered, noise is left alone, edges are tested on what came after."""

from __future__ import annotations

import numpy as np
import pytest

from potager.engines.answers import CannotTell
from potager.engines.statistics import EdgeBackTest, InfluenceEstimate, back_test_edge, estimate_influence
from potager.engines.statistics.regression import least_squares, newey_west_lags, phase_columns


def told(answer) -> InfluenceEstimate:
    assert isinstance(answer, InfluenceEstimate), answer
    return answer


def checked(answer) -> EdgeBackTest:
    assert isinstance(answer, EdgeBackTest), answer
    return answer


def pair(n, lag, elasticity, seed=0, noise=0.02):
    rng = np.random.default_rng(seed)
    driver = np.cumsum(rng.normal(0, 0.05, n))
    outcome = np.cumsum(rng.normal(0, noise, n))
    outcome[lag:] += elasticity * driver[: n - lag]
    return 100 * np.exp(driver), 1000 * np.exp(outcome)


def test_standard_errors_are_those_of_statsmodels():
    import statsmodels.api as sm

    rng = np.random.default_rng(0)
    x = np.column_stack((rng.normal(0, 1, 80), np.ones(80)))
    y = x @ [2.0, 5.0] + np.convolve(rng.normal(0, 1, 82), [1, 0.7, 0.4], "valid")
    theirs = sm.OLS(y, x).fit(cov_type="HAC", cov_kwds={"maxlags": 3, "use_correction": True})
    ours = least_squares(x, y, 3)
    assert ours.coefficients == pytest.approx(theirs.params)
    assert ours.covariance == pytest.approx(theirs.cov_params())
    plain = sm.OLS(y, x).fit()
    assert ours.errors == pytest.approx(np.maximum(theirs.bse, plain.bse))
    assert ours.degrees == 78 and newey_west_lags(100) == 4
    assert phase_columns(np.array([0.0, 1.0, 3.0]), 2).tolist() == [[1, 0], [0, 1], [0, 1]]


def test_a_planted_lag_and_elasticity_are_recovered():
    held = 0
    for seed in range(20):
        made = told(estimate_influence(*pair(160, 3, 0.4, seed), 6))
        assert made.found and made.lag == 3 and made.form == "elasticity"
        held += made.low <= 0.4 <= made.high
        assert made.evidence == "correlated" and "cause" in made.note
        assert made.lags_searched == 7 and made.n == 153 and 0.1 < made.r2 < 0.9
    assert held >= 18


def test_a_season_that_both_share_is_not_an_influence():
    t = np.arange(210)
    weekday = np.where(t % 7 < 5, 40.0, 0.0)
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        driver, outcome = (100 + weekday + np.cumsum(rng.normal(0, 2, 210)) for _ in range(2))
        found += told(estimate_influence(driver, outcome, 3, 7)).found
        assert told(
            estimate_influence(driver, outcome, 3, 1)
        ).found  # what not knowing of the season would say
    assert found <= 4


@pytest.mark.parametrize("rho", [0.7, 1.0])
def test_noise_is_found_related_about_as_rarely_as_promised(rho):
    rng = np.random.default_rng(4)

    def series():
        steps, values = rng.normal(0, 1, 100), np.zeros(100)
        for i in range(1, 100):
            values[i] = rho * values[i - 1] + steps[i]
        return values

    assert np.mean([told(estimate_influence(series(), series(), 6)).found for _ in range(150)]) <= 0.12


def test_a_slope_is_taken_where_values_are_not_above_zero():
    rng = np.random.default_rng(1)
    driver = np.cumsum(rng.normal(0, 1, 120))
    outcome = np.cumsum(rng.normal(0, 0.5, 120))
    outcome[1:] -= 2.0 * driver[:-1]
    made = told(estimate_influence(driver, outcome, 2))
    assert made.form == "slope" and made.lag == 1 and made.high < 0.0
    assert made.effect == pytest.approx(-2.0, abs=0.4)
    given = told(estimate_influence(*pair(120, 1, 0.5), 2, form="slope"))
    assert given.form == "slope" and given.found
    refused = estimate_influence(driver, outcome, 2, form="elasticity")
    assert isinstance(refused, CannotTell) and refused.reason == "undefined"


def test_an_outcome_that_goes_ahead_is_said_so():
    outcome, driver = pair(160, 2, 0.6)  # turned around: the "driver" follows
    made = told(estimate_influence(driver, outcome, 4))
    assert made.reverse_p is not None and made.reverse_p < 0.001
    assert "ahead of the driver" in made.note
    assert told(estimate_influence(driver, outcome, 0)).reverse_p is None


def test_missing_periods_leave_their_pairs_out():
    driver, outcome = pair(160, 3, 0.4)
    driver[40], outcome[[90, 91]] = np.nan, np.nan
    made = told(estimate_influence(driver, outcome, 4))
    assert made.lag == 3 and made.n < 155


def test_an_exact_relation_is_found():
    driver, _ = pair(60, 0, 0.0)
    made = told(estimate_influence(driver, driver**2, 2))
    assert made.effect == pytest.approx(2.0) and made.lag == 0 and made.r2 == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("driver", "outcome", "reason"),
    [
        (range(1, 11), range(1, 11), "too_few"),
        ([3.0] * 60, range(60), "undefined"),
        (range(60), [3.0] * 60, "undefined"),
        (np.arange(60.0), np.arange(60.0), "too_few"),  # both grow by the same each time: nothing varies
        ([float("nan")] * 60, range(60), "too_few"),
    ],
)
def test_what_cannot_be_related_says_why(driver, outcome, reason):
    answer = estimate_influence(list(driver), list(outcome), 2)
    assert isinstance(answer, CannotTell) and answer.reason == reason


def test_a_true_edge_predicts_what_came_after():
    good = [checked(back_test_edge(*pair(160, 3, 0.5, seed), 3, 140)) for seed in range(20)]
    assert sum(one.verdict == "predictive" for one in good) >= 17
    assert np.mean([one.skill for one in good]) > 0.2
    assert 0.65 <= np.mean([one.inside_interval_share for one in good]) <= 0.95
    assert all(one.fitted == 136 and one.tested == 20 for one in good)
    assert good[0].skill == pytest.approx(1 - good[0].error_with / good[0].error_without)


def test_an_edge_that_is_none_does_not():
    verdicts = [checked(back_test_edge(*pair(160, 1, 0.0, seed), 1, 140)).verdict for seed in range(40)]
    assert verdicts.count("predictive") <= 9


def test_errors_of_the_back_test_equal_a_plain_regression():
    rng = np.random.default_rng(9)
    driver, outcome = np.cumsum(rng.normal(0, 1, 60)), np.cumsum(rng.normal(0, 1, 60))
    made = checked(back_test_edge(driver, outcome, 1, 50))
    x, y = np.diff(driver)[:-1], np.diff(outcome)[1:]  # the outcome's change at period 2 and on
    slope, constant = np.polyfit(x[:48], y[:48], 1)
    assert made.error_with == pytest.approx(np.abs(y[48:] - constant - slope * x[48:]).mean())
    assert made.error_without == pytest.approx(np.abs(y[48:] - y[:48].mean()).mean())
    assert (made.fitted, made.tested) == (48, 10)


def test_errors_of_an_elasticity_are_in_the_unit_of_the_outcome():
    driver, outcome = pair(120, 1, 0.5)
    made = checked(back_test_edge(driver, outcome, 1, 100))
    steps = np.abs(np.diff(outcome))[99:].mean()
    assert 0.2 * steps < made.error_without < 3 * steps


@pytest.mark.parametrize(
    ("driver", "outcome", "lag", "until", "reason"),
    [
        (*pair(60, 1, 0.5), 1, 58, "too_few"),
        (*pair(60, 1, 0.5), 1, 8, "too_few"),
        ([3.0] * 60, list(range(60)), 1, 40, "undefined"),
        ([3.0] * 45 + list(range(15)), list(range(60)), 1, 40, "undefined"),
    ],
)
def test_what_cannot_be_back_tested_says_why(driver, outcome, lag, until, reason):
    answer = back_test_edge(driver, outcome, lag, until)
    assert isinstance(answer, CannotTell) and answer.reason == reason


def test_a_model_without_error_leaves_nothing_to_gain():
    driver = np.cumsum(np.random.default_rng(0).normal(0, 1, 60))
    made = checked(back_test_edge(driver, np.arange(60.0) * 2 - 7, 1, 40))
    assert made.verdict == "no better than without" and made.error_without == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda: estimate_influence([1.0, 2.0], [1.0], 0),
        lambda: estimate_influence([1.0, 2.0], [1.0, 2.0], -1),
        lambda: back_test_edge([1.0, 2.0], [1.0, 2.0], -1, 1),
        lambda: back_test_edge([1.0, 2.0], [1.0, 2.0], 0, 2),
    ],
)
def test_wrong_use_of_influence_is_an_error(call):
    with pytest.raises(ValueError):
        call()
