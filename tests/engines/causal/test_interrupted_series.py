"""One series with and without controls: forecasts against statsmodels, simulated truth, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.statespace.structural import UnobservedComponents

from potager.engines.answers import CannotTell
from potager.engines.causal import InterruptedEffect, interrupted_series
from potager.engines.causal.structural import _fitted, counterfactual


def told(answer) -> InterruptedEffect:
    assert isinstance(answer, InterruptedEffect), answer
    return answer


def series(seed: int, n: int = 60, start: int = 48, wander: float = 0.3, effect: float = 2.0):
    rng = np.random.default_rng(seed)
    control = np.cumsum(rng.normal(size=n))
    y = 10 + 1.5 * control + np.cumsum(rng.normal(size=n) * wander) + rng.normal(size=n)
    y[start:] += effect
    return y, control


def test_forecasts_and_their_errors_are_those_of_statsmodels():
    y, x = series(1)
    before = (y[:48] - y[:48].mean()) / y[:48].std()
    exogenous = ((x - x[:48].mean()) / x[:48].std())[:, None]
    model = UnobservedComponents(before, level="local level", exog=exogenous[:48], mle_regression=False)
    made = _fitted(model, (1.0, 0.09), exogenous[48:], 12, 2)
    results = model.filter([1.0, 0.09])
    forecast = results.get_forecast(12, exog=exogenous[48:])
    assert made.mean == pytest.approx(np.asarray(forecast.predicted_mean), abs=1e-6)
    scale = np.mean(
        results.filter_results.forecasts_error[0, 2:] ** 2
        / results.filter_results.forecasts_error_cov[0, 0, 2:]
    )
    assert np.diag(made.covariance) == pytest.approx(np.asarray(forecast.var_pred_mean) * scale, rel=1e-5)


def test_joint_errors_are_those_of_a_random_walk_with_noise():
    """Of a local level known exactly, forecasts i and j share the steps up to the earlier one: min(i, j)·q²."""
    model = UnobservedComponents(np.random.default_rng(0).normal(size=400), level="local level")
    made = _fitted(model, (1.0, 0.25), np.empty((3, 0)), 3, 1)
    scale = made.covariance[0, 0] - made.covariance[0, 1]  # the noise
    state = made.covariance[0, 1] / scale
    steps = np.minimum.outer(np.arange(3), np.arange(3)) * 0.25
    assert made.covariance / scale == pytest.approx(state + steps + np.eye(3))


def test_intervals_hold_the_planted_effect():
    held = []
    for seed in range(120):
        y, x = series(seed)
        made = told(interrupted_series(y, 48, controls={"x": x}, placebos=False))
        held.append(made.low <= 2.0 <= made.high)
    assert 0.91 <= np.mean(held) <= 0.995


def test_effects_add_up_to_the_cumulative_effect_and_its_mean():
    y, x = series(2)
    made = told(interrupted_series(y, 48, controls={"x": x}))
    assert made.cumulative == pytest.approx(np.cumsum(made.effects))
    assert made.estimate == pytest.approx(made.cumulative[-1] / 12)
    assert (made.low, made.high) == pytest.approx(
        (made.cumulative_low[-1] / 12, made.cumulative_high[-1] / 12)
    )
    assert made.effects == pytest.approx(y[48:] - made.expected)
    assert np.all(made.expected_low < made.expected) and np.all(made.expected < made.expected_high)
    assert made.excludes_zero == (made.p_value < 0.05)
    assert made.method == "structural time series with controls"
    assert made.placebos[0].kind == "time" and made.placebos[0].runs == 12


def test_controls_sharpen_what_the_series_alone_cannot_tell():
    y, x = series(3)
    with_control = told(interrupted_series(y, 48, controls={"x": x, "still": np.ones(60)}, placebos=False))
    alone = told(interrupted_series(y, 48, placebos=False))
    assert with_control.high - with_control.low < 0.6 * (alone.high - alone.low)


def test_seasons_and_trends_are_carried_on():
    t = np.arange(70)
    rng = np.random.default_rng(4)
    y = 5 + 0.3 * t + 4 * np.sin(2 * np.pi * t / 7) + rng.normal(0, 0.3, 70)
    y[56:] += 3.0
    made = told(interrupted_series(y, 56, season=7, trend="trend", placebos=False))
    assert made.low <= 3.0 <= made.high and made.high - made.low < 4.0
    blind = told(interrupted_series(y, 56, placebos=False))
    assert blind.high - blind.low > made.high - made.low or not blind.low <= 3.0 <= blind.high


def test_shifting_and_scaling_a_series_shifts_and_scales_its_effect():
    y, x = series(5)
    one = told(interrupted_series(y, 48, controls={"x": x}, placebos=False))
    other = told(interrupted_series(y * 1e6 + 7e8, 48, controls={"x": x * 1e-3}, placebos=False))
    assert (other.estimate, other.low, other.high) == pytest.approx(
        (one.estimate * 1e6, one.low * 1e6, one.high * 1e6), rel=1e-5
    )


def test_nothing_after_the_start_reaches_the_forecast():
    y, x = series(6)
    changed = y.copy()
    changed[48:] *= 3
    one = told(interrupted_series(y, 48, controls={"x": x}, placebos=False))
    other = told(interrupted_series(changed, 48, controls={"x": x}, placebos=False))
    assert other.expected == pytest.approx(one.expected)


def test_a_pattern_left_over_and_a_long_horizon_fail_their_checks():
    t = np.arange(80)
    y = np.sin(2 * np.pi * t / 4) + 0.05 * np.random.default_rng(1).normal(size=80)
    made = told(interrupted_series(y, 30, placebos=False))
    assert {check.name for check in made.failed} == {"horizon", "residuals"}
    assert told(interrupted_series(y[:20], 14, placebos=False)).checks[1].passed is not None


def test_controls_that_moved_at_the_start_are_pointed_out():
    y, x = series(3)
    shaken = np.random.default_rng(4).normal(size=60)
    shaken[48:] += 8.0
    controls = {"x": x, "shaken": shaken, "still": np.ones(60)}
    found = {
        check.name: check
        for check in told(interrupted_series(y, 48, controls=controls, placebos=False)).checks
    }
    assert found["controls_calm"].passed is None and "as well: shaken." in found["controls_calm"].sentence
    calm = told(interrupted_series(y, 48, controls={"x": x}, placebos=False))
    assert [check.passed for check in calm.checks if check.name == "controls_calm"] == [True]


def test_a_three_point_past_and_other_lies_are_refused_with_a_sentence():
    y, x = series(7)
    three = interrupted_series(y[:10], 3)
    assert isinstance(three, CannotTell) and three.reason == "too_few"
    assert three.because.startswith("There are 3 periods before the start, and the method needs 12")
    spoiled = interrupted_series(y, 48, controls={"x": x}, treated_controls=["x"])
    assert spoiled.reason == "not_identified" and "controls were treated too: x" in spoiled.because
    assert interrupted_series(y, 48, redefinitions=[50]).reason == "definition_changed"
    assert interrupted_series([*y[:20], np.nan, *y[21:]], 48).reason == "incomplete"
    assert interrupted_series(y, 48, controls={"x": [np.nan, *x[1:]]}).reason == "incomplete"
    assert interrupted_series(y, 60).reason == "incomplete"
    assert interrupted_series([1.0] * 20, 15).reason == "undefined"
    assert interrupted_series(y, 20, season=12).reason == "too_few"
    many = {f"c{i}": x + i for i in range(5)}
    assert interrupted_series(y, 20, controls=many).reason == "too_few"
    with pytest.raises(ValueError, match="one value per period"):
        interrupted_series(y, 48, controls={"x": x[:5]})
    with pytest.raises(ValueError, match="season"):
        interrupted_series(y, 48, season=0)


def test_a_past_that_leaves_no_room_for_fakes_says_so():
    y, _ = series(8)
    made = told(interrupted_series(y[34:50], 13))
    assert made.placebos == () and any(
        check.name == "placebo" and check.passed is None for check in made.checks
    )


def test_models_with_too_many_unknowns_or_a_perfect_fit_are_refused():
    rng = np.random.default_rng(9)
    x = rng.normal(size=(12, 9))
    answer = counterfactual(rng.normal(size=10), x, 10, 12, 1, "level")
    assert isinstance(answer, CannotTell) and answer.reason == "too_few"
    _, control = series(9)
    exact = interrupted_series(2 * control, 48, controls={"x": control})
    assert isinstance(exact, CannotTell) and exact.reason == "undefined" and "exactly" in exact.because


def walk(seed: int, wander: float, n: int = 60, start: int = 40, effect: float = 3.0):
    rng = np.random.default_rng(seed)
    y = 50.0 + rng.normal(size=n) + np.cumsum(rng.normal(size=n) * wander)
    y[start:] += effect
    return y.tolist()


@pytest.mark.parametrize(
    ("wander", "least", "most"), [(0.0, 0.97, 1.0), (0.4, 0.92, 0.985), (2.0, 0.91, 0.985)]
)
def test_intervals_hold_their_level_where_the_level_wanders_and_more_where_it_does_not(wander, least, most):
    held, steady = [], []
    for seed in range(150):
        made = told(interrupted_series(walk(seed, wander), 40, placebos=False))
        held.append(made.low <= 3.0 <= made.high)
        note = next(check for check in made.checks if check.name == "room_to_wander")
        steady.append("more than 95%" in note.sentence)
    assert least <= np.mean(held) <= most
    assert np.mean(steady) > 0.5 if wander == 0.0 else np.mean(steady) < 0.4
