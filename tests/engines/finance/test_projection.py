"""Projections of MRR are the naive loop over months, in exact fractions."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.engines.answers import CannotTell
from potager.engines.finance.money import FinanceError
from potager.engines.finance.movements import Bridge
from potager.engines.finance.projection import CHANGEABLE, Rates, average_rates, project, resting_level

cents = st.integers(0, 10**9)


def bridge(start: int = 0, **parts: int) -> Bridge:
    """A month with these movements."""
    moved = {
        name: parts.get(name, 0) for name in ("new", "expansion", "reactivation", "contraction", "churn")
    }
    signed = moved["new"] + moved["expansion"] + moved["reactivation"] - moved["contraction"] - moved["churn"]
    return Bridge(
        date(2024, 1, 1), date(2024, 2, 1), "EUR", start=start, end=start + signed, currency_effect=0, **moved
    )


months = st.lists(
    st.builds(bridge, start=cents, new=cents, expansion=cents, reactivation=cents), min_size=1, max_size=12
)


def test_shares_are_pooled_over_months_and_amounts_are_means() -> None:
    found = average_rates(
        [bridge(1000, new=100, churn=50, expansion=20), bridge(3000, new=300, churn=30, contraction=40)]
    )
    assert found == Rates(
        new=Fraction(200),
        reactivation=Fraction(0),
        expansion=Fraction(20, 4000),
        contraction=Fraction(40, 4000),
        churn=Fraction(80, 4000),
        months=2,
    )


def test_without_anything_at_stake_there_are_no_rates() -> None:
    refused = average_rates([bridge(0, new=100)])
    assert isinstance(refused, CannotTell)
    assert refused.reason == "undefined"
    assert isinstance(average_rates([]), CannotTell)


@given(start=cents, history=months, ahead=st.integers(1, 24))
def test_a_projection_is_the_naive_loop_and_each_month_balances(
    start: int, history: list[Bridge], ahead: int
) -> None:
    rates = average_rates(history)
    if isinstance(rates, CannotTell):
        assert not sum(one.start for one in history)
        return
    level = Fraction(start)
    made = project(start, rates, ahead)
    for month in made:
        assert month.start == level
        level = (
            level
            + Fraction(sum(one.new for one in history), len(history))
            + Fraction(sum(one.reactivation for one in history), len(history))
            + level * Fraction(sum(one.expansion for one in history), sum(one.start for one in history))
        )
        assert month.end == level
        gained = month.new + month.expansion + month.reactivation
        assert month.start + gained - month.contraction - month.churn == month.end
    assert len(made) == ahead


@given(by=st.integers(-100, 300))
def test_a_change_scales_one_rate_and_leaves_the_others(by: int) -> None:
    rates = Rates(Fraction(500), Fraction(70), Fraction(1, 50), Fraction(1, 100), Fraction(3, 100), months=3)
    for name in CHANGEABLE:
        changed = rates.changed(**{name: by})
        assert getattr(changed, name) == getattr(rates, name) * (100 + by) / 100
        for other in {*CHANGEABLE, "reactivation"} - {name}:
            assert getattr(changed, other) == getattr(rates, other)


def test_a_change_that_cannot_be_is_refused_with_a_mend() -> None:
    rates = Rates(Fraction(500), Fraction(0), Fraction(0), Fraction(1, 10), Fraction(1, 2), months=3)
    for given_, said in (
        ({"churn": -101}, "more than 100 %"),
        ({"churn": 100}, "together"),
        ({"arr": 1}, "arr"),
    ):
        with pytest.raises(FinanceError) as told:
            rates.changed(**given_)
        assert said in told.value.detail
        assert told.value.mend
    for ahead in (0, 61):
        with pytest.raises(FinanceError):
            project(1, rates, ahead)


def test_the_resting_level_stays_where_it_is() -> None:
    rates = Rates(
        Fraction(500), Fraction(100), Fraction(1, 100), Fraction(1, 100), Fraction(5, 100), months=3
    )
    rest = resting_level(rates)
    assert rest == 12_000
    assert project(Fraction(12_000), rates, 12)[-1].end == 12_000
    assert isinstance(resting_level(rates.changed(churn=-100)), CannotTell)
