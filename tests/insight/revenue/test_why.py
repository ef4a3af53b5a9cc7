"""Why a figure is not another: by the knob, by what was known, by what is canceled and still runs; to the cent."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from potager.ground.lake.service import lake
from potager.insight.revenue import why, why_restated
from potager.kit.errors import Conflict, Invalid
from tests.insight.revenue.conftest import TERMS, put, term
from tests.insight.revenue.test_books import described, load

DISCOUNTED = [
    # A yearly price of 1,200: half off forever counts for Stripe, half off for some months does not.
    term("forever", date(2024, 1, 1), None, 120_000, forever_off=60_000, interval_unit="year"),
    term("repeating", date(2024, 1, 1), None, 120_000, repeating_off=60_000, interval_unit="year"),
    term("trial", date(2024, 10, 1), None, 5_000, state="trialing"),
    term(
        "leaving", date(2024, 1, 1), date(2024, 12, 20), 3_000, canceled_on=date(2024, 11, 2),
        paid_until=date(2024, 12, 20),
    ),
]  # fmt: skip


def test_the_knobs_explain_the_whole_difference_between_two_policies(own: Any, ada: Any) -> None:
    put("billing.terms", DISCOUNTED)
    book = load(ada, described(ada, compared=["stripe"]))
    found = why.difference(book, "chartmogul", "stripe")
    assert found.first == {"EUR": 5_000 + 5_000 + 3_000}
    assert found.second == {"EUR": 5_000 + 10_000}
    parts = {part: cents for part, _, cents in why.amounts_by_knob(found, "EUR")}
    assert parts == {"discounts": 5_000, "churn_dated": -3_000}
    rows, total = why.rows_of(found, 10)
    assert total == 2
    assert [(row["customer"], row["second"] - row["first"], row["parts"]) for row in rows] == [
        ("repeating", 5_000, {"discounts": 5_000}),
        ("leaving", -3_000, {"churn_dated": -3_000}),
    ]
    assert sum(row["second"] - row["first"] for row in rows) == sum(parts.values())


def test_a_difference_tells_of_the_load_and_not_of_what_came_after(own: Any, ada: Any) -> None:
    put("billing.terms", DISCOUNTED)
    book = load(ada, described(ada))
    put("billing.terms", DISCOUNTED[:1], load_id="two")
    assert why.difference(book, "chartmogul", "stripe").first == {"EUR": 13_000}


def test_what_is_canceled_and_still_runs_is_the_difference_to_committed(own: Any, ada: Any) -> None:
    put("billing.terms", DISCOUNTED)
    book = load(ada, described(ada))
    found = why.committed(book, "chartmogul")
    assert (found.current, found.committed, found.customers) == (13_000, 10_000, 1)
    (one,) = found.leaving
    assert (one.customer, one.current, one.committed, one.ends) == ("leaving", 3_000, 0, date(2024, 12, 20))


def test_a_restatement_says_what_was_said_then_what_is_known_now_and_the_cause(own: Any, ada: Any) -> None:
    import pyarrow as pa

    rows = [
        term("same", date(2024, 8, 1), None, 1_000),
        term("corrected", date(2024, 8, 1), None, 10_000),
        term("corrected", date(2024, 8, 1), None, 7_000),
        term("late", date(2024, 8, 1), None, 400),
    ]
    at = [datetime(2024, 8, 1), datetime(2024, 8, 1), datetime(2024, 10, 20), datetime(2024, 10, 21)]
    table = pa.Table.from_pylist(rows, schema=TERMS)
    known = pa.array(at, pa.timestamp("us"))
    lake().overwrite("billing.terms", table.append_column("known_at", known), load_id="one")
    book = load(ada, described(ada))
    found = why_restated.restated(book, "chartmogul", date(2024, 10, 1), date(2024, 9, 30), date(2024, 11, 1))
    (figure,) = found.figures
    assert (figure.said_then, figure.known_now) == (11_000, 8_400)
    said, _ = why.rows_of(found, 10)
    assert {(row["customer"], row["second"] - row["first"], row["cause"]) for row in said} == {
        ("corrected", -3_000, "corrected"),
        ("late", 400, "came later"),
    }
    same = why_restated.restated(book, "chartmogul", date(2024, 10, 1), date(2024, 9, 30), date(2024, 10, 1))
    assert same.table.num_rows == 0


def test_without_a_column_of_knowledge_the_snapshots_of_the_table_tell(own: Any, ada: Any) -> None:
    put("billing.terms", DISCOUNTED)
    book = load(ada, described(ada))
    history = lake().history("billing.terms")
    written = history[-1].at.date()
    with pytest.raises(Invalid, match="was not in the lake"):
        why_restated.known(book, date(2020, 1, 1))
    assert why_restated.known(book, written).terms.num_rows == len(DISCOUNTED)


def test_days_and_policies_that_cannot_be_told_of_are_refused(own: Any, ada: Any) -> None:
    put("billing.terms", DISCOUNTED)
    book = described(ada)
    with pytest.raises(Conflict, match="not loaded yet"):
        why.difference(book, "stripe", "chartmogul")
    load(ada, book)
    with pytest.raises(Invalid, match="no policy mine"):
        why.difference(book, "stripe", "mine")
    with pytest.raises(Invalid, match="tells of days up to"):
        why.difference(book, "stripe", "chartmogul", date(2030, 1, 1))
    with pytest.raises(Invalid, match="comes after"):
        why_restated.restated(book, "stripe", date(2024, 11, 2), date(2024, 9, 30), date(2024, 11, 1))
