"""From effects to money, and who may claim it: identities, a second computation, properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.engines.answers import CannotTell
from potager.engines.causal import (
    ChainEffect,
    Claim,
    DecayEffect,
    Hop,
    chain_to_money,
    decay_factors,
    estimate_decay,
    settle_claims,
)

Z = 1.959963984540054


def told(answer) -> ChainEffect:
    assert isinstance(answer, ChainEffect), answer
    return answer


HOPS = (
    Hop("activation", 0.04, 0.02, 0.06, "experiment"),
    Hop("accounts kept per point", 1200.0, 700.0, 1700.0, "elasticity"),
    Hop("euro per account", 300.0, 300.0, 300.0, "arithmetic"),
)


def test_the_estimate_is_the_product_and_the_factors_add_up():
    made = told(chain_to_money(HOPS, (1.0, 0.9, 0.8), seed=1))
    assert made.estimate == pytest.approx(0.04 * 1200 * 300 * 2.7)
    assert made.low < made.estimate < made.high
    assert made.evidence == "elasticity"


def test_the_interval_is_that_of_a_second_computation_by_quadrature():
    made = told(chain_to_money(HOPS[:2], seed=2, draws=200_000))
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    first = 0.04 + nodes * 0.02 / Z
    mean, error = 1200.0, 500.0 / Z

    def below(value: float) -> float:
        slope = np.sign(first) * (value / first - mean) / error
        return float(weights @ np.array([0.5 * math.erfc(-s / math.sqrt(2)) for s in slope]) / weights.sum())

    assert below(made.low) == pytest.approx(0.025, abs=0.002)
    assert below(made.high) == pytest.approx(0.975, abs=0.002)


def test_the_delta_method_agrees_on_a_narrow_chain_and_its_check_fails_on_a_crooked_one():
    narrow = told(
        chain_to_money([Hop("a", 10, 9.5, 10.5, "experiment"), Hop("b", 2, 1.95, 2.05, "experiment")], seed=3)
    )
    relative = math.hypot(0.05, 0.025)
    assert narrow.delta_high == pytest.approx(20 * (1 + relative))
    assert (narrow.low, narrow.high) == pytest.approx((narrow.delta_low, narrow.delta_high), rel=0.01)
    assert not narrow.failed
    crooked = told(chain_to_money([Hop("a", 1, -4, 6, "belief"), Hop("b", 1, -4, 6, "belief")], seed=3))
    assert [check.name for check in crooked.failed] == ["delta_method"]


def test_the_weakest_hop_is_named_by_evidence_and_the_least_certain_by_variance():
    made = told(chain_to_money(HOPS, seed=4))
    assert made.weakest == "accounts kept per point" and "elasticity" in made.why_weakest
    assert made.least_certain == "activation"
    assert sum(part.share for part in made.hops) == pytest.approx(1.0)
    shares = {part.hop.name: part.share for part in made.hops}
    assert shares["activation"] == pytest.approx(0.25 / (0.25 + (5 / 12) ** 2))
    certain = told(chain_to_money([HOPS[2], HOPS[2]], seed=4))
    assert certain.low == certain.high == 90_000 and [part.share for part in certain.hops] == [0.5, 0.5]


def test_lopsided_and_lognormal_hops_keep_the_ranges_they_were_given():
    for hop in (
        Hop("lopsided", 10.0, 9.0, 20.0, "belief", level=0.9),
        Hop("lognormal", 10.0, 5.0, 20.0, "belief", level=0.9, shape="lognormal"),
        Hop("lopsided lognormal", 10.0, 8.0, 40.0, "belief", level=0.9, shape="lognormal"),
    ):
        made = told(chain_to_money([hop], seed=5, level=0.9, draws=200_000))
        assert (made.low, made.high) == pytest.approx((hop.low, hop.high), rel=0.02)
        assert made.probability_positive == 1.0
        assert hop.error > 0.0


def test_the_same_seed_gives_the_same_money_and_a_chain_needs_ranges():
    assert told(chain_to_money(HOPS, seed=6)) == told(chain_to_money(HOPS, seed=6))
    assert told(chain_to_money(HOPS, seed=6)).low != told(chain_to_money(HOPS, seed=7)).low
    open_ended = chain_to_money([Hop("one-sided", 1.0, 0.5, math.inf, "experiment")], seed=1)
    assert isinstance(open_ended, CannotTell) and "one-sided" in open_ended.because
    with pytest.raises(ValueError, match="one hop"):
        chain_to_money([], seed=1)
    with pytest.raises(ValueError, match="Factors"):
        chain_to_money(HOPS, (), seed=1)
    with pytest.raises(ValueError, match="draws"):
        chain_to_money(HOPS, seed=1, draws=10)
    with pytest.raises(ValueError, match="does not hold"):
        Hop("x", 1.0, 2.0, 3.0, "belief")
    with pytest.raises(ValueError, match="lognormal cannot"):
        Hop("x", 1.0, 0.0, 3.0, "belief", shape="lognormal")


# --- decay


def test_decay_is_found_with_an_interval_that_holds_it():
    held = 0
    for seed in range(100):
        ages = np.array([30.0, 90.0, 180.0, 360.0])
        effects = 10 * np.exp(-0.004 * ages) + np.random.default_rng(seed).normal(0, 0.8, 4)
        made = estimate_decay(ages, effects, [0.8] * 4)
        assert isinstance(made, DecayEffect)
        held += made.low <= 0.004 <= made.high
        assert made.half_life_low <= made.half_life <= made.half_life_high
    assert held >= 88


def test_decay_without_noise_is_exact_and_a_lasting_effect_has_no_half_life():
    exact = estimate_decay([0, 1, 2], [8, 4, 2], [0.001] * 3)
    assert exact.estimate == pytest.approx(math.log(2), rel=0.005) and exact.half_life == pytest.approx(
        1, rel=0.005
    )
    assert exact.initial == pytest.approx(8, rel=0.01) and exact.checks[1].passed is True
    lasting = estimate_decay([0, 1, 2], [5, 5.1, 5.2], [0.5] * 3)
    assert lasting.estimate == 0.0 and math.isinf(lasting.half_life) and lasting.checks[1].passed is None
    odd = estimate_decay([0, 1, 2, 3], [1, 9, 1, 9], [0.1] * 4)
    assert odd.checks[0].passed is False


def test_decay_is_refused_on_two_ages_and_on_nothing():
    assert estimate_decay([1, 2], [1, 1], [0.1, 0.1]).reason == "too_few"
    assert estimate_decay([1, 2, 3], [0.1, -0.1, 0.1], [1, 1, 1]).reason == "undefined"
    with pytest.raises(ValueError, match="one by one"):
        estimate_decay([1], [1, 2], [1])
    with pytest.raises(ValueError, match="above 0"):
        estimate_decay([1, 2, 3], [1, 1, 1], [1, 0, 1])
    assert decay_factors(math.log(2), 3) == pytest.approx((1, 0.5, 0.25))
    with pytest.raises(ValueError, match="0 or more"):
        decay_factors(-1, 3)


# --- claims


def bet(name: str, estimate: float, error: float = 1.0) -> Claim:
    return Claim(name, estimate, error, "quasi_experiment")


def granted(ledger) -> dict[str, float]:
    return {part.claim.name: part.granted for part in ledger.settled}


def test_claims_that_fit_are_granted_whole():
    made = settle_claims(100.0, [bet("a", 30.0), bet("b", 20.0)], outside=25.0, outside_error=5.0)
    assert granted(made) == {"a": 30.0, "b": 20.0}
    assert made.unexplained == pytest.approx(25.0) and not made.capped and made.sentences == ()
    assert made.unexplained_high - made.unexplained == pytest.approx(Z * math.sqrt(25 + 2))
    assert made.checks[0].passed is True and made.evidence == "quasi_experiment"


def test_two_bets_cannot_claim_the_same_euro_and_the_least_precise_gives_up_the_most():
    made = settle_claims(100.0, [bet("sharp", 80.0, 5.0), bet("vague", 60.0, 15.0)])
    # Least squares with a known sum: 40 too many, shared 25 to 225.
    assert granted(made) == pytest.approx({"sharp": 76.0, "vague": 24.0})
    assert made.capped and made.unexplained == pytest.approx(0.0, abs=1e-9)
    assert "add up to 140" in made.sentences[0] and "“vague” claimed 60 and is granted 24." in made.sentences
    assert made.checks[0].passed is False


def test_the_rounding_of_sums_is_no_cut():
    made = settle_claims(0.3, [bet("a", 0.1), bet("b", 0.2)])
    assert not made.capped and granted(made) == {"a": 0.1, "b": 0.2}


def test_a_claim_that_is_used_up_leaves_the_rest_to_the_others():
    made = settle_claims(10.0, [bet("tiny", 1.0, 100.0), bet("large", 20.0, 1.0)])
    assert granted(made) == pytest.approx({"tiny": 0.0, "large": 10.0})
    exact = settle_claims(10.0, [bet("x", 10.0, 0.0), bet("y", 30.0, 0.0)])
    assert granted(exact) == pytest.approx({"x": 2.5, "y": 7.5})
    mixed = settle_claims(10.0, [bet("sure", 12.0, 0.0), bet("unsure", 5.0, 1.0)])
    assert granted(mixed) == pytest.approx({"sure": 10.0, "unsure": 0.0})


def test_admitted_harm_makes_room_and_stands_in_a_rising_metric():
    made = settle_claims(10.0, [bet("good", 14.0), bet("bad", -5.0)])
    assert granted(made) == {"good": 14.0, "bad": -5.0} and made.unexplained == pytest.approx(1.0)
    alone = settle_claims(10.0, [bet("bad", -5.0)])
    assert granted(alone) == {"bad": -5.0} and alone.unexplained == pytest.approx(15.0)
    assert alone.checks[1].passed is False


def test_a_gain_in_a_falling_metric_needs_a_named_outside_force():
    made = settle_claims(-3.0, [bet("good", 5.0)])
    assert granted(made) == {"good": 0.0} and any("outside movement" in line for line in made.sentences)
    named = settle_claims(-3.0, [bet("good", 5.0)], outside=-9.0)
    assert granted(named) == {"good": 5.0} and named.unexplained == pytest.approx(1.0)
    lost = settle_claims(-3.0, [bet("bad", -5.0), bet("worse", -5.0)])
    assert granted(lost) == pytest.approx({"bad": -1.5, "worse": -1.5})


def test_where_down_is_good_the_signs_turn():
    made = settle_claims(-10.0, [bet("a", -8.0), bet("b", -8.0)], better="down")
    mirror = settle_claims(10.0, [bet("a", 8.0), bet("b", 8.0)])
    assert granted(made) == pytest.approx({name: -value for name, value in granted(mirror).items()})


claims_drawn = st.lists(
    st.tuples(st.floats(-1e6, 1e6), st.one_of(st.just(0.0), st.floats(1e-3, 1e5))), min_size=0, max_size=7
)


@given(st.floats(-1e6, 1e6), claims_drawn, st.floats(-1e5, 1e5), st.sampled_from(["up", "down"]))
@settings(max_examples=300, deadline=None)
def test_claims_never_exceed_the_movement_and_everything_adds_up(observed, drawn, outside, better):
    claims = [bet(f"bet {i}", estimate, error) for i, (estimate, error) in enumerate(drawn)]
    made = settle_claims(observed, claims, outside=outside, better=better)
    size = max(1.0, *(abs(e) for e, _ in drawn), abs(observed)) if drawn else max(1.0, abs(observed))
    assert made.claimed + made.outside + made.unexplained == pytest.approx(observed, abs=1e-9 * size)
    sign = 1.0 if better == "up" else -1.0
    left = sign * (observed - outside)
    assert sign * made.claimed <= max(left, 0.0) + 1e-9 * size
    if left < 0:
        assert sign * made.claimed >= left - 1e-9 * size
    for part in made.settled:  # no claim grows, and none turns its sign
        assert 0.0 <= part.granted * np.sign(part.claim.estimate) <= abs(part.claim.estimate) + 1e-9 * size
        assert part.low <= part.granted <= part.high
    assert made.capped == bool(made.sentences)


@given(st.floats(1, 1e3), st.permutations(range(4)))
@settings(max_examples=50, deadline=None)
def test_the_order_of_claims_changes_nothing(observed, order):
    claims = [bet(f"bet {i}", 100.0 * (i + 1), 10.0 / (i + 1)) for i in range(4)]
    one = granted(settle_claims(observed, claims))
    other = granted(settle_claims(observed, [claims[i] for i in order]))
    assert one == pytest.approx(other)


def test_claims_that_are_no_claims_raise():
    with pytest.raises(ValueError, match="finite"):
        bet("x", math.nan)
    with pytest.raises(ValueError, match="claims once"):
        settle_claims(1.0, [bet("x", 1.0), bet("x", 1.0)])
    with pytest.raises(ValueError, match="finite numbers"):
        settle_claims(math.inf, [])
    assert settle_claims(5.0, []).evidence is None and settle_claims(5.0, []).unexplained == 5.0
