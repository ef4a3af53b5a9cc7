"""As known on, as of: what was said then, what is known now, and why they differ."""

from __future__ import annotations

import pyarrow as pa
import pytest

from potager.engines.finance import (
    FinanceError,
    Price,
    Subscription,
    as_known_on,
    chartmogul,
    restatement,
    terms_of,
)
from tests.engines.finance.histories import day


def known(subscription: Subscription, since: int, until: int | None = None) -> pa.Table:
    terms = terms_of([subscription])
    for name, number in (("known_from", since), ("known_until", until)):
        value = None if number is None else day(number)
        terms = terms.append_column(name, pa.array([value] * len(terms), pa.date32()))
    return terms


def plan(customer: str, cents: int, **rest) -> Subscription:
    return Subscription(customer, "s", Price(cents, "USD"), day(0), **rest)


VERSIONS = pa.concat_tables(
    [
        known(plan("same", 100), 0),
        known(plan("fixed", 500), 0, 40),
        known(plan("fixed", 450), 40),
        known(plan("late", 70), 40),
        known(plan("never was", 30), 0, 50),
    ]
)


def test_the_figure_said_then_stays_and_the_difference_has_reasons():
    told = restatement(VERSIONS, chartmogul, known_then=day(31), known_now=day(90), as_of=[day(30), day(15)])
    assert [
        (figure.on, figure.said_then, figure.known_now, figure.difference) for figure in told.figures
    ] == [
        (day(15), 630, 620, -10),
        (day(30), 630, 620, -10),
    ]
    assert {
        (found.movement.customer, found.movement.difference, found.cause) for found in told.movements()
    } == {
        ("fixed", -50, "corrected"),
        ("late", 70, "came later"),
        ("never was", -30, "withdrawn"),
    }
    assert sum(found.movement.difference for found in told.movements()) == told.figures[-1].difference


@pytest.mark.parametrize(("on", "customers"), [(0, 3), (39, 3), (40, 4), (49, 4), (50, 3), (-1, 0)])
def test_what_was_known_on_a_day_is_what_stood_at_its_end(on, customers):
    assert len(as_known_on(VERSIONS, day(on))) == customers


def test_nothing_changed_is_said_so():
    told = restatement(VERSIONS, chartmogul, known_then=day(60), known_now=day(90), as_of=[day(30)])
    assert told.movements() == ()
    assert told.figures[0].difference == 0


def test_without_versions_or_days_it_is_refused():
    with pytest.raises(FinanceError, match="known when is lost"):
        as_known_on(terms_of([plan("a", 1)]), day(0))
    with pytest.raises(FinanceError, match="stopped being known before"):
        as_known_on(known(plan("a", 1), 5, 3), day(0))
    with pytest.raises(FinanceError, match="needs a day"):
        restatement(VERSIONS, chartmogul, known_then=day(1), known_now=day(2), as_of=[])
    with pytest.raises(FinanceError, match="in order"):
        restatement(VERSIONS, chartmogul, known_then=day(3), known_now=day(2), as_of=[day(1)])
