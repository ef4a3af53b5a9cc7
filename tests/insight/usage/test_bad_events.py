"""Bad input: events from the future, one person with most of the events, identities in a circle."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from potager.ground.lake.service import lake
from potager.insight.usage import actions
from potager.insight.usage.facts import facts_of
from potager.insight.usage.models import Stream
from potager.insight.usage.readings import stickiness, trends
from potager.kit.clock import held

NOW = datetime(2024, 2, 1, 12, tzinfo=UTC)


def stream(ada: Any, people: list[str], moments: list[datetime], **values: Any) -> Stream:
    """A stream of opened pages, described in UTC unless said otherwise."""
    table = pa.table(
        {"who": people, "what": ["open"] * len(people), "at": pa.array(moments, pa.timestamp("us"))}
    )
    lake().append("bad.events", table, load_id="all")
    given = {"name": "Bad", "table": "bad.events", "person": "who", "event": "what", "time": "at", **values}
    return actions.describe_stream(actor=ada.actor, values=given)


def days(count: int, first: date = date(2024, 1, 1)) -> list[datetime]:
    """Noon on so many days."""
    return [datetime(first.year, first.month, first.day, 12) + timedelta(days=n) for n in range(count)]


def test_events_from_the_future_are_said_and_not_counted(empty_lake: Any, ada: Any) -> None:
    made = stream(ada, ["a"] * 32, [*days(30), datetime(2031, 1, 1), datetime(2099, 1, 1)])
    with held(NOW):
        facts = facts_of(made)
        assert facts.last == date(2024, 1, 30)
        assert facts.events == 30
        assert facts.odd == ("2 events are dated after today; they are not counted.",)
        outcome = trends.answer(made, trends.TrendParameters(grain="day", measure="events"))
        assert sum(dict(outcome.figures or {})["lines"][0]["values"]) == 30


def test_one_person_with_most_of_the_events_is_noticed_and_counts_once(empty_lake: Any, ada: Any) -> None:
    people = ["robot"] * 5000 + [f"u{n}" for n in range(50)]
    moments = [datetime(2024, 1, 1) + timedelta(seconds=n) for n in range(5000)] + [
        datetime(2024, 1, 1, 9)
    ] * 50
    made = stream(ada, people, moments)
    with held(NOW):
        assert "One person made 5,000 of the events (99%)" in facts_of(made).odd[0]
        outcome = trends.answer(made, trends.TrendParameters(grain="day"))
        assert dict(outcome.figures or {})["lines"][0]["values"] == [51]


@pytest.mark.parametrize(
    ("aliases", "people", "says"),
    [
        (["a", "b"], ["b", "a"], "lead on to others, or in a circle"),
        (["a", "b"], ["b", "c"], "lead on to others, or in a circle"),
        (["a", "a"], ["b", "c"], "belong to more than one person"),
    ],
)
def test_identities_that_are_not_merged_to_the_end_are_a_refusal(
    empty_lake: Any, ada: Any, aliases: list[str], people: list[str], says: str
) -> None:
    lake().append("bad.identities", pa.table({"alias": aliases, "person": people}), load_id="all")
    made = stream(ada, ["a", "b", "c"] * 10, days(30), identities_table="bad.identities")
    with held(NOW):
        outcome = stickiness.answer(made, stickiness.StickinessParameters())
    assert outcome.refusal is not None
    assert outcome.refusal.reason == "ambiguous"
    assert says in outcome.sentence


def test_merged_identities_count_as_one(empty_lake: Any, ada: Any) -> None:
    lake().append("bad.identities", pa.table({"alias": ["b", "c"], "person": ["a", "a"]}), load_id="all")
    made = stream(ada, ["a", "b", "c"] * 10, days(30), identities_table="bad.identities")
    with held(NOW):
        outcome = trends.answer(made, trends.TrendParameters(grain="month"))
        assert dict(outcome.figures or {})["lines"][0]["values"] == [1]


def test_a_day_begins_where_the_stream_says(empty_lake: Any, ada: Any) -> None:
    made = stream(
        ada, ["a", "b"], [datetime(2024, 1, 10, 23, 30), datetime(2024, 1, 11, 0, 30)], zone="Europe/Berlin"
    )
    with held(NOW):
        outcome = trends.answer(made, trends.TrendParameters(grain="day"))
        assert dict(outcome.figures or {})["starts"] == ["2024-01-11"]
        assert dict(outcome.figures or {})["lines"][0]["values"] == [2]


def test_an_empty_table_is_a_refusal_and_no_zero(empty_lake: Any, ada: Any) -> None:
    made = stream(ada, [], [])
    with held(NOW):
        outcome = trends.answer(made, trends.TrendParameters())
    assert outcome.refusal is not None
    assert outcome.sentence == "There are no events in Bad yet."
    assert ada.browser.get(f"/usage/{made.pk}").status_code == 200
    assert ada.browser.get(f"/usage/{made.pk}/retention").status_code == 200
