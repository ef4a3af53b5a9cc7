"""Groups of bets: the winner's curse, calibration, and what a test is worth; against published tables and draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from potager.engines.answers import CannotTell
from potager.engines.causal import (
    Calibration,
    Prediction,
    Shrinkage,
    calibrate,
    dersimonian_laird,
    interval_score,
    paule_mandel,
    shrink,
    unit_normal_loss,
    value_of_testing,
)

# Thirteen trials of the BCG vaccine (Colditz et al. 1994): treated ill and well, control ill and well.
BCG = (
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
    (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600),
    (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
)  # fmt: skip
RATIOS = [math.log((a / (a + b)) / (c / (c + d))) for a, b, c, d in BCG]
ERRORS = [math.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)) for a, b, c, d in BCG]

# Coaching in eight schools (Rubin 1981; Gelman et al. 2013, table 5.2).
SCHOOLS = ([28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18])


def told(answer) -> Shrinkage:
    assert isinstance(answer, Shrinkage), answer
    return answer


def test_the_spread_between_trials_is_the_published_one():
    assert dersimonian_laird(RATIOS, ERRORS) == pytest.approx(0.3088, abs=1e-4)  # Viechtbauer (2010)
    assert paule_mandel(RATIOS, ERRORS) == pytest.approx(0.3181, abs=1e-4)
    made = told(shrink(RATIOS, ERRORS, method="dersimonian_laird"))
    assert (made.mean, made.mean_error) == pytest.approx((-0.7141, 0.1787), abs=1e-4)
    assert made.checks[0].passed is True


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(0.2, 3)), min_size=4, max_size=12),
)
@settings(max_examples=40, deadline=None)
def test_the_spreads_are_those_of_statsmodels(drawn):
    effects, errors = np.array([e for e, _ in drawn]), np.array([s for _, s in drawn])
    with np.errstate(all="ignore"):  # where effects are equal, theirs divides by 0 on its way
        theirs = combine_effects(effects, errors**2, method_re="chi2", use_t=False)
    assert dersimonian_laird(effects, errors) == pytest.approx(max(theirs.tau2, 0.0), abs=1e-8)
    ours = paule_mandel(effects, errors)
    weights = 1 / (errors**2 + ours)
    q = float(weights @ (effects - weights @ effects / weights.sum()) ** 2)
    assert q == pytest.approx(len(drawn) - 1, rel=1e-6) if ours > 0 else q <= len(drawn) - 1 + 1e-9


def test_eight_schools_are_pulled_as_in_the_book():
    """Gelman et al. (2013), table 5.3: medians of school A 10, of C 7; 95 % intervals −2 to 31 and −11 to 19."""
    made = told(shrink(*SCHOOLS))
    assert made.mean == pytest.approx(8.0, abs=0.5)
    a, c = made.bets[0], made.bets[2]
    assert a.estimate == pytest.approx(11.4, abs=0.5) and (a.low, a.high) == pytest.approx((-2, 31), abs=2.0)
    assert c.estimate == pytest.approx(6.2, abs=0.7) and (c.low, c.high) == pytest.approx((-11, 19), abs=2.0)
    complete = told(shrink(*SCHOOLS, method="paule_mandel"))
    assert complete.spread == 0.0 and all(
        bet.estimate == pytest.approx(7.7, abs=0.05) for bet in complete.bets
    )
    assert complete.mean_error == pytest.approx(4.1, abs=0.05)
    assert complete.checks[0].passed is False


def test_winners_are_corrected_and_intervals_hold_the_truth():
    held = {"raw": [], "hierarchical": [], "paule_mandel": []}
    winners = {"raw": [], "hierarchical": []}
    for seed in range(150):
        rng = np.random.default_rng(seed)
        truth, errors = rng.normal(1.0, 1.0, 6), rng.uniform(0.5, 2.5, 6)
        seen = rng.normal(truth, errors)
        best = int(np.argmax(seen))
        for method in ("hierarchical", "paule_mandel"):
            bets = told(shrink(seen, errors, method=method)).bets
            held[method].extend(bet.low <= t <= bet.high for bet, t in zip(bets, truth, strict=True))
        bets = told(shrink(seen, errors)).bets
        winners["raw"].append(seen[best] - truth[best])
        winners["hierarchical"].append(bets[best].estimate - truth[best])
    assert np.mean(winners["raw"]) > 0.8  # the curse
    assert abs(np.mean(winners["hierarchical"])) < 0.5 * np.mean(winners["raw"])
    assert np.mean(held["hierarchical"]) >= 0.93 > np.mean(held["paule_mandel"])


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(0.1, 5)), min_size=4, max_size=9), st.floats(-50, 50))
@settings(max_examples=30, deadline=None)
def test_shrinking_pulls_inwards_and_moves_with_the_scale(drawn, shift):
    effects, errors = [e for e, _ in drawn], [s for _, s in drawn]
    made = told(shrink(effects, errors, method="paule_mandel"))
    moved = told(shrink([e + shift for e in effects], errors, method="paule_mandel"))
    for bet, other in zip(made.bets, moved.bets, strict=True):
        assert min(bet.raw, made.mean) - 1e-9 <= bet.estimate <= max(bet.raw, made.mean) + 1e-9
        assert 0.0 <= bet.kept <= 1.0 and bet.low < bet.estimate < bet.high
        assert other.estimate == pytest.approx(bet.estimate + shift, abs=1e-5)


def test_few_bets_are_refused_and_bad_errors_raise():
    assert shrink([1, 2, 3], [1, 1, 1]).reason == "too_few"
    with pytest.raises(ValueError, match="above 0"):
        shrink([1, 2, 3, 4], [1, 1, 1, 0])
    with pytest.raises(ValueError, match="each with its error"):
        paule_mandel([1, 2], [1])


# --- calibration


def predictions(seed: int, n: int, narrow: float, level: float = 0.8) -> list[Prediction]:
    rng = np.random.default_rng(seed)
    half = stats.norm.ppf(0.5 + level / 2) * narrow
    return [Prediction(-half, half, float(rng.normal()), level) for _ in range(n)]


def judged(answer) -> Calibration:
    assert isinstance(answer, Calibration), answer
    return answer


def test_ranges_that_are_too_narrow_are_too_sure_and_the_factor_mends_them():
    made = judged(calibrate(predictions(1, 200, narrow=0.4)))
    assert (
        made.verdict == "too_sure"
        and made.checks[0].passed is False
        and "too narrow" in made.checks[0].sentence
    )
    assert made.widen == pytest.approx(2.5, rel=0.15)
    assert judged(calibrate(predictions(2, 200, narrow=1.0))).verdict == "fits"
    assert judged(calibrate(predictions(1, 200, narrow=3.0))).verdict == "too_wary"


def test_the_p_value_is_the_binomial_where_levels_are_equal():
    made = judged(calibrate([Prediction(0, 1, 0.5 if i < 5 else 3.0) for i in range(12)]))
    tail = stats.binom.cdf(5, 12, 0.8)
    assert made.p_value == pytest.approx(2 * tail) and made.coverage == pytest.approx(5 / 12)
    assert made.claimed == pytest.approx(0.8)


def test_levels_may_differ_and_few_predictions_cannot_tell():
    mixed = [Prediction(0, 1, 0.5, level) for level in (0.5, 0.8, 0.9, 0.95, 0.6)]
    made = judged(calibrate(mixed))
    assert made.verdict == "cannot_tell" and made.checks[0].passed is None
    assert made.p_value == pytest.approx(min(1, 2 * 0.5 * 0.8 * 0.9 * 0.95 * 0.6))
    assert made.score == pytest.approx(1.0) and made.checks[1].sentence.startswith("Every outcome")
    assert calibrate(mixed[:4]).reason == "too_few"


def test_forecasters_who_lean_are_told_so():
    made = judged(calibrate([Prediction(0, 10, 1.0 + i / 10) for i in range(12)]))
    assert made.below == 1.0 and made.above == 0.0 and made.checks[1].passed is False


def test_the_interval_score_is_lowest_for_the_true_range():
    assert interval_score(0, 10, 5, 0.8) == 10
    assert interval_score(0, 10, 12, 0.8) == pytest.approx(10 + 2 / 0.2 * 2)
    drawn = np.random.default_rng(0).normal(size=4000)
    z = stats.norm.ppf(0.9)
    scores = {
        width: np.mean([interval_score(-w, w, x, 0.8) for x in drawn])
        for width in (0.5, 1, 2)
        for w in [z * width]
    }
    assert min(scores, key=scores.get) == 1


def test_ranges_that_are_none_raise():
    with pytest.raises(ValueError, match="two finite ends"):
        Prediction(1, 1, 1)
    with pytest.raises(ValueError, match="finite number"):
        Prediction(0, 1, math.nan)
    assert Prediction(0, 1, 1.0).held and not Prediction(0, 1, 1.1).held


# --- value of a test


@pytest.mark.parametrize(
    ("u", "loss"),
    [(0.0, 0.3989), (0.5, 0.1978), (1.0, 0.08332), (1.5, 0.02931), (2.0, 0.008491), (3.0, 0.0003822)],
)
def test_the_unit_normal_loss_is_the_published_table(u, loss):
    """Schlaifer (1959), table of the unit normal loss function."""
    assert unit_normal_loss(u) == pytest.approx(loss, rel=6e-4)


def test_the_value_of_a_test_agrees_with_playing_it_out():
    made = value_of_testing(mean=1.0, spread=2.0, threshold=0.5, worth=100.0, test_error=1.5, cost=10.0)
    rng = np.random.default_rng(1)
    truth = rng.normal(1.0, 2.0, 1_000_000)
    seen = rng.normal(truth, 1.5)
    believed = (seen * 4 + 1.0 * 2.25) / 6.25
    gain = 100 * (truth - 0.5)
    without = gain.mean()
    assert made.evsi == pytest.approx(np.where(believed > 0.5, gain, 0).mean() - without, abs=0.5)
    assert made.evpi == pytest.approx(np.maximum(gain, 0).mean() - without, abs=0.5)
    assert made.chance_to_change == pytest.approx(np.mean(believed <= 0.5), abs=0.002)
    assert made.act_now and made.net == pytest.approx(made.evsi - 10) and "run it" in made.sentence


@given(st.floats(-5, 5), st.floats(0.1, 5), st.floats(-5, 5), st.floats(0, 20), st.floats(0, 20))
def test_no_test_is_worth_more_than_knowing_and_a_worse_test_is_worth_less(
    mean, spread, threshold, error, more
):
    def test(with_error: float):
        return value_of_testing(
            mean=mean, spread=spread, threshold=threshold, worth=7.0, test_error=with_error
        )

    assert 0.0 <= test(error + more).evsi <= test(error).evsi + 1e-9 <= test(0.0).evsi + 2e-9
    assert test(0.0).evsi == pytest.approx(test(0.0).evpi)
    assert test(math.inf).evsi == 0.0


def test_certainty_needs_no_test_and_dear_tests_are_left():
    certain = value_of_testing(mean=1, spread=0, threshold=0, worth=1, test_error=1)
    assert isinstance(certain, CannotTell) and certain.reason == "undefined"
    dear = value_of_testing(mean=-1, spread=1, threshold=0, worth=1, test_error=1, cost=5)
    assert dear.net < 0 and dear.sentence.endswith("do without and leave it.")
    with pytest.raises(ValueError, match="above 0"):
        value_of_testing(mean=1, spread=1, threshold=0, worth=0, test_error=1)
    with pytest.raises(ValueError, match="finite"):
        value_of_testing(mean=math.nan, spread=1, threshold=0, worth=1, test_error=1)
