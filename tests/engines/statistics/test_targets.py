"""Will a target be reached? Probabilities are calibrated, certainties are certain, and knowing has a date."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from potager.engines.answers import CannotTell
from potager.engines.statistics import (
    Forecast,
    Reach,
    date_known,
    forecast,
    probability_of_reaching,
    reach,
    when_known_index,
)


def days(n, seed=0, noise=10.0):
    t = np.arange(n)
    return 100 + 20 * np.sin(2 * np.pi * t / 7) + np.random.default_rng(seed).normal(0, noise, n)


def told(answer) -> Reach:
    assert isinstance(answer, Reach), answer
    return answer


@pytest.fixture(scope="module")
def made() -> Forecast:
    answer = forecast(days(300), 20, 7)
    assert isinstance(answer, Forecast)
    return answer


def test_the_harder_a_target_the_less_likely_and_both_directions_add_up(made):
    targets = np.linspace(made.total.value - 500, made.total.value + 500, 21)
    chances = [probability_of_reaching(made, float(target)) for target in targets]
    assert all(earlier >= later for earlier, later in pairwise(chances))
    assert chances[10] == pytest.approx(0.5)
    for target, chance in zip(targets, chances, strict=True):
        below = probability_of_reaching(made, float(target), direction="down")
        assert chance + below == pytest.approx(1.0)
    # The range at 80 % leaves a tenth on either side.
    assert probability_of_reaching(made, made.total.high) == pytest.approx(0.1, abs=1e-3)


def test_so_far_counts(made):
    total = made.total.value
    assert probability_of_reaching(made, total + 1000, so_far=1000) == pytest.approx(0.5)


def test_no_probability_is_surer_than_the_back_test_is_long(made):
    distinct = made.distinct_horizons
    least = 0.5 / (distinct + 1)
    assert probability_of_reaching(made, 1e9) == pytest.approx(least) and least > 0.02
    assert probability_of_reaching(made, -1e9) == pytest.approx(1 - least)


def test_a_level_is_judged_by_the_last_step(made):
    last = float(made.values[-1])
    assert probability_of_reaching(made, last, of="last") == pytest.approx(0.5)
    assert probability_of_reaching(made, float(made.high[-1]), of="last") == pytest.approx(0.1, abs=1e-3)


def test_what_is_far_from_the_target_is_known_now_and_what_is_near_at_the_end(made):
    total = made.total.value
    assert when_known_index(made, total + 1e6) == 0
    assert when_known_index(made, total) == 20
    indices = [when_known_index(made, total + gap) for gap in (10, 50, 100, 200)]
    assert indices == sorted(indices, reverse=True) and 0 < indices[1] < 20
    assert when_known_index(made, total + 50, level=0.99) >= indices[1]
    # Just before that moment the range of the rest still holds the target; at it, no more.
    widths = made.tested.totals.half_width(0.8)
    assert widths[20 - indices[1]] > 50 >= widths[20 - indices[1] - 1]
    assert when_known_index(made, float(made.values[-1]) + 1e6, of="last") == 0


def test_the_date_is_that_of_the_period_end(made):
    today = date(2024, 6, 10)
    ends = [today + timedelta(days=k) for k in range(1, 21)]
    assert date_known(made, 1e9, today, ends) == today
    assert date_known(made, made.total.value, today, ends) == ends[-1]
    with pytest.raises(ValueError, match="20 periods"):
        date_known(made, 1.0, today, ends[:3])


def test_reach_says_it_all():
    y = days(300)
    answer = told(reach(y, 1000.0, 20, 3000.0, season=7))
    assert answer.low < answer.expected < answer.high
    assert answer.expected == pytest.approx(1000 + 20 * 100, rel=0.05)
    assert answer.needed_per_period == 100.0 and not answer.certain
    assert answer.origins > 6 and 0.0 <= (answer.coverage or 0.0) <= 1.0 and answer.method
    assert answer.direction == "up" and 0 <= answer.when_known_index <= 20
    down = told(reach(y, 1000.0, 20, 3000.0, "down", 7))
    assert answer.probability + down.probability == pytest.approx(1.0)


def test_a_level_target_ignores_what_was_so_far():
    y = 1000 + np.cumsum(np.random.default_rng(1).normal(2, 3, 120))
    one, other = (told(reach(y, so_far, 10, 1240.0, of="last")) for so_far in (0.0, 99.0))
    assert one.probability == other.probability and one.needed_per_period is None
    assert one.low < one.expected < one.high


def test_a_passed_target_is_certain_unless_the_series_can_fall():
    y = days(300)
    passed = told(reach(y, 5000.0, 20, 3000.0, season=7))
    assert passed.certain and passed.probability == 1.0 and passed.when_known_index == 0
    broken = told(reach(y, 5000.0, 20, 3000.0, "down", 7))
    assert broken.certain and broken.probability == 0.0
    falling = told(reach(y - 120.0, 5000.0, 20, 3000.0, season=7))
    assert not falling.certain and falling.probability < 1.0


def test_nothing_remaining_is_settled():
    assert told(reach([1.0, 2.0], 30.0, 0, 30.0)).probability == 1.0
    assert told(reach([1.0, 2.0], 30.0, 0, 31.0)).probability == 0.0
    assert told(reach([1.0, 2.0], 30.0, 0, 31.0, "down")).probability == 1.0
    assert told(reach([1.0, 2.0], 0.0, 0, 2.0, of="last")).probability == 1.0
    missing = reach([1.0, np.nan], 0.0, 0, 2.0, of="last")
    assert isinstance(missing, CannotTell) and missing.reason == "incomplete"


def test_reach_refuses_what_a_forecast_refuses():
    answer = reach([1.0, 2.0, 3.0], 0.0, 5, 10.0)
    assert isinstance(answer, CannotTell) and answer.reason == "too_few"


@pytest.mark.parametrize(
    "call",
    [lambda: reach([1.0], 0.0, -1, 1.0), lambda: reach([1.0], 0.0, 1, float("nan"))],
)
def test_wrong_use_of_reach_is_an_error(call):
    with pytest.raises(ValueError):
        call()


def test_probabilities_are_calibrated():
    rng = np.random.default_rng(7)
    said, came = [], []
    for seed in range(60):
        y = days(150 + 14, seed)
        target = 1400 + float(rng.normal(0, 40))
        said.append(told(reach(y[:150], 0.0, 14, target, season=7)).probability)
        came.append(y[150:].sum() >= target)
    said, came = np.array(said), np.array(came)
    assert abs(said.mean() - came.mean()) < 0.15
    assert ((said - came) ** 2).mean() < 0.25  # better than saying one half
    assert came[said > 0.7].mean() > 0.6 and came[said < 0.3].mean() < 0.42
