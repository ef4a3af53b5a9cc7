"""Random histories of events: the terms equal a second computation that goes from day to day."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.connectors.stripe import read
from potager.engines.finance import check_terms

from .building import event, item, subscription

START, DAYS = date(2024, 1, 1), 60
STATUSES = ("active", "past_due", "unpaid", "paused", "incomplete")


@st.composite
def histories(draw):
    """Return what was said when: (day, second of the day, status, quantity, unit, items), the first a creation."""
    times = draw(
        st.lists(
            st.tuples(st.integers(0, DAYS - 5), st.integers(0, 86_399)), min_size=1, max_size=8, unique=True
        )
    )
    said = [
        (day, second, draw(st.sampled_from(STATUSES)), draw(st.integers(0, 3)), draw(st.sampled_from((500, 900))),
         draw(st.integers(1, 2)))
        for day, second in sorted(times)
    ]  # fmt: skip
    end = draw(st.none() | st.integers(1, 4))
    return said, None if end is None else (said[-1][0] + end, draw(st.integers(0, 86_399)))


def moment(day, second):
    return f"{START + timedelta(days=day)}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def held(said, **more):
    _, _, status, quantity, unit, items = said
    built = [item(unit * (at + 1), quantity, name=f"si_{at}") for at in range(items)]
    first = more.pop("first")
    return subscription(
        *built, starts=str(START + timedelta(days=first)), status=more.pop("status", status), **more
    )


def events_of(history):
    said, end = history
    first = said[0][0]
    events = [
        event("updated" if at else "created", moment(*one[:2]), held(one, first=first))
        for at, one in enumerate(said)
    ]
    if end is not None:
        over = {"status": "canceled", "canceled_at": moment(*end), "ended_at": moment(*end)}
        events.append(event("deleted", moment(*end), held(said[-1], first=first, **over)))
    return events


def day_by_day(history):
    """Return by day the set of (state, quantity, unit) that held at its end: the last word on or before it."""
    said, end = history
    found = {}
    for day in range(DAYS):
        last = [one for one in said if one[0] <= day]
        if not last or (end is not None and end[0] <= day) or last[-1][2] == "incomplete":
            found[day] = set()
            continue
        _, _, status, quantity, unit, items = last[-1]
        found[day] = {(status, quantity, unit * (at + 1)) for at in range(items)}
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("histories")


@settings(max_examples=120, deadline=None)
@given(history=histories(), order=st.randoms(use_true_random=False), repeats=st.integers(0, 3))
def test_rebuilt_terms_equal_what_held_from_day_to_day(folder, history, order, repeats):
    events = events_of(history)
    events += [order.choice(events) for _ in range(repeats)]
    order.shuffle(events)
    path = folder / "events.jsonl"
    path.write_text("\n".join(map(json.dumps, events)))
    reading = read(path)
    assert reading.rejected.num_rows == 0
    assert check_terms(reading.terms) == ()
    assert reading.counts["repeated"] == repeats
    assert rebuilt(reading.terms.to_pylist()) == day_by_day(history)


@settings(max_examples=80, deadline=None)
@given(history=histories(), known=st.integers(0, DAYS - 1))
def test_the_history_of_words_says_what_was_known_on_a_day(folder, history, known):
    """What the words up to a day say of the days until then is what the events up to it say."""
    path = folder / "known.jsonl"
    path.write_text("\n".join(map(json.dumps, events_of(history))))
    latest = {}
    for row in read(path).history.to_pylist():
        key = row["subscription"], row["starts"]
        if row["known_at"].date() <= START + timedelta(days=known) and (
            key not in latest or row["known_at"] > latest[key]["known_at"]
        ):
            latest[key] = row
    expected = day_by_day(history)
    found = rebuilt(latest.values())
    assert {day: found[day] for day in range(known + 1)} == {day: expected[day] for day in range(known + 1)}


def rebuilt(rows):
    """Return by day the set of (state, quantity, unit) that rows of terms say."""
    return {
        day: {
            (row["state"], row["quantity"], row["unit_cents"])
            for row in rows
            if row["starts"] <= START + timedelta(days=day)
            and (row["ends"] is None or START + timedelta(days=day) < row["ends"])
        }
        for day in range(DAYS)
    }
