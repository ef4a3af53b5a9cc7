"""Present value, rate of return and payback: published figures, exact counts of rates, and refusals."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from potager.engines.answers import CannotTell
from potager.engines.finance import internal_rate_of_return, net_present_value, payback


def test_the_vectors_of_the_insight_page():
    assert net_present_value(0.10, [-100, 60, 60]) == pytest.approx(4.132231, abs=5e-7)
    assert internal_rate_of_return([-100, 60, 60]) == pytest.approx(0.1306624, abs=5e-8)


@pytest.mark.parametrize(
    ("flows", "rate"),
    [
        ([-70_000, 12_000, 15_000, 18_000, 21_000, 26_000], 0.0866309480),  # Excel's page on IRR, 8.7 %
        ([-70_000, 12_000, 15_000, 18_000, 21_000], -0.0212448482),  # the same page after four years, −2.1 %
        ([-100, 110], 0.10),
        ([0, 0, -100, 110], 0.10),
        ([100, -110], 0.10),  # a loan
        ([-1, 1e9], 1e9 - 1),
        ([-1e9, 1], 1e-9 - 1),
    ],
)
def test_published_rates_of_return(flows, rate):
    assert internal_rate_of_return(flows) == pytest.approx(rate, rel=1e-8)


@pytest.mark.parametrize(
    ("flows", "reason", "words"),
    [
        ([1_600, -10_000, 10_000], "ambiguous", "2 rates"),  # Lorie and Savage's pump: 25 % and 400 %
        ([-1_000, 3_600, -4_310, 1_716], "ambiguous", "3 rates"),  # 10 %, 20 %, 30 %
        ([100, -200, 150], "undefined", "at no rate"),
        ([100, 200], "undefined", "all gains"),
        ([-100, -1], "undefined", "all costs"),
        ([], "undefined", "none"),
        ([0, 0], "undefined", "none"),
        ([-100, math.nan], "undefined", "finite"),
        ([-1e-300, 1e300], "undefined", "too far apart"),
    ],
)
def test_several_rates_and_none_are_refused(flows, reason, words):
    refusal = internal_rate_of_return(flows)
    assert isinstance(refusal, CannotTell)
    assert refusal.reason == reason
    assert words in refusal.because


def test_a_rate_that_only_touches_nothing_is_one_rate():
    # −(1 − 1.1x)² = −1 + 2.2x − 1.21x²: worth nothing at 10 % and a loss everywhere else.
    assert internal_rate_of_return([-100, 220, -121]) == pytest.approx(0.10, rel=1e-9)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=14))
def test_a_rate_found_makes_the_flows_worth_nothing(flows):
    rate = internal_rate_of_return(flows)
    turns = [flow > 0 for flow in flows if flow]
    changes = sum(one != two for one, two in pairwise(turns))
    if changes == 1:
        assert not isinstance(rate, CannotTell)  # Descartes: exactly one
    if isinstance(rate, CannotTell):
        assert changes != 1
        return
    terms = [flow * (1 + rate) ** -at for at, flow in enumerate(flows)]
    assert abs(math.fsum(terms)) <= 1e-6 * max(abs(term) for term in terms)


def test_monthly_flows_of_ten_years_are_solved():
    flows = [-100_000.0] + [1_200.0 + at for at in range(119)] + [-5_000.0]
    rate = internal_rate_of_return(flows)
    assert isinstance(rate, (float, CannotTell))
    assert internal_rate_of_return(flows[:-1]) == pytest.approx(0.0072, abs=5e-3)


def test_present_values_take_their_own_times():
    assert net_present_value(0.21, [-100, 110], times=[0, 0.5]) == pytest.approx(0)
    assert net_present_value(0.0, [1, 2, 3]) == 6
    with pytest.raises(ValueError):
        net_present_value(0.1, [1, 2], times=[0])
    for rate, flow in ((-1.0, 1.0), (math.inf, 1.0), (0.1, math.inf)):
        assert isinstance(net_present_value(rate, [flow]), CannotTell)


def test_payback_counts_the_last_period_in_part():
    assert payback([-100, 40, 40, 40]).periods == 2.5
    found = payback([-100, 60, 60], rate=0.10)
    assert found.periods == pytest.approx(1 + (100 - 60 / 1.1) / (60 / 1.21))
    assert found.lasting


def test_payback_says_when_it_does_not_last_or_does_not_come():
    assert not payback([-100, 100, -50]).lasting
    assert payback([50, -100, 50]).periods == 2
    never = payback([-100, 60])
    assert "40.00 is still missing" in never.because
    assert "Nothing was paid out" in payback([10, 20]).because
    assert isinstance(payback([-10, 20], rate=-1.0), CannotTell)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=12), st.integers(1, 3000))
def test_payback_of_even_flows_is_where_the_sum_reaches_the_cost(gains, cost):
    found = payback([-cost, *gains])
    assume(not isinstance(found, CannotTell))
    full = int(found.periods)
    assert sum(gains[:full]) <= cost + 1e-6
    assert sum(gains[: full + 1]) >= cost - 1e-6
