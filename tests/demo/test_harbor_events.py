"""Harbor's events: what is done on purpose stays as it is, with the screens on the way there around it."""

from __future__ import annotations

from datetime import date, datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from potager.demo.harbor import sessions, vocabulary
from potager.demo.harbor.generate import Harbor, generate

THROUGH = date(2026, 11, 22)


@pytest.fixture(scope="module")
def bank() -> Harbor:
    return generate(THROUGH, accounts=600, days=400, seed=4)


@pytest.fixture(scope="module")
def everything(bank: Harbor) -> pa.Table:
    return bank.sessions.reader().read_all()


def asked(everything: pa.Table, sql: str) -> list[tuple]:
    with duckdb.connect(":memory:") as connection:
        connection.register("events", everything)
        return connection.sql(sql).fetchall()


def test_what_is_done_on_purpose_is_the_same_with_the_background_and_without(bank, everything):
    kept = pc.is_in(everything["event"], value_set=pa.array(vocabulary.EVENTS))
    assert everything.filter(kept).combine_chunks().equals(bank.events.combine_chunks())


def test_the_background_is_ten_times_what_is_done_on_purpose(bank, everything):
    around = everything.num_rows - bank.events.num_rows
    assert around / bank.events.num_rows == pytest.approx(sessions.BACKGROUND, rel=0.05)


def test_at_its_full_size_the_bank_has_about_twenty_million_events():
    full = generate(THROUGH)
    expected = full.events.num_rows * (1 + sessions.BACKGROUND)
    assert expected == pytest.approx(20_000_000, rel=0.05)


def test_who_was_active_on_which_day_is_the_same_with_the_background_and_without(bank, everything):
    active = "SELECT DISTINCT user_id, account_id, occurred_at::DATE AS day FROM events ORDER BY ALL"
    assert asked(everything, active) == asked(bank.events, active)


def test_a_person_has_one_platform_and_on_a_day_one_version(everything):
    several = "SELECT user_id FROM events GROUP BY user_id HAVING count(DISTINCT platform) > 1"
    assert asked(everything, several) == []
    day = "GROUP BY user_id, occurred_at::DATE HAVING count(DISTINCT app_version) > 1"
    assert asked(everything, f"SELECT user_id FROM events {day}") == []


def test_events_come_by_time_in_parts_that_stay_small(bank, monkeypatch):
    monkeypatch.setattr(sessions, "AT_ONCE", 5_000)
    last, rows = datetime(2000, 1, 1), []
    for batch in bank.sessions.reader():
        moments = batch.column("occurred_at")
        assert pc.min(moments).as_py() >= last
        assert pc.all(pc.less_equal(moments[:-1], moments[1:])).as_py()
        last = pc.max(moments).as_py()
        rows.append(batch.num_rows)
    assert len(rows) > 1
    assert max(rows) < 3 * sessions.AT_ONCE * (1 + sessions.BACKGROUND)


def test_no_event_lies_outside_the_days_of_the_bank(everything):
    ((first, last),) = asked(everything, "SELECT min(occurred_at)::DATE, max(occurred_at)::DATE FROM events")
    assert last == THROUGH
    assert (last - first).days < 400


def test_most_happens_on_weekdays_and_by_day(everything):
    ((weekend,),) = asked(everything, "SELECT avg((isodow(occurred_at) > 5)::INT) FROM events")
    assert 0.1 < weekend < 0.2
    hours = dict(asked(everything, "SELECT hour(occurred_at), count(*) FROM events GROUP BY 1"))
    assert hours[10] > 1.3 * hours[13] and hours[16] > hours[19]
    assert sum(hours.get(hour, 0) for hour in range(7)) < 0.01 * everything.num_rows


# Shares of the background.
SHARES = {
    "opened the app": (0.07, 0.13),
    "viewed the home screen": (0.15, 0.4),
    "viewed transactions": (0.15, 0.35),
    "searched": (0.02, 0.08),
    "downloaded a statement": (0.005, 0.02),
    "froze a card": (0.0003, 0.003),
    "contacted support": (0.001, 0.006),
    "signed out": (0.01, 0.05),
}


@pytest.mark.parametrize("screen", SHARES)
def test_every_screen_is_seen_in_its_share(bank, everything, screen):
    low, high = SHARES[screen]
    counted = pc.sum(pc.equal(everything["event"], screen)).as_py()
    assert low <= counted / (everything.num_rows - bank.events.num_rows) <= high


def test_every_screen_happens(everything):
    assert set(everything["event"].unique().to_pylist()) == set(vocabulary.EVERY_EVENT)


def test_who_froze_a_card_turns_to_support_next_more_often_than_others(everything):
    following = (
        "SELECT avg((next = 'contacted support')::INT) FROM (SELECT event, lead(event) OVER (PARTITION BY user_id "
        "ORDER BY occurred_at) AS next FROM events) WHERE event {} 'froze a card'"
    )
    ((froze,),), ((others,),) = (asked(everything, following.format(how)) for how in ("=", "<>"))
    assert froze > 10 * others


def test_the_same_seed_gives_the_same_events_each_time_they_are_read_and_another_one_others(bank, everything):
    assert bank.sessions.reader().read_all().equals(everything)
    assert generate(THROUGH, accounts=600, days=400, seed=4).sessions.reader().read_all().equals(everything)
    assert (
        not generate(THROUGH, accounts=600, days=400, seed=5).sessions.reader().read_all().equals(everything)
    )


def test_a_bank_without_events_has_an_empty_stream():
    empty = generate(THROUGH, accounts=1, days=2, seed=1)
    found = empty.sessions.reader().read_all()
    assert found.schema.equals(empty.events.schema)
    assert found.num_rows >= empty.events.num_rows
