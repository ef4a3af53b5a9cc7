"""Forecasts: methods against second computations, ranges against simulated truths."""

from __future__ import annotations

import time

import numpy as np
import pytest

from potager.engines.answers import CannotTell
from potager.engines.statistics import Forecast, forecast
from potager.engines.statistics import methods as m
from potager.engines.statistics.backtest import MOST_ORIGINS, choose_origins, error_scales, tiers
from potager.engines.statistics.series import as_array, prepare, without_season
from potager.engines.statistics.spread import ErrorSpread


def told(answer) -> Forecast:
    assert isinstance(answer, Forecast), answer
    return answer


def wave(n, season, noise, seed=0, slope=0.0):
    t = np.arange(n)
    return (
        100
        + slope * t
        + 10 * np.sin(2 * np.pi * t / season)
        + np.random.default_rng(seed).normal(0, noise, n)
    )


def autoregression(n, rho, rng):
    steps, values = rng.normal(0, 1, n + 50), np.zeros(n + 50)
    for i in range(1, n + 50):
        values[i] = rho * values[i - 1] + steps[i]
    return values[50:]


ORIGINS = np.array([20, 27, 33, 40])


def test_naive_forecasts_equal_a_plain_loop():
    y, season, horizon = wave(40, 7, 3), 7, 10
    naive, drifting = (run(y, season, ORIGINS, horizon) for run in (m.seasonal_naive, m.seasonal_naive_drift))
    last, drift, median = (
        run(y, season, ORIGINS, horizon) for run in (m.last_value, m.drift, m.recent_median)
    )
    for row, origin in enumerate(ORIGINS):
        known = list(y[:origin])
        per_season = np.mean([known[i] - known[i - season] for i in range(season, origin)])
        for step in range(1, horizon + 1):
            position = origin + step - 1
            seasons = 0
            while position >= origin:
                position -= season
                seasons += 1
            assert naive[row, step - 1] == known[position]
            assert drifting[row, step - 1] == pytest.approx(known[position] + seasons * per_season)
            assert last[row, step - 1] == known[-1]
            assert drift[row, step - 1] == pytest.approx(
                known[-1] + step * (known[-1] - known[0]) / (origin - 1)
            )
            phase = [known[i] for i in range(origin) if (i - origin) % season == (step - 1) % season][-6:]
            whole = min(6, origin // season)
            assert median[row, step - 1] == pytest.approx(np.median(phase[-whole:]))


@pytest.mark.parametrize("season", [1, 7])
@pytest.mark.parametrize("run", [m.theta, m.ets_damped, m.recent_median, m.on_log_scale(m.theta)])
def test_no_method_looks_ahead(run, season):
    y = wave(60, 7, 3)
    changed = y.copy()
    changed[40:] += 50
    origins = np.array([20, 40])
    assert run(y, season, origins, 5) == pytest.approx(run(changed, season, origins, 5))


def test_many_origins_at_once_equal_one_at_a_time():
    y = wave(60, 7, 3)
    for run in (m.theta, m.ets_damped):
        together = run(y, 7, ORIGINS, 9)
        for row, origin in enumerate(ORIGINS):
            assert together[row] == pytest.approx(run(y[:origin], 7, np.array([origin]), 9)[0])


@pytest.mark.parametrize("season", [1, 4])
def test_damped_smoothing_is_that_of_statsmodels(season):
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    y = wave(40, 4, 4, slope=0.5)
    level, slope, seasonal = m.ets_start(y, season)
    alpha, beta_share, gamma_share, phi = 0.3, 0.2, 0.1, 0.9
    model = ETSModel(
        y,
        error="add",
        trend="add",
        damped_trend=True,
        seasonal="add" if season > 1 else None,
        seasonal_periods=season if season > 1 else None,
        initialization_method="known",
        initial_level=level,
        initial_trend=slope,
        initial_seasonal=list(seasonal) if season > 1 else None,
    )
    given = {
        "smoothing_level": alpha,
        "smoothing_trend": alpha * beta_share,
        "smoothing_seasonal": (1 - alpha) * gamma_share,
        "damping_trend": phi,
    }
    # Its initial states come after the parameters, and seasons from the latest to the earliest.
    parameters = [given[name] for name in model.param_names if name in given]
    states = [level, slope, *(list(seasonal)[::-1] if season > 1 else [])]
    fitted = model.smooth(parameters + states)
    grid = np.array([[alpha], [beta_share], [gamma_share], [phi]])
    ours = m.ets_forecasts(y, season, np.array([40]), 6, grid)[0]
    assert ours == pytest.approx(np.asarray(fitted.forecast(6)))


def test_theta_is_smoothing_with_half_the_slope():
    y = wave(30, 4, 4, slope=1.0)
    best, forecast_best = np.inf, None
    for alpha in m._THETA_SMOOTHING:
        level, squares = y[0], 0.0
        for value in y[1:]:
            squares += (value - level) ** 2
            level += alpha * (value - level)
        if squares < best:
            slope = np.polyfit(np.arange(30), y, 1)[0] / 2
            best = squares
            forecast_best = [level + slope * (h - 1 + (1 - (1 - alpha) ** 30) / alpha) for h in (1, 2, 3)]
    assert m.theta(y, 1, np.array([30]), 3)[0] == pytest.approx(forecast_best)


@pytest.mark.parametrize("season", [4, 7, 12])
def test_seasonal_indices_are_those_of_classical_decomposition(season):
    from statsmodels.tsa.seasonal import seasonal_decompose

    y = wave(5 * season, season, 2, slope=0.3)
    theirs = seasonal_decompose(y, period=season, two_sided=True).seasonal[:season]
    assert m.seasonal_indices(y, season, np.array([y.size]))[0] == pytest.approx(theirs)


def test_a_yearly_season_with_growth_is_learned():
    from statsmodels.datasets import co2

    # Weekly carbon dioxide at Mauna Loa, by month: growth and a strict yearly season.
    monthly = co2.load_pandas().data["co2"].resample("MS").mean().interpolate().to_numpy()[-132:]
    made = told(forecast(monthly[:-12], 12, 12))
    truth = monthly[-12:]
    assert np.abs(made.values - truth).mean() < np.abs(monthly[-24:-12] - truth).mean() / 2
    assert ((truth >= made.low) & (truth <= made.high)).mean() >= 0.6
    assert made.season == 12 and made.method != "seasonal_naive"
    mase = {one.name: one.mase for one in made.candidates}
    assert mase[made.method] <= 1.02 * min(mase.values())
    assert {"theta", "ets_damped", "theta_log", "combination", "seasonal_naive"} <= mase.keys()


def test_scores_are_those_of_a_plain_loop():
    y, horizon = wave(60, 7, 5), 4
    made = told(forecast(y, horizon, 7))
    tier = tiers(7)[0]
    origins = choose_origins(60, horizon, tier.first_origin, 7)
    scales = error_scales(y, origins, 7, horizon)
    losses, percents, totals = [], [], []
    for origin, scale in zip(origins, scales, strict=True):
        ahead = [y[origin + h - 7 * (h // 7 + 1)] for h in range(horizon)]
        truth = y[origin : origin + horizon]
        losses += [abs(a - b) / scale for a, b in zip(truth, ahead, strict=True)]
        percents += [2 * abs(a - b) / (abs(a) + abs(b)) for a, b in zip(truth, ahead, strict=True)]
        totals.append(abs(sum(truth) - sum(ahead)) / scale / horizon)
    naive = next(one for one in made.candidates if one.name == "seasonal_naive")
    assert naive.mase == pytest.approx(np.mean(losses))
    assert naive.smape == pytest.approx(np.mean(percents))
    assert naive.total_mase == pytest.approx(np.mean(totals))
    assert made.origins == len(origins) and made.judged > 0


def test_origins_are_bounded_and_meet_every_weekday():
    origins = choose_origins(1096, 30, 17, 7)
    assert origins.size <= MOST_ORIGINS and origins[-1] == 1066 and origins[0] >= 17
    assert set(origins % 7) == set(range(7))
    # 420 steps would be a multiple of 7 at a spacing of 7.
    spaced = choose_origins(17 + 30 + 7 * 60 - 1, 30, 17, 7)
    assert np.gcd(int(np.diff(spaced)[0]), 7) == 1


CASES = [
    ("noise", 374, 7, 22),
    ("autoregression", 120, 7, 14),
    ("walk", 60, 7, 10),
    ("growth", 60, 12, 6),
    ("autoregression", 36, 12, 3),
    ("walk", 24, 1, 3),
]


@pytest.mark.parametrize(("kind", "n", "season", "horizon"), CASES)
def test_ranges_hold_about_as_often_as_they_say(kind, n, season, horizon):
    rng = np.random.default_rng(5)
    size, held, held_total = 25, [], []
    for _ in range(size):
        t = np.arange(n + horizon)
        cycle = 10 * np.sin(2 * np.pi * t / season) if season > 1 else 0.0
        if kind == "growth":
            y = np.exp(4 + 0.01 * t + cycle / 50 + 0.08 * autoregression(t.size, 0.5, rng))
        elif kind == "walk":
            y = 100 + cycle + np.cumsum(rng.normal(0, 1, t.size))
        else:
            y = 100 + cycle + 4 * autoregression(t.size, 0.8 if kind == "autoregression" else 0.0, rng)
        made, truth = told(forecast(y[:n], horizon, season)), y[n:]
        held.append(((truth >= made.low) & (truth <= made.high)).mean())
        held_total.append(made.total.low <= truth.sum() <= made.total.high)
    assert 0.66 <= np.mean(held) <= 0.97
    assert np.mean(held_total) >= 0.6


def test_a_total_has_its_own_range_not_the_sum_of_bounds():
    made = told(forecast(wave(374, 7, 8), 30, 7))
    assert made.total.value == pytest.approx(made.values.sum())
    assert made.total.high - made.total.low < 0.5 * (made.high - made.low).sum()
    assert made.coverage_total is not None and made.judged_totals > 0
    assert made.total.method.startswith("back_tested_")


def test_a_wider_level_is_a_wider_range_and_the_same_question_the_same_answer():
    y = wave(120, 7, 5)
    narrow, wide, again = (told(forecast(y, 5, 7, level)) for level in (0.5, 0.95, 0.5))
    assert np.all(wide.high > narrow.high) and np.all(wide.low < narrow.low)
    assert np.array_equal(narrow.values, again.values) and np.array_equal(narrow.low, again.low)
    assert narrow.horizon == 5


def test_three_years_of_days_are_fast():
    y = wave(1096, 7, 8, slope=0.05)
    forecast(y[:60], 2, 7)
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        forecast(y, 92, 7)
        best = min(best, time.process_time() - start)
    assert best < 1.5


def test_what_never_is_negative_is_not_forecast_below_zero():
    y = np.maximum(wave(100, 7, 60) - 80, 0.0)
    made = told(forecast(y, 14, 7))
    assert made.values.min() >= 0.0 and made.low.min() >= 0.0 and made.total.low >= 0.0
    # Zeros rule out logarithms.
    assert not any(one.name.endswith("_log") for one in made.candidates)


def test_an_exact_cycle_is_repeated_without_doubt():
    y = np.tile([1.0, 5.0, 2.0, 8.0], 12)
    made = told(forecast(y, 6, 4))
    assert made.values == pytest.approx([1, 5, 2, 8, 1, 5])
    assert made.method == "seasonal_naive" and made.high - made.low == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("series", "horizon", "season", "reason"),
    [
        ([1.0, 2.0, 3.0], 1, 1, "too_few"),
        (list(range(100)), 60, 7, "too_few"),
        ([5.0] * 80, 3, 7, "undefined"),
        ([float("nan")] * 5, 1, 1, "too_few"),
        ([*range(50), float("nan")], 3, 1, "incomplete"),
        ([1.0, float("nan"), 2.0, float("nan")] * 20 + [1.0], 3, 1, "incomplete"),
    ],
)
def test_what_cannot_be_forecast_says_why(series, horizon, season, reason):
    answer = forecast(series, horizon, season)
    assert isinstance(answer, CannotTell) and answer.reason == reason and answer.mend


def test_the_minimum_it_names_is_enough():
    for horizon in (1, 3, 8):
        y = wave(60, 7, 5)
        refusal = forecast(y[:9], horizon, 1)
        assert isinstance(refusal, CannotTell)
        least = int(refusal.because.split("at least ")[1].split()[0])
        assert isinstance(forecast(y[:least], horizon, 1), Forecast)
        assert isinstance(forecast(y[: least - 1], horizon, 1), CannotTell)


def test_a_short_series_says_that_its_season_is_not_learned():
    y = wave(13, 12, 2)
    made = told(forecast(y, 1, 12))
    assert made.season == 1 and any("too short to learn" in note for note in made.notes)
    assert told(forecast(wave(24, 12, 2), 2, 12)).season == 12
    barely = told(forecast(wave(11, 12, 2), 1, 1))
    assert barely.coverage is None or barely.judged > 0


def test_ranges_that_did_not_hold_are_said_not_to():
    rng = np.random.default_rng(1)
    calm_then_wild = 100 + np.concatenate((rng.normal(0, 1, 200), np.cumsum(rng.normal(0, 12, 60))))
    made = told(forecast(calm_then_wild, 5, 1))
    assert made.coverage is not None
    assert (made.coverage < 0.7) == any("too narrow" in note for note in made.notes)


def test_too_few_to_check_the_ranges_is_said():
    made = told(forecast(wave(13, 4, 2), 3, 1))
    assert made.coverage is None and made.coverage_total is None and made.judged < 10
    assert any("check the ranges" in note for note in made.notes)


def test_missing_days_are_filled_and_said_and_not_taken_for_zero():
    y = wave(200, 7, 4)
    holed = y.copy()
    holed[[30, 31, 90, 120]] = np.nan
    made = told(forecast(holed, 7, 7))
    assert made.interpolated_share == pytest.approx(0.02)
    assert any("filled in" in note for note in made.notes)
    assert made.values == pytest.approx(told(forecast(y, 7, 7)).values, abs=5.0)
    leading = told(forecast(np.concatenate(([np.nan] * 30, y)), 7, 7))
    assert leading.values == pytest.approx(told(forecast(y, 7, 7)).values) and leading.n == 200


def test_a_step_whose_truths_were_filled_in_still_has_a_range():
    rng = np.random.default_rng(0)
    y = rng.normal(10, 1, 16)
    y[7:15] = np.nan
    made = told(forecast(y, 2, 1, max_missing=0.5))
    assert np.all(np.isfinite(made.low)) and np.all(made.high > made.low)


def test_gaps_are_filled_by_the_same_phase_where_it_is_known():
    filled = prepare([1.0, 10.0, 2.0, np.nan, 3.0, 30.0], 2, 0.5)
    assert not isinstance(filled, CannotTell)
    assert filled.values[3] == 20.0 and list(filled.filled) == [False, False, False, True, False, False]
    line = prepare([1.0, np.nan, 3.0], 5, 0.5)
    assert not isinstance(line, CannotTell) and line.values[1] == 2.0


def test_taking_the_season_out_keeps_the_level():
    y = wave(70, 7, 0.0)
    assert without_season(y, 7) == pytest.approx(np.full(70, y.mean()))
    assert without_season(y, 1) is y


def test_error_scales_never_are_zero():
    quiet = np.concatenate((wave(60, 7, 5), np.full(60, 3.0)))
    scales = error_scales(quiet, np.array([50, 120]), 7, 5)
    assert scales.min() > 0.0
    assert error_scales(np.tile([1.0, 2.0], 20), np.array([10, 40]), 2, 3) == pytest.approx([1.0, 1.0])


def test_the_spread_of_many_errors_is_the_empirical_one_and_of_few_is_students():
    from scipy.stats import norm, t

    rng = np.random.default_rng(0)
    many = ErrorSpread.of(rng.normal(0, 3, (4000, 1)), np.array([4000.0]))
    assert many.half_width(0.8)[0] == pytest.approx(norm.ppf(0.9) * 3, rel=0.05)
    few = ErrorSpread.of(np.array([[2.0], [-2.0]]), np.array([1.0]))
    assert few.half_width(0.8)[0] == pytest.approx(t.ppf(0.9, 1) * 2, rel=0.01)
    assert few.inside(few.half_width(0.8))[0] == pytest.approx(0.8)
    assert few.above(1e9, 0) == 0.25 and few.above(-1e9, 0) == 0.75
    assert many.above(0.0, 0) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: forecast([1, 2, 3], 0),
        lambda: forecast([1, 2, 3], 1, 0),
        lambda: forecast([1, 2, 3], 1, 1, 1.5),
        lambda: forecast([1, float("inf")], 1),
        lambda: as_array(np.ones((2, 2))),
    ],
)
def test_wrong_use_of_a_forecast_is_an_error(call):
    with pytest.raises(ValueError):
        call()
