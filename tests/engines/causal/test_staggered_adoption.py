"""Units that started at different times: against naive sums, a regression that misses, and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from potager.engines.answers import CannotTell
from potager.engines.causal import Panel, staggered_effect


def told(answer):
    assert not isinstance(answer, CannotTell), answer
    return answer


def staggered(seed: int, n: int = 60, starts=(4, 7, 12), effect=lambda age: 1.5) -> Panel:
    rng = np.random.default_rng(seed)
    outcomes = rng.normal(size=(n, 12)).cumsum(axis=1) * 0.5 + rng.normal(0, 2, (n, 1)) + 0.2 * np.arange(12)
    first = np.array([starts[i % len(starts)] for i in range(n)])
    for i in range(n):
        for t in range(first[i], 12):
            outcomes[i, t] += effect(t - first[i])
    units = tuple(f"u{i}" for i in range(n))
    return Panel(
        units,
        tuple(map(str, range(12))),
        outcomes,
        {u: int(g) for u, g in zip(units, first, strict=False) if g < 12},
    )


@pytest.mark.parametrize("controls", ["never_treated", "not_yet_treated"])
def test_cells_are_differences_of_changes_against_clean_controls(controls):
    made = staggered(1)
    answer = told(staggered_effect(made, controls=controls))
    first = np.array([made.adopted.get(unit, 99) for unit in made.units])
    for cell in answer.cells:
        base = cell.group - 1 if cell.time >= cell.group else cell.time - 1
        change = made.outcomes[:, cell.time] - made.outcomes[:, base]
        clean = first == 99 if controls == "never_treated" else (first > cell.time) & (first != cell.group)
        assert cell.estimate == pytest.approx(change[first == cell.group].mean() - change[clean].mean())
        welch = np.sqrt(
            change[first == cell.group].var(ddof=1) / (first == cell.group).sum()
            + change[clean].var(ddof=1) / clean.sum()
        )
        assert cell.standard_error == pytest.approx(welch)
        assert cell.controls == clean.sum()
    post = [cell for cell in answer.cells if cell.time >= cell.group]
    assert answer.estimate == pytest.approx(np.mean([cell.estimate for cell in post]))  # groups of equal size


def test_growing_effects_are_found_by_age_where_a_two_way_regression_misses_them():
    errors, regressions = [], []
    for seed in range(15):
        made = staggered(seed, starts=(3, 6, 12), effect=lambda age: 1.0 + age)
        answer = told(staggered_effect(made))
        first = np.array([made.adopted.get(unit, 99) for unit in made.units])
        truth = np.mean([1.0 + cell.time - cell.group for cell in answer.cells if cell.time >= cell.group])
        errors.append(answer.estimate - truth)
        treated = (np.arange(12)[None, :] >= first[:, None]).astype(float)
        within = treated - treated.mean(1, keepdims=True) - treated.mean(0) + treated.mean()
        regressions.append((within * made.outcomes).sum() / (within * within).sum() - truth)
        assert [age.key for age in answer.by_age] == list(range(9))
    assert abs(np.mean(errors)) < 0.25 < 1.0 < abs(np.mean(regressions))


def test_staggered_intervals_hold_the_planted_effect():
    held = [(made := told(staggered_effect(staggered(seed)))).low <= 1.5 <= made.high for seed in range(200)]
    assert 0.90 <= np.mean(held) <= 0.99


def test_a_small_group_that_starts_together_has_its_own_degrees():
    """Three of 33 units: on the degrees of all units the interval held the effect in 85 % of 200 cases."""
    held, by_age = [], []
    for seed in range(200):
        made = staggered(seed, n=33, starts=(7,) + (12,) * 10)
        answer = told(staggered_effect(made))
        held.append(answer.low <= 1.5 <= answer.high)
        by_age += [age.low <= 1.5 <= age.high for age in answer.by_age]
    assert 0.93 <= np.mean(held) <= 0.99
    assert 0.93 <= np.mean(by_age) <= 0.99


def test_one_cell_of_a_staggered_panel_has_the_degrees_of_two_groups():
    made = staggered(5, n=22, starts=(11,) + (12,) * 6)
    answer = told(staggered_effect(made, controls="never_treated"))
    first = np.array([made.adopted.get(unit, 99) for unit in made.units])
    change = made.outcomes[:, 11] - made.outcomes[:, 10]
    scipy = stats.ttest_ind(change[first == 11], change[first == 99], equal_var=False)
    small, large = int((first == 11).sum()), int((first == 99).sum())
    published = (1 / small + 1 / large) ** 2 / (1 / small**2 / (small - 1) + 1 / large**2 / (large - 1))
    reach = stats.t.ppf(0.975, min(float(scipy.df), published)) * answer.standard_error
    assert answer.high - answer.estimate == pytest.approx(reach)


def test_one_start_is_the_two_group_comparison_from_the_last_period_before():
    made = staggered(3, starts=(11, 12))
    answer = told(staggered_effect(made))
    first = np.array([made.adopted.get(unit, 99) for unit in made.units])
    change = made.outcomes[:, 11] - made.outcomes[:, 10]
    scipy = stats.ttest_ind(change[first == 11], change[first == 99], equal_var=False)
    assert answer.estimate == pytest.approx(change[first == 11].mean() - change[first == 99].mean())
    assert answer.estimate / answer.standard_error == pytest.approx(scipy.statistic)
    assert [group.key for group in answer.by_group] == [11]
    assert answer.placebos and answer.placebos[0].kind == "time"


def test_effects_before_the_start_fail_the_check():
    made = staggered(4)
    for unit, start in made.adopted.items():
        made.outcomes[made.units.index(unit), start - 2 :] += 5.0
    answer = told(staggered_effect(made))
    assert "pre_trend" in [check.name for check in answer.failed]


def test_without_a_clean_control_there_is_no_number():
    everybody = staggered(5, starts=(4, 7))
    never = staggered_effect(everybody, controls="never_treated")
    assert (
        isinstance(never, CannotTell)
        and never.reason == "not_identified"
        and "clean control" in never.because
    )
    later = told(staggered_effect(everybody))  # those who start at 7 are clean until then
    assert "clean_controls" in [check.name for check in later.failed]
    assert {(cell.group, cell.time) for cell in later.cells if cell.time >= cell.group} == {
        (4, 4),
        (4, 5),
        (4, 6),
    }
    at_once = staggered_effect(staggered(5, starts=(4,)))
    assert isinstance(at_once, CannotTell) and "Keep some units back" in at_once.mend


def test_always_treated_units_and_lonely_starts_are_left_out_and_named():
    made = staggered(6)
    adopted = {**made.adopted, "u0": 0, "u1": 2}
    answer = told(staggered_effect(Panel(made.units, made.periods, made.outcomes, adopted)))
    assert {check.name for check in answer.failed} >= {"seen_before", "group_size"}
    assert all(cell.group not in (0, 2) for cell in answer.cells)
    lonely = staggered_effect(Panel(made.units, made.periods, made.outcomes, {"u1": 2}))
    assert isinstance(lonely, CannotTell) and "started together" in lonely.because


def test_staggered_panels_that_lie_are_refused():
    made = staggered(7)
    assert (
        staggered_effect(Panel(made.units, made.periods, made.outcomes, made.adopted, (6,))).reason
        == "definition_changed"
    )
    holed = made.outcomes.copy()
    holed[2, 3] = np.nan
    assert staggered_effect(Panel(made.units, made.periods, holed, made.adopted)).reason == "incomplete"
    assert (
        staggered_effect(Panel(made.units, made.periods, np.ones_like(holed), made.adopted)).reason
        == "undefined"
    )


def test_a_start_at_the_second_period_has_nothing_before_it_to_check():
    made = staggered(8, starts=(1, 12))
    answer = told(staggered_effect(made))
    assert [check.passed for check in answer.checks if check.name == "pre_trend"] == [None]
    assert answer.placebos == ()
