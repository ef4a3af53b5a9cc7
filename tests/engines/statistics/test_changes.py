"""Unusual values and steps: found where planted, and seldom where there is nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from potager.engines.answers import CannotTell
from potager.engines.statistics import StepChange, Unusual, step_change, unusual, usual_change
from potager.engines.statistics.change import _bai_quantile, _largest_bridge_p


def told(answer) -> Unusual:
    assert isinstance(answer, Unusual), answer
    return answer


def stepped(answer) -> StepChange:
    assert isinstance(answer, StepChange), answer
    return answer


def days(n, seed=0, noise=5.0):
    t = np.arange(n)
    return 100 + 30 * (t % 7 == 5) + np.random.default_rng(seed).normal(0, noise, n)


def test_a_saturday_is_compared_with_saturdays():
    y = days(200)  # the last Saturday is at 194
    assert told(unusual(y, 194, 7)).usual
    y[194] = 100.0  # an ordinary weekday, a collapse for a Saturday
    made = told(unusual(y, 194, 7))
    assert not made.usual and made.z < -4 and made.p < 0.02 and made.value < made.low
    assert made.expected == pytest.approx(130, abs=5) and made.method == "ranks"


def test_expectation_and_rank_equal_a_plain_loop():
    y, season = days(60, 3), 7
    expected = {}
    for at in range(60):
        same = [y[j] for j in range(at % season, at, season)][-8:]
        if len(same) >= 2:
            expected[at] = sum(same) / len(same)
    surprises = [y[at] - expected[at] for at in expected if at < 59]
    center = float(np.median(surprises))
    made = told(unusual(y, -1, season))
    assert made.expected == pytest.approx(expected[59] + center)
    off = abs(y[59] - made.expected)
    assert made.p == pytest.approx(
        (1 + sum(abs(s - center) >= off for s in surprises)) / (len(surprises) + 1)
    )
    assert made.n == len(surprises)


def test_what_comes_later_does_not_matter():
    y = days(100)
    changed = y.copy()
    changed[61:] = 0.0
    assert unusual(y, 60, 7) == unusual(changed, 60, 7)


def test_steady_growth_is_no_surprise():
    y = 100 + 3.0 * np.arange(100) + np.random.default_rng(1).normal(0, 4, 100)
    assert told(unusual(y, -1, 7)).usual


def test_verdict_and_p_agree():
    for seed in range(60):
        made = told(unusual(days(80, seed), -1, 7, 0.9))
        assert made.usual == (made.p > 0.1 + 1e-9) and made.usual == (made.low <= made.value <= made.high)


@pytest.mark.parametrize(("n", "season", "method"), [(80, 7, "ranks"), (14, 1, "student")])
def test_nothing_is_unusual_about_as_rarely_as_promised(n, season, method):
    rng = np.random.default_rng(2)
    answers = [told(unusual(rng.normal(50, 5, n), -1, season)) for _ in range(400)]
    assert {one.method for one in answers} == {method}
    assert 0.01 <= np.mean([not one.usual for one in answers]) <= 0.09


def test_missing_days_are_left_out():
    y = days(120)
    y[[20, 50, 51]] = np.nan
    assert told(unusual(y, -1, 7)).n < told(unusual(days(120), -1, 7)).n
    missing = unusual(y, 50, 7)
    assert isinstance(missing, CannotTell) and missing.reason == "incomplete"


def test_a_past_with_odd_days_among_equal_ones_still_has_a_spread():
    y = np.full(40, 10.0)
    y[[15, 30]] = 25.0
    made = told(unusual(np.append(y, 90.0)))
    assert not made.usual and math.isfinite(made.z)


@pytest.mark.parametrize(
    ("series", "index", "reason"),
    [([1.0, 2.0, 3.0], -1, "too_few"), ([5.0] * 40, -1, "undefined"), (list(range(20)), 1, "too_few")],
)
def test_what_has_no_past_says_why(series, index, reason):
    answer = unusual(series, index)
    assert isinstance(answer, CannotTell) and answer.reason == reason


def test_a_change_of_weeks_is_judged_by_earlier_changes_of_weeks():
    y = days(7 * 30)
    calm = told(usual_change(y, 7))
    assert calm.usual and calm.value == pytest.approx(y[-7:].sum() - y[-14:-7].sum())
    y[-7:] -= 30
    assert not told(usual_change(y, 7)).usual
    # Days that make no whole week are left at the front.
    assert told(usual_change(np.concatenate(([1e9], y)), 7)).value == told(usual_change(y, 7)).value
    few = usual_change(y[:10], 7)
    assert isinstance(few, CannotTell) and few.reason == "too_few"


def test_a_planted_drop_is_found_with_its_date():
    y = days(200)
    y[120:] -= 12
    made = stepped(step_change(y, 7))
    assert made.clear and made.shape == "step" and made.p < 0.001
    assert made.earliest <= 120 <= made.latest and abs(made.start - 120) <= 4
    assert made.change == pytest.approx(-12, abs=3)
    assert made.after == pytest.approx(made.before + made.change)


def test_the_split_is_that_of_all_splits_tried():
    y = days(60, 5)
    y[37:] += 6
    squares = {k: y[:k].var() * k + y[k:].var() * (60 - k) for k in range(6, 55)}
    assert stepped(step_change(y)).start == min(squares, key=lambda k: squares[k])


def test_a_trend_is_no_step():
    y = 100 + np.arange(100) + np.random.default_rng(0).normal(0, 3, 100)
    made = stepped(step_change(y))
    assert not made.clear and made.shape == "trend" and made.p < 1e-6
    exact = stepped(step_change(np.arange(40.0)))
    assert exact.shape == "trend" and exact.p == 0.0


@pytest.mark.parametrize(("rho", "n", "most"), [(0.0, 60, 0.1), (0.5, 120, 0.12), (0.8, 200, 0.14)])
def test_series_that_drift_by_themselves_seldom_look_changed(rho, n, most):
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(150):
        noise, y = rng.normal(0, 1, n + 50), np.zeros(n + 50)
        for i in range(1, n + 50):
            y[i] = rho * y[i - 1] + noise[i]
        found += stepped(step_change(y[50:])).clear
    assert found / 150 <= most


def test_the_start_lies_in_its_range_as_often_as_it_says():
    rng, held = np.random.default_rng(3), 0
    for _ in range(150):
        y = rng.normal(0, 1, 100)
        y[60:] += 1.5
        made = stepped(step_change(y))
        held += made.earliest <= 60 <= made.latest
    assert held / 150 >= 0.9


def test_an_exact_step_and_a_leading_gap():
    y = np.array([1.0] * 20 + [4.0] * 20)
    made = stepped(step_change(y))
    assert made.start == 20 and made.p == 0.0 and made.clear
    assert stepped(step_change(np.concatenate(([np.nan] * 3, y)))).start == 23


def test_a_series_with_no_step_at_all_says_none():
    made = stepped(step_change(np.tile([1.0, 2.0], 20)))
    assert made.shape == "none" and not made.clear and made.p > 0.5
    assert (made.earliest, made.latest) == (1, 39)


def test_distributions_are_the_published_ones():
    # Kolmogorov: 1.3581 at 5 %, 1.6276 at 1 %. Bai (1997): 7.7 at 90 %, 11.0 at 95 %, 19.8 at 99 %.
    assert _largest_bridge_p(1.3581) == pytest.approx(0.05, abs=1e-4)
    assert _largest_bridge_p(1.6276) == pytest.approx(0.01, abs=1e-4)
    assert _largest_bridge_p(0.1) == 1.0
    assert [round(_bai_quantile(level), 1) for level in (0.9, 0.95, 0.99)] == [7.7, 11.0, 19.8]


@pytest.mark.parametrize(
    ("series", "season", "reason"),
    [
        (range(8), 1, "too_few"),
        (range(20), 12, "too_few"),
        ([3.0] * 30, 1, "undefined"),
        ([*range(30), float("nan")], 1, "incomplete"),
    ],
)
def test_where_no_step_can_be_sought_says_why(series, season, reason):
    answer = step_change(list(series), season)
    assert isinstance(answer, CannotTell) and answer.reason == reason


def test_wrong_use_of_changes_is_an_error():
    with pytest.raises(IndexError):
        unusual([1.0, 2.0], 5)
    with pytest.raises(ValueError):
        unusual([1.0, 2.0], 0, 0)
    with pytest.raises(ValueError):
        usual_change([1.0, 2.0], 0)
